"""How standards become rows: versions, adoptions, use by period, what reviews found, disputes.

Law: the rows follow from receipts in ledger order; what they say of status and figures equals what the state says at
the same height.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any, Final, TypeAlias

from coseal.contracts.kernel.rows.buffer import Rows
from coseal.contracts.kernel.rows.place import Act
from coseal.contracts.kernel.rows.writer import PutArguments, Writer, by_action
from coseal.contracts.kernel.wording import in_language
from coseal.contracts.standards.records import ENDED, LAPSED
from coseal.contracts.standards.tables import (
    ADOPTIONS,
    DOMAIN_USE,
    OWN_FINDINGS,
    STANDARD_DISPUTES,
    STANDARD_STATUS,
    STANDARD_USE,
    STANDARDS,
)
from coseal.ledger.transaction import Transaction
from coseal.ledger.validators import ROLES

Given: TypeAlias = Mapping[str, Any]
_FINDING: Final = ("rule", "rule_version", "object_type", "object", "sequence", "verdict")
_FIGURES: Final = ("items", "conforming", "undetermined")


def writer(rows: Rows) -> Writer:
    """Return what writes the rows of this contract, and of what is recorded under its standards."""
    accepted = by_action("standards", rows, _WRITE)
    return Writer({**accepted, "process.record": partial(_recorded, rows)}, due=partial(_due, rows))


def _name(data: Given) -> tuple[str, int]:
    return data["standard"], data["version"]


def _change(rows: Rows, name: tuple[str, int], said: Given | None = None, **columns: Any) -> None:
    """Change columns of a version; ``said`` joins its document."""
    row = rows.of(STANDARDS).find(*name)
    if row is not None:
        document = {**row["document"], **(said or {})}
        rows.of(STANDARDS).put({**row, **columns, "document": document})


# Acts


def _propose(rows: Rows, args: Given, data: Given, act: Act) -> None:
    row = {name: data[name] for name in ("standard", "version", "kind", "domain", "status")}
    row |= {"title": in_language(args["title"]), "member": act.member, "adopters": 0, "sunset_ms": None}
    row |= {"recognised": "", "recognised_by": "", **act.place}
    said = {"content": args["content"], "patents": args.get("patents", [])}
    said |= {"titles": args["title"]} if isinstance(args["title"], dict) else {}
    rows.of(STANDARDS).put({**row, "document": {**said, "digest": data["digest"]}})


def _take_up(rows: Rows, args: Given, data: Given, act: Act) -> None:
    name = _name(data)
    known = rows.of(ADOPTIONS).find(*name, act.member)
    row = {"standard": name[0], "version": name[1], "member": act.member, "mode": data["mode"]}
    row |= {"from_ms": data["from_ms"], "until_ms": None, **act.place}
    sources = {"sources": args["sources"]} if "sources" in args else {}
    rows.of(ADOPTIONS).put({**row, "document": sources})
    standard = rows.of(STANDARDS).find(*name)
    if standard is not None:
        _change(rows, name, status=data["status"], adopters=standard["adopters"] + (known is None))


def _end_adoption(rows: Rows, args: Given, data: Given, act: Act) -> None:
    row = rows.of(ADOPTIONS).find(*_name(data), act.member)
    if row is not None:
        document = {**row["document"], "reason": args["reason"]}
        rows.of(ADOPTIONS).put({**row, "until_ms": data["until_ms"], **act.place, "document": document})


def _end(rows: Rows, args: Given, data: Given, act: Act) -> None:
    said = {name: data[name] for name in ("reason", "successor") if name in data}
    _change(rows, _name(data), said, sunset_ms=data["sunset_ms"])


def _recognise(rows: Rows, args: Given, data: Given, act: Act) -> None:
    said = {"instrument": args["instrument"]}
    _change(rows, _name(data), said, recognised=args["level"], recognised_by=act.member)


def _withdraw(rows: Rows, args: Given, data: Given, act: Act) -> None:
    _change(rows, _name(data), {"instrument": None}, recognised="", recognised_by="")


def _dispute(rows: Rows, args: Given, data: Given, act: Act) -> None:
    row = {name: data[name] for name in ("standard", "version", "member", "number", "ground", "due_ms")}
    said = {name: args[name] for name in ("text", "evidence") if name in args}
    rows.of(STANDARD_DISPUTES).put({**row, "status": "open", **act.place, "document": said})


def _answer(rows: Rows, args: Given, data: Given, act: Act) -> None:
    _change_dispute(rows, data, "answered", {"answer": args["text"]})


def _change_dispute(rows: Rows, data: Given, status: str, said: Given) -> None:
    row = rows.of(STANDARD_DISPUTES).find(*_name(data), data["member"], data["number"])
    if row is not None:
        rows.of(STANDARD_DISPUTES).put({**row, "status": status, "document": {**row["document"], **said}})


def _recorded(rows: Rows, tx: Transaction, data: Given, act: Act) -> None:
    """Add what a batch recorded to the figures of its member."""
    _find(rows, [(judged, act.member) for judged in data.get("judged", ())], act)
    counted = data.get("counted")
    if counted is None:
        return
    for judged in data.get("judged", ()):
        if judged["counts"]:
            figures = (judged["items"], judged["conforming"], judged["undetermined"])
            _add_use(rows, _name(judged), act.member, counted["period"], figures, act)
    member, items = act.member, data["items"]
    place = {"member": member, "period": counted["period"], **act.place}
    before = rows.of(DOMAIN_USE).find(counted["domain"], member, counted["period"]) or {"items": 0}
    rows.of(DOMAIN_USE).put({"domain": counted["domain"], "items": before["items"] + items, **place})
    if "standard" in counted:
        _add_use(rows, tuple(counted["standard"]), member, counted["period"], (items, items, 0), act)


def _find(rows: Rows, judged: Sequence[tuple[Given, str]], act: Act) -> None:
    """Put what own sets of members found."""
    found = [(one, member, finding) for one, member in judged for finding in one["found"]]
    for number, (one, member, finding) in enumerate(found):
        named = dict(zip(_FINDING, finding, strict=True))
        place = {**act.place, "number": number, "standard": one["standard"], "version": one["version"]}
        rows.of(OWN_FINDINGS).put({**place, "member": member, **named})


def _add_use(
    rows: Rows, name: tuple[str, int], member: str, period: int, figures: tuple[int, int, int], act: Act
) -> None:
    """Add figures to what a member recorded under a version in a period."""
    before = rows.of(STANDARD_USE).find(*name, member, period) or dict.fromkeys(_FIGURES, 0)
    use = {column: before[column] + more for column, more in zip(_FIGURES, figures, strict=True)}
    place = {"standard": name[0], "version": name[1], "member": member, "period": period, **act.place}
    rows.of(STANDARD_USE).put({**place, **use})


# What was due


def _due(rows: Rows, data: Given, act: Act) -> None:
    """Put what was due of this contract at the start of a block."""
    for review in data.get("reviews", ()):
        _review(rows, review, act)
    for lapsed in data.get("lapsed", ()):
        _change(rows, _name(lapsed), status=LAPSED)
    for ended in data.get("ended", ()):
        _change(rows, _name(ended), status=ENDED)
    for late in data.get("overdue", ()):
        _change_dispute(rows, late, "overdue", {})
    for settled in data.get("settled", ()):
        _change_dispute(rows, settled, settled["outcome"], {"ballot": settled["ballot"]})
        standard = rows.of(STANDARDS).find(*_name(settled))
        if settled["sunset_ms"] and standard is not None and standard["sunset_ms"] is None:
            _change(rows, _name(settled), sunset_ms=settled["sunset_ms"])
    _find(rows, [(missed, missed["member"]) for missed in data.get("missed", ())], act)
    for missed in data.get("missed", ()):
        if missed["counted"]:
            _add_use(rows, _name(missed), missed["member"], missed["period"], (0, -missed["counted"], 0), act)
    for moved in data.get("moved", ()):
        for standard, version in moved["standards"]:
            _change(rows, (standard, version), domain=moved["domain"])


def _review(rows: Rows, review: Given, act: Act) -> None:
    row = {name: review[name] for name in ("standard", "version", "period", "status", "before", "items")}
    figures = {name: dict(zip(ROLES, review[name], strict=True)) for name in ("users", "active", "adopters")}
    sums = {name: sum(review[name]) for name in figures}
    rows.of(STANDARD_STATUS).put({**row, **sums, **act.place, "document": {"by_constituency": figures}})
    _change(rows, _name(review), status=review["status"])


_WRITE: Final[Mapping[str, PutArguments]] = {
    "propose": _propose,
    "try": _take_up,
    "adopt": _take_up,
    "end_adoption": _end_adoption,
    "supersede": _end,
    "deprecate": _end,
    "recognise": _recognise,
    "withdraw_recognition": _withdraw,
    "dispute": _dispute,
    "answer": _answer,
}
