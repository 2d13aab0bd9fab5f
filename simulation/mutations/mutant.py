"""What a mutant is: one small change of the product that a test must find.

Law: every one changes what the product does; none is found by a type checker or by not compiling.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

Change: TypeAlias = tuple[str, str, str]
"""Module, the text in its source (exactly once), and what takes its place."""


@dataclass(frozen=True, slots=True)
class Mutant:
    """A mistake: ``what`` in words, the changes that make it, and the pytest arguments of a suite that must see it.

    The simulator is asked first, then ``suite``. ``walk``: the random walk over sequences of actions must see it, and
    neither of them is asked.
    """

    what: str
    changes: tuple[Change, ...]
    suite: str = "tests/consensus"
    walk: bool = False


def one(what: str, module: str, old: str, new: str, suite: str = "tests/consensus") -> Mutant:
    """Return the mutant of one change."""
    return Mutant(what, ((module, old, new),), suite)


def walked(what: str, module: str, old: str, new: str) -> Mutant:
    """Return the mutant of one change that the walk must find, alone."""
    return Mutant(what, ((module, old, new),), "", walk=True)
