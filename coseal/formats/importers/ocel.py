"""OCEL 2.0 as all its encodings have it: what a reader found goes in, a log as the contract takes it comes out.

Law: every event, object, dated attribute, qualifier and relation becomes part of an item, or is a finding.
Source: OCEL 2.0 specification (Berti et al., 2024).

A reader declares the types, then adds the objects, the events, and last what refers to them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from coseal.contracts.process.items import time_ms
from coseal.formats.importers.log import Findings, Log, Values, in_time_order
from coseal.formats.importers.mapping import Mapping as Map

LEDGER_TYPES: Final[Mapping[str, str]] = {
    "string": "string",
    "integer": "integer",
    "boolean": "boolean",
    "float": "decimal",
    "time": "time",
}
"""The attribute types of OCEL 2.0 and the type of the process contract each one becomes; one to one."""

EPOCH: Final = "0"


class OcelBuilder:
    """Collects one log; ``names`` say how this encoding writes the fields in a path, e.g. ``{"id": ".id"}``."""

    def __init__(self, findings: Findings, mapping: Map, names: Mapping[str, str]) -> None:
        self.findings, self._mapping, self._names = findings, mapping, names
        self.values = Values(findings, mapping.zone)
        self.types: dict[str, dict[str, dict[str, str]]] = {"event": {}, "object": {}}
        self._kinds: dict[str, str] = {}
        self._events: dict[str, dict[str, Any]] = {}
        self._seen: dict[str, set[str | None]] = {"event": set(), "object": set()}
        self._declared: dict[str, list[Any]] = {}
        self._changes: list[tuple[str | None, dict[str, Any]]] = []
        self._relations: dict[tuple[str, str, str], None] = {}

    def declare(self, kind: str, name: Any, attributes: Iterable[tuple[Any, Any, str]], path: str) -> None:
        """Declare an ``event`` or ``object`` type; ``attributes`` are (name, OCEL type, path)."""
        read = self.values.label if kind == "event" else self.values.object_type
        if read(name, self._at(path, "name")) is None:
            return
        if name in self.types[kind]:
            self.findings.add("duplicate_type", self._at(path, "name"), name)
        declared: dict[str, str] = {}
        for attribute, ocel_type, where in attributes:
            if self.values.label(attribute, where) is None:
                continue
            if ocel_type not in LEDGER_TYPES:
                detail = f"{attribute}: {ocel_type!r} is none of {', '.join(LEDGER_TYPES)}"
                self.findings.add("bad_type", where, detail)
            elif attribute in declared:
                self.findings.add("duplicate_attribute", where, attribute)
            else:
                declared[attribute] = LEDGER_TYPES[ocel_type]
        self.types[kind][name] = declared

    def add_object(self, object_id: Any, object_type: Any, path: str) -> str | None:
        """Add an object; return its id, None if it has no id of its own or no declared type."""
        name = self._identify("object", object_id, object_type, path)
        if name is None or not self._is_declared("object", object_type, path):
            return None
        self._kinds[name] = object_type
        self._declared[name] = []
        return name

    def add_event(self, event_id: Any, event_type: Any, time: Any, path: str) -> str | None:
        """Add an event; return its id, None if it has no id of its own or no declared type."""
        name = self._identify("event", event_id, event_type, path)
        when = self.values.time(time, self._at(path, "time"))
        if not self._is_declared("event", event_type, path) or name is None:
            return None
        item: dict[str, Any] = {"event": name, "type": event_type, "time": when, "objects": []}
        if event_type in self._mapping.counterparties:
            item["counterparty"] = self._mapping.counterparties[event_type]
        self._events[name] = item
        return name

    def object_value(
        self, object_id: str, name: Any, time: Any, value: Any, path: str, *, initial: bool = False
    ) -> None:
        """Add one value of an object's attribute; ``initial``: it belongs to the declaration whatever its time."""
        object_type = self._kinds[object_id]
        types = self.types["object"][object_type]
        if name not in types:
            self.findings.add("undeclared_attribute", path, f"{name} of object type {object_type}")
            return
        known = self.values.read(types[name], value, self._at(path, "value"))
        when = EPOCH if time == EPOCH else self.values.time(time, self._at(path, "time"))
        if when is None:
            return
        if initial or is_epoch(when, self._mapping.zone_minutes):
            self._declared[object_id].append([name, when, known])
        else:
            change = {"change": object_id, "type": object_type, "attributes": [[name, when, known]]}
            self._changes.append((when, change))

    def event_value(self, event_id: str, name: Any, value: Any, path: str) -> None:
        """Add an event's attribute."""
        item = self._events[event_id]
        types = self.types["event"][item["type"]]
        attributes = item.setdefault("attributes", {})
        if name not in types:
            self.findings.add("undeclared_attribute", path, f"{name} of event type {item['type']}")
        elif name in attributes:
            self.findings.add("duplicate_attribute", path, str(name))
        else:
            attributes[name] = self.values.read(types[name], value, self._at(path, "value"))

    def event_object(self, event_id: str, object_id: Any, qualifier: Any, path: str) -> None:
        """Relate an event to an object."""
        text = self._qualifier(qualifier, path)
        if object_id not in self._kinds:
            self.findings.add("dangling_event_object", self._at(path, "objectId"), f"no object {object_id!r}")
            return
        named = [self._kinds[object_id], object_id, text] if text else [self._kinds[object_id], object_id]
        objects = self._events[event_id]["objects"]
        if named in objects:
            self.findings.add("duplicate_relation", path, f"{object_id} with qualifier {text!r}")
        objects.append(named)

    def object_object(self, source: Any, target: Any, qualifier: Any, path: str) -> None:
        """Relate an object to an object."""
        text = self._qualifier(qualifier, path)
        for end, field in ((source, "sourceId"), (target, "targetId")):
            if end not in self._kinds:
                self.findings.add("dangling_object_object", self._at(path, field), f"no object {end!r}")
                return
        if (source, target, text) in self._relations:
            self.findings.add("duplicate_relation", path, f"{source} to {target} with qualifier {text!r}")
        self._relations[source, target, text] = None

    def has_event(self, event_id: Any) -> bool:
        """Say whether this event was added."""
        return event_id in self._events

    def log(self) -> Log:
        """Return everything: declarations and relations, then changes and events by time."""
        items: list[tuple[str | None, dict[str, Any]]] = []
        for object_id, values in self._declared.items():
            item = {"object": object_id, "type": self._kinds[object_id]}
            items.append((None, {**item, "attributes": values} if values else item))
        for source, target, qualifier in self._relations:
            relation: dict[str, Any] = {"relation": [self._kinds[source], source], "to": [self._kinds[target], target]}
            items.append((None, {**relation, "qualifier": qualifier} if qualifier else relation))
        items += self._changes
        items += [(item["time"], item) for item in self._events.values()]
        return Log(
            definition=self._mapping.definition(self.types["object"], self.types["event"]),
            source=self._mapping.source_args(),
            items=in_time_order(items, self._mapping.zone_minutes),
        )

    # Checks

    def _identify(self, kind: str, name: Any, type_name: Any, path: str) -> str | None:
        identifier = self.values.identifier(name, self._at(path, "id"))
        if identifier is not None and identifier in self._seen[kind]:
            self.findings.add("duplicate_id", self._at(path, "id"), f"{kind} {identifier}")
            return None
        self._seen[kind].add(identifier)
        return identifier

    def _is_declared(self, kind: str, name: Any, path: str) -> bool:
        if type(name) is str and name in self.types[kind]:
            return True
        self.findings.add("undeclared_type", self._at(path, "type"), f"{name!r} is not declared")
        return False

    def _qualifier(self, qualifier: Any, path: str) -> str:
        if qualifier is None:
            return ""
        if type(qualifier) is not str:
            self.findings.add("bad_value", self._at(path, "qualifier"), f"{qualifier!r} is not a text")
            return ""
        return qualifier

    def _at(self, path: str, field: str) -> str:
        return path + self._names.get(field, f".{field}")


def is_epoch(time: Any, zone: int | None) -> bool:
    """Say whether a time text means the epoch, the time at which initial values stand."""
    return time == EPOCH or (type(time) is str and time[:4] in ("1969", "1970") and time_ms(time, zone) == 0)
