"""What a table of the index is, and the SQL that makes, reads and writes it.

Law: a table is described once, with its columns in words; DDL, statements and the documented schema follow from that.
The SQL here is understood by SQLite (from 3.24) and by PostgreSQL.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Final


class Kind(Enum):
    """What a column holds: integers of 64 bit, text, bytes, or a JSON document."""

    INTEGER = "integer"
    TEXT = "text"
    BYTES = "bytes"
    JSON = "json"


@dataclass(frozen=True, slots=True)
class Column:
    """One column: its name, kind, what it says, and whether it may be null."""

    name: str
    kind: Kind
    says: str
    null: bool = False


def integer(name: str, says: str, *, null: bool = False) -> Column:
    """Return a column of integers."""
    return Column(name, Kind.INTEGER, says, null)


def text(name: str, says: str, *, null: bool = False) -> Column:
    """Return a column of texts."""
    return Column(name, Kind.TEXT, says, null)


def octets(name: str, says: str, *, null: bool = False) -> Column:
    """Return a column of bytes."""
    return Column(name, Kind.BYTES, says, null)


def document(says: str, name: str = "document") -> Column:
    """Return a column of JSON documents."""
    return Column(name, Kind.JSON, says)


MADE: Final = (
    integer("height", "block in which the row began"),
    integer("position", "index of the transaction in that block; -1: what fell due at its start"),
)
"""Where a row began, for rows that never change and for those whose changes are rows elsewhere."""
WRITTEN: Final = (
    integer("height", "block that wrote the row last"),
    integer("position", "index of the transaction in that block; -1: what fell due at its start"),
)
"""Where a row was written last."""


@dataclass(frozen=True, slots=True)
class Table:
    """One table.

    ``key`` are the columns of its primary key. ``unique`` are the columns by which a row of a numbered table is
    found, its key being the number. ``series`` is how many columns of the key name what the row is one of a series
    of, None if it is none. ``indexes`` are (name, columns and condition in SQL). ``detail`` tables are filled only for
    those who ask for every item and argument.
    """

    name: str
    says: str
    key: tuple[str, ...]
    columns: tuple[Column, ...]
    unique: tuple[str, ...] = ()
    series: int | None = None
    indexes: tuple[tuple[str, str], ...] = ()
    detail: bool = False
    names: tuple[str, ...] = field(init=False)
    documents: tuple[int, ...] = field(init=False)

    def __post_init__(self) -> None:
        """Work out the names of the columns, and the positions of JSON documents."""
        object.__setattr__(self, "names", tuple(column.name for column in self.columns))
        documents = tuple(place for place, column in enumerate(self.columns) if column.kind is Kind.JSON)
        object.__setattr__(self, "documents", documents)

    @property
    def structure(self) -> tuple[object, ...]:
        """What a database knows of the table: all but the words about it."""
        columns = tuple((one.name, one.kind, one.null) for one in self.columns)
        return self.name, self.key, columns, self.unique, self.series, self.indexes, self.detail


@dataclass(frozen=True, slots=True)
class View:
    """A view for people who ask: its columns as (name, what it says), and its SQL."""

    name: str
    says: str
    columns: tuple[tuple[str, str], ...]
    query: str


@dataclass(frozen=True, slots=True)
class Dialect:
    """What differs between databases: the mark of a parameter, the types of columns, and a table's last word."""

    mark: str
    types: Mapping[Kind, str]
    without_rowid: bool


SQLITE: Final = Dialect(
    "?", {Kind.INTEGER: "INTEGER", Kind.TEXT: "TEXT", Kind.BYTES: "BLOB", Kind.JSON: "TEXT"}, without_rowid=True
)
POSTGRESQL: Final = Dialect(
    "%s", {Kind.INTEGER: "bigint", Kind.TEXT: "text", Kind.BYTES: "bytea", Kind.JSON: "json"}, without_rowid=False
)


VALUES: Final = " VALUES "
"""What stands before the rows in a statement that inserts them."""


@dataclass(frozen=True, slots=True)
class Statements:
    """The SQL by which rows of one table are read and written; parameters are in the order of its columns."""

    any: str
    insert: str
    replace: str
    find: str
    remove: str
    number: str
    highest: str
    last: str


def definitions(tables: Sequence[Table], views: Sequence[View], dialect: Dialect) -> tuple[str, ...]:
    """Return the statements that create tables, their indexes, and views."""
    made = []
    for table in tables:
        made.append(_create(table, dialect))
        made += [f"CREATE INDEX {name} ON {table.name} {rest}" for name, rest in table.indexes]
    return (*made, *(f"CREATE VIEW {view.name} AS {view.query}" for view in views))


def statements(table: Table, dialect: Dialect) -> Statements:
    """Return the statements for one table."""
    name, mark = table.name, dialect.mark
    columns = ", ".join(table.names)
    values = ", ".join(mark for _ in table.names)
    found = _equal(table.key, mark)
    insert = f"INSERT INTO {name} ({columns}){VALUES}({values})"
    changed = ", ".join(f"{column} = excluded.{column}" for column in table.names if column not in table.key)
    owner = _equal(table.key[: table.series or 0], mark)
    return Statements(
        any=f"SELECT 1 FROM {name} LIMIT 1",
        insert=insert,
        replace=f"{insert} ON CONFLICT ({', '.join(table.key)}) DO UPDATE SET {changed}",
        find=f"SELECT {columns} FROM {name} WHERE {found}",
        remove=f"DELETE FROM {name} WHERE {found}",
        number=f"SELECT {table.key[0]} FROM {name} WHERE {_equal(table.unique, mark)}",
        highest=f"SELECT max({table.key[0]}) FROM {name}",
        last=f"SELECT {columns} FROM {name}{f' WHERE {owner}' if owner else ''} ORDER BY {table.key[-1]} DESC LIMIT 1",
    )


def repeated(insertion: str, count: int) -> str:
    """Return the statement for so many rows at once, of one that inserts or replaces a row."""
    head, _, rest = insertion.partition(VALUES)
    row, end, tail = rest.partition(")")
    return f"{head}{VALUES}{', '.join([row + end] * count)}{tail}"


def _create(table: Table, dialect: Dialect) -> str:
    columns = [f"{one.name} {dialect.types[one.kind]}{'' if one.null else ' NOT NULL'}" for one in table.columns]
    constraints = [f"PRIMARY KEY ({', '.join(table.key)})"]
    if table.unique:
        constraints.append(f"UNIQUE ({', '.join(table.unique)})")
    # A single integer is SQLite's own row number; any other key is better the order of the table itself.
    kinds = {column.name: column.kind for column in table.columns}
    own_number = len(table.key) == 1 and kinds[table.key[0]] is Kind.INTEGER
    ending = " WITHOUT ROWID" if dialect.without_rowid and not own_number else ""
    return f"CREATE TABLE {table.name} ({', '.join([*columns, *constraints])}){ending}"


def _equal(columns: Sequence[str], mark: str) -> str:
    return " AND ".join(f"{column} = {mark}" for column in columns)
