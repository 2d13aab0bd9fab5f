"""Medians, spreads, and how often a row is run."""

from __future__ import annotations

from bench.figures import Figure, number, repeated, summary


def test_a_figure_is_the_median_with_the_least_and_the_greatest() -> None:
    assert Figure.of([3.0, 1.0, 10.0]) == Figure(3.0, 1.0, 10.0, 3)
    assert Figure.of([1.0, 2.0]).median == 1.5


def test_a_figure_is_read_back_as_it_was_written() -> None:
    figure = Figure.of([0.25, 4.0])
    assert Figure.read(figure.to_json()) == figure


def test_numbers_have_three_significant_digits_and_none_behind_the_point_above_a_hundred() -> None:
    assert [number(value) for value in (0.012345, 1.2345, 99.95, 2_037.4)] == ["0.0123", "1.23", "100", "2,037"]


def test_the_spread_is_shown_unless_there_was_one_run() -> None:
    assert str(Figure.of([2.0])) == "2"
    assert str(Figure.of([2.0, 4.0, 3.0])) == "3 (2 to 4)"


def test_a_name_that_some_runs_lack_is_summed_up_over_the_others() -> None:
    found = summary([{"a": 1.0}, {"a": 3.0, "b": 5.0}])
    assert list(found) == ["a", "b"]
    assert (found["a"].runs, found["b"].runs) == (2, 1)


def clock(*, each_s: float):
    now = [0.0]

    def work() -> dict[str, float]:
        now[0] += each_s
        return {"s": each_s}

    return work, lambda: now[0]


def test_a_row_is_run_as_often_as_asked_if_there_is_time() -> None:
    work, now = clock(each_s=1.0)
    assert len(repeated(work, runs=5, seconds=30.0, now=now)) == 5


def test_no_run_is_begun_that_would_end_too_late_but_one_is_made_in_any_case() -> None:
    work, now = clock(each_s=4.0)
    assert len(repeated(work, runs=5, seconds=10.0, now=now)) == 2
    work, now = clock(each_s=60.0)
    assert len(repeated(work, runs=5, seconds=10.0, now=now)) == 1
