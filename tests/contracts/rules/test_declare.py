"""DECLARE against a second implementation that looks at whole traces, and at all that may still come."""

from __future__ import annotations

from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from coseal.contracts.rules import declare
from coseal.contracts.rules.declare import BINARY, COUNTING, TEMPLATES, UNARY
from coseal.contracts.rules.facts import Event
from coseal.contracts.rules.monitor import RuleSet
from coseal.contracts.rules.rule import parse_rule
from coseal.contracts.rules.verdict import Verdict


def rule(template, **fields):
    binary = {"b": "b"} if template in BINARY else {}
    return parse_rule({"id": "R", "kind": "declare", "template": template, "a": "a", **binary, **fields})


def event(kind, index=0, time_ms=0, **fields):
    item = {"event": f"e{index}", "type": kind, "time": "2026-01-01T00:00:00Z", "objects": [["case", "c"]], **fields}
    return Event(item, time_ms, "m/s", index + 1, 1, time_ms)


def run(rules, kinds):
    state, found = None, []
    for index, kind in enumerate(kinds):
        state, findings = rules.observe(state, event(kind, index), "c")
        found += findings
    return state, found


# The second implementation: what each template says of a whole trace


def followed(trace, i, b, stop=()):
    for kind in trace[i + 1 :]:
        if kind == b:
            return True
        if kind in stop:
            return False
    return False


def preceded(trace, i, a, stop=()):
    return followed(trace[::-1], len(trace) - 1 - i, a, stop)


def at(trace, kind):
    return [i for i, other in enumerate(trace) if other == kind]


HOLDS = {
    "existence": lambda t, n: t.count("a") >= n,
    "absence": lambda t, n: t.count("a") < n,
    "exactly_one": lambda t, n: t.count("a") == n,
    "init": lambda t, n: t[:1] == ["a"],
    "end": lambda t, n: t[-1:] == ["a"],
    "responded_existence": lambda t, n: "a" not in t or "b" in t,
    "coexistence": lambda t, n: ("a" in t) == ("b" in t),
    "noncoexistence": lambda t, n: not ("a" in t and "b" in t),
    "response": lambda t, n: all(followed(t, i, "b") for i in at(t, "a")),
    "precedence": lambda t, n: all(preceded(t, i, "a") for i in at(t, "b")),
    "succession": lambda t, n: HOLDS["response"](t, n) and HOLDS["precedence"](t, n),
    "altresponse": lambda t, n: all(followed(t, i, "b", ("a",)) for i in at(t, "a")),
    "altprecedence": lambda t, n: all(preceded(t, i, "a", ("b",)) for i in at(t, "b")),
    "altsuccession": lambda t, n: HOLDS["altresponse"](t, n) and HOLDS["altprecedence"](t, n),
    "chainresponse": lambda t, n: all(t[i + 1 : i + 2] == ["b"] for i in at(t, "a")),
    "chainprecedence": lambda t, n: all(i > 0 and t[i - 1] == "a" for i in at(t, "b")),
    "chainsuccession": lambda t, n: HOLDS["chainresponse"](t, n) and HOLDS["chainprecedence"](t, n),
}
LONGER = [list(more) for size in range(5) for more in product("abx", repeat=size)]


def expected(template, trace, n=1):
    """Return the verdict of RV-LTL: by the trace, and by every longer one."""
    now = HOLDS[template](trace, n)
    outcomes = {HOLDS[template](trace + more, n) for more in LONGER}
    if outcomes == {True}:
        return Verdict.SATISFIED
    if outcomes == {False}:
        return Verdict.VIOLATED
    return Verdict.PENDING if now else Verdict.PENDING_VIOLATING


def test_every_template_has_a_second_implementation():
    assert set(HOLDS) == set(TEMPLATES)


@pytest.mark.parametrize("template", TEMPLATES)
def test_a_verdict_is_what_the_trace_and_all_that_may_come_say(template):
    rules = RuleSet([rule(template)])
    for size in range(5):
        for trace in product("abx", repeat=size):
            state, _ = run(rules, trace)
            assert rules.verdicts(state)[0] == expected(template, list(trace)), trace


@pytest.mark.parametrize("template", COUNTING)
@pytest.mark.parametrize("n", [2, 3])
def test_a_count_is_counted(template, n):
    rules = RuleSet([rule(template, n=n)])
    for count in range(n + 2):
        state, _ = run(rules, ["x", *["a"] * count])
        assert rules.verdicts(state)[0] == expected(template, ["x", *["a"] * count], n)


@given(st.lists(st.sampled_from("abxy"), max_size=12))
@settings(deadline=None, max_examples=150)
def test_all_rules_together_say_what_each_says_alone(kinds):
    everything = [rule(template) for template in TEMPLATES]
    state, found = run(RuleSet(everything), kinds)
    together = RuleSet(everything).verdicts(state)
    trace = ["x" if kind == "y" else kind for kind in kinds]
    assert together == tuple(expected(template, trace) for template in TEMPLATES)
    broken = [index for index, verdict in enumerate(together) if verdict == Verdict.VIOLATED]
    assert len(found) == len(broken)


@pytest.mark.parametrize("template", sorted({*BINARY, "init", "absence", "exactly_one"}))
def test_a_finding_names_the_event_that_broke_the_rule_and_comes_once(template):
    rules = RuleSet([rule(template)])
    for size in range(1, 5):
        for trace in product("abx", repeat=size):
            verdicts = [expected(template, list(trace[:end])) for end in range(1, size + 1)]
            _, found = run(rules, trace)
            if Verdict.VIOLATED in verdicts:
                assert [finding.event for finding in found] == [f"e{verdicts.index(Verdict.VIOLATED)}"]
                assert str(found[0].reason)
            else:
                assert not found


def test_an_event_that_misses_its_condition_is_an_event_of_another_type():
    rules = RuleSet([rule("chainresponse", target="e.attributes.ok == true")])
    bad, good = ({"ok": ok} for ok in (False, True))
    state, _ = rules.observe(None, event("a", 0), "c")
    _, found = rules.observe(state, event("b", 1, attributes=bad), "c")
    assert [finding.verdict for finding in found] == [Verdict.VIOLATED]
    state, found = rules.observe(state, event("b", 1, attributes=good), "c")
    assert not found
    assert rules.verdicts(state) == (Verdict.PENDING,)


@pytest.mark.parametrize(
    ("template", "kind", "verdict"),
    [
        ("response", "a", Verdict.PENDING),
        ("precedence", "b", Verdict.PENDING),
        ("existence", "a", Verdict.PENDING_VIOLATING),
        ("init", "a", Verdict.VIOLATED),
        ("end", "a", Verdict.PENDING_VIOLATING),
        ("coexistence", "a", Verdict.PENDING),
    ],
)
def test_the_activation_condition_is_about_the_event_that_obliges(template, kind, verdict):
    rules = RuleSet([rule(template, activation="e.attributes.amount > 100")])
    state, _ = rules.observe(None, event(kind, attributes={"amount": 100}), "c")
    assert rules.verdicts(state) == (verdict,)


def test_a_condition_without_a_value_is_undetermined_for_good():
    rules = RuleSet([rule("response", activation="e.attributes.amount > 100")])
    state, found = rules.observe(None, event("a"), "c")
    assert [(finding.verdict, "amount" in str(finding.reason)) for finding in found] == [(Verdict.UNDETERMINED, True)]
    state, found = rules.observe(state, event("b", 1), "c")
    state, more = rules.observe(state, event("a", 2), "c")
    assert not found
    assert not more
    assert rules.verdicts(state) == (Verdict.UNDETERMINED,)


def test_states_fit_the_codes_that_are_final():
    for template in (*UNARY, *BINARY):
        automaton = declare.automaton(template, "a", "b" if template in BINARY else "", declare.MAX_N, {})
        for table in automaton.tables.values():
            assert table[254] == 254
            assert table[255] == 255
