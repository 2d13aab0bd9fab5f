"""What is live: viewers are told that something changed, and the stream goes on at another node."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable

import httpx
import pytest

from coseal.console.live import Live, events_of
from tests.audit.conftest import Chain
from tests.console.fake import FakeNetwork


async def until(condition: Callable[[], object]) -> None:
    async with asyncio.timeout(20):
        while not condition():
            await asyncio.sleep(0.01)


def run(test: Callable[[FakeNetwork, Live], object], **chains: Chain) -> None:
    async def main() -> None:
        network = FakeNetwork(**(chains or {"regulator": Chain().grow(5)}))
        live = Live(network.nodes, network.light)
        running = asyncio.create_task(live.run())
        try:
            await test(network, live)  # type: ignore[misc]
        finally:
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)

    asyncio.run(main())


def test_a_new_block_is_followed_and_told():
    async def test(network: FakeNetwork, live: Live) -> None:
        async with live.watching():
            await until(lambda: network.light.height == 5)
            seen = live.version
            network.chains["regulator"].add()
            assert await live.wait(seen, 20) > seen
            await until(lambda: network.light.height == 6)

    run(test)


def test_nothing_new_is_not_told():
    async def test(network: FakeNetwork, live: Live) -> None:
        await until(lambda: network.light.height == 5)
        seen = live.version
        assert await live.wait(seen, 0.2) == seen

    run(test)


def test_the_stream_is_read_only_while_somebody_looks_and_an_event_is_heard_once():
    async def test(network: FakeNetwork, live: Live) -> None:
        await until(lambda: network.light.height == 5)
        await asyncio.sleep(0)
        assert ("regulator", "/v1/stream") not in network.asked
        async with live.watching():
            await until(lambda: network.asked.count(("regulator", "/v1/stream")) >= 2)
        assert live.heard == 1

    run(test)


def test_a_broken_stream_goes_on_at_another_node():
    chain = Chain().grow(5)

    async def test(network: FakeNetwork, live: Live) -> None:
        network.twists["first"] = lambda path, answer: (
            httpx.ConnectError("gone") if path in ("/v1/stream", "/v1/status") else answer
        )
        async with live.watching():
            await until(lambda: live.heard)
        assert ("second", "/v1/stream") in network.asked
        assert network.nodes.seen["first"].status is None

    run(test, first=chain, second=chain)


def test_when_all_nodes_are_gone_that_is_told_and_it_goes_on_when_one_is_back():
    async def test(network: FakeNetwork, live: Live) -> None:
        async with live.watching():
            await until(lambda: network.light.height == 5)
            seen = live.version
            network.twists["regulator"] = lambda path, answer: httpx.ConnectError("gone")
            assert await live.wait(seen, 20) > seen
            await until(lambda: network.nodes.seen["regulator"].status is None)
            network.twists.clear()
            network.chains["regulator"].add()
            await until(lambda: network.light.height == 6)

    run(test)


@pytest.mark.parametrize(
    "event",
    [
        b'id: abc\nevent: transaction\ndata: {"height": "x"}\n\n',
        b'id: 3:0\nevent: transaction\ndata: {"height": "x"}\n\n',
        b'id: 3:0\nevent: transaction\ndata: {"height": -1}\n\n',
        b"id: 3:0\ndata: []\n\n",
        b"id: 3:0\ndata: " + b"[" * 50_000 + b"\n\n",
        b"id: 3:0\ndata: {}\n\n",
        b"id: \xff\xfe:0\ndata: {}\n\n",
    ],
)
def test_an_odd_event_ends_that_stream_and_nothing_else(event: bytes):
    async def test(network: FakeNetwork, live: Live) -> None:
        network.twists["first"] = lambda path, answer: event if path == "/v1/stream" else answer
        async with live.watching():
            await until(lambda: live.heard)
            await until(lambda: network.light.height == 5)
        assert ("second", "/v1/stream") in network.asked
        assert [doubt.node for doubt in network.nodes.doubts.kept()] == ["first"]

    chain = Chain().grow(5)
    run(test, first=chain, second=chain)


def test_events_are_cut_at_empty_lines_and_at_no_other_sign_that_ends_a_line():
    async def parts() -> AsyncIterator[bytes]:
        for part in (b"id: 1:0\nda", 'ta: {"a": "\u2028\x0b"}\n'.encode(), b"\nid: 2", b":0\n\n: x\n\nrest"):
            yield part

    async def read() -> list[bytes]:
        return [event async for event in events_of(parts())]

    assert asyncio.run(read()) == ['id: 1:0\ndata: {"a": "\u2028\x0b"}'.encode(), b"id: 2:0", b": x"]
