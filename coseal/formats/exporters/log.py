"""What every exporter writes: an object-centric log, made of the ledger's items.

Law: each item's content is in the log, or is counted in ``leaves_out``. docs/formats.md, section From the ledger.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any, Final

from coseal.contracts.kernel.dates import parse_time
from coseal.contracts.kernel.names import MAX_IDENTIFIER, is_identifier
from coseal.contracts.process.chain import ObjectName, objects_of
from coseal.contracts.process.corrections import corrected
from coseal.errors import CosealError

OCEL_TYPES: Final[Mapping[str, str]] = {
    "string": "string",
    "integer": "integer",
    "boolean": "boolean",
    "decimal": "float",
    "scaled": "float",
    "time": "time",
}
"""The attribute types of the process contract and the type of OCEL 2.0 each one is written as."""

FIELDS: Final = ("recorded", "counterparty", "evidence", "policy", "corrects", "late")
"""What an event of the ledger may say beside its attributes; written as attributes with this prefix."""
PREFIX: Final = "coseal:"
EPOCH: Final = "0"
"""How the ledger may have the time of an initial value; a file has ``EPOCH_TIME``, which all readers know."""
EPOCH_TIME: Final = "1970-01-01T00:00:00Z"

Types = dict[str, dict[str, str]]
"""Type name -> attribute name -> OCEL type."""
_Places = Mapping[ObjectName, int]
"""Where an item stands among those of each object that it names."""
Row = tuple[str, int, Mapping[str, Any], int | None]
"""(source, sequence, item, the source's zone in minutes east of UTC)."""


@dataclass(slots=True)
class LogEvent:
    """An event; ``objects`` are (object id, qualifier); ``attributes`` hold texts, integers and booleans.

    ``places`` say by object id where it stands among the events of the object, if that is not the order of the log.
    """

    id: str
    type: str
    time: str
    attributes: dict[str, Any]
    objects: list[tuple[str, str]]
    places: dict[str, int] = field(default_factory=dict)


@dataclass(slots=True)
class LogObject:
    """An object; ``values`` are (attribute, time, value), ``relations`` (object id, qualifier).

    Every time is RFC 3339; ``zeros`` are the places of those values that the ledger has at the time ``0``.
    """

    id: str
    type: str
    values: list[tuple[str, str, Any]] = field(default_factory=list)
    relations: dict[tuple[str, str], None] = field(default_factory=dict)
    zeros: list[int] = field(default_factory=list)


@dataclass(slots=True)
class ExportLog:
    """A log as OCEL 2.0 has it, and how much of the ledger's items it cannot hold, by kind."""

    object_types: Types
    event_types: Types
    events: list[LogEvent]
    objects: list[LogObject]
    leaves_out: dict[str, int] = field(default_factory=dict)

    def leave_out(self, what: str, count: int = 1) -> None:
        """Count what this log does not hold."""
        if count:
            self.leaves_out[what] = self.leaves_out.get(what, 0) + count

    def counts(self) -> dict[str, Any]:
        """Return events and objects by type, relations and attribute values, as a manifest has them."""
        events, objects = dict.fromkeys(self.event_types, 0), dict.fromkeys(self.object_types, 0)
        for event in self.events:
            events[event.type] += 1
        for one in self.objects:
            objects[one.type] += 1
        return {
            "events": events,
            "objects": objects,
            "event_object": sum(len(event.objects) for event in self.events),
            "object_object": sum(len(one.relations) for one in self.objects),
            "event_values": sum(len(event.attributes) for event in self.events),
            "object_values": sum(len(one.values) for one in self.objects),
        }

    def zero_times(self) -> list[list[int]]:
        """Return as [first, count] which object values, counted through all objects from 0, are at the time ``0``."""
        runs: list[list[int]] = []
        before = 0
        for one in self.objects:
            for place in one.zeros:
                if runs and sum(runs[-1]) == before + place:
                    runs[-1][1] += 1
                else:
                    runs.append([before + place, 1])
            before += len(one.values)
        return runs

    def event_columns(self, own: Collection[str]) -> dict[str, str]:
        """Return every attribute of events with its type, for a table with columns ``own`` besides.

        One name of several types is a text. Raises ``CosealError`` if two attributes would be one column.
        """
        result: dict[str, str] = {}
        for attributes in self.event_types.values():
            for name, kind in attributes.items():
                result[name] = kind if result.get(name, kind) == kind else "string"
        for name in result:
            if self.column(name, own) != name and self.column(name, own) in result:
                detail = f"two attributes would be the column {self.column(name, own)}"
                raise CosealError(detail, "export it as ocel-json")
        return result

    @staticmethod
    def column(name: str, own: Collection[str]) -> str:
        """Return an attribute's column in a table; one named as a column of the table's own is marked."""
        return f"attribute:{name}" if name in own else name


def log_of(definition: Mapping[str, Any], rows: Iterable[Row], *, recorded: bool = False) -> ExportLog:
    """Return the log that items in ledger order make; ``definition`` is normalised (``process.types``).

    Corrections stand in the place of what they correct, which is left out; ``recorded``: every item is an item of its
    own.
    """
    every = list(rows)
    if recorded or not any("corrects" in row[2] for row in every):
        return _Builder(definition).build((row, None) for row in every)
    found: dict[int, dict[ObjectName, int]] = {}
    for first, now, names in corrected((source, number, item, objects_of(item)) for source, number, item, _ in every):
        found.setdefault(now, {}).update(dict.fromkeys(names, first))
    log = _Builder(definition).build((every[now], places) for now, places in found.items())
    log.leave_out("corrected_items", len(every) - len(found))
    return log


class _Builder:
    def __init__(self, definition: Mapping[str, Any]) -> None:
        self._specs = {part: definition[part] for part in ("object_types", "event_types")}
        self._log = ExportLog(
            {name: _types(body) for name, body in definition["object_types"].items()},
            {name: _types(body) for name, body in definition["event_types"].items()},
            [],
            [],
        )
        self._objects: dict[tuple[str, str], LogObject] = {}
        self._object_ids: set[str] = set()
        self._event_ids: set[str] = set()

    def build(self, rows: Iterable[tuple[Row, _Places | None]]) -> ExportLog:
        for (source, sequence, item, zone), places in rows:
            if "event" in item:
                self._event(source, sequence, item, zone, places)
                continue
            if "corrects" in item:
                self._log.leave_out("corrections")
            if "relation" in item:
                self._relation(item)
            else:
                self._values(item, zone)
        self._log.objects = list(self._objects.values())
        return self._log

    def _event(
        self, source: str, sequence: int, item: Mapping[str, Any], zone: int | None, places: _Places | None
    ) -> None:
        name = item["event"]
        if name in self._event_ids:  # two sources, or a correction, may use one id
            name = _told_apart(name, f" @{source}#{sequence}")
        self._event_ids.add(name)
        specs, event_type = self._specs["event_types"][item["type"]]["attributes"], item["type"]
        attributes = {
            key: _value(_spec(specs, key, event_type), value, zone) for key, value in item.get("attributes", {}).items()
        }
        for extra in FIELDS:
            if extra in item:
                self._extra(event_type, extra, item[extra], attributes, zone)
        objects, placed = [], dict[str, int]()
        for entry in item.get("objects", ()):
            if places is None or (entry[0], entry[1]) in places:
                one = self._object(entry[0], entry[1]).id
                objects.append((one, entry[2] if len(entry) == 3 else ""))
                if places is not None:
                    placed[one] = places[entry[0], entry[1]]
        self._log.events.append(LogEvent(name, event_type, explicit(item["time"], zone), attributes, objects, placed))

    def _extra(self, event_type: str, name: str, value: Any, attributes: dict[str, Any], zone: int | None) -> None:
        """Write a field of the ledger as an attribute, declared where it occurs."""
        key, kind = PREFIX + name, "time" if name == "recorded" else "string"
        if key in attributes:
            hint = "the log it came from was an export itself"
            raise CosealError(f"event type {event_type} has an attribute {key} and the field {name}", hint)
        self._log.event_types[event_type].setdefault(key, kind)
        if name == "recorded":
            attributes[key] = explicit(value, zone)
        else:
            attributes[key] = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)

    def _values(self, item: Mapping[str, Any], zone: int | None) -> None:
        one = self._object(item["type"], item["object"] if "object" in item else item["change"])
        specs = self._specs["object_types"][one.type]["attributes"]
        for name, time, value in item.get("attributes", ()):
            if time == EPOCH:
                one.zeros.append(len(one.values))
            when = EPOCH_TIME if time == EPOCH else explicit(time, zone)
            one.values.append((name, when, _value(_spec(specs, name, one.type), value, zone)))

    def _relation(self, item: Mapping[str, Any]) -> None:
        source, target = (self._object(*item[part]) for part in ("relation", "to"))
        key = (target.id, item.get("qualifier", ""))
        if key in source.relations:
            self._log.leave_out("repeated_relations")
        source.relations[key] = None

    def _object(self, object_type: str, object_id: str) -> LogObject:
        """Return the object, new if it is; OCEL wants ids that are unique whatever the type."""
        one = self._objects.get((object_type, object_id))
        if one is None:
            name, number = object_id, 1
            while name in self._object_ids:
                mark = f" ({object_type})" if number == 1 else f" ({object_type}, {number})"
                name, number = _told_apart(object_id, mark), number + 1
            self._object_ids.add(name)
            one = self._objects[object_type, object_id] = LogObject(name, object_type)
        return one


def _told_apart(name: str, mark: str) -> str:
    """Return an id for what shares its ``name`` with another; it can be imported again, so it is short enough."""
    if is_identifier(name + mark):
        return name + mark
    digest = sha256((name + mark).encode()).hexdigest()[:16]
    return f"{name[: MAX_IDENTIFIER - 19]} ({digest})"


def explicit(text: str, zone: int | None) -> str:
    """Return a time as RFC 3339 with its offset, every digit kept; without one it is the source's zone."""
    if len(text) == 10:
        text += "T00:00:00"
    text = f"{text[:10]}T{text[11:]}"
    if parse_time(text) is not None:
        return text
    minutes = zone or 0
    sign = "-" if minutes < 0 else "+"
    return text + ("Z" if not minutes else f"{sign}{abs(minutes) // 60:02}:{abs(minutes) % 60:02}")


def _types(body: Mapping[str, Any]) -> dict[str, str]:
    return {name: _ocel_type(spec) for name, spec in body["attributes"].items()}


def _ocel_type(spec: Mapping[str, Any]) -> str:
    return "string" if spec["class"] == "sealed" else OCEL_TYPES[spec["type"]]


def _spec(specs: Mapping[str, Any], name: str, type_name: str) -> Mapping[str, Any]:
    spec: Mapping[str, Any] | None = specs.get(name)
    if spec is None:
        raise CosealError(f"{type_name} has no attribute {name} in this version of the process type")
    return spec


def _value(spec: Mapping[str, Any], value: Any, zone: int | None) -> Any:
    if spec["class"] == "sealed":
        return value
    if spec["type"] == "time":
        return explicit(value, zone)
    return _scaled(value, spec["scale"]) if spec["type"] == "scaled" else value


def _scaled(value: int, scale: int) -> str:
    """Return an integer of 10^-scale as the decimal it is."""
    digits = str(abs(value)).rjust(scale + 1, "0")
    whole, fraction = digits[: len(digits) - scale], digits[len(digits) - scale :]
    return ("-" if value < 0 else "") + whole + ("." + fraction if scale else "")
