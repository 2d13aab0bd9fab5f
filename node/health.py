"""Whether a block can commit here, and if not, why, in words.

Law: health follows from facts the machine holds; nothing is healthy only because the process runs.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final

from consensus.replica import Standing
from ledger.validators import ValidatorSet
from node.peers import Peer

# A validator whose last status is older than this does not count as reachable.
STATUS_AGE_MS_MAX: Final = 5_000
# A pending transaction older than this many timeouts of round 0 means that blocks do not commit.
PATIENCE_TIMEOUTS: Final = 3


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

    ``voting``: whether it may sign; if a validator may not (a lost journal), ``silence`` says why.
    ``why_stalled`` is None when a block can commit. ``counters`` count refused frames and transactions by code,
    accusations among them.
    """

    chain_id: bytes
    node: str
    kind: str
    voting: bool
    silence: str | None
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


@dataclass(frozen=True, slots=True)
class View:
    """The facts that health follows from. ``votes``: this node may sign. ``oldest_pending_ms``: None if none waits."""

    node: str
    validators: ValidatorSet
    votes: bool
    round_timeout_ms: int
    started_ms: int
    peers: Mapping[str, Peer]
    height: int
    target: int
    syncing: bool
    oldest_pending_ms: int | None
    standing: Standing
    halted: str | None


def why_stalled(view: View, now_ms: int) -> str | None:
    """Say why a block could not commit here now, in words; None if it could."""
    if view.halted is not None:
        return f"stopped: {view.halted}"
    if view.syncing:
        return f"catching up: at height {view.height} of {view.target}"
    missing = [seat.id for seat in view.validators.validators if not _counts(view, seat.id, now_ms)]
    lacking = view.validators.quorum - (view.validators.n - len(missing))
    if lacking > 0:
        return f"waiting for {lacking} more of {view.validators.quorum} validators: {_absent(view, missing, now_ms)}"
    age_ms = view.oldest_pending_ms
    if age_ms is not None and age_ms >= PATIENCE_TIMEOUTS * view.round_timeout_ms:
        return f"a transaction has been waiting for {age_ms // 1000} s: {_progress(view.standing)}"
    return None


def peers(view: View, now_ms: int, height_of: Callable[[str], int]) -> tuple[PeerStatus, ...]:
    """Return what is known of every other node, by id."""
    return tuple(
        PeerStatus(
            node=name,
            validator=view.validators.index(name) is not None,
            connected=peer.connected,
            height=height_of(name),
            age_ms=None if peer.status_ms is None else max(0, now_ms - peer.status_ms),
        )
        for name, peer in sorted(view.peers.items())
    )


def _counts(view: View, node: str, now_ms: int) -> bool:
    if node == view.node:
        return view.votes
    peer = view.peers.get(node)
    return peer is not None and peer.status_ms is not None and now_ms - peer.status_ms <= STATUS_AGE_MS_MAX


def _absent(view: View, missing: list[str], now_ms: int) -> str:
    """Say who is missing and for how long: ``bank-a and enterprise-a unreachable since 12 s``."""
    parts: list[str] = []
    others = [node for node in missing if node != view.node]
    if view.node in missing:
        parts.append(f"this node does not vote ({view.standing.silence or 'its key is not the registered one'})")
    if others:
        since = [_last_heard_ms(view, node) for node in others]
        seconds = max(0, now_ms - max(since)) // 1000
        parts.append(f"{_listed(others)} unreachable since {seconds} s")
    return "; ".join(parts)


def _last_heard_ms(view: View, node: str) -> int:
    peer = view.peers.get(node)
    return view.started_ms if peer is None or peer.status_ms is None else peer.status_ms


def _progress(standing: Standing) -> str:
    proposed = "has proposed" if standing.proposed else "has not proposed"
    return (
        f"height {standing.height}, round {standing.round}, the leader {standing.leader} {proposed}, "
        f"{standing.prepares} prepares, {standing.commits} commits and {standing.round_changes} round changes "
        f"of {standing.quorum}"
    )


def _listed(names: list[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
