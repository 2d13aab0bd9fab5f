"""One finding of a check of a mission.

contracts/mission/README.md, section Failures.
"""

from __future__ import annotations

from typing import Final, NamedTuple

DIRECTIONAL: Final = "directional"
DEMAND: Final = "demand_articulation"
COORDINATION: Final = "policy_coordination"
REFLEXIVITY: Final = "reflexivity"
CHECKS: Final = (DIRECTIONAL, DEMAND, COORDINATION, REFLEXIVITY)
FAILED: Final = "failed"
UNKNOWN: Final = "unknown"


class Failure(NamedTuple):
    """What a check found.

    ``about`` names what it is about, by its code: a goal, an indicator, policies. ``keys`` are the state keys whose
    values show it. ``verdict`` is ``failed``, or ``unknown`` where the state does not say enough to tell.
    """

    check: str
    code: str
    about: tuple[str, ...]
    keys: tuple[str, ...]
    verdict: str = FAILED
