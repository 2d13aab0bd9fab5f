"""Queries of the SQL index that have to do with no contract: functions of a read connection, for ``Index.query``."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

LONGEST_S: Final = 2.0
"""How long a question may take whose cost grows with what there is."""
_STEPS: Final = 10_000
"""The clock is looked at after this many instructions of SQLite's machine: some 100 times a second."""


class TooWide(Exception):
    """A question that would take longer than ``LONGEST_S``."""


@contextmanager
def bounded(connection: sqlite3.Connection) -> Iterator[None]:
    """Give up what a connection does inside after ``LONGEST_S`` with ``TooWide``."""
    end = time.monotonic() + LONGEST_S
    connection.set_progress_handler(lambda: time.monotonic() > end, _STEPS)
    try:
        yield
    except sqlite3.OperationalError as error:
        if time.monotonic() > end:
            raise TooWide from error
        raise
    finally:
        connection.set_progress_handler(None, 0)


def height(connection: sqlite3.Connection) -> int:
    """Return the height this snapshot of the index covers."""
    return int(connection.execute("SELECT value FROM meta WHERE key = 'height'").fetchone()[0])


def locate(connection: sqlite3.Connection, tx_id: bytes) -> tuple[int, int] | None:
    """Return (height, position) of a transaction, or None."""
    row = connection.execute("SELECT height, position FROM transactions WHERE id = ?", (tx_id,)).fetchone()
    return None if row is None else (row[0], row[1])
