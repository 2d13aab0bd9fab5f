"""The tutorials, done as they are written: on one network, in the order of the navigation, every output compared."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cluster.network import reserve_ports
from tests.cluster.shown import follow
from tests.cluster.test_command_line import coseal

pytestmark = [pytest.mark.cluster, pytest.mark.slow]

ROOT = Path(__file__).parents[2]
TUTORIALS = ROOT / "docs" / "tutorials"
PAGES = (
    "try-it",
    "integrate-python",
    "integrate-http",
    "supervise",
    "rules-from-a-log",
    "operate",
    "audit",
    "research",
    "standards",
    "money-and-trade",
    "certify-a-project",
    "write-a-contract",
)
FIRST, *OTHERS = PAGES


@pytest.fixture(scope="module")
def clone(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, int]]:
    """A folder such as a clone's, with the network of the first tutorial, and the network's first port."""
    folder = tmp_path_factory.mktemp("clone")
    (folder / "examples").symlink_to(ROOT / "examples")
    port, _ = reserve_ports(8)
    try:
        follow((TUTORIALS / f"{FIRST}.md").read_text("utf-8"), folder, base_port=port)
        yield folder, port
    finally:
        for network in ("coseal-net", "standards-net", "market-net", "town-net", "contract-net"):
            if (folder / network).exists():
                coseal("down", folder / network)


@pytest.mark.parametrize("name", OTHERS)
def test_a_reader_sees_what_the_tutorial_shows(name: str, clone: tuple[Path, int]) -> None:
    folder, port = clone
    follow((TUTORIALS / f"{name}.md").read_text("utf-8"), folder, base_port=port)


def test_every_tutorial_is_done() -> None:
    assert {path.stem for path in TUTORIALS.glob("*.md")} == set(PAGES)
