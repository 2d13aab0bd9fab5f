"""The symmetric ciphers of sealed data: a cell under its own key, and that key under an audience's.

Law: a key encrypts one plaintext, that of its cell, so the nonce is fixed; GCM-SIV reveals no more than equality even
where a client repeats a cell id. RFC 8452 (AES-256-GCM-SIV), RFC 3394 (AES key wrap).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, NamedTuple

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCMSIV
from cryptography.hazmat.primitives.keywrap import InvalidUnwrap, aes_key_unwrap, aes_key_wrap

from coseal.ledger import codec
from coseal.ledger.codec import Value
from coseal.ledger.custody import KEY_BYTES
from coseal.ledger.errors import Malformed
from coseal.ledger.sealed import LINES_MAX, SALT_BYTES, pad, unpad

_NONCE: Final = bytes(12)


class SealedValue(NamedTuple):
    """One attribute in the clear, with the salt of its commitment."""

    name: str
    salt: bytes
    value: Value


def encrypt_cell(key: bytes, cell: bytes, values: Sequence[SealedValue], size: int = 0) -> bytes:
    """Return the ciphertext of the attributes of a cell (its id), at least as long as ``size`` bytes of text."""
    plaintext = codec.encode([[name, salt, value] for name, salt, value in values])
    return AESGCMSIV(key).encrypt(_NONCE, pad(plaintext, size), cell)  # B5


def decrypt_cell(key: bytes, cell: bytes, ciphertext: bytes) -> list[SealedValue]:
    """Return the attributes of a cell; raise ``Malformed`` if the key does not open it, or to something else."""
    try:
        padded = AESGCMSIV(key).decrypt(_NONCE, ciphertext, cell)
    except InvalidTag:
        raise Malformed("ciphertext: this key does not open it in this place") from None
    listed = codec.sequence(codec.decode(unpad(padded)), "cell", limit=LINES_MAX)
    return [_value(item) for item in listed]


def wrap(wrapping_key: bytes, key: bytes) -> bytes:
    """Return the key of a cell wrapped for an audience, as a sidecar carries it (``custody.wrapping_key``)."""
    return aes_key_wrap(wrapping_key, key)  # B9


def unwrap(wrapping_key: bytes, wrapped: bytes) -> bytes:
    """Return the key of a cell; raise ``Malformed`` if it was wrapped under another key."""
    try:
        return codec.octets(aes_key_unwrap(wrapping_key, wrapped), "key", size=KEY_BYTES)
    except InvalidUnwrap:
        raise Malformed("wrap: another audience, version or sidecar") from None


def _value(item: Any) -> SealedValue:
    listed = codec.sequence(item, "attribute", limit=3)
    if len(listed) != 3:
        raise Malformed("attribute: expected its name, salt and value")
    name, salt, value = listed
    return SealedValue(codec.text(name, "name", limit=64), codec.octets(salt, "salt", size=SALT_BYTES), value)
