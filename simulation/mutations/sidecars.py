"""Mistakes about sidecars: votes without them, writes in the wrong order, keeping and erasing by the wrong facts."""

from __future__ import annotations

from typing import Final

from simulation.mutations.mutant import Mutant, one

_HEIGHT = "coseal.consensus.height"
_CORE = "tests/node/core/test_sidecars.py"

MUTANTS: Final[dict[str, Mutant]] = {
    "prepare_without_sidecars": one(
        "a validator prepares a block although it lacks what the block names",
        _HEIGHT,
        "if not self._context.application.has_sidecars(block):  # P2",
        "if not (self._context.application.has_sidecars(block) or True):",
        "tests/consensus/test_sidecars.py",
    ),
    "sidecar_after_vote": one(
        "a sidecar is written when its block is decided, not before the vote",
        "coseal.node.core.application",
        "        self._sidecars.write(named)\n        return True",
        "        return True",
        _CORE,
    ),
    "sidecar_after_proposal": one(
        "a leader proposes a new block before its sidecars are written",
        "coseal.node.core.application",
        "        self._sidecars.write(one for one in named if one is not None)  # P1, N45\n",
        "",
        _CORE,
    ),
    "decide_waits": one(
        "a block is not decided while a sidecar of it is missing",
        _HEIGHT,
        "        if certificate is None or executed is None:\n            return False\n        self.decision",
        "        if certificate is None or executed is None:\n            return False\n"
        "        if not self._context.application.has_sidecars(executed.block):\n            return False\n"
        "        self.decision",
        "tests/consensus/test_sidecars.py",
    ),
    "erased_before_durable": one(
        "a sidecar is erased before the block that erased it is durable",
        "coseal.node.effects",
        "writer.after(lambda: writer.run(lambda: parts.storage.sidecars.erase(effect.name)))  # N51",
        "writer.run(lambda: parts.storage.sidecars.erase(effect.name))",
        "tests/node/test_effects.py",
    ),
    "ready_while_missing": one(
        "an observer says that it is ready while its peers have sidecars that it lacks",
        "coseal.node.core.machine",
        "settled=self._sidecars.settled",
        "settled=self._sidecars.settled or True",
        _CORE,
    ),
    "apart_is_work": one(
        "a transaction without its sidecar is in the pool, and work",
        "coseal.node.core.admission",
        "if lacking or self._apart.holds_up(transaction.sender):",
        "if not transaction:",
        _CORE,
    ),
    "let_go_by_receipt": one(
        "a sidecar that a pending or proposed transaction names is let go of",
        "coseal.node.core.sidecars",
        "if name not in pending and (",
        "if name in others and (",
        _CORE,
    ),
    "erased_is_served": one(
        "a node that is catching up serves what its old state lists",
        "coseal.node.core.sidecars",
        "            return name in self._live.sizes and not self._is_behind()",
        "            return name in self._live.sizes",
        _CORE,
    ),
}
