"""The genesis document in a file: what a client trusts, and needs of a chain."""

from __future__ import annotations

from pathlib import Path

from coseal.errors import CosealError
from coseal.ledger.errors import LedgerError
from coseal.ledger.genesis import Genesis


def read_genesis(path: Path, chain_id: str | None = None) -> Genesis:
    """Read a genesis file; with ``chain_id`` (hex), also check that it is that chain's."""
    try:
        genesis = Genesis.decode(path.read_bytes())
    except OSError as error:
        raise CosealError(f"{path}: {error.strerror}", "give --genesis FILE") from None
    except LedgerError as error:
        raise CosealError(f"{path}: {error.reason}", "this is not a genesis document") from None
    if chain_id is not None and genesis.chain_id.hex() != chain_id:
        raise CosealError(f"{path} was changed: its chain id is {genesis.chain_id.hex()}, expected {chain_id}")
    return genesis
