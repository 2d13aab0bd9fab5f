"""The forms of arguments that several actions of trade share."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from coseal.contracts.currency.ledger import MAX_AMOUNT
from coseal.contracts.kernel.dates import DAY_MS, parse_date
from coseal.contracts.kernel.fields import Boolean, Identifier, Integer, Many, Name, Record, Special
from coseal.contracts.trade.ledger import is_invoice_number
from coseal.contracts.trade.lines import MAX_LINES, Line

MAX_INVOICE_CHARACTERS: Final = 64
MAX_OFFER_MS: Final = 30 * DAY_MS
_DAY_CHARACTERS: Final = 10


def _number_faults(value: Any) -> Iterator[str]:
    if type(value) is not str or not 0 < len(value) <= MAX_INVOICE_CHARACTERS or not is_invoice_number(value):
        yield f": expected at most {MAX_INVOICE_CHARACTERS} letters, digits, '-', '/' and '.', with a letter or digit"


def _day_faults(value: Any) -> Iterator[str]:
    if type(value) is not str or len(value) != _DAY_CHARACTERS or not parse_date(value):
        yield ": expected a day as 2026-03-31"


receivable: Final = Identifier(slash=False)
"""``R`` and a number."""
loan: Final = Identifier(slash=False)
wallet: Final = Identifier()
amount: Final = Integer(1, MAX_AMOUNT)
fen: Final = Integer(0, MAX_AMOUNT)
moment: Final = Integer(0, 2**53)
member: Final = Name()
recourse: Final = Boolean()
nettable: Final = Boolean()
lines: Final = Many(
    Record({"object": Many(Identifier(), low=3, high=3), "amount": amount}),
    low=1,
    high=MAX_LINES,
)
"""Process type, object type and object of each line, with fen of it."""
invoice: Final = Record(
    {
        "number": Special(
            _number_faults,
            "the number of an invoice",
            {"type": "string", "pattern": "^[A-Za-z0-9/.-]*[A-Za-z0-9][A-Za-z0-9/.-]*$", "maxLength": 64},
            refused=(None, "", "-", "a b", "\u00e9", 1, "x" * 65),
            passed=("INV-2026/001", "x" * 64),
        ),
        "date": Special(
            _day_faults,
            "a day",
            {"type": "string", "pattern": "^[0-9]{4}-[0-9]{2}-[0-9]{2}$"},
            refused=(None, "2026", "2026-02", "2026-02-30", "2026-2-3", 1),
            passed=("2026-03-31",),
        ),
        "total": amount,
    }
)


def lines_of(given: Sequence[Mapping[str, Any]]) -> list[Line]:
    """Return lines as the state has them."""
    return [Line(line["object"][0], line["object"][1], line["object"][2], line["amount"]) for line in given]


def doubled(given: Sequence[Mapping[str, Any]], path: str) -> Iterator[str]:
    """Yield which lines stand twice."""
    seen: set[tuple[str, ...]] = set()
    for index, line in enumerate(given):
        place = tuple(line["object"])
        if place in seen:
            yield f".{path}[{index}]: this line stands there twice"
        seen.add(place)


EXAMPLE_LINE: Final = {"object": ["orders", "order_line", "enterprise-a/A1/1"], "amount": 900_000}
