"""What trade does stands on the history of receivables: chained, proven to be all, and judged by the rules in force."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final

import pytest

from coseal.contracts.process.chain import verify_object_history
from coseal.contracts.process.recorded import RecordedItem, recorded_items
from coseal.contracts.process.state import object_key, source, statistics
from coseal.contracts.trade.history import DEFINITION, run_events
from coseal.ledger.block import Receipt
from coseal.ledger.transaction import Transaction
from coseal.streams.outgoing import outgoing
from tests.support.currency import DAY_MS
from tests.support.trade import AMOUNT, DUE_DAYS, WALLETS, A, B, C, Trade, trading

EXAMPLES: Final = Path(__file__).parents[3] / "examples/rules"


@pytest.fixture
def trade() -> Trade:
    return trading()


def appended(trade: Trade) -> list[RecordedItem]:
    """Return all items that the contract appended, in ledger order."""
    found = []
    for committed in trade.chain.blocks:
        transactions = (None, *map(Transaction.decode, committed.block.transactions))
        for transaction, receipt in zip(transactions, committed.receipts, strict=True):
            items = recorded_items(transaction, Receipt.decode(receipt))
            found += [one for one in items if one.process_type == "trade"]
    return found


def require_whole(trade: Trade, kind: str, name: str) -> list[str]:
    """Require that an object's history is all there is of it; return its types of events."""
    items = [one for one in appended(trade) if [kind, name] in one.item["objects"]]
    record = trade.chain.get(object_key("trade", kind, name))
    verify_object_history([(one.source, one.sequence, one.item) for one in items], record, name=(kind, name))
    return [one.item["type"] for one in items]


def rule(name: str, kind: str, **fields: Any) -> dict[str, Any]:
    head = {"id": name, "version": 1, "title": name, "legal_basis": ["external:a term"], "severity": "violation"}
    return {**head, "scope": {"process_type": "trade", "object_type": "receivable"}, "kind": kind, **fields}


def adopt(trade: Trade, *rules: dict[str, Any]) -> None:
    ballot = trade.ok(A, "supervision.propose_rules", rules=list(rules))["ballot"]
    for member in ("regulator", "central-bank", "bank-a", "bank-b", "city"):
        trade.submit(member, "supervision.vote", ballot=ballot, choice="yes")
    assert trade.chain.get(f"supervision/rule/{rules[0]['id']}")["active"] == 1


def test_the_history_of_a_receivable_is_its_whole_life(trade: Trade) -> None:
    name = trade.owed()
    trade.finance(name)
    trade.settle(name, 400_000)
    trade.settle(name, AMOUNT - 400_000)
    life = ["Receivable issued", "Receivable accepted", "Finance offered", "Receivable financed"]
    assert require_whole(trade, "receivable", name) == [*life, "Receivable paid", "Receivable paid"]
    assert require_whole(trade, "party", A)[:2] == life[:2]
    last = [one for one in appended(trade) if one.item["type"] == "Receivable paid"][-1]
    assert (last.source, last.item["event"].partition(":")[2]) == (f"{A}/ledger/trade", "0")
    said = {"by": f"{A}/admin", "debtor": A, "holder": "bank-a", "outstanding": 0, "status": "settled"}
    assert last.item["attributes"] == {**said, "amount": AMOUNT - 400_000}


def test_each_change_of_an_exposure_is_an_event_of_its_own(trade: Trade) -> None:
    name = trade.owed()
    trade.finance(name)
    trade.settle(name, 400_000)
    exposed = [one.item["attributes"] for one in appended(trade) if one.item["type"] == "Exposure changed"]
    assert [(one["exposure"], one["book"]) for one in exposed] == [(AMOUNT, AMOUNT), (600_000, 600_000)]
    assert require_whole(trade, "exposure", f"bank-a/{A}") == [
        *("Limit set", "Finance offered", "Receivable financed", "Exposure changed", "Exposure changed")
    ]


@pytest.mark.parametrize("kind", ["assignment", "pledge"])
def test_a_loan_has_its_history(trade: Trade, kind: str) -> None:
    name = trade.owed()
    trade.finance(name, kind=kind)
    if kind == "pledge":
        trade.ok(B, "trade.repay", loan="L1", amount=100_000, **{"from": WALLETS[B]})
        trade.ok(B, "trade.repay", loan="L1", amount=900_000, **{"from": WALLETS[B]})
        assert require_whole(trade, "loan", "L1") == ["Receivable financed", "Loan repaid", "Loan repaid"]
    assert require_whole(trade, "receivable", name)[2:4] == ["Finance offered", "Receivable financed"]


def test_what_falls_due_is_appended_for_the_debtor_and_stands_in_the_first_receipt(trade: Trade) -> None:
    first, second = trade.owed(autopay=WALLETS[A]), trade.owed()
    trade.issue()
    trade.fell_due((DUE_DAYS + 1) * DAY_MS)
    begun = trade.chain.begun["trade"]["appended"]
    height = trade.chain.executor.height
    assert [(source, item["type"]) for source, _, item in begun] == [
        (f"{A}/ledger/trade", kind) for kind in ("Receivable lapsed", "Receivable paid", "Receivable overdue")
    ]
    assert [item["event"] for _, _, item in begun] == [f"due:{height}:{sequence}" for _, sequence, _ in begun]
    assert require_whole(trade, "receivable", first)[-1] == "Receivable paid"
    assert require_whole(trade, "receivable", second)[-1] == "Receivable overdue"


def test_a_source_opens_at_first_use_and_counts_as_any_other(trade: Trade) -> None:
    reader = trade.chain.executor.reader
    assert source(reader, f"{B}/ledger/trade") is None
    name = trade.issue()
    record = source(reader, f"{B}/ledger/trade")
    assert record is not None
    assert (record["mode"], record["sequence"], record["process_type"]) == ("live", 1, "trade")
    trade.ok(A, "trade.reject", receivable=name, reason="no")
    counted = statistics(reader, "trade")
    assert counted["events"] == len(appended(trade))
    assert counted["sources"] == len({one.source for one in appended(trade)})


def test_a_rule_that_rejects_refuses_the_act_and_leaves_nothing(trade: Trade) -> None:
    short = "e.attributes.days <= 30"
    adopt(trade, rule("T-SHORT", "guard", on=["Receivable issued"], effect="reject", **{"assert": short}))
    args = trade.issuing()
    before = trade.chain.root
    receipt = trade.submit(B, "trade.issue", **args)
    assert (receipt.code, receipt.data) == ("rule_violated", {})
    assert trade.chain.get("trade/count") is None
    assert source(trade.chain.executor.reader, f"{B}/ledger/trade") is None
    assert trade.chain.root != before  # the window of seen transactions alone
    due_ms = trade.chain.now_ms + 30 * DAY_MS
    assert trade.ok(B, "trade.issue", **{**args, "due_ms": due_ms})["receivables"][0]["id"] == "R1"


def test_what_fell_due_is_not_refused_and_raises_a_finding(trade: Trade) -> None:
    adopt(trade, rule("T-LATE", "guard", on=["Receivable overdue"], effect="reject", **{"assert": "false"}))
    name = trade.owed()
    assert trade.fell_due((DUE_DAYS + 1) * DAY_MS)[0]["receivables"][0]["status"] == "overdue"
    (found,) = trade.chain.begun["trade"]["findings"]
    assert (found["rule"], found["object"], found["subject"], found["effect"]) == ("T-LATE", name, A, "reject")
    assert trade.chain.get(f"supervision/finding/{found['id']}")["source"] == f"{A}/ledger/trade"
    events = list(outgoing(trade.chain.blocks[-1]))
    place = f"{trade.chain.executor.height}:begin"
    named = [(one.id, one.type) for one in events]
    assert named[:3] == [
        (f"{place}.credit", "coseal.credit.due"),
        (f"{place}.trade", "coseal.trade.due"),
        (f"{place}.0", "coseal.process.event"),
    ]
    assert [one.data["object"] for one in events if one.type == "coseal.finding.raised"] == [name]


def test_an_act_shows_what_rules_find(trade: Trade) -> None:
    usual = "e.attributes.days <= 30"
    adopt(trade, rule("T-USUAL", "guard", on=["Receivable issued"], effect="flag", **{"assert": usual}))
    (found,) = trade.ok(B, "trade.issue", **trade.issuing())["findings"]
    assert (found["rule"], found["object"], found["subject"]) == ("T-USUAL", "R1", B)
    sent = [one.type for one in outgoing(trade.chain.blocks[-1])]
    assert [kind for kind in sent if kind != "coseal.trade.receivable"] == [
        "coseal.trade.issue",
        "coseal.process.event",
        "coseal.finding.raised",
    ]


def test_what_the_contract_lets_happen_on_hold_is_no_breach(trade: Trade) -> None:
    name = trade.owed()
    why = {"severity": "warning", "reason": "Insolvency", "legal_basis": ["external: court order 17"]}
    finding = trade.ok("regulator", "trade.open_case", receivable=name, **why)["id"]
    trade.ok("regulator", "supervision.hold", finding=finding, reason="A risk", hold_ms=20 * DAY_MS)
    assert "findings" not in trade.settle(name, 1_000)


def test_members_do_not_record_in_the_sources_of_contracts(trade: Trade) -> None:
    trade.issue()
    item = {"event": "x", "type": "Receivable paid", "time": "2023-11-01T00:00:00Z"}
    assert trade.code(B, "process.record", source="ledger/trade", sequence=2, items=[item]) == "reserved"
    for name, kind in (("ledger/x", "orders"), ("mine", "trade")):
        code = trade.code(B, "process.register_source", id=name, process_type=kind, mode="live")
        assert code == "reserved"
    assert trade.chain.get("process/type/trade") == DEFINITION


def test_a_run_has_an_event_for_each_page_of_64() -> None:
    events = list(run_events("Run cleared", 3, "x/admin", [(number, 2) for number in range(1, 131)]))
    assert [one["attributes"] for one in events] == [
        {"by": "x/admin", "receivables": count, "amount": 2 * count} for count in (64, 64, 2)
    ]
    assert events[1]["objects"][:2] == [["run", "N3"], ["receivable", "R65"]]
    (nothing,) = run_events("Run cleared", 3, "x/admin", [])
    assert (nothing["objects"], nothing["attributes"]["receivables"]) == ([["run", "N3"]], 0)


def test_a_ring_leaves_its_clearing_on_every_receivable() -> None:
    trade = trading()
    for debtor, creditor in ((A, B), (B, C), (C, A)):
        trade.owed(trade.deal(seller=creditor, buyer=debtor), debtor=debtor, creditor=creditor, nettable=True)
    trade.ok(A, "trade.open_run", closes_ms=trade.chain.now_ms + 3_600_000)
    for number, holder in enumerate((B, C, A), 1):
        trade.ok(holder, "trade.enter", run="N1", receivables=[f"R{number}"])
    trade.chain.extend([], later_ms=3_600_000)
    potentials = {A: 0, B: 0, C: 0}
    trade.ok(C, "trade.clear", run="N1", cleared=[AMOUNT] * 3, potentials=potentials)
    assert require_whole(trade, "run", "N1") == ["Run opened", *["Receivables entered"] * 3, "Run cleared"]
    for number in (1, 2, 3):
        assert require_whole(trade, "receivable", f"R{number}")[-1] == "Run cleared"


def shipped(name: str) -> list[dict[str, Any]]:
    rules: list[dict[str, Any]] = json.loads((EXAMPLES / name).read_text("utf-8"))
    return rules


def found_in(trade: Trade) -> list[str]:
    """Return the rules by which the last block found something."""
    receipts = [Receipt.decode(raw).data for raw in trade.chain.blocks[-1].receipts]
    lists = [*receipts[0].values(), *receipts[1:]]
    return [one["rule"] for data in lists for one in data.get("findings", ())]


def test_the_shipped_rules_on_lending_judge_what_banks_do(trade: Trade) -> None:
    adopt(trade, *shipped("lending.json"))
    name = trade.owed()
    trade.finance(name)  # a tenth in 60 days, by the operator that set the limit before the rules were in force
    assert found_in(trade) == []
    trade.ok("bank-b", "trade.set_limit", debtor=A, amount=20_000_000, capital=4_000_000)
    other = trade.owed()
    trade.ok("bank-b", "trade.offer_finance", **trade.financing(other, "bank-b"))
    assert sorted(found_in(trade)) == ["TL-FOUR-EYES", "TL-RATE"]
    trade.ok(B, "trade.accept_finance", receivable=other, bank="bank-b", wallet=WALLETS[B])
    assert found_in(trade) == ["TL-CAPITAL"]


def test_the_shipped_rules_on_receivables_find_what_is_long_and_what_is_late(trade: Trade) -> None:
    adopt(trade, *shipped("trade-receivables.json"))
    trade.issue(due_ms=trade.chain.now_ms + 300 * DAY_MS)
    assert found_in(trade) == ["TR-TERM-USUAL"]
    trade.owed()
    trade.fell_due((DUE_DAYS + 1) * DAY_MS)
    assert found_in(trade) == ["TR-PAID-IN-TIME"]


def test_rules_judge_the_events_of_a_run_on_the_run_alone(trade: Trade) -> None:
    never = {"on": ["Run cleared", "Receivables entered"], "assert": "false"}
    on_run = {**rule("T-RUN", "guard", **never), "scope": {"process_type": "trade", "object_type": "run"}}
    adopt(trade, rule("T-EACH", "guard", **never), on_run)
    name = trade.owed(nettable=True)
    trade.ok(A, "trade.open_run", closes_ms=trade.chain.now_ms + 3_600_000)
    trade.ok(B, "trade.enter", run="N1", receivables=[name])
    assert found_in(trade) == ["T-RUN"]
    trade.chain.extend([], later_ms=3_600_000)
    trade.ok(A, "trade.clear", run="N1", cleared=[0], potentials={A: 2_000_000, B: 0})
    assert found_in(trade) == ["T-RUN"]
    trade.settle(name, AMOUNT)
    assert require_whole(trade, "receivable", name)[-2:] == ["Receivables entered", "Receivable paid"]
