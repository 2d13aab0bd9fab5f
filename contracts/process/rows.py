"""How process data becomes rows: types, sources, batches, items with their objects, and what is counted of flows.

Law: the rows follow from accepted transactions in ledger order. contracts/process/README.md.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final, TypeAlias

from coseal.contracts.kernel.rows.buffer import Rows
from coseal.contracts.kernel.rows.place import Act
from coseal.contracts.kernel.rows.writer import Writer
from coseal.contracts.kernel.wording import in_language
from coseal.contracts.process.chain import objects_of
from coseal.contracts.process.corrected_rows import CorrectedRows, Linked
from coseal.contracts.process.corrections import named_objects
from coseal.contracts.process.flows import FlowRows, Step
from coseal.contracts.process.items import time_ms
from coseal.contracts.process.recorded import RecordedItem, appended_items
from coseal.contracts.process.tables import (
    ACTIVITIES,
    BATCHES,
    ITEM_OBJECTS,
    ITEM_VALUES,
    ITEMS,
    OBJECTS,
    PROCESS_TYPES,
    SOURCES,
    TRACES,
)
from coseal.contracts.process.tally_rows import TallyRows
from coseal.ledger.strict_json import json_text
from coseal.ledger.transaction import Transaction

_Corrected: TypeAlias = tuple[Mapping[str, Any], int, Sequence[Sequence[str]]]
"""What an item corrects, its number in the source, and the objects that the correction belongs to without naming."""
_KINDS: Final = ("event", "object", "change", "relation")


def writer(rows: Rows) -> Writer:
    """Return what writes the rows of this contract."""
    made = _ProcessRows(rows)
    return Writer(
        {
            "process.define_type": made.define_type,
            "process.register_source": made.register_source,
            "process.record": made.record,
        },
        finish=made.finish,
        elsewhere={"process.record": "items"},
        appended=made.append,
    )


VALUE_CHARACTERS: Final = 64
"""Longer values of attributes are not found by them."""


def values_of(item: Mapping[str, Any]) -> set[tuple[str, str]]:
    """Return the attributes that an item gives, each with its value as text; neither sealed nor long ones."""
    given = item.get("attributes", ())
    pairs = given.items() if isinstance(given, dict) else ((name, value) for name, _, value in given)
    return {
        (name, shown)
        for name, value in pairs
        if isinstance(value, (str, int))
        and len(shown := value if isinstance(value, str) else json_text(value)) <= VALUE_CHARACTERS
    }


class _ProcessRows:
    """Puts the rows of this contract; counts within a block, to write once."""

    def __init__(self, rows: Rows) -> None:
        self._rows = rows
        self._flows = FlowRows(rows)
        self._corrected = CorrectedRows(rows, self._flows)
        self._tallies = TallyRows(rows)
        self._detailed = rows.holds(ITEMS)
        self._batches, self._sources, self._activities = rows.of(BATCHES), rows.of(SOURCES), rows.of(ACTIVITIES)
        self._values = rows.of(ITEM_VALUES)
        self._objects, self._links, self._traces = rows.of(OBJECTS), rows.of(ITEM_OBJECTS), rows.of(TRACES)
        self._events: dict[int, int] = {}
        self._next_item = 0

    def finish(self) -> None:
        """Add what the block's events count up to."""
        events, self._events = self._events, {}
        for activity, count in events.items():
            known = _required(self._activities.find(activity), "an activity")
            self._activities.put(known | {"events": known["events"] + count})
        self._flows.count()

    def define_type(self, tx: Transaction, data: Mapping[str, Any], act: Act) -> None:
        """Put a version of a process type."""
        args = tx.args
        self._rows.of(PROCESS_TYPES).add(
            args["id"], args["version"], in_language(args["title"]), act.member, data["definition"], *act.where
        )
        self._tallies.define(args, act)

    def register_source(self, tx: Transaction, data: Mapping[str, Any], act: Act) -> None:
        """Put a source."""
        source = _source(data["source"], data["process_type"], data["mode"], tx.args.get("zone_minutes"))
        self._sources.put(source | act.place)

    def record(self, tx: Transaction, data: Mapping[str, Any], act: Act) -> None:
        """Put a batch, its items, and what they say of objects."""
        corrections = {entry[0] - data["first"]: entry for entry in data.get("corrections", ())}
        shown = list(reversed(tx.args.get("corrected", ())))
        items = tx.args["items"]
        corrected = {
            offset: (items[target - data["first"]] if target >= data["first"] else shown.pop(), target, also)
            for offset, (_, target, also) in corrections.items()
        }
        source = _required(self._sources.find(data["source"]), "a source")
        self._record(source, items, data["first"], corrected, data.get("gap"), act)

    def append(self, data: Mapping[str, Any], act: Act) -> None:
        """Put the items that a contract appended, batch by batch; their sources open with their first ones."""
        batches: dict[str, list[RecordedItem]] = {}
        for one in appended_items(data):
            batches.setdefault(one.source, []).append(one)
        for name, recorded in batches.items():
            source = self._sources.find(name) or _source(name, recorded[0].process_type, "live", None) | act.place
            self._record(source, [one.item for one in recorded], recorded[0].sequence, {}, None, act)

    def _record(
        self,
        source: dict[str, Any],
        items: Sequence[Mapping[str, Any]],
        sequence: int,
        corrected: Mapping[int, _Corrected],
        gap: Sequence[int] | None,
        act: Act,
    ) -> None:
        if self._next_item == 0:
            before = self._batches.last()
            self._next_item = 1 if before is None else before["first_item"] + before["items"]
        first, self._next_item = self._next_item, self._next_item + len(items)
        self._batches.add(first, len(items), source["name"], sequence, act.height, act.position)
        if self._detailed:
            self._items(source, items, first, sequence, act)
        if self._tallies.declared(source["process_type"]):
            self._tally(source, items, sequence, corrected, act)
        events, latest_ms = self._link(source, items, first, corrected, act)
        source["sequence"] = sequence + len(items) - 1
        source["items"] += len(items)
        source["events"] += events
        if gap is not None:
            source["gaps"] += 1
            source["missing"] += gap[1] - gap[0] + 1
        source["recorded_ms"], source["height"], source["position"] = act.time_ms, act.height, act.position
        if latest_ms is not None and (source["latest_ms"] is None or source["latest_ms"] < latest_ms):
            source["latest_ms"] = latest_ms
        self._sources.put(source)

    def _tally(
        self,
        source: Mapping[str, Any],
        items: Sequence[Mapping[str, Any]],
        first: int,
        corrected: Mapping[int, _Corrected],
        act: Act,
    ) -> None:
        """Add items to the tallies of their objects."""
        process_type, definition = source["process_type"], self._tallies.definition(source["process_type"])
        for offset, item in enumerate(items):
            known = corrected.get(offset)
            if "event" in item or known is not None:
                target = None if known is None else (known[1], known[0], named_objects(known[0], definition))
                self._tallies.add(process_type, source["name"], first + offset, item, objects_of(item), target, act)

    def _link(
        self,
        source: Mapping[str, Any],
        items: Sequence[Mapping[str, Any]],
        first: int,
        corrected: Mapping[int, _Corrected],
        act: Act,
    ) -> tuple[int, int | None]:
        """Link items to their objects; return how many events there are, and the latest time of one."""
        process_type, zone_minutes = source["process_type"], source["zone_minutes"]
        counts, add = self._events, self._links.add
        events, steps = 0, list[Step]()
        latest_ms: int | None = None
        for number, item in enumerate(items, first):
            activity = occurred_ms = None
            if "event" in item:
                activity = self._activity(process_type, item["type"], act)
                counts[activity] = counts.get(activity, 0) + 1
                events += 1
                occurred_ms = time_ms(item["time"], zone_minutes)
                if occurred_ms is not None and (latest_ms is None or occurred_ms > latest_ms):
                    latest_ms = occurred_ms
            for name, value in values_of(item):
                self._values.add(name, value, number)
            if number - first in corrected:
                self._flows.write(process_type, steps, act)
                steps.clear()
                linked = Linked(number, activity, occurred_ms)
                self._correct(source, item, linked, corrected[number - first], act)
                continue
            for object_type, object_id in objects_of(item):
                key = self._object(process_type, object_type, object_id, act)
                add(key, number, activity, occurred_ms)
                if activity is not None:
                    steps.append((key, object_type, activity, occurred_ms))
        self._flows.write(process_type, steps, act)
        return events, latest_ms

    def _correct(
        self, source: Mapping[str, Any], item: Mapping[str, Any], now: Linked, corrected: _Corrected, act: Act
    ) -> None:
        """Link a correction to its objects: in the place of what it corrects, where that is an item of the object."""
        shown, sequence, also = corrected
        process_type, target = source["process_type"], None
        number = self._corrected.number_of(source["name"], sequence)
        if number is not None:
            event = "event" in shown
            activity = self._activity(process_type, shown["type"], act) if event else None
            target = Linked(number, activity, time_ms(shown["time"], source["zone_minutes"]) if event else None)
        for named, names in ((True, objects_of(item)), (False, also)):
            for object_type, object_id in names:
                place = (process_type, object_type, self._object(process_type, object_type, object_id, act))
                here = now if named else now._replace(activity=None)
                if target is not None and self._corrected.correct(target, here, place, act):
                    continue
                self._links.add(place[2], here.number, here.activity, here.shown_ms)
                if here.activity is not None:
                    self._flows.write(process_type, [(place[2], object_type, here.activity, here.time_ms)], act)

    def _items(
        self,
        source: Mapping[str, Any],
        items: Sequence[Mapping[str, Any]],
        first: int,
        sequence: int,
        act: Act,
    ) -> None:
        """Put every item whole."""
        for offset, item in enumerate(items):
            is_event = "event" in item
            self._rows.of(ITEMS).add(
                first + offset,
                source["process_type"],
                source["name"],
                sequence + offset,
                next(kind for kind in _KINDS if kind in item),
                item.get("event"),
                item["type"] if is_event else None,
                item["time"] if is_event else None,
                time_ms(item["time"], source["zone_minutes"]) if is_event else None,
                act.time_ms,
                item.get("late"),
                item["corrects"][0] if "corrects" in item else None,
                *act.where,
                item,
            )

    def _activity(self, process_type: str, name: str, act: Act) -> int:
        known = self._activities.number(process_type, name)
        if known is not None:
            return known
        number = self._activities.new_number(process_type, name)
        activity = {"id": number, "process_type": process_type, "name": name, "events": 0}
        self._activities.put(activity | act.place)
        return number

    def _object(self, process_type: str, object_type: str, name: str, act: Act) -> int:
        """Return the number of an object, which is new with its first item."""
        known = self._objects.number(name, object_type, process_type)
        if known is not None:
            return known
        number = self._objects.new_number(name, object_type, process_type)
        self._objects.add(number, process_type, object_type, name, *act.where)
        self._traces.lack(number)
        return number


def put_own_type(rows: Rows, definition: Mapping[str, Any], act: Act) -> None:
    """Put a contract's own process type, with the first item that it appended."""
    if rows.of(PROCESS_TYPES).find(definition["id"], definition["version"]) is None:
        row = {name: definition[name] for name in ("id", "version", "member", "definition")}
        rows.of(PROCESS_TYPES).put({**row, "title": in_language(definition["title"]), **act.place})


def _source(name: str, process_type: str, mode: str, zone_minutes: int | None) -> dict[str, Any]:
    """Return the row of a source that recorded nothing yet, without its place."""
    return {
        "name": name,
        "member": name.partition("/")[0],
        "process_type": process_type,
        "mode": mode,
        "zone_minutes": zone_minutes,
        **dict.fromkeys(("sequence", "items", "events", "gaps", "missing"), 0),
        **dict.fromkeys(("latest_ms", "recorded_ms")),
    }


def _required(row: dict[str, Any] | None, what: str) -> dict[str, Any]:
    """Return a row that an accepted transaction speaks of; without it the rows are not those of the blocks before."""
    if row is None:
        raise LookupError(f"{what} is missing among the rows of the blocks before")
    return row
