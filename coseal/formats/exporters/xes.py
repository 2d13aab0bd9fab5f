"""XES (IEEE 1849), flattened on one object type, which the file names.

Law: the reader of ``coseal.formats.importers.xes`` gets the same cases, events and attributes back; a log that came
from XES gets its extensions, globals, classifiers, log attributes, nested attributes and ids back as well.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from coseal.formats.exporters.flat import Case, Flat
from coseal.formats.exporters.log import ExportLog, LogObject
from coseal.formats.exporters.ocel_sqlite import is_initial
from coseal.formats.exporters.xml_text import HEAD, plain, quoted
from coseal.formats.importers.header import XES_HEADER, header_of
from coseal.formats.importers.ocel import LEDGER_TYPES
from coseal.formats.importers.xes import CASE, ID, LITERAL_KEYS, NAME, OBJECT_TYPE, OWN_ID, TIME, usual_type
from coseal.formats.importers.xes_keys import is_plain, name_of, path_of

_EXTENSIONS: Final = tuple(
    {"name": name, "prefix": name.lower(), "uri": f"http://www.xes-standard.org/{name.lower()}.xesext"}
    for name in ("Concept", "Time")
)
_Value = tuple[str, str, str]
"""Name, XES type, text."""


def write_xes(log: ExportLog, flat: Flat) -> bytes:
    """Return the file's bytes; what XES cannot say is counted in the log's ``leaves_out``."""
    return "".join(_Writer(log, flat).lines()).encode()


class _Writer:
    def __init__(self, log: ExportLog, flat: Flat) -> None:
        self._log, self._flat = log, flat
        self._header = _header(log) if flat.object_type == CASE else {}
        self._kinds = {(owner, name): kind for owner, name, kind in self._header.get("kinds", ())}
        marked = any(row[1] == LITERAL_KEYS for row in self._header.get("attributes", ()))
        self._literal = marked or not self._header
        for name, count in self._header.get("not_kept", {}).items():
            log.leave_out(name, count)

    def lines(self) -> Iterator[str]:
        header = self._header
        attributes = header.get("log") or {"xes.features": "nested-attributes", "xes.version": "1849.2016"}
        yield HEAD + "<log" + "".join(f" {name}={quoted(value)}" for name, value in attributes.items()) + ">\n"
        known = header.get("extensions", [])
        missing = [row for row in _EXTENSIONS if row["prefix"] not in [one.get("prefix") for one in known]]
        for row in (*known, *missing):
            yield "  <extension" + "".join(f" {name}={quoted(value)}" for name, value in row.items()) + "/>\n"
        for scope, inner in header.get("globals", ()):
            yield f"  <global scope={quoted(scope)}>\n{''.join(_plain(row, '    ') for row in inner)}  </global>\n"
        for row in header.get("classifiers", ()):
            yield "  <classifier" + "".join(f" {name}={quoted(value)}" for name, value in row.items()) + "/>\n"
        for row in header.get("attributes", ()):
            if row[1] not in (OBJECT_TYPE, LITERAL_KEYS):
                yield _plain(row, "  ")
        yield _one((OBJECT_TYPE, "string", self._flat.object_type), "  ")
        if self._literal and not all(map(is_plain, self._names())):
            yield _one((LITERAL_KEYS, "string", "literal"), "  ")
        for case in self._flat.cases:
            yield from self._trace(case)
        yield "</log>\n"

    def _names(self) -> Iterator[str]:
        """Yield the names of all attributes that may stand in the file."""
        yield from self._log.object_types[self._flat.object_type]
        for attributes in self._log.event_types.values():
            yield from attributes

    def _trace(self, case: Case) -> Iterator[str]:
        one, events = case
        yield "  <trace>\n"
        yield from self._attributes([(NAME, self._type("", NAME, "string"), one.id), *self._case_values(one)], "    ")
        for event in events:
            types, own = self._log.event_types[event.type], (NAME, TIME, OWN_ID)
            values = [
                (NAME, self._type(event.type, NAME, "string"), event.type),
                (TIME, self._type(event.type, TIME, "time"), event.time),
            ]
            if event.attributes.get(ID) != event.id:
                values.append((OWN_ID, "string", event.id))
            for name, value in event.attributes.items():
                if name in own:
                    self._log.leave_out("attributes_named_as_of_xes")
                else:
                    values.append((name, self._type(event.type, name, types[name]), plain(value)))
            yield "    <event>\n"
            yield from self._attributes(values, "      ")
            yield "    </event>\n"
        yield "  </trace>\n"

    def _case_values(self, one: LogObject) -> list[_Value]:
        """Return the initial values of a case, the first of each attribute; a trace has no history."""
        types, values = self._log.object_types[one.type], {}
        for name, time, value in one.values:
            if name in values or name == NAME or not is_initial(time):
                self._log.leave_out("object_values")
            else:
                values[name] = (name, self._type("", name, types[name]), plain(value))
        return list(values.values())

    def _type(self, owner: str, name: str, ocel: str) -> str:
        return self._kinds.get((owner, name)) or usual_type(owner, name, LEDGER_TYPES[ocel])

    def _attributes(self, values: Sequence[_Value], indent: str) -> Iterator[str]:
        """Yield attributes, those named ``outer>inner`` within the outer one, unless names are literal."""
        if self._literal:
            yield from (_one(value, indent) for value in values)
            return
        paths = {value[0]: path_of(value[0]) for value in values}
        inner: dict[str, list[tuple[str, _Value]]] = {}
        top = []
        for value in values:
            path = paths[value[0]]
            outer = name_of(path[:-1]) if path is not None else None
            if path is not None and outer in paths:
                inner.setdefault(outer, []).append((path[-1], value))
            else:
                self._log.leave_out("nesting", int(path is None or len(path) > 1))
                top.append((path[0] if path is not None and len(path) == 1 else value[0], value))
        for key, value in top:
            yield _tree(key, value, inner, indent)


def _header(log: ExportLog) -> dict[str, Any]:
    pieces = [
        (one.id, name, str(value)) for one in log.objects if one.type == XES_HEADER for name, _, value in one.values
    ]
    header = header_of(pieces)
    log.leave_out("log_headers", int(bool(pieces) and header is None))
    return header or {}


def _tree(key: str, value: _Value, inner: Mapping[str, Sequence[tuple[str, _Value]]], indent: str) -> str:
    name, kind, text = value
    children = inner.get(name, ())
    if not children:
        return _one((key, kind, text), indent)
    rest = "".join(_tree(child_key, child, inner, indent + "  ") for child_key, child in children)
    return f"{indent}<{kind} key={quoted(key)} value={quoted(text)}>\n{rest}{indent}</{kind}>\n"


def _one(value: _Value, indent: str) -> str:
    key, kind, text = value
    return f"{indent}<{kind} key={quoted(key)} value={quoted(text)}/>\n"


def _plain(row: Sequence[Any], indent: str) -> str:
    """Return a header's attribute as it was read: [type, key, value, inner ones]."""
    kind, key, value, children = row
    fields = "".join(f" {name}={quoted(text)}" for name, text in (("key", key), ("value", value)) if text is not None)
    if not children:
        return f"{indent}<{kind}{fields}/>\n"
    return f"{indent}<{kind}{fields}>\n{''.join(_plain(child, indent + '  ') for child in children)}{indent}</{kind}>\n"
