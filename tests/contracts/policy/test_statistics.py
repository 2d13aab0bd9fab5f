from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from coseal.contracts.kernel.overlay import Overlay
from coseal.contracts.policy.instrument import status_of
from coseal.contracts.policy.statistics import DIMENSIONS, PAGE_VALUES, recount, statistics, values_of

NAMES = st.sampled_from(["a", "b", "a/b", "c"])
EVENTS = st.fixed_dictionaries(
    {"action": st.sampled_from(["proposed", "passed", "amended", "effective", "repealed"])}, optional={"issuer": NAMES}
)
FIELDS = st.fixed_dictionaries(
    {"id": st.sampled_from("xyz"), "origin": st.sampled_from(["live", "recorded"]), "events": st.lists(EVENTS)},
    optional={
        "date_publication": st.sampled_from(["2017", "2017-09", "2018-01-01"]),
        "date_document": st.sampled_from(["2016", "2017-08-31"]),
        "is_about": st.lists(NAMES, unique=True),
        "passed_by": st.lists(NAMES, unique=True),
        "level": st.sampled_from(["central", "municipal"]),
        "type_document": NAMES,
        "findings": st.lists(st.builds(lambda code: {"code": code, "detail": ""}, NAMES)),
    },
)


def empty():
    return Overlay(lambda key: None)


@settings(deadline=None)
@given(st.lists(FIELDS, max_size=12))
def test_the_counters_are_what_a_naive_recount_gives(forms):
    view, register = empty(), {}
    for fields in forms:
        after = {**fields, "status": status_of(fields)}
        recount(view, register.get(after["id"]), after)
        register[after["id"]] = after
    for by in DIMENSIONS:
        expected = Counter()
        for entry in register.values():
            for (dimension, value), figure in values_of(entry).items():
                if dimension == by:
                    expected[value] += figure
        assert statistics(view, by) == dict(expected)


def test_an_instrument_counts_by_what_it_says_or_as_unstated():
    bare = {"id": "x", "origin": "recorded", "status": "recorded", "events": []}
    assert values_of(bare) == {
        ("year", "undated"): 1,
        ("area", "unstated"): 1,
        ("issuer", "unstated"): 1,
        ("level", "unstated"): 1,
        ("type_document", "unstated"): 1,
        ("origin", "recorded"): 1,
    }
    assert values_of(None) == values_of({**bare, "status": "proposed"}) == {}
    assert ("year", "2017") in values_of({**bare, "date_publication": "2017-09", "date_document": "2016"})
    assert ("year", "2016") in values_of({**bare, "date_document": "2016"})


def test_values_are_listed_once_on_pages_of_fixed_size():
    view = empty()
    for n in range(2 * PAGE_VALUES + 1):
        entry = {"id": "x", "origin": "live", "status": "passed", "events": [], "is_about": [f"area {n:03}"]}
        recount(view, None, entry)
        recount(view, entry, {**entry, "is_about": []})
        recount(view, {**entry, "is_about": []}, entry)
    assert view.get("policy/statistics/area") == {"count": 2 * PAGE_VALUES + 2}  # "unstated" among them
    assert [len(view.get(f"policy/statistics/area/page/{page}")) for page in range(3)] == [PAGE_VALUES, PAGE_VALUES, 2]
    assert statistics(view, "area") == {f"area {n:03}": 1 for n in range(2 * PAGE_VALUES + 1)}
    assert view.get("policy/statistics/area/value/unstated") == 0


def test_an_act_touches_the_counters_it_changes_and_no_others():
    view = empty()
    entry = {"id": "x", "origin": "live", "status": "passed", "events": [{"action": "passed"}], "is_about": ["a"]}
    recount(view, None, entry)
    writes = Overlay(lambda key: view.updates().get(key))
    recount(writes, entry, {**entry, "events": [{"action": "passed"}, {"action": "amended"}]})
    assert sorted(writes.updates()) == [
        b"policy/statistics/action",
        b"policy/statistics/action/page/0",
        b"policy/statistics/action/value/amended",
    ]


def test_an_unknown_dimension_is_a_mistake_of_the_caller():
    with pytest.raises(ValueError, match="expected one of year"):
        statistics(empty(), "month")
