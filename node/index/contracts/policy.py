"""Queries of the SQL index about the policy register: figures, relations, who issues together.

Law: as ``lists``; what is proposed is counted nowhere.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence
from typing import Any, Final

from coseal.contracts.policy.lists import POLICIES
from coseal.node.index import lists
from coseal.node.index.queries import height
from coseal.node.index.rows import columns

DIMENSIONS: Final[Mapping[str, str]] = {
    "year": "policies.year",
    "area": "coalesce(a.area, 'unstated')",
    "level": "policies.level",
    "issuer": "coalesce(i.issuer, 'unstated')",
    "type_document": "policies.type_document",
    "status": "policies.status",
    "origin": "policies.origin",
    "source": "coalesce(nullif(policies.source, ''), 'unstated')",
}
"""What policies can be counted by, and the SQL of it."""
MAX_EDGES: Final = 1_000


class TooMany(Exception):
    """The answer would have more than ``lists.MAX_ROWS`` rows; ask for fewer dimensions, or filter."""


def policy_statistics(
    connection: sqlite3.Connection, by: Sequence[str], filters: Mapping[str, str]
) -> tuple[int, int, list[dict[str, Any]]]:
    """Return (height, number of instruments, counts by the dimensions ``by``), proposed ones left out.

    An instrument with several areas or issuers counts once for each of them.
    """
    names = ", ".join(DIMENSIONS[name] for name in by)
    joins = "LEFT JOIN policy_areas a ON a.policy = policies.id " if "area" in by else ""
    joins += "LEFT JOIN policy_issuers i ON i.policy = policies.id " if "issuer" in by else ""
    where = lists.where(POLICIES, filters, "status <> 'proposed'")
    rows = connection.execute(
        f"SELECT {names}, count(*) FROM policies {joins}WHERE {where} GROUP BY {names} ORDER BY {names}"
        f" LIMIT {lists.MAX_ROWS + 1}",
        filters,
    ).fetchall()
    if len(rows) > lists.MAX_ROWS:
        raise TooMany
    total = connection.execute(f"SELECT count(*) FROM policies WHERE {where}", filters).fetchone()[0]
    return height(connection), total, [{**dict(zip(by, row, strict=False)), "count": row[len(by)]} for row in rows]


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
            edges += [{**columns(row), "depth": distance} for row in rows]
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
    where = lists.where(POLICIES, filters, "status <> 'proposed'")
    both = "" if acted else " AND one.joint AND other.joint"
    rows = connection.execute(
        "SELECT one.issuer, other.issuer, count(*) AS number FROM policies"
        " JOIN policy_issuers one ON one.policy = policies.id"
        f" JOIN policy_issuers other ON other.policy = policies.id AND one.issuer < other.issuer{both}"
        f" WHERE {where} GROUP BY 1, 2 ORDER BY number DESC, 1, 2 LIMIT {lists.MAX_ROWS + 1}",
        filters,
    ).fetchall()
    if len(rows) > lists.MAX_ROWS:
        raise TooMany
    return height(connection), [{"issuers": [row[0], row[1]], "count": row[2]} for row in rows]
