"""Asks for rounds without end, up to the greatest there is."""

from __future__ import annotations

from coseal.ledger.certificate import ROUND_MAX
from simulation.byzantine.behaviour import Behaviour


class RoundStorm(Behaviour):
    """Several round changes at once, at this height and the next."""

    name = "round-change storm"

    def tick(self) -> None:
        """Ask for rounds near and far."""
        rounds = (self.round + 1, self.round + self.rng.randrange(2, 50), self.rng.choice((2**31, ROUND_MAX)))
        for round in rounds:
            prepared = self.rng.choice([None, *self.certificates(self.height)])
            self.tell_all(self.change(self.height + self.rng.randrange(2), min(round, ROUND_MAX), prepared))
