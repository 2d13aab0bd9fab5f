"""Processes and cases in a real browser: figures are the node's, what is called complete is proven."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from tests.console.conftest import Running, Visit

VIEWS = ("/variants", "/cases", "/times")
pytestmark = [pytest.mark.browser, pytest.mark.cluster]


@pytest.mark.parametrize(
    "path", ["/processes", "/processes/t", "/processes/t/variants", "/processes/t/cases", "/processes/t/times"]
)
def test_a_page_about_processes_can_be_read_by_everybody(look: Any, path: str) -> None:
    look(path)


def test_the_map_holds_the_figures_of_the_interface(visit: Visit, running: Running) -> None:
    with running.client("bank-a") as client:
        told = client.get("/v1/process-types/t/map")
        ways = client.get("/v1/process-types/t/variants")
    page = visit("/processes/t")
    page.locator("summary", has_text="As a table").click()
    flows = page.locator("table", has=page.get_by_role("columnheader", name="From → to")).locator("tbody tr")
    shown = {row.locator("th").inner_text(): row.locator("td").first.inner_text() for row in flows.all()}
    assert shown == {f"{flow['from']} → {flow['to']}": str(flow["count"]) for flow in told["flows"]}
    boxes = page.locator("svg.flowchart .box-count").all_text_contents()
    assert sorted(boxes) == sorted(str(one["events"]) for one in told["activities"])
    page.get_by_role("link", name="Variants").click()
    rows = page.locator("main tbody tr")
    assert [row.locator("td").first.inner_text() for row in rows.all()] == [str(way["cases"]) for way in ways["items"]]
    rows.first.get_by_role("link").click()
    page.get_by_role("heading", name=re.compile("Cases of t")).wait_for()
    assert page.locator("main tbody tr").count() == ways["items"][0]["cases"]


def test_a_threshold_and_a_measure_are_chosen_by_links(visit: Visit) -> None:
    page = visit("/processes/t")
    drawn = page.locator("svg.flowchart .arc").count()
    page.get_by_role("link", name="≥ 25 % of cases").click()
    page.wait_for_url("**least=25*")
    assert 0 < page.locator("svg.flowchart .arc").count() <= drawn
    page.get_by_role("link", name="Median time").click()
    page.wait_for_url("**by=median*")
    assert page.get_by_role("link", name="≥ 25 % of cases").get_attribute("aria-current") == "true"


def test_an_arrow_leads_to_its_cases_and_the_filter_stays_from_view_to_view(visit: Visit) -> None:
    page = visit("/processes/t")
    page.get_by_role("link", name=re.compile("^Create → Decide: ")).click()
    page.wait_for_url("**/cases?*before=Create&after=Decide")
    cases = page.locator("main tbody tr th").all_inner_texts()
    assert {"c2", "c3"} <= set(cases)
    assert "c1" not in cases
    page.get_by_role("link", name="Longest first").click()
    page.wait_for_url("**order=longest*")
    page.get_by_role("link", name="Process map").click()
    page.get_by_text(re.compile(f"{len(cases)} of .* cases pass the filters")).wait_for()
    with page.expect_download() as download:
        page.get_by_role("button", name="Save as PNG").click()
    assert download.value.suggested_filename == "t.png"
    assert Path(download.value.path()).read_bytes()[:4] == b"\x89PNG"
    page.get_by_role("link", name=re.compile("Remove the filter")).click()
    page.wait_for_url(re.compile("/processes/t(\\?type=case)?$"))


def test_a_case_is_complete_and_says_what_the_rules_said(look: Any, visit: Visit) -> None:
    look("/processes/t/cases/case/c2", name="case")
    page = visit("/processes/t/cases/case/c2")
    assert page.locator("details.seal.unverified").count() == 0
    assert page.get_by_text("than what stands below (4)").count() == 1
    steps = page.locator(".timeline > li:not(.quiet)")  # without what other tests opened by hand
    assert steps.locator("h3").all_inner_texts() == ["Create", "Decide", "Check", "Check"]
    last = steps.nth(3)
    assert last.locator(".touches").inner_text().split() == ["R-ONCE", "holds", "so", "far", "→", "violated"]
    assert last.get_by_role("link", name=re.compile(r"F\d+ R-ONCE")).count() == 1
    standing = page.locator("section", has=page.locator("#cases-rules")).locator("tbody tr")
    assert {row.locator("th").inner_text(): row.locator("td").nth(1).inner_text() for row in standing.all()} == {
        "R-DECIDE": "holds so far",
        "R-ONCE": "violated",
        "R-AMOUNT": "holds so far",
        "R-NOTE": "violated",
        "R-TRIED": "holds so far",  # on trial, and after all that was recorded here
    }


def test_that_a_case_does_not_exist_is_proven(visit: Visit, running: Running) -> None:
    page = visit("/processes/t/cases")
    page.get_by_role("searchbox", name="Id of a case").fill("no such case")
    page.keyboard.press("Enter")
    page.get_by_text("It is proven that nothing is recorded of case no such case.").wait_for()
    assert page.locator("main .panel details.seal.verified").count() == 1
    assert running.get("/processes/none")[0] == 404
    assert running.get("/processes/t/cases/case/nothing")[0] == 404
