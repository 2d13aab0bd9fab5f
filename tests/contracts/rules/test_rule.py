"""Rules as authors write them: what is accepted, and what is refused with its place and reason."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from coseal.contracts.process.types import normalised
from coseal.contracts.rules.bodies import BODIES
from coseal.contracts.rules.declare import BINARY, TEMPLATES, UNARY
from coseal.contracts.rules.errors import RuleError
from coseal.contracts.rules.rule import MAX_RULES, parse_rule, parse_rules

ROOT = Path(__file__).resolve().parents[3]
SPECIFICATION = (ROOT / "docs/spec/rules.md").read_text(encoding="utf-8")
DEFINITION = normalised(
    {
        "id": "permits",
        "version": 1,
        "title": "Permits",
        "object_types": {"case": {"attributes": {"area": "string", "due": "time"}}},
        "event_types": {
            "check": {"attributes": {"amount": "decimal", "officer": "string", "days": "integer", "until": "time"}},
            "decide": {"attributes": {"officer": "string", "secret": {"type": "integer", "class": "sealed"}}},
        },
    }
)
RESPONSE = {"id": "R", "kind": "declare", "template": "response", "a": "check", "b": "decide"}
GUARD = {"id": "R", "kind": "guard", "on": ["check"], "assert": "e.attributes.days <= 360"}
PERIODIC = {"id": "R", "kind": "periodic", "source": "bank-a/r", "on": ["check"], "every": {"days": 1}}


def refused(data, definition=DEFINITION):
    with pytest.raises(RuleError) as caught:
        parse_rule(data, definition)
    return caught.value


def test_the_example_of_the_specification_is_a_rule_file():
    text = SPECIFICATION.split("## Rule file")[1].split("```json\n")[1].split("```")[0]
    rules = parse_rules(json.loads(text))
    assert {rule.kind for rule in rules} == set(BODIES)
    assert rules[0].title == "Every check is followed by a decision"
    assert rules[0].from_ms == 1_767_225_600_000


def test_the_templates_of_the_specification_are_those_of_the_code():
    table = SPECIFICATION.split("| template | holds if |")[1].split("| rule |")[0]
    assert re.findall(r"^\| `(\w+)` \|", table, flags=re.MULTILINE) == list(TEMPLATES)


def test_the_rules_named_in_the_code_are_in_the_specification():
    sources = sorted((ROOT / "contracts" / "rules").glob("*.py"))
    used = {rule for path in sources for rule in re.findall(r"# ([FRDM]\d+)\b", path.read_text(encoding="utf-8"))}
    defined = set(re.findall(r"^\| ([FRDM]\d+) \|", SPECIFICATION, flags=re.MULTILINE))
    assert used == defined


def test_what_is_left_out_has_its_default():
    rule = parse_rule(RESPONSE)
    assert (rule.version, rule.title, rule.severity, rule.effect, rule.object_type) == (
        *(1, "R", "violation", "flag", "case"),
    )
    assert rule.from_ms == -(2**63)
    assert rule.until_ms == 2**63 - 1


def test_null_stands_for_an_absent_field():
    data = {**RESPONSE, "valid_to": None, "activation": None, "within_ms": None, "scope": {"event_types": None}}
    assert parse_rule(data) == parse_rule(RESPONSE | {"scope": {}})


def test_rules_about_sources_have_sources_as_objects():
    assert parse_rule({"id": "R", "kind": "gap"}).object_type == "source"
    assert parse_rule({"id": "R", "kind": "lag", "within_ms": 1}).object_type == "source"
    assert parse_rule(PERIODIC).object_type == "source"
    on_cases = {"id": "R", "kind": "lag", "within_ms": 1, "scope": {"object_type": "case"}}
    assert parse_rule(on_cases, DEFINITION).object_type == "case"


def test_the_declared_types_are_those_of_expressions():
    guard = {**GUARD, "assert": "e.attributes.until - e.time <= duration('24h') && o.attributes.due > e.time"}
    assert parse_rule(guard, DEFINITION).reads == ("due",)
    assert parse_rule({**GUARD, "assert": "decimal(e.attributes.amount, 2) > 100"}, DEFINITION)
    assert parse_rule({**GUARD, "on": ["decide"], "assert": "e.attributes.secret.startsWith('0')"}, DEFINITION)


FRAME = [
    ([], "", "expected a map"),
    ({**RESPONSE, "kind": "miracle"}, ".kind", "expected one of declare, guard"),
    ({**RESPONSE, "kind": ["declare"]}, ".kind", "expected one of declare"),
    ({**RESPONSE, "colour": "red"}, ".colour", "unknown; expected"),
    ({**GUARD, "template": "response"}, ".template", "unknown; expected"),
    ({name: value for name, value in RESPONSE.items() if name != "id"}, ".id", "missing"),
    ({**RESPONSE, "id": "a/b"}, ".id", "'/'"),
    ({**RESPONSE, "version": 0}, ".version", "an integer from 1"),
    ({**RESPONSE, "version": True}, ".version", "an integer from 1"),
    ({**RESPONSE, "severity": "fatal"}, ".severity", "notice, warning, violation"),
    ({**RESPONSE, "valid_from": "2026-01-01"}, ".valid_from", "RFC 3339"),
    ({**RESPONSE, "valid_to": "2026-02-30T00:00:00Z"}, ".valid_to", "RFC 3339"),
    (
        {**RESPONSE, "valid_from": "2026-01-01T00:00:00Z", "valid_to": "2026-01-01T08:00:00+08:00"},
        ".valid_to",
        "after valid_from",
    ),
    ({**RESPONSE, "scope": {"process_typ": "x"}}, ".scope.process_typ", "unknown"),
    ({**RESPONSE, "scope": {"process_type": "loans"}}, ".scope.process_type", "expected permits"),
    ({**RESPONSE, "scope": {"object_type": "loan"}}, ".scope.object_type", "unknown object type 'loan'"),
    ({**RESPONSE, "scope": {"event_types": ["check"]}}, ".scope.event_types", "'decide' is in the rule"),
    (
        {**RESPONSE, "template": "chainresponse", "scope": {"event_types": ["check", "decide"]}},
        ".scope.event_types",
        "all types",
    ),
    ({"id": "R", "kind": "gap", "scope": {"object_type": "case"}}, ".scope.object_type", "about a source"),
    ({**RESPONSE, "effect": "reject"}, ".effect", "guards and shapes"),
    ({**RESPONSE, "effect": "hold"}, ".hold_ms", "needed with the effect hold"),
    ({**RESPONSE, "hold_ms": 5_000}, ".hold_ms", "only with it"),
    ({**RESPONSE, "legal_basis": ["x", "x"]}, ".legal_basis", "every item once"),
    ({**RESPONSE, "tests": [{"event": {"type": "check"}}]}, ".tests[0].verdict", "missing"),
    ({**RESPONSE, "tests": [{"event": {"type": "check"}, "verdict": "good"}]}, ".tests[0].verdict", "satisfied"),
]
BODY = [
    ({**RESPONSE, "template": "respond"}, ".template", "unknown template 'respond'"),
    ({**RESPONSE, "template": "existence"}, ".b", "about one activity"),
    ({"id": "R", "kind": "declare", "template": "response", "a": "check"}, ".b", "about two activities"),
    ({**RESPONSE, "b": "check"}, ".b", "another activity than a"),
    ({**RESPONSE, "n": 2}, ".n", "response does not count"),
    ({**RESPONSE, "n": 0}, ".n", "an integer from 1"),
    ({**RESPONSE, "within_ms": -1}, ".within_ms", "an integer from 0"),
    ({**RESPONSE, "a": "T99"}, ".a", "unknown event type 'T99'"),
    ({**RESPONSE, "b": "T99"}, ".b", "unknown event type 'T99'"),
    ({**GUARD, "on": ["check", "T99"]}, ".on", "unknown event type 'T99'"),
    ({**GUARD, "on": []}, ".on", "1 to 256"),
    ({"id": "R", "kind": "shape", "on": ["check"], "schema": {"type": "number"}}, ".schema.type", "decimal text"),
    ({"id": "R", "kind": "shape", "on": ["check"], "schema": {"pattern": "a*"}}, ".schema.pattern", "unsupported"),
    (
        {"id": "R", "kind": "shape", "on": ["check"], "schema": {"$defs": {"x": {"$ref": "#/$defs/x"}}}},
        ".schema.$defs.x.$ref",
        "cyclic",
    ),
    ({"id": "R", "kind": "segregation", "a": "check", "b": "decide", "by": "officer"}, ".by", "attributes.NAME"),
    (
        {"id": "R", "kind": "segregation", "a": "check", "b": "decide", "by": "attributes.days"},
        ".by",
        "decide has no attribute 'days'",
    ),
    ({**PERIODIC, "source": "bank-a"}, ".source", "member/source"),
    ({**PERIODIC, "every": {}}, ".every", "one of days and months"),
    ({**PERIODIC, "every": {"days": 1, "months": 1}}, ".every", "one of days and months"),
    ({**PERIODIC, "every": {"months": 5}}, ".every.months", "1, 2, 3, 4, 6 or 12"),
]
EXPRESSION = [
    ({**GUARD, "assert": "e.attributes.days <="}, ".assert", 20, ""),
    ({**GUARD, "assert": "e.attributes.day <= 360"}, ".assert", None, "unknown field 'day'"),
    ({**GUARD, "assert": "e.attributes.days <= '360'"}, ".assert", None, "expected"),
    ({**GUARD, "assert": "e.attributes.days"}, ".assert", None, "expected a bool"),
    ({**GUARD, "assert": "x == 1"}, ".assert", 0, "unknown name 'x'"),
    ({**GUARD, "assert": "o.attributes.areas == ''"}, ".assert", None, "unknown field 'areas'"),
    ({**GUARD, "assert": "e.id.matches('a+')"}, ".assert", None, "no bound"),
    ({**RESPONSE, "activation": "e.attributes.secret == ''"}, ".activation", None, "unknown field 'secret'"),
    ({**RESPONSE, "target": "e.attributes.days == 1"}, ".target", None, "unknown field 'days'"),
    ({**RESPONSE, "correlation": "a.attributes.officer == t.attributes.days"}, ".correlation", None, "unknown field"),
    ({**RESPONSE, "correlation": "a == t"}, ".correlation", None, "name what is read of a"),
    ({**RESPONSE, "correlation": "'days' in a.attributes"}, ".correlation", None, "name what is read of a.attributes"),
    ({**RESPONSE, "correlation": "e.id == t.id"}, ".correlation", 0, "unknown name 'e'"),
]


@pytest.mark.parametrize(("data", "path", "reason"), FRAME + BODY)
def test_a_bad_rule_is_refused_with_its_place_and_reason(data, path, reason):
    error = refused(data)
    assert error.path == path
    assert reason in error.reason


@pytest.mark.parametrize(("data", "path", "position", "reason"), EXPRESSION)
def test_a_bad_expression_is_refused_with_the_character(data, path, position, reason):
    error = refused(data)
    assert error.path == path
    assert error.position is not None
    assert position in (None, error.position)
    assert reason in error.reason


@pytest.mark.parametrize("template", UNARY)
@pytest.mark.parametrize("name", ["target", "correlation", "within_ms"])
def test_a_template_about_one_activity_has_no_fields_about_two(template, name):
    data = {
        "id": "R",
        "kind": "declare",
        "template": template,
        "a": "check",
        name: 1 if name == "within_ms" else "true",
    }
    assert refused(data).path == f".{name}"


def test_an_expression_that_is_too_costly_is_refused():
    costly = "e.objects.all(x, e.evidence.size() > 0 && " + " && ".join(["e.policy == e.evidence"] * 80) + ")"
    error = refused({**GUARD, "assert": costly})
    assert (error.path, error.position is not None) == (".assert", True)
    assert "20000" in error.reason


def test_a_correlation_counts_for_every_event_that_is_kept():
    cheap = parse_rule({**RESPONSE, "correlation": "a.attributes.officer == t.attributes.officer"}, DEFINITION)
    assert cheap.cost > 64
    error = refused({**RESPONSE, "correlation": "a.policy == t.policy"})
    assert "worst case" in error.reason


def test_every_binary_template_takes_data():
    for template in BINARY:
        data = {**RESPONSE, "template": template, "within_ms": 0, "correlation": "a.member == t.member"}
        assert parse_rule(data, DEFINITION).cost > 1


@pytest.mark.parametrize("data", [{}, [], None, [RESPONSE] * (MAX_RULES + 1)])
def test_a_rule_file_is_a_list_of_rules(data):
    with pytest.raises(RuleError, match="expected a list of 1 to"):
        parse_rules(data)


def test_an_id_stands_once_in_a_file():
    with pytest.raises(RuleError, match=r"\[1\].id: R stands twice"):
        parse_rules([RESPONSE, {**GUARD}])


def test_the_place_begins_with_the_number_of_the_rule():
    with pytest.raises(RuleError, match=r"\[1\].assert at character 0"):
        parse_rules([RESPONSE, {**GUARD, "id": "S", "assert": "x"}])
