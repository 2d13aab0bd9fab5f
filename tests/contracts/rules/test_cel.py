"""What a rule sees of CEL-S/1: expressions compiled, evaluated, undetermined."""

from __future__ import annotations

import sys
import threading

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from coseal.contracts.rules.cel import compile as cel
from coseal.contracts.rules.cel import evaluate as cel_eval
from coseal.contracts.rules.cel.compile import (
    Duration,
    RuleError,
    Timestamp,
    Undetermined,
    compile_expression,
    list_of,
    parse_type,
    record,
)
from tests.contracts.rules.generator import VARIABLES, Generator

EVENT = "{type: string, time: timestamp, attributes: {days: int, 'org:role': string}, objects: list({id: string})}"


def value(text, **bindings):
    return compile_expression(text, dict.fromkeys(bindings, "dyn")).evaluate(bindings)


def undetermined(text, **bindings):
    result = value(text, **bindings)
    assert isinstance(result, Undetermined), result
    return result


def test_a_guard_over_an_event_is_true_or_false():
    guard = compile_expression("e.attributes.days <= 360 && e.type == 'issued'", {"e": EVENT}, result="bool")
    event = {"type": "issued", "attributes": {"days": 360}}
    assert guard.evaluate({"e": event}) is True
    event["attributes"]["days"] = 361
    assert guard.evaluate({"e": event}) is False


def test_a_missing_attribute_is_undetermined_with_place_and_reason():
    guard = compile_expression("e.attributes.days <= 360", {"e": EVENT})
    assert guard.evaluate({"e": {"attributes": {}}}) == Undetermined("no such field: days", 13)


def test_a_name_without_a_value_is_undetermined():
    assert compile_expression("o.count > 1", {"o": "{count: int}"}).evaluate({}) == Undetermined("o has no value", 0)


def test_a_value_of_another_type_than_wanted_is_undetermined():
    guard = compile_expression("e.flag", {"e": "dyn"}, result="bool")
    assert guard.evaluate({"e": {"flag": True}}) is True
    assert guard.evaluate({"e": {"flag": 1}}) == Undetermined("expected a bool, got int", 0)
    with pytest.raises(RuleError, match="expected a bool, this is int"):
        compile_expression("1 + 1", {}, result="bool")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("x == 1 || true", True),
        ("true || x == 1", True),
        ("x.y && false", False),
        ("false && 1 / 0 == 1", False),
        ("1 / 0 == 1 && false", False),
        ("x && false", False),
        ("[1, 0].exists(i, 10 / i == 10)", True),
        ("[0, 1].exists(i, 10 / i == 10)", True),
        ("[0, 2].all(i, 10 / i == 10)", False),
    ],
)
def test_the_operand_that_decides_absorbs_an_error_of_another(text, expected):
    assert value(text, x=7) is expected


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("1 / 0 == 1 || false", "division by zero"),
        ("true && x.y", "a int has no field y"),
        ("x || false", "expected a bool, got int"),
        ("!x", "! of (int)"),
        ("x ? 1 : 2", "expected a bool before ?, got int"),
        ("[0, 2].all(i, 10 / i == 5)", "division by zero"),
        ("[1, 0].exists_one(i, 10 / i == 10)", "division by zero"),
        ("x.exists(i, i)", "exists() walks a list, not a int"),
        ("[1].exists(i, dyn(i))", "expected a bool, got int"),
        ("[1].exists_one(i, dyn(i))", "expected a bool, got int"),
        ("9223372036854775807 + 1", "integer overflow"),
        ("-9223372036854775808 - 1", "integer overflow"),
        ("-(-9223372036854775808)", "integer overflow"),
        ("-9223372036854775808 / -1", "integer overflow"),
        ("-9223372036854775808 % -1", "integer overflow"),
        ("4294967296 * 4294967296", "integer overflow"),
        ("1 % 0", "modulus by zero"),
        ("x + 'a'", "+ of (int, string)"),
        ("x < true", "< of (int, bool)"),
        ("[1][1]", "index 1 is outside of the list of 1"),
        ("[1][-1]", "index -1 is outside of the list of 1"),
        ("{'a': 1}['b']", "no such key: 'b'"),
        ("{'a': 1}[dyn(1)]", "[ ] of (map, int)"),
        ("null in dyn({})", "the keys of a map are strings, not null"),
        ("1 in x", "in needs a list or map, got int"),
        ("has(x.y)", "a int has no field y"),
        ("{dyn(1): 2}", "the keys of a map are strings, not int"),
        ("{'a': 1, 'a' + '': 2}", "a key stands twice"),
        ("timestamp('9999-12-31T23:59:59Z') + duration('1s')", "timestamp out of range"),
        ("timestamp('9999-01-01T00:00:00Z') - timestamp('1000-01-01T00:00:00Z')", "duration out of range"),
        ("timestamp(string(x))", "no RFC 3339 time as 2026-01-05T10:00:00.5+08:00"),
        ("duration(string(x))", "no duration as 36h, 1h30m, 1.5s or 250ms"),
        ("int('x' + '')", "no integer as -42"),
        ("bool(string(x))", "neither true nor false"),
        ("decimal('1.005', 2)", "the decimal has more than 2 digits after the point"),
        ("decimal('1', x * 10)", "the scale is 0 to 18"),
        ("x.getHours()", "getHours of (int)"),
        ("x.size()", "size of (int)"),
        ("x.contains('a')", "contains of (int, string)"),
    ],
)
def test_what_has_no_value_says_why(text, reason):
    assert undetermined(text, x=7).reason == reason


def test_the_place_is_that_of_the_operation():
    assert undetermined("1 + 2 * (3 / x)", x=0).position == 11


def test_of_two_errors_the_first_is_told():
    assert undetermined("x.y && 1 / 0 == 1", x=1).reason == "a int has no field y"
    assert undetermined("1 / 0 == 1 && x.y", x=1).reason == "division by zero"


def test_a_macro_hides_a_name_only_inside():
    assert value("[1, 2].exists(x, x == 2) && x == 7", x=7) is True
    assert value("x.all(x, x > 0)", x=[1, 2]) is True
    assert value("[[1].exists(y, true)].all(y, y)", x=1) is True


def test_evaluation_changes_no_binding():
    bindings = {"x": [3, 4], "y": {"a": 1}}
    assert value("x.exists(i, i == y.a + 3) && x + [1] != x", **bindings) is True
    assert bindings == {"x": [3, 4], "y": {"a": 1}}


def test_lists_are_walked_up_to_256_items():
    assert value("x.all(i, i == 0)", x=[0] * 256) is True
    assert value("0 in x && (x + []).size() == 256", x=[0] * 256) is True
    assert "more than 256" in undetermined("x.all(i, i == 0)", x=[0] * 257).reason
    assert "more than 256" in undetermined("1 in x", x=[0] * 257).reason
    assert "more than 256" in undetermined("x + [1]", x=[0] * 256).reason


def test_true_is_not_one_and_a_timestamp_no_duration():
    assert value("x == y", x=True, y=1) is False
    assert value("x == y", x=[1, {"a": True}], y=[1, {"a": 1}]) is False
    assert value("x == y", x=Timestamp(5), y=Duration(5)) is False
    assert value("x in y", x=True, y=[1]) is False
    assert value("x != null", x=0) is True


def test_attributes_whose_names_are_no_identifiers_are_reached_by_index():
    guard = compile_expression("'org:role' in e.attributes && e.attributes['org:role'] == 'clerk'", {"e": EVENT})
    assert guard.evaluate({"e": {"attributes": {"org:role": "clerk"}}}) is True
    assert guard.evaluate({"e": {"attributes": {}}}) is False


def test_types_can_be_built_or_written():
    built = record({"ids": list_of(parse_type("string")), "a b": parse_type("map(int)")})
    assert built == parse_type("{ids: list(string), 'a b': map(int)}")
    assert parse_type(str(built)) == built


@pytest.mark.parametrize("text", ["", "number", "list(", "list(int", "{a: }", "{a: int", "map(int, int)", "list(" * 20])
def test_what_is_no_type_is_refused(text):
    with pytest.raises(RuleError):
        parse_type(text)


def test_types_are_nested_up_to_8_deep():
    assert parse_type("list(" * 8 + "int" + ")" * 8)
    assert parse_type("{a: " * 8 + "int" + "}" * 8)
    for text in ("list(" * 9 + "int" + ")" * 9, "{a: " * 9 + "int" + "}" * 9):
        with pytest.raises(RuleError, match="deeper than 8"):
            parse_type(text)


@settings(deadline=None, max_examples=200)
@given(st.integers(0, 10**9), st.integers(0, 10**9))
def test_an_expression_gives_the_same_each_time_and_nothing_but_values(seed, other):
    generator = Generator(seed)
    text = generator.expression(5)
    try:
        expression = compile_expression(text, VARIABLES)
    except RuleError:
        return
    bindings = Generator(other).bindings()
    first = expression.evaluate(bindings)
    again = compile_expression(text, VARIABLES).evaluate(dict(reversed(bindings.items())))
    assert first == again
    assert type(first) in (bool, int, str, type(None), list, dict, Timestamp, Duration, Undetermined)


junk = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.text(max_size=5)
    | st.builds(Timestamp, st.integers(0, 99)),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=8,
)


@settings(deadline=None, max_examples=300)
@given(st.integers(0, 10**6), st.fixed_dictionaries(dict.fromkeys(VARIABLES, junk)))
def test_bindings_that_do_not_fit_their_types_are_undetermined_at_worst(seed, bindings):
    text = Generator(seed).expression()
    try:
        expression = compile_expression(text, VARIABLES, result="bool")
    except RuleError:
        return
    assert type(expression.evaluate(bindings)) in (bool, Undetermined)


def test_the_cost_is_never_less_than_the_operations_carried_out(monkeypatch):
    count = 0
    plain = cel_eval.compiled

    def counted(node):
        run = plain(node)

        def counting(bindings):
            nonlocal count
            count += 1
            return run(bindings)

        return counting

    monkeypatch.setattr(cel_eval, "compiled", counted)
    monkeypatch.setattr(cel, "compiled", counted)
    full = {"li": [1] * 256, "ls": ["a"] * 256, "d": [1] * 256}
    near = 0
    for seed in range(3_000):
        generator = Generator(seed)
        text = generator.expression()
        try:
            expression = compile_expression(text, VARIABLES)
        except RuleError:
            continue
        count = 0
        expression.evaluate({**generator.bindings(), **full})
        assert count <= expression.cost, text
        near += count == expression.cost
    assert near > 100


def test_the_deepest_expression_needs_little_of_the_stack():
    text = "(" * 35 + "1" + " + 1" * 62 + ")" * 35 + " == 63"
    results = []

    def work():
        sys.setrecursionlimit(700)
        results.append(compile_expression(text, {}).evaluate({}))

    limit = sys.getrecursionlimit()
    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    sys.setrecursionlimit(limit)
    assert results == [True]
