from hashlib import sha256

import consensus_harness
import pytest
from consensus_harness import NAMES, Bench, World, said

from coseal.consensus.events import TimerKind, TipSeen, WorkArrived
from coseal.consensus.messages import Proposal
from coseal.consensus.persisted import Persisted
from coseal.ledger.certificate import Phase
from coseal.ledger.signing import Ed25519Signer, verify


@pytest.mark.parametrize("n", [1, 2, 3, 4, 5, 6, 7])
def test_replicas_decide_one_block_after_another(n):
    world = World(n)
    world.run()
    for number in range(5):
        world.submit(b"transaction %d" % number)
        world.run_for(100)
    assert len(world.agreed()) == 6
    assert set(world.heights().values()) == {7}
    assert all(node.application.committed == [b"transaction %d" % i for i in range(5)] for node in world.nodes.values())


@pytest.mark.parametrize("n", [4, 5, 6, 7])
def test_f_silent_validators_of_any_place_do_not_stop_the_others(n):
    for first in range(n):
        silent = {NAMES[(first + i) % n] for i in range((n - 1) // 3)}
        world = World(n)
        world.queue.clear()
        world.filter = lambda sender, receiver, payload, silent=silent: not {sender, receiver} & silent
        world.submit(b"one", *(name for name in world.nodes if name not in silent))
        world.run_for(40_000)
        committed = {name: node.application.committed for name, node in world.nodes.items() if name not in silent}
        assert all(transactions == [b"one"] for transactions in committed.values()), (silent, committed)


@pytest.mark.parametrize("n", [4, 5, 6, 7])
def test_without_a_quorum_nothing_is_decided_and_with_it_again_all_is(n):
    world = World(n)
    world.run()
    alone = set(NAMES[: n - (2 * n // 3 + 1) + 1])  # one too many for a quorum of the rest
    world.filter = lambda sender, receiver, payload: (sender in alone) == (receiver in alone)
    world.submit(b"one")
    world.run_for(30_000)
    assert len(world.agreed()) == 1
    world.filter = lambda sender, receiver, payload: True
    world.run_for(150_000, until=lambda: set(world.heights().values()) == {3})
    assert len(world.agreed()) == 2


def test_real_signatures_agree_as_well(monkeypatch):
    signers = {name: Ed25519Signer(sha256(name.encode()).digest()) for name in NAMES}
    monkeypatch.setattr(consensus_harness, "ToySigner", signers.__getitem__)
    monkeypatch.setattr(consensus_harness, "toy_verify", verify)
    world = World()
    world.queue.clear()  # the first proposal is lost, so round changes carry signatures too
    world.run_for(3_000)
    world.submit(b"one")
    world.run_for(3_000)
    assert len(world.agreed()) == 2


def test_the_leader_keeps_its_turn_and_hands_it_on_at_the_tenure():
    world = World(4)
    for number in range(34):
        world.submit(b"transaction %d" % number)
        world.run()
    proposers = [block.header.proposer for block, _, _ in world["ann"].log]
    assert proposers == ["ann"] * 15 + ["bob"] * 16 + ["cai"] * 4  # from heights 16 and 32 on


def test_a_lone_validator_takes_one_block_a_step():
    bench = Bench(1, "ann")
    bench.application.pending = [b"%d" % number for number in range(25)]  # ten fit into a block
    assert len(said(bench.step(WorkArrived()), Proposal)) == 1
    assert bench.replica.height == 3


def test_the_same_events_give_the_same_effects():
    def run():
        world = World(5)
        world.queue.pop()
        for number in range(3):
            world.submit(b"transaction %d" % number)
            world.run_for(3_000)
        return [(at, who, kind, repr(what)) for at, who, kind, what in world.trace]

    assert run() == run()


def test_the_standing_says_what_is_held_and_what_is_missing():
    bench = Bench()
    block = bench.block()
    bench.watch(bench.feed(bench.proposal(block), bench.prepare(0, block), bench.commit(2, block)))
    standing = bench.replica.standing()
    assert (standing.height, standing.round, standing.leader, standing.quorum) == (1, 0, "ann", 3)
    assert (standing.proposed, standing.prepares, standing.commits, standing.timing) == (True, 2, 1, True)
    bench.expire(TimerKind.ROUND)
    assert bench.replica.standing().round_changes == 1


def test_a_silent_node_waits_for_nobody():
    bench = Bench(persisted=Persisted(None))
    assert bench.effects == []
    block = bench.block()
    effects = bench.feed(bench.proposal(block), *(bench.prepare(s, block) for s in (0, 2, 3)))
    assert not bench.replica.standing().timing
    assert "journal was lost" in bench.replica.standing().silence
    assert not [effect for effect in effects if hasattr(effect, "message")]
    assert bench.step(TipSeen("cai", bench.certificate(Phase.COMMIT, block)))
    assert bench.replica.height == 2  # it follows all the same
