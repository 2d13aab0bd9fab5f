"""The figures on the page are those of the files beside it."""

from __future__ import annotations

import pytest

from bench.document import BLOCKS, PAGE, block, rendered
from bench.figures import Figure
from bench.tables import keyed


@pytest.mark.parametrize("name", BLOCKS)
def test_the_page_shows_what_was_measured(name: str) -> None:
    expected = rendered(name)
    held = block(name, PAGE.read_text("utf-8"))[2]
    assert held == (expected if expected is not None else "Not measured yet.\n")


def test_a_table_has_a_line_a_key_and_leaves_empty_what_was_not_measured() -> None:
    points = {"n/4": {"a/s": [10.0]}, "n/10000": {"b": [1.0, 3.0]}, "other/1": {"a/s": [1.0]}}
    measured = {
        key: {"figures": {name: Figure.of(values).to_json() for name, values in figures.items()}}
        for key, figures in points.items()
    }
    text = keyed({"measured": measured}, "nodes", ("a/s", "b"), "n/")
    assert text.splitlines() == ["| nodes | a/s | b |", "|---|---|---|", "| 4 | 10 |  |", "| 10,000 |  | 2 (1 to 3) |"]
