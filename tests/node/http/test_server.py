"""The server on a real socket: what only a server can get wrong. Ports are picked by the system."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from pathlib import Path

import httpx
import pytest

from coseal.node.http.context import Settings
from coseal.node.http.limits import Limits
from coseal.node.http.server import HttpServer
from tests.node.http.world import World

LIMITS = Limits(
    body_bytes=100_000,
    connections=5,
    streams=3,
    keep_alive_seconds=5,
    write_seconds=0.5,
)
HASTY = Limits(header_seconds=0.3, body_seconds=0.3)
Play = Callable[[World, int], Awaitable[None]]


def serve(folder: Path, play: Play, limits: Limits = LIMITS) -> None:
    async def run() -> None:
        world = World(folder, settings=Settings(limits=limits))
        server = HttpServer(world.app, "127.0.0.1", 0, limits)
        await server.start()
        try:
            await play(world, server.port)
        finally:
            await server.stop()
            world.close()

    asyncio.run(run())


async def talk(port: int, sent: bytes) -> bytes:
    """Send bytes and return all that comes back until the end."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(sent)
    try:
        async with asyncio.timeout(20):
            answer = await reader.read()
    except ConnectionResetError:
        answer = b""
    writer.close()
    return answer


def problem(answer: bytes) -> tuple[int, str]:
    head, _, body = answer.partition(b"\r\n\r\n")
    assert b"application/problem+json" in head.lower()
    assert b"connection: close" in head.lower()
    return int(head.split(b" ")[1]), json.loads(body)["code"]


def test_a_transaction_over_a_socket_and_a_stream_that_follows(tmp_path: Path) -> None:
    async def play(world: World, port: int) -> None:
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}") as client:
            async with client.stream("GET", "/v1/stream?from=1") as stream:
                lines = stream.aiter_lines()
                raw = world.profile().raw
                headers = {"Content-Type": "application/msgpack"}
                response = await client.post("/v1/transactions?wait=commit", content=raw, headers=headers)
                assert response.json()["status"] == "committed"
                async with asyncio.timeout(20):
                    async for line in lines:
                        if line.startswith("id: "):
                            assert line == "id: 1:0"
                            break
                assert world.app._context.streams == 1
            for _ in range(100):
                if world.app._context.streams == 0:
                    break
                await asyncio.sleep(0.02)
            assert world.app._context.streams == 0, "a reader that left is not counted"

    serve(tmp_path, play)


def test_a_header_of_64_kib_is_431_in_one_piece_or_many(tmp_path: Path) -> None:
    head = b"GET /healthz HTTP/1.1\r\nHost: x\r\nX-Long: " + b"x" * 65_536

    async def play(world: World, port: int) -> None:
        assert problem(await talk(port, head + b"\r\n\r\n")) == (431, "header_too_large")
        assert problem(await talk(port, head)) == (431, "header_too_large")
        many = b"".join(b"X-%d: y\r\n" % number for number in range(8_000))
        assert problem(await talk(port, b"GET / HTTP/1.1\r\n" + many + b"\r\n")) == (431, "header_too_large")
        long_target = b"GET /" + b"y" * 65_536 + b" HTTP/1.1\r\nHost: x\r\n\r\n"
        assert problem(await talk(port, long_target)) == (431, "header_too_large")

    serve(tmp_path, play)


def test_a_header_that_does_not_end_is_408(tmp_path: Path) -> None:
    async def play(world: World, port: int) -> None:
        for started in (b"", b"GET /healthz HTTP/1.1\r\nHost:"):
            assert problem(await talk(port, started)) == (408, "slow_header")

    serve(tmp_path, play, HASTY)


def test_a_body_that_does_not_end_is_408(tmp_path: Path) -> None:
    head = b"POST /v1/transactions HTTP/1.1\r\nHost: x\r\nContent-Type: application/msgpack\r\n"

    async def play(world: World, port: int) -> None:
        assert problem(await talk(port, head + b"Content-Length: 100\r\n\r\nabc")) == (408, "slow_body")
        assert problem(await talk(port, head + b"Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n")) == (408, "slow_body")

    serve(tmp_path, play, HASTY)


def test_a_body_beyond_the_limit_is_413_announced_or_chunked(tmp_path: Path) -> None:
    head = b"POST /v1/transactions HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
    chunk = b"4000\r\n" + b"x" * 0x4000 + b"\r\n"

    async def play(world: World, port: int) -> None:
        assert problem(await talk(port, head + b"Content-Length: 10000000\r\n\r\n")) == (413, "too_large")
        assert problem(await talk(port, head + b"Transfer-Encoding: chunked\r\n\r\n" + chunk * 8)) == (413, "too_large")

    serve(tmp_path, play)


def test_what_is_not_http_is_400(tmp_path: Path) -> None:
    async def play(world: World, port: int) -> None:
        for sent in (b"\x16\x03\x01\x02\x00\x01\x00", b"HELLO\r\n\r\n", b"GET /\x00 HTTP/1.1\r\n\r\n"):
            assert problem(await talk(port, sent)) == (400, "malformed_request")

    serve(tmp_path, play)


def test_connections_beyond_the_limit_are_503_and_free_again_afterwards(tmp_path: Path) -> None:
    async def play(world: World, port: int) -> None:
        held = [await asyncio.open_connection("127.0.0.1", port) for _ in range(5)]
        assert problem(await talk(port, b"")) == (503, "too_many_connections")
        for _, writer in held:
            writer.close()
        await asyncio.sleep(0.1)
        answer = await talk(port, b"GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        assert answer.startswith(b"HTTP/1.1 200")

    serve(tmp_path, play)


def test_requests_in_one_connection_and_pipelined_are_answered_in_order(tmp_path: Path) -> None:
    get = b"GET /v1/blocks/%d HTTP/1.1\r\nHost: x\r\n%s\r\n"

    async def play(world: World, port: int) -> None:
        for _ in range(3):
            await world.commit()
        sent = get % (1, b"") + get % (2, b"") + get % (3, b"Connection: close\r\n")
        answer = await talk(port, sent)
        positions = [answer.index(b'{"height":%d,"header"' % height) for height in (1, 2, 3)]
        assert positions == sorted(positions)
        assert answer.count(b"HTTP/1.1 200") == 3

    serve(tmp_path, play)


def test_an_address_claimed_in_a_header_is_not_believed(tmp_path: Path) -> None:
    limits = Limits(loopback_requests_per_s=0.1, burst_s=40)  # four at once, the next after ten seconds

    async def play(world: World, port: int) -> None:
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}") as client:
            headers = [{"X-Forwarded-For": f"192.0.2.{number}"} for number in range(6)]
            codes = [(await client.get("/healthz", headers=header)).status_code for header in headers]
        assert codes == [200] * 4 + [429] * 2

    serve(tmp_path, play, limits)


def test_a_reader_that_stalls_is_disconnected(tmp_path: Path) -> None:
    async def play(world: World, port: int) -> None:
        big = {"description": "x" * 1_000}
        for _ in range(40):
            await world.commit(*(world.sign("membership.set_profile", big) for _ in range(60)))
        _, writer = await asyncio.open_connection("127.0.0.1", port, limit=1_024)
        writer.write(b"GET /v1/stream?from=1 HTTP/1.1\r\nHost: x\r\n\r\n")
        for _ in range(100):
            await asyncio.sleep(0.02)
            if world.app._context.streams == 1:
                break
        for _ in range(200):
            await asyncio.sleep(0.02)
            if world.app._context.streams == 0:
                break
        assert world.app._context.streams == 0
        writer.close()

    serve(tmp_path, play)


def test_stopping_ends_what_waits_and_streams_in_good_order(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    async def run() -> None:
        world = World(tmp_path)
        server = HttpServer(world.app, "127.0.0.1", 0, LIMITS)
        await server.start()
        await world.commit(world.profile())
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{server.port}", timeout=20) as client:
            waiting = asyncio.create_task(client.get("/v1/members?min_height=9"))
            streaming = asyncio.create_task(client.get("/v1/stream?from=1"))
            while world.app._context.streams == 0 or len(world.app._serving) < 2:
                await asyncio.sleep(0.01)
            await server.stop()
            response = await waiting
            assert (response.status_code, response.json()["code"]) == (503, "unavailable")
            assert "id: 1:0" in (await streaming).text, "the stream has a proper end, so the client has all of it"
        world.close()

    asyncio.run(run())
    assert caplog.records == []


def test_a_port_in_use_is_an_error_of_ours_and_not_the_end_of_the_process(tmp_path: Path) -> None:
    async def play(world: World, port: int) -> None:
        second = HttpServer(world.app, "127.0.0.1", port, LIMITS)
        with pytest.raises(OSError, match="listen"):
            await second.start()

    serve(tmp_path, play)
