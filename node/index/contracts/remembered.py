"""Answers about processes as wholes that are kept until more is recorded of their process type.

Law: an answer that is kept is the one that would be computed. These questions depend on the items of their process type
alone, and sources only ever record more items, so as long as their number is the same, so is the answer.
"""

from __future__ import annotations

import sqlite3
from collections import OrderedDict
from collections.abc import Callable, Hashable, Mapping
from threading import Lock
from typing import Any, Final

from coseal.node.index.queries import height

ANSWERS: Final = 64
"""How many are kept, those that were asked for last."""


class Remembered:
    """The answers that are kept; readers in several threads share them."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._kept: OrderedDict[Hashable, tuple[int, tuple[Any, ...]]] = OrderedDict()

    def ask(
        self,
        connection: sqlite3.Connection,
        question: Callable[..., tuple[Any, ...]],
        process_type: str,
        *asked: Any,
        **more: Any,
    ) -> tuple[Any, ...]:
        """Return what ``question(connection, process_type, ...)`` returns, a tuple that begins with the height."""
        key = (question, process_type, *map(_fixed, asked), *sorted(more.items()))
        sql = "SELECT coalesce(sum(items), 0) FROM sources WHERE process_type = ?"
        (items,) = connection.execute(sql, (process_type,)).fetchone()
        with self._lock:
            kept = self._kept.get(key)
            if kept is not None and kept[0] == items:
                self._kept.move_to_end(key)
                return height(connection), *kept[1]
        found = question(connection, process_type, *asked, **more)
        with self._lock:
            self._kept[key] = (items, found[1:])
            self._kept.move_to_end(key)
            while len(self._kept) > ANSWERS:
                self._kept.popitem(last=False)
        return found


def _fixed(value: Any) -> Hashable:
    """Return an argument as one that a key can have."""
    if isinstance(value, Mapping):
        return tuple(sorted(value.items()))
    return tuple(value) if isinstance(value, list) else value
