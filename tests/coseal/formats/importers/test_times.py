"""Times as a format and a zone say."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from coseal.contracts.kernel.dates import parse_time
from coseal.formats.importers.times import BadTime, TimeFormat, Zone, zone_of


@pytest.mark.parametrize(
    ("form", "text", "expected"),
    [
        ("%Y-%m-%d %H:%M:%S", "2026-01-05 10:00:00", "2026-01-05T10:00:00"),
        ("%d/%m/%Y", "5/1/2026", "2026-01-05"),
        ("%d.%m.%y %H.%M", "05.01.26 9.05", "2026-01-05T09:05:00"),
        ("%m/%d/%y", "12/31/69", "1969-12-31"),
        ("%m/%d/%y", "12/31/68", "2068-12-31"),
        ("%b %d, %Y %I:%M %p", "Mar 9, 2026 12:05 AM", "2026-03-09T00:05:00"),
        ("%d %B %Y %I%p", "1 September 2026 12pm", "2026-09-01T12:00:00"),
        ("%d-%b-%Y %H:%M:%S.%f", "05-JAN-2026 10:00:00.123456789", "2026-01-05T10:00:00.123456789"),
        ("%Y%m%dT%H%M%S%z", "20260105T100000+0800", "2026-01-05T10:00:00+08:00"),
        ("%Y-%m-%dT%H:%M%z", "2026-01-05T10:00z", "2026-01-05T10:00:00Z"),
        ("%H:%M on %d/%m/%Y (100%%)", "10:00 on 05/01/2026 (100%)", "2026-01-05T10:00:00"),
        ("%s", "1767578400", "2026-01-05T02:00:00Z"),
        ("%s", "-1", "1969-12-31T23:59:59Z"),
        ("%Q", "1767578400123", "2026-01-05T02:00:00.123Z"),
        ("%Q", "-1", "1969-12-31T23:59:59.999Z"),
        ("%Y年%m月%d日", "2026年1月5日", "2026-01-05"),
    ],
)
def test_a_time_is_read_by_its_format(form: str, text: str, expected: str):
    assert TimeFormat(form).checked().read(text) == expected


@pytest.mark.parametrize(
    ("form", "text"),
    [
        ("%Y-%m-%d", "2026-1-5 "),
        ("%Y-%m-%d", "26-01-05"),
        ("%d/%m/%Y", "13/13/2026"),
        ("%d/%m/%Y", "05/01/2026 10:00"),
        ("%H:%M %d/%m/%Y", "24:00 05/01/2026"),
        ("%d/%m/%Y", "٠٥/٠١/2026"),
        ("%b %d %Y", "Mär 5 2026"),
        ("%s", "1767578400.5"),
        ("%s", "-99999999999"),
        ("%d.%m.%Y", "05/01/2026"),
    ],
)
def test_what_is_not_written_so_is_no_time(form: str, text: str):
    with pytest.raises(BadTime) as caught:
        TimeFormat(form).checked().read(text)
    assert caught.value.code == "bad_value"


def test_a_day_that_is_in_no_calendar_is_no_time():
    with pytest.raises(BadTime):
        Zone(60).read(TimeFormat("%d/%m/%Y").checked().read("31/02/2026"))


REGIONS = ("Europe/Rome", "Asia/Shanghai", "America/Toronto", "Australia/Lord_Howe")


@settings(deadline=None)
@given(
    st.datetimes(datetime(1950, 1, 1), datetime(2100, 1, 1)),
    st.sampled_from(["Europe/Rome", "Asia/Shanghai", "America/Toronto"]),
)
def test_a_moment_written_as_local_time_is_read_as_that_moment(moment: datetime, region: str):
    moment = moment.replace(microsecond=0, tzinfo=UTC)
    local = moment.astimezone(ZoneInfo(region))
    if local.utcoffset() != local.replace(fold=1 - local.fold).utcoffset():
        text = local.replace(tzinfo=None).isoformat()
        with pytest.raises(BadTime) as caught:
            zone_of(region).read(text)
        assert caught.value.code == "ambiguous_time"
        written = zone_of(region, "later" if local.fold else "earlier").read(text)
    else:
        written = zone_of(region).read(local.replace(tzinfo=None).isoformat())
    assert parse_time(written) == (moment - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(milliseconds=1)


def test_a_time_with_an_offset_keeps_it_whatever_the_zone():
    assert zone_of("Europe/Rome").read("2026-01-05T10:00:00+08:00") == "2026-01-05T10:00:00+08:00"


def test_a_machine_without_time_zone_data_says_what_to_install(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("coseal.formats.importers.times.ZoneInfo", _absent)
    with pytest.raises(Exception, match="tzdata"):
        zone_of("Europe/Rome")


def _absent(key: str) -> ZoneInfo:
    raise FileNotFoundError(key)
