"""Proposes one block to half of the validators and another to the rest, and votes for both."""

from __future__ import annotations

from dataclasses import replace

from coseal.consensus.messages import Commit, Prepare, Proposal
from coseal.ledger.block import Block
from coseal.node.core.wire import WireMessage
from simulation.byzantine.behaviour import Behaviour, frame


class Equivocator(Behaviour):
    """The other block has another time, and is as valid as the first."""

    name = "equivocator"
    _other: dict[bytes, Block]

    def outbound(self, target: int, message: WireMessage, data: bytes) -> list[bytes]:
        """Give odd endpoints the other block, and votes for it."""
        own, others = self.own(message), self.__dict__.setdefault("_other", {})
        if target % 2 == 0 or own is None:
            return [data]
        if isinstance(own, Proposal):
            block = own.block
            if all(change.prepared is None for change in own.justification):
                header = replace(block.header, time_ms=block.header.time_ms + 1)
                block = others.setdefault(block.hash, Block(header, block.transactions, block.last_commit))
            return [frame(self.signed(replace(own, block=block)))]
        if isinstance(own, Prepare | Commit) and own.block_hash in others:
            return [frame(self.signed(replace(own, block_hash=others[own.block_hash].hash)))]
        return [data]
