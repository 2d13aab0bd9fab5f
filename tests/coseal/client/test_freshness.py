"""What a client proves of the present is never older than what it has proven before, or was asked for."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from coseal.client import roster
from coseal.client.blocking import Client
from coseal.client.history import object_history
from coseal.errors import Busy, FalseAnswer, StaleAnswer
from coseal.ledger.proof import CertifiedValue
from tests.coseal.client.test_history import TYPE, document_of
from tests.coseal.hosts import Hosts
from tests.support.keys import signer

KEY = "membership/operator/regulator/admin"
A, B = "http://a.test", "http://b.test"


class Past(Hosts):
    """Hosts of which some answer what they answered to the same question at first, valid as it was then."""

    def __init__(self, node: Any) -> None:
        super().__init__(node)
        self.living_in_the_past: set[str] = set()
        self.minimums: list[str | None] = []
        self._first: dict[tuple[str, str], httpx.Response] = {}

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        self.minimums.append(request.url.params.get("min_height"))
        place = (request.url.host, request.url.path)
        if request.url.host in self.living_in_the_past and place in self._first:
            old = self._first[place]
            self.asked.append(request.url.host)
            return httpx.Response(old.status_code, content=old.content)
        response = super().handle_request(request)
        self._first.setdefault(place, response)
        return response


@pytest.fixture
def hosts(node: Any) -> Past:
    return Past(node)


def client_of(hosts: Past, *urls: str) -> Client:
    sender = "regulator/admin"
    return Client(urls or [A], hosts.node.genesis, signer=signer(sender), sender=sender, transport=hosts)


def change(client: Client) -> int:
    return client.submit("membership", "set_profile", {"description": "changed"}).require_ok().height


def ask_history(client: Client) -> Any:
    return object_history(client, "t", "o", "a")


QUESTIONS: dict[str, Callable[[Client], Any]] = {
    "state": lambda client: client.state(KEY),
    "value": lambda client: client.value(KEY),
    "values": lambda client: client.values([KEY, "membership/members"]),
    "state document": lambda client: client.state_document(KEY),
    "latest block": lambda client: client.block("latest"),
    "policy": lambda client: client.policy("nothing"),
}


@pytest.mark.parametrize("name", QUESTIONS)
def test_an_answer_older_than_an_own_transaction_is_refused_with_both_heights(hosts: Past, name: str) -> None:
    question, client = QUESTIONS[name], client_of(hosts)
    change(client)
    before = hosts.node.executor.height
    question(client)
    height = change(client)
    hosts.living_in_the_past = {"a.test"}
    with pytest.raises(StaleAnswer, match=f"as of block {before}, though block {height} was asked for"):
        question(client)
    assert list(client.distrusted) == [A]
    assert hosts.minimums[-1] == str(height), "the node was asked to have come as far"


@pytest.mark.parametrize("name", QUESTIONS)
def test_another_node_is_asked_if_there_is_one(hosts: Past, name: str) -> None:
    question, client = QUESTIONS[name], client_of(hosts, A, B)
    change(client)
    question(client)
    change(client)
    hosts.living_in_the_past = {"a.test"}
    assert client.url == A
    question(client)
    assert (list(client.distrusted), client.url) == ([A], B)


def test_min_height_is_compared_also_by_a_client_that_has_seen_nothing(hosts: Past) -> None:
    change(client_of(hosts))
    client_of(hosts).state(KEY)
    height = change(client_of(hosts))
    hosts.living_in_the_past = {"a.test"}
    assert client_of(hosts).state(KEY).header.height == height - 1, "nothing says that there is a newer block"
    with pytest.raises(StaleAnswer, match=f"block {height} was asked for"):
        client_of(hosts).state(KEY, min_height=height)
    with pytest.raises(StaleAnswer):
        client_of(hosts).value(KEY, min_height=height)


def test_a_history_older_than_what_is_known_is_refused(hosts: Past, monkeypatch: pytest.MonkeyPatch) -> None:
    client = client_of(hosts)
    client.submit("process", "define_type", TYPE).require_ok()
    change(client)
    old = document_of(client)
    old |= {"items": [], "count": 0, "height": old["record"]["height"]}
    real = hosts.node.handle_request

    def handle(request: httpx.Request) -> httpx.Response:
        return httpx.Response(200, json=old) if request.url.path.startswith("/v1/objects/") else real(request)

    monkeypatch.setattr(hosts.node, "handle_request", handle)
    _, history = ask_history(client)
    assert (history.items, history.height) == ((), old["height"])
    height = change(client)
    with pytest.raises(StaleAnswer, match=f"the history of a as of block {old['height']}, though block {height}"):
        ask_history(client)


def test_a_list_of_an_older_block_than_is_known_is_refused(hosts: Past, monkeypatch: pytest.MonkeyPatch) -> None:
    client = client_of(hosts)
    height, real = change(client), hosts.node.handle_request
    page = {"height": height, "policies": [{"id": "p"}], "next": None}

    def handle(request: httpx.Request) -> httpx.Response:
        return httpx.Response(200, json=page) if request.url.path == "/v1/policies" else real(request)

    monkeypatch.setattr(hosts.node, "handle_request", handle)
    assert list(client.policies()) == [{"id": "p"}]
    change(client)
    with pytest.raises(StaleAnswer, match="the list of policies as of block"):
        list(client.policies())
    assert hosts.minimums[-1] == str(height + 1)


def test_values_of_two_blocks_are_no_values_of_one(hosts: Past, monkeypatch: pytest.MonkeyPatch) -> None:
    client = client_of(hosts)
    change(client)
    old = client.state(KEY)
    change(client)
    real = hosts.node._proofs

    def mixed(keys: list[str]) -> httpx.Response:
        from coseal.ledger.codec import decode, encode

        rows: Any = decode(real(keys).content)
        return httpx.Response(200, content=encode([rows[0], old.encode()]))

    monkeypatch.setattr(hosts.node, "_proofs", mixed)
    with pytest.raises(FalseAnswer, match="of several blocks"):
        client.values(["membership/members", KEY])


def test_many_values_are_read_again_while_the_chain_grows(hosts: Past, monkeypatch: pytest.MonkeyPatch) -> None:
    client, other = client_of(hosts), client_of(hosts, B)
    change(client)
    keys = [f"policy/instrument/{number:04}" for number in range(300)]
    assert len({one.header.height for one in client.values(keys)}) == 1
    real, grown = hosts.node._proofs, [3]

    def growing(wanted: list[str]) -> httpx.Response:
        response = real(wanted)
        if grown[0]:
            grown[0] -= 1
            change(other)
        return response

    monkeypatch.setattr(hosts.node, "_proofs", growing)
    found = client.values(keys)
    assert [one.key.decode() for one in found] == keys
    assert {one.header.height for one in found} == {hosts.node.executor.height}
    grown[0] = 1_000
    with pytest.raises(Busy, match="the chain grows meanwhile"):
        client.values(keys)


def test_a_node_that_lags_and_says_so_is_not_set_aside(hosts: Past) -> None:
    client = client_of(hosts, A, B)
    change(client)
    hosts.lies["a.test"] = lambda path, content: b'{"code": "height_not_reached"}'
    real = hosts.handle_request

    def lagging(request: httpx.Request) -> httpx.Response:
        response = real(request)
        return httpx.Response(503, content=response.content) if request.url.host == "a.test" else response

    hosts.handle_request = lagging  # type: ignore[method-assign]
    assert client.state(KEY).header.height == client.height
    assert client.distrusted == {}


def test_a_stale_node_is_asked_again_after_a_while_a_false_one_only_when_no_other_is_left(
    hosts: Past, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = client_of(hosts, A, B)
    change(client)
    client.state(KEY)
    change(client)
    hosts.living_in_the_past = {"a.test"}
    client.state(KEY)
    assert list(client.distrusted) == [A]
    began = time.monotonic()
    monkeypatch.setattr(roster.time, "monotonic", lambda: began + roster.STALE_ASIDE_S + 1)
    assert client.distrusted == {}
    hosts.living_in_the_past = set()
    hosts.lies["b.test"] = lambda path, content: b"{}"
    client.state(KEY)
    monkeypatch.setattr(roster.time, "monotonic", lambda: began + 1e9)
    assert (list(client.distrusted), client.url) == ([B], A)
    hosts.down = {"a.test"}
    del hosts.lies["b.test"]
    assert isinstance(client.state(KEY), CertifiedValue), "no other is left"
