"""Corrections as rows: the links of an object, and its trace, as they are by what was corrected.

Law: a link shows what stands in its place now; what was recorded there is kept beside it. An ordinary item costs
nothing of this. contracts/process/README.md, section Corrections.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from coseal.contracts.kernel.rows.buffer import Rows
from coseal.contracts.kernel.rows.place import Act
from coseal.contracts.process.flows import FlowRows
from coseal.contracts.process.tables import CORRECTIONS, ITEM_OBJECTS

MAX_TRACE: Final = 5_000
"""The longest trace, in events, that is counted again; on a longer one a correction counts as a further event."""


class Linked(NamedTuple):
    """An item as it is linked to an object: its number, activity and time; both None where it is no event.

    An event that does not name the object has a time only.
    """

    number: int
    activity: int | None
    time_ms: int | None

    @property
    def shown_ms(self) -> int | None:
        """The time, where it is an event of the object."""
        return None if self.activity is None else self.time_ms


class CorrectedRows:
    """Puts what a correction changes of one object."""

    def __init__(self, rows: Rows, flows: FlowRows) -> None:
        self._rows, self._flows = rows, flows
        self._links, self._corrections = rows.of(ITEM_OBJECTS), rows.of(CORRECTIONS)

    def number_of(self, source: str, sequence: int) -> int | None:
        """Return the number of an item of a source, None if there is none."""
        found = self._rows.ask(
            "SELECT first_item, items, sequence FROM batches WHERE source = ? AND sequence <= ?"
            " ORDER BY sequence DESC LIMIT 1",
            (source, sequence),
        )
        if found is None or sequence >= found[2] + found[1]:
            return None
        first, _, before = found
        number: int = first + sequence - before
        return number

    def correct(self, target: Linked, now: Linked, place: tuple[str, str, int], act: Act) -> bool:
        """Put ``now`` where ``target`` stood on an object; False if that is no item of it, as it was said to be.

        ``place`` is (process type, object type, number of the object).
        """
        number = place[2]
        before = self._corrections.find(number, target.number) or self._row(number, target.number)
        if before is None or before["time_ms"] != target.time_ms:
            return False
        if before["activity"] not in (target.activity, None):  # None: it did not name the object
            return False
        root = before.get("place", target.number)
        events = self._events(number)
        if events is None:
            return False
        first = self._corrections.find(number, root) or {**(self._row(number, root) or before), "place": root}
        self._corrections.put({**first, "object": number, "item": root, "now": now.number, **act.place})
        mine = {"object": number, "item": now.number, "place": root, "now": None}
        self._corrections.put({**mine, "activity": now.activity, "time_ms": now.time_ms, **act.place})
        self._links.put({"object": number, "item": root, "activity": now.activity, "time_ms": now.shown_ms})
        self._links.add(number, now.number, None, None)
        corrected = {key: value for key, value in events.items() if key != root}
        if now.activity is not None:
            corrected[root] = (now.activity, now.time_ms)
        trace = [corrected[key] for key in sorted(corrected)]
        self._flows.replace(place, list(events.values()), trace, act)
        return True

    def _row(self, number: int, item: int) -> dict[str, Any] | None:
        found = self._rows.ask(
            "SELECT activity, time_ms FROM item_objects WHERE object = ? AND item = ?", (number, item)
        )
        return None if found is None else {"activity": found[0], "time_ms": found[1]}

    def _events(self, number: int) -> Mapping[int, tuple[int, int | None]] | None:
        """Return the events of an object as they stand, by the numbers of their items; None if there are too many."""
        found: dict[int, tuple[int, int | None]] = {}
        at = 0
        while True:
            row = self._rows.ask(
                "SELECT item, activity, time_ms FROM item_objects WHERE object = ? AND item > ?"
                " AND activity IS NOT NULL ORDER BY item LIMIT 1",
                (number, at),
            )
            if row is None:
                return found
            if len(found) == MAX_TRACE:
                return None
            at = row[0]
            found[at] = (row[1], row[2])
