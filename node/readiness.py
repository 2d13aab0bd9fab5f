"""How an observer lets the chain know that it is caught up, so that governance may make it a validator.

Law: a node says so only when it is true, one word at a time, and only while it is an observer that the chain has not
heard for a while (M8).
"""

from __future__ import annotations

from hashlib import sha256
from typing import Any, Final

from contracts.execution import Executor
from contracts.membership_nodes import READY_BLOCKS
from ledger import transaction
from ledger.signing import CannotSign, Signer
from ledger.transaction import SALT_BYTES, Transaction, node_sender

AGAIN_BLOCKS: Final = READY_BLOCKS // 2
"""A word that still counts is repeated after so many blocks, so that no proposal waits for it."""
VALID_MS: Final = 30_000


class Readiness:
    """Says ``membership.ready`` for ``node_id`` when that is due; ``signer`` None: it has no key to say it with."""

    def __init__(self, executor: Executor, node_id: str, signer: Signer | None) -> None:
        self._executor, self._node_id, self._signer = executor, node_id, signer
        self._valid_until_ms = 0

    def due(self, own: dict[str, Any] | None, block_time_ms: int) -> Transaction | None:
        """Return what to send now, or None. ``own`` is the node's registry entry; the caller knows it is caught up."""
        height = self._executor.height
        if self._signer is None or own is None or own["kind"] != "observer":
            return None
        if own["consensus_key"] != self._signer.public_key.hex():
            return None
        if "ready" in own and height - own["ready"] < AGAIN_BLOCKS:
            return None
        if block_time_ms < self._valid_until_ms:  # the last word may still get into a block
            return None
        valid_until_ms = block_time_ms + min(VALID_MS, self._executor.parameters.validity_ms_max)
        salt = sha256(f"ready {self._node_id} {height}".encode()).digest()[:SALT_BYTES]
        try:
            word = transaction.sign(
                self._signer,
                chain_id=self._executor.chain_id,
                sender=node_sender(self._node_id),
                contract="membership",
                action="ready",
                args={"height": height},
                valid_until_ms=valid_until_ms,
                salt=salt,
            )
        except CannotSign:  # its signer is away: later
            return None
        self._valid_until_ms = valid_until_ms
        return word
