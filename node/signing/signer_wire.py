"""What a node and its signer process say to each other: one packet a message, each small and of fixed form.

Law: whatever does not parse is ``Malformed``; nothing that is sent holds a key.

    node -> signer    ["who", 1]
                      ["sign", 1, preimage]
    signer -> node    ["is", 1, public key, chain id, node id]
                      ["signed", 1, signature]
                      ["refused", 1, reason in words]
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, TypeAlias

from coseal.ledger import codec
from coseal.ledger.errors import Malformed
from coseal.ledger.signing import HASH_BYTES, PUBLIC_KEY_BYTES, SIGNATURE_BYTES

MAX_PACKET_BYTES: Final = 512
MAX_PREIMAGE_BYTES: Final = 256
_TEXT_MAX: Final = 256


@dataclass(frozen=True, slots=True)
class Who:
    """Asks whose key the signer holds."""


@dataclass(frozen=True, slots=True)
class Sign:
    """Asks for the signature of a preimage."""

    preimage: bytes


@dataclass(frozen=True, slots=True)
class Is:
    """The signer's public key (32 bytes), the only chain it signs for, and the node it signs as."""

    public_key: bytes
    chain_id: bytes
    node_id: str


@dataclass(frozen=True, slots=True)
class Signed:
    """The signature, 64 bytes; whatever it promises is durable on the signer's disk."""

    signature: bytes


@dataclass(frozen=True, slots=True)
class Refused:
    """This is not signed."""

    reason: str


Question: TypeAlias = Who | Sign
Answer: TypeAlias = Is | Signed | Refused


def encode(message: Question | Answer) -> bytes:
    """Return the packet of a message, at most ``MAX_PACKET_BYTES``."""
    match message:
        case Who():
            return codec.encode(["who", 1])
        case Sign(preimage):
            return codec.encode(["sign", 1, preimage])
        case Is(public_key, chain_id, node_id):
            return codec.encode(["is", 1, public_key, chain_id, node_id])
        case Signed(signature):
            return codec.encode(["signed", 1, signature])
        case Refused(reason):
            return codec.encode(["refused", 1, reason[:_TEXT_MAX]])


def decode_question(packet: bytes) -> Question:
    """Parse a packet that a node sent; raise ``Malformed``."""
    value = _value(packet)
    if value[:1] == ["who"]:
        codec.record(value, "who", 1, 0)
        return Who()
    (preimage,) = codec.record(value, "sign", 1, 1)
    return Sign(codec.octets(preimage, "preimage", limit=MAX_PREIMAGE_BYTES))


def decode_answer(packet: bytes) -> Answer:
    """Parse a packet that a signer sent; raise ``Malformed``."""
    value = _value(packet)
    if value[:1] == ["is"]:
        public_key, chain_id, node_id = codec.record(value, "is", 1, 3)
        return Is(
            codec.octets(public_key, "public key", size=PUBLIC_KEY_BYTES),
            codec.octets(chain_id, "chain id", size=HASH_BYTES),
            codec.text(node_id, "node id", limit=64),
        )
    if value[:1] == ["signed"]:
        (signature,) = codec.record(value, "signed", 1, 1)
        return Signed(codec.octets(signature, "signature", size=SIGNATURE_BYTES))
    (reason,) = codec.record(value, "refused", 1, 1)
    return Refused(codec.text(reason, "reason", limit=_TEXT_MAX))


def _value(packet: bytes) -> list[object]:
    value = codec.decode(packet) if len(packet) <= MAX_PACKET_BYTES else None
    if type(value) is not list:
        raise Malformed("not a message of a node and its signer")
    return value
