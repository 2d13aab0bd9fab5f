"""What the parts of a machine share: who the node is, its state, what is counted, and what this step does.

Law: ``now_ms`` and ``effects`` live for one step only. Parts add to ``effects`` and ``counters`` and read the rest;
``halted`` is set once.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from coseal.contracts.execution import Executor
from coseal.ledger import signing
from coseal.ledger.genesis import Genesis
from coseal.ledger.signing import Signer, Verify
from coseal.node.core.events import ContractFault, Halt, NodeEffect
from coseal.node.core.mempool import MempoolLimits
from coseal.node.core.verified_cache import VerifiedCache


@dataclass(frozen=True, slots=True)
class MachineConfig:
    """Who the node is. ``signer`` is None for a node without a consensus key, which only follows.

    ``next_signer`` holds the key that is to replace it, or did already; the epoch says which of them counts.
    ``join_gap_blocks``: this many blocks behind it prefers a snapshot to blocks, 0 only when no peer has the blocks.
    """

    genesis: Genesis
    node_id: str
    signer: Signer | None
    software_version: str = ""
    limits: MempoolLimits | None = None
    verify: Verify = signing.verify
    join_gap_blocks: int = 0
    next_signer: Signer | None = None


@dataclass(slots=True)
class MachineContext:
    """``verified`` is the cache behind ``executor``'s admit. ``halted``: why the machine stopped for good, or None."""

    config: MachineConfig
    executor: Executor
    verified: VerifiedCache
    counters: Counter[str] = field(default_factory=Counter)
    effects: list[NodeEffect] = field(default_factory=list)
    now_ms: int = 0
    halted: str | None = None

    def emit(self, effect: NodeEffect) -> None:
        """Append an effect of this step."""
        self.effects.append(effect)

    def count(self, code: str) -> None:
        """Count what was refused or limited, by its code."""
        self.counters[code] += 1

    def halt(self, reason: str, *, needs_release: bool = False) -> None:
        """Stop the machine for good."""
        self.halted = reason
        self.emit(Halt(reason, needs_release))

    def take_effects(self) -> list[NodeEffect]:
        """Return the effects of the step that ends, faults of contracts last."""
        for height, (name, tx_id, error) in self.executor.take_faults():
            self.count("contract_fault")
            self.emit(ContractFault(name, height, tx_id, error))
        effects, self.effects = self.effects, []
        return effects
