"""Totals over many walks: what was tried and accepted, what it came to, and what was found.

Law: totals add up, so walks can be split, resumed and merged in any order; a failure keeps the command that replays it.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from coseal.contracts.registry import CONTRACTS
from simulation.walk.episode import Episode
from simulation.walk.goals import GOALS
from simulation.walk.money import REFUSED

ACTIONS: Final = tuple(f"{contract.name}.{name}" for contract in CONTRACTS.values() for name in contract.actions)
LEAST: Final = 5
"""So often at least every action is accepted in a walk that is long enough to ask."""
LONG_STEPS: Final = 50_000
"""From so many steps on every action and goal must have been reached."""


@dataclass(slots=True)
class Totals:
    """Sums over walks; ``refused`` by action, then by code."""

    walks: int = 0
    steps: int = 0
    blocks: int = 0
    unsigned: int = 0
    milliseconds: int = 0
    next_seed: int = 0
    accepted: Counter[str] = field(default_factory=Counter)
    refused: dict[str, Counter[str]] = field(default_factory=dict)
    goals: Counter[str] = field(default_factory=Counter)
    failures: list[dict[str, Any]] = field(default_factory=list)

    def add(self, episode: Episode) -> None:
        """Add a walk."""
        self.walks += 1
        self.steps += episode.steps
        self.blocks += episode.blocks
        self.unsigned += episode.unsigned
        self.milliseconds += round(1000 * episode.seconds)
        self.accepted.update(episode.accepted)
        self.goals.update(episode.goals)
        for (action, code), count in episode.refused.items():
            self.refused.setdefault(action, Counter())[code] += count
        if episode.failure is not None:
            failure = {"seed": episode.seed, "failure": episode.failure}
            self.failures.append({**failure, "replay": command(episode.seed, episode.asked)})

    def missing(self) -> list[str]:
        """Return the actions whose outcome was hardly ever seen and the goals that were never reached."""
        rare = [action for action in ACTIONS if self._expected(action) < LEAST]
        return [*rare, *(f"{goal}: {GOALS[goal]}" for goal in GOALS if not self.goals[goal])]

    def _expected(self, action: str) -> int:
        """Return how often an action was accepted; how often it was refused as it must be if it always is."""
        code = REFUSED.get(action)
        return self.accepted[action] if code is None else self.refused.get(action, Counter())[code]

    def save(self, path: Path) -> None:
        """Write the totals, over the old ones."""
        path.parent.mkdir(exist_ok=True)
        document = {name: getattr(self, name) for name in self.__dataclass_fields__}
        temporary = path.with_suffix(".new")
        temporary.write_text(json.dumps(document, indent=1, sort_keys=True) + "\n", "utf-8")
        temporary.replace(path)

    @staticmethod
    def load(path: Path) -> Totals:
        """Read totals; those of nothing if there is no file."""
        totals = Totals()
        if path.exists():
            document = json.loads(path.read_text("utf-8"))
            for name in ("walks", "steps", "blocks", "unsigned", "milliseconds", "next_seed", "failures"):
                setattr(totals, name, document[name])
            totals.accepted, totals.goals = Counter(document["accepted"]), Counter(document["goals"])
            totals.refused = {action: Counter(codes) for action, codes in document["refused"].items()}
        return totals


def command(seed: int, steps: int) -> str:
    """Return the command that replays one walk."""
    return f"python -m simulation.walk --seed {seed} --steps {steps}"


def lines(totals: Totals) -> Iterator[str]:
    """Yield the report, line by line."""
    accepted = sum(totals.accepted.values())
    yield f"walks            {totals.walks}: {totals.steps} steps in {totals.blocks} blocks"
    yield f"processor time   {totals.milliseconds / max(1, totals.steps):.2f} ms a step"
    share = 100 * accepted / max(1, totals.steps)
    yield f"accepted         {accepted} ({share:.0f} %); {totals.unsigned} could not be signed"
    for action in ACTIONS:
        refused = totals.refused.get(action, Counter())
        why = ", ".join(f"{code} {count}" for code, count in refused.most_common(4))
        yield f"  {action:36} {totals.accepted[action]:7} of {totals.accepted[action] + sum(refused.values()):7}  {why}"
    yield "goals            " + ", ".join(f"{goal} {totals.goals[goal]}" for goal in GOALS)
    for missing in totals.missing() if totals.steps >= LONG_STEPS else ():
        yield f"NOT REACHED      {missing}"
    yield f"failures         {len(totals.failures)}"
    for failure in totals.failures:
        yield f"  {failure['failure'].strip().splitlines()[-1]}"
        yield f"  replay: {failure['replay']}"
