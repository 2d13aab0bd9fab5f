"""A console of one node on whose chain members act, as a browser sees it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TypeVar

import httpx

from coseal.console.app import application
from coseal.console.console import Console
from coseal.console.nodes import Address
from coseal.ledger.genesis import Genesis
from coseal.node.http.context import Settings
from tests.node.http.world import READER, READING, World
from tests.support.chain import Chain
from tests.support.currency import money_genesis

See = Callable[..., Awaitable[str]]
"""Gives the page of a path, in a language and with the status that is expected."""
S = TypeVar("S")


def visit(
    folder: Path,
    begin: Callable[[Chain], S],
    scenario: Callable[[S, See, World], Awaitable[None]],
    token: str | None = READING,
    genesis: Genesis | None = None,
) -> None:
    """Let a scenario see a console; ``begin`` makes what it acts with on the chain.

    It is a chain of two banks with money, unless ``genesis`` says another.
    """

    async def play() -> None:
        world = World(folder, genesis=genesis or money_genesis(), settings=Settings(tokens=(READER,)))
        scene = begin(world.chain)
        node = httpx.ASGITransport(app=world.app, client=("127.0.0.1", 1))
        console = Console(world.genesis, [Address("node", "http://node", token)], port=1, transport=node)
        pages = httpx.ASGITransport(app=application(console))
        try:
            async with httpx.AsyncClient(transport=pages, base_url="http://127.0.0.1:1", timeout=30) as browser:

                async def see(path: str, language: str = "en", status: int = 200) -> str:
                    for committed in world.chain.blocks[world.index.height :]:
                        world.index.feed(committed)
                    assert await world.index.reached(world.height, 20)
                    await console.nodes.poll()
                    while await console.light.advance():
                        pass
                    console.reader.forget()
                    answer = await browser.get(path, headers={"accept-language": language})
                    assert answer.status_code == status, answer.text
                    return answer.text

                await scenario(scene, see, world)
        finally:
            await console.nodes.close()
            world.close()

    asyncio.run(play())
