"""What is recorded under any id has its page, and every link of the console leads to a page that is there."""

from __future__ import annotations

import asyncio
import html
import re
import sqlite3
from pathlib import Path
from urllib.parse import quote, urljoin

import httpx

from coseal.console.app import application
from coseal.console.console import Console
from coseal.console.nodes import Address
from tests.node.http.test_odd_rows import odd
from tests.node.http.test_paths import PARTED, SOURCES, WHOLE, recorded
from tests.node.http.world import World

NAMES = ("100%", "a?b=c", "a#b", "a+b", 'a"b', "a<b>&c", "合同 2026", "a%2Fb", "a\\b", "...", "x" * 128)
LINKS = re.compile(r'(?:href|action)="([^"]*)"')
LINKS_MAX = 400
OVERVIEWS = (
    *("/", "/blocks", "/members", "/governance", "/audit", "/policies", "/policies/p2", "/policies/live"),
    *("/policy/coordination", "/processes", "/processes/t", "/processes/t/variants", "/processes/t/cases"),
    *("/processes/t/cases/case/a", "/processes/t/cases/case/c", "/supervision", "/supervision/findings"),
    *("/supervision/rules", "/supervision/rules/R1", "/supervision/sources", "/supervision/sources/enterprise-a%2Fs"),
    *("/supervision/duties", "/lists", "/lists/questions", "/lists/objects", "/lists/guidance"),
)


def test_every_page_of_a_thing_with_an_odd_id_opens_and_links_only_to_pages_that_open(tmp_path: Path) -> None:
    async def play() -> None:
        world = World(tmp_path)
        console = console_of(world)
        try:
            await recorded(world)
            await console.nodes.poll()
            while await console.light.advance():
                pass
            pages = httpx.ASGITransport(app=application(console))
            async with httpx.AsyncClient(transport=pages, base_url="http://127.0.0.1:1") as browser:
                await crawl(browser)
        finally:
            await console.nodes.close()
            world.close()

    asyncio.run(play())


def test_a_list_says_what_its_node_could_not_show_and_shows_the_rest(tmp_path: Path) -> None:
    async def play() -> None:
        world = World(tmp_path)
        console = console_of(world)
        try:
            await odd(world)
            await console.nodes.poll()
            while await console.light.advance():
                pass
            pages = httpx.ASGITransport(app=application(console))
            async with httpx.AsyncClient(transport=pages, base_url="http://127.0.0.1:1", timeout=30) as browser:
                for path in OVERVIEWS:
                    assert (await browser.get(path)).status_code == 200, path
                with sqlite3.connect(world.index.path) as connection:
                    connection.execute("UPDATE policies SET document = '{}' WHERE id = 'p1'")
                connection.close()
                text = (await browser.get("/policies")).text
                assert "1 of these cannot be shown: KeyError" in text
                assert 'href="/policies/p0"' in text
                assert 'href="/policies/p1"' not in text
        finally:
            await console.nodes.close()
            world.close()

    asyncio.run(play())


def console_of(world: World, token: str | None = None) -> Console:
    """Return a console of one node, without a socket, which shows it a token."""
    node = httpx.ASGITransport(app=world.app, client=("127.0.0.1", 1))
    return Console(world.genesis, [Address("enterprise-a", "http://node", token)], port=1, transport=node)


async def crawl(browser: httpx.AsyncClient) -> None:
    starts = {f"/processes/{part(name)}": name for name in NAMES}
    starts |= {f"/processes/{part(name)}/cases/{part(name)}/{part(name)}": name for name in NAMES}
    starts |= {f"/processes/0/cases/0/{part(name)}": name for name in PARTED}
    starts |= {f"/policies/{part(name)}": name for name in (*NAMES, *PARTED)}
    starts |= {f"/supervision/sources/{part(f'enterprise-a/{name}')}": name for name in SOURCES}
    pending, seen = [*starts, "/policies", "/processes", "/supervision/sources"], set[str]()
    while pending and len(seen) < LINKS_MAX:
        path = pending.pop(0)
        if path in seen:
            continue
        seen.add(path)
        answer = await browser.get(path)
        if "/bundle" in path:  # collected from nodes over sockets, which there are none of here
            assert answer.status_code == 503, path
            continue
        assert answer.status_code in (200, 303), path
        if path in starts:
            assert html.escape(starts[path]) in answer.text, path
            links = (html.unescape(link) for link in LINKS.findall(answer.text))
            pending += [urljoin(path, link) for link in links if link.startswith(("/", "?"))]
    assert len(seen) > len(starts) + 20


def part(name: str) -> str:
    return quote(name, safe="")


def test_the_names_of_these_pages_are_among_the_recorded_ones() -> None:
    assert set(NAMES) <= set(WHOLE)
