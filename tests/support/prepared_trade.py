"""The examples of trade made valid: lines that match, receivables in every status, offers, loans.

Law: as in ``tests.support.prepared``, whose chain it is.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Final

from coseal.contracts.trade.paying import WRITE_OFF_MS
from coseal.contracts.trade.runs import CLEARING_MS
from tests.support.chain import Chain
from tests.support.supervised import DAY_MS
from tests.support.trade import ORDERS, event

Args = dict[str, Any]
Ready = tuple[str, Args]

DEBTOR, CREDITOR, THIRD, BANK = "enterprise-a", "public-a", "city", "bank-a"
WALLETS: Final = {DEBTOR: "bank-a/ea", CREDITOR: "bank-a/pub", THIRD: "bank-a/city", BANK: "bank-a/own"}
AMOUNT: Final = 1_000_000
SOON_MS: Final = 60_000
PER_BATCH: Final = 50
RUN_MS: Final = 2 * CLEARING_MS
RUNS_OF: Final = (DEBTOR, CREDITOR, THIRD, BANK, "regulator", "central-bank")
MANY_OVERDUE: Final = 400
"""So many are made overdue at once, for those that time is spent on."""


class PreparedTrade:
    """What ``Prepared`` has for the actions of trade."""

    chain: Chain

    def __init__(self) -> None:
        self._sequences: dict[str, int] = {}
        self._long_overdue: list[str] = []

    @property
    def now_ms(self) -> int:
        raise NotImplementedError

    def _ok(self, calls: Sequence[tuple[str, str, Args]]) -> list[dict[str, Any]]:
        raise NotImplementedError

    def _next(self) -> int:
        raise NotImplementedError

    def _money(self) -> None:
        raise NotImplementedError

    def _trading(self) -> None:
        """Have lines defined, and a wallet with money of everybody."""
        self._money()
        if self._sequences:
            return
        self._sequences = dict.fromkeys((DEBTOR, CREDITOR, THIRD), 0)
        self._ok([(CREDITOR, "process.define_type", ORDERS)])
        source = {"id": "erp", "process_type": "orders", "mode": "historical"}
        self._ok([(member, "process.register_source", source) for member in self._sequences])
        for member in (CREDITOR, THIRD, BANK):
            wallet = {"id": WALLETS[member].partition("/")[2], "class": "corporate", "holder": f"member:{member}"}
            paid = {"from": "bank-a/vault", "to": WALLETS[member], "amount": 10**13, "code": "CASH"}
            self._ok([(BANK, "currency.open_wallet", wallet), (BANK, "currency.pay", paid)])
        self._ok([(BANK, "trade.set_limit", {"debtor": DEBTOR, "amount": 10**15})])

    def _lines(self, count: int, buyer: str = DEBTOR, seller: str = CREDITOR) -> list[Args]:
        """Have so many lines ordered, received and invoiced; return them as they are claimed."""
        self._trading()
        names = [f"{buyer}/P{self._next()}/1" for _ in range(count)]
        unit, net = {"unit": "KGM", "currency": "CNY"}, f"{AMOUNT // 100}.00"
        bought, sold = [], []
        for name in names:
            bought.append(event(f"o{name}", "Order line placed", name, seller, quantity="1", net_amount=net, **unit))
            bought.append(event(f"r{name}", "Goods received", name, seller, accepted="1", unit="KGM"))
            sold.append(event(f"i{name}", "Invoice line issued", name, buyer, quantity="1", net_amount=net, **unit))
        self._record(buyer, bought)
        self._record(seller, sold)
        return [{"object": ["orders", "order_line", name], "amount": AMOUNT} for name in names]

    def _record(self, member: str, items: list[Args]) -> None:
        for start in range(0, len(items), PER_BATCH):
            batch, first = items[start : start + PER_BATCH], self._sequences[member] + 1
            self._ok([(member, "process.record", {"source": "erp", "sequence": first, "items": batch})])
            self._sequences[member] += len(batch)

    def _trade_issue(self, count: int, after_ms: int = 300 * DAY_MS) -> Iterator[Ready]:
        for line in self._lines(count):
            invoice = {"number": f"P{self._next()}", "date": "2026-03-31", "total": AMOUNT}
            args = {"debtor": DEBTOR, "amount": AMOUNT, "tax": 0, "due_ms": self.now_ms + after_ms, "lines": [line]}
            yield CREDITOR, {**args, "invoice": invoice, "wallet": WALLETS[CREDITOR]}

    def _issued(self, count: int, after_ms: int = 300 * DAY_MS) -> list[str]:
        calls = [(sender, "trade.issue", args) for sender, args in self._trade_issue(count, after_ms)]
        return [data["receivables"][0]["id"] for data in self._ok(calls)]

    def _trade_accept(self, count: int) -> Iterator[Ready]:
        for name in self._issued(count):
            yield DEBTOR, {"receivable": name}

    def _trade_reject(self, count: int) -> Iterator[Ready]:
        for name in self._issued(count):
            yield DEBTOR, {"receivable": name, "reason": "Late"}

    def _owed(self, count: int, after_ms: int = 300 * DAY_MS) -> list[str]:
        names = self._issued(count, after_ms)
        self._ok([(DEBTOR, "trade.accept", {"receivable": name}) for name in names])
        return names

    def _trade_split(self, count: int) -> Iterator[Ready]:
        for name in self._owed(count):
            yield CREDITOR, {"receivable": name, "amounts": [AMOUNT // 2, AMOUNT // 2]}

    def _trade_offer_transfer(self, count: int, after_ms: int = 300 * DAY_MS) -> Iterator[Ready]:
        names, lines = self._owed(count, after_ms), self._lines(count, CREDITOR, THIRD)
        for name, line in zip(names, lines, strict=True):
            until_ms = self.now_ms + DAY_MS
            yield (
                CREDITOR,
                {"receivable": name, "to": THIRD, "against": [line], "recourse": True, "expires_ms": until_ms},
            )

    def _transferring(self, count: int, after_ms: int = 300 * DAY_MS) -> list[str]:
        calls = [(sender, "trade.offer_transfer", args) for sender, args in self._trade_offer_transfer(count, after_ms)]
        self._ok(calls)
        return [args["receivable"] for _, _, args in calls]

    def _trade_accept_transfer(self, count: int) -> Iterator[Ready]:
        for name in self._transferring(count):
            yield THIRD, {"receivable": name, "wallet": WALLETS[THIRD]}

    def _trade_withdraw_offer(self, count: int) -> Iterator[Ready]:
        for name in self._transferring(count):
            yield CREDITOR, {"receivable": name, "member": THIRD}

    def _trade_set_limit(self, count: int) -> Iterator[Ready]:
        for _ in range(count):
            yield BANK, {"debtor": THIRD, "amount": 10**15}

    def _trade_offer_finance(self, count: int, kind: str = "assignment") -> Iterator[Ready]:
        for name in self._owed(count):
            terms = {"receivable": name, "kind": kind, "advance": AMOUNT - 1_000, "fee": 1_000, "recourse": True}
            wallets = {"from": WALLETS[BANK], "wallet": WALLETS[BANK]}
            yield BANK, {**terms, **wallets, "expires_ms": self.now_ms + DAY_MS}

    def _trade_accept_finance(self, count: int, kind: str = "assignment") -> Iterator[Ready]:
        calls = [(sender, "trade.offer_finance", args) for sender, args in self._trade_offer_finance(count, kind)]
        self._ok(calls)
        for _, _, args in calls:
            yield CREDITOR, {"receivable": args["receivable"], "bank": BANK, "wallet": WALLETS[CREDITOR]}

    def _trade_repay(self, count: int) -> Iterator[Ready]:
        calls = [(sender, "trade.accept_finance", args) for sender, args in self._trade_accept_finance(count, "pledge")]
        for data in self._ok(calls):
            yield CREDITOR, {"loan": data["loans"][0]["id"], "amount": 1_000, "from": WALLETS[CREDITOR]}

    def _trade_settle(self, count: int) -> Iterator[Ready]:
        for name in self._owed(count):
            yield DEBTOR, {"receivable": name, "amount": AMOUNT, "from": WALLETS[DEBTOR]}

    def _trade_set_wallet(self, count: int) -> Iterator[Ready]:
        for name in self._owed(count):
            yield CREDITOR, {"receivable": name, "wallet": WALLETS[CREDITOR]}

    def _trade_claim_recourse(self, count: int) -> Iterator[Ready]:
        names = self._transferring(count, SOON_MS)
        self._ok([(THIRD, "trade.accept_transfer", {"receivable": name, "wallet": WALLETS[THIRD]}) for name in names])
        self.chain.extend([], later_ms=2 * SOON_MS)
        for name in names:
            yield THIRD, {"receivable": name}

    def _trade_pay_recourse(self, count: int) -> Iterator[Ready]:
        claims = list(self._trade_claim_recourse(count))
        self._ok([(sender, "trade.claim_recourse", args) for sender, args in claims])
        for _, args in claims:
            yield CREDITOR, {**args, "from": WALLETS[CREDITOR]}

    def _trade_write_off(self, count: int) -> Iterator[Ready]:
        if len(self._long_overdue) < count:
            self._long_overdue += self._owed(max(count, MANY_OVERDUE), SOON_MS)
            self.chain.extend([], later_ms=SOON_MS + WRITE_OFF_MS)
        for _ in range(count):
            yield CREDITOR, {"receivable": self._long_overdue.pop(), "reason": "Insolvent"}

    def _trade_dispute(self, count: int) -> Iterator[Ready]:
        for name in self._owed(count):
            yield DEBTOR, {"receivable": name, "reason": "It is broken"}

    def _disputed(self, count: int) -> list[str]:
        calls = [(sender, "trade.dispute", args) for sender, args in self._trade_dispute(count)]
        self._ok(calls)
        return [args["receivable"] for _, _, args in calls]

    def _trade_answer(self, count: int) -> Iterator[Ready]:
        for name in self._disputed(count):
            yield CREDITOR, {"receivable": name, "reason": "It is not"}

    def _trade_resolve(self, count: int) -> Iterator[Ready]:
        for name in self._disputed(count):
            yield CREDITOR, {"receivable": name, "amount": 1_000}

    def _trade_open_run(self, count: int) -> Iterator[Ready]:
        """One for each member, when all that there were are over."""
        self._trading()
        self.chain.extend([], later_ms=RUN_MS + CLEARING_MS)
        for number in range(count):
            yield RUNS_OF[number % len(RUNS_OF)], {"closes_ms": self.now_ms + RUN_MS}

    def _nettable(self, count: int) -> list[str]:
        calls = list(self._trade_issue(count))
        issued = self._ok([(sender, "trade.issue", {**args, "nettable": True}) for sender, args in calls])
        names = [data["receivables"][0]["id"] for data in issued]
        self._ok([(DEBTOR, "trade.accept", {"receivable": name}) for name in names])
        return names

    def _trade_enter(self, count: int) -> Iterator[Ready]:
        names = self._nettable(count)
        ((member, args),) = self._trade_open_run(1)
        (opened,) = self._ok([(member, "trade.open_run", args)])
        for name in names:
            yield CREDITOR, {"run": opened["run"]["id"], "receivables": [name]}

    def _trade_withdraw(self, count: int) -> Iterator[Ready]:
        calls = list(self._trade_enter(count))
        self._ok([(sender, "trade.enter", args) for sender, args in calls])
        yield from calls

    def _trade_clear(self, count: int) -> Iterator[Ready]:
        """A run clears once: of these the first is accepted."""
        ((sender, args),) = self._trade_enter(1)
        self._ok([(sender, "trade.enter", args)])
        self.chain.extend([], later_ms=RUN_MS)
        for _ in range(count):
            yield CREDITOR, {"run": args["run"], "cleared": [0], "potentials": {CREDITOR: 0, DEBTOR: 2_000_000}}

    # Credit: each payment on time is a fact

    def _facts(self, count: int) -> list[Args]:
        """Have so many receivables paid; return where their facts stand."""
        calls = [(sender, "trade.settle", args) for sender, args in self._trade_settle(count)]
        added = [data["credit"][0] for data in self._ok(calls)]
        return [{name: fact[name] for name in ("month", "kind", "entry")} for fact in added]

    def _credit_contest(self, count: int) -> Iterator[Ready]:
        for fact in self._facts(count):
            yield DEBTOR, {**fact, "reason": "It was another"}

    def _contested(self, count: int) -> list[Args]:
        calls = [(sender, "credit.contest", args) for sender, args in self._credit_contest(count)]
        self._ok(calls)
        return [{"member": DEBTOR, **{name: args[name] for name in ("month", "kind", "entry")}} for _, _, args in calls]

    def _credit_answer(self, count: int) -> Iterator[Ready]:
        for fact in self._contested(count):
            yield "regulator", {**fact, "outcome": "upheld", "reason": "It was"}

    def _credit_correct(self, count: int) -> Iterator[Ready]:
        calls = [(sender, "credit.answer", args) for sender, args in self._credit_answer(count)]
        self._ok(calls)
        for _, _, args in calls:
            fact = {name: args[name] for name in ("member", "month", "kind", "entry")}
            becomes = {"kind": "settled_on_time", "amount": 1, "days": 0}
            yield "regulator", {**fact, "becomes": becomes, "reason": "It was one fen"}

    def _credit_consult(self, count: int) -> Iterator[Ready]:
        for _ in range(count):
            yield BANK, {"member": DEBTOR, "purpose": "A loan", "legal_basis": "external: consent"}

    def _trade_open_case(self, count: int) -> Iterator[Ready]:
        self._trading()
        why = {"severity": "warning", "reason": "Insolvency", "legal_basis": ["external: court order 17"]}
        for _ in range(count):
            yield "regulator", {"party": CREDITOR, **why}
