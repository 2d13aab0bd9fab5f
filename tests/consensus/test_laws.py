"""Laws of ``step``: a refused event changes nothing, and nothing that decodes makes it raise."""

from dataclasses import replace

import pytest
from consensus_harness import CHAIN_ID, GENESIS_TIME_MS, Bench, of
from hypothesis import given, settings
from hypothesis import strategies as st

from coseal.consensus.events import (
    BlockReceived,
    CertifiedBlock,
    Decided,
    Halt,
    PeerJoined,
    Received,
    Timer,
    TimerExpired,
    TimerKind,
    TipSeen,
    WorkArrived,
)
from coseal.consensus.messages import Commit, Prepare, Proposal, RoundChange, decode_message, encode_message
from coseal.ledger import merkle
from coseal.ledger.block import Block, Header, last_commit_hash
from coseal.ledger.certificate import PbftCertificate, Phase


def middle():
    """A replica in the middle of things: height 2, round 1, prepared in round 0, votes of several kinds held."""
    bench = Bench()
    bench.decide()
    bench.application.pending = [b"work"]
    bench.watch(bench.step(WorkArrived()))
    block = bench.block(transactions=[b"one"])
    bench.watch(bench.feed(bench.proposal(block), bench.prepare(0, block), bench.prepare(2, block)))
    bench.expire(TimerKind.ROUND)
    bench.feed(bench.change(3, 1), bench.commit(0, block))
    assert (bench.replica.height, bench.replica.round) == (2, 1)
    return bench


def refused():
    """Every kind of event that must change nothing, by name."""
    bench = middle()
    block, other = bench.block(transactions=[b"one"]), bench.block(transactions=[b"other"])
    fresh = bench.block(round=1, transactions=[b"one"])
    changes = [bench.change(s, 1) for s in (0, 2, 3)]
    short = bench.certificate(Phase.PREPARE, block, signers=(0, 2))
    commits = bench.certificate(Phase.COMMIT, block)
    return {
        "prepare known": Received("dia", bench.commit(0, block)),
        "prepare out of window": Received("dia", bench.prepare(3, block, round=3)),
        "commit out of window": Received("dia", bench.commit(3, block, round=3)),
        "commit of another epoch": Received("dia", replace(bench.commit(3, block), epoch=1)),
        "commit of nobody": Received("dia", replace(bench.commit(3, block), sender=9)),
        "round change known": Received("dia", bench.change(3, 1)),
        "round change to round 0": Received("dia", bench.change(0, 0)),
        "round change with a short certificate": Received("dia", bench.change(0, 2, short)),
        "round change with commits": Received("dia", bench.change(0, 2, commits)),
        "round change certified in its own round": Received(
            "dia", bench.change(0, 2, bench.certificate(Phase.PREPARE, block, round=2, signers=(0, 2, 3)))
        ),
        "proposal of an older round": Received("ann", bench.proposal(block)),
        "proposal by another": Received("dia", bench.proposal(fresh, round=1, justification=changes, sender=3)),
        "proposal unjustified": Received("bob", bench.proposal(bench.block(round=2), round=2)),
        "proposal with two of one signer": Received(
            "cai", bench.proposal(bench.block(round=2), round=2, justification=[bench.change(0, 2)] * 3)
        ),
        "our own words": Received("bob", replace(bench.prepare(0, block), sender=1)),
        "far height": Received("dia", replace(bench.prepare(3, block), height=2**63 - 1, sender=9)),
        "stale round timer": TimerExpired(Timer(TimerKind.ROUND, 2, 0)),
        "timer of another height": TimerExpired(Timer(TimerKind.REBROADCAST, 1, 1)),
        "heartbeat while active": TimerExpired(Timer(TimerKind.HEARTBEAT, 2, 0)),
        "fetch that nobody waits for": TimerExpired(Timer(TimerKind.FETCH, 2, 0)),
        "work while active": WorkArrived(),
        "body nobody asked for": BlockReceived(other),
        "certified block with another's certificate": CertifiedBlock(other, commits),
        "certified block with a short certificate": CertifiedBlock(
            block, bench.certificate(Phase.COMMIT, block, signers=(0, 2))
        ),
        "tip with prepares": TipSeen("dia", bench.certificate(Phase.PREPARE, block)),
        "tip forged": TipSeen("dia", replace(commits, height=7)),
    }


@pytest.mark.parametrize("name", sorted(refused()))
def test_a_refused_event_changes_nothing(name):
    bench = middle()
    before = bench.state()
    effects = bench.step(refused()[name])
    assert bench.state() == before
    assert effects == []


def test_a_second_accusation_changes_nothing():
    bench = middle()
    other = bench.block(transactions=[b"other"])
    assert len(bench.feed(bench.commit(0, other))) == 1
    before = bench.state()
    assert bench.feed(bench.commit(0, other), bench.commit(0, bench.block())) == []
    assert bench.state() == before


def test_telling_a_peer_that_joined_changes_nothing():
    bench = middle()
    before = bench.state()
    assert [type(effect.message) for effect in bench.step(PeerJoined("cai"))] == [RoundChange, Commit]
    assert bench.state() == before


def test_a_halted_replica_takes_nothing():
    bench = Bench()
    block = bench.block(state_root=b"\1" * 32)
    assert of(bench.step(CertifiedBlock(block, bench.certificate(Phase.COMMIT, block))), Halt)
    before = bench.state()
    assert bench.step(CertifiedBlock(bench.block(), bench.certificate(Phase.COMMIT, bench.block()))) == []
    assert bench.state() == before


# --- nothing that decodes makes it raise ---

small = st.integers(0, 5)
number = st.one_of(small, st.sampled_from([2**31, 2**32 - 1]))
wide = st.one_of(small, st.sampled_from([2**32, 2**63 - 1]))
height = st.one_of(st.integers(1, 4), st.just(2**63 - 1))
octets32 = st.sampled_from([bytes(32), b"\1" * 32, CHAIN_ID])
signature = st.sampled_from([bytes(64), b"\7" * 64])
certificates = st.builds(
    PbftCertificate,
    st.sampled_from([Phase.PREPARE, Phase.COMMIT]),
    wide,
    height,
    number,
    octets32,
    st.sampled_from([b"", b"\7", b"\xff", b"\x0e", bytes(8)]),
    st.lists(signature, max_size=4).map(tuple),
)


@st.composite
def blocks(draw):
    transactions = tuple(draw(st.lists(st.sampled_from([b"", b"one", b"bad"]), max_size=3)))
    last_commit = draw(st.none() | certificates)
    roots = [draw(octets32) for _ in range(3)]
    header = Header(
        1,
        draw(octets32),
        draw(height),
        draw(octets32),
        draw(wide),
        draw(octets32),
        roots[0],
        draw(st.sampled_from(["ann", "bob", "nobody"])),
        draw(number),
        draw(st.sampled_from([0, GENESIS_TIME_MS, GENESIS_TIME_MS + 1_000, 2**63 - 1])),
        merkle.root(transactions),
        len(transactions),
        roots[1],
        roots[2],
        last_commit_hash(last_commit),
    )
    return Block(header, transactions, last_commit)


sender = st.integers(0, 5)
changes = st.builds(RoundChange, wide, height, number, sender, st.none() | certificates, signature)
messages = st.one_of(
    st.builds(Prepare, wide, height, number, sender, octets32, signature),
    st.builds(Commit, wide, height, number, sender, octets32, signature),
    changes,
    st.builds(Proposal, wide, height, number, sender, blocks(), st.lists(changes, max_size=4).map(tuple), signature),
)
events = st.one_of(
    st.builds(Received, st.just("dia"), messages),
    st.builds(TimerExpired, st.builds(Timer, st.sampled_from(TimerKind), height, number)),
    st.builds(BlockReceived, blocks()),
    st.builds(CertifiedBlock, blocks(), certificates),
    st.builds(TipSeen, st.sampled_from(["dia", "nobody"]), certificates),
    st.builds(PeerJoined, st.just("dia")),
    st.just(WorkArrived()),
)


@settings(max_examples=150, deadline=None)
@given(st.lists(events, max_size=12))
def test_no_event_that_decodes_makes_step_raise_or_stops_agreement(given_events):
    bench = Bench()
    for event in given_events:
        if isinstance(event, Received):
            assert decode_message(encode_message(event.message)) == event.message
            if event.message.sender in (1, 2, 3) and event.message.epoch == 0:
                continue  # honest nodes do not say such things; ann and strangers do
        assert not of(bench.step(event), Halt)
    block = bench.block()
    effects = bench.step(CertifiedBlock(block, bench.certificate(Phase.COMMIT, block)))
    assert of(effects, Decided)
