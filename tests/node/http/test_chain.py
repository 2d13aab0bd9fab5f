from __future__ import annotations

import asyncio
import json

import httpx
import msgpack
import pytest

from coseal.contracts.execution import Executor, Outcome
from coseal.contracts.genesis_state import new_state
from coseal.ledger.block import CommittedBlock, Header
from coseal.ledger.certificate import PbftCertificate
from coseal.ledger.errors import BadProof
from coseal.ledger.proof import CertifiedValue, verify_certified
from coseal.ledger.render import certified_header_from_json, state_proof_from_json
from coseal.ledger.snapshot import Manifest, cut, depth_for
from coseal.ledger.state import MemoryStore
from coseal.node.http.context import Settings
from coseal.node.http.limits import Limits
from tests.node.http.world import World, scenario
from tests.support.genesis import MEMBERS

MSGPACK = {"Accept": "application/msgpack"}


@scenario()
async def test_genesis_is_given_byte_for_byte(world: World, client: httpx.AsyncClient) -> None:
    assert (await client.get("/v1/genesis")).content == world.genesis.raw


@scenario()
async def test_blocks_in_binary_are_the_log_records(world: World, client: httpx.AsyncClient) -> None:
    for number in range(5):
        await world.commit(world.profile(str(number)))
    response = await client.get("/v1/blocks?from=2&limit=3", headers=MSGPACK)
    assert response.headers["Coseal-Tip"] == "5"
    assert msgpack.unpackb(response.content) == [world.read_block(height) for height in (2, 3, 4)]
    single = await client.get("/v1/blocks/latest", headers=MSGPACK)
    assert CommittedBlock.decode(single.content).block.header.height == 5
    assert msgpack.unpackb((await client.get("/v1/blocks?from=6", headers=MSGPACK)).content) == []


@scenario()
async def test_blocks_as_json_go_on_where_next_says(world: World, client: httpx.AsyncClient) -> None:
    for number in range(5):
        await world.commit(world.profile(str(number)))
    heights, start = [], 1
    while start is not None:
        page = (await client.get(f"/v1/blocks?from={start}&limit=2")).json()
        heights += [block["header"]["height"] for block in page["blocks"]]
        start = page["next"]
    assert heights == [1, 2, 3, 4, 5]
    one = (await client.get("/v1/blocks/3")).json()
    assert (one["height"], one["transactions"][0]["args"]) == (3, {"description": "2"})


@scenario(settings=Settings(limits=Limits(response_bytes=3_000)))
async def test_a_page_of_blocks_is_bounded_in_bytes_and_never_empty(world: World, client: httpx.AsyncClient) -> None:
    for number in range(5):
        await world.commit(*(world.profile(f"{number} {i}") for i in range(4)))
    blocks = msgpack.unpackb((await client.get("/v1/blocks", headers=MSGPACK)).content)
    assert 1 <= len(blocks) < 5


@scenario()
async def test_headers_carry_certificates_that_verify(world: World, client: httpx.AsyncClient) -> None:
    for number in range(3):
        await world.commit(world.profile(str(number)))
    pairs = msgpack.unpackb((await client.get("/v1/headers", headers=MSGPACK)).content)
    for height, (header, certificate) in enumerate(pairs, 1):
        decoded = Header.decode(header)
        assert decoded.height == height
        verify_certified(decoded, PbftCertificate.decode(certificate), world.genesis.chain_id, world.genesis.validators)
    for item in (await client.get("/v1/headers")).json()["headers"]:
        document = {"coseal": "certified-header", "version": 1, **item}
        verify_certified(*certified_header_from_json(document), world.genesis.chain_id, world.genesis.validators)


@scenario()
async def test_heights_that_are_not_there_are_404(world: World, client: httpx.AsyncClient) -> None:
    assert (await client.get("/v1/blocks/latest")).status_code == 404
    await world.commit()
    for height in ("0", "2", "9999999999999999999"):
        response = await client.get(f"/v1/blocks/{height}")
        assert (response.status_code, response.json()["code"]) == (404, "unknown_block")
    for height in ("-1", "x", "1e3", "١"):
        assert (await client.get(f"/v1/blocks/{height}")).status_code == 400
    assert (await client.get("/v1/blocks?from=0")).status_code == 400
    assert (await client.get("/v1/blocks?limit=1001")).status_code == 400


@scenario()
async def test_a_state_value_is_proven_present_and_absent(world: World, client: httpx.AsyncClient) -> None:
    await world.commit(world.profile())
    chain_id, validators = world.genesis.chain_id, world.genesis.validators
    response = await client.get("/v1/state/membership/member/enterprise-a?proof=true")
    present = state_proof_from_json(response.json())
    present.verify(chain_id, validators)
    assert response.json()["value"]["profile"] == {"description": "hello"}
    response = await client.get("/v1/state/membership/member/nobody?proof=true")
    absent = state_proof_from_json(response.json())
    absent.verify(chain_id, validators)
    assert (response.status_code, response.json()["present"]) == (200, False)
    with pytest.raises(BadProof):
        present.proof.verify(absent.key, None, present.header.state_root[::-1])


@scenario()
async def test_several_values_are_proven_against_one_header(world: World, client: httpx.AsyncClient) -> None:
    await world.commit(world.profile())
    keys = ["membership/members", "membership/member/nobody", "membership/members"]
    document = (await client.get("/v1/proofs", params={"keys": json.dumps(keys)})).json()
    proofs = [state_proof_from_json(one) for one in document["proofs"]]
    for one in proofs:
        one.verify(world.genesis.chain_id, world.genesis.validators)
    assert [one.key.decode() for one in proofs] == keys
    assert [one.value is None for one in proofs] == [False, True, False]
    assert {one.header for one in proofs} == {world.chain.blocks[-1].block.header}
    binary = await client.get("/v1/proofs", params={"keys": json.dumps(keys)}, headers=MSGPACK)
    assert [CertifiedValue.decode(one) for one in msgpack.unpackb(binary.content)] == proofs


@scenario()
async def test_keys_that_are_no_list_of_keys_are_refused(world: World, client: httpx.AsyncClient) -> None:
    await world.commit(world.profile())
    for keys in ("", "x", "[]", "{}", "[1]", '["x"', json.dumps(["x"] * 257)):
        response = await client.get("/v1/proofs", params={"keys": keys})
        assert (response.status_code, response.json()["code"]) == (400, "invalid_parameter"), keys


@scenario(settings=Settings(limits=Limits(response_bytes=3_000)))
async def test_proofs_that_are_too_large_together_are_refused(world: World, client: httpx.AsyncClient) -> None:
    await world.commit(world.profile())
    response = await client.get("/v1/proofs", params={"keys": json.dumps(["membership/members"] * 9)})
    assert (response.status_code, response.json()["code"]) == (422, "too_many_rows")


@scenario()
async def test_a_state_value_without_proof(world: World, client: httpx.AsyncClient) -> None:
    response = await client.get("/v1/state/membership/member/bank-a")
    assert response.json()["value"]["role"] == "bank"
    assert (response.json()["height"], response.headers["Coseal-Height"]) == (0, "0")
    assert (await client.get("/v1/state/membership/nothing")).json()["present"] is False
    response = await client.get("/v1/state/membership/member/bank-a?proof=true")
    assert (response.status_code, response.json()["code"]) == (503, "unavailable"), "genesis has no certificate"


@scenario()
async def test_keys_with_slashes_and_signs_reach_the_state_as_they_are(world: World, client: httpx.AsyncClient) -> None:
    response = await client.get("/v1/state/policy/instrument/cn%2Fa%2F%E4%B8%80%20b?proof=false")
    assert response.json()["key"] == "policy/instrument/cn/a/一 b"


@scenario()
async def test_members_and_validators(world: World, client: httpx.AsyncClient) -> None:
    await world.commit()
    members = (await client.get("/v1/members")).json()
    assert [member["id"] for member in members["members"]] == sorted(MEMBERS)
    assert (await client.get("/v1/members/bank-a")).json()["member"]["operators"][0]["user"] == "admin"
    assert (await client.get("/v1/members/nobody")).json()["code"] == "unknown_member"
    for query, height in (("", 2), ("?height=1", 1), ("?height=2", 2)):
        found = (await client.get(f"/v1/validators{query}")).json()
        assert (found["height"], found["quorum"], found["hash"]) == (height, 3, world.genesis.validators.hash.hex())
    assert (await client.get("/v1/validators?height=3")).json()["code"] == "unknown_height"


@scenario(settings=Settings(limits=Limits(wait_seconds=1)))
async def test_a_read_waits_for_the_height_it_asks_for(world: World, client: httpx.AsyncClient) -> None:
    waiting = asyncio.create_task(client.get("/v1/members?min_height=1"))
    await asyncio.sleep(0.02)
    assert not waiting.done()
    await world.commit()
    assert (await waiting).json()["height"] == 1
    response = await client.get("/v1/members?min_height=2")
    assert (response.status_code, response.json()["code"]) == (503, "height_not_reached")
    assert "Retry-After" in response.headers


@scenario(settings=Settings(limits=Limits(wait_seconds=1)))
async def test_a_consistent_read_covers_what_a_quorum_has(world: World, client: httpx.AsyncClient) -> None:
    world.claims = 2
    waiting = asyncio.create_task(client.get("/v1/members?consistent=true"))
    await world.commit()
    await asyncio.sleep(0.02)
    assert not waiting.done()
    await world.commit()
    assert (await waiting).json()["height"] == 2
    world.claims = None
    response = await client.get("/v1/members?consistent=true")
    assert (response.status_code, response.json()["code"]) == (503, "unavailable")


@scenario()
async def test_status_health_and_readiness_say_what_is(world: World, client: httpx.AsyncClient) -> None:
    await world.commit()
    status = (await client.get("/v1/status")).json()
    assert status["member"] == "enterprise-a"
    assert (status["height"], status["quorum"], status["time"]) == (1, 3, "2023-11-14T22:13:21.000Z")
    assert status["clock_ms"] == world.now_ms()
    assert status["peers"] == [{"node": "bank-a", "validator": True, "connected": True, "height": 1, "age_ms": 12}]
    assert set(status) >= {"chain_id", "block_hash", "state_root", "mempool", "index", "why_stalled", "round", "leader"}
    assert (await client.get("/healthz")).status_code == 200
    assert (await client.get("/readyz")).status_code == 200
    world.stalled, world.syncing = "2 of 3 validators needed for a quorum are reachable", True
    response = await client.get("/healthz")
    assert (response.status_code, response.json()["why_stalled"]) == (503, world.stalled)
    assert (await client.get("/readyz")).status_code == 503


@scenario()
async def test_metrics_count_requests_by_route(world: World, client: httpx.AsyncClient) -> None:
    await client.get("/v1/blocks/1")
    await client.get("/v1/blocks/2")
    await client.get("/v1/nothing")
    text = (await client.get("/metrics")).text
    assert 'coseal_http_requests_total{method="GET",route="/v1/blocks/{height}",status="404"} 2.0' in text
    assert 'coseal_http_requests_total{method="GET",route="other",status="404"} 1.0' in text


def hold_snapshot(world: World) -> Manifest:
    """Let the node have a snapshot of its tip."""
    bits = world.genesis.parameters.state_bits
    store = MemoryStore(bits)
    executor = Executor(world.genesis, new_state(world.genesis, store))
    for committed in world.chain.blocks:
        outcome = executor.execute_block(committed.block)
        assert isinstance(outcome, Outcome)
        executor.commit(outcome)
        store.write(outcome.change.entries)
        executor.state.flushed(outcome.change)
    entries = sorted(entry for index in range(1 << bits) for entry in store.bucket(index))
    depth = depth_for(entries, bits)
    chunks = list(cut(entries, bits, depth))
    tip = world.chain.blocks[-1]
    manifest = Manifest(tip.block.header, tip.certificate, bits, depth, b"".join(value for _, value in chunks))
    world.held = (manifest, [*(chunk for chunk, _ in chunks), tip.encode()])
    return manifest


@scenario()
async def test_a_snapshot_is_given_in_items_that_prove_themselves(world: World, client: httpx.AsyncClient) -> None:
    await world.commit(world.profile("1"))
    assert (await client.get("/v1/snapshot")).json()["code"] == "no_snapshot"
    held = hold_snapshot(world)
    document = (await client.get("/v1/snapshot")).json()
    assert (document["height"], document["chunks"], document["block_hash"]) == (1, 1, held.header.hash.hex())
    manifest = Manifest.decode((await client.get("/v1/snapshot", headers=MSGPACK)).content)
    assert manifest == held
    for item in range(manifest.chunks + 1):
        manifest.check(item, (await client.get(f"/v1/snapshot/1/{item}")).content)
    assert (await client.get(f"/v1/snapshot/1/{manifest.chunks + 1}")).status_code == 404
    assert (await client.get("/v1/snapshot/9/0")).status_code == 404


@scenario()
async def test_a_pruned_block_is_gone_and_its_header_is_not(world: World, client: httpx.AsyncClient) -> None:
    for number in range(5):
        await world.commit(world.profile(str(number)))
    world.first_height, world.recent = 4, 1
    for path in ("/v1/blocks/2", "/v1/blocks?from=1", "/v1/stream?from=3"):
        response = await client.get(path)
        problem = response.json()
        assert (response.status_code, problem["code"], problem["first_height"]) == (410, "pruned", 4)
    assert (await client.get("/v1/blocks/4")).status_code == 200
    assert (await client.get("/v1/status")).json()["first_height"] == 4
    headers = (await client.get("/v1/headers?from=1")).json()["headers"]
    assert [head["header"]["height"] for head in headers] == [1, 2, 3, 4, 5]
    assert (await client.get("/v1/validators?height=2")).status_code == 200
