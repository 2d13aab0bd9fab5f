"""A formula is adopted by ballot, version by version, and computes fractions that are rounded down."""

from __future__ import annotations

import json
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coseal.contracts.credit.figures import KINDS, Figure, month_after, month_of
from coseal.contracts.credit.formula import EXAMPLE, evaluate, faults_of, is_month, kinds_of, months_of
from coseal.contracts.credit.formulas import formula_of
from tests.support.trade import trading

SHIPPED = json.loads((Path(__file__).parents[3] / "examples/credit/payment.json").read_text("utf-8"))


def figures(**counts: int) -> dict[tuple[int, str], Figure]:
    return {(2026_03, kind): Figure(count, count * 100) for kind, count in counts.items()}


def test_a_point_is_a_fraction_rounded_down_of_the_months_of_the_window() -> None:
    found = evaluate(EXAMPLE, figures(settled_on_time=2, settled_late=1), 2026_03)
    assert (found.reached, found.attainable, found.first_month, found.month) == (66, 100, 2025_04, 2026_03)
    assert (found.points[0].numerator, found.points[0].denominator) == (2, 3)
    earlier = {(2025_03, "settled_on_time"): Figure(9, 9), **figures(settled_on_time=2, settled_late=1)}
    assert evaluate(EXAMPLE, earlier, 2026_03) == found


def test_too_few_facts_say_nothing_and_are_not_attainable() -> None:
    found = evaluate(EXAMPLE, figures(settled_on_time=2), 2026_03)
    assert (found.points[0].points, found.reached, found.attainable) == (None, 0, 0)


def test_nothing_is_divided_by_a_sum_of_nothing() -> None:
    point = {**EXAMPLE["points"][0], "measure": "sum", "minimum": 1}
    facts = {(2026_03, "settled_on_time"): Figure(2, 0)}
    assert evaluate({**EXAMPLE, "points": [point]}, facts, 2026_03).points[0].points is None


@given(st.dictionaries(st.sampled_from(KINDS), st.integers(0, 10**15)), st.sampled_from(("count", "sum")))
def test_what_is_reached_is_never_more_than_attainable_and_what_fractions_say(
    counts: dict[str, int], measure: str
) -> None:
    point = {**EXAMPLE["points"][0], "measure": measure, "numerator": list(KINDS[:3]), "denominator": list(KINDS)}
    found = evaluate({**EXAMPLE, "points": [point]}, figures(**counts), 2026_03)
    assert 0 <= found.reached <= found.attainable
    if found.points[0].points is not None:
        share = Fraction(sum(counts.get(kind, 0) for kind in KINDS[:3]), sum(counts.values()))
        assert found.reached == int(share * 100)


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ({"window_months": 37}, ".window_months"),
        ({"points": []}, ".points"),
        ({"points": [EXAMPLE["points"][0]] * 2}, ".points[1].id"),
        ({"points": [{**EXAMPLE["points"][0], "numerator": ["gap"]}]}, ".points[0].numerator"),
        ({"points": [{**EXAMPLE["points"][0], "minimum": 0}]}, ".points[0].minimum"),
    ],
)
def test_a_formula_that_is_none_says_where(change: dict[str, Any], fault: str) -> None:
    assert next(faults_of({**EXAMPLE, **change})).startswith(fault)


def test_the_formula_that_is_shipped_is_one() -> None:
    formula = SHIPPED["formula"]
    assert list(faults_of(formula)) == []
    assert sum(point["scale"] for point in formula["points"]) == 100
    assert kinds_of(formula)[0] == "settled_on_time"
    assert len(months_of(formula, 2026_01)) == formula["window_months"]


def test_a_ballot_adopts_version_after_version_and_old_ones_stay() -> None:
    trade = trading()
    for version in (1, 2):
        formula = {**EXAMPLE, "version": version, "window_months": 11 + version}
        trade.decide("credit_formula", formula=formula)
        again = {"id": f"again-{version}", "kind": "credit_formula", "subject": {"formula": formula}}
        assert trade.code("regulator", "governance.propose", **again) == "wrong_version"
    trade.fell_due(1)
    reader = trade.chain.executor.reader
    found = [formula_of(reader, "payment", version) for version in (0, 1, 2)]
    assert [one["formula"]["window_months"] for one in found if one is not None] == [13, 12, 13]
    assert formula_of(reader, "none") is None


def test_months_follow_one_another() -> None:
    assert month_of(0) == 1970_01
    assert month_of(951_782_400_000) == 2000_02  # 29 February
    assert (month_after(2025_12, 1), month_after(2026_01, -1), month_after(2026_01, -13)) == (2026_01, 2025_12, 2024_12)
    assert [is_month(month) for month in (2026_01, 2026_12, 2026_13, 2026_00, True, "202601")] == [
        *(True, True),
        *(False,) * 4,
    ]
