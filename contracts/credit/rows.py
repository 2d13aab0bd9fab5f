"""How credit becomes rows: facts with what became of them, formulas, consultations.

Law: the rows follow from receipts and arguments; the rows of a member and month sum up to its figures in the state.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any, Final, TypeAlias

from coseal.contracts.credit.facts import OVERDUE
from coseal.contracts.credit.figures import OVERTURNED
from coseal.contracts.credit.observed import CREDIT, OBSERVED
from coseal.contracts.credit.state import NAME
from coseal.contracts.credit.tables import CREDIT_CONSULTATIONS, CREDIT_FACTS, CREDIT_FORMULAS
from coseal.contracts.kernel.rows.buffer import Rows
from coseal.contracts.kernel.rows.place import Act
from coseal.contracts.kernel.rows.writer import Writer
from coseal.contracts.kernel.wording import in_language
from coseal.ledger.transaction import Transaction

Given: TypeAlias = Mapping[str, Any]
_TOLD: Final = {"contest": "contest", "answer": "answer", "correct": "correction"}
_TEXTS: Final = ("reason", "evidence", "outcome", "becomes")


def writer(rows: Rows) -> Writer:
    """Return what writes the rows of this contract, of what it observes too."""
    puts: dict[str, Any] = dict.fromkeys(OBSERVED, partial(_put_observed, rows))
    puts |= {f"{NAME}.{action}": partial(_put_contest, rows, said) for action, said in _TOLD.items()}
    return Writer({**puts, f"{NAME}.consult": partial(_put_consultation, rows)}, due=partial(_put_due, rows))


def _put_observed(rows: Rows, tx: Transaction, data: Given, act: Act) -> None:
    _put(rows, data.get(CREDIT, ()), act)


def _put(rows: Rows, said: Any, act: Act) -> None:
    """Put entries; one that takes out what was overturned says so of that."""
    facts = rows.of(CREDIT_FACTS)
    for entry in said:
        row = {name: value for name, value in entry.items() if name not in ("entry", "of")}
        row |= {"number": entry["entry"], "of_number": entry["of"], "status": "", "deadline_ms": 0}
        facts.put({**row, **act.place, "document": {}})
        if entry["why"] == OVERTURNED:
            _mark(rows, entry, entry["of"], OVERTURNED)


def _mark(rows: Rows, named: Given, number: int, status: str, **changed: Any) -> None:
    row = rows.of(CREDIT_FACTS).find(named["member"], named["month"], named["kind"], number)
    if row is not None:
        document = {**row["document"], **changed.pop("document", {})}
        rows.of(CREDIT_FACTS).put({**row, "status": status, "deadline_ms": 0, **changed, "document": document})


def _put_contest(rows: Rows, step: str, tx: Transaction, data: Given, act: Act) -> None:
    _put(rows, data[CREDIT], act)
    said: dict[str, Any] = {name: tx.args[name] for name in _TEXTS if name in tx.args}
    said |= {"by": act.sender, "height": act.height}
    _mark(rows, data, data["entry"], data["status"], deadline_ms=data["deadline_ms"] or 0, document={step: said})


def _put_consultation(rows: Rows, tx: Transaction, data: Given, act: Act) -> None:
    row = {name: tx.args[name] for name in ("member", "purpose", "legal_basis")}
    rows.of(CREDIT_CONSULTATIONS).put({**row, "reader": act.member, **act.place})


def _put_due(rows: Rows, data: Given, act: Act) -> None:
    _put(rows, data.get("facts", ()), act)
    for said in data.get("overdue", ()):
        _mark(rows, said, said["entry"], OVERDUE, deadline_ms=said["deadline_ms"])
    for formula in data.get("formulas", ()):
        row = {"formula": formula["id"], "title": in_language(formula["title"])}
        row |= {name: formula[name] for name in ("version", "window_months", "ballot")}
        document = {name: value for name, value in formula.items() if name != "ballot"}
        rows.of(CREDIT_FORMULAS).put({**row, **act.place, "document": document})
    for member, month, kind, entries in data.get("forgotten", ()):
        for number in range(1, entries + 1):
            rows.of(CREDIT_FACTS).remove(member, month, kind, number)
