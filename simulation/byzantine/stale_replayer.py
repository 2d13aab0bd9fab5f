"""Says again what anybody said before, at any height and round."""

from __future__ import annotations

from simulation.byzantine.behaviour import Behaviour


class StaleReplayer(Behaviour):
    """Replays a few old messages, its own and others', unchanged."""

    name = "stale replayer"

    def tick(self) -> None:
        """Replay."""
        if self.ears.messages:
            for _ in range(3):
                self.tell_all(self.rng.choice(self.ears.messages))
