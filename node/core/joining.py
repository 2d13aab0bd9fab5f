"""When a node joins by a snapshot, and what the answers of its peers come to.

Law: a node takes the blocks themselves as long as somebody has them, unless its configuration calls a gap too large for
that; who gives something provably wrong is not asked again for a while, by anything that catches up.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final, TypeAlias

from coseal.ledger.errors import LedgerError
from coseal.ledger.head import Head
from coseal.ledger.snapshot import Manifest
from coseal.node.core import events, wire
from coseal.node.core.context import MachineContext
from coseal.node.core.header_chain import HeaderChain
from coseal.node.core.snapshot import Phase, SnapshotSync
from coseal.node.core.sync import Sync

PATIENCE_MS: Final = 5_000
Question: TypeAlias = wire.GetSnapshot | wire.GetHeads | wire.GetItem
Answer: TypeAlias = wire.Snapshot | wire.Heads | wire.Item


@dataclass(frozen=True, slots=True)
class Kept:
    """What an earlier process kept of a snapshot it was joining: all of it was verified before it was kept."""

    manifest: Manifest
    heads: Iterable[Head]
    items: frozenset[int]


class Joining:
    """Joins by a snapshot beside ``sync``."""

    def __init__(
        self,
        context: MachineContext,
        sync: Sync,
        header_chain: Callable[[], HeaderChain],
        kept: Kept | None,
    ) -> None:
        """``header_chain`` returns the own tip and the validators after it."""
        self._sync, self._header_chain, self._emit = sync, header_chain, context.emit
        self._gap_blocks = context.config.join_gap_blocks
        self._wanted_ms: int | None = None
        self.snapshots = SnapshotSync(header_chain(), sync.is_liar, context.config.verify)
        if kept is not None:
            self.snapshots.resume(kept.manifest, kept.heads, kept.items)

    def replaces_blocks(self, now_ms: int) -> bool:
        """Whether a snapshot is being fetched, or was asked for so lately that blocks can wait for the answers."""
        if self.snapshots.phase is Phase.ASKING and self._wanted_ms is not None:
            return 0 <= now_ms - self._wanted_ms < PATIENCE_MS
        return self.snapshots.phase in (Phase.HEADS, Phase.ITEMS, Phase.COMPLETE)

    @property
    def complete(self) -> bool:
        """Whether all is there: the node is about to start again on it."""
        return self.snapshots.phase is Phase.COMPLETE

    def received(self, peer: str, answer: Answer, now_ms: int) -> None:
        """Take an answer; raise ``LedgerError`` for one that is provably wrong, its peer is then a liar."""
        try:
            match answer:
                case wire.Snapshot(manifest):
                    self.snapshots.offered(peer, manifest, now_ms)
                case wire.Heads(from_height, raws):
                    kept, liar = self.snapshots.heads_received(peer, from_height, raws)
                    if kept:
                        self._emit(events.KeepHeads(tuple(kept)))
                    if liar is not None:
                        self._lied(liar, now_ms)
                case wire.Item(height, item, data):
                    if self.snapshots.item_received(peer, height, item, data) and data is not None:
                        self._emit(events.KeepItem(item, data))
        except LedgerError:
            self._lied(peer, now_ms)
            raise
        finally:
            self.step(now_ms)

    def tick(self, now_ms: int) -> None:
        """Once a second: give up on who does not answer, and see what is needed."""
        self.snapshots.tick(now_ms)
        self.consider(now_ms)
        self.step(now_ms)

    def consider(self, now_ms: int) -> None:
        """See whether a snapshot is needed: now that a peer has shown its tip, or said what it has no more."""
        if self.complete:
            return
        sync = self._sync
        # A claim is enough: every part of a snapshot proves itself, and blocks go on if nobody can give one.
        far = self._gap_blocks > 0 and sync.claimed - sync.tip >= self._gap_blocks
        if not sync.out_of_reach and not far:
            self.snapshots.rest()
            self._wanted_ms = None
        elif self.snapshots.phase is Phase.IDLE:
            self.snapshots.want(self._header_chain())
            self._wanted_ms = now_ms
            self.step(now_ms)
        else:
            self.snapshots.advanced(self._header_chain())

    def step(self, now_ms: int) -> None:
        """Do what can be done now; blocks may meanwhile have brought the node past the chosen snapshot."""
        if self.complete:
            return
        self.snapshots.advanced(self._header_chain())
        chosen = self.snapshots.decide(now_ms)
        if chosen is not None:
            self._emit(events.BeginJoin(chosen.encode()))
        for peer, question in self.snapshots.requests(now_ms):
            self._emit(events.SendFrame(peer, question))
        if self.complete and self.snapshots.chosen is not None:
            self._emit(events.AdoptSnapshot(self.snapshots.chosen.height))

    def _lied(self, peer: str, now_ms: int) -> None:
        self._sync.lied(peer, now_ms)  # Z11
        self.snapshots.distrust(peer)
        text = f"{peer} sent a part of a snapshot that does not prove itself; others are asked"
        self._emit(events.Noticed("bad_snapshot", text))
