"""Every Twins scenario of the first two rounds of a height at four validators ("Twins", Bano et al.).

One validator runs twice, unmodified, so there are five endpoints. A scenario says which validator that is (the one
that leads round 0, or round 1, or neither), and for each of the two rounds who hears whom: a partition of the
endpoints into worlds, and in the world that can decide who hears its COMMITs: everybody, nobody, or one honest node
alone. What is said about a round is heard only within that round's world of the speaker; from round 2 on, and after
healing, everybody hears everybody.

Scenarios are the same, and listed once, if they differ only in which of the two is called the twin, or in the names
of the validators that lead neither round.

Law: the list is the same on every machine, so a number names a scenario for ever.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Iterator
from functools import lru_cache
from itertools import permutations, product
from typing import Final, TypeAlias

from coseal.consensus.messages import Commit, Proposal
from coseal.ledger.block import CommittedBlock
from coseal.node.core import wire
from simulation.node import SimulatedNode
from simulation.run import Verdict, run_world
from simulation.swarm import Options
from simulation.world import World

KIND: Final = "two rounds"
N: Final = 4
QUORUM: Final = 3
TWIN: Final = N
HEIGHT: Final = 1
ROUNDS: Final = 2
FAULTS_MS: Final = 1_200
"""Longer than two rounds take; then all is healed, and one of the two is found and stopped."""
Worlds: TypeAlias = tuple[tuple[int, ...], ...]
"""A partition: worlds of ascending endpoints, in ascending order."""
Round: TypeAlias = tuple[Worlds, tuple[int, ...]]
"""Who hears whom in a round, and which endpoints hear COMMITs of their world."""
Scenario: TypeAlias = tuple[int, Round, Round]
"""The validator that runs twice (it leads the round of that number), and what is heard in round 0 and in round 1."""


def partitions(endpoints: tuple[int, ...]) -> Iterator[Worlds]:
    """Yield every way to divide endpoints into worlds."""
    if not endpoints:
        yield ()
        return
    *others, last = endpoints
    for worlds in partitions(tuple(others)):
        for at, world in enumerate(worlds):
            yield (*worlds[:at], (*world, last), *worlds[at + 1 :])
        yield (*worlds, (last,))


def rounds(doubled: int) -> Iterator[Round]:
    """Yield everything that can be heard in a round. Twins hear nothing of each other, so alone together is apart."""
    everyone = tuple(range(N + 1))
    for worlds in partitions(everyone):
        if (doubled, TWIN) in worlds:
            continue
        yield worlds, everyone
        for world in worlds:
            if len({doubled if endpoint == TWIN else endpoint for endpoint in world}) >= QUORUM:
                yield worlds, ()
                yield from ((worlds, (honest,)) for honest in world if honest not in (doubled, TWIN))


def _renamed(round: Round, names: tuple[int, ...]) -> Round:
    worlds, hearing = round
    renamed = (tuple(sorted(names[endpoint] for endpoint in world)) for world in worlds)
    return tuple(sorted(renamed)), tuple(sorted(names[endpoint] for endpoint in hearing))


def same(doubled: int) -> Iterable[tuple[int, ...]]:
    """Return the renamings of endpoints that change nothing: the new name of each."""
    free = [validator for validator in range(ROUNDS, N) if validator != doubled]
    for twins, others in product(permutations((doubled, TWIN)), permutations(free)):
        names = list(range(N + 1))
        names[doubled], names[TWIN] = twins
        for old, new in zip(free, others, strict=True):
            names[old] = new
        yield tuple(names)


@lru_cache(1)
def scenarios() -> tuple[Scenario, ...]:
    """Return all scenarios, one of those that are the same; first those in which COMMITs of round 1 are heard."""
    found: list[Scenario] = []
    for doubled in range(ROUNDS + 1):
        renamings = tuple(same(doubled))
        choices = [(one, [_renamed(one, names) for names in renamings]) for one in rounds(doubled)]
        for (first, firsts), (second, seconds) in product(choices, choices):
            if all((first, second) <= other for other in zip(firsts, seconds, strict=True)):
                found.append((doubled, first, second))
    return tuple(sorted(found, key=lambda scenario: len(scenario[2][1]) <= N))


class DividedWorld(World):
    """A world in which a scenario decides who hears whom."""

    def __init__(self, scenario: Scenario, rng: random.Random, *, loud: Callable[[str], None] | None = None) -> None:
        doubled, *heard = scenario
        self._worlds = [
            {endpoint: number for number, world in enumerate(worlds) for endpoint in world} for worlds, _ in heard
        ]
        self._hearing = [hearing for _, hearing in heard]
        self._rounds: dict[int, int] = {}  # endpoint -> the last round it was seen in at HEIGHT
        self._proposed: list[dict[bytes, None]] = [{} for _ in range(ROUNDS)]
        options = Options(
            twins=True,
            round_timeout_ms=200,
            round_timeout_ms_max=2_000,
            jitter_ms=0,
            write_every_ms=1_500,
            fault_every_ms=1_000_000,
            faults_ms=FAULTS_MS,
            behaviours={doubled: ("twins",)},
            heights_min=2,
        )
        super().__init__(options, rng, loud=loud)
        self.nodes[TWIN].clock.jump(10)  # so that the two never propose the same block
        self.act(FAULTS_MS + 1, "stop the twin", lambda: self.crash(self.nodes[TWIN], "kill"))

    def over(self) -> bool:
        """Say whether all honest nodes are past the two rounds."""
        return all(
            node.machine is not None and (node.machine.replica.height > HEIGHT or node.machine.replica.round >= ROUNDS)
            for node in self.nodes
            if node.honest
        )

    def transmit(self, node: SimulatedNode, target: int, data: bytes, *, consensus: bool) -> None:
        """Let a frame through if it is heard in its round."""
        if self.healed or self._is_heard(node, target, self._decode(data)):
            super().transmit(node, target, data, consensus=consensus)

    def _is_heard(self, node: SimulatedNode, target: int, message: wire.WireMessage) -> bool:
        said = message.message if isinstance(message, wire.ConsensusMessage) else None
        about = said is not None and said.height == HEIGHT
        round = said.round if said is not None and about else self._round(node)
        if round >= ROUNDS:
            return True
        if self._worlds[round][node.index] != self._worlds[round][target]:
            return False
        if isinstance(said, Proposal) and about and self.nodes[target].honest:
            self._proposed[round][said.block.hash] = None
            self.faults[f"two blocks heard in round {round}"] = int(len(self._proposed[round]) > 1)
        early = isinstance(message, wire.Transactions | wire.GetBody | wire.Body) or (
            about and not isinstance(said, Commit)
        )
        return early or target in self._hearing[round]  # what else there is tells of the decision, as COMMITs do

    def _round(self, node: SimulatedNode) -> int:
        """Return the round in which a node is at the height, or ended it."""
        if node.machine is not None and node.machine.replica.height == HEIGHT:
            self._rounds[node.index] = node.machine.replica.round
        return self._rounds.get(node.index, 0)


def run_scenario(number: int, *, loud: Callable[[str], None] | None = None) -> Verdict:
    """Run one scenario; ``faults`` tells which of the situations came up that it is about."""
    scenario = scenarios()[number]
    world = DividedWorld(scenario, random.Random(number), loud=loud)
    world.say(f"{scenario}")
    verdict = run_world(KIND, number, world)
    raw = world.invariants.raws.get(HEIGHT)
    if raw is not None:
        decided = CommittedBlock.decode(raw).certificate.round
        verdict.faults[f"decided in round {decided}" if decided < ROUNDS else "decided later"] = 1
    return verdict
