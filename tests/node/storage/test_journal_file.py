from __future__ import annotations

from pathlib import Path

import pytest

from coseal.node.storage.files import StorageError
from coseal.node.storage.journal_file import JOURNAL_NAME, JournalFile, create


def test_an_absent_file_is_lost_and_an_empty_one_is_not(tmp_path: Path) -> None:
    assert JournalFile(tmp_path / "journal").read() is None
    create(tmp_path / "journal", b"")
    journal = JournalFile(tmp_path / "journal")
    assert journal.read() == b""
    journal.close()


def test_opening_creates_nothing(tmp_path: Path) -> None:
    JournalFile(tmp_path / "journal").close()
    assert list(tmp_path.iterdir()) == []


def test_the_file_is_made_once(tmp_path: Path) -> None:
    create(tmp_path / "journal", b"")
    with pytest.raises(StorageError, match=JOURNAL_NAME):
        create(tmp_path / "journal", b"")


def test_appended_records_are_there_after_reopening(tmp_path: Path) -> None:
    create(tmp_path / "journal", b"")
    journal = JournalFile(tmp_path / "journal")
    journal.append(b"one")
    journal.append(b"two")
    journal.sync()
    journal.close()
    assert JournalFile(tmp_path / "journal").read() == b"onetwo"


def test_a_replaced_file_holds_exactly_the_new_bytes_and_goes_on(tmp_path: Path) -> None:
    create(tmp_path / "journal", b"")
    journal = JournalFile(tmp_path / "journal")
    journal.append(b"old")
    journal.replace(b"new")
    journal.append(b"er")
    journal.sync()
    assert journal.read() == b"newer"
    assert [path.name for path in journal.path.parent.iterdir()] == [JOURNAL_NAME]
    journal.close()
