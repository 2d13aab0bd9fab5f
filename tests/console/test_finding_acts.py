"""Which steps the console offers, and what a form makes: only what the ledger would take."""

from __future__ import annotations

from typing import Any

import pytest

from coseal.console.pages import opening
from coseal.console.pages.finding_acts import arguments_of, possible
from coseal.console.pages.findings import spent_ms
from coseal.console.supervision_parts import rule_link

DIGEST = "ab" * 32


def record(status: str, **more: Any) -> dict[str, Any]:
    head = {"subject": "enterprise-a", "supervisor": "regulator", "decider": "regulator/admin", "overdue": []}
    return {"id": "F1", "status": status, **head, **more}


def offered(status: str, sender: str, role: str, hold: dict[str, Any] | None = None, **more: Any) -> list[str]:
    return [one.action for one in possible(record(status, **more), hold, sender, role)]


@pytest.mark.parametrize(
    ("status", "supervisor", "subject"),
    [
        ("raised", ["acknowledge"], []),
        ("acknowledged", ["inquire", "decide", "hold"], []),
        ("inquiry", ["decide", "hold"], ["respond"]),
        ("response", ["decide", "inquire", "hold"], []),
        ("rectified", ["hold"], ["appeal"]),
        ("closed", [], []),
        ("notified", [], []),
    ],
)
def test_each_side_is_offered_its_own_steps(status: str, supervisor: list[str], subject: list[str]) -> None:
    assert offered(status, "regulator/admin", "government") == supervisor
    assert offered(status, "enterprise-a/admin", "enterprise") == subject
    assert offered(status, "bank-a/admin", "bank") == []


def test_who_decided_is_not_offered_the_appeal() -> None:
    assert "decide_appeal" not in offered("appeal", "regulator/admin", "government")
    assert offered("appeal", "regulator/second", "government")[0] == "decide_appeal"


def test_another_supervisor_is_offered_a_finding_only_once_its_supervisor_is_late() -> None:
    assert offered("response", "ministry/admin", "government") == []
    late = [["decide", "supervisor", 1, 2]]
    assert offered("response", "ministry/admin", "government", overdue=late)[0] == "decide"


def test_a_decision_without_an_answer_needs_its_time_to_have_passed() -> None:
    only = possible(record("inquiry"), None, "regulator/admin", "government")[0]
    assert only.outcomes == ("dismissed",)
    late = record("inquiry", overdue=[["respond", "subject", 1, 2]])
    assert "sanctioned" in possible(late, None, "regulator/admin", "government")[0].outcomes


def test_a_hold_can_be_lifted_contested_and_confirmed() -> None:
    hold = {"status": "held", "contested": 0, "confirmed": False}
    assert offered("acknowledged", "regulator/admin", "government", hold)[-1] == "lift_hold"
    assert offered("acknowledged", "enterprise-a/admin", "enterprise", hold) == ["contest_hold"]
    contested = {**hold, "contested": 5}
    assert offered("acknowledged", "regulator/admin", "government", contested)[-2:] == ["lift_hold", "confirm_hold"]
    assert offered("acknowledged", "enterprise-a/admin", "enterprise", contested) == []


def test_a_form_becomes_the_arguments_of_its_action() -> None:
    fields = {"response": " So. ", "evidence": f"{DIGEST} {DIGEST}\n", "confirmed": "yes", "note": " "}
    assert arguments_of("F1", fields) == {"finding": "F1", "response": "So.", "evidence": [DIGEST]}
    decided = {"outcome": "rectified", "reason": "Seen", "measure": "unused"}
    assert arguments_of("F1", decided) == {"finding": "F1", "outcome": "rectified", "reason": "Seen"}
    hold = {"finding": "F1", "reason": "x", "hold_ms": 86_400_000}
    assert arguments_of("F1", {"reason": "x", "hours": "24", "amount": " "}) == hold
    assert arguments_of("F1", {"reason": "x", "hours": "24", "amount": "3500"}) == {**hold, "amount": 3_500}
    for wrong in ("0", "-1", "1.5", "x", "²", str(2**62 + 1)):
        assert arguments_of("F1", {"reason": "x", "hours": "24", "amount": wrong}) == "supervision.wrong.amount"


@pytest.mark.parametrize("evidence", ["abc", DIGEST + "0", "AB" * 32, " ".join(f"{n:064x}" for n in range(17))])
def test_evidence_that_is_no_digest_is_told_before_anything_is_signed(evidence: str) -> None:
    assert arguments_of("F1", {"response": "So.", "evidence": evidence}) == "supervision.wrong.evidence"


@pytest.mark.parametrize("hours", ["", "0", "721", "1.5", "x", "١"])
def test_hours_out_of_bounds_are_told_before_anything_is_signed(hours: str) -> None:
    assert arguments_of("F1", {"reason": "x", "hours": hours}) == "supervision.wrong.hours"


def test_the_time_of_each_side_is_counted_up_to_now() -> None:
    steps = [
        ["acknowledge", "regulator/admin", 2, 100, "", []],
        ["inquire", "regulator/admin", 3, 150, "", []],
        ["respond", "enterprise-a/admin", 4, 450, "", []],
    ]
    found = record("response", time_ms=0, steps=steps, due=["decide", "supervisor"])
    assert spent_ms(found, 1_000) == {"supervisor": 150 + 550, "subject": 300}
    closed = record("closed", time_ms=0, steps=steps, due=None)
    assert spent_ms(closed, 1_000) == {"supervisor": 150, "subject": 300}


def test_a_form_that_opens_a_finding_becomes_its_arguments() -> None:
    place = {"process_type": "permits", "object_type": "case", "object": "c/1"}
    fields = {**place, "subject": " bank-a ", "severity": "warning", "reason": "So.", "confirmed": "yes"}
    args = {**place, "subject": "bank-a", "severity": "warning", "reason": "So."}
    basis = "cn/2022/2 \n\n external: complaint 17\ncn/2022/2"
    expected = {**args, "legal_basis": ["cn/2022/2", "external: complaint 17"]}
    assert opening.arguments_of({**fields, "legal_basis": basis}) == expected
    assert opening.arguments_of({**fields, "legal_basis": basis, "evidence": DIGEST}) == {
        **expected,
        "evidence": [DIGEST],
    }
    assert opening.arguments_of({**fields, "legal_basis": basis, "evidence": "x"}) == "supervision.wrong.evidence"
    for wrong in ("", " \n ", "x" * 257, "\n".join(map(str, range(17)))):
        assert opening.arguments_of({**fields, "legal_basis": wrong}) == "supervision.wrong.basis"


def test_what_stands_in_place_of_a_rule_is_no_link() -> None:
    assert "href" in str(rule_link("R-ONCE", 2))
    assert "href" not in str(rule_link("system:case", 1))
