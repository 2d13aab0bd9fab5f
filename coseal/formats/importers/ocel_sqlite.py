"""OCEL 2.0 in its SQLite encoding, read as the standard has it and as strictly.

Law: the file is only read, in memory, by plain SELECTs of tables; a row or column that says nothing known is a finding.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any, Final

from coseal.formats.importers.log import BadLog, Findings, Log, read_bytes
from coseal.formats.importers.mapping import Mapping
from coseal.formats.importers.ocel import EPOCH, OcelBuilder

MAGIC: Final = b"SQLite format 3\0"
_NAMES: Final = {
    "id": ".ocel_id",
    "type": ".ocel_type",
    "time": ".ocel_time",
    "name": ".ocel_type",
    "value": "",
    "objectId": ".ocel_object_id",
    "sourceId": ".ocel_source_id",
    "targetId": ".ocel_target_id",
    "qualifier": ".ocel_qualifier",
}
_TABLES: Final = {
    "event": ("ocel_id", "ocel_type"),
    "object": ("ocel_id", "ocel_type"),
    "event_object": ("ocel_event_id", "ocel_object_id", "ocel_qualifier"),
    "object_object": ("ocel_source_id", "ocel_target_id", "ocel_qualifier"),
    "event_map_type": ("ocel_type", "ocel_type_map"),
    "object_map_type": ("ocel_type", "ocel_type_map"),
}
_OWN_COLUMNS: Final = ("ocel_id", "ocel_time", "ocel_changed_field")
_ALLOWED: Final = (sqlite3.SQLITE_SELECT, sqlite3.SQLITE_READ, sqlite3.SQLITE_PRAGMA)


def read_ocel_sqlite(path: Path, mapping: Mapping) -> Log:
    """Read a ``.sqlite`` file, packed or not; raise ``BadLog`` with all findings."""
    findings = Findings()
    data = bytearray(read_bytes(path))
    if data[: len(MAGIC)] != MAGIC:
        findings.add("not_sqlite", "", "the file does not begin as a SQLite database does")
        raise BadLog(path, findings.all())
    data[18:20] = b"\x01\x01"  # a database in write-ahead mode is read as the file stands
    with closing(sqlite3.connect(":memory:")) as connection:
        try:
            connection.deserialize(bytes(data))
            connection.set_authorizer(_authorise)
            log = _Reader(connection, OcelBuilder(findings, mapping, _NAMES), path).log()
        except UnicodeDecodeError:
            findings.add("not_utf8", "", "a name or text of the database is not UTF-8")
            raise BadLog(path, findings.all()) from None
        except (sqlite3.Error, OverflowError, MemoryError) as error:  # a damaged page may claim more than there is
            findings.add("not_sqlite", "", str(error) or "the database claims more than there is room for")
            raise BadLog(path, findings.all()) from None
    findings.require_none(path)
    return log


def _authorise(action: int, *_: Any) -> int:
    return sqlite3.SQLITE_OK if action in _ALLOWED else sqlite3.SQLITE_DENY


class _Reader:
    def __init__(self, connection: sqlite3.Connection, builder: OcelBuilder, path: Path) -> None:
        self._connection, self._builder, self._findings, self._path = connection, builder, builder.findings, path
        rows = connection.execute("SELECT name, sql FROM sqlite_master WHERE type = 'table' ORDER BY rowid")
        named = [(name, sql) for name, sql in rows if isinstance(name, str)]  # not so in a damaged file
        self._tables = {name: sql or "" for name, sql in named if not name.startswith("sqlite_")}

    def log(self) -> Log:
        """Read the tables in the order in which they refer to each other."""
        self._require_tables()
        typed = {kind: self._types(kind) for kind in ("object", "event")}
        self._unknown_tables({table for tables in typed.values() for table in tables.values()})
        self._objects(typed["object"])
        self._events(typed["event"])
        for number, (source, target, qualifier) in self._rows("object_object", _TABLES["object_object"]):
            self._builder.object_object(source, target, qualifier, f"object_object[{number}]")
        for number, (event, target, qualifier) in self._rows("event_object", _TABLES["event_object"]):
            path = f"event_object[{number}]"
            if self._builder.has_event(event):
                self._builder.event_object(event, target, qualifier, path)
            else:
                self._findings.add("dangling_event", f"{path}.ocel_event_id", f"no event {event!r}")
        return self._builder.log()

    def _require_tables(self) -> None:
        for table, columns in _TABLES.items():
            if table not in self._tables:
                self._findings.add("missing_table", table, "OCEL 2.0 has this table")
                continue
            there = [name for name, _ in self._columns(table)]
            for column in columns:
                if column not in there:
                    self._findings.add("missing_column", f"{table}.{column}", "OCEL 2.0 has this column")
            self._unknown_columns(table, there, columns)
        self._findings.require_none(self._path)

    def _types(self, kind: str) -> dict[str, str]:
        """Declare the types of one kind; return type -> table."""
        tables: dict[str, str] = {}
        for number, (name, suffix) in self._rows(f"{kind}_map_type", _TABLES[f"{kind}_map_type"]):
            path, table = f"{kind}_map_type[{number}]", f"{kind}_{suffix}"
            if table not in self._tables:
                self._findings.add("missing_table", table, f"{kind} type {name!r} is mapped to it")
                continue
            columns = self._columns(table)
            needed = _OWN_COLUMNS[:2]
            for column in needed:
                if column not in [there for there, _ in columns]:
                    self._findings.add("missing_column", f"{table}.{column}", "OCEL 2.0 has this column")
            if table in tables.values():
                self._findings.add("duplicate_type", path, f"two types are mapped to {table}")
            own = _OWN_COLUMNS if kind == "object" else needed
            attributes = [(column, ocel, f"{table}.{column}") for column, ocel in columns if column not in own]
            self._builder.declare(kind, name, attributes, path)
            tables[name] = table
        self._findings.require_none(self._path)
        return tables

    def _objects(self, tables: dict[str, str]) -> None:
        known = {}
        for number, (object_id, object_type) in self._rows("object", _TABLES["object"]):
            if self._builder.add_object(object_id, object_type, f"object[{number}]") is not None:
                known[object_id] = object_type
        for object_type, table in tables.items():
            kinds = dict(self._columns(table))
            changed_at = "ocel_changed_field" if "ocel_changed_field" in kinds else None
            names = [name for name in kinds if name not in _OWN_COLUMNS]
            for number, (object_id, time, changed, *values) in self._rows(
                table, ("ocel_id", "ocel_time", changed_at, *names)
            ):
                path, name = f"{table}[{number}]", _text(object_id)
                if known.get(name) != object_type:
                    self._findings.add("dangling_row", f"{path}.ocel_id", f"no object {name!r} of type {object_type}")
                    continue
                self._object_row(name, (time, changed), names, values, kinds, path)

    def _object_row(
        self,
        name: str,
        when: tuple[Any, Any],
        names: Sequence[str],
        values: Sequence[Any],
        kinds: dict[str, str],
        path: str,
    ) -> None:
        """Take one row of an object table: initial values, or the one that changed."""
        time, changed = EPOCH if when[0] == 0 else when[0], when[1]
        given = [column for column, value in zip(names, values, strict=True) if value is not None]
        if not given and changed is None:
            self._builder.values.time(time, f"{path}.ocel_time") if time != EPOCH else None
        if changed is not None and given != [changed]:
            detail = f"{changed!r} changed, yet the row has values of {', '.join(given) or 'no column'}"
            self._findings.add("bad_change", f"{path}.ocel_changed_field", detail)
            return
        for column, value in zip(names, values, strict=True):
            if value is not None:
                known = _value(kinds[column], value)
                self._builder.object_value(name, column, time, known, f"{path}.{column}", initial=changed is None)

    def _events(self, tables: dict[str, str]) -> None:
        """Add the events in the order of their table; the typed tables hold their times and attributes."""
        rows: dict[tuple[str, str], tuple[str, Any, list[tuple[str, Any]]]] = {}
        for event_type, table in tables.items():
            kinds = dict(self._columns(table))
            names = [name for name in kinds if name not in _OWN_COLUMNS[:2]]
            for number, (event_id, time, *values) in self._rows(table, ("ocel_id", "ocel_time", *names)):
                path, key = f"{table}[{number}]", (event_type, _text(event_id))
                if key in rows:
                    self._findings.add("duplicate_id", f"{path}.ocel_id", f"event {event_id}")
                given = [
                    (name, _value(kinds[name], value))
                    for name, value in zip(names, values, strict=True)
                    if value is not None
                ]
                rows[key] = (path, time, given)
        for number, (event_id, event_type) in self._rows("event", _TABLES["event"]):
            path, row = f"event[{number}]", rows.pop((event_type, event_id), None)
            if row is None and event_type in tables:
                detail = f"{tables[event_type]} has no row of event {event_id!r}"
                self._findings.add("missing_row", f"{path}.ocel_id", detail)
                continue
            where, time, given = row or (path, None, [])
            name = self._builder.add_event(event_id, event_type, EPOCH if time == 0 else time, where)
            for column, value in given if name is not None else ():
                self._builder.event_value(str(name), column, value, f"{where}.{column}")
        for (event_type, event_id), (path, _, _) in rows.items():
            self._findings.add("dangling_row", f"{path}.ocel_id", f"no event {event_id!r} of type {event_type}")

    # Access

    def _columns(self, table: str) -> list[tuple[str, str]]:
        """Return the columns of a table with the OCEL type their declared type stands for."""
        rows = self._connection.execute(f"PRAGMA table_info({_quoted(table)})")
        return [(name, _ocel_type(declared)) for _, name, declared, *_ in rows]

    def _rows(self, table: str, columns: Sequence[str | None]) -> Iterator[tuple[int, tuple[Any, ...]]]:
        """Yield (number from 1, values) of every row as the table holds them; a column None gives null."""
        names = ", ".join("NULL" if name is None else _quoted(name) for name in columns)
        sql = f"SELECT {names} FROM {_quoted(table)}"
        return enumerate(self._connection.execute(sql), start=1)

    def _unknown_columns(self, table: str, there: Sequence[str], known: Sequence[str]) -> None:
        for column in there:
            if column not in known:
                self._findings.add("unknown_field", f"{table}.{column}", f"expected only {', '.join(known)}")

    def _unknown_tables(self, typed: set[str]) -> None:
        """Note tables that hold rows and are no part of OCEL 2.0; an empty one holds nothing to lose."""
        for table, sql in self._tables.items():
            if sql.lstrip()[:14].upper() == "CREATE VIRTUAL":
                self._findings.add("unknown_table", table, "a virtual table is not read")
            elif table not in _TABLES and table not in typed and next(self._rows(table, ("rowid",)), None):
                self._findings.add("unknown_table", table, "it holds rows, and no type is mapped to it")


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _ocel_type(declared: str) -> str:
    """Return the OCEL type of a column's declared type; the declared type itself if it stands for none."""
    upper = declared.upper()
    for part, ocel in _COLUMN_TYPES:
        if part in upper:
            return ocel
    return declared


_COLUMN_TYPES: Final = (
    ("BOOL", "boolean"),
    ("INT", "integer"),
    ("REAL", "float"),
    ("FLOA", "float"),
    ("DOUB", "float"),
    ("NUMERIC", "float"),
    ("DECIMAL", "float"),
    ("TIME", "time"),
    ("DATE", "time"),
    ("TEXT", "string"),
    ("CHAR", "string"),
    ("CLOB", "string"),
)


def _text(value: Any) -> Any:
    """Return an id as text: a typed table may hold 880001 where the table of objects holds '880001'."""
    return str(value) if type(value) is int else value


def _value(ocel_type: str, value: Any) -> Any:
    """Return a column's value in the form the builder reads; what fits nothing stays and becomes a finding."""
    if ocel_type == "float" and type(value) is float:
        return repr(value)
    if ocel_type == "boolean" and value in (0, 1) and type(value) is int:
        return value == 1
    if ocel_type == "time" and value == 0:
        return EPOCH
    return value
