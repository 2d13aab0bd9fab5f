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
from coseal.contracts.process.flows import MAX_VARIANT, FlowRows, class_ms, longest_of_class, time_class
from coseal.contracts.rows.tables import CORE
from coseal.node.index import database
from coseal.node.index import queries as index_queries
from coseal.node.index.contracts import process_flows as queries
from coseal.node.index.contracts import process_times

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
    links = [(number, item, activity, ms) for item, (number, activity, ms) in enumerate(events, 1)]
    connection.executemany("INSERT INTO item_objects VALUES (?, ?, ?, ?)", links)
    values = [("parity", str(ms % 3), item) for _, item, _, ms in links]
    connection.executemany("INSERT INTO item_values VALUES (?, ?, ?)", values)


FILTERS = st.fixed_dictionaries(
    {},
    optional={
        "first": st.sampled_from((*NAMES, "none")),
        "last": st.sampled_from(NAMES),
        "activity": st.sampled_from(NAMES),
        "flow": st.tuples(st.sampled_from(NAMES), st.sampled_from(NAMES)),
        "value": st.sampled_from("012"),
        "from_ms": st.integers(0, 10**12),
        "to_ms": st.integers(0, 10**12),
        "during": st.sampled_from(("overlaps", "within", "begins", "ends")),
        "least_ms": st.integers(-(10**11), 10**12),
        "below_ms": st.integers(-(10**11), 10**12),
    },
)
Trace = list[tuple[str, int]]


def passes(trace: Trace, filters: dict[str, Any]) -> bool:
    """Say whether a trace passes the filters, one after another."""
    names, (first_ms, last_ms) = [name for name, _ in trace], (trace[0][1], trace[-1][1])
    low, high = filters.get("from_ms", -(10**15)), filters.get("to_ms", 10**15)
    match filters.get("during", "overlaps"):
        case "within":
            in_time = low <= first_ms and last_ms < high
        case "begins":
            in_time = low <= first_ms < high
        case "ends":
            in_time = low <= last_ms < high
        case _:
            in_time = low <= last_ms and first_ms < high
    took = last_ms - first_ms
    return (
        in_time
        and filters.get("first", names[0]) == names[0]
        and filters.get("last", names[-1]) == names[-1]
        and filters.get("activity", names[0]) in names
        and ("value" not in filters or filters["value"] in {str(ms % 3) for _, ms in trace})
        and ("flow" not in filters or filters["flow"] in pairwise(names))
        and filters.get("least_ms", took) <= took < filters.get("below_ms", took + 1)
    )


@settings(deadline=None, max_examples=60)
@given(EVENTS, FILTERS)
def test_what_passes_filters_is_what_passes_them_one_by_one(tmp_path_factory: Any, events: Any, filters: Any) -> None:
    connection = opened(tmp_path_factory.mktemp("flows") / "index.sqlite")
    write(connection, events, 7)
    traces: dict[int, Trace] = defaultdict(list)
    for number, activity, ms in events:
        if number % 2:
            traces[number].append((NAMES[activity - 1], ms))
    kept = {number: trace for number, trace in traces.items() if passes(trace, filters)}
    asked = {name: value for name, value in filters.items() if name != "flow"}
    if "value" in filters:
        asked["attribute"] = "parity"
    if "flow" in filters:
        asked["before"], asked["after"] = filters["flow"]
    found = queries.process_map(connection, "t", "odd", 1_000, asked)[1]
    assert (found["cases"], found["cases_in_all"]) == (len(kept), len(traces))
    compare_map(found, kept)
    _, figures, page = queries.variants(connection, "t", "odd", [], 100, asked)
    ways = Counter(tuple(name for name, _ in trace) for trace in kept.values())
    assert {tuple(one["activities"]): one["cases"] for one in page.items} == ways
    assert (figures["cases"], figures["variants"]) == (len(kept), len(ways))
    assert len(page.items) < 2 or queries.variants(connection, "t", "odd", [], 1, asked)[2].next is not None
    took = {number: trace[-1][1] - trace[0][1] for number, trace in kept.items()}
    for order, sign in (("begun", 0), ("longest", -1), ("shortest", 1)):
        listed, after = [], list[int]()
        while True:
            _, _, page = queries.cases(connection, "t", "odd", asked, after, 2, order)
            listed += [one["id"] for one in page.items]
            if page.next is None:
                break
            after = [int(part) for part in page.next.split("_")]
        assert listed == [f"o{number}" for number in sorted(kept, key=lambda one: (sign * took[one], one))]
    compare_times(process_times.times(connection, "t", "odd", asked)[1], sorted(took.values()))
    dotted = process_times.dots(connection, "t", "odd", asked, 100)[1]
    drawn = {one["id"]: [(dotted["activities"][place], ms) for place, ms in one["dots"]] for one in dotted["cases"]}
    assert drawn == {f"o{number}": trace for number, trace in kept.items()}
    connection.close()


def compare_times(found: dict[str, Any], took: list[int]) -> None:
    assert found["cases"] == len(took) == sum(one["cases"] for one in found["bins"])
    if took:
        middle = took[(len(took) - 1) // 2]
        assert (found["median_ms"], found["longest_ms"], found["mean_ms"]) == (middle, took[-1], sum(took) // len(took))
    for one in found["bins"]:
        high = took[-1] + 1 if one["to_ms"] is None else one["to_ms"]
        assert one["cases"] == sum(one["from_ms"] <= ms < high for ms in took)


def test_a_dotted_chart_of_some_cases_has_them_from_first_to_last(tmp_path: Path) -> None:
    connection = opened(tmp_path / "index.sqlite")
    write(connection, [(1 + n % 6, 1 + n % 4, n) for n in range(60)], 60)
    dotted = process_times.dots(connection, "t", "odd", {}, 2)[1]
    kept = [int(one["id"].removeprefix("o")) for one in dotted["cases"]]
    whole = process_times.dots(connection, "t", "odd", {}, 500)[1]
    every = [int(one["id"].removeprefix("o")) for one in whole["cases"]]
    assert (dotted["total"], whole["total"]) == (len(every), len(every))
    assert (len(every), kept) == (3, [every[0], every[1]])
    connection.close()


def test_a_filtered_question_that_takes_too_long_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    connection = opened(tmp_path / "index.sqlite")
    write(connection, [(1, 1 + n % 4, n) for n in range(3_000)], 3_000)
    monkeypatch.setattr(index_queries, "LONGEST_S", -1.0)
    monkeypatch.setattr(index_queries, "_STEPS", 100)
    with pytest.raises(index_queries.TooWide):
        queries.process_map(connection, "t", "odd", 10, {"before": "a", "after": "a"})
    assert queries.process_map(connection, "t", "odd", 10)[1]["events"] == 3_000  # nothing of it lasts
    connection.close()


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
        _, figures, page = queries.cases(connection, "t", kind, {}, [], 100)
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
        listed = queries.cases(connection, "t", kind, {"variant": one["variant"]}, [], 100)[2].items
        assert {case["id"] for case in listed} == {
            f"o{number}" for number, trace in traces.items() if tuple(n for n, _ in trace) == tuple(one["activities"])
        }


@pytest.mark.parametrize("ms", [0, 1, 31, 32, 33, 63, 64, 1_000, 86_400_000, 10**12, -1, -33, -86_400_000])
def test_a_class_of_times_is_narrow(ms: int) -> None:
    assert abs(class_ms(time_class(ms)) - ms) <= abs(ms) / 32


def test_classes_keep_the_order_of_times() -> None:
    numbers = [time_class(ms) for ms in range(-5_000, 5_000)]
    assert numbers == sorted(numbers)
    ends = {number: ms for ms, number in zip(range(-5_000, 5_000), numbers, strict=True)}
    assert all(longest_of_class(number) == ms for number, ms in ends.items() if number != numbers[-1])


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
        queries.cases(connection, "t", "odd", filters, [], 10)
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
