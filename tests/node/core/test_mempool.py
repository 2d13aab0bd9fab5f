from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from coseal.contracts.kernel.budget import least_steps
from coseal.ledger.errors import BadSignature
from coseal.ledger.transaction import Transaction
from coseal.node.core.mempool import Mempool, MempoolLimits
from coseal.node.core.verified_cache import VerifiedCache
from tests.support.cluster import genesis_of
from tests.support.genesis import START_MS
from tests.support.transactions import signed

GENESIS = genesis_of()
TEMPLATE = signed(GENESIS, 0)


def fake(number: int, *, sender: str = "bank-a/admin", size: int = 100, valid_until_ms: int = START_MS) -> Transaction:
    """The pool looks at id, raw, sender and validity only; a signature would cost time."""
    raw = number.to_bytes(8, "big") + bytes(size - 8)
    return replace(TEMPLATE, id=number.to_bytes(32, "big"), raw=raw, sender=sender, valid_until_ms=valid_until_ms)


def test_transactions_come_out_in_the_order_they_came() -> None:
    pool = Mempool()
    for number in (5, 3, 9, 1):
        assert pool.add(fake(number), 0) is None
    pool.remove(fake(9).id)
    assert [tx.id for tx in pool] == [fake(number).id for number in (5, 3, 1)]
    assert pool.oldest(2) == [fake(5), fake(3)]


def test_the_number_of_transactions_is_bounded() -> None:
    pool = Mempool(MempoolLimits(transactions_max=3, shares=1))
    assert [pool.add(fake(number), 0) for number in range(3)] == [None] * 3
    refused = pool.add(fake(3), 0)
    assert refused is not None
    assert refused.code == "mempool_full"
    assert len(pool) == 3


def test_the_bytes_are_bounded_at_the_limit_and_one_beyond() -> None:
    pool = Mempool(MempoolLimits(bytes_max=300, shares=1))
    assert pool.add(fake(1, size=150), 0) is None
    refused = pool.add(fake(2, size=151), 0)
    assert refused is not None
    assert refused.code == "mempool_full"
    assert pool.add(fake(3, size=150), 0) is None
    assert pool.size_bytes == 300


def test_one_member_cannot_take_the_place_of_others() -> None:
    pool = Mempool(MempoolLimits(transactions_max=8, shares=4))
    assert [pool.add(fake(number), 0) for number in range(2)] == [None, None]
    refused = pool.add(fake(2), 0)
    assert refused is not None
    assert refused.code == "member_share_full"
    assert pool.add(fake(3, sender="bank-b/admin"), 0) is None
    pool.remove(fake(0).id)
    assert pool.add(fake(2), 0) is None


def test_the_senders_of_a_member_share_its_part() -> None:
    """Else a member with three operators would leave no room for anybody."""
    owners = {"node:n1": "bank-a", "node:n2": "bank-b"}
    pool = Mempool(
        MempoolLimits(transactions_max=8, shares=2), lambda sender: owners.get(sender, sender.partition("/")[0])
    )
    mine = ["bank-a/one", "bank-a/two", "node:n1", "bank-a/three"]
    assert [pool.add(fake(number, sender=sender), 0) for number, sender in enumerate(mine)] == [None] * 4
    refusals = [pool.refusal(fake(9, sender=sender)) for sender in ("bank-a/one", "bank-a/four", "node:n1")]
    assert [refused and refused.code for refused in refusals] == ["member_share_full"] * 3
    assert refusals[2] is not None
    assert refusals[2].detail == "bank-a has its share of transactions waiting; send it again later"
    assert pool.refusal(fake(9, sender="node:n2")) is None
    assert [tx.sender for tx in pool.line()] == mine


def test_a_member_has_a_share_of_the_bytes_too_and_may_always_have_one_transaction() -> None:
    pool = Mempool(MempoolLimits(bytes_max=1_000, shares=4))
    assert pool.add(fake(1, size=400), 0) is None
    refused = pool.add(fake(2, size=10), 0)
    assert refused is not None
    assert refused.code == "member_share_full"


def test_what_all_nodes_take_from_their_clients_fits_into_every_pool() -> None:
    limits = MempoolLimits(transactions_max=12, shares=2, entry_points=3)
    pools = [Mempool(limits) for _ in range(3)]
    let_in = []
    for number in range(36):
        pool = pools[number % 3]
        sender = f"bank-{number // 3 % 4}/admin"
        if pool.add(fake(number, sender=sender), 0, client=True) is None:
            let_in.append((pool, fake(number, sender=sender)))
    assert len(let_in) == 12
    for pool in pools:
        assert [pool.add(tx, 0) for origin, tx in let_in if origin is not pool] == [None] * 8


def test_what_one_member_gets_in_everywhere_fits_into_its_share_of_every_pool() -> None:
    limits = MempoolLimits(transactions_max=24, entry_points=3)
    pools = [Mempool(limits) for _ in range(3)]
    let_in = [
        (number % 3, fake(number))
        for number in range(24)
        if pools[number % 3].add(fake(number), 0, client=True) is None
    ]
    assert len(let_in) == 12
    for place, pool in enumerate(pools):
        assert [pool.add(tx, 0) for origin, tx in let_in if origin != place] == [None] * 8


def test_at_a_door_there_is_always_room_for_whoever_comes_next() -> None:
    pool = Mempool(MempoolLimits(transactions_max=120, entry_points=1))
    held = []
    for number in range(5):
        sender = f"bank-{number}/admin"
        while (refused := pool.add(fake(1_000 * number + len(pool), sender=sender), 0, client=True)) is None:
            pass
        assert refused.code == "member_share_full"
        held.append(sum(tx.sender == sender for tx in pool))
    assert held == [60, 30, 15, 8, 4]


def test_the_room_of_clients_follows_what_blocks_commit() -> None:
    pool = Mempool(MempoolLimits(entry_points=4))
    sender = iter(range(10**6))

    def fits(size: int) -> bool:
        transaction = fake(next(sender), sender=f"bank-{next(sender)}/admin", size=size)
        return pool.refusal(transaction, client=True) is None

    pool.add(fake(next(sender)), 0, client=True)
    assert fits(200_000)
    for tick in range(100):
        pool.committed(20_000, 100 * tick)  # 200 kB a second
    assert fits(130_000)
    assert not fits(140_000), "a door has a quarter, and 512 KiB stay for all of them"
    for tick in range(100):
        pool.committed(80_000, 10_000 + 100 * tick)
    assert fits(290_000)
    assert not fits(310_000)


def test_a_pool_is_crowded_when_clients_use_a_quarter_of_it() -> None:
    pool = Mempool(MempoolLimits(transactions_max=32, entry_points=2))
    for number in range(4):
        pool.add(fake(number), 0, client=True)
    for number in range(100, 110):
        pool.add(fake(number), 0)
    assert not pool.is_crowded
    pool.add(fake(4), 0, client=True)
    assert pool.is_crowded
    pool.remove(fake(0).id)
    assert not pool.is_crowded


def test_clients_of_one_node_get_its_part_and_gossip_still_has_room() -> None:
    pool = Mempool(MempoolLimits(transactions_max=8, shares=1, entry_points=4))
    other = fake(1, sender="bank-b/admin")
    assert [pool.add(tx, 0, client=True) for tx in (fake(0), other)] == [None, None]
    refused = pool.add(fake(2), 0, client=True)
    assert refused is not None
    assert refused.code == "mempool_full"
    assert pool.add(fake(2), 0) is None
    pool.remove(fake(0).id)
    assert pool.add(fake(3), 0, client=True) is None


def test_a_transaction_is_held_once() -> None:
    pool = Mempool()
    for _ in range(100_000):
        assert pool.add(TEMPLATE, 0) is None
    assert len(pool) == 1
    assert pool.size_bytes == len(TEMPLATE.raw)


def test_what_a_block_comes_too_late_for_expires() -> None:
    pool = Mempool()
    pool.add(fake(1, valid_until_ms=100), 0)
    pool.add(fake(2, valid_until_ms=101), 0)
    assert pool.expire(99) == []
    assert [tx.id for tx in pool.expire(100)] == [fake(1).id]
    assert len(pool) == 1


def test_the_age_of_the_oldest_is_known() -> None:
    pool = Mempool()
    assert pool.oldest_age_ms(50) is None
    pool.add(fake(1), 10)
    pool.add(fake(2), 30)
    assert pool.oldest_age_ms(50) == 40
    pool.remove(fake(1).id)
    assert pool.oldest_age_ms(50) == 20
    assert pool.oldest_age_ms(0) == 0


def test_the_oldest_are_those_of_each_member_in_rotation() -> None:
    """The many of one member do not hide the few of another, which perhaps this node alone knows."""
    pool = Mempool()
    senders = ["bank-a/admin"] * 5 + ["bank-b/admin", "bank-a/other", "bank-b/admin", "bank-c/admin"]
    for number, sender in enumerate(senders):
        pool.add(fake(number, sender=sender), 0)
    oldest = [int.from_bytes(tx.id, "big") for tx in pool.oldest(100)]
    assert oldest == [0, 5, 8, 1, 7, 2, 3, 4, 6]
    for some in range(10):
        assert [int.from_bytes(tx.id, "big") for tx in pool.oldest(some)] == oldest[:some]


def test_a_transaction_counts_for_the_least_until_it_was_tried() -> None:
    pool = Mempool()
    tx = fake(1, size=1_000)
    pool.add(tx, 0)
    assert pool.steps(tx) == least_steps(1_000) > 400
    pool.tried(tx, 123_456)
    pool.tried(fake(2), 77)  # not here
    assert (pool.steps(tx), pool.steps(fake(2))) == (123_456, least_steps(100))
    pool.remove(tx.id)
    assert pool.steps(tx) == least_steps(1_000) > 400


def test_the_next_in_turn_is_overdue_and_what_waits_behind_others_is_not() -> None:
    pool = Mempool()
    assert pool.overdue_ms(5) is None
    for number in range(3):
        pool.add(fake(number, sender="bank-a/admin"), 10)
    assert pool.overdue_ms(50) == 40
    pool.remove(fake(0).id)  # by a block at 100
    pool.turns.executed(1, [("bank-a", 400_000)])
    pool.committed(100, 100)
    assert pool.overdue_ms(130) == 30, "it is the next since then"
    pool.add(fake(7, sender="bank-b/admin"), 200)
    assert (pool.overdue_ms(210), pool.oldest_age_ms(210)) == (10, 200)
    pool.committed(100, 300)  # without what was next
    assert pool.overdue_ms(310) == 10
    pool.committed(100, 400)  # and again
    assert pool.overdue_ms(410) == 110
    pool.remove(fake(7).id)  # it expired
    assert pool.overdue_ms(450) == 50
    pool.remove(fake(1).id)
    pool.remove(fake(2).id)
    assert pool.overdue_ms(500) is None


class PoolMachine(RuleBasedStateMachine):
    """Against a plain list; the bounds hold after every step."""

    def __init__(self) -> None:
        super().__init__()
        self.pool = Mempool(MempoolLimits(transactions_max=6, bytes_max=600, shares=2))
        self.model: list[Transaction] = []

    @rule(number=st.integers(0, 9), sender=st.sampled_from("ab"), size=st.integers(50, 200), until=st.integers(0, 5))
    def add(self, number: int, sender: str, size: int, until: int) -> None:
        tx = fake(number, sender=sender, size=size, valid_until_ms=until)
        known = any(held.id == tx.id for held in self.model)
        mine = [held for held in self.model if held.sender == sender]
        fits = len(self.model) < 6 and sum(len(held.raw) for held in self.model) + size <= 600
        fair = not mine or (len(mine) < 3 and sum(len(held.raw) for held in mine) + size <= 300)
        assert (self.pool.add(tx, 0) is None) == (known or (fits and fair))
        if not known and fits and fair:
            self.model.append(tx)

    @rule(number=st.integers(0, 9))
    def remove(self, number: int) -> None:
        found = [held for held in self.model if held.id == number.to_bytes(32, "big")]
        assert self.pool.remove(number.to_bytes(32, "big")) == (found[0] if found else None)
        self.model = [held for held in self.model if held not in found]

    @rule(time=st.integers(0, 5))
    def expire(self, time: int) -> None:
        assert self.pool.expire(time) == [held for held in self.model if held.valid_until_ms <= time]
        self.model = [held for held in self.model if held.valid_until_ms > time]

    @invariant()
    def agrees(self) -> None:
        assert list(self.pool) == self.model
        assert sorted(self.pool.line(), key=lambda tx: tx.sender) == sorted(self.model, key=lambda tx: tx.sender)
        assert self.pool.size_bytes == sum(len(held.raw) for held in self.model)


PoolMachine.TestCase.settings = settings(deadline=None, max_examples=60, stateful_step_count=30)
TestPool = PoolMachine.TestCase


def test_a_verified_transaction_is_not_verified_again() -> None:
    calls: list[bytes] = []

    def verify(public_key: bytes, message: bytes, signature: bytes) -> bool:
        calls.append(signature)
        return True

    cache = VerifiedCache(verify)
    assert cache.admit(TEMPLATE.raw) is cache.admit(bytes(TEMPLATE.raw))
    assert len(calls) == 1
    cache.forget((TEMPLATE.raw,))
    assert TEMPLATE.raw not in cache
    assert cache.size_bytes == 0


def test_the_cache_of_verified_transactions_is_bounded_and_forgets_the_oldest() -> None:
    cache = VerifiedCache(entries_max=3, bytes_max=1_000)
    for number in range(5):
        cache.add(fake(number))
    assert [fake(number).raw in cache for number in range(5)] == [False, False, True, True, True]
    cache.add(fake(9, size=850))
    assert [fake(number).raw in cache for number in (2, 3, 4)] == [False, False, True]
    assert cache.size_bytes == 950


def test_a_bad_signature_is_never_remembered() -> None:
    cache = VerifiedCache()
    forged = TEMPLATE.raw[:-1] + bytes([TEMPLATE.raw[-1] ^ 1])
    for _ in range(2):
        with pytest.raises(BadSignature):
            cache.admit(forged)
    assert len(cache) == 0
