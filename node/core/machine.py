"""The node as a value: every event of links, clients, timers and storage goes in, effects come out.

Law: ``step`` is pure and total. It reads no clock and does no I/O; what a peer sends never raises; a fault of our
own halts it, once, and a halted machine does nothing. What runs in production is what is simulated.

The machine joins the parts, each with a law of its own: what is ordered (``ordering``), what waits for a block
(``pending``), what peers ask for (``serving``), how it catches up (``catch_up``), who its peers are (``registry``).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from coseal.consensus import events as core
from coseal.consensus.application import Executed
from coseal.consensus.replica import Replica
from coseal.contracts.execution import Executor, Outcome, UnknownProtocol
from coseal.contracts.kernel.action import Rejected
from coseal.ledger.block import Block, CommittedBlock
from coseal.ledger.certificates import require_pbft
from coseal.ledger.errors import LedgerError
from coseal.ledger.transaction import Transaction
from coseal.ledger.validators import ValidatorSet
from coseal.node.core import events as shell
from coseal.node.core import health, wire
from coseal.node.core.application import LedgerApplication
from coseal.node.core.catch_up import CatchUp
from coseal.node.core.consistent_reads import OpenReads
from coseal.node.core.context import MachineConfig, MachineContext
from coseal.node.core.events import NodeEffect, NodeEvent, Tick, TickKind
from coseal.node.core.held_sidecars import HeldSidecars
from coseal.node.core.joining import Kept
from coseal.node.core.journal_writer import JournalWriter
from coseal.node.core.mempool import Mempool, MempoolLimits
from coseal.node.core.ordering import Ordering
from coseal.node.core.peer_status import PeerStatusCheck
from coseal.node.core.peers import STATUS_INTERVAL_MS
from coseal.node.core.pending import Pending
from coseal.node.core.registry import Registry
from coseal.node.core.serving import Serving
from coseal.node.core.sidecars import Sidecars
from coseal.node.core.upgrades import Upgrades
from coseal.node.core.verified_cache import VerifiedCache, VerifiedSignatures


class Machine:
    """The core of a node. Read views: ``status``, ``executor``, ``mempool``, ``validators``, ``tip``, ``pins``."""

    def __init__(
        self,
        config: MachineConfig,
        executor: Executor,
        *,
        tip: CommittedBlock | None,
        journal_data: bytes | None,
        verified: VerifiedCache,
        first_height: int = 1,
        kept: Kept | None = None,
        sidecars: Mapping[bytes, int] | None = None,
    ) -> None:
        """Go on from what is on disk: the state after ``tip`` in ``executor``, the journal file's bytes (None: lost).

        ``verified`` is the cache behind ``executor``'s admit. ``first_height`` is the lowest block in the log, ``kept``
        what an earlier process kept of a snapshot, ``sidecars`` the sizes of those on disk, by name.
        """
        config = replace(config, verify=VerifiedSignatures(config.verify).verify)
        self.config = config
        self.executor = executor
        self._context = context = MachineContext(config, executor, verified)
        self._registry = Registry(context)
        held = HeldSidecars(context.emit, sidecars or {})
        self.mempool = Mempool(config.limits, executor.member_of, self._beside)
        self._share_places()
        self._application = LedgerApplication(config.genesis, executor, self.mempool, held)
        self._pending = Pending(context, self.mempool, self._application, self._run, held)
        self._journal = JournalWriter(context, journal_data)
        self._ordering = Ordering(
            context,
            self._application,
            self._journal,
            self._registry,
            self._pending,
            tip=tip,
            behind=self._behind,
            awaits=self._awaits,
            decided=self._decided,
        )
        self._serving = Serving(context, self._journal, self._registry, first_height=first_height)
        self._catch_up = CatchUp(context, self._run, lambda: self._ordering.header_chain, kept)
        self._peer_status = PeerStatusCheck(context, self._catch_up.sync)
        self._reads = OpenReads(config.genesis.chain_id, config.verify)
        self._upgrades = Upgrades(context)
        self._sidecars = Sidecars(
            context,
            held,
            self._pending.apart,
            self.mempool,
            self._registry,
            undecided=self._undecided,
            is_behind=lambda: self._catch_up.sync.is_behind(self.validators.weak_quorum),
            may_erase=lambda: self.replica.standing().silence is None,
        )
        self._started_ms = 0
        self._signer_trouble: str | None = None

    # Read views

    @property
    def validators(self) -> ValidatorSet:
        """The validators of the height being decided."""
        return self.executor.validators

    @property
    def counters(self) -> Counter[str]:
        """What was refused, limited or contained since the start, by code."""
        return self._context.counters

    @property
    def tip(self) -> CommittedBlock | None:
        """The block decided last, None at genesis."""
        return self._ordering.tip

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
        return self._ordering.missing_key

    @property
    def halted(self) -> str | None:
        """Why the machine stopped for good, or None."""
        return self._context.halted

    @property
    def has_executed(self) -> bool:
        """Whether a step executed blocks since the last ``ExecutionTook``: how long that took is to be reported."""
        return self._application.untimed_blocks > 0

    @property
    def answers_reads(self) -> bool:
        """Whether a quorum can be asked for a consistent read."""
        return True

    @property
    def catching_up(self) -> bool:
        """Whether this node executes blocks that others decided before."""
        return self._catch_up.sync.syncing

    @property
    def replica(self) -> Replica:
        """The consensus core, to look at."""
        return self._ordering.replica

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
            standing=self.replica.standing(),
            started_ms=self._started_ms,
            halted=self._context.halted,
            signer_trouble=self._signer_trouble,
            counters=self.counters,
            sidecars=self._sidecars.counts,
        )
        return health.report(view, now_ms)

    def refused_for_room(self, transactions: Sequence[Transaction], now_ms: int) -> dict[bytes, Rejected]:
        """Say, by raw bytes, which of clients' transactions have no place in the pool now, and why (N9)."""
        return self._pending.refused_for_room(transactions, now_ms)

    def may_read_sidecar(self, name: bytes, member: str) -> bool:
        """Say whether the state lists a sidecar as live and a member may read it (N50)."""
        return self._sidecars.may_read(name, member)

    # The one way in

    def step(self, event: NodeEvent, now_ms: int) -> list[NodeEffect]:
        """Handle one event at wall time ``now_ms`` and return what to do, in order."""
        if self._context.halted is not None or self._catch_up.joining.complete:  # N4, Z12
            return []
        self._context.now_ms = now_ms
        try:
            self._handle(event)
        except UnknownProtocol as fault:
            self._context.halt(str(fault), needs_release=True)
        self._pending.report_dropped()
        return self._context.take_effects()

    def _handle(self, event: NodeEvent) -> None:
        match event:
            case shell.Start():
                self._start()
            case shell.PeerConnected(peer):
                self._connected(peer)
            case shell.PeerDisconnected(peer):
                state = self._registry.peers.get(peer)
                if state is not None:
                    state.connected, state.disconnected_ms = False, self._context.now_ms
                self._catch_up.disconnected(peer)
                self._sidecars.disconnected(peer)
            case shell.FrameReceived(peer, message, verified):
                self._received(peer, message, verified)
            case shell.TimerFired(Tick(TickKind.STATUS)):
                self._tick()
            case shell.TimerFired(Tick(TickKind.SIDECARS)):
                self._sidecars.ask(self._holders())
            case shell.TimerFired(Tick()):
                self._catch_up.go_on()
            case shell.TimerFired(core.Timer() as timer):
                self._run(core.TimerExpired(timer))
            case shell.Submitted(transactions, sidecars):
                self._pending.submitted(transactions, sidecars)
            case shell.SidecarLost(name):
                self._sidecars.lost(name)
            case shell.Applied(height):
                self._ordering.applied(height)
            case core.ExecutionTook(duration_ms):
                self._application.took(duration_ms)
                self._run(event)
            case shell.ReadRequested(token):
                self._reads.ask(token, self._context.now_ms)
                self._tip_heard(self.config.node_id, self._tip_reply(token), own=True)
                self._context.emit(shell.BroadcastFrame(wire.TipRequest(token)))
            case shell.OperatorAllowsVoting():
                self._ordering.allow_voting()
            case shell.SignerChanged(trouble):
                self._signer_trouble = trouble  # U11
            case shell.KeyGiven(signer):
                self._pending.take_key(signer)
                self._ordering.take_key(signer)
            case shell.BlocksPruned(first_height):
                self._serving.first_height = first_height

    def _start(self) -> None:
        self._started_ms = self._context.now_ms
        self._journal.start()
        self._context.emit(shell.StartTimer(Tick(TickKind.STATUS), STATUS_INTERVAL_MS))
        self._ordering.start()
        self._upgrades.check(members_changed=True)

    def _connected(self, peer: str) -> None:
        state = self._registry.peers.get(peer)
        if state is None:  # its link came up while the block that removes it was decided
            return
        state.connected, state.reported_ms = True, self._context.now_ms
        self._catch_up.connected(peer)
        self._context.emit(shell.SendFrame(peer, self._ordering.status))
        self._run(core.PeerJoined(peer))

    # Frames

    def _received(self, peer: str, message: wire.WireMessage, verified: bool) -> None:
        """Handle one frame; whatever is wrong with it is counted and changes nothing (N4, N6)."""
        if peer not in self._registry.peers:  # N27
            self._context.count("not_registered")
            return
        try:
            match message:
                case wire.ConsensusMessage(inner):
                    self._ordering.receive(peer, inner, verified)
                case wire.Transactions(raws):
                    self._sidecars.lack(self._pending.gossiped(raws), peer)
                case wire.Status():
                    self._status_received(peer, message)
                case wire.GetBlocks(from_height, limit):
                    self._serving.blocks(peer, from_height, limit)
                case wire.Blocks(from_height, blocks):
                    self._catch_up.received(peer, from_height, blocks)
                case wire.GetBody(_, block_hash):
                    self._serving.body(peer, block_hash, self.tip)
                case wire.Body(block):
                    self._run(core.BlockReceived(block))
                case wire.TipRequest(token):
                    if self._registry.allow(peer, "tip-request"):
                        self._context.emit(shell.SendFrame(peer, self._tip_reply(token)))
                case wire.TipReply():
                    self._tip_heard(peer, message)
                case wire.Pruned(from_height, first_height):
                    self._catch_up.pruned(peer, from_height, first_height)
                case wire.GetSidecars(names):
                    self._sidecars.serve(peer, names)
                case wire.Sidecars(pairs):
                    self._sidecars.received(peer, pairs)
                    self._arrived()
                case wire.GetSnapshot() | wire.GetHeads() | wire.GetItem():
                    self._serving.snapshot(peer, message)
                case wire.Snapshot() | wire.Heads() | wire.Item():
                    self._catch_up.join(peer, message)
                case wire.Hello():
                    self._context.count("unexpected_hello")
        except LedgerError as error:
            self._context.count(f"refused_{type(error).__name__}")

    def _status_received(self, peer: str, status: wire.Status) -> None:
        if not self._registry.allow(peer, "status") or self._catch_up.sync.is_liar(peer, self._context.now_ms):
            return
        fork = self._peer_status.check(peer, status, self.replica.tip)
        if fork is not None:
            self._context.halt(fork)
            return
        self._registry.peers[peer].status_ms = self._context.now_ms
        if status.certificate is not None:
            self._run(core.TipSeen(peer, status.certificate))
        self._catch_up.ask()

    def _tip_reply(self, token: int) -> wire.TipReply:
        certificate = None if self.tip is None else require_pbft(self.tip.certificate)
        return wire.TipReply(token, certificate, self._journal.prepared(self.executor.height + 1))

    def _tip_heard(self, node: str, reply: wire.TipReply, *, own: bool = False) -> None:
        height = self._reads.answer(node, reply, self.validators, self.executor.height, proven=own)
        if height is not None:
            self._context.emit(shell.ReadHeightKnown(reply.token, height))

    # Time

    def _send_own(self) -> None:
        """A node that is caught up, as far as its peers tell, says what the chain has to know of it (N31, N36)."""
        peers = self._registry.peers.values()
        heard = not peers or any(peer.status_ms is not None for peer in peers)
        if heard and not self._catch_up.sync.is_behind(self.validators.weak_quorum):
            self._pending.send_own(self._registry.own, settled=self._sidecars.settled)

    def _gossip_as_follower(self) -> None:
        """N12: who does not vote never waits alone in a round; what waits here for long, others may have lost."""
        age_ms = self.mempool.oldest_age_ms(self._context.now_ms)
        patience_ms = health.PATIENCE_TIMEOUTS * self.config.genesis.parameters.round_timeout_ms
        if age_ms is None or age_ms < patience_ms:
            return
        standing = self.replica.standing()
        if not standing.votes or standing.silence is not None:
            self._pending.gossip_again()

    def _tick(self) -> None:
        self._context.emit(shell.StartTimer(Tick(TickKind.STATUS), STATUS_INTERVAL_MS))
        for peer in self._registry.peers.values():
            peer.used.clear()
            if peer.connected:
                peer.reported_ms = self._context.now_ms
        self._context.emit(shell.BroadcastFrame(self._ordering.status))
        self._pending.tick()
        self._send_own()
        self._gossip_as_follower()
        self._reads.tick(self._context.now_ms)
        self._catch_up.tick()
        self._sidecars.tick()

    # Consensus

    def _run(self, event: core.Event) -> bool:
        """Give the core an event; say whether this node goes on."""
        self._ordering.run(event)
        return self._context.halted is None

    def _awaits(self, block: Block) -> None:
        self._sidecars.await_block(block, self.replica.holders(block.hash))

    def _holders(self) -> Sequence[str]:
        """Return who should hold what the vote of this round waits for, as known by now."""
        awaited = self._sidecars.awaited
        return () if awaited is None else self.replica.holders(awaited)

    def _arrived(self) -> None:
        """Go on with what waited for sidecars that came: transactions, then a vote."""
        self._pending.release()
        block_hash = self._sidecars.take_arrived()
        if block_hash is not None:
            self._run(core.Arrived(block_hash))

    def _undecided(self) -> Iterator[Block]:
        """Yield the bodies above the tip; a journal that was read at the start has those of decided heights as well."""
        yield from self.replica.bodies
        yield from (block for block in self._journal.bodies if block.header.height > self.executor.height)

    def _beside(self, transaction: Transaction) -> int:
        named = self.executor.names(transaction)
        return 0 if named is None else named.size

    def _behind(self) -> None:
        self._catch_up.want_next()

    def _decided(self, executed: Executed) -> None:
        """A block is decided: let go of what is in it, and follow what it changed."""
        outcome: Outcome = executed.result
        beside = sum(map(self._beside, outcome.transactions))
        self.mempool.committed(len(executed.block.raw) + beside, self._context.now_ms)  # N42
        self._context.verified.forget(executed.block.transactions)
        self._catch_up.sync.advanced(outcome.height)
        if outcome.members_changed:
            self._registry.follow()
            self._share_places()
        self._upgrades.check(members_changed=outcome.members_changed)
        self._sidecars.decided(outcome)

    def _share_places(self) -> None:
        """Give this node's clients their part of the pool: one of as many as there are nodes (N10)."""
        if self.config.limits is None:
            self.mempool.limits = MempoolLimits(entry_points=max(1, len(self._registry.pins)))
