"""`coseal rules conform`, and findings opened from its report, on a ledger in this process."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from coseal.cli import app
from coseal.client.conformance import Report, ReportedCase, read_report
from coseal.errors import BadAnswer
from tests.coseal.formats.test_model import BPMN

LOG = """<log xes.version="1849.2016" xmlns="http://www.xes-standard.org/">{traces}</log>"""


def log_of(*traces: str) -> str:
    made = ""
    for number, trace in enumerate(traces, 1):
        made += f'<trace><string key="concept:name" value="case-{number}"/>'
        for hour, activity in enumerate(trace.split()):
            made += f'<event><string key="concept:name" value="{activity}"/>'
            made += f'<date key="time:timestamp" value="2026-01-0{number}T{hour:02}:00:00Z"/></event>'
        made += "</trace>"
    return LOG.format(traces=made)


@pytest.fixture
def files(tmp_path: Path) -> tuple[str, str]:
    log, model = tmp_path / "log.xes", tmp_path / "model.bpmn"
    log.write_text(log_of("a b d", "b d", "a c d e"))
    model.write_text(BPMN)
    return str(log), str(model)


def run(*words: str, code: int) -> str:
    result = CliRunner().invoke(app, ["rules", "conform", *words])
    assert result.exit_code == code, result.output
    return result.stdout


def test_cases_that_deviate_are_named_with_what_is_extra_and_what_is_missing(files: tuple[str, str]) -> None:
    log, model = files
    text = run(log, "--model", model, code=1)
    assert "3 cases: 1 fit, 2 deviate; fitness 0.8889" in text
    assert "before event 2, d: a is missing" in text
    assert "event 4, e: the model does not have it here" in text
    assert "the model has no activity e" in text


def test_a_log_that_fits_ends_with_0(tmp_path: Path, files: tuple[str, str]) -> None:
    path = tmp_path / "good.xes"
    path.write_text(log_of("a b d", "c a d"))
    assert "2 cases: 2 fit, 0 deviate; fitness 1.0000" in run(str(path), "--model", files[1], code=0)


def test_the_report_names_model_log_and_release_and_is_read_again(tmp_path: Path, files: tuple[str, str]) -> None:
    log, model = files
    path = tmp_path / "report.json"
    shown = json.loads(run(log, "--model", model, "--report", str(path), "--json", code=1))
    assert shown == json.loads(path.read_text())
    assert shown["fitness"] == {"deviations": 2, "of": 18}
    read = read_report(path)
    assert [case.case for case in read.cases] == ["case-2", "case-3"]
    assert len(read.sha256) == len(read.model_sha256) == 64
    arguments = read.arguments(read.cases[0], "t", "enterprise-a", "notice", ["external: x"])
    assert arguments["evidence"] == [read.sha256]
    assert arguments["reason"].endswith(f"model {read.model_sha256}: before event 2, d: a is missing")
    long = Report(read.sha256, "coseal", read.model_sha256, "case", (ReportedCase("c", ("x" * 9_000,)),))
    assert len(long.arguments(long.cases[0], "t", "m", "notice", [])["reason"]) == 4_000


@pytest.mark.parametrize(
    "text", ["", "[]", "{}", '{"format": "coseal-conformance/2"}', '{"format": "coseal-conformance/1"}']
)
def test_a_file_that_is_no_report_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "report.json"
    path.write_text(text)
    with pytest.raises(BadAnswer, match="no report"):
        read_report(path)


def test_an_object_type_that_the_log_does_not_have_is_refused(files: tuple[str, str]) -> None:
    log, model = files
    result: Any = CliRunner().invoke(app, ["rules", "conform", log, "--model", model, "--object-type", "order"])
    assert result.exit_code == 2
    assert "no event names an object of type order\n--object-type: one of case" in result.output


def test_a_model_that_is_not_read_is_told_with_its_findings(files: tuple[str, str], tmp_path: Path) -> None:
    path = tmp_path / "bad.bpmn"
    path.write_text(BPMN.replace("bpmn:userTask", "bpmn:inclusiveGateway"))
    assert "unsupported_element" in run(files[0], "--model", str(path), code=1)
