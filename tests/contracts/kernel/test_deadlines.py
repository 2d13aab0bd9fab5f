from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from coseal.contracts.kernel import deadlines
from coseal.contracts.kernel.deadlines import BLOCK_CLOCK, PAGE_ENTRIES
from coseal.contracts.kernel.overlay import Overlay


def index() -> Overlay:
    return Overlay(lambda key: None)


def take(view: Overlay, clock: str, until_ms: int, limit: int) -> list:
    """Take up to ``limit`` entries."""
    taken = []
    while len(taken) < limit and (entry := deadlines.take(view, "c", clock, until_ms)) is not None:
        taken.append(entry)
    return taken


def test_what_is_due_comes_earliest_first_and_once():
    view = index()
    for time_ms in (30, 10, 20, 10):
        deadlines.add(view, "c", BLOCK_CLOCK, time_ms, ["t", time_ms])
    assert deadlines.earliest_ms(view, "c", BLOCK_CLOCK) == 10
    assert take(view, BLOCK_CLOCK, 20, 10) == [["t", 10], ["t", 10], ["t", 20]]
    assert take(view, BLOCK_CLOCK, 29, 10) == []
    assert deadlines.earliest_ms(view, "c", BLOCK_CLOCK) == 30


def test_clocks_do_not_see_each_other():
    view = index()
    deadlines.add(view, "c", "bank-a/log", 10, ["a"])
    deadlines.add(view, "c", "bank-a/lo", 11, ["b"])
    assert deadlines.earliest_ms(view, "c", BLOCK_CLOCK) is None
    assert take(view, "bank-a/log", 100, 5) == [["a"]]
    assert take(view, "bank-a/lo", 100, 5) == [["b"]]


def test_contracts_have_an_index_each():
    view = index()
    deadlines.add(view, "c", BLOCK_CLOCK, 10, ["a"])
    deadlines.add(view, "d", BLOCK_CLOCK, 5, ["b"])
    assert deadlines.earliest_ms(view, "c", BLOCK_CLOCK) == 10
    assert deadlines.take(view, "c", BLOCK_CLOCK, 20) == ["a"]
    assert deadlines.take(view, "d", BLOCK_CLOCK, 20) == ["b"]


def test_an_empty_index_leaves_no_key():
    view = index()
    for number in range(3 * PAGE_ENTRIES):
        deadlines.add(view, "c", BLOCK_CLOCK, 7, [number])
    deadlines.add(view, "c", BLOCK_CLOCK, -62_135_596_800_000, ["the year 1"])
    deadlines.add(view, "c", BLOCK_CLOCK, 2**60, ["beyond all dates"])
    assert len(take(view, BLOCK_CLOCK, 2**60, 1_000)) == 3 * PAGE_ENTRIES + 2
    assert [value for value in view.updates().values() if value is not None] == []


def test_a_crowded_moment_is_taken_in_bounded_steps():
    view = index()
    for number in range(200):
        deadlines.add(view, "c", BLOCK_CLOCK, 7, [number])
    seen = [entry[0] for _ in range(4) for entry in take(view, BLOCK_CLOCK, 7, 50)]
    assert sorted(seen) == list(range(200))
    assert take(view, BLOCK_CLOCK, 7, 50) == []


def test_adding_costs_the_same_however_full_the_index_is():
    view = index()
    for number in range(2_000):
        deadlines.add(view, "c", BLOCK_CLOCK, 1_700_000_000_000 + 977 * number, [number])
    view.mark()
    before = len(view._undo)
    deadlines.add(view, "c", BLOCK_CLOCK, 1_700_000_000_000 + 977 * 3_000, ["one more"])
    assert len(view._undo) - before <= 10


@settings(deadline=None, max_examples=100)
@given(
    st.lists(
        st.one_of(
            st.tuples(st.just("add"), st.integers(-(2**40), 2**44)),
            st.tuples(st.just("add"), st.integers(0, 3)),
            st.tuples(st.just("take"), st.integers(-(2**40), 2**44), st.integers(1, 5)),
        ),
        max_size=60,
    )
)
def test_the_index_equals_a_sorted_list(steps):
    view, model, times = index(), [], {}
    for number, step in enumerate(steps):
        if step[0] == "add":
            deadlines.add(view, "c", BLOCK_CLOCK, step[1], [number])
            times[number] = step[1]
            model.append((step[1], [number]))
        else:
            taken = take(view, BLOCK_CLOCK, step[1], step[2])
            due = sorted(time_ms for time_ms, _ in model if time_ms <= step[1])
            assert [times[number] for (number,) in taken] == due[: step[2]]
            for entry in taken:
                model.remove((times[entry[0]], entry))
        earliest = min((time_ms for time_ms, _ in model), default=None)
        assert deadlines.earliest_ms(view, "c", BLOCK_CLOCK) == earliest
