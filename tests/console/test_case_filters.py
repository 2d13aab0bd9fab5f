"""The filters of a process: what a URL says is what a node is asked for, and what cannot be read is not."""

from __future__ import annotations

import re
from typing import Any, cast
from urllib.parse import parse_qsl, urlsplit

import pytest
from starlette.requests import Request

from coseal.console import case_filters
from coseal.console.page import Page
from coseal.console.process_parts import tabs

DAY_MS = 86_400_000


def page(query: str) -> Page:
    scope = {"type": "http", "path": "/processes/t/cases", "query_string": query.encode(), "headers": []}
    return Page(Request(scope), cast("Any", None), "en")


@pytest.mark.parametrize(
    ("query", "asked"),
    [
        ("", {}),
        ("from=2026-01-01&to=2026-01-01", {"from_ms": 20_454 * DAY_MS, "to_ms": 20_455 * DAY_MS}),
        ("from=soon&to=9999-12-31&during=whenever", {}),
        ("during=within", {"during": "within"}),
        ("least_time=90min&below_time=3%20d", {"least_ms": 5_400_000, "below_ms": 3 * DAY_MS}),
        ("least_time=3&below_time=1e9d", {}),
        ("first=a&last=b&activity=c&variant=7", {"first": "a", "last": "b", "activity": "c", "variant": 7}),
        ("before=a&after=b", {"before": "a", "after": "b"}),
        ("attribute=amount&value=35.0", {"attribute": "amount", "value": "35.0"}),
        ("value=35.0", {}),
        ("before=a", {}),
        ("after=a&variant=-1", {}),
        ("view=another", {}),
    ],
)
def test_a_node_is_asked_for_what_the_url_says(query: str, asked: dict[str, Any]) -> None:
    assert case_filters.asked(page(query)) == {"type": None, "view": None, **asked}
    query = query.replace("view=another", "")
    assert case_filters.asked(page(f"{query}&view=recorded")) == {"type": None, "view": "recorded", **asked}
    assert case_filters.chosen(page(f"{query}&view=recorded&type=case")) == bool(asked)
    assert case_filters.asked(page(f"{query}&type=case"))["type"] == "case"
    assert case_filters.asked(page(f"{query}&type=*"))["type"] is None


def test_each_filter_that_is_set_can_be_taken_off_and_leaves_the_others() -> None:
    shown = str(case_filters.bar(page("type=case&first=a&before=b&after=c&cursor=x&order=longest"), ["a", "b"]))
    left = [
        dict(parse_qsl(urlsplit(link.split('"')[0].replace("&amp;", "&")).query)) for link in shown.split('href="')[1:]
    ]
    kept = {"type": "case", "order": "longest"}
    assert left == [{**kept, "before": "b", "after": "c"}, {**kept, "first": "a"}, kept]
    assert case_filters.bar(page(""), []).count("href=") == 0


@pytest.mark.parametrize(
    "query", ["least_time=soon", "before=a", "value=x", "from=today", f"value={'x' * 65}&attribute=a"]
)
def test_what_cannot_be_read_is_named_and_can_be_taken_off(query: str) -> None:
    shown = str(case_filters.bar(page(query), ["a"]))
    assert "Not applied" in shown
    assert shown.count("href=") == 1


def test_a_length_is_written_as_it_is_read() -> None:
    for ms in (0, 1, 1_500, 60_000, 5_400_000, 7_200_000, DAY_MS, 36 * 3_600_000):
        assert case_filters.asked(page(f"least_time={case_filters.length_text(ms)}")).get("least_ms") == ms


@pytest.mark.parametrize(("query", "other"), [("type=case&variant=3", "recorded"), ("type=case&view=recorded", None)])
def test_the_view_is_a_switch_that_the_url_has(query: str, other: str | None) -> None:
    shown = str(tabs(page(query), "t", {"types": ["case"], "type": "case"}, "cases"))
    links = [
        dict(parse_qsl(urlsplit(link.replace("&amp;", "&")).query)) for link in re.findall(r'href="([^"]*)', shown)
    ]
    assert [one.get("view") for one in links[-2:]] == [None, "recorded"]
    assert all("variant" not in one for one in links[-2:])
    assert {one.get("view") for one in links[:-2]} == {None if other else "recorded"}
    assert shown.count('aria-current="true"') == 1
