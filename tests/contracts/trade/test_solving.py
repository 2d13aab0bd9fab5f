"""The solver's clearings are the greatest there are, by enumeration; a forged proof never passes with less."""

from __future__ import annotations

import random
from dataclasses import dataclass
from itertools import product

import pytest

from coseal.contracts.trade.clearing import MAX_DAYS, MAX_POTENTIAL, WEIGHT, Obligation, refusal, weight
from coseal.contracts.trade.solving import solve
from tests.support.currency import DAY_MS

RING = [Obligation("a", "b", 5), Obligation("b", "c", 7), Obligation("c", "a", 6)]


@dataclass
class Small:
    """A run that is small enough to try every clearing of it."""

    obligations: list[Obligation]

    @classmethod
    def drawn(cls, rng: random.Random) -> Small:
        pairs = [rng.sample("abcd", 2) for _ in range(rng.randrange(2, 7))]
        return cls([Obligation(*pair, rng.randrange(4), WEIGHT + rng.randrange(3)) for pair in pairs])

    def best(self) -> int:
        """Return the greatest weighted total of all balanced clearings."""
        totals = [0]
        for amounts in product(*(range(one.amount + 1) for one in self.obligations)):
            gets = dict.fromkeys("abcd", 0)
            for one, amount in zip(self.obligations, amounts, strict=True):
                gets[one.debtor] -= amount
                gets[one.holder] += amount
            if not any(gets.values()):
                totals.append(self.weighted(amounts))
        return max(totals)

    def weighted(self, amounts) -> int:
        return sum(one.weight * amount for one, amount in zip(self.obligations, amounts, strict=True))


def drawn(rng: random.Random, parties: int, count: int) -> list[Obligation]:
    pairs = [rng.sample(range(parties), 2) for _ in range(count)]
    return [Obligation(f"p{a}", f"p{b}", rng.randrange(1, 10**9), WEIGHT + rng.randrange(90)) for a, b in pairs]


def test_the_solver_finds_the_greatest_clearing_of_every_small_run():
    rng = random.Random(1)
    for _ in range(120):
        small = Small.drawn(rng)
        found = solve(small.obligations)
        assert refusal(small.obligations, found.cleared, found.potentials) is None
        assert small.weighted(found.cleared) == small.best()


def test_a_forged_proof_passes_only_with_the_greatest_total():
    rng = random.Random(2)
    passed = 0
    for _ in range(60):
        small = Small.drawn(rng)
        found, best = solve(small.obligations), small.best()
        for _ in range(20):
            amounts, potentials = list(found.cleared), dict(found.potentials)
            if rng.randrange(2):
                at = rng.randrange(len(amounts))
                amounts[at] = max(0, amounts[at] + rng.choice((-1, 1)))
            else:
                potentials[rng.choice(sorted(potentials))] += rng.choice((-1, 1, WEIGHT, -WEIGHT))
            if refusal(small.obligations, amounts, potentials) is None:
                passed += 1
                assert small.weighted(amounts) == best
    assert passed > 50


def test_a_large_run_is_solved_and_its_order_changes_nothing_of_the_total():
    rng = random.Random(3)
    run = drawn(rng, 40, 250)
    found = solve(run)
    assert refusal(run, found.cleared, found.potentials) is None
    assert 0 < found.total < sum(one.amount for one in run)
    shuffled = rng.sample(run, len(run))
    other = solve(shuffled)
    weighted = [
        sum(one.weight * amount for one, amount in zip(each, cleared, strict=True))
        for each, cleared in ((run, found.cleared), (shuffled, other.cleared))
    ]
    assert weighted[0] == weighted[1]


def test_a_ring_clears_by_its_smallest_debt():
    found = solve(RING)
    assert (found.cleared, found.total) == ([5, 5, 5], 15)
    assert solve(RING[:2]).total == 0


@pytest.mark.parametrize(
    ("cleared", "potentials", "code"),
    [
        ([5, 5, 4], {"a": 0, "b": 0, "c": 0}, "not_optimal"),
        ([4, 4, 4], None, "not_optimal"),
        ([0, 0, 0], None, "not_optimal"),
        ([6, 6, 6], None, "out_of_bounds"),
        ([-1, 5, 5], None, "out_of_bounds"),
        ([5, 6, 5], None, "unbalanced"),
        ([5, 5, 5], {"a": 0, "b": 0}, "not_optimal"),
        ([5, 5, 5], {"a": MAX_POTENTIAL, "b": -MAX_POTENTIAL, "c": 0}, "not_optimal"),
    ],
)
def test_what_does_not_prove_a_clearing(cleared, potentials, code):
    good = solve(RING).potentials
    assert refusal(RING, [5, 5, 5], good) is None
    refused = refusal(RING, cleared, good if potentials is None else potentials)
    assert refused is not None
    assert refused.code == code


def test_an_older_debt_counts_a_little_more():
    closes_ms = 2_000 * DAY_MS
    assert weight(closes_ms + DAY_MS, closes_ms) == weight(closes_ms, closes_ms) == WEIGHT
    assert weight(closes_ms - 3 * DAY_MS, closes_ms) == WEIGHT + 3
    assert weight(0, closes_ms) == WEIGHT + MAX_DAYS
    run = [Obligation("a", "b", 5), Obligation("a", "b", 5, WEIGHT + 1), Obligation("b", "a", 5)]
    assert solve(run).cleared == [0, 5, 5]
