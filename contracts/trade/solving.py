"""A solver of netting runs, for members that clear one: the greatest clearing, with the potentials that prove it.

Law: the contract never calls it, and checks what it finds as what anybody finds. Integers alone.

Everything clears at first, which leaves some parties with more than they give and others with less. What is too much is
taken back along the paths on which that costs least, in residual weights that the potentials keep from being negative
(successive shortest paths). contracts/trade/README.md, section Netting.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from heapq import heappop, heappush
from typing import NamedTuple

from coseal.contracts.trade.clearing import Obligation


class Solution(NamedTuple):
    """Fen that clear of each obligation, and a potential for each party."""

    cleared: list[int]
    potentials: dict[str, int]

    @property
    def total(self) -> int:
        """Fen that clear in all."""
        return sum(self.cleared)


def solve(obligations: Sequence[Obligation]) -> Solution:
    """Return the clearing with the greatest weighted total; of several one, always the same."""
    return _Network(obligations).solved()


class _Network:
    """Parties, and at each those obligations that it owes or that are owed to it."""

    def __init__(self, obligations: Sequence[Obligation]) -> None:
        self._obligations = obligations
        self._cleared = [one.amount for one in obligations]
        self._potentials = {name: 0 for one in obligations for name in (one.debtor, one.holder)}
        self._excess = dict.fromkeys(self._potentials, 0)
        self._at: defaultdict[str, list[int]] = defaultdict(list)
        for index, one in enumerate(obligations):
            self._excess[one.debtor] -= one.amount
            self._excess[one.holder] += one.amount
            self._at[one.debtor].append(index)
            if one.holder != one.debtor:
                self._at[one.holder].append(index)

    def solved(self) -> Solution:
        while any(excess > 0 for excess in self._excess.values()):
            distances, steps, end = self._cheapest()
            farthest = distances[end]
            for party in self._potentials:
                self._potentials[party] += min(distances.get(party, farthest), farthest)
            self._take_back(steps, end)
        return Solution(self._cleared, self._potentials)

    def _cheapest(self) -> tuple[dict[str, int], dict[str, tuple[str, int]], str]:
        """Return how far parties are from those that get too much, the last step to each, and the nearest in want."""
        distances = {party: 0 for party, excess in self._excess.items() if excess > 0}
        steps: dict[str, tuple[str, int]] = {}
        waiting = [(0, party) for party in sorted(distances)]
        done: set[str] = set()
        while True:
            distance, party = heappop(waiting)
            if party in done:
                continue
            if self._excess[party] < 0:
                return distances, steps, party
            done.add(party)
            for index in self._at[party]:
                one = self._obligations[index]
                cost = self._potentials[one.debtor] - self._potentials[one.holder] - one.weight
                if one.debtor == party:
                    other, fits = one.holder, self._cleared[index] < one.amount
                else:
                    other, cost, fits = one.debtor, -cost, self._cleared[index] > 0
                if fits and (other not in distances or distance + cost < distances[other]):
                    distances[other] = distance + cost
                    steps[other] = (party, index)
                    heappush(waiting, (distance + cost, other))

    def _take_back(self, steps: dict[str, tuple[str, int]], end: str) -> None:
        """Move what fits along the path to ``end``: forward clears more of an obligation, backward less."""
        path: list[tuple[int, bool]] = []
        party = end
        while party in steps:
            before, index = steps[party]
            path.append((index, self._obligations[index].debtor == before))
            party = before
        room = [
            self._obligations[index].amount - self._cleared[index] if forward else self._cleared[index]
            for index, forward in path
        ]
        amount = min(self._excess[party], -self._excess[end], *room)
        for index, forward in path:
            self._cleared[index] += amount if forward else -amount
        self._excess[party] -= amount
        self._excess[end] += amount
