"""Snapshots on disk: made from a pinned state without holding up commits, kept bounded, read by item.

Law: a snapshot's folder bears its name only when it is whole and its hashes led to the certified root; only the latest
``KEPT`` are there.

Folder: ``snapshots/<height>/`` with ``manifest`` and ``items.log``: records as in ``ledger.framing``, type 3, numbered
in the order they were written, the payload the item's number (4 bytes, big-endian) and its bytes.
"""

from __future__ import annotations

import mmap
import os
import shutil
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Final, TypeAlias

from coseal.ledger import framing
from coseal.ledger.block import CommittedBlock
from coseal.ledger.errors import LedgerError
from coseal.ledger.snapshot import MAX_CHUNK_BYTES, Manifest, cut, depth_for
from coseal.node.storage.files import Damaged, StorageError, disk_errors, replace_file, sync_directory, write_all

ITEM: Final = 3
KEPT: Final = 2
MANIFEST_NAME: Final = "manifest"
ITEMS_NAME: Final = "items.log"
_BREATH_S: Final = 0.002
_BREATH_ENTRIES: Final = 2_000

Entries: TypeAlias = Callable[[], Iterable[tuple[bytes, bytes]]]
"""Returns every (key hash, stored entry) of one moment, ascending; called twice."""


class ItemFile:
    """A file of items. ``append`` and ``sync`` belong to one thread; ``read`` may be called from any."""

    def __init__(self, path: Path, *, writable: bool = False) -> None:
        """Open the file, made if it is to be written; what follows the last good record is cut off then."""
        self._path = path
        self._places: dict[int, tuple[int, int]] = {}
        self._count, self._end = 0, 0
        with disk_errors("open", path):
            flags = os.O_RDWR | os.O_CREAT | os.O_APPEND if writable else os.O_RDONLY
            self._descriptor = os.open(path, flags | os.O_CLOEXEC, 0o600)
            size = os.fstat(self._descriptor).st_size
            if size:
                self._scan(size, verify=writable)
            if writable and self._end < size:
                os.ftruncate(self._descriptor, self._end)

    def __contains__(self, item: int) -> bool:
        return item in self._places

    @property
    def items(self) -> frozenset[int]:
        """The numbers of the items that are here."""
        return frozenset(self._places)

    def append(self, item: int, data: bytes) -> None:
        """Write an item; one that is here already stays."""
        if item in self._places:
            return
        record = framing.frame(self._count + 1, ITEM, item.to_bytes(4, "big") + data)
        with disk_errors("write", self._path):
            write_all(self._descriptor, record)
        self._places[item] = (self._end, len(record))
        self._count, self._end = self._count + 1, self._end + len(record)

    def sync(self) -> None:
        """Make everything durable."""
        with disk_errors("sync", self._path):
            os.fsync(self._descriptor)

    def read(self, item: int) -> bytes | None:
        """Return an item, or None; raise ``Damaged`` if the disk returns other bytes than were written."""
        place = self._places.get(item)
        if place is None:
            return None
        with disk_errors("read", self._path):
            data = os.pread(self._descriptor, place[1], place[0])
        record = framing.read(memoryview(data), 0)
        if record is None or record.payload[:4] != item.to_bytes(4, "big"):
            raise Damaged(f"item {item} is damaged in {self._path}; remove the folder, the node makes another snapshot")
        return record.payload[4:]

    def close(self) -> None:
        """Close the file."""
        os.close(self._descriptor)

    def _scan(self, size: int, *, verify: bool) -> None:
        """Find the items; with ``verify`` stop at the first record whose checksum is wrong."""
        with mmap.mmap(self._descriptor, size, prot=mmap.PROT_READ) as mapped, memoryview(mapped) as view:
            while self._end < size:
                step = framing.skip(view, self._end)
                if step is None or step[0] != self._count + 1:
                    return
                if verify and framing.read(view, self._end) is None:
                    return
                head = self._end + framing.OVERHEAD - 8
                self._places[int.from_bytes(view[head : head + 4], "big")] = (self._end, step[1] - self._end)
                self._count, self._end = self._count + 1, step[1]


class SnapshotFile:
    """A whole snapshot on disk, open for reading."""

    def __init__(self, folder: Path) -> None:
        """Open it; raise ``StorageError`` if it is none."""
        self.folder = folder
        with disk_errors("read", folder):
            raw = (folder / MANIFEST_NAME).read_bytes()
        try:
            self.manifest = Manifest.decode(raw)
        except LedgerError as error:
            raise Damaged(f"the manifest in {folder} cannot be used: {error.reason}") from None
        self._items = ItemFile(folder / ITEMS_NAME)
        if self._items.items != frozenset(range(self.manifest.chunks + 1)):
            self._items.close()
            raise Damaged(f"{folder} lacks chunks of its snapshot")

    @property
    def height(self) -> int:
        """The height after which the state is."""
        return self.manifest.height

    def read(self, item: int) -> bytes | None:
        """Return a chunk, or the block as item number ``manifest.chunks``; None beyond."""
        return self._items.read(item)

    def entries(self) -> Iterator[dict[bytes, bytes]]:
        """Yield the entries of each chunk; raise ``Damaged`` for one that does not prove itself."""
        for index in range(self.manifest.chunks):
            try:
                yield self.manifest.entries(index, self.read(index) or b"")
            except LedgerError as error:
                raise Damaged(f"chunk {index} in {self.folder}: {error.reason}") from None

    def close(self) -> None:
        """Close its file."""
        self._items.close()


class Snapshots:
    """The folder of snapshots. Reads may come from any thread; everything else belongs to one at a time."""

    def __init__(self, folder: Path) -> None:
        """Open what is there; what is not whole is removed and said in ``notices``."""
        self.notices: list[str] = []
        self._folder = folder
        self._open: tuple[SnapshotFile, ...] = ()
        self._retired: list[SnapshotFile] = []
        self._stopped = False
        with disk_errors("open", folder):
            paths = sorted(folder.iterdir()) if folder.is_dir() else []
        for path in paths:
            try:
                self._open = (*self._open, SnapshotFile(path))
            except StorageError as error:
                self.notices.append(f"{error.reason}; it is removed")
                shutil.rmtree(path, ignore_errors=True)

    @property
    def all(self) -> tuple[SnapshotFile, ...]:
        """The snapshots, ascending by height."""
        return self._open

    @property
    def newest(self) -> SnapshotFile | None:
        """The newest snapshot."""
        return self._open[-1] if self._open else None

    @property
    def newest_height(self) -> int:
        """Its height, 0 for none."""
        return self._open[-1].height if self._open else 0

    def at(self, height: int) -> SnapshotFile | None:
        """Return the snapshot of a height, or None."""
        return next((snapshot for snapshot in self._open if snapshot.height == height), None)

    def make(self, entries: Entries, committed: CommittedBlock, bits: int) -> SnapshotFile:
        """Write the snapshot of the state after ``committed`` and keep it instead of the oldest one."""
        with disk_errors("open", self._folder):
            self._folder.mkdir(mode=0o700, exist_ok=True)
        height = committed.block.header.height
        path = write_snapshot(self._folder / f"{height:012d}", lambda: self._breathing(entries()), committed, bits)
        found = SnapshotFile(path)
        self.adopt(found)
        return found

    def adopt(self, found: SnapshotFile) -> None:
        """Take a snapshot whose folder is in place; the oldest beyond ``KEPT`` go."""
        snapshots = sorted([*(one for one in self._open if one.height != found.height), found], key=_height)
        removed, self._open = snapshots[:-KEPT], tuple(snapshots[-KEPT:])
        for snapshot in self._retired:  # readers that were at it are done by now
            snapshot.close()
        self._retired = removed
        for snapshot in removed:
            shutil.rmtree(snapshot.folder, ignore_errors=True)

    def stop(self) -> None:
        """Let a snapshot that is being made in another thread fail soon."""
        self._stopped = True

    def _breathing(self, entries: Iterable[tuple[bytes, bytes]]) -> Iterator[tuple[bytes, bytes]]:
        """Yield entries, and let other threads have the interpreter again and again."""
        for count, entry in enumerate(entries):
            if count % _BREATH_ENTRIES == _BREATH_ENTRIES - 1:
                time.sleep(_BREATH_S)
            if self._stopped:
                raise StorageError("the node is stopping")
            yield entry

    def close(self) -> None:
        """Close all files."""
        for snapshot in (*self._open, *self._retired):
            snapshot.close()
        self._open, self._retired = (), []


def write_snapshot(path: Path, entries: Entries, committed: CommittedBlock, bits: int) -> Path:
    """Write a snapshot under ``path``, and that name only when it is whole; return ``path``.

    Raises ``StorageError``, also when the entries do not lead to the state root that the block certifies.
    """
    building = path.with_name(path.name + ".tmp")
    shutil.rmtree(building, ignore_errors=True)
    with disk_errors("make", building):
        building.mkdir(mode=0o700)
    items = ItemFile(building / ITEMS_NAME, writable=True)
    try:
        depth = depth_for(entries(), bits)
        hashes = bytearray()
        for index, (chunk, value) in enumerate(cut(entries(), bits, depth)):
            items.append(index, _bounded(chunk, index))
            hashes += value
        items.append(1 << depth, _bounded(committed.encode(), 1 << depth))
        items.sync()
    finally:
        items.close()
    manifest = Manifest(committed.block.header, committed.certificate, bits, depth, bytes(hashes))
    try:
        Manifest.decode(manifest.encode())
    except LedgerError as error:
        raise Damaged(f"the state of height {manifest.height} does not match its block: {error.reason}") from None
    replace_file(building / MANIFEST_NAME, manifest.encode())
    with disk_errors("rename", building):
        shutil.rmtree(path, ignore_errors=True)
        os.rename(building, path)
        sync_directory(path.parent)
    return path


def _bounded(data: bytes, item: int) -> bytes:
    if len(data) > MAX_CHUNK_BYTES:
        raise StorageError(f"item {item} of the snapshot would have {len(data)} bytes, at most {MAX_CHUNK_BYTES}")
    return data


def _height(snapshot: SnapshotFile) -> int:
    return snapshot.height
