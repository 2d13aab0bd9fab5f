"""Real replicas of one height at n = 4, as values: what each was given, and what it said.

Law: a replica is rebuilt from its events whenever it is needed, so a course can be continued in many ways. The
Byzantine validator signs here whatever its key can sign, and forges what it cannot.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from hashlib import sha256
from itertools import combinations, product
from typing import Final, TypeAlias

from coseal.consensus.application import Draft, Executed, Invalid
from coseal.consensus.events import (
    BlockReceived,
    Broadcast,
    Decided,
    Event,
    FetchBlock,
    Halt,
    Received,
    Timer,
    TimerExpired,
    TimerKind,
)
from coseal.consensus.messages import Commit, Message, Prepare, Proposal, RoundChange, subject, verify_message
from coseal.consensus.replica import Replica, ReplicaConfig, Tip
from coseal.ledger import merkle
from coseal.ledger.block import Block, Header, last_commit_hash
from coseal.ledger.certificate import PbftCertificate, Phase, assemble, vote_preimage
from coseal.ledger.certificates import Certificate
from coseal.ledger.errors import BadSignature
from coseal.ledger.genesis import Parameters
from coseal.ledger.signing import ZERO_HASH
from coseal.ledger.validators import Validator, ValidatorSet
from simulation.keys import HashSigner, hash_verify
from simulation.model.refine import HeightTrace, NotAllowed, Proof
from simulation.reading import NAMES

N: Final = 4
CHAIN_ID: Final = sha256(b"one height").digest()
START_MS: Final = 1_700_000_000_000
NOW_MS: Final = START_MS + 1_000
SIGNERS: Final = tuple(HashSigner(b"seat %d" % seat) for seat in range(N))
VALIDATORS: Final = ValidatorSet(0, tuple(Validator(f"v{i}", f"v{i}", "bank", SIGNERS[i].public_key) for i in range(N)))
PARAMETERS: Final = Parameters(heartbeat_ms=0)
TIP: Final = Tip(0, CHAIN_ID, START_MS, None, None, VALIDATORS)
Way: TypeAlias = Sequence[Event]


def block(round: int, number: int, proposer: int | None = None) -> Block:
    """Return an empty block made in ``round``; ``number`` tells it from others of the same leader."""
    header = Header(
        version=1,
        chain_id=CHAIN_ID,
        height=1,
        parent_hash=CHAIN_ID,
        epoch=0,
        validators_hash=VALIDATORS.hash,
        next_validators_hash=VALIDATORS.hash,
        proposer=VALIDATORS[round % N if proposer is None else proposer].id,
        created_round=round,
        time_ms=NOW_MS + number,
        tx_root=merkle.root(()),
        tx_count=0,
        receipts_root=merkle.root(()),
        state_root=ZERO_HASH,
        last_commit_hash=last_commit_hash(None),
    )
    return Block(header, (), None)


class _Application:
    """Every block is empty and valid."""

    def build(self, draft: Draft) -> Executed:
        return self._executed(block(draft.created_round, 0))

    def execute(self, block: Block) -> Executed | Invalid:
        return self._executed(block)

    def _executed(self, block: Block) -> Executed:
        return Executed(block, (), VALIDATORS, None)

    def commit(self, executed: Executed, certificate: Certificate) -> None:
        pass

    def has_sidecars(self, block: Block) -> bool:
        return True

    def has_work(self) -> bool:
        return False

    def next_deadline_ms(self) -> int | None:
        return None


@dataclass(frozen=True, slots=True)
class Course:
    """What happened so far: the events of each honest seat, and every statement of theirs, in order."""

    events: dict[int, tuple[Event, ...]]
    said: tuple[Message, ...] = ()

    def votes(self, kind: type[Prepare] | type[Commit], round: int, block_hash: bytes) -> list[Prepare | Commit]:
        """Return what honest validators said for a block in a round."""
        votes = [message for message in self.said if isinstance(message, kind)]
        return [vote for vote in votes if (vote.round, vote.block_hash) == (round, block_hash)]

    def changes(self, seat: int) -> list[RoundChange]:
        """Return the ROUND-CHANGEs of all honest validators but ``seat``."""
        return [message for message in self.said if isinstance(message, RoundChange) and message.sender != seat]


@dataclass(frozen=True, slots=True)
class Reaction:
    """What one replica did: the events it took (bodies it asked for included), and what left it at height 1.

    ``decided`` is a commit certificate it relied on; ``halted`` says why it stopped.
    """

    events: tuple[Event, ...]
    said: tuple[Message, ...]
    decided: PbftCertificate | None
    halted: str | None


def react(course: Course, seat: int, way: Iterable[Event], bodies: dict[bytes, Block]) -> Reaction:
    """Return how the replica of ``seat`` reacts to ``way`` after all it has been through."""
    replica, taken = _rebuilt(course, seat), []
    said: list[Message] = []
    decided, halted = None, None
    pending = list(way)
    while pending and replica.height == 1:
        event = pending.pop(0)
        taken.append(event)
        for effect in replica.step(event, NOW_MS):
            match effect:
                case Broadcast(message) if message.height == 1:
                    said.append(message)
                case FetchBlock(_, block_hash, _) if block_hash in bodies:
                    pending.insert(0, BlockReceived(bodies[block_hash]))
                case Decided(_, certificate):
                    decided = decided or certificate
                case Halt(reason):
                    halted = reason
    return Reaction(tuple(taken), tuple(said), decided, halted)


def begin(honest: Sequence[int]) -> Course:
    """Return the course in which every honest replica has just started; the leader of round 0 proposes at once."""
    said: list[Message] = []
    for seat in honest:
        _, effects = _new(seat)
        said += effects
    return Course(dict.fromkeys(honest, ()), tuple(said))


def _new(seat: int) -> tuple[Replica, list[Message]]:
    config = ReplicaConfig(CHAIN_ID, PARAMETERS, VALIDATORS[seat].id, SIGNERS[seat], hash_verify)
    replica = Replica(config, _Application(), TIP, VALIDATORS)
    effects = replica.start(NOW_MS)
    return replica, [effect.message for effect in effects if isinstance(effect, Broadcast)]


def _rebuilt(course: Course, seat: int) -> Replica:
    replica, _ = _new(seat)
    for event in course.events[seat]:
        replica.step(event, NOW_MS)
    return replica


def judged(course: Course, seat: int, reaction: Reaction, byzantine: int) -> str | None:
    """Say which of a reaction's statements the model does not allow after ``course``, or None."""
    if reaction.halted is not None:
        return f"halts: {reaction.halted}"
    if not reaction.said and reaction.decided is None:
        return None
    trace = HeightTrace(N, 0)
    try:
        for message in (*course.said, *reaction.said):
            trace.says(*_statement(message), faulty=(byzantine,))
        if reaction.decided is not None:
            trace.decides(_proof(reaction.decided), faulty=(byzantine,))
    except NotAllowed as error:
        return f"validator {seat}: {error}"
    return None


def _statement(message: Message) -> tuple[str, int, int, bytes, Proof | None]:
    phase, last = subject(message)
    proof = _proof(message.prepared) if isinstance(message, RoundChange) and message.prepared is not None else None
    return NAMES[phase], message.sender, message.round, last, proof


def _proof(certificate: PbftCertificate) -> Proof:
    return Proof(certificate.round, certificate.block_hash, certificate.signers())


# --- what can be delivered ---


def received(message: Message) -> Received:
    """Return the arrival of a message."""
    return Received(VALIDATORS[message.sender].id, message)


def timeout(round: int) -> TimerExpired:
    """Return the end of a round's timer; a no-op while it does not run."""
    return TimerExpired(Timer(TimerKind.ROUND, 1, round))


class Adversary:
    """Everything the Byzantine validator ``seat`` can say about a course in rounds below ``rounds``."""

    def __init__(self, seat: int, rounds: int) -> None:
        self.seat, self.rounds = seat, rounds

    def _sign(self, round: int, phase: Phase, last: bytes) -> bytes:
        return SIGNERS[self.seat].sign(vote_preimage(CHAIN_ID, 0, 1, round, phase, last))

    def prepare(self, round: int, block_hash: bytes) -> Prepare:
        """Return its PREPARE."""
        return Prepare(0, 1, round, self.seat, block_hash, self._sign(round, Phase.PREPARE, block_hash))

    def commit(self, round: int, block_hash: bytes) -> Commit:
        """Return its COMMIT."""
        return Commit(0, 1, round, self.seat, block_hash, self._sign(round, Phase.COMMIT, block_hash))

    def change(self, round: int, prepared: PbftCertificate | None) -> RoundChange:
        """Return its ROUND-CHANGE."""
        last = subject(RoundChange(0, 1, round, self.seat, prepared, bytes(64)))[1]
        return RoundChange(0, 1, round, self.seat, prepared, self._sign(round, Phase.ROUND_CHANGE, last))

    def propose(self, round: int, block: Block, justification: Sequence[RoundChange]) -> Proposal:
        """Return its PROPOSAL, whether or not it leads."""
        signature = self._sign(round, Phase.PROPOSAL, block.hash)
        return Proposal(0, 1, round, self.seat, block, tuple(justification), signature)

    def certificates(self, course: Course, below: int) -> list[PbftCertificate]:
        """Return the prepared certificates of rounds under ``below`` that its signature completes."""
        votes: dict[tuple[int, bytes], dict[int, bytes]] = {}
        for message in course.said:
            if isinstance(message, Prepare) and message.round < below:
                votes.setdefault((message.round, message.block_hash), {})[message.sender] = message.signature
        found = []
        for (round, block_hash), signatures in votes.items():
            signatures[self.seat] = self.prepare(round, block_hash).signature
            if len(signatures) >= VALIDATORS.quorum:
                found.append(assemble(Phase.PREPARE, VALIDATORS, 1, round, block_hash, signatures))
        return found

    def forgeries(self, course: Course, round: int) -> list[PbftCertificate]:
        """Return certificates of the round before that prove nothing: made-up signatures, or too few."""
        found = []
        for block_hash in dict.fromkeys(message.block_hash for message in course.said if isinstance(message, Prepare)):
            made_up = dict.fromkeys(range(VALIDATORS.quorum), bytes(64))
            found.append(assemble(Phase.PREPARE, VALIDATORS, 1, round - 1, block_hash, made_up))
            alone = {self.seat: self.prepare(round - 1, block_hash).signature}
            found.append(assemble(Phase.PREPARE, VALIDATORS, 1, round - 1, block_hash, alone))
        return found

    def changes(self, course: Course, round: int) -> list[RoundChange]:
        """Return its honest-looking ROUND-CHANGEs to ``round``."""
        return [self.change(round, claim) for claim in (None, *self.certificates(course, round))]

    def justifications(self, course: Course, round: int) -> Iterator[tuple[RoundChange, ...]]:
        """Yield every set of q ROUND-CHANGEs that hold."""
        if round == 0:
            yield ()
            return
        others = changes_to(course, round)
        for own in (None, *self.changes(course, round)):
            needed = VALIDATORS.quorum - (own is not None)
            for chosen in combinations(others, needed):
                yield chosen if own is None else (*chosen, own)

    def lies(self, course: Course, round: int) -> Iterator[tuple[RoundChange, ...]]:
        """Yield justifications that do not hold: too few, one signer twice, forged or exchanged certificates."""
        others = changes_to(course, round)
        for own in self.changes(course, round):
            yield from ((*chosen, own) for chosen in combinations(others, 1))
            yield from ((*chosen, own, own) for chosen in combinations(others, 1))
            yield own, own, own
        for forged in self.forgeries(course, round):
            yield from ((*chosen, self.change(round, forged)) for chosen in combinations(others, 2))
        held = [None, *self.certificates(course, round)]
        for chosen in combinations(others, 2):
            for claims in product(held, repeat=2):
                swapped = tuple(replace(c, prepared=claim) for c, claim in zip(chosen, claims, strict=True))
                if not all(_holds(change) for change in swapped):
                    yield (*swapped, self.change(round, None))
                    yield from ((*swapped, own) for own in self.changes(course, round))


def changes_to(course: Course, round: int) -> list[RoundChange]:
    """Return what honest validators said to ask for ``round``."""
    return [message for message in course.said if isinstance(message, RoundChange) and message.round == round]


def _holds(change: RoundChange) -> bool:
    try:
        verify_message(CHAIN_ID, VALIDATORS, change, hash_verify)
    except BadSignature:
        return False
    return True
