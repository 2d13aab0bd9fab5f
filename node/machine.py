"""The node as a value: every event of links, clients, timers and storage goes in, effects come out.

Law: ``step`` is pure and total. It reads no clock and does no I/O; what a peer sends never raises; a fault of our
own halts it, once, and a halted machine does nothing. What runs in production is what is simulated.

Effects keep the order in which the core gave them, so a vote stays behind the record that makes it safe to send
(docs/decisions/0007-ordered-effects-and-two-logs.md).
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from consensus import events as core
from consensus.application import Executed
from consensus.messages import Message, encode_message, verify_message
from consensus.replica import Replica
from consensus.rules import ReplicaConfig, Tip
from contracts import governance, membership
from contracts.execution import Executor, Outcome, UnknownProtocol
from contracts.framework import Rejected
from ledger import signing
from ledger.block import CommittedBlock
from ledger.certificate import Certificate
from ledger.errors import BadCertificate, LedgerError
from ledger.genesis import Genesis
from ledger.signing import Signer, Verify
from ledger.state import Change
from ledger.transaction import Transaction
from ledger.validators import ValidatorSet
from node import events as shell
from node import health, wire
from node.admission import VerifiedTransactions
from node.application import LedgerApplication
from node.catch_up import CatchUp
from node.claims import conflict, require_commit
from node.events import NodeEffect, NodeEvent, Tick, TickKind
from node.inquiry import Inquiries
from node.joining import Kept
from node.mempool import Mempool, MempoolLimits
from node.peers import STATUS_INTERVAL_MS
from node.pending import Pending
from node.records import Records
from node.registry import Registry
from node.restart import tip_of
from node.serving import Serving
from node.trail import Trail


@dataclass(frozen=True, slots=True)
class MachineConfig:
    """Who the node is. ``signer`` is None for a node without a consensus key, which only follows.

    ``next_signer`` holds the key that is to replace it, or did already; the epoch says which of them counts.
    ``join_gap_blocks``: so many blocks behind it prefers a snapshot to blocks, 0 only when no peer has the blocks.
    """

    genesis: Genesis
    node_id: str
    signer: Signer | None
    software_version: str = ""
    limits: MempoolLimits | None = None
    verify: Verify = signing.verify
    join_gap_blocks: int = 0
    next_signer: Signer | None = None


class Machine:
    """The pure half of a node. Read views: ``status``, ``executor``, ``mempool``, ``validators``, ``tip``, ``pins``."""

    def __init__(
        self,
        config: MachineConfig,
        executor: Executor,
        *,
        tip: CommittedBlock | None,
        journal_data: bytes | None,
        verified: VerifiedTransactions,
        first_height: int = 1,
        kept: Kept | None = None,
    ) -> None:
        """Go on from what is on disk: the state after ``tip`` in ``executor``, the journal file's bytes (None: lost).

        ``verified`` is the cache behind ``executor``'s admit. ``first_height`` is the lowest block in the log, ``kept``
        what an earlier process kept of a snapshot.
        """
        self.config = config
        self.executor = executor
        self.tip = tip
        self.counters: Counter[str] = Counter()
        self._chain_id = config.genesis.chain_id
        self._registry = Registry(executor, config.node_id, self._emit)
        self.mempool = Mempool(config.limits)
        self._share_doors()
        self._verified = verified
        self._application = LedgerApplication(config.genesis, executor, self.mempool)
        self._pending = Pending(
            executor,
            self.mempool,
            verified,
            self._application,
            self.counters,
            self._emit,
            self._run,
            node_id=config.node_id,
            signers=self._signers,
        )
        self._records = Records(journal_data, self._chain_id, config.node_id, self._emit)
        self._coming = membership.coming(executor.reader)
        self._replica = self._replica_at(tip_of(config.genesis, tip, executor.reader))
        self._serving = Serving(executor, self._records, self._emit, self._allow, first_height=first_height)
        self._catch_up = CatchUp(
            executor,
            self._run,
            self._emit,
            self._count,
            self._trail,
            gap_blocks=config.join_gap_blocks,
            kept=kept,
            verify=config.verify,
        )
        self._inquiries = Inquiries(self._chain_id, config.verify)
        self._announced: dict[str, int] | None = None
        self._unwritten: deque[tuple[int, Change]] = deque()
        self._effects: list[NodeEffect] = []
        self._now_ms = 0
        self._started_ms = 0
        self._halted: str | None = None
        self._signer_trouble: str | None = None

    # Read views

    @property
    def validators(self) -> ValidatorSet:
        """The validators of the height being decided."""
        return self.executor.validators

    @property
    def pins(self) -> tuple[shell.Pin, ...]:
        """All registered nodes and the certificates of their links, as the state has them now."""
        return self._registry.pins

    @property
    def first_height(self) -> int:
        """The lowest block in the log."""
        return self._serving.first_height

    @property
    def missing_key(self) -> bytes | None:
        """The key of this node's seat, now or in the epoch that comes, if it has no signer for it; else None."""
        held = [signer.public_key for signer in self._signers]
        for validators in (self._coming, self.validators):
            index = None if validators is None else validators.index(self.config.node_id)
            if validators is not None and index is not None and validators[index].key not in held:
                return validators[index].key
        return None

    @property
    def _signers(self) -> tuple[Signer, ...]:
        return tuple(one for one in (self.config.signer, self.config.next_signer) if one is not None)

    @property
    def halted(self) -> str | None:
        """Why the machine stopped for good, or None."""
        return self._halted

    @property
    def has_executed(self) -> bool:
        """Whether a step executed blocks since the last ``ExecutionTook``: how long that took is to be told."""
        return self._application.untimed_bytes > 0

    @property
    def catching_up(self) -> bool:
        """Whether this node executes blocks that others decided before."""
        return self._catch_up.sync.syncing

    @property
    def replica(self) -> Replica:
        """The consensus core, to look at."""
        return self._replica

    def status(self, now_ms: int) -> health.NodeStatus:
        """What this node says of itself and the network at ``now_ms``."""
        view = health.View(
            genesis=self.config.genesis,
            node=self.config.node_id,
            software_version=self.config.software_version,
            executor=self.executor,
            tip=self.tip,
            mempool=self.mempool,
            sync=self._catch_up.sync,
            peers=self._registry.peers,
            kind=self._registry.kind,
            standing=self._replica.standing(),
            started_ms=self._started_ms,
            halted=self._halted,
            signer_trouble=self._signer_trouble,
            counters=self.counters,
        )
        return health.report(view, now_ms)

    def no_room(self, transactions: Sequence[Transaction], now_ms: int) -> dict[bytes, Rejected]:
        """Say, by raw bytes, which of clients' transactions have no place in the pool now, and why (N9)."""
        return self._pending.no_room(transactions, now_ms)

    # The one way in

    def step(self, event: NodeEvent, now_ms: int) -> list[NodeEffect]:
        """Handle one event at wall time ``now_ms`` and return what to do, in order."""
        if self._halted is not None or self._catch_up.joining.complete:  # N4, Z12
            return []
        self._now_ms = now_ms
        try:
            self._handle(event)
        except UnknownProtocol as fault:
            self._halt(str(fault), needs_release=True)
        self._pending.tell_dropped()
        effects, self._effects = self._effects, []
        return effects

    def _handle(self, event: NodeEvent) -> None:
        match event:
            case shell.Start():
                self._start()
            case shell.PeerConnected(peer):
                self._connected(peer)
            case shell.PeerDisconnected(peer):
                state = self._registry.peers.get(peer)
                if state is not None:
                    state.connected, state.disconnected_ms = False, self._now_ms
                self._catch_up.disconnected(peer, self._now_ms)
            case shell.FrameReceived(peer, message, verified):
                self._received(peer, message, verified)
            case shell.TimerFired(Tick(kind)):
                self._tick() if kind is TickKind.STATUS else self._catch_up.go_on(self._now_ms)
            case shell.TimerFired(core.Timer() as timer):
                self._run(core.TimerExpired(timer))
            case shell.Submitted(transactions):
                self._pending.submitted(transactions, self._now_ms)
            case shell.Applied(height):
                self._applied(height)
            case core.ExecutionTook(duration_ms):
                self._application.took(duration_ms)
                self._run(event)
            case shell.TipsAsked(token):
                self._inquiries.ask(token, self._now_ms)
                self._tip_heard(self.config.node_id, self._tip_reply(token), own=True)
                self._emit(shell.BroadcastFrame(wire.TipRequest(token)))
            case shell.OperatorAllowsVoting():
                self._allow_voting()
            case shell.SignerHeard(trouble):
                self._signer_trouble = trouble  # U11
            case shell.KeyGiven(signer):
                self._take_key(signer)
            case shell.BlocksPruned(first_height):
                self._serving.first_height = first_height

    def _start(self) -> None:
        self._started_ms = self._now_ms
        self._records.start()
        self._emit(shell.StartTimer(Tick(TickKind.STATUS), STATUS_INTERVAL_MS))
        self._carry_out(self._replica.start(self._now_ms))

    def _connected(self, peer: str) -> None:
        state = self._registry.peers.get(peer)
        if state is None:  # its link came up while the block that removes it was decided
            return
        state.connected, state.told_ms = True, self._now_ms
        self._catch_up.connected(peer)
        self._emit(shell.SendFrame(peer, self._own_status()))
        self._run(core.PeerJoined(peer))

    # Frames

    def _received(self, peer: str, message: wire.WireMessage, verified: bool) -> None:
        """Handle one frame; whatever is wrong with it is counted and changes nothing (N4, N6)."""
        if peer not in self._registry.peers:  # N27
            self._count("not_registered")
            return
        try:
            match message:
                case wire.ConsensusMessage(inner):
                    self._consensus(peer, inner, verified)
                case wire.Transactions(raws):
                    self._pending.gossiped(raws, self._now_ms)
                case wire.Status():
                    self._status_received(peer, message)
                case wire.GetBlocks(from_height, limit):
                    self._serving.blocks(peer, from_height, limit)
                case wire.Blocks(from_height, blocks):
                    self._catch_up.received(peer, from_height, blocks, self._now_ms)
                case wire.GetBody(_, block_hash):
                    self._serving.body(peer, block_hash, self.tip)
                case wire.Body(block):
                    self._run(core.BlockReceived(block))
                case wire.TipRequest(token):
                    if self._allow(peer, "tip-request"):
                        self._emit(shell.SendFrame(peer, self._tip_reply(token)))
                case wire.TipReply():
                    self._tip_heard(peer, message)
                case wire.Pruned(from_height, first_height):
                    self._catch_up.pruned(peer, from_height, first_height, self._now_ms)
                case wire.GetSnapshot() | wire.GetHeads() | wire.GetItem():
                    self._serving.snapshot(peer, message)
                case wire.Snapshot() | wire.Heads() | wire.Item():
                    self._catch_up.join(peer, message, self._now_ms)
                case wire.Hello():
                    self._count("unexpected_hello")
        except LedgerError as error:
            self._count(f"refused_{type(error).__name__}")

    def _consensus(self, peer: str, message: Message, verified: bool) -> None:
        if not verified or message.epoch != self.validators.epoch:
            verify_message(self._chain_id, self._voters(message), message, self.config.verify)
        self._run(core.Received(peer, message))

    def _voters(self, message: Message) -> ValidatorSet:
        """Return who decides, or decided, the height of a message, as far as this node can tell (V1, N28)."""
        if message.height > self.executor.height + 1 and self._coming is not None:
            return self._coming
        if message.height > self.executor.height or message.epoch == self.validators.epoch:
            return self.validators
        return membership.validators_at(self.executor.reader, message.height) or self.validators

    def _status_received(self, peer: str, status: wire.Status) -> None:
        """Believe a tip only as far as its certificate verifies (N17, CVE-2025-24371)."""
        sync = self._catch_up.sync
        if not self._allow(peer, "status") or sync.is_liar(peer, self._now_ms):
            return
        certificate = status.certificate
        if certificate is not None and (fork := self._conflict(certificate)):
            self._halt(fork)
            return
        if certificate is not None and status.height > self.executor.height:
            if certificate.epoch > self.validators.epoch:
                sync.hinted(peer, status.height)
            else:
                try:
                    require_commit(certificate, self._chain_id, self.validators, self.config.verify)
                except BadCertificate:
                    sync.lied(peer, self._now_ms)
                    raise
                sync.proven(peer, status.height)
        else:
            sync.proven(peer, status.height)
        self._registry.peers[peer].status_ms = self._now_ms
        if certificate is not None:
            self._run(core.TipSeen(peer, certificate))
        self._catch_up.ask(self._now_ms)

    def _conflict(self, certificate: Certificate) -> str | None:
        return conflict(certificate, self._replica.tip, self._chain_id, self.config.verify)

    def _trail(self) -> Trail:
        genesis = self.config.genesis
        return Trail(genesis.chain_id, genesis.parameters, self._replica.tip, self.validators)

    def _tip_reply(self, token: int) -> wire.TipReply:
        return wire.TipReply(token, None if self.tip is None else self.tip.certificate, self._records.prepared)

    def _tip_heard(self, node: str, reply: wire.TipReply, *, own: bool = False) -> None:
        height = self._inquiries.answer(node, reply, self.validators, self.executor.height, proven=own)
        if height is not None:
            self._emit(shell.TipsHeard(reply.token, height))

    # Time

    def _say_ready(self) -> None:
        """An observer that is caught up, as far as its peers tell, says so (N31)."""
        heard = any(peer.status_ms is not None for peer in self._registry.peers.values())
        if heard and not self._catch_up.sync.is_behind(self.validators.weak_quorum):
            self._pending.say_ready(self._registry.own, self._now_ms)

    def _gossip_as_follower(self) -> None:
        """N12: who does not vote never waits alone in a round; what waits here for long, others may have lost."""
        age_ms = self.mempool.oldest_age_ms(self._now_ms)
        patience_ms = health.PATIENCE_TIMEOUTS * self.config.genesis.parameters.round_timeout_ms
        if age_ms is None or age_ms < patience_ms:
            return
        standing = self._replica.standing()
        if not standing.votes or standing.silence is not None:
            self._pending.gossip_again()

    def _tick(self) -> None:
        self._emit(shell.StartTimer(Tick(TickKind.STATUS), STATUS_INTERVAL_MS))
        for peer in self._registry.peers.values():
            peer.used.clear()
            if peer.connected:
                peer.told_ms = self._now_ms
        self._emit(shell.BroadcastFrame(self._own_status()))
        self._pending.tick(self._now_ms)
        self._say_ready()
        self._gossip_as_follower()
        self._inquiries.tick(self._now_ms)
        self._catch_up.tick(self._now_ms)

    def _applied(self, height: int) -> None:
        if not self._unwritten or self._unwritten[0][0] != height:
            raise ValueError(f"the state of height {height} was not to be written next")
        self.executor.state.flushed(self._unwritten.popleft()[1])

    def _own_status(self) -> wire.Status:
        tip = self.tip
        if tip is None:
            return wire.Status(0, self._chain_id, None)
        return wire.Status(tip.block.header.height, tip.block.hash, tip.certificate)

    # Consensus

    def _run(self, event: core.Event) -> bool:
        """Give the core an event; say whether this node goes on."""
        self._carry_out(self._replica.step(event, self._now_ms))
        return self._halted is None

    def _carry_out(self, effects: Iterable[core.Effect]) -> None:
        """Translate the core's effects, in order."""
        for effect in effects:
            match effect:
                case core.Persist(core.DecidedRecord(executed, certificate)):
                    self._emit(shell.AppendBlock(CommittedBlock(executed.block, certificate, executed.receipts)))
                case core.Persist(
                    core.SignRecord() | core.BodyRecord() | core.PreparedRecord() | core.RoundRecord() as record
                ):
                    self._records.append(record)
                case core.Broadcast(message):
                    self._emit(shell.BroadcastFrame(wire.ConsensusMessage(message)))
                case core.Send(peer, message):
                    self._emit(shell.SendFrame(peer, wire.ConsensusMessage(message)))
                case core.SendStatus(peer):
                    state = self._registry.peers.get(peer)
                    if state is not None and state.tell(self._now_ms):
                        self._emit(shell.SendFrame(peer, self._own_status()))
                case core.FetchBlock(height, block_hash, peers):
                    self._fetch(height, block_hash, peers)
                case core.Behind():
                    self._catch_up.want_next(self._now_ms)
                case core.StartTimer(timer, delay_ms):
                    self._emit(shell.StartTimer(timer, delay_ms))
                case core.StopTimer(kind):
                    self._emit(shell.StopTimer(kind))
                case core.Decided(executed, certificate):
                    self._decided(executed, certificate)
                case core.GossipPending():
                    self._pending.gossip_again()
                case core.Accuse(node, first, second) as accusation:
                    self._count(f"accused_{node}")
                    self._pending.accuse(accusation)
                    self._emit(shell.Accused(node, encode_message(first), encode_message(second)))
                case core.Halt(reason):
                    self._halt(reason)

    def _decided(self, executed: Executed, certificate: Certificate) -> None:
        """The block is in the log's queue and its state committed in memory: write it, tell it, tidy up (N3)."""
        outcome: Outcome = executed.result
        committed = self.tip = CommittedBlock(executed.block, certificate, executed.receipts)
        height = outcome.height
        self._unwritten.append((height, outcome.change))
        self._emit(shell.ApplyState(height, executed.block.hash, outcome.change))
        self._emit(shell.Published(committed, outcome))
        self.mempool.committed(len(executed.block.raw), self._now_ms)
        self._records.decided(height)
        self._verified.forget(executed.block.transactions)
        self._catch_up.sync.advanced(height)
        self._coming = membership.coming(self.executor.reader)
        if outcome.members_changed:
            self._registry.follow()
            self._share_doors()
        self._mind_the_rules()

    def _mind_the_rules(self) -> None:
        """Stop before the first block under rules that this software lacks; say so when they are decided (A8, N32)."""
        self.executor.require_rules()
        upgrade = governance.upgrade(self.executor.reader)
        known = upgrade is None or self.executor.knows(upgrade["version"])
        if upgrade is not None and not known and upgrade != self._announced:
            text = (
                f"protocol version {upgrade['version']} begins at height {upgrade['first_height']} and this software "
                "does not have it: install a newer release before, or this node stops there"
            )
            self._emit(shell.Noticed("needs_release", text, severe=True))
        self._announced = upgrade

    def _share_doors(self) -> None:
        """Give this node's clients their part of the pool: one of as many as there are nodes (N10)."""
        if self.config.limits is None:
            self.mempool.limits = MempoolLimits(doors=max(1, len(self._registry.pins)))

    def _fetch(self, height: int, block_hash: bytes, peers: tuple[str, ...]) -> None:
        for peer in peers:
            if self._is_connected(peer):
                self._emit(shell.SendFrame(peer, wire.GetBody(height, block_hash)))
                return

    def _allow_voting(self) -> None:
        """An operator vouches for what the lost journal would say: never a step at or below the tip."""
        if self._replica.standing().silence is None:
            self._emit(shell.Noticed("may_vote", "this node may vote already; nothing was changed"))
            return
        self._records.vouch(self.executor.height)
        self._restore()

    def _take_key(self, signer: Signer) -> None:
        """Hold another consensus key beside the present one; the epoch that names it is signed with it."""
        self.config = replace(self.config, next_signer=signer)
        self._pending.take_key(signer)
        self._restore()

    def _restore(self) -> None:
        """Begin the height again from the journal, as after a restart."""
        for kind in core.TimerKind:
            self._emit(shell.StopTimer(kind))
        self._replica = self._replica_at(self._replica.tip)
        self._carry_out(self._replica.start(self._now_ms))

    def _replica_at(self, tip: Tip) -> Replica:
        config = self.config
        settings = ReplicaConfig(
            self._chain_id, config.genesis.parameters, config.node_id, config.signer, config.verify, config.next_signer
        )
        return Replica.restore(settings, self._application, tip, self.validators, self._records.persisted)

    # Small things

    def _halt(self, reason: str, *, needs_release: bool = False) -> None:
        self._halted = reason
        self._emit(shell.Halt(reason, needs_release))

    def _emit(self, effect: NodeEffect) -> None:
        self._effects.append(effect)

    def _count(self, code: str) -> None:
        self.counters[code] += 1

    def _is_connected(self, peer: str) -> bool:
        state = self._registry.peers.get(peer)
        return state is not None and state.connected

    def _allow(self, peer: str, kind: str) -> bool:
        allowed = self._registry.peers[peer].allow(kind)
        if not allowed:
            self._count(f"too_many_{kind}")
        return allowed
