"""A network of replicas in memory: an ordered queue, timers as data, a toy application, crashes between effects.

Messages travel as bytes through the real codec. Nothing here shares code with the rules it checks.
"""

from __future__ import annotations

from collections import deque
from dataclasses import fields, is_dataclass, replace
from hashlib import sha256

from coseal.consensus.application import Draft, Executed, Invalid
from coseal.consensus.events import (
    Accuse,
    Behind,
    BlockReceived,
    Broadcast,
    CertifiedBlock,
    Decided,
    DecidedRecord,
    FetchBlock,
    Halt,
    PeerJoined,
    Persist,
    Received,
    Send,
    SendStatus,
    SignRecord,
    StartTimer,
    StopTimer,
    TimerExpired,
    TipSeen,
    WorkArrived,
)
from coseal.consensus.messages import (
    Commit,
    Prepare,
    Proposal,
    RoundChange,
    decode_message,
    encode_message,
    verify_message,
)
from coseal.consensus.persisted import EMPTY_GUARD, FRESH, decode_record, encode_record, fold
from coseal.consensus.replica import Replica, ReplicaConfig, Tip
from coseal.ledger import merkle
from coseal.ledger.block import Block, Header, last_commit_hash
from coseal.ledger.certificate import PbftCertificate, Phase, assemble, vote_preimage
from coseal.ledger.errors import LedgerError
from coseal.ledger.genesis import Parameters
from coseal.ledger.validators import Validator, ValidatorSet

CHAIN_ID = sha256(b"toy genesis").digest()
GENESIS_TIME_MS = 1_700_000_000_000
NAMES = ("ann", "bob", "cai", "dia", "eve", "fay", "gus")


class ToySigner:
    """A keyed hash in place of Ed25519: quick, and just as distinct for the rules."""

    def __init__(self, name):
        self.public_key = sha256(b"key of " + name.encode()).digest()

    def sign(self, message):
        return toy_signature(self.public_key, message)


def toy_signature(key, message):
    return sha256(b"1" + key + message).digest() + sha256(b"2" + key + message).digest()


def toy_verify(key, message, signature):
    return signature == toy_signature(key, message)


def validator_set(n, epoch=0):
    seats = [Validator(name, name, "bank", ToySigner(name).public_key) for name in NAMES[:n]]
    return ValidatorSet(epoch, tuple(seats))


class ToyApplication:
    """State is a hash chain over transactions; a transaction ``bad...`` makes a block invalid."""

    def __init__(self, validators, *, root_salt=b""):
        self.validators = validators
        self.root = bytes(32)
        self.pending = []
        self.committed = []
        self.root_salt = root_salt
        self.deadline_ms = None
        self.lacking = []  # transactions whose sidecar is not here
        self.next_sets = {}  # height -> the set of the height after it

    def _run(self, height, transactions):
        root = sha256(self.root + b"".join(transactions) + self.root_salt).digest()
        receipts = tuple(b"receipt of " + raw for raw in (b"begin", *transactions))
        return root, receipts, self.next_sets.get(height, self.validators)

    def build(self, draft):
        transactions = tuple(self.pending[:10])
        root, receipts, validators = self._run(draft.height, transactions)
        header = Header(
            1,
            CHAIN_ID,
            draft.height,
            draft.parent_hash,
            draft.epoch,
            draft.validators_hash,
            validators.hash,
            draft.proposer,
            draft.created_round,
            draft.time_ms,
            merkle.root(transactions),
            len(transactions),
            merkle.root(receipts),
            root,
            last_commit_hash(draft.last_commit),
        )
        return Executed(Block(header, transactions, draft.last_commit), receipts, validators, root)

    def execute(self, block):
        if any(raw.startswith(b"bad") for raw in block.transactions):
            return Invalid("a bad transaction")
        if any(raw in self.committed for raw in block.transactions):
            return Invalid("a transaction twice")
        root, receipts, validators = self._run(block.header.height, block.transactions)
        if (root, merkle.root(receipts)) != (block.header.state_root, block.header.receipts_root):
            return Invalid("another root", diverged=True)
        return Executed(block, receipts, validators, root)

    def commit(self, executed, certificate):
        self.root, self.validators = executed.result, executed.next_validators
        self.committed += executed.block.transactions
        self.pending = [raw for raw in self.pending if raw not in executed.block.transactions]

    def has_sidecars(self, block):
        return not any(raw in self.lacking for raw in block.transactions)

    def has_work(self):
        return bool(self.pending)

    def next_deadline_ms(self):
        return self.deadline_ms


class Node:
    """One replica with its disk (journal and block log), its timers and everything it ever let out."""

    def __init__(self, world, name, *, voter=True):
        self.world, self.name = world, name
        self.signer = ToySigner(name) if voter else None
        self.journal = [encode_record(EMPTY_GUARD)]
        self.log = []  # (block, certificate, validators that signed it)
        self.timers = {}
        self.sent = []  # every message that left, for the invariants
        self.signatures = set()  # durable ones
        self.accusations, self.halts, self.events = [], [], []
        self.up = True
        self.pending = []
        self.boot()

    def boot(self):
        world = self.world
        app = ToyApplication(world.validators)
        app.root_salt = world.salts.get(self.name, b"")
        app.next_sets = world.next_sets
        app.pending = [] if not hasattr(self, "application") else list(self.application.pending)
        tip = Tip(0, CHAIN_ID, GENESIS_TIME_MS, None, None, world.validators)
        for block, certificate, validators in self.log:
            app.commit(app.execute(block), certificate)
            tip = Tip.of_block(block.header, certificate, validators)
        app.deadline_ms = None
        self.application = app
        config = ReplicaConfig(CHAIN_ID, world.parameters, self.name, self.signer, toy_verify)
        persisted = fold([decode_record(raw) for raw in self.journal])
        self.replica = Replica.restore(config, app, tip, app.validators, persisted)
        self.timers = {}

    @property
    def height(self):
        return self.replica.height

    def decided(self):
        return [block.hash for block, _, _ in self.log]


class World:
    """Nodes, the queue between them and the time. ``filter(sender, receiver, payload)`` False loses a payload."""

    def __init__(
        self, n=4, *, observers=(), filter=None, parameters=None, salts=None, next_sets=None, start=True, attackers=()
    ):
        self.validators = validator_set(n)
        self.parameters = parameters or Parameters(round_timeout_ms=1_000, heartbeat_ms=0)
        self.filter = filter or (lambda sender, receiver, payload: True)
        self.salts, self.next_sets = salts or {}, next_sets or {}
        self.now_ms = GENESIS_TIME_MS + 1_000
        self.queue = deque()
        self.trace = []
        self.attackers = {}  # name -> what stands in for the node of that name
        names = [name for name in (*NAMES[:n], *observers) if name not in attackers]
        self.nodes = {name: Node(self, name, voter=name not in observers) for name in names}
        for name in names:
            self.start(name)

    def __getitem__(self, name):
        return self.nodes[name]

    # --- driving ---

    def start(self, name):
        node = self.nodes[name]
        self.note(name, "start", None)
        self.perform(node, node.replica.start(self.now_ms))

    def step(self, name, event, *, crash_after=None):
        """Let a node take an event; with ``crash_after`` only so many of its effects happen before it dies."""
        node = self.nodes[name]
        if not node.up:
            return []
        self.note(name, "event", event)
        effects = node.replica.step(event, self.now_ms)
        if crash_after is not None:
            self.perform(node, effects[:crash_after])
            self.crash(name)
            return effects
        self.perform(node, effects)
        return effects

    def crash(self, name):
        self.nodes[name].up = False
        self.nodes[name].timers = {}
        self.note(name, "crash", None)

    def restart(self, name, *, join=True):
        node = self.nodes[name]
        node.up = True
        node.boot()
        self.note(name, "restart", None)
        self.start(name)
        for other in [other for other in self.nodes if other != name and join]:
            self.step(other, PeerJoined(name))
            self.step(name, PeerJoined(other))

    def submit(self, raw, *names):
        for name in names or list(self.nodes):
            node = self.nodes[name]
            if raw not in node.application.pending and raw not in node.application.committed:
                node.application.pending.append(raw)
            self.step(name, WorkArrived())

    def run(self, *, limit=100_000):
        """Deliver everything that is queued."""
        while self.queue and limit:
            self.deliver(0)
            limit -= 1

    def deliver(self, index):
        sender, receiver, payload = self.queue[index]
        del self.queue[index]
        self.arrive(sender, receiver, payload)

    def next_timer(self):
        due = [
            (at, name, kind.value, timer)
            for name, node in self.nodes.items()
            for kind, (at, timer) in node.timers.items()
        ]
        return min(due, key=lambda item: item[:3], default=None)

    def fire_next(self):
        """Advance the time to the next timer and let it expire; say whether there was one."""
        due = self.next_timer()
        if due is None:
            return False
        at, name, _, timer = due
        self.now_ms = max(self.now_ms, at)
        del self.nodes[name].timers[timer.kind]
        self.step(name, TimerExpired(timer))
        return True

    def run_for(self, duration_ms, *, until=lambda: False):
        """Deliver and let timers expire for a while; STATUS goes round once a second."""
        end, status_at = self.now_ms + duration_ms, self.now_ms + 1_000
        while not until():
            self.run()
            due = self.next_timer()
            at = status_at if due is None else min(due[0], status_at)
            if at > end:
                break
            if at == status_at:
                self.now_ms, status_at = max(self.now_ms, at), status_at + 1_000
                self.status()
            else:
                self.fire_next()

    def status(self):
        for name, node in self.nodes.items():
            if node.up and node.log:
                for other in self.nodes:
                    if other != name:
                        self.queue.append((name, other, ("status", node.log[-1][1].encode())))

    # --- the wire ---

    def others(self, name):
        return [other for other in (*self.nodes, *self.attackers) if other != name]

    def send(self, sender, receiver, payload):
        if receiver in self.attackers:
            self.attackers[receiver].hear(payload)
        elif receiver in self.nodes and self.filter(sender, receiver, payload):
            self.queue.append((sender, receiver, payload))
        elif receiver in self.nodes:
            self.note(sender, "lost", receiver)

    def arrive(self, sender, receiver, payload, *, crash_after=None):
        """Hand a payload over, as the node's shell would."""
        node = self.nodes[receiver]
        if not node.up:
            return
        match payload:
            case ("message", raw):
                message = decode_message(raw)
                for validators in (node.replica.validators, node.replica.tip.validators):
                    try:
                        verify_message(CHAIN_ID, validators, message, toy_verify)
                        break
                    except LedgerError:
                        continue
                else:
                    return
                self.step(receiver, Received(sender, message), crash_after=crash_after)
            case ("status", raw):
                certificate = PbftCertificate.decode(raw)
                self.step(receiver, TipSeen(sender, certificate))
                if certificate.height >= node.height:
                    self.send(receiver, sender, ("sync", node.height))
            case ("sync", height):
                for block, certificate, _ in node.log[height - 1 : height + 20]:
                    self.send(receiver, sender, ("certified", block.raw, certificate.encode()))
            case ("certified", block, certificate):
                self.step(receiver, CertifiedBlock(Block.decode(block), PbftCertificate.decode(certificate)))
            case ("fetch", height, block_hash):
                body = node.replica.body(height, block_hash)
                logged = [block for block, _, _ in node.log if block.hash == block_hash]
                if body or logged:
                    self.send(receiver, sender, ("body", (body or logged[0]).raw))
            case ("body", raw):
                self.step(receiver, BlockReceived(Block.decode(raw)))

    def perform(self, node, effects):
        name = node.name
        for effect in effects:
            self.note(name, "effect", effect)
            match effect:
                case Persist(DecidedRecord(executed, certificate)):
                    validators = (node.log and node.log[-1][2]) or self.validators
                    if certificate.epoch != validators.epoch:
                        validators = next(s for s in self.next_sets.values() if s.epoch == certificate.epoch)
                    node.log.append((executed.block, certificate, validators))
                case Persist(record):
                    node.journal.append(encode_record(record))
                    if isinstance(record, SignRecord):
                        node.signatures.add(record.signature)
                case Broadcast(message):
                    self.let_out(node, message)
                    for other in self.others(name):
                        self.send(name, other, ("message", encode_message(message)))
                case Send(peer, message):
                    self.let_out(node, message)
                    self.send(name, peer, ("message", encode_message(message)))
                case SendStatus(peer):
                    if node.log:
                        self.send(name, peer, ("status", node.log[-1][1].encode()))
                case FetchBlock(height, block_hash, peers):
                    if peers:
                        self.send(name, peers[0], ("fetch", height, block_hash))
                case Behind(_, peer):
                    self.send(name, peer, ("sync", node.height))
                case StartTimer(timer, delay_ms):
                    node.timers[timer.kind] = (self.now_ms + delay_ms, timer)
                case StopTimer(kind):
                    node.timers.pop(kind, None)
                case Accuse():
                    node.accusations.append(effect)
                case Halt(reason):
                    node.halts.append(reason)
                case Decided():
                    node.events.append(effect)

    def let_out(self, node, message):
        """Note a message on the wire; its signature must be durable by now (I5)."""
        assert message.signature in node.signatures, "a vote on the wire whose record is not durable"
        node.sent.append(message)

    def note(self, who, kind, what):
        self.trace.append((self.now_ms, who, kind, what))

    # --- verdicts ---

    def heights(self):
        return {name: node.height for name, node in self.nodes.items()}

    def agreed(self):
        """Return the longest chain, after checking that every other is a prefix of it (I1, I2)."""
        chains = sorted((node.decided() for node in self.nodes.values()), key=len)
        for shorter in chains:
            assert shorter == chains[-1][: len(shorter)]
        return chains[-1]


class Bench:
    """One replica alone, everyone else's key in the test's hands. The leader of (1, r) is ``NAMES[r % n]``."""

    def __init__(self, n=4, me="bob", *, persisted=FRESH, parameters=None, signer=True, start=True):
        self.validators = validator_set(n)
        self.n, self.me = n, me
        self.now_ms = GENESIS_TIME_MS + 1_000
        self.parameters = parameters or Parameters(round_timeout_ms=1_000, heartbeat_ms=0)
        self.application = ToyApplication(self.validators)
        self.signer = ToySigner(me) if signer is True else signer or None
        self.config = ReplicaConfig(CHAIN_ID, self.parameters, me, self.signer, toy_verify)
        self.tip = Tip(0, CHAIN_ID, GENESIS_TIME_MS, None, None, self.validators)
        self.records = []
        self.replica = Replica(self.config, self.application, self.tip, self.validators, persisted)
        self.effects = self.collect(self.replica.start(self.now_ms)) if start else []

    def collect(self, effects):
        self.records += [effect.record for effect in effects if isinstance(effect, Persist)]
        return effects

    def step(self, event, now_ms=None):
        return self.collect(self.replica.step(event, self.now_ms if now_ms is None else now_ms))

    def feed(self, *messages):
        """Step through messages as if each came from its sender; return all effects."""
        effects = []
        for message in messages:
            assert decode_message(encode_message(message)) == message
            effects += self.step(Received(self.validators[message.sender].id, message))
        return effects

    def expire(self, kind):
        """Let the timer of a kind that the effects so far started run out."""
        timer = next(e.timer for e in reversed(self.effects) if isinstance(e, StartTimer) and e.timer.kind is kind)
        return self.watch(self.step(TimerExpired(timer)))

    def watch(self, effects):
        self.effects += effects
        return effects

    # --- what others say ---

    def signature(self, sender, phase, last, *, height=None, round=0, epoch=0):
        place = (epoch, self.replica.height if height is None else height, round)
        return ToySigner(NAMES[sender]).sign(vote_preimage(CHAIN_ID, *place, phase, last))

    def block(self, *, round=0, transactions=(), time_ms=None, **header):
        tip = self.replica.tip
        application = ToyApplication(self.validators)
        application.root, application.pending = self.application.root, list(transactions)
        leader = self.leader(round)
        hash = self.validators.hash
        time_ms = max(self.now_ms, tip.time_ms + 1) if time_ms is None else time_ms
        draft = Draft(tip.height + 1, tip.hash, 0, hash, NAMES[leader], round, time_ms, tip.certificate)
        built = application.build(draft).block
        return replace(built, header=replace(built.header, **header)) if header else built

    def leader(self, round):
        base = 0 if self.replica.tip.proposer is None else NAMES.index(self.replica.tip.proposer)
        return (base + round) % self.n

    def proposal(self, block, *, round=0, justification=(), sender=None):
        sender = self.leader(round) if sender is None else sender
        signature = self.signature(sender, Phase.PROPOSAL, block.hash, round=round)
        return Proposal(0, self.replica.height, round, sender, block, tuple(justification), signature)

    def prepare(self, sender, block, *, round=0):
        signature = self.signature(sender, Phase.PREPARE, block.hash, round=round)
        return Prepare(0, self.replica.height, round, sender, block.hash, signature)

    def commit(self, sender, block, *, round=0):
        signature = self.signature(sender, Phase.COMMIT, block.hash, round=round)
        return Commit(0, self.replica.height, round, sender, block.hash, signature)

    def change(self, sender, round, prepared=None):
        last = bytes(32) if prepared is None else prepared.hash
        signature = self.signature(sender, Phase.ROUND_CHANGE, last, round=round)
        return RoundChange(0, self.replica.height, round, sender, prepared, signature)

    def certificate(self, phase, block, *, round=0, signers=None, height=None):
        """Return a certificate, by everyone else unless ``signers`` says otherwise."""
        signers = [s for s in range(self.n) if NAMES[s] != self.me] if signers is None else signers
        height = self.replica.height if height is None else height
        votes = {s: self.signature(s, phase, block.hash, round=round, height=height) for s in signers}
        return assemble(phase, self.validators, height, round, block.hash, votes)

    def decide(self, **block):
        """Have the next block decided by the others; return the effects."""
        decided = self.block(**block)
        return self.watch(self.step(CertifiedBlock(decided, self.certificate(Phase.COMMIT, decided))))

    def state(self):
        return frozen(self.replica)


def said(effects, kind):
    """Return the messages of one kind that the effects broadcast."""
    return [e.message for e in effects if isinstance(e, Broadcast) and isinstance(e.message, kind)]


def of(effects, kind):
    """Return the effects of one kind."""
    return [effect for effect in effects if isinstance(effect, kind)]


# Not state: the time and effects of a step, and the memory of certificates that were verified (it only saves time).
_TRANSIENT = {"now_ms", "effects", "_proven"}


def frozen(value):
    """Return everything a value holds, deeply, as something that can be compared."""
    if isinstance(value, (type(None), bool, int, str, bytes)) or callable(value):
        return value
    if isinstance(value, dict):
        return [(frozen(key), frozen(item)) for key, item in value.items()]
    if isinstance(value, (list, tuple, deque)):
        return [frozen(item) for item in value]
    if isinstance(value, (set, frozenset)):
        return sorted(map(repr, value))
    if is_dataclass(value):
        names = [field.name for field in fields(value)]  # not what is cached beside them
    else:
        names = [*getattr(value, "__dict__", ()), *getattr(type(value), "__slots__", ())]
    return (
        type(value).__name__,
        [(name, frozen(getattr(value, name))) for name in names if name not in _TRANSIENT and hasattr(value, name)],
    )
