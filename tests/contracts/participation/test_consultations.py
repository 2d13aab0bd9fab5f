"""Consultations from opening to conclusion: who may, by when, and that nothing is left out."""

from __future__ import annotations

import pytest

from coseal.contracts.participation.consultations import MAX_OPEN
from coseal.contracts.participation.entry import leaf_of
from coseal.contracts.participation.offices import MAX_PROMISES
from coseal.contracts.participation.receiving import MAX_ENTRIES
from coseal.contracts.participation.state import (
    GATEWAYS_KEY,
    assigned_key,
    gateway_key,
    office_key,
    open_key,
    theme_key,
)
from coseal.contracts.policy.state import instrument_key
from coseal.ledger import merkle
from tests.support.participation import DAY_MS, DRAFT, NAME, Consulted, entry, gateway_key_of


@pytest.fixture
def scene() -> Consulted:
    return Consulted()


@pytest.fixture
def closed(scene: Consulted) -> Consulted:
    scene.receive([entry(1), entry(2), entry(3, reason="abuse")])
    scene.receive([entry(4)], member="institute-a")
    scene.wait(39 * DAY_MS)
    scene.do("theme", titles=["Duties", "Costs"])
    return scene


EVERY = [["public-a", 1, 1], ["public-a", 2, 1], ["institute-a", 1, 2]]


# Gateways


def test_gateways_are_government_institute_and_public_members() -> None:
    scene = Consulted(opened=False)
    for member in ("public-a", "city", "institute-a"):
        scene.gateway(member)
    assert scene.chain.get(GATEWAYS_KEY) == ["public-a", "city", "institute-a"]
    args = {"url": "u", "key": gateway_key_of("bank-a"), "include_ms": DAY_MS, "duties_sha256": "dd" * 32}
    assert scene.code("bank-a", "register_gateway", **args) == "wrong_role"


def test_former_keys_and_terms_are_kept_until_nobody_may_ask_about_them() -> None:
    scene = Consulted(opened=False)
    scene.gateway("city")
    scene.gateway("city", url="https://other.example")
    assert len(scene.chain.get(office_key("city"))["promises"]) == 1
    for number in range(1, MAX_PROMISES):
        scene.gateway("city", include_ms=DAY_MS + number)
    args = {"url": "u", "key": gateway_key_of("x"), "include_ms": DAY_MS, "duties_sha256": "dd" * 32}
    receipt = scene.submit("city", "register_gateway", **args)
    assert receipt.code == "limit"
    scene.wait(374 * DAY_MS)
    scene.gateway("city", **args)
    promises = scene.chain.get(office_key("city"))["promises"]
    assert [promise[1] for promise in promises] == [gateway_key_of("city"), gateway_key_of("x")]


# Opening


def test_a_policy_opened_for_comment_is_consulted_on_from_that_day(scene: Consulted) -> None:
    policy = scene.chain.get(instrument_key(DRAFT))
    assert [event["action"] for event in policy["events"]] == ["proposed", "consulted"]
    assert policy["events"][1]["date"].startswith("2023-11-")
    assert policy["status"] == "proposed"
    assert scene.record()["status"] == "open"
    passed = {"id": DRAFT, "title": "A law", "type_document": "law", "date_document": "2023-11-14"}
    assert scene.submit("regulator", "policy.publish", **passed).ok


@pytest.mark.parametrize(
    ("more", "member", "code"),
    [
        ({}, "regulator", "exists"),
        ({"consultation": "b", "subject": "none"}, "regulator", "unknown_subject"),
        ({"consultation": "b"}, "city", "not_proposer"),
        ({"consultation": "b"}, "bank-a", "not_proposer"),
        ({"consultation": "b", "about": "standard"}, "regulator", "unknown_subject"),
        ({"consultation": "b", "about": "scheme"}, "regulator", "unknown_subject"),
        ({"consultation": "b", "gateways": ["public-a"]}, "regulator", "too_few_gateways"),
        ({"consultation": "b", "gateways": ["public-a", "city"]}, "regulator", "unknown_gateway"),
        ({"consultation": "b", "gateways": ["public-a", "institute-a"]}, "regulator", "ok"),
    ],
)
def test_who_opens_what_and_with_which_gateways(scene: Consulted, more: dict[str, str], member: str, code: str) -> None:
    assert scene.code(member, "open", **scene.opening(**more)) == code


def test_a_policy_that_was_passed_is_not_opened_for_comment(scene: Consulted) -> None:
    passed = {"id": "cn/passed", "title": "A law", "type_document": "law", "date_document": "2023-11-01"}
    scene.ok("regulator", "policy.publish", **passed)
    assert scene.code("regulator", "open", **scene.opening(consultation="b", subject="cn/passed")) == "not_proposed"


@pytest.mark.parametrize(("days", "code"), [(29, "too_short"), (367, "too_long"), (30, "ok")])
def test_a_policy_is_open_for_comment_for_thirty_days_at_least(scene: Consulted, days: int, code: str) -> None:
    later = scene.opening(consultation="b")
    later["closes_ms"] = scene.now_ms + days * DAY_MS + 60_000
    assert scene.code("regulator", "open", **later) == code


def test_a_member_has_so_many_consultations_to_conclude(scene: Consulted) -> None:
    for number in range(MAX_OPEN - 1):
        scene.open(consultation=f"c{number}")
    assert scene.code("regulator", "open", **scene.opening(consultation="more")) == "limit"


# Receiving


def test_entries_grow_a_tree_whose_root_is_that_of_all_leaves(scene: Consulted) -> None:
    entries = [entry(number) for number in range(1, 12)]
    scene.receive(entries[:5])
    said = scene.receive(entries[5:], first=6)
    held = scene.chain.get(gateway_key(NAME, "public-a"))
    assert held["entries"] == said["last"] == 11
    assert held["root"] == said["root"] == merkle.root([leaf_of(one) for one in entries]).hex()
    assert scene.record()["classes"] == {"person": 11}
    assert scene.record()["recorded"] == ["public-a"]


def test_numbers_have_no_gap_and_nothing_comes_twice(scene: Consulted) -> None:
    scene.receive([entry(1)])
    for first in (1, 3):
        assert scene.refused("receive", "public-a", first=first, entries=[entry(2)]) == "sequence"
    assert scene.refused("receive", "city", first=1, entries=[entry(2)]) == "unknown_gateway"
    assert scene.code("public-a", "receive", consultation="x", first=1, entries=[entry(2)]) == "unknown_consultation"


def test_only_named_gateways_record(scene: Consulted) -> None:
    scene.gateway("city")
    scene.open(consultation="b", gateways=["public-a", "institute-a"])
    assert scene.code("city", "receive", consultation="b", first=1, entries=[entry(1)]) == "not_gateway"


def test_a_gateway_records_within_its_term_after_the_close(scene: Consulted) -> None:
    began = scene.wait(31 * DAY_MS)
    assert began["consultations"][0]["status"] == "closed"
    scene.receive([entry(1)])
    scene.gateway("public-a", include_ms=7 * DAY_MS)  # too late to have longer
    scene.wait(DAY_MS)
    assert scene.refused("receive", "public-a", first=2, entries=[entry(2)]) == "closed"


def test_a_gateway_has_so_many_entries_and_what_it_withholds_is_counted(scene: Consulted) -> None:
    scene.receive([entry(1, reason="off_topic"), entry(2, reason="abuse"), entry(3, reason="abuse")])
    assert scene.chain.get(office_key("public-a"))["withheld"] == {"abuse": 2, "off_topic": 1}
    assert scene.record()["withheld"] == 3
    assert scene.refused("receive", "public-a", first=MAX_ENTRIES + 1, entries=[entry(2)]) == "invalid_argument"


# Themes, answers, conclusion


def test_an_entry_is_in_one_theme_and_a_withheld_one_in_none(closed: Consulted) -> None:
    closed.do("assign", assignments=EVERY[:2])
    for assignment, code in (
        (["public-a", 1, 2], "assigned"),
        (["public-a", 3, 1], "withheld"),
        (["public-a", 4, 1], "unknown_entry"),
        (["city", 1, 1], "unknown_entry"),
        (["institute-a", 1, 3], "unknown_theme"),
    ):
        assert closed.refused("assign", assignments=[["institute-a", 1, 1], assignment][1:]) == code
    assert closed.refused("assign", assignments=[EVERY[2], EVERY[2]]) == "assigned"
    page = closed.chain.get(assigned_key(NAME, "public-a", 0))
    assert page[:8] == bytes.fromhex("00010001ffff0000")


def test_answers_say_why_and_what_changes(closed: Consulted) -> None:
    for outcome, more, code in (
        ("accepted", {}, "no_reason"),
        ("partly", {"change": "Article 6"}, "no_reason"),
        ("rejected", {}, "no_reason"),
        ("noted", {}, "no_reason"),
        ("accepted", {"change": "Article 6"}, "ok"),
        ("rejected", {"reason": "It is law elsewhere"}, "ok"),
    ):
        assert closed.refused("answer", theme=1, outcome=outcome, **more) == code
    assert closed.refused("answer", theme=3, outcome="noted", reason="r") == "unknown_theme"
    assert closed.record()["answered"] == 1


def test_a_theme_that_grows_is_answered_again(closed: Consulted) -> None:
    closed.do("assign", assignments=EVERY[:1])
    closed.do("answer", theme=1, outcome="noted", reason="r")
    assert closed.do("assign", assignments=EVERY[1:2])["reopened"] == [1]
    assert closed.record()["answered"] == 0
    assert "outcome" not in closed.chain.get(theme_key(NAME, 1))


def test_it_is_concluded_only_when_every_entry_is_accounted_for(closed: Consulted) -> None:
    closed.do("assign", assignments=EVERY[:2])
    closed.do("answer", theme=1, outcome="noted", reason="r")
    assert closed.refused("conclude") == "too_early"
    closed.wait(8 * DAY_MS)
    receipt = closed.submit("regulator", "conclude", consultation=NAME)
    assert (receipt.code, receipt.detail) == ("incomplete", "1 of 4 entries have no theme, 1 themes no answer")
    closed.do("assign", assignments=EVERY[2:])
    closed.do("answer", theme=2, outcome="accepted", change="c")
    assert closed.refused("conclude") == "too_early"  # assignments stand a week
    closed.wait(8 * DAY_MS)
    assert closed.refused("conclude", "city") == "not_opener"
    said = closed.do("conclude")
    assert (said["received"], said["withheld"], said["assigned"], said["status"]) == (4, 1, 3, "concluded")
    assert closed.chain.get(open_key("regulator")) is None
    assert closed.refused("theme", titles=["More"]) == "concluded"
    assert closed.refused("receive", "public-a", first=4, entries=[entry(9)]) == "closed"


def test_a_consultation_cannot_be_concluded_while_comments_may_come(scene: Consulted) -> None:
    scene.wait(32 * DAY_MS)
    assert scene.refused("conclude") == "too_early"
    scene.wait(7 * DAY_MS)
    assert scene.do("conclude")["received"] == 0
    assert "overdue" not in scene.wait(200 * DAY_MS)


def test_a_conclusion_that_is_late_is_a_fact_on_its_opener(scene: Consulted) -> None:
    seen = []
    for _ in range(5):
        seen += scene.wait(88 * DAY_MS).get("overdue", [])
    assert [(late["side"], late["member"], late["escalation"]) for late in seen] == [
        ("opener", "regulator", number) for number in (1, 2, 3)
    ]
    assert len(scene.record()["overdue"]) == 3
