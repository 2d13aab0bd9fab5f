"""What an item of process data is: events, declarations, dated changes and relations, checked against their type.

Law: an item is read as a whole or refused with the path of what does not fit; nothing is coerced or dropped.

A definition is compiled once into fields and kept by its hash; an item then costs a few microseconds.
contracts/process/README.md, sections Items and Times.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

from coseal.contracts.kernel.dates import MAX_TIME_CHARACTERS, parse_time
from coseal.contracts.kernel.fields import Boolean, Form, Hexadecimal, Identifier, Integer, Many, Name, Text
from coseal.contracts.kernel.memo import remember
from coseal.contracts.kernel.names import identifier_rule, is_encodable, is_identifier, is_visible
from coseal.contracts.process.chain import ObjectName
from coseal.ledger.codec import INT_MIN

MAX_OBJECTS: Final = 256
MAX_REFERENCES: Final = 16
MAX_VALUES: Final = 128
MAX_CLAIMS: Final = 16
MAX_STRING_CHARACTERS: Final = 4_096
MAX_DECIMAL_CHARACTERS: Final = 64
MAX_QUALIFIER_CHARACTERS: Final = 128
_INT64_MAX: Final = 2**63 - 1
_EPOCH_TEXT: Final = "0"
_EXTRA_FIELDS: Final = frozenset(("recorded", "counterparty", "evidence", "policy", "corrects", "late", "claims"))
_EVENT_FIELDS: Final = _EXTRA_FIELDS | frozenset(("event", "type", "time", "objects", "attributes"))


class Unfit(Exception):
    """An item does not fit; the text is a path from the item and what is expected there."""


class Reading(NamedTuple):
    """What a valid item says: its kind, its occurrence time in ms (events only), the objects it belongs to."""

    kind: str
    time_ms: int | None
    objects: tuple[ObjectName, ...]


def time_ms(text: Any, zone_minutes: int | None = None) -> int | None:  # T9
    """Return a source's time text as ms since the epoch, smaller digits cut; None if it is no such text.

    RFC 3339 with ``T`` or a space. Without an offset, or as a day alone, only where the source declares a zone
    (``zone_minutes`` east of UTC).
    """
    value = parse_time(text)
    if value is not None or type(text) is not str or not 10 <= len(text) <= MAX_TIME_CHARACTERS:
        return value
    if len(text) == 10:
        text += "T00:00:00"
    elif text[10] == " ":
        text = f"{text[:10]}T{text[11:]}"
        value = parse_time(text)
    if value is None and zone_minutes is not None:
        local = parse_time(text + "Z")
        value = None if local is None else local - zone_minutes * 60_000
    return value


def is_decimal(value: Any) -> bool:
    """Say whether ``value`` is a decimal's text: ``[-]digits[.digits][e[+-]digits]``."""
    if type(value) is not str or not 0 < len(value) <= MAX_DECIMAL_CHARACTERS or not value.isascii():
        return False
    if value[0] != "." != value[-1] and value.replace(".", "", 1).isdigit():  # by far the commonest
        return True
    mantissa, mark, exponent = value.lower().partition("e")
    whole, dot, fraction = mantissa.partition(".")
    if whole[:1] == "-":
        whole = whole[1:]
    if exponent[:1] in ("+", "-"):
        exponent = exponent[1:]
    return whole.isdigit() and (not dot or fraction.isdigit()) and (not mark or exponent.isdigit())


@dataclass(frozen=True, slots=True)
class EventType:
    """The compiled schema of an event type."""

    attributes: dict[str, Form]
    required: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Schema:
    """A compiled definition: what items of one process type, from a source with one zone, have to be."""

    process_type: str
    zone_minutes: int | None
    events: dict[str, EventType]
    objects: dict[str, dict[str, Form]]

    def read(self, item: Any) -> Reading:  # T8
        """Return what ``item`` says, or raise ``Unfit``."""
        if type(item) is not dict:
            raise Unfit(": expected a map")
        if "event" in item:
            return self._event(item)
        if "relation" in item:
            return self._relation(item)
        if "object" in item:
            return self._object(item, "object")
        if "change" in item:
            return self._object(item, "change")
        raise Unfit(": expected one of the keys event, object, change, relation")

    def _event(self, item: dict[str, Any]) -> Reading:
        if not item.keys() <= _EVENT_FIELDS:
            raise _unknown(item, _EVENT_FIELDS)
        if not is_identifier(item["event"]):
            raise Unfit(f".event: expected {identifier_rule()}")
        name: Any = item.get("type")
        event_type = self.events.get(name) if type(name) is str else None
        if event_type is None:
            raise Unfit(f".type: '{str(name)[:64]}' is no event type of {self.process_type}")
        occurred = time_ms(item.get("time"), self.zone_minutes)
        if occurred is None:
            raise Unfit(f".time: expected {_time_rule(self.zone_minutes)}")
        if "attributes" in item:  # null is refused: rules ask whatever is there for its members
            self._event_attributes(event_type, name, item["attributes"])
        elif event_type.required:
            raise Unfit(f".attributes.{event_type.required[0]}: missing")
        if not _EXTRA_FIELDS.isdisjoint(item):
            self._extra(item)
        return Reading("event", occurred, self._names(item.get("objects", ())))  # T11

    def _event_attributes(self, event_type: EventType, name: str, attributes: Any) -> None:
        if type(attributes) is not dict:
            raise Unfit(".attributes: expected a map")
        fields = event_type.attributes
        for attribute, value in attributes.items():
            field = fields.get(attribute)
            if field is None:
                raise Unfit(f".attributes.{str(attribute)[:64]}: not declared for event type {name}")
            error = field.check(value)
            if error is not None:
                raise Unfit(f".attributes.{attribute}{error}")
        for attribute in event_type.required:
            if attribute not in attributes:
                raise Unfit(f".attributes.{attribute}: missing")

    def _names(self, objects: Any) -> tuple[ObjectName, ...]:
        """Return the distinct objects of an event's list ``[object type, id, qualifier]``."""
        if type(objects) is list and len(objects) == 1:  # by far the commonest
            return (self._name(objects[0], ".objects[0]", qualified=True),)
        if type(objects) not in (list, tuple) or len(objects) > MAX_OBJECTS:
            raise Unfit(f".objects: expected a list of at most {MAX_OBJECTS} objects")
        names: dict[ObjectName, None] = {}
        seen: set[tuple[str, str, str]] = set()
        for index, entry in enumerate(objects):
            name = self._name(entry, f".objects[{index}]", qualified=True)
            link = (*name, entry[2] if len(entry) == 3 else "")
            if link in seen:
                raise Unfit(f".objects[{index}]: the same object with the same qualifier stands there twice")
            seen.add(link)
            names[name] = None
        return tuple(names)

    def _name(self, entry: Any, path: str, *, qualified: bool) -> ObjectName:
        if type(entry) is not list or not 2 <= len(entry) <= 2 + qualified:
            raise Unfit(f"{path}: expected [object type, id{', qualifier' if qualified else ''}]")
        self._object_type(entry[0], path + "[0]")
        if not is_identifier(entry[1]):
            raise Unfit(f"{path}[1]: expected {identifier_rule()}")
        if len(entry) == 3:
            _check_qualifier(entry[2], path + "[2]")
        return entry[0], entry[1]

    def _object_type(self, name: Any, path: str) -> dict[str, Form]:
        found = self.objects.get(name) if type(name) is str else None
        if found is None:
            raise Unfit(f"{path}: '{str(name)[:64]}' is no object type of {self.process_type}")
        return found

    def _object(self, item: dict[str, Any], kind: str) -> Reading:
        fields = frozenset((kind, "type", "attributes", "corrects"))
        if not item.keys() <= fields:
            raise _unknown(item, fields)
        if not is_identifier(item[kind]):
            raise Unfit(f".{kind}: expected {identifier_rule()}")
        declared = self._object_type(item.get("type"), ".type")
        values = item.get("attributes", [])
        if type(values) is not list or len(values) > MAX_VALUES or (kind == "change" and not values):
            raise Unfit(f".attributes: expected a list of {int(kind == 'change')} to {MAX_VALUES} values")
        for index, entry in enumerate(values):
            self._object_value(entry, declared, f".attributes[{index}]", item["type"])
        if "corrects" in item:
            self._extra(item)
        return Reading(kind, None, ((item["type"], item[kind]),))

    def _object_value(self, entry: Any, fields: Mapping[str, Form], path: str, object_type: str) -> None:
        if type(entry) is not list or len(entry) != 3:
            raise Unfit(f"{path}: expected [name, time, value]")
        name, when, value = entry
        field = fields.get(name) if type(name) is str else None
        if field is None:
            raise Unfit(f"{path}[0]: '{str(name)[:64]}' is not declared for object type {object_type}")
        if when != _EPOCH_TEXT and time_ms(when, self.zone_minutes) is None:
            raise Unfit(f"{path}[1]: expected {_time_rule(self.zone_minutes)}, or 0")
        error = field.check(value)
        if error is not None:
            raise Unfit(f"{path}[2]{error}")

    def _relation(self, item: dict[str, Any]) -> Reading:
        if not item.keys() <= _RELATION_FIELDS:
            raise _unknown(item, _RELATION_FIELDS)
        names = tuple(self._name(item.get(part), f".{part}", qualified=False) for part in ("relation", "to"))
        if "qualifier" in item:
            _check_qualifier(item["qualifier"], ".qualifier")
        if "corrects" in item:
            self._extra(item)
        return Reading("relation", None, tuple(dict.fromkeys(names)))

    def _extra(self, item: dict[str, Any]) -> None:
        """Check the fields that few items have."""
        for name in sorted(_EXTRA_FIELDS.intersection(item)):
            if name == "recorded":
                good = time_ms(item[name], self.zone_minutes) is not None
                error = None if good else f": expected {_time_rule(self.zone_minutes)}"
            else:
                error = _EXTRA[name].check(item[name])
            if error is not None:
                raise Unfit(f".{name}{error}")


_schemas: dict[tuple[str, int | None], Schema] = {}


def schema_of(definition: Mapping[str, Any], zone_minutes: int | None) -> Schema:
    """Return the compiled form of a stored definition for sources with this zone (None: none declared)."""
    key = (definition["definition"], zone_minutes)  # a definition is named by its hash
    schema = _schemas.get(key)
    if schema is None:
        schema = _compiled(definition, zone_minutes)
        remember(_schemas, key, schema)
    return schema


def _compiled(definition: Mapping[str, Any], zone: int | None) -> Schema:
    events = {
        name: EventType(
            _fields(body["attributes"], zone),
            tuple(sorted(name for name, spec in body["attributes"].items() if spec.get("required"))),
        )
        for name, body in definition["event_types"].items()
    }
    objects = {name: _fields(body["attributes"], zone) for name, body in definition["object_types"].items()}
    return Schema(definition["id"], zone, events, objects)


def _fields(attributes: Mapping[str, Any], zone_minutes: int | None) -> dict[str, Form]:
    return {name: _field_of(spec, zone_minutes) for name, spec in attributes.items()}


def _field_of(spec: Mapping[str, Any], zone_minutes: int | None) -> Form:
    if spec["class"] == "sealed":
        return _Commitment()
    return _Time(zone_minutes) if spec["type"] == "time" else _ATTRIBUTES[spec["type"]]


class _String(Form):
    def check(self, value: Any) -> str | None:
        if type(value) is str and len(value) <= MAX_STRING_CHARACTERS and is_encodable(value):
            return None
        return f": expected {self.describe()}"

    def describe(self) -> str:
        return f"a text of at most {MAX_STRING_CHARACTERS} characters"


class _Decimal(Form):
    def check(self, value: Any) -> str | None:
        return None if is_decimal(value) else f": expected {self.describe()}"

    def describe(self) -> str:
        return "a decimal as text, such as '0.1' or '1e-05'"


class _Time(Form):
    def __init__(self, zone_minutes: int | None) -> None:
        self.zone_minutes = zone_minutes

    def check(self, value: Any) -> str | None:
        return None if time_ms(value, self.zone_minutes) is not None else f": expected {self.describe()}"

    def describe(self) -> str:
        return _time_rule(self.zone_minutes)


class _Commitment(Form):
    def check(self, value: Any) -> str | None:
        return None if _hash.check(value) is None else f": sealed; expected {self.describe()}"

    def describe(self) -> str:
        return "the commitment, a SHA-256 in lower-case hexadecimal"


class _Corrects(Form):
    def check(self, value: Any) -> str | None:
        pair = type(value) is list and len(value) == 2
        fits = pair and _sequence.check(value[0]) is None and _hash.check(value[1]) is None
        return None if fits else f": expected {self.describe()}"

    def describe(self) -> str:
        return "[sequence, item hash]"


class _Claims(Form):
    """What an event's owner states of claims: each of another rule, with the version that it means."""

    def check(self, value: Any) -> str | None:
        good = type(value) is list and 0 < len(value) <= MAX_CLAIMS and all(map(_is_claim, value))
        fits = good and len({claim[0] for claim in value}) == len(value)
        return None if fits else f": expected {self.describe()}"

    def describe(self) -> str:
        return f"a list of 1 to {MAX_CLAIMS} [rule, version, true or false], of each rule one"


def _is_claim(value: Any) -> bool:
    fits = type(value) is list and len(value) == 3 and type(value[2]) is bool
    return fits and _rule.check(value[0]) is None and _version.check(value[1]) is None


def _check_qualifier(value: Any, path: str) -> None:
    if type(value) is not str or len(value) > MAX_QUALIFIER_CHARACTERS or not is_visible(value):
        rule = f"a qualifier of at most {MAX_QUALIFIER_CHARACTERS} characters, none of them invisible or a control"
        raise Unfit(f"{path}: expected {rule}")


def _time_rule(zone_minutes: int | None) -> str:
    offset = "with its offset (the source declares no zone)" if zone_minutes is None else "with or without offset"
    return f"a time as 2006-07-24T10:00:00Z, {offset}"


def _unknown(item: Mapping[Any, Any], fields: frozenset[str]) -> Unfit:
    name = min(str(key) for key in item if key not in fields)
    return Unfit(f".{name[:64]}: unknown; expected {', '.join(sorted(fields))}")


_RELATION_FIELDS: Final = frozenset(("relation", "to", "qualifier", "corrects"))
_hash = Hexadecimal()
_sequence = Integer(1, _INT64_MAX)
_rule = Identifier(slash=False)
_version = Integer(1, 1_000_000)
_integer = Integer(INT_MIN, _INT64_MAX)
_ATTRIBUTES: Final[Mapping[str, Form]] = {
    "string": _String(),
    "integer": _integer,
    "boolean": Boolean(),
    "decimal": _Decimal(),
    "scaled": _integer,
}
_EXTRA: Final[Mapping[str, Form]] = {
    "counterparty": Name(),
    "evidence": Many(_hash, high=MAX_REFERENCES, low=1, unique=True),
    "policy": Many(Identifier(), high=MAX_REFERENCES, low=1, unique=True),
    "corrects": _Corrects(),
    "late": Text(),
    "claims": _Claims(),  # T31
}
