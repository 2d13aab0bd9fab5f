"""Who votes: validators, quorums, and whose turn it is to lead.

Law: every number here follows from n and chain data alone, so every node computes the same.
Source: Castro & Liskov, OSDI '99, section 3; docs/spec/consensus.md.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

from coseal.ledger import codec
from coseal.ledger.errors import Malformed
from coseal.ledger.signing import PUBLIC_KEY_BYTES, TAG_VALIDATORS, digest, is_acceptable_point

MAX_VALIDATORS: Final = 64
ROLES: Final = ("government", "bank", "enterprise", "institute", "public")


def max_faulty(n: int) -> int:
    """Return f, the number of Byzantine validators that n tolerate."""
    return (n - 1) // 3


def quorum(n: int) -> int:
    """Return q = 2n//3 + 1: any two sets of q share an honest validator. Never 2f+1, which fails at n = 6."""
    return 2 * n // 3 + 1


def weak_quorum(n: int) -> int:
    """Return f + 1: any set of this size holds an honest validator."""
    return max_faulty(n) + 1


@dataclass(frozen=True, slots=True)
class Validator:
    """One voting node: its id, the member that runs it, that member's role, and its consensus key (32 bytes)."""

    id: str
    member: str
    role: str
    key: bytes


@dataclass(frozen=True)
class ValidatorSet:
    """The validators of one epoch, ascending by id."""

    epoch: int
    validators: tuple[Validator, ...]

    @property
    def n(self) -> int:
        """Number of validators."""
        return len(self.validators)

    @property
    def quorum(self) -> int:
        """q for this set."""
        return quorum(self.n)

    @property
    def weak_quorum(self) -> int:
        """f + 1 for this set."""
        return weak_quorum(self.n)

    @cached_property
    def _indices(self) -> dict[str, int]:
        return {validator.id: index for index, validator in enumerate(self.validators)}

    def index(self, node_id: str) -> int | None:
        """Return the position of a node, or None if it does not vote."""
        return self._indices.get(node_id)

    def __getitem__(self, index: int) -> Validator:
        return self.validators[index]

    @cached_property
    def hash(self) -> bytes:
        """The 32-byte hash that headers carry; it covers ids, members, roles and keys, not the epoch."""
        return digest(TAG_VALIDATORS, codec.encode(self._rows()))

    def encode(self) -> bytes:
        """Return the canonical bytes."""
        return codec.encode(["validators", 1, self.epoch, self._rows()])

    def _rows(self) -> list[Any]:
        return [[v.id, v.member, v.role, v.key] for v in self.validators]

    @staticmethod
    def decode(data: bytes) -> ValidatorSet:
        """Parse a set; raise ``Malformed``, also when ids are not ascending or a key is of small order."""
        epoch, rows = codec.decode_record(data, "validators", 1, 2)
        validators = []
        for row in codec.sequence(rows, "validators", limit=MAX_VALIDATORS):
            if len(codec.sequence(row, "validator", limit=4)) != 4:
                raise Malformed("a validator has 4 fields")
            node_id, member, role = (codec.text(field, "validator") for field in row[:3])
            validators.append(Validator(node_id, member, role, codec.octets(row[3], "key", size=PUBLIC_KEY_BYTES)))
        result = ValidatorSet(codec.integer(epoch, "epoch"), tuple(validators))
        require_valid(result)
        return result


def require_valid(validators: ValidatorSet) -> None:
    """Raise ``Malformed`` unless the set can be agreed upon and nobody alone decides.

    For n >= 4 no member holds more than f seats and no role q or more. Fewer than 4 tolerate no fault at all and
    are for development only.
    """
    seats, n = validators.validators, validators.n
    if not 1 <= n <= MAX_VALIDATORS:
        raise Malformed(f"{n} validators: expected 1 to {MAX_VALIDATORS}")
    ids = [seat.id for seat in seats]
    if any(left >= right for left, right in itertools.pairwise(ids)):
        raise Malformed("validators are not in strictly ascending order of id")
    if len({seat.key for seat in seats}) != n:
        raise Malformed("two validators have one key")
    for seat in seats:
        if seat.role not in ROLES:
            raise Malformed(f"validator {seat.id}: unknown role '{seat.role}'")
        if not is_acceptable_point(seat.key):
            raise Malformed(f"validator {seat.id}: the key is not canonical or of small order")
        if n >= 4 and sum(other.member == seat.member for other in seats) > max_faulty(n):
            raise Malformed(f"member {seat.member} holds more than f = {max_faulty(n)} of {n} seats")
        if n >= 4 and sum(other.role == seat.role for other in seats) >= quorum(n):
            raise Malformed(f"role {seat.role} holds a quorum of {quorum(n)} or more of {n} seats")


def base_index(validators: ValidatorSet, previous_proposer: str | None, height: int, tenure: int) -> int:
    """Return base(h): the index that leads round 0 of ``height``.

    It is the previous proposer's index (the next id in order if it left), one more when the height is a multiple
    of ``tenure``; 0 at height 1.
    """
    if previous_proposer is None or height == 1:
        return 0
    index = validators.index(previous_proposer)
    if index is None:
        index = sum(seat.id < previous_proposer for seat in validators.validators) % validators.n  # V2
    return (index + (height % tenure == 0)) % validators.n


def leader_index(validators: ValidatorSet, previous_proposer: str | None, height: int, round: int, tenure: int) -> int:
    """Return leader(h, r) = (base(h) + r) mod n."""
    return (base_index(validators, previous_proposer, height, tenure) + round) % validators.n
