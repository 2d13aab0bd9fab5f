"""An XES file that is imported and exported says what it said, and what it does not say any more is counted."""

from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings

from coseal.formats.exporters.flat import flatten
from coseal.formats.exporters.xes import write_xes
from coseal.formats.importers.header import HEADER_ID
from coseal.formats.importers.xes_keys import name_of, path_of
from coseal.ledger import codec
from tests.coseal.formats.logs import TEXTS
from tests.coseal.formats.xes_files import published_like, said_by, xes_files

TRANSACTION_BYTES = 256 * 1024


@settings(max_examples=80, deadline=None, suppress_health_check=list(HealthCheck))
@given(text=xes_files())
def test_a_random_file_comes_back_as_it_was(text: str, tmp_path_factory: Any, read: Any, as_export: Any):
    path = tmp_path_factory.mktemp("xes") / "log.xes"
    path.write_text(text, encoding="utf-8")
    log = as_export(read(path))
    data = write_xes(log, flatten(log))
    assert said_by(data) == said_by(text)
    assert log.leaves_out == {}
    path.write_bytes(data)
    again = as_export(read(path))
    assert write_xes(again, flatten(again)) == data


@given(keys=TEXTS.filter(bool), more=TEXTS.filter(bool))
@example(keys="a>", more=">b")
@example(keys="a\\", more=">")
def test_a_path_of_keys_comes_back_from_its_name(keys: str, more: str):
    for path in ((keys,), (keys, more), (keys, more, keys)):
        assert path_of(name_of(path)) == path


@pytest.mark.parametrize("name", ["", ">", "a>", ">a", "a>>b", "\\", "a\\b", "a\\"])
def test_a_name_that_stands_for_no_path_has_none(name: str):
    assert path_of(name) is None


def test_a_log_with_two_megabytes_of_attributes_comes_back_whole(tmp_path: Path, read: Any, as_export: Any):
    path = tmp_path / "log.xes"
    path.write_text("\n".join(published_like(400, 2_000_000)), encoding="utf-8")
    assert path.stat().st_size > 2_000_000
    log = read(path)
    header = [item for item in log.items if item.get("type") == "xes:log"]
    assert len({item["object"] for item in header}) > 2
    assert header[0]["object"] == HEADER_ID
    assert max(len(codec.encode(item)) for item in header) < TRANSACTION_BYTES / 4
    exported = as_export(log)
    data = write_xes(exported, flatten(exported))
    assert exported.leaves_out == {}
    assert said_by(data) == said_by(path.read_bytes())


def test_names_that_are_no_paths_are_written_as_they_are(tmp_path: Path, read: Any, as_export: Any):
    """As those of a log that was never XES: ``>`` nests nothing, there or when the export is read."""
    path = tmp_path / "log.json"
    path.write_text(
        """{"objectTypes": [{"name": "order", "attributes": [{"name": "a>b", "type": "string"}]}],
        "eventTypes": [{"name": "e", "attributes": [
          {"name": "a", "type": "string"}, {"name": "a>b", "type": "string"}]}],
        "objects": [{"id": "1", "type": "order", "attributes": [{"name": "a>b", "time": "0", "value": "x"}]}],
        "events": [{"id": "e1", "type": "e", "time": "2026-01-01T00:00:00Z",
          "attributes": [{"name": "a", "value": "1"}, {"name": "a>b", "value": "2"}],
          "relationships": [{"objectId": "1", "qualifier": ""}]}]}""",
        encoding="utf-8",
    )
    log = as_export(read(path))
    for _ in range(2):
        data = write_xes(log, flatten(log))
        assert log.leaves_out == {}
        path.write_bytes(data)
        log = as_export(read(path))
        assert log.events[0].attributes == {"a": "1", "a>b": "2"}
        assert [name for one in log.objects if one.type == "case" for name, _, _ in one.values] == ["a>b"]
        assert said_by(write_xes(log, flatten(log))) == said_by(data)


def test_what_a_file_had_and_the_ledger_has_not_is_counted_in_the_export(tmp_path: Path, read: Any, as_export: Any):
    path = tmp_path / "log.xes"
    time = '<date key="time:timestamp" value="2026-01-0{}T00:00:00Z"/>'
    event = f'<event><string key="concept:name" value="x"/>{time}</event>'
    trace = f'<trace><string key="concept:name" value="c"/>{event.format(2)}{event.format(1)}</trace>'
    path.write_text(f"<log>{trace * 2}</log>", encoding="utf-8")
    log = as_export(read(path))
    write_xes(log, flatten(log))
    assert log.leaves_out == {"moved_events": 2, "merged_traces": 1}
