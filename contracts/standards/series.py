"""Figures by period, and lists of members in pages: what is kept of both, and how they grow.

Law: adding costs the same however long something has been counted; a member is on one page once and stays there.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, TypeAlias

from coseal.contracts.kernel.action import Reader, View
from coseal.contracts.standards.status import KEPT_PERIODS

PAGE_MEMBERS: Final = 64
Series: TypeAlias = list[list[int]]
"""``[[period, figure, ...], ...]``, the oldest first."""


def counted(series: Any, period: int, *figures: int) -> Series:
    """Return a series with figures added to those of the present period; what is older than a year is left out."""
    before: Series = series or []
    if before and before[-1][0] == period:
        last = [period, *(old + new for old, new in zip(before[-1][1:], figures, strict=True))]
        return [*before[:-1], last]
    kept = [row for row in before if row[0] > period - KEPT_PERIODS]
    return [*kept, [period, *figures]]


def append(view: View, key: Callable[[int], str], count: int, member: str) -> None:
    """Put a member on the last page of a list that has ``count``."""
    page = key(count // PAGE_MEMBERS)
    before: Any = view.get(page) or []
    view.put(page, [*before, member])


def pages(count: int) -> int:
    """Return how many pages a list of ``count`` members has."""
    return -(-count // PAGE_MEMBERS)


def on_page(reader: Reader, key: str) -> list[str]:
    """Return the members on a page."""
    value: Any = reader.get(key)
    return value or []
