"""Whose transactions come next: those of the member whose transactions took fewest steps in blocks lately.

Law: local policy, no matter of validity. Within a member transactions keep the order in which they came. Nothing is
passed over for good: what the others take counts against them, so each member that waits becomes the first.

docs/spec/node.md, N13.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from coseal.ledger.transaction import Transaction

HALF_MS: Final = 10_000
"""Half of what was taken is forgotten in so much block time."""


class Turns:
    """The steps that each member's transactions took lately; lost when the node stops."""

    def __init__(self) -> None:
        self._taken: dict[str, float] = {}
        self._time_ms = 0

    def executed(self, time_ms: int, taken: Iterable[tuple[str, int]]) -> None:
        """Note a committed block of that time: the member and the steps of each transaction."""
        kept = 0.5 ** (max(0, time_ms - self._time_ms) / HALF_MS)
        self._time_ms = max(self._time_ms, time_ms)
        steps_of = {member: left for member, steps in self._taken.items() if (left := steps * kept) >= 1}
        for member, steps in taken:
            steps_of[member] = steps_of.get(member, 0) + steps
        self._taken = steps_of

    def taken(self, member: str) -> float:
        """Return how much a member's transactions took lately."""
        return self._taken.get(member, 0.0)

    def lately(self) -> dict[str, int]:
        """Return the steps of each member that took any lately, by member."""
        return {member: round(steps) for member, steps in sorted(self._taken.items())}


class Line(Iterator[Transaction]):
    """What waits, in turn. After each transaction its taker says what it counts for, or that its member must wait."""

    def __init__(self, queues: Mapping[str, Mapping[bytes, Transaction]], turns: Turns) -> None:
        """``queues``: what waits of each member, as it came; they must not change meanwhile."""
        self._members = [
            (turns.taken(member), place, iter(queue.values())) for place, (member, queue) in enumerate(queues.items())
        ]
        heapq.heapify(self._members)

    def __next__(self) -> Transaction:
        while self._members:
            transaction = next(self._members[0][2], None)
            if transaction is not None:
                return transaction
            heapq.heappop(self._members)
        raise StopIteration

    def take(self, steps: int) -> None:
        """Count these steps for the member of the last transaction, which may let another come first."""
        taken, place, waiting = self._members[0]
        heapq.heapreplace(self._members, (taken + steps, place, waiting))

    def leave(self) -> None:
        """The last transaction has no room: it and what its member sent after it wait for another block."""
        heapq.heappop(self._members)
