"""Records of append-only files, whole, cut and damaged (row W1)."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from coseal.ledger import framing
from coseal.ledger.framing import MAGIC, MAX_PAYLOAD_BYTES, OVERHEAD, frame, is_cut, read, scan, skip

PAYLOADS = [b"one", b"", b"three" * 9, MAGIC * 3, b"five"]


def file_of(payloads=PAYLOADS, first=7):
    return b"".join(frame(first + index, 1, payload) for index, payload in enumerate(payloads))


def good(data):
    return [(record.sequence, record.payload) for record in scan(data).records]


def flipped(data, offset, mask=0x01):
    changed = bytearray(data)
    changed[offset] ^= mask
    return bytes(changed)


@given(st.lists(st.tuples(st.integers(0, 255), st.binary(max_size=50)), max_size=8), st.integers(0, 2**63))
@settings(max_examples=60, deadline=None)
def test_what_was_written_is_read_back(records, first):
    data = b"".join(frame(first + index, kind, payload) for index, (kind, payload) in enumerate(records))
    result = scan(data, first_sequence=first if records else None)
    assert [(r.kind, r.payload) for r in result.records] == records
    assert (result.end, result.torn, result.damaged) == (len(data), False, False)


@given(st.lists(st.binary(max_size=30), min_size=1, max_size=5), st.data())
@settings(max_examples=100, deadline=None)
def test_a_file_cut_anywhere_keeps_its_whole_records_and_is_torn(payloads, data):
    whole = file_of(payloads)
    size = data.draw(st.integers(0, len(whole)))
    ends = [record.end for record in scan(whole).records]
    result = scan(whole[:size])
    kept = [end for end in ends if end <= size]
    assert len(result.records) == len(kept)
    assert result.end == (kept[-1] if kept else 0)
    assert (result.torn, result.damaged) == (size not in (0, *ends), False)


def test_each_flipped_byte_of_the_last_record_is_a_torn_end():
    data = file_of()
    start = scan(data).records[-1].start
    for offset in range(start, len(data)):
        for mask in (0x01, 0x80, 0xFF):
            result = scan(flipped(data, offset, mask))
            assert (len(result.records), result.end) == (4, start)
            assert (result.torn, result.damaged) == (True, False)


@pytest.mark.parametrize("position", range(4))
def test_each_flipped_byte_of_a_record_with_good_ones_after_it_is_damage(position):
    data = file_of()
    record = scan(data).records[position]
    for offset in range(record.start, record.end):
        result = scan(flipped(data, offset))
        assert (len(result.records), result.end) == (position, record.start)
        assert (result.torn, result.damaged) == (False, True)


def embedding():
    """Two records, and a last one whose payload holds whole records of every sequence number that could come next."""
    payload = b"".join(b"transaction" + frame(sequence, 1, b"a forged record") for sequence in (9, 10, 11, 300))
    return file_of([b"one", b"two", payload])


def test_a_record_within_a_payload_does_not_make_a_torn_end_look_like_damage():
    data = embedding()
    start = scan(data).records[-1].start
    for size in range(start + 1, len(data)):
        result = scan(data[:size], first_sequence=7)
        assert (result.end, result.torn, result.damaged) == (start, True, False), size
    for offset in range(start, len(data)):
        for mask in (0x01, 0x80, 0xFF):
            result = scan(flipped(data, offset, mask), first_sequence=7)
            assert (result.end, result.torn, result.damaged) == (start, True, False), (offset, mask)


def test_a_changed_length_does_not_make_the_records_after_it_a_payload():
    data = file_of([b"one", bytes(700), b"three"])
    start = scan(data).records[1].start
    for offset in range(start + 2, start + 6):
        for mask in range(1, 256):
            changed = flipped(data, offset, mask)
            result = scan(changed, first_sequence=7)
            assert (result.end, result.torn, result.damaged) == (start, False, True), (offset, mask)
            assert framing.is_followed(memoryview(changed), start, 8)


def test_a_head_of_which_more_than_a_byte_is_lost_hides_no_record_after_it():
    data = bytearray(file_of())
    second = scan(data).records[1].start
    for begin, end in ((0, 2), (0, 6), (2, 14), (6, 14), (0, 23), (-20, 30)):
        for filler in (b"\0", b"\xff"):
            changed = bytearray(data)
            changed[second + begin : second + end] = filler * (end - begin)
            assert scan(changed, first_sequence=7).damaged, (begin, end, filler)


def test_an_older_record_is_none_that_follows():
    torn = frame(8, 1, b"payload")[:-1] + frame(8, 1, b"") + frame(7, 1, b"")
    assert not framing.is_followed(memoryview(bytes(2) + torn[2:]), 0, 8)
    assert framing.is_followed(memoryview(bytes(2) + torn[2:] + frame(9, 1, b"")), 0, 8)


def test_a_missing_or_repeated_record_is_damage():
    one, two, three = (frame(sequence, 1, b"x") for sequence in (1, 2, 3))
    for data in (one + three, one + one + two, two + one):
        assert scan(data).damaged
    assert scan(two + three, first_sequence=1).damaged
    assert not scan(two + three, first_sequence=2).damaged


def test_garbage_is_torn_and_an_empty_file_is_whole():
    assert scan(b"").end == 0
    assert not scan(b"").torn
    assert scan(b"garbage" * 10).torn
    assert scan(MAGIC).torn


def test_a_magic_number_within_a_payload_misleads_nobody():
    data = file_of([MAGIC * 20, MAGIC + bytes(30)])
    assert len(good(data)) == 2
    assert scan(flipped(data, 20)).damaged


def test_a_payload_above_the_limit_is_not_written_and_a_claim_of_it_is_not_believed():
    with pytest.raises(ValueError, match="at most"):
        frame(1, 1, bytes(MAX_PAYLOAD_BYTES + 1))
    claim = MAGIC + (MAX_PAYLOAD_BYTES + 1).to_bytes(4, "big") + bytes(9)
    assert read(memoryview(claim + bytes(100)), 0) is None
    assert not is_cut(memoryview(claim))


def test_a_payload_of_exactly_the_limit_is_written_and_read(monkeypatch):
    monkeypatch.setattr(framing, "MAX_PAYLOAD_BYTES", 100)
    assert good(frame(1, 1, bytes(100))) == [(1, bytes(100))]
    with pytest.raises(ValueError, match="at most"):
        frame(1, 1, bytes(101))


def test_a_record_knows_where_it_lies():
    data = file_of()
    second = read(memoryview(data), OVERHEAD + len(PAYLOADS[0]))
    assert (second.sequence, second.start, second.end) == (8, 26, 26 + OVERHEAD)
    assert read(memoryview(data), 1) is None


def test_skipping_follows_the_heads_and_stops_where_they_end():
    data, offset, seen = file_of(), 0, []
    while (step := skip(memoryview(data), offset)) is not None:
        sequence, offset = step
        seen.append(sequence)
    assert (seen, offset) == ([7, 8, 9, 10, 11], len(data))
    assert skip(memoryview(data[:-1]), scan(data).records[-1].start) is None
    assert skip(memoryview(data), 1) is None


def test_an_append_that_did_not_finish_is_told_from_a_changed_record():
    record = frame(3, 1, b"some payload")
    for size in range(1, len(record)):
        assert is_cut(memoryview(record[:size])), size
    for offset in range(len(record)):
        for mask in (0x01, 0x10, 0x80):
            assert not is_cut(memoryview(flipped(record, offset, mask))), (offset, mask)
    assert framing.read(memoryview(record), 0) is not None
