"""Which pending transfer pays a tranche of a project, and whether the tranche was released.

Law: a tranche is paid by the one pending transfer that is named here, and only once it is released; whoever else names
the tranche in a condition waits in vain.

Certification writes this as funders pledge and release; nothing else does. contracts/currency/README.md, C19.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Final

from coseal.contracts.currency.state import tranche_key
from coseal.contracts.kernel.action import Reader, View
from coseal.contracts.kernel.fields import Identifier, Integer, Special

MAX_TRANCHES: Final = 32
_project: Final = Identifier(slash=False)
_number: Final = Integer(1, MAX_TRANCHES)


def _faults(value: Any) -> Iterator[str]:
    if type(value) is not list or len(value) != 2:
        yield ": expected [project, number of its tranche]"
        return
    for part, field in zip(value, (_project, _number), strict=True):
        wrong = field.check(part)
        if wrong is not None:
            yield wrong


TRANCHE: Final = Special(
    _faults,
    f"a project and the number of one of its tranches, 1 to {MAX_TRANCHES}",
    {"type": "array", "minItems": 2, "maxItems": 2},
    refused=(
        None,
        {},
        [],
        ["clearing"],
        ["a/b", 1],
        ["clearing", 0],
        ["clearing", MAX_TRANCHES + 1],
        ["clearing", "1"],
    ),
    passed=(["clearing", 1], ["clearing", MAX_TRANCHES]),
)
"""The form of the condition ``tranche``."""


def put_payment(view: View, project: str, number: int, pending: int, *, released: bool) -> None:
    """Keep which pending transfer pays a tranche, and whether it may."""
    view.put(tranche_key(project, number), [pending, released])


def unmet(reader: Reader, pending: int, tranche: Sequence[Any]) -> str | None:
    """Say why a pending transfer does not pay a tranche now, or return None."""
    project, number = tranche
    kept: Any = reader.get(tranche_key(project, number))
    if kept is None or kept[0] != pending:  # C19
        return f"P{pending} is not what was pledged for it"
    return None if kept[1] else "it was not released"
