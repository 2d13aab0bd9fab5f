from __future__ import annotations

import json
from pathlib import Path

import pytest

from coseal.consensus.messages import Prepare, encode_message
from coseal.contracts.evidence import CONTRACT
from coseal.contracts.evidence.actions import arguments_of
from coseal.node.core.events import Accused
from coseal.node.core.evidence import proof_of
from coseal.node.telemetry import reports

PREPARES = [Prepare(0, 7, 1, 0, bytes([i]) * 32, bytes([i]) * 64) for i in (2, 1)]
MESSAGES = [encode_message(prepare) for prepare in PREPARES]
ACCUSED = Accused("bank-a", *MESSAGES, arguments_of("bank-a", proof_of(*PREPARES)))


def test_evidence_is_kept_with_both_messages_and_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reports, "EVIDENCE_FILES_MAX", 3)
    for _ in range(5):
        reports.keep_evidence(tmp_path, ACCUSED)
    files = sorted((tmp_path / "evidence").iterdir())
    assert [file.name for file in files] == ["000-bank-a.json", "001-bank-a.json", "002-bank-a.json"]
    document = json.loads(files[0].read_text())
    assert [document["first"], document["second"]] == [message.hex() for message in MESSAGES]
    report = document["report"]
    assert CONTRACT.actions["report"].arguments.check(report) is None
    assert (report["validator"], report["height"], report["round"], report["phase"]) == ("bank-a", 7, 1, "prepare")
    assert report["first"] == {"hash": "01" * 32, "signature": "01" * 64}


def test_a_report_that_cannot_be_written_stops_nothing(tmp_path: Path) -> None:
    (tmp_path / "evidence").write_text("a file in the place of the folder")
    reports.keep_evidence(tmp_path, ACCUSED)
    assert (tmp_path / "evidence").is_file()
