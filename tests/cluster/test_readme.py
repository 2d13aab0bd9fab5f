"""The README's tour, done as it is written."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cluster.network import reserve_ports
from tests.cluster.shown import follow, shown
from tests.cluster.test_command_line import coseal

pytestmark = [pytest.mark.cluster, pytest.mark.slow]

README = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")


def test_every_command_of_the_tour_does_what_the_readme_shows(tmp_path: Path) -> None:
    tour = README.split("## A tour")[1].split("\n## ")[0]
    assert len(shown(tour)) >= 13
    base_port, _ = reserve_ports(4)
    try:
        follow(tour, tmp_path, base_port=base_port)
    finally:
        coseal("down", tmp_path / "coseal-net")
