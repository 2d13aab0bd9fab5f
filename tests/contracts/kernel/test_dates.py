"""Dates and times as texts."""

from __future__ import annotations

import calendar
from datetime import UTC, date, datetime, timedelta, timezone

from hypothesis import given, settings
from hypothesis import strategies as st

from coseal.contracts.kernel import dates


@given(st.dates())
def test_days_are_those_of_the_gregorian_calendar(day):
    assert dates.days_since_epoch(day.year, day.month, day.day) == (day - date(1970, 1, 1)).days
    assert dates.parse_date(day.isoformat()) == (day.year, day.month, day.day)
    assert dates.first_day((day.year, day.month, 0)) == (day.replace(day=1) - date(1970, 1, 1)).days
    last = day.replace(day=calendar.monthrange(day.year, day.month)[1])
    assert dates.last_day((day.year, day.month, 0)) == (last - date(1970, 1, 1)).days
    assert dates.last_day((day.year, 0, 0)) == (date(day.year, 12, 31) - date(1970, 1, 1)).days


EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
ZONES = st.integers(-1439, 1439).map(lambda minutes: timezone(timedelta(minutes=minutes)))
TIMES = st.datetimes(min_value=datetime(2, 1, 1), max_value=datetime(9998, 1, 1), timezones=ZONES)


@settings(deadline=None)
@given(TIMES)
def test_a_time_is_the_ms_since_the_epoch_cut_off_below(moment):
    assert dates.parse_time(moment.isoformat()) == (moment - EPOCH) // timedelta(milliseconds=1)


@given(st.text(alphabet="0123456789-:.TZ+ ١", min_size=18, max_size=30))
def test_what_parses_as_a_time_python_reads_alike(text):
    milliseconds = dates.parse_time(text)
    if milliseconds is not None:
        head, fraction = text[:19], text[19:]
        zone = "+00:00" if text[-1] == "Z" else text[-6:]
        digits = fraction[1:].split("Z")[0].split("+")[0].split("-")[0] if fraction[0] == "." else ""
        moment = datetime.fromisoformat(head + zone) - EPOCH
        assert milliseconds == moment // timedelta(milliseconds=1) + int((digits + "000")[:3])
