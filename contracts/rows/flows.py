"""Which activity follows which, kept as rows while events come: the process map and its variants.

Law: an event costs the same however many there are; the rows follow from the items in ledger order alone. A *trace* is
what one object has been through: its events in ledger order, corrections as events of their own. A *flow* is one
activity right after another, 0 standing for the start before the first and the end after the last. Times between
events are counted in classes about 6 % wide (``time_class``), which is how near a median is; sums are exact.

A *variant* is a node of a tree of activities: a trace moves one node down with every event, at most
``MAX_VARIANT`` deep; those that are longer stay where they are.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Final, TypeAlias

from contracts.rows.buffer import Row, Rows
from contracts.rows.place import Act
from contracts.rows.tables_process import FLOW_TIMES, FLOWS, TRACE_KINDS, TRACES, VARIANTS

MAX_VARIANT: Final = 128
"""The longest variant, in events; traces that are longer count as the variant of their first so many."""
EDGE: Final = 0
"""In place of an activity: the start or the end of a trace."""

Step: TypeAlias = tuple[int, str, int, int | None]
"""(number of an object, its type, number of an activity, time in ms), for every event that names the object."""

_FINE_BITS: Final = 4


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


class FlowRows:
    """Puts the rows of flows and variants: traces as events come, what is counted once a block (``count``)."""

    def __init__(self, rows: Rows) -> None:
        self._rows = rows
        self._counted = _Counted()

    def write(self, process_type: str, steps: Sequence[Step], act: Act) -> None:
        """Let traces go on with the events of one batch."""
        batch = _Batch()
        for number, object_type, activity, time_ms in steps:
            trace = self._rows.find(TRACES, number)
            if trace is None:
                kind = self._kind(process_type, object_type, act)
                batch.cases[kind] += 1
                trace = {"object": number, "kind": kind, "activity": EDGE, "last_ms": None, "first_ms": time_ms}
                trace |= {"events": 0, "variant": EDGE}
            self._step(batch, trace, activity, time_ms, act)
        self._counted.add(batch, act)

    def _step(self, batch: _Batch, trace: Row, activity: int, time_ms: int | None, act: Act) -> None:
        """Let a trace go one event further."""
        kind, before = trace["kind"], trace["activity"]
        batch.events[kind] += 1
        batch.flows[kind, before, activity] += 1
        if before != EDGE:
            batch.flows[kind, before, EDGE] -= 1
        batch.flows[kind, activity, EDGE] += 1
        if before != EDGE and time_ms is not None and trace["last_ms"] is not None:
            took_ms = time_ms - trace["last_ms"]
            batch.sums[kind, before, activity] += took_ms
            batch.times[kind, before, activity, time_class(took_ms)] += 1
        if trace["events"] < MAX_VARIANT:
            batch.moved[trace["variant"]] -= 1
            trace["variant"] = self._node(kind, trace["variant"], activity, trace["events"] + 1, act)
            batch.moved[trace["variant"]] += 1
        trace["activity"], trace["last_ms"], trace["events"] = activity, time_ms, trace["events"] + 1
        trace["height"], trace["position"] = act.height, act.position
        self._rows.put(TRACES, trace)

    def _kind(self, process_type: str, object_type: str, act: Act) -> int:
        """Return the number of a process type and object type."""
        known = self._rows.number(TRACE_KINDS, process_type, object_type)
        if known is not None:
            return known
        number = self._rows.new_number(TRACE_KINDS, process_type, object_type)
        kind = {"id": number, "process_type": process_type, "type": object_type}
        self._rows.put(TRACE_KINDS, {**kind, "cases": 0, "events": 0, "variants": 0, **act.place})
        return number

    def _node(self, kind: int, parent: int, activity: int, length: int, act: Act) -> int:
        """Return the variant that goes on from ``parent`` with ``activity``."""
        known = self._rows.number(VARIANTS, kind, parent, activity)
        if known is not None:
            return known
        number = self._rows.new_number(VARIANTS, kind, parent, activity)
        node = {"id": number, "kind": kind, "parent": parent, "activity": activity, "length": length, "cases": 0}
        self._rows.put(VARIANTS, node | act.place)
        return number

    def count(self) -> None:
        """Add what the batches of a block counted to the rows; each has the place of the last that changed it."""
        rows, counted = self._rows, self._counted
        self._counted, variants = _Counted(), defaultdict[int, int](int)
        for flow, (count, act) in counted.flows.items():
            took_ms = counted.sums[flow][0] if flow in counted.sums else 0
            if count or took_ms:
                kind, before, after = flow
                row = rows.find(FLOWS, *flow) or {"count": 0, "total_ms": 0}
                sums = {"count": row["count"] + count, "total_ms": row["total_ms"] + took_ms}
                rows.put(FLOWS, {"kind": kind, "before": before, "after": after, **sums, **act.place})
        for key, (count, act) in counted.times.items():
            kind, before, after, width = key
            times = rows.find(FLOW_TIMES, *key) or {"count": 0}
            named = {"kind": kind, "before": before, "after": after, "class": width}
            rows.put(FLOW_TIMES, {**named, "count": times["count"] + count, **act.place})
        for number, (moved, act) in counted.moved.items():
            node = rows.find(VARIANTS, number) if number != EDGE and moved else None
            if node is not None:
                cases = node["cases"] + moved
                variants[node["kind"]] += (cases > 0) - (node["cases"] > 0)
                rows.put(VARIANTS, node | {"cases": cases} | act.place)
        for number, (events, act) in counted.events.items():
            kinds = rows.find(TRACE_KINDS, number)
            if kinds is not None:
                cases = counted.cases[number][0] if number in counted.cases else 0
                more = {"cases": cases, "events": events, "variants": variants[number]}
                rows.put(TRACE_KINDS, kinds | {name: kinds[name] + count for name, count in more.items()} | act.place)


class _Batch:
    """What one batch of events adds, by keys."""

    __slots__ = ("cases", "events", "flows", "moved", "sums", "times")

    def __init__(self) -> None:
        self.cases: dict[int, int] = defaultdict(int)
        self.events: dict[int, int] = defaultdict(int)
        self.flows: dict[tuple[int, int, int], int] = defaultdict(int)
        self.sums: dict[tuple[int, int, int], int] = defaultdict(int)
        self.times: dict[tuple[int, int, int, int], int] = defaultdict(int)
        self.moved: dict[int, int] = defaultdict(int)


class _Counted:
    """What the batches of a block add, by keys, each with the last act that added to it."""

    __slots__ = _Batch.__slots__

    def __init__(self) -> None:
        self.cases: dict[int, tuple[int, Act]] = {}
        self.events: dict[int, tuple[int, Act]] = {}
        self.flows: dict[tuple[int, int, int], tuple[int, Act]] = {}
        self.sums: dict[tuple[int, int, int], tuple[int, Act]] = {}
        self.times: dict[tuple[int, int, int, int], tuple[int, Act]] = {}
        self.moved: dict[int, tuple[int, Act]] = {}

    def add(self, batch: _Batch, act: Act) -> None:
        """Add what a batch adds."""
        for name in self.__slots__:
            counts = getattr(self, name)
            for key, count in getattr(batch, name).items():
                before = counts.get(key)
                counts[key] = (count if before is None else before[0] + count, act)
