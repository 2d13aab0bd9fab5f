"""Queries of the SQL index: functions of a read connection, to be run through ``Index.query``.

Law: every page is ordered by a unique key and continues exactly after its cursor; nothing is fetched without a limit;
what a user wrote is only ever a bound parameter.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from coseal.contracts.policy.instrument import issuers_of
from coseal.node.index.rows import shown

DIMENSIONS: Final[Mapping[str, str]] = {
    "year": "p.year",
    "area": "coalesce(a.area, 'unstated')",
    "level": "p.level",
    "issuer": "coalesce(i.issuer, 'unstated')",
    "type_document": "p.type_document",
    "status": "p.status",
    "origin": "p.origin",
    "source": "coalesce(nullif(p.source, ''), 'unstated')",
}
"""What policies can be counted by, and the SQL of it."""

FILTERS: Final[Mapping[str, str]] = {
    "year": "p.year = :year",
    "level": "p.level = :level",
    "status": "p.status = :status",
    "origin": "p.origin = :origin",
    "type_document": "p.type_document = :type_document",
    "member": "p.member = :member",
    "source": "p.source = :source",
    "area": "EXISTS (SELECT 1 FROM policy_areas f WHERE f.area = :area AND f.policy = p.id)",
    "issuer": "EXISTS (SELECT 1 FROM policy_issuers f WHERE f.issuer = :issuer AND f.policy = p.id)",
    "title": "instr(lower(p.title), lower(:title)) > 0",
}
MAX_ROWS: Final = 10_000
MAX_EDGES: Final = 1_000


class TooMany(Exception):
    """The answer would have more than ``MAX_ROWS`` rows; ask for fewer dimensions, or filter."""


@dataclass(frozen=True, slots=True)
class Page:
    """The items of one page, in key order; ``next`` is the key after which to go on, None at the end."""

    items: list[dict[str, Any]]
    next: str | None


@dataclass(frozen=True, slots=True)
class ItemPlace:
    """Where an item of process data lies: its number, source, sequence, block, transaction, and place in the batch."""

    number: int
    source: str
    sequence: int
    height: int
    position: int
    offset: int


def height(connection: sqlite3.Connection) -> int:
    """Return the height this snapshot of the index covers."""
    return int(connection.execute("SELECT value FROM meta WHERE key = 'height'").fetchone()[0])


def locate(connection: sqlite3.Connection, tx_id: bytes) -> tuple[int, int] | None:
    """Return (height, position) of a transaction, or None."""
    row = connection.execute("SELECT height, position FROM transactions WHERE id = ?", (tx_id,)).fetchone()
    return None if row is None else (row[0], row[1])


# Policies


def policies(connection: sqlite3.Connection, filters: Mapping[str, str], after: str, limit: int) -> tuple[int, Page]:
    """Return (height, a page of instruments by id) that pass all ``filters`` (names of ``FILTERS``)."""
    where = _where(filters, "p.id > :after")
    rows = connection.execute(
        "SELECT p.id, p.document, p.height, p.position, p.year FROM policies p"
        f" WHERE {where} ORDER BY p.id LIMIT :limit",
        {**filters, "after": after, "limit": limit + 1},
    ).fetchall()
    items = shown(rows[:limit], _policy)
    return height(connection), Page(items, rows[limit - 1]["id"] if len(rows) > limit else None)


def newest_policies(
    connection: sqlite3.Connection, filters: Mapping[str, str], after: tuple[str, str] | None, limit: int
) -> tuple[int, Page]:
    """Return (height, a page of instruments by date and id, latest first, undated ones last) after (date, id).

    ``next`` is "DATE ID". An instrument whose date changes meanwhile may be met twice, or not at all.
    """
    where = _where(filters, "(p.date, p.id) < (:date, :after)" if after else "1")
    date, policy = after or ("", "")
    rows = connection.execute(
        "SELECT p.id, p.document, p.height, p.position, p.year, p.date FROM policies p"
        f" WHERE {where} ORDER BY p.date DESC, p.id DESC LIMIT :limit",
        {**filters, "date": date, "after": policy, "limit": limit + 1},
    ).fetchall()
    items = shown(rows[:limit], _policy)
    following = f"{rows[limit - 1]['date']} {rows[limit - 1]['id']}" if len(rows) > limit else None
    return height(connection), Page(items, following)


def _policy(row: sqlite3.Row) -> dict[str, Any]:
    """Return the summary of an instrument: its fields, without the events' details."""
    document = json.loads(row["document"])
    issuers = issuers_of(document)
    events = document.pop("events")
    place = {"height": row["height"], "index": row["position"]}
    return {**document, "year": row["year"], "events": len(events), "issuers": issuers, **place}


def policy_statistics(
    connection: sqlite3.Connection, by: Sequence[str], filters: Mapping[str, str]
) -> tuple[int, int, list[dict[str, Any]]]:
    """Return (height, number of instruments, counts by the dimensions ``by``), proposed ones left out.

    An instrument with several areas or issuers counts once for each of them.
    """
    names = ", ".join(DIMENSIONS[name] for name in by)
    joins = "LEFT JOIN policy_areas a ON a.policy = p.id " if "area" in by else ""
    joins += "LEFT JOIN policy_issuers i ON i.policy = p.id " if "issuer" in by else ""
    where = _where(filters, "p.status <> 'proposed'")
    rows = connection.execute(
        f"SELECT {names}, count(*) FROM policies p {joins}WHERE {where} GROUP BY {names} ORDER BY {names}"
        f" LIMIT {MAX_ROWS + 1}",
        filters,
    ).fetchall()
    if len(rows) > MAX_ROWS:
        raise TooMany
    total = connection.execute(f"SELECT count(*) FROM policies p WHERE {where}", filters).fetchone()[0]
    return height(connection), total, [{**dict(zip(by, row, strict=False)), "count": row[len(by)]} for row in rows]


def policy_sources(connection: sqlite3.Connection) -> tuple[int, list[dict[str, Any]]]:
    """Return (height, where recorded instruments come from, with how many), at most ``MAX_ROWS`` by first record."""
    rows = connection.execute(
        "SELECT s.sha256, s.source, s.member, s.height, s.position,"
        " (SELECT count(*) FROM policies p WHERE p.source = s.sha256 AND p.status <> 'proposed') AS instruments"
        " FROM policy_sources s ORDER BY s.height, s.position LIMIT ?",
        (MAX_ROWS,),
    ).fetchall()
    return height(connection), shown(rows, _row)


def relations(connection: sqlite3.Connection, policy: str, depth: int) -> tuple[int, dict[str, Any]]:
    """Return (height, what an instrument rests on and what rests on it, each edge with its distance).

    ``up`` are edges to what it names, and what those name; ``down`` are edges of what names it. ``instruments`` says
    who they are, as far as the register has them. ``complete`` is false when there were more than ``MAX_EDGES``.
    """
    up, all_up = _walk(connection, policy, depth, "policy", "target")
    down, all_down = _walk(connection, policy, depth, "target", "policy")
    named = list(dict.fromkeys([policy, *(end for edge in [*up, *down] for end in (edge["policy"], edge["target"]))]))
    marks = ", ".join("?" * len(named))
    rows = connection.execute(f"SELECT id, title, level, status, year FROM policies WHERE id IN ({marks})", named)
    known = {row["id"]: {name: row[name] for name in ("title", "level", "status", "year")} for row in rows}
    return height(connection), {"up": up, "down": down, "instruments": known, "complete": all_up and all_down}


def _walk(
    connection: sqlite3.Connection, policy: str, depth: int, here: str, there: str
) -> tuple[list[dict[str, Any]], bool]:
    """Return the edges met from an instrument on, nearest first, and whether these are all; each end is left once."""
    edges: list[dict[str, Any]] = []
    named = f"SELECT policy, relation, target FROM policy_relations WHERE {here} = ? ORDER BY {there}, relation LIMIT ?"
    seen, ends = {policy}, [policy]
    for distance in range(1, depth + 1):
        following: list[str] = []
        for one in ends:
            rows = connection.execute(named, (one, MAX_EDGES + 1 - len(edges))).fetchall()
            edges += [{**_row(row), "depth": distance} for row in rows]
            if len(edges) > MAX_EDGES:
                return edges[:MAX_EDGES], False
            following += [row[there] for row in rows if row[there] not in seen]
            seen.update(following)
        ends = list(dict.fromkeys(following))
    return edges, True


def co_issuing(
    connection: sqlite3.Connection, filters: Mapping[str, str], *, acted: bool = False
) -> tuple[int, list[dict[str, Any]]]:
    """Return (height, how many instruments each pair of issuers passed together), most first.

    With ``acted``: how many both had a part in, whatever each did (one passed, the other approved).
    """
    where = _where(filters, "p.status <> 'proposed'")
    both = "" if acted else " AND one.joint AND other.joint"
    rows = connection.execute(
        "SELECT one.issuer, other.issuer, count(*) AS number FROM policies p"
        " JOIN policy_issuers one ON one.policy = p.id"
        f" JOIN policy_issuers other ON other.policy = p.id AND one.issuer < other.issuer{both}"
        f" WHERE {where} GROUP BY 1, 2 ORDER BY number DESC, 1, 2 LIMIT {MAX_ROWS + 1}",
        filters,
    ).fetchall()
    if len(rows) > MAX_ROWS:
        raise TooMany
    return height(connection), [{"issuers": [row[0], row[1]], "count": row[2]} for row in rows]


def _where(filters: Mapping[str, str], *more: str) -> str:
    return " AND ".join([*more, *(FILTERS[name] for name in filters)])


# Process


def process_types(connection: sqlite3.Connection) -> tuple[int, list[dict[str, Any]]]:
    """Return (height, the process types in their newest version), at most ``MAX_ROWS``."""
    rows = connection.execute(
        "SELECT id, max(version) AS version, title, member, definition, height, position FROM process_types"
        " GROUP BY id ORDER BY id LIMIT ?",
        (MAX_ROWS,),
    ).fetchall()
    return height(connection), shown(rows, _row)


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
        "versions": shown(versions, _row),
        "events": {row[0]: row[1] for row in events},
        "objects": {row[0]: row[1] for row in objects},
    }
    return height(connection), found


def sources(connection: sqlite3.Connection, process_type: str | None, after: str, limit: int) -> tuple[int, Page]:
    """Return (height, a page of sources by name)."""
    rows = connection.execute(
        "SELECT * FROM sources WHERE name > :after AND (:process_type IS NULL OR process_type = :process_type)"
        " ORDER BY name LIMIT :limit",
        {"after": after, "process_type": process_type, "limit": limit + 1},
    ).fetchall()
    items = shown(rows[:limit], _row)
    return height(connection), Page(items, rows[limit - 1]["name"] if len(rows) > limit else None)


def objects(
    connection: sqlite3.Connection, process_type: str | None, object_type: str | None, after: int, limit: int
) -> tuple[int, Page]:
    """Return (height, a page of objects in the order of their first item)."""
    rows = connection.execute(
        "SELECT o.*, (SELECT count(*) FROM item_objects WHERE object = o.id) AS items FROM objects o"
        " WHERE o.id > :after AND (:process_type IS NULL OR o.process_type = :process_type)"
        " AND (:type IS NULL OR o.type = :type) ORDER BY o.id LIMIT :limit",
        {"after": after, "process_type": process_type, "type": object_type, "limit": limit + 1},
    ).fetchall()
    items = shown(rows[:limit], _object)
    return height(connection), Page(items, str(rows[limit - 1]["id"]) if len(rows) > limit else None)


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
    return height(connection), [{**_object(row), "number": row["id"]} for row in rows]


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
        where = (row["height"], row["position"], offset)
        places.append(ItemPlace(row["item"], row["source"], row["sequence"] + offset, *where))
    return height(connection), places


def _object(row: sqlite3.Row) -> dict[str, Any]:
    return {
        "process_type": row["process_type"],
        "type": row["type"],
        "id": row["name"],
        "items": row["items"],
        "first": {"height": row["height"], "index": row["position"]},
    }


def _row(row: sqlite3.Row) -> dict[str, Any]:
    """Return a row as JSON, its place named as everywhere else."""
    return {("index" if name == "position" else name): row[name] for name in row.keys()}  # noqa: SIM118
