"""Requests for openings: who may ask for what, who approves, which seats release, and what is not done in time."""

from __future__ import annotations

from typing import Any

import pytest

from coseal.contracts.disclosure.listed import SIDECARS
from coseal.contracts.disclosure.log import Entry, head_after, head_of
from coseal.contracts.disclosure.plans import PLAN
from coseal.contracts.disclosure.requests import request_of
from coseal.contracts.disclosure.state import sidecar_key, usage_key
from coseal.ledger.signing import ZERO_HASH
from tests.support.disclosure import DAY_MS, OWNER, Custody, envelopes

WHICH = {"by": "regulator", "request": "r1"}
CELLS = bytes.fromhex(envelopes("cells 1")["name"])
RETAIN_MS = PLAN.example["retentions"]["loan"]


@pytest.fixture
def custody() -> Custody:
    custody = Custody()
    custody.armed()
    custody.define()
    custody.ok(OWNER, "process.record", **custody.batch())
    return custody


def status(custody: Custody, request: str = "r1") -> str:
    found = request_of(custody.chain.executor.reader, "regulator", request)
    assert found is not None
    return found.status


def may_read(custody: Custody, member: str, name: bytes = CELLS) -> bool:
    return SIDECARS.may_read(custody.chain.executor.reader, name, member)


def test_a_request_is_approved_released_and_opened_step_by_step_on_record(custody: Custody) -> None:
    asked = custody.ok("city", "request", **custody.asking())
    assert (asked["by"], asked["status"]) == ("city", "asked")
    assert asked["object_ms"] == custody.chain.executor.time_ms + 2 * DAY_MS
    which = {"by": "city", "request": "r1"}
    custody.wait(2 * DAY_MS)
    assert custody.ok("regulator", "approve", **which, reason="Yes")["as"] == "supervisors"
    assert not may_read(custody, "city")
    assert custody.code("institute-a", "release", **which, envelopes=envelopes("x")) == "not_approved"
    said = custody.ok("public-a", "approve", **which, reason="Yes")
    assert (said["as"], said["status"]) == ("others", "approved")
    assert may_read(custody, "city")
    assert not may_read(custody, "central-bank")
    first = custody.release("institute-a", by="city")
    assert (first["status"], first["seat"]) == ("approved", 0)
    assert list(SIDECARS.changed("disclosure.release", first)) == [bytes.fromhex(first["envelopes"])]
    assert [may_read(custody, one, bytes.fromhex(first["envelopes"])) for one in ("city", "institute-a", OWNER)] == [
        *(True, True, False)
    ]
    assert custody.release("public-a", by="city")["status"] == "released"
    assert custody.release("regulator", by="city")["status"] == "released"
    assert custody.chain.get(usage_key("public-a")) == 2_000
    fault = {"kind": "part", "member": "public-a", "evidence": "ab" * 32}
    done = custody.ok("city", "opened", request="r1", opened=1, failed=0, faults=[fault])
    assert done["status"] == "opened"
    assert [erased[1:] for erased in done["erased"]] == [
        [member, "city/r1", -2] for member in ("institute-a", "public-a", "regulator")
    ]
    assert custody.chain.get(usage_key("public-a")) is None
    assert not may_read(custody, "city")
    steps = [entry[2] for entry in done["log"]]
    assert steps == ["opened", "fault"]
    assert custody.code("city", "opened", request="r1", opened=1, failed=0, faults=[]) == "wrong_step"


def test_the_log_of_the_owner_has_each_step_in_its_chain(custody: Custody) -> None:
    count, head = head_of(custody.chain.executor.reader, OWNER)
    entries = []
    for member, action, args in (
        ("regulator", "request", custody.asking()),
        (OWNER, "object", {**WHICH, "reason": "Ten would do"}),
        ("regulator", "answer", {"request": "r1", "reason": "All are meant"}),
        ("city", "refuse", {**WHICH, "reason": "One would do"}),
        ("institute-a", "approve", {**WHICH, "reason": "It fits"}),
    ):
        (entry,) = custody.ok(member, action, **args)["log"]
        entries.append(Entry(*entry))
        head = head_after(head, entries[-1], custody.chain.executor.height)
    assert [entry.step for entry in entries] == ["requested", "objected", "answered", "disapproved", "approved"]
    assert [entry.subject for entry in entries][2:4] == ["regulator/r1", "regulator/r1 city/admin"]
    assert head_of(custody.chain.executor.reader, OWNER) == (count + 5, head)
    assert head != ZERO_HASH


@pytest.mark.parametrize(
    ("member", "changed", "code"),
    [
        (OWNER, {}, "conflict"),
        ("regulator", {"basis": "own"}, "forbidden"),
        ("regulator", {"basis": "finding", "reference": "f1"}, "wrong_basis"),
        ("regulator", {"vault": "none"}, "unknown_vault"),
        ("regulator", {"expires_ms": 1}, "wrong_end"),
        ("regulator", {"scope": [{"number": 2, "sequences": [1], "labels": ["price"]}]}, "wrong_scope"),
        ("regulator", {"scope": [{"number": 1, "sequences": [3], "labels": ["price"]}]}, "wrong_scope"),
        ("regulator", {"scope": [{"number": 1, "sequences": [1], "labels": ["price"]}] * 2}, "wrong_scope"),
        (
            "regulator",
            {"scope": [{"number": 1, "sequences": list(range(1, 1_001)), "labels": ["price", "sealed"]}]},
            "wrong_scope",
        ),
    ],
)
def test_what_may_be_requested(custody: Custody, member: str, changed: dict[str, Any], code: str) -> None:
    assert custody.code(member, "request", **custody.asking(**changed)) == code


def test_an_id_is_used_once_and_a_sidecar_named_by_sixteen_open_requests(custody: Custody) -> None:
    custody.ok("regulator", "request", **custody.asking())
    assert custody.code("regulator", "request", **custody.asking()) == "exists"
    for number in range(2, 17):
        custody.ok("regulator", "request", **custody.asking(f"r{number}"))
    assert custody.code("regulator", "request", **custody.asking("r17")) == "limit"


def test_approvals_count_after_the_time_to_object_or_the_answer(custody: Custody) -> None:
    custody.ok("regulator", "request", **custody.asking())
    assert custody.code("city", "approve", **WHICH, reason="Yes") == "too_early"
    assert custody.code("city", "object", **WHICH, reason="No") == "forbidden"
    custody.ok(OWNER, "object", **WHICH, reason="No")
    assert custody.code(OWNER, "object", **WHICH, reason="No") == "wrong_step"
    assert custody.code("city", "approve", **WHICH, reason="Yes") == "too_early"
    custody.ok("regulator", "answer", request="r1", reason="Yes")
    assert custody.code("regulator", "answer", request="r1", reason="Yes") == "wrong_step"
    assert custody.ok("city", "approve", **WHICH, reason="Yes")["status"] == "asked"
    custody.ok("regulator", "request", **custody.asking("r2"))
    custody.wait(2 * DAY_MS)
    assert custody.code(OWNER, "object", by="regulator", request="r2", reason="No") == "too_late"


def test_neither_owner_nor_requester_approves_and_members_answer_once(custody: Custody) -> None:
    custody.ok("regulator", "request", **custody.asking())
    custody.wait(2 * DAY_MS)
    assert custody.code(OWNER, "approve", **WHICH, reason="Yes") == "conflict"
    assert custody.code("regulator", "approve", **WHICH, reason="Yes") == "conflict"
    assert custody.code("city", "approve", by="city", request="r1", reason="Yes") == "unknown_request"
    custody.ok("city", "approve", **WHICH, reason="Yes")
    assert custody.code("city", "approve", **WHICH, reason="Yes") == "already_answered"
    assert custody.ok("central-bank", "refuse", **WHICH, reason="No")["as"] == "against"
    assert custody.code("central-bank", "approve", **WHICH, reason="Yes") == "already_answered"
    assert custody.ok("enterprise-a", "approve", **WHICH, reason="Yes")["status"] == "approved"
    assert custody.code("public-a", "approve", **WHICH, reason="Yes") == "wrong_step"


def test_a_ballot_says_who_approves(custody: Custody) -> None:
    custody.decide(
        "disclosure_policy", terms={}, quota_bytes=9_000, approvals={"order": {"supervisors": 0, "others": 2}}
    )
    custody.ok("regulator", "request", **custody.asking())
    custody.wait(2 * DAY_MS)
    for member, found in (("city", "asked"), ("central-bank", "asked"), ("public-a", "approved")):
        assert custody.ok(member, "approve", **WHICH, reason="Yes")["status"] == found


def test_an_owner_requests_its_own_data(custody: Custody) -> None:
    custody.ok(OWNER, "request", **custody.asking(basis="own"))
    own = {"by": OWNER, "request": "r1"}
    assert custody.code(OWNER, "object", **own, reason="No") == "too_late"
    assert custody.ok("enterprise-a", "approve", **own, reason="Yes")["status"] == "approved"


def test_only_seats_of_others_release_and_each_once(custody: Custody) -> None:
    custody.approved()
    given = {**WHICH, "envelopes": envelopes("given", 2_000)}
    assert custody.code("regulator", "release", **given) == "conflict"
    assert custody.code("city", "release", **given) == "no_seat"
    custody.release("public-a")
    assert custody.code("public-a", "release", **given) == "already_answered"
    assert custody.code("institute-a", "release", **WHICH, envelopes=envelopes("cells 1", 900)) == "already_sealed"
    said = custody.ok("institute-a", "decline", **WHICH, reason="technical", text="The keys are lost")
    assert said["log"][0][4] == "regulator/r1 institute-a technical"
    assert custody.code("regulator", "opened", request="r1", opened=0, failed=0, faults=[]) == "wrong_step"
    assert status(custody) == "approved"


def test_a_fault_is_of_a_seat_that_released_or_of_the_owner(custody: Custody) -> None:
    custody.approved()
    custody.release("public-a")
    custody.release("institute-a")
    for kind, member in (("part", OWNER), ("check", "public-a"), ("part", "regulator")):
        fault = {"kind": kind, "member": member, "evidence": "ab" * 32}
        assert custody.code("regulator", "opened", request="r1", opened=0, failed=1, faults=[fault]) == "wrong_fault"


def test_what_is_not_approved_lapses_and_says_who_was_late(custody: Custody) -> None:
    custody.ok("regulator", "request", **custody.asking())
    custody.ok("regulator", "request", **custody.asking("r2"))
    custody.ok(OWNER, "object", by="regulator", request="r2", reason="No")
    began = custody.wait(12 * DAY_MS)
    named = {"by": "regulator"}
    assert began["late"] == [
        {**named, "request": "r1", "step": "approve", "member": ""},
        {**named, "request": "r2", "step": "answer", "member": "regulator"},
    ]
    assert [(one["request"], one["status"]) for one in began["ended"]] == [("r1", "lapsed"), ("r2", "lapsed")]
    assert [entry[2] for entry in began["log"]] == ["overdue", "lapsed"] * 2
    assert custody.code("city", "approve", **WHICH, reason="Yes") == "wrong_step"


def test_seats_and_the_requester_are_overdue_each_in_its_term(custody: Custody) -> None:
    custody.approved()
    custody.ok("public-a", "decline", **WHICH, reason="basis", text="No order is attached")
    late = custody.wait(5 * DAY_MS)["late"]
    assert late == [{**WHICH, "step": "release", "member": "institute-a"}]
    custody.release("institute-a")
    assert status(custody) == "approved"
    custody.approved("r2")
    custody.release("institute-a", "r2")
    custody.release("public-a", "r2")
    assert custody.wait(10 * DAY_MS)["late"] == [
        {"by": "regulator", "request": "r2", "step": "open", "member": "regulator"}
    ]
    ended = custody.wait(30 * DAY_MS)
    assert {(one["request"], one["status"]) for one in ended["ended"]} == {("r1", "expired"), ("r2", "expired")}
    assert len(ended["erased"]) == 3


def test_erasure_waits_for_an_open_request_and_no_longer_than_ninety_days(custody: Custody) -> None:
    custody.wait(RETAIN_MS - 10 * DAY_MS)
    custody.ok("regulator", "request", **custody.asking())
    assert "erased" not in custody.wait(10 * DAY_MS)
    assert custody.code("regulator", "request", **custody.asking("r2")) == "erased"
    assert custody.chain.get(sidecar_key(OWNER, "loans", 1))["requests"] == [["regulator", "r1"]]
    custody.wait(2 * DAY_MS)  # not approved in its term: it lapses
    assert status(custody) == "lapsed"
    assert custody.chain.get(sidecar_key(OWNER, "loans", 1)) is None
    assert custody.code("regulator", "request", **custody.asking("r2")) == "erased"


def test_the_last_day_of_the_wait_ends_it(custody: Custody) -> None:
    custody.wait(RETAIN_MS - DAY_MS)
    custody.ok("regulator", "request", **custody.asking())
    began = custody.wait(91 * DAY_MS)
    assert began["erased"] == [[CELLS.hex(), OWNER, "loans", 1]]
