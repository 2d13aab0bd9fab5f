"""What a node declares of itself on the chain: a transaction of contract membership, signed with its consensus key.

Law: it is valid for half a minute at most; what is not in a block by then is sent again, or is not true any more.
"""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import sha256
from typing import Any, Final

from coseal.contracts.execution import Executor
from coseal.ledger import transaction
from coseal.ledger.signing import CannotSign, Signer
from coseal.ledger.transaction import SALT_BYTES, Transaction, node_sender

VALID_MS: Final = 30_000


def may_send(own: Mapping[str, Any] | None, signer: Signer | None) -> bool:
    """Say whether the chain takes a transaction of the node with this registry entry, signed by ``signer``."""
    return own is not None and signer is not None and own["consensus_key"] == signer.public_key.hex()


def sign(
    executor: Executor, signer: Signer, node_id: str, action: str, args: Mapping[str, Any], block_time_ms: int
) -> Transaction | None:
    """Return the transaction, to be sent at once; None if the signer is away."""
    height = executor.height
    try:
        return transaction.sign(
            signer,
            chain_id=executor.chain_id,
            sender=node_sender(node_id),
            contract="membership",
            action=action,
            args=args,
            valid_until_ms=block_time_ms + min(VALID_MS, executor.parameters.validity_ms_max),
            salt=sha256(f"{action} {node_id} {height}".encode()).digest()[:SALT_BYTES],
        )
    except CannotSign:
        return None
