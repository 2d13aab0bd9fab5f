"""docs/sql.md is true: its schema is the code's, and every query in it runs on both databases and finds something."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from coseal.sql.describe import described, markdown
from coseal.sql.store import ask
from tests.coseal.sql.conftest import write
from tests.coseal.sql.test_sync import fill
from tests.support.supervised import Story

PAGE = (Path(__file__).resolve().parents[3] / "docs" / "sql.md").read_text(encoding="utf-8")
QUERIES = re.findall(r"```sql\n(.*?)```", PAGE, re.DOTALL)


def test_the_schema_in_the_document_is_the_codes() -> None:
    assert PAGE.rstrip().endswith(markdown().rstrip()), "coseal index schema --markdown prints it"


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_every_query_of_the_document_runs_and_finds_something(
    told: Story, tmp_path: Path, kind: str, request: pytest.FixtureRequest
) -> None:
    place = str(tmp_path / "index") if kind == "sqlite" else request.getfixturevalue("postgresql")
    fill(place, write(told.chain, tmp_path / "net"), told.chain)
    assert len(QUERIES) >= 10
    for query in QUERIES:
        assert ask(place, query, limit=100, timeout_s=30).rows, query


def test_every_view_has_the_columns_it_says(told: Story, tmp_path: Path) -> None:
    fill(tmp_path / "index", write(told.chain, tmp_path / "net"), told.chain)
    for one in described():
        columns = tuple(column["name"] for column in one["columns"])
        assert ask(str(tmp_path / "index"), f"SELECT * FROM {one['name']}", limit=1, timeout_s=30).columns == columns
