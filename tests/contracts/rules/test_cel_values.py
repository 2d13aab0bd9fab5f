from __future__ import annotations

import datetime
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from coseal.contracts.rules.cel import values
from coseal.contracts.rules.cel.values import Duration, EvalError, Timestamp

EPOCH = datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC)
instants = st.datetimes(timezones=st.just(datetime.UTC)).map(
    lambda when: (when - EPOCH) // datetime.timedelta(milliseconds=1)
)
integers = st.integers(-(2**63), 2**63 - 1)


@settings(deadline=None, max_examples=300)
@given(instants)
def test_the_calendar_is_that_of_the_standard_library(ms):
    when = EPOCH + datetime.timedelta(milliseconds=ms)
    found = {name: part(ms) for name, part in values.TIMESTAMP_PARTS.items()}
    assert found == {
        "getFullYear": when.year,
        "getMonth": when.month - 1,
        "getDate": when.day,
        "getDayOfMonth": when.day - 1,
        "getDayOfYear": when.timetuple().tm_yday - 1,
        "getDayOfWeek": (when.weekday() + 1) % 7,
        "getHours": when.hour,
        "getMinutes": when.minute,
        "getSeconds": when.second,
        "getMilliseconds": when.microsecond // 1_000,
    }
    assert values.parse_timestamp(values.timestamp_text(Timestamp(ms))) == Timestamp(ms)


@settings(deadline=None)
@given(integers, integers.filter(bool))
def test_quotient_and_remainder_cut_towards_zero(left, right):
    exact = Fraction(left, right)
    expected = int(exact)  # towards zero
    if not -(2**63) <= expected < 2**63:
        with pytest.raises(EvalError, match="overflow"):
            values.quotient(left, right)
        return
    assert values.quotient(left, right) == expected
    assert values.remainder(left, right) == left - right * expected


@pytest.mark.parametrize(
    ("text", "ms"),
    [
        ("0", 0),
        ("-0", 0),
        ("1h", 3_600_000),
        ("1h30m", 5_400_000),
        ("-1.5h", -5_400_000),
        ("+2s", 2_000),
        ("1.5s", 1_500),
        (".5s", 500),
        ("250ms", 250),
        ("1h1m1s1ms", 3_661_001),
        ("86400s", 86_400_000),
        ("0" * 62 + "1s", 1_000),
    ],
)
def test_a_duration_is_read(text, ms):
    assert values.parse_duration(text) == Duration(ms)


@pytest.mark.parametrize(
    "text",
    ["", "-", "1", "h", "1d", "1h-2m", "1.s.", "1 h", "١h", "1ms1", "--1s", ".s", "1us", "9" * 70 + "h", "3000000h"],
)
def test_what_is_no_duration_is_an_error(text):
    with pytest.raises(EvalError):
        values.parse_duration(text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        *[("0", 0), ("-0", 0), ("0005", 5), ("-007", -7), ("0" * 64, 0)],
        *[("9223372036854775807", 2**63 - 1), ("-9223372036854775808", -(2**63))],
    ],
)
def test_an_integer_is_read_from_its_digits(text, expected):
    assert values.parse_integer(text) == expected


INTEGERS_OF_OTHERS = ("+5", " 5", "5 ", "\t5", "5\n", "\v5", "5\f", "5\0", "0" * 64 + "5")
NO_INTEGERS = (
    "",
    "-",
    "+",
    "--1",
    "- 1",
    "+-5",
    "0x10",
    "1_0",
    "1.0",
    "1e3",
    "1,000",
    "٣",
    "５",
    "²",
    "−5",
    "NaN",
    "true",
)


@pytest.mark.parametrize("text", [*INTEGERS_OF_OTHERS, *NO_INTEGERS])
def test_what_is_no_integer_is_an_error(text):
    with pytest.raises(EvalError, match="no integer as -42"):
        values.parse_integer(text)


@pytest.mark.parametrize("text", ["9223372036854775808", "-9223372036854775809", "9" * 64])
def test_an_integer_beyond_64_bit_is_an_error(text):
    with pytest.raises(EvalError, match="integer overflow"):
        values.parse_integer(text)


@pytest.mark.parametrize(
    ("value", "text"), [(0, "0s"), (60_001, "60.001s"), (-1_500, "-1.500s"), (86_400_000, "86400s"), (-1, "-0.001s")]
)
def test_a_duration_is_written_in_seconds(value, text):
    assert values.duration_text(Duration(value)) == text
    assert values.parse_duration(text) == Duration(value)


@pytest.mark.parametrize(
    ("name", "ms", "expected"),
    [
        ("getHours", -5_400_000, -1),
        ("getHours", 36_000_000_000, 10_000),
        ("getMinutes", 600_000_000, 10_000),
        ("getMinutes", 5_459_999, 90),
        ("getSeconds", -1_999, -1),
        ("getMilliseconds", -1_234, -234),
        ("getMilliseconds", 61_234, 234),
    ],
)
def test_a_duration_is_asked_in_whole_units_cut_towards_zero(name, ms, expected):
    assert values.DURATION_PARTS[name](ms) == expected


@pytest.mark.parametrize(
    "text", ["0001-01-01T00:00:00+00:01", "9999-12-31T23:59:59.999-00:01", "2026-01-01", "2026-01-01T00:00:00", "x"]
)
def test_what_is_no_time_between_the_years_1_and_9999_is_an_error(text):
    with pytest.raises(EvalError):
        values.parse_timestamp(text)


def test_digits_below_a_millisecond_are_cut_off_as_everywhere_on_the_ledger():
    assert values.parse_timestamp("1970-01-01T00:00:00.0019999Z") == Timestamp(1)
    assert values.parse_timestamp("1969-12-31T23:59:59.9999Z") == Timestamp(-1)
