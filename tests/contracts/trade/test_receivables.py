"""Receivables begin on lines that match, are owed once accepted, and are paid whoever holds them."""

from __future__ import annotations

import pytest

from coseal.contracts.trade.lines import used
from coseal.contracts.trade.state import exposure_key, invoice_key
from tests.support.currency import DAY_MS
from tests.support.trade import AMOUNT, DUE_DAYS, WALLETS, A, B, C, event, trading


@pytest.fixture
def trade():
    return trading()


def test_a_receivable_is_issued_accepted_and_paid_in_parts(trade):
    line = trade.deal()
    name = trade.issue(
        line,
        amount=AMOUNT + 130_000,
        tax=130_000,
        invoice={"number": "i/1", "date": "2026-03-31", "total": AMOUNT + 130_000},
    )
    assert (trade.receivable(name).status, trade.wallet(WALLETS[B]).claims) == ("proposed", 1)
    assert used(trade.chain.executor.reader, A, tuple(line["object"])) == 0
    trade.ok(A, "trade.accept", receivable=name)
    assert used(trade.chain.executor.reader, A, tuple(line["object"])) == AMOUNT
    before = trade.balance(WALLETS[B])
    trade.settle(name, 30_000)
    data = trade.settle(name, AMOUNT + 100_000)
    assert (trade.receivable(name).status, trade.receivable(name).outstanding) == ("settled", 0)
    assert trade.balance(WALLETS[B]) == before + AMOUNT + 130_000
    assert data["posted"]["payments"] == [
        {
            "debit": WALLETS[A],
            "credit": WALLETS[B],
            "amount": AMOUNT + 100_000,
            "code": "TRAD",
            "about": ["trade", "receivable", name],
        }
    ]
    assert trade.wallet(WALLETS[B]).claims == 0


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"amount": AMOUNT + 1}, "not_whole"),
        ({"tax": AMOUNT // 5 + 1, "amount": AMOUNT + AMOUNT // 5 + 1}, "not_whole"),
        ({"invoice": {"number": "1", "date": "2026-03-31", "total": AMOUNT - 1}}, "not_whole"),
        ({"debtor": B}, "same_party"),
        ({"debtor": "nobody"}, "unknown_member"),
        ({"due_ms": 1}, "bad_term"),
        ({"due_ms": 2**53}, "bad_term"),
        ({"wallet": WALLETS[A]}, "not_your_wallet"),
        ({"wallet": "bank-a/none"}, "unknown_wallet"),
        ({"lines": [{"object": ["orders", "order", "x"], "amount": AMOUNT}]}, "no_match"),
        ({"lines": [{"object": ["nothing", "order", "x"], "amount": AMOUNT}]}, "no_match"),
        ({"lines": [{"object": ["orders", "order_line", "x"], "amount": AMOUNT}]}, "not_matched"),
        ({"lines": []}, "invalid_argument"),
        ({"amount": True}, "invalid_argument"),
        ({"invoice": {"number": "1", "date": "2026", "total": AMOUNT}}, "invalid_argument"),
    ],
)
def test_what_is_not_issued(trade, changes, code):
    args = trade.issuing()
    assert trade.code(B, "trade.issue", **{**args, **changes}) == code


def test_a_line_that_stands_twice_is_refused(trade):
    line = trade.deal()
    half = {**line, "amount": AMOUNT // 2}
    assert trade.code(B, "trade.issue", **trade.issuing(half, half)) == "invalid_argument"


def test_only_what_the_debtor_received_is_claimed(trade):
    line = trade.deal(received="90")
    assert trade.code(B, "trade.issue", **trade.issuing(line)) == "not_matched"
    assert trade.code(B, "trade.issue", **trade.issuing({**line, "amount": AMOUNT * 9 // 10})) == "ok"


def test_an_invoice_is_registered_once_however_its_number_is_spelt(trade):
    line = trade.deal()
    half = {**line, "amount": AMOUNT // 2}
    invoice = {"number": "inv-2026/1", "date": "2026-03-31", "total": AMOUNT}
    name = trade.issue(half, invoice=invoice)
    again = {**invoice, "number": "INV20261"}
    assert trade.code(B, "trade.issue", **trade.issuing(half, invoice=again)) == "already_registered"
    trade.ok(A, "trade.reject", receivable=name, reason="no")
    assert trade.receivable(name).status == "rejected"
    assert trade.code(B, "trade.issue", **trade.issuing(half, invoice=again)) == "ok"


def test_an_invoice_of_another_creditor_takes_nothing(trade):
    invoice = {"number": "1", "date": "2026-03-31", "total": AMOUNT}
    trade.issue(creditor=C, invoice=invoice)
    assert trade.code(B, "trade.issue", **trade.issuing(invoice=invoice)) == "ok"


def test_two_creditors_do_not_get_the_same_receipts(trade):
    """Both invoice what was received once; the debtor accepts one of them, or parts of both up to the whole."""
    line = trade.deal()
    place = line["object"][2]
    bill = event(
        "i-c", "Invoice line issued", place, A, quantity="100", net_amount="10000.00", unit="KGM", currency="CNY"
    )
    trade.record(C, bill)
    first = trade.issue(line)
    second = trade.issue(line, creditor=C)
    trade.ok(A, "trade.accept", receivable=second)
    assert trade.code(A, "trade.accept", receivable=first) == "already_used"
    assert trade.code(B, "trade.issue", **trade.issuing({**line, "amount": 1})) == "already_used"


def test_a_stranger_blocks_no_line_by_proposing(trade):
    line = trade.deal()
    trade.issue(line)
    other = trade.issue(line, invoice={"number": "2", "date": "2026-03-31", "total": AMOUNT})
    assert trade.code(A, "trade.accept", receivable=other) == "ok"


def test_goods_that_go_back_before_acceptance_are_not_owed(trade):
    line = trade.deal()
    name = trade.issue(line)
    trade.record(A, event("back", "Goods returned", line["object"][2], B, quantity="50", unit="KGM"))
    assert trade.code(A, "trade.accept", receivable=name) == "not_matched"


def test_goods_that_go_back_later_change_nothing_of_what_is_owed(trade):
    line = trade.deal()
    name = trade.owed(line)
    trade.record(A, event("back", "Goods returned", line["object"][2], B, quantity="50", unit="KGM"))
    assert trade.receivable(name).outstanding == AMOUNT


def test_events_of_third_parties_change_nothing(trade):
    line = trade.deal()
    place = line["object"][2]
    trade.record(C, event("c1", "Goods received", place, B, accepted="9" * 15, unit="TNE"))
    trade.record(
        "bank-b", event("b1", "Order line placed", place, B, quantity="1", net_amount="0.01", unit="X", currency="USD")
    )
    assert trade.code(B, "trade.issue", **trade.issuing(line)) == "ok"


def test_another_currency_is_no_receivable(trade):
    unit = {"unit": "KGM", "currency": "EUR"}
    place = f"{A}/E/1"
    trade.record(A, event("e1", "Order line placed", place, B, quantity="1", net_amount="100.00", **unit))
    trade.record(A, event("e2", "Goods received", place, B, accepted="1", unit="KGM"))
    trade.record(B, event("e3", "Invoice line issued", place, A, quantity="1", net_amount="100.00", **unit))
    line = {"object": ["orders", "order_line", place], "amount": 10_000}
    assert trade.code(B, "trade.issue", **trade.issuing(line)) == "other_currency"


def test_what_nobody_answers_lapses_after_five_days(trade):
    args = trade.issuing()
    name = trade.ok(B, "trade.issue", **args)["receivables"][0]["id"]
    assert trade.fell_due(5 * DAY_MS)[0]["receivables"][0]["status"] == "lapsed"
    assert trade.code(A, "trade.accept", receivable=name) == "not_now"
    assert trade.chain.get(invoice_key(B, trade.receivable(name).invoice)) is None
    assert trade.wallet(WALLETS[B]).claims == 0


def test_only_the_debtor_answers_and_pays_from_its_own_wallet(trade):
    name = trade.issue()
    assert trade.code(C, "trade.accept", receivable=name) == "not_yours"
    assert trade.code(A, "trade.accept", receivable=name, autopay=WALLETS[C]) == "not_your_wallet"
    assert trade.code(A, "trade.accept", receivable="R9") == "unknown_receivable"
    trade.ok(A, "trade.accept", receivable=name)
    wrong = {"receivable": name, "amount": 1, "from": WALLETS[C]}
    assert trade.code(A, "trade.settle", **wrong) == "not_your_wallet"
    assert trade.code(A, "trade.settle", **{**wrong, "from": WALLETS[A], "amount": AMOUNT + 1}) == "not_whole"
    assert trade.code(C, "trade.settle", **wrong) == "ok"  # whoever pays for it


def test_a_wallet_that_a_claim_names_stays_open_and_takes_every_amount(trade):
    trade.open("bank-b/spare", f"member:{B}")
    name = trade.owed(wallet="bank-b/spare")
    assert trade.code("bank-b", "close_wallet", wallet="bank-b/spare") == "in_use"
    limits = {"single_max": None, "day_max": None, "year_max": None, "balance_max": 1_000_000}
    assert trade.code(B, "reclass_wallet", wallet="bank-b/spare", limits=limits) == "in_use"
    trade.ok(B, "trade.set_wallet", receivable=name, wallet=WALLETS[B])
    assert trade.code("bank-b", "close_wallet", wallet="bank-b/spare") == "ok"
    trade.open("bank-b/small", f"member:{B}")
    trade.ok(B, "reclass_wallet", wallet="bank-b/small", limits=limits)
    assert trade.code(B, "trade.set_wallet", receivable=name, wallet="bank-b/small") == "class_not_for_claims"


# When it is due


def test_a_receivable_pays_itself_when_it_is_due(trade):
    name = trade.owed(autopay=WALLETS[A])
    before = trade.balance(WALLETS[B])
    (fell,) = trade.fell_due(DUE_DAYS * DAY_MS)
    assert fell["receivables"][0]["status"] == "settled"
    assert trade.balance(WALLETS[B]) == before + AMOUNT
    assert trade.receivable(name).outstanding == 0


def test_what_cannot_pay_itself_is_overdue_and_is_paid_later(trade):
    name = trade.owed(trade.deal(5_100_000), autopay=WALLETS[A])
    before = trade.wallet(WALLETS[A])
    (fell,) = trade.fell_due(DUE_DAYS * DAY_MS)
    assert fell["receivables"][0]["status"] == "overdue"
    assert "posted" not in fell
    assert trade.wallet(WALLETS[A]) == before
    trade.settle(name, 100_000)
    assert trade.receivable(name).status == "overdue"


def test_writing_off_comes_ninety_days_later_and_leaves_the_debt(trade):
    name = trade.owed()
    trade.fell_due(DUE_DAYS * DAY_MS)
    assert trade.code(B, "trade.write_off", receivable=name, reason="x") == "too_soon"
    trade.fell_due(90 * DAY_MS)
    assert trade.code(A, "trade.write_off", receivable=name, reason="x") == "not_yours"
    trade.ok(B, "trade.write_off", receivable=name, reason="x")
    trade.settle(name, AMOUNT)
    assert trade.receivable(name).status == "settled"


# Parts


def test_parts_are_the_whole_and_go_their_own_ways(trade):
    name = trade.owed()
    data = trade.ok(B, "trade.split", receivable=name, amounts=[400_000, 600_000])
    assert [one["id"] for one in data["receivables"]] == ["R2", "R3", "R1"]
    assert [trade.receivable(one).outstanding for one in ("R1", "R2", "R3")] == [0, 400_000, 600_000]
    assert trade.code(A, "trade.settle", receivable="R1", amount=1, **{"from": WALLETS[A]}) == "not_now"
    assert trade.wallet(WALLETS[B]).claims == 2
    trade.finance("R2")
    trade.settle("R3", 600_000)
    assert (trade.receivable("R2").holder, trade.receivable("R3").status) == ("bank-a", "settled")
    assert trade.chain.get(exposure_key("bank-a", A)) == 400_000


@pytest.mark.parametrize(
    ("amounts", "code"),
    [([500_000, 500_001], "not_whole"), ([99_999, 900_001], "too_small"), ([1_000_000], "invalid_argument")],
)
def test_what_is_not_split(trade, amounts, code):
    name = trade.owed()
    assert trade.code(B, "trade.split", receivable=name, amounts=amounts) == code


def test_parts_of_parts_end(trade):
    name = trade.owed(trade.deal(2_000_000))
    for at in range(6):
        left = trade.receivable(name).outstanding - 100_000
        name = trade.ok(B, "trade.split", receivable=name, amounts=[left, 100_000])["receivables"][0]["id"]
        assert trade.receivable(name).depth == at + 1
    left = trade.receivable(name).outstanding - 100_000
    assert trade.code(B, "trade.split", receivable=name, amounts=[left, 100_000]) == "too_many_hands"
