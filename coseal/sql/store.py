"""Where an index is kept: what SQLite and PostgreSQL have in common.

Law: rows and the note of how far they go change in one transaction, so an index is whole at some height or not at all.
What is not such an index is never changed.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from coseal.contracts.kernel.rows.schema import Dialect, Table, definitions
from coseal.contracts.rows.tables import TABLES, VERSION, VIEWS
from coseal.errors import BadAnswer, CosealError
from coseal.ledger.genesis import Genesis

_MARK: Final = ("coseal", "index")


@dataclass(frozen=True, slots=True)
class Standing:
    """How far an index goes: chain, version of its schema, height, hash and time (ms) of that block, and up to which
    height every outcome was computed again.
    """

    chain_id: bytes
    version: int
    height: int
    hash: bytes
    time_ms: int
    replayed: int


@dataclass(frozen=True, slots=True)
class Answer:
    """The rows of a query, the height of the index it was asked at, and whether there would have been more."""

    height: int
    columns: tuple[str, ...]
    rows: list[tuple[Any, ...]]
    more: bool


class Store(ABC):
    """An index in a database, for one writer. ``name`` is what messages call it, without a password."""

    name: str
    dialect: Dialect

    @abstractmethod
    def notes(self) -> dict[str, str] | None:
        """Return what the index notes about itself, None if there is nothing at all yet.

        Raises ``CosealError`` if something else is there.
        """

    @abstractmethod
    def transaction(self) -> AbstractContextManager[None]:
        """Return a context in which everything happens or nothing."""

    @abstractmethod
    def execute(self, statement: str) -> None:
        """Carry out a statement without parameters."""

    @abstractmethod
    def blames_row(self, error: Exception) -> bool:
        """See ``contracts.rows.contained.Undoing``."""

    @abstractmethod
    def one(self, statement: str, values: Sequence[Any]) -> Sequence[Any] | None:
        """See ``contracts.rows.buffer.Database``."""

    @abstractmethod
    def many(self, statement: str, rows: Sequence[Sequence[Any]]) -> None:
        """See ``contracts.rows.buffer.Database``."""

    @abstractmethod
    def insert(self, table: Table, rows: Sequence[Sequence[Any]]) -> None:
        """See ``contracts.rows.buffer.Database``."""

    @abstractmethod
    def clear(self) -> None:
        """Remove every table and view of an index, inside a transaction."""

    @abstractmethod
    def close(self) -> None:
        """Let go of the database."""

    def standing(self) -> Standing | None:
        """Return how far the index goes, None if there is none yet; raise ``CosealError`` for anything else."""
        return standing_of(self.name, self.notes())

    def prepare(self, genesis: Genesis) -> Standing:
        """Return how far the index of this chain goes, made if there is none.

        Raises ``BadAnswer`` for one of another chain, ``CosealError`` for one of another version.
        """
        found = self.standing()
        if found is None:
            with self.transaction():
                self._create(genesis)
            found = self.standing()
            if found is None:
                raise CosealError(f"{self.name} was removed meanwhile", "run it again")
        if found.chain_id != genesis.chain_id:
            detail = f"{self.name} is of chain {found.chain_id.hex()}, and the genesis is of {genesis.chain_id.hex()}"
            raise BadAnswer(detail, "choose another --db, or the genesis of that chain")
        require_version(self.name, found)
        return found

    def empty(self, genesis: Genesis) -> None:
        """Make an empty index for this chain: all at once. What is not such an index is refused."""
        notes = self.notes()
        if notes is not None:
            _require_ours(self.name, notes)
        with self.transaction():
            if notes is not None:
                self.clear()
            self._create(genesis)

    def note(self, notes: Mapping[str, str]) -> None:
        """Change what the index notes about itself, inside a transaction."""
        mark = self.dialect.mark
        self.many(f"UPDATE meta SET value = {mark} WHERE key = {mark}", [(text, key) for key, text in notes.items()])

    def require_height(self, height: int) -> None:
        """Raise ``CosealError`` unless the index still ends at ``height``: somebody else may be writing it as well."""
        row = self.one("SELECT value FROM meta WHERE key = 'height'", ())
        if row is None or row[0] != str(height):
            raise CosealError(f"{self.name} is being written by another process", "wait until that is done")

    def _create(self, genesis: Genesis) -> None:
        self.execute("CREATE TABLE meta (key text PRIMARY KEY, value text NOT NULL)")
        for statement in definitions(TABLES, VIEWS, self.dialect):
            self.execute(statement)
        notes = {"chain_id": genesis.chain_id.hex(), "version": str(VERSION), "height": "0", "replayed": "0"}
        notes |= {"hash": genesis.chain_id.hex(), "time_ms": str(genesis.time_ms), _MARK[0]: _MARK[1]}
        mark = self.dialect.mark
        self.many(f"INSERT INTO meta (key, value) VALUES ({mark}, {mark})", list(notes.items()))


def standing_of(name: str, notes: Mapping[str, str] | None) -> Standing | None:
    """Return how far an index goes by its notes; raise ``CosealError`` for what is not such an index."""
    if notes is None:
        return None
    _require_ours(name, notes)
    try:
        return Standing(
            bytes.fromhex(notes["chain_id"]),
            int(notes["version"]),
            int(notes["height"]),
            bytes.fromhex(notes["hash"]),
            int(notes["time_ms"]),
            int(notes["replayed"]),
        )
    except (KeyError, ValueError):
        raise CosealError(f"{name} does not say how far it goes", "`coseal index rebuild`") from None


def _require_ours(name: str, notes: Mapping[str, str]) -> None:
    if notes.get(_MARK[0]) != _MARK[1]:
        raise CosealError(f"{name} is not a user's index, but perhaps a node's own", "choose another --db")


def require_version(name: str, standing: Standing) -> None:
    """Raise ``CosealError`` for an index of another version of the schema than this software's."""
    if standing.version != VERSION:
        detail = f"{name} has version {standing.version} of the schema, and this software has version {VERSION}"
        raise CosealError(detail, "rebuild it from the blocks: `coseal index rebuild`")


def open_store(place: str, *, create: bool = True) -> Store:
    """Open the database that ``place`` names for writing; ``create`` False: it has to be there.

    ``sqlite:///FILE`` or a path is SQLite, ``postgresql://...`` PostgreSQL. Raises ``CosealError``.
    """
    if is_postgresql(place):
        from coseal.sql.postgresql import PostgresqlStore

        return PostgresqlStore(place)
    from coseal.sql.sqlite import SqliteStore

    return SqliteStore(sqlite_path(place), create=create)


def ask(place: str, query: str, *, limit: int, timeout_s: float) -> Answer:
    """Run one query on an index, which cannot change it, for at most ``timeout_s``; return at most ``limit`` rows.

    Raises ``CosealError`` for what is no query, takes too long, or has no index to be asked of.
    """
    if is_postgresql(place):
        from coseal.sql import postgresql

        return postgresql.ask(place, query, limit=limit, timeout_s=timeout_s)
    from coseal.sql import sqlite

    return sqlite.ask(sqlite_path(place), query, limit=limit, timeout_s=timeout_s)


def is_postgresql(place: str) -> bool:
    """Say whether a database's name is PostgreSQL's."""
    return place.startswith(("postgresql://", "postgres://"))


def sqlite_path(place: str) -> Path:
    """Return the file that ``sqlite:///FILE`` or a plain path names; raise ``CosealError`` for another database."""
    prefix = "sqlite:///"
    if "://" in place and not place.startswith(prefix):
        raise CosealError(f"{place.partition('://')[0]}: no such kind of database", _HINT)
    path = place.removeprefix(prefix)
    if not path:
        raise CosealError("the database has no name", _HINT)
    return Path(path)


_HINT: Final = "--db sqlite:///FILE, or --db postgresql://USER@HOST/NAME"
