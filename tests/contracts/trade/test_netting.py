"""Rings of debts clear without money, by amounts that are proven; nothing spoils a run in its clearing hour."""

from __future__ import annotations

import pytest

from coseal.contracts.kernel.wording import duration_text
from coseal.contracts.trade.netting import MIN_OPEN_MS, in_run, obligations
from coseal.contracts.trade.runs import CLEARING_MS, run_of
from coseal.contracts.trade.solving import solve
from coseal.contracts.trade.state import OPEN_KEY
from tests.support.chain import Chain
from tests.support.currency import DAY_MS, money_genesis
from tests.support.trade import AMOUNT, DUE_DAYS, WALLETS, A, B, C, Trade, trading

CLOSES_MS = DAY_MS
RING = ((A, B), (B, C), (C, A))


@pytest.fixture
def trade():
    """A ring of three debts in an open run: A owes B, B owes C, C owes A a little less."""
    trade = trading()
    for number, (debtor, creditor) in enumerate(RING):
        amount = AMOUNT - 100_000 * (number == 2)
        line = trade.deal(amount, seller=creditor, buyer=debtor)
        trade.owed(line, debtor=debtor, creditor=creditor, nettable=True)
    opened = trade.ok(A, "trade.open_run", closes_ms=trade.chain.now_ms + CLOSES_MS)
    assert opened["run"]["id"] == "N1"
    for number, (_, creditor) in enumerate(RING):
        assert trade.ok(creditor, "trade.enter", run="N1", receivables=[f"R{number + 1}"])["entered"] == number + 1
    return trade


def close(trade):
    trade.chain.extend([], later_ms=CLOSES_MS)


def solved(trade, number=1):
    reader = trade.chain.executor.reader
    entered = in_run(reader, number)
    found = solve(obligations(reader, run_of(reader, number), entered))
    return {"run": f"N{number}", "cleared": found.cleared, "potentials": found.potentials}


def hold(trade, **about):
    why = {"severity": "warning", "reason": "Insolvency", "legal_basis": ["external: court order 17"]}
    finding = trade.ok("regulator", "trade.open_case", **why, **about)["id"]
    trade.ok("regulator", "supervision.hold", finding=finding, reason="A risk", hold_ms=20 * DAY_MS)


def test_a_ring_clears_without_money(trade):
    money = {name: trade.balance(name) for name in WALLETS.values()}
    close(trade)
    data = trade.ok(C, "trade.clear", **solved(trade))
    cleared = AMOUNT - 100_000
    assert data["cleared"] == [["R1", cleared], ["R2", cleared], ["R3", cleared]]
    assert (data["run"]["status"], data["run"]["total"]) == ("cleared", 3 * cleared)
    assert "posted" not in data
    assert [trade.receivable(f"R{n}").outstanding for n in (1, 2, 3)] == [100_000, 100_000, 0]
    assert [trade.receivable(f"R{n}").status for n in (1, 2, 3)] == ["accepted", "accepted", "settled"]
    assert {name: trade.balance(name) for name in WALLETS.values()} == money
    assert trade.wallet(WALLETS[A]).claims == 0
    assert trade.code(C, "trade.clear", **{**solved(trade), "cleared": [0, 0, 0]}) == "not_now"
    trade.settle("R1", 100_000)


def test_a_clearing_that_favours_somebody_or_is_wrong_is_refused_and_changes_nothing(trade):
    close(trade)
    good = solved(trade)
    root = [trade.receivable(f"R{n}") for n in (1, 2, 3)]
    for cleared, code in (
        ([0, 0, 0], "not_optimal"),
        ([1, 1, 1], "not_optimal"),
        ([900_000, 900_001, 900_000], "unbalanced"),
        ([10**15] * 3, "out_of_bounds"),
        ([900_000] * 2, "invalid_argument"),
        ([900_000] * 4, "invalid_argument"),
    ):
        assert trade.code(A, "trade.clear", **{**good, "cleared": cleared}) == code, cleared
    wrong = dict.fromkeys(good["potentials"], 2**53) | {A: -(2**53)}
    assert trade.code(A, "trade.clear", **{**good, "potentials": wrong}) == "not_optimal"
    assert trade.code(A, "trade.clear", **{**good, "run": "N2"}) == "unknown_run"
    assert [trade.receivable(f"R{n}") for n in (1, 2, 3)] == root
    trade.ok(B, "trade.clear", **good)


def test_nothing_in_a_run_moves_and_nothing_changes_in_its_clearing_hour(trade):
    good = trade.receivable("R1")
    assert trade.code(B, "trade.split", receivable="R1", amounts=[500_000, 500_000]) == "encumbered"
    assert trade.code("bank-a", "trade.offer_finance", **trade.financing("R1")) == "encumbered"
    assert trade.code(B, "trade.offer_transfer", **trade.transferring("R1")) == "encumbered"
    assert good == trade.receivable("R1")
    trade.settle("R1", 1_000)
    close(trade)
    pay = {"receivable": "R1", "amount": 1, "from": WALLETS[A]}
    assert trade.code(A, "trade.settle", **pay) == "in_run"
    assert trade.code(A, "trade.dispute", receivable="R1", reason="broken") == "in_run"
    assert trade.code(B, "trade.withdraw", run="N1", receivables=["R1"]) == "not_now"
    assert trade.code(B, "trade.enter", run="N1", receivables=["R1"]) == "not_now"
    fell = trade.fell_due(CLEARING_MS)
    assert [one["run"]["status"] for one in fell] == ["lapsed"]
    trade.ok(A, "trade.settle", **pay)
    trade.ok(B, "trade.split", receivable="R1", amounts=[500_000, 498_999])


def test_what_is_withdrawn_disputed_paid_or_on_hold_does_not_clear(trade):
    trade.ok(B, "trade.withdraw", run="N1", receivables=["R1"])
    assert trade.code(B, "trade.withdraw", run="N1", receivables=["R1"]) == "not_now"
    trade.ok(B, "trade.enter", run="N1", receivables=["R1"])
    line = trade.deal(seller=B, buyer=A)
    held = trade.owed(line, nettable=True)
    trade.ok(B, "trade.enter", run="N1", receivables=[held])
    trade.ok(A, "trade.dispute", receivable="R1", reason="broken")
    hold(trade, receivable=held)
    close(trade)
    found = solved(trade)
    assert found["cleared"] == [0, 0, 0, 0]
    assert trade.code(A, "trade.resolve", receivable="R1", amount=0) == "in_run"
    assert trade.ok(A, "trade.clear", **found)["run"]["total"] == 0


def test_a_party_on_hold_neither_enters_nor_clears(trade):
    hold(trade, party=C)
    assert trade.code(C, "trade.withdraw", run="N1", receivables=["R2"]) == "stayed"
    close(trade)
    assert solved(trade)["cleared"] == [0, 0, 0]


@pytest.mark.parametrize("what", ["not agreed", "pledged", "disputed", "proposed", "in another run", "twice"])
def test_what_does_not_enter(trade, what):
    name = trade.issue(nettable=True) if what == "proposed" else trade.owed(nettable=what != "not agreed")
    expected = "not_nettable"
    if what == "pledged":
        trade.finance(name, kind="pledge")
    elif what == "disputed":
        trade.ok(A, "trade.dispute", receivable=name, reason="broken")
    elif what == "in another run":
        trade.ok(B, "trade.open_run", closes_ms=trade.chain.now_ms + CLOSES_MS)
        trade.ok(B, "trade.enter", run="N2", receivables=[name])
    names, expected = ([name, name], "invalid_argument") if what == "twice" else ([name], expected)
    assert trade.code(B, "trade.enter", run="N1", receivables=names) == expected
    assert trade.code(A, "trade.enter", run="N1", receivables=["R1"]) == "not_yours"
    assert trade.code(A, "trade.enter", run="N9", receivables=["R1"]) == "unknown_run"


def test_a_member_has_one_run_at_a_time(trade):
    closes_ms = trade.chain.now_ms + 2 * CLOSES_MS
    assert trade.code(A, "trade.open_run", closes_ms=closes_ms) == "exists"
    assert trade.code(B, "trade.open_run", closes_ms=1) == "bad_term"
    assert trade.code(B, "trade.open_run", closes_ms=closes_ms + 40 * DAY_MS) == "bad_term"
    close(trade)
    assert trade.code(A, "trade.open_run", closes_ms=closes_ms) == "exists"
    trade.chain.extend([], later_ms=CLEARING_MS)
    assert trade.ok(A, "trade.open_run", closes_ms=closes_ms)["run"]["id"] == "N2"


@pytest.mark.parametrize(("genesis_ms", "least_ms"), [(None, MIN_OPEN_MS), (2_000, 2_000)])
def test_a_run_is_open_for_an_hour_at_least_unless_the_genesis_says_less(genesis_ms, least_ms):
    more = {} if genesis_ms is None else {"netting_open_ms": genesis_ms}
    chain = Chain(money_genesis(**more))
    assert chain.get(OPEN_KEY) == genesis_ms
    trade = Trade(chain)
    refused = trade.submit(A, "trade.open_run", closes_ms=chain.now_ms + least_ms - 1)
    assert refused.code == "bad_term"
    assert f"from {duration_text(least_ms)} to 30 days" in refused.detail
    trade.ok(A, "trade.open_run", closes_ms=chain.now_ms + least_ms)


def test_what_falls_due_in_the_clearing_hour_waits_for_its_end():
    trade = trading()
    name = trade.owed(nettable=True, autopay=WALLETS[A])
    due_ms = trade.receivable(name).due_ms
    trade.chain.extend([], later_ms=(DUE_DAYS - 10) * DAY_MS)
    trade.ok(B, "trade.open_run", closes_ms=due_ms - CLEARING_MS // 2)
    trade.ok(B, "trade.enter", run="N1", receivables=[name])
    assert trade.fell_due(due_ms - trade.chain.now_ms) == []
    assert trade.receivable(name).status == "accepted"
    fell = trade.fell_due(CLEARING_MS)
    assert [one["receivables"][0]["status"] for one in fell if "receivables" in one] == ["settled"]


def test_an_overdue_receivable_clears_and_recourse_waits(trade):
    trade.ok(B, "trade.withdraw", run="N1", receivables=["R1"])
    trade.transfer("R1")
    trade.chain.extend([], later_ms=DUE_DAYS * DAY_MS)
    trade.ok(B, "trade.open_run", closes_ms=trade.chain.now_ms + CLOSES_MS)
    trade.ok(C, "trade.enter", run="N2", receivables=["R1"])
    trade.ok(A, "trade.enter", run="N2", receivables=["R3"])
    assert trade.code(C, "trade.claim_recourse", receivable="R1") == "in_run"
    close(trade)
    assert trade.ok(B, "trade.clear", **solved(trade, 2))["run"]["total"] == 2 * 900_000
    trade.ok(C, "trade.claim_recourse", receivable="R1")


def test_what_a_bank_bought_clears_and_its_exposure_falls():
    trade = trading()
    name = trade.owed(nettable=True)
    trade.finance(name)
    back = trade.owed(trade.deal(seller=A, buyer="bank-a"), debtor="bank-a", creditor=A, nettable=True)
    trade.ok(B, "trade.open_run", closes_ms=trade.chain.now_ms + CLOSES_MS)
    trade.ok("bank-a", "trade.enter", run="N1", receivables=[name])
    trade.ok(A, "trade.enter", run="N1", receivables=[back])
    close(trade)
    data = trade.ok(C, "trade.clear", **solved(trade))
    assert data["exposures"] == [["bank-a", A, 0, 0]]
