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
        self._again: dict[int, range] = {}  # heights at which a node works once more, for its disk lost their blocks

    def began_again(self, node: SimulatedNode, height: int, published: int) -> None:
        """Take it that a node started at ``height``, below what it made public: its disk lost the blocks between."""
        self._again[node.index] = range(height + 1, published + 1)

    def said(self, node: SimulatedNode, message: Said, chain: dict[int, Seen], published: int) -> str | None:
        """Judge what ``node``, whose highest block that it made public is ``published``, says."""
        height, certificate = message.height, message.certificate
        proof = None if certificate is None else _proof(certificate)
        statement = (NAMES[message.phase], message.sender, message.round, message.subject, proof)
        try:
            new = self._trace(height, chain).says(*statement, self._faulty(height))
        except NotAllowed as error:
            return f"{node.id} at height {height}: {error}"
        again = self._again.get(node.index, ())
        if new and height not in (published + 1, node.disk.tip_height + 1, *again):  # a crash came before it published
            return f"{node.id} at height {height}: R6: it works on height {published + 1}"
        return None

    def decided(self, node: SimulatedNode, block: Seen, chain: dict[int, Seen]) -> str | None:
        """Judge a block that ``node`` made public."""
        try:
            self._trace(block.height, chain).decides(_proof(block.certificate), self._faulty(block.height))
        except NotAllowed as error:
            return f"{node.id} at height {block.height}: {error}"
        return None

    def _trace(self, height: int, chain: dict[int, Seen]) -> HeightTrace:
        trace = self._heights.get(height)
        if trace is None:
            era, previous = self._world.epochs.at(height), chain.get(height - 1)
            proposer = None if previous is None else previous.proposer
            base = era.base(proposer, height, self._world.options.tenure)
            trace = self._heights[height] = HeightTrace(era.n, base)
        return trace

    def _faulty(self, height: int) -> list[int]:
        era = self._world.epochs.at(height)
        seats = {era.index(node.id) for node in self._world.nodes if not node.honest}
        return sorted(seat for seat in seats if seat is not None)


def _proof(certificate: list[Any]) -> Proof:
    return Proof(certificate[5], certificate[6], reading.signers(certificate[7]))
