"""A protocol version voted in on a network of processes: nobody has it, then one lacks it, then all have it."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from coseal.cli import app
from coseal.node.exits import Exit
from tests.cluster.network import Cluster

pytestmark = [pytest.mark.cluster, pytest.mark.slow]

_RELEASE = "from coseal.contracts import registry\nregistry.RULES[2] = registry.CONTRACTS\n"
"""What makes a process run a release that has version 2, found by the interpreter at its start."""


class Town:
    """A network whose members propose and vote by the command line."""

    def __init__(self, cluster: Cluster, release: Path) -> None:
        self.cluster, self.release = cluster, release

    def run(self, *words: str, code: int = 0) -> str:
        done = CliRunner().invoke(app, [*words])
        assert done.exit_code == code, done.output
        return " ".join(done.output.split())

    def govern(self, *words: str) -> str:
        return self.run("governance", *words, "--dir", str(self.cluster.net.directory))

    def doctor(self, *, code: int = 0) -> dict[str, dict[str, str]]:
        """Return, by node, what the doctor says of the protocol version, or of a node that does not run."""
        told = json.loads(self.run("doctor", str(self.cluster.net.directory), "--json", code=code))["lines"]
        return {
            line["node"]: line for line in told if line["check"] == "protocol version" or "not run:" in line["text"]
        }

    def grow_to(self, height: int, asking: str = "regulator") -> None:
        while self.cluster.height(asking) < height:
            assert self.cluster.submit(asking, self.cluster.transaction())

    def upgrade(self, *names: str) -> None:
        """Install the release on nodes, one after another."""
        for name in names:
            if self.cluster.processes[name].poll() is None:
                self.cluster.stop(name)
            self.cluster.settings[name] = {"PYTHONPATH": f"{self.release}{os.pathsep}{os.environ['PYTHONPATH']}"}
            self.cluster.start(name)
            self.cluster.wait(lambda name=name: self.software(name) == [2], f"{name} says that it has version 2")

    def software(self, name: str) -> Any:
        nodes = (self.cluster.get("regulator", "/v1/nodes") or {"nodes": []})["nodes"]
        return next(
            (node["software"]["protocol_versions"] for node in nodes if node["id"] == name if "software" in node), None
        )


@pytest.fixture
def town(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Town]:
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parents[2]))
    (tmp_path / "release").mkdir()
    (tmp_path / "release" / "sitecustomize.py").write_text(_RELEASE)
    cluster = Cluster.make(tmp_path)
    cluster.start()
    cluster.wait_height(0)
    yield Town(cluster, tmp_path / "release")
    cluster.close()


def test_a_version_waits_is_withdrawn_and_takes_effect_once_a_quorum_has_it(town: Town) -> None:
    cluster = town.cluster
    said = town.govern("propose", "protocol_version", "version=2", "height=8", "--id", "early", "--as", "bank-a")
    assert "warning: version 2: 0 of 4 validators have it, 3 are needed" in said
    assert "warning: version 2" in town.govern("vote", "early", "yes")
    town.grow_to(12)
    assert "0 of 4 validators have it, 3 are needed" in town.run("status", str(cluster.net.directory))
    assert {line["verdict"] for line in town.doctor().values()} == {"warn"}
    town.govern("propose", "withdraw_version", "proposal=early", "--id", "not-yet", "--as", "bank-a")
    town.govern("vote", "not-yet", "yes")
    assert cluster.get("bank-a", "/v1/status")["upgrade"] is None

    town.upgrade("central-bank", "enterprise-a", "regulator")
    height = cluster.height("regulator") + 8
    town.govern("propose", "protocol_version", "version=2", f"height={height}", "--id", "rules-2", "--as", "regulator")
    assert "3 of 4 validators have it, 3 are needed; bank-a lacks it" in town.govern("vote", "rules-2", "yes")
    cluster.wait_one_tip()
    doctor = town.doctor(code=1)
    assert (doctor["bank-a"]["verdict"], doctor["regulator"]["verdict"]) == ("bad", "warn")
    assert f"node bank-a needs a newer release before block {height}" in doctor["bank-a"]["todo"]
    town.grow_to(height + 2)
    assert cluster.processes["bank-a"].wait(20) == Exit.RELEASE
    assert cluster.get("regulator", "/v1/status")["protocol_version"] == 2
    reason = f"block {height} needs protocol version 2, this software knows 1: install a newer release and start again"
    nodes = json.loads(town.run("status", str(cluster.net.directory), "--json"))["nodes"]
    assert [node["why_stalled"] for node in nodes if not node["healthy"]] == [f"not running: {reason}"]
    assert reason in town.doctor(code=1)["bank-a"]["text"]

    town.upgrade("bank-a")
    cluster.wait_one_tip()
    assert cluster.get("bank-a", "/v1/status")["healthy"]
