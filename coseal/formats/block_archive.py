"""An archive of blocks: one file with all blocks of a node, for audits and replay when nodes prune.

Law: a file only grows, by whole records; an interrupted run is continued, and running again adds what is new.

The file is in the form of a node's block file, so an audit of those is an audit of this.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

from coseal.audit.sources import BLOCK_KIND, Damaged, FileSource, Unreachable
from coseal.errors import CosealError
from coseal.ledger import framing

_SYNC_BLOCKS = 1_000


def extend(node_data: Path, out: Path, report: Callable[[int, int], None] | None = None) -> tuple[int, int]:
    """Append to ``out`` the blocks of a node that it lacks; return how many those were, and its tip.

    Raises ``CosealError``: also when the node has pruned blocks that the archive lacks.
    """
    source = FileSource(node_data)
    try:
        goal = source.tip()
        have, end = _state(out)
        if have >= goal:
            return 0, have
        with out.open("ab") as file:
            if file.tell() > end:
                file.truncate(end)  # an interrupted run left part of a record
            for height, raw in enumerate(source.blocks(have + 1, goal), have + 1):
                file.write(framing.frame(height, BLOCK_KIND, raw))
                if report is not None:
                    report(height, goal)
                if height % _SYNC_BLOCKS == 0:
                    file.flush()
            file.flush()
            os.fsync(file.fileno())
    except (Unreachable, Damaged) as error:
        if isinstance(error, Damaged) and error.torn:  # the node is just writing its last block
            return _state(out)[0] - have, _state(out)[0]
        raise CosealError(f"{node_data}: {error.reason}", "choose a node that keeps all blocks") from None
    except OSError as error:
        raise CosealError(f"cannot write {out}: {error.strerror}") from None
    return goal - have, goal


def _state(out: Path) -> tuple[int, int]:
    """Return the height of the last whole record of an archive and where it ends; (0, 0) for none."""
    if not out.exists() or not out.stat().st_size:
        return 0, 0
    height, end = 0, 0
    with out.open("rb") as file:
        while True:
            head = file.read(framing.OVERHEAD)
            size = framing.OVERHEAD + int.from_bytes(head[2:6], "big")
            file.seek(end)
            record = framing.read(memoryview(file.read(size)), 0) if len(head) == framing.OVERHEAD else None
            if record is None:
                return height, end
            if record.sequence != height + 1 or record.kind != BLOCK_KIND:
                raise CosealError(f"{out} is no archive of blocks from height 1 on", "choose another file")
            height, end = record.sequence, end + size
