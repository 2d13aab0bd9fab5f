"""The failures of a mission over HTTP, as of the certified height."""

from __future__ import annotations

import httpx

from coseal.contracts.mission.described import checked
from tests.node.http.world import World, scenario
from tests.support.genesis import make_genesis
from tests.support.missions import Missions


@scenario(genesis=make_genesis(name="missions"))
async def test_failures_are_those_of_the_state(world: World, client: httpx.AsyncClient) -> None:
    scene = Missions(chain=world.chain)
    answer = await client.get("/v1/missions/m/failures")
    executor = scene.chain.executor
    assert answer.json() == checked(executor.reader, "m", executor.height, executor.time_ms)
    assert answer.json()["failures"]
    assert int(answer.headers["Coseal-Height"]) == executor.height
    answer = await client.get("/v1/missions/none/failures")
    assert (answer.status_code, answer.json()["code"]) == (404, "unknown_mission")
