"""Queries of the SQL index about processes as wholes: the map of an object type, its variants, its cases.

Law: as ``lists``; what a query without filters costs depends on activities, flows and the size of its page, never on
how many events or cases there are. With filters it counts the cases that pass, or those that do not where these are
fewer, and is bounded (``queries.bounded``).
"""

from __future__ import annotations

import json
import sqlite3
from bisect import bisect_right
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from typing import Any, Final

from coseal.contracts.process.flows import EDGE, MAX_VARIANT, class_ms, longest_of_class, time_class
from coseal.node.index.contracts.process_filters import condition
from coseal.node.index.contracts.process_views import View, recorded_links, view_of
from coseal.node.index.lists import Page
from coseal.node.index.queries import bounded, height
from coseal.node.index.rows import shown

_NO_KIND: Final = {"id": 0, "cases": 0, "events": 0, "variants": 0}
ORDERS: Final = {"begun": "", "longest": "DESC", "shortest": "ASC"}
"""How cases are listed: in the order of their first item, or by how long they took so far."""

_STANDING: Final = (
    "SELECT object, activity, time_ms FROM item_objects WHERE object IN (SELECT value FROM json_each(?))"
    " AND activity IS NOT NULL ORDER BY object, item"
)

_Flow = tuple[int, int]
_Counts = tuple[dict[_Flow, int], dict[_Flow, int], dict[_Flow, Counter[int]]]
"""Of each flow (before, after): how often, the sum of its times, and how often each class of time."""


def process_map(
    connection: sqlite3.Connection,
    process_type: str,
    object_type: str | None,
    limit: int,
    filters: Mapping[str, Any] | None = None,
    *,
    recorded: bool = False,
) -> tuple[int, dict[str, Any]]:
    """Return (height, the directly-follows map of one object type), of flows the ``limit`` most frequent.

    Without ``object_type`` the one with most events is taken; ``types`` lists them all. ``filters`` and ``recorded``:
    see ``cases``.
    """
    kind, types = chosen(connection, process_type, object_type)
    names = activities_of(connection, process_type)
    counts = _all_flows(connection, kind["id"])
    figures: dict[str, int] = {name: kind[name] for name in ("cases", "events", "variants")}
    with bounded(connection):
        view = view_of(connection, kind, recorded=recorded)
        if filters:
            figures, counts = _filtered(connection, kind, filters, names, counts, view)
        elif recorded:
            figures, counts = _recorded(connection, kind, counts, view)
    flows, totals, classes = counts
    rows = sorted(((count, flow) for flow, count in flows.items() if count), key=lambda one: (-one[0], one[1]))
    events: dict[int, int] = defaultdict(int)
    for count, (_, after) in rows:
        events[after] += count
    between = [(count, flow) for count, flow in rows if EDGE not in flow]
    activities: list[dict[str, Any]] = [
        {
            "activity": names[number],
            "events": count,
            "starts": flows.get((EDGE, number), 0),
            "ends": flows.get((number, EDGE), 0),
        }
        for number, count in events.items()
        if number != EDGE
    ]

    def entry(row: tuple[int, _Flow]) -> dict[str, Any]:
        count, pair = row
        times = classes.get(pair, Counter()) if filters or recorded else _classes(connection, kind["id"], pair)
        timed = sum(times.values())
        head = {"from": names[pair[0]], "to": names[pair[1]], "count": count}
        mean_ms = totals[pair] // timed if timed else None
        return {**head, "mean_ms": mean_ms, "median_ms": _median(times, timed)}

    found = {
        "type": kind.get("type"),
        "types": types,
        **figures,
        "cases_in_all": view.cases,
        "activities": sorted(activities, key=lambda one: (-one["events"], one["activity"])),
        "flows": shown(between[:limit], entry),
        "flows_in_all": len(between),
    }
    return height(connection), found


def _all_flows(connection: sqlite3.Connection, kind: int) -> _Counts:
    """Return the flows of all cases, as they were counted; classes are read where they are needed."""
    rows = connection.execute(
        "SELECT before, after, count, total_ms FROM flows WHERE kind = ? AND count > 0", (kind,)
    ).fetchall()
    pairs = {(row["before"], row["after"]): row for row in rows}
    counts = {pair: row["count"] for pair, row in pairs.items()}
    return counts, {pair: row["total_ms"] for pair, row in pairs.items()}, {}


def _classes(connection: sqlite3.Connection, kind: int, flow: _Flow) -> Counter[int]:
    rows = connection.execute(
        "SELECT class, count FROM flow_times WHERE kind = ? AND before = ? AND after = ?", (kind, *flow)
    )
    return Counter(dict(map(tuple, rows)))


def _recorded(
    connection: sqlite3.Connection, kind: Mapping[str, Any], all_counts: _Counts, view: View
) -> tuple[dict[str, int], _Counts]:
    """Return the figures and flows as they were recorded: those that were counted, but for the corrected objects."""
    now, then = _flows_of(connection, view.objects), _flows_of(connection, view.objects, recorded_links())
    flows, totals = Counter(all_counts[0]), Counter(all_counts[1])
    flows.subtract(now[0])
    flows.update(then[0])
    totals.subtract(now[1])
    totals.update(then[1])
    classes = {}
    for flow, count in flows.items():
        if EDGE not in flow and count > 0:
            classes[flow] = _classes(connection, kind["id"], flow)
            classes[flow].subtract(now[2].get(flow, {}))
            classes[flow].update(then[2].get(flow, {}))
    events = sum(count for (_, after), count in flows.items() if after != EDGE)
    distinct = f"{view.prefix}SELECT count(DISTINCT t.variant) FROM traces t WHERE t.kind = :kind"
    (variants_in_all,) = connection.execute(distinct, view.values).fetchone()
    return {"cases": view.cases, "events": events, "variants": variants_in_all}, (flows, totals, classes)


def _filtered(
    connection: sqlite3.Connection,
    kind: Mapping[str, Any],
    filters: Mapping[str, Any],
    names: Mapping[int, str],
    all_counts: _Counts,
    view: View,
) -> tuple[dict[str, int], _Counts]:
    """Return the figures and flows of the cases that pass: counted, or all less those that do not pass if these are
    fewer. Everything here is a sum over cases, so both are the same.
    """
    where, values = condition(kind["id"], filters, numbers_of(names), recorded=view.recorded)
    rows = connection.execute(
        f"{view.prefix}SELECT t.object, t.events, t.variant FROM traces t WHERE {where}", {**values, **view.values}
    ).fetchall()
    passing = {row["object"] for row in rows}
    events = sum(row["events"] for row in rows)
    figures = {"cases": len(rows), "events": events, "variants": len({row["variant"] for row in rows})}
    if view.recorded:
        return figures, _flows_of(connection, sorted(passing), recorded_links())
    if 2 * events <= kind["events"]:
        return figures, _flows_of(connection, sorted(passing))
    every = connection.execute("SELECT object FROM traces WHERE kind = ? ORDER BY object", (kind["id"],))
    less = _flows_of(connection, [number for (number,) in every if number not in passing])
    flows, totals, _ = all_counts
    classes = {}
    for flow in flows:
        if EDGE not in flow and flows[flow] > less[0].get(flow, 0):
            classes[flow] = _classes(connection, kind["id"], flow)
            classes[flow].subtract(less[2].get(flow, {}))
    counts = {flow: count - less[0].get(flow, 0) for flow, count in flows.items()}
    return figures, (counts, {flow: total - less[1].get(flow, 0) for flow, total in totals.items()}, classes)


def _flows_of(connection: sqlite3.Connection, objects: Sequence[int], query: str = _STANDING) -> _Counts:
    """Count the flows of some objects, whose numbers are in order, from their events as they stand or were recorded."""
    took: dict[_Flow, list[int]] = defaultdict(list)
    untimed = Counter[_Flow]()
    events = connection.cursor()
    events.row_factory = None
    events.execute(query, (json.dumps(objects),))
    at, before, since = 0, EDGE, None
    for number, activity, time_ms in events:
        if number != at:
            untimed[before, EDGE] += 1
            untimed[EDGE, activity] += 1
            at = number
        elif time_ms is None or since is None:
            untimed[before, activity] += 1
        else:
            took[before, activity].append(time_ms - since)
        before, since = activity, time_ms
    untimed[before, EDGE] += 1
    del untimed[EDGE, EDGE]  # before the first case
    counts = {flow: untimed[flow] + len(took.get(flow, ())) for flow in took.keys() | untimed.keys()}
    return counts, {flow: sum(some) for flow, some in took.items()}, {flow: _classed(took[flow]) for flow in took}


def _classed(times: list[int]) -> Counter[int]:
    """Count times by their class: one look at each class, however many times there are."""
    times.sort()
    found, place = Counter[int](), 0
    while place < len(times):
        number = time_class(times[place])
        following = bisect_right(times, longest_of_class(number), place)
        found[number], place = following - place, following
    return found


def chosen(
    connection: sqlite3.Connection, process_type: str, object_type: str | None
) -> tuple[dict[str, Any], list[str]]:
    """Return the row of an object type, and the names of all that have events, most events first."""
    rows = connection.execute(
        "SELECT * FROM trace_kinds WHERE process_type = ? ORDER BY events DESC, type", (process_type,)
    ).fetchall()
    types = [row["type"] for row in rows]
    found = next((dict(row) for row in rows if object_type in (None, row["type"])), None)
    return found or {**_NO_KIND, "type": object_type}, types


def activities_of(connection: sqlite3.Connection, process_type: str) -> dict[int, str]:
    """Return the names of activities by their numbers."""
    rows = connection.execute("SELECT id, name FROM activities WHERE process_type = ?", (process_type,))
    return {row["id"]: row["name"] for row in rows}


def numbers_of(names: Mapping[int, str]) -> dict[str, int]:
    """Return the number of each activity by its name."""
    return {name: number for number, name in names.items()}


def _median(classes: Mapping[int, int], timed: int) -> int | None:
    """Return the middle of the class in which the median (the lower one) lies."""
    passed = 0
    for number in sorted(classes):
        passed += classes[number]
        if timed and 2 * passed >= timed:
            return class_ms(number)
    return None


def variants(
    connection: sqlite3.Connection,
    process_type: str,
    object_type: str | None,
    after: Sequence[int],
    limit: int,
    filters: Mapping[str, Any] | None = None,
    *,
    recorded: bool = False,
) -> tuple[int, dict[str, Any], Page]:
    """Return (height, the object type's figures, a page of its variants, most cases first).

    ``after`` is (cases, id) of the last one of the page before, or empty. ``filters`` and ``recorded``: see ``cases``.
    """
    kind, types = chosen(connection, process_type, object_type)
    names = activities_of(connection, process_type)
    start = tuple(after) or (2**62, 0)
    values = {"kind": kind["id"], "cases": start[0], "id": start[1], "limit": limit + 1}
    figures = {"cases": kind["cases"], "variants": kind["variants"]}
    source = "variants WHERE kind = :kind AND cases > 0"
    with bounded(connection):
        view = view_of(connection, kind, recorded=recorded)
        if filters or recorded:
            where, more = condition(kind["id"], filters or {}, numbers_of(names), recorded=recorded)
            values |= {**more, **view.values}
            source = f"(SELECT t.variant AS id, count(*) AS cases FROM traces t WHERE {where} GROUP BY t.variant)"
            source += " WHERE TRUE"
            counted = connection.execute(
                f"{view.prefix}SELECT coalesce(sum(cases), 0), count(*) FROM {source}", values
            ).fetchone()
            figures = dict(zip(("cases", "variants"), counted, strict=True))
        rows = connection.execute(
            f"{view.prefix}SELECT id, cases FROM {source} AND cases <= :cases"
            " AND (cases < :cases OR id > :id) ORDER BY cases DESC, id LIMIT :limit",
            values,
        ).fetchall()

    def variant(row: sqlite3.Row) -> dict[str, Any]:
        path = view.path(connection, row["id"])
        return {
            "variant": row["id"],
            "cases": row["cases"],
            "length": len(path),
            "or_longer": len(path) == MAX_VARIANT,
            "activities": [names[number] for number in path],
        }

    items = shown(rows[:limit], variant)
    following = f"{rows[limit - 1]['cases']}-{rows[limit - 1]['id']}" if len(rows) > limit else None
    return height(connection), {"type": kind.get("type"), "types": types, **figures}, Page(items, following)


def cases(
    connection: sqlite3.Connection,
    process_type: str,
    object_type: str | None,
    filters: Mapping[str, Any],
    after: Sequence[int],
    limit: int,
    order: str = "begun",
    *,
    recorded: bool = False,
) -> tuple[int, dict[str, Any], Page]:
    """Return (height, the object type's figures, a page of its objects with events, in one of ``ORDERS``).

    ``filters``: ``variant`` (its id), ``first`` and ``last`` (the activity that came first, last), ``activity`` (one
    that occurs), ``before`` and ``after`` (one right after the other), ``from_ms`` and ``to_ms`` with ``during`` (one
    of ``DURING``), ``least_ms`` and ``below_ms`` (how long it took so far). ``after`` is the place of the last one of
    the page before: its number, and how long it took if that is the order; or empty. ``recorded``: corrections are
    events of their own, else they stand in the place of what they correct.
    """
    kind, types = chosen(connection, process_type, object_type)
    names = activities_of(connection, process_type)
    where, values = condition(kind["id"], filters, numbers_of(names), recorded=recorded)
    direction = ORDERS[order]
    took = "coalesce(t.last_ms - t.first_ms, 0)"
    by, sorted_by = "kind", f"{took} {direction}, t.object" if direction else "t.object"
    if not direction and not set(filters) - {"variant", "last"}:
        by = "variant" if "variant" in filters else "activity" if "last" in filters else "kind"
    values |= {"limit": limit + 1}
    if after:
        values |= {"object": after[0], "took": after[-1]}
        beyond = f"({took} {'<' if direction == 'DESC' else '>'} :took OR {took} = :took AND t.object > :object)"
        where += f" AND {beyond if direction else 't.object > :object'}"
    with bounded(connection):
        view = view_of(connection, kind, recorded=recorded)
        rows = connection.execute(
            f"{view.prefix}SELECT t.*, {took} AS took, o.name, o.height AS first_height, o.position AS first_position"
            f" FROM traces t {view.indexed_by(f'traces_by_{by}')} JOIN objects o ON o.id = t.object"
            f" WHERE {where} ORDER BY {sorted_by} LIMIT :limit",
            {**values, **view.values},
        ).fetchall()

    def case(row: sqlite3.Row) -> dict[str, Any]:
        return {
            "id": row["name"],
            "events": row["events"],
            "first_ms": row["first_ms"],
            "last_ms": row["last_ms"],
            "last": names[row["activity"]],
            "variant": row["variant"],
            "first": {"height": row["first_height"], "index": row["first_position"]},
        }

    items = shown(rows[:limit], case)
    following = None
    if len(rows) > limit:
        last = rows[limit - 1]
        following = "_".join(map(str, (last["object"], last["took"]) if direction else (last["object"],)))
    figures = {"type": kind.get("type"), "types": types, "cases": view.cases}
    return height(connection), figures, Page(items, following)
