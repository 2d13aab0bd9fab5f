"""Missions of the source paper: the figures of the digital yuan, and Table 1 on virtual currency as instruments."""

from __future__ import annotations

from typing import Any

from coseal.contracts.mission import checks
from coseal.contracts.policy.instrument import UNNAMED_ISSUERS
from coseal.demo.policies import table1
from tests.support.missions import DAY_MS, Missions, computed, reported

FIGURES = {"scenarios": 8_085_100, "wallets": 261_000_000, "amount": 8_756_500_000_000}
"""Pilot of the digital yuan at 31 December 2021: scenarios, personal wallets, amount in fen."""
OF_TABLE_1 = ("policies", "area", "virtual currency")


def test_the_figures_of_the_digital_yuan_are_reported_at_their_day() -> None:
    scene = Missions(opened=False)
    indicators = [reported(name, every_ms=366 * DAY_MS) for name in FIGURES]
    goals = [{"id": "use", "title": "It is used in trade at retail", "indicators": dict.fromkeys(FIGURES, "up")}]
    scene.open(indicators=indicators, goals=goals)
    for name, value in FIGURES.items():
        assert scene.report(value, "2021-12-31", indicator=name).ok
    last = {name: scene.get(f"indicator/m/{name}")["last"] for name in FIGURES}
    assert last == {name: [value, "2021-12-31", 1] for name, value in FIGURES.items()}


def test_joint_issues_with_bodies_that_table_1_does_not_name_are_unknown_and_not_absent() -> None:
    scene = Missions(opened=False)
    goals: list[dict[str, Any]] = [{"id": "forbid", "title": "No virtual currency", "indicators": {"policies": "up"}}]
    scene.open(indicators=[computed("policies", *OF_TABLE_1)], goals=goals)
    args = table1()
    assert scene.ok("regulator", "policy.record", **args)["new"] == 10
    for policy in args["instruments"]:
        link = {"policy": policy["id"], "goal": "forbid", "role": "regulation"}
        scene.ok("regulator", "link", mission="m", **link)
    unnamed = {one["id"] for one in args["instruments"] if UNNAMED_ISSUERS in one.get("countersigned_by", ())}
    assert len(unnamed) == 6
    reader = scene.chain.executor.reader
    assert reader.get("policy/statistics/area/value/virtual currency") == 10
    found = checks.failures(reader, "m", scene.chain.executor.time_ms) or []
    pairs = [one for one in found if one.code == "horizontal"]
    assert any(unnamed & set(one.about) for one in pairs)
    assert {one.verdict for one in pairs} == {"unknown"}
    (served,) = [one for one in found if one.code == "goal_without_instrument"]
    assert served.verdict == "unknown", "the table says no entry into force"
