"""OCEL 2.0 in its JSON encoding, read as the standard has it and as strictly.

Law: every field of the file is understood, or is a finding. Numbers keep their digits.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

from coseal.formats.importers.json_text import parse_object
from coseal.formats.importers.log import Findings, Log
from coseal.formats.importers.mapping import Mapping
from coseal.formats.importers.ocel import OcelBuilder

TOP: Final = ("eventTypes", "objectTypes", "events", "objects")
_NAMES: Final = {"targetId": ".objectId"}


def read_ocel_json(path: Path, mapping: Mapping) -> Log:
    """Read a ``.json``, ``.jsonocel`` file or one of them with ``.gz``; raise ``BadLog`` with all findings."""
    findings = Findings()
    document = parse_object(path, findings, f"expected an object with {', '.join(TOP)}")
    log = _Reader(document, OcelBuilder(findings, mapping, _NAMES)).log()
    findings.require_none(path)
    return log


class _Reader:
    def __init__(self, document: dict[str, Any], builder: OcelBuilder) -> None:
        self._document, self._builder, self._findings = document, builder, builder.findings

    def log(self) -> Log:
        for name in self._document:
            if name not in TOP:
                self._findings.add("unknown_field", name, f"expected only {', '.join(TOP)}")
        self._types("objectTypes", "object")
        self._types("eventTypes", "event")
        self._objects()
        self._events()
        return self._builder.log()

    def _types(self, name: str, kind: str) -> None:
        for row, path in self._rows(self._document, name, "", ("name", "attributes")):
            attributes = self._rows(row, "attributes", path, ("name", "type"))
            declared = [(attribute.get("name"), _hashable(attribute.get("type")), at) for attribute, at in attributes]
            self._builder.declare(kind, row.get("name"), declared, path)

    def _objects(self) -> None:
        fields = ("id", "type", "attributes", "relationships")
        rows = [
            (row, path, self._builder.add_object(row.get("id"), row.get("type"), path))
            for row, path in self._rows(self._document, "objects", "", fields)
        ]
        for row, path, name in rows:
            if name is None:
                continue
            for value, at in self._rows(row, "attributes", path, ("name", "time", "value")):
                known = (_hashable(value.get("name")), _hashable(value.get("time")), value.get("value"))
                self._builder.object_value(name, *known, at)
            for relation, at in self._rows(row, "relationships", path, ("objectId", "qualifier")):
                self._builder.object_object(name, _hashable(relation.get("objectId")), relation.get("qualifier"), at)

    def _events(self) -> None:
        fields = ("id", "type", "time", "attributes", "relationships")
        for row, path in self._rows(self._document, "events", "", fields):
            name = self._builder.add_event(row.get("id"), row.get("type"), row.get("time"), path)
            if name is None:
                continue
            for value, at in self._rows(row, "attributes", path, ("name", "value")):
                self._builder.event_value(name, _hashable(value.get("name")), value.get("value"), at)
            for relation, at in self._rows(row, "relationships", path, ("objectId", "qualifier")):
                self._builder.event_object(name, _hashable(relation.get("objectId")), relation.get("qualifier"), at)

    def _rows(
        self, owner: dict[str, Any], name: str, path: str, fields: tuple[str, ...]
    ) -> list[tuple[dict[str, Any], str]]:
        """Return the objects of a list field with their paths; an absent list is empty, save at the top."""
        full = f"{path}.{name}" if path else name
        value = owner.get(name, None if not path else [])
        if type(value) is not list:
            self._findings.add("not_ocel", full, "expected a list")
            return []
        rows = []
        for index, row in enumerate(value):
            if type(row) is not dict:
                self._findings.add("not_ocel", f"{full}[{index}]", "expected an object")
                continue
            for key in row:
                if key not in fields:
                    self._findings.add("unknown_field", f"{full}[{index}].{key}", f"expected only {', '.join(fields)}")
            rows.append((row, f"{full}[{index}]"))
        return rows


def _hashable(value: Any) -> Any:
    """Return what can be looked up; a list or map names nothing."""
    return str(value) if isinstance(value, list | dict) else value
