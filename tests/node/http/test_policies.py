from __future__ import annotations

from typing import Any

import httpx
import pytest

from coseal.contracts.policy import statistics as policy_statistics
from coseal.ledger.render import state_proof_from_json
from tests.node.http.world import World, scenario


async def act(world: World, action: str, sender: str = "regulator", **args: Any) -> None:
    await world.commit(world.sign(f"policy.{action}", args, sender=sender))


async def fill(world: World) -> None:
    """A few live acts and historical facts; every receipt must be ok."""
    await act(
        world,
        "publish",
        id="cn/1",
        title="Notice on tokens",
        type_document="notice",
        date_document="2017-09-04",
        passed_by=["regulator", "central-bank"],
        is_about=["finance", "tokens"],
    )
    await act(world, "endorse", "central-bank", id="cn/1")
    await act(world, "promulgate", id="cn/1", date_publication="2018-01-02", first_date_entry_in_force="2018-01-03")
    await act(world, "publish", id="cn/2", title="Plan", type_document="plan", date_document="2020", stage="proposed")
    await act(world, "publish", id="cn/2", title="Final plan", type_document="plan", date_document="2020-05")
    await act(world, "publish", id="cn/3", title="Draft", type_document="plan", date_document="2021", stage="proposed")
    facts = [
        {
            "id": "old/1",
            "title": "First",
            "passed_by": ["Body X", "Body Y"],
            "implements": ["old/2"],
            "based_on": ["no/such"],
            "level": "municipal",
            "events": [{"action": "passed", "date": "2015-03-01", "issuer": "Body X"}],
        },
        {"id": "old/2", "title": "Second", "is_about": ["finance"], "date_publication": "2016", "cites": ["cn/1"]},
        {"id": "cn/1", "title": "Not recordable", "events": [{"action": "repealed", "date": "2019"}]},
    ]
    await act(world, "record", source="corpus", source_sha256="00" * 32, instruments=facts)
    more = [
        {
            "id": "old/1",
            "title": "Another title",
            "date_document": "2015",
            "events": [
                {"action": "passed", "date": "2015-03-01", "issuer": "Body X"},
                {"action": "repealed", "date": "2017", "issuer": "Body Z"},
            ],
        }
    ]
    await act(world, "record", source="corpus", source_sha256="11" * 32, instruments=more)
    await act(world, "evaluate", "central-bank", id="cn/1", date="2022", verdict="met", summary="fine")
    await act(world, "repeal", id="cn/2", date_no_longer_in_force="2023-01-01")
    for committed in world.chain.blocks:
        for receipt in committed.receipts[1:]:
            assert b"\xa2ok\xa0" in receipt, receipt


@scenario()
async def test_the_index_says_of_each_instrument_what_the_state_says(world: World, client: httpx.AsyncClient) -> None:
    await fill(world)
    listed = (await client.get(f"/v1/policies?min_height={world.height}")).json()
    assert [item["id"] for item in listed["policies"]] == ["cn/1", "cn/2", "cn/3", "old/1", "old/2"]
    assert (listed["height"], listed["next"]) == (world.height, None)
    for item in listed["policies"]:
        state = (await client.get(f"/v1/policies/{item['id']}")).json()["policy"]
        names = ("title", "status", "origin", "passed_by", "is_about", "type_document", "date_publication", "level")
        assert {name: item.get(name) for name in names} == {name: state.get(name) for name in names}
        assert item["events"] == len(state["events"])
        assert item["member"] == state["member"]
    assert [item["issuers"] for item in listed["policies"][2:4]] == [["regulator"], ["Body X", "Body Y", "Body Z"]]


@scenario()
async def test_figures_of_the_index_equal_the_counters_in_the_state(world: World, client: httpx.AsyncClient) -> None:
    await fill(world)
    reader = world.app._context.reader()
    for by in ("year", "area", "level", "issuer", "type_document", "origin"):
        url = f"/v1/policies/statistics?by={by}&min_height={world.height}"
        found = (await client.get(url)).json()
        assert {row[by]: row["count"] for row in found["counts"]} == policy_statistics.statistics(reader, by), by
        assert found["policies"] == 4, "a proposal is not counted"
        assert found == (await client.get(f"{url}&member=regulator")).json(), "all by the index: the same"


@scenario()
async def test_counts_by_several_dimensions_and_filtered(world: World, client: httpx.AsyncClient) -> None:
    await fill(world)
    url = f"/v1/policies/statistics?min_height={world.height}&by="
    assert (await client.get(url + "year,area&area=finance")).json()["counts"] == [
        {"year": "2016", "area": "finance", "count": 1},
        {"year": "2018", "area": "finance", "count": 1},
        {"year": "2018", "area": "tokens", "count": 1},
    ]
    assert (await client.get(url + "status")).json()["counts"] == [
        {"status": "ended", "count": 2},
        {"status": "promulgated", "count": 1},
        {"status": "recorded", "count": 1},
    ]
    pairs = (await client.get("/v1/policies/coissuing")).json()["pairs"]
    assert pairs == [
        {"issuers": ["Body X", "Body Y"], "count": 1},
        {"issuers": ["central-bank", "regulator"], "count": 1},
    ]
    acted = (await client.get("/v1/policies/coissuing?by=acted&year=undated")).json()
    assert acted["pairs"] == []
    assert acted["by"] == "acted"
    acted = (await client.get("/v1/policies/coissuing?by=acted&level=municipal")).json()["pairs"]
    assert [pair["issuers"] for pair in acted] == [["Body X", "Body Y"], ["Body X", "Body Z"], ["Body Y", "Body Z"]]
    for by in ("", "years", "year,year", "year;drop"):
        assert (await client.get(f"/v1/policies/statistics?by={by}")).json()["code"] == "invalid_parameter"


@pytest.mark.parametrize(
    ("query", "ids"),
    [
        ("year=2018", ["cn/1"]),
        ("year=undated", []),
        ("area=finance", ["cn/1", "old/2"]),
        ("issuer=Body Z", ["old/1"]),
        ("issuer=regulator&status=ended", ["cn/2"]),
        ("level=municipal", ["old/1"]),
        ("origin=recorded&title=SECOND", ["old/2"]),
        ("title=%25", []),
        ("type_document=plan&status=proposed", ["cn/3"]),
        ("area=' OR 1=1 --", []),
    ],
)
def test_filters(query: str, ids: list[str], tmp_path: Any) -> None:
    @scenario()
    async def filtered(world: World, client: httpx.AsyncClient) -> None:
        await fill(world)
        found = (await client.get(f"/v1/policies?min_height={world.height}&{query}")).json()
        assert [item["id"] for item in found["policies"]] == ids

    filtered(tmp_path)


@scenario()
async def test_pages_joined_give_everything_once_although_more_is_added(
    world: World, client: httpx.AsyncClient
) -> None:
    await fill(world)
    ids: list[str] = []
    cursor, pages = "", 0
    while cursor is not None:
        page = (await client.get(f"/v1/policies?limit=2&min_height={world.height}{cursor}")).json()
        ids += [item["id"] for item in page["policies"]]
        cursor = None if page["next"] is None else f"&cursor={page['next']}"
        pages += 1
        facts = [{"id": f"aa/{pages}", "title": "before the cursor"}, {"id": f"zz/{pages}", "title": "after"}]
        if pages == 1:
            await act(world, "record", source="s", source_sha256="22" * 32, instruments=facts)
    assert ids == ["cn/1", "cn/2", "cn/3", "old/1", "old/2", "zz/1"]
    for cursor in ("%%", "é", "YQ=="):
        response = await client.get("/v1/policies", params={"cursor": cursor})
        assert response.status_code in (200, 400)
    assert (await client.get("/v1/policies?cursor=_")).json()["code"] == "invalid_cursor"


@scenario()
async def test_one_instrument_with_its_proof_and_whether_it_is_in_force(
    world: World, client: httpx.AsyncClient
) -> None:
    await fill(world)
    found = (await client.get("/v1/policies/cn/1?proof=true")).json()
    proven = state_proof_from_json(found["proof"])
    proven.verify(world.genesis.chain_id, world.genesis.validators)
    assert found["in_force"] == {"verdict": "in_force", "reason": "since 2018-01-03"}
    assert found["policy"]["events"][0]["action"] == "passed"
    absent = (await client.get("/v1/policies/no/such?proof=true")).json()
    assert absent["policy"] is None
    state_proof_from_json(absent["proof"]).verify(world.genesis.chain_id, world.genesis.validators)
    assert (await client.get("/v1/policies/no/such")).json()["code"] == "unknown_policy"


@scenario()
async def test_the_newest_come_first_page_by_page(world: World, client: httpx.AsyncClient) -> None:
    await fill(world)
    ids: list[str] = []
    cursor = ""
    while cursor is not None:
        page = (await client.get(f"/v1/policies?order=newest&limit=2&min_height={world.height}{cursor}")).json()
        ids += [item["id"] for item in page["policies"]]
        cursor = None if page["next"] is None else f"&cursor={page['next']}"
    assert ids == ["cn/3", "cn/2", "cn/1", "old/2", "old/1"]
    by_id = (await client.get("/v1/policies?limit=2")).json()["next"]
    assert (await client.get(f"/v1/policies?order=newest&cursor={by_id}")).json()["code"] == "invalid_cursor"
    assert (await client.get("/v1/policies?order=title")).json()["code"] == "invalid_parameter"


@scenario()
async def test_it_is_said_what_recorded_instruments_come_from(world: World, client: httpx.AsyncClient) -> None:
    await fill(world)
    sources = (await client.get(f"/v1/policies/sources?min_height={world.height}")).json()["sources"]
    assert [(row["sha256"], row["source"], row["instruments"]) for row in sources] == [
        ("00" * 32, "corpus", 2),
        ("11" * 32, "corpus", 0),
    ]
    found = (await client.get(f"/v1/policies?source={'00' * 32}")).json()["policies"]
    assert [(item["id"], item["source_sha256"]) for item in found] == [("old/1", "00" * 32), ("old/2", "00" * 32)]
    counts = (await client.get("/v1/policies/statistics?by=source")).json()["counts"]
    assert counts == [{"source": "00" * 32, "count": 2}, {"source": "unstated", "count": 2}]


@scenario()
async def test_relations_are_followed_both_ways(world: World, client: httpx.AsyncClient) -> None:
    await fill(world)
    url = f"/v1/policies/relations?min_height={world.height}&id="
    top = (await client.get(url + "cn/1")).json()
    assert top["up"] == []
    assert top["down"] == [
        {"policy": "old/2", "relation": "cites", "target": "cn/1", "depth": 1},
        {"policy": "old/1", "relation": "implements", "target": "old/2", "depth": 2},
    ]
    bottom = (await client.get(url + "old/1")).json()
    assert [(edge["relation"], edge["target"], edge["depth"]) for edge in bottom["up"]] == [
        ("based_on", "no/such", 1),
        ("implements", "old/2", 1),
        ("cites", "cn/1", 2),
    ]
    assert bottom["down"] == []
    assert bottom["complete"]
    assert set(bottom["instruments"]) == {"old/1", "old/2", "cn/1"}, "the register does not have the fourth"
    assert len((await client.get(url + "old/1&depth=1")).json()["up"]) == 2
    await act(world, "record", source="s", source_sha256="22" * 32, instruments=[_circle("a", "b"), _circle("b", "a")])
    circle = (await client.get(f"/v1/policies/relations?min_height={world.height}&id=a&depth=8")).json()
    assert [edge["target"] for edge in circle["up"]] == ["b", "a"], "a circle is walked once"


def _circle(one: str, other: str) -> dict[str, Any]:
    return {"id": one, "title": one, "based_on": [other]}
