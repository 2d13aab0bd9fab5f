"""One line of the doctor's report: what was looked at, how it is, what to do."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum


class Rating(StrEnum):
    """``warn``: it works, or could not be seen, and deserves a look. ``bad``: it does not work, or will hurt."""

    ok = "ok"
    warn = "warn"
    bad = "bad"


@dataclass(frozen=True, slots=True)
class Line:
    """``node`` is empty for the machine. ``todo`` says what to do; empty when ``verdict`` is ok."""

    node: str
    check: str
    verdict: Rating
    text: str
    todo: str = ""


def ok(node: str, check: str, text: str) -> Line:
    """Return a good line."""
    return Line(node, check, Rating.ok, text)


def warn(node: str, check: str, text: str, todo: str) -> Line:
    """Return a line that deserves a look."""
    return Line(node, check, Rating.warn, text, todo)


def bad(node: str, check: str, text: str, todo: str) -> Line:
    """Return a line of something that must be fixed."""
    return Line(node, check, Rating.bad, text, todo)


def worst(lines: Iterable[Line]) -> Rating:
    """Return the worst verdict of a report."""
    order = list(Rating)
    return max((line.verdict for line in lines), key=order.index, default=Rating.ok)
