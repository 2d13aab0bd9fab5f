"""Cases of missions: the greatest mission opened, revised and evaluated, and its reports overdue in one block."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from bench.budget.scene import Result, Scene, time_case
from coseal.contracts.kernel.dates import DAY_MS
from coseal.contracts.mission.evaluating import MAX_RECOMMENDATIONS
from coseal.contracts.mission.fields import (
    MAX_EVALUATIONS,
    MAX_GOAL_INDICATORS,
    MAX_GOALS,
    MAX_INDICATORS,
    MAX_TARGETS,
)
from coseal.ledger.render import time_text

OWNER: Final = "central-bank"
EVALUATOR: Final = "regulator"
REPORTER: Final = "bank-a"
NAMES: Final = [f"indicator {number}" for number in range(MAX_INDICATORS)]


def greatest(now_ms: int, name: str, **source: Any) -> dict[str, Any]:
    """Return a mission with as much of everything as there may be; its indicators are due each day."""

    def days(count: int) -> list[str]:
        return [time_text(now_ms + (200 + 30 * number) * DAY_MS)[:10] for number in range(count)]

    wanted = dict.fromkeys(NAMES[:MAX_GOAL_INDICATORS], "up")
    goals = [{"id": f"goal {number}", "title": "G", "indicators": wanted} for number in range(MAX_GOALS)]
    said: dict[str, Any] = {
        "title": "I",
        "unit": "of them",
        "direction": "up",
        "every_ms": DAY_MS,
        "baseline": [0, "2020-01-01"],
    }
    said["targets"] = [[number, date] for number, date in enumerate(days(MAX_TARGETS))]
    args: dict[str, Any] = {
        "mission": name,
        "title": "M",
        "orientation": ["economy"],
        "type": "framework",
        "from": "2020-01-01",
    }
    args |= {"to": "2099-12-31", "goals": goals, "indicators": [{"name": each, **said, **source} for each in NAMES]}
    soon = [time_text(now_ms + 2 * DAY_MS)[:10], *days(MAX_EVALUATIONS - 1)]
    return {**args, "evaluations": soon}


def missions() -> Iterator[Result]:
    """Missions: 64 indicators opened, revised and evaluated, 64 reports overdue."""
    scene = Scene()
    now_ms = scene.chain.executor.time_ms
    reported = greatest(now_ms, "reported", reporters=[REPORTER])
    computed = greatest(now_ms, "computed", source=["tally", "bench", "case", "c", "sum"])
    for args, name in ((reported, "a mission of 64 reported indicators"), (computed, "a mission of 64 computed ones")):
        yield time_case(name, scene, scene.chain.signed(OWNER, "mission.open", args))
        scene.must(OWNER, "mission.open", args)
    report = {"mission": "reported", "indicator": NAMES[0], "value": 1, "date": "2020-01-01", "evidence": ["00" * 32]}
    yield time_case("a report", scene, scene.chain.signed(REPORTER, "mission.report", report))
    targets = {each["name"]: [*each["targets"][:-1], [9, "2098-12-31"]] for each in reported["indicators"]}
    revise = {"mission": "reported", "reason": "R", "targets": targets, "goals": reported["goals"]}
    yield time_case("targets of 64 indicators", scene, scene.chain.signed(OWNER, "mission.revise", revise))
    yield time_case("64 reports are overdue", scene, after_ms=DAY_MS)
    scene.commit(after_ms=2 * DAY_MS)
    goals = {goal["id"]: {"verdict": "met", "reason": "R"} for goal in computed["goals"]}
    evaluate: dict[str, Any] = {"mission": "computed", "date": computed["evaluations"][0], "goals": goals}
    evaluate["recommendations"] = [f"R{number}" for number in range(MAX_RECOMMENDATIONS)]
    yield time_case(
        "64 indicators at an evaluation", scene, scene.chain.signed(EVALUATOR, "mission.evaluate", evaluate)
    )
