"""One seed from start to verdict: faults, then healing and the demand for progress, then the last checks.

Law: a verdict is a value; whatever goes wrong inside a run becomes its ``failure``, with the seed that replays it.
"""

from __future__ import annotations

import random
import time
import traceback
from collections.abc import Callable
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from coseal.audit import light
from coseal.contracts.execution import Executor, Outcome
from coseal.contracts.genesis_state import new_state
from coseal.ledger.block import OK, CommittedBlock, Receipt
from coseal.ledger.transaction import Transaction
from simulation import contract_faults, history, swarm
from simulation.invariants import Violation
from simulation.node import NEWER_RULES
from simulation.phases import QUIET_MS, Course
from simulation.swarm import Options
from simulation.world import Crash, World

HEAL_MS = 240_000
WALKS_OF = 8
"""In one of so many seeds clients walk at random over the contracts, too."""
PAYS_OF = 4
"""In one of so many they issue money and pay with it."""


@dataclass(slots=True)
class Verdict:
    """What became of a seed. ``failure`` is None for a good run; times are virtual ms but ``seconds``: processor time.

    ``kinds`` is how many kinds of faults and behaviours were drawn.
    """

    kind: str
    seed: int
    n: int = 0
    kinds: int = 0
    height: int = 0
    virtual_ms: int = 0
    events: int = 0
    digest: str = ""
    rounds: dict[int, int] = field(default_factory=dict)
    faults: dict[str, int] = field(default_factory=dict)
    behaviours: list[str] = field(default_factory=list)
    goals: dict[str, int] = field(default_factory=dict)
    heal_ms: int = 0
    reads: int = 0
    writes: int = 0
    seconds: float = 0.0
    failure: str | None = None

    @property
    def counted(self) -> bool:
        """Whether it reached 20 heights or 120 virtual seconds, with three kinds of faults or more."""
        return (self.height >= 20 or self.virtual_ms >= 120_000) and self.kinds >= 3

    def to_json(self) -> dict[str, Any]:
        """Return it as JSON can hold it."""
        return asdict(self)


def run_seed(kind: str, seed: int, *, loud: Callable[[str], None] | None = None) -> Verdict:
    """Run seed ``seed`` of ``kind`` ("random" or "twins")."""
    rng = random.Random(seed * 2 + (kind == "twins"))
    options = swarm.draw_twins(rng) if kind == "twins" else swarm.draw(rng)
    options = replace(options, walks=kind == "random" and seed % WALKS_OF == WALKS_OF - 1)
    options = replace(options, pays=kind == "random" and seed % PAYS_OF == 1)
    return run_options(kind, seed, options, rng, loud=loud)


def run_options(
    kind: str, seed: int, options: Options, rng: random.Random, *, loud: Callable[[str], None] | None = None
) -> Verdict:
    """Run a world of given options."""
    return run_world(kind, seed, World(options, rng, loud=loud))


def run_world(kind: str, seed: int, world: World) -> Verdict:
    """Run a world that was made."""
    began = time.process_time()
    options, loud = world.options, world.loud
    verdict = Verdict(kind, seed, n=options.n, kinds=len(options.faults) + sum(map(len, options.behaviours.values())))
    try:
        _phases(world, verdict)
    except (Violation, Crash) as error:
        verdict.failure = str(error)
    except Exception:
        verdict.failure = f"the simulator failed: {traceback.format_exc()}"
    verdict.height, verdict.virtual_ms, verdict.events = world.highest, world.now_ms - world.start_ms, world.events
    verdict.digest = world.digest
    verdict.rounds = dict(sorted(world.rounds.items()))
    verdict.faults = {name: count for name, count in sorted(world.faults.items()) if count}
    for name, count in sorted(world.network.faults.items()):
        verdict.faults[name] = count
    verdict.behaviours = sorted({name for names in options.behaviours.values() for name in names})
    verdict.goals = {name: count for name, count in sorted(world.goals.items()) if count}
    verdict.reads, verdict.writes = len(world.clients.history.reads), len(world.clients.history.writes)
    verdict.seconds = time.process_time() - began
    if verdict.failure is not None and loud is not None:
        loud(f"FAILED {verdict.failure}")
    return verdict


def _phases(world: World, verdict: Verdict) -> None:
    options = world.options
    world.say(f"{options}")
    course = Course(world)
    course.start()
    world.run(world.over, options.faults_ms)
    course.heal()
    healed_ms = world.now_ms
    if not world.run(course.settled, HEAL_MS):
        where = "; ".join(node.decision() for node in world.nodes)
        waiting = ", ".join(tx.action if write is None else write.value for tx, write in world.clients.open.values())
        raise Violation(f"I17 no progress after healing: {where}; not committed: {waiting or 'nothing'}")
    verdict.heal_ms = world.now_ms - healed_ms
    if not options.heartbeat_ms and not options.behaviours:
        world.run(lambda: False, QUIET_MS)
        for node in world.running_honest():
            world.invariants.idle(node)
    last_checks(world)


def last_checks(world: World) -> None:
    """I1 to I3 were judged on the way; here the whole chain: I8, I13, I15, I18."""
    invariants, genesis = world.invariants, world.genesis
    for node in world.running_honest():
        invariants.look(node)
        missing = invariants.evidence.missing(node)
        if missing is not None:
            raise Violation(f"I17 {node.id} holds evidence that the chain lacks: {missing}")
    verify = world.scheme.verify
    executor = Executor(genesis, new_state(genesis), Transaction.decode, rules=NEWER_RULES, verify=verify)
    anchor = light.genesis_anchor(genesis)
    sets = {era.number: world.validators_at(era.first_height) for era in world.epochs.eras}
    order: list[str] = []
    refused: dict[str, None] = {}  # what members wrote while they were suspended
    for height in sorted(invariants.chain):
        seen = invariants.chain[height]
        committed = CommittedBlock.decode(invariants.raws[height])
        outcome = executor.execute_block(committed.block)
        if not isinstance(outcome, Outcome) or outcome.state_root != seen.state_root:
            raise Violation(f"I15 replaying height {height} gives another root")
        executor.commit(outcome)
        try:
            follower = light.follow(anchor, committed.block.header, lambda _, epoch: sets[epoch])
            light.check_last_commit(anchor, committed.block.header, committed.block.last_commit, verify)
            light.check_certificate(follower, committed.block.header, committed.certificate, verify)
        except Exception as error:
            raise Violation(f"I13 a light client refuses height {height}: {error}") from None
        anchor = follower
        for tx, raw in zip(outcome.transactions, outcome.receipts[1:], strict=True):
            if tx.action == "set_profile":
                if Receipt.decode(raw).code == OK:
                    order.append(tx.args["description"])
                else:
                    refused[tx.args["description"]] = None
        wrong = contract_faults.misjudged(outcome)
        if wrong is not None:
            raise Violation(f"I8 height {height}: {wrong}")
    if executor.get(contract_faults.KEY) is not None:
        raise Violation("I8 something of a transaction that failed stayed in the state")
    lost = invariants.sidecars.lost(executor)
    if lost is not None:
        raise Violation(f"I23 the sidecar {lost}")
    clients = world.clients.history
    kept = history.History([write for write in clients.writes if write.value not in refused], clients.reads)
    fault = history.fault(kept, order)
    if fault is not None:
        raise Violation(f"I18 {fault}")
