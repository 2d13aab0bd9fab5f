"""I19: a run held against the abstract model, height by height.

Law: what is judged left an honest node or was made public by it, in that order; who is not honest at the time may have
signed anything.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from simulation import reading
from simulation.model.refine import HeightTrace, NotAllowed, Proof
from simulation.reading import NAMES, Said, Seen

if TYPE_CHECKING:
    from simulation.node import SimulatedNode
    from simulation.world import World


class Traces:
    """The heights of one world. Each judgement returns what the model does not allow, or None."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._heights: dict[int, HeightTrace] = {}

    def said(self, node: SimulatedNode, message: Said, chain: dict[int, Seen], published: int) -> str | None:
        """Judge what ``node``, whose highest block that it made public is ``published``, says."""
        height, certificate = message.height, message.certificate
        proof = None if certificate is None else _proof(certificate)
        statement = (NAMES[message.phase], message.sender, message.round, message.subject, proof)
        try:
            new = self._trace(height, chain).says(*statement, self._faulty())
        except NotAllowed as error:
            return f"{node.id} at height {height}: {error}"
        if new and height not in (published + 1, node.disk.tip_height + 1):  # a crash came before it published
            return f"{node.id} at height {height}: R6: it works on height {published + 1}"
        return None

    def decided(self, node: SimulatedNode, block: Seen, chain: dict[int, Seen]) -> str | None:
        """Judge a block that ``node`` made public."""
        try:
            self._trace(block.height, chain).decides(_proof(block.certificate), self._faulty())
        except NotAllowed as error:
            return f"{node.id} at height {block.height}: {error}"
        return None

    def _trace(self, height: int, chain: dict[int, Seen]) -> HeightTrace:
        trace = self._heights.get(height)
        if trace is None:
            names, previous = self._world.validator_names, chain.get(height - 1)
            base = 0
            if previous is not None:
                moves_on = height % self._world.options.tenure == 0
                base = (names.index(previous.proposer) + moves_on) % len(names)
            trace = self._heights[height] = HeightTrace(len(names), base)
        return trace

    def _faulty(self) -> list[int]:
        seats = {self._world.seat(node) for node in self._world.nodes if not node.honest}
        return sorted(seat for seat in seats if seat is not None)


def _proof(certificate: list[Any]) -> Proof:
    return Proof(certificate[5], certificate[6], reading.signers(certificate[7]))
