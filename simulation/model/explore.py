"""Breadth first through every state of one height, down to the first fork, with the shortest way to it.

Law: every state is checked: no two values decided (agreement), no two prepared certificates of one round (I6), and no
step signs twice (I3, in ``rules.apply``). Memory is bounded by ``states_max``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from itertools import combinations
from typing import Any, Final

from simulation.model.rules import COMMIT, PREPARE, PROPOSE, Rules, State, Step
from simulation.model.spaces import Decision, Space

STATES_MAX: Final = 20_000_000
"""About 4 GB."""
_BITS: Final = 20


@dataclass(frozen=True, slots=True)
class Explored:
    """``states`` different ones, ``depth`` moves deep. ``fault``: what is wrong, line by line how; None if nothing."""

    states: int
    depth: int
    fault: tuple[str, ...] | None


class TooMany(Exception):
    """There are more states than were allowed."""


class _Packing:
    """States as integers: every part is kept once, and numbered."""

    def __init__(self, parts: int) -> None:
        self._parts = parts
        self._numbers: dict[Any, int] = {}
        self._known: list[Any] = []

    def pack(self, state: State) -> int:
        """Return the number of a state."""
        packed = 0
        for part in (state.proposed, *state.nodes):
            number = self._numbers.setdefault(part, len(self._known))
            if number == len(self._known):
                self._known.append(part)
                if number >> _BITS:
                    raise TooMany(f"{number} different local states")
            packed = packed << _BITS | number
        return packed

    def unpack(self, packed: int) -> State:
        """Return the state of a number."""
        parts = [self._known[packed >> _BITS * at & (1 << _BITS) - 1] for at in range(self._parts, -1, -1)]
        return State(tuple(parts[1:]), parts[0])


def explore(
    space: Space,
    *,
    forks_only: bool = False,
    states_max: int = STATES_MAX,
    progress: Callable[[int, int], None] | None = None,
) -> Explored:
    """Visit every state of ``space``, or stop at the first fault; raise ``TooMany``.

    ``forks_only``: go on over two certificates of one round, to see what they lead to. ``progress`` is told the depth
    and how many states were met after each level.
    """
    rules = space.rules
    packing = _Packing(rules.n - len(rules.byzantine))
    first = packing.pack(space.canonical(space.start().state))
    came_from = {first: first}
    level, depth = [first], 0
    while level:
        following: list[int] = []
        for packed in level:
            for move in space.moves(packing.unpack(packed)):
                state = space.canonical(move.state)
                number = packing.pack(state)
                sound = forks_only or _certificates_hold(space, move.state)
                if number in came_from and sound:
                    continue
                came_from.setdefault(number, packed)
                following.append(number)
                if forked(space, state) or not sound:
                    way = _way(space, packing, came_from, number)
                    return Explored(len(came_from), depth + 1, tuple(way))
        level, depth = following, depth + 1
        if len(came_from) > states_max:
            raise TooMany(f"more than {states_max} states")
        if progress is not None:
            progress(depth, len(came_from))
    return Explored(len(came_from), depth - 1, None)


def _certificates_hold(space: Space, state: State) -> bool:
    return all(len(space.rules.certified(state, round)) <= 1 for round in range(space.rounds))


def forked(space: Space, state: State) -> tuple[Decision, Decision] | None:
    """Return two decisions for different values that can both be reached, or None."""
    needed = space.rules.needed(COMMIT)
    for one, other in combinations(space.decisions(state), 2):
        # In one round nobody commits to both
        enough = one.round != other.round or len({*one.nodes, *other.nodes}) >= 2 * needed
        if one.value != other.value and enough:
            return one, other
    return None


# --- telling how ---


def _way(space: Space, packing: _Packing, came_from: dict[int, int], last: int) -> list[str]:
    """Tell the steps to a faulty state, with the validators by their seats."""
    numbers = [last]
    while came_from[numbers[-1]] != numbers[-1]:
        numbers.append(came_from[numbers[-1]])
    move = space.start()
    teller = _Teller(space.rules)
    lines = teller.lines(move.steps)
    teller.follow(*space.relation(move.state))
    for number in reversed(numbers[:-1]):
        state = space.canonical(move.state)
        move = next(move for move in space.moves(state) if packing.pack(space.canonical(move.state)) == number)
        lines += teller.lines(move.steps)
        teller.follow(*space.relation(move.state))
    state = space.canonical(move.state)
    pair = forked(space, state)
    return [*lines, *(_ending(space, state, pair, teller) if pair else ["two prepared certificates of one round"])]


def _ending(space: Space, state: State, pair: tuple[Decision, Decision], teller: _Teller) -> list[str]:
    """Tell the COMMITs that are still to be said, and both decisions."""
    lines: list[str] = []
    decided: list[str] = []
    taken: list[tuple[int, int]] = []
    for round, value, nodes in pair:
        signers = [index for index in nodes if state.nodes[index].committed[round] == value]
        ready = [i for i in nodes if not state.nodes[i].committed[round] and (i, round) not in taken]
        late = ready[: max(0, space.rules.needed(COMMIT) - len(signers))]
        taken += [(index, round) for index in late]
        lines += teller.lines([Step(COMMIT, index, round, value) for index in late])
        decided.append(teller.decided(Decision(round, value, tuple(sorted([*signers, *late])))))
    return lines + decided


class _Teller:
    """Names values A, B, C as they appear, and validators by seat, whatever order and names the states have."""

    def __init__(self, rules: Rules) -> None:
        self._rules = rules
        self._seats = [seat for seat in range(rules.n) if seat not in rules.byzantine]
        self._letters: dict[int, str] = {}

    def follow(self, order: list[int], names: dict[int, int]) -> None:
        """Go on in a state whose nodes are in another order and whose values have other names."""
        self._seats = [self._seats[index] for index in order]
        self._letters = {names.get(value, value): letter for value, letter in self._letters.items()}

    def lines(self, steps: Iterable[Step]) -> list[str]:
        """Tell steps."""
        return [self._line(step) for step in steps]

    def _letter(self, value: int) -> str:
        return self._letters.setdefault(value, chr(ord("A") + len(self._letters)))

    def _line(self, step: Step) -> str:
        who, rules = f"validator {self._seats[step.node]}", self._rules
        if step.kind in (PROPOSE, PREPARE, COMMIT):
            leader = step.round % rules.n
            by = "" if rules.honest_leader(step.round) else f", which the Byzantine {leader} proposes to it"
            new = "" if step.value in self._letters else " (new)"
            text = f"{who} says {step.kind} {self._letter(step.value)}{new} in round {step.round}"
            return text + (by if step.kind == PREPARE else "")
        carried = f"its certificate of round {step.value - 1}" if step.value else "no certificate"
        return f"{who} asks for round {step.round} with {carried}"

    def decided(self, decision: Decision) -> str:
        """Tell a decision."""
        who = " ".join(str(seat) for seat in sorted(self._seats[index] for index in decision.nodes))
        faulty = " ".join(map(str, self._rules.byzantine))
        return f"decided: {self._letter(decision.value)} in round {decision.round}, by {who} and the Byzantine {faulty}"
