"""The kinds of rules: which fields each has beside the common ones, and how they become a body that judges.

Law: a field that a kind or template does not use is refused, so no rule says more than it does.

docs/spec/rules.md, sections Rule file, DECLARE and Monitors.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from coseal.contracts.kernel.dates import DAY_MS, parse_time
from coseal.contracts.kernel.fields import (
    Field,
    Identifier,
    Integer,
    Label,
    Later,
    Many,
    Name,
    OneOf,
    Record,
    Special,
    Text,
)
from coseal.contracts.kernel.names import is_reference
from coseal.contracts.rules import declare
from coseal.contracts.rules.cel.compile import Expression, Type, compile_expression
from coseal.contracts.rules.claims import Claim, claim_types
from coseal.contracts.rules.correlated import MAX_KEPT, PRECEDING, Correlated
from coseal.contracts.rules.errors import RuleError
from coseal.contracts.rules.event_rules import ON, Gap, Guard, Lag, Segregation, ShapeCheck
from coseal.contracts.rules.facts import BLOCK_TYPE, Definition, event_type, object_type, related_type, used
from coseal.contracts.rules.periodic import Periodic
from coseal.contracts.rules.related import (
    ALL,
    BY_ITEM,
    BY_RELATION,
    COUNT,
    EVENT_STEPS,
    LOOK_STEPS,
    MAX_RELATED,
    MAX_TOGETHER,
    QUANTIFIERS,
    Over,
    Related,
)
from coseal.contracts.rules.shape import compile_shape
from coseal.contracts.rules.timed import Timed
from coseal.contracts.rules.verdict import Body, Reach

MAX_WINDOW_MS: Final = 10 * 366 * DAY_MS
MAX_TEXT: Final = 4_096


@dataclass(frozen=True, slots=True)
class Build:
    """What a body is made from: the rule's fields, its object type, and the process type if it is known."""

    given: Mapping[str, Any]
    object_type: str
    definition: Definition | None
    path: str

    def require_events(self, name: str, *kinds: str) -> None:
        """Raise RuleError if the process type is known and has no such event type."""
        if self.definition is not None:
            for kind in kinds:
                if kind not in self.definition["event_types"]:
                    reason = f"unknown event type '{kind}' of process type {self.definition['id']}"
                    raise RuleError(f"{self.path}.{name}", None, reason)

    def on(self) -> tuple[str, ...]:
        """Return the event types of ``on``."""
        kinds = tuple(self.given["on"])
        self.require_events("on", *kinds)
        return kinds

    def condition(self, name: str, *kinds: str) -> Expression:
        """Return the expression in a field, over ``e`` (of one of ``kinds``), ``o`` and ``block``."""
        variables: dict[str, str | Type] = {
            "e": event_type(self.definition, kinds),
            "o": object_type(self.definition, self.object_type),
            "block": BLOCK_TYPE,
        }
        return compile_expression(self.given[name], variables, f"{self.path}.{name}", result="bool")


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of rule: its own fields and what makes its body of them."""

    compile: Callable[[Build], Body]
    required: dict[str, Field]
    optional: dict[str, Field]


def _declare(build: Build) -> Body:
    given, path = build.given, build.path
    template, a, b, n = given["template"], given["a"], given.get("b", ""), given.get("n", 1)
    if template not in declare.TEMPLATES:
        known = ", ".join(declare.TEMPLATES)
        raise RuleError(f"{path}.template", None, f"unknown template '{template}'; expected one of {known}")
    if n != 1 and template not in declare.COUNTING:  # D2
        raise RuleError(f"{path}.n", None, f"{template} does not count; n is for {', '.join(declare.COUNTING)}")
    if template in declare.UNARY:
        for name in ("b", "target", "correlation", "within_ms"):
            if name in given:
                raise RuleError(f"{path}.{name}", None, f"{template} is about one activity; leave it out")
    elif not b:
        raise RuleError(f"{path}.b", None, f"missing; {template} is about two activities")
    elif a == b:
        raise RuleError(f"{path}.b", None, "expected another activity than a")
    build.require_events("a", a)
    if b:
        build.require_events("b", b)
    conditions = _conditions(build, template, a, b)
    if "correlation" not in given and "within_ms" not in given:
        return declare.automaton(template, a, b, n, conditions)
    return _binary(build, template, a, b, conditions)


def _conditions(build: Build, template: str, a: str, b: str) -> dict[str, Expression]:
    """Return the conditions by the symbol of the event they are about."""
    activation = "b" if template in PRECEDING else "a"  # D3
    sides = {"activation": activation, "target": "a" if activation == "b" else "b"}
    kinds = {"a": a, "b": b}
    return {symbol: build.condition(name, kinds[symbol]) for name, symbol in sides.items() if name in build.given}


def _binary(build: Build, template: str, a: str, b: str, conditions: Mapping[str, Expression]) -> Body:
    """Return the body of a template with a correlation or a window."""
    text = build.given.get("correlation")
    cost = 1 + sum(condition.cost for condition in conditions.values())
    if text is None:
        return Timed(template, a, b, conditions, build.given["within_ms"], cost)
    activation, target = (b, a) if template in PRECEDING else (a, b)
    variables: dict[str, str | Type] = {
        "a": event_type(build.definition, (activation,)),
        "t": event_type(build.definition, (target,)),
    }
    where = f"{build.path}.correlation"
    correlation = compile_expression(text, variables, where, result="bool")
    read = {name: used(text, name, where) for name in variables}
    # Of attributes that are not known the worst is assumed, which would refuse what is good once they are.
    cost += correlation.cost if build.definition is None else correlation.cost * MAX_KEPT
    return Correlated(template, a, b, conditions, correlation, read, build.given.get("within_ms"), cost)


def _guard(build: Build) -> Body:
    kinds = build.on()
    condition = build.condition("assert", *kinds)
    read = used(condition.text, "o", f"{build.path}.assert")
    return Guard(Reach(dict.fromkeys(kinds, ON)), condition, bool(read.fields or read.attributes))


def _claim(build: Build) -> Body:
    kinds, where = build.on(), f"{build.path}.assert"
    condition = compile_expression(build.given["assert"], claim_types(build.definition, kinds), where, result="bool")
    if not used(condition.text, "s", where).fields:  # C4
        raise RuleError(where, None, "it reads no sealed attribute, as s.NAME; what is in the clear is for a guard")
    return Claim(build.given["id"], build.given.get("version", 1), Reach(dict.fromkeys(kinds, ON)), condition)


def _shape(build: Build) -> Body:
    shape = compile_shape(build.given["schema"], f"{build.path}.schema")
    return ShapeCheck(Reach(dict.fromkeys(build.on(), ON)), shape)


def _segregation(build: Build) -> Body:
    a, b, by = (build.given[name] for name in ("a", "b", "by"))
    for name in ("a", "b"):
        kind = build.given[name]
        build.require_events(name, kind)
        if build.definition is None or by in ("member", "source"):
            continue
        attributes = build.definition["event_types"][kind]["attributes"]
        if by.removeprefix("attributes.") not in attributes:
            raise RuleError(f"{build.path}.by", None, f"event type {kind} has no attribute '{by[11:]}'")
    return Segregation(a, b, by)


def _lag(build: Build) -> Body:
    if "on" in build.given:
        return Lag(Reach(dict.fromkeys(build.on(), ON)), build.given["within_ms"])
    return Lag(Reach({}, every=ON), build.given["within_ms"])


def _gap(build: Build) -> Body:
    return Gap(build.given.get("missing_max", 0))


def _periodic(build: Build) -> Body:
    given = build.given
    every = given["every"]
    if len(every) != 1:
        raise RuleError(f"{build.path}.every", None, "expected one of days and months")
    return Periodic(
        source=given["source"],
        reach=Reach(dict.fromkeys(build.on(), ON)),
        n=given.get("n", 1),
        every_ms=every.get("days", 0) * DAY_MS,
        months=every.get("months", 0),
        zone_minutes=given.get("zone_minutes", 0),
        start_ms=parse_time(given.get("valid_from")) or -given.get("zone_minutes", 0) * 60_000,
    )


def _related(build: Build) -> Body:
    given, path = build.given, build.path
    over, quantifier, had = given["over"], given["quantifier"], given.get("had", "")
    _check_related(build, over["type"], quantifier)
    on, target, where = build.on(), None, None
    if had:
        build.require_events("had", had)
    variables: dict[str, str | Type] = {"block": BLOCK_TYPE}
    reads: tuple[str, ...] = ()
    if "target" in given:
        seen = {
            **variables,
            "e": event_type(build.definition, (had,)),
            "o": object_type(build.definition, over["type"]),
        }
        target = compile_expression(given["target"], seen, f"{path}.target", result="bool")
        reads = used(target.text, "o", f"{path}.target").attributes
    if "where" in given:
        variables |= {"e": event_type(build.definition, on), "o": object_type(build.definition, build.object_type)}
        variables["r"] = related_type(build.definition, over["type"])
        where = compile_expression(given["where"], variables, f"{path}.where", result="bool")
        reads = used(where.text, "r", f"{path}.where").attributes
    kept = MAX_TOGETHER + 1 if quantifier == ALL else 1
    each = LOOK_STEPS + EVENT_STEPS * kept + (0 if where is None else where.cost)
    # Of attributes that are not known the worst is assumed, which would refuse what is good once they are.
    cost = 1 + (each if build.definition is None else each * MAX_RELATED) + (0 if target is None else target.cost)
    return Related(
        rule_id=given["id"],
        object_type=build.object_type,
        on=on,
        over=Over(over["type"], over["by"], over.get("qualifier")),
        quantifier=quantifier,
        least=given.get("min", 0),
        most=given.get("max"),
        had=had,
        target=target,
        where=where,
        reads=reads,
        cost=cost,
    )


# E1
def _check_related(build: Build, other: str, quantifier: str) -> None:
    """Refuse what does not go together in a rule over related objects."""
    given, path, definition = build.given, build.path, build.definition
    if other == build.object_type:
        raise RuleError(f"{path}.over.type", None, f"expected another object type than the rule's own, {other}")
    if definition is not None and other not in definition["object_types"]:
        known = ", ".join(definition["object_types"])
        raise RuleError(f"{path}.over.type", None, f"unknown object type '{other}'; known: {known}")
    if ("had" in given) == ("where" in given):
        raise RuleError(f"{path}.had", None, "expected one of had, an event, and where, a condition")
    if given.get("had") in given["on"]:
        raise RuleError(f"{path}.had", None, "expected another activity than those in on")
    if "target" in given and "had" not in given:
        raise RuleError(f"{path}.target", None, "it is about the event in had; leave it out")
    if quantifier == ALL and "had" not in given:
        raise RuleError(f"{path}.quantifier", None, "all asks for one event that names them all; use each with where")
    bounds = [name for name in ("min", "max") if name in given]
    if quantifier != COUNT and bounds:
        raise RuleError(f"{path}.{bounds[0]}", None, f"{quantifier} does not count; min and max are for {COUNT}")
    if quantifier == COUNT and given.get("min", 0) == 0 and "max" not in given:
        raise RuleError(f"{path}.min", None, f"expected min of 1 or more, or max; {COUNT} without them always holds")
    if given.get("min", 0) > given.get("max", MAX_RELATED):
        raise RuleError(f"{path}.max", None, "expected at least min")


def _actor_faults(value: Any) -> Iterator[str]:
    if type(value) is str and (value in ("member", "source") or (value[:11] == "attributes." and len(value) > 11)):
        return
    yield ": expected member, source or attributes.NAME"


_actor: Final = Special(
    _actor_faults,
    "member, source or attributes.NAME",
    {"type": "string", "pattern": "^(member|source|attributes\\.[\\s\\S]+)$"},
    refused=("", "user", "attributes.", "Member", None, 1),
    passed=("member", "source", "attributes.a"),
)


def _months_faults(value: Any) -> Iterator[str]:
    if type(value) is not int or value not in _MONTHS:
        yield ": expected 1, 2, 3, 4, 6 or 12"


_MONTHS: Final = (1, 2, 3, 4, 6, 12)
_months: Final = Special(
    _months_faults,
    "1, 2, 3, 4, 6 or 12",
    {"type": "integer", "enum": list(_MONTHS)},
    refused=(0, 5, 13, -1, True, "1", None),
    passed=_MONTHS,
)


def _source_faults(value: Any) -> Iterator[str]:
    if type(value) is str and len(value) <= 256:
        member, slash, source = value.partition("/")
        if slash and is_reference(source) and _member.check(member) is None:
            return
    yield ": expected a source as member/source"


_member: Final = Name()
_source: Final = Special(
    _source_faults,
    "a source as member/source",
    {"type": "string", "pattern": "^[a-z][a-z0-9.-]*/", "maxLength": 256},
    refused=("", "bank-a", "bank-a/", "/core", "Bank/core", "bank-a/../core", "bank-a/ core", 1, None),
    passed=("bank-a/core", "a//x/"),
)
_schema: Final = Later(
    "a JSON Schema in the subset of shapes",
    refused=(
        None,
        1,
        "",
        [],
        {"type": "any"},
        {"pattern": "x"},
        {"$schema": "x"},
        {"type": "object", "format": "date"},
    ),
    passed=({}, {"type": "object", "required": ["amount"]}),
)

_activity: Final = Label()
_expression: Final = Text(high=MAX_TEXT)
_on: Final[dict[str, Field]] = {"on": Many(_activity, high=256, low=1, unique=True)}
_window: Final = Integer(0, MAX_WINDOW_MS)
_count: Final = Integer(0, MAX_RELATED)

BODIES: Final[Mapping[str, Kind]] = {
    "declare": Kind(
        _declare,
        {"template": Text(), "a": _activity},
        {
            "b": _activity,
            "n": Integer(1, declare.MAX_N),
            "activation": _expression,
            "target": _expression,
            "correlation": _expression,
            "within_ms": _window,
        },
    ),
    "guard": Kind(_guard, {**_on, "assert": _expression}, {}),
    "claim": Kind(_claim, {**_on, "assert": _expression}, {}),
    "shape": Kind(_shape, {**_on, "schema": _schema}, {}),
    "segregation": Kind(_segregation, {"a": _activity, "b": _activity, "by": _actor}, {}),
    "related": Kind(
        _related,
        {
            **_on,
            "over": Record(
                {"type": Identifier(slash=False), "by": OneOf(BY_ITEM, BY_RELATION)},
                {"qualifier": Text(high=128, low=0)},
            ),
            "quantifier": OneOf(*QUANTIFIERS),
        },
        {"had": _activity, "target": _expression, "where": _expression, "min": _count, "max": _count},
    ),
    "lag": Kind(_lag, {"within_ms": _window}, _on),
    "gap": Kind(_gap, {}, {"missing_max": Integer(0, 2**53)}),
    "periodic": Kind(
        _periodic,
        {
            **_on,
            "source": _source,
            "every": Record({}, {"days": Integer(1, 3_660), "months": _months}),
        },
        {"n": Integer(1, 1_000), "zone_minutes": Integer(-840, 840)},
    ),
}
