"""Failures of a mission through the library: both clients compute them from proven values alone."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from coseal.client.blocking import Client
from coseal.contracts.mission.described import checked
from coseal.errors import BadAnswer
from tests.coseal.client.test_standards import asynchronous
from tests.support.missions import Missions
from tests.support.participation import Consulted


@pytest.fixture
def scene(node: Any) -> Missions:
    """A mission with a policy that people are asked about."""
    asked = Consulted(node.chain)
    scene = Missions(node.chain)
    scene.ok("regulator", "link", mission="m", policy="cn/draft/aml", goal="use", role="regulation")
    asked.wait(32 * 86_400_000)
    return scene


def test_both_clients_find_what_the_state_says(node: Any, scene: Missions) -> None:
    executor = scene.chain.executor
    expected = checked(executor.reader, "m", executor.height, executor.time_ms)
    with Client("http://node.test", node.genesis, transport=node) as client:
        found = client.missions.failures("m")
    assert found == expected
    assert ["silent_constituency", ["public"]] in [[one["code"], one["about"]] for one in found["failures"]]

    async def ask() -> Any:
        async with asynchronous(node, "bank-a") as client:
            return await client.missions.failures("m")

    assert asyncio.run(ask()) == expected


def test_a_mission_that_is_not_there_is_said_not_to_be(node: Any) -> None:
    with Client("http://node.test", node.genesis, transport=node) as client, pytest.raises(BadAnswer) as caught:
        client.missions.failures("none")
    assert "there is no mission none" in str(caught.value)
