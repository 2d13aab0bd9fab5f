"""Queries of the SQL index about process data: one type, the objects of an id, an object's items.

Law: as ``lists``.
"""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from typing import Any

from coseal.contracts.process.lists import object_entry
from coseal.node.index.queries import height
from coseal.node.index.rows import columns, shown


@dataclass(frozen=True, slots=True)
class ItemPlace:
    """Where an item of process data lies: its number, source, sequence, block and transaction (-1: it fell due)."""

    number: int
    source: str
    sequence: int
    height: int
    position: int


def process_type(connection: sqlite3.Connection, type_id: str) -> tuple[int, dict[str, Any]]:
    """Return (height, versions, event types with counts, object types with counts) of one process type."""
    versions = connection.execute(
        "SELECT version, title, definition, height, position FROM process_types WHERE id = ? ORDER BY version",
        (type_id,),
    ).fetchall()
    events = connection.execute(
        "SELECT name, events FROM activities WHERE process_type = ? ORDER BY name", (type_id,)
    ).fetchall()
    objects = connection.execute(
        "SELECT type, count(*) FROM objects WHERE process_type = ? GROUP BY type ORDER BY type", (type_id,)
    ).fetchall()
    found = {
        "versions": shown(versions, columns),
        "events": {row[0]: row[1] for row in events},
        "objects": {row[0]: row[1] for row in objects},
    }
    return height(connection), found


def objects_named(
    connection: sqlite3.Connection, name: str, object_type: str | None, process_type: str | None
) -> tuple[int, list[dict[str, Any]]]:
    """Return (height, the objects of this id), at most 100; types narrow them down."""
    rows = connection.execute(
        "SELECT o.*, (SELECT count(*) FROM item_objects WHERE object = o.id) AS items FROM objects o"
        " WHERE o.name = :name AND (:type IS NULL OR o.type = :type)"
        " AND (:process_type IS NULL OR o.process_type = :process_type) ORDER BY o.id LIMIT 100",
        {"name": name, "type": object_type, "process_type": process_type},
    ).fetchall()
    return height(connection), [{**object_entry(dict(row)), "number": row["id"]} for row in rows]


def item_at(connection: sqlite3.Connection, source: str, sequence: int) -> tuple[int, ItemPlace | None]:
    """Return (height, place of an item of a source), None if the source has no item of this number."""
    row = connection.execute(
        "SELECT * FROM batches WHERE source = ? AND sequence <= ? ORDER BY sequence DESC LIMIT 1", (source, sequence)
    ).fetchone()
    place = None
    if row is not None and sequence < row["sequence"] + row["items"]:
        offset = sequence - row["sequence"]
        where = (row["height"], row["position"])
        place = ItemPlace(row["first_item"] + offset, row["source"], sequence, *where)
    return height(connection), place


def items_of(
    connection: sqlite3.Connection, number: int, *, after: int, limit: int, until_height: int
) -> tuple[int, list[ItemPlace]]:
    """Return (height, places of an object's items after item ``after``, in ledger order, up to ``until_height``)."""
    rows = connection.execute(
        "SELECT l.item, b.* FROM item_objects l JOIN batches b ON b.first_item ="
        " (SELECT max(first_item) FROM batches WHERE first_item <= l.item)"
        " WHERE l.object = ? AND l.item > ? AND b.height <= ? ORDER BY l.item LIMIT ?",
        (number, after, until_height, limit),
    ).fetchall()
    places = []
    for row in rows:
        offset = row["item"] - row["first_item"]
        where = (row["height"], row["position"])
        places.append(ItemPlace(row["item"], row["source"], row["sequence"] + offset, *where))
    return height(connection), places
