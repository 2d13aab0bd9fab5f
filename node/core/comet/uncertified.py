"""Committed blocks whose certificate is not here: kept in the journal, published in order as certificates come.

Law: a block is in the journal before CometBFT is answered that it was committed; one is published, and leaves the
journal, only with a certificate that verifies, after all before it. What waits is bounded (M11).
"""

from __future__ import annotations

from collections import OrderedDict, deque
from dataclasses import dataclass
from typing import Final

from coseal.consensus.application import Executed
from coseal.contracts.execution import Outcome
from coseal.ledger.block import Block, CommittedBlock
from coseal.ledger.certificates import Certificate
from coseal.ledger.errors import LedgerError
from coseal.ledger.state import Change
from coseal.ledger.validators import ValidatorSet
from coseal.node.core import events as shell
from coseal.node.core.comet.certifying import Decided, certificate_of
from coseal.node.core.comet.journal import BlockJournal
from coseal.node.core.context import MachineContext

UNCERTIFIED_MAX: Final = 1_000


@dataclass(slots=True)
class _Waiting:
    """A committed block, with the validators of its height."""

    executed: Executed
    validators: ValidatorSet
    certificate: Certificate | None = None


class Uncertified:
    """``tip`` is the last published block, ``blocks`` are those that an earlier process left in the journal."""

    def __init__(self, context: MachineContext, tip: CommittedBlock | None, journal_data: bytes | None) -> None:
        self.tip = tip
        self._context = context
        self._journal = BlockJournal(journal_data, context.config.genesis.chain_id, context.config.node_id)
        self._waiting: OrderedDict[int, _Waiting] = OrderedDict()
        self._unwritten: deque[tuple[int, Change]] = deque()

    @property
    def blocks(self) -> tuple[Block, ...]:
        """What the journal held at the start."""
        return self._journal.blocks

    def start(self) -> None:
        """Begin a damaged journal again, and ask for what is missing."""
        if self._journal.damaged:
            held = tuple(waiting.executed.block for waiting in self._waiting.values())
            self._context.emit(shell.ReplaceJournal(self._journal.begin(held)))
        for height in self._waiting:
            self._context.emit(shell.AskCommit(height))

    def restored(self, executed: Executed, validators: ValidatorSet) -> None:
        """Take a block that the journal holds."""
        self._waiting[executed.block.header.height] = _Waiting(executed, validators)

    def commit(self, executed: Executed, validators: ValidatorSet) -> None:
        """Write a block to the journal and ask for its certificate; the machine halts if too many wait."""
        self._context.emit(shell.Append(self._journal.append(executed.block)))
        self.restored(executed, validators)
        if len(self._waiting) > UNCERTIFIED_MAX:  # M11
            self._context.halt(f"{len(self._waiting)} blocks wait for their certificates: CometBFT does not show them")
            return
        self._context.emit(shell.AskCommit(executed.block.header.height))

    def awaits(self, height: int) -> bool:
        """Whether the block of a height waits for its certificate."""
        waiting = self._waiting.get(height)
        return waiting is not None and waiting.certificate is None

    def certified(self, decided: Decided) -> None:
        """Publish what is certified now, in order; what does not hold is asked for again."""
        waiting = self._waiting[decided.height]
        block = waiting.executed.block
        try:
            waiting.certificate = certificate_of(
                decided, block.header, block.transactions, waiting.validators, self._context.config.verify
            )
        except LedgerError as error:
            self._context.count("refused_commit")
            self._context.emit(shell.Noticed("no_certificate", f"block {decided.height}: {error.reason}", severe=True))
            self._context.emit(shell.AskCommit(decided.height))
            return
        while self._waiting:
            height, first = next(iter(self._waiting.items()))
            if first.certificate is None:
                return
            del self._waiting[height]
            self._publish(first.executed, first.certificate)
        if self._journal.overgrown:
            self._context.emit(shell.ReplaceJournal(self._journal.begin()))

    def applied(self, height: int) -> None:
        """Let go of changes that the state database holds now."""
        if not self._unwritten or self._unwritten[0][0] != height:
            raise ValueError(f"the state of height {height} was not to be written next")
        self._context.executor.state.flushed(self._unwritten.popleft()[1])

    def _publish(self, executed: Executed, certificate: Certificate) -> None:
        outcome: Outcome = executed.result
        self.tip = CommittedBlock(executed.block, certificate, executed.receipts)
        self._unwritten.append((outcome.height, outcome.change))
        self._context.emit(shell.AppendBlock(self.tip))
        self._context.emit(shell.ApplyState(outcome.height, executed.block.hash, outcome.change))
        self._context.emit(shell.Published(self.tip, outcome))
