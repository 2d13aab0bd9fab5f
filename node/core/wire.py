"""What nodes say to each other over a link, and its wire form.

Law: ``decode`` checks form and bounds only, raises ``Malformed`` and nothing else, and allocates no more than the
frame's own size justifies. Certificates and signatures inside are proven where they are used.

A frame on the link is a 4-byte big-endian length and one encoded message of at most ``MAX_FRAME_BYTES``.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

from coseal.consensus import messages
from coseal.consensus.messages import Message
from coseal.ledger import codec
from coseal.ledger.block import MAX_BLOCK_BYTES, MAX_BLOCK_TRANSACTIONS, MAX_FRAME_BYTES, Block
from coseal.ledger.certificate import PbftCertificate
from coseal.ledger.errors import Malformed
from coseal.ledger.head import MAX_HEAD_BYTES
from coseal.ledger.sealed import SIDECAR_BYTES_MAX
from coseal.ledger.signing import HASH_BYTES
from coseal.ledger.snapshot import MAX_DEPTH, MAX_MANIFEST_BYTES
from coseal.ledger.transaction import MAX_TRANSACTION_BYTES

MAX_BLOCKS: Final = 128
MAX_HEADS: Final = 128
MAX_SIDECARS: Final = 64
MAX_CERTIFICATE_BYTES: Final = 8 * 1024


@dataclass(frozen=True, slots=True)
class Hello:
    """The first frame of a link, both ways: which chain, which node, which software."""

    chain_id: bytes
    node_id: str
    software_version: str


@dataclass(frozen=True, slots=True)
class Status:
    """The sender's tip with the commit certificate that proves it (None at height 0)."""

    height: int
    block_hash: bytes
    certificate: PbftCertificate | None


@dataclass(frozen=True, slots=True)
class Transactions:
    """Raw pending transactions, for every node's mempool."""

    raws: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class ConsensusMessage:
    """A proposal, vote or round change."""

    message: Message


@dataclass(frozen=True, slots=True)
class GetBlocks:
    """Ask for up to ``limit`` committed blocks from ``from_height`` on."""

    from_height: int
    limit: int


@dataclass(frozen=True, slots=True)
class Blocks:
    """Committed blocks of consecutive heights from ``from_height``, each (block bytes, certificate bytes).

    Fewer than asked for, or none, when the sender has no more or the frame is full.
    """

    from_height: int
    blocks: tuple[tuple[bytes, bytes], ...]


@dataclass(frozen=True, slots=True)
class GetBody:
    """Ask for the block with this hash, which the peer signed a PREPARE for."""

    height: int
    block_hash: bytes


@dataclass(frozen=True, slots=True)
class Body:
    """The block that was asked for."""

    block: Block


@dataclass(frozen=True, slots=True)
class TipRequest:
    """Ask for the tip as of now, for a consistent read; ``token`` comes back in the reply."""

    token: int


@dataclass(frozen=True, slots=True)
class TipReply:
    """The commit certificate of the sender's tip, and its prepared certificate of the height after, if any."""

    token: int
    certificate: PbftCertificate | None
    prepared: PbftCertificate | None


@dataclass(frozen=True, slots=True)
class Pruned:
    """The answer to ``GetBlocks`` below ``first_height``: the sender has the bodies from there on only."""

    from_height: int
    first_height: int


@dataclass(frozen=True, slots=True)
class GetSnapshot:
    """Ask for the manifest of the newest snapshot."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A manifest (``ledger.snapshot``), None if the sender has no snapshot."""

    manifest: bytes | None


@dataclass(frozen=True, slots=True)
class GetHeads:
    """Ask for up to ``limit`` heads (``ledger.head``) from ``from_height`` on."""

    from_height: int
    limit: int


@dataclass(frozen=True, slots=True)
class Heads:
    """Heads of consecutive heights; fewer than asked for, or none, as with ``Blocks``."""

    from_height: int
    heads: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class GetItem:
    """Ask for one item of the snapshot of ``height``: a chunk, or after the last chunk the block."""

    height: int
    item: int


@dataclass(frozen=True, slots=True)
class Item:
    """The item that was asked for, None if the sender does not have it (any more)."""

    height: int
    item: int
    data: bytes | None


@dataclass(frozen=True, slots=True)
class GetSidecars:
    """Ask for sidecars by name, at most ``MAX_SIDECARS``."""

    names: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class Sidecars:
    """Sidecars that were asked for, each name with its bytes, or None: not here (any more). Together at most 1 MiB."""

    pairs: tuple[tuple[bytes, bytes | None], ...]


WireMessage: TypeAlias = (
    Hello
    | Status
    | Transactions
    | ConsensusMessage
    | GetBlocks
    | Blocks
    | GetBody
    | Body
    | TipRequest
    | TipReply
    | Pruned
    | GetSnapshot
    | Snapshot
    | GetHeads
    | Heads
    | GetItem
    | Item
    | GetSidecars
    | Sidecars
)


def promises_nothing(message: WireMessage) -> bool:
    """Say whether a message may leave before earlier writes are durable (N1): it rests on nothing of this node."""
    return isinstance(
        message, Transactions | GetBlocks | GetBody | TipRequest | GetSnapshot | GetHeads | GetItem | GetSidecars
    )


def encode(message: WireMessage) -> bytes:
    """Return the canonical bytes of a message."""
    match message:
        case Hello():
            value: list[Any] = ["hello", 1, message.chain_id, message.node_id, message.software_version]
        case Status():
            value = ["status", 1, message.height, message.block_hash, _value_of(message.certificate)]
        case Transactions():
            value = ["transactions", 1, list(message.raws)]
        case ConsensusMessage():
            value = ["consensus", 1, messages.to_value(message.message)]
        case GetBlocks():
            value = ["get-blocks", 1, message.from_height, message.limit]
        case Blocks():
            value = ["blocks", 1, message.from_height, [list(pair) for pair in message.blocks]]
        case GetBody():
            value = ["get-body", 1, message.height, message.block_hash]
        case Body():
            value = ["body", 1, message.block.raw]
        case TipRequest():
            value = ["tip-request", 1, message.token]
        case TipReply():
            value = ["tip-reply", 1, message.token, _value_of(message.certificate), _value_of(message.prepared)]
        case Pruned():
            value = ["pruned", 1, message.from_height, message.first_height]
        case GetSnapshot():
            value = ["get-snapshot", 1]
        case Snapshot():
            value = ["snapshot-offer", 1, message.manifest]
        case GetHeads():
            value = ["get-heads", 1, message.from_height, message.limit]
        case Heads():
            value = ["heads", 1, message.from_height, list(message.heads)]
        case GetItem():
            value = ["get-item", 1, message.height, message.item]
        case Item():
            value = ["item", 1, message.height, message.item, message.data]
        case GetSidecars():
            value = ["get-sidecars", 1, list(message.names)]
        case Sidecars():
            value = ["sidecars", 1, [list(pair) for pair in message.pairs]]
    return codec.encode(value)


def decode(data: bytes) -> WireMessage:
    """Parse a frame's bytes: form and bounds, nothing else (N5); raise ``Malformed``."""
    if len(data) > MAX_FRAME_BYTES:
        raise Malformed(f"frame of {len(data)} bytes, at most {MAX_FRAME_BYTES}")
    value = codec.decode(data)
    tag = value[0] if type(value) is list and value else None
    parse = _PARSERS.get(tag) if type(tag) is str else None
    if parse is None:
        raise Malformed("not a peer message")
    return parse(value)


def _hello(value: Any) -> Hello:
    chain_id, node_id, software_version = codec.record(value, "hello", 1, 3)
    return Hello(
        codec.octets(chain_id, "chain_id", size=HASH_BYTES),
        codec.text(node_id, "node_id", limit=64),
        codec.text(software_version, "software_version", limit=64),
    )


def _status(value: Any) -> Status:
    height, block_hash, certificate = codec.record(value, "status", 1, 3)
    parsed = _certificate(certificate)
    height = codec.integer(height, "height")
    block_hash = codec.octets(block_hash, "block_hash", size=HASH_BYTES)
    if (parsed is None) != (height == 0):
        raise Malformed("a status has a certificate exactly when its height is not 0")
    if parsed is not None and (parsed.height != height or parsed.block_hash != block_hash):
        raise Malformed("the certificate of a status is of another block")
    return Status(height, block_hash, parsed)


def _transactions(value: Any) -> Transactions:
    (raws,) = codec.record(value, "transactions", 1, 1)
    items = codec.sequence(raws, "transactions", limit=MAX_BLOCK_TRANSACTIONS)
    return Transactions(tuple(codec.octets(raw, "transaction", limit=MAX_TRANSACTION_BYTES) for raw in items))


def _consensus(value: Any) -> ConsensusMessage:
    (message,) = codec.record(value, "consensus", 1, 1)
    return ConsensusMessage(messages.from_value(message))


def _get_blocks(value: Any) -> GetBlocks:
    from_height, limit = codec.record(value, "get-blocks", 1, 2)
    return GetBlocks(codec.integer(from_height, "from_height", low=1), codec.integer(limit, "limit", low=1))


def _blocks(value: Any) -> Blocks:
    from_height, blocks = codec.record(value, "blocks", 1, 2)
    pairs = []
    for item in codec.sequence(blocks, "blocks", limit=MAX_BLOCKS):
        pair = codec.sequence(item, "block and certificate", limit=2)
        if len(pair) != 2:
            raise Malformed("blocks: expected pairs of block and certificate")
        pairs.append(
            (
                codec.octets(pair[0], "block", limit=MAX_BLOCK_BYTES),
                codec.octets(pair[1], "certificate", limit=MAX_CERTIFICATE_BYTES),
            )
        )
    return Blocks(codec.integer(from_height, "from_height", low=1), tuple(pairs))


def _get_body(value: Any) -> GetBody:
    height, block_hash = codec.record(value, "get-body", 1, 2)
    return GetBody(codec.integer(height, "height", low=1), codec.octets(block_hash, "block_hash", size=HASH_BYTES))


def _body(value: Any) -> Body:
    (block,) = codec.record(value, "body", 1, 1)
    return Body(Block.decode(codec.octets(block, "block", limit=MAX_BLOCK_BYTES)))


def _tip_request(value: Any) -> TipRequest:
    (token,) = codec.record(value, "tip-request", 1, 1)
    return TipRequest(codec.integer(token, "token"))


def _tip_reply(value: Any) -> TipReply:
    token, certificate, prepared = codec.record(value, "tip-reply", 1, 3)
    return TipReply(codec.integer(token, "token"), _certificate(certificate), _certificate(prepared))


def _pruned(value: Any) -> Pruned:
    from_height, first_height = codec.record(value, "pruned", 1, 2)
    from_height = codec.integer(from_height, "from_height", low=1)
    return Pruned(from_height, codec.integer(first_height, "first_height", low=from_height + 1))


def _get_snapshot(value: Any) -> GetSnapshot:
    codec.record(value, "get-snapshot", 1, 0)
    return GetSnapshot()


def _snapshot(value: Any) -> Snapshot:
    (manifest,) = codec.record(value, "snapshot-offer", 1, 1)
    return Snapshot(None if manifest is None else codec.octets(manifest, "manifest", limit=MAX_MANIFEST_BYTES))


def _get_heads(value: Any) -> GetHeads:
    from_height, limit = codec.record(value, "get-heads", 1, 2)
    return GetHeads(codec.integer(from_height, "from_height", low=1), codec.integer(limit, "limit", low=1))


def _heads(value: Any) -> Heads:
    from_height, heads = codec.record(value, "heads", 1, 2)
    items = codec.sequence(heads, "heads", limit=MAX_HEADS)
    raws = tuple(codec.octets(item, "head", limit=MAX_HEAD_BYTES) for item in items)
    return Heads(codec.integer(from_height, "from_height", low=1), raws)


def _get_item(value: Any) -> GetItem:
    height, item = codec.record(value, "get-item", 1, 2)
    return GetItem(codec.integer(height, "height", low=1), codec.integer(item, "item", high=1 << MAX_DEPTH))


def _item(value: Any) -> Item:
    height, item, data = codec.record(value, "item", 1, 3)
    return Item(
        codec.integer(height, "height", low=1),
        codec.integer(item, "item", high=1 << MAX_DEPTH),
        None if data is None else codec.octets(data, "data", limit=MAX_FRAME_BYTES),
    )


def _get_sidecars(value: Any) -> GetSidecars:
    (names,) = codec.record(value, "get-sidecars", 1, 1)
    items = codec.sequence(names, "names", limit=MAX_SIDECARS)
    return GetSidecars(tuple(codec.octets(name, "name", size=HASH_BYTES) for name in items))


def _sidecars(value: Any) -> Sidecars:
    (pairs,) = codec.record(value, "sidecars", 1, 1)
    found: list[tuple[bytes, bytes | None]] = []
    for item in codec.sequence(pairs, "sidecars", limit=MAX_SIDECARS):
        pair = codec.sequence(item, "name and bytes", limit=2)
        if len(pair) != 2:
            raise Malformed("sidecars: expected pairs of name and bytes")
        data = None if pair[1] is None else codec.octets(pair[1], "sidecar", limit=SIDECAR_BYTES_MAX)
        found.append((codec.octets(pair[0], "name", size=HASH_BYTES), data))
    if sum(0 if data is None else len(data) for _, data in found) > SIDECAR_BYTES_MAX:
        raise Malformed(f"sidecars of more than {SIDECAR_BYTES_MAX} bytes in one frame")
    return Sidecars(tuple(found))


def _certificate(value: Any) -> PbftCertificate | None:
    return None if value is None else PbftCertificate.from_value(value)


def _value_of(certificate: PbftCertificate | None) -> list[Any] | None:
    return None if certificate is None else certificate.to_value()


_PARSERS: Final[dict[str, Callable[[Any], WireMessage]]] = {
    "hello": _hello,
    "status": _status,
    "transactions": _transactions,
    "consensus": _consensus,
    "get-blocks": _get_blocks,
    "blocks": _blocks,
    "get-body": _get_body,
    "body": _body,
    "tip-request": _tip_request,
    "tip-reply": _tip_reply,
    "pruned": _pruned,
    "get-snapshot": _get_snapshot,
    "snapshot-offer": _snapshot,
    "get-heads": _get_heads,
    "heads": _heads,
    "get-item": _get_item,
    "item": _item,
    "get-sidecars": _get_sidecars,
    "sidecars": _sidecars,
}
