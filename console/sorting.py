"""Rows of a table sorted by a column, as the URL says: of those that are shown, by what is written in them.

Law: what is sorted is what a person sees; figures by their size, moments by their time, what has none comes last.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Final

from coseal.console.html import Child, Html, el, join
from coseal.console.page import Page

_SORT: Final = re.compile(r"([a-z0-9_-]{1,64})\.(-?)([0-9]{1,2})")
_VALUE: Final = re.compile(r'data-sort="(-?[0-9]{1,18})"')
_TIME: Final = re.compile(r'datetime="([^"]{1,40})"')
_TAGS: Final = re.compile("<[^>]*>")
_NUMBER: Final = re.compile(r"[−-]?[0-9][0-9,]*(?:\.[0-9]+)?")


def sort_value(name: str, place: int, *, falls: bool) -> str:
    """Return the query parameter ``sort`` that sorts a table by a column."""
    return f"{name}.{'-' if falls else ''}{place}"


def sorting(page: Page, name: str, columns: int) -> tuple[int, bool] | None:
    """Return by which column a table is sorted, and whether it falls; None if it is not."""
    found = _SORT.fullmatch(page.query("sort") or "")
    if found is None or found[1] != name or int(found[3]) >= columns:
        return None
    return int(found[3]), found[2] == "-"


def sized(words: str, size: int) -> Html:
    """Return a text that is sorted by a size which it does not show, such as a length of time."""
    return el("span", {"data-sort": size}, words)


def in_order(rows: Iterable[Sequence[Child]], place: int, falls: bool) -> list[Sequence[Child]]:
    """Return rows in the order of a column; alike ones stay as they are."""
    keyed = [(_key(row[place]) if place < len(row) else None, row) for row in rows]
    known = [one for one in keyed if one[0] is not None]
    known.sort(key=lambda one: one[0] or (2, 0.0, ""), reverse=falls)
    return [row for _, row in known] + [row for key, row in keyed if key is None]


def _key(cell: Child) -> tuple[int, float, str] | None:
    """Return what a cell is sorted by: a figure before a text; None for nothing."""
    written = join(cell)
    if (value := _VALUE.search(written)) is not None:
        return 0, float(value[1]), ""
    if (moment := _TIME.search(written)) is not None:
        return 1, 0.0, moment[1]
    text = _TAGS.sub("", written).strip()
    if text in ("", "–"):
        return None
    number = _NUMBER.match(text)
    if number is not None:
        return 0, float(number[0].replace(",", "").replace("−", "-")), text.casefold()
    return 1, 0.0, text.casefold()
