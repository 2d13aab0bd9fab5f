"""What a list of a contract is: its rows, filters, orders and entries, described once.

Law: a node's route and SQL, the command line's list and the console's default pages follow from this description; what
a user writes is only ever the value of a bound parameter.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, TypeAlias

from coseal.contracts.kernel.rows.place import BEGIN
from coseal.contracts.kernel.rows.schema import Kind, Table
from coseal.ledger.strict_json import json_value

Words: TypeAlias = Mapping[str, str]
"""A text by language (``wording.in_language``)."""
Row: TypeAlias = Mapping[str, Any]
"""A row by column, its JSON documents decoded."""

_DIGITS_MAX: Final = 18
_DIGITS: Final = frozenset("0123456789")
_DOCUMENT: Final = "document"


def columns_of(row: Row) -> dict[str, Any]:
    """Return a row's columns; its place is named as everywhere else, and null for what fell due at a block's start."""
    named = {("index" if name == "position" else name): value for name, value in row.items() if name != _DOCUMENT}
    if named.get("index") == BEGIN:
        named["index"] = None
    return named


def entry_of(row: Row) -> dict[str, Any]:
    """Return a row's document, and over it the columns, which say how things stand by now."""
    return {**row.get(_DOCUMENT, {}), **columns_of(row)}


@dataclass(frozen=True, slots=True)
class Filter:
    """A parameter that narrows a list.

    ``condition`` is SQL with the value as ``:name``; by default the column of that name equals it. The value is one of
    ``values`` if there are some, else a text of at most ``high`` characters that matches ``pattern`` if there is one.
    ``title`` is for people, where the list shows no column of that name.
    """

    name: str
    says: str = ""
    condition: str = ""
    values: tuple[str, ...] = ()
    pattern: str = ""
    high: int = 256
    title: Words = field(default_factory=dict)

    @property
    def sql(self) -> str:
        """The condition."""
        return self.condition or f"{self.name} = :{self.name}"


@dataclass(frozen=True, slots=True)
class Order:
    """How a list is ordered: by columns that together tell rows apart.

    A page ends with the key of its last row, the values of these columns with ``separator`` between them.
    """

    name: str
    by: tuple[str, ...]
    descending: bool = False
    separator: str = "\n"  # stands in no id

    def key(self, row: Row) -> str:
        """Return the key of a row."""
        return self.separator.join(str(row[column]) for column in self.by)


@dataclass(frozen=True, slots=True)
class List:
    """A list that a node answers.

    ``name`` tells lists apart, ``path`` is its route, ``part`` the part of the interface that it belongs to and
    ``says`` what it is, in the documentation. ``title`` and ``columns`` are for people: the fields of an entry that a
    table shows, with their headings; one that ends in ``_ms`` is a moment. ``entry`` makes the entry of a row. ``key``
    returns the state key of an entry, where the state has it, given its fields ``named_by`` (numbers perhaps as texts;
    ``ValueError`` for what is none). ``entries`` is their name in an answer. ``where`` narrows the table, ``computed``
    are columns that it lacks, as SQL. A list that is not ``paged`` is given whole;
    one that is for ``members`` is never public, whatever the chain lets everybody read.
    """

    name: str
    path: str
    part: str
    table: Table
    says: str
    title: Words
    columns: Mapping[str, Words]
    filters: tuple[Filter, ...] = ()
    orders: tuple[Order, ...] = ()
    orders_say: str = "Which come first."
    entry: Callable[[Row], dict[str, Any]] = entry_of
    key: Callable[..., str] | None = None
    named_by: tuple[str, ...] = ("id",)
    entries: str = ""
    where: str = ""
    computed: Mapping[str, str] = field(default_factory=dict)
    paged: bool = True
    members: bool = False

    def __post_init__(self) -> None:
        """Fill in what follows from the rest: the order by the table's key, the name of the entries."""
        object.__setattr__(self, "orders", self.orders or (Order("", self.table.key),))
        object.__setattr__(self, "entries", self.entries or self.name)

    def state_key(self, entry: Mapping[str, Any]) -> str | None:
        """Return the state key of an entry, None for a list of what the state has not."""
        return None if self.key is None else self.key(*(entry[name] for name in self.named_by))

    def heading(self, name: str) -> str | Words:
        """Return what people call a column or filter, its name itself where nothing better is known."""
        titles = {one.name: one.title for one in self.filters if one.title}
        return self.columns.get(name) or titles.get(name) or name

    def order(self, name: str = "") -> Order:
        """Return the order of a name, the first one by default; raise ``KeyError``."""
        return {order.name: order for order in self.orders}[name] if name else self.orders[0]

    def conditions(self, given: Mapping[str, str]) -> list[str]:
        """Return the SQL of the filters that are given, and of ``where``; raise ``KeyError`` for an unknown one."""
        known = {one.name: one.sql for one in self.filters}
        return [*([self.where] if self.where else []), *(known[name] for name in given)]

    @property
    def selected(self) -> str:
        """The SQL of the columns: those of the table, and those that it lacks."""
        return ", ".join(["*", *(f"{sql} AS {name}" for name, sql in self.computed.items())])

    def select(self, given: Mapping[str, str], order: Order, *, after: bool) -> str:
        """Return the SQL of a page: the filters are parameters of their names, ``after_0``, ... the place after which
        it begins, ``limit`` how many rows it has.
        """
        marks = ", ".join(f":after_{number}" for number in range(len(order.by)))
        beyond = [f"({', '.join(order.by)}) {'<' if order.descending else '>'} ({marks})"] if after else []
        where = " AND ".join([*beyond, *self.conditions(given)]) or "TRUE"
        direction = " DESC" if order.descending else ""
        by = ", ".join(column + direction for column in order.by)
        return f"SELECT {self.selected} FROM {self.table.name} WHERE {where} ORDER BY {by} LIMIT :limit"

    def row(self, values: Mapping[str, Any]) -> Row:
        """Return a row as the database has it, its documents decoded."""
        documents = {self.table.names[place] for place in self.table.documents}
        return {name: json_value(value) if name in documents else value for name, value in values.items()}

    def place(self, order: Order, key: str) -> tuple[str | int, ...] | None:
        """Return the values of a key (``Order.key``), empty for an empty one, None for what is no key of the order."""
        if not key:
            return ()
        texts = key.split(order.separator, len(order.by) - 1)
        if len(texts) != len(order.by):
            return None
        kinds = {column.name: column.kind for column in self.table.columns}
        values: list[str | int] = []
        for column, text in zip(order.by, texts, strict=True):
            number = kinds[column] is Kind.INTEGER
            if number and not (0 < len(text) <= _DIGITS_MAX and _DIGITS.issuperset(text)):
                return None
            values.append(int(text) if number else text)
        return tuple(values)
