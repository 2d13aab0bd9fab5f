"""The formats are what they were: a difference here is a new wire or storage format."""

import importlib.util
import json
import sys
from pathlib import Path

import pytest

from coseal.audit.verify import verify_document
from coseal.consensus import messages, persisted
from coseal.ledger import codec, framing, sealed
from coseal.ledger.block import Block, CommittedBlock, Header, Receipt
from coseal.ledger.certificate import PbftCertificate
from coseal.ledger.custody import Plan, decode_release
from coseal.ledger.errors import Malformed
from coseal.ledger.genesis import Genesis
from coseal.ledger.handover import Handover, handover_from_json
from coseal.ledger.proof import CertifiedValue, TransactionProof
from coseal.ledger.state import StateProof
from coseal.ledger.transaction import Transaction
from coseal.ledger.validators import ValidatorSet
from coseal.node.core import wire

FOLDER = Path(__file__).parent


def load_generator():
    spec = importlib.util.spec_from_file_location("vectors_generate", FOLDER / "generate.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


GENERATE = load_generator()


def read(name):
    return json.loads((FOLDER / name).read_text(encoding="utf-8"))


@pytest.mark.parametrize("name", GENERATE.FILES)
def test_a_format_is_still_the_pinned_one(name):
    pinned = (FOLDER / name).read_text(encoding="utf-8")
    assert GENERATE.text_of(name) == pinned, f"{name} changed: if that is meant, run `make vectors` and commit it"


def test_pinned_values_decode_and_pinned_refusals_are_refused():
    vectors = read("codec.json")
    for vector in vectors["values"]:
        raw = bytes.fromhex(vector["encoding"])
        assert codec.encode(codec.decode(raw)) == raw
    for refused in vectors["refused"]:
        with pytest.raises(Malformed):
            codec.decode(bytes.fromhex(refused))


def test_pinned_bytes_are_read_back():
    chain = read("chain.json")
    pinned = [
        (Transaction.decode, chain["transaction"]["raw"], lambda value: value.raw),
        (Transaction.decode, chain["node_transaction"]["raw"], lambda value: value.raw),
        (Header.decode, chain["header"]["raw"], lambda value: value.raw),
        (PbftCertificate.decode, chain["certificate"]["raw"], lambda value: value.encode()),
        (Receipt.decode, chain["receipt"], lambda value: value.encode()),
        *((Block.decode, raw, lambda value: value.raw) for raw in chain["blocks"]),
        *((CommittedBlock.decode, raw, lambda value: value.encode()) for raw in chain["committed"]),
        (TransactionProof.decode, chain["proof"], lambda value: value.encode()),
        (CertifiedValue.decode, chain["certified_value"], lambda value: value.encode()),
        (Handover.decode, chain["handover"], lambda value: value.encode()),
        (ValidatorSet.decode, read("genesis.json")["validators"], lambda value: value.encode()),
        *((sealed.decode_sidecar, item["raw"], sealed.encode_sidecar) for item in read("sealed.json")["sidecars"]),
        (lambda raw: decode_release(raw, Plan(5, 3)), read("sealed.json")["release"], lambda value: value.encode()),
        *((StateProof.decode, item["proof"], lambda value: value.encode()) for item in read("state.json")["proofs"]),
        *((wire.decode, item["raw"], wire.encode) for item in read("wire.json")),
        *((messages.decode_message, m["raw"], messages.encode_message) for m in read("consensus.json")["messages"]),
        *((persisted.decode_record, r["raw"], persisted.encode_record) for r in read("consensus.json")["records"]),
    ]
    for decode, text, encode in pinned:
        raw = bytes.fromhex(text)
        assert encode(decode(raw)) == raw
        with pytest.raises(Malformed):
            decode(raw + b"\x00")
        with pytest.raises(Malformed):
            decode(raw[:-1])


def test_pinned_documents_verify_against_the_pinned_genesis():
    genesis = Genesis.decode(read("genesis.json")["document"].encode())
    assert genesis.chain_id.hex() == read("genesis.json")["chain_id"]
    documents = read("chain.json")["json"]
    for name in ("receipt", "state_proof", "certified_header"):
        assert verify_document(documents[name], genesis).ok, name


def test_the_pinned_handover_reads_the_same_from_json():
    chain = read("chain.json")
    assert handover_from_json(chain["json"]["handover"]) == Handover.decode(bytes.fromhex(chain["handover"]))


def test_the_pinned_frame_is_read_back():
    vector = read("framing.json")
    record = framing.read(memoryview(bytes.fromhex(vector["frame"])), 0)
    assert (record.sequence, record.kind, record.payload.hex()) == (7, 1, vector["payload"])
