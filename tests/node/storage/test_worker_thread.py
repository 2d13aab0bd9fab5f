from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable
from contextvars import ContextVar
from functools import partial

from coseal.node.storage.worker_thread import WorkerThread


def played(scenario: Callable[[WorkerThread, list[object]], Awaitable[None]]) -> list[object]:
    """Return what a scenario heard."""
    heard: list[object] = []

    async def play() -> None:
        thread = WorkerThread("test")
        await asyncio.wait_for(scenario(thread, heard), 20)
        thread.close(wait=True)

    asyncio.run(play())
    return heard


async def until(condition: Callable[[], bool]) -> None:
    while not condition():
        await asyncio.sleep(0.001)


def test_work_is_done_in_order_elsewhere_and_told_here() -> None:
    threads: set[int] = set()

    async def scenario(thread: WorkerThread, heard: list[object]) -> None:
        def work(number: int) -> float:
            threads.add(threading.get_ident())
            return float(number)

        def told(result: float) -> None:
            assert threading.get_ident() not in threads
            heard.append(result)

        for number in range(5):
            thread.submit(partial(work, number), told, heard.append)
        await until(lambda: len(heard) == 5)

    assert played(scenario) == [0.0, 1.0, 2.0, 3.0, 4.0]
    assert len(threads) == 1


def test_nothing_is_done_after_an_error() -> None:
    done: list[str] = []

    async def scenario(thread: WorkerThread, heard: list[object]) -> None:
        def fail() -> float:
            raise OSError("the disk")

        thread.submit(fail, heard.append, lambda error: heard.append(str(error)))
        thread.submit(lambda: done.append("more"), heard.append, heard.append)
        await until(lambda: bool(heard))
        thread.close(wait=True)

    assert played(scenario) == ["the disk"]
    assert done == []


def test_a_thread_that_never_worked_closes_at_once() -> None:
    async def scenario(thread: WorkerThread, heard: list[object]) -> None:
        thread.close(wait=True)

    assert played(scenario) == []


def test_what_is_told_is_told_in_the_context_of_who_gave_the_work() -> None:
    name: ContextVar[str] = ContextVar("name", default="nobody")

    async def scenario(thread: WorkerThread, heard: list[object]) -> None:
        def failing() -> None:
            raise OSError

        name.set("caller")
        thread.submit(lambda: None, lambda _: heard.append(name.get()), heard.append)
        thread.submit(failing, heard.append, lambda _: heard.append(name.get()))
        name.set("later")
        await until(lambda: len(heard) == 2)

    assert played(scenario) == ["caller", "caller"]
