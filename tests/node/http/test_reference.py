"""``GET /docs``: the interface as a page."""

from __future__ import annotations

import re
from html import unescape
from html.parser import HTMLParser

import httpx

from docs.site.offline import _FETCHED
from tests.node.http.world import World, scenario
from tests.support.genesis import make_genesis


@scenario(genesis=make_genesis(public_read=False))
async def test_the_page_names_every_route_and_fetches_nothing(world: World, client: httpx.AsyncClient) -> None:
    document = (await client.get("/openapi.json")).json()
    response = await client.get("/docs")
    assert (response.status_code, response.headers["Content-Type"]) == (200, "text/html; charset=utf-8")
    assert "default-src 'none'" in response.headers["Content-Security-Policy"]
    for path in document["paths"]:
        assert f"<code>{path}</code>" in response.text
    assert not _FETCHED.search(response.text)
    assert "<script" not in response.text
    assert "curl -s 'http://node/v1/status'" in unescape(response.text)


@scenario()
async def test_the_page_is_well_formed(world: World, client: httpx.AsyncClient) -> None:
    opened: list[str] = []

    class Parser(HTMLParser):
        def handle_starttag(self, tag: str, attrs: object) -> None:
            if tag not in ("meta", "html", "body", "tr", "td"):
                opened.append(tag)

        def handle_endtag(self, tag: str) -> None:
            if tag not in ("html", "body", "tr", "td"):
                assert opened.pop() == tag

    Parser().feed((await client.get("/docs")).text)
    assert opened == []


@scenario()
async def test_who_asks_for_a_route_that_is_not_there_is_shown_the_page(
    world: World, client: httpx.AsyncClient
) -> None:
    response = await client.get("/v2/status")
    assert response.status_code == 404
    assert re.search("/docs", response.json()["detail"])
