"""A PREPARE waits for what its block names beside it, and nothing else does (R2, P2)."""

import pytest
from consensus_harness import NAMES, Bench, World, of, said

from coseal.consensus.events import Arrived, Await, StartTimer, StopTimer, TimerExpired, TimerKind
from coseal.consensus.messages import Commit, Prepare, Proposal, RoundChange
from coseal.ledger.certificate import Phase

SEALED = b"sealed"


def lacking(**options):
    """Return a bench that lacks the sidecar of ``SEALED``, and a block that holds it."""
    bench = Bench(**options)
    bench.application.lacking = [SEALED]
    return bench, bench.block(transactions=(SEALED,))


def test_a_validator_that_lacks_a_sidecar_awaits_it_and_prepares_when_it_arrives():
    bench, block = lacking()
    effects = bench.feed(bench.proposal(block))
    assert said(effects, Prepare) == []
    assert of(effects, Await) == [Await(1, block.hash)]
    bench.application.lacking = []
    (prepare,) = said(bench.step(Arrived(block.hash)), Prepare)
    assert prepare.block_hash == block.hash


def test_nothing_is_awaited_where_nothing_is_missing():
    bench = Bench()
    effects = bench.feed(bench.proposal(bench.block(transactions=(SEALED,))))
    assert len(said(effects, Prepare)) == 1
    assert of(effects, Await) == []


def test_it_is_awaited_once_a_round_however_many_messages_come():
    bench, block = lacking()
    effects = bench.feed(bench.proposal(block), bench.prepare(0, block), bench.prepare(2, block))
    assert of(effects, Await) == [Await(1, block.hash)]


@pytest.mark.parametrize("arrived", ["too early", "of another block"])
def test_an_arrival_alone_lets_nobody_prepare(arrived):
    bench, block = lacking()
    bench.feed(bench.proposal(block))
    if arrived == "of another block":
        bench.application.lacking = []
    effects = bench.step(Arrived(block.hash if arrived == "too early" else bytes(32)))
    assert said(effects, Prepare) == []


def test_the_rounds_timer_runs_on_and_the_round_is_left():
    bench, block = lacking()
    effects = bench.effects + bench.feed(bench.proposal(block))
    assert StopTimer(TimerKind.ROUND) not in effects
    timer = next(e.timer for e in effects if isinstance(e, StartTimer) and e.timer.kind is TimerKind.ROUND)
    (change,) = said(bench.step(TimerExpired(timer)), RoundChange)
    assert (change.round, change.prepared) == (1, None)
    bench.application.lacking = []
    assert said(bench.step(Arrived(block.hash)), Prepare) == []


def test_a_certificate_is_committed_to_and_decided_without_the_sidecar():
    bench, block = lacking()
    bench.feed(bench.proposal(block))
    effects = bench.feed(*(bench.prepare(sender, block) for sender in (0, 2, 3)))
    assert [commit.block_hash for commit in said(effects, Commit)] == [block.hash]
    assert said(effects, Prepare) == []
    bench.feed(*(bench.commit(sender, block) for sender in (0, 2)))
    assert bench.replica.height == 2


def test_the_leader_proposes_a_certificates_block_again_without_its_sidecar_and_does_not_prepare_it():
    bench, block = lacking()
    certificate = bench.certificate(Phase.PREPARE, block)
    bench.feed(bench.proposal(block))
    effects = bench.feed(*(bench.change(sender, 1, certificate) for sender in (0, 2, 3)))
    assert [proposal.block.hash for proposal in said(effects, Proposal)] == [block.hash]
    assert said(effects, Prepare) == []
    assert of(effects, Await) == [Await(1, block.hash)]
    assert bench.replica.holders(block.hash) == ("ann", "cai", "dia")


def test_the_leader_is_asked_first_and_then_who_vouched_for_it():
    bench, block = lacking(me="dia")
    bench.feed(bench.proposal(block))
    assert bench.replica.holders(block.hash) == ("ann",)
    bench.feed(bench.prepare(2, block))
    assert bench.replica.holders(block.hash) == ("ann", "cai")
    assert bench.replica.holders(bytes(32)) == ("ann",)


def test_the_signers_of_the_certificate_are_asked_too():
    bench, block = lacking(me="dia")
    certificate = bench.certificate(Phase.PREPARE, block, signers=(0, 1, 2))
    bench.feed(bench.proposal(block))
    changes = [bench.change(sender, 1, certificate) for sender in (0, 1, 2)]
    effects = bench.feed(bench.proposal(block, round=1, justification=changes))
    assert of(effects, Await) == [Await(1, block.hash)]
    assert bench.replica.holders(block.hash) == ("bob", "ann", "cai")


def test_who_follows_awaits_nothing():
    bench, block = lacking(me="eve")
    assert of(bench.feed(bench.proposal(block)), Await) == []


def test_a_leader_that_withholds_a_sidecar_loses_its_round_and_the_next_goes_on():
    world = World()
    world.run()
    leader = NAMES[world["ann"].replica.validators.index(world["ann"].replica.tip.proposer)]
    others = [name for name in world.nodes if name != leader]
    for name in others:
        world[name].application.lacking = [SEALED]
    world.submit(SEALED, leader)
    world.submit(b"plain", *others)
    world.run_for(5_000)
    for name in others:
        assert b"plain" in world[name].application.committed
        assert SEALED not in world[name].application.committed
        assert not any(isinstance(message, Prepare) and message.round == 0 and message.height > 1
                       for message in world[name].sent)  # fmt: skip
