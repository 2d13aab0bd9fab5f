"""Lines that are claimed: what of each is payable by the matching, and what of that is owed already.

Law: what is owed on a line is kept by its debtor, over all creditors, and taken when the debtor confirms it; so no
two creditors get the same receipts, and nobody's proposal keeps another's from being accepted.

contracts/trade/README.md, section Lines.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, NamedTuple

from coseal.contracts.currency.ledger import yuan
from coseal.contracts.kernel.action import Reader, Rejected, View
from coseal.contracts.process.matching import Match
from coseal.contracts.process.state import type_key
from coseal.contracts.process.tallies import Declared, declared_tallies
from coseal.contracts.process.tally import matched, read_tally, with_member
from coseal.contracts.trade.state import line_key

MAX_LINES: Final = 64
LINE_STEPS: Final = 120
"""Two rows of a tally that are read and judged."""
CURRENCY: Final = "CNY"
_CURRENCY_PLACE: Final = 2


class Line(NamedTuple):
    """An object whose type declares matching, and fen of it that are claimed."""

    process_type: str
    object_type: str
    object_id: str
    amount: int

    @property
    def place(self) -> tuple[str, str, str]:
        """Process type, object type and object."""
        return self[:3]


def refusal(view: View, debtor: str, creditor: str, lines: Sequence[Line], path: str) -> Rejected | None:
    """Refuse lines of which a debtor does not owe a creditor so much by the matching, or owes it already."""
    view.charge(LINE_STEPS * len(lines))
    for index, line in enumerate(lines):
        amount, where = line.amount, f"{path}[{index}]"
        definition: Any = view.get(type_key(line.process_type))
        declared = declared_tallies(definition).get(line.object_type)
        if declared is None or declared.matched is None:
            return Rejected("no_match", f"{where}: {line.process_type} declares no matching of {line.object_type}")
        match = _match(view, declared, line.place, debtor, creditor)
        if isinstance(match, Rejected):
            return match
        if amount > match.payable_amount:  # D1
            payable = yuan(match.payable_amount)
            return Rejected("not_matched", f"{where}: {match.verdict}; {payable} are payable, not {yuan(amount)}")
        left = match.payable_amount - used(view, debtor, line.place)
        if amount > left:  # D2
            return Rejected("already_used", f"{where}: {debtor} owes it already; {yuan(max(left, 0))} are left")
    return None


def _match(view: View, declared: Declared, place: tuple[str, str, str], debtor: str, creditor: str) -> Match | Rejected:
    tally = read_tally(view, *place)
    for member in (debtor, creditor):
        tally = with_member(view, tally, member, *place)
    said = {tally.row(member)[_CURRENCY_PLACE] for member in (debtor, creditor)} - {None, CURRENCY}
    if said:
        return Rejected("other_currency", f"{' '.join(place)} is in {min(said)}; a receivable is in {CURRENCY}")
    match = matched(declared, tally, debtor, creditor)
    if match is None:
        raise ValueError(f"{' '.join(place)} is not matched")
    return match


def used(reader: Reader, debtor: str, place: tuple[str, str, str]) -> int:
    """Return how many fen a debtor owes on a line already, to whomever."""
    value: Any = reader.get(line_key(debtor, *place))
    return 0 if value is None else int(value[0])


def take(view: View, debtor: str, lines: Sequence[Line]) -> None:
    """Use up lines that were not refused."""
    for line in lines:
        key = line_key(debtor, *line.place)
        value: Any = view.get(key) or (0, 0)
        view.put(key, [value[0] + line.amount, value[1] + 1])
