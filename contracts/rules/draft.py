"""The state of an object's monitors while a call changes it; the state itself is never changed in place.

Law: what is looked up and changed costs the same however many rules have a state, but for copying it.

``contracts/rules/monitor.py`` says what a state is. Details of any size are a list sorted by rule; those of ``Timed``
rules are of one width and stand side by side in ``times``, where their rule's ``span`` says.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from typing import Any, Final

from coseal.contracts.rules.rule import Rule
from coseal.contracts.rules.timed import TIME_BYTES, places
from coseal.contracts.rules.verdict import FINAL, Body, Ruling

State = list[Any]
CODES: Final = 0
DETAILS: Final = 1
TIMES: Final = 6
DUE_MS: Final = 7


class Layout:
    """Where the rules of a set have their state."""

    __slots__ = ("bodies", "size", "spans", "timed", "width")

    def __init__(self, rules: Sequence[Rule]) -> None:
        self.size = len(rules)
        self.bodies: list[Body] = [rule.body for rule in rules]
        self.spans: list[tuple[int, int]] = []
        self.width = 0
        for rule in rules:
            end = self.width + places(rule.data) * TIME_BYTES  # of one that ended, too: M7
            self.spans.append((self.width, end))
            self.width = end
        self.timed = [slot for slot, (start, end) in enumerate(self.spans) if start < end]


class Draft:
    """A state that is being changed."""

    __slots__ = ("_details", "_layout", "_shared", "codes", "due_ms", "times")

    def __init__(self, layout: Layout, state: State) -> None:
        self._layout = layout
        self.codes = bytearray(state[CODES].ljust(layout.size, b"\0"))
        self._details: list[Any] = state[DETAILS]
        self._shared = True
        self.times = bytearray(state[TIMES].ljust(layout.width, b"\0"))
        self.due_ms: int | None = state[DUE_MS]

    def detail(self, slot: int) -> Any:
        """Return the detail of a rule, or None."""
        start, end = self._layout.spans[slot]
        if start < end:
            return bytes(self.times[start:end])
        place = bisect_left(self._details, [slot])
        found = place < len(self._details) and self._details[place][0] == slot
        return self._details[place][1] if found else None

    def put(self, slot: int, before: Any, ruling: Ruling) -> None:
        """Set a rule's code and detail, which was ``before``."""
        self.codes[slot] = ruling.code
        if ruling.detail is before:
            return
        start, end = self._layout.spans[slot]
        if start < end:
            self.times[start:end] = bytes(end - start) if ruling.detail is None else ruling.detail
        else:
            self._put(slot, ruling.detail)
        deadline_ms = self._layout.bodies[slot].deadline_ms(ruling.code, ruling.detail)
        if deadline_ms is not None:
            self.waits(deadline_ms)

    def waits(self, deadline_ms: int) -> None:
        """Something is due at a time."""
        if self.due_ms is None or deadline_ms < self.due_ms:
            self.due_ms = deadline_ms

    def deadlines(self) -> list[tuple[int, int]]:
        """Return (deadline, rule) of what the object's obligations wait for."""
        found = []
        for slot in self._layout.timed:
            if self.codes[slot] and self.codes[slot] not in FINAL:
                deadline_ms = self._layout.bodies[slot].deadline_ms(self.codes[slot], self.detail(slot))
                if deadline_ms is not None:
                    found.append((deadline_ms, slot))
        for slot, detail in self._details:
            deadline_ms = self._layout.bodies[slot].deadline_ms(self.codes[slot], detail)
            if deadline_ms is not None:
                found.append((deadline_ms, slot))
        return found

    def state(self, last: str, first_ms: int | None, count: int, attributes: list[Any]) -> State:
        """Return the state that it has become."""
        codes, times = bytes(self.codes).rstrip(b"\0"), bytes(self.times).rstrip(b"\0")
        return [codes, self._details, last, first_ms, count, attributes, times, self.due_ms]

    def _put(self, slot: int, detail: Any) -> None:
        if self._shared:
            self._details, self._shared = list(self._details), False
        place = bisect_left(self._details, [slot])
        if place < len(self._details) and self._details[place][0] == slot:
            del self._details[place]
        if detail is not None:  # it needs no place
            self._details.insert(place, [slot, detail])
