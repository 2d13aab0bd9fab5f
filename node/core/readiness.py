"""An observer declares on the chain that it is caught up, so that governance may make it a validator.

Law: a node declares it only when it is true, once at a time, and only while it is an observer whose last declaration
is old (M8).
"""

from __future__ import annotations

from typing import Any, Final

from coseal.contracts.execution import Executor
from coseal.contracts.membership.nodes import READY_BLOCKS
from coseal.ledger.signing import Signer
from coseal.ledger.transaction import Transaction
from coseal.node.core import own_transaction

AGAIN_BLOCKS: Final = READY_BLOCKS // 2
"""A declaration that still counts is repeated after this many blocks, so that no proposal waits for it."""


class Readiness:
    """Sends ``membership.ready`` for ``node_id`` when that is due; ``signer`` None: it has no key to sign with."""

    def __init__(self, executor: Executor, node_id: str, signer: Signer | None) -> None:
        self._executor, self._node_id, self._signer = executor, node_id, signer
        self._valid_until_ms = 0

    def due(self, own: dict[str, Any] | None, block_time_ms: int) -> Transaction | None:
        """Return what to send now, or None. ``own`` is the node's registry entry; the caller knows it is caught up."""
        height = self._executor.height
        if self._signer is None or own is None or own["kind"] != "observer":
            return None
        if not own_transaction.may_send(own, self._signer):
            return None
        if "ready" in own and height - own["ready"] < AGAIN_BLOCKS:
            return None
        if block_time_ms < self._valid_until_ms:  # the last one may still get into a block
            return None
        args = {"height": height}
        transaction = own_transaction.sign(self._executor, self._signer, self._node_id, "ready", args, block_time_ms)
        if transaction is not None:
            self._valid_until_ms = transaction.valid_until_ms
        return transaction
