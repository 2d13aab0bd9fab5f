"""A fault in the making of rows costs the transaction it is of, and nothing else."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from coseal.contracts.kernel.rows.buffer import Rows
from coseal.contracts.kernel.rows.schema import SQLITE, definitions
from coseal.contracts.policy import rows as policies
from coseal.contracts.rows.blocks import BlockRows, LeftOut, reason_of
from coseal.contracts.rows.contained import write_contained
from coseal.contracts.rows.tables import TABLES
from coseal.node.index import database
from coseal.node.index.index import Index
from tests.node.index.test_index import story
from tests.support.chain import Chain

Write = Callable[..., None]


def dump(connection: sqlite3.Connection) -> dict[str, list[tuple[Any, ...]]]:
    return {t.name: sorted(connection.execute(f"SELECT * FROM {t.name}").fetchall(), key=repr) for t in TABLES}


def empty() -> sqlite3.Connection:
    connection = sqlite3.connect(":memory:", isolation_level=None)
    for statement in definitions(TABLES, (), SQLITE):
        connection.execute(statement)
    return connection


def written(chain: Chain, *, one_by_one: bool) -> tuple[sqlite3.Connection, list[LeftOut]]:
    connection = empty()
    writer = database.Writer(connection)
    left: list[LeftOut] = []

    def blank() -> tuple[Rows, BlockRows]:
        rows = Rows(writer, TABLES)
        return rows, BlockRows(rows)

    rows, whole = blank()
    connection.execute("BEGIN")
    for committed in chain.blocks:
        if one_by_one:
            left += write_contained(writer, blank, committed)
        else:
            whole.write(committed)
    rows.flush()
    connection.execute("COMMIT")
    return connection, left


def test_rows_made_one_by_one_are_those_made_at_once() -> None:
    chain = story()
    at_once, _ = written(chain, one_by_one=False)
    one_by_one, left = written(chain, one_by_one=True)
    assert dump(one_by_one) == dump(at_once)
    assert left == []


def faulty(write: Write, fault: Exception | Any) -> Write:
    """Return a maker of rows that fails for the third instrument, after it has put a row of it."""
    seen: list[str] = []

    def fail(rows: Rows, tx: Any, data: Any, act: Any) -> None:
        write(rows, tx, data, act)
        seen.append(tx.action)
        if act.where in ((4, 1), (6, 1)):
            if isinstance(fault, Exception):
                raise fault
            rows.of(policies.POLICY_SOURCES).put(fault | act.place)

    return fail


FAULTS = {
    "a key that is missing": KeyError("level"),
    "too deep": RecursionError("maximum recursion depth exceeded"),
    "a value that no column takes": {"sha256": "x", "source": {"a": 1}, "member": "m"},
    "an integer that is too large": {"sha256": "x", "source": 2**64, "member": "m"},
    "half of a surrogate pair": {"sha256": "x", "source": "\ud800", "member": "m"},
}


@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS)
def test_a_transaction_at_fault_is_left_out_and_named_and_all_others_are_there(
    fault: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    chain = story()
    good, _ = written(chain, one_by_one=True)
    monkeypatch.setattr(policies, "_write", faulty(policies._write, fault))
    connection, left = written(chain, one_by_one=True)
    rows = dump(connection)
    named = [(one.height, one.position) for one in left]
    assert named
    assert [row[:2] for row in rows["left_out"]] == named
    expected = dump(good)
    assert rows["transactions"] == expected["transactions"]
    assert rows["blocks"] == expected["blocks"]
    assert rows["items"] == expected["items"]
    assert rows["traces"] == expected["traces"]
    lost = [row for row in expected["policies"] if row not in rows["policies"]]
    assert len(lost) <= len(named)


def test_what_the_database_is_to_blame_for_is_raised(monkeypatch: pytest.MonkeyPatch) -> None:
    for fault in (sqlite3.OperationalError("disk I/O error"), sqlite3.DatabaseError("malformed"), MemoryError()):
        monkeypatch.setattr(policies, "_write", faulty(policies._write, fault))
        with pytest.raises(type(fault)):
            written(story(), one_by_one=True)
        monkeypatch.undo()


def test_the_index_of_a_node_goes_on_after_a_fault_and_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    chain = story()
    monkeypatch.setattr(policies, "_write", faulty(policies._write, KeyError("level")))
    for _ in range(2):  # the second time from the file
        index = Index(tmp_path / "index.sqlite", chain.genesis.chain_id, lambda h: chain.blocks[h - 1].encode())
        index.start(len(chain.blocks))
        assert index.wait(len(chain.blocks), 20)
        assert index.error is None
        assert index.left_out > 0
        index.stop()
    connection = sqlite3.connect(tmp_path / "index.sqlite")
    named = connection.execute("SELECT name, reason FROM left_out").fetchall()
    connection.close()
    assert len(named) == index.left_out
    assert {reason for _, reason in named} == {"KeyError: 'level'"}


def test_a_reason_is_a_text_that_every_database_can_hold() -> None:
    assert reason_of(ValueError("\ud800\x00" + "x" * 1_000)) == "ValueError: ?" + "x" * 387
