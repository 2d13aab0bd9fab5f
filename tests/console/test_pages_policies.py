"""The pages about policies in a real browser, over real policies: readable by everybody, and right."""

from __future__ import annotations

import json
import re
import urllib.request
from typing import Any
from urllib.parse import quote

import pytest

from tests.console.conftest import Running, Visit

pytestmark = [pytest.mark.browser, pytest.mark.cluster]


def asked(running: Running, path: str) -> dict[str, Any]:
    """Return what the regulator's node answers."""
    with urllib.request.urlopen(running.cluster.entry("regulator").url + path, timeout=20) as response:
        found: dict[str, Any] = json.load(response)
        return found


@pytest.mark.parametrize(
    "path", ["/policies", "/policy/figures", "/policy/coordination", "/policy/table1", "/policies/notice/2026-2"]
)
def test_a_page_about_policies_can_be_read_by_everybody(look: Any, path: str):
    look(path)


def test_a_recorded_instrument_can_be_read_by_everybody(look: Any, running: Running):
    look(f"/policies/{running.sample['municipal']}", name="policies-recorded")


def test_figures_are_those_of_the_interface(running: Running):
    """Every figure of the page, and none more, is one the node gives."""
    _, page = running.get("/policy/figures")
    for by, key in (("level", "By level"), ("area", "By area"), ("type_document", "By kind of document")):
        counts = [row["count"] for row in asked(running, f"/v1/policies/statistics?by={by}")["counts"]]
        ranking = re.search(rf'<ol class="ranked" aria-label="{key}">(.*?)</ol>', page)
        assert ranking is not None
        shown = [int(figure.replace(",", "")) for figure in re.findall(r'class="num">([\d,]+)<', ranking[1])]
        assert shown == sorted(counts, reverse=True), by
    years = {row["year"]: row["count"] for row in asked(running, "/v1/policies/statistics?by=year")["counts"]}
    rows = re.findall(r'<tr><th scope="row">(\d{4})</th><td class="num">([\d,]+)</td></tr>', page)
    assert {year: int(count.replace(",", "")) for year, count in rows if count != "0"} == {
        year: count for year, count in years.items() if year != "undated"
    }
    assert f'<a href="/policies?year=undated">{years["undated"]}</a>' in page


def test_every_figure_can_be_proven(running: Running):
    _, word = running.get("/policy/figures")
    _, proven = running.get("/policy/figures?proof=each")
    strip = re.compile(r'<details class="seal.*?</details>|<p><a class="button".*?</p>', re.S)
    body = re.compile(r"<main.*?</main>", re.S)
    same = body.search(proven)[0].replace("?proof=each&amp;", "?")  # type: ignore[index]
    assert strip.sub("", body.search(word)[0]) == strip.sub("", same)  # type: ignore[index]
    assert proven.count("seal verified") > word.count("seal verified")


def test_the_register_is_filtered_searched_and_paged_by_the_node(visit: Visit, running: Running):
    page = visit("/policies")
    page.locator('select[name="level"]').select_option("municipal")
    page.get_by_role("button", name="Show").click()
    page.wait_for_url("**level=municipal**")
    total = asked(running, "/v1/policies/statistics?by=level&level=municipal")["policies"]
    assert page.get_by_text(f"{total} instruments match").count() == 1
    assert page.locator("main tbody tr").count() == min(50, total)
    page.get_by_role("link", name="Clear the filters").click()
    first = page.locator("main tbody tr a").first.inner_text()
    page.get_by_role("link", name="Next page").click()
    page.wait_for_url("**cursor=**")
    assert page.locator("main tbody tr a").first.inner_text() != first
    page.goto(f"{running.url}/policies?title={quote('token issuance')}")
    assert page.locator("main tbody tr").count() == 2


def test_a_false_filter_is_refused_in_words(running: Running):
    status, page = running.get("/policies?year=nineteen")
    assert status != 200
    assert "invalid_parameter" in page
