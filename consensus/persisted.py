"""What a replica has made durable about the heights it may work on, folded from its journal, and the records' bytes.

Law: ``fold(records_of(persisted)) == persisted``, so a journal can be rewritten short at any time without losing
what was signed. A journal without any ``SignRecord`` is a lost one: ``signs`` is None, not empty (G3).

A height before the newest is kept, because a bad last record of the block log takes a node back to it (P6): it has said
COMMIT there, and must go on showing the certificate for it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

from coseal.consensus import messages
from coseal.consensus.events import BodyRecord, PreparedRecord, RoundRecord, SignRecord
from coseal.consensus.messages import RoundChange
from coseal.ledger import codec
from coseal.ledger.block import Block
from coseal.ledger.certificate import ROUND_MAX, PbftCertificate
from coseal.ledger.errors import Malformed
from coseal.ledger.signing import SIGNATURE_BYTES
from coseal.ledger.validators import MAX_VALIDATORS

JournalRecord: TypeAlias = SignRecord | BodyRecord | PreparedRecord | RoundRecord

# What ``init`` writes into a new journal: nothing was ever signed. It is below everything that can be signed.
EMPTY_GUARD: Final = SignRecord(0, 0, 0, b"", b"")


@dataclass(frozen=True, slots=True)
class AtHeight:
    """What is durable about one height: the round it came to, the highest prepared certificate, the bodies."""

    height: int
    round: RoundRecord | None = None
    prepared: PbftCertificate | None = None
    bodies: tuple[Block, ...] = ()

    def records(self) -> list[JournalRecord]:
        """Return the shortest journal that folds to this."""
        records: list[JournalRecord] = [] if self.round is None else [self.round]
        records += [BodyRecord(self.height, block) for block in self.bodies]
        return records if self.prepared is None else [*records, PreparedRecord(self.prepared)]


@dataclass(frozen=True, slots=True)
class Persisted:
    """The fold of a journal.

    ``signs``: everything signed in the highest (height, round), by step; None when the journal is lost. ``heights``:
    the highest height recorded, after the one below it if something of that is recorded.
    """

    signs: tuple[SignRecord, ...] | None
    heights: tuple[AtHeight, ...] = ()

    def at(self, height: int) -> AtHeight:
        """Return what is durable about a height."""
        return next((kept for kept in self.heights if kept.height == height), AtHeight(height))

    @property
    def newest(self) -> AtHeight:
        """What is durable about the highest height recorded; of height 0 if nothing is."""
        return self.heights[-1] if self.heights else AtHeight(0)


FRESH: Final = Persisted((EMPTY_GUARD,))


def fold(records: Iterable[JournalRecord]) -> Persisted:
    """Return what the records of a journal, in order, come to."""
    signs: dict[int, SignRecord] = {}
    top = (-1, -1)
    rounds: dict[int, RoundRecord] = {}
    prepared: dict[int, PbftCertificate] = {}
    bodies: dict[int, dict[bytes, Block]] = {}
    newest = 0
    for record in records:
        match record:
            case SignRecord(height, round, step):
                if (height, round) > top:
                    signs, top = {}, (height, round)
                if (height, round) == top:
                    signs[step] = record
            case RoundRecord(height):
                rounds[height], newest = record, max(newest, height)
            case PreparedRecord(certificate):
                prepared[certificate.height], newest = certificate, max(newest, certificate.height)
            case BodyRecord(height, block):
                bodies.setdefault(height, {})[block.hash], newest = block, max(newest, height)
    heights = (
        AtHeight(height, rounds.get(height), prepared.get(height), tuple(bodies.get(height, {}).values()))
        for height in (newest - 1, newest)
    )
    kept = tuple(each for each in heights if each != AtHeight(each.height))
    return Persisted(tuple(signs[step] for step in sorted(signs)) if signs else None, kept)


def records_of(persisted: Persisted, *, height: int = 0) -> list[JournalRecord]:
    """Return the shortest journal that folds to ``persisted``, without what concerns heights below ``height``.

    What was signed last is kept whatever its height: the guard outlives every block.
    """
    records: list[JournalRecord] = list(persisted.signs or ())
    return records + [record for kept in persisted.heights if kept.height >= height for record in kept.records()]


def encode_record(record: JournalRecord) -> bytes:
    """Return the canonical bytes of a record."""
    match record:
        case SignRecord():
            fields: list[Any] = [record.height, record.round, record.step, record.preimage, record.signature]
            return codec.encode(["sign", 1, *fields])
        case BodyRecord():
            return codec.encode(["body", 1, record.height, record.block.raw])
        case PreparedRecord():
            return codec.encode(["prepared", 1, record.certificate.to_value()])
        case RoundRecord():
            changes = [messages.to_value(change) for change in record.justification]
            own = None if record.change is None else messages.to_value(record.change)
            return codec.encode(["round", 1, record.height, record.round, changes, own])


def decode_record(data: bytes) -> JournalRecord:
    """Parse a record; raise ``Malformed``."""
    value = codec.decode(data)
    tag = value[0] if type(value) is list and value else None
    if tag == "sign":
        height, round, step, preimage, signature = codec.record(value, "sign", 1, 5)
        return SignRecord(
            codec.integer(height, "height"),
            codec.integer(round, "round", high=ROUND_MAX),
            codec.integer(step, "step", high=3),
            codec.octets(preimage, "preimage", limit=256),
            codec.octets(signature, "signature", limit=SIGNATURE_BYTES),
        )
    if tag == "body":
        height, block = codec.record(value, "body", 1, 2)
        return BodyRecord(codec.integer(height, "height", low=1), Block.decode(codec.octets(block, "block")))
    if tag == "prepared":
        (certificate,) = codec.record(value, "prepared", 1, 1)
        return PreparedRecord(PbftCertificate.from_value(certificate))
    if tag == "round":
        height, round, justification, own = codec.record(value, "round", 1, 4)
        return RoundRecord(
            codec.integer(height, "height", low=1),
            codec.integer(round, "round", high=ROUND_MAX),
            tuple(_change(item) for item in codec.sequence(justification, "justification", limit=MAX_VALIDATORS)),
            None if own is None else _change(own),
        )
    raise Malformed("not a journal record")


def _change(value: Any) -> RoundChange:
    message = messages.from_value(value)
    if not isinstance(message, RoundChange):
        raise Malformed("expected a round change")
    return message
