"""Nodes fail, lag and lie; a transaction is carried out once, and what is believed was verified."""

from __future__ import annotations

import httpx
import pytest

from coseal.client import recording, session
from coseal.client.blocking import Client
from coseal.errors import Busy, FalseAnswer, NotCommitted, Refused, Unreachable
from coseal.ledger.transaction import Transaction
from tests.coseal.conftest import FakeNode
from tests.coseal.hosts import Hosts, changed
from tests.support.keys import signer

PROFILE = ("membership", "set_profile", {"name": "E"})
URLS = ["http://a.test", "http://b.test/v1/"]


@pytest.fixture(autouse=True)
def _no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    for module, name in ((session, "_BUSY_PAUSE_S"), (session, "_POLL_S"), (recording, "_POLL_S")):
        monkeypatch.setattr(module, name, 0)


@pytest.fixture
def hosts(node: FakeNode) -> Hosts:
    return Hosts(node)


def client_of(hosts: Hosts, urls: list[str] | str = URLS, who: str = "enterprise-a/admin") -> Client:
    return Client(urls, hosts.node.genesis, signer=signer(who), sender=who, transport=hosts)


def test_the_next_node_is_asked_when_one_is_down_and_stays_the_one_asked(hosts: Hosts) -> None:
    hosts.down.add("a.test")
    with client_of(hosts) as client:
        assert client.submit(*PROFILE).ok
        assert client.url == "http://b.test"
        assert client.value("membership/member/regulator")["role"] == "government"
    assert hosts.asked.count("a.test") == 1


def test_nothing_was_sent_where_no_node_could_be_reached(hosts: Hosts) -> None:
    hosts.down |= {"a.test", "b.test"}
    with client_of(hosts) as client, pytest.raises(Unreachable, match="cannot be reached") as caught:
        client.submit(*PROFILE)
    assert not isinstance(caught.value, NotCommitted)
    assert not caught.value.sent
    assert hosts.asked == ["a.test", "b.test"]


def test_a_lost_answer_is_asked_for_again_with_the_same_bytes(hosts: Hosts) -> None:
    hosts.eats = 3
    with client_of(hosts) as client:
        committed = client.submit(*PROFILE)
    assert {transaction.id for transaction in hosts.node.posted[1:]} == {committed.transaction.id}
    assert len(hosts.node.posted) == 5
    assert len(hosts.node.blocks) == 2


def test_a_commit_that_is_not_seen_in_time_can_be_waited_for_later(hosts: Hosts) -> None:
    hosts.slow |= {"a.test", "b.test"}
    with client_of(hosts) as client:
        with pytest.raises(NotCommitted, match="may still be committed") as caught:
            client.submit(*PROFILE, timeout_s=0)
        hosts.slow.clear()
        kept = Transaction.decode(caught.value.transaction.raw)
        assert client.commit(kept).transaction.id == kept.id


def test_what_expired_on_the_way_is_refused_only_if_it_is_nowhere(hosts: Hosts) -> None:
    with client_of(hosts) as client:
        transaction = client.sign(*PROFILE, valid_for_ms=-400_000)
        hosts.eats = 1
        with pytest.raises(Refused) as caught:
            client.commit(transaction)
        assert caught.value.code == "expired"


def test_what_a_node_calls_expired_may_have_been_committed_through_another(hosts: Hosts) -> None:
    with client_of(hosts) as client:
        transaction = client.sign(*PROFILE)
        height = client.commit(transaction).height
        answer, calls = hosts.node.handle_request, iter([True])

        def late(request: httpx.Request) -> httpx.Response:
            if request.method == "POST" and next(calls, False):
                return httpx.Response(422, json={"code": "expired", "detail": "valid until then"})
            return answer(request)

        hosts.node.handle_request = late
        assert client.commit(transaction).height == height


def test_a_node_that_lies_in_a_receipt_is_passed_over_and_named(hosts: Hosts) -> None:
    hosts.lies["a.test"] = changed("/receipt", lambda document: {**document, "index": 1})
    with client_of(hosts) as client:
        assert client.submit(*PROFILE).ok
        assert list(client.distrusted) == ["http://a.test"]
        assert "receipt that does not hold" in client.distrusted["http://a.test"]
        assert client.url == "http://b.test"
    assert len(hosts.node.blocks) == 2


def test_where_every_node_lies_the_lie_is_the_answer(hosts: Hosts) -> None:
    for host in ("a.test", "b.test"):
        hosts.lies[host] = changed("/receipt", lambda document: {**document, "index": 1})
    with client_of(hosts) as client, pytest.raises(FalseAnswer, match="ask another node, and tell the member"):
        client.submit(*PROFILE)


def test_a_node_that_says_committed_without_a_receipt_is_not_believed(hosts: Hosts, monkeypatch) -> None:
    monkeypatch.setattr(session, "_RECEIPT_TIMEOUT_S", 0)
    claim = {"status": "committed", "height": 9}
    hosts.node.lose = {2}
    hosts.lies["a.test"] = changed("/v1/transactions", lambda document: {**document, **claim})
    with client_of(hosts, "http://a.test") as client, pytest.raises(NotCommitted, match="not seen committed"):
        client.submit(*PROFILE, timeout_s=-1)


def test_a_busy_node_is_told_from_one_that_is_not_there(hosts: Hosts) -> None:
    hosts.node.busy = 10**9
    with client_of(hosts) as client, pytest.raises(Busy, match="mempool_full"):
        client.submit(*PROFILE, timeout_s=0)


def test_reads_never_go_back_behind_what_was_seen(hosts: Hosts) -> None:
    seen: list[str] = []
    with client_of(hosts) as client:
        height = client.submit(*PROFILE).height
        answer = hosts.node.handle_request
        hosts.node.handle_request = lambda request: (seen.append(str(request.url)), answer(request))[1]
        client.value("membership/members")
    assert f"min_height={height}" in seen[0]


def test_answers_that_are_no_json_of_ours_are_bad_answers(hosts: Hosts) -> None:
    hosts.lies["a.test"] = lambda path, content: b"[" * 100_000
    with client_of(hosts, "http://a.test") as client, pytest.raises(Exception, match="without a JSON object"):
        client.get("/v1/status")
