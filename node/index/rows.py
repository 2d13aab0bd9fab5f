"""Rows of the index as JSON, each by itself: a row that cannot be shown says so, and the list goes on.

Law: a list has an entry for every row that the query found, in its order; a fault in one is in the log and in its
entry.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable
from typing import Any, Final, TypeVar

import structlog

from coseal.contracts.kernel.lists import columns_of
from coseal.contracts.rows.blocks import reason_of

_log = structlog.get_logger("node.index")
_Row = TypeVar("_Row")

CANNOT: Final = "cannot_be_shown"
"""The field of an entry that stands for a row which could not be shown: the fault in words."""
_NAMES: Final[tuple[str, ...]] = ("id", "name", "number", "version", "object", "height", "position")


def shown(rows: Iterable[_Row], render: Callable[[_Row], dict[str, Any]]) -> list[dict[str, Any]]:
    """Return each row as ``render`` makes it."""
    return [_shown(row, render) for row in rows]


def columns(row: sqlite3.Row) -> dict[str, Any]:
    """Return a row's columns, as ``columns_of``."""
    return columns_of(dict(row))


def _shown(row: _Row, render: Callable[[_Row], dict[str, Any]]) -> dict[str, Any]:
    try:
        return render(row)
    except Exception as error:  # of ours, whatever it is: the others are shown
        names = _names(row)
        _log.error("row_not_shown", row=str(names), exc_info=error)
        return {**names, CANNOT: reason_of(error)}  # Y5


def _names(row: Any) -> dict[str, Any]:
    """Return what tells the row apart, as far as it has that."""
    if not isinstance(row, sqlite3.Row):
        return {}
    held = set(row.keys())
    named: dict[str, Any] = {name: row[name] for name in _NAMES if name in held and isinstance(row[name], str | int)}
    if "position" in named:
        named["index"] = named.pop("position")
    return named
