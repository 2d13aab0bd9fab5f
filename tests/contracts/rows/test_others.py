"""Contracts of others have rows, lists and events from their height on, and a fault in those costs them alone."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from coseal.contracts.block_events import BEGIN, CANNOT_BE_SHOWN, KINDS, block_events
from coseal.contracts.kernel.admitted import history
from coseal.contracts.kernel.contract import Contract
from coseal.contracts.kernel.rows.writer import Writer
from coseal.contracts.registry import Others, others_at
from coseal.contracts.rows.others import COMING, NOT_INSTALLED
from coseal.node.index.index import Index
from coseal.streams.outgoing import outgoing
from tests.contracts.governance.test_admissions import Admitting
from tests.support.chain import Chain
from tests.support.genesis import VALIDATORS
from tests.support.others import ADDED, TALLIES, TALLY_1, TALLY_2, genesis_with, tally


@pytest.fixture(scope="module")
def grown(signer_of: Any) -> Admitting:
    """Both versions, one after the other, with transactions under each; 17 and 118 are mistakes."""
    world = Admitting(Chain(others=TALLIES), signer_of)
    world.declare(*VALIDATORS, sources=(TALLY_1, TALLY_2))
    world.grow_to(world.schedule(6) - 1)
    for amount in (3, 17, 98, 1_001):
        world.add(amount)
    world.grow_to(world.schedule(6, TALLY_2, "tally-2") - 2)
    last = [world.chain.sign("bank-a/admin", "tally.add", {"amount": amount}) for amount in (17, 5)]
    world.chain.block(*last)  # the last block of the first version, whose start says that the second one comes
    world.add(4)
    return world


def indexed(chain: Chain, path: Path, others: Others = TALLIES) -> Index:
    index = Index(path, chain.genesis.chain_id, lambda h: chain.blocks[h - 1].encode(), others, chain.genesis.contracts)
    index.start(len(chain.blocks))
    assert index.wait(len(chain.blocks), 20)
    assert index.error is None
    index.stop()
    return index


def asked(path: Path, query: str) -> list[tuple[Any, ...]]:
    connection = sqlite3.connect(path)
    try:
        return connection.execute(query).fetchall()
    finally:
        connection.close()


AMOUNTS = "SELECT amount, total FROM tally__added"


def test_its_rows_are_those_of_the_version_that_each_block_ran_with(grown: Admitting, tmp_path: Path) -> None:
    path = tmp_path / "index.sqlite"
    index = indexed(grown.chain, path)
    assert asked(path, AMOUNTS) == [(3, 3), (98, 118), (5, 140), (4, 148)]
    assert asked(path, "SELECT name, version, reason FROM contracts") == [("tally", 1, ""), ("tally", 2, "")]
    left = asked(path, "SELECT contract, name, reason FROM left_out")
    assert left == [("tally", "tally.add", "IntegrityError: NOT NULL constraint failed: tally__added.total")] * 2
    assert index.left_out == 2
    assert asked(path, "SELECT count(*) FROM transactions WHERE contract = 'tally'") == [(7,)]
    assert indexed(grown.chain, path).left_out == 2  # once more, from the file


def test_an_index_fed_block_by_block_has_the_same_rows(grown: Admitting, tmp_path: Path) -> None:
    chain = grown.chain
    indexed(chain, tmp_path / "whole.sqlite")
    for height in range(1, len(chain.blocks) + 1, 5):  # stopped, and opened again, in between
        index = Index(tmp_path / "a.sqlite", chain.genesis.chain_id, lambda h: chain.blocks[h - 1].encode(), TALLIES)
        index.start(height)
        assert index.wait(height, 20)
        index.stop()
    indexed(chain, tmp_path / "a.sqlite")
    for table in ("tally__added", "contracts", "left_out", "transactions"):
        query = f"SELECT * FROM {table}"
        assert asked(tmp_path / "a.sqlite", query) == asked(tmp_path / "whole.sqlite", query)


def test_what_is_not_installed_is_named_and_all_else_is_there(grown: Admitting, tmp_path: Path) -> None:
    path = tmp_path / "index.sqlite"
    indexed(grown.chain, path, {TALLY_2: TALLIES[TALLY_2]})
    assert asked(path, AMOUNTS) == [(4, 148)]
    assert asked(path, "SELECT reason FROM contracts WHERE version = 1") == [(NOT_INSTALLED,)]
    reasons = asked(path, "SELECT name, reason FROM left_out")
    assert reasons == [("tally.add", f"contract tally version 1: {NOT_INSTALLED}")] * 5


def other_columns() -> Contract:
    return replace(tally(2), tables=(replace(ADDED, columns=ADDED.columns[:-1]),))


def test_a_version_that_changes_a_table_has_no_rows_and_says_why(grown: Admitting, tmp_path: Path) -> None:
    path = tmp_path / "index.sqlite"
    indexed(grown.chain, path, {**TALLIES, TALLY_2: other_columns()})
    assert asked(path, AMOUNTS) == [(3, 3), (98, 118), (5, 140)]
    (reason,) = asked(path, "SELECT reason FROM contracts WHERE version = 2")
    assert "tally__added" in reason[0]


def failing(*_: Any) -> Any:
    raise KeyError("a mistake")


def to_others(rows: Any) -> Writer:
    return Writer({"tally.add": lambda tx, data, act: rows.of(replace(ADDED, name="blocks")).add(1)})


@pytest.mark.parametrize("rows", [failing, lambda rows: Writer({"tally.add": failing}, finish=failing), to_others])
def test_rows_that_always_fail_cost_no_row_of_another(
    grown: Admitting, tmp_path: Path, rows: Callable[..., Any]
) -> None:
    good, bad = tmp_path / "good.sqlite", tmp_path / "bad.sqlite"
    indexed(grown.chain, good)
    index = indexed(grown.chain, bad, {sources: replace(one, rows=rows) for sources, one in TALLIES.items()})
    assert (index.left_out, asked(bad, AMOUNTS)) == (6, [])
    for table in ("blocks", "transactions", "contracts"):
        assert asked(bad, f"SELECT * FROM {table}") == asked(good, f"SELECT * FROM {table}")


def test_rows_of_due_things_that_fail_cost_no_row_of_another(tmp_path: Path) -> None:
    chain = Chain(genesis_with(TALLY_1), others={TALLY_1: tally(1)})
    chain.block()
    path = tmp_path / "index.sqlite"
    indexed(chain, path)
    assert asked(path, "SELECT name, first_height, height FROM contracts") == [("tally", 1, 1)]


def events_of(chain: Chain, others: Others = TALLIES) -> list[Any]:
    entries = history(chain.executor.reader)
    return [
        event
        for height, block in enumerate(chain.blocks, 1)
        for event in block_events(block, (height, BEGIN, 0), others_at(entries, height, others))
    ]


def test_its_events_come_after_those_of_the_act_and_a_fault_is_an_event_that_says_so(grown: Admitting) -> None:
    told = [event for event in events_of(grown.chain) if event.kind not in KINDS]
    assert [(event.kind, event.contracts) for event in told] == [("tally.large", ("tally",))] * 4
    assert told[0].data[CANNOT_BE_SHOWN] == "ZeroDivisionError: "
    assert [(event.data["total"], event.place[2]) for event in told[1:]] == [(135, 1), (140, 1), (148, 1)]
    assert events_of(grown.chain, {}) == [event for event in events_of(grown.chain) if event.kind in KINDS]


def test_its_events_are_sent_to_receivers(grown: Admitting) -> None:
    entries, chain = history(grown.chain.executor.reader), grown.chain
    height = len(chain.blocks)
    sent = list(outgoing(chain.blocks[-1], others_at(entries, height, TALLIES)))
    assert [event.type for event in sent] == ["coseal.tally.add", "coseal.tally.large"]
    assert sent[1].attributes["ledgertx"] == sent[0].attributes["ledgertx"]


@pytest.mark.parametrize(
    "raised", [failing, lambda name, data: [{"a": {1, 2}}], lambda name, data: [1], lambda n, d: None]
)
def test_events_that_are_none_stop_no_stream(grown: Admitting, raised: Callable[..., Any]) -> None:
    others = {sources: replace(one, events={"tally.large": raised}) for sources, one in TALLIES.items()}
    told = [event for event in events_of(grown.chain, others) if event.kind == "tally.large"]
    assert len(told) == 6
    assert all(CANNOT_BE_SHOWN in event.data for event in told)


def test_a_contract_that_is_installed_before_its_first_block_has_all_its_rows(grown: Admitting, tmp_path: Path) -> None:
    """A node without it writes the block before: it stops then, and continues once the contract is installed."""
    chain, path = grown.chain, tmp_path / "index.sqlite"
    first = next(entry.first_height for entry in history(chain.executor.reader))
    index = Index(path, chain.genesis.chain_id, lambda h: chain.blocks[h - 1].encode())
    index.start(first - 1)
    assert index.wait(first - 1, 20)
    index.stop()
    assert asked(path, "SELECT reason FROM contracts") == [(COMING,)]
    indexed(chain, path)
    assert asked(path, AMOUNTS) == [(3, 3), (98, 118), (5, 140), (4, 148)]
    assert asked(path, "SELECT reason FROM contracts") == [("",), ("",)]


def test_the_block_before_a_version_has_the_rows_of_the_one_before_it(grown: Admitting, tmp_path: Path) -> None:
    def rows_of_second(rows: Any) -> Writer:
        return Writer({"tally.add": lambda tx, data, act: rows.of(ADDED).add(*act.where, "second", 0, data["total"])})

    others = {**TALLIES, TALLY_2: replace(tally(2), rows=rows_of_second)}
    indexed(grown.chain, tmp_path / "index.sqlite", others)
    assert asked(tmp_path / "index.sqlite", AMOUNTS)[-2:] == [(5, 140), (0, 148)]
