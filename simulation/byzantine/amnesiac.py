"""Forgets what it signed: restarts with an empty journal, and signs again."""

from __future__ import annotations

from coseal.node.core import journal
from simulation.byzantine.behaviour import Behaviour


class Amnesiac(Behaviour):
    """An honest machine whose guard is new after every restart."""

    name = "amnesiac"

    def tick(self) -> None:
        """Restart at random, in the midst of a height."""
        if self.rng.randrange(12) == 0:
            self.world.act(1, "amnesia", lambda: self.world.reboot_afresh(self.node, journal.initial))
