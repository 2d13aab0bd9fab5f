"""Inputs to begin with: one of each kind that every decoder reads, made from the pinned vectors and small logs.

Law: deterministic; ``python -m tests.fuzz --corpus`` writes what is small of it into ``tests/fuzz/corpus``.
"""

from __future__ import annotations

import json
import sqlite3
import tempfile
from collections.abc import Iterable, Sequence
from contextlib import closing
from dataclasses import replace
from datetime import datetime
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any

import msgpack
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from coseal.audit import sd_jwt
from coseal.audit.export import signed_bytes
from coseal.cli.archived_statements import statement_from
from coseal.client.bundle import collect
from coseal.consensus import messages, persisted
from coseal.contracts.certification.scheme import applying
from coseal.contracts.credit.dossier import Question as DossierQuestion
from coseal.contracts.currency.statement import Period
from coseal.contracts.registry import CONTRACTS, KINDS
from coseal.contracts.trade.proofs import Question
from coseal.ledger import codec, framing, merkle, render, snapshot
from coseal.ledger.block import CommittedBlock, Receipt
from coseal.ledger.genesis import Genesis
from coseal.ledger.handover import Handover, with_handovers
from coseal.ledger.head import Head
from coseal.ledger.proof import BeginProof, CertifiedValue, TransactionProof
from coseal.ledger.signing import Ed25519Signer
from coseal.ledger.snapshot import Manifest
from coseal.ledger.state import value_hash_of
from coseal.network import ceremony
from coseal.network.consortium import default_consortium
from coseal.node.core import journal, wire
from coseal.node.index.index import Index
from tests.audit.conftest import ListSource
from tests.coseal.formats.iso20022.messages import pacs_008, pain_001, transfer
from tests.support import comet
from tests.support.certification import CONTENT
from tests.support.chain import Chain
from tests.support.currency import DAY_MS, funded, payment
from tests.support.genesis import make_genesis
from tests.support.governance import World, decision_document
from tests.support.keys import signer
from tests.support.panelled import Panelled, certificate_document, review
from tests.support.sealing import access_document, reveal_document
from tests.support.supervised import Story
from tests.support.trade import A, dossier_document, trade_document, trading, with_facts
from tests.vectors import generate as vectors

FIRST, SECOND = vectors.FIRST, vectors.committed(2, vectors.FIRST, 1)
GENESIS = vectors.GENESIS
NODE = "bank-a"


def certificates() -> list[bytes]:
    """Return a certificate of either engine."""
    header, raws = FIRST.block.header, FIRST.block.transactions
    return [FIRST.certificate.encode(), comet.certify(header, raws, make_genesis().validators, (0, 1, 2)).encode()]


@cache
def manifest() -> Manifest:
    """Return the manifest of the vectors' state at the first block."""
    state = vectors.state()
    rows = sorted(_entries(), key=lambda row: row[0])
    depth = snapshot.depth_for(rows, 8)
    hashes = b"".join(hashed for _, hashed in snapshot.cut(rows, 8, depth))
    assert FIRST.block.header.state_root == state.root
    return Manifest(FIRST.block.header, FIRST.certificate, 8, depth, hashes)


def _entries() -> list[tuple[bytes, bytes]]:
    values = {b"policy/instrument/%d" % number: codec.encode({"n": number}) for number in range(40)}
    return [
        (snapshot.key_hash_of(key), snapshot.make_entry(key, value, value_hash_of(value)))
        for key, value in values.items()
    ]


@cache
def chunk() -> bytes:
    """Return the only chunk of the vectors' state."""
    ((first, _),) = snapshot.cut(sorted(_entries(), key=lambda row: row[0]), 8, 0)
    return first


def wire_messages() -> list[bytes]:
    """Return one frame of each kind of message."""
    said: list[wire.WireMessage] = [
        wire.Pruned(1, 9),
        wire.GetSnapshot(),
        wire.Snapshot(None),
        wire.Snapshot(manifest().encode()),
        wire.GetHeads(1, 100),
        wire.Heads(1, (Head.of(FIRST).encode(),)),
        wire.GetItem(9, 2),
        wire.Item(9, 2, b"data"),
        wire.Item(9, 2, None),
        wire.GetSidecars((bytes(32),)),
        wire.Sidecars(((bytes(32), b"data"), (bytes(32), None))),
        wire.Blocks(2, ()),
        wire.TipReply(1, None, FIRST.certificate),
    ]
    pinned = [bytes.fromhex(item["raw"]) for item in vectors.wire_vectors()]
    return pinned + [wire.encode(item) for item in said]


def proof_of(committed: CommittedBlock) -> bytes:
    """Return the bytes of a transaction's proof."""
    return TransactionProof.of(committed, 0).encode()


def begin_proof() -> BeginProof:
    """Return the proof of what the second block began with."""
    path = tuple(merkle.prove(SECOND.receipts, 0))
    return BeginProof(SECOND.receipts[0], path, SECOND.block.header, SECOND.certificate)


def journal_file() -> bytes:
    """Return a journal with a record of each kind."""
    start = journal.initial(GENESIS.chain_id, NODE)
    writer = journal.load(start, GENESIS.chain_id, NODE).journal
    records = [persisted.decode_record(bytes.fromhex(r["raw"])) for r in vectors.consensus_vectors()["records"]]
    return start + b"".join(writer.append(record) for record in records)


def block_log() -> bytes:
    """Return a block file of two blocks."""
    return framing.frame(1, 1, FIRST.encode()) + framing.frame(2, 1, SECOND.encode())


def documents() -> list[bytes]:
    """Return one document of each kind that is verified offline."""
    pinned = vectors.chain_vectors()["json"]
    short = {name: pinned["receipt"][name] for name in ("coseal", "version", "raw")}
    shown = [pinned["receipt"], pinned["state_proof"], pinned["certified_header"], short]
    shown += [render.begin_proof_json(begin_proof()), export_manifest()]
    return [text(document) for document in shown]


def export_manifest() -> dict[str, Any]:
    """Return the signed manifest of an export of nothing."""
    signer = vectors.signer("bank-a/admin")
    document: dict[str, Any] = {
        "coseal": "export",
        "version": 1,
        "chain_id": GENESIS.chain_id.hex(),
        "file": {"name": "log.csv", "bytes": 0, "sha256": sha256(b"").hexdigest()},
        "format": "csv",
        "view": "corrected",
        "process_type": "t",
        "definition": "00" * 32,
        "definitions": [[1, "00" * 32]],
        "heights": [1, 2],
        "block_hash": SECOND.block.hash.hex(),
        "items": 0,
        "items_root": "00" * 32,
        "sources": [],
        "counts": {"events": {}, "objects": {}, "relations": 0, "changes": 0},
        "leaves_out": [],
        "signer": "bank-a/admin",
        "public_key": signer.public_key.hex(),
    }
    document["signature"] = signer.sign(signed_bytes(document)).hex()
    return document


def transactions_json() -> list[bytes]:
    """Return a transaction as its fields, and as its raw form."""
    shown = render.transaction_json(vectors.signed(1))
    fields = {name: value for name, value in shown.items() if name != "raw"}
    return [text(shown), text(fields), text({"raw": shown["raw"]})]


def text(value: Any) -> bytes:
    """Return a value as JSON."""
    return json.dumps(value, ensure_ascii=False).encode()


def json_texts() -> list[bytes]:
    """Return JSON of every kind of value, and what other parsers let through."""
    good = ['{"a":[1,-1,true,null,"x\\u00e9\\ud83d\\ude00"],"b":{"c":""}}', "18446744073709551615", '"通知"', "[[[]]]"]
    bad = ['{"a":1,"a":2}', "NaN", "1e400", "1.5", '"\\ud800"', "[" * 20, "-0", "1" * 30, "\ufeff{}", "{}{}", ""]
    return [item.encode() for item in good + bad]


EVENT: dict[str, Any] = {
    "specversion": "1.0",
    "id": "e1",
    "source": "live",
    "type": "pay",
    "time": "2026-01-01T00:00:00Z",
    "subject": "order/o1",
    "sequence": "1",
    "datacontenttype": "application/json",
    "data": {"amount": 5, "ok": True},
}


def events() -> list[bytes]:
    """Return CloudEvents: plain, with an item as data, in binary form, with decimals."""
    item = {"objects": [["order", "o2", "of"]], "attributes": {"n": 1}, "counterparty": "bank-a"}
    wrapped = {**EVENT, "datacontenttype": "application/vnd.coseal.item+json", "data": item}
    more = {**EVENT, "recordedtime": "2026-01-01T00:00:01Z", "sequencetype": "Integer", "ext": 7, "sequence": 1}
    return [text(EVENT), text(wrapped), text(more), text({**EVENT, "data": None, "data_base64": "AAAA"})]


RULES: tuple[dict[str, Any], ...] = (
    {"kind": "declare", "template": "response", "a": "Create", "b": "Decide", "within_ms": 60_000},
    {"kind": "guard", "on": ["Create"], "assert": "e.attributes.amount > 0 && size(e.objects) < 3"},
    {"kind": "periodic", "on": ["Create"], "source": "bank-a/live", "every": {"days": 30}},
    {"kind": "gap"},
)


def rules() -> list[bytes]:
    """Return rules of several kinds."""
    head = {"id": "R-1", "version": 1, "title": "R", "legal_basis": ["external:a law"], "severity": "violation"}
    scope = {"process_type": "t"}
    return [text({**head, "effect": "flag", "scope": scope, **rule}) for rule in RULES]


EXPRESSIONS = (
    "e.attributes.amount <= 360 && e.type == 'issued'",
    "e.objects.exists(o, o.id == 'x') ? duration('1h') : e.time - timestamp('2026-01-01T00:00:00Z')",
    "has(e.attributes.amount) || !(1 + 2 * -3 in [1, 2, 3]) && {'a': 1}['a'] == 1",
    "'a' + \"b\" + r'\\n' + '\\u00e9' != '''x'''",
    "e.objects.map(o, o.id).filter(i, i.startsWith('a')).size() >= 1u",
)

CSV = """case,what,when,id,amount,paid
A,Pay,2026-01-02T00:00:00Z,3,35.0,true
A,"Crea""te",2026-01-01T00:00:00Z,1,35.00,
"""
MAP = """
process_type = "fines"
source = "fines-1"
title = "Fines"
object_type = "fine"
case = "case"
activity = "what"
timestamp = "when"
event_id = "id"
zone = "+01:00"
[attributes]
amount = "decimal"
paid = "boolean"
[counterparties]
Pay = "bank-a"
"""

OCEL: dict[str, Any] = {
    "eventTypes": [
        {"name": "pay", "attributes": [{"name": "amount", "type": "float"}, {"name": "n", "type": "integer"}]}
    ],
    "objectTypes": [{"name": "order", "attributes": [{"name": "status", "type": "string"}]}],
    "objects": [
        {
            "id": "o-1",
            "type": "order",
            "attributes": [{"name": "status", "time": "1970-01-01T00:00:00Z", "value": "new"}],
            "relationships": [{"objectId": "o-1", "qualifier": "self"}],
        }
    ],
    "events": [
        {
            "id": "e-1",
            "type": "pay",
            "time": "2026-01-03T00:00:00Z",
            "attributes": [{"name": "amount", "value": 0.1}, {"name": "n", "value": "12"}],
            "relationships": [{"objectId": "o-1", "qualifier": "paid"}],
        }
    ],
}
OCEL1: dict[str, Any] = {
    "ocel:global-log": {"ocel:object-types": ["order"], "ocel:attribute-names": ["n"], "ocel:version": "1.0"},
    "ocel:events": {
        "e1": {
            "ocel:activity": "pay",
            "ocel:timestamp": "2026-01-02T00:00:00+02:00",
            "ocel:omap": ["o1"],
            "ocel:vmap": {"n": 0.10},
        }
    },
    "ocel:objects": {"o1": {"ocel:type": "order", "ocel:ovmap": {"n": 5}}},
}
OCEL_XML = """<?xml version='1.0' encoding='UTF-8'?>
<log><object-types><object-type name="order"><attributes><attribute name="status" type="string"/></attributes>
</object-type></object-types><event-types><event-type name="pay"><attributes><attribute name="n" type="integer"/>
</attributes></event-type></event-types><objects><object id="o1" type="order"><attributes>
<attribute name="status" time="0">a &amp; b&#10;</attribute></attributes><objects>
<relationship object-id="o1" qualifier="q"/></objects></object></objects><events>
<event id="e1" type="pay" time="2026-01-02T00:00:00Z"><attributes><attribute name="n">5</attribute></attributes>
<objects><object object-id="o1" qualifier="q"/></objects></event></events></log>"""
TRADE_MAP = f'''type = "{Path(__file__).parents[2] / "examples/rules/orders.type.json"}"
zone = "+00:00"
[parties]
"S" = "bank-a"
"B" = "enterprise-a"
'''
UBL = """<Invoice xmlns="urn:oasis:names:specification:ubl:schema:xsd:Invoice-2"
 xmlns:a="urn:oasis:names:specification:ubl:schema:xsd:CommonAggregateComponents-2"
 xmlns:b="urn:oasis:names:specification:ubl:schema:xsd:CommonBasicComponents-2">
 <b:CustomizationID>urn:cen.eu:en16931:2017</b:CustomizationID><b:ID>I1</b:ID><b:IssueDate>2026-01-05</b:IssueDate>
 <b:DocumentCurrencyCode>EUR</b:DocumentCurrencyCode><a:OrderReference><b:ID>O1</b:ID></a:OrderReference>
 <a:AccountingSupplierParty><a:Party><a:PartyName><b:Name>S</b:Name></a:PartyName></a:Party></a:AccountingSupplierParty>
 <a:AccountingCustomerParty><a:Party><a:PartyName><b:Name>B</b:Name></a:PartyName></a:Party></a:AccountingCustomerParty>
 <a:TaxTotal><b:TaxAmount currencyID="EUR">4.00</b:TaxAmount></a:TaxTotal>
 <a:LegalMonetaryTotal><b:LineExtensionAmount>20.00</b:LineExtensionAmount>
 <b:TaxExclusiveAmount>20.00</b:TaxExclusiveAmount><b:TaxInclusiveAmount>24.00</b:TaxInclusiveAmount>
 <b:PayableAmount>24.00</b:PayableAmount></a:LegalMonetaryTotal>
 <a:InvoiceLine><b:ID>1</b:ID><b:InvoicedQuantity unitCode="KGM">2</b:InvoicedQuantity>
 <b:LineExtensionAmount>20.00</b:LineExtensionAmount><a:OrderLineReference><b:LineID>1</b:LineID></a:OrderLineReference>
 <a:Price><b:PriceAmount>10.00</b:PriceAmount></a:Price></a:InvoiceLine></Invoice>"""
CII = """<r:CrossIndustryInvoice xmlns:r="urn:un:unece:uncefact:data:standard:CrossIndustryInvoice:100"
 xmlns:a="urn:un:unece:uncefact:data:standard:ReusableAggregateBusinessInformationEntity:100"
 xmlns:u="urn:un:unece:uncefact:data:standard:UnqualifiedDataType:100">
 <r:ExchangedDocument><a:ID>I1</a:ID><a:TypeCode>380</a:TypeCode>
 <a:IssueDateTime><u:DateTimeString format="102">20260105</u:DateTimeString></a:IssueDateTime></r:ExchangedDocument>
 <r:SupplyChainTradeTransaction><a:IncludedSupplyChainTradeLineItem>
 <a:AssociatedDocumentLineDocument><a:LineID>1</a:LineID></a:AssociatedDocumentLineDocument>
 <a:SpecifiedLineTradeAgreement><a:NetPriceProductTradePrice><a:ChargeAmount>10</a:ChargeAmount>
 </a:NetPriceProductTradePrice></a:SpecifiedLineTradeAgreement>
 <a:SpecifiedLineTradeDelivery><a:BilledQuantity unitCode="KGM">2</a:BilledQuantity></a:SpecifiedLineTradeDelivery>
 <a:SpecifiedLineTradeSettlement><a:SpecifiedTradeSettlementLineMonetarySummation>
 <a:LineTotalAmount>20</a:LineTotalAmount></a:SpecifiedTradeSettlementLineMonetarySummation>
 </a:SpecifiedLineTradeSettlement></a:IncludedSupplyChainTradeLineItem>
 <a:ApplicableHeaderTradeAgreement><a:SellerTradeParty><a:Name>S</a:Name></a:SellerTradeParty>
 <a:BuyerTradeParty><a:Name>B</a:Name></a:BuyerTradeParty></a:ApplicableHeaderTradeAgreement>
 <a:ApplicableHeaderTradeSettlement><a:InvoiceCurrencyCode>EUR</a:InvoiceCurrencyCode>
 <a:SpecifiedTradeSettlementHeaderMonetarySummation><a:LineTotalAmount>20</a:LineTotalAmount>
 <a:TaxBasisTotalAmount>20</a:TaxBasisTotalAmount><a:TaxTotalAmount currencyID="EUR">4</a:TaxTotalAmount>
 <a:GrandTotalAmount>24</a:GrandTotalAmount><a:DuePayableAmount>24</a:DuePayableAmount>
 </a:SpecifiedTradeSettlementHeaderMonetarySummation></a:ApplicableHeaderTradeSettlement>
 </r:SupplyChainTradeTransaction></r:CrossIndustryInvoice>"""
OCEL1_XML = """<?xml version="1.0"?>
<log>
  <global scope="log"><list key="object-types"><string key="object-type" value="order"/></list></global>
  <events><event>
    <string key="id" value="e1"/><string key="activity" value="pay"/>
    <date key="timestamp" value="2026-01-02T00:00:00Z"/><list key="omap"><string key="object-id" value="o1"/></list>
    <list key="vmap"><float key="n" value="0.10"/></list>
  </event></events>
  <objects><object>
    <string key="id" value="o1"/><string key="type" value="order"/><list key="ovmap"><int key="n" value="5"/></list>
  </object></objects>
</log>"""
XES = """<?xml version="1.0"?>
<log xes.version="1849.2016" xmlns="http://www.xes-standard.org/">
<extension name="Concept" prefix="concept" uri="http://www.xes-standard.org/concept.xesext"/>
<global scope="event"><string key="concept:name" value="?"/></global>
<classifier name="Activity" keys="concept:name"/><float key="mean" value="4.13"/>
<trace><string key="concept:name" value="c1"/><int key="rank" value="3"/><event>
<string key="concept:name" value="pay"/><date key="time:timestamp" value="2026-01-02T00:00:00.500+01:00"/>
<float key="amount" value="0.10"><string key="unit" value="EUR"/></float><id key="ref" value="u-1"/></event></trace>
</log>"""
ENTITIES = (
    '<!DOCTYPE a [<!ENTITY x "xxxx"><!ENTITY y "&x;&x;&x;&x;">]><log xes.version="1"><string key="&y;" value=""/></log>'
)
SQL = """
PRAGMA page_size = 512;
CREATE TABLE event_map_type (ocel_type TEXT, ocel_type_map TEXT);
CREATE TABLE object_map_type (ocel_type TEXT, ocel_type_map TEXT);
CREATE TABLE event (ocel_id TEXT, ocel_type TEXT);
CREATE TABLE object (ocel_id TEXT, ocel_type TEXT);
CREATE TABLE event_object (ocel_event_id TEXT, ocel_object_id TEXT, ocel_qualifier TEXT);
CREATE TABLE object_object (ocel_source_id TEXT, ocel_target_id TEXT, ocel_qualifier TEXT);
CREATE TABLE event_Pay (ocel_id TEXT, ocel_time TIMESTAMP, amount REAL, n INTEGER);
CREATE TABLE object_Order (ocel_id TEXT, ocel_time TIMESTAMP, ocel_changed_field TEXT, status TEXT);
INSERT INTO event_map_type VALUES ('pay', 'Pay');
INSERT INTO object_map_type VALUES ('order', 'Order');
INSERT INTO event VALUES ('e1', 'pay');
INSERT INTO object VALUES ('7', 'order');
INSERT INTO event_object VALUES ('e1', '7', 'of');
INSERT INTO event_Pay VALUES ('e1', '2026-01-02 03:04:05.678901+00:00', 0.1, 5);
INSERT INTO object_Order VALUES (7, '0', NULL, 'new');
"""


@cache
def database() -> bytes:
    """Return an OCEL 2.0 SQLite file."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "log.sqlite"
        with closing(sqlite3.connect(path)) as connection:
            connection.executescript(SQL)
        return path.read_bytes()


def codec_values() -> list[bytes]:
    """Return pinned encodings, and pinned refusals."""
    pinned = vectors.codec_vectors()
    return [bytes.fromhex(value["encoding"]) for value in pinned["values"]] + hexed(pinned["refused"])


def hexed(texts: Iterable[str]) -> list[bytes]:
    """Return the bytes of hexadecimal texts."""
    return [bytes.fromhex(text) for text in texts]


def receipts() -> list[bytes]:
    """Return receipts of success and of refusal."""
    rejected = Receipt(bytes(32), "unauthorised", "needs another role", {"a": [1, b"x"]}, 500_000)
    return [*SECOND.receipts, rejected.encode()]


def batch() -> list[bytes]:
    """Return a batch of transactions in MessagePack."""
    raws: Sequence[bytes] = [vectors.signed(number).raw for number in range(3)]
    return [msgpack.packb(list(raws)), msgpack.packb([]), b"\xdc\xff\xff", b"\xdd\xff\xff\xff\xff"]


def consensus_messages() -> list[bytes]:
    """Return one consensus message of each kind."""
    small = messages.encode_message(messages.Proposal(0, 2, 0, 2, SECOND.block, (), bytes(64)))
    return [small, *hexed(message["raw"] for message in vectors.consensus_vectors()["messages"])]


def journal_records() -> list[bytes]:
    """Return one record of each kind of the journal."""
    return hexed(record["raw"] for record in vectors.consensus_vectors()["records"])


def state_proofs() -> list[bytes]:
    """Return the proofs of keys that are there and that are not."""
    return hexed(item["proof"] for item in vectors.state_vectors()["proofs"])[:3]


def certified_values() -> list[bytes]:
    """Return a value and an absence, certified."""
    found = []
    for key in (b"policy/instrument/7", b"absent"):
        value, proof = vectors.state().prove(key)
        found.append(CertifiedValue(key, value, proof, FIRST.block.header, FIRST.certificate).encode())
    return found


@cache
def bundle() -> tuple[Genesis, bytes]:
    """Return the evidence bundle of a case on a chain with supervision, and the genesis of that chain."""
    from tests.audit.test_bundle import CASE, FakeClient  # a chain with its index; only this seed needs it

    story = Story(Chain(make_genesis(name="evidence")))
    story.tell()
    chain = story.chain
    with tempfile.TemporaryDirectory() as folder:
        index = Index(Path(folder) / "i.sqlite", chain.genesis.chain_id, lambda h: chain.blocks[h - 1].encode())
        index.start(len(chain.blocks))
        try:
            assert index.wait(len(chain.blocks), 60)
            return chain.genesis, text(collect(FakeClient(story, index), CASE))
        finally:
            index.stop()


@cache
def decision() -> tuple[Genesis, bytes]:
    """Return how a ballot was decided, on a chain of its own, and the genesis of that chain."""
    world = World(Chain(make_genesis(name="decided")), signer)
    world.accept("joins", "add_member", KINDS["add_member"].example | {"member": "bank-z"}, "regulator")
    return world.chain.genesis, text(decision_document(world.chain, "joins"))


@cache
def statement() -> tuple[Genesis, bytes]:
    """Return the statement of a wallet over two months, and the genesis of its chain."""
    money = funded()
    money.ok("enterprise-a", "pay", **payment("bank-a/ea", "bank-b/eb", 100, reference="r"))
    money.wait(40 * DAY_MS)
    money.ok("enterprise-a", "pay", **payment("bank-a/ea", "bank-b/eb", 7))
    genesis, source = money.chain.genesis, ListSource(money.chain.blocks)
    return genesis, text(statement_from([source], genesis, "bank-a/ea", Period(202311, 202311)))


def orders() -> list[bytes]:
    """Return a pain.001."""
    return [pain_001([transfer(1, "bank-a/shop", "12.50"), transfer(2, "bank-a/shop", "1")], total="13.5").encode()]


def banks_orders() -> list[bytes]:
    """Return a pacs.008."""
    return [pacs_008("bank-a/ea", "bank-a/shop", "12.50").encode()]


@cache
def trade_proof() -> tuple[Genesis, bytes]:
    """Return the proof that a receivable is unpledged, and the genesis of its chain."""
    trade = trading()
    return trade.chain.genesis, text(trade_document(trade, Question(trade.owed())))


@cache
def dossier() -> tuple[Genesis, bytes]:
    """Return the dossier of a member over a few months, and the genesis of its chain."""
    trade = with_facts()
    return trade.chain.genesis, text(dossier_document(trade, DossierQuestion(A, 12, ("payment",))))


@cache
def reveal() -> tuple[Genesis, bytes]:
    """Return a document that shows a sealed value, and the genesis of its chain."""
    genesis, document = reveal_document()
    return genesis, text(document)


@cache
def access_history() -> tuple[Genesis, bytes]:
    """Return the access history of a member, and the genesis of its chain."""
    genesis, document = access_document()
    return genesis, text(document)


@cache
def project_certificate() -> tuple[Genesis, bytes]:
    """Return a certificate of a project, and the genesis of its chain."""
    nodes = [
        {"id": name, "kind": "claim", "statement": "So it is", "declared": "axiomatic", "criterion": name}
        for name in applying(CONTENT, "public_chain")
    ]
    said = {node["id"]: {"opinion": "accepted", "reason": "So it is"} for node in nodes}
    scene = Panelled().admitted(nodes)
    scene.reviewed(lambda name: {**review(), "leaves": said}).decided("certified")
    return scene.chain.genesis, text(certificate_document(scene))


def credential() -> bytes:
    """Return an SD-JWT with two disclosures and a key binding; who signed it is not asked by a reader."""
    disclosures = [
        sd_jwt.encode(json.dumps(["c2FsdA", name, value]).encode()) for name, value in (("a", 1), ("b", [2]))
    ]
    parts = [
        {"alg": "EdDSA", "typ": "dc+sd-jwt", "kid": "regulator/admin"},
        {"iss": "x", "_sd_alg": "sha-256", "_sd": [sd_jwt.digest_of(one) for one in disclosures]},
    ]
    binding = [{"alg": "Ed25519", "typ": "kb+jwt"}, {"aud": "y", "nonce": "z"}]

    def signed(rows: list[dict[str, object]]) -> str:
        return ".".join([*(sd_jwt.encode(json.dumps(row).encode()) for row in rows), sd_jwt.encode(bytes(64))])

    return "~".join([signed(parts), *disclosures, signed(binding)]).encode()  # type: ignore[arg-type]


def handover() -> Handover:
    """Return a handover to the set of the vectors with another epoch; who certified it is not asked by a reader."""
    following = replace(vectors.VALIDATORS, epoch=1)
    header = replace(SECOND.block.header, next_validators_hash=following.hash)
    return Handover(header, SECOND.certificate, following)


def documents_of_later_epochs() -> list[bytes]:
    """Return a receipt with what leads to its epoch."""
    receipt = vectors.chain_vectors()["json"]["receipt"]
    short = {name: receipt[name] for name in ("coseal", "version", "raw")}
    return [text(with_handovers(short, [handover()]))]


def actions() -> list[bytes]:
    """Return the example of every action of every contract, as [contract, action, arguments]."""
    return [
        codec.encode([contract.name, name, dict(contract.actions[name].example)])
        for contract in CONTRACTS.values()
        for name in sorted(contract.actions)
    ]


@cache
def founding() -> tuple[ceremony.Plan, bytes, Genesis, bytes]:
    """Return a plan, a contribution to it, the genesis of it, and a confirmation; the same bytes every time."""
    plan = ceremony.decode_plan(ceremony.encode_plan(default_consortium(4), 1_700_000_000_000))
    raws = [_contribution(plan, member.id, 16 * number + 1) for number, member in enumerate(plan.members)]
    contributions = {one.member: one for one in (ceremony.decode_contribution(raw, plan) for raw in raws)}
    genesis = ceremony.assemble(plan, contributions)
    confirmation = ceremony.make_confirmation(genesis, plan.members[0].id, Ed25519Signer(bytes([1]) * 32))
    return plan, raws[0], genesis, confirmation


def _contribution(plan: ceremony.Plan, member: str, first: int) -> bytes:
    user, consensus, link = (bytes([number]) * 32 for number in range(first, first + 3))
    signer = Ed25519Signer(consensus)
    node = ceremony.NodePart(member, signer.public_key, _certificate_of(link, member), f"{member}.example:8601")
    nodes = [(node, signer, Ed25519Signer(link))]
    return ceremony.make_contribution(plan, member, {"admin": Ed25519Signer(user)}, nodes)


def _certificate_of(seed: bytes, node: str) -> bytes:
    """Return a link certificate as ``coseal.client.keys`` makes them, with a serial number that is no chance."""
    key = Ed25519PrivateKey.from_private_bytes(seed)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, node)])
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    lasting = builder.not_valid_before(datetime(2020, 1, 1)).not_valid_after(datetime(9999, 12, 31))
    return lasting.serial_number(1).sign(key, None).public_bytes(Encoding.DER)
