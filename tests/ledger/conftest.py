"""Keys and validator sets for the ledger's tests, the same in every run."""

from collections.abc import Callable

import pytest

from coseal.ledger.signing import Ed25519Signer
from coseal.ledger.validators import Validator, ValidatorSet

ROLE_OF_SEAT = ("government", "bank", "enterprise", "institute")


def node_signer(index: int) -> Ed25519Signer:
    return Ed25519Signer(bytes([index + 1]) * 32)


@pytest.fixture
def signer() -> Callable[[int], Ed25519Signer]:
    """The signer of validator ``index``."""
    return node_signer


@pytest.fixture
def make_validators() -> Callable[..., ValidatorSet]:
    """A set of ``n`` validators, each of a member of its own, roles taking turns."""

    def make(n: int = 4, epoch: int = 0) -> ValidatorSet:
        seats = [
            Validator(f"node-{index:02}", f"member-{index:02}", ROLE_OF_SEAT[index % 4], node_signer(index).public_key)
            for index in range(n)
        ]
        return ValidatorSet(epoch, tuple(seats))

    return make
