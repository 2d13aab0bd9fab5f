"""What nodes are seen to do: handed on to the invariants and the clients, and counted for the goals.

Law: a goal is counted by what left a node or reached its disk.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from contracts.execution import Outcome
from ledger.block import CommittedBlock
from node import events
from node.events import NodeEffect
from simulation.invariants import Violation
from simulation.reading import COMMIT, PREPARE, PROPOSAL, Said

if TYPE_CHECKING:
    from simulation.node import SimulatedNode
    from simulation.world import World


class Witness:
    """Sees one world's nodes."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.half_voted: dict[int, int] = {}  # endpoint -> height at which it crashed between PREPARE and COMMIT
        self.last_phase: dict[int, tuple[int, int]] = {}  # endpoint -> the phase it said last, and its height
        self._proposals: dict[tuple[int, int, int], int] = {}
        self._silent: dict[int, None] = {}

    def wrote(self, node: SimulatedNode, effect: NodeEffect) -> None:
        """Keep an old copy of some journals, as a backup would."""
        if node.index not in self.world.backups and node.disk.journal and node.height >= 2:
            self.world.backups[node.index] = bytes(node.disk.journal)

    def published(self, node: SimulatedNode, committed: CommittedBlock, outcome: Outcome) -> None:
        """A node made a block public."""
        header, certificate = committed.block.header, committed.certificate
        if node.honest:
            seen = self.world.invariants.published(node, committed.encode())
            if seen.height > self.world.highest:
                self._first(seen.height, certificate.round, header.created_round)
            self.world.say(
                f"{node.id} decides height {header.height} round {certificate.round} made in {header.created_round} "
                f"by {header.proposer} with {header.tx_count} transactions {header.hash.hex()[:8]}"
            )
            if self.half_voted.get(node.index) == header.height:
                del self.half_voted[node.index]
                self.world.goals["crash_between_votes"] += 1
        self.world.clients.committed(node, outcome.tx_ids)

    def _first(self, height: int, round: int, created: int) -> None:
        self.world.highest = height
        self.world.rounds[min(round, 9)] += 1
        self.world.goals["late_round"] += round >= 3
        self.world.goals["reproposed"] += round > created

    def heard_honest(self, node: SimulatedNode, message: Said) -> None:
        """Note what honest nodes say, for goals."""
        if message.phase == COMMIT or self.last_phase.get(node.index, (0, 0))[1] != message.height:
            self.last_phase[node.index] = (message.phase, message.height)
        elif message.phase == PREPARE:
            self.last_phase[node.index] = (PREPARE, message.height)
        if self.world.ambushes.get(node.index, (0, None))[0] == message.phase != 0:
            self.world.act(self.world.rng.choice((0, 0, 0, 1, 4)), "ambush", lambda: self.world.spring(node))
        if message.phase == PROPOSAL:
            place = (node.index, message.height, message.round)
            if self._proposals.setdefault(place, node.life) < node.life:
                self.world.goals["same_proposal_again"] += 1
        if node.index in self._silent:
            del self._silent[node.index]
            self.world.goals["released"] += 1

    def noticed(self, node: SimulatedNode, effect: NodeEffect) -> None:
        """Take an effect that is for people or clients."""
        match effect:
            case events.Answered(answers) | events.Dropped(answers):
                self.world.clients.answered(node, answers)
            case events.TipsHeard():
                self.world.clients.heard(node, effect)
            case events.Accused(accused):
                self.world.goals["accused"] += 1
                if node.honest:
                    self.world.invariants.accused(node, effect)
                self.world.say(f"{node.id} accuses {accused}")
            case events.Noticed(code, text):
                self._noticed(node, code)
                self.world.say(f"{node.id} notices {code}: {text}")
            case events.Halt(reason):
                if node.honest:
                    raise Violation(f"I8 {node.id} halted: {reason}")
                node.stop("halted")

    def _noticed(self, node: SimulatedNode, code: str) -> None:
        if code == "journal_torn":
            self.world.goals["torn_journal"] += 1
        elif code in ("journal_damaged", "journal_missing"):
            self.world.goals["damaged_journal"] += 1
            self._silent[node.index] = None
        elif code == "bad_block":
            self.world.goals["liar_found"] += 1
