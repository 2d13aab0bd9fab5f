"""The mistakes of docs/spec/consensus.md that break agreement, and the shortest way in which each does.

Law: each case is found by the same exploration that finds nothing in the true rules.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from simulation.model.explore import Explored, explore
from simulation.model.rules import MISTAKES, Rules
from simulation.model.spaces import Reduced


@dataclass(frozen=True, slots=True)
class Case:
    """Mistakes made at once, among n validators; ``expected`` is what they lead to."""

    mistakes: tuple[str, ...]
    n: int = 4
    expected: str = "a fork"

    @property
    def what(self) -> str:
        """The mistakes in words."""
        return ", and ".join(MISTAKES[mistake] for mistake in self.mistakes)

    @property
    def forks(self) -> bool:
        """Whether two values are decided; else there are two prepared certificates of one round."""
        return self.expected == "a fork"


CASES: Final = (
    Case(("no_certificate",)),
    Case(("unproven_certificate",)),
    Case(("any_certificate",)),
    # Too small a quorum of PREPAREs alone never forks: with two certificates of one round J4 refuses every proposal.
    Case(("small_prepare_quorum",), expected="two prepared certificates of one round"),
    Case(("small_prepare_quorum", "conflict_taken")),
    Case(("small_commit_quorum",)),
    Case(("small_change_quorum",)),
    Case(("signer_twice",)),
    Case(("votes_in_old_round",)),
    Case(("justification_trusted",)),
    Case(("certificate_round_unsigned",)),
    Case(("two_f_plus_one",), n=6),
)


def shortest(case: Case, rounds: int) -> tuple[Rules, Explored]:
    """Return the way with the fewest moves, over the rounds from 1 and the positions of one Byzantine validator."""
    found = Explored(0, 0, None)
    rules = Rules(case.n, (0,), case.mistakes)
    for count in range(1, rounds + 1):
        for position in range(min(case.n, count + 1)):
            candidate = Rules(case.n, (position,), case.mistakes)
            explored = explore(Reduced(candidate, count), forks_only=case.forks)
            if explored.fault is not None and (found.fault is None or len(explored.fault) < len(found.fault)):
                rules, found = candidate, explored
        if found.fault is not None:
            break
    return rules, found
