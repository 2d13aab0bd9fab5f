"""UN/CEFACT Cross Industry Invoice (D16B): invoices and credit notes as documents.

Law: what is read is of the namespaces of CII 100; an element of another one is a finding.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

from coseal.formats.documents.document import CREDIT_NOTE, INVOICE, Document, Line, total_of
from coseal.formats.documents.xml_tree import Form, Node, every, read_tree
from coseal.formats.importers.log import BadLog, Findings

SPACE: Final = "urn:un:unece:uncefact:data:standard:"
ROOT: Final = f"{SPACE}CrossIndustryInvoice:100"
_CREDIT_NOTES: Final = ("381", "396", "532", "83")
_DAY: Final = "102"
_TOTALS: Final = {
    "line_amount": "LineTotalAmount",
    "net_amount": "TaxBasisTotalAmount",
    "total": "GrandTotalAmount",
    "allowances": "AllowanceTotalAmount",
    "charges": "ChargeTotalAmount",
    "prepaid": "TotalPrepaidAmount",
    "rounding": "RoundingAmount",
    "payable": "DuePayableAmount",
}


def read_document(path: Path) -> Document:
    """Return what a file says; raises ``BadLog`` with everything that is wrong."""
    findings = Findings()
    root = read_tree(path, findings)
    if root.name != "CrossIndustryInvoice" or root.space != ROOT:
        findings.add("unknown_document", root.name or "/", "expected a CrossIndustryInvoice of D16B")
        raise BadLog(path, findings.all())
    document = _document(root, findings)
    findings.require_none(path)
    return document


def _document(root: Node, findings: Findings) -> Document:
    form = Form(findings)
    for node in every(root):
        if not node.space.startswith(SPACE):
            findings.add("unknown_element", node.path, f"of namespace {node.space[:64]!r}")
    header = form.one(root, "ExchangedDocument", needed=True) or root
    trade = form.one(root, "SupplyChainTradeTransaction", needed=True) or root
    agreement = form.one(trade, "ApplicableHeaderTradeAgreement", needed=True) or trade
    settlement = form.one(trade, "ApplicableHeaderTradeSettlement", needed=True) or trade
    currency = form.text(settlement, "InvoiceCurrencyCode", needed=True)
    lines = tuple(_line(form, node) for node in trade.all("IncludedSupplyChainTradeLineItem"))
    if not lines:
        findings.add("missing", f"{trade.path}/IncludedSupplyChainTradeLineItem", "expected")
    context = form.one(root, "ExchangedDocumentContext") or root
    return Document(
        kind=CREDIT_NOTE if form.text(header, "TypeCode") in _CREDIT_NOTES else INVOICE,
        id=form.text(header, "ID", needed=True),
        date=_date(form, header, "IssueDateTime", "DateTimeString"),
        buyer=_party(agreement, "BuyerTradeParty"),
        seller=_party(agreement, "SellerTradeParty"),
        lines=lines,
        currency=currency,
        order=form.text(agreement, "BuyerOrderReferencedDocument", "IssuerAssignedID"),
        customization=form.text(context, "GuidelineSpecifiedDocumentContextParameter", "ID"),
        totals=_totals(form, settlement, currency),
    )


def _date(form: Form, node: Node, *names: str) -> str:
    found = form.one(node, *names, needed=True)
    text = "" if found is None else found.text.strip()
    if found is not None and not (found.attributes.get("format") == _DAY and len(text) == 8 and text.isdigit()):
        form.findings.add("bad_date", found.path, "expected a day as YYYYMMDD, format 102")
        return ""
    return f"{text[:4]}-{text[4:6]}-{text[6:]}" if text else ""


def _party(agreement: Node, name: str) -> tuple[str, ...]:
    found = [
        *((node, node.attributes.get("schemeID", "")) for node in agreement.all(name, "GlobalID")),
        *((node, "") for node in agreement.all(name, "ID")),
        *(
            (node, node.attributes.get("schemeID", ""))
            for node in agreement.all(name, "SpecifiedTaxRegistration", "ID")
        ),
        *((node, "") for node in agreement.all(name, "Name")),
    ]
    texts = [(scheme, node.text.strip()) for node, scheme in found]
    return tuple(dict.fromkeys(f"{scheme}:{text}" if scheme else text for scheme, text in texts if text))


def _line(form: Form, node: Node) -> Line:
    agreement = form.one(node, "SpecifiedLineTradeAgreement") or node
    delivery = form.one(node, "SpecifiedLineTradeDelivery") or node
    quantity, unit = form.quantity(delivery, "BilledQuantity")
    summation = ("SpecifiedLineTradeSettlement", "SpecifiedTradeSettlementLineMonetarySummation", "LineTotalAmount")
    return Line(
        id=form.text(node, "AssociatedDocumentLineDocument", "LineID", needed=True),
        quantity=quantity,
        unit=unit,
        net_amount=form.decimal(node, *summation, needed=True),
        price=form.decimal(agreement, "NetPriceProductTradePrice", "ChargeAmount"),
        base_quantity=form.decimal(agreement, "NetPriceProductTradePrice", "BasisQuantity"),
        item=form.text(node, "SpecifiedTradeProduct", "Name"),
        order=form.text(agreement, "BuyerOrderReferencedDocument", "IssuerAssignedID"),
        order_line=form.text(agreement, "BuyerOrderReferencedDocument", "LineID"),
    )


def _totals(form: Form, settlement: Node, currency: str) -> dict[str, str]:
    around = form.one(settlement, "SpecifiedTradeSettlementHeaderMonetarySummation", needed=True)
    if around is None:
        return {}
    found = {name: form.decimal(around, tag) for name, tag in _TOTALS.items()}
    own = [tax for tax in around.all("TaxTotalAmount") if tax.attributes.get("currencyID", currency) == currency]
    texts = [form.decimal(Node("", "", {}, tax.path, [tax]), "TaxTotalAmount") for tax in own]
    found["tax_amount"] = total_of(texts)
    return {name: value for name, value in found.items() if value}
