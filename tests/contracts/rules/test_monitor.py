"""A set of rules at work: states, validity, and the kinds that are no DECLARE."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from coseal.contracts.process.types import normalised
from coseal.contracts.rules.declare import BINARY, TEMPLATES
from coseal.contracts.rules.event_rules import MAX_ACTORS
from coseal.contracts.rules.facts import Event
from coseal.contracts.rules.monitor import RuleSet, rule_sets
from coseal.contracts.rules.periodic import MAX_OPEN_PERIODS
from coseal.contracts.rules.rule import ended_rule, parse_rule, parse_rules
from coseal.contracts.rules.verdict import Verdict
from coseal.ledger import codec

DAY = 86_400_000
VIOLATED, UNDETERMINED, PENDING = Verdict.VIOLATED, Verdict.UNDETERMINED, Verdict.PENDING
DEFINITION = normalised(
    {
        "id": "p",
        "version": 1,
        "title": "P",
        "object_types": {"case": {"attributes": {"limit": "integer", "due": "time"}}},
        "event_types": {"a": {"attributes": {"x": "integer", "until": "time", "note": "string"}}, "b": {}},
    }
)


def event(kind="a", index=0, time_ms=0, block_ms=None, source="m/s", live=True, zone=None, **item):
    data = {"event": f"e{index}", "type": kind, "time": "", "objects": [["case", "c"]], **item}
    return Event(data, time_ms, source, index + 1, 7, time_ms if block_ms is None else block_ms, live, zone)


def rules_of(*data, definition=None):
    rules = [{"id": f"R{index}", **entry} for index, entry in enumerate(data)]
    return RuleSet(parse_rules(rules, definition), definition)


def guard(text, **fields):
    return {"kind": "guard", "on": ["a"], "assert": text, **fields}


def verdicts_of(rules, *events, state=None, name="c"):
    found = []
    for each in events:
        state, findings = rules.observe(state, each, name)
        found.append([finding.verdict for finding in findings])
    return found, state


# States


def test_the_state_of_an_object_that_no_rule_concerns_is_tiny():
    every = [
        {"kind": "declare", "template": template, "a": "a", **({"b": "b"} if template in BINARY else {})}
        for template in TEMPLATES
        if template != "init"
    ] * 30
    rules = rules_of(*every)
    state, _ = rules.observe(None, event("x", time_ms=1_700_000_000_000), "c")
    assert len(codec.encode(state)) < 20
    state, _ = rules.observe(state, event("a"), "c")
    assert len(codec.encode(state)) < len(every) + 30


@given(st.lists(st.sampled_from("abx"), max_size=10), st.integers(0, 10))
@settings(deadline=None, max_examples=40)
def test_a_state_goes_through_the_codec_and_on(kinds, cut):
    rules = rules_of(
        *({"kind": "declare", "template": t, "a": "a", **({"b": "b"} if t in BINARY else {})} for t in TEMPLATES),
        *(
            {"kind": "declare", "template": t, "a": "a", "b": "b", "within_ms": 2, "correlation": "a.type != t.type"}
            for t in BINARY
        ),
    )
    state = stored = None
    for index, kind in enumerate(kinds):
        state, found = rules.observe(state, event(kind, index, index), "c")
        before = None if stored is None else codec.encode(stored)
        again, same = rules.observe(stored, event(kind, index, index), "c")
        assert (again, same) == (state, found)
        assert stored is None or codec.encode(stored) == before
        stored = codec.decode(codec.encode(again)) if index >= cut else again


def test_there_is_a_set_for_each_object_type():
    rules = parse_rules(
        [
            {"id": "A", "kind": "gap"},
            {**guard("true"), "id": "B"},
            {**guard("true"), "id": "C", "scope": {"object_type": "loan"}},
            {**guard("true"), "id": "D"},
        ]
    )
    sets = rule_sets(rules)
    assert {kind: [rule.id for rule in found.rules] for kind, found in sets.items()} == {
        "source": ["A"],
        "case": ["B", "D"],
        "loan": ["C"],
    }


# Validity


def test_a_rule_judges_from_its_first_moment_to_before_its_last():
    rules = rules_of(guard("false", valid_from="1970-01-01T00:00:00.100Z", valid_to="1970-01-01T00:00:00.200Z"))
    found, _ = verdicts_of(rules, *(event(index=ms, time_ms=0, block_ms=ms) for ms in (99, 100, 199, 200)))
    assert found == [[], [VIOLATED], [VIOLATED], []]


def test_a_rule_that_looks_back_judges_no_object_that_began_before_it():
    since = {"valid_from": "1970-01-01T00:00:00.100Z"}
    rules = rules_of(
        {"kind": "declare", "template": "precedence", "a": "a", "b": "b", **since},
        {"kind": "declare", "template": "absence", "a": "b", **since},
    )
    old, _ = rules.observe(None, event("x", time_ms=50), "c")
    _, found = rules.observe(old, event("b", 1, 150), "c")
    assert [finding.rule.id for finding in found] == ["R1"]
    _, found = rules.observe(None, event("b", 1, 150), "c")
    assert [finding.rule.id for finding in found] == ["R0", "R1"]
    _, found = rules.observe(None, event("b", 1, 100), "c")
    assert [finding.rule.id for finding in found] == ["R0", "R1"]
    _, found = rules.observe(None, event("b", 1, 150), "c", whole=False)
    assert [finding.rule.id for finding in found] == ["R1"]


def test_a_rule_that_has_ended_keeps_its_place_and_judges_nothing():
    response = {"kind": "declare", "template": "response", "a": "a", "b": "b", "within_ms": 5}
    before = rules_of(response, guard("false"), response)
    state, found = before.observe(None, event(), "c")
    assert [finding.rule.id for finding in found] == ["R1"]
    after = RuleSet([ended_rule(before.rules[0].data), ended_rule(before.rules[1].data), before.rules[2]])
    assert after.observe(state, event(index=1), "c")[1] == []
    assert [rule.ended for rule in after.rules] == [True, True, False]
    expired, found = after.expire(state, 1_000)
    assert [finding.rule.id for finding in found] == ["R2"]
    assert after.verdicts(expired)[2] is VIOLATED
    assert after.deadline_ms(expired) is None


def test_what_has_ended_needs_nothing_of_its_process_type():
    lost = {"id": "R", "kind": "guard", "on": ["lost"], "assert": "e.attributes.lost > 1", "title": None}
    rule = ended_rule(lost)
    assert (rule.object_type, rule.title, rule.cost, rule.ended) == ("case", "R", 0, True)
    assert rule_sets([rule]) == {}
    assert list(rule_sets([rule, parse_rule({**guard("true"), "id": "S"})])) == ["case"]
    assert ended_rule({"id": "R", "kind": "gap", "scope": None}).object_type == "source"
    assert ended_rule({"id": "R", "kind": "lag", "scope": {"object_type": "case"}}).object_type == "case"


# Guards and shapes


def test_a_guard_judges_every_event_and_the_object_keeps_the_worst():
    rules = rules_of(guard("e.attributes.x <= 3"))
    found, state = verdicts_of(
        rules,
        *(event(index=x, attributes={"x": x}) for x in (3, 4, 5)),
        event(index=9, attributes={"x": "text"}),
        event("b"),
    )
    assert found == [[], [VIOLATED], [VIOLATED], [UNDETERMINED], []]
    assert rules.verdicts(state) == (VIOLATED,)


def test_an_error_in_a_guard_is_undetermined_until_it_is_violated():
    rules = rules_of(guard("e.attributes.x <= 3"))
    found, state = verdicts_of(rules, event(), event(attributes={"x": 1}))
    assert found == [[UNDETERMINED], []]
    assert rules.verdicts(state) == (UNDETERMINED,)
    found, state = verdicts_of(rules, event(attributes={"x": 9}), state=state)
    assert rules.verdicts(state) == (VIOLATED,)


@pytest.mark.parametrize(
    "text",
    [
        "e.id == 'e0' && e.type == 'a' && e.time == timestamp('1970-01-01T00:00:05Z')",
        "e.source == 'm/s' && e.member == 'm' && e.sequence == 1 && e.live && !e.late && e.corrects",
        "e.objects.exists(x, x.type == 'case' && x.id == 'c' && x.qualifier == 'main')",
        "e.counterparty == 'bank-a' && e.policy == ['p'] && !has(e.evidence)",
        "e.recorded - e.time == duration('1s')",
        "e.attributes.note == '2026-01-01 00:00:00'",
        "o.type == 'case' && o.id == 'c' && o.count == 0",
        "block.height == 7 && block.time == timestamp('1970-01-01T00:00:06Z')",
        "e.attributes.until == timestamp('2026-01-01T00:00:00+02:00') && e.attributes['x'] == 1",
    ],
)
def test_an_expression_sees_what_the_ledger_knows(text):
    rules = rules_of(guard(text), definition=DEFINITION)
    found, _ = verdicts_of(
        rules,
        event(
            time_ms=5_000,
            block_ms=6_000,
            zone=120,
            objects=[["case", "c", "main"]],
            corrects=[1, "00" * 32],
            counterparty="bank-a",
            policy=["p"],
            recorded="1970-01-01T00:00:06Z",
            attributes={"x": 1, "until": "2026-01-01 00:00:00", "note": "2026-01-01 00:00:00"},
        ),
    )
    assert found == [[]]


def test_an_expression_sees_that_an_event_came_late_with_a_reason():
    found, _ = verdicts_of(rules_of(guard("e.late && !e.corrects && !e.live")), event(late="a strike", live=False))
    assert found == [[]]


def test_a_guard_sees_the_newest_attributes_of_its_object():
    rules = rules_of(guard("e.attributes.x <= o.attributes.limit"), definition=DEFINITION)
    found, _ = verdicts_of(rules, event(attributes={"x": 5}))
    assert found == [[UNDETERMINED]]

    def change(state, *rows):
        return rules.describe(state, {"change": "c", "type": "case", "attributes": [list(row) for row in rows]}, 0)

    state = change(None, ("limit", "0", 9), ("due", "0", "2026-01-01T00:00:00Z"))
    assert [row[0] for row in state[5]] == ["limit"]
    later = change(state, ("limit", "2026-01-01T00:00:00Z", 3))
    outdated = change(later, ("limit", "2025-01-01T00:00:00Z", 99))
    corrected = change(later, ("limit", "2026-01-01T00:00:00Z", 5))
    cases = ((state, []), (later, [VIOLATED]), (outdated, [VIOLATED]), (corrected, []))
    for known, expected in cases:
        found, _ = verdicts_of(rules, event(attributes={"x": 5}), state=known)
        assert found == [expected]
    assert codec.decode(codec.encode(later)) == later


def test_times_of_objects_are_instants():
    rules = rules_of(guard("e.time < o.attributes.due"), definition=DEFINITION)
    item = {"object": "c", "type": "case", "attributes": [["due", "0", "1970-01-01 01:00:01"]]}
    state = rules.describe(None, item, 0, zone_minutes=60)
    assert codec.decode(codec.encode(state)) == state
    found, _ = verdicts_of(rules, event(time_ms=999), event(time_ms=1_000), state=state)
    assert found == [[], [VIOLATED]]


def test_what_no_rule_reads_makes_no_state():
    rules = rules_of(guard("true"), definition=DEFINITION)
    assert rules.describe(None, {"change": "c", "type": "case", "attributes": [["limit", "0", 1]]}, 0) is None


def test_a_shape_judges_the_attributes_of_an_event():
    schema = {"type": "object", "required": ["x"], "properties": {"x": {"type": "integer", "maximum": 3}}}
    rules = rules_of({"kind": "shape", "on": ["a"], "schema": schema})
    state, found = rules.observe(None, event(), "c")
    assert [(finding.verdict, str(finding.reason)) for finding in found] == [(VIOLATED, "attributes.x: missing")]
    found, _ = verdicts_of(rules, event(attributes={"x": 4}), event(attributes={"x": 3}), state=state)
    assert found == [[VIOLATED], []]


# Segregation of duties


def duties(by, a="apply", b="approve"):
    return rules_of({"kind": "segregation", "a": a, "b": b, "by": by})


def act(kind, who, index=0, source="m/s"):
    return event(kind, index, source=source, attributes={"officer": who})


@pytest.mark.parametrize("first", ["apply", "approve"])
def test_one_officer_does_not_do_both_in_either_order(first):
    second = "approve" if first == "apply" else "apply"
    rules = duties("attributes.officer")
    found, state = verdicts_of(rules, act(first, "ann"), act(first, "ben"), act("x", "cat"), act(second, "cat"))
    assert found == [[], [], [], []]
    assert rules.verdicts(state) == (PENDING,)
    found, state = verdicts_of(rules, act(second, "ben"), act(second, "ann"), state=state)
    assert found == [[VIOLATED], []]
    assert rules.verdicts(state) == (VIOLATED,)


def test_four_eyes_on_one_activity_means_another_actor_each_time():
    rules = duties("attributes.officer", "approve", "approve")
    found, _ = verdicts_of(rules, act("approve", "ann"), act("approve", "ben"), act("approve", "ann"))
    assert found == [[], [], [VIOLATED]]


@pytest.mark.parametrize("actor", ["\U0001d54a" * 4_096, "a" * 33, "\u4e2d" * 11])
def test_of_an_actor_with_a_long_name_the_digest_is_kept(actor):
    other = actor[:-1] + "x"
    found, state = verdicts_of(duties("attributes.officer"), act("apply", actor), act("approve", other))
    assert found == [[], []]
    assert len(codec.encode(state)) < 160
    assert verdicts_of(duties("attributes.officer"), act("approve", actor), state=state)[0] == [[VIOLATED]]


def test_a_short_actor_is_kept_as_it_is():
    _, state = verdicts_of(duties("attributes.officer"), act("apply", "a" * 32), act("approve", "ann"))
    assert state[1] == [[0, [["a" * 32], ["ann"]]]]


@pytest.mark.parametrize(("by", "other"), [("member", "n/s"), ("source", "m/other")])
def test_duties_may_be_those_of_organisations(by, other):
    rules = duties(by)
    assert verdicts_of(rules, act("apply", "x"), act("approve", "y", source=other))[0] == [[], []]
    assert verdicts_of(rules, act("apply", "x"), act("approve", "y"))[0] == [[], [VIOLATED]]
    if by == "source":
        assert verdicts_of(duties("member"), act("apply", ""), act("approve", "", source=other))[0][1] == [VIOLATED]


@pytest.mark.parametrize("attributes", [{}, {"officer": ""}, {"officer": True}])
def test_an_actor_that_is_not_named_leaves_duties_undetermined(attributes):
    found, _ = verdicts_of(duties("attributes.officer"), event("apply", attributes=attributes))
    assert found == [[UNDETERMINED]]


def test_an_actor_may_be_a_number():
    found, _ = verdicts_of(duties("attributes.officer"), act("apply", 537), act("approve", 537))
    assert found == [[], [VIOLATED]]


def test_more_actors_than_are_kept_leave_duties_undetermined():
    rules = duties("attributes.officer")
    found, state = verdicts_of(rules, *(act("apply", f"p{n}", n) for n in range(MAX_ACTORS + 1)))
    assert found[-2:] == [[], [UNDETERMINED]]
    assert state[1] == []


# Sources: lag, gaps, obligations


def test_reporting_lag_is_from_occurrence_to_block_and_of_live_sources_only():
    rules = rules_of({"kind": "lag", "within_ms": 10})
    found, state = verdicts_of(
        rules,
        event(time_ms=0, block_ms=10),
        event("b", time_ms=0, block_ms=11),
        event(time_ms=0, block_ms=99, live=False),
        event(time_ms=0, block_ms=12),
        name="m/s",
    )
    assert found == [[], [VIOLATED], [], [VIOLATED]]
    assert rules.verdicts(state) == (VIOLATED,)
    assert verdicts_of(rules_of({"kind": "lag", "within_ms": 10, "on": ["a"]}), event("b", block_ms=99))[0] == [[]]


def test_a_gap_is_found_when_more_is_missing_than_may_be():
    rules = rules_of({"kind": "gap"}, {"kind": "gap", "missing_max": 3})
    state, found = rules.gap(None, 5, 7, 0)
    assert [(finding.rule.id, str(finding.reason)) for finding in found] == [("R0", "items 5 to 7 are missing")]
    assert rules.verdicts(state) == (VIOLATED, PENDING)
    state, found = rules.gap(state, 9, 12, 0)
    assert [(finding.rule.id, str(finding.reason)) for finding in found] == [
        ("R0", "items 9 to 12 are missing"),
        ("R1", "items 9 to 12 are missing; 3 may be"),
    ]
    assert str(rules.gap(None, 5, 5, 0)[1][0].reason) == "item 5 is missing"


def owed(**fields):
    data = {"kind": "periodic", "source": "m/s", "on": ["a"], "every": {"days": 1}, **fields}
    return rules_of(data)


def test_a_source_that_stays_silent_misses_every_period():
    rules = owed()
    state = rules.begin(None, "m/s", DAY // 2)
    assert rules.begin(None, "other/s", 0) is None
    assert rules.deadline_ms(state) == 2 * DAY - 1
    state, found = rules.expire(state, 2 * DAY - 1)
    assert not found
    state, found = rules.expire(state, 4 * DAY)
    assert [(finding.event, finding.time_ms) for finding in found] == [
        ("", 2 * DAY - 1),
        ("", 3 * DAY - 1),
        ("", 4 * DAY - 1),
    ]
    assert rules.verdicts(state) == (VIOLATED,)
    assert rules.deadline_ms(state) == 5 * DAY - 1


def test_what_occurred_in_a_period_meets_it_whenever_it_comes():
    rules = owed(n=2)
    state = rules.begin(None, "m/s", 0)
    days = [0.1, 1.5, 0.9, 1.6]  # the first day's second event comes after the second day's first
    for index, day in enumerate(days):
        state, found = rules.observe(state, event("a", index, int(day * DAY)), "m/s")
        assert not found
    state, found = rules.expire(state, 2 * DAY)
    assert not found
    assert rules.verdicts(state) == (Verdict.PENDING_VIOLATING,)
    assert codec.decode(codec.encode(state)) == state
    state, found = rules.expire(state, 3 * DAY)
    assert [str(finding.reason) for finding in found] == [
        "0 of 2 a in the period from 1970-01-03T00:00:00Z to 1970-01-04T00:00:00Z"
    ]


def test_less_than_is_owed_is_not_enough():
    rules = owed(n=2)
    state, _ = rules.observe(rules.begin(None, "m/s", 0), event("a", 0, 5), "m/s")
    assert rules.verdicts(state) == (Verdict.PENDING_VIOLATING,)
    _, found = rules.expire(state, DAY)
    assert [str(finding.reason)[:12] for finding in found] == ["1 of 2 a in "]


def test_what_is_kept_of_a_source_is_bounded():
    rules = owed()
    state = rules.begin(None, "m/s", 5 * DAY)
    for day in (*range(3, 40), 5, 5):
        state, _ = rules.observe(state, event("a", day, day * DAY), "m/s")
    ((_, (oldest, counts)),) = state[1]
    assert oldest == 5 * DAY
    assert counts == [[day * DAY, 3 if day == 5 else 1] for day in range(5, 5 + MAX_OPEN_PERIODS)]
    state, found = rules.expire(state, 8 * DAY)
    assert not found
    assert state[1][0][1][1][0] == [8 * DAY, 1]


def test_other_types_and_past_periods_count_for_nothing():
    rules = owed()
    state = rules.begin(None, "m/s", 3 * DAY)
    for kind, day in (("b", 3), ("a", 2)):
        state, _ = rules.observe(state, event(kind, 0, day * DAY), "m/s")
    assert rules.verdicts(state) == (Verdict.PENDING_VIOLATING,)
    state, _ = rules.observe(state, event("a", 0, 3 * DAY), "m/s")
    assert rules.verdicts(state) == (PENDING,)


@pytest.mark.parametrize(
    ("every", "zone", "time_ms", "start", "end"),
    [
        ({"months": 1}, 0, 0, 0, 31 * DAY),
        ({"months": 1}, 480, 31 * DAY - 1, 31 * DAY - 8 * 3_600_000, 59 * DAY - 8 * 3_600_000),
        ({"months": 3}, 0, 100 * DAY, 90 * DAY, 181 * DAY),
        ({"months": 12}, 0, 800 * DAY, 730 * DAY, 1_096 * DAY),
        ({"months": 1}, 0, -1, -31 * DAY, 0),
        ({"days": 7}, 0, 8 * DAY, 7 * DAY, 14 * DAY),
        ({"days": 1}, -60, 0, -23 * 3_600_000, 3_600_000),
    ],
)
def test_periods_are_those_of_the_calendar(every, zone, time_ms, start, end):
    data = {"id": "R", "kind": "periodic", "source": "m/s", "on": ["a"], "every": every, "zone_minutes": zone}
    assert parse_rule(data).body.period(time_ms) == (start, end)


def test_periods_of_days_begin_when_the_rule_does():
    rules = owed(every={"days": 2}, valid_from="1970-01-04T12:00:00Z")
    state = rules.begin(None, "m/s", 0)
    assert rules.deadline_ms(state) == int(5.5 * DAY) - 1
