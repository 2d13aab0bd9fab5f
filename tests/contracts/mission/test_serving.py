"""Instruments and actors, reports, evaluations, answers, and what is overdue."""

from __future__ import annotations

from typing import Any

import pytest

from coseal.contracts.mission import joining
from tests.support.missions import DAY_MS, REASON, Missions, computed, day, reported

ANSWER = {"outcome": "adopted", "reason": REASON}


@pytest.fixture
def scene() -> Missions:
    return Missions()


# Instruments and actors


def test_policies_are_linked_by_the_owner_and_by_their_issuers(scene: Missions) -> None:
    scene.publish()
    link = {"mission": "m", "policy": "p", "goal": "use", "role": "regulation"}
    assert scene.ok("regulator", "link", **link)["number"] == 1
    assert scene.code("central-bank", "link", **link) == "exists"
    assert scene.ok("central-bank", "link", **{**link, "role": "funding"})["number"] == 2
    assert scene.code("city", "link", **{**link, "role": "skills"}) == "not_owner"
    assert scene.code("regulator", "link", **{**link, "policy": "none"}) == "unknown_policy"
    assert scene.code("regulator", "link", **{**link, "goal": "none"}) == "unknown_goal"
    assert scene.code("regulator", "link", **{**link, "mission": "none"}) == "unknown_mission"
    assert scene.get("linked/m/use/p") == ["regulation", "funding"]
    record = scene.get("mission/m")
    assert (record["instruments"], record["others"]) == (2, 1)
    assert scene.get("instrument/m/2")["member"] == "central-bank"


def test_neither_the_owner_nor_issuers_take_the_others_places(scene: Missions, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(joining, "MAX_INSTRUMENTS", 2)
    monkeypatch.setattr(joining, "MAX_OTHERS", 1)
    scene.publish()
    link = {"mission": "m", "policy": "p", "goal": "use"}
    assert scene.code("central-bank", "link", **link, role="funding") == "ok"
    assert scene.code("central-bank", "link", **link, role="skills") == "limit"
    assert scene.code("regulator", "link", **link, role="skills") == "ok"
    assert scene.code("regulator", "link", **link, role="standard") == "limit"


def test_members_join_and_leave_and_stay_listed(scene: Missions) -> None:
    join = {"mission": "m", "goals": ["use"], "part": "Opens wallets"}
    assert scene.code("bank-a", "leave", mission="m") == "not_actor"
    assert scene.ok("bank-a", "join", **join)["status"] == "joined"
    scene.ok("enterprise-a", "join", **join)
    assert scene.ok("bank-a", "leave", mission="m")["status"] == "left"
    assert scene.code("bank-a", "leave", mission="m") == "not_actor"
    assert scene.code("bank-a", "join", **{**join, "goals": ["none"]}) == "unknown_goal"
    scene.ok("bank-a", "join", **{**join, "part": "Opens them again"})
    assert scene.get("actors/m/page/0") == ["bank-a", "enterprise-a"]
    assert (scene.get("mission/m")["actors"], scene.get("actor/m/bank-a")["part"]) == (2, "Opens them again")


# Reports


def test_values_are_numbered_and_a_correction_names_what_it_corrects(scene: Missions) -> None:
    today = scene.today
    assert scene.report(10).data["number"] == 1
    assert scene.report(12, today, corrects=1).data["number"] == 2
    assert scene.report(5, "2020-01-01").data["number"] == 3
    assert scene.get("value/m/wallets/1")["value"] == 10
    assert scene.get("value/m/wallets/2")["corrects"] == 1
    assert scene.get("indicator/m/wallets")["last"] == [12, today, 2]
    assert scene.report(1, "2020-01-02", corrects=3).code == "other_date"
    assert scene.report(1, corrects=9).code == "unknown_value"
    assert scene.report(1, day(scene.chain.executor.time_ms + 2 * DAY_MS)).code == "future_date"
    assert scene.report(1, indicator="none").code == "unknown_indicator"
    again = {"mission": "m", "indicator": "wallets", "value": 1, "date": today, "evidence": ["ab" * 32]}
    assert scene.code("bank-a", "report", **again) == "not_reporter"


def test_nobody_reports_what_the_ledger_counts() -> None:
    scene = Missions(opened=False)
    scene.open(indicators=[computed("wallets", "items", "t")])
    assert scene.report(1).code == "computed_indicator"


# Evaluations


def test_others_evaluate_at_a_date_and_the_owner_answers_each_recommendation(scene: Missions) -> None:
    assert scene.evaluate().code == "future_date"
    scene.wait(366 * DAY_MS)
    made = scene.evaluate().data
    assert (made["evaluation"], made["status"]) == (1, "open")
    assert made["due_ms"] == scene.chain.executor.time_ms + 60 * DAY_MS
    record = scene.get("evaluation/m/1")
    assert (record["verdicts"], record["version"], record["values"]) == ({"use": "partly"}, 1, {})
    assert scene.evaluate().code == "already_done"
    assert scene.evaluate("public-a", recommendations=[]).data["status"] == "closed"
    assert scene.get(f"evaluated/m/{scene.dates[0]}") == ["institute-a", "public-a"]
    answer: dict[str, Any] = {"mission": "m", "evaluation": 1, "answers": [ANSWER]}
    assert scene.code("city", "answer", **answer) == "not_owner"
    assert scene.code("regulator", "answer", **{**answer, "answers": [ANSWER, ANSWER]}) == "incomplete"
    assert scene.code("regulator", "answer", **{**answer, "evaluation": 9}) == "unknown_evaluation"
    assert scene.ok("regulator", "answer", **answer)["status"] == "answered"
    assert scene.code("regulator", "answer", **answer) == "already_done"
    assert scene.code("regulator", "answer", **{**answer, "evaluation": 2}) == "already_done"
    assert "overdue" not in scene.wait(61 * DAY_MS).get("overdue", {})
    goals = [{"id": "use", "title": "U"}]
    assert scene.code("regulator", "revise", mission="m", reason="R", goals=goals, after=1) == "ok"


def test_who_may_not_evaluate_and_what_is_missing(scene: Missions) -> None:
    scene.wait(366 * DAY_MS)
    assert scene.evaluate("regulator").code == "own_case"
    assert scene.evaluate("bank-a").code == "forbidden"
    assert scene.evaluate("city", goals={}).code == "incomplete"
    assert scene.evaluate("city", date="2031-01-01").code == "unknown_date"
    assert scene.evaluate("city", mission="none").code == "unknown_mission"


def test_an_evaluation_keeps_what_the_ledger_counted_at_it() -> None:
    scene = Missions(opened=False)
    scene.open(indicators=[computed("wallets", "policies", "area", "payments")])
    scene.publish(is_about=["payments"])
    scene.wait(366 * DAY_MS)
    assert scene.evaluate().ok
    assert scene.get("evaluation/m/1")["values"] == {"wallets": 1}
    assert scene.get("indicator/m/wallets")["first"] == 0


# What is overdue


def test_reports_that_stay_away_are_noted_three_times_in_a_row(scene: Missions) -> None:
    found = [scene.wait(31 * DAY_MS).get("overdue", []) for _ in range(4)]
    assert [[fact["name"] for fact in facts] for facts in found] == [["wallets"], ["wallets"], ["wallets"], []]
    assert (found[0][0]["side"], found[0][0]["member"], found[2][0]["number"]) == ("reporter", "central-bank", 3)
    assert scene.get("mission/m")["overdue"] == 3
    assert scene.get("overdue/m/3")["what"] == "report"
    due_ms = scene.report().data["due_ms"]
    assert due_ms == scene.chain.executor.time_ms + 30 * DAY_MS
    assert len(scene.wait(31 * DAY_MS)["overdue"]) == 1


def test_a_report_moves_what_is_due_and_a_correction_does_not(scene: Missions) -> None:
    scene.wait(29 * DAY_MS)
    today = scene.today
    due_ms = scene.report(1, today).data["due_ms"]
    assert scene.wait(2 * DAY_MS) == {}
    assert scene.report(2, today, corrects=1).data["due_ms"] == due_ms
    assert len(scene.wait(29 * DAY_MS)["overdue"]) == 1


def test_an_evaluation_nobody_makes_is_noted_and_one_that_was_made_is_not() -> None:
    scene = Missions(opened=False)
    scene.open(indicators=[reported(every_ms=3_660 * DAY_MS)])
    assert scene.wait(394 * DAY_MS) == {}
    (fact,) = scene.wait(2 * DAY_MS)["overdue"]
    assert (fact["what"], fact["name"], fact["side"], fact["member"]) == (
        "evaluation",
        scene.dates[0],
        "evaluator",
        "",
    )
    scene.wait(335 * DAY_MS)
    assert scene.evaluate(date=scene.dates[1], recommendations=[]).ok
    assert scene.wait(40 * DAY_MS) == {}


def test_an_answer_that_stays_away_is_noted_three_times() -> None:
    scene = Missions(opened=False)
    scene.open(indicators=[reported(every_ms=3_660 * DAY_MS)])
    scene.wait(366 * DAY_MS)
    assert scene.evaluate().ok
    found = [scene.wait(61 * DAY_MS).get("overdue", []) for _ in range(4)]
    assert [[(fact["what"], fact["member"]) for fact in facts] for facts in found] == [
        *([[("answer", "regulator")]] * 3),
        [],
    ]
    assert scene.ok("regulator", "answer", mission="m", evaluation=1, answers=[ANSWER])["status"] == "answered"


def test_no_report_is_due_after_the_period() -> None:
    scene = Missions(opened=False)
    start = scene.chain.executor.time_ms
    scene.open(to=day(start + 45 * DAY_MS), evaluations=[])
    assert len(scene.wait(31 * DAY_MS)["overdue"]) == 1
    assert scene.get("indicator/m/wallets")["due_ms"] == 0
    assert scene.wait(100 * DAY_MS) == {}
