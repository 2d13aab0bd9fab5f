"""The node as a value: every event of links, clients, timers and storage goes in, effects come out.

Law: ``step`` is pure and total. It reads no clock and does no I/O; what a peer sends never raises; a fault of our
own halts it, once, and a halted machine does nothing. What runs in production is what is simulated.

Effects keep the order in which the core gave them, so a vote stays behind the record that makes it safe to send
(docs/decisions/0007-ordered-effects-and-two-logs.md).
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from consensus import events as core
from consensus.application import Executed
from consensus.messages import Message, encode_message, verify_message
from consensus.persisted import JournalRecord, Persisted
from consensus.replica import Replica
from consensus.rules import ReplicaConfig, Tip
from contracts.execution import Executor, Outcome, UnknownProtocol
from ledger import signing
from ledger.block import Block, CommittedBlock
from ledger.certificate import Certificate
from ledger.errors import BadCertificate, LedgerError
from ledger.genesis import Genesis
from ledger.signing import Signer, Verify
from ledger.state import Change
from ledger.transaction import Transaction
from ledger.validators import ValidatorSet
from node import events as shell
from node import health, journal, wire
from node.admission import VerifiedTransactions
from node.application import LedgerApplication
from node.claims import conflict, require_commit
from node.events import Admission, Answer, NodeEffect, NodeEvent, Tick, TickKind
from node.evidence import Reporter
from node.inquiry import Inquiries
from node.intake import Intake
from node.joining import Answer as JoinAnswer
from node.joining import Joining, Kept, Question
from node.mempool import Mempool, MempoolLimits
from node.peers import STATUS_INTERVAL_MS, Peer
from node.restart import tip_of
from node.sync import Sync
from node.trail import Trail

RECHECK: Final = 256
# How much catching up one step may do before other events get their turn.
CATCH_UP_TRANSACTIONS: Final = 1_000
_FOLLOWS: Final = "this node only follows until it cannot contradict what it may have signed; no file is touched"
_ABOUT_JOURNAL: Final = {
    journal.Verdict.TORN: ("a crash cut the journal's last record short; it was not yet relied upon", False),
    journal.Verdict.DAMAGED: (f"the journal is damaged before its end, or of another node or chain: {_FOLLOWS}", True),
    journal.Verdict.MISSING: (f"there is no journal: {_FOLLOWS}", True),
}


@dataclass(frozen=True, slots=True)
class MachineConfig:
    """Who the node is. ``signer`` is None for a node without a consensus key, which only follows.

    ``join_gap_blocks``: so many blocks behind it prefers a snapshot to blocks, 0 only when no peer has the blocks.
    """

    genesis: Genesis
    node_id: str
    signer: Signer | None
    software_version: str = ""
    limits: MempoolLimits | None = None
    verify: Verify = signing.verify
    join_gap_blocks: int = 0


class Machine:
    """The pure half of a node. Read views: ``status``, ``executor``, ``mempool``, ``validators``, ``tip``."""

    def __init__(
        self,
        config: MachineConfig,
        executor: Executor,
        *,
        tip: CommittedBlock | None,
        journal_data: bytes | None,
        verified: VerifiedTransactions,
        tip_validators: ValidatorSet | None = None,
        first_height: int = 1,
        kept: Kept | None = None,
    ) -> None:
        """Go on from what is on disk: the state after ``tip`` in ``executor``, the journal file's bytes (None: lost).

        ``tip_validators`` signed the tip; needed only if they are neither the next height's nor genesis's.
        ``verified`` is the cache behind ``executor``'s admit. ``first_height`` is the lowest block in the log, ``kept``
        what an earlier process kept of a snapshot.
        """
        self.config = config
        self.executor = executor
        self.mempool = Mempool(config.limits or MempoolLimits(doors=max(1, len(config.genesis.nodes))))
        self.tip = tip
        self.counters: Counter[str] = Counter()
        self._chain_id = config.genesis.chain_id
        self._verified = verified
        self._intake = Intake(executor, self.mempool, verified, self.counters)
        self._reporter = Reporter(executor, self.mempool, config.node_id, config.signer)
        self._application = LedgerApplication(config.genesis, executor, self.mempool)
        loaded = journal.load(journal_data, self._chain_id, config.node_id)
        self._journal, self._verdict, self._entitled = loaded.journal, loaded.verdict, loaded.entitles
        voters = (tip_validators, executor.validators, config.genesis.validators)
        self._replica = self._replica_at(tip_of(config.genesis, tip, voters), self._journal.persisted)
        self.first_height = first_height
        self._sync = Sync(executor.height)
        self._joining = Joining(
            self._sync,
            self._trail,
            self._emit,
            gap_blocks=config.join_gap_blocks,
            kept=kept,
            verify=config.verify,
        )
        self._peers: dict[str, Peer] = {node.id: Peer() for node in config.genesis.nodes if node.id != config.node_id}
        self._inquiries = Inquiries(self._chain_id, config.verify)
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
    def halted(self) -> str | None:
        """Why the machine stopped for good, or None."""
        return self._halted

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
            sync=self._sync,
            peers=self._peers,
            standing=self._replica.standing(),
            started_ms=self._started_ms,
            halted=self._halted,
            signer_trouble=self._signer_trouble,
            counters=self.counters,
        )
        return health.report(view, now_ms)

    # The one way in

    def step(self, event: NodeEvent, now_ms: int) -> list[NodeEffect]:
        """Handle one event at wall time ``now_ms`` and return what to do, in order."""
        if self._halted is not None or self._joining.complete:  # N4, Z12
            return []
        self._now_ms = now_ms
        try:
            self._handle(event)
        except UnknownProtocol as fault:
            self._halt(str(fault))
        self._tell_dropped()
        effects, self._effects = self._effects, []
        return effects

    def _handle(self, event: NodeEvent) -> None:
        match event:
            case shell.Start():
                self._start()
            case shell.PeerConnected(peer):
                self._connected(peer)
            case shell.PeerDisconnected(peer):
                state = self._peer(peer)
                state.connected, state.disconnected_ms = False, self._now_ms
                self._sync.disconnected(peer)
                self._joining.snapshots.disconnected(peer)
                self._ask()
            case shell.FrameReceived(peer, message, verified):
                self._received(peer, message, verified)
            case shell.TimerFired(Tick(kind)):
                self._tick() if kind is TickKind.STATUS else self._catch_up()
            case shell.TimerFired(core.Timer() as timer):
                self._run(core.TimerExpired(timer))
            case shell.Submitted(transactions):
                self._submitted(transactions)
            case shell.Applied(height):
                self._applied(height)
            case core.ExecutionTook():
                self._run(event)
            case shell.TipsAsked(token):
                self._inquiries.ask(token, self._now_ms)
                self._tip_heard(self.config.node_id, self._tip_reply(token))
                self._emit(shell.BroadcastFrame(wire.TipRequest(token)))
            case shell.OperatorAllowsVoting():
                self._allow_voting()
            case shell.SignerHeard(trouble):
                self._signer_trouble = trouble  # U11
            case shell.BlocksPruned(first_height):
                self.first_height = first_height

    def _start(self) -> None:
        self._started_ms = self._now_ms
        if self._verdict is not journal.Verdict.INTACT:
            self._emit(shell.Noticed(f"journal_{self._verdict.value}", *_ABOUT_JOURNAL[self._verdict]))
        if self._verdict is journal.Verdict.TORN:
            self._emit(shell.ReplaceJournal(self._journal.rewrite()))
        self._emit(shell.StartTimer(Tick(TickKind.STATUS), STATUS_INTERVAL_MS))
        self._carry_out(self._replica.start(self._now_ms))

    def _connected(self, peer: str) -> None:
        self._peer(peer).connected = True
        self._sync.connected(peer)
        self._joining.snapshots.connected(peer)
        self._peer(peer).told_ms = self._now_ms
        self._emit(shell.SendFrame(peer, self._own_status()))
        self._run(core.PeerJoined(peer))

    # Frames

    def _received(self, peer: str, message: wire.WireMessage, verified: bool) -> None:
        """Handle one frame; whatever is wrong with it is counted and changes nothing (N4, N6)."""
        try:
            match message:
                case wire.ConsensusMessage(inner):
                    self._consensus(peer, inner, verified)
                case wire.Transactions(raws):
                    if self._intake.gossiped(raws, self._now_ms):
                        self._run(core.WorkArrived())
                case wire.Status():
                    self._status_received(peer, message)
                case wire.GetBlocks(from_height, limit):
                    self._serve_blocks(peer, from_height, limit)
                case wire.Blocks(from_height, blocks):
                    if not self._sync.received(peer, from_height, blocks, self._now_ms):
                        self._count("unasked_blocks")
                    self._catch_up()
                case wire.GetBody(_, block_hash):
                    self._serve_body(peer, block_hash)
                case wire.Body(block):
                    self._run(core.BlockReceived(block))
                case wire.TipRequest(token):
                    if self._allow(peer, "tip-request"):
                        self._emit(shell.SendFrame(peer, self._tip_reply(token)))
                case wire.TipReply():
                    self._tip_heard(peer, message)
                case wire.Pruned(from_height, first_height):
                    self._sync.pruned(peer, from_height, first_height)
                    self._ask()
                case wire.GetSnapshot() | wire.GetHeads() | wire.GetItem():
                    self._serve_snapshot(peer, message)
                case wire.Snapshot() | wire.Heads() | wire.Item():
                    self._join(peer, message)
                case wire.Hello():
                    self._count("unexpected_hello")
        except LedgerError as error:
            self._count(f"refused_{type(error).__name__}")

    def _consensus(self, peer: str, message: Message, verified: bool) -> None:
        if not verified or message.epoch != self.validators.epoch:
            verify_message(self._chain_id, self.validators, message, self.config.verify)
        self._run(core.Received(peer, message))

    def _status_received(self, peer: str, status: wire.Status) -> None:
        """Believe a tip only as far as its certificate verifies (N17, CVE-2025-24371)."""
        state = self._peer(peer)
        if not self._allow(peer, "status") or self._sync.is_liar(peer, self._now_ms):
            return
        certificate = status.certificate
        if certificate is not None and (fork := self._conflict(certificate)):
            self._halt(fork)
            return
        if certificate is not None and status.height > self.executor.height:
            if certificate.epoch > self.validators.epoch:
                self._sync.hinted(peer, status.height)
            else:
                try:
                    require_commit(certificate, self._chain_id, self.validators, self.config.verify)
                except BadCertificate:
                    self._sync.lied(peer, self._now_ms)
                    raise
                self._sync.proven(peer, status.height)
        else:
            self._sync.proven(peer, status.height)
        state.status_ms = self._now_ms
        if certificate is not None:
            self._run(core.TipSeen(peer, certificate))
        self._ask()

    def _conflict(self, certificate: Certificate) -> str | None:
        return conflict(certificate, self._replica.tip, self._chain_id, self.config.verify)

    def _serve_blocks(self, peer: str, from_height: int, limit: int) -> None:
        if not self._allow(peer, "get-blocks"):
            return
        available = min(limit, wire.MAX_BLOCKS, self.executor.height - from_height + 1)
        if from_height < self.first_height:  # Z10
            self._emit(shell.SendFrame(peer, wire.Pruned(from_height, self.first_height)))
        elif available > 0:
            self._emit(shell.LoadBlocks(peer, from_height, available))
        else:
            self._emit(shell.SendFrame(peer, wire.Blocks(from_height, ())))

    def _serve_snapshot(self, peer: str, question: Question) -> None:
        match question:
            case wire.GetSnapshot():
                if self._allow(peer, "get-snapshot"):
                    self._emit(shell.LoadSnapshot(peer))
            case wire.GetItem(height, item):
                if self._allow(peer, "get-item"):
                    self._emit(shell.LoadItem(peer, height, item))
            case wire.GetHeads(from_height, limit):
                if self._allow(peer, "get-heads"):
                    available = min(limit, wire.MAX_HEADS, self.executor.height - from_height + 1)
                    self._emit(shell.LoadHeads(peer, from_height, max(0, available)))

    def _join(self, peer: str, answer: JoinAnswer) -> None:
        if self._sync.is_liar(peer, self._now_ms):
            self._count("unasked_snapshot")
        else:
            self._joining.received(peer, answer, self._now_ms)

    def _trail(self) -> Trail:
        genesis = self.config.genesis
        return Trail(genesis.chain_id, genesis.parameters, self._replica.tip, self.validators)

    def _serve_body(self, peer: str, block_hash: bytes) -> None:
        """Send a block that a quorum relied on this node to hold: of the height in progress, or just decided."""
        block = self._journal.body(block_hash)
        if block is None and self.tip is not None and self.tip.block.hash == block_hash:
            block = self.tip.block
        if block is not None and self._allow(peer, "get-body"):
            self._emit(shell.SendFrame(peer, wire.Body(block)))

    def _tip_reply(self, token: int) -> wire.TipReply:
        return wire.TipReply(token, None if self.tip is None else self.tip.certificate, self._journal.prepared)

    def _tip_heard(self, node: str, reply: wire.TipReply) -> None:
        index = self.validators.index(node)
        if index is not None:
            height = self._inquiries.answer(index, reply, self.validators, self.executor.height)
            if height is not None:
                self._emit(shell.TipsHeard(reply.token, height))

    # Transactions

    def _submitted(self, transactions: tuple[Transaction, ...]) -> None:
        """Take clients' transactions and pass the new ones on before they are ordered (N12, Fabric #4438)."""
        answers, fresh = self._intake.submit(transactions, self._now_ms)
        self._emit(shell.Answered(answers))
        self._pass_on(fresh)

    def _report(self) -> None:
        """Send the chain what we can prove against validators, as we send a client's transactions."""
        for report in self._reporter.tick(self._intake.block_time_ms(self._now_ms)):
            answers, fresh = self._intake.submit((report,), self._now_ms)
            self._reporter.told(report, answers[0])
            self._pass_on(fresh)

    def _pass_on(self, fresh: list[bytes]) -> None:
        for frame in wire.pack_transactions(fresh):
            self._emit(shell.BroadcastFrame(frame))
        if fresh:
            self._run(core.WorkArrived())

    def _gossip_as_follower(self) -> None:
        """N12: who does not vote never waits alone in a round; what waits here for long, others may have lost."""
        age_ms = self.mempool.oldest_age_ms(self._now_ms)
        patience_ms = health.PATIENCE_TIMEOUTS * self.config.genesis.parameters.round_timeout_ms
        if age_ms is None or age_ms < patience_ms:
            return
        standing = self._replica.standing()
        if not standing.votes or standing.silence is not None:
            self._gossip_again()

    def _gossip_again(self) -> None:
        for frame in self._intake.gossip_again():
            self._emit(shell.BroadcastFrame(frame))

    def _tell_dropped(self) -> None:
        dropped = self._application.take_dropped()
        if dropped:
            answers = tuple(Answer(tx.id, Admission.REJECTED, rejected) for tx, rejected in dropped)
            self._emit(shell.Dropped(answers))

    # Synchronisation and time

    def _tick(self) -> None:
        self._emit(shell.StartTimer(Tick(TickKind.STATUS), STATUS_INTERVAL_MS))
        for peer in self._peers.values():
            peer.used.clear()
            if peer.connected:
                peer.told_ms = self._now_ms
        self._emit(shell.BroadcastFrame(self._own_status()))
        block_time_ms = self._intake.block_time_ms(self._now_ms)
        self._application.expire(block_time_ms)
        self._application.recheck(block_time_ms, RECHECK)
        self._report()
        self._gossip_as_follower()
        self._inquiries.tick(self._now_ms)
        self._sync.tick(self._now_ms)
        self._joining.tick(self._now_ms)
        self._catch_up()

    def _catch_up(self) -> None:
        """Execute what was fetched for the next heights, then ask for more (N19)."""
        room = CATCH_UP_TRANSACTIONS
        while self._halted is None and (fetched := self._sync.next_block()) is not None:
            if room <= 0:
                self._emit(shell.StartTimer(Tick(TickKind.CATCH_UP), 0))
                break
            room -= 50 + self._try_block(fetched.block, fetched.certificate)
        self._ask()

    def _try_block(self, block_raw: bytes, certificate_raw: bytes) -> int:
        """Offer a fetched block to the core; return its number of transactions, 0 if it was refused."""
        before = self.executor.height
        try:
            block, certificate = Block.decode(block_raw), Certificate.decode(certificate_raw)
            self._run(core.CertifiedBlock(block, certificate))
            if self.executor.height > before or self._halted is not None:
                return block.header.tx_count
        except LedgerError as error:
            self._count(f"refused_block_{type(error).__name__}")
        liar = self._sync.refused(self._now_ms)
        self._count("refused_blocks")
        self._emit(shell.Noticed("bad_block", f"{liar} sent a wrong block for height {before + 1}; others are asked"))
        return 0

    def _ask(self) -> None:
        self._joining.consider(self._now_ms)
        if self._joining.replaces_blocks(self._now_ms):
            return
        for request in self._sync.requests(self._now_ms):
            self._emit(shell.SendFrame(request.peer, wire.GetBlocks(request.from_height, request.limit)))

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

    def _run(self, event: core.Event) -> None:
        self._carry_out(self._replica.step(event, self._now_ms))

    def _carry_out(self, effects: Iterable[core.Effect]) -> None:
        """Translate the core's effects, in order."""
        for effect in effects:
            match effect:
                case core.Persist(core.DecidedRecord(executed, certificate)):
                    self._emit(shell.AppendBlock(CommittedBlock(executed.block, certificate, executed.receipts)))
                case core.Persist(
                    core.SignRecord() | core.BodyRecord() | core.PreparedRecord() | core.RoundRecord() as record
                ):
                    self._append(record)
                case core.Broadcast(message):
                    self._emit(shell.BroadcastFrame(wire.ConsensusMessage(message)))
                case core.Send(peer, message):
                    self._emit(shell.SendFrame(peer, wire.ConsensusMessage(message)))
                case core.SendStatus(peer):
                    if self._peer(peer).tell(self._now_ms):
                        self._emit(shell.SendFrame(peer, self._own_status()))
                case core.FetchBlock(height, block_hash, peers):
                    self._fetch(height, block_hash, peers)
                case core.Behind():
                    self._sync.want_next()
                    self._ask()
                case core.StartTimer(timer, delay_ms):
                    self._emit(shell.StartTimer(timer, delay_ms))
                case core.StopTimer(kind):
                    self._emit(shell.StopTimer(kind))
                case core.Decided(executed, certificate):
                    self._decided(executed, certificate)
                case core.GossipPending():
                    self._gossip_again()
                case core.Accuse(node, first, second) as accusation:
                    self._count(f"accused_{node}")
                    self._reporter.accuse(accusation)
                    self._emit(shell.Accused(node, encode_message(first), encode_message(second)))
                case core.Halt(reason):
                    self._halt(reason)

    def _append(self, record: JournalRecord) -> None:
        """Write a record. A lost or damaged file stays as it is until the node signs again, then begins anew (N25)."""
        data = self._journal.append(record)
        begins = not self._entitled and isinstance(record, core.SignRecord)
        self._entitled = self._entitled or begins
        if begins or (self._entitled and self._journal.overgrown):
            self._emit(shell.ReplaceJournal(self._journal.rewrite()))
        elif self._entitled and data:
            self._emit(shell.Append(data))

    def _decided(self, executed: Executed, certificate: Certificate) -> None:
        """The block is in the log's queue and its state committed in memory: write it, tell it, tidy up (N3)."""
        outcome: Outcome = executed.result
        committed = self.tip = CommittedBlock(executed.block, certificate, executed.receipts)
        height = outcome.height
        self._unwritten.append((height, outcome.change))
        self._emit(shell.ApplyState(height, executed.block.hash, outcome.change))
        self._emit(shell.Published(committed, outcome))
        replacement = self._journal.decided(height)
        if replacement is not None and self._entitled:
            self._emit(shell.ReplaceJournal(replacement))
        self._verified.forget(executed.block.transactions)
        self._sync.advanced(height)

    def _fetch(self, height: int, block_hash: bytes, peers: tuple[str, ...]) -> None:
        for peer in peers:
            if self._peer(peer).connected:
                self._emit(shell.SendFrame(peer, wire.GetBody(height, block_hash)))
                return

    def _allow_voting(self) -> None:
        """An operator vouches for what the lost journal would say: never a step at or below the tip."""
        if self._replica.standing().silence is None:
            self._emit(shell.Noticed("may_vote", "this node may vote already; nothing was changed"))
            return
        self._entitled = True
        self._emit(shell.ReplaceJournal(self._journal.raise_floor(self.executor.height)))
        for kind in core.TimerKind:
            self._emit(shell.StopTimer(kind))
        self._replica = self._replica_at(self._replica.tip, self._journal.persisted)
        self._carry_out(self._replica.start(self._now_ms))

    def _replica_at(self, tip: Tip, persisted: Persisted) -> Replica:
        config = self.config
        settings = ReplicaConfig(
            self._chain_id, config.genesis.parameters, config.node_id, config.signer, config.verify
        )
        return Replica.restore(settings, self._application, tip, self.validators, persisted)

    # Small things

    def _halt(self, reason: str) -> None:
        self._halted = reason
        self._emit(shell.Halt(reason))

    def _emit(self, effect: NodeEffect) -> None:
        self._effects.append(effect)

    def _count(self, code: str) -> None:
        self.counters[code] += 1

    def _peer(self, peer: str) -> Peer:
        return self._peers.setdefault(peer, Peer())

    def _allow(self, peer: str, kind: str) -> bool:
        allowed = self._peer(peer).allow(kind)
        if not allowed:
            self._count(f"too_many_{kind}")
        return allowed
