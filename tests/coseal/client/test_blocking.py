"""The client believes only what it has verified."""

import asyncio
from collections.abc import AsyncIterator, Iterator

import httpx
import pytest

from coseal.audit.sources import MAX_RESPONSE_BYTES
from coseal.client import blocking as client_module
from coseal.client import session
from coseal.client.asynchronous import AsyncClient
from coseal.client.blocking import Client, state_path
from coseal.errors import BadAnswer, CosealError, Refused, Unreachable

TYPE = {"id": "t", "version": 1, "title": "T", "object_types": {"o": {}}, "event_types": {"e": {}}}


@pytest.fixture(autouse=True)
def _no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(session, "_BUSY_PAUSE_S", 0)
    monkeypatch.setattr(session, "_POLL_S", 0)


def test_a_submission_comes_back_with_its_verified_outcome(node):
    with node.client("bank-a") as client:
        committed = client.submit("process", "define_type", TYPE)
    assert committed.ok
    assert committed.receipt.data["id"] == "t"
    assert committed.transaction.sender == "bank-a/admin"
    assert committed.height == 2
    assert committed.require_ok() is committed


def test_a_rejection_by_the_chain_is_an_outcome_with_its_code(node):
    with node.client() as client:
        committed = client.submit("process", "define_type", {**TYPE, "version": 7})
        assert (committed.ok, committed.receipt.code) == (False, "version")
        with pytest.raises(Refused, match="version: expected version 1"):
            committed.require_ok()


def test_a_refusal_by_the_node_is_typed(node):
    with node.client() as client, pytest.raises(Refused) as caught:
        client.commit(client.sign("process", "define_type", TYPE, valid_for_ms=-400_000))
    assert caught.value.code == "expired"
    assert caught.value.exit_code == 1


def test_sending_again_is_safe(node):
    with node.client() as client:
        transaction = client.sign("process", "define_type", TYPE)
        assert client.commit(transaction).height == client.commit(transaction).height == 2
    assert len(node.blocks) == 2


def test_a_value_is_proven_and_so_is_its_absence(node):
    with node.client() as client:
        client.submit("process", "define_type", TYPE).require_ok()
        assert client.value("process/type/t")["member"] == "enterprise-a"
        assert client.value("process/type/u") is None


def test_a_block_is_certified_and_of_the_height_asked_for(node):
    with node.client() as client:
        assert client.block(1).block.header.height == 1
        node.blocks.insert(0, node.blocks[0])
        with pytest.raises(BadAnswer, match="gave block 1 for 2"):
            client.block(2)


def test_a_tampered_receipt_is_found_out(node):
    def lie(path: str, document: dict) -> dict:
        return {**document, "receipt": {**document["receipt"], "code": "ok", "ok": True}}

    node.tamper = lie
    with node.client() as client, pytest.raises(BadAnswer, match="receipt that does not hold"):
        client.submit("process", "define_type", {**TYPE, "version": 7})


def test_a_tampered_or_exchanged_value_is_found_out(node):
    with node.client() as client:
        client.submit("process", "define_type", TYPE).require_ok()
        node.tamper = lambda key, document: {**document, "value": {"member": "bank-a"}}
        with pytest.raises(BadAnswer, match="state proof that does not hold"):
            client.value("process/type/t")
        other = client.genesis
        kept = {}
        node.tamper = lambda key, document: kept.setdefault("first", document)
        client.value("process/type/t")
        with pytest.raises(BadAnswer, match="proved another key"):
            client.value("membership/members")
        assert client.genesis is other


def test_the_receipt_of_another_transaction_is_found_out(node):
    with node.client() as client:
        first = client.submit("process", "define_type", TYPE)
        kept = {}
        node.tamper = lambda path, document: kept.setdefault("first", document)
        client.receipt(first.transaction.id)
        with pytest.raises(BadAnswer, match="another transaction"):
            client.submit("process", "define_type", {**TYPE, "version": 2})


def test_another_chains_node_is_found_out(node):
    genesis = type(node)().genesis
    raw = genesis.raw.replace(b'"name": "test"', b'"name": "else"')
    stranger = Client("http://node.test", type(genesis).decode(raw), transport=node)
    with pytest.raises(BadAnswer, match="another chain"):
        stranger.block(1)
    stranger.close()


def test_a_node_that_is_not_there_or_talks_nonsense_is_told_from_a_bad_answer(node):
    def refuse(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("refused")

    with Client("http://node.test", node.genesis, transport=httpx.MockTransport(refuse)) as client:
        with pytest.raises(Unreachable, match="cannot be reached") as caught:
            client.get("/v1/status")
        assert caught.value.exit_code == 2
    nonsense = httpx.MockTransport(lambda request: httpx.Response(200, text="hello"))
    with Client("http://node.test", node.genesis, transport=nonsense) as client, pytest.raises(BadAnswer):
        client.get("/v1/status")


def test_a_node_that_stays_busy_is_given_up(node):
    node.busy = 10**9
    with node.client() as client, pytest.raises(Unreachable, match="busy: mempool_full"):
        client.submit("process", "define_type", TYPE, timeout_s=0)


def test_nobody_signs_without_a_key_and_what_has_no_encoding_is_refused(node):
    reader = Client("http://node.test", node.genesis, transport=node)
    with reader, pytest.raises(CosealError, match="no signing identity"):
        reader.sign("process", "define_type", TYPE)
    with node.client() as client, pytest.raises(CosealError, match="cannot be made into a transaction"):
        client.sign("process", "record", {"source": "s", "sequence": 1, "items": [{"rate": 0.5}]})


def test_a_key_with_odd_characters_is_escaped_for_its_route():
    assert state_path("process/object/t/o/50% of #1?") == "/v1/state/process/object/t/o/50%25%20of%20%231%3F"


def endless(size: int) -> Iterator[bytes]:
    while True:
        yield bytes(size)


def test_an_answer_without_end_is_given_up(node):
    asked = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request.url.host)
        return (
            httpx.Response(200, content=endless(1 << 20))
            if request.url.host == "a.test"
            else node.handle_request(request)
        )

    with Client(["http://a.test", "http://b.test"], node.genesis, transport=httpx.MockTransport(answer)) as client:
        assert client.block(1).block.header.height == 1
    assert asked == ["a.test", "b.test"]
    too_large = pytest.raises(Unreachable, match=f"an answer of more than {MAX_RESPONSE_BYTES} bytes")
    with Client("http://a.test", node.genesis, transport=httpx.MockTransport(answer)) as client, too_large:
        client.block(1)


def test_an_answer_that_only_drips_is_given_up(node, monkeypatch: pytest.MonkeyPatch):
    clock = iter(range(0, 10**6, 10))
    monkeypatch.setattr(client_module.time, "monotonic", lambda: float(next(clock)))
    dripping = httpx.MockTransport(lambda request: httpx.Response(200, content=endless(1)))
    too_slow = pytest.raises(Unreachable, match="no whole answer in time")
    with Client("http://a.test", node.genesis, transport=dripping) as client, too_slow:
        client.block(1)


def test_the_asynchronous_client_reads_no_more_either(node):
    async def parts() -> AsyncIterator[bytes]:
        for part in endless(1 << 20):
            yield part

    async def ask() -> None:
        transport = httpx.MockTransport(lambda request: httpx.Response(200, content=parts()))
        async with AsyncClient("http://a.test", node.genesis, transport=transport) as client:
            with pytest.raises(Unreachable, match="an answer of more than"):
                await client.block(1)

    asyncio.run(ask())
