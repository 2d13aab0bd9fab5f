"""How certification becomes rows: schemes, projects, nodes of arguments with their texts.

Law: the rows follow from receipts and arguments in ledger order; texts are in transactions alone, so rows have them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, Final, TypeAlias

from coseal.contracts.certification.argument import ASSERTED
from coseal.contracts.certification.projects import DRAFT, LAPSED
from coseal.contracts.certification.tables import ARGUMENT_NODES, PROJECTS, SCHEMES
from coseal.contracts.kernel.rows.buffer import Rows
from coseal.contracts.kernel.rows.place import Act
from coseal.contracts.kernel.rows.writer import Writer
from coseal.contracts.kernel.wording import in_language
from coseal.ledger.transaction import Transaction

Given: TypeAlias = Mapping[str, Any]


def writer(rows: Rows) -> Writer:
    """Return what writes the rows of this contract."""
    accepted = {f"certification.{action}": partial(_write, rows, put) for action, put in _WRITE.items()}
    return Writer(accepted, due=partial(_due, rows))


def _write(rows: Rows, put: _Put, tx: Transaction, data: Given, act: Act) -> None:
    put(rows, tx.args, data, act)


def _apply(rows: Rows, args: Given, data: Given, act: Act) -> None:
    row = {name: args[name] for name in ("project", "scheme", "kind")}
    row |= {"number": data["number"], "title": in_language(args["title"]), "member": act.member}
    row |= {"status": DRAFT, "nodes": 0, "root": "", **act.place}
    said = {"parties": args.get("parties", []), "framework_sha256": args["framework_sha256"]}
    said |= {"titles": args["title"]} if isinstance(args["title"], dict) else {}
    rows.of(PROJECTS).put({**row, "document": said})


def _argue(rows: Rows, args: Given, data: Given, act: Act) -> None:
    for name in args.get("drop", ()):
        row = rows.of(ARGUMENT_NODES).find(args["project"], name)
        if row is not None:
            rows.of(ARGUMENT_NODES).put({**row, "dropped": 1, **act.place})
    for node in args["nodes"]:
        row = {"project": args["project"], "node": node["id"], "kind": node["kind"], "parent": node.get("parent", "")}
        row |= {"declared": node.get("declared", ASSERTED), "statement": node.get("statement", ""), "dropped": 0}
        rows.of(ARGUMENT_NODES).put({**row, **act.place, "document": dict(node)})
    _change(rows, args["project"], nodes=data["nodes"])


def _seal(rows: Rows, args: Given, data: Given, act: Act) -> None:
    _change(rows, args["project"], status=data["status"], root=data["root"])


def _change(rows: Rows, project: str, **columns: Any) -> None:
    row = rows.of(PROJECTS).find(project)
    if row is not None:
        rows.of(PROJECTS).put({**row, **columns})


def _due(rows: Rows, data: Given, act: Act) -> None:
    """Put what was due of this contract at the start of a block."""
    for lapsed in data.get("lapsed", ()):
        _change(rows, lapsed["project"], status=LAPSED)
    for scheme in data.get("schemes", ()):
        row = {name: scheme[name] for name in ("scheme", "status", "ballot")}
        said = {"criteria": scheme["criteria"], "bodies": scheme["bodies"]}
        said |= {"titles": scheme["title"]} if isinstance(scheme["title"], dict) else {}
        rows.of(SCHEMES).put({**row, "title": in_language(scheme["title"]), **act.place, "document": said})


_Put: TypeAlias = Callable[[Rows, Given, Given, Act], None]
_WRITE: Final[Mapping[str, _Put]] = {"apply": _apply, "argue": _argue, "seal": _seal}
