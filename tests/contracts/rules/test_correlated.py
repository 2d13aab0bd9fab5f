"""DECLARE with data against a second implementation that compares every event with every other."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from coseal.contracts.rules.correlated import MAX_KEPT, MAX_KEPT_CHARACTERS, PRECEDING
from coseal.contracts.rules.declare import BINARY
from coseal.contracts.rules.facts import Event
from coseal.contracts.rules.monitor import MAX_EXPIRED, RuleSet
from coseal.contracts.rules.rule import parse_rule
from coseal.contracts.rules.verdict import Verdict
from coseal.ledger import codec

SAME_KEY = "a.attributes.key == t.attributes.key"


def rule(template, **fields):
    data = {"id": "R", "kind": "declare", "template": template, "a": "a", "b": "b", **fields}
    return parse_rule(data)


def event(kind, key, time_ms, index=0):
    item = {"event": f"e{index}", "type": kind, "time": "", "objects": [["case", "c"]], "attributes": {"key": key}}
    return Event(item, time_ms, "m/s", index + 1, 1, time_ms)


def run(rules, rows):
    state, found = None, []
    for index, (kind, key, time_ms) in enumerate(rows):
        state, findings = rules.observe(state, event(kind, key, time_ms, index), "c")
        found += findings
    return state, found


# The second implementation: (kind, key, time) rows in ledger order


def matches(rows, i, j, correlated, within):
    first, second = sorted((i, j))
    if within is not None and rows[second][2] - rows[first][2] > within:
        return False
    return not correlated or rows[i][1] == rows[j][1]


def follow(rows, activation, target, mode, correlated, within):
    for i in (i for i, row in enumerate(rows) if row[0] == activation):
        good = False
        for j in range(i + 1, len(rows)):
            if rows[j][0] == target and matches(rows, i, j, correlated, within):
                good = True
            if good or mode == "chain" or (mode == "alternate" and rows[j][0] == activation):
                break
        if not good:
            return False
    return True


def precede(rows, activation, target, mode, correlated, within):
    for i in (i for i, row in enumerate(rows) if row[0] == activation):
        good = False
        for j in reversed(range(i)):
            if rows[j][0] == target and matches(rows, i, j, correlated, within):
                good = True
            if good or mode == "chain" or (mode == "alternate" and rows[j][0] == activation):
                break
        if not good:
            return False
    return True


def answer(rows, activation, target, correlated, within):
    return all(
        any(row[0] == target and matches(rows, i, j, correlated, within) for j, row in enumerate(rows))
        for i in (i for i, row in enumerate(rows) if row[0] == activation)
    )


def holds(template, rows, *how):
    mode = "alternate" if template.startswith("alt") else "chain" if template.startswith("chain") else ""
    core = template.removeprefix("alt").removeprefix("chain")
    if core == "response":
        return follow(rows, "a", "b", mode, *how)
    if core == "precedence":
        return precede(rows, "b", "a", mode, *how)
    if core == "succession":
        return follow(rows, "a", "b", mode, *how) and precede(rows, "b", "a", mode, *how)
    if core == "responded_existence":
        return answer(rows, "a", "b", *how)
    if core == "coexistence":
        return answer(rows, "a", "b", *how) and answer(rows, "b", "a", *how)
    return not any(
        {rows[i][0], rows[j][0]} == {"a", "b"} and matches(rows, i, j, *how) for i in range(len(rows)) for j in range(i)
    )


ROWS = st.lists(st.tuples(st.sampled_from("aabbx"), st.integers(0, 2), st.integers(0, 12)), max_size=9)


@pytest.mark.parametrize("within", [None, 3])
@pytest.mark.parametrize("correlated", [False, True])
@pytest.mark.parametrize("template", BINARY)
@given(rows=ROWS)
@settings(deadline=None, max_examples=60)
def test_a_case_deviates_at_the_end_as_every_pair_of_events_says(template, correlated, within, rows):
    fields = {"correlation": SAME_KEY} if correlated else {}
    if within is not None:
        fields["within_ms"] = within
    rules = RuleSet([rule(template, **fields)])
    state, found = run(rules, rows)
    verdict = rules.verdicts(state)[0]
    deviates = verdict in (Verdict.VIOLATED, Verdict.PENDING_VIOLATING)
    assert deviates is not holds(template, rows, correlated, within)
    assert len(found) == (verdict == Verdict.VIOLATED)
    assert all(map(str, (finding.reason for finding in found)))
    assert state is None or codec.decode(codec.encode(state)) == state
    if within is not None and state is not None:
        state, found = rules.expire(state, 1_000)
        assert rules.verdicts(state)[0] == (Verdict.VIOLATED if deviates else Verdict.PENDING)
        assert len(found) == (verdict == Verdict.PENDING_VIOLATING)


DAY = 86_400_000


@pytest.mark.parametrize(
    ("template", "kinds", "why"),
    [
        ("noncoexistence", "ab", "a and b occurred within 60 days of each other"),
        ("precedence", "b", "b without a in the 60 days before it"),
        ("succession", "b", "b without a in the 60 days before it"),
        ("altresponse", "aa", "a again before b within 60 days"),
        ("altprecedence", "abb", "b without a since the last b and in the 60 days before it"),
        ("altsuccession", "aa", "a and b do not alternate within 60 days"),
        ("chainresponse", "ax", "a is not followed at once by b within 60 days"),
        ("chainprecedence", "axb", "b does not follow at once, and within 60 days, upon a"),
        ("chainsuccession", "ax", "a and b do not follow at once upon each other within 60 days"),
        ("response", "a", "a without b in the 60 days after it"),
        ("succession", "a", "a without b in the 60 days after it"),
        ("responded_existence", "a", "a without b in the 60 days before or after it"),
        ("coexistence", "b", "b without a in the 60 days before or after it"),
    ],
)
def test_a_finding_says_on_which_side_of_an_event_the_window_lies(template, kinds, why):
    rules = RuleSet([rule(template, within_ms=60 * DAY)])
    state, found = run(rules, [(kind, 0, index) for index, kind in enumerate(kinds)])
    if not found:
        _, found = rules.expire(state, 61 * DAY)
    assert [str(finding.reason) for finding in found] == [why]


def test_a_finding_says_that_a_correlation_was_to_be_matched():
    _, found = run(RuleSet([rule("precedence", correlation=SAME_KEY)]), [("a", 1, 0), ("b", 2, 1)])
    assert [str(finding.reason) for finding in found] == ["b without a matching a before it"]


def test_a_deadline_is_missed_once_the_clock_is_past_it():
    rules = RuleSet([rule("response", within_ms=10)])
    state, _ = run(rules, [("a", 0, 100), ("a", 0, 105)])
    assert rules.deadline_ms(state) == 110
    same, found = rules.expire(state, 110)
    assert (same, found) == (state, [])
    state, found = rules.expire(state, 111)
    assert [(finding.event, finding.time_ms, str(finding.reason)) for finding in found] == [
        ("", 110, "a without b in the 10 ms after it")
    ]
    assert rules.deadline_ms(state) is None
    assert rules.verdicts(state) == (Verdict.VIOLATED,)


def test_a_target_in_time_clears_the_deadline_and_a_late_one_does_not():
    rules = RuleSet([rule("response", within_ms=10)])
    state, _ = run(rules, [("a", 0, 100), ("b", 0, 110)])
    assert rules.deadline_ms(state) is None
    state, _ = run(rules, [("a", 0, 100), ("b", 0, 111)])
    assert rules.deadline_ms(state) == 110


def test_a_target_that_was_recorded_late_but_occurred_in_time_counts():
    rules = RuleSet([rule("response", within_ms=10)])
    state, _ = run(rules, [("a", 0, 100), ("x", 0, 150), ("b", 0, 110)])
    assert rules.verdicts(state) == (Verdict.PENDING,)


def test_of_the_precedence_templates_the_activation_is_b():
    for template in PRECEDING:
        rules = RuleSet([rule(template, correlation="a.type == 'b' && t.type == 'a'")])
        state, found = run(rules, [("a", 0, 0), ("b", 0, 1)])
        assert not found
        assert rules.verdicts(state) == (Verdict.PENDING,)


def test_of_all_others_the_activation_is_a():
    for template in set(BINARY) - PRECEDING - {"noncoexistence"}:
        rules = RuleSet([rule(template, correlation="a.type == 'a' && t.type == 'b'")])
        state, found = run(rules, [("a", 0, 0), ("b", 0, 1)])
        assert not found
        assert rules.verdicts(state) == (Verdict.PENDING,)


def test_one_open_activation_more_than_is_kept_is_undetermined():
    rules = RuleSet([rule("response", correlation=SAME_KEY)])
    rows = [("a", key, key) for key in range(MAX_KEPT)]
    state, found = run(rules, rows)
    assert not found
    assert rules.verdicts(state) == (Verdict.PENDING_VIOLATING,)
    again, found = rules.observe(state, event("a", 0, 99), "c")
    assert not found
    assert again[1] == state[1]
    state, found = rules.observe(state, event("a", MAX_KEPT, 99), "c")
    assert [finding.verdict for finding in found] == [Verdict.UNDETERMINED]
    assert rules.verdicts(state) == (Verdict.UNDETERMINED,)
    assert state[1] == []


def test_what_is_kept_of_an_event_is_bounded():
    rules = RuleSet([rule("response", correlation=SAME_KEY)])
    long = ["x" * 40] * (MAX_KEPT_CHARACTERS // 32)
    assert not run(rules, [("a", long[2:], 0)])[1]
    _, found = run(rules, [("a", long, 0)])
    assert [finding.verdict for finding in found] == [Verdict.UNDETERMINED]


def test_only_what_the_correlation_reads_is_kept():
    rules = RuleSet([rule("response", correlation="a.attributes.key == t.attributes.key && a.time < t.time")])
    state, _ = run(rules, [("a", 7, 100)])
    assert state[1] == [[0, [[[[100, {"time": {"ms": 100}, "attributes": {"key": 7}}]], []]]]]


def test_a_correlation_without_a_value_is_undetermined_unless_another_event_decides():
    rules = RuleSet([rule("precedence", correlation="a.attributes.key > t.attributes.key")])
    state, found = run(rules, [("a", "text", 0), ("a", 1, 1), ("b", 2, 2)])
    assert not found
    _, found = rules.observe(state, event("b", 0, 3), "c")
    assert [finding.verdict for finding in found] == [Verdict.UNDETERMINED]


@pytest.mark.parametrize("key", ["k" * 33, "\u4e2d" * 2_000, "\U0001d54a" * 4_096])
def test_of_a_long_text_the_digest_is_kept_and_equals_it(key):
    rules = RuleSet([rule("precedence", correlation=SAME_KEY)])
    state, _ = run(rules, [("a", key, 0), ("a", key, 1), ("a", key + "x", 2)])
    assert len(codec.encode(state)) < 250
    assert not rules.observe(state, event("b", key, 3), "c")[1]
    _, found = rules.observe(state, event("b", key[:-1], 3), "c")
    assert [finding.verdict for finding in found] == [Verdict.VIOLATED]


@pytest.mark.parametrize(
    ("correlation", "verdict"),
    [
        ("t.attributes.key != a.attributes.key", None),
        ("t.attributes.key in [a.attributes.key, 'other']", Verdict.VIOLATED),
        (f"t.attributes.key == '{'k' * 40}'", None),
        (f"'{'k' * 41}' == t.attributes.key", Verdict.VIOLATED),
        (f"[t.attributes.key] == ['{'k' * 40}']", None),
        ("size(t.attributes.key) == 40", Verdict.UNDETERMINED),
        ("t.attributes.key.startsWith('k')", Verdict.UNDETERMINED),
        ("t.attributes.key + 'x' == 'x'", Verdict.UNDETERMINED),
        ("t.attributes.key < 'z'", Verdict.UNDETERMINED),
        ("t.attributes.key in {'a': 1}", Verdict.UNDETERMINED),
    ],
)
def test_what_was_kept_as_its_digest_can_be_compared_and_nothing_else(correlation, verdict):
    state, _ = run(RuleSet([rule("precedence", correlation=correlation)]), [("a", "k" * 40, 0)])
    _, found = RuleSet([rule("precedence", correlation=correlation)]).observe(state, event("b", "l" * 40, 3), "c")
    assert [finding.verdict for finding in found] == ([] if verdict is None else [verdict])


def test_an_object_with_many_missed_obligations_is_worked_off_bit_by_bit():
    many = [parse_rule({**rule("response", within_ms=10).data, "id": f"R{n}"}) for n in range(MAX_EXPIRED + 5)]
    rules = RuleSet(many)
    state, _ = run(rules, [("a", 0, 0)])
    state, found = rules.expire(state, 1_000)
    assert len(found) == MAX_EXPIRED
    assert rules.deadline_ms(state) == 10
    state, found = rules.expire(state, 1_000)
    assert len(found) == 5
    assert rules.deadline_ms(state) is None
