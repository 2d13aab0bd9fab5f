"""Certificates of CometBFT: what proves that a quorum committed a header, and each way in which it may not."""

from __future__ import annotations

from dataclasses import fields, replace

import pytest

from coseal.ledger import codec
from coseal.ledger.block import Block, CommittedBlock, Header, Receipt
from coseal.ledger.certificate import PbftCertificate, Phase
from coseal.ledger.certificates import decode_certificate
from coseal.ledger.comet import CometCertificate, Row, address_of
from coseal.ledger.engines import COMETBFT, PBFT, Turn, engine_of
from coseal.ledger.errors import BadCertificate, Malformed
from coseal.ledger.genesis import Genesis
from coseal.ledger.merkle import root
from coseal.ledger.proof import verify_certified
from coseal.ledger.signing import ZERO_HASH
from tests.support.comet import certify
from tests.support.genesis import make_genesis

GENESIS = make_genesis(engine="cometbft")
VALIDATORS = GENESIS.validators
RAWS = tuple(b"transaction %d" % number for number in range(4))
RECEIPT = Receipt(ZERO_HASH, "ok", "", {}, 0).encode()


def header_of(count: int = len(RAWS), height: int = 7) -> Header:
    hashes = (VALIDATORS.hash, VALIDATORS.hash)
    roots = (root(RAWS[:count]), count, root([RECEIPT] * (count + 1)), b"\x07" * 32)
    return Header(
        1, GENESIS.chain_id, height, b"\x05" * 32, 0, *hashes, "bank-a", 0, 1_700_000_000_000, *roots, ZERO_HASH
    )


HEADER = header_of()
CERTIFICATE = certify(HEADER, RAWS, VALIDATORS, (0, 1, 3), round=2)


def refused(certificate: CometCertificate, header: Header = HEADER) -> str:
    with pytest.raises(BadCertificate) as caught:
        certificate.verify_commit(header, VALIDATORS)
    return caught.value.reason


@pytest.mark.parametrize("count", range(len(RAWS) + 1))
@pytest.mark.parametrize(
    ("round", "seconds"), [(0, 1_700_000_000), (3, 1), (2**31 - 1, 0), (0, -1), (1, -62_135_596_800)]
)
def test_a_quorum_that_committed_the_block_around_a_header_certifies_it(count: int, round: int, seconds: int) -> None:
    header = header_of(count)
    certificate = certify(header, RAWS[:count], VALIDATORS, (0, 2, 3), round=round, seconds=seconds)
    verify_certified(header, certificate, GENESIS.chain_id, VALIDATORS)
    again = decode_certificate(certificate.encode())
    assert (again, again.hash, again.signers()) == (certificate, certificate.hash, (0, 2, 3))


def test_fewer_than_a_quorum_twice_the_same_or_a_stranger_certify_nothing() -> None:
    one, two, three = CERTIFICATE.rows
    assert "2 signers, a quorum is 3" in refused(replace(CERTIFICATE, rows=(one, two)))
    assert "ascending" in refused(replace(CERTIFICATE, rows=(one, two, two)))
    assert "ascending" in refused(replace(CERTIFICATE, rows=(two, one, three)))
    assert "no validator" in refused(replace(CERTIFICATE, rows=(one, two, replace(three, validator=4))))


def test_every_row_is_verified_also_beyond_the_quorum() -> None:
    good = certify(HEADER, RAWS, VALIDATORS, (0, 1, 2, 3))
    good.verify_commit(HEADER, VALIDATORS)
    bad = replace(good.rows[3], signature=bytes(64))
    assert "does not verify" in refused(replace(good, rows=(*good.rows[:3], bad)))


@pytest.mark.parametrize("name", [field.name for field in fields(CometCertificate) if field.name != "rows"])
def test_no_field_can_be_another(name: str) -> None:
    value = getattr(CERTIFICATE, name)
    others = {int: lambda: [value + 1], bytes: lambda: [bytes(32)], tuple: lambda: [value[:-1], (*value, bytes(32))]}
    for other in others[type(value)]():
        refused(replace(CERTIFICATE, **{name: other}))


@pytest.mark.parametrize("name", [field.name for field in fields(Row)])
def test_no_field_of_a_row_can_be_another(name: str) -> None:
    *rows, last = certify(HEADER, RAWS, VALIDATORS, (0, 1, 2)).rows
    value = getattr(last, name)
    changed = replace(last, **{name: bytes(64) if name == "signature" else value + 1})
    assert "does not verify" in refused(replace(CERTIFICATE, round=0, rows=(*rows, changed)))


@pytest.mark.parametrize("name", [field.name for field in fields(Header) if field.name != "version"])
def test_the_certificate_of_a_header_is_of_no_other(name: str) -> None:
    value = getattr(HEADER, name)
    other = value + 1 if type(value) is int else "city" if type(value) is str else b"\x09" * 32
    refused(CERTIFICATE, replace(HEADER, **{name: other}))


def test_what_is_no_certificate_is_malformed() -> None:
    value = CERTIFICATE.to_value()
    wrong = [
        (2, 0),
        (3, -1),
        (3, 2**31),
        (4, 0),
        (5, bytes(31)),
        (6, 0),
        (7, [bytes(31)]),
        (8, [b""] * 21),
        (9, [[0, 0]]),
    ]
    for place, other in wrong:
        with pytest.raises(Malformed):
            CometCertificate.from_value([*value[:place], other, *value[place + 1 :]])
    for seconds, nanoseconds in ((0, -1), (0, 10**9), (-62_135_596_801, 0), (253_402_300_800, 0)):
        with pytest.raises(Malformed):
            CometCertificate.from_value([*value[:-1], [[0, seconds, nanoseconds, bytes(64)]]])
    with pytest.raises(Malformed):
        CometCertificate.from_value([*value, 0])


def test_a_block_is_kept_with_either_kind_of_certificate() -> None:
    committed = CommittedBlock(Block(HEADER, RAWS, None), CERTIFICATE, (RECEIPT,) * 5)
    assert CommittedBlock.decode(committed.encode()) == committed
    with pytest.raises(Malformed, match="another block"):
        CommittedBlock.decode(replace(committed, certificate=replace(CERTIFICATE, height=8)).encode())


# Engines


def test_the_genesis_says_which_engine_and_says_nothing_for_our_own() -> None:
    plain = make_genesis()
    assert (engine_of(plain), engine_of(GENESIS)) == (PBFT, COMETBFT)
    assert b"engine" not in plain.raw
    assert b'"engine": "cometbft"' in GENESIS.raw
    with pytest.raises(Malformed, match=r"genesis\.engine: expected one of pbft, cometbft"):
        Genesis.decode(GENESIS.raw.replace(b'"cometbft"', b'"raft"'))


def test_a_chain_knows_only_the_certificates_of_its_engine() -> None:
    own = PbftCertificate(Phase.COMMIT, 0, 7, 0, HEADER.hash, b"\x07", (bytes(64),) * 3)
    COMETBFT.require(CERTIFICATE)
    PBFT.require(own)
    for engine, certificate in ((PBFT, CERTIFICATE), (COMETBFT, own)):
        with pytest.raises(Malformed, match=f"not a certificate of {engine.title}"):
            engine.require(certificate)


def test_with_cometbft_any_validator_may_propose_and_nothing_is_said_of_rounds_and_parents() -> None:
    turn = Turn(VALIDATORS, None, 1)
    assert all(COMETBFT.fault(turn, replace(HEADER, proposer=seat.id)) is None for seat in VALIDATORS.validators)
    assert "which is no validator" in str(COMETBFT.fault(turn, replace(HEADER, proposer="city")))
    assert "created_round is 1" in str(COMETBFT.fault(turn, replace(HEADER, created_round=1)))
    assert "certificate of its parent" in str(COMETBFT.fault(turn, replace(HEADER, last_commit_hash=bytes([1] * 32))))


def test_an_address_is_of_twenty_bytes_and_the_encoding_is_the_codecs() -> None:
    assert len(address_of(VALIDATORS[0].key)) == 20
    assert codec.decode(CERTIFICATE.encode())[:3] == ["comet-certificate", 1, 7]
