"""Formulas: adopted by ballot, version by version; what was adopted never changes.

contracts/credit/README.md, C11.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from coseal.contracts.credit import formula
from coseal.contracts.credit.state import NAME, formula_key, formulas_key
from coseal.contracts.kernel import deadlines
from coseal.contracts.kernel.action import Reader, Rejected, Result, View
from coseal.contracts.kernel.deadlines import BLOCK_CLOCK
from coseal.contracts.kernel.fields import Record, Special
from coseal.contracts.kernel.proposals import Case, ProposalKind

ADOPTED: Final = "formula"
"""The kind of due thing that says what a ballot adopted."""
_EXAMPLE: Final = dict(formula.EXAMPLE)
_POINT: Final[dict[str, Any]] = dict(formula.EXAMPLE["points"][0])
_content: Final = Special(
    formula.faults_of,
    "a formula: id, version, title, window_months, points",
    {"type": "object"},
    refused=(
        *(None, {}, {**_EXAMPLE, "points": []}, {**_EXAMPLE, "more": 1}, {**_EXAMPLE, "window_months": 37}),
        {**_EXAMPLE, "points": [_POINT, _POINT]},
        {**_EXAMPLE, "points": [{**_POINT, "numerator": ["written_off"]}]},
    ),
    passed=(_EXAMPLE,),
)


def newest_version(reader: Reader, name: str) -> int:
    """Return the newest version of a formula, 0 if there is none."""
    value: Any = reader.get(formulas_key(name))
    return 0 if value is None else int(value)


def formula_of(reader: Reader, name: str, version: int = 0) -> dict[str, Any] | None:
    """Return a formula as it was adopted, by default its newest version, or None.

    It is ``{formula, ballot, height}``.
    """
    value: Any = reader.get(formula_key(name, version or newest_version(reader, name)))
    return None if value is None else dict(value)


def _check(view: View, case: Case, subject: Mapping[str, Any]) -> Rejected | None:
    said = subject["formula"]
    expected = newest_version(view, said["id"]) + 1
    if said["version"] != expected:  # C11
        return Rejected("wrong_version", f"the next version of {said['id']} is {expected}")
    return None


def _enact(view: View, case: Case, subject: Mapping[str, Any]) -> Result:
    said = subject["formula"]
    view.put(formulas_key(said["id"]), said["version"])
    record = {"formula": said, "ballot": case.id, "height": case.height}
    view.put(formula_key(said["id"], said["version"]), record)
    deadlines.add(view, NAME, BLOCK_CLOCK, case.time_ms, [ADOPTED, said["id"], said["version"]])
    return {"formula": said["id"], "version": said["version"]}


def adopted(view: View, name: str, version: int) -> Result:
    """Say in a block's first receipt which formula was adopted."""
    record: Any = view.get(formula_key(name, version))
    return {"formulas": [{**record["formula"], "ballot": record["ballot"]}]}


PROPOSALS: Final[dict[str, ProposalKind]] = {
    "credit_formula": ProposalKind(Record({"formula": _content}), _check, _enact, {"formula": _EXAMPLE}),
}
