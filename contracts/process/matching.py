"""Matching: does what a seller invoiced agree with what its buyer ordered and received, and what of it is payable.

Law: each side's own word binds it: ordered and received is the buyer's, invoiced the seller's; every comparison is in
integers, and what is payable is rounded down.

Source of the modes: the item categories of purchase orders (BPI Challenge 2019). contracts/process/README.md, Matching.
"""

from __future__ import annotations

from typing import Final, NamedTuple

AFTER: Final = "three_way_after"
BEFORE: Final = "three_way_before"
TWO_WAY: Final = "two_way"
NONE: Final = "none"
MODES: Final = (AFTER, BEFORE, TWO_WAY, NONE)
DEFAULT_MODE: Final = AFTER
QUANTITIES: Final = ("ordered", "received", "invoiced")
FIGURES: Final = (*QUANTITIES, "ordered_amount", "invoiced_amount")
"""The tallies that matching reads. Quantities have one scale; amounts are in fen."""
MILLION: Final = 10**6
VERDICTS: Final = (
    *("undetermined", "unordered", "over_price", "over_quantity", "over_amount", "over_received"),
    *("awaiting_receipt", "awaiting_invoice", "matched"),
)
"""Of several that apply the first is the verdict."""


class Terms(NamedTuple):
    """What is tolerated: parts per million of a quantity and of a price, or an amount in fen."""

    quantity_ppm: int
    price_ppm: int
    amount_fen: int


class Figures(NamedTuple):
    """What a buyer ordered and received, and a seller invoiced; ``why`` says why that is undetermined, or nothing."""

    mode: str
    ordered: int
    received: int
    invoiced: int
    ordered_amount: int
    invoiced_amount: int
    why: str = ""


class Match(NamedTuple):
    """A verdict, the mode, what is payable, in units of the quantities and in fen, and all that is to be said."""

    verdict: str
    mode: str
    payable_quantity: int
    payable_amount: int
    reasons: tuple[str, ...]


def within(value: int, base: int, ppm: int, absolute: int = 0) -> bool:
    """Say whether a value exceeds its base by no more than a number of parts per million, or an absolute difference."""
    return (value - base) * MILLION <= ppm * max(base, 0) or value - base <= absolute  # T28


def judge(figures: Figures, terms: Terms) -> Match:
    """Return what matching gives."""
    if figures.why:
        return Match("undetermined", figures.mode, 0, 0, (figures.why,))  # T27
    if figures.mode != NONE and figures.ordered <= 0:
        return Match("unordered", figures.mode, 0, 0, ("unordered",))
    payable = _payable_quantity(figures, terms)
    reasons = _reasons(figures, terms, payable)
    return Match(reasons[0], figures.mode, payable, _payable_amount(figures, reasons, payable), reasons)


def _payable_quantity(figures: Figures, terms: Terms) -> int:  # T29
    mode, ordered = figures.mode, figures.ordered
    if mode == NONE:
        return 0
    if mode == TWO_WAY:
        return ordered
    return max(0, min(figures.received, ordered + ordered * terms.quantity_ppm // MILLION))


def _reasons(figures: Figures, terms: Terms, payable: int) -> tuple[str, ...]:
    """Return all that is to be said, in the order of ``VERDICTS``."""
    mode, ordered, received, invoiced, _, invoiced_amount, _ = figures
    has_order, three_way, ppm = mode != NONE, mode in (AFTER, BEFORE), terms.quantity_ppm
    has_invoice = invoiced > 0
    beyond = has_invoice and not within(invoiced, payable, ppm)
    over_quantity = (beyond and mode != BEFORE) or (has_invoice and has_order and not within(invoiced, ordered, ppm))
    only_amount = not has_invoice and invoiced_amount > terms.amount_fen  # an amount for no quantity
    found = []
    if has_invoice and has_order and not _price_fits(figures, terms):
        found.append("over_price")
    if over_quantity:
        found.append("over_quantity")
    if only_amount or (has_invoice and has_order and not _amount_fits(figures, terms)):
        found.append("over_amount")
    if three_way and not within(received, ordered, ppm):
        found.append("over_received")
    if beyond and not over_quantity:
        found.append("awaiting_receipt")
    elif has_order and not has_invoice and not only_amount:
        found.append("awaiting_receipt" if three_way and received <= 0 else "awaiting_invoice")
    return tuple(found) or ("matched",)


def _price_fits(figures: Figures, terms: Terms) -> bool:
    """Compare prices, amount for quantity, without a division."""
    value, base = figures.invoiced_amount * figures.ordered, figures.ordered_amount * figures.invoiced
    return within(value, base, terms.price_ppm, terms.amount_fen * figures.ordered)


def _amount_fits(figures: Figures, terms: Terms) -> bool:
    """Compare the whole amounts: more than was ordered, with the tolerance of quantity and of price together."""
    ppm = terms.quantity_ppm + terms.price_ppm + terms.quantity_ppm * terms.price_ppm // MILLION
    return within(figures.invoiced_amount, figures.ordered_amount, ppm, terms.amount_fen)


def _payable_amount(figures: Figures, reasons: tuple[str, ...], payable: int) -> int:  # T29
    invoiced, amount = figures.invoiced, figures.invoiced_amount
    if invoiced <= 0 or payable <= 0:
        return 0
    over_paid = "over_price" in reasons or "over_amount" in reasons
    if not over_paid and "over_quantity" not in reasons and "awaiting_receipt" not in reasons:
        return max(0, amount)
    quantity = min(payable, invoiced)
    if not over_paid:
        return max(0, amount * quantity // invoiced)
    return max(0, min(amount, figures.ordered_amount * quantity // figures.ordered))
