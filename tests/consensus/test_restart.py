"""Persist before send (P1 to P6), and what a restarted, wiped or copied node does."""

from dataclasses import replace

import pytest
from consensus_harness import NAMES, Bench, Node, World, said

from coseal.consensus.events import (
    BodyRecord,
    Broadcast,
    Decided,
    DecidedRecord,
    Persist,
    PreparedRecord,
    Received,
    RoundRecord,
    SignRecord,
    TimerKind,
    TipSeen,
)
from coseal.consensus.messages import Commit, Prepare, Proposal, RoundChange
from coseal.consensus.persisted import EMPTY_GUARD, encode_record, fold
from coseal.consensus.replica import Replica
from coseal.ledger.certificate import Phase


def restarted(bench, records=None):
    """Return the same node after a restart with the records it had made durable."""
    records = bench.records if records is None else records
    return Bench(bench.n, bench.me, persisted=fold([EMPTY_GUARD, *records]))


def before_send(effects, message):
    """Return the types of the records that are durable when the first message of a type leaves."""
    end = next(i for i, e in enumerate(effects) if isinstance(e, Broadcast) and isinstance(e.message, message))
    return [type(effect.record) for effect in effects[:end] if isinstance(effect, Persist)]


def test_p1_body_justification_and_sign_state_are_durable_before_a_proposal():
    bench = Bench()
    assert before_send(Bench(me="ann").effects, Proposal) == [BodyRecord, SignRecord]
    effects = bench.feed(bench.change(0, 1), bench.change(2, 1))
    assert before_send(effects, Proposal) == [RoundRecord, SignRecord, BodyRecord, RoundRecord, SignRecord]
    justification = [r for r in bench.records if isinstance(r, RoundRecord)][-1].justification
    assert [change.sender for change in justification] == [0, 1, 2]


def test_p1_a_restarted_leader_proposes_the_same_block_again():
    bench = Bench(me="ann")
    (first,) = said(bench.effects, Proposal)
    again = restarted(bench)
    again.application.pending = [b"new work"]
    assert said(again.effects, Proposal) == [first]
    assert len(said(again.effects, Prepare)) == 1

    bench = Bench(me="bob")  # in round 1, with its justification
    (first,) = said(bench.feed(bench.change(0, 1), bench.change(2, 1)), Proposal)
    assert said(restarted(bench).effects, Proposal) == [first]


def test_p2_body_and_sign_state_are_durable_before_a_prepare():
    bench = Bench()
    assert before_send(bench.feed(bench.proposal(bench.block())), Prepare) == [BodyRecord, SignRecord]


def test_p2_a_restarted_node_prepares_nothing_else_in_its_round_and_still_holds_the_body():
    bench = Bench()
    block, other = bench.block(), bench.block(transactions=[b"other"])
    (prepare,) = said(bench.feed(bench.proposal(block)), Prepare)
    again = restarted(bench)
    assert said(again.effects, Prepare) == [prepare]
    assert again.replica.body(1, block.hash) == block
    assert not said(again.feed(again.proposal(other)), Prepare)


def test_a_restarted_node_that_voted_still_waits_for_the_outcome():
    bench = Bench()
    bench.decide()
    bench.records.clear()
    bench.feed(bench.proposal(bench.block(transactions=[b"one"])))
    world = Bench(persisted=fold([EMPTY_GUARD]), start=False)
    world.decide()
    again = Replica(bench.config, world.application, world.replica.tip, bench.validators, fold(bench.records))
    effects = again.start(bench.now_ms)
    assert said(effects, Prepare)
    assert again.standing().timing  # although its pending transactions are gone


def test_p3_the_certificate_is_durable_before_a_commit_and_is_carried_after_a_restart():
    bench = Bench()
    block = bench.block()
    effects = bench.feed(bench.proposal(block), bench.prepare(0, block), bench.prepare(2, block))
    assert before_send(effects, Commit) == [BodyRecord, SignRecord, PreparedRecord, SignRecord]
    again = restarted(bench)
    assert said(again.effects, Commit) == said(effects, Commit)
    (change,) = said(again.expire(TimerKind.ROUND), RoundChange)
    assert change.prepared.block_hash == block.hash


def test_p6_a_node_taken_back_to_a_decided_height_still_carries_the_certificate_it_committed():
    bench = Bench()
    block = bench.block()
    bench.feed(bench.proposal(block), bench.prepare(0, block), bench.prepare(2, block))
    effects = bench.feed(bench.commit(0, block), bench.commit(2, block))
    assert any(isinstance(effect, Decided) for effect in effects)
    following = BodyRecord(2, Bench().block(height=2))  # persisted for the next height, which it did not sign yet
    again = restarted(bench, [*(r for r in bench.records if not isinstance(r, DecidedRecord)), following])
    assert again.replica.tip.height == 0  # the log lost the block
    (change,) = said(again.expire(TimerKind.ROUND), RoundChange)
    assert change.prepared.block_hash == block.hash


def test_p3_a_crash_between_certificate_and_commit_is_made_good():
    bench = Bench()
    block = bench.block()
    bench.feed(bench.proposal(block), bench.prepare(0, block), bench.prepare(2, block))
    again = restarted(bench, bench.records[:-1])  # the COMMIT's sign state was lost, so it never left
    assert said(again.effects, Commit)[0].block_hash == block.hash


def test_p4_the_round_is_durable_before_a_round_change_and_is_taken_up_again():
    bench = Bench()
    effects = bench.expire(TimerKind.ROUND)
    assert before_send(effects, RoundChange) == [RoundRecord, SignRecord]
    again = restarted(bench)
    assert again.replica.round == 1
    assert said(again.effects, RoundChange) == said(effects, RoundChange)
    assert not said(again.feed(again.proposal(again.block())), Prepare)


def test_p4_a_round_change_that_was_not_signed_durably_is_signed_before_it_leaves():
    bench = Bench()
    effects = bench.expire(TimerKind.ROUND)
    again = restarted(bench, bench.records[:-1])
    assert before_send(again.effects, RoundChange) == [RoundRecord, SignRecord]
    assert said(again.effects, RoundChange) == said(effects, RoundChange)


def test_p4_a_round_known_to_the_guard_alone_is_not_fallen_below():
    bench = Bench()
    bench.expire(TimerKind.ROUND)
    again = restarted(bench, [record for record in bench.records if isinstance(record, SignRecord)])
    assert again.replica.round == 1
    assert not said(again.feed(again.proposal(again.block())), Prepare)


def test_p5_the_block_is_durable_before_anything_is_said_at_the_next_height():
    bench = Bench(me="ann")
    bench.application.pending = [b"one", *(b"%d" % i for i in range(20))]
    effects = bench.decide(transactions=[b"one"])
    kinds = [type(e.record) if isinstance(e, Persist) else type(e) for e in effects]
    assert kinds.index(DecidedRecord) < kinds.index(Decided) < kinds.index(Broadcast)
    assert said(effects, Proposal)[0].height == 2


def test_a_journal_of_an_older_height_leaves_only_the_guard():
    bench = Bench()
    block = bench.block()
    bench.feed(bench.proposal(block), bench.prepare(0, block), bench.prepare(2, block))
    bench.expire(TimerKind.ROUND)
    persisted = fold([EMPTY_GUARD, *bench.records])
    bench.decide(transactions=[b"x"])
    again = Bench(persisted=persisted, start=False)
    again.decide()
    assert again.replica.round == 0
    assert again.replica.body(2, block.hash) is None


def test_a_journal_that_outlived_blocks_of_the_log_is_taken_up_when_its_height_comes():
    """It said COMMIT at height 2, lost block 1 from its log and not the journal: it may not forget the certificate."""
    bench = Bench()
    bench.decide(transactions=[b"one"])
    block = bench.block()
    leader = bench.leader(0)
    others = [index for index in range(4) if index not in (leader, NAMES.index(bench.me))]
    effects = bench.feed(bench.proposal(block), *(bench.prepare(index, block) for index in (leader, *others)))
    (commit,) = said(effects, Commit)
    again = restarted(bench, [record for record in bench.records if not isinstance(record, DecidedRecord)])
    assert again.replica.height == 1
    assert said(again.decide(transactions=[b"one"]), Commit) == [commit]
    (change,) = said(again.expire(TimerKind.ROUND), RoundChange)
    assert change.prepared.block_hash == block.hash


# --- crash at every boundary between two effects ---


def boundaries():
    """Count the effects of a run of three heights, by node."""
    world = World()
    counts = {}
    perform = world.perform

    def counting(node, effects):
        counts[node.name] = counts.get(node.name, 0) + len(effects)
        perform(node, effects)

    world.perform = counting
    scenario(world)
    return counts


def scenario(world):
    world.run_for(100)
    for number in range(2):
        world.submit(b"transaction %d" % number)
        world.run_for(100)


@pytest.mark.parametrize("name", NAMES[:2])  # the leader and a follower
def test_a_crash_between_any_two_effects_is_recovered_from(name):
    for boundary in range(boundaries()[name] + 1):
        world = World()
        left = [boundary]
        perform = world.perform

        def crashing(node, effects, world=world, left=left, perform=perform):
            if node.name != name or not node.up or left[0] > len(effects):
                left[0] -= len(effects) if node.name == name else 0
                perform(node, effects)
                return
            perform(node, effects[: left[0]])
            left[0] = 10**9
            world.crash(name)

        world.perform = crashing
        scenario(world)
        if not world[name].up:
            world.restart(name)
        world.submit(b"last")
        world.run_for(60_000, until=lambda world=world: set(world.heights().values()) == {5})
        assert world.agreed()
        assert all(b"last" in node.application.committed for node in world.nodes.values()), boundary
        assert not any(node.accusations or node.halts for node in world.nodes.values()), boundary
        assert not any(node.replica.standing().silence for node in world.nodes.values()), boundary


# --- lost, wiped, copied ---


def test_g3_a_node_without_a_journal_follows_until_the_chain_is_beyond_where_it_may_have_voted():
    world = World()
    for number in range(3):
        world.submit(b"transaction %d" % number)
        world.run_for(100)
    world.crash("dia")
    world["dia"].journal, world["dia"].signatures = [], set()
    world.restart("dia")
    world.status()
    world.run_for(3_000)
    said_before = len(world["dia"].sent)
    assert "journal was lost" in world["dia"].replica.standing().silence
    for number in range(3, 8):
        world.submit(b"transaction %d" % number)
        world.run_for(1_500)
    assert world["dia"].replica.standing().silence is None
    first = world["dia"].sent[said_before]
    assert first.height == 7  # certified up to 4 at the restart: silent up to 6
    assert len(world.agreed()) == 9


def test_g4_a_node_whose_journal_is_an_old_copy_is_silenced_by_its_own_signature():
    world = World()
    world.run_for(100)
    copy, log = list(world["cai"].journal), list(world["cai"].log)
    for number in range(3):
        world.submit(b"transaction %d" % number)
        world.run_for(100)
    assert any(2 in block[1].signers() for block in world["ann"].log[1:])  # cai's signature is out there
    world.crash("cai")
    world["cai"].journal, world["cai"].log = copy, log
    world.restart("cai")
    world.status()
    world.run_for(3_000)
    assert world["cai"].height == world["ann"].height  # it still follows
    assert "elsewhere" in world["cai"].replica.standing().silence


def test_two_nodes_with_one_key_never_make_two_blocks():
    world = World()
    twin = Node(world, "cai")
    world.nodes["cai-twin"] = twin
    twin.name = "cai-twin"
    for number in range(6):
        world.submit(b"transaction %d" % number)
        world.run_for(2_000)
    assert world.agreed()
    assert len(world["ann"].log) == 7


# --- nodes without a seat, and changes of the validators ---


def test_an_observer_follows_and_never_signs():
    world = World(observers=("olga",))
    for number in range(3):
        world.submit(b"transaction %d" % number)
        world.run_for(100)
    assert world["olga"].height == 5
    assert world["olga"].sent == []
    assert not world["olga"].timers
    assert world["olga"].journal == [encode_record(EMPTY_GUARD)]


def test_a_node_whose_key_is_not_the_seats_does_not_sign():
    bench = Bench(me="bob")
    foreign = replace(bench.config, signer=type(bench.config.signer)("mallory"))
    replica = Replica(foreign, bench.application, bench.tip, bench.validators)
    replica.start(bench.now_ms)
    assert not said(replica.step(Received("ann", bench.proposal(bench.block())), bench.now_ms), Prepare)
    assert not replica.standing().votes


def test_the_set_and_its_epoch_change_at_the_height_the_application_says():
    seats = World().validators.validators
    smaller = replace(World(5).validators, epoch=1)  # eve joins
    world = World(observers=("eve",), next_sets={2: smaller, 3: smaller, 4: smaller, 5: smaller})
    world["eve"].signer = type(world["ann"].signer)("eve")
    world.crash("eve")
    world.restart("eve")
    for number in range(4):
        world.submit(b"transaction %d" % number)
        world.run_for(1_500)
    assert len(world.agreed()) == 5
    headers = [block.header for block, _, _ in world["ann"].log]
    assert [header.epoch for header in headers] == [0, 0, 1, 1, 1]
    assert headers[1].next_validators_hash == headers[2].validators_hash == smaller.hash
    assert [certificate.epoch for _, certificate, _ in world["ann"].log] == [0, 0, 1, 1, 1]
    assert {message.height for message in world["eve"].sent} == {3, 4, 5}  # she voted from the third on
    assert len(seats) == 4


def test_a_leader_that_is_removed_is_followed_by_the_next_in_order():
    from coseal.ledger.validators import ValidatorSet

    rest = ValidatorSet(1, World(5).validators.validators[1:])  # ann, the leader, leaves
    world = World(5, next_sets=dict.fromkeys(range(2, 9), rest))
    for number in range(4):
        world.submit(b"transaction %d" % number)
        world.run_for(2_000)
    assert len(world.agreed()) == 5
    assert [block.header.proposer for block, _, _ in world["bob"].log] == ["ann", "ann", "bob", "bob", "bob"]


def test_a_tip_of_an_unknown_later_epoch_is_a_hint_only():
    bench = Bench()
    certificate = replace(bench.certificate(Phase.COMMIT, bench.block()), epoch=7, height=900)
    before = bench.state()
    assert [type(effect).__name__ for effect in bench.step(TipSeen("cai", certificate))] == ["Behind"]
    assert bench.state() == before
