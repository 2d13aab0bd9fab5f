"""Tallies: sums over the events of an object that it carries in the state, kept by the member that recorded them.

Law: a tally follows from the object's items alone, in ledger order; each member's figures from its own items. What
does not add exactly is counted, neither rounded nor refused; an item that is corrected away is taken out again.

A figure is ``[sum, events, inexact]``; the sum is None for good once it left the bounds. The row of a member is
``[mode, unit, currency, {tally: figure}, corrections, [[source, sequence], ...]]``: what its first event that has them
said, and which of its items were taken out. No value is changed in place.

contracts/process/README.md, section Tallies.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final, NamedTuple

from coseal.contracts.kernel.action import Reader, View
from coseal.contracts.kernel.budget import free
from coseal.contracts.process.chain import ObjectName
from coseal.contracts.process.items import is_decimal
from coseal.contracts.process.matching import MODES, Figures, Match, judge
from coseal.contracts.process.state import further_tally_key, tally_key
from coseal.contracts.process.tallies import MAX_SCALE, Declared, Term

MAX_MEMBERS: Final = 8
"""Members in an object's own value; each further one has a key of its own, so nobody crowds others out."""
MAX_CORRECTIONS: Final = 32
MAX_ADDED: Final = 10**15
MAX_SUM: Final = 2**62
TERM_STEPS: Final = 12
"""What adding, or taking out, one term takes."""
_POWERS: Final[tuple[int, ...]] = tuple(10**digits for digits in range(MAX_SCALE + 1))
_MAX_UNIT_CHARACTERS: Final = 32
_MAX_EXPONENT_CHARACTERS: Final = 4
_NO_FIGURE: Final = (0, 0, 0)
_NOTHING: Final[Mapping[str, Any]] = {}
_NO_ROW: Final[list[Any]] = [None, None, None, {}, 0, []]
_OTHER: Final = "other"
"""What stands for a mode that is none."""


class Tally(NamedTuple):
    """The tallies of one object: the rows of its first members, the figures of all others together, ``further`` rows.

    Of the further ones only those are here that were asked for.
    """

    members: Mapping[str, Any]
    rest: Mapping[str, Any]
    further: Mapping[str, Any]

    def row(self, member: str) -> Any:
        """Return the row of a member, an empty one if it has none here."""
        return self.members.get(member) or self.further.get(member) or _NO_ROW

    def total(self, name: str) -> int | None:
        """Return the sum over all members, None where something did not add exactly."""
        total = figure(self.rest, name)
        for row in self.members.values():
            value = figure(row[3], name)
            if value is None or total is None:
                return None
            total += value
        return total if total is not None and -MAX_SUM <= total <= MAX_SUM else None


EMPTY: Final = Tally({}, {}, {})
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
    return number if number is not None and -MAX_ADDED <= number <= MAX_ADDED else None  # T24


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
    declared: Declared,
    tally: Tally,
    source: str,
    sequence: int,
    item: Mapping[str, Any] | None,
    corrected: Any,
    spend: Callable[[int], None] = free,
) -> Tally:
    """Return the tallies of an object after an item of a source; the same one if it adds nothing.

    ``item`` is None where it does not name the object, ``corrected`` what it corrects there, with its sequence.
    ``spend`` takes the steps of this, before it is done.
    """
    terms = () if item is None else terms_of(declared, item)
    taken = () if corrected is None else terms_of(declared, corrected[1])
    spend(TERM_STEPS * (len(terms) + len(taken)))
    if not terms and not taken:
        return tally
    member, _, name = source.partition("/")
    before = tally.row(member)
    row = list(before)
    row[3] = dict(before[3])
    if taken:
        row[4] += 1
        if not _take_out(row, taken, corrected[1], [name, corrected[0]]):
            for tallied in dict.fromkeys(term.tally for term in (*taken, *terms)):  # T25
                _add(row[3], tallied, (0, 0, 1))
            terms = ()
    if item is not None and terms:
        attributes = item.get("attributes", _NOTHING)
        if declared.said:
            _fix(declared, row, attributes)
        for term in terms:
            amount = _amount(row, term, attributes)
            if amount is not None:
                _add(row[3], term.tally, amount)
    if member in tally.members or (len(tally.members) < MAX_MEMBERS and member not in tally.further):
        return Tally({**tally.members, member: row}, tally.rest, tally.further)
    return Tally(tally.members, _changed(tally.rest, before[3], row[3]), {**tally.further, member: row})


def terms_of(declared: Declared, item: Any) -> tuple[Term, ...]:
    """Return what an item adds to tallies; it may be anything."""
    if type(item) is not dict or "event" not in item:
        return ()
    kind = item.get("type")
    return declared.terms.get(kind, ()) if type(kind) is str else ()


def _fix(declared: Declared, row: list[Any], attributes: Mapping[str, Any]) -> None:
    """Have the first event that says them fix a member's mode, unit and currency."""  # T26
    for place, name in declared.said:
        if row[place] is None:
            value = attributes.get(name)
            if type(value) is str and value:
                if place == 0:
                    row[0] = value if value in MODES else _OTHER
                elif len(value) <= _MAX_UNIT_CHARACTERS:
                    row[place] = value


def _amount(row: list[Any], term: Term, attributes: Mapping[str, Any]) -> tuple[int, int, int] | None:
    """Return what a term changes: sum, events, inexact; None where the event lacks the attribute."""
    _, attribute, constant, scale, own, sign, factor, agrees, place = term
    if not attribute:
        return constant, 1, 0
    value = attributes.get(attribute)
    if value is None:
        return None
    if factor and type(value) is int and -MAX_ADDED <= value <= MAX_ADDED:
        number: int | None = value * factor
        if not -MAX_ADDED <= value * factor <= MAX_ADDED:
            number = None
    else:
        number = exact(value, own, scale)
    if number is None or (agrees and agrees in attributes and attributes[agrees] != row[place]):
        return 0, 0, 1  # T24
    return sign * number, 1, 0


def _add(figures: dict[str, Any], name: str, amount: tuple[int, int, int]) -> None:
    total, count, wrong = figures.get(name, _NO_FIGURE)
    value, events, inexact = amount
    figures[name] = [_sum(total, value), count + events, wrong + inexact]


def _sum(total: int | None, value: int | None) -> int | None:
    if total is None or value is None:
        return None
    total += value
    return total if -MAX_SUM <= total <= MAX_SUM else None


def _changed(rest: Mapping[str, Any], before: Mapping[str, Any], now: Mapping[str, Any]) -> dict[str, Any]:
    """Return the figures of the further members together after those of one of them changed."""
    changed = dict(rest)
    for name, figures in now.items():
        was = before.get(name, _NO_FIGURE)
        if figures is not was:
            value = None if figures[0] is None or was[0] is None else figures[0] - was[0]
            total, count, wrong = changed.get(name, _NO_FIGURE)
            changed[name] = [_sum(total, value), count + figures[1] - was[1], wrong + figures[2] - was[2]]
    return changed


def _take_out(row: list[Any], terms: tuple[Term, ...], item: Mapping[str, Any], place: list[Any]) -> bool:
    """Take what a corrected item added out of a member's figures; False, and nothing changed, if it is not in them."""
    figures, taken = row[3], row[5]
    if place in taken or len(taken) == MAX_CORRECTIONS:
        return False
    attributes: Any = item.get("attributes", {})
    changes = []
    for term in terms:
        amount = _amount(row, term, attributes)
        if amount is not None:
            _, events, inexact = figures.get(term.tally, _NO_FIGURE)
            if events < amount[1] or inexact < amount[2]:
                return False
            changes.append((term.tally, (-amount[0], -amount[1], -amount[2])))
    for change in changes:
        _add(figures, *change)
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
    return tally_from(reader.get(tally_key(process_type, object_type, name)))


def tally_from(value: Any) -> Tally:
    """Return the tallies that a value of the state is, None for none."""
    return EMPTY if value is None else Tally(value[0], value[1], {})


def with_member(reader: Reader, tally: Tally, member: str, process_type: str, object_type: str, name: str) -> Tally:
    """Return the tallies with the row of a member, which may have a key of its own."""
    if len(tally.members) < MAX_MEMBERS or member in tally.members or member in tally.further:
        return tally
    row: Any = reader.get(further_tally_key(member, process_type, object_type, name))
    return tally if row is None else tally._replace(further={**tally.further, member: row})


def write_tally(view: View, before: Tally, tally: Tally, process_type: str, object_type: str, name: str) -> None:
    """Write the tallies of an object, which were as ``before``."""
    for member, row in tally.further.items():
        if before.further.get(member) is not row:
            view.put(further_tally_key(member, process_type, object_type, name), row)
    view.put(tally_key(process_type, object_type, name), [dict(tally.members), dict(tally.rest)])


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


def sides(declared: Declared, tally: Tally, kind: str, member: str, other: str) -> tuple[str, str]:
    """Return buyer and seller by an event of ``member`` with ``other`` as its counterparty.

    Who records what is invoiced sells; so does who records anything else on what the other ordered, and it did not.
    """
    sells = kind in declared.sellers or (_counted(tally, other, "ordered") and not _counted(tally, member, "ordered"))
    return (other, member) if sells else (member, other)


def _counted(tally: Tally, member: str, name: str) -> bool:
    _, events, inexact = tally.row(member)[3].get(name, _NO_FIGURE)
    return bool(events or inexact)


def parties(tally: Tally) -> list[tuple[str, str]]:
    """Return the pairs of members of which one ordered and the other invoiced; "" for who did not record yet."""
    buyers, sellers = (_who(tally, name) for name in ("ordered", "invoiced"))
    return [(buyer, seller) for buyer in buyers or [""] for seller in sellers or [""] if buyer or seller]


def _who(tally: Tally, name: str) -> list[str]:
    return [member for member in sorted(tally.members) if _counted(tally, member, name)]


def tally_document(declared: Declared | None, tally: Tally) -> dict[str, Any]:
    """Return the tallies of an object as they are shown, with how each pair of parties matches."""
    members = {
        member: {
            **{name: value for name, value in zip(("mode", "unit", "currency"), row, strict=False) if value},
            "tallies": _figures_document(row[3]),
            "corrections": row[4],
        }
        for member, row in sorted(tally.members.items())
    }
    document: dict[str, Any] = {"members": members, "others": _figures_document(tally.rest)}
    if declared is not None:
        document["scales"] = dict(declared.scales)
    if declared is not None and declared.matched is not None:
        found = [(pair, matched(declared, tally, *pair)) for pair in parties(tally)]
        document["matches"] = [
            {"buyer": pair[0], "seller": pair[1], **match._asdict(), "reasons": list(match.reasons)}
            for pair, match in found
            if match is not None
        ]
    return document


def _figures_document(sums: Mapping[str, Any]) -> dict[str, Any]:
    names = ("sum", "events", "inexact")
    return {name: dict(zip(names, value, strict=True)) for name, value in sorted(sums.items())}


def figures_of(declared: Declared, tally: Tally, buyer: str, seller: str) -> Figures:
    """Return the figures of two members, each by its own word."""
    bought, sold = tally.row(buyer), tally.row(seller)
    ordered, received = figure(bought[3], "ordered"), figure(bought[3], "received")
    ordered_amount = figure(bought[3], "ordered_amount")
    invoiced, invoiced_amount = figure(sold[3], "invoiced"), figure(sold[3], "invoiced_amount")
    mode, why = bought[0] or declared.default, ""
    if mode not in MODES:
        why = "unknown_mode"
    elif _differ(bought[1], sold[1]):
        why = "unit"
    elif _differ(bought[2], sold[2]):
        why = "currency"
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


def _differ(one: str | None, other: str | None) -> bool:
    return one is not None and other is not None and one != other
