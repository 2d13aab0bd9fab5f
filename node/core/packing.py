"""How much goes into one frame: as many blocks, heads or transactions as fit, in order.

Law: no frame is larger than ``MAX_FRAME_BYTES``, and what is asked for comes by at least one a frame.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from coseal.ledger import codec
from coseal.ledger.block import MAX_BLOCK_TRANSACTIONS, MAX_FRAME_BYTES
from coseal.node.core.wire import MAX_BLOCKS, MAX_HEADS, Blocks, Heads, Transactions

# What a message may carry besides its payload: tags, hashes, certificates.
FRAME_RESERVE_BYTES: Final = 64 * 1024
# Blocks for a peer that catches up come in smaller portions, so that it can execute one while the next travels and
# has its signatures checked.
BLOCKS_BYTES: Final = 192 * 1024
HEADS_BYTES: Final = 2 * 1024 * 1024


def pack_blocks(from_height: int, records: Iterable[bytes]) -> Blocks:
    """Return the frame for log records (``CommittedBlock`` bytes) of consecutive heights, as many as fit, at least one.

    Receipts stay behind: the receiver executes each block and finds them itself (N7).
    """
    budget = BLOCKS_BYTES
    pairs: list[tuple[bytes, bytes]] = []
    for record in records:
        block, certificate, _receipts = codec.decode_record(record, "committed", 1, 3)
        budget -= len(block) + len(certificate) + 16
        if pairs and (budget < 0 or len(pairs) == MAX_BLOCKS):
            break
        pairs.append((block, certificate))
    return Blocks(from_height, tuple(pairs))


def pack_heads(from_height: int, heads: Iterable[bytes]) -> Heads:
    """Return the frame for encoded heads of consecutive heights, as many as fit, at least one."""
    budget = HEADS_BYTES
    found: list[bytes] = []
    for head in heads:
        budget -= len(head) + 8
        if found and (budget < 0 or len(found) == MAX_HEADS):
            break
        found.append(head)
    return Heads(from_height, tuple(found))


def pack_transactions(raws: Iterable[bytes]) -> list[Transactions]:
    """Return as few frames as carry all of ``raws`` in order."""
    frames: list[Transactions] = []
    batch: list[bytes] = []
    budget = MAX_FRAME_BYTES - FRAME_RESERVE_BYTES
    for raw in raws:
        if batch and (len(raw) + 8 > budget or len(batch) == MAX_BLOCK_TRANSACTIONS):
            frames.append(Transactions(tuple(batch)))
            batch, budget = [], MAX_FRAME_BYTES - FRAME_RESERVE_BYTES
        batch.append(raw)
        budget -= len(raw) + 8
    if batch:
        frames.append(Transactions(tuple(batch)))
    return frames
