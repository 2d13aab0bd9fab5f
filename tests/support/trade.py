"""A chain on which members trade: orders, receipts and invoices that match, receivables on them, banks that finance."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from coseal.contracts.credit import dossier
from coseal.contracts.credit.figures import month_of
from coseal.contracts.credit.formula import EXAMPLE
from coseal.contracts.trade.ledger import Loan, Receivable, number_of
from coseal.contracts.trade.proofs import Question, document
from coseal.contracts.trade.state import loan_key, receivable_key
from coseal.ledger.proof import CertifiedValue
from tests.support.chain import Chain
from tests.support.currency import DAY_MS, Money, money_genesis, payment

ORDERS: Final = json.loads((Path(__file__).parents[2] / "examples/rules/orders.type.json").read_text("utf-8"))
A, B, C = "enterprise-a", "enterprise-b", "city"
WALLETS: Final = {A: "bank-a/ea", B: "bank-b/eb", C: "bank-a/c", "bank-a": "bank-a/own", "bank-b": "bank-b/own"}
"""Where each is paid, and from where it pays."""
TIME: Final = "2023-11-01T00:00:00Z"
DUE_DAYS: Final = 60
AMOUNT: Final = 1_000_000


def event(name: str, kind: str, line: str, counterparty: str, **attributes: str) -> dict[str, Any]:
    """Return an event of a line."""
    said = {"event": name, "type": kind, "time": TIME, "objects": [["order_line", line]], "attributes": attributes}
    return {**said, "counterparty": counterparty}


def yuan_text(fen: int) -> str:
    """Return fen as a decimal of yuan."""
    return f"{fen // 100}.{fen % 100:02}"


class Trade(Money):
    """What members do in trade; each call is a block, and an action without a contract is of ``trade``."""

    def __init__(self, chain: Chain | None = None) -> None:
        super().__init__(Chain(money_genesis()) if chain is None else chain)
        self._lines = 0
        self._erp: dict[str, int] = {}

    def deal(self, amount: int = AMOUNT, seller: str = B, buyer: str = A, received: str = "100") -> dict[str, Any]:
        """Have a line of 100 pieces ordered, received and invoiced; return it as ``issue`` claims all of it."""
        self._lines += 1
        line, net = f"{buyer}/A{self._lines}/1", yuan_text(amount)
        unit = {"unit": "KGM", "currency": "CNY"}
        placed = event(f"o{self._lines}", "Order line placed", line, seller, quantity="100", net_amount=net, **unit)
        got = event(f"r{self._lines}", "Goods received", line, seller, accepted=received, unit="KGM")
        bill = event(f"i{self._lines}", "Invoice line issued", line, buyer, quantity="100", net_amount=net, **unit)
        self.record(buyer, placed, got)
        self.record(seller, bill)
        return {"object": ["orders", "order_line", line], "amount": amount}

    def record(self, member: str, *items: Mapping[str, Any]) -> None:
        """Record items with the own source of a member, opened at first use."""
        first = self._erp.get(member, 0) + 1
        if first == 1:
            self.ok(member, "process.register_source", id="erp", process_type="orders", mode="historical")
        self.ok(member, "process.record", source="erp", sequence=first, items=[dict(item) for item in items])
        self._erp[member] = first + len(items) - 1

    def issuing(self, *lines: dict[str, Any], debtor: str = A, creditor: str = B, **more: Any) -> dict[str, Any]:
        """Return the arguments of ``issue`` on lines; by default on a new one."""
        claimed = list(lines) or [self.deal(seller=creditor, buyer=debtor)]
        amount = sum(line["amount"] for line in claimed) + more.get("tax", 0)
        invoice = {"number": f"INV-{self.chain.executor.height}", "date": "2026-03-31", "total": amount}
        due_ms = self.chain.now_ms + DUE_DAYS * DAY_MS
        args = {"debtor": debtor, "amount": amount, "tax": 0, "due_ms": due_ms, "lines": claimed, "invoice": invoice}
        return {**args, "wallet": WALLETS[creditor], **more}

    def issue(self, *lines: dict[str, Any], creditor: str = B, **more: Any) -> str:  # type: ignore[override]
        """Issue a receivable; return its name."""
        data = self.ok(creditor, "trade.issue", **self.issuing(*lines, creditor=creditor, **more))
        return str(data["receivables"][0]["id"])

    def owed(self, *lines: dict[str, Any], debtor: str = A, autopay: str = "", **more: Any) -> str:
        """Issue a receivable and have it accepted; return its name."""
        name = self.issue(*lines, debtor=debtor, **more)
        self.ok(debtor, "trade.accept", receivable=name, **({"autopay": autopay} if autopay else {}))
        return name

    def financing(self, name: str, bank: str = "bank-a", kind: str = "assignment", **more: Any) -> dict[str, Any]:
        """Return the arguments of an offer of a bank: a fee of a tenth."""
        owed = self.receivable(name).outstanding
        terms = {"receivable": name, "kind": kind, "advance": owed - owed // 10, "fee": owed // 10, "recourse": True}
        wallets = {"from": WALLETS[bank], "wallet": WALLETS[bank]}
        return {**terms, **wallets, "expires_ms": self.chain.now_ms + DAY_MS, **more}

    def finance(self, name: str, bank: str = "bank-a", kind: str = "assignment", **more: Any) -> dict[str, Any]:
        """Have a bank finance a receivable."""
        self.ok(bank, "trade.offer_finance", **self.financing(name, bank, kind, **more))
        holder = self.receivable(name).holder
        return self.ok(holder, "trade.accept_finance", receivable=name, bank=bank, wallet=WALLETS[holder])

    def transferring(self, name: str, to: str = C, **more: Any) -> dict[str, Any]:
        """Return the arguments of an offer to a creditor of the holder, for which a debt is made."""
        found = self.receivable(name)
        against = [self.deal(found.outstanding, seller=to, buyer=found.holder)]
        until_ms = self.chain.now_ms + DAY_MS
        return {"receivable": name, "to": to, "against": against, "recourse": True, "expires_ms": until_ms, **more}

    def transfer(self, name: str, to: str = C, **more: Any) -> dict[str, Any]:
        """Transfer a receivable to a creditor of its holder."""
        self.ok(self.receivable(name).holder, "trade.offer_transfer", **self.transferring(name, to, **more))
        return self.ok(to, "trade.accept_transfer", receivable=name, wallet=WALLETS[to])

    def settle(self, name: str, amount: int, debtor: str = A) -> dict[str, Any]:
        return self.ok(debtor, "trade.settle", receivable=name, amount=amount, **{"from": WALLETS[debtor]})

    # What is there

    def receivable(self, name: str) -> Receivable:
        return Receivable.decoded(self.chain.get(receivable_key(number_of(name, "R"))))

    def loan(self, name: str) -> Loan:
        return Loan(**self.chain.get(loan_key(number_of(name, "L"))))

    def fell_due(self, later_ms: int) -> list[dict[str, Any]]:
        """Commit an empty block so much later; return what of trade fell due in it."""
        self.chain.extend([], later_ms=later_ms)
        return list(self.chain.begun.get("trade", {}).get("fell_due", []))


def trading(trade: Trade | None = None) -> Trade:
    """Return a chain on which everybody has a wallet with money, and both banks their limits on debtors."""
    trade = Trade() if trade is None else trade
    trade.found()
    trade.ok(A, "process.define_type", **ORDERS)
    for bank in ("bank-a", "bank-b"):
        trade.ok("central-bank/issuer", "issue", **trade.instruct(bank, "1000000.00"))
        trade.open(WALLETS[bank], f"member:{bank}")
        trade.ok(bank, "pay", **payment(f"{bank}/vault", WALLETS[bank], 50_000_000, "CASH"))
        for debtor in (A, B, C):
            trade.ok(bank, "trade.set_limit", debtor=debtor, amount=20_000_000)
    for member in (A, B, C):
        trade.open(WALLETS[member], f"member:{member}")
        vault = f"{WALLETS[member].partition('/')[0]}/vault"
        trade.ok(vault.partition("/")[0], "pay", **payment(vault, WALLETS[member], 5_000_000, "CASH"))
    return trade


def trade_document(trade: Trade, question: Question) -> dict[str, Any]:
    """Return the document that answers a question by the newest block."""
    chain, key = trade.chain, question.key.encode()
    tip = chain.blocks[-1]
    value = CertifiedValue(key, *chain.state.prove(key), tip.block.header, tip.certificate)
    return json.loads(json.dumps(document(question, value)))  # type: ignore[no-any-return]


def dossier_document(trade: Trade, question: dossier.Question) -> dict[str, Any]:
    """Return the dossier of a member by the newest block."""
    chain = trade.chain
    tip = chain.blocks[-1]
    proven = [
        CertifiedValue(key.encode(), *chain.state.prove(key.encode()), tip.block.header, tip.certificate)
        for key in dossier.keys(chain.executor.reader, question, month_of(tip.block.header.time_ms))
    ]
    return json.loads(json.dumps(dossier.document(question, proven)))  # type: ignore[no-any-return]


def with_facts(trade: Trade | None = None) -> Trade:
    """Return a chain with a formula, on which enterprise-a paid three times in time and twice late, and contests one.

    The contest of the other late payment was upheld and the fact corrected.
    """
    trade = trading(trade)
    trade.decide("credit_formula", formula={**EXAMPLE})
    for _ in range(3):
        trade.settle(trade.owed(), AMOUNT)
    names = [trade.owed(), trade.owed()]
    trade.fell_due(DUE_DAYS * DAY_MS)
    for name in names:
        trade.settle(name, AMOUNT)
    fact = {"month": month_of(trade.chain.executor.time_ms), "kind": "settled_late"}
    for entry in (1, 2):
        trade.ok(A, "credit.contest", **fact, entry=entry, reason="The bank was closed")
    about = {"member": A, **fact, "entry": 2}
    trade.ok("regulator", "credit.answer", **about, outcome="upheld", reason="It was closed")
    becomes = {"kind": "settled_on_time", "amount": AMOUNT, "days": 0}
    trade.ok("regulator", "credit.correct", **about, becomes=becomes, reason="It was paid in time")
    trade.fell_due(1)
    return trade
