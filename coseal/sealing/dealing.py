"""Dealing the keys of a vault to its seats, and those of audiences to readers; and comparing what was dealt.

Law: a seat's keys count only if every one of them is the one committed to on the chain.

docs/spec/disclosure.md, B8, B11 and B12.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from secrets import token_bytes
from typing import NamedTuple

from coseal.ledger import custody, sealed
from coseal.ledger.errors import Malformed
from coseal.ledger.sealed import Envelope, Envelopes, Purpose
from coseal.sealing import envelopes
from coseal.sealing.envelopes import SealingKey


class Receiver(NamedTuple):
    """A member, and the version and bytes of the public key under which an envelope is sealed for it."""

    member: str
    version: int
    public: bytes


def new_keys(plan: custody.Plan, draw: Callable[[int], bytes] = token_bytes) -> tuple[bytes, ...]:
    """Return new keys of a vault, in the order of their commitments."""
    return tuple(draw(custody.KEY_BYTES) for _ in range(plan.keys))


def commitments(vault: bytes, keys: Sequence[bytes]) -> list[bytes]:
    """Return what the chain has of each key of a vault (its hash)."""
    return [custody.key_commitment(vault, number, key) for number, key in enumerate(keys)]


def deal(chain: bytes, vault: bytes, plan: custody.Plan, keys: Sequence[bytes], seats: Sequence[Receiver]) -> Envelopes:
    """Return the envelopes of a vault (its hash) for who sits there, in the order of the seats."""
    texts = [b"".join(keys[number] for number in custody.keys_of(plan, seat)) for seat in range(plan.seats)]
    return _sealed(chain, Purpose.DEALING, vault, "custody", zip(seats, texts, strict=True))


def grant(chain: bytes, version: bytes, key: bytes, readers: Sequence[Receiver]) -> Envelopes:
    """Return envelopes with the key of a version of an audience (its hash) for readers."""
    return _sealed(chain, Purpose.AUDIENCE, version, "reader", ((reader, key) for reader in readers))


def _sealed(
    chain: bytes, purpose: Purpose, about: bytes, use: str, texts: Iterable[tuple[Receiver, bytes]]
) -> Envelopes:
    made = []
    for (member, version, public), text in texts:
        info = sealed.envelope_info(chain, purpose, about, member, use, version)
        made.append(Envelope(member, version, envelopes.seal(public, text, info)))
    return Envelopes(about, tuple(sorted(made, key=lambda one: (one.member, one.version))))


def opened(chain: bytes, vault: bytes, member: str, envelope: Envelope, key: SealingKey) -> tuple[bytes, ...]:
    """Return the keys in the envelope of a seat; raise ``Malformed`` if it does not open or has no whole keys."""
    info = sealed.envelope_info(chain, Purpose.DEALING, vault, member, "custody", envelope.version)
    text = key.open(envelope.content, info)
    if len(text) % custody.KEY_BYTES:
        raise Malformed(f"envelope: {len(text)} bytes, expected keys of {custody.KEY_BYTES} bytes each")
    return tuple(text[at : at + custody.KEY_BYTES] for at in range(0, len(text), custody.KEY_BYTES))


def granted(chain: bytes, version: bytes, member: str, envelope: Envelope, key: SealingKey) -> bytes:
    """Return the key of a version of an audience (its hash) in a reader's envelope; raise ``Malformed``."""
    info = sealed.envelope_info(chain, Purpose.AUDIENCE, version, member, "reader", envelope.version)
    text = key.open(envelope.content, info)
    if len(text) != custody.KEY_BYTES:
        raise Malformed(f"envelope: {len(text)} bytes, expected a key of {custody.KEY_BYTES}")
    return text


def fault_of(
    plan: custody.Plan, vault: bytes, committed: Sequence[bytes], seat: int, keys: Sequence[bytes]
) -> str | None:
    """Return why a seat should refuse these keys, or None if each is the one committed to."""
    expected = custody.keys_of(plan, seat)
    if len(keys) != len(expected):
        return f"The envelope has {len(keys)} keys, the seat has {len(expected)}"
    wrong = custody.dealt_wrongly(plan, vault, committed, seat, keys)
    if not wrong:
        return None
    named = ", ".join(map(str, wrong))
    return f"Key {named} is not the one committed to" if len(wrong) == 1 else f"Keys {named} are not those committed to"
