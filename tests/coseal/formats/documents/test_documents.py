"""Documents of trade: the public examples are read with their sums, wrong ones are refused, and a chain is matched."""

from __future__ import annotations

import json
from pathlib import Path
from xml.sax.saxutils import escape

import pytest

from coseal.contracts.process.tallies import declared_tallies
from coseal.contracts.process.tally import Fold, matched
from coseal.contracts.process.types import normalised
from coseal.errors import CosealError
from coseal.formats.documents import cii, ubl
from coseal.formats.documents.document import CREDIT_NOTE, INVOICE, differences
from coseal.formats.documents.xml_tree import every, read_tree
from coseal.formats.importers.log import BadLog, Findings
from coseal.formats.importers.mapping import load_mapping
from coseal.formats.importers.reader import read_log
from tests.reference import reference

RULES = Path(__file__).parents[4] / "examples" / "rules"
MAP = f"""
type = "{RULES / "orders.type.json"}"
zone = "+00:00"
[parties]
"IYT Corporation" = "enterprise-a"
"Consortial" = "bank-a"
[lines]
"1" = "AEG012345/1"
"A" = "AEG012345/1"
"""
CAC, CBC = (f"{ubl.SPACE}Common{kind}Components-2" for kind in ("Aggregate", "Basic"))


def element(name, *inner, **attributes):
    """An element of UBL: of basic components where it holds a text alone."""
    prefix = "cbc" if len(inner) == 1 and not inner[0].startswith("<") else "cac"
    given = "".join(f' {key}="{value}"' for key, value in attributes.items())
    text = "".join(one if one.startswith("<") else escape(one) for one in inner)
    return f"<{prefix}:{name}{given}>{text}</{prefix}:{name}>"


def party(role, name):
    return element(role, element("Party", element("PartyName", element("Name", name))))


def line(number="1", quantity="2", amount="20.00", order="1"):
    return element(
        "InvoiceLine",
        element("ID", number),
        element("InvoicedQuantity", quantity, unitCode="KGM"),
        element("LineExtensionAmount", amount, currencyID="EUR"),
        element("OrderLineReference", element("LineID", order)) if order else "",
        element("Item", element("Name", "wax")),
        element("Price", element("PriceAmount", "10.00", currencyID="EUR")),
    )


def invoice(*lines, name="Invoice", customization="urn:cen.eu:en16931:2017", more="", **totals):
    sums = {"LineExtensionAmount": "20.00", "TaxExclusiveAmount": "20.00", "TaxInclusiveAmount": "24.00"}
    sums |= {"PayableAmount": "24.00", **totals}
    inner = (
        element("CustomizationID", customization),
        element("ID", "I-1"),
        element("IssueDate", "2026-01-05"),
        element("DocumentCurrencyCode", "EUR"),
        element("OrderReference", element("ID", "O-1")),
        more,
        party("AccountingSupplierParty", "Consortial"),
        party("AccountingCustomerParty", "IYT Corporation"),
        element("TaxTotal", element("TaxAmount", "4.00", currencyID="EUR")),
        element("LegalMonetaryTotal", *(element(key, value, currencyID="EUR") for key, value in sums.items())),
        *(lines or (line(),)),
    )
    spaces = f'xmlns="{ubl.SPACE}{name}-2" xmlns:cac="{CAC}" xmlns:cbc="{CBC}"'
    return f"<{name} {spaces}>{''.join(inner)}</{name}>"


@pytest.fixture
def read(tmp_path):
    def of(text, suffix=""):
        path, mapping = tmp_path / "document.xml", tmp_path / "map.toml"
        path.write_text(text, encoding="utf-8")
        mapping.write_text(MAP + suffix, encoding="utf-8")
        return read_log(path, load_mapping(mapping, path, None))

    return of


def found(error):
    return [(one.code, where) for one in error.value.findings for where, _ in one.examples]


def test_an_invoice_becomes_events_of_its_lines_and_of_itself(read):
    log = read(invoice())
    first, whole = log.items
    assert first["type"] == "Invoice line issued"
    assert first["objects"] == [["order_line", "enterprise-a/O-1/1"], ["invoice", "bank-a/I-1"]]
    assert first["attributes"] == {
        "quantity": "2",
        "net_amount": "20.00",
        "price": "10.00",
        "unit": "KGM",
        "currency": "EUR",
    }
    assert first["counterparty"] == "enterprise-a"
    assert len(first["evidence"][0]) == 64
    assert (whole["type"], whole["attributes"]["total"]) == ("Invoice issued", "24.00")
    assert log.source["id"] == "documents/invoice/I-1"
    assert log.notes == ()


def test_a_line_that_names_no_order_line_is_of_the_invoice_alone(read):
    log = read(invoice(line(number="7", order="")))
    assert log.items[0]["objects"] == [["invoice", "bank-a/I-1"]]
    assert log.notes == ("line 7 names no order line, so it is matched with none",)


@pytest.mark.parametrize(
    ("text", "code", "where"),
    [
        (invoice(LineExtensionAmount="21.00"), "bad_sum", "BR-CO-10"),
        (invoice(TaxExclusiveAmount="21.00"), "bad_sum", "BR-CO-13"),
        (invoice(TaxInclusiveAmount="24.01"), "bad_sum", "BR-CO-15"),
        (invoice(PayableAmount="0.00"), "bad_sum", "BR-CO-16"),
        (invoice(line(quantity="1,5")), "bad_decimal", "Invoice/InvoiceLine/InvoicedQuantity"),
        (invoice(line(amount="2e1")), "bad_decimal", "Invoice/InvoiceLine/LineExtensionAmount"),
        (invoice(more=element("IssueDate", "2026-01-06")), "several", "Invoice/IssueDate"),
        (invoice(more='<x:y xmlns:x="urn:other"/>'), "unknown_element", "Invoice/y"),
        (invoice().replace("<cbc:ID>I-1</cbc:ID>", ""), "missing", "Invoice/ID"),
        (invoice(name="Quotation"), "unknown_document", "Quotation"),
        (invoice().replace("IYT Corporation", "Somebody"), "unknown_party", "buyer"),
        ("<!DOCTYPE a [<!ENTITY b 'c'>]>" + invoice(), "dtd", "line 1"),
        (invoice()[:-3], "not_xml", "line 1, column 1690"),
    ],
)
def test_what_is_wrong_is_refused_by_its_path(read, text, code, where):
    with pytest.raises(BadLog) as error:
        read(text)
    codes = found(error)
    assert (code, where) in codes or (code == "not_xml" and codes[0][0] == code)


def test_sums_of_a_document_that_claims_nothing_are_notes(read):
    log = read(invoice(customization="urn:example", PayableAmount="23.00"))
    assert log.notes == ("BR-CO-16: the document says 23.00, its parts give 24.00",)


def test_a_document_needs_a_process_type_and_a_zone(tmp_path):
    path, mapping = tmp_path / "document.xml", tmp_path / "map.toml"
    path.write_text(invoice(), encoding="utf-8")
    with pytest.raises(CosealError, match="which process type"):
        read_log(path, load_mapping(None, path, None))
    mapping.write_text(MAP.replace("zone", "title"), encoding="utf-8")
    with pytest.raises(BadLog) as error:
        read_log(path, load_mapping(mapping, path, None))
    assert found(error) == [("no_offset", "IssueDate")]


def test_the_public_invoices_keep_their_sums():
    paths = sorted(reference("trade", "en16931", "ubl").iterdir())
    assert len(paths) == 18
    for path in paths:
        document = ubl.read_document(path)
        assert document.is_en_16931
        assert document.kind in (INVOICE, CREDIT_NOTE)
        assert {"line_amount", "net_amount", "total", "payable"} <= document.totals.keys(), path.name
        assert list(differences(document)) == [], path.name


def test_the_public_cross_industry_invoices_keep_their_sums():
    paths = sorted(reference("trade", "en16931", "cii").iterdir())
    assert len(paths) == 14
    for path in paths:
        document = cii.read_document(path)
        assert list(differences(document)) == [], path.name
        assert {"line_amount", "net_amount", "total", "payable"} <= document.totals.keys(), path.name


@pytest.mark.parametrize("rule", ["BR-CO-10", "BR-CO-13", "BR-CO-15", "BR-CO-16"])
def test_the_unit_sets_hold_and_fail_as_they_say(rule):
    cases = 0
    for path in sorted(reference("trade", "en16931", "unit").glob(f"*-{rule}*.xml")):
        for test in read_tree(path, Findings()).all("test"):
            failing = {node.text.strip() for node in every(test) if node.name == "error"}
            passing = {node.text.strip() for node in every(test) if node.name == "success"}
            for node in test.children:
                if node.name in ("Invoice", "CreditNote") and rule in failing | passing:
                    document = ubl.document_of(node, ubl.KINDS[node.name], Findings())
                    wrong = {one.rule for one in differences(document)}
                    assert (rule in wrong) == (rule in failing), (path.name, cases)
                    cases += 1
    assert cases >= 2


def test_the_standards_own_example_does_not_match(tmp_path):
    """Ordered 100, received 90, invoiced 100: ten kilograms too many, 90.00 payable."""
    mapping = tmp_path / "map.toml"
    mapping.write_text(MAP, encoding="utf-8")
    definition = normalised(json.loads((RULES / "orders.type.json").read_text("utf-8")))
    declared = declared_tallies(definition)
    fold, tally, sequence = Fold(declared), None, 0
    for name, member in (
        ("Order", "enterprise-a"),
        ("DespatchAdvice", "bank-a"),
        ("ReceiptAdvice", "enterprise-a"),
        ("Invoice", "bank-a"),
    ):
        path = reference("trade", "ubl", f"UBL-{name}-2.0-Example.xml")
        for item in read_log(path, load_mapping(mapping, path, None)).items:
            sequence += 1
            names = [(entry[0], entry[1]) for entry in item["objects"]]
            found = fold.add(f"{member}/erp", sequence, item, names)
            tally = found.get(("order_line", "enterprise-a/AEG012345/1"), tally)
    match = matched(declared["order_line"], tally, "enterprise-a", "bank-a")
    assert (match.verdict, match.payable_quantity, match.payable_amount) == ("over_quantity", 90_000, 9_000)


def test_the_standards_own_invoice_counts_its_rounding_otherwise(tmp_path):
    """A note, and ``bad_sum`` once the document claims EN 16931."""
    mapping, claims = tmp_path / "map.toml", tmp_path / "claims.xml"
    path = reference("trade", "ubl", "UBL-Invoice-2.1-Example.xml")
    document = ubl.read_document(path)
    parties = f'[parties]\n"{document.seller[0]}" = "bank-a"\n"{document.buyer[0]}" = "enterprise-a"\n'
    mapping.write_text(MAP[: MAP.index("[parties]")] + parties, encoding="utf-8")
    log = read_log(path, load_mapping(mapping, path, None))
    assert [note[:8] for note in log.notes if note.startswith("BR-")] == ["BR-CO-15", "BR-CO-16"]
    claim = "<cbc:CustomizationID>urn:cen.eu:en16931:2017</cbc:CustomizationID>"
    text = path.read_text("utf-8")
    claims.write_text(text.replace("<cbc:ID>", f"{claim}<cbc:ID>", 1), encoding="utf-8")
    with pytest.raises(BadLog) as error:
        read_log(claims, load_mapping(mapping, claims, None))
    assert ("bad_sum", "BR-CO-15") in found(error)
