"""Totals over many seeds: what was run, what it reached, and what it found.

Law: totals add up, so runs can be split, resumed and merged in any order; a failure keeps the command that replays it.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from simulation.goals import GOALS
from simulation.run import Verdict

LEGEND = """\
Each line: virtual seconds, then what happened. "decides height H round R made in C by LEADER": this node has the
block durable; R is the round of its commit certificate, C the round in which the block was first made."""


@dataclass(slots=True)
class Totals:
    """Sums over seeds. ``ranges`` are the first and last seeds of runs, by kind."""

    seeds: Counter[str] = field(default_factory=Counter)
    counted: int = 0
    heights: Counter[int] = field(default_factory=Counter)
    rounds: Counter[int] = field(default_factory=Counter)
    sizes: Counter[int] = field(default_factory=Counter)
    faults: Counter[str] = field(default_factory=Counter)
    behaviours: Counter[str] = field(default_factory=Counter)
    goals: Counter[str] = field(default_factory=Counter)
    sums: Counter[str] = field(default_factory=Counter)
    next_seed: dict[str, int] = field(default_factory=dict)
    failures: list[dict[str, Any]] = field(default_factory=list)

    def add(self, verdict: Verdict) -> None:
        """Add one seed."""
        self.seeds[verdict.kind] += 1
        self.counted += verdict.counted
        self.heights[verdict.height // 10 * 10] += 1
        self.rounds.update({int(round): count for round, count in verdict.rounds.items()})
        self.sizes[verdict.n] += 1
        self.faults.update(verdict.faults)
        self.behaviours.update(verdict.behaviours)
        self.goals.update(dict.fromkeys(verdict.goals, 1))
        self.sums.update(
            blocks=verdict.height,
            virtual_ms=verdict.virtual_ms,
            events=verdict.events,
            heal_ms=verdict.heal_ms,
            reads=verdict.reads,
            writes=verdict.writes,
            milliseconds=round(verdict.seconds * 1000),
        )
        if verdict.failure is not None:
            failure = {"kind": verdict.kind, "seed": verdict.seed, "failure": verdict.failure}
            self.failures.append({**failure, "replay": command(verdict.kind, verdict.seed)})

    def missing(self) -> list[str]:
        """Return the goals that no seed reached."""
        return [goal for goal in GOALS if not self.goals[goal]]

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
        if not path.exists():
            return totals
        document = json.loads(path.read_text("utf-8"))
        for name in ("seeds", "faults", "behaviours", "goals", "sums"):
            getattr(totals, name).update(document[name])
        for name in ("heights", "rounds", "sizes"):
            getattr(totals, name).update({int(key): value for key, value in document[name].items()})
        totals.counted, totals.next_seed = document["counted"], document["next_seed"]
        totals.failures = document["failures"]
        return totals


def command(kind: str, seed: int) -> str:
    """Return the command that replays one seed."""
    if kind == "two rounds":
        return f"python -m simulation --scenario {seed}"
    return f"python -m simulation --seed {seed}" + (" --twins" if kind == "twins" else "")


def lines(totals: Totals, elapsed_s: float | None = None) -> Iterable[str]:
    """Yield the report, line by line."""
    count, sums = sum(totals.seeds.values()), totals.sums
    yield f"seeds            {', '.join(f'{n} {kind}' for kind, n in sorted(totals.seeds.items())) or 'none'}"
    if not count:
        return
    yield f"counted          {totals.counted} (20 heights or 120 virtual seconds, and 3 kinds of faults)"
    if elapsed_s:
        yield f"speed            {count / elapsed_s:.1f} seeds/s in {elapsed_s:.0f} s"
    yield f"processor time   {sums['milliseconds'] / count:.0f} ms a seed"
    yield f"blocks           {sums['blocks']} decided, {sums['events']} events, {sums['virtual_ms'] // 1000} virtual s"
    yield f"clients          {sums['writes']} writes, {sums['reads']} consistent reads"
    yield f"healing          {sums['heal_ms'] // count} virtual ms on average until all agree and nothing is pending"
    yield f"validators       {_pairs(totals.sizes)}"
    yield f"heights          {_pairs(totals.heights)} (seeds by tens of blocks)"
    yield f"rounds           {_pairs(totals.rounds)} (blocks by the round that decided them; 9 is 9 or later)"
    yield f"faults           {_named(totals.faults)}"
    yield f"Byzantine        {_named(totals.behaviours)} (seeds)"
    yield "goals            " + ", ".join(f"{goal} {totals.goals[goal]}" for goal in GOALS) + " (seeds)"
    for goal in totals.missing():
        yield f"NEVER REACHED    {goal}: {GOALS[goal]}"
    yield f"failures         {len(totals.failures)}"
    for failure in totals.failures:
        yield f"  {failure['failure'].splitlines()[0]}"
        yield f"  replay: {failure['replay']}"


def _pairs(counts: Counter[int]) -> str:
    return " ".join(f"{key}:{counts[key]}" for key in sorted(counts))


def _named(counts: Counter[str]) -> str:
    return ", ".join(f"{name} {count}" for name, count in counts.most_common()) or "none"
