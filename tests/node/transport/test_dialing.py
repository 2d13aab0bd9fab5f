from __future__ import annotations

import asyncio
import socket
import threading

import pytest
import uvloop

from coseal.node.transport.dialing import connect


def run(scenario) -> None:
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(scenario)


def test_a_name_server_that_does_not_answer_holds_up_neither_a_task_nor_the_end_of_the_loop(monkeypatch) -> None:
    asked, answered, threads = threading.Event(), threading.Event(), []

    def never(*_: object, **__: object) -> list[object]:
        threads.append(threading.current_thread())
        asked.set()
        answered.wait(30)
        return []

    async def scenario() -> None:
        monkeypatch.setattr(socket, "getaddrinfo", never)
        dial = asyncio.create_task(connect("peer.invalid", 1, 10))
        assert await asyncio.to_thread(asked.wait, 10)
        dial.cancel()
        await asyncio.wait([dial])
        assert dial.cancelled()

    run(scenario())
    (thread,) = threads
    assert thread.is_alive(), "the loop waited for a lookup"
    assert thread.daemon  # nor does Python wait for it
    answered.set()
    thread.join(10)
    assert not thread.is_alive()


def test_the_first_address_that_answers_is_taken(monkeypatch) -> None:
    with socket.socket() as closed, socket.create_server(("127.0.0.1", 0)) as server:
        closed.bind(("127.0.0.1", 0))  # taken, but nobody listens
        found = [
            (socket.AF_INET, socket.SOCK_STREAM, 0, "", address)
            for address in (closed.getsockname(), server.getsockname())
        ]
        monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: found)

        async def scenario() -> None:
            with await connect("peer.invalid", 1, 10) as connection:
                assert connection.getpeername() == server.getsockname()

        run(scenario())


@pytest.mark.parametrize(
    ("host", "says"),
    [("127.0.0.1", "Connection refused$"), ("no.such.name.invalid", "."), ("a" * 64, "no host name")],
)
def test_who_cannot_be_reached_is_an_os_error(host: str, says: str) -> None:
    async def scenario() -> None:
        with socket.socket() as closed:
            closed.bind(("127.0.0.1", 0))
            with pytest.raises(OSError, match=says):
                await connect(host, closed.getsockname()[1], 10)

    run(scenario())


def test_a_thread_that_the_system_refuses_is_an_os_error_after_which_dialing_goes_on(monkeypatch) -> None:
    def refused(_: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    async def scenario() -> None:
        monkeypatch.setattr(threading.Thread, "start", refused)
        with pytest.raises(OSError, match=r"peer\.invalid cannot be looked up: can't start new thread"):
            await connect("peer.invalid", 1, 10)

    run(scenario())
