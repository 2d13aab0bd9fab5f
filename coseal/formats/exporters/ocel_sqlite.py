"""OCEL 2.0 SQLite, built so that the same log gives the same bytes.

Law: the reader of ``coseal.formats.importers.ocel_sqlite`` gets the same log back; a decimal keeps its digits.

Same bytes: a new database with fixed settings, written in one transaction in one order, and the library's version in
its header (bytes 96 to 99, which say who wrote last and mean nothing else) replaced by a constant.
"""

from __future__ import annotations

import math
import re
import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from typing import Any, Final

from coseal.contracts.kernel.dates import parse_time
from coseal.errors import CosealError
from coseal.formats.exporters.log import EPOCH_TIME, ExportLog, Types

_VERSION: Final = (3_037_000).to_bytes(4, "big")
_COLUMNS: Final = {
    "string": "TEXT",
    "integer": "INTEGER",
    "boolean": "BOOLEAN",
    "time": "TIMESTAMP",
    "float": "REAL",
}
_KEPT_FLOAT: Final = "FLOAT TEXT"
"""For decimals that a REAL would change (``0.10``): SQLite keeps the text, a reader still sees a float."""
_OWN: Final = ("ocel_id", "ocel_time", "ocel_changed_field")
_SCHEMA: Final = """
CREATE TABLE event_map_type (ocel_type TEXT PRIMARY KEY, ocel_type_map TEXT);
CREATE TABLE object_map_type (ocel_type TEXT PRIMARY KEY, ocel_type_map TEXT);
CREATE TABLE event (ocel_id TEXT PRIMARY KEY, ocel_type TEXT REFERENCES event_map_type(ocel_type));
CREATE TABLE object (ocel_id TEXT PRIMARY KEY, ocel_type TEXT REFERENCES object_map_type(ocel_type));
CREATE TABLE event_object (
    ocel_event_id TEXT REFERENCES event(ocel_id), ocel_object_id TEXT REFERENCES object(ocel_id), ocel_qualifier TEXT,
    PRIMARY KEY(ocel_event_id, ocel_object_id, ocel_qualifier));
CREATE TABLE object_object (
    ocel_source_id TEXT REFERENCES object(ocel_id), ocel_target_id TEXT REFERENCES object(ocel_id), ocel_qualifier TEXT,
    PRIMARY KEY(ocel_source_id, ocel_target_id, ocel_qualifier));
"""


def write_ocel_sqlite(log: ExportLog) -> bytes:
    """Return the file's bytes; raise ``CosealError`` for names the encoding cannot hold."""
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as connection:
        connection.executescript("PRAGMA page_size = 4096; PRAGMA encoding = 'UTF-8'; PRAGMA auto_vacuum = 0;")
        connection.executescript("BEGIN;" + _SCHEMA)
        _write(connection, log)
        connection.execute("COMMIT")
        data = bytearray(connection.serialize())
    data[96:100] = _VERSION
    return bytes(data)


def _write(connection: sqlite3.Connection, log: ExportLog) -> None:
    events = _tables(connection, "event", log.event_types, _float_columns(_event_values(log)))
    objects = _tables(connection, "object", log.object_types, _float_columns(_object_values(log)))
    many = connection.executemany
    many("INSERT INTO event VALUES (?, ?)", ((event.id, event.type) for event in log.events))
    many("INSERT INTO object VALUES (?, ?)", ((one.id, one.type) for one in log.objects))
    pairs = ((event.id, name, kind) for event in log.events for name, kind in event.objects)
    many("INSERT INTO event_object VALUES (?, ?, ?)", pairs)
    pairs = ((one.id, name, kind) for one in log.objects for name, kind in one.relations)
    many("INSERT INTO object_object VALUES (?, ?, ?)", pairs)
    for event in log.events:
        events[event.type].insert(connection, (event.id, event.time), event.attributes)
    for one in log.objects:
        for time, changed, given in _object_rows(one.values):
            objects[one.type].insert(connection, (one.id, time, changed), given)


@dataclass(frozen=True, slots=True)
class _Table:
    """The table of a type: its name, its attributes with their declared column types."""

    name: str
    columns: dict[str, str]

    def insert(self, connection: sqlite3.Connection, own: tuple[Any, ...], given: Mapping[str, Any]) -> None:
        """Insert a row. A REAL gets a number made here: SQLite's own reading of a text may be off by a digit."""
        values = [
            float(given[key]) if column == _COLUMNS["float"] and key in given else given.get(key)
            for key, column in self.columns.items()
        ]
        row = (*own, *values)
        connection.execute(f"INSERT INTO {_quoted(self.name)} VALUES ({', '.join('?' * len(row))})", row)


def _object_rows(values: Sequence[tuple[str, str, Any]]) -> Iterable[tuple[str, str | None, dict[str, Any]]]:
    """Yield (time, changed field, values): the initial values of one time text in a row, then a row a change."""
    initial: list[tuple[str, dict[str, Any]]] = []
    for name, time, value in values:
        if is_initial(time):
            if not initial or initial[-1][0] != time or name in initial[-1][1]:
                initial.append((time, {}))
            initial[-1][1][name] = value
    for time, given in initial or [(EPOCH_TIME, {})]:
        yield time, None, given
    for name, time, value in values:
        if not is_initial(time):
            yield time, name, {name: value}


def is_initial(time: str) -> bool:
    """Say whether an attribute's time is the epoch, at which initial values stand."""
    return time[:4] in ("1969", "1970") and parse_time(time) == 0


def _tables(connection: sqlite3.Connection, kind: str, types: Types, kept: set[tuple[str, str]]) -> dict[str, _Table]:
    """Create the table of every type; return type -> table."""
    tables: dict[str, _Table] = {}
    taken = {"map_type", "object"}  # tables of OCEL's own
    for name, attributes in types.items():
        suffix = _suffix(name, taken)
        key = "PRIMARY KEY " if kind == "event" else ""  # an object has a row for each change
        own = [("ocel_id", f"TEXT {key}REFERENCES {kind}(ocel_id)"), ("ocel_time", "TIMESTAMP")]
        if kind == "object":
            own.append(("ocel_changed_field", "TEXT"))
        _require_columns(name, attributes)
        declared = {
            key: _KEPT_FLOAT if ocel == "float" and (name, key) in kept else _COLUMNS[ocel]
            for key, ocel in attributes.items()
        }
        columns = ", ".join(f"{_quoted(key)} {column}" for key, column in (*own, *declared.items()))
        connection.execute(f"CREATE TABLE {_quoted(f'{kind}_{suffix}')} ({columns})")
        connection.execute(f"INSERT INTO {kind}_map_type VALUES (?, ?)", (name, suffix))
        tables[name] = _Table(f"{kind}_{suffix}", declared)
    return tables


def _suffix(name: str, taken: set[str]) -> str:
    """Return a table's name for a type: its letters and digits, a number more if that is taken."""
    plain = "".join(part[:1].upper() + part[1:] for part in re.split(r"[^A-Za-z0-9]+", name)) or "Type"
    suffix, number = plain, 2
    while suffix.lower() in taken:
        suffix, number = f"{plain}{number}", number + 1
    taken.add(suffix.lower())
    return suffix


def _require_columns(name: str, attributes: Iterable[str]) -> None:
    """Refuse attribute names that SQLite takes for one column."""
    seen: dict[str, str] = {own: own for own in _OWN}
    for key in attributes:
        folded = "".join(c.lower() if "A" <= c <= "Z" else c for c in key)
        if folded in seen:
            detail = f"type {name}: SQLite takes {key!r} and {seen[folded]!r} for one column"
            raise CosealError(detail, "export it as ocel-json")
        seen[folded] = key


def _float_columns(values: Iterable[tuple[str, str, Any]]) -> set[tuple[str, str]]:
    """Return the (type, attribute) pairs with a decimal text that a REAL would change."""
    return {(name, key) for name, key, text in values if not _survives(text)}


def _survives(text: str) -> bool:
    number = float(text)
    return math.isfinite(number) and repr(number) == text != "-0.0"  # SQLite keeps a zero without its sign


def _event_values(log: ExportLog) -> Iterable[tuple[str, str, Any]]:
    for event in log.events:
        types = log.event_types[event.type]
        yield from ((event.type, key, value) for key, value in event.attributes.items() if types[key] == "float")


def _object_values(log: ExportLog) -> Iterable[tuple[str, str, Any]]:
    for one in log.objects:
        types = log.object_types[one.type]
        yield from ((one.type, key, value) for key, _, value in one.values if types[key] == "float")


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
