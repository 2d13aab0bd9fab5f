"""One identity run twice: two unmodified machines with one key ("Twins: BFT Systems Made Robust", Bano et al.).

The second machine is an endpoint of its own with a disk of its own. Which of the others reach which twin is drawn
anew at random times, so each may live in a world of its own.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from simulation.byzantine.behaviour import Behaviour

if TYPE_CHECKING:
    from simulation.world import World


class Twin(Behaviour):
    """Marks an endpoint as one of two; the code under it is unmodified."""

    name = "twins"


def redraw(world: World, first: int, second: int) -> None:
    """Deal the other endpoints out between two twins: to one, to the other, to both, or to none."""
    for other in range(len(world.nodes)):
        if other in (first, second):
            continue
        reach = world.rng.choice(((first,), (second,), (first, second), (first,), (second,), ()))
        for twin in (first, second):
            if twin in reach:
                world.network.mend(twin, other)
                world.connect_soon(twin, other, 1)
            else:
                world.network.cut(twin, other)
                world.break_link(twin, other)
