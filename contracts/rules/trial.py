"""Rules over a log of the past: the very monitors of the ledger, and how often each verdict stands at the end.

Law: the log is judged as a historical source would be: its clock is the highest occurrence time so far, and dates
of validity are set aside, for the past is what the rule is tried on.

docs/spec/rules.md, section Trying rules.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from heapq import heappop, heappush
from typing import Any

from coseal.contracts.process.chain import ObjectName, objects_of
from coseal.contracts.process.items import time_ms
from coseal.contracts.process.tallies import Declared, declared_tallies
from coseal.contracts.process.tally import Fold, Tally
from coseal.contracts.rules.draft import State
from coseal.contracts.rules.errors import RuleError
from coseal.contracts.rules.facts import Definition, Event
from coseal.contracts.rules.monitor import RuleSet, rule_sets, witness_sets
from coseal.contracts.rules.reasons import Reason
from coseal.contracts.rules.rule import ALWAYS, SOURCE, Rule
from coseal.contracts.rules.verdict import Sight, Verdict, unseen


@dataclass(frozen=True, slots=True)
class RuleResult:
    """What a rule says of the objects at the end of a log: their ids by verdict, and how many findings it made."""

    rule: Rule
    cases: Mapping[Verdict, tuple[str, ...]]
    findings: int

    def to_json(self, *, with_cases: bool = False) -> dict[str, Any]:
        """Return the counts, and the ids if asked for."""
        result: dict[str, Any] = {"id": self.rule.id, "version": self.rule.version}
        result |= {verdict.value: len(self.cases[verdict]) for verdict in Verdict}
        result["findings"] = self.findings
        if with_cases:
            result["cases"] = {verdict.value: list(self.cases[verdict]) for verdict in Verdict}
        return result


@dataclass(frozen=True, slots=True)
class TrialResult:
    """What came of rules on a log: ``cases`` are the objects with events, of the types the rules are about."""

    cases: int
    events: int
    without_events: int
    rules: tuple[RuleResult, ...]

    def to_json(self, *, with_cases: bool = False) -> dict[str, Any]:
        """Return the result as ``coseal rules test --json`` prints it."""
        return {
            "cases": self.cases,
            "events": self.events,
            "objects_without_events": self.without_events,
            "rules": [result.to_json(with_cases=with_cases) for result in self.rules],
        }


def try_rules(
    rules: Sequence[Rule],
    items: Iterable[Mapping[str, Any]],
    definition: Definition | None = None,
    *,
    object_type: str | None = None,
    source: str = "log/source",
    zone_minutes: int | None = None,
) -> TrialResult:
    """Return what rules say of a log's items (of ``process.record``, valid and in the ledger's order).

    ``object_type`` is set in place of the rules' own, save for rules about sources.
    """
    always = [replace(rule, from_ms=ALWAYS[0], until_ms=ALWAYS[1]) for rule in rules]  # M9
    if object_type is not None:
        always = [rule if rule.object_type == SOURCE else replace(rule, object_type=object_type) for rule in always]
    lag_ms = 0 if definition is None else definition["late_ms"]
    if object_type is not None and definition is not None:
        definition = _tallied_as(definition, rules, object_type)
    trial = _Trial(rule_sets(always, definition), witness_sets(always, definition), source, zone_minutes, lag_ms)
    trial.tallies = Tallies(declared_tallies(definition))
    for sequence, item in enumerate(items, 1):
        trial.add(sequence, item)
    return trial.result(always)


def _tallied_as(definition: Definition, rules: Sequence[Rule], object_type: str) -> Definition:
    """Return the process type in which objects of a type have the tallies of those that the rules are about."""
    kinds = sorted({rule.object_type for rule in rules if rule.figures})
    if len(kinds) > 1:
        reason = f"rules read the tallies of {' and '.join(kinds)}; {object_type} stands for one of them at a time"
        raise RuleError("", None, reason)
    changed = {**definition}
    for part in ("tallies", "match") if kinds else ():
        if kinds[0] in definition.get(part, {}):
            changed[part] = {**definition[part], object_type: definition[part][kinds[0]]}
    return changed


class Tallies:
    """The tallies of the objects of a log, whose items have numbers of one source."""

    def __init__(self, declared: Mapping[str, Declared]) -> None:
        self._fold = Fold(declared) if declared else None
        self._items: dict[int, Mapping[str, Any]] = {}

    def add(self, source: str, sequence: int, item: Mapping[str, Any]) -> Mapping[ObjectName, Tally]:
        """Add the next item; return the tallies of its objects after it."""
        if self._fold is None:
            return {}
        self._items[sequence] = item
        corrected = None
        if "corrects" in item and item["corrects"][0] < sequence and item["corrects"][0] in self._items:
            first = item["corrects"][0]
            corrected = (first, self._items[first], objects_of(self._items[first]))
        return self._fold.add(source, sequence, item, objects_of(item), corrected)


class _Watch:
    """The objects of one type: their states, and their deadlines, earliest first."""

    def __init__(self, rules: RuleSet) -> None:
        self.rules = rules
        self.states: dict[str, State] = {}
        self.named: dict[str, None] = {}
        self.due: list[tuple[int, str]] = []
        self.scheduled: dict[str, int] = {}
        self.findings: Counter[str] = Counter()

    def keep(self, object_id: str, state: State | None) -> None:
        """Keep an object's new state, and when it is due."""
        if state is not None:
            self.states[object_id] = state
            self._schedule(object_id, state)

    def pass_to(self, clock_ms: int) -> None:
        """Let everything expire that was due before ``clock_ms``."""
        while self.due and self.due[0][0] < clock_ms:
            deadline, object_id = heappop(self.due)
            if self.scheduled.get(object_id) == deadline:
                del self.scheduled[object_id]
                state, findings = self.rules.expire(self.states[object_id], clock_ms)
                self.findings.update(finding.rule.id for finding in findings)
                self.keep(object_id, state)

    def _schedule(self, object_id: str, state: State) -> None:
        """Have the object come up at its first deadline, unless it comes up before."""
        deadline, scheduled = RuleSet.due_ms(state), self.scheduled.get(object_id)
        if deadline is not None and (scheduled is None or deadline < scheduled):
            self.scheduled[object_id] = deadline
            heappush(self.due, (deadline, object_id))


class _Trial:
    def __init__(
        self,
        sets: Mapping[str, RuleSet],
        witnesses: Mapping[str, RuleSet],
        source: str,
        zone_minutes: int | None,
        lag_ms: int,
    ) -> None:
        self.watches = {kind: _Watch(rules) for kind, rules in sets.items()}
        self.related = {kind: _Watch(rules) for kind, rules in witnesses.items()}
        self.source, self.zone_minutes, self.lag_ms = source, zone_minutes, lag_ms
        self.clock_ms: int | None = None
        self.events = 0
        self.tallies = Tallies({})

    def add(self, sequence: int, item: Mapping[str, Any]) -> None:
        """Take the next item of the log."""
        tallied = self.tallies.add(self.source, sequence, item)
        if "event" not in item:
            self._describe(item)
            return
        self.events += 1
        occurred = time_ms(item["time"], self.zone_minutes)
        if occurred is None:
            raise ValueError(f"item {sequence}: the time {item['time']} cannot be read")
        self._pass_to(occurred)
        clock_ms = self.clock_ms or 0
        where = (self.source, sequence, sequence, clock_ms, False, self.zone_minutes)
        event = Event(item, occurred, *where, tallied=tallied)
        for kind, name in objects_of(item):
            watch = self.related.get(kind)
            if watch is not None:
                watch.keep(name, watch.rules.observe(watch.states.get(name), event, name)[0])
        for kind, name in (*objects_of(item), (SOURCE, self.source)):  # M4
            watch = self.watches.get(kind)
            if watch is not None:
                state = watch.states.get(name) or watch.rules.begin(None, name, occurred)
                state, findings = watch.rules.observe(state, event, name, look=self._look)
                watch.findings.update(finding.rule.id for finding in findings)
                watch.keep(name, state)
                watch.named[name] = None

    def _describe(self, item: Mapping[str, Any]) -> None:
        for kind, name in objects_of(item):
            for watch in (self.watches.get(kind), self.related.get(kind)):
                if watch is not None:
                    state, now = watch.states.get(name), self.clock_ms or 0
                    watch.named[name] = None
                    if "relation" in item:
                        watch.keep(name, watch.rules.relate(state, item, name, now))
                    else:
                        watch.keep(name, watch.rules.describe(state, item, now, zone_minutes=self.zone_minutes))

    def _look(self, rule_id: str, kind: str, name: str) -> Sight | Reason:
        watch = self.related.get(kind)
        if watch is None:
            return unseen(rule_id, kind, name)
        return watch.rules.sight(watch.states.get(name), rule_id, whole=True, settled=True)

    def _pass_to(self, occurred_ms: int) -> None:
        if self.clock_ms is None or occurred_ms > self.clock_ms:
            self.clock_ms = occurred_ms
            for watch in self.watches.values():
                watch.pass_to(occurred_ms - self.lag_ms)

    def result(self, rules: Sequence[Rule]) -> TrialResult:
        """Return the verdicts at the end of the log."""
        found: dict[str, RuleResult] = {}
        cases = named = 0
        for kind, watch in self.watches.items():
            active = [name for name in watch.named if name in watch.states and RuleSet.count(watch.states[name])]
            if kind != SOURCE or len(self.watches) == 1:  # a source among cases is no case
                cases += len(active)
                named += len(watch.named)
            found |= _results(watch, active)
        return TrialResult(cases, self.events, named - cases, tuple(found[rule.id] for rule in rules))


def _results(watch: _Watch, names: Sequence[str]) -> dict[str, RuleResult]:
    by_rule: list[dict[Verdict, list[str]]] = [{verdict: [] for verdict in Verdict} for _ in watch.rules.rules]
    for name in names:
        for cases, verdict in zip(by_rule, watch.rules.verdicts(watch.states[name]), strict=True):
            cases[verdict].append(name)
    return {
        rule.id: RuleResult(rule, {verdict: tuple(ids) for verdict, ids in cases.items()}, watch.findings[rule.id])
        for rule, cases in zip(watch.rules.rules, by_rule, strict=True)
    }
