"""Queries of the SQL index: functions of a read connection, to be run through ``Index.query``.

Law: every page is ordered by a unique key and continues exactly after its cursor; nothing is fetched without a limit.
"""

from __future__ import annotations

import sqlite3


def locate(connection: sqlite3.Connection, tx_id: bytes) -> tuple[int, int] | None:
    """Return (height, position) of a transaction, or None."""
    row = connection.execute("SELECT height, position FROM transactions WHERE id = ?", (tx_id,)).fetchone()
    return None if row is None else (row[0], row[1])
