"""What every part of a replica shares within one step: who we are, the time of the step, and where effects go.

Law: ``now_ms`` and ``effects`` live for one step only; nothing else here changes what a later step does, except the
guard, the average of execution and the counters.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from coseal.consensus.application import Application
from coseal.consensus.events import Effect
from coseal.consensus.guard import SignGuard
from coseal.consensus.rules import ReplicaConfig


class Fault(Exception):
    """The process must stop: our own state contradicts what a quorum certified, or the application cannot go on.

    It never leaves ``step``.
    """


@dataclass(slots=True)
class Context:
    """``guard`` is None for a node that never votes. ``fired`` counts the numbered rules as they are applied."""

    config: ReplicaConfig
    application: Application
    guard: SignGuard | None
    execution_ms: int = 0
    now_ms: int = 0
    effects: list[Effect] = field(default_factory=list)
    fired: Counter[str] = field(default_factory=Counter)

    def emit(self, effect: Effect) -> None:
        """Append an effect of this step."""
        self.effects.append(effect)

    def fire(self, rule: str) -> None:
        """Count that a numbered rule was applied."""
        self.fired[rule] += 1
