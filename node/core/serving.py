"""What a node gives its peers on demand: blocks, heads, snapshots and undecided bodies.

Law: how often a peer may ask is bounded (N8), and nothing is promised that is not there.
"""

from __future__ import annotations

from coseal.ledger.block import Block, CommittedBlock
from coseal.node.core import events, wire
from coseal.node.core.context import MachineContext
from coseal.node.core.joining import Question
from coseal.node.core.journal_writer import JournalWriter
from coseal.node.core.registry import Registry


class Serving:
    """Answers questions of peers; ``first_height`` is the lowest block in the log."""

    def __init__(
        self,
        context: MachineContext,
        journal: JournalWriter,
        registry: Registry,
        *,
        first_height: int,
    ) -> None:
        self.first_height = first_height
        self._executor, self._emit = context.executor, context.emit
        self._journal, self._allow = journal, registry.allow

    def blocks(self, peer: str, from_height: int, limit: int) -> None:
        """Send blocks, or say from which height on there are any."""
        if not self._allow(peer, "get-blocks"):
            return
        available = min(limit, wire.MAX_BLOCKS, self._executor.height - from_height + 1)
        if from_height < self.first_height:  # Z10
            self._emit(events.SendFrame(peer, wire.Pruned(from_height, self.first_height)))
        elif available > 0:
            self._emit(events.LoadBlocks(peer, from_height, available))
        else:
            self._emit(events.SendFrame(peer, wire.Blocks(from_height, ())))

    def snapshot(self, peer: str, question: Question) -> None:
        """Send what belongs to joining by a snapshot."""
        match question:
            case wire.GetSnapshot():
                if self._allow(peer, "get-snapshot"):
                    self._emit(events.LoadSnapshot(peer))
            case wire.GetItem(height, item):
                if self._allow(peer, "get-item"):
                    self._emit(events.LoadItem(peer, height, item))
            case wire.GetHeads(from_height, limit):
                if self._allow(peer, "get-heads"):
                    available = min(limit, wire.MAX_HEADS, self._executor.height - from_height + 1)
                    self._emit(events.LoadHeads(peer, from_height, max(0, available)))

    def body(self, peer: str, block_hash: bytes, tip: CommittedBlock | None) -> None:
        """Send a block that a quorum relied on this node to hold: of the height in progress, or just decided."""
        block: Block | None = self._journal.body(block_hash)
        if block is None and tip is not None and tip.block.hash == block_hash:
            block = tip.block
        if block is not None and self._allow(peer, "get-body"):
            self._emit(events.SendFrame(peer, wire.Body(block)))
