"""Sends votes in others' names, of other epochs, and one kind of signature as another."""

from __future__ import annotations

from dataclasses import replace

from coseal.consensus.messages import Commit, Prepare
from simulation.byzantine.behaviour import Behaviour


class VoteForger(Behaviour):
    """None of what it makes up verifies."""

    name = "vote forger"

    def tick(self) -> None:
        """Forge."""
        rng, height = self.rng, self.height
        block_hash = rng.choice(self.hashes(height))
        victim = rng.randrange(self.validators.n)
        forged = replace(self.prepare(height, self.round, block_hash), sender=victim)
        foreign = self.signed(replace(self.commit(height, self.round, block_hash), epoch=rng.choice((1, 7, 2**40))))
        self.tell_all(forged, foreign)
        heard = [message for message in self.ears.at(height) if isinstance(message, Prepare)]
        for vote in heard[-3:]:  # a PREPARE's signature is no COMMIT
            self.tell_all(Commit(vote.epoch, vote.height, vote.round, vote.sender, vote.block_hash, vote.signature))
