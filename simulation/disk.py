"""The disk of one node: what is durable, what was written but not synced, and how it fails.

Law: a write survives a power failure only if a sync covered it; of what was not synced any part may survive, the last
record torn. The formats and what opening them means are those of the node's shell (``node/storage/block_log.py``,
``node/storage/journal_file.py``): a damaged last block record is cut off, damage before it refuses the log.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from typing import TypeAlias

from coseal.ledger import framing
from coseal.ledger.block import CommittedBlock
from coseal.ledger.head import Head
from coseal.ledger.snapshot import Manifest, cut, depth_for
from coseal.ledger.state import MemoryStore
from coseal.node.core.events import Append, AppendBlock, KeepSidecar, ReplaceJournal

Write: TypeAlias = Append | AppendBlock | ReplaceJournal | KeepSidecar
BLOCK = 1
SECTOR = 512


class Refused(Exception):
    """The shell would not start from these files, or the disk would not take a write."""


@dataclass(slots=True)
class Snapshot:
    """A manifest and the items that are here: the chunks, and the block after the last chunk."""

    manifest: Manifest
    items: dict[int, bytes]


@dataclass(slots=True)
class Disk:
    """``journal`` is the file (None: there is none), ``log`` the block log, ``store`` the state with its height."""

    bits: int
    journal: bytearray | None
    log: bytearray = field(default_factory=bytearray)
    store: MemoryStore | None = None
    store_height: int = 0
    failing: str | None = None  # "write" or "sync": the next one fails
    records: list[bytes] = field(default_factory=list)  # the payloads in ``log``, of ``first_height`` and on
    first_height: int = 1
    heads: list[bytes] = field(default_factory=list)  # of the heights below ``first_height``
    snapshots: dict[int, Snapshot] = field(default_factory=dict)
    joining: Snapshot | None = None
    joining_heads: list[bytes] = field(default_factory=list)
    sidecars: dict[bytes, bytes] = field(default_factory=dict)

    @property
    def tip_height(self) -> int:
        """The height of the last block in the log."""
        return self.first_height + len(self.records) - 1

    def block(self, height: int) -> bytes | None:
        """Return a log record, None for what is pruned or not there."""
        offset = height - self.first_height
        return self.records[offset] if 0 <= offset < len(self.records) else None

    def head(self, height: int) -> bytes | None:
        """Return the head of a block, pruned or not."""
        raw = self.block(height)
        if raw is not None:
            return Head.of(CommittedBlock.decode(raw)).encode()
        return self.heads[height - 1] if 1 <= height <= len(self.heads) else None

    def copy_of_journal(self) -> bytes | None:
        """Return the journal as a backup would hold it."""
        return None if self.journal is None else bytes(self.journal)

    def perform(self, writes: list[Write]) -> None:
        """Carry out a whole batch and sync it; raise ``Refused``, after which a part may be on the disk."""
        if self.failing is not None:
            raise Refused(self.failing)
        for write in writes:
            self._perform(write)

    def _perform(self, write: Write) -> None:
        match write:
            case Append(data):
                if self.journal is None:
                    self.journal = bytearray()
                self.journal += data
            case ReplaceJournal(data):
                self.journal = bytearray(data)
            case KeepSidecar(name, data):
                self.sidecars[name] = data
            case AppendBlock(committed):
                payload = committed.encode()
                self.records.append(payload)
                self.log += framing.frame(committed.block.header.height, BLOCK, payload)

    def erase(self, name: bytes) -> None:
        """Overwrite a sidecar and remove it."""
        self.sidecars.pop(name, None)

    def kill(self, writes: list[Write], rng: random.Random) -> None:
        """The process dies while a batch is being written: what was written stays, one write may be half done."""
        done = rng.randint(0, len(writes))
        for write in writes[:done]:
            self._perform(write)
        if done < len(writes):
            self._half(writes[done], rng.random())

    def power_off(self, writes: list[Write], rng: random.Random, *, holes: bool = False) -> str:
        """The power fails while a batch is being written: any beginning of each file's new bytes may survive.

        ``holes``: perhaps later sectors survive and earlier ones do not. Returns what happened, in a word.
        """
        self.store, self.store_height = None, 0
        done = rng.randint(0, len(writes))
        journal, log = bytearray(), bytearray()
        for write in writes[:done]:
            match write:
                case Append(data):  # the block log is synced before what the journal holds of the next height
                    self.log += log
                    log.clear()
                    journal += data
                case ReplaceJournal(data):  # a replacement syncs itself, too
                    self.log += log
                    log.clear()
                    journal.clear()
                    self.journal = bytearray(data)
                case KeepSidecar(name, data):  # a file of its own, synced when it is written
                    self.sidecars[name] = data
                case AppendBlock(committed):
                    log += framing.frame(committed.block.header.height, BLOCK, committed.encode())
        happened = "clean"
        for piece, target in ((journal, self.journal), (log, self.log)):
            if not piece or target is None:
                continue
            keep = rng.choice((0, len(piece), rng.randint(0, len(piece))))
            kept = piece[:keep]
            if holes and len(kept) > SECTOR:
                start = rng.randrange(len(kept) - SECTOR + 1)
                kept[start : start + SECTOR] = bytes(SECTOR)
                happened = "hole"
            elif 0 < keep < len(piece):
                happened = "torn"
            target += kept
        self._index()
        return happened

    def tear(self, write: Write, share: float) -> None:
        """Write the first ``share`` of one write, as a crash inside it does."""
        self._half(write, share)

    def _half(self, write: Write, share: float) -> None:
        match write:
            case Append(data):
                if self.journal is not None:
                    self.journal += data[: int(share * len(data))]
            case AppendBlock(committed):
                framed = framing.frame(committed.block.header.height, BLOCK, committed.encode())
                self.log += framed[: int(share * len(framed))]
                self._index()
            case ReplaceJournal() | KeepSidecar():
                pass  # atomic: the new file was not yet renamed over the old

    def open_log(self) -> list[bytes]:
        """Return the payloads of the block log, cutting a damaged end off; raise ``Refused`` for other damage."""
        found = self._index()
        if found.damaged or any(r.kind != BLOCK for r in found.records):
            raise Refused("the block log is damaged before its end")
        del self.log[found.end :]
        return self.records

    def _index(self) -> framing.Scan:
        found = framing.scan(bytes(self.log), first_sequence=self.first_height)
        self.records = [record.payload for record in found.records]
        return found

    def lose_blocks(self) -> None:
        """Do what an operator does about a damaged block log: fetch all blocks again, keep the journal."""
        self.log.clear()
        self.records, self.heads, self.first_height = [], [], 1
        self.snapshots, self.joining, self.joining_heads = {}, None, []
        self.store, self.store_height = None, 0

    # Snapshots (``node/storage/snapshots.py``, ``node/storage/join_folder.py``)

    def take_snapshot(self, height: int) -> None:
        """Keep the state store as it is after ``height``, and of older snapshots one."""
        raw = self.block(height)
        if self.store is None or raw is None:
            return
        entries = sorted(entry for index in range(1 << self.bits) for entry in self.store.bucket(index))
        depth = depth_for(entries, self.bits)
        chunks = list(cut(entries, self.bits, depth))
        tip = CommittedBlock.decode(raw)
        hashes = b"".join(value for _, value in chunks)
        made = Manifest(tip.block.header, tip.certificate, self.bits, depth, hashes)
        items = [*(chunk for chunk, _ in chunks), raw]
        self.snapshots[height] = Snapshot(Manifest.decode(made.encode()), dict(enumerate(items)))
        for old in sorted(self.snapshots)[:-2]:
            del self.snapshots[old]

    def prune(self, first_height: int) -> None:
        """Keep heads instead of the blocks below ``first_height``."""
        for height in range(len(self.heads) + 1, first_height):
            head = self.head(height)
            if head is None:
                raise Refused(f"no head of {height}")
            self.heads.append(head)
        self._begin_at(first_height, self.records[first_height - self.first_height :])

    def adopt(self) -> None:
        """Make the snapshot that was joined the node's own."""
        joined = self.joining
        if joined is None:
            raise Refused("nothing was joined")
        manifest = joined.manifest
        heads = {Head.decode(raw).header.height: raw for raw in self.joining_heads}
        self.heads = [self.head(height) or heads[height] for height in range(1, manifest.height)]
        self.snapshots = {manifest.height: joined}
        self.joining, self.joining_heads = None, []
        self.store, self.store_height = None, 0
        self._begin_at(manifest.height, [joined.items[manifest.chunks]])

    def _begin_at(self, first_height: int, records: list[bytes]) -> None:
        self.first_height, self.records = first_height, records
        framed = (framing.frame(first_height + i, BLOCK, payload) for i, payload in enumerate(records))
        self.log = bytearray(b"".join(framed))
