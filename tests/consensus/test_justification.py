from dataclasses import replace

import pytest
from consensus_harness import CHAIN_ID, Bench, toy_verify

from coseal.consensus.justification import PROVEN_MAX, Judge, choose
from coseal.ledger.certificate import Phase

BENCH = Bench(me="dia")
BLOCK, OTHER = BENCH.block(), BENCH.block(transactions=[b"other"])
LOW = BENCH.certificate(Phase.PREPARE, BLOCK)
HIGH = BENCH.certificate(Phase.PREPARE, OTHER, round=2)


def judge():
    return Judge(CHAIN_ID, 1, BENCH.validators, toy_verify)


@pytest.mark.parametrize("field", [{"round": 0}, {"height": 2}, {"epoch": 1}])
def test_j1_a_round_change_asks_for_a_round_from_1_at_this_height_and_epoch(field):
    assert judge().change_holds(BENCH.change(0, 3))
    assert not judge().change_holds(replace(BENCH.change(0, 3), **field))


def test_j2_a_carried_certificate_is_of_prepares_here_and_below_the_round_asked_for():
    assert judge().change_holds(BENCH.change(0, 3, HIGH))
    assert not judge().change_holds(BENCH.change(0, 2, HIGH))
    assert not judge().change_holds(BENCH.change(0, 1, HIGH))
    assert not judge().change_holds(BENCH.change(0, 3, BENCH.certificate(Phase.COMMIT, OTHER)))
    assert not judge().change_holds(BENCH.change(0, 3, BENCH.certificate(Phase.PREPARE, OTHER, height=2)))
    assert not judge().change_holds(BENCH.change(0, 3, replace(HIGH, block_hash=BLOCK.hash)))
    assert not judge().change_holds(BENCH.change(0, 3, replace(HIGH, round=1)))


def test_j3_q_distinct_signers_of_exactly_the_round():
    changes = [BENCH.change(s, 3) for s in (0, 1, 2)]
    for given, good in (
        (changes, True),
        (changes[:2], False),
        ([*changes[:2], BENCH.change(2, 4)], False),
        ([*changes, changes[0]], False),
        ([*changes[:2], replace(changes[2], signature=bytes(64))], False),
        ([], False),
    ):
        proposal = BENCH.proposal(BLOCK, round=3, justification=given)
        assert (judge().justify(proposal, {}) is not None) == good


def test_j3_a_proposal_of_round_0_carries_no_round_change():
    assert judge().justify(BENCH.proposal(BLOCK), {}) is not None
    assert judge().justify(BENCH.proposal(BLOCK, justification=[BENCH.change(0, 1)]), {}) is None


def test_j3_one_false_claim_is_left_out_and_the_others_still_count():
    false = BENCH.change(3, 3, BENCH.certificate(Phase.PREPARE, OTHER, signers=(0, 1)))
    changes = [BENCH.change(s, 3) for s in (0, 1, 2)]
    justified = judge().justify(BENCH.proposal(BLOCK, round=3, justification=[*changes, false]), {})
    assert [change.sender for change in justified.changes] == [0, 1, 2]


def test_j4_the_highest_certificate_binds():
    assert choose((BENCH.change(0, 3), BENCH.change(1, 3))).prepared is None
    assert choose((BENCH.change(0, 3, HIGH), BENCH.change(1, 3, LOW), BENCH.change(2, 3))).prepared == HIGH


def test_j4_two_blocks_certified_in_the_highest_round_justify_nothing():
    twin = BENCH.certificate(Phase.PREPARE, BLOCK, round=2)
    assert choose((BENCH.change(0, 3, HIGH), BENCH.change(1, 3, twin))) is None


def test_b6_the_memory_of_proven_certificates_is_bounded():
    one = judge()
    for round in range(PROVEN_MAX + 20):
        assert one.certificate_holds(BENCH.certificate(Phase.PREPARE, BLOCK, round=round), Phase.PREPARE)
    assert len(one._proven) == PROVEN_MAX


def test_a_certificate_is_verified_once():
    calls = []
    one = Judge(CHAIN_ID, 1, BENCH.validators, lambda *args: calls.append(args) or toy_verify(*args))
    assert one.certificate_holds(LOW, Phase.PREPARE)
    assert one.certificate_holds(LOW, Phase.PREPARE)
    assert len(calls) == 3
    assert not one.certificate_holds(replace(LOW, signatures=(*LOW.signatures[:2], bytes(64))), Phase.PREPARE)
