"""Rules T1 to T8: when which timer runs. T7, the time of a block, is tested at its limits with the attacks (C8)."""

import pytest
from consensus_harness import Bench, World, of, said

from coseal.consensus.events import (
    BlockReceived,
    CertifiedBlock,
    Decided,
    ExecutionTook,
    FetchBlock,
    GossipPending,
    StartTimer,
    StopTimer,
    Timer,
    TimerExpired,
    TimerKind,
    TipSeen,
    WorkArrived,
)
from coseal.consensus.messages import Commit, Prepare, Proposal, RoundChange
from coseal.consensus.timers import REBROADCAST_MS, average_ms, rebroadcast_ms, round_timeout_ms
from coseal.ledger.certificate import Phase
from coseal.ledger.genesis import Parameters


def started(effects, kind):
    return [effect for effect in of(effects, StartTimer) if effect.timer.kind is kind]


def test_t1_the_timeout_doubles_with_the_round_up_to_the_cap():
    parameters = Parameters(round_timeout_ms=2_000, round_timeout_ms_max=60_000)
    assert [round_timeout_ms(parameters, 0, r) for r in range(6)] == [2_000, 4_000, 8_000, 16_000, 32_000, 60_000]
    assert round_timeout_ms(parameters, 0, 2**32 - 1) == 60_000


def test_t1_the_timeout_follows_what_execution_took():
    bench = Bench()
    for _ in range(60):
        bench.step(ExecutionTook(800))
    bench.decide()
    bench.application.pending = [b"work"]
    (timer,) = started(bench.step(WorkArrived()), TimerKind.ROUND)
    assert timer.delay_ms == 1_000 + 3 * 797
    assert average_ms(0, 800) == 100


def test_t2_the_timer_of_round_0_runs_only_while_there_is_work():
    bench = Bench()
    assert started(bench.effects, TimerKind.ROUND)  # height 1
    effects = bench.decide()
    assert StopTimer(TimerKind.ROUND) in effects
    assert not of(effects, StartTimer)
    assert bench.step(WorkArrived()) == []  # a false alarm
    bench.application.pending = [b"work"]
    assert started(bench.step(WorkArrived()), TimerKind.ROUND)


def test_t2_a_proposal_is_work():
    bench = Bench()
    bench.decide()
    assert started(bench.feed(bench.proposal(bench.block())), TimerKind.ROUND)


def test_t2_work_that_is_gone_when_the_timer_ends_asks_for_no_round():
    bench = Bench()
    bench.decide()
    bench.application.pending = [b"work"]
    bench.watch(bench.step(WorkArrived()))
    bench.application.pending = []  # it expired
    effects = bench.expire(TimerKind.ROUND)
    assert not said(effects, RoundChange)
    assert bench.replica.round == 0
    bench.application.pending = [b"more"]
    assert started(bench.step(WorkArrived()), TimerKind.ROUND)


def test_t3_the_timer_of_a_later_round_starts_when_a_quorum_asks_for_it_or_more():
    bench = Bench()
    assert not started(bench.expire(TimerKind.ROUND), TimerKind.ROUND)
    assert not started(bench.feed(bench.change(0, 1)), TimerKind.ROUND)
    (timer,) = started(bench.feed(bench.change(2, 5)), TimerKind.ROUND)
    assert (timer.timer.round, timer.delay_ms) == (1, 2_000)


def test_t4_what_was_said_last_is_repeated_every_second():
    bench = Bench()
    block = bench.block()
    bench.watch(bench.feed(bench.proposal(block), bench.prepare(0, block), bench.prepare(2, block)))
    bench.expire(TimerKind.ROUND)
    effects = bench.expire(TimerKind.REBROADCAST)
    assert [type(effect) for effect in (said(effects, RoundChange) + said(effects, Commit))] == [RoundChange, Commit]
    assert not said(effects, Proposal)
    (again,) = started(effects, TimerKind.REBROADCAST)
    assert abs(again.delay_ms - REBROADCAST_MS) <= 100


def test_t4_nodes_do_not_all_speak_at_once_but_always_at_the_same_moments():
    delays = [rebroadcast_ms(name, 1, tick) for name in ("ann", "bob") for tick in range(8)]
    assert len(set(delays)) > 8
    assert delays[0] == rebroadcast_ms("ann", 1, 0)


def test_t4_while_too_few_ask_pending_transactions_are_gossiped_again():
    bench = Bench()
    bench.expire(TimerKind.ROUND)
    assert GossipPending() in bench.expire(TimerKind.REBROADCAST)
    bench.feed(bench.change(0, 1), bench.change(2, 1))
    assert GossipPending() not in bench.expire(TimerKind.REBROADCAST)


@pytest.mark.parametrize("kind", list(TimerKind))
def test_t5_a_stale_timer_is_a_no_op(kind):
    bench = Bench()
    before = bench.state()
    for timer in (Timer(kind, 1, 77), Timer(kind, 2, 0), Timer(kind, 2**63 - 1, 2**32 - 1)):
        assert bench.step(TimerExpired(timer)) == []
    assert bench.state() == before


def test_t5_a_timer_fires_once():
    bench = Bench()
    timer = started(bench.effects, TimerKind.ROUND)[0].timer
    assert bench.step(TimerExpired(timer))
    assert bench.step(TimerExpired(timer)) == []


def test_t6_whoever_sees_the_height_decided_stops_timing():
    bench = Bench()
    block = bench.block()
    effects = bench.step(TipSeen("cai", bench.certificate(Phase.COMMIT, block)))
    assert StopTimer(TimerKind.ROUND) in effects
    assert of(effects, FetchBlock)[0].block_hash == block.hash
    bench.step(BlockReceived(block))
    assert bench.replica.height == 2


def test_t6_a_leader_that_catches_up_proposes_nothing_until_it_is_there():
    far = Bench(me="bob")
    blocks = []
    for _ in range(4):
        block = far.block()
        blocks.append(CertifiedBlock(block, far.certificate(Phase.COMMIT, block, signers=(1, 2, 3))))
        far.step(CertifiedBlock(block, far.certificate(Phase.COMMIT, block, signers=(0, 2, 3))))
    bench = Bench(me="ann")
    bench.application.pending = [b"work"]
    bench.step(TipSeen("bob", blocks[-1].certificate))
    for event in blocks[:-1]:
        effects = bench.step(event)
        assert of(effects, Decided)
        assert not said(effects, Proposal)
        assert not started(effects, TimerKind.ROUND)
    (proposal,) = said(bench.step(blocks[-1]), Proposal)
    assert proposal.height == 5


def test_t7_a_fresh_block_from_the_future_is_refused():
    bench = Bench()
    assert bench.feed(bench.proposal(bench.block(time_ms=bench.now_ms + 60_000))) == []


def test_t8_an_idle_chain_makes_a_block_at_the_heartbeat():
    bench = Bench(me="ann", parameters=Parameters(heartbeat_ms=60_000))
    (timer,) = started(bench.decide(), TimerKind.HEARTBEAT)
    assert timer.delay_ms == 60_000
    (proposal,) = said(bench.expire(TimerKind.HEARTBEAT), Proposal)
    assert proposal.block.transactions == ()


def test_t8_an_idle_chain_wakes_for_a_deadline():
    bench = Bench(me="ann")
    bench.application.deadline_ms = bench.now_ms + 7_000
    (timer,) = started(bench.decide(), TimerKind.HEARTBEAT)
    assert timer.delay_ms == 7_000
    bench.now_ms += 7_000
    assert said(bench.expire(TimerKind.HEARTBEAT), Proposal)


def test_t8_a_silent_leader_of_an_idle_chain_is_noticed():
    bench = Bench(parameters=Parameters(heartbeat_ms=60_000))
    bench.decide()
    assert started(bench.expire(TimerKind.HEARTBEAT), TimerKind.ROUND)
    assert said(bench.expire(TimerKind.ROUND), RoundChange)


def test_t8_without_heartbeat_or_deadline_an_idle_chain_is_quiet():
    world = World()
    world.run_for(5_000)
    assert all(not node.timers for node in world.nodes.values())
    assert not world.queue


def test_a_second_peer_is_asked_for_a_body_after_two_seconds():
    bench = Bench()
    block = bench.block()
    effects = bench.watch(bench.feed(*(bench.prepare(s, block) for s in (0, 2, 3))))
    assert started(effects, TimerKind.FETCH)[0].delay_ms == 2_000
    assert [of(bench.expire(TimerKind.FETCH), FetchBlock)[0].peers[0] for _ in range(3)] == ["cai", "dia", "ann"]
    effects = bench.step(BlockReceived(block))
    assert StopTimer(TimerKind.FETCH) in effects
    assert said(effects, Commit)
    assert not said(effects, Prepare)
