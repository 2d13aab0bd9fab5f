"""Rows in memory before a database: read through, written behind, all at once.

Law: what is read is what was last put, whether it is in the database yet or not; ``flush`` writes all of it and nothing
else, inside the caller's transaction. After a failure the buffer is thrown away with that transaction.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from operator import itemgetter
from typing import Any, Final, Protocol, TypeAlias

from coseal.contracts.kernel.rows.schema import Dialect, Statements, Table, definitions, statements
from coseal.ledger.strict_json import json_text, json_value

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

    def execute(self, statement: str) -> None:
        """Carry out a statement without parameters."""
        ...


class Kept:
    """The rows of one table: ``find`` and ``put`` by key, ``add`` what is certainly new."""

    __slots__ = (
        "_added",
        "_all_here",
        "_changed",
        "_database",
        "_first",
        "_found",
        "_highest",
        "_last",
        "_numbers",
        "_single",
        "_sql",
        "_table",
        "_values",
    )

    def __init__(self, database: Database, table: Table) -> None:
        self._database, self._table = database, table
        self._sql: Statements = statements(table, database.dialect)
        self._values: Callable[[Row], tuple[Any, ...]] = itemgetter(*table.names)
        self._first, self._single = table.key[0], len(table.key) == 1
        self._found: dict[Key, Row | None] = {}
        self._changed: dict[Key, None] = {}
        self._added: list[tuple[Any, ...]] = []
        self._numbers: dict[Key, int] = {}
        self._highest: int | None = None
        self._last: dict[Key, tuple[Any, ...] | None] = {}
        self._all_here: bool | None = None

    def find(self, *key: Any) -> Row | None:
        """Return the row with this key, or None; ``put`` it again after changing it."""
        found = self._found
        if key not in found:
            values = self._read(self._sql.find, key)
            found[key] = None if values is None else _row(self._table, values)
        return found[key]

    def lack(self, *key: Any) -> None:
        """Note that there is no row with this key, which need not be looked for then."""
        self._found[key] = None

    def put(self, row: Row) -> None:
        """Keep a row, instead of the one with the same key if there is one."""
        key = (row[self._first],) if self._single else tuple([row[name] for name in self._table.key])
        self._found[key] = row
        self._changed[key] = None

    def remove(self, *key: Any) -> None:
        """Remove the row with this key, if there is one."""
        self._found[key] = None
        self._changed[key] = None

    def add(self, *values: Any) -> None:
        """Keep a row that is new, by its values in the order of the columns. It is not found by ``find`` before
        it is flushed: for tables that are only ever added to.
        """
        self._added.append(values)
        if self._table.series is not None:
            self._last[values[: self._table.series]] = values

    def last(self, *owner: Any) -> Row | None:
        """Return the last row of a series, that with the greatest key of those that begin with ``owner``."""
        if owner not in self._last:
            values = self._database.one(self._sql.last, owner)
            self._last[owner] = None if values is None else tuple(values)
        known = self._last[owner]
        return None if known is None else dict(zip(self._table.names, known, strict=True))

    def number(self, *name: Any) -> int | None:
        """Return the number of the row that has this name (``Table.unique``), or None."""
        known = self._numbers.get(name)
        if known is None:
            values = self._read(self._sql.number, name)
            if values is None:
                return None
            known = self._numbers[name] = values[0]
        return known

    def new_number(self, *name: Any) -> int:
        """Return the next number of the table, which the row of this name has from now on; the caller keeps the row."""
        if self._highest is None:
            values = self._database.one(self._sql.highest, ())
            self._highest = (values[0] or 0) if values else 0
        self._highest += 1
        self._numbers[name] = self._highest
        return self._highest

    @property
    def pending(self) -> int:
        """How many rows wait to be written."""
        return len(self._added) + len(self._changed)

    @property
    def cached(self) -> int:
        """How many rows and numbers are kept to be found again."""
        return len(self._found) + len(self._numbers)

    def flush(self) -> None:
        """Write what is pending."""
        added, self._added = self._added, []
        kept, gone = [], []
        for key in self._changed:
            row = self._found[key]
            if row is None:
                gone.append(key)
            else:
                kept.append(self._values(row))
        self._changed.clear()
        self._last.clear()
        if gone:
            self._database.many(self._sql.remove, gone)
        if added:
            self._database.insert(self._table, _written(self._table, added))
        if kept:
            self._database.many(self._sql.replace, _written(self._table, kept))

    def forget(self) -> None:
        """Let go of what was kept to be found again; nothing may be pending."""
        self._found.clear()
        self._numbers.clear()
        self._all_here = False

    def _read(self, statement: str, values: Sequence[Any]) -> Sequence[Any] | None:
        """Ask the database for what is not here; not if all there is came after the table was found empty."""
        if self._all_here is None:
            self._all_here = self._database.one(self._sql.any, ()) is None
        return None if self._all_here else self._database.one(statement, values)


class Rows:
    """The rows of some tables, each ``of`` its table."""

    def __init__(self, database: Database, tables: Sequence[Table], cached_rows: int = CACHED_ROWS) -> None:
        self._database = database
        self._kept = {table.name: Kept(database, table) for table in tables}
        self._cached_rows = cached_rows

    def take(self, tables: Sequence[Table], *, create: bool) -> None:
        """Hold the rows of more tables, which are there or are to be made, inside the caller's transaction."""
        for statement in definitions(tables, (), self._database.dialect) if create else ():
            self._database.execute(statement)
        self._kept |= {table.name: Kept(self._database, table) for table in tables}

    def only(self, tables: Sequence[Table]) -> Rows:
        """Return the rows of some of the tables, as far as they are held here, for who may see no other."""
        part = Rows(self._database, (), self._cached_rows)
        part._kept = {table.name: self._kept[table.name] for table in tables if table.name in self._kept}
        return part

    def each(self, table: Table) -> Iterator[Row]:
        """Yield what the database has of a small table, in the order of its key."""
        order, number = ", ".join(table.key), 0
        query = f"SELECT {', '.join(table.names)} FROM {table.name} ORDER BY {order} LIMIT 1 OFFSET "
        while (values := self._database.one(f"{query}{number}", ())) is not None:
            yield _row(table, values)
            number += 1

    def ask(self, query: str, values: Sequence[Any]) -> Sequence[Any] | None:
        """Return the first row of a query, ``?`` for each value, over all that was put; for what is seldom asked."""
        self.flush()
        return self._database.one(query.replace("?", self._database.dialect.mark), values)

    def holds(self, table: Table) -> bool:
        """Say whether the table is one of those that are filled here."""
        return table.name in self._kept

    def of(self, table: Table) -> Kept:
        """Return the rows of one table."""
        return self._kept[table.name]

    @property
    def pending(self) -> int:
        """How many rows wait to be written."""
        return sum([kept.pending for kept in self._kept.values()])

    def flush(self) -> None:
        """Write what is pending."""
        tables = self._kept.values()
        for kept in tables:
            kept.flush()
        if sum([kept.cached for kept in tables]) > self._cached_rows:
            for kept in tables:
                kept.forget()


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
