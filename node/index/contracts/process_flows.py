"""Queries of the SQL index about processes as wholes: the map of an object type, its variants, its cases.

Law: as ``lists``; what a query costs depends on activities, flows and the size of its page, never on how many
events or cases there are.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence
from typing import Any, Final

from coseal.contracts.process.flows import EDGE, MAX_VARIANT, class_ms
from coseal.node.index.lists import Page
from coseal.node.index.queries import height
from coseal.node.index.rows import shown

_NO_KIND: Final = {"id": 0, "cases": 0, "events": 0, "variants": 0}


def process_map(
    connection: sqlite3.Connection, process_type: str, object_type: str | None, limit: int
) -> tuple[int, dict[str, Any]]:
    """Return (height, the directly-follows map of one object type), of flows the ``limit`` most frequent.

    Without ``object_type`` the one with most events is taken; ``types`` lists them all.
    """
    kind, types = _chosen(connection, process_type, object_type)
    names = _names(connection, process_type)
    rows = connection.execute(
        "SELECT before, after, count, total_ms FROM flows WHERE kind = ? AND count > 0"
        " ORDER BY count DESC, before, after",
        (kind["id"],),
    ).fetchall()
    events: dict[int, int] = {}
    for row in rows:
        events[row["after"]] = events.get(row["after"], 0) + row["count"]
    between = [row for row in rows if EDGE not in (row["before"], row["after"])]
    starts = {row["after"]: row["count"] for row in rows if row["before"] == EDGE}
    ends = {row["before"]: row["count"] for row in rows if row["after"] == EDGE}
    activities = [
        {"activity": names[number], "events": count, "starts": starts.get(number, 0), "ends": ends.get(number, 0)}
        for number, count in events.items()
        if number != EDGE
    ]
    found = {
        "type": kind.get("type"),
        "types": types,
        **{name: kind[name] for name in ("cases", "events", "variants")},
        "activities": sorted(activities, key=lambda one: (-one["events"], one["activity"])),
        "flows": shown(between[:limit], lambda row: _flow(connection, kind["id"], row, names)),
        "flows_in_all": len(between),
    }
    return height(connection), found


def _chosen(
    connection: sqlite3.Connection, process_type: str, object_type: str | None
) -> tuple[dict[str, Any], list[str]]:
    """Return the row of an object type, and the names of all that have events, most events first."""
    rows = connection.execute(
        "SELECT * FROM trace_kinds WHERE process_type = ? ORDER BY events DESC, type", (process_type,)
    ).fetchall()
    types = [row["type"] for row in rows]
    chosen = next((dict(row) for row in rows if object_type in (None, row["type"])), None)
    return chosen or {**_NO_KIND, "type": object_type}, types


def _names(connection: sqlite3.Connection, process_type: str) -> dict[int, str]:
    rows = connection.execute("SELECT id, name FROM activities WHERE process_type = ?", (process_type,))
    return {row["id"]: row["name"] for row in rows}


def _flow(connection: sqlite3.Connection, kind: int, row: sqlite3.Row, names: Mapping[int, str]) -> dict[str, Any]:
    classes = connection.execute(
        "SELECT class, count FROM flow_times WHERE kind = ? AND before = ? AND after = ? ORDER BY class",
        (kind, row["before"], row["after"]),
    ).fetchall()
    timed = sum(count for _, count in classes)
    mean_ms = row["total_ms"] // timed if timed else None
    head = {"from": names[row["before"]], "to": names[row["after"]], "count": row["count"]}
    return {**head, "mean_ms": mean_ms, "median_ms": _median(classes, timed)}


def _median(classes: Sequence[sqlite3.Row], timed: int) -> int | None:
    """Return the middle of the class in which the median (the lower one) lies."""
    passed = 0
    for number, count in classes:
        passed += count
        if 2 * passed >= timed:
            return class_ms(number)
    return None


def variants(
    connection: sqlite3.Connection, process_type: str, object_type: str | None, after: Sequence[int], limit: int
) -> tuple[int, dict[str, Any], Page]:
    """Return (height, the object type's figures, a page of its variants, most cases first).

    ``after`` is (cases, id) of the last one of the page before, or empty.
    """
    kind, types = _chosen(connection, process_type, object_type)
    names = _names(connection, process_type)
    start = tuple(after) or (2**62, 0)
    rows = connection.execute(
        "SELECT id, cases, length FROM variants WHERE kind = :kind AND cases > 0 AND cases <= :cases"
        " AND (cases < :cases OR id > :id) ORDER BY cases DESC, id LIMIT :limit",
        {"kind": kind["id"], "cases": start[0], "id": start[1], "limit": limit + 1},
    ).fetchall()

    def variant(row: sqlite3.Row) -> dict[str, Any]:
        return {
            "variant": row["id"],
            "cases": row["cases"],
            "length": row["length"],
            "or_longer": row["length"] == MAX_VARIANT,
            "activities": [names[number] for number in _path(connection, row["id"])],
        }

    items = shown(rows[:limit], variant)
    following = f"{rows[limit - 1]['cases']}-{rows[limit - 1]['id']}" if len(rows) > limit else None
    figures = {"type": kind.get("type"), "types": types, "cases": kind["cases"], "variants": kind["variants"]}
    return height(connection), figures, Page(items, following)


def _path(connection: sqlite3.Connection, node: int) -> list[int]:
    """Return the activities from a variant's first event to its last."""
    found = []
    while node != EDGE:
        node, activity = connection.execute("SELECT parent, activity FROM variants WHERE id = ?", (node,)).fetchone()
        found.append(activity)
    return found[::-1]


def cases(
    connection: sqlite3.Connection,
    process_type: str,
    object_type: str | None,
    filters: Mapping[str, Any],
    after: int,
    limit: int,
) -> tuple[int, dict[str, Any], Page]:
    """Return (height, the object type's figures, a page of its objects with events, in the order of their first item).

    ``filters``: ``variant`` (its id), ``last`` (the activity that came last).
    """
    kind, types = _chosen(connection, process_type, object_type)
    names = _names(connection, process_type)
    numbers = {name: number for number, name in names.items()}
    values = {"kind": kind["id"], "after": after, "limit": limit + 1, "variant": filters.get("variant")}
    where = "t.kind = :kind AND t.object > :after"
    if "variant" in filters:
        where += " AND t.variant = :variant"
    if "last" in filters:
        where += " AND t.activity = :last"
        values["last"] = numbers.get(filters["last"], -1)
    by = "variant" if "variant" in filters else "activity" if "last" in filters else "kind"
    rows = connection.execute(
        f"SELECT t.*, o.name, o.height, o.position FROM traces t INDEXED BY traces_by_{by}"
        f" JOIN objects o ON o.id = t.object"
        f" WHERE {where} ORDER BY t.object LIMIT :limit",
        values,
    ).fetchall()

    def case(row: sqlite3.Row) -> dict[str, Any]:
        return {
            "id": row["name"],
            "events": row["events"],
            "first_ms": row["first_ms"],
            "last_ms": row["last_ms"],
            "last": names[row["activity"]],
            "variant": row["variant"],
            "first": {"height": row["height"], "index": row["position"]},
        }

    items = shown(rows[:limit], case)
    following = str(rows[limit - 1]["object"]) if len(rows) > limit else None
    figures = {"type": kind.get("type"), "types": types, "cases": kind["cases"]}
    return height(connection), figures, Page(items, following)
