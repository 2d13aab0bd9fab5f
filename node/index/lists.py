"""Lists of the SQL index, by what contracts say of them: functions of a read connection, for ``Index.query``.

Law: every page is ordered by a unique key and continues exactly after its cursor; nothing is fetched without a limit;
what a user wrote is only ever a bound parameter.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from coseal.contracts.kernel.lists import List, Order
from coseal.node.index.queries import height
from coseal.node.index.rows import shown

MAX_ROWS: Final = 10_000
"""How many entries there are at most in a list that is given whole."""


@dataclass(frozen=True, slots=True)
class Page:
    """The items of one page, in key order; ``next`` is the key after which to go on, None at the end."""

    items: list[dict[str, Any]]
    next: str | None


def page(
    connection: sqlite3.Connection,
    listed: List,
    filters: Mapping[str, str],
    after: tuple[str | int, ...] = (),
    limit: int = MAX_ROWS,
    order: Order | None = None,
) -> tuple[int, Page]:
    """Return (height, a page of a list's entries that pass all ``filters``, after the place ``after`` of the order)."""
    order = order or listed.order()
    found = connection.execute(
        listed.select(filters, order, after=bool(after)),
        {**filters, **{f"after_{number}": value for number, value in enumerate(after)}, "limit": limit + 1},
    ).fetchall()
    items = shown(found[:limit], lambda row: _entry(listed, row))
    return height(connection), Page(items, order.key(found[limit - 1]) if len(found) > limit else None)


def one(connection: sqlite3.Connection, listed: List, identifier: str) -> tuple[int, dict[str, Any] | None]:
    """Return (height, the entry of an id, None if there is none)."""
    row = connection.execute(
        f"SELECT {listed.selected} FROM {listed.table.name} WHERE id = ?", (identifier,)
    ).fetchone()
    return height(connection), None if row is None else _entry(listed, row)


def where(listed: List, filters: Mapping[str, str], *more: str) -> str:
    """Return the condition of a list's rows that pass all ``filters``, whose values are parameters of their names."""
    return " AND ".join([*more, *listed.conditions(filters)]) or "TRUE"


def _entry(listed: List, row: sqlite3.Row) -> dict[str, Any]:
    return listed.entry(listed.row(dict(row)))
