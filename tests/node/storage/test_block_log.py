from __future__ import annotations

from pathlib import Path

import pytest

from coseal.ledger import framing
from coseal.node.storage.block_log import BlockLog
from coseal.node.storage.files import Damaged

PAYLOADS = [bytes([height]) * (20 + height) for height in range(1, 7)]


def written(folder: Path, *, segment_bytes: int = 1 << 20) -> Path:
    log = BlockLog(folder, segment_bytes=segment_bytes)
    for height, payload in enumerate(PAYLOADS, start=1):
        log.append(height, payload)
    log.sync()
    log.close()
    return sorted(folder.glob("*.log"))[-1]


def contents(log: BlockLog) -> list[bytes | None]:
    return [log.read(height) for height in range(1, log.tip_height + 1)]


def flip(path: Path, position: int) -> None:
    data = bytearray(path.read_bytes())
    data[position] ^= 0x41
    path.write_bytes(data)


def test_blocks_are_read_back_and_survive_reopening(tmp_path: Path) -> None:
    written(tmp_path / "blocks")
    log = BlockLog(tmp_path / "blocks")
    assert contents(log) == PAYLOADS
    assert log.notices == []
    assert log.read(0) is None
    assert log.read(7) is None
    log.append(7, b"seven")
    assert log.read(7) == b"seven"
    log.close()


def test_only_the_next_height_is_appended(tmp_path: Path) -> None:
    log = BlockLog(tmp_path / "blocks")
    with pytest.raises(ValueError, match="does not follow"):
        log.append(2, b"two")
    log.close()


def test_a_synced_height_is_durable_and_an_appended_one_is_not_yet(tmp_path: Path) -> None:
    log = BlockLog(tmp_path / "blocks")
    log.append(1, b"one")
    assert (log.tip_height, log.durable_height) == (1, 0)
    log.sync()
    assert log.durable_height == 1
    log.close()


def test_segments_roll_over_and_are_read_across(tmp_path: Path) -> None:
    folder = tmp_path / "blocks"
    written(folder, segment_bytes=100)
    assert len(list(folder.glob("*.log"))) > 1
    log = BlockLog(folder, segment_bytes=100)
    assert contents(log) == PAYLOADS
    log.append(7, b"seven")
    log.close()
    reopened = BlockLog(folder, segment_bytes=100)
    assert contents(reopened) == [*PAYLOADS, b"seven"]
    reopened.close()


def test_each_flipped_byte_of_the_last_record_is_cut_off_and_said(tmp_path: Path) -> None:
    folder = tmp_path / "blocks"
    path = written(folder)
    pristine = path.read_bytes()
    last = framing.scan(pristine).records[-1]
    for position in range(last.start, last.end):
        flip(path, position)
        log = BlockLog(folder)
        assert contents(log) == PAYLOADS[:-1], position
        assert "block 6" in log.notices[0]
        log.append(6, PAYLOADS[-1])
        log.sync()
        log.close()
        assert path.read_bytes() == pristine


def test_each_shorter_last_record_is_cut_off(tmp_path: Path) -> None:
    folder = tmp_path / "blocks"
    path = written(folder)
    pristine = path.read_bytes()
    last = framing.scan(pristine).records[-1]
    for length in range(last.start + 1, last.end):
        path.write_bytes(pristine[:length])
        log = BlockLog(folder)
        assert log.tip_height == 5
        log.close()
        assert path.stat().st_size == last.start


def test_each_flipped_byte_of_a_middle_record_is_refused_naming_the_height(tmp_path: Path) -> None:
    folder = tmp_path / "blocks"
    path = written(folder)
    pristine = path.read_bytes()
    middle = framing.scan(pristine).records[2]
    for position in range(middle.start, middle.end):
        flip(path, position)
        with pytest.raises(Damaged, match="block 3 is damaged"):
            BlockLog(folder)
        path.write_bytes(pristine)


def test_a_damaged_last_record_of_an_older_file_is_refused(tmp_path: Path) -> None:
    folder = tmp_path / "blocks"
    written(folder, segment_bytes=100)
    first = folder / "00000001.log"
    last = framing.scan(first.read_bytes()).records[-1]
    flip(first, last.end - 1)
    with pytest.raises(Damaged, match=f"block {last.sequence} is damaged"):
        BlockLog(folder)


@pytest.mark.parametrize("name", ["00000001.log", "00000002.log"])
def test_a_missing_file_is_refused(tmp_path: Path, name: str) -> None:
    folder = tmp_path / "blocks"
    written(folder, segment_bytes=60)
    (folder / name).unlink()
    with pytest.raises(Damaged, match="is missing"):
        BlockLog(folder)


def test_a_record_of_another_height_is_refused(tmp_path: Path) -> None:
    folder = tmp_path / "blocks"
    path = written(folder)
    records = framing.scan(path.read_bytes()).records
    path.write_bytes(b"".join(framing.frame(r.sequence, r.kind, r.payload) for r in records if r.sequence != 4))
    with pytest.raises(Damaged, match="block 4 is damaged"):
        BlockLog(folder)


def test_a_byte_that_changes_while_the_node_runs_is_noticed_when_read(tmp_path: Path) -> None:
    folder = tmp_path / "blocks"
    path = written(folder)
    log = BlockLog(folder)
    flip(path, 40)
    with pytest.raises(Damaged, match="block 1"):
        log.read(1)
    assert log.read(2) == PAYLOADS[1]
    log.close()
