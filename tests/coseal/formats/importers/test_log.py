"""The order of a log, zones and plain values."""

import gzip
import tracemalloc
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from coseal.errors import CosealError
from coseal.formats.importers import log
from coseal.formats.importers.log import Findings, Values, in_time_order, read_bytes
from coseal.formats.importers.times import Zone, zone_of

OFFSETS = ("Z", "+00:00", "+08:00", "-05:30")


@st.composite
def moments(draw: st.DrawFn) -> tuple[str, Fraction]:
    """Return a time text and the exact instant it names, in seconds."""
    base = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(seconds=draw(st.integers(0, 3)))
    digits = draw(st.text("0123456789", max_size=9))
    offset = draw(st.sampled_from(OFFSETS))
    text = base.strftime("%Y-%m-%dT%H:%M:%S") + (f".{digits}" if digits else "") + offset
    east = 0 if offset[0] == "Z" else int(offset[0] + "1") * (int(offset[1:3]) * 60 + int(offset[4:])) * 60
    return text, Fraction(int(base.timestamp())) + Fraction(int(digits or 0), 10 ** len(digits)) - east


@settings(deadline=None, max_examples=200)
@given(st.lists(moments(), max_size=12))
def test_the_order_is_the_stable_order_of_exact_time(times: list[tuple[str, Fraction]]):
    items = [(text, {"event": str(index)}) for index, (text, _) in enumerate(times)]
    expected = sorted(range(len(times)), key=lambda index: times[index][1])
    assert [int(item["event"]) for item in in_time_order(items, None)] == expected


@pytest.mark.parametrize(
    ("text", "minutes"), [("Z", 0), ("UTC", 0), ("+08:00", 480), ("-05:30", -330), ("+00:00", 0), ("+14:00", 840)]
)
def test_a_zone_may_be_an_offset(text: str, minutes: int):
    assert zone_of(text) == Zone(minutes)


@pytest.mark.parametrize(
    "text", ["", "CET", "8", "+8:00", "+08:60", "+15:00", "Rome", "Europe/No", "../etc/x", "Europe/", "+٠٨:00"]
)
def test_what_is_no_zone_is_refused(text: str):
    with pytest.raises(CosealError, match="zone"):
        zone_of(text)


@settings(deadline=None, max_examples=300)
@given(st.sampled_from(["string", "integer", "boolean", "decimal", "time"]), st.text(max_size=30))
def test_a_text_is_read_without_loss_or_found(kind: str, text: str):
    findings = Findings()
    value = Values(findings, Zone()).read(kind, text, "path")
    if value is None:
        assert [finding.code for finding in findings.all()] in (["bad_value"], ["no_offset"])
    else:
        spelled = str(value).lower() if kind == "boolean" else str(value)
        assert spelled == (text.replace("E", "e") if kind == "decimal" else text)


@pytest.mark.parametrize("packed", [False, True])
def test_a_file_takes_memory_for_what_it_holds_and_no_more_than_the_limit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, packed: bool
):
    data, path = b"x" * 10_000, tmp_path / "log"
    path.write_bytes(gzip.compress(data) if packed else data)
    tracemalloc.start()
    try:
        assert read_bytes(path) == data
        assert tracemalloc.get_traced_memory()[1] < 4 << 20
    finally:
        tracemalloc.stop()
    monkeypatch.setattr(log, "UNPACKED_BYTES_MAX", 9_999)
    with pytest.raises(CosealError, match="more than"):
        read_bytes(path)
    monkeypatch.setattr(log, "UNPACKED_BYTES_MAX", 10_000)
    assert read_bytes(path) == data
