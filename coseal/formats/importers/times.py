"""The times of a log as it writes them: a format to read them by, and a zone for those without an offset.

Law: no time is guessed. A local time that a region's clocks showed twice, or never, is a finding; what is read keeps
every digit of the second.

A format has the directives of ``strptime`` listed in ``DIRECTIVES`` and no other; months are named in English. A zone
is an offset from UTC, which the source then declares, or a region as ``Europe/Rome``, whose offset at each time is
written beside it, since it changes with summer time.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from coseal.contracts.process.items import time_ms
from coseal.errors import CosealError

AMBIGUOUS: Final = ("refuse", "earlier", "later")
"""What to do with a local time that clocks showed twice: a finding, or the first or second time they showed it."""

_EPOCH: Final = datetime(1970, 1, 1)
_MINUTE: Final = timedelta(minutes=1)
_SHORT: Final = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_MONTHS: Final = (
    *("january", "february", "march", "april", "may", "june"),
    *("july", "august", "september", "october", "november", "december"),
)
DIRECTIVES: Final[Mapping[str, str]] = {
    "Y": r"[0-9]{4}",
    "y": r"[0-9]{2}",
    "m": r"1[0-2]|0?[1-9]",
    "b": "|".join(_SHORT),
    "B": "|".join(_MONTHS),
    "d": r"3[01]|[12][0-9]|0?[1-9]",
    "H": r"2[0-3]|[01]?[0-9]",
    "I": r"1[0-2]|0?[1-9]",
    "p": r"am|pm",
    "M": r"[0-5]?[0-9]",
    "S": r"[0-5]?[0-9]",
    "f": r"[0-9]{1,9}",
    "z": r"z|[+-][0-9]{2}:?[0-5][0-9]",
    "s": r"-?[0-9]{1,11}",
    "Q": r"-?[0-9]{1,14}",
}
"""What each directive of a format matches: year (4 or 2 digits), month (number, short or whole name), day, hour (of 24,
or of 12 with am or pm), minute, second, its fraction, offset; or seconds (``%s``) or ms (``%Q``) since the epoch."""


class BadTime(Exception):
    """A text is no time here: the finding's code, and what is wrong with it."""

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(detail)
        self.code, self.detail = code, detail


@dataclass(frozen=True)
class TimeFormat:
    """A compiled ``timestamp_format``."""

    text: str

    @cached_property
    def _pattern(self) -> re.Pattern[str]:
        parts: list[str] = []
        for piece in re.findall(r"%.?|[^%]+", self.text, re.DOTALL):
            name = piece[1:]
            if piece[0] != "%" or piece == "%%":
                parts.append(re.escape(name if piece == "%%" else piece))
            elif name not in DIRECTIVES:
                raise self._wrong(
                    f"{piece} is not known; there are {', '.join(f'%{one}' for one in DIRECTIVES)} and %%"
                )
            elif f"(?P<{name}>" in "".join(parts):
                raise self._wrong(f"{piece} stands there twice")
            else:
                parts.append(f"(?P<{name}>{DIRECTIVES[name]})")
        return re.compile("".join(parts), re.ASCII | re.IGNORECASE)

    def checked(self) -> TimeFormat:
        """Return the format; raise ``CosealError`` if no time can be read by it."""
        names = set(self._pattern.groupindex)
        if names & {"s", "Q"}:
            if len(names) > 1:
                raise self._wrong("%s or %Q is a whole time by itself")
            return self
        months = names & {"m", "b", "B"}
        if len(names & {"Y", "y"}) != 1 or len(months) != 1 or "d" not in names:
            raise self._wrong("a time needs a year (%Y or %y), a month (%m, %b or %B) and a day (%d)")
        if len(names & {"H", "I"}) > 1 or ("I" in names) != ("p" in names):
            raise self._wrong("an hour is %H, or %I with %p")
        hour = names & {"H", "I"}
        if ("M" in names and not hour) or ("S" in names and "M" not in names) or ("f" in names and "S" not in names):
            raise self._wrong("a minute needs its hour, a second its minute, a fraction its second")
        if "z" in names and not hour:
            raise self._wrong("an offset needs an hour")
        return self

    def read(self, text: str) -> str:
        """Return a time as RFC 3339, without offset (and without time of day) where the text has none."""
        match = self._pattern.fullmatch(text)
        if match is None:
            raise BadTime("bad_value", f"{text[:60]!r} is not a time as {self.text}")
        part = match.groupdict()
        if "s" in part or "Q" in part:
            seconds, ms = divmod(int(part["Q"]), 1_000) if "Q" in part else (int(part["s"]), None)
            try:
                moment = _EPOCH + timedelta(seconds=seconds)
            except OverflowError:
                raise BadTime("bad_value", f"{text[:60]!r} is before the year 1") from None
            return moment.isoformat() + ("Z" if ms is None else f".{ms:03}Z")
        day = f"{_year(part)}-{_month(part):02}-{int(part['d']):02}"
        if "H" not in part and "I" not in part:
            return day
        fraction = f".{part['f']}" if "f" in part else ""
        clock = f"{_hour(part):02}:{int(part.get('M') or 0):02}:{int(part.get('S') or 0):02}"
        return f"{day}T{clock}{fraction}{_offset(part.get('z') or '')}"

    def _wrong(self, detail: str) -> CosealError:
        return CosealError(f"timestamp_format {self.text!r}: {detail}", 'as "%d/%m/%Y %H:%M:%S"')


@dataclass(frozen=True)
class Zone:
    """What times without an offset are: at a fixed one (``minutes`` east of UTC), of a ``region``, or unknown."""

    minutes: int | None = None
    region: ZoneInfo | None = None
    ambiguous: str = AMBIGUOUS[0]

    def read(self, text: str) -> str:
        """Return a time text as it is, or with the offset that the region's clocks had; raise ``BadTime``."""
        if time_ms(text, self.minutes) is not None:
            return text
        local_ms = time_ms(text, 0)
        if local_ms is None:
            raise BadTime("bad_value", f"{text[:60]!r} is not a time as 2026-01-05T10:00:00+08:00")
        if self.region is None:
            raise BadTime("no_offset", f"{text} has no offset from UTC; give --zone")
        offset = self._offset(text, local_ms)
        if offset % _MINUTE:
            raise BadTime(
                "bad_value", f"{text}: {self.region} was at {offset} then, which is no offset in whole minutes"
            )
        minutes = offset // _MINUTE
        written = f"{'-' if minutes < 0 else '+'}{abs(minutes) // 60:02}:{abs(minutes) % 60:02}"
        return f"{text}{'T00:00:00' if len(text) == 10 else ''}{written}"

    def _offset(self, text: str, local_ms: int) -> timedelta:
        local = _EPOCH + timedelta(milliseconds=local_ms)
        before, after = (self._at(local, fold) for fold in (0, 1))
        if before < after:
            detail = (
                f"{text} did not exist in {self.region}: its clocks went from {before} to {after} ahead of UTC then"
            )
            raise BadTime("no_such_time", detail)
        if before > after and self.ambiguous == AMBIGUOUS[0]:
            detail = f"{text} came twice in {self.region}; give --ambiguous earlier or later"
            raise BadTime("ambiguous_time", detail)
        return after if self.ambiguous == "later" else before

    def _at(self, local: datetime, fold: int) -> timedelta:
        return local.replace(tzinfo=self.region, fold=fold).utcoffset() or timedelta()


def zone_of(text: str, ambiguous: str = AMBIGUOUS[0]) -> Zone:
    """Return the zone of ``Z``, ``UTC``, ``+08:00`` or ``Europe/Rome``; raise ``CosealError``."""
    if text in ("Z", "UTC"):
        return Zone(0)
    match = re.fullmatch(r"([+-])([0-9]{2}):([0-5][0-9])", text, re.ASCII)
    if match is not None and int(match[2]) <= 14:
        minutes = int(match[2]) * 60 + int(match[3])
        return Zone(-minutes if match[1] == "-" else minutes)
    hint = "give an offset from UTC, as --zone +08:00 or --zone UTC, or a region, as --zone Europe/Rome"
    if "/" not in text:  # CET and its like mean one thing here and another there
        raise CosealError(f"zone {text!r}", hint)
    try:
        return Zone(None, ZoneInfo(text), ambiguous)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        known = _has_data()
        raise CosealError(
            f"zone {text!r} is not in this machine's time zone data", hint if known else _NO_DATA
        ) from None


_NO_DATA: Final = "there is none here: install the package tzdata of the operating system, or `pip install tzdata`"


def _has_data() -> bool:
    try:
        return ZoneInfo("Europe/London") is not None
    except (ZoneInfoNotFoundError, OSError):
        return False


# Parts of a time


def _year(part: Mapping[str, str]) -> str:
    if "Y" in part:
        return part["Y"]
    return f"{'19' if int(part['y']) >= 69 else '20'}{part['y']}"  # as POSIX has it


def _month(part: Mapping[str, str]) -> int:
    if "m" in part:
        return int(part["m"])
    return _SHORT.index(part["b" if "b" in part else "B"].lower()[:3]) + 1


def _hour(part: Mapping[str, str]) -> int:
    if "H" in part:
        return int(part["H"])
    return int(part["I"]) % 12 + (12 if part["p"].lower() == "pm" else 0)


def _offset(text: str) -> str:
    if text in ("", "z", "Z"):
        return text.upper()
    return f"{text[:3]}:{text[-2:]}"
