"""The scenario's part about trade: receivables in every status, transfers, financing, recourse, disputes, holds."""

from __future__ import annotations

from typing import Any, Final

from coseal.contracts.credit.figures import month_after, month_of
from coseal.contracts.currency.supply import INSTRUCTION_EXAMPLE
from coseal.contracts.process.chain import item_hash
from coseal.contracts.process.state import source_key
from coseal.contracts.trade.issuing import ANSWER_MS
from coseal.contracts.trade.paying import WRITE_OFF_MS
from coseal.ledger.render import time_text
from tests.support.trade import ORDERS, event
from tests.vectors.recorded.money import ISSUER
from tests.vectors.recorded.scenario import DAY_MS, Scenario

DEBTOR, CREDITOR, THIRD, BANK = "enterprise-a", "public-a", "city", "bank-a"
WALLETS: Final = {DEBTOR: "bank-a/owes", CREDITOR: "bank-a/owed", THIRD: "bank-a/third", BANK: "bank-a/own"}
AMOUNT: Final = 800_000
HALVES: Final = [400_000, 400_000]
LINES: Final = "purchases"
UNIT: Final = {"unit": "KGM", "currency": "CNY"}
TERM_MS: Final = 200 * DAY_MS


def run(scenario: Scenario) -> list[int]:
    """Run this part; return the months that it took, ascending."""
    began = month_of(scenario.now_ms)
    trading = Trading(scenario)
    trading.found()
    trading.issue()
    trading.move()
    trading.finance()
    trading.dispute()
    trading.hold()
    trading.fall_due()
    trading.net()
    months = [began]
    while months[-1] < month_of(scenario.now_ms):
        months.append(month_after(months[-1], 1))
    return months


class Trading:
    """Trade on the chain of a scenario."""

    def __init__(self, scenario: Scenario) -> None:
        self.scenario = scenario
        self._lines = 0
        self._sequences = dict.fromkeys((DEBTOR, CREDITOR, THIRD), 0)

    def ok(self, sender: str, action: str, /, **args: Any) -> dict[str, Any]:
        return self.scenario.ok(sender, f"trade.{action}", **args)

    def no(self, code: str, sender: str, action: str, /, **args: Any) -> None:
        self.scenario.no(code, sender, f"trade.{action}", **args)

    def found(self) -> None:
        """Have lines defined, wallets with money, and a limit."""
        scenario = self.scenario
        scenario.ok(THIRD, "process.define_type", **{**ORDERS, "id": LINES})
        for member in self._sequences:
            scenario.ok(member, "process.register_source", id="erp", process_type=LINES, mode="historical")
        self._issue_money()
        for member, name in WALLETS.items():
            opened = {"id": name.partition("/")[2], "class": "corporate", "holder": f"member:{member}"}
            paid = {"from": "bank-a/vault", "to": name, "amount": 5_000_000, "code": "CASH"}
            scenario.ok(BANK, "currency.open_wallet", **opened)
            scenario.ok(BANK, "currency.pay", **paid)
        self.ok(BANK, "set_limit", debtor=DEBTOR, amount=2 * AMOUNT, capital=100 * AMOUNT)
        self.no("unknown_member", BANK, "set_limit", debtor="nobody", amount=1)

    def _issue_money(self) -> None:
        """Have the central bank issue what the bank passes on."""
        scenario = self.scenario
        said = {**INSTRUCTION_EXAMPLE["attributes"], "amount": "1000000.00", "instruction": "T1"}
        item = {**INSTRUCTION_EXAMPLE, "event": "t1", "time": time_text(scenario.now_ms), "attributes": said}
        sequence = scenario.get(source_key("bank-a/reserves"))["sequence"] + 1
        scenario.ok(BANK, "process.record", source="reserves", sequence=sequence, items=[item])
        hashed = item_hash("bank-a/reserves", sequence, item).hex()
        scenario.ok("central-bank", "process.attest", item=hashed, verdict="confirm")
        scenario.ok(ISSUER, "currency.issue", source="bank-a/reserves", sequence=sequence, item=item)

    def line(self, buyer: str = DEBTOR, seller: str = CREDITOR, currency: str = "CNY") -> dict[str, Any]:
        """Have a line ordered, received and invoiced; return it as it is claimed."""
        self._lines += 1
        name, net = f"{buyer}/T{self._lines}/1", f"{AMOUNT // 100}.00"
        unit = {**UNIT, "currency": currency}
        placed = event(f"to{self._lines}", "Order line placed", name, seller, quantity="1", net_amount=net, **unit)
        got = event(f"tr{self._lines}", "Goods received", name, seller, accepted="1", unit="KGM")
        bill = event(f"ti{self._lines}", "Invoice line issued", name, buyer, quantity="1", net_amount=net, **unit)
        for member, items in ((buyer, [placed, got]), (seller, [bill])):
            first = self._sequences[member] + 1
            self.scenario.ok(member, "process.record", source="erp", sequence=first, items=items)
            self._sequences[member] += len(items)
        return {"object": [LINES, "order_line", name], "amount": AMOUNT}

    def issuing(self, line: dict[str, Any], **more: Any) -> dict[str, Any]:
        """Return the arguments of an issue on a line."""
        invoice = {"number": f"T-{self._lines}", "date": "2026-03-31", "total": AMOUNT}
        due_ms = self.scenario.now_ms + TERM_MS
        args = {"debtor": DEBTOR, "amount": AMOUNT, "tax": 0, "due_ms": due_ms, "lines": [line], "invoice": invoice}
        return {**args, "wallet": WALLETS[CREDITOR], **more}

    def issued(self, **more: Any) -> str:
        """Issue a receivable; return its name."""
        return str(self.ok(CREDITOR, "issue", **self.issuing(self.line(), **more))["receivables"][0]["id"])

    def owed(self, **more: Any) -> str:
        """Issue a receivable and have it accepted; return its name."""
        name = self.issued(**more)
        self.ok(DEBTOR, "accept", receivable=name)
        return name

    def issue(self) -> None:
        """Issue, accept, reject, lapse."""
        line = self.line()
        args = self.issuing(line)
        other = {"object": [LINES, "order", "x"], "amount": AMOUNT}
        self.no("invalid_argument", CREDITOR, "issue", **{**args, "lines": []})
        self.no("same_party", CREDITOR, "issue", **{**args, "debtor": CREDITOR})
        self.no("not_whole", CREDITOR, "issue", **{**args, "tax": 1})
        self.no("bad_term", CREDITOR, "issue", **{**args, "due_ms": 1})
        self.no("not_your_wallet", CREDITOR, "issue", **{**args, "wallet": WALLETS[DEBTOR]})
        self.no("class_not_for_claims", BANK, "issue", **{**args, "wallet": "bank-a/vault"})
        self.no("no_match", CREDITOR, "issue", **{**args, "lines": [other]})
        self.no("not_matched", THIRD, "issue", **{**args, "wallet": WALLETS[THIRD]})
        foreign = self.line(currency="EUR")
        self.no("other_currency", CREDITOR, "issue", **self.issuing(foreign))
        first = self.ok(CREDITOR, "issue", **args)["receivables"][0]["id"]
        self.no("already_registered", CREDITOR, "issue", **args)
        self.no("not_yours", THIRD, "accept", receivable=first)
        self.no("unknown_receivable", DEBTOR, "accept", receivable="R99")
        self.ok(DEBTOR, "accept", receivable=first, autopay=WALLETS[DEBTOR])
        self.no("not_now", DEBTOR, "accept", receivable=first)
        invoice = {"number": "T-again", "date": "2026-03-31", "total": AMOUNT}
        self.no("already_used", CREDITOR, "issue", **{**args, "invoice": invoice})
        self.ok(DEBTOR, "reject", receivable=self.issued(), reason="They came late")
        self.issued()
        self.scenario.wait(ANSWER_MS)

    def move(self) -> None:
        """Split, transfer."""
        name = self.owed()
        self.no("too_small", CREDITOR, "split", receivable=name, amounts=[AMOUNT - 1, 1])
        for depth in range(6):
            left = AMOUNT - (depth + 1) * 100_000
            name = self.ok(CREDITOR, "split", receivable=name, amounts=[left, 100_000])["receivables"][0]["id"]
        self.no("too_many_hands", CREDITOR, "split", receivable=name, amounts=[100_000, 100_000])
        name, until_ms = self.owed(), self.scenario.now_ms + DAY_MS
        args = {"receivable": name, "to": THIRD, "against": [self.line(CREDITOR, THIRD)], "recourse": True}
        args["expires_ms"] = until_ms
        self.no("no_debt_between", CREDITOR, "offer_transfer", **{**args, "to": BANK})
        self.ok(CREDITOR, "offer_transfer", **args)
        self.no("exists", CREDITOR, "offer_transfer", **args)
        self.ok(CREDITOR, "withdraw_offer", receivable=name, member=THIRD)
        self.no("unknown_offer", THIRD, "accept_transfer", receivable=name, wallet=WALLETS[THIRD])
        self.ok(CREDITOR, "offer_transfer", **args)
        self.ok(THIRD, "accept_transfer", receivable=name, wallet=WALLETS[THIRD])
        self.ok(THIRD, "set_wallet", receivable=name, wallet=WALLETS[THIRD])
        self.transferred = name

    def financing(self, name: str, kind: str) -> dict[str, Any]:
        """Return the arguments of an offer of the bank."""
        terms = {"receivable": name, "kind": kind, "advance": AMOUNT - 1_000, "fee": 1_000, "recourse": True}
        wallets = {"from": WALLETS[BANK], "wallet": WALLETS[BANK]}
        return {**terms, **wallets, "expires_ms": self.scenario.now_ms + DAY_MS}

    def finance(self) -> None:
        """Assign and pledge, repay, settle."""
        sold, pledged, third = self.owed(), self.owed(), self.owed()
        for name, kind in ((sold, "assignment"), (pledged, "pledge")):
            self.ok(BANK, "offer_finance", **self.financing(name, kind))
            self.ok(CREDITOR, "accept_finance", receivable=name, bank=BANK, wallet=WALLETS[CREDITOR])
        self.no("encumbered", CREDITOR, "split", receivable=pledged, amounts=HALVES)
        self.no("over_exposure", BANK, "offer_finance", **self.financing(third, "pledge"))
        self.no("unknown_loan", CREDITOR, "repay", loan="L9", amount=1, **{"from": WALLETS[CREDITOR]})
        self.ok(CREDITOR, "repay", loan="L1", amount=1_000, **{"from": WALLETS[CREDITOR]})
        for name in (sold, pledged):
            self.ok(DEBTOR, "settle", receivable=name, amount=AMOUNT, **{"from": WALLETS[DEBTOR]})

    def dispute(self) -> None:
        """Dispute, answer, agree, give up."""
        name = self.owed()
        self.no("no_dispute", DEBTOR, "resolve", receivable=name, amount=0)
        for _ in range(3):
            self.ok(DEBTOR, "dispute", receivable=name, reason="Some came back")
            self.ok(DEBTOR, "resolve", receivable=name, amount=0)
        self.ok(DEBTOR, "dispute", receivable=name, reason="Some came back", evidence=["ab" * 32])
        for member in (CREDITOR, DEBTOR):
            self.ok(member, "resolve", receivable=name, amount=1_000)
        self.no("limit", DEBTOR, "dispute", receivable=name, reason="More came back")
        name = self.owed()
        self.ok(DEBTOR, "dispute", receivable=name, reason="Some came back")
        self.ok(CREDITOR, "answer", receivable=name, reason="They came back late")
        self.scenario.wait(40 * DAY_MS)
        self._resolve_by_finding()

    def _resolve_by_finding(self) -> None:
        """Have a supervisor resolve a dispute by what it decided."""
        name = self.owed()
        self.ok(DEBTOR, "dispute", receivable=name, reason="Some came back")
        self.no("unknown_finding", "regulator", "resolve", receivable=name, amount=0, finding="F999999")
        why = {"severity": "notice", "reason": "Who is right?", "legal_basis": ["external: contract, section 4"]}
        finding = self.ok("regulator", "open_case", receivable=name, **why)["id"]
        self.no("not_decided", "regulator", "resolve", receivable=name, amount=0, finding=finding)
        self.scenario.ok("regulator", "supervision.acknowledge", finding=finding)
        dismissed = {"finding": finding, "outcome": "dismissed", "reason": "Nothing came back"}
        self.scenario.ok("regulator", "supervision.decide", **dismissed)
        self.ok("regulator", "resolve", receivable=name, amount=0, finding=finding)

    def hold(self) -> None:
        """Hold a receivable and a party."""
        name = self.owed()
        why = {"severity": "warning", "reason": "Insolvency", "legal_basis": ["external: court order 17"]}
        for about in ({"receivable": name}, {"party": CREDITOR}):
            finding = self.ok("regulator", "open_case", **why, **about)["id"]
            hold = {"finding": finding, "reason": "A risk", "hold_ms": DAY_MS}
            self.scenario.ok("regulator", "supervision.hold", **hold)
            code = "held" if "receivable" in about else "stayed"
            self.no(code, CREDITOR, "set_wallet", receivable=name, wallet=WALLETS[CREDITOR])
            self.scenario.ok("regulator", "supervision.lift_hold", finding=finding, reason="It is settled")

    def fall_due(self) -> None:
        """Pay itself, be overdue, come back, be written off."""
        name, args = self.transferred, {"from": WALLETS[CREDITOR]}
        own = self.owed()
        self.scenario.wait(TERM_MS)
        self.no("no_recourse", CREDITOR, "claim_recourse", receivable=own)
        self.no("too_soon", CREDITOR, "write_off", receivable=own, reason="Insolvent")
        self.ok(THIRD, "claim_recourse", receivable=name)
        self.ok(CREDITOR, "pay_recourse", receivable=name, **args)
        self.scenario.wait(WRITE_OFF_MS)
        self.ok(CREDITOR, "write_off", receivable=own, reason="Insolvent")

    def net(self) -> None:
        """Two debts that cancel: a run is opened, entered and left, cleared, and one lapses."""
        back = self.line(CREDITOR, DEBTOR)
        there = self.owed(nettable=True)
        args = self.issuing(back, debtor=CREDITOR, nettable=True, wallet=WALLETS[DEBTOR])
        here = self.ok(DEBTOR, "issue", **args)["receivables"][0]["id"]
        self.ok(CREDITOR, "accept", receivable=here)
        self.no("not_nettable", CREDITOR, "enter", run=self._run(), receivables=[self.owed()])
        self.no("exists", BANK, "open_run", closes_ms=self.scenario.now_ms + DAY_MS)
        self.no("unknown_run", DEBTOR, "enter", run="N9", receivables=[here])
        for member, name in ((CREDITOR, there), (DEBTOR, here)):
            self.ok(member, "enter", run="N1", receivables=[name])
        self.ok(CREDITOR, "withdraw", run="N1", receivables=[there])
        self.ok(CREDITOR, "enter", run="N1", receivables=[there])
        self.scenario.wait(DAY_MS)
        self.no("in_run", DEBTOR, "settle", receivable=there, amount=1, **{"from": WALLETS[DEBTOR]})
        args = {"run": "N1", "potentials": {CREDITOR: 0, DEBTOR: 0}}
        for cleared, code in (([1, 1], "not_optimal"), ([AMOUNT, 1], "not_optimal"), ([10**12] * 2, "out_of_bounds")):
            self.no(code, THIRD, "clear", cleared=cleared, **args)
        potentials = {CREDITOR: 0, DEBTOR: -2_000_000, THIRD: 0}
        self.no("unbalanced", THIRD, "clear", run="N1", cleared=[0, AMOUNT], potentials=potentials)
        self.ok(THIRD, "clear", cleared=[AMOUNT, AMOUNT], **args)
        self._run()
        self.scenario.wait(2 * DAY_MS)

    def _run(self) -> str:
        """Open a run; return its name."""
        return str(self.ok(BANK, "open_run", closes_ms=self.scenario.now_ms + DAY_MS)["run"]["id"])
