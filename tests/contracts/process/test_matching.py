"""Matching: the table of modes, tolerances at their bounds, and a second implementation in fractions."""

from fractions import Fraction
from math import floor

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from coseal.contracts.process.matching import AFTER, BEFORE, MODES, NONE, TWO_WAY, VERDICTS, Figures, Terms, judge

EXACT = Terms(0, 0, 0)


def figures(mode=AFTER, ordered=100, received=100, invoiced=100, ordered_amount=10_000, invoiced_amount=10_000, why=""):
    return Figures(mode, ordered, received, invoiced, ordered_amount, invoiced_amount, why)


def said(terms=EXACT, **given):
    found = judge(figures(**given), terms)
    return found.verdict, found.payable_quantity, found.payable_amount


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({}, ("matched", 100, 10_000)),
        ({"received": 90}, ("over_quantity", 90, 9_000)),
        ({"mode": BEFORE, "received": 90}, ("awaiting_receipt", 90, 9_000)),
        ({"mode": BEFORE, "received": 0}, ("awaiting_receipt", 0, 0)),
        ({"mode": BEFORE, "received": 90, "invoiced": 101}, ("over_quantity", 90, 8_910)),
        ({"mode": TWO_WAY, "received": 0}, ("matched", 100, 10_000)),
        ({"mode": TWO_WAY, "received": 0, "invoiced": 101}, ("over_quantity", 100, 9_900)),
        ({"mode": NONE, "invoiced": 0, "invoiced_amount": 0}, ("matched", 0, 0)),
        ({"mode": NONE}, ("over_quantity", 0, 0)),
        ({"mode": NONE, "ordered": 0, "invoiced": 0, "invoiced_amount": 0}, ("matched", 0, 0)),
        ({"ordered": 0}, ("unordered", 0, 0)),
        ({"ordered": -1}, ("unordered", 0, 0)),
        ({"invoiced": 0, "invoiced_amount": 0}, ("awaiting_invoice", 100, 0)),
        ({"invoiced": 0, "invoiced_amount": 0, "received": 0}, ("awaiting_receipt", 0, 0)),
        ({"invoiced": 0, "invoiced_amount": 1}, ("over_amount", 100, 0)),
        ({"invoiced": -5, "invoiced_amount": -500}, ("awaiting_invoice", 100, 0)),
        ({"invoiced_amount": 10_001}, ("over_price", 100, 10_000)),
        ({"invoiced": 50, "invoiced_amount": 10_000}, ("over_price", 100, 5_000)),
        ({"invoiced": 50, "invoiced_amount": 5_000}, ("matched", 100, 5_000)),
        ({"received": 110}, ("over_received", 100, 10_000)),
        ({"received": -5}, ("over_quantity", 0, 0)),
        ({"why": "inexact"}, ("undetermined", 0, 0)),
        ({"ordered_amount": 0, "invoiced_amount": 1}, ("over_price", 100, 0)),
    ],
)
def test_what_is_said_and_what_is_payable(given, expected):
    assert said(**given) == expected


def test_the_standards_own_example_does_not_match():
    """100 ordered, 90 received, 100 invoiced (UBL 2.0): 10 too many, 90.00 payable."""
    given = figures(ordered=100_000, received=90_000, invoiced=100_000)
    found = judge(given, Terms(20_000, 0, 100))
    assert (found.verdict, found.payable_quantity, found.payable_amount) == ("over_quantity", 90_000, 9_000)


@pytest.mark.parametrize(("invoiced", "verdict"), [(102, "matched"), (103, "over_quantity")])
def test_a_tolerance_holds_at_its_bound(invoiced, verdict):
    given = {"invoiced": invoiced, "invoiced_amount": invoiced * 100}
    assert said(Terms(20_000, 0, 0), **given)[0] == verdict


@pytest.mark.parametrize(("amount", "verdict"), [(10_100, "matched"), (10_101, "over_price")])
def test_a_difference_of_so_many_fen_is_none(amount, verdict):
    assert said(Terms(0, 0, 100), invoiced_amount=amount)[0] == verdict


def test_all_that_is_to_be_said_is_said_and_the_gravest_first():
    found = judge(figures(received=120, invoiced=130, invoiced_amount=20_000), EXACT)
    assert found.reasons == ("over_price", "over_quantity", "over_amount", "over_received")


NUMBERS = st.integers(-50, 150)
AMOUNTS = st.integers(-2_000, 20_000)


@settings(max_examples=500, deadline=None)
@given(
    st.sampled_from(MODES),
    st.tuples(NUMBERS, NUMBERS, NUMBERS, AMOUNTS, AMOUNTS),
    st.builds(Terms, st.integers(0, 10**6), st.integers(0, 10**6), st.integers(0, 500)),
)
def test_a_second_implementation_agrees(mode, numbers, terms):
    ordered, received, invoiced, ordered_amount, invoiced_amount = map(Fraction, numbers)
    found = judge(Figures(mode, *numbers), terms)
    if mode != NONE and ordered <= 0:
        assert found == ("unordered", mode, 0, 0, ("unordered",))
        return
    quantity, price = Fraction(terms.quantity_ppm, 10**6), Fraction(terms.price_ppm, 10**6)
    most = {TWO_WAY: ordered, NONE: Fraction(0)}.get(mode, max(0, min(received, floor(ordered * (1 + quantity)))))
    wrong = set()
    if invoiced > 0 and mode != NONE:
        fair = ordered_amount / ordered * invoiced
        if invoiced_amount > max(fair + price * max(0, fair), fair + terms.amount_fen * 1):
            wrong.add("over_price")
        whole = 1 + quantity + price + Fraction(terms.quantity_ppm * terms.price_ppm // 10**6, 10**6)
        if invoiced_amount > max(ordered_amount * whole, ordered_amount + terms.amount_fen, ordered_amount):
            wrong.add("over_amount")
        if invoiced > ordered * (1 + quantity):
            wrong.add("over_quantity")
    if invoiced > 0 and invoiced > most * (1 + quantity) and "over_quantity" not in wrong:
        wrong.add("awaiting_receipt" if mode == BEFORE else "over_quantity")
    if invoiced <= 0 and invoiced_amount > terms.amount_fen:
        wrong.add("over_amount")
    elif invoiced <= 0 and mode != NONE:
        wrong.add("awaiting_receipt" if mode != TWO_WAY and received <= 0 else "awaiting_invoice")
    if mode in (AFTER, BEFORE) and received > ordered * (1 + quantity):
        wrong.add("over_received")
    assert set(found.reasons) == wrong or (not wrong and found.reasons == ("matched",))
    assert found.verdict == min(found.reasons, key=VERDICTS.index)
    assert found.payable_quantity == most
    assert 0 <= found.payable_amount <= max(0, invoiced_amount)
