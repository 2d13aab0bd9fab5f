"""Speaks to q - 1 validators only, itself counted: never enough."""

from __future__ import annotations

from coseal.node.core.wire import ConsensusMessage, WireMessage
from simulation.byzantine.behaviour import Behaviour


class Stingy(Behaviour):
    """The chosen ones change with the height."""

    name = "sends to q - 1"

    def outbound(self, target: int, message: WireMessage, data: bytes) -> list[bytes]:
        """Drop what is of consensus for those who are not chosen."""
        if not isinstance(message, ConsensusMessage):
            return [data]
        validators = self.validators
        chosen = [(self.height + i) % validators.n for i in range(validators.n)]
        chosen = [index for index in chosen if index != self.me][: validators.quorum - 2]
        return [data] if target in chosen else []
