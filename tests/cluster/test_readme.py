"""The README's tour, run as it is written."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cluster.network import reserve_ports

pytestmark = pytest.mark.cluster

README = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")


def tour() -> list[tuple[str, str]]:
    """Return the tour's commands, each with the first line the README shows under it ("" for none)."""
    text = README.split("## A tour")[1].split("\n## ")[0]
    lines = [line[4:] for line in re.sub(r"\\\n\s*", "", text).splitlines() if line.startswith("    ")]
    shown = [*lines[1:], "$"]
    return [
        (line[2:], "" if after.startswith("$") else after)
        for line, after in zip(lines, shown, strict=True)
        if line.startswith("$ ")
    ]


def without_figures(line: str) -> str:
    """Return a line of output without what differs from run to run."""
    return re.sub(r"[0-9a-f]{8,}|\d+(\.\d+)? s\b|process \d+|\d{4}-\d\d-\d\dT[\d:.]+Z", "#", line)


def test_every_command_of_the_tour_does_what_the_readme_shows(tmp_path: Path) -> None:
    port = reserve_ports(4)[0]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("COSEAL_")}
    environment["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{environment['PATH']}"

    def run(command: str) -> subprocess.CompletedProcess[str]:
        words = ["bash", "-eo", "pipefail", "-c", command]
        return subprocess.run(
            words, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=120, check=False
        )

    commands = tour()
    assert len(commands) >= 10
    try:
        for command, first_line in commands:
            command = command.replace("coseal up", f"coseal up --base-port {port}").replace(":8600", f":{port}")
            done = run(command)
            expected = 1 if first_line.startswith("bad:") else 0
            assert done.returncode == expected, f"{command}\n{done.stdout}{done.stderr}"
            if first_line:
                said = [without_figures(line) for line in done.stdout.splitlines()]
                assert without_figures(first_line) in said, f"{command}\n{done.stdout}"
            if command.startswith("curl"):
                assert '"status":"committed"' in done.stdout
        (finding,) = re.findall(r"^ {6}(finding .*)$", README, re.MULTILINE)
        assert finding in done.stdout, done.stdout
    finally:
        run("coseal down")
