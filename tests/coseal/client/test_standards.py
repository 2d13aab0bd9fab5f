"""Standards through the library: both clients say and believe the same, and what is proven is proven."""

from __future__ import annotations

import asyncio
import inspect
from fractions import Fraction
from typing import Any

import httpx
import pytest

from coseal.audit.verify import verify_document
from coseal.client.asynchronous import AsyncClient
from coseal.client.blocking import Client
from coseal.client.standards import Standards
from coseal.contracts.registry import CONTRACTS
from coseal.errors import BadAnswer
from tests.support.keys import signer
from tests.support.standards import FORMAT, LOANS, competing

FORMATS = {name: FORMAT[name] for name in ("kind", "domain", "title", "content")}


class Awaited(httpx.AsyncBaseTransport):
    """A node of tests for an asynchronous client."""

    def __init__(self, node: Any) -> None:
        self.node = node

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        return self.node.handle_request(request)


def asynchronous(node: Any, member: str) -> AsyncClient:
    sender = f"{member}/admin"
    return AsyncClient("http://node.test", node.genesis, signer=signer(sender), sender=sender, transport=Awaited(node))


def reading(node: Any) -> Client:
    return Client("http://node.test", node.genesis, transport=node)


def adopted(node: Any) -> Any:
    scene = competing(node.chain)
    scene.propose("s", "loans")
    scene.propose("t", "credits")
    for member, _ in LOANS:
        scene.ok(member, "adopt", standard="s", version=1)
    return scene


def de_facto(node: Any) -> Any:
    scene = adopted(node)
    scene.close()
    scene.periods(*LOANS)
    return scene


def test_a_standard_is_shown_with_its_conditions_and_what_may_be_done_next(node):
    de_facto(node)
    with node.client("regulator") as client:
        found = client.standards.show("s")
        assert (found["version"], found["status"], Fraction(*found["mean"])) == (1, "de_facto", Fraction(1))
        assert (found["acts"], found["adoption"]) == (["adopt", "try", "recognise"], None)
        assert found["height"] == len(node.blocks)
    with node.client("central-bank") as client:
        assert client.standards.show("s", 1)["adoption"]["mode"] == "adopted"
    with reading(node) as client:
        assert "acts" not in client.standards.show("s", 1)
        with pytest.raises(BadAnswer, match="there is no standard nothing"):
            client.standards.show("nothing")
        with pytest.raises(BadAnswer, match="there is no standard s 2"):
            client.standards.show("s", 2)


def test_all_adopters_are_proven_also_those_on_other_pages(node, monkeypatch):
    monkeypatch.setattr("coseal.contracts.standards.series.PAGE_MEMBERS", 2)
    de_facto(node)
    with reading(node) as client:
        found = client.standards.adopters("s")
        assert [one["member"] for one in found] == [member for member, _ in LOANS]
        assert {(one["mode"], one["until_ms"]) for one in found} == {("adopted", None)}
        assert client.standards.adopters("t") == []
        with pytest.raises(BadAnswer, match="no standard s 7"):
            client.standards.adopters("s", 7)


def test_a_domain_is_shown_with_all_that_competes_in_it(node):
    de_facto(node)
    with reading(node) as client:
        found = client.standards.domain("lending")
        assert [(one["standard"], one["status"]) for one in found["versions"]] == [("s", "de_facto"), ("t", "proposed")]
        assert found["active"]["bank"] == 2
        assert client.standards.domain("nothing")["versions"] == []


def test_the_record_of_a_version_becomes_a_file_that_verifies_without_a_node(node):
    de_facto(node)
    with reading(node) as client:
        assert verify_document(client.standards.proof("s"), node.genesis).ok


def test_members_act_by_methods_and_a_refusal_is_in_the_receipt(node):
    with node.client("bank-a") as bank, node.client("regulator") as regulator:
        bank.standards.propose("f", 1, **FORMATS).require_ok()
        regulator.standards.try_("f", 1).require_ok()
        regulator.standards.adopt("f", 1, effective_ms=node.chain.now_ms + 5_000).require_ok()
        assert regulator.standards.dispute("f", 1, "patent", "Whose is it?").receipt.code == "not_party"
        refused = regulator.standards.recognise("f", 1, level="reference", instrument="cn/1")
        assert refused.receipt.code == "not_de_facto"
        regulator.standards.end_adoption("f", 1, "Enough").require_ok()
        bank.standards.propose("g", 1, **FORMATS).require_ok()
        bank.standards.supersede("f", 1, ("g", 1), notice_ms=30 * 86_400_000, reason="g is better").require_ok()
        assert bank.standards.show("f")["successor"] == ["g", 1]


def test_both_clients_do_the_same(node):
    scene = adopted(node)

    async def play() -> tuple[Any, ...]:
        async with asynchronous(node, "central-bank") as client:
            committed = await client.standards.dispute("s", 1, "ambiguity", "Is a renewal a loan?")
            committed.require_ok()
            return await client.standards.show("s"), await client.standards.adopters("s")

    shown, adopters = asyncio.run(play())
    with node.client("central-bank") as client:
        assert shown == client.standards.show("s")
        assert adopters == client.standards.adopters("s")
    assert "dispute" not in shown["acts"]
    assert scene.chain.get("standards/dispute/s/1/central-bank")["status"] == "open"


def test_there_is_a_method_for_each_action_of_the_contract():
    methods = {name.rstrip("_") for name, _ in inspect.getmembers(Standards, inspect.isfunction)}
    assert set(CONTRACTS["standards"].actions) <= methods
