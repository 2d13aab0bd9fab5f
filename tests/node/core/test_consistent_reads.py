"""Consistent reads: what counts as an answer, and what an answer must prove."""

import pytest

from coseal.ledger.certificate import PbftCertificate, Phase
from coseal.ledger.errors import BadCertificate
from coseal.ledger.validators import Validator, ValidatorSet
from coseal.node.core.consistent_reads import OpenReads
from coseal.node.core.wire import TipReply

SEATS = tuple(Validator(name, name, "bank", bytes([index]) * 32) for index, name in enumerate(("ann", "bob", "cid")))


def test_what_a_node_holds_itself_needs_no_proof_by_the_validators_of_an_older_state():
    """Its log was lost, its journal not: the certificate there is of a later epoch than its state knows."""
    reads = OpenReads(bytes(32), lambda *_: True)
    prepared = PbftCertificate(Phase.PREPARE, 2, 9, 0, bytes(32), b"\x07", (bytes(64),) * 3)
    reads.ask(1, 0)
    with pytest.raises(BadCertificate):
        reads.answer("bob", TipReply(1, None, prepared), ValidatorSet(0, SEATS), 3)
    assert reads.answer("ann", TipReply(1, None, prepared), ValidatorSet(0, SEATS), 3, proven=True) is None
    assert reads.answer("bob", TipReply(1, None, None), ValidatorSet(0, SEATS), 3) is None
    assert reads.answer("cid", TipReply(1, None, None), ValidatorSet(0, SEATS), 3) == 9
