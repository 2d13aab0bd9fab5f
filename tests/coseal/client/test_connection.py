"""Connecting: whose key, which genesis, and is the node of that chain; both clients, and checks without a node."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from pathlib import Path

import pytest

import coseal
from coseal.client import keys, session
from tests.coseal.conftest import FakeNode
from tests.coseal.hosts import Hosts, changed
from tests.support.genesis import make_genesis
from tests.support.keys import seed, signer

URL = "http://a.test"
WHO = "enterprise-a/admin"


@pytest.fixture
def hosts(node: FakeNode, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Hosts:
    monkeypatch.setattr(session, "_POLL_S", 0)
    monkeypatch.delenv("COSEAL_GENESIS", raising=False)
    monkeypatch.chdir(tmp_path)
    return Hosts(node)


def blocking(hosts: Hosts, **options) -> str | None:
    options = {"genesis": hosts.node.genesis, "key": signer(WHO)} | options
    with coseal.connect(options.pop("url", URL), transport=hosts, **options) as client:
        return client.sender


def asynchronous(hosts: Hosts, **options) -> str | None:
    async def run() -> str | None:
        given = {"genesis": hosts.node.genesis, "key": signer(WHO)} | options
        async with await coseal.connect_async(given.pop("url", URL), transport=hosts, **given) as client:
            return client.sender

    return asyncio.run(run())


Connect = Callable[..., str | None]
both = pytest.mark.parametrize("connect", [blocking, asynchronous])


def key_file(path: Path, who: str = WHO, passphrase: bytes | None = None) -> Path:
    keys.write_key(path, seed(who), passphrase)
    return path


@both
def test_the_genesis_tells_whose_key_it_is(hosts: Hosts, connect: Connect) -> None:
    assert connect(hosts) == WHO
    assert connect(hosts, key=None) is None


@both
def test_keys_come_from_encrypted_files(hosts: Hosts, connect: Connect, tmp_path: Path, monkeypatch) -> None:
    path = key_file(tmp_path / "key.pem", passphrase=b"open sesame")
    assert connect(hosts, key=path, passphrase="open sesame") == WHO
    with pytest.raises(coseal.WrongKey, match="COSEAL_KEY_PASSPHRASE"):
        connect(hosts, key=str(path))
    with pytest.raises(coseal.WrongKey, match="wrong passphrase"):
        connect(hosts, key=path, passphrase="guess")
    monkeypatch.setenv("COSEAL_KEY_PASSPHRASE", "open sesame")
    assert connect(hosts, key=path) == WHO


@both
def test_a_key_that_is_not_the_registered_one_is_told_before_anything_is_sent(hosts: Hosts, connect: Connect) -> None:
    with pytest.raises(coseal.WrongKey, match="names no operator with the key"):
        connect(hosts, key=signer("stranger"))
    with pytest.raises(coseal.WrongKey, match="is not the one registered for enterprise-a/admin"):
        connect(hosts, key=signer("stranger"), sender=WHO)
    with pytest.raises(coseal.WrongKey, match="not an operator of this chain"):
        connect(hosts, key=signer("stranger"), sender="bank-a/ghost")
    with pytest.raises(coseal.CosealError, match="expected MEMBER/USER"):
        connect(hosts, sender="bank-a")
    with pytest.raises(coseal.CosealError, match="no key to sign as"):
        connect(hosts, key=None, sender=WHO)
    assert len(hosts.node.posted) == 1


@both
def test_a_node_of_another_chain_and_a_changed_genesis_are_found_out(hosts: Hosts, connect: Connect) -> None:
    raw = hosts.node.genesis.raw.replace(b'"name": "test"', b'"name": "else"')
    with pytest.raises(coseal.WrongChain, match="the genesis is old or was changed"):
        connect(hosts, genesis=raw)
    with pytest.raises(coseal.WrongChain):
        connect(hosts, genesis=make_genesis("older"))
    hosts.lies["a.test"] = changed("/v1/status", lambda document: {**document, "chain_id": "00" * 32})
    with pytest.raises(coseal.WrongChain, match="is of chain 0000"):
        connect(hosts)
    with pytest.raises(coseal.CosealError, match="not a genesis document"):
        connect(hosts, genesis=b"{}")


@both
def test_a_node_that_pretends_to_be_of_the_chain_proves_nothing(hosts: Hosts, connect: Connect) -> None:
    older = make_genesis("older")
    hosts.lies["a.test"] = changed("/v1/status", lambda document: {**document, "chain_id": older.chain_id.hex()})
    with pytest.raises(coseal.FalseAnswer, match="another chain"):
        connect(hosts, genesis=older)


@both
def test_the_chain_id_alone_pins_the_genesis(hosts: Hosts, connect: Connect) -> None:
    assert connect(hosts, genesis=hosts.node.genesis.chain_id.hex()) == WHO
    with pytest.raises(coseal.WrongChain, match="gave the genesis of chain"):
        connect(hosts, genesis="ab" * 32)
    hosts.down.add("a.test")
    with pytest.raises(coseal.Unreachable):
        connect(hosts, genesis=hosts.node.genesis.chain_id.hex())


def test_the_genesis_is_found_where_it_is_ours(hosts: Hosts, tmp_path: Path, monkeypatch) -> None:
    with pytest.raises(coseal.CosealError, match="no genesis to trust"):
        blocking(hosts, genesis=None)
    (tmp_path / "coseal-net").mkdir()
    (tmp_path / "coseal-net" / "genesis.json").write_bytes(hosts.node.genesis.raw)
    assert blocking(hosts, genesis=None) == WHO
    (tmp_path / "n" / "members" / "enterprise-a").mkdir(parents=True)
    (tmp_path / "n" / "genesis.json").write_bytes(make_genesis("older").raw)
    key = key_file(tmp_path / "n" / "members" / "enterprise-a" / "admin.pem")
    with pytest.raises(coseal.WrongChain):
        blocking(hosts, genesis=None, key=key)
    monkeypatch.setenv("COSEAL_GENESIS", str(tmp_path / "coseal-net" / "genesis.json"))
    assert blocking(hosts, genesis=None, key=key) == WHO


@both
def test_no_node_is_told_as_such(hosts: Hosts, connect: Connect) -> None:
    hosts.down.add("a.test")
    with pytest.raises(coseal.Unreachable, match="is the network up"):
        connect(hosts)
    with pytest.raises(coseal.CosealError, match="expected http://"):
        connect(hosts, url="a.test:80")
    with pytest.raises(coseal.CosealError, match="no node to ask"):
        connect(hosts, url=[])


def test_the_asynchronous_client_says_what_the_blocking_one_says(hosts: Hosts) -> None:
    kind = {"id": "t", "version": 1, "title": "T", "object_types": {"o": {}}, "event_types": {"e": {}}}
    source = {"id": "s", "process_type": "t", "mode": "historical"}
    event = {"event": "e1", "type": "e", "time": "2023-01-01T00:00:00Z", "objects": [["o", "1"]]}

    async def run() -> None:
        options = {"key": signer(WHO), "genesis": hosts.node.genesis, "transport": hosts}
        async with await coseal.connect_async([URL, "http://b.test"], **options) as client:
            assert (client.member, client.url) == ("enterprise-a", URL)
            (await client.submit("process", "define_type", kind)).require_ok()
            hosts.down.add("a.test")
            (await client.commit(client.sign("process", "register_source", source))).require_ok()
            assert client.url == "http://b.test"
            recorded = await client.record([event], source="s", sequence=1)
            assert (recorded.added, (await client.record([event], source="s", sequence=1)).added) == (1, 0)
            assert (await client.value("process/type/t"))["member"] == "enterprise-a"
            assert (await client.state("process/type/none")).value is None
            assert await client.policy("none") is None
            block = await client.block("latest")
            seen = [event async for event in client.stream(start=2, contract="process", follow=False)]
            assert [event.data["action"] for event in seen] == ["define_type", "register_source", "record"]
            assert seen[-1].height == block.block.header.height == recorded.height
            last = await client.receipt(bytes.fromhex(seen[-1].data["id"]))
            assert coseal.verify(last, genesis=client.genesis).ok
            assert (await client.get("/v1/status"))["height"] == recorded.height
            assert dict(client.distrusted) == {}

    asyncio.run(run())


def test_tasks_that_share_a_client_do_not_send_each_other_back_to_a_bad_node(hosts: Hosts) -> None:
    async def run() -> None:
        options = {"key": signer(WHO), "genesis": hosts.node.genesis, "transport": hosts}
        async with await coseal.connect_async([URL, "http://b.test"], **options) as client:
            hosts.down.add("a.test")
            found = await asyncio.gather(*(client.value("membership/member/bank-a") for _ in range(20)))
            assert [value["role"] for value in found] == ["bank"] * 20
            hosts.down = {"b.test"}
            found = await asyncio.gather(*(client.policy("none") for _ in range(20)))
            assert (found, client.url) == ([None] * 20, URL)
            hosts.down.clear()
            hosts.lies["a.test"] = changed("members", lambda document: {**document, "value": []})
            await asyncio.gather(*(client.value("membership/members") for _ in range(20)))
            assert (list(client.distrusted), client.url) == ([URL], "http://b.test")

    asyncio.run(run())


def test_a_receipt_verifies_offline_in_every_form_and_a_changed_one_does_not(hosts: Hosts, tmp_path: Path) -> None:
    with coseal.connect(URL, key=signer(WHO), genesis=hosts.node.genesis, transport=hosts) as client:
        committed = client.submit("membership", "set_profile", {"name": "E"})
    document = committed.document()
    path = tmp_path / "receipt.json"
    path.write_text(json.dumps(document))
    genesis = tmp_path / "genesis.json"
    genesis.write_bytes(hosts.node.genesis.raw)
    for form in (committed, document, path.read_bytes(), path, str(path)):
        assert coseal.verify(form, genesis=genesis).ok
    assert coseal.verify({**document, "height": 9}, genesis=genesis).verdict.value == "bad"
    assert not coseal.verify(document, genesis=make_genesis("older")).ok
    with pytest.raises(coseal.CosealError, match="is no document"):
        coseal.verify(7, genesis=genesis)
    with pytest.raises(coseal.CosealError, match="no genesis to trust"):
        coseal.verify(path)  # a genesis beside the document is not ours


def test_questions_of_an_audit_that_make_no_sense_are_refused(hosts: Hosts, tmp_path: Path) -> None:
    genesis = hosts.node.genesis
    for places, options in (
        ([], {}),
        ([tmp_path / "none"], {}),
        ([URL], {"level": "deep"}),
        ([URL], {"pin": "1:2"}),
        ([URL], {"first": 2, "level": "replay"}),
    ):
        with pytest.raises(coseal.CosealError):
            coseal.audit_chain(places, genesis=genesis, **options)
    with pytest.raises(coseal.CosealError, match="no format"):
        coseal.export(URL, "xlsx", genesis=genesis)


def test_the_names_of_the_library_are_those_it_lists() -> None:
    assert set(coseal.__all__) <= set(dir(coseal))
    for name in coseal.__all__:
        assert getattr(coseal, name).__doc__
    with pytest.raises(AttributeError):
        coseal.nothing  # noqa: B018
