"""XES (IEEE 1849), flattened on one object type, which the file names.

Law: the reader of ``coseal.formats.importers.xes`` gets the same cases, events and attributes back; a log that came
from XES gets its extensions, globals, classifiers, log attributes and nested attributes back as well.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Final

from coseal.formats.exporters.flat import Case, Flat
from coseal.formats.exporters.log import EPOCH, PREFIX, ExportLog, LogObject
from coseal.formats.exporters.ocel_sqlite import is_initial
from coseal.formats.exporters.xml_text import HEAD, plain, quoted
from coseal.formats.importers.header import XES_HEADER, header_of
from coseal.formats.importers.xes import CASE, ID, NAME, NEST, OWN_ID, TIME

_XES_TYPES: Final = {"string": "string", "integer": "int", "boolean": "boolean", "float": "float", "time": "date"}
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
        self._ids = {(event, name) for event, name in self._header.get("ids", ())}

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
            if not str(row[1]).startswith(PREFIX):
                yield _plain(row, "  ")
        yield f"  <string key={quoted(PREFIX + 'object_type')} value={quoted(self._flat.object_type)}/>\n"
        for case in self._flat.cases:
            yield from self._trace(case)
        yield "</log>\n"

    def _trace(self, case: Case) -> Iterator[str]:
        one, events = case
        yield "  <trace>\n" + _one((NAME, "string", one.id), "    ")
        yield from _nested(self._case_values(one), "    ")
        for event in events:
            types = self._log.event_types[event.type]
            own = [(NAME, "string", event.type), (TIME, "date", event.time), (OWN_ID, "string", event.id)]
            values = []
            for name, value in event.attributes.items():
                if name in (NAME, TIME, ID, OWN_ID):
                    self._log.leave_out("attributes_named_as_of_xes")
                else:
                    values.append((name, self._type(event.type, name, types[name]), plain(value)))
            yield "    <event>\n"
            yield from _nested([*own, *values], "      ")
            yield "    </event>\n"
        yield "  </trace>\n"

    def _case_values(self, one: LogObject) -> list[_Value]:
        """Return the initial values of a case, the first of each attribute; a trace has no history."""
        types, values = self._log.object_types[one.type], {}
        for name, time, value in one.values:
            if name in values or name == NAME or not (time == EPOCH or is_initial(time)):
                self._log.leave_out("object_values")
            else:
                values[name] = (name, self._type("", name, types[name]), plain(value))
        return list(values.values())

    def _type(self, owner: str, name: str, ocel: str) -> str:
        return "id" if (owner, name) in self._ids else _XES_TYPES[ocel]


def _header(log: ExportLog) -> dict[str, Any]:
    pieces = [(name, str(value)) for one in log.objects if one.type == XES_HEADER for name, _, value in one.values]
    return header_of(pieces) or {}


def _nested(values: Sequence[_Value], indent: str) -> Iterator[str]:
    """Yield attributes, those named ``outer>inner`` within the outer one, where that is there."""
    names = {name for name, _, _ in values}
    inner: dict[str, list[_Value]] = {}
    top = []
    for value in values:
        outer = value[0].rpartition(NEST)[0]
        if outer in names:
            inner.setdefault(outer, []).append(value)
        else:
            top.append(value)
    for value in top:
        yield _tree(value, value[0], inner, indent)


def _tree(value: _Value, key: str, inner: dict[str, list[_Value]], indent: str) -> str:
    name, kind, text = value
    children = inner.get(name, [])
    if not children:
        return _one((key, kind, text), indent)
    rest = "".join(_tree(child, child[0][len(name) + len(NEST) :], inner, indent + "  ") for child in children)
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
