"""The conformance cases of CEL, as far as they can be put to CEL-S/1."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from coseal.contracts.rules.cel import types
from coseal.contracts.rules.cel.values import Duration, Timestamp
from tests.contracts.rules import textproto

PRIMITIVES = {"BOOL": types.BOOL, "INT64": types.INT, "STRING": types.STRING}
WELL_KNOWN = {"TIMESTAMP": types.TIMESTAMP, "DURATION": types.DURATION, "ANY": types.DYN}
ERROR = object()


class OutsideError(Exception):
    """The case is about something CEL-S/1 does not have."""


@dataclass(frozen=True)
class Case:
    """One conformance case: what to evaluate and what must come out (``ERROR``: no value)."""

    name: str
    text: str
    variables: dict[str, types.Type]
    bindings: dict[str, Any]
    expected: Any
    checked: bool


def cases(folder: Path) -> Iterator[Case | str]:
    """Yield the cases of all files, and the name and reason of those that have no counterpart."""
    for path in sorted(folder.glob("*.textproto")):
        for section in textproto.read(path.read_text(encoding="utf-8")).get("section", []):
            for test in section.get("test", []):
                name = f"{path.stem}/{section['name'][0]}/{test['name'][0]}"
                try:
                    yield case(name, test)
                except OutsideError as error:
                    yield f"{name}: {error}"


def case(name: str, test: textproto.Message) -> Case:
    declared = {one(entry, "name"): type_of(one(one(entry, "ident"), "type")) for entry in test.get("type_env", [])}
    bindings = {entry["key"][0]: value_of(entry["value"][0]["value"][0]) for entry in test.get("bindings", [])}
    if any("." in name for name in (*declared, *bindings)):
        raise OutsideError("a variable with a qualified name")
    if "typed_result" in test and "result" in test["typed_result"][0]:
        expected = value_of(test["typed_result"][0]["result"][0])
    elif "value" in test:
        expected = value_of(test["value"][0])
    elif "eval_error" in test:
        expected = ERROR
    elif "check_only" in test or "typed_result" in test or "unknown" in test or "any_unknowns" in test:
        raise OutsideError("asks for the type alone")
    else:
        expected = True
    checked = "disable_check" not in test
    return Case(name, test["expr"][0], {**dict.fromkeys(bindings, types.DYN), **declared}, bindings, expected, checked)


def one(message: textproto.Message, name: str) -> Any:
    if name not in message:
        raise OutsideError(f"no {name}")
    return message[name][0]


def type_of(message: textproto.Message) -> types.Type:
    ((kind, (value, *_)),) = message.items()
    if kind == "primitive" and value in PRIMITIVES:
        return PRIMITIVES[value]
    if kind == "well_known" and value in WELL_KNOWN:
        return WELL_KNOWN[value]
    if kind == "dyn":
        return types.DYN
    if kind == "null":
        return types.NULL
    if kind == "list_type":
        return types.list_of(type_of(one(value, "elem_type")))
    if kind == "map_type" and type_of(one(value, "key_type")) == types.STRING:
        return types.map_of(type_of(one(value, "value_type")))
    raise OutsideError(f"a variable of type {kind} {value}")


def value_of(message: textproto.Message) -> Any:
    ((kind, (value, *_)),) = message.items()
    if kind == "int64_value":
        return int(value)
    if kind == "bool_value":
        return value == "true"
    if kind == "string_value":
        if isinstance(value, textproto.Bytes):
            raise OutsideError("a text that is no UTF-8")
        return str(value)
    if kind == "null_value":
        return None
    if kind == "list_value":
        return [value_of(item) for item in value.get("values", [])]
    if kind == "map_value":
        entries = [(value_of(entry["key"][0]), value_of(entry["value"][0])) for entry in value.get("entries", [])]
        if not all(type(key) is str for key, _ in entries):
            raise OutsideError("a map with keys that are no strings")
        return dict(entries)
    if kind == "object_value":
        ((name, (fields, *_)),) = value.items()
        for suffix, make in (("protobuf.Timestamp]", Timestamp), ("protobuf.Duration]", Duration)):
            if name.endswith(suffix):
                return make(milliseconds(fields))
    raise OutsideError(f"a value of {kind}")


def milliseconds(fields: textproto.Message) -> int:
    nanoseconds = int(fields.get("nanos", ["0"])[0])
    if nanoseconds % 1_000_000:
        raise OutsideError("a time below a millisecond")
    return int(fields.get("seconds", ["0"])[0]) * 1_000 + nanoseconds // 1_000_000
