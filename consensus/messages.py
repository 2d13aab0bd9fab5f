"""What validators say to each other about one height, and its wire form.

Law: parsing checks form only. The outer signature is checked by ``verify_message`` before ``Replica.step``;
everything inside (certificates, justifications) is verified in the core.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final, TypeAlias

from coseal.ledger import codec, signing
from coseal.ledger.block import MAX_BLOCK_BYTES, Block
from coseal.ledger.certificate import ROUND_MAX, PbftCertificate, Phase, vote_preimage
from coseal.ledger.errors import BadSignature, Malformed
from coseal.ledger.signing import HASH_BYTES, SIGNATURE_BYTES, ZERO_HASH, Verify
from coseal.ledger.validators import MAX_VALIDATORS, ValidatorSet


@dataclass(frozen=True, slots=True)
class Prepare:
    """PREPARE: validator ``sender`` (index) accepts ``block_hash`` in this round."""

    epoch: int
    height: int
    round: int
    sender: int
    block_hash: bytes
    signature: bytes


@dataclass(frozen=True, slots=True)
class Commit:
    """COMMIT: ``sender`` holds a durable prepared certificate for ``block_hash`` of this round."""

    epoch: int
    height: int
    round: int
    sender: int
    block_hash: bytes
    signature: bytes


@dataclass(frozen=True, slots=True)
class RoundChange:
    """ROUND-CHANGE: ``sender`` asks for ``round`` and carries its highest prepared certificate, or None.

    The signature covers the certificate's hash (32 zero bytes for none), so its own round is signed.
    """

    epoch: int
    height: int
    round: int
    sender: int
    prepared: PbftCertificate | None
    signature: bytes


@dataclass(frozen=True, slots=True)
class Proposal:
    """PROPOSAL by the leader of the round, with the round changes that justify it when round > 0.

    The prepared certificate that binds the choice is the highest one inside ``justification``.
    """

    epoch: int
    height: int
    round: int
    sender: int
    block: Block
    justification: tuple[RoundChange, ...]
    signature: bytes


Message: TypeAlias = Proposal | Prepare | Commit | RoundChange

_TAGS: Final = {Prepare: "prepare", Commit: "commit", RoundChange: "round-change", Proposal: "proposal"}


def subject(message: Message) -> tuple[Phase, bytes]:
    """Return the phase and the 32-byte last field of the message's vote preimage."""
    match message:
        case Proposal():
            return Phase.PROPOSAL, message.block.hash
        case Prepare():
            return Phase.PREPARE, message.block_hash
        case Commit():
            return Phase.COMMIT, message.block_hash
        case RoundChange():
            return Phase.ROUND_CHANGE, ZERO_HASH if message.prepared is None else message.prepared.hash


def preimage(chain_id: bytes, message: Message) -> bytes:
    """Return the bytes that the message's signature covers."""
    phase, last = subject(message)
    return vote_preimage(chain_id, message.epoch, message.height, message.round, phase, last)


def verify_message(
    chain_id: bytes, validators: ValidatorSet, message: Message, verify: Verify = signing.verify
) -> None:
    """Raise ``BadSignature`` unless the message's sender, of this epoch, signed it."""
    if message.epoch != validators.epoch or message.sender >= validators.n:
        raise BadSignature("the message is of another epoch or of no validator")
    key = validators[message.sender].key
    signing.require(key, preimage(chain_id, message), message.signature, _TAGS[type(message)], verify)


def encode_message(message: Message) -> bytes:
    """Return the canonical bytes of a message."""
    return codec.encode(to_value(message))


def to_value(message: Message) -> list[Any]:
    """Return the value that ``encode_message`` writes, for embedding."""
    head: list[Any] = [_TAGS[type(message)], 1, message.epoch, message.height, message.round, message.sender]
    match message:
        case Proposal():
            justification = [to_value(change) for change in message.justification]
            return [*head, message.block.raw, justification, message.signature]
        case RoundChange():
            prepared = None if message.prepared is None else message.prepared.to_value()
            return [*head, prepared, message.signature]
        case Prepare() | Commit():
            return [*head, message.block_hash, message.signature]


def decode_message(data: bytes) -> Message:
    """Parse a message; raise ``Malformed``."""
    return from_value(codec.decode(data))


def from_value(value: Any) -> Message:
    """Parse the decoded form of a message; raise ``Malformed``."""
    tag = value[0] if type(value) is list and value else None
    if tag in ("prepare", "commit"):
        *head, block_hash, signature = codec.record(value, tag, 1, 6)
        block_hash = codec.octets(block_hash, "block hash", size=HASH_BYTES)
        vote = Prepare if tag == "prepare" else Commit
        return vote(*_head(head), block_hash, _signature(signature))
    if tag == "round-change":
        *head, prepared, signature = codec.record(value, tag, 1, 6)
        certificate = None if prepared is None else PbftCertificate.from_value(prepared)
        return RoundChange(*_head(head), certificate, _signature(signature))
    if tag == "proposal":
        *head, block, justification, signature = codec.record(value, tag, 1, 7)
        parsed = [from_value(item) for item in codec.sequence(justification, "justification", limit=MAX_VALIDATORS)]
        changes = tuple(change for change in parsed if isinstance(change, RoundChange))
        if len(changes) != len(parsed):
            raise Malformed("a justification holds round changes only")
        decoded = Block.decode(codec.octets(block, "block", limit=MAX_BLOCK_BYTES))
        return Proposal(*_head(head), decoded, changes, _signature(signature))
    raise Malformed("not a consensus message")


def _head(head: list[Any]) -> tuple[int, int, int, int]:
    epoch, height, round, sender = head
    return (
        codec.integer(epoch, "epoch"),
        codec.integer(height, "height", low=1),
        codec.integer(round, "round", high=ROUND_MAX),
        codec.integer(sender, "sender", high=MAX_VALIDATORS - 1),
    )


def _signature(value: Any) -> bytes:
    return codec.octets(value, "signature", size=SIGNATURE_BYTES)
