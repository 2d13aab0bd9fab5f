"""What a node keeps on disk of a snapshot it is joining, and how that becomes its own.

Law: everything in the folder proved itself before it came here, and is checked again before it replaces anything; the
change-over can be interrupted anywhere and is finished at the next start. The journal is never touched.

Folder: ``joining/`` with ``snapshot/`` (as in ``node.snapshots``), ``heads/`` (a log as in ``node.block_log``), and
``complete`` when all is there.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Final

from coseal.ledger.block import CommittedBlock
from coseal.ledger.errors import LedgerError
from coseal.ledger.head import Head
from coseal.ledger.snapshot import Manifest
from coseal.node.core.joining import Kept
from coseal.node.storage.block_log import HEAD, BlockLog
from coseal.node.storage.files import Damaged, StorageError, disk_errors, replace_file, sync_directory
from coseal.node.storage.snapshots import ITEMS_NAME, MANIFEST_NAME, ItemFile, SnapshotFile

JOINING_FOLDER: Final = "joining"
BLOCKS_FOLDER: Final = "blocks"
HEADS_FOLDER: Final = "heads"
SNAPSHOTS_FOLDER: Final = "snapshots"
STATE_FOLDER: Final = "state"


class JoinFolder:
    """The folder while a node joins. Every method belongs to the storage thread, ``load`` to the start."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._items: ItemFile | None = None
        self._heads: BlockLog | None = None

    def load(self) -> Kept | None:
        """Return what an earlier process kept, None if it is nothing that can be used."""
        if not (self._folder / "snapshot" / MANIFEST_NAME).exists():
            return None
        try:
            with disk_errors("read", self._folder):
                manifest = Manifest.decode((self._folder / "snapshot" / MANIFEST_NAME).read_bytes())
            heads, items = self._opened()
        except (LedgerError, StorageError):
            self.clear()
            return None
        heights = range(heads.first_height, heads.tip_height + 1)
        return Kept(manifest, (Head.decode(heads.read(height) or b"") for height in heights), items.items)

    def begin(self, manifest: bytes) -> None:
        """Keep this manifest; the items of another one are forgotten."""
        path = self._folder / "snapshot" / MANIFEST_NAME
        with disk_errors("read", path):
            if path.exists() and path.read_bytes() == manifest:
                return
            self._close_items()
            shutil.rmtree(path.parent, ignore_errors=True)
            path.parent.mkdir(mode=0o700, parents=True)
        replace_file(path, manifest)

    def keep_heads(self, raws: tuple[bytes, ...]) -> None:
        """Append verified heads; if they do not follow those kept before, these are forgotten."""
        heads, _ = self._opened()
        height = Head.decode(raws[0]).header.height
        if heads.tip_height and height != heads.tip_height + 1:
            heads.close()
            self._heads = None
            shutil.rmtree(self._folder / HEADS_FOLDER, ignore_errors=True)
            heads, _ = self._opened()
        for offset, raw in enumerate(raws):
            heads.append(height + offset, raw)

    def keep_item(self, item: int, data: bytes) -> None:
        """Append a verified item."""
        self._opened()[1].append(item, data)

    def complete(self) -> None:
        """All is here: make it durable, and say so for the next start."""
        heads, items = self._opened()
        heads.sync()
        items.sync()
        replace_file(self._folder / "complete", b"complete\n")
        self.close()

    def clear(self) -> None:
        """Forget everything."""
        self.close()
        shutil.rmtree(self._folder, ignore_errors=True)

    def close(self) -> None:
        """Close the files."""
        self._close_items()
        if self._heads is not None:
            self._heads.close()
            self._heads = None

    def _opened(self) -> tuple[BlockLog, ItemFile]:
        with disk_errors("make", self._folder):
            (self._folder / "snapshot").mkdir(mode=0o700, parents=True, exist_ok=True)
        if self._heads is None:
            self._heads = BlockLog(self._folder / HEADS_FOLDER, kind=HEAD, begins_anywhere=True)
        if self._items is None:
            self._items = ItemFile(self._folder / "snapshot" / ITEMS_NAME, writable=True)
        return self._heads, self._items

    def _close_items(self) -> None:
        if self._items is not None:
            self._items.close()
            self._items = None


def finish_adoption(folder: Path, *, keep_bodies: bool = True) -> int | None:
    """If a join is complete, make its snapshot the node's; return its height, None if there was nothing to do.

    ``keep_bodies``: blocks that the node had are moved to ``blocks-below-HEIGHT/``, perhaps nobody else has them;
    else they are removed. The heads come first, then the snapshot, then the block in place of all older ones; the
    state is rebuilt from the snapshot when the folder is opened. Raises ``StorageError``; what does not prove itself
    is thrown away.
    """
    joining = folder / JOINING_FOLDER
    if not (joining / "complete").exists():
        return None
    with disk_errors("change over to the snapshot in", folder):
        height = _place_snapshot(folder, joining)
        target = SnapshotFile(folder / SNAPSHOTS_FOLDER / f"{height:012d}")
        try:
            block = target.read(target.manifest.chunks) or b""
        finally:
            target.close()
        older = _fill_heads(folder, joining, height)
        _replace_blocks(folder, joining, height, block, keep_old=older and keep_bodies)
        shutil.rmtree(folder / STATE_FOLDER, ignore_errors=True)
        sync_directory(folder)
        (joining / "complete").unlink()
        shutil.rmtree(joining)
    return height


def _place_snapshot(folder: Path, joining: Path) -> int:
    """Check the joined snapshot once more and move it among the others; return its height."""
    source, named = joining / "snapshot", joining / "height"
    if not source.is_dir():  # an earlier start came past this
        return int(named.read_text())
    try:
        found = SnapshotFile(source)
        for _ in found.entries():
            pass
        found.manifest.block(found.read(found.manifest.chunks) or b"")
        found.close()
    except (StorageError, LedgerError) as error:
        shutil.rmtree(joining)
        raise Damaged(
            f"the snapshot that was joined cannot be used ({error.reason}); start again to join anew"
        ) from None
    replace_file(named, str(found.height).encode())
    target = folder / SNAPSHOTS_FOLDER / f"{found.height:012d}"
    target.parent.mkdir(mode=0o700, exist_ok=True)
    shutil.rmtree(target, ignore_errors=True)
    os.rename(source, target)
    sync_directory(target.parent)
    sync_directory(joining)
    return found.height


def _fill_heads(folder: Path, joining: Path, height: int) -> bool:
    """Let the log of heads go up to the height below the snapshot, from own blocks and what was joined.

    Return whether there are own blocks below the snapshot.
    """
    heads = BlockLog(folder / HEADS_FOLDER, kind=HEAD)
    blocks = BlockLog(folder / BLOCKS_FOLDER, begins_anywhere=heads.tip_height > 0)
    joined = BlockLog(joining / HEADS_FOLDER, kind=HEAD, begins_anywhere=True)
    try:
        for wanted in range(heads.tip_height + 1, height):
            own = blocks.read(wanted)
            raw = joined.read(wanted) if own is None else Head.of(CommittedBlock.decode(own)).encode()
            if raw is None:
                raise Damaged(f"the header of height {wanted} is missing; remove {joining} to join anew")
            heads.append(wanted, raw)
        heads.sync()
        return blocks.first_height <= blocks.tip_height and blocks.first_height < height
    finally:
        for log in (heads, blocks, joined):
            log.close()


def _replace_blocks(folder: Path, joining: Path, height: int, block: bytes, *, keep_old: bool) -> None:
    """Put a block log that begins at the snapshot in place of the old one."""
    fresh, target = joining / BLOCKS_FOLDER, folder / BLOCKS_FOLDER
    shutil.rmtree(fresh, ignore_errors=True)
    log = BlockLog(fresh, begins_anywhere=True)
    log.append(height, block)
    log.sync()
    log.close()
    sync_directory(joining)
    shutil.rmtree(joining / "old", ignore_errors=True)
    saved = folder / f"blocks-below-{height}"
    if keep_old and not saved.exists():
        os.rename(target, saved)
    else:
        os.rename(target, joining / "old")
    os.rename(fresh, target)
    sync_directory(folder)
