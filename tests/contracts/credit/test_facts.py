"""Facts are counted as they happen, each list is fixed by its figure, and what is overturned or contested goes out."""

from __future__ import annotations

from typing import Any

import pytest

from coseal.contracts.credit.consulting import may_read
from coseal.contracts.credit.facts import entries_of
from coseal.contracts.credit.figures import Place, by_counterparty, figure_from, figure_of, month_after, month_of
from coseal.contracts.credit.state import entries_key, fact_key, month_key, origin_key
from coseal.contracts.supervision.terms import TERMS
from coseal.ledger.errors import BadProof
from tests.support.currency import DAY_MS
from tests.support.keys import signer
from tests.support.supervised import Story
from tests.support.trade import AMOUNT, DUE_DAYS, WALLETS, A, B, Trade, trading


@pytest.fixture
def trade() -> Trade:
    return trading()


def month(trade: Trade) -> int:
    return month_of(trade.chain.executor.time_ms)


def facts(trade: Trade, member: str, kind: str, of: int = 0) -> list[tuple[Any, ...]]:
    """Return a list as (sign, why, origin, with whom, amount, days), after checking that its figure says the same."""
    place = Place(member, of or month(trade), kind)
    entries = [kept.entry for kept in entries_of(trade.chain.executor.reader, place)]
    assert figure_of(place, entries) == figure_from(trade.chain.get(fact_key(*place)))
    return [(each.sign, each.why, each.origin, each.counterparty, each.amount, each.days) for each in entries]


def figure(trade: Trade, member: str, kind: str) -> tuple[int, int]:
    found = figure_from(trade.chain.get(fact_key(member, month(trade), kind)))
    return found.facts, found.total


def overdue(trade: Trade, name: str, days: int = 3) -> None:
    trade.fell_due(DUE_DAYS * DAY_MS)
    assert trade.receivable(name).status == "overdue"
    trade.fell_due(days * DAY_MS)


def test_a_receivable_paid_before_it_is_due_is_one_on_time_and_a_part_of_it_is_nothing(trade: Trade) -> None:
    name = trade.owed()
    assert "credit" not in trade.settle(name, 1)
    (said,) = trade.settle(name, AMOUNT - 1)["credit"]
    assert (said["member"], said["kind"], said["entry"], said["origin"]) == (A, "settled_on_time", 1, name)
    assert facts(trade, A, "settled_on_time") == [(1, "", name, B, AMOUNT, 0)]
    assert trade.chain.get(month_key(A, month(trade))) == ["settled_on_time"]
    assert figure(trade, A, "settled_on_time") == (1, AMOUNT)


def test_what_pays_itself_when_it_is_due_is_on_time(trade: Trade) -> None:
    name = trade.owed(autopay=WALLETS[A])
    trade.fell_due(DUE_DAYS * DAY_MS)
    assert trade.chain.begun["credit"]["facts"][0]["origin"] == name
    assert facts(trade, A, "settled_on_time") == [(1, "", name, B, AMOUNT, 0)]


def test_what_falls_overdue_is_a_fact_and_its_payment_is_late_by_its_days(trade: Trade) -> None:
    name = trade.owed()
    trade.fell_due(DUE_DAYS * DAY_MS)
    assert [fact["kind"] for fact in trade.chain.begun["credit"]["facts"]] == ["fell_overdue"]
    assert facts(trade, A, "fell_overdue") == [(1, "", name, B, AMOUNT, 0)]
    fell = month(trade)
    trade.fell_due(3 * DAY_MS)
    trade.settle(name, AMOUNT)
    assert facts(trade, A, "settled_late") == [(1, "", name, B, AMOUNT, 4)]
    assert facts(trade, A, "fell_overdue", fell) == [(1, "", name, B, AMOUNT, 0)]
    assert trade.chain.get(origin_key(name)) is None


def test_a_hold_on_the_debtor_does_not_move_the_date_and_the_fact_names_it(trade: Trade) -> None:
    trade.owed()
    why = {"severity": "warning", "reason": "Insolvency", "legal_basis": ["external: court order 17"]}
    found = trade.ok("regulator", "trade.open_case", party=A, **why)["id"]
    hold = {"finding": found, "reason": "A risk", "hold_ms": 30 * DAY_MS}
    trade.fell_due(DUE_DAYS * DAY_MS - 2 * DAY_MS)
    trade.ok("regulator", "supervision.hold", **hold)
    trade.fell_due(2 * DAY_MS)
    assert trade.chain.begun["credit"]["facts"][0]["held"] == found


def test_a_write_off_is_one_and_a_payment_after_it_is_late(trade: Trade) -> None:
    name = trade.owed()
    overdue(trade, name, days=91)
    trade.ok(B, "trade.write_off", receivable=name, reason="Insolvent")
    assert facts(trade, A, "written_off") == [(1, "", name, B, AMOUNT, 0)]
    trade.settle(name, AMOUNT)
    assert facts(trade, A, "settled_late")[0][2] == name


def test_a_dispute_is_upheld_for_its_debtor_or_refused(trade: Trade) -> None:
    name = trade.owed()
    trade.ok(A, "trade.dispute", receivable=name, reason="Ten came back")
    assert "credit" not in trade.ok(B, "trade.resolve", receivable=name, amount=1_000)
    trade.ok(A, "trade.resolve", receivable=name, amount=1_000)
    assert facts(trade, B, "dispute_upheld") == [(1, "", name, A, 1_000, 0)]
    trade.ok(A, "trade.dispute", receivable=name, reason="More came back")
    trade.ok(A, "trade.resolve", receivable=name, amount=0)
    assert facts(trade, A, "dispute_refused") == [(1, "", name, B, AMOUNT - 1_000, 0)]
    trade.ok(A, "trade.dispute", receivable=name, reason="More came back")
    trade.ok(B, "trade.answer", receivable=name, reason="They did not")
    trade.fell_due(TERMS["respond"])
    assert trade.chain.begun["credit"]["facts"][0]["kind"] == "dispute_refused"


def test_a_dispute_that_leaves_nothing_takes_the_overdue_fact_out_again_and_both_stay_visible(trade: Trade) -> None:
    name = trade.owed()
    overdue(trade, name, days=40)
    fell = next(key for key in (month_after(month(trade), -1), month(trade)) if facts(trade, A, "fell_overdue", key))
    trade.ok(A, "trade.dispute", receivable=name, reason="Nothing came")
    for member in (A, B):
        trade.ok(member, "trade.resolve", receivable=name, amount=AMOUNT)
    assert trade.receivable(name).status == "settled"
    assert [entry[:3] for entry in facts(trade, A, "fell_overdue", fell)] == [(1, "", name), (-1, "overturned", name)]
    assert "settled_late" not in (trade.chain.get(month_key(A, month(trade))) or ())


def decided(trade: Trade, outcome: str, *, late: bool = False) -> str:
    """Have a finding on a party decided; return its name."""
    why = {"severity": "warning", "reason": "Late reports", "legal_basis": ["external: order 17"]}
    found = str(trade.ok("regulator", "trade.open_case", party=A, **why)["id"])
    trade.ok("regulator", "supervision.acknowledge", finding=found)
    trade.ok("regulator", "supervision.inquire", finding=found, question="Why?")
    if late:
        trade.fell_due(TERMS["respond"] + DAY_MS)
    trade.ok(A, "supervision.respond", finding=found, response="Because")
    measure = {"measure": "A fine"} if outcome == "sanctioned" else {}
    trade.ok("regulator", "supervision.decide", finding=found, outcome=outcome, reason="So it is", **measure)
    return found


@pytest.mark.parametrize(
    ("outcome", "late", "kinds"),
    [
        ("sanctioned", False, ["answered_in_time", "sanctioned"]),
        ("rectified", False, ["answered_in_time", "rectified_in_time"]),
        ("rectified", True, ["answered_late", "rectified_late"]),
        ("dismissed", False, ["answered_in_time"]),
    ],
)
def test_what_is_decided_of_a_finding_counts_and_a_dismissal_does_not(
    trade: Trade, outcome: str, late: bool, kinds: list[str]
) -> None:
    found = decided(trade, outcome, late=late)
    assert trade.chain.get(month_key(A, month(trade))) == kinds
    assert facts(trade, A, kinds[-1])[0][2] == found


def test_an_appeal_that_is_granted_takes_the_fact_out_and_one_that_is_not_leaves_it(trade: Trade) -> None:
    key = {
        "user": "second",
        "capabilities": ["submit", "supervise"],
        "key": signer("regulator/second").public_key.hex(),
    }
    trade.ok("regulator", "membership.add_operator", **key)
    for outcome, signs in (("upheld", [1]), ("overturned", [1, 1, -1])):
        found = decided(trade, "sanctioned")
        assert trade.chain.get(origin_key(found)) is not None
        trade.ok(A, "supervision.appeal", finding=found, reason="It is wrong")
        trade.ok("regulator/second", "supervision.decide_appeal", finding=found, outcome=outcome, reason="So")
        assert trade.chain.get(origin_key(found)) is None
        assert [entry[0] for entry in facts(trade, A, "sanctioned")] == signs
    assert figure(trade, A, "sanctioned") == (1, 0)


def test_a_decision_that_nobody_appeals_cannot_be_overturned_any_more(trade: Trade) -> None:
    found = decided(trade, "sanctioned")
    trade.fell_due(TERMS["appeal"])
    assert trade.chain.get(origin_key(found)) is None


def test_a_question_that_an_authority_answers_late_is_its_fact(trade: Trade) -> None:
    for wait_ms, kind in ((0, "answered_in_time"), (TERMS["answer"] + DAY_MS, "answered_late")):
        asked = trade.ok(A, "supervision.ask", topic="Terms", question="From when?")["id"]
        trade.fell_due(wait_ms)
        trade.ok("regulator", "supervision.answer", question=asked, answer="From issue")
        assert facts(trade, "regulator", kind)[-1][2:4] == (asked, A)


def test_a_gap_of_a_live_source_counts_its_items() -> None:
    story = Story(trading().chain)
    story.begin()
    story.record(("Create", "c1"))
    story.record(("Create", "c2"), gap=3)
    kinds = story.state(month_key("enterprise-a", month_of(story.chain.executor.time_ms)))
    assert kinds == ["gap"]
    assert figure_from(story.state(fact_key("enterprise-a", month_of(story.chain.executor.time_ms), "gap")))[:2] == (
        1,
        3,
    )


# Contests


def late(trade: Trade) -> dict[str, Any]:
    """Have a receivable paid late; return where the fact stands."""
    name = trade.owed()
    overdue(trade, name)
    trade.settle(name, AMOUNT)
    return {"month": month(trade), "kind": "settled_late", "entry": 1}


def test_a_contested_fact_is_left_out_until_it_is_refused(trade: Trade) -> None:
    fact = late(trade)
    said = trade.ok(A, "credit.contest", **fact, reason="The bank was closed")
    assert (said["status"], said["deadline_ms"]) == ("open", trade.chain.executor.time_ms + TERMS["answer"])
    assert figure(trade, A, "settled_late") == (0, 0)
    trade.ok("regulator", "credit.answer", member=A, **fact, outcome="refused", reason="It was open")
    assert figure(trade, A, "settled_late") == (1, AMOUNT)
    assert [entry[:2] for entry in facts(trade, A, "settled_late")] == [(1, ""), (-1, "contested"), (1, "refused")]
    assert facts(trade, "regulator", "answered_in_time")[0][3] == A
    assert trade.code(A, "credit.contest", **fact, reason="Again") == "wrong_step"


def test_silence_is_recorded_and_the_fact_stays_left_out(trade: Trade) -> None:
    fact = late(trade)
    trade.ok(A, "credit.contest", **fact, reason="The bank was closed")
    trade.fell_due(TERMS["answer"])
    (silent,) = trade.chain.begun["credit"]["overdue"]
    assert {name: silent[name] for name in fact} == fact
    found = figure_from(trade.chain.get(fact_key(A, fact["month"], fact["kind"])))
    assert (found.facts, found.total) == (0, 0)
    trade.ok("regulator", "credit.answer", member=A, **fact, outcome="upheld", reason="It was")
    assert facts(trade, "regulator", "answered_late")[0][3] == A


def test_what_was_upheld_is_put_right_once(trade: Trade) -> None:
    fact = late(trade)
    args = {"member": A, **fact, "reason": "It was"}
    becomes = {"kind": "settled_on_time", "amount": AMOUNT, "days": 0}
    assert trade.code("regulator", "credit.correct", **args, becomes=becomes) == "wrong_step"
    trade.ok(A, "credit.contest", **fact, reason="The bank was closed")
    trade.ok("regulator", "credit.answer", **args, outcome="upheld")
    trade.ok("regulator", "credit.correct", **args, becomes=becomes)
    assert trade.code("regulator", "credit.correct", **args, becomes=becomes) == "wrong_step"
    assert figure(trade, A, "settled_late") == (0, 0)
    assert facts(trade, A, "settled_on_time")[0][:2] == (1, "corrected")


def test_only_an_authority_that_it_does_not_concern_answers(trade: Trade) -> None:
    fact = late(trade)
    trade.ok(A, "credit.contest", **fact, reason="The bank was closed")
    args = {"member": A, **fact, "outcome": "refused", "reason": "It was open"}
    assert trade.code("bank-a", "credit.answer", **args) == "forbidden"
    assert trade.code("regulator", "credit.answer", **{**args, "member": "regulator"}) == "own_case"
    assert trade.code("regulator", "credit.answer", **{**args, "entry": 9}) == "unknown_fact"
    assert trade.code(A, "credit.contest", **{**fact, "entry": 2}, reason="That") == "not_a_fact"


# Reading


def test_a_dossier_is_read_by_others_for_thirty_days_after_they_said_why(trade: Trade) -> None:
    reader = trade.chain.executor.reader
    assert not may_read(reader, A, "bank-a", trade.chain.executor.time_ms)
    said = {"member": A, "purpose": "A loan", "legal_basis": "external: consent"}
    until_ms = trade.ok("bank-a", "credit.consult", **said)["until_ms"]
    assert may_read(reader, A, "bank-a", until_ms - 1)
    assert not may_read(reader, A, "bank-a", until_ms)
    assert may_read(reader, A, A, until_ms)
    assert trade.code(A, "credit.consult", **said) == "same_party"
    assert trade.code("bank-a", "credit.consult", **{**said, "member": "nobody"}) == "unknown_member"


def test_facts_of_a_month_are_deleted_after_sixty(trade: Trade) -> None:
    for _ in range(20):
        trade.settle(trade.owed(trade.deal(1_000)), 1_000)
    began = month(trade)
    assert by_counterparty(
        kept.entry for kept in entries_of(trade.chain.executor.reader, Place(A, began, "settled_on_time"))
    ) == {B: 20}
    trade.fell_due(59 * 30 * DAY_MS)
    assert trade.chain.get(month_key(A, began)) == ["settled_on_time"]
    trade.fell_due(3 * 31 * DAY_MS)
    assert trade.chain.begun["credit"]["forgotten"] == [[A, began, "settled_on_time", 20]]
    place = Place(A, began, "settled_on_time")
    gone = (month_key(A, began), fact_key(*place), *(entries_key(*place, page) for page in range(2)))
    assert [trade.chain.get(key) for key in gone] == [None] * 4


def test_a_list_with_an_entry_missing_or_changed_is_another(trade: Trade) -> None:
    late(trade)
    place = Place(A, month(trade), "settled_late")
    entries = [kept.entry for kept in entries_of(trade.chain.executor.reader, place)]
    said = figure_from(trade.chain.get(fact_key(*place)))
    assert figure_of(place, entries) == said
    assert figure_of(place, [entries[0]._replace(amount=1)]).head != said.head
    assert figure_of(Place(B, *place[1:]), entries).head != said.head
    with pytest.raises(BadProof):
        figure_of(place, [entries[0]._replace(number=2)])
    with pytest.raises(BadProof):
        figure_from([1, 2])
