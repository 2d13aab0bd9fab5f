from __future__ import annotations

import json
from pathlib import Path

import pytest

from node import reports
from node.events import Accused

ACCUSED = Accused("bank-a", b"\x01\x02", b"\x03")


def test_evidence_is_kept_with_both_messages_and_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reports, "EVIDENCE_FILES_MAX", 3)
    for _ in range(5):
        reports.keep_evidence(tmp_path, ACCUSED)
    files = sorted((tmp_path / "evidence").iterdir())
    assert [file.name for file in files] == ["000-bank-a.json", "001-bank-a.json", "002-bank-a.json"]
    assert json.loads(files[0].read_text()) == {"validator": "bank-a", "first": "0102", "second": "03"}


def test_a_report_that_cannot_be_written_stops_nothing(tmp_path: Path) -> None:
    (tmp_path / "evidence").write_text("a file in the place of the folder")
    reports.keep_evidence(tmp_path, ACCUSED)
    assert (tmp_path / "evidence").is_file()
