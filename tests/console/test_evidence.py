"""The page about answers that did not verify: what is kept, what proves more, and what is dropped."""

from __future__ import annotations

import asyncio
import re
import time
from typing import Any

import httpx
import pytest

from coseal.audit.verify import verify_bytes
from coseal.console.app import application
from coseal.console.console import Console
from coseal.console.nodes import Address
from tests.audit.conftest import Chain
from tests.console.fake import FakeNetwork

BASE = "http://127.0.0.1"


def console_of(network: FakeNetwork) -> Console:
    """Return a console that looks at a network in memory."""
    console = Console(next(iter(network.chains.values())).genesis, network.nodes.addresses, port=1)
    asyncio.run(console.nodes.close())
    console.nodes, console.light, console.reader = network.nodes, network.light, network.reader
    return console


def get(console: Console, path: str) -> httpx.Response:
    async def ask() -> httpx.Response:
        transport = httpx.ASGITransport(app=application(console))
        async with httpx.AsyncClient(transport=transport, base_url=BASE) as client:
            return await client.get(path)

    return asyncio.run(ask())


def test_without_a_doubt_the_page_says_so():
    network = FakeNetwork(regulator=Chain().grow(3))
    asyncio.run(network.follow())
    text = get(console_of(network), "/evidence").text
    assert "Every answer verified" in text
    assert "None was seen" in text


def test_an_answer_that_did_not_verify_is_shown_and_given_as_it_came():
    network = FakeNetwork(liar=Chain().grow(3))
    asyncio.run(network.follow())
    rubbish = b'{"coseal": "state-proof", "x": "<script>\\u202e"}'
    network.twists["liar"] = lambda path, answer: rubbish if path.startswith("/v1/state/") else answer
    console = console_of(network)
    page = get(console, "/members")
    assert page.status_code == 502
    assert "does not hold" in page.text
    shown = get(console, "/evidence").text
    assert "GET /v1/state/membership/members" in shown
    link = re.search(r'href="(/evidence/answers/[^"]+)"', shown)
    assert link is not None
    taken = get(console, link[1])
    assert (taken.content, taken.headers["content-type"]) == (rubbish, "application/octet-stream")
    assert "attachment" in taken.headers["content-disposition"]
    network.twists.clear()
    home = get(console, "/").text
    assert "An answer of liar did not verify" in home
    assert "false" not in home.lower().partition("<main")[2]


def test_what_verifies_after_all_is_dropped_from_the_page():
    network = FakeNetwork(regulator=Chain().grow(3))
    asyncio.run(network.follow())
    console = console_of(network)
    answers: list[Any] = [None]
    network.nodes.doubts.note("regulator", "GET /v1/state/x", "no", b"x", answers.pop)
    [doubt] = network.nodes.doubts.kept()
    assert "Every answer verified" in get(console, "/evidence").text
    assert get(console, f"/evidence/answers/{doubt.id}").status_code == 404
    assert not network.nodes.doubts.is_aside("regulator")


def test_a_fork_is_said_on_every_page_and_its_proof_verifies_offline():
    chain = Chain().grow(4)
    network = FakeNetwork(first=chain)
    asyncio.run(network.follow())
    fork = Chain(chain.genesis).grow(3)
    fork.add(2)
    fork.grow(2)
    network.chains["second"] = fork
    network.nodes.addresses = (*network.nodes.addresses, Address("second", "http://second"))
    asyncio.run(network.follow())
    console = console_of(network)
    assert "the chain has forked" in get(console, "/members").text
    shown = get(console, "/evidence").text
    link = re.search(r'href="(/evidence/forks/[^"]+)"', shown)
    assert link is not None
    found = verify_bytes(get(console, link[1]).content, chain.genesis)
    assert (found.kind, found.ok) == ("fork", True)
    assert get(console, "/evidence/forks/nothing").status_code == 404


@pytest.mark.parametrize(
    "status",
    [
        {},
        [],
        b"",
        b"[" * 100_000,
        301,
        {"node": 1, "height": "x", "healthy": None, "peers": {}},
        {"node": "regulator", "height": -5, "healthy": True, "peers": []},
        {"node": "regulator", "height": 2**63, "healthy": True, "peers": []},
        {"node": "regulator", "height": 3, "healthy": True, "peers": [{"node": "bank-a", "connected": "yes"}]},
        {
            "node": "\u202eregulator\x1b[31m",
            "height": 2**62,
            "healthy": False,
            "why_stalled": " and " * 90,
            "peers": [],
        },
    ],
)
def test_a_console_starts_and_shows_its_pages_whatever_a_node_says_of_itself(status: Any):
    chain = Chain().grow(4)
    network = FakeNetwork(regulator=chain, honest=chain)
    network.twists["regulator"] = lambda path, answer: status if path == "/v1/status" else answer
    console = console_of(network)
    console.live._nodes, console.live._light = network.nodes, network.light
    app = application(console)

    async def visit() -> list[httpx.Response]:
        transport = httpx.ASGITransport(app=app)
        async with (
            app.router.lifespan_context(app),
            httpx.AsyncClient(transport=transport, base_url=BASE) as client,
        ):
            return [await client.get(path) for path in ("/", "/blocks", "/members", "/evidence")]

    pages = asyncio.run(visit())
    assert [page.status_code for page in pages] == [200] * 4
    assert network.light.height == 4
    assert not any("\u202e" in page.text or "\x1b" in page.text for page in pages)


def test_a_state_that_is_older_than_what_was_followed_is_said_to_be():
    old, new = Chain().grow(4), Chain().grow(4)
    new.add(time_ms=old.blocks[-1].block.header.time_ms + 60_000)
    network = FakeNetwork(new=new, old=old)
    asyncio.run(network.follow())
    console = console_of(network)
    fresh = get(console, "/members").text
    assert "State as of block 5" in fresh
    assert "Newer blocks exist" not in fresh
    network.twists["new"] = lambda path, answer: httpx.ConnectError("gone")
    network.reader.forget()
    asyncio.run(network.follow())
    older = get(console, "/members").text
    assert "State as of block 4" in older
    assert "followed up to block 5, and no node gives a newer state" in older


def test_a_block_that_ends_a_long_rest_makes_the_state_before_it_not_old_at_once():
    old, new = Chain().grow(4), Chain().grow(4)
    new.add(time_ms=time.time_ns() // 1_000_000)
    network = FakeNetwork(new=new, old=old)
    asyncio.run(network.follow())
    console = console_of(network)
    network.twists["new"] = lambda path, answer: httpx.ConnectError("gone")
    network.reader.forget()
    asyncio.run(network.follow())
    shown = get(console, "/members").text
    assert "State as of block 4" in shown
    assert "Newer blocks exist" not in shown
