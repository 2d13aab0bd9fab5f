"""A contract of others on a network of processes: checked, installed on three of four nodes, used, replaced, audited.

What is installed lies in folders with a distribution's metadata, one for each state of a node's environment, so nothing
is installed where the tests run.
"""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from coseal.cli import app
from coseal.contracts.installed import sources
from coseal.contracts.rows.others import NOT_INSTALLED
from coseal.node.exits import Exit
from tests.cluster.network import Cluster

pytestmark = [pytest.mark.cluster, pytest.mark.slow]

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "examples" / "contract" / "pledges_1"
FIRST, SECOND = "pledges_1", "pledges_2"
THREE = ("central-bank", "enterprise-a", "regulator")
LATE = "bank-a"
LISTED = "/v1/lists/pledges.receipts"
_RAISED = """    if pledged is not None and pledged["bank"] == args["bank"]:  # version 2: more on the same receipt
        record = {**pledged, "amount": pledged["amount"] + args["amount"]}
        view.put(key, record)
        return record
    if pledged is not None:  # rule 1"""


def second_version(folder: Path) -> None:
    """Write the second version: who pledges again to the same bank pledges more."""
    shutil.copytree(EXAMPLE, folder, ignore=shutil.ignore_patterns("__pycache__"))
    file = folder / "__init__.py"
    text = file.read_text("utf-8")
    for before, after in (
        ("    if pledged is not None:  # rule 1", _RAISED),
        ("from pledges_1.shown", "from pledges_2.shown"),
        ('"pledges", ACTIONS, ', '"pledges", ACTIONS, version=2, '),
    ):
        assert before in text
        text = text.replace(before, after)
    file.write_text(text, "utf-8")


def install(folder: Path, packages: tuple[str, ...], project: Path) -> Path:
    """Make a folder as ``pip install --target`` leaves one."""
    info = folder / "coseal_contract_pledges-1.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: coseal-contract-pledges\nVersion: 1\n")
    points = "".join(f"{name.replace('_', '-')} = {name}:CONTRACT\n" for name in packages)
    (info / "entry_points.txt").write_text(f"[coseal.contracts]\n{points}")
    for name in packages:
        shutil.copytree(project / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    return folder


class Town:
    """A network whose members decide by the command line; ``run`` is a process without what is installed for nodes."""

    def __init__(self, cluster: Cluster, tmp_path: Path) -> None:
        self.cluster = cluster
        project = tmp_path / "project"
        shutil.copytree(EXAMPLE, project / FIRST, ignore=shutil.ignore_patterns("__pycache__"))
        second_version(project / SECOND)
        self.project = project
        self.installed = {
            packages: install(tmp_path / "-".join(packages), packages, project)
            for packages in ((FIRST,), (FIRST, SECOND), (SECOND,))
        }
        self.digests = {name: sources.digest(sources.read(project / name)) for name in (FIRST, SECOND)}

    def path(self, packages: tuple[str, ...]) -> str:
        return f"{self.installed[packages]}{os.pathsep}{ROOT}"

    def run(self, *words: str, code: int = 0) -> str:
        done = CliRunner().invoke(app, [*words])
        assert done.exit_code == code, done.output
        return " ".join(done.output.split())

    def process(self, packages: tuple[str, ...] | None, *words: str, code: int = 0) -> str:
        """Run a command in a process in which these packages are installed."""
        environment = {**os.environ, "PYTHONPATH": str(ROOT) if packages is None else self.path(packages)}
        command = [sys.executable, "-m", "coseal", *words]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120, check=False)
        assert done.returncode == code, done.stdout + done.stderr
        return " ".join(done.stdout.split())

    def govern(self, *words: str, code: int = 0) -> str:
        return self.run("governance", *words, "--dir", str(self.cluster.net.directory), code=code)

    def doctor(self, node: str, *, code: int = 0) -> list[dict[str, str]]:
        lines = json.loads(self.run("doctor", str(self.cluster.net.directory), "--json", code=code))["lines"]
        return [line for line in lines if line["node"] == node and line["check"] in ("contract", "status")]

    def left_out(self, name: str) -> list[Any]:
        """Return what a node's index has no rows of."""
        with closing(sqlite3.connect(self.cluster.entry(name).data / "index.sqlite")) as connection:
            return connection.execute("SELECT * FROM left_out").fetchall()

    def grow_to(self, height: int) -> None:
        while self.cluster.height("regulator") < height:
            assert self.cluster.submit("regulator", self.cluster.transaction("regulator"))

    def install(self, packages: tuple[str, ...], *names: str) -> None:
        """Install on nodes, one after another, and see that each says so on the chain."""
        for name in names:
            if self.cluster.processes[name].poll() is None:
                self.cluster.stop(name)
            self.cluster.settings[name] = {"PYTHONPATH": self.path(packages)}
            self.cluster.start(name)
            self.cluster.wait(
                lambda name=name: self.said(name) == [int(package[-1]) for package in packages],
                f"{name} says that it has {packages}",
            )

    def said(self, name: str) -> list[int]:
        nodes = (self.cluster.get("regulator", "/v1/nodes") or {"nodes": []})["nodes"]
        software = next((node.get("software", {}) for node in nodes if node["id"] == name), {})
        return [each["version"] for each in software.get("contracts", ())]

    def admit(self, package: str, height: int) -> str:
        """Propose sources and vote for them; return what the last vote shows."""
        subject = (f"version={package[-1]}", f"sha256={self.digests[package]}", f"height={height}")
        name = package.replace("_", "-")
        self.govern("propose", "add_contract", "name=pledges", *subject, "--id", name, "--as", "regulator")
        return self.govern("vote", name, "yes")

    def pledge(self, amount: int, bank: str = "bank-a") -> Any:
        words = ("receipt=WR-7", f"bank={bank}", f"amount={amount}", "until_ms=1900000000000")
        where = ("--as", "enterprise-a", "--dir", str(self.cluster.net.directory), "--json")
        environment = {**os.environ, "PYTHONPATH": self.path((FIRST, SECOND))}
        command = [sys.executable, "-m", "coseal", "submit", "pledges.pledge", *words, *where]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=False)
        return json.loads(done.stdout)


@pytest.fixture
def town(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Town]:
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    cluster = Cluster.make(tmp_path)
    cluster.start()
    cluster.wait_height(0)
    yield Town(cluster, tmp_path)
    cluster.close()


def test_a_contract_is_checked_installed_used_replaced_and_audited_over_both_versions(town: Town) -> None:
    cluster, folder = town.cluster, str(town.cluster.net.directory)
    checked = json.loads(town.process((FIRST,), "contract", "check", "pledges", "--json"))
    assert checked["contracts"][0]["sources"]["sha256"] == town.digests[FIRST]

    # nobody has it: the ballot is accepted, and void at its height
    height = cluster.height("regulator") + 10
    assert "0 of 4 validators have it, 3 are needed" in town.admit(FIRST, height)
    assert f"contract pledges version 1 is void at block {height}" in town.run("status", folder)
    town.grow_to(height)
    assert "void" in town.govern("show", FIRST.replace("_", "-"))
    assert cluster.get("bank-a", "/v1/status")["contracts"] == []

    # three have it: the fourth stops before the height, says what to install, and continues once it is
    town.install((FIRST,), *THREE)
    height = cluster.height("regulator") + 12
    subject = ("name=pledges", "version=1", f"sha256={town.digests[FIRST]}", f"height={height}")
    town.govern("propose", "add_contract", *subject, "--id", "again", "--as", "regulator")
    assert "3 of 4 validators have it, 3 are needed; bank-a lacks it" in town.govern("vote", "again", "yes")
    cluster.wait_one_tip()
    (line,) = [line for line in town.doctor(LATE, code=1) if line["check"] == "contract"]
    assert (line["verdict"], town.digests[FIRST] in line["todo"]) == ("bad", True)
    assert f"takes effect at block {height}; bank-a lacks it and will stop there" in town.run("status", folder)
    assert cluster.get("regulator", LISTED) is None  # not in force yet
    assert [b"coseal_contracts_missing 1.0" in cluster.raw(name, "/metrics") for name in (LATE, "regulator")] == [
        True,
        False,
    ]
    town.grow_to(height + 1)
    assert cluster.processes[LATE].wait(20) == Exit.RELEASE
    reason = f"block {height} needs contract pledges version 1 with SHA-256 {town.digests[FIRST]}, which is not"
    assert reason in town.doctor(LATE, code=1)[0]["text"]
    assert town.pledge(50_000)["status"] == "committed"
    town.install((FIRST,), LATE)
    cluster.wait_one_tip()
    assert cluster.get(LATE, "/v1/status")["contracts"][0]["in_force"]

    # used, and replaced: the second version reads what the first one wrote
    assert town.pledge(1)["receipt"]["code"] == "pledged_already"
    town.install((FIRST, SECOND), *THREE, LATE)
    height = cluster.height("regulator") + 12
    assert "4 of 4 validators have it" in town.admit(SECOND, height)
    town.grow_to(height - 1)
    raised = town.pledge(7)["receipt"]
    assert (raised["code"], raised["data"]["amount"]) == ("ok", 50_007)
    assert town.pledge(7, bank="central-bank")["receipt"]["code"] == "pledged_already"
    cluster.wait_one_tip()

    # shown over both, by every node and to whoever has both; an index without the first says what it lacks
    for name in (*THREE, LATE):
        (entry,) = cluster.get(name, f"{LISTED}?consistent=true")["pledges.receipts"]
        assert (entry["receipt"], entry["amount"], entry["status"]) == ("WR-7", 50_007, "pledged")
        assert cluster.get(name, "/v1/status")["index"]["left_out"] == 0, town.left_out(name)
    where = ("--dir", folder, "--json")
    assert json.loads(town.process((FIRST, SECOND), "list", "pledges.receipts", *where)) == [entry]
    for packages, left, reason in (((FIRST, SECOND), 0, ""), ((SECOND,), 1, NOT_INSTALLED)):
        index = str(town.project.parent / f"{len(packages)}.sqlite")
        synced = json.loads(town.process(packages, "index", "sync", folder, "--db", index, "--json"))
        assert [each[-1] for each in synced["left_out"]] == ["pledges"] * left
        query = "SELECT version, reason, amount FROM contracts, pledges__receipts ORDER BY version"
        rows = json.loads(town.process(None, "sql", query, "--db", index, "--json"))["rows"]
        assert rows == [[1, reason, 50_007], [2, "", 50_007]]

    # audited over both, by whoever has both; anyone else is told what to install
    data = str(cluster.entry("regulator").data)
    genesis = str(cluster.net.directory / "genesis.json")
    audit = ("audit", data, "--genesis", genesis, "--level", "replay")
    assert "replay" in town.process((FIRST, SECOND), *audit)
    without = town.process((SECOND,), *audit, code=2)
    assert f"pledges version 1 with SHA-256 {town.digests[FIRST]}" in without
