"""Messages of ISO 20022: what comes in is taken whole or refused by path, what goes out is valid and says the proof."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from coseal.audit.statement import read, verify_wallet_statement
from coseal.audit.steps import Trace
from coseal.cli.archived_statements import statement_from
from coseal.client.arguments import require_valid
from coseal.contracts.currency.statement import Period
from coseal.contracts.currency.supply import RESERVES_TYPE, instruction_of
from coseal.errors import CosealError
from coseal.formats.documents.xml_tree import read_tree
from coseal.formats.importers.log import BadLog, Findings
from coseal.formats.importers.mapping import load_mapping
from coseal.formats.importers.reader import read_log
from coseal.formats.iso20022.orders import read_orders
from coseal.formats.iso20022.reports import Account, Outcome, camt_053, camt_054, pain_002
from coseal.ledger.handover import split_handovers
from tests.audit.conftest import ListSource
from tests.coseal.formats.iso20022.messages import EA, EB, SHOP, pacs_008, pacs_009, pain_001, transfer
from tests.reference import reference
from tests.support.currency import DAY_MS, funded, payment

TODAY = "2026-03-02"
PURPOSE = "<Purp><Cd>SUPP</Cd></Purp><RmtInf><Ustrd>Order 7</Ustrd></RmtInf>"


def written(folder: Path, text: str) -> Path:
    path = folder / "message.xml"
    path.write_text(text, "utf-8")
    return path


def valid(path: Path, schema: str) -> None:
    """Compare with the schema, where there is one and what reads it; else nothing is said."""
    xmlschema: Any = pytest.importorskip("xmlschema")
    xmlschema.validate(str(path), str(reference("trade", "iso20022", schema)))


def test_a_pain_001_becomes_a_batch_for_each_group(tmp_path: Path) -> None:
    text = pain_001([transfer(1, EB, "12.50", more=PURPOSE), transfer(2, SHOP, "100")], total="112.5")
    found = read_orders(written(tmp_path, text), "pain.001", TODAY)
    assert (found.name, found.id, found.count) == ("pain.001.001.10", "M-1", 2)
    (group,) = found.groups
    assert (group.id, group.ids) == ("G-1", (("I-1", "E-1"), ("I-2", "E-2")))
    first, second = group.items
    assert first == {**payment(EA, EB, 1_250), "end_to_end": "E-1", "reference": "Order 7"}
    assert second == {**payment(EA, SHOP, 10_000, "OTHR"), "end_to_end": "E-2"}


def test_a_payment_without_an_id_of_its_payer_has_the_same_id_in_every_reading(tmp_path: Path) -> None:
    transfers = [transfer(n, EB, "1.00", "NOTPROVIDED") for n in (1, 2)]
    path = written(tmp_path, pain_001(transfers))
    first, second = read_orders(path, "pain.001", TODAY).groups[0].items
    assert first["end_to_end"] != second["end_to_end"]
    assert len(first["end_to_end"]) == 35
    assert (first, second) == read_orders(path, "pain.001", TODAY).groups[0].items


REFUSED = {
    "other_currency": pain_001([transfer(1, EB, "1.00", currency="EUR")]),
    "bad_amount": pain_001([transfer(1, EB, "1.005")]),
    "bad_count": pain_001([transfer(1, EB, "1.00")], count=2),
    "bad_sum": pain_001([transfer(1, EB, "1.00")], total="1.01"),
    "for_later": pain_001([transfer(1, EB, "1.00")], date="<Dt>2026-03-03</Dt>"),
    "not_read": pain_001([transfer(1, EB, "1.00", more="<Tax><Mtd>x</Mtd></Tax>")]),
    "bad_wallet": pain_001([transfer(1, "eb", "1.00")]),
    "unknown_purpose": pain_001([transfer(1, EB, "1.00", more="<Purp><Cd>SALA</Cd></Purp>")]),
    "too_long": pain_001([transfer(1, EB, "1.00", more=f"<RmtInf><Ustrd>{'x' * 36}</Ustrd></RmtInf>")]),
    "not_a_transfer": pain_001([transfer(1, EB, "1.00")], method="CHK"),
    "unknown_message": pain_001([transfer(1, EB, "1.00")], version="pain.008.001.02"),
    "missing": pain_001([transfer(1, EB, "1.00")]).replace("<MsgId>M-1</MsgId>", ""),
    "dtd": "<!DOCTYPE x [<!ENTITY a 'b'>]>" + pain_001([transfer(1, EB, "1.00")]),
}


@pytest.mark.parametrize("code", REFUSED)
def test_what_is_wrong_is_refused_with_its_path(tmp_path: Path, code: str) -> None:
    with pytest.raises(BadLog) as refused:
        read_orders(written(tmp_path, REFUSED[code]), "pain.001", TODAY)
    assert [finding.code for finding in refused.value.findings] == [code]
    assert refused.value.findings[0].examples[0][0]


def test_a_pacs_008_is_a_payment_and_a_pacs_009_a_reserve_instruction(tmp_path: Path) -> None:
    found = read_orders(written(tmp_path, pacs_008(EA, EB, "12.50")), "pacs.008", TODAY)
    assert found.groups[0].items == ({**payment(EA, EB, 1_250, "TRAD"), "end_to_end": "E-8"},)
    with pytest.raises(BadLog, match=r"message\.xml"):
        read_orders(written(tmp_path, pacs_008(EA, EB, "12.50", "2026-03-03")), "pacs.008", TODAY)
    path = written(tmp_path, pacs_009("bank-a", "1000.00"))
    log = read_log(path, load_mapping(None, path), "pacs.009")
    assert (log.definition, log.source["id"]) == (RESERVES_TYPE, "reserves/M-8")
    require_valid("process", "register_source", log.source)
    (item,) = log.items
    assert instruction_of(item) == (100_000, "I-9")
    assert (item["counterparty"], item["objects"]) == ("central-bank", [["account", "bank-a"]])
    path = written(tmp_path, pacs_009("bank-a", "1.00", time="2026-03-02T09:00:00"))
    with pytest.raises(BadLog) as refused:
        read_log(path, load_mapping(None, path), "pacs.009")
    assert [finding.code for finding in refused.value.findings] == ["no_offset"]


@pytest.mark.parametrize(
    ("message", "schema"),
    [
        (pain_001([transfer(1, EB, "12.50", more=PURPOSE)], total="12.5"), "pain.001.001.10_1.xsd"),
        (pacs_008(EA, EB, "12.50"), "pacs.008.001.09.xsd"),
        (pacs_009("bank-a", "1000.00"), "pacs.009.001.09.xsd"),
    ],
)
def test_the_messages_that_are_read_here_are_valid(tmp_path: Path, message: str, schema: str) -> None:
    valid(written(tmp_path, message), schema)


def test_the_published_samples_are_refused_by_path() -> None:
    for name, format in (("moov-musterfile_pain.001_Nov2020.xml", "pain.001"), ("camt053.v8.xml", "pacs.008")):
        with pytest.raises(BadLog) as refused:
            read_orders(reference("trade", "iso20022", name), format, "2026-03-02")
        assert [finding.code for finding in refused.value.findings] == ["unknown_message"]


# Reports


@pytest.fixture(scope="module")
def account() -> Account:
    """The statement of a wallet over a payment, one received, a pending one, and one posted in part."""
    money = funded()
    money.ok("enterprise-a", "pay", **payment(EA, EB, 1_250, reference="Order <7> & more", end_to_end="E-1"))
    money.ok("enterprise-b", "pay", **payment(EB, EA, 50))
    later = {"expires_ms": money.chain.now_ms + 20 * DAY_MS, "release": {}}
    pending = money.ok("enterprise-a", "pend", **payment(EA, EB, 700), **later)["pending"]
    money.ok("enterprise-b", "post_pending", pending=pending, amount=300)
    money.ok("enterprise-a", "pend", **payment(EA, EB, 60), **later)
    genesis, tip = money.chain.genesis, money.chain.blocks[-1].block.header
    document = statement_from([ListSource(money.chain.blocks)], genesis, EA, Period(202311, 202311))
    _, facts, _ = verify_wallet_statement(document, genesis, Trace())
    return Account(facts, read(split_handovers(document)[0]).movements, tip.height, tip.time_ms, "ab" * 32)


def booked(path: Path) -> tuple[list[tuple[str, str, str]], dict[str, str]]:
    """Return the entries of a report, and its balances by kind, as another reader would."""
    root = read_tree(path, Findings())
    entries = [
        (node.all("AcctSvcrRef")[0].text, node.all("CdtDbtInd")[0].text, node.all("Amt")[0].text)
        for node in root.children[0].children[-1].all("Ntry")
    ]
    balances = {
        node.all("Tp", "CdOrPrtry", "Cd")[0].text: node.all("Amt")[0].text
        for node in root.children[0].children[-1].all("Bal")
    }
    return entries, balances


def test_a_camt_053_has_what_was_booked_and_its_sums_are_the_balances(tmp_path: Path, account: Account) -> None:
    data = camt_053(account)
    assert data == camt_053(account)
    path = tmp_path / "s.xml"
    path.write_bytes(data)
    entries, balances = booked(path)
    assert entries == [("2", "CRDT", "400.00"), ("4", "DBIT", "12.50"), ("5", "CRDT", "0.50"), ("7", "DBIT", "3.00")]
    assert balances == {"OPBD": "0.00", "CLBD": "385.00", "CLAV": "384.40"}
    text = data.decode()
    assert "Order &lt;7&gt; &amp; more" in text
    assert f"SHA-256 {'ab' * 32}" in text


def test_reports_of_accounts_are_valid(tmp_path: Path, account: Account) -> None:
    path = tmp_path / "s.xml"
    path.write_bytes(camt_053(account))
    valid(path, "camt.053.001.08.xsd")


def test_a_camt_054_has_the_same_entries_without_balances(tmp_path: Path, account: Account) -> None:
    path = tmp_path / "s.xml"
    path.write_bytes(camt_054(account))
    entries, balances = booked(path)
    assert (len(entries), balances) == (4, {})
    with pytest.raises(CosealError, match="the issuance is no account"):
        camt_054(account._replace(facts={**account.facts, "wallet": "issuance"}))


def test_a_pain_002_says_of_each_payment_what_came_of_it(tmp_path: Path) -> None:
    orders = read_orders(
        written(tmp_path, pain_001([transfer(1, EB, "1.00"), transfer(2, EB, "2.00")])), "pain.001", TODAY
    )
    outcomes = [[Outcome(ok=True), Outcome(ok=False, code="insufficient", detail="x" * 200)]]
    text = pain_002(orders, outcomes, 1_772_413_200_000).decode()
    assert "<GrpSts>PART</GrpSts>" in text
    assert "<OrgnlEndToEndId>E-1</OrgnlEndToEndId><TxSts>ACSC</TxSts>" in text
    assert "<TxSts>RJCT</TxSts><StsRsnInf><Rsn><Prtry>insufficient</Prtry></Rsn>" in text
    assert text.count("<AddtlInf>") == 2
    every = pain_002(orders, [[Outcome(ok=False, code="frozen")] * 2], 0).decode()
    assert "<GrpSts>RJCT</GrpSts>" in every
