"""Whether a block can commit here, and if not, why, in words.

Law: health follows from facts the machine holds; nothing is healthy only because the process runs.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Protocol

from coseal.consensus.replica import Standing
from coseal.contracts.evidence import actions as evidence
from coseal.contracts.execution import Executor
from coseal.contracts.governance import admissions
from coseal.contracts.governance import versions as governance_versions
from coseal.contracts.kernel import due
from coseal.ledger.block import CommittedBlock
from coseal.ledger.genesis import Genesis
from coseal.ledger.validators import ValidatorSet
from coseal.node.core.live_sidecars import NO_SIDECARS, SidecarCounts
from coseal.node.core.mempool import Mempool
from coseal.node.core.peers import Peer

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
class Upgrade:
    """A protocol version that governance accepted by ``proposal`` for ``height`` or later; ``known``: it is here.

    ``having`` and ``lacking`` it are validators, ``needed`` must have it. ``first_height`` is where it takes effect,
    None while it waits for them.
    """

    version: int
    height: int
    proposal: str
    first_height: int | None
    having: tuple[str, ...]
    lacking: tuple[str, ...]
    needed: int
    known: bool


@dataclass(frozen=True, slots=True)
class NodeStatus:
    """A node's view of itself and the network; times in ms, hashes 32 bytes.

    ``kind``: validator, observer, or unregistered (as far as its own state knows).

    ``voting``: whether it may sign; if a validator may not (journal lost, signer away, key replaced), ``silence`` says
    why. ``upgrade`` are the next rules, if they are decided; ``contracts`` those of others that are in force
    (``in_force``) or accepted, each with whether it is here (``known``).
    ``why_stalled`` is None when a block can commit. ``counters`` count refused frames and transactions by code,
    accusations among them; ``evidence`` is how many proofs the chain holds against each validator that has any;
    ``faults`` is how many exceptions of contracts this node contained since it started, ``aside`` how many due things
    the chain set aside for one and still has to do; ``member_steps`` is what each member's transactions took lately,
    in steps: who took least comes first (N13). ``sidecars``: how many are live, and how many of them are here (N49).
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
    upgrade: Upgrade | None = None
    contracts: tuple[dict[str, Any], ...] = ()
    counters: dict[str, int] = field(default_factory=dict)
    evidence: dict[str, int] = field(default_factory=dict)
    faults: int = 0
    aside: int = 0
    member_steps: dict[str, int] = field(default_factory=dict)
    sidecars: SidecarCounts = NO_SIDECARS


class Following(Protocol):
    """How far this node is behind, and what its peers have proven."""

    @property
    def target(self) -> int:
        """The height it is on its way to."""
        ...

    def is_behind(self, weak_quorum: int) -> bool:
        """Whether it is catching up."""
        ...

    def claimed_by(self, count: int) -> int:
        """The height that so many peers claim to have."""
        ...

    def peer_height(self, peer: str) -> int:
        """The highest tip that a peer has proven."""
        ...


@dataclass(frozen=True, slots=True)
class View:
    """The parts of a node from which its status follows; nothing here changes them."""

    genesis: Genesis
    node: str
    kind: str
    software_version: str
    executor: Executor
    tip: CommittedBlock | None
    mempool: Mempool
    sync: Following
    peers: Mapping[str, Peer]
    standing: Standing
    started_ms: int
    halted: str | None
    signer_trouble: str | None
    counters: Mapping[str, int]
    sidecars: SidecarCounts = NO_SIDECARS
    ordered_by: str = ""
    """Who orders the blocks, if it is not the node itself."""

    @property
    def validators(self) -> ValidatorSet:
        """The validators of the height being decided."""
        return self.executor.validators

    @property
    def votes(self) -> bool:
        """Whether this node may sign."""
        return self.standing.votes and self.silence is None

    @property
    def silence(self) -> str | None:
        """Why a validator signs nothing, or None."""
        if not self.standing.votes and self.kind == "validator":
            return "the chain registers another key than this node has; put it into the file of consensus_key_next"
        return self.standing.silence or (self.signer_trouble if self.standing.votes else None)

    @property
    def is_behind(self) -> bool:
        """Whether this node is catching up."""
        return self.sync.is_behind(self.validators.weak_quorum)

    @property
    def upgrade(self) -> Upgrade | None:
        """The rules that are accepted and not in force yet."""
        found = governance_versions.upgrade(self.executor.reader, self.executor.height)
        if found is None:
            return None
        nodes = {name: tuple(found[name]) for name in ("having", "lacking")}
        return Upgrade(**{**found, **nodes}, known=self.executor.knows(found["version"]))


def report(view: View, now_ms: int) -> NodeStatus:
    """Return the node's status at ``now_ms``."""
    executor, standing, validators = view.executor, view.standing, view.validators
    stalled = why_stalled(view, now_ms)
    return NodeStatus(
        chain_id=view.genesis.chain_id,
        node=view.node,
        kind=view.kind,
        voting=view.votes,
        silence=view.silence,
        software_version=view.software_version,
        protocol_version=executor.protocol_version,
        height=executor.height,
        block_hash=view.genesis.chain_id if view.tip is None else view.tip.block.hash,
        state_root=executor.state.root,
        time_ms=executor.time_ms,
        round=standing.round,
        leader=standing.leader,
        epoch=validators.epoch,
        validators=validators.n,
        quorum=validators.quorum,
        peers=_peers(view, now_ms),
        mempool_transactions=len(view.mempool),
        mempool_bytes=view.mempool.size_bytes,
        syncing=view.is_behind,
        healthy=stalled is None,
        why_stalled=stalled,
        upgrade=view.upgrade,
        contracts=_contracts(executor),
        counters=dict(sorted(view.counters.items())),
        evidence=evidence.counts(executor.reader),
        faults=view.counters.get("contract_fault", 0),
        aside=due.waiting(executor.reader),
        member_steps=view.mempool.turns.lately(),
        sidecars=view.sidecars,
    )


def _contracts(executor: Executor) -> tuple[dict[str, Any], ...]:
    present = [{**each, "in_force": True} for each in admissions.in_force(executor.reader)]
    coming = [{**each, "in_force": False} for each in admissions.admissions(executor.reader)]
    return tuple(
        {**each, "known": executor.offers(each["name"], each["version"], each["sha256"])} for each in present + coming
    )


def why_stalled(view: View, now_ms: int) -> str | None:  # N39
    """Say why a block could not commit here now, in words; None if it could."""
    validators = view.validators
    if view.halted is not None:
        return f"stopped: {view.halted}"
    if view.is_behind:
        goal = max(view.sync.target, view.sync.claimed_by(validators.weak_quorum))
        return f"catching up: at height {view.executor.height} of {goal}"
    missing = [seat.id for seat in validators.validators if not _counts(view, seat.id, now_ms)]
    lacking = validators.quorum - (validators.n - len(missing))
    if lacking > 0 and view.kind == "unregistered":
        return f"this node is not registered at height {view.executor.height}, and reaches too few that could tell more"
    if lacking > 0:
        return f"waiting for {lacking} more of {validators.quorum} validators: {_absent(view, missing, now_ms)}"
    age_ms = view.mempool.overdue_ms(now_ms)
    if age_ms is not None and age_ms >= PATIENCE_TIMEOUTS * view.genesis.parameters.round_timeout_ms:
        return f"a transaction has been waiting for {age_ms // 1000} s: {_progress(view)}"
    return None


def _peers(view: View, now_ms: int) -> tuple[PeerStatus, ...]:
    return tuple(
        PeerStatus(
            node=name,
            validator=view.validators.index(name) is not None,
            connected=peer.connected,
            height=view.sync.peer_height(name),
            age_ms=None if peer.status_ms is None else max(0, now_ms - peer.status_ms),
        )
        for name, peer in sorted(view.peers.items())
    )


def _counts(view: View, node: str, now_ms: int) -> bool:
    if node == view.node:
        return view.votes
    peer = view.peers.get(node)
    return peer is not None and peer.status_ms is not None and abs(now_ms - peer.status_ms) <= STATUS_AGE_MS_MAX


def _absent(view: View, missing: list[str], now_ms: int) -> str:
    """Say who is missing and for how long: ``bank-a and enterprise-a unreachable since 12 s``."""
    parts: list[str] = []
    others = [node for node in missing if node != view.node]
    if view.node in missing:
        parts.append(f"this node does not vote ({view.silence or 'its key is not the registered one'})")
    if others:
        since = [_last_heard_ms(view, node) for node in others]
        seconds = max(0, now_ms - max(since)) // 1000
        parts.append(f"{_listed(others)} unreachable since {seconds} s")
    return "; ".join(parts)


def _last_heard_ms(view: View, node: str) -> int:
    peer = view.peers.get(node)
    return view.started_ms if peer is None or peer.status_ms is None else peer.status_ms


def _progress(view: View) -> str:
    standing = view.standing
    if view.ordered_by:
        return f"height {standing.height} is being ordered by {view.ordered_by}, whose log says how far it is"
    proposed = "has proposed" if standing.proposed else "has not proposed"
    return (
        f"height {standing.height}, round {standing.round}, the leader {standing.leader} {proposed}, "
        f"{standing.prepares} prepares, {standing.commits} commits and {standing.round_changes} round changes "
        f"of {standing.quorum}"
    )


def _listed(names: list[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
