"""Plans: what an event concerns in a set of rules, whatever else there is in it."""

from __future__ import annotations

from coseal.contracts.rules.draft import Layout
from coseal.contracts.rules.plan import NO_PLAN, Plans
from coseal.contracts.rules.rule import parse_rules


def plans_of(*data):
    rules = parse_rules([{"id": f"R{index}", **entry} for index, entry in enumerate(data)], None)
    return Plans(rules, Layout(rules), figures=False)


def test_what_an_event_costs_does_not_depend_on_rules_it_does_not_concern():
    few = plans_of({"kind": "declare", "template": "response", "a": "a", "b": "b"})
    many = plans_of(
        {"kind": "declare", "template": "response", "a": "a", "b": "b"},
        *({"kind": "declare", "template": "chainsuccession", "a": f"a{n}", "b": f"b{n}"} for n in range(100)),
    )
    for plans in (few, many):
        plan = plans.of(False, "", "a", 0, 0)
        assert len(plan.tables) + len(plan.steps) == 1


def test_only_what_waits_for_the_very_next_event_is_touched_by_others():
    plans = plans_of(
        *({"kind": "declare", "template": "chainresponse", "a": f"a{n}", "b": f"b{n}"} for n in range(100)),
    )
    assert len(plans.of(False, "a3", "z", 0, 0).tables) == 1
    assert len(plans.of(False, "a3", "b4", 0, 0).tables) == 2
    assert len(plans.of(False, "", "z", 0, 0).tables) == 0


def test_types_that_no_rule_names_share_one_plan():
    plans = plans_of({"kind": "declare", "template": "response", "a": "a", "b": "b"})
    made = {id(plans.of(first, "", f"x{index}", 0, 0)) for index in range(50) for first in (True, False)}
    assert made == {id(NO_PLAN)}
    assert len(plans._plans) == 2  # of a first event, and of all others
