from __future__ import annotations

import asyncio
import json
from typing import Any

import httpx
import pytest

from coseal.node.http import stream
from coseal.node.http.stream import Wanted, _start
from tests.node.http.world import World, scenario


async def events(world: World, count: int, *places: Any, **wanted: str) -> list[dict[str, Any]]:
    """Read ``count`` events fast_path from the generator, as the server pulls them."""
    found: list[dict[str, Any]] = []
    generator = stream._events(world.app._context, _start(*places, world.height), Wanted(**wanted))
    async with asyncio.timeout(20):
        async for chunk in generator:
            found += parse(chunk.decode())
            if len(found) >= count:
                break
    await generator.aclose()
    return found


def parse(text: str) -> list[dict[str, Any]]:
    found = []
    for block in text.split("\n\n"):
        fields = dict(line.split(": ", 1) for line in block.splitlines() if not line.startswith(":"))
        if "data" in fields:
            found.append({"event_id": fields["id"], **json.loads(fields["data"])})
    return found


@scenario()
async def test_every_transaction_comes_once_and_in_order(world: World, client: httpx.AsyncClient) -> None:
    for number in range(4):
        await world.commit(*(world.profile(f"{number} {i}") for i in range(number)))
    found = await events(world, 6, "1", None)
    assert [event["event_id"] for event in found] == ["2:0", "3:0", "3:1", "4:0", "4:1", "4:2"]
    assert found[1]["args"] == {"description": "2 0"}
    assert found[1]["receipt"]["ok"] is True
    assert found[1]["time"] == "2023-11-14T22:13:23.000Z"


@scenario()
async def test_each_field_is_a_line_whatever_a_reader_takes_for_the_end_of_one(
    world: World, client: httpx.AsyncClient
) -> None:
    text = "a\x85b\u2028c\u2029d\x0be\x1cf\rg\nh"
    await world.commit(world.profile(text))
    (found,) = await events(world, 1, "1", None)  # reads as httpx does, with str.splitlines
    assert found["args"] == {"description": text}


@scenario()
async def test_it_resumes_after_the_last_event_wherever_it_broke_off(world: World, client: httpx.AsyncClient) -> None:
    for number in range(3):
        await world.commit(*(world.profile(f"{number} {i}") for i in range(3)))
    whole = [event["event_id"] for event in await events(world, 9, "1", None)]
    for position, last in enumerate(whole[:-1]):
        rest = await events(world, 8 - position, None, last)
        assert [event["event_id"] for event in rest] == whole[position + 1 :]


@scenario()
async def test_a_slow_reader_loses_nothing(world: World, client: httpx.AsyncClient) -> None:
    generator = stream._events(world.app._context, (1, -1, 0), Wanted())
    world.recent = 0
    assert await anext(generator) == b"retry: 1000\n\n"
    seen: list[str] = []
    for number in range(30):
        await world.commit(world.profile(str(number)))
        if number % 10 == 0:
            seen += [event["event_id"] for event in parse((await anext(generator)).decode())]
    while len(seen) < 30:
        seen += [event["event_id"] for event in parse((await anext(generator)).decode())]
    assert seen == [f"{height}:0" for height in range(1, 31)]
    await generator.aclose()


@scenario()
async def test_without_a_start_only_what_is_new_comes(world: World, client: httpx.AsyncClient) -> None:
    await world.commit(world.profile("old"))
    waiting = asyncio.create_task(events(world, 1, None, None))
    await asyncio.sleep(0.01)
    await world.commit(world.profile("new"))
    assert [event["args"]["description"] for event in await waiting] == ["new"]


@scenario()
async def test_a_filter_by_contract_keeps_the_ids(world: World, client: httpx.AsyncClient) -> None:
    policy = {"id": "p", "title": "t", "type_document": "notice", "date_document": "2017"}
    await world.commit(world.profile(), world.sign("policy.publish", policy, sender="regulator"))
    found = await events(world, 1, "1", None, contract="policy")
    assert [event["event_id"] for event in found] == ["1:1"]


@scenario()
async def test_a_silent_chain_sends_comments(world: World, client: httpx.AsyncClient) -> None:
    stream_events = stream._events(world.app._context, (1, -1, 0), Wanted())
    await anext(stream_events)
    original = world.wait_height

    async def impatient(height: int, timeout_s: float) -> bool:
        return await original(height, 0.001)

    world.wait_height = impatient  # type: ignore[method-assign]
    assert (await anext(stream_events)).startswith(b":")
    await stream_events.aclose()


@pytest.mark.parametrize(
    ("given", "last", "start"),
    [
        (None, None, (8, -1, 0)),
        ("3", None, (3, -1, 0)),
        ("3:2", None, (3, 2, 0)),
        ("3:2:4", None, (3, 2, 4)),
        ("3:begin", None, (3, -1, 0)),
        ("0", None, (1, -1, 0)),
        (None, "3:2", (3, 2, 1)),
        (None, "3:2:1", (3, 2, 2)),
        (None, "3:begin:7", (3, -1, 8)),
        (None, "3", (4, -1, 0)),
        ("1", "5:0", (5, 0, 1)),
    ],
)
def test_where_it_starts(given: str | None, last: str | None, start: tuple[int, int, int]) -> None:
    assert _start(given, last, 7) == start


@scenario()
async def test_bad_places_are_refused(world: World, client: httpx.AsyncClient) -> None:
    for place in ("x", "-1", "1:", "1:x", ":1", "1" * 30, "1:2:", "1:begin:x", "1:2:3:4"):
        assert (await client.get("/v1/stream", params={"from": place})).status_code == 400
        assert (await client.get("/v1/stream", headers={"Last-Event-ID": place})).status_code == 400
