"""The scenario's part about participation: gateways, a draft opened for comment, entries, themes, answers, an end."""

from __future__ import annotations

from typing import Any, Final

from coseal.contracts.participation.consultations import MAX_OPEN
from tests.support.participation import entry
from tests.vectors.recorded.scenario import DAY_MS, Scenario

NAME: Final = "draft-law"
POLICY: Final = "cn/draft/recorded"


def run(scenario: Scenario) -> None:
    """Run this part."""
    _gateways(scenario)
    scenario.ok("regulator", "policy.publish", **_published(POLICY, stage="proposed"))
    scenario.ok("regulator", "policy.publish", **_published("cn/passed/recorded"))
    _opened(scenario)
    _received(scenario)
    _answered(scenario)
    scenario.wait(150 * DAY_MS)
    for number in range(MAX_OPEN):
        scenario.ok("regulator", "participation.open", **_opening(scenario, consultation=f"c{number}"))
    scenario.no("limit", "regulator", "participation.open", **_opening(scenario, consultation="more"))
    scenario.wait(90 * DAY_MS)


def _published(policy: str, **more: Any) -> dict[str, Any]:
    return {"id": policy, "title": "A draft", "type_document": "law", "date_document": "2023-11-01", **more}


def _gateways(scenario: Scenario) -> None:
    office = {"url": "https://comments.example", "include_ms": DAY_MS, "duties_sha256": "dd" * 32}
    for member in ("public-a", "institute-a"):
        scenario.ok(member, "participation.register_gateway", **office, key=scenario.key(f"{member}/acknowledgements"))
    args = {**office, "key": scenario.key("bank-a/acknowledgements")}
    scenario.no("wrong_role", "bank-a", "participation.register_gateway", **args)
    scenario.no("invalid_argument", "city", "participation.register_gateway", **{**args, "key": "00" * 32})


def _opening(scenario: Scenario, **more: Any) -> dict[str, Any]:
    args = {"consultation": NAME, "title": {"en": "A draft", "zh": "草案"}, "about": "policy", "subject": POLICY}
    return {**args, "questions": ["Is it right?"], "closes_ms": scenario.now_ms + 31 * DAY_MS, **more}


def _opened(scenario: Scenario) -> None:
    for code, sender, more in (
        ("unknown_subject", "regulator", {"subject": "none"}),
        ("not_proposed", "regulator", {"subject": "cn/passed/recorded"}),
        ("not_proposer", "city", {}),
        ("too_short", "regulator", {"closes_ms": scenario.now_ms + DAY_MS}),
        ("too_long", "regulator", {"closes_ms": scenario.now_ms + 400 * DAY_MS}),
        ("unknown_gateway", "regulator", {"gateways": ["public-a", "city"]}),
        ("too_few_gateways", "regulator", {"gateways": ["public-a"]}),
    ):
        scenario.no(code, sender, "participation.open", **_opening(scenario, **more))
    named = {"gateways": ["public-a", "institute-a"], "answer_ms": 60 * DAY_MS}
    scenario.ok("regulator", "participation.open", **_opening(scenario, **named))
    scenario.no("exists", "regulator", "participation.open", **_opening(scenario))


def _received(scenario: Scenario) -> None:
    receive: dict[str, Any] = {"consultation": NAME, "first": 1, "entries": [entry(1), entry(2, reason="abuse")]}
    scenario.no("unknown_consultation", "public-a", "participation.receive", **{**receive, "consultation": "none"})
    scenario.no("unknown_gateway", "city", "participation.receive", **receive)
    office = {"url": "https://city.example", "include_ms": DAY_MS, "duties_sha256": "dd" * 32}
    scenario.ok("city", "participation.register_gateway", **office, key=scenario.key("city/acknowledgements"))
    scenario.no("not_gateway", "city", "participation.receive", **receive)
    scenario.no("sequence", "public-a", "participation.receive", **{**receive, "first": 2})
    scenario.ok("public-a", "participation.receive", **receive)
    scenario.ok("public-a", "participation.receive", **{**receive, "first": 3, "entries": [entry(3)]})
    scenario.ok("institute-a", "participation.receive", **{**receive, "entries": [entry(4, kind="objection")]})


def _answered(scenario: Scenario) -> None:
    theme: dict[str, Any] = {"consultation": NAME, "titles": ["Duties", "Costs"]}
    scenario.no("not_opener", "city", "participation.theme", **theme)
    scenario.ok("regulator", "participation.theme", **theme)
    for code, assignment in (
        ("unknown_entry", ["public-a", 4, 1]),
        ("unknown_theme", ["public-a", 1, 3]),
        ("withheld", ["public-a", 2, 1]),
    ):
        scenario.no(code, "regulator", "participation.assign", consultation=NAME, assignments=[assignment])
    assign: dict[str, Any] = {"consultation": NAME, "assignments": [["public-a", 1, 1], ["institute-a", 1, 2]]}
    scenario.ok("regulator", "participation.assign", **assign)
    scenario.no("assigned", "regulator", "participation.assign", **assign)
    answer: dict[str, Any] = {"consultation": NAME, "theme": 1, "outcome": "partly", "reason": "Lawyers stay bound"}
    scenario.no("no_reason", "regulator", "participation.answer", **answer)
    scenario.ok("regulator", "participation.answer", **answer, change="Article 6")
    scenario.ok("regulator", "participation.assign", consultation=NAME, assignments=[["public-a", 3, 1]])
    scenario.no("too_early", "regulator", "participation.conclude", consultation=NAME)
    scenario.wait(32 * DAY_MS)
    scenario.no("closed", "public-a", "participation.receive", consultation=NAME, first=4, entries=[entry(5)])
    scenario.wait(8 * DAY_MS)
    scenario.no("incomplete", "regulator", "participation.conclude", consultation=NAME)
    scenario.ok("regulator", "participation.answer", **answer, change="Article 6")
    noted = {"outcome": "noted", "reason": "It is for another law"}
    scenario.ok("regulator", "participation.answer", consultation=NAME, theme=2, **noted)
    scenario.ok("regulator", "participation.conclude", consultation=NAME)
    scenario.no("concluded", "regulator", "participation.theme", **theme)
