"""Documents that prove something offline, and each way in which they do not."""

import base64
import json
from dataclasses import replace

import pytest

from coseal.audit import verify
from coseal.audit.report import Verdict
from coseal.audit.verify import verify_bytes, verify_file
from coseal.ledger import merkle, render
from coseal.ledger.genesis import Genesis
from coseal.ledger.proof import CertifiedValue, TransactionProof
from coseal.ledger.signing import ZERO_HASH

KEY = b"membership/validators"


def receipt_of(chain, height=3, index=1):
    committed = chain.blocks[height - 1]
    transactions, receipts = committed.block.transactions, committed.receipts
    return TransactionProof(
        transactions[index],
        receipts[index + 1],
        index,
        tuple(merkle.prove(transactions, index)),
        tuple(merkle.prove(receipts, index + 1)),
        committed.block.header,
        committed.certificate,
    )


def state_of(chain, key=KEY):
    value, proof = chain.executor.state.prove(key)
    tip = chain.blocks[-1]
    return CertifiedValue(key, value, proof, tip.block.header, tip.certificate)


@pytest.fixture
def chain(make_chain):
    return make_chain().grow(4, transactions=3)


@pytest.fixture
def documents(chain):
    tip = chain.blocks[-1]
    return {
        "receipt": render.proof_json(receipt_of(chain)),
        "state-proof": render.state_proof_json(state_of(chain)),
        "certified-header": render.certified_header_json(tip.block.header, tip.certificate),
    }


def judged(document, genesis):
    return verify_bytes(json.dumps(document).encode(), genesis)


@pytest.mark.parametrize("kind", ["receipt", "state-proof", "certified-header"])
def test_an_honest_document_is_ok_and_says_what_it_proves(chain, documents, kind, tmp_path):
    path = tmp_path / "document.json"
    path.write_text(json.dumps(documents[kind]))
    result = verify_file(path, chain.genesis)
    assert (result.kind, result.ok, result.exit_code) == (kind, True, 0)
    assert result.facts["signed_by"] == ["bank-a", "central-bank", "enterprise-a"]
    assert json.loads(json.dumps(result.to_json()))["verdict"] == "ok"


def test_a_document_of_an_earlier_block_cannot_tell_of_a_later_one(chain, documents):
    for kind in documents:
        result = judged(documents[kind], chain.genesis)
        assert result.height == result.facts["height"]
        assert result.as_of(result.height) is result
        later = result.as_of(result.height + 1)
        assert (later.verdict, later.exit_code, later.remaining) == (Verdict.UNKNOWN, 2, ())
        assert f"says nothing of block {result.height + 1}" in later.reason
    false = judged({**documents["receipt"], "remark": "x"}, chain.genesis)
    assert (false.height, false.as_of(9_999).verdict) == (None, Verdict.BAD)


def test_absence_is_proved_too(chain):
    certified = state_of(chain, b"membership/member/nobody")
    assert certified.value is None
    result = judged(render.state_proof_json(certified), chain.genesis)
    assert (result.ok, result.facts["present"]) == (True, False)
    assert "absent" in result.reason
    claimed = replace(certified, value=b"\x01")
    assert judged(render.state_proof_json(claimed), chain.genesis).verdict is Verdict.BAD


@pytest.mark.parametrize("kind", ["receipt", "state-proof", "certified-header"])
def test_a_document_that_shows_other_than_its_raw_form_is_bad(chain, documents, kind):
    for name in documents[kind]:
        if name in ("coseal", "version"):
            continue
        changed = {**documents[kind], name: "something else"}
        result = judged(changed, chain.genesis)
        assert (result.verdict, result.exit_code) == (Verdict.BAD, 1), name
    added = judged({**documents[kind], "remark": "trust me"}, chain.genesis)
    assert (added.verdict, "unknown field" in added.reason) == (Verdict.BAD, True)


def test_a_nested_lie_is_found(chain, documents):
    document = json.loads(json.dumps(documents["receipt"]))
    document["receipt"]["ok"] = True
    assert "receipt.receipt: differs" in judged(document, chain.genesis).reason


@pytest.mark.parametrize("kind", ["receipt", "state-proof"])
def test_no_byte_of_the_raw_form_can_be_changed(chain, documents, kind):
    """Each changed byte is refused, whatever stands beside it: a reader who shows the fields again sees others."""
    raw = base64.b64decode(documents[kind]["raw"])
    decode = TransactionProof.decode if kind == "receipt" else CertifiedValue.decode
    draw = render.proof_json if kind == "receipt" else render.state_proof_json
    accepted = []
    for offset in range(len(raw)):
        changed = bytearray(raw)
        changed[offset] ^= 0x10
        try:
            document = draw(decode(bytes(changed)))
        except Exception:
            continue
        if judged(document, chain.genesis).verdict is not Verdict.BAD:
            accepted.append(offset)
    assert accepted == []


def test_a_document_of_another_chain_is_bad(chain, documents):
    other = Genesis.decode(chain.genesis.raw.replace(b'"test"', b'"other"'))
    for document in documents.values():
        result = judged(document, other)
        assert (result.verdict, "another chain" in result.reason) == (Verdict.BAD, True)


def test_a_later_epoch_needs_validator_history(chain):
    tip = chain.blocks[-1]
    header = replace(tip.block.header, epoch=1)
    certificate = replace(chain.certify(header), epoch=1)
    result = judged(render.certified_header_json(header, certificate), chain.genesis)
    assert (result.verdict, result.exit_code) == (Verdict.UNKNOWN, 2)
    assert "epoch 1" in result.reason
    mixed = judged(render.certified_header_json(header, tip.certificate), chain.genesis)
    assert mixed.verdict is Verdict.BAD


def test_the_pieces_of_two_answers_do_not_make_a_third(chain):
    one, two = receipt_of(chain, 3, 0), receipt_of(chain, 3, 1)
    crossed = [
        replace(one, receipt=two.receipt, receipt_path=two.receipt_path),
        replace(one, index=1),
        replace(one, transaction=two.transaction),
        replace(one, header=chain.blocks[3].block.header, certificate=chain.blocks[3].certificate),
        replace(one, certificate=chain.blocks[3].certificate),
        replace(one, transaction_path=one.transaction_path[:-1]),
        replace(one, receipt_path=(*one.receipt_path, ZERO_HASH)),
    ]
    for proof in crossed:
        assert judged(render.proof_json(proof), chain.genesis).verdict is Verdict.BAD


@pytest.mark.parametrize(
    ("raw", "verdict"),
    [
        (b"", Verdict.UNKNOWN),
        (b"\xff", Verdict.UNKNOWN),
        (b"# Coseal\n\nA ledger.\n", Verdict.UNKNOWN),
        (b'{"coseal": "receipt"', Verdict.UNKNOWN),
        (b"[" * 30 + b"]" * 30, Verdict.UNKNOWN),
        (b"[" * 100_000, Verdict.UNKNOWN),
        (b"9" * 10_000, Verdict.UNKNOWN),
        (b'{"coseal": "receipt", "version": 1, "version": 1}', Verdict.BAD),
        (b'{"coseal": "receipt", "version": 1.5}', Verdict.BAD),
        (b'{"coseal": "object-history"}', Verdict.BAD),
        (b'{"coseal": "state-proof"}', Verdict.BAD),
        (b'{"coseal": "evidence-bundle"}', Verdict.BAD),
        (b'{"coseal": "export"}', Verdict.BAD),
        (b"[]", Verdict.UNKNOWN),
        (b"{}", Verdict.UNKNOWN),
        (b'{"coseal": "poem", "version": 1}', Verdict.UNKNOWN),
        (b'{"coseal": ["receipt"], "version": 1}', Verdict.UNKNOWN),
        (b'{"coseal": "receipt", "version": 2}', Verdict.BAD),
        (b'{"coseal": "receipt", "version": true}', Verdict.BAD),
        (b'{"coseal": "receipt", "version": 1}', Verdict.BAD),
        (b'{"coseal": "receipt", "version": 1, "raw": 7}', Verdict.BAD),
        (b'{"coseal": "receipt", "version": 1, "raw": "*"}', Verdict.BAD),
        (b'{"coseal": "certified-header", "version": 1, "header": [], "certificate": {}}', Verdict.BAD),
    ],
)
def test_what_is_no_document_of_ours_is_told_apart_from_a_false_one(chain, raw, verdict):
    result = verify_bytes(raw, chain.genesis)
    assert result.verdict is verdict
    assert result.reason


def test_a_history_without_its_version_is_refused_in_words(chain):
    value, proof = chain.executor.state.prove(b"process/object/t/o/a")
    tip = chain.blocks[-1]
    record = CertifiedValue(b"process/object/t/o/a", value, proof, tip.block.header, tip.certificate)
    names = {"coseal": "object-history", "version": 1, "process_type": "t", "type": "o", "id": "a"}
    document = {**names, "count": 0, "items": [], "record": render.state_proof_json(record)}
    assert judged(document, chain.genesis).ok
    for version in ({}, {"version": None}, {"version": "1"}, {"version": 2}):
        spoilt = {name: value for name, value in document.items() if name != "version"} | version
        result = judged(spoilt, chain.genesis)
        assert (result.exit_code, result.steps[-1].name) == (1, "form")
        assert '"version": 1' in result.reason


def test_a_file_that_cannot_be_read_or_is_too_large_is_not_judged(chain, tmp_path, monkeypatch):
    assert verify_file(tmp_path / "absent", chain.genesis).verdict is Verdict.UNKNOWN
    monkeypatch.setattr(verify, "MAX_DOCUMENT_BYTES", 10)
    (tmp_path / "large").write_bytes(b"{}" * 10)
    assert verify_file(tmp_path / "large", chain.genesis).verdict is Verdict.UNKNOWN
