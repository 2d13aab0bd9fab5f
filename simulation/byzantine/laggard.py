"""Is always behind: everything it says comes late."""

from __future__ import annotations

from coseal.node.core.wire import ConsensusMessage, WireMessage
from simulation.byzantine.behaviour import Behaviour


class Laggard(Behaviour):
    """By up to several timeouts."""

    name = "always behind"

    def outbound(self, target: int, message: WireMessage, data: bytes) -> list[bytes]:
        """Send it later."""
        consensus = isinstance(message, ConsensusMessage)
        late_ms = self.rng.choice((200, 600, 2_500))
        self.world.act(late_ms, "late frame", lambda: self.world.transmit(self.node, target, data, consensus=consensus))
        return []
