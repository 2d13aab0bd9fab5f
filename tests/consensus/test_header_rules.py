"""``rules``: when a block may follow the tip."""

from dataclasses import replace

import pytest
from consensus_harness import CHAIN_ID, NAMES, Bench

from coseal.consensus.rules import Tip, fresh_fault, leader, link_fault
from coseal.ledger.block import Block
from coseal.ledger.certificate import Phase
from coseal.ledger.genesis import Parameters


def second():
    """A replica at height 2 with a good block for it."""
    bench = Bench(me="dia")
    bench.decide()
    return bench, bench.block(transactions=[b"one"])


def with_last_commit(block, certificate):
    last = bytes(32) if certificate is None else certificate.hash
    return Block(replace(block.header, last_commit_hash=last), block.transactions, certificate)


def test_a_good_block_follows():
    bench, block = second()
    assert link_fault(block, bench.replica.tip, bench.validators, bench.config) is None


def test_another_quorums_certificate_of_the_parent_is_as_good():
    bench, block = second()
    parent = bench.replica.tip.certificate
    other = replace_signers(bench, parent, (0, 1, 2, 3))
    assert link_fault(with_last_commit(block, other), bench.replica.tip, bench.validators, bench.config) is None


def replace_signers(bench, certificate, signers):
    class Named:
        hash = certificate.block_hash

    return bench.certificate(Phase.COMMIT, Named, signers=signers, height=certificate.height)


def test_a_last_commit_that_is_missing_of_another_block_or_too_small_is_refused():
    bench, block = second()
    tip = bench.replica.tip
    for false, word in (
        (None, "missing"),
        (bench.certificate(Phase.COMMIT, block), "not of the tip"),
        (replace(tip.certificate, phase=Phase.PREPARE), "not of the tip"),
        (replace_signers(bench, tip.certificate, (0, 1)), "quorum"),
        (replace(tip.certificate, epoch=1), "epoch"),
    ):
        assert word in link_fault(with_last_commit(block, false), tip, bench.validators, bench.config)


def test_the_first_block_has_no_last_commit():
    bench = Bench(me="dia")
    false = with_last_commit(bench.block(), bench.certificate(Phase.COMMIT, bench.block()))
    assert "first height" in link_fault(false, bench.tip, bench.validators, bench.config)


def test_the_proposer_leads_the_round_of_creation():
    bench, block = second()
    for header in ({"created_round": 1}, {"proposer": "bob"}, {"proposer": "nobody"}):
        false = Block(replace(block.header, **header), block.transactions, block.last_commit)
        assert "proposer" in link_fault(false, bench.replica.tip, bench.validators, bench.config)


def test_leaders_go_round_from_the_previous_proposer():
    bench = Bench()
    parameters = Parameters(tenure=4)
    tip = replace(bench.tip, height=6, proposer="cai")
    assert [NAMES[leader(bench.validators, tip, r, parameters)] for r in range(5)] == [
        "cai",
        "dia",
        "ann",
        "bob",
        "cai",
    ]
    tip = replace(tip, height=7)  # height 8 is a multiple of the tenure
    assert NAMES[leader(bench.validators, tip, 0, parameters)] == "dia"


def test_a_block_of_another_round_is_not_fresh():
    bench, block = second()
    assert fresh_fault(block.header, bench.replica.tip, 0, bench.now_ms, bench.parameters) is None
    assert "created_round" in fresh_fault(block.header, bench.replica.tip, 1, bench.now_ms, bench.parameters)


def test_the_tip_of_a_genesis_is_its_chain_id():
    class Genesis:
        chain_id, time_ms, validators = CHAIN_ID, 5, Bench().validators

    assert Tip.of_genesis(Genesis) == Tip(0, CHAIN_ID, 5, None, None, Genesis.validators)


@pytest.mark.parametrize("field", ["version", "chain_id", "height", "parent_hash", "epoch", "validators_hash"])
def test_each_field_that_follows_from_the_tip_is_named(field):
    bench, block = second()
    wrong = bytes(32) if isinstance(getattr(block.header, field), bytes) else 77
    false = Block(replace(block.header, **{field: wrong}), block.transactions, block.last_commit)
    assert field in link_fault(false, bench.replica.tip, bench.validators, bench.config)
