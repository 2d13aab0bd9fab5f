"""The values of CEL-S/1 and what can be done with them: integers of 64 bit, texts, times in milliseconds.

Law: every function gives a value of CEL or raises ``EvalError`` with the reason; nothing else escapes, whatever the
types of the operands; no floats, no time zones, no Unicode tables.

docs/spec/rules.md, rules G30 to G42.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, Final, TypeAlias

from coseal.contracts.kernel.dates import DAY_MS, parse_time
from coseal.contracts.rules.cel.lexer import number_of
from coseal.contracts.rules.cel.parser import INT_MAX, INT_MIN
from coseal.contracts.rules.errors import quoted

MAX_ITEMS: Final = 256
"""The most items of a list that is walked or built."""
MAX_TEXT: Final = 64
"""The most characters of a text that is read as a number, time or duration."""

_TIMESTAMP_MIN: Final = -62_135_596_800_000  # 0001-01-01T00:00:00Z
_TIMESTAMP_MAX: Final = 253_402_300_799_999  # 9999-12-31T23:59:59.999Z
_DURATION_MAX: Final = 9_223_372_036_854  # CEL: 64 bit of nanoseconds
_DIGITS: Final = frozenset("0123456789")
_UNITS: Final = {"h": 3_600_000, "m": 60_000, "s": 1_000, "ms": 1}


@dataclass(frozen=True, slots=True)
class Timestamp:
    """An instant, in ms since 1970-01-01T00:00:00Z."""

    ms: int


@dataclass(frozen=True, slots=True)
class Duration:
    """A length of time in ms."""

    ms: int


class Digest:
    """A long text of which only the SHA-256 was kept (D9): it equals its text, and nothing else can be done with it."""

    __slots__ = ("sha256",)

    def __init__(self, sha256: bytes) -> None:
        self.sha256 = sha256

    def __eq__(self, other: object) -> bool:
        if isinstance(other, str):
            return digest_of(other) == self.sha256
        return isinstance(other, Digest) and other.sha256 == self.sha256

    def __hash__(self) -> int:
        raise TypeError("a digest is no key")


def digest_of(text: str) -> bytes:
    """Return the SHA-256 of a text."""
    return sha256(text.encode("utf-8", "surrogatepass")).digest()


Value: TypeAlias = "bool | int | str | list[Any] | dict[str, Any] | Timestamp | Duration | None"


class EvalError(Exception):
    """An expression has no value (G30); ``reason`` says why, ``position`` is set by the operation that failed."""

    def __init__(self, reason: str, position: int = 0) -> None:
        super().__init__(reason)
        self.reason, self.position = reason, position


TYPE_NAMES: Final[Mapping[type, str]] = {
    bool: "bool",
    int: "int",
    str: "string",
    type(None): "null",
    list: "list",
    dict: "map",
    Timestamp: "timestamp",
    Duration: "duration",
    Digest: "text kept as its digest",
}


def type_name(value: Any) -> str:
    """Return the CEL-S/1 name of a value's type."""
    return TYPE_NAMES.get(type(value), "no CEL-S/1 value")


def integer(value: int) -> int:
    """Return the value if it fits 64 bit (G34)."""
    if INT_MIN <= value <= INT_MAX:
        return value
    raise EvalError("integer overflow")


def timestamp(ms: int) -> Timestamp:
    """Return an instant between the years 1 and 9999."""
    if _TIMESTAMP_MIN <= ms <= _TIMESTAMP_MAX:
        return Timestamp(ms)
    raise EvalError("timestamp out of range")


def duration(ms: int) -> Duration:
    """Return a duration of at most about 292 years."""
    if -_DURATION_MAX <= ms <= _DURATION_MAX:
        return Duration(ms)
    raise EvalError("duration out of range")


def equal(left: Any, right: Any) -> bool:
    """Say whether two values are the same; values of different types are not."""
    kind = type(left)
    if kind is not type(right):
        return (kind is Digest or type(right) is Digest) and bool(left == right)
    if kind is list:
        return len(left) == len(right) and all(map(equal, left, right))
    if kind is dict:
        return len(left) == len(right) and all(key in right and equal(item, right[key]) for key, item in left.items())
    return bool(left == right)


# Operators: by the types of the operands


def quotient(left: int, right: int) -> int:
    """Return the quotient, cut towards zero (G34)."""
    if right == 0:
        raise EvalError("division by zero")
    size = abs(left) // abs(right)
    return integer(size if (left < 0) == (right < 0) else -size)


def remainder(left: int, right: int) -> int:
    """Return what is left of ``left``, with its sign (G34)."""
    if right == 0:
        raise EvalError("modulus by zero")
    if left == INT_MIN and right == -1:
        raise EvalError("integer overflow")
    size = abs(left) % abs(right)
    return -size if left < 0 else size


def concatenated(left: list[Any], right: list[Any]) -> list[Any]:
    """Return a new list of both, of at most ``MAX_ITEMS`` items (G36)."""
    if len(left) + len(right) > MAX_ITEMS:
        raise EvalError(f"a list of more than {MAX_ITEMS} items")
    return left + right


def item_at(items: list[Any], index: int) -> Any:
    """Return an item of a list, counted from 0 (G37)."""
    if 0 <= index < len(items):
        return items[index]
    raise EvalError(f"index {index} is outside of the list of {len(items)}")


def entry_of(entries: dict[str, Any], key: str) -> Any:
    """Return the value under a key (G37)."""
    try:
        return entries[key]
    except KeyError:
        raise EvalError(f"no such key: {quoted(key)}") from None


# Conversions


def parse_timestamp(text: str) -> Timestamp:
    """Read an RFC 3339 time; digits below a ms are cut off, as everywhere on the ledger (G40)."""
    ms = parse_time(text)
    if ms is None:
        raise EvalError("no RFC 3339 time as 2026-01-05T10:00:00.5+08:00")
    return timestamp(ms)


def constant_timestamp(text: str) -> Timestamp:
    """Read the time an author wrote: as ``parse_timestamp``, but digits below a ms are an error."""
    value = parse_timestamp(text)
    digits, _ = _leading_digits(text[20:])
    if text[19] == "." and any(digit != "0" for digit in digits[3:]):
        raise EvalError("a timestamp has whole milliseconds")
    return value


def parse_duration(text: str) -> Duration:
    """Read ``1h30m``, ``-1.5s``, ``0``; h, m, s and ms, in whole milliseconds (G41)."""
    rest = text[1:] if text[:1] in ("-", "+") else text
    if rest == "0":
        return Duration(0)
    total = 0
    if not rest or len(rest) > MAX_TEXT:
        raise _no_duration()
    while rest:
        whole, rest = _leading_digits(rest)
        fraction = ""
        if rest[:1] == ".":
            fraction, rest = _leading_digits(rest[1:])
        unit = next((unit for unit in ("ms", "h", "m", "s") if rest.startswith(unit)), "")
        if not unit or not (whole or fraction):
            raise _no_duration()
        rest = rest[len(unit) :]
        numerator = number_of(whole + fraction) * _UNITS[unit]
        denominator = 10 ** len(fraction)
        if numerator % denominator:
            raise EvalError("a duration has whole milliseconds")
        total += numerator // denominator
    return duration(-total if text[0] == "-" else total)


def _no_duration() -> EvalError:
    return EvalError("no duration as 36h, 1h30m, 1.5s or 250ms")


def _leading_digits(text: str) -> tuple[str, str]:
    size = 0
    while text[size : size + 1] in _DIGITS:
        size += 1
    return text[:size], text[size:]


TIME_CONSTANTS: Final[Mapping[str, Callable[[str], Timestamp | Duration]]] = {
    "timestamp": constant_timestamp,
    "duration": parse_duration,
}


def parse_integer(text: str) -> int:
    """Read ``[-]digits`` (G38)."""
    digits = text[1:] if text[:1] == "-" else text
    if not digits or len(digits) > MAX_TEXT or not _DIGITS.issuperset(digits):
        raise EvalError("no integer as -42")
    return integer(-number_of(digits) if text[0] == "-" else number_of(digits))


def parse_boolean(text: str) -> bool:
    """Read the texts that CEL knows."""
    if text in ("true", "True", "TRUE", "t", "1"):
        return True
    if text in ("false", "False", "FALSE", "f", "0"):
        return False
    raise EvalError("neither true nor false")


# Calendar, in UTC


def civil(ms: int) -> tuple[int, int, int, int]:
    """Return (year, month 1-12, day 1-31, day of the year from 0) of an instant, proleptic Gregorian."""
    days = ms // DAY_MS
    shifted = days + 719_468  # days since 0000-03-01
    era, day_of_era = divmod(shifted, 146_097)
    year_of_era = (day_of_era - day_of_era // 1_460 + day_of_era // 36_524 - day_of_era // 146_096) // 365
    day_of_year = day_of_era - (365 * year_of_era + year_of_era // 4 - year_of_era // 100)  # from 1 March
    shifted_month = (5 * day_of_year + 2) // 153
    day = day_of_year - (153 * shifted_month + 2) // 5 + 1
    month = shifted_month + 3 if shifted_month < 10 else shifted_month - 9
    year = era * 400 + year_of_era + (month <= 2)
    leap = year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)
    since_new_year = day_of_year - 306 if month <= 2 else day_of_year + 59 + leap
    return year, month, day, since_new_year


TIMESTAMP_PARTS: Final[Mapping[str, Callable[[int], int]]] = {
    "getFullYear": lambda ms: civil(ms)[0],
    "getMonth": lambda ms: civil(ms)[1] - 1,
    "getDate": lambda ms: civil(ms)[2],
    "getDayOfMonth": lambda ms: civil(ms)[2] - 1,
    "getDayOfYear": lambda ms: civil(ms)[3],
    "getDayOfWeek": lambda ms: (ms // DAY_MS + 4) % 7,
    "getHours": lambda ms: ms // 3_600_000 % 24,
    "getMinutes": lambda ms: ms // 60_000 % 60,
    "getSeconds": lambda ms: ms // 1_000 % 60,
    "getMilliseconds": lambda ms: ms % 1_000,
}
"""What a timestamp is asked, in UTC (G42)."""


def _cut(ms: int, unit: int) -> int:
    return ms // unit if ms >= 0 else -(-ms // unit)


DURATION_PARTS: Final[Mapping[str, Callable[[int], int]]] = {
    "getHours": lambda ms: _cut(ms, 3_600_000),
    "getMinutes": lambda ms: _cut(ms, 60_000),
    "getSeconds": lambda ms: _cut(ms, 1_000),
    "getMilliseconds": lambda ms: ms - 1_000 * _cut(ms, 1_000),
}
"""What a duration is asked: the whole of it in a unit, and the ms beside its seconds."""


def timestamp_text(value: Timestamp) -> str:
    """Return RFC 3339 in UTC, with three digits of a second if it is no whole one."""
    year, month, day, _ = civil(value.ms)
    hour, minute, second = (TIMESTAMP_PARTS[name](value.ms) for name in ("getHours", "getMinutes", "getSeconds"))
    return f"{year:04d}-{month:02d}-{day:02d}T{hour:02d}:{minute:02d}:{second:02d}{_fraction(value.ms % 1_000)}Z"


def duration_text(value: Duration) -> str:
    """Return seconds: ``60.001s``."""
    size = abs(value.ms)
    return f"{'-' if value.ms < 0 else ''}{size // 1_000}{_fraction(size % 1_000)}s"


def _fraction(ms: int) -> str:
    return f".{ms:03d}" if ms else ""
