"""Signatures: what is signed, and the one rule by which every path accepts an Ed25519 signature.

Law: bytes signed in one role never verify in another, and every node accepts the same set of signatures.

Rule E1 (docs/spec/encoding.md): 64-byte signature, 32-byte key, S < L, A and R canonical and not of small
order, then the cofactorless library check. Libraries differ outside this subset ("Taming the many EdDSAs",
Chalkias et al., 2020); the checks here close the difference before any library is asked.
"""

from __future__ import annotations

from collections.abc import Callable
from hashlib import sha256
from typing import Final, Protocol, TypeAlias

from nacl.bindings import crypto_sign, crypto_sign_open, crypto_sign_seed_keypair
from nacl.exceptions import BadSignatureError

from coseal.ledger.errors import BadSignature

PUBLIC_KEY_BYTES: Final = 32
SIGNATURE_BYTES: Final = 64
HASH_BYTES: Final = 32
ZERO_HASH: Final = bytes(HASH_BYTES)
_TAG_LENGTH: Final = 24
PREIMAGE_BYTES: Final = _TAG_LENGTH + 2 * HASH_BYTES
"""Length of what ``body_preimage`` returns."""


def _tag(name: str) -> bytes:
    return f"coseal/{name}/1".encode().ljust(_TAG_LENGTH, b"\0")  # D1


# One tag for every kind of thing that is signed or hashed; all of one length, so none is a prefix of another.
TAG_PROPOSAL: Final = _tag("proposal")
TAG_PREPARE: Final = _tag("prepare")
TAG_COMMIT: Final = _tag("commit")
TAG_ROUND_CHANGE: Final = _tag("round-change")
TAG_CHECKPOINT: Final = _tag("checkpoint")
TAG_TRANSACTION: Final = _tag("transaction")
TAG_HTTP: Final = _tag("http")
TAG_EXPORT: Final = _tag("export")
TAG_KEY: Final = _tag("key")
TAG_CONTRIBUTION: Final = _tag("contribution")  # D6, with the next
TAG_CONFIRMATION: Final = _tag("confirmation")
TAG_TRANSACTION_ID: Final = _tag("transaction-id")
TAG_HEADER: Final = _tag("header")
TAG_CERTIFICATE: Final = _tag("certificate")
TAG_VALIDATORS: Final = _tag("validators")
TAG_STATE_KEY: Final = _tag("state-key")
TAG_STATE_VALUE: Final = _tag("state-value")
TAG_STATE_ROOT: Final = _tag("state-root")
TAG_ITEM: Final = _tag("process-item")
TAG_CHAIN: Final = _tag("object-chain")
TAG_MOVEMENT: Final = _tag("movement")
TAG_MANDATE: Final = _tag("mandate")
TAG_VAULT: Final = _tag("vault")  # B1, with the others of docs/spec/disclosure.md
TAG_VAULT_KEY: Final = _tag("vault-key")
TAG_SEALED_VALUE: Final = _tag("sealed-value")
TAG_CELL: Final = _tag("cell")
TAG_CELL_PART: Final = _tag("cell-part")
TAG_CELL_KEY: Final = _tag("cell-key")
TAG_CELL_CHECK: Final = _tag("cell-check")
TAG_AUDIENCE: Final = _tag("audience")
TAG_REQUEST: Final = _tag("request")
TAG_ENVELOPE: Final = _tag("envelope")
TAG_RECEIVER: Final = _tag("receiver")
TAG_PARTS: Final = _tag("parts")

Verify: TypeAlias = Callable[[bytes, bytes, bytes], bool]
"""``verify(public_key, message, signature) -> bool``; the simulator passes a cheaper one for volume."""


def digest(tag: bytes, data: bytes) -> bytes:
    """Return SHA-256(tag ‖ data), 32 bytes."""
    return sha256(tag + data).digest()  # D4


def body_preimage(tag: bytes, chain_id: bytes, body: bytes) -> bytes:
    """Return the signed bytes of a transaction or HTTP request: tag ‖ chain_id ‖ SHA-256(body)."""
    return tag + chain_id + sha256(body).digest()  # D3


def key_preimage(chain_id: bytes, node_id: str, key: bytes) -> bytes:
    """Return what a new consensus key signs to prove that whoever has it wants it to be the key of this node."""
    return body_preimage(TAG_KEY, chain_id, node_id.encode() + b"\0" + key)  # D5


class CannotSign(Exception):
    """A signer does not sign this, or not now; ``reason`` says why. Whoever asked must do without the signature."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Signer(Protocol):
    """Holds one key and signs with it; a file, another process or a PKCS#11 token can stand behind it."""

    @property
    def public_key(self) -> bytes:
        """The 32-byte Ed25519 public key."""
        ...

    def sign(self, message: bytes) -> bytes:
        """Return the 64-byte deterministic signature of ``message`` (RFC 8032); raise ``CannotSign``."""
        ...


class Ed25519Signer:
    """A signer that holds its key in memory, made from a 32-byte seed (the RFC 8032 private key)."""

    __slots__ = ("_secret", "public_key")

    def __init__(self, seed: bytes) -> None:
        self.public_key, self._secret = crypto_sign_seed_keypair(seed)

    def sign(self, message: bytes) -> bytes:
        """Return the 64-byte signature of ``message``."""
        return crypto_sign(message, self._secret)[:SIGNATURE_BYTES]


_P: Final = 2**255 - 19
_L: Final = 2**252 + 27742317777372353535851937790883648493
_Y_MASK: Final = 2**255 - 1
# The y coordinates of the eight points of small order (RFC 8032 curve; "Taming the many EdDSAs", table 6a).
_Y8: Final = 0x7A03AC9277FDC74EC6CC392CFA53202A0F67100D760B3CBA4FD84D3D706A17C7
_SMALL_ORDER_Y: Final = frozenset({0, 1, _P - 1, _Y8, _P - _Y8})


def is_acceptable_point(encoded: bytes) -> bool:
    """Say whether 32 bytes are a canonical encoding (y < p) of a y that no point of small order has."""
    if len(encoded) != PUBLIC_KEY_BYTES:
        return False
    y = int.from_bytes(encoded, "little") & _Y_MASK
    return y < _P and y not in _SMALL_ORDER_Y


def verify(public_key: bytes, message: bytes, signature: bytes) -> bool:
    """Say whether ``signature`` is accepted under rule E1; never raises for bad input."""
    # E1: lengths, S < L, canonical A and R of no small order, then the library.
    if len(signature) != SIGNATURE_BYTES or int.from_bytes(signature[32:], "little") >= _L:
        return False
    if not is_acceptable_point(public_key) or not is_acceptable_point(signature[:32]):
        return False
    try:
        crypto_sign_open(signature + message, public_key)
    except BadSignatureError:
        return False
    return True


def require(public_key: bytes, message: bytes, signature: bytes, what: str, verify: Verify = verify) -> None:
    """Raise ``BadSignature`` naming ``what`` unless the signature verifies."""
    if not verify(public_key, message, signature):
        raise BadSignature(f"{what}: the signature does not verify")
