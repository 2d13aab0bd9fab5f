"""The network page's own judgement: who takes part, who is behind, and why, in the reader's language."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx
import pytest
from starlette.requests import Request

from coseal.console.console import Console
from coseal.console.documents import STATUS, status_of
from coseal.console.messages import translated
from coseal.console.node_status import node_views, of_genesis, registered
from coseal.console.nodes import SILENT, Address, Seen
from coseal.console.page import Page
from tests.audit.conftest import Chain
from tests.console.fake import FakeNetwork
from tests.support.genesis import make_genesis

NAMES = ("bank-a", "central-bank", "enterprise-a", "regulator")


def page(language: str = "en", names: tuple[str, ...] = NAMES) -> Page:
    console = Console(make_genesis(), [Address(name, f"http://{name}") for name in names], port=1)
    asyncio.run(console.nodes.close())
    scope = {"type": "http", "path": "/", "query_string": b"", "headers": []}
    return Page(Request(scope), console, language)


PLEDGES = {"name": "pledges", "version": 2, "sha256": "00" * 32, "in_force": False, "height": 120}


def status(name: str, **fields: Any) -> dict[str, Any]:
    well = {"node": name, "height": 100, "healthy": True, "voting": True, "round": 0, "leader": "bank-a", "peers": []}
    return {**well, **fields}


def views(made: Page, **statuses: dict[str, Any] | None) -> dict[str, Any]:
    for name, document in statuses.items():
        status = None if document is None else status_of(STATUS(document, "status"))
        seen = Seen(name.replace("_", "-"), 0.0, status, "" if document else SILENT)
        made.console.nodes.seen[seen.node] = seen
    return {
        view.node.name: view
        for view in node_views(made, of_genesis(made.console.genesis), made.console.nodes, made.console.light)
    }


def test_all_well():
    found = views(page(), **{name.replace("-", "_"): status(name) for name in NAMES})
    assert [(one.state, one.takes_part) for one in found.values()] == [("good", True)] * 4
    assert [one.node.name for one in found.values() if one.leads] == ["bank-a"]


@pytest.mark.parametrize(
    ("fields", "state", "words", "takes_part"),
    [
        ({"height": 90}, "wait", "10 blocks behind", True),
        ({"height": 90, "syncing": True}, "wait", "catching up, 10 blocks to go", False),
        ({"voting": False, "silence": "its journal is lost"}, "wait", "may not vote: its journal is lost", False),
        ({"healthy": False, "why_stalled": "stopped: disk"}, "bad", "stopped: disk", False),
        ({"healthy": False, "why_stalled": "waiting for more"}, "wait", "waiting for more", True),
        ({"contracts": [{**PLEDGES, "known": False}]}, "wait", "pledges version 2 is not installed", True),
        ({"contracts": [{**PLEDGES, "known": True}]}, "good", "keeps up", True),
        ({"round": 2}, "good", "keeps up", True),
    ],
)
def test_a_node_that_answers_is_described_by_its_own_words(fields, state, words, takes_part):
    found = views(page(), regulator=status("regulator"), bank_a=status("bank-a", **fields))["bank-a"]
    assert (found.state, found.takes_part) == (state, takes_part)
    assert words in found.message


def test_a_node_that_does_not_answer_is_described_by_its_peers():
    peers = [
        {"node": "bank-a", "connected": False, "height": 80},
        {"node": "enterprise-a", "connected": True, "height": 99},
    ]
    found = views(page(), regulator=status("regulator", peers=peers), bank_a=None, enterprise_a=None)
    assert (found["bank-a"].state, found["bank-a"].height, found["bank-a"].message) == ("bad", 80, "does not answer")
    assert found["enterprise-a"].state == "wait"
    assert found["enterprise-a"].takes_part
    assert "1 nodes reach it" in found["enterprise-a"].message


def test_a_node_whose_address_is_unknown_is_seen_through_the_one_that_is_known():
    peers = [{"node": "bank-a", "connected": True, "height": 100}]
    made = page(names=("http-1",))
    found = views(made, http_1=status("regulator", peers=peers))
    assert (found["bank-a"].state, found["bank-a"].takes_part) == ("good", True)
    assert (found["central-bank"].state, found["central-bank"].takes_part) == ("", False)
    assert found["regulator"].state == "good"


def test_a_nodes_reason_is_told_in_the_readers_language_and_an_unknown_one_as_it_stands():
    why = "waiting for 1 more of 3 validators: bank-a and enterprise-a unreachable since 18 s"
    assert translated(page("zh"), why) == "还需 1 个验证节点（共需 3 个）：bank-a、enterprise-a 已失联 18 秒"
    assert translated(page("zh"), "something new") == "something new"


def test_who_there_is_comes_from_the_certified_state_and_from_genesis_while_no_node_answers():
    network = FakeNetwork(regulator=Chain().grow(3))
    asyncio.run(network.follow())
    made = page()
    made.console.reader = network.reader
    found = asyncio.run(registered(made))
    assert (found.why, found.height) == ("trust.proof", 3)
    assert set(found.value) == set(of_genesis(made.console.genesis))
    network.twists["regulator"] = lambda path, answer: httpx.ConnectError("gone")
    network.reader.forget()
    gone = asyncio.run(registered(made))
    assert (gone.why, gone.value) == ("trust.genesis", of_genesis(made.console.genesis))
