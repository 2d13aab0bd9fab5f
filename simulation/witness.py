"""What nodes are seen to do: handed on to the invariants and the clients, and counted for the goals.

Law: a goal is counted by what left a node or reached its disk.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from coseal.contracts.execution import Outcome
from coseal.ledger.block import CommittedBlock
from coseal.node.core import events
from coseal.node.core.events import NodeEffect
from simulation import contract_faults
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
        """Keep an old copy of journals, as a backup would: from long ago, or of just now."""
        old = node.index in self.world.backups and self.world.rng.randrange(30)
        if not old and node.disk.journal and node.height >= 2:
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
        self._epoch(self.world.highest, round)
        self.world.goals["reproposed"] += round > created

    def _epoch(self, height: int, round: int) -> None:
        """Note how an epoch begins: ``height`` was decided for the first time, in ``round``."""
        world, goals = self.world, self.world.goals
        era, before = world.epochs.at(height), world.epochs.at(height - 1)
        if round and world.epochs.at(height + 1) is not before:  # it announces an epoch, or is the first block of it
            goals["epoch_in_round_change"] += 1
        if era is before:
            return
        seats, old = {seat.id: seat.key for seat in era.seats}, {seat.id: seat.key for seat in before.seats}
        last = world.invariants.chain[height - 1].proposer
        goals["validator_added"] += len(seats) > len(old) and not world.healed
        goals["validator_removed"] += len(seats) < len(old)
        goals["leader_removed"] += last not in seats
        goals["key_rotated"] += any(old.get(name, key) != key for name, key in seats.items())

    def lacks_rules(self, node: SimulatedNode) -> None:
        """A node stopped, or did not start, because the next block needs rules that it does not have."""
        world, upgrade = self.world, self.world.epochs.upgrade
        if not node.outdated or upgrade is None or (node.machine is not None and node.height + 1 != upgrade[1]):
            raise Violation(f"I20 {node.id} stops at height {node.height + 1} for rules that it has, or not yet needs")
        world.goals["release_lacking"] += node.warned
        world.say(f"{node.id} stops before height {upgrade[1]}, whose rules it lacks")
        node.stop("lacks the rules")
        world.act(world.rng.randint(500, 3_000), f"upgrade {node.index}", lambda: world.upgrade(node))

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
            case events.ReadHeightKnown():
                self.world.clients.heard(node, effect)
            case events.Accused(accused):
                self.world.goals["accused"] += 1
                if node.honest:
                    self.world.invariants.accused(node, effect)
                self.world.say(f"{node.id} accuses {accused}")
            case events.Pin(name):
                for other in self.world.named(name):
                    if other is not node:
                        self.world.connect_soon(node.index, other.index, self.world.rng.randint(1, 30))
            case events.Unpin(name):
                for other in self.world.named(name):
                    self.world.act(0, "unpinned", partial(self.world.break_link, node.index, other.index))
            case events.ContractFault(name, _, _, error):
                if name != f"{contract_faults.NAME}.fail":
                    raise Violation(f"I16 {node.id}: {name} raised {type(error).__name__}: {error}")
                self.world.goals["fault_contained"] += 1
            case events.Noticed(code, text):
                self._noticed(node, code)
                self.world.say(f"{node.id} notices {code}: {text}")
            case events.Halt(_, needs_release=True):
                self.lacks_rules(node)
            case events.Halt(reason):
                if node.honest:
                    raise Violation(f"I8 {node.id} halted: {reason}")
                node.stop("halted")

    def _noticed(self, node: SimulatedNode, code: str) -> None:
        if code == "needs_release":
            node.warned = True
        elif code == "journal_torn":
            self.world.goals["torn_journal"] += 1
        elif code in ("journal_damaged", "journal_missing"):
            self.world.goals["damaged_journal"] += 1
            self._silent[node.index] = None
        elif code == "bad_block":
            self.world.goals["liar_found"] += 1
