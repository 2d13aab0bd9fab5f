"""The units of deploy/systemd, as systemd reads them and as the node's exit statuses ask for."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from coseal.node.exits import Exit

UNITS = sorted((Path(__file__).resolve().parent.parent / "deploy" / "systemd").glob("*.service"))
NODE, SIGNER = (next(unit for unit in UNITS if unit.name == f"coseal-{name}@.service") for name in ("node", "signer"))
FINAL = {Exit.USAGE, Exit.HALTED, Exit.RELEASE}
"""After these, starting again changes nothing."""


def values(unit: Path, name: str) -> list[str]:
    """Return all values of a setting, which may stand in several lines."""
    lines = unit.read_text("utf-8").splitlines()
    return [line.partition("=")[2] for line in lines if line.startswith(f"{name}=")]


def systemd_analyze(*words: str) -> subprocess.CompletedProcess[str]:
    program = shutil.which("systemd-analyze")
    if program is None:
        pytest.skip("systemd-analyze is not there (apt-get install systemd)")
    return subprocess.run([program, *words], capture_output=True, text=True, timeout=60, check=False)


def here(unit: Path, folder: Path) -> str:
    """Return a copy of a unit whose program exists on this machine."""
    (program,) = (line.split()[0] for line in values(unit, "ExecStart"))
    path = folder / unit.name
    path.write_text(unit.read_text("utf-8").replace(program, os.path.realpath(sys.executable)))
    return str(path)


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.name)
def test_systemd_finds_nothing_wrong_with_a_unit(unit: Path, tmp_path: Path) -> None:
    done = systemd_analyze("verify", here(unit, tmp_path))
    assert (done.returncode, done.stdout + done.stderr) == (0, "")


@pytest.mark.parametrize("unit", [NODE, SIGNER], ids=lambda unit: unit.name)
def test_systemd_calls_a_units_exposure_low(unit: Path, tmp_path: Path) -> None:
    done = systemd_analyze("security", "--offline=true", "--threshold=20", "--no-pager", here(unit, tmp_path))
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("unit", [NODE, SIGNER], ids=lambda unit: unit.name)
def test_a_unit_restarts_after_what_may_pass_and_not_after_what_will_not(unit: Path) -> None:
    assert values(unit, "Restart") == ["on-failure"]
    assert [{int(word) for word in line.split()} for line in values(unit, "RestartPreventExitStatus")] == [FINAL]


@pytest.mark.parametrize("unit", [NODE, SIGNER], ids=lambda unit: unit.name)
def test_a_unit_starts_what_the_node_software_knows(unit: Path) -> None:
    (line,) = values(unit, "ExecStart")
    words = line.replace("%i", "bank-a").split()
    done = subprocess.run(
        [sys.executable, *words[1:], "--help"], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    assert all(word in done.stdout for word in words if word.startswith("--"))


def test_the_node_does_not_see_the_users_keys_nor_the_signer_the_nodes() -> None:
    assert values(NODE, "InaccessiblePaths") == ["-/var/lib/coseal/members"]
    assert values(SIGNER, "InaccessiblePaths") == ["-/var/lib/coseal"]
    assert values(NODE, "User") != values(SIGNER, "User")
