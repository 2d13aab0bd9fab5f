"""A console of one node, on whose chain in memory there is a scene, at a port of its own for a browser to open."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import uvicorn

from coseal.console.app import application
from coseal.console.console import Console
from coseal.console.nodes import Address
from coseal.ledger.genesis import Genesis
from coseal.node.http.context import Settings
from tests.node.http.world import READER, READING, World


@dataclass
class Served:
    """A console that serves a scene."""

    url: str
    ticket: str = ""


@contextlib.contextmanager
def served(folder: Path, genesis: Genesis, play: Callable[[World], Any]) -> Iterator[Served]:
    """Give the console of a chain on which ``play`` has taken place; it may read what is for members."""
    found: list[Served] = []
    ready, servers = threading.Event(), list[uvicorn.Server]()

    async def serve() -> None:
        world = World(folder, genesis=genesis, settings=Settings(tokens=(READER,)))
        play(world)
        for committed in world.chain.blocks[world.index.height :]:
            world.index.feed(committed)
        await world.index.reached(world.height, 30)
        node = httpx.ASGITransport(app=world.app, client=("127.0.0.1", 1))
        console = Console(genesis, [Address("node", "http://node", READING)], port=1, transport=node)
        server = uvicorn.Server(uvicorn.Config(application(console), port=0, log_level="warning"))
        servers.append(server)
        serving = asyncio.ensure_future(server.serve())
        while not server.started:
            await asyncio.sleep(0.01)
        port = server.servers[0].sockets[0].getsockname()[1]
        found.append(Served(f"http://127.0.0.1:{port}"))
        await console.nodes.poll()
        while await console.light.advance():
            pass
        ready.set()
        await serving
        world.close()

    thread = threading.Thread(target=lambda: asyncio.run(serve()), daemon=True)
    thread.start()
    assert ready.wait(120)
    yield found[0]
    servers[0].should_exit = True
    thread.join(20)
