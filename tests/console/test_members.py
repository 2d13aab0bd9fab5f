"""Members: what changed from one epoch to the next, read from the certified state of a chain that changed."""

from __future__ import annotations

import asyncio

from starlette.requests import Request

from coseal.console.console import Console
from coseal.console.page import Page
from coseal.console.pages import members
from coseal.ledger.certificate import Phase, vote_preimage
from tests.audit.conftest import Chain
from tests.console.fake import FakeNetwork
from tests.support.keys import signer


def page_of(network: FakeNetwork, path: str, **parts: str) -> Page:
    console = Console(network.light.genesis, network.nodes.addresses, port=1)
    console.nodes, console.light, console.reader = network.nodes, network.light, network.reader
    scope = {"type": "http", "path": path, "query_string": b"", "headers": [], "path_params": parts}
    return Page(Request(scope), console, "en")


def test_every_member_is_listed_verified():
    network = FakeNetwork(regulator=Chain().grow(3))
    asyncio.run(network.follow())
    view = asyncio.run(members.members(page_of(network, "/members")))
    for member in network.light.genesis.members:
        assert f'href="/members/{member.id}"' in view.body
    assert "seal verified" in view.body
    assert "seal unverified" not in view.body


def test_a_member_is_shown_with_its_keys():
    network = FakeNetwork(regulator=Chain().grow(3))
    asyncio.run(network.follow())
    view = asyncio.run(members.member(page_of(network, "/members/bank-a", id="bank-a")))
    bank = next(member for member in network.light.genesis.members if member.id == "bank-a")
    assert bank.operators[0].key.hex() in view.body
    assert network.light.genesis.validators.validators[0].key.hex() in view.body


def test_a_validator_that_contradicted_itself_is_named():
    chain = Chain().grow(2)

    def half(digest: str) -> dict[str, str]:
        preimage = vote_preimage(chain.chain_id, 0, 1, 0, Phase.PREPARE, bytes.fromhex(digest))
        return {"hash": digest, "signature": signer("node:bank-a").sign(preimage).hex()}

    report = {"validator": "bank-a", "height": 1, "round": 0, "phase": "prepare"}
    halves = {"first": half("11" * 32), "second": half("22" * 32)}
    chain.add([chain.transaction(contract="evidence", action="report", **report, **halves)])
    network = FakeNetwork(regulator=chain)
    asyncio.run(network.follow())
    view = asyncio.run(members.members(page_of(network, "/members")))
    assert "height 1, round 0, prepare, epoch 0" in view.body
    assert "11" * 32 in view.body
    assert "seal unverified" not in view.body


def test_what_changed_between_two_epochs_is_said():
    page = page_of(FakeNetwork(regulator=Chain().grow(1)), "/members")
    before = {"a": "1", "b": "2"}
    after = [["a", "a", "bank", "9"], ["c", "c", "bank", "3"]]
    said = str(members._changes(page, before, after))
    assert [word in said for word in ("c joined", "b left", "a has a new key")] == [True] * 3
    assert members._changes(page, {"a": "1"}, [["a", "a", "bank", "1"]]) == "none"
