"""The four failures of a mission: where direction, demand, coordination or reflexivity is missing, each with evidence.

Law: a check is a function of state and time alone, and of at most ``seen.MAX_READS`` values; it is never part of a
transaction, so nobody is judged by it on the ledger. Where the state does not say enough it says so.

Source: the transformational system failures of Weber and Rohracher, Research Policy 41 (2012).
contracts/mission/README.md, section Failures.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from coseal.contracts.kernel.action import Reader
from coseal.contracts.kernel.dates import DAY_MS
from coseal.contracts.mission.clocks import ANSWER_MS, EVALUATE_MS
from coseal.contracts.mission.coordination import coordination
from coseal.contracts.mission.evaluating import NOT_MET, OPEN
from coseal.contracts.mission.failure import DEMAND, DIRECTIONAL, FAILED, REFLEXIVITY, UNKNOWN, Failure
from coseal.contracts.mission.fields import DOWN, UP, begins_ms
from coseal.contracts.mission.seen import Seen, see
from coseal.contracts.mission.sources import counter_key
from coseal.contracts.mission.state import evaluated_key, evaluation_key, indicator_key, value_key
from coseal.contracts.participation.consultations import CONCLUDED
from coseal.contracts.participation.consultations import OPEN as STILL_OPEN
from coseal.contracts.participation.state import consultation_key

REVISE_MS: Final = 180 * DAY_MS
CONSTITUENCIES: Final[Mapping[str, tuple[str, ...]]] = {
    "enterprise": ("enterprise",),
    "institute": ("institute",),
    "public": ("person", "association"),
}
"""Who is to be heard, by the classes of comments."""


def failures(reader: Reader, name: str, time_ms: int) -> list[Failure] | None:
    """Return what the checks find of a mission at a time, in the order of the checks; None if there is no mission."""
    seen = see(reader, name, time_ms)
    if seen is None:
        return None
    return [*directional(seen), *demand(seen), *coordination(seen), *reflexivity(seen)]


# Directional


def directional(seen: Seen) -> Iterator[Failure]:
    """Yield goals that nothing measures or serves, and indicators without a path or off it."""
    for goal in seen.record["goals"]:
        if not goal.get("indicators"):  # F1
            yield Failure(DIRECTIONAL, "goal_without_indicator", (goal["id"],), (seen.key,))
        yield from _unserved(seen, goal["id"])
    for name, indicator in seen.pursued.items():
        key = indicator_key(seen.name, name)
        if "baseline" not in indicator and "source" not in indicator:  # F3
            yield Failure(DIRECTIONAL, "indicator_without_baseline", (name,), (key,))
        if "targets" not in indicator:  # F3
            yield Failure(DIRECTIONAL, "indicator_without_target", (name,), (key,))
        else:
            yield from _off_path(seen, name, indicator)
    yield from _opposed(seen)


def _unserved(seen: Seen, goal: str) -> Iterator[Failure]:
    """Yield that no policy in force serves a goal."""  # F2
    serving = seen.serving(goal)
    if not any(policy.in_force for policy in serving):
        verdict = UNKNOWN if any(policy.in_force is None for policy in serving) else FAILED
        keys = (seen.key, *seen.link_keys(goal, *serving))
        yield Failure(DIRECTIONAL, "goal_without_instrument", (goal,), keys, verdict)


def _off_path(seen: Seen, name: str, indicator: Mapping[str, Any]) -> Iterator[Failure]:
    """Yield that an indicator's last value is on the wrong side of the line between its targets."""  # F4
    key = indicator_key(seen.name, name)
    line = path(indicator)
    keys: tuple[str, ...]
    if "source" in indicator:
        value, at_ms, keys = seen.counted[name], seen.time_ms, (key, counter_key(indicator["source"]))
    elif "last" in indicator:
        value, date, number = indicator["last"]
        at_ms, keys = begins_ms(date), (key, value_key(seen.name, name, number))
    else:
        value, at_ms, keys = None, seen.time_ms, (key,)
    place = expected(line, at_ms)
    if place is None:
        return
    if value is None:
        yield Failure(DIRECTIONAL, "off_path", (name,), keys, UNKNOWN)
        return
    wanted, scale = place
    short = value * scale < wanted if indicator["direction"] == UP else value * scale > wanted
    if short:
        yield Failure(DIRECTIONAL, "off_path", (name,), keys)


def path(indicator: Mapping[str, Any]) -> list[tuple[int, int]]:
    """Return the values that an indicator is to have, as (ms, value), from where it began on."""
    points = [(begins_ms(date), value) for value, date in indicator.get("targets", ())]
    if "baseline" in indicator:
        value, date = indicator["baseline"]
        return [(begins_ms(date), value), *points]
    if indicator.get("first") is not None and (not points or indicator["since_ms"] < points[0][0]):
        return [(indicator["since_ms"], indicator["first"]), *points]
    return points


def expected(points: Sequence[tuple[int, int]], at_ms: int) -> tuple[int, int] | None:
    """Return the value of a path at a moment as a fraction (numerator, denominator); None before it begins."""
    if not points or at_ms < points[0][0]:
        return None
    for (from_ms, start), (to_ms, end) in itertools.pairwise(points):
        if at_ms < to_ms:
            return start * (to_ms - from_ms) + (end - start) * (at_ms - from_ms), to_ms - from_ms
    return points[-1][1], 1


def _opposed(seen: Seen) -> Iterator[Failure]:
    """Yield goals that want an indicator to go opposite ways."""  # F5
    wanted: dict[str, dict[str, str]] = {}
    for goal in seen.record["goals"]:
        for name, direction in goal.get("indicators", {}).items():
            wanted.setdefault(name, {}).setdefault(direction, goal["id"])
    for name, goals in wanted.items():
        if len(goals) > 1:
            yield Failure(DIRECTIONAL, "opposed_goals", (name, goals[UP], goals[DOWN]), (seen.key,))


# Demand articulation


def demand(seen: Seen) -> Iterator[Failure]:
    """Yield that nobody was asked, who said nothing, and comments that were not answered."""
    linked = dict.fromkeys(key for at in seen.links.values() for key in at)
    served = (seen.key, *linked, *(policy.key for policy in seen.policies.values()))
    if not seen.consultations:  # F6
        yield Failure(DEMAND, "not_consulted", (), served)
        return
    keys = (*served, *(consultation_key(name) for name in seen.consultations))
    over = [said for said in seen.consultations.values() if said["status"] != STILL_OPEN]
    for constituency, classes in CONSTITUENCIES.items() if over else ():  # F7
        if not any(said["classes"].get(each) for said in seen.consultations.values() for each in classes):
            yield Failure(DEMAND, "silent_constituency", (constituency,), keys)
    for name, said in seen.consultations.items():  # F8
        if said["status"] not in (STILL_OPEN, CONCLUDED) and (said["overdue"] or said["due_ms"] <= seen.time_ms):
            yield Failure(DEMAND, "unanswered_comments", (name,), (consultation_key(name),))


# Reflexivity


def reflexivity(seen: Seen) -> Iterator[Failure]:
    """Yield what is overdue, what stayed without consequence, and indicators that stand still."""
    evaluated = {said["date"] for said in seen.evaluations.values()}
    for date in seen.record["evaluations"]:
        if date not in evaluated and begins_ms(date) + EVALUATE_MS <= seen.time_ms:  # F14
            yield Failure(REFLEXIVITY, "evaluation_overdue", (date,), (seen.key, evaluated_key(seen.name, date)))
    for name, indicator in seen.indicators.items():
        key = indicator_key(seen.name, name)
        if "source" not in indicator and (indicator["missed"] or 0 < indicator["due_ms"] <= seen.time_ms):  # F14
            yield Failure(REFLEXIVITY, "report_overdue", (name,), (key,))
    for number, said in seen.evaluations.items():
        if said["status"] == OPEN and said["time_ms"] + ANSWER_MS <= seen.time_ms:  # F15
            key = evaluation_key(seen.name, number)
            yield Failure(REFLEXIVITY, "recommendation_unanswered", (f"{number}",), (key,))
    yield from _unheeded(seen)
    for name, indicator in seen.pursued.items():
        if _stands_still(seen, name, indicator):  # F17
            counted = (counter_key(indicator["source"]),) if "source" in indicator else ()
            keys = (indicator_key(seen.name, name), *counted)
            yield Failure(REFLEXIVITY, "indicator_unchanged", (name,), keys)


def _stands_still(seen: Seen, name: str, indicator: Mapping[str, Any]) -> bool:
    """Say whether the value is what it was at the beginning, though another one was due since."""
    if seen.time_ms < indicator["since_ms"] + indicator["every_ms"]:
        return False
    if "source" in indicator:
        return indicator["first"] is not None and seen.counted[name] == indicator["first"]
    first, last = indicator.get("baseline"), indicator.get("last")
    return first is not None and last is not None and last[0] == first[0] and last[1] > first[1]


def _unheeded(seen: Seen) -> Iterator[Failure]:
    """Yield goals whose last verdict is that they were not met, 180 days ago, with no revision since."""  # F16
    last: dict[str, tuple[int, Mapping[str, Any]]] = {}
    for number, said in seen.evaluations.items():
        for goal in said["verdicts"]:
            last[goal] = (number, said)
    for goal in seen.record["goals"]:
        number, said = last.get(goal["id"], (0, {}))
        if not number or said["verdicts"][goal["id"]] != NOT_MET or said["time_ms"] + REVISE_MS > seen.time_ms:
            continue
        if seen.record["revised_ms"] <= said["time_ms"]:
            keys = (seen.key, evaluation_key(seen.name, number))
            yield Failure(REFLEXIVITY, "not_met_without_revision", (goal["id"],), keys)
