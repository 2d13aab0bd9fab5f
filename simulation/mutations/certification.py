"""Mistakes in certification: panels that somebody chooses, reviews that are copied, outcomes that are too good."""

from __future__ import annotations

from typing import Final

from simulation.mutations.mutant import Mutant, one

_CERTIFICATION: Final = "coseal.contracts.certification"
_SUITE: Final = "tests/contracts/certification"

MUTANTS: Final[dict[str, Mutant]] = {
    "seeds_stay": one(
        "seeds that were shown stay when a body keeps its own back, so that it chooses the panel",
        f"{_CERTIFICATION}.drawing",
        '"seeds": {} if shows else seeds}',
        '"seeds": seeds}',
        f"{_SUITE}/test_drawing.py",
    ),
    "chance_by_reviewers": one(
        "a member that has more reviewers is drawn more often",
        f"{_CERTIFICATION}.panel",
        "(_rank(seed, member), member))",
        "(min(_rank(seed, each.name) for each in of[member]), member))",
        f"{_SUITE}/test_panel.py",
    ),
    "humanities_without_room": one(
        "seats of the humanities take those that a sector has at least",
        f"{_CERTIFICATION}.panel",
        "if found is not None and self._leaves_room(found):",
        "if found is not None:",
        f"{_SUITE}/test_panel.py",
    ),
    "review_of_anybody": one(
        "a commitment to a review that was copied opens for another reviewer",
        f"{_CERTIFICATION}.reviewing",
        "[project, number, reviewer, dict(review), salt]",
        "[project, number, dict(review), salt]",
        f"{_SUITE}/test_reviewing.py",
    ),
    "office_kept": one(
        "who keeps a review back to break a panel keeps the office",
        f"{_CERTIFICATION}.reviewing",
        "bar(found.view, name, found.time_ms)",
        "bar(found.view, name, 0)",
        f"{_SUITE}/test_reviewing.py",
    ),
    "better_than_reviews": one(
        "a body certifies what a panel found conditional",
        f"{_CERTIFICATION}.deciding",
        'OUTCOMES.index(args["outcome"]) > OUTCOMES.index(computed)',
        'OUTCOMES.index(args["outcome"]) > OUTCOMES.index(computed) + 1',
        f"{_SUITE}/test_reviewing.py",
    ),
    "half_is_enough": one(
        "a leaf stands that half of the reviews accept",
        f"{_CERTIFICATION}.verdict",
        "2 * tally.accepted[leaf.id] > tally.reviews",
        "2 * tally.accepted[leaf.id] >= tally.reviews",
        f"{_SUITE}/test_verdict.py",
    ),
}
