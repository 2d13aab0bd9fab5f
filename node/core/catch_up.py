"""Catching up: executes what was fetched of the next heights, and asks for more, by blocks or by a snapshot.

Law: what a peer gave goes through the core like any decided block; one step executes so much and no more, then other
events have their turn (N19).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from coseal.consensus import events as core
from coseal.contracts.kernel.budget import BLOCK_STEPS
from coseal.ledger.block import Block
from coseal.ledger.certificate import PbftCertificate
from coseal.ledger.errors import LedgerError
from coseal.node.core import events, wire
from coseal.node.core.context import MachineContext
from coseal.node.core.events import Tick, TickKind
from coseal.node.core.header_chain import HeaderChain
from coseal.node.core.joining import Answer, Joining, Kept
from coseal.node.core.sync import Sync

CATCH_UP_STEPS: Final = BLOCK_STEPS
"""How much catching up one step of the machine may do before other events get their turn."""
_EACH_STEPS: Final = 100_000
"""What a block counts for beside its own steps: its certificate, its decoding, its write."""


class CatchUp:
    """Joins ``sync`` (blocks) and ``joining`` (a snapshot) with the core."""

    def __init__(
        self,
        context: MachineContext,
        run: Callable[[core.Event], bool],
        header_chain: Callable[[], HeaderChain],
        kept: Kept | None,
    ) -> None:
        """``run`` gives the core an event and says whether the node goes on."""
        self._context, self._executor, self._run = context, context.executor, run
        self._emit, self._count = context.emit, context.count
        self.sync = Sync(context.executor.height)
        self.joining = Joining(context, self.sync, header_chain, kept)

    def connected(self, peer: str) -> None:
        """A link to ``peer`` is up."""
        self.sync.connected(peer)
        self.joining.snapshots.connected(peer)

    def disconnected(self, peer: str) -> None:
        """The link is gone, and with it what was asked on it."""
        self.sync.disconnected(peer)
        self.joining.snapshots.disconnected(peer)
        self.ask()

    def tick(self) -> None:
        """Once a second: give up on who does not answer, and go on with others."""
        self.sync.tick(self._context.now_ms)
        self.joining.tick(self._context.now_ms)
        self.go_on()

    def received(self, peer: str, from_height: int, blocks: tuple[tuple[bytes, bytes], ...]) -> None:
        """Take blocks, and ask for what is missing before they are executed, so that it travels meanwhile."""
        if not self.sync.received(peer, from_height, blocks, self._context.now_ms):
            self._count("unasked_blocks")
        if self.ask():
            self._emit(events.StartTimer(Tick(TickKind.CATCH_UP), 0))
        else:
            self.go_on()

    def pruned(self, peer: str, from_height: int, first_height: int) -> None:
        """Note what a peer has no more."""
        self.sync.pruned(peer, from_height, first_height)
        self.ask()

    def join(self, peer: str, answer: Answer) -> None:
        """Take what belongs to joining by a snapshot; raise ``LedgerError``."""
        if self.sync.is_liar(peer, self._context.now_ms):
            self._count("unasked_snapshot")
        else:
            self.joining.received(peer, answer, self._context.now_ms)

    def want_next(self) -> None:
        """The network has decided the next height: ask at once."""
        self.sync.want_next()
        self.ask()

    def go_on(self) -> None:
        """Execute what was fetched for the next heights, then ask for more (N19)."""
        room = CATCH_UP_STEPS
        while (fetched := self.sync.next_block()) is not None:
            if room <= 0:
                self._emit(events.StartTimer(Tick(TickKind.CATCH_UP), 0))
                break
            spent = self._try(fetched.block, fetched.certificate)
            if spent is None:
                break
            room -= spent
        self.ask()

    def ask(self) -> bool:
        """Ask for what is missing, and say whether blocks were asked for."""
        self.joining.consider(self._context.now_ms)
        if self.joining.replaces_blocks(self._context.now_ms):
            return False
        requests = self.sync.requests(self._context.now_ms)
        for request in requests:
            self._emit(events.SendFrame(request.peer, wire.GetBlocks(request.from_height, request.limit)))
        return bool(requests)

    def _try(self, block_raw: bytes, certificate_raw: bytes) -> int | None:
        """Offer a fetched block to the core; return the steps it counts for, None when the node halted over it."""
        before = self._executor.height
        try:
            block, certificate = Block.decode(block_raw), PbftCertificate.decode(certificate_raw)
            if not self._run(core.CertifiedBlock(block, certificate)):
                return None
            if self._executor.height > before:
                return _EACH_STEPS + self._executor.tip_steps
        except LedgerError as error:
            self._count(f"refused_block_{type(error).__name__}")
        liar = self.sync.refused(self._context.now_ms)
        self._count("refused_blocks")
        text = f"{liar} sent a wrong block for height {before + 1}; others are asked"
        self._emit(events.Noticed("bad_block", text))
        return _EACH_STEPS
