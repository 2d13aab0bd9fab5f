"""The tables of the SQL index, and how one committed block becomes rows.

Law: a row is made of a block's transactions and receipts alone and carries the (height, position) it came from;
times are integer ms, ids that are hashes are blobs. Raise ``VERSION`` with any change here: old files are rebuilt.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from ledger.block import CommittedBlock, Receipt
from ledger.transaction import Transaction

VERSION: Final = 1

_TABLES: Final = """
CREATE TABLE meta (key TEXT PRIMARY KEY, value) WITHOUT ROWID;
CREATE TABLE blocks (
    height INTEGER PRIMARY KEY, hash BLOB NOT NULL, time_ms INTEGER NOT NULL, proposer TEXT NOT NULL,
    round INTEGER NOT NULL, transactions INTEGER NOT NULL
);
CREATE TABLE transactions (
    id BLOB PRIMARY KEY, height INTEGER NOT NULL, position INTEGER NOT NULL, sender TEXT NOT NULL,
    contract TEXT NOT NULL, action TEXT NOT NULL, code TEXT NOT NULL
) WITHOUT ROWID;
CREATE INDEX transactions_by_place ON transactions (height, position);
"""


def connect(path: Path) -> sqlite3.Connection:
    """Open the file for writing, in autocommit; WAL, synced at checkpoints only: it can be rebuilt."""
    connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = NORMAL")
    return connection


def open_reader(path: Path) -> sqlite3.Connection:
    """Open the file for reading only; rows come as mappings."""
    connection = sqlite3.connect(f"file:{path}?mode=ro", uri=True, isolation_level=None, check_same_thread=False)
    connection.row_factory = sqlite3.Row
    return connection


def open_writer(path: Path, chain_id: bytes) -> sqlite3.Connection:
    """Open the index of ``chain_id`` at ``path``; a missing, damaged, older or foreign one is made anew, empty."""
    if path.exists():
        try:
            connection = connect(path)
            found = dict(connection.execute("SELECT key, value FROM meta").fetchall())
            if found.get("version") == VERSION and found.get("chain_id") == chain_id:
                return connection
            connection.close()
        except sqlite3.DatabaseError:
            connection.close()
    for name in (path.name, path.name + "-wal", path.name + "-shm"):
        path.with_name(name).unlink(missing_ok=True)
    connection = connect(path)
    connection.executescript(f"BEGIN; {_TABLES} COMMIT;")
    rows: list[tuple[str, Any]] = [("chain_id", chain_id), ("version", VERSION), ("height", 0)]
    with connection:
        connection.executemany("INSERT INTO meta VALUES (?, ?)", rows)
    return connection


def height_of(connection: sqlite3.Connection) -> int:
    """Return the height marker."""
    return int(connection.execute("SELECT value FROM meta WHERE key = 'height'").fetchone()[0])


def set_height(connection: sqlite3.Connection, height: int) -> None:
    """Move the height marker, inside the transaction that wrote the rows."""
    connection.execute("UPDATE meta SET value = ? WHERE key = 'height'", (height,))


def write_block(
    connection: sqlite3.Connection, committed: CommittedBlock, transactions: Sequence[Transaction] = ()
) -> int:
    """Insert the rows of one block; return about how many they were. ``transactions``: its own, if parsed already."""
    header = committed.block.header
    height = header.height
    connection.execute(
        "INSERT INTO blocks VALUES (?, ?, ?, ?, ?, ?)",
        (height, header.hash, header.time_ms, header.proposer, committed.certificate.round, header.tx_count),
    )
    rows = []
    for position, transaction in enumerate(transactions or map(Transaction.decode, committed.block.transactions)):
        receipt = Receipt.decode(committed.receipts[position + 1])
        names = (transaction.sender, transaction.contract, transaction.action)
        rows.append((transaction.id, height, position, *names, receipt.code))
    connection.executemany("INSERT INTO transactions VALUES (?, ?, ?, ?, ?, ?, ?)", rows)
    return 1 + len(rows)
