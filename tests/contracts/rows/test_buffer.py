"""Rows before a database: what is read is what was last put, however little is kept and whenever it is written."""

from __future__ import annotations

import sqlite3
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from coseal.contracts.kernel.rows.buffer import Rows
from coseal.contracts.kernel.rows.schema import SQLITE, Table, definitions, document, integer, text
from coseal.node.index.database import Writer

KEPT = Table("kept", "by key", ("name", "part"), (text("name", ""), integer("part", ""), document("", "body")))
NUMBERED = Table("numbered", "by name", ("id",), (integer("id", ""), text("name", "")), unique=("name",))
SERIES = Table("series", "by owner", ("owner", "number"), (text("owner", ""), integer("number", "")), series=1)
TABLES = (KEPT, NUMBERED, SERIES)

NAMES = st.sampled_from(["a", "b", "c"])
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("put"), NAMES, st.integers(0, 2), st.integers()),
        st.tuples(st.just("remove"), NAMES, st.integers(0, 2)),
        st.tuples(st.just("name"), NAMES),
        st.tuples(st.just("add"), NAMES),
        st.tuples(st.just("flush")),
        st.tuples(st.just("reopen")),
    ),
    max_size=40,
)


@settings(max_examples=150, deadline=None)
@given(STEPS, st.sampled_from([0, 2, 1_000]))
def test_rows_are_those_of_a_plain_dictionary(steps: list[tuple[Any, ...]], cached_rows: int) -> None:
    connection = sqlite3.connect(":memory:", isolation_level=None)
    for statement in definitions(TABLES, (), SQLITE):
        connection.execute(statement)
    rows = Rows(Writer(connection), TABLES, cached_rows)
    kept: dict[tuple[str, int], Any] = {}
    numbers: dict[str, int] = {}
    series: dict[str, int] = {}
    for action, *rest in steps:
        if action == "put":
            name, part, body = rest
            rows.of(KEPT).put({"name": name, "part": part, "body": {"is": [str(body), None]}})
            kept[name, part] = {"is": [str(body), None]}
        elif action == "remove":
            rows.of(KEPT).remove(*rest)
            kept.pop((rest[0], rest[1]), None)
        elif action == "name":
            assert rows.of(NUMBERED).number(*rest) == numbers.get(rest[0])
            if rest[0] not in numbers:
                numbers[rest[0]] = rows.of(NUMBERED).new_number(*rest)
                rows.of(NUMBERED).add(numbers[rest[0]], rest[0])
        elif action == "add":
            before = rows.of(SERIES).last(*rest)
            assert (None if before is None else before["number"]) == series.get(rest[0])
            series[rest[0]] = series.get(rest[0], -1) + 1
            rows.of(SERIES).add(rest[0], series[rest[0]])
        else:
            rows.flush()
            assert rows.pending == 0
            if action == "reopen":
                rows = Rows(Writer(connection), TABLES, cached_rows)
        for name in "abc":
            for part in range(3):
                found = rows.of(KEPT).find(name, part)
                assert (None if found is None else found["body"]) == kept.get((name, part))
    rows.flush()
    assert connection.execute("SELECT count(*) FROM kept").fetchone()[0] == len(kept)
    assert dict(connection.execute("SELECT name, id FROM numbered").fetchall()) == numbers
    assert sorted(numbers.values()) == list(range(1, len(numbers) + 1))
    assert dict(connection.execute("SELECT owner, max(number) FROM series GROUP BY owner").fetchall()) == series
    connection.close()


@pytest.mark.parametrize("count", [1, 7, 8, 9, 64, 65, 150])
def test_rows_are_the_same_however_many_are_written_in_a_step(count: int) -> None:
    connection = sqlite3.connect(":memory:", isolation_level=None)
    for statement in definitions(TABLES, (), SQLITE):
        connection.execute(statement)
    for said in ("first", "then"):  # inserted, then replaced
        rows = Rows(Writer(connection), TABLES)
        for part in range(count):
            rows.of(KEPT).put({"name": "a", "part": part, "body": [said, part]})
        if said == "first":
            for number in range(count):
                rows.of(SERIES).add("owner", number)
        rows.flush()
    kept = [("a", part, f'["then", {part}]') for part in range(count)]
    assert connection.execute("SELECT * FROM kept ORDER BY part").fetchall() == kept
    assert connection.execute("SELECT number FROM series ORDER BY number").fetchall() == [(n,) for n in range(count)]
