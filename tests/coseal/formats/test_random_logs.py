"""Random logs through every encoding: what is written is read back, whatever it says."""

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings

from coseal.formats.exporters.flat import flatten
from coseal.formats.exporters.log import ExportLog, LogObject
from coseal.formats.exporters.ocel_json import write_ocel_json
from coseal.formats.exporters.ocel_sqlite import write_ocel_sqlite
from coseal.formats.exporters.ocel_xml import write_ocel_xml
from coseal.formats.exporters.xes import write_xes
from tests.coseal.formats.logs import DECIMAL_TEXTS, logs

EXAMPLES = settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))


@pytest.mark.parametrize("write", [write_ocel_json, write_ocel_sqlite, write_ocel_xml])
@EXAMPLES
@given(log=logs())
def test_an_encoding_gives_back_what_it_was_given(
    write: Callable[[ExportLog], bytes], log: ExportLog, read: Any, as_export: Any, said: Any
):
    data = write(log)
    assert write(log) == data
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "log.bin"
        path.write_bytes(data)
        assert said(as_export(read(path))) == said(log)


@pytest.mark.parametrize("write", [write_ocel_json, write_ocel_sqlite, write_ocel_xml])
@pytest.mark.parametrize("text", DECIMAL_TEXTS)
def test_a_decimal_is_given_back_as_it_was_written(
    write: Callable[[ExportLog], bytes], text: str, read: Any, as_export: Any, said: Any, tmp_path: Path
):
    declared = {"order": {"amount": "float"}}
    log = ExportLog(declared, declared, [], [LogObject("o-1", "order", [("amount", "2026-01-01T10:00:00Z", text)])])
    path = tmp_path / "log.bin"
    path.write_bytes(write(log))
    assert said(as_export(read(path))) == said(log)


@EXAMPLES
@given(log=logs())
def test_xes_gives_back_the_cases_it_was_given(log: ExportLog, read: Any, as_export: Any, said: Any):
    object_type = min(log.object_types)
    flat = flatten(log, object_type)
    data = write_xes(log, flat)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "log.bin"
        path.write_bytes(data)
        if flat.cases and len({event.id for event in _events(flat)}) == len(_events(flat)):
            again = said(as_export(read(path)))
            assert {name for name, row in again["objects"].items() if row[0] == "case"} == {
                one.id for one, _ in flat.cases
            }
            before = said(log)["events"]
            for event in _events(flat):
                kind, time, attributes, _ = again["events"][event.id]
                assert (kind, time) == (before[event.id][0], before[event.id][1])
                assert attributes == before[event.id][2]


def _events(flat: Any) -> list[Any]:
    return [event for _, events in flat.cases for event in events]
