"""The table says what was measured, against what, and whether it is met."""

from __future__ import annotations

from bench.figures import Figure
from bench.tables import ROWS, Target, markdown

ABOUT = dict.fromkeys(("commit", "processor", "cores", "memory", "system", "python", "pynacl", "load before"), "some")


def document(**rows: dict[str, list[float]]) -> dict[str, object]:
    measured = {
        row: {"figures": {name: Figure.of(values).to_json() for name, values in figures.items()}}
        for row, figures in rows.items()
    }
    return {"about": ABOUT, "measured": measured}


def test_a_target_is_met_from_its_own_side() -> None:
    assert Target("events/s", 100).met(Figure.of([100.0]))
    assert not Target("events/s", 100).met(Figure.of([99.0]))
    assert Target("ms", 1, least=False).met(Figure.of([1.0]))
    assert not Target("ms", 1, least=False).met(Figure.of([1.1]))


def test_the_table_shows_medians_with_spread_and_runs_and_a_verdict() -> None:
    text = markdown(document(start={"s": [3.0, 5.0, 4.5]}, receipt={"ms": [0.5]}))
    assert "| 4.5 (3 to 5) s | 3 | at most 4 s | missed |" in text
    assert "| 0.5 ms | 1 | at most 1 ms | met |" in text
    assert len(text.splitlines()) == 6  # rows that were not measured are not in it


def test_one_missed_figure_makes_a_row_missed() -> None:
    assert "| missed |" in markdown(document(latency={"p50 ms": [10.0], "p99 ms": [41.0]}))


def test_every_row_has_a_figure_to_show() -> None:
    for name, row in ROWS.items():
        assert row.targets or row.more, name
