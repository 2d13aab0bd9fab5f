"""Says nothing of consensus, for a while or for ever."""

from __future__ import annotations

from coseal.node.core.wire import ConsensusMessage, WireMessage
from simulation.byzantine.behaviour import Behaviour


class Mute(Behaviour):
    """Speaks and falls silent again at random."""

    name = "mute"
    _silent = True

    def outbound(self, target: int, message: WireMessage, data: bytes) -> list[bytes]:
        """Drop what is of consensus."""
        return [] if self._silent and isinstance(message, ConsensusMessage) else [data]

    def tick(self) -> None:
        """Change its mind now and then."""
        if self.rng.randrange(40) == 0:
            self._silent = not self._silent
