"""The process map and the variants of the index: as a second, naive reading of the same events has them."""

from __future__ import annotations

import sqlite3
from collections import Counter, defaultdict
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from coseal.contracts.kernel.rows.buffer import Rows
from coseal.contracts.kernel.rows.place import Act
from coseal.contracts.process.flows import MAX_VARIANT, FlowRows, class_ms, time_class
from coseal.contracts.rows.tables import CORE
from coseal.node.index import database
from coseal.node.index.contracts import process_flows as queries

NAMES = ("a", "b", "c", "d")
EVENTS = st.lists(st.tuples(st.integers(1, 6), st.integers(1, 4), st.integers(-1_000, 10**12)), max_size=60)


def opened(path: Path) -> sqlite3.Connection:
    """Return a new index with four activities and objects 1 to 6, the even ones of another type."""
    database.prepare(path, b"chain")
    connection = sqlite3.connect(path, isolation_level=None)
    connection.row_factory = sqlite3.Row
    for name in NAMES:
        connection.execute(
            "INSERT INTO activities (process_type, name, events, height, position) VALUES ('t',?,0,1,0)", (name,)
        )
    for number in range(1, 7):
        row = (number, ("odd", "even")[number % 2 == 0], f"o{number}")
        connection.execute("INSERT INTO objects VALUES (?, 't', ?, ?, 1, 0)", row)
    return connection


def write(connection: sqlite3.Connection, events: list[tuple[int, int, int]], batch: int) -> None:
    for start in range(0, len(events), batch):
        part = events[start : start + batch]
        steps = [(number, ("odd", "even")[number % 2 == 0], activity, ms) for number, activity, ms in part]
        rows = Rows(database.Writer(connection), CORE)  # new each time: what it keeps in memory only saves time
        flows = FlowRows(rows)
        flows.write("t", steps, Act("", b"", 0, 1, 0))
        flows.count()
        rows.flush()


@settings(deadline=None, max_examples=40)
@given(EVENTS, st.integers(1, 7))
def test_map_and_variants_are_those_of_the_traces(tmp_path_factory: Any, events: Any, batch: int) -> None:
    connection = opened(tmp_path_factory.mktemp("flows") / "index.sqlite")
    write(connection, events, batch)
    for kind, rest in (("odd", 1), ("even", 0)):
        traces: dict[int, list[tuple[str, int]]] = defaultdict(list)
        for number, activity, ms in events:
            if number % 2 == rest:
                traces[number].append((NAMES[activity - 1], ms))
        compare_map(queries.process_map(connection, "t", kind, 1_000)[1], traces)
        compare_variants(connection, kind, traces)
        _, figures, page = queries.cases(connection, "t", kind, {}, 0, 100)
        assert figures["cases"] == len(traces)
        shown = {one["id"]: (one["events"], one["last"], one["first_ms"], one["last_ms"]) for one in page.items}
        assert shown == {f"o{n}": (len(t), t[-1][0], t[0][1], t[-1][1]) for n, t in traces.items()}
    connection.close()


def compare_map(found: dict[str, Any], traces: dict[int, list[tuple[str, int]]]) -> None:
    took: dict[tuple[str, str], list[int]] = defaultdict(list)
    for trace in traces.values():
        for (before, since), (after, until) in pairwise(trace):
            took[before, after].append(until - since)
    assert found["events"] == sum(map(len, traces.values()))
    assert {(f["from"], f["to"]): (f["count"], f["mean_ms"]) for f in found["flows"]} == {
        flow: (len(times), sum(times) // len(times)) for flow, times in took.items()
    }
    for flow in found["flows"]:
        times = sorted(took[flow["from"], flow["to"]])
        median = times[(len(times) - 1) // 2]
        assert abs(flow["median_ms"] - median) <= abs(median) / 32 + 1
    counts = Counter(name for trace in traces.values() for name, _ in trace)
    assert {one["activity"]: one["events"] for one in found["activities"]} == counts
    starts, ends = (Counter(trace[place][0] for trace in traces.values()) for place in (0, -1))
    assert {one["activity"]: one["starts"] for one in found["activities"] if one["starts"]} == starts
    assert {one["activity"]: one["ends"] for one in found["activities"] if one["ends"]} == ends


def compare_variants(connection: sqlite3.Connection, kind: str, traces: dict[int, list[tuple[str, int]]]) -> None:
    expected = Counter(tuple(name for name, _ in trace) for trace in traces.values())
    seen, after = [], []
    while True:  # page by page
        _, figures, page = queries.variants(connection, "t", kind, after, 2)
        seen += page.items
        if page.next is None:
            break
        after = [int(part) for part in page.next.split("-")]
    assert {tuple(one["activities"]): one["cases"] for one in seen} == expected
    assert len(seen) == figures["variants"] == len(expected)
    assert [one["cases"] for one in seen] == sorted((one["cases"] for one in seen), reverse=True)
    for one in seen:
        listed = queries.cases(connection, "t", kind, {"variant": one["variant"]}, 0, 100)[2].items
        assert {case["id"] for case in listed} == {
            f"o{number}" for number, trace in traces.items() if tuple(n for n, _ in trace) == tuple(one["activities"])
        }


@pytest.mark.parametrize("ms", [0, 1, 31, 32, 33, 63, 64, 1_000, 86_400_000, 10**12, -1, -33, -86_400_000])
def test_a_class_of_times_is_narrow(ms: int) -> None:
    assert abs(class_ms(time_class(ms)) - ms) <= abs(ms) / 32


def test_classes_keep_the_order_of_times() -> None:
    numbers = [time_class(ms) for ms in range(-5_000, 5_000)]
    assert numbers == sorted(numbers)


def test_a_long_trace_stays_at_the_longest_variant(tmp_path: Path) -> None:
    connection = opened(tmp_path / "index.sqlite")
    write(connection, [(1, 1, ms) for ms in range(3 * MAX_VARIANT)], 50)
    _, figures, page = queries.variants(connection, "t", "odd", [], 10)
    assert [(one["length"], one["or_longer"], one["cases"]) for one in page.items] == [(MAX_VARIANT, True, 1)]
    assert figures["variants"] == 1
    assert queries.process_map(connection, "t", "odd", 10)[1]["events"] == 3 * MAX_VARIANT
    connection.close()


def test_no_query_reads_all_cases(tmp_path: Path) -> None:
    connection = opened(tmp_path / "index.sqlite")
    plans: list[str] = []
    connection.set_trace_callback(plans.append)
    queries.process_map(connection, "t", "odd", 10)
    queries.variants(connection, "t", "odd", [], 10)
    for filters in ({}, {"variant": 1}, {"last": "a"}):
        queries.cases(connection, "t", "odd", filters, 0, 10)
    connection.set_trace_callback(None)
    for statement in plans:
        for row in connection.execute(f"EXPLAIN QUERY PLAN {statement}"):
            detail = row["detail"]
            assert not any(f"SCAN {name}" in detail for name in ("t", "o", "traces", "objects", "variants", "flows")), (
                detail
            )
            assert "TEMP B-TREE" not in detail or "flows" in statement or "trace_kinds" in statement, statement
    connection.close()


def test_a_batch_touches_as_many_rows_late_as_early(tmp_path: Path) -> None:
    connection = opened(tmp_path / "index.sqlite")
    rows = Rows(database.Writer(connection), CORE)
    touched = []
    for number in range(50):
        before = connection.total_changes
        steps = [(1_000 * number + case, "case", 1 + step, step) for case in range(20) for step in range(4)]
        flows = FlowRows(rows)
        flows.write("t", steps, Act("", b"", 0, 1, 0))
        flows.count()
        rows.flush()
        touched.append(connection.total_changes - before)
    assert set(touched[1:]) == {touched[1]}
    connection.close()
