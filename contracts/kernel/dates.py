"""Dates and times as texts: a year, a month, a day, and RFC 3339 with its offset.

Law: the reading is the same on every machine, so no time zone data and no table of Unicode properties is asked.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any, Final

DAY_MS: Final = 86_400_000
MAX_TIME_CHARACTERS: Final = 64


def parse_date(value: Any) -> tuple[int, int, int] | None:
    """Return (year, month, day) of a date, with 0 for a part it does not name; None if it is no date.

    Tuples of one precision compare as the dates do; ``first_day`` gives a common ground.
    """
    if type(value) is not str or len(value) not in (4, 7, 10) or not value.isascii():
        return None
    parts = value.split("-")
    if [len(part) for part in parts] != [4, 2, 2][: len(parts)] or not all(part.isdigit() for part in parts):
        return None
    year, month, day = (*(int(part) for part in parts), 0, 0)[:3]
    if year < 1 or (len(parts) > 1 and not 1 <= month <= 12):
        return None
    if len(parts) > 2 and not 1 <= day <= _days_in_month(year, month):
        return None
    return year, month, day


def first_day(value: tuple[int, int, int]) -> int:
    """Return the first day a parsed date names, as days since 1970-01-01 in the proleptic Gregorian calendar."""
    year, month, day = value
    return days_since_epoch(year, month or 1, day or 1)


def last_day(value: tuple[int, int, int]) -> int:
    """Return the last day a parsed date names: of a year its 31 December, of a month its last."""
    year, month, day = value
    month = month or 12
    return days_since_epoch(year, month, day or _days_in_month(year, month))


def parse_time(value: Any) -> int | None:
    """Return an RFC 3339 time as ms since the epoch, digits below a ms cut off; None if it is no such time.

    The offset is required. A leap second is refused: time in ms since the epoch has no place for it.
    """
    if type(value) is not str or not 20 <= len(value) <= MAX_TIME_CHARACTERS or not value.isascii():
        return None
    if value[10] not in "Tt" or value[13] != ":" or value[16] != ":":
        return None
    day_ms = _day_ms(value[:10])
    hour, minute, second = value[11:13], value[14:16], value[17:19]
    if day_ms is None or not (hour.isdigit() and minute.isdigit() and second.isdigit()):
        return None
    if hour > "23" or minute > "59" or second > "59":
        return None
    offset_at = len(value) - 1 if value[-1] in "Zz" else len(value) - 6
    offset_ms = _offset_ms(value[offset_at:])
    millisecond = _millisecond(value[19:offset_at])
    if offset_ms is None or millisecond is None:
        return None
    seconds = int(hour) * 3600 + int(minute) * 60 + int(second)
    return day_ms + seconds * 1000 + millisecond - offset_ms


def days_since_epoch(year: int, month: int, day: int) -> int:
    """Return the days from 1970-01-01 to a day of the proleptic Gregorian calendar."""
    shifted = year - (month <= 2)  # years that begin in March, so that the leap day is the last of its year
    day_of_year = (153 * ((month + 9) % 12) + 2) // 5 + day - 1
    return shifted * 365 + shifted // 4 - shifted // 100 + shifted // 400 + day_of_year - 719_468


def _days_in_month(year: int, month: int) -> int:
    leap = month == 2 and year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)
    return (31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)[month - 1] + leap


@lru_cache(maxsize=4096)
def _day_ms(value: str) -> int | None:
    parsed = parse_date(value)
    return None if parsed is None or len(value) != 10 else first_day(parsed) * DAY_MS


@lru_cache(maxsize=256)
def _offset_ms(value: str) -> int | None:
    """Return the ms of ``Z`` or ``+08:00``, or None."""
    if value in ("Z", "z"):
        return 0
    hour, minute = value[1:3], value[4:6]
    if len(value) != 6 or value[0] not in "+-" or value[3] != ":" or not (hour.isdigit() and minute.isdigit()):
        return None
    if hour > "23" or minute > "59":
        return None
    size = (int(hour) * 60 + int(minute)) * 60_000
    return -size if value[0] == "-" else size


def _millisecond(fraction: str) -> int | None:
    """Return the ms of ``.5`` (500) or of nothing (0), or None."""
    if not fraction:
        return 0
    digits = fraction[1:]
    if fraction[0] != "." or not digits.isdigit():
        return None
    return int(digits[:3].ljust(3, "0"))
