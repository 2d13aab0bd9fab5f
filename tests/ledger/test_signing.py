"""One rule for signatures on every path (row E1), and no signature of one role valid in another (row C2)."""

import json
from pathlib import Path

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from hypothesis import given, settings
from hypothesis import strategies as st
from nacl.bindings import crypto_sign_open
from nacl.exceptions import BadSignatureError

from coseal.ledger import signing
from coseal.ledger.certificate import Phase, vote_preimage
from coseal.ledger.errors import BadSignature
from coseal.ledger.signing import Ed25519Signer, body_preimage, is_acceptable_point, require, verify

SPECCHECK = json.loads((Path(__file__).parents[1] / "vectors" / "ed25519_speccheck.json").read_bytes())
P = 2**255 - 19
L = 2**252 + 27742317777372353535851937790883648493
SIGNER = Ed25519Signer(b"\x07" * 32)
MESSAGE = b"the message"
SIGNATURE = SIGNER.sign(MESSAGE)

# Of the speccheck cases, what the strict rule accepts: small-order A or R falls in 0-2, non-canonical R or A in
# 8-11, S >= L in 6-7; 5 satisfies the cofactored equation only. 3 and 4 have mixed-order points, which the rule
# allows: their outcome is that of the cofactorless equation.
ACCEPTED_CASES = {3}


def cryptography_accepts(key, message, signature):
    try:
        Ed25519PublicKey.from_public_bytes(key).verify(signature, message)
    except (InvalidSignature, ValueError):
        return False
    return True


def nacl_accepts(key, message, signature):
    try:
        crypto_sign_open(signature + message, key)
    except BadSignatureError:
        return False
    return True


@pytest.mark.parametrize("number", range(12))
def test_a_speccheck_case_is_accepted_only_where_all_libraries_agree(number):
    case = SPECCHECK[number]
    key, message, signature = (bytes.fromhex(case[name]) for name in ("pub_key", "message", "signature"))
    accepted = verify(key, message, signature)
    assert accepted == (number in ACCEPTED_CASES)
    if accepted:
        assert cryptography_accepts(key, message, signature)
        assert nacl_accepts(key, message, signature)


def test_an_honest_signature_is_accepted_and_both_libraries_make_the_same_one():
    other = Ed25519PrivateKey.from_private_bytes(b"\x07" * 32)
    assert other.public_key().public_bytes_raw() == SIGNER.public_key
    assert other.sign(MESSAGE) == SIGNATURE
    assert verify(SIGNER.public_key, MESSAGE, SIGNATURE)
    assert not verify(SIGNER.public_key, MESSAGE + b"!", SIGNATURE)


@given(st.binary(min_size=32, max_size=32), st.binary(max_size=100), st.data())
@settings(max_examples=60, deadline=None)
def test_whatever_is_accepted_cryptography_accepts_too(seed, message, data):
    signer = Ed25519Signer(seed)
    signature = bytearray(signer.sign(message))
    assert verify(signer.public_key, message, bytes(signature))
    assert cryptography_accepts(signer.public_key, message, bytes(signature))
    signature[data.draw(st.integers(0, 63))] ^= data.draw(st.integers(1, 255))
    assert not verify(signer.public_key, message, bytes(signature))


def test_s_at_or_above_the_group_order_is_refused():
    s = int.from_bytes(SIGNATURE[32:], "little")
    for malleated in (s + L, s + 2 * L, L, 2**256 - 1):
        if malleated < 2**256:
            forged = SIGNATURE[:32] + malleated.to_bytes(32, "little")
            assert not verify(SIGNER.public_key, MESSAGE, forged)


@pytest.mark.parametrize("sign", [0, 1])
@pytest.mark.parametrize("y", [0, 1, P - 1, signing._Y8, P - signing._Y8])
def test_points_of_small_order_are_refused_as_key_and_as_r(y, sign):
    encoded = (y | sign << 255).to_bytes(32, "little")
    assert not is_acceptable_point(encoded)
    assert not verify(encoded, MESSAGE, SIGNATURE)
    assert not verify(SIGNER.public_key, MESSAGE, encoded + SIGNATURE[32:])
    assert not verify(encoded, MESSAGE, encoded + bytes(32))


def test_the_small_order_table_is_the_torsion_of_the_curve():
    """Recomputed from the curve equation: y of the points P with 8P = 0."""
    d = -121665 * pow(121666, -1, P) % P

    def add(one, two):
        (x1, y1), (x2, y2) = one, two
        k = d * x1 * x2 * y1 * y2 % P
        return (
            (x1 * y2 + x2 * y1) * pow(1 + k, -1, P) % P,
            (y1 * y2 + x1 * x2) * pow(1 - k, -1, P) % P,
        )

    def x_of(y):
        square = (y * y - 1) * pow(d * y * y + 1, -1, P) % P
        root = pow(square, (P + 3) // 8, P)
        return root if root * root % P == square else root * pow(2, (P - 1) // 4, P) % P

    point = (x_of(signing._Y8), signing._Y8)
    seen, current = {1}, point
    for _ in range(7):
        seen.add(current[1])
        current = add(current, point)
    assert current == (0, 1)  # the eighth multiple is the neutral element
    assert seen == signing._SMALL_ORDER_Y


@pytest.mark.parametrize("y", [P, P + 1, P + 18, 2**255 - 1])
@pytest.mark.parametrize("sign", [0, 1])
def test_encodings_of_y_at_or_above_the_prime_are_refused(y, sign):
    encoded = (y | sign << 255).to_bytes(32, "little")
    assert not is_acceptable_point(encoded)
    assert not verify(encoded, MESSAGE, SIGNATURE)
    assert not verify(SIGNER.public_key, MESSAGE, encoded + SIGNATURE[32:])


@pytest.mark.parametrize("size", [0, 1, 31, 33, 63, 64, 65])
def test_wrong_lengths_are_refused_without_an_exception(size):
    if size != 64:
        assert not verify(SIGNER.public_key, MESSAGE, bytes(size))
        assert not verify(SIGNER.public_key, MESSAGE, (SIGNATURE * 2)[:size])
    assert not verify(bytes(size), MESSAGE, SIGNATURE)
    assert not verify((SIGNER.public_key * 3)[:size], MESSAGE, SIGNATURE)
    assert not is_acceptable_point(bytes(size))


def test_a_key_that_is_no_point_of_the_curve_is_refused():
    off_curve = (2).to_bytes(32, "little")
    assert is_acceptable_point(off_curve)  # the cheap test looks at the encoding only
    assert not verify(off_curve, MESSAGE, SIGNATURE)


def test_require_names_what_does_not_verify():
    require(SIGNER.public_key, MESSAGE, SIGNATURE, "the letter")
    with pytest.raises(BadSignature, match="the letter"):
        require(SIGNER.public_key, b"", SIGNATURE, "the letter")


def test_all_tags_differ_and_have_one_length():
    tags = [value for name, value in vars(signing).items() if name.startswith("TAG_")]
    assert len(tags) == len(set(tags)) >= 15
    assert {len(tag) for tag in tags} == {24}


def test_a_signature_of_one_role_verifies_in_no_other():
    chain, block = b"\x01" * 32, b"\x02" * 32
    base = (chain, 5, 9, 3, Phase.PREPARE, block)
    others = [
        (b"\x03" * 32, 5, 9, 3, Phase.PREPARE, block),
        (chain, 6, 9, 3, Phase.PREPARE, block),
        (chain, 5, 10, 3, Phase.PREPARE, block),
        (chain, 5, 9, 4, Phase.PREPARE, block),
        (chain, 5, 9, 3, Phase.COMMIT, block),
        (chain, 5, 9, 3, Phase.PROPOSAL, block),
        (chain, 5, 9, 3, Phase.ROUND_CHANGE, block),
        (chain, 5, 9, 3, Phase.PREPARE, b"\x04" * 32),
    ]
    signature = SIGNER.sign(vote_preimage(*base))
    assert verify(SIGNER.public_key, vote_preimage(*base), signature)
    for other in others:
        assert not verify(SIGNER.public_key, vote_preimage(*other), signature)


def test_a_transactions_signature_is_no_http_signature_and_of_one_chain():
    chain, body = b"\x01" * 32, b"the body"
    signature = SIGNER.sign(body_preimage(signing.TAG_TRANSACTION, chain, body))
    assert verify(SIGNER.public_key, body_preimage(signing.TAG_TRANSACTION, chain, body), signature)
    for tag, where in ((signing.TAG_HTTP, chain), (signing.TAG_EXPORT, chain), (signing.TAG_TRANSACTION, bytes(32))):
        assert not verify(SIGNER.public_key, body_preimage(tag, where, body), signature)
