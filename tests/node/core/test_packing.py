from __future__ import annotations

from coseal.ledger import codec
from coseal.ledger.block import MAX_FRAME_BYTES
from coseal.ledger.transaction import MAX_TRANSACTION_BYTES
from coseal.node.core import packing, wire
from tests.support.chain import Chain
from tests.support.genesis import genesis


def test_blocks_are_packed_without_receipts_up_to_a_portion_and_at_least_one() -> None:
    chain = Chain(genesis())
    chain.extend([])
    block = chain.extend([])
    record = block.encode()
    frame = packing.pack_blocks(2, [record, record])
    assert frame == wire.Blocks(2, ((block.block.raw, block.certificate.encode()),) * 2)
    assert len(packing.pack_blocks(2, [record] * 500).blocks) == wire.MAX_BLOCKS
    large = codec.encode(["committed", 1, bytes(packing.BLOCKS_BYTES + 1), b"", []])
    assert len(packing.pack_blocks(2, [large, record]).blocks) == 1
    assert packing.pack_blocks(2, []) == wire.Blocks(2, ())


def test_transactions_are_packed_in_order_into_frames_that_fit() -> None:
    raws = [bytes([number]) * MAX_TRANSACTION_BYTES for number in range(40)]
    frames = packing.pack_transactions(raws)
    assert len(frames) == 2
    assert [raw for frame in frames for raw in frame.raws] == raws
    assert all(len(wire.encode(frame)) <= MAX_FRAME_BYTES for frame in frames)
    assert [len(frame.raws) for frame in packing.pack_transactions([b"x"] * 5_001)] == [5_000, 1]
    assert packing.pack_transactions([]) == []


def test_heads_are_packed_as_many_as_fit_and_at_least_one() -> None:
    assert packing.pack_heads(4, []) == wire.Heads(4, ())
    large = bytes(packing.HEADS_BYTES)
    assert packing.pack_heads(4, [large, b"x"]) == wire.Heads(4, (large,))
    assert len(packing.pack_heads(4, [b"x"] * 500).heads) == wire.MAX_HEADS
