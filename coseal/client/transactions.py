"""A member's transaction: signed here, and as a node proves that it was committed.

Law: the bytes of a transaction are the same however often they are sent, so nothing can happen twice.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from coseal.errors import CosealError, Refused
from coseal.ledger.block import Receipt
from coseal.ledger.errors import LedgerError
from coseal.ledger.genesis import Genesis
from coseal.ledger.handover import Handover, with_handovers
from coseal.ledger.proof import TransactionProof
from coseal.ledger.render import proof_json
from coseal.ledger.signing import Signer
from coseal.ledger.transaction import SALT_BYTES, Transaction, sign


@dataclass(frozen=True, slots=True)
class Committed:
    """A committed transaction: where it stands, its outcome, and the proof of both (verified).

    ``handovers`` lead from the genesis to the validators who certified it.
    """

    transaction: Transaction
    receipt: Receipt
    proof: TransactionProof
    handovers: tuple[Handover, ...] = ()

    @property
    def ok(self) -> bool:
        """Whether it took effect; if not, the receipt says why."""
        return self.receipt.ok

    @property
    def height(self) -> int:
        """The height of its block."""
        return self.proof.header.height

    @property
    def data(self) -> Mapping[str, Any]:
        """What the contract answered."""
        return self.receipt.data

    def document(self) -> dict[str, Any]:
        """Return the receipt file, which ``coseal verify`` checks with the genesis alone."""
        return with_handovers(proof_json(self.proof), self.handovers)

    def require_ok(self) -> Committed:
        """Return self, or raise ``Refused`` with the contract's code."""
        if not self.ok:
            raise Refused(self.receipt.code, self.receipt.detail)
        return self


def sign_as(
    genesis: Genesis,
    sender: str,
    signer: Signer,
    contract: str,
    action: str,
    args: Mapping[str, Any],
    *,
    valid_for_ms: int | None = None,
) -> Transaction:
    """Return a transaction of ``sender`` (MEMBER/USER), valid for half the time the chain allows by default.

    Raises ``BadArguments`` for what the chain would refuse whatever its state.
    """
    from coseal.client.arguments import require_valid  # all contracts, for those alone who write

    require_valid(contract, action, args)
    return signed(genesis, sender, signer, contract, action, args, valid_for_ms=valid_for_ms)


def signed(
    genesis: Genesis,
    sender: str,
    signer: Signer,
    contract: str,
    action: str,
    args: Mapping[str, Any],
    *,
    valid_for_ms: int | None = None,
) -> Transaction:
    """Return a transaction as ``sign_as`` does, whose arguments are left to the chain to check."""
    validity_ms = genesis.parameters.validity_ms_max // 2 if valid_for_ms is None else valid_for_ms
    try:
        return sign(
            signer,
            chain_id=genesis.chain_id,
            sender=sender,
            contract=contract,
            action=action,
            args=dict(args),
            valid_until_ms=time.time_ns() // 1_000_000 + validity_ms,
            salt=secrets.token_bytes(SALT_BYTES),
        )
    except (LedgerError, TypeError, ValueError, OverflowError) as error:
        raise CosealError(f"{contract}.{action} cannot be made into a transaction: {error}") from None
