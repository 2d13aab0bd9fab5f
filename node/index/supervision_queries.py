"""Queries of the SQL index about supervision: functions of a read connection, to be run through ``Index.query``.

Law: as ``index_queries``: pages by a unique key, nothing without a limit, user text only as bound parameters.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping
from typing import Any, Final

from coseal.node.index.queries import Page, height
from coseal.node.index.rows import shown

RULE_FILTERS: Final[Mapping[str, str]] = {
    "process_type": "process_type = :process_type",
    "status": "status = :status",
    "kind": "kind = :kind",
    "severity": "severity = :severity",
    "proposer": "proposer = :proposer",
}
FINDING_FILTERS: Final[Mapping[str, str]] = {
    "status": "status = :status",
    "rule": "rule = :rule",
    "process_type": "process_type = :process_type",
    "object_type": "object_type = :object_type",
    "object": "object = :object",
    "severity": "severity = :severity",
    "source": "source = :source",
    "party": "(subject = :party OR supervisor = :party)",
    "awaits": "side = :awaits",
    "overdue": "(overdue > 0) = (:overdue = 'true')",
}
BALLOT_FILTERS: Final[Mapping[str, str]] = {
    "status": "status = :status",
    "kind": "kind = :kind",
    "proposer": "proposer = :proposer",
}
QUESTION_FILTERS: Final[Mapping[str, str]] = {"status": "status = :status", "member": "member = :member"}
HOLD_FILTERS: Final[Mapping[str, str]] = {"process_type": "process_type = :process_type", "status": "status = :status"}
_SEPARATOR: Final = "\n"  # stands in no id


def rules(connection: sqlite3.Connection, filters: Mapping[str, str], after: str, limit: int) -> tuple[int, Page]:
    """Return (height, a page of versions of rules, by id and version) that pass all ``filters``."""
    name, _, version = after.partition(_SEPARATOR)
    found = connection.execute(
        f"SELECT * FROM rules WHERE {_where(RULE_FILTERS, filters, '(id, version) > (:after, :version)')}"
        " ORDER BY id, version LIMIT :limit",
        {**filters, "after": name, "version": int(version or 0), "limit": limit + 1},
    ).fetchall()
    items = shown(found[:limit], _rule)
    last = f"{found[limit - 1]['id']}{_SEPARATOR}{found[limit - 1]['version']}" if len(found) > limit else None
    return height(connection), Page(items, last)


def versions(connection: sqlite3.Connection, rule: str) -> tuple[int, list[dict[str, Any]]]:
    """Return (height, version, status and place of every version of one rule), at most 1,000."""
    found = connection.execute(
        "SELECT version, status, proposer, ballot, height, position FROM rules WHERE id = ?"
        " ORDER BY version LIMIT 1000",
        (rule,),
    ).fetchall()
    return height(connection), shown(found, _plain)


def ballots(
    connection: sqlite3.Connection, filters: Mapping[str, str], after: int, limit: int, *, newest_first: bool = False
) -> tuple[int, Page]:
    """Return (height, a page of ballots, oldest first, or newest first)."""
    where = _where(BALLOT_FILTERS, filters, _beyond(newest_first))
    return _numbered(connection, "ballots", where, filters, after, limit, "DESC" if newest_first else "ASC")


def findings(
    connection: sqlite3.Connection, filters: Mapping[str, str], after: int, limit: int, *, newest_first: bool = False
) -> tuple[int, Page]:
    """Return (height, a page of findings, oldest first, or newest first)."""
    where = _where(FINDING_FILTERS, filters, _beyond(newest_first))
    return _numbered(connection, "findings", where, filters, after, limit, "DESC" if newest_first else "ASC")


def finding_counts(connection: sqlite3.Connection, filters: Mapping[str, str]) -> tuple[int, list[dict[str, Any]]]:
    """Return (height, how many findings there are of each rule and status), at most 1,000 rows."""
    found = connection.execute(
        "SELECT process_type, rule, severity, status, count(*) AS count, sum(overdue > 0) AS overdue FROM findings"
        f" WHERE {_where(FINDING_FILTERS, filters, 'TRUE')} GROUP BY 1, 2, 3, 4 ORDER BY 1, 2, 3, 4 LIMIT 1000",
        filters,
    ).fetchall()
    return height(connection), [dict(row) for row in found]


def trail(connection: sqlite3.Connection, number: int) -> tuple[int, list[dict[str, Any]]]:
    """Return (height, the steps of a finding in ledger order, with their texts)."""
    found = connection.execute("SELECT * FROM finding_steps WHERE finding = ? ORDER BY number", (number,)).fetchall()
    return height(connection), shown(found, _step)


def questions(connection: sqlite3.Connection, filters: Mapping[str, str], after: int, limit: int) -> tuple[int, Page]:
    """Return (height, a page of questions with their answers, oldest first)."""
    where = _where(QUESTION_FILTERS, filters, "number > :after")
    return _numbered(connection, "questions", where, filters, after, limit)


def question(connection: sqlite3.Connection, identifier: str) -> tuple[int, dict[str, Any] | None]:
    """Return (height, one question with its answer, None if there is none)."""
    row = connection.execute("SELECT * FROM questions WHERE id = ?", (identifier,)).fetchone()
    return height(connection), None if row is None else _document(row)


def guidance(connection: sqlite3.Connection, after: int, limit: int) -> tuple[int, Page]:
    """Return (height, a page of guidance, oldest first, with what replaced it)."""
    return _numbered(connection, "guidance", "number > :after", {}, after, limit)


def holds(connection: sqlite3.Connection, filters: Mapping[str, str], after: str, limit: int) -> tuple[int, Page]:
    """Return (height, a page of objects on hold or once on hold, by their names)."""
    start = dict(zip(("type", "kind", "name"), [*after.split(_SEPARATOR), "", "", ""], strict=False))
    key = "(process_type, object_type, object) > (:after_type, :after_kind, :after_name)"
    found = connection.execute(
        f"SELECT * FROM holds WHERE {_where(HOLD_FILTERS, filters, key)}"
        " ORDER BY process_type, object_type, object LIMIT :limit",
        {**filters, **{f"after_{part}": value for part, value in start.items()}, "limit": limit + 1},
    ).fetchall()
    items = shown(found[:limit], _plain)
    names = ("process_type", "object_type", "object")
    last = _SEPARATOR.join(found[limit - 1][name] for name in names) if len(found) > limit else None
    return height(connection), Page(items, last)


def obliged(connection: sqlite3.Connection, process_type: str | None, limit: int) -> tuple[int, list[tuple[str, str]]]:
    """Return (height, the rules by which sources owe periodic reports, each with its source ``member/source``)."""
    found = connection.execute(
        "SELECT DISTINCT id, json_extract(document, '$.source') FROM rules WHERE kind = 'periodic'"
        " AND status NOT IN ('proposed', 'rejected') AND (:process_type IS NULL OR process_type = :process_type)"
        " ORDER BY 1, 2 LIMIT :limit",
        {"process_type": process_type, "limit": limit},
    ).fetchall()
    return height(connection), [(row[0], row[1]) for row in found]


def _beyond(newest_first: bool) -> str:
    return "(:after = 0 OR number < :after)" if newest_first else "number > :after"


def _numbered(
    connection: sqlite3.Connection,
    table: str,
    where: str,
    filters: Mapping[str, str],
    after: int,
    limit: int,
    order: str = "ASC",
) -> tuple[int, Page]:
    found = connection.execute(
        f"SELECT * FROM {table} WHERE {where} ORDER BY number {order} LIMIT :limit",
        {**filters, "after": after, "limit": limit + 1},
    ).fetchall()
    items = shown(found[:limit], _document)
    return height(connection), Page(items, str(found[limit - 1]["number"]) if len(found) > limit else None)


def _where(known: Mapping[str, str], filters: Mapping[str, str], first: str) -> str:
    return " AND ".join([first, *(known[name] for name in filters)])


def _rule(row: sqlite3.Row) -> dict[str, Any]:
    return {**json.loads(row["document"]), **_plain(row)}


def _document(row: sqlite3.Row) -> dict[str, Any]:
    """Return a numbered row: its document, over it the columns, which say how things stand by now."""
    plain = _plain(row)
    for name in ("number", "term_ms"):
        plain.pop(name, None)
    if "overdue" in plain:
        plain["overdue"] = plain["overdue"] > 0
    return {**json.loads(row["document"]), **plain}


def _step(row: sqlite3.Row) -> dict[str, Any]:
    plain = _plain(row)
    tx = None if row["tx"] is None else row["tx"].hex()
    head = {"step": plain["step"], "by": plain["sender"] or None, "time_ms": plain["time_ms"]}
    late = json.loads(row["document"])
    if row["step"] == "overdue":  # the step that did not come
        late["awaited"] = late.pop("step")
    return {**head, **late, "height": plain["height"], "index": plain["index"], "tx": tx}


def _plain(row: sqlite3.Row) -> dict[str, Any]:
    """Return a row's columns; its place is named as everywhere else, and null for what ``begin_block`` did."""
    named = {("index" if name == "position" else name): row[name] for name in row.keys() if name != "document"}  # noqa: SIM118
    if named.get("index") == -1:
        named["index"] = None
    return named
