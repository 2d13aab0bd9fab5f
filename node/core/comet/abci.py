"""ABCI 2.0 as values: what CometBFT 0.38 asks of its application, and the answers, as protobuf without a library.

Law: a request is read from its bytes or refused as ``Malformed``; what is unknown in one is skipped, as protobuf asks.
Only the fields that the machine uses are read. Field numbers: ``abci/types.proto`` of CometBFT 0.38.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from typing import Final, TypeAlias

from coseal.ledger.comet import varint
from coseal.ledger.errors import Malformed

_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5
_MAX_SHIFT: Final = 63


# --- requests ---


@dataclass(frozen=True, slots=True)
class Echo:
    """Answer the same text; it shows that the connection works."""

    message: bytes


@dataclass(frozen=True, slots=True)
class Flush:
    """Everything asked before is to be answered."""


@dataclass(frozen=True, slots=True)
class Info:
    """Which height does the application have?"""


@dataclass(frozen=True, slots=True)
class InitChain:
    """A chain begins; ``validators`` are the keys with their power."""

    chain_id: str
    validators: tuple[tuple[bytes, int], ...]
    initial_height: int


@dataclass(frozen=True, slots=True)
class Query:
    """CometBFT asks whether it may have a peer, by ``path``."""

    path: str


@dataclass(frozen=True, slots=True)
class CheckTx:
    """May this transaction wait for a block? ``recheck``: it does already, and a block was decided since."""

    raw: bytes
    recheck: bool


@dataclass(frozen=True, slots=True)
class Commit:
    """The block that was finalized is to be kept."""


@dataclass(frozen=True, slots=True)
class PrepareProposal:
    """This node proposes ``height``; the transactions are those of CometBFT's own pool."""

    max_bytes: int
    transactions: tuple[bytes, ...]
    height: int


@dataclass(frozen=True, slots=True)
class Proposed:
    """A block's transactions, its height, and the address of who proposed it."""

    transactions: tuple[bytes, ...]
    height: int
    proposer: bytes


@dataclass(frozen=True, slots=True)
class ProcessProposal:
    """May this node vote for the block?"""

    block: Proposed


@dataclass(frozen=True, slots=True)
class FinalizeBlock:
    """The block is decided."""

    block: Proposed


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The state after block ``height``, in chunks; peers have the same one if all of this is equal."""

    height: int
    format: int
    chunks: int
    hash: bytes
    metadata: bytes


@dataclass(frozen=True, slots=True)
class ListSnapshots:
    """A peer asks which snapshots there are."""


@dataclass(frozen=True, slots=True)
class OfferSnapshot:
    """A peer has a snapshot, and CometBFT has no state yet."""

    snapshot: Snapshot


@dataclass(frozen=True, slots=True)
class LoadSnapshotChunk:
    """A peer wants a chunk of the snapshot of ``height``."""

    height: int
    format: int
    chunk: int


@dataclass(frozen=True, slots=True)
class ApplySnapshotChunk:
    """A chunk of the snapshot that was accepted is here, from the peer ``sender``; they come in their order."""

    index: int
    chunk: bytes
    sender: str


@dataclass(frozen=True, slots=True)
class Other:
    """A request by its number that this application answers with nothing: there are no vote extensions."""

    number: int


Request: TypeAlias = (
    Echo
    | Flush
    | Info
    | InitChain
    | Query
    | CheckTx
    | Commit
    | PrepareProposal
    | ProcessProposal
    | FinalizeBlock
    | ListSnapshots
    | OfferSnapshot
    | LoadSnapshotChunk
    | ApplySnapshotChunk
    | Other
)


def read_request(data: bytes) -> Request:
    """Return the request of a frame; raise ``Malformed``."""
    found = list(_fields(data))
    if len(found) != 1 or not isinstance(found[0][1], bytes):
        raise Malformed("expected one ABCI request")
    number, body = found[0]
    fields = _Message(body)
    match number:
        case 1:
            return Echo(fields.octets(1))
        case 2:
            return Flush()
        case 3:
            return Info()
        case 5:
            return InitChain(fields.text(2), tuple(map(_validator, fields.many(4))), fields.integer(6))
        case 6:
            return Query(fields.text(2))
        case 8:
            return CheckTx(fields.octets(1), fields.integer(2) == 1)
        case 11:
            return Commit()
        case 12:
            return ListSnapshots()
        case 13:
            return OfferSnapshot(_snapshot(_Message(fields.octets(1))))
        case 14:
            return LoadSnapshotChunk(fields.integer(1), fields.integer(2), fields.integer(3))
        case 15:
            return ApplySnapshotChunk(fields.integer(1), fields.octets(2), fields.text(3))
        case 16:
            return PrepareProposal(fields.integer(1), fields.many(2), fields.integer(5))
        case 17:
            return ProcessProposal(Proposed(fields.many(1), fields.integer(5), fields.octets(8)))
        case 20:
            return FinalizeBlock(Proposed(fields.many(1), fields.integer(5), fields.octets(8)))
    return Other(number)


def _validator(data: bytes) -> tuple[bytes, int]:
    update = _Message(data)
    return _Message(update.octets(1)).octets(1), update.integer(2)


def _snapshot(fields: _Message) -> Snapshot:
    height, format, chunks = fields.integer(1), fields.integer(2), fields.integer(3)
    return Snapshot(height, format, chunks, fields.octets(4), fields.octets(5))


class _Message:
    """The fields of one message by number; one that is absent has its zero."""

    def __init__(self, data: bytes | int) -> None:
        if not isinstance(data, bytes):
            raise Malformed("expected a message")
        self._found: dict[int, list[int | bytes]] = {}
        for number, value in _fields(data):
            self._found.setdefault(number, []).append(value)

    def many(self, number: int) -> tuple[bytes, ...]:
        values = tuple(value for value in self._found.get(number, ()) if isinstance(value, bytes))
        if len(values) != len(self._found.get(number, ())):
            raise Malformed(f"field {number}: expected bytes")
        return values

    def octets(self, number: int) -> bytes:
        values = self.many(number)
        return values[-1] if values else b""

    def text(self, number: int) -> str:
        try:
            return self.octets(number).decode()
        except UnicodeDecodeError:
            raise Malformed(f"field {number}: expected text") from None

    def integer(self, number: int) -> int:
        value = self._found.get(number, [0])[-1]
        if not isinstance(value, int) or value >= 2**63:
            raise Malformed(f"field {number}: expected a number that is not negative")
        return value


def _fields(data: bytes) -> Iterator[tuple[int, int | bytes]]:
    position = 0
    while position < len(data):
        key, position = read_varint(data, position)
        number, kind = key >> 3, key & 7
        if not number:
            raise Malformed("a field without a number")
        if kind == _VARINT:
            value, position = read_varint(data, position)
            yield number, value
            continue
        if kind == _BYTES:
            size, position = read_varint(data, position)
        elif kind in (_FIXED64, _FIXED32):
            size = 8 if kind == _FIXED64 else 4
        else:
            raise Malformed(f"wire type {kind}")
        if size > len(data) - position:
            raise Malformed("a field is longer than its message")
        yield number, data[position : position + size]
        position += size


def read_varint(data: bytes, position: int) -> tuple[int, int]:
    """Return the number at ``position`` and where it ends; raise ``Malformed``."""
    value = shift = 0
    while position < len(data) and shift <= _MAX_SHIFT:
        byte = data[position]
        value |= (byte & 0x7F) << shift
        position, shift = position + 1, shift + 7
        if byte < 0x80:
            if value >= 2**64:
                break
            return value, position
    raise Malformed("not a number")


# --- answers ---


def exception(reason: str) -> bytes:
    """CometBFT ends when it reads this."""
    return _response(1, _bytes(1, reason.encode()))


def echo(message: bytes) -> bytes:
    """Answer ``Echo``."""
    return _response(2, _bytes(1, message))


def flush() -> bytes:
    """Answer ``Flush``."""
    return _response(3, b"")


def info(version: str, height: int, app_hash: bytes) -> bytes:
    """Answer ``Info``: the last height whose ``Commit`` was asked."""
    named = _bytes(1, b"coseal") + _bytes(2, version.encode())
    return _response(4, named + _number(4, height) + _bytes(5, app_hash))


def init_chain(app_hash: bytes) -> bytes:
    """Answer ``InitChain``: the validators are those that were asked with."""
    return _response(6, _bytes(3, app_hash))


def query(code: int, log: str) -> bytes:
    """Answer ``Query``: 0 lets a peer in."""
    return _response(7, _number(1, code) + _bytes(3, log.encode()))


def check_tx(code: int, log: str) -> bytes:
    """Answer ``CheckTx``: 0 lets the transaction wait."""
    return _response(9, _number(1, code) + _bytes(3, log.encode()))


def commit(retain_height: int) -> bytes:
    """Answer ``Commit``: CometBFT may drop its blocks below ``retain_height``; at 0 it keeps them all."""
    return _response(12, _number(3, retain_height))


class Offered(Enum):
    """The answers to ``OfferSnapshot``: take it, not this one, none of this format, none of these peers."""

    ACCEPT = 1
    REJECT = 3
    REJECT_FORMAT = 4
    REJECT_SENDER = 5


def list_snapshots(snapshots: list[Snapshot]) -> bytes:
    """Answer ``ListSnapshots``."""
    return _response(13, b"".join([_always(1, _encoded(snapshot)) for snapshot in snapshots]))


def offer_snapshot(answer: Offered) -> bytes:
    """Answer ``OfferSnapshot``."""
    return _response(14, _number(1, answer.value))


def load_snapshot_chunk(chunk: bytes) -> bytes:
    """Answer ``LoadSnapshotChunk``; an empty chunk is one that is not here."""
    return _response(15, _bytes(1, chunk))


def apply_snapshot_chunk() -> bytes:
    """Answer ``ApplySnapshotChunk``: it is taken."""
    return _response(16, _number(1, 1))


def refetch_snapshot_chunk(index: int, sender: str) -> bytes:
    """Answer ``ApplySnapshotChunk``: fetch it from another peer, and nothing more from this one."""
    return _response(16, _number(1, 3) + _always(2, varint(index)) + _bytes(3, sender.encode()))


def abort_snapshot() -> bytes:
    """Answer ``ApplySnapshotChunk``: no snapshot is being joined."""
    return _response(16, _number(1, 2))


def prepare_proposal(transactions: list[bytes]) -> bytes:
    """Answer ``PrepareProposal`` with what the block holds."""
    return _response(17, b"".join([_always(1, raw) for raw in transactions]))


def process_proposal(*, accept: bool) -> bytes:
    """Answer ``ProcessProposal``."""
    return _response(18, _number(1, 1 if accept else 2))


def finalize_block(codes: list[int], updates: list[tuple[bytes, int]], app_hash: bytes) -> bytes:
    """Answer ``FinalizeBlock``: a code for each transaction, and validators' keys with their power from H + 2 on."""
    results = b"".join([_always(2, _number(1, code)) for code in codes])
    changed = b"".join([_always(3, _always(1, _bytes(1, key)) + _number(2, power)) for key, power in updates])
    return _response(21, results + changed + _bytes(5, app_hash))


def nothing(number: int) -> bytes:
    """Answer a request of this number with an empty message."""
    return _response(number + 1, b"")


def framed(message: bytes) -> bytes:
    """Return a message as it goes over the socket: behind its length."""
    return varint(len(message)) + message


def size_in_block(raw: bytes) -> int:
    """Return what a transaction takes of a block, as CometBFT counts it."""
    return len(_always(1, raw))


def _encoded(snapshot: Snapshot) -> bytes:
    numbers = _number(1, snapshot.height) + _number(2, snapshot.format) + _number(3, snapshot.chunks)
    return numbers + _bytes(4, snapshot.hash) + _bytes(5, snapshot.metadata)


def _response(number: int, body: bytes) -> bytes:
    return _always(number, body)


def _number(number: int, value: int) -> bytes:
    return varint(number << 3) + varint(value) if value else b""


def _bytes(number: int, value: bytes) -> bytes:
    return _always(number, value) if value else b""


def _always(number: int, value: bytes) -> bytes:
    return varint(number << 3 | _BYTES) + varint(len(value)) + value
