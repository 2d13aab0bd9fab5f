"""The chapter of the demo about trade and credit: debts that clear without money, and a dossier anyone works out again.

Law: as ``coseal.demo.story``: what clears is found here and proven on the chain, facts are counted by the chain, and
what the dossier says is worked out from the file alone. A netting run of this chain is short, as its genesis says.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, NamedTuple

from coseal.audit.verify import verify_bytes
from coseal.client.blocking import Client
from coseal.client.governance import vote
from coseal.client.netting import Solved
from coseal.contracts.credit.formula import EXAMPLE
from coseal.contracts.currency.ledger import yuan
from coseal.contracts.trade.ledger import OVERDUE, Receivable, number_of
from coseal.contracts.trade.state import receivable_key
from coseal.demo.examples import example
from coseal.demo.progress import Narrator, Summary
from coseal.errors import BadAnswer, Refused, Unreachable
from coseal.ledger.genesis import Genesis

OPEN_MS: Final = 1_000
"""How long a netting run of the demo's chain is open at least."""
_TYPE: Final = "rules/orders.type.json"
_FORMULA: Final = "payment"
_DEBTOR: Final = "enterprise-a"
_READER: Final = "bank-a"
_WALLETS: Final = {
    "enterprise-a": "bank-a/enterprise-a",
    "regulator": "bank-a/treasury",
    "bank-a": "bank-a/services",
    "central-bank": "bank-a/central-bank",
}
_DUE_MS: Final = 60 * 86_400_000
_WAIT_S: Final = 40.0
_POLL_S: Final = 0.05


class Debt(NamedTuple):
    """What a member owes another, in fen."""

    debtor: str
    creditor: str
    amount: int


_RING: Final = (
    Debt("regulator", "enterprise-a", 15_000_000),
    Debt("enterprise-a", "bank-a", 9_000_000),
    Debt("enterprise-a", "central-bank", 3_000_000),
    Debt("bank-a", "regulator", 9_500_000),
    Debt("central-bank", "regulator", 4_000_000),
)
_PAID: Final = Debt(_DEBTOR, _READER, 2_000_000)
_LATE: Final = Debt(_DEBTOR, _READER, 1_000_000)


class Market:
    """Plays the chapter over clients of the members' own nodes."""

    def __init__(self, client: Callable[[str], Client], narrator: Narrator, summary: Summary) -> None:
        self._client, self._tell, self._summary = client, narrator, summary
        self._clients: dict[str, Client] = {}
        self._pace_ms = 0
        """How long two commits of this network took one after the other."""

    def play(self, genesis: Genesis, directory: Path) -> None:
        """Have members owe each other, clear what can be, count what was paid, and read the dossier of the debtor."""
        self._clients = {member: self._client(member) for member in _WALLETS}
        try:
            self._record()
            names = self._owe(_RING, nettable=True)
            paid, late = self._owe((_PAID,)), self._owe((_LATE,), due_ms=max(2_000, 4 * self._pace_ms))
            self._net(names)
            self._pay(paid[_PAID], late[_LATE])
            self._credit(genesis, directory / "dossier.json")
        finally:
            for client in self._clients.values():
                client.close()

    # What members owe

    def _record(self) -> None:
        """Open wallets, and have each record in its own system what it ordered, received and invoiced."""
        bank, debts = self._clients["bank-a"], (*_RING, _PAID, _LATE)
        definition = json.loads(example(_TYPE).read_text(encoding="utf-8"))
        self._clients[_DEBTOR].submit_any("process", "define_type", definition).require_ok()
        for member in ("bank-a", "central-bank"):
            args = {"id": _WALLETS[member].partition("/")[2], "class": "corporate", "holder": f"member:{member}"}
            bank.submit_any("currency", "open_wallet", args).require_ok()
        began = time.monotonic()
        self._each(_WALLETS, lambda client, member: _keep(client, member, debts))
        self._pace_ms = round(1_000 * (time.monotonic() - began))

    def _owe(self, debts: Sequence[Debt], *, nettable: bool = False, due_ms: int = _DUE_MS) -> dict[Debt, str]:
        """Have receivables issued on what matches, and accepted; return their names."""
        found: dict[Debt, str] = {}

        def issue(client: Client, member: str) -> None:
            for debt in debts:
                if debt.creditor == member:
                    args = _issuing(debt, now_ms() + due_ms, nettable=nettable)
                    data = client.submit_any("trade", "issue", args).require_ok().receipt.data
                    found[debt] = data["receivables"][0]["id"]

        def accept(client: Client, member: str) -> None:
            for debt in debts:
                if debt.debtor == member:
                    client.submit_any("trade", "accept", {"receivable": found[debt]}).require_ok()

        self._each({debt.creditor for debt in debts}, issue)
        self._each({debt.debtor for debt in debts}, accept)
        return found

    # Netting

    def _net(self, names: Mapping[Debt, str]) -> None:
        opened_ms = now_ms()
        closes_ms = opened_ms + max(2 * OPEN_MS, 3 * self._pace_ms)
        opener = self._clients["central-bank"]
        run = opener.submit_any("trade", "open_run", {"closes_ms": closes_ms}).require_ok().receipt.data["run"]["id"]

        def enter(client: Client, member: str) -> None:
            held = [name for debt, name in names.items() if debt.creditor == member]
            client.submit_any("trade", "enter", {"run": run, "receivables": held}).require_ok()

        self._each({debt.creditor for debt in names}, enter)
        owed = sum(debt.amount for debt in names)
        self._tell.say(
            f"{len(names)} debts of {len(_WALLETS)} members, {yuan(owed)} in all, each on an order, a receipt and an "
            f"invoice that match; their holders enter them into the netting run {run}, open for "
            f"{(closes_ms - opened_ms) / 1_000:.1f} s, as the genesis of this chain allows, elsewhere an hour at least"
        )
        time.sleep(max(0, closes_ms - now_ms()) / 1_000 + _POLL_S)
        solved = opener.solved_run(run)
        less = {**solved.arguments, "cleared": [0] * len(solved.receivables)}
        refused = opener.submit_any("trade", "clear", less).receipt
        cleared = opener.submit_any("trade", "clear", solved.arguments).require_ok()
        if refused.ok:
            raise BadAnswer(f"{run} cleared by amounts that are not the greatest")
        self._tell.say(
            f"central-bank works out what clears and sends it with a proof that nothing clears more; to clear less is "
            f"refused ({refused.code}). Block {cleared.height}, in yuan, before and after:"
        )
        self._compare(solved, names)

    def _compare(self, solved: Solved, names: Mapping[Debt, str]) -> None:
        """Tell what each party owed and owes, the latter as the state has it now."""
        reader, left = self._clients["regulator"], dict[Debt, int]()
        for debt, name in names.items():
            left[debt] = _receivable(reader, name).outstanding
        for member in _WALLETS:
            before = [sum(d.amount for d in names if d[side] == member) for side in (0, 1)]
            after = [sum(left[d] for d in names if d[side] == member) for side in (0, 1)]
            if before[1] - before[0] != after[1] - after[0]:
                raise BadAnswer(f"netting changed what {member} is owed on balance")
            owes, owed = (f"{yuan(then)} -> {yuan(now)}" for then, now in zip(before, after, strict=True))
            self._tell.say(f"    {member:<13} owes {owes:<26} is owed {owed}")
        total, owed_before = sum(solved.solution.cleared), sum(debt.amount for debt in names)
        if owed_before - sum(left.values()) != total:
            raise BadAnswer("the state has other amounts than were cleared")
        percent = 100 * total // owed_before
        self._tell.say(
            f"{yuan(total)} of debt ({percent} %) is gone, and no money moved: each is owed less by what it owes less"
        )
        self._summary.figures |= {"netted": yuan(total), "netted_percent": percent}

    # Credit

    def _pay(self, paid: str, late: str) -> None:
        """Pay one receivable before it is due, and the other after it fell overdue."""
        client = self._clients[_DEBTOR]
        self._settle(paid, _PAID)
        end = time.monotonic() + _WAIT_S
        while _receivable(client, late).status != OVERDUE:
            if time.monotonic() > end:
                raise Unreachable(f"waited {_WAIT_S:.0f} s until {late} fell overdue", "see `coseal status`")
            time.sleep(_POLL_S)
        self._settle(late, _LATE)
        self._tell.say(
            f"{_DEBTOR} pays {paid} with money when it is due; {late} it forgets, the chain notes it as overdue by "
            "itself, and it is paid late. Each is a fact of credit; nothing grades anybody"
        )

    def _settle(self, name: str, debt: Debt) -> None:
        args = {"receivable": name, "amount": debt.amount, "from": _WALLETS[debt.debtor]}
        self._clients[debt.debtor].submit_any("trade", "settle", args).require_ok()

    def _credit(self, genesis: Genesis, path: Path) -> None:
        self._adopt()
        debtor, reader, regulator = (self._clients[name] for name in (_DEBTOR, _READER, "regulator"))
        try:
            reader.dossier(_DEBTOR)
        except Refused as error:
            refused = error.code
        else:
            raise BadAnswer(f"{_READER} was shown a dossier without saying why")
        why = {"member": _DEBTOR, "purpose": "A loan on receivables", "legal_basis": "external: consent of the member"}
        reader.submit_any("credit", "consult", why).require_ok()
        first = self._points(reader)
        fact = next(each for each in reader.dossier(_DEBTOR).listed if each["kind"] == "settled_late")
        about = {"month": int(fact["month"].replace("-", "")), "kind": fact["kind"], "entry": fact["number"]}
        debtor.submit_any("credit", "contest", {**about, "reason": "The invoice came late"}).require_ok()
        contested = self._points(reader)
        answer = {"member": _DEBTOR, **about, "outcome": "refused", "reason": "It came in time"}
        regulator.submit_any("credit", "answer", answer).require_ok()
        self._tell.say(
            f"{_READER} reads the dossier of {_DEBTOR} once it recorded why ({refused} before): paid on time {first}; "
            f"contested, the late payment is left out: {contested}; the regulator refuses the contest, and it counts"
        )
        self._summary.figures["unread"] = refused
        self._prove(reader, genesis, path)

    def _adopt(self) -> None:
        """Have a formula adopted by ballot."""
        subject = {"formula": dict(EXAMPLE)}
        proposal = {"id": "formula-payment", "kind": "credit_formula", "subject": subject}
        client = self._clients["regulator"]
        data = client.submit_any("governance", "propose", proposal).require_ok().receipt.data
        for member in ("central-bank", "bank-a", "enterprise-a"):
            if data["status"] == "open":
                data = vote(self._clients[member], "formula-payment", "yes").require_ok().receipt.data
        if data["status"] != "accepted":
            raise BadAnswer(f"the formula {_FORMULA} is {data['status']}")
        self._tell.say(
            f"a ballot adopts the formula {_FORMULA}, at once here; by the recommended constitution it takes a week"
        )

    def _points(self, reader: Client) -> str:
        found = reader.dossier(_DEBTOR, formulas=[_FORMULA]).facts["formulas"][0]
        return f"{found['points'][0]['share']}, {found['value']}"

    def _prove(self, reader: Client, genesis: Genesis, path: Path) -> None:
        """Write the dossier, work it out again from the file alone, and see that it fails with facts left out."""
        found = reader.dossier(_DEBTOR, formulas=[_FORMULA])
        path.write_text(json.dumps(found.document, ensure_ascii=False), encoding="utf-8")
        whole = verify_bytes(path.read_bytes(), genesis)
        values = [value for value in found.document["values"] if "settled_late" not in value["key"]]
        spoilt = verify_bytes(json.dumps({**found.document, "values": values}).encode(), genesis)
        if not whole.ok or spoilt.ok:
            raise BadAnswer(f"the dossier does not verify as it should: {whole.reason}; {spoilt.reason}")
        self._tell.say(f"worked out again offline, from one file: coseal verify {path}: {whole.reason}")
        self._tell.say(f"with the late payment left out it is refused: {spoilt.reason}")
        self._summary.figures |= {"dossier": str(path), "points": whole.facts["formulas"][0]["value"]}

    def _each(self, members: Collection[str], act: Callable[[Client, str], None]) -> None:
        """Have members act at the same time, each on its own node."""
        with ThreadPoolExecutor(len(members)) as pool:
            for done in [pool.submit(act, self._clients[member], member) for member in members]:
                done.result()


def now_ms() -> int:
    """Return the time of this machine."""
    return time.time_ns() // 1_000_000


def _receivable(client: Client, name: str) -> Receivable:
    return Receivable.decoded(client.value(receivable_key(number_of(name, "R"))))


def _line(debt: Debt) -> str:
    return f"{debt.debtor}/{debt.creditor}/{debt.amount}"


def _issuing(debt: Debt, due_ms: int, *, nettable: bool) -> dict[str, Any]:
    """Return the arguments that claim all of what a debt rests on."""
    line = {"object": ["orders", "order_line", _line(debt)], "amount": debt.amount}
    day = datetime.now(UTC).date().isoformat()
    invoice = {"number": f"INV-{debt.debtor}-{debt.amount}", "date": day, "total": debt.amount}
    what = {"debtor": debt.debtor, "amount": debt.amount, "tax": 0, "due_ms": due_ms, "lines": [line]}
    return {**what, "invoice": invoice, "wallet": _WALLETS[debt.creditor], "nettable": nettable}


def _keep(client: Client, member: str, debts: Sequence[Debt]) -> None:
    """Record what a member's own system has of these debts: ordered and received, or invoiced."""
    source = {"id": "erp", "process_type": "orders", "mode": "historical"}
    client.submit_any("process", "register_source", source).require_ok()
    items = [item for debt in debts for item in _said(debt, member)]
    client.submit_any("process", "record", {"source": "erp", "sequence": 1, "items": items}).require_ok()


def _said(debt: Debt, member: str) -> list[dict[str, Any]]:
    net, unit = yuan(debt.amount), {"unit": "C62"}
    priced = {"quantity": "1", "currency": "CNY", "net_amount": net, **unit}
    if member == debt.debtor:
        placed = _event(debt, "Order line placed", debt.creditor, priced)
        return [placed, _event(debt, "Goods received", debt.creditor, {"accepted": "1", **unit})]
    return [_event(debt, "Invoice line issued", debt.debtor, priced)] if member == debt.creditor else []


def _event(debt: Debt, kind: str, counterparty: str, attributes: Mapping[str, str]) -> dict[str, Any]:
    what = {
        "event": f"{kind} {_line(debt)}",
        "type": kind,
        "time": datetime.now(UTC).isoformat(timespec="milliseconds"),
    }
    return {
        **what,
        "objects": [["order_line", _line(debt)]],
        "attributes": dict(attributes),
        "counterparty": counterparty,
    }
