"""Keys and signatures of simulated nodes: a cheap keyed hash for volume, or real Ed25519.

Law: both are deterministic, and nothing but the ``verify`` that is injected everywhere tells them apart. The cheap
one can be forged by who knows a public key, so only the behaviours that are about forging make wrong signatures.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from hashlib import blake2b, sha256

from coseal.ledger import signing
from coseal.ledger.signing import Ed25519Signer, Signer, Verify


class HashSigner:
    """Signs with BLAKE2b keyed by the public key, 64 bytes."""

    __slots__ = ("public_key",)

    def __init__(self, seed: bytes) -> None:
        public = bytearray(sha256(b"simulated key" + seed).digest())
        public[31] &= 0x3F  # genesis accepts only canonical points; this is one whose y is below the prime
        self.public_key = bytes(public)

    def sign(self, message: bytes) -> bytes:
        """Return the keyed hash of ``message``."""
        return blake2b(message, key=self.public_key).digest()


def hash_verify(public_key: bytes, message: bytes, signature: bytes) -> bool:
    """Say whether ``signature`` is the keyed hash."""
    return len(public_key) == 32 and blake2b(message, key=public_key).digest() == signature


@dataclass(frozen=True, slots=True)
class Scheme:
    """A way to sign. ``real`` says that it is Ed25519."""

    real: bool

    def signer(self, role: str, name: str) -> Signer:
        """Return the signer of a node ("node") or of a member's operator ("operator")."""
        return _signer(self.real, role, name)

    @property
    def verify(self) -> Verify:
        """The check that belongs to the scheme."""
        return signing.verify if self.real else hash_verify


@lru_cache(256)
def _signer(real: bool, role: str, name: str) -> Signer:
    seed = sha256(f"{role} {name}".encode()).digest()
    return Ed25519Signer(seed) if real else HashSigner(seed)
