"""Commits towards one validator only."""

from __future__ import annotations

from coseal.consensus.messages import Commit
from coseal.node.core.wire import WireMessage
from simulation.byzantine.behaviour import Behaviour


class CommitWhisperer(Behaviour):
    """That one may decide alone."""

    name = "commits to one"

    def outbound(self, target: int, message: WireMessage, data: bytes) -> list[bytes]:
        """Drop its commits for all others."""
        chosen = self.height // 3 % len(self.world.nodes)
        return [] if isinstance(self.own(message), Commit) and target != chosen else [data]
