"""A rule's own tests, and the check of a whole file."""

from __future__ import annotations

import pytest

from coseal.contracts.process.types import normalised
from coseal.contracts.rules.errors import RuleError
from coseal.contracts.rules.rule import parse_rule
from coseal.contracts.rules.rule_tests import check_rules, failed_tests

DEFINITION = normalised(
    {
        "id": "p",
        "version": 1,
        "title": "P",
        "object_types": {"case": {"attributes": {"limit": "integer"}}},
        "event_types": {"a": {"attributes": {"x": "integer"}}, "b": {}},
    }
)
RESPONSE = {"id": "R", "kind": "declare", "template": "response", "a": "a", "b": "b"}
GUARD = {"id": "R", "kind": "guard", "on": ["a"], "assert": "e.attributes.x <= o.attributes.limit"}
AT_NOON = "2026-01-01T12:00:00Z"

GOOD = [
    (RESPONSE, {"events": [{"type": "a"}], "verdict": "pending_violating"}),
    (RESPONSE, {"events": [{"type": "a"}, {"type": "b"}], "verdict": "pending"}),
    (RESPONSE, {"event": {"type": "a"}, "events": [{"type": "b"}], "verdict": "pending"}),
    (RESPONSE, {"verdict": "pending"}),
    (
        {**RESPONSE, "within_ms": 1_000},
        {"events": [{"type": "a"}], "clock": "2026-01-01T00:00:01Z", "verdict": "pending_violating"},
    ),
    (
        {**RESPONSE, "within_ms": 1_000},
        {"events": [{"type": "a"}], "clock": "2026-01-01T00:00:01.001Z", "verdict": "violated"},
    ),
    (
        {**RESPONSE, "within_ms": 1_000},
        {
            "events": [{"type": "a"}, {"type": "b", "time": "2026-01-01T00:00:01Z", "block_time": AT_NOON}],
            "verdict": "violated",  # the deadline passed before the block that records b
        },
    ),
    ({**RESPONSE, "valid_from": "2030-01-01T00:00:00Z"}, {"event": {"type": "a"}, "verdict": "pending_violating"}),
    (GUARD, {"event": {"type": "a", "attributes": {"x": 5}}, "object": {"limit": 5}, "verdict": "satisfied"}),
    (GUARD, {"event": {"type": "a", "attributes": {"x": 5}}, "object": {"limit": 5}, "verdict": "pending"}),
    (GUARD, {"event": {"type": "a", "attributes": {"x": 6}}, "object": {"limit": 5}, "verdict": "violated"}),
    (GUARD, {"event": {"type": "a", "attributes": {"x": 6}}, "verdict": "undetermined"}),
    (
        {"id": "R", "kind": "segregation", "a": "a", "b": "b", "by": "member"},
        {"events": [{"type": "a", "source": "bank/x"}, {"type": "b", "source": "bank/y"}], "verdict": "violated"},
    ),
    (
        {"id": "R", "kind": "lag", "within_ms": 1_000},
        {"event": {"type": "a", "block_time": AT_NOON}, "verdict": "violated"},
    ),
    ({"id": "R", "kind": "gap", "missing_max": 2}, {"gap": [3, 4], "verdict": "satisfied"}),
    ({"id": "R", "kind": "gap", "missing_max": 2}, {"gap": [3, 5], "verdict": "violated"}),
    (
        {"id": "R", "kind": "periodic", "source": "m/s", "on": ["a"], "every": {"days": 1}},
        {"events": [{"type": "a"}], "clock": "2026-01-02T00:00:00Z", "verdict": "pending_violating"},
    ),
    (
        {"id": "R", "kind": "periodic", "source": "m/s", "on": ["a"], "every": {"days": 1}},
        {"events": [{"type": "a"}], "clock": "2026-01-03T00:00:00Z", "verdict": "violated"},
    ),
]


@pytest.mark.parametrize(("data", "test"), GOOD)
@pytest.mark.parametrize("definition", [None, DEFINITION])
def test_a_test_runs_through_the_monitors(data, test, definition):
    rule = parse_rule({**data, "tests": [test]}, definition)
    assert failed_tests(rule, definition) == []


@pytest.mark.parametrize(("data", "test"), GOOD)
def test_a_test_that_expects_something_else_fails(data, test):
    same = {"satisfied", "pending"} if data["kind"] in ("guard", "gap", "lag", "periodic") else {test["verdict"]}
    same.add(test["verdict"])
    for verdict in {"satisfied", "pending", "pending_violating", "violated", "undetermined"} - same:
        rule = parse_rule({**data, "tests": [{**test, "verdict": verdict, "title": "why"}]})
        (error,) = failed_tests(rule, None, "[0]")
        assert error.path == "[0].tests[0].verdict"
        assert error.reason.startswith(f"expected {verdict}, the rule says ")
        assert error.reason.endswith("(why)")


@pytest.mark.parametrize(
    ("event", "path", "reason"),
    [
        ({"type": "a", "colour": "red"}, ".tests[0].event.colour", "expected one of attributes"),
        ({"type": "a", "time": "noon"}, ".tests[0].event.time", "expected"),
        ({"type": "a", "block_time": "noon"}, ".tests[0].event.block_time", "RFC 3339"),
        ({"type": "a", "source": 5}, ".tests[0].event.source", "member/source"),
        ({}, ".tests[0].event.type", ""),
        ({"type": "a", "attributes": [1]}, "", "map"),
    ],
)
@pytest.mark.parametrize("definition", [None, DEFINITION])
def test_a_test_that_cannot_be_read_is_an_error_with_its_place(event, path, reason, definition):
    rule = parse_rule({**RESPONSE, "tests": [{"event": event, "verdict": "pending"}]})
    (error,) = failed_tests(rule, definition)
    assert error.path.startswith(path)
    assert reason in error.reason


@pytest.mark.parametrize(
    ("event", "path"),
    [
        ({"type": "z"}, ".type"),
        ({"type": "a", "attributes": {"y": 1}}, ".attributes.y"),
        ({"type": "a", "attributes": {"x": "1"}}, ".attributes.x"),
        ({"type": "a", "objects": [["loan", "1"]]}, ".objects[0][0]"),
    ],
)
def test_with_the_process_type_a_test_is_made_of_its_events(event, path):
    rule = parse_rule({**RESPONSE, "tests": [{"event": event, "verdict": "pending"}]}, DEFINITION)
    (error,) = failed_tests(rule, DEFINITION)
    assert error.path == f".tests[0].event{path}"


def test_a_file_is_checked_rule_by_rule():
    bad_test = {**RESPONSE, "id": "T", "tests": [{"verdict": "violated"}]}
    checked = check_rules([RESPONSE, {**RESPONSE, "id": "S", "a": "b"}, 7, bad_test, RESPONSE])
    assert [(entry.index, entry.id, entry.rule is not None) for entry in checked] == [
        (0, "R", True),
        (1, "S", False),
        (2, "[2]", False),
        (3, "T", True),
        (4, "R", True),
    ]
    assert [[error.path for error in entry.errors] for entry in checked] == [
        [],
        ["[1].b"],
        ["[2]"],
        ["[3].tests[0].verdict"],
        ["[4].id"],
    ]


def test_what_is_no_list_of_rules_is_refused():
    with pytest.raises(RuleError, match="expected a list"):
        check_rules({"rules": []})
