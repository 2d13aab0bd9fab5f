"""Which activity follows which, kept as rows of the SQL index while events come: the process map and its variants.

Law: an event costs the same however many there are; the rows follow from the items in ledger order alone. A *trace* is
what one object has been through: its events in ledger order, corrections as events of their own. A *flow* is one
activity right after another, 0 standing for the start before the first and the end after the last. Times between
events are counted in classes about 6 % wide (``time_class``), which is how near a median is; sums are exact.

A *variant* is a node of a tree of activities: a trace moves one node down with every event, at most
``MAX_VARIANT`` deep; those that are longer stay where they are.
"""

from __future__ import annotations

import sqlite3
from collections import Counter, OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

MAX_VARIANT: Final = 128
"""The longest variant, in events; traces that are longer count as the variant of their first so many."""
EDGE: Final = 0
"""In place of an activity: the start or the end of a trace."""

Step: TypeAlias = tuple[int, str, int, int | None]
"""(number of an object, its type, number of an activity, time in ms), for every event that names the object."""

_FINE_BITS: Final = 4
_CACHED_NODES: Final = 20_000


def time_class(ms: int) -> int:
    """Return the class of a length of time: exact below 32 ms, then 16 classes between powers of two."""
    size = abs(ms)
    shift = max(0, size.bit_length() - _FINE_BITS - 1)
    number = (shift << _FINE_BITS) + (size >> shift)
    return number if ms >= 0 else -number


def class_ms(number: int) -> int:
    """Return the middle of a class of ``time_class`` in ms."""
    size = abs(number)
    shift = max(0, (size >> _FINE_BITS) - 1)
    low = (size - (shift << _FINE_BITS)) << shift
    middle = low + ((1 << shift) >> 1)
    return middle if number >= 0 else -middle


@dataclass(slots=True)
class _Trace:
    kind: int
    activity: int
    last_ms: int | None
    first_ms: int | None
    events: int
    variant: int


class FlowWriter:
    """Writes the rows of flows and variants, batch by batch, inside the caller's SQL transaction."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._kinds: dict[tuple[str, str], int] = {}
        self._nodes: OrderedDict[tuple[int, int, int], int] = OrderedDict()

    def write(self, process_type: str, steps: Sequence[Step]) -> int:
        """Count the events of one batch; return about how many rows that took."""
        batch = _Batch()
        for number, object_type, activity, time_ms in steps:
            trace = batch.traces.get(number) or self._load(number)
            if trace is None:
                kind = self._kind(process_type, object_type)
                batch.cases[kind] += 1
                trace = _Trace(kind, EDGE, None, time_ms, 0, EDGE)
            batch.traces[number] = trace
            self._step(batch, trace, activity, time_ms)
        self._flush(batch)
        return len(batch.traces) + len(batch.flows) + len(batch.times) + len(batch.moved)

    def _step(self, batch: _Batch, trace: _Trace, activity: int, time_ms: int | None) -> None:
        """Let a trace go one event further."""
        kind, before = trace.kind, trace.activity
        batch.events[kind] += 1
        batch.flows[kind, before, activity] += 1
        if before != EDGE:
            batch.flows[kind, before, EDGE] -= 1
        batch.flows[kind, activity, EDGE] += 1
        if before != EDGE and time_ms is not None and trace.last_ms is not None:
            took_ms = time_ms - trace.last_ms
            batch.sums[kind, before, activity] += took_ms
            batch.times[kind, before, activity, time_class(took_ms)] += 1
        if trace.events < MAX_VARIANT:
            batch.moved[trace.variant] -= 1
            trace.variant = self._node(kind, trace.variant, activity, trace.events + 1)
            batch.moved[trace.variant] += 1
        trace.activity, trace.last_ms, trace.events = activity, time_ms, trace.events + 1

    def _load(self, number: int) -> _Trace | None:
        query = "SELECT kind, activity, last_ms, first_ms, events, variant FROM traces WHERE object = ?"
        row = self._connection.execute(query, (number,)).fetchone()
        return None if row is None else _Trace(*row)

    def _kind(self, process_type: str, object_type: str) -> int:
        """Return the number of a process type and object type."""
        key = (process_type, object_type)
        if key not in self._kinds:
            insert = "INSERT OR IGNORE INTO trace_kinds (process_type, type) VALUES (?, ?)"
            self._connection.execute(insert, key)
            query = "SELECT id FROM trace_kinds WHERE process_type = ? AND type = ?"
            self._kinds[key] = int(self._connection.execute(query, key).fetchone()[0])
        return self._kinds[key]

    def _node(self, kind: int, parent: int, activity: int, length: int) -> int:
        """Return the variant that goes on from ``parent`` with ``activity``."""
        key = (kind, parent, activity)
        found = self._nodes.get(key)
        if found is not None:
            self._nodes.move_to_end(key)
            return found
        query = "SELECT id FROM variants WHERE kind = ? AND parent = ? AND activity = ?"
        row = self._connection.execute(query, key).fetchone()
        if row is None:
            insert = "INSERT INTO variants (kind, parent, activity, length, cases) VALUES (?, ?, ?, ?, 0)"
            node = int(self._connection.execute(insert, (*key, length)).lastrowid or 0)
        else:
            node = int(row[0])
        self._nodes[key] = node
        if len(self._nodes) > _CACHED_NODES:
            self._nodes.popitem(last=False)
        return node

    def _flush(self, batch: _Batch) -> None:
        execute = self._connection.executemany
        traces = (
            (number, t.kind, t.activity, t.last_ms, t.first_ms, t.events, t.variant)
            for number, t in batch.traces.items()
        )
        execute(
            "INSERT INTO traces VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET activity = excluded.activity,"
            " last_ms = excluded.last_ms, events = excluded.events, variant = excluded.variant",
            traces,
        )
        execute(
            "INSERT INTO flows VALUES (?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET"
            " count = count + excluded.count, total_ms = total_ms + excluded.total_ms",
            ((*flow, count, batch.sums[flow]) for flow, count in batch.flows.items() if count or batch.sums[flow]),
        )
        execute(
            "INSERT INTO flow_times VALUES (?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET count = count + excluded.count",
            ((*key, count) for key, count in batch.times.items()),
        )
        self._move(batch)
        execute(
            "UPDATE trace_kinds SET cases = cases + ?, events = events + ?, variants = variants + ? WHERE id = ?",
            ((batch.cases[kind], count, batch.variants[kind], kind) for kind, count in batch.events.items()),
        )

    def _move(self, batch: _Batch) -> None:
        """Write how many traces are at each node now, and how many nodes have any."""
        changes = []
        for node, moved in batch.moved.items():
            if node == EDGE or moved == 0:
                continue
            kind, before = self._connection.execute("SELECT kind, cases FROM variants WHERE id = ?", (node,)).fetchone()
            batch.variants[kind] += (before + moved > 0) - (before > 0)
            changes.append((before + moved, node))
        self._connection.executemany("UPDATE variants SET cases = ? WHERE id = ?", changes)


class _Batch:
    """What one batch of events adds, by its keys."""

    __slots__ = ("cases", "events", "flows", "moved", "sums", "times", "traces", "variants")

    def __init__(self) -> None:
        self.traces: dict[int, _Trace] = {}
        self.cases: Counter[int] = Counter()
        self.events: Counter[int] = Counter()
        self.variants: Counter[int] = Counter()
        self.flows: Counter[tuple[int, int, int]] = Counter()
        self.sums: Counter[tuple[int, int, int]] = Counter()
        self.times: Counter[tuple[int, int, int, int]] = Counter()
        self.moved: Counter[int] = Counter()
