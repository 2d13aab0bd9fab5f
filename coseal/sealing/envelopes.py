"""Envelopes: what one member alone can open, in one place alone, also against a quantum computer of later years.

Law: an envelope is HPKE in base mode (RFC 9180) with the suite named here; its ``info`` binds it to chain, purpose and
receiver (``ledger.sealed.envelope_info``). Who sent it is said by the signature of the transaction that carries it.
"""

from __future__ import annotations

from hashlib import shake_256
from secrets import token_bytes
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.mlkem import MLKEM768PrivateKey, MLKEM768PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.hpke import (
    AEAD,
    KDF,
    KEM,
    MLKEM768X25519PrivateKey,
    MLKEM768X25519PublicKey,
    Suite,
)

from coseal.ledger import codec
from coseal.ledger.errors import Malformed
from coseal.ledger.sealed import SEALING_KEY_BYTES

SEED_BYTES: Final = 32
"""A private key: both halves are expanded from it."""

_LATTICE_SEED_BYTES: Final = 64
_LATTICE_BYTES: Final = 1_184
_SUITE: Final = Suite(KEM.MLKEM768_X25519, KDF.HKDF_SHA256, AEAD.AES_256_GCM)  # B8


class SealingKey:
    """A private key for envelopes; keep ``seed`` where only its owner reads."""

    def __init__(self, seed: bytes) -> None:
        self.seed = codec.octets(seed, "seed", size=SEED_BYTES)
        expanded = shake_256(seed).digest(_LATTICE_SEED_BYTES + 32)
        lattice = MLKEM768PrivateKey.from_seed_bytes(expanded[:_LATTICE_SEED_BYTES])
        curve = X25519PrivateKey.from_private_bytes(expanded[_LATTICE_SEED_BYTES:])
        self._key = MLKEM768X25519PrivateKey(lattice, curve)
        self.public = lattice.public_key().public_bytes_raw() + curve.public_key().public_bytes_raw()

    @classmethod
    def generate(cls) -> SealingKey:
        """Return a new key."""
        return cls(token_bytes(SEED_BYTES))

    def open(self, content: bytes, info: bytes) -> bytes:
        """Return what is in an envelope; raise ``Malformed`` if it is for another key or another place."""
        try:
            return bytes(_SUITE.decrypt(content, self._key, info))
        except (InvalidTag, ValueError):
            raise Malformed("envelope: it does not open with this key in this place") from None


def seal(public: bytes, text: bytes, info: bytes) -> bytes:
    """Return an envelope for the holder of a public key; raise ``Malformed`` for bytes that are no such key."""
    codec.octets(public, "sealing key", size=SEALING_KEY_BYTES)
    try:
        lattice = MLKEM768PublicKey.from_public_bytes(public[:_LATTICE_BYTES])
        key = MLKEM768X25519PublicKey(lattice, X25519PublicKey.from_public_bytes(public[_LATTICE_BYTES:]))
        return bytes(_SUITE.encrypt(text, key, info))
    except ValueError:
        raise Malformed("sealing key: not a public key of ML-KEM-768 and X25519") from None
