"""Counting what an event log holds, in each format an export has.

Law: only counts; independent of the code that writes the files. A file that is not of its format is ``Uncountable``.
"""

from __future__ import annotations

import csv
import io
import json
import sqlite3
from collections.abc import Callable, Mapping
from contextlib import closing
from typing import Any, Final
from xml.parsers import expat

from coseal.audit import parquet

Counts = dict[str, Any]


class Uncountable(Exception):
    """The file is not of the format it should be of."""


def _ocel_json(data: bytes) -> Counts:
    try:
        document = json.loads(data, parse_float=str)
        events, objects = ({row["name"]: 0 for row in document[name]} for name in ("eventTypes", "objectTypes"))
        counts = _ocel_counts(events, objects)
        for part, types, values, relations in (
            ("events", events, "event_values", "event_object"),
            ("objects", objects, "object_values", "object_object"),
        ):
            for row in document[part]:
                types[row["type"]] += 1
                counts[values] += len(row["attributes"])
                counts[relations] += len(row["relationships"])
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise Uncountable(f"not OCEL 2.0 JSON: {error!r}") from None
    return counts


def _ocel_sqlite(data: bytes) -> Counts:
    with closing(sqlite3.connect(":memory:")) as connection:
        try:
            connection.deserialize(data)
            counts = _ocel_counts({}, {})
            for kind in ("event", "object"):
                counts[f"{kind}s"], counts[f"{kind}_values"] = _typed(connection, kind)
                (counts[f"{kind}_object"],) = connection.execute(f"SELECT count(*) FROM {kind}_object").fetchone()
        except (sqlite3.Error, OverflowError) as error:
            raise Uncountable(f"not OCEL 2.0 SQLite: {error}") from None
    return counts


def _typed(connection: sqlite3.Connection, kind: str) -> tuple[dict[str, int], int]:
    """Return how many events or objects there are of each type, and how many attribute values they have."""
    types, values = {}, 0
    for name, suffix in connection.execute(f"SELECT ocel_type, ocel_type_map FROM {kind}_map_type").fetchall():
        (types[name],) = connection.execute(f"SELECT count(*) FROM {kind} WHERE ocel_type = ?", (name,)).fetchone()
        table = _quoted(f"{kind}_{suffix}")
        columns = [row[1] for row in connection.execute(f"PRAGMA table_info({table})")]
        for column in columns:
            if column not in ("ocel_id", "ocel_time", "ocel_changed_field"):
                values += connection.execute(f"SELECT count({_quoted(column)}) FROM {table}").fetchone()[0]
    return types, values


def _ocel_xml(data: bytes) -> Counts:
    counts = _ocel_counts({}, {})

    def start(around: list[str], tag: str, attributes: dict[str, str]) -> None:
        kind = tag.removesuffix("-type")
        if len(around) == 2 and tag in ("event-type", "object-type"):
            counts[f"{kind}s"].setdefault(attributes["name"], 0)
        elif len(around) == 2 and around[1] in ("events", "objects"):
            counts[around[1]][attributes["type"]] += 1
        elif len(around) == 4 and around[1] in ("events", "objects"):
            counts[f"{around[2]}_{'values' if around[3] == 'attributes' else 'object'}"] += 1

    _parse(data, start)
    return counts


def _xes(data: bytes) -> Counts:
    counts: Counts = {"cases": 0, "events": {}}

    def start(around: list[str], tag: str, attributes: dict[str, str]) -> None:
        if around == ["log"] and tag == "trace":
            counts["cases"] += 1
        elif around == ["log", "trace", "event"] and attributes.get("key") == "concept:name":
            counts["events"][attributes["value"]] = counts["events"].get(attributes["value"], 0) + 1

    _parse(data, start)
    return counts


def _csv(data: bytes) -> Counts:
    counts: Counts = {"cases": 0, "events": {}}
    cases = set()
    try:
        for row in csv.DictReader(io.StringIO(data.decode(), newline=""), strict=True):
            cases.add(row["case"])
            counts["events"][row["activity"]] = counts["events"].get(row["activity"], 0) + 1
    except (ValueError, KeyError, csv.Error) as error:
        raise Uncountable(f"not CSV with case and activity: {error!r}") from None
    counts["cases"] = len(cases)
    return counts


def _parquet(data: bytes) -> Counts:
    try:
        return {"events": parquet.rows(data)}
    except ValueError as error:
        raise Uncountable(str(error)) from None


def _ocel_counts(events: dict[str, int], objects: dict[str, int]) -> Counts:
    numbers = dict.fromkeys(("event_object", "object_object", "event_values", "object_values"), 0)
    return {"events": events, "objects": objects, **numbers}


def _parse(data: bytes, start: Callable[[list[str], str, dict[str, str]], None]) -> None:
    """Call ``start(names of the elements around, name, attributes)`` for each element; a DTD is refused."""
    around: list[str] = []

    def begin(tag: str, attributes: dict[str, str]) -> None:
        start(around, tag, attributes)
        around.append(tag)

    def refuse(*_: Any) -> None:
        raise Uncountable("it has a document type declaration")

    parser = expat.ParserCreate()
    parser.StartElementHandler = begin
    parser.EndElementHandler = lambda tag: around.pop()
    parser.StartDoctypeDeclHandler = refuse
    try:
        parser.Parse(data, True)
    except (expat.ExpatError, KeyError) as error:
        raise Uncountable(f"not the XML it should be: {error!r}") from None


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


COUNTERS: Final[Mapping[str, Callable[[bytes], Counts]]] = {
    "ocel-json": _ocel_json,
    "ocel-sqlite": _ocel_sqlite,
    "ocel-xml": _ocel_xml,
    "xes": _xes,
    "csv": _csv,
    "parquet": _parquet,
}
