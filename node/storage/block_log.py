"""The block log: every committed block in order, in files that only grow. It is what the node knows; the state
database and the SQL index are caches of it. The heads of pruned blocks are kept in a log of the same kind.

Law: record h of the log is the block of height h, and a record is reported durable only after fdatasync. A damaged
last record is the trace of a crash: it is cut off and said. Damage anywhere else is refused, naming the height.

Files: ``blocks/00000001.log``, ``00000002.log``, ... of about 64 MiB; records as in ``ledger.framing``, type 1,
the sequence number is the height and the payload a ``CommittedBlock``.
"""

from __future__ import annotations

import mmap
import os
from array import array
from bisect import bisect_right
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from coseal.ledger import framing
from coseal.node.storage.files import Damaged, disk_errors, how_to_repair, replace_file, sync_directory, write_all

BLOCK: Final = 1
HEAD: Final = 2
SEGMENT_BYTES: Final = 64 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class _Segment:
    path: Path
    descriptor: int
    first_height: int


class BlockLog:
    """The open log. ``append`` and ``sync`` belong to one thread; ``read`` may be called from any.

    ``notices`` says in words what ``open`` repaired.
    """

    def __init__(
        self,
        folder: Path,
        *,
        segment_bytes: int = SEGMENT_BYTES,
        kind: int = BLOCK,
        begins_anywhere: bool = False,
        read_only: bool = False,
    ) -> None:
        """Open or create the log in ``folder`` and verify every record; raise ``StorageError``.

        ``kind`` is the records' type byte. ``begins_anywhere``: the first files may be missing, because they were
        pruned. ``read_only``: another process may be writing; an incomplete last record is left as it is.
        """
        self.notices: list[str] = []
        self._folder = folder
        self._segment_bytes = segment_bytes
        self._kind, self._begins_anywhere, self._read_only = kind, begins_anywhere, read_only
        self._segments: list[_Segment] = []
        self._retired: list[_Segment] = []
        self._base = 0  # the height below the first record of the files as they were opened
        self.first_height = 1
        self._starts = array("Q")  # offset of height h in its segment, at index h - 1 - base
        self._lengths = array("L")
        self._end = 0  # of the last segment
        with disk_errors("open", folder):
            if not read_only:
                folder.mkdir(mode=0o700, exist_ok=True)
            paths = sorted(path for path in folder.iterdir() if path.suffix == ".log")
        try:
            for path in paths:
                self._open_segment(path, last=path == paths[-1])
        except BaseException:
            self.close()
            raise
        self.durable_height = self.tip_height

    @property
    def tip_height(self) -> int:
        """The height of the last appended block, 0 for an empty log."""
        return self._base + len(self._starts)

    @property
    def second_file_height(self) -> int | None:
        """The height with which the second file begins, None if there is but one."""
        segments = self._segments
        return segments[1].first_height if len(segments) > 1 else None

    def append(self, height: int, payload: bytes) -> None:
        """Write the record of ``height`` = tip + 1; it is durable after ``sync``. Raises ``StorageError``."""
        if not self._starts and self._begins_anywhere:
            self._begin_at(height)
        if height != self.tip_height + 1:
            raise ValueError(f"block {height} does not follow the log's tip {self.tip_height}")
        if not self._segments or self._end >= self._segment_bytes:
            self._start_segment()
        segment = self._segments[-1]
        record = framing.frame(height, self._kind, payload)
        with disk_errors(f"append block {height} to", segment.path):
            write_all(segment.descriptor, record)
        self._lengths.append(len(record))
        self._starts.append(self._end)  # last: a reader in another thread looks at this array's length
        self._end += len(record)

    def sync(self) -> None:
        """Make all appended records durable. Raises ``StorageError``; never call it again after that."""
        if self._segments:
            segment = self._segments[-1]
            with disk_errors("sync", segment.path):
                os.fdatasync(segment.descriptor)
        self.durable_height = self.tip_height

    def read(self, height: int) -> bytes | None:
        """Return the bytes of the ``CommittedBlock`` of ``height``, or None if the log has none.

        Raises ``Damaged`` if the disk returns other bytes than were written.
        """
        segments = self._segments  # replaced, never changed, by another thread that prunes
        if not self.first_height <= height <= self.tip_height:
            return None
        segment = segments[bisect_right(segments, height, key=lambda item: item.first_height) - 1]
        place = height - 1 - self._base
        with disk_errors(f"read block {height} from", segment.path):
            data = os.pread(segment.descriptor, self._lengths[place], self._starts[place])
        record = framing.read(memoryview(data), 0)
        if record is None or record.sequence != height or record.kind != self._kind:
            raise Damaged(_damage(segment.path, height, self._starts[place]))
        return record.payload

    def prune(self, first_height: int) -> bool:
        """Remove the files that hold only blocks below ``first_height``, never the last one; say whether any was.

        A removed file stays open, for readers that are just at it, until the next one is.
        """
        count = sum(later.first_height <= first_height for later in self._segments[1:])
        if not count:
            return False
        removed, kept = self._segments[:count], self._segments[count:]
        self.first_height, self._segments = kept[0].first_height, kept
        for segment in self._retired:
            os.close(segment.descriptor)
        self._retired = removed
        with disk_errors("prune", self._folder):
            for segment in removed:
                segment.path.unlink()
            sync_directory(self._folder)
        return True

    def rewrite_first(self, first_height: int) -> bool:
        """Let the first file begin at ``first_height``, which is in it; the log must be opened again then."""
        segment = self._segments[0]
        last = self._segments[1].first_height - 1 if len(self._segments) > 1 else self.tip_height
        if not segment.first_height < first_height <= last:
            return False
        records = [(height, self.read(height)) for height in range(first_height, last + 1)]
        data = b"".join(framing.frame(height, self._kind, raw) for height, raw in records if raw is not None)
        replace_file(segment.path, data)
        return True

    def close(self) -> None:
        """Close the files."""
        for segment in self._segments + self._retired:
            os.close(segment.descriptor)
        self._segments, self._retired = [], []

    def _start_segment(self) -> None:
        """Begin the next file; the last one is made durable first, so that only the last file can be torn."""
        if self._segments:
            self.sync()
        number = int(self._segments[-1].path.stem) + 1 if self._segments else 1
        path = self._folder / f"{number:08d}.log"
        with disk_errors("create", path):
            flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_APPEND | os.O_CLOEXEC
            descriptor = os.open(path, flags, 0o600)
            sync_directory(self._folder)
        self._segments = [*self._segments, _Segment(path, descriptor, self.tip_height + 1)]
        self._end = 0

    def _open_segment(self, path: Path, *, last: bool) -> None:
        number = int(self._segments[-1].path.stem) + 1 if self._segments else 1
        anywhere = self._begins_anywhere and not self._segments and path.stem.isdecimal()
        if path.name != f"{number:08d}.log" and not anywhere:
            raise Damaged(
                f"{self._folder}: the block file before {path.name} is missing, with block {self.tip_height + 1}; "
                f"restore it, or {how_to_repair(self._folder.parent)}: the blocks from there on come from peers again"
            )
        with disk_errors("open", path):
            flags = os.O_RDONLY if self._read_only else os.O_RDWR | os.O_APPEND
            descriptor = os.open(path, flags | os.O_CLOEXEC)
        self._segments.append(_Segment(path, descriptor, self.tip_height + 1))
        with disk_errors("read", path):
            size = os.fstat(descriptor).st_size
            self._end = self._scan(descriptor, path, size, last=last) if size else 0

    def _scan(self, descriptor: int, path: Path, size: int, *, last: bool) -> int:
        """Verify and index the records of one file; return where the good part ends."""
        with mmap.mmap(descriptor, size, prot=mmap.PROT_READ) as mapped, memoryview(mapped) as view:
            offset = 0
            while offset < size:
                height = self.tip_height + 1
                record = framing.read(view, offset)
                if record is not None and not self._starts and self._begins_anywhere:
                    height = self._begin_at(record.sequence)
                if record is None:
                    # Good records after a bad one cannot come from a crash: appends are in order.
                    if not last or framing.is_followed(view, offset, height):
                        raise Damaged(_damage(path, height, offset))
                    if not self._read_only:
                        self._cut(descriptor, path, height, offset, size)
                    return offset
                if record.sequence != height or record.kind != self._kind:
                    raise Damaged(_damage(path, height, offset))
                self._lengths.append(record.end - record.start)
                self._starts.append(offset)
                offset = record.end
        return offset

    def _begin_at(self, height: int) -> int:
        """Note that the first record of all is that of ``height``."""
        self._base, self.first_height = height - 1, height
        self._segments = [replace(segment, first_height=height) for segment in self._segments[-1:]]
        return height

    def _cut(self, descriptor: int, path: Path, height: int, offset: int, size: int) -> None:
        os.ftruncate(descriptor, offset)
        os.fsync(descriptor)
        self.notices.append(
            f"the last record of {path}, block {height}, was damaged or incomplete: {size - offset} bytes cut off, "
            "the block will be fetched again from peers"
        )


def _damage(path: Path, height: int, offset: int) -> str:
    return (
        f"block {height} is damaged in {path} at byte {offset}, and it is not the last record; the node does not "
        f"start from it: restore the file, or {how_to_repair(path.parent.parent)}: the blocks from there on come from "
        "peers again"
    )
