"""Parquet: what was recorded, as an engine of others reads it."""

from __future__ import annotations

import re
import sys
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest
from hypothesis import HealthCheck, given, settings

from coseal.audit import parquet as footer
from coseal.audit.counting import COUNTERS, Uncountable
from coseal.errors import CosealError
from coseal.formats.exporters.log import ExportLog, LogEvent, LogObject
from coseal.formats.exporters.parquet import write_parquet
from tests.coseal.formats.logs import logs

TYPES = {"amount": "float", "units": "integer", "paid": "boolean", "due": "time", "event": "string", "huge": "float"}


def log_of(*attributes: dict[str, Any]) -> ExportLog:
    events = [
        LogEvent(
            f"e{number}",
            ("Create", "Pay")[number % 2],
            f"2026-01-0{number + 1}T08:00:00.1239+08:00",
            given,
            [("o1", "pays"), ("c1", "")],
        )
        for number, given in enumerate(attributes)
    ]
    objects = [
        LogObject("o1", "order", [("state", "0", "new")]),
        LogObject("c1", "customer", [], {("o1", "has"): None}),
    ]
    return ExportLog({"order": {"state": "string"}, "customer": {}}, {"Create": TYPES, "Pay": TYPES}, events, objects)


LOG = (
    {"amount": "12.50", "units": 2**62, "paid": True, "due": "2026-02-01T00:00:00Z", "event": "x", "huge": "1e300"},
    {"amount": "0.125", "units": -1, "paid": False},
    {},
)


def read(data: bytes, tmp_path: Path, query: str) -> list[tuple[Any, ...]]:
    (tmp_path / "log.parquet").write_bytes(data)
    with duckdb.connect() as connection:
        connection.execute("SET TimeZone = 'UTC'")
        return connection.execute(query.replace("LOG", f"'{tmp_path / 'log.parquet'}'")).fetchall()


def test_duckdb_reads_numbers_as_numbers_and_objects_as_lists(tmp_path: Path) -> None:
    log = log_of(*LOG)
    data = write_parquet(log)
    assert read(data, tmp_path, "SELECT sum(amount), sum(units), count(paid), min(huge) FROM LOG") == [
        (Decimal("12.625"), 2**62 - 1, 2, "1e300")
    ]
    shown = 'SELECT event, activity, epoch_ms(time), time_text, "attribute:event" FROM LOG ORDER BY event LIMIT 1'
    assert read(data, tmp_path, shown) == [("e0", "Create", 1767225600123, "2026-01-01T08:00:00.1239+08:00", "x")]
    exploded = "SELECT o.type, o.id, o.qualifier, count(*) FROM (SELECT unnest(objects) AS o FROM LOG) GROUP BY ALL"
    assert sorted(read(data, tmp_path, exploded)) == [("customer", "c1", "", 3), ("order", "o1", "pays", 3)]
    assert log.leaves_out == {"object_values": 1, "relations": 1, "decimal_spellings": 1}, "12.50 came back as 12.500"


def test_the_same_log_gives_the_same_bytes_and_an_empty_one_a_file(tmp_path: Path) -> None:
    assert write_parquet(log_of(*LOG)) == write_parquet(log_of(*LOG))
    assert read(write_parquet(log_of()), tmp_path, "SELECT count(*) FROM LOG") == [(0,)]


@pytest.mark.parametrize("text", ["1e300", "1e-40", "9" * 39, "1e" + "9" * 40, "0." + "1" * 38])
def test_a_decimal_beyond_the_digits_of_parquet_stays_a_text(tmp_path: Path, text: str) -> None:
    log = log_of({"amount": "1.5"}, {"amount": text})
    assert read(write_parquet(log), tmp_path, "SELECT amount FROM LOG ORDER BY event") == [("1.5",), (text,)]
    assert "decimal_spellings" not in log.leaves_out


@pytest.mark.parametrize("text", ["-0", "1e3", "00.5"])
def test_a_number_that_would_be_spelt_otherwise_is_counted(text: str) -> None:
    log = log_of({"amount": text})
    write_parquet(log)
    assert log.leaves_out["decimal_spellings"] == 1


def test_the_query_in_the_document_runs(tmp_path: Path) -> None:
    page = (Path(__file__).resolve().parents[3] / "docs" / "formats.md").read_text(encoding="utf-8")
    (query,) = re.findall(r"```sql\n(.*?)```", page, re.DOTALL)
    assert "'fines.parquet'" in query
    data = write_parquet(log_of(*LOG))
    assert read(data, tmp_path, query.replace("'fines.parquet'", "LOG")) == [("Create", 2, 1), ("Pay", 1, 1)]


@settings(max_examples=30, deadline=None, suppress_health_check=list(HealthCheck))
@given(log=logs())
def test_every_event_of_any_log_is_there(log: ExportLog, tmp_path: Path) -> None:
    data = write_parquet(log)
    assert COUNTERS["parquet"](data) == {"events": len(log.events)}
    found = read(data, tmp_path, "SELECT event, activity, time_text, len(objects) FROM LOG")
    assert found == [(event.id, event.type, event.time, len(event.objects)) for event in log.events]


def test_without_the_library_the_message_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(CosealError, match=r"coseal\[parquet\]"):
        write_parquet(log_of())


def test_whatever_is_wrong_with_a_file_it_is_uncountable_or_counted(tmp_path: Path) -> None:
    data = write_parquet(log_of(*LOG))
    size = int.from_bytes(data[-8:-4], "little")
    start = len(data) - 8 - size
    for broken in (b"", b"PAR1", b"PAR1PAR1", b"PAR1\xff\xff\xff\x7fPAR1", data[:-1], data[1:], b"x" + data[1:]):
        with pytest.raises(Uncountable):
            COUNTERS["parquet"](broken)
    for place in range(start, len(data) - 8):
        for flip in (0x01, 0x80, 0xFF):
            changed = bytearray(data)
            changed[place] ^= flip
            try:
                assert footer.rows(bytes(changed)) >= -(2**63)
            except ValueError:
                continue


def test_a_footer_nested_without_end_is_refused() -> None:
    nested = b"\x1c" * 4_000
    with pytest.raises(ValueError, match="too deep"):
        footer.rows(b"PAR1" + nested + len(nested).to_bytes(4, "little") + b"PAR1")
