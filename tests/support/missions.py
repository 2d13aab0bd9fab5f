"""A chain on which members open missions, report, evaluate and answer."""

from __future__ import annotations

from typing import Any, Final

from coseal.contracts.mission.evaluating import MAX_EVALUATIONS_KEPT
from coseal.contracts.mission.fields import (
    MAX_EVALUATIONS,
    MAX_GOAL_INDICATORS,
    MAX_GOALS,
    MAX_INDICATORS,
    MAX_TARGETS,
)
from coseal.contracts.mission.joining import MAX_INSTRUMENTS
from coseal.contracts.mission.state import evaluation_key, indicator_key, instrument_key, mission_key
from coseal.contracts.participation.state import consultation_key
from coseal.contracts.policy.state import instrument_key as policy_key
from coseal.contracts.process.state import statistics_key
from coseal.ledger.block import Receipt
from coseal.ledger.render import time_text
from tests.support.chain import Chain
from tests.support.deciding import Deciding
from tests.support.genesis import make_genesis

DAY_MS: Final = 86_400_000
REASON: Final = "It was looked at"
Data = dict[str, Any]


def day(time_ms: int) -> str:
    """Return the day of a moment in UTC, which begins eight hours earlier in China."""
    return time_text(time_ms)[:10]


def reported(name: str = "wallets", **more: Any) -> Data:
    """Return an indicator that the central bank reports each month."""
    said: Data = {"name": name, "title": "Wallets", "unit": "wallets", "direction": "up", "every_ms": 30 * DAY_MS}
    return {**said, "reporters": ["central-bank"], **more}


def computed(name: str, *source: str, **more: Any) -> Data:
    """Return an indicator that the ledger counts."""
    return {**reported(name), "reporters": None, "source": list(source), **more}


def mission(start_ms: int, name: str = "m", **more: Any) -> Data:
    """Return the arguments that open a mission of three years, evaluated after one and after two."""
    args: Data = {"mission": name, "title": {"en": "A mission", "zh": "任务"}, "orientation": ["economy"]}
    args |= {"type": "thematic", "from": day(start_ms), "to": day(start_ms + 1_096 * DAY_MS)}
    args |= {"goals": [{"id": "use", "title": "It is used", "indicators": {"wallets": "up"}}]}
    args |= {"indicators": [reported(baseline=[0, day(start_ms)], targets=[[100, day(start_ms + 400 * DAY_MS)]])]}
    args |= {"evaluations": [day(start_ms + 366 * DAY_MS), day(start_ms + 731 * DAY_MS)]}
    return dict(_without_none({**args, **more}))


def _without_none(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _without_none(part) for name, part in value.items() if part is not None}
    return [_without_none(part) for part in value] if isinstance(value, list) else value


class Missions(Deciding):
    """What members do about missions; each call is a block."""

    contract = "mission"

    def __init__(self, chain: Chain | None = None, *, opened: bool = True) -> None:
        self.chain = Chain(make_genesis(name="missions")) if chain is None else chain
        if opened:
            self.open()

    def args(self, name: str = "m", **more: Any) -> Data:
        return mission(self.chain.executor.time_ms, name, **more)

    def open(self, name: str = "m", member: str = "regulator", /, **more: Any) -> Data:
        return self.ok(member, "open", **self.args(name, **more))

    def publish(self, policy: str = "p", member: str = "central-bank", **more: Any) -> Data:
        said = {"title": "P", "type_document": "notice", "date_document": "2020-01-01", **more}
        return self.ok(member, "policy.publish", id=policy, **said)

    def report(self, value: int = 10, date: str = "", **more: Any) -> Receipt:
        said = {"mission": "m", "indicator": "wallets", "value": value, "evidence": ["ab" * 32]}
        return self.submit("central-bank", "report", **{**said, "date": date or self.today, **more})

    def evaluate(self, member: str = "institute-a", **more: Any) -> Receipt:
        said = {"mission": "m", "date": self.dates[0], "goals": {"use": {"verdict": "partly", "reason": REASON}}}
        return self.submit(member, "evaluate", **{**said, "recommendations": ["Do more"], **more})

    @property
    def today(self) -> str:
        return day(self.chain.executor.time_ms)

    @property
    def dates(self) -> list[str]:
        """The dates of evaluations of ``m``."""
        found: list[str] = self.get("mission/m")["evaluations"]
        return found

    def get(self, key: str) -> Any:
        return self.chain.get(f"mission/{key}")

    def wait(self, later_ms: int) -> Data:
        """Commit an empty block so much later; return what missions began it with."""
        self.chain.extend([], later_ms=later_ms)
        return dict(self.chain.begun.get("mission", {}))


def greatest() -> tuple[Data, int]:
    """Return the state values of a mission with as much of everything as there may be, and a time to check it at.

    Every policy shares an area with every other on the same goal, and an issuer, so that all pairs are compared.
    """
    start_ms = 1_700_000_000_000
    names = [f"indicator {number}" for number in range(MAX_INDICATORS)]
    wanted = {goal: names[4 * goal : 4 * goal + MAX_GOAL_INDICATORS] for goal in range(MAX_GOALS)}
    goals = [{"id": f"goal {goal}", "title": "G", "indicators": dict.fromkeys(wanted[goal], "up")} for goal in wanted]
    dates = [day(start_ms + 30 * number * DAY_MS) for number in range(MAX_EVALUATIONS)]
    record = {**mission(start_ms), "goals": goals, "indicators": names, "evaluations": dates, "member": "regulator"}
    record |= {"instruments": MAX_INSTRUMENTS, "evaluated": MAX_EVALUATIONS_KEPT, "revised_ms": start_ms}
    values: Data = {mission_key("m"): record}
    line = {"baseline": [0, dates[0]], "targets": [[9 * n, dates[n]] for n in range(1, MAX_TARGETS + 1)]}
    for number, name in enumerate(names):
        said = {**computed(name, "items", f"t{number}"), **line, "since_ms": start_ms, "first": 0}
        values[indicator_key("m", name)] = said
        values[statistics_key(f"t{number}")] = {"items": number}
    for number in range(MAX_INSTRUMENTS):
        policy: Data = {"level": "central", "passed_by": ["central-bank", f"body {number}"], "status": "promulgated"}
        policy |= {"is_about": [f"area {area}" for area in range(32)], "origin": "live", "zone_minutes": 480}
        policy |= {"cites": [f"law {cited}" for cited in range(64)], "first_date_entry_in_force": "2020-01-01"}
        policy["events"] = [{"action": "passed", "date": "2020-01-01"}, {"action": "promulgated", "date": "2020-01-01"}]
        policy["events"] += [{"action": "consulted", "consultation": f"c{number}"}]
        values[policy_key(f"p{number}")] = policy
        values[instrument_key("m", number + 1)] = {"policy": f"p{number}", "goal": "goal 0", "role": "funding"}
        asked = {"status": "closed", "due_ms": start_ms, "overdue": [], "classes": {"person": 1}}
        values[consultation_key(f"c{number}")] = asked
    for number in range(MAX_EVALUATIONS_KEPT):
        said = {"date": dates[0], "time_ms": start_ms, "status": "open"}
        said["verdicts"] = {goal["id"]: "not_met" for goal in goals}
        values[evaluation_key("m", number + 1)] = said
    return values, start_ms + 800 * DAY_MS
