from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from typing import TypeAlias

import pytest

from bench.machine import cpu_seconds
from coseal.ledger.transaction import Transaction
from coseal.node.core.verified_cache import VerifiedCache
from coseal.node.verifier import verifier as module
from coseal.node.verifier import worker
from coseal.node.verifier.verifier import Closed, Verifier, WorkerLost
from tests.support.genesis import genesis
from tests.support.transactions import signed

Scenario: TypeAlias = Callable[[Verifier, VerifiedCache], Awaitable[None]]


def good(count: int) -> list[Transaction]:
    return [signed(genesis(), number) for number in range(count)]


def bad(number: int) -> Transaction:
    tx = signed(genesis(), number)
    flipped = tx.raw[:-1] + bytes([tx.raw[-1] ^ 1])
    return replace(Transaction.decode(flipped))


def run(scenario: Scenario, processes: int = 2) -> list[Exception]:
    """Run ``scenario`` with a verifier; return the faults it told of."""
    faults: list[Exception] = []

    async def whole() -> None:
        verified = VerifiedCache()
        verifier = Verifier(verified, processes, faults.append)
        await verifier.start()
        try:
            await scenario(verifier, verified)
        finally:
            await verifier.close()

    asyncio.run(whole())
    return faults


def asked(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Return the numbers of signatures in the questions that will be asked."""
    sizes: list[int] = []
    original = worker.question

    def question(records: Sequence[tuple[bytes, bytes, bytes]], *, native: bool) -> bytes:
        sizes.append(len(records))
        return original(records, native=native)

    monkeypatch.setattr(worker, "question", question)
    return sizes


async def until(condition: Callable[[], object]) -> None:
    async with asyncio.timeout(20):
        while not condition():
            await asyncio.sleep(0.001)


def test_good_ones_are_remembered_and_bad_ones_named() -> None:
    async def scenario(verifier: Verifier, verified: VerifiedCache) -> None:
        transactions = [*good(70), bad(500), bad(501)]
        assert await verifier.check(transactions) == {tx.raw for tx in transactions[70:]}
        assert all(tx.raw in verified for tx in transactions[:70])
        assert not any(tx.raw in verified for tx in transactions[70:])

    run(scenario)


def test_what_is_known_or_under_way_is_not_checked_again() -> None:
    async def scenario(verifier: Verifier, verified: VerifiedCache) -> None:
        transactions = good(100)
        first, second = await asyncio.gather(verifier.check(transactions), verifier.check(transactions[50:]))
        assert first == second == set()
        assert await verifier.check(transactions) == set()
        assert verifier.checked == 100

    run(scenario)


def test_what_was_begun_is_checked_while_the_loop_is_busy_and_not_again() -> None:
    async def scenario(verifier: Verifier, verified: VerifiedCache) -> None:
        await verifier.check(good(1))
        (worker,) = verifier._workers
        before_s = cpu_seconds([worker._process.pid])
        transactions = [*good(2_001)[1:], bad(2_500)]
        verifier.begin(transactions)
        deadline = time.monotonic() + 20
        while cpu_seconds([worker._process.pid]) < before_s + 0.01 and time.monotonic() < deadline:
            time.sleep(0.001)  # the loop does nothing meanwhile
        assert cpu_seconds([worker._process.pid]) >= before_s + 0.01
        assert await verifier.check(transactions) == {transactions[-1].raw}
        assert verifier.checked == 2_002

    run(scenario, processes=1)


def test_what_is_asked_before_the_start_waits_for_it() -> None:
    async def scenario() -> None:
        verifier = Verifier(VerifiedCache(), 1, print)
        early = asyncio.create_task(verifier.check([*good(3), bad(7)]))
        await asyncio.sleep(0)
        await verifier.start()
        assert await early == {bad(7).raw}
        await verifier.close()

    asyncio.run(scenario())


def test_a_bad_one_under_way_is_bad_for_everyone_who_asks() -> None:
    async def scenario(verifier: Verifier, verified: VerifiedCache) -> None:
        wrong = bad(1)
        assert await asyncio.gather(verifier.check([wrong]), verifier.check([wrong])) == [{wrong.raw}, {wrong.raw}]
        assert verifier.checked == 1

    run(scenario)


def test_what_waits_for_a_process_is_taken_together(monkeypatch: pytest.MonkeyPatch) -> None:
    sizes = asked(monkeypatch)

    async def scenario(verifier: Verifier, verified: VerifiedCache) -> None:
        await asyncio.gather(*(verifier.check([tx]) for tx in good(200)))

    run(scenario, processes=1)
    assert sum(sizes) == 200
    assert max(sizes) == module.CHUNK
    assert len(sizes) <= 6


def test_no_more_waits_at_a_process_than_the_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "AHEAD", 2)
    sizes = asked(monkeypatch)

    async def scenario(verifier: Verifier, verified: VerifiedCache) -> None:
        transactions = good(5 * module.CHUNK)
        verifier.begin(transactions)
        assert sizes == [module.CHUNK] * 2
        assert verifier.pending == len(transactions)
        assert await verifier.check(transactions) == set()
        assert sizes == [module.CHUNK] * 5
        assert verifier.pending == 0

    run(scenario, processes=1)


def test_an_answer_in_pieces_is_put_together(monkeypatch: pytest.MonkeyPatch) -> None:
    async def scenario(verifier: Verifier, verified: VerifiedCache) -> None:
        (worker,) = verifier._workers
        original = worker.data_received
        monkeypatch.setattr(
            worker, "data_received", lambda data: [original(data[at : at + 7]) for at in range(0, len(data), 7)]
        )
        transactions = [bad(900), *good(150), bad(901)]
        verifier.begin(transactions)
        assert await verifier.check(transactions) == {bad(900).raw, bad(901).raw}
        assert all(tx.raw in verified for tx in transactions[1:-1])

    run(scenario, processes=1)


def test_who_gives_up_takes_nothing_from_those_who_wait_for_the_same() -> None:
    async def scenario(verifier: Verifier, verified: VerifiedCache) -> None:
        (worker,) = verifier._workers
        os.kill(worker._process.pid, signal.SIGSTOP)
        wrong, right = bad(1), good(1)
        failures: list[object] = []
        asyncio.get_running_loop().set_exception_handler(lambda _, context: failures.append(context))
        first, second = (asyncio.ensure_future(verifier.check([wrong, *right])) for _ in range(2))
        await until(lambda: worker.jobs)
        first.cancel()
        await asyncio.sleep(0)
        os.kill(worker._process.pid, signal.SIGCONT)
        assert await asyncio.wait_for(second, 10) == {wrong.raw}
        assert first.cancelled()
        assert right[0].raw in verified
        assert not failures

    run(scenario, processes=1)


def test_who_waits_when_the_node_stops_is_told() -> None:
    async def scenario(verifier: Verifier, verified: VerifiedCache) -> None:
        waiting = asyncio.create_task(verifier.check(good(200)))
        await asyncio.sleep(0)
        await verifier.close()
        with pytest.raises(Closed):
            await waiting
        with pytest.raises(Closed):
            await verifier.check(good(1))
        verifier.begin(good(1))  # and is nothing any more

    assert not run(scenario, processes=1)


def test_a_process_that_ends_by_itself_is_a_fault_and_whoever_waits_is_told() -> None:
    async def scenario(verifier: Verifier, verified: VerifiedCache) -> None:
        worker = verifier._workers[0]
        os.kill(worker._process.pid, signal.SIGSTOP)
        waiting = asyncio.create_task(verifier.check(good(200)))
        await until(lambda: worker.jobs)
        os.kill(worker._process.pid, signal.SIGKILL)
        with pytest.raises(Closed):
            await asyncio.wait_for(waiting, 10)

    (fault,) = run(scenario)
    assert isinstance(fault, WorkerLost)
    assert str(fault) == "the process that checks signatures ended: by signal 9"


def test_what_ends_a_node_does_not_end_its_process_before_it_not_even_at_the_start() -> None:
    async def scenario(verifier: Verifier, verified: VerifiedCache) -> None:
        for transactions in (good(3), good(6)):  # before it is ready, and after
            for number in (signal.SIGTERM, signal.SIGINT):
                os.kill(verifier._workers[0]._process.pid, number)
            assert await verifier.check(transactions) == set()

    blocked = signal.pthread_sigmask(signal.SIG_BLOCK, ())
    assert not run(scenario, processes=1)
    assert signal.pthread_sigmask(signal.SIG_BLOCK, ()) == blocked


def test_no_process_is_left_and_one_that_hangs_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_END_S", 0.05)
    processes: list[subprocess.Popen[bytes]] = []

    async def scenario(verifier: Verifier, verified: VerifiedCache) -> None:
        processes.extend(worker._process for worker in verifier._workers)
        os.kill(processes[1].pid, signal.SIGSTOP)

    assert not run(scenario)
    assert processes[1].returncode == -signal.SIGKILL
    assert processes[0].returncode in (0, -signal.SIGKILL)
