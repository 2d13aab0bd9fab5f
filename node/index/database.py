"""The file of a node's SQL index: opened, rebuilt where it must be, and written by rows.

Law: a file of another version or chain, or a damaged one, is rebuilt; nothing that is certified depends on it.
What the tables are is in ``contracts/rows``.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from itertools import chain
from pathlib import Path
from typing import Any, Final

from coseal.contracts.kernel.rows.schema import SQLITE, VALUES, Table, definitions, repeated, statements
from coseal.contracts.rows.tables import CORE, VERSION

_CHECKPOINT_PAGES: Final = 4_000
"""After this many pages of 4 KiB the write-ahead log is copied into the file: what changes often is copied less."""

_CACHE_KIB: Final = 4_096
"""Memory for pages, twice SQLite's own choice: pages that a transaction changes wait there for its end."""

_ROWS_A_STEP: Final = (64, 8)
_STATEMENTS: Final = 256
"""Statements that stay prepared: some tables, each with an insertion of one row, of a few and of many."""


_OF_ROWS: Final = (sqlite3.IntegrityError, sqlite3.DataError, sqlite3.InterfaceError, sqlite3.ProgrammingError)
"""What SQLite raises for a value; all else is of the file or the disk."""


class Writer:
    """A connection as ``contracts.rows`` writes through it.

    Python lets go of its lock at every step of SQLite, and a busy loop does not give it back at once: so a step takes
    many rows.
    """

    dialect = SQLITE

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._repeated: dict[tuple[str, int], str] = {}

    def one(self, statement: str, values: Sequence[Any]) -> Sequence[Any] | None:
        """See ``contracts.rows.buffer.Database``."""
        found: tuple[Any, ...] | None = self._connection.execute(statement, values).fetchone()
        return found

    def many(self, statement: str, rows: Sequence[Sequence[Any]]) -> None:
        """See ``contracts.rows.buffer.Database``."""
        at = 0
        for size in _ROWS_A_STEP if VALUES in statement else ():
            while len(rows) - at >= size:
                values = list(chain.from_iterable(rows[at : at + size]))
                self._connection.execute(self._repeat(statement, size), values)
                at += size
        self._connection.executemany(statement, rows[at:])

    def execute(self, statement: str) -> None:
        """See ``contracts.rows.contained.Undoing``."""
        self._connection.execute(statement)

    def blames_row(self, error: Exception) -> bool:
        """See ``contracts.rows.contained.Undoing``."""
        if isinstance(error, sqlite3.Error):
            return isinstance(error, _OF_ROWS)
        return not isinstance(error, (MemoryError, OSError))

    def insert(self, table: Table, rows: Sequence[Sequence[Any]]) -> None:
        """See ``contracts.rows.buffer.Database``."""
        self.many(statements(table, SQLITE).insert, rows)

    def _repeat(self, statement: str, size: int) -> str:
        known = self._repeated.get((statement, size))
        if known is None:
            known = self._repeated[statement, size] = repeated(statement, size)
        return known


def connect(path: Path) -> sqlite3.Connection:
    """Open the file for writing, in autocommit; WAL, synced at checkpoints only: it can be rebuilt."""
    connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False, cached_statements=_STATEMENTS)
    try:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = NORMAL")
        connection.execute(f"PRAGMA cache_size = -{_CACHE_KIB}")
        connection.execute(f"PRAGMA wal_autocheckpoint = {_CHECKPOINT_PAGES}")
    except sqlite3.Error:
        connection.close()
        raise
    return connection


def open_reader(path: Path) -> sqlite3.Connection:
    """Open the file for reading only; rows come as mappings."""
    connection = sqlite3.connect(f"file:{path}?mode=ro", uri=True, isolation_level=None, check_same_thread=False)
    connection.row_factory = sqlite3.Row
    return connection


def prepare(path: Path, chain_id: bytes) -> int:
    """Make ``path`` an index of ``chain_id`` and return its height; one that is not, or is damaged, is rebuilt."""
    if path.exists():
        connection = connect_or_none(path)
        if connection is not None:
            try:
                found = dict(connection.execute("SELECT key, value FROM meta").fetchall())
                if found.get("version") == VERSION and found.get("chain_id") == chain_id:
                    return int(found["height"])
            except (sqlite3.DatabaseError, KeyError):
                pass
            finally:
                connection.close()
    for name in (path.name, path.name + "-wal", path.name + "-shm"):
        path.with_name(name).unlink(missing_ok=True)
    _create(path, chain_id)
    return 0


def connect_or_none(path: Path) -> sqlite3.Connection | None:
    """Open a file that may be no database at all."""
    try:
        return connect(path)
    except sqlite3.DatabaseError:
        return None


def _create(path: Path, chain_id: bytes) -> None:
    connection = connect(path)
    rows: list[tuple[str, Any]] = [("chain_id", chain_id), ("version", VERSION), ("height", 0)]
    connection.execute("BEGIN")
    connection.execute("CREATE TABLE meta (key TEXT PRIMARY KEY, value) WITHOUT ROWID")
    for statement in definitions(CORE, (), SQLITE):
        connection.execute(statement)
    connection.executemany("INSERT INTO meta VALUES (?, ?)", rows)
    connection.execute("COMMIT")
    connection.close()


def left_out(path: Path) -> int:
    """Return how many transactions the index has without their rows."""
    connection = connect(path)
    try:
        return int(connection.execute("SELECT count(*) FROM left_out").fetchone()[0])
    finally:
        connection.close()


def set_height(connection: sqlite3.Connection, height: int) -> None:
    """Move the height marker, inside the transaction that wrote the rows."""
    connection.execute("UPDATE meta SET value = ? WHERE key = 'height'", (height,))
