"""Governance pages on a chain made in memory: a protocol version to come is named, with who lacks it."""

from __future__ import annotations

import asyncio
import re

import pytest
from starlette.requests import Request

from coseal.console.console import Console
from coseal.console.page import Page
from coseal.console.pages import governance
from tests.audit.conftest import Chain
from tests.console.fake import FakeNetwork


class Council(Chain):
    """A chain whose members propose version 2 and vote, and whose nodes say that they have it."""

    def declare(self, *nodes: str) -> Council:
        for node in nodes:
            said = {"protocol_versions": [2]}
            self.extend([self.sign(f"node:{node}", "membership.declare_software", said)])
        return self

    def propose(self, height: int) -> Council:
        subject = {"version": 2, "height": height}
        return self.act("regulator", "propose", id="next", kind="protocol_version", subject=subject)

    def vote(self, *members: str) -> Council:
        for member in members:
            self.act(member, "vote", ballot="next", choice="yes")
        return self

    def act(self, member: str, action: str, **args: object) -> Council:
        self.add([self.transaction(sender=f"{member}/admin", contract="governance", action=action, **args)])
        return self


@pytest.fixture
def council() -> Council:
    return Council()


def shown(chain: Chain, build=governance.governance, language: str = "en", **parts: str) -> str:
    network = FakeNetwork(regulator=chain)
    asyncio.run(network.follow())
    console = Console(network.light.genesis, network.nodes.addresses, port=1)
    console.nodes, console.light, console.reader = network.nodes, network.light, network.reader
    scope = {"type": "http", "path": "/governance", "query_string": b"", "headers": [], "path_params": parts}
    body = str(asyncio.run(build(Page(Request(scope), console, language))).body)
    return re.sub(r"<[^>]*>", "|", body)


def test_without_a_version_to_come_nothing_is_said_of_one(council: Council):
    assert "protocol version" not in shown(council.grow(2)).lower()


def test_a_version_that_is_voted_on_shows_who_has_it(council: Council):
    text = shown(council.declare("bank-a").propose(100), governance.proposal, id="next")
    assert "1 of 4 validators have version 2; it takes effect only when 3 have it." in text
    assert (text.count("has it"), text.count("needs a newer release")) == (1, 3)


def test_a_version_that_waits_is_named_with_those_who_lack_it(council: Council):
    council.declare("bank-a").propose(8).vote("bank-a", "central-bank").grow(20)
    text = shown(council)
    assert "Version 2 is accepted for block 8 or later and waits: 1 of 4 validators have it, 3 are needed." in text
    assert "under version 1" in text
    assert (text.count("has it"), text.count("needs a newer release")) == (1, 3)
    assert "需要升级" in shown(council, language="zh")


def test_a_version_that_takes_effect_is_named_with_the_node_that_will_stop(council: Council):
    council.declare("bank-a", "central-bank", "regulator").propose(90).vote("bank-a", "central-bank")
    text = shown(council)
    assert "Version 2 takes effect at block 90: 3 of 4 validators have it, 3 are needed." in text
    assert re.search(r"\|enterprise-a\|.*needs a newer release before block 90", text, re.DOTALL)
    assert text.count("needs a newer release") == 1
