"""Answers who catches up with blocks, snapshots and heads that are wrong, too few, late or none."""

from __future__ import annotations

from random import Random

from coseal.node.core import wire
from coseal.node.core.wire import Blocks, Heads, Item, Snapshot, WireMessage
from simulation.byzantine.behaviour import Behaviour


class BadBlocks(Behaviour):
    """The chunks of synchronisation, spoilt in one way at a time."""

    name = "bad chunks"

    def outbound(self, target: int, message: WireMessage, data: bytes) -> list[bytes]:
        """Spoil the answer."""
        if isinstance(message, Item | Snapshot | Heads):
            return [self._spoilt_snapshot(message)]
        if not isinstance(message, Blocks) or not message.blocks:
            return [data]
        rng, pairs = self.rng, message.blocks
        block, certificate = pairs[0]
        at = rng.randrange(len(block))
        spoilt = (
            (),
            pairs[:1],
            (*pairs[1:], pairs[0]),
            ((block[:at] + bytes([block[at] ^ 1]) + block[at + 1 :], certificate), *pairs[1:]),
            ((block, pairs[-1][1]), *pairs[1:]),
            ((block, certificate[:-1] + bytes([certificate[-1] ^ 1])), *pairs[1:]),
        )
        return [wire.encode(Blocks(message.from_height, rng.choice(spoilt)))]

    def _spoilt_snapshot(self, message: Item | Snapshot | Heads) -> bytes:
        """One byte of a chunk, a manifest or a head is another; or there is none."""
        rng = self.rng
        match message:
            case Item(height, item, data):
                return wire.encode(Item(height, item, rng.choice((None, _flipped(data, rng)))))
            case Snapshot(manifest):
                return wire.encode(Snapshot(rng.choice((None, manifest, _flipped(manifest, rng)))))
            case Heads(from_height, heads):
                flipped = tuple(head for raw in heads[:1] if (head := _flipped(raw, rng)) is not None)
                return wire.encode(Heads(from_height, rng.choice(((), heads, flipped, heads[1:]))))


def _flipped(data: bytes | None, rng: Random) -> bytes | None:
    if not data:
        return data
    at = rng.randrange(len(data))
    return data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :]
