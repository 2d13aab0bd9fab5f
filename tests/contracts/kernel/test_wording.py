"""Lengths of time and moments in words: exact, so they can be read back."""

from __future__ import annotations

import re
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coseal.contracts.kernel.wording import Units, duration_text, moment_text

UNIT_MS = {"day": 86_400_000, "days": 86_400_000, "h": 3_600_000, "min": 60_000, "s": 1_000, "ms": 1}


@pytest.mark.parametrize(
    ("ms", "text"),
    [
        (0, "0 s"),
        (1, "1 ms"),
        (999, "999 ms"),
        (1_000, "1 s"),
        (1_050, "1.05 s"),
        (123_456, "2 min 3.456 s"),
        (3_600_000, "1 h"),
        (86_400_000, "1 day"),
        (5_184_000_000, "60 days"),
        (90_061_001, "1 day 1 h 1 min 1.001 s"),
        (-90_000, "-1 min 30 s"),
    ],
)
def test_a_length_of_time_has_units(ms, text):
    assert duration_text(ms) == text


@given(st.integers(0, 2**63 - 1))
def test_a_length_of_time_loses_nothing(ms):
    whole = 0
    for number, fraction, unit in re.findall(r"(\d+)(?:\.(\d+))? (\w+)", duration_text(ms)):
        whole += int(number) * UNIT_MS[unit] + int(fraction.ljust(3, "0") or 0)
    assert whole == ms


def test_another_language_has_its_own_units():
    units = Units(" 天", " 天", " 小时", " 分", " 秒", " 毫秒")
    assert duration_text(90_061_001, units) == "1 天 1 小时 1 分 1.001 秒"


@given(st.integers(0, 253_402_300_799_999))
def test_a_moment_is_a_time_of_rfc_3339_in_utc(ms):
    text = moment_text(ms)
    read = datetime.fromisoformat(text.replace("Z", "+00:00"))
    epoch = datetime(1970, 1, 1, tzinfo=UTC)
    assert (read - epoch).total_seconds() == ms / 1_000
    assert (".000" in text) is False
