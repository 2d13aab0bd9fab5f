"""How large a block may be so that executing it takes a small part of a round.

Law: what a block costs is told by what blocks cost lately, never by a clock in here; a block is never held below
``ROOM_MIN_BYTES``, so one slow moment cannot stop the chain.
"""

from __future__ import annotations

from typing import Final

ROOM_MIN_BYTES: Final = 64 * 1024
ROOM_FIRST_BYTES: Final = 512 * 1024
ROOM_MAX_BYTES: Final = 64 * 1024 * 1024
_ROUND_PART: Final = 4


class Pace:
    """The room for transactions in a block that this node proposes, from how long blocks took to execute."""

    def __init__(self, round_timeout_ms: int) -> None:
        """``round_timeout_ms``: the chain's base timeout, a quarter of which a block is meant to take."""
        self.room_bytes = ROOM_FIRST_BYTES
        self._wanted_ms = max(1, round_timeout_ms // _ROUND_PART)

    def took(self, size_bytes: int, duration_ms: int) -> None:
        """Note that executing blocks of so many bytes took so long; small ones tell too little."""
        if size_bytes < ROOM_MIN_BYTES // 2:
            return
        fitting = size_bytes * self._wanted_ms // max(1, duration_ms)
        self.room_bytes = max(ROOM_MIN_BYTES, min((self.room_bytes + fitting) // 2, ROOM_MAX_BYTES))
