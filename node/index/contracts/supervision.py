"""Queries of the SQL index about supervision: functions of a read connection, to be run through ``Index.query``.

Law: as ``lists``.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping
from typing import Any

from coseal.contracts.supervision.lists import FINDINGS
from coseal.node.index import lists
from coseal.node.index.queries import height
from coseal.node.index.rows import columns, shown


def versions(connection: sqlite3.Connection, rule: str) -> tuple[int, list[dict[str, Any]]]:
    """Return (height, version, status and place of every version of one rule), at most 1,000."""
    found = connection.execute(
        "SELECT version, status, proposer, ballot, height, position FROM rules WHERE id = ?"
        " ORDER BY version LIMIT 1000",
        (rule,),
    ).fetchall()
    return height(connection), shown(found, columns)


def finding_counts(connection: sqlite3.Connection, filters: Mapping[str, str]) -> tuple[int, list[dict[str, Any]]]:
    """Return (height, how many findings there are of each rule and status), at most 1,000 rows."""
    found = connection.execute(
        "SELECT process_type, rule, severity, status, count(*) AS count, sum(overdue > 0) AS overdue FROM findings"
        f" WHERE {lists.where(FINDINGS, filters)} GROUP BY 1, 2, 3, 4 ORDER BY 1, 2, 3, 4 LIMIT 1000",
        filters,
    ).fetchall()
    return height(connection), [dict(row) for row in found]


def trail(connection: sqlite3.Connection, number: int) -> tuple[int, list[dict[str, Any]]]:
    """Return (height, the steps of a finding in ledger order, with their texts)."""
    found = connection.execute("SELECT * FROM finding_steps WHERE finding = ? ORDER BY number", (number,)).fetchall()
    return height(connection), shown(found, _step)


def obliged(connection: sqlite3.Connection, process_type: str | None, limit: int) -> tuple[int, list[tuple[str, str]]]:
    """Return (height, the rules by which sources owe periodic reports, each with its source ``member/source``)."""
    found = connection.execute(
        "SELECT DISTINCT id, json_extract(document, '$.source') FROM rules WHERE kind = 'periodic'"
        " AND status NOT IN ('proposed', 'rejected') AND (:process_type IS NULL OR process_type = :process_type)"
        " ORDER BY 1, 2 LIMIT :limit",
        {"process_type": process_type, "limit": limit},
    ).fetchall()
    return height(connection), [(row[0], row[1]) for row in found]


def _step(row: sqlite3.Row) -> dict[str, Any]:
    plain = columns(row)
    tx = None if row["tx"] is None else row["tx"].hex()
    head = {"step": plain["step"], "by": plain["sender"] or None, "time_ms": plain["time_ms"]}
    late = json.loads(row["document"])
    if row["step"] == "overdue":  # the step that did not come
        late["awaited"] = late.pop("step")
    return {**head, **late, "height": plain["height"], "index": plain["index"], "tx": tx}
