"""What a formula says, and what follows from it for the figures of a member: pure, for every reader.

Law: each point is one fraction of counted facts, rounded down; no grade, no rank, and too few facts say nothing.

contracts/credit/README.md, C11 and C12.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from coseal.contracts.credit.figures import FIRST_MONTH, KINDS, LAST_MONTH, Figure, month_after
from coseal.contracts.kernel.fields import Identifier, Integer, Many, OneOf, Record, Translatable

MAX_WINDOW_MONTHS: Final = 36
MAX_POINTS: Final = 16
MAX_SCALE: Final = 1_000_000
COUNT: Final = "count"
SUM: Final = "sum"
_KINDS: Final = Many(OneOf(*KINDS), low=1, high=len(KINDS), unique=True)
FORMULA: Final = Record(
    {
        "id": Identifier(slash=False),
        "version": Integer(1, 1_000_000),
        "title": Translatable(),
        "window_months": Integer(1, MAX_WINDOW_MONTHS),
        "points": Many(
            Record(
                {
                    "id": Identifier(slash=False),
                    "title": Translatable(),
                    "numerator": _KINDS,
                    "denominator": _KINDS,
                    "measure": OneOf(COUNT, SUM),
                    "scale": Integer(1, MAX_SCALE),
                    "minimum": Integer(1, MAX_SCALE),
                }
            ),
            low=1,
            high=MAX_POINTS,
        ),
    }
)
EXAMPLE: Final[Mapping[str, Any]] = {
    "id": "payment",
    "version": 1,
    "title": {"en": "Payment of receivables", "zh": "应收账款支付"},
    "window_months": 12,
    "points": [
        {
            "id": "on-time",
            "title": {"en": "Paid on time", "zh": "按时支付"},
            "numerator": ["settled_on_time"],
            "denominator": ["settled_on_time", "settled_late"],
            "measure": "count",
            "scale": 100,
            "minimum": 3,
        }
    ],
}


def faults_of(data: Any) -> Iterator[str]:
    """Yield what is wrong with a formula; each begins with the path of a field."""
    found = list(FORMULA.faults(data))
    if found:
        yield from found
        return
    ids = [point["id"] for point in data["points"]]
    for index, point in enumerate(data["points"]):
        if point["id"] in ids[:index]:
            yield f".points[{index}].id: {point['id']} stands twice"
        for kind in point["numerator"]:
            if kind not in point["denominator"]:  # C12
                yield f".points[{index}].numerator: {kind} is not in the denominator"


@dataclass(frozen=True, slots=True)
class Point:
    """A point of a dossier: its fraction, and what it comes to; None where there are too few facts."""

    id: str
    numerator: int
    denominator: int
    facts: int
    scale: int
    points: int | None


@dataclass(frozen=True, slots=True)
class Dossier:
    """What a formula says of a member: ``reached`` of ``attainable`` points, by the figures of these months."""

    formula: str
    version: int
    first_month: int
    month: int
    points: tuple[Point, ...]
    reached: int
    attainable: int


def months_of(formula: Mapping[str, Any], month: int) -> Sequence[int]:
    """Return the months that a formula looks at, ending with ``month``, ascending."""
    return [month_after(month, -back) for back in range(formula["window_months"] - 1, -1, -1)]


def kinds_of(formula: Mapping[str, Any]) -> Sequence[str]:
    """Return the kinds of facts that a formula looks at, in their order."""
    named = {kind for point in formula["points"] for kind in point["denominator"]}
    return [kind for kind in KINDS if kind in named]


def is_month(month: Any) -> bool:
    """Say whether a value is a month as ``yyyymm``."""
    return type(month) is int and FIRST_MONTH <= month <= LAST_MONTH and 1 <= month % 100 <= 12


def evaluate(formula: Mapping[str, Any], facts: Mapping[tuple[int, str], Figure], month: int) -> Dossier:
    """Return what a formula says of figures, by month and kind, at the end of ``month``; absent ones are nothing."""
    months = months_of(formula, month)
    points = []
    for point in formula["points"]:
        above = _total(facts, months, point["numerator"])
        below = _total(facts, months, point["denominator"])
        summed = point["measure"] == SUM
        numerator, denominator = (above.total, below.total) if summed else (above.facts, below.facts)
        enough = below.facts >= point["minimum"] and denominator > 0
        value = point["scale"] * numerator // denominator if enough else None  # C12
        points.append(Point(point["id"], numerator, denominator, below.facts, point["scale"], value))
    reached = sum(point.points for point in points if point.points is not None)
    attainable = sum(point.scale for point in points if point.points is not None)
    named = (formula["id"], formula["version"])
    return Dossier(*named, months[0], months[-1], tuple(points), reached, attainable)


def _total(facts: Mapping[tuple[int, str], Figure], months: Sequence[int], kinds: Sequence[str]) -> Figure:
    found = [facts[month, kind] for month in months for kind in kinds if (month, kind) in facts]
    return Figure(sum(each.facts for each in found), sum(each.total for each in found))
