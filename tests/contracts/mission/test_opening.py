"""Missions opened by authority and by ballot, and revised by their owners."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.missions import DAY_MS, Missions, computed, day, reported


@pytest.fixture
def scene() -> Missions:
    return Missions(opened=False)


def test_a_mission_says_what_it_was_opened_with_and_is_counted(scene: Missions) -> None:
    assert scene.open() == {"mission": "m", "number": 1, "version": 1}
    assert scene.open("n", "central-bank")["number"] == 2
    record = scene.get("mission/m")
    assert (record["member"], record["indicators"], record["version"]) == ("regulator", ["wallets"], 1)
    assert (scene.get("count"), scene.get("number/1"), scene.get("number/2")) == (2, "m", "n")
    first = scene.get("version/m/1")
    assert (first["goals"], list(first["targets"])) == (record["goals"], ["wallets"])
    assert scene.get("indicator/m/wallets")["due_ms"] == record["time_ms"] + 30 * DAY_MS


@pytest.mark.parametrize(
    ("member", "changes", "code"),
    [
        ("city", {}, "ok"),
        ("bank-a", {}, "forbidden"),
        ("institute-a", {}, "forbidden"),
        ("city", {"mission": "there"}, "exists"),
        ("city", {"basis": "none"}, "unknown_policy"),
        ("city", {"basis": "p"}, "ok"),
        ("city", {"indicators": [reported(reporters=["nobody"])]}, "unknown_member"),
        ("city", {"from": "2000-01-01", "evaluations": ["2020-01-01"]}, "past_date"),
        ("city", {"evaluations": ["1999-01-01"]}, "invalid_argument"),
        ("city", {"to": "2001-01-01"}, "invalid_argument"),
        ("city", {"indicators": []}, "invalid_argument"),
        ("city", {"indicators": [reported(), reported()]}, "invalid_argument"),
        ("city", {"indicators": [reported(source=["items", "x"])]}, "invalid_argument"),
        ("city", {"indicators": [reported(reporters=None)]}, "invalid_argument"),
        (
            "city",
            {"indicators": [reported(baseline=[1, "2030-01-01"], targets=[[2, "2030-01-01"]])]},
            "invalid_argument",
        ),
        ("city", {"goals": [{"id": "g", "title": "G"}] * 2}, "invalid_argument"),
        ("city", {"goals": [{"id": "g", "title": "G", "indicators": {"none": "up"}}]}, "invalid_argument"),
    ],
)
def test_a_mission_is_refused_by_what_is_wrong_with_it(
    scene: Missions, member: str, changes: dict[str, Any], code: str
) -> None:
    scene.open("there", "city")
    scene.publish()
    assert scene.code(member, "open", **scene.args(**changes)) == code


def test_others_open_a_mission_by_ballot_and_own_it(scene: Missions) -> None:
    subject = scene.args()
    made = scene.submit("bank-a", "governance.propose", id="x", kind="open_mission", subject=subject)
    assert made.ok, made.detail
    for member in ("central-bank", "regulator", "enterprise-a"):
        if scene.ok(member, "governance.vote", ballot="x", choice="yes")["status"] != "open":
            break
    assert (scene.get("mission/m")["member"], scene.get("mission/m")["ballot"]) == ("bank-a", "x")
    begun = scene.wait(1)
    assert [one["mission"] for one in begun["missions"]] == ["m"]
    assert [one["name"] for one in begun["indicators"]] == ["wallets"]
    assert scene.propose("open_mission", **subject).code == "exists"
    assert scene.propose("open_mission", **{**subject, "to": "2001-01-01"}).code == "invalid_argument"


def test_a_computed_indicator_keeps_its_value_of_the_day_it_was_set(scene: Missions) -> None:
    scene.publish(is_about=["payments"])
    counted = computed("n", "policies", "area", "payments")
    scene.open(indicators=[counted, computed("z", "items", "none")], goals=[{"id": "g", "title": "G"}])
    assert (scene.get("indicator/m/n")["first"], scene.get("indicator/m/z")["first"]) == (1, 0)


# Revising


def test_a_revision_is_another_version_and_the_old_one_stays() -> None:
    scene = Missions()
    before, start = scene.get("version/m/1"), scene.get("mission/m")["time_ms"]
    targets = [[200, day(start + 400 * DAY_MS)]]
    goals = [{"id": "use", "title": "It is used more", "indicators": {"wallets": "up", "shops": "up"}}]
    revised = {"goals": goals, "targets": {"wallets": targets}, "indicators": [reported("shops")]}
    dates = [scene.dates[0], day(start + 500 * DAY_MS)]
    said = scene.ok("regulator", "revise", mission="m", reason="It grew", evaluations=dates, **revised)
    assert said == {"mission": "m", "version": 2}
    assert scene.get("version/m/1") == before
    after = scene.get("version/m/2")
    assert (after["reason"], after["targets"], after["evaluations"]) == ("It grew", {"wallets": targets}, dates)
    assert scene.get("indicator/m/wallets")["targets"] == targets
    assert scene.get("mission/m")["indicators"] == ["wallets", "shops"]


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({}, "invalid_argument"),
        ({"targets": {"none": [[1, "2090-01-01"]]}}, "unknown_indicator"),
        ({"targets": {"wallets": [[1, "2090-01-02"], [2, "2090-01-01"]]}}, "invalid_argument"),
        ({"targets": {"wallets": [[1, "2001-01-01"]]}}, "too_late"),
        ({"goals": [{"id": "g", "title": "G", "indicators": {"none": "up"}}]}, "unknown_indicator"),
        ({"indicators": [reported()]}, "exists"),
        ({"indicators": [reported(f"i{number}") for number in range(64)]}, "limit"),
        ({"indicators": [reported("x", reporters=["nobody"])]}, "unknown_member"),
        ({"evaluations": ["2001-01-01"]}, "invalid_argument"),
        ({"goals": [{"id": "g", "title": "G"}], "after": 1}, "unknown_evaluation"),
        ({"goals": [{"id": "g", "title": "G"}]}, "ok"),
    ],
)
def test_a_revision_is_refused_by_what_is_wrong_with_it(changes: dict[str, Any], code: str) -> None:
    assert Missions().code("regulator", "revise", mission="m", reason="R", **changes) == code


def test_only_the_owner_revises() -> None:
    goals = [{"id": "g", "title": "G"}]
    scene = Missions()
    assert scene.code("city", "revise", mission="m", reason="R", goals=goals) == "not_owner"
    assert scene.code("city", "revise", mission="none", reason="R", goals=goals) == "unknown_mission"


def test_no_target_and_no_date_moves_within_90_days_of_it() -> None:
    scene = Missions()
    start = scene.get("mission/m")["time_ms"]
    target = day(start + 400 * DAY_MS)
    scene.wait(308 * DAY_MS)
    revise = {"mission": "m", "reason": "It grew"}
    assert scene.code("regulator", "revise", **revise, targets={"wallets": [[50, target]]}) == "ok"
    scene.wait(2 * DAY_MS)
    assert scene.code("regulator", "revise", **revise, targets={"wallets": [[60, target]]}) == "too_late"
    further = [[50, target], [90, day(start + 900 * DAY_MS)]]
    assert scene.code("regulator", "revise", **revise, targets={"wallets": further}) == "ok"
    assert scene.code("regulator", "revise", **revise, evaluations=scene.dates[1:]) == "too_late"
    assert scene.code("regulator", "revise", **revise, evaluations=scene.dates[:1]) == "ok"
    assert scene.code("regulator", "revise", **revise, evaluations=[day(start), *scene.dates]) == "past_date"


def test_targets_stay_after_the_baseline() -> None:
    scene = Missions(opened=False)
    scene.open(indicators=[reported(baseline=[1, "2050-01-01"])])
    early = {"wallets": [[5, "2049-01-01"]]}
    assert scene.code("regulator", "revise", mission="m", reason="R", targets=early) == "date_order"
