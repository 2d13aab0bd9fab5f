"""Rules tried on a log of the past."""

from __future__ import annotations

from coseal.contracts.process.types import normalised
from coseal.contracts.rules.rule import parse_rules
from coseal.contracts.rules.trial import try_rules
from coseal.contracts.rules.verdict import Verdict

DEFINITION = normalised(
    {
        "id": "p",
        "version": 1,
        "title": "P",
        "object_types": {"case": {"attributes": {"limit": "integer"}}, "loan": {}},
        "event_types": {"a": {"attributes": {"x": "integer"}}, "b": {}},
        "late_ms": 1_000,
    }
)


def item(kind, case, second, minute=0, **fields):
    objects = fields.pop("objects", [["case", case]])
    time = f"2026-01-01T00:{minute:02d}:{second:02d}Z"
    return {"event": f"{case}-{minute}-{second}-{kind}", "type": kind, "time": time, "objects": objects, **fields}


def tried(rules, items, **how):
    data = [{"id": f"R{index}", **rule} for index, rule in enumerate(rules)]
    return try_rules(parse_rules(data), items, DEFINITION, **how)


def counts(row):
    return {verdict.value: len(ids) for verdict, ids in row.cases.items() if ids}


RESPONSE = {"kind": "declare", "template": "response", "a": "a", "b": "b"}


def test_cases_are_counted_by_verdict_and_named():
    result = tried([RESPONSE], [item("a", "1", 0), item("a", "2", 1), item("b", "1", 2), item("b", "3", 3)])
    assert (result.cases, result.events, result.without_events) == (3, 4, 0)
    (row,) = result.rules
    assert row.cases[Verdict.PENDING] == ("1", "3")
    assert row.cases[Verdict.PENDING_VIOLATING] == ("2",)
    assert result.to_json(with_cases=True) == {
        "cases": 3,
        "events": 4,
        "objects_without_events": 0,
        "rules": [
            {
                "id": "R0",
                "version": 1,
                "satisfied": 0,
                "pending": 2,
                "pending_violating": 1,
                "violated": 0,
                "undetermined": 0,
                "findings": 0,
                "cases": {
                    "satisfied": [],
                    "pending": ["1", "3"],
                    "pending_violating": ["2"],
                    "violated": [],
                    "undetermined": [],
                },
            }
        ],
    }
    assert "cases" not in result.to_json()["rules"][0]


def test_the_clock_is_the_highest_occurrence_so_far_less_the_lag():
    rule = {**RESPONSE, "within_ms": 2_000}
    begun = [item("a", "1", 0)]
    assert counts(tried([rule], [*begun, item("b", "2", 3)]).rules[0]) == {"pending_violating": 1, "pending": 1}
    late = tried([rule], [*begun, item("b", "2", 4), item("b", "1", 1)])
    assert counts(late.rules[0]) == {"violated": 1, "pending": 1}
    assert late.rules[0].findings == 1
    in_time = tried([rule], [*begun, item("b", "2", 3), item("b", "1", 1)])
    assert counts(in_time.rules[0]) == {"pending": 2}


def test_what_comes_out_of_order_does_not_turn_the_clock_back():
    guard = {"kind": "guard", "on": ["a"], "assert": "block.time == timestamp('2026-01-01T00:00:09Z')"}
    (row,) = tried([guard], [item("b", "1", 9), item("a", "1", 3)]).rules
    assert counts(row) == {"pending": 1}


def test_a_deadline_that_was_met_does_not_fire_and_the_next_one_does():
    rule = {**RESPONSE, "within_ms": 2_000}
    items = [item("a", "1", 0), item("b", "1", 1), item("a", "1", 10), item("b", "2", 0, minute=1)]
    (row,) = tried([rule], items).rules
    assert row.cases[Verdict.VIOLATED] == ("1",)
    assert row.findings == 1


def test_validity_is_set_aside():
    rule = {**RESPONSE, "valid_from": "2030-01-01T00:00:00Z"}
    assert counts(tried([rule], [item("a", "1", 0)]).rules[0]) == {"pending_violating": 1}


def test_an_object_type_may_be_set_in_place_of_the_rules_own():
    items = [item("a", "1", 0, objects=[["loan", "L"], ["case", "1"]]), item("b", "1", 1)]
    assert counts(tried([RESPONSE], items).rules[0]) == {"pending": 1}
    result = tried([RESPONSE, {"kind": "gap"}], items, object_type="loan")
    assert counts(result.rules[0]) == {"pending_violating": 1}
    assert result.rules[1].rule.object_type == "source"


def test_an_object_without_events_is_no_case_but_is_counted():
    items = [
        {"object": "9", "type": "case", "attributes": [["limit", "0", 1]]},
        {"object": "1", "type": "case", "attributes": [["limit", "0", 3]]},
        {"relation": ["case", "8"], "to": ["loan", "L"]},
        item("a", "1", 0, attributes={"x": 2}),
        {"change": "1", "type": "case", "attributes": [["limit", "2026-01-01T00:00:00Z", 1]]},
        item("a", "1", 1, attributes={"x": 2}),
    ]
    guard = {"kind": "guard", "on": ["a"], "assert": "e.attributes.x <= o.attributes.limit"}
    result = tried([guard], items)
    assert (result.cases, result.without_events) == (1, 2)
    assert counts(result.rules[0]) == {"violated": 1}
    assert result.rules[0].findings == 1


def test_rules_of_several_object_types_are_answered_in_their_order():
    items = [item("a", "1", 0, objects=[["loan", "L"], ["case", "1"]])]
    loan = {**RESPONSE, "scope": {"object_type": "loan"}}
    lag = {"kind": "lag", "within_ms": 0}
    result = tried([loan, lag, RESPONSE], items, source="m/s")
    assert [row.rule.id for row in result.rules] == ["R0", "R1", "R2"]
    assert result.rules[1].cases[Verdict.PENDING] == ("m/s",)
    assert result.cases == 2
    assert tried([lag], items).cases == 1


def test_times_before_1970_and_out_of_order_are_judged_all_the_same():
    items = [
        {"event": "1", "type": "a", "time": "1948-01-01T00:00:00Z", "objects": [["case", "1"]]},
        {"event": "2", "type": "b", "time": "1947-01-01T00:00:00Z", "objects": [["case", "1"]]},
        {"event": "3", "type": "a", "time": "1949-01-01T00:00:00Z", "objects": [["case", "2"]]},
    ]
    rules = [{**RESPONSE, "within_ms": 1_000}, {"kind": "declare", "template": "precedence", "a": "a", "b": "b"}]
    first, second = tried(rules, items).rules
    assert counts(first) == {"pending": 1, "pending_violating": 1}
    assert counts(second) == {"satisfied": 2}


def test_a_silent_source_misses_its_periods_in_a_log():
    owed = {"kind": "periodic", "source": "m/s", "on": ["b"], "every": {"days": 1}}
    items = [{"event": str(day), "type": "a", "time": f"2026-01-{day:02d}T00:00:00Z", "objects": []} for day in (1, 5)]
    (row,) = tried([owed], items, source="m/s").rules
    assert row.cases[Verdict.VIOLATED] == ("m/s",)
    assert row.findings == 3
