"""Reading CSV logs as a map says."""

import json
import re
import time
from itertools import pairwise
from pathlib import Path

import pytest

from coseal.contracts.process.items import time_ms
from coseal.errors import CosealError
from coseal.formats.importers.log import BadLog
from coseal.formats.importers.mapping import Options, load_mapping
from coseal.formats.importers.reader import read_log

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


# How a file writes times, numbers and text

LOCAL = """case;what;when;due;amount;n
A;Create;28/03/2026 23:30:05,5;01.04.2026;1.234,50;1.000
A;Pay;29/03/2026 03:30:00,0;;-0,5;7
"""
LOCAL_MAP = """
case = "case"
activity = "what"
timestamp = "when"
delimiter = ";"
timestamp_format = "%d/%m/%Y %H:%M:%S,%f"
decimal = ","
thousands = "."
zone = "Europe/Rome"
[formats]
due = "%d.%m.%Y"
[attributes]
due = "time"
amount = "decimal"
n = "integer"
"""


def test_times_and_numbers_are_read_as_their_country_writes_them(tmp_path: Path):
    log = read(tmp_path, LOCAL, LOCAL_MAP)
    assert [item["time"] for item in log.items] == ["2026-03-28T23:30:05.5+01:00", "2026-03-29T03:30:00.0+02:00"]
    assert [item["attributes"] for item in log.items] == [
        {"due": "2026-04-01T00:00:00+02:00", "amount": "1234.50", "n": 1000},
        {"amount": "-0.5", "n": 7},
    ]
    assert "zone_minutes" not in log.source
    assert "Europe/Rome" in log.notes[0]


def test_a_log_over_the_end_of_summer_time_keeps_its_order_and_its_durations(tmp_path: Path):
    hours = "\n".join(f"A;Step;25/10/2026 {hour:02}:15:00,0;;;" for hour in (0, 1, 3, 4))
    log = read(tmp_path, f"case;what;when;due;amount;n\n{hours}\n", LOCAL_MAP)
    times = [time_ms(item["time"]) for item in log.items]
    assert [(after - before) // 3_600_000 for before, after in pairwise(times)] == [1, 3, 1]


@pytest.mark.parametrize(
    ("when", "choice", "expected"),
    [
        ("25/10/2026 02:30:00,0", "refuse", "ambiguous_time"),
        ("25/10/2026 02:30:00,0", "earlier", "2026-10-25T02:30:00.0+02:00"),
        ("25/10/2026 02:30:00,0", "later", "2026-10-25T02:30:00.0+01:00"),
        ("25/10/2026 03:00:00,0", "refuse", "2026-10-25T03:00:00.0+01:00"),
        ("25/10/2026 01:59:59,9", "refuse", "2026-10-25T01:59:59.9+02:00"),
        ("29/03/2026 02:30:00,0", "refuse", "no_such_time"),
        ("29/03/2026 02:30:00,0", "earlier", "no_such_time"),
        ("29/03/2026 02:30:00,0", "later", "no_such_time"),
        ("29/03/2026 01:59:59,9", "refuse", "2026-03-29T01:59:59.9+01:00"),
        ("29/03/2026 03:00:00,0", "refuse", "2026-03-29T03:00:00.0+02:00"),
        ("01/01/1850 00:00:00,0", "refuse", "bad_value"),
    ],
)
def test_a_local_time_that_came_twice_or_never_is_not_guessed(tmp_path: Path, when: str, choice: str, expected: str):
    settings = f'ambiguous = "{choice}"\n' + LOCAL_MAP
    rows = f"case;what;when;due;amount;n\nA;Create;{when};;;\n"
    if expected[0].isdigit():
        assert read(tmp_path, rows, settings).items[0]["time"] == expected
    else:
        assert found(tmp_path, rows, settings) == [(expected, 1, "row 1.when")]


@pytest.mark.parametrize(
    ("cell", "settings", "expected"),
    [
        ("1.234.567,89", 'decimal = ","\nthousands = "."', "1234567.89"),
        ("1234,5", 'decimal = ","\nthousands = "."', "1234.5"),
        ("1\u202f234,5", 'decimal = ","\nthousands = " "', "1234.5"),
        ("1\u00a0234", 'decimal = ","\nthousands = " "', "1234"),
        ("1\u2019234.5", 'thousands = "\'"', "1234.5"),
        ("-12,345.60", 'thousands = ","', "-12345.60"),
        ("1,5e-05", 'decimal = ","', "1.5e-05"),
        ("1.5", 'decimal = ","', None),
        ("1.23,5", 'decimal = ","\nthousands = "."', None),
        ("1,234", "", None),
        ("1,23,456", 'thousands = ","', None),
        (",5", 'decimal = ","', None),
        ("", 'decimal = ","', ""),
    ],
)
def test_a_number_is_read_only_as_the_map_says(tmp_path: Path, cell: str, settings: str, expected: str | None):
    table = '\ncase = "c"\nactivity = "a"\ntimestamp = "t"\ndelimiter = ";"\n[attributes]\nx = "decimal"\n'
    rows = f"c;a;t;x\nA;Create;2026-01-01T00:00:00Z;{cell}\n"
    if expected is None:
        assert found(tmp_path, rows, settings + table) == [("bad_value", 1, "row 1.x")]
    else:
        assert read(tmp_path, rows, settings + table).items[0].get("attributes", {"x": ""}) == {"x": expected}


ENCODED = 'case = "c"\nactivity = "a"\ntimestamp = "t"\nencoding = "{}"\n'
TEXT = "c,a,t\nA,Créer,2026-01-01T00:00:00Z\nB,{},2026-01-01T00:00:01Z\n"


@pytest.mark.parametrize(
    ("encoding", "python", "word"),
    [
        ("utf-8", "utf-8", "合同 €"),
        ("utf-8", "utf-8-sig", "合同 €"),
        ("utf-16", "utf-16", "合同 €"),
        ("latin-1", "latin-1", "ÆØ"),
        ("iso-8859-15", "iso-8859-15", "€"),
        ("cp1252", "cp1252", "€“”"),
        ("gb18030", "gb18030", "合同审批𠀀"),
        ("gb18030", "gbk", "合同"),
    ],
)
def test_a_file_is_read_in_its_encoding(tmp_path: Path, encoding: str, python: str, word: str):
    (tmp_path / "log.csv").write_bytes(TEXT.format(word).replace("é", "e").encode(python))
    (tmp_path / "map.toml").write_text(ENCODED.format(encoding), encoding="utf-8")
    log = read_log(tmp_path / "log.csv", load_mapping(tmp_path / "map.toml", tmp_path / "log.csv"))
    assert [item["type"] for item in log.items] == ["Creer", word]


@pytest.mark.parametrize(
    ("encoding", "data", "code", "place"),
    [
        ("utf-8", TEXT.format("x").encode("latin-1"), "not_utf8", "line 2"),
        ("gb18030", TEXT.format("x").replace("é", "e").encode() + b"\xff\xff\n", "bad_encoding", "line 4"),
        ("cp1252", TEXT.format("x").replace("é", "e").replace("x", "\x81").encode("latin-1"), "bad_encoding", "line 3"),
        ("utf-16", "a\nb\n".encode("utf-16") + b"\x00\xd8", "bad_encoding", "line 3"),
    ],
)
def test_bytes_that_are_no_text_are_found_with_their_line(
    tmp_path: Path, encoding: str, data: bytes, code: str, place: str
):
    (tmp_path / "log.csv").write_bytes(data)
    (tmp_path / "map.toml").write_text(ENCODED.format(encoding), encoding="utf-8")
    with pytest.raises(BadLog) as caught:
        read_log(tmp_path / "log.csv", load_mapping(tmp_path / "map.toml", tmp_path / "log.csv"))
    (finding,) = caught.value.findings
    assert (finding.code, finding.examples[0][0]) == (code, place)
    assert finding.advice


def test_a_finding_names_line_and_column_and_what_to_do(tmp_path: Path):
    rows = 'case,what,when,id,row,amount,paid\n"A\n2",Pay,2026-01-02T00:00:00Z,3,1,35.0,true\nA//B,Pay,x,4,1,1,true\n'
    with pytest.raises(BadLog) as caught:
        read(tmp_path, rows)
    bad_id, bad_value = caught.value.findings
    assert [path for path, _ in bad_id.examples] == ["row 1.case", "row 2.case"]
    assert [detail.partition(":")[0] for _, detail in bad_id.examples] == ["line 2", "line 4"]
    assert "another name" in bad_id.advice
    assert bad_value.examples[0] == ("row 2.when", "line 4: 'x' is not a time as 2026-01-05T10:00:00+08:00")
    with pytest.raises(BadLog) as caught:
        read(tmp_path, ROWS.replace(",", ";"))
    detail = {finding.code: finding.examples[0][1] for finding in caught.value.findings}
    assert "'case;what;when;id;row;amount;paid'" in detail["missing_column"]


@pytest.mark.parametrize(
    ("settings", "reason"),
    [
        ('ambiguous = "earlier"', "only with a zone that is a region"),
        ('zone = "+01:00"\nambiguous = "later"', "only with a zone that is a region"),
        ('ambiguous = "guess"', "ambiguous: expected one of"),
        ('zone = "Europe/Nowhere"', "time zone data"),
        ('encoding = "utf-7"', "encoding: expected one of"),
        ('decimal = ";"', "decimal: expected one of"),
        ('decimal = ","\nthousands = ","', "thousands: the same"),
        ('seal = "amount"', "seal: expected a table"),
        ("seal = {price = []}", "seal.price: expected a list of texts"),
        ('seal = {price = ["amount"], other = ["amount"]}', "amount is named twice"),
        ('seal = {price = ["amount"]}', "classes.amount: it is sealed"),
        ('seal = {price = ["amuont"]}', "no attribute amuont, which the map names in [seal]"),
        ('timestamp_format = "%A %d"', "%A is not known"),
        ('timestamp_format = "%d/%m"', "a time needs a year"),
        ('timestamp_format = "%d/%m/%Y %Y"', "%Y stands there twice"),
        ('timestamp_format = "%d/%m/%Y %I:%M"', "an hour is %H, or %I with %p"),
        ('timestamp_format = "%d/%m/%Y %M"', "a minute needs its hour"),
        ('timestamp_format = "%Y %s"', "a whole time by itself"),
        ('timestamp_format = "%d/%m/%Y%"', "% is not known"),
    ],
)
def test_a_setting_of_times_numbers_or_text_with_a_mistake_is_refused(tmp_path: Path, settings: str, reason: str):
    with pytest.raises(CosealError, match=re.escape(reason)):
        read(tmp_path, settings=f"{settings}\n{MAP}")


def test_what_the_map_seals_is_read_in_the_clear_only_to_be_sealed(tmp_path: Path):
    sealed = MAP.replace('[classes]\namount = "restricted"', '[seal]\nprice = ["amount"]')
    with pytest.raises(BadLog) as caught:
        read(tmp_path, settings=sealed)
    assert {finding.code for finding in caught.value.findings} == {"does_not_fit"}  # no commitments
    mapping = load_mapping(tmp_path / "map.toml", tmp_path / "log.csv")
    log = read_log(tmp_path / "log.csv", mapping, sealing=True)
    attributes = next(iter(log.definition["event_types"].values()))["attributes"]
    assert attributes["amount"] == {"type": "decimal", "class": "sealed", "label": "price"}


def test_a_class_of_an_attribute_that_is_not_there_is_refused(tmp_path: Path):
    with pytest.raises(CosealError, match=r"no attribute amuont, which the map names in \[classes\]"):
        read(tmp_path, settings=MAP.replace('amount = "restricted"', 'amuont = "restricted"'))


def test_options_come_before_the_map_and_need_one(tmp_path: Path):
    read(tmp_path, LOCAL, LOCAL_MAP)
    options = Options(zone="America/Toronto", timestamp_format="%d/%m/%Y %H:%M:%S,%f")
    log = read_log(tmp_path / "log.csv", load_mapping(tmp_path / "map.toml", tmp_path / "log.csv", options=options))
    assert log.items[0]["time"] == "2026-03-28T23:30:05.5-04:00"
    with pytest.raises(CosealError, match="--encoding is for CSV"):
        load_mapping(None, tmp_path / "log.json", options=Options(encoding="cp1252"))


def test_a_file_with_very_many_columns_is_answered_at_once(tmp_path: Path):
    """The time grows with the number of columns, not with its square."""
    log, map_file = tmp_path / "log.csv", tmp_path / "map.toml"
    columns = [f"x{number}" for number in range(100_000)]
    log.write_text(f"c,a,t,{','.join(columns)}\n1,b,2026-01-01T00:00:00Z{',' * len(columns)}\n", encoding="utf-8")
    known = 'process_type = "x"\ncase = "c"\nactivity = "a"\ntimestamp = "t"\n'
    map_file.write_text(known, encoding="utf-8")
    began = time.process_time()
    with pytest.raises(BadLog) as caught:
        read_log(log, load_mapping(map_file, log))
    assert [(finding.code, finding.count) for finding in caught.value.findings] == [("unmapped_column", 100_000)]
    map_file.write_text(f"{known}ignore = {json.dumps(columns)}\n", encoding="utf-8")
    assert len(read_log(log, load_mapping(map_file, log)).items) == 1
    assert time.process_time() - began < 10
