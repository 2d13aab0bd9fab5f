"""A log flattened on one object type: each object of it a case, its events a trace, as XES and CSV want it.

Law: what belongs to no case of that type, and what a case cannot say, is counted in ``leaves_out``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from coseal.errors import CosealError
from coseal.formats.exporters.log import ExportLog, LogEvent, LogObject
from coseal.formats.importers.header import HEADER_TYPES

Case = tuple[LogObject, list[LogEvent]]


def object_type_of(log: ExportLog, wanted: str | None) -> str:
    """Return the object type to flatten on: the wanted one, or the only one there is."""
    known = [name for name in log.object_types if name not in HEADER_TYPES]
    if wanted in log.object_types and wanted is not None:
        return wanted
    if wanted is None and len(known) == 1:
        return known[0]
    names = ", ".join(known) or "none"
    raise CosealError(f"flatten on which object type? there are {names}", "give --object-type NAME")


@dataclass(frozen=True, slots=True)
class Flat:
    """The cases of one object type, in the order of the log."""

    object_type: str
    cases: list[Case]

    def counts(self, log: ExportLog) -> dict[str, Any]:
        """Return cases and events by type, as they stand in the file: an event of two cases stands there twice."""
        events = dict.fromkeys(log.event_types, 0)
        for _, trace in self.cases:
            for event in trace:
                events[event.type] += 1
        return {"cases": len(self.cases), "events": {name: count for name, count in events.items() if count}}


def flatten(log: ExportLog, wanted: str | None = None) -> Flat:
    """Return the log's cases; ``wanted`` may be None where there is one object type. Counts what they leave out."""
    object_type = object_type_of(log, wanted)
    cases: dict[str, Case] = {one.id: (one, []) for one in log.objects if one.type == object_type}
    headers = {one.id for one in log.objects if one.type in HEADER_TYPES}
    for event in log.events:
        named = dict.fromkeys(name for name, _ in event.objects if name in cases)
        log.leave_out("events_of_no_case", int(not named))
        log.leave_out("repeated_events", max(len(named) - 1, 0))
        log.leave_out("qualifiers", sum(bool(kind) for name, kind in event.objects if name in cases))
        log.leave_out("other_objects_of_events", sum(name not in cases for name, _ in event.objects))
        for name in named:
            cases[name][1].append(event)
    for name, (_, trace) in cases.items():
        if any(event.places for event in trace):
            trace.sort(key=lambda event, name=name: event.places[name])  # type: ignore[misc]
    log.leave_out("relations", sum(len(one.relations) for one in log.objects))
    log.leave_out("objects_of_other_types", sum(one.id not in cases and one.id not in headers for one in log.objects))
    return Flat(object_type, list(cases.values()))
