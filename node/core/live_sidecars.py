"""Which sidecars the state lists as live, as the contracts of the chain say; a copy beside the state, by name.

Law: the state decides; the copy is read from it at the start, and after each block for what the block may have changed.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from coseal.contracts.execution import Executor, Outcome
from coseal.contracts.kernel.sidecars import Named, Sidecars
from coseal.ledger.block import OK, Receipt


@dataclass(frozen=True, slots=True)
class SidecarCounts:
    """How many sidecars the state lists as live, and how many of those are here and are not."""

    live: int
    held: int
    missing: int


NO_SIDECARS: Final = SidecarCounts(0, 0, 0)


class LiveSidecars:
    """Sizes of the live sidecars by name, the oldest first."""

    def __init__(self, executor: Executor) -> None:
        self._executor = executor
        self.sizes: dict[bytes, int] = {}
        for says in executor.sidecar_hooks().values():
            listed = list(says.live(executor.reader))
            self.sizes |= {named.name: named.size for named in reversed(listed)}

    def decided(self, outcome: Outcome) -> list[Named]:
        """Follow a block, whose state is the executor's now; return what became live with it."""
        hooks = self._executor.sidecar_hooks()
        begun: list[Named] = []
        for name, says in self._changed(outcome, hooks):
            named = says.find(self._executor.reader, name)
            if named is None:
                self.sizes.pop(name, None)
            elif name not in self.sizes:
                self.sizes[name] = named.size
                begun.append(named)
        return begun

    def may_read(self, name: bytes, member: str) -> bool:
        """Say whether a member may read a live sidecar."""
        hooks = self._executor.sidecar_hooks().values()
        return any(says.may_read(self._executor.reader, name, member) for says in hooks)

    def _changed(self, outcome: Outcome, hooks: dict[str, Sidecars]) -> list[tuple[bytes, Sidecars]]:
        """Return the names whose listing the block may have begun or ended, each with who says so."""
        if not hooks:
            return []
        begun = Receipt.decode(outcome.receipts[0]).data
        acts = [(contract, "begin", begun[contract]) for contract in hooks if contract in begun]
        for tx, raw in zip(outcome.transactions, outcome.receipts[1:], strict=True):
            asked = [tx.contract] if tx.contract in hooks else []
            if self._executor.names(tx) is not None:
                asked = list(hooks)  # a contract may have observed it
            receipt = Receipt.decode(raw) if asked else None
            if receipt is not None and receipt.code == OK:
                acts += [(by, f"{tx.contract}.{tx.action}", receipt.data) for by in asked]
        return [(name, hooks[by]) for by, act, data in acts for name in hooks[by].changed(act, data)]
