"""Revising missions: goals, further indicators, targets and dates of evaluations, each with a reason.

Law: a version never changes; no target and no evaluation of the next 90 days is moved, so nothing is on the eve of an
evaluation.

contracts/mission/README.md, V1 to V5.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Final

from coseal.contracts.kernel.action import Action, Args, Arguments, Context, Rejected, Result, View, refused
from coseal.contracts.kernel.dates import DAY_MS
from coseal.contracts.kernel.fields import Integer, Table
from coseal.contracts.mission.clocks import await_evaluation
from coseal.contracts.mission.fields import (
    EVALUATIONS,
    GOALS,
    INDICATORS,
    MAX_INDICATORS,
    NAME,
    TARGETS,
    UP,
    begins_ms,
    evaluation_faults,
    goal_faults,
    indicator_faults,
    is_rising,
)
from coseal.contracts.mission.opening import (
    INDICATOR_STEPS,
    POINT_STEPS,
    Mission,
    owned,
    put_indicator,
    put_version,
    wrong_reporters,
)
from coseal.contracts.mission.state import indicator_key, mission_key
from coseal.contracts.supervision.terms import long_text

FIXED_MS: Final = 90 * DAY_MS
_CHANGES: Final = ("goals", "indicators", "targets", "evaluations")


def _revise(view: View, context: Context, args: Args) -> Result | Rejected:
    name = args["mission"]
    record = owned(view, context, name)
    if isinstance(record, Rejected):
        return record
    if args.get("after", 0) > record["evaluated"]:  # V4
        return Rejected("unknown_evaluation", f"{name} has {record['evaluated']} evaluations")
    wrong = _wrong_indicators(view, record, args) or _wrong_dates(record, args, context.time_ms)
    if wrong is not None:
        return wrong
    targets = _targets(view, name, args, context.time_ms)
    if isinstance(targets, Rejected):
        return targets
    added = args.get("indicators", [])
    dates = args.get("evaluations", record["evaluations"])
    after: Mission = {**record, "goals": args.get("goals", record["goals"]), "evaluations": dates}
    after |= {"indicators": [*record["indicators"], *(indicator["name"] for indicator in added)]}
    after |= {"version": record["version"] + 1, "height": context.height, "revised_ms": context.time_ms}
    for indicator in targets.values():
        view.put(indicator_key(name, indicator["name"]), indicator)
    for indicator in added:
        put_indicator(view, name, after, indicator, context.time_ms)
    for date in dates:
        if date not in record["evaluations"]:
            await_evaluation(view, name, date)
    set_now = {each: indicator["targets"] for each, indicator in targets.items()}
    set_now |= {indicator["name"]: indicator["targets"] for indicator in added if "targets" in indicator}
    why = {"reason": args["reason"], **({"after": args["after"]} if "after" in args else {})}
    put_version(view, name, after, set_now, **why)  # V1
    view.put(mission_key(name), after)
    return {"mission": name, "version": after["version"]}


def _wrong_indicators(view: View, record: Mission, args: Args) -> Rejected | None:
    """Refuse indicators that there are, too many, reporters that are no members, and goals that name unknown ones."""
    added = [indicator["name"] for indicator in args.get("indicators", ())]
    taken = next((each for each in added if each in record["indicators"]), None)
    if taken is not None:  # V3
        return Rejected("exists", f"{args['mission']} has an indicator {taken}; choose another name")
    known = [*record["indicators"], *added]
    if len(known) > MAX_INDICATORS:
        return Rejected("limit", f"{args['mission']} would have {len(known)} indicators, at most {MAX_INDICATORS}")
    for goal in args.get("goals", record["goals"]):
        for each in goal.get("indicators", ()):
            if each not in known:
                return Rejected("unknown_indicator", f"{goal['id']}: there is no indicator {each}")
    return wrong_reporters(view, args.get("indicators", ()))


def _wrong_dates(record: Mission, args: Args, time_ms: int) -> Rejected | None:
    """Refuse dates outside of the period, new ones that have begun, and to drop one of the next 90 days."""
    if "evaluations" not in args:
        return None
    dates: Sequence[str] = args["evaluations"]
    wrong = next(evaluation_faults(dates, record["from"], record["to"]), None)
    if wrong is not None:
        return wrong
    for date in dates:
        if date not in record["evaluations"] and begins_ms(date) < time_ms:  # M5
            return Rejected("past_date", f"args.evaluations: {date} has begun")
    for date in record["evaluations"]:
        if date not in dates and begins_ms(date) < time_ms + FIXED_MS:  # V2
            return Rejected("too_late", f"args.evaluations: {date} is over or within 90 days, so it stays")
    return None


def _targets(view: View, mission: str, args: Args, time_ms: int) -> dict[str, dict[str, Any]] | Rejected:
    """Return the indicators with other targets, by name, or why the targets cannot be."""
    changed: dict[str, dict[str, Any]] = {}
    for name, targets in args.get("targets", {}).items():
        view.charge(INDICATOR_STEPS + 2 * POINT_STEPS * len(targets))
        before: Any = view.get(indicator_key(mission, name))
        if before is None:
            return Rejected("unknown_indicator", f"{mission} has no indicator {name}")
        fixed, now = (_until(points, time_ms + FIXED_MS) for points in (before.get("targets", ()), targets))
        if fixed != now:  # V2
            return Rejected("too_late", f"args.targets.{name}: targets up to 90 days ahead stay as they are: {fixed}")
        if "baseline" in before and not is_rising([before["baseline"], targets[0]]):  # I2
            return Rejected("date_order", f"args.targets.{name}: the baseline is of {before['baseline'][1]}")
        changed[name] = {**before, "targets": targets}
    return changed


def _until(points: Sequence[Any], time_ms: int) -> list[list[Any]]:
    return [list(point) for point in points if begins_ms(point[1]) < time_ms]


def _faults(args: Args) -> Iterator[Rejected]:
    if not any(name in args for name in _CHANGES):
        yield from refused(f": expected one of {', '.join(_CHANGES)}")
    yield from goal_faults(args.get("goals", ()), None)
    yield from indicator_faults(args.get("indicators", ()))
    for name, targets in args.get("targets", {}).items():
        if not is_rising(targets):  # I2
            yield from refused(f".targets.{name}: expected days that rise")


ACTIONS: Final[dict[str, Action]] = {
    "revise": Action(
        arguments=Arguments(
            {"mission": NAME, "reason": long_text},
            {
                "goals": GOALS,
                "indicators": INDICATORS,
                "targets": Table(TARGETS, high=MAX_INDICATORS, key=NAME),
                "evaluations": EVALUATIONS,
                "after": Integer(1, 2**53),
            },
            _faults,
        ),
        apply=_revise,
        title="Revise a mission: goals, further indicators, targets, dates of evaluations, with a reason",
        example={
            "mission": "legal-digital-currency",
            "reason": "Wallets grew faster than expected",
            "goals": [{"id": "use", "title": "It is used in trade at retail", "indicators": {"wallets": UP}}],
            "targets": {"wallets": [[600_000_000, "2030-12-31"]]},
        },
        capability="operate",
    ),
}
