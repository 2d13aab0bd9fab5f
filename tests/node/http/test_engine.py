"""``POST /v1/engine``: three calls of CometBFT's RPC, and nothing else of it."""

from __future__ import annotations

import httpx

from tests.node.http.world import World, scenario
from tests.support.genesis import make_genesis

SHOWN = {"jsonrpc": "2.0", "id": 7, "result": {"signed_header": {}}}


@scenario()
async def test_a_call_for_headers_is_passed_on_and_its_answer_back(world: World, client: httpx.AsyncClient) -> None:
    world.engine = SHOWN
    call = {"jsonrpc": "2.0", "id": 7, "method": "validators", "params": {"height": "9", "page": "1"}}
    found = await client.post("/v1/engine", json=call)
    assert (found.status_code, found.json()) == (200, SHOWN)
    await client.post("/v1/engine", json={"id": 0, "method": "commit"})
    assert world.engine_asked == [("validators", {"height": "9", "page": "1"}, 7), ("commit", {}, 0)]


REFUSED = [
    [],
    [{"id": 0, "method": "commit"}],
    {"method": "commit"},
    {"id": 0, "method": "broadcast_tx_sync", "params": {}},
    {"id": 0, "method": "dial_peers"},
    {"id": 0, "method": "commit", "params": {"height": 9}},
    {"id": 0, "method": "commit", "params": {"height": "-1"}},
    {"id": 0, "method": "commit", "params": {"height": "9" * 20}},
    {"id": 0, "method": "commit", "params": {"hash": "9"}},
    {"id": -1, "method": "commit"},
    {"id": 0, "method": "commit", "more": 1},
]


@scenario()
async def test_every_other_call_is_refused(world: World, client: httpx.AsyncClient) -> None:
    world.engine = SHOWN
    for call in REFUSED:
        found = await client.post("/v1/engine", json=call)
        assert (found.status_code, found.json()["code"]) == (400, "malformed"), call
    assert world.engine_asked == []


@scenario()
async def test_without_cometbft_there_is_nothing_to_show(world: World, client: httpx.AsyncClient) -> None:
    call = {"id": 0, "method": "commit"}
    found = await client.post("/v1/engine", json=call)
    assert (found.status_code, found.json()["code"]) == (404, "no_engine")
    world.engine = "CometBFT does not answer"
    found = await client.post("/v1/engine", json=call)
    assert (found.status_code, found.json()["code"]) == (503, "unavailable")
    assert (await client.post("/v1/engine?x=1", json=call)).status_code == 400


@scenario(genesis=make_genesis(public_read=False))
async def test_where_reading_is_not_public_headers_are_not_shown_to_strangers(
    world: World, client: httpx.AsyncClient
) -> None:
    world.engine = SHOWN
    assert (await client.post("/v1/engine", json={"id": 0, "method": "commit"})).status_code == 401
