"""An index in a real PostgreSQL server: the same rows as in SQLite, and as careful."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

import coseal.audit.audit
from coseal.errors import BadAnswer, CosealError
from coseal.sql.postgresql import PostgresqlStore
from coseal.sql.store import ask, open_store
from tests.coseal.sql.conftest import rows_of
from tests.coseal.sql.test_sync import fill
from tests.support.chain import Chain
from tests.support.genesis import make_genesis
from tests.support.supervised import Story


@pytest.fixture
def database(postgresql: str) -> Iterator[str]:
    """A database of the test's own."""
    with psycopg.connect(postgresql, autocommit=True) as connection:
        connection.execute("CREATE DATABASE mine")
    yield postgresql.replace("/postgres?", "/mine?")
    with psycopg.connect(postgresql, autocommit=True) as connection:
        connection.execute("DROP DATABASE mine WITH (FORCE)")


def execute(database: str, *statements: str) -> None:
    with psycopg.connect(database, autocommit=True) as connection:
        for statement in statements:
            connection.execute(statement.encode())


def without_nul(rows: dict[str, list[tuple[Any, ...]]]) -> dict[str, list[tuple[Any, ...]]]:
    """Return rows as PostgreSQL holds them."""
    return {
        name: sorted(
            (tuple(v.replace("\x00", "\ufffd") if isinstance(v, str) else v for v in row) for row in found), key=repr
        )
        for name, found in rows.items()
    }


def test_it_has_the_rows_of_sqlite_also_when_taken_in_parts(
    database: str, told: Story, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(coseal.audit.audit, "RUN_BLOCKS", 7)
    fill(tmp_path / "index", folder, told.chain)
    for stop in (5, 31, None):
        fill(database, folder, told.chain, last=stop)
    assert rows_of(database) == without_nul(rows_of(str(tmp_path / "index")))


def test_a_run_that_fails_leaves_nothing_and_it_goes_on(
    database: str, told: Story, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(coseal.audit.audit, "RUN_BLOCKS", 8)
    original, calls = PostgresqlStore.note, []

    def losing(self: PostgresqlStore, notes: Any) -> None:
        original(self, notes)
        calls.append(notes)
        if len(calls) == 3:
            self.execute("SELECT pg_terminate_backend(pg_backend_pid())")

    monkeypatch.setattr(PostgresqlStore, "note", losing)
    with pytest.raises(CosealError, match="terminat"):
        fill(database, folder, told.chain)
    monkeypatch.undo()
    assert ask(database, "SELECT count(*) FROM blocks", limit=1, timeout_s=9).rows == [(16,)]
    assert fill(database, folder, told.chain).after.height == len(told.chain.blocks)


def test_another_chain_another_version_and_what_is_not_ours_are_refused(
    database: str, told: Story, folder: Path
) -> None:
    execute(database, "CREATE SCHEMA coseal", "CREATE TABLE coseal.accounts (id int)")
    for refused in (fill, rebuild):
        with pytest.raises(CosealError, match="something else"):
            refused(database, folder, told.chain)
    execute(database, "DROP TABLE coseal.accounts")
    assert fill(database, folder, told.chain, last=4).after.height == 4, "an empty schema that is there is taken"
    with pytest.raises(BadAnswer, match="is of chain"):
        fill(database, folder, Chain(make_genesis(name="other")))
    execute(database, "UPDATE coseal.meta SET value = '1' WHERE key = 'version'", "DROP VIEW coseal.process_map")
    with pytest.raises(CosealError, match="coseal index rebuild"):
        fill(database, folder, told.chain)
    with pytest.raises(CosealError, match="coseal index rebuild"):
        ask(database, "SELECT 1", limit=1, timeout_s=9)
    assert rebuild(database, folder, told.chain).after.height == 4
    execute(database, "CREATE TABLE public.untouched (id int)")
    rebuild(database, folder, told.chain)
    execute(database, "SELECT * FROM public.untouched")


def rebuild(database: str, folder: Path, chain: Chain) -> Any:
    store = open_store(database)
    try:
        store.empty(chain.genesis)
    finally:
        store.close()
    return fill(database, folder, chain, last=4)


def test_one_who_may_only_read_can_ask_and_not_fill(database: str, told: Story, folder: Path) -> None:
    fill(database, folder, told.chain, last=4)
    reader = database.replace("owner@", "reader@")
    execute(database, "CREATE ROLE reader LOGIN")
    try:
        with pytest.raises(CosealError, match="permission denied"):
            ask(reader, "SELECT count(*) FROM blocks", limit=1, timeout_s=9)
        execute(
            database, "GRANT USAGE ON SCHEMA coseal TO reader", "GRANT SELECT ON ALL TABLES IN SCHEMA coseal TO reader"
        )
        assert ask(reader, "SELECT count(*) FROM blocks", limit=1, timeout_s=9).rows == [(4,)]
        with pytest.raises(CosealError, match="permission denied"):
            fill(reader, folder, told.chain)
    finally:
        execute(database, "DROP OWNED BY reader", "DROP ROLE reader")


def test_a_password_is_in_no_message() -> None:
    with pytest.raises(CosealError) as refused:
        open_store("postgresql://me:secret@127.0.0.1:9/db?connect_timeout=2")
    assert "secret" not in str(refused.value)
    assert "postgresql://127.0.0.1/db" in str(refused.value)


def test_without_the_driver_the_message_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "coseal.sql.postgresql")
    monkeypatch.setitem(sys.modules, "psycopg", None)
    with pytest.raises(CosealError, match=r"coseal\[postgresql\]"):
        open_store("postgresql://nowhere/none")


def test_where_there_is_no_index_the_command_that_makes_one_is_named(database: str) -> None:
    with pytest.raises(CosealError, match="coseal index sync"):
        ask(database, "SELECT 1", limit=1, timeout_s=9)
