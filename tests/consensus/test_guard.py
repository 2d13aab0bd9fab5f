from consensus_harness import ToySigner
from hypothesis import given, settings
from hypothesis import strategies as st

from coseal.consensus.events import SignRecord
from coseal.consensus.guard import STOPPED, SignGuard
from coseal.consensus.persisted import EMPTY_GUARD, fold
from coseal.ledger.certificate import Phase

A, B = b"a" * 80, b"b" * 80


def guard(signs=(EMPTY_GUARD,)):
    return SignGuard(ToySigner("ann"), signs)


def test_g1_height_round_and_step_only_rise():
    one = guard()
    assert one.sign(5, 1, Phase.PREPARE, A)
    for height, round, step in ((4, 9, 3), (5, 0, 3), (5, 1, 1), (5, 1, 0)):
        assert one.sign(height, round, Phase(step), A) is None
    assert one.sign(5, 1, Phase.COMMIT, A)
    assert one.sign(5, 2, Phase.ROUND_CHANGE, A)
    assert one.sign(6, 0, Phase.PREPARE, A)


def test_g2_the_same_bytes_get_the_stored_signature_and_other_bytes_none():
    one = guard()
    first = one.sign(5, 1, Phase.PREPARE, A)
    one.sign(5, 1, Phase.COMMIT, A)
    again = one.sign(5, 1, Phase.PREPARE, A)
    assert (again.signature, again.record) == (first.signature, None)
    assert one.sign(5, 1, Phase.PREPARE, B) is None


def test_g2_holds_across_a_restart():
    records = [EMPTY_GUARD]
    one = guard()
    for step in (Phase.PROPOSAL, Phase.PREPARE):
        records.append(one.sign(5, 1, step, A).record)
    two = guard(fold(records).signs)
    assert two.sign(5, 1, Phase.PROPOSAL, A).signature == records[1].signature
    assert two.sign(5, 1, Phase.PROPOSAL, B) is None
    assert two.sign(5, 1, Phase.ROUND_CHANGE, A) is None  # never signed, and now behind


def test_an_empty_guard_signs_and_an_absent_one_does_not():
    assert guard().sign(1, 0, Phase.PREPARE, A)
    assert fold([]).signs is None
    absent = guard(None)
    assert absent.sign(1, 0, Phase.PREPARE, A) is None
    assert "journal was lost" in absent.silence(1)


def test_g3_an_absent_guard_signs_again_two_heights_above_what_a_quorum_showed():
    one = guard(None)
    for validator, height in ((0, 10), (2, 12), (2, 12)):
        one.witness(validator, height, 3)
    assert not one.may_sign(100, 0, Phase.PREPARE)  # two of three
    one.witness(3, 11, 3)
    assert not one.may_sign(14, 0, Phase.PREPARE)
    assert "height 14" in one.silence(14)
    assert one.may_sign(15, 0, Phase.PREPARE)
    assert one.sign(15, 0, Phase.PREPARE, A)
    assert one.silence(15) is None


def test_g4_a_stopped_guard_signs_nothing_for_ever():
    one = guard()
    one.sign(5, 0, Phase.PREPARE, A)
    assert one.lacks(5, 0, Phase.PREPARE, B)
    assert one.lacks(5, 0, Phase.COMMIT, A)
    assert one.lacks(6, 0, Phase.PREPARE, A)
    assert not one.lacks(5, 0, Phase.PREPARE, A)
    assert not one.lacks(4, 7, Phase.PREPARE, B)  # too old to say
    record = one.stop()
    assert one.stopped
    assert record == STOPPED
    assert one.sign(9, 0, Phase.PREPARE, A) is None
    assert guard(fold([EMPTY_GUARD, record]).signs).sign(2**62, 0, Phase.PREPARE, A) is None


steps = st.tuples(st.integers(1, 3), st.integers(0, 2), st.sampled_from(list(Phase)), st.sampled_from([A, B]))


@settings(max_examples=200, deadline=None)
@given(st.lists(st.tuples(steps, st.booleans()), max_size=40))
def test_no_history_of_signing_and_restarting_signs_two_preimages_for_one_step(history):
    one, records, signed, last = guard(), [EMPTY_GUARD], {}, (0, 0, 0)
    for (height, round, step, preimage), restart in history:
        if restart:
            one = guard(fold(records).signs)
        result = one.sign(height, round, step, preimage)
        if result is None:
            continue
        place = (height, round, int(step))
        assert signed.setdefault(place, preimage) == preimage
        if result.record is not None:
            assert place > last
            last = place
            assert result.record == SignRecord(height, round, int(step), preimage, result.signature)
            records.append(result.record)
