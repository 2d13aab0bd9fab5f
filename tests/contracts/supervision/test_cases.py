"""Findings that a supervisor opens by hand, and how many findings about an object are open."""

from __future__ import annotations

import sqlite3
from typing import Any

import pytest

from coseal.contracts.block_events import BEGIN, block_events
from coseal.contracts.kernel.action import Action, Args, Arguments, Context, Rejected, Result, View
from coseal.contracts.kernel.contract import Contract
from coseal.contracts.kernel.dates import DAY_MS
from coseal.contracts.kernel.rows.buffer import Rows
from coseal.contracts.kernel.rows.schema import SQLITE, definitions
from coseal.contracts.registry import CONTRACTS
from coseal.contracts.rows.blocks import BlockRows
from coseal.contracts.rows.tables import TABLES
from coseal.contracts.supervision.cases import MAX_OPEN_CASES, Case, open_case
from coseal.contracts.supervision.findings import open_findings, open_of, raised_of
from coseal.contracts.supervision.holds import held
from coseal.contracts.supervision.state import findings_key
from coseal.contracts.supervision.terms import TERMS
from coseal.ledger.block import Receipt
from coseal.node.index.database import Writer
from tests.contracts.conftest import Court
from tests.support.chain import Chain

PLACE = {"process_type": "loans", "object_type": "case", "object": "c1"}
CASE = {
    **PLACE,
    "subject": "bank-a",
    "severity": "warning",
    "reason": "The file on paper says otherwise",
    "legal_basis": ["external: court order 17/2026"],
}


@pytest.fixture
def recorded(court: Court) -> Court:
    """A case nobody found anything about."""
    assert court.record(court.event("apply")).ok
    return court


def opened(court: Court, who: str = "regulator", **changes: Any) -> Receipt:
    return court.act(who, "open_case", **{**CASE, **changes})


def standing(court: Court) -> dict[str, int]:
    """Return the open findings about the case that are not none."""
    counted = open_findings(court.chain.executor.reader, *PLACE.values())
    return {severity: number for severity, number in counted.items() if number}


def test_a_supervisor_opens_a_finding_that_says_who_opened_it_and_why(recorded: Court) -> None:
    receipt = opened(recorded, evidence=["ab" * 32])
    assert receipt.ok, receipt.detail
    (view,) = receipt.data["findings"]
    assert (receipt.data["id"], receipt.data["step"], receipt.data["side"]) == ("F1", "acknowledge", "supervisor")
    assert {name: view[name] for name in (*PLACE, "subject", "severity", "legal_basis")} == {
        name: CASE[name] for name in (*PLACE, "subject", "severity", "legal_basis")
    }
    assert (view["rule"], view["opened_by"], view["status"]) == ("system:case", "regulator/admin", "raised")
    assert (view["verdict"], view["effect"], view["source"], view["event"]) == ("undetermined", "flag", None, None)
    assert view["reason"] == ["opened", {"by": "regulator/admin", "text": CASE["reason"]}]
    assert view["detail"] == f"opened by regulator/admin: {CASE['reason']}"
    record = recorded.get("finding/F1")
    (step,) = record["steps"]
    assert (step[:2], step[5]) == (["open_case", "regulator/admin"], ["ab" * 32])


def test_what_is_opened_has_the_life_of_any_finding(recorded: Court) -> None:
    opened(recorded)
    assert recorded.act("regulator", "hold", finding="F1", reason="Risk", hold_ms=DAY_MS, amount=5).ok
    for who, action, args in (
        ("regulator", "acknowledge", {}),
        ("regulator", "inquire", {"question": "Why?"}),
        ("bank-a", "respond", {"response": "So."}),
        ("regulator", "decide", {"outcome": "rectified", "reason": "It was put right"}),
        ("bank-a", "appeal", {"reason": "It was right before"}),
    ):
        receipt = recorded.act(who, action, finding="F1", **args)
        assert receipt.ok, receipt.detail
        assert standing(recorded) == {"warning": 1}
    assert held(recorded.chain.executor.reader, *PLACE.values()) is not None
    assert recorded.act("city", "decide_appeal", finding="F1", outcome="overturned", reason="It was").ok
    assert held(recorded.chain.executor.reader, *PLACE.values()) is None
    assert recorded.get("statistics/loans/system:case") == {"raised": 1, "rectified": 1, "overturned": 1}
    assert standing(recorded) == {}


def test_nobody_opens_a_case_about_the_own_member_or_without_the_role(recorded: Court) -> None:
    assert opened(recorded, "bank-a").code == "forbidden"
    assert opened(recorded, "bank-a", subject="enterprise-a").code == "forbidden"
    assert opened(recorded, subject="regulator").code == "own_case"
    assert recorded.get("counter/finding") is None


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"process_type": "ships"}, "unknown_type"),
        ({"object": "c2"}, "unknown_object"),
        ({"object_type": "party"}, "unknown_object"),
        ({"object_type": "source", "object": "bank-a/other"}, "unknown_object"),
        ({"object_type": "source", "object": "c1"}, "unknown_object"),
        ({"subject": "nobody"}, "unknown_member"),
        ({"legal_basis": ["external: the law", "cn/unknown"]}, "unknown_policy"),
        ({"legal_basis": []}, "invalid_argument"),
        ({"severity": "grave"}, "invalid_argument"),
        ({"reason": ""}, "invalid_argument"),
        ({"evidence": ["x"]}, "invalid_argument"),
    ],
)
def test_a_case_is_about_what_is_there_and_rests_on_something(
    recorded: Court, changes: dict[str, Any], code: str
) -> None:
    receipt = opened(recorded, **changes)
    assert (receipt.code, recorded.get("counter/finding")) == (code, None)
    if code.startswith("unknown"):
        assert str(next(iter(changes.values()))).strip("[]'").split("', '")[-1] in receipt.detail


def test_a_case_may_be_about_a_source(recorded: Court) -> None:
    assert opened(recorded, object_type="source", object="bank-a/log").ok


def test_a_long_reason_is_cut_in_the_finding_and_whole_in_the_transaction(recorded: Court) -> None:
    (view,) = opened(recorded, reason="x" * 4_000).data["findings"]
    assert len(view["reason"][1]["text"]) == 300


def test_a_member_has_so_many_cases_open_at_most(recorded: Court) -> None:
    assert MAX_OPEN_CASES == 100
    for number in range(MAX_OPEN_CASES):
        assert opened(recorded).ok, number
    refused = opened(recorded)
    assert (refused.code, "regulator has 100 open cases, at most 100" in refused.detail) == ("limit", True)
    assert opened(recorded, "city").ok, "another member's are its own"
    assert recorded.act("city", "acknowledge", finding="F1").ok
    assert recorded.act("city", "decide", finding="F1", outcome="dismissed", reason="Nothing was wrong").ok
    assert recorded.get("cases/regulator") == 99
    assert opened(recorded).ok
    assert opened(recorded).code == "limit"


def test_a_case_that_nobody_appeals_closes_and_makes_room(recorded: Court) -> None:
    opened(recorded)
    for who, action, args in (
        ("regulator", "acknowledge", {}),
        ("regulator", "inquire", {"question": "Why?"}),
        ("bank-a", "respond", {"response": "So."}),
        ("regulator", "decide", {"outcome": "sanctioned", "reason": "So", "measure": "A fine"}),
    ):
        assert recorded.act(who, action, finding="F1", **args).ok
    assert (recorded.get("cases/regulator"), standing(recorded)) == (1, {"warning": 1})
    assert recorded.wait(TERMS["appeal"])["closed"] == [{"id": "F1", "outcome": "sanctioned"}]
    assert (recorded.get("cases/regulator"), standing(recorded)) == (None, {})


def test_open_findings_are_counted_by_severity_beside_all_that_there_ever_were(recorded: Court) -> None:
    key = findings_key(*PLACE.values())
    assert recorded.chain.get(key) is None
    assert (raised_of(None), open_of(None)) == (0, {"notice": 0, "warning": 0, "violation": 0})
    rule = recorded.rule("R-ONCE", **recorded.ONCE)
    notify = recorded.rule("R-NOTE", "guard", on=["pay"], effect="notify", **{"assert": "e.attributes.amount > 9"})
    recorded.adopt(rule, notify)
    pay = {"attributes": {"amount": 1}}
    recorded.record(recorded.event("pay", **pay), recorded.event("pay", event="second", **pay))
    opened(recorded)
    opened(recorded, severity="notice")
    value = recorded.chain.get(key)
    assert value == {"raised": 5, "open": {"notice": 1, "violation": 1, "warning": 1}, "last": "F5"}
    assert open_of(value) == {"notice": 1, "warning": 1, "violation": 1}
    for number in range(1, 6):
        if recorded.get(f"finding/F{number}")["status"] == "raised":
            assert recorded.act("regulator", "acknowledge", finding=f"F{number}").ok
            assert recorded.act("regulator", "decide", finding=f"F{number}", outcome="dismissed", reason="So").ok
    assert recorded.chain.get(key) == {"raised": 5, "open": {}, "last": "F5"}


def test_another_contract_opens_cases_by_the_same_function() -> None:
    case = Case("loans", "wallet", "w1", "bank-a", "violation", "An act was wrong", ["external: the law"])

    def act(view: View, context: Context, args: Args) -> Result | Rejected:
        record = open_case(view, context, case)
        return record if isinstance(record, Rejected) else {"id": record["id"]}

    toy = Contract("toy", {"act": Action(Arguments({}), act, "Act", {})})
    court = Court(Chain(rules={1: {**CONTRACTS, "toy": toy}}))
    assert court.chain.submit("bank-a/admin", "toy.act").code == "forbidden"
    assert court.chain.submit("city/admin", "toy.act").data == {"id": "F1"}
    assert court.get("finding/F1")["opened_by"] == "city/admin"
    assert court.act("regulator", "acknowledge", finding="F1").ok


def test_the_stream_says_that_a_case_was_opened(recorded: Court) -> None:
    opened(recorded)
    (committed,) = recorded.chain.blocks[-1:]
    events = list(block_events(committed, (committed.block.header.height, BEGIN, 0)))
    assert [(one.kind, one.data.get("opened_by")) for one in events] == [
        ("transaction", None),
        ("finding", "regulator/admin"),
    ]


def test_the_rows_say_who_opened_a_case_and_why(recorded: Court) -> None:
    opened(recorded)
    connection = sqlite3.connect(":memory:", isolation_level=None)
    for statement in definitions(TABLES, (), SQLITE):
        connection.execute(statement)
    rows = Rows(Writer(connection), TABLES)
    blocks = BlockRows(rows)
    for committed in recorded.chain.blocks:
        blocks.write(committed)
    rows.flush()
    found = connection.execute("SELECT rule, opened_by, source, status, step FROM findings").fetchall()
    assert found == [("system:case", "regulator/admin", None, "raised", "acknowledge")]
    (step,) = connection.execute("SELECT step, sender, document FROM finding_steps").fetchall()
    assert (step[:2], CASE["reason"] in step[2]) == (("raised", "regulator/admin"), True)
