"""The life of an instrument as steps in time, what was known of it at a block, and why it stands as it does.

Law: only what the state holds; a date that is a field and no event is marked as stated. Nothing here knows words.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from coseal.contracts.kernel.dates import DAY_MS, first_day, parse_date
from coseal.contracts.policy.instrument import ENDING, events_of, first_date, starts_ms, status_of

_TONES: Final[Mapping[str, str]] = {
    **dict.fromkeys(("passed", "approved", "endorsed", "promulgated", "effective"), "good"),
    **dict.fromkeys(("proposed", "consulted", "awaiting"), "wait"),
    **dict.fromkeys(("suspended", "repealed", "expired"), "bad"),
}
_STATED: Final = (
    ("date_document", "signed", ("passed",)),
    ("date_publication", "promulgated", ("promulgated",)),
    ("first_date_entry_in_force", "effective", ("effective",)),
    ("date_no_longer_in_force", "ended", ("repealed", "expired")),
)


@dataclass(frozen=True, slots=True)
class Step:
    """One step: an event, a date stated as a field, the last evaluation, or an endorsement that is awaited."""

    action: str
    date: str | None = None
    time_ms: int | None = None
    issuer: str = ""
    number: str = ""
    by: str = ""
    height: int | None = None
    verdict: str = ""
    count: int = 0
    stated: bool = False

    @property
    def tone(self) -> str:
        """What colour the step has."""
        return _TONES.get(self.action, "")


def life(entry: Mapping[str, Any]) -> list[Step]:
    """Return all steps by date; of one day in the order of the register, undated ones last, awaited ones after them."""
    steps = [
        Step(
            event["action"],
            event.get("date"),
            event.get("time_ms"),
            event.get("issuer", ""),
            event.get("number", ""),
            event.get("by", ""),
            event.get("height"),
        )
        for event in entry["events"]
    ]
    told = {(step.action, step.date) for step in steps}
    for name, action, events in _STATED:
        if name in entry and not any((event, entry[name]) in told for event in events):
            steps.append(Step(action, entry[name], stated=True))
    if "evaluations" in entry:
        last = entry["evaluations"]
        steps.append(Step("evaluated", last["date"], verdict=last["verdict"], count=last["count"]))
    steps.sort(key=_day)
    return [*steps, *(Step("awaiting", issuer=issuer) for issuer in entry.get("awaiting", ()))]


def _day(step: Step) -> int:
    if step.time_ms is not None:
        return step.time_ms // DAY_MS
    parsed = parse_date(step.date) if step.date else None
    return 2**31 if parsed is None else first_day(parsed)


def known_at(entry: Mapping[str, Any], height: int) -> dict[str, Any] | None:
    """Return the instrument as far as blocks up to ``height`` had recorded it, None if they had not.

    Fields that a later act set are left out again. A field that a later record added to a recorded instrument cannot
    be told from the first ones, and stays.
    """
    events = [event for event in entry["events"] if event.get("height", 0) <= height]
    told = {event["action"] for event in events}
    if entry["height"] > height and not events:
        return None
    known = {**entry, "events": events}
    if entry["origin"] == "recorded":
        return known | {"status": status_of(known)}
    if "promulgated" not in told:
        known = {name: known[name] for name in known if name not in ("date_publication", "first_date_entry_in_force")}
    if not told & ENDING:
        known.pop("date_no_longer_in_force", None)
    later = [event["issuer"] for event in entry["events"] if event["action"] == "endorsed" and event not in events]
    if later:
        known.pop("endorsed_ms", None)
        known["awaiting"] = [*known.get("awaiting", ()), *later]
    return known | {"status": status_of(known)}


def why(entry: Mapping[str, Any], verdict: str, at_ms: int) -> tuple[str, dict[str, str]]:
    """Return the key of the reason for a verdict, and what it names."""
    start = entry.get("first_date_entry_in_force") or first_date(entry, "effective")
    if verdict == "in_force":
        return "policy.why.since", {"date": str(start)}
    if verdict == "no_longer":
        dates = [event["date"] for event in events_of(entry, *sorted(ENDING)) if "date" in event]
        dates += [entry[name] for name in ("date_no_longer_in_force",) if name in entry]
        return "policy.why.ended", {"date": min(dates)}
    if verdict == "suspended":
        return "policy.why.suspended", {}
    if verdict == "unknown":
        return ("policy.why.no_start" if start is None else "policy.why.end_undated"), {}
    if entry["status"] == "proposed":
        return "policy.why.proposal", {}
    if start is None:
        return "policy.why.not_promulgated", {}
    if starts_ms(start, entry["zone_minutes"]) > at_ms:
        return "policy.why.starts", {"date": start}
    if entry.get("awaiting"):
        return "policy.why.awaits", {"names": ", ".join(entry["awaiting"])}
    return "policy.why.endorsed_later", {}
