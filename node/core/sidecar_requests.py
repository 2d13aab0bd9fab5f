"""Which sidecars this node asks its peers for: of whom, how many at once, and when of the next.

Law: an answer counts only from a peer that was asked and has not answered; what one peer refuses or lies about is asked
of the next, at once.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from coseal.contracts.kernel.sidecars import Named

URGENT_MS: Final = 300
PATIENCE_MS: Final = 3_000
AGAIN_MS: Final = 10_000
URGENT_AGAIN_MS: Final = 1_000
"""So long after the last question one that all peers refused is asked for again."""
URGENT_AT_ONCE: Final = 2
AT_ONCE: Final = 8
BYTES_A_SECOND: Final = 16 * 1024 * 1024


@dataclass(slots=True)
class _Wanted:
    """One sidecar. ``peers``: in the order to ask; ``asked``: when each was, until it answers; then ``refused``."""

    named: Named
    peers: list[str]
    urgent: bool
    asked: dict[str, int] = field(default_factory=dict)
    refused: dict[str, None] = field(default_factory=dict)
    asked_ms: int = 0


class SidecarRequests:
    """What is wanted, by name; urgent is what a vote waits for, and is asked for without regard to the bounds."""

    def __init__(self) -> None:
        self._wanted: dict[bytes, _Wanted] = {}
        self._second = self._bytes = 0

    def __contains__(self, name: bytes) -> bool:
        return name in self._wanted

    @property
    def is_urgent(self) -> bool:
        """Whether a vote waits for one."""
        return any(wanted.urgent for wanted in self._wanted.values())

    def want(self, named: Named, peers: Sequence[str], *, urgent: bool = False, again: bool = False) -> None:
        """Ask for a sidecar, of these peers after those given before; if it is urgent, of these first.

        ``again``: also of those who refused it, for they may have it by now.
        """
        wanted = self._wanted.setdefault(named.name, _Wanted(named, [], urgent))
        if urgent:  # N46
            wanted.urgent, wanted.named = True, named
            wanted.peers = [*peers, *(peer for peer in wanted.peers if peer not in peers)]
        else:
            wanted.peers += [peer for peer in peers if peer not in wanted.peers]
        if again:
            wanted.refused.clear()

    def keep_only(self, names: frozenset[bytes]) -> None:
        """Forget what is not wanted any more."""
        self._wanted = {name: wanted for name, wanted in self._wanted.items() if name in names}

    def forget(self, name: bytes) -> None:
        """It is here, or nobody needs it."""
        self._wanted.pop(name, None)

    def answered(self, peer: str, name: bytes) -> Named | None:
        """Note the answer of a peer; return what it was asked for, None if it was not (N41)."""
        wanted = self._wanted.get(name)
        if wanted is None or wanted.asked.pop(peer, None) is None:
            return None
        wanted.refused[peer] = None  # until it turns out that it gave the right one
        return wanted.named

    def disconnected(self, peer: str) -> None:
        """What a peer was asked for will not come."""
        for wanted in self._wanted.values():
            wanted.asked.pop(peer, None)

    def refused_by(self, name: bytes, peers: Sequence[str]) -> bool:
        """Say whether each of these peers, of which there is at least one, said that it has none."""
        wanted = self._wanted.get(name)
        return bool(peers) and wanted is not None and all(peer in wanted.refused for peer in peers)

    def due(self, connected: Sequence[str], now_ms: int) -> dict[str, list[bytes]]:
        """Return whom to ask for what now, and note that it is done."""
        if now_ms // 1_000 != self._second:
            self._second, self._bytes = now_ms // 1_000, 0
        found: dict[str, list[bytes]] = {}
        flying = sum(1 for wanted in self._wanted.values() if wanted.asked and not wanted.urgent)
        for name, wanted in self._wanted.items():
            size = wanted.named.size
            if not wanted.urgent and not wanted.asked and (flying >= AT_ONCE or self._bytes + size > BYTES_A_SECOND):
                continue  # N49
            peer = self._next(wanted, connected, now_ms)
            if peer is not None:
                flying += not wanted.urgent and not wanted.asked
                self._bytes += size
                wanted.asked[peer] = wanted.asked_ms = now_ms
                found.setdefault(peer, []).append(name)
        return found

    def _next(self, wanted: _Wanted, connected: Sequence[str], now_ms: int) -> str | None:
        patience_ms = URGENT_MS if wanted.urgent else PATIENCE_MS
        waiting = [peer for peer, asked_ms in wanted.asked.items() if now_ms - asked_ms < patience_ms]
        if waiting or (
            wanted.urgent and len(wanted.asked) >= URGENT_AT_ONCE and now_ms - wanted.asked_ms < PATIENCE_MS
        ):
            return None
        free = [peer for peer in wanted.peers if peer in connected and peer not in wanted.refused]
        fresh = [peer for peer in free if peer not in wanted.asked]
        again_ms = URGENT_AGAIN_MS if wanted.urgent else AGAIN_MS
        if not free and wanted.refused and now_ms - wanted.asked_ms >= again_ms:
            wanted.refused.clear()
        return next(iter(fresh or free), None)
