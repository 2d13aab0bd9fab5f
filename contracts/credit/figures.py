"""What a figure is: the count, the sum and the chained list of a member's facts of one kind in one month. Pure.

Law: a figure fixes its whole list; nothing leaves the list, for what no longer counts is taken out by another entry.

contracts/credit/README.md, C1 to C3.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from hashlib import sha256
from typing import Any, Final, NamedTuple

from coseal.contracts.kernel.dates import DAY_MS, days_since_epoch
from coseal.ledger import codec
from coseal.ledger.errors import BadProof
from coseal.ledger.render import time_text
from coseal.ledger.signing import ZERO_HASH

SETTLED_ON_TIME: Final = "settled_on_time"
SETTLED_LATE: Final = "settled_late"
FELL_OVERDUE: Final = "fell_overdue"
WRITTEN_OFF: Final = "written_off"
DISPUTE_UPHELD: Final = "dispute_upheld"
DISPUTE_REFUSED: Final = "dispute_refused"
SANCTIONED: Final = "sanctioned"
RECTIFIED_IN_TIME: Final = "rectified_in_time"
RECTIFIED_LATE: Final = "rectified_late"
ANSWERED_IN_TIME: Final = "answered_in_time"
ANSWERED_LATE: Final = "answered_late"
GAP: Final = "gap"
KINDS: Final = (
    *(SETTLED_ON_TIME, SETTLED_LATE, FELL_OVERDUE, WRITTEN_OFF, DISPUTE_UPHELD, DISPUTE_REFUSED),
    *(SANCTIONED, RECTIFIED_IN_TIME, RECTIFIED_LATE, ANSWERED_IN_TIME, ANSWERED_LATE, GAP),
)
"""What is counted."""
OVERTURNED: Final = "overturned"
CONTESTED: Final = "contested"
REFUSED: Final = "refused"
CORRECTED: Final = "corrected"
WHYS: Final = ("", OVERTURNED, CONTESTED, REFUSED, CORRECTED)
"""Why an entry is in the list: empty for a new fact; else it changes what another counts for."""
FIRST_MONTH: Final = 1970_01
LAST_MONTH: Final = 9999_12
_MONTHS: Final = 12
_TAG: Final = b"coseal/credit/1".ljust(24, b"\x00")


class Place(NamedTuple):
    """Where a figure stands: whose facts, of which month as ``yyyymm``, of which kind."""

    member: str
    month: int
    kind: str


class Entry(NamedTuple):
    """One line of a list.

    ``number`` counts from 1; ``sign`` is 1 for what counts and -1 for what is taken out, ``of`` the entry that is
    changed (0 for none), ``why`` one of ``WHYS``. ``origin`` names the receivable, finding, question or gap;
    ``amount`` is in fen (of a gap: missing items), ``days`` how late; ``held`` the hold, measure or suspension that
    kept the member from acting; ``height`` the block.
    """

    number: int
    sign: int
    of: int
    why: str
    origin: str
    counterparty: str
    amount: int
    days: int
    held: str
    height: int


class Figure(NamedTuple):
    """A figure: how many facts count, the total of their amounts, the head of the list and how many entries it has."""

    facts: int = 0
    total: int = 0
    head: bytes = ZERO_HASH
    entries: int = 0


def figure_from(value: Any) -> Figure:
    """Return a figure as the state has it; None is that without entries. Raises ``BadProof``."""
    if value is None:
        return Figure()
    if not isinstance(value, Sequence) or len(value) != len(Figure._fields):
        raise BadProof("a figure is count, sum, head and length of a list")
    return Figure(*value)


def after(figure: Figure, place: Place, entry: Entry) -> Figure:
    """Return a figure after another entry."""  # C2
    head = sha256(_TAG + figure.head + codec.encode([*place, *entry])).digest()
    return Figure(figure.facts + entry.sign, figure.total + entry.sign * entry.amount, head, figure.entries + 1)


def figure_of(place: Place, entries: Iterable[Entry]) -> Figure:
    """Return the figure of a whole list; raises ``BadProof`` for one that is not numbered from 1."""
    figure = Figure()
    for entry in entries:
        if entry.number != figure.entries + 1 or entry.sign not in (1, -1):
            raise BadProof(f"{place.kind} of {place.month}: entry {figure.entries + 1} is missing")
        figure = after(figure, place, entry)
    return figure


def by_counterparty(entries: Iterable[Entry]) -> dict[str, int]:
    """Return how many facts that count are with whom, in the order of the list; nobody counts for none."""
    found: dict[str, int] = {}
    for entry in entries:
        if entry.counterparty:
            found[entry.counterparty] = found.get(entry.counterparty, 0) + entry.sign
    return {name: count for name, count in found.items() if count}


def shown(place: Place, entry: Entry) -> dict[str, Any]:
    """Return an entry as receipts show it."""
    return {
        "member": place.member,
        "month": place.month,
        "kind": place.kind,
        "entry": entry.number,
        "sign": entry.sign,
        "of": entry.of,
        "why": entry.why,
        "origin": entry.origin,
        "counterparty": entry.counterparty,
        "amount": entry.amount,
        "days": entry.days,
        "held": entry.held,
    }


# Months


def month_of(time_ms: int) -> int:
    """Return the month of a block time in UTC, as ``yyyymm``."""  # C1
    year, month, *_ = time_text(time_ms).split("-")
    return int(year) * 100 + int(month)


def month_after(month: int, count: int) -> int:
    """Return the month that is ``count`` months later; negative is earlier."""
    months = month // 100 * _MONTHS + month % 100 - 1 + count
    return months // _MONTHS * 100 + months % _MONTHS + 1


def begin_ms(month: int) -> int:
    """Return when a month begins in UTC, in ms."""
    return days_since_epoch(month // 100, month % 100, 1) * DAY_MS
