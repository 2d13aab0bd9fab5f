"""One walk from its seed: a chain, so many moves, and what became of them; a walk that fails is made shorter.

Law: everything follows from the seed; what fails is told by the seed, the moves that were made, and the law broken.
"""

from __future__ import annotations

import random
import time
import traceback
from collections import Counter
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from simulation.invariants import Violation
from simulation.walk import (
    cases,
    certification,
    credit,
    disclosure,
    members,
    mission,
    money,
    participation,
    policies,
    processes,
    rules,
    standards,
    trade,
)
from simulation.walk.chain import Chain
from simulation.walk.laws import starved, tight_bounds
from simulation.walk.walker import Move, Walker

STEPS: Final = 2_000
"""How many moves a walk has at most: the chain stays short enough to replay, and seeds can be shared out."""
REAL_OF: Final = 10
"""One of so many seeds signs with Ed25519 and ends with a whole audit."""
TIGHT_OF: Final = 2
"""One of so many seeds leaves little room for rules."""
STARVED_OF: Final = 7
"""One of so many seeds leaves few steps, so that transactions, effects and due things run out of them."""
COLD_OF: Final = 6
RESTART_OF: Final = 40
SHRINK_S: Final = 90.0
WALK: Final = {
    **policies.KINDS,
    **processes.KINDS,
    **rules.KINDS,
    **cases.KINDS,
    **standards.KINDS,
    **money.KINDS,
    **trade.KINDS,
    **credit.MOVES,
    **disclosure.MOVES,
    **certification.KINDS,
    **participation.MOVES,
    **mission.MOVES,
}
"""The kinds of moves that leave members, keys and validators alone."""
KINDS: Final = {**members.KINDS, **WALK}
PAUSES_MS: Final = (1, 1_000, 60_000, 3_600_000, 86_400_000, 20 * 86_400_000)
PAUSE_WEIGHTS: Final = (4, 60, 12, 6, 3, 1)


class Played(NamedTuple):
    """A block of a walk: who restarted before it, its time after the one before, and its moves."""

    restarts: str
    pause_ms: int
    cold: bool
    moves: tuple[Move, ...]


@dataclass(slots=True)
class Episode:
    """What became of a walk; ``failure`` is None for a good one. ``accepted`` by action, ``refused`` by both."""

    seed: int
    asked: int = STEPS
    steps: int = 0
    blocks: int = 0
    accepted: Counter[str] = field(default_factory=Counter)
    refused: Counter[tuple[str, str]] = field(default_factory=Counter)
    goals: Counter[str] = field(default_factory=Counter)
    unsigned: int = 0
    seconds: float = 0.0
    root: bytes = b""
    failure: str | None = None
    trail: tuple[Played, ...] = ()


def walk(seed: int, steps: int = STEPS) -> Episode:
    """Walk ``steps`` moves from a seed."""
    with _bounds(seed):
        return _walk(seed, steps)


def _bounds(seed: int) -> ExitStack:
    """Return the bounds under which a walk goes."""
    stack = ExitStack()
    if seed % TIGHT_OF == TIGHT_OF - 1:
        stack.enter_context(tight_bounds())
    if seed % STARVED_OF == STARVED_OF - 1:
        stack.enter_context(starved())
    return stack


def _chain(seed: int) -> Chain:
    """Return the chain on which a walk goes."""
    return Chain(real=seed % REAL_OF == REAL_OF - 1, starved=seed % STARVED_OF == STARVED_OF - 1)


def _walk(seed: int, steps: int) -> Episode:
    began = time.process_time()
    rng = random.Random(f"walk {seed}")
    chain = _chain(seed)
    walker = Walker(chain.genesis, rng, chain.keys, KINDS)
    walker.memory.recorded = chain.recorded
    walker.upgrades = not chain.real
    episode, trail = Episode(seed, steps), list[Played]()
    try:
        while episode.steps < steps:
            played = _drawn(chain, walker, rng, min(steps - episode.steps, rng.choice((1, 1, 2, 3, 5, 9))))
            trail.append(played)
            episode.steps += len(played.moves)
            episode.unsigned += _play(chain, walker, played)
        chain.audited()
    except Violation as error:
        episode.failure = str(error)
    except Exception:
        episode.failure = traceback.format_exc()
    episode.blocks, episode.accepted, episode.refused = len(chain.committed), chain.accepted, chain.refused
    episode.goals, episode.root = chain.goals, chain.leader.executor.state.root
    episode.seconds = time.process_time() - began
    if episode.failure is not None:
        episode.trail = tuple(trail)
    return episode


def _drawn(chain: Chain, walker: Walker, rng: random.Random, count: int) -> Played:
    executor = chain.leader.executor
    restarts = rng.choice(("leader", "follower", "both")) if rng.randrange(RESTART_OF) == 0 else ""
    due_ms = executor.next_deadline_ms()
    (pause_ms,) = rng.choices(PAUSES_MS, PAUSE_WEIGHTS)
    if due_ms is not None and due_ms > executor.time_ms and rng.randrange(12) == 0:
        pause_ms = max(1, due_ms - executor.time_ms + rng.choice((-1, 0, 1)))
    time_ms = executor.time_ms + pause_ms
    moves = tuple(walker.move(executor.reader, chain.height, time_ms) for _ in range(count))
    return Played(restarts, pause_ms, rng.randrange(COLD_OF) == 0, moves)


def _play(chain: Chain, walker: Walker, played: Played) -> int:
    """Play a block; return how many moves could not be signed."""
    chain.goals["restart"] += bool(played.restarts)
    if played.restarts in ("leader", "both"):
        chain.leader.restart()
    if played.restarts in ("follower", "both"):
        chain.follower.restart()
    executor = chain.leader.executor
    time_ms = executor.time_ms + played.pause_ms
    walker.look(executor.reader, chain.height, time_ms)
    signed = [chain.sign(walker, move) for move in played.moves]
    chain.block(
        [tx for tx in signed if tx is not None and executor.check(tx, time_ms) is None], time_ms, cold=played.cold
    )
    return signed.count(None)


# What fails, in fewer moves


def replayed(trail: Sequence[Played], seed: int) -> str | None:
    """Return what fails when these blocks are played as a walk from ``seed`` is, or None."""
    with _bounds(seed):
        return _replayed(trail, _chain(seed))


def _replayed(trail: Sequence[Played], chain: Chain) -> str | None:
    walker = Walker(chain.genesis, random.Random(0), chain.keys, KINDS)
    walker.memory.recorded = chain.recorded
    for _ in range(4 * STEPS):
        chain.keys.make()  # moves name keys that the walk made
    try:
        for played in trail:
            _play(chain, walker, played)
        chain.audited()
    except Violation as error:
        return str(error)
    except Exception as error:
        return f"{type(error).__name__}: {error}"
    return None


def shortened(episode: Episode, seconds: float = SHRINK_S) -> tuple[Played, ...]:
    """Return fewer blocks and moves that fail as well, as far as the time goes."""
    end = time.monotonic() + seconds
    best = list(episode.trail)
    size = max(1, len(best) // 2)
    while size and time.monotonic() < end:
        at, cut = 0, False
        while at < len(best) - 1 and time.monotonic() < end:
            tried = best[:at] + _merged(best[at : at + size]) + best[at + size :]
            if replayed(tried, episode.seed) is not None:
                best, cut = tried, True
            at += max(1, len(best[at : at + 1]))
        size = size if cut and size == 1 else size // 2
    return tuple(_fewer_moves(best, episode, end))


def _merged(blocks: Sequence[Played]) -> list[Played]:
    """Return one block without moves for the time that some took."""
    pause_ms = sum(played.pause_ms for played in blocks)
    return [Played("", pause_ms, False, ())] if len(blocks) > 1 or blocks[0].moves else []


def _fewer_moves(blocks: list[Played], episode: Episode, end: float) -> list[Played]:
    for at, played in enumerate(blocks):
        for number in range(len(played.moves) - 1, -1, -1):
            if time.monotonic() > end:
                return blocks
            kept = blocks[at].moves
            tried = [*blocks[:at], blocks[at]._replace(moves=kept[:number] + kept[number + 1 :]), *blocks[at + 1 :]]
            if replayed(tried, episode.seed) is not None:
                blocks = tried
    return blocks
