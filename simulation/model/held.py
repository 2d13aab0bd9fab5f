"""What is beside a block, in the model of one height: who holds it, and where a validator asks for it.

Law: a validator that asks at PREPARE makes every certificate's block be held by q - f honest validators; without that
question, or with it at COMMIT alone, there is a certificate whose block too few hold, and the way there is short.

The Byzantine validators give what is beside a block of theirs to whom they like; an honest one gives it to all who ask.
That is a step of its own, so it may come late or never.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, NamedTuple

from simulation.model.rules import COMMIT, PREPARE, PROPOSE, Rules, State, Step, apply

QUESTIONS: Final = {"prepare": PREPARE, "commit": COMMIT, "never": ""}
"""Where a validator asks whether it holds what is beside a block -> the step that waits for it."""
GET: Final = "GET"


class Held(NamedTuple):
    """A state of the height, and the values that each honest validator holds, in the order of ``state.nodes``."""

    state: State
    holds: tuple[tuple[int, ...], ...]


class Found(NamedTuple):
    """``states`` different ones; ``fault``: the steps to a certificate whose block too few hold, or None."""

    states: int
    fault: tuple[Step, ...] | None


def explore(rules: Rules, rounds: int, question: str) -> Found:
    """Visit every state of ``rounds`` rounds, breadth first, or stop at the first fault."""
    waits = QUESTIONS[question]
    first = Held(rules.start(rounds), ((),) * (rules.n - len(rules.byzantine)))
    came_from: dict[Held, tuple[Held, Step] | None] = {first: None}
    level = [first]
    while level:
        following: list[Held] = []
        for held in level:
            for step, after in _moves(rules, held, waits):
                if after in came_from:
                    continue
                came_from[after] = (held, step)
                following.append(after)
                if too_few(rules, after):
                    return Found(len(came_from), _way(came_from, after))
        level = following
    return Found(len(came_from), None)


def too_few(rules: Rules, held: Held) -> bool:
    """Say whether a value with a prepared certificate is held by fewer than q - f honest validators."""
    needed = 2 * rules.n // 3 + 1 - (rules.n - 1) // 3
    certified = [value for round in range(len(held.state.proposed)) for value in rules.certified(held.state, round)]
    return any(sum(value in holds for holds in held.holds) < needed for value in certified)


def _moves(rules: Rules, held: Held, waits: str) -> Iterator[tuple[Step, Held]]:
    for step in rules.steps(held.state):
        if step.kind == waits and step.value not in held.holds[step.node]:
            continue
        holds = held.holds
        if step.kind == PROPOSE:  # a leader's pool has it; who proposes a certificate's block again may lack it
            fresh = step.value in rules.made(step.round)
            holds = _with(holds, step.node, step.value) if fresh else holds
        yield step, Held(apply(held.state, step), holds)
    for value in _seen(held.state):
        made_by_liar = not rules.honest_leader((value - 1) // 2)
        for node in range(len(holds_of := held.holds)):
            given = made_by_liar or any(value in holds for holds in holds_of)
            if given and value not in holds_of[node]:
                yield Step(GET, node, 0, value), Held(held.state, _with(holds_of, node, value))


def _seen(state: State) -> list[int]:
    """Return the values that a round may be about: those signed, and both of a Byzantine leader's current round."""
    signed = [value for node in state.nodes for value in (*node.prepared, *node.committed)]
    rounds = [node.round for node in state.nodes]
    made = [value for round in rounds for value in (2 * round + 1, 2 * round + 2)]
    return [value for value in dict.fromkeys([*signed, *state.proposed, *made]) if value > 0]


def _with(holds: tuple[tuple[int, ...], ...], node: int, value: int) -> tuple[tuple[int, ...], ...]:
    one = tuple(sorted({*holds[node], value}))
    return (*holds[:node], one, *holds[node + 1 :])


def _way(came_from: dict[Held, tuple[Held, Step] | None], last: Held) -> tuple[Step, ...]:
    steps: list[Step] = []
    before = came_from[last]
    while before is not None:
        steps.append(before[1])
        before = came_from[before[0]]
    return tuple(reversed(steps))
