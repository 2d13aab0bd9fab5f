"""The pages of projects in a real browser, on a chain in memory on which a panel refused one and certified another."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import httpx
import pytest
import uvicorn

from coseal.console.app import application
from coseal.console.console import Console
from coseal.console.nodes import Address
from coseal.node.http.context import Settings
from tests.console.conftest import Visit
from tests.contracts.certification.test_funding import FIRST, SECOND, Funded
from tests.node.http.world import World
from tests.support.genesis import ROLES, make_genesis
from tests.support.panelled import review

pytestmark = pytest.mark.browser


@dataclass
class Served:
    """A console that serves a scene."""

    url: str
    ticket: str = ""


def _judge(name: str) -> dict[str, Any]:
    """Refute the load test, but for reviewers of academia, who dissent."""
    if name.startswith(("institute", "public")):
        return {**review(), "dissent": "The load test was repeated, and held"}
    return review(score=2, Load_Test="refuted")


def _play(world: World) -> None:
    """Have a project refused with two tranches pledged, and another one argued for."""
    scene = Funded(chain=world.chain)
    scene.admitted(tranches=[FIRST, SECOND])
    scene.pledge(1)
    scene.pledge(2)
    scene.reviewed(_judge).decided("refused")
    scene.apply("second", "bank-c")
    for committed in world.chain.blocks:
        world.index.feed(committed)


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """The console of the scene, on a port of its own."""
    found: list[Served] = []
    ready, servers = threading.Event(), list[uvicorn.Server]()

    async def serve() -> None:
        genesis = make_genesis(name="panels", members=tuple(ROLES))
        world = World(tmp_path_factory.mktemp("projects"), genesis=genesis, settings=Settings())
        _play(world)
        await world.index.reached(world.height, 30)
        node = httpx.ASGITransport(app=world.app, client=("127.0.0.1", 1))
        console = Console(genesis, [Address("node", "http://node")], port=1, transport=node)
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


@pytest.mark.parametrize("path", ["/projects", "/projects/clearing", "/projects/second"])
def test_a_page_of_projects_can_be_read_by_everybody(look: Any, path: str) -> None:
    look(path)


def test_the_way_to_the_leaf_that_broke_a_project_is_open_and_folds_by_keyboard(visit: Visit) -> None:
    page = visit("/projects/clearing")
    leaf = page.locator('[id="node-Load-Test"]')
    assert leaf.is_visible()
    folded = page.locator('[id="node-Load"] > details')
    assert folded.get_attribute("open") is not None
    folded.locator("summary").first.focus()
    page.keyboard.press("Enter")
    assert folded.get_attribute("open") is None
    assert not leaf.is_visible()
