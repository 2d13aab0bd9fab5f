"""Counts of the register, kept in state as it changes, so that a light client can prove each figure.

Law: what a full recount of the instruments gives is what the counters hold; an act touches only the values of the
instrument it changes.

contracts/policy/README.md.
"""

from __future__ import annotations

from collections import Counter
from typing import Any, Final

from coseal.contracts.kernel.action import Reader, View
from coseal.contracts.policy.instrument import Instrument, issuers_of
from coseal.contracts.policy.state import dimension_key, figure_key, page_key

DIMENSIONS: Final = ("year", "area", "level", "issuer", "type_document", "origin", "action", "finding")
PAGE_VALUES: Final = 64
UNDATED: Final = "undated"
UNSTATED: Final = "unstated"


def statistics(reader: Reader, by: str) -> dict[str, int]:
    """Return the figures of a dimension, by value in the order of the texts; values that fell to 0 are left out.

    Raises ``ValueError`` for an unknown dimension.
    """
    if by not in DIMENSIONS:
        raise ValueError(f"{by}: expected one of {', '.join(DIMENSIONS)}")
    figures = {value: reader.get(figure_key(by, value)) for value in _values(reader, by)}
    return {value: figure for value, figure in sorted(figures.items()) if type(figure) is int and figure}


def values_of(entry: Instrument | None) -> dict[tuple[str, str], int]:
    """Return what an instrument adds to each (dimension, value). A proposal adds nothing."""
    if entry is None or entry["status"] == "proposed":  # L16
        return {}
    found: Counter[tuple[str, str]] = Counter()
    date = entry.get("date_publication") or entry.get("date_document")
    found["year", date[:4] if date else UNDATED] += 1
    for area in entry.get("is_about") or (UNSTATED,):
        found["area", area] += 1
    for issuer in issuers_of(entry) or (UNSTATED,):
        found["issuer", issuer] += 1
    for field in ("level", "type_document", "origin"):
        found[field, entry.get(field) or UNSTATED] += 1
    for event in entry["events"]:
        found["action", event["action"]] += 1
    for code in dict.fromkeys(finding["code"] for finding in entry.get("findings", ())):
        found["finding", code] += 1
    return dict(found)


def recount(view: View, before: Instrument | None, after: Instrument | None) -> None:  # L16
    """Bring the counters from one form of an instrument to the next (None: there is none)."""
    old, new = values_of(before), values_of(after)
    for key in dict.fromkeys([*old, *new]):
        change = new.get(key, 0) - old.get(key, 0)
        if change:
            _add(view, *key, change)


def _add(view: View, by: str, value: str, change: int) -> None:
    key = figure_key(by, value)
    figure: Any = view.get(key)
    if figure is None:
        _list_value(view, by, value)
        figure = 0
    view.put(key, figure + change)  # 0 stays, so that a value is listed once


def _list_value(view: View, by: str, value: str) -> None:
    count = distinct(view, by)
    key = page_key(by, count // PAGE_VALUES)
    page: Any = view.get(key) or []
    view.put(key, [*page, value])
    view.put(dimension_key(by), {"count": count + 1})


def _values(reader: Reader, by: str) -> list[str]:
    pages = -(-distinct(reader, by) // PAGE_VALUES)
    found: list[str] = []
    for page in range(pages):
        values: Any = reader.get(page_key(by, page))
        found += values
    return found


def distinct(reader: Reader, by: str) -> int:
    """Return how many values a dimension ever had."""
    entry: Any = reader.get(dimension_key(by))
    return 0 if entry is None else int(entry["count"])
