"""Reading OCEL 2.0 JSON: everything arrives, everything odd is found."""

import copy
import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from coseal.formats.importers.log import BadLog
from coseal.formats.importers.mapping import load_mapping
from coseal.formats.importers.reader import read_log

LOG: dict[str, Any] = {
    "eventTypes": [
        {
            "name": "pay",
            "attributes": [
                {"name": "amount", "type": "float"},
                {"name": "count", "type": "integer"},
                {"name": "ok", "type": "boolean"},
                {"name": "note", "type": "string"},
                {"name": "due", "type": "time"},
            ],
        }
    ],
    "objectTypes": [{"name": "order", "attributes": [{"name": "status", "type": "string"}]}],
    "objects": [
        {
            "id": "o-1",
            "type": "order",
            "attributes": [
                {"name": "status", "time": "1970-01-01T00:00:00Z", "value": "new"},
                {"name": "status", "time": "2026-01-02T00:00:00Z", "value": "paid"},
            ],
            "relationships": [{"objectId": "o-2", "qualifier": "replaces"}],
        },
        {"id": "o-2", "type": "order"},
    ],
    "events": [
        {
            "id": "e-2",
            "type": "pay",
            "time": "2026-01-03T00:00:00Z",
            "attributes": [{"name": "amount", "value": 0.1}, {"name": "count", "value": "12"}],
            "relationships": [{"objectId": "o-1", "qualifier": "paid"}, {"objectId": "o-1", "qualifier": "closed"}],
        },
        {"id": "e-1", "type": "pay", "time": "2026-01-01T08:00:00+08:00", "relationships": []},
    ],
}


def read(tmp_path: Path, document: Any, *, zone: str | None = None):
    path = tmp_path / "log.json"
    path.write_text(document if isinstance(document, str) else json.dumps(document), encoding="utf-8")
    return read_log(path, load_mapping(None, path, zone))


def findings(tmp_path: Path, document: Any) -> list[tuple[str, int, str]]:
    with pytest.raises(BadLog) as caught:
        read(tmp_path, document)
    assert caught.value.exit_code == 1
    return [(finding.code, finding.count, finding.examples[0][0]) for finding in caught.value.findings]


def test_declarations_and_relations_come_first_then_everything_by_time(tmp_path: Path):
    log = read(tmp_path, LOG)
    assert log.items == (
        {"object": "o-1", "type": "order", "attributes": [["status", "1970-01-01T00:00:00Z", "new"]]},
        {"object": "o-2", "type": "order"},
        {"relation": ["order", "o-1"], "to": ["order", "o-2"], "qualifier": "replaces"},
        {"event": "e-1", "type": "pay", "time": "2026-01-01T08:00:00+08:00", "objects": []},
        {"change": "o-1", "type": "order", "attributes": [["status", "2026-01-02T00:00:00Z", "paid"]]},
        {
            "event": "e-2",
            "type": "pay",
            "time": "2026-01-03T00:00:00Z",
            "objects": [["order", "o-1", "paid"], ["order", "o-1", "closed"]],
            "attributes": {"amount": "0.1", "count": 12},
        },
    )
    assert log.counts() == {"events": 2, "declarations": 2, "changes": 1, "relations": 1}
    assert log.source == {"id": "log", "process_type": "log", "mode": "historical", "title": "log"}


def test_equal_times_keep_the_order_of_the_file_and_digits_below_a_ms_decide(tmp_path: Path):
    document = copy.deepcopy(LOG)
    times = ["2026-01-01T00:00:00.0005Z", "2026-01-01T00:00:00.0004Z", "2026-01-01T00:00:00Z", "2026-01-01T00:00:00Z"]
    document["events"] = [
        {"id": f"e{index}", "type": "pay", "time": time, "relationships": []} for index, time in enumerate(times)
    ]
    events = [item["event"] for item in read(tmp_path, document).items if "event" in item]
    assert events == ["e2", "e3", "e1", "e0"]


def test_the_round_trip_probe_loses_nothing(reference_data: Path):
    path = reference_data / "ocel2" / "roundtrip_probe.json"
    log = read_log(path, load_mapping(None, path))
    events = {item["event"]: item for item in log.items if "event" in item}
    assert [item["event"] for item in log.items if "event" in item] == ["e1", "e2"]
    assert events["e2"]["time"] == "2026-01-05T10:00:00.123456+08:00"
    assert events["e2"]["attributes"] == {
        "amount": 9007199254740993,
        "ok": True,
        "note": "贷款",
        "rate": "0.1",
        "due": "2026-02-01T00:00:00Z",
    }
    assert events["e1"]["attributes"] == {
        "amount": 5,
        "ok": False,
        "note": "",
        "rate": "1.0",
        "due": "2026-02-01T00:00:00Z",
    }
    assert ["party", "p-1", "payer"] in events["e2"]["objects"]
    assert ["party", "p-1", "applicant"] in events["e2"]["objects"]
    assert {
        "change": "app-1",
        "type": "application",
        "attributes": [["status", "2026-01-05T02:00:00Z", "submitted"]],
    } in (log.items)


def test_a_larger_log_is_read_whole(reference_data: Path):
    path = reference_data / "policy_cn" / "policy_cn.ocel2.json"
    log = read_log(path, load_mapping(None, path))
    assert log.counts()["events"] == 8_117
    assert log.counts()["declarations"] == 3_464 + 225


def test_a_packed_file_is_unpacked(tmp_path: Path):
    path = tmp_path / "log.json.gz"
    path.write_bytes(gzip.compress(json.dumps(LOG).encode()))
    assert read_log(path, load_mapping(None, path)).items == read(tmp_path, LOG).items


def event(**changed: Any) -> dict[str, Any]:
    document = copy.deepcopy(LOG)
    document["events"][0] |= changed
    return document


def objects(**changed: Any) -> dict[str, Any]:
    document = copy.deepcopy(LOG)
    document["objects"][0] |= changed
    return document


@pytest.mark.parametrize(
    ("document", "expected"),
    [
        (
            event(relationships=[{"objectId": "o-9", "qualifier": ""}]),
            ("dangling_event_object", 1, "events[0].relationships[0].objectId"),
        ),
        (
            objects(relationships=[{"objectId": "o-9", "qualifier": ""}]),
            ("dangling_object_object", 1, "objects[0].relationships[0].objectId"),
        ),
        (event(type="refund"), ("undeclared_type", 1, "events[0].type")),
        (event(id="e-1"), ("duplicate_id", 1, "events[1].id")),
        (event(id=7), ("bad_id", 1, "events[0].id")),
        (event(id=" e"), ("bad_id", 1, "events[0].id")),
        (event(time="2026-01-03T00:00:00"), ("no_offset", 1, "events[0].time")),
        (event(time="yesterday"), ("bad_value", 1, "events[0].time")),
        (
            event(attributes=[{"name": "colour", "value": "red"}]),
            ("undeclared_attribute", 1, "events[0].attributes[0]"),
        ),
        (event(attributes=[{"name": "count", "value": 1.5}]), ("bad_value", 1, "events[0].attributes[0].value")),
        (event(attributes=[{"name": "count", "value": "+5"}]), ("bad_value", 1, "events[0].attributes[0].value")),
        (event(attributes=[{"name": "count", "value": True}]), ("bad_value", 1, "events[0].attributes[0].value")),
        (event(attributes=[{"name": "count", "value": 2**63}]), ("bad_value", 1, "events[0].attributes[0].value")),
        (event(attributes=[{"name": "ok", "value": "yes"}]), ("bad_value", 1, "events[0].attributes[0].value")),
        (event(attributes=[{"name": "amount", "value": "1,5"}]), ("bad_value", 1, "events[0].attributes[0].value")),
        (event(attributes=[{"name": "note", "value": 5}]), ("bad_value", 1, "events[0].attributes[0].value")),
        (event(attributes=[{"name": "note", "value": "x" * 4_097}]), ("bad_value", 1, "events[0].attributes[0].value")),
        (event(attributes=[{"name": "due", "value": "soon"}]), ("bad_value", 1, "events[0].attributes[0].value")),
        (
            event(attributes=[{"name": "ok", "value": True}, {"name": "ok", "value": True}]),
            ("duplicate_attribute", 1, "events[0].attributes[1]"),
        ),
        (
            event(relationships=[{"objectId": "o-1", "qualifier": "a"}, {"objectId": "o-1", "qualifier": "a"}]),
            ("duplicate_relation", 1, "events[0].relationships[1]"),
        ),
        (event(colour="red"), ("unknown_field", 1, "events[0].colour")),
        (objects(id="o-2"), ("duplicate_id", 1, "objects[1].id")),
        (objects(type="invoice"), ("undeclared_type", 1, "objects[0].type")),
        ({**LOG, "version": 2}, ("unknown_field", 1, "version")),
        ({**LOG, "events": {}}, ("not_ocel", 1, "events")),
        ({**LOG, "events": [3]}, ("not_ocel", 1, "events[0]")),
        (
            {**LOG, "eventTypes": [*LOG["eventTypes"], {"name": "pay", "attributes": []}]},
            ("duplicate_type", 1, "eventTypes[1].name"),
        ),
        (
            {**LOG, "eventTypes": [{"name": "pay", "attributes": [{"name": "x", "type": "decimal"}]}]},
            ("bad_type", 1, "eventTypes[0].attributes[0]"),
        ),
        ([], ("not_ocel", 1, "")),
        ("{", ("not_json", 1, "")),
        ('{"events": NaN}', ("bad_value", 1, "NaN")),
        ('{"events": [], "events": []}', ("duplicate_key", 1, "events")),
    ],
)
def test_what_is_wrong_is_found_by_path_and_count(tmp_path: Path, document: Any, expected: tuple[str, int, str]):
    assert expected in findings(tmp_path, document)


def test_all_findings_are_counted_and_only_the_first_shown(tmp_path: Path):
    document = copy.deepcopy(LOG)
    document["events"] = [{"id": f"e{n}", "type": "nothing", "time": "2026-01-01T00:00:00Z"} for n in range(40)]
    with pytest.raises(BadLog, match="40 findings, nothing was recorded") as caught:
        read(tmp_path, document)
    (finding,) = caught.value.findings
    assert (finding.count, len(finding.examples)) == (40, 5)


def test_times_without_an_offset_are_read_with_a_zone_which_the_source_declares(tmp_path: Path):
    log = read(tmp_path, event(time="2026-01-03T00:00:00"), zone="+08:00")
    assert log.source["zone_minutes"] == 480
    assert [item["event"] for item in log.items if "event" in item] == ["e-1", "e-2"]


def test_what_the_contract_would_refuse_is_found_before_anything_is_sent(tmp_path: Path):
    document = copy.deepcopy(LOG)
    document["eventTypes"][0]["attributes"].append({"name": "phone", "type": "string"})
    assert findings(tmp_path, document) == [("personal_data", 1, "process type")]


def test_a_file_that_is_no_text_is_refused(tmp_path: Path):
    (tmp_path / "log.json").write_bytes(b"\xff\xfe")
    with pytest.raises(BadLog) as caught:
        read_log(tmp_path / "log.json", load_mapping(None, tmp_path / "log.json"))
    assert caught.value.findings[0].code == "not_utf8"
