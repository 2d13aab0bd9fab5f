from __future__ import annotations

import pytest

from coseal.consensus import persisted
from coseal.consensus.events import BodyRecord, PreparedRecord, RoundRecord, SignRecord
from coseal.consensus.messages import RoundChange
from coseal.consensus.persisted import JournalRecord
from coseal.ledger import framing
from coseal.ledger.certificate import ROUND_MAX
from coseal.node.core import journal
from coseal.node.core.journal import Journal, Verdict
from tests.support.chain import Chain
from tests.support.genesis import genesis
from tests.support.transactions import signed

CHAIN_ID, NODE = genesis().chain_id, "bank-a"


def a_block(number: int):
    chain = Chain(genesis())
    chain.extend([])
    return chain.extend([signed(genesis(), number)])


BLOCK = a_block(1)
CHANGE = RoundChange(0, 2, 1, 3, None, bytes(64))


def sign(height: int, round: int = 0, step: int = 2) -> SignRecord:
    return SignRecord(height, round, step, b"preimage", bytes(64))


RECORDS: list[JournalRecord] = [
    sign(2, 0, 2),
    RoundRecord(2, 1, (CHANGE,), CHANGE),
    BodyRecord(2, BLOCK.block),
    PreparedRecord(BLOCK.certificate),
    sign(2, 1, 0),
    sign(2, 1, 2),
]


def written(records: list[JournalRecord]) -> tuple[Journal, bytes]:
    start = journal.initial(CHAIN_ID, NODE)
    writer = journal.load(start, CHAIN_ID, NODE).journal
    return writer, start + b"".join(writer.append(record) for record in records)


def load(data: bytes | None) -> journal.Loaded:
    return journal.load(data, CHAIN_ID, NODE)


def test_what_is_appended_is_what_is_loaded() -> None:
    writer, data = written(RECORDS)
    loaded = load(data)
    assert loaded.verdict is Verdict.INTACT
    assert loaded.journal.persisted == writer.persisted == persisted.fold(RECORDS)
    assert loaded.journal.size_bytes == writer.size_bytes == len(data)
    assert loaded.journal.prepared(BLOCK.certificate.height) == BLOCK.certificate
    assert loaded.journal.prepared(BLOCK.certificate.height + 1) is None


def test_a_loaded_journal_goes_on_where_it_ended() -> None:
    _, data = written(RECORDS[:2])
    again = load(data).journal
    data += b"".join(again.append(record) for record in RECORDS[2:])
    assert load(data).verdict is Verdict.INTACT
    assert load(data).journal.persisted == persisted.fold(RECORDS)


def test_a_new_journal_is_empty_and_entitles() -> None:
    loaded = load(journal.initial(CHAIN_ID, NODE))
    assert loaded.entitles
    assert loaded.journal.persisted == persisted.FRESH


@pytest.mark.parametrize("data", [None, b"", b"\x00" * 100])
def test_a_missing_file_is_a_lost_journal_not_a_new_one(data: bytes | None) -> None:
    loaded = load(data)
    assert loaded.verdict is Verdict.MISSING
    assert not loaded.entitles
    assert loaded.journal.persisted.signs is None


def test_a_rewritten_file_that_was_never_signed_into_stays_a_lost_journal() -> None:
    assert load(load(None).journal.rewrite()).verdict is Verdict.MISSING


@pytest.mark.parametrize(("chain_id", "node"), [(bytes(32), NODE), (CHAIN_ID, "bank-b")])
def test_a_journal_of_another_chain_or_node_entitles_to_nothing(chain_id: bytes, node: str) -> None:
    _, data = written(RECORDS)
    assert journal.load(data, chain_id, node).verdict is Verdict.DAMAGED


def test_whatever_flips_in_the_last_record_the_guard_loses_nothing() -> None:
    """W1: the last record is cut off; a sign record is there twice."""
    _, data = written(RECORDS)
    last = framing.scan(data).records[-1]
    for position in range(last.start, last.end):
        flipped = data[:position] + bytes([data[position] ^ 0x41]) + data[position + 1 :]
        loaded = load(flipped)
        assert loaded.verdict is Verdict.TORN, position
        assert loaded.journal.persisted == persisted.fold(RECORDS)


def test_a_crash_at_any_byte_keeps_every_record_before_it() -> None:
    _, whole = written(RECORDS)
    scan = framing.scan(whole)
    start = len(journal.initial(CHAIN_ID, NODE))
    for length in range(start, len(whole)):
        loaded = load(whole[:length])
        kept = [record.payload for record in scan.records if record.end <= length][1:]
        expected = persisted.fold(persisted.decode_record(payload) for payload in kept)
        assert loaded.entitles
        assert loaded.journal.persisted == expected
        assert (loaded.verdict is Verdict.INTACT) == any(record.end == length for record in scan.records)


def test_damage_before_good_records_entitles_to_nothing() -> None:
    """W1."""
    _, data = written(RECORDS)
    for record in framing.scan(data).records[:-1]:
        for position in (record.start, record.start + 3, record.start + 9, record.start + 20, record.end - 1):
            flipped = data[:position] + bytes([data[position] ^ 1]) + data[position + 1 :]
            loaded = load(flipped)
            assert not loaded.entitles, position
            assert loaded.journal.persisted.signs is None


def test_a_missing_record_in_the_middle_entitles_to_nothing() -> None:
    _, data = written(RECORDS)
    record = framing.scan(data).records[4]
    assert load(data[: record.start] + data[record.end :]).verdict is Verdict.DAMAGED


def test_a_record_of_other_software_entitles_to_nothing() -> None:
    data = journal.initial(CHAIN_ID, NODE)
    sequence = framing.scan(data).records[-1].sequence + 1
    assert load(data + framing.frame(sequence, 2, b"\xc0")).verdict is Verdict.DAMAGED


def test_a_torn_file_is_rewritten_whole() -> None:
    _, data = written(RECORDS)
    torn = load(data[:-5])
    mended = torn.journal.rewrite()
    assert load(mended).verdict is Verdict.INTACT
    assert load(mended).journal.persisted == torn.journal.persisted


def test_a_decided_height_keeps_its_certificate_until_the_next_is_decided(monkeypatch: pytest.MonkeyPatch) -> None:
    """P6: damage to the last record of the block log takes the node back to it."""
    monkeypatch.setattr(journal, "FILE_BYTES_MAX", 10)
    writer, _ = written([*RECORDS[:2], BodyRecord(2, a_block(7).block), *RECORDS[2:]])
    rewritten = writer.decided(2)
    assert rewritten is not None
    data = rewritten + writer.append(BodyRecord(3, a_block(8).block)) + writer.append(sign(3))
    kept = load(data).journal.persisted.at(2)
    assert kept == persisted.AtHeight(2, RECORDS[1], BLOCK.certificate, (a_block(7).block, BLOCK.block))  # type: ignore[arg-type]
    kept = load(writer.decided(2)).journal.persisted.at(2)
    assert kept.bodies == (BLOCK.block,)  # the prepared one alone


def test_a_decided_height_leaves_the_guard_and_nothing_else(monkeypatch: pytest.MonkeyPatch) -> None:
    writer, data = written(RECORDS)
    assert writer.decided(3) is None  # the file is small
    assert writer.body(BLOCK.block.hash) is None
    assert writer.prepared(2) is None
    monkeypatch.setattr(journal, "FILE_BYTES_MAX", 10)
    rewritten = writer.decided(3)
    assert rewritten is not None
    assert len(rewritten) < len(data)
    assert load(rewritten).journal.persisted.signs == persisted.fold(RECORDS).signs
    assert load(rewritten + writer.append(sign(3))).verdict is Verdict.INTACT


def test_records_of_the_height_in_progress_survive_a_rewrite(monkeypatch: pytest.MonkeyPatch) -> None:
    writer, _ = written(RECORDS)
    monkeypatch.setattr(journal, "FILE_BYTES_MAX", 10)
    rewritten = writer.decided(1)
    assert rewritten is not None
    assert load(rewritten).journal.persisted == persisted.fold(RECORDS)
    assert writer.body(BLOCK.block.hash) == BLOCK.block


def test_a_body_is_written_once() -> None:
    writer, _ = written(RECORDS)
    assert writer.append(BodyRecord(2, BLOCK.block)) == b""
    assert writer.append(BodyRecord(2, a_block(2).block)) != b""


def test_a_raised_floor_refuses_everything_up_to_its_height() -> None:
    writer, _ = written(RECORDS)
    (floor,) = load(writer.raise_floor(9)).journal.persisted.signs or ()
    assert (floor.height, floor.round, floor.step) == (9, ROUND_MAX, 3)
    assert load(writer.raise_floor(0)).journal.persisted == persisted.FRESH


def test_many_rounds_of_one_height_stay_bounded_and_keep_the_prepared_body(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(journal, "FILE_BYTES_MAX", 20_000)
    writer, data = written(RECORDS)
    for number in range(2, 60):
        data += writer.append(BodyRecord(2, a_block(number).block)) + writer.append(sign(2, number))
        if writer.overgrown:
            data = writer.rewrite()
        assert len(data) < 100_000
    loaded = load(data)
    assert loaded.verdict is Verdict.INTACT
    assert loaded.journal.body(BLOCK.block.hash) == BLOCK.block
    assert loaded.journal.body(a_block(59).block.hash) is not None
    assert loaded.journal.persisted.signs == (sign(2, 59),)
    assert len(writer.persisted.newest.bodies) == journal.BODIES_MAX
