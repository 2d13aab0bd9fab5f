"""Tallies: sums over the events of an object that it carries in the state, kept by the member that recorded them.

Law: a tally follows from the object's items alone, in ledger order; each member's figures from its own items. What
does not add exactly is counted, neither rounded nor refused; an item that is corrected away is taken out again.

A figure is ``[sum, events, inexact]``; the sum is None for good once it left the bounds. The row of a member is
``[mode, unit, currency, {tally: figure}, corrections, [[source, sequence], ...]]``: what its first event that has them
said, and which of its items were taken out. No value is changed in place.

contracts/process/README.md, section Tallies.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final, NamedTuple

from coseal.contracts.kernel.action import Reader, View
from coseal.contracts.process.chain import ObjectName
from coseal.contracts.process.items import is_decimal
from coseal.contracts.process.matching import FIGURES, MODES, Figures, Match, judge
from coseal.contracts.process.state import further_tally_key, tally_key
from coseal.contracts.process.tallies import MAX_SCALE, Declared, Term

MAX_MEMBERS: Final = 8
"""Members in an object's own value; each further one has a key of its own, so nobody crowds others out."""
MAX_CORRECTIONS: Final = 32
MAX_ADDED: Final = 10**15
MAX_SUM: Final = 2**62
TERM_STEPS: Final = 12
"""What adding, or taking out, one term takes."""
_POWERS: Final = tuple(int("1" + "0" * digits) for digits in range(MAX_SCALE + 1))
_MAX_UNIT_CHARACTERS: Final = 32
_MAX_EXPONENT_CHARACTERS: Final = 4
_NO_FIGURE: Final = (0, 0, 0)
_NO_ROW: Final[list[Any]] = [None, None, None, {}, 0, []]
_OTHER: Final = "other"
"""What stands for a mode that is none."""


class Tally(NamedTuple):
    """The tallies of one object: ``totals`` over all members, and the rows of those that are known here."""

    totals: Mapping[str, Any]
    members: Mapping[str, Any]


EMPTY: Final = Tally({}, {})
NO_TALLIES: Final[Mapping[ObjectName, Tally]] = {}


def exact(value: Any, own: int, scale: int) -> int | None:
    """Return a value in units of 10^-``scale``, or None where it is not a whole number of them, or too large.

    ``own`` are the digits after the point of an integer; -1 says that the value is a decimal's text.
    """
    number: int | None = None
    if own < 0:
        number = _of_text(value, scale) if is_decimal(value) else None
    elif type(value) is int:
        number = _scaled(value, own, scale)
    return number if number is not None and -MAX_ADDED <= number <= MAX_ADDED else None  # L5


def _scaled(value: int, own: int, scale: int) -> int | None:
    if scale >= own:
        return value * _POWERS[scale - own]
    by = _POWERS[own - scale]
    return None if value % by else value // by


def _of_text(text: str, scale: int) -> int | None:
    mantissa, _, exponent = text.lower().partition("e")
    whole, _, fraction = mantissa.partition(".")
    negative = whole[:1] == "-"
    digits = (whole[1:] if negative else whole) + fraction
    if not digits.strip("0"):
        return 0
    if len(exponent) > _MAX_EXPONENT_CHARACTERS:
        return None
    shift = scale - len(fraction) + (int(exponent) if exponent else 0)
    if shift < 0:
        if digits[shift:].strip("0"):  # all of them, where there are fewer
            return None
        digits, shift = digits[:shift], 0
    digits = digits.lstrip("0")
    if len(digits) + shift > 16:
        return None
    number = int(digits + "0" * shift or "0")
    return -number if negative else number


def after(
    declared: Declared, tally: Tally, source: str, sequence: int, item: Mapping[str, Any] | None, corrected: Any
) -> Tally:
    """Return the tallies of an object after an item of a source; the same one if it adds nothing.

    ``item`` is None where it does not name the object, ``corrected`` what it corrects there, with its sequence.
    """
    member = source.partition("/")[0]
    terms = _terms(declared, item)
    taken = None if corrected is None else _terms(declared, corrected[1])
    if not terms and not taken:
        return tally
    row = list(tally.members.get(member, _NO_ROW))
    totals, figures = dict(tally.totals), dict(row[3])
    row[3] = figures
    if corrected is not None and taken is not None:
        row[4] += 1
        if not _take_out(declared, row, totals, taken, corrected[1], [source.partition("/")[2], corrected[0]]):
            for name in dict.fromkeys(term.tally for term in (*taken, *terms)):  # L6
                _add(figures, totals, name, 0, 0, 1)
            terms = ()
    if item is not None and terms:
        attributes = item.get("attributes", {})
        _fix(declared, row, attributes)
        for term in terms:
            amount = _amount(declared, row, term, attributes)
            if amount is not None:
                _add(figures, totals, term.tally, *amount)
    return Tally(totals, {**tally.members, member: row})


def terms_of(declared: Declared, item: Any) -> int:
    """Return how many terms an item has."""
    return len(_terms(declared, item))


def _terms(declared: Declared, item: Any) -> tuple[Term, ...]:
    if type(item) is not dict or "event" not in item:
        return ()
    kind = item.get("type")
    return declared.terms.get(kind, ()) if type(kind) is str else ()


def _fix(declared: Declared, row: list[Any], attributes: Mapping[str, Any]) -> None:
    """Have the first event that says them fix a member's mode, unit and currency."""  # L8
    for place, name in enumerate((declared.mode, declared.unit, declared.currency)):
        value = attributes.get(name) if name and row[place] is None else None
        if type(value) is str and value:
            if place == 0:
                row[0] = value if value in MODES else _OTHER
            elif len(value) <= _MAX_UNIT_CHARACTERS:
                row[place] = value


def _amount(
    declared: Declared, row: list[Any], term: Term, attributes: Mapping[str, Any]
) -> tuple[int, int, int] | None:
    """Return what a term changes: sum, events, inexact; None where the event lacks the attribute."""
    if not term.attribute:
        return term.constant, 1, 0
    value = attributes.get(term.attribute)
    if value is None:
        return None
    number = exact(value, term.own, term.scale)
    if number is None or not _agrees(declared, row, term, attributes):
        return 0, 0, 1  # L5
    return term.sign * number, 1, 0


def _agrees(declared: Declared, row: list[Any], term: Term, attributes: Mapping[str, Any]) -> bool:
    if not term.of:
        return True
    place, name = (1, declared.unit) if term.of == "unit" else (2, declared.currency)
    return not name or name not in attributes or attributes[name] == row[place]


def _add(figures: dict[str, Any], totals: dict[str, Any], name: str, value: int, events: int, inexact: int) -> None:
    for sums in (figures, totals):
        total, count, wrong = sums.get(name, _NO_FIGURE)
        if total is not None:
            total += value
            if not -MAX_SUM <= total <= MAX_SUM:
                total = None
        sums[name] = [total, count + events, wrong + inexact]


def _take_out(
    declared: Declared,
    row: list[Any],
    totals: dict[str, Any],
    terms: tuple[Term, ...],
    item: Mapping[str, Any],
    place: list[Any],
) -> bool:
    """Take what a corrected item added out of a member's figures; False, and nothing changed, if it is not in them."""
    figures, taken = row[3], row[5]
    if place in taken or len(taken) == MAX_CORRECTIONS:
        return False
    attributes: Any = item.get("attributes", {})
    changes = []
    for term in terms:
        amount = _amount(declared, row, term, attributes)
        if amount is not None:
            _, events, inexact = figures.get(term.tally, _NO_FIGURE)
            if events < amount[1] or inexact < amount[2]:
                return False
            changes.append((term.tally, -amount[0], -amount[1], -amount[2]))
    for change in changes:
        _add(figures, totals, *change)
    row[5] = [*taken, place]
    if not any(events or inexact for _, events, inexact in figures.values()):
        row[:3] = [None, None, None]
    return True


class Fold:
    """The tallies of objects by their items in ledger order, for those who have the items and not the state."""

    def __init__(self, declared: Mapping[str, Declared]) -> None:
        self._declared = declared
        self._tallies: dict[ObjectName, Tally] = {}

    def add(
        self, source: str, sequence: int, item: Mapping[str, Any], names: Iterable[ObjectName], corrected: Any = None
    ) -> Mapping[ObjectName, Tally]:
        """Add an item that names some objects, and perhaps corrects another; return the tallies of these objects.

        ``corrected`` is ``(sequence, item, objects)`` of what it corrects.
        """
        found: dict[ObjectName, Tally] = {}
        mine, others = dict.fromkeys(names), () if corrected is None else tuple(corrected[2])
        for name in (*mine, *(other for other in others if other not in mine)):
            declared = self._declared.get(name[0])
            if declared is not None:
                own, corrects = item if name in mine else None, corrected[:2] if name in others else None
                before = self._tallies.get(name, EMPTY)
                found[name] = self._tallies[name] = after(declared, before, source, sequence, own, corrects)
        return found


# In the state


def read_tally(reader: Reader, process_type: str, object_type: str, name: str) -> Tally:
    """Return the tallies of an object, with the members of its own value."""
    value: Any = reader.get(tally_key(process_type, object_type, name))
    return EMPTY if value is None else Tally(value[0], value[1])


def with_member(reader: Reader, tally: Tally, member: str, process_type: str, object_type: str, name: str) -> Tally:
    """Return the tallies with the row of a member, which may have a key of its own."""
    if member in tally.members or len(tally.members) < MAX_MEMBERS:
        return tally
    row: Any = reader.get(further_tally_key(member, process_type, object_type, name))
    return tally if row is None else Tally(tally.totals, {**tally.members, member: row})


def write_tally(view: View, before: Tally, tally: Tally, process_type: str, object_type: str, name: str) -> None:
    """Write the tallies of an object; ``before`` is as it was read, with all members that were there."""
    own: dict[str, Any] = {}
    for number, (member, row) in enumerate(tally.members.items()):
        if number < MAX_MEMBERS:
            own[member] = row
        elif before.members.get(member) is not row:
            view.put(further_tally_key(member, process_type, object_type, name), row)
    view.put(tally_key(process_type, object_type, name), [dict(tally.totals), own])


# What it says


def figure(sums: Mapping[str, Any], name: str) -> int | None:
    """Return a sum, None where something did not add exactly."""
    total, _, inexact = sums.get(name, _NO_FIGURE)
    return None if inexact else total


def matched(declared: Declared, tally: Tally, buyer: str, seller: str) -> Match | None:
    """Return how what a seller invoiced matches what a buyer ordered and received; None where that is not declared."""
    if declared.matched is None:
        return None
    return judge(figures_of(declared, tally, buyer, seller), declared.matched)


def figures_of(declared: Declared, tally: Tally, buyer: str, seller: str) -> Figures:
    """Return the figures of two members, each by its own word."""
    rows = [tally.members.get(member, _NO_ROW) for member in (buyer, seller)]
    bought, sold = rows
    owners = [bought[3], bought[3], sold[3], bought[3], sold[3]]
    ordered, received, invoiced, ordered_amount, invoiced_amount = (
        figure(sums, name) for sums, name in zip(owners, FIGURES, strict=True)
    )
    mode, why = bought[0] or declared.default, ""
    if mode not in MODES:
        why = "unknown_mode"
    elif any(None not in (bought[place], sold[place]) and bought[place] != sold[place] for place in (1, 2)):
        why = "unit" if bought[1] != sold[1] and None not in (bought[1], sold[1]) else "currency"
    elif None in (ordered, received, invoiced, ordered_amount, invoiced_amount):
        why = "inexact"
    return Figures(
        mode,
        ordered or 0,
        received or 0,
        invoiced or 0,
        ordered_amount or 0,
        invoiced_amount or 0,
        why,
    )
