"""The gateway's memory: which transaction answered which idempotency key, also across restarts.

Law: a key is bound to its signed transaction on disk before the transaction is sent anywhere, so a retry finds the
same bytes and can never become a second transaction.
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Final

from coseal.node.storage.files import StorageError, how_to_repair

KEEP_MS: Final = 24 * 3_600 * 1_000
"""How long a key is remembered after its transaction's validity ended, in ms."""


@dataclass(frozen=True, slots=True)
class Bound:
    """What a key is bound to: the digest of the request it came with, and the signed transaction."""

    request: bytes
    raw: bytes
    valid_until_ms: int


class Full(Exception):
    """The store holds as many unexpired keys as it may."""


class IdempotencyStore:
    """A small SQLite file, synced at every write; for use from threads. Times are ms since the epoch."""

    def __init__(self, path: Path | None, limit: int) -> None:
        """Open or make the file; raise ``StorageError`` if it is damaged."""
        self._limit = limit
        self._lock = threading.Lock()
        self._connection = sqlite3.connect(path or ":memory:", isolation_level=None, check_same_thread=False)
        try:
            self._prepare()
        except sqlite3.DatabaseError as error:
            self._connection.close()
            repair = how_to_repair((path or Path()).parent)
            raise StorageError(
                f"{path}, the gateway's memory of requests, is damaged ({error}): restore it, or {repair}; without it "
                "a request that is sent again may be recorded twice"
            ) from None

    def _prepare(self) -> None:
        (found,) = self._connection.execute("PRAGMA quick_check(1)").fetchone()
        if found != "ok":
            raise sqlite3.DatabaseError(found)
        self._connection.execute("PRAGMA journal_mode = WAL")
        self._connection.execute("PRAGMA synchronous = FULL")
        self._connection.execute(
            "CREATE TABLE IF NOT EXISTS keys (key BLOB PRIMARY KEY, request BLOB NOT NULL, raw BLOB NOT NULL,"
            " valid_until_ms INTEGER NOT NULL) WITHOUT ROWID"
        )
        self._connection.execute("CREATE INDEX IF NOT EXISTS keys_by_end ON keys (valid_until_ms)")

    def bind(self, key: bytes, now_ms: int, make: Callable[[], Bound]) -> Bound:
        """Return what ``key`` is bound to, binding it to ``make()`` if it is new; raise ``Full``."""
        with self._lock:
            found = self._find(key)
            if found is not None:
                return found
            self._connection.execute("DELETE FROM keys WHERE valid_until_ms < ?", (now_ms - KEEP_MS,))  # Y20
            if self._connection.execute("SELECT count(*) FROM keys").fetchone()[0] >= self._limit:
                raise Full
            return self._put(key, make())

    def rebind(self, key: bytes, old: Bound, make: Callable[[], Bound]) -> Bound:
        """Replace ``old``, whose transaction can no longer be committed, unless another retry already did."""
        with self._lock:
            found = self._find(key)
            return found if found is not None and found != old else self._put(key, make())

    def close(self) -> None:
        """Close the file."""
        self._connection.close()

    def _find(self, key: bytes) -> Bound | None:
        row = self._connection.execute("SELECT request, raw, valid_until_ms FROM keys WHERE key = ?", (key,)).fetchone()
        return None if row is None else Bound(*row)

    def _put(self, key: bytes, bound: Bound) -> Bound:
        row = (key, bound.request, bound.raw, bound.valid_until_ms)
        self._connection.execute("INSERT OR REPLACE INTO keys VALUES (?, ?, ?, ?)", row)
        return bound


def key_of(token_digest: bytes, idempotency_key: str) -> bytes:
    """Return what a request's key is stored under: 32 bytes of the token and the key together."""
    return sha256(b"coseal/idempotency/1\0" + token_digest + idempotency_key.encode()).digest()
