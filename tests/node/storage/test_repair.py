"""A damaged folder put in order: what is kept, what is put aside, what is said."""

from __future__ import annotations

import shutil
import sqlite3
from pathlib import Path

import pytest

from coseal.node.__main__ import main
from coseal.node.core import journal
from coseal.node.http.idempotency import IdempotencyStore
from coseal.node.signing import keys
from coseal.node.storage import journal_file
from coseal.node.storage.block_log import BlockLog
from coseal.node.storage.data_folder import Storage
from coseal.node.storage.files import Damaged
from coseal.node.storage.repair import damage_of, good_part
from tests.node.single import make_node
from tests.node.storage.test_data_folder import filled


def flip(path: Path, at: int, count: int = 8) -> None:
    raw = bytearray(path.read_bytes())
    at += len(raw) if at < 0 else 0
    raw[at : at + count] = bytes(byte ^ 0xFF for byte in raw[at : at + count])
    path.write_bytes(raw)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A node's folder with its configuration, keys and an empty journal; no block."""
    return make_node(tmp_path, port=22_050)


@pytest.fixture
def chained(folder: Path) -> Path:
    """The same with blocks of another chain beside it: repair looks at their frame alone."""
    filled(folder.parent / "other", 6)
    shutil.copytree(folder.parent / "other" / "blocks", folder / "blocks")
    return folder


def repaired(folder: Path, capsys: pytest.CaptureFixture[str], status: int = 0) -> str:
    assert main(["repair", "--data", str(folder)]) == status
    told = capsys.readouterr()
    return told.out if status == 0 else told.err


def aside(folder: Path) -> Path:
    (found,) = folder.glob("damaged-*")
    return found


def test_a_good_folder_is_left_as_it_is(chained: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = {path: path.read_bytes() for path in chained.rglob("*") if path.is_file() and path.name != "lock"}
    assert repaired(chained, capsys) == "nothing is damaged\n"
    after = {path: path.read_bytes() for path in chained.rglob("*") if path.is_file() and path.name != "lock"}
    assert {path: raw for path, raw in after.items() if "heads" not in path.parts} == before


def test_blocks_before_the_first_damaged_one_are_kept(chained: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = chained / "blocks" / "00000001.log"
    whole = path.read_bytes()
    flip(path, len(whole) // 2)
    with pytest.raises(Damaged, match="coseal node repair node"):
        BlockLog(chained / "blocks")
    told = repaired(chained, capsys)
    log = BlockLog(chained / "blocks")
    assert log.notices == []
    assert f"before height {log.tip_height + 1} are kept" in told
    assert 1 <= log.tip_height < 6
    log.close()
    assert whole.startswith(path.read_bytes())
    assert len((aside(chained) / "blocks" / path.name).read_bytes()) == len(whole)


def test_files_after_a_missing_one_are_put_aside(chained: Path, capsys: pytest.CaptureFixture[str]) -> None:
    blocks = chained / "blocks"
    (blocks / "00000001.log").rename(blocks / "00000002.log")
    assert "before height 1 are kept" in repaired(chained, capsys)
    assert [path.name for path in (aside(chained) / "blocks").iterdir()] == ["00000002.log"]
    assert list(blocks.iterdir()) == []


def test_records_that_do_not_follow_are_no_good_part(chained: Path) -> None:
    path = chained / "blocks" / "00000001.log"
    size = path.stat().st_size
    assert good_part(path, 1) == (size, 1, 7)
    assert good_part(path, None) == (size, 1, 7)
    assert good_part(path, 2) == (0, 2, 2)


def test_a_damaged_journal_is_put_aside_and_none_is_made(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = folder / "journal" / "journal.log"
    path.write_bytes(path.read_bytes() * 2)
    flip(path, 20)
    assert "votes again by itself when it cannot contradict" in repaired(folder, capsys)
    assert not path.exists()
    assert (aside(folder) / "journal.log").exists()
    assert "there is no journal" in repaired(folder, capsys)
    assert not path.exists()


def test_the_journal_of_another_node_is_put_aside(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    shutil.rmtree(folder / "journal")
    journal_file.create(folder / "journal", journal.initial(bytes(32), "bank-a"))
    assert "of another node or chain" in repaired(folder, capsys)
    assert not (folder / "journal" / "journal.log").exists()


@pytest.mark.parametrize("name", ["index.sqlite", "idempotency.sqlite"])
def test_a_damaged_file_of_sqlite_is_put_aside_with_what_belongs_to_it(
    folder: Path, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    IdempotencyStore(folder / name, 10).close()
    assert damage_of(folder / name) is None
    (folder / f"{name}-wal").write_bytes(b"")
    flip(folder / name, 0, 100)
    assert f"{name} is damaged" in repaired(folder, capsys)
    assert not list(folder.glob(f"{name}*"))
    assert (aside(folder) / name).exists()


def test_damage_within_a_file_of_sqlite_is_seen(tmp_path: Path) -> None:
    path = tmp_path / "some.sqlite"
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE t (a PRIMARY KEY, b)")
    connection.executemany("INSERT INTO t VALUES (?, ?)", [(number, bytes(500)) for number in range(500)])
    connection.commit()
    connection.close()
    flip(path, 40_000, 5_000)
    assert damage_of(path) is not None


def test_a_certificate_that_does_not_fit_is_written_again_if_the_key_does(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path, good = folder / "keys" / "link.crt", (folder / "keys" / "link.crt").read_bytes()
    other = keys.create_key(tmp_path / "other.pem")
    keys.create_certificate(tmp_path / "other.crt", other, "regulator")
    for bad in ((tmp_path / "other.crt").read_bytes(), b"no certificate"):
        path.write_bytes(bad)
        assert "the certificate that the chain registers is in its place" in repaired(folder, capsys)
        assert path.read_bytes() == good
        shutil.rmtree(aside(folder))
    path.unlink()
    assert "in its place" in repaired(folder, capsys)
    assert path.read_bytes() == good


def test_a_link_key_that_fits_no_registered_certificate_is_named(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "keys" / "link.pem").unlink()
    keys.create_key(folder / "keys" / "link.pem")
    told = repaired(folder, capsys, 2)
    assert "does not fit" in told
    assert "register it" in told
    assert (folder / "keys" / "link.crt").exists()


def test_a_running_node_is_not_repaired(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from coseal.ledger.genesis import Genesis

    storage = Storage(folder, Genesis.decode((folder / "genesis.json").read_bytes()), map_bytes=1 << 26)
    assert "in use by another process" in repaired(folder, capsys, 4)
    storage.close()


def test_a_pruned_node_without_a_snapshot_of_what_is_left_joins_again(
    chained: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    log = BlockLog(chained / "blocks")
    heads = BlockLog(chained / "heads", kind=2)
    for height in range(1, 4):
        heads.append(height, log.read(height) or b"")
    heads.close()
    assert log.rewrite_first(4)
    log.close()
    (chained / "snapshots" / f"{6:012d}").mkdir(parents=True)
    flip(chained / "blocks" / "00000001.log", -20)
    assert "there is no snapshot" in repaired(chained, capsys)
    assert not (chained / "blocks").exists()
    assert sorted(path.name for path in aside(chained).iterdir()) == ["blocks", "blocks-kept", "heads", "snapshots"]
