"""Which traces a question is about: as they are by what was corrected, or as they were recorded.

Law: both views are of the same tables, so whatever asks for traces ``t`` and links ``l`` asks either alike; what was
recorded costs what its corrected objects have of events, beside what the question costs.

contracts/process/README.md, section Corrections.
"""

from __future__ import annotations

import json
import sqlite3
from collections import defaultdict
from collections.abc import Mapping, Sequence
from hashlib import sha256
from typing import Any, Final, NamedTuple

from coseal.contracts.process.flows import EDGE, MAX_VARIANT

_LINKS: Final = (
    "SELECT l.object, l.item, CASE WHEN c.item IS NULL THEN l.activity ELSE c.activity END AS activity,"
    " CASE WHEN c.item IS NULL THEN l.time_ms ELSE c.time_ms END AS time_ms FROM main.item_objects l"
    " LEFT JOIN main.corrections c ON c.object = l.object AND c.item = l.item"
)
_COLUMNS: Final = ("object", "activity", "first_activity", "last_ms", "first_ms", "events", "variant")
_RECORDED: Final = (
    "WITH traces AS NOT MATERIALIZED (SELECT kind, "
    + ", ".join(_COLUMNS)
    + " FROM main.traces WHERE kind = :kind AND object NOT IN (SELECT value FROM json_each(:corrected))"
    " UNION ALL SELECT :kind, "
    + ", ".join(f"json_extract(value, '$[{place}]')" for place in range(len(_COLUMNS)))
    + f" FROM json_each(:recorded)), item_objects AS NOT MATERIALIZED ({_LINKS}) "
)
_OTHER_VARIANTS: Final = 10**17
"""Variants that only a recorded trace has are numbered from here on, by what they are."""


class View(NamedTuple):
    """``prefix`` stands before a query, ``values`` are its parameters besides those of the query.

    ``objects`` are those of which something was corrected, ``cases`` how many there are in all, ``variants`` the
    activities of those that the table does not have.
    """

    recorded: bool
    cases: int
    prefix: str = ""
    values: Mapping[str, Any] = {}
    objects: Sequence[int] = ()
    variants: Mapping[int, list[int]] = {}

    def indexed_by(self, name: str) -> str:
        """Return what names the index of a table to read, which a view of it has not."""
        return "" if self.recorded else f"INDEXED BY {name}"

    def path(self, connection: sqlite3.Connection, variant: int) -> list[int]:
        """Return the activities from a variant's first event to its last."""
        if variant in self.variants:
            return self.variants[variant]
        found, node = [], variant
        while node != EDGE:
            row = connection.execute("SELECT parent, activity FROM variants WHERE id = ?", (node,)).fetchone()
            node = row[0]
            found.append(row[1])
        return found[::-1]


def view_of(connection: sqlite3.Connection, kind: Mapping[str, Any], *, recorded: bool) -> View:
    """Return a view of the traces of an object type, a row of ``trace_kinds``."""
    if not recorded:
        return View(recorded=False, cases=kind["cases"])
    rows = connection.execute(
        "SELECT DISTINCT c.object FROM corrections c JOIN objects o ON o.id = c.object"
        " WHERE o.process_type = ? AND o.type = ? ORDER BY c.object",
        (kind.get("process_type"), kind.get("type")),
    )
    objects = [number for (number,) in rows]
    traces = defaultdict[int, list[tuple[int, int | None]]](list)
    named = json.dumps(objects)
    for number, activity, time_ms in connection.execute(recorded_links(), (named,)):
        traces[number].append((activity, time_ms))
    standing = connection.execute(
        "SELECT count(*) FROM traces WHERE object IN (SELECT value FROM json_each(?))", (named,)
    ).fetchone()[0]
    made, others = [], dict[int, list[int]]()
    for number, trace in traces.items():
        path = [activity for activity, _ in trace[:MAX_VARIANT]]
        variant = _variant(connection, kind["id"], path)
        if variant >= _OTHER_VARIANTS:
            others[variant] = path
        (first, first_ms), (last, last_ms) = trace[0], trace[-1]
        made.append((number, last, first, last_ms, first_ms, len(trace), variant))
    values = {"kind": kind["id"], "corrected": named, "recorded": json.dumps(made)}
    return View(True, kind["cases"] - standing + len(made), _RECORDED, values, objects, others)


def recorded_links() -> str:
    """Return the query of (object, activity, time in ms) of the events of some objects as they were recorded."""
    return (
        f"SELECT object, activity, time_ms FROM ({_LINKS} WHERE l.object IN (SELECT value FROM json_each(?)))"
        " WHERE activity IS NOT NULL ORDER BY object, item"
    )


def _variant(connection: sqlite3.Connection, kind: int, path: Sequence[int]) -> int:
    """Return the number of the variant that goes along activities."""
    node = EDGE
    for activity in path:
        found = connection.execute(
            "SELECT id FROM variants WHERE kind = ? AND parent = ? AND activity = ?", (kind, node, activity)
        ).fetchone()
        if found is None:
            digest = sha256(json.dumps([kind, *path]).encode()).digest()
            return _OTHER_VARIANTS + int.from_bytes(digest[:7], "big")
        node = found[0]
    return node
