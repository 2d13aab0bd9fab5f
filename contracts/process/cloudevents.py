"""CloudEvents 1.0.2 as items of process data: one mapping, for the node's door and for files.

Law: every attribute, extension and data member of an event becomes part of its item, or the event is refused with the
path of what does not fit. docs/spec/api.md, section CloudEvents.

An event comes as its JSON format has it, parsed: a map of context attributes, extensions, ``data``. Numbers that are
no integers come as ``Number``, their text.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from coseal.contracts.kernel.dates import parse_time
from coseal.contracts.kernel.names import (
    identifier_rule,
    is_identifier,
    is_label,
    is_reference,
    label_rule,
    reference_rule,
)
from coseal.contracts.process.items import Unfit

SPECVERSION: Final = "1.0"
ITEM_TYPE: Final = "application/vnd.coseal.item+json"
"""The content type of data that is the rest of an item: objects, attributes, counterparty, evidence, ..."""

MAX_SEQUENCE_DIGITS: Final = 19
_NAMES: Final = (
    ("id", is_identifier, identifier_rule),
    ("source", is_reference, reference_rule),
    ("type", is_label, label_rule),
)
_INT32: Final = range(-(2**31), 2**31)
_REQUIRED: Final = ("id", "source", "specversion", "type", "time", "sequence")
_CONTEXT: Final = frozenset(
    ("id", "source", "specversion", "type", "time", "subject", "datacontenttype", "data", "data_base64")
)
_SEQUENCE: Final = frozenset(("sequence", "sequencetype", "recordedtime"))
_ITEM_FIELDS: Final = frozenset(
    ("objects", "attributes", "counterparty", "evidence", "policy", "corrects", "late", "recorded")
)
_NAME_CHARACTERS: Final = frozenset("abcdefghijklmnopqrstuvwxyz0123456789")
_HEX: Final = frozenset("0123456789abcdefABCDEF")
_URI_CHARACTERS: Final = frozenset(
    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~:/?#[]@!$&'()*+,;=%"
)
_TOKEN: Final = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789!#$%&'*+-.^_`|~")


class Number(str):
    """The digits of a JSON number that is no integer of 64 bit."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class SourcedItem:
    """An item with the source (without the member) and the sequence its event names."""

    source: str
    sequence: int
    item: dict[str, Any]


def read_event(event: Any) -> SourcedItem:
    """Return the item an event stands for; raise ``Unfit`` with a path from the event and what is expected there."""
    if type(event) is not dict:
        raise Unfit(": expected a CloudEvent")
    given = {name: value for name, value in event.items() if value is not None}
    for name in _REQUIRED:
        if name not in given:
            raise Unfit(f".{name}: missing")
    _check_context(given)
    item: dict[str, Any] = {"event": given["id"], "type": given["type"], "time": given["time"]}
    objects = [_subject(given["subject"])] if "subject" in given else []
    attributes = {name: _extension(name, given[name]) for name in sorted(given) if name not in _CONTEXT | _SEQUENCE}
    data = _data(given)
    if _media_type(given.get("datacontenttype", "")) == ITEM_TYPE:
        objects, more = _item_fields(data, objects)
        item |= more
        data = item.pop("attributes", {})
    for name, value in data.items():
        if name in attributes:
            raise Unfit(f".data.{name[:64]}: stands there as an extension as well")
        attributes[name] = value
    if "recordedtime" in given:
        item["recorded"] = given["recordedtime"]
    item["objects"] = objects
    if attributes:
        item["attributes"] = attributes
    return SourcedItem(given["source"], _sequence(given["sequence"]), item)


def fitted(item: dict[str, Any], definition: Mapping[str, Any]) -> dict[str, Any]:
    """Return an item whose numbers stand as the definition wants them; raise ``Unfit``.

    JSON does not tell 35 from 35.0 by type: an integer may stand for a decimal; what is no integer is a decimal only.
    """
    specs = definition["event_types"].get(item["type"], {}).get("attributes", {})
    attributes = {}
    for name, value in item.get("attributes", {}).items():
        kind = specs.get(name, {}).get("type")
        if type(value) is Number and kind not in ("decimal", None):
            raise Unfit(f".attributes.{name[:64]}: {value[:64]} is a decimal number, {kind} is declared")
        is_number = type(value) is Number or (type(value) is int and kind == "decimal")
        attributes[name] = str(value) if is_number else value
    return {**item, "attributes": attributes} if attributes else item


# The context


def _check_context(given: Mapping[str, Any]) -> None:
    for name in given:
        if type(name) is not str or (name != "data_base64" and not (name and _NAME_CHARACTERS.issuperset(name))):
            raise Unfit(f".{str(name)[:64]}: attribute names are of lower-case letters and digits")
    if given["specversion"] != SPECVERSION:
        raise Unfit(f".specversion: expected {SPECVERSION}")
    for name, fits, rule in _NAMES:
        if not fits(given[name]):
            raise Unfit(f".{name}: expected {rule()}")
    if not is_uri_reference(given["source"]):
        raise Unfit(".source: expected a URI-reference")
    if "dataschema" in given and not _is_uri(given["dataschema"]):
        raise Unfit(".dataschema: expected a URI with its scheme")
    for name in ("time", "recordedtime"):
        if name in given and parse_time(given[name]) is None:
            raise Unfit(f".{name}: expected an RFC 3339 time with its offset")
    if given.get("sequencetype", "Integer") != "Integer":
        raise Unfit(".sequencetype: expected Integer")
    if "datacontenttype" in given and not _is_media_type(given["datacontenttype"]):
        raise Unfit(".datacontenttype: expected a media type, as application/json")


def _sequence(value: Any) -> int:
    """Return a sequence: an integer, or its digits, which may be padded with zeros so that texts sort as numbers do."""
    if type(value) is str and 0 < len(value) <= MAX_SEQUENCE_DIGITS and value.isascii() and value.isdigit():
        value = int(value)
    if type(value) is not int or not 1 <= value < 2**63:
        raise Unfit(".sequence: expected a number from 1 on, one more for each event of the source")
    return value


def _subject(value: Any) -> list[str]:
    object_type, slash, object_id = value.partition("/") if type(value) is str else ("", "", "")
    if not (slash and is_identifier(object_type) and is_identifier(object_id)):
        raise Unfit(f".subject: expected OBJECTTYPE/ID, each {identifier_rule()}")
    return [object_type, object_id]


def _extension(name: str, value: Any) -> str:
    """Return an extension's value in its text form, the same in all modes of transport."""
    if type(value) is bool:
        return "true" if value else "false"
    if type(value) is int and value in _INT32:
        return str(value)
    if type(value) is str and value and not any(c < " " or "\x7f" <= c <= "\x9f" for c in value):
        return value
    raise Unfit(f".{name}: expected a text without control characters, a boolean, or an integer of 32 bit")


# The data


def _data(given: Mapping[str, Any]) -> dict[str, Any]:
    if "data_base64" in given:
        raise Unfit(
            ".data_base64: binary data is not recorded; keep it, name it by dataref, record its digest as evidence"
        )
    if "data" not in given:
        return {}
    if not _is_json(_media_type(given.get("datacontenttype", "application/json"))):
        raise Unfit(".datacontenttype: data is recorded as JSON only: application/json or a type with +json")
    data = given["data"]
    if type(data) is not dict:
        raise Unfit(".data: expected an object with the event's attributes")
    return {name: _plain(f".data.{str(name)[:64]}", value) for name, value in data.items()}


def _item_fields(data: Mapping[str, Any], objects: list[list[str]]) -> tuple[list[Any], dict[str, Any]]:
    """Return the objects, the subject first, and the other fields of data that is the rest of an item."""
    for name in data:
        if name not in _ITEM_FIELDS:
            raise Unfit(f".data.{name[:64]}: unknown; expected {', '.join(sorted(_ITEM_FIELDS))}")
    more = data.get("objects", [])
    if type(more) is not list:
        raise Unfit(".data.objects: expected a list of [object type, id, qualifier]")
    if type(data.get("attributes", {})) is not dict:
        raise Unfit(".data.attributes: expected an object")
    rest = {name: value for name, value in data.items() if name != "objects"}
    return [*(one for one in objects if one not in more), *more], rest


def _plain(path: str, value: Any, depth: int = 0, *, within: bool = False) -> Any:
    """Return a JSON value for the ledger; what an attribute cannot be is told by the process type."""
    if type(value) in (str, bool, int) or (type(value) is Number and not within):
        return value
    if type(value) is list and depth < 3:
        return [_plain(f"{path}[{index}]", entry, depth + 1, within=True) for index, entry in enumerate(value)]
    if type(value) is dict and depth == 0:
        return {name: _plain(f"{path}.{name[:64]}", entry, 1) for name, entry in value.items()}
    raise Unfit(f"{path}: expected a text, a number or a boolean; leave out what has no value")


# Forms of texts


_LETTERS: Final = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ")
_LOWER: Final = str.maketrans("ABCDEFGHIJKLMNOPQRSTUVWXYZ", "abcdefghijklmnopqrstuvwxyz")


def is_uri_reference(value: Any) -> bool:
    """Say whether a text has only what a URI-reference may have (RFC 3986), every ``%`` before two hex digits."""
    if type(value) is not str or not value or not _URI_CHARACTERS.issuperset(value):
        return False
    return all(len(part) >= 2 and part[0] in _HEX and part[1] in _HEX for part in value.split("%")[1:])


def _is_uri(value: Any) -> bool:
    scheme, colon, _ = value.partition(":") if type(value) is str else ("", "", "")
    return bool(colon and scheme and scheme[0] in _LETTERS and is_uri_reference(value) and "/" not in scheme)


def _media_type(value: str) -> str:
    return value.partition(";")[0].strip(" \t").translate(_LOWER)


def _is_media_type(value: Any) -> bool:
    kind, slash, sub = _media_type(value).partition("/") if type(value) is str else ("", "", "")
    return bool(slash and kind and sub) and _TOKEN.issuperset(kind) and _TOKEN.issuperset(sub)


def _is_json(media_type: str) -> bool:
    return media_type == "application/json" or media_type.endswith("+json")
