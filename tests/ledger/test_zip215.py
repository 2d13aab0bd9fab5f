"""ZIP-215 as CometBFT has it: its published vectors, and what it accepts that rule E1 refuses.

What CometBFT 0.38.25 says of each signature here was asked of its own code (``crypto/ed25519``).
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from coseal.ledger import signing, zip215
from coseal.ledger.signing import Ed25519Signer
from tests.support.zip215 import L, sign, small_encodings

SPECCHECK = json.loads((Path(__file__).parents[1] / "vectors" / "ed25519_speccheck.json").read_bytes())
ACCEPTED_CASES = {0, 1, 2, 3, 4, 5, 9, 10, 11}
"""S is L or more in 6 and 7; in 8 R is not canonical, and was hashed as if it were."""
SEED = b"\x07" * 32
SIGNER = Ed25519Signer(SEED)


@pytest.mark.parametrize("number", range(12))
def test_a_speccheck_case_is_accepted_where_cometbft_accepts_it(number: int) -> None:
    key, message, signature = (bytes.fromhex(SPECCHECK[number][name]) for name in ("pub_key", "message", "signature"))
    assert zip215.verify(key, message, signature) == (number in ACCEPTED_CASES)


def test_every_point_of_small_order_in_every_encoding_is_accepted_as_key_and_as_nonce() -> None:
    """The 196 vectors of ZIP-215: S is 0, the message Zcash."""
    encodings = small_encodings()
    assert len(set(encodings)) == 14
    for key in encodings:
        for nonce in encodings:
            assert zip215.verify(key, b"Zcash", nonce + bytes(32))
            assert not signing.verify(key, b"Zcash", nonce + bytes(32))


def test_a_nonce_with_a_part_of_order_eight_is_accepted_here_and_refused_by_e1() -> None:
    signature = sign(SEED, b"message")
    assert zip215.verify(SIGNER.public_key, b"message", signature)
    assert not signing.verify(SIGNER.public_key, b"message", signature)
    assert not zip215.verify(SIGNER.public_key, b"massage", signature)
    assert not zip215.verify(Ed25519Signer(bytes(32)).public_key, b"message", signature)
    beyond = int.from_bytes(signature[32:], "little") + L
    assert not zip215.verify(SIGNER.public_key, b"message", signature[:32] + beyond.to_bytes(32, "little"))


@given(st.binary(min_size=32, max_size=32), st.binary(max_size=60), st.integers(0, 63), st.integers(1, 255))
@settings(max_examples=25, deadline=None)
def test_what_e1_accepts_is_accepted_and_no_byte_of_it_can_be_another(
    seed: bytes, message: bytes, place: int, change: int
) -> None:
    signer = Ed25519Signer(seed)
    signature = signer.sign(message)
    assert zip215.verify(signer.public_key, message, signature)
    changed = signature[:place] + bytes([signature[place] ^ change]) + signature[place + 1 :]
    assert not zip215.verify(signer.public_key, message, changed)


@pytest.mark.parametrize("size", [0, 31, 33, 64])
def test_what_has_another_size_is_refused(size: int) -> None:
    good = SIGNER.sign(b"m")
    assert not zip215.verify(bytes(size), b"m", good)
    assert not zip215.verify(SIGNER.public_key, b"m", (good + good)[: 2 * size + 1])
