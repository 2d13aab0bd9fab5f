"""Nodes are asked with what each wants to see."""

import asyncio

import httpx

from coseal.console.nodes import Address, Nodes


def test_the_console_shows_each_node_its_own_token():
    seen: list[tuple[str, str | None]] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append((request.url.host, request.headers.get("Authorization")))
        return httpx.Response(200, json={"height": 1})

    nodes = Nodes(
        [Address("a", "http://a.test", "one"), Address("b", "http://b.test")], transport=httpx.MockTransport(answer)
    )

    async def look() -> None:
        await nodes.poll()
        await nodes.close()

    asyncio.run(look())
    assert sorted(seen, key=str) == [("a.test", "Bearer one"), ("b.test", None)]
