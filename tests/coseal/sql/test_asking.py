"""Questions to an index: what is not a question is refused, what takes too long ends, nothing is ever changed."""

from __future__ import annotations

import csv
import io
import json
import os
import shutil
import sqlite3
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from coseal.cli import app
from coseal.errors import CosealError
from coseal.sql.store import ask
from tests.coseal.sql.conftest import write
from tests.coseal.sql.test_sync import fill
from tests.support.supervised import Story


@pytest.fixture(scope="module")
def lite(told: Story, tmp_path_factory: pytest.TempPathFactory) -> str:
    folder = tmp_path_factory.mktemp("asked")
    fill(folder / "index ?#%", write(told.chain, folder / "net"), told.chain)
    return str(folder / "index ?#%")


@pytest.fixture(params=["sqlite", "postgresql"])
def place(request: pytest.FixtureRequest) -> str:
    """Both kinds of index, filled with the same chain."""
    name: str = request.getfixturevalue("lite" if request.param == "sqlite" else "filled")
    return name


@pytest.fixture(scope="module")
def filled(told: Story, postgresql: str, tmp_path_factory: pytest.TempPathFactory) -> str:
    fill(postgresql, write(told.chain, tmp_path_factory.mktemp("asked") / "net"), told.chain)
    return postgresql


def asked(place: str, query: str, limit: int = 100, timeout_s: float = 30) -> Any:
    return ask(place, query, limit=limit, timeout_s=timeout_s)


def test_an_answer_has_its_height_and_no_more_rows_than_asked_for(place: str, told: Story) -> None:
    answer = asked(place, "SELECT height AS h, 'a%b' AS t, hash FROM blocks ORDER BY height", limit=3)
    assert (answer.height, answer.columns, answer.more) == (len(told.chain.blocks), ("h", "t", "hash"), True)
    assert [row[:2] for row in answer.rows] == [(1, "a%b"), (2, "a%b"), (3, "a%b")]
    assert bytes(answer.rows[0][2]) == told.chain.blocks[0].block.hash
    assert not asked(place, "SELECT 1", limit=1).more


@pytest.mark.parametrize(
    "query",
    [
        "DELETE FROM blocks",
        "UPDATE meta SET value = '0'",
        "DROP TABLE blocks",
        "CREATE TABLE mine (id integer)",
        "INSERT INTO meta VALUES ('a', 'b')",
        "SELECT 1; DELETE FROM blocks",
        "SELECT 1; SELECT 2",
        "COMMIT",
        "BEGIN",
        "WITH gone AS (DELETE FROM blocks RETURNING 1) SELECT * FROM gone",
        "ATTACH 'other' AS other",
        "PRAGMA query_only = OFF",
        "SELECT load_extension('evil')",
        "COPY blocks TO PROGRAM 'cat'",
        "SET statement_timeout = 0",
        "VACUUM INTO 'copy'",
        "SELECT * FROM nothing",
        "SELECT",
        "",
        "; ;",
        "\x00",
        "SELECT '\udc80'",
    ],
)
def test_what_is_no_question_is_refused_in_words_and_changes_nothing(place: str, query: str) -> None:
    before = asked(place, "SELECT count(*), max(height) FROM blocks").rows
    with pytest.raises(CosealError) as refused:
        asked(place, query)
    assert refused.value.detail
    assert refused.value.hint
    assert asked(place, "SELECT count(*), max(height) FROM blocks").rows == before


def test_a_question_that_takes_too_long_ends(place: str) -> None:
    endless = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n"
    with pytest.raises(CosealError, match=r"longer than 0\.3 s"):
        asked(place, endless, timeout_s=0.3)


def test_a_value_that_would_fill_the_memory_is_refused(lite: str) -> None:
    with pytest.raises(CosealError, match="too big"):
        asked(lite, "SELECT zeroblob(1000000000)")


def test_a_copy_where_nothing_can_be_written_is_asked_all_the_same(
    lite: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    copy = tmp_path / "copy"
    shutil.copy(lite, copy)
    made: list[set[str]] = []

    def reading(*place: Any, **more: Any) -> Any:
        connection = connect(*place, **more)
        connection.execute("SELECT count(*) FROM meta").fetchone()
        made.append({path.name for path in tmp_path.iterdir()})
        return connection

    connect = sqlite3.connect
    monkeypatch.setattr(sqlite3, "connect", reading)
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    assert asked(str(copy), "SELECT count(*) FROM blocks").rows[0][0] > 50
    assert made == [{"copy"}], "SQLite makes no file beside it"


def test_where_there_is_no_index_the_command_that_makes_one_is_named(tmp_path: Path) -> None:
    with pytest.raises(CosealError, match="coseal index sync"):
        asked(str(tmp_path / "none"), "SELECT 1")
    assert not (tmp_path / "none").exists()


def run(*words: str, stdin: str | None = None) -> Any:
    return CliRunner().invoke(app, ["sql", *words], input=stdin, catch_exceptions=False)


QUERY = "SELECT height, hash, NULL AS none, 0.5 AS half, 'a,\"b\n\x1b[31m' AS text FROM blocks ORDER BY height"


def test_rows_come_as_json_csv_or_a_table(lite: str, told: Story) -> None:
    digest = told.chain.blocks[0].block.hash.hex()
    shown = json.loads(run(QUERY, "--db", lite, "--json", "--limit", "2").stdout)
    assert shown["columns"] == ["height", "hash", "none", "half", "text"]
    assert shown["rows"][0] == [1, digest, None, 0.5, 'a,"b\n\x1b[31m']
    assert (len(shown["rows"]), shown["more"], shown["height"]) == (2, True, len(told.chain.blocks))
    done = run("-", "--db", lite, "--csv", "--limit", "2", stdin=QUERY)
    rows = list(csv.reader(io.StringIO(done.stdout)))
    assert rows[:2] == [["height", "hash", "none", "half", "text"], ["1", digest, "", "0.5", 'a,"b\n\x1b[31m']]
    assert "more than 2 rows" in done.stderr
    table = run(QUERY, "--db", lite)
    assert digest in table.stdout
    assert "\x1b[31m" not in table.stdout, "what somebody wrote on the ledger does not steer a terminal"
    assert run("SELECT 1", "--db", lite, "--csv", "--json").exit_code == 2


def test_an_infinite_number_is_null_in_json(lite: str) -> None:
    assert json.loads(run("SELECT 9e999 AS much", "--db", lite, "--json").stdout)["rows"] == [[None]]
