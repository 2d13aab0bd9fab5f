"""What the rules said along a case: replayed here from proven items, by the monitors that judge on the ledger.

Law: how a rule stands is read from the certified state of the object's monitors; what each event did to it is replayed
with the rules in force now, and where the two differ the state is right and the difference is said. Rules over related
objects are not replayed: what those objects had is not among the items of the case.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

from coseal.contracts.process.chain import ObjectName, objects_of
from coseal.contracts.process.corrections import places
from coseal.contracts.process.items import time_ms as read_time_ms
from coseal.contracts.process.tally import NO_TALLIES, Fold, Tally
from coseal.contracts.rules.draft import State
from coseal.contracts.rules.facts import Event
from coseal.contracts.rules.monitor import RuleSet
from coseal.contracts.rules.reasons import NOTHING
from coseal.contracts.rules.rule import COUNT, UNDETERMINED, Rule
from coseal.contracts.rules.rule import RELATED as RELATED_KIND
from coseal.contracts.rules.verdict import Verdict
from coseal.contracts.supervision.object_monitors import Watched, judging_type
from coseal.contracts.supervision.sets_in_force import JudgingSet, judging

MAX_RULES: Final = 64
"""Beyond this many rules in force on a process type the console does not fetch and replay them all."""

Place = tuple[str, str, str]


class Held:
    """State values that were proven, read by key as contracts read the state."""

    def __init__(self, values: Mapping[str, Any]) -> None:
        self._values = values

    def get(self, key: str) -> Any:
        """Return a value, None if it is absent."""
        return self._values.get(key)


@dataclass(frozen=True, slots=True)
class Recorded:
    """An item of the case, with what the ledger adds; ``live`` and ``zone_minutes`` are its source's.

    ``disputed``: it is an event whose counterparty disputes it now.
    """

    item: Mapping[str, Any]
    source: str
    sequence: int
    height: int
    block_ms: int
    live: bool = True
    zone_minutes: int | None = None
    disputed: bool = False
    tallied: Mapping[ObjectName, Tally] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Standing:
    """How one rule stands on the object."""

    rule: Rule
    trial: bool
    verdict: Verdict


@dataclass(frozen=True, slots=True)
class Touch:
    """A rule that an event concerned: how it stood before and after it."""

    rule: Rule
    trial: bool
    before: Verdict
    after: Verdict


@dataclass(slots=True)
class Replay:
    """``touches`` holds, for each item in order, the rules it concerned; ``end`` how each rule stands after all."""

    touches: list[list[Touch]] = field(default_factory=list)
    end: list[Standing] = field(default_factory=list)


def judges_of(values: Mapping[str, Any], definition: Mapping[str, Any], object_type: str) -> tuple[JudgingSet, ...]:
    """Return the sets that judge objects of a type, compiled from proven values."""
    every = judging(Held(values), definition)
    return tuple(judge for judge in every if object_type in judge.by_type and not judge.related)


def mind_disputes(judges: Sequence[JudgingSet]) -> bool:
    """Say whether it matters to any rule whether an event is disputed."""
    return any(judge.disputed != COUNT for judge in judges)


def standings(place: Place, value: Any, judges: Sequence[JudgingSet]) -> list[Standing]:
    """Return how every rule stands by the certified state value of an object's monitors."""
    watched = Watched(place, value, judging_type(judges, place[1]))
    found = []
    for judge, state in zip(watched.judges, watched.entries, strict=True):
        found += _standings(judge, watched.rules(judge), state)
    return found


def _standings(judge: JudgingSet, rules: RuleSet, state: State | None) -> list[Standing]:
    verdicts = zip(rules.rules, rules.verdicts(state), strict=True)
    return [Standing(rule, judge.shadow, verdict) for rule, verdict in verdicts if not rule.ended]


def replay(
    place: Place,
    value: Any,
    judges: Sequence[JudgingSet],
    since: Mapping[str, int],
    items: Sequence[Recorded],
    late_ms: int,
    clock_ms: int | None,
) -> Replay:
    """Return what each item did to the rules. ``value`` is the state of the monitors, for when the object began.

    ``since`` is the height at which each set came into force, ``late_ms`` the reporting lag of the process type,
    ``clock_ms`` the object's clock by now, None if it is not known.
    """
    watched = Watched(place, value, judging_type(judges, place[1]))
    states: list[State | None] = [None] * len(watched.judges)
    found = Replay([[] for _ in items])
    for number, judge in enumerate(watched.judges):
        tallies = _tallies(watched.rules(judge), judge.keeps, place, items)
        for at, one in _trace(judge, place, items, since[judge.id]):
            one = replace(one, tallied=tallies.get(at, NO_TALLIES))
            states[number], touched = _observe(watched, judge, states[number], one, late_ms)
            found.touches[at] += touched
    for number, judge in enumerate(watched.judges):
        state, rules = states[number], watched.rules(judge)
        if state is not None and clock_ms is not None:
            state, _ = rules.expire(state, clock_ms - late_ms)
        found.end += [one for one in _standings(judge, rules, state) if one.rule.kind != RELATED_KIND]
    return found


def _trace(judge: JudgingSet, place: Place, items: Sequence[Recorded], since: int) -> Iterator[tuple[int, Recorded]]:
    """Yield what a set judges, with its index: the corrected trace since it came into force, or what was recorded.

    A correction is judged in its place, as of the time of the first item that stood there.
    """
    seen = [(at, one) for at, one in enumerate(items) if one.height >= since]
    if judge.keeps:
        trace = seen
    else:
        trace = [
            (seen[found.now][0], replace(seen[found.now][1], height=first.height, block_ms=first.block_ms))
            for found in places([(one.source, one.sequence, one.item) for _, one in seen])
            for first in [seen[found.first][1]]
        ]
    for at, one in trace:
        if place[1:] in objects_of(one.item):
            yield at, one


def _tallies(
    rules: RuleSet, keeps: bool, place: Place, items: Sequence[Recorded]
) -> dict[int, Mapping[ObjectName, Tally]]:
    """Return the tallies of the object after what each item stands for, by the index of the item."""
    if not rules.tallies:
        return {}
    fold, name, found = Fold(rules.tallies), (place[1], place[2]), dict[int, Mapping[ObjectName, Tally]]()
    recorded = [(one.source, one.sequence, one.item) for one in items]
    at = {one[:2]: one for one in recorded}
    for index in range(len(items)) if keeps else (standing.now for standing in places(recorded)):
        source, sequence, item = recorded[index]
        target = at.get((source, item["corrects"][0])) if keeps and "corrects" in item else None
        corrected = None if target is None else (target[1], target[2], (name,))
        names = (name,) if name in objects_of(item) else ()
        found[index] = fold.add(source, sequence, item, names, corrected)
    return found


def _observe(
    watched: Watched, judge: JudgingSet, state: State | None, one: Recorded, late_ms: int
) -> tuple[State | None, list[Touch]]:
    rules, whole, item = watched.rules(judge), watched.whole(judge), one.item
    if "event" not in item:
        if "relation" not in item:
            state = rules.describe(state, item, one.block_ms, zone_minutes=one.zone_minutes, whole=whole)
        return state, []
    if one.disputed and judge.disputed != COUNT:
        return _disputed(watched, judge, state, one)
    occurred_ms = read_time_ms(item["time"], one.zone_minutes) or 0
    if state is not None:  # what was due before this event is missed by now, by the clock this source goes by
        state, _ = rules.expire(state, (one.block_ms if one.live else occurred_ms) - late_ms)
    before = rules.verdicts(state)
    where = (one.source, one.sequence, one.height, one.block_ms, one.live, one.zone_minutes)
    event = Event(item, occurred_ms, *where, tallied=one.tallied)
    state, findings = rules.observe(state, event, watched.place[2], whole=whole)
    found = {finding.rule.id for finding in findings}
    touches = []
    for rule, was, now in zip(rules.rules, before, rules.verdicts(state), strict=True):
        if rule.kind == RELATED_KIND:
            continue
        reach = rule.body.reach
        concerned = item["type"] in reach.symbols or bool(reach.every)
        in_time = rule.from_ms <= one.block_ms < rule.until_ms and (rule.body.forward or whole)
        if was != now or rule.id in found or (concerned and in_time):
            touches.append(Touch(rule, judge.shadow, was, now))
    return state, touches


def _disputed(
    watched: Watched, judge: JudgingSet, state: State | None, one: Recorded
) -> tuple[State | None, list[Touch]]:
    """Return what a disputed event leaves: nothing where it is left out, else rules that cannot tell."""
    if judge.disputed != UNDETERMINED:
        return state, []
    rules, item = watched.rules(judge), one.item
    state = state or rules.fresh(one.block_ms, whole=watched.whole(judge))
    before, kinds = rules.verdicts(state), (item["type"],)
    state, findings = rules.unsettle(state, kinds, NOTHING, item["event"], 0, one.block_ms, repeating=True)
    found = {finding.rule.id for finding in findings}
    stood = zip(rules.rules, before, rules.verdicts(state), strict=True)
    return state, [Touch(rule, judge.shadow, was, now) for rule, was, now in stood if rule.id in found]
