"""The fast path on a real socket: it answers what the ordinary way answers, and leaves to it what is not plain.

The same request goes round when its body comes in two pieces.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from coseal.contracts.kernel.action import Rejected
from coseal.ledger.codec import encode
from coseal.ledger.transaction import Transaction
from coseal.node.core.events import Answer
from coseal.node.http.auth import Token
from coseal.node.http.context import Settings
from coseal.node.http.fast_path import SUBMITTED_MAX, Caller, Fields, Plan
from coseal.node.http.limits import Limits
from coseal.node.http.server import HttpServer
from coseal.node.http.services import Unavailable
from tests.node.http import test_server
from tests.node.http.world import World

LIMITS = Limits(body_seconds=0.5)
Received = tuple[int, dict[str, str], dict[str, Any]]
"""Status, headers but for the date, and document of an answer."""


def request(
    raw: bytes, wait: str = "accepted", *headers: str, length: int | None = None, route: str = ""
) -> tuple[bytes, bytes]:
    lines = [
        f"POST /v1/transactions{route}?wait={wait} HTTP/1.1",
        "Host: x",
        "Content-Type: application/msgpack",
        *headers,
    ]
    head = "\r\n".join([*lines, f"Content-Length: {len(raw) if length is None else length}", "", ""])
    return head.encode(), raw


class Client:
    """One connection, and the answers on it as they come."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer

    async def answer(self) -> Received:
        async with asyncio.timeout(20):
            head = (await self.reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
            headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in head[1:-2])}
            body = await self.reader.readexactly(int(headers["content-length"]))
        assert headers.pop("date")
        return int(head[0].split(" ")[1]), headers, json.loads(body)

    async def fast_path(self, raw: bytes, wait: str = "accepted", route: str = "") -> Received:
        self.writer.write(b"".join(request(raw, wait, route=route)))
        return await self.answer()

    async def round(self, raw: bytes, wait: str = "accepted", route: str = "") -> Received:
        head, body = request(raw, wait, route=route)
        self.writer.write(head)
        await asyncio.sleep(0.02)
        self.writer.write(body)
        return await self.answer()


def serve(folder: Path, play: Callable[[World, Client], Awaitable[None]], limits: Limits | None = None) -> None:
    async def connect(world: World, port: int) -> None:
        async with connected(port) as client:
            await play(world, client)

    test_server.serve(folder, connect, limits or Limits())


@asynccontextmanager
async def connected(port: int) -> AsyncIterator[Client]:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        yield Client(reader, writer)
    finally:
        writer.close()


def count_fast_path(world: World) -> list[bytes]:
    """Return a list that grows by each request that takes the fast path."""
    taken: list[bytes] = []
    take = world.app.fast_path.take

    def watched(exchange: Any, caller: Caller, plan: Plan, headers: Fields, body: bytes) -> None:
        taken.append(body)
        take(exchange, caller, plan, headers, body)

    world.app.fast_path.take = watched  # type: ignore[method-assign]
    return taken


def test_both_ways_give_the_same_answers(tmp_path: Path) -> None:
    async def play(world: World, client: Client) -> None:
        world.auto, taken = False, count_fast_path(world)
        pooled, committed, rejected = (
            world.profile(),
            world.profile(),
            world.sign("membership.remove_operator", {"user": "x"}),
        )
        await world.commit(committed, rejected)
        await client.round(pooled.raw)
        foreign, late = world.profile(chain_id=bytes(32)), world.profile(valid_until_ms=1)
        forged = pooled.raw[:-1] + bytes([pooled.raw[-1] ^ 1])
        raws = [
            pooled.raw,
            committed.raw,
            rejected.raw,
            foreign.raw,
            late.raw,
            forged,
            b"\xc1",
            b"",
            pooled.raw + b"\x00",
        ]
        for raw in raws:
            round_, fast_path = await client.round(raw), await client.fast_path(raw)
            assert fast_path == round_
        world.pool_limit = 1
        full = world.profile()
        assert await client.fast_path(full.raw) == await client.round(full.raw)
        assert (await client.fast_path(full.raw))[1]["retry-after"] == "1"
        assert len(taken) > len(raws)

    serve(tmp_path, play)


def test_a_new_transaction_is_answered_202_and_its_commit_is_waited_for(tmp_path: Path) -> None:
    async def play(world: World, client: Client) -> None:
        taken = count_fast_path(world)
        world.auto = False
        tx = world.profile()
        status, headers, document = await client.fast_path(tx.raw)
        assert (status, headers["content-type"], headers["coseal-height"]) == (202, "application/json", "0")
        assert document == {"id": tx.id.hex(), "status": "accepted", "height": None, "index": None, "receipt": None}
        world.auto = True
        status, headers, document = await client.fast_path(world.profile().raw, "commit")
        assert (status, headers["coseal-height"], document["status"]) == (200, "1", "committed")
        assert len(taken) == 2

    serve(tmp_path, play)


def test_a_batch_goes_both_ways_alike(tmp_path: Path) -> None:
    async def play(world: World, client: Client) -> None:
        world.auto, taken = False, count_fast_path(world)
        known = world.profile()
        await world.commit(known)
        transactions = [world.profile(f"number {number}").raw for number in range(3)]
        for body in (encode([*transactions, known.raw, b"\xc1"]), encode([]), encode({}), b"", encode([b"x"] * 1_001)):
            round_ = await client.round(body, route="/batch")
            assert await client.fast_path(body, route="/batch") == round_
        assert len(taken) == 6, "nothing is always whole"

    serve(tmp_path, play)


def test_who_is_refused_and_does_not_wait_is_held_off_and_nobody_else(tmp_path: Path) -> None:
    async def play(world: World, port: int) -> None:
        world.auto, world.pool_limit = False, 4
        async with connected(port) as client, connected(port) as other:
            await client.fast_path(encode([world.profile(f"{number}").raw for number in range(4)]), route="/batch")
            flood = [world.profile(f"flood {number}").raw for number in range(5)]
            codes = [(await client.fast_path(raw))[2]["code"] for raw in flood[:3]]
            assert codes == ["mempool_full", "mempool_full", "slow_down"]
            for way in (client.fast_path, client.round):
                status, headers, document = await way(flood[3])
                assert (status, headers["retry-after"], document["code"]) == (429, "5", "slow_down")
                assert (await way(encode(flood), route="/batch"))[2]["code"] == "slow_down"
            theirs = world.profile("of others", sender="bank-a").raw
            assert (await client.fast_path(theirs))[2]["code"] == "mempool_full", "another sender on the connection"
            assert (await other.fast_path(flood[4]))[2]["code"] == "mempool_full", "the sender on another connection"
            world.pool.clear()
            world.app._context._crowded_s = float("-inf")  # a while later
            assert (await client.fast_path(flood[4]))[0] == 202, "nobody is held off where there is room"

    test_server.serve(tmp_path, play, Limits(refused_per_s=1, burst_s=1))


def test_requests_in_one_piece_are_answered_in_their_order(tmp_path: Path) -> None:
    async def play(world: World, client: Client) -> None:
        transactions = [world.profile(f"number {number}") for number in range(5)]
        client.writer.write(b"".join(b"".join(request(tx.raw)) for tx in transactions))
        assert [(await client.answer())[2]["id"] for _ in transactions] == [tx.id.hex() for tx in transactions]

    serve(tmp_path, play)


class Noted:
    """An exchange without a connection."""

    def __init__(self) -> None:
        self.response_complete, self.status, self.close = False, 0, False

    def answer(self, status: int, head: str, body: bytes, *, close: bool = False) -> None:
        self.response_complete, self.status, self.close = True, status, close


CALLER, PLAN = Caller("address:127.0.0.1", "127.0.0.1:1", True), Plan("/v1/transactions", "accepted")


def test_a_node_that_stops_takes_nothing_new(tmp_path: Path) -> None:
    async def play(world: World, client: Client) -> None:
        await world.app.stop()
        exchange = Noted()
        world.app.fast_path.take(exchange, CALLER, PLAN, [], world.profile().raw)
        assert (exchange.status, exchange.close, world.pool) == (503, True, {})

    serve(tmp_path, play)


def test_many_at_once_are_submitted_over_several_turns(tmp_path: Path) -> None:
    async def play(world: World, client: Client) -> None:
        world.auto, world.pool_limit, submit = False, 1_000, world.submit
        sizes: list[int] = []

        async def counted(transactions: Sequence[Transaction]) -> list[Answer]:
            sizes.append(len(transactions))
            return await submit(transactions)

        world.submit = counted  # type: ignore[method-assign]
        fast_path, exchanges = world.app.fast_path, [Noted() for _ in range(SUBMITTED_MAX + 3)]
        for number, exchange in enumerate(exchanges):
            fast_path.take(exchange, CALLER, PLAN, [], world.profile(f"number {number}").raw)
        while not all(exchange.response_complete for exchange in exchanges):
            await asyncio.sleep(0.001)
        assert sizes == [SUBMITTED_MAX, 3]

    serve(tmp_path, play)


def test_however_the_bytes_come_the_answers_are_the_same(tmp_path: Path) -> None:
    async def play(world: World, client: Client) -> None:
        world.auto, taken = False, count_fast_path(world)
        first, second = world.profile("first"), world.profile("second")
        sent = b"".join((*request(first.raw), *request(second.raw), *request(b"\xc1")))
        for cut in range(0, len(sent), 41):
            client.writer.write(sent[:cut])
            await asyncio.sleep(0.002)
            client.writer.write(sent[cut:])
            answers = [await client.answer() for _ in range(3)]
            assert [answer[2].get("id") for answer in answers] == [first.id.hex(), second.id.hex(), None]
            assert [answer[0] for answer in answers] == [202, 202, 400]
        assert taken

    serve(tmp_path, play)


NOT_PLAIN = (
    request(b"", "accepted", "Signature-Input: coseal=()"),
    request(b"", "accepted", "Content-Type: application/json"),
    request(b"", "accepted", "Transfer-Encoding: chunked", length=0),
    request(b"", "accepted", "Connection: close"),
    request(b"", "accepted", "Expect: 100-continue"),
    request(b"x" * 16_385),
    request(b"", "never"),
    (b"POST /v1/transactions HTTP/1.1\r\nHost: x\r\nContent-Type: application/msgpack\r\n\r\n", b""),
    (b"GET /v1/transactions HTTP/1.1\r\nContent-Type: application/msgpack\r\nContent-Length: 0\r\n\r\n", b""),
)


def test_what_is_not_plain_goes_round(tmp_path: Path) -> None:
    async def play(world: World, port: int) -> None:
        taken = count_fast_path(world)
        for sent in NOT_PLAIN:
            async with connected(port) as client, asyncio.timeout(20):
                client.writer.write(b"".join(sent))
                assert (await client.reader.readline()).startswith(b"HTTP/1.1 ")
        assert taken == []

    test_server.serve(tmp_path, play, Limits())


def test_a_body_that_does_not_come_is_408(tmp_path: Path) -> None:
    async def play(world: World, client: Client) -> None:
        head, body = request(world.profile().raw)
        client.writer.write(head + body[:-1])
        status, headers, document = await client.answer()
        assert (status, document["code"], headers["connection"]) == (408, "slow_body", "close")

    serve(tmp_path, play, LIMITS)


def test_the_rates_hold_on_the_fast_path(tmp_path: Path) -> None:
    async def play(world: World, client: Client) -> None:
        answers = [await client.fast_path(world.profile(f"number {number}").raw) for number in range(4)]
        assert [answer[0] for answer in answers] == [202, 202, 429, 429]
        assert (answers[2][2]["code"], answers[2][1]["retry-after"]) == ("too_many_requests", "1")

    serve(tmp_path, play, Limits(loopback_requests_per_s=1, burst_s=2))


def test_a_token_has_its_own_rate_and_an_unknown_one_is_refused(tmp_path: Path) -> None:
    async def run() -> None:
        tokens = (Token("erp", "enterprise-a", sha256(b"t" * 40).digest(), frozenset({"submit"})),)
        world = World(
            tmp_path, settings=Settings(limits=Limits(loopback_transactions_per_s=1, burst_s=1), tokens=tokens)
        )
        server = HttpServer(world.app, "127.0.0.1", 0, Limits())
        await server.start()
        taken = count_fast_path(world)
        async with connected(server.port) as client:
            assert [(await client.fast_path(world.profile().raw))[0] for _ in range(2)] == [202, 429]
            for text, status in (("t" * 40, 202), ("t" * 40, 429), ("u" * 40, 401)):
                client.writer.write(b"".join(request(world.profile().raw, "accepted", f"Authorization: Bearer {text}")))
                answer = await client.answer()
                assert answer[0] == status
            assert (answer[1]["www-authenticate"], answer[2]["code"]) == ('Bearer realm="coseal"', "bad_token")
        assert len(taken) == 5
        await server.stop()
        world.close()

    asyncio.run(run())


def failing(error: Exception) -> Callable[[list[Transaction]], Any]:
    async def submit(transactions: list[Transaction]) -> list[Answer]:
        raise error

    return submit


def test_what_fails_is_answered_and_the_connection_goes_on(tmp_path: Path) -> None:
    async def play(world: World, client: Client) -> None:
        submit = world.submit
        for error, expected in ((Unavailable("no"), (503, "unavailable")), (ValueError("?"), (500, "internal_error"))):
            world.submit = failing(error)  # type: ignore[method-assign, assignment]
            status, _, document = await client.fast_path(world.profile().raw)
            assert (status, document["code"]) == expected
            assert "?" not in document["detail"]
        world.submit = submit  # type: ignore[method-assign]
        assert (await client.fast_path(world.profile().raw))[0] == 202

    serve(tmp_path, play)


def test_a_client_that_has_gone_is_no_error(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    async def play(world: World, client: Client) -> None:
        world.auto = False
        tx = world.profile()
        client.writer.write(b"".join(request(tx.raw, "commit")))
        while tx.id not in world.pool:
            await asyncio.sleep(0.01)
        client.writer.close()
        await asyncio.sleep(0.02)
        await world.drop(tx.id, Rejected("expired", "sign it anew"))
        while world.app.fast_path.tasks:
            await asyncio.sleep(0.01)

    serve(tmp_path, play)
    assert caplog.records == []


def test_a_node_that_stops_answers_who_waits(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    async def run() -> None:
        world = World(tmp_path, settings=Settings(limits=Limits()), auto=False)
        server = HttpServer(world.app, "127.0.0.1", 0, Limits())
        await server.start()
        async with connected(server.port) as client:
            client.writer.write(b"".join(request(world.profile().raw, "commit")))
            while not world.pool:
                await asyncio.sleep(0.01)
            await server.stop()
            status, headers, document = await client.answer()
        assert (status, document["code"], headers["connection"]) == (503, "unavailable", "close")
        world.close()

    asyncio.run(run())
    assert caplog.records == []
