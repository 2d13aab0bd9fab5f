"""What a standard says, by its kind, and what of it has to be true when it is proposed.

Law: what a kind cannot measure never makes a standard de facto; the content of a version never changes.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from hashlib import sha256
from typing import Any, Final

from coseal.contracts.kernel.action import Context, Rejected, View
from coseal.contracts.kernel.fields import (
    Dependent,
    Field,
    Hexadecimal,
    Identifier,
    Label,
    Many,
    Record,
    Special,
    Text,
)
from coseal.contracts.process.state import type_key
from coseal.contracts.rules.errors import RuleError
from coseal.contracts.rules.periodic import Periodic
from coseal.contracts.rules.rule import COUNT, SOURCE, Rule, about_sources, parse_rules, parse_steps, test_steps
from coseal.contracts.rules.rule_tests import failed_tests
from coseal.contracts.supervision.checks import MAX_REASON_CHARACTERS
from coseal.contracts.supervision.fields import rules_field
from coseal.ledger import codec

PROCESS_TYPE: Final = "process_type"
RULE_SET: Final = "rule_set"
SCHEMA: Final = "schema"
JUDGING: Final = (RULE_SET, SCHEMA)
"""The kinds that judge what their adopters record."""
MAX_RULES: Final = 64
MAX_SCHEMAS: Final = 16
MAX_COMPILE_STEPS: Final = 16_000
"""What compiling all own sets of a member takes that judge one process type: each batch is charged for it."""
MAX_COST: Final = 150_000
"""What they take for an event at worst."""
CONTENT_BYTES_A_STEP: Final = 16
COMPILES: Final = 2
"""What compiling for each use takes of what is charged for a rule that is compiled once and then kept."""


def _faults_of_schemas(value: Any) -> Iterator[str]:
    if type(value) is not dict or not 0 < len(value) <= MAX_SCHEMAS:
        yield f": expected a map of 1 to {MAX_SCHEMAS} event types"
        return
    for name, schema in value.items():
        if Label().check(name) is not None or type(schema) is not dict:
            yield f".{str(name)[:64]}: expected an event type with its schema"


_schemas: Final = Special(
    _faults_of_schemas,
    f"a map of 1 to {MAX_SCHEMAS} event types to their schema, as rules of kind shape have it",
    {"type": "object", "minProperties": 1, "maxProperties": MAX_SCHEMAS, "additionalProperties": {"type": "object"}},
    refused=(None, [], {}, {"a": None}, {"": {}}, {f"{n}": {} for n in range(MAX_SCHEMAS + 1)}),
    passed=({"a": {}}, {f"{n}": {} for n in range(MAX_SCHEMAS)}),
)
KINDS: Final[Mapping[str, Field]] = {
    PROCESS_TYPE: Record({"process_type": Identifier(slash=False), "definition": Hexadecimal()}),
    RULE_SET: Record({"rules": rules_field(MAX_RULES)}),
    SCHEMA: Record({"process_type": Identifier(slash=False), "object_type": Label(), "schemas": _schemas}),
    "area_list": Record({"areas": Many(Label(), low=1, high=1_024, unique=True)}),
    "format": Record({"name": Label(), "place": Text(high=512)}, {"sha256": Hexadecimal()}),
}
"""What standards of each kind say."""
MEASURED: Final = (PROCESS_TYPE, *JUDGING)
"""The kinds whose use the ledger sees."""

CONTENT: Final = Dependent("kind", KINDS)
_TAG: Final = b"coseal/standard/1".ljust(24, b"\0")


def digest_of(kind: str, content: Mapping[str, Any]) -> str:
    """Return the SHA-256 of what a standard says, hexadecimal."""
    return sha256(_TAG + codec.encode([kind, dict(content)])).hexdigest()


def check(view: View, context: Context, kind: str, content: Mapping[str, Any]) -> Rejected | None:
    """Refuse content that is not true of the ledger; its form is right."""
    if kind in JUDGING:
        return _check_rules(view, content)
    if kind != PROCESS_TYPE:
        return None
    name = content["process_type"]
    definition: Any = view.get(type_key(name))  # E8
    if definition is None:
        return Rejected("invalid_content", f"args.content.process_type: there is no process type {name}")
    if definition["member"] != context.member:
        detail = f"process type {name} belongs to {definition['member']}, which alone can make it a standard"
        return Rejected("not_owner", detail)
    if definition["definition"] != content["definition"]:
        detail = f"args.content.definition: {name} version {definition['version']} is {definition['definition']}"
        return Rejected("invalid_content", detail)
    return None


# Rules


def judged_type(content: Mapping[str, Any]) -> str:
    """Return the process type that a rule set or schema judges."""
    name: str = content["rules"][0]["scope"]["process_type"] if "rules" in content else content["process_type"]
    return name


def rules_of(content: Mapping[str, Any], definition: Mapping[str, Any]) -> tuple[Rule, ...]:
    """Return the rules of a rule set or schema, compiled.

    Raises RuleError if the process type lacks what one names, or has objects of the name that stands for sources.
    """
    data = _rule_data(content)
    rules = parse_rules(data, definition)
    for index, rule in enumerate(rules):
        if about_sources(rule.data) and SOURCE in definition["object_types"]:
            detail = f"{definition['id']} has objects of type {SOURCE}; {rule.kind} needs that name free"
            raise RuleError(f"[{index}].kind", None, detail)
    return rules


def compile_steps(content: Mapping[str, Any]) -> int:
    """Return what is charged for reading and compiling the rules of a rule set or schema."""
    size = len(codec.encode(dict(content)))
    return size // CONTENT_BYTES_A_STEP + COMPILES * sum(parse_steps(rule) for rule in _rule_data(content))


def _rule_data(content: Mapping[str, Any]) -> list[Any]:
    if "rules" in content:
        return list(content["rules"])
    scope = {"process_type": content["process_type"], "object_type": content["object_type"]}
    return [
        {"id": f"shape-{number}", "version": 1, "scope": scope, "kind": "shape", "on": [event_type], "schema": schema}
        for number, (event_type, schema) in enumerate(sorted(content["schemas"].items()), 1)
    ]


def _check_rules(view: View, content: Mapping[str, Any]) -> Rejected | None:
    """Refuse rules that do not compile, whose tests fail, or that cannot be a member's own (E29)."""
    name = judged_type(content)
    definition: Any = view.get(type_key(name))
    if definition is None:
        return Rejected("invalid_content", f"args.content: there is no process type {name}")
    steps = compile_steps(content)
    view.charge(steps)
    if steps > MAX_COMPILE_STEPS:
        return Rejected("limit", f"compiling these rules takes {steps} steps, at most {MAX_COMPILE_STEPS}")
    path = "args.content.rules"
    try:
        rules = rules_of(content, definition)
    except RuleError as error:
        return Rejected("invalid_content", f"{path}{error}"[:MAX_REASON_CHARACTERS])
    cost = sum(rule.cost for rule in rules)
    if cost > MAX_COST:
        return Rejected("limit", f"these rules cost {cost} steps an event, at most {MAX_COST}")
    for index, rule in enumerate(rules):
        if isinstance(rule.body, Periodic):
            return Rejected("invalid_content", f"{path}[{index}].kind: a periodic rule names one source; leave it out")
        if rule.disputed != COUNT:
            detail = f"{path}[{index}].disputed: leave it out; what others dispute changes no figures of an own set"
            return Rejected("invalid_content", detail)
        view.charge(test_steps(rule))
        failed = failed_tests(rule, definition, f"{path}[{index}]")
        if failed:
            return Rejected("invalid_content", str(failed[0])[:MAX_REASON_CHARACTERS])
    return None
