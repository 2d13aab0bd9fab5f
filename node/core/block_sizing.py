"""How many steps a block may take so that executing it is a small part of a round, and how much may wait for blocks.

Law: what a step costs is learned from what blocks took lately, never from a clock in here; a block is never held below
``ROOM_MIN_STEPS`` nor the queue below ``QUEUE_MIN_BYTES``, so one slow moment cannot stop the chain.
"""

from __future__ import annotations

from typing import Final

from coseal.contracts.kernel.budget import BLOCK_STEPS

ROOM_MIN_STEPS: Final = 100_000
STEPS_A_MS: Final = 2_000
"""What the slowest machine that is supported executes; the guess until blocks tell more."""
_ROUND_PART: Final = 10
QUEUE_MIN_BYTES: Final = 512 * 1024
QUEUE_MAX_BYTES: Final = 64 * 1024 * 1024
QUEUE_MS: Final = 1_500
"""What clients may have waiting is committed within about this time."""
QUEUE_FIRST_BYTES: Final = 1024 * 1024
_SAMPLE_MS: Final = 500


class BlockSizing:
    """The steps for a block that this node proposes, from how long blocks took to execute."""

    def __init__(self, round_timeout_ms: int) -> None:
        """``round_timeout_ms``: the chain's base timeout, a tenth of which a block is meant to take."""
        self._wanted_ms = max(1, round_timeout_ms // _ROUND_PART)
        self.room_steps = _bounded(self._wanted_ms * STEPS_A_MS)

    def took(self, steps: int, duration_ms: int) -> None:
        """Note that executing blocks of ``steps`` took ``duration_ms``; those of few steps show too little."""
        if steps < ROOM_MIN_STEPS // 2:
            return
        fitting = steps * self._wanted_ms // max(1, duration_ms)
        self.room_steps = _bounded((self.room_steps + fitting) // 2)


def _bounded(steps: int) -> int:
    return max(ROOM_MIN_STEPS, min(steps, BLOCK_STEPS))


class Throughput:
    """The room for what waits for a block, from how much blocks committed in the time in which something waited (N10).

    Small blocks that take all there is show less than the chain could do, but as many fit into ``QUEUE_MS`` that the
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
        """Note a decided block of this many bytes; ``waiting``: it did not take all there was."""
        if self._since_ms is not None:
            self._bytes += size_bytes
            self._busy_ms += max(0, now_ms - self._since_ms)
        self._since_ms = now_ms if waiting else None
        if self._busy_ms >= _SAMPLE_MS:
            fitting = self._bytes * QUEUE_MS // self._busy_ms
            self.room_bytes = max(QUEUE_MIN_BYTES, min((self.room_bytes + fitting) // 2, QUEUE_MAX_BYTES))
            self._bytes = self._busy_ms = 0
