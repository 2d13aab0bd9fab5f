"""Two commits are compared pair by pair."""

from __future__ import annotations

from bench.compare import ratios, table
from bench.figures import summary


def test_a_ratio_is_here_over_base_and_a_base_of_nothing_has_none() -> None:
    assert ratios({"a/s": 200.0, "b": 0.0}, {"a/s": 300.0, "b": 1.0}) == {"a/s": 1.5}


def test_the_table_shows_the_spread_of_the_pairs_not_the_ratio_of_the_medians() -> None:
    bases, heres = [{"a/s": 100.0}, {"a/s": 10.0}], [{"a/s": 110.0}, {"a/s": 12.0}]
    pairs = summary([ratios(*pair) for pair in zip(bases, heres, strict=True)])
    assert str(pairs["a/s"]) == "1.15 (1.1 to 1.2)"
    assert table(summary(bases), summary(heres), pairs, "main").row_count == 1
