"""XES (IEEE 1849): each trace a case, read with all its attributes, extensions, globals and classifiers.

Law: every trace, event and attribute becomes part of an item, or is a finding with its path.

A trace is an object of type ``case`` with the trace's attributes; an event of it names that object. ``concept:name``
is the event's type, ``time:timestamp`` its time, ``coseal:event_id`` or ``identity:id`` its id (``event-N`` in the
file's order without); ``identity:id`` stays an attribute too, so that an export has it where the file had it.
A nested attribute is named ``outer>inner`` (``xes_keys.py``). What the log says of itself is kept as its header
(``header.py``), and there, under ``not_kept``, how much of the file is not on the ledger.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final

from coseal.formats.importers.header import CHARACTERS_MAX, EPOCH_TIME, XES_HEADER, header_items
from coseal.formats.importers.log import Findings, Log, Values, in_time_order, time_key
from coseal.formats.importers.mapping import Mapping
from coseal.formats.importers.xes_keys import NEST, name_of
from coseal.formats.importers.xml_stream import Element, stream

CASE: Final = "case"
NAME: Final = "concept:name"
TIME: Final = "time:timestamp"
ID: Final = "identity:id"
OWN_ID: Final = "coseal:event_id"
"""How our exports name an event: XES has ids be UUIDs, and ours need not be."""
LITERAL_KEYS: Final = "coseal:keys"
"""A log attribute of our exports: keys are names as they are, ``>`` in them nests nothing."""
OBJECT_TYPE: Final = "coseal:object_type"
"""A log attribute of our exports: on which object type they are flattened."""
_OWN: Final = (NAME, TIME, OWN_ID)
LEDGER_TYPES: Final = {
    "string": "string",
    "date": "time",
    "int": "integer",
    "float": "decimal",
    "boolean": "boolean",
    "id": "string",
}
"""The attribute types of XES and what they are on the ledger."""
_USUAL: Final = {"string": "string", "time": "date", "integer": "int", "decimal": "float", "boolean": "boolean"}
_OWN_TYPES: Final = {NAME: "string", TIME: "date", OWN_ID: "string"}
NOT_KEPT: Final = {
    "moved_events": "events stood after a later one of their trace: the ledger has them in the order of time",
    "merged_traces": "traces bear the name of an earlier one: one case on the ledger",
    "log_attributes": "attributes of the log are left out, as was asked",
}
"""What of a file is not on the ledger, by the name under which its count stands there."""
_FIELDS: Final = ("key", "value")
_Attribute = tuple[str, str, str, str]  # name, XES type, value, path
_Types = dict[str, tuple[str, str]]  # attribute -> (XES type, path where it was first seen)


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
        self._types: dict[str, _Types] = {}
        self._case_types: _Types = {}
        self._cases: dict[str, list[list[Any]]] = {}
        self._events: list[dict[str, Any]] = []
        self._ids: dict[str, str] = {}
        self._header: dict[str, list[Any]] = {"extensions": [], "globals": [], "classifiers": [], "attributes": []}
        self._traces = 0
        self._literal = False
        self._not_kept = dict.fromkeys(NOT_KEPT, 0)

    def add(self, around: tuple[str, ...], element: Element) -> None:
        """Take a child of the log."""
        if element.tag == "trace":
            self._traces += 1
            self._trace(element, f"trace[{self._traces}]")
        elif element.tag == "event":
            self._event(element, None, f"event[{len(self._events) + 1}]")
        elif element.tag == "global":
            self._check_header(element, "global", ("scope",))
            inner = [_plain(child) for child in element.children]
            self._header["globals"].append([element.attributes.get("scope", ""), inner])
        elif element.tag in ("extension", "classifier"):
            self._check_header(element, element.tag, tuple(element.attributes))
            self._header[f"{element.tag}s"].append(element.attributes)
        elif element.tag in LEDGER_TYPES or element.tag in ("list", "container"):
            self._log_attribute(element)
        else:
            self._findings.add("unknown_element", element.tag, "not of XES")

    def log(self, root: Element) -> Log:
        """Return everything: the header, the cases, then the events by time."""
        kinds = sorted(
            [owner, name, kind]
            for owner, types in (("", self._case_types), *self._types.items())
            for name, (kind, _) in types.items()
            if kind != usual_type(owner, name, LEDGER_TYPES[kind])
        )
        not_kept = {name: count for name, count in self._not_kept.items() if count}
        header, pieces = self._header_items(
            {**self._header, "log": root.attributes, "kinds": kinds, "not_kept": not_kept}
        )
        cases = [
            {"object": name, "type": CASE, **({"attributes": values} if values else {})}
            for name, values in self._cases.items()
        ]
        self._number_events()
        timed: list[tuple[str | None, dict[str, Any]]] = [(None, item) for item in (*header, *cases)]
        timed += [(item["time"], item) for item in self._events]
        return Log(
            definition=self._mapping.definition(
                {CASE: _ledger_types(self._case_types, (NAME,)), XES_HEADER: pieces},
                {name: _ledger_types(types, _OWN) for name, types in self._types.items()},
            ),
            source=self._mapping.source_args(),
            items=in_time_order(timed, self._mapping.zone_minutes),
            notes=tuple(f"{count} {NOT_KEPT[name]}" for name, count in not_kept.items()),
        )

    def _header_items(self, header: dict[str, Any]) -> tuple[list[dict[str, Any]], dict[str, str]]:
        made = header_items(XES_HEADER, header)
        if made is None:
            detail = f"extensions, globals, classifiers and log attributes have more than {CHARACTERS_MAX:,} characters"
            self._findings.add("header_too_large", "log", detail)
        return made or ([], {})

    def _log_attribute(self, element: Element) -> None:
        """Take an attribute of the log; those of our exports say how it is to be read, whatever the map leaves out."""
        self._check_header(element, f"log.{element.attributes.get('key', element.tag)}", _FIELDS)
        own = element.attributes.get("key") in (LITERAL_KEYS, OBJECT_TYPE)
        if element.attributes.get("key") == LITERAL_KEYS:
            self._literal = True
        if own or self._mapping.log_attributes:
            self._header["attributes"].append(_plain(element))
        else:
            self._not_kept["log_attributes"] += 1

    def _check_header(self, element: Element, path: str, fields: tuple[str, ...]) -> None:
        """Note what the header would not hold of an element and those in it."""
        self._require_only(element, path, fields)
        for child in element.children:
            self._check_header(child, f"{path}.{child.attributes.get('key', child.tag)}", _FIELDS)

    def _require_only(self, element: Element, path: str, fields: tuple[str, ...] = ()) -> None:
        for field in element.attributes:
            if field not in fields:
                self._findings.add("unknown_field", f"{path}@{field}", f"expected only {', '.join(fields) or 'none'}")
        if element.text.strip() and not element.children:  # else the stream has found it
            self._findings.add("unknown_text", path, element.text.strip()[:60])

    def _trace(self, element: Element, path: str) -> None:
        self._require_only(element, path)
        attributes = list(self._attributes([c for c in element.children if c.tag != "event"], path))
        name = next((value for key, _, value, _ in attributes if key == NAME), None)
        case = self._values.identifier(name, f"{path}.{NAME}") if name is not None else None
        if name is None:
            self._findings.add("no_case", path, f"a trace needs {NAME}")
        if case is not None:
            self._not_kept["merged_traces"] += case in self._cases
            values = self._cases.setdefault(case, [])
            values += [
                [key, EPOCH_TIME, value] for key, value in self._read(attributes, (NAME,), self._case_types).items()
            ]
        events = [child for child in element.children if child.tag == "event"]
        for number, child in enumerate(events, start=1):
            self._event(child, case, f"{path}.event[{number}]")
        self._count_order(len(events))

    def _count_order(self, count: int) -> None:
        """Count those of the last ``count`` events, a trace, that stood after one that is later."""
        latest = time_key(None, None)
        for item in self._events[len(self._events) - count :]:
            key = time_key(item["time"], self._mapping.zone_minutes)
            self._not_kept["moved_events"] += key < latest
            latest = max(latest, key)

    def _event(self, element: Element, case: str | None, path: str) -> None:
        self._require_only(element, path)
        attributes = list(self._attributes(element.children, path))
        own = {key: value for key, _, value, _ in attributes if key in (*_OWN, ID)}
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
            name = outer + (key if self._literal else name_of((key,)))
            where = f"{path}.{name or element.tag}"
            if element.tag not in LEDGER_TYPES or not key or value is None:
                self._findings.add("unknown_element", where, f"{element.tag}: expected an attribute with key and value")
                continue
            self._require_only(element, where, _FIELDS)
            yield name, element.tag, value, where
            yield from self._attributes(element.children, path, name + NEST)

    def _read(self, attributes: Sequence[_Attribute], own: tuple[str, ...], types: _Types) -> dict[str, Any]:
        """Return the values of attributes, save those of ``own``, and learn the types of all."""
        result: dict[str, Any] = {}
        seen: set[str] = set()
        for name, kind, value, path in attributes:
            known, first = types.setdefault(name, (kind, path))
            if name in seen:
                self._findings.add("duplicate_attribute", path, name)
            elif kind != known:
                self._findings.add("mixed_types", path, f"{kind}, yet {known} at {first}")
            elif name not in own:
                result[name] = self._values.read(LEDGER_TYPES[kind], value, path)
            seen.add(name)
        return result


def usual_type(owner: str, name: str, ledger_type: str) -> str:
    """Return the XES type of an attribute unless the header's ``kinds`` say another; ``owner`` is "" for a case."""
    own = _OWN_TYPES if owner else {NAME: "string"}
    return own.get(name) or _USUAL[ledger_type]


def _ledger_types(types: _Types, own: tuple[str, ...]) -> dict[str, str]:
    return {name: LEDGER_TYPES[kind] for name, (kind, _) in types.items() if name not in own}


def _plain(element: Element) -> list[Any]:
    """Return an attribute of the header as [type, key, value, [inner ones]]; ``values`` of a list is one more level."""
    get = element.attributes.get
    return [element.tag, get("key"), get("value"), [_plain(child) for child in element.children]]
