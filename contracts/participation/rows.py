"""How participation becomes rows: gateways, consultations, entries, themes with the texts of answers.

Law: the rows follow from receipts and arguments in ledger order; texts of answers are in transactions alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any, Final, TypeAlias

from coseal.contracts.kernel.rows.buffer import Rows
from coseal.contracts.kernel.rows.place import Act
from coseal.contracts.kernel.rows.writer import PutArguments, Writer, by_action
from coseal.contracts.kernel.wording import in_language
from coseal.contracts.participation.entry import is_withheld
from coseal.contracts.participation.tables import COMMENTS, CONSULTATIONS, GATEWAYS, THEMES
from coseal.contracts.policy.rows import consulted

Given: TypeAlias = Mapping[str, Any]


def writer(rows: Rows) -> Writer:
    """Return what writes the rows of this contract."""
    accepted = by_action("participation", rows, _WRITE)
    elsewhere = {"participation.receive": "entries", "participation.assign": "assignments"}
    return Writer(accepted, due=partial(_due, rows), elsewhere=elsewhere)


def _register(rows: Rows, args: Given, data: Given, act: Act) -> None:
    before = rows.of(GATEWAYS).find(act.member) or {"entries": 0, "withheld": 0}
    said = {"key": args["key"], "duties_sha256": args["duties_sha256"]}
    row = {"member": act.member, "url": args["url"], "include_ms": args["include_ms"]}
    row |= {"entries": before["entries"], "withheld": before["withheld"]}
    rows.of(GATEWAYS).put({**row, **act.place, "document": said})


def _open(rows: Rows, args: Given, data: Given, act: Act) -> None:
    row = {name: args[name] for name in ("consultation", "about", "subject", "closes_ms")}
    row |= {"title": in_language(args["title"]), "member": act.member, "overdue": 0}
    row |= {name: data[name] for name in ("number", "status", "due_ms")}
    row |= dict.fromkeys(("received", "withheld", "assigned", "themes", "answered"), 0)
    said = {"questions": args["questions"]} | ({"gateways": args["gateways"]} if "gateways" in args else {})
    said |= {"titles": args["title"]} if isinstance(args["title"], dict) else {}
    rows.of(CONSULTATIONS).put({**row, **act.place, "document": said})
    if "event" in data:
        consulted(rows, args["subject"], data["event"], act)


def _receive(rows: Rows, args: Given, data: Given, act: Act) -> None:
    name, gateway = args["consultation"], act.member
    withheld = 0
    for number, entry in enumerate(args["entries"], args["first"]):
        commitment, text, who, kind, pseudonym = entry
        hidden = is_withheld(entry)
        withheld += hidden
        row = {"consultation": name, "gateway": gateway, "entry": number, "commitment": commitment}
        row |= {"text_sha256": "" if hidden else text, "withheld": text if hidden else ""}
        row |= {"commenter": who, "kind": kind, "pseudonym": pseudonym, "theme": 0}
        rows.of(COMMENTS).put({**row, **act.place})
    _change(rows, name, received=data["received"], withheld=data["withheld"])
    office = rows.of(GATEWAYS).find(gateway)
    if office is not None:
        counted = {"entries": office["entries"] + len(args["entries"]), "withheld": office["withheld"] + withheld}
        rows.of(GATEWAYS).put({**office, **counted})


def _theme(rows: Rows, args: Given, data: Given, act: Act) -> None:
    for number, title in enumerate(args["titles"], data["first"]):
        row = {"consultation": args["consultation"], "theme": number, "title": title, "entries": 0, "outcome": ""}
        rows.of(THEMES).put({**row, **act.place, "document": {}})
    _change(rows, args["consultation"], themes=data["themes"])


def _assign(rows: Rows, args: Given, data: Given, act: Act) -> None:
    name = args["consultation"]
    added: dict[int, int] = {}
    for gateway, entry, theme in args["assignments"]:
        row = rows.of(COMMENTS).find(name, gateway, entry)
        if row is not None:
            rows.of(COMMENTS).put({**row, "theme": theme})
        added[theme] = added.get(theme, 0) + 1
    for theme, count in added.items():
        row = rows.of(THEMES).find(name, theme)
        if row is not None:
            reopened = {"outcome": "", "document": {}} if theme in data["reopened"] else {}
            rows.of(THEMES).put({**row, "entries": row["entries"] + count, **reopened, **act.place})
    consultation = rows.of(CONSULTATIONS).find(name)
    if consultation is not None:
        answered = consultation["answered"] - len(data["reopened"])
        _change(rows, name, assigned=data["assigned"], answered=answered)


def _answer(rows: Rows, args: Given, data: Given, act: Act) -> None:
    row = rows.of(THEMES).find(args["consultation"], args["theme"])
    said = {name: args[name] for name in ("reason", "change") if name in args}
    if row is not None:
        rows.of(THEMES).put({**row, "outcome": args["outcome"], **act.place, "document": said})
    _change(rows, args["consultation"], answered=data["answered"])


def _stands(rows: Rows, args: Given, data: Given, act: Act) -> None:
    _change(rows, data["consultation"], **{name: data[name] for name in ("status", "due_ms", "overdue")})


def _change(rows: Rows, consultation: str, **columns: Any) -> None:
    row = rows.of(CONSULTATIONS).find(consultation)
    if row is not None:
        rows.of(CONSULTATIONS).put({**row, **columns})


def _due(rows: Rows, data: Given, act: Act) -> None:
    """Put what was due of this contract at the start of a block."""
    for consultation in data.get("consultations", ()):
        _stands(rows, {}, consultation, act)


_WRITE: Final[Mapping[str, PutArguments]] = {
    "register_gateway": _register,
    "open": _open,
    "receive": _receive,
    "theme": _theme,
    "assign": _assign,
    "answer": _answer,
    "conclude": _stands,
}
