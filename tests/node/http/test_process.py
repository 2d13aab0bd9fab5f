from __future__ import annotations

import asyncio
from typing import Any

import httpx
import pytest

from coseal.audit.history import verify_history
from coseal.contracts.process.chain import item_hash
from coseal.ledger.errors import BadProof, LedgerError
from coseal.ledger.render import proof_from_json, state_proof_from_json
from coseal.node.http.context import Settings
from coseal.node.http.contracts import process as process_routes
from coseal.node.http.limits import Limits
from tests.node.http.world import World, scenario


async def define(world: World, type_id: str = "fines", version: int = 1) -> None:
    definition = {
        "id": type_id,
        "version": version,
        "title": "Traffic fines",
        "object_types": {"case": {}, "party": {}},
        "event_types": {"Create": {"attributes": {"amount": "decimal"}}, "Pay": {}},
        "gaps": "record",
    }
    await world.commit(world.sign("process.define_type", definition))
    if version == 1:
        source = {"id": f"{type_id}-log", "process_type": type_id, "mode": "historical", "zone_minutes": 60}
        await world.commit(world.sign("process.register_source", source))


async def record(world: World, first: int, items: list[Any], source: str = "fines-log", **more: Any) -> None:
    await world.commit(world.sign("process.record", {"source": source, "sequence": first, "items": items, **more}))


def create(number: int, *cases: str) -> dict[str, Any]:
    objects = [["case", case] for case in cases]
    attributes = {"amount": "35.0"}
    time = f"2020-01-{number:02}T00:00:00"
    return {"event": f"e{number}", "type": "Create", "time": time, "objects": objects, "attributes": attributes}


async def fill(world: World) -> None:
    await define(world)
    await record(world, 1, [create(1, "A", "B"), create(2, "B")])
    pay = {"event": "p", "type": "Pay", "time": "2020-02-01", "objects": [["case", "A"], ["party", "P", "payer"]]}
    await record(world, 3, [pay, {"object": "A", "type": "case"}])
    await record(world, 8, [create(3, "A")], gap="lost")
    await record(world, 1, [create(4, "A")])
    assert all(b"\xa2ok\xa0" in block.receipts[1] for block in world.chain.blocks[:-1])
    assert b"already_recorded" in world.chain.blocks[-1].receipts[1]


@scenario()
async def test_a_history_with_proof_is_complete_and_verifies_offline(world: World, client: httpx.AsyncClient) -> None:
    await fill(world)
    document = (await client.get("/v1/objects/A/events?proof=true&type=case&process_type=fines")).json()
    history = verify_history(document, world.genesis)
    assert [sequence for _, sequence, _ in history.items] == [1, 3, 4, 8]
    assert (document["count"], document["height"]) == (4, world.height)
    assert [item["unproven"]["height"] for item in document["items"]] == [3, 4, 4, 5]
    first = document["items"][0]
    assert first["hash"] == item_hash("enterprise-a/fines-log", 1, create(1, "A", "B")).hex()
    for item in document["items"]:
        place = item["unproven"]
        receipt = proof_from_json((await client.get(f"/v1/transactions/{place['tx']}/receipt")).json())
        signed, _ = receipt.verify(world.genesis.chain_id, world.genesis.validators)
        assert (receipt.header.height, receipt.index) == (place["height"], place["index"])
        assert signed.args["items"][item["sequence"] - signed.args["sequence"]] == item["item"]
    for tampered in (document["items"][1:], document["items"][:-1], document["items"][::-1]):
        with pytest.raises(LedgerError):
            verify_history({**document, "items": tampered, "count": len(tampered)}, world.genesis)


@scenario()
async def test_a_node_whose_index_lost_an_item_says_so_instead_of_claiming_completeness(
    world: World, client: httpx.AsyncClient
) -> None:
    await fill(world)
    await client.get(f"/v1/objects/A?min_height={world.height}")
    connection = process_routes.queries.sqlite3.connect(world.index.path)
    connection.execute("DELETE FROM item_objects WHERE item = 3")
    connection.commit()
    connection.close()
    response = await client.get("/v1/objects/A/events?proof=true")
    assert (response.status_code, response.json()["code"]) == (503, "unavailable")


@scenario()
async def test_items_page_by_page_are_those_of_the_history(world: World, client: httpx.AsyncClient) -> None:
    await fill(world)
    items: list[Any] = []
    cursor = ""
    while cursor is not None:
        page = (await client.get(f"/v1/objects/A/events?limit=1&min_height={world.height}{cursor}")).json()
        items += page["items"]
        cursor = None if page["next"] is None else f"&cursor={page['next']}"
    proven = (await client.get("/v1/objects/A/events?proof=true")).json()["items"]
    for row in proven:
        row.update(row.pop("unproven"))
    for row in items:
        headers = (await client.get(f"/v1/headers?from={row['height']}&limit=1")).json()["headers"]
        assert row.pop("time_ms") == headers[0]["header"]["time_ms"]
        source, sequence = row["source"], row["sequence"]
        alone = (await client.get(f"/v1/sources/{source}/items/{sequence}")).json()["item"]
        assert {name: alone[name] for name in row} == row
    assert items == proven
    assert (await client.get("/v1/sources/nobody/log/items/1")).json()["code"] == "unknown_item"
    assert (await client.get(f"/v1/sources/{source}/items/99999")).json()["code"] == "unknown_item"
    assert (await client.get("/v1/objects/A/events?cursor=eA")).json()["code"] == "invalid_cursor"


@scenario()
async def test_the_map_of_a_process_its_variants_and_its_cases(world: World, client: httpx.AsyncClient) -> None:
    await fill(world)
    found = (await client.get(f"/v1/process-types/fines/map?min_height={world.height}")).json()
    assert (found["type"], found["types"], found["cases"], found["events"]) == ("case", ["case", "party"], 2, 5)
    day_ms = 86_400_000
    assert [(flow["from"], flow["to"], flow["count"], flow["mean_ms"] // day_ms) for flow in found["flows"]] == [
        ("Create", "Create", 1, 1),
        ("Create", "Pay", 1, 31),
        ("Pay", "Create", 1, -29),
    ]
    assert found["activities"][0] == {"activity": "Create", "events": 4, "starts": 2, "ends": 2}
    assert len((await client.get("/v1/process-types/fines/map?limit=1")).json()["flows"]) == 1
    ways, cursor = [], ""
    while cursor is not None:
        page = (await client.get(f"/v1/process-types/fines/variants?type=case&limit=1{cursor}")).json()
        ways += [(way["activities"], way["cases"]) for way in page["items"]]
        cursor = None if page["next"] is None else f"&cursor={page['next']}"
    assert ways == [(["Create", "Create"], 1), (["Create", "Pay", "Create"], 1)]
    cases = (await client.get("/v1/process-types/fines/cases?type=case&last=Create")).json()["items"]
    assert [(case["id"], case["events"], case["last"]) for case in cases] == [("A", 3, "Create"), ("B", 2, "Create")]
    of_one = (await client.get(f"/v1/process-types/fines/cases?type=case&variant={cases[0]['variant']}")).json()
    assert [case["id"] for case in of_one["items"]] == ["A"]
    some = (await client.get("/v1/process-types/fines/map?type=case&before=Pay&after=Create")).json()
    assert (some["cases"], some["cases_in_all"], some["events"], len(some["flows"])) == (1, 2, 3, 2)
    priced = (await client.get("/v1/process-types/fines/cases?type=case&attribute=amount&value=35.0")).json()
    assert [case["id"] for case in priced["items"]] == ["A", "B"]
    assert not (await client.get("/v1/process-types/fines/cases?attribute=amount&value=36.0")).json()["items"]
    longest = (await client.get("/v1/process-types/fines/cases?type=case&order=longest&limit=1")).json()
    following = f"/v1/process-types/fines/cases?type=case&order=longest&cursor={longest['next']}"
    listed = [*longest["items"], *(await client.get(following)).json()["items"]]
    assert [case["id"] for case in listed] == ["A", "B"]
    took = (await client.get("/v1/process-types/fines/times?type=case")).json()
    assert (took["cases"], took["longest_ms"] // day_ms, sum(one["cases"] for one in took["bins"])) == (2, 2, 2)
    dotted = (await client.get("/v1/process-types/fines/dots?type=case&limit=1")).json()
    assert [len(case["dots"]) for case in dotted["cases"]] == [3]
    assert (await client.get("/v1/process-types/fines/map?before=Pay")).json()["code"] == "invalid_parameter"
    assert (await client.get(following.replace("longest", "begun"))).json()["code"] == "invalid_cursor"
    assert (await client.get("/v1/process-types/none/map")).json()["cases"] == 0
    assert (await client.get("/v1/process-types/fines/variants?cursor=eA")).json()["code"] == "invalid_cursor"


@scenario()
async def test_one_object_with_its_record(world: World, client: httpx.AsyncClient) -> None:
    await fill(world)
    found = (await client.get(f"/v1/objects/B?proof=true&min_height={world.height}")).json()
    proven = state_proof_from_json(found["proof"])
    proven.verify(world.genesis.chain_id, world.genesis.validators)
    assert found["object"]["items"] == 2
    assert found["proof"]["value"] == [2, found["object"]["head"]]
    assert found["object"]["first"] == {"height": 3, "index": 0}
    assert (await client.get("/v1/objects/nothing")).json()["code"] == "unknown_object"
    assert (await client.get("/v1/objects/B?type=party")).json()["code"] == "unknown_object"


@scenario()
async def test_an_id_that_several_objects_have_needs_the_types(world: World, client: httpx.AsyncClient) -> None:
    await fill(world)
    await define(world, "other")
    await record(world, 1, [create(1, "A")], "other-log")
    response = await client.get(f"/v1/objects/A?min_height={world.height}")
    assert (response.status_code, response.json()["code"]) == (409, "ambiguous_object")
    assert {item["process_type"] for item in response.json()["objects"]} == {"fines", "other"}
    assert (await client.get("/v1/objects/A?process_type=other")).json()["object"]["items"] == 1


@scenario()
async def test_ids_with_slashes_and_other_characters(world: World, client: httpx.AsyncClient) -> None:
    await define(world)
    await record(world, 1, [create(1, "a/b ü?&")])
    path = "/v1/objects/a%2Fb%20%C3%BC%3F%26"
    assert (await client.get(f"{path}?min_height=3")).json()["object"]["id"] == "a/b ü?&"
    assert (await client.get(f"{path}/events?proof=true")).json()["count"] == 1


@scenario()
async def test_objects_are_listed_in_the_order_of_their_first_item(world: World, client: httpx.AsyncClient) -> None:
    await fill(world)
    first = (await client.get(f"/v1/objects?limit=2&min_height={world.height}")).json()
    second = (await client.get(f"/v1/objects?cursor={first['next']}")).json()
    assert [item["id"] for item in first["objects"] + second["objects"]] == ["A", "B", "P"]
    assert [item["items"] for item in first["objects"]] == [4, 2]
    parties = (await client.get("/v1/objects?type=party&process_type=fines")).json()
    assert ([item["id"] for item in parties["objects"]], parties["next"]) == (["P"], None)


@scenario()
async def test_a_source_with_its_gaps_and_lag(world: World, client: httpx.AsyncClient) -> None:
    await fill(world)
    found = (await client.get("/v1/sources/enterprise-a/fines-log?proof=true")).json()
    source = found["source"]
    assert (source["sequence"], source["gaps"], source["missing"]) == (8, 1, 3)
    assert source["last_gaps"] == [[5, 7, "lost"]]
    assert source["latest_ms"] == 1_580_511_600_000, "a day in a zone of +01:00"
    assert source["lag_ms"] == world.chain.executor.time_ms - source["latest_ms"]
    state_proof_from_json(found["proof"]).verify(world.genesis.chain_id, world.genesis.validators)
    listed = (await client.get(f"/v1/sources?min_height={world.height}")).json()["sources"]
    assert [(item["name"], item["sequence"], item["missing"], item["latest_ms"]) for item in listed] == [
        ("enterprise-a/fines-log", 8, 3, source["latest_ms"])
    ]
    assert (await client.get("/v1/sources/enterprise-a/nothing")).json()["code"] == "unknown_source"


@scenario()
async def test_process_types_in_their_newest_version(world: World, client: httpx.AsyncClient) -> None:
    await fill(world)
    await define(world, version=2)
    listed = (await client.get(f"/v1/process-types?min_height={world.height}")).json()["process_types"]
    assert [(item["id"], item["version"], item["height"]) for item in listed] == [("fines", 2, world.height)]
    one = (await client.get("/v1/process-types/fines")).json()
    assert one["process_type"]["version"] == 2
    assert (one["statistics"]["events"], one["statistics"]["objects"]) == (4, 3)
    assert one["indexed"]["events"] == {"Create": 3, "Pay": 1}
    assert one["indexed"]["objects"] == {"case": 2, "party": 1}
    assert [version["version"] for version in one["indexed"]["versions"]] == [1, 2]
    assert (await client.get("/v1/process-types/nothing")).json()["code"] == "unknown_process_type"


@scenario(settings=Settings(limits=Limits(response_bytes=4_000)))
async def test_a_history_beyond_the_size_of_an_answer_is_refused(world: World, client: httpx.AsyncClient) -> None:
    await define(world)
    await record(world, 1, [create(number, "A") for number in range(1, 29)])
    response = await client.get("/v1/objects/A/events?proof=true&min_height=3")
    assert (response.status_code, response.json()["code"]) == (422, "history_too_large")
    assert (await client.get("/v1/objects/A/events?limit=5")).status_code == 200


@scenario()
async def test_histories_hold_while_blocks_are_committed(world: World, client: httpx.AsyncClient) -> None:
    await define(world)
    await record(world, 1, [create(1, "A")])

    async def write() -> None:
        for number in range(2, 20):
            await record(world, number, [create(number, "A")])
            await asyncio.sleep(0)

    writing = asyncio.create_task(write())
    counts = []
    while not writing.done():
        document = (await client.get("/v1/objects/A/events?proof=true&min_height=3")).json()
        verify_history(document, world.genesis)
        counts.append(document["count"])
    await writing
    assert counts == sorted(counts)
    document = (await client.get("/v1/objects/A/events?proof=true")).json()
    with pytest.raises(BadProof):
        verify_history({**document, "items": document["items"][:-1], "count": 18}, world.genesis)


@scenario()
async def test_that_an_object_has_no_items_is_proven_as_well(world: World, client: httpx.AsyncClient) -> None:
    await fill(world)
    document = (await client.get("/v1/objects/nothing/events?proof=true&type=case&process_type=fines")).json()
    assert verify_history(document, world.genesis).items == ()
    with pytest.raises(LedgerError):
        verify_history({**document, "id": "A"}, world.genesis)
    assert (await client.get("/v1/objects/nothing/events?proof=true")).json()["code"] == "unknown_object"


@scenario()
async def test_a_value_that_was_corrected_away_finds_no_case(world: World, client: httpx.AsyncClient) -> None:
    await define(world)
    items = [create(1, "Z")]
    for number, amount in ((2, "36.0"), (3, "37.0")):
        corrects = [number - 1, item_hash("enterprise-a/fines-log", number - 1, items[-1]).hex()]
        items.append({**create(number, "Z"), "attributes": {"amount": amount}, "corrects": corrects})
    await record(world, 1, items)
    assert b"\xa2ok\xa0" in world.chain.blocks[-1].receipts[1]
    for amount, found in (("35.0", []), ("36.0", []), ("37.0", ["Z"])):
        path = f"/v1/process-types/fines/cases?attribute=amount&value={amount}&min_height={world.height}"
        assert [case["id"] for case in (await client.get(path)).json()["items"]] == found, amount
