"""Figures of repeated runs: a median with the lowest and the highest, and how they are written.

Law: a figure without its spread and the number of its runs is not shown.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

Run = Mapping[str, float]
"""What one run measured: a value by its name, which ends with the unit."""


@dataclass(frozen=True, slots=True)
class Figure:
    """The median of ``runs`` values, and the least and greatest of them."""

    median: float
    low: float
    high: float
    runs: int

    @staticmethod
    def of(values: Sequence[float]) -> Figure:
        """Return the figure of one value or more."""
        return Figure(statistics.median(values), min(values), max(values), len(values))

    @staticmethod
    def read(document: Mapping[str, Any]) -> Figure:
        """Return what ``to_json`` wrote."""
        return Figure(document["median"], document["low"], document["high"], document["runs"])

    def to_json(self) -> dict[str, float]:
        """Return it as JSON has it."""
        return asdict(self)

    def __str__(self) -> str:
        """``2,050 (1,980 to 2,110)``; one run alone is just its value."""
        if self.runs == 1:
            return number(self.median)
        return f"{number(self.median)} ({number(self.low)} to {number(self.high)})"


def number(value: float) -> str:
    """Return a figure with three significant digits, whole above a hundred."""
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


def summary(runs: Sequence[Run]) -> dict[str, Figure]:
    """Return the figure of each name, over the runs that have it, in the order of first appearance."""
    names = dict.fromkeys(name for run in runs for name in run)
    return {name: Figure.of([run[name] for run in runs if name in run]) for name in names}


def repeated(
    work: Callable[[], Run], *, runs: int, seconds: float, now: Callable[[], float] = time.monotonic
) -> list[Run]:
    """Run ``work`` at least once and up to ``runs`` times; begin none that would probably end after ``seconds``."""
    began, longest = now(), 0.0
    done: list[Run] = []
    while len(done) < runs:
        started = now()
        if done and started - began + longest > seconds:
            break
        done.append(work())
        longest = max(longest, now() - started)
    return done
