"""The pages of projects in a real browser, on a chain in memory on which a panel refused one and certified another."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.console.conftest import Visit
from tests.console.served import Served, served
from tests.contracts.certification.test_funding import FIRST, SECOND, Funded
from tests.node.http.world import World
from tests.support.genesis import ROLES, make_genesis
from tests.support.panelled import review

pytestmark = pytest.mark.browser


def _judge(name: str) -> dict[str, Any]:
    """Refute the load test, but for reviewers of academia, who dissent."""
    if name.startswith(("institute", "public")):
        return {**review(), "dissent": "The load test was repeated, and held"}
    return review(score=2, Load_Test="refuted")


def _play(world: World) -> None:
    """Have a project refused with two tranches pledged, and another one argued for."""
    scene = Funded(chain=world.chain)
    scene.admitted(tranches=[FIRST, SECOND])
    scene.pledge(1)
    scene.pledge(2)
    scene.reviewed(_judge).decided("refused")
    scene.apply("second", "bank-c")


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """The console of the scene, on a port of its own."""
    genesis = make_genesis(name="panels", members=tuple(ROLES))
    with served(tmp_path_factory.mktemp("projects"), genesis, _play) as console:
        yield console


@pytest.mark.parametrize("path", ["/projects", "/projects/clearing", "/projects/second"])
def test_a_page_of_projects_can_be_read_by_everybody(look: Any, path: str) -> None:
    look(path)


def test_the_way_to_the_leaf_that_broke_a_project_is_open_and_folds_by_keyboard(visit: Visit) -> None:
    page = visit("/projects/clearing")
    leaf = page.locator('[id="node-Load-Test"]')
    assert leaf.is_visible()
    folded = page.locator('[id="node-Load"] > details')
    assert folded.get_attribute("open") is not None
    folded.locator("summary").first.focus()
    page.keyboard.press("Enter")
    assert folded.get_attribute("open") is None
    assert not leaf.is_visible()
    _renew(page)
    assert folded.get_attribute("open") is None


def _renew(page: Any) -> None:
    """Have the page renewed whole, as after a block that changed it."""
    page.route("**/projects/clearing", lambda route: route.continue_(headers=_unseen(route.request.headers)))
    page.evaluate(
        """() => new Promise((done) => {
            document.addEventListener("renewed", done, { once: true });
            dispatchEvent(new PageTransitionEvent("pageshow", { persisted: true }));
        })"""
    )


def _unseen(headers: dict[str, str]) -> dict[str, str]:
    return {name: value for name, value in headers.items() if name != "coseal-seen"}
