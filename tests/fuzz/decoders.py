"""Every function that reads bytes of others, with what it may raise and what its value must stand for.

A decoder's ``roundtrip`` returns the encoding of what it read; where a value has many forms (JSON, logs) something else
that tells what was read, for another build to be compared with. Then it checks what else must hold, and raises
``AssertionError`` if that does not.
"""

from __future__ import annotations

import contextlib
import json
import tempfile
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

from coseal.audit import sd_jwt
from coseal.audit.export import signed_bytes
from coseal.audit.verify import verify_bytes, verify_document
from coseal.consensus import messages, persisted
from coseal.contracts.process.cloudevents import read_event
from coseal.contracts.process.items import Unfit
from coseal.contracts.registry import CONTRACTS
from coseal.contracts.rules.cel.compile import compile_expression
from coseal.contracts.rules.errors import RuleError
from coseal.contracts.rules.rule import parse_rule
from coseal.errors import CosealError
from coseal.formats.importers.mapping import load_mapping
from coseal.formats.importers.reader import read_log
from coseal.formats.iso20022.orders import read_orders
from coseal.ledger import codec, framing, render
from coseal.ledger.block import Block, CommittedBlock, Header, Receipt
from coseal.ledger.certificates import decode_certificate
from coseal.ledger.errors import LedgerError, Malformed
from coseal.ledger.genesis import Genesis, encode_genesis
from coseal.ledger.handover import Handover
from coseal.ledger.head import Head
from coseal.ledger.proof import BeginProof, CertifiedValue, TransactionProof
from coseal.ledger.snapshot import Manifest
from coseal.ledger.state import StateProof
from coseal.ledger.strict_json import strict_json
from coseal.ledger.transaction import Transaction
from coseal.ledger.validators import ValidatorSet
from coseal.network import ceremony
from coseal.node.core import journal, wire
from coseal.node.http import bodies, cloudevents, paging
from coseal.node.http.problems import Problem
from coseal.node.signing import signer_wire
from tests.fuzz import seeds
from tests.vectors import generate as vectors

CORPUS = Path(__file__).parent / "corpus"
GENESIS = vectors.GENESIS


@dataclass(frozen=True)
class Decoder:
    """A reader of outside bytes; ``share`` is how many of the usual number of mutants it gets, for the slow ones."""

    name: str
    form: str
    roundtrip: Callable[[bytes], Any]
    inputs: Callable[[], Iterable[bytes]]
    refusals: tuple[type[Exception], ...] = (LedgerError,)
    share: float = 1.0


def _codec(data: bytes) -> bytes:
    return codec.encode(codec.decode(data))


def _plan(data: bytes) -> bytes:
    plan = ceremony.decode_plan(data)
    return ceremony.encode_plan(plan.consortium, plan.time_ms)


def _contribution(data: bytes) -> str:
    plan, genuine, _, _ = seeds.founding()
    found = ceremony.decode_contribution(data, plan)
    assert found.raw == genuine  # whatever else differs is not signed
    return found.member


def _confirmation(data: bytes) -> str:
    _, _, genesis, genuine = seeds.founding()
    found = ceremony.decode_confirmation(data, genesis)
    assert found.signature.hex() in genuine.decode()
    return found.member


def _transaction(data: bytes) -> bytes:
    tx = Transaction.decode(data)
    assert codec.decode_record(data, "signed", 1, 2)[1] == tx.signature
    assert render.transaction_json(tx)
    return tx.raw


def _header(data: bytes) -> bytes:
    return replace(Header.decode(data)).raw


def _certificate(data: bytes) -> bytes:
    found = decode_certificate(data)
    assert render.certificate_json(found)
    return found.encode()


def _block(data: bytes) -> bytes:
    found = Block.decode(data)
    return Block(found.header, found.transactions, found.last_commit).raw


def _committed(data: bytes) -> bytes:
    return CommittedBlock.decode(data).encode()


def _chunk(data: bytes) -> bytes:
    seeds.manifest().entries(0, data)
    return seeds.chunk()


def _journal_file(data: bytes) -> Any:
    loaded = journal.load(data, GENESIS.chain_id, seeds.NODE)
    if loaded.entitles:
        again = journal.load(loaded.journal.rewrite(), GENESIS.chain_id, seeds.NODE)
        assert again.verdict is journal.Verdict.INTACT
        assert again.journal.persisted == loaded.journal.persisted
    else:
        assert loaded.journal.persisted.signs is None
    return loaded.verdict, loaded.journal.persisted


def _block_file(data: bytes) -> bytes:
    scan = framing.scan(data, first_sequence=1)
    assert not (scan.torn and scan.damaged)
    assert (scan.torn or scan.damaged) == (scan.end < len(data))
    good = b"".join(framing.frame(r.sequence, r.kind, r.payload) for r in scan.records)
    return good + data[scan.end :]


def _genesis(data: bytes) -> Any:
    found = Genesis.decode(data)
    again = Genesis.decode(
        encode_genesis(
            name=found.name,
            time_ms=found.time_ms,
            parameters=found.parameters,
            members=found.members,
            nodes=found.nodes,
        )
    )
    assert replace(again, raw=b"", protocol_version=found.protocol_version) == replace(found, raw=b"")
    assert found.validators.quorum > 0
    return again


def _strict_json(data: bytes) -> Any:
    value = strict_json(data)
    assert codec.decode(codec.encode(value)) == value
    assert strict_json(json.dumps(value)) == value
    return [value]


def _transaction_json(data: bytes) -> Any:
    raw = render.transaction_raw_from_json(strict_json(data))
    assert Transaction.decode(raw).raw == raw
    return raw.hex()


@cache
def _facts() -> dict[str, Any]:
    """What the good documents prove, by kind and block; nothing else may ever be proven."""
    found = [verify_bytes(document, GENESIS) for document in seeds.documents()]
    return {result.reason: result.facts for result in found if result.ok}


def _document(data: bytes) -> str:
    result = verify_bytes(data, GENESIS)
    assert not result.ok or _facts()[result.reason] == result.facts
    return json.dumps(result.to_json())


@cache
def _case() -> dict[str, Any]:
    genesis, data = seeds.bundle()
    return dict(verify_bytes(data, genesis).facts)


def _in_order(facts: Any) -> Any:
    """Return facts with their findings by id: a bundle may show them in any order."""
    return {**facts, "findings": sorted(facts["findings"], key=lambda finding: str(finding["id"]))}


def _bundle(data: bytes) -> str:
    result = verify_bytes(data, seeds.bundle()[0])
    assert not result.ok or _in_order(result.facts) == _in_order(_case())
    return json.dumps(result.to_json())


@cache
def _decided() -> dict[str, Any]:
    genesis, data = seeds.decision()
    return dict(verify_bytes(data, genesis).facts)


def _decision(data: bytes) -> str:
    result = verify_bytes(data, seeds.decision()[0])
    assert not result.ok or result.facts == _decided()
    return json.dumps(result.to_json())


@cache
def _stated() -> dict[str, Any]:
    genesis, data = seeds.statement()
    return dict(verify_bytes(data, genesis).facts)


def _statement(data: bytes) -> str:
    result = verify_bytes(data, seeds.statement()[0])
    assert not result.ok or result.facts == _stated()
    return json.dumps(result.to_json())


@cache
def _traded() -> dict[str, Any]:
    genesis, data = seeds.trade_proof()
    return dict(verify_bytes(data, genesis).facts)


def _trade_proof(data: bytes) -> str:
    result = verify_bytes(data, seeds.trade_proof()[0])
    assert not result.ok or result.facts == _traded()
    return json.dumps(result.to_json())


@cache
def _dossier_facts() -> dict[str, Any]:
    genesis, data = seeds.dossier()
    return dict(verify_bytes(data, genesis).facts)


def _dossier(data: bytes) -> str:
    result = verify_bytes(data, seeds.dossier()[0])
    assert not result.ok or result.facts == _dossier_facts()
    return json.dumps(result.to_json())


@cache
def _revealed() -> dict[str, Any]:
    genesis, data = seeds.reveal()
    return dict(verify_bytes(data, genesis).facts)


def _reveal(data: bytes) -> str:
    result = verify_bytes(data, seeds.reveal()[0])
    assert not result.ok or result.facts == _revealed()
    return json.dumps(result.to_json())


@cache
def _accessed() -> dict[str, Any]:
    genesis, data = seeds.access_history()
    return dict(verify_bytes(data, genesis).facts)


def _access_history(data: bytes) -> str:
    result = verify_bytes(data, seeds.access_history()[0])
    assert not result.ok or result.facts == _accessed()
    return json.dumps(result.to_json())


@cache
def _certified_project() -> dict[str, Any]:
    genesis, data = seeds.project_certificate()
    return dict(verify_bytes(data, genesis).facts)


def _project_certificate(data: bytes) -> str:
    result = verify_bytes(data, seeds.project_certificate()[0])
    assert not result.ok or result.facts == _certified_project()
    return json.dumps(result.to_json())


def _sd_jwt(data: bytes) -> str:
    return str(sd_jwt.read(data.decode("latin-1")))


def _export_manifest(data: bytes) -> str:
    """Sign whatever the manifest says, as a lying exporter would."""
    document = strict_json(data)
    with contextlib.suppress(TypeError, ValueError, KeyError, AttributeError):  # then it stays, and is refused
        document["signature"] = vectors.signer("bank-a/admin").sign(signed_bytes(document)).hex()
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "log.csv").write_bytes(b"")
        return json.dumps(verify_document(document, GENESIS, Path(folder)).to_json())


def _cloudevent(data: bytes) -> Any:
    read = read_event(cloudevents._parse_now(data))
    assert read.sequence > 0
    json.dumps(read.item)
    return read


def _rule(data: bytes) -> str:
    rule = parse_rule(strict_json(data))
    assert rule.cost > 0
    return f"{rule.cost} {codec.encode(rule.data).hex()}"


_EVENT = "{type: string, time: timestamp, attributes: {amount: int}, objects: list({id: string})}"


def _expression(data: bytes) -> Any:
    return [compile_expression(data.decode("utf-8", "replace"), {"e": _EVENT}).evaluate({"e": {"type": "issued"}})]


def _action(data: bytes) -> Any:
    """Judge arguments as execution does: a rejection of a bounded text or none, and never an exception."""
    asked = codec.sequence(codec.decode(data), "action", limit=3)
    if len(asked) != 3:
        raise Malformed("expected contract, action, arguments")
    contract, action, args = asked
    found = CONTRACTS.get(codec.text(contract, "contract"))
    known = None if found is None else found.actions.get(codec.text(action, "action"))
    if known is None:
        return "unknown"
    refused = known.arguments.check(codec.mapping(args, "args"))
    assert refused is None or codec.encode([refused.code, refused.detail])
    return refused


def _batch(data: bytes) -> list[bytes]:
    raws = bodies.split_raws(data, 1_000)
    assert all(type(raw) is bytes for raw in raws)
    return raws


def _cursor(data: bytes) -> Any:
    text = data.decode("latin-1")
    return paging.decode(text), paging.decode_number(text)


def _importer(name: str, map_text: str = "") -> Callable[[bytes], str]:
    def read(data: bytes) -> str:
        with tempfile.TemporaryDirectory() as folder:
            path, given = Path(folder) / "log", Path(folder) / "map.toml"
            path.write_bytes(data)
            given.write_text(map_text or 'process_type = "t"\nsource = "s"\n', "utf-8")
            log = read_log(path, load_mapping(given, path), name)
        return codec.encode([log.definition, log.source, list(log.items)]).hex()

    return read


def _payments(format: str) -> Callable[[bytes], str]:
    def read(data: bytes) -> str:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "message.xml"
            path.write_bytes(data)
            return repr(read_orders(path, format, "2026-03-02"))

    return read


def _mapping(data: bytes) -> Any:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "map.toml"
        path.write_bytes(data)
        return load_mapping(path, Path("log.csv"))


DECODERS: tuple[Decoder, ...] = (
    Decoder("codec", "msgpack", _codec, seeds.codec_values),
    Decoder("transaction", "msgpack", _transaction, lambda: [vectors.signed(1).raw]),
    Decoder("header", "msgpack", _header, lambda: [seeds.FIRST.block.header.raw]),
    Decoder("certificate", "msgpack", _certificate, seeds.certificates),
    Decoder("validators", "msgpack", lambda d: ValidatorSet.decode(d).encode(), lambda: [vectors.VALIDATORS.encode()]),
    Decoder("block", "msgpack", _block, lambda: [seeds.FIRST.block.raw, seeds.SECOND.block.raw]),
    Decoder("committed-block", "msgpack", _committed, lambda: [seeds.FIRST.encode(), seeds.SECOND.encode()]),
    Decoder("receipt", "msgpack", lambda d: Receipt.decode(d).encode(), seeds.receipts),
    Decoder("head", "msgpack", lambda d: Head.decode(d).encode(), lambda: [Head.of(seeds.SECOND).encode()]),
    Decoder("manifest", "msgpack", lambda d: Manifest.decode(d).encode(), lambda: [seeds.manifest().encode()]),
    Decoder("chunk", "msgpack", _chunk, lambda: [seeds.chunk()]),
    Decoder("state-proof", "msgpack", lambda d: StateProof.decode(d).encode(), seeds.state_proofs),
    Decoder(
        "transaction-proof",
        "msgpack",
        lambda d: TransactionProof.decode(d).encode(),
        lambda: [seeds.proof_of(seeds.SECOND)],
    ),
    Decoder("begin-proof", "msgpack", lambda d: BeginProof.decode(d).encode(), lambda: [seeds.begin_proof().encode()]),
    Decoder("certified-value", "msgpack", lambda d: CertifiedValue.decode(d).encode(), seeds.certified_values),
    Decoder(
        "consensus-message",
        "msgpack",
        lambda d: messages.encode_message(messages.decode_message(d)),
        seeds.consensus_messages,
    ),
    Decoder(
        "journal-record",
        "msgpack",
        lambda d: persisted.encode_record(persisted.decode_record(d)),
        seeds.journal_records,
    ),
    Decoder(
        "signer-question",
        "msgpack",
        lambda d: signer_wire.encode(signer_wire.decode_question(d)),
        lambda: [signer_wire.encode(question) for question in (signer_wire.Who(), signer_wire.Sign(bytes(109)))],
    ),
    Decoder(
        "signer-answer",
        "msgpack",
        lambda d: signer_wire.encode(signer_wire.decode_answer(d)),
        lambda: [
            signer_wire.encode(answer)
            for answer in (
                signer_wire.Is(bytes(32), bytes(32), seeds.NODE),
                signer_wire.Signed(bytes(64)),
                signer_wire.Refused("no"),
            )
        ],
    ),
    Decoder("handover", "msgpack", lambda d: Handover.decode(d).encode(), lambda: [seeds.handover().encode()]),
    Decoder("action", "msgpack", _action, seeds.actions),
    Decoder("wire", "msgpack", lambda d: wire.encode(wire.decode(d)), seeds.wire_messages),
    Decoder("journal-file", "records", _journal_file, lambda: [seeds.journal_file()]),
    Decoder("block-file", "records", _block_file, lambda: [seeds.block_log()]),
    Decoder("genesis", "json", _genesis, lambda: [GENESIS.raw]),
    Decoder("founding-plan", "json", _plan, lambda: [seeds.founding()[0].raw], (LedgerError, CosealError), share=0.5),
    Decoder("founding-contribution", "json", _contribution, lambda: [seeds.founding()[1]]),
    Decoder("founding-confirmation", "json", _confirmation, lambda: [seeds.founding()[3]]),
    Decoder("strict-json", "json", _strict_json, seeds.json_texts),
    Decoder("transaction-json", "json", _transaction_json, seeds.transactions_json),
    Decoder("document", "json", _document, seeds.documents, share=0.5),
    Decoder("document-of-an-epoch", "json", _document, seeds.documents_of_later_epochs, share=0.5),
    Decoder("export-manifest", "json", _export_manifest, lambda: [seeds.text(seeds.export_manifest())], share=0.5),
    Decoder("decision", "json", _decision, lambda: [seeds.decision()[1]], share=0.2),
    Decoder("wallet-statement", "json", _statement, lambda: [seeds.statement()[1]], share=0.2),
    Decoder("trade-proof", "json", _trade_proof, lambda: [seeds.trade_proof()[1]], share=0.2),
    Decoder("dossier", "json", _dossier, lambda: [seeds.dossier()[1]], share=0.05),
    Decoder("reveal", "json", _reveal, lambda: [seeds.reveal()[1]], share=0.2),
    Decoder("access-history", "json", _access_history, lambda: [seeds.access_history()[1]], share=0.2),
    Decoder("project-certificate", "json", _project_certificate, lambda: [seeds.project_certificate()[1]], share=0.02),
    Decoder("sd-jwt", "text", _sd_jwt, lambda: [seeds.credential()]),
    Decoder("evidence-bundle", "json", _bundle, lambda: [seeds.bundle()[1]], share=0.01),
    Decoder("cloudevent", "json", _cloudevent, seeds.events, (Unfit, ValueError, RecursionError)),
    Decoder("rule", "json", _rule, seeds.rules, (LedgerError, RuleError)),
    Decoder("expression", "text", _expression, lambda: [e.encode() for e in seeds.EXPRESSIONS], (RuleError,)),
    Decoder("http-batch", "msgpack", _batch, seeds.batch, (Problem,)),
    Decoder("cursor", "text", _cursor, lambda: [b"YWJj", b"MTI", b"===="], (Problem,)),
    Decoder("pain.001", "text", _payments("pain.001"), seeds.orders, (CosealError,), share=0.2),
    Decoder("pacs.008", "text", _payments("pacs.008"), seeds.banks_orders, (CosealError,), share=0.2),
    Decoder("log-map", "text", _mapping, lambda: [seeds.MAP.encode()], (CosealError,), share=0.2),
    *(
        Decoder(f"log-{name}", form, _importer(name, map_text), inputs, (CosealError,), share=0.2)
        for name, form, map_text, inputs in (
            ("csv", "text", seeds.MAP, lambda: [seeds.CSV.encode()]),
            ("ocel-json", "json", "", lambda: [seeds.text(seeds.OCEL)]),
            ("ocel1-json", "json", "", lambda: [seeds.text(seeds.OCEL1)]),
            ("ocel1-xml", "text", "", lambda: [seeds.OCEL1_XML.encode()]),
            ("ocel-xml", "text", "", lambda: [seeds.OCEL_XML.encode()]),
            ("ocel-sqlite", "text", "", lambda: [seeds.database()]),
            ("ubl", "text", seeds.TRADE_MAP, lambda: [seeds.UBL.encode()]),
            ("cii", "text", seeds.TRADE_MAP, lambda: [seeds.CII.encode()]),
            ("xes", "text", "", lambda: [seeds.XES.encode(), seeds.ENTITIES.encode()]),
            ("cloudevents", "json", "", lambda: [seeds.text([seeds.EVENT]), seeds.text(seeds.EVENT)]),
        )
    ),
)
