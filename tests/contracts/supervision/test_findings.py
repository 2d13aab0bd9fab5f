"""The life of a finding: every step with the right and the wrong role, in and out of time."""

from __future__ import annotations

import pytest

from coseal.contracts.kernel.dates import DAY_MS
from coseal.contracts.registry import CONTRACTS
from coseal.contracts.supervision.findings import CASE_ACTS, OPEN_CASE, finding, statistics
from coseal.contracts.supervision.terms import TERMS, times
from tests.support.genesis import PRESENCE_MS

EVIDENCE = ["ab" * 32]
LIFE = (
    ("regulator", "acknowledge", {}, "acknowledged", "supervisor"),
    ("regulator", "inquire", {"question": "Why?"}, "inquiry", "subject"),
    ("bank-a", "respond", {"response": "So.", "evidence": EVIDENCE}, "response", "supervisor"),
    ("regulator", "decide", {"outcome": "sanctioned", "reason": "No.", "measure": "A fine"}, "sanctioned", "subject"),
    ("bank-a", "appeal", {"reason": "Unfair"}, "appeal", "supervisor"),
    ("city", "decide_appeal", {"outcome": "upheld", "reason": "Fair"}, "closed", None),
)


@pytest.fixture
def case(court):
    court.adopt(court.rule("R-ONCE", **court.ONCE))
    return court, court.finding()


def follow(court, finding_id, count):
    """Take the first ``count`` steps of a life."""
    for sender, action, args, *_ in LIFE[:count]:
        receipt = court.act(sender, action, finding=finding_id, **args)
        assert receipt.ok, receipt
    return receipt if count else None


def test_every_act_by_which_a_person_opens_a_finding_raises_one_for_rows_and_streams():
    acts = {f"{name}.{OPEN_CASE}" for name, contract in CONTRACTS.items() if OPEN_CASE in contract.actions}
    assert acts == set(CASE_ACTS)


def test_a_whole_life_with_hearing_and_appeal(case):
    court, finding_id = case
    for sender, action, args, status, side in LIFE:
        receipt = court.act(sender, action, finding=finding_id, **args)
        assert receipt.ok, receipt
        assert (receipt.data["status"], receipt.data["side"]) == (status, side)
        assert receipt.data["took_ms"] == 1_000
        expected = None if side is None else court.chain.executor.time_ms + TERMS[receipt.data["step"]]
        assert receipt.data["deadline_ms"] == expected
    record = finding(court.chain.executor.reader, finding_id)
    assert [step[0] for step in record["steps"]] == [
        *("acknowledge", "inquire", "respond", "sanctioned", "appeal", "upheld"),
    ]
    assert record["steps"][2][1:4:2] == ["bank-a/admin", record["time_ms"] + 3_000]
    assert record["steps"][2][5] == EVIDENCE
    assert record["outcome"] == "sanctioned"
    assert record["overdue"] == []
    assert statistics(court.chain.executor.reader, "loans", "R-ONCE")["sanctioned"] == 1


@pytest.mark.parametrize("index", range(len(LIFE)))
def test_every_step_is_refused_to_who_has_not_the_role(case, index):
    court, finding_id = case
    follow(court, finding_id, index)
    right, action, args, *_ = LIFE[index]
    before = court.get(f"finding/{finding_id}")
    for sender in ("bank-a", "regulator", "city", "enterprise-a", "institute-a", "public-a"):
        if sender == right or (sender == "city" and action == "acknowledge"):
            continue
        receipt = court.act(sender, action, finding=finding_id, **args)
        assert receipt.code in ("forbidden", "own_case", "other_supervisor", "same_person"), (sender, action, receipt)
        assert court.get(f"finding/{finding_id}") == before
    assert court.act(right, action, finding=finding_id, **args).ok


@pytest.mark.parametrize("index", range(len(LIFE)))
def test_no_step_can_be_skipped_or_taken_twice(case, index):
    court, finding_id = case
    follow(court, finding_id, index)
    for other, (sender, action, args, *_) in enumerate(LIFE):
        if other != index and (index, action) != (3, "inquire"):  # to ask again is fine
            receipt = court.act(sender, action, finding=finding_id, **args)
            assert receipt.code in ("wrong_step", "hearing_first"), (action, receipt)


def test_only_the_supervisor_of_a_finding_goes_on_with_it(case):
    court, finding_id = case
    follow(court, finding_id, 1)
    assert court.act("city", "inquire", finding=finding_id, question="Why?").code == "other_supervisor"


def test_an_operator_without_the_capability_does_not_supervise(case, signer_of):
    court, finding_id = case
    key = signer_of("regulator/clerk").public_key.hex()
    court.chain.submit("regulator/admin", "membership.add_operator", user="clerk", key=key, capabilities=["submit"])
    assert court.act("regulator/clerk", "acknowledge", finding=finding_id).code == "forbidden"


def test_a_member_does_not_supervise_itself(court):
    court.register("regulator", "own")
    court.adopt(court.rule("R-ONCE", **court.ONCE))
    receipt = court.record(court.event("pay"), court.event("pay", event="again"), source="regulator/own")
    finding_id = receipt.data["findings"][0]["id"]
    assert court.act("regulator", "acknowledge", finding=finding_id).code == "own_case"
    assert court.act("city", "acknowledge", finding=finding_id).ok


def test_only_a_dismissal_comes_without_a_hearing(case):
    court, finding_id = case
    follow(court, finding_id, 1)
    for args in ({"outcome": "rectified"}, {"outcome": "sanctioned", "measure": "A fine"}):
        assert court.act("regulator", "decide", finding=finding_id, reason="Clear", **args).code == "hearing_first"
    receipt = court.act("regulator", "decide", finding=finding_id, outcome="dismissed", reason="A typing error")
    assert (receipt.data["status"], receipt.data["outcome"]) == ("closed", "dismissed")
    assert court.wait(400 * DAY_MS) == {}


def test_a_sanction_says_what_it_is(case):
    court, finding_id = case
    follow(court, finding_id, 3)
    refused = court.act("regulator", "decide", finding=finding_id, outcome="sanctioned", reason="No")
    assert (refused.code, "measure" in refused.detail) == ("invalid_argument", True)


def test_the_supervisor_may_ask_again_and_leaves_the_subject_its_time(case):
    court, finding_id = case
    follow(court, finding_id, 1)
    hurried = court.act("regulator", "inquire", finding=finding_id, question="Why?", within_ms=TERMS["respond"] - 1)
    assert hurried.code == "invalid_argument"
    longer = court.act("regulator", "inquire", finding=finding_id, question="Why?", within_ms=TERMS["respond"] + 1)
    assert longer.data["deadline_ms"] == court.chain.executor.time_ms + TERMS["respond"] + 1
    assert court.act("bank-a", "respond", finding=finding_id, response="So.").ok
    assert court.act("regulator", "inquire", finding=finding_id, question="And?").data["status"] == "inquiry"


def test_an_appeal_is_decided_by_another_operator(case, signer_of):
    court, finding_id = case
    follow(court, finding_id, 5)
    args = {"finding": finding_id, "outcome": "overturned", "reason": "Right"}
    assert court.act("regulator", "decide_appeal", **args).code == "same_person"
    key = signer_of("regulator/judge").public_key.hex()
    court.chain.submit(
        "regulator/admin", "membership.add_operator", user="judge", key=key, capabilities=["submit", "supervise"]
    )
    receipt = court.act("regulator/judge", "decide_appeal", **args)
    assert (receipt.data["status"], receipt.data["outcome"]) == ("closed", "overturned")
    assert statistics(court.chain.executor.reader, "loans", "R-ONCE")["overturned"] == 1


@pytest.mark.parametrize("outcome", ["rectified", "sanctioned"])
def test_a_decision_without_appeal_closes_by_itself(case, outcome):
    court, finding_id = case
    follow(court, finding_id, 3)
    court.act("regulator", "decide", finding=finding_id, outcome=outcome, reason="So", measure="A fine")
    assert court.wait(TERMS["appeal"] - 1) == {}
    assert court.wait(1) == {"closed": [{"id": finding_id, "outcome": outcome}]}
    assert court.act("bank-a", "appeal", finding=finding_id, reason="Late").code == "wrong_step"
    assert court.get(f"finding/{finding_id}")["overdue"] == []


def test_nothing_is_known_of_an_unknown_finding(court):
    for sender, action, args, *_ in LIFE:
        assert court.act(sender, action, finding="F9", **args).code == "unknown_finding"


# A supervisor that may not act


def suspend(court, member):
    """Suspend a member for ten days by the founding rule: three of the other members that run validators."""
    until_ms = court.chain.now_ms + 10 * DAY_MS
    grounds = [{"kind": "external", "id": "x"}]
    subject = {"member": member, "until_ms": until_ms, "seats": False, "grounds": grounds}
    court.chain.submit("public-a/admin", "governance.propose", id="out", kind="suspend_member", subject=subject)
    for voter in ("bank-a", "central-bank", "enterprise-a"):
        receipt = court.chain.submit(f"{voter}/admin", "governance.vote", ballot="out", choice="yes")
    assert receipt.data["status"] == "accepted", receipt
    return until_ms


def test_another_supervisor_takes_over_from_one_that_is_suspended_before_anything_is_overdue(case):
    court, finding_id = case
    follow(court, finding_id, 1)
    question = {"finding": finding_id, "question": "Why?"}
    assert court.act("city", "inquire", **question).code == "other_supervisor"
    until_ms = suspend(court, "regulator")
    assert court.act("regulator", "inquire", **question).code == "suspended"
    assert court.get(f"finding/{finding_id}")["overdue"] == []
    taken = court.act("city", "inquire", **question)
    assert taken.data["supervisor"] == "city"
    court.act("bank-a", "respond", finding=finding_id, response="So.")
    court.chain.block(time_ms=until_ms)
    refused = court.act("regulator", "decide", finding=finding_id, outcome="dismissed", reason="x")
    assert refused.code == "other_supervisor"  # it lost the case, though it may act again


# Deadlines, of both sides

DUTIES = [(index, LIFE[index][1], LIFE[index - 1][4] if index else "supervisor") for index in (0, 1, 2, 3, 5)]


@pytest.mark.parametrize(("index", "step", "side"), DUTIES)
def test_a_step_that_does_not_come_in_time_is_a_fact_and_counted(case, index, step, side):
    court, finding_id = case
    follow(court, finding_id, index)
    began_ms = court.chain.executor.time_ms
    member = "" if index == 0 else "bank-a" if side == "subject" else "regulator"
    assert court.wait(TERMS[step] - 1) == {}
    begun = court.wait(1)
    fact = {
        "what": "finding",
        "id": finding_id,
        "step": step,
        "side": side,
        "member": member,
        "deadline_ms": began_ms + TERMS[step],
        "escalation": 1,
    }
    assert begun == {"overdue": [fact]}
    height = court.chain.executor.height
    assert court.get(f"finding/{finding_id}")["overdue"] == [[step, side, began_ms + TERMS[step], height]]
    assert times(court.chain.executor.reader, step)["overdue"] == 1
    assert times(court.chain.executor.reader, step, member or "nobody")["overdue"] == (1 if member else 0)
    # the same time runs again, three times in all
    assert court.wait(TERMS[step])["overdue"][0]["escalation"] == 2
    assert court.wait(TERMS[step])["overdue"][0]["escalation"] == 3
    assert court.wait(2 * TERMS[step]) == {}
    assert court.chain.executor.next_deadline_ms() == PRESENCE_MS
    sender, action, args, *_ = LIFE[index]
    assert court.act(sender, action, finding=finding_id, **args).ok


def test_a_subject_that_stays_silent_is_decided_about(case):
    court, finding_id = case
    follow(court, finding_id, 2)
    decision = {"finding": finding_id, "outcome": "sanctioned", "reason": "No answer", "measure": "A fine"}
    assert court.act("regulator", "decide", **decision).code == "hearing_first"
    court.wait(TERMS["respond"])
    assert court.act("regulator", "decide", **decision).data["status"] == "sanctioned"


def test_another_government_member_takes_over_from_a_supervisor_that_is_overdue(case):
    court, finding_id = case
    follow(court, finding_id, 1)
    court.wait(TERMS["inquire"])
    receipt = court.act("city", "inquire", finding=finding_id, question="Why?")
    assert receipt.data["supervisor"] == "city"


def test_the_times_of_both_sides_are_counted(case):
    court, finding_id = case
    court.wait(5_000)
    court.act("regulator", "acknowledge", finding=finding_id)
    court.act("regulator", "inquire", finding=finding_id, question="Why?")
    court.wait(60_000)
    court.act("bank-a", "respond", finding=finding_id, response="So.")
    reader = court.chain.executor.reader
    assert times(reader, "acknowledge") == {
        "side": "supervisor",
        "done": 1,
        "total_ms": 6_000,
        "max_ms": 6_000,
        "overdue": 0,
    }
    assert times(reader, "acknowledge", "regulator") == times(reader, "acknowledge")
    answered = times(reader, "respond", "bank-a")
    assert (answered["side"], answered["done"], answered["total_ms"]) == ("subject", 1, 61_000)


def test_a_notice_has_no_life(court):
    court.adopt(court.rule("R-NOTE", effect="notify", **court.ONCE))
    finding_id = court.finding()
    record = court.get(f"finding/{finding_id}")
    assert (record["status"], record["deadline_ms"]) == ("notified", None)
    assert court.act("regulator", "acknowledge", finding=finding_id).code == "wrong_step"
    assert court.chain.executor.next_deadline_ms() > court.chain.executor.time_ms + DAY_MS


def test_terms_are_changed_by_ballot_for_steps_that_begin_later(case):
    court, finding_id = case
    proposed = court.act("regulator", "propose_terms", terms={"acknowledge": 5_000, "respond": 7_000}, reason="Quick")
    decided = court.vote(proposed.data["ballot"])
    assert decided.data["effects"] == [{"terms": {"acknowledge": 5_000, "respond": 7_000}}]
    assert court.get(f"finding/{finding_id}")["deadline_ms"] > court.chain.executor.time_ms + DAY_MS
    second = court.finding()
    assert court.get(f"finding/{second}")["deadline_ms"] == court.chain.executor.time_ms + 5_000
