"""Queries of the SQL index that have to do with no contract: functions of a read connection, for ``Index.query``."""

from __future__ import annotations

import sqlite3


def height(connection: sqlite3.Connection) -> int:
    """Return the height this snapshot of the index covers."""
    return int(connection.execute("SELECT value FROM meta WHERE key = 'height'").fetchone()[0])


def locate(connection: sqlite3.Connection, tx_id: bytes) -> tuple[int, int] | None:
    """Return (height, position) of a transaction, or None."""
    row = connection.execute("SELECT height, position FROM transactions WHERE id = ?", (tx_id,)).fetchone()
    return None if row is None else (row[0], row[1])
