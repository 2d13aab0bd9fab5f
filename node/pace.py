"""How large a block may be so that executing it takes a small part of a round, and how much may wait for blocks.

Law: what a block costs is told by what blocks cost lately, never by a clock in here; a block is never held below
``ROOM_MIN_BYTES`` nor the queue below ``QUEUE_MIN_BYTES``, so one slow moment cannot stop the chain.
"""

from __future__ import annotations

from typing import Final

ROOM_MIN_BYTES: Final = 64 * 1024
ROOM_FIRST_BYTES: Final = 512 * 1024
ROOM_MAX_BYTES: Final = 64 * 1024 * 1024
_ROUND_PART: Final = 10
QUEUE_MIN_BYTES: Final = 512 * 1024
QUEUE_MAX_BYTES: Final = 64 * 1024 * 1024
QUEUE_MS: Final = 1_500
"""What clients may have waiting is committed within about this time."""
QUEUE_FIRST_BYTES: Final = 1024 * 1024
_SAMPLE_MS: Final = 500


class Pace:
    """The room for transactions in a block that this node proposes, from how long blocks took to execute."""

    def __init__(self, round_timeout_ms: int) -> None:
        """``round_timeout_ms``: the chain's base timeout, a tenth of which a block is meant to take."""
        self.room_bytes = ROOM_FIRST_BYTES
        self._wanted_ms = max(1, round_timeout_ms // _ROUND_PART)

    def took(self, size_bytes: int, duration_ms: int) -> None:
        """Note that executing blocks of so many bytes took so long; small ones tell too little."""
        if size_bytes < ROOM_MIN_BYTES // 2:
            return
        fitting = size_bytes * self._wanted_ms // max(1, duration_ms)
        self.room_bytes = max(ROOM_MIN_BYTES, min((self.room_bytes + fitting) // 2, ROOM_MAX_BYTES))


class Throughput:
    """The room for what waits for a block, from how much blocks committed in the time in which something waited (N10).

    Small blocks that take all there is tell less than the chain could do, but so many fit into ``QUEUE_MS`` that the
    room they leave is never what keeps blocks small.
    """

    def __init__(self) -> None:
        self.room_bytes = QUEUE_FIRST_BYTES
        self._since_ms: int | None = None  # since then something has been waiting for the next block
        self._bytes = self._busy_ms = 0

    def began(self, now_ms: int) -> None:
        """Note that something waits where nothing did."""
        self._since_ms = now_ms

    def committed(self, size_bytes: int, now_ms: int, *, waiting: bool) -> None:
        """Note a decided block of so many bytes; ``waiting``: it did not take all there was."""
        if self._since_ms is not None:
            self._bytes += size_bytes
            self._busy_ms += max(0, now_ms - self._since_ms)
        self._since_ms = now_ms if waiting else None
        if self._busy_ms >= _SAMPLE_MS:
            fitting = self._bytes * QUEUE_MS // self._busy_ms
            self.room_bytes = max(QUEUE_MIN_BYTES, min((self.room_bytes + fitting) // 2, QUEUE_MAX_BYTES))
            self._bytes = self._busy_ms = 0
