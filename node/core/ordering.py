"""The consensus core within its node: what it is given of the world, and what its effects are to the node.

Law: effects keep the order in which the core gave them, so a vote stays behind the record that makes it safe to send
(docs/decisions/0007-ordered-effects-and-two-logs.md); what a peer says reaches the core only after its signature
verified under the validators of its height (N28).
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import replace

from coseal.consensus import events as core
from coseal.consensus.application import Executed
from coseal.consensus.messages import Message, encode_message, verify_message
from coseal.consensus.replica import Replica
from coseal.consensus.rules import ReplicaConfig, Tip
from coseal.contracts.execution import Outcome
from coseal.contracts.membership import actions as membership
from coseal.ledger.block import Block, CommittedBlock
from coseal.ledger.certificate import PbftCertificate
from coseal.ledger.certificates import require_pbft
from coseal.ledger.engines import PBFT
from coseal.ledger.signing import Signer
from coseal.ledger.state import Change
from coseal.ledger.validators import ValidatorSet
from coseal.node.core import events as shell
from coseal.node.core import wire
from coseal.node.core.application import LedgerApplication
from coseal.node.core.context import MachineContext
from coseal.node.core.evidence import proof_of
from coseal.node.core.header_chain import HeaderChain
from coseal.node.core.journal_writer import JournalWriter
from coseal.node.core.pending import Pending
from coseal.node.core.registry import Registry
from coseal.node.core.restart import tip_of


class Ordering:
    """Runs a replica on top of ``tip``, the block decided last (None at genesis)."""

    def __init__(
        self,
        context: MachineContext,
        application: LedgerApplication,
        journal: JournalWriter,
        registry: Registry,
        pending: Pending,
        *,
        tip: CommittedBlock | None,
        behind: Callable[[], None],
        awaits: Callable[[Block], None],
        decided: Callable[[Executed], None],
    ) -> None:
        """``behind``: the network is past the height in progress. ``awaits``: a vote waits for what this block
        names beside it. ``decided``: a block is, its state in memory.
        """
        self.tip = tip
        config, genesis, reader = context.config, context.config.genesis, context.executor.reader
        self._settings = ReplicaConfig(
            genesis.chain_id, genesis.parameters, config.node_id, config.signer, config.verify, config.next_signer
        )
        self._context, self._executor, self._emit = context, context.executor, context.emit
        self._application, self._journal, self._registry, self._pending = application, journal, registry, pending
        self._on_behind, self._on_awaits, self._on_decided = behind, awaits, decided
        self._coming = membership.coming(reader)
        self._unwritten: deque[tuple[int, Change]] = deque()
        self.replica = self._replica_at(tip_of(genesis, tip, reader))

    # Read views

    @property
    def validators(self) -> ValidatorSet:
        """The validators of the height being decided."""
        return self._executor.validators

    @property
    def header_chain(self) -> HeaderChain:
        """The tip with the validators of the height after it, from where heads are followed."""
        return HeaderChain(PBFT, self._settings.chain_id, self._settings.parameters, self.replica.tip, self.validators)

    @property
    def status(self) -> wire.Status:
        """This node's tip, as peers get it."""
        if self.tip is None:
            return wire.Status(0, self._settings.chain_id, None)
        return wire.Status(self.tip.block.header.height, self.tip.block.hash, require_pbft(self.tip.certificate))

    @property
    def missing_key(self) -> bytes | None:
        """The key of this node's seat, now or in the epoch that comes, if it has no signer for it; else None."""
        settings = self._settings
        held = [signer.public_key for signer in (settings.signer, settings.next_signer) if signer is not None]
        for validators in (self._coming, self.validators):
            index = None if validators is None else validators.index(settings.node_id)
            if validators is not None and index is not None and validators[index].key not in held:
                return validators[index].key
        return None

    # What the core is given

    def start(self) -> None:
        """Begin the height in progress; say again what the journal says was said."""
        self._carry_out(self.replica.start(self._context.now_ms))

    def run(self, event: core.Event) -> None:
        """Give the core an event, and carry out what it says."""
        self._carry_out(self.replica.step(event, self._context.now_ms))

    def receive(self, peer: str, message: Message, verified: bool) -> None:
        """Take a peer's message; raise ``LedgerError`` if its signature is not a validator's.

        ``verified`` says that the signature verified under the validators of the height in progress.
        """
        if not verified or message.epoch != self.validators.epoch:
            verify_message(self._settings.chain_id, self._voters(message), message, self._settings.verify)
        self.run(core.Received(peer, message))

    def applied(self, height: int) -> None:
        """The state of ``height`` is in the state store; raise ``ValueError`` if another was to come: a bug."""
        if not self._unwritten or self._unwritten[0][0] != height:
            raise ValueError(f"the state of height {height} was not to be written next")
        self._executor.state.flushed(self._unwritten.popleft()[1])

    def allow_voting(self) -> None:
        """An operator vouches for what the lost journal would say: never a step at or below the tip."""
        if self.replica.standing().silence is None:
            self._emit(shell.Noticed("may_vote", "this node may vote already; nothing was changed"))
            return
        self._journal.vouch(self._executor.height)
        self._restore()

    def take_key(self, signer: Signer) -> None:
        """Hold another consensus key beside the present one; the epoch that names it is signed with it."""
        self._settings = replace(self._settings, next_signer=signer)
        self._restore()

    def _voters(self, message: Message) -> ValidatorSet:
        """Return who decides, or decided, the height of a message, as far as this node can tell (V1, N28)."""
        if message.height > self._executor.height + 1 and self._coming is not None:
            return self._coming
        if message.height > self._executor.height or message.epoch == self.validators.epoch:
            return self.validators
        return membership.validators_at(self._executor.reader, message.height) or self.validators

    def _restore(self) -> None:
        """Begin the height again from the journal, as after a restart."""
        for kind in core.TimerKind:
            self._emit(shell.StopTimer(kind))
        self.replica = self._replica_at(self.replica.tip)
        self.start()

    def _replica_at(self, tip: Tip) -> Replica:
        return Replica.restore(self._settings, self._application, tip, self.validators, self._journal.persisted)

    # What the core says

    def _carry_out(self, effects: Iterable[core.Effect]) -> None:
        """Translate the core's effects, in order."""
        for effect in effects:
            match effect:
                case core.Persist(core.DecidedRecord(executed, certificate)):
                    self._emit(shell.AppendBlock(CommittedBlock(executed.block, certificate, executed.receipts)))
                case core.Persist(
                    core.SignRecord() | core.BodyRecord() | core.PreparedRecord() | core.RoundRecord() as record
                ):
                    self._journal.append(record)
                case core.Broadcast(message):
                    self._emit(shell.BroadcastFrame(wire.ConsensusMessage(message)))
                case core.Send(peer, message):
                    self._emit(shell.SendFrame(peer, wire.ConsensusMessage(message)))
                case core.SendStatus(peer):
                    state = self._registry.peers.get(peer)
                    if state is not None and state.tell(self._context.now_ms):
                        self._emit(shell.SendFrame(peer, self.status))
                case core.FetchBlock(height, block_hash, peers):
                    self._fetch(height, block_hash, peers)
                case core.Await(height, block_hash):
                    block = self.replica.body(height, block_hash)
                    if block is not None:
                        self._on_awaits(block)
                case core.Behind():
                    self._on_behind()
                case core.StartTimer(timer, delay_ms):
                    self._emit(shell.StartTimer(timer, delay_ms))
                case core.StopTimer(kind):
                    self._emit(shell.StopTimer(kind))
                case core.Decided(executed, certificate):
                    self._decided(executed, certificate)
                case core.GossipPending():
                    self._pending.gossip_again()
                case core.Accuse(node, first, second):
                    self._pending.accuse(node, proof_of(first, second), encode_message(first), encode_message(second))
                case core.Halt(reason):
                    self._context.halt(reason)

    def _decided(self, executed: Executed, certificate: PbftCertificate) -> None:
        """The block is in the log's queue and its state committed in memory: write it, tell it, tidy up (N3)."""
        outcome: Outcome = executed.result
        self.tip = CommittedBlock(executed.block, certificate, executed.receipts)
        self._unwritten.append((outcome.height, outcome.change))
        self._emit(shell.ApplyState(outcome.height, executed.block.hash, outcome.change))
        self._emit(shell.Published(self.tip, outcome))
        self._journal.decided(outcome.height)
        self._coming = membership.coming(self._executor.reader)
        self._on_decided(executed)

    def _fetch(self, height: int, block_hash: bytes, peers: tuple[str, ...]) -> None:
        for peer in peers:
            state = self._registry.peers.get(peer)
            if state is not None and state.connected:
                self._emit(shell.SendFrame(peer, wire.GetBody(height, block_hash)))
                return
