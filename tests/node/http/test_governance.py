"""Proposals over HTTP, and proofs on a chain whose validators change."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from coseal.audit.sources import Unreachable, UrlSource
from coseal.audit.verify import verify_document
from coseal.ledger import codec, signing
from coseal.ledger.handover import Handover, split_handovers
from tests.node.http.world import World, scenario
from tests.support.keys import validator


async def rotate(world: World, *, name: str = "key", votes: tuple[str, ...] = ("regulator", "central-bank")) -> None:
    """Have bank-a's validator change its key: proposed in one block, voted on in the next, promoted in the third."""
    new = validator("bank-a second")
    proof = new.sign(signing.key_preimage(world.genesis.chain_id, "bank-a", new.public_key))
    subject = {"node": "bank-a", "key": new.public_key.hex(), "proof": proof.hex()}
    arguments = {"id": name, "kind": "rotate_validator_key", "subject": subject, "reason": "Yearly"}
    await world.commit(world.sign("governance.propose", arguments, sender="bank-a"))
    vote = {"ballot": name, "choice": "yes", "reason": "Fine"}
    await world.commit(*(world.sign("governance.vote", vote, sender=member) for member in votes))
    for number in range(3):
        await world.commit(world.profile(str(number)))


async def propose(world: World, name: str, **fields: Any) -> None:
    arguments = {"id": name, "kind": "protocol_version", "subject": {"version": 2, "height": 1_000}, **fields}
    await world.commit(world.sign("governance.propose", arguments, sender="regulator"))


@scenario()
async def test_proposals_are_listed_newest_first_by_status_and_page(world: World, client: httpx.AsyncClient) -> None:
    empty = (await client.get("/v1/governance/proposals")).json()
    assert empty == {"height": 0, "proposals": [], "next": None}
    await rotate(world)
    await propose(world, "open-1")
    await propose(world, "open-2")
    everything = (await client.get("/v1/governance/proposals")).json()
    assert [row["id"] for row in everything["proposals"]] == ["open-2", "open-1", "key"]
    for status, names in (("open", ["open-2", "open-1"]), ("accepted", ["key"]), ("void", [])):
        found = (await client.get("/v1/governance/proposals", params={"status": status})).json()["proposals"]
        assert [row["id"] for row in found] == names
    pages, cursor = [], None
    while True:
        more = {"cursor": cursor} if cursor else {}
        page = (await client.get("/v1/governance/proposals", params={"limit": 1, **more})).json()
        pages += [row["id"] for row in page["proposals"]]
        cursor = page["next"]
        if cursor is None:
            break
    assert pages == ["open-2", "open-1", "key"]
    assert (await client.get("/v1/governance/proposals?status=lost")).json()["code"] == "invalid_parameter"


@scenario()
async def test_one_proposal_has_its_votes_and_a_proof(world: World, client: httpx.AsyncClient) -> None:
    await rotate(world)
    document = (await client.get("/v1/governance/proposals/key?proof=true")).json()
    found = document["proposal"]
    assert (found["status"], found["proposer"], found["outcome"]) == ("accepted", "bank-a", {"first_height": 4})
    assert [(row["member"], row["choice"]) for row in found["votes"]] == [
        ("bank-a", "yes"),
        ("central-bank", "yes"),
        ("regulator", "yes"),
    ]
    result = verify_document(document["proof"], world.genesis)
    assert (result.ok, result.facts["epoch"], result.facts["value"]["status"]) == (True, 1, "accepted")
    assert (found["yes"], found["no"], found["abstain"], found["needed"], found["of"]) == (3, 0, 0, 3, 4)
    assert (found["track"], found["rule"]["pass"], found["round"]) == ("ordinary", {"total": [2, 3]}, 1)
    assert found["constituencies"]["bank"] == {"members": 2, "yes": 2, "no": 0, "abstain": 0}
    assert (await client.get("/v1/governance/proposals/none")).json()["code"] == "unknown_proposal"


@scenario()
async def test_a_decision_is_a_document_of_all_votes(world: World, client: httpx.AsyncClient) -> None:
    await rotate(world)
    await propose(world, "open-1")
    answer = await client.get("/v1/governance/proposals/key/decision")
    result = verify_document(answer.json(), world.genesis)
    assert result.ok, result.reason
    assert (result.facts["epoch"], result.facts["status"], result.facts["outcome"]) == (
        1,
        "accepted",
        {"first_height": 4},
    )
    assert result.height == int(answer.headers["Coseal-Height"])
    assert [vote["reason"] for vote in result.facts["votes"]] == ["Yearly", "Fine", "Fine"]
    bare = (await client.get("/v1/governance/proposals/key/decision?handovers=false")).json()
    assert verify_document(bare, world.genesis).verdict.value == "unknown"
    for name, status, code in (("open-1", 409, "not_decided"), ("none", 404, "unknown_ballot")):
        refused = await client.get(f"/v1/governance/proposals/{name}/decision")
        assert (refused.status_code, refused.json()["code"]) == (status, code)


@scenario()
async def test_a_chain_without_a_document_shows_the_founding_constitution(
    world: World, client: httpx.AsyncClient
) -> None:
    await world.commit(world.profile("a block"))
    document = (await client.get("/v1/constitution?proof=true")).json()
    found = document["constitution"]
    assert (found["version"], found["digest"], found["height"], found["proposal"]) == (0, "00" * 32, 0, "")
    assert found["document"]["tracks"]["ordinary"]["pass"] == {"total": [2, 3]}
    result = verify_document(document["proof"], world.genesis)
    assert (result.ok, result.facts["value"]) == (True, None)
    assert (await client.get("/v1/constitution/0")).json()["constitution"] == found
    assert (await client.get("/v1/constitution/1")).json()["code"] == "unknown_constitution"
    assert (await client.get("/v1/constitution/01")).status_code == 400


@scenario()
async def test_every_heights_validators_are_told_with_their_epoch(world: World, client: httpx.AsyncClient) -> None:
    await rotate(world)
    found = {height: (await client.get(f"/v1/validators?height={height}")).json() for height in range(1, 7)}
    assert [found[height]["epoch"] for height in range(1, 7)] == [0, 0, 0, 1, 1, 1]
    assert [found[height]["first_height"] for height in (1, 3, 4, 6)] == [1, 1, 4, 4]
    assert found[4]["validators"][0]["key"] == validator("bank-a second").public_key.hex()
    assert found[1]["validators"][0]["key"] == validator("bank-a").public_key.hex()
    for height, document in found.items():
        if height <= 5:
            header = (await client.get(f"/v1/blocks/{height}")).json()["header"]
            assert (header["validators_hash"], header["epoch"]) == (document["hash"], document["epoch"])
    assert (await client.get("/v1/validators")).json() == found[6]


@scenario()
async def test_nodes_are_told_with_the_keys_they_validated_with(world: World, client: httpx.AsyncClient) -> None:
    await rotate(world)
    nodes = {row["id"]: row for row in (await client.get("/v1/nodes")).json()["nodes"]}
    first, second = (validator(name).public_key.hex() for name in ("bank-a", "bank-a second"))
    assert nodes["bank-a"]["seats"] == [{"key": first, "from": 1, "to": 3}, {"key": second, "from": 4, "to": None}]
    assert [(row["from"], row["to"]) for row in nodes["regulator"]["seats"]] == [(1, None)]
    one = (await client.get("/v1/nodes/bank-a")).json()["node"]
    assert one == nodes["bank-a"]
    assert (one["kind"], one["consensus_key"]) == ("validator", second)
    assert (await client.get("/v1/nodes/none")).json()["code"] == "unknown_node"


@scenario()
async def test_handovers_lead_from_the_genesis_and_pages_end(world: World, client: httpx.AsyncClient) -> None:
    assert (await client.get("/v1/handovers")).json() == {"height": 0, "handovers": [], "next": None}
    await rotate(world)
    document = (await client.get("/v1/handovers")).json()
    (row,) = document["handovers"]
    assert (row.pop("epoch"), row.pop("first_height"), document["next"]) == (1, 4, None)
    _, (handover,) = split_handovers({"handovers": [row]})
    handover.verify(world.genesis.chain_id, world.genesis.validators)
    raw = await client.get("/v1/handovers", headers={"Accept": "application/msgpack"})
    assert [Handover.decode(item) for item in codec.decode(raw.content)] == [handover]
    assert (await client.get("/v1/handovers?from=2")).json()["handovers"] == []


@scenario()
async def test_proofs_carry_what_leads_to_their_epoch_unless_told_not_to(
    world: World, client: httpx.AsyncClient
) -> None:
    early = world.profile("early")
    await world.commit(early)
    await rotate(world)
    late = world.profile("late")
    await world.commit(late)
    for tx, epoch in ((early, 0), (late, 1)):
        path = f"/v1/transactions/{tx.id.hex()}/receipt"
        document = (await client.get(path)).json()
        assert ("handovers" in document) is (epoch == 1)
        result = verify_document(document, world.genesis)
        assert (result.ok, result.facts["epoch"]) == (True, epoch)
        assert "handovers" not in (await client.get(f"{path}?handovers=false")).json()
        within = (await client.get(f"/v1/transactions/{tx.id.hex()}?proof=true")).json()["proof"]
        assert verify_document(within, world.genesis).ok
    state = (await client.get("/v1/state/membership/validators?proof=true")).json()
    assert verify_document(state, world.genesis).facts["value"][0] == 1
    bare = (await client.get("/v1/state/membership/validators?proof=true&handovers=false")).json()
    assert verify_document(bare, world.genesis).exit_code == 2


@scenario()
async def test_a_pruned_node_still_leads_to_its_epochs(world: World, client: httpx.AsyncClient) -> None:
    await rotate(world)
    for number in range(5):
        await world.commit(world.profile(f"more {number}"))
    world.first_height, world.recent = 8, 1
    assert len((await client.get("/v1/handovers")).json()["handovers"]) == 1


@scenario()
async def test_a_source_of_an_audit_reads_the_handovers_of_a_node(world: World, client: httpx.AsyncClient) -> None:
    await rotate(world)
    raw = (await client.get("/v1/handovers", headers={"Accept": "application/msgpack"})).content
    none = (await client.get("/v1/handovers?from=2", headers={"Accept": "application/msgpack"})).content
    source = UrlSource("http://node.test")
    source._get = lambda path, accept: none if "from=2" in path else raw  # type: ignore[method-assign]
    assert [Handover.decode(item).epoch for item in source.handovers()] == [1]
    source._get = lambda path, accept: b"nonsense"  # type: ignore[method-assign]
    with pytest.raises(Unreachable, match="no list of handovers"):
        list(source.handovers())
