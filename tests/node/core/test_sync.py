from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from coseal.ledger.block import Block
from coseal.node.core import sync, wire
from coseal.node.core.sync import (
    BUFFER_BYTES_MAX,
    CHUNK_BLOCKS,
    CHUNK_BYTES,
    IN_FLIGHT_MAX,
    WINDOW_BLOCKS,
    Request,
    Sync,
)
from tests.support.cluster import Cluster
from tests.support.transactions import signed


def pairs(first: int, count: int) -> tuple[tuple[bytes, bytes], ...]:
    return tuple((f"block {height}".encode(), b"certificate") for height in range(first, first + count))


def behind(height: int = 100, peers: str = "abc") -> Sync:
    """A node that knows already how large blocks are."""
    state = Sync(0)
    state._chunk_blocks = CHUNK_BLOCKS
    for peer in peers:
        state.connected(peer)
        state.proven(peer, height)
    return state


def drain(state: Sync) -> int:
    while state.next_block() is not None:
        state.advanced(state.tip + 1)
    return state.tip


# The rules, one by one


def test_blocks_are_asked_for_in_chunks_from_several_peers_and_executed_in_order() -> None:
    state = behind(6 * CHUNK_BLOCKS)
    asked = state.requests(0)
    assert [request.from_height for request in asked] == list(range(1, 6 * CHUNK_BLOCKS, CHUNK_BLOCKS))
    assert {request.peer for request in asked} == {"a", "b", "c"}
    for request in reversed(asked):
        assert state.next_block() is None
        assert state.received(request.peer, request.from_height, pairs(request.from_height, request.limit), 1)
    assert drain(state) == 6 * CHUNK_BLOCKS
    assert state.requests(2) == []
    assert not state.syncing


def test_one_block_a_request_is_asked_for_until_the_size_of_blocks_is_known() -> None:
    state = Sync(0)
    state.connected("a")
    state.proven("a", 100)
    assert [request.limit for request in state.requests(0)] == [1] * IN_FLIGHT_MAX
    state.received("a", 1, pairs(1, 1), 1)
    assert [request.limit for request in state.requests(1)] == [CHUNK_BLOCKS]


def test_chunks_are_of_fewer_blocks_where_blocks_are_large() -> None:
    state = behind(1_000, "a")
    first = state.requests(0)[0]
    state.received("a", 1, tuple((bytes(CHUNK_BYTES // 5), b"") for _ in range(first.limit)), 1)
    assert drain(state) == CHUNK_BLOCKS
    assert state.requests(2) == [Request("a", IN_FLIGHT_MAX * CHUNK_BLOCKS + 1, 5)]
    state.received("a", IN_FLIGHT_MAX * CHUNK_BLOCKS + 1, ((bytes(2 * CHUNK_BYTES), b""),), 3)
    assert state.requests(4) == [Request("a", IN_FLIGHT_MAX * CHUNK_BLOCKS + 2, 1)]


def test_a_peer_has_a_bounded_number_of_requests_in_flight() -> None:
    state = behind(10_000, "a")
    assert len(state.requests(0)) == IN_FLIGHT_MAX
    assert state.requests(1) == []


def test_nothing_beyond_the_window_is_asked_for() -> None:
    state = behind(10_000, "abcdefgh")
    assert max(request.from_height + request.limit for request in state.requests(0)) <= WINDOW_BLOCKS + 1


def test_a_peer_is_never_asked_for_more_than_it_has_proven() -> None:
    state = behind(5, "a")
    assert state.requests(0) == [Request("a", 1, 5)]


def test_one_block_ahead_is_the_normal_case_until_it_lasts() -> None:
    state = behind(1)
    assert state.requests(0) == []
    state.tick(1_000)
    assert not state.syncing
    state.tick(2_000)
    assert state.syncing
    assert state.requests(2_000) == [Request("a", 1, 1)]


def test_one_block_is_asked_for_at_once_when_it_is_known_to_be_decided() -> None:
    state = behind(1)
    state.want_next()
    assert state.requests(0) == [Request("a", 1, 1)]


def test_what_does_not_come_is_asked_of_another_peer() -> None:
    """S1: never answers."""
    state = behind(CHUNK_BLOCKS, "ab")
    assert [request.peer for request in state.requests(0)] == ["a"]
    state.tick(sync.REQUEST_TIMEOUT_MS - 1)
    assert state.requests(sync.REQUEST_TIMEOUT_MS - 1) == []
    state.tick(sync.REQUEST_TIMEOUT_MS)
    assert [request.peer for request in state.requests(sync.REQUEST_TIMEOUT_MS)] == ["b"]


def test_what_was_asked_of_a_peer_that_is_gone_is_asked_of_another() -> None:
    state = behind(CHUNK_BLOCKS, "ab")
    state.requests(0)
    state.disconnected("a")
    assert [request.peer for request in state.requests(1)] == ["b"]


def test_who_gives_less_than_it_claims_is_asked_last() -> None:
    """S1: claims X, then gives less."""
    state = behind(10, "ab")
    assert state.requests(0) == [Request("a", 1, 10)]
    state.received("a", 1, (), 1)
    assert state.requests(1) == [Request("b", 1, 10)]


def test_who_drips_is_asked_after_who_is_quick() -> None:
    """S1: one block at a time, as late as it may."""
    state = behind(2 * CHUNK_BLOCKS, "ab")
    assert [request.peer for request in state.requests(0)] == ["a", "b"]
    state.received("b", 17, pairs(17, 16), 50)
    state.received("a", 1, pairs(1, 1), 2_900)
    assert state.requests(2_900) == [Request("b", 2, 15)]


def test_silence_alone_never_rules_a_peer_out() -> None:
    state = behind(200, "a")
    for turn in range(20):
        assert state.requests(turn * sync.REQUEST_TIMEOUT_MS)
        state.tick((turn + 1) * sync.REQUEST_TIMEOUT_MS)


def test_a_liar_is_not_asked_until_it_is_forgiven_and_what_it_gave_is_forgotten() -> None:
    """S1: wrong body."""
    state = behind(10, "a")
    state.requests(0)
    state.received("a", 1, pairs(1, 10), 1)
    assert state.refused(1) == "a"
    assert state.next_block() is None
    assert state.is_liar("a", 2)
    state.proven("a", 10)
    assert state.requests(2) == []
    assert state.requests(sync.FORGIVE_MS + 1) == [Request("a", 1, 10)]


def test_an_answer_nobody_asked_for_is_ignored() -> None:
    state = behind(10, "ab")
    state.requests(0)
    assert not state.received("b", 1, pairs(1, 10), 1)
    assert not state.received("a", 2, pairs(2, 10), 1)
    assert state.next_block() is None
    assert state.received("a", 1, pairs(1, 10), 1)
    assert not state.received("a", 1, pairs(1, 10), 1)


def test_more_blocks_than_asked_for_are_not_taken() -> None:
    state = behind(3, "a")
    state.requests(0)
    state.received("a", 1, pairs(1, 100), 1)
    assert drain(state) == 3


def test_a_hint_is_worth_one_request_to_its_peer() -> None:
    state = behind(0, "ab")
    state.hinted("b", 10**9)
    assert state.requests(0) == [Request("b", 1, CHUNK_BLOCKS)]
    assert state.requests(1) == []
    assert state.target == 0


def test_the_buffer_is_bounded() -> None:
    state = behind(10_000, "abcd")
    asked = state.requests(0)
    for request in asked[1:]:  # the first chunk never comes
        blocks = tuple((bytes(1024 * 1024), b"") for _ in range(request.limit))
        state.received(request.peer, request.from_height, blocks, 1)
        assert state.buffer_bytes <= BUFFER_BYTES_MAX
    assert len(state.requests(2)) <= 1


class SyncMachine(RuleBasedStateMachine):
    """Whatever peers do, the bounds hold, and one honest peer is enough to get on."""

    peers = "abc"

    def __init__(self) -> None:
        super().__init__()
        self.state = Sync(0)
        self.now_ms = 0
        self.asked: list[Request] = []
        for peer in self.peers:
            self.state.connected(peer)

    @rule(peer=st.sampled_from(peers), height=st.integers(0, 200), proven=st.booleans())
    def claim(self, peer: str, height: int, proven: bool) -> None:
        (self.state.proven if proven else self.state.hinted)(peer, height)

    @rule()
    def ask(self) -> None:
        self.asked += self.state.requests(self.now_ms)

    @rule(number=st.integers(0, 50), count=st.integers(0, 20))
    def answer(self, number: int, count: int) -> None:
        if self.asked:
            request = self.asked.pop(number % len(self.asked))
            self.state.received(request.peer, request.from_height, pairs(request.from_height, count), self.now_ms)

    @rule(good=st.booleans())
    def execute(self, good: bool) -> None:
        if self.state.next_block() is not None:
            if good:
                self.state.advanced(self.state.tip + 1)
            else:
                self.state.refused(self.now_ms)

    @rule(peer=st.sampled_from(peers))
    def reconnect(self, peer: str) -> None:
        self.state.disconnected(peer)
        self.state.connected(peer)

    @rule(delay=st.integers(0, 5_000))
    def wait(self, delay: int) -> None:
        self.now_ms += delay
        self.state.tick(self.now_ms)

    @invariant()
    def within_bounds(self) -> None:
        assert self.state.buffer_bytes <= BUFFER_BYTES_MAX
        for peer in self.peers:
            assert len(self.state._peer(peer).asked) <= IN_FLIGHT_MAX
        fetched = self.state.next_block()
        assert fetched is None or fetched.block == f"block {self.state.tip + 1}".encode()

    def teardown(self) -> None:
        goal = self.state.tip + 20
        for peer in "bc":
            self.state.disconnected(peer)
        self.state.connected("honest")
        for _ in range(100):
            self.state.proven("honest", goal)
            self.state.tick(self.now_ms)
            for request in self.state.requests(self.now_ms):
                if request.peer == "honest":
                    blocks = pairs(request.from_height, request.limit)
                    self.state.received("honest", request.from_height, blocks, self.now_ms)
            drain(self.state)
            self.now_ms += 1_000
        assert self.state.tip >= goal


SyncMachine.TestCase.settings = settings(deadline=None, max_examples=60, stateful_step_count=30)
TestSync = SyncMachine.TestCase


# Whole nodes with lying peers: progress while one peer is honest


Answer = Callable[[Cluster, wire.Blocks], list[wire.Blocks]]


def no_answer(cluster: Cluster, frame: wire.Blocks) -> list[wire.Blocks]:
    return []


def nothing(cluster: Cluster, frame: wire.Blocks) -> list[wire.Blocks]:
    return [wire.Blocks(frame.from_height, ())]


def drips(cluster: Cluster, frame: wire.Blocks) -> list[wire.Blocks]:
    return [wire.Blocks(frame.from_height, frame.blocks[:1])]


def garbage(cluster: Cluster, frame: wire.Blocks) -> list[wire.Blocks]:
    return [wire.Blocks(frame.from_height, tuple((b"\xc0", b"\xc0") for _ in frame.blocks))]


def wrong_body(cluster: Cluster, frame: wire.Blocks) -> list[wire.Blocks]:
    """Another body under the certificate of the right one."""
    changed = []
    for raw, certificate in frame.blocks:
        block = Block.decode(raw)
        header = replace(block.header, time_ms=block.header.time_ms + 1)
        changed.append((Block(header, block.transactions, block.last_commit).raw, certificate))
    return [wire.Blocks(frame.from_height, tuple(changed))]


def bad_certificate(cluster: Cluster, frame: wire.Blocks) -> list[wire.Blocks]:
    """The right body, one signature of its certificate flipped."""
    changed = [(raw, certificate[:-1] + bytes([certificate[-1] ^ 1])) for raw, certificate in frame.blocks]
    return [wire.Blocks(frame.from_height, tuple(changed))]


def shifted(cluster: Cluster, frame: wire.Blocks) -> list[wire.Blocks]:
    """Good blocks, of other heights than said."""
    return [wire.Blocks(frame.from_height, frame.blocks[::-1])]


def twice(cluster: Cluster, frame: wire.Blocks) -> list[wire.Blocks]:
    return [frame, frame]


@pytest.mark.parametrize(
    "lie", [no_answer, nothing, drips, garbage, wrong_body, bad_certificate, shifted, twice], ids=lambda f: f.__name__
)
def test_a_lagging_node_catches_up_while_one_peer_is_honest(lie: Answer) -> None:
    """S1."""
    cluster = Cluster(seed=11)
    cluster.start()
    assert cluster.run_until(lambda: cluster.agrees(1))
    cluster.kill("bank-a")
    for number in range(40):
        tx = signed(cluster.genesis, number)
        cluster.submit("regulator", tx)
        assert cluster.run_until(lambda tx=tx: cluster.has(tx))

    def tamper(source: str, target: str, data: bytes) -> list[bytes]:
        message = wire.decode(data)
        if target != "bank-a" or source == "regulator" or not isinstance(message, wire.Blocks):
            return [data]
        return [wire.encode(frame) for frame in lie(cluster, message)]

    cluster.tamper = tamper
    cluster.start("bank-a")
    assert cluster.run_until(lambda: cluster.agrees(41), 30_000)
    assert cluster["bank-a"].halted is None
    cluster.tamper = lambda source, target, data: [data]
    last = signed(cluster.genesis, 1_000)
    cluster.submit("bank-a", last)
    assert cluster.run_until(lambda: cluster.has(last))


def test_tips_that_cannot_be_verified_yet_count_when_more_than_f_peers_show_them():
    sync = Sync(5)
    for peer in ("a", "b", "c"):
        sync.connected(peer)
    sync.hinted("a", 1_000)
    assert (sync.claimed, sync.claimed_by(2), sync.is_behind(2)) == (1_000, 0, False)
    sync.hinted("b", 50)
    assert (sync.claimed_by(2), sync.is_behind(2)) == (50, True)
    sync.disconnected("b")
    assert not sync.is_behind(2)
    assert sync.claimed_by(9) == 0
