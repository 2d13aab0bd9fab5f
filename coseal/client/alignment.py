"""Alignments: how a trace and a model fit best, and where they differ.

Law: the cost of an alignment is least (Adriansyah 2014): the number of events that the model does not have there, and
of activities of the model that did not happen. What cannot be said within ``MAX_STATES`` states is not said.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final, Literal, NamedTuple, TypeAlias

from coseal.formats.importers.model import MAX_TOKENS, Marking, Net

MAX_STATES: Final = 200_000
"""States of model and trace together that are looked at for one trace."""


class Deviation(NamedTuple):
    """Where trace and model differ: ``at`` is the event that is extra, or before which the activity is missing.

    An event is extra that the model does not have there; an activity of the model is missing that did not happen.
    """

    kind: Literal["extra", "missing"]
    activity: str
    at: int


@dataclass(frozen=True, slots=True)
class Alignment:
    """The deviations of a best alignment, in the order of the trace; the trace fits if there are none."""

    deviations: tuple[Deviation, ...]

    @property
    def cost(self) -> int:
        """How many deviations there are."""
        return len(self.deviations)


_State: TypeAlias = tuple[Marking, int]
_Step: TypeAlias = tuple["_State | None", Deviation | None]


class Aligner:
    """Aligns traces with one model; what can fire in a marking is found once for all of them."""

    def __init__(self, net: Net) -> None:
        self._net = net
        self._firing: dict[Marking, tuple[tuple[str | None, Marking], ...]] = {}

    def align(self, trace: Sequence[str]) -> Alignment | None:
        """Return a best alignment of a trace (activities in order), or None if it took too many states.

        A model without a run that ends has no alignment either. Of equally good ones the order of the
        transitions' ids decides, so the same files always give the same answer.
        """
        start: _State = (self._net.initial, 0)
        cost = {start: 0}
        came: dict[_State, _Step] = {start: (None, None)}
        settled: set[_State] = set()
        queue = deque([start])  # by cost: what deviates costs 1 and goes to the end, all else to the front
        while queue:
            state = queue.popleft()
            if state in settled:
                continue
            settled.add(state)
            marking, at = state
            if at == len(trace) and self._net.is_final(marking):
                return _alignment(came, state)
            if len(settled) > MAX_STATES:
                return None
            for after, deviation in self._moves(trace, marking, at):
                reached = cost[state] + (deviation is not None)
                if reached < cost.get(after, reached + 1):
                    cost[after] = reached
                    came[after] = (state, deviation)
                    if deviation is None:
                        queue.appendleft(after)
                    else:
                        queue.append(after)
        return None

    def _moves(self, trace: Sequence[str], marking: Marking, at: int) -> Iterator[tuple[_State, Deviation | None]]:
        activity = trace[at] if at < len(trace) else None
        for label, after in self._fired(marking):
            if label is None:
                yield (after, at), None
                continue
            if label == activity:
                yield (after, at + 1), None
            yield (after, at), Deviation("missing", label, at)
        if activity is not None:
            yield (marking, at + 1), Deviation("extra", activity, at)

    def _fired(self, marking: Marking) -> tuple[tuple[str | None, Marking], ...]:
        """Return what can fire in a marking: its label, and the marking after it."""
        found = self._firing.get(marking)
        if found is None:
            fired = ((one.label, one.fire(marking)) for one in self._net.transitions if one.enabled(marking))
            found = tuple((label, after) for label, after in fired if max(after) <= MAX_TOKENS)
            if len(self._firing) < MAX_STATES:
                self._firing[marking] = found
        return found


def _alignment(came: dict[_State, _Step], state: _State) -> Alignment:
    deviations = []
    step: _State | None = state
    while step is not None:
        step, deviation = came[step]
        if deviation is not None:
            deviations.append(deviation)
    return Alignment(tuple(reversed(deviations)))
