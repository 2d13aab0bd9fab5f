"""OCEL 1.0 in its JSON encoding: read strictly, and recorded as OCEL 2.0 has it.

Law: every event, object and attribute becomes part of an item, or is a finding with its path; what is not declared is
recorded all the same, with a note.

OCEL 1.0 declares no attribute types: a type has those its values have. Objects carry no times: their values stand at
the epoch. The globals are kept as the log's header (``header.py``).
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from coseal.contracts.process.cloudevents import Number
from coseal.formats.importers.header import CHARACTERS_MAX, EPOCH_TIME, OCEL1_HEADER, header_items
from coseal.formats.importers.json_text import parse_object
from coseal.formats.importers.log import Findings, Log, Values, in_time_order
from coseal.formats.importers.mapping import Mapping

_GLOBALS: Final = ("ocel:global-log", "ocel:global-event", "ocel:global-object")
_TOP: Final = (*_GLOBALS, "ocel:events", "ocel:objects")
_EVENT: Final = ("ocel:activity", "ocel:timestamp", "ocel:omap", "ocel:vmap")
_OBJECT: Final = ("ocel:type", "ocel:ovmap")
_SHOWN_MAX: Final = 8
_Types = dict[str, dict[str, str]]


def read_ocel1_json(path: Path, mapping: Mapping) -> Log:
    """Read a ``.jsonocel`` file of OCEL 1.0 or one with ``.gz``; raise ``BadLog`` with all findings."""
    findings = Findings()
    document = parse_object(path, findings, f"expected an object with {', '.join(_TOP)}")
    log = Ocel1Reader(document, findings, mapping).log()
    findings.require_none(path)
    return log


@dataclass(frozen=True, slots=True)
class Typed:
    """A value whose encoding says its type, which is one of the process contract."""

    kind: str
    text: str


class Ocel1Reader:
    """Makes a log of a document of OCEL 1.0, as its JSON encoding has it; a value may be ``Typed``."""

    def __init__(self, document: dict[str, Any], findings: Findings, mapping: Mapping) -> None:
        self._document, self._findings, self._mapping = document, findings, mapping
        self._values = Values(findings, mapping.zone)
        for name in document:
            if name not in _TOP:
                findings.add("unknown_field", name, f"expected only {', '.join(_TOP)}")
        log = self._map(document, "ocel:global-log", "")
        self._declared_types = self._names(log, "ocel:object-types")
        self._declared_attributes = self._names(log, "ocel:attribute-names")
        self._object_types: _Types = {name: {} for name in sorted(self._declared_types or ())}
        self._event_types: _Types = {}
        self._kinds: dict[str, str] = {}
        self._undeclared: dict[str, int] = {}

    def log(self) -> Log:
        """Return everything: the header and the objects, then the events by time."""
        objects = self._objects()
        events = self._events()
        globals_there: dict[str, Any] = {name: self._document[name] for name in _GLOBALS if name in self._document}
        header, pieces = header_items(OCEL1_HEADER, globals_there) or ([], {})
        if not header:
            self._findings.add("globals_too_large", "", f"the globals have more than {CHARACTERS_MAX:,} characters")
        timed: list[tuple[str | None, dict[str, Any]]] = [(None, item) for item in (*header, *objects)]
        timed += [(item["time"], item) for item in events]
        return Log(
            definition=self._mapping.definition({**self._object_types, OCEL1_HEADER: pieces}, self._event_types),
            source=self._mapping.source_args(),
            items=in_time_order(timed, self._mapping.zone_minutes),
            notes=self._notes(),
        )

    def _notes(self) -> tuple[str, ...]:
        """Say which attributes are not declared: files in use declare some or none, and nothing rests on it."""
        if not self._undeclared:
            return ()
        names = list(self._undeclared)
        shown = ", ".join(names[:_SHOWN_MAX]) + (f" and {len(names) - _SHOWN_MAX} more" if names[_SHOWN_MAX:] else "")
        count = sum(self._undeclared.values())
        return (f"{count} values are of attributes that ocel:attribute-names does not list, recorded as all: {shown}",)

    def _objects(self) -> list[dict[str, Any]]:
        items = []
        for name, row, path in self._rows("ocel:objects", _OBJECT):
            object_id = self._values.identifier(name, path)
            kind = self._values.identifier(row.get("ocel:type"), f"{path}.ocel:type")
            if kind is None or object_id is None:
                continue
            if self._declared_types is not None and kind not in self._declared_types:
                self._findings.add("undeclared_type", f"{path}.ocel:type", f"{kind!r} is not declared")
            self._kinds[object_id] = kind
            item: dict[str, Any] = {"object": object_id, "type": kind}
            types = self._object_types.setdefault(kind, {})
            values = self._attributes(row, "ocel:ovmap", path, types)
            items.append(
                {**item, "attributes": [[name, EPOCH_TIME, value] for name, value in values.items()]}
                if values
                else item
            )
        return items

    def _events(self) -> list[dict[str, Any]]:
        items = []
        for name, row, path in self._rows("ocel:events", _EVENT):
            kind = self._values.label(row.get("ocel:activity"), f"{path}.ocel:activity")
            item: dict[str, Any] = {"event": self._values.identifier(name, path), "type": kind}
            item["time"] = self._values.time(row.get("ocel:timestamp"), f"{path}.ocel:timestamp")
            item["objects"] = self._omap(row.get("ocel:omap", []), f"{path}.ocel:omap")
            values = self._attributes(row, "ocel:vmap", path, self._event_types.setdefault(kind or "", {}))
            if values:
                item["attributes"] = values
            if kind is not None and kind in self._mapping.counterparties:
                item["counterparty"] = self._mapping.counterparties[kind]
            items.append(item)
        return items

    def _omap(self, names: Any, path: str) -> list[list[str]]:
        if type(names) is not list:
            self._findings.add("not_ocel", path, "expected a list")
            return []
        objects: dict[str, list[str]] = {}
        for index, name in enumerate(names):
            if type(name) is not str or name not in self._kinds:
                self._findings.add("dangling_event_object", f"{path}[{index}]", f"no object {name!r}")
            elif name in objects:
                self._findings.add("duplicate_relation", f"{path}[{index}]", name)
            else:
                objects[name] = [self._kinds[name], name]
        return list(objects.values())

    def _attributes(self, row: dict[str, Any], field: str, path: str, types: dict[str, str]) -> dict[str, Any]:
        """Return the values of a map, as the types want them that its values have had so far."""
        result = {}
        for name, value in self._map(row, field, path).items():
            where = f"{path}.{field}.{name}"
            if self._declared_attributes is not None and name not in self._declared_attributes:
                self._undeclared[name] = self._undeclared.get(name, 0) + 1
            kind = _kind(value)
            known = types.setdefault(name, kind or "string")
            if kind is None:
                self._findings.add("bad_value", where, f"{str(value)[:60]!r} is no text, number or boolean")
            elif kind != known:
                self._findings.add("mixed_types", where, f"{kind}, yet {known} earlier")
            else:
                result[name] = self._values.read(kind, value.text if isinstance(value, Typed) else value, where)
        return result

    def _rows(self, field: str, fields: tuple[str, ...]) -> list[tuple[str, dict[str, Any], str]]:
        rows = []
        for name, row in self._map(self._document, field, "").items():
            path = f"{field}.{name}"
            if type(row) is not dict:
                self._findings.add("not_ocel", path, "expected an object")
                continue
            for key in row:
                if key not in fields:
                    self._findings.add("unknown_field", f"{path}.{key}", f"expected only {', '.join(fields)}")
            rows.append((name, row, path))
        return rows

    def _map(self, owner: dict[str, Any], field: str, path: str) -> dict[str, Any]:
        value = owner.get(field, {} if path else None)
        if type(value) is not dict:
            self._findings.add("not_ocel", f"{path}.{field}" if path else field, "expected an object")
            return {}
        return value

    def _names(self, log: dict[str, Any], field: str) -> frozenset[str] | None:
        """Return the names a global lists; None if it lists none, then nothing is undeclared."""
        value = log.get(field)
        if value is None:
            return None
        if type(value) is not list or any(type(name) is not str for name in value):
            self._findings.add("not_ocel", f"ocel:global-log.{field}", "expected a list of texts")
            return None
        return frozenset(value)


def _kind(value: Any) -> str | None:
    """Return the ledger's type of a JSON value. Numbers are decimals: JSON does not tell 5 from 5.0 by type."""
    if isinstance(value, Typed):
        return value.kind
    if type(value) is bool:
        return "boolean"
    if type(value) is int or isinstance(value, Number):
        return "decimal"
    return "string" if type(value) is str else None
