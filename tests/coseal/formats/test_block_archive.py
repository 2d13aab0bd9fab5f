"""An archive of blocks grows by whole records and says when a node has pruned what it lacks."""

from __future__ import annotations

from pathlib import Path

import pytest

from coseal.audit.sources import FileSource
from coseal.errors import CosealError
from coseal.formats import block_archive
from coseal.ledger import framing


def node(folder: Path, first: int, last: int) -> Path:
    """A node's data folder whose files hold records ``first``..``last``, five a file."""
    (folder / "blocks").mkdir(parents=True, exist_ok=True)
    for path in (folder / "blocks").iterdir():
        path.unlink()
    for number, start in enumerate(range(first, last + 1, 5), 1):
        heights = range(start, min(start + 5, last + 1))
        data = b"".join(framing.frame(height, 1, b"block %d" % height) for height in heights)
        (folder / "blocks" / f"{number:08d}.log").write_bytes(data)
    return folder


def test_an_archive_takes_what_is_new(tmp_path: Path) -> None:
    out = tmp_path / "archive"
    seen: list[int] = []
    assert block_archive.extend(node(tmp_path / "n", 1, 7), out, lambda height, goal: seen.append(height)) == (7, 7)
    assert block_archive.extend(tmp_path / "n", out) == (0, 7)
    assert block_archive.extend(node(tmp_path / "n", 1, 12), out) == (5, 12)
    assert seen == list(range(1, 8))
    assert list(FileSource(out).blocks(1, 12)) == [b"block %d" % height for height in range(1, 13)]


@pytest.mark.parametrize("left", [0, 1, 14, 20, 40, 100])
def test_an_interrupted_archive_is_gone_on_with(tmp_path: Path, left: int) -> None:
    out, whole = tmp_path / "archive", tmp_path / "whole"
    block_archive.extend(node(tmp_path / "n", 1, 7), whole)
    out.write_bytes(whole.read_bytes()[:left])
    block_archive.extend(tmp_path / "n", out)
    assert out.read_bytes() == whole.read_bytes()


def test_a_pruned_node_extends_only_an_archive_that_reaches_to_its_first_block(tmp_path: Path) -> None:
    out = tmp_path / "archive"
    with pytest.raises(CosealError, match="begin at height 6"):
        block_archive.extend(node(tmp_path / "n", 6, 12), out)
    block_archive.extend(node(tmp_path / "m", 1, 7), out)
    assert block_archive.extend(tmp_path / "n", out) == (5, 12)


def test_another_file_is_not_written_to(tmp_path: Path) -> None:
    out = tmp_path / "archive"
    out.write_bytes(framing.frame(1, 4, b"a snapshot"))
    with pytest.raises(CosealError, match="no archive"):
        block_archive.extend(node(tmp_path / "n", 1, 7), out)
    assert out.read_bytes() == framing.frame(1, 4, b"a snapshot")
