"""Rows about trade: receivables, offers, loans and exposures, from receipts and arguments alone.

Law: what a receipt says of a receivable is its whole row, so rows say what the state says at the same height.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import partial
from typing import Any, Final, TypeAlias

from coseal.contracts.currency.rows import put_posted
from coseal.contracts.kernel.rows.buffer import Rows
from coseal.contracts.kernel.rows.place import Act
from coseal.contracts.kernel.rows.writer import Writer
from coseal.contracts.process.recorded import appended_items
from coseal.contracts.process.rows import put_own_type
from coseal.contracts.trade.history import DEFINITION
from coseal.contracts.trade.state import FELL_DUE, NAME
from coseal.contracts.trade.tables import EXPOSURES, LOANS, NETTING_OBLIGATIONS, NETTING_RUNS, OFFERS, RECEIVABLES
from coseal.ledger.transaction import Transaction

Given: TypeAlias = Mapping[str, Any]
_BOOKED: Final = (
    *("accept", "reject", "split", "settle", "set_wallet", "claim_recourse", "pay_recourse", "write_off"),
    *("dispute", "answer", "resolve", "repay"),
)


def changed(name: str, data: Given) -> Iterable[Given]:
    """Return the receivables that an act changed, as they are after it."""
    return [receivable for act in _acts(name, data) for receivable in act.get("receivables", ())]


def moved(name: str, data: Given) -> Iterable[Given]:
    """Return the movements that an act made, as a range of their numbers with the totals after it."""
    posted = [act["posted"] for act in _acts(name, data) if "posted" in act]
    return [{part: one[part] for part in ("first", "last", "wallets")} for one in posted]


def _acts(name: str, data: Given) -> Iterable[Given]:
    if name == "begin":
        due: Iterable[Given] = data.get(FELL_DUE, ())
        return due
    return (data,) if name.startswith(f"{NAME}.") else ()


def writer(rows: Rows) -> Writer:
    """Return what writes the rows of this contract."""
    puts = {name: partial(_put_booked, rows) for name in _BOOKED}
    puts |= {
        "issue": partial(_put_issued, rows),
        "offer_transfer": partial(_put_offer, rows),
        "offer_finance": partial(_put_offer, rows),
        "withdraw_offer": partial(_put_withdrawn, rows),
        "accept_transfer": partial(_put_accepted, rows),
        "accept_finance": partial(_put_accepted, rows),
        "set_limit": partial(_put_limit, rows),
        "open_run": partial(_put_run, rows),
        "enter": partial(_put_entered, rows),
        "withdraw": partial(_put_entered, rows),
        "clear": partial(_put_cleared, rows),
    }
    named = {f"{NAME}.{name}": put for name, put in puts.items()}
    return Writer(named, due=partial(_put_due, rows), appended=partial(_put_type, rows))


def _put_type(rows: Rows, data: Given, act: Act) -> None:
    """Put the contract's own process type, with the first item of it."""
    if any(one.process_type == NAME for one in appended_items(data)):
        put_own_type(rows, DEFINITION, act)


def _put_booked(rows: Rows, tx: Transaction, data: Given, act: Act) -> None:
    _put(rows, data, act)


def _put(rows: Rows, data: Given, act: Act, document: Given | None = None) -> None:
    """Put what an act changed."""
    for said in data.get("receivables", ()):
        number = int(said["id"][1:])
        before = rows.of(RECEIVABLES).find(number)
        kept = document if before is None else before["document"]
        row = {**said, "number": number, "disputed": int(said["disputed"]), **act.place}
        row["nettable"] = int(said["nettable"])
        rows.of(RECEIVABLES).put({**row, "document": kept or {}})
    for said in data.get("loans", ()):
        rows.of(LOANS).put({**said, "number": int(said["id"][1:]), **act.place})
    for bank, debtor, exposure, _ in data.get("exposures", ()):
        _put_exposure(rows, bank, debtor, act, exposure=exposure)
    if "posted" in data:
        put_posted(rows, data["posted"], act)


def _put_exposure(rows: Rows, bank: str, debtor: str, act: Act, **said: int) -> None:
    before = rows.of(EXPOSURES).find(bank, debtor) or {"exposure": 0, "allowed": 0}
    row = {"bank": bank, "debtor": debtor, "exposure": before["exposure"], "allowed": before["allowed"], **said}
    rows.of(EXPOSURES).put({**row, **act.place})


def _put_issued(rows: Rows, tx: Transaction, data: Given, act: Act) -> None:
    _put(rows, data, act, {name: tx.args[name] for name in ("invoice", "lines", "tax")})


def _put_offer(rows: Rows, tx: Transaction, data: Given, act: Act) -> None:
    said = data["offer"]
    row = {"receivable": said["receivable"], "member": said["member"], "kind": said["kind"], "maker": said["by"]}
    row |= {"status": "open", "advance": said.get("advance", 0), "fee": said.get("fee", 0)}
    rows.of(OFFERS).put({**row, "expires_ms": said["expires_ms"], **act.place})


def _put_withdrawn(rows: Rows, tx: Transaction, data: Given, act: Act) -> None:
    _end_offer(rows, data["offer"]["receivable"], data["offer"]["member"], "withdrawn")


def _put_accepted(rows: Rows, tx: Transaction, data: Given, act: Act) -> None:
    _end_offer(rows, tx.args["receivable"], tx.args.get("bank", act.member), "accepted")
    _put(rows, data, act)


def _end_offer(rows: Rows, receivable: str, member: str, status: str) -> None:
    row = rows.of(OFFERS).find(receivable, member)
    if row is not None:
        rows.of(OFFERS).put({**row, "status": status})


def _put_limit(rows: Rows, tx: Transaction, data: Given, act: Act) -> None:
    _put_exposure(rows, data["bank"], data["debtor"], act, allowed=data["amount"])


def _put_run(rows: Rows, tx: Transaction | None, data: Given, act: Act) -> None:
    said = {name: value for name, value in data["run"].items() if name != "by"}
    row = {**said, "number": int(said["id"][1:]), "opener": data["run"]["by"]}
    rows.of(NETTING_RUNS).put({**row, **act.place})


def _put_entered(rows: Rows, tx: Transaction, data: Given, act: Act) -> None:
    """Put what entered a run, or left it."""
    _put(rows, data, act)
    for said in data["receivables"]:
        row = {"run": data["run"]["id"], "number": int(said["id"][1:]), "receivable": said["id"]}
        row |= {name: said[name] for name in ("debtor", "holder")}
        status = "entered" if tx.action == "enter" else "withdrawn"
        row |= {"amount": said["outstanding"], "cleared": 0, "status": status}
        rows.of(NETTING_OBLIGATIONS).put({**row, **act.place})


def _put_cleared(rows: Rows, tx: Transaction, data: Given, act: Act) -> None:
    _put_run(rows, tx, data, act)
    _put(rows, data, act)
    left = {said["id"]: said["outstanding"] for said in data.get("receivables", ())}
    for name, amount in data["cleared"]:
        row = rows.of(NETTING_OBLIGATIONS).find(data["run"]["id"], int(name[1:]))
        if row is not None:
            row = {**row, "amount": left[name] + amount, "cleared": amount, "status": "cleared"}
            rows.of(NETTING_OBLIGATIONS).put({**row, **act.place})


def _put_due(rows: Rows, data: Given, act: Act) -> None:
    for fell in data.get(FELL_DUE, ()):
        _put(rows, fell, act)
        if "run" in fell:
            _put_run(rows, None, fell, act)
