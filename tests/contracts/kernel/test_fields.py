"""Fields, one by one and put together."""

from __future__ import annotations

import json

import jsonschema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from coseal.contracts.kernel import fields as f
from coseal.contracts.kernel.action import Arguments, Rejected
from coseal.contracts.kernel.sidecars import Sidecar
from coseal.contracts.registry import CONTRACTS, KINDS
from coseal.contracts.rules.bodies import BODIES

FIELDS = {
    "text": f.Text(high=3),
    "title": f.Translatable(high=5),
    "label": f.Label(high=9),
    "identifier": f.Identifier(),
    "part": f.Identifier(slash=False),
    "reference": f.Reference(),
    "name": f.Name(high=8),
    "integer": f.Integer(0, 9),
    "boolean": f.Boolean(),
    "one_of": f.OneOf("red", "blue"),
    "hexadecimal": f.Hexadecimal(2),
    "date": f.Date(),
    "timestamp": f.Timestamp(),
    "scalar": f.Scalar(high=3),
    "many": f.Many(f.Integer(0, 9), low=1, high=3),
    "unique": f.Many(f.Text(), high=3, unique=True),
    "nullable": f.Nullable(f.Integer(0, 9)),
    "table": f.Table(f.Integer(0, 9), high=2),
    "record": f.Record({"n": f.Integer(0, 9)}, {"t": f.Text()}),
    "sidecar": Sidecar(),
}

GOOD = [
    ("text", ["a", "abc", "经济区", " ", "\n"]),
    ("title", ["Loans", {"en": "Loans", "zh": "贷款"}, {"deu": "a"}]),
    ("label", ["a", "a b", "合同", "é", "..", "/a//b/", "N/A", "a\u3000b", "\U0001f600"]),
    ("identifier", ["a", "cn/2017/1", "a b", "合同", "é", "...", ".a", "a..b", "a/.b", "%2e%2e", "x" * 128]),
    (
        "identifier",
        ["100%", "a?b", "a#b", "a+b", 'a"b', "a<b>&'c", "a\\b", "a/b c/d", "https://a.example/b", "urn:a:b"],
    ),
    ("part", ["a.b-c_d", "..."]),
    ("reference", ["a", "/a", "a/", "a//b", "https://a.example/", "//a.example/b", "/subscriptions/1//x/"]),
    ("name", ["a", "bank-a.1"]),
    ("integer", [0, 9]),
    ("boolean", [True, False]),
    ("one_of", ["red", "blue"]),
    ("hexadecimal", ["00ff"]),
    ("date", ["2017", "2017-09", "2017-09-04", "2016-02-29", "2000-02-29", "0001-01-01", "9999-12-31"]),
    ("timestamp", ["2017-09-04T15:00:00Z", "2017-09-04t15:00:00.123456789z", "2017-09-04T15:00:00-00:00"]),
    ("scalar", ["", "abc", 0, -(2**63), 2**64 - 1, True, None]),
    ("many", [[1], [1, 1, 1]]),
    ("unique", [[], ["a", "b"]]),
    ("nullable", [None, 5]),
    ("table", [{}, {"a": 1, "合": 2}]),
    ("record", [{"n": 1}, {"n": 1, "t": "x"}]),
    ("sidecar", [{"name": "0a" * 32, "bytes": 1}, {"name": "ff" * 32, "bytes": 1024 * 1024}]),
]

BAD = [
    ("text", ["", "abcd", 1, None, b"a", "\ud800", ["a"]]),
    (
        "title",
        ["", "sechs!", 1, None, {}, {"en": ""}, {"EN": "a"}, {"e": "a"}, {"en": "sechs!"}, {"en": {"en": "a"}}, ["a"]],
    ),
    ("label", ["", " a", "a ", "\u3000a", "a\u00a0", "a\n", "a\x00b", "a\x7f", "a\x85é", "1234567890", 1, None]),
    (
        "label",
        ["a\u2028b", "a\u2029b", "a\u200bb", "a\ufeff", "\u202ea", "a\u2066b", "a\u00adb", "a\ufffe", "\U000e0041"],
    ),
    ("identifier", ["", " a", "a ", "a\n", "a\u200bb", "x" * 129, 1, None, ["a"]]),
    ("identifier", [".", "..", "./a", "a/.", "a/../b", "../a", "a//b", "/a", "a/", "/", "//", "///"]),
    ("identifier", ["https://", "https:///a", "https://a/", "https://a//b", "https://a/../b", "://a", "a/b://c"]),
    ("part", ["a/b", "", ".", "..", "https://a"]),
    ("reference", ["", ".", "..", "/..", "a/../b", "https://a/./b", "a\u2028b", "x" * 129, None]),
    ("name", ["", "A", "1a", "a b", "a_b", "é", "aaaaaaaaa", None]),
    ("integer", [-1, 10, True, "5", 5.0, None, "٥"]),
    ("boolean", [0, 1, "true", None]),
    ("one_of", ["green", "", None, ["red"], 1]),
    ("hexadecimal", ["00f", "00FF", "00fff", "0x0f", "zzzz", "٠٠٠٠", None, b"ab"]),
    (
        "date",
        ["17", "2017-9", "2017-13", "2017-00", "2017-02-29", "1900-02-29", "2017-09-31", "2017-09-00", "0000", 2017],
    ),
    ("date", ["20170904", "2017-09-04 ", "٢٠١٧", "+017", "2017/09", "2017-0904x", "-2017-0", "", None, "2017-1-001"]),
    ("timestamp", ["2017-09-04T15:00:00", "2017-09-04 15:00:00Z", "2017-09-04T24:00:00Z", "2017-09-04T15:60:00Z"]),
    (
        "timestamp",
        ["2017-09-04T23:59:60Z", "2017-09-04T15:00:00.Z", "2017-09-04T15:00:00,5Z", "2017-09-04T15:00:00+0800"],
    ),
    (
        "timestamp",
        ["2017-09-04T15:00:00+08", "2017-09-04T15:00:00+24:00", "2017-09-04T15:00:00+08:60", "2017-09-04T15:00+08:00"],
    ),
    ("timestamp", ["2017-13-04T15:00:00Z", "2017-09-04T15:00:0١Z", "2017-09-04T15:00:00.1_0Z", "2017-09-04T+1:00:00Z"]),
    (
        "timestamp",
        ["2017-09-04T15:00:00.1+1:00Z", "2017-09-04T15:00:00Z" + " " * 40, "2017-09-04T15:00:00." + "1" * 60 + "Z"],
    ),
    ("timestamp", ["", None, 0, "2017-09-04T15:00:00+٠٨:00", "2017-09-04T-1:00:00Z", "2017-09-04T15:00:00 08:00"]),
    ("scalar", ["abcd", 1.5, 2**64, -(2**63) - 1, [], {}, b"", float("nan")]),
    ("many", [[], [1, 2, 3, 4], (1,), None, {}]),
    ("unique", [["a", "a"], ["", "a"]]),
    ("nullable", [10, "a"]),
    ("table", [{"a": 1, "b": 2, "c": 3}, {"": 1}, {"a": 10}, {1: 1}, []]),
    ("sidecar", [None, {}, {"name": "0a" * 32}, {"name": "0A" * 32, "bytes": 1}, {"name": "0a" * 32, "bytes": 0}]),
    ("sidecar", [{"name": "0a" * 32, "bytes": 1024 * 1024 + 1}, {"name": "0a" * 32, "bytes": 1, "more": 1}]),
    ("record", [{}, {"n": 10}, {"n": 1, "x": 1}, {"n": 1, 5: 1}, [], None, {"n": 1, "t": ""}]),
]


@pytest.mark.parametrize(("field", "value"), [(name, value) for name, values in GOOD for value in values])
def test_a_described_value_passes(field, value):
    assert FIELDS[field].check(value) is None


@pytest.mark.parametrize(("field", "value"), [(name, value) for name, values in BAD for value in values])
def test_anything_else_is_refused_with_words(field, value):
    error = FIELDS[field].check(value)
    assert error is not None
    assert ": " in error


def test_every_field_is_tested_both_ways():
    assert {name for name, _ in GOOD} == {name for name, _ in BAD} == set(FIELDS)


@pytest.mark.parametrize(
    ("args", "detail"),
    [
        ({}, "args.date: missing"),
        ({"date": "2017-13"}, "args.date: expected a date as 2017, 2017-09 or 2017-09-04"),
        ({"date": "2017", "x": 1}, "args.x: unknown; expected date, areas"),
        ({"date": "2017", "areas": [{"id": ""}]}, "args.areas[0].id: expected a text of 1 to 256 characters"),
        ({"date": "2017", "areas": "x"}, "args.areas: expected a list of 0 to 2 items"),
        ([], "args: expected a map"),
    ],
)
def test_a_refusal_names_the_path_and_what_is_expected(args, detail):
    arguments = Arguments({"date": f.Date()}, {"areas": f.Many(f.Record({"id": f.Text()}), high=2)})
    assert arguments.check(args) == Rejected("invalid_argument", detail)


def test_an_unknown_name_is_cut_in_the_refusal():
    refusal = Arguments({}).check({"x" * 10_000: 1})
    assert refusal is not None
    assert len(refusal.detail) < 200


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers(-2, 12) | st.text(max_size=4),
        lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from("nt ab"), inner, max_size=4),
        max_leaves=12,
    )
)
def test_the_first_of_all_faults_is_what_the_check_answers(value):
    for field in FIELDS.values():
        assert next(field.faults(value), None) == field.check(value)


def test_every_fault_is_found_however_deep():
    field = f.Record({"rows": f.Many(f.Record({"n": f.Integer(0, 9)}, {"m": f.Table(f.Boolean(), high=3)}), high=9)})
    value = {"rows": [{"n": 1}, {"n": 10, "m": {"a": 1, "b": True, "": 2}}, {}, 7], "more": None}
    assert [fault.partition(":")[0] for fault in field.faults(value)] == [
        ".rows[1].n",
        ".rows[1].m.a",
        ".rows[1].m",
        ".rows[2].n",
        ".rows[3]",
        ".more",
    ]


def test_a_list_is_asked_for_repeated_items_only_if_each_of_them_fits():
    field = f.Many(f.Text(), high=3, unique=True)
    assert list(field.faults(["a", ["a"], "a"])) == ["[1]: expected a text of 1 to 256 characters"]
    assert list(field.faults(["a", "b", "a"])) == [": expected every item once"]


def test_parts_are_described_by_their_own_fields():
    row = f.Record({"n": f.Integer(0, 9)}, {"t": f.Text(high=3)})
    assert f.Many(row, high=2).describe() == "a list of 0 to 2 items, each a map of n, t (optional)"
    assert f.Nullable(f.Boolean()).describe() == "true or false, or null"
    table = f.Table(f.Integer(0, 9), high=2, key=f.OneOf("a", "b"))
    assert table.describe() == "a map of at most 2 entries; keys: one of a, b; values: an integer from 0 to 9"


def test_a_field_that_depends_on_another_is_checked_once_all_others_fit():
    cases = {"node": f.Record({"node": f.Name()}), "none": f.Record({})}
    arguments = Arguments({"kind": f.OneOf(*cases), "subject": f.Dependent("kind", cases)}, {"n": f.Integer(0, 9)})
    assert arguments.check({"kind": "node", "subject": {"node": "a"}}) is None
    given = {"kind": "none", "subject": {"node": "a"}}
    assert arguments.check(given) == Rejected("invalid_argument", "args.subject.node: unknown; expected nothing")
    wrong = Rejected("invalid_argument", "args.n: expected an integer from 0 to 9")
    assert list(arguments.refusals({**given, "n": 10})) == [wrong]


# What is made of a field

SPECIALS = {
    "short": f.Short(f.OneOf("a", "b"), f.Record({"kind": f.OneOf("a", "b")}, {"n": f.Integer(0, 9)})),
    "language": f.Language(),
}
ARGUMENTS = {
    f"{contract.name}.{name}": action.arguments
    for contract in CONTRACTS.values()
    for name, action in contract.actions.items()
}
EVERY = {
    **FIELDS,
    **SPECIALS,
    **{
        f"{name} {field}": part
        for name, arguments in ARGUMENTS.items()
        for field, part in arguments.record.fields.items()
    },
    **{
        f"{kind} {name}": part
        for kind, body in BODIES.items()
        for name, part in {**body.required, **body.optional}.items()
    },
}


def is_json(value):
    """Say whether a value can be in a JSON document: bytes and lone surrogates cannot."""
    try:
        return bool(json.dumps(value, ensure_ascii=False).encode())
    except (TypeError, UnicodeEncodeError):
        return False


def fits(schema, value):
    return jsonschema.Draft202012Validator(schema).is_valid(value)


@pytest.mark.parametrize("name", EVERY)
def test_what_must_be_refused_is_and_what_must_pass_does(name):
    nasty = EVERY[name].nasty()
    assert nasty.passed
    assert nasty.refused or nasty.later
    assert [value for value in (*nasty.passed, *nasty.later) if EVERY[name].check(value) is not None] == []
    assert [value for value in nasty.refused if EVERY[name].check(value) is None] == []


@pytest.mark.parametrize("name", EVERY)
def test_a_schema_is_one_and_takes_whatever_passes(name):
    schema = EVERY[name].json_schema()
    jsonschema.Draft202012Validator.check_schema(schema)
    nasty = EVERY[name].nasty()
    assert [value for value in (*nasty.passed, *nasty.later, EVERY[name].sample()) if not fits(schema, value)] == []


@pytest.mark.parametrize(
    "name", [name for name, field in EVERY.items() if not isinstance(field, f.Later | f.Dependent)]
)
def test_a_schema_refuses_other_types_and_what_is_too_long(name):
    field = EVERY[name]
    schema = field.json_schema()
    wrong = [value for value in field.nasty().refused if is_json(value) and not fits(schema, value)]
    assert wrong
    kinds = (type(None), bool, int, str, list, dict)
    passing = {type(value) for value in field.nasty().passed}
    assert {type(value) for value in wrong} >= {kind for kind in kinds if kind not in passing and kind is not bool}


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**65), 2**65) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=6,
)


@settings(deadline=None)
@given(st.sampled_from(sorted(EVERY)), st.data())
def test_whatever_a_check_takes_its_schema_takes(name, data):
    field = EVERY[name]
    schema = field.json_schema()
    nasty = field.nasty()
    value = data.draw(JSON | st.sampled_from(nasty.passed) | st.sampled_from([*nasty.refused, *nasty.later]))
    if field.check(value) is None:
        assert fits(schema, value)


EXACT = ["boolean", "hexadecimal", "integer", "language", "many", "name", "nullable", "one_of", "short", "unique"]


@settings(deadline=None)
@given(st.sampled_from(EXACT), st.data())
def test_of_plain_fields_a_schema_refuses_whatever_the_check_refuses(name, data):
    """Not of all: that a character is hidden, or that a month has no such day, no schema says."""
    field = EVERY[name]
    value = data.draw(JSON | st.sampled_from([value for value in field.nasty().refused if is_json(value)]))
    newline = type(value) is str and value.endswith("\n")  # where "$" matches before it in Python, and only there
    assert newline or (field.check(value) is None) == fits(field.json_schema(), value)


@pytest.mark.parametrize("name", ARGUMENTS)
def test_the_schema_of_an_action_takes_its_example_and_refuses_more(name):
    contract, _, action = name.partition(".")
    example = dict(CONTRACTS[contract].actions[action].example)
    schema = ARGUMENTS[name].json_schema()
    jsonschema.Draft202012Validator.check_schema(schema)
    assert fits(schema, example)
    assert not fits(schema, {**example, "no such field": 1})
    for required in ARGUMENTS[name].record.required:
        assert not fits(schema, {key: value for key, value in example.items() if key != required})


def test_the_schema_of_a_proposal_depends_on_its_kind():
    schema = ARGUMENTS["governance.propose"].json_schema()
    for kind, case in KINDS.items():
        proposal = {"id": "p", "kind": kind, "subject": dict(case.example)}
        assert fits(schema, proposal)
        assert not fits(schema, {**proposal, "subject": {"odd": 1}})


def test_every_class_of_fields_is_among_those_tried():
    tried = {type(field) for field in EVERY.values()}
    classes = {kind for name in f.__all__ if isinstance(kind := getattr(f, name), type)}
    assert {kind for kind in classes if issubclass(kind, f.Field)} - tried == {f.Field, f.Parts}


def test_samples_by_number_differ_where_there_are_as_many():
    for name in ("text", "label", "identifier", "reference", "name", "integer", "hexadecimal", "date", "timestamp"):
        assert len({FIELDS[name].sample(number) for number in range(9)}) == 9
