"""OCEL 2.0 JSON, one type, object or event a line, values in their own JSON types.

Law: the reader of ``coseal.formats.importers.ocel_json`` gets the same log back; a decimal keeps its digits.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from typing import Any, Final

from coseal.formats.exporters.log import ExportLog, LogEvent, LogObject, Types

_NUMBER: Final = re.compile(r"-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?", re.ASCII)


def write_ocel_json(log: ExportLog) -> bytes:
    """Return the file's bytes."""
    sections = (
        ("objectTypes", _types(log.object_types)),
        ("eventTypes", _types(log.event_types)),
        ("objects", (_object(one, log.object_types[one.type]) for one in log.objects)),
        ("events", (_event(event, log.event_types[event.type]) for event in log.events)),
    )
    parts = [f"{_text(name)}: [\n" + ",\n".join(rows) + "\n]" for name, rows in sections]
    return ("{\n" + ",\n".join(parts) + "\n}\n").encode()


def _types(types: Types) -> Iterable[str]:
    for name, attributes in types.items():
        rows = ", ".join(f'{{"name": {_text(key)}, "type": {_text(kind)}}}' for key, kind in attributes.items())
        yield f'{{"name": {_text(name)}, "attributes": [{rows}]}}'


def _object(one: LogObject, types: dict[str, str]) -> str:
    values = ", ".join(
        f'{{"name": {_text(name)}, "time": {_text(time)}, "value": {_value(types[name], value)}}}'
        for name, time, value in one.values
    )
    related = _relations(one.relations)
    return (
        f'{{"id": {_text(one.id)}, "type": {_text(one.type)}, "attributes": [{values}], "relationships": [{related}]}}'
    )


def _event(event: LogEvent, types: dict[str, str]) -> str:
    values = ", ".join(
        f'{{"name": {_text(name)}, "value": {_value(types[name], value)}}}' for name, value in event.attributes.items()
    )
    head = f'"id": {_text(event.id)}, "type": {_text(event.type)}, "time": {_text(event.time)}'
    return f'{{{head}, "attributes": [{values}], "relationships": [{_relations(event.objects)}]}}'


def _relations(relations: Iterable[tuple[str, str]]) -> str:
    return ", ".join(f'{{"objectId": {_text(name)}, "qualifier": {_text(kind)}}}' for name, kind in relations)


def _value(kind: str, value: Any) -> str:
    """Return a value's JSON: a decimal as a number with its own digits, where JSON can write them."""
    if kind == "float" and _NUMBER.fullmatch(value):
        return str(value)
    return _text(value)


def _text(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)
