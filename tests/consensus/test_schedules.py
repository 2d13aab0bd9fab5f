"""Random schedules: drops, reordering, crashes between effects, restarts, and one validator that says anything.

The invariants are checked with code of their own: I1 one block a height, I3 no two preimages signed for one step,
I4 certificates of q distinct valid signers, I5 (in the harness) a vote on the wire is durable, I6 one prepared value
a round, I7 parent and height chain; and progress once the network heals.
"""

import random
from collections import deque
from dataclasses import replace
from hashlib import sha256

import pytest
from consensus_harness import CHAIN_ID, NAMES, ToyApplication, ToySigner, World, toy_verify

from coseal.consensus.application import Draft
from coseal.consensus.events import PreparedRecord, SignRecord
from coseal.consensus.messages import Commit, Prepare, Proposal, RoundChange, decode_message, encode_message
from coseal.consensus.persisted import decode_record
from coseal.ledger.certificate import Phase, assemble, vote_preimage

SEEDS = range(200)


# The beginnings of the messages' tags as they stand in the bytes, each with its own rate of loss.
KINDS = (b"prop", b"prep", b"comm", b"roun", b"else")


class Attacker:
    """Knows one key and every message it hears; says whatever may hurt, to whom it likes."""

    def __init__(self, world, name, rng):
        self.world, self.name, self.rng = world, name, rng
        self.signer = ToySigner(name)
        self.index = world.validators.index(name)
        self.heard = []

    def hear(self, payload):
        if payload[0] == "message":
            self.heard.append(decode_message(payload[1]))
            del self.heard[:-200]

    def sign(self, height, round, phase, last):
        return self.signer.sign(vote_preimage(CHAIN_ID, 0, height, round, phase, last))

    def act(self):
        rng, world = self.rng, self.world
        honest = list(world.nodes.values())
        height = max(1, max(node.height for node in honest) - rng.choice((0, 0, 0, 1)))
        at = [message for message in self.heard if message.height == height]
        round = rng.choice((0, 0, 1, 1, 2, 3))
        blocks = [message.block for message in at if isinstance(message, Proposal)]
        hashes = [block.hash for block in blocks] or [sha256(b"nothing").digest()]
        place = (0, height, round, self.index)
        kind = rng.choice(("prepare", "commit", "change", "proposal", "proposal"))
        messages = []
        if kind == "prepare":
            chosen = rng.choice(hashes)
            messages = [Prepare(*place, chosen, self.sign(height, round, Phase.PREPARE, chosen))]
        elif kind == "commit":
            chosen = rng.choice(hashes)
            messages = [Commit(*place, chosen, self.sign(height, round, Phase.COMMIT, chosen))]
        elif kind == "change" and round:
            known = [m.prepared for m in at if isinstance(m, RoundChange) and m.prepared] + self.assembled(at)
            prepared = rng.choice([None, *known, self.forged(height, round, hashes)])
            last = prepared.hash if prepared else bytes(32)
            messages = [RoundChange(*place, prepared, self.sign(height, round, Phase.ROUND_CHANGE, last))]
        elif kind == "proposal":
            messages = self.proposals(height, round, at, blocks)
        for message in messages:
            for name in sorted(world.nodes):
                if rng.random() < 0.5:
                    world.send(self.name, name, ("message", encode_message(message)))

    def assembled(self, at):
        """Every prepared certificate that the heard prepares make, our own added."""
        votes = {}
        for message in at:
            if isinstance(message, Prepare):
                votes.setdefault((message.round, message.block_hash), {})[message.sender] = message.signature
        result = []
        for (round, block_hash), held in sorted(votes.items()):
            held[self.index] = self.sign(at[0].height, round, Phase.PREPARE, block_hash)
            if len(held) >= self.world.validators.quorum:
                arguments = (Phase.PREPARE, self.world.validators, at[0].height, round, block_hash, held)
                result.append(assemble(*arguments))
        return result

    def forged(self, height, round, hashes):
        """A certificate with signatures that are made up."""
        signatures = dict.fromkeys(range(self.world.validators.quorum), bytes(64))
        arguments = (height, self.rng.randrange(round), self.rng.choice(hashes), signatures)
        return assemble(Phase.PREPARE, self.world.validators, *arguments)

    def proposals(self, height, round, at, blocks):
        """One or two proposals, of old blocks or new ones, with any q round changes there are."""
        rng = self.rng
        changes = {m.sender: m for m in at if isinstance(m, RoundChange) and m.round == round}
        if round:
            changes[self.index] = RoundChange(
                0, height, round, self.index, None, self.sign(height, round, Phase.ROUND_CHANGE, bytes(32))
            )
        known = [None, *(m.prepared for m in changes.values() if m.prepared), *self.assembled(at)]
        if rng.random() < 0.2:  # hide or swap what an honest node carries
            changes = {sender: replace(change, prepared=rng.choice(known)) for sender, change in changes.items()}
        justification = tuple(changes[sender] for sender in sorted(changes))
        if rng.random() < 0.1:
            justification = (*justification, *justification)[: self.world.validators.quorum]
        node = next(node for node in self.world.nodes.values() if node.height >= height)
        tip = node.replica.tip
        if tip.height + 1 == height:
            app = ToyApplication(self.world.validators)
            app.root = node.application.root
            for _ in range(2):
                app.pending = [b"attack %d" % rng.randrange(10**9)]
                hash = self.world.validators.hash
                draft = Draft(height, tip.hash, 0, hash, self.name, round, self.world.now_ms, tip.certificate)
                blocks = [*blocks, app.build(draft).block]
        return [
            Proposal(0, height, round, self.index, b, justification, self.sign(height, round, Phase.PROPOSAL, b.hash))
            for b in rng.sample(blocks, min(len(blocks), 2))
        ]


def check(world):
    """Judge every honest node's whole life."""
    world.agreed()
    prepared = {}
    for name, node in world.nodes.items():
        assert not node.halts, node.halts
        signed = {}
        for record in map(decode_record, node.journal):
            if isinstance(record, SignRecord) and record.height:
                place = (record.height, record.round, record.step)
                assert signed.setdefault(place, record.preimage) == record.preimage, f"{name} signed twice (I3)"
            if isinstance(record, PreparedRecord):
                held = record.certificate
                value = prepared.setdefault((held.height, held.round), held.block_hash)
                assert value == held.block_hash, "two prepared values in one round (I6)"
        for message in node.sent:  # what left agrees with what was signed
            phase = {Proposal: 1, Prepare: 2, Commit: 3, RoundChange: 0}[type(message)]
            assert (message.height, message.round, phase) in signed
        parent = CHAIN_ID
        for number, (block, certificate, validators) in enumerate(node.log, 1):
            assert (block.header.height, block.header.parent_hash) == (number, parent), "I7"
            parent = block.hash
            preimage = vote_preimage(CHAIN_ID, 0, number, certificate.round, Phase.COMMIT, block.hash)
            signers = [i for i in range(validators.n) if certificate.bitmap[i // 8] >> i % 8 & 1]
            assert len(signers) == len(certificate.signatures) >= 2 * validators.n // 3 + 1, "I4"
            for index, signature in zip(signers, certificate.signatures, strict=True):
                assert toy_verify(ToySigner(NAMES[index]).public_key, preimage, signature), "I4"


def disturb(world, rng, attacker, steps):
    """Let ``steps`` things happen, at rates that one seed draws once, so that calm and stormy runs both occur."""
    names = sorted(world.nodes)
    attack, timer, crash = (rng.choice(rates) for rates in ((0.02, 0.1), (0.004, 0.02, 0.06), (0, 0.01)))
    lose = {kind: rng.choice((0, 0, 0.05, 0.3, 0.7)) for kind in KINDS}
    window = rng.choice((1, 4, 30))
    ambush = rng.choice((0, 0.5))  # whoever decides a height first is struck down at once
    for number in range(steps):
        down = [name for name in names if not world[name].up]
        if rng.random() < 0.01:
            world.submit(b"transaction %d" % number, rng.choice(names))
        if attacker and rng.random() < attack:
            attacker.act()
        if down and rng.random() < 0.02:
            world.restart(rng.choice(down))
        if rng.random() < timer or not world.queue:
            if not world.fire_next():
                world.submit(b"transaction %d" % number, rng.choice(names))
            continue
        index = rng.randrange(min(len(world.queue), window))
        sender, receiver, payload = world.queue[index]
        if rng.random() < lose[payload[1][2:6] if payload[0] == "message" else b"else"]:
            del world.queue[index]
        elif rng.random() < crash and payload[0] == "message" and world[receiver].up and len(down) < 2:
            del world.queue[index]
            world.arrive(sender, receiver, payload, crash_after=rng.randrange(6))
        elif rng.random() < 0.03:
            world.queue.append(world.queue[index])  # a duplicate, later
        else:
            first = max(len(node.log) for node in world.nodes.values())
            world.deliver(index)
            if receiver in world.nodes and len(world[receiver].log) > first and not down and rng.random() < ambush:
                world.crash(receiver)
                world.queue = deque(item for item in world.queue if item[0] != receiver)


@pytest.mark.parametrize("seed", SEEDS)
def test_no_schedule_breaks_agreement_and_a_healed_network_goes_on(seed):
    rng = random.Random(seed)
    n = rng.choice((4, 4, 4, 5, 6, 7))
    attacked = rng.random() < 0.7
    name = rng.choice(NAMES[:n])
    world = World(n, attackers=[name] if attacked else ())
    attacker = Attacker(world, name, rng) if attacked else None
    if attacker:
        world.attackers[name] = attacker
    disturb(world, rng, attacker, 1_000)
    check(world)
    for node in sorted(world.nodes):
        if not world[node].up:
            world.restart(node)
    world.submit(b"after the storm")
    honest = world.nodes.values()
    world.run_for(240_000, until=lambda: all(b"after the storm" in node.application.committed for node in honest))
    check(world)
    assert all(b"after the storm" in node.application.committed for node in world.nodes.values()), "no progress (I17)"
