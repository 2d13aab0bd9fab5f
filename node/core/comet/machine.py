"""The node as a value on a chain that CometBFT orders: what CometBFT asks goes in, what it is answered comes out.

Law: ``step`` is pure and total. An answer is an effect, so it leaves after the writes before it (N1, M10). An answer is
right for the state it was asked at; a question that is refused changes nothing; whatever was only proposed or finalized
is forgotten by a restart and asked again.

The first transaction of every CometBFT block is our header (docs/spec/comet.md): the proposer executes before it
proposes, every other node before it votes. What a block does becomes the state when CometBFT says ``Commit``, and is
published when its certificate is here.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from coseal.consensus import events as core
from coseal.consensus.application import CannotGoOn, Invalid
from coseal.consensus.replica import Standing
from coseal.contracts.execution import Executor, Outcome, UnknownProtocol
from coseal.contracts.kernel.action import Rejected
from coseal.contracts.membership import epochs
from coseal.ledger.block import CommittedBlock, Receipt
from coseal.ledger.comet import comet_chain_id
from coseal.ledger.transaction import Transaction
from coseal.ledger.validators import ValidatorSet
from coseal.node.core import events as shell
from coseal.node.core import health, wire
from coseal.node.core.application import LedgerApplication
from coseal.node.core.comet import abci
from coseal.node.core.comet.certifying import Decided, DoubleVote, contradiction_of
from coseal.node.core.comet.proposals import Proposals
from coseal.node.core.comet.snapshots import AHEAD, FORMAT, SnapshotJoin
from coseal.node.core.comet.uncertified import Uncertified
from coseal.node.core.comet.updates import changed_power, coming_after
from coseal.node.core.context import MachineConfig, MachineContext
from coseal.node.core.events import NodeEffect, NodeEvent, Tick, TickKind
from coseal.node.core.mempool import Mempool, MempoolLimits
from coseal.node.core.peers import STATUS_INTERVAL_MS
from coseal.node.core.pending import Pending
from coseal.node.core.registry import Registry
from coseal.node.core.upgrades import Upgrades
from coseal.node.core.verified_cache import VerifiedCache

TICK: Final = b"tick"
"""With the height after it (8 bytes): what wakes CometBFT, which makes no empty blocks, when something is due."""
GOSSIP_AGAIN_MS: Final = 3_000
_TICK_BYTES: Final = len(TICK) + 8


class CometMachine:
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
    ) -> None:
        """Go on from what is on disk: the state after ``tip`` in ``executor``, the journal file's bytes (None: lost).

        Raises ``CannotGoOn`` if a block of the journal needs rules that are not here.
        """
        self.config, self.executor, self.first_height = config, executor, first_height
        self._chain_id = config.genesis.chain_id
        self._context = context = MachineContext(config, executor, verified)
        self.mempool = Mempool(config.limits, executor.member_of)
        self._application = LedgerApplication(config.genesis, executor, self.mempool)
        self._pending = Pending(context, self.mempool, self._application, lambda _: context.halted is None)
        parent = self._chain_id if tip is None else tip.block.hash
        self._proposals = Proposals(context, self._application, parent)
        self._uncertified = Uncertified(context, tip, journal_data)
        self._join = SnapshotJoin(context)
        self._started_ms = 0
        self._trouble: str | None = "CometBFT has not asked anything yet"
        self._follows = False
        self._held = {one.public_key for one in (config.signer, config.next_signer) if one is not None}
        self._signs_with = None if config.signer is None else config.signer.public_key
        self._restore()
        self._registry = Registry(context)
        self._upgrades = Upgrades(context)
        self._share_places()

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
        """The block certified last, None at genesis."""
        return self._uncertified.tip

    @property
    def pins(self) -> tuple[shell.Pin, ...]:
        """All registered nodes and the certificates of their links, as the state has them now."""
        return self._registry.pins

    @property
    def missing_key(self) -> bytes | None:
        """The key of this node's seat if it is not the one that CometBFT signs with here; else None."""
        index = self.validators.index(self.config.node_id)
        if index is None or self._signs_with is None:
            return None
        key = self.validators[index].key
        return None if key == self._signs_with else key

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
        """Whether a quorum can be asked for a consistent read: not on this engine."""
        return False

    @property
    def catching_up(self) -> bool:
        """Whether this node executes blocks that others decided before."""
        return self._follows

    def status(self, now_ms: int) -> health.NodeStatus:
        """What this node says of itself and the network at ``now_ms``."""
        view = health.View(
            genesis=self.config.genesis,
            node=self.config.node_id,
            software_version=self.config.software_version,
            executor=self.executor,
            tip=self.tip,
            mempool=self.mempool,
            sync=_Following(self._follows, self.executor.height),
            peers=self._registry.peers,
            kind=self._registry.kind,
            standing=self._standing(),
            started_ms=self._started_ms,
            halted=self._context.halted,
            signer_trouble=self._trouble,
            counters=self.counters,
            ordered_by="CometBFT",
        )
        return health.report(view, now_ms)

    def may_read_sidecar(self, name: bytes, member: str) -> bool:
        """No sidecar is on a chain that CometBFT orders (N40)."""
        return False

    def refused_for_room(self, transactions: Sequence[Transaction], now_ms: int) -> dict[bytes, Rejected]:
        """Say, by raw bytes, which of clients' transactions have no place in the pool now, and why (N9)."""
        return self._pending.refused_for_room(transactions, now_ms)

    # The one way in

    def step(self, event: NodeEvent, now_ms: int) -> list[NodeEffect]:
        """Handle one event at wall time ``now_ms`` and return what to do, in order."""
        if self._context.halted is not None or self._join.complete:  # N4, Z12
            return []
        self._context.now_ms = now_ms
        try:
            self._handle(event)
        except (UnknownProtocol, CannotGoOn) as fault:
            self._context.halt(str(fault), needs_release=True)
        self._pending.report_dropped()
        return [_as_offer(effect) for effect in self._context.take_effects()]

    def _handle(self, event: NodeEvent) -> None:
        match event:
            case shell.Start():
                self._start()
            case shell.AbciAsked(connection, number, abci.ListSnapshots()):
                certified = 0 if self.tip is None else self.tip.block.header.height
                self._context.emit(shell.ListSnapshots(connection, number, certified - AHEAD))  # M14
            case shell.AbciAsked(connection, number, abci.LoadSnapshotChunk(height, format, chunk)):
                self._context.emit(shell.LoadChunk(connection, number, height if format == FORMAT else 0, chunk))
            case shell.AbciAsked(connection, number, request):
                answer = self._answer(request)
                if answer is not None:
                    self._context.emit(shell.AbciAnswer(connection, number, answer))
            case shell.CommitFound(decided):
                self._found(decided)
            case shell.EngineSeen(peers, follows, trouble):
                self._seen(peers, trouble, follows=follows)
            case shell.Submitted(transactions):
                self._pending.submitted(transactions)
            case shell.Applied(height):
                self._uncertified.applied(height)
            case core.ExecutionTook(duration_ms):
                self._application.took(duration_ms)
            case shell.KeyGiven(signer):
                self._held.add(signer.public_key)
                self._pending.take_key(signer)
                self._follow_key()
            case shell.OperatorAllowsVoting():
                text = "CometBFT guards what this node signs; nothing was changed"
                self._context.emit(shell.Noticed("may_vote", text))
            case shell.TimerFired(Tick(TickKind.STATUS)):
                self._tick()
            case shell.TimerFired(Tick(TickKind.DUE)):
                self._wake()
            case shell.BlocksPruned(first_height):
                self.first_height = first_height

    def _start(self) -> None:
        self._started_ms = self._context.now_ms
        self._context.emit(shell.StartTimer(Tick(TickKind.STATUS), STATUS_INTERVAL_MS))
        self._uncertified.start()
        self._follow_key()
        self._upgrades.check(members_changed=True)

    def _restore(self) -> None:
        """Execute the journal's blocks above the log: they are decided, and CometBFT heard that we have them."""
        for block in self._uncertified.blocks:
            if block.header.height != self.executor.height + 1 or block.header.parent_hash != self._proposals.parent:
                continue
            executed = self._application.execute(block)
            if isinstance(executed, Invalid):
                break  # a damaged file: CometBFT gives the block again
            self._uncertified.restored(executed, self.validators)
            self._proposals.advance(executed)

    # What CometBFT asks

    def _answer(self, request: abci.Request) -> bytes | None:
        match request:
            case abci.Info():
                height = self.executor.height
                return abci.info(self.config.software_version, height, self._chain_id if height else b"")
            case abci.InitChain():
                return self._init_chain(request)
            case abci.CheckTx(raw, recheck):
                fault = self._check_tx(raw, recheck=recheck)
                return abci.check_tx(0 if fault is None else 1, fault or "")
            case abci.PrepareProposal():
                return abci.prepare_proposal(self._proposals.prepare(request))
            case abci.ProcessProposal(proposed):
                fault = self._proposals.process(proposed)
                if fault is not None:
                    self._context.count("refused_proposal")
                    self._context.emit(shell.Noticed("proposal_refused", f"height {proposed.height}: {fault}"))
                return abci.process_proposal(accept=fault is None)
            case abci.FinalizeBlock(proposed):
                return self._finalize(proposed)
            case abci.Commit():
                return self._commit()
            case abci.OfferSnapshot(snapshot):
                return self._join.offer(snapshot, self._proposals.parent)
            case abci.ApplySnapshotChunk():
                return self._join.apply(request)
            case abci.Other(number):
                return abci.nothing(number)
        return None  # the connection itself answers the rest

    def _init_chain(self, request: abci.InitChain) -> bytes | None:
        wanted = sorted((seat.key, 1) for seat in self.config.genesis.validators.validators)
        if request.chain_id != comet_chain_id(self._chain_id) or sorted(request.validators) != wanted:
            self._context.halt("CometBFT begins another chain than the genesis: its folder is of another network")
            return None
        if request.initial_height != 1 or self.executor.height:
            self._context.halt(
                f"CometBFT begins the chain again, and this node has {self.executor.height} blocks: its folder is "
                "lost; put this node's blocks, heads, snapshots, state and journal away, too, and let it join again"
            )
            return None
        return abci.init_chain(self._chain_id)

    def _check_tx(self, raw: bytes, *, recheck: bool) -> str | None:
        """Return why a transaction may not wait for a block, or None; a new one that may is in our pool then."""
        if raw[: len(TICK)] == TICK and len(raw) == _TICK_BYTES:
            is_next = int.from_bytes(raw[len(TICK) :], "big") == self.executor.height + 1
            return None if is_next and self._is_due() else "nothing is due"
        if not self._holds(raw) and not recheck:
            self._pending.gossiped((raw,))
        return None if self._holds(raw) else "not in the pool of this node"

    def _holds(self, raw: bytes) -> bool:
        known = self._context.verified.get(raw)
        return known is not None and known.id in self.mempool

    def _finalize(self, proposed: abci.Proposed) -> bytes | None:
        executed = self._proposals.finalize(proposed)
        if executed is None:
            return None
        outcome: Outcome = executed.result
        codes = [0, *(0 if Receipt.decode_own(raw).ok else 1 for raw in executed.receipts[1:])]
        following = coming_after(self.executor, outcome)
        updates = [] if following is None else changed_power(outcome.next_validators, following)
        return abci.finalize_block(codes, updates, self._chain_id)

    def _commit(self) -> bytes | None:
        """Keep the block that was finalized: durable first, then it is the state, then CometBFT is answered."""
        executed = self._proposals.finalized
        if executed is None:
            self._context.halt("CometBFT commits a block that it did not show")
            return None
        self._uncertified.commit(executed, self.validators)
        self._proposals.advance(executed)
        if self._context.halted is not None:
            return None
        outcome: Outcome = executed.result
        self.mempool.committed(len(executed.block.raw), self._context.now_ms)
        self._context.verified.forget(executed.block.transactions)
        if outcome.members_changed:
            self._registry.follow()
            self._share_places()
            self._follow_key()
        self._upgrades.check(members_changed=outcome.members_changed)
        self._wake()
        return abci.commit(self.first_height if self.first_height > 1 else 0)  # M20

    def _follow_key(self) -> None:
        """M13: have CometBFT sign with the key of this node's seat, if it is held here."""
        wanted = self.missing_key
        if wanted is not None and wanted in self._held:
            self._signs_with = wanted
            self._context.emit(shell.SignWith(wanted))

    def _found(self, decided: Decided) -> None:
        """Take what CometBFT shows of a decided block."""
        if self._uncertified.awaits(decided.height):
            for double in decided.double_votes:
                self._accuse(double)
            self._uncertified.certified(decided)

    def _accuse(self, double: DoubleVote) -> None:
        """M12: report a validator that voted twice, as CometBFT found; the two votes prove it to the chain (N34)."""
        voters = epochs.validators_at(self.executor.reader, double.height)
        found = None if voters is None else contradiction_of(double, self._chain_id, voters, self.config.verify)
        if found is None:
            self._context.count("refused_double_vote")
            return
        validator, proof = found
        first, second = (proof.signed(self._chain_id, half) for half in (proof.first, proof.second))
        self._pending.accuse(validator, proof, first, second)

    # Time

    def _tick(self) -> None:
        self._context.emit(shell.StartTimer(Tick(TickKind.STATUS), STATUS_INTERVAL_MS))
        self._pending.tick()
        if self._trouble is None and not self._follows:
            self._pending.send_own(self._registry.own)
        age_ms = self.mempool.oldest_age_ms(self._context.now_ms)
        if age_ms is not None and age_ms >= GOSSIP_AGAIN_MS:
            self._pending.gossip_again()
        self._wake()

    def _is_due(self) -> bool:
        """Whether a block should be made although no transaction waits: a deadline, or the heartbeat."""
        wake_ms = self._wake_ms()
        return wake_ms is not None and wake_ms <= self._context.now_ms

    def _wake_ms(self) -> int | None:
        deadline_ms, heartbeat_ms = self.executor.next_deadline_ms(), self.config.genesis.parameters.heartbeat_ms
        beats = [self.executor.time_ms + heartbeat_ms] if heartbeat_ms and self.executor.height else []
        return min([*beats, *([] if deadline_ms is None else [deadline_ms])], default=None)

    def _wake(self) -> None:
        """Wake CometBFT if something is due, and look again when it will be."""
        wake_ms, now_ms = self._wake_ms(), self._context.now_ms
        if wake_ms is None:
            return
        if wake_ms <= now_ms:
            self._context.emit(shell.Offer((TICK + (self.executor.height + 1).to_bytes(8, "big"),)))
        elif wake_ms - now_ms < STATUS_INTERVAL_MS:
            self._context.emit(shell.StartTimer(Tick(TickKind.DUE), wake_ms - now_ms))

    def _seen(self, peers: tuple[str, ...], trouble: str | None, *, follows: bool) -> None:
        """Take what the shell sees of CometBFT: its peers, whether it catches up, what is wrong with it."""
        self._trouble, self._follows = trouble, follows
        for name, peer in self._registry.peers.items():
            peer.connected = name in peers
            if peer.connected:
                peer.status_ms = self._context.now_ms

    def _standing(self) -> Standing:
        validators = self.validators
        votes = validators.index(self.config.node_id) is not None and self.missing_key is None
        height = self.executor.height + 1
        return Standing(height, 0, "", validators.n, validators.quorum, votes, False, False, 0, 0, 0, None)

    def _share_places(self) -> None:
        if self.config.limits is None:
            self.mempool.limits = MempoolLimits(entry_points=max(1, len(self._registry.pins)))  # N10


@dataclass(frozen=True, slots=True)
class _Following:
    """What health asks about catching up; how far the others are, CometBFT does not say."""

    behind: bool
    target: int

    def is_behind(self, _: int) -> bool:
        return self.behind

    def claimed_by(self, _: int) -> int:
        return self.target

    def peer_height(self, _: str) -> int:
        return self.target


def _as_offer(effect: NodeEffect) -> NodeEffect:
    """CometBFT's pool carries transactions to the other nodes."""
    match effect:
        case shell.BroadcastFrame(wire.Transactions(raws)):
            return shell.Offer(raws)
    return effect
