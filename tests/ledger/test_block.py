"""Blocks: the header commits to everything (row C7), and bodies that are not its own are refused (row C5)."""

from dataclasses import fields, replace

import pytest

from coseal.ledger import codec, merkle
from coseal.ledger.block import (
    MAX_BLOCK_BYTES,
    MAX_BLOCK_TRANSACTIONS,
    Block,
    CommittedBlock,
    Header,
    Receipt,
    last_commit_hash,
)
from coseal.ledger.certificate import ROUND_MAX, Phase, assemble
from coseal.ledger.errors import Malformed
from coseal.ledger.signing import ZERO_HASH

RAWS = (b"first", b"second", b"third")
RECEIPTS = tuple(Receipt(bytes([i]) * 32, "ok", "", {"n": i}, i).encode() for i in range(4))


def header_of(raws=RAWS, receipts=RECEIPTS, last_commit=None, **changed):
    values = {
        "version": 1,
        "chain_id": b"\x01" * 32,
        "height": 1,
        "parent_hash": b"\x02" * 32,
        "epoch": 0,
        "validators_hash": b"\x03" * 32,
        "next_validators_hash": b"\x04" * 32,
        "proposer": "node-00",
        "created_round": 0,
        "time_ms": 1_700_000_000_000,
        "tx_root": merkle.root(raws),
        "tx_count": len(raws),
        "receipts_root": merkle.root(receipts),
        "state_root": b"\x05" * 32,
        "last_commit_hash": last_commit_hash(last_commit),
    }
    return Header(**{**values, **changed})


def certificate_of(header, validators):
    return assemble(Phase.COMMIT, validators, header.height, 0, header.hash, dict.fromkeys(range(3), bytes(64)))


@pytest.fixture
def committed(make_validators):
    header = header_of()
    return CommittedBlock(Block(header, RAWS, None), certificate_of(header, make_validators()), RECEIPTS)


def test_a_header_survives_its_encoding():
    header = header_of(created_round=ROUND_MAX, time_ms=2**63 - 1)
    assert Header.decode(header.raw) == header
    assert Header.decode(header.raw).hash == header.hash


@pytest.mark.parametrize("field", [field.name for field in fields(Header) if field.name != "version"])
def test_every_header_field_is_part_of_the_block_hash(field):
    header = header_of()
    value = getattr(header, field)
    changed = value + 1 if isinstance(value, int) else value + "x" if isinstance(value, str) else bytes(32)
    if field == "last_commit_hash":
        changed = b"\x01" * 32
    assert replace(header, **{field: changed}).hash != header.hash


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("version", 2),
        ("version", True),
        *((name, bad) for name in ("chain_id", "tx_root", "last_commit_hash") for bad in (bytes(31), "x" * 32, None)),
        ("height", 0),
        ("height", -1),
        ("height", 2**63),
        ("epoch", -1),
        ("proposer", ""),
        ("proposer", "p" * 65),
        ("created_round", ROUND_MAX + 1),
        ("time_ms", -1),
        ("time_ms", 2**63),
        ("tx_count", MAX_BLOCK_TRANSACTIONS + 1),
        ("tx_count", False),
    ],
)
def test_malformed_header_fields_are_refused(field, value):
    with pytest.raises(Malformed):
        Header.decode(header_of(**{field: value}).raw)


def test_a_block_survives_its_encoding(make_validators):
    last_commit = certificate_of(header_of(), make_validators())
    block = Block(header_of(height=2, last_commit=last_commit), RAWS, last_commit)
    decoded = Block.decode(block.raw)
    assert decoded == block
    assert (decoded.hash, decoded.raw) == (block.header.hash, block.raw)


def test_the_voting_round_is_not_in_the_block_hash_but_the_round_of_creation_is():
    assert header_of(created_round=1).hash != header_of().hash
    assert "round" not in [field.name for field in fields(Header)]


def test_a_body_that_is_not_the_headers_is_refused(make_validators):
    other = certificate_of(header_of(), make_validators())
    bad = [
        Block(header_of(), RAWS[:2], None),
        Block(header_of(), RAWS[::-1], None),
        Block(header_of(), (*RAWS, b"fourth"), None),
        Block(header_of(tx_count=2), RAWS, None),
        Block(header_of(tx_root=ZERO_HASH), RAWS, None),
        Block(header_of(), RAWS, other),
        Block(header_of(last_commit=other), RAWS, None),
        Block(header_of(last_commit=other), RAWS, replace(other, round=1)),
    ]
    for block in bad:
        with pytest.raises(Malformed):
            Block.decode(block.raw)


def test_without_roots_a_body_is_counted_and_the_rest_is_left_to_the_caller(committed):
    other = replace(committed, block=Block(committed.block.header, (b"a", b"b", b"c"), None))
    with pytest.raises(Malformed):
        CommittedBlock.decode(other.encode())
    decoded = CommittedBlock.decode(other.encode(), check_roots=False)
    with pytest.raises(Malformed, match="transactions"):
        decoded.check_roots()
    receipts = replace(committed, receipts=committed.receipts[::-1])
    with pytest.raises(Malformed, match="receipts"):
        CommittedBlock.decode(receipts.encode(), check_roots=False).check_roots()
    fewer = replace(committed, block=Block(committed.block.header, RAWS[:2], None))
    for miscounted in (fewer, replace(committed, receipts=committed.receipts[:-1])):
        with pytest.raises(Malformed):
            CommittedBlock.decode(miscounted.encode(), check_roots=False)
    committed.check_roots()


def test_a_block_is_bounded_before_it_is_parsed():
    with pytest.raises(Malformed, match="at most"):
        Block.decode(bytes(MAX_BLOCK_BYTES + 1))
    with pytest.raises(Malformed, match="at most"):
        Block.decode(codec.encode(["block", 1, bytes(4097), [], None]))
    with pytest.raises(Malformed, match="at most"):
        Block.decode(codec.encode(["block", 1, header_of().raw, [b""] * (MAX_BLOCK_TRANSACTIONS + 1), None]))


def test_a_block_of_exactly_the_limit_is_parsed():
    small = len(Block(header_of((bytes(70_000),)), (bytes(70_000),), None).raw)
    body = (bytes(70_000 + MAX_BLOCK_BYTES - small),)
    block = Block(header_of(body), body, None)
    assert len(block.raw) == MAX_BLOCK_BYTES
    assert Block.decode(block.raw) == block


def test_a_committed_block_survives_its_encoding(committed):
    assert CommittedBlock.decode(committed.encode()) == committed


def test_a_committed_block_with_foreign_parts_is_refused(committed, make_validators):
    other = certificate_of(header_of(height=2), make_validators())
    bad = [
        replace(committed, certificate=replace(committed.certificate, block_hash=ZERO_HASH)),
        replace(committed, certificate=replace(committed.certificate, height=2)),
        replace(committed, certificate=other),
        replace(committed, receipts=committed.receipts[:-1]),
        replace(committed, receipts=(*committed.receipts, b"x")),
        replace(committed, receipts=committed.receipts[::-1]),
    ]
    for item in bad:
        with pytest.raises(Malformed):
            CommittedBlock.decode(item.encode())


def test_a_receipt_survives_its_encoding():
    for receipt in (
        Receipt(ZERO_HASH, "ok", "", {}, 0),
        Receipt(b"\x09" * 32, "unauthorised", "拒绝", {"a": [1, {}]}, 1_234),
    ):
        assert Receipt.decode(receipt.encode()) == Receipt.decode_own(receipt.encode()) == receipt
    assert Receipt(ZERO_HASH, "ok", "", {}, 0).ok
    assert not Receipt(ZERO_HASH, "expired", "", {}, 0).ok


@pytest.mark.parametrize(
    "values",
    [
        [bytes(31), "ok", "", {}],
        [bytes(32), "", "", {}],
        [bytes(32), "c" * 65, "", {}],
        [bytes(32), "ok", None, {}],
        [bytes(32), "ok", b"", {}],
        [bytes(32), "ok", "", []],
        [bytes(32), "ok", ""],
    ],
)
def test_malformed_receipts_are_refused(values):
    with pytest.raises(Malformed):
        Receipt.decode(codec.encode(["receipt", 1, *values]))


def test_types_are_not_mistaken_for_one_another(committed):
    raws = {
        Header.decode: committed.block.header.raw,
        Block.decode: committed.block.raw,
        CommittedBlock.decode: committed.encode(),
        Receipt.decode: committed.receipts[0],
    }
    for decode in raws:
        for other, raw in raws.items():
            if decode is not other:
                with pytest.raises(Malformed):
                    decode(raw)
