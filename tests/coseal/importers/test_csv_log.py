"""Reading CSV logs as a map says."""

from pathlib import Path

import pytest

from coseal.errors import CosealError
from coseal.importers.log import BadLog
from coseal.importers.mapping import load_mapping
from coseal.importers.reader import read_log

MAP = """
process_type = "fines"
source = "fines-1"
title = "Fines"
object_type = "fine"
case = "case"
activity = "what"
timestamp = "when"
event_id = "id"
ignore = ["row"]
[attributes]
amount = "decimal"
paid = "boolean"
[counterparties]
Pay = "bank-a"
[classes]
amount = "restricted"
"""
ROWS = """case,what,when,id,row,amount,paid
A,Pay,2026-01-02T00:00:00Z,3,1,35.0,true
A,Create,2026-01-01T00:00:00Z,1,2,35.00,
B,Create,2026-01-01T00:00:00Z,2,3,,false
"""


def read(tmp_path: Path, rows: str = ROWS, settings: str = MAP, **options: str):
    (tmp_path / "log.csv").write_text(rows, encoding="utf-8")
    (tmp_path / "map.toml").write_text(settings, encoding="utf-8")
    return read_log(tmp_path / "log.csv", load_mapping(tmp_path / "map.toml", tmp_path / "log.csv", **options))


def found(tmp_path: Path, rows: str, settings: str = MAP) -> list[tuple[str, int, str]]:
    with pytest.raises(BadLog) as caught:
        read(tmp_path, rows, settings)
    return [(finding.code, finding.count, finding.examples[0][0]) for finding in caught.value.findings]


def test_a_row_is_an_event_and_an_empty_cell_is_no_attribute(tmp_path: Path):
    log = read(tmp_path)
    assert log.items == (
        {
            "event": "1",
            "type": "Create",
            "time": "2026-01-01T00:00:00Z",
            "objects": [["fine", "A"]],
            "attributes": {"amount": "35.00"},
        },
        {
            "event": "2",
            "type": "Create",
            "time": "2026-01-01T00:00:00Z",
            "objects": [["fine", "B"]],
            "attributes": {"paid": False},
        },
        {
            "event": "3",
            "type": "Pay",
            "time": "2026-01-02T00:00:00Z",
            "objects": [["fine", "A"]],
            "attributes": {"amount": "35.0", "paid": True},
            "counterparty": "bank-a",
        },
    )
    assert log.definition["event_types"].keys() == {"Pay", "Create"}
    assert log.definition["event_types"]["Pay"]["attributes"] == {
        "amount": {"type": "decimal", "class": "restricted"},
        "paid": "boolean",
    }
    assert log.source == {"id": "fines-1", "process_type": "fines", "mode": "historical", "title": "Fines"}


def test_without_ids_the_rows_are_counted(tmp_path: Path):
    log = read(tmp_path, settings=MAP.replace('event_id = "id"', "").replace('["row"]', '["row", "id"]'))
    assert [item["event"] for item in log.items] == ["row-2", "row-3", "row-1"]


def test_a_zone_is_for_times_without_an_offset_and_is_recorded(tmp_path: Path):
    rows = ROWS.replace("Z", "")
    assert found(tmp_path, rows) == [("no_offset", 3, "row 1.when")]
    assert read(tmp_path, rows, zone="-05:30").source["zone_minutes"] == -330
    assert read(tmp_path, rows, MAP.replace("object_type", 'zone = "UTC"\nobject_type')).source["zone_minutes"] == 0


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("B,Create", "B", ("bad_row", 1, "row 3")),
        ("2026-01-02T00:00:00Z,3", "2026-01-32T00:00:00Z,3", ("bad_value", 1, "row 1.when")),
        (",3,1,35.0", ",1,1,35.0", ("duplicate_id", 1, "row 2.id")),
        ("B,Create", ",Create", ("bad_id", 1, "row 3.case")),
        ("35.0,true", "35.0,yes", ("bad_value", 1, "row 1.paid")),
        ("35.0,true", "abc,true", ("bad_value", 1, "row 1.amount")),
        ("amount,paid", "amount,paid,extra", ("unmapped_column", 1, "header[7]")),
        ("amount,paid", "amount,amount", ("duplicate_column", 1, "header[6]")),
        ("amount,paid", "amount,payed", ("missing_column", 1, "paid")),
        ("A,Pay", '"A"x,Pay', ("bad_row", 1, "line 2")),
    ],
)
def test_what_is_wrong_is_found_by_path_and_count(tmp_path: Path, old: str, new: str, expected: tuple[str, int, str]):
    assert old in ROWS
    assert expected in found(tmp_path, ROWS.replace(old, new, 1))


def test_an_activity_outside_a_given_list_is_found(tmp_path: Path):
    settings = MAP.replace("event_id", 'activities = ["Create"]\nevent_id')
    assert found(tmp_path, ROWS, settings) == [("undeclared_type", 1, "row 1.what")]


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ('case = "case"', "", "case: expected the column"),
        ('activity = "what"', "", "activity: missing"),
        ('object_type = "fine"', 'delimiter = ";;"', "delimiter: expected one character"),
        ('object_type = "fine"', 'mode = "past"', "mode: expected one of"),
        ('object_type = "fine"', 'colour = "red"', "colour: unknown setting"),
        ('object_type = "fine"', 'zone = "CET"', "zone 'CET'"),
        ('amount = "decimal"', 'amount = "money"', "attributes.amount: expected one of"),
        ('amount = "restricted"', 'amount = "secret"', "classes.amount: expected one of"),
        ('ignore = ["row"]', 'ignore = "row"', "ignore: expected a list"),
        ('source = "fines-1"', "source = 5", "source: expected a text"),
        ("[attributes]", "[attributes", "map.toml"),
    ],
)
def test_a_map_with_a_mistake_is_refused_by_name(tmp_path: Path, old: str, new: str, reason: str):
    with pytest.raises(CosealError) as caught:
        read(tmp_path, settings=MAP.replace(old, new, 1))
    assert reason in str(caught.value)
    assert caught.value.exit_code == 2


def test_a_csv_file_needs_a_map_and_an_unknown_name_a_format(tmp_path: Path):
    (tmp_path / "log.csv").write_text(ROWS)
    with pytest.raises(CosealError, match="needs a map"):
        read_log(tmp_path / "log.csv", load_mapping(None, tmp_path / "log.csv"))
    (tmp_path / "log.xyz").write_text(ROWS)
    with pytest.raises(CosealError, match="which format"):
        read_log(tmp_path / "log.xyz", load_mapping(None, tmp_path / "log.xyz"))
    with pytest.raises(CosealError, match="No such file"):
        read_log(tmp_path / "none.json", load_mapping(None, tmp_path / "none.json"))
