"""Votes for two blocks in one round."""

from __future__ import annotations

from dataclasses import replace

from coseal.consensus.messages import Commit, Prepare
from coseal.node.core.wire import WireMessage
from simulation.byzantine.behaviour import Behaviour, frame


class DoubleVoter(Behaviour):
    """Adds a vote for another block that was heard of, before or after the true one."""

    name = "double voter"

    def outbound(self, target: int, message: WireMessage, data: bytes) -> list[bytes]:
        """Send two votes."""
        own = self.own(message)
        if not isinstance(own, Prepare | Commit):
            return [data]
        hashes = [found for found in self.hashes(own.height) if found != own.block_hash]
        second = frame(self.signed(replace(own, block_hash=self.rng.choice(hashes or [bytes(32)]))))
        return [second, data] if self.rng.randrange(2) else [data, second]

    def tick(self) -> None:
        """Commit whatever was heard of, prepared or not."""
        for block_hash in self.hashes(self.height)[:2]:
            self.tell_all(self.prepare(self.height, self.round, block_hash))
            self.tell_all(self.commit(self.height, self.round, block_hash))
