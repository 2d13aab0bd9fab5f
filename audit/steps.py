"""The steps of a verification as data: what each checked, under which rule, with which values, and how it came out.

Law: the steps *are* the verification, recorded as it goes; nothing is checked beside them.
The first that fails ends it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from coseal.audit.light import UnknownValidators
from coseal.audit.report import Verdict
from coseal.ledger.errors import LedgerError


class Untold(Exception):
    """It cannot be told with what is at hand, though nothing that was seen is false."""


@dataclass(frozen=True, slots=True)
class Step:
    """One step of a verification.

    ``name`` is what it is about, ``detail`` in words what was seen or why it fails, ``rule`` where docs/spec asks for
    it, ``values`` what was compared (JSON values, by name).
    """

    name: str
    verdict: Verdict
    detail: str
    rule: str = ""
    values: Mapping[str, Any] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """Return the step as JSON values."""
        plain = {"name": self.name, "verdict": self.verdict.value, "detail": self.detail}
        return {**plain, "rule": self.rule, "values": dict(self.values)}


@dataclass(slots=True)
class Seen:
    """What a step under way has seen so far; kept also if it fails."""

    detail: str = ""
    values: dict[str, Any] = field(default_factory=dict)


class Trace:
    """The steps taken so far, in order."""

    def __init__(self) -> None:
        self.steps: list[Step] = []

    @contextmanager
    def step(self, name: str, rule: str) -> Iterator[Seen]:
        """Record what the block under ``with`` comes to; its error is recorded and goes on."""
        seen = Seen()
        try:
            yield seen
        except UnknownValidators as error:
            self.steps.append(Step(name, Verdict.UNKNOWN, error.reason, rule, seen.values))
            raise
        except LedgerError as error:
            self.steps.append(Step(name, Verdict.BAD, error.reason, rule, seen.values))
            raise
        except Untold as error:
            self.steps.append(Step(name, Verdict.UNKNOWN, str(error), rule, seen.values))
            raise
        self.steps.append(Step(name, Verdict.OK, seen.detail, rule, seen.values))
