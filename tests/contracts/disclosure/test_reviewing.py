"""Emergency requests: released to without approvals, judged afterwards, and what an unjustified one leads to."""

from __future__ import annotations

from typing import Any

import pytest

from coseal.contracts.disclosure.log import head_of
from coseal.contracts.disclosure.requests import request_of
from coseal.contracts.disclosure.state import barred_key, review_key
from coseal.contracts.supervision.findings import finding
from tests.support.disclosure import DAY_MS, OWNER, Custody

WHICH = {"by": "regulator", "request": "r1"}
NO = {**WHICH, "verdict": "unjustified", "reason": "It could wait"}
YES = {**WHICH, "verdict": "justified", "reason": "It could not wait"}


@pytest.fixture
def custody() -> Custody:
    custody = Custody()
    custody.armed()
    custody.define()
    custody.ok(OWNER, "process.record", **custody.batch())
    return custody


def urgent(custody: Custody, request: str = "r1", **more: Any) -> dict[str, Any]:
    return custody.asking(request, reason="The bank closes its books tonight", **more)


def status(custody: Custody, request: str = "r1") -> str:
    found = request_of(custody.chain.executor.reader, "regulator", request)
    assert found is not None
    return found.status


def test_an_emergency_is_released_and_opened_without_approvals_and_reviewed(custody: Custody) -> None:
    said = custody.ok("regulator", "emergency", **urgent(custody))
    assert said["status"] == "approved"
    assert said["review_ms"] == custody.chain.executor.time_ms + 15 * DAY_MS
    assert said["log"][0][2:] == ["emergency", "loans", "regulator/r1 order"]
    assert custody.code(OWNER, "object", **WHICH, reason="No") == "wrong_step"
    assert custody.code("city", "approve", **WHICH, reason="Yes") == "wrong_step"
    assert custody.release("public-a")["status"] == "approved"
    assert custody.release("institute-a")["status"] == "released"
    custody.ok("regulator", "opened", request="r1", opened=1, failed=0, faults=[])
    first = custody.ok("enterprise-a", "review", **YES)
    assert (first["review"], first["status"]) == ("waiting", "opened")
    assert first["log"][0][2:] == ["reviewed", "loans", "regulator/r1 enterprise-a/admin justified"]
    assert custody.ok("institute-a", "review", **NO)["review"] == "waiting"
    assert custody.ok("public-a", "review", **YES)["review"] == "justified"
    assert custody.chain.get(barred_key("regulator")) is None
    assert "late" not in custody.wait(16 * DAY_MS)
    custody.ok("regulator", "emergency", **urgent(custody, "r2"))


def test_the_log_of_the_owner_has_every_step_of_an_emergency(custody: Custody) -> None:
    count, _ = head_of(custody.chain.executor.reader, OWNER)
    custody.ok("regulator", "emergency", **urgent(custody))
    custody.ok("enterprise-a", "review", **NO)
    entries = custody.ok("institute-a", "review", **NO)["log"]
    assert [entry[1:3] for entry in entries] == [[count + 3, "reviewed"], [count + 4, "lapsed"]]
    assert head_of(custody.chain.executor.reader, OWNER)[0] == count + 4


def test_an_unjustified_one_ends_and_raises_a_finding_and_bars_until_a_ballot(custody: Custody) -> None:
    custody.ok("regulator", "emergency", **urgent(custody))
    custody.release("public-a")
    custody.ok("enterprise-a", "review", **NO)
    said = custody.ok("institute-a", "review", **NO)
    assert (said["review"], said["status"], status(custody)) == ("unjustified", "lapsed", "lapsed")
    assert [erased[1:] for erased in said["erased"]] == [["public-a", "regulator/r1", -2]]
    assert custody.code("institute-a", "release", **WHICH, envelopes=_envelopes()) == "not_approved"
    (raised,) = said["findings"]
    assert (raised["rule"], raised["subject"], raised["object"]) == ("system:emergency", "regulator", "regulator/r1")
    assert raised["detail"] == "the emergency request regulator/r1 was found unjustified: It could wait"
    assert custody.code("regulator", "supervision.acknowledge", finding=raised["id"]) == "own_case"
    custody.ok("city", "supervision.acknowledge", finding=raised["id"])
    record = finding(custody.chain.executor.reader, raised["id"])
    assert record is not None
    assert record["supervisor"] == "city"
    assert custody.code("regulator", "emergency", **urgent(custody, "r2")) == "barred"
    custody.ok("regulator", "request", **custody.asking("r2"))
    custody.ok("city", "emergency", **urgent(custody, "r3"))
    custody.decide("disclosure_policy", terms={}, quota_bytes=9_000_000)
    assert custody.code("regulator", "emergency", **urgent(custody, "r4")) == "barred"
    custody.decide("disclosure_policy", terms={}, quota_bytes=9_000_000, readmit=["regulator"])
    custody.ok("regulator", "emergency", **urgent(custody, "r4"))


def _envelopes() -> dict[str, Any]:
    return {"name": "e7" * 32, "bytes": 2_000}


def test_a_ballot_readmits_only_who_is_barred(custody: Custody) -> None:
    found = custody.propose("disclosure_policy", terms={}, quota_bytes=9_000, readmit=["regulator"])
    assert found.code == "exists"


@pytest.mark.parametrize(
    ("member", "changed", "code"),
    [
        (OWNER, {}, "conflict"),
        ("regulator", {"basis": "own"}, "invalid_argument"),
        ("regulator", {"basis": "finding", "reference": "f1"}, "wrong_basis"),
        ("regulator", {"reason": ""}, "invalid_argument"),
        ("regulator", {"scope": [{"number": 2, "sequences": [1], "labels": ["price"]}]}, "wrong_scope"),
    ],
)
def test_what_may_be_requested_in_an_emergency(
    custody: Custody, member: str, changed: dict[str, Any], code: str
) -> None:
    assert custody.code(member, "emergency", **{**urgent(custody), **changed}) == code


def test_members_of_other_roles_review_once_and_neither_owner_nor_requester(custody: Custody) -> None:
    custody.ok("regulator", "request", **custody.asking("r2"))
    assert custody.code("enterprise-a", "review", **{**NO, "request": "r2"}) == "wrong_step"
    custody.ok("regulator", "emergency", **urgent(custody))
    assert custody.code("regulator", "review", **YES) == "conflict"
    assert custody.code(OWNER, "review", **NO) == "conflict"
    assert custody.code("city", "review", **YES) == "forbidden"
    assert custody.code("enterprise-a", "review", **{**YES, "request": "none"}) == "unknown_request"
    custody.ok("enterprise-a", "review", **YES)
    assert custody.code("enterprise-a", "review", **YES) == "already_answered"
    custody.ok("institute-a", "review", **YES)
    assert custody.code("public-a", "review", **NO) == "wrong_step"


def test_who_was_to_review_is_overdue_and_may_still_do_so(custody: Custody) -> None:
    custody.ok("regulator", "emergency", **urgent(custody))
    late = custody.wait(15 * DAY_MS)["late"]
    releases = [{**WHICH, "step": "release", "member": member} for member in ("institute-a", "public-a")]
    assert late == [*releases, {**WHICH, "step": "review", "member": ""}]
    custody.wait(30 * DAY_MS)
    assert status(custody) == "expired"
    custody.ok("enterprise-a", "review", **NO)
    said = custody.ok("institute-a", "review", **NO)
    assert (said["review"], said["status"]) == ("unjustified", "expired")
    assert "erased" not in said
    assert custody.chain.get(review_key("regulator", "r1"))["status"] == "unjustified"


def test_a_ballot_changes_the_term_of_a_review(custody: Custody) -> None:
    custody.decide("disclosure_policy", terms={"review": DAY_MS}, quota_bytes=9_000_000)
    custody.ok("regulator", "emergency", **urgent(custody))
    assert custody.wait(DAY_MS)["late"] == [{**WHICH, "step": "review", "member": ""}]
