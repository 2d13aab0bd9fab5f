"""Evidence over HTTP: who contradicted itself, with proofs that a client verifies alone."""

from __future__ import annotations

from typing import Any

import httpx
from prometheus_client import CollectorRegistry

from coseal.contracts.evidence import actions as evidence
from coseal.ledger import codec
from coseal.ledger.certificate import Phase, vote_preimage
from coseal.ledger.equivocation import Equivocation, Signed
from coseal.ledger.render import state_proof_from_json
from coseal.node.core.health import NodeStatus
from coseal.node.core.live_sidecars import NO_SIDECARS
from coseal.node.telemetry.metrics import Metrics
from tests.node.http.test_stream import events
from tests.node.http.world import World, scenario
from tests.support.keys import validator


def proof(world: World, name: str, height: int, phase: Phase = Phase.PREPARE) -> Equivocation:
    halves = []
    for digest in (b"\x01" * 32, b"\x02" * 32):
        signed = vote_preimage(world.genesis.chain_id, 0, height, 0, phase, digest)
        halves.append(Signed(digest, validator(name).sign(signed)))
    return Equivocation.of(0, height, 0, phase, *halves)


async def report(world: World, name: str, height: int = 1, **options: Any) -> None:
    """The node of the regulator reports; in a block of its own."""
    args = evidence.arguments_of(name, proof(world, name, height, **options))
    await world.commit(world.sign_as_node("evidence.report", args, "regulator"))


async def get(client: httpx.AsyncClient, path: str, **params: Any) -> dict[str, Any]:
    answer = await client.get(path, params=params)
    assert answer.status_code == 200, answer.text
    document: dict[str, Any] = answer.json()
    assert document["height"] == int(answer.headers["Coseal-Height"])
    return document


@scenario()
async def test_nothing_on_record_is_an_answer_with_a_proof(world: World, client: httpx.AsyncClient) -> None:
    assert await get(client, "/v1/evidence") == {"height": 0, "validators": []}
    await world.commit(world.profile())
    found = await get(client, "/v1/evidence/bank-a", proof="true")
    assert found["proofs"] == []
    certified = state_proof_from_json(found["proof"])
    certified.verify(world.genesis.chain_id, world.genesis.validators)
    assert (certified.key, certified.value) == (b"evidence/of/bank-a", None)
    unknown = await client.get("/v1/evidence/nobody")
    assert (unknown.status_code, unknown.json()["code"]) == (404, "unknown_node")


@scenario()
async def test_the_proofs_of_a_validator_verify_alone_and_everyone_sees_them(
    world: World, client: httpx.AsyncClient
) -> None:
    await world.commit(world.profile())
    await report(world, "bank-a")
    await report(world, "bank-a", 2, phase=Phase.COMMIT)
    rows = [{"validator": "bank-a", "member": "bank-a", "proofs": 2}]
    assert (await get(client, "/v1/evidence"))["validators"] == rows
    found = await get(client, "/v1/evidence/bank-a", proof="true")
    assert [(row["height"], row["phase"]) for row in found["proofs"]] == [(1, "prepare"), (2, "commit")]
    assert {row["reporter"] for row in found["proofs"]} == {"node:regulator"}
    for row in found["proofs"]:
        evidence.proof_of(row).verify(world.genesis.chain_id, bytes.fromhex(row["key"]))
    certified = state_proof_from_json(found["proof"])
    assert certified.value is not None
    assert codec.decode(certified.value) == [[0, 1, 0, "prepare"], [0, 2, 0, "commit"]]
    assert (await get(client, "/v1/members/bank-a"))["evidence"] == rows
    assert (await get(client, "/v1/members/regulator"))["evidence"] == []
    seats = (await client.get("/v1/validators")).json()["validators"]
    assert {seat["id"]: seat["proofs"] for seat in seats} == {
        "bank-a": 2,
        "central-bank": 0,
        "enterprise-a": 0,
        "regulator": 0,
    }


@scenario()
async def test_the_stream_tells_of_evidence_and_of_no_refused_report(world: World, client: httpx.AsyncClient) -> None:
    await report(world, "bank-a")
    await report(world, "bank-a")  # already on record
    await report(world, "central-bank")
    found = await events(world, 2, "1", None, kind="evidence")
    assert [event["event_id"] for event in found] == ["1:0:1", "3:0:1"]
    assert found[0]["height"] == 1
    assert found[0]["evidence"] == {
        "validator": "bank-a",
        "member": "bank-a",
        "epoch": 0,
        "height": 1,
        "round": 0,
        "phase": "prepare",
        "proofs": 1,
    }
    everything = await events(world, 5, "1", None)
    assert [event["event_id"] for event in everything] == ["1:0", "1:0:1", "2:0", "3:0", "3:0:1"]


def test_status_and_metrics_count_what_is_on_record() -> None:
    values: dict[str, Any] = dict.fromkeys(NodeStatus.__dataclass_fields__, 0)
    values |= {"counters": {}, "member_steps": {}, "peers": (), "evidence": {"bank-a": 3}, "sidecars": NO_SIDECARS}
    values |= {"upgrade": None, "contracts": ()}
    registry: CollectorRegistry = Metrics(lambda: NodeStatus(**values)).registry
    assert registry.get_sample_value("coseal_evidence_proofs", {"validator": "bank-a"}) == 3
