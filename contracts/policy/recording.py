"""Recording historical policies: facts of any issuer, as the source has them, with what is odd about them.

Law: a broken guard is a finding on the instrument, never a refusal; only a wrong form refuses a batch. Findings of
guards follow from all events of the instrument, so the order in which batches come does not matter to them.

contracts/policy/README.md, section Findings.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from coseal.contracts.kernel.action import INVALID, Action, Args, Arguments, Context, Rejected, Result, View
from coseal.contracts.kernel.budget import ENTRY_STEPS, ITEM_STEPS
from coseal.contracts.kernel.fields import Date, Hexadecimal, Label, Many, OneOf, Record, Text
from coseal.contracts.policy.acts import save
from coseal.contracts.policy.instrument import (
    ACTIONS,
    ENDING,
    MAX_EVENTS,
    RECORDED,
    Event,
    Instrument,
    events_of,
    first_date,
    instrument,
    instrument_name,
    is_before,
    with_defaults,
    zone_missing,
)

MAX_INSTRUMENTS: Final = 500
MAX_KEPT_FINDINGS: Final = 16
_KEPT_CODES: Final = frozenset(("field_differs", "duplicate_event"))
"""Findings about what was sent; they stay, whereas those of guards are computed afresh."""

Finding = dict[str, str]


def _record(view: View, context: Context, args: Args) -> Result | Rejected:
    new = events = 0
    findings: list[list[str]] = []
    for index, item in enumerate(args["instruments"]):
        before = instrument(view, item["id"])
        view.charge(_steps_of(before, item))
        if before is not None and before["origin"] == "live":  # L12
            findings.append([item["id"], "not_recordable"])
            continue
        after = _merged(before, item, context, args["source_sha256"])
        if len(after["events"]) > MAX_EVENTS:
            detail = f"args.instruments[{index}].events: {item['id']} would have more than {MAX_EVENTS} events"
            return Rejected("limit", detail)
        kept = [finding for finding in after["findings"] if finding["code"] in _KEPT_CODES]
        after["findings"] = [*kept[:MAX_KEPT_FINDINGS], *_guards(after)]  # L13
        known = [] if before is None else before["findings"]
        findings += [[item["id"], finding["code"]] for finding in after["findings"] if finding not in known]  # L12
        new += before is None
        events += len(after["events"]) - (0 if before is None else len(before["events"]))
        save(view, before, after)
    return {
        "source": args["source"],
        "instruments": len(args["instruments"]),
        "new": new,
        "events": events,
        "findings": findings,
    }


def _steps_of(before: Instrument | None, item: Mapping[str, Any]) -> int:
    """Return what merging an instrument takes: every event sent is compared with every one that is known."""
    known = 0 if before is None else len(before["events"])
    sent = len(item.get("events", ()))
    return ITEM_STEPS + ENTRY_STEPS * (len(item) + known + sent) + (known + sent) * sent // 2


def _merged(before: Instrument | None, item: Mapping[str, Any], context: Context, source_sha256: str) -> Instrument:
    """Return the instrument with what ``item`` adds; of two values for a field the first stays."""
    fields = {name: value for name, value in item.items() if name != "events"}
    findings: list[Finding] = []
    if before is None:
        after = with_defaults(fields)
        after |= {"origin": "recorded", "member": context.member, "height": context.height, "events": []}
        after |= {"source_sha256": source_sha256}
    else:
        after = {**fields, **before}
        findings += before["findings"]
        for name in sorted(fields):
            if after[name] != fields[name]:  # L13
                findings.append(_finding("field_differs", f"{name}: another value in source {source_sha256}"))
    known = [_facts(event) for event in after["events"]]
    added: list[Event] = []
    for event in item.get("events", ()):
        facts = _facts(event)
        if facts in known:
            findings.append(_finding("duplicate_event", f"{event['action']} {event.get('date', 'undated')}"))
        else:
            known.append(facts)
            added.append({**facts, "height": context.height})
    after["events"] = [*after["events"], *added]
    after["findings"] = [finding for at, finding in enumerate(findings) if finding not in findings[:at]]
    return after


def _facts(event: Mapping[str, Any]) -> Event:
    """Return what is kept of an event; its ``text`` stays in the block."""
    return {name: event[name] for name in ("action", "date", "issuer", "number") if name in event}


# Guards, as findings


def _guards(entry: Instrument) -> list[Finding]:
    return [
        _finding(code, detail)
        for code, detail in (
            *_missing_steps(entry),
            *_wrong_order(entry),
            *_after_end(entry),
            *_bare_events(entry),
        )
    ]


def _missing_steps(entry: Instrument) -> list[tuple[str, str]]:
    passed = bool(events_of(entry, "passed"))
    found = []
    if events_of(entry, "effective") and not passed:
        found.append(("effective_without_passing", "an entry into force, but no passing is recorded"))
    if entry.get("level") == "municipal" and passed and not events_of(entry, "approved"):
        found.append(("approval_missing", "municipal, passed, but no approval of a higher level is recorded"))
    return found


def _wrong_order(entry: Instrument) -> list[tuple[str, str]]:
    found = []
    for later, earlier in _ORDER:
        late, early = first_date(entry, later), first_date(entry, earlier)
        if is_before(late, early):
            found.append((f"{later}_before_{earlier}", f"{later} on {late}, {earlier} on {early}"))
    return found


def _after_end(entry: Instrument) -> list[tuple[str, str]]:
    found = []
    ends = [event for event in events_of(entry, *sorted(ENDING)) if "date" in event]
    for event in events_of(entry, "passed", "approved", "promulgated", "amended", "revised", "corrected"):
        end = next((end["date"] for end in ends if is_before(end["date"], event.get("date"))), None)
        if end is not None:
            found.append(("act_after_end", f"{event['action']} on {event['date']}, ended on {end}"))
            break
    others = [event for event in entry["events"] if event["action"] not in ("repealed", "evaluated")]
    bodies = [*entry.get("passed_by", ()), *(event["issuer"] for event in others if "issuer" in event)]
    for event in events_of(entry, "repealed"):
        if bodies and "issuer" in event and event["issuer"] not in bodies:
            found.append(("ended_by_other", f"repealed by {event['issuer']}, which has issued nothing of it"))
            break
    return found


def _bare_events(entry: Instrument) -> list[tuple[str, str]]:
    found = []
    for field, code in (("issuer", "event_without_issuer"), ("date", "event_without_date")):
        bare = sum(field not in event for event in entry["events"])
        if bare:
            found.append((code, f"{bare} of {len(entry['events'])} events"))
    return found


def _finding(code: str, detail: str) -> Finding:
    return {"code": code, "detail": detail}


def _zones(args: Args) -> Iterator[Rejected]:
    for index, item in enumerate(args["instruments"]):
        missing = zone_missing(item)
        if missing is not None:
            yield Rejected(INVALID, f"args.instruments[{index}]{missing}")


_ORDER: Final = (
    ("promulgated", "passed"),
    ("effective", "promulgated"),
    ("effective", "passed"),
    ("approved", "passed"),
)
_text = Text(high=512)
_event = Record(
    {"action": OneOf(*ACTIONS)},
    {
        "date": Date(),
        "issuer": Label(high=256),
        "number": Label(high=256),
        "text": _text,
    },
)
_item = Record({"id": instrument_name, "title": _text}, {**RECORDED, "events": Many(_event, high=MAX_EVENTS)})
_arguments = Arguments(
    {
        "source": Text(),
        "source_sha256": Hexadecimal(),
        "instruments": Many(_item, high=MAX_INSTRUMENTS, low=1),
    },
    further=_zones,
)

RECORD: Final = Action(
    arguments=_arguments,
    apply=_record,
    title="Record historical policies and their dated events, of any issuer",
    example={
        "source": "A Case Study of China's Mission-oriented Innovation Policies, Table 1",
        "source_sha256": "00" * 32,
        "instruments": [
            {
                "id": "table-1/10",
                "title": 'Notice on Remediation of "Mining" Activities of Virtual Currency',
                "title_language": "en",
                "level": "central",
                "passed_by": ["National Development and Reform Commission"],
                "date_publication": "2021-09",
                "events": [
                    {"action": "promulgated", "date": "2021-09", "issuer": "National Development and Reform Commission"}
                ],
            }
        ],
    },
    capability="registrar",
)
