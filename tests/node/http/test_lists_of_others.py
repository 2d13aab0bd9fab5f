"""A contract of others has its lists and events over HTTP while it is in force; a fault in them costs them alone."""

from __future__ import annotations

from dataclasses import replace

import httpx

from coseal.contracts.kernel.admitted import history
from coseal.contracts.kernel.lists import Filter
from coseal.contracts.registry import others_at
from coseal.node.http.stream import Wanted, _block_events
from tests.node.http.world import World, scenario
from tests.support.others import LIST, TALLIES, TALLY_1, TALLY_2, genesis_with, tally

PATH = "/v1/lists/tally.added"
WITH_TALLY = {"genesis": genesis_with(TALLY_1), "others": TALLIES}


async def filled(world: World) -> None:
    for amount in (3, 4, 100):
        await world.commit(world.sign("tally.add", {"amount": amount}))


async def listed(http: httpx.AsyncClient, **params: object) -> list[int]:
    found = await http.get(PATH, params={"consistent": "true", **params})
    assert found.status_code == 200, found.text
    return [entry["total"] for entry in found.json()["tally.added"]]


@scenario(**WITH_TALLY)
async def test_its_list_has_filters_orders_and_pages(world: World, http: httpx.AsyncClient) -> None:
    await filled(world)
    assert await listed(http) == [3, 7, 107]
    assert await listed(http, order="last", least="7") == [107, 7]
    assert await listed(http, member="nobody") == []
    first = (await http.get(PATH, params={"limit": 2})).json()
    assert await listed(http, cursor=first["next"]) == [107]
    for wrong in ({"least": "x"}, {"order": "up"}, {"more": "1"}, {"cursor": "!"}):
        assert (await http.get(PATH, params=wrong)).status_code == 400, wrong
    document = (await http.get("/openapi.json")).json()
    assert {one["name"] for one in document["paths"][PATH]["get"]["parameters"]} >= {"member", "least", "limit"}


@scenario(others=TALLIES)
async def test_a_list_of_what_is_installed_and_not_in_force_is_unknown(world: World, http: httpx.AsyncClient) -> None:
    found = await http.get(PATH)
    assert (found.status_code, found.json()["code"]) == (404, "unknown_list")


def second(**changes: object) -> dict[object, object]:
    """Both versions, the second with a list that is another."""
    return {**TALLIES, TALLY_2: replace(tally(2), lists=(replace(LIST, **changes),))}


@scenario(genesis=genesis_with(TALLY_1), others=second(filters=(Filter("amount"),)))
async def test_the_version_in_force_says_which_filters_there_are(world: World, http: httpx.AsyncClient) -> None:
    await filled(world)
    assert await listed(http, least="7") == [7, 107]
    found = await http.get(PATH, params={"amount": "1"})
    assert (found.status_code, "the version in force" in found.json()["detail"]) == (400, True)


def broken(row: object) -> dict[str, object]:
    raise KeyError("a mistake")


@scenario(genesis=genesis_with(TALLY_2), others=second(where="no such SQL"))
async def test_a_list_that_fails_says_so_and_the_node_serves_on(world: World, http: httpx.AsyncClient) -> None:
    await filled(world)
    found = await http.get(PATH, params={"consistent": "true"})
    assert (found.status_code, found.json()["code"]) == (500, "list_failed")
    assert "OperationalError" in found.json()["detail"]
    assert (await http.get("/v1/policies")).status_code == 200


@scenario(genesis=genesis_with(TALLY_2), others=second(entry=broken))
async def test_an_entry_that_fails_is_an_entry_that_says_so(world: World, http: httpx.AsyncClient) -> None:
    await filled(world)
    found = await http.get(PATH, params={"consistent": "true"})
    assert [entry["cannot_be_shown"] for entry in found.json()["tally.added"]] == ["KeyError: 'a mistake'"] * 3


@scenario(**WITH_TALLY)
async def test_its_events_are_in_the_stream_by_their_kind(world: World, http: httpx.AsyncClient) -> None:
    await filled(world)
    others = others_at(history(world.chain.executor.reader), 3, world.others)
    told = _block_events(world.chain.blocks[-1], (3, -1, 0), Wanted(kind="tally.large"), others).decode()
    assert "id: 3:0:1\nevent: tally.large\n" in told
    assert '"total":107' in told
