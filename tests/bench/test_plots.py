"""Curves are drawn from what was measured."""

from __future__ import annotations

from bench.figures import Figure
from bench.plots import points


def test_the_points_of_a_curve_come_by_size_and_without_those_of_others() -> None:
    figure = Figure.of([5.0])
    measured = {
        key: {"figures": {"a/s": figure.to_json()}} for key in ("history/100000", "history/10000", "block size/50")
    }
    measured["history/5"] = {"figures": {"other": figure.to_json()}}
    assert points(measured, "history", "a/s") == [(10_000.0, figure), (100_000.0, figure)]
