"""The compiled build and the sources give the same: `make compiled-check` runs this with the former."""

from __future__ import annotations

import importlib
import os
import subprocess
import sys
import tomllib

import pytest

from coseal.ledger.build import BUILD
from tests.supply.closure import ROOT
from tests.supply.disturbed import RAISED
from tests.supply.outcomes import TIMES, TOPICS

HOOK = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["hatch"]["build"]["targets"]["wheel"][
    "hooks"
]
MODULES = [
    ".".join(path.relative_to(ROOT).with_suffix("").parts)
    for pattern in HOOK["custom"]["compiled"]
    for path in sorted(ROOT.glob(pattern))
    if path.name != "__init__.py"
]
only_compiled = pytest.mark.skipif(BUILD != "compiled", reason="sources run here; make compiled-check compares")


def test_no_binary_lies_beside_the_sources() -> None:
    assert [path for package in ("ledger", "contracts", "node") for path in (ROOT / package).rglob("*.so")] == []


def test_what_is_compiled_exists_and_stands_once() -> None:
    assert all(sorted(ROOT.glob(pattern)) for pattern in HOOK["custom"]["compiled"])
    assert len(MODULES) == len(set(MODULES)) > 40


@only_compiled
def test_all_that_is_named_is_compiled() -> None:
    files = [importlib.import_module(name).__file__ or "" for name in MODULES]
    assert [file for file in files if not file.endswith(".so")] == []


@only_compiled
@pytest.mark.parametrize("topic", TOPICS)
def test_both_builds_come_to_the_same(topic: str) -> None:
    lines, expected = outcomes(topic, os.environ["PYTHONPATH"]), outcomes(topic, str(ROOT))
    assert len(expected) > 3
    assert [line for line in expected if RAISED in line] == []
    differ = [pair for pair in zip(lines, expected, strict=True) if pair[0] != pair[1]]
    assert not differ, "\n".join(f"compiled: {one}\n sources: {other}" for one, other in differ[:5])


def outcomes(topic: str, path: str) -> list[str]:
    """Return what the build on this path makes of a topic, line by line, and which build it was."""
    code = f"""
from coseal.ledger.build import BUILD
from tests.supply.outcomes import TOPICS
print(BUILD)
for line in TOPICS[{topic!r}](): print(line)
"""
    environment = {**os.environ, "PYTHONPATH": path, "PYTHONSAFEPATH": "1"}
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=300 * TIMES,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    build, *lines = done.stdout.splitlines()
    assert build == ("sources" if path == str(ROOT) else "compiled")
    return lines
