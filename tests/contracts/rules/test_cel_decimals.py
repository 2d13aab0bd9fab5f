"""Decimal texts in CEL-S/1: exact comparison and rounding by name, beside Python's ``decimal`` and ``fractions``."""

from __future__ import annotations

import decimal
from fractions import Fraction

import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from coseal.contracts.process.items import MAX_DECIMAL_CHARACTERS, is_decimal
from coseal.contracts.rules.cel import decimals
from coseal.contracts.rules.cel.compile import RuleError, compile_expression
from coseal.contracts.rules.cel.values import MAX_TEXT, EvalError

DIGITS = st.text("0123456789", min_size=1, max_size=12) | st.sampled_from(["0", "5", "50", "15", "25", "4999", "5001"])
EXPONENTS = st.integers(-30, 30) | st.integers(-(10**40), 10**40)


@st.composite
def texts(draw, exponents=EXPONENTS):
    """A decimal's text as writers of logs make them: fixed, or with an exponent after e or E."""
    fraction = draw(st.just("") | DIGITS.map(lambda digits: f".{digits}"))
    text = draw(st.sampled_from(["", "-"])) + draw(DIGITS) + fraction
    if draw(st.booleans()):
        power = draw(exponents)
        text += draw(st.sampled_from("eE")) + (draw(st.sampled_from(["", "+"])) if power >= 0 else "") + str(power)
    assume(len(text) <= MAX_TEXT)
    return text


def exact(text):
    return Fraction(text)


NEAR = texts(st.integers(-40, 40))
FLOATS = st.floats(allow_nan=False, allow_infinity=False).map(repr)


@settings(deadline=None, max_examples=100)
@given(NEAR | FLOATS, NEAR | FLOATS | st.integers(-(2**63), 2**63 - 1))
@example("1000", "1000.0000000000000")
@example("999.9999999999999", "1000")
@example("1E3", 1000)
@example("-0.0", 0)
@example("1e-324", "0")
def test_a_comparison_is_that_of_the_numbers(left, right):
    wanted = (exact(left) > Fraction(right)) - (exact(left) < Fraction(right))
    assert decimals.compare(left, right) == wanted
    assert decimals.compare(right, left) == -wanted


@settings(deadline=None, max_examples=100)
@given(texts(), texts())
def test_an_exponent_of_any_length_is_compared(left, right):
    context = decimal.Context(prec=200, Emax=decimal.MAX_EMAX, Emin=decimal.MIN_EMIN)
    far = [abs(int(text.lower().partition("e")[2] or 0)) > 10**17 for text in (left, right)]
    found = decimals.compare(left, right)
    assert found == -decimals.compare(right, left)
    if not any(far):
        assert found == context.compare(context.create_decimal(left), context.create_decimal(right))


@settings(deadline=None, max_examples=100)
@given(NEAR | FLOATS, st.integers(0, 18), st.sampled_from(sorted(decimals.ROUNDINGS)))
@example("0.5", 0, "half_even")
@example("-2.5", 0, "half_down")
@example("1e-99", 0, "ceiling")
@example("-1e-99", 18, "up")
def test_rounding_is_that_of_the_standard_library(text, scale, rounding):
    context = decimal.Context(prec=500, rounding=f"ROUND_{rounding.upper()}")
    wanted = int(context.create_decimal(text).scaleb(scale, context).to_integral_value(context=context))
    try:
        found = decimals.rounded(text, scale, rounding)
    except EvalError:
        assert not -(2**63) <= wanted < 2**63
    else:
        assert found == wanted


@settings(deadline=None, max_examples=100)
@given(NEAR, st.integers(0, 18), st.sampled_from(sorted(decimals.ROUNDINGS)))
def test_what_loses_no_digits_is_the_same_by_every_rounding(text, scale, rounding):
    try:
        wanted = decimals.decimal(text, scale)
    except EvalError:
        return
    assert decimals.rounded(text, scale, rounding) == wanted


@settings(deadline=None, max_examples=100)
@given(st.text("0123456789.eE+-", max_size=9) | texts() | st.text(max_size=4))
@example("1e" + "9" * 62)
@example("1e" + "9" * 63)
@example("٣")
@example("1e٣")
def test_what_the_ledger_takes_as_a_decimal_is_read_and_nothing_else(text):
    assert MAX_TEXT == MAX_DECIMAL_CHARACTERS
    try:
        decimals.read(text)
    except EvalError:
        assert not is_decimal(text)
    else:
        assert is_decimal(text)


@pytest.mark.parametrize(
    ("text", "scale", "expected"),
    [
        ("12.50", 2, 1_250),
        ("12.5", 2, 1_250),
        ("-3", 0, -3),
        ("0.1", 1, 1),
        ("1.0", 0, 1),
        ("1e3", 0, 1_000),
        ("1e-05", 5, 1),
        ("125E-2", 2, 125),
        ("0.000000000000000000000", 0, 0),
        ("-0.0", 18, 0),
        ("0e9999", 18, 0),
        ("9223372036854775807", 0, 2**63 - 1),
        ("-9223372036854775808", 0, -(2**63)),
        ("1.5e+0", 1, 15),
    ],
)
def test_a_decimal_text_becomes_an_exact_integer(text, scale, expected):
    assert decimals.decimal(text, scale) == expected


@pytest.mark.parametrize(
    ("text", "scale"),
    [
        *[("", 0), (".", 0), ("1.", 0), (".5", 1), ("+1", 0), ("1,5", 1), ("e5", 0), ("1e", 0), ("1e+", 0), ("NaN", 0)],
        *[("12.345", 2), ("1e-3", 2), ("9223372036854775808", 0), ("1", 19), ("1", -1), ("1e99", 0), ("1e9999", 18)],
        *[("٣", 0), ("1e٣", 0), (" 1", 0), ("1" * 65, 0), ("1e-9999", 18), ("1e99999", 0), ("--1", 0), ("1e5e5", 0)],
    ],
)
def test_what_is_no_exact_decimal_is_an_error(text, scale):
    with pytest.raises(EvalError):
        decimals.decimal(text, scale)


@settings(deadline=None, max_examples=200)
@given(
    st.decimals(allow_nan=False, allow_infinity=False, places=None, min_value=-(10**12), max_value=10**12),
    st.integers(0, 18),
)
def test_decimals_agree_with_the_standard_library(number, scale):
    text = str(number).replace("E", "e")
    exact = Fraction(decimal.Decimal(number)) * 10**scale
    try:
        found = decimals.decimal(text, scale)
    except EvalError:
        assert exact.denominator != 1 or abs(exact) >= 2**63 or len(text) > MAX_TEXT
    else:
        assert found == exact


def evaluate(text, **bindings):
    return compile_expression(text, {"x": "string", "n": "int"}).evaluate({"x": "", "n": 0, **bindings})


@pytest.mark.parametrize(
    ("text", "x", "expected"),
    [
        ("compare(x, 1000) >= 0", "1000.0000000000001", True),
        ("compare(x, 1000) >= 0", "999.99999999999989", False),
        ("compare(x, '0.1') == 0", "1E-1", True),
        ("compare(1000, x) < 0", "1e9999999", True),
        ("compare(n, 0) == 0", "", True),
        ("decimal(x, 2, 'half_even')", "0.125", 12),
        ("decimal(x, 2, 'half_up')", "0.125", 13),
        ("decimal(x, 2, 'down')", "-0.129", -12),
        ("decimal(x, 2, 'floor')", "-0.121", -13),
        ("decimal(x, 0, x == '' ? 'up' : 'ceiling')", "1.1", 2),
    ],
)
def test_a_rule_compares_and_rounds(text, x, expected):
    assert evaluate(text, x=x) == expected


@pytest.mark.parametrize(
    ("text", "x", "reason"),
    [
        ("compare(x, 1)", "1,5", "no decimal as -12.50 or 1e-05"),
        ("compare(1, x)", "NaN", "no decimal as -12.50 or 1e-05"),
        ("compare(x, x)", "1" * 65, "no decimal as -12.50 or 1e-05"),
        ("compare(dyn(true), 1)", "", "compare of (bool, int)"),
        ("decimal(x, 2, 'up')", "1e99", "integer overflow"),
        ("decimal(x, 0, 'up')", "9223372036854775807.1", "integer overflow"),
        ("decimal(x, 19, 'up')", "1", "the scale is 0 to 18"),
        (
            "decimal('1.5', 0, x)",
            "HALF_UP",
            f"no rounding of that name; expected one of {', '.join(decimals.ROUNDINGS)}",
        ),
        ("decimal(x, 0, dyn(1))", "1", "decimal of (string, int, int)"),
    ],
)
def test_what_cannot_be_compared_or_rounded_says_why(text, x, reason):
    assert evaluate(text, x=x).reason == reason


def test_a_rounding_that_does_not_exist_is_refused_when_the_rule_is_checked():
    with pytest.raises(RuleError, match="'nearest': no rounding of that name; expected one of ceiling, down"):
        evaluate("decimal(x, 2, 'nearest')")


def test_a_comparison_costs_two_readings():
    assert compile_expression("compare(x, x)", {"x": "string"}).cost == 1 + 2 + 20
