"""Proposes where another leads, in its own name, a block that claims to be the leader's."""

from __future__ import annotations

from dataclasses import replace

from coseal.consensus.messages import Proposal
from coseal.ledger.block import Block
from simulation.byzantine.behaviour import Behaviour


class Usurper(Behaviour):
    """The block is the leader's with another time, so all but its origin is right."""

    name = "usurper"

    def tick(self) -> None:
        """Propose."""
        for heard in self.ears.at(self.height)[-20:]:
            if isinstance(heard, Proposal) and heard.sender != self.me and not heard.justification:
                header = replace(heard.block.header, time_ms=heard.block.header.time_ms + 1)
                block = Block(header, heard.block.transactions, heard.block.last_commit)
                self.tell_all(self.signed(replace(heard, sender=self.me or 0, block=block)))
                return
