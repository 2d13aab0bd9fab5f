"""What attackers and other systems' failures teach; the row names are those of the project's attack table."""

import tracemalloc
from dataclasses import fields, replace

import pytest
from consensus_harness import (
    CHAIN_ID,
    GENESIS_TIME_MS,
    NAMES,
    Bench,
    World,
    of,
    said,
    toy_verify,
    validator_set,
)

from coseal.consensus.events import Accuse, CertifiedBlock, Decided, Received, TimerKind
from coseal.consensus.messages import (
    Commit,
    Prepare,
    Proposal,
    RoundChange,
    decode_message,
    encode_message,
    preimage,
    verify_message,
)
from coseal.consensus.persisted import EMPTY_GUARD, fold
from coseal.ledger.block import MAX_BLOCK_BYTES, Block, Header
from coseal.ledger.certificate import Phase
from coseal.ledger.errors import BadSignature, Malformed
from coseal.ledger.signing import TAG_HTTP, TAG_TRANSACTION, body_preimage

# --- C1: certificates inside messages ---


def bad_certificates(bench, block):
    good = bench.certificate(Phase.PREPARE, block, signers=(0, 2, 3))
    return {
        "a signer too few": bench.certificate(Phase.PREPARE, block, signers=(0, 2)),
        "a padding bit": replace(good, bitmap=b"\x1d", signatures=(*good.signatures, bytes(64))),
        "a wrong length": replace(good, bitmap=b"\x0d\0"),
        "one bad signature beyond q": replace(
            bench.certificate(Phase.PREPARE, block, signers=(0, 1, 2, 3)), signatures=(*good.signatures, bytes(64))
        ),
        "a foreign epoch": replace(good, epoch=1),
        "another order": replace(good, signatures=good.signatures[::-1]),
        "nothing": replace(good, bitmap=b"\0", signatures=()),
        "one signature twice": replace(good, signatures=(good.signatures[0],) * 3),
        "commits": bench.certificate(Phase.COMMIT, block),
    }


@pytest.mark.parametrize("name", sorted(bad_certificates(Bench(), Bench().block())))
def test_c1_a_false_certificate_in_a_round_change_is_refused_without_change(name):
    bench = Bench()
    before = bench.state()
    assert bench.feed(bench.change(0, 1, bad_certificates(bench, bench.block())[name])) == []
    assert bench.state() == before


@pytest.mark.parametrize("name", sorted({*bad_certificates(Bench(), Bench().block())} - {"commits"}))
def test_c1_a_false_parent_certificate_in_a_fresh_block_is_refused(name):
    bench = Bench(me="cai")
    parent = bench.block()
    certificate = bad_certificates(bench, parent)[name]
    bench.decide()
    block = bench.block()
    forged = Block(replace(block.header, last_commit_hash=certificate.hash), (), certificate)
    assert bench.feed(bench.proposal(forged)) == []


# --- C2: what is signed in one role, place or chain verifies in no other ---


def test_c2_no_signature_verifies_in_another_role_or_place():
    bench = Bench()
    validators, block = bench.validators, bench.block()
    prepare = bench.prepare(0, block)
    change = replace(bench.change(0, 1), round=0)
    older = bench.certificate(Phase.PREPARE, block, round=1)
    for false in (
        Commit(0, 1, 0, 0, block.hash, prepare.signature),
        Proposal(0, 1, 0, 0, block, (), prepare.signature),
        RoundChange(0, 1, 1, 0, None, prepare.signature),
        replace(prepare, height=2),
        replace(prepare, round=1),
        replace(prepare, sender=2),
        replace(prepare, block_hash=bytes(32)),
        change,
        replace(bench.change(0, 2), prepared=bench.certificate(Phase.PREPARE, block)),
        replace(bench.change(0, 3, bench.certificate(Phase.PREPARE, block, round=2)), prepared=older),
    ):
        with pytest.raises(BadSignature):
            verify_message(CHAIN_ID, validators, false, toy_verify)
    with pytest.raises(BadSignature):
        verify_message(bytes(32), validators, prepare, toy_verify)
    with pytest.raises(BadSignature):
        verify_message(CHAIN_ID, validator_set(4, epoch=1), prepare, toy_verify)
    verify_message(CHAIN_ID, validators, prepare, toy_verify)


def test_c2_a_transaction_is_never_taken_for_an_http_request_nor_either_for_a_vote():
    body = b"body"
    texts = [body_preimage(TAG_TRANSACTION, CHAIN_ID, body), body_preimage(TAG_HTTP, CHAIN_ID, body)]
    texts += [preimage(CHAIN_ID, m) for m in (Bench().prepare(0, Bench().block()), Bench().change(0, 1))]
    assert len({text[:24] for text in texts}) == 4


# --- C3: equivocation ---


def test_c3_an_equivocating_leader_and_voter_are_accused_and_at_most_one_block_is_decided():
    bench = Bench()
    block, other = bench.block(), bench.block(transactions=[b"other"])
    bench.feed(bench.proposal(block), bench.prepare(2, block))
    assert of(bench.feed(bench.proposal(other)), Accuse)[0].node == "ann"
    assert of(bench.feed(bench.prepare(2, other)), Accuse)[0].node == "cai"
    assert said(bench.feed(bench.prepare(0, block)), Commit)[0].block_hash == block.hash


def test_c3_two_round_changes_to_one_round_with_different_certificates_are_evidence():
    bench = Bench()
    certificate = bench.certificate(Phase.PREPARE, bench.block())
    bench.feed(bench.change(0, 1))
    (accusation,) = bench.feed(bench.change(0, 1, certificate))
    assert (accusation.first.prepared, accusation.second.prepared) == (None, certificate)


def test_c3_a_vote_in_a_certificate_that_differs_from_the_one_that_was_sent_is_evidence():
    """Who shows one side one vote and the other side another is found out by the certificate that decides."""
    bench = Bench(me="dia")
    block, other = bench.block(), bench.block(transactions=[b"other"])
    told, shown = bench.commit(0, block), bench.commit(0, other)
    bench.feed(bench.proposal(block), told, bench.commit(1, other))
    certificate = bench.certificate(Phase.COMMIT, other, signers=(0, 1, 2))
    effects = bench.step(CertifiedBlock(other, certificate))
    assert of(effects, Accuse) == [Accuse("ann", told, shown)]
    assert of(effects, Decided)


def test_c3_a_prepare_in_a_round_change_that_differs_from_the_one_that_was_sent_is_evidence():
    bench = Bench(me="dia")
    block, other = bench.block(), bench.block(transactions=[b"other"])
    bench.feed(bench.proposal(block), bench.prepare(1, block), bench.prepare(2, other))
    certificate = bench.certificate(Phase.PREPARE, other, signers=(0, 1, 2))
    effects = bench.feed(bench.change(2, 1, certificate))
    (accusation,) = of(effects, Accuse)
    assert (accusation.node, accusation.second) == ("bob", bench.prepare(1, other))
    for found in (accusation.first, accusation.second):
        verify_message(CHAIN_ID, bench.validators, found, toy_verify)
    assert of(bench.feed(bench.change(0, 1, certificate)), Accuse) == []


# --- C4: round changes and their bundles ---


def test_c4_a_false_claim_hides_nobody_and_moves_nobody():
    bench = Bench(me="dia")
    block = bench.block()
    for false in bad_certificates(bench, block).values():
        assert bench.feed(bench.change(0, 2**32 - 1, false)) == []
    assert bench.replica.round == 0
    assert bench.feed(bench.change(1, 1)) == []
    assert said(bench.feed(bench.change(2, 1)), RoundChange)


@pytest.mark.parametrize("n", [4, 5, 6, 7])
def test_c4_a_bundle_of_one_too_few_or_with_one_signer_twice_justifies_nothing(n):
    bench = Bench(n, me=NAMES[n - 1])
    quorum = 2 * n // 3 + 1
    block = bench.block(round=1)
    changes = [bench.change(sender, 1) for sender in range(n)]
    assert bench.feed(bench.proposal(block, round=1, justification=changes[: quorum - 1])) == []
    assert bench.feed(bench.proposal(block, round=1, justification=[*changes[: quorum - 1], changes[0]])) == []
    wrong_round = [*changes[: quorum - 1], bench.change(quorum - 1, 2)]
    assert bench.feed(bench.proposal(block, round=1, justification=wrong_round)) == []
    forged = replace(changes[quorum - 1], signature=bytes(64))
    assert bench.feed(bench.proposal(block, round=1, justification=[*changes[: quorum - 1], forged])) == []
    assert said(bench.feed(bench.proposal(block, round=1, justification=changes[:quorum])), Prepare)


def test_c4_a_certificate_cannot_be_hidden_or_swapped_for_an_older_one():
    bench = Bench(me="dia")
    older, newer = bench.block(), bench.block(round=1)
    low = bench.certificate(Phase.PREPARE, older, signers=(0, 1, 2))
    high = bench.certificate(Phase.PREPARE, newer, round=1, signers=(0, 1, 2))
    honest = [bench.change(0, 2, low), bench.change(1, 2, high), bench.change(2, 2)]
    swapped = [honest[0], replace(honest[1], prepared=low), honest[2]]
    stripped = [honest[0], replace(honest[1], prepared=None), honest[2]]
    for changes in (swapped, stripped):
        assert bench.feed(bench.proposal(older, round=2, justification=changes)) == []
    assert bench.feed(bench.proposal(older, round=2, justification=honest)) == []
    assert bench.feed(bench.proposal(bench.block(round=2), round=2, justification=honest)) == []
    assert said(bench.feed(bench.proposal(newer, round=2, justification=honest)), Prepare)


# --- C5: proposals that must not be looked into ---


def test_c5_by_another_than_the_leader_on_a_stale_parent_or_of_a_future_height():
    bench = Bench(me="cai")
    stale = bench.block()
    bench.decide()
    before = bench.state()
    assert bench.feed(bench.proposal(bench.block(), sender=1)) == []
    assert bench.feed(bench.proposal(bench.block(parent_hash=CHAIN_ID))) == []
    assert bench.feed(bench.proposal(bench.block(height=3))) == []
    assert bench.feed(bench.proposal(stale)) == []
    assert bench.state() == before


def test_c5_a_body_that_does_not_hash_or_a_block_of_one_byte_too_many_does_not_decode():
    bench = Bench()
    block = bench.block(transactions=[b"one"])
    false = Block(block.header, (b"two",), None)
    with pytest.raises(Malformed):
        decode_message(encode_message(bench.proposal(false)))
    room = MAX_BLOCK_BYTES - len(bench.block(transactions=[b"x" * (MAX_BLOCK_BYTES - 1_000)]).raw) + 1_000
    exact = bench.block(transactions=[b"x" * (MAX_BLOCK_BYTES - 1_000 + room - 1_000)])
    assert len(exact.raw) == MAX_BLOCK_BYTES
    assert decode_message(encode_message(bench.proposal(exact)))
    over = bench.block(transactions=[b"x" * (MAX_BLOCK_BYTES - 1_000 + room - 999)])
    with pytest.raises(Malformed):
        decode_message(encode_message(bench.proposal(over)))


def test_c5_a_block_over_the_chains_own_limits_is_refused():
    bench = Bench()
    limit = len(bench.block(transactions=[b"x" * 100]).raw)
    tight = Bench(parameters=replace(bench.parameters, block_bytes_max=limit, block_transactions_max=2))
    assert tight.feed(tight.proposal(tight.block(transactions=[b"x" * 101]))) == []
    assert tight.feed(tight.proposal(tight.block(transactions=[b"x", b"y", b"z"]))) == []
    assert said(tight.feed(tight.proposal(tight.block(transactions=[b"x" * 100]))), Prepare)


# --- C6: storms ---


def test_c6_a_storm_of_round_changes_from_f_nodes_moves_nobody_and_stays_small():
    bench = Bench()
    certificate = bench.certificate(Phase.PREPARE, bench.block())
    bench.feed(bench.change(0, 1, certificate))
    size = len(repr(bench.state()))
    for number in range(10_000):
        round = 2 + number if number % 2 else 2**32 - 1 - number
        change = bench.change(0, max(1, round), certificate if number % 7 == 0 else None)
        effects = bench.replica.step(Received("ann", change), bench.now_ms)
        assert all(isinstance(effect, Accuse) for effect in effects)
    assert bench.replica.round == 0
    assert len(repr(bench.state())) <= size + 200


@pytest.mark.parametrize(("n", "senders"), [(4, (0,)), (7, (0, 2))])
def test_c6_a_hundred_thousand_round_changes_of_f_nodes_move_nobody_and_take_no_memory(n, senders):
    bench = Bench(n)
    bench.feed(*(bench.change(sender, 1) for sender in senders))
    signers = {sender: bench.change(sender, 1).signature for sender in senders}
    tracemalloc.start()
    try:
        for number in range(100_000):
            sender = senders[number % len(senders)]
            round = 2 + number if number % 3 else 2**32 - 1 - number
            if number % 10:  # most cost their sender nothing: the signature of another round
                change = RoundChange(0, 1, round, sender, None, signers[sender])
            else:
                change = bench.change(sender, round)
            effects = bench.replica.step(Received(NAMES[sender], change), bench.now_ms)
            assert all(isinstance(effect, Accuse) for effect in effects)
            if number == 5_000:
                before = tracemalloc.get_traced_memory()[0]
        assert tracemalloc.get_traced_memory()[0] - before < 64 * 1024
    finally:
        tracemalloc.stop()
    assert bench.replica.round == 0


def test_c6_votes_of_every_round_and_height_leave_no_more_than_the_bounds():
    bench = Bench()
    block = bench.block()
    for round in range(300):
        bench.feed(bench.prepare(0, block, round=round), bench.commit(0, block, round=round))
        bench.feed(replace(bench.prepare(0, block, round=round), height=2), replace(bench.commit(0, block), height=9))
    assert len(bench.replica._height.votes.messages()) == 4  # rounds 0 and 1
    assert len(bench.replica._next.messages()) == 2


# --- C7: every header field, one at a time ---

_FLIPPED = {
    "version": 2,
    "chain_id": bytes(32),
    "height": 2,
    "parent_hash": bytes(32),
    "epoch": 1,
    "validators_hash": bytes(32),
    "next_validators_hash": bytes(32),
    "proposer": "cai",
    "created_round": 1,
    "time_ms": GENESIS_TIME_MS,
    "tx_root": bytes(32),
    "tx_count": 0,
    "receipts_root": bytes(32),
    "state_root": b"\1" * 32,
    "last_commit_hash": b"\1" * 32,
}


@pytest.mark.parametrize("field", [field.name for field in fields(Header)])
def test_c7_a_block_with_one_header_field_flipped_is_not_prepared(field):
    bench = Bench()
    block = bench.block(transactions=[b"one"])
    assert getattr(block.header, field) != _FLIPPED[field]
    flipped = Block(replace(block.header, **{field: _FLIPPED[field]}), block.transactions, None)
    message = bench.proposal(flipped)
    try:
        decoded = decode_message(encode_message(message))
    except Malformed:
        assert field in ("version", "tx_root", "tx_count", "last_commit_hash")
        return
    assert not said(bench.step(Received("ann", decoded)), Prepare)


# --- C8: time ---


@pytest.mark.parametrize(
    ("round", "offset_ms", "good"),
    [
        (0, -2_500, True),
        (0, -2_501, False),
        (0, 500, True),
        (0, 501, False),
        (1, -5_000, True),
        (1, -5_001, False),
        (1, 1_000, True),
        (1, 1_001, False),
        (9, -60_000, True),
        (9, -60_001, False),
        (9, 60_000, True),
        (9, 60_001, False),
        (300, -60_000, True),
        (300, 60_001, False),
    ],
)
def test_c8_the_window_of_a_fresh_block_doubles_with_the_round_up_to_a_minute(round, offset_ms, good):
    bench = Bench(me="dia")
    bench.now_ms = GENESIS_TIME_MS + 3_600_000
    sender = round % 4
    if sender == 3:
        pytest.fail("the replica itself would lead")
    block = bench.block(round=round, time_ms=bench.now_ms + offset_ms)
    changes = [bench.change(s, round) for s in (0, 1, 2)] if round else []
    effects = bench.feed(bench.proposal(block, round=round, justification=changes))
    assert bool(said(effects, Prepare)) == good


def test_c8_time_is_after_the_parents_and_may_be_one_past_it_whatever_the_clock():
    bench = Bench(me="cai")
    bench.decide(time_ms=bench.now_ms + 400)
    parent_ms = bench.replica.tip.time_ms
    bench.now_ms -= 3_000  # our clock fell behind
    assert bench.feed(bench.proposal(bench.block(time_ms=parent_ms))) == []
    assert bench.feed(bench.proposal(bench.block(time_ms=parent_ms + 2))) == []
    assert bench.feed(bench.proposal(bench.block(time_ms=2**63 - 1))) == []
    assert said(bench.feed(bench.proposal(bench.block(time_ms=parent_ms + 1))), Prepare)
    with pytest.raises(Malformed):
        decode_message(encode_message(bench.proposal(bench.block(time_ms=2**63))))


@pytest.mark.parametrize("offset_ms", [-3_600_000, -2_501, 501, 3_600_000])
def test_c8_a_block_proposed_again_with_its_certificate_is_prepared_whatever_its_time(offset_ms):
    """FISCO-BCOS #4123: clocks do not wedge a block that may have committed."""
    bench = Bench(me="dia")
    bench.now_ms = GENESIS_TIME_MS + 7_200_000
    block = bench.block(time_ms=bench.now_ms + offset_ms)
    assert bench.feed(bench.proposal(block)) == []
    prepared = bench.certificate(Phase.PREPARE, block, signers=(0, 1, 2))
    changes = [bench.change(0, 1, prepared), bench.change(1, 1), bench.change(2, 1)]
    effects = bench.feed(bench.proposal(block, round=1, justification=changes))
    assert said(effects, Prepare)[0].block_hash == block.hash


# --- known failures of others ---


def test_a_block_that_may_have_committed_survives_every_leader_after():
    """Sawtooth PBFT, ByzCoin: one node committed in round 0, the others must not choose anew."""
    world = World()

    def lose(sender, receiver, payload):
        message = decode_message(payload[1]) if payload[0] == "message" else None
        lost = isinstance(message, Commit) and message.round == 0 and receiver != "dia"
        return not lost and not (sender == "dia" and message is None)  # nor does dia tell of its tip

    world.filter = lose
    world.run()
    assert len(world["dia"].log) == 1  # dia alone saw the commits
    world.crash("dia")
    world.run_for(10_000)
    world.restart("dia")
    world.run_for(3_000)
    assert len(world.agreed()) == 1
    assert world["ann"].log[0][0].header.created_round == 0
    assert world["ann"].log[0][1].round > 0


def test_one_nodes_huge_round_does_not_drag_the_others():
    """FISCO-BCOS #2211."""
    bench = Bench()
    bench.feed(bench.change(0, 2**32 - 1))
    effects = bench.feed(bench.change(2, 3))
    assert said(effects, RoundChange)[0].round == 3


def test_a_decision_and_a_round_change_do_not_block_each_other():
    """SmartBFT #622: commits of round 0 arrive after we asked for round 1."""
    bench = Bench()
    block = bench.block()
    bench.feed(bench.proposal(block), bench.prepare(0, block), bench.prepare(2, block))
    bench.expire(TimerKind.ROUND)
    assert of(bench.feed(bench.commit(0, block), bench.commit(3, block)), Decided)  # ours of round 0 counts still


def test_timeouts_are_capped_and_a_restart_of_all_goes_on():
    """Besu #7642, #8307."""
    world = World()
    world.queue.clear()
    world.filter = lambda sender, receiver, payload: False
    world.run_for(300_000)
    for name in world.nodes:
        world.crash(name)
    world.filter = lambda sender, receiver, payload: True
    for name in world.nodes:
        world.restart(name)
    world.run_for(200_000, until=lambda: len(world["ann"].log) == 1)
    assert len(world["ann"].log) == 1


def test_a_skewed_clock_does_not_wedge_a_pending_block():
    """FISCO-BCOS #4123: a block that is prepared is proposed again however old its time is."""
    world = World()
    world.run()
    world.filter = lambda sender, receiver, payload: (
        not (payload[0] == "message" and isinstance(decode_message(payload[1]), Commit))
    )
    world.submit(b"pending")
    world.run_for(20_000)
    assert len(world["ann"].log) == 1
    world.now_ms += 86_400_000
    world.filter = lambda sender, receiver, payload: True
    world.run_for(200_000, until=lambda: b"pending" in world["dia"].application.committed)
    assert b"pending" in world["dia"].application.committed


def test_one_key_on_two_hosts_is_noticed_and_stops():
    """FISCO-BCOS #3617."""
    bench = Bench()
    block = bench.block()
    bench.feed(bench.proposal(block))
    other = bench.block(transactions=[b"other"])
    bench.step(Received("dia", bench.prepare(1, other)))  # a PREPARE by bob that this bob never signed
    assert "elsewhere" in bench.replica.standing().silence
    assert not said(bench.feed(bench.prepare(0, block), bench.prepare(2, block), bench.prepare(3, block)), Commit)
    assert not said(Bench(persisted=fold([EMPTY_GUARD, *bench.records])).effects, Prepare)  # for good


def test_one_signer_sent_many_times_counts_once():
    """Monad, Iroha CVE-2018-3756."""
    bench = Bench()
    block = bench.block()
    effects = bench.feed(bench.proposal(block), *(bench.prepare(0, block) for _ in range(5)))
    effects += bench.feed(*(bench.commit(0, block) for _ in range(5)))
    assert not said(effects, Commit) + of(effects, Decided)


def test_prepares_replayed_as_commits_decide_nothing():
    """raijin #17."""
    bench = Bench()
    block = bench.block()
    for sender in (0, 2, 3):
        replayed = Commit(0, 1, 0, sender, block.hash, bench.prepare(sender, block).signature)
        with pytest.raises(BadSignature):
            verify_message(CHAIN_ID, bench.validators, replayed, toy_verify)


def test_a_node_that_knows_a_transaction_alone_says_so_instead_of_running_ahead():
    """Fabric #4438, #4545: requests known only to a frozen leader; a lone node asks for gossip and waits."""
    world = World()
    world.run()
    world.submit(b"lonely", "cai")
    world.run_for(60_000)
    assert world["cai"].replica.round == 1
    assert {type(what).__name__ for _, who, kind, what in world.trace if who == "cai"} >= {"GossipPending"}
    world.submit(b"lonely")
    world.run_for(5_000)
    assert all(b"lonely" in node.application.committed for node in world.nodes.values())
