"""Row K2 of the bad inputs: JSON that other parsers let through, and bodies beyond their limit."""

from __future__ import annotations

import asyncio
import tracemalloc
from collections.abc import AsyncIterator

import httpx
import pytest
from starlette.datastructures import Headers
from starlette.types import Message

from coseal.node.http.bodies import BodyBudget, read_body
from coseal.node.http.context import Settings
from coseal.node.http.limits import Limits
from coseal.node.http.problems import Problem
from tests.node.http.world import World, scenario

JSON = {"Content-Type": "application/json"}
BAD_JSON = {
    "a duplicate key": b'{"contract": "a", "contract": "b"}',
    "NaN": b'{"a": NaN}',
    "Infinity": b'{"a": -Infinity}',
    "a float": b'{"a": 1.0}',
    "a number beyond any float": b'{"a": 1e400}',
    "an integer beyond 64 bit": b'{"a": 18446744073709551616}',
    "an integer of 5,000 digits": b'{"a": ' + b"9" * 5_000 + b"}",
    "nesting without end": b"[" * 100_000,
    "nesting that closes": b"[" * 200 + b"]" * 200,
    "no UTF-8": b'{"a": "\xff"}',
    "two documents": b"{} {}",
    "a comment": b"{} // x",
    "nothing": b"",
    "an array where an object is expected": b"[]",
    "half a surrogate pair": b'{"sender": "\\ud800"}',
}


@pytest.mark.parametrize("case", BAD_JSON)
def test_bad_json_is_400_on_every_route_that_takes_json(case: str, tmp_path: object) -> None:
    @scenario()
    async def refused(world: World, client: httpx.AsyncClient) -> None:
        for path in ("/v1/transactions", "/v1/transactions/batch"):
            response = await client.post(path, content=BAD_JSON[case], headers=JSON)
            assert (response.status_code, response.json()["code"]) == (400, "malformed"), path
            assert len(response.content) < 600

    refused(tmp_path)  # type: ignore[arg-type]


@scenario()
async def test_a_string_of_10_mb_is_413(world: World, client: httpx.AsyncClient) -> None:
    body = b'{"a": "' + b"x" * 10_000_000 + b'"}'
    response = await client.post("/v1/transactions", content=body, headers=JSON)
    assert (response.status_code, response.json()["code"]) == (413, "too_large")
    assert response.headers["Connection"] == "close"


@scenario()
async def test_json_has_a_tighter_limit_than_binary(world: World, client: httpx.AsyncClient) -> None:
    response = await client.post("/v1/transactions", content=b'"' + b"x" * 3_000_000 + b'"', headers=JSON)
    assert (response.status_code, response.json()["code"]) == (413, "too_large")


@scenario(settings=Settings(limits=Limits(body_bytes=1_000)))
async def test_a_chunked_body_is_cut_off_at_the_limit(world: World, client: httpx.AsyncClient) -> None:
    taken = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal taken
        while True:
            taken += 100
            yield b"x" * 100

    response = await client.post("/v1/transactions", content=endless(), headers=JSON)
    assert (response.status_code, response.json()["code"]) == (413, "too_large")
    assert taken < 6_000


@scenario()
async def test_a_body_with_a_get_is_refused(world: World, client: httpx.AsyncClient) -> None:
    response = await client.request("GET", "/v1/members", content=b"{}")
    assert (response.status_code, response.json()["code"]) == (400, "unexpected_body")


def parts_of(total: int, part: int = 65_536) -> list[Message]:
    pieces = [b"x" * part] * (total // part)
    return [{"type": "http.request", "body": piece, "more_body": True} for piece in pieces]


def test_an_announced_or_real_excess_takes_constant_memory() -> None:
    limits, budget = Limits(body_bytes=1_000_000), BodyBudget(10_000_000)

    async def read(headers: dict[str, str]) -> None:
        messages = iter(parts_of(50_000_000))

        async def receive() -> Message:
            return next(messages)

        with pytest.raises(Problem) as caught:
            await read_body(Headers(headers), receive, limits, budget)
        assert caught.value.status == 413

    tracemalloc.start()
    asyncio.run(read({}))
    asyncio.run(read({"content-length": "50000000"}))
    asyncio.run(read({"content-length": "9" * 5_000}))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 3_000_000


def test_all_bodies_together_are_bounded_and_the_budget_is_given_back() -> None:
    limits, budget = Limits(body_bytes=1_000), BodyBudget(1_500)

    async def read(size: int) -> bytes:
        messages = iter([{"type": "http.request", "body": b"x" * size, "more_body": False}])

        async def receive() -> Message:
            return next(messages)

        return await read_body(Headers({}), receive, limits, budget)

    body = asyncio.run(read(1_000))
    with pytest.raises(Problem) as caught:
        asyncio.run(read(1_000))
    assert caught.value.status == 503
    budget.give(len(body))
    assert len(asyncio.run(read(1_000))) == 1_000


def test_a_slow_body_is_408() -> None:
    async def read() -> None:
        async def receive() -> Message:
            await asyncio.sleep(10)
            raise AssertionError

        await read_body(Headers({}), receive, Limits(body_seconds=0.01), BodyBudget(1_000))

    with pytest.raises(Problem) as caught:
        asyncio.run(read())
    assert (caught.value.status, caught.value.code) == (408, "slow_body")
