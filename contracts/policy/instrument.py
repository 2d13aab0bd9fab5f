"""A policy instrument: its fields in ELI's terms, its events, what they say of it, and whether it is in force.

Law: what is derived (status, standing) follows from the stored facts and a time alone; whether an instrument is in
force is never stored. Dates may be a year, a month or a day; one precedes another only if it certainly does.

Source: the European Legislation Identifier; contracts/policy/README.md.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final, TypeAlias

from coseal.contracts.kernel.action import Reader
from coseal.contracts.kernel.dates import DAY_MS, first_day, last_day, parse_date
from coseal.contracts.kernel.fields import Date, Field, Hexadecimal, Identifier, Integer, Label, Many, OneOf, Special
from coseal.contracts.kernel.names import MAX_IDENTIFIER
from coseal.contracts.policy.state import instrument_key
from coseal.ledger.genesis import LEVELS

Instrument: TypeAlias = dict[str, Any]
Event: TypeAlias = dict[str, Any]

ACTIONS: Final = (
    "proposed",
    "consulted",
    "passed",
    "approved",
    "promulgated",
    "effective",
    "amended",
    "revised",
    "corrected",
    "suspended",
    "repealed",
    "expired",
    "evaluated",
)
ENDING: Final = frozenset(("repealed", "expired"))
MAX_EVENTS: Final = 64
MAX_ISSUERS: Final = 32
MAX_AREAS: Final = 32
MAX_RELATIONS: Final = 64
MAX_ZONE_MINUTES: Final = 840
ZONE_MINUTES: Final[Mapping[str, int]] = {"CN": 480, "HK": 480, "JP": 540, "KR": 540, "MO": 480, "SG": 480, "TW": 480}
"""Minutes east of UTC by country, for those with one zone and no summer time; others say ``zone_minutes``."""

PAGES: Final = frozenset(("coissuing", "relations", "sources", "statistics"))
"""What the register offers beside instruments, at the same place (``/v1/policies/...``): no ids of instruments."""
UNNAMED_ISSUERS: Final = "co-issuers not named"
"""Among ``countersigned_by`` of a recorded instrument: it has issuers that its source does not name."""
RELATIONS: Final = ("amends", "repeals", "based_on", "implements", "cites")


def _name_faults(value: Any) -> Iterator[str]:
    if type(value) is str and value in PAGES:  # I5
        yield f": expected an id other than {', '.join(sorted(PAGES))}, which are pages of the register"
    yield from _identifier.faults(value)


_identifier: Final = Identifier()
instrument_name: Final = Special(
    _name_faults,
    f"{_identifier.describe()}; none of {', '.join(sorted(PAGES))}",
    {"type": "string", "minLength": 1, "maxLength": MAX_IDENTIFIER, "not": {"enum": sorted(PAGES)}},
    refused=("", *sorted(PAGES), "x" * (MAX_IDENTIFIER + 1), " a", "a/../b", "a\u200b", 1, None),
    passed=("a", "x" * MAX_IDENTIFIER, "cn/2021/237"),
)
"""An identifier that is none of ``PAGES``."""

_relation = Many(Identifier(), high=MAX_RELATIONS, unique=True)
_issuer = Label(high=256)

DESCRIPTION: Final[Mapping[str, Field]] = {
    "title_language": Label(high=16),
    "type_document": Label(high=256),
    "legal_value": Label(high=256),
    "number": Label(high=256),
    "mission": Label(high=256),
    "text_ref": Label(high=256),
    "text_sha256": Hexadecimal(),
    "passed_by": Many(_issuer, high=MAX_ISSUERS, unique=True),
    "countersigned_by": Many(_issuer, high=MAX_ISSUERS, unique=True),
    "jurisdiction": Label(high=32),
    "zone_minutes": Integer(-MAX_ZONE_MINUTES, MAX_ZONE_MINUTES),
    "date_document": Date(),
    "is_about": Many(Label(high=256), high=MAX_AREAS, unique=True),
    **dict.fromkeys(RELATIONS, _relation),
}
"""The fields that live acts and recorded facts share, but ``id`` and ``title``."""

RECORDED: Final[Mapping[str, Field]] = {
    **DESCRIPTION,
    "level": OneOf(*LEVELS),
    "date_publication": Date(),
    "first_date_entry_in_force": Date(),
    "date_no_longer_in_force": Date(),
}
"""The fields of a recorded instrument, but ``id`` and ``title``."""


def instrument(reader: Reader, instrument_id: str) -> Instrument | None:
    """Return an instrument as it is stored, or None. Do not change it; copy it first."""
    value: Any = reader.get(instrument_key(instrument_id))
    return value  # type: ignore[no-any-return]


def zone_missing(fields: Mapping[str, Any]) -> str | None:
    """Say what is missing where neither ``zone_minutes`` nor a known ``jurisdiction`` gives the zone of dates."""
    if "zone_minutes" in fields or fields.get("jurisdiction", "CN")[:2] in ZONE_MINUTES:  # L2
        return None
    return f".zone_minutes: needed, the zone of {fields['jurisdiction']} is not known here (minutes east of UTC)"


def with_defaults(fields: Mapping[str, Any]) -> Instrument:
    """Return the fields of a new instrument with language, jurisdiction and zone written out."""
    jurisdiction = fields.get("jurisdiction", "CN")
    return {
        "title_language": "zh",
        "jurisdiction": jurisdiction,
        "zone_minutes": ZONE_MINUTES.get(jurisdiction[:2], 0),
        **fields,
    }


# Dates


def starts_ms(date: str, zone_minutes: int) -> int:
    """Return 00:00 of the first day a date names, in a zone, as ms since the epoch."""
    return first_day(_parsed(date)) * DAY_MS - zone_minutes * 60_000  # L1


def is_before(left: str | None, right: str | None) -> bool:
    """Say whether ``left`` certainly precedes ``right``; False if one is None."""
    return left is not None and right is not None and last_day(_parsed(left)) < first_day(_parsed(right))  # L1


def _parsed(date: str) -> tuple[int, int, int]:
    parsed = parse_date(date)
    if parsed is None:
        raise ValueError(f"{date} was never checked")
    return parsed


# What the events say


def events_of(entry: Mapping[str, Any], *actions: str) -> list[Event]:
    """Return the instrument's events of these actions, in order."""
    return [event for event in entry["events"] if event["action"] in actions]


def first_date(entry: Mapping[str, Any], action: str) -> str | None:
    """Return the earliest date of an action's events (by first day), or None."""
    dates = [event["date"] for event in entry["events"] if event["action"] == action and "date" in event]
    return min(dates, key=lambda date: first_day(_parsed(date)), default=None)


def status_of(entry: Mapping[str, Any]) -> str:
    """Return ``ended``, ``promulgated``, ``passed``, ``proposed``, or ``recorded`` if no event tells."""
    seen = {event["action"] for event in entry["events"]}
    for status, actions in _STATUS:  # L14
        if seen & actions:
            return status
    return "recorded"


_STATUS: Final = (
    ("ended", ENDING),
    ("promulgated", frozenset(("promulgated", "effective"))),
    ("passed", frozenset(("passed", "approved", "amended", "revised", "corrected"))),
    ("proposed", frozenset(("proposed", "consulted"))),
)


def issuers_of(entry: Mapping[str, Any]) -> list[str]:
    """Return the bodies that passed the instrument or acted on it, each once, in order."""
    acted = (event["issuer"] for event in entry["events"] if "issuer" in event and event["action"] != "evaluated")
    return list(dict.fromkeys([*entry.get("passed_by", ()), *acted]))


# In force


def in_force(reader: Reader, instrument_id: str, time_ms: int) -> bool | None:
    """Say whether an instrument is in force at a time; None if that cannot be determined, or it is unknown."""
    entry = instrument(reader, instrument_id)
    if entry is None:
        return None
    verdict, _ = standing(entry, time_ms)
    return None if verdict == "unknown" else verdict == "in_force"


def standing(entry: Mapping[str, Any], time_ms: int) -> tuple[str, str]:  # L15
    """Return ``in_force``, ``not_yet``, ``no_longer``, ``suspended`` or ``unknown`` at a time, and why."""
    zone = entry["zone_minutes"]
    if entry["status"] == "proposed":
        return "not_yet", "it is a proposal"
    ended = _ended(entry, zone, time_ms)
    if ended is not None:
        return ended
    start = _start(entry)
    if start is None:
        live = entry["origin"] == "live"
        return ("not_yet", "it was not promulgated") if live else ("unknown", "no date of entry into force is recorded")
    if starts_ms(start, zone) > time_ms:
        return "not_yet", f"it enters into force on {start}"
    if entry.get("awaiting"):
        return "not_yet", f"it awaits the endorsement of {', '.join(entry['awaiting'])}"
    if entry.get("endorsed_ms", time_ms) > time_ms:
        return "not_yet", "its last endorsement came later"
    suspension = _suspended(entry, zone, time_ms)
    if suspension is not None:
        return "suspended", f"it was suspended on {suspension}"
    return "in_force", f"since {start}"


def _start(entry: Mapping[str, Any]) -> str | None:
    date: str | None = entry.get("first_date_entry_in_force")
    return first_date(entry, "effective") if date is None else date


def _ended(entry: Mapping[str, Any], zone: int, time_ms: int) -> tuple[str, str] | None:
    ends = events_of(entry, *sorted(ENDING))
    dates = [event.get("date") for event in ends]
    if "date_no_longer_in_force" in entry:
        dates.append(entry["date_no_longer_in_force"])
    for date in dates:
        if date is not None and starts_ms(date, zone) <= time_ms:
            return "no_longer", f"it ended on {date}"
    return ("unknown", "it ended, but no date is recorded") if None in dates else None


def _suspended(entry: Mapping[str, Any], zone: int, time_ms: int) -> str | None:
    """Return the date of the suspension that holds at a time, or None."""
    held: str | None = None
    for event in _by_date(events_of(entry, "suspended", "effective")):
        if starts_ms(event["date"], zone) <= time_ms:
            held = event["date"] if event["action"] == "suspended" else None
    return held


def _by_date(events: Iterable[Event]) -> list[Event]:
    return sorted((event for event in events if "date" in event), key=lambda event: first_day(_parsed(event["date"])))
