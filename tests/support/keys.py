"""Keys of tests: each follows from a name, so it is the same in every run.

An operator is named ``member/user`` and a node ``node:ID``, as senders of transactions are; any other name will do too.
"""

from __future__ import annotations

from hashlib import sha256

from coseal.ledger.signing import Ed25519Signer

_MADE: dict[bytes, Ed25519Signer] = {}


def seed(name: str) -> bytes:
    """Return the seed of a name's key."""
    return sha256(name.replace("node:", "node ").encode()).digest()


def signer(name: str) -> Ed25519Signer:
    """Return the signer of a name."""
    made = Ed25519Signer(seed(name))
    return _MADE.setdefault(made.public_key, made)


def operator(member: str, user: str = "admin") -> Ed25519Signer:
    """Return the signer of a member's operator."""
    return signer(f"{member}/{user}")


def validator(node: str) -> Ed25519Signer:
    """Return the signer of a node."""
    return signer(f"node:{node}")


def signer_of(public_key: bytes) -> Ed25519Signer:
    """Return the signer of a key that was made before."""
    return _MADE[public_key]
