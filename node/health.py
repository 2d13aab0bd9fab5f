"""Whether a block can commit here, and if not, why, in words.

Law: health follows from facts the machine holds; nothing is healthy only because the process runs.
"""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class PeerStatus:
    """What we know of one other node. ``age_ms``: since its last frame, None if it was never heard.

    ``height`` is the highest tip it has proven.
    """

    node: str
    validator: bool
    connected: bool
    height: int
    age_ms: int | None


@dataclass(frozen=True, slots=True)
class NodeStatus:
    """A node's view of itself and the network; times in ms, hashes 32 bytes. ``kind``: validator or observer.

    ``voting``: whether it may sign (a validator with a damaged or lost journal may not). ``why_stalled`` is None
    when a block can commit. ``counters`` count refused frames and transactions by code, accusations among them.
    """

    chain_id: bytes
    node: str
    kind: str
    voting: bool
    software_version: str
    protocol_version: int
    height: int
    block_hash: bytes
    state_root: bytes
    time_ms: int
    round: int
    leader: str
    epoch: int
    validators: int
    quorum: int
    peers: tuple[PeerStatus, ...]
    mempool_transactions: int
    mempool_bytes: int
    syncing: bool
    healthy: bool
    why_stalled: str | None
    counters: dict[str, int] = field(default_factory=dict)
