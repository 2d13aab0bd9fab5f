"""The four failures: each shows itself, and is gone when it is mended."""

from __future__ import annotations

from typing import Any

import pytest

from coseal.contracts.kernel.action import Reader
from coseal.contracts.mission import checks
from coseal.contracts.mission.failure import CHECKS
from coseal.contracts.mission.seen import MAX_READS
from tests.support.missions import DAY_MS, REASON, Missions, computed, day, greatest, reported
from tests.support.participation import NAME, Consulted, entry

LONG = 3_660 * DAY_MS


@pytest.fixture
def scene() -> Missions:
    return Missions()


def codes(scene: Missions, *, verdict: str = "failed") -> set[tuple[str, ...]]:
    """Return what is found, as (code, about..)."""
    reader: Reader = scene.chain.executor.reader
    found = checks.failures(reader, "m", scene.chain.executor.time_ms)
    assert found is not None
    for one in found:
        assert one.check in CHECKS
        assert one.keys
        assert len(set(one.keys)) == len(one.keys)
        assert all(reader.get(key) is not None for key in one.keys if not key.startswith("mission/evaluated/"))
    return {(one.code, *one.about) for one in found if one.verdict == verdict}


def passed(scene: Missions, policy: str, member: str, *, link: bool = True, **more: Any) -> None:
    """Publish a policy, and link it to the goal."""
    scene.publish(policy, member, is_about=["payments"], **more)
    if link:
        scene.ok("regulator", "link", mission="m", policy=policy, goal="use", role="regulation")


def in_force(scene: Missions, policy: str, member: str, **more: Any) -> None:
    passed(scene, policy, member, **more)
    dates = {"date_publication": "2020-01-02", "first_date_entry_in_force": "2020-01-03"}
    scene.ok(member, "policy.promulgate", id=policy, **dates)


def revise(scene: Missions, **changes: Any) -> None:
    scene.ok("regulator", "revise", mission="m", reason=REASON, **changes)


def test_a_mission_that_is_not_there_has_no_failures(scene: Missions) -> None:
    assert checks.failures(scene.chain.executor.reader, "none", 0) is None


# Directional


def test_a_goal_without_an_indicator() -> None:
    scene = Missions(opened=False)
    scene.open(goals=[{"id": "use", "title": "U"}])
    assert ("goal_without_indicator", "use") in codes(scene)
    revise(scene, goals=[{"id": "use", "title": "U", "indicators": {"wallets": "up"}}])
    assert ("goal_without_indicator", "use") not in codes(scene)


def test_a_goal_without_an_instrument_in_force(scene: Missions) -> None:
    assert ("goal_without_instrument", "use") in codes(scene)
    passed(scene, "p", "central-bank")
    assert ("goal_without_instrument", "use") in codes(scene)
    in_force(scene, "q", "central-bank")
    assert ("goal_without_instrument", "use") not in codes(scene)


def test_it_is_unknown_whether_what_was_recorded_without_dates_serves(scene: Missions) -> None:
    recorded = {"id": "r", "title": "R", "passed_by": ["PBC"], "countersigned_by": ["co-issuers not named"]}
    recorded |= {"events": [], "is_about": ["payments"], "level": "central"}
    args = {"source": "S", "source_sha256": "00" * 32, "instruments": [recorded]}
    scene.ok("regulator", "policy.record", **args)
    scene.ok("regulator", "link", mission="m", policy="r", goal="use", role="regulation")
    assert ("goal_without_instrument", "use") not in codes(scene)
    assert ("goal_without_instrument", "use") in codes(scene, verdict="unknown")
    in_force(scene, "p", "central-bank")
    assert ("horizontal", "use", "r", "p") not in codes(scene)
    assert ("horizontal", "use", "r", "p") in codes(scene, verdict="unknown")


def test_an_indicator_without_baseline_and_target() -> None:
    scene = Missions(opened=False)
    scene.open(indicators=[reported()])
    assert codes(scene) >= {("indicator_without_baseline", "wallets"), ("indicator_without_target", "wallets")}
    start = scene.chain.executor.time_ms
    line = {"baseline": [0, day(start)], "targets": [[9, day(start + 400 * DAY_MS)]]}
    revise(
        scene,
        indicators=[reported("shops", **line)],
        goals=[{"id": "use", "title": "U", "indicators": {"shops": "up"}}],
    )
    assert not {code for code, *_ in codes(scene)} & {"indicator_without_baseline", "indicator_without_target"}


def test_a_value_off_the_line_between_targets(scene: Missions) -> None:
    scene.wait(200 * DAY_MS)
    assert ("off_path", "wallets") in codes(scene, verdict="unknown")
    assert scene.report(10).ok
    assert ("off_path", "wallets") in codes(scene)
    assert scene.report(60, scene.today, corrects=1).ok
    assert ("off_path", "wallets") not in codes(scene) | codes(scene, verdict="unknown")
    scene.wait(300 * DAY_MS)
    assert scene.report(99).ok
    assert ("off_path", "wallets") in codes(scene)
    assert scene.report(100, scene.today, corrects=3).ok
    assert ("off_path", "wallets") not in codes(scene)


def test_the_line_is_exact_in_integers() -> None:
    points = [(0, 0), (3, 10), (5, 0)]
    assert [checks.expected(points, at) for at in (-1, 0, 1, 3, 4, 5, 9)] == [
        None,
        (0, 3),
        (10, 3),
        (20, 2),
        (10, 2),
        (0, 1),
        (0, 1),
    ]


def test_a_count_that_is_to_fall_and_does_not() -> None:
    scene = Missions(opened=False)
    start = scene.chain.executor.time_ms
    scene.publish("a", is_about=["payments"])
    falling = computed("wallets", "policies", "area", "payments", direction="down")
    scene.open(indicators=[{**falling, "targets": [[0, day(start + 100 * DAY_MS)]]}])
    scene.wait(90 * DAY_MS)
    assert {("off_path", "wallets"), ("indicator_unchanged", "wallets")} <= codes(scene)
    found = checks.failures(scene.chain.executor.reader, "m", scene.chain.executor.time_ms) or []
    shown = {one.code: one.keys for one in found}
    counter = "policy/statistics/area/value/payments"
    assert shown["off_path"] == shown["indicator_unchanged"] == ("mission/indicator/m/wallets", counter)


def test_goals_with_opposite_directions(scene: Missions) -> None:
    goals = [{"id": goal, "title": "G", "indicators": {"wallets": way}} for goal, way in (("a", "up"), ("b", "down"))]
    revise(scene, goals=goals)
    assert ("opposed_goals", "wallets", "a", "b") in codes(scene)
    revise(scene, goals=goals[:1])
    assert not [found for found in codes(scene) if found[0] == "opposed_goals"]


# Demand articulation


def test_who_was_asked_who_said_nothing_and_what_was_not_answered() -> None:
    asked = Consulted(opened=False)
    scene = Missions(asked.chain)
    assert ("not_consulted",) in codes(scene)
    asked.gateway("public-a")
    asked.draft("p")
    scene.ok("regulator", "link", mission="m", policy="p", goal="use", role="regulation")
    assert ("not_consulted",) in codes(scene)
    asked.open(subject="p")
    assert not {code for code, *_ in codes(scene)} & {"not_consulted", "silent_constituency"}
    asked.receive([entry(1), entry(2, **{"class": "enterprise"})])
    asked.wait(31 * DAY_MS + 1)
    assert ("silent_constituency", "institute") in codes(scene)
    assert not {("silent_constituency", "public"), ("silent_constituency", "enterprise")} & codes(scene)
    asked.receive([entry(3, **{"class": "institute"})], 3)
    assert ("silent_constituency", "institute") not in codes(scene)
    assert ("unanswered_comments", NAME) not in codes(scene)
    asked.wait(60 * DAY_MS)
    assert ("unanswered_comments", NAME) in codes(scene)
    asked.do("theme", titles=["Duties"])
    asked.do("assign", assignments=[["public-a", number, 1] for number in (1, 2, 3)])
    asked.do("answer", theme=1, outcome="noted", reason=REASON)
    asked.wait(8 * DAY_MS)
    asked.do("conclude")
    assert ("unanswered_comments", NAME) not in codes(scene)


# Coordination


def test_bodies_that_do_not_know_of_each_other(scene: Missions) -> None:
    in_force(scene, "p", "central-bank")
    in_force(scene, "q", "regulator")
    assert ("horizontal", "use", "p", "q") in codes(scene)
    passed(scene, "r", "regulator", passed_by=["regulator", "central-bank"])
    assert ("horizontal", "use", "p", "q") not in codes(scene)


def test_policies_that_name_each_other_or_are_about_something_else(scene: Missions) -> None:
    in_force(scene, "p", "central-bank")
    in_force(scene, "q", "regulator", cites=["p"])
    scene.publish("s", "regulator", is_about=["lending"])
    scene.ok("regulator", "link", mission="m", policy="s", goal="use", role="regulation")
    assert not [found for found in codes(scene) if found[0] == "horizontal"]


def test_a_city_that_acts_alone(scene: Missions) -> None:
    in_force(scene, "p", "central-bank")
    assert ("one_level", "use", "central") in codes(scene)
    passed(scene, "c", "city")
    assert ("municipal_without_approval", "c") in codes(scene)
    scene.ok("regulator", "policy.approve", id="c", date="2020-01-01")
    assert ("municipal_without_approval", "c") not in codes(scene)
    dates = {"date_publication": "2020-01-02", "first_date_entry_in_force": "2020-01-03"}
    scene.ok("city", "policy.promulgate", id="c", **dates)
    assert ("one_level", "use", "central") not in codes(scene)
    assert ("vertical", "c") in codes(scene)
    scene.ok("city", "policy.repeal", id="c", date_no_longer_in_force=scene.today)
    scene.wait(2 * DAY_MS)
    passed(scene, "d", "city", implements=["p"])
    scene.ok("regulator", "policy.approve", id="d", date="2020-01-01")
    scene.ok("city", "policy.promulgate", id="d", **dates)
    assert not [found for found in codes(scene) if found[0] in ("vertical", "one_level")]


def test_an_endorsement_that_is_awaited_for_long(scene: Missions) -> None:
    passed(scene, "p", "regulator", passed_by=["regulator", "central-bank"], date_document=scene.today)
    assert ("endorsement_awaited", "p") not in codes(scene)
    scene.wait(61 * DAY_MS)
    assert ("endorsement_awaited", "p") in codes(scene)
    scene.ok("central-bank", "policy.endorse", id="p")
    assert ("endorsement_awaited", "p") not in codes(scene)


# Reflexivity


def test_reports_evaluations_and_answers_that_stay_away(scene: Missions) -> None:
    scene.wait(31 * DAY_MS)
    assert ("report_overdue", "wallets") in codes(scene)
    assert scene.report(10).ok
    assert ("report_overdue", "wallets") not in codes(scene)
    scene.wait(366 * DAY_MS)
    date = scene.dates[0]
    assert ("evaluation_overdue", date) in codes(scene)
    assert scene.evaluate().ok
    assert ("evaluation_overdue", date) not in codes(scene)
    assert ("recommendation_unanswered", "1") not in codes(scene)
    scene.wait(61 * DAY_MS)
    assert ("recommendation_unanswered", "1") in codes(scene)
    answers = [{"outcome": "adopted", "reason": REASON}]
    scene.ok("regulator", "answer", mission="m", evaluation=1, answers=answers)
    assert ("recommendation_unanswered", "1") not in codes(scene)


def test_a_goal_that_was_not_met_and_nothing_changed(scene: Missions) -> None:
    scene.wait(366 * DAY_MS)
    assert scene.evaluate(goals={"use": {"verdict": "not_met", "reason": REASON}}, recommendations=[]).ok
    assert ("not_met_without_revision", "use") not in codes(scene)
    scene.wait(181 * DAY_MS)
    assert ("not_met_without_revision", "use") in codes(scene)
    revise(scene, goals=[{"id": "use", "title": "It is used more", "indicators": {"wallets": "up"}}])
    assert ("not_met_without_revision", "use") not in codes(scene)


def test_an_indicator_that_stands_still(scene: Missions) -> None:
    scene.wait(31 * DAY_MS)
    assert scene.report(0).ok
    assert ("indicator_unchanged", "wallets") in codes(scene)
    scene.wait(31 * DAY_MS)
    assert scene.report(1).ok
    assert ("indicator_unchanged", "wallets") not in codes(scene)


# Bounds


class Counted:
    """A reader that counts."""

    def __init__(self, values: dict[str, Any]) -> None:
        self.values, self.reads = values, 0

    def get(self, key: str) -> Any:
        self.reads += 1
        return self.values.get(key)


def test_the_greatest_mission_is_checked_with_few_reads() -> None:
    values, now_ms = greatest()
    reader = Counted(values)
    found = checks.failures(reader, "m", now_ms)
    assert found
    assert reader.reads <= MAX_READS
    assert {one.check for one in found} == set(CHECKS)
