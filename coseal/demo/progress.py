"""How the demo is narrated, and its summary: shared by its chapters.

Law: nothing here decides what happens; a narrator only reports it.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol


class Narrator(Protocol):
    """Reports the progress of the demo; the command prints it, a test may keep it."""

    def chapter(self, title: str) -> None:
        """Begin a chapter."""
        ...

    def say(self, text: str) -> None:
        """Say one line."""
        ...

    def progress(self, what: str, total: int | None) -> AbstractContextManager[Callable[[int, int], None]]:
        """Return a context manager giving ``update(done, total)``."""
        ...


@dataclass(slots=True)
class Summary:
    """The result of the demo: figures by name, and how long each chapter took (seconds)."""

    directory: Path
    figures: dict[str, Any] = field(default_factory=dict)
    seconds: dict[str, float] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """Return the summary as JSON values."""
        return {"ok": True, "directory": str(self.directory), "figures": self.figures, "seconds": self.seconds}
