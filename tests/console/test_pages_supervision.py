"""Supervision in a real browser: the board, and a finding from raised to closed by two consoles with two keys."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from coseal.audit.bundle import verify_bundle
from coseal.audit.report import Verdict
from tests.console import sample
from tests.console.conftest import Running, Visit, start_console

pytestmark = [pytest.mark.browser, pytest.mark.cluster]


@pytest.mark.parametrize(
    "path",
    [
        "/supervision",
        "/supervision/findings",
        "/supervision/figures",
        "/supervision/rules",
        "/supervision/rules/R-DECIDE",
        "/supervision/sources",
        "/supervision/sources/enterprise-a/live",
        "/supervision/duties",
    ],
)
def test_a_page_about_supervision_can_be_read_by_everybody(look: Any, path: str) -> None:
    look(path)


def test_the_board_counts_what_the_interface_counts(visit: Visit, running: Running) -> None:
    with running.client("bank-a") as client:
        rows = client.get("/v1/findings/statistics")["counts"]
    counts: dict[str, int] = {}
    for row in rows:
        counts[row["status"]] = counts.get(row["status"], 0) + row["count"]
    page = visit("/supervision")
    shown = {lane.get_attribute("aria-labelledby"): lane for lane in page.locator(".lane").all()}
    for status in ("raised", "acknowledged", "inquiry", "response", "appeal", "closed"):
        assert shown[f"column-{status}"].locator(".count").inner_text() == str(counts.get(status, 0))


def test_what_a_source_left_out_is_shown_with_its_reason(visit: Visit) -> None:
    page = visit("/supervision/sources/enterprise-a/live")
    row = page.locator("section", has=page.locator("#source-gaps")).locator("tbody tr")
    assert row.inner_text().split("\t") == ["5", "7", "3", "the meter was off"]


@pytest.fixture
def respondent(running: Running, browser: Any) -> Iterator[Any]:
    """Open a page of a second console, which signs as the enterprise."""
    process, url, ticket = start_console(running.cluster.net.directory, "--as", "enterprise-a")
    context = browser.new_context(locale="en-GB", viewport={"width": 1280, "height": 900})
    page = context.new_page()
    page.goto(f"{url}/enter?ticket={ticket}")
    page.base = url
    yield page
    context.close()
    process.terminate()
    process.wait(10)
    assert process.stdout is not None
    process.stdout.close()


def raised(running: Running, rule: str) -> str:
    """Return the newest finding of a rule that nobody took up."""
    with running.client("bank-a") as client:
        return str(client.get("/v1/findings", rule=rule, status="raised", order="newest")["findings"][0]["id"])


def take(page: Any, button: str, **fields: str) -> None:
    """Fill in a step's form, confirm it, and wait for its verified receipt."""
    step = page.locator(".act-one", has=page.get_by_role("button", name=button, exact=True))
    if step.get_attribute("open") is None:
        step.locator("summary").click()
    for label, text in fields.items():
        if label == "Outcome":
            step.get_by_label(label).select_option(text)
        else:
            step.get_by_label(label, exact=True).fill(text)
    step.get_by_role("checkbox").check()
    step.get_by_role("button", name=button, exact=True).click()
    page.get_by_text("the receipt was verified").wait_for(timeout=30_000)
    assert page.locator("section", has=page.locator("#supervision-receipt")).locator(".seal.verified").count() == 1


def test_a_finding_goes_from_raised_to_closed_by_two_roles(
    look: Any, visit: Visit, running: Running, respondent: Any, tmp_path: Path
) -> None:
    name = raised(running, "R-AMOUNT")
    path = f"/supervision/findings/{name}"
    assert visit(path).get_by_text("this browser was not opened from its start link").count() == 1
    look(path, acts=True, name="finding-raised")
    supervisor = visit(path, acts=True)
    respondent.goto(respondent.base + path)
    assert respondent.get_by_text("Nothing here can be done by enterprise-a/admin now").count() == 1
    take(supervisor, "Take it up")
    take(supervisor, "Ask the member", Question="Why is the amount below zero? <b>")
    respondent.get_by_text("Why is the amount below zero? <b>", exact=True).wait_for(timeout=20_000)  # live
    respondent.goto(respondent.base + path)
    letter = tmp_path / "letter.txt"
    letter.write_text("A credit note.")
    respondent.locator("input[type=file]").first.set_input_files(letter)
    digest = hashlib.sha256(letter.read_bytes()).hexdigest()
    respondent.wait_for_function(f"document.querySelector('[name=evidence]').value === '{digest}'")
    take(respondent, "Answer", Answer="It is a credit note.")
    supervisor.goto(running.url + path)
    supervisor.get_by_text(digest, exact=True).wait_for(timeout=20_000)
    supervisor.goto(running.url + path)
    take(supervisor, "Decide", Outcome="rectified", Reason="Put right")
    supervisor.goto(running.url + path)
    supervisor.get_by_text("Closed: the time to appeal passed").wait_for(timeout=30_000)
    look(path, name="finding-closed")
    page = visit(path)
    titles = page.locator(".timeline h3").all_inner_texts()
    assert [title.split()[0] for title in titles] == ["Raised", "Taken", "Asked", "Answered", "Decided", "Closed:"]
    with running.client("bank-a") as client:
        told = client.get(f"/v1/findings/{name}")["finding"]
    assert (told["status"], told["outcome"]) == ("closed", "rectified")


def test_a_refused_step_is_told_in_words(visit: Visit, running: Running) -> None:
    name = raised(running, "R-ONCE")
    path = f"/supervision/findings/{name}"
    page = visit(path, acts=True)
    page.evaluate("Object.defineProperty(document, 'hidden', {get: () => true})")  # so the page is not renewed
    with running.client("regulator") as regulator:  # meanwhile somebody else takes it up
        regulator.submit("supervision", "acknowledge", {"finding": name}).require_ok()
    step = page.locator("#act-acknowledge")
    step.get_by_role("checkbox").check()
    step.get_by_role("button", name="Take it up").click()
    page.get_by_text("It is at another step by now.").first.wait_for(timeout=30_000)
    assert page.locator(".tag.bad", has_text="rejected: wrong_step").count() == 1
    assert page.locator("#act-lift_hold").count() == 1, "its object is on hold"


def test_a_new_finding_appears_on_the_board_by_itself(visit: Visit, running: Running) -> None:
    page = visit("/supervision")
    with running.client("enterprise-a") as enterprise:
        number = enterprise.get("/v1/sources/enterprise-a/live")["source"]["sequence"] + 1
        batch = sample.permits(number, ("Create", f"case-{number}", -5))
        found = enterprise.submit("process", "record", batch).require_ok().receipt.data["findings"]
    with running.client("bank-a") as client:
        waiting = client.get("/v1/findings/statistics", awaits="supervisor", min_height=found[0].get("height", 1))
    count = sum(row["count"] for row in waiting["counts"])
    page.locator("dd .value", has_text=str(count)).first.wait_for(timeout=20_000)


def test_a_supervisor_opens_a_finding_from_the_page_of_a_case(look: Any, visit: Visit, running: Running) -> None:
    with running.client("bank-a") as client:
        about = client.get("/v1/findings", rule="R-ONCE")["findings"][0]
    case = f"/processes/{about['process_type']}/cases/{about['object_type']}/{about['object']}"
    page = visit(case, acts=True)
    page.get_by_role("link", name="Open a finding about it").click()
    page.get_by_label("Member that has to answer").fill("enterprise-a")
    page.get_by_label("Severity").select_option("notice")
    page.get_by_label("Reason", exact=True).fill("The file on paper says otherwise <i>")
    page.get_by_label("Legal basis").fill("external: complaint 17/2026")
    page.get_by_role("checkbox").check()
    page.get_by_role("button", name="Open the finding").click()
    page.get_by_text("the receipt was verified").wait_for(timeout=30_000)
    assert page.get_by_text("opened by regulator/admin: The file on paper says otherwise <i>").count() > 0
    titles = page.locator(".timeline h3").all_inner_texts()
    assert [title.split()[0] for title in titles] == ["Raised", "Opened"]
    path = "/" + page.url.split("/", 3)[3].split("/receipt/")[0]
    look(path, acts=True, name="finding-opened")
    assert "complaint 17/2026" in visit(path).locator("main").inner_text()
    assert visit(case).locator(".timeline > li.quiet h3").all_inner_texts() == ["Opened by hand"]


def test_several_findings_are_taken_up_at_once_and_a_bundle_verifies(visit: Visit, running: Running) -> None:
    with running.client("enterprise-a") as enterprise:
        number = enterprise.get("/v1/sources/enterprise-a/live")["source"]["sequence"] + 1
        batch = sample.permits(number, ("Create", "bulk-1", -1), ("Create", "bulk-2", -1))
        found = enterprise.submit("process", "record", batch).require_ok().receipt.data["findings"]
        tip = enterprise.get("/v1/status")["height"]
        enterprise.get("/v1/findings", min_height=tip)
    names = [str(one["id"]) for one in found]
    assert len(names) >= 2
    page = visit("/supervision/findings?status=raised&rule=R-AMOUNT", acts=True)
    page.get_by_text("One step for several findings").click()
    page.get_by_role("button", name="Take the step for all").click()
    assert "said" not in page.url, "nothing is sent before it is confirmed"
    page.get_by_label(f"Choose {names[0]}", exact=True).check()
    page.get_by_label(f"Choose {names[1]}", exact=True).check()
    page.get_by_label(re.compile("I sign this as")).check()
    page.evaluate("document.getElementById('several').submit()")  # as a browser without scripts sends it
    page.get_by_text("2 took effect.").wait_for(timeout=30_000)
    assert "status=raised" in page.url, "the list is as it was"
    with running.client("bank-a") as client:
        for name in names[:2]:
            assert client.get(f"/v1/findings/{name}")["finding"]["status"] == "acknowledged"
        status, text = running.get(f"/supervision/findings/{names[0]}/bundle")
        report = verify_bundle(json.loads(text), client.genesis)
    assert (status, report.verdict) == (200, Verdict.OK)


def test_cards_of_the_board_are_chosen_by_keyboard_and_a_refusal_stops_no_other(
    look: Any, visit: Visit, running: Running
) -> None:
    with running.client("enterprise-a") as enterprise:
        number = enterprise.get("/v1/sources/enterprise-a/live")["source"]["sequence"] + 1
        batch = sample.permits(number, *(("Create", f"board-{place}", -1) for place in range(3)))
        enterprise.submit("process", "record", batch).require_ok()
        enterprise.get("/v1/findings", min_height=enterprise.get("/v1/status")["height"])
    page = visit("/supervision", acts=True)
    lane = page.locator(".lane", has=page.locator("#column-raised"))
    boxes, cards = lane.locator(".chooses"), lane.locator(".card")
    names = cards.locator("strong").all_inner_texts()[:3]
    boxes.nth(0).focus()
    page.keyboard.press("Space")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Shift+Space")
    assert [boxes.nth(place).is_checked() for place in range(3)] == [True, True, True]
    page.keyboard.press("Escape")
    assert lane.locator(".chooses:checked").count() == 0
    lane.get_by_label("Choose all that are shown: Raised").check()
    assert page.get_by_text(f"{boxes.count()} chosen").count() == 1
    for place in range(3, boxes.count()):
        boxes.nth(place).uncheck()
    with running.client("regulator") as regulator:  # meanwhile somebody else takes one up
        regulator.submit("supervision", "acknowledge", {"finding": names[1]}).require_ok()
    page.get_by_label(re.compile("I sign this as")).check()
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.get_by_text("3 of 3 done, 1 refused").wait_for(timeout=60_000)
    assert ["Recorded in block" in text for text in lane.locator(".outcome").all_inner_texts()] == [True, False, True]
    assert "It is at another step by now." in cards.nth(1).inner_text()
    assert [boxes.nth(place).is_checked() for place in range(3)] == [False, True, False], "what was refused is kept"
    with running.client("bank-a") as client:
        for name in names:
            assert client.get(f"/v1/findings/{name}")["finding"]["status"] == "acknowledged"
    page.get_by_role("link", name="Show the findings as they are now").click()
    page.wait_for_load_state()
    assert page.locator(".outcome").count() == 0
    look("/supervision", acts=True, name="board-acting")
