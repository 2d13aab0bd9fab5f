"""Every strict finding of OCEL 2.0 SQLite and XML, XES, OCEL 1.0 and CloudEvents, with small files."""

import copy
import gzip
import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from coseal.errors import CosealError
from coseal.formats.importers.header import header_of
from coseal.formats.importers.log import BadLog, Log
from coseal.formats.importers.mapping import Options, load_mapping
from coseal.formats.importers.reader import format_of, read_log


def read(path: Path, zone: str | None = None) -> Log:
    return read_log(path, load_mapping(None, path, zone))


def findings(path: Path, zone: str | None = None) -> list[tuple[str, int, str]]:
    with pytest.raises(BadLog) as caught:
        read(path, zone)
    assert caught.value.exit_code == 1
    return [(finding.code, finding.count, finding.examples[0][0]) for finding in caught.value.findings]


# OCEL 2.0 SQLite

SQL = """
CREATE TABLE event_map_type (ocel_type TEXT, ocel_type_map TEXT);
CREATE TABLE object_map_type (ocel_type TEXT, ocel_type_map TEXT);
CREATE TABLE event (ocel_id TEXT, ocel_type TEXT);
CREATE TABLE object (ocel_id TEXT, ocel_type TEXT);
CREATE TABLE event_object (ocel_event_id TEXT, ocel_object_id TEXT, ocel_qualifier TEXT);
CREATE TABLE object_object (ocel_source_id TEXT, ocel_target_id TEXT, ocel_qualifier TEXT);
CREATE TABLE event_Pay (ocel_id TEXT, ocel_time TIMESTAMP, amount REAL, count INTEGER, ok BOOLEAN, due TIMESTAMP);
CREATE TABLE object_Order (ocel_id TEXT, ocel_time TIMESTAMP, ocel_changed_field TEXT, status TEXT, total DOUBLE);
INSERT INTO event_map_type VALUES ('pay', 'Pay');
INSERT INTO object_map_type VALUES ('order', 'Order');
INSERT INTO event VALUES ('e1', 'pay');
INSERT INTO object VALUES ('7', 'order');
INSERT INTO event_object VALUES ('e1', '7', 'of');
INSERT INTO object_object VALUES ('7', '7', NULL);
INSERT INTO event_Pay VALUES ('e1', '2026-01-02 03:04:05.678901+00:00', 0.1, 5, 1, '2026-02-01T00:00:00Z');
INSERT INTO object_Order VALUES (7, '0', NULL, 'new', 1e-5);
INSERT INTO object_Order VALUES ('7', '2026-01-02 00:00:00Z', 'status', 'paid', NULL);
"""


def database(tmp_path: Path, more: str = "") -> Path:
    path = tmp_path / "log.sqlite"
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(SQL + more)
    return path


def test_a_sqlite_file_is_read_whole(tmp_path: Path):
    assert read(database(tmp_path)).items == (
        {"object": "7", "type": "order", "attributes": [["status", "0", "new"], ["total", "0", "1e-05"]]},
        {"relation": ["order", "7"], "to": ["order", "7"]},
        {"change": "7", "type": "order", "attributes": [["status", "2026-01-02 00:00:00Z", "paid"]]},
        {
            "event": "e1",
            "type": "pay",
            "time": "2026-01-02 03:04:05.678901+00:00",
            "objects": [["order", "7", "of"]],
            "attributes": {"amount": "0.1", "count": 5, "ok": True, "due": "2026-02-01T00:00:00Z"},
        },
    )


def test_a_sqlite_file_whose_text_is_not_utf8_is_refused(tmp_path: Path):
    path = database(tmp_path)
    path.write_bytes(path.read_bytes().replace(b"tableevent_objectevent", b"tableevent_objec\xcaevent"))
    assert findings(path)[0][0] == "not_utf8"


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        (
            "INSERT INTO event_object VALUES ('e1', 'x', '')",
            ("dangling_event_object", "event_object[2].ocel_object_id"),
        ),
        ("INSERT INTO event_object VALUES ('x', '7', '')", ("dangling_event", "event_object[2].ocel_event_id")),
        ("INSERT INTO event_object VALUES ('e1', '7', 'of')", ("duplicate_relation", "event_object[2]")),
        ("INSERT INTO event_object VALUES ('e1', '7', 5)", ("duplicate_relation", None)),
        (
            "INSERT INTO object_object VALUES ('7', 'x', '')",
            ("dangling_object_object", "object_object[2].ocel_target_id"),
        ),
        (
            "INSERT INTO object_object VALUES ('x', '7', '')",
            ("dangling_object_object", "object_object[2].ocel_source_id"),
        ),
        ("INSERT INTO object_object VALUES ('7', '7', '')", ("duplicate_relation", "object_object[2]")),
        ("INSERT INTO object VALUES ('7', 'order')", ("duplicate_id", "object[2].ocel_id")),
        ("INSERT INTO object VALUES ('8', 'ship')", ("undeclared_type", "object[2].ocel_type")),
        ("INSERT INTO event VALUES ('e2', 'pay')", ("missing_row", "event[2].ocel_id")),
        ("INSERT INTO event VALUES ('e2', 'ship')", ("undeclared_type", None)),
        ("INSERT INTO event_Pay VALUES ('e9', '2026-01-01Z', 1, 1, 1, NULL)", ("dangling_row", "event_Pay[2].ocel_id")),
        ("INSERT INTO event_Pay SELECT * FROM event_Pay", ("duplicate_id", "event_Pay[2].ocel_id")),
        ("INSERT INTO object_Order VALUES ('9', '0', NULL, 'x', 1)", ("dangling_row", "object_Order[3].ocel_id")),
        (
            "INSERT INTO object_Order VALUES ('7', '2026-01-03Z', 'status', 'x', 1)",
            ("bad_change", "object_Order[3].ocel_changed_field"),
        ),
        (
            "INSERT INTO object_Order VALUES ('7', '2026-01-03T00:00:00Z', 'other', 'x', NULL)",
            ("bad_change", "object_Order[3].ocel_changed_field"),
        ),
        ("UPDATE event_Pay SET ocel_time = 'soon'", ("bad_value", "event_Pay[1].ocel_time")),
        ("UPDATE event_Pay SET ocel_time = '2026-01-02 03:04:05'", ("no_offset", "event_Pay[1].ocel_time")),
        ("UPDATE event_Pay SET ocel_time = NULL", ("bad_value", "event_Pay[1].ocel_time")),
        ("UPDATE event_Pay SET count = 5.5", ("bad_value", "event_Pay[1].count")),
        ("UPDATE event_Pay SET amount = 'x'", ("bad_value", "event_Pay[1].amount")),
        ("UPDATE event_Pay SET amount = 9e999", ("bad_value", "event_Pay[1].amount")),
        ("UPDATE event_Pay SET ok = 2", ("bad_value", "event_Pay[1].ok")),
        ("UPDATE event_Pay SET due = x'00'", ("bad_value", "event_Pay[1].due")),
        ("UPDATE object_Order SET status = x'00'", ("bad_value", "object_Order[1].status")),
        ("UPDATE object SET ocel_id = ' 7 '", ("bad_id", "object[1].ocel_id")),
        ("CREATE TABLE other (x); INSERT INTO other VALUES (1)", ("unknown_table", "other")),
        ("ALTER TABLE event ADD COLUMN more TEXT", ("unknown_field", "event.more")),
        ("ALTER TABLE event_Pay ADD COLUMN more GEOMETRY", ("bad_type", "event_Pay.more")),
        ("DROP TABLE object_object", ("missing_table", "object_object")),
        ("DROP TABLE event_Pay", ("missing_table", "event_Pay")),
        ("ALTER TABLE event DROP COLUMN ocel_type", ("missing_column", "event.ocel_type")),
        ("ALTER TABLE event_Pay DROP COLUMN ocel_time", ("missing_column", "event_Pay.ocel_time")),
        ("INSERT INTO event_map_type VALUES ('pay too', 'Pay')", ("duplicate_type", "event_map_type[2]")),
        ("UPDATE event SET ocel_id = CAST(x'ff' AS TEXT)", ("not_sqlite", "")),
        (
            "PRAGMA writable_schema = ON; UPDATE sqlite_master SET name = CAST(name AS BLOB) WHERE name = 'event'",
            ("missing_table", "event"),
        ),
    ],
)
def test_what_is_wrong_in_sqlite_is_found(more: str, expected: tuple[str, str | None], tmp_path: Path):
    if "VALUES ('e1', '7', 5)" in more:  # a TEXT column keeps 5 as a text: a second qualifier, nothing wrong
        objects = [item["objects"] for item in read(database(tmp_path, more)).items if "event" in item]
        assert objects == [[["order", "7", "of"], ["order", "7", "5"]]]
        return
    found = findings(database(tmp_path, more))
    assert expected[0] in [code for code, _, _ in found]
    if expected[1] is not None:
        assert (expected[0], 1, expected[1]) in [(code, 1, path) for code, _, path in found]


def test_an_empty_table_beside_and_a_missing_object_row_lose_nothing(tmp_path: Path):
    path = database(tmp_path, "CREATE TABLE other (x); INSERT INTO object VALUES ('8', 'order')")
    assert {"object": "8", "type": "order"} in read(path).items


def test_what_is_no_database_is_refused_without_being_opened(tmp_path: Path):
    path = database(tmp_path)
    data = path.read_bytes()
    path.write_bytes(data[:5000])
    assert findings(path)[0][0] == "not_sqlite"
    path.write_bytes(data[:100] + b"\xff" * (len(data) - 100))
    assert findings(path)[0][0] == "not_sqlite"
    path.write_bytes(b"plain text")
    with pytest.raises(BadLog):
        read_log(path, load_mapping(None, path), "ocel-sqlite")


def test_a_table_that_computes_is_not_run(tmp_path: Path):
    more = "CREATE VIRTUAL TABLE searched USING fts5(x)"
    assert ("unknown_table", 1) in [(code, 1) for code, _, _ in findings(database(tmp_path, more))]
    more = "ALTER TABLE event_Pay ADD COLUMN note TEXT AS (upper('x'))"
    (tmp_path / "log.sqlite").unlink()
    assert [item for item in read(database(tmp_path, more)).items if "note" in item.get("attributes", {})] == []


def test_a_database_in_write_ahead_mode_is_read(tmp_path: Path):
    path = database(tmp_path, "PRAGMA journal_mode = WAL; PRAGMA wal_checkpoint(TRUNCATE);")
    assert path.read_bytes()[18:20] == b"\x02\x02"
    assert len(read(path).items) == 4


def test_the_defective_file_is_refused_with_all_its_dangling_references(reference_data: Path):
    path = reference_data / "ocel2" / "container-logistics_DEFECTIVE.sqlite"
    assert sorted(findings(path, "+01:00")) == [
        ("dangling_event_object", 5_080, "event_object[7].ocel_object_id"),
        ("dangling_object_object", 2_540, "object_object[6].ocel_target_id"),
    ]


# OCEL 2.0 XML

XML = """<?xml version='1.0' encoding='UTF-8'?>
<log>
  <object-types><object-type name="order">
    <attributes><attribute name="status" type="string"/></attributes></object-type></object-types>
  <event-types><event-type name="pay"><attributes><attribute name="n" type="integer"/></attributes></event-type>
  </event-types>
  <objects>
    <object id="o1" type="order">
      <attributes><attribute name="status" time="0">a &amp; b&#10;</attribute></attributes>
      <objects><relationship object-id="o1" qualifier="q"/></objects>
    </object>
  </objects>
  <events>
    <event id="e1" type="pay" time="2026-01-02T00:00:00Z">
      <attributes><attribute name="n">5</attribute></attributes>
      <objects><object object-id="o1" qualifier="q"/></objects>
    </event>
  </events>
</log>"""


@pytest.mark.parametrize("encoding", ["F", "utf-7", "shift_jis"])
def test_xml_in_an_encoding_that_is_not_known_is_refused(tmp_path: Path, encoding: str):
    assert findings(xml(tmp_path, "UTF-8", encoding))[0][0] == "not_xml"


def xml(tmp_path: Path, old: str = "", new: str = "") -> Path:
    assert old in XML
    path = tmp_path / "log.xmlocel"
    path.write_text(XML.replace(old, new, 1) if old else XML, encoding="utf-8")
    return path


def test_an_xml_file_is_read_whole_and_references_may_be_written_in_two_ways(tmp_path: Path):
    assert read(xml(tmp_path)).items == (
        {"object": "o1", "type": "order", "attributes": [["status", "0", "a & b\n"]]},
        {"relation": ["order", "o1"], "to": ["order", "o1"], "qualifier": "q"},
        {
            "event": "e1",
            "type": "pay",
            "time": "2026-01-02T00:00:00Z",
            "objects": [["order", "o1", "q"]],
            "attributes": {"n": 5},
        },
    )


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        (
            '<object object-id="o1"',
            '<object object-id="x"',
            ("dangling_event_object", "events/event[1]/objects/object[1]/@object-id"),
        ),
        (
            '<relationship object-id="o1"',
            '<relationship object-id="x"',
            ("dangling_object_object", "objects/object[1]/objects/relationship[1]/@object-id"),
        ),
        ('id="e1" type="pay"', 'id="e1" type="x"', ("undeclared_type", "events/event[1]/@type")),
        ('id="e1" type="pay"', 'type="pay"', ("bad_id", "events/event[1]/@id")),
        ('time="2026-01-02T00:00:00Z"', 'time="2026-01-02T00:00:00"', ("no_offset", "events/event[1]/@time")),
        ('time="2026-01-02T00:00:00Z"', "", ("bad_value", "events/event[1]/@time")),
        ('time="0"', "", ("bad_value", "objects/object[1]/attributes/attribute[1]/@time")),
        (">5<", "> 5<", ("bad_value", "events/event[1]/attributes/attribute[1]")),
        ('name="n">', 'name="m">', ("undeclared_attribute", "events/event[1]/attributes/attribute[1]")),
        ('type="integer"', 'type="int"', ("bad_type", "event-types/event-type[1]/attributes/attribute[1]")),
        ('<object id="o1"', '<object id="o1" more="1"', ("unknown_field", "objects/object[1]/@more")),
        ("<events>", "<events>text", ("unknown_text", "log/events[1]")),
        ("<events>", "<more/><events>", ("unknown_element", "more")),
        ("<events>", '<events version="2">', ("unknown_field", "events/@version")),
        ("<log>", '<log name="x">', ("unknown_field", "log/@name")),
        ("<events>", "<events><thing/>", ("unknown_element", "events/thing")),
        (
            "</attributes>\n      <objects><object",
            "</attributes><thing/>\n      <objects><object",
            ("unknown_element", "events/event[1]/thing"),
        ),
        ("</log>", "", ("not_xml", "line 19, column 0")),
        ("<log>", '<!DOCTYPE log [<!ENTITY a "b">]><log>', ("has_dtd", "line 2")),
        ("<log>", '<!DOCTYPE log SYSTEM "http://example.org/x.dtd"><log>', ("has_dtd", "line 2")),
        ("<events>", "<events>" + "<x>" * 80 + "</x>" * 80, ("too_deep", None)),
    ],
)
def test_what_is_wrong_in_xml_is_found(old: str, new: str, expected: tuple[str, str | None], tmp_path: Path):
    found = findings(xml(tmp_path, old, new))
    assert expected[0] in [code for code, _, _ in found], found
    if expected[1] is not None:
        assert expected in [(code, path) for code, _, path in found], found


# XES

XES = """<?xml version="1.0"?>
<log xes.version="1849.2016" xmlns="http://www.xes-standard.org/">
  <extension name="Concept" prefix="concept" uri="http://www.xes-standard.org/concept.xesext"/>
  <global scope="event"><string key="concept:name" value="?"/></global>
  <classifier name="Activity" keys="concept:name"/>
  <float key="mean" value="4.13"><float key="A" value="1.0"/></float>
  <trace>
    <string key="concept:name" value="c1"/><int key="rank" value="3"/>
    <event>
      <string key="concept:name" value="pay"/><date key="time:timestamp" value="2026-01-02T00:00:00.500+01:00"/>
      <float key="amount" value="0.10"><string key="unit" value="EUR"/></float><id key="ref" value="u-1"/>
    </event>
  </trace>
  <trace><string key="concept:name" value="c2"/></trace>
</log>"""


def xes(tmp_path: Path, old: str = "", new: str = "") -> Path:
    assert old in XES
    path = tmp_path / "log.xes"
    path.write_text(XES.replace(old, new, 1) if old else XES, encoding="utf-8")
    return path


def test_an_xes_file_is_read_whole(tmp_path: Path):
    log = read(xes(tmp_path))
    header, first, second, event = log.items
    assert (first["object"], second["object"]) == ("c1", "c2")
    assert first["attributes"] == [["rank", "1970-01-01T00:00:00Z", 3]]
    assert event == {
        "event": "event-1",
        "type": "pay",
        "time": "2026-01-02T00:00:00.500+01:00",
        "objects": [["case", "c1"]],
        "attributes": {"amount": "0.10", "amount>unit": "EUR", "ref": "u-1"},
    }
    kept = header_of(("log", name, value) for name, _, value in header["attributes"])
    assert kept is not None
    assert kept["attributes"] == [["float", "mean", "4.13", [["float", "A", "1.0", []]]]]
    assert kept["classifiers"] == [{"name": "Activity", "keys": "concept:name"}]
    assert kept["kinds"] == [["pay", "ref", "id"]]
    assert kept["not_kept"] == {}


def test_an_event_outside_traces_has_no_case_and_two_traces_of_one_name_are_one(tmp_path: Path):
    event = (
        '<event><string key="concept:name" value="x"/><date key="time:timestamp" value="2026-01-01T00:00:00Z"/></event>'
    )
    log = read(xes(tmp_path, "</log>", event + "</log>"))
    assert {"event": "event-2", "type": "x", "time": "2026-01-01T00:00:00Z", "objects": []} in log.items
    log = read(xes(tmp_path, 'value="c2"', 'value="c1"'))
    assert log.counts()["declarations"] == 2
    assert log.notes == ("1 traces bear the name of an earlier one: one case on the ledger",)


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ('<string key="concept:name" value="c1"/>', "", ("no_case", "trace[1]")),
        ('<string key="concept:name" value="pay"/>', "", ("no_activity", "trace[1].event[1]")),
        ('<date key="time:timestamp" value="2026-01-02T00:00:00.500+01:00"/>', "", ("no_time", "trace[1].event[1]")),
        (".500+01:00", ".500", ("no_offset", "trace[1].event[1].time:timestamp")),
        ('value="0.10"', 'value="NaN"', ("bad_value", "trace[1].event[1].amount")),
        ('<int key="rank" value="3"/>', '<int key="rank" value="3.5"/>', ("bad_value", "trace[1].rank")),
        (
            '<id key="ref" value="u-1"/>',
            '<id key="amount" value="1"/>',
            ("duplicate_attribute", "trace[1].event[1].amount"),
        ),
        ('<id key="ref" value="u-1"/>', '<list key="l"/>', ("unknown_element", "trace[1].event[1].l")),
        ('<id key="ref" value="u-1"/>', '<id key="ref"/>', ("unknown_element", "trace[1].event[1].ref")),
        (
            '<id key="ref" value="u-1"/>',
            '<id key="ref" value="1" x="2"/>',
            ("unknown_field", "trace[1].event[1].ref@x"),
        ),
        ('value="c2"/></trace>', 'value="c2"/><float key="rank" value="1"/></trace>', ("mixed_types", "trace[2].rank")),
        ('value="c2"', 'value="c2 "', ("bad_id", "trace[2].concept:name")),
        ("<classifier", "<thing/><classifier", ("unknown_element", "thing")),
        ('key="A" value="1.0"', 'key="A" value="1.0" unit="s"', ("unknown_field", "log.mean.A@unit")),
        ('value="4.13">', 'value="4.13">text', ("unknown_text", "log/float[1]")),
        ('value="1.0"/></float>', 'value="1.0">text</float></float>', ("unknown_text", "log.mean.A")),
        ("<event>", '<event id="1">', ("unknown_field", "trace[1].event[1]@id")),
        ("<event>", "<event>text", ("unknown_text", "log/trace[1]/event[1]")),
        ('value="?"/></global>', 'value="?" x="1"/></global>', ("unknown_field", "global.concept:name@x")),
        ("</log>", "<!-- end -->", ("not_xml", None)),
        ("<log ", "<!DOCTYPE log><log ", ("has_dtd", "line 2")),
    ],
)
def test_what_is_wrong_in_xes_is_found(old: str, new: str, expected: tuple[str, str | None], tmp_path: Path):
    found = findings(xes(tmp_path, old, new))
    assert expected[0] in [code for code, _, _ in found], found
    if expected[1] is not None:
        assert expected in [(code, path) for code, _, path in found], found


def test_an_id_of_an_event_is_kept_and_stands_once(tmp_path: Path):
    own = '<id key="identity:id" value="e-9"/><id key="ref" value="u-1"/>'
    assert read(xes(tmp_path, '<id key="ref" value="u-1"/>', own)).items[-1]["event"] == "e-9"
    event = '<event><string key="concept:name" value="x"/><date key="time:timestamp" value="2026-01-01T00:00:00Z"/>'
    twice = f'{event}<id key="identity:id" value="a"/></event>' * 2
    assert findings(xes(tmp_path, "</log>", twice + "</log>")) == [("duplicate_id", 1, "event[3].identity:id")]
    named = f'{event}<id key="identity:id" value="event-1"/></event>'
    assert findings(xes(tmp_path, "</log>", named + "</log>")) == [("duplicate_id", 1, "event[2]")]


def test_an_id_stays_where_the_file_has_it(tmp_path: Path):
    """``identity:id`` beside the id that an export gave, with a value in it, or twice."""
    both = '<string key="coseal:event_id" value="e-1"/><string key="identity:id" value="u-9">'
    both += '<int key="n" value="1"/></string>'
    event = read(xes(tmp_path, '<id key="ref" value="u-1"/>', both)).items[-1]
    assert event["event"] == "e-1"
    assert event["attributes"] == {"amount": "0.10", "amount>unit": "EUR", "identity:id": "u-9", "identity:id>n": 1}
    twice = '<id key="identity:id" value="a"/><id key="identity:id" value="b"/>'
    found = findings(xes(tmp_path, '<id key="ref" value="u-1"/>', twice))
    assert found == [("duplicate_attribute", 1, "trace[1].event[1].identity:id")]


def test_events_that_the_order_of_time_moves_are_counted(tmp_path: Path):
    event = '<event><string key="concept:name" value="x"/><date key="time:timestamp" value="{}"/></event>'
    rows = "".join(event.format(f"2026-01-0{day}T00:00:00Z") for day in (3, 1, 3, 2, 4))
    log = read(
        xes(
            tmp_path,
            '<trace><string key="concept:name" value="c2"/>',
            f'<trace><string key="concept:name" value="c2"/>{rows}',
        )
    )
    assert log.notes == ("2 events stood after a later one of their trace: the ledger has them in the order of time",)
    days = [item["time"][:10] for item in log.items if item.get("type") == "x"]
    assert days == sorted(days)


def test_the_attributes_of_a_log_are_left_out_on_request_and_counted(tmp_path: Path):
    path = xes(tmp_path)
    log = read_log(path, load_mapping(None, path, options=Options(log_attributes="leave-out")))
    kept = header_of(("log", name, value) for name, _, value in log.items[0]["attributes"])
    assert kept is not None
    assert (kept["attributes"], kept["not_kept"]) == ([], {"log_attributes": 1})
    assert log.notes == ("1 attributes of the log are left out, as was asked",)
    with pytest.raises(CosealError, match="log_attributes is for XES"):
        read_log(xml(tmp_path), load_mapping(None, path, options=Options(log_attributes="leave-out")))


def test_a_header_that_is_too_large_says_how_to_import_the_log(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("coseal.formats.importers.header.CHARACTERS_MAX", 100)
    with pytest.raises(BadLog) as caught:
        read(xes(tmp_path))
    (finding,) = caught.value.findings
    assert (finding.code, finding.count) == ("header_too_large", 1)
    assert finding.advice.startswith("--log-attributes leave-out imports the log without them")


# OCEL 1.0

OCEL1: dict[str, Any] = {
    "ocel:global-log": {
        "ocel:object-types": ["order", "unused"],
        "ocel:attribute-names": ["n", "s"],
        "ocel:version": "1.0",
    },
    "ocel:global-event": {"ocel:activity": "?"},
    "ocel:events": {
        "e1": {
            "ocel:activity": "pay",
            "ocel:timestamp": "2026-01-02T00:00:00+02:00",
            "ocel:omap": ["o1"],
            "ocel:vmap": {"n": 0.10, "s": "x"},
        }
    },
    "ocel:objects": {"o1": {"ocel:type": "order", "ocel:ovmap": {"n": 5}}},
}


def ocel1(tmp_path: Path, path: str = "", value: Any = None) -> Path:
    document = copy.deepcopy(OCEL1)
    *outer, last = path.split("/") if path else [""]
    target = document
    for name in outer:
        target = target[name]
    if path:
        target[last] = value
    file = tmp_path / "log.jsonocel.gz"
    file.write_bytes(gzip.compress(json.dumps(document).encode()))
    return file


def test_an_ocel1_file_is_read_whole(tmp_path: Path):
    log = read(ocel1(tmp_path))
    assert log.items[1:] == (
        {"object": "o1", "type": "order", "attributes": [["n", "1970-01-01T00:00:00Z", "5"]]},
        {
            "event": "e1",
            "type": "pay",
            "time": "2026-01-02T00:00:00+02:00",
            "objects": [["order", "o1"]],
            "attributes": {"n": "0.1", "s": "x"},
        },
    )
    assert "unused" in log.definition["object_types"]
    kept = header_of(("log", name, value) for name, _, value in log.items[0]["attributes"])
    assert kept == {name: row for name, row in OCEL1.items() if "global" in name}


@pytest.mark.parametrize(
    ("path", "value", "expected"),
    [
        ("ocel:events/e1/ocel:omap", ["x"], ("dangling_event_object", "ocel:events.e1.ocel:omap[0]")),
        ("ocel:events/e1/ocel:omap", ["o1", "o1"], ("duplicate_relation", "ocel:events.e1.ocel:omap[1]")),
        ("ocel:events/e1/ocel:timestamp", "2026-01-02T00:00:00", ("no_offset", "ocel:events.e1.ocel:timestamp")),
        ("ocel:events/e1/ocel:vmap/n", None, ("bad_value", "ocel:events.e1.ocel:vmap.n")),
        ("ocel:events/e1/more", 1, ("unknown_field", "ocel:events.e1.more")),
        ("ocel:events/e2", [], ("not_ocel", "ocel:events.e2")),
        ("ocel:objects/o1/ocel:type", "ship", ("undeclared_type", "ocel:objects.o1.ocel:type")),
        (
            "ocel:objects/o2",
            {"ocel:type": "order", "ocel:ovmap": {"n": "x"}},
            ("mixed_types", "ocel:objects.o2.ocel:ovmap.n"),
        ),
        ("ocel:more", {}, ("unknown_field", "ocel:more")),
        ("ocel:objects", [], ("not_ocel", "ocel:objects")),
        ("ocel:global-log/ocel:object-types", 1, ("not_ocel", "ocel:global-log.ocel:object-types")),
    ],
)
def test_what_is_wrong_in_ocel1_is_found(path: str, value: Any, expected: tuple[str, str], tmp_path: Path):
    assert expected in [(code, where) for code, _, where in findings(ocel1(tmp_path, path, value))]


def test_an_attribute_that_ocel1_does_not_declare_is_a_note(tmp_path: Path):
    log = read(ocel1(tmp_path, "ocel:events/e1/ocel:vmap/other", 1))
    assert log.items[-1]["attributes"] == {"n": "0.1", "s": "x", "other": "1"}
    (note,) = log.notes
    assert note == "1 values are of attributes that ocel:attribute-names does not list, recorded as all: other"
    log = read(ocel1(tmp_path, "ocel:global-log/ocel:attribute-names", []))
    assert [(note[:8], note[-6:]) for note in log.notes] == [("3 values", ": n, s")]


OCEL1_XML = """<?xml version="1.0"?>
<log>
  <global scope="log">
    <list key="attribute-names"><string key="attribute-name" value="n"/><string key="attribute-name" value="s"/></list>
    <list key="object-types"><string key="object-type" value="order"/></list>
    <string key="version" value="1.0"/>
  </global>
  <global scope="event"><string key="activity" value="?"/></global>
  <events>
    <event>
      <string key="id" value="e1"/><string key="activity" value="pay"/>
      <date key="timestamp" value="2026-01-02T00:00:00+02:00"/>
      <list key="omap"><string key="object-id" value="o1"/></list>
      <list key="vmap"><float key="n" value="0.10"/><date key="s" value="2026-01-03T00:00:00Z"/></list>
    </event>
  </events>
  <objects>
    <object>
      <string key="id" value="o1"/><string key="type" value="order"/>
      <list key="ovmap"><int key="n" value="5"/></list>
    </object>
  </objects>
</log>"""


def ocel1_xml(tmp_path: Path, old: str = "", new: str = "") -> Path:
    assert old in OCEL1_XML
    path = tmp_path / "log1.xmlocel"
    path.write_text(OCEL1_XML.replace(old, new, 1) if old else OCEL1_XML, encoding="utf-8")
    return path


def test_an_ocel1_xml_file_is_read_whole_and_with_its_types(tmp_path: Path):
    log = read(ocel1_xml(tmp_path))
    assert log.items[1:] == (
        {"object": "o1", "type": "order", "attributes": [["n", "1970-01-01T00:00:00Z", 5]]},
        {
            "event": "e1",
            "type": "pay",
            "time": "2026-01-02T00:00:00+02:00",
            "objects": [["order", "o1"]],
            "attributes": {"n": "0.10", "s": "2026-01-03T00:00:00Z"},
        },
    )
    assert log.definition["event_types"] == {"pay": {"attributes": {"n": "decimal", "s": "time"}}}
    kept = header_of(("log", name, value) for name, _, value in log.items[0]["attributes"])
    assert kept is not None
    assert kept["ocel:global-log"]["ocel:attribute-names"] == ["n", "s"]
    assert kept["ocel:global-event"] == {"ocel:activity": "?"}


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ('value="o1"/></list>', 'value="x"/></list>', ("dangling_event_object", "ocel:events.e1.ocel:omap[0]")),
        ('<string key="id" value="e1"/>', "", ("no_id", "events/event[1]")),
        ('value="0.10"/>', 'value="0.10"/><int key="n" value="1"/>', ("duplicate_attribute", "events/event[1]/vmap/n")),
        ('<list key="vmap">', '<list key="more"/><list key="vmap">', ("unknown_element", "events/event[1]/more")),
        ('<list key="vmap">', '<list key="vmap">text', ("unknown_text", "log/events[1]/event[1]/list[2]")),
        ('value="0.10"/>', 'value="0.10">text</float>', ("unknown_text", "events/event[1]/vmap/n")),
        ('value="0.10"', 'value="0.10" unit="EUR"', ("unknown_field", "events/event[1]/vmap/n/@unit")),
        (
            "</objects>",
            '<object><string key="id" value="o1"/></object></objects>',
            ("duplicate_id", "objects/object[2]"),
        ),
        ("<events>", "<trace/><events>", ("unknown_element", "trace")),
    ],
)
def test_what_is_wrong_in_ocel1_xml_is_found(old: str, new: str, expected: tuple[str, str], tmp_path: Path):
    assert expected in [(code, where) for code, _, where in findings(ocel1_xml(tmp_path, old, new))]


# CloudEvents

EVENT = {
    "specversion": "1.0",
    "id": "e1",
    "source": "urn:s",
    "type": "pay",
    "time": "2026-01-02T00:00:00Z",
    "subject": "order/7",
    "sequence": 1,
    "data": {"amount": 35, "note": "x"},
}
SECOND = {**EVENT, "id": "e2", "sequence": "2", "data": {"amount": 0.10, "ok": True}}


def lines(tmp_path: Path, *events: Any, batch: bool = False) -> Path:
    path = tmp_path / "log.ndjson"
    path.write_text(json.dumps(events) if batch else "\n".join(map(json.dumps, events)) + "\n", encoding="utf-8")
    return path


@pytest.mark.parametrize("batch", [False, True])
def test_events_in_a_file_are_one_source(batch: bool, tmp_path: Path):
    log = read(lines(tmp_path, EVENT, SECOND, batch=batch))
    assert log.source["id"] == "urn:s"
    assert [item["attributes"] for item in log.items] == [{"amount": "35", "note": "x"}, {"amount": "0.1", "ok": True}]
    assert log.definition["event_types"]["pay"]["attributes"] == {
        "amount": "decimal",
        "note": "string",
        "ok": "boolean",
    }


@pytest.mark.parametrize(
    ("events", "expected"),
    [
        ([EVENT, {**SECOND, "sequence": 3}], ("sequence", "event 2.sequence")),
        ([SECOND], ("sequence", "event 1.sequence")),
        ([EVENT, {**SECOND, "source": "urn:t"}], ("other_source", "event 2.source")),
        ([EVENT, {**SECOND, "data": {"amount": "x"}}], ("mixed_types", "event 2.data.amount")),
        ([EVENT, {**SECOND, "data": {"more": {"a": 1}}}], ("bad_value", "event 2.data.more")),
        ([EVENT, {**SECOND, "specversion": "0.3"}], ("bad_event", "line 2.specversion")),
        ([EVENT, {**SECOND, "time": None}], ("bad_event", "line 2.time")),
    ],
)
def test_what_is_wrong_in_events_is_found(events: list[Any], expected: tuple[str, str], tmp_path: Path):
    assert expected in [(code, where) for code, _, where in findings(lines(tmp_path, *events))]


# Which format it is


def test_the_content_tells_the_format_whatever_the_name(tmp_path: Path, reference_data: Path):
    made = {
        "ocel-sqlite": database(tmp_path),
        "ocel-xml": xml(tmp_path),
        "xes": xes(tmp_path),
        "ocel1-json": ocel1(tmp_path),
        "ocel1-xml": ocel1_xml(tmp_path),
        "cloudevents": lines(tmp_path, EVENT),
        "ocel-json": reference_data / "ocel2" / "roundtrip_probe.json",
    }
    for expected, path in made.items():
        renamed = tmp_path / f"renamed-{expected}"
        renamed.write_bytes(path.read_bytes())
        assert format_of(renamed, load_mapping(None, renamed)) == expected
        packed = tmp_path / f"packed-{expected}"
        packed.write_bytes(path.read_bytes() if path.suffix == ".gz" else gzip.compress(path.read_bytes()))
        assert format_of(packed, load_mapping(None, packed)) == expected
    with pytest.raises(CosealError, match="No such file"):
        read(tmp_path / "absent")


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be"])
def test_xml_in_utf_16_is_recognised_and_read(encoding: str, tmp_path: Path):
    for expected, text in {"xes": XES, "ocel1-xml": OCEL1_XML}.items():
        path, plain = tmp_path / "log.bin", tmp_path / "plain"
        text = text.replace('value="pay"', 'value="付款"')
        path.write_bytes(text.replace('version="1.0"', 'version="1.0" encoding="UTF-16"', 1).encode(encoding))
        plain.write_text(text, encoding="utf-8")
        assert format_of(path, load_mapping(None, path)) == expected
        assert read(path).items == read(plain).items


def test_a_line_of_events_ends_with_a_line_feed_and_with_nothing_else(tmp_path: Path):
    path = tmp_path / "events.jsonl"
    note = "a\x85b\u2028c\u2029d"
    events = [{**EVENT, "data": {"note": note}, "id": f"e{n}", "sequence": n} for n in (1, 2)]
    path.write_bytes("\r\n".join(json.dumps(event, ensure_ascii=False) for event in events).encode())
    assert [item["attributes"]["note"] for item in read(path).items] == [note, note]


def test_a_broken_or_endless_packed_file_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    path = xes(tmp_path)
    path.write_bytes(gzip.compress(path.read_bytes())[:-20])
    with pytest.raises(CosealError):
        read(path)
    monkeypatch.setattr("coseal.formats.importers.log.UNPACKED_BYTES_MAX", 1_000)
    path.write_bytes(gzip.compress(b" " * 1_001))
    with pytest.raises(CosealError, match="more than"):
        read(path)
