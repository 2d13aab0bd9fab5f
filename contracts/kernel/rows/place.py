"""Where a row comes from."""

from __future__ import annotations

from typing import Final, NamedTuple

BEGIN: Final = -1
"""The position of what ``begin_block`` did: before the first transaction."""


class Act(NamedTuple):
    """One accepted transaction, or ``begin_block`` (without sender and id): who, when (ms), and where it stands."""

    sender: str
    tx_id: bytes
    time_ms: int
    height: int
    position: int

    @property
    def member(self) -> str:
        """The member that acted."""
        return self.sender.partition("/")[0]

    @property
    def where(self) -> tuple[int, int]:
        """Height and position."""
        return self.height, self.position

    @property
    def place(self) -> dict[str, int]:
        """The columns that say where a row comes from."""
        return {"height": self.height, "position": self.position}
