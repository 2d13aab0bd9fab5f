"""CloudEvents in a file: one a line, or a batch as one JSON array. The same mapping as at a node's door.

Law: events of one source, in its sequence from 1 on without a gap, each understood whole; or findings with their path.

The types are those of the file: an attribute whose values are all integers is an integer, one with other numbers a
decimal. Source: CloudEvents 1.0.2, JSON format; docs/spec/api.md, section CloudEvents.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from coseal.contracts.process.cloudevents import Number, SourcedItem, read_event
from coseal.contracts.process.items import Unfit
from coseal.formats.importers.json_text import parse
from coseal.formats.importers.log import Findings, Log, read_text
from coseal.formats.importers.mapping import Mapping


def read_cloudevents(path: Path, mapping: Mapping) -> Log:
    """Read a file of events; raise ``BadLog`` with all findings. The source is the events' own."""
    findings = Findings()
    read = [one for place, event in _events(read_text(path), findings) if (one := _read(event, place, findings))]
    findings.require_none(path)
    if not read:
        findings.add("no_events", "", "the file holds no event")
        findings.require_none(path)
    for number, one in enumerate(read, start=1):
        if one.source != read[0].source:
            findings.add(
                "other_source", f"event {number}.source", f"{one.source}, the first one is of {read[0].source}"
            )
        elif one.sequence != number:
            findings.add("sequence", f"event {number}.sequence", f"expected {number}, got {one.sequence}")
    types = _Types(findings)
    items = tuple(types.take(one.item, f"event {number}") for number, one in enumerate(read, start=1))
    findings.require_none(path)
    for item in items:
        if item["type"] in mapping.counterparties:
            item.setdefault("counterparty", mapping.counterparties[item["type"]])
    named = replace(mapping, source=read[0].source)
    return Log(named.definition(types.objects, types.events), named.source_args(), items)


def _events(text: str, findings: Findings) -> list[tuple[str, Any]]:
    """Return the events with their places: of an array, or one a line."""
    if text.lstrip()[:1] == "[":
        document = parse(text, findings)
        return [(f"[{index}]", event) for index, event in enumerate(document or [])]
    lines = [(f"line {number}", line) for number, line in enumerate(text.split("\n"), start=1) if line.strip()]
    return [(place, parse(line, findings, f"{place}: ")) for place, line in lines]


def _read(event: Any, place: str, findings: Findings) -> SourcedItem | None:
    if event is None:  # no JSON, which is noted already
        return None
    try:
        return read_event(event)
    except Unfit as error:
        findings.add("bad_event", place + str(error).partition(":")[0], str(error))
        return None


class _Types:
    """Learns the types a file's events have, and gives each value the form of its type."""

    def __init__(self, findings: Findings) -> None:
        self._findings = findings
        self.events: dict[str, dict[str, str]] = {}
        self.objects: dict[str, dict[str, str]] = {}
        self._values: dict[tuple[str, str], list[tuple[dict[str, Any], str]]] = {}

    def take(self, item: dict[str, Any], path: str) -> dict[str, Any]:
        """Return an item for the ledger; a decimal type found later turns its earlier integers into decimals."""
        types = self.events.setdefault(item["type"], {})
        for entry in item["objects"]:
            if type(entry) is list and entry and type(entry[0]) is str:
                self.objects.setdefault(entry[0], {})
        attributes = dict(item.get("attributes", {}))
        for name, value in attributes.items():
            kind, where = _kind(value), f"{path}.data.{name}"
            known = types.setdefault(name, kind or "string")
            if kind is None:
                self._findings.add("bad_value", where, "expected a text, a number or a boolean")
            elif {kind, known} == {"integer", "decimal"}:
                types[name] = "decimal"
            elif kind != known:
                self._findings.add("mixed_types", where, f"{kind}, yet {known} earlier")
            self._values.setdefault((item["type"], name), []).append((attributes, name))
            if types[name] == "decimal":
                self._as_decimals(item["type"], name)
        return {**item, "attributes": attributes} if attributes else item

    def _as_decimals(self, event_type: str, name: str) -> None:
        pending = self._values.pop((event_type, name), [])
        for attributes, key in pending:
            attributes[key] = str(attributes[key])


def _kind(value: Any) -> str | None:
    if type(value) is bool:
        return "boolean"
    if type(value) is int:
        return "integer"
    if isinstance(value, Number):
        return "decimal"
    return "string" if type(value) is str else None
