"""The pages of missions: their list, and of one what fails, its indicators on their path, its dates and answers."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path

from coseal.console.texts import CATALOGUE
from coseal.contracts.mission.failure import CHECKS, FAILED, UNKNOWN
from tests.console import visiting
from tests.console.test_standards import section, words
from tests.console.visiting import See
from tests.support.genesis import make_genesis
from tests.support.missions import DAY_MS, REASON, Missions
from tests.support.specifications import codes_in, specification
from tests.support.specifications import section as part_of

PAGE = "/missions/m"


def visit(folder: Path, scenario: Callable[[Missions, See], Awaitable[None]]) -> None:
    """Let a scenario see a console of one node on whose chain there is a mission."""
    genesis = make_genesis(name="missions")
    visiting.visit(folder, Missions, lambda scene, see, _: scenario(scene, see), genesis=genesis)


def test_what_fails_is_shown_until_it_is_mended(tmp_path: Path) -> None:
    async def scenario(scene: Missions, see: See) -> None:
        listed = await see("/missions")
        assert 'href="/missions/m"' in listed
        assert "A mission" in words(section(listed, "missions-list"))
        failures = section(await see(PAGE), "missions-failures")
        assert 'class="seal verified"' in failures
        assert "No policy in force serves a goal use fails" in words(failures)
        assert "mission/mission/m" in failures
        assert "overdue" not in words(failures), "the time is that of the block"
        scene.publish(is_about=["payments"])
        dates = {"date_publication": "2020-01-02", "first_date_entry_in_force": "2020-01-03"}
        scene.ok("central-bank", "policy.promulgate", id="p", **dates)
        scene.ok("regulator", "link", mission="m", policy="p", goal="use", role="funding")
        assert "No policy in force serves a goal" not in words(section(await see(PAGE), "missions-failures"))

    visit(tmp_path, scenario)


def test_values_stand_beside_the_path_and_dates_and_answers_below(tmp_path: Path) -> None:
    async def scenario(scene: Missions, see: See) -> None:
        scene.wait(40 * DAY_MS)
        text = await see(PAGE)
        assert "report is due wallets missed 1 times" in words(section(text, "missions-calendar"))
        assert scene.report(10).ok
        scene.wait(327 * DAY_MS)
        assert scene.evaluate().ok
        answers = [{"outcome": "rejected", "reason": REASON}]
        text = await see(PAGE)
        assert "use: partly met answer awaited –" in words(section(text, "missions-answers"))
        scene.ok("regulator", "answer", mission="m", evaluation=1, answers=answers)
        text = await see(PAGE)
        paths = section(text, "missions-paths")
        assert "Path of the targets" in words(paths)
        assert "<title>Values, 2023-12-24: 10</title>" in paths
        assert "evaluated by institute-a" in words(section(text, "missions-calendar"))
        assert "use: partly met answered not adopted" in words(section(text, "missions-answers"))

    visit(tmp_path, scenario)


def test_every_finding_has_words() -> None:
    codes = codes_in(part_of(specification("mission"), "Failures"), 2)
    assert len(codes) > 18
    wanted = [f"missions.code.{code}" for code in codes]
    wanted += [f"missions.check.{check}" for check in CHECKS] + [f"missions.verdict.{one}" for one in (FAILED, UNKNOWN)]
    assert [key for key in wanted if key not in CATALOGUE] == []
