import pytest
from consensus_harness import Bench
from hypothesis import given, settings
from hypothesis import strategies as st

from coseal.consensus.events import BodyRecord, PreparedRecord, RoundRecord, SignRecord
from coseal.consensus.persisted import (
    EMPTY_GUARD,
    FRESH,
    AtHeight,
    Persisted,
    decode_record,
    encode_record,
    fold,
    records_of,
)
from coseal.ledger import codec
from coseal.ledger.certificate import Phase
from coseal.ledger.errors import Malformed

BENCH = Bench()
BLOCK = BENCH.block(transactions=[b"one"])
NEXT = BENCH.block(height=2)
PREPARED = BENCH.certificate(Phase.PREPARE, BLOCK)
CHANGES = (BENCH.change(0, 1, PREPARED), BENCH.change(2, 1))
RECORDS = [
    EMPTY_GUARD,
    SignRecord(1, 0, 2, b"a" * 80, b"s" * 64),
    SignRecord(1, 0, 3, b"b" * 80, b"t" * 64),
    SignRecord(1, 1, 0, b"c" * 80, b"u" * 64),
    SignRecord(2, 0, 2, b"d" * 80, b"v" * 64),
    BodyRecord(1, BLOCK),
    BodyRecord(2, NEXT),
    PreparedRecord(PREPARED),
    RoundRecord(1, 1, CHANGES, CHANGES[1]),
    RoundRecord(2, 3, (), None),
]


@pytest.mark.parametrize("record", RECORDS)
def test_a_record_survives_its_bytes(record):
    assert decode_record(encode_record(record)) == record


def test_bytes_that_are_no_record_are_refused():
    with pytest.raises(Malformed):
        decode_record(codec.encode(["nothing", 1]))
    with pytest.raises(Malformed):
        decode_record(encode_record(RECORDS[1])[:-1])
    with pytest.raises(Malformed):
        decode_record(codec.encode(["sign", 1, 1, 0, 4, b"", b""]))
    from coseal.consensus.messages import to_value

    with pytest.raises(Malformed):
        decode_record(codec.encode(["round", 1, 1, 1, [to_value(BENCH.prepare(0, BLOCK))], None]))


def test_what_is_of_the_last_two_heights_and_signed_last_is_kept():
    persisted = fold(RECORDS)
    assert persisted.signs == (RECORDS[4],)
    assert persisted.newest == AtHeight(2, RECORDS[9], None, (NEXT,))
    assert persisted.at(1) == AtHeight(1, RECORDS[8], PREPARED, (BLOCK,))  # P6
    assert persisted.at(3) == AtHeight(3)
    later = fold([*RECORDS, RoundRecord(4, 1, (), None)])
    assert [kept.height for kept in later.heights] == [4]


def test_all_steps_of_the_last_round_are_kept():
    assert fold(RECORDS[:3]).signs == tuple(RECORDS[1:3])


def test_a_new_journal_is_fresh_and_one_without_signatures_is_lost():
    assert fold([EMPTY_GUARD]) == FRESH
    assert fold([BodyRecord(1, BLOCK)]).signs is None


@settings(max_examples=100, deadline=None)
@given(st.lists(st.sampled_from(RECORDS), max_size=12))
def test_a_journal_rewritten_short_folds_to_the_same(records):
    persisted = fold(records)
    assert fold(records_of(persisted)) == persisted


def test_a_journal_rewritten_after_a_decision_keeps_only_the_guard():
    persisted = fold([EMPTY_GUARD, *RECORDS[1:3], BodyRecord(1, BLOCK), PreparedRecord(PREPARED), RECORDS[8]])
    assert fold(records_of(persisted, height=2)) == Persisted(tuple(RECORDS[1:3]))


def test_a_height_that_is_taken_up_again_has_its_certificate_beside_the_next_one():
    persisted = fold([*RECORDS[1:3], BodyRecord(1, BLOCK), PreparedRecord(PREPARED), BodyRecord(2, NEXT)])
    again = fold([*records_of(persisted, height=1), RECORDS[8]])
    assert again.at(1) == AtHeight(1, RECORDS[8], PREPARED, (BLOCK,))
    assert again.newest.bodies == (NEXT,)
