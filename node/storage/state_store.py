"""The committed state on disk: an LMDB database that is a cache of the block log.

Law: each block is applied in one transaction together with its height and hash, so the database is always the
state after exactly one block. It is never synced while the node runs: it may lose the last blocks, which are then
replayed, and after a crash of the machine, which may have torn it, it is thrown away and rebuilt.

The file ``owner`` beside the database says under which boot of the machine it is open (``open BOOT-ID``) or that it
was closed and synced (``clean``); a database that was open under another boot is not even opened.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Any, Final

import lmdb

from coseal.ledger import codec
from coseal.ledger.errors import Malformed
from coseal.ledger.state import bucket_index
from coseal.node.storage.files import StorageError, disk_errors, replace_file

MAP_BYTES: Final = 64 * 1024 * 1024 * 1024
"""Address space for the database; the file grows only with its content."""
_BEYOND: Final = b"\xff" * 33  # after every key
_MARKER: Final = b"tip"
_VERSION: Final = 1
_BOOT_ID: Final = Path("/proc/sys/kernel/random/boot_id")


@dataclass(frozen=True, slots=True)
class Marker:
    """Which block the state is the state after; height 0 is the genesis state, whose hash is the chain id."""

    chain_id: bytes
    bits: int
    height: int
    block_hash: bytes

    def encode(self) -> bytes:
        """Return the canonical bytes."""
        return codec.encode(["state", _VERSION, self.chain_id, self.bits, self.height, self.block_hash])

    @staticmethod
    def decode(data: bytes) -> Marker:
        """Parse a marker; raise ``Malformed``."""
        chain_id, bits, height, block_hash = codec.decode_record(data, "state", _VERSION, 4)
        return Marker(
            codec.octets(chain_id, "chain id", size=32),
            codec.integer(bits, "bits", high=32),
            codec.integer(height, "height"),
            codec.octets(block_hash, "block hash", size=32),
        )


def boot_id() -> str:
    """Return the name the kernel gives to this run of the machine."""
    try:
        return _BOOT_ID.read_text().strip()
    except OSError:
        return "unknown"


class UnreadableState(StorageError):
    """The database's pages are damaged; it is a cache, and can be rebuilt."""


_DAMAGED: Final = (lmdb.InvalidError, lmdb.CorruptedError, lmdb.VersionMismatchError, lmdb.PageNotFoundError)
"""What LMDB says of a file that is not, or no longer, a database of it."""


class Pinned:
    """The entries of one moment, for one thread at a time. Pages that only it needs are kept until ``close``."""

    def __init__(self, transaction: Any) -> None:
        self._transaction = transaction

    def items(self) -> Iterator[tuple[bytes, bytes]]:
        """Yield every (key hash, entry) in order of the hash."""
        with self._transaction.cursor() as cursor:
            yield from cursor

    def close(self) -> None:
        """Let the pages go."""
        self._transaction.abort()


def pin_of_running(folder: Path) -> tuple[Marker, Pinned]:
    """Open a database that another process may be writing, and pin it as it is now; raise ``StorageError``."""
    try:
        environment = lmdb.open(str(folder), max_dbs=2, readonly=True, create=False)
        meta = environment.open_db(b"meta", create=False)
        entries = environment.open_db(b"entries", create=False)
        transaction = environment.begin(db=entries)
        raw = transaction.get(_MARKER, db=meta)
        marker = None if raw is None else Marker.decode(raw)
    except (lmdb.Error, Malformed) as error:
        raise StorageError(f"cannot read the state database {folder}: {error}; start the node once") from error
    if marker is None or marker.height == 0:
        raise StorageError(f"the state database {folder} holds no committed state yet")
    return marker, Pinned(transaction)


class ReadOnlyStore:
    """A ``ledger.state.StateStore`` over a database that another process writes, for reading single keys.

    Reads see the database as of the last ``renew``. It has no buckets: to make the tree of a large state takes seconds,
    and who only executes asks for no root.
    """

    def __init__(self, folder: Path) -> None:
        """Open the database in ``folder``; raise ``StorageError``."""
        try:
            self._environment = lmdb.open(str(folder), max_dbs=2, readonly=True, create=False)
            self._meta = self._environment.open_db(b"meta", create=False)
            self._entries = self._environment.open_db(b"entries", create=False)
        except lmdb.Error as error:
            raise StorageError(f"cannot read the state database {folder}: {error}") from error
        self._reader: Any = None

    def renew(self) -> int:
        """See what is written by now; return the height of the block it is the state after."""
        if self._reader is not None:
            self._reader.abort()  # pages that only an old view needs are free to be written again
        self._reader = self._environment.begin(db=self._entries)
        raw = self._reader.get(_MARKER, db=self._meta)
        return 0 if raw is None else Marker.decode(raw).height

    def get(self, key_hash: bytes) -> bytes | None:
        """See ``StateStore``."""
        return None if self._reader is None else self._reader.get(key_hash)

    def bucket(self, index: int) -> tuple[tuple[bytes, bytes], ...]:
        """See ``StateStore``: none."""
        return ()

    def buckets(self) -> tuple[tuple[int, tuple[tuple[bytes, bytes], ...]], ...]:
        """See ``StateStore``: none."""
        return ()

    def rest(self) -> None:
        """Let the pages go that are kept for what is seen; the next read is after ``renew``."""
        if self._reader is not None:
            self._reader.abort()
            self._reader = None

    def close(self) -> None:
        """Close the database."""
        self.rest()
        self._environment.close()


class LmdbStore:
    """A ``ledger.state.StateStore`` on disk. Reads belong to one thread, ``write`` to one (maybe another) thread.

    Reads see the database as of the last ``renew``. ``notices`` says in words what ``open`` threw away, and why.
    """

    def __init__(self, folder: Path, bits: int, *, map_bytes: int = MAP_BYTES, boot: str | None = None) -> None:
        """Open or create the database in ``folder``; ``boot`` is the machine's boot id. Raises ``StorageError``."""
        self.notices: list[str] = []
        self._folder, self._bits, self._map_bytes = folder, bits, map_bytes
        self._boot = boot_id() if boot is None else boot
        with disk_errors("open", folder):
            folder.mkdir(mode=0o700, exist_ok=True)
        self._discard_torn()
        replace_file(self._owner, f"open {self._boot}\n".encode())
        try:
            self._open()
        except UnreadableState as error:
            self._remove()
            self.notices.append(f"the state database is damaged ({error.reason}); it is rebuilt from the block log")
            replace_file(self._owner, f"open {self._boot}\n".encode())
            self._open()

    def _open(self) -> None:
        try:
            # The database file may not outlive a crash of the machine, so LMDB's own syncing would buy nothing.
            self._environment = lmdb.open(
                str(self._folder), map_size=self._map_bytes, max_dbs=2, sync=False, metasync=False, mode=0o600
            )
            self._environment.reader_check()
            self._entries = self._environment.open_db(b"entries")
            self._meta = self._environment.open_db(b"meta")
            self._read()
        except _DAMAGED as error:
            raise UnreadableState(str(error)) from error
        except lmdb.Error as error:
            raise StorageError(
                f"cannot open the state database {self._folder}: {error}; move it away to have it rebuilt"
            ) from error

    def _read(self) -> None:
        """Read what is written by now, with one cursor for all buckets: to make one takes as long as a bucket."""
        self._reader = self._environment.begin(db=self._entries)
        self._cursor = self._reader.cursor()

    @property
    def _owner(self) -> Path:
        return self._folder / "owner"

    def _discard_torn(self) -> None:
        """Throw the database away if the machine went down while it was open, or nobody says how it was left."""
        if not (self._folder / "data.mdb").exists():
            return
        try:
            owner = self._owner.read_text().strip()
        except (OSError, UnicodeDecodeError):
            owner = "unknown"
        if owner not in ("clean", f"open {self._boot}"):
            self._remove()
            self.notices.append(
                "the machine stopped while the state database was open; it is rebuilt from the block log"
            )

    def _remove(self) -> None:
        with disk_errors("remove", self._folder):
            shutil.rmtree(self._folder)
            self._folder.mkdir(mode=0o700)

    @property
    def marker(self) -> Marker | None:
        """Which block the database stands at (as last written), None if it is empty or of another format."""
        with self._environment.begin(db=self._meta) as transaction:
            raw = transaction.get(_MARKER)
        try:
            return None if raw is None else Marker.decode(raw)
        except Malformed:
            return None

    def get(self, key_hash: bytes) -> bytes | None:
        """See ``StateStore``."""
        return self._reader.get(key_hash)

    def bucket(self, index: int) -> list[tuple[bytes, bytes]]:
        """See ``StateStore``."""
        found: list[tuple[bytes, bytes]] = []
        cursor, shift = self._cursor, 32 - self._bits
        if cursor.set_range((index << shift).to_bytes(4, "big")):
            end = ((index + 1) << shift).to_bytes(5, "big")[1:] if index + 1 < 1 << self._bits else _BEYOND
            for pair in cursor:
                if pair[0] >= end:
                    break
                found.append(pair)
        return found

    def buckets(self) -> Iterator[tuple[int, Iterator[tuple[bytes, bytes]]]]:
        """See ``StateStore``; a bucket is to be read before the next one is asked for."""
        return groupby(self.items(), lambda pair: bucket_index(pair[0], self._bits))

    def items(self) -> Iterator[tuple[bytes, bytes]]:
        """Return every (key hash, entry) in order of the hash."""
        try:
            with self._reader.cursor() as cursor:
                yield from cursor
        except _DAMAGED as error:
            raise UnreadableState(str(error)) from error

    def write(self, entries: Mapping[bytes, bytes | None], marker: Marker) -> None:
        """Apply one block's ``entries`` (None deletes) and its ``marker`` together; raise ``StorageError``."""
        kept = sorted((key_hash, entry) for key_hash, entry in entries.items() if entry is not None)
        removed = [key_hash for key_hash, entry in entries.items() if entry is None]
        try:
            with self._environment.begin(write=True, db=self._entries) as transaction:
                with transaction.cursor() as cursor:
                    cursor.putmulti(kept)
                for key_hash in removed:
                    transaction.delete(key_hash)
                transaction.put(_MARKER, marker.encode(), db=self._meta)
        except lmdb.Error as error:
            raise StorageError(f"cannot write the state database {self._folder}: {error}") from error

    def pin(self) -> Pinned:
        """Return the database as of the last ``write``, whatever is written afterwards; the caller closes it."""
        return Pinned(self._environment.begin(db=self._entries))

    def renew(self) -> None:
        """Let reads see what has been written; also frees the pages that only the old view needed."""
        self._reader.abort()
        self._read()

    def clear(self) -> None:
        """Empty the database, to rebuild it."""
        self._reader.abort()
        self._environment.close()
        self._remove()
        replace_file(self._owner, f"open {self._boot}\n".encode())
        self._open()

    def close(self) -> None:
        """Sync and close; the next start finds the database clean."""
        self._reader.abort()
        try:
            self._environment.sync(True)
        except lmdb.Error as error:
            raise StorageError(f"cannot sync the state database {self._folder}: {error}") from error
        finally:
            self._environment.close()
        replace_file(self._owner, b"clean\n")
