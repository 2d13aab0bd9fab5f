"""CloudEvents: three modes, one outcome; the answer names the event that is wrong."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import httpx
import pytest

from coseal.contracts.process.cloudevents import read_event
from coseal.contracts.process.items import Unfit
from coseal.node.http.context import Settings
from tests.node.http.test_gateway import SECRET, token
from tests.node.http.world import World, scenario
from tests.reference import reference

SETTINGS = Settings(tokens=(token(), token("reader", "enterprise-a", "r" * 40, "read")))
TYPE = {
    "id": "loans",
    "version": 1,
    "title": "Loans",
    "object_types": {"loan": {}, "party": {}},
    "event_types": {
        "loan.approved": {
            "attributes": {
                "amount": {"type": "decimal", "required": True},
                "term": "integer",
                "note": "string",
                "due": "time",
                "ok": "boolean",
                "causationid": "string",
                "priority": "string",
            }
        }
    },
}
SOURCE = "urn:loans/system-1"
EVENT: dict[str, Any] = {
    "specversion": "1.0",
    "id": "e-1",
    "source": SOURCE,
    "type": "loan.approved",
    "time": "2006-01-05T10:00:00.123456+08:00",
    "subject": "loan/L/1",
    "sequence": "1",
    "recordedtime": "2006-01-05T02:00:01Z",
    "causationid": "c-9",
    "priority": 5,
    "data": {"amount": 0.1, "term": 9007199254740993, "note": "贷款", "ok": True},
}
ITEM = {
    "event": "e-1",
    "type": "loan.approved",
    "time": "2006-01-05T10:00:00.123456+08:00",
    "objects": [["loan", "L/1"]],
    "attributes": {
        "amount": "0.1",
        "term": 9007199254740993,
        "note": "贷款",
        "ok": True,
        "causationid": "c-9",
        "priority": "5",
    },
    "recorded": "2006-01-05T02:00:01Z",
}


async def ready(world: World) -> None:
    source = {"id": SOURCE, "process_type": "loans", "mode": "historical"}
    await world.commit(world.sign("process.define_type", TYPE), world.sign("process.register_source", source))


def event(number: int = 1, **changed: Any) -> dict[str, Any]:
    return {**EVENT, "id": f"e-{number}", "sequence": str(number), **changed}


async def post(
    client: httpx.AsyncClient, document: Any, kind: str = "cloudevents", *, text: str = SECRET, wait: str = "commit"
) -> httpx.Response:
    headers = {"Authorization": f"Bearer {text}", "Content-Type": f"application/{kind}+json; charset=utf-8"}
    body = document if isinstance(document, bytes) else json.dumps(document).encode()
    return await client.post(f"/v1/events?wait={wait}", content=body, headers=headers)


async def binary(client: httpx.AsyncClient, document: Mapping[str, Any], **more: str) -> httpx.Response:
    fields = {name: value for name, value in document.items() if name != "data"}
    headers = {f"ce-{name}": str(value).replace("/", "%2F") for name, value in fields.items()} | more
    headers |= {"Authorization": f"Bearer {SECRET}", "Content-Type": "application/json"}
    body = json.dumps(document["data"]).encode()
    return await client.post("/v1/events?wait=commit", content=body, headers=headers)


async def recorded(client: httpx.AsyncClient, response: httpx.Response) -> list[dict[str, Any]]:
    assert response.status_code == 200, response.text
    assert response.json()["status"] == "committed"
    found = (await client.get(f"/v1/transactions/{response.json()['id']}")).json()["transaction"]
    assert (found["sender"], found["contract"], found["action"]) == ("enterprise-a/admin", "process", "record")
    assert found["args"]["source"] == SOURCE
    return list(found["args"]["items"])


@scenario(settings=SETTINGS)
async def test_an_event_is_one_item_whatever_the_mode(world: World, client: httpx.AsyncClient) -> None:
    await ready(world)
    assert await recorded(client, await post(client, event(1))) == [ITEM]
    assert await recorded(client, await binary(client, event(2))) == [{**ITEM, "event": "e-2"}]
    items = await recorded(client, await post(client, [event(3), event(4)], "cloudevents-batch"))
    assert items == [{**ITEM, "event": "e-3"}, {**ITEM, "event": "e-4"}]
    source = (await client.get(f"/v1/sources/enterprise-a/{SOURCE}")).json()["source"]
    assert source["sequence"] == 4


@scenario(settings=SETTINGS)
async def test_the_same_events_are_recorded_once(world: World, client: httpx.AsyncClient) -> None:
    await ready(world)
    first = await post(client, event())
    height = world.height
    world.clock_ms += 100_000
    assert (await post(client, event())).json() == first.json()
    assert (await binary(client, event())).json() == first.json()
    assert world.height == height


@scenario(settings=SETTINGS)
async def test_what_came_too_early_is_taken_when_its_turn_comes(world: World, client: httpx.AsyncClient) -> None:
    await ready(world)
    early = await post(client, event(2))
    assert (early.status_code, early.json()["code"]) == (422, "sequence")
    assert early.json()["event"] == {"index": 0, "id": "e-2", "source": SOURCE, "sequence": "2"}
    assert "expected 1, got 2" in early.json()["detail"]
    await post(client, event(1))
    world.clock_ms += 1
    assert (await post(client, event(2))).json()["status"] == "committed"
    other = await post(client, event(1, data={"amount": 7}))
    assert (other.status_code, other.json()["code"]) == (422, "already_recorded")


@scenario(settings=SETTINGS)
async def test_one_bad_event_refuses_the_batch_and_is_named(world: World, client: httpx.AsyncClient) -> None:
    await ready(world)
    height = world.height
    for bad, code, part in (
        (event(2, data={"term": 1}), "invalid_item", ".attributes.amount: missing"),
        (event(2, data={"amount": 1, "other": 1}), "invalid_item", ".attributes.other"),
        (event(2, type="loan.unknown"), "invalid_item", ".type"),
        (event(2, subject="ship/1"), "invalid_item", ".objects[0]"),
        (event(2, sequence="3"), "sequence", "expected 2, got 3"),
        (event(2, source="urn:other"), "invalid_event", ".source"),
        (event(2, time=None), "invalid_event", ".time: missing"),
        ("text", "invalid_event", "expected a CloudEvent"),
    ):
        response = await post(client, [event(1), bad], "cloudevents-batch")
        answer = response.json()
        assert (response.status_code, answer["code"], answer["event"]["index"]) == (422, code, 1), answer
        assert part in answer["detail"]
        assert response.headers["content-type"] == "application/problem+json"
    assert world.height == height


@scenario(settings=SETTINGS)
async def test_a_rejection_by_the_contract_names_the_event(world: World, client: httpx.AsyncClient) -> None:
    await ready(world)
    response = await post(client, [event(1), event(2, time="2199-01-01T00:00:00Z")], "cloudevents-batch")
    answer = response.json()
    assert (response.status_code, answer["code"]) == (422, "event_in_future")
    assert (answer["event"]["index"], answer["event"]["id"]) == (1, "e-2")
    assert answer["height"] == world.height


@scenario(settings=SETTINGS)
async def test_each_rule_of_an_event_is_checked(world: World, client: httpx.AsyncClient) -> None:
    await ready(world)
    height = world.height
    for changed, part in (
        ({"specversion": "0.3"}, ".specversion"),
        ({"id": ""}, ".id"),
        ({"id": 1}, ".id"),
        ({"source": "not a uri"}, ".source"),
        ({"source": "urn:%zz"}, ".source"),
        ({"type": "x\n"}, ".type"),
        ({"time": "2026-01-05T10:00:00"}, ".time"),
        ({"time": "yesterday"}, ".time"),
        ({"recordedtime": "2026"}, ".recordedtime"),
        ({"subject": "L-1"}, ".subject"),
        ({"sequence": 0}, ".sequence"),
        ({"sequence": "-1"}, ".sequence"),
        ({"sequence": True}, ".sequence"),
        ({"sequence": None}, ".sequence: missing"),
        ({"sequencetype": "String"}, ".sequencetype"),
        ({"dataschema": "no-scheme"}, ".dataschema"),
        ({"datacontenttype": "json"}, ".datacontenttype"),
        ({"datacontenttype": "text/xml"}, ".datacontenttype"),
        ({"data": [1]}, ".data"),
        ({"data": {"amount": None}}, ".data.amount"),
        ({"data": {"amount": 1, "priority": "x"}}, ".data.priority"),
        ({"data_base64": "Zm9v", "data": None}, ".data_base64"),
        ({"Upper": "x"}, ".Upper"),
        ({"under_score": "x"}, ".under_score"),
        ({"ext": {"a": 1}}, ".ext"),
        ({"ext": 2**31}, ".ext"),
        ({"ext": "a\tb"}, ".ext"),
    ):
        response = await post(client, event(1, **changed))
        assert response.status_code == 422, changed
        assert response.json()["code"] == "invalid_event", changed
        assert part in response.json()["detail"], (changed, response.json()["detail"])
        assert response.json()["event"]["index"] == 0
    for changed, part in (
        ({"data": {"amount": "x"}}, ".attributes.amount"),
        ({"data": {"amount": 1, "term": 1.5}}, ".attributes.term"),
        ({"data": {"amount": 1, "note": 1.5}}, ".attributes.note"),
        ({"data": {"amount": 1, "note": {"a": "b"}}}, ".attributes.note"),
        ({"correlationid": "c"}, ".attributes.correlationid: not declared"),
    ):
        response = await post(client, event(1, **changed))
        assert (response.status_code, response.json()["code"]) == (422, "invalid_item"), changed
        assert part in response.json()["detail"], changed
    assert world.height == height


@scenario(settings=SETTINGS)
async def test_data_may_be_the_rest_of_an_item(world: World, client: httpx.AsyncClient) -> None:
    await ready(world)
    data = {
        "objects": [["party", "p-1", "payer"], ["party", "p-1", "applicant"]],
        "attributes": {"amount": 35},
        "counterparty": "bank-a",
        "evidence": ["ab" * 32],
    }
    kind = "application/vnd.coseal.item+json"
    (item,) = await recorded(client, await post(client, event(1, data=data, datacontenttype=kind)))
    assert item["objects"] == [["loan", "L/1"], ["party", "p-1", "payer"], ["party", "p-1", "applicant"]]
    assert item["attributes"] == {"amount": "35", "causationid": "c-9", "priority": "5"}
    assert (item["counterparty"], item["evidence"]) == ("bank-a", ["ab" * 32])
    response = await post(client, event(2, data={"what": 1}, datacontenttype=kind))
    assert response.json()["detail"].startswith(".data.what: unknown")


@scenario(settings=SETTINGS)
async def test_who_and_what_the_route_takes(world: World, client: httpx.AsyncClient) -> None:
    await ready(world)
    for response, status, code in (
        (await post(client, event(), text="r" * 40), 403, "forbidden"),
        (await client.post("/v1/events", json=EVENT), 401, "unauthenticated"),
        (await post(client, event(), "x"), 415, "unsupported_media_type"),
        (await post(client, b"{", "cloudevents"), 400, "malformed"),
        (await post(client, b'{"id": "a", "id": "a"}', "cloudevents"), 400, "malformed"),
        (await post(client, b'{"id": NaN}', "cloudevents"), 400, "malformed"),
        (await post(client, b"[" * 100_000, "cloudevents"), 400, "malformed"),
        (await post(client, [], "cloudevents-batch"), 400, "malformed"),
        (await post(client, event(), "cloudevents-batch"), 400, "malformed"),
        (await post(client, [event()] * 1_001, "cloudevents-batch"), 400, "malformed"),
        (await post(client, event(source="urn:unknown")), 422, "unknown_source"),
        (await binary(client, event(), **{"ce-data": "x"}), 400, "malformed"),
        (await binary(client, event(), **{"ce-type": "%ff"}), 400, "malformed"),
    ):
        assert (response.status_code, response.json()["code"]) == (status, code), response.text
    large = [event(number, data={"amount": 1, "note": "x" * 4_000}) for number in range(1, 80)]
    assert (await post(client, large, "cloudevents-batch")).json()["code"] == "too_large"


@scenario(settings=SETTINGS)
async def test_without_waiting_it_is_accepted(world: World, client: httpx.AsyncClient) -> None:
    await ready(world)
    response = await post(client, event(), wait="accepted")
    assert (response.status_code, response.json()["status"]) == (202, "accepted")


def test_what_the_official_schema_accepts_and_refuses() -> None:
    path = reference("schemas", "cloudevents_1.0.schema.json")
    jsonschema = pytest.importorskip("jsonschema", reason="an oracle, in the extra of that name")
    validator = jsonschema.Draft7Validator(json.loads(path.read_text(encoding="utf-8")))
    assert validator.is_valid(EVENT)
    optional = ("time", "subject", "data", "datacontenttype", "dataschema", "sequence")
    values: tuple[Any, ...] = (None, "", "x", 1, True, [], {}, 1.5)
    refused = 0
    for name in (*EVENT, *optional, "data_base64"):
        for value in values:
            changed = {**EVENT, name: value}
            if not validator.is_valid(changed):
                refused += 1
                with pytest.raises(Unfit):
                    read_event(changed)
    for name in ("id", "source", "specversion", "type"):
        with pytest.raises(Unfit, match="missing"):
            read_event({key: row for key, row in EVENT.items() if key != name})
    assert refused > 30
