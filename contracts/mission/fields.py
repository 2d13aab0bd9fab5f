"""What missions are made of, as fields: days, values at days, goals, indicators.

Law: what fits these fields needs nothing of the state to be read; an indicator is either computed or reported.

contracts/mission/README.md, section Form.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from coseal.contracts.kernel.action import Args, Rejected, refused
from coseal.contracts.kernel.dates import DAY_MS, parse_date
from coseal.contracts.kernel.fields import (
    Field,
    Identifier,
    Integer,
    Label,
    Many,
    Name,
    OneOf,
    Record,
    Special,
    Table,
    Translatable,
)
from coseal.contracts.mission.sources import SOURCE
from coseal.contracts.policy.instrument import ZONE_MINUTES, starts_ms

ORIENTATIONS: Final = ("frontier", "economy", "national_needs", "life_health")
TYPES: Final = ("framework", "challenge", "thematic", "ecosystem")
UP: Final = "up"
DOWN: Final = "down"
MAX_GOALS: Final = 16
MAX_INDICATORS: Final = 64
MAX_GOAL_INDICATORS: Final = 16
MAX_TARGETS: Final = 16
MAX_REPORTERS: Final = 16
MAX_EVALUATIONS: Final = 32
MAX_VALUE: Final = 2**62
MAX_EVERY_MS: Final = 3_660 * DAY_MS

_ZONE: Final[int] = ZONE_MINUTES["CN"]


def begins_ms(day: str) -> int:
    """Return when a day begins, in China's time, as ms since the epoch."""  # M4
    return starts_ms(day, _ZONE)


def ends_ms(day: str) -> int:
    """Return when a day is over."""
    return begins_ms(day) + DAY_MS


def is_day(value: Any) -> bool:
    """Say whether a value is the text of a day."""
    parsed = parse_date(value)
    return parsed is not None and parsed[2] > 0


def _day_faults(value: Any) -> Iterator[str]:
    if not is_day(value):
        yield ": expected a day, such as 2026-06-30"


def _point_faults(value: Any) -> Iterator[str]:
    if type(value) is not list or len(value) != 2 or type(value[0]) is not int or abs(value[0]) > MAX_VALUE:
        yield ": expected a list of a value and a day, such as [100, 2026-06-30]"
    elif not is_day(value[1]):
        yield "[1]: expected a day, such as 2026-06-30"


DAY: Final = Special(
    _day_faults,
    "a day: 2026-06-30",
    {"type": "string", "minLength": 10, "maxLength": 10},
    refused=(None, "", "2026", "2026-06", "2026-02-30", "2026-6-30", "30.06.2026"),
    passed=("2026-06-30", "0001-01-01", "9999-12-31"),
)
POINT: Final = Special(
    _point_faults,
    "a value and its day: [100, 2026-06-30]",
    {"type": "array", "minItems": 2, "maxItems": 2},
    refused=(
        None,
        [],
        [1],
        ["1", "2026-06-30"],
        [True, "2026-06-30"],
        [1, "2026"],
        [MAX_VALUE + 1, "2026-06-30"],
        [-MAX_VALUE - 1, "2026-06-30"],
        [1, "2026-06-30", 1],
    ),
    passed=([0, "2026-06-30"], [MAX_VALUE, "2026-06-30"], [-MAX_VALUE, "2026-06-30"]),
)
TARGETS: Final = Many(POINT, low=1, high=MAX_TARGETS)
NAME: Final = Identifier(slash=False)
GOAL: Final = Record(
    {"id": NAME, "title": Translatable()},
    {"indicators": Table(OneOf(UP, DOWN), high=MAX_GOAL_INDICATORS, key=NAME)},
)
INDICATOR: Final = Record(
    {
        "name": NAME,
        "title": Translatable(),
        "unit": Label(high=32),
        "direction": OneOf(UP, DOWN),
        "every_ms": Integer(DAY_MS, MAX_EVERY_MS),
    },
    {
        "scale": Integer(0, 9),
        "baseline": POINT,
        "targets": TARGETS,
        "source": SOURCE,
        "reporters": Many(Name(), low=1, high=MAX_REPORTERS, unique=True),
    },
)
GOALS: Final = Many(GOAL, low=1, high=MAX_GOALS)
INDICATORS: Final = Many(INDICATOR, high=MAX_INDICATORS)
EVALUATIONS: Final = Many(DAY, high=MAX_EVALUATIONS)

REQUIRED: Final[Mapping[str, Field]] = {
    "mission": NAME,
    "title": Translatable(),
    "orientation": Many(OneOf(*ORIENTATIONS), low=1, high=len(ORIENTATIONS), unique=True),
    "type": OneOf(*TYPES),
    "from": DAY,
    "to": DAY,
    "goals": GOALS,
    "indicators": INDICATORS,
    "evaluations": EVALUATIONS,
}
OPTIONAL: Final[Mapping[str, Field]] = {"basis": Identifier()}
"""What a mission says when it is opened."""

EXAMPLE: Final[Mapping[str, Any]] = {
    "mission": "legal-digital-currency",
    "title": {"en": "Legal digital currency", "zh": "法定数字货币"},
    "orientation": ["economy", "national_needs"],
    "type": "thematic",
    "from": "2014-01-01",
    "to": "2035-12-31",
    "goals": [{"id": "use", "title": "It is used in trade at retail", "indicators": {"wallets": UP}}],
    "indicators": [
        {
            "name": "wallets",
            "title": "Personal wallets",
            "unit": "wallets",
            "direction": UP,
            "every_ms": 366 * DAY_MS,
            "baseline": [0, "2019-12-31"],
            "targets": [[500_000_000, "2030-12-31"]],
            "reporters": ["central-bank"],
        }
    ],
    "evaluations": ["2030-12-31"],
}


def mission_faults(args: Args) -> Iterator[Rejected]:
    """Yield what the forms alone do not find of a whole mission."""
    if args["from"] >= args["to"]:
        yield from refused(".to: expected a day after from")
    yield from goal_faults(args["goals"], [indicator["name"] for indicator in args["indicators"]])
    yield from indicator_faults(args["indicators"])
    yield from evaluation_faults(args["evaluations"], args["from"], args["to"])


def goal_faults(goals: Sequence[Mapping[str, Any]], indicators: Sequence[str] | None) -> Iterator[Rejected]:
    """Yield goals of one id, and indicators that a goal names and are not there; None: they are not known here."""
    seen: set[str] = set()
    for place, goal in enumerate(goals):
        if goal["id"] in seen:
            yield from refused(f".goals[{place}].id: {goal['id']} stands twice")
        seen.add(goal["id"])
        for name in goal.get("indicators", ()) if indicators is not None else ():
            if name not in (indicators or ()):
                yield from refused(f".goals[{place}].indicators: there is no indicator {name}")


def indicator_faults(indicators: Sequence[Mapping[str, Any]]) -> Iterator[Rejected]:
    """Yield indicators of one name, targets that do not rise in time, and what is both computed and reported."""
    seen: set[str] = set()
    for place, indicator in enumerate(indicators):
        at = f".indicators[{place}]"
        if indicator["name"] in seen:
            yield from refused(f"{at}.name: {indicator['name']} stands twice")
        seen.add(indicator["name"])
        if ("source" in indicator) == ("reporters" in indicator):  # I1
            yield from refused(f"{at}: expected either source or reporters")
        points = [indicator["baseline"]] if "baseline" in indicator else []
        if not is_rising([*points, *indicator.get("targets", ())]):  # I2
            yield from refused(f"{at}.targets: expected days that rise, after that of the baseline")


def is_rising(points: Sequence[Sequence[Any]]) -> bool:
    """Say whether the days of values rise."""
    return all(before[1] < after[1] for before, after in itertools.pairwise(points))


def evaluation_faults(days: Sequence[str], start: str, end: str) -> Iterator[Rejected]:
    """Yield days of evaluations that do not rise, or are outside of the mission's period."""
    if not all(before < after for before, after in itertools.pairwise(days)):
        yield from refused(".evaluations: expected days that rise")
    elif days and not start <= days[0] <= days[-1] <= end:
        yield from refused(f".evaluations: expected days from {start} to {end}")
