"""What the machine remembers of each peer besides its tip: when it was heard from, and how often it asks.

Law: what one peer can make this node do in a second is bounded.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

# N8: within one second of a peer: statuses we verify, block requests we serve, bodies we send.
ALLOWANCES: Final = {
    "status": 8,
    "get-blocks": 64,
    "get-body": 16,
    "tip-request": 64,
    "get-snapshot": 4,
    "get-heads": 64,
    "get-item": 64,
    "get-sidecars": 64,
}
STATUS_INTERVAL_MS: Final = 1_000  # N16


@dataclass(slots=True)
class Peer:
    """One other node. ``status_ms``, ``reported_ms``: when its last status came, when we last sent it ours."""

    connected: bool = False
    disconnected_ms: int = 0
    status_ms: int | None = None
    reported_ms: int | None = None
    used: dict[str, int] = field(default_factory=dict)

    def allow(self, kind: str) -> bool:
        """Count one request of ``kind`` and say whether it is within this second's allowance."""
        used = self.used.get(kind, 0)
        self.used[kind] = used + 1
        return used < ALLOWANCES[kind]

    def tell(self, now_ms: int) -> bool:
        """Say whether it is time to tell the peer our status again (N16: once a second), and note that we do."""
        if self.reported_ms is not None and 0 <= now_ms - self.reported_ms < STATUS_INTERVAL_MS:
            return False
        self.reported_ms = now_ms
        return True
