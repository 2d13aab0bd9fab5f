"""Golden transcripts: five runs told line by line, the shortest tutorial of the protocol there is.

``pytest tests/consensus/test_transcripts.py --rewrite`` (``make transcripts``) writes them anew. A rewritten one is an
approval: commit it only if you understand what caused the difference.
"""

from pathlib import Path

import pytest
from consensus_harness import CHAIN_ID, NAMES, ToyApplication, ToySigner, World

from coseal.consensus.application import Draft
from coseal.consensus.events import (
    Accuse,
    Behind,
    BlockReceived,
    BodyRecord,
    Broadcast,
    CertifiedBlock,
    Decided,
    DecidedRecord,
    FetchBlock,
    GossipPending,
    PeerJoined,
    Persist,
    PreparedRecord,
    Received,
    RoundRecord,
    Send,
    SendStatus,
    SignRecord,
    StartTimer,
    TimerExpired,
    TimerKind,
    TipSeen,
    WorkArrived,
)
from coseal.consensus.messages import Commit, Prepare, Proposal, RoundChange, decode_message, encode_message
from coseal.ledger.certificate import Phase, vote_preimage

TOLD = (Persist, Broadcast, Send, SendStatus, FetchBlock, Behind, Decided, Accuse, GossipPending, StartTimer)
FOLDER = Path(__file__).parent.parent / "transcripts"


class Teller:
    """Tells a world's trace in plain words; blocks are called A, B, C in the order they turn up."""

    def __init__(self, world):
        self.world, self.letters = world, {}

    def block(self, block_hash):
        return self.letters.setdefault(block_hash, "ABCDEFGHIJ"[len(self.letters)])

    def lines(self):
        start_ms = self.world.trace[0][0]
        for now_ms, who, kind, what, effects in self.steps():
            repeated = isinstance(what, TimerExpired) and what.timer.kind is TimerKind.REBROADCAST
            told = [line for line in (self.line(*effect, repeated) for effect in effects) if line]
            if kind == "event" and not told and not isinstance(what, Received):
                continue
            tail = "" if told or kind != "event" else "; nothing follows yet"
            yield f"{now_ms - start_ms:6} ms  {who:4} {self.head(kind, what)}{tail}"
            yield from (f"{'':15}{line}" for line in told)

    def steps(self):
        """Group the trace: what happened to whom, with the effects it had and the messages of these that were lost."""
        steps = []
        for now_ms, who, kind, what in self.world.trace:
            if kind in ("effect", "lost"):
                steps[-1][4].append((kind, what))
            else:
                steps.append((now_ms, who, kind, what, []))
        return steps

    def line(self, kind, what, repeated):
        if kind == "lost":
            return f"    (lost on the way to {what})"
        if isinstance(what, StartTimer) and what.timer.kind not in (TimerKind.ROUND, TimerKind.FETCH):
            return None
        if not isinstance(what, TOLD):
            return None
        if repeated and isinstance(what, Broadcast):
            return f"says again: {self.message(what.message)}"
        return self.effect(what)

    def head(self, kind, what):
        match kind, what:
            case "start", _:
                return "starts"
            case "crash", _:
                return "CRASHES; what was not durable is lost"
            case "restart", _:
                return "comes back with its journal"
            case "say", text:
                return text
            case "event", Received(peer, message):
                return f"hears {self.message(message)} from {peer}"
            case "event", TimerExpired(timer):
                return {
                    TimerKind.ROUND: f"has waited long enough: the timer of round {timer.round} ends",
                    TimerKind.REBROADCAST: "repeats what it said last (T4)",
                    TimerKind.HEARTBEAT: "wakes, nothing happened for long (T8)",
                    TimerKind.FETCH: "did not get the body, and asks another (2 s)",
                }[timer.kind]
            case "event", WorkArrived():
                return "has a transaction to order"
            case "event", BlockReceived(block):
                return f"gets the body of {self.block(block.hash)}"
            case "event", CertifiedBlock(block, certificate):
                return f"gets block {self.block(block.hash)} with {self.certificate(certificate)}"
            case "event", TipSeen(peer, certificate):
                return f"sees the tip of {peer}: {self.certificate(certificate)}"
            case "event", PeerJoined(peer):
                return f"has a link to {peer} again, and says to it what it said last"
        raise AssertionError(kind)

    def message(self, message):
        match message:
            case Proposal():
                return f"PROPOSAL {self.block(message.block.hash)} (height {message.height}, round {message.round})"
            case Prepare():
                return f"PREPARE {self.block(message.block_hash)} (round {message.round})"
            case Commit():
                return f"COMMIT {self.block(message.block_hash)} (round {message.round})"
            case RoundChange():
                carried = "no certificate" if message.prepared is None else self.certificate(message.prepared)
                return f"ROUND-CHANGE to {message.round} with {carried}"

    def certificate(self, certificate):
        names = ", ".join(NAMES[index] for index in certificate.signers())
        name = self.block(certificate.block_hash)
        return f"the {certificate.phase.name}s for {name} of round {certificate.round} by {names}"

    def effect(self, effect):
        match effect:
            case Persist(record):
                return f"writes {self.record(record)}"
            case Broadcast(message):
                return f"says {self.message(message)}{self.why(message)}"
            case Send(peer, message):
                return f"says to {peer}: {self.message(message)}"
            case SendStatus(peer):
                return f"tells {peer}, who speaks of a height that is decided, its tip (R6)"
            case FetchBlock(_, block_hash, peers):
                return f"lacks the body of {self.block(block_hash)} and asks {peers[0]} for it"
            case Behind(height, peer):
                return f"is behind: height {height} is decided, so it asks {peer} for blocks"
            case Decided(executed, certificate):
                return f"DECIDES {self.block(executed.block.hash)} with {self.certificate(certificate)} (R4)"
            case Accuse(node, first, second):
                return f"accuses {node}, who said {self.message(first)} and {self.message(second)} (R2)"
            case GossipPending():
                return "asks for its pending transactions to be gossiped, for it waits alone (T4)"
            case StartTimer(timer, delay_ms) if timer.kind is TimerKind.ROUND:
                return f"starts the timer of round {timer.round}: {delay_ms} ms (T1)"
            case StartTimer(_, delay_ms):
                return f"starts the timer of the body: {delay_ms} ms"
        raise AssertionError(effect)

    def why(self, message):
        match message:
            case Proposal(round=0):
                return ": it leads round 0 (R1)"
            case Proposal():
                carried = [c.prepared for c in message.justification if c.prepared is not None]
                count = len(message.justification)
                if carried:
                    return f": it leads, {count} ask for this round, and a certificate among theirs binds it (R1)"
                return f": it leads, {count} ask for this round, none with a certificate, so the block is new (R1)"
            case Prepare():
                return ": the leader's first proposal of this round, executed to the same roots (R2)"
            case Commit():
                return ": three prepared it, the certificate and the body are durable (R3)"
            case RoundChange():
                return ", and will not vote below that round (R5)"

    def record(self, record):
        match record:
            case BodyRecord(block=block):
                return f"the body of {self.block(block.hash)}, for others may rely on it (P1, P2)"
            case SignRecord():
                step = ("ROUND-CHANGE", "PROPOSAL", "PREPARE", "COMMIT")[record.step]
                return f"that it signs {step} at height {record.height}, round {record.round} (G1)"
            case PreparedRecord(certificate):
                return f"its prepared certificate: {self.certificate(certificate)} (P3)"
            case RoundRecord():
                count = len(record.justification)
                return f"that it is in round {record.round}" + (
                    f", with {count} round changes (P1)" if count else " (P4)"
                )
            case DecidedRecord(executed, certificate):
                return f"block {self.block(executed.block.hash)} and {self.certificate(certificate)} (P5)"


def normal_case():
    """Four replicas agree on the first block.

    Three of four are a quorum. Each message waits for the records written before it."""
    world = World()
    world.run()
    return world


def silent_leader():
    """Ann leads, but nothing she says arrives. The others change the round, and Bob makes a new block.

    Nobody can have decided anything in round 0, and the round changes prove it: none carries a certificate."""
    world = World()
    world.queue.clear()
    world.filter = lambda sender, receiver, payload: sender != "ann"
    world.run_for(1_500)
    return world


def equivocating_leader():
    """Ann proposes A to Bob and Cai, and B to Dia: neither gets a quorum.

    Then Dia sees A too. She keeps B, the first, and holds the proof. Bob's block C is decided in round 1."""
    world = World(attackers=("ann",))
    world.attackers["ann"] = Deaf()
    world.note("ann", "say", "signs two proposals for height 1, round 0, which no honest node does")
    first, second = (attack(world, transactions) for transactions in ([], [b"other"]))
    for name, raw in (("bob", first), ("cai", first), ("dia", second), ("dia", first)):
        world.queue.append(("ann", name, ("message", raw)))
    world.run_for(1_500)
    return world


def restart():
    """Ann crashes after proposing A, and Dia after preparing it. Both come back and say the same again.

    Ann has a new transaction by then, but a leader that proposed once in a round proposes the same for ever; the new
    one waits for block B."""
    world = World()
    world.queue.clear()
    world.crash("ann")
    world["ann"].application.pending.append(b"new")
    world.restart("ann", join=False)
    while not any(isinstance(message, Prepare) for message in world["dia"].sent):
        world.deliver(0)
    world.crash("dia")
    world.restart("dia", join=False)
    world.run()
    return world


def carried_certificate():
    """Cai alone collects the PREPAREs for A, and every COMMIT is lost. Bob, who leads next, never saw A.

    Cai's round change carries its certificate. It binds Bob: he must fetch A and propose it again, unchanged, for
    somebody may have decided it."""
    world = World(4)

    def lose(sender, receiver, payload):
        message = decode_message(payload[1]) if payload[0] == "message" else None
        if getattr(message, "round", 1) > 0:
            return True
        return isinstance(message, Proposal) or (isinstance(message, Prepare) and receiver == "cai")

    for item in [item for item in world.queue if item[1] == "bob"]:
        world.queue.remove(item)
    world.filter = lose
    world.run_for(1_500)
    return world


class Deaf:
    """Stands where a faulty node was."""

    def hear(self, payload):
        pass


def attack(world, transactions):
    application = ToyApplication(world.validators)
    application.pending = transactions
    hash, now_ms = world.validators.hash, world.now_ms
    block = application.build(Draft(1, CHAIN_ID, 0, hash, "ann", 0, now_ms, None)).block
    signature = ToySigner("ann").sign(vote_preimage(CHAIN_ID, 0, 1, 0, Phase.PROPOSAL, block.hash))
    return encode_message(Proposal(0, 1, 0, 0, block, (), signature))


STORIES = (normal_case, silent_leader, equivocating_leader, restart, carried_certificate)


def text(story):
    head = [line.strip() for line in story.__doc__.strip().splitlines()]
    return "\n".join([*(f"# {line}".rstrip() for line in head), "", *Teller(story()).lines()]) + "\n"


@pytest.mark.parametrize("story", STORIES, ids=lambda story: story.__name__)
def test_the_story_is_told_as_it_was(story, request):
    path = FOLDER / f"{story.__name__}.txt"
    if request.config.getoption("--rewrite"):
        FOLDER.mkdir(exist_ok=True)
        path.write_text(text(story), encoding="utf-8")
    assert path.read_text(encoding="utf-8") == text(story)


@pytest.mark.parametrize("story", STORIES, ids=lambda story: story.__name__)
def test_the_story_ends_with_agreement(story):
    world = story()
    assert len(world.agreed()) == (2 if story is restart else 1)
    assert not any(node.halts for node in world.nodes.values())


def test_no_transcript_is_left_over():
    assert {path.stem for path in FOLDER.glob("*.txt")} == {story.__name__ for story in STORIES}
