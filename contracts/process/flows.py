"""Which activity follows which, kept as rows while events come: the process map and its variants.

Law: an event costs the same however many there are; the rows follow from the items in ledger order alone. A *trace* is
what one object has been through: its events in ledger order, corrections in their places. A *flow* is one
activity right after another, 0 standing for the start before the first and the end after the last. Times between
events are counted in classes about 6 % wide (``time_class``), which is how near a median is; sums are exact.

A *variant* is a node of a tree of activities: a trace moves one node down with every event, at most
``MAX_VARIANT`` deep; those that are longer stay where they are.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Final, TypeAlias

from coseal.contracts.kernel.rows.buffer import Row, Rows
from coseal.contracts.kernel.rows.place import Act
from coseal.contracts.process.tables import FLOW_TIMES, FLOWS, TRACE_KINDS, TRACES, VARIANTS

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
    shift, low = _least(abs(number))
    middle = low + ((1 << shift) >> 1)
    return middle if number >= 0 else -middle


def longest_of_class(number: int) -> int:
    """Return the longest time of a class of ``time_class`` in ms."""
    return _least(number + 1)[1] - 1 if number >= 0 else -_least(-number)[1]


def _least(size: int) -> tuple[int, int]:
    """Return how many bits a class above 0 leaves out, and its shortest time."""
    shift = max(0, (size >> _FINE_BITS) - 1)
    return shift, (size - (shift << _FINE_BITS)) << shift


class FlowRows:
    """Puts the rows of flows and variants: traces as events come, what is counted once a block (``count``)."""

    def __init__(self, rows: Rows) -> None:
        self._flows, self._times, self._kinds = rows.of(FLOWS), rows.of(FLOW_TIMES), rows.of(TRACE_KINDS)
        self._traces, self._variants = rows.of(TRACES), rows.of(VARIANTS)
        self._counted = _Counted()

    def write(self, process_type: str, steps: Sequence[Step], act: Act) -> None:
        """Let traces go on with the events of one batch."""
        for number, object_type, activity, time_ms in steps:
            trace = self._traces.find(number)
            if trace is None:
                kind = self._kind(process_type, object_type, act)
                trace = {"object": number, "kind": kind, "activity": EDGE, "first_activity": activity}
                trace |= {"last_ms": None, "first_ms": time_ms, "events": 0, "variant": EDGE}
            self._step(trace, activity, time_ms, act)

    def replace(
        self,
        place: tuple[str, str, int],
        old: Sequence[tuple[int, int | None]],
        new: Sequence[tuple[int, int | None]],
        act: Act,
    ) -> None:
        """Count the events of an object as they are after a correction, each (activity, time), in place of the old."""
        process_type, object_type, number = place
        trace = self._traces.find(number)
        if trace is not None:
            kind, counted = trace["kind"], self._counted
            before, since = EDGE, None
            for activity, time_ms in old:
                took_ms = 0
                if before != EDGE and time_ms is not None and since is not None:
                    took_ms = time_ms - since
                    counted.time(kind, before, activity, time_class(took_ms), act, -1)
                counted.flow(kind, before, activity, -1, -took_ms, act)
                before, since = activity, time_ms
            counted.flow(kind, before, EDGE, -1, 0, act)
            counted.move(trace["variant"], -1, act)
            counted.events(kind, -1, -len(old), act)
            self._traces.remove(number)
        self.write(process_type, [(number, object_type, activity, time_ms) for activity, time_ms in new], act)

    def _step(self, trace: Row, activity: int, time_ms: int | None, act: Act) -> None:
        """Let a trace go one event further."""
        counted, kind, before = self._counted, trace["kind"], trace["activity"]
        last_ms, events, variant = trace["last_ms"], trace["events"], trace["variant"]
        took_ms = 0
        if before != EDGE:
            counted.flow(kind, before, EDGE, -1, 0, act)
            if time_ms is not None and last_ms is not None:
                took_ms = time_ms - last_ms
                counted.time(kind, before, activity, time_class(took_ms), act)
        counted.flow(kind, before, activity, 1, took_ms, act)
        counted.flow(kind, activity, EDGE, 1, 0, act)
        counted.event(kind, before == EDGE, act)
        if events < MAX_VARIANT:
            node = self._node(kind, variant, activity, events + 1, act)
            counted.move(variant, -1, act)
            counted.move(node, 1, act)
            trace["variant"] = node
        trace["activity"], trace["last_ms"], trace["events"] = activity, time_ms, events + 1
        trace["height"], trace["position"] = act.height, act.position
        self._traces.put(trace)

    def _kind(self, process_type: str, object_type: str, act: Act) -> int:
        """Return the number of a process type and object type."""
        known = self._kinds.number(process_type, object_type)
        if known is not None:
            return known
        number = self._kinds.new_number(process_type, object_type)
        kind = {"id": number, "process_type": process_type, "type": object_type}
        self._kinds.put({**kind, "cases": 0, "events": 0, "variants": 0, **act.place})
        return number

    def _node(self, kind: int, parent: int, activity: int, length: int, act: Act) -> int:
        """Return the variant that goes on from ``parent`` with ``activity``."""
        known = self._variants.number(kind, parent, activity)
        if known is not None:
            return known
        number = self._variants.new_number(kind, parent, activity)
        node = {"id": number, "kind": kind, "parent": parent, "activity": activity, "length": length, "cases": 0}
        self._variants.put(node | act.place)
        return number

    def count(self) -> None:
        """Add what the batches of a block counted to the rows; each has the place of the last that changed it."""
        counted, self._counted = self._counted, _Counted()
        variants = defaultdict[int, int](int)
        for (kind, before, after), (count, took_ms, act) in counted.flows.items():
            if count or took_ms:
                row = self._flows.find(kind, before, after) or {"count": 0, "total_ms": 0}
                sums = {"count": row["count"] + count, "total_ms": row["total_ms"] + took_ms}
                self._flows.put({"kind": kind, "before": before, "after": after, **sums, **act.place})
        for (kind, before, after, width), (count, act) in counted.times.items():
            times = self._times.find(kind, before, after, width) or {"count": 0}
            named = {"kind": kind, "before": before, "after": after, "class": width}
            self._times.put({**named, "count": times["count"] + count, **act.place})
        for number, (moved, act) in counted.moved.items():
            node = self._variants.find(number) if number != EDGE and moved else None
            if node is not None:
                cases = node["cases"] + moved
                variants[node["kind"]] += (cases > 0) - (node["cases"] > 0)
                self._variants.put(node | {"cases": cases} | act.place)
        for number, (cases, events, act) in counted.kinds.items():
            kinds = self._kinds.find(number)
            if kinds is not None:
                more = {"cases": cases, "events": events, "variants": variants[number]}
                self._kinds.put(kinds | {name: kinds[name] + count for name, count in more.items()} | act.place)


class _Counted:
    """What the batches of a block add, by keys, each with the last act that added to it."""

    __slots__ = ("flows", "kinds", "moved", "times")

    def __init__(self) -> None:
        self.flows: dict[tuple[int, int, int], tuple[int, int, Act]] = {}  # count, sum of times
        self.times: dict[tuple[int, int, int, int], tuple[int, Act]] = {}
        self.moved: dict[int, tuple[int, Act]] = {}
        self.kinds: dict[int, tuple[int, int, Act]] = {}  # cases, events

    def flow(self, kind: int, before: int, after: int, count: int, took_ms: int, act: Act) -> None:
        """Count that one activity follows another."""
        key = (kind, before, after)
        had = self.flows.get(key)
        self.flows[key] = (count, took_ms, act) if had is None else (had[0] + count, had[1] + took_ms, act)

    def time(self, kind: int, before: int, after: int, width: int, act: Act, count: int = 1) -> None:
        """Count the time between two activities in its class."""
        key = (kind, before, after, width)
        had = self.times.get(key)
        self.times[key] = (count, act) if had is None else (had[0] + count, act)

    def move(self, variant: int, count: int, act: Act) -> None:
        """Count that a trace came to a variant (1), or left it (-1)."""
        had = self.moved.get(variant)
        self.moved[variant] = (count, act) if had is None else (had[0] + count, act)

    def event(self, kind: int, begins: bool, act: Act) -> None:
        """Count an event, and the case that begins with it."""
        self.events(kind, int(begins), 1, act)

    def events(self, kind: int, cases: int, events: int, act: Act) -> None:
        """Count cases and events."""
        had = self.kinds.get(kind)
        self.kinds[kind] = (cases, events, act) if had is None else (had[0] + cases, had[1] + events, act)
