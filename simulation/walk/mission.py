"""Moves about missions: opened, revised, served by policies and members, reported, evaluated, answered.

Law: as ``simulation.walk.walker``.
"""

from __future__ import annotations

from typing import Any, Final

from coseal.contracts.kernel.dates import DAY_MS
from coseal.contracts.mission.evaluating import EVALUATORS, OPEN, OUTCOMES, VERDICTS
from coseal.contracts.mission.fields import ORIENTATIONS, TYPES, begins_ms
from coseal.contracts.mission.joining import JOINED, ROLES
from coseal.contracts.mission.revising import FIXED_MS
from coseal.contracts.mission.state import (
    COUNT_KEY,
    actor_key,
    actors_key,
    evaluated_key,
    evaluation_key,
    indicator_key,
    mission_key,
    number_key,
)
from coseal.contracts.policy.instrument import instrument
from coseal.ledger.render import time_text
from simulation.walk.walker import Make, Move, Walker

_LOOKS_BACK: Final = 4
_SOURCES: Final = (["policies", "type_document", "notice"], ["items", "works"], ["certificates", "rationality"])
_WHY: Final = "So it is"


def _day(walk: Walker, days: int) -> str:
    """Return the day so long after the present one; from two days on it has not begun anywhere."""
    return time_text(walk.sight.time_ms + days * DAY_MS)[:10]


def _dates(walk: Walker) -> list[str]:
    return sorted({_day(walk, walk.pick((2, 3, 9, 40))) for _ in range(walk.rng.randint(0, 3))})


def _indicator(walk: Walker) -> dict[str, Any]:
    said: dict[str, Any] = {"name": f"i{walk.memory.next()}", "title": "I", "unit": "of them", "direction": "up"}
    said["every_ms"] = walk.pick((DAY_MS, 5 * DAY_MS, 366 * DAY_MS))
    if walk.chance(2):
        said |= {"baseline": [0, _day(walk, 0)], "targets": [[100, _day(walk, 50)], [900, _day(walk, 300)]]}
    return {**said, **({"source": walk.pick(_SOURCES)} if walk.chance(3) else {"reporters": [walk.member()]})}


def _goals(walk: Walker, indicators: list[str]) -> list[dict[str, Any]]:
    wanted = {name: walk.pick(("up", "down")) for name in indicators[:3]}
    goals: list[dict[str, Any]] = [{"id": "use", "title": "It is used", "indicators": wanted}]
    return [*goals, {"id": "trust", "title": "T"}][: walk.pick((1, 2))]


def said_by_a_ballot(walk: Walker, member: str) -> dict[str, Any] | None:
    """Return what a ballot on a new mission says."""
    return _said(walk) if walk.chance(8) else None


def _said(walk: Walker) -> dict[str, Any]:
    indicators = [_indicator(walk) for _ in range(walk.rng.randint(0, 3))]
    said: dict[str, Any] = {"mission": f"m{walk.memory.next()}", "title": {"en": "A mission", "zh": "任务"}}
    said |= {"orientation": [walk.pick(ORIENTATIONS)], "type": walk.pick(TYPES), "from": _day(walk, 0)}
    said |= {"to": _day(walk, walk.pick((60, 900))), "evaluations": _dates(walk), "indicators": indicators}
    policies = list(walk.memory.policies)[-20:]
    if policies and walk.chance(4):
        said["basis"] = walk.pick(policies)
    return {**said, "goals": _goals(walk, [one["name"] for one in indicators])}


def _open(walk: Walker) -> Move | None:
    sender = walk.operator(walk.pick([*walk.members("government"), "central-bank"]), "operate")
    if (walk.get(COUNT_KEY) or 0) > 2 and not walk.chance(4):
        return None
    return None if sender is None else Move(sender, "mission.open", _said(walk))


def _mission(walk: Walker) -> tuple[str, Any] | None:
    """Return one of the newest missions."""
    count = walk.get(COUNT_KEY) or 0
    if not count:
        return None
    name = walk.get(number_key(walk.rng.randint(max(1, count - _LOOKS_BACK), count)))
    return name, walk.get(mission_key(name))


def _by(walk: Walker, member: str, action: str, mission: str, **args: Any) -> Move | None:
    sender = walk.operator(member, "operate")
    return None if sender is None else Move(sender, f"mission.{action}", {"mission": mission, **args})


def _revise(walk: Walker, name: str, record: Any) -> Move | None:
    args: dict[str, Any] = {"reason": _WHY}
    added = [_indicator(walk)] if walk.chance(3) and len(record["indicators"]) < 5 else []
    if added:
        args["indicators"] = added
    if not added or walk.chance(2):
        args["goals"] = _goals(walk, [*record["indicators"], *(one["name"] for one in added)])
    if record["indicators"] and walk.chance(3):
        chosen = walk.pick(record["indicators"])
        targets = walk.get(indicator_key(name, chosen)).get("targets", ())
        fixed = [point for point in targets if begins_ms(point[1]) < walk.sight.time_ms + FIXED_MS]
        args["targets"] = {chosen: [*fixed, [500, _day(walk, 400)]]}
    if record["evaluated"] and walk.chance(2):
        args["after"] = record["evaluated"]
    return _by(walk, record["member"], "revise", name, **args)


def _serve(walk: Walker, name: str, record: Any) -> Move | None:
    """Link a policy, by the owner or an issuer; or take part, or no longer."""
    goal = walk.pick(record["goals"])["id"]
    policies = list(walk.memory.policies)[-40:]
    policy = walk.pick(policies) if policies and walk.chance(2) else ""
    found = instrument(walk.sight.reader, policy) if policy else None
    if found is not None:
        member = record["member"] if walk.chance(2) else walk.pick(found.get("passed_by") or [record["member"]])
        return _by(walk, member, "link", name, policy=policy, goal=goal, role=walk.pick(ROLES))
    known = walk.get(actors_key(name, 0))
    member = walk.pick(known) if known and walk.chance(2) else walk.member()
    before = walk.get(actor_key(name, member))
    if before is not None and before["status"] == JOINED:
        return _by(walk, member, "leave", name)
    return _by(walk, member, "join", name, goals=[goal], part=_WHY)


def _report(walk: Walker, name: str, record: Any) -> Move | None:
    if not record["indicators"]:
        return None
    chosen = walk.pick(record["indicators"])
    indicator = walk.get(indicator_key(name, chosen))
    last = indicator.get("last")
    args = {"indicator": chosen, "value": walk.rng.randint(-9, 999), "date": _day(walk, -1), "evidence": ["00" * 32]}
    if last is not None and walk.chance(3):
        args |= {"date": last[1], "corrects": last[2]}
    return _by(walk, walk.pick(indicator.get("reporters") or [record["member"]]), "report", name, **args)


def _evaluate(walk: Walker, name: str, record: Any) -> Move | None:
    begun = [date for date in record["evaluations"] if begins_ms(date) <= walk.sight.time_ms]
    member = walk.member(*EVALUATORS)
    if not begun or (member == record["member"] and not walk.chance(8)):
        return None
    date = walk.pick(begun)
    if member in (walk.get(evaluated_key(name, date)) or ()) and not walk.chance(8):
        return None
    goals = {goal["id"]: {"verdict": walk.pick(VERDICTS), "reason": _WHY} for goal in record["goals"]}
    recommended = ["Do more", "Do less"][: walk.pick((0, 1, 2))]
    return _by(walk, member, "evaluate", name, date=date, goals=goals, recommendations=recommended)


def _answer(walk: Walker, name: str, record: Any) -> Move | None:
    for number in range(record["evaluated"], 0, -1):
        evaluation = walk.get(evaluation_key(name, number))
        if evaluation["status"] == OPEN:
            answers = [{"outcome": walk.pick(OUTCOMES), "reason": _WHY} for _ in evaluation["recommendations"]]
            return _by(walk, record["member"], "answer", name, evaluation=number, answers=answers)
    return None


_STEPS: Final = (_revise, _serve, _serve, _report, _evaluate, _evaluate, _answer, _answer)


def _pursue(walk: Walker) -> Move | None:
    """Take a step of some mission."""
    found = _mission(walk)
    return None if found is None else walk.pick(_STEPS)(walk, *found)


MOVES: Final[dict[str, tuple[int, Make]]] = {"open a mission": (1, _open), "pursue a mission": (2, _pursue)}
