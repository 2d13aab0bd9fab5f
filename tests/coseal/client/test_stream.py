"""The stream: every block once, verified, from whichever node has it."""

from __future__ import annotations

import itertools

import httpx
import pytest

from coseal.client import stream
from coseal.client.blocking import Client
from coseal.client.stream import Follower
from coseal.errors import CosealError, FalseAnswer, Refused, Unreachable
from coseal.ledger.block import CommittedBlock
from coseal.ledger.codec import decode, encode
from tests.coseal.conftest import FakeNode
from tests.coseal.hosts import Hosts

URLS = ["http://a.test", "http://b.test"]


@pytest.fixture
def hosts(node: FakeNode, monkeypatch: pytest.MonkeyPatch) -> Hosts:
    """A node with a chain of six blocks, of one transaction each."""
    monkeypatch.setattr(stream, "_PAUSE_S", 0)
    with node.client("bank-a") as client:
        for number in range(5):
            client.submit("membership", "set_profile", {"description": str(number)})
    return Hosts(node)


@pytest.fixture
def client(hosts: Hosts) -> Client:
    return Client(URLS, hosts.node.genesis, transport=hosts)


def height_of(raw: bytes) -> int:
    return CommittedBlock.decode(raw).block.header.height


def unsigned(raw: bytes) -> bytes:
    """The same record with one bit of its commit certificate's last signature changed."""
    certificate = CommittedBlock.decode(raw).certificate.encode()
    return raw.replace(certificate, certificate[:-1] + bytes([certificate[-1] ^ 1]))


def ids(client: Client, **options) -> list[str]:
    return [event.id for event in client.stream(follow=False, **options)]


def test_every_event_comes_once_in_order_to_the_tip(client: Client) -> None:
    assert ids(client, start=1) == ["1:0", "2:0", "3:0", "4:0", "5:0", "6:0"]
    assert ids(client, start=1, contract="policy") == []
    assert ids(client, start=1, kind="finding") == []
    assert ids(client, start=5, contract="membership", kind="transaction") == ["5:0", "6:0"]


def test_it_resumes_after_any_event(client: Client) -> None:
    whole = ids(client, start=1)
    for position, last in enumerate(whole):
        assert ids(client, after=last) == whole[position + 1 :]


def test_without_a_place_it_begins_with_what_comes_next(client: Client, hosts: Hosts) -> None:
    events = client.stream()
    follower = Follower(client.session)
    assert client.run(follower.more()) == []
    with hosts.node.client("bank-a") as writer:
        writer.submit("membership", "set_profile", {"description": "new"})
    assert [event.data["args"] for event in client.run(follower.more())] == [{"description": "new"}]
    assert not follower.done
    events.close()


def test_another_node_goes_on_where_one_fails(client: Client, hosts: Hosts) -> None:
    events = client.stream(start=1, follow=False)
    first = [next(events)]
    hosts.down.add("a.test")
    assert [event.id for event in itertools.chain(first, events)] == ids(client, start=1)


def test_a_node_that_changes_a_block_is_passed_over_and_what_came_before_is_kept(client: Client, hosts: Hosts) -> None:
    def lie(path: str, content: bytes) -> bytes:
        if path != "/v1/blocks":
            return content
        return encode([raw if height_of(raw) != 3 else raw[:-1] + b"\0" for raw in decode(content)])

    hosts.lies["a.test"] = lie
    assert ids(client, start=1) == ["1:0", "2:0", "3:0", "4:0", "5:0", "6:0"]
    assert list(client.distrusted) == ["http://a.test"]


def test_a_block_without_its_quorums_signatures_is_found_out(client: Client, hosts: Hosts) -> None:
    def lie(path: str, content: bytes) -> bytes:
        if path != "/v1/blocks":
            return content
        return encode([unsigned(raw) if height_of(raw) == 3 else raw for raw in decode(content)])

    hosts.lies |= {"a.test": lie, "b.test": lie}
    with pytest.raises(FalseAnswer, match="signature"):
        ids(client, start=2)


def test_a_certified_block_of_another_history_is_no_next_block(client: Client, hosts: Hosts) -> None:
    other = FakeNode()
    with other.client("central-bank") as writer:
        for number in range(4):
            writer.submit("membership", "set_profile", {"description": f"other {number}"})

    def lie(path: str, content: bytes) -> bytes:
        blocks = decode(content) if path == "/v1/blocks" else []
        return encode([other.blocks[3].encode() if height_of(raw) == 4 else raw for raw in blocks]) or content

    hosts.lies |= {"a.test": lie, "b.test": lie}
    events = client.stream(start=1)
    assert [next(events).id for _ in range(3)] == ["1:0", "2:0", "3:0"]
    with pytest.raises(FalseAnswer, match="another block than the next, 4"):
        next(events)


@pytest.mark.parametrize(
    ("status", "content"),
    [
        (500, b'{"code": "internal_error", "detail": "see the log"}'),
        (502, b"<html>Bad Gateway</html>"),
        (410, b'{"code": "pruned", "detail": "not kept here"}'),
    ],
)
def test_a_node_that_cannot_is_passed_over(client: Client, hosts: Hosts, status: int, content: bytes) -> None:
    answer = hosts.handle_request

    def cannot(request: httpx.Request) -> httpx.Response:
        if request.url.host == "a.test" and request.url.path == "/v1/blocks":
            hosts.asked.append("a.test")
            return httpx.Response(status, content=content)
        return answer(request)

    hosts.handle_request = cannot
    assert ids(client, start=1) == ["1:0", "2:0", "3:0", "4:0", "5:0", "6:0"]
    assert "a.test" in hosts.asked
    assert client.distrusted == {}


def test_what_no_node_keeps_is_refused_with_what_the_last_one_said(client: Client, hosts: Hosts) -> None:
    def pruned(request: httpx.Request) -> httpx.Response:
        if request.url.path != "/v1/blocks":
            return hosts.node.handle_request(request)
        return httpx.Response(410, content=b'{"code": "pruned", "detail": "the first is 9"}')

    hosts.handle_request = pruned
    with pytest.raises(Refused, match="pruned: the first is 9"):
        ids(client, start=1)


@pytest.mark.parametrize("drop", [1, 4])
def test_a_node_that_leaves_a_block_out_is_found_out(client: Client, hosts: Hosts, drop: int) -> None:
    def lie(path: str, content: bytes) -> bytes:
        if path != "/v1/blocks":
            return content
        return encode([raw for raw in decode(content) if height_of(raw) != drop])

    hosts.lies |= {"a.test": lie, "b.test": lie}
    with pytest.raises(FalseAnswer, match="another block than the next"):
        ids(client, start=1)
    assert len(client.distrusted) == 2


def test_it_gives_up_after_a_while_without_any_node_and_can_be_asked_again(client: Client, hosts: Hosts) -> None:
    follower = Follower(client.session, start=1, patience_s=0)
    hosts.down |= {"a.test", "b.test"}
    with pytest.raises(Unreachable):
        client.run(follower.more())
    hosts.down.clear()
    assert [event.id for event in client.run(follower.more())][:2] == ["1:0", "2:0"]


@pytest.mark.parametrize("options", [{"after": "x"}, {"after": "1:2:3:4"}, {"kind": "cat"}, {"start": -1}])
def test_a_place_that_is_none_is_refused_before_any_node_is_asked(client: Client, hosts: Hosts, options) -> None:
    with pytest.raises(CosealError):
        ids(client, **options)
    assert hosts.asked == []
