"""What is remembered as verified: only what was found good, and exactly that."""

from __future__ import annotations

import pytest

from coseal.ledger import signing
from coseal.ledger.signing import Ed25519Signer
from coseal.node.core.verified_cache import VerifiedSignatures

SIGNER = Ed25519Signer(b"k" * 32)
KEY, MESSAGE = SIGNER.public_key, b"a vote"
SIGNATURE = SIGNER.sign(MESSAGE)


class Counted:
    """The true check, and how often it was asked."""

    def __init__(self) -> None:
        self.times = 0

    def verify(self, key: bytes, message: bytes, signature: bytes) -> bool:
        self.times += 1
        return signing.verify(key, message, signature)


def test_a_good_signature_is_checked_once() -> None:
    counted = Counted()
    remembered = VerifiedSignatures(counted.verify)
    assert all(remembered.verify(KEY, MESSAGE, SIGNATURE) for _ in range(3))
    assert counted.times == 1


@pytest.mark.parametrize(
    "claim",
    [
        (Ed25519Signer(b"o" * 32).public_key, MESSAGE, SIGNATURE),
        (KEY, b"another vote", SIGNATURE),
        (KEY, MESSAGE, SIGNATURE[:-1] + bytes([SIGNATURE[-1] ^ 1])),
        (KEY, MESSAGE, SIGNATURE[:63]),
        (KEY + MESSAGE[:1], MESSAGE[1:], SIGNATURE),
    ],
)
def test_what_differs_in_anything_is_refused_beside_a_remembered_one_each_time(
    claim: tuple[bytes, bytes, bytes],
) -> None:
    counted = Counted()
    remembered = VerifiedSignatures(counted.verify)
    assert remembered.verify(KEY, MESSAGE, SIGNATURE)
    assert not any(remembered.verify(*claim) for _ in range(2))
    assert counted.times == 3
    assert len(remembered) == 1


def test_the_oldest_is_forgotten_first() -> None:
    counted = Counted()
    remembered = VerifiedSignatures(counted.verify, entries_max=2)
    messages = [b"one", b"two", b"three"]
    for message in (*messages, b"three", b"two", b"one"):
        assert remembered.verify(KEY, message, SIGNER.sign(message))
    assert counted.times == 4
    assert len(remembered) == 2
