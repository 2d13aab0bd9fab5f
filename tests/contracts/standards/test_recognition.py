"""Recognition follows use or a ballot; disputes are answered in time and settled by ballot."""

from __future__ import annotations

import pytest

from coseal.contracts.block_events import BEGIN, block_events
from tests.support.standards import DAY_MS, competing

NAMED = {"standard": "s", "version": 1}
RECOGNITION = {**NAMED, "level": "recommended", "instrument": "cn/1"}
LOANS = (("bank-a", "loans"), ("central-bank", "loans"), ("enterprise-a", "loans"))


@pytest.fixture
def scene(chain):
    found = competing(chain)
    found.propose("s", "loans")
    dated = {"type_document": "notice", "date_document": "2021-09-15"}
    found.ok("regulator", "policy.publish", id="cn/1", title="Notice", **dated)
    return found


def use(scene):
    for member, _ in LOANS:
        scene.ok(member, "adopt", **NAMED)
    scene.close()
    scene.periods(*LOANS)
    assert scene.status("s") == "de_facto"


def test_government_recognises_what_is_de_facto_and_nothing_else(scene):
    assert scene.code("bank-a", "recognise", **RECOGNITION) == "forbidden"
    assert scene.code("regulator", "recognise", **RECOGNITION) == "not_de_facto"
    use(scene)
    assert scene.code("regulator", "recognise", **{**RECOGNITION, "instrument": "cn/2"}) == "unknown_policy"
    assert scene.ok("central-bank", "recognise", **RECOGNITION)["member"] == "central-bank"
    assert scene.code("regulator", "recognise", **RECOGNITION) == "already_recognised"
    assert scene.code("regulator", "withdraw_recognition", **NAMED, reason="No") == "not_recognised"
    scene.close()
    assert scene.status("s") == "in_use"
    assert scene.standard("s")["recognition"]["level"] == "recommended"  # stays, shown beside the status
    scene.ok("central-bank", "withdraw_recognition", **NAMED, reason="Out of use")
    assert "recognition" not in scene.standard("s")
    assert scene.code("central-bank", "recognise", **RECOGNITION) == "not_de_facto"


def test_a_ballot_approves_recognition_before_use_and_once(scene):
    outcome = scene.decide("recognise_standard", **NAMED)["outcome"]
    assert outcome == NAMED
    args = {"id": "again", "kind": "recognise_standard", "subject": NAMED}
    assert scene.code("regulator", "governance.propose", **args) == "already_recognised"
    assert scene.ok("regulator", "recognise", **RECOGNITION)["status"] == "proposed"
    scene.ok("regulator", "withdraw_recognition", **NAMED, reason="Too early")
    assert scene.code("regulator", "recognise", **RECOGNITION) == "not_de_facto"
    none = {"id": "none", "kind": "recognise_standard", "subject": {"standard": "none", "version": 1}}
    assert scene.code("regulator", "governance.propose", **none) == "unknown_standard"


def test_recognition_changes_nobodys_adoption(scene):
    use(scene)
    before = {member: scene.adoption("s", member) for member in ("bank-a", "city", "regulator")}
    scene.ok("regulator", "recognise", **RECOGNITION)
    assert {member: scene.adoption("s", member) for member in before} == before


# Disputes

DISPUTE = {**NAMED, "ground": "ambiguity", "text": "Is a renewal a loan?"}


def test_who_uses_a_standard_disputes_it_once_at_a_time(scene):
    assert scene.code("central-bank", "dispute", **DISPUTE) == "not_party"
    scene.ok("central-bank", "try", **NAMED)
    assert scene.ok("central-bank", "dispute", **DISPUTE)["number"] == 1
    assert scene.code("central-bank", "dispute", **DISPUTE) == "limit"
    assert scene.code("city", "answer", **NAMED, member="central-bank", text="No") == "not_owner"
    assert scene.code("bank-a", "answer", **NAMED, member="city", text="No") == "unknown_dispute"
    assert scene.ok("bank-a", "answer", **NAMED, member="central-bank", text="It is")["late"] is False
    assert scene.code("bank-a", "answer", **NAMED, member="central-bank", text="It is") == "unknown_dispute"
    assert scene.code("central-bank", "dispute", **DISPUTE) == "limit"  # until it is settled
    scene.decide("settle_dispute", dispute={**NAMED, "member": "central-bank", "outcome": "dismissed"})
    assert scene.ok("central-bank", "dispute", **DISPUTE)["number"] == 2


def test_what_is_not_answered_in_30_days_is_overdue_and_may_still_be_answered(scene):
    scene.ok("central-bank", "try", **NAMED)
    scene.ok("central-bank", "dispute", **DISPUTE)
    named = {**NAMED, "member": "central-bank", "number": 1}
    assert scene.wait(30 * DAY_MS)["overdue"] == [named]
    assert scene.ok("bank-a", "answer", **NAMED, member="central-bank", text="It is")["late"] is True


def test_an_answer_in_time_leaves_nothing_overdue(scene):
    scene.ok("central-bank", "try", **NAMED)
    scene.ok("central-bank", "dispute", **DISPUTE)
    scene.ok("bank-a", "answer", **NAMED, member="central-bank", text="It is")
    assert "overdue" not in scene.wait(30 * DAY_MS)


def test_a_dispute_that_is_upheld_may_end_the_standard(scene):
    scene.ok("central-bank", "adopt", **NAMED)
    scene.ok("central-bank", "dispute", **DISPUTE)
    upheld = {**NAMED, "member": "central-bank", "outcome": "upheld", "notice_ms": 30 * DAY_MS}
    for subject in ({}, {"dispute": {**upheld, "outcome": "dismissed"}}):
        args = {"id": "wrong", "kind": "settle_dispute", "subject": subject}
        assert scene.code("regulator", "governance.propose", **args) == "invalid_argument"
    args = {"id": "none", "kind": "settle_dispute", "subject": {"dispute": {**upheld, "member": "city"}}}
    assert scene.code("regulator", "governance.propose", **args) == "unknown_dispute"
    scene.decide("settle_dispute", dispute=upheld)
    decided_ms = scene.chain.executor.time_ms
    (settled,) = scene.wait(1_000)["settled"]
    assert settled["sunset_ms"] == scene.standard("s")["sunset_ms"] == decided_ms + 30 * DAY_MS
    assert scene.wait(30 * DAY_MS)["ended"][0]["members"] == ["central-bank"]
    assert scene.code("central-bank", "dispute", **DISPUTE) == "not_open"


def test_a_ballot_moves_a_process_type_with_its_standard(scene):
    scene.ok("central-bank", "adopt", **NAMED)
    scene.record("central-bank", "loans", 3)
    moved = {"process_type": "loans", "domain": "credit"}
    unknown = {"id": "none", "kind": "settle_dispute", "subject": {"classify": {**moved, "process_type": "none"}}}
    assert scene.code("regulator", "governance.propose", **unknown) == "unknown_type"
    scene.decide("settle_dispute", classify=moved)
    again = {"id": "again", "kind": "settle_dispute", "subject": {"classify": moved}}
    assert scene.code("regulator", "governance.propose", **again) == "classified"
    assert scene.domain("lending")["standards"] == []
    assert scene.domain("credit")["standards"] == [["s", 1]]
    assert scene.chain.get("standards/head/s")["domain"] == "credit"
    scene.record("central-bank", "loans", 4)
    assert scene.chain.get("standards/items/lending/central-bank")[0][1] == 3
    assert scene.chain.get("standards/items/credit/central-bank")[0][1] == 4
    assert scene.close()["reviews"][0]["standard"] == "s"


def test_a_ballot_classifies_a_process_type_that_is_no_standard(scene):
    scene.decide("settle_dispute", classify={"process_type": "credits", "domain": "lending"})
    scene.record("city", "credits", 4)
    assert scene.chain.get("standards/items/lending/city")[0][1] == 4


def test_what_becomes_of_a_standard_is_an_event(scene):
    use(scene)
    scene.ok("central-bank", "recognise", **RECOGNITION)
    scene.ok("central-bank", "withdraw_recognition", **NAMED, reason="Out of use")
    scene.close()
    said = []
    for committed in scene.chain.blocks:
        for event in block_events(committed, (committed.block.header.height, BEGIN, 0)):
            if event.kind == "standard":
                said.append((event.data["id"], event.data["by"], event.data["status"], event.data.get("before")))
    assert [one for one in said if one[0] == "s"] == [
        ("s", "propose", "proposed", None),
        ("s", "review", "de_facto", "in_use"),
        ("s", "recognise", "de_facto", None),
        ("s", "withdraw_recognition", "de_facto", None),
        ("s", "review", "in_use", "de_facto"),
    ]
