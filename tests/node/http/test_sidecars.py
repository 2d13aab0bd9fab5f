"""Sidecars over HTTP: with a transaction in one body, and read by whom the contract lets read them."""

from __future__ import annotations

import httpx

from coseal.ledger import codec
from coseal.node.http.sidecars import SEALED, SEALED_BYTES_MAX
from tests.node.http.test_auth import TOKENS, signed_headers
from tests.node.http.world import World, scenario

NAME = bytes(range(32))
PATH = f"/v1/sidecars/{NAME.hex()}"
HEADERS = {"Content-Type": SEALED}


@scenario()
async def test_a_sidecar_comes_with_its_transaction_in_one_body(world: World, client: httpx.AsyncClient) -> None:
    tx = world.profile()
    body = codec.encode(["sealed", 1, tx.raw, b"sidecar"])
    response = await client.post("/v1/transactions?wait=commit", content=body, headers=HEADERS)
    assert (response.status_code, response.json()["status"]) == (200, "committed")
    assert world.beside == {tx.raw: b"sidecar"}


@scenario()
async def test_other_bodies_bring_none(world: World, client: httpx.AsyncClient) -> None:
    await client.post("/v1/transactions", content=world.profile().raw, headers={"Content-Type": "application/msgpack"})
    assert world.beside == {}


@scenario()
async def test_a_body_of_another_form_is_refused(world: World, client: httpx.AsyncClient) -> None:
    tx = world.profile()
    for wrong in (b"", tx.raw, codec.encode(["sealed", 2, tx.raw, b""]), codec.encode(["sealed", 1, tx.raw])):
        response = await client.post("/v1/transactions", content=wrong, headers=HEADERS)
        assert (response.status_code, response.json()["code"]) == (400, "malformed")
    response = await client.post("/v1/transactions", content=bytes(SEALED_BYTES_MAX + 1), headers=HEADERS)
    assert (response.status_code, response.json()["code"]) == (413, "too_large")
    response = await client.post("/v1/transactions/batch", content=b"", headers=HEADERS)
    assert response.status_code == 415
    assert world.pool == {}


@scenario(settings=TOKENS)
async def test_a_sidecar_is_read_with_a_signed_request_alone(world: World, client: httpx.AsyncClient) -> None:
    world.readable[NAME, "bank-a"] = b"sealed"
    response = await client.get(PATH, headers=signed_headers(world, PATH))
    assert (response.status_code, response.content) == (200, b"sealed")
    assert response.headers["Cache-Control"] == "no-store"
    for headers in ({}, {"Authorization": f"Bearer {'c' * 40}"}):
        response = await client.get(PATH, headers=headers)
        assert (response.status_code, response.json()["code"]) == (401, "unauthenticated")


@scenario()
async def test_who_may_not_read_one_learns_nothing(world: World, client: httpx.AsyncClient) -> None:
    world.readable[NAME, "bank-a"] = b"sealed"
    other = f"/v1/sidecars/{bytes(32).hex()}"
    answers = []
    for number, path in enumerate((PATH, other)):
        headers = signed_headers(world, path, who="regulator/admin", nonce=f"{number:032x}")
        response = await client.get(path, headers=headers)
        answers.append((response.status_code, response.json()))
    assert answers[0] == answers[1]
    assert answers[0][0] == 404
    assert answers[0][1]["code"] == "unknown_sidecar"
    assert (await client.get("/v1/sidecars/AB", headers=signed_headers(world, "/v1/sidecars/AB"))).status_code == 400
