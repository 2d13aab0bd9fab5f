"""Adds facts to the lists of members, takes them out again, and deletes months that are too old.

Law: what an act or a due thing adds is written once at its end, a page and a figure for each list that it changes.

contracts/credit/README.md, C1 to C6.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

from coseal.contracts.credit.figures import (
    OVERTURNED,
    REFUSED,
    Entry,
    Figure,
    Place,
    after,
    begin_ms,
    figure_from,
    month_after,
    month_of,
    shown,
)
from coseal.contracts.credit.state import NAME, entries_key, fact_key, month_key, origin_key
from coseal.contracts.kernel import deadlines
from coseal.contracts.kernel.action import Reader, Result, View
from coseal.contracts.kernel.contract import Moment
from coseal.contracts.kernel.deadlines import BLOCK_CLOCK

FACT_STEPS: Final = 75
"""What an entry takes beside reading and writing."""
ACT_STEPS: Final = 400
"""What an act takes that may add some."""
PAGE_ENTRIES: Final = 8
KEPT_MONTHS: Final = 60
FORGET: Final = "forget"
_PAGES_AT_ONCE: Final = 500
"""How many pages one due thing deletes."""


class Fact(NamedTuple):
    """What happened, as ``Entry`` says it; ``open``: it may be overturned, and is then taken out by its origin."""

    member: str
    kind: str
    origin: str
    counterparty: str = ""
    amount: int = 0
    days: int = 0
    held: str = ""
    open: bool = False


@dataclass(frozen=True, slots=True)
class Kept:
    """An entry of a list, and what became of it: empty, or ``open``, ``overdue``, ... with the time to answer."""

    entry: Entry
    status: str = ""
    deadline_ms: int = 0


class Facts:
    """What one act changes: ``add``, ``append``, ``overturn``, ``mark``, and in the end ``write``."""

    def __init__(self, view: View, height: int, time_ms: int) -> None:
        view.charge(ACT_STEPS)
        self.view, self.height, self.month = view, height, month_of(time_ms)
        self._figures: dict[Place, Figure] = {}
        self._pages: dict[tuple[Place, int], list[Any]] = {}
        self._new: list[Place] = []
        self._shown: list[dict[str, Any]] = []

    def add(self, fact: Fact) -> None:
        """Count a fact in the month of the block."""
        place = Place(fact.member, self.month, fact.kind)
        number = self.append(place, fact)
        if fact.open:
            self.view.put(origin_key(fact.origin), [*place, number])

    def append(self, place: Place, fact: Fact, *, sign: int = 1, of: int = 0, why: str = "") -> int:
        """Add an entry to a list; return its number."""
        self.view.charge(FACT_STEPS)
        figure = self._figure(place)
        said = (fact.origin, fact.counterparty, fact.amount, fact.days, fact.held)
        entry = Entry(figure.entries + 1, sign, of, why, *said, self.height)
        self._page(place, entry.number).append([list(entry), "", 0])
        self._figures[place] = after(figure, place, entry)
        self._shown.append(shown(place, entry))
        return entry.number

    def change(self, place: Place, entry: Entry, sign: int, why: str) -> None:
        """Let an entry count no longer, or again."""
        fact = Fact(place.member, place.kind, entry.origin, entry.counterparty, entry.amount, entry.days, entry.held)
        self.append(place, fact, sign=sign, of=entry.number, why=why)

    def mark(self, place: Place, number: int, status: str, deadline_ms: int = 0) -> None:
        """Say what became of an entry."""
        page = self._page(place, number)
        index = (number - 1) % PAGE_ENTRIES
        page[index] = [page[index][0], status, deadline_ms]

    def find(self, place: Place, number: int) -> Kept | None:
        """Return an entry, or None."""
        page, index = self._page(place, number), (number - 1) % PAGE_ENTRIES
        if index >= len(page):
            return None
        entry, status, deadline_ms = page[index]
        return Kept(Entry(*entry), status, deadline_ms)

    def closed(self, origin: str) -> None:
        """Note that what a fact rests on cannot be overturned any more."""
        self.view.delete(origin_key(origin))

    def overturn(self, origin: str) -> None:
        """Take out what rests on an origin that was overturned; what is left out already stays so."""  # C5
        found: Any = self.view.get(origin_key(origin))
        if found is None:
            return
        self.closed(origin)
        member, month, kind, number = found
        place = Place(member, month, kind)
        kept = self.find(place, number)
        if kept is None:  # C6
            return
        if kept.status in ("", REFUSED):
            self.change(place, kept.entry, -1, OVERTURNED)
        if kept.status in ("", REFUSED, *UNANSWERED):
            self.mark(place, number, OVERTURNED)

    def write(self) -> list[dict[str, Any]]:
        """Write what changed; return the entries as the receipt shows them."""
        for place in self._new:
            self._begin(place)
        for place, figure in self._figures.items():
            self.view.put(fact_key(*place), list(figure))
        for (place, page), entries in self._pages.items():
            if entries:
                self.view.put(entries_key(*place, page), entries)
        return self._shown

    def _begin(self, place: Place) -> None:
        key = month_key(place.member, place.month)
        kinds: Any = self.view.get(key)
        if kinds is None:
            over_ms = begin_ms(month_after(place.month, KEPT_MONTHS + 1))
            deadlines.add(self.view, NAME, BLOCK_CLOCK, over_ms, [FORGET, place.member, place.month])
        self.view.put(key, [*(kinds or ()), place.kind])

    def _figure(self, place: Place) -> Figure:
        figure = self._figures.get(place)
        if figure is None:
            figure = figure_from(self.view.get(fact_key(*place)))
            if not figure.entries:
                self._new.append(place)
        return figure

    def _page(self, place: Place, number: int) -> list[Any]:
        key = (place, (number - 1) // PAGE_ENTRIES)
        page = self._pages.get(key)
        if page is None:
            value: Any = self.view.get(entries_key(*place, key[1]))
            page = self._pages[key] = list(value or ())
        return page


OPEN: Final = "open"
OVERDUE: Final = "overdue"
UNANSWERED: Final = (OPEN, OVERDUE)
"""A contest that waits for an answer, within its term and after it."""


def forget(view: View, entry: Sequence[Any]) -> Result:
    """Delete what a member has of a month, as many pages as one due thing can; return what is gone."""  # C6
    member, month = entry[1], entry[2]
    kinds: Any = view.get(month_key(member, month))
    left = _PAGES_AT_ONCE
    gone: list[Any] = []
    for at, kind in enumerate(kinds):
        place = Place(member, month, kind)
        figure = figure_from(view.get(fact_key(*place)))
        pages = -(-figure.entries // PAGE_ENTRIES)
        first = entry[3] if at == 0 and len(entry) > 3 else 0
        for page in range(first, min(pages, first + left)):
            view.delete(entries_key(*place, page))
        if pages - first > left:
            view.put(month_key(member, month), kinds[at:])
            deadlines.add(view, NAME, BLOCK_CLOCK, 0, [FORGET, member, month, first + left])
            return {"forgotten": gone}
        left -= pages - first
        view.delete(fact_key(*place))
        gone.append([*place, figure.entries])
    view.delete(month_key(member, month))
    return {"forgotten": gone}


def entries_of(reader: Reader, place: Place) -> list[Kept]:
    """Return the whole list behind a figure."""
    figure = figure_from(reader.get(fact_key(*place)))
    found: list[Kept] = []
    for page in range(-(-figure.entries // PAGE_ENTRIES)):
        value: Any = reader.get(entries_key(*place, page))
        found += [Kept(Entry(*entry), status, deadline_ms) for entry, status, deadline_ms in value]
    return found


def now(view: View, moment: Moment) -> Facts:
    """Return what a due thing changes."""
    return Facts(view, moment.height, moment.time_ms)
