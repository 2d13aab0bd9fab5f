from __future__ import annotations

import asyncio
import sqlite3
import threading
import time
from collections.abc import Callable
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from coseal.contracts.certification.tables import TABLES as CERTIFICATION
from coseal.contracts.credit.tables import TABLES as CREDIT
from coseal.contracts.currency.tables import TABLES as CURRENCY
from coseal.contracts.disclosure.tables import TABLES as DISCLOSURE
from coseal.contracts.kernel.rows.schema import SQLITE, definitions
from coseal.contracts.mission.tables import TABLES as MISSION
from coseal.contracts.participation.tables import TABLES as PARTICIPATION
from coseal.contracts.process.chain import item_hash
from coseal.contracts.process.rows import _ProcessRows
from coseal.contracts.rows.tables import CORE, TABLES, VERSION, VIEWS
from coseal.contracts.standards.tables import TABLES as STANDARDS
from coseal.contracts.trade.tables import TABLES as TRADE
from coseal.ledger import transaction
from coseal.ledger.transaction import Transaction
from coseal.node.index import database, queries
from coseal.node.index.index import Index
from tests.support.chain import Chain
from tests.support.genesis import START_MS, make_genesis
from tests.support.keys import operator
from tests.support.supervised import SUPERVISION


def signed(chain: Chain, name: str, args: dict[str, Any], number: int, sender: str = "enterprise-a") -> Transaction:
    contract, _, action = name.partition(".")
    return transaction.sign(
        operator(sender),
        chain_id=chain.genesis.chain_id,
        sender=f"{sender}/admin",
        contract=contract,
        action=action,
        args=args,
        valid_until_ms=START_MS + 300_000,
        salt=number.to_bytes(16, "big"),
    )


@cache
def story(blocks: int = 12) -> Chain:
    """A chain with members' profiles, policies and process data, accepted and rejected, over some blocks."""
    chain = Chain(make_genesis(name="index"))
    definition = {
        "id": "t",
        "version": 1,
        "title": "T",
        "object_types": {"case": {}},
        "event_types": {"Create": {"attributes": {"paid": "boolean"}}, "Pay": {}},
        "gaps": "record",
    }
    source = {"id": "s", "process_type": "t", "mode": "historical"}
    chain.extend(
        [signed(chain, "process.define_type", definition, 1), signed(chain, "process.register_source", source, 2)]
    )
    sequence = 1
    for height in range(2, blocks + 1):
        items = [
            {
                "event": f"e{sequence + i}",
                "type": ("Create", "Pay")[i % 2],
                "time": f"2020-01-{height:02}T00:00:0{i}Z",
                "objects": [["case", f"c{(height + i) % 5}"], ["case", f"k{i}"]],
                **({} if i % 2 else {"attributes": {"paid": height % 2 == 0}}),
            }
            for i in range(3)
        ]
        if height == 4:
            items[2]["corrects"] = [sequence, item_hash("enterprise-a/s", sequence, items[0]).hex()]
        event = {"action": "passed", "date": f"20{height + 10}"}
        about = {"is_about": ["a"], "passed_by": ["X", "Y"], "implements": ["p9"]}
        fact = {"id": f"p{height % 4}", "title": "Title", **about, "events": [event]}
        record = {"source": "s", "sequence": sequence, "items": items}
        recorded = {"source": "f", "source_sha256": "00" * 32, "instruments": [fact]}
        bad = {"source": "s", "sequence": 1, "items": items}
        chain.extend(
            [
                signed(chain, "process.record", record, 10 * height),
                signed(chain, "policy.record", recorded, 10 * height + 1, "regulator"),
                signed(chain, "process.record", bad, 10 * height + 2),
            ]
        )
        sequence += 3
    return chain


@pytest.fixture(scope="module")
def chain() -> Chain:
    return story()


def reading(chain: Chain) -> Callable[[int], bytes | None]:
    return lambda height: chain.blocks[height - 1].encode() if 1 <= height <= len(chain.blocks) else None


def opened(path: Path, chain: Chain) -> Index:
    return Index(path, chain.genesis.chain_id, reading(chain))


def dump(path: Path) -> dict[str, list[Any]]:
    """Return all rows of all tables."""
    connection = sqlite3.connect(path)
    names = [row[0] for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name")]
    rows = {name: sorted(connection.execute(f"SELECT * FROM {name}").fetchall(), key=repr) for name in names}
    connection.close()
    return rows


def rebuilt(folder: Path, chain: Chain) -> dict[str, list[Any]]:
    index = opened(folder / "rebuilt.sqlite", chain)
    index.start(len(chain.blocks))
    assert index.wait(len(chain.blocks), 20)
    index.stop()
    return dump(folder / "rebuilt.sqlite")


def test_rebuilding_from_the_log_equals_following_the_commits(tmp_path: Path, chain: Chain) -> None:
    index = opened(tmp_path / "live.sqlite", chain)
    index.start(0)
    for committed in chain.blocks:
        height = committed.block.header.height
        transactions = [Transaction.decode(raw) for raw in committed.block.transactions] if height % 2 else ()
        index.feed(committed, transactions)
        assert index.wait(height, 20)
    index.stop()
    found = dump(tmp_path / "live.sqlite")
    assert found == rebuilt(tmp_path, chain)
    assert len(found["transactions"]) == 2 + 3 * 11
    assert len(found["batches"]) == 11, "rejected batches are no batches"
    filled = found.keys() - {
        *SUPERVISION,
        *(table.name for table in STANDARDS),
        *(table.name for table in CURRENCY),
        *(table.name for table in TRADE),
        *(table.name for table in CERTIFICATION),
        *(table.name for table in MISSION),
        *(table.name for table in CREDIT),
        *(table.name for table in DISCLOSURE),
        *(table.name for table in PARTICIPATION),
        "left_out",
        "contracts",
        "standings",
        "measures",
        *("proposals", "votes"),  # tests/contracts/governance/test_proposal_rows.py
        *("tallied_types", "tally_members", "tallies", "matches"),  # tests/contracts/process/test_tally_rows.py
    }  # test_supervision.py, test_standards.py, test_money.py, test_trade.py, test_contained.py, ...
    assert all(found[name] for name in filled), "every table is filled, so that the comparison means something"


def test_every_row_is_traceable_to_its_block(tmp_path: Path, chain: Chain) -> None:
    rebuilt(tmp_path, chain)
    connection = sqlite3.connect(tmp_path / "rebuilt.sqlite")
    placed = [table.name for table in CORE if {"height", "position"} <= set(table.names)]
    assert {table.name for table in CORE} - set(placed) == {"blocks", "item_objects", "item_values"}
    for table in placed:
        wrong = connection.execute(
            f"SELECT count(*) FROM {table} r LEFT JOIN transactions t USING (height, position) WHERE t.id IS NULL"
        ).fetchone()[0]
        assert wrong == 0, table
    connection.close()


@settings(deadline=None, max_examples=15)
@given(st.lists(st.integers(1, 12), max_size=5))
def test_stopping_anywhere_and_starting_again_changes_nothing(tmp_path_factory: Any, stops: list[int]) -> None:
    chain = story()
    folder: Path = tmp_path_factory.mktemp("index")
    path = folder / "index.sqlite"
    for stop in [*sorted(stops), 12]:
        index = opened(path, chain)
        index.start(stop)
        assert index.wait(stop, 20)
        index.stop()
    assert dump(path) == rebuilt(folder, chain)


def test_a_block_is_written_whole_with_its_marker_or_not_at_all(
    tmp_path: Path, chain: Chain, monkeypatch: pytest.MonkeyPatch
) -> None:
    original = _ProcessRows.record

    def failing(self: Any, tx: Transaction, data: Any, act: Any) -> None:
        original(self, tx, data, act)
        if act.height == 6:
            raise OSError("disk full")

    monkeypatch.setattr(_ProcessRows, "record", failing)
    monkeypatch.setattr("coseal.node.index.index._BATCH_ROWS", 1)
    path = tmp_path / "index.sqlite"
    index = opened(path, chain)
    index.start(12)
    assert not index.wait(12, 20)
    assert (index.height, index.error) == (5, "OSError: disk full")
    assert asyncio.run(index.reached(5, 0))
    assert not asyncio.run(index.reached(6, 20)), "a failed index is not waited for"
    index.stop()
    assert max(row[0] for row in dump(path)["blocks"]) == 5
    monkeypatch.undo()
    index = opened(path, chain)
    assert index.height == 5
    index.start(12)
    assert index.wait(12, 20)
    index.stop()
    assert dump(path) == rebuilt(tmp_path, chain)


def break_version(path: Path) -> None:
    connection = sqlite3.connect(path)
    connection.execute("UPDATE meta SET value = 99 WHERE key = 'version'")
    connection.commit()
    connection.close()


def drop_meta(path: Path) -> None:
    connection = sqlite3.connect(path)
    connection.execute("DROP TABLE meta")
    connection.close()


@pytest.mark.parametrize(
    "damage",
    [
        break_version,
        lambda path: path.write_bytes(b"this is no database" * 1_000),
        lambda path: path.write_bytes(path.read_bytes()[:5_000]),
        lambda path: path.write_bytes(b""),
        lambda path: path.unlink(),
        drop_meta,
    ],
)
def test_another_version_or_damage_means_a_new_index(
    tmp_path: Path, chain: Chain, damage: Callable[[Path], None]
) -> None:
    expected = rebuilt(tmp_path, chain)
    path = tmp_path / "rebuilt.sqlite"
    damage(path)
    index = opened(path, chain)
    assert index.height == 0
    index.start(12)
    assert index.wait(12, 20)
    index.stop()
    assert dump(path) == expected


def test_an_index_of_another_chain_is_not_used(tmp_path: Path, chain: Chain) -> None:
    rebuilt(tmp_path, chain)
    other = Chain(make_genesis(name="other"))
    index = opened(tmp_path / "rebuilt.sqlite", other)
    assert index.height == 0
    index.stop()
    assert dump(tmp_path / "rebuilt.sqlite")["blocks"] == []


def test_a_writer_that_lags_reads_back_what_it_was_not_in_time_for(tmp_path: Path, chain: Chain) -> None:
    read: list[int] = []
    gate = threading.Event()

    def slow(height: int) -> bytes | None:
        read.append(height)
        gate.wait(20)
        return reading(chain)(height)

    index = Index(tmp_path / "index.sqlite", chain.genesis.chain_id, slow)
    index._fed = type(index._fed)(maxlen=3)
    index.start(1)
    while not read:
        pass
    for committed in chain.blocks[1:]:
        index.feed(committed)
    assert index.height == 0, "it lags, and says so"
    gate.set()
    assert index.wait(12, 20)
    index.stop()
    assert read == list(range(1, 10)), "the last three were still at hand"
    assert dump(tmp_path / "index.sqlite") == rebuilt(tmp_path, chain)


def test_a_missing_block_stops_the_index_and_not_the_node(tmp_path: Path, chain: Chain) -> None:
    index = Index(tmp_path / "index.sqlite", chain.genesis.chain_id, lambda height: None)
    index.start(3)
    assert not index.wait(3, 20)
    assert index.error == "LookupError: block 1 is not in the log"
    index.feed(chain.blocks[0])
    index.stop()


def test_a_reader_sees_one_snapshot_while_the_writer_goes_on(tmp_path: Path, chain: Chain) -> None:
    index = opened(tmp_path / "index.sqlite", chain)
    index.start(3)
    assert index.wait(3, 20)

    def twice(connection: sqlite3.Connection) -> tuple[int, int]:
        first = queries.height(connection)
        index.feed(chain.blocks[3])
        assert index.wait(4, 20)
        return first, queries.height(connection)

    assert asyncio.run(index.query(twice)) == (3, 3)
    assert asyncio.run(index.query(queries.height)) == 4
    with pytest.raises(sqlite3.OperationalError, match="readonly"):
        asyncio.run(index.query(lambda connection: connection.execute("DELETE FROM blocks")))
    index.stop()


@pytest.fixture
def marks(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The heights up to which an SQL transaction went, while the index gathers and holds back without end."""
    heights: list[int] = []

    def mark(connection: sqlite3.Connection, height: int, mark: Any = database.set_height) -> None:
        heights.append(height)
        mark(connection, height)

    for name in ("_BATCH_S", "_HELD_S", "_HELD_MOST_S"):
        monkeypatch.setattr(f"coseal.node.index.index.{name}", 3_600.0)
    monkeypatch.setattr("coseal.node.index.index.database.set_height", mark)
    return heights


def reaches(index: Index, height: int) -> bool:
    """Wait for a height without asking the index for it."""
    deadline = time.monotonic() + 20
    while index.height < height and time.monotonic() < deadline:
        time.sleep(0.005)
    return index.height >= height


def test_blocks_of_a_busy_node_share_a_transaction_until_somebody_waits_for_one(
    tmp_path: Path, chain: Chain, marks: list[int]
) -> None:
    index = opened(tmp_path / "index.sqlite", chain)
    index.start(0)
    index.feed(chain.blocks[0])
    assert reaches(index, 1)
    for block in chain.blocks[1:4]:
        index.feed(block)
    assert index.wait(4, 20)
    index.feed(chain.blocks[4])
    assert asyncio.run(index.query(queries.height)) == 5
    index.stop()
    assert marks == [1, 4, 5], "the first at once, then together, and then what a query asks for"


def test_the_index_of_a_node_that_catches_up_follows_behind(tmp_path: Path, chain: Chain, marks: list[int]) -> None:
    index = opened(tmp_path / "index.sqlite", chain)
    index.start(0)
    for block in chain.blocks[:3]:
        index.feed(block, catching_up=True)
    index.feed(chain.blocks[3])
    assert reaches(index, 4)
    index.feed(chain.blocks[4], catching_up=True)
    assert index.wait(5, 20), "who asks does not wait for the end"
    index.stop()
    assert marks == [4, 5]


def test_an_index_on_demand_rests_until_somebody_asks(
    tmp_path: Path, chain: Chain, monkeypatch: pytest.MonkeyPatch
) -> None:
    index = Index(tmp_path / "index.sqlite", chain.genesis.chain_id, reading(chain), on_demand=True)
    index.start(0)
    for block in chain.blocks[:3]:
        index.feed(block)
    time.sleep(0.05)
    assert (index.height, index.resting) == (0, True)
    assert asyncio.run(index.query(queries.height)) == 3, "who asks has it whole"
    assert not index.resting
    index.feed(chain.blocks[3])
    assert reaches(index, 4), "it follows the tip for a while"
    monkeypatch.setattr(index, "_wanted_until_s", 0.0)
    for block in chain.blocks[4:]:
        index.feed(block)
    time.sleep(0.05)
    assert (index.height, index.resting) == (4, True)
    assert asyncio.run(index.reached(12, 20))
    index.stop()
    assert dump(tmp_path / "index.sqlite") == rebuilt(tmp_path, chain)


def test_the_schema_is_of_the_version_that_is_stated() -> None:
    """Changing a table without raising VERSION would let an old file pass for a new one."""
    created = " ".join((*definitions(CORE, (), SQLITE), *definitions(TABLES, VIEWS, SQLITE)))
    assert VERSION == 36
    assert sha256(created.encode()).hexdigest()[:16] == "11e19377f4fa2611"
