"""Ballots about rules as people meet them: the lists, what is proposed against what is in force, votes, the form."""

from __future__ import annotations

from typing import Any

import pytest

from coseal.audit.verify import verify_bytes
from tests.console.conftest import Running, Visit

pytestmark = pytest.mark.browser


@pytest.mark.parametrize("path", ["/governance", "/ballots", *(f"/ballots/B{number}" for number in range(1, 8))])
def test_a_page_about_ballots_can_be_read_by_everybody(look: Any, path: str):
    look(path)


def test_ballots_about_rules_stand_beside_the_proposals_all_of_them_proven(visit: Visit):
    page = visit("/governance", acts=True)
    row = page.locator("tr", has=page.get_by_role("link", name="B3", exact=True))
    assert "Adopt rules · Permits of 2026 · t" in row.inner_text()
    assert "1 yes, 1 no, 0 abstain; 3 needed" in row.inner_text()
    assert "awaits your vote" in row.inner_text()
    assert page.locator("main details.seal.unverified").count() == 0
    assert page.get_by_role("link", name="All 7 ballots").count() == 1


def test_the_list_can_be_asked_for_open_ones_alone(visit: Visit):
    page = visit("/ballots?status=open")
    names = page.locator("main tbody th a").all_inner_texts()
    assert {"B3", "B5", "B6", "B7"} <= set(names)
    assert not {"B1", "B2", "B4"} & set(names)


def test_a_ballot_shows_what_changes_who_voted_why_and_who_has_not(visit: Visit):
    page = visit("/ballots/B3")
    main = page.locator("main")
    assert main.get_by_text("The act was amended in <b>May</b>.", exact=True).count() == 1
    changed = main.locator("tr", has_text="Condition")
    assert changed.inner_text().split("\t") == ["Condition", "e.attributes.amount > 0", "e.attributes.amount > 10"]
    assert main.get_by_text("60 days", exact=True).count() == 1
    assert main.locator("tr", has_text="10 is too much.").get_by_text("no", exact=True).count() == 1
    for member in ("regulator", "central-bank"):
        assert main.locator("tr", has_text=member).get_by_text("not yet", exact=True).count() == 1
    assert "1 yes, 1 no, 0 abstain; 3 of 4 are needed." in main.inner_text()
    assert page.locator("main details.seal.unverified").count() == 0
    assert page.get_by_role("button", name="Cast the vote").count() == 0


def test_titles_are_in_the_readers_language(visit: Visit):
    page = visit("/ballots/B3", language="zh")
    assert page.get_by_text("2026 年许可").count() >= 1
    assert page.get_by_text("许可金额须超过 10").count() >= 1
    assert page.get_by_text("60 天", exact=True).count() == 1


def test_the_two_ballots_about_a_trial_lead_to_each_other_and_show_what_it_counted(visit: Visit):
    page = visit("/ballots/B4")
    page.get_by_role("link", name="B5", exact=True).click()
    page.wait_for_url("**/ballots/B5")
    page.wait_for_selector("html[data-connected]")
    assert page.get_by_text("Not decided before").count() == 1
    counted = page.locator("tr", has=page.get_by_role("rowheader", name="R-TRIED"))
    assert counted.inner_text().split("\t")[1:] == ["1", "0", "0"]
    assert page.get_by_role("link", name="B4", exact=True).count() == 1


def test_terms_are_shown_as_they_are_and_as_they_would_be(visit: Visit):
    row = visit("/ballots/B7").locator("main tr", has_text="10 days")
    assert row.inner_text().split("\t")[1:] == ["15 days", "10 days"]


def test_a_vote_on_rules_is_cast_with_its_reason_and_the_ledger_says_why_a_second_is_refused(
    visit: Visit, running: Running
):
    page = visit("/ballots/B6", acts=True)
    page.get_by_label("Choice").select_option("no")
    page.get_by_label("Reason").fill("I read it <i>")
    page.get_by_role("button", name="Cast the vote").click()
    page.get_by_text("The vote is recorded.").wait_for()
    assert page.get_by_text("I read it <i>", exact=True).count() == 1
    assert page.get_by_text("regulator has voted.").count() == 1
    assert page.get_by_role("button", name="Cast the vote").count() == 0


def test_a_ballot_that_is_not_there_is_said(running: Running):
    status, said = running.get("/ballots/B99")
    assert (status, "no ballot is called B99" in said) == (404, True)


def test_a_decided_ballot_gives_its_decision_as_a_file_that_verifies(visit: Visit, running: Running):
    link = visit("/ballots/B1").get_by_role("link", name="Decision with all votes")
    assert link.get_attribute("href") == "/ballots/B1/decision"
    status, text = running.get("/ballots/B1/decision")
    with running.client("bank-a") as client:
        result = verify_bytes(text.encode(), client.genesis)
    assert (status, result.ok, result.facts["status"]) == (200, True, "accepted")
