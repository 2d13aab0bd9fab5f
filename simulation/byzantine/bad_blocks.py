"""Answers who catches up with blocks that are wrong, too few, late or none."""

from __future__ import annotations

from node import wire
from node.wire import Blocks, WireMessage
from simulation.byzantine.behaviour import Behaviour


class BadBlocks(Behaviour):
    """The chunks of synchronisation, spoilt in one way at a time."""

    name = "bad chunks"

    def outbound(self, target: int, message: WireMessage, data: bytes) -> list[bytes]:
        """Spoil the answer."""
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
