"""How policy transactions become rows of the SQL index: one row an instrument, and what can be filtered or counted.

Law: the rows of an instrument follow from the transactions about it in ledger order; what they say of status, level,
year, areas and issuers equals what the state says of it at the same height. docs/spec/contracts-policy.md.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Mapping
from typing import Any, Final

from contracts.policy_instrument import RELATIONS, issuers_of, status_of

_ACTS: Final = ("publish", "endorse", "approve", "promulgate", "amend", "repeal", "evaluate")
ACTIONS: Final = tuple(f"policy.{action}" for action in (*_ACTS, "record"))

# Which arguments of an act change fields of the instrument that the index keeps.
_FIELDS_OF_ACT: Final[Mapping[str, tuple[str, ...]]] = {
    "promulgate": ("date_publication", "first_date_entry_in_force", "number"),
    "amend": ("text_sha256", "text_ref"),
    "repeal": ("date_no_longer_in_force",),
}
_FACTS: Final = ("action", "date", "issuer", "number")

Where = tuple[int, int]
Document = dict[str, Any]


def write(
    connection: sqlite3.Connection,
    action: str,
    args: Mapping[str, Any],
    data: Mapping[str, Any],
    member: str,
    where: Where,
) -> int:
    """Write what one accepted policy transaction says; return about how many rows that took."""
    if action == "record":
        source = args["source_sha256"]
        row = (source, args["source"], member, *where)
        connection.execute("INSERT OR IGNORE INTO policy_sources VALUES (?, ?, ?, ?, ?)", row)
        return 1 + sum(_recorded(connection, item, source, member, where) for item in args["instruments"])
    return _acted(connection, action, args, data, member, where)


def _acted(
    connection: sqlite3.Connection,
    action: str,
    args: Mapping[str, Any],
    data: Mapping[str, Any],
    member: str,
    where: Where,
) -> int:
    """Apply a live act."""
    before = _load(connection, args["id"])
    if action == "publish":
        fields = {name: value for name, value in args.items() if name != "stage"}
        document = {**fields, "level": data["level"], "passed_by": data["passed_by"], "origin": "live"}
        document["member"] = member if before is None else before["member"]
    elif before is None:
        raise LookupError(f"{action} of an instrument that was never published")
    else:
        document = before | {name: args[name] for name in _FIELDS_OF_ACT.get(action, ()) if name in args}
    document["status"] = data["status"]
    # An evaluation is kept beside the events of an instrument, in the state as well as here.
    events = [_event(event, where) for event in data["events"]] if action != "evaluate" else []
    document["events"] = [*(before or {"events": []})["events"], *events]
    return _store(connection, document, where)


def _recorded(connection: sqlite3.Connection, item: Mapping[str, Any], source: str, member: str, where: Where) -> int:
    """Add the historical facts of one instrument; fields known before stay, events known before are not repeated."""
    before = _load(connection, item["id"])
    if before is not None and before["origin"] == "live":
        return 0
    fields = {name: value for name, value in item.items() if name != "events"}
    standing = {"member": member, "origin": "recorded", "source_sha256": source}
    document = {**fields, **standing, **(before or {})}
    events = list(document.get("events", []))
    for event in item.get("events", ()):
        new = _event(event, where)
        if not any(_same(new, old) for old in events):
            events.append(new)
    document["events"] = events
    document["status"] = status_of(document)
    return _store(connection, document, where)


def _event(event: Mapping[str, Any], where: Where) -> Document:
    return {**{name: event[name] for name in _FACTS if name in event}, "height": where[0], "position": where[1]}


def _same(left: Mapping[str, Any], right: Mapping[str, Any]) -> bool:
    return all(left.get(name) == right.get(name) for name in _FACTS)


def _load(connection: sqlite3.Connection, policy: str) -> Document | None:
    row = connection.execute("SELECT document FROM policies WHERE id = ?", (policy,)).fetchone()
    return None if row is None else json.loads(row[0])


def _store(connection: sqlite3.Connection, document: Document, where: Where) -> int:
    """Replace the rows of an instrument."""
    policy, passed_by = document["id"], document.get("passed_by", [])
    issuers = {issuer: int(issuer in passed_by) for issuer in issuers_of(document)}
    relations = [(policy, relation, target) for relation in RELATIONS for target in document.get(relation, ())]
    for table in ("policy_areas", "policy_issuers", "policy_relations"):
        connection.execute(f"DELETE FROM {table} WHERE policy = ?", (policy,))
    connection.execute(
        "INSERT OR REPLACE INTO policies VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            policy,
            document["title"],
            document.get("level", "unstated"),
            year_of(document),
            document.get("type_document", "unstated"),
            document["status"],
            document["origin"],
            document["member"],
            date_of(document),
            document.get("source_sha256", ""),
            *where,
            json.dumps(document, ensure_ascii=False),
        ),
    )
    _many(connection, "policy_areas", ((area, policy) for area in dict.fromkeys(document.get("is_about", []))))
    _many(connection, "policy_issuers", ((issuer, policy, joint) for issuer, joint in issuers.items()))
    _many(connection, "policy_relations", relations)
    known = connection.execute("SELECT count(*) FROM policy_events WHERE policy = ?", (policy,)).fetchone()[0]
    new = enumerate(document["events"][known:], known)
    _many(
        connection,
        "policy_events",
        (
            (policy, number, event["action"], event.get("date", ""), event.get("issuer", ""), *where)
            for number, event in new
        ),
    )
    return 3 + len(issuers) + len(relations)


def _many(connection: sqlite3.Connection, table: str, rows: Iterable[tuple[Any, ...]]) -> None:
    listed = list(rows)
    if listed:
        marks = ", ".join("?" * len(listed[0]))
        connection.executemany(f"INSERT INTO {table} VALUES ({marks})", listed)


def year_of(document: Mapping[str, Any]) -> str:
    """Return the year an instrument counts in: of its publication, else of the document, else ``undated``."""
    return date_of(document)[:4] or "undated"


def date_of(document: Mapping[str, Any]) -> str:
    """Return the date an instrument is placed at: of its publication, else of the document, else empty."""
    return str(document.get("date_publication") or document.get("date_document") or "")
