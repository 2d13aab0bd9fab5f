"""Queries of the SQL index about supervision: functions of a read connection, to be run through ``Index.query``.

Law: as ``lists``.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping
from typing import Any, Final

from coseal.contracts.supervision.lists import FINDINGS
from coseal.contracts.supervision.terms import SIDES
from coseal.node.index import lists
from coseal.node.index.queries import bounded, height
from coseal.node.index.rows import columns, shown

AGES_DAYS: Final = (1, 7, 30, 90)
"""Where ages of open findings are divided."""
_DAY_MS: Final = 86_400_000
_WEEK_MS: Final = 7 * _DAY_MS
_MONDAY_MS: Final = 3 * _DAY_MS
"""What the epoch, a Thursday, is after a Monday."""


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


# Figures


def figures(connection: sqlite3.Connection, filters: Mapping[str, str], weeks: int) -> tuple[int, dict[str, Any]]:
    """Return (height, what findings come to): raised by week, rule and subject, how old open ones are, and how many
    steps were taken in time by whom. ``weeks`` is how many weeks back, from the newest block on.
    """
    covered = height(connection)
    now_ms = connection.execute("SELECT max(time_ms) FROM blocks").fetchone()[0] or 0
    where, values = lists.where(FINDINGS, filters), dict(filters)
    first_ms = _week_of(now_ms) - (weeks - 1) * _WEEK_MS
    with bounded(connection):
        found = {
            "now_ms": now_ms,
            "first_ms": first_ms,
            "weeks": _raised(connection, where, values | {"first": first_ms, "week": _WEEK_MS, "monday": _MONDAY_MS}),
            "ages": _ages(connection, where, values | {"now": now_ms}),
            "taken": _taken(connection, where, values),
        }
    return covered, found


def _week_of(time_ms: int) -> int:
    """Return the begin of a moment's week: Monday, UTC."""
    return (time_ms + _MONDAY_MS) // _WEEK_MS * _WEEK_MS - _MONDAY_MS


def _raised(connection: sqlite3.Connection, where: str, values: Mapping[str, Any]) -> list[dict[str, Any]]:
    rows = connection.execute(
        "SELECT (time_ms + :monday) / :week * :week - :monday AS week_ms, rule, subject, count(*) AS count"
        f" FROM findings WHERE time_ms >= :first AND {where} GROUP BY week_ms, rule, subject"
        " ORDER BY week_ms, rule, subject LIMIT 5000",
        values,
    )
    return [dict(row) for row in rows]


def _ages(connection: sqlite3.Connection, where: str, values: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Count the findings that are open by their age; the last has no end."""
    number = " + ".join(f"(:now - time_ms >= {day * _DAY_MS})" for day in AGES_DAYS)
    rows = connection.execute(
        f"SELECT {number} AS age, count(*) AS count, sum(overdue > 0) AS overdue FROM findings"
        f" WHERE status NOT IN ('closed', 'notified', 'superseded') AND {where} GROUP BY age",
        values,
    ).fetchall()
    counted = {row["age"]: row for row in rows}
    ends = [*(day * _DAY_MS for day in AGES_DAYS), None]
    return [
        {
            "from_ms": 0 if place == 0 else ends[place - 1],
            "to_ms": end,
            "count": counted[place]["count"] if place in counted else 0,
            "overdue": counted[place]["overdue"] if place in counted else 0,
        }
        for place, end in enumerate(ends)
    ]


def _taken(connection: sqlite3.Connection, where: str, values: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Count steps by who took them, and those that came before their time had passed."""
    rows = connection.execute(
        "SELECT s.step, substr(s.sender, 1, instr(s.sender, '/') - 1) AS member, count(*) AS taken,"
        " sum(NOT EXISTS (SELECT 1 FROM finding_steps o WHERE o.finding = s.finding AND o.number < s.number"
        " AND o.step = 'overdue' AND json_extract(o.document, '$.step') = s.step AND o.number > coalesce("
        "(SELECT max(p.number) FROM finding_steps p WHERE p.finding = s.finding AND p.step = s.step"
        " AND p.number < s.number), -1))) AS in_time"
        " FROM finding_steps s WHERE s.step IN (SELECT value FROM json_each(:steps)) AND s.sender <> ''"
        f" AND s.finding IN (SELECT number FROM findings WHERE {where})"
        " GROUP BY s.step, member ORDER BY s.step, member",
        {**values, "steps": json.dumps(list(SIDES))},
    )
    return [dict(row) for row in rows]
