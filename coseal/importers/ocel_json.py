"""OCEL 2.0 in its JSON encoding, read as the standard has it and as strictly.

Law: every event, object, dated attribute, qualifier and relation of the file becomes part of an item, or the file is
refused. Source: OCEL 2.0 specification (Berti et al., 2024), JSON encoding.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from coseal.importers.log import BadLog, Findings, Log, Values, in_time_order, read_text
from coseal.importers.mapping import Mapping

_TYPES: Final = {"string": "string", "integer": "integer", "boolean": "boolean", "float": "decimal", "time": "time"}
_EPOCHS: Final = frozenset({"0", "1970-01-01T00:00:00Z", "1970-01-01T00:00:00+00:00", "1970-01-01T00:00:00.000Z"})
_TOP: Final = ("eventTypes", "objectTypes", "events", "objects")


class _Number(str):
    """The digits of a JSON number that is no integer, kept as the file writes them."""


def read_ocel_json(path: Path, mapping: Mapping) -> Log:
    """Read a ``.json``, ``.jsonocel`` file or one of them with ``.gz``; raise ``BadLog`` with all findings."""
    findings = Findings()
    document = _parse(path, findings)
    reader = _Reader(document, findings, mapping)
    items = reader.items()
    findings.require_none(path)
    return Log(
        definition=mapping.definition(reader.object_types, reader.event_types),
        source=mapping.source_args(),
        items=in_time_order(items, mapping.zone_minutes),
    )


def _parse(path: Path, findings: Findings) -> dict[str, Any]:
    text = read_text(path)

    def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        result = dict(pairs)
        if len(result) != len(pairs):
            names = [name for name, _ in pairs]
            twice = next(name for name in names if names.count(name) > 1)
            findings.add("duplicate_key", twice[:64], "one JSON object has this key twice")
        return result

    def constant(literal: str) -> Any:
        findings.add("bad_value", literal, "not a JSON number")

    try:
        document = json.loads(text, parse_float=_Number, parse_constant=constant, object_pairs_hook=unique)
    except (ValueError, RecursionError) as error:
        findings.add("not_json", "", str(error))
        raise BadLog(path, findings.all()) from None
    if type(document) is not dict:
        findings.add("not_ocel", "", f"expected an object with {', '.join(_TOP)}")
        raise BadLog(path, findings.all())
    return document


@dataclass(slots=True)
class _Reader:
    document: dict[str, Any]
    findings: Findings
    mapping: Mapping
    object_types: dict[str, dict[str, str]]
    event_types: dict[str, dict[str, str]]

    def __init__(self, document: dict[str, Any], findings: Findings, mapping: Mapping) -> None:
        self.document, self.findings, self.mapping = document, findings, mapping
        for name in document:
            if name not in _TOP:
                findings.add("unknown_field", name, f"expected only {', '.join(_TOP)}")
        self.object_types = self._types("objectTypes")
        self.event_types = self._types("eventTypes")

    def items(self) -> list[tuple[str | None, dict[str, Any]]]:
        """Return (time, item) of everything: declarations, then relations, both without a time; changes; events."""
        values = Values(self.findings, self.mapping.zone_minutes)
        objects = self._objects(values)
        kinds = {row["id"]: row["type"] for row, _ in objects}
        declarations, relations, changes = [], [], []
        for row, path in objects:
            declared, dated = self._object_attributes(row, path, values)
            item = {"object": row["id"], "type": row["type"]}
            declarations.append((None, {**item, "attributes": declared} if declared else item))
            changes += [
                (change[1], {"change": row["id"], "type": row["type"], "attributes": [change]}) for change in dated
            ]
            relations += self._object_relations(row, path, kinds)
        return [*declarations, *relations, *changes, *self._events(values, kinds)]

    def _types(self, name: str) -> dict[str, dict[str, str]]:
        """Return type name -> attribute name -> type on the ledger."""
        result: dict[str, dict[str, str]] = {}
        for row, path in self._rows(self.document, name, "", ("name", "attributes")):
            type_name = row.get("name")
            if type(type_name) is not str or not type_name:
                self.findings.add("bad_type", f"{path}.name", "a type needs a name")
                continue
            if type_name in result:
                self.findings.add("duplicate_type", f"{path}.name", type_name)
            attributes: dict[str, str] = {}
            for attribute, where in self._rows(row, "attributes", path, ("name", "type")):
                kind, attribute_name = attribute.get("type"), attribute.get("name")
                if kind not in _TYPES or type(attribute_name) is not str:
                    self.findings.add("bad_type", where, f"{attribute_name}: {kind!r} is none of {', '.join(_TYPES)}")
                elif attribute_name in attributes:
                    self.findings.add("duplicate_attribute", where, attribute_name)
                else:
                    attributes[attribute_name] = _TYPES[kind]
            result[type_name] = attributes
        return result

    def _objects(self, values: Values) -> list[tuple[dict[str, Any], str]]:
        """Return the objects that have an id of their own and a declared type."""
        good, seen = [], set()
        for row, path in self._rows(self.document, "objects", "", ("id", "type", "attributes", "relationships")):
            object_id = values.identifier(row.get("id"), f"{path}.id")
            if object_id in seen:
                self.findings.add("duplicate_id", f"{path}.id", f"object {object_id}")
                continue
            seen.add(object_id)
            if self._declared(row.get("type"), self.object_types, f"{path}.type") and object_id is not None:
                good.append((row, path))
        return good

    def _object_attributes(self, row: dict[str, Any], path: str, values: Values) -> tuple[list[Any], list[Any]]:
        """Return the initial values (at the epoch) and the dated ones, each [name, time, value]."""
        declared, dated = [], []
        types = self.object_types[row["type"]]
        for attribute, where in self._rows(row, "attributes", path, ("name", "time", "value")):
            name, time = attribute.get("name"), attribute.get("time")
            if name not in types:
                self.findings.add("undeclared_attribute", where, f"{name} of object type {row['type']}")
                continue
            value = values.read(types[name], attribute.get("value"), f"{where}.value")
            if time in _EPOCHS:
                declared.append([name, time, value])
            elif values.time(time, f"{where}.time") is not None:
                dated.append([name, time, value])
        return declared, dated

    def _object_relations(
        self, row: dict[str, Any], path: str, kinds: dict[str, str]
    ) -> list[tuple[None, dict[str, Any]]]:
        result = []
        for relation, where in self._rows(row, "relationships", path, ("objectId", "qualifier")):
            target, qualifier = relation.get("objectId"), self._qualifier(relation, where)
            if target not in kinds:
                self.findings.add("dangling_object_object", f"{where}.objectId", f"no object {target!r}")
                continue
            item: dict[str, Any] = {"relation": [row["type"], row["id"]], "to": [kinds[target], target]}
            result.append((None, {**item, "qualifier": qualifier} if qualifier else item))
        return result

    def _events(self, values: Values, kinds: dict[str, str]) -> list[tuple[str | None, dict[str, Any]]]:
        result, seen = [], set()
        fields = ("id", "type", "time", "attributes", "relationships")
        for row, path in self._rows(self.document, "events", "", fields):
            event_id = values.identifier(row.get("id"), f"{path}.id")
            if event_id in seen:
                self.findings.add("duplicate_id", f"{path}.id", f"event {event_id}")
            seen.add(event_id)
            time = values.time(row.get("time"), f"{path}.time")
            if not self._declared(row.get("type"), self.event_types, f"{path}.type"):
                continue
            item: dict[str, Any] = {"event": event_id, "type": row["type"], "time": time}
            item["objects"] = self._event_objects(row, path, kinds)
            attributes = self._event_attributes(row, path, values)
            if attributes:
                item["attributes"] = attributes
            if row["type"] in self.mapping.counterparties:
                item["counterparty"] = self.mapping.counterparties[row["type"]]
            result.append((time, item))
        return result

    def _event_objects(self, row: dict[str, Any], path: str, kinds: dict[str, str]) -> list[list[str]]:
        objects = []
        for relation, where in self._rows(row, "relationships", path, ("objectId", "qualifier")):
            target, qualifier = relation.get("objectId"), self._qualifier(relation, where)
            if target not in kinds:
                self.findings.add("dangling_event_object", f"{where}.objectId", f"no object {target!r}")
                continue
            named = [kinds[target], target, qualifier] if qualifier else [kinds[target], target]
            if named in objects:
                self.findings.add("duplicate_relation", where, f"{target} with qualifier {qualifier!r}")
            objects.append(named)
        return objects

    def _event_attributes(self, row: dict[str, Any], path: str, values: Values) -> dict[str, Any]:
        types, result = self.event_types[row["type"]], {}
        for attribute, where in self._rows(row, "attributes", path, ("name", "value")):
            name = attribute.get("name")
            if name not in types:
                self.findings.add("undeclared_attribute", where, f"{name} of event type {row['type']}")
            elif name in result:
                self.findings.add("duplicate_attribute", where, str(name))
            else:
                result[name] = values.read(types[name], attribute.get("value"), f"{where}.value")
        return result

    def _qualifier(self, relation: dict[str, Any], path: str) -> str:
        qualifier = relation.get("qualifier", "")
        if type(qualifier) is not str:
            self.findings.add("bad_value", f"{path}.qualifier", f"{qualifier!r} is not a text")
            return ""
        return qualifier

    def _declared(self, name: Any, types: dict[str, dict[str, str]], path: str) -> bool:
        if type(name) is str and name in types:
            return True
        self.findings.add("undeclared_type", path, f"{name!r} is not declared")
        return False

    def _rows(
        self, owner: dict[str, Any], name: str, path: str, fields: tuple[str, ...]
    ) -> list[tuple[dict[str, Any], str]]:
        """Return the objects of a list field with their paths; an absent list is empty, save at the top."""
        full = f"{path}.{name}" if path else name
        value = owner.get(name, None if not path else [])
        if type(value) is not list:
            self.findings.add("not_ocel", full, "expected a list")
            return []
        rows = []
        for index, row in enumerate(value):
            if type(row) is not dict:
                self.findings.add("not_ocel", f"{full}[{index}]", "expected an object")
                continue
            for key in row:
                if key not in fields:
                    self.findings.add("unknown_field", f"{full}[{index}].{key}", f"expected only {', '.join(fields)}")
            rows.append((row, f"{full}[{index}]"))
        return rows
