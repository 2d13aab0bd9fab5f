"""The default pages: every list and every record of it, without a line of code about any contract."""

from __future__ import annotations

import asyncio
import html
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from coseal.client import contracts
from coseal.console.app import application
from coseal.console.pages import ROUTES
from coseal.contracts.installed import Installed
from coseal.contracts.registry import LISTS
from coseal.node.http.context import Settings
from tests.console.test_odd_ids import LINKS, console_of
from tests.node.http.test_odd_rows import odd
from tests.node.http.world import READER, READING, World
from tests.support.others import TALLIES, TALLY_1, genesis_with
from tests.support.supervised import Story

Scenario = Callable[[httpx.AsyncClient], Awaitable[None]]


def browse(folder: Path, scenario: Scenario, fill: Callable[[World], Awaitable[None]] = odd, **options: Any) -> None:
    """Let a scenario visit a console of one node, on whose chain there is what ``fill`` records."""

    async def play() -> None:
        world = World(folder, settings=Settings(tokens=(READER,)), **options)
        console = console_of(world, READING)
        try:
            await fill(world)
            await console.nodes.poll()
            while await console.light.advance():
                pass
            pages = httpx.ASGITransport(app=application(console))
            async with httpx.AsyncClient(transport=pages, base_url="http://127.0.0.1:1", timeout=30) as browser:
                await scenario(browser)
        finally:
            await console.nodes.close()
            world.close()

    asyncio.run(play())


async def supervised(world: World) -> None:
    Story(world.chain).tell()
    world.index.feed(world.chain.blocks[-1])
    assert await world.index.reached(world.height, 20)


def links(text: str, start: str) -> list[str]:
    return [link for link in map(html.unescape, LINKS.findall(text)) if link.startswith(start)]


@pytest.mark.parametrize("fill", [odd, supervised])
def test_every_list_has_a_page_in_each_language_and_every_record_is_shown_verified(
    tmp_path: Path, fill: Callable[[World], Awaitable[None]]
) -> None:
    async def visit(browser: httpx.AsyncClient) -> None:
        for name, listed in LISTS.items():
            for language in ("en", "zh"):
                page = await browser.get(f"/lists/{name}", headers={"accept-language": language})
                assert page.status_code == 200, (name, page.text)
                assert f"<h1>{html.escape(listed.title[language])}</h1>" in page.text
            sealed = page.text.partition('aria-labelledby="lists-entries"')[2]
            assert 'class="seal unverified"' in sealed
            assert 'class="seal verified"' not in sealed
            records = links(page.text, f"/lists/{name}/record")
            assert bool(records) == (listed.key is not None and 'class="empty"' not in page.text)
            for record in records:
                shown = await browser.get(record)
                assert shown.status_code == 200, record
                assert 'class="seal verified"' in shown.text.partition('aria-labelledby="lists-record"')[2]

    browse(tmp_path, visit, fill)


def test_a_list_is_filtered_ordered_and_paged(tmp_path: Path) -> None:
    async def visit(browser: httpx.AsyncClient) -> None:
        whole = links((await browser.get("/lists/findings")).text, "/lists/findings/record")
        newest = links((await browser.get("/lists/findings?order=newest")).text, "/lists/findings/record")
        assert len(whole) >= 5
        assert newest == whole[::-1]
        some = links((await browser.get("/lists/findings?rule=R-GAP")).text, "/lists/findings/record")
        assert 0 < len(some) < len(whole)
        refused = await browser.get("/lists/findings?status=" + "x" * 33)
        assert "status: String should have at most 32 characters" in refused.text

    browse(tmp_path, visit, supervised)


def test_what_is_not_there_is_said_to_be_not_there(tmp_path: Path) -> None:
    async def visit(browser: httpx.AsyncClient) -> None:
        missing = ("none", "none/record", "questions/record", "questions/record?id=Q9", "policy-sources/record?id=x")
        odd_names = (
            "sources/record?name=x",
            "rules/record?id=R1&version=x",
            f"rules/record?id=R1&version={'9' * 5_000}",
        )
        for path in (*missing, *odd_names, "rules/record?id=R1&version=2", "holds/record?object=c2"):
            assert (await browser.get(f"/lists/{path}")).status_code == 404, path
        assert (await browser.get("/lists/rules/record?id=R1&version=1")).status_code == 200

    browse(tmp_path, visit)


def test_the_page_of_all_lists_leads_to_the_page_that_a_list_has(tmp_path: Path) -> None:
    own = {route.lists: route.path for route in ROUTES if route.lists}
    assert own.keys() <= LISTS.keys()

    async def visit(browser: httpx.AsyncClient) -> None:
        text = (await browser.get("/lists")).text
        for name in LISTS:
            assert f'href="{own.get(name, f"/lists/{name}")}"' in text

    browse(tmp_path, visit)


async def tallied(world: World) -> None:
    if world.genesis.contracts:
        for amount in (3, 4):
            await world.commit(world.sign("tally.add", {"amount": amount}))
        assert await world.index.reached(world.height, 20)


@pytest.mark.parametrize("in_force", [True, False])
def test_a_list_of_a_contract_of_others_has_a_page_and_one_that_is_not_in_force_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, in_force: bool
) -> None:
    monkeypatch.setattr(contracts, "installed", lambda: Installed(TALLIES, ()))

    async def visit(browser: httpx.AsyncClient) -> None:
        assert "/lists/tally.added" in (await browser.get("/lists")).text
        page = await browser.get("/lists/tally.added")
        assert page.status_code == (200 if in_force else 404), page.text
        assert (">7</td>" in page.text) == in_force
        assert ("no version of contract tally" in page.text) == (not in_force)

    options = {"genesis": genesis_with(TALLY_1)} if in_force else {}
    browse(tmp_path, visit, tallied, others=TALLIES, **options)
