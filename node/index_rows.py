"""How committed blocks become rows of the SQL index.

Law: what is written for a block depends on the rows before it, its transactions and its receipts alone; a rejected
transaction leaves its row in ``transactions`` and nothing else.
"""

from __future__ import annotations

import sqlite3
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

from contracts.process_chain import objects_of
from contracts.process_items import time_ms
from ledger.block import CommittedBlock, Receipt
from ledger.transaction import Transaction
from node import index_policies, index_supervision
from node.index_flows import FlowWriter, Step
from node.index_supervision import BEGIN, Act

_CACHED_OBJECTS: Final = 20_000


@dataclass(frozen=True, slots=True)
class Place:
    """Where a row comes from: block, its time in ms, position of the transaction, who sent it."""

    height: int
    time_ms: int
    position: int
    member: str


class RowWriter:
    """Writes the rows of blocks in order over one connection, inside the caller's SQL transaction."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._flows = FlowWriter(connection)
        self._objects: OrderedDict[tuple[str, str, str], int] = OrderedDict()
        self._actions: Mapping[str, _Apply] = {
            "process.define_type": self._define_type,
            "process.register_source": self._register_source,
            "process.record": self._record,
            **dict.fromkeys(index_policies.ACTIONS, self._policy),
            **dict.fromkeys(index_supervision.ACTIONS, self._supervision),
        }

    def write(self, committed: CommittedBlock, transactions: Sequence[Transaction] = ()) -> int:
        """Insert the rows of one block, return about how many; ``transactions`` are its own, if parsed already."""
        header = committed.block.header
        height = header.height
        self._connection.execute(
            "INSERT INTO blocks VALUES (?, ?, ?, ?, ?, ?)",
            (height, header.hash, header.time_ms, header.proposer, committed.certificate.round, header.tx_count),
        )
        rows = []
        written = 1 + self._begin(committed, height, header.time_ms)
        for position, tx in enumerate(transactions or map(Transaction.decode, committed.block.transactions)):
            receipt = Receipt.decode(committed.receipts[position + 1])
            rows.append((tx.id, height, position, tx.sender, tx.contract, tx.action, receipt.code))
            apply = self._actions.get(f"{tx.contract}.{tx.action}") if receipt.ok else None
            if apply is not None:
                written += apply(tx, receipt.data, Place(height, header.time_ms, position, tx.member))
        self._connection.executemany("INSERT INTO transactions VALUES (?, ?, ?, ?, ?, ?, ?)", rows)
        return written + len(rows)

    # Policy

    def _policy(self, tx: Transaction, data: Mapping[str, Any], place: Place) -> int:
        where = (place.height, place.position)
        return index_policies.write(self._connection, tx.action, tx.args, data, place.member, where)

    # Supervision

    def _begin(self, committed: CommittedBlock, height: int, time_ms: int) -> int:
        due = Receipt.decode(committed.receipts[0]).data.get("supervision")
        if not due:
            return 0
        return index_supervision.begun(self._connection, due, Act("", b"", time_ms, height, BEGIN))

    def _supervision(self, tx: Transaction, data: Mapping[str, Any], place: Place) -> int:
        return index_supervision.write(self._connection, tx.action, tx.args, data, _act(tx, place))

    # Process

    def _define_type(self, tx: Transaction, data: Mapping[str, Any], place: Place) -> int:
        args = tx.args
        self._connection.execute(
            "INSERT INTO process_types VALUES (?, ?, ?, ?, ?, ?, ?)",
            (
                args["id"],
                args["version"],
                args["title"],
                place.member,
                data["definition"],
                place.height,
                place.position,
            ),
        )
        return 1

    def _register_source(self, tx: Transaction, data: Mapping[str, Any], place: Place) -> int:
        self._connection.execute(
            "INSERT INTO sources VALUES (?, ?, ?, ?, ?, 0, 0, 0, 0, 0, NULL, NULL, ?, ?)",
            (
                data["source"],
                place.member,
                data["process_type"],
                data["mode"],
                tx.args.get("zone_minutes"),
                place.height,
                place.position,
            ),
        )
        return 1

    def _record(self, tx: Transaction, data: Mapping[str, Any], place: Place) -> int:
        connection, items = self._connection, tx.args["items"]
        source, where = data["source"], (place.height, place.position)
        zone_minutes = connection.execute("SELECT zone_minutes FROM sources WHERE name = ?", (source,)).fetchone()[0]
        first = _next_item(connection)
        connection.execute(
            "INSERT INTO batches VALUES (?, ?, ?, ?, ?, ?)", (first, len(items), source, tx.args["sequence"], *where)
        )
        links, steps, counts, latest_ms = self._links(data["process_type"], items, first, zone_minutes, where)
        written = len(links) + self._flows.write(data["process_type"], steps)
        connection.executemany("INSERT INTO item_objects VALUES (?, ?, ?, ?)", links)
        connection.executemany(
            "UPDATE activities SET events = events + ? WHERE id = ?", [(count, key) for key, count in counts.items()]
        )
        gap = data.get("gap")
        values = {
            "name": source,
            "last": data["last"],
            "items": len(items),
            "events": sum(counts.values()),
            "gaps": 0 if gap is None else 1,
            "missing": 0 if gap is None else gap[1] - gap[0] + 1,
            "latest_ms": latest_ms,
            "recorded_ms": place.time_ms,
            "height": place.height,
            "position": place.position,
        }
        connection.execute(_UPDATE_SOURCE, values)
        return written + 2 + index_supervision.observed(connection, data, _act(tx, place))

    def _links(
        self,
        process_type: str,
        items: Sequence[Mapping[str, Any]],
        first: int,
        zone_minutes: int | None,
        where: tuple[int, int],
    ) -> tuple[list[tuple[int, int, int | None, int | None]], list[Step], dict[int, int], int | None]:
        """Return the rows that link items to objects, the events among them, counts by activity, the latest time."""
        activities: dict[str, int] = {}
        counts: dict[int, int] = {}
        links = []
        steps: list[Step] = []
        latest_ms: int | None = None
        for number, item in enumerate(items, first):
            activity = occurred_ms = None
            if "event" in item:
                name = item["type"]
                activity = activities.get(name)
                if activity is None:
                    activity = activities[name] = self._activity(process_type, name, where)
                counts[activity] = counts.get(activity, 0) + 1
                occurred_ms = time_ms(item["time"], zone_minutes)
                if occurred_ms is not None and (latest_ms is None or occurred_ms > latest_ms):
                    latest_ms = occurred_ms
            for object_type, object_id in objects_of(item):
                key = self._object(process_type, object_type, object_id, where)
                links.append((key, number, activity, occurred_ms))
                if activity is not None:
                    steps.append((key, object_type, activity, occurred_ms))
        return links, steps, counts, latest_ms

    def _activity(self, process_type: str, name: str, where: tuple[int, int]) -> int:
        query = "SELECT id FROM activities WHERE process_type = ? AND name = ?"
        row = self._connection.execute(query, (process_type, name)).fetchone()
        if row is not None:
            return int(row[0])
        insert = "INSERT INTO activities (process_type, name, events, height, position) VALUES (?, ?, 0, ?, ?)"
        return int(self._connection.execute(insert, (process_type, name, *where)).lastrowid or 0)

    def _object(self, process_type: str, object_type: str, name: str, where: tuple[int, int]) -> int:
        """Return the number of an object, which is new with its first item."""
        key = (process_type, object_type, name)
        found = self._objects.get(key)
        if found is not None:
            self._objects.move_to_end(key)
            return found
        query = "SELECT id FROM objects WHERE name = ? AND type = ? AND process_type = ?"
        row = self._connection.execute(query, (name, object_type, process_type)).fetchone()
        if row is not None:
            found = int(row[0])
        else:
            insert = "INSERT INTO objects (process_type, type, name, height, position) VALUES (?, ?, ?, ?, ?)"
            found = int(self._connection.execute(insert, (*key, *where)).lastrowid or 0)
        self._objects[key] = found
        if len(self._objects) > _CACHED_OBJECTS:
            self._objects.popitem(last=False)
        return found


def _act(tx: Transaction, place: Place) -> Act:
    return Act(tx.sender, tx.id, place.time_ms, place.height, place.position)


_Apply: TypeAlias = Callable[[Transaction, Mapping[str, Any], Place], int]

_UPDATE_SOURCE: Final = """
UPDATE sources SET sequence = :last, items = items + :items, events = events + :events, gaps = gaps + :gaps,
    missing = missing + :missing, recorded_ms = :recorded_ms, height = :height, position = :position,
    latest_ms = CASE WHEN latest_ms IS NULL OR latest_ms < :latest_ms THEN :latest_ms ELSE latest_ms END
WHERE name = :name
"""


def _next_item(connection: sqlite3.Connection) -> int:
    row = connection.execute("SELECT first_item + items FROM batches ORDER BY first_item DESC LIMIT 1").fetchone()
    return 1 if row is None else int(row[0])
