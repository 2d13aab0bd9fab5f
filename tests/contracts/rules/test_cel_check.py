from __future__ import annotations

import pytest

from coseal.contracts.rules.cel.compile import MAX_COST, compile_expression
from coseal.contracts.rules.errors import RuleError

VARIABLES = {
    "e": "{id: string, n: int, time: timestamp, attributes: {days: int, note: string}, objects: list({id: string})}",
    "m": "map(int)",
    "l": "list(string)",
    "d": "dyn",
    "b": "bool",
}


def refusal(text):
    with pytest.raises(RuleError) as caught:
        compile_expression(text, VARIABLES, ".assert")
    assert caught.value.path == ".assert"
    return caught.value


@pytest.mark.parametrize(
    ("text", "position", "reason"),
    [
        ("f.id == ''", 0, "unknown name 'f'; known: e, m, l, d, b"),
        ("e.nope == 1", 2, "unknown field 'nope'; known: id, n, time, attributes, objects"),
        ("e.attributes.amount", 13, "unknown field 'amount'; known: days, note"),
        ("e.attributes['amount']", 12, "unknown field 'amount'"),
        ("has(e.attributes.amount)", 17, "unknown field 'amount'"),
        ("'amount' in e.attributes", 9, "unknown field 'amount'"),
        ("e.objects.all(o, o.kind == 'a')", 19, "unknown field 'kind'; known: id"),
        ("e.n == 'a'", 4, "int never equals string"),
        ("e.n == null", 4, "int never equals null"),
        ("e.n + e.id", 4, "+ of (int, string): expected (int, int) or"),
        ("e.n < e.time", 4, "< of (int, timestamp)"),
        ("e.time + e.time", 7, "+ of (timestamp, timestamp)"),
        ("!e.n", 0, "! of (int): expected (bool)"),
        ("-e.id", 0, "- of (string): expected (int)"),
        ("e.n && b", 2, "&& needs a bool, got int"),
        ("b || l", 5, "|| needs a bool, got list(string)"),
        ("e.n ? 1 : 2", 2, "? needs a bool, got int"),
        ("b ? 1 : 'a'", 2, "the branches differ: int and string"),
        ("1 in l", 2, "a list of string never holds int"),
        ("1 in m", 2, "the keys of a map are strings, not int"),
        ("'a' in e.id", 4, "in needs a list or map, got string"),
        ("l['a']", 1, "the index of list is int, not string"),
        ("m[1]", 1, "the index of map is string, not int"),
        ("e.n[0]", 3, "int has no index"),
        ("e.n.x", 4, "int has no fields"),
        ("m.all(k, true)", 2, "all() walks a list, not map(int)"),
        ("l.all(x, x)", 9, "all() needs a bool, got string"),
        ("l.all(x, true) && x == ''", 18, "unknown name 'x'"),
        ("{1: 2}", 1, "the keys of a map are strings"),
        ("{'a': 1, 'a': 2}", 0, "a key stands twice"),
        ("nope(1)", 0, "unknown function nope(); known: size, timestamp, duration, int, string, bool, dyn, decimal"),
        ("e.id.nope()", 5, "unknown function nope(); known: size, startsWith"),
        ("startsWith(e.id, 'a')", 0, "startsWith() is called on a value: value.startsWith()"),
        ("e.id.decimal(2)", 5, "decimal() is no method: decimal(value)"),
        ("size()", 0, "size of (): expected (string)"),
        ("size(e.n)", 0, "size of (int): expected (string) or (list(dyn)) or (map(dyn))"),
        ("e.time.getHours('UTC')", 7, "getHours of (timestamp, string)"),
        ("timestamp('2026-02-30T00:00:00Z')", 10, "'2026-02-30T00:00:00Z': no RFC 3339 time"),
        ("timestamp('2026-02-03T00:00:00.0001Z')", 10, "whole milliseconds"),
        ("duration('1d')", 9, "'1d': no duration"),
        ("duration('1ns')", 9, "no duration"),
        ("duration('0.0001s')", 9, "whole milliseconds"),
    ],
)
def test_what_does_not_fit_is_refused_with_place_and_reason(text, position, reason):
    found = refusal(text)
    assert reason in found.reason
    assert found.position == position


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("e.n + 1", "int"),
        ("d + 1", "int"),
        ("d + d", "dyn"),
        ("d - e.time", "duration"),
        ("e.time - d", "dyn"),
        ("[1, 'a']", "list(dyn)"),
        ("[e.id] + l", "list(string)"),
        ("{'a': 1}", "map(int)"),
        ("e.objects[0].id", "string"),
        ("d.x[0].y", "dyn"),
        ("b ? e.n : d", "dyn"),
        ("dyn(1)", "dyn"),
        ("decimal(e.attributes.note, 2)", "int"),
        ("l.exists_one(x, x == 'a')", "bool"),
        ("timestamp(0)", "timestamp"),
    ],
)
def test_the_type_is_known_as_far_as_it_can_be(text, kind):
    assert str(compile_expression(text, VARIABLES).type) == kind


@pytest.mark.parametrize(
    ("text", "cost"),
    [
        ("1", 1),
        ("e.attributes.days <= 360", 5),
        ("b && b && b", 4),
        ("b ? 1 : 1 + 1", 5),
        ("[1, 2].all(x, x > 0)", 12),
        ("e.objects.all(o, true)", 515),
        ("e.id == 'a'", 4),
        ("e.id == e.attributes.note", 10),
        ("e.id.contains('a')", 68),
        ("e.id in ['a', 'b']", 10),
        ("decimal(e.id, 2)", 14),
        ("d == d", 1027),
        ("d == 'a'", 3),
    ],
)
def test_the_cost_is_the_table_of_the_specification(text, cost):
    assert compile_expression(text, VARIABLES).cost == cost


def test_a_guard_of_too_great_cost_is_refused():
    assert compile_expression("e.objects.all(o, o.id in ['a'] || o.id == e.id)", VARIABLES).cost <= MAX_COST
    assert "more than 20000" in refusal("l.all(x, x.contains('a') || x.contains('b'))").reason
    assert "more than 20000" in refusal("d.all(x, x == d)").reason
    assert "more than 20000" in refusal(" || ".join(["d == d"] * 20)).reason


def test_cost_grows_with_what_is_concatenated():
    texts = ["e.id" + " + e.id" * count + " == ''" for count in (1, 10, 30, 50)]
    costs = [compile_expression(text, VARIABLES).cost for text in texts]
    assert costs == sorted(costs)
    assert costs[-1] > 50 * 50 * 2


def test_maps_inside_of_keys_are_read_once():
    text = "1"
    for _ in range(30):
        text = "{'a': " + text + "}['a']"
    assert compile_expression(text, {}).evaluate({}) == 1
    for _ in range(30):
        text = "{" + text + ": 1}['a']"
    with pytest.raises(RuleError):
        compile_expression(text, {})
