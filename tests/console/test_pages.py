"""The console in a real browser: every page can be read by everybody, and lives."""

from __future__ import annotations

from typing import Any

import pytest

from tests.console.conftest import Running, Visit

pytestmark = [pytest.mark.browser, pytest.mark.cluster]


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/blocks",
        "/blocks/2",
        "/members",
        "/members/central-bank",
        "/governance",
        "/constitution",
        "/evidence",
        "/lists",
        "/lists/findings",
        "/search?q=notice",
    ],
)
def test_a_page_can_be_read_by_everybody(look, path):
    look(path)


def test_a_transaction_is_shown_with_its_proof_and_as_text_only(look: Any, visit: Visit, running: Running):
    path = f"/transactions/{running.sample['published']}"
    look(path, name="transaction")
    page = visit(path)
    assert page.get_by_text("Notice on process data <b>not markup</b>", exact=True).count() >= 1
    assert page.locator("details.seal.verified").count() >= 4
    assert page.locator("details.seal.failed").count() == 0


def test_a_refused_transaction_says_so(visit: Visit, running: Running):
    page = visit(f"/transactions/{running.sample['refused']}")
    assert page.locator(".tag.bad", has_text="rejected: forbidden").count() == 1


def test_a_vote_is_cast_once_by_who_came_by_the_start_link(look: Any, visit: Visit, running: Running):
    path = "/governance/second-protocol"
    assert visit(path).get_by_role("button", name="Cast the vote").count() == 0
    look(path, acts=True)
    page = visit(path, acts=True)
    page.get_by_label("Choice").select_option("no")
    page.get_by_label("Reason").fill("Not before the audit <i>")
    page.get_by_role("button", name="Cast the vote").click()
    page.get_by_text("The vote is recorded.").wait_for()
    assert page.get_by_text("Not before the audit <i>", exact=True).count() == 1
    assert page.get_by_role("button", name="Cast the vote").count() == 0


def test_a_new_block_appears_without_anybody_asking(visit: Visit, running: Running):
    page = visit("/")
    with running.client("bank-a") as bank:
        committed = bank.submit("membership", "set_profile", {"description": "seen live"}).require_ok()
    page.locator(f'a.tip[href="/blocks/{committed.height}"]').wait_for(timeout=20_000)
    page.locator(f'main a[href="/transactions/{committed.transaction.id.hex()}"]').wait_for(timeout=20_000)


def test_the_keyboard_reaches_the_content_first_and_opens_a_seal(visit: Visit):
    page = visit("/")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "main"
    seal = page.locator("main details.seal").first
    seal.locator("summary").focus()
    page.keyboard.press("Enter")
    assert seal.get_attribute("open") is not None
    page.keyboard.press("Escape")
    assert seal.get_attribute("open") is None


def test_language_and_colours_are_remembered(visit: Visit):
    page = visit("/blocks")
    page.get_by_role("link", name="中文").click()
    page.wait_for_url("**/blocks")
    assert page.evaluate("document.documentElement.lang") == "zh"
    page.get_by_role("link", name="深色").click()
    page.wait_for_url("**/blocks")
    assert page.evaluate("document.documentElement.dataset.theme") == "dark"
    page.goto(page.url.replace("/blocks", "/"))
    assert page.evaluate("document.documentElement.lang") == "zh"


def test_a_killed_node_is_seen_and_seen_to_come_back(look: Any, visit: Visit, running: Running):
    page = visit("/")
    silent = page.get_by_text("does not answer", exact=False)
    assert silent.count() == 0
    running.cluster.kill("enterprise-a")
    try:
        with running.client("bank-a") as bank:
            bank.submit("membership", "set_profile", {"description": "without enterprise-a"}).require_ok()
        silent.first.wait_for(timeout=30_000)
        page.get_by_text("no further failure is tolerated", exact=False).first.wait_for(timeout=30_000)
        look("/", name="home-without-one")
    finally:
        running.cluster.start("enterprise-a")
        running.cluster.wait_one_tip()
    page.get_by_text("1 more may fail", exact=False).first.wait_for(timeout=60_000)
    assert silent.count() == 0


def test_the_key_leads_to_the_search_and_a_name_to_its_page(visit: Visit) -> None:
    page = visit("/blocks")
    page.keyboard.press("/")
    page.keyboard.type("bank-a")
    page.keyboard.press("Enter")
    page.wait_for_url("**/members/bank-a")
    page.locator(".top").get_by_role("searchbox").fill("/")  # a sign like any other where one writes
    assert page.locator(".top").get_by_role("searchbox").input_value() == "/"
