"""The files of sidecars: whole or not there, and zeros before they go."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from coseal.node.storage import sidecars as module
from coseal.node.storage.files import StorageError
from coseal.node.storage.sidecars import SidecarFiles
from tests.node.core.test_sidecars import sidecar

NAMED, DATA = sidecar(1)


@pytest.fixture
def files(tmp_path: Path) -> SidecarFiles:
    return SidecarFiles(tmp_path / "sidecars")


def test_nothing_is_made_before_the_first_one(files: SidecarFiles, tmp_path: Path) -> None:
    assert files.sizes() == {}
    assert files.read(NAMED.name) is None
    files.erase(NAMED.name)
    assert list(tmp_path.iterdir()) == []


def test_what_is_written_is_read_and_listed(files: SidecarFiles, tmp_path: Path) -> None:
    files.write(NAMED.name, DATA)
    assert files.read(NAMED.name) == DATA
    assert SidecarFiles(tmp_path / "sidecars").sizes() == {NAMED.name: NAMED.size}


def test_a_damaged_one_is_not_given(files: SidecarFiles, tmp_path: Path) -> None:
    files.write(NAMED.name, DATA)
    path = tmp_path / "sidecars" / NAMED.name.hex()
    path.write_bytes(DATA[:-1] + bytes([DATA[-1] ^ 1]))
    assert files.read(NAMED.name) is None


def test_zeros_are_durable_before_the_name_goes(
    files: SidecarFiles, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files.write(NAMED.name, DATA)
    path = tmp_path / "sidecars" / NAMED.name.hex()
    kept = path.with_name("kept")
    os.link(path, kept)  # the file's content under another name
    seen: list[bytes | None] = []
    monkeypatch.setattr(
        module.os, "fsync", lambda descriptor: seen.append(path.read_bytes() if path.exists() else None)
    )
    files.erase(NAMED.name)
    assert seen == [bytes(NAMED.size), None]  # the file, then the folder
    assert not path.exists()
    assert kept.read_bytes() == bytes(NAMED.size)


def test_what_a_crash_left_half_written_is_erased_at_the_start(files: SidecarFiles, tmp_path: Path) -> None:
    files.write(NAMED.name, DATA)
    half = tmp_path / "sidecars" / f"{NAMED.name.hex()}.tmp"
    half.write_bytes(DATA[:100])
    kept = tmp_path / "kept"
    os.link(half, kept)
    assert SidecarFiles(tmp_path / "sidecars").sizes() == {NAMED.name: NAMED.size}
    assert not half.exists()
    assert kept.read_bytes() == bytes(100)


def test_a_disk_that_refuses_ends_the_node(files: SidecarFiles, monkeypatch: pytest.MonkeyPatch) -> None:
    files.write(NAMED.name, DATA)

    def refuse(descriptor: int, data: bytes) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(module, "write_all", refuse)
    with pytest.raises(StorageError, match=r"cannot erase .* free space or repair the disk"):
        files.erase(NAMED.name)
