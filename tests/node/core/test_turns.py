from __future__ import annotations

from collections import Counter
from itertools import count, islice

from hypothesis import given
from hypothesis import strategies as st

from coseal.node.core.mempool import Mempool
from coseal.node.core.turns import HALF_MS, Line, Turns
from tests.node.core.test_mempool import fake


def filled(*senders: str) -> Mempool:
    pool = Mempool()
    for number, sender in enumerate(senders):
        assert pool.add(fake(number, sender=sender), 0) is None
    return pool


def number_of(tx_id: bytes) -> int:
    return int.from_bytes(tx_id, "big")


def numbers(line: Line, steps: int) -> list[int]:
    """What the line gives if each transaction counts for so many steps."""
    found = []
    for transaction in line:
        found.append(number_of(transaction.id))
        line.take(steps)
    return found


def test_half_of_what_was_taken_is_forgotten_in_ten_seconds() -> None:
    turns = Turns()
    turns.executed(1_000_000, [("bank-a", 800), ("bank-b", 100), ("bank-a", 200)])
    assert turns.lately() == {"bank-a": 1_000, "bank-b": 100}
    turns.executed(1_000_000 + HALF_MS, [("bank-b", 50)])
    assert turns.lately() == {"bank-a": 500, "bank-b": 100}
    turns.executed(1_000_000 + 20 * HALF_MS, [])
    assert turns.lately() == {}
    assert turns.taken("bank-a") == 0


def test_members_alternate_and_each_keeps_its_order() -> None:
    pool = filled(*["bank-a/admin", "bank-a/other", "bank-a/admin", "bank-b/admin", "bank-b/admin"])
    assert numbers(pool.line(), 500) == [0, 3, 1, 4, 2]


def test_the_member_that_took_least_lately_comes_first() -> None:
    pool = filled("bank-a/admin", "bank-a/admin", "bank-b/admin", "bank-b/admin", "bank-c/admin")
    pool.turns.executed(0, [("bank-a", 1_000), ("bank-c", 1_100)])
    assert numbers(pool.line(), 400) == [2, 3, 0, 4, 1]


def test_a_member_whose_transaction_has_no_room_waits_with_all_that_it_sent_after_it() -> None:
    line = filled("bank-a/admin", "bank-b/admin", "bank-a/admin", "bank-b/admin").line()
    assert next(line).sender == "bank-a/admin"
    line.leave()
    assert numbers(line, 1) == [1, 3]


def test_one_that_is_dropped_counts_for_nothing() -> None:
    line = filled("bank-a/admin", "bank-b/admin", "bank-a/admin").line()
    assert [number_of(next(line).id) for _ in range(2)] == [0, 2]


@given(
    st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from("xy"), st.integers(1, 500)), max_size=40),
    st.integers(1, 700),
)
def test_blocks_keep_the_order_of_senders_and_lose_and_starve_nothing(
    sent: list[tuple[str, str, int]], room: int
) -> None:
    """Blocks of ``room`` steps, and at least one transaction, are taken until the pool is empty."""
    pool = Mempool()
    cost = {}
    for number, (member, user, steps) in enumerate(sent):
        transaction = fake(number, sender=f"{member}/{user}")
        cost[transaction.id] = steps
        assert pool.add(transaction, 0) is None
    committed: list[bytes] = []
    for height in count(1):
        block, free, line = [], room, pool.line()
        for transaction in line:
            if cost[transaction.id] > free and block:
                line.leave()
                continue
            block.append(transaction)
            free -= cost[transaction.id]
            line.take(cost[transaction.id])
        if not block:
            break
        for transaction in block:
            pool.remove(transaction.id)
        committed += [transaction.id for transaction in block]
        pool.turns.executed(1_000 * height, [(tx.sender[0], cost[tx.id]) for tx in block])
        pool.committed(0, 1_000 * height)
    assert not len(pool)
    assert sorted(committed) == sorted(cost)
    for member in "abc":
        mine = [number for number, (owner, _, _) in enumerate(sent) if owner == member]
        assert [number for number in map(number_of, committed) if number in mine] == mine


def test_a_flood_of_costly_transactions_takes_no_more_than_its_part() -> None:
    """Two members always have something waiting: cheap and costly steps committed come out even, and in every block
    but a few the cheap one has its place."""
    pool, numbered, costs = Mempool(), count(), {"cheap": 1_000, "costly": 400_000}
    steps: Counter[str] = Counter()
    waiting: Counter[str] = Counter()
    without_cheap = [0]
    for height in range(1, 201):
        for member in costs:
            while waiting[member] < 600:
                assert pool.add(fake(next(numbered), sender=f"{member}/admin"), 0) is None
                waiting[member] += 1
        block, free, line = [], 500_000, pool.line()
        for transaction in line:
            member = transaction.sender.partition("/")[0]
            if costs[member] > free and block:
                line.leave()
                continue
            block.append((transaction, member))
            free -= costs[member]
            line.take(costs[member])
        for transaction, member in block:
            pool.remove(transaction.id)
            waiting[member] -= 1
            steps[member] += costs[member]
        pool.turns.executed(100 * height, [(member, costs[member]) for _, member in block])
        if any(member == "cheap" for _, member in block):
            without_cheap.append(0)
        else:
            without_cheap[-1] += 1
    assert 0.8 < steps["cheap"] / steps["costly"] < 1.25
    assert max(without_cheap) <= 1


def test_a_line_counts_what_is_taken_of_it() -> None:
    pool = filled(*(f"bank-{number % 7}/admin" for number in range(700)))
    line, taken = pool.line(), Counter[str]()
    for transaction in islice(line, 21):
        taken[transaction.sender] += 1
        line.take(400)
    assert taken == {f"bank-{number}/admin": 3 for number in range(7)}
    assert len({transaction.sender for transaction in islice(pool.line(), 21)}) == 1, "nothing was counted in between"
