"""Commands on a node's folder: write its snapshot to a file, restore one from it, prune it now.

Law: an archive never holds a key, a journal or a guard; what is restored proves itself like what a peer sends, before
any of it counts. Everything can be interrupted and goes on where it was.

An archive is one file of records as in ``ledger.framing``, numbered from 1: the manifest (type 4), the heads from
height 1 to the one below the snapshot (type 2), and the snapshot's items in order (type 3), the block last.
"""

from __future__ import annotations

import json
import mmap
import os
import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

from coseal.ledger import framing
from coseal.ledger.block import CommittedBlock
from coseal.ledger.certificates import Certificate
from coseal.ledger.errors import LedgerError
from coseal.ledger.genesis import Genesis
from coseal.ledger.head import Head
from coseal.ledger.snapshot import Manifest
from coseal.node.config import ConfigProblem, load
from coseal.node.core.header_chain import HeaderChain, genesis_chain
from coseal.node.exits import Exit
from coseal.node.setup import read_genesis
from coseal.node.storage.block_log import HEAD, BlockLog
from coseal.node.storage.data_folder import Policy, Storage
from coseal.node.storage.files import StorageError, disk_errors, lock_folder, sync_directory, write_all
from coseal.node.storage.join_folder import (
    BLOCKS_FOLDER,
    HEADS_FOLDER,
    JOINING_FOLDER,
    STATE_FOLDER,
    JoinFolder,
    finish_adoption,
)
from coseal.node.storage.snapshots import ITEM, SnapshotFile, write_snapshot
from coseal.node.storage.state_store import pin_of_running

MANIFEST: Final = 4
_KEEP_HEADS: Final = 128
Report = Callable[[str, int, int], None]
"""``report(what, done, total)``."""


def archive_command(run: Callable[[Report], dict[str, Any]]) -> Exit:
    """Run a command of this module; print its progress and its result as JSON lines, problems on standard error."""
    last: dict[str, int] = {}

    def report(what: str, done: int, total: int) -> None:
        step = done * 200 // max(1, total)
        if last.get(what) != step:
            last[what] = step
            print(json.dumps({"progress": what, "done": done, "total": total}), flush=True)

    try:
        print(json.dumps(run(report)), flush=True)
        return Exit.STOPPED
    except ConfigProblem as error:
        print(error.reason, file=sys.stderr)
        return Exit.USAGE
    except StorageError as error:
        print(error.reason, file=sys.stderr)
        return Exit.STORAGE


def export(folder: Path, out: Path, report: Report) -> dict[str, Any]:
    """Write the state of a node, running or not, with all heads below it to the archive ``out``."""
    genesis = read_genesis(load(folder))
    if out.exists():
        raise StorageError(f"{out} is there already: choose another name")
    work = out.with_name(out.name + ".partial")
    with disk_errors("make", work):
        work.mkdir(mode=0o700, parents=True, exist_ok=True)
    heads = BlockLog(folder / HEADS_FOLDER, kind=HEAD, read_only=True) if (folder / HEADS_FOLDER).is_dir() else None
    pruned = heads is not None and heads.tip_height > 0
    blocks = BlockLog(folder / BLOCKS_FOLDER, begins_anywhere=pruned, read_only=True)
    try:
        snapshot = _snapshot_in(work, folder, genesis, blocks)
        _write_archive(work / "archive", snapshot, _heads(heads, blocks, snapshot.height), report)
        snapshot.close()
    finally:
        blocks.close()
        if heads is not None:
            heads.close()
    with disk_errors("rename", out):
        os.rename(work / "archive", out)
        sync_directory(out.parent)
        shutil.rmtree(work)
    manifest = snapshot.manifest
    return {
        "file": str(out),
        "bytes": out.stat().st_size,
        "height": manifest.height,
        "block_hash": manifest.header.hash.hex(),
        "state_root": manifest.header.state_root.hex(),
        "chunks": manifest.chunks,
    }


def _snapshot_in(work: Path, folder: Path, genesis: Genesis, blocks: BlockLog) -> SnapshotFile:
    """Return the snapshot in the work folder: that of an interrupted export, or one made now."""
    path = work / "snapshot"
    if path.is_dir():
        return SnapshotFile(path)
    marker, pinned = pin_of_running(folder / STATE_FOLDER)
    try:
        raw = blocks.read(marker.height)
        if raw is None:
            raise StorageError(f"block {marker.height} is not in {folder}; start the node once")
        committed = CommittedBlock.decode(raw)
        return SnapshotFile(write_snapshot(path, pinned.items, committed, genesis.parameters.state_bits))
    finally:
        pinned.close()


def _heads(heads: BlockLog | None, blocks: BlockLog, height: int) -> Callable[[int], bytes]:
    def read(wanted: int) -> bytes:
        raw = None if heads is None else heads.read(wanted)
        if raw is None:
            body = blocks.read(wanted)
            if body is None:
                raise StorageError(f"neither block {wanted} nor its head is there, and the snapshot is of {height}")
            raw = Head.of(CommittedBlock.decode(body)).encode()
        return raw

    return read


def _write_archive(path: Path, snapshot: SnapshotFile, head: Callable[[int], bytes], report: Report) -> None:
    """Write the records that are not in the file yet."""
    manifest = snapshot.manifest
    total = manifest.height + manifest.chunks + 1  # the manifest, the heads, the chunks and the block
    with disk_errors("write", path):
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
        try:
            done = 0
            for sequence, _, _, end in _records(path):
                done = sequence
                good = end
            os.ftruncate(descriptor, good if done else 0)
            for sequence in range(done + 1, total + 1):
                write_all(descriptor, framing.frame(sequence, *_record(sequence, manifest, snapshot, head)))
                report("archive", sequence, total)
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _record(
    sequence: int, manifest: Manifest, snapshot: SnapshotFile, head: Callable[[int], bytes]
) -> tuple[int, bytes]:
    if sequence == 1:
        return MANIFEST, manifest.encode()
    if sequence <= manifest.height:
        return HEAD, head(sequence - 1)
    item = sequence - manifest.height - 1
    return ITEM, item.to_bytes(4, "big") + (snapshot.read(item) or b"")


def _records(path: Path) -> Iterator[tuple[int, int, bytes, int]]:
    """Yield (sequence, type, payload, end) of the good records of a file, up to the first bad one."""
    size = path.stat().st_size
    if not size:
        return
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as mapped:
        view = memoryview(mapped)
        try:
            end, expected = 0, 1
            while (record := framing.read(view, end)) is not None and record.sequence == expected:
                end, expected = record.end, expected + 1
                yield record.sequence, record.kind, record.payload, end
        finally:
            view.release()


def restore(archive: Path, folder: Path, report: Report) -> dict[str, Any]:
    """Make the state of an archive the node's, everything verified from its genesis on; the journal is not touched."""
    genesis = read_genesis(load(folder))
    with disk_errors("read", archive):
        size = archive.stat().st_size
    lock = lock_folder(folder)
    try:
        joining = JoinFolder(folder / JOINING_FOLDER)
        if not (folder / JOINING_FOLDER / "complete").exists():
            _require_older(folder, archive)
            try:
                _unpack(archive, genesis, joining, report, size)
            except LedgerError as error:
                joining.clear()
                raise StorageError(f"{archive} does not prove itself, nothing was restored: {error.reason}") from None
            joining.complete()
        height = finish_adoption(folder)
    finally:
        os.close(lock)
    storage = Storage(folder, genesis)
    try:
        header = storage.committed(storage.tip_height)
        if header is None or height is None:
            raise StorageError(f"nothing was restored into {folder}")
        return {
            "height": height,
            "block_hash": header.block.hash.hex(),
            "state_root": storage.executor.state.root.hex(),
            "journal": storage.journal.read() is not None,
        }
    finally:
        storage.close()


def _require_older(folder: Path, archive: Path) -> None:
    """Refuse to replace blocks that are newer than what the archive holds."""
    heads = folder / HEADS_FOLDER
    pruned = heads.is_dir() and any(heads.iterdir())
    blocks = BlockLog(folder / BLOCKS_FOLDER, begins_anywhere=pruned, read_only=True) if _has_blocks(folder) else None
    if blocks is None:
        return
    tip = blocks.tip_height
    blocks.close()
    manifest = _manifest(archive)
    if manifest is not None and tip >= manifest.height:
        raise StorageError(f"{folder} is at height {tip} already, the archive at {manifest.height}: nothing to restore")


def _has_blocks(folder: Path) -> bool:
    return (folder / BLOCKS_FOLDER).is_dir() and any((folder / BLOCKS_FOLDER).iterdir())


def _manifest(archive: Path) -> Manifest | None:
    for _, kind, payload, _ in _records(archive):
        try:
            return Manifest.decode(payload) if kind == MANIFEST else None
        except LedgerError:
            return None
    return None


def _unpack(archive: Path, genesis: Genesis, joining: JoinFolder, report: Report, size: int) -> None:
    """Verify every record as it is read, and keep it; what an earlier run kept is not written again."""
    manifest: Manifest | None = None
    certificate: Certificate | None = None  # the block's own
    header_chain = genesis_chain(genesis)
    kept = joining.load()
    heights = (head.header.height for head in kept.heads) if kept is not None else iter(())
    known = 0
    for height in heights:  # those kept count if they begin at 1, as here
        known = height if height == known + 1 else 0
    items: set[int] = set()
    waiting: list[bytes] = []
    for _, kind, payload, end in _records(archive):
        report("restore", end, size)
        if manifest is None:
            manifest = _require_manifest(kind, payload, genesis)
            if kept is not None and kept.manifest != manifest:
                joining.clear()
                known = 0
            joining.begin(payload)
        elif kind == HEAD:
            header_chain = _follow(header_chain, payload)
            if header_chain.height > known:
                waiting.append(payload)
        elif kind == ITEM:
            item = int.from_bytes(payload[:4], "big")
            committed = manifest.check(item, payload[4:])
            if committed is not None:
                certificate = committed.certificate
            joining.keep_item(item, payload[4:])
            items.add(item)
        if waiting and (kind != HEAD or len(waiting) == _KEEP_HEADS):
            joining.keep_heads(tuple(waiting))
            waiting = []
    complete = manifest is not None and len(items) == manifest.chunks + 1 and header_chain.height == manifest.height - 1
    if manifest is None or certificate is None or not complete:
        joining.clear()
        raise StorageError(f"{archive} is not a whole archive: it was cut short or damaged; fetch it again")
    for proof in (manifest.certificate, certificate):  # Z7: they need not be the same
        header_chain.check(manifest.header, proof)


def _require_manifest(kind: int, payload: bytes, genesis: Genesis) -> Manifest:
    if kind != MANIFEST:
        raise StorageError("the file is no archive of a snapshot: make one with `coseal snapshot`")
    manifest = Manifest.decode(payload)
    if manifest.header.chain_id != genesis.chain_id:
        raise StorageError(f"the archive is of the chain {manifest.header.chain_id.hex()}, not of this node's")
    return manifest


def _follow(header_chain: HeaderChain, payload: bytes) -> HeaderChain:
    return header_chain.follow(Head.decode(payload))


def prune(folder: Path, keep: int, report: Report) -> dict[str, Any]:
    """Remove all bodies but those of the last ``keep`` blocks, behind a snapshot; the node must not run."""
    genesis = read_genesis(load(folder))
    storage = Storage(folder, genesis, policy=Policy())
    try:
        goal = storage.tip_height - keep
        if goal >= storage.first_height:
            if storage.snapshots.newest_height <= goal:
                storage.pin()
                storage.make_snapshot()
            goal = min(goal, storage.snapshots.newest_height - 1)
            for height in range(storage.heads.tip_height + 1, goal + 1):
                storage.write_heads(height)
                report("prune", height, goal)
            storage.heads.sync()
            storage.blocks.prune(goal + 1)
            storage.blocks.rewrite_first(goal + 1)
    finally:
        storage.close()
    storage = Storage(folder, genesis)
    try:
        return {"first_height": storage.first_height, "height": storage.tip_height}
    finally:
        storage.close()
