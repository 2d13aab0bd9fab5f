"""One height's agreement: rules R1 to R5 of docs/spec/consensus.md.

Law: messages only add facts to what is held; ``advance`` then applies the rules, in one order, until none fires.

    fact                                                 rule   says
    leader of round 0 and there is work                  R1     PROPOSAL of a new block
    leader of round r, q round changes to r              R1     PROPOSAL: the highest certificate's block, or a new one
    an acceptable proposal of the current round          R2     PREPARE, once what it names beside it is here
    q PREPAREs in the current round                      R3     COMMIT
    q COMMITs in any round, or their certificate         R4     decided
    timeout, or f+1 ask for higher rounds                R5     ROUND-CHANGE with our highest certificate
"""

from __future__ import annotations

from coseal.consensus.application import Executed
from coseal.consensus.bodies import Bodies
from coseal.consensus.context import Context
from coseal.consensus.contradictions import Contradictions
from coseal.consensus.events import (
    Await,
    Broadcast,
    GossipPending,
    Persist,
    PreparedRecord,
    Record,
    RoundRecord,
    Send,
    Timer,
    TimerKind,
)
from coseal.consensus.guard import Signed
from coseal.consensus.justification import Judge, Justified, choose
from coseal.consensus.messages import Commit, Message, Prepare, Proposal, RoundChange
from coseal.consensus.pacing import Pacing
from coseal.consensus.persisted import Persisted
from coseal.consensus.rules import Tip, fresh_fault, leader, link_fault
from coseal.consensus.vote_signer import VoteSigner
from coseal.consensus.votes import Verdict, Votes
from coseal.ledger.block import Block
from coseal.ledger.certificate import ROUND_MAX, PbftCertificate, Phase
from coseal.ledger.signing import ZERO_HASH
from coseal.ledger.validators import ValidatorSet


class Height:
    """The agreement on the block after ``tip`` among ``validators``."""

    def __init__(self, context: Context, tip: Tip, validators: ValidatorSet) -> None:
        config = context.config
        self.tip = tip
        self.number = tip.height + 1
        self.validators = validators
        self.vote_signer = VoteSigner(context, self.number, validators)
        self.me = self.vote_signer.me
        self.round = 0
        self.votes = Votes()
        self.bodies = Bodies(context, tip, validators)
        self.pacing = Pacing(context, self.number)
        self._contradictions = Contradictions(context, self.votes, self.vote_signer, validators)
        self.prepared: PbftCertificate | None = None
        self.decision: tuple[Executed, PbftCertificate] | None = None
        self._context = context
        self._judge = Judge(config.chain_id, self.number, validators, config.verify)
        self._committed: PbftCertificate | None = None  # a full commit certificate whose body may be missing
        self._acceptable: bytes | None = None  # the proposal of this round that we would prepare
        self._awaited: bytes | None = None  # the proposal of this round whose sidecars were asked for
        self._draft: Executed | None = None  # the new block of this round that we would propose
        self._change: RoundChange | None = None
        self._justification: tuple[RoundChange, ...] = ()
        self._active = False  # there is work, or we left round 0
        self._ahead = False  # a certificate shows that this height is decided elsewhere

    @property
    def leader(self) -> int:
        """The index of the leader of the current round."""
        return leader(self.validators, self.tip, self.round, self._context.config.parameters)

    @property
    def proposal(self) -> Proposal | None:
        """The proposal of the current round, if it is held."""
        return self.votes.proposal(self.round, self.leader)

    # --- entering and leaving ---

    def resume(self, persisted: Persisted) -> None:
        """Take up what the journal holds about this height; says nothing yet."""
        kept, guard = persisted.at(self.number), self._context.guard
        record = kept.round
        if record is not None:
            self.round, self._change, self._justification = record.round, record.change, record.justification
        if guard is not None and guard.place[0] == self.number and guard.place[1] > self.round:
            self.round, self._change, self._justification = guard.place[1], None, ()
        self.prepared = kept.prepared  # P6
        for block in kept.bodies:
            self.bodies.keep(block, stored=True)
        self._active = self.round > 0 or bool(self.bodies.all())  # a body was proposed, which is work (T2)
        self.vote_signer.round = self.round
        self.votes.enter(self.round)
        for message in self.vote_signer.signed_before(self.bodies.all(), self._justification):
            self.votes.add(message)
            if isinstance(message, Proposal):
                self._acceptable = message.block.hash

    def start(self, *, at_once: bool) -> None:
        """Say again what was said before, and begin if there is work; not ``at_once``: in a later step."""
        if self._change is not None:
            self._ask(self._change.prepared)
        for message in self._said(proposal=True):
            if message is not self._change:
                self._context.emit(Broadcast(message))
        if self.pacing.has_work():
            if at_once:
                self._active = True
            else:
                self.pacing.wake_in(0)
        self.advance()

    # --- events ---

    def receive(self, message: Message) -> None:
        """Take a message of this height and epoch by a validator; whatever does not hold is ignored."""
        if message.sender == self.me:
            self.vote_signer.check_own_signature(message)
            return
        verdict = self.votes.judge(message)
        if verdict is Verdict.CONFLICT:
            self._contradictions.accuse(message)
            return
        match message:
            case Proposal():
                # A justification is q round changes: one of any later round is taken (B4).
                taken = verdict is not Verdict.KNOWN and message.round >= self.round and self._take_proposal(message)
            case RoundChange():
                taken = verdict is Verdict.NEW and self._judge.change_holds(message)
                if taken:
                    self._take_change(message)
            case Prepare() | Commit():
                taken = verdict is Verdict.NEW
                if taken:
                    self.votes.add(message)
        if taken:
            self.advance()

    def take_certificate(self, certificate: PbftCertificate, block: Block | None = None) -> bool:
        """Take a commit certificate of this height, of whatever round, perhaps with its block (R4, B4)."""
        if block is not None and certificate.block_hash != block.hash:
            return False
        if not self._judge.certificate_holds(certificate, Phase.COMMIT):
            return False
        if self._committed is None or block is not None:
            self._contradictions.compare(certificate)
            self._committed = certificate
            if block is not None:
                self.bodies.keep(block)
            self.advance()
        return True

    def take_body(self, block: Block) -> None:
        """Take a body that was asked for."""
        if self.pacing.fetching is not None and block.hash == self.pacing.fetching.block_hash:
            self.bodies.keep(block)
            self.advance()

    def arrived(self, block_hash: bytes) -> None:
        """Go on with the proposal whose sidecars are here now."""
        if block_hash == self._awaited:
            self.advance()

    def holders(self, block_hash: bytes) -> tuple[str, ...]:
        """Return who should hold what a block names beside it, in the order to ask: the leader, then who vouched."""
        vouched = [index for index in range(self.validators.n) if self._vouched(index, block_hash)]
        changes = () if self.proposal is None else self.proposal.justification
        proofs = [change.prepared for change in changes if change.prepared is not None]
        signed = [index for proof in proofs if proof.block_hash == block_hash for index in proof.signers()]
        order = dict.fromkeys([self.leader, *vouched, *signed])
        return tuple(self.validators[index].id for index in order if index != self.me)

    def _vouched(self, index: int, block_hash: bytes) -> bool:
        prepare = self.votes.prepare(self.round, index)
        return prepare is not None and prepare.block_hash == block_hash

    def work_arrived(self) -> None:
        """Begin if we were idle."""
        if not self._active and self._context.application.has_work():
            self._active = True
            self.advance()

    def see_ahead(self) -> None:
        """Neither time nor propose: the network is past this height (T6)."""
        if not self._ahead:
            self._ahead = True
            self._context.fire("T6")
            self._set_timers()

    def expire(self, timer: Timer) -> None:
        """Take a timer that ran out; one that is not the current one of its kind is a no-op (T5)."""
        if not self.pacing.take(timer):
            return
        match timer.kind:
            case TimerKind.ROUND:
                if self.round == 0 and not self.pacing.has_work() and not self.bodies.all():  # T2
                    self._active = False
                elif self.round < ROUND_MAX:
                    self._enter(self.round + 1)
            case TimerKind.HEARTBEAT:
                self._active = True
                self.pacing.wake()
            case TimerKind.REBROADCAST:
                self._context.fire("T4")
                said = self._said()
                if self.round > 0 and self._change is None:  # the signer was away when the round began
                    self._ask(self.prepared)
                for message in said:
                    self._context.emit(Broadcast(message))
                if self.round > 0 and self.votes.asking(self.round) < self.validators.quorum:
                    self._context.emit(GossipPending())
            case TimerKind.FETCH:
                self.pacing.fetch_again()
        self.advance()

    def repeat_to(self, peer: str) -> None:
        """Tell a peer whose link came up what we said last, so that it need not wait for a round to fail."""
        for message in self._said(proposal=True):
            self._context.emit(Send(peer, message))

    # --- the rules ---

    def advance(self) -> None:
        """Apply the rules until none fires."""
        while self.decision is None and (
            self._decide() or self._join() or self._propose() or self._prepare() or self._commit()
        ):
            pass
        if self.decision is None:
            self._set_timers()
            self._set_fetch()

    def _decide(self) -> bool:
        """R4: q COMMITs for one block, in any round, and its body."""
        certificate = self._commit_certificate()
        block = None if certificate is None else self.bodies.get(certificate.block_hash)
        executed = None if block is None else self.bodies.execute(block, certified=True)
        if certificate is None or executed is None:
            return False
        self.decision = (executed, certificate)
        self._context.fire("R4")
        return True

    def _join(self) -> bool:
        """R5: f+1 ask for more, so at least one honest node is there."""
        asked = self.votes.round_asked(self.validators.weak_quorum)
        if asked <= self.round:
            return False
        self._enter(asked)
        return True

    def _propose(self) -> bool:
        """R1: the leader proposes, once there is work; after round 0 what q round changes justify."""
        mine = self.leader == self.me and self._active and not self._ahead and self.proposal is None
        justified = self._justified() if mine and self.vote_signer.may(Phase.PROPOSAL) else None
        if justified is None:
            return False
        executed: Executed | None
        block = None if justified.prepared is None else self.bodies.get(justified.prepared.block_hash)
        if justified.prepared is None:
            # One block a round: a signer that was away may have signed it although its answer was lost.
            self._draft = executed = self._draft or self.bodies.build(self.round)
        else:
            executed = None if block is None else self.bodies.execute(block, certified=True)
        signed = None if executed is None else self.vote_signer.sign(Phase.PROPOSAL, executed.block.hash)
        if executed is None or signed is None:
            return False
        records = self.bodies.unstored(executed.block)
        if self.round > 0:
            records.append(RoundRecord(self.number, self.round, justified.changes, self._change))
        self._justification = justified.changes
        self._acceptable = executed.block.hash
        message = Proposal(*self.vote_signer.place(), executed.block, justified.changes, signed.signature)
        self._say(message, signed, records)
        self._context.fire("R1")
        return True

    def _prepare(self) -> bool:
        """R2: once a round, for the first acceptable proposal of its leader."""
        block = None if self._acceptable is None else self.bodies.get(self._acceptable)
        if block is None or not self.vote_signer.may(Phase.PREPARE):
            return False
        if not self._context.application.has_sidecars(block):  # P2
            self._await(block.hash)
            return False
        signed = self.vote_signer.sign(Phase.PREPARE, block.hash)
        if signed is None:
            return False
        self._say(Prepare(*self.vote_signer.place(), block.hash, signed.signature), signed, self.bodies.unstored(block))
        self._context.fire("R2")
        return True

    def _await(self, block_hash: bytes) -> None:
        """Ask, once a round, for what the proposal names beside it; the round's timer runs on."""
        if self._awaited != block_hash:
            self._awaited = block_hash
            self._context.emit(Await(self.number, block_hash))

    def _commit(self) -> bool:
        """R3: q PREPAREs while in their round; the certificate and the body are durable before the COMMIT."""
        if self.me is None:
            return False
        if self.prepared is None or self.prepared.round < self.round:
            certificate = self.votes.prepare_certificate(self.round, self.validators)
            block = None if certificate is None else self.bodies.get(certificate.block_hash)
            if certificate is None or block is None or self.bodies.execute(block, certified=True) is None:
                return False
            self.prepared = certificate
            for record in (*self.bodies.unstored(block), PreparedRecord(certificate)):
                self._context.emit(Persist(record))
        if self.prepared.round != self.round or not self.vote_signer.may(Phase.COMMIT):
            return False
        signed = self.vote_signer.sign(Phase.COMMIT, self.prepared.block_hash)
        if signed is None:
            return False
        self._say(Commit(*self.vote_signer.place(), self.prepared.block_hash, signed.signature), signed, [])
        self._context.fire("R3")
        return True

    def _enter(self, round: int) -> None:
        """R5: ask for ``round``; after this we never prepare or commit below it."""
        self.round, self._active, self._acceptable, self._draft = round, True, None, None
        self._justification, self._awaited = (), None
        self.pacing.stop(TimerKind.ROUND)
        self.vote_signer.round = round
        self.votes.enter(round)
        needed = [] if self.prepared is None else [self.prepared.block_hash]
        self.bodies.prune(needed if self._committed is None else [*needed, self._committed.block_hash])
        self._context.fire("R5")
        self._ask(self.prepared)

    def _ask(self, prepared: PbftCertificate | None) -> None:
        """Say our round change to this round; the journal may hold it from before a crash (P4)."""
        signed = self.vote_signer.sign(Phase.ROUND_CHANGE, ZERO_HASH if prepared is None else prepared.hash)
        self._change = None
        if signed is not None:
            self._change = RoundChange(*self.vote_signer.place(), prepared, signed.signature)
            record = RoundRecord(self.number, self.round, self._justification, self._change)
            self._say(self._change, signed, [] if signed.record is None else [record])

    # --- proposals and round changes of others ---

    def _take_proposal(self, proposal: Proposal) -> bool:
        """Judge a proposal of this round or a later, justified one; say whether anything was learnt (R2)."""
        config, block = self._context.config, proposal.block
        if proposal.sender != leader(self.validators, self.tip, proposal.round, config.parameters):
            return False
        justified = self._judge.justify(proposal, self.votes.changes)
        if justified is None:
            return False
        if justified.prepared is not None and block.hash != justified.prepared.block_hash:  # J4
            return False
        if justified.prepared is None and (
            link_fault(block, self.tip, self.validators, config)
            or fresh_fault(block.header, self.tip, proposal.round, self._context.now_ms, config.parameters)
        ):
            return False
        for change in justified.changes:
            self._take_change(change)
        self._join()  # q ask for its round, so we are there now, or beyond it when f+1 ask for more
        if proposal.round == self.round:
            self._active = True
            self.votes.add(proposal)
            self.bodies.keep(block)
            if self.bodies.execute(block, certified=justified.prepared is not None) is not None:
                self._acceptable = block.hash
        return True

    def _take_change(self, change: RoundChange) -> None:
        """Keep a round change that holds."""
        if change.sender == self.me:
            self.vote_signer.check_own_signature(change)
            return
        if change.prepared is not None:
            self._contradictions.compare(change.prepared)
        verdict = self.votes.judge(change)
        if verdict is Verdict.NEW:
            self.votes.add(change)
        elif verdict is Verdict.CONFLICT:
            self._contradictions.accuse(change)

    def _justified(self) -> Justified | None:
        """Return what q round changes to the current round come to; nothing is needed in round 0."""
        if self.round == 0:
            return Justified((), None)
        changes = self.votes.changes_to(self.round)
        return choose(changes) if len(changes) >= self.validators.quorum else None

    def _commit_certificate(self) -> PbftCertificate | None:
        return self._committed or self.votes.commit_certificate(self.validators)

    # --- saying ---

    def _say(self, message: Message, signed: Signed, records: list[Record]) -> None:
        """Broadcast what we signed, and take it as well."""
        self.vote_signer.broadcast(message, signed, records)
        if self.votes.judge(message) is Verdict.NEW:
            self.votes.add(message)

    def _said(self, *, proposal: bool = False) -> list[Message]:
        """Return our latest round change, our vote in this round and our latest commit; the proposal if asked."""
        if self.me is None:
            return []
        own = (
            self._change,
            self.votes.proposal(self.round, self.me) if proposal else None,
            self.votes.prepare(self.round, self.me),
            self.votes.latest_commit(self.me),
        )
        return [message for message in own if message is not None]

    # --- timers and bodies ---

    def _set_timers(self) -> None:
        """Start or stop what must run now."""
        decided_elsewhere = self._ahead or self._commit_certificate() is not None
        if self._active and self.vote_signer.signs and not decided_elsewhere:
            if self.round == 0 or self.votes.asking(self.round) >= self.validators.quorum:  # T2, T3
                self.pacing.time_round(self.round)
            self.pacing.repeat()
            self.pacing.stop(TimerKind.HEARTBEAT)
        else:
            self.pacing.stop(TimerKind.ROUND)  # T6
            if self.vote_signer.signs and not self._active:
                self.pacing.sleep()

    def _set_fetch(self) -> None:
        """Ask for the body that a rule waits for."""
        missing = self._missing()
        fetching = self.pacing.fetching
        if missing is None:
            self.pacing.stop(TimerKind.FETCH)
        elif fetching is None or fetching.block_hash != missing[0]:
            self.pacing.fetch(*missing)

    def _missing(self) -> tuple[bytes, tuple[str, ...]] | None:
        """Return the hash of the body that is needed, most urgent first, and who should hold it."""
        justified = self._justified() if self.leader == self.me and self.proposal is None else None
        wanted = (
            self._commit_certificate(),
            None if justified is None else justified.prepared,
            self.votes.prepare_certificate(self.round, self.validators),
        )
        for certificate in wanted:
            if certificate is not None and self.bodies.get(certificate.block_hash) is None:
                # Who carries the certificate made the body durable first; then its signers.
                carriers = [s for s in sorted(self.votes.changes) if self.votes.changes[s].prepared == certificate]
                order = dict.fromkeys([*carriers, *certificate.signers()])
                peers = tuple(self.validators[index].id for index in order if index != self.me)
                return certificate.block_hash, peers
        return None
