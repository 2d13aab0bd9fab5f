"""Missions from a member's side: what the checks find of one, from proven values.

Law: as ``client.standards``: one class for both clients; what is said of a mission is computed here.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final, Generic, TypeVar

from coseal.client.exchange import Exchange
from coseal.client.proven import proven_values
from coseal.client.session import Session
from coseal.contracts.kernel.action import Reader
from coseal.contracts.mission.described import checked
from coseal.contracts.mission.state import mission_key
from coseal.errors import BadAnswer, Busy

One = TypeVar("One")
_PASSES: Final = 16


class Missions(Generic[One]):
    """``client.missions``."""

    def __init__(self, session: Session, run: Callable[[Exchange[Any]], Any]) -> None:
        self._session, self._run = session, run

    def failures(self, mission: str) -> One:
        """Return the four failures of a mission, computed from proven values of one block.

        As ``contracts.mission.described.checked`` has it: ``failures`` with ``check``, ``code``, ``verdict``
        (``failed``, ``unknown``), ``about`` and ``keys``, the state keys that show it; ``height`` and ``time_ms`` of
        the block. Raises ``BadAnswer`` if there is no such mission.
        """
        found: One = self._run(failures_of(self._session, mission))
        return found


class Asked:
    """A reader of values that were read, which notes in ``missing`` what else is asked."""

    def __init__(self, values: Reader, known: Sequence[str]) -> None:
        self._values, self._known = values, frozenset(known)
        self.missing: dict[str, None] = {}

    def get(self, key: str) -> Any:
        """Return a value; None for one that was not read, which is noted."""
        if key in self._known:
            return self._values.get(key)
        self.missing[key] = None
        return None


def failures_of(session: Session, mission: str) -> Exchange[dict[str, Any]]:
    """See ``Missions.failures``. What is read follows from what was read before, so it is read in a few passes."""
    keys = [mission_key(mission)]
    for _ in range(_PASSES):
        values = yield from proven_values(session, keys)
        reader = Asked(values, keys)
        found = checked(reader, mission, values.height, values.time_ms)
        if found is None:
            raise BadAnswer(f"there is no mission {mission}", "see `coseal mission list`")
        if not reader.missing:
            return found
        keys += reader.missing
    raise Busy(f"mission {mission} changes while it is read", "try again")
