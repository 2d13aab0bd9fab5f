"""A rule as its author writes it, checked and compiled.

Law: what is accepted is whole: every field known, every name declared (where the process type is given), every cost
bounded; a refusal names the place and the reason.

docs/spec/rules.md, section Rule file.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final

from coseal.contracts.kernel.budget import CHARACTER_STEPS, RULE_STEPS, SCHEMA_STEPS, SIGN_STEPS, TEST_STEPS
from coseal.contracts.kernel.dates import DAY_MS, parse_time
from coseal.contracts.kernel.fields import (
    Field,
    Identifier,
    Integer,
    Label,
    Many,
    Name,
    OneOf,
    Record,
    Scalar,
    Special,
    Table,
    Text,
    Timestamp,
    Translatable,
)
from coseal.contracts.kernel.wording import in_language
from coseal.contracts.rules.bodies import BODIES, Build
from coseal.contracts.rules.cel.compile import LARGEST
from coseal.contracts.rules.correlated import KEPT_SIZE, MAX_KEPT
from coseal.contracts.rules.errors import RuleError
from coseal.contracts.rules.event_rules import Ended
from coseal.contracts.rules.facts import FIGURES_STEPS, TALLY_FIELDS, Definition, Used, used
from coseal.contracts.rules.related import LOOK_STEPS, MAX_RELATED, Related
from coseal.contracts.rules.verdict import Body, Verdict
from coseal.ledger import codec

MAX_RULES: Final = 1_000
MAX_COST: Final = 20_000
MAX_TESTS: Final = 64
MAX_HOLD_MS: Final = 30 * DAY_MS
SEVERITIES: Final = ("notice", "warning", "violation")
EFFECTS: Final = ("flag", "notify", "hold", "reject")
REJECTING: Final = frozenset(("guard", "shape"))
"""The kinds that may refuse an event: what they say depends on this event alone, not on what is still to come."""
ON_SOURCES: Final = frozenset(("lag", "gap", "periodic"))
ON_RECORDING: Final = frozenset(("lag", "gap"))
"""The kinds that are about the recording itself, which no correction changes."""
RELATED: Final = "related"
KEEP: Final = "keep"
COUNT: Final = "count"
LEAVE_OUT: Final = "leave_out"
UNDETERMINED: Final = "undetermined"
DISPUTED: Final = (COUNT, LEAVE_OUT, UNDETERMINED)  # M13
"""How a rule judges an event while it is disputed; the first is the default."""
SOURCE: Final = "source"
"""The object type of rules about sources; the object is ``member/source``."""
_CONDITIONS: Final = ("assert", "activation", "target")
_SIGNS: Final = "()[]{}.,!?:+-*/%<>=&|"
DEFAULT_OBJECT_TYPE: Final = "case"
ALWAYS: Final = (-(2**63), 2**63 - 1)


@dataclass(frozen=True, slots=True)
class Rule:
    """A compiled rule; ``data`` is the map it was made from. Times in ms; ``until_ms`` is the first ms without it.

    ``reads`` are the attributes of the object that its expressions read, ``figures`` what they read of its tallies.
    ``keeps``: it judges what was recorded, and not the corrected trace. ``disputed``: how it judges an event that is
    disputed.
    """

    id: str
    version: int
    title: str
    legal_basis: tuple[str, ...]
    severity: str
    effect: str
    hold_ms: int
    kind: str
    process_type: str
    object_type: str
    from_ms: int
    until_ms: int
    cost: int
    tests: tuple[Mapping[str, Any], ...]
    reads: tuple[str, ...]
    figures: tuple[str, ...]
    keeps: bool
    disputed: str
    body: Body = field(repr=False)
    data: Mapping[str, Any] = field(repr=False, compare=False)

    @property
    def ended(self) -> bool:
        """Whether it judges nothing any more."""
        return type(self.body) is Ended


def parse_rule(data: Any, definition: Definition | None = None, path: str = "") -> Rule:
    """Return the rule that ``data`` is; raises RuleError.

    With ``definition``, the normalised process type, every event type, object type and attribute must be its own.
    """
    given = _without_nulls(data, path)
    kind: Any = given.get("kind")
    build = BODIES.get(kind) if type(kind) is str else None
    if build is None:
        raise RuleError(f"{path}.kind", None, f"expected one of {', '.join(BODIES)}")
    # R1
    _require(fields_of(kind), given, path)
    scope = given.get("scope", {})
    object_type = _object_type(given)
    _check_scope(kind, scope, object_type, definition, path)
    start, end = (_time(given, name, default) for name, default in zip(("valid_from", "valid_to"), ALWAYS, strict=True))
    if start >= end:
        raise RuleError(f"{path}.valid_to", None, "expected a time after valid_from")
    _check_effect(kind, given, path)
    _check_trace(kind, given, path)
    body = build.compile(Build(given, object_type, definition, path))
    _check_event_types(body, scope, path)
    read = _used(given, path)
    figures = tuple(sorted({name for one in read.values() for name in one.fields} & TALLY_FIELDS))
    cost = body.cost + (FIGURES_STEPS if figures else 0)
    if cost > MAX_COST:  # R5
        raise RuleError(path, None, f"the worst case of an event takes {cost} steps, more than {MAX_COST}")
    return Rule(
        id=given["id"],
        version=given.get("version", 1),
        title=in_language(given.get("title", given["id"])),
        legal_basis=tuple(given.get("legal_basis", ())),
        severity=given.get("severity", "violation"),
        effect=given.get("effect", "flag"),
        hold_ms=given.get("hold_ms", 0),
        kind=kind,
        process_type=scope.get("process_type", ""),
        object_type=object_type,
        from_ms=start,
        until_ms=end,
        cost=cost,
        tests=tuple(given.get("tests", ())),
        reads=_reads(kind, read),
        figures=figures,
        keeps=_keeps(given),
        disputed=given.get("disputed", COUNT),
        body=body,
        data=data,
    )


def fields_of(kind: str) -> Record:
    """Return what a rule of one kind of ``BODIES`` has, once what is null is left out."""
    body = BODIES[kind]
    return Record({**_REQUIRED, **body.required}, {**_OPTIONAL, **body.optional})


def ended_rule(data: Mapping[str, Any]) -> Rule:
    """Return what keeps the place of an accepted rule that judges nothing any more; nothing of it is compiled."""
    given = _without_nulls(data, "")
    return Rule(
        id=given["id"],
        version=given.get("version", 1),
        title=given.get("title", given["id"]),
        legal_basis=tuple(given.get("legal_basis", ())),
        severity=given.get("severity", "violation"),
        effect=given.get("effect", "flag"),
        hold_ms=given.get("hold_ms", 0),
        kind=given["kind"],
        process_type=given.get("scope", {}).get("process_type", ""),
        object_type=_object_type(given),
        from_ms=ALWAYS[0],
        until_ms=ALWAYS[1],
        cost=0,
        tests=(),
        reads=(),
        figures=(),
        keeps=_keeps(given),
        disputed=given.get("disputed", COUNT),
        body=Ended(),
        data=data,
    )


def names_of(data: Mapping[str, Any]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the object types and the event types that an accepted rule names.

    These and their attributes are all that its meaning takes from a process type.
    """
    given = _without_nulls(data, "")
    activities = (given[name] for name in ("a", "b", "had") if name in given)
    others = (given["over"]["type"],) if "over" in given else ()
    return (_object_type(given), *others), tuple(dict.fromkeys((*activities, *given.get("on", ()))))


def witness_of(rule: Rule) -> Rule | None:
    """Return what a rule over related objects has judge these, or hold a place there; None for any other rule."""
    if rule.kind != RELATED:
        return None
    if not isinstance(rule.body, Related):  # it has ended
        return replace(rule, object_type=rule.data["over"]["type"])
    return replace(rule, object_type=rule.body.over.type, body=rule.body.witness(), reads=rule.body.reads)


def about_sources(data: Mapping[str, Any]) -> bool:
    """Say whether an accepted rule judges sources, not objects of the process."""
    return data["kind"] in ON_SOURCES and _object_type(_without_nulls(data, "")) == SOURCE


def source_bytes(data: Mapping[str, Any]) -> int:
    """Return the size of what is compiled of an accepted rule: the fields of its kind, in the canonical encoding."""
    kind = BODIES[data["kind"]]
    names = ("kind", *kind.required, *kind.optional)
    return len(codec.encode({name: data[name] for name in names if data.get(name) is not None}))  # R9


def parse_steps(data: Mapping[str, Any]) -> int:
    """Return what is charged for compiling a rule as it was sent, which may be no rule at all (docs/spec/budget.md)."""
    steps = RULE_STEPS
    for name in ("assert", "activation", "target", "correlation", "where"):
        text = data.get(name)
        if type(text) is str:
            steps += CHARACTER_STEPS * len(text) + SIGN_STEPS * sum(text.count(sign) for sign in _SIGNS)
    schema = data.get("schema")
    return steps if schema is None else steps + SCHEMA_STEPS * len(codec.encode(schema))


def test_steps(rule: Rule) -> int:
    """Return what is charged for running the tests of a rule."""
    charge, kept = rule.body.charge.at(LARGEST), rule.body.kept_charge.at(KEPT_SIZE)
    charge += FIGURES_STEPS if rule.figures else 0
    steps = 0
    for test in rule.tests:
        events = len(test.get("events", ())) + ("event" in test)
        steps += TEST_STEPS + events * (TEST_STEPS + charge + kept * min(events, MAX_KEPT))
        if isinstance(rule.body, Related):
            steps += events * (rule.cost + MAX_RELATED * LOOK_STEPS)
    return steps


def _object_type(given: Mapping[str, Any]) -> str:
    """Return the object type of a rule without nulls."""
    usual = SOURCE if given["kind"] in ON_SOURCES else DEFAULT_OBJECT_TYPE
    object_type: str = given.get("scope", {}).get("object_type", usual)
    return object_type


def parse_rules(data: Any, definition: Definition | None = None) -> tuple[Rule, ...]:
    """Return the rules of a rule file; raises RuleError for the first wrong one, or an id that stands twice."""
    rules = tuple(parse_rule(entry, definition, f"[{index}]") for index, entry in enumerate(entries(data)))
    twice = _first_twice(rule.id for rule in rules)
    if twice is not None:
        raise RuleError(f"[{twice}].id", None, f"{rules[twice].id} stands twice; one version of a rule at a time")
    return rules


def entries(data: Any) -> list[Any]:
    """Return the rules of a file, unread; raises RuleError if it is no list of a bearable length."""
    if type(data) is not list or not 0 < len(data) <= MAX_RULES:
        raise RuleError("", None, f"expected a list of 1 to {MAX_RULES} rules")
    return data


def _first_twice(names: Iterable[str]) -> int | None:
    seen: set[str] = set()
    for index, name in enumerate(names):
        if name in seen:
            return index
        seen.add(name)
    return None


def _without_nulls(data: Any, path: str) -> dict[str, Any]:
    """Return a copy in which what is null is absent, in the rule and in its scope."""
    if type(data) is not dict:
        raise RuleError(path, None, "expected a map")
    given = {name: value for name, value in data.items() if value is not None}
    if type(given.get("scope")) is dict:
        given["scope"] = {name: value for name, value in given["scope"].items() if value is not None}
    return given


def _require(field: Field, value: Any, path: str) -> None:
    error = field.check(value)
    if error is not None:
        place, _, reason = error.partition(": ")
        raise RuleError(f"{path}{place}", None, reason)


def _time(given: Mapping[str, Any], name: str, default: int) -> int:
    value = parse_time(given.get(name))
    return default if value is None else value


def _check_scope(
    kind: str, scope: Mapping[str, Any], object_type: str, definition: Definition | None, path: str
) -> None:
    if kind in ("gap", "periodic") and object_type != SOURCE:  # R6
        raise RuleError(f"{path}.scope.object_type", None, f"leave it out: a {kind} rule is about a source")
    if definition is None:
        return
    if scope.get("process_type", definition["id"]) != definition["id"]:
        raise RuleError(f"{path}.scope.process_type", None, f"expected {definition['id']}, the process type given")
    if object_type not in definition["object_types"] and not (kind in ON_SOURCES and object_type == SOURCE):  # R4
        known = ", ".join(definition["object_types"])
        raise RuleError(f"{path}.scope.object_type", None, f"unknown object type '{object_type}'; known: {known}")


def _check_event_types(body: Body, scope: Mapping[str, Any], path: str) -> None:
    kinds = scope.get("event_types")
    if kinds is None:
        return
    if body.reach.first or body.reach.after or body.reach.every:  # R3
        raise RuleError(f"{path}.scope.event_types", None, "this rule looks at the events of all types; leave it out")
    for name in (*body.reach.symbols, *((body.had,) if isinstance(body, Related) and body.had else ())):
        if name not in kinds:
            raise RuleError(f"{path}.scope.event_types", None, f"'{name}' is in the rule, but not in its scope")


def _used(given: Mapping[str, Any], path: str) -> Mapping[str, Used]:
    """Return what each expression of a rule reads of its object; each is parsed once, for that is what takes time."""
    return {name: used(given[name], "o", f"{path}.{name}") for name in (*_CONDITIONS, "where") if name in given}


def _reads(kind: str, read: Mapping[str, Used]) -> tuple[str, ...]:
    conditions = ("where",) if kind == RELATED else _CONDITIONS
    return tuple(sorted({name for where in conditions if where in read for name in read[where].attributes}))


def _keeps(given: Mapping[str, Any]) -> bool:
    """Say whether a rule judges what was recorded: one about the recording itself always does."""
    return given["kind"] in ON_RECORDING or given.get("corrections") == KEEP  # R10


def _check_trace(kind: str, given: Mapping[str, Any], path: str) -> None:
    if kind in ON_RECORDING and "corrections" in given:  # R10
        raise RuleError(f"{path}.corrections", None, f"leave it out: a {kind} rule is about the recording itself")
    if kind in ON_SOURCES and "disputed" in given:  # R11
        raise RuleError(f"{path}.disputed", None, f"leave it out: a {kind} rule is about what its source reports")
    if kind == RELATED and "corrections" in given:
        raise RuleError(f"{path}.corrections", None, f"leave it out: a {kind} rule judges corrected traces")
    if kind == RELATED and "disputed" in given:
        raise RuleError(f"{path}.disputed", None, f"leave it out: a {kind} rule counts disputed events")


def _check_effect(kind: str, given: Mapping[str, Any], path: str) -> None:
    effect = given.get("effect", "flag")
    if effect == "reject" and kind not in REJECTING:  # R2
        raise RuleError(f"{path}.effect", None, "reject is for guards and shapes; use flag, notify or hold")
    if (effect == "hold") != ("hold_ms" in given):
        raise RuleError(f"{path}.hold_ms", None, "needed with the effect hold, and only with it")


def _map_faults(value: Any) -> Iterator[str]:
    if type(value) is not dict:
        yield ": expected a map"


_map: Final = Special(
    _map_faults, "a map", {"type": "object"}, refused=(None, 1, "", [], True), passed=({}, {"attributes": {}})
)
_identifier: Final = Identifier(slash=False)
_REQUIRED: Final[Mapping[str, Field]] = {"id": _identifier, "kind": Text()}
_OPTIONAL: Final[Mapping[str, Field]] = {
    "version": Integer(1, 1_000_000),
    "title": Translatable(),
    "description": Text(high=4_000),
    "legal_basis": Many(Text(), high=16, unique=True),
    "proposer": Name(),
    "severity": OneOf(*SEVERITIES),
    "effect": OneOf(*EFFECTS),
    "hold_ms": Integer(1_000, MAX_HOLD_MS),
    "corrections": OneOf("apply", KEEP),
    "disputed": OneOf(*DISPUTED),
    "scope": Record(
        {},
        {
            "process_type": _identifier,
            "object_type": _identifier,
            "event_types": Many(Label(), high=256, low=1, unique=True),
        },
    ),
    "valid_from": Timestamp(),
    "valid_to": Timestamp(),
    "tests": Many(
        Record(
            {"verdict": OneOf(*(verdict.value for verdict in Verdict))},
            {
                "title": Text(),
                "event": _map,
                "events": Many(_map, high=256),
                "object": Table(Scalar(high=4_096), high=128),
                "gap": Many(Integer(1, 2**53), low=2, high=2),
                "clock": Timestamp(),
            },
        ),
        high=MAX_TESTS,
    ),
}
