"""Transactions of tests, each different by its number."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from coseal.ledger import transaction
from coseal.ledger.genesis import Genesis
from coseal.ledger.transaction import Transaction
from tests.support.genesis import START_MS
from tests.support.keys import signer

VALID_MS = 300_000


def signed(
    genesis: Genesis, number: int, *, member: str = "bank-a", time_ms: int = START_MS, padding: int = 0
) -> Transaction:
    """Return a transaction that is accepted and changes the state: a member's operator sets its profile."""
    args = {"description": str(number) + "x" * padding}
    return acted(genesis, number, f"{member}/admin", "membership.set_profile", args, time_ms=time_ms)


def acted(
    genesis: Genesis, number: int, sender: str, name: str, args: Mapping[str, Any], *, time_ms: int = START_MS
) -> Transaction:
    """Return the transaction with which a sender does ``contract.action``, valid for some time from ``time_ms`` on."""
    contract, _, action = name.partition(".")
    return transaction.sign(
        signer(sender),
        chain_id=genesis.chain_id,
        sender=sender,
        contract=contract,
        action=action,
        args=args,
        valid_until_ms=time_ms + VALID_MS,
        salt=number.to_bytes(16, "big"),
    )
