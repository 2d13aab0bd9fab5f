"""An index in a PostgreSQL database, in a schema of its own, and questions to it that cannot change it.

Law: everything is in the schema ``coseal``; a question runs in a read-only transaction with a time limit, as a
cursor, which takes one query and nothing else.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Final

from coseal.contracts.kernel.rows.schema import POSTGRESQL, Table
from coseal.errors import CosealError
from coseal.ledger.genesis import Genesis
from coseal.sql.store import Answer, Store, require_version, standing_of

try:
    import psycopg
    from psycopg.conninfo import conninfo_to_dict, make_conninfo
    from psycopg.types.string import TextLoader
except ImportError:
    raise CosealError("PostgreSQL needs a driver", "pip install 'coseal[postgresql]'") from None

SCHEMA: Final = "coseal"
_CONNECT_S: Final = 15


class PostgresqlStore(Store):
    """An index in the schema ``coseal`` of a database."""

    dialect = POSTGRESQL

    def __init__(self, url: str) -> None:
        self.name = _named(url)
        self._connection = _connected(url, self.name)
        self._connection.autocommit = True

    def notes(self) -> dict[str, str] | None:
        """See ``Store``."""
        with self.transaction():
            return _notes(self._connection, self.name)

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """See ``Store``."""
        try:
            with self._connection.transaction():
                yield
        except psycopg.Error as error:
            raise _trouble(self.name, error) from None

    def execute(self, statement: str) -> None:
        """See ``Store``."""
        self._connection.execute(statement.encode())

    def blames_row(self, error: Exception) -> bool:
        """See ``Store``."""
        if isinstance(error, psycopg.Error):
            return isinstance(error, psycopg.DataError | psycopg.IntegrityError | psycopg.ProgrammingError)
        return not isinstance(error, (MemoryError, OSError))

    def one(self, statement: str, values: Sequence[Any]) -> Sequence[Any] | None:
        """See ``Store``."""
        found: tuple[Any, ...] | None = self._connection.execute(statement.encode(), _held(values)).fetchone()
        return found

    def many(self, statement: str, rows: Sequence[Sequence[Any]]) -> None:
        """See ``Store``."""
        with self._connection.cursor() as cursor:
            cursor.executemany(statement.encode(), [_held(row) for row in rows])

    def insert(self, table: Table, rows: Sequence[Sequence[Any]]) -> None:
        """See ``Store``."""
        columns = ", ".join(table.names)
        with (
            self._connection.cursor() as cursor,
            cursor.copy(f"COPY {table.name} ({columns}) FROM STDIN".encode()) as copy,
        ):
            for row in rows:
                copy.write_row(_held(row))

    def require_height(self, height: int) -> None:
        """See ``Store``; others that would write wait for this transaction to end."""
        self.execute("LOCK TABLE meta IN EXCLUSIVE MODE")
        super().require_height(height)

    def clear(self) -> None:
        """See ``Store``."""
        query = (
            "SELECT relkind = 'v', relname FROM pg_class"
            " WHERE relnamespace = %s::regnamespace AND relkind IN ('r', 'v') ORDER BY 1 DESC"  # views before tables
        )
        for is_view, name in self._connection.execute(query, (SCHEMA,)).fetchall():
            self.execute(f'DROP {"VIEW" if is_view else "TABLE"} "{name}"')

    def close(self) -> None:
        """See ``Store``."""
        self._connection.close()

    def _create(self, genesis: Genesis) -> None:
        if self.one("SELECT 1 FROM pg_namespace WHERE nspname = %s", (SCHEMA,)) is None:
            self.execute(f"CREATE SCHEMA {SCHEMA}")
        super()._create(genesis)


def ask(url: str, query: str, *, limit: int, timeout_s: float) -> Answer:
    """See ``coseal.sql.store.ask``."""
    name = _named(url)
    connection = _connected(url, name, f"-c statement_timeout={max(1, int(timeout_s * 1_000))}")
    try:
        connection.read_only = True
        connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        standing = standing_of(name, _notes(connection, name))
        if standing is None:
            raise CosealError(f"there is no index in {name}", "`coseal index sync` makes one")
        require_version(name, standing)
        with connection.cursor("question") as cursor:
            cursor.execute(query.encode())
            rows = cursor.fetchmany(limit + 1)
            columns = tuple(column.name for column in cursor.description or ())
        if not columns:
            raise CosealError("the query is empty", "a query begins with SELECT or WITH")
        return Answer(standing.height, columns, rows[:limit], len(rows) > limit)
    except psycopg.errors.QueryCanceled:
        raise CosealError(f"the query took longer than {timeout_s:g} s", "--timeout SECONDS gives it more") from None
    except psycopg.errors.InsufficientPrivilege as error:
        raise CosealError(_said(error), f"ask who owns the schema {SCHEMA} for the right to read it") from None
    except psycopg.OperationalError as error:
        raise _trouble(name, error) from None
    except (psycopg.Error, ValueError) as error:
        hint = "a query begins with SELECT or WITH; `coseal index schema` lists tables and columns"
        raise CosealError(_said(error), hint) from None
    finally:
        connection.close()


def _connected(url: str, name: str, options: str = "") -> psycopg.Connection[tuple[Any, ...]]:
    """Return a connection that looks into our schema alone; JSON stays text."""
    try:
        settings = conninfo_to_dict(url, connect_timeout=_CONNECT_S, application_name="coseal")
        settings["options"] = f"{settings.get('options') or ''} -c search_path={SCHEMA} {options}".strip()
        connection = psycopg.connect(make_conninfo("", **settings))
    except psycopg.Error as error:
        raise _trouble(name, error) from None
    connection.adapters.register_loader("json", TextLoader)
    return connection


def _notes(connection: psycopg.Connection[tuple[Any, ...]], name: str) -> dict[str, str] | None:
    query = "SELECT relname FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace WHERE nspname = %s"
    there = {row[0] for row in connection.execute(query, (SCHEMA,))}
    if not there:
        return None
    if "meta" not in there:
        raise CosealError(f"the schema {SCHEMA} of {name} holds something else", "choose another database")
    return dict(connection.execute(f"SELECT key, value FROM {SCHEMA}.meta".encode()).fetchall())


def _held(values: Sequence[Any]) -> Sequence[Any]:
    """Return values as PostgreSQL can hold them: no text of it has the character NUL, so that becomes U+FFFD."""
    if any(type(value) is str and "\x00" in value for value in values):
        return [value.replace("\x00", "\ufffd") if type(value) is str else value for value in values]
    return values


def _named(url: str) -> str:
    """Return what messages call a database: never its password."""
    try:
        settings = conninfo_to_dict(url)
    except psycopg.Error:
        raise CosealError("the database's URL is not valid", "--db postgresql://USER@HOST/NAME") from None
    return f"postgresql://{settings.get('host') or 'localhost'}/{settings.get('dbname') or ''}"


def _said(error: Exception) -> str:
    """Return the first line of what PostgreSQL says."""
    return str(error).partition("\n")[0]


def _trouble(name: str, error: psycopg.Error) -> CosealError:
    if isinstance(error, psycopg.errors.DiskFull):
        detail = f"{name}: {_said(error)}; the index is as it was before"
        return CosealError(detail, "free some space, then run it again: it continues")
    return CosealError(f"{name}: {_said(error)}", "is the server up, the URL right, and may this user do that?")
