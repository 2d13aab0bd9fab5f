"""``POST /v1/simulate``: what would come of a transaction."""

from __future__ import annotations

import asyncio
import json
from hashlib import sha256
from typing import Any

import httpx

from coseal.node.http.auth import Token
from coseal.node.http.context import Settings
from tests.node.http.world import World, scenario
from tests.support.genesis import make_genesis

MSGPACK = {"Content-Type": "application/msgpack"}
PROFILE = {
    "sender": "enterprise-a/admin",
    "contract": "membership",
    "action": "set_profile",
    "args": {"description": "hello"},
}


async def simulate(client: httpx.AsyncClient, document: Any, **more: Any) -> httpx.Response:
    headers = {"Content-Type": "application/json", **more.pop("headers", {})}
    return await client.post("/v1/simulate", content=json.dumps(document), headers=headers, **more)


@scenario()
async def test_a_signed_transaction_gets_the_receipt_that_it_would_get(world: World, client: httpx.AsyncClient) -> None:
    tx = world.profile()
    response = await client.post("/v1/simulate", content=tx.raw, headers=MSGPACK)
    found = response.json()
    assert (response.status_code, found["simulated"], found["status"], found["height"]) == (200, True, "committed", 0)
    assert (world.height, world.pool) == (0, {})
    real = (await client.post("/v1/transactions?wait=commit", content=tx.raw, headers=MSGPACK)).json()
    assert found["receipt"] == real["receipt"]


@scenario()
async def test_what_is_not_signed_is_taken_as_the_senders(world: World, client: httpx.AsyncClient) -> None:
    found = (await simulate(client, PROFILE)).json()
    assert (found["status"], found["receipt"]["code"], found["receipt"]["tx_id"]) == ("committed", "ok", None)
    refused = {**PROFILE, "action": "remove_operator", "args": {"user": "nobody"}}
    found = (await simulate(client, refused)).json()
    assert (found["status"], found["receipt"]["code"]) == ("rejected", "unknown_operator")
    assert [signed for _, signed in world.previewed] == [False, False]
    assert world.height == 0


@scenario()
async def test_what_no_block_could_hold_is_the_problem_that_submitting_gives(
    world: World, client: httpx.AsyncClient
) -> None:
    response = await simulate(client, {**PROFILE, "sender": "nobody/admin"})
    assert (response.status_code, response.json()["code"]) == (422, "unknown_sender")
    response = await client.post("/v1/simulate", content=world.profile(valid_until_ms=5).raw, headers=MSGPACK)
    assert (response.status_code, response.json()["code"]) == (422, "expired")


@scenario()
async def test_what_is_no_transaction_is_refused_before_it_is_asked_about(
    world: World, client: httpx.AsyncClient
) -> None:
    bad: list[Any] = [
        [],
        {},
        {**PROFILE, "more": 1},
        {**PROFILE, "args": []},
        {**PROFILE, "sender": "nobody"},
        {**PROFILE, "contract": 1},
        {**PROFILE, "args": {"description": "\ud800"}},
        {**PROFILE, "args": {"n": 2**70}},
    ]
    for document in bad:
        response = await simulate(client, document)
        assert (response.status_code, response.json()["code"]) == (400, "malformed"), document
    response = await simulate(client, {**PROFILE, "args": {"rate": 0.5}})
    assert response.status_code == 400
    response = await simulate(client, PROFILE, params={"wait": "commit"})
    assert (response.status_code, response.json()["code"]) == (400, "invalid_parameter")
    response = await simulate(client, {**PROFILE, "args": {"description": "x" * 300_000}})
    assert (response.status_code, response.json()["code"]) == (413, "too_large")
    assert world.previewed == []


CLOSED = Settings(
    tokens=(
        Token("writer", "enterprise-a", sha256(b"w" * 32).digest(), frozenset({"submit"})),
        Token("reader", "enterprise-a", sha256(b"r" * 32).digest(), frozenset({"read"})),
    )
)


@scenario(genesis=make_genesis(public_read=False), settings=CLOSED)
async def test_where_reading_is_not_public_a_signature_or_a_reader_is_needed(
    world: World, client: httpx.AsyncClient
) -> None:
    response = await simulate(client, PROFILE)
    assert (response.status_code, response.json()["code"]) == (401, "unauthenticated")
    for token, status in (("w", 403), ("r", 200)):
        response = await simulate(client, PROFILE, headers={"Authorization": f"Bearer {token * 32}"})
        assert response.status_code == status
    response = await client.post("/v1/simulate", content=world.profile().raw, headers=MSGPACK)
    assert response.status_code == 200


@scenario()
async def test_each_asker_has_one_at_a_time(world: World, client: httpx.AsyncClient) -> None:
    free = asyncio.Event()

    async def wait() -> None:
        await free.wait()

    world.previewing = wait
    first = asyncio.create_task(simulate(client, PROFILE))
    while not world.previewed:
        await asyncio.sleep(0)
    response = await simulate(client, PROFILE)
    assert (response.status_code, response.json()["code"]) == (429, "simulation_running")
    assert int(response.headers["Retry-After"]) >= 1
    async with world.client("10.0.0.9") as other:
        second = asyncio.create_task(simulate(other, PROFILE))
        while len(world.previewed) < 2:
            await asyncio.sleep(0)
        free.set()
        assert (await second).status_code == 200
    assert (await first).status_code == 200
    assert (await simulate(client, PROFILE)).status_code == 200
