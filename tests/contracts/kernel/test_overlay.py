from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from coseal.contracts.kernel.overlay import CommittedReader, Overlay
from coseal.ledger import codec

KEYS = st.sampled_from(["a", "b", "c"])
WRITES = st.lists(st.tuples(KEYS, st.one_of(st.none(), st.integers(0, 9))), max_size=6)
STEPS = st.lists(st.tuples(WRITES, st.booleans()), max_size=8)
COMMITTED = st.dictionaries(KEYS, st.integers(10, 19))


def over(committed):
    return Overlay(lambda key: codec.encode(committed[key.decode()]) if key.decode() in committed else None)


@settings(deadline=None)
@given(COMMITTED, STEPS)
def test_an_overlay_behaves_like_a_dict_that_is_copied_before_each_transaction(committed, steps):
    view, model = over(committed), dict(committed)
    for writes, accepted in steps:
        before = dict(model)
        for key, value in writes:
            if value is None:
                view.delete(key)
                model.pop(key, None)
            else:
                view.put(key, value)
                model[key] = value
            assert view.get(key) == model.get(key)
        if accepted:
            view.mark()
        else:
            view.rollback()
            model = before
    assert {key: view.get(key) for key in "abc"} == {key: model.get(key) for key in "abc"}
    after = dict(committed)
    for raw_key, raw in view.updates().items():
        if raw is None:
            after.pop(raw_key.decode(), None)
        else:
            after[raw_key.decode()] = codec.decode(raw)
    assert after == model


def test_a_rollback_leaves_no_trace_in_the_updates():
    view = over({"a": 1})
    view.put("a", 2)
    view.delete("b")
    view.rollback()
    assert view.updates() == {}
    assert not view.wrote("a")


def test_none_is_no_value():
    with pytest.raises(ValueError, match="delete the key"):
        over({}).put("a", None)


def test_wrote_asks_for_a_prefix():
    view = over({})
    view.put("membership/member/a", 1)
    assert view.wrote("membership/")
    assert not view.wrote("policy/")


def test_a_committed_reader_shows_the_newest_value():
    values = {b"a": codec.encode(1)}
    reader = CommittedReader(values.get)
    assert (reader.get("a"), reader.get("b")) == (1, None)
    values[b"a"] = codec.encode([2])
    assert reader.get("a") == [2]
