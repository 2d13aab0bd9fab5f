"""Logs compared by what they say, and carried through a chain of contracts."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from coseal.contracts.process.types import normalised
from coseal.formats.exporters.log import ExportLog, log_of
from coseal.formats.importers.log import Log
from coseal.formats.importers.mapping import load_mapping
from coseal.formats.importers.reader import read_log


def _instant(text: str) -> tuple[int, str]:
    """Return a time's ms and the digits below, whatever its offset."""
    from coseal.contracts.kernel.dates import parse_time

    milliseconds = 0 if text == "0" else parse_time(text)
    assert milliseconds is not None, text
    fraction = text.partition(".")[2]
    digits = fraction[: len(fraction) - len(fraction.lstrip("0123456789"))][3:]
    return milliseconds, digits.rstrip("0")


def _value(kind: str, value: Any) -> Any:
    return _instant(value) if kind == "time" else value


def _said(log: ExportLog) -> dict[str, Any]:
    events = {
        event.id: (
            event.type,
            _instant(event.time),
            {name: _value(log.event_types[event.type][name], value) for name, value in event.attributes.items()},
            sorted(event.objects),
        )
        for event in log.events
    }
    objects = {
        one.id: (
            one.type,
            sorted(
                (_instant(time), name, str(_value(log.object_types[one.type][name], value)))
                for name, time, value in one.values
            ),
            sorted(one.relations),
        )
        for one in log.objects
    }
    return {
        "events": events,
        "objects": objects,
        "event_types": log.event_types,
        "object_types": log.object_types,
    }


@pytest.fixture(scope="session")
def said() -> Callable[[ExportLog], dict[str, Any]]:
    """What a log says, equal for two logs that mean the same: times as instants, sets without order."""
    return _said


@pytest.fixture(scope="session")
def as_export() -> Callable[[Log], ExportLog]:
    """The log that an imported log's items make, without a chain between."""

    def build(log: Log) -> ExportLog:
        zone = log.source.get("zone_minutes")
        rows = [("a/s", number, item, zone) for number, item in enumerate(log.items, start=1)]
        return log_of(normalised(log.definition), rows)

    return build


@pytest.fixture(scope="session")
def read() -> Callable[..., Log]:
    """``read(path, zone=None, map=None)``: a log, its format told by its content."""

    def run(path: Path, zone: str | None = None, map_file: Path | None = None) -> Log:
        return read_log(path, load_mapping(map_file, path, zone))

    return run
