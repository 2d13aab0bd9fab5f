"""Every encoding gives back what it was given: real files, and random logs."""

import gzip
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import Any

import pytest

from coseal.formats.exporters.flat import flatten
from coseal.formats.exporters.log import ExportLog
from coseal.formats.exporters.ocel_json import write_ocel_json
from coseal.formats.exporters.ocel_sqlite import write_ocel_sqlite
from coseal.formats.exporters.ocel_xml import write_ocel_xml
from coseal.formats.exporters.xes import write_xes
from tests.coseal.formats.xes_files import said_by
from tests.reference import reference

WRITERS: dict[str, Callable[[ExportLog], bytes]] = {
    "json": write_ocel_json,
    "sqlite": write_ocel_sqlite,
    "xml": write_ocel_xml,
}
FILES = [
    ("ocel2/roundtrip_probe.json", None),
    ("ocel2/pm4py_ocel20_example.jsonocel", None),
    ("ocel2/pm4py_ocel20_example.xmlocel", "+01:00"),
    ("ocel2/pm4py_ocel20_example.sqlite", "+01:00"),
    ("ocel1/p2p-2023.jsonocel.gz", None),
    ("xes/receipt.xes.gz", None),
]


Original = Callable[[str, str | None], tuple[ExportLog, dict[str, Any]]]


@pytest.fixture(scope="module")
def original(read: Any, as_export: Any, said: Any) -> Original:
    """A file as a log, and what it says; read once for all encodings, which come one after the other."""

    @lru_cache(maxsize=1)
    def original(name: str, zone: str | None) -> tuple[ExportLog, dict[str, Any]]:
        log = as_export(read(reference(name), zone))
        return log, said(log)

    return original


@pytest.mark.parametrize("ending", WRITERS)
@pytest.mark.parametrize(("name", "zone"), FILES)
def test_a_real_file_survives_each_encoding(
    name: str, zone: str | None, ending: str, tmp_path: Path, original: Original, read: Any, as_export: Any, said: Any
):
    log, says = original(name, zone)
    assert log.leaves_out == {}
    path = tmp_path / f"log.{ending}"
    path.write_bytes(WRITERS[ending](log))
    again = as_export(read(path))
    assert said(again) == says
    assert WRITERS[ending](again) == path.read_bytes()


def test_the_three_encodings_of_the_reference_example_say_the_same(
    reference_data: Path, read: Any, as_export: Any, said: Any
):
    folder = reference_data / "ocel2"
    logs = [
        said(as_export(read(folder / f"pm4py_ocel20_example.{ending}", zone)))
        for ending, zone in (("jsonocel", None), ("xmlocel", "+01:00"), ("sqlite", "+01:00"))
    ]
    assert logs[0] == logs[1] == logs[2]
    assert (len(logs[0]["events"]), len(logs[0]["objects"])) == (13, 9)


@pytest.mark.slow
def test_both_encodings_of_order_management_say_the_same_but_for_types_that_never_occur(
    reference_data: Path, tmp_path: Path, read: Any, as_export: Any, said: Any
):
    folder = reference_data / "ocel2"
    logs = [as_export(read(folder / f"order-management.{ending}", "+01:00")) for ending in ("sqlite", "xml.gz")]
    sqlite, xml = map(said, logs)
    path = tmp_path / "log.sqlite"
    path.write_bytes(write_ocel_sqlite(logs[1]))
    assert said(as_export(read(path))) == xml
    assert {time[:2] for one in logs[1].objects for _, time, _ in one.values} == {"19", "20"}
    assert sum(count for _, count in logs[1].zero_times()) == sum(len(one.zeros) for one in logs[1].objects) > 10_000
    assert (len(sqlite.pop("event_types")), len(xml.pop("event_types"))) == (11, 8)
    assert sqlite == xml
    assert (len(xml["events"]), len(xml["objects"])) == (18_211, 10_031)


@pytest.mark.parametrize("name", ["xes/receipt.xes.gz", "xes/running-example.xes"])
def test_a_real_xes_file_survives_with_its_header(
    name: str, reference_data: Path, tmp_path: Path, read: Any, as_export: Any, said: Any
):
    log = as_export(read(reference_data / name))
    path = tmp_path / "log.xes"
    path.write_bytes(write_xes(log, flatten(log)))
    assert log.leaves_out == {}
    original = (reference_data / name).read_bytes()
    assert said_by(path.read_bytes()) == said_by(gzip.decompress(original) if name.endswith(".gz") else original)
    again = as_export(read(path))
    assert said(again)["events"] == said(log)["events"]
    assert write_xes(again, flatten(again)) == path.read_bytes()
