from __future__ import annotations

import pytest

from coseal.contracts.kernel.dates import DAY_MS
from coseal.contracts.supervision.holds import held
from coseal.contracts.supervision.terms import TERMS, times

HOLD = {"template": "absence", "a": "pay", "n": 2, "effect": "hold", "hold_ms": 10 * DAY_MS}


@pytest.fixture
def case(court):
    """A case held by finding F1."""
    court.adopt(court.rule("R-HOLD", **HOLD))
    receipt = court.record(court.event("pay"), court.event("pay", event="again"))
    return court, receipt


def is_held(court, case="c1"):
    return held(court.chain.executor.reader, "loans", "case", case) is not None


def test_a_rule_puts_its_object_on_hold_for_a_time(case):
    court, receipt = case
    until_ms = court.chain.executor.time_ms + 10 * DAY_MS
    view = {
        "process_type": "loans",
        "object_type": "case",
        "object": "c1",
        "finding": "F1",
        "amount": None,
        "until_ms": until_ms,
        "status": "held",
    }
    assert receipt.data["holds"] == [view]
    assert is_held(court)
    court.act("regulator", "acknowledge", finding="F1")
    court.act("regulator", "inquire", finding="F1", question="Why?")
    assert "holds" not in court.wait(until_ms - 1 - court.chain.executor.time_ms)
    assert court.wait(1)["holds"] == [{**view, "status": "expired"}]
    assert not is_held(court)


def test_what_happens_under_a_hold_is_recorded_and_found(case):
    court, _ = case
    receipt = court.record(court.event("apply"), court.event("apply", "c2"))
    (found,) = receipt.data["findings"]
    assert (found["rule"], found["object"], "F1" in found["detail"]) == ("system:hold", "c1", True)
    court.act("regulator", "lift_hold", finding="F1", reason="Explained")
    assert "findings" not in court.record(court.event("apply")).data


def test_a_hold_may_be_on_an_amount_only(court):
    court.adopt(court.rule("R-ONCE", **court.ONCE))
    args = {"finding": court.finding(), "reason": "Risk", "hold_ms": 5_000}
    for wrong in (0, -1, True, "5", 2**62 + 1):
        assert court.act("regulator", "hold", **args, amount=wrong).code == "invalid_argument"
    assert court.act("regulator", "hold", **args, amount=2**62).data["amount"] == 2**62
    place = [court.get(f"finding/{args['finding']}")[name] for name in ("object_type", "object")]
    assert held(court.chain.executor.reader, "loans", *place)["amount"] == 2**62
    (ended,) = court.wait(5_000)["holds"]
    assert (ended["status"], ended["amount"]) == ("expired", 2**62)
    assert court.act("regulator", "hold", **args).data["amount"] is None


def test_the_supervisor_holds_and_lifts(court):
    court.adopt(court.rule("R-ONCE", **court.ONCE))
    finding_id = court.finding()
    args = {"finding": finding_id, "reason": "Risk", "hold_ms": 5_000}
    for sender in ("bank-a", "enterprise-a"):
        assert court.act(sender, "hold", **args).code == "forbidden"
    assert court.act("regulator", "acknowledge", finding=finding_id).ok
    assert court.act("city", "hold", **args).code == "other_supervisor"
    assert court.act("regulator", "hold", **args).data["status"] == "held"
    assert court.act("regulator", "hold", **args).code == "exists_hold"
    assert court.act("bank-a", "lift_hold", finding=finding_id, reason="Please").code == "forbidden"
    assert court.act("city", "lift_hold", finding=finding_id, reason="So").code == "other_supervisor"
    assert court.act("regulator", "lift_hold", finding=finding_id, reason="So").data["status"] == "lifted"
    assert court.act("regulator", "lift_hold", finding=finding_id, reason="So").code == "unknown_hold"
    assert court.act("regulator", "hold", **args).data["status"] == "held"
    assert court.act("regulator", "hold", **{**args, "finding": "F99"}).code == "unknown_finding"


def test_a_dismissed_finding_holds_nothing(case):
    court, _ = case
    court.act("regulator", "acknowledge", finding="F1")
    receipt = court.act("regulator", "decide", finding="F1", outcome="dismissed", reason="An error")
    assert [hold["status"] for hold in receipt.data["holds"]] == ["lifted"]
    assert not is_held(court)
    held_again = court.act("regulator", "hold", finding="F1", reason="No", hold_ms=5_000)
    assert held_again.code == "wrong_step"


def test_only_the_subject_contests_and_once(case):
    court, _ = case
    contest = {"finding": "F1", "reason": "The goods perish"}
    assert court.act("enterprise-a", "contest_hold", **contest).code == "forbidden"
    receipt = court.act("bank-a", "contest_hold", **contest)
    assert receipt.data["deadline_ms"] == court.chain.executor.time_ms + TERMS["contest"]
    assert court.act("bank-a", "contest_hold", **contest).code == "wrong_step"


def test_a_contested_hold_ends_without_an_answer(case):
    court, _ = case
    court.act("bank-a", "contest_hold", finding="F1", reason="The goods perish")
    due = court.wait(TERMS["contest"])
    assert [hold["status"] for hold in due["holds"]] == ["unanswered"]
    assert [entry["what"] for entry in due["overdue"]] == ["finding", "contest"]
    assert not is_held(court)
    assert times(court.chain.executor.reader, "contest")["overdue"] == 1


def test_a_confirmed_hold_stays_to_its_end(case):
    court, receipt = case
    assert court.act("regulator", "confirm_hold", finding="F1", reason="Risk").code == "wrong_step"
    court.act("bank-a", "contest_hold", finding="F1", reason="The goods perish")
    assert court.act("bank-a", "confirm_hold", finding="F1", reason="Risk").code == "forbidden"
    assert court.act("regulator", "confirm_hold", finding="F1", reason="Risk").ok
    assert "holds" not in court.wait(TERMS["contest"])
    assert is_held(court)
    assert times(court.chain.executor.reader, "contest", "regulator")["done"] == 1
    court.wait(receipt.data["holds"][0]["until_ms"] - court.chain.executor.time_ms)
    assert not is_held(court)
    assert court.act("bank-a", "contest_hold", finding="F1", reason="Late").code == "unknown_hold"
