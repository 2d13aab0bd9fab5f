"""Shows its block to few, and gives its body to nobody who asks."""

from __future__ import annotations

from coseal.consensus.messages import Proposal
from coseal.node.core.wire import Blocks, Body, WireMessage
from simulation.byzantine.behaviour import Behaviour


class BodyWithholder(Behaviour):
    """One endpoint never sees its proposals; bodies and blocks are asked for in vain."""

    name = "body withholder"

    def outbound(self, target: int, message: WireMessage, data: bytes) -> list[bytes]:
        """Withhold."""
        if isinstance(message, Body | Blocks):
            return []
        if isinstance(self.own(message), Proposal) and target == self.height % len(self.world.nodes):
            return []
        return [data]
