"""Other readers read our exports whole, but for losses that are theirs on the original file too."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from coseal.formats.exporters.flat import flatten
from coseal.formats.exporters.log import ExportLog
from coseal.formats.exporters.ocel_json import write_ocel_json
from coseal.formats.exporters.ocel_sqlite import write_ocel_sqlite
from coseal.formats.exporters.ocel_xml import write_ocel_xml
from coseal.formats.exporters.xes import write_xes

WRITERS: dict[str, Callable[[ExportLog], bytes]] = {
    "json": write_ocel_json,
    "sqlite": write_ocel_sqlite,
    "xml": write_ocel_xml,
}
PROBE = Path(__file__).with_name("roundtrip_probe.json")
pytestmark = pytest.mark.filterwarnings("ignore")  # what the oracles warn of is theirs
REASON = "an oracle, in the extra of that name"


@pytest.mark.parametrize("ending", WRITERS)
def test_r4pm_reads_every_event_object_relation_and_change(
    ending: str, reference_data: Path, tmp_path: Path, read: Any, as_export: Any
):
    frames = pytest.importorskip("r4pm", reason=REASON).df
    for source, zone, counts in (
        (PROBE, None, (2, 2, 4, 1, 1)),
        (reference_data / "ocel2" / "order-management.sqlite", "+01:00", (18_211, 10_031, 35_857, 25_336, 120)),
        # its times are 0, at which r4pm ends with an error
        (reference_data / "ocel2" / "order-management.xml.gz", "+01:00", (18_211, 10_031, 35_857, 25_336, 120)),
    ):
        path = tmp_path / f"{source.stem}.{ending}"
        path.write_bytes(WRITERS[ending](as_export(read(source, zone))))
        found = frames.import_ocel(str(path))
        names = ("events", "objects", "relations", "o2o", "object_changes")
        assert tuple(len(found[name]) for name in names) == counts


def test_pm4py_finds_the_sqlite_encoding_valid(tmp_path: Path, read: Any, as_export: Any):
    validation = pytest.importorskip("pm4py.objects.ocel.validation.ocel20_rel_validation", reason=REASON)
    path = tmp_path / "log.sqlite"
    path.write_bytes(write_ocel_sqlite(as_export(read(PROBE))))
    satisfied, unsatisfied = validation.apply(str(path))
    assert (len(satisfied), unsatisfied) == (24, [])


def test_pm4py_reads_every_event_of_an_xes_export(reference_data: Path, tmp_path: Path, read: Any, as_export: Any):
    pm4py = pytest.importorskip("pm4py", reason=REASON)
    log = as_export(read(reference_data / "xes" / "receipt.xes.gz"))
    path = tmp_path / "log.xes"
    path.write_bytes(write_xes(log, flatten(log)))
    frame = pm4py.read_xes(str(path))
    assert (len(frame), frame["case:concept:name"].nunique(), frame["concept:name"].nunique()) == (8_577, 1_434, 27)
