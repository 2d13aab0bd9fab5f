"""Transactions of tests, each different by its number."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from coseal.ledger import transaction
from coseal.ledger.genesis import Genesis
from coseal.ledger.transaction import Transaction
from tests.support.genesis import START_MS
from tests.support.keys import operator

VALID_MS: Final = 300_000
"""How long a transaction is valid after the genesis, unless the test says otherwise."""


def signed(
    genesis: Genesis,
    number: int,
    *,
    member: str = "bank-a",
    valid_until_ms: int = START_MS + VALID_MS,
    padding: int = 0,
) -> Transaction:
    """Return a transaction that is accepted and changes the state: a member's operator sets its profile."""
    args = {"description": str(number) + "x" * padding}
    return acted(genesis, number, member, "membership.set_profile", args, valid_until_ms=valid_until_ms)


def acted(
    genesis: Genesis,
    number: int,
    member: str,
    name: str,
    args: Mapping[str, Any],
    *,
    valid_until_ms: int = START_MS + VALID_MS,
) -> Transaction:
    """Return the transaction with which a member's operator does ``contract.action``."""
    contract, _, action = name.partition(".")
    return transaction.sign(
        operator(member),
        chain_id=genesis.chain_id,
        sender=f"{member}/admin",
        contract=contract,
        action=action,
        args=args,
        valid_until_ms=valid_until_ms,
        salt=number.to_bytes(16, "big"),
    )
