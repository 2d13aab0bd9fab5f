"""Keys of a vault, spread over seats so that a threshold of custodians can open its cells and fewer cannot.

Law: pure; the caller brings keys and randomness. Any t seats have all keys of a vault; no t - 1 seats have them
all, and no t - 1 seats are alone in having one.

Replicated keys by maximal unqualified sets (Ito, Saito, Nishizeki, GLOBECOM '87) with the distributed pseudorandom
function of Naor, Pinkas, Reingold (EUROCRYPT '99). Rules B10 to B16 of docs/spec/disclosure.md.
"""

from __future__ import annotations

import hmac
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, reduce
from itertools import combinations
from math import comb
from typing import Any, Final, TypeAlias

from coseal.ledger import codec, signing
from coseal.ledger.errors import Malformed
from coseal.ledger.signing import HASH_BYTES, SIGNATURE_BYTES, Signer, Verify, digest

KEY_BYTES: Final = 32
SEATS_MIN: Final = 3
SEATS_MAX: Final = 9
KEYS_MAX: Final = 36
"""Keys of one vault: a release of ``RELEASED_MAX`` cells then fits into one sidecar."""
RELEASED_MAX: Final = 1_000
"""Cells of one release."""

Parts: TypeAlias = Sequence[bytes]
"""What a seat says of one cell: a part for each key that it has, in the order of the keys."""


@dataclass(frozen=True, slots=True)
class Plan:
    """How many seats there are, numbered from 0, and how many of them open: see ``fault_of``."""

    seats: int
    threshold: int

    @property
    def keys(self) -> int:
        """How many keys a vault has: one for each set of ``threshold - 1`` seats, who do not get it."""
        return comb(self.seats, self.threshold - 1)

    @property
    def arming(self) -> int:
        """How many seats must have compared their keys: then ``threshold`` honest ones have every key."""
        return 2 * self.threshold - 1  # B12


def fault_of(plan: Plan) -> str | None:
    """Return why there can be no vault with this plan, or None."""
    seats, threshold = plan.seats, plan.threshold
    if not SEATS_MIN <= seats <= SEATS_MAX:  # B10
        return f"{seats} seats, expected {SEATS_MIN} to {SEATS_MAX}"
    if threshold < 2 or plan.arming > seats:
        return f"a threshold of {threshold}, expected 2 to {(seats + 1) // 2} of {seats} seats"
    if plan.keys > KEYS_MAX:
        return f"{plan.keys} keys, at most {KEYS_MAX}"
    return None


@cache
def without(plan: Plan) -> tuple[tuple[int, ...], ...]:
    """Return for each key the seats that do not get it: all sets of ``threshold - 1`` seats, in order."""
    return tuple(combinations(range(plan.seats), plan.threshold - 1))  # B11


@cache
def keys_of(plan: Plan, seat: int) -> tuple[int, ...]:
    """Return the numbers of the keys that a seat gets, ascending."""
    return tuple(number for number, seats in enumerate(without(plan)) if seat not in seats)


# Dealing


def key_commitment(vault: bytes, number: int, key: bytes) -> bytes:
    """Return what the chain has of a key of a vault."""
    codec.octets(key, "key", size=KEY_BYTES)
    return digest(signing.TAG_VAULT_KEY, vault + number.to_bytes(2, "big") + key)  # B12


def dealt_wrongly(
    plan: Plan, vault: bytes, commitments: Sequence[bytes], seat: int, keys: Sequence[bytes]
) -> list[int]:
    """Return the numbers of the keys of a seat that are not those committed to; all, if it was dealt another count."""
    numbers = keys_of(plan, seat)
    if len(keys) != len(numbers):
        return list(numbers)
    pairs = zip(numbers, keys, strict=True)
    return [number for number, key in pairs if key_commitment(vault, number, key) != commitments[number]]  # B12


# Cells


def part(key: bytes, cell: bytes) -> bytes:
    """Return what one key of a vault contributes to the key of a cell."""
    return hmac.digest(key, signing.TAG_CELL_PART + cell, "sha256")  # B13


def combine(vault: bytes, cell: bytes, parts: Iterable[bytes]) -> bytes:
    """Return the key of a cell from one part of each key of its vault, in any order."""
    joined = reduce(_xor, parts, bytes(HASH_BYTES))
    return hmac.digest(joined, signing.TAG_CELL_KEY + vault + cell, "sha256")  # B13


def cell_key(vault: bytes, keys: Sequence[bytes], cell: bytes) -> bytes:
    """Return the key of a cell from all keys of its vault."""
    return combine(vault, cell, (part(key, cell) for key in keys))


def key_check(key: bytes, cell: bytes) -> bytes:
    """Return what stands beside a ciphertext so that no two keys fit it."""
    return digest(signing.TAG_CELL_CHECK, key + cell)  # B14


def wrapping_key(audience_key: bytes, seed: bytes) -> bytes:
    """Return the key under which an audience's version wraps the keys of the cells of one sidecar."""
    return hmac.digest(audience_key, signing.TAG_AUDIENCE + seed, "sha256")  # B9


def _xor(first: bytes, second: bytes) -> bytes:
    return bytes(left ^ right for left, right in zip(first, second, strict=True))


# Opening


@dataclass(frozen=True, slots=True)
class Found:
    """The key of a cell, and the seats that said something else than those whose parts make it."""

    key: bytes
    false: tuple[int, ...]


def find_key(plan: Plan, vault: bytes, cell: bytes, check: bytes, said: Mapping[int, Parts]) -> Found | None:
    """Return the key of a cell from what seats said, None if no threshold of seats that agree fits its check.

    With k false seats, ``threshold + k`` suffice. None although ``plan.arming`` seats said something shows that the
    owner sealed with another key, as long as fewer than ``threshold`` of them lie.
    """
    parts = {seat: dict(zip(keys_of(plan, seat), said[seat], strict=True)) for seat in sorted(said)}
    for seats in combinations(parts, plan.threshold):
        joined = _agreed([parts[seat] for seat in seats])
        if joined is None:
            continue
        key = combine(vault, cell, joined.values())
        if key_check(key, cell) == check:  # B15
            return Found(key, tuple(seat for seat in parts if _contradicts(parts[seat], joined)))
    return None


def _agreed(said: Sequence[Mapping[int, bytes]]) -> dict[int, bytes] | None:
    joined: dict[int, bytes] = {}
    for parts in said:
        if _contradicts(parts, joined):
            return None
        joined.update(parts)
    return joined


def _contradicts(parts: Mapping[int, bytes], joined: Mapping[int, bytes]) -> bool:
    return any(joined.get(number, value) != value for number, value in parts.items())


# Releases


@dataclass(frozen=True, slots=True)
class Release:
    """What a seat hands out for a request (its hash of B1): its parts of each cell in the scope, signed."""

    request: bytes
    seat: int
    cells: tuple[tuple[bytes, tuple[bytes, ...]], ...]
    signature: bytes = bytes(SIGNATURE_BYTES)

    def encode(self) -> bytes:
        """Return the bytes that go into the envelope."""
        return codec.encode([*self._body(), self.signature])

    def preimage(self, chain_id: bytes) -> bytes:
        """Return what the custodian's operator signs."""
        return signing.body_preimage(signing.TAG_PARTS, chain_id, codec.encode(self._body()))  # B16

    def signed(self, chain_id: bytes, signer: Signer) -> Release:
        """Return the release with a signature."""
        return Release(self.request, self.seat, self.cells, signer.sign(self.preimage(chain_id)))

    def verify(self, chain_id: bytes, key: bytes, verify: Verify = signing.verify) -> None:
        """Raise ``BadSignature`` unless the operator with this key signed."""
        signing.require(key, self.preimage(chain_id), self.signature, "release", verify)

    def _body(self) -> list[Any]:
        return ["parts", 1, self.request, self.seat, [[cell, list(parts)] for cell, parts in self.cells]]


def decode_release(raw: bytes, plan: Plan) -> Release:
    """Return the release with these bytes; raise ``Malformed`` for another form, or too few or many parts."""
    request, seat, cells, signature = codec.decode_record(raw, "parts", 1, 4)
    seat = codec.integer(seat, "seat", high=plan.seats - 1)
    count = len(keys_of(plan, seat))
    listed = tuple(_released(item, count) for item in codec.sequence(cells, "cells", limit=RELEASED_MAX))
    return Release(
        codec.octets(request, "request", size=HASH_BYTES),
        seat,
        listed,
        codec.octets(signature, "signature", size=SIGNATURE_BYTES),
    )


def _released(item: Any, count: int) -> tuple[bytes, tuple[bytes, ...]]:
    pair = codec.sequence(item, "cell", limit=2)
    if len(pair) != 2:
        raise Malformed("cell: expected its id and the parts")
    parts = codec.sequence(pair[1], "parts", limit=count)
    if len(parts) != count:
        raise Malformed(f"parts: {len(parts)}, expected {count} of this seat")
    return (
        codec.octets(pair[0], "cell", size=HASH_BYTES),
        tuple(codec.octets(value, "part", size=HASH_BYTES) for value in parts),
    )
