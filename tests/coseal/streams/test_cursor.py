"""The cursor file: what was acknowledged survives, and nothing else is taken for it."""

from __future__ import annotations

import json
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from coseal.errors import BadAnswer, CosealError
from coseal.streams.cursor import Cursor, Position

CHAIN, TO = "ab" * 32, "https://erp.example/hook"
POSITION = Position(12, "cd" * 32, "12:0:1")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "erp.cursor"


def opened(path: Path, chain_id: str = CHAIN, to: str = TO) -> Cursor:
    return Cursor(path, chain_id=chain_id, to=to)


@pytest.fixture
def written(path: Path) -> dict[str, Any]:
    """What a good cursor file says."""
    with closing(opened(path)) as cursor:
        cursor.write(POSITION)
    return json.loads(path.read_text())


def test_what_was_written_is_read_again(path: Path) -> None:
    with closing(opened(path)) as cursor:
        assert cursor.position is None
        cursor.write(Position(3))
        cursor.write(POSITION)
    with closing(opened(path)) as cursor:
        assert cursor.position == POSITION


def test_a_new_cursor_leaves_no_file_before_it_is_written(path: Path) -> None:
    opened(path).close()
    assert not path.exists()


def test_a_write_that_was_cut_short_leaves_the_old_cursor(path: Path, written: dict[str, Any]) -> None:
    path.with_name("erp.cursor.new").write_text('{"coseal": "stream-cur')
    with closing(opened(path)) as cursor:
        assert cursor.position == POSITION


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"", "is no JSON"),
        (b"\xff\xfe", "is no text"),
        (b'{"coseal": "stream-cursor", "hei', "is no JSON"),
        (b"[" * 100_000, "is no JSON"),
        (b"[]", "is no cursor of a stream"),
        (b'{"coseal": "receipt"}', "is no cursor of a stream"),
    ],
)
def test_a_damaged_file_is_refused_and_left_as_it_is(path: Path, content: bytes, why: str) -> None:
    path.write_bytes(content)
    with pytest.raises(CosealError, match=why) as refused:
        opened(path)
    assert "--from HEIGHT" in refused.value.hint
    assert refused.value.exit_code == 2
    assert path.read_bytes() == content


@pytest.mark.parametrize(
    ("field", "value", "why"),
    [
        ("version", 2, "is of version 2, expected 1"),
        ("height", 0, "has no height"),
        ("height", "12", "has no height"),
        ("height", True, "has no height"),
        ("parent", "cd", "no hash"),
        ("parent", "CD" * 32, "no hash"),
        ("after", 12, "no event's id"),
    ],
)
def test_a_field_that_is_none_is_refused(path: Path, written: dict[str, Any], field: str, value: Any, why: str) -> None:
    path.write_text(json.dumps(written | {field: value}))
    with pytest.raises(CosealError, match=why):
        opened(path)


def test_the_cursor_of_another_chain_or_receiver_is_refused(path: Path, written: dict[str, Any]) -> None:
    with pytest.raises(BadAnswer, match=f"the cursor of chain {CHAIN}, this is {'ef' * 32}"):
        opened(path, chain_id="ef" * 32)
    with pytest.raises(BadAnswer, match=r"the cursor of https://erp.example/hook, this is nats://mq/COSEAL/coseal"):
        opened(path, to="nats://mq/COSEAL/coseal")
    opened(path).close()


def test_a_cursor_is_of_one_process_at_a_time(path: Path, written: dict[str, Any]) -> None:
    with closing(opened(path)), pytest.raises(CosealError, match="in use by another process"):
        opened(path)
    opened(path).close()


def test_a_place_that_cannot_be_written_is_told_before_anything_is_sent(tmp_path: Path) -> None:
    with pytest.raises(CosealError, match="No such file or directory"):
        opened(tmp_path / "nowhere" / "erp.cursor")
    (tmp_path / "folder.cursor").mkdir()
    with pytest.raises(CosealError, match="Is a directory"):
        opened(tmp_path / "folder.cursor")


def test_a_write_that_fails_says_what_follows(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    with closing(opened(path)) as cursor:
        monkeypatch.setattr("os.fsync", full)
        with pytest.raises(CosealError, match="No space left on device") as failed:
            cursor.write(POSITION)
    assert "sent again" in failed.value.hint
    assert cursor.position is None
    assert not path.exists()
