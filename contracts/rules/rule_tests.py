"""Trying a rule before it judges: its own tests, and the check of a whole rule file.

Law: a rule's tests run through the very monitors that will judge, with the dates of its validity set aside.

docs/spec/rules.md, section Rule file.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from coseal.contracts.kernel.dates import parse_time
from coseal.contracts.process.chain import objects_of
from coseal.contracts.process.items import Unfit, schema_of
from coseal.contracts.process.tally import Fold
from coseal.contracts.process.types import definition_hash
from coseal.contracts.rules.draft import State
from coseal.contracts.rules.errors import RuleError
from coseal.contracts.rules.facts import Definition, Event
from coseal.contracts.rules.monitor import RuleSet, witness_sets
from coseal.contracts.rules.periodic import Periodic
from coseal.contracts.rules.reasons import Reason
from coseal.contracts.rules.related import Related
from coseal.contracts.rules.rule import ALWAYS, SOURCE, Rule, entries, parse_rule
from coseal.contracts.rules.verdict import Sight, Verdict

DEFAULT_TIME: Final = "2026-01-01T00:00:00Z"
DEFAULT_SOURCE: Final = "member/source"
_OBJECT_ID: Final = "object"
_EXTRA: Final = frozenset(("source", "block_time"))
_ITEM: Final = frozenset(
    (
        *("event", "type", "time", "objects", "attributes"),
        *("recorded", "counterparty", "evidence", "policy", "corrects", "late"),
    )
)


_OF_OBJECTS: Final = frozenset(("relation", "to", "qualifier", "object", "change", "type", "attributes"))
"""The fields of items that are no events: of tests of rules over related objects."""


@dataclass(frozen=True, slots=True)
class Checked:
    """What became of one entry of a rule file: the rule if it compiles, and everything that is wrong."""

    index: int
    id: str
    rule: Rule | None
    errors: tuple[RuleError, ...]


def check_rules(data: Any, definition: Definition | None = None) -> tuple[Checked, ...]:
    """Return what became of every entry of a rule file; raises RuleError if it is no list of rules at all."""
    checked, seen = [], set()
    for index, entry in enumerate(entries(data)):
        path = f"[{index}]"
        name: Any = entry.get("id") if type(entry) is dict else None
        name = name if type(name) is str else path
        errors: list[RuleError] = []
        rule = None
        try:
            rule = parse_rule(entry, definition, path)
            errors += failed_tests(rule, definition, path)
        except RuleError as error:
            errors.append(error)
        if name in seen:
            errors.append(RuleError(f"{path}.id", None, f"{name} stands twice; one version of a rule at a time"))
        seen.add(name)
        checked.append(Checked(index, name, rule, tuple(errors)))
    return tuple(checked)


def failed_tests(rule: Rule, definition: Definition | None = None, path: str = "") -> list[RuleError]:
    """Return an error for every test of a rule that cannot be read or gives another verdict than it expects."""
    always = replace(rule, from_ms=ALWAYS[0], until_ms=ALWAYS[1])
    errors = []
    for index, test in enumerate(rule.tests):
        where = f"{path}.tests[{index}]"
        try:
            verdict = run_test(always, test, definition, where)
        except RuleError as error:
            errors.append(error)
            continue
        if verdict != test["verdict"] and not _passes(rule, test["verdict"], verdict):
            title = f" ({test['title']})" if "title" in test else ""
            reason = f"expected {test['verdict']}, the rule says {verdict}{title}"
            errors.append(RuleError(f"{where}.verdict", None, reason))
    return errors


def _passes(rule: Rule, expected: str, verdict: Verdict) -> bool:
    """Of a rule that judges event by event, ``satisfied`` says that nothing was found."""
    # R8
    return rule.body.repeats and expected == Verdict.SATISFIED and verdict == Verdict.PENDING


def run_test(rule: Rule, test: Mapping[str, Any], definition: Definition | None = None, path: str = "") -> Verdict:
    """Return the verdict after a test's events, gap and clock; raises RuleError for a test that cannot be read."""
    if isinstance(rule.body, Related):
        return _run_related(rule, rule.body, test, definition, path)
    rules = RuleSet([rule], definition)
    events = _events(rule, test, definition, path)
    object_id = _object_id(rule, events)
    start_ms = min((event.block_ms for event in events), default=0)
    state = rules.begin(None, object_id, start_ms)
    if "object" in test:
        declared = {"attributes": [[name, "0", value] for name, value in test["object"].items()]}
        state = rules.describe(state, declared, start_ms)
    fold, named = Fold(rules.tallies), ((rule.object_type, object_id),)
    for event in events:
        if state is not None:
            state, _ = rules.expire(state, event.block_ms)
        tallied = fold.add(event.source, event.sequence, event.item, named)
        state, _ = rules.observe(state, replace(event, tallied=tallied), object_id)
    if "gap" in test:
        first, last = test["gap"]
        state, _ = rules.gap(state, first, last, start_ms)
    clock_ms = parse_time(test.get("clock"))
    if clock_ms is not None and state is not None:
        state, _ = rules.expire(state, clock_ms)
    return rules.verdicts(state)[0]


# E9
def _run_related(
    rule: Rule, body: Related, test: Mapping[str, Any], definition: Definition | None, path: str
) -> Verdict:
    """Return the verdict on the first object of the rule's type that the items of a test name, after all of them."""
    for name in ("gap", "clock"):
        if name in test:
            raise RuleError(f"{path}.{name}", None, "leave it out: a rule over related objects has no use for it")
    rules, witnesses = RuleSet([rule], definition), witness_sets([rule], definition)[body.over.type]
    items = _related_items(rule, test, definition, path)
    named = (one[1] for item, _ in items for one in objects_of(item) if one[0] == rule.object_type)
    states: dict[str, State | None] = {}
    me, state = next(named, _OBJECT_ID), None
    if "object" in test:
        state = rules.describe(None, {"attributes": [[name, "0", value] for name, value in test["object"].items()]}, 0)

    def look(rule_id: str, kind: str, name: str) -> Sight | Reason:
        return witnesses.sight(states.get(name), rule_id, whole=True, settled=True)

    fold = Fold(rules.tallies)
    for item, event in items:
        if event is not None:
            event = replace(event, tallied=fold.add(event.source, event.sequence, item, objects_of(item)))
        for kind, name in objects_of(item):
            if kind == body.over.type:
                states[name] = _after(witnesses, states.get(name), item, event, name)
        if (rule.object_type, me) in objects_of(item):
            if event is not None:
                state, _ = rules.observe(state, event, me, look=look)
            else:
                state = _after(rules, state, item, None, me)
    return rules.verdicts(state)[0]


def _after(
    rules: RuleSet, state: State | None, item: Mapping[str, Any], event: Event | None, name: str
) -> State | None:
    if event is not None:
        return rules.observe(state, event, name)[0]
    return rules.relate(state, item, name, 0) if "relation" in item else rules.describe(state, item, 0)


def _related_items(
    rule: Rule, test: Mapping[str, Any], definition: Definition | None, path: str
) -> list[tuple[Mapping[str, Any], Event | None]]:
    """Return the items of a test, and of those that are events the event."""
    given = [(test["event"], f"{path}.event")] if "event" in test else []
    given += [(entry, f"{path}.events[{index}]") for index, entry in enumerate(test.get("events", ()))]
    items: list[tuple[Mapping[str, Any], Event | None]] = []
    for index, (entry, where) in enumerate(given):
        if any(name in entry for name in ("relation", "object", "change")):
            for name in entry:
                if name not in _OF_OBJECTS:
                    known = ", ".join(sorted(_OF_OBJECTS))
                    raise RuleError(f"{where}.{str(name)[:64]}", None, f"expected one of {known}")
            _check_objects(entry, definition, where)
            items.append((entry, None))
        else:
            event = _event(rule, index, entry, definition, where)
            _check_objects(event.item, definition, where)
            items.append((event.item, event))
    return items


def _check_objects(item: Mapping[str, Any], definition: Definition | None, path: str) -> None:
    """Refuse an item of which it cannot be said which objects it names."""
    if definition is not None:
        _fits(item, definition, path)
        return
    try:
        good = all(type(text) is str for name in objects_of(item) for text in name)
        good = good and all(
            type(entry) is list and len(entry) == 3 for entry in item.get("attributes", ()) if "event" not in item
        )
    except (KeyError, IndexError, TypeError):
        good = False
    if not good:
        raise RuleError(path, None, "expected an item of process.record: an event, or of objects or their relation")


def _object_id(rule: Rule, events: list[Event]) -> str:
    if isinstance(rule.body, Periodic):
        return rule.body.source
    if rule.object_type == SOURCE:
        return events[0].source if events else DEFAULT_SOURCE
    return _OBJECT_ID


def _events(rule: Rule, test: Mapping[str, Any], definition: Definition | None, path: str) -> list[Event]:
    given = [(test["event"], f"{path}.event")] if "event" in test else []
    given += [(event, f"{path}.events[{index}]") for index, event in enumerate(test.get("events", ()))]
    return [_event(rule, index, event, definition, where) for index, (event, where) in enumerate(given)]


def _event(rule: Rule, index: int, given: Mapping[str, Any], definition: Definition | None, path: str) -> Event:
    for name in given:
        if name not in _ITEM and name not in _EXTRA:  # R7
            raise RuleError(f"{path}.{str(name)[:64]}", None, f"expected one of {', '.join(sorted(_ITEM | _EXTRA))}")
    item: dict[str, Any] = {
        "event": f"event-{index + 1}",
        "time": DEFAULT_TIME,
        **{name: value for name, value in given.items() if name not in _EXTRA},
    }
    if "objects" not in item and rule.object_type != SOURCE:
        item["objects"] = [[rule.object_type, _OBJECT_ID]]
    occurred = _read(item, definition, path)
    source = rule.body.source if isinstance(rule.body, Periodic) else DEFAULT_SOURCE
    source = given.get("source", source)
    if type(source) is not str:
        raise RuleError(f"{path}.source", None, "expected a source as member/source")
    block_ms = parse_time(given.get("block_time", item["time"]))
    if block_ms is None:
        raise RuleError(f"{path}.block_time", None, "expected an RFC 3339 time")
    return Event(item, occurred, source, index + 1, index + 1, block_ms)


def _read(item: Mapping[str, Any], definition: Definition | None, path: str) -> int:
    """Return when an item of a test occurred; raises RuleError if it is not as the process type has it."""
    if definition is not None:
        _fits(item, definition, path)
    occurred = parse_time(item["time"])
    if type(item.get("type")) is not str or type(item.get("attributes", {})) is not dict:
        raise RuleError(f"{path}.type", None, "expected a type, and attributes as a map")
    if occurred is None:
        raise RuleError(f"{path}.time", None, "expected an RFC 3339 time")
    return occurred


def _fits(item: Mapping[str, Any], definition: Definition, path: str) -> None:
    """Raise RuleError for an item that is not as the process type has it."""
    known = {**definition, "definition": definition.get("definition") or definition_hash(definition).hex()}
    try:
        schema_of(known, None).read(item)
    except Unfit as error:
        place, _, reason = str(error).partition(": ")
        raise RuleError(f"{path}{place}", None, reason) from None
