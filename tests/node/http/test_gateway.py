from __future__ import annotations

import asyncio
from hashlib import sha256
from pathlib import Path
from typing import Any

import httpx
import pytest

from coseal.node.http.auth import BadTokenFile, Token, load_tokens
from coseal.node.http.context import Settings
from coseal.node.http.idempotency import Bound, Full, IdempotencyStore
from coseal.node.http.limits import Limits
from tests.node.http.world import World, scenario

SECRET = "s" * 40
BODY = {"contract": "membership", "action": "set_profile", "args": {"description": "by the gateway"}}


def token(name: str = "erp", member: str = "enterprise-a", text: str = SECRET, *scopes: str) -> Token:
    return Token(name, member, sha256(text.encode()).digest(), frozenset(scopes or ("read", "submit")))


SETTINGS = Settings(
    tokens=(
        token(),
        token("reader", "enterprise-a", "r" * 40, "read"),
        token("foreign", "bank-a", "f" * 40),
        token("second", "enterprise-a", "t" * 40),
    )
)


async def submit(
    client: httpx.AsyncClient, key: str | None = "k1", text: str = SECRET, **changes: Any
) -> httpx.Response:
    headers = {"Authorization": f"Bearer {text}"} | ({} if key is None else {"Idempotency-Key": key})
    return await client.post("/v1/submit?wait=commit", json={**BODY, **changes}, headers=headers)


@scenario(settings=SETTINGS)
async def test_the_node_signs_for_its_member(world: World, client: httpx.AsyncClient) -> None:
    response = await submit(client)
    assert (response.status_code, response.json()["status"]) == (200, "committed")
    status = (await client.get(f"/v1/transactions/{response.json()['id']}")).json()
    assert status["transaction"]["sender"] == "enterprise-a/admin"
    assert status["transaction"]["args"] == BODY["args"]


@scenario(settings=SETTINGS)
async def test_a_retry_is_the_same_transaction_at_any_later_time(world: World, client: httpx.AsyncClient) -> None:
    first = (await submit(client)).json()
    world.clock_ms += 200_000
    assert (await submit(client)).json() == first
    world.clock_ms += 10_000_000
    assert (await submit(client)).json() == first
    assert world.height == 1


@scenario(settings=SETTINGS)
async def test_keys_of_two_tokens_do_not_meet_and_a_new_key_is_a_new_transaction(
    world: World, client: httpx.AsyncClient
) -> None:
    answers = [await submit(client), await submit(client, "k2"), await submit(client, text="t" * 40)]
    assert len({answer.json()["id"] for answer in answers}) == 3


@scenario(settings=SETTINGS)
async def test_a_key_with_another_body_is_refused(world: World, client: httpx.AsyncClient) -> None:
    await submit(client)
    response = await submit(client, args={"description": "other"})
    assert (response.status_code, response.json()["code"]) == (422, "idempotency_key_reused")
    assert world.height == 1


@scenario(settings=SETTINGS, auto=False)
async def test_a_transaction_that_expired_unseen_is_signed_anew_once_it_is_certainly_dead(
    world: World, client: httpx.AsyncClient
) -> None:
    headers = {"Authorization": f"Bearer {SECRET}", "Idempotency-Key": "k1"}
    first = (await client.post("/v1/submit", json=BODY, headers=headers)).json()["id"]
    world.pool.clear()
    again = (await client.post("/v1/submit", json=BODY, headers=headers)).json()["id"]
    assert again == first
    world.pool.clear()
    world.chain.executor.time_ms += 400_000
    world.clock_ms += 400_000
    await world.commit()
    second = (await client.post("/v1/submit", json=BODY, headers=headers)).json()["id"]
    assert second != first
    await world.commit()
    third = (await client.post("/v1/submit", json=BODY, headers=headers)).json()
    assert (third["id"], third["status"]) == (second, "committed")


def test_a_retry_after_a_restart_is_the_same_transaction(tmp_path: Path) -> None:
    ids = []
    settings = Settings(tokens=SETTINGS.tokens, idempotency_path=tmp_path / "gateway.sqlite")

    async def once(number: int) -> None:
        folder = tmp_path / str(number)
        folder.mkdir()
        world = World(folder, settings=settings)
        world.clock_ms += number * 1_000
        async with world.client() as client:
            ids.append((await submit(client)).json()["id"])
        world.close()

    asyncio.run(once(0))
    asyncio.run(once(1))
    assert ids[0] == ids[1]


@scenario(settings=SETTINGS)
async def test_who_may_use_the_gateway(world: World, client: httpx.AsyncClient) -> None:
    for text, status, code in (
        ("unknown" * 8, 401, "bad_token"),
        ("r" * 40, 403, "forbidden"),
        ("f" * 40, 403, "forbidden"),
    ):
        response = await submit(client, text=text)
        assert (response.status_code, response.json()["code"]) == (status, code)
    response = await client.post("/v1/submit", json=BODY, headers={"Idempotency-Key": "k"})
    assert (response.status_code, response.json()["code"]) == (401, "unauthenticated")
    assert "WWW-Authenticate" in response.headers
    assert world.height == 0


@scenario(settings=SETTINGS, gateway=False)
async def test_a_node_without_an_operator_key_has_no_gateway(world: World, client: httpx.AsyncClient) -> None:
    response = await submit(client)
    assert (response.status_code, response.json()["code"]) == (403, "no_gateway")


@scenario(settings=SETTINGS)
async def test_what_the_gateway_refuses(world: World, client: httpx.AsyncClient) -> None:
    for key in (None, "k" * 256, "tab\there"):
        response = await submit(client, key)
        assert (response.status_code, response.json()["code"]) == (400, "idempotency_key_required")
    for changes in ({"extra": 1}, {"args": []}, {"contract": 5}, {"action": ""}, {"action": "a" * 65}):
        response = await submit(client, **changes)
        assert (response.status_code, response.json()["code"]) == (400, "malformed")
    assert world.height == 0


@scenario(settings=Settings(tokens=SETTINGS.tokens, limits=Limits(idempotency_keys=2)))
async def test_the_gateway_remembers_a_bounded_number_of_keys(world: World, client: httpx.AsyncClient) -> None:
    assert [(await submit(client, f"k{number}")).status_code for number in range(3)] == [200, 200, 503]
    world.clock_ms += 25 * 3_600 * 1_000
    assert (await submit(client, "k9")).status_code != 503


def test_the_store_binds_a_key_once_and_forgets_after_a_day(tmp_path: Path) -> None:
    store = IdempotencyStore(tmp_path / "keys.sqlite", 1)
    one, two = Bound(b"r", b"one", 1_000), Bound(b"r", b"two", 90_000_000)
    assert store.bind(b"k", 0, lambda: one) == one
    assert store.bind(b"k", 0, lambda: two) == one
    with pytest.raises(Full):
        store.bind(b"other", 0, lambda: two)
    assert store.rebind(b"k", two, lambda: two) == one, "someone else replaced it first"
    assert store.bind(b"other", 86_402_000, lambda: two) == two
    store.close()
    again = IdempotencyStore(tmp_path / "keys.sqlite", 1)
    assert again.bind(b"other", 86_402_000, lambda: one) == two
    again.close()


GOOD = '[[token]]\nname = "erp"\nmember = "enterprise-a"\n'


@pytest.mark.parametrize(
    "text",
    [
        "not toml =",
        "other = 1\n",
        "token = 5\n",
        GOOD,
        GOOD + 'token = "short"\n',
        GOOD + f'token = "{SECRET}"\nsha256 = "{"0" * 64}"\n',
        GOOD + 'sha256 = "xyz"\n',
        GOOD + f'token = "{SECRET}"\nscopes = ["root"]\n',
        GOOD + f'token = "{SECRET}"\nextra = 1\n',
        (GOOD + f'token = "{SECRET}"\n') * 2,
        GOOD.replace('"erp"', "5") + f'token = "{SECRET}"\n',
    ],
)
def test_a_bad_token_file_is_refused_without_telling_a_secret(tmp_path: Path, text: str) -> None:
    path = tmp_path / "tokens.toml"
    path.write_text(text)
    with pytest.raises(BadTokenFile) as caught:
        load_tokens(path)
    assert SECRET not in str(caught.value)


def test_tokens_are_given_in_the_open_or_as_digest(tmp_path: Path) -> None:
    path = tmp_path / "tokens.toml"
    assert load_tokens(path) == ()
    digest = sha256(b"x").hexdigest()
    path.write_text(GOOD + f'token = "{SECRET}"\n' + GOOD.replace("erp", "b") + f'sha256 = "{digest}"\nscopes = []\n')
    first, second = load_tokens(path)
    assert first == token()
    assert (second.digest.hex(), second.scopes) == (digest, frozenset())
