"""UBL 2.x (ISO/IEC 19845): Order, DespatchAdvice, ReceiptAdvice, Invoice and CreditNote as documents.

Law: what is read is of the namespaces of UBL 2; an element of another one outside of extensions is a finding.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

from coseal.formats.documents.document import CREDIT_NOTE, DESPATCH, INVOICE, ORDER, RECEIPT, Document, Line, total_of
from coseal.formats.documents.xml_tree import Form, Node, every, read_tree
from coseal.formats.importers.log import BadLog, Findings

SPACE: Final = "urn:oasis:names:specification:ubl:schema:xsd:"
KINDS: Final = {
    "Order": ORDER,
    "DespatchAdvice": DESPATCH,
    "ReceiptAdvice": RECEIPT,
    "Invoice": INVOICE,
    "CreditNote": CREDIT_NOTE,
}
_PARTIES: Final = {
    ORDER: ("BuyerCustomerParty", "SellerSupplierParty"),
    DESPATCH: ("DeliveryCustomerParty", "DespatchSupplierParty"),
    RECEIPT: ("DeliveryCustomerParty", "DespatchSupplierParty"),
    INVOICE: ("AccountingCustomerParty", "AccountingSupplierParty"),
    CREDIT_NOTE: ("AccountingCustomerParty", "AccountingSupplierParty"),
}
_LINES: Final = {
    ORDER: ("OrderLine", "LineItem"),
    DESPATCH: ("DespatchLine",),
    RECEIPT: ("ReceiptLine",),
    INVOICE: ("InvoiceLine",),
    CREDIT_NOTE: ("CreditNoteLine",),
}
_QUANTITIES: Final = {
    ORDER: "Quantity",
    DESPATCH: "DeliveredQuantity",
    RECEIPT: "ReceivedQuantity",
    INVOICE: "InvoicedQuantity",
    CREDIT_NOTE: "CreditedQuantity",
}
_TOTALS: Final = {
    "line_amount": "LineExtensionAmount",
    "net_amount": "TaxExclusiveAmount",
    "total": "TaxInclusiveAmount",
    "allowances": "AllowanceTotalAmount",
    "charges": "ChargeTotalAmount",
    "prepaid": "PrepaidAmount",
    "rounding": "PayableRoundingAmount",
    "payable": "PayableAmount",
}
_EXTENSIONS: Final = "UBLExtensions"


def read_document(path: Path) -> Document:
    """Return what a file says; raises ``BadLog`` with everything that is wrong."""
    findings = Findings()
    root = read_tree(path, findings)
    kind = KINDS.get(root.name)
    if kind is None or root.space != f"{SPACE}{root.name}-2":
        findings.add("unknown_document", root.name or "/", f"expected one of {', '.join(KINDS)} of UBL 2")
        raise BadLog(path, findings.all())
    document = document_of(root, kind, findings)
    findings.require_none(path)
    return document


def document_of(root: Node, kind: str, findings: Findings) -> Document:
    """Return what a document says; what is wrong goes to ``findings``."""
    form = Form(findings)
    for child in root.children:
        for node in every(child) if child.name != _EXTENSIONS else ():
            if not node.space.startswith(SPACE):
                findings.add("unknown_element", node.path, f"of namespace {node.space[:64]!r}")
    buyer, seller = (_party(form, root, name) for name in _PARTIES[kind])
    lines = tuple(_line(form, node, kind) for node in root.all(*_LINES[kind]))
    if not lines:
        findings.add("missing", "/".join((root.path, *_LINES[kind])), "expected")
    currency = form.text(root, "DocumentCurrencyCode")
    return Document(
        kind=kind,
        id=form.text(root, "ID", needed=True),
        date=form.text(root, "IssueDate", needed=True),
        buyer=buyer,
        seller=seller,
        lines=lines,
        currency=currency or _currency(root, kind),
        order=form.text(root, "OrderReference", "ID") if len(root.all("OrderReference")) <= 1 else "",
        due=form.text(root, "DueDate"),
        customization=form.text(root, "CustomizationID"),
        totals=_totals(form, root, currency) if kind in (INVOICE, CREDIT_NOTE) else {},
    )


def _currency(root: Node, kind: str) -> str:
    """Return the currency of the amounts of the lines, if all have one."""
    amounts = [amount.attributes.get("currencyID", "") for amount in root.all(*_LINES[kind], "LineExtensionAmount")]
    return amounts[0] if len(set(amounts)) == 1 else ""


def _party(form: Form, root: Node, name: str) -> tuple[str, ...]:
    """Return the identifiers of a party, ``scheme:id`` or the id alone, the name last."""
    around = form.one(root, name, needed=True)
    if around is None:
        return ()
    found = [
        *around.all("Party", "EndpointID"),
        *around.all("Party", "PartyIdentification", "ID"),
        *around.all("Party", "PartyLegalEntity", "CompanyID"),
        *around.all("Party", "PartyTaxScheme", "CompanyID"),
    ]
    texts = [(node.attributes.get("schemeID", ""), node.text.strip()) for node in found]
    names = [*around.all("Party", "PartyName", "Name"), *around.all("Party", "PartyLegalEntity", "RegistrationName")]
    ids = [f"{scheme}:{text}" if scheme else text for scheme, text in texts if text]
    return tuple(dict.fromkeys((*ids, *(node.text.strip() for node in names if node.text.strip()))))


def _line(form: Form, node: Node, kind: str) -> Line:
    quantity, unit = form.quantity(node, _QUANTITIES[kind], needed=kind in (DESPATCH, RECEIPT))
    reference = form.one(node, "OrderLineReference") if len(node.all("OrderLineReference")) <= 1 else None
    return Line(
        id=form.text(node, "ID", needed=True),
        quantity=quantity,
        unit=unit,
        net_amount=form.decimal(node, "LineExtensionAmount", needed=kind in (INVOICE, CREDIT_NOTE)),
        price=form.decimal(node, "Price", "PriceAmount"),
        base_quantity=form.decimal(node, "Price", "BaseQuantity"),
        backorder=form.decimal(node, "BackorderQuantity"),
        short=form.decimal(node, "ShortQuantity"),
        rejected=form.decimal(node, "RejectedQuantity"),
        item=form.text(node, "Item", "Name"),
        order="" if reference is None else form.text(reference, "OrderReference", "ID"),
        order_line="" if reference is None else form.text(reference, "LineID"),
    )


def _totals(form: Form, root: Node, currency: str) -> dict[str, str]:
    around = form.one(root, "LegalMonetaryTotal", needed=True)
    if around is None:
        return {}
    found = {name: form.decimal(around, tag) for name, tag in _TOTALS.items()}
    taxes = root.all("TaxTotal", "TaxAmount")
    own = [tax for tax in taxes if not currency or tax.attributes.get("currencyID", currency) == currency]
    texts = [form.decimal(Node("", "", {}, tax.path, [tax]), "TaxAmount") for tax in own]
    found["tax_amount"] = total_of(texts)
    return {name: value for name, value in found.items() if value}
