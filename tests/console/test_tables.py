"""Tables: sorted by the URL, kept as files that say whether they were verified, and paged both ways."""

from __future__ import annotations

import csv
import io
import re
from pathlib import Path
from typing import Any, cast

import httpx
import pytest
from starlette.requests import Request

from coseal.console.html import Child, el
from coseal.console.page import Page
from coseal.console.parts import cursor_pager, moment, titled_table
from coseal.console.sorting import sized
from coseal.console.table_files import file_of
from tests.console.test_lists import browse, supervised


def page(query: str) -> Page:
    scope = {"type": "http", "path": "/x", "query_string": query.encode(), "headers": []}
    return Page(Request(scope), cast("Any", None), "en")


def rows(at: Page) -> list[list[Child]]:
    return [
        ["b", "1,200", sized("2 h", 7_200_000), moment(at, 2_000)],
        ["a", "30", sized("3 d", 259_200_000), moment(at, 3_000)],
        [el("a", {"href": "/"}, "=c"), "–", sized("5 min", 300_000), moment(at, 1_000)],
    ]


@pytest.mark.parametrize(
    ("sort", "order"),
    [
        ("", "ba="),
        ("t.0", "=ab"),
        ("t.-0", "ba="),
        ("t.1", "ab="),
        ("t.-1", "ba="),  # what has none comes last, both ways
        ("t.2", "=ba"),
        ("t.-3", "ab="),
        ("other.1", "ba="),
        ("t.9", "ba="),
        ("t.x", "ba="),
    ],
)
def test_a_table_is_sorted_by_the_column_that_the_url_names(sort: str, order: str) -> None:
    at = page(f"sort={sort}")
    made = titled_table(at, "Title", ["Name", "Count", "Took", "When"], rows(at), name="t")
    firsts = re.findall(r'<th scope="row"[^>]*>(?:<a[^>]*>)?(.)', made)
    assert "".join(firsts) == order
    assert made.count("aria-sort") == (sort[:3] in ("t.0", "t.1", "t.2", "t.-") and sort != "t.x")


def test_a_file_holds_the_rows_and_no_cell_that_a_spreadsheet_would_carry_out() -> None:
    at = page("table=t&file=csv")
    made = titled_table(at, "Title", ["Name", "Count", "Took", "When"], rows(at), name="t")
    view = file_of(at, at.view("Title", made))
    assert view.file is not None
    name, written = view.file
    assert name == "t.csv"
    found = list(csv.reader(io.StringIO(str(written).removeprefix("\ufeff"))))
    assert found[0] == ["Name", "Count", "Took", "When"]
    assert found[1] == ["b", "1,200", "2 h", "1970-01-01 00:00:02 UTC"]
    assert [row[0] for row in found[1:]] == ["b", "a", "'=c"]
    assert file_of(page("table=none&file=csv"), at.view("Title", made)).file is None


def test_a_file_says_whether_its_section_was_verified_and_has_more_rows_than_a_page(tmp_path: Path) -> None:
    async def visit(browser: httpx.AsyncClient) -> None:
        said = (await browser.get("/supervision/findings?table=supervision-findings&file=json")).json()
        assert said["verified"] is False
        assert [row["Finding"] for row in said["rows"]][-1] == "F1"
        proven = (await browser.get("/supervision?table=supervision-times&file=json")).json()
        assert proven["verified"] is True
        assert all("Verified" not in text for row in proven["rows"] for text in row.values())
        answer = await browser.get("/lists/objects?table=list&file=csv")
        assert answer.headers["content-disposition"] == 'attachment; filename="list.csv"'

    browse(tmp_path, visit, supervised)


def test_a_list_is_paged_both_ways() -> None:
    def links(query: str, following: str | None) -> dict[str, str]:
        shown = str(cursor_pager(page(query), following)).replace("&amp;", "&")
        return {
            re.sub("[^A-Z]", "", words)[0]: href for href, words in re.findall('href="([^"]*)"[^>]*>([^<]*)', shown)
        }

    first = links("a=1", "c2")
    assert first == {"N": "/x?a=1&cursor=c2"}
    second = links("a=1&cursor=c2", "c3")
    assert second == {"F": "/x?a=1", "P": "/x?a=1", "N": "/x?a=1&cursor=c3&trail=c2"}
    third = links("a=1&cursor=c3&trail=c2", None)
    assert third == {"F": "/x?a=1", "P": "/x?a=1&cursor=c2"}
