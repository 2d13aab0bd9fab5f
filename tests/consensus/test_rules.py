"""One test per sentence of rules R1 to R6; docs/spec/consensus.md numbers them."""

from dataclasses import replace

from consensus_harness import GENESIS_TIME_MS, Bench, World, of, said

from coseal.consensus.bodies import BODIES_MAX
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
    Halt,
    Persist,
    PreparedRecord,
    Received,
    RoundRecord,
    SendStatus,
    SignRecord,
    TimerKind,
    TipSeen,
    WorkArrived,
)
from coseal.consensus.messages import Commit, Prepare, Proposal, RoundChange
from coseal.ledger.certificate import Phase

# --- R1 PROPOSE ---


def test_r1_the_leader_of_round_0_proposes_the_first_block_at_start():
    bench = Bench(me="ann")
    (proposal,) = said(bench.effects, Proposal)
    assert (proposal.height, proposal.round, proposal.justification) == (1, 0, ())
    assert proposal.block.header.parent_hash == bench.tip.hash


def test_r1_the_leader_waits_for_work_and_then_proposes_at_once():
    bench = Bench(me="ann")
    bench.decide()
    assert said(bench.effects, Proposal)[1:] == []
    bench.application.pending = [b"work"]
    (proposal,) = said(bench.step(WorkArrived()), Proposal)
    assert (proposal.height, proposal.block.transactions) == (2, (b"work",))


def test_r1_a_fresh_block_is_later_than_its_parent_whatever_the_clock_says():
    bench = Bench(me="ann")
    bench.decide(time_ms=bench.now_ms + 400)
    bench.application.pending = [b"work"]
    (proposal,) = said(bench.step(WorkArrived()), Proposal)
    assert proposal.block.header.time_ms == bench.now_ms + 401


def test_r1_after_round_0_the_leader_needs_round_changes_of_a_quorum():
    bench = Bench(me="bob")
    effects = bench.feed(bench.change(0, 1), bench.change(2, 1))  # f+1: bob joins, so three ask for round 1
    (proposal,) = said(effects, Proposal)
    assert [change.sender for change in proposal.justification] == [0, 1, 2]
    assert (proposal.round, proposal.block.header.created_round) == (1, 1)

    bench = Bench(me="bob", n=7)
    effects = bench.feed(*(bench.change(sender, 1) for sender in (0, 2, 3)))
    assert said(effects, RoundChange)
    assert not said(effects, Proposal)  # four of five
    assert said(bench.feed(bench.change(4, 1)), Proposal)


def test_r1_the_block_of_the_highest_certificate_is_proposed_again_unchanged():
    bench = Bench(me="dia", n=4)  # leads round 3
    older, newer = bench.block(), bench.block(round=1)
    low = bench.certificate(Phase.PREPARE, older, round=0)
    high = bench.certificate(Phase.PREPARE, newer, round=1)
    effects = bench.feed(bench.change(0, 3, low), bench.change(2, 3, high))
    (fetch,) = of(effects, FetchBlock)
    assert (fetch.block_hash, fetch.peers[0]) == (newer.hash, "cai")  # who carries it holds it
    (proposal,) = said(bench.step(BlockReceived(newer)), Proposal)
    assert proposal.block == newer
    assert high in [change.prepared for change in proposal.justification]


def test_r1_only_the_leader_proposes():
    bench = Bench(me="cai")
    assert not said(bench.effects + bench.feed(bench.change(0, 1), bench.change(1, 1), bench.change(3, 1)), Proposal)


# --- R2 PREPARE ---


def test_r2_a_good_proposal_is_prepared():
    bench = Bench()
    block = bench.block(transactions=[b"one"])
    effects = bench.feed(bench.proposal(block))
    (prepare,) = said(effects, Prepare)
    assert (prepare.round, prepare.block_hash) == (0, block.hash)


def test_r2_a_round_is_prepared_once_and_a_second_proposal_is_evidence():
    bench = Bench()
    first, second = bench.proposal(bench.block()), bench.proposal(bench.block(transactions=[b"other"]))
    bench.feed(first)
    effects = bench.feed(second)
    assert effects == [Accuse("ann", first, second)]
    assert bench.feed(second) == []  # said once


def test_r2_a_proposal_of_another_than_the_leader_is_refused():
    bench = Bench()
    assert bench.feed(bench.proposal(bench.block(), sender=2)) == []


def test_r2_a_block_that_does_not_execute_is_not_prepared():
    bench = Bench()
    assert not said(bench.feed(bench.proposal(bench.block(transactions=[b"bad one"]))), Prepare)
    bench = Bench()
    assert not said(bench.feed(bench.proposal(bench.block(state_root=b"\1" * 32))), Prepare)


def test_r2_a_proposal_again_must_be_the_certified_block_and_its_time_is_not_judged():
    bench = Bench(me="dia")
    old = bench.block(time_ms=bench.now_ms - 3_600_000 + 3_599_500)
    certificate = bench.certificate(Phase.PREPARE, old, signers=(0, 1, 2))
    changes = [bench.change(s, 1, certificate if s == 0 else None) for s in (0, 1, 2)]
    bench.now_ms += 50_000_000  # hours later
    assert not said(bench.feed(bench.proposal(bench.block(round=1), round=1, justification=changes)), Prepare)
    (prepare,) = said(bench.feed(bench.proposal(old, round=1, justification=changes)), Prepare)
    assert (prepare.round, prepare.block_hash) == (1, old.hash)


def test_r2_a_certified_block_whose_execution_differs_halts_the_node():
    bench = Bench(me="dia")
    odd = bench.block(state_root=b"\1" * 32)
    certificate = bench.certificate(Phase.PREPARE, odd, signers=(0, 1, 2))
    changes = [bench.change(s, 1, certificate if s == 0 else None) for s in (0, 1, 2)]
    effects = bench.feed(bench.proposal(odd, round=1, justification=changes))
    assert "another root" in of(effects, Halt)[0].reason
    assert bench.replica.halted
    assert bench.feed(bench.change(0, 2)) == []


def test_r2_fresh_after_round_0_needs_a_justification():
    bench = Bench(me="dia")
    block = bench.block(round=1)
    changes = [bench.change(s, 1) for s in (0, 1, 2)]
    assert not said(bench.feed(bench.proposal(block, round=1, justification=changes[:2])), Prepare)
    assert not said(bench.feed(bench.proposal(block, round=1)), Prepare)
    effects = bench.feed(bench.proposal(block, round=1, justification=changes))
    assert said(effects, RoundChange)  # q ask for round 1, so we do too
    assert said(effects, Prepare)


# --- R3 PREPARED ---


def test_r3_a_quorum_of_prepares_is_committed_to_with_certificate_and_body_durable_first():
    bench = Bench()
    block = bench.block()
    bench.feed(bench.proposal(block))
    assert not said(bench.feed(bench.prepare(0, block)), Commit)
    effects = bench.feed(bench.prepare(2, block))
    kinds = [type(effect.record) if isinstance(effect, Persist) else type(effect) for effect in effects]
    assert kinds[:3] == [PreparedRecord, SignRecord, Broadcast]
    assert said(effects, Commit)[0].block_hash == block.hash
    assert [type(record) for record in bench.records][:2] == [BodyRecord, SignRecord]  # the body came with our PREPARE


def test_r3_prepares_for_another_block_or_round_do_not_count():
    bench = Bench()
    block, other = bench.block(), bench.block(transactions=[b"other"])
    bench.feed(bench.proposal(block))
    assert not said(
        bench.feed(bench.prepare(0, block), bench.prepare(2, other), bench.prepare(3, block, round=1)), Commit
    )


def test_r3_holds_only_while_in_the_round():
    bench = Bench()
    block = bench.block()
    bench.feed(bench.proposal(block), bench.prepare(0, block))
    bench.expire(TimerKind.ROUND)
    assert bench.replica.round == 1
    assert not said(bench.feed(bench.prepare(2, block), bench.prepare(3, block)), Commit)
    assert not [record for record in bench.records if isinstance(record, PreparedRecord)]


def test_r3_a_body_that_is_missing_is_fetched_and_then_committed_to():
    bench = Bench()
    block = bench.block()
    effects = bench.feed(*(bench.prepare(s, block) for s in (0, 2, 3)))
    assert of(effects, FetchBlock)[0].peers == ("ann", "cai", "dia")
    effects = bench.step(BlockReceived(block))
    assert [record for record in bench.records if isinstance(record, BodyRecord)]
    assert said(effects, Commit)


# --- R4 DECIDE ---


def test_r4_a_quorum_of_commits_decides_and_the_block_is_durable_first():
    bench = Bench()
    block = bench.block(transactions=[b"one"])
    bench.feed(bench.proposal(block), bench.commit(0, block))
    assert bench.replica.height == 1
    effects = bench.feed(bench.commit(2, block), bench.commit(3, block))
    kinds = [type(e.record) if isinstance(e, Persist) else type(e) for e in effects]
    assert kinds.index(DecidedRecord) < kinds.index(Decided)
    assert (bench.replica.height, bench.application.committed) == (2, [b"one"])


def test_r4_a_quorum_of_commits_of_an_older_round_decides():
    bench = Bench()
    block = bench.block()
    bench.feed(bench.proposal(block), bench.commit(0, block))
    bench.expire(TimerKind.ROUND)
    bench.feed(bench.change(0, 4), bench.change(2, 4))
    assert bench.replica.round == 4
    bench.feed(bench.commit(2, block), bench.commit(3, block))
    assert bench.replica.tip.hash == block.hash
    assert bench.replica.tip.certificate.round == 0


def test_r4_the_body_is_fetched_when_only_the_votes_came():
    bench = Bench()
    block = bench.block()
    effects = bench.feed(*(bench.commit(s, block) for s in (0, 2, 3)))
    assert of(effects, FetchBlock)[0].block_hash == block.hash
    assert of(bench.step(BlockReceived(block)), Decided)


def test_r4_a_block_with_its_certificate_decides_in_any_round():
    bench = Bench()
    block = bench.block(transactions=[b"one"])
    certificate = bench.certificate(Phase.COMMIT, block, round=7)
    assert of(bench.step(CertifiedBlock(block, certificate)), Decided)
    assert bench.replica.tip.certificate == certificate


def test_r4_a_certificate_that_does_not_hold_decides_nothing():
    bench = Bench()
    block = bench.block()
    good = bench.certificate(Phase.COMMIT, block)
    for bad in (
        bench.certificate(Phase.PREPARE, block),
        bench.certificate(Phase.COMMIT, block, signers=(0, 2)),
        bench.certificate(Phase.COMMIT, block, height=2),
        bench.certificate(Phase.COMMIT, bench.block(transactions=[b"other"])),
        replace(good, signatures=(*good.signatures[:2], bytes(64))),
        replace(good, epoch=1),
    ):
        assert bench.step(CertifiedBlock(block, bad)) == []
    assert bench.replica.height == 1


def test_r4_a_certified_block_with_another_root_halts():
    bench = Bench()
    block = bench.block(receipts_root=b"\2" * 32)
    effects = bench.step(CertifiedBlock(block, bench.certificate(Phase.COMMIT, block)))
    assert [type(effect) for effect in effects] == [Halt]
    assert bench.replica.height == 1


def test_r4_a_certified_block_on_another_parent_halts():
    bench = Bench()
    block = bench.block(parent_hash=b"\3" * 32)
    effects = bench.step(CertifiedBlock(block, bench.certificate(Phase.COMMIT, block)))
    assert "parent_hash" in of(effects, Halt)[0].reason


# --- R5 ROUND-CHANGE ---


def test_r5_a_timeout_asks_for_the_next_round_with_the_highest_certificate():
    bench = Bench()
    block = bench.block()
    bench.feed(bench.proposal(block), bench.prepare(0, block), bench.prepare(2, block))
    effects = bench.expire(TimerKind.ROUND)
    (change,) = said(effects, RoundChange)
    assert (change.round, change.prepared.block_hash) == (1, block.hash)
    kinds = [type(e.record) for e in effects if isinstance(e, Persist)]
    assert kinds == [RoundRecord, SignRecord]


def test_r5_f_plus_1_that_ask_for_more_are_joined_at_the_lowest_of_their_highest():
    bench = Bench(n=7)  # f + 1 = 3
    assert bench.feed(bench.change(0, 9), bench.change(2, 4)) == []
    effects = bench.feed(bench.change(3, 6))
    assert said(effects, RoundChange)[0].round == bench.replica.round == 4


def test_r5_f_nodes_alone_move_nobody():
    bench = Bench(n=7)
    before = bench.replica.round
    for round in (1, 5, 2**32 - 1):
        assert bench.feed(bench.change(0, round), bench.change(2, round)) == []
    assert bench.replica.round == before


def test_r5_after_it_nothing_is_prepared_or_committed_below():
    bench = Bench()
    block = bench.block()
    bench.expire(TimerKind.ROUND)
    effects = bench.feed(
        bench.proposal(block), bench.prepare(0, block), bench.prepare(2, block), bench.prepare(3, block)
    )
    assert not said(effects, Prepare) + said(effects, Commit)


def test_r5_a_claimed_certificate_that_does_not_hold_drops_that_message_alone():
    bench = Bench(me="dia")
    block = bench.block()
    false = bench.certificate(Phase.PREPARE, block, signers=(0, 1))
    effects = bench.feed(bench.change(0, 1, false), bench.change(1, 1))
    assert effects == []
    assert said(bench.feed(bench.change(2, 1)), RoundChange)  # the two honest ones are f + 1


# --- R6 other heights ---


def test_r6_a_lower_height_is_answered_with_our_status():
    bench = Bench()
    late = bench.prepare(2, bench.block())
    bench.decide()
    assert bench.step(Received("cai", late)) == [SendStatus("cai")]


def test_r6_messages_of_the_next_height_are_kept_and_used():
    leader, follower = Bench(me="ann"), Bench(me="bob")
    leader.decide()
    leader.application.pending = [b"next"]
    block = leader.block(transactions=[b"next"])
    early = [leader.proposal(block), leader.prepare(0, block), leader.prepare(2, block)]
    assert follower.feed(*early) == []
    effects = follower.decide()
    assert said(effects, Prepare)[0].height == 2
    assert said(effects, Commit)[0].block_hash == block.hash


def test_r6_heights_beyond_are_a_hint_when_f_plus_1_speak_of_them():
    bench, far = Bench(), Bench(me="ann")
    for _ in range(3):
        far.decide()
    block = far.block()
    assert bench.feed(far.prepare(0, block)) == []
    assert bench.feed(far.prepare(2, block)) == [Behind(3, "cai")]


def test_r6_a_verified_certificate_of_a_later_height_stops_the_timers():
    bench, far = Bench(), Bench(me="ann")
    for _ in range(3):
        far.decide()
    effects = bench.step(TipSeen("cai", far.replica.tip.certificate))
    assert Behind(3, "cai") in effects
    assert not bench.replica.standing().timing
    forged = replace(far.replica.tip.certificate, signatures=(bytes(64),) * 3)
    assert Bench().step(TipSeen("cai", forged)) == []


# --- bounds of the replica; those of the votes are in test_votes.py ---


def test_b4_a_justified_proposal_of_any_later_round_is_taken():
    bench = Bench(me="dia")
    changes = [bench.change(sender, 10) for sender in (0, 1, 2)]
    effects = bench.feed(bench.proposal(bench.block(round=10), round=10, justification=changes))
    assert (bench.replica.round, said(effects, Prepare)[0].round) == (10, 10)


def test_b5_of_later_heights_only_the_next_is_kept():
    bench = Bench()
    vote = bench.prepare(2, bench.block())
    bench.feed(replace(vote, height=3), replace(vote, height=2**63 - 1))
    assert bench.replica._next.messages() == []
    bench.feed(replace(vote, height=2))
    assert [message.height for message in bench.replica._next.messages()] == [2]


def test_b6_no_more_than_eight_bodies_are_held_beside_the_needed_one():
    bench = Bench(me="dia")
    first = bench.block(transactions=[b"prepared"])
    bench.feed(bench.proposal(first), *(bench.prepare(s, first) for s in (0, 1)))
    for round in [r for r in range(1, 40) if r % 4 != 3]:
        certificate = bench.replica._height.prepared
        changes = [bench.change(s, round) for s in (0, 1, 2)]
        bench.feed(bench.proposal(bench.block(round=round), round=round, justification=changes))
        assert bench.replica._height.prepared == certificate
    assert len(bench.replica._height.bodies.all()) <= BODIES_MAX + 1
    assert bench.replica.body(1, first.hash) == first


# --- all of them together ---


def test_every_rule_fires_in_a_run_with_a_silent_leader():
    quiet_until_ms = GENESIS_TIME_MS + 4_000
    world = World()
    world.queue.clear()  # the first proposal is lost
    world.filter = lambda sender, receiver, payload: sender != "ann" or world.now_ms > quiet_until_ms
    world.run_for(20_000)
    world.submit(b"late")
    world.run_for(20_000)
    fired = {rule for node in world.nodes.values() for rule in node.replica.fired}
    assert {"R1", "R2", "R3", "R4", "R5", "R6"} <= fired
    assert len(world.agreed()) == 2
