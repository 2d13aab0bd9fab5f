"""The scenario's part about missions: opened by every end of a ballot and by authority, served, evaluated, overdue."""

from __future__ import annotations

from typing import Any, Final

from tests.support.missions import computed, day, mission, reported
from tests.vectors.recorded.governed import Proposals
from tests.vectors.recorded.scenario import DAY_MS, Scenario

NAME: Final = "currency"
POLICY: Final = "cn/serves/recorded"
OWNER: Final = "city"
REPORTER: Final = "central-bank"


def ballots(scenario: Scenario) -> None:
    """Have missions of who issues no policies come to every end of a ballot."""
    proposals = Proposals(scenario, "open_mission", "enterprise-a")
    proposals.every_end(_said(scenario, "of-enterprises"))
    proposals.no("exists", _said(scenario, "of-enterprises"))
    scenario.wait(1)


def _said(scenario: Scenario, name: str = NAME, **more: Any) -> dict[str, Any]:
    return mission(scenario.now_ms, name, **more)


def run(scenario: Scenario) -> None:
    """Run this part, but for ballots."""
    _opened(scenario)
    _served(scenario)
    _reported(scenario)
    _revised(scenario)
    _evaluated(scenario)


def _opened(scenario: Scenario) -> None:
    date = {"title": "P", "type_document": "notice", "date_document": "2023-11-01"}
    scenario.ok("regulator", "policy.publish", id=POLICY, **date)
    for code, sender, more in (
        ("forbidden", "bank-a", {}),
        ("invalid_argument", OWNER, {"indicators": []}),
        ("unknown_policy", OWNER, {"basis": "none"}),
        ("unknown_member", OWNER, {"indicators": [reported(reporters=["nobody"])]}),
        ("past_date", OWNER, {"from": "2000-01-01", "evaluations": ["2020-01-01"]}),
    ):
        scenario.no(code, sender, "mission.open", **_said(scenario, **more))
    dates = [day(scenario.now_ms + days * DAY_MS) for days in (40, 366)]
    indicators = [
        reported(baseline=[0, day(scenario.now_ms)], targets=[[100, day(scenario.now_ms + 400 * DAY_MS)]]),
        computed("policies", "policies", "type_document", "notice", scale=2),
    ]
    scenario.ok(OWNER, "mission.open", **_said(scenario, basis=POLICY, evaluations=dates, indicators=indicators))
    scenario.no("exists", OWNER, "mission.open", **_said(scenario))
    counted = [computed(f"i{number}", "items", "none") for number in range(64)]
    goals = [{"id": "use", "title": "It is used"}]
    scenario.ok("regulator", "mission.open", **_said(scenario, "wide", indicators=counted, goals=goals))


def _served(scenario: Scenario) -> None:
    link = {"mission": NAME, "policy": POLICY, "goal": "use", "role": "regulation"}
    for code, sender, more in (
        ("unknown_mission", OWNER, {"mission": "none"}),
        ("unknown_policy", OWNER, {"policy": "none"}),
        ("unknown_goal", OWNER, {"goal": "none"}),
        ("not_owner", "bank-a", {}),
    ):
        scenario.no(code, sender, "mission.link", **{**link, **more})
    scenario.ok(OWNER, "mission.link", **link)
    scenario.no("exists", "regulator", "mission.link", **link)
    scenario.ok("regulator", "mission.link", **{**link, "role": "funding"})
    scenario.no("not_actor", "bank-a", "mission.leave", mission=NAME)
    for member in ("bank-a", "public-a"):
        scenario.ok(member, "mission.join", mission=NAME, goals=["use"], part="Opens wallets")
    scenario.ok("bank-a", "mission.leave", mission=NAME)


def _reported(scenario: Scenario) -> None:
    today = day(scenario.now_ms)
    said = {"mission": NAME, "indicator": "wallets", "value": 10, "date": today, "evidence": ["ab" * 32]}
    for code, sender, more in (
        ("unknown_indicator", REPORTER, {"indicator": "none"}),
        ("computed_indicator", REPORTER, {"indicator": "policies"}),
        ("not_reporter", "bank-a", {}),
        ("future_date", REPORTER, {"date": day(scenario.now_ms + 9 * DAY_MS)}),
        ("unknown_value", REPORTER, {"corrects": 1}),
    ):
        scenario.no(code, sender, "mission.report", **{**said, **more})
    scenario.ok(REPORTER, "mission.report", **said)
    scenario.no("other_date", REPORTER, "mission.report", **{**said, "corrects": 1, "date": "2020-01-01"})
    scenario.ok(REPORTER, "mission.report", **{**said, "corrects": 1, "value": 12})


def _revised(scenario: Scenario) -> None:
    revise: dict[str, Any] = {"mission": NAME, "reason": "It grew faster"}
    further = [[200, day(scenario.now_ms + 400 * DAY_MS)]]
    for code, more in (
        ("unknown_evaluation", {"targets": {"wallets": further}, "after": 1}),
        ("too_late", {"targets": {"wallets": [[200, day(scenario.now_ms + 9 * DAY_MS)]]}}),
    ):
        scenario.no(code, OWNER, "mission.revise", **revise, **more)
    scenario.no("not_owner", "bank-a", "mission.revise", **revise, targets={"wallets": further})
    added = [reported("later", baseline=[0, day(scenario.now_ms + 500 * DAY_MS)], every_ms=366 * DAY_MS)]
    scenario.ok(OWNER, "mission.revise", **revise, targets={"wallets": further}, indicators=added)
    early = {"later": [[1, day(scenario.now_ms + 400 * DAY_MS)]]}
    scenario.no("date_order", OWNER, "mission.revise", **revise, targets=early)
    scenario.no("limit", "regulator", "mission.revise", mission="wide", reason="More", indicators=[reported()])


def _evaluated(scenario: Scenario) -> None:
    record = scenario.get(f"mission/mission/{NAME}")
    said: dict[str, Any] = {"mission": NAME, "date": record["evaluations"][0], "recommendations": ["Do more"]}
    said["goals"] = {"use": {"verdict": "partly", "reason": "Few use it"}}
    for code, sender, more in (
        ("forbidden", "bank-a", {}),
        ("own_case", OWNER, {}),
        ("unknown_date", "institute-a", {"date": "2020-01-01"}),
        ("future_date", "institute-a", {"date": record["evaluations"][1]}),
    ):
        scenario.no(code, sender, "mission.evaluate", **{**said, **more})
    scenario.wait(41 * DAY_MS)
    scenario.no("incomplete", "institute-a", "mission.evaluate", **{**said, "goals": {}})
    scenario.ok("institute-a", "mission.evaluate", **said)
    scenario.no("already_done", "institute-a", "mission.evaluate", **said)
    scenario.wait(61 * DAY_MS)
    answers = [{"outcome": "partly", "reason": "From next year on"}]
    answer: dict[str, Any] = {"mission": NAME, "evaluation": 1, "answers": answers}
    scenario.no("incomplete", OWNER, "mission.answer", **{**answer, "answers": [*answers, *answers]})
    scenario.ok(OWNER, "mission.answer", **answer)
    scenario.wait(300 * DAY_MS)
