"""Answers that verify offline, and what is missing in those that do not."""

from dataclasses import replace

import pytest

from coseal.ledger import codec, merkle
from coseal.ledger.block import Header, Receipt, last_commit_hash
from coseal.ledger.certificate import Phase, assemble, vote_preimage
from coseal.ledger.errors import BadCertificate, BadProof, LedgerError, Malformed
from coseal.ledger.proof import CertifiedValue, TransactionProof, verify_certified
from coseal.ledger.signing import ZERO_HASH, Ed25519Signer
from coseal.ledger.state import MemoryStore, State
from coseal.ledger.transaction import sign
from coseal.ledger.validators import ValidatorSet

CHAIN = b"\x01" * 32


def transaction(number, chain=CHAIN):
    return sign(
        Ed25519Signer(bytes(32)),
        chain_id=chain,
        sender="bank-a/admin",
        contract="policy",
        action="publish",
        args={"n": number},
        valid_until_ms=10,
        salt=bytes(16),
    )


@pytest.fixture
def certified(make_validators, signer):
    """Return a function that certifies a header over given transactions, receipts and state root."""

    def make(raws=(), receipts=(), state_root=ZERO_HASH, *, phase=Phase.COMMIT, **changed):
        validators = make_validators()
        values = {
            "version": 1,
            "chain_id": CHAIN,
            "height": 4,
            "parent_hash": ZERO_HASH,
            "epoch": 0,
            "validators_hash": validators.hash,
            "next_validators_hash": validators.hash,
            "proposer": "node-00",
            "created_round": 0,
            "time_ms": 5,
            "tx_root": merkle.root(raws),
            "tx_count": len(raws),
            "receipts_root": merkle.root(receipts),
            "state_root": state_root,
            "last_commit_hash": last_commit_hash(None),
        }
        header = Header(**{**values, **changed})
        preimage = vote_preimage(CHAIN, 0, header.height, 1, phase, header.hash)
        votes = {index: signer(index).sign(preimage) for index in range(3)}
        return header, assemble(phase, validators, header.height, 1, header.hash, votes)

    return make


@pytest.fixture
def prove(certified):
    def make(transactions, index, receipts=None):
        raws = [tx.raw for tx in transactions]
        leaves = [Receipt(ZERO_HASH, "ok", "", {}, 0).encode()]
        leaves += receipts or [Receipt(tx.id, "ok", "", {"n": 1}, 432).encode() for tx in transactions]
        header, certificate = certified(raws, leaves)
        return TransactionProof(
            raws[index],
            leaves[index + 1],
            index,
            tuple(merkle.prove(raws, index)),
            tuple(merkle.prove(leaves, index + 1)),
            header,
            certificate,
        )

    return make


@pytest.mark.parametrize("count", [1, 2, 5])
def test_every_transaction_of_a_block_is_provable(prove, make_validators, count):
    transactions = [transaction(number) for number in range(count)]
    for index in range(count):
        proof = TransactionProof.decode(prove(transactions, index).encode())
        tx, receipt = proof.verify(CHAIN, make_validators())
        assert (tx, receipt.tx_id, receipt.ok) == (transactions[index], tx.id, True)


def test_a_receipt_of_another_transaction_is_refused(prove, make_validators):
    one, two = transaction(1), transaction(2)
    crossed = [Receipt(two.id, "ok", "", {}, 0).encode(), Receipt(one.id, "ok", "", {}, 0).encode()]
    with pytest.raises(BadProof, match="another transaction"):
        prove([one, two], 0, crossed).verify(CHAIN, make_validators())


def test_a_transaction_of_another_chain_is_refused_even_in_a_certified_block(prove, make_validators):
    with pytest.raises(BadProof, match="another chain"):
        prove([transaction(1, bytes(32))], 0).verify(CHAIN, make_validators())


def test_an_unsigned_transaction_is_refused_even_in_a_certified_block(prove, make_validators):
    tx = transaction(1)
    with pytest.raises(LedgerError, match="signature"):
        prove([replace(tx, raw=tx.raw[:-1] + b"\x00")], 0).verify(CHAIN, make_validators())


def test_a_value_and_an_absence_are_certified(certified, make_validators):
    state = State(MemoryStore(4), 4)
    change = state.derive({b"key": b"\x01"})
    state.commit(change)
    header, certificate = certified(state_root=state.root)
    for key in (b"key", b"other"):
        value, proof = state.prove(key)
        evidence = CertifiedValue.decode(CertifiedValue(key, value, proof, header, certificate).encode())
        evidence.verify(CHAIN, make_validators())
        with pytest.raises(BadProof):
            replace(evidence, value=b"\x02").verify(CHAIN, make_validators())
        other = replace(header, state_root=ZERO_HASH)
        with pytest.raises(BadCertificate):
            replace(evidence, header=other).verify(CHAIN, make_validators())


def test_a_header_is_certified_only_by_commits_of_its_own_validators(certified, make_validators):
    validators = make_validators()
    header, certificate = certified()
    verify_certified(header, certificate, CHAIN, validators)
    prepared_header, prepared = certified(phase=Phase.PREPARE)
    foreign_header, foreign = certified(validators_hash=ZERO_HASH)
    cases = [
        (header, certificate, bytes(32), validators, "another chain"),
        (foreign_header, foreign, CHAIN, validators, "other validators"),
        (header, certificate, CHAIN, ValidatorSet(1, validators.validators), "other validators"),
        (header, certificate, CHAIN, make_validators(5), "other validators"),
        (prepared_header, prepared, CHAIN, validators, "COMMIT"),
        (replace(header, time_ms=6), certificate, CHAIN, validators, "another block"),
        (replace(header, height=5), certificate, CHAIN, validators, "another block"),
    ]
    for head, proof, chain, voters, reason in cases:
        with pytest.raises(BadCertificate, match=reason):
            verify_certified(head, proof, chain, voters)


@pytest.mark.parametrize("position", range(7))
def test_malformed_proofs_are_refused(prove, position):
    fields = codec.decode_record(prove([transaction(1), transaction(2)], 0).encode(), "proof", 1, 7)
    for wrong in (None, -1, b"", [b"short"], "text"):
        if (position, wrong) in ((0, b""), (1, b"")):
            continue  # empty bytes have the right type here; they fail when verified
        changed = [*fields]
        changed[position] = wrong
        with pytest.raises(Malformed):
            TransactionProof.decode(codec.encode(["proof", 1, *changed]))
