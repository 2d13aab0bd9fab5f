"""The replica: a chain of heights, each agreed on by ``Height``, as a synchronous state machine.

Law: ``step(event, now_ms)`` is the only way in and the returned effects are the only way out. A refused event
changes nothing, and no exception leaves ``step`` for any message that decodes.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import assert_never

from coseal.consensus import timers
from coseal.consensus.application import Application, CannotGoOn
from coseal.consensus.context import Context, Fault
from coseal.consensus.events import (
    Arrived,
    Behind,
    BlockReceived,
    CertifiedBlock,
    Decided,
    DecidedRecord,
    Effect,
    Event,
    ExecutionTook,
    Halt,
    PeerJoined,
    Persist,
    Received,
    SendStatus,
    TimerExpired,
    TimerKind,
    TipSeen,
    WorkArrived,
)
from coseal.consensus.guard import SignGuard
from coseal.consensus.height import Height
from coseal.consensus.messages import Message
from coseal.consensus.persisted import FRESH, Persisted
from coseal.consensus.rules import ReplicaConfig, Tip
from coseal.consensus.votes import Verdict, Votes
from coseal.ledger.block import Block
from coseal.ledger.certificate import PbftCertificate, Phase
from coseal.ledger.errors import BadCertificate
from coseal.ledger.validators import ValidatorSet

__all__ = ["Replica", "ReplicaConfig", "Standing", "Tip"]


@dataclass(frozen=True, slots=True)
class Standing:
    """Where the replica stands, for people: the height it works on and what it holds of the current round.

    ``silence``: why it signs nothing, or None. ``round_changes``: validators that ask for this round or a later one.
    """

    height: int
    round: int
    leader: str
    validators: int
    quorum: int
    votes: bool
    timing: bool
    proposed: bool
    prepares: int
    commits: int
    round_changes: int
    silence: str | None


class Replica:
    """Orders blocks for ``application`` on top of ``tip``; ``validators`` is the set of the next height.

    A node without a seat, or without a signer, follows and never signs. ``persisted`` is the fold of its journal;
    that of a new node is ``FRESH``.
    """

    def __init__(
        self,
        config: ReplicaConfig,
        application: Application,
        tip: Tip,
        validators: ValidatorSet,
        persisted: Persisted = FRESH,
    ) -> None:
        guard = None if config.signer is None else SignGuard(config.signer, persisted.signs)
        if guard is not None and config.next_signer is not None:
            guard.take_key(config.next_signer)
        self._persisted = persisted
        self._context = Context(config, application, guard)
        self._height = Height(self._context, tip, validators)
        self._height.resume(persisted)
        self._next = Votes()  # messages of the next height (B5)
        self._certified = 0  # the greatest height above ours that a verified certificate was of
        self._claims: dict[int, int] = {}  # the highest height each validator spoke of, above ours
        self._halted = False

    @classmethod
    def restore(
        cls, config: ReplicaConfig, application: Application, tip: Tip, validators: ValidatorSet, persisted: Persisted
    ) -> Replica:
        """Return the replica that a journal describes; ``start`` makes it say again what it said."""
        return cls(config, application, tip, validators, persisted)

    # --- what the node may ask ---

    @property
    def tip(self) -> Tip:
        """The last decided block."""
        return self._height.tip

    @property
    def height(self) -> int:
        """The height being agreed on: the tip's + 1."""
        return self._height.number

    @property
    def round(self) -> int:
        """The current round."""
        return self._height.round

    @property
    def validators(self) -> ValidatorSet:
        """The validators of ``height``."""
        return self._height.validators

    @property
    def halted(self) -> bool:
        """Whether a fault of its own stopped it."""
        return self._halted

    @property
    def fired(self) -> dict[str, int]:
        """How often each numbered rule was applied."""
        return dict(self._context.fired)

    def body(self, height: int, block_hash: bytes) -> Block | None:
        """Return an undecided body that others may rely on us holding."""
        return self._height.bodies.get(block_hash) if height == self.height else None

    @property
    def bodies(self) -> list[Block]:
        """Every undecided body of the height being agreed on."""
        return self._height.bodies.all()

    def holders(self, block_hash: bytes) -> tuple[str, ...]:
        """Return the nodes that should hold what the proposal of this round names beside it, in the order to ask."""
        return self._height.holders(block_hash)

    def standing(self) -> Standing:
        """Return where it stands."""
        height, guard = self._height, self._context.guard
        prepares, commits, changes = height.votes.counts(height.round)
        return Standing(
            height=height.number,
            round=height.round,
            leader=height.validators[height.leader].id,
            validators=height.validators.n,
            quorum=height.validators.quorum,
            votes=height.me is not None,
            timing=height.pacing.runs(TimerKind.ROUND),
            proposed=height.proposal is not None,
            prepares=prepares,
            commits=commits,
            round_changes=changes,
            silence=None if guard is None or height.me is None else guard.silence(height.number),
        )

    # --- the state machine ---

    def start(self, now_ms: int) -> list[Effect]:
        """Begin; call once, before any event."""
        return self._run(None, now_ms)

    def step(self, event: Event, now_ms: int) -> list[Effect]:
        """Take one event at ``now_ms`` (ms since the epoch, by our clock) and return what to do, in order."""
        return self._run(event, now_ms)

    def _run(self, event: Event | None, now_ms: int) -> list[Effect]:
        if self._halted:
            return []
        self._context.now_ms, self._context.effects = now_ms, []
        try:
            if event is None:
                self._height.start(at_once=True)
            else:
                self._take(event)
            self._settle()
        except (Fault, CannotGoOn) as fault:
            self._halted = True
            self._context.emit(Halt(str(fault)))
        effects, self._context.effects = self._context.effects, []
        return effects

    def _take(self, event: Event) -> None:
        match event:
            case Received():
                self._receive(event.peer, event.message)
            case TimerExpired():
                self._height.expire(event.timer)
            case WorkArrived():
                self._height.work_arrived()
            case BlockReceived():
                self._height.take_body(event.block)
            case Arrived():
                self._height.arrived(event.block_hash)
            case CertifiedBlock():
                self._height.take_certificate(event.certificate, event.block)
            case TipSeen():
                self._see_tip(event.peer, event.certificate)
            case PeerJoined():
                self._height.repeat_to(event.peer)
            case ExecutionTook():
                average = timers.average_ms(self._context.execution_ms, max(0, event.duration_ms))
                self._context.execution_ms = average
            case _:
                assert_never(event)

    def _receive(self, peer: str, message: Message) -> None:
        height = self._height
        if message.height < height.number:  # R6
            self._context.emit(SendStatus(peer))
            self._context.fire("R6")
        elif message.height > height.number:
            self._receive_early(peer, message)
        elif message.epoch == height.validators.epoch and message.sender < height.validators.n:
            height.receive(message)

    def _receive_early(self, peer: str, message: Message) -> None:
        """R6, B5: keep what is of the next height, and notice when f+1 send of heights we cannot reach alone."""
        validators, sender = self._height.validators, message.sender
        if message.height == self.height + 1 and sender <= validators.n and self._next.judge(message) is Verdict.NEW:
            self._next.add(message)
            self._context.fire("R6")
        if sender < validators.n and message.height > self._claims.get(sender, 0):
            self._claims[sender] = message.height
            claimed = sorted(self._claims.values(), reverse=True)[validators.weak_quorum - 1 :]
            if claimed and claimed[0] > self.height + 1:
                self._context.emit(Behind(claimed[0] - 1, peer))

    def _see_tip(self, peer: str, certificate: PbftCertificate) -> None:
        """Take the certificate of a peer's tip: ours may be decided with it, or we are behind (T6, G3)."""
        height, guard = self._height, self._context.guard
        if certificate.phase is not Phase.COMMIT:
            return
        if certificate.height == height.number:
            if height.take_certificate(certificate):
                self._witness(peer, certificate)
        elif certificate.height > height.number:
            if certificate.epoch > height.validators.epoch:
                self._context.emit(Behind(certificate.height, peer))  # a hint: catching up verifies it
            elif self._commits(certificate, height.validators):
                self._witness(peer, certificate)
                self._certified = max(self._certified, certificate.height)
                height.see_ahead()
                self._context.emit(Behind(certificate.height, peer))
        elif guard is not None and guard.absent:
            old = certificate.epoch != height.validators.epoch
            if self._commits(certificate, height.tip.validators if old else height.validators):
                self._witness(peer, certificate)

    def _commits(self, certificate: PbftCertificate, validators: ValidatorSet) -> bool:
        config = self._context.config
        try:
            certificate.verify(config.chain_id, validators, config.verify)
        except BadCertificate:
            return False
        return True

    def _witness(self, peer: str, certificate: PbftCertificate) -> None:
        """G3: note what ``peer`` showed."""
        guard, index = self._context.guard, self._height.validators.index(peer)
        if guard is not None and index is not None:
            guard.witness(index, max(certificate.height, self.tip.height), self._height.validators.quorum)

    def _begin_epoch(self) -> None:
        """V4: what is remembered of validators by their index is of others now."""
        self._claims.clear()
        if self._context.guard is not None:
            self._context.guard.forget_witnesses()

    def _settle(self) -> None:
        """Make a decision the tip, and go on to the next height with what is held of it."""
        while self._height.decision is not None:
            executed, certificate = self._height.decision
            validators = self._height.validators
            self._height.pacing.stop_all()
            self._context.emit(Persist(DecidedRecord(executed, certificate)))  # P5
            self._context.application.commit(executed, certificate)
            self._context.emit(Decided(executed, certificate))
            early, self._next = self._next.messages(), Votes()
            tip = Tip.of_block(executed.block.header, certificate, validators)
            self._height = Height(self._context, tip, executed.next_validators)  # V1
            guard = self._context.guard
            if guard is not None and guard.place[0] == self.height:  # the journal outlived blocks of the log
                self._height.resume(self._persisted)
            self._claims = {sender: claim for sender, claim in self._claims.items() if claim > self.height}
            if executed.next_validators.epoch != validators.epoch:
                self._begin_epoch()
            if self.height <= self._certified:
                self._height.see_ahead()
            # A lone validator would decide block after block within one step; it takes one a step.
            self._height.start(at_once=executed.next_validators.quorum > 1)
            for message in early:
                if self._height.decision is None:
                    self._receive("", message)
