"""`coseal mission failures`: what it prints is computed from proven values; the exit code says whether all is well."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from typer.testing import CliRunner

from coseal.cli import app
from coseal.network.access import Access
from tests.support.missions import Missions


@pytest.fixture(autouse=True)
def scene(node: Any, monkeypatch: pytest.MonkeyPatch) -> Missions:
    """A chain of the commands, on which there is a mission."""

    @contextmanager
    def client(access: Access) -> Iterator[Any]:
        with node.client("regulator") as found:
            yield found

    monkeypatch.setattr(Access, "client", client)
    monkeypatch.setenv("COSEAL_LANGUAGE", "en")
    return Missions(node.chain)


def run(*words: str, code: int = 0) -> str:
    result = CliRunner().invoke(app, ["mission", *words])
    assert result.exit_code == code, (result.output, result.exception)
    return result.output


def test_failures_are_shown_with_what_they_are_about(scene: Missions) -> None:
    rows = [" ".join(line.split()) for line in run("failures", "m", code=1).splitlines()]
    assert "directional goal_without_instrument use failed mission/mission/m" in rows
    assert rows[-1] == f"computed from values proven as of block {scene.chain.executor.height}"


def test_as_json_each_has_the_state_keys_that_show_it() -> None:
    found = json.loads(run("failures", "m", "--json", code=1))
    (one,) = [one for one in found["failures"] if one["code"] == "goal_without_instrument"]
    assert one["keys"] == ["mission/mission/m"]


def test_a_mission_that_is_not_there() -> None:
    assert "there is no mission none" in run("failures", "none", code=1)
