"""What a document of trade says, whatever its syntax, and whether its sums hold.

Law: figures are the document's own texts; sums are compared exactly, as decimals, and a difference names its rule.

Source of the rules: EN 16931-1, BR-CO-10, BR-CO-13, BR-CO-15 and BR-CO-16.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from decimal import MAX_EMAX, MAX_PREC, MIN_EMIN, Context, Decimal
from typing import Final

ORDER: Final = "order"
DESPATCH: Final = "despatch"
RECEIPT: Final = "receipt"
INVOICE: Final = "invoice"
CREDIT_NOTE: Final = "credit_note"
EN_16931: Final = "urn:cen.eu:en16931"
_EXACT: Final = Context(prec=MAX_PREC, Emax=MAX_EMAX, Emin=MIN_EMIN)


@dataclass(frozen=True, slots=True)
class Line:
    """A line; figures as decimals' texts, "" where it has none. ``order`` and ``order_line`` are what it refers to."""

    id: str
    quantity: str = ""
    unit: str = ""
    net_amount: str = ""
    price: str = ""
    base_quantity: str = ""
    backorder: str = ""
    short: str = ""
    rejected: str = ""
    item: str = ""
    order: str = ""
    order_line: str = ""


@dataclass(frozen=True, slots=True)
class Document:
    """A document: who sells and who buys as the identifiers it has of them, its lines, and its totals by name.

    ``totals`` has some of line_amount, allowances, charges, net_amount, tax_amount, total, prepaid, rounding, payable.
    """

    kind: str
    id: str
    date: str
    buyer: tuple[str, ...]
    seller: tuple[str, ...]
    lines: tuple[Line, ...]
    currency: str = ""
    order: str = ""
    due: str = ""
    customization: str = ""
    totals: dict[str, str] = field(default_factory=dict)

    @property
    def is_en_16931(self) -> bool:
        """Whether it says that it keeps EN 16931."""
        return self.customization.startswith(EN_16931)


@dataclass(frozen=True, slots=True)
class Difference:
    """A sum that does not hold: its rule, what the document says, and what its parts come to."""

    rule: str
    said: str
    computed: str

    def __str__(self) -> str:
        return f"{self.rule}: the document says {self.said}, its parts give {self.computed}"


def differences(document: Document) -> Iterator[Difference]:
    """Yield the sums of an invoice or credit note that do not hold; what the document leaves out is not compared."""
    totals = document.totals
    if document.kind not in (INVOICE, CREDIT_NOTE):
        return
    yield from _compare("BR-CO-10", totals.get("line_amount"), [line.net_amount for line in document.lines], [])
    if "line_amount" in totals:
        parts = [totals["line_amount"], totals.get("charges", "")]
        yield from _compare("BR-CO-13", totals.get("net_amount"), parts, [totals.get("allowances", "")])
    if "net_amount" in totals and "tax_amount" in totals:
        yield from _compare("BR-CO-15", totals.get("total"), [totals["net_amount"], totals["tax_amount"]], [])
    if "total" in totals:
        parts = [totals["total"], totals.get("rounding", "")]
        yield from _compare("BR-CO-16", totals.get("payable"), parts, [totals.get("prepaid", "")])


def total_of(texts: Iterable[str]) -> str:
    """Return the sum of decimals as a text, "" of none."""
    given = [text for text in texts if text]
    return format(_sum(given), "f") if len(given) > 1 else "".join(given)


def _sum(texts: Iterable[str]) -> Decimal:
    total = Decimal(0)
    for text in texts:
        if text:
            total = _EXACT.add(total, Decimal(text))
    return total


def _compare(rule: str, said: str | None, plus: list[str], minus: list[str]) -> Iterator[Difference]:
    if said is None:
        return
    computed = _EXACT.subtract(_sum(plus), _sum(minus))
    if _EXACT.compare(computed, Decimal(said)) != 0:
        yield Difference(rule, said, format(computed, "f"))


def line_difference(line: Line) -> str | None:
    """Say how quantity times price differs from the net amount of a line, rounded half up to the amount's digits."""
    if not (line.quantity and line.price and line.net_amount):
        return None
    base = Decimal(line.base_quantity or "1")
    if base == 0:
        return f"line {line.id}: the price is for a quantity of 0"
    amount = Decimal(line.net_amount)
    found = Decimal(line.quantity) * Decimal(line.price)
    if abs(found - amount * base) * 2 <= abs(base) * Decimal("0.01"):
        return None
    per = "" if base == 1 else f" for {line.base_quantity}"
    return (
        f"line {line.id}: {line.quantity} at {line.price}{per} is not {line.net_amount}, before allowances and charges"
    )
