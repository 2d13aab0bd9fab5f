"""A document of trade as items of the process type ``orders``: events of its lines, with the document's digest.

Law: what an item says stands in the document; whose member a party is, and which order line is meant where the
document does not say it, is the map's word.

A line is named by its buyer: ``enterprise-a/AEG012345/1``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from coseal.contracts.kernel.names import is_identifier
from coseal.formats.documents.document import (
    CREDIT_NOTE,
    DESPATCH,
    INVOICE,
    ORDER,
    RECEIPT,
    Document,
    Line,
    differences,
    line_difference,
)
from coseal.formats.importers.log import Findings

LINE_EVENTS: Final = {
    ORDER: "Order line placed",
    DESPATCH: "Goods despatched",
    RECEIPT: "Goods received",
    INVOICE: "Invoice line issued",
    CREDIT_NOTE: "Invoice line credited",
}
_WHOLE_EVENTS: Final = {INVOICE: "Invoice issued", CREDIT_NOTE: "Credit note issued"}
_BUYERS: Final = (ORDER, RECEIPT)
"""What the buyer records; the rest is the seller's."""


def items_of(
    document: Document,
    digest: str,
    parties: Mapping[str, str],
    lines: Mapping[str, str],
    findings: Findings,
) -> tuple[list[dict[str, Any]], list[str]]:
    """Return the items of a document and what a reader should know; what is wrong goes to ``findings``.

    ``digest`` is the SHA-256 of the file in hexadecimal; ``parties`` gives members by the identifiers of parties,
    ``lines`` order lines (``ORDER/LINE``) by the ids of lines that name none.
    """
    notes = _sums(document, findings)
    buyer, seller = (_member(document, side, parties, findings) for side in ("buyer", "seller"))
    common: dict[str, Any] = {"time": document.date, "evidence": [digest]}
    common["counterparty"] = seller if document.kind in _BUYERS else buyer
    whole = f"{buyer if document.kind in _BUYERS else seller}/{document.id}"
    items = []
    for line in document.lines:
        named = _order_line(document, line, lines)
        if not named and document.kind in (DESPATCH, RECEIPT):
            findings.add("no_order_line", f"line {line.id}", "names no order line; name it in the map's [lines]")
            continue
        objects = [["order_line", f"{buyer}/{named}"]] if named else []
        if not named:
            notes.append(f"line {line.id} names no order line, so it is matched with none")
        if document.kind == ORDER:
            objects.insert(0, ["order", whole])
        elif document.kind == DESPATCH:
            objects.append(["shipment", whole])
        elif document.kind in _WHOLE_EVENTS:
            objects.append(["invoice", whole])
        event = {"event": f"{document.id}/{line.id}", "type": LINE_EVENTS[document.kind], "objects": objects}
        items.append({**event, **common, "attributes": _attributes(document, line)})
    if document.kind in _WHOLE_EVENTS:
        event = {"event": document.id, "type": _WHOLE_EVENTS[document.kind], "objects": [["invoice", whole]]}
        items.append({**event, **common, "attributes": _totals(document)})
    for item in items:
        for name in (item["event"], *(entry[1] for entry in item["objects"])):
            if not is_identifier(name):
                findings.add("bad_id", item["event"][:64], f"{name[:64]!r} is no identifier")
    return items, notes


def _sums(document: Document, findings: Findings) -> list[str]:
    """Refuse sums that do not hold where they have to; return the others as notes."""
    notes = []
    for difference in differences(document):
        if document.is_en_16931 or difference.rule == "BR-CO-10":
            findings.add("bad_sum", difference.rule, f"{difference.said} is said, {difference.computed} is right")
        else:
            notes.append(str(difference))
    return [*notes, *(text for line in document.lines if (text := line_difference(line)) is not None)]


def _member(document: Document, side: str, parties: Mapping[str, str], findings: Findings) -> str:
    known = document.buyer if side == "buyer" else document.seller
    for name in known:
        if name in parties:
            return parties[name]
    findings.add("unknown_party", side, f"name its member in the map's [parties], by one of {', '.join(known)[:256]}")
    return "unknown"


def _order_line(document: Document, line: Line, lines: Mapping[str, str]) -> str:
    """Return ``ORDER/LINE`` of a line, "" where neither document nor map says it."""
    if document.kind == ORDER:
        return f"{document.id}/{line.id}"
    order = line.order or document.order
    if order and line.order_line:
        return f"{order}/{line.order_line}"
    return lines.get(line.id, "")


def _attributes(document: Document, line: Line) -> dict[str, str]:
    if document.kind == DESPATCH:
        found = {"quantity": line.quantity, "backorder": line.backorder, "unit": line.unit}
    elif document.kind == RECEIPT:
        found = {"accepted": _accepted(line), "short": line.short, "rejected": line.rejected, "unit": line.unit}
    else:
        found = {"quantity": line.quantity, "net_amount": line.net_amount, "price": line.price, "unit": line.unit}
        found["currency"] = document.currency
        if document.kind == ORDER:
            found["item"] = line.item
    return {name: value for name, value in found.items() if value}


def _accepted(line: Line) -> str:
    """Return what was received and not rejected, by as many digits as both have."""
    if not line.rejected:
        return line.quantity
    places = max(len(text.partition(".")[2]) for text in (line.quantity, line.rejected))
    units = [_units(text, places) for text in (line.quantity, line.rejected)]
    left = units[0] - units[1]
    digits = str(abs(left)).zfill(places + 1)
    text = digits if not places else f"{digits[:-places]}.{digits[-places:]}"
    return f"-{text}" if left < 0 else text


def _units(text: str, places: int) -> int:
    whole, _, fraction = text.partition(".")
    return int(whole + fraction.ljust(places, "0"))


def _totals(document: Document) -> dict[str, str]:
    names = ("net_amount", "tax_amount", "total", "payable")
    found = {name: document.totals[name] for name in names if name in document.totals}
    if document.currency:
        found["currency"] = document.currency
    return {**found, "due": document.due} if document.due and document.kind == INVOICE else found
