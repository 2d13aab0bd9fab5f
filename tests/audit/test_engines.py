"""What an auditor asks of a header and its certificate on a chain that CometBFT orders."""

from __future__ import annotations

from dataclasses import replace

import pytest

from coseal.audit.epochs import Epochs
from coseal.audit.light import BadHeader, check_certificate, check_last_commit, follow, genesis_anchor
from coseal.audit.report import Level, remaining_trust
from coseal.ledger.block import Header
from coseal.ledger.certificate import PbftCertificate, Phase
from coseal.ledger.errors import Malformed
from coseal.ledger.merkle import root
from coseal.ledger.signing import ZERO_HASH
from tests.support.comet import certify
from tests.support.genesis import make_genesis

GENESIS = make_genesis(engine="cometbft")
SET = GENESIS.validators


def header_on(parent: bytes, height: int, proposer: str) -> Header:
    roots = (root([]), 0, root([b"receipt"]), bytes(32))
    at = GENESIS.time_ms + height
    return Header(1, GENESIS.chain_id, height, parent, 0, SET.hash, SET.hash, proposer, 0, at, *roots, ZERO_HASH)


def test_headers_are_followed_whoever_proposed_them_and_need_no_certificate_of_a_parent() -> None:
    anchor = genesis_anchor(GENESIS)
    for height, proposer in enumerate(("regulator", "bank-a", "bank-a"), start=1):
        header = header_on(anchor.hash, height, proposer)
        below, anchor = anchor, follow(anchor, header)
        check_last_commit(below, header, None)
        check_certificate(anchor, header, certify(header, (), SET, (0, 1, 2)))
    with pytest.raises(BadHeader, match="no validator"):
        follow(anchor, header_on(anchor.hash, 4, "city"))
    with pytest.raises(BadHeader, match="parent"):
        follow(anchor, replace(header_on(anchor.hash, 4, "bank-a"), last_commit_hash=bytes([1] * 32)))


def test_a_certificate_of_the_other_engine_is_malformed_wherever_it_is_met() -> None:
    header = header_on(GENESIS.chain_id, 1, "bank-a")
    other = PbftCertificate(Phase.COMMIT, 0, 1, 0, header.hash, b"\x07", (bytes(64),) * 3)
    anchor = follow(genesis_anchor(GENESIS), header)
    with pytest.raises(Malformed, match="CometBFT"):
        check_certificate(anchor, header, other)
    with pytest.raises(Malformed, match="CometBFT"):
        Epochs(GENESIS).of(header, other)
    own = certify(header, (), SET, (1, 2, 3))
    assert Epochs(GENESIS).verify(header, own) == SET
    plain = make_genesis()
    with pytest.raises(Malformed, match="PBFT"):
        Epochs(plain).of(replace(header, chain_id=plain.chain_id), own)


def test_a_report_says_who_agreed_on_the_order() -> None:
    said = remaining_trust(GENESIS, Level.REPLAY, validators=SET, first=1, pin=None, sources=2)
    assert [line.key for line in said] == ["genesis", "keys", "cometbft", "sources"]
    plain = remaining_trust(make_genesis(), Level.REPLAY, validators=SET, first=1, pin=None, sources=2)
    assert "cometbft" not in [line.key for line in plain]
