"""Rules over related objects: what they say of a log, what they refuse, their bounds; an oracle looks at whole logs."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from coseal.contracts.process.types import normalised
from coseal.contracts.rules.errors import RuleError
from coseal.contracts.rules.related import (
    ALL,
    ANY,
    COUNT,
    EACH,
    LOOK_STEPS,
    MAX_IDS_BYTES,
    MAX_RELATED,
    MAX_TOGETHER,
    Known,
    earlier,
    fulfilled,
)
from coseal.contracts.rules.rule import MAX_COST, names_of, parse_rule, parse_rules
from coseal.contracts.rules.rule_tests import check_rules, failed_tests
from coseal.contracts.rules.trial import try_rules
from coseal.contracts.rules.verdict import Verdict
from coseal.formats.importers.mapping import load_mapping
from coseal.formats.importers.reader import read_log
from tests.contracts.rules.related_oracle import judged
from tests.reference import reference

DEFINITION = normalised(
    {
        "id": "p",
        "version": 1,
        "title": "P",
        "object_types": {"order": {}, "item": {"attributes": {"status": "string"}}, "truck": {}},
        "event_types": {"pack": {"attributes": {"amount": "integer"}}, "ship": {}, "other": {}},
        "late_ms": 1_000,
    }
)
TIME = "2026-01-01T00:00:00Z"
PACKED = {"on": ["ship"], "over": {"type": "item", "by": "relation"}, "quantifier": "each", "had": "pack"}


def rule(name="R", **fields):
    scope = {"process_type": "p", "object_type": "order"}
    return {"id": name, "kind": "related", "scope": scope, **PACKED, **fields}


def without(data, *names):
    return {name: value for name, value in data.items() if name not in names}


def event(kind, *objects, **fields):
    return {"event": "e", "type": kind, "time": TIME, "objects": [list(entry) for entry in objects], **fields}


def relation(order, item, qualifier="of"):
    return {"relation": ["order", order], "to": ["item", item], "qualifier": qualifier}


def tried(data, items):
    (row,) = try_rules([parse_rule(data, DEFINITION)], items, DEFINITION).rules
    return {name: verdict.value for verdict, ids in row.cases.items() for name in ids}


def why(data, items):
    """Return the sentence of the only finding."""
    found = failed_tests(parse_rule({**data, "tests": [{"events": items, "verdict": "satisfied"}]}, DEFINITION))
    return str(found[0]) if found else ""


# What it says


def test_every_item_of_an_order_is_packed_before_it_ships():
    related = [relation("o", "a"), relation("o", "b")]
    packed = [event("pack", ("item", "a")), event("pack", ("item", "b"))]
    assert tried(rule(), [*related, *packed, event("ship", ("order", "o"))]) == {"o": "pending"}
    assert tried(rule(), [*related, packed[0], event("ship", ("order", "o")), packed[1]]) == {"o": "violated"}


def test_an_object_that_is_related_later_does_not_matter_to_what_was_judged():
    items = [event("ship", ("order", "o")), relation("o", "a")]
    assert tried(rule(), items) == {"o": "pending"}
    assert tried(rule(), [*items, event("ship", ("order", "o"))]) == {"o": "violated"}


def test_one_event_has_to_name_all():
    every = rule(quantifier="all", over={"type": "item", "by": "item"})
    ship = event("ship", ("order", "o"), ("item", "a"), ("item", "b"))
    apart = [event("pack", ("item", "a")), event("pack", ("item", "b"))]
    assert tried(every, [*apart, ship]) == {"o": "violated"}
    assert tried(every, [*apart, event("pack", ("item", "b"), ("item", "a")), ship]) == {"o": "pending"}


def test_a_condition_over_attributes_is_about_what_they_were():
    good = without(rule(where="r.attributes.status == 'good'"), "had")
    declared = [
        relation("o", "a"),
        {"object": "a", "type": "item", "attributes": [["status", "0", "good"]]},
    ]
    ship, spoilt = (
        event("ship", ("order", "o")),
        {"change": "a", "type": "item", "attributes": [["status", TIME, "bad"]]},
    )
    assert tried(good, [*declared, ship, spoilt]) == {"o": "pending"}
    assert tried(good, [*declared, spoilt, ship]) == {"o": "violated"}
    assert tried(good, [relation("o", "a"), ship]) == {"o": "undetermined"}  # it has no status


def test_more_than_the_bound_is_never_fulfilled():
    related = [relation("o", f"i{n}") for n in range(MAX_RELATED + 1)]
    packed = [event("pack", ("item", f"i{n}")) for n in range(MAX_RELATED + 1)]
    ship = event("ship", ("order", "o"))
    assert tried(rule(), [*related[1:], *packed, ship]) == {"o": "pending"}
    assert tried(rule(), [*related, *packed, ship]) == {"o": "undetermined"}
    assert tried(rule(), [*related, *packed[1:], ship]) == {"o": "violated"}
    assert tried(rule(quantifier="any"), [*related, packed[0], ship]) == {"o": "pending"}
    by_item = rule(over={"type": "item", "by": "item"})
    named = [("item", f"i{n}") for n in range(MAX_RELATED + 1)]
    assert tried(by_item, [*packed, event("ship", ("order", "o"), *named)]) == {"o": "undetermined"}


def test_ids_that_are_too_long_together_are_beyond_the_bound():
    names = [f"{n}".rjust(200, "x") for n in range(MAX_IDS_BYTES // 200 + 1)]
    items = [*(relation("o", name) for name in names[:-1]), event("pack", *(("item", name) for name in names))]
    assert tried(rule(), [*items, event("ship", ("order", "o"))]) == {"o": "pending"}
    assert tried(rule(), [relation("o", names[-1]), *items, event("ship", ("order", "o"))]) == {"o": "undetermined"}


def test_beyond_the_events_that_are_kept_one_may_still_name_all():
    every = rule(quantifier="all", over={"type": "item", "by": "item"})
    ship = event("ship", ("order", "o"), ("item", "a"), ("item", "b"))
    alone = [event("pack", ("item", name)) for name in ("a", "b") for _ in range(MAX_TOGETHER)]
    both = event("pack", ("item", "a"), ("item", "b"))
    assert tried(every, [*alone, ship]) == {"o": "violated"}
    assert tried(every, [*alone, event("pack", ("item", "b")), both, ship]) == {"o": "undetermined"}
    assert tried(every, [both, *alone, ship]) == {"o": "pending"}


# The oracle

ORDERS, ITEMS = ("o1", "o2"), ("a", "b", "c")
_objects = st.lists(
    st.one_of(
        st.tuples(st.just("order"), st.sampled_from(ORDERS)),
        st.tuples(st.just("item"), st.sampled_from(ITEMS), st.sampled_from(("of", "with"))),
    ),
    min_size=1,
    max_size=4,
    unique=True,
)
_kinds = st.sampled_from(("pack", "ship", "other"))
_items = st.one_of(
    st.builds(lambda kind, objects: event(kind, *objects), _kinds, _objects),
    st.builds(
        lambda objects, amount: event("pack", *objects, attributes={"amount": amount}), _objects, st.integers(0, 9)
    ),
    st.builds(relation, st.sampled_from(ORDERS), st.sampled_from(ITEMS), st.sampled_from(("of", "with"))),
    st.builds(
        lambda item, value: {"change": item, "type": "item", "attributes": [["status", TIME, value]]},
        st.sampled_from(ITEMS),
        st.sampled_from(("good", "bad")),
    ),
)
_over = st.builds(
    lambda by, qualifier: {"type": "item", "by": by, **qualifier},
    st.sampled_from(("item", "relation")),
    st.sampled_from(({}, {"qualifier": "of"})),
)
_forms = st.sampled_from(
    (
        {"had": "pack"},
        {"had": "pack", "target": "has(e.attributes.amount) && e.attributes.amount >= 5", "target_amount": 5},
        {"where": "has(r.attributes.status) && r.attributes.status == 'good'"},
    )
)
_counts = st.one_of(
    st.sampled_from(({"quantifier": "each"}, {"quantifier": "any"}, {"quantifier": "all"})),
    st.builds(
        lambda low, more: {"quantifier": "count", "min": low, "max": low + more}, st.integers(0, 2), st.integers(0, 2)
    ),
)


@settings(max_examples=300, deadline=None)
@given(st.lists(_items, max_size=14), _over, _forms, _counts)
def test_an_oracle_that_looks_at_the_whole_log_agrees_case_by_case(log, over, form, count):
    if count["quantifier"] == "all" and "where" in form:
        form = {"had": "pack"}
    log = [{**item, "event": f"e{at}"} if "event" in item else item for at, item in enumerate(log)]
    data = without(rule(over=over, **count), "had")
    assert tried(without({**data, **form}, "target_amount"), log) == judged({**data, **form}, log)


@pytest.mark.parametrize("quantifier", [EACH, ANY, ALL, COUNT])
@given(st.lists(st.booleans(), max_size=4), st.lists(st.booleans(), max_size=4), st.integers(0, 3), st.integers(0, 3))
def test_what_cannot_be_told_could_be_either(quantifier, told, unknown, least, beyond):
    """Say yes or no only if every way to fill what is unknown says so."""
    one = ("s", 1)

    def known(flags):
        return [Known(flag, events=(one,) if flag else ()) for flag in flags]

    most = least + 1
    open_ended = len(unknown) + beyond
    ways = {
        fulfilled(quantifier, least, most, known([*told, *rest]), more=False)
        for rest in itertools.product((False, True), repeat=open_ended)
    }
    doubtful = [Known(None, more=True)] * len(unknown)
    got = fulfilled(quantifier, least, most, [*known(told), *doubtful], more=beyond > 0)
    assert got is None or ways == {got}
    if beyond == 0 and quantifier != ALL:
        assert got == (None if len(ways) > 1 else ways.pop())


def test_the_order_of_two_sources_in_one_block_is_not_known():
    assert earlier((1, "a/s", 9), (2, "b/s", 1)) is True
    assert earlier((2, "a/s", 1), (2, "a/s", 2)) is True
    assert earlier((2, "a/s", 2), (2, "a/s", 2)) is False
    assert earlier((2, "a/s", 1), (2, "b/s", 2)) is None


# What is refused


@pytest.mark.parametrize(
    ("fields", "refusal"),
    [
        ({"over": {"type": "order", "by": "item"}}, ".over.type: expected another object type than the rule's own"),
        (
            {"over": {"type": "lorry", "by": "item"}},
            ".over.type: unknown object type 'lorry'; known: order, item, truck",
        ),
        ({"over": {"type": "item", "by": "event"}}, ".over.by: expected one of item, relation"),
        ({"over": {"type": "item"}}, ".over.by: missing"),
        ({"over": {"type": "item", "by": "item", "more": 1}}, ".over.more: unknown"),
        ({"where": "true"}, ".had: expected one of had, an event, and where, a condition"),
        ({"had": None}, ".had: expected one of had, an event, and where, a condition"),
        ({"had": "ship"}, ".had: expected another activity than those in on"),
        ({"had": "fly"}, ".had: unknown event type 'fly'"),
        ({"on": ["fly"]}, ".on: unknown event type 'fly'"),
        ({"had": None, "where": "true", "target": "true"}, ".target: it is about the event in had; leave it out"),
        ({"had": None, "where": "true", "quantifier": "all"}, ".quantifier: all asks for one event"),
        ({"had": None, "where": "r.attributes.colour == 'red'"}, ".where at character 13"),
        ({"had": None, "where": "r.attributes == {}"}, ".where at character 2: name what is read of r.attributes"),
        ({"had": None, "where": "r.count > 1"}, ".where at character"),
        ({"had": None, "where": " && ".join(["e.objects.exists(x, x.id == r.id)"] * 3)}, "steps, more than"),
        ({"target": "e.attributes.colour == 'red'"}, ".target at character 13"),
        ({"quantifier": "most"}, ".quantifier: expected one of each, any, all, count"),
        ({"min": 1}, ".min: each does not count; min and max are for count"),
        ({"quantifier": "count"}, ".min: expected min of 1 or more, or max"),
        ({"quantifier": "count", "min": 2, "max": 1}, ".max: expected at least min"),
        ({"quantifier": "count", "max": MAX_RELATED + 1}, ".max: expected an integer"),
        ({"effect": "reject"}, ".effect: reject is for guards and shapes"),
        ({"corrections": "keep"}, ".corrections: leave it out: a related rule judges corrected traces"),
        ({"disputed": "leave_out"}, ".disputed: leave it out: a related rule counts disputed events"),
        ({"template": "response"}, ".template: unknown"),
    ],
)
def test_what_cannot_be_is_refused_with_its_place(fields, refusal):
    with pytest.raises(RuleError) as refused:
        parse_rule(rule(**fields), DEFINITION)
    assert refusal in str(refused.value)


def test_the_cost_is_that_of_all_that_may_be_related():
    assert MAX_RELATED * LOOK_STEPS < parse_rule(rule(), DEFINITION).cost < MAX_COST
    simple = parse_rule(without(rule(where="r.attributes.status == 'good'"), "had"), DEFINITION)
    assert parse_rule(rule(), DEFINITION).cost < simple.cost < MAX_COST
    assert names_of(rule()) == (("order", "item"), ("pack", "ship"))


# Tests of a rule


def test_a_test_tells_of_several_objects_and_their_relations():
    items = [
        {"object": "a", "type": "item", "attributes": [["status", "0", "good"]]},
        relation("o", "a"),
        {"type": "ship", "objects": [["order", "o"]]},
    ]
    assert why(rule(), items).endswith("expected satisfied, the rule says violated")
    packed = {"type": "pack", "objects": [["item", "a"]]}
    (done,) = check_rules([{**rule(), "tests": [{"events": [packed, *items], "verdict": "pending"}]}], DEFINITION)
    assert done.errors == ()
    (untyped,) = check_rules([{**rule(), "tests": [{"events": [packed, *items], "verdict": "pending"}]}])
    assert untyped.errors == ()


@pytest.mark.parametrize(
    "entry",
    [
        {"relation": ["order"], "to": ["item", "a"]},
        {"relation": ["order", "o"]},
        {"object": ["a"], "type": "item"},
        {"object": "a"},
        {"object": "a", "type": "item", "attributes": [["status"]]},
        {"type": "ship", "objects": 5},
        {"type": "ship", "objects": [["order"]]},
        {"change": "a", "type": "item", "attributes": 1},
        {"relation": None, "to": None},
    ],
)
@pytest.mark.parametrize("definition", [DEFINITION, None])
def test_what_is_no_item_is_refused_in_a_test(entry, definition):
    (done,) = check_rules([{**rule(), "tests": [{"events": [entry], "verdict": "pending"}]}], definition)
    assert len(done.errors) == 1
    assert str(done.errors[0]).startswith("[0].tests[0].events[0]")


# A public log

PUBLIC = {  # each rule, and how many objects it is violated on
    "PICKED": ("packages", "send package", "contains", {"quantifier": "each", "had": "pick item"}, 0),
    "IN-STOCK": (
        "orders",
        "payment reminder",
        "comprises",
        {"quantifier": "count", "max": 3, "had": "item out of stock"},
        8,
    ),
    "ALL-AT-HAND": ("orders", "payment reminder", "comprises", {"quantifier": "each", "had": "pick item"}, 998),
    "SOME-AT-HAND": ("orders", "payment reminder", None, {"quantifier": "any", "had": "pick item"}, 110),
}


def expected(log, kind, on, qualifier, form):
    """Return the objects on which the first event ``on`` that a rule concerns breaks it, from whole lists."""
    first, related, broken = {}, {}, set()
    for at, item in enumerate(log):
        if "relation" in item and qualifier in (None, item["qualifier"]) and item["to"][0] == "items":
            related.setdefault(tuple(item["relation"]), []).append(item["to"][1])
        if item.get("type") == form["had"]:
            for _, name, _ in item["objects"]:
                first.setdefault(name, at)
    for at, item in enumerate(log):
        for me in {
            (entry[0], entry[1]) for entry in item.get("objects", ()) if entry[0] == kind and item["type"] == on
        }:
            had = [first.get(name, at) < at for name in related.get(me, ())]
            kept = {"each": all(had), "any": any(had), "count": sum(had) <= form.get("max", 0)}
            broken |= set() if kept[form["quantifier"]] else {me[1]}
    return broken


def test_a_public_log_has_the_findings_of_an_oracle():
    path = reference("ocel2/order-management.sqlite")
    log = read_log(path, load_mapping(None, path, "+01:00"))
    data = []
    for name, (kind, on, qualifier, form, _) in PUBLIC.items():
        over = {"type": "items", "by": "relation", **({"qualifier": qualifier} if qualifier else {})}
        scope = {"object_type": kind}
        data.append({"id": name, "kind": "related", "scope": scope, "on": [on], "over": over, **form})
    definition = normalised(log.definition)
    result = try_rules(parse_rules(data, definition), log.items, definition, zone_minutes=60)
    figures = {}
    for row, (kind, on, qualifier, form, _) in zip(result.rules, PUBLIC.values(), strict=True):
        broken = set(row.cases[Verdict.VIOLATED])
        assert broken == expected(log.items, kind, on, qualifier, form)
        assert not row.cases[Verdict.UNDETERMINED]
        figures[row.rule.id] = len(broken)
    assert figures == {name: count for name, (*_, count) in PUBLIC.items()}
