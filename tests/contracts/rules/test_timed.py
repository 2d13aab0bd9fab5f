"""Rules with a window: the same verdicts by the quick way, step by step, and with a correlation that is always true."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from coseal.contracts.rules.declare import BINARY
from coseal.contracts.rules.facts import Event
from coseal.contracts.rules.monitor import RuleSet
from coseal.contracts.rules.rule import ended_rule, parse_rule
from coseal.contracts.rules.timed import Timed
from coseal.contracts.rules.verdict import Verdict
from coseal.ledger import codec


def event(kind, time_ms, index=0):
    item = {"event": f"e{index}", "type": kind, "time": "", "objects": [["case", "c"]]}
    return Event(item, time_ms, "m/s", index + 1, 7, max(0, time_ms), False)


def data(template, name="R", within_ms=3, **fields):
    return {
        "id": name,
        "kind": "declare",
        "template": template,
        "a": "a",
        "b": "b",
        "within_ms": within_ms,
        **fields,
    }


WAYS = (
    ("quick", {}),
    ("stepped", {"activation": "true", "target": "true"}),
    ("correlated", {"correlation": "true"}),
)


@pytest.mark.parametrize("template", BINARY)
@given(events=st.lists(st.tuples(st.sampled_from("aabbx"), st.integers(-6, 6), st.booleans()), max_size=9))
@settings(deadline=None, max_examples=60)
def test_every_way_of_judging_a_window_comes_to_the_same(template, events):
    rules = RuleSet([parse_rule(data(template, name, **fields)) for name, fields in WAYS])
    assert [isinstance(rule.body, Timed) for rule in rules.rules] == [True, True, False]
    state = None
    for index, (kind, time_ms, expires) in enumerate(events):
        if expires and state is not None:
            missed = rules.deadline_ms(state)
            state, found = rules.expire(state, time_ms)
            assert {finding.time_ms for finding in found} <= {missed}
            assert len(found) in (0, len(WAYS))
        state, _ = rules.observe(state, event(kind, time_ms, index), "c")
        state = codec.decode(codec.encode(state))
        assert len(set(rules.verdicts(state))) == 1
        due_ms, deadline_ms = rules.due_ms(state), rules.deadline_ms(state)
        assert deadline_ms is None or (due_ms is not None and due_ms <= deadline_ms)
        assert rules.due_ms(rules.settled(state)) == deadline_ms


def test_what_is_kept_of_a_window_does_not_grow():
    rules = RuleSet([parse_rule(data(template, template)) for template in BINARY])
    state = None
    for index in range(200):
        state, _ = rules.observe(state, event("abx"[index % 3], index, index), "c")
    assert len(codec.encode(state)) < 25 + 9 * 2 * len(BINARY)


def test_a_rule_that_ended_leaves_the_times_of_the_others_where_they_are():
    given = [data("coexistence", "R0"), data("response", "R1", within_ms=50)]
    before = RuleSet([parse_rule(rule) for rule in given])
    state, _ = before.observe(None, event("a", 10), "c")
    after = RuleSet([ended_rule(given[0]), parse_rule(given[1])])
    assert after.deadline_ms(after.settled(state)) == 60
    state, findings = after.expire(state, 61)
    assert [(finding.rule.id, finding.time_ms) for finding in findings] == [("R1", 60)]


def test_everything_due_is_missed_in_one_pass_the_earliest_first():
    rules = RuleSet([parse_rule(data("response", f"R{n}", within_ms=40 - n)) for n in range(30)])
    spent = []
    state, _ = rules.observe(None, event("a", 0), "c")
    state, findings = rules.expire(state, 31, spent.append)
    assert [finding.time_ms for finding in findings] == list(range(11, 31))
    assert rules.due_ms(state) == 31
    assert len(spent) == 2 + len(findings)
    assert list(rules.verdicts(state)).count(Verdict.PENDING_VIOLATING) == 10


def test_an_object_whose_deadline_is_to_come_is_not_looked_through():
    rules = RuleSet([parse_rule(data("response", f"R{n}")) for n in range(30)])
    spent = []
    state, _ = rules.observe(None, event("a", 0), "c")
    assert rules.expire(state, 3, spent.append) == (state, [])
    assert len(spent) == 1
