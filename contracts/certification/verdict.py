"""What follows from the reviews of a panel: which leaves stand, which criteria are met, and the outcome.

Law: the verdict is the same whatever order the reviews are given in, and accepting more never makes it worse.

contracts/certification/README.md, V2 to V5.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

from coseal.contracts.certification.argument import Argument, Node
from coseal.contracts.certification.scheme import MAX_SCORE, applying
from coseal.contracts.certification.support import OPEN, SUPPORTED, UNDERMINED, claims_in, support

CERTIFIED: Final = "certified"
CONDITIONAL: Final = "conditional"
REFUSED: Final = "refused"
OUTCOMES: Final = (REFUSED, CONDITIONAL, CERTIFIED)
"""The worst first."""
ACCEPTED: Final = "accepted"
OPINIONS: Final = (ACCEPTED, "insufficient", "refuted", "unavailable")
"""What a reviewer says of a leaf; only the first accepts it."""


class Tally(NamedTuple):
    """What reviews come to: how many there are, how many accept each leaf, and the sums of scores."""

    reviews: int
    accepted: Mapping[str, int]
    scores: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Verdict:
    """What follows from reviews.

    ``states`` is what ``support`` finds of every node; ``failed`` are the leaves that do not stand, ``fallen`` the
    claims that are undermined; ``criteria`` has for each that applies whether its claims stand, and the sum of its
    scores; ``score`` is what was reached of the greatest weighted score.
    """

    outcome: str
    states: Mapping[str, str]
    failed: tuple[str, ...]
    fallen: tuple[str, ...]
    criteria: Mapping[str, tuple[str, int]]
    score: tuple[int, int]


def verdict(scheme: Mapping[str, Any], kind: str, nodes: Sequence[Node], tally: Tally) -> Verdict:
    """Return what follows from the reviews of a sealed argument, one or more."""
    argument = Argument(nodes)
    accepted = {leaf.id: 2 * tally.accepted[leaf.id] > tally.reviews for leaf in argument.leaves()}  # V2
    states = support(argument, accepted)
    applies = frozenset(applying(scheme, kind))
    asked = [criterion for criterion in scheme["criteria"] if criterion["id"] in applies]
    criteria: dict[str, tuple[str, int]] = {}
    for criterion in asked:
        tops = [states[top.id] for top in argument.tops if top.criterion == criterion["id"]]
        criteria[criterion["id"]] = (_least(tops), tally.scores[criterion["id"]])
    reached = sum(criterion["weight"] * criteria[criterion["id"]][1] for criterion in asked)
    greatest = MAX_SCORE * tally.reviews * sum(criterion["weight"] for criterion in asked)
    numerator, denominator = scheme["threshold"]
    enough = reached * denominator > numerator * greatest and all(  # V4
        criteria[criterion["id"]][1] >= criterion["floor"] * tally.reviews  # V3
        for criterion in asked
    )
    return Verdict(
        _outcome([state for state, _ in criteria.values()]) if enough else REFUSED,
        states,
        tuple(name for name, stands in accepted.items() if not stands),
        tuple(claims_in(argument, states, UNDERMINED)),
        criteria,
        (reached, greatest),
    )


def _least(states: Sequence[str]) -> str:
    return next((state for state in (UNDERMINED, OPEN) if state in states), SUPPORTED)


def _outcome(states: Sequence[str]) -> str:
    """Return the outcome by whether the claims of criteria stand."""
    return {UNDERMINED: REFUSED, OPEN: CONDITIONAL, SUPPORTED: CERTIFIED}[_least(states)]  # V5
