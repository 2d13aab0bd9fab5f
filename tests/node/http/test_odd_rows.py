"""Whatever contracts accept is listed, streamed and shown; a row that cannot be shown breaks nothing but itself."""

from __future__ import annotations

import asyncio
import json
import sqlite3
from pathlib import Path
from typing import Any

import httpx
import pytest

from coseal.contracts import block_events as feed
from coseal.ledger.block import Receipt
from coseal.node.http.stream import Wanted, _block_events
from coseal.node.index.rows import shown
from coseal.streams.outgoing import outgoing
from tests.node.http.world import World, scenario
from tests.support.genesis import START_MS

TEXT = "\x00\x01\x1b[2J\x85\u2028\u202e<b>\n\r\t" + "x" * 180
FIRST, LAST = "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00"
KINDS = {"s": "string", "t": "time", "n": "integer", "d": "decimal", "b": "boolean"}
DEFINITION: dict[str, Any] = {
    "id": "t",
    "version": 1,
    "title": TEXT,
    "object_types": {"case": {"attributes": KINDS}, "none": {}},
    "event_types": {"E": {"attributes": {**KINDS, "z": {"type": "scaled", "scale": 18}}}, "/..//x": {}, "never": {}},
    "gaps": "record",
}
VALUES = {"s": TEXT, "t": LAST, "n": -(2**63), "d": "-0e+999999", "b": False, "z": 2**63 - 1}
ITEMS: list[dict[str, Any]] = [
    {"event": "without objects", "type": "E", "time": FIRST},
    {"event": "empty", "type": "E", "time": "0001-01-01", "objects": [], "attributes": {}},
    {
        "event": "full",
        "type": "E",
        "time": "2020-01-01t00:00:00.123456789123456789z",
        "objects": [["case", "a"], ["case", "a", "again"]],
        "attributes": VALUES,
        "recorded": LAST,
        "late": TEXT,
        "evidence": ["00" * 32],
        "policy": ["none/such"],
    },
    {"event": "before", "type": "/..//x", "time": "1969-12-31 23:59:59", "objects": [["case", "a"]]},
    {"object": "a", "type": "case"},
    {"object": "b", "type": "case", "attributes": [["s", "0", ""], ["n", "0001-01-01", 2**63 - 1], ["t", "0", FIRST]]},
    {"change": "c", "type": "case", "attributes": [["s", "0", TEXT]] * 3},
    {"relation": ["case", "a"], "to": ["case", "a"]},
    {"relation": ["case", "a"], "to": ["case", "z"], "qualifier": ""},
]
INSTRUMENTS: list[dict[str, Any]] = [
    {"id": "p0", "title": TEXT},
    {"id": "p1", "title": TEXT, "date_document": "0001", "date_publication": "9999-12-31", "events": []},
    {
        "id": "p2",
        "title": TEXT,
        "is_about": [],
        "passed_by": [],
        "jurisdiction": "XX",
        "zone_minutes": -840,
        "events": [{"action": "evaluated", "text": TEXT}, {"action": "repealed"}],
    },
    {"id": "p3", "title": TEXT, "amends": ["p3", "not/recorded"], "cites": ["p3"], "level": "central"},
]
RULE: dict[str, Any] = {
    "id": "R1",
    "version": 1,
    "kind": "guard",
    "on": ["E"],
    "assert": "false",
    "scope": {"process_type": "t", "object_type": "case"},
    "legal_basis": ["external:a", "external:" + TEXT],
    **dict.fromkeys(("title", "description", "severity", "effect", "tests", "valid_from")),
    "valid_to": LAST,
}
UNTIL_MS = START_MS + 300 * 86_400_000
GROUNDS = [{"kind": "external", "id": "/../<b>" + "x" * 100}]
MEASURE: dict[str, Any] = {
    "title": "<b>{{7*7}}'; --" + "x" * 100,
    "text_sha256": "00" * 32,
    "until_ms": UNTIL_MS,
    "pause": {"supervision.guide": ["public-a"], "policy.evaluate": "all"},
    "grounds": GROUNDS,
}
SUSPENSION = {"member": "public-a", "until_ms": UNTIL_MS, "seats": True, "grounds": GROUNDS}


def accepted(name: str, kind: str, subject: dict[str, Any]) -> list[tuple[str, str, dict[str, Any]]]:
    """Return what it takes to decide a proposal."""
    proposal = {"id": name, "kind": kind, "subject": subject, "reason": "x"}
    votes = [(member, "governance.vote", {"ballot": name, "choice": "yes"}) for member in ("bank-a", "central-bank")]
    return [("enterprise-a", "governance.propose", proposal), *votes]


ACTS: list[tuple[str, str, dict[str, Any]]] = [
    ("enterprise-a", "process.define_type", DEFINITION),
    (
        "enterprise-a",
        "process.register_source",
        {"id": "s", "process_type": "t", "mode": "historical", "title": TEXT, "zone_minutes": -840},
    ),
    ("enterprise-a", "process.register_source", {"id": "silent", "process_type": "t", "mode": "live"}),
    ("enterprise-a", "process.record", {"source": "s", "sequence": 1, "items": ITEMS}),
    (
        "enterprise-a",
        "process.record",
        {"source": "s", "sequence": 2**53, "items": [{**ITEMS[0], "event": "last"}], "gap": TEXT},
    ),
    ("regulator", "policy.record", {"source": TEXT, "source_sha256": "00" * 32, "instruments": INSTRUMENTS}),
    (
        "regulator",
        "policy.publish",
        {"id": "live", "title": TEXT, "type_document": "/../", "date_document": "0001", "stage": "proposed"},
    ),
    ("regulator", "supervision.propose_rules", {"rules": [RULE], "title": TEXT, "reason": TEXT}),
    ("enterprise-a", "supervision.ask", {"topic": TEXT, "question": TEXT, "about": ["a"]}),
    ("regulator", "supervision.answer", {"question": "Q1", "answer": TEXT}),
    ("regulator", "supervision.guide", {"title": TEXT, "text": TEXT}),
    ("enterprise-a", "membership.set_profile", {"description": TEXT, "url": "javascript:alert(1)"}),
    *accepted("m", "measure", MEASURE),
    *accepted("s", "suspend_member", SUSPENSION),
    *accepted("e", "end_measure", {"measure": "m"}),
]
LISTS = [
    *("/v1/process-types", "/v1/process-types/t", "/v1/process-types/t/map", "/v1/process-types/t/variants"),
    *("/v1/process-types/t/times", "/v1/process-types/t/dots", "/v1/process-types/t/map?last=a"),
    *("/v1/process-types/t/cases", "/v1/sources", "/v1/sources/enterprise-a/s", "/v1/objects", "/v1/objects/a/events"),
    *("/v1/objects/a/events?proof=true", "/v1/objects/c/events", "/v1/policies", "/v1/policies?order=newest"),
    *("/v1/policies/statistics?by=year,area,level,issuer", "/v1/policies/sources", "/v1/policies/relations?id=p3"),
    *("/v1/policies/coissuing", *(f"/v1/policies/{name}" for name in ("p0", "p1", "p2", "p3", "live"))),
    *("/v1/rules", "/v1/rules/R1", "/v1/ballots", "/v1/ballots/B1", "/v1/findings", "/v1/holds", "/v1/obligations"),
    *("/v1/standings", "/v1/governance/measures", "/v1/governance/proposals"),
    *("/v1/questions", "/v1/questions/Q1", "/v1/guidance", "/v1/members", "/v1/members/enterprise-a", "/v1/blocks"),
]


async def odd(world: World) -> None:
    """Commit what is odd, one block each; all of it is accepted."""
    for member, name, args in ACTS:
        committed = await world.commit(world.sign(name, args, sender=member))
        receipt = Receipt.decode(committed.receipts[1])
        assert receipt.ok, (name, receipt.code, receipt.detail)
    assert await world.index.reached(world.height, 20)


@scenario()
async def test_every_list_and_every_thing_shows_the_oddest_that_contracts_accept(
    world: World, client: httpx.AsyncClient
) -> None:
    await odd(world)
    assert (world.index.error, world.index.left_out) == (None, 0)
    for path in LISTS:
        answer = await client.get(path)
        assert (answer.status_code, "cannot_be_shown" in answer.text) == (200, False), (path, answer.text[:300])


@scenario()
async def test_both_streams_carry_the_oddest_that_contracts_accept(world: World, client: httpx.AsyncClient) -> None:
    await odd(world)
    sent = [event for block in world.chain.blocks for event in outgoing(block)]
    assert len([event for event in sent if event.type.startswith("coseal.process.")]) > len(ITEMS)
    assert [event for event in sent if event.type == "coseal.fault"] == []
    for event in sent:
        assert json.loads(event.structured)["id"] == event.id
    told = b"".join(_block_events(block, (1, feed.BEGIN, 0), Wanted()) for block in world.chain.blocks)
    assert told.count(b"event: transaction") == len(ACTS)
    assert b"cannot_be_shown" not in told


@pytest.mark.parametrize(
    ("table", "column", "value", "path", "what"),
    [
        ("policies", "document", "{", "/v1/policies", "policies"),
        ("policies", "document", "{}", "/v1/policies?order=newest", "policies"),
        ("rules", "document", "[]", "/v1/rules", "rules"),
        ("questions", "document", "null", "/v1/questions", "questions"),
        ("guidance", "document", "{", "/v1/guidance", "guidance"),
        ("ballots", "document", "1", "/v1/ballots", "ballots"),
        ("measures", "document", "[", "/v1/governance/measures", "measures"),
        ("traces", "activity", 99, "/v1/process-types/t/cases", "items"),
    ],
)
def test_a_row_that_cannot_be_shown_says_so_and_the_others_are_shown(
    tmp_path: Path, table: str, column: str, value: Any, path: str, what: str
) -> None:
    async def play() -> None:
        world = World(tmp_path)
        try:
            await odd(world)
            async with world.client() as client:
                whole = (await client.get(path)).json()[what]
                with sqlite3.connect(world.index.path) as connection:
                    key = {"traces": "object", "policies": "id", "rules": "id", "measures": "id"}.get(table, "number")
                    first = f"SELECT min({key}) FROM {table}"
                    connection.execute(f"UPDATE {table} SET {column} = ? WHERE {key} = ({first})", (value,))
                connection.close()
                again = f"{path}{'&' if '?' in path else '?'}limit=500"  # another question: answers may be kept
                found = (await client.get(again)).json()[what]
                assert len(found) == len(whole)
                bad = [row for row in found if "cannot_be_shown" in row]
                assert len(bad) == 1
                assert [row for row in found if row in whole] == [row for row in found if row not in bad]
                pages, cursor = [], ""
                mark = "&" if "?" in path else "?"
                while cursor is not None:
                    page = (await client.get(f"{path}{mark}limit=1{cursor}")).json()
                    pages += page[what]
                    cursor = None if page["next"] is None else f"&cursor={page['next']}"
                assert pages == found
        finally:
            world.close()

    asyncio.run(play())


@scenario()
async def test_a_fault_in_the_making_of_an_event_costs_that_event_alone(
    world: World, client: httpx.AsyncClient
) -> None:
    await odd(world)
    whole = [(event.id, event.type) for block in world.chain.blocks for event in outgoing(block)]
    plain = feed.plain

    def fail(value: Any) -> Any:
        if isinstance(value, dict) and value.get("id") == "live":
            raise KeyError("level")
        return plain(value)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(feed, "plain", fail)
        events = [event for block in world.chain.blocks for event in outgoing(block)]
        told = b"".join(_block_events(block, (1, feed.BEGIN, 0), Wanted()) for block in world.chain.blocks)
    assert [event.id for event in events] == [place for place, _ in whole]
    (bad,) = [event for event in events if event.type == "coseal.fault"]
    assert bad.data["cannot_be_shown"] == "KeyError: 'level'"
    assert told.count(b"event: transaction") == len(ACTS)
    assert told.count(b"cannot_be_shown") == 1


@scenario()
async def test_a_fault_in_one_item_of_a_batch_costs_that_item_alone(world: World, client: httpx.AsyncClient) -> None:
    await odd(world)
    from coseal.streams import outgoing as module

    objects = module._objects

    def fail(kind: str, item: Any) -> Any:
        if item.get("event") == "empty":
            raise IndexError("list index out of range")
        return objects(kind, item)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "_objects", fail)
        events = [event for block in world.chain.blocks for event in outgoing(block)]
    assert [event.id for event in events if event.type == "coseal.fault"] == ["4:0.1"]
    assert len([event for event in events if event.type.startswith("coseal.process.")]) > len(ITEMS)


def test_the_queries_name_what_they_cannot_show() -> None:
    rows = shown([1, 2], lambda row: {"half": 2 // (row - 1)})
    assert rows == [{"cannot_be_shown": "ZeroDivisionError: integer division or modulo by zero"}, {"half": 2}]
