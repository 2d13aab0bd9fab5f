from __future__ import annotations

import asyncio
import base64
from typing import Any

import httpx
import msgpack
import pytest

from coseal.contracts.kernel.action import Rejected
from coseal.contracts.kernel.budget import least_steps
from coseal.ledger.proof import TransactionProof
from coseal.ledger.render import proof_from_json, transaction_json
from coseal.ledger.transaction import MAX_TRANSACTION_BYTES
from coseal.node.http.context import Settings
from coseal.node.http.limits import Limits
from tests.node.http.world import World, scenario
from tests.support.keys import operator

MSGPACK = {"Content-Type": "application/msgpack"}


async def post(client: httpx.AsyncClient, raw: bytes, wait: str = "commit") -> httpx.Response:
    return await client.post(f"/v1/transactions?wait={wait}", content=raw, headers=MSGPACK)


@scenario()
async def test_a_transaction_in_binary_is_committed_with_its_receipt(world: World, client: httpx.AsyncClient) -> None:
    tx = world.profile()
    response = await post(client, tx.raw)
    assert response.status_code == 200
    assert response.headers["Coseal-Height"] == "1"
    document = response.json()
    assert document["receipt"].pop("data")["profile"] == {"description": "hello"}
    assert document["receipt"].pop("steps") >= least_steps(len(tx.raw))
    assert document == {
        "id": tx.id.hex(),
        "status": "committed",
        "height": 1,
        "index": 0,
        "receipt": {"tx_id": tx.id.hex(), "ok": True, "code": "ok", "detail": ""},
    }


@scenario()
async def test_a_transaction_as_json_is_the_same_transaction(world: World, client: httpx.AsyncClient) -> None:
    tx = world.profile()
    document = transaction_json(tx)
    del document["raw"]
    response = await client.post("/v1/transactions?wait=commit", json=document)
    assert (response.status_code, response.json()["id"]) == (200, tx.id.hex())


@scenario()
async def test_a_json_transaction_that_differs_from_its_raw_form_is_refused(
    world: World, client: httpx.AsyncClient
) -> None:
    response = await client.post(
        "/v1/transactions", json=transaction_json(world.profile()) | {"sender": "bank-a/admin"}
    )
    assert (response.status_code, response.json()["code"]) == (400, "malformed")
    assert world.height == 0


@scenario()
async def test_a_rejection_by_the_contract_is_an_answer_and_not_an_error(
    world: World, client: httpx.AsyncClient
) -> None:
    response = await post(client, world.sign("membership.remove_operator", {"user": "nobody"}).raw)
    assert response.status_code == 200
    assert (response.json()["status"], response.json()["receipt"]["code"]) == ("rejected", "unknown_operator")


@scenario(auto=False)
async def test_accepted_is_202_and_sending_again_gives_the_status_it_has_by_then(
    world: World, client: httpx.AsyncClient
) -> None:
    tx = world.profile()
    expected = {"id": tx.id.hex(), "status": "accepted", "height": None, "index": None, "receipt": None}
    for _ in range(2):
        response = await post(client, tx.raw, "accepted")
        assert (response.status_code, response.json()) == (202, expected)
    assert (await client.get(f"/v1/transactions/{tx.id.hex()}")).json() == expected
    await world.commit()
    for wait in ("accepted", "commit"):
        response = await post(client, tx.raw, wait)
        assert (response.status_code, response.json()["status"], response.json()["height"]) == (200, "committed", 1)
    assert world.height == 1


@scenario(auto=False)
async def test_waiting_for_the_commit_ends_when_the_transaction_is_dropped(
    world: World, client: httpx.AsyncClient
) -> None:
    tx = world.profile()
    waiting = asyncio.create_task(post(client, tx.raw))
    while tx.id not in world.pool:
        await asyncio.sleep(0)
    await world.drop(tx.id, Rejected("expired", "sign it anew"))
    response = await waiting
    assert (response.status_code, response.json()["code"], response.json()["id"]) == (422, "expired", tx.id.hex())


@scenario(auto=False, settings=Settings(limits=Limits(wait_seconds=0.05)))
async def test_waiting_for_the_commit_ends_with_202_and_the_id(world: World, client: httpx.AsyncClient) -> None:
    tx = world.profile()
    response = await post(client, tx.raw)
    assert (response.status_code, response.json()["status"], response.json()["id"]) == (202, "accepted", tx.id.hex())


REFUSED: dict[str, tuple[dict[str, Any], int, str]] = {
    "another chain": ({"chain_id": bytes(32)}, 422, "wrong_chain"),
    "an unknown member": ({"sender": "nobody"}, 422, "unknown_sender"),
    "expired": ({"valid_until_ms": 5}, 422, "expired"),
    "valid for too long": ({"valid_until_ms": 2**62}, 422, "too_far"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_a_transaction_that_can_never_be_in_a_block_is_a_problem(case: str, tmp_path: Any) -> None:
    changes, status, code = REFUSED[case]

    @scenario()
    async def refused(world: World, client: httpx.AsyncClient) -> None:
        response = await post(client, world.profile(**changes).raw)
        assert (response.status_code, response.json()["code"]) == (status, code)
        assert response.headers["Content-Type"] == "application/problem+json"
        assert world.height == 0

    refused(tmp_path)


@scenario()
async def test_a_bad_signature_is_refused_and_nothing_is_recorded(world: World, client: httpx.AsyncClient) -> None:
    raw = bytearray(world.profile().raw)
    raw[-1] ^= 1
    response = await post(client, bytes(raw))
    assert (response.status_code, response.json()["code"], world.height) == (400, "bad_signature", 0)


@scenario()
async def test_bytes_that_are_no_transaction_are_malformed(world: World, client: httpx.AsyncClient) -> None:
    for raw in (b"", b"\x00", b"\xc1", world.profile().raw + b"\x00"):
        response = await post(client, raw)
        assert (response.status_code, response.json()["code"]) == (400, "malformed")


@scenario()
async def test_a_transaction_beyond_its_limit_is_too_large(world: World, client: httpx.AsyncClient) -> None:
    for size, answer in (
        (MAX_TRANSACTION_BYTES, (400, "malformed")),
        (MAX_TRANSACTION_BYTES + 1, (413, "too_large")),
    ):
        response = await post(client, bytes(size))
        assert (response.status_code, response.json()["code"]) == answer


@scenario()
async def test_other_media_types_and_parameters_are_refused(world: World, client: httpx.AsyncClient) -> None:
    raw = world.profile().raw
    response = await client.post("/v1/transactions", content=raw, headers={"Content-Type": "text/plain"})
    assert (response.status_code, response.json()["code"]) == (415, "unsupported_media_type")
    for query in ("wait=forever", "wait=commit&wait=commit", "weight=commit"):
        response = await client.post(f"/v1/transactions?{query}", content=raw, headers=MSGPACK)
        assert (response.status_code, response.json()["code"]) == (400, "invalid_parameter")
    response = await client.get("/v1/transactions")
    assert (response.status_code, response.headers["Allow"]) == (405, "POST")


@scenario(auto=False)
async def test_a_full_mempool_is_503_with_retry_after(world: World, client: httpx.AsyncClient) -> None:
    world.pool_limit = 0
    response = await post(client, world.profile().raw)
    assert (response.status_code, response.json()["code"]) == (503, "mempool_full")
    assert int(response.headers["Retry-After"]) >= 1
    many = msgpack.packb([world.profile().raw, world.profile().raw])
    response = await client.post("/v1/transactions/batch", content=many, headers=MSGPACK)
    assert (response.status_code, response.json()["code"]) == (503, "mempool_full")
    assert "Retry-After" in response.headers


@scenario()
async def test_a_batch_answers_each_in_order(world: World, client: httpx.AsyncClient) -> None:
    good, wrong, other = world.profile("1"), world.profile(chain_id=bytes(32)), world.profile("2")
    body = msgpack.packb([good.raw, b"\x00", wrong.raw, other.raw, good.raw])
    response = await client.post("/v1/transactions/batch?wait=commit", content=body, headers=MSGPACK)
    assert response.status_code == 200
    results = response.json()["results"]
    assert [result["status"] for result in results] == ["committed", "refused", "refused", "committed", "committed"]
    assert [result.get("code") for result in results[1:3]] == ["malformed", "wrong_chain"]
    assert [result["id"] for result in results] == [tx and tx.id.hex() for tx in (good, None, wrong, other, good)]
    assert world.height == 1


@scenario()
async def test_a_batch_as_json_holds_raw_forms_or_fields(world: World, client: httpx.AsyncClient) -> None:
    one, two = world.profile("1"), transaction_json(world.profile("2"))
    body = [{"raw": transaction_json(one)["raw"]}, {name: two[name] for name in two if name != "raw"}]
    response = await client.post("/v1/transactions/batch?wait=commit", json=body)
    assert [result["status"] for result in response.json()["results"]] == ["committed", "committed"]


@scenario(settings=Settings(limits=Limits(batch_transactions=3)))
async def test_a_batch_that_is_no_bounded_list_of_bytes_is_malformed(world: World, client: httpx.AsyncClient) -> None:
    raw = world.profile().raw
    for body in (
        b"",
        msgpack.packb([]),
        msgpack.packb([raw] * 4),
        msgpack.packb([raw, "text"]),
        msgpack.packb([[raw]]),
        msgpack.packb({"a": raw}),
        msgpack.packb([raw]) + b"\x00",
        b"\xdd\xff\xff\xff\xff",
        b"\x92\xc6\xff\xff\xff\xff\x00",
    ):
        response = await client.post("/v1/transactions/batch", content=body, headers=MSGPACK)
        assert (response.status_code, response.json()["code"]) == (400, "malformed"), body[:20]
    for document in ({}, [1, 2, 3, 4], "x"):
        response = await client.post("/v1/transactions/batch", json=document)
        assert (response.status_code, response.json()["code"]) == (400, "malformed")


@scenario()
async def test_one_item_of_a_batch_that_is_too_large_is_told_of_that_item(
    world: World, client: httpx.AsyncClient
) -> None:
    large, good = bytes(MAX_TRANSACTION_BYTES + 1), [world.profile().raw, world.profile().raw]
    body = msgpack.packb([good[0], large, good[1]])
    results = (await client.post("/v1/transactions/batch?wait=commit", content=body, headers=MSGPACK)).json()["results"]
    assert [result["status"] for result in results] == ["committed", "refused", "committed"]
    assert results[1]["code"] == "too_large"
    document = [{"raw": base64.b64encode(large).decode()}]
    (result,) = (await client.post("/v1/transactions/batch", json=document)).json()["results"]
    assert result["code"] == "too_large"
    response = await client.post("/v1/transactions", json=document[0])
    assert (response.status_code, response.json()["code"]) == (413, "too_large")


@scenario()
async def test_a_receipt_verifies_offline(world: World, client: httpx.AsyncClient) -> None:
    transactions = [world.profile(str(number)) for number in range(5)]
    await world.commit(*transactions)
    for tx in transactions:
        response = await client.get(f"/v1/transactions/{tx.id.hex()}/receipt")
        proof = proof_from_json(response.json())
        verified, receipt = proof.verify(world.genesis.chain_id, world.genesis.validators)
        assert (verified.id, receipt.ok) == (tx.id, True)
        status = (await client.get(f"/v1/transactions/{tx.id.hex()}?proof=true")).json()
        assert status["proof"] == response.json()
        assert status["transaction"]["id"] == tx.id.hex()


@scenario()
async def test_a_proof_is_of_its_own_transaction(world: World, client: httpx.AsyncClient) -> None:
    committed = await world.commit(world.profile("1"), world.profile("2"))
    good = TransactionProof.of(committed, 0)
    swapped = TransactionProof(
        good.transaction,
        good.receipt,
        1,
        good.transaction_path,
        good.receipt_path,
        good.header,
        good.certificate,
    )
    good.verify(world.genesis.chain_id, world.genesis.validators)
    with pytest.raises(Exception, match="path"):
        swapped.verify(world.genesis.chain_id, world.genesis.validators)


@scenario()
async def test_an_old_transaction_is_found_in_the_index_and_an_unknown_one_nowhere(
    world: World, client: httpx.AsyncClient
) -> None:
    tx = world.profile()
    await world.commit(tx)
    world.recent_places, world.recent = False, 0
    assert (await client.get(f"/v1/transactions/{tx.id.hex()}")).json()["height"] == 1
    response = await client.get(f"/v1/transactions/{'00' * 32}")
    assert (response.status_code, response.json()["code"]) == (404, "unknown_transaction")
    for bad in ("00", "zz" * 32, "AA" * 32):
        assert (await client.get(f"/v1/transactions/{bad}")).status_code == 400


@scenario(auto=False)
async def test_a_committed_transaction_sent_after_its_validity_gets_its_status(
    world: World, client: httpx.AsyncClient
) -> None:
    tx = world.profile(valid_until_ms=world.chain.executor.time_ms + 2)
    await world.commit(tx)
    for _ in range(5):
        await world.commit()
    world.recent_places = False
    response = await post(client, tx.raw)
    assert (response.status_code, response.json()["status"], response.json()["height"]) == (200, "committed", 1)
    late = world.profile("late", valid_until_ms=world.chain.executor.time_ms)
    assert (await post(client, late.raw)).json()["code"] == "expired"


@scenario(auto=False)
async def test_a_pending_transaction_has_no_receipt_yet(world: World, client: httpx.AsyncClient) -> None:
    tx = world.profile()
    await post(client, tx.raw, "accepted")
    response = await client.get(f"/v1/transactions/{tx.id.hex()}/receipt")
    assert (response.status_code, response.json()["code"]) == (404, "not_committed")


@scenario()
async def test_signing_with_another_key_than_the_registered_one_is_refused(
    world: World, client: httpx.AsyncClient
) -> None:
    tx = world.sign("membership.set_profile", {"description": "x"}, sender="bank-a")
    forged = world.sign(
        "membership.set_profile", {"description": "x"}, sender="enterprise-a", signer=operator("bank-a")
    )
    assert (await post(client, forged.raw)).json()["code"] == "unknown_sender"
    assert (await post(client, tx.raw)).json()["status"] == "committed"


@scenario()
async def test_what_the_index_knows_beyond_the_log_is_not_shown(world: World, client: httpx.AsyncClient) -> None:
    """A log that lost its damaged last record fetches it again; until then the block is not there."""
    tx = world.profile()
    await world.commit(tx)
    await world.app._context.index_reaches(1)
    world.recent_places = False
    world.chain.blocks.pop()
    assert (await client.get(f"/v1/transactions/{tx.id.hex()}")).json()["code"] == "unknown_transaction"
