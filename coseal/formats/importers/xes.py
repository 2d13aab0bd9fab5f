"""XES (IEEE 1849): each trace a case, read with all its attributes, extensions, globals and classifiers.

Law: every trace, event and attribute becomes part of an item, or is a finding with its path.

A trace is an object of type ``case`` with the trace's attributes; an event of it names that object. ``concept:name``
is the event's type, ``time:timestamp`` its time, ``identity:id`` or
``coseal:event_id`` its id (``event-N`` in the file's order without).
A nested attribute is named ``outer>inner``. What the log says of itself is kept as its header (``header.py``).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final

from coseal.formats.importers.header import EPOCH_TIME, PIECES_MAX, XES_HEADER, header_items
from coseal.formats.importers.log import Findings, Log, Values, in_time_order
from coseal.formats.importers.mapping import Mapping
from coseal.formats.importers.xml_stream import Element, stream

CASE: Final = "case"
NAME: Final = "concept:name"
TIME: Final = "time:timestamp"
ID: Final = "identity:id"
OWN_ID: Final = "coseal:event_id"
"""How our exports name an event: XES has ids be UUIDs, and ours need not be."""
NEST: Final = ">"
_OWN: Final = (NAME, TIME, ID, OWN_ID)
LEDGER_TYPES: Final = {
    "string": "string",
    "date": "time",
    "int": "integer",
    "float": "decimal",
    "boolean": "boolean",
    "id": "string",
}
"""The attribute types of XES and what they are on the ledger; the header lists which strings are an ``id``."""
_Attribute = tuple[str, str, str, str]  # name, XES type, value, path


def read_xes(path: Path, mapping: Mapping) -> Log:
    """Read a ``.xes`` file or one with ``.gz``; raise ``BadLog`` with all findings."""
    findings = Findings()
    reader = _Reader(findings, mapping)
    root = stream(path, 1, reader.add, findings)
    if root.tag != "log":
        findings.add("not_xes", root.tag, "expected the element log")
        findings.require_none(path)
    log = reader.log(root)
    findings.require_none(path)
    return log


class _Reader:
    def __init__(self, findings: Findings, mapping: Mapping) -> None:
        self._findings, self._mapping = findings, mapping
        self._values = Values(findings, mapping.zone)
        self._types: dict[str, dict[str, tuple[str, str]]] = {}  # event type -> attribute -> (XES type, first path)
        self._case_types: dict[str, tuple[str, str]] = {}
        self._cases: dict[str, list[list[Any]]] = {}
        self._merged = 0
        self._events: list[dict[str, Any]] = []
        self._ids: dict[str, str] = {}
        self._header: dict[str, list[Any]] = {"extensions": [], "globals": [], "classifiers": [], "attributes": []}
        self._traces = 0

    def add(self, around: tuple[str, ...], element: Element) -> None:
        """Take a child of the log."""
        if element.tag == "trace":
            self._traces += 1
            self._trace(element, f"trace[{self._traces}]")
        elif element.tag == "event":
            self._event(element, None, f"event[{len(self._events) + 1}]")
        elif element.tag == "global":
            inner = [_plain(child) for child in element.children]
            self._header["globals"].append([element.attributes.get("scope", ""), inner])
        elif element.tag in ("extension", "classifier"):
            self._header[f"{element.tag}s"].append(element.attributes)
        elif element.tag in LEDGER_TYPES or element.tag in ("list", "container"):
            self._header["attributes"].append(_plain(element))
        else:
            self._findings.add("unknown_element", element.tag, "not of XES")

    def log(self, root: Element) -> Log:
        """Return everything: the header, the cases, then the events by time."""
        ids = sorted(
            [["", name] for name, (kind, _) in self._case_types.items() if kind == "id"]
            + [
                [event, name]
                for event, types in self._types.items()
                for name, (kind, _) in types.items()
                if kind == "id"
            ]
        )
        header, pieces = header_items(XES_HEADER, {**self._header, "log": root.attributes, "ids": ids})
        if len(pieces) > PIECES_MAX:
            self._findings.add(
                "header_too_large", "log", "extensions, globals, classifiers, attributes: 512,000 characters"
            )
        cases = [
            {"object": name, "type": CASE, **({"attributes": values} if values else {})}
            for name, values in self._cases.items()
        ]
        self._number_events()
        timed: list[tuple[str | None, dict[str, Any]]] = [(None, item) for item in (*header, *cases)]
        timed += [(item["time"], item) for item in self._events]
        note = f"{self._merged} traces bear the name of an earlier one: one case on the ledger"
        return Log(
            definition=self._mapping.definition(
                {CASE: _ledger_types(self._case_types), XES_HEADER: pieces},
                {name: _ledger_types(types) for name, types in self._types.items()},
            ),
            source=self._mapping.source_args(),
            items=in_time_order(timed, self._mapping.zone_minutes),
            notes=(note,) if self._merged else (),
        )

    def _trace(self, element: Element, path: str) -> None:
        attributes = list(self._attributes([c for c in element.children if c.tag != "event"], path))
        name = next((value for key, _, value, _ in attributes if key == NAME), None)
        case = self._values.identifier(name, f"{path}.{NAME}") if name is not None else None
        if name is None:
            self._findings.add("no_case", path, f"a trace needs {NAME}")
        if case is not None:
            self._merged += case in self._cases
            values = self._cases.setdefault(case, [])
            values += [
                [key, EPOCH_TIME, value] for key, value in self._read(attributes, (NAME,), self._case_types).items()
            ]
        number = 0
        for child in element.children:
            if child.tag == "event":
                number += 1
                self._event(child, case, f"{path}.event[{number}]")

    def _event(self, element: Element, case: str | None, path: str) -> None:
        attributes = list(self._attributes(element.children, path))
        own = {key: value for key, _, value, _ in attributes if key in _OWN}
        if NAME not in own:
            self._findings.add("no_activity", path, f"an event needs {NAME}")
        if TIME not in own:
            self._findings.add("no_time", path, f"an event needs {TIME}")
        name = self._values.label(own[NAME], f"{path}.{NAME}") if NAME in own else None
        time = self._values.time(own[TIME], f"{path}.{TIME}") if TIME in own else None
        item: dict[str, Any] = {"event": self._event_id(own.get(OWN_ID, own.get(ID)), path), "type": name, "time": time}
        item["objects"] = [] if case is None else [[CASE, case]]
        values = self._read(attributes, _OWN, self._types.setdefault(name or "", {}))
        if values:
            item["attributes"] = values
        if name is not None and name in self._mapping.counterparties:
            item["counterparty"] = self._mapping.counterparties[name]
        self._events.append(item)

    def _event_id(self, name: str | None, path: str) -> str | None:
        """Return the id an event gives itself; None if it gives none."""
        if name is None:
            return None
        event_id = self._values.identifier(name, f"{path}.{ID}")
        if event_id is not None and event_id in self._ids:
            self._findings.add("duplicate_id", f"{path}.{ID}", f"event {event_id}, as {self._ids[event_id]}")
        self._ids.setdefault(event_id or "", path)
        return event_id

    def _number_events(self) -> None:
        for number, item in enumerate(self._events, start=1):
            if item["event"] is None:
                event_id = f"event-{number}"
                if event_id in self._ids:
                    self._findings.add("duplicate_id", self._ids[event_id], f"{event_id} is given to another event")
                item["event"] = event_id

    def _attributes(self, elements: Sequence[Element], path: str, outer: str = "") -> Iterator[_Attribute]:
        """Yield the attributes of an element and, under ``outer>inner``, those in them."""
        for element in elements:
            key, value = element.attributes.get("key", ""), element.attributes.get("value")
            where = f"{path}.{outer}{key or element.tag}"
            if element.tag not in LEDGER_TYPES or not key or value is None:
                self._findings.add("unknown_element", where, f"{element.tag}: expected an attribute with key and value")
                continue
            for name in element.attributes:
                if name not in ("key", "value"):
                    self._findings.add("unknown_field", f"{where}@{name}", "expected only key, value")
            if element.text.strip():
                self._findings.add("unknown_text", where, element.text.strip()[:60])
            yield outer + key, element.tag, value, where
            yield from self._attributes(element.children, path, f"{outer}{key}{NEST}")

    def _read(
        self, attributes: Sequence[_Attribute], own: tuple[str, ...], types: dict[str, tuple[str, str]]
    ) -> dict[str, Any]:
        """Return the values of attributes, save those of ``own``, and learn their types."""
        result: dict[str, Any] = {}
        for name, kind, value, path in attributes:
            if name in own:
                continue
            known, first = types.setdefault(name, (kind, path))
            if name in result:
                self._findings.add("duplicate_attribute", path, name)
            elif kind != known:
                self._findings.add("mixed_types", path, f"{kind}, yet {known} at {first}")
            else:
                result[name] = self._values.read(LEDGER_TYPES[kind], value, path)
        return result


def _ledger_types(types: dict[str, tuple[str, str]]) -> dict[str, str]:
    return {name: LEDGER_TYPES[kind] for name, (kind, _) in types.items()}


def _plain(element: Element) -> list[Any]:
    """Return an attribute of the header as [type, key, value, [inner ones]]; ``values`` of a list is one more level."""
    get = element.attributes.get
    return [element.tag, get("key"), get("value"), [_plain(child) for child in element.children]]
