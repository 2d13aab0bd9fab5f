"""The validators change between heights: V1 to V5."""

from dataclasses import replace

import pytest
from consensus_harness import CHAIN_ID, NAMES, Bench, ToySigner, World, said, toy_verify, validator_set

from coseal.consensus.events import Broadcast, CertifiedBlock, Received, TipSeen
from coseal.consensus.guard import SignGuard
from coseal.consensus.messages import Prepare, Proposal
from coseal.consensus.persisted import fold
from coseal.consensus.rules import leader
from coseal.ledger.certificate import Phase, vote_preimage
from coseal.ledger.errors import BadCertificate
from coseal.ledger.validators import ValidatorSet

FOUR, FIVE = validator_set(4), validator_set(5, epoch=1)


def without(validators, name):
    return ValidatorSet(validators.epoch + 1, tuple(seat for seat in validators.validators if seat.id != name))


def rotated(validators, name, key):
    seats = (replace(seat, key=key) if seat.id == name else seat for seat in validators.validators)
    return ValidatorSet(validators.epoch + 1, tuple(seats))


def grow(world, heights):
    """Have so many blocks decided."""
    for number in range(heights):
        height = max(node.height for node in world.nodes.values())
        world.submit(f"{height} {number}".encode())
        world.run_for(2_000)


def test_v1_a_set_decides_the_height_after_the_block_that_gives_it():
    world = World(4, next_sets={2: without(FOUR, "dia")})
    grow(world, 4)
    log = world["ann"].log
    assert [(block.header.epoch, validators.n) for block, _, validators in log] == [
        (0, 4),
        (0, 4),
        (1, 3),
        (1, 3),
        (1, 3),
    ]
    assert log[1][0].header.next_validators_hash == log[2][0].header.validators_hash
    with pytest.raises(BadCertificate):
        log[2][1].verify(CHAIN_ID, FOUR, toy_verify)
    world.agreed()


def test_v1_no_vote_of_one_epoch_counts_in_another():
    bench = Bench()
    bench.application.next_sets = {1: ValidatorSet(1, FOUR.validators)}  # the same seats, another epoch
    bench.decide()
    assert bench.replica.validators.epoch == 1
    block = bench.block(epoch=1)
    old = bench.proposal(block)
    before = bench.state()
    assert bench.feed(old) == []
    assert bench.state() == before
    signature = bench.signature(old.sender, Phase.PROPOSAL, block.hash, epoch=1)
    assert said(bench.feed(replace(old, epoch=1, signature=signature)), Prepare)[0].epoch == 1


def test_v1_a_message_of_the_coming_epoch_is_kept_until_its_height_begins():
    bench = Bench(me="ann")
    bench.application.next_sets = {1: FIVE}
    decided = bench.block(next_validators_hash=FIVE.hash)
    newcomer = NAMES[4]
    signature = ToySigner(newcomer).sign(vote_preimage(CHAIN_ID, 1, 2, 0, Phase.PREPARE, b"h" * 32))
    bench.step(Received(newcomer, Prepare(1, 2, 0, 4, b"h" * 32, signature)))
    bench.step(CertifiedBlock(decided, bench.certificate(Phase.COMMIT, decided)))
    assert bench.replica.validators == FIVE
    assert bench.replica.standing().prepares == 1


@pytest.mark.parametrize("gone", NAMES[:5])
@pytest.mark.parametrize("tenure", [1, 16])
def test_v2_whoever_leaves_the_chain_goes_on_with_the_next_id(gone, tenure):
    parameters = Bench().parameters
    parameters = replace(parameters, tenure=tenure)
    world = World(5, parameters=parameters, next_sets={3: without(validator_set(5), gone)})
    grow(world, 6)
    proposers = [block.header.proposer for block, _, _ in world["ann" if gone != "ann" else "bob"].log]
    assert gone not in proposers[3:]
    last, first = proposers[2], proposers[3]
    if last == gone and tenure == 16:
        assert first == NAMES[(NAMES.index(gone) + 1) % 5]
    assert world.agreed()


def test_v3_a_validator_signs_with_the_key_that_its_seat_names():
    new = ToySigner("bob, second")
    bench = Bench(me="bob")
    bench.replica._context.guard.take_key(new)
    after_it = rotated(FOUR, "bob", new.public_key)
    bench.application.next_sets = {1: after_it}
    (before,) = said(bench.feed(bench.proposal(bench.block(next_validators_hash=after_it.hash))), Prepare)
    assert toy_verify(ToySigner("bob").public_key, preimage_of(before), before.signature)
    bench.decide(next_validators_hash=after_it.hash)
    hashes = {"validators_hash": after_it.hash, "next_validators_hash": after_it.hash}
    block = bench.block(epoch=1, **hashes)
    signature = bench.signature(0, Phase.PROPOSAL, block.hash, epoch=1)
    (after,) = said(bench.feed(Proposal(1, 2, 0, 0, block, (), signature)), Prepare)
    assert toy_verify(new.public_key, preimage_of(after), after.signature)


def preimage_of(vote):
    return vote_preimage(CHAIN_ID, vote.epoch, vote.height, vote.round, Phase.PREPARE, vote.block_hash)


def test_v3_a_validator_without_its_new_key_follows():
    bench = Bench(me="bob")
    after_it = rotated(FOUR, "bob", ToySigner("bob, second").public_key)
    bench.application.next_sets = {1: after_it}
    assert bench.replica.standing().votes
    bench.decide(next_validators_hash=after_it.hash)
    assert (bench.replica.height, bench.replica.standing().votes) == (2, False)


def test_v3_the_guard_goes_on_whatever_the_key():
    one, new = SignGuard(ToySigner("ann"), fold([]).signs or ()), ToySigner("ann, second")
    one.take_key(new)
    assert one.sign(5, 0, Phase.PREPARE, b"a" * 80)
    assert one.use_key(new.public_key)
    assert one.sign(5, 0, Phase.PREPARE, b"b" * 80) is None
    assert one.sign(4, 0, Phase.COMMIT, b"b" * 80) is None
    assert toy_verify(new.public_key, b"c" * 80, one.sign(6, 0, Phase.PREPARE, b"c" * 80).signature)
    assert not one.use_key(ToySigner("eve").public_key)
    assert one.key == new.public_key


def test_v4_who_showed_a_tip_is_counted_anew_in_another_epoch():
    """Else one validator whose index changed with the epoch would count twice for the release of a lost journal."""
    bench = Bench(me="ann", persisted=fold([]))
    shrunk = without(FOUR, "bob")  # cai was at index 2, and is at index 1 now
    bench.application.next_sets = {1: shrunk}
    decided = bench.block(next_validators_hash=shrunk.hash)
    certificate = bench.certificate(Phase.COMMIT, decided)
    for peer in ("cai", "dia"):
        bench.step(TipSeen(peer, certificate))  # the first of them decides height 1 here
    bench.step(CertifiedBlock(decided, certificate))
    assert bench.replica.validators == shrunk
    bench.step(TipSeen("cai", certificate))
    assert "until a quorum" in bench.replica.standing().silence
    bench.step(TipSeen("dia", certificate))
    assert "until a quorum" in bench.replica.standing().silence


def test_v5_a_node_gets_its_seat_with_the_first_height_of_its_epoch():
    world = World(4, observers=(NAMES[4],), next_sets={2: FIVE})
    new = world[NAMES[4]]
    new.signer = ToySigner(NAMES[4])
    new.boot()
    world.start(NAMES[4])
    grow(world, 1)
    assert not said(all_sent(new), Prepare)
    grow(world, 3)
    assert {message.height for message in said(all_sent(new), Prepare)} == {3, 4, 5}
    assert world.agreed()


def all_sent(node):
    return [Broadcast(message) for message in node.sent]


@pytest.mark.parametrize("gone", ["ann", "dia"])
def test_v5_a_node_loses_its_seat_with_the_first_height_without_it_and_follows(gone):
    world = World(5, next_sets={2: without(validator_set(5), gone)})
    grow(world, 5)
    assert max(message.height for message in world[gone].sent) == 2
    assert world[gone].decided() == world["bob"].decided()
    world.crash(gone)
    world.restart(gone)
    grow(world, 1)
    assert max(message.height for message in world[gone].sent) == 2
    assert world.agreed()


def test_a_leader_of_a_later_round_is_of_the_new_set():
    tip = Bench().tip
    shrunk = without(FOUR, "ann")
    tip = replace(tip, height=7, proposer="ann")
    parameters = replace(Bench().parameters, tenure=16)
    ids = [shrunk[leader(shrunk, tip, round, parameters)].id for round in range(4)]
    assert ids == ["bob", "cai", "dia", "bob"]
