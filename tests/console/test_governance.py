"""Governance pages on a chain made in memory: a protocol version to come is named, with who lacks it."""

from __future__ import annotations

import asyncio
import json
import re

import pytest
from starlette.requests import Request

from coseal.console.console import Console
from coseal.console.page import Page
from coseal.console.pages import constitution, governance, members
from coseal.contracts.governance.in_force import digest_of
from coseal.demo.examples import example
from tests.audit.conftest import VALIDATORS, Chain
from tests.console.fake import FakeNetwork
from tests.support.genesis import make_genesis


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


RECOMMENDED = json.loads(example("constitution/recommended.json").read_text())


@pytest.fixture
def constituted() -> Council:
    """A chain that is decided by the recommended constitution."""
    return Council(make_genesis(members=VALIDATORS, state_bits=4, tenure=3, constitution=RECOMMENDED))


def test_the_constitution_is_shown_as_a_table_of_its_tracks(constituted: Council):
    text = shown(constituted.grow(1), constitution.constitution)
    assert "Recommended constitution" in text
    for said in ("the genesis", "Admit a member", "all others", "2 of 5, each &gt; 1/2; and that of the newcomer"):
        assert said in text, said
    assert "章程" in shown(constituted, constitution.constitution, language="zh")


def test_the_constitution_says_when_a_standard_becomes_de_facto():
    document = {**RECOMMENDED, "de_facto": {"gained": [3, 5], "users_min": 7}}
    council = Council(make_genesis(members=VALIDATORS, state_bits=4, tenure=3, constitution=document))
    text = re.sub(r"[|\s]+", "|", shown(council.grow(1), constitution.constitution))
    assert "Mean|of|the|constituencies&#x27;|shares|&gt;|3/5|No|longer|so|at|a|mean|of|&lt;|2/5" in text
    assert "Users|7,|and|1/10|of|all|members" in text


def test_a_chain_without_a_document_shows_the_founding_constitution(council: Council):
    text = shown(council.grow(1), constitution.constitution)
    assert "founding constitution" in text
    assert re.search(r"\|ordinary\|.*members that run a validator.*2/3", text, re.DOTALL)


def test_a_proposal_shows_its_track_its_times_and_votes_by_constituency(constituted: Council):
    constituted.act("regulator", "propose", id="next", kind="protocol_version", subject={"version": 2, "height": 100})
    constituted.act("bank-a", "vote", ballot="next", choice="abstain", reason="No opinion")
    text = shown(constituted, governance.proposal, id="next")
    for said in ("protocol", "Not passed before", "One constituency can be overridden from", "No opinion"):
        assert said in text, said
    assert "1 yes, 0 no, 1 abstain; 3 of 4 are needed." in text
    assert re.search(r"\|Banks\|+2\|+0\|+0\|+1\|+2\|", re.sub(r"[|\s]+", "|", text))
    assert "protocol" in shown(constituted)


def test_an_amendment_is_shown_as_the_tracks_it_would_make(constituted: Council):
    consent = json.loads(example("constitution/consent.json").read_text())
    subject = {"from": digest_of(RECOMMENDED), "document": consent}
    reason = {"reason": "Consent"}
    constituted.act("regulator", "propose", id="next", kind="amend_constitution", subject=subject, **reason)
    text = shown(constituted, governance.proposal, id="next")
    assert "Amend the constitution" in text
    assert "all others" in text


def test_the_constitution_says_who_can_pass_and_who_can_stop_what(constituted: Council):
    text = re.sub(r"[|\s]+", "|", shown(constituted.grow(1), constitution.constitution))
    powers = text.partition("Who|can|pass,|who|can|stop")[2]
    assert "|protocol|Government|1|+|Banks|2|+|Enterprises|1|Government|1|+|Enterprises|1|" in powers
    assert "谁能通过，谁能阻止" in shown(constituted, constitution.constitution, language="zh")


def test_an_open_proposal_says_what_it_comes_to_by_the_votes_so_far(constituted: Council):
    constituted.act("regulator", "propose", id="next", kind="protocol_version", subject={"version": 2, "height": 100})
    assert "By the votes so far|||expires" in shown(constituted, governance.proposal, id="next")
    constituted.act("enterprise-a", "vote", ballot="next", choice="yes")
    text = shown(constituted, governance.proposal, id="next")
    assert "By the votes so far|||passes" in text
    assert "against the constituency Banks" in text
    assert "as one file that anybody can verify" not in text


def test_a_decided_proposal_leads_to_its_decision_as_a_file(council: Council):
    council.propose(100).vote("bank-a", "central-bank")
    assert "Decision with all votes, as one file that anybody can verify" in shown(
        council, governance.proposal, id="next"
    )


def test_a_members_standing_is_shown_with_its_end_and_the_proposal(council: Council):
    subject = {
        "member": "enterprise-a",
        "until_ms": council.now_ms + 86_400_000,
        "seats": False,
        "grounds": [{"kind": "external", "id": "x"}],
    }
    council.act("regulator", "propose", id="out", kind="suspend_member", subject=subject)
    assert "|in good standing|" in shown(council, members.member, id="enterprise-a")
    for member in ("bank-a", "central-bank"):
        council.act(member, "vote", ballot="out", choice="yes")
    text = shown(council, members.member, id="enterprise-a")
    for said in ("|suspended|", "So since block", "|out|"):
        assert said in text, said
    assert shown(council, members.members).count("|suspended|") == 1
    assert "已暂停" in shown(council, members.member, language="zh", id="enterprise-a")
