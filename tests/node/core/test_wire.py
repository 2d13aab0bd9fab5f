from __future__ import annotations

import contextlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from coseal.consensus.messages import Commit, Prepare, Proposal, RoundChange
from coseal.ledger import codec
from coseal.ledger.block import MAX_BLOCK_BYTES, MAX_BLOCK_TRANSACTIONS, MAX_FRAME_BYTES, CommittedBlock
from coseal.ledger.certificate import PbftCertificate, Phase
from coseal.ledger.errors import LedgerError, Malformed
from coseal.ledger.transaction import MAX_TRANSACTION_BYTES
from coseal.node.core import wire
from tests.support.chain import Chain
from tests.support.genesis import genesis
from tests.support.transactions import signed

HASH = bytes(range(32))


def committed(count: int = 3) -> CommittedBlock:
    chain = Chain(genesis())
    chain.extend([])
    return chain.extend([signed(genesis(), number) for number in range(count)])


BLOCK = committed()
CHANGE = RoundChange(0, 2, 1, 3, BLOCK.certificate, bytes(64))
MESSAGES: list[wire.WireMessage] = [
    wire.Hello(HASH, "bank-a", "0.1.0"),
    wire.Status(0, HASH, None),
    wire.Status(2, BLOCK.block.hash, BLOCK.certificate),
    wire.Transactions((b"", b"\x01", b"x" * 300)),
    wire.ConsensusMessage(Prepare(0, 2, 0, 1, HASH, bytes(64))),
    wire.ConsensusMessage(Commit(0, 2, 2**32 - 1, 63, HASH, bytes(64))),
    wire.ConsensusMessage(CHANGE),
    wire.ConsensusMessage(Proposal(0, 2, 1, 3, BLOCK.block, (CHANGE,), bytes(64))),
    wire.GetBlocks(1, 2**40),
    wire.Blocks(1, ()),
    wire.Blocks(2, ((BLOCK.block.raw, BLOCK.certificate.encode()),)),
    wire.GetBody(2, BLOCK.block.hash),
    wire.Body(BLOCK.block),
    wire.TipRequest(7),
    wire.TipReply(7, None, None),
    wire.TipReply(7, BLOCK.certificate, BLOCK.certificate),
    wire.Pruned(3, 9),
    wire.GetSnapshot(),
    wire.Snapshot(None),
    wire.Snapshot(b"manifest"),
    wire.GetHeads(1, 2**40),
    wire.Heads(1, ()),
    wire.Heads(2, (b"head", b"another")),
    wire.GetItem(5, 1 << 16),
    wire.Item(5, 0, None),
    wire.Item(5, 1, b"chunk"),
    wire.GetSidecars((b"n" * 32, b"m" * 32)),
    wire.Sidecars(((b"n" * 32, b"sidecar"), (b"m" * 32, None))),
]


@pytest.mark.parametrize("message", MESSAGES, ids=lambda message: type(message).__name__)
def test_every_message_survives_the_wire(message: wire.WireMessage) -> None:
    data = wire.encode(message)
    assert wire.decode(data) == message
    assert wire.encode(wire.decode(data)) == data


def refused(value: object, match: str) -> None:
    with pytest.raises(Malformed, match=match):
        wire.decode(codec.encode(value))  # type: ignore[arg-type]


@settings(deadline=None, max_examples=300)
@given(st.binary(max_size=200))
def test_any_bytes_are_a_message_or_malformed(data: bytes) -> None:
    with pytest.raises(LedgerError):
        raise_unless_message(data)


def raise_unless_message(data: bytes) -> None:
    wire.decode(data)
    raise Malformed("it was a message after all")


@settings(deadline=None, max_examples=400)
@given(st.sampled_from(MESSAGES), st.data())
def test_a_message_with_a_changed_byte_is_another_message_or_malformed(
    message: wire.WireMessage, data: st.DataObject
) -> None:
    raw = bytearray(wire.encode(message))
    raw[data.draw(st.integers(0, len(raw) - 1))] = data.draw(st.integers(0, 255))
    with contextlib.suppress(LedgerError):
        assert wire.encode(wire.decode(bytes(raw))) == raw


@settings(deadline=None, max_examples=200)
@given(
    st.sampled_from([message.__name__ for message in wire.WireMessage.__args__]),
    st.recursive(
        st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1) | st.binary(max_size=40) | st.text(max_size=8),
        lambda inner: st.lists(inner, max_size=5),
        max_leaves=20,
    ),
)
def test_any_fields_behind_a_known_tag_are_a_message_or_malformed(name: str, fields: object) -> None:
    tags = {"ConsensusMessage": "consensus", "GetBlocks": "get-blocks", "GetBody": "get-body"}
    tag = {**tags, "TipRequest": "tip-request", "TipReply": "tip-reply"}.get(name, name.lower())
    with pytest.raises(LedgerError):
        raise_unless_message(codec.encode([tag, 1, *(fields if isinstance(fields, list) else [fields])]))


def test_a_frame_one_byte_too_long_is_refused_before_it_is_parsed() -> None:
    """C5."""
    with pytest.raises(Malformed, match="frame of 8388609 bytes"):
        wire.decode(bytes(MAX_FRAME_BYTES + 1))


def test_sizes_are_refused_one_beyond_their_limit() -> None:
    """C5."""
    wire.decode(codec.encode(["transactions", 1, [bytes(MAX_TRANSACTION_BYTES)]]))
    refused(["transactions", 1, [bytes(MAX_TRANSACTION_BYTES + 1)]], "transaction: 262145 bytes")
    wire.decode(codec.encode(["transactions", 1, [b""] * MAX_BLOCK_TRANSACTIONS]))
    refused(["transactions", 1, [b""] * (MAX_BLOCK_TRANSACTIONS + 1)], "at most 5000")
    wire.decode(codec.encode(["blocks", 1, 1, [[b"", b""]] * wire.MAX_BLOCKS]))
    refused(["blocks", 1, 1, [[b"", b""]] * (wire.MAX_BLOCKS + 1)], "at most 128")
    refused(["blocks", 1, 1, [[bytes(MAX_BLOCK_BYTES + 1), b""]]], "block: 4194305 bytes")
    refused(["blocks", 1, 1, [[b"", bytes(wire.MAX_CERTIFICATE_BYTES + 1)]]], "certificate: 8193 bytes")
    refused(["body", 1, bytes(MAX_BLOCK_BYTES + 1)], "block: 4194305 bytes")


@pytest.mark.parametrize(
    ("value", "match"),
    [
        (["status", 1, 0, HASH, BLOCK.certificate.to_value()], "exactly when"),
        (["status", 1, 3, HASH, None], "exactly when"),
        (["status", 1, 3, BLOCK.block.hash, BLOCK.certificate.to_value()], "of another block"),
        (["status", 1, 2, HASH, BLOCK.certificate.to_value()], "of another block"),
        (["get-blocks", 1, 0, 1], "from_height"),
        (["get-blocks", 1, 1, 0], "limit"),
        (["hello", 1, HASH, "", "0"], "node_id"),
        (["hello", 1, HASH[:31], "a", "0"], "chain_id"),
        (["hello", 2, HASH, "a", "0"], "version"),
        (["consensus", 1, ["certificate", 1]], "not a consensus message"),
        (["gossip", 1], "not a peer message"),
        ([1, 1], "not a peer message"),
        ("status", "not a peer message"),
    ],
)
def test_messages_that_contradict_themselves_are_refused(value: object, match: str) -> None:
    refused(value, match)


def test_the_largest_certificate_fits() -> None:
    largest = PbftCertificate(Phase.COMMIT, 2**63 - 1, 2**63 - 1, 2**32 - 1, HASH, b"\xff" * 8, (bytes(64),) * 64)
    assert len(largest.encode()) <= wire.MAX_CERTIFICATE_BYTES


def test_only_frames_that_rest_on_nothing_of_ours_may_overtake_a_write() -> None:
    free = {type(message) for message in MESSAGES if wire.promises_nothing(message)}
    questions = {wire.GetBlocks, wire.GetBody, wire.TipRequest, wire.GetSnapshot, wire.GetHeads, wire.GetItem}
    questions |= {wire.GetSidecars}
    assert free == questions | {wire.Transactions}


def test_what_a_snapshot_message_may_carry_is_bounded() -> None:
    refused(["pruned", 1, 5, 5], "first_height")
    refused(["get-item", 1, 5, (1 << 16) + 1], "item")
    refused(["get-item", 1, 0, 0], "height")
    refused(["snapshot-offer", 1, bytes(wire.MAX_MANIFEST_BYTES + 1)], "manifest")
    refused(["heads", 1, 1, [b""] * (wire.MAX_HEADS + 1)], "heads")
    refused(["heads", 1, 1, [bytes(wire.MAX_HEAD_BYTES + 1)]], "head")
