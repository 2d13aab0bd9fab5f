"""Results are kept as they are measured, and continued only where they belong."""

from __future__ import annotations

import json
from pathlib import Path

from bench.results import Results

ABOUT = {"commit": "abc"}


def test_what_was_measured_is_there_after_an_interruption(tmp_path: Path) -> None:
    Results(tmp_path / "full.json", ABOUT, "abc on this").add("n=4", {"figures": {}})
    again = Results(tmp_path / "full.json", ABOUT, "abc on this")
    assert "n=4" in again
    assert again["n=4"] == {"figures": {}}
    assert "n=7" not in again


def test_figures_of_another_commit_or_machine_are_put_aside(tmp_path: Path) -> None:
    path = tmp_path / "full.json"
    Results(path, ABOUT, "abc on this").add("n=4", 1)
    later = Results(path, ABOUT, "abc on that")
    assert "n=4" not in later
    later.add("n=7", 2)
    assert json.loads(path.read_text())["measured"] == {"n=7": 2}
    assert json.loads((tmp_path / "full.before.json").read_text())["measured"] == {"n=4": 1}
