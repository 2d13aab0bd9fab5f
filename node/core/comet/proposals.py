"""The next block under CometBFT: what this node proposes, votes for, and executes once it is decided.

Law: a proposed block is executed before the vote, and the clock only ever turns a no into a yes (M9). Nothing here is
the state: what was proposed or finalized is forgotten by a restart, and asked again.
"""

from __future__ import annotations

from collections import OrderedDict
from typing import Final

from coseal.consensus.application import Draft, Executed, Invalid
from coseal.consensus.rules import PATIENCE_MS, WINDOW_MS_MAX
from coseal.consensus.timers import doubled_ms
from coseal.ledger.block import Block, Header
from coseal.ledger.comet import address_of
from coseal.ledger.errors import LedgerError
from coseal.ledger.signing import ZERO_HASH
from coseal.node.core.application import LedgerApplication
from coseal.node.core.comet import abci
from coseal.node.core.context import MachineContext

_ACCEPTED_MAX: Final = 64


class BadBlock(LedgerError):
    """What CometBFT shows is no block of this chain."""


class Proposals:
    """Blocks of the height after ``parent``, the hash of the last one; ``finalized`` is the one that is decided."""

    def __init__(self, context: MachineContext, application: LedgerApplication, parent: bytes) -> None:
        self.parent = parent
        self.finalized: Executed | None = None
        self._context, self._application = context, application
        self._executor = context.executor
        self._asked = 0  # how often a proposal of the next height was shown
        self._accepted: OrderedDict[bytes, None] = OrderedDict()

    def advance(self, executed: Executed) -> None:
        """Make a decided block the last one."""
        self._application.advance(executed)
        self.parent = executed.block.hash
        self._asked, self.finalized = 0, None
        self._accepted.clear()

    def prepare(self, request: abci.PrepareProposal) -> list[bytes]:
        """Return the block that this node proposes, header first; CometBFT's own list where it cannot make one."""
        executor, node_id = self._executor, self._context.config.node_id
        validators, height = executor.validators, executor.height + 1
        if request.height == height and validators.index(node_id) is not None:
            draft = Draft(
                height=height,
                parent_hash=self.parent,
                epoch=validators.epoch,
                validators_hash=validators.hash,
                proposer=node_id,
                created_round=0,
                time_ms=max(self._context.now_ms, executor.time_ms + 1),
                last_commit=None,
            )
            block = self._application.build(draft).block
            chosen = [block.header.raw, *block.transactions]
            if sum(map(abci.size_in_block, chosen)) <= request.max_bytes:
                return chosen
        self._context.count("no_proposal")
        return _fitting(request)  # without a header: everyone refuses it, and another validator proposes

    def process(self, proposed: abci.Proposed) -> str | None:
        """Return why this node does not vote for a block, or None."""
        round, self._asked = self._asked, self._asked + 1
        try:
            block = self._read(proposed)
        except LedgerError as error:
            return error.reason
        if block.hash not in self._accepted:
            fault = self._time_fault(block.header.time_ms, round)
            if fault is not None:
                return fault
        executed = self._application.execute(block)
        if isinstance(executed, Invalid):
            return executed.reason
        self._accepted[block.hash] = None
        if len(self._accepted) > _ACCEPTED_MAX:
            self._accepted.popitem(last=False)
        return None

    def finalize(self, proposed: abci.Proposed) -> Executed | None:
        """Execute a decided block; None, and the machine halts, for one that this node refuses."""
        try:
            block = self._read(proposed)
        except LedgerError as error:
            self._context.halt(f"block {proposed.height} is decided and no block of this chain: {error.reason}")
            return None
        executed = self._application.execute(block)
        if isinstance(executed, Invalid):
            self._context.halt(f"block {proposed.height} is decided, and this node refuses it: {executed.reason}")
            return None
        self.finalized = executed
        return executed

    def _time_fault(self, time_ms: int, round: int) -> str | None:
        """M9: T7, without the cap of 60 s towards the past: what was once proposed is accepted after enough rounds.

        The clock is all that nodes may judge differently, and it only ever turns a no into a yes: else a block on which
        some are locked could be refused by the others for ever after an outage.
        """
        now_ms, precision_ms = self._context.now_ms, self._context.config.genesis.parameters.clock_precision_ms
        earliest = now_ms - ((PATIENCE_MS + precision_ms) << min(round, 40))
        latest = max(now_ms + doubled_ms(precision_ms, round, WINDOW_MS_MAX), self._executor.time_ms + 1)
        return None if earliest <= time_ms <= latest else f"time is {time_ms - now_ms} ms from our clock"

    def _read(self, proposed: abci.Proposed) -> Block:
        """Return our block in one of CometBFT's; raise ``LedgerError`` unless it follows the tip."""
        if not proposed.transactions:
            raise BadBlock("no header")
        header = Header.decode(proposed.transactions[0])
        if header.height != proposed.height or header.parent_hash != self.parent:
            raise BadBlock("the header does not follow the tip")
        if header.created_round or header.last_commit_hash != ZERO_HASH:  # M8
            raise BadBlock("the header names a round or a certificate")
        validators = self._executor.validators
        index = validators.index(header.proposer)
        if index is None or address_of(validators[index].key) != proposed.proposer:
            raise BadBlock(f"the header names {header.proposer} as proposer")
        return Block(header, proposed.transactions[1:], None)


def _fitting(request: abci.PrepareProposal) -> list[bytes]:
    room, chosen = request.max_bytes, []
    for raw in request.transactions:
        room -= abci.size_in_block(raw)
        if room < 0:
            break
        chosen.append(raw)
    return chosen
