"""The steps of a verification: each names its rule and its values, and the one that fails is the last."""

import json
from contextlib import suppress
from dataclasses import replace

import pytest

from coseal.audit.report import Verdict
from coseal.audit.steps import Trace, Untold
from coseal.audit.verify import REMAINING_TRUST, verify_document
from coseal.ledger import render
from coseal.ledger.block import Receipt
from coseal.ledger.errors import BadProof
from coseal.ledger.genesis import Genesis
from coseal.ledger.proof import BeginProof, CertifiedValue, TransactionProof
from coseal.ledger.signing import ZERO_HASH
from coseal.ledger.transaction import Transaction

RECEIPT = ["form", "chain", "header", "validators", "certificate", "transaction path", "receipt path", "signature"]


@pytest.fixture
def proof(make_chain):
    chain = make_chain().grow(4, transactions=3)
    return chain, TransactionProof.of(chain.blocks[2], 1)


def spoilt(proof, **changed):
    return render.proof_json(replace(proof, **changed))


def resigned(raw: bytes) -> bytes:
    """Return the transaction with another bit in its signature."""
    signature = Transaction.decode(raw).signature
    return raw.replace(signature, bytes([signature[0] ^ 1]) + signature[1:])


def test_a_receipt_is_verified_in_eight_steps_each_with_its_rule_and_values(proof):
    chain, good = proof
    result = verify_document(render.proof_json(good), chain.genesis)
    assert [step.name for step in result.steps] == RECEIPT
    assert {step.verdict for step in result.steps} == {Verdict.OK}
    assert all(step.rule and step.detail and step.values for step in result.steps)
    path = result.steps[5].values
    assert path["leads_to"] == path["root"] == good.header.tx_root.hex()
    assert path["siblings"] == [one.hex() for one in good.transaction_path]
    signatures = result.steps[4].values["signatures"]
    assert [one["validator"] for one in signatures] == ["bank-a", "central-bank", "enterprise-a"]
    assert all(one["holds"] for one in signatures)
    assert set(result.remaining) <= set(REMAINING_TRUST)


def falsehoods(good):
    """Yield (what was tampered with, the document, the step that must fail, what it must say)."""
    header, certificate = good.header, good.certificate
    signatures = (certificate.signatures[1], *certificate.signatures[1:])
    few = replace(certificate, bitmap=b"\x03", signatures=certificate.signatures[:2])
    yield "shown field", {**render.proof_json(good), "height": 9}, "form", "height: differs"
    yield "header", spoilt(good, header=replace(header, time_ms=header.time_ms + 1)), "header", "another block"
    yield "vote", spoilt(good, certificate=replace(certificate, signatures=signatures)), "certificate", "bank-a does"
    yield "votes", spoilt(good, certificate=few), "certificate", "2 signers, a quorum is 3"
    path = (ZERO_HASH, *good.transaction_path[1:])
    yield "sibling", spoilt(good, transaction_path=path), "transaction path", "does not lead to the root"
    yield "index", spoilt(good, index=0), "transaction path", "does not lead to the root"
    yield (
        "receipt",
        spoilt(good, receipt=replace(Receipt.decode(good.receipt), code="ok").encode()),
        "receipt path",
        "does not lead",
    )
    yield "signature", spoilt(good, transaction=resigned(good.transaction)), "transaction path", "does not lead"


def test_a_tampered_receipt_fails_at_the_step_that_its_tampering_spoils(proof):
    chain, good = proof
    for what, document, step, why in falsehoods(good):
        result = verify_document(document, chain.genesis)
        assert (result.verdict, result.steps[-1].name) == (Verdict.BAD, step), what
        assert why in result.steps[-1].detail == result.reason, what
        assert {one.verdict for one in result.steps[:-1]} <= {Verdict.OK}
        assert [one.name for one in result.steps] == RECEIPT[: len(result.steps)]
        assert result.remaining == ()


def test_a_block_of_colluding_validators_does_not_make_a_signature_good(make_chain):
    chain = make_chain().grow(2)
    committed = chain.build([Transaction.decode(resigned(chain.transaction()))])
    result = verify_document(render.proof_json(TransactionProof.of(committed, 0)), chain.genesis)
    assert [step.name for step in result.steps] == RECEIPT
    assert (result.verdict, result.steps[-1].verdict) == (Verdict.BAD, Verdict.BAD)
    assert result.steps[-1].values["sender"] == "regulator/admin"


def test_values_are_shown_of_a_failing_step_too(proof):
    chain, good = proof
    path = spoilt(good, transaction_path=(ZERO_HASH, *good.transaction_path[1:]))
    values = verify_document(path, chain.genesis).steps[-1].values
    assert values["leads_to"] != values["root"]
    short = verify_document(spoilt(good, transaction_path=()), chain.genesis).steps[-1].values
    assert "leads_to" not in short
    signatures = (good.certificate.signatures[1], *good.certificate.signatures[1:])
    vote = spoilt(good, certificate=replace(good.certificate, signatures=signatures))
    assert [one["holds"] for one in verify_document(vote, chain.genesis).steps[-1].values["signatures"]] == [False]


def test_another_chain_fails_at_once(proof):
    chain, good = proof
    other = Genesis.decode(chain.genesis.raw.replace(b'"test"', b'"other"'))
    result = verify_document(render.proof_json(good), other)
    assert [step.name for step in result.steps] == ["form", "chain"]
    assert result.steps[-1].values == {"chain_id": chain.chain_id.hex(), "genesis": other.chain_id.hex()}


def test_every_kind_of_document_has_its_steps(proof):
    chain, good = proof
    tip = chain.blocks[-1]
    key = b"membership/validators"
    value, shown = chain.executor.state.prove(key)
    receipts = tip.receipts
    begin = BeginProof(receipts[0], good.receipt_path, tip.block.header, tip.certificate)
    state = CertifiedValue(key, value, shown, tip.block.header, tip.certificate)
    kinds = {
        "state path": render.state_proof_json(state),
        "certificate": render.certified_header_json(tip.block.header, tip.certificate),
        "receipt path": render.begin_proof_json(begin),
    }
    for last, document in kinds.items():
        result = verify_document(document, chain.genesis)
        assert result.steps[-1].name == last
        assert json.loads(json.dumps(result.to_json()))["steps"][0]["name"] == "form"
    lied = render.state_proof_json(replace(state, value=b"\x01"))
    failed = verify_document(lied, chain.genesis).steps[-1]
    assert (failed.name, failed.verdict, failed.values["state_root"]) == (
        "state path",
        Verdict.BAD,
        tip.block.header.state_root.hex(),
    )


def test_a_trace_keeps_what_failed_and_lets_the_error_go_on():
    trace = Trace()
    with trace.step("one", "R1") as seen:
        seen.values["a"] = 1
    with suppress(BadProof), trace.step("two", "R2") as seen:
        seen.values["b"] = 2
        raise BadProof("no")
    with pytest.raises(Untold), trace.step("three", "R3"):
        raise Untold("who knows")
    assert [(step.verdict.value, step.detail) for step in trace.steps] == [
        ("ok", ""),
        ("bad", "no"),
        ("unknown", "who knows"),
    ]
    assert trace.steps[1].values == {"b": 2}
