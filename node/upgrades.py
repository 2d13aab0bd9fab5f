"""Rules to come: a protocol version that governance accepted, and whether this software has it.

Law: a node says at once that it lacks rules which are decided, and decides no block under them (A8, N32).
"""

from __future__ import annotations

from collections.abc import Callable

from contracts import governance
from contracts.execution import Executor
from node.events import NodeEffect, Noticed


class Upgrades:
    """Minds what the state after each decided block says of the next rules."""

    def __init__(self, executor: Executor, emit: Callable[[NodeEffect], None]) -> None:
        self._executor, self._emit = executor, emit
        self._announced: dict[str, int] | None = None

    def mind(self) -> None:
        """Say once that rules to come are lacking; raise ``UnknownProtocol`` where the next block needs them."""
        self._executor.require_rules()
        upgrade = governance.upgrade(self._executor.reader)
        known = upgrade is None or self._executor.knows(upgrade["version"])
        if upgrade is not None and not known and upgrade != self._announced:
            text = (
                f"protocol version {upgrade['version']} begins at height {upgrade['first_height']} and this software "
                "does not have it: install a newer release before, or this node stops there"
            )
            self._emit(Noticed("needs_release", text, severe=True))
        self._announced = upgrade
