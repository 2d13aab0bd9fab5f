"""The clock of one node: virtual time, seen wrongly.

Law: durations are true (timers are monotonic), the wall clock may be off, drift and jump.
"""

from __future__ import annotations


class Clock:
    """``offset_ms`` is how far the clock is ahead; ``drift_ppm`` how fast that grows."""

    def __init__(self, offset_ms: int = 0, drift_ppm: int = 0) -> None:
        self.offset_ms = offset_ms
        self.drift_ppm = drift_ppm
        self._since_ms: int | None = None

    def wall_ms(self, now_ms: int) -> int:
        """Return what the node believes the time to be when it is ``now_ms``."""
        if self._since_ms is None:
            self._since_ms = now_ms
        return now_ms + self.offset_ms + (now_ms - self._since_ms) * self.drift_ppm // 1_000_000

    def jump(self, by_ms: int) -> None:
        """Set the clock forward, or back."""
        self.offset_ms += by_ms

    def repair(self) -> None:
        """Make it right again."""
        self.offset_ms = self.drift_ppm = 0
        self._since_ms = None
