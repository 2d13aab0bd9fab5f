"""Any sequence of acts, beside a second, naive model: who owes what to whom, who finances it, where the money is."""

from __future__ import annotations

from dataclasses import dataclass, field

from hypothesis import given, settings
from hypothesis import strategies as st

from coseal.contracts.currency.post import holds
from coseal.contracts.trade.state import book_key, exposure_key
from simulation.walk.trade import rights
from tests.support.trade import WALLETS, A, B, trading

AMOUNT = 400_000
BANKS = ("bank-a", "bank-b")
WHICH = st.integers(0, 5)
FINANCE = st.tuples(st.just("finance"), WHICH, st.sampled_from(BANKS), st.sampled_from(["assignment", "pledge"]))
SETTLE = st.tuples(st.just("settle"), WHICH, st.integers(1, AMOUNT))
SPLIT = st.tuples(st.just("split"), WHICH)
REPAY = st.tuples(st.just("repay"), WHICH, st.integers(1, AMOUNT))
DISPUTE = st.tuples(st.sampled_from(["dispute", "give up"]), WHICH)
STEPS = st.lists(st.one_of(FINANCE, FINANCE, SETTLE, SPLIT, REPAY, DISPUTE), max_size=12)


@dataclass
class Claim:
    """A receivable as a few plain fields; ``loan`` is [principal, fee] while it is pledged."""

    left: int
    holder: str = B
    bank: str = ""
    loan: list[int] | None = None
    disputed: bool = False
    alive: bool = True

    @property
    def free(self) -> bool:
        return self.alive and self.left > 0 and not self.disputed and self.loan is None


@dataclass
class Naive:
    """Claims by number, and balances by member."""

    claims: list[Claim]
    money: dict[str, int] = field(default_factory=dict)

    def move(self, debtor: str, creditor: str, amount: int) -> None:
        self.money[debtor] -= amount
        self.money[creditor] += amount

    def finance(self, claim: Claim, bank: str, kind: str) -> bool:
        if not claim.free or claim.bank:
            return False
        fee = claim.left // 10
        self.move(bank, claim.holder, claim.left - fee)
        claim.bank = bank
        if kind == "assignment":
            claim.holder = bank
        else:
            claim.loan = [claim.left - fee, fee]
        return True

    def _to_loan(self, claim: Claim, amount: int) -> int:
        """Pay a loan, as much of it as the amount is; return the rest."""
        if claim.loan is None:
            return amount
        for part in (0, 1):
            paid = min(amount, claim.loan[part])
            claim.loan[part] -= paid
            amount -= paid
            self.move("", claim.bank, paid)
        if claim.loan == [0, 0]:
            claim.loan, claim.bank = None, ""
        return amount

    def settle(self, claim: Claim, amount: int) -> bool:
        if not claim.alive or amount > claim.left:
            return False
        self.move(A, "", amount)
        rest = self._to_loan(claim, amount)
        self.move("", claim.holder, rest)
        claim.left -= amount
        claim.alive = claim.left > 0
        return True

    def repay(self, claim: Claim, amount: int) -> bool:
        if claim.loan is None or amount > sum(claim.loan):
            return False
        self.move(B, "", amount)
        self._to_loan(claim, amount)
        return True

    def split(self, claim: Claim) -> bool:
        half = claim.left // 2
        if not claim.free or half < 100_000:
            return False
        for part in (half, claim.left - half):
            self.claims.append(Claim(part, claim.holder, claim.bank))
        claim.left, claim.alive = 0, False
        return True


def play(trade, naive, step):
    """Take a step on both; return whether each took it."""
    kind, at, *rest = step
    if at >= len(naive.claims):
        return None, None
    claim, name = naive.claims[at], f"R{at + 1}"
    found = trade.receivable(name)
    match kind:
        case "finance":
            bank = rest[0]
            offered = trade.submit(
                bank,
                "trade.offer_finance",
                **trade.financing(name, *rest, advance=max(1, claim.left - claim.left // 10)),
            )
            args = {"receivable": name, "bank": bank, "wallet": WALLETS[B]}
            return offered.ok and trade.submit(B, "trade.accept_finance", **args).ok, naive.finance(claim, *rest)
        case "settle":
            args = {"receivable": name, "amount": rest[0], "from": WALLETS[A]}
            return trade.submit(A, "trade.settle", **args).ok, naive.settle(claim, rest[0])
        case "repay":
            args = {"loan": f"L{found.loan}", "amount": rest[0], "from": WALLETS[B]}
            return trade.submit(B, "trade.repay", **args).ok, naive.repay(claim, rest[0])
        case "split":
            half = claim.left // 2
            amounts = [max(1, half), max(1, claim.left - half)]
            return trade.submit(claim.holder, "trade.split", receivable=name, amounts=amounts).ok, naive.split(claim)
        case "dispute":
            expected = claim.alive and not claim.disputed and found.disputes < 4
            claim.disputed = claim.disputed or expected
            return trade.submit(A, "trade.dispute", receivable=name, reason="x").ok, expected
        case "give up":
            expected = claim.alive and claim.disputed
            claim.disputed = claim.disputed and not expected
            return trade.submit(A, "trade.resolve", receivable=name, amount=0).ok, expected
    raise AssertionError(step)


@settings(deadline=None, max_examples=8)
@given(STEPS)
def test_the_ledger_does_what_a_naive_model_does(steps):
    trade = trading()
    for _ in range(2):
        trade.owed(trade.deal(AMOUNT))
    members = (A, B, *BANKS)
    naive = Naive([Claim(AMOUNT), Claim(AMOUNT)], {"": 0, **{one: trade.balance(WALLETS[one]) for one in members}})
    for step in steps:
        taken, expected = play(trade, naive, step)
        assert taken == expected, step
        assert {one: trade.balance(WALLETS[one]) for one in members} == {one: naive.money[one] for one in members}
        for number, claim in enumerate(naive.claims, 1):
            found = trade.receivable(f"R{number}")
            assert (found.outstanding, found.holder) == (claim.left, claim.holder), (step, number)
            assert (found.financier if claim.alive else "", found.pledgee if claim.alive else "") == (
                claim.bank if claim.alive else "",
                claim.bank if claim.alive and claim.loan is not None else "",
            )
        for bank in BANKS:
            expected_exposure = sum(claim.left for claim in naive.claims if claim.bank == bank and claim.alive)
            assert (trade.chain.get(exposure_key(bank, A)) or 0) == expected_exposure
            assert (trade.chain.get(book_key(bank)) or 0) == expected_exposure
        rights(trade.chain.executor.reader)
        assert holds(trade.chain.executor.reader) is None
