"""Every recorded id can be asked for at every route that takes it, through a real server and a real client."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx

from coseal.audit.history import verify_history
from coseal.client.exchange import state_path
from coseal.ledger.render import state_proof_from_json
from coseal.node.http.limits import Limits
from coseal.node.http.server import HttpServer
from tests.node.http.world import World, scenario

SOURCES_OF_ROUTES = Path(__file__).parents[3] / "node" / "http"
WHOLE = [
    *("100%", "a%2Fb", "%2e%2e", "a?b=c", "a#b", "a+b", "a b", 'a"b', "a'b", "a<b>&c", "a\\b", "a;b", "a,b=c", "{id}"),
    *("合同 2026", "é", "\N{GRINNING FACE}", "...", "~", "null", "0", "-1", "latest", "events", "map", "x" * 128),
    "合" * 128,
]
"""Without a slash: what may also name types and rules."""
PARTED = ["a/b", "x/events", "x/events/events", "a/b c/%/d?e", "https://example.org/a", "合同/2026", "a/" * 63 + "a"]
SOURCES = [*WHOLE[:12], *PARTED, "/a", "a/", "a//b", "//a", "https://example.org/", "/subscriptions/1//x/"]


async def recorded(world: World) -> None:
    """Record events of all ids, as ids of objects, of types, of sources and of policies, each accepted."""
    txs = []
    for number, name in enumerate(WHOLE):
        definition = {
            "id": name,
            "version": 1,
            "title": "odd",
            "object_types": {name: {}, "case": {}},
            "event_types": {name: {}},
        }
        txs.append(world.sign("process.define_type", definition))
        txs.append(
            world.sign("process.register_source", {"id": f"s{number}", "process_type": name, "mode": "historical"})
        )
        event = {"event": name, "type": name, "time": "2020-01-01T00:00:00Z", "objects": [[name, name], ["case", name]]}
        txs.append(world.sign("process.record", {"source": f"s{number}", "sequence": 1, "items": [event]}))
    items = [
        {"event": name, "type": "0", "time": "2020-01-01T00:00:00Z", "objects": [["0", name, name]]} for name in PARTED
    ]
    for name in SOURCES:
        txs.append(world.sign("process.register_source", {"id": name, "process_type": "0", "mode": "historical"}))
    txs.append(world.sign("process.record", {"source": PARTED[0], "sequence": 1, "items": items}))
    policies = [{"id": name, "title": "odd", "is_about": [name[:64]]} for name in WHOLE + PARTED]
    args = {"source": "odd", "source_sha256": "00" * 32, "instruments": policies}
    txs.append(world.sign("policy.record", args, sender="regulator"))
    committed = await world.commit(*txs)
    assert sum(b"\xa2ok\xa0" in receipt for receipt in committed.receipts[1:]) == len(txs)
    assert await world.index.reached(world.height, 20)


def played(folder: Path, play: Any) -> None:
    async def run() -> None:
        world = World(folder)
        limits = Limits()
        server = HttpServer(world.app, "127.0.0.1", 0, limits)
        await server.start()
        try:
            await recorded(world)
            async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{server.port}", timeout=20) as client:
                await play(world, client)
        finally:
            await server.stop()
            world.close()

    asyncio.run(run())


async def found(client: httpx.AsyncClient, path: str, **params: str) -> dict[str, Any]:
    answer = await client.get(path, params=params)
    assert answer.status_code == 200, (path, answer.text)
    document: dict[str, Any] = answer.json()
    return document


def test_an_object_of_any_id_is_found_with_all_its_items(tmp_path: Path) -> None:
    async def play(world: World, client: httpx.AsyncClient) -> None:
        for name in WHOLE + PARTED:
            kind = name if name in WHOLE else "0"
            at, named = f"/v1/objects/{quote(name, safe='')}", {"process_type": kind, "type": kind}
            one = await found(client, at, **named)
            assert (one["object"]["id"], one["object"]["items"]) == (name, 1)
            page = await found(client, f"{at}/events", **named)
            assert page["object"]["id"] == name
            assert [item["item"]["event"] for item in page["items"]] == [name]
            history = verify_history(await found(client, f"{at}/events", proof="true", **named), world.genesis)
            assert len(history.items) == 1
            key = f"process/object/{kind}/{kind}/{name}"
            certified = state_proof_from_json(await found(client, state_path(key), proof="true"))
            assert (certified.key.decode(), certified.value is not None) == (key, True)
        several = await client.get("/v1/objects/a/b?process_type=0&type=0")  # a plain slash is as good
        assert several.json()["object"]["id"] == "a/b"

    played(tmp_path, play)


def test_a_type_a_source_and_a_policy_of_any_id_are_found(tmp_path: Path) -> None:
    async def play(world: World, client: httpx.AsyncClient) -> None:
        for name in WHOLE:
            at = f"/v1/process-types/{quote(name, safe='')}"
            assert (await found(client, at))["process_type"]["id"] == name
            assert (await found(client, f"{at}/map", type=name))["activities"][0]["activity"] == name
            assert (await found(client, f"{at}/variants", type=name))["items"][0]["activities"] == [name]
            assert (await found(client, f"{at}/cases", type=name, last=name))["items"][0]["id"] == name
            listed = await found(client, "/v1/objects", process_type=name, type=name)
            assert name in [row["id"] for row in listed["objects"]]
        for name in SOURCES:
            full = f"enterprise-a/{name}"
            for path in (f"/v1/sources/{quote(full, safe='')}", f"/v1/sources/{quote(full)}"):
                assert (await found(client, path))["source"]["id"] == full
            assert (await found(client, state_path(f"process/source/{full}")))["present"]
        for name in WHOLE + PARTED:
            assert (await found(client, f"/v1/policies/{quote(name, safe='')}"))["policy"]["id"] == name
            assert (await found(client, "/v1/policies/relations", id=name))["id"] == name
            counted = await found(client, state_path(f"policy/statistics/area/value/{name[:64]}"))
            assert counted["key"].endswith(name[:64])

    played(tmp_path, play)


def test_lists_go_on_after_any_id(tmp_path: Path) -> None:
    async def play(world: World, client: httpx.AsyncClient) -> None:
        for what, key in (("policies", "id"), ("sources", "name"), ("objects", "id")):
            seen, more = [], {}
            while True:
                page = await found(client, f"/v1/{what}", limit="1", **more)
                seen += [row[key] for row in page[what]]
                if page["next"] is None:
                    break
                more = {"cursor": page["next"]}
            assert len(seen) == len((await found(client, f"/v1/{what}", limit="1000"))[what]) > 20

    played(tmp_path, play)


@scenario()
async def test_a_path_that_is_no_percent_encoded_text_is_refused(world: World, client: httpx.AsyncClient) -> None:
    for path in ("/v1/objects/%ff", "/v1/policies/a%C3"):
        answer = await client.get(path)
        assert (answer.status_code, answer.json()["code"]) == (400, "malformed_path")
    assert (await client.get("/v1/objects/%zz")).json()["code"] == "unknown_object"


def test_every_part_of_every_route_is_decoded_by_itself() -> None:
    written = "\n".join(path.read_text(encoding="utf-8") for path in SOURCES_OF_ROUTES.rglob("*.py"))
    paths = re.findall(r'(?:routes\.(?:get|post)\(\s*|prefix=)"([^"]*)"', written)
    parts = [part for path in paths for part in re.findall(r"{([^}]*)}", path)]
    assert len(parts) > 15
    assert [part for part in parts if part.partition(":")[2] not in ("part", "rest")] == []


def test_a_key_that_clients_would_change_is_sent_as_one_part() -> None:
    assert state_path("process/object/t/o/a b/c?") == "/v1/state/process/object/t/o/a%20b/c%3F"
    assert state_path("policy/statistics/area/value/..") == "/v1/state/policy/statistics%2Farea%2Fvalue%2F.."
    for key in ("policy/a/value/..", "policy/a/./b", "process/source/m//a/", "policy/a/value/a/../b"):
        assert httpx.URL("http://node" + state_path(key)).path == f"/v1/state/{key}"
