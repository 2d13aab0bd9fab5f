"""An index on a user's machine: verified as it fills, whole at some height whatever happens, never another's."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

import coseal.audit.audit
import coseal.sql.sync
from coseal.audit.sources import FileSource
from coseal.cli import app
from coseal.contracts.certification.tables import TABLES as CERTIFICATION
from coseal.contracts.credit.tables import TABLES as CREDIT
from coseal.contracts.currency.tables import TABLES as CURRENCY
from coseal.contracts.disclosure.tables import TABLES as DISCLOSURE
from coseal.contracts.mission.tables import TABLES as MISSION
from coseal.contracts.participation.tables import TABLES as PARTICIPATION
from coseal.contracts.rows.tables import CORE, TABLES, VERSION
from coseal.contracts.supervision import rows as supervision
from coseal.contracts.trade.tables import TABLES as TRADE
from coseal.errors import BadAnswer, CosealError
from coseal.node.index.index import Index
from coseal.sql.store import open_store
from coseal.sql.sync import Synced, sync
from tests.coseal.sql.conftest import rows_of, write
from tests.support.chain import Chain
from tests.support.genesis import make_genesis
from tests.support.supervised import Story


def fill(place: Path | str, folder: Path, chain: Chain, **more: Any) -> Synced:
    store = open_store(str(place))
    try:
        return sync(store, [FileSource(folder / "nodes" / "regulator")], chain.genesis, **more)
    finally:
        store.close()


def run(*words: str | Path) -> tuple[int, dict[str, Any], str]:
    """Run a command with ``--json``; return its exit code, what it printed, and what it complained of."""
    done = CliRunner().invoke(app, [*map(str, words), "--json"], catch_exceptions=False)
    return done.exit_code, json.loads(done.stdout) if done.stdout else {}, done.stderr


@pytest.fixture(scope="session")
def whole(told: Story, tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[tuple[Any, ...]]]:
    """The rows of the whole chain, taken at once."""
    folder = tmp_path_factory.mktemp("whole")
    fill(folder / "index", write(told.chain, folder / "net"), told.chain)
    return rows_of(str(folder / "index"))


def test_a_fault_in_the_making_of_rows_leaves_its_transaction_out_and_is_told(
    told: Story, tmp_path: Path, whole: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    write_rows = supervision._write

    def fail(rows: Any, put: Any, tx: Any, *more: Any) -> None:
        write_rows(rows, put, tx, *more)
        if tx.action == "acknowledge":
            raise KeyError("side")

    monkeypatch.setattr(supervision, "_write", fail)
    synced = fill(tmp_path / "index", write(told.chain, tmp_path / "net"), told.chain)
    found = rows_of(str(tmp_path / "index"))
    named = [(one.height, one.position) for one in synced.left_out]
    assert synced.after.height == len(told.chain.blocks)
    assert named == [row[:2] for row in found["left_out"]] != []
    assert [row[2] for row in synced.to_json()["left_out"]] == ["supervision.acknowledge"] * len(named)
    assert found["transactions"] == whole["transactions"]
    assert found["items"] == whole["items"]
    assert len(found["findings"]) == len(whole["findings"])


def test_it_has_the_rows_of_a_nodes_own_index_and_every_item_besides(
    told: Story, tmp_path: Path, whole: dict[str, Any]
) -> None:
    blocks = told.chain.blocks
    index = Index(tmp_path / "node.sqlite", told.chain.genesis.chain_id, lambda height: blocks[height - 1].encode())
    index.start(len(blocks))
    assert index.wait(len(blocks), 60), index.error
    index.stop()
    connection = sqlite3.connect(tmp_path / "node.sqlite")
    for table in CORE:
        rows = connection.execute(f"SELECT {', '.join(table.names)} FROM {table.name}").fetchall()
        assert sorted(rows, key=repr) == whole[table.name], table.name
    connection.close()
    elsewhere = {"left_out", "contracts", "corrections", "standings", "measures", "proposals", "own_findings"}
    elsewhere |= {
        table.name for table in (*CURRENCY, *TRADE, *CREDIT[1:], *CERTIFICATION, *MISSION, *PARTICIPATION, *DISCLOSURE)
    }
    elsewhere |= {"tallied_types", "tally_members", "tallies", "matches"}
    assert {name for name, rows in whole.items() if not rows} == elsewhere
    assert len(whole["items"]) == sum(row[1] for row in whole["batches"])
    assert len(whole["acts"]) >= len(whole["transactions"])


def test_every_row_is_traceable_to_its_transaction(whole: dict[str, Any]) -> None:
    places = {(row[1], row[2]) for row in whole["transactions"]} | {(row[0], -1) for row in whole["blocks"]}
    for table in TABLES:
        if {"height", "position"} <= set(table.names):
            height, position = (table.names.index(name) for name in ("height", "position"))
            assert {(row[height], row[position]) for row in whole[table.name]} <= places, table.name
    assert {row[1] for row in whole["item_objects"]} <= {row[0] for row in whole["items"]}


@pytest.mark.parametrize(("stops", "cached_rows"), [((), 0), ((1, 2, 30), 100), ((17,), 200_000), ((40, 41, 43), 0)])
def test_stopping_anywhere_and_going_on_changes_nothing(
    told: Story,
    folder: Path,
    tmp_path: Path,
    whole: Any,
    stops: tuple[int, ...],
    cached_rows: int,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(coseal.audit.audit, "RUN_BLOCKS", 7)
    monkeypatch.setattr(coseal.sql.sync, "CACHED_ROWS", cached_rows)
    for stop in (*stops, None):
        synced = fill(tmp_path / "index", folder, told.chain, last=stop)
        assert synced.after.height == (stop or len(told.chain.blocks))
    assert rows_of(str(tmp_path / "index")) == whole


def test_a_growing_chain_is_followed_from_an_archive(told: Story, tmp_path: Path, whole: Any) -> None:
    place = tmp_path / "index"
    for last in (20, len(told.chain.blocks)):
        folder = write(told.chain, tmp_path / "net", last)
        archive = folder / "nodes" / "regulator" / "blocks" / "00000001.log"
        code, shown, _ = run("index", "sync", archive, "--genesis", folder / "genesis.json", "--db", place)
        assert (code, shown["height"], shown["tip"], shown["lag"]) == (0, last, last, 0)
    assert run("index", "sync", folder, "--db", f"sqlite:///{place}")[1]["blocks"] == 0
    assert rows_of(str(place)) == whole


def test_replay_computes_every_outcome_anew_also_of_what_is_there(told: Story, folder: Path, tmp_path: Path) -> None:
    tip = len(told.chain.blocks)
    assert fill(tmp_path / "index", folder, told.chain, last=12).after.replayed == 0
    synced = fill(tmp_path / "index", folder, told.chain, replay=True)
    assert (synced.after.height, synced.after.replayed) == (tip, tip)
    assert synced.report is not None
    assert synced.report.level == "replay"
    assert fill(tmp_path / "index", folder, told.chain, replay=True).report is None, "nothing is left to do"


def test_a_false_block_ends_it_before_that_block_and_says_which(
    told: Story, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(coseal.audit.audit, "RUN_BLOCKS", 8)
    blocks = list(told.chain.blocks)
    receipts = blocks[19].receipts
    blocks[19] = replace(blocks[19], receipts=(receipts[0], receipts[1] + b"\x00", *receipts[2:]))
    lying = Chain(told.chain.genesis)
    lying.blocks = blocks
    folder = write(lying, tmp_path / "net")
    code, shown, _ = run("index", "sync", folder, "--db", tmp_path / "index")
    assert (code, shown["ok"], shown["height"]) == (1, False, 19)
    assert shown["audit"]["findings"][0]["height"] == 20
    assert max(row[0] for row in rows_of(str(tmp_path / "index"))["blocks"]) == 19
    assert run("index", "sync", write(told.chain, folder), "--db", tmp_path / "index")[0] == 0


def test_a_source_with_another_block_at_its_height_is_not_believed(told: Story, tmp_path: Path) -> None:
    fill(tmp_path / "index", write(told.chain, tmp_path / "net", 10), told.chain)
    store = open_store(str(tmp_path / "index"))
    with store.transaction():
        store.note({"hash": "ab" * 32})
    store.close()
    code, shown, _ = run("index", "sync", write(told.chain, tmp_path / "net"), "--db", tmp_path / "index")
    assert (code, shown["height"]) == (1, 10)
    assert "not the pinned" in shown["audit"]["findings"][0]["reason"]


def test_an_index_of_another_chain_is_refused_and_left_alone(told: Story, folder: Path, tmp_path: Path) -> None:
    fill(tmp_path / "index", folder, told.chain, last=3)
    other = Chain(make_genesis(name="other"))
    with pytest.raises(BadAnswer, match="is of chain"):
        fill(tmp_path / "index", folder, other)
    assert run("index", "status", folder, "--db", tmp_path / "index")[1]["height"] == 3


def test_an_index_of_another_version_is_refused_and_rebuilt_on_demand(
    told: Story, folder: Path, tmp_path: Path, whole: Any
) -> None:
    fill(tmp_path / "index", folder, told.chain, last=3)
    store = open_store(str(tmp_path / "index"))
    with store.transaction():
        store.note({"version": str(VERSION - 1)})
        store.execute("DROP TABLE items")
    store.close()
    code, _, complaint = run("index", "sync", folder, "--db", tmp_path / "index")
    assert (code, "coseal index rebuild" in complaint) == (2, True)
    code, shown, _ = run("index", "status", folder, "--db", tmp_path / "index")
    assert (code, shown["schema"], shown["current"]) == (0, VERSION - 1, False)
    assert "coseal index rebuild" in run("sql", "SELECT 1", "--db", tmp_path / "index")[2]
    assert run("index", "rebuild", folder, "--db", tmp_path / "index")[0] == 0
    assert rows_of(str(tmp_path / "index")) == whole


def test_a_rebuild_without_any_source_leaves_the_index_alone(told: Story, folder: Path, tmp_path: Path) -> None:
    fill(tmp_path / "index", folder, told.chain, last=3)
    where = ("--url", "http://127.0.0.1:9", "--genesis", folder / "genesis.json", "--db", tmp_path / "index")
    code, _, complaint = run("index", "rebuild", *where)
    assert (code, "stays as it is" in complaint) == (2, True)
    assert run("index", "status", folder, "--db", tmp_path / "index")[1]["height"] == 3
    code, shown, _ = run("index", "sync", *where)
    assert (code, shown["height"], shown["lag"]) == (2, 3, None)


def something_else(path: Path) -> None:
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE accounts (id)")
    connection.close()


def a_nodes_index(path: Path) -> None:
    Index(path, b"\x01" * 32, lambda height: None).stop()


@pytest.mark.parametrize("command", ["sync", "rebuild"])
@pytest.mark.parametrize(
    "make", [something_else, a_nodes_index, lambda path: path.write_bytes(b"no database at all" * 100)]
)
def test_what_is_no_index_of_ours_is_never_changed(
    folder: Path, tmp_path: Path, make: Callable[[Path], None], command: str
) -> None:
    path = tmp_path / "file"
    make(path)

    before = path.read_bytes()
    code, _, complaint = run("index", command, folder, "--db", path)
    assert (code, "choose another --db" in complaint) == (2, True)
    assert path.read_bytes() == before


CHILD = """
import os, resource, signal, sys
from pathlib import Path
import coseal.audit.audit
import coseal.sql.sync
from coseal.cli import app
from coseal.sql.sqlite import SqliteStore
coseal.audit.audit.RUN_BLOCKS = 8
{prelude}
app(["index", "sync", {folder!r}, "--db", {place!r}])
"""
KILLED = """
note, seen = SqliteStore.note, []
def killing(self, notes):
    note(self, notes)
    seen.append(notes)
    if len(seen) == 4:
        os.kill(os.getpid(), signal.SIGKILL)
SqliteStore.note = killing
"""
FULL = "resource.setrlimit(resource.RLIMIT_FSIZE, ({size}, {size}))"


def in_another_process(prelude: str, folder: Path, place: Path) -> subprocess.CompletedProcess[str]:
    program = CHILD.format(prelude=prelude, folder=str(folder), place=str(place))
    return subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=120, check=False, env=os.environ
    )


def test_a_killed_sync_leaves_a_whole_index_that_can_be_asked_and_goes_on(
    told: Story, folder: Path, tmp_path: Path, whole: Any
) -> None:
    place = tmp_path / "index"
    assert in_another_process(KILLED, folder, place).returncode == -signal.SIGKILL
    code, shown, _ = run("sql", "SELECT max(height), count(*) FROM blocks", "--db", place)
    assert (code, shown["height"], shown["rows"]) == (0, 24, [[24, 24]]), "three runs were written, half a fourth not"
    assert run("index", "sync", folder, "--db", place)[1]["height"] == len(told.chain.blocks)
    assert rows_of(str(place)) == whole


def test_a_full_disk_is_told_and_changes_nothing_and_it_goes_on_with_room(
    told: Story, folder: Path, tmp_path: Path, whole: Any
) -> None:
    place = tmp_path / "index"
    fill(place, folder, told.chain, last=8)
    size = place.stat().st_size + 60_000
    done = in_another_process(FULL.format(size=size), folder, place)
    assert done.returncode == 2, done.stderr
    assert "free some space" in done.stderr
    assert "Traceback" not in done.stderr
    code, shown, _ = run("sql", "SELECT max(height), count(*) FROM blocks", "--db", place)
    assert code == 0
    assert shown["rows"] == [[shown["height"]] * 2]
    assert 8 <= shown["height"] < len(told.chain.blocks)
    assert run("index", "sync", folder, "--db", place)[0] == 0
    assert rows_of(str(place)) == whole


def test_two_at_once_do_not_mix(told: Story, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another sync that gets ahead between two runs of this one ends this one."""
    monkeypatch.setattr(coseal.audit.audit, "RUN_BLOCKS", 8)
    place = tmp_path / "index"

    def overtake(height: int, goal: int) -> None:
        if height == 8:
            fill(place, folder, told.chain, last=30)

    with pytest.raises(CosealError, match="by another process"):
        fill(place, folder, told.chain, progress=overtake)
    assert fill(place, folder, told.chain).after.height == len(told.chain.blocks)


def test_status_says_how_far_and_how_far_behind(told: Story, folder: Path, tmp_path: Path) -> None:
    place, tip = tmp_path / "index", len(told.chain.blocks)
    code, _, complaint = run("index", "status", folder, "--db", place)
    assert (code, "coseal index sync" in complaint) == (2, True)
    assert not place.exists()
    fill(place, folder, told.chain, last=9)
    code, shown, _ = run("index", "status", folder, "--db", place)
    assert code == 0
    wanted = {"height": 9, "tip": tip, "lag": tip - 9, "schema": VERSION, "current": True, "replayed": 0}
    assert wanted.items() <= shown.items()
    assert shown["chain_id"] == told.chain.genesis.chain_id.hex()
    code, shown, _ = run("index", "status", "--url", "http://127.0.0.1:9", "--db", place)
    assert (code, shown["tip"], shown["lag"]) == (0, None, None)


@pytest.mark.parametrize("place", ["mysql://host/db", "sqlite:///", "sqlite:///no/such/folder/index", "postgresql://["])
def test_a_database_that_makes_no_sense_is_refused_in_words(folder: Path, place: str) -> None:
    code, _, complaint = run("index", "sync", folder, "--db", place)
    assert code == 2
    assert complaint.startswith("coseal: ")
