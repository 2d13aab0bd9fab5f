"""The machine that a node runs, whichever engine orders its chain: what the shell uses of it.

Law: ``step`` takes every event and answers with effects in order; everything else only looks.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Protocol

from coseal.contracts.execution import Executor
from coseal.contracts.kernel.action import Rejected
from coseal.ledger.block import CommittedBlock
from coseal.ledger.transaction import Transaction
from coseal.ledger.validators import ValidatorSet
from coseal.node.core.context import MachineConfig
from coseal.node.core.events import NodeEffect, NodeEvent, Pin
from coseal.node.core.health import NodeStatus
from coseal.node.core.mempool import Mempool


class EngineMachine(Protocol):
    """``node.core.machine.Machine`` for Coseal's PBFT, ``node.core.comet.machine.CometMachine`` for CometBFT."""

    config: MachineConfig
    executor: Executor
    mempool: Mempool

    def step(self, event: NodeEvent, now_ms: int) -> list[NodeEffect]:
        """Handle one event at wall time ``now_ms`` and return what to do, in order."""
        ...

    def status(self, now_ms: int) -> NodeStatus:
        """What this node says of itself and the network at ``now_ms``."""
        ...

    def refused_for_room(self, transactions: Sequence[Transaction], now_ms: int) -> dict[bytes, Rejected]:
        """Say, by raw bytes, which of clients' transactions have no place in the pool now, and why (N9)."""
        ...

    def may_read_sidecar(self, name: bytes, member: str) -> bool:
        """Say whether the state lists a sidecar as live and a member may read it."""
        ...

    @property
    def validators(self) -> ValidatorSet:
        """The validators of the height being decided."""
        ...

    @property
    def counters(self) -> Counter[str]:
        """What was refused, limited or contained since the start, by code."""
        ...

    @property
    def tip(self) -> CommittedBlock | None:
        """The block certified last, None at genesis."""
        ...

    @property
    def pins(self) -> tuple[Pin, ...]:
        """All registered nodes and the certificates of their links."""
        ...

    @property
    def first_height(self) -> int:
        """The lowest block in the log."""
        ...

    @property
    def missing_key(self) -> bytes | None:
        """The key of this node's seat if it has no signer for it."""
        ...

    @property
    def has_executed(self) -> bool:
        """Whether a step executed blocks since the last ``ExecutionTook``."""
        ...

    @property
    def answers_reads(self) -> bool:
        """Whether a quorum can be asked for a consistent read."""
        ...

    @property
    def catching_up(self) -> bool:
        """Whether this node executes blocks that others decided before."""
        ...
