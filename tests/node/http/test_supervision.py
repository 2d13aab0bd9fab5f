"""The routes of supervision, and the stream that carries findings, over a chain on which it all happened."""

from __future__ import annotations

import json
from typing import Any

import httpx

from coseal.audit.verify import verify_document
from coseal.contracts.supervision.terms import TERMS
from coseal.ledger.render import state_proof_from_json
from coseal.node.http import stream
from coseal.node.http.stream import Wanted, _start
from tests.node.http.world import World, scenario
from tests.support.supervised import RULES, Story


async def played(world: World) -> Story:
    """Play the story on the world's own chain."""
    story = Story(world.chain)
    story.tell()
    world.index.feed(world.chain.blocks[-1])
    assert await world.index.reached(world.height, 20)
    return story


async def get(client: httpx.AsyncClient, path: str, **params: Any) -> dict[str, Any]:
    answer = await client.get(path, params=params)
    assert answer.status_code == 200, answer.text
    document: dict[str, Any] = answer.json()
    assert document["height"] == int(answer.headers["Coseal-Height"])
    return document


@scenario()
async def test_rules_are_listed_and_shown_in_force(world: World, client: httpx.AsyncClient) -> None:
    await played(world)
    rows = (await get(client, "/v1/rules"))["rules"]
    assert {row["id"] for row in rows} >= {rule["id"] for rule in RULES}
    assert rows[0]["legal_basis"] == ["external:a law"]
    adopted = (await get(client, "/v1/rules", status="adopted", process_type="t"))["rules"]
    assert {row["status"] for row in adopted} == {"adopted"}
    one = await get(client, "/v1/rules/R-AMOUNT")
    assert (one["rule"]["rule"]["version"], one["active"], one["latest"]) == (2, 2, 2)
    assert [(row["version"], row["status"]) for row in one["versions"]["versions"]] == [
        (1, "superseded"),
        (2, "adopted"),
    ]
    assert one["findings"]["dismissed"] == 1
    older = await get(client, "/v1/rules/R-AMOUNT", version=1, proof="true")
    certified = state_proof_from_json(older["proof"])
    certified.verify(world.genesis.chain_id, world.genesis.validators)
    assert certified.key == b"supervision/rule/R-AMOUNT/1"
    tried = await get(client, "/v1/rules/R-TRIED")
    assert tried["trial"]["violated"] == 1
    for path in ("/v1/rules/R-NONE", "/v1/rules/R-AMOUNT?version=9"):
        answer = await client.get(path)
        assert (answer.status_code, answer.json()["code"]) == (404, "unknown_rule")


@scenario()
async def test_ballots_are_listed_and_shown_with_their_votes(world: World, client: httpx.AsyncClient) -> None:
    await played(world)
    rows = (await get(client, "/v1/ballots"))["ballots"]
    assert [row["kind"] for row in rows] == ["rules", "rules", "retire", "terms", "rules", "adopt", "rules"]
    assert [row["id"] for row in (await get(client, "/v1/ballots", status="open"))["ballots"]] == [rows[-1]["id"]]
    one = (await get(client, "/v1/ballots/B1"))["ballot"]
    assert {vote["member"]: vote["choice"] for vote in one["votes"]} == {
        "regulator": "yes",
        "central-bank": "yes",
        "bank-a": "yes",
    }
    decided = verify_document((await client.get("/v1/ballots/B1/decision")).json(), world.genesis)
    assert (decided.ok, decided.facts["kind"], decided.facts["status"]) == (True, "rules", "accepted")
    assert one["electorate"] == ["bank-a", "central-bank", "enterprise-a", "regulator"]
    assert (one["yes"], one["needed"], one["of"]) == (3, 3, 4)
    assert one["constituencies"]["bank"] == {"members": 2, "yes": 2, "no": 0, "abstain": 0}
    assert (one["rule"]["name"], one["rule"]["pass"]) == ("ordinary", {"total": [2, 3]})
    assert (rows[0]["yes"], rows[0]["no"], rows[0]["abstain"]) == (3, 0, 0)
    newest = await get(client, "/v1/ballots", order="newest", limit="2")
    assert [row["id"] for row in newest["ballots"]] == [row["id"] for row in rows[:-3:-1]]
    following = await get(client, "/v1/ballots", order="newest", limit="2", cursor=newest["next"])
    assert [row["id"] for row in following["ballots"]] == [row["id"] for row in rows[-3:-5:-1]]
    assert len((await get(client, "/v1/ballots", proposer=rows[0]["proposer"], kind="retire"))["ballots"]) <= 1
    assert (await get(client, "/v1/ballots", proposer="nobody"))["ballots"] == []
    assert (await client.get("/v1/ballots/B99")).json()["code"] == "unknown_ballot"
    assert (await client.get("/v1/ballots/x")).status_code == 400


@scenario()
async def test_a_finding_comes_with_its_whole_trail(world: World, client: httpx.AsyncClient) -> None:
    story = await played(world)
    one = await get(client, "/v1/findings/F2", proof="true")
    assert one["finding"]["outcome"] == "rectified"
    assert one["rule"]["id"] == "R-ONCE"
    steps = [step["step"] for step in one["trail"]]
    assert steps[0] == "raised"
    assert [step for step in steps if step in ("acknowledge", "inquire", "respond", "decide")] == [
        "acknowledge",
        "inquire",
        "respond",
        "decide",
    ]
    answered = next(step for step in one["trail"] if step["step"] == "respond")
    assert (answered["response"], answered["by"]) == ("So.", "enterprise-a/admin")
    assert answered["evidence"] == ["ab" * 32]
    certified = state_proof_from_json(one["proof"])
    certified.verify(world.genesis.chain_id, world.genesis.validators)
    late = await get(client, "/v1/findings/F6")
    assert [step["awaited"] for step in late["trail"] if step["step"] == "overdue"]
    assert late["finding"]["deadline_ms"] == story.state("supervision/finding/F6")["deadline_ms"]
    answer = await client.get("/v1/findings/F999")
    assert (answer.status_code, answer.json()["code"]) == (404, "unknown_finding")


@scenario()
async def test_findings_are_filtered_counted_and_paged(world: World, client: httpx.AsyncClient) -> None:
    await played(world)
    whole = (await get(client, "/v1/findings"))["findings"]
    joined: list[Any] = []
    cursor: str | None = None
    while True:
        page = await get(client, "/v1/findings", limit=2, **({} if cursor is None else {"cursor": cursor}))
        joined += page["findings"]
        cursor = page["next"]
        if cursor is None:
            break
    assert joined == whole
    counts = (await get(client, "/v1/findings/statistics"))["counts"]
    assert sum(row["count"] for row in counts) == len(whole)
    late = (await get(client, "/v1/findings", overdue="true"))["findings"]
    assert late
    assert all(row["overdue"] and row["side"] == "supervisor" for row in late)
    assert (await get(client, "/v1/findings", awaits="subject"))["findings"] == []
    for wrong in ({"overdue": "perhaps"}, {"awaits": "nobody"}, {"subject": "x"}, {"cursor": "!"}):
        assert (await client.get("/v1/findings", params=wrong)).status_code == 400
    assert (await client.get("/v1/rules", params={"cursor": "eA"})).json()["code"] == "invalid_cursor"


@scenario()
async def test_open_findings_about_an_object_are_counted_with_a_proof(world: World, client: httpx.AsyncClient) -> None:
    await played(world)
    rows = [row for row in (await get(client, "/v1/findings"))["findings"] if row["object_type"] == "case"]
    for name in sorted({row["object"] for row in rows}):
        about = {"process_type": "t", "object_type": "case", "object": name}
        found = await get(client, "/v1/findings/open", **about, proof="true")
        own = [row for row in rows if row["object"] == name]
        still = [row["severity"] for row in own if row["status"] not in ("closed", "notified")]
        assert found["raised"] == len(own)
        assert found["open"] == {severity: still.count(severity) for severity in ("notice", "warning", "violation")}
        certified = state_proof_from_json(found["proof"])
        certified.verify(world.genesis.chain_id, world.genesis.validators)
        assert certified.key == f"supervision/findings/t/case/{name}".encode()
        assert certified.value is not None
    none = await get(client, "/v1/findings/open", process_type="t", object_type="case", object="nobody", proof="true")
    assert (none["raised"], set(none["open"].values())) == (0, {0})
    absent = state_proof_from_json(none["proof"])
    absent.verify(world.genesis.chain_id, world.genesis.validators)
    assert absent.value is None
    assert (await client.get("/v1/findings/open", params={"process_type": "t"})).status_code == 400


@scenario()
async def test_holds_obligations_questions_guidance_and_times(world: World, client: httpx.AsyncClient) -> None:
    await played(world)
    (hold,) = (await get(client, "/v1/holds"))["holds"]
    assert (hold["object"], hold["finding"]) == ("c2", "F2")
    (owed,) = (await get(client, "/v1/obligations"))["obligations"]
    assert (owed["rule"], owed["source"], owed["status"]) == ("R-MONTHLY", "enterprise-a/live", "running")
    assert (await get(client, "/v1/obligations", party="bank-a"))["obligations"] == []
    asked = (await get(client, "/v1/questions"))["questions"]
    assert [(row["status"], row["overdue"]) for row in asked] == [("answered", False), ("open", True)]
    assert (await get(client, "/v1/questions/Q1"))["question"]["answer"] == "From the day of issue"
    assert (await client.get("/v1/questions/Q9")).json()["code"] == "unknown_question"
    assert [row["text"] for row in (await get(client, "/v1/guidance"))["guidance"]] == ["First", "Second"]
    steps = {row["step"]: row for row in (await get(client, "/v1/supervision/times"))["steps"]}
    assert steps["respond"]["term_ms"] == 10 * 86_400_000, "as the ballot changed it"
    assert steps["acknowledge"]["term_ms"] == TERMS["acknowledge"]
    assert steps["acknowledge"]["done"] == 3
    assert steps["acknowledge"]["overdue"] >= 2
    assert steps["acknowledge"]["mean_ms"] == steps["acknowledge"]["total_ms"] // 3
    nobody = (await get(client, "/v1/supervision/times", member="bank-a"))["steps"]
    assert {row["done"] for row in nobody} == {0}


async def ids(world: World, start: Any, count: int, **wanted: str) -> list[tuple[str, str, dict[str, Any]]]:
    """Read (id, event, data) of the stream until ``count`` came or the tip is sent."""
    found: list[tuple[str, str, dict[str, Any]]] = []
    for committed in world.chain.blocks[start[0] - 1 :]:
        text = stream._block_events(committed, start, Wanted(**wanted)).decode()
        for block in filter(None, text.split("\n\n")):
            fields = dict(line.split(": ", 1) for line in block.splitlines())
            found.append((fields["id"], fields["event"], json.loads(fields["data"])))
    return found[:count]


@scenario()
async def test_the_stream_carries_findings_right_after_what_raised_them(
    world: World, client: httpx.AsyncClient
) -> None:
    await played(world)
    whole = await ids(world, (1, -1, 0), 10_000)
    findings = [entry for entry in whole if entry[1] == "finding"]
    assert [data["id"] for _, _, data in findings] == [f"F{n}" for n in range(1, len(findings) + 1)]
    for place, _, data in findings:
        before = [entry for entry in whole if entry[0] == place.rpartition(":")[0]]
        assert len(before) == 1, "its transaction or begin_block stands before it"
        assert (data["index"] is None) == (":begin:" in place)
    assert any(":begin:" in place for place, _, _ in findings), "deadlines raise findings as well"
    assert [entry for entry in whole if entry[1] == "begin"], "what fell due is told"
    assert [entry[2]["id"] for entry in await ids(world, (1, -1, 0), 10_000, kind="finding")] == [
        data["id"] for _, _, data in findings
    ]
    only = await ids(world, (1, -1, 0), 10_000, contract="process")
    assert {kind for _, kind, _ in only} == {"transaction"}


@scenario()
async def test_the_stream_resumes_after_each_of_its_events(world: World, client: httpx.AsyncClient) -> None:
    await played(world)
    whole = [place for place, _, _ in await ids(world, (1, -1, 0), 10_000)]
    assert len(whole) == len(set(whole))
    for position, last in enumerate(whole):
        rest = [place for place, _, _ in await ids(world, _start(None, last, world.height), 10_000)]
        assert rest == whole[position + 1 :], last
        assert [place for place, _, _ in await ids(world, _start(last, None, world.height), 1)] == [last]
