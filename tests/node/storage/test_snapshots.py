"""Snapshots, pruning, archives and the change-over on a real disk."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from coseal.ledger import framing
from coseal.ledger.block import CommittedBlock
from coseal.ledger.head import Head
from coseal.node import setup
from coseal.node.__main__ import main
from coseal.node.storage import join_folder
from coseal.node.storage.block_log import BlockLog
from coseal.node.storage.data_folder import Policy, Storage
from coseal.node.storage.files import Damaged, StorageError
from coseal.node.storage.snapshots import KEPT, ItemFile, SnapshotFile
from tests.support.chain import Chain
from tests.support.genesis import genesis


def opened(folder: Path, **options: object) -> Storage:
    return Storage(folder, genesis(), map_bytes=1 << 26, **options)  # type: ignore[arg-type]


def node_folder(path: Path) -> Path:
    path.mkdir(parents=True, exist_ok=True)
    (path / "genesis.json").write_bytes(genesis().raw)
    (path / "node.toml").write_text('node_id = "regulator"\nlink_listen = "127.0.0.1:29400"\n')
    setup.create_journal(path)
    return path


def grow(
    folder: Path, blocks: int, chain: Chain | None = None, policy: Policy | None = None, segment_bytes: int = 4_000
) -> Chain:
    """Write blocks as the node does, and make the snapshots that become due."""
    storage = opened(folder, policy=policy, segment_bytes=segment_bytes)
    chain = chain or Chain(storage.genesis)
    for _ in range(blocks):
        chain.grow(1)
        committed = chain.blocks[-1]
        storage.blocks.append(committed.block.header.height, committed.encode())
        storage.blocks.sync()
        outcome = storage.executor.execute_block(committed.block)
        storage.executor.commit(outcome)  # type: ignore[arg-type]
        storage.apply(committed.block.header.height, committed.block.hash, outcome.change)  # type: ignore[union-attr]
        storage.executor.state.flushed(outcome.change)  # type: ignore[union-attr]
        storage.store.renew()
        if storage.pinned is not None:
            storage.make_snapshot()
        storage.prune_some()
    storage.close()
    return chain


def run(*arguments: str | Path, capsys: pytest.CaptureFixture[str]) -> tuple[int, dict[str, object], str]:
    """Run a node command; return its status, the JSON of its last line, and what it said on standard error."""
    status = main([str(argument) for argument in arguments])
    captured = capsys.readouterr()
    lines = captured.out.splitlines()
    return status, json.loads(lines[-1]) if lines else {}, captured.err


def test_snapshots_are_made_at_their_heights_and_only_the_latest_stay(tmp_path: Path) -> None:
    folder = node_folder(tmp_path)
    chain = grow(folder, 10, policy=Policy(snapshot_blocks=3))
    storage = opened(folder)
    assert [snapshot.height for snapshot in storage.snapshots.all] == [6, 9]
    assert len(list((folder / "snapshots").iterdir())) == KEPT
    newest = storage.snapshots.all[-1]
    assert newest.manifest.header == chain.blocks[8].block.header
    for item in range(newest.manifest.chunks + 1):
        newest.manifest.check(item, newest.read(item) or b"")
    assert newest.read(newest.manifest.chunks + 1) is None
    storage.close()


def test_a_state_pinned_for_a_snapshot_does_not_see_later_blocks(tmp_path: Path) -> None:
    folder = node_folder(tmp_path)
    storage = opened(folder, policy=Policy(snapshot_blocks=2))
    chain = Chain(storage.genesis)
    for _ in range(5):
        chain.grow(1)
        committed = chain.blocks[-1]
        storage.blocks.append(committed.block.header.height, committed.encode())
        outcome = storage.executor.execute_block(committed.block)
        storage.executor.commit(outcome)  # type: ignore[arg-type]
        storage.apply(committed.block.header.height, committed.block.hash, outcome.change)  # type: ignore[union-attr]
    assert storage.make_snapshot().manifest.header.state_root == chain.blocks[1].block.header.state_root
    storage.close()


def test_pruning_drops_bodies_behind_a_snapshot_and_keeps_heads(tmp_path: Path) -> None:
    folder = node_folder(tmp_path)
    chain = grow(folder, 14, policy=Policy(snapshot_blocks=4, prune_keep_blocks=3))
    storage = opened(folder)
    first = storage.first_height
    assert 4 < first <= 12
    assert storage.read_block(first - 1) is None
    assert storage.committed(first) == chain.blocks[first - 1]
    for committed in chain.blocks:
        head = Head.decode(storage.read_head(committed.block.header.height) or b"")
        assert head == Head.of(committed)
    assert storage.read_head(15) is None
    storage.close()


def test_nothing_is_pruned_without_a_snapshot_above_it(tmp_path: Path) -> None:
    folder = node_folder(tmp_path)
    grow(folder, 12, policy=Policy(prune_keep_blocks=1))
    storage = opened(folder)
    assert (storage.first_height, storage.heads.tip_height) == (1, 0)
    storage.close()


def test_a_pruned_node_rebuilds_its_state_from_its_snapshot(tmp_path: Path) -> None:
    folder = node_folder(tmp_path)
    chain = grow(folder, 14, policy=Policy(snapshot_blocks=4, prune_keep_blocks=3))
    shutil.rmtree(folder / "state")
    storage = opened(folder)
    assert storage.executor.state.root == chain.executor.state.root
    assert any("snapshot of height 12" in notice for notice in storage.notices)
    storage.close()
    grow(folder, 1, chain)


def test_a_pruned_node_whose_snapshots_are_gone_says_so(tmp_path: Path) -> None:
    folder = node_folder(tmp_path)
    grow(folder, 14, policy=Policy(snapshot_blocks=4, prune_keep_blocks=3))
    shutil.rmtree(folder / "snapshots")
    opened(folder).close()  # the database is enough
    shutil.rmtree(folder / "state")
    with pytest.raises(Damaged, match="no snapshot"):
        opened(folder)


def test_a_gap_between_heads_and_blocks_is_refused(tmp_path: Path) -> None:
    folder = node_folder(tmp_path)
    grow(folder, 14, policy=Policy(snapshot_blocks=4, prune_keep_blocks=3))
    sorted((folder / "blocks").iterdir())[0].unlink()
    with pytest.raises(Damaged, match="heads of pruned"):
        opened(folder)


def test_a_damaged_chunk_is_not_used_and_an_older_snapshot_is(tmp_path: Path) -> None:
    folder = node_folder(tmp_path)
    chain = grow(folder, 10, policy=Policy(snapshot_blocks=4))
    path = folder / "snapshots" / f"{8:012d}" / "items.log"
    data = bytearray(path.read_bytes())
    data[60] ^= 1
    path.write_bytes(data)
    shutil.rmtree(folder / "state")
    storage = opened(folder)
    assert storage.executor.state.root == chain.executor.state.root
    assert any("height 4" in notice for notice in storage.notices)
    storage.close()


def test_the_prune_command_keeps_exactly_what_it_was_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = node_folder(tmp_path)
    chain = grow(folder, 12)
    status, result, _ = run("prune", "--data", folder, "--keep", "3", capsys=capsys)
    assert (status, result) == (0, {"first_height": 10, "height": 12})
    status, result, _ = run("prune", "--data", folder, "--keep", "5", capsys=capsys)
    assert (status, result["first_height"]) == (0, 10)
    shutil.rmtree(folder / "state")
    grow(folder, 2, chain)
    status, result, _ = run("prune", "--data", folder, "--keep", "1", capsys=capsys)
    assert (status, result) == (0, {"first_height": 14, "height": 14})


def archived(tmp_path: Path, capsys: pytest.CaptureFixture[str], *, pruned: bool = False) -> tuple[Path, Path, Chain]:
    """A node's folder, an archive of it, and its chain."""
    folder = node_folder(tmp_path / "one")
    chain = grow(folder, 9, policy=Policy(snapshot_blocks=3, prune_keep_blocks=2) if pruned else None)
    status, result, _ = run("snapshot", "--data", folder, "--out", tmp_path / "a.snapshot", capsys=capsys)
    assert (status, result["height"], result["state_root"]) == (0, 9, chain.executor.state.root.hex())
    assert not (tmp_path / "a.snapshot.partial").exists()
    return folder, tmp_path / "a.snapshot", chain


def bare(source: Path, target: Path) -> Path:
    """The folder of the same node with nothing but what an operator's backup holds."""
    target.mkdir(parents=True)
    for name in ("node.toml", "genesis.json"):
        shutil.copy(source / name, target / name)
    return target


@pytest.mark.parametrize("pruned", [False, True])
def test_an_archive_restores_the_state_and_never_a_journal(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], pruned: bool
) -> None:
    source, archive, chain = archived(tmp_path, capsys, pruned=pruned)
    target = bare(source, tmp_path / "two")
    status, result, _ = run("restore", archive, "--data", target, capsys=capsys)
    assert status == 0
    assert result == {
        "height": 9,
        "block_hash": chain.blocks[-1].block.hash.hex(),
        "state_root": chain.executor.state.root.hex(),
        "journal": False,
    }
    assert not (target / "joining").exists()
    storage = opened(target)
    assert [Head.decode(storage.read_head(height) or b"").header for height in range(1, 10)] == [
        committed.block.header for committed in chain.blocks
    ]
    storage.close()
    grow(target, 2, chain)
    status, _, error = run("restore", archive, "--data", target, capsys=capsys)
    assert (status, "already" in error) == (4, True)


def test_an_archive_holds_no_key_and_no_journal(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    source, archive, _ = archived(tmp_path, capsys)
    data = archive.read_bytes()
    kinds = {record.kind for record in framing.scan(data).records}
    assert kinds == {2, 3, 4}
    assert (source / "journal" / "journal.log").read_bytes()[15:60] not in data


def flip(data: bytes) -> bytes:
    return data[:-1] + bytes([data[-1] ^ 1])


def test_a_damaged_archive_restores_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    source, archive, _ = archived(tmp_path, capsys)
    data = archive.read_bytes()
    target = bare(source, tmp_path / "two")
    records = framing.scan(data).records
    for cut in (0, 10, records[0].end, records[5].end, records[-1].start, len(data) - 1):
        archive.write_bytes(data[:cut])
        assert run("restore", archive, "--data", target, capsys=capsys)[0] == 4
    block = CommittedBlock.decode(records[-1].payload[4:])
    signatures = (*block.certificate.signatures[:-1], bytes(64))
    unsigned = replace(block, certificate=replace(block.certificate, signatures=signatures)).encode()
    spoilt = {number: flip(records[number].payload) for number in (0, 3, len(records) - 1)}
    for number, payload in [*spoilt.items(), (len(records) - 1, records[-1].payload[:4] + unsigned)]:
        forged = framing.frame(number + 1, records[number].kind, payload)  # the framing is right, the proof not
        archive.write_bytes(data[: records[number].start] + forged + data[records[number].end :])
        status, _, error = run("restore", archive, "--data", target, capsys=capsys)
        assert (status, bool(error)) == (4, True)
        assert not (target / "blocks").exists()
    archive.write_bytes(data)
    assert run("restore", archive, "--data", target, capsys=capsys)[0] == 0


def test_an_interrupted_export_goes_on(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    source, archive, _ = archived(tmp_path, capsys)
    whole = archive.read_bytes()
    partial = tmp_path / "b.snapshot.partial"
    partial.mkdir()
    run("snapshot", "--data", source, "--out", tmp_path / "c.snapshot", capsys=capsys)
    (partial / "archive").write_bytes(whole[: len(whole) // 2])
    status, _, _ = run("snapshot", "--data", source, "--out", tmp_path / "b.snapshot", capsys=capsys)
    assert status == 0
    assert (tmp_path / "b.snapshot").read_bytes() == whole == (tmp_path / "c.snapshot").read_bytes()


class Crash(BaseException):
    """The power goes off."""


@pytest.mark.parametrize("old_blocks", [0, 4])
def test_a_change_over_that_is_interrupted_anywhere_is_finished_at_the_next_start(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, old_blocks: int
) -> None:
    source, archive, chain = archived(tmp_path, capsys)
    before = bare(source, tmp_path / "before")
    if old_blocks:
        grow(before, old_blocks)
    with monkeypatch.context() as patch:
        patch.setattr("coseal.node.storage.archive.finish_adoption", lambda folder: None)
        patch.setattr("coseal.node.storage.data_folder.finish_adoption", lambda folder, **_: None)
        run("restore", archive, "--data", before, capsys=capsys)
    assert (before / "joining" / "complete").exists()
    reached = False
    for step in range(40):
        folder = tmp_path / f"try-{step}"
        shutil.copytree(before, folder)
        left = step

        def counted(function: Callable[..., object]) -> Callable[..., object]:
            def call(*args: object, **kwargs: object) -> object:
                nonlocal left
                if left == 0:
                    raise Crash
                left -= 1
                return function(*args, **kwargs)

            return call

        with monkeypatch.context() as patch:
            patch.setattr(join_folder.os, "rename", counted(os.rename))
            patch.setattr(join_folder.shutil, "rmtree", counted(shutil.rmtree))
            patch.setattr(join_folder, "sync_directory", counted(lambda path: None))
            try:
                join_folder.finish_adoption(folder)
                reached = True
            except Crash:
                pass
        storage = opened(folder)
        assert (storage.first_height, storage.tip_height) == (9, 9)
        assert storage.executor.state.root == chain.executor.state.root
        assert storage.heads.tip_height == 8
        storage.close()
        kept = folder / "blocks-below-9"
        assert kept.exists() == bool(old_blocks)
        if old_blocks:
            log = BlockLog(kept)
            assert (log.first_height, log.tip_height) == (1, old_blocks)
            log.close()
        shutil.rmtree(folder)
        if reached:
            break
    assert reached
    assert step > 5


def test_an_item_file_forgets_a_torn_record_and_keeps_the_others(tmp_path: Path) -> None:
    path = tmp_path / "items.log"
    items = ItemFile(path, writable=True)
    items.append(7, b"seven")
    items.append(2, b"two")
    items.append(7, b"again")
    items.close()
    whole = path.read_bytes()
    path.write_bytes(whole[:-1])
    items = ItemFile(path, writable=True)
    assert items.items == {7}
    items.append(2, b"two")
    assert (items.read(2), items.read(7), items.read(3)) == (b"two", b"seven", None)
    items.close()
    assert path.read_bytes() == whole


def test_what_is_no_whole_snapshot_is_removed_at_the_start(tmp_path: Path) -> None:
    folder = node_folder(tmp_path)
    grow(folder, 6, policy=Policy(snapshot_blocks=3))
    broken = folder / "snapshots" / f"{6:012d}"
    (broken / "manifest").write_bytes((broken / "manifest").read_bytes()[:-1])
    (folder / "snapshots" / "000000000009.tmp").mkdir()
    storage = opened(folder)
    assert [snapshot.height for snapshot in storage.snapshots.all] == [3]
    assert [path.name for path in (folder / "snapshots").iterdir()] == [f"{3:012d}"]
    storage.close()
    with pytest.raises(StorageError):
        SnapshotFile(broken)


def test_a_log_that_is_read_while_another_writes_is_left_alone(tmp_path: Path) -> None:
    folder = node_folder(tmp_path)
    grow(folder, 3, segment_bytes=1 << 20)
    (path,) = (folder / "blocks").iterdir()
    data = path.read_bytes()
    path.write_bytes(data[:-7])
    log = BlockLog(folder / "blocks", read_only=True)
    assert log.tip_height == 2
    log.close()
    assert path.read_bytes() == data[:-7]
