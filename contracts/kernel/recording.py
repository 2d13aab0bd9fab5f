"""A reader that keeps which keys were read: what a document shows is found by reading as its verifier will.

Law: the keys are in the order of their first reading, each once.
"""

from __future__ import annotations

from typing import Any

from coseal.contracts.kernel.action import Reader


class Recording:
    """A reader that keeps which keys were read, in order."""

    def __init__(self, reader: Reader) -> None:
        self._reader, self.keys = reader, dict[str, None]()

    def get(self, key: str) -> Any:
        """Return a value of the state."""
        self.keys[key] = None
        return self._reader.get(key)
