"""Lengths of time and moments as a person reads them, and which of a text's languages that person gets.

``60 days``, ``2 min 3.456 s``, ``2026-01-05T10:00:00Z``.

Law: a text is exact, so no two lengths read alike; it is made by integers alone, so receipts and findings may hold it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, NamedTuple

from coseal.ledger.render import time_text

FIRST_LANGUAGE: Final = "en"
"""The language of receipts, and of who reads none of a text's."""

_DAY_MS: Final = 86_400_000
_HOUR_MS: Final = 3_600_000
_MINUTE_MS: Final = 60_000


class Units(NamedTuple):
    """How a language writes units, each with what stands between number and unit; ``day`` is one, ``days`` more."""

    day: str
    days: str
    hour: str
    minute: str
    second: str
    millisecond: str


ENGLISH: Final = Units(" day", " days", " h", " min", " s", " ms")


def duration_text(ms: int, units: Units = ENGLISH) -> str:
    """Return a length of time in days, hours, minutes and seconds; parts that are zero are left out."""
    sign, size = ("-", -ms) if ms < 0 else ("", ms)
    if 0 < size < 1_000:
        return f"{sign}{size}{units.millisecond}"
    days, rest = divmod(size, _DAY_MS)
    hours, rest = divmod(rest, _HOUR_MS)
    minutes, rest = divmod(rest, _MINUTE_MS)
    parts = []
    if days:
        parts.append(f"{days}{units.day if days == 1 else units.days}")
    if hours:
        parts.append(f"{hours}{units.hour}")
    if minutes:
        parts.append(f"{minutes}{units.minute}")
    if rest or not parts:
        seconds, fraction = divmod(rest, 1_000)
        decimals = f".{fraction:03}".rstrip("0") if fraction else ""
        parts.append(f"{seconds}{decimals}{units.second}")
    return sign + " ".join(parts)


def moment_text(time_ms: int) -> str:
    """Return a moment (ms since the epoch) as RFC 3339 in UTC, without milliseconds that are zero."""
    return time_text(time_ms).replace(".000Z", "Z")


def in_language(text: str | Mapping[str, str], language: str = FIRST_LANGUAGE) -> str:
    """Return a text (see ``arguments.title``) in a language, else in English, else in the first by its code."""
    if isinstance(text, str):
        return text
    return text.get(language) or text.get(FIRST_LANGUAGE) or text[min(text)]
