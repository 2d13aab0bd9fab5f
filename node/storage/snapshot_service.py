"""Snapshots in a running node: made beside the commits, handed out to peers, kept while joining.

Law: nothing here decides; making a snapshot holds nothing up, and one that fails is said and tried again at the next
height for it.
"""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor

import structlog

from coseal.node.core import packing, wire
from coseal.node.core.comet import abci, snapshots
from coseal.node.core.events import (
    AbciAnswer,
    BeginJoin,
    KeepHeads,
    KeepItem,
    ListSnapshots,
    LoadChunk,
    LoadHeads,
    LoadItem,
    LoadSnapshot,
)
from coseal.node.storage.data_folder import Storage
from coseal.node.storage.files import Damaged, StorageError
from coseal.node.storage.snapshots import SnapshotFile

_log = structlog.get_logger("node")


class SnapshotService:
    """Every method is called on the loop, except ``keep``: in the storage thread."""

    def __init__(self, storage: Storage) -> None:
        self._storage = storage
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="snapshot")
        self._making: asyncio.Future[SnapshotFile] | None = None

    def answer(self, effect: LoadHeads | LoadSnapshot | LoadItem) -> wire.WireMessage:
        """Return the frame that answers a peer; raise ``StorageError``."""
        match effect:
            case LoadHeads(_, from_height, limit):
                heights = range(from_height, from_height + limit)
                raws = (raw for height in heights if (raw := self._storage.read_head(height)) is not None)
                return packing.pack_heads(from_height, raws)
            case LoadSnapshot():
                newest = self._storage.snapshots.newest
                return wire.Snapshot(None if newest is None else newest.manifest.encode())
            case LoadItem(_, height, item):
                return wire.Item(height, item, self._item(height, item))

    def shown(self, effect: ListSnapshots | LoadChunk) -> AbciAnswer:
        """Return what CometBFT is answered for a peer; raise ``StorageError``."""
        match effect:
            case ListSnapshots(connection, number, until_height):
                found = [one.manifest for one in self._storage.snapshots.all if one.height <= until_height]
                return AbciAnswer(connection, number, abci.list_snapshots(list(map(snapshots.offered, found))))
            case LoadChunk(connection, number, height, chunk):
                return AbciAnswer(connection, number, abci.load_snapshot_chunk(self._chunk(height, chunk)))

    def _chunk(self, height: int, chunk: int) -> bytes:
        """Return a chunk as CometBFT counts them, nothing if it is not here."""
        snapshot = self._storage.snapshots.at(height)
        if snapshot is None:
            return b""
        heights = snapshots.heads_in(height, chunk)
        if heights:
            return snapshots.heads_chunk([raw for at in heights if (raw := self._storage.read_head(at)) is not None])
        return self._item(height, snapshots.item_in(snapshot.manifest, chunk)) or b""

    def _item(self, height: int, item: int) -> bytes | None:
        snapshot = self._storage.snapshots.at(height)
        try:
            return None if snapshot is None else snapshot.read(item)
        except Damaged as error:  # of no use to anybody; the node itself does not need it to run
            _log.error("snapshot_damaged", text=error.reason)
            return None

    def keep(self, effect: BeginJoin | KeepHeads | KeepItem) -> None:
        """Keep what was verified of a snapshot being joined; raise ``StorageError``."""
        match effect:
            case BeginJoin(manifest):
                self._storage.joining.begin(manifest)
            case KeepHeads(heads):
                self._storage.joining.keep_heads(heads)
            case KeepItem(item, data):
                self._storage.joining.keep_item(item, data)

    def make_if_pinned(self) -> None:
        """Begin to write the snapshot of a state that was pinned just now."""
        if self._storage.pinned is not None and self._making is None:
            loop = asyncio.get_running_loop()
            self._making = loop.run_in_executor(self._thread, self._storage.make_snapshot)
            self._making.add_done_callback(self._made)

    def _made(self, future: asyncio.Future[SnapshotFile]) -> None:
        self._making = None
        if future.cancelled():
            return
        error = future.exception()
        if error is None:
            found = future.result()
            _log.info("snapshot_made", height=found.height, chunks=found.manifest.chunks)
        else:
            reason = error.reason if isinstance(error, StorageError) else f"{type(error).__name__}: {error}"
            _log.error("snapshot_failed", reason=reason)

    async def close(self) -> None:
        """End the making of a snapshot; the next start removes what is not whole."""
        self._storage.snapshots.stop()
        if self._making is not None:
            await asyncio.wait([self._making])
        self._thread.shutdown(wait=False, cancel_futures=True)
