"""Receivables change hands: against matched debt or to a bank, with the money, once; recourse and disputes."""

from __future__ import annotations

import itertools

import pytest

from coseal.contracts.trade.ledger import waterfall
from coseal.contracts.trade.state import book_key, exposure_key
from tests.support.currency import DAY_MS
from tests.support.trade import AMOUNT, DUE_DAYS, WALLETS, A, B, C, trading


@pytest.fixture
def trade():
    return trading()


# Transfer


def test_a_receivable_is_taken_over_for_a_debt_that_matches(trade):
    name = trade.owed()
    trade.transfer(name)
    found = trade.receivable(name)
    assert (found.holder, found.wallet, found.hands) == (C, WALLETS[C], [[B, True]])
    before = trade.balance(WALLETS[C])
    trade.settle(name, AMOUNT)
    assert trade.balance(WALLETS[C]) == before + AMOUNT


def test_a_debt_pays_for_one_receivable_only(trade):
    first, second = trade.owed(), trade.owed()
    args = trade.transferring(first)
    trade.ok(B, "trade.offer_transfer", **args)
    trade.ok(B, "trade.offer_transfer", **{**args, "receivable": second})
    trade.ok(C, "trade.accept_transfer", receivable=first, wallet=WALLETS[C])
    assert trade.code(C, "trade.accept_transfer", receivable=second, wallet=WALLETS[C]) == "no_debt_between"


def test_what_is_not_offered(trade):
    name = trade.owed()
    args = trade.transferring(name)
    for changes, code in (
        ({"to": A}, "same_party"),
        ({"to": B}, "same_party"),
        ({"to": "nobody"}, "unknown_member"),
        ({"to": "bank-a"}, "no_debt_between"),
        ({"against": [{**args["against"][0], "amount": AMOUNT - 1}]}, "no_debt_between"),
        ({"expires_ms": 1}, "bad_term"),
        ({"expires_ms": trade.chain.now_ms + 31 * DAY_MS}, "bad_term"),
        ({"receivable": "R7"}, "unknown_receivable"),
    ):
        assert trade.code(B, "trade.offer_transfer", **{**args, **changes}) == code, changes
    assert trade.code(A, "trade.offer_transfer", **args) == "not_yours"
    trade.ok(B, "trade.offer_transfer", **args)
    assert trade.code(B, "trade.offer_transfer", **args) == "exists"
    assert trade.code(C, "trade.withdraw_offer", receivable=name, member=C) == "not_yours"
    trade.ok(B, "trade.withdraw_offer", receivable=name, member=C)
    assert trade.code(C, "trade.accept_transfer", receivable=name, wallet=WALLETS[C]) == "unknown_offer"
    assert trade.code(B, "trade.withdraw_offer", receivable=name, member=C) == "unknown_offer"


def test_an_offer_that_is_over_is_none(trade):
    name = trade.owed()
    trade.ok(B, "trade.offer_transfer", **trade.transferring(name))
    trade.fell_due(DAY_MS)
    assert trade.code(C, "trade.accept_transfer", receivable=name, wallet=WALLETS[C]) == "unknown_offer"


def test_an_offer_that_was_made_to_one_holder_is_not_for_the_next(trade):
    name = trade.owed()
    trade.ok("bank-a", "trade.offer_finance", **trade.financing(name))
    trade.transfer(name)
    args = {"receivable": name, "bank": "bank-a", "wallet": WALLETS[C]}
    assert trade.code(C, "trade.accept_finance", **args) == "encumbered"
    trade.finance(name)
    assert trade.receivable(name).hands == [[B, True], [C, True]]


def test_a_receivable_goes_through_six_hands_and_recourse_comes_back_along_them(trade):
    name = trade.owed()
    hands = [C, B, C, B, C, B]
    for to in hands:
        trade.transfer(name, to)
    assert trade.code(B, "trade.offer_transfer", **trade.transferring(name)) == "too_many_hands"
    trade.fell_due(DUE_DAYS * DAY_MS)
    for payer in (C, B, C, B, C, B):
        holder = trade.receivable(name).holder
        before = trade.balance(WALLETS[holder])
        trade.ok(holder, "trade.claim_recourse", receivable=name)
        trade.ok(payer, "trade.pay_recourse", receivable=name, **{"from": WALLETS[payer]})
        assert (trade.receivable(name).holder, trade.receivable(name).status) == (payer, "overdue")
        assert trade.balance(WALLETS[holder]) == before + AMOUNT
    assert trade.receivable(name).hands == []
    assert trade.code(B, "trade.claim_recourse", receivable=name) == "no_recourse"


def test_recourse_is_for_what_is_overdue_and_was_given(trade):
    name = trade.owed()
    trade.transfer(name, recourse=False)
    assert trade.code(C, "trade.claim_recourse", receivable=name) == "not_now"
    trade.fell_due(DUE_DAYS * DAY_MS)
    assert trade.code(B, "trade.claim_recourse", receivable=name) == "not_yours"
    assert trade.code(C, "trade.claim_recourse", receivable=name) == "no_recourse"
    assert trade.code(B, "trade.pay_recourse", receivable=name, **{"from": WALLETS[B]}) == "not_now"


# Financing


def test_money_and_claim_change_hands_at_once(trade):
    name = trade.owed()
    bank, holder = trade.balance(WALLETS["bank-a"]), trade.balance(WALLETS[B])
    data = trade.finance(name)
    assert (trade.receivable(name).holder, trade.receivable(name).financier) == ("bank-a", "bank-a")
    assert (trade.balance(WALLETS["bank-a"]), trade.balance(WALLETS[B])) == (bank - 900_000, holder + 900_000)
    assert data["exposures"] == [["bank-a", A, AMOUNT, AMOUNT]]
    trade.settle(name, AMOUNT)
    assert trade.balance(WALLETS["bank-a"]) == bank + 100_000
    assert (trade.chain.get(exposure_key("bank-a", A)), trade.chain.get(book_key("bank-a"))) == (None, None)


def test_neither_moves_where_the_money_is_not_there(trade):
    name = trade.owed()
    trade.open("bank-a/empty", "member:bank-a")
    trade.ok("bank-a", "trade.offer_finance", **trade.financing(name, **{"from": "bank-a/empty"}))
    keys = [f"currency/wallet/{wallet}" for wallet in (*WALLETS.values(), "bank-a/empty")]
    keys += ["trade/receivable/1", "trade/offer/1/bank-a", "currency/totals", "trade/count"]
    before = {key: trade.chain.get(key) for key in keys}
    args = {"receivable": name, "bank": "bank-a", "wallet": WALLETS[B]}
    assert trade.code(B, "trade.accept_finance", **args) == "insufficient"
    assert {key: trade.chain.get(key) for key in keys} == before


def test_a_pledge_is_paid_first_and_ends_with_its_loan(trade):
    name = trade.owed()
    trade.finance(name, kind="pledge")
    assert (trade.receivable(name).holder, trade.receivable(name).pledgee) == (B, "bank-a")
    assert trade.code(B, "trade.split", receivable=name, amounts=[500_000, 500_000]) == "encumbered"
    holder = trade.balance(WALLETS[B])
    data = trade.settle(name, 950_000)
    assert [one["amount"] for one in data["posted"]["payments"]] == [950_000]
    assert (trade.loan("L1").principal, trade.loan("L1").fee) == (0, 50_000)
    trade.settle(name, 50_000)
    assert (trade.loan("L1").status, trade.receivable(name).status) == ("repaid", "settled")
    assert trade.balance(WALLETS[B]) == holder
    assert trade.wallet(WALLETS["bank-a"]).claims == 0


def test_a_borrower_repays_and_gets_its_pledge_back(trade):
    name = trade.owed()
    trade.finance(name, kind="pledge", advance=300_000, fee=1_000)
    args = {"loan": "L1", "from": WALLETS[B]}
    assert trade.code(B, "trade.repay", amount=301_001, **args) == "not_whole"
    assert trade.code(A, "trade.repay", amount=1, loan="L1", **{"from": WALLETS[A]}) == "not_yours"
    assert trade.code(B, "trade.repay", amount=1, loan="L2", **{"from": WALLETS[B]}) == "unknown_loan"
    trade.ok(B, "trade.repay", amount=300_500, **args)
    assert (trade.loan("L1").principal, trade.loan("L1").fee) == (0, 500)
    trade.ok(B, "trade.repay", amount=500, **args)
    assert (trade.receivable(name).pledgee, trade.receivable(name).loan) == ("", 0)
    assert trade.chain.get(exposure_key("bank-a", A)) is None
    trade.finance(name, "bank-b")
    assert trade.receivable(name).holder == "bank-b"


def test_what_a_bank_does_not_offer(trade):
    name = trade.owed()
    args = trade.financing(name)
    for changes, code in (
        ({"advance": 900_001}, "not_whole"),
        ({"kind": "pledge", "advance": AMOUNT + 1}, "not_whole"),
        ({"from": WALLETS[B]}, "not_your_wallet"),
        ({"wallet": "bank-a/vault"}, "class_not_for_claims"),
        ({"expires_ms": 1}, "bad_term"),
        ({"kind": "gift"}, "invalid_argument"),
    ):
        assert trade.code("bank-a", "trade.offer_finance", **{**args, **changes}) == code, changes
    assert trade.code(B, "trade.offer_finance", **args) == "not_a_bank"
    assert trade.code(B, "trade.set_limit", debtor=A, amount=1) == "not_a_bank"
    trade.ok("bank-a", "trade.set_limit", debtor=A, amount=AMOUNT - 1)
    assert trade.code("bank-a", "trade.offer_finance", **args) == "over_exposure"


def test_a_limit_counts_what_was_financed_between_offer_and_acceptance(trade):
    trade.ok("bank-a", "trade.set_limit", debtor=A, amount=AMOUNT)
    first, second = trade.owed(), trade.owed()
    for name in (first, second):
        trade.ok("bank-a", "trade.offer_finance", **trade.financing(name))
    args = {"bank": "bank-a", "wallet": WALLETS[B]}
    trade.ok(B, "trade.accept_finance", receivable=first, **args)
    assert trade.code(B, "trade.accept_finance", receivable=second, **args) == "over_exposure"
    trade.settle(first, AMOUNT)
    assert trade.code(B, "trade.accept_finance", receivable=second, **args) == "ok"


def steps_in_order():
    """Every order of two banks' offers and acceptances in which each offer precedes its own acceptance."""
    steps = [("offer", "bank-a"), ("accept", "bank-a"), ("offer", "bank-b"), ("accept", "bank-b")]
    for order in itertools.permutations(steps):
        if all(order.index(("offer", bank)) < order.index(("accept", bank)) for bank in ("bank-a", "bank-b")):
            yield order


def raced(trade, name, kinds, order):
    """Return each step with the arguments that it is sent with."""
    found = []
    for step, bank in order:
        if step == "offer":
            found.append((bank, "trade.offer_finance", trade.financing(name, bank, kinds[bank])))
        else:
            found.append((B, "trade.accept_finance", {"receivable": name, "bank": bank, "wallet": WALLETS[B]}))
    return found


@pytest.mark.parametrize("blocks", ["one block", "a block each"])
@pytest.mark.parametrize("kinds", list(itertools.product(["assignment", "pledge"], repeat=2)), ids="-".join)
def test_two_banks_race_for_one_receivable_and_one_finances_it_in_every_order(trade, kinds, blocks):
    by_bank = dict(zip(("bank-a", "bank-b"), kinds, strict=True))
    for order in steps_in_order():
        name = trade.owed(trade.deal(200_000))
        money = {wallet: trade.balance(wallet) for wallet in WALLETS.values()}
        calls = raced(trade, name, by_bank, order)
        if blocks == "one block":
            receipts = trade.chain.block(*(trade.sign(who, action, **args) for who, action, args in calls))
        else:
            receipts = [trade.submit(who, action, **args) for who, action, args in calls]
        codes = dict(zip(order, (receipt.code for receipt in receipts), strict=True))
        winner = next(bank for step, bank in order if step == "accept")
        loser = "bank-b" if winner == "bank-a" else "bank-a"
        assert (codes["offer", winner], codes["accept", winner]) == ("ok", "ok")
        assert codes["accept", loser] == "encumbered"
        late = order.index(("offer", loser)) > order.index(("accept", winner))
        assert codes["offer", loser] == ("encumbered" if late else "ok")
        assert trade.receivable(name).financier == winner
        assert trade.balance(WALLETS[winner]) == money[WALLETS[winner]] - 180_000
        assert trade.balance(WALLETS[loser]) == money[WALLETS[loser]]
        assert trade.balance(WALLETS[B]) == money[WALLETS[B]] + 180_000


def test_other_acts_race_with_financing_and_one_of_them_happens(trade):
    def free():
        name = trade.owed(trade.deal(200_000))
        trade.ok("bank-a", "trade.offer_finance", **trade.financing(name))
        return name

    def accept(name):
        return B, "trade.accept_finance", {"receivable": name, "bank": "bank-a", "wallet": WALLETS[B]}

    def split(name):
        return B, "trade.split", {"receivable": name, "amounts": [100_000, 100_000]}

    def settle(name):
        return A, "trade.settle", {"receivable": name, "amount": 200_000, "from": WALLETS[A]}

    def dispute(name):
        return A, "trade.dispute", {"receivable": name, "reason": "broken"}

    def part(name):
        return A, "trade.settle", {"receivable": name, "amount": 1, "from": WALLETS[A]}

    for first, second, codes in (
        (split, accept, ["ok", "encumbered"]),
        (accept, split, ["ok", "not_yours"]),
        (settle, accept, ["ok", "encumbered"]),
        (accept, settle, ["ok", "ok"]),
        (part, accept, ["ok", "not_whole"]),
        (dispute, accept, ["ok", "encumbered"]),
        (accept, dispute, ["ok", "ok"]),
    ):
        name = free()
        receipts = trade.chain.block(
            *(trade.sign(who, action, **args) for who, action, args in (first(name), second(name)))
        )
        if (first, second) == (accept, split):
            assert trade.code("bank-a", "trade.split", receivable=name, amounts=[100_000, 100_000]) == "ok"
        assert [receipt.code for receipt in receipts] == codes


# Members that leave


def removed(trade, member):
    subject = {"member": member, "grounds": [{"kind": "external", "id": "Judgment 7/2026"}]}
    trade.ok("regulator", "governance.propose", id="out", kind="remove_member", subject=subject, reason="It closed")
    for voter in ("central-bank", "bank-a"):
        trade.ok(voter, "governance.vote", ballot="out", choice="yes")


def test_the_offer_of_a_removed_bank_ends(trade):
    name = trade.owed()
    trade.ok("bank-b", "trade.offer_finance", **trade.financing(name, "bank-b"))
    removed(trade, "bank-b")
    args = {"receivable": name, "bank": "bank-b", "wallet": WALLETS[B]}
    assert trade.code(B, "trade.accept_finance", **args) == "unknown_offer"
    trade.finance(name)


def test_a_removed_creditor_is_paid_and_repays(trade):
    name, lent = trade.owed(), trade.owed()
    trade.finance(lent, kind="pledge", advance=300_000, fee=0)
    removed(trade, B)
    before = trade.balance(WALLETS[B])
    trade.settle(name, AMOUNT)
    assert trade.balance(WALLETS[B]) == before + AMOUNT
    trade.ok(B, "trade.repay", loan="L1", amount=300_000, **{"from": WALLETS[B]})
    assert trade.receivable(lent).pledgee == ""
    assert trade.code(B, "trade.split", receivable=lent, amounts=[500_000, 500_000]) == "former_member"
    trade.ok(B, "trade.set_wallet", receivable=lent, wallet=WALLETS[B])


# Disputes


def test_a_dispute_keeps_it_from_moving_and_not_from_being_paid(trade):
    name = trade.owed()
    assert trade.code(B, "trade.dispute", receivable=name, reason="x") == "not_yours"
    trade.ok(A, "trade.dispute", receivable=name, reason="10 came back")
    assert trade.code(A, "trade.dispute", receivable=name, reason="x") == "exists"
    assert trade.code("bank-a", "trade.offer_finance", **trade.financing(name)) == "encumbered"
    trade.settle(name, 100_000)
    assert trade.code(A, "trade.answer", receivable=name, reason="x") == "not_yours"
    trade.ok(B, "trade.answer", receivable=name, reason="they came late")
    assert trade.fell_due(15 * DAY_MS)[0]["receivables"][0]["disputed"] is False
    trade.finance(name)


def test_silence_of_the_holder_keeps_it_disputed(trade):
    name = trade.owed()
    trade.ok(A, "trade.dispute", receivable=name, reason="x")
    trade.fell_due(30 * DAY_MS)
    assert trade.receivable(name).dispute is not None


def test_whoever_has_a_right_in_it_agrees_to_a_credit_note(trade):
    name = trade.owed()
    trade.finance(name, kind="pledge")
    trade.ok(A, "trade.dispute", receivable=name, reason="x")
    assert trade.code(C, "trade.resolve", receivable=name, amount=1) == "not_yours"
    assert trade.code(A, "trade.resolve", receivable=name, amount=AMOUNT + 1) == "not_whole"
    for member in (A, B):
        trade.ok(member, "trade.resolve", receivable=name, amount=100_000)
        assert trade.receivable(name).outstanding == AMOUNT
    trade.ok("bank-a", "trade.resolve", receivable=name, amount=99_999)
    assert trade.receivable(name).outstanding == AMOUNT
    trade.ok("bank-a", "trade.resolve", receivable=name, amount=100_000)
    found = trade.receivable(name)
    assert (found.outstanding, found.dispute) == (AMOUNT - 100_000, None)
    assert trade.chain.get(exposure_key("bank-a", A)) == AMOUNT - 100_000


def test_the_first_creditor_reduces_nothing_that_it_sold(trade):
    name = trade.owed()
    trade.finance(name)
    trade.ok(A, "trade.dispute", receivable=name, reason="x")
    assert trade.code(B, "trade.resolve", receivable=name, amount=100_000) == "not_yours"
    trade.ok(A, "trade.resolve", receivable=name, amount=0)
    assert trade.receivable(name).dispute is None
    assert trade.code(A, "trade.resolve", receivable=name, amount=0) == "no_dispute"


def test_a_debtor_disputes_a_receivable_four_times_at_most(trade):
    name = trade.owed()
    for _ in range(4):
        trade.ok(A, "trade.dispute", receivable=name, reason="x")
        trade.ok(A, "trade.resolve", receivable=name, amount=0)
    assert trade.code(A, "trade.dispute", receivable=name, reason="x") == "limit"


# Holds


def opened(trade, **about):
    why = {"severity": "warning", "reason": "insolvency", "legal_basis": ["external: court order 1"]}
    finding = trade.ok("regulator", "trade.open_case", **why, **about)["id"]
    trade.ok("regulator", "supervision.hold", finding=finding, reason="x", hold_ms=DAY_MS)


def test_a_hold_stops_a_receivable_and_not_its_payment(trade):
    name = trade.owed()
    trade.ok("bank-a", "trade.offer_finance", **trade.financing(name))
    opened(trade, receivable=name)
    args = {"receivable": name, "bank": "bank-a", "wallet": WALLETS[B]}
    assert trade.code(B, "trade.accept_finance", **args) == "held"
    assert trade.code(B, "trade.set_wallet", receivable=name, wallet=WALLETS[B]) == "held"
    trade.settle(name, AMOUNT)


def test_a_party_that_is_held_does_and_pays_nothing_and_is_paid(trade):
    name, other = trade.owed(autopay=WALLETS[A]), trade.owed(debtor=C)
    trade.ok("bank-a", "trade.offer_finance", **trade.financing(name))
    opened(trade, party=B)
    opened(trade, party=A)
    args = {"receivable": name, "bank": "bank-a", "wallet": WALLETS[B]}
    assert trade.code(B, "trade.accept_finance", **args) == "stayed"
    assert trade.code(A, "trade.settle", receivable=name, amount=1, **{"from": WALLETS[A]}) == "stayed"
    trade.settle(other, AMOUNT, C)
    assert (
        trade.code("regulator", "trade.open_case", severity="warning", reason="x", legal_basis=["external: y"])
        == "invalid_argument"
    )


def test_money_is_divided_by_rank():
    assert waterfall(10, (7, 2)) == [7, 2]
    assert waterfall(8, (7, 2)) == [7, 1]
    assert waterfall(3, (7, 2)) == [3, 0]


@pytest.fixture
def decided(trade):
    """A disputed receivable, and a case about it that the regulator decided."""
    name = trade.owed()
    trade.ok(A, "trade.dispute", receivable=name, reason="10 of 100 came back")

    def decide(outcome="rectified", *, wait=True):
        why = {"severity": "warning", "reason": "Who is right?", "legal_basis": ["external: contract, section 4"]}
        finding = trade.ok("regulator", "trade.open_case", receivable=name, **why)["id"]
        trade.ok("regulator", "supervision.acknowledge", finding=finding)
        trade.ok("regulator", "supervision.inquire", finding=finding, question="What came back?")
        trade.ok(B, "supervision.respond", finding=finding, response="Ten")
        trade.ok("regulator", "supervision.decide", finding=finding, outcome=outcome, reason="As the documents say")
        if wait and outcome != "dismissed":
            trade.chain.extend([], later_ms=31 * DAY_MS)
        return {"receivable": name, "finding": finding, "amount": 100_000}

    return decide


def test_a_supervisor_resolves_a_dispute_by_what_it_decided(trade, decided):
    args = decided()
    for other in (A, B, "city"):
        assert trade.code(other, "trade.resolve", **args) == "not_yours"
    trade.ok("regulator", "trade.resolve", **args)
    found = trade.receivable(args["receivable"])
    assert (found.outstanding, found.dispute) == (AMOUNT - 100_000, None)
    trade.ok(A, "trade.dispute", receivable=args["receivable"], reason="again")
    assert trade.code("regulator", "trade.resolve", **args) == "not_decided"  # it was raised before


def test_what_is_not_decided_yet_or_dismissed_takes_nothing_off(trade, decided):
    assert trade.code("regulator", "trade.resolve", **decided(wait=False)) == "not_decided"
    args = decided("dismissed")
    assert trade.code("regulator", "trade.resolve", **args) == "not_whole"
    assert trade.code("regulator", "trade.resolve", **{**args, "finding": "F99"}) == "unknown_finding"
    trade.ok("regulator", "trade.resolve", **{**args, "amount": 0})
    found = trade.receivable(args["receivable"])
    assert (found.outstanding, found.dispute) == (AMOUNT, None)


def test_a_finding_about_another_receivable_decides_nothing(trade, decided):
    args, other = decided(), trade.owed()
    trade.ok(A, "trade.dispute", receivable=other, reason="late")
    assert trade.code("regulator", "trade.resolve", **{**args, "receivable": other}) == "not_decided"


def test_silence_ends_no_dispute_that_a_supervisor_is_about_to_decide(trade, decided):
    args = decided(wait=False)
    trade.ok(B, "trade.answer", receivable=args["receivable"], reason="they came late")
    trade.fell_due(15 * DAY_MS)
    assert trade.receivable(args["receivable"]).dispute is not None
    trade.fell_due(31 * DAY_MS)
    trade.fell_due(31 * DAY_MS)
    assert trade.receivable(args["receivable"]).dispute is None
