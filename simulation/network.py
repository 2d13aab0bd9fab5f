"""Links between nodes: up or down, slow, lossy, repeating, blocked one way, or clogged.

Law: a frame arrives only over the link it was sent on, and never over a later link of the same pair. Every choice
comes from the world's one source of chance.
"""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import dataclass

QUEUE_FRAMES_MAX = 400


@dataclass(slots=True)
class Line:
    """One direction of a link. Delays in ms; rates are per mille. ``generation`` rises when the link breaks."""

    delay_ms: int = 2
    jitter_ms: int = 3
    loss: int = 0
    duplication: int = 0
    reorders: bool = False
    blocked: bool = False
    clogged_until_ms: int = 0
    arrival_ms: int = 0
    queued: int = 0


class Network:
    """All lines between ``count`` endpoints, and which links are up."""

    def __init__(self, count: int, rng: random.Random) -> None:
        self.count = count
        self._rng = rng
        self.lines = {(a, b): Line() for a in range(count) for b in range(count) if a != b}
        self._up: dict[tuple[int, int], int] = {}
        self._generations: Counter[tuple[int, int]] = Counter()
        self._cut: dict[tuple[int, int], None] = {}
        self.faults: Counter[str] = Counter()

    # Links

    def is_up(self, a: int, b: int) -> bool:
        """Say whether the link of two endpoints is up."""
        return _pair(a, b) in self._up

    def generation(self, a: int, b: int) -> int:
        """Return the number of the link's present life."""
        return self._up.get(_pair(a, b), -1)

    def connect(self, a: int, b: int) -> bool:
        """Bring a link up unless it is up or cut; say whether that was news."""
        pair = _pair(a, b)
        if pair in self._up or pair in self._cut:
            return False
        self._generations[pair] += 1
        self._up[pair] = self._generations[pair]
        for line in (self.lines[a, b], self.lines[b, a]):
            line.arrival_ms = line.queued = 0
        return True

    def disconnect(self, a: int, b: int) -> bool:
        """Break a link; what is on its way is lost. Say whether it was up."""
        return self._up.pop(_pair(a, b), None) is not None

    def cut(self, a: int, b: int) -> None:
        """Keep a link from coming up until ``heal``."""
        self._cut[_pair(a, b)] = None

    def is_cut(self, a: int, b: int) -> bool:
        """Say whether a partition keeps the link down."""
        return _pair(a, b) in self._cut

    def mend(self, a: int, b: int) -> None:
        """Allow a link again."""
        self._cut.pop(_pair(a, b), None)

    def heal(self) -> None:
        """Make every line as good as new; links come up by ``connect``."""
        self._cut.clear()
        for line in self.lines.values():
            line.loss = line.duplication = line.clogged_until_ms = 0
            line.reorders = line.blocked = False
            line.delay_ms, line.jitter_ms = min(line.delay_ms, 20), min(line.jitter_ms, 20)

    # Frames

    def arrivals(self, a: int, b: int, now_ms: int, *, consensus: bool) -> list[int]:
        """Return when a frame sent now arrives: never, once, or twice."""
        line, rng = self.lines[a, b], self._rng
        if line.blocked:
            self.faults["blocked one way"] += 1
            return []
        if line.loss and rng.randrange(1000) < line.loss:
            self.faults["frame lost"] += 1
            return []
        start = max(now_ms, line.clogged_until_ms)
        if start > now_ms:
            line.queued += 1
            if consensus and line.queued > QUEUE_FRAMES_MAX:
                self.faults["queue overflow"] += 1
                return []
        first = start + line.delay_ms + (rng.randrange(line.jitter_ms + 1) if line.jitter_ms else 0)
        if not line.reorders:
            first = line.arrival_ms = max(first, line.arrival_ms)
        if line.duplication and rng.randrange(1000) < line.duplication:
            self.faults["frame repeated"] += 1
            return [first, first + rng.randrange(1, 500)]
        return [first]


def _pair(a: int, b: int) -> tuple[int, int]:
    return (a, b) if a < b else (b, a)
