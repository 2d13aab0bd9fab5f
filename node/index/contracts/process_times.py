"""Queries of the SQL index about the time that cases take: a histogram of it, and their events as dots over time.

Law: as ``process_flows`` with filters; a chart is of a bounded number of cases and events, and says of how many.
"""

from __future__ import annotations

import json
import sqlite3
from collections import Counter
from collections.abc import Mapping
from typing import Any, Final

from coseal.node.index.contracts.process_filters import condition
from coseal.node.index.contracts.process_flows import activities_of, chosen, numbers_of
from coseal.node.index.contracts.process_views import view_of
from coseal.node.index.queries import bounded, height

BINS: Final = 20
DOTTED_EVENTS: Final = 3_000
_S, _M, _H, _D = 1_000, 60_000, 3_600_000, 86_400_000
_WIDTHS: Final = (
    *(size * step for step in (1, 10, 100) for size in (1, 2, 5)),
    *(size * _S for size in (1, 2, 5, 10, 15, 30)),
    *(size * _M for size in (1, 2, 5, 10, 15, 30)),
    *(size * _H for size in (1, 2, 3, 6, 12)),
    *(size * _D for size in (1, 2, 5, 10, 30, 60, 90, 180, 365)),
)
"""Widths of a bin that a person can read."""


def times(
    connection: sqlite3.Connection,
    process_type: str,
    object_type: str | None,
    filters: Mapping[str, Any],
    *,
    recorded: bool = False,
) -> tuple[int, dict[str, Any]]:
    """Return (height, how long the cases that pass took so far): mean, median, 90 %, 95 %, longest, and ``bins``.

    Bins are of one width, such that 19 in 20 cases fall into the first ``BINS``; the last has all that took longer,
    and its ``to_ms`` is None.
    """
    kind, types = chosen(connection, process_type, object_type)
    numbers = numbers_of(activities_of(connection, process_type))
    where, values = condition(kind["id"], filters, numbers, recorded=recorded)
    found: dict[str, Any] = {"type": kind.get("type"), "types": types, "cases": 0, "bins": []}
    found |= dict.fromkeys(("mean_ms", "median_ms", "ninth_ms", "longest_ms"))
    with bounded(connection):
        view = view_of(connection, kind, recorded=recorded)
        rows = connection.cursor()
        rows.row_factory = None
        took_ms = f"SELECT t.last_ms - t.first_ms AS took FROM traces t WHERE {where} AND took IS NOT NULL"
        rows.execute(view.prefix + took_ms, {**values, **view.values})
        took = sorted(one for (one,) in rows)
    if not took:
        return height(connection), found
    last = len(took) - 1
    start, width = _bins(took[0], took[last * 19 // 20])
    cases = Counter(min((one - start) // width, BINS - 1) for one in took)
    bins: list[dict[str, int | None]] = [
        {"from_ms": start + number * width, "to_ms": start + (number + 1) * width, "cases": cases[number]}
        for number in range(max(cases) + 1)
    ]
    if start + len(bins) * width <= took[last]:
        bins[-1]["to_ms"] = None
    found |= {"cases": len(took), "mean_ms": sum(took) // len(took), "longest_ms": took[last], "bins": bins}
    return height(connection), found | {"median_ms": took[last // 2], "ninth_ms": took[last * 9 // 10]}


def _bins(least_ms: int, most_ms: int) -> tuple[int, int]:
    """Return where the first bin begins, and the width of each."""
    needed = (most_ms - least_ms) // (BINS - 1) + 1
    year = _WIDTHS[-1]
    width = next((one for one in _WIDTHS if one >= needed), -(-needed // year) * year)
    return least_ms // width * width, width


def dots(
    connection: sqlite3.Connection,
    process_type: str,
    object_type: str | None,
    filters: Mapping[str, Any],
    limit: int,
    *,
    recorded: bool = False,
) -> tuple[int, dict[str, Any]]:
    """Return (height, the events of ``limit`` cases that pass, by time): the dotted chart.

    ``activities`` has the names, ``cases`` of each its id and its ``dots``, pairs of (place in the names, time in ms);
    ``total`` is how many pass. Of more than ``limit`` it has some, spread evenly over the order in which they began.
    At most ``DOTTED_EVENTS`` events: fewer cases then.
    """
    kind, types = chosen(connection, process_type, object_type)
    names = activities_of(connection, process_type)
    where, values = condition(kind["id"], filters, numbers_of(names), recorded=recorded)
    with bounded(connection):
        view = view_of(connection, kind, recorded=recorded)
        found = connection.cursor()
        found.row_factory = None
        found.execute(
            f"{view.prefix}SELECT t.object, t.events FROM traces t {view.indexed_by('traces_by_kind')}"
            f" WHERE {where} AND t.first_ms IS NOT NULL ORDER BY t.object",
            {**values, **view.values},
        )
        passing = found.fetchall()
        kept = _spread(passing, limit)
        named = dict(
            found.execute(
                "SELECT id, name FROM objects WHERE id IN (SELECT value FROM json_each(?))", (json.dumps(kept),)
            )
        )
        rows = connection.execute(
            f"{view.prefix}SELECT object, activity, time_ms FROM item_objects"
            " WHERE object IN (SELECT value FROM json_each(:kept))"
            " AND activity IS NOT NULL AND time_ms IS NOT NULL ORDER BY object, item LIMIT :most",
            {**view.values, "kept": json.dumps(kept), "most": DOTTED_EVENTS},
        ).fetchall()
    places = {number: place for place, number in enumerate(sorted({row["activity"] for row in rows}))}
    of_case: dict[int, list[list[int]]] = {number: [] for number in kept}
    for row in rows:
        of_case[row["object"]].append([places[row["activity"]], row["time_ms"]])
    return height(connection), {
        "type": kind.get("type"),
        "types": types,
        "activities": [names[number] for number in places],
        "total": len(passing),
        "cases": [{"id": named[number], "dots": of_case[number]} for number in kept],
    }


def _spread(passing: list[tuple[int, int]], limit: int) -> list[int]:
    """Return at most ``limit`` cases of (number, events), at even distances, with at most ``DOTTED_EVENTS`` events."""
    if not passing:
        return []
    mean = -(-sum(events for _, events in passing) // len(passing))
    count = min(limit, len(passing), max(1, DOTTED_EVENTS // max(1, mean)))
    kept, events = list[int](), 0
    for place in range(count):
        number, of_case = passing[place * len(passing) // count]
        events += of_case
        if events > DOTTED_EVENTS and kept:
            break
        kept.append(number)
    return kept
