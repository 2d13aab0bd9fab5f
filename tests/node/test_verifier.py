from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Awaitable, Callable
from dataclasses import replace

import pytest

from ledger.transaction import Transaction
from node import verifier as module
from node.admission import VerifiedTransactions
from node.verifier import Closed, Verifier
from tests.node.chain import genesis, signed


def good(count: int) -> list[Transaction]:
    return [signed(genesis(), number) for number in range(count)]


def bad(number: int) -> Transaction:
    tx = signed(genesis(), number)
    flipped = tx.raw[:-1] + bytes([tx.raw[-1] ^ 1])
    return replace(Transaction.decode(flipped))


def run(scenario: Callable[[Verifier, VerifiedTransactions], Awaitable[None]], threads: int = 2) -> None:
    async def whole() -> None:
        verified = VerifiedTransactions()
        verifier = Verifier(verified, threads)
        await scenario(verifier, verified)
        verifier.close()

    asyncio.run(whole())


def test_good_ones_are_remembered_and_bad_ones_named() -> None:
    async def scenario(verifier: Verifier, verified: VerifiedTransactions) -> None:
        transactions = [*good(70), bad(500), bad(501)]
        assert await verifier.check(transactions) == {tx.raw for tx in transactions[70:]}
        assert all(tx.raw in verified for tx in transactions[:70])
        assert not any(tx.raw in verified for tx in transactions[70:])

    run(scenario)


def test_what_is_known_or_under_way_is_not_checked_again() -> None:
    async def scenario(verifier: Verifier, verified: VerifiedTransactions) -> None:
        transactions = good(100)
        first, second = await asyncio.gather(verifier.check(transactions), verifier.check(transactions[50:]))
        assert first == second == set()
        assert await verifier.check(transactions) == set()
        assert verifier.checked == 100

    run(scenario)


def test_what_was_begun_is_checked_while_the_loop_is_busy_and_not_again(monkeypatch) -> None:
    seen: set[bytes] = set()
    original = module._bad_ones
    monkeypatch.setattr(module, "_bad_ones", lambda txs: seen.update(tx.raw for tx in txs) or original(txs))

    async def scenario(verifier: Verifier, verified: VerifiedTransactions) -> None:
        transactions = [*good(300), bad(500)]
        verifier.begin(transactions)
        deadline = time.monotonic() + 20
        while len(seen) < 301 and time.monotonic() < deadline:
            time.sleep(0.001)  # the loop does nothing meanwhile
        assert len(seen) == 301
        assert await verifier.check(transactions) == {transactions[-1].raw}
        assert verifier.checked == 301

    run(scenario)


def test_a_bad_one_under_way_is_bad_for_everyone_who_asks() -> None:
    async def scenario(verifier: Verifier, verified: VerifiedTransactions) -> None:
        wrong = bad(1)
        assert await asyncio.gather(verifier.check([wrong]), verifier.check([wrong])) == [{wrong.raw}, {wrong.raw}]
        assert verifier.checked == 1

    run(scenario)


def test_what_waits_for_a_thread_is_taken_together(monkeypatch) -> None:
    sizes: list[int] = []
    original = module._bad_ones
    monkeypatch.setattr(module, "_bad_ones", lambda txs: sizes.append(len(txs)) or original(txs))

    async def scenario(verifier: Verifier, verified: VerifiedTransactions) -> None:
        await asyncio.gather(*(verifier.check([tx]) for tx in good(200)))

    run(scenario, threads=1)
    assert sum(sizes) == 200
    assert max(sizes) == module.CHUNK
    assert len(sizes) <= 6


def test_who_gives_up_takes_nothing_from_those_who_wait_for_the_same(monkeypatch) -> None:
    begun, go_on = threading.Event(), threading.Event()
    original = module._bad_ones

    def held(transactions: list[Transaction]) -> frozenset[bytes]:
        begun.set()
        assert go_on.wait(10)
        return original(transactions)

    monkeypatch.setattr(module, "_bad_ones", held)

    async def scenario(verifier: Verifier, verified: VerifiedTransactions) -> None:
        wrong, right = bad(1), good(1)
        failures: list[object] = []
        asyncio.get_running_loop().set_exception_handler(lambda _, context: failures.append(context))
        first, second = (asyncio.ensure_future(verifier.check([wrong, *right])) for _ in range(2))
        await asyncio.to_thread(begun.wait, 10)
        first.cancel()
        await asyncio.sleep(0)
        go_on.set()
        assert await asyncio.wait_for(second, 10) == {wrong.raw}
        assert first.cancelled()
        assert right[0].raw in verified
        assert not failures

    run(scenario)


def test_who_waits_when_the_node_stops_is_told() -> None:
    async def scenario(verifier: Verifier, verified: VerifiedTransactions) -> None:
        waiting = asyncio.create_task(verifier.check(good(200)))
        await asyncio.sleep(0)
        verifier.close()
        with pytest.raises(Closed):
            await waiting
        with pytest.raises(Closed):
            await verifier.check(good(1))

    run(scenario, threads=1)
