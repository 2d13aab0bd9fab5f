"""The mistakes that the tests must find, by area: one small change of the product each.

Law: a name belongs to one mutant; which area it is in says nothing about which test finds it.
"""

from __future__ import annotations

from typing import Final

from simulation.mutations import (
    certification,
    checking,
    durability,
    engines,
    governance,
    money,
    others,
    protocol,
    sidecars,
    standards,
    supervision,
    trade,
)
from simulation.mutations.mutant import Mutant

__all__ = ["AREAS", "MUTANTS", "Mutant"]

AREAS: Final = (
    protocol,
    durability,
    checking,
    engines,
    governance,
    others,
    standards,
    supervision,
    money,
    trade,
    certification,
    sidecars,
)

MUTANTS: Final[dict[str, Mutant]] = {name: mutant for area in AREAS for name, mutant in area.MUTANTS.items()}
