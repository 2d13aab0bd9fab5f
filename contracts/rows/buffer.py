"""Rows in memory before a database: read through, written behind, all at once.

Law: what is read is what was last put, whether it is in the database yet or not; ``flush`` writes all of it and nothing
else, inside the caller's transaction. After a failure the buffer is thrown away with that transaction.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, Protocol, TypeAlias

from contracts.rows.schema import Dialect, Statements, Table, statements
from ledger.strict_json import json_text, json_value

Row: TypeAlias = dict[str, Any]
"""A row by column names; a JSON document is its value."""
Key: TypeAlias = tuple[Any, ...]

CACHED_ROWS: Final = 10_000
"""How many rows a node keeps in memory between two flushes."""


class Database(Protocol):
    """Where rows are kept; values are integers, texts, bytes and None."""

    dialect: Dialect

    def one(self, statement: str, values: Sequence[Any]) -> Sequence[Any] | None:
        """Return the first row of a query, or None."""
        ...

    def many(self, statement: str, rows: Sequence[Sequence[Any]]) -> None:
        """Carry out a statement once for each of ``rows``."""
        ...

    def insert(self, table: Table, rows: Sequence[Sequence[Any]]) -> None:
        """Add rows with keys that are not there yet."""
        ...


class Rows:
    """The rows of some tables: ``find`` and ``put`` by key, ``add`` what is certainly new."""

    def __init__(self, database: Database, tables: Sequence[Table], cached_rows: int = CACHED_ROWS) -> None:
        self._database, self._tables, self._cached_rows = database, tables, cached_rows
        self._sql: dict[str, Statements] = {table.name: statements(table, database.dialect) for table in tables}
        self._found: dict[str, dict[Key, Row | None]] = {table.name: {} for table in tables}
        self._changed: dict[str, dict[Key, None]] = {table.name: {} for table in tables}
        self._added: dict[str, list[tuple[Any, ...]]] = {table.name: [] for table in tables}
        self._numbers: dict[str, dict[Key, int]] = {table.name: {} for table in tables if table.unique}
        self._highest: dict[str, int] = {}
        self._last: dict[tuple[str, Key], tuple[Any, ...] | None] = {}
        self._all_here: dict[str, bool] = {}

    def holds(self, table: Table) -> bool:
        """Say whether the table is one of those that are filled here."""
        return table.name in self._sql

    def find(self, table: Table, *key: Any) -> Row | None:
        """Return the row with this key, or None; ``put`` it again after changing it."""
        found = self._found[table.name]
        if key not in found:
            values = self._read(table, self._sql[table.name].find, key)
            found[key] = None if values is None else _row(table, values)
        return found[key]

    def put(self, table: Table, row: Row) -> None:
        """Keep a row, instead of the one with the same key if there is one."""
        key = tuple([row[name] for name in table.key])
        self._found[table.name][key] = row
        self._changed[table.name][key] = None

    def remove(self, table: Table, *key: Any) -> None:
        """Remove the row with this key, if there is one."""
        self._found[table.name][key] = None
        self._changed[table.name][key] = None

    def add(self, table: Table, *values: Any) -> None:
        """Keep a row that is new, by its values in the order of the columns. It is not found by ``find`` before
        it is flushed: for tables that are only ever added to.
        """
        self._added[table.name].append(values)
        if table.series is not None:
            self._last[table.name, values[: table.series]] = values

    def last(self, table: Table, *owner: Any) -> Row | None:
        """Return the last row of a series, that with the greatest key of those that begin with ``owner``."""
        if (table.name, owner) not in self._last:
            values = self._database.one(self._sql[table.name].last, owner)
            self._last[table.name, owner] = None if values is None else tuple(values)
        known = self._last[table.name, owner]
        return None if known is None else dict(zip(table.names, known, strict=True))

    def number(self, table: Table, *name: Any) -> int | None:
        """Return the number of the row that has this name (``Table.unique``), or None."""
        known = self._numbers[table.name]
        if name not in known:
            values = self._read(table, self._sql[table.name].number, name)
            if values is None:
                return None
            known[name] = values[0]
        return known[name]

    def new_number(self, table: Table, *name: Any) -> int:
        """Return the next number of a table, which the row of this name has from now on; the caller keeps the row."""
        if table.name not in self._highest:
            values = self._database.one(self._sql[table.name].highest, ())
            self._highest[table.name] = (values[0] or 0) if values else 0
        self._highest[table.name] += 1
        number = self._numbers[table.name][name] = self._highest[table.name]
        return number

    @property
    def pending(self) -> int:
        """How many rows wait to be written."""
        return sum(map(len, self._added.values())) + sum(map(len, self._changed.values()))

    def flush(self) -> None:
        """Write what is pending."""
        for table in self._tables:
            self._flush(table)
        if sum(map(len, self._found.values())) + sum(map(len, self._numbers.values())) > self._cached_rows:
            for found in self._found.values():
                found.clear()
            for numbers in self._numbers.values():
                numbers.clear()
            self._all_here = dict.fromkeys(self._sql, False)
        self._last.clear()

    def _read(self, table: Table, statement: str, values: Sequence[Any]) -> Sequence[Any] | None:
        """Ask the database for what is not here; not if all there is came after the table was found empty."""
        if table.name not in self._all_here:
            self._all_here[table.name] = self._database.one(self._sql[table.name].any, ()) is None
        return None if self._all_here[table.name] else self._database.one(statement, values)

    def _flush(self, table: Table) -> None:
        sql, found, changed = self._sql[table.name], self._found[table.name], self._changed[table.name]
        added, self._added[table.name] = self._added[table.name], []
        kept, gone = [], []
        for key in changed:
            row = found[key]
            if row is None:
                gone.append(key)
            else:
                kept.append(tuple([row[name] for name in table.names]))
        changed.clear()
        if gone:
            self._database.many(sql.remove, gone)
        if added:
            self._database.insert(table, _written(table, added))
        if kept:
            self._database.many(sql.replace, _written(table, kept))


def _row(table: Table, values: Sequence[Any]) -> Row:
    row = dict(zip(table.names, values, strict=True))
    for place in table.documents:
        row[table.names[place]] = json_value(values[place])
    return row


def _written(table: Table, rows: list[tuple[Any, ...]]) -> Sequence[Sequence[Any]]:
    """Return rows as a database takes them: JSON documents as text."""
    if not table.documents:
        return rows
    return [
        [json_text(value) if place in table.documents else value for place, value in enumerate(row)] for row in rows
    ]
