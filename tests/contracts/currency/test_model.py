"""Any sequence of payments and pending transfers, beside a second, naive model: what it says, the ledger says."""

from __future__ import annotations

from dataclasses import dataclass, field

from hypothesis import given, settings
from hypothesis import strategies as st

from coseal.contracts.currency.post import holds
from tests.support.currency import funded, payment

WALLETS = ("bank-a/ea", "bank-b/eb", "bank-a/two")
OWNERS = {"bank-a/ea": "enterprise-a", "bank-b/eb": "enterprise-b", "bank-a/two": "enterprise-a"}
MAX = 60_000
PAY = st.tuples(st.just("pay"), st.sampled_from(WALLETS), st.sampled_from(WALLETS), st.integers(1, MAX))
PEND = st.tuples(st.just("pend"), st.sampled_from(WALLETS), st.sampled_from(WALLETS), st.integers(1, MAX))
END = st.tuples(st.sampled_from(["post", "void"]), st.integers(0, 5), st.integers(1, MAX))
WAIT = st.tuples(st.just("wait"), st.sampled_from([9_000, 10_000, 30_000]))
BATCH = st.tuples(st.just("batch"), st.booleans(), st.lists(PAY, min_size=1, max_size=5))
STEPS = st.lists(st.one_of(PAY, PAY, PEND, END, WAIT, BATCH), max_size=14)


@dataclass
class Naive:
    """Balances and reserves as two dictionaries and a list."""

    balances: dict[str, int]
    reserved: list[list] = field(default_factory=list)  # [from, to, amount, expires_ms], None when it has ended

    def free(self, name):
        return self.balances[name] - sum(one[2] for one in self.reserved if one and one[0] == name)

    def pay(self, debit, credit, amount):
        if debit == credit or amount > self.free(debit):
            return False
        self.balances[debit] -= amount
        self.balances[credit] += amount
        return True

    def pend(self, debit, credit, amount, expires_ms):
        fits = debit != credit and amount <= self.free(debit)
        if fits:
            self.reserved.append([debit, credit, amount, expires_ms])
        return fits

    def end(self, at, posted):
        debit, credit, amount, _ = self.reserved[at]
        if posted > amount:
            return False
        self.reserved[at] = None
        self.balances[debit] -= posted
        self.balances[credit] += posted
        return True

    def pass_to(self, time_ms):
        self.reserved = [None if one is None or one[3] <= time_ms else one for one in self.reserved]


def play(money, naive, step):
    """Take a step on both; return whether each took it."""
    naive.pass_to(money.chain.now_ms)
    match step:
        case ["pay", debit, credit, amount]:
            return money.submit(OWNERS[debit], "pay", **payment(debit, credit, amount)).ok, naive.pay(*step[1:])
        case ["pend", debit, credit, amount]:
            expires_ms = money.chain.now_ms + 10_000
            args = {**payment(debit, credit, amount), "expires_ms": expires_ms, "release": {}}
            return money.submit(OWNERS[debit], "pend", **args).ok, naive.pend(debit, credit, amount, expires_ms)
        case ["batch", linked, items]:
            first = items[0][1]
            orders = [(first, credit, amount) for _, _, credit, amount in items]
            receipt = money.submit(
                OWNERS[first], "pay_batch", items=[payment(*order) for order in orders], linked=linked
            )
            before = dict(naive.balances)
            took = [naive.pay(*order) for order in orders]
            if linked and not all(took):
                naive.balances = before
                return receipt.ok, False
            return [at for at, _ in receipt.data["refused"]], [at for at, one in enumerate(took) if not one]
        case [("post" | "void") as kind, at, amount]:
            if at >= len(naive.reserved):
                return None, None
            args = {"pending": f"P{at + 1}", "amount": amount} if kind == "post" else {"pendings": [f"P{at + 1}"]}
            record = money.chain.get(f"currency/pending/{at + 1}")
            receipt = money.submit(OWNERS[record["credit"]], f"{kind}_pending", **args)
            expected = naive.reserved[at] is not None and naive.end(at, amount if kind == "post" else 0)
            return receipt.ok, expected
        case ["wait", later_ms]:
            money.wait(later_ms)
            naive.pass_to(money.chain.executor.time_ms)
            return None, None
    raise AssertionError(step)


@settings(deadline=None, max_examples=10)
@given(STEPS)
def test_the_ledger_does_what_a_naive_model_does(steps):
    money = funded()
    money.open("bank-a/two", "member:enterprise-a")
    naive = Naive({name: money.balance(name) for name in WALLETS})
    for step in steps:
        taken, expected = play(money, naive, step)
        assert taken == expected, step
        assert {name: money.balance(name) for name in WALLETS} == naive.balances
        assert {name: money.wallet(name).balance.available for name in WALLETS} == {
            name: naive.free(name) for name in WALLETS
        }
        assert holds(money.chain.executor.reader) is None
