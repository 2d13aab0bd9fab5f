"""Answers of nodes that did not verify, kept as they were received; and what proves more than that.

Law: nobody is accused here. That an answer did not verify says only that: its bytes are kept, so that anybody
can judge them, and what verifies when it is judged again is dropped. Only signatures prove a fault, to anybody: two
certified blocks at one height. Everything kept is bounded, and lives as long as the console.
"""

from __future__ import annotations

import contextlib
import secrets
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, Final

from coseal.ledger.errors import LedgerError

KEPT_MAX: Final = 24
KEPT_OF_NODE_MAX: Final = 8
FORKS_MAX: Final = 8
BODY_BYTES_MAX: Final = 1024 * 1024
ASIDE_S: Final = 15.0
ASIDE_S_MAX: Final = 900.0
_REASON_CHARACTERS: Final = 500

Judge = Callable[[], object]
"""Judges the kept bytes once more; raises a ``LedgerError`` if they still do not hold."""


@dataclass(frozen=True, slots=True)
class Doubt:
    """An answer that did not verify: whose, to which question, when, why, and the bytes as they came.

    ``body`` is None where they were more than ``BODY_BYTES_MAX``; ``digest`` (SHA-256) and ``size`` are of all of them.
    ``times`` counts how often the node answered this question so.
    """

    id: str
    node: str
    question: str
    at_ms: int
    reason: str
    body: bytes | None
    size: int
    digest: str
    judge: Judge
    times: int = 1


@dataclass(frozen=True, slots=True)
class Fork:
    """Two certified blocks at one height: the document that anybody can verify, and which members signed both."""

    id: str
    at_ms: int
    height: int
    members: tuple[str, ...]
    node: str
    document: dict[str, Any]


@dataclass(slots=True)
class _Standing:
    """How far a node is doubted: how often in a row, and until when it is asked last (monotonic seconds)."""

    count: int
    until: float
    last: str


class Doubts:
    """What this console keeps; see the module."""

    def __init__(self) -> None:
        self._doubts: dict[str, Doubt] = {}
        self._forks: dict[str, Fork] = {}
        self._standing: dict[str, _Standing] = {}

    def note(self, node: str, question: str, reason: str, body: bytes, judge: Judge) -> None:
        """Keep an answer that did not verify; its node is asked last for a while, longer each time."""
        reason = reason[:_REASON_CHARACTERS]
        known = self._same(node, question, reason)
        times = 1
        if known is not None:
            times = known.times + 1
            del self._doubts[known.id]
        kept = bytes(body) if len(body) <= BODY_BYTES_MAX else None
        digest, now_ms = sha256(body).hexdigest(), time.time_ns() // 1_000_000
        id = secrets.token_urlsafe(8) if known is None else known.id
        self._doubts[id] = Doubt(id, node, question, now_ms, reason, kept, len(body), digest, judge, times)
        self._set_aside(node, id)
        self._bound(node)

    def fork(self, height: int, members: tuple[str, ...], node: str, document: dict[str, Any]) -> Fork:
        """Keep the proof that two blocks were certified at one height; once for each height."""
        for known in self._forks.values():
            if known.height == height:
                return known
        fork = Fork(secrets.token_urlsafe(8), time.time_ns() // 1_000_000, height, members, node, document)
        if len(self._forks) < FORKS_MAX:
            self._forks[fork.id] = fork
        return fork

    def held(self, node: str) -> None:
        """Note that an answer of a node verified: once its time is over, nothing is held against it any more."""
        standing = self._standing.get(node)
        if standing is not None and time.monotonic() >= standing.until:
            del self._standing[node]

    def is_aside(self, node: str) -> bool:
        """Say whether a node is asked last for now."""
        standing = self._standing.get(node)
        return standing is not None and time.monotonic() < standing.until

    def of(self, node: str) -> Doubt | None:
        """Return the newest doubt about a node that has given nothing that verifies since."""
        standing = self._standing.get(node)
        return None if standing is None else self._doubts.get(standing.last)

    def standing(self) -> list[Doubt]:
        """Return the newest doubt about each node that has given nothing that verifies since."""
        return [doubt for node in sorted(self._standing) if (doubt := self.of(node)) is not None]

    def kept(self) -> list[Doubt]:
        """Return all doubts, newest first."""
        return list(reversed(self._doubts.values()))

    def forks(self) -> list[Fork]:
        """Return what is proven, newest first."""
        return list(reversed(self._forks.values()))

    def doubt(self, id: str) -> Doubt | None:
        """Return a kept doubt."""
        return self._doubts.get(id)

    def proven(self, id: str) -> Fork | None:
        """Return a kept proof."""
        return self._forks.get(id)

    def review(self) -> None:
        """Judge all kept answers once more, and drop those that verify by now: they were doubted wrongly."""
        for doubt in self.kept():
            with contextlib.suppress(LedgerError):
                doubt.judge()
                self._drop(doubt)

    def _set_aside(self, node: str, id: str) -> None:
        """Ask a node last from now on: twice as long as the time before, if it had its turn again since."""
        known = self._standing.get(node)
        if known is not None and self.is_aside(node):
            known.last = id
            return
        count = 1 if known is None else known.count + 1
        aside_s = min(ASIDE_S * 2.0 ** min(count - 1, 16), ASIDE_S_MAX)
        self._standing[node] = _Standing(count, time.monotonic() + aside_s, id)

    def _same(self, node: str, question: str, reason: str) -> Doubt | None:
        for one in self._doubts.values():
            if (one.node, one.question, one.reason) == (node, question, reason):
                return one
        return None

    def _drop(self, doubt: Doubt) -> None:
        del self._doubts[doubt.id]
        standing = self._standing.get(doubt.node)
        if standing is not None and standing.last == doubt.id:
            del self._standing[doubt.node]

    def _bound(self, node: str) -> None:
        """Forget the oldest beyond the bounds, of this node first."""
        of_node = [one.id for one in self._doubts.values() if one.node == node]
        for id in of_node[:-KEPT_OF_NODE_MAX]:
            del self._doubts[id]
        for id in list(self._doubts)[:-KEPT_MAX]:
            del self._doubts[id]


def question(path: str, params: Iterable[tuple[str, Any]]) -> str:
    """Return what a node was asked, as one line."""
    query = "&".join(f"{name}={value}" for name, value in params)
    return f"GET {path}" + (f"?{query}" if query else "")
