"""An index in an SQLite file, and questions to it that cannot change it.

Law: a question opens the file for reading only, may only select, and ends in time whatever it asks.
"""

from __future__ import annotations

import os
import sqlite3
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

from coseal.contracts.kernel.rows.schema import SQLITE, Table, statements
from coseal.errors import CosealError
from coseal.sql.store import Answer, Store, require_version, standing_of

_WAIT_S: Final = 30.0
_VALUE_BYTES: Final = 64 * 1024 * 1024
_STEPS: Final = 20_000
_READING: Final = frozenset(
    (sqlite3.SQLITE_SELECT, sqlite3.SQLITE_READ, sqlite3.SQLITE_FUNCTION, sqlite3.SQLITE_RECURSIVE)
)


_OF_ROWS: Final = (sqlite3.IntegrityError, sqlite3.DataError, sqlite3.InterfaceError, sqlite3.ProgrammingError)
"""What SQLite raises for a value; all else is of the file or the disk."""


class SqliteStore(Store):
    """An index in a file."""

    dialect = SQLITE

    def __init__(self, path: Path, *, create: bool = True) -> None:
        self.name = str(path)
        if not create and not path.exists():
            raise CosealError(f"there is no index {path}", "`coseal index sync` makes one; --db says where")
        try:
            self._connection = sqlite3.connect(path, timeout=_WAIT_S, isolation_level=None)
        except sqlite3.Error as error:
            raise _trouble(self.name, error) from None

    def notes(self) -> dict[str, str] | None:
        """See ``Store``."""
        with _told(self.name):
            return _notes(self._connection, self.name)

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """See ``Store``."""
        with _told(self.name):
            # Only now: what is not such an index is refused before its first transaction, and must stay as it is.
            self._connection.execute("PRAGMA journal_mode = WAL")
            self._connection.execute("PRAGMA synchronous = NORMAL")
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield
                self._connection.execute("COMMIT")
            except BaseException:
                if self._connection.in_transaction:  # SQLite itself rolls back when the disk is full
                    self._connection.execute("ROLLBACK")
                raise

    def execute(self, statement: str) -> None:
        """See ``Store``."""
        self._connection.execute(statement)

    def blames_row(self, error: Exception) -> bool:
        """See ``Store``."""
        if isinstance(error, sqlite3.Error):
            return isinstance(error, _OF_ROWS)
        return not isinstance(error, (MemoryError, OSError))

    def one(self, statement: str, values: Sequence[Any]) -> Sequence[Any] | None:
        """See ``Store``."""
        found: tuple[Any, ...] | None = self._connection.execute(statement, values).fetchone()
        return found

    def many(self, statement: str, rows: Sequence[Sequence[Any]]) -> None:
        """See ``Store``."""
        self._connection.executemany(statement, rows)

    def mappings(self, query: str, values: Mapping[str, Any]) -> list[dict[str, Any]]:
        """Return the rows of a query with named parameters, by column."""
        cursor = self._connection.execute(query, values)
        names = [column[0] for column in cursor.description]
        return [dict(zip(names, row, strict=True)) for row in cursor]

    def insert(self, table: Table, rows: Sequence[Sequence[Any]]) -> None:
        """See ``Store``."""
        self._connection.executemany(statements(table, SQLITE).insert, rows)

    def clear(self) -> None:
        """See ``Store``."""
        found = self._connection.execute(
            "SELECT type, name FROM sqlite_master WHERE type IN ('table', 'view') AND name NOT LIKE 'sqlite%'"
        ).fetchall()
        for kind, name in sorted(found, reverse=True):  # views before tables
            self._connection.execute(f'DROP {kind} "{name}"')

    def close(self) -> None:
        """See ``Store``."""
        self._connection.close()


def ask(path: Path, query: str, *, limit: int, timeout_s: float) -> Answer:
    """See ``coseal.sql.store.ask``."""
    if not path.exists():
        raise CosealError(f"there is no index {path}", "`coseal index sync` makes one; --db says where")
    deadline = time.monotonic() + timeout_s
    with (
        _told(str(path)),
        closing(sqlite3.connect(_address(path), uri=True, timeout=_WAIT_S, isolation_level=None)) as connection,
    ):
        connection.execute("PRAGMA query_only = ON")
        connection.execute("BEGIN")
        standing = standing_of(str(path), _notes(connection, str(path)))
        if standing is None:
            raise CosealError(f"there is no index in {path}", "`coseal index sync` makes one")
        require_version(str(path), standing)
        connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, _VALUE_BYTES)
        connection.set_authorizer(_may)
        connection.set_progress_handler(lambda: time.monotonic() > deadline, _STEPS)
        try:
            cursor = connection.execute(query)
            rows = cursor.fetchmany(limit + 1)
        except (sqlite3.Error, sqlite3.Warning, ValueError) as error:
            raise _refusal(error, timeout_s) from None
        if cursor.description is None:
            raise CosealError("the query is empty", "a query begins with SELECT or WITH")
        columns = tuple(str(column[0]) for column in cursor.description)
        return Answer(standing.height, columns, rows[:limit], len(rows) > limit)


def _address(path: Path) -> str:
    """Return how to open a file for reading only.

    Beside a file in use SQLite keeps two more, also for a reader. Where they cannot be made and are not there, nobody
    writes: a copy on a medium that is read only. It says so to SQLite, which then needs none.
    """
    still = not os.access(path.parent, os.W_OK) and not path.with_name(f"{path.name}-wal").exists()
    return f"file:{quote(str(path))}?mode=ro{'&immutable=1' if still else ''}"


def _notes(connection: sqlite3.Connection, name: str) -> dict[str, str] | None:
    tables = {row[0] for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    if not tables:
        return None
    if "meta" not in tables:
        raise CosealError(f"{name} is a database of something else", "choose another --db")
    try:
        found = connection.execute("SELECT key, value FROM meta").fetchall()
    except sqlite3.OperationalError:
        raise CosealError(f"{name} is a database of something else", "choose another --db") from None
    return {str(key): str(value) for key, value in found}


def _may(action: int, first: str | None, second: str | None, *place: str | None) -> int:
    """Allow reading tables and calling functions, but for the one that loads code."""
    allowed = action in _READING and (action != sqlite3.SQLITE_FUNCTION or second != "load_extension")
    return sqlite3.SQLITE_OK if allowed else sqlite3.SQLITE_DENY


@contextmanager
def _told(name: str) -> Iterator[None]:
    """Tell SQLite's errors as ours."""
    try:
        yield
    except sqlite3.Error as error:
        raise _trouble(name, error) from None


def _trouble(name: str, error: sqlite3.Error) -> CosealError:
    text = str(error)
    if "full" in text or "disk I/O" in text:
        return CosealError(
            f"{name}: {text}; it is as it was before", "free some space, then run it again: it continues"
        )
    if "locked" in text:
        return CosealError(f"{name} is in use", "wait until the other command is done")
    if "not a database" in text or "malformed" in text:
        return CosealError(
            f"{name}: {text}",
            "choose another --db, or delete an index that is damaged: `coseal index sync` makes a new one",
        )
    return CosealError(f"{name}: {text}", "is the path right, and may you write there?")


def _refusal(error: Exception, timeout_s: float) -> CosealError:
    text = str(error)
    if text == "interrupted":
        return CosealError(f"the query took longer than {timeout_s:g} s", "--timeout SECONDS gives it more")
    if "not authorized" in text or "prohibited" in text:
        return CosealError(f"an index is only read: {text}", "a query begins with SELECT or WITH")
    return CosealError(text, "`coseal index schema` lists tables and columns")
