"""One line of the doctor's report: what was looked at, how it is, what to do."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum


class Verdict(StrEnum):
    """``warn``: it works, or could not be seen, and deserves a look. ``bad``: it does not work, or will hurt."""

    ok = "ok"
    warn = "warn"
    bad = "bad"


@dataclass(frozen=True, slots=True)
class Line:
    """``node`` is empty for the machine. ``todo`` says what to do; empty when ``verdict`` is ok."""

    node: str
    check: str
    verdict: Verdict
    text: str
    todo: str = ""


def ok(node: str, check: str, text: str) -> Line:
    """Return a good line."""
    return Line(node, check, Verdict.ok, text)


def warn(node: str, check: str, text: str, todo: str) -> Line:
    """Return a line that deserves a look."""
    return Line(node, check, Verdict.warn, text, todo)


def bad(node: str, check: str, text: str, todo: str) -> Line:
    """Return a line of something that must be mended."""
    return Line(node, check, Verdict.bad, text, todo)


def worst(lines: Iterable[Line]) -> Verdict:
    """Return the worst verdict of a report."""
    order = list(Verdict)
    return max((line.verdict for line in lines), key=order.index, default=Verdict.ok)
