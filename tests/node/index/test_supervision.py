"""Rows about supervision: they follow from receipts, and say what the state says."""

from __future__ import annotations

import asyncio
import sqlite3
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from coseal.contracts.registry import LISTS
from coseal.ledger.block import Receipt
from coseal.ledger.render import time_text
from coseal.node.index import lists
from coseal.node.index.contracts import supervision as queries
from coseal.node.index.index import Index
from tests.node.index.test_index import dump, opened, rebuilt
from tests.support.chain import Chain
from tests.support.genesis import make_genesis
from tests.support.supervised import RULES, SUPERVISION, Story


@pytest.fixture(scope="module")
def story() -> Story:
    story = Story(Chain(make_genesis(name="supervision")))
    story.tell()
    return story


@pytest.fixture
def index(tmp_path: Path, story: Story) -> Any:
    index = opened(tmp_path / "index.sqlite", story.chain)
    index.start(len(story.chain.blocks))
    assert index.wait(len(story.chain.blocks), 20)
    yield index
    index.stop()


def ask(index: Index, function: Any, *args: Any) -> Any:
    return asyncio.run(index.query(function, *args))[1]


def listed(index: Index, name: str, **filters: str) -> Any:
    return ask(index, lists.page, LISTS[name], filters)


def test_all_that_the_story_asks_is_accepted(story: Story) -> None:
    refused = [
        (receipt.code, receipt.detail)
        for committed in story.chain.blocks
        for receipt in map(Receipt.decode, committed.receipts)
        if not receipt.ok
    ]
    assert refused == []


def test_rebuilding_equals_following_and_fills_every_table(tmp_path: Path, index: Index, story: Story) -> None:
    found = dump(index.path)
    assert all(found[name] for name in SUPERVISION)
    assert found == rebuilt(tmp_path, story.chain)


def test_findings_stand_as_the_state_has_them(index: Index, story: Story) -> None:
    items = listed(index, "findings").items
    assert len(items) == story.state("supervision/counter/finding") >= 5
    for item in items:
        record = story.state(f"supervision/finding/{item['id']}")
        for name in ("rule", "object", "status", "deadline_ms", "verdict", "severity", "subject", "escalation"):
            assert item[name] == record[name], (item["id"], name)
        assert (item["supervisor"] or "", item["outcome"] or "") == (record["supervisor"], record["outcome"])
        assert [item["step"], item["side"]] == (record["due"] or [None, None])
        steps = [step["tx"] for step in ask(index, queries.trail, int(item["id"][1:])) if step["tx"] is not None]
        own = [step[4] for step in record["steps"]]
        assert [tx for tx in steps if tx in own] == own


def test_findings_are_filtered(index: Index) -> None:
    def ids(**filters: str) -> set[str]:
        return {item["id"] for item in listed(index, "findings", **filters).items}

    everything = ids()
    assert ids(status="closed") | ids(status="raised") <= everything
    assert ids(overdue="true")
    assert ids(overdue="true") | ids(overdue="false") == everything
    assert ids(overdue="true") & ids(overdue="false") == set()
    assert ids(party="enterprise-a") == everything
    assert ids(party="regulator") < everything
    assert ids(party="bank-a") == set()
    assert ids(object="c1") < everything
    assert ids(rule="R-GAP") == ids(object_type="source")


def test_rules_and_ballots_stand_as_the_state_has_them(index: Index, story: Story) -> None:
    items = listed(index, "rules").items
    assert {item["status"] for item in items} >= {"adopted", "retired", "superseded", "proposed"}
    for item in items:
        assert item["status"] == story.state(f"supervision/rule/{item['id']}/{item['version']}")["status"]
    ballots = listed(index, "ballots").items
    assert len(ballots) == story.state("supervision/counter/ballot")
    for item in ballots:
        record = story.state(f"supervision/ballot/{item['id']}")
        assert [item[name] for name in ("kind", "status", "closes_ms", "proposer")] == [
            record[name] for name in ("kind", "status", "closes_ms", "proposer")
        ]


def test_questions_and_holds_stand_as_the_state_has_them(index: Index, story: Story) -> None:
    for item in listed(index, "questions").items:
        record = story.state(f"supervision/question/{item['id']}")
        for name in ("topic", "status", "deadline_ms", "member"):
            assert item[name] == record[name]
    (hold,) = listed(index, "holds").items
    assert hold["object"] == "c2"
    (first, second) = listed(index, "guidance").items
    assert (first["replaced_by"], second["replaced_by"]) == ("G2", None)
    assert ask(index, queries.obliged, None, 10) == [("R-MONTHLY", "enterprise-a/live")]


def test_what_a_deadline_did_has_no_place_among_transactions(index: Index) -> None:
    connection = sqlite3.connect(index.path)
    wrong = connection.execute(
        "SELECT count(*) FROM finding_steps s LEFT JOIN transactions t USING (height, position)"
        " WHERE (s.position = -1) <> (t.id IS NULL)"
    ).fetchone()[0]
    assert wrong == 0
    steps = [
        step
        for (number,) in connection.execute("SELECT number FROM findings")
        for step in ask(index, queries.trail, number)
    ]
    connection.close()
    assert {step["awaited"] for step in steps if step["step"] == "overdue"} >= {"acknowledge"}
    assert all(step["index"] is None for step in steps if step["step"] == "overdue")


def test_what_is_null_in_a_rule_is_absent_from_its_row(tmp_path: Path) -> None:
    story = Story(Chain(make_genesis(name="nulls")))
    story.begin()
    story.do("supervision.propose_rules", rules=[{**RULES[2], "id": "R-NULL", "effect": None, "severity": None}])
    index = opened(tmp_path / "index.sqlite", story.chain)
    index.start(len(story.chain.blocks))
    assert index.wait(len(story.chain.blocks), 20), index.error
    rows = {row["id"]: row for row in listed(index, "rules").items}
    assert (rows["R-NULL"]["effect"], rows["R-NULL"]["severity"]) == ("flag", "")
    index.stop()


def test_findings_without_room_in_their_receipt_are_indexed_when_they_are_shown(tmp_path: Path) -> None:
    story = Story(Chain(make_genesis(name="crowded")))
    story.begin()
    now = time_text(story.chain.executor.time_ms)
    event = {"type": "Create", "time": now, "attributes": {"amount": -1}}
    items = [{"event": f"e{n}", "objects": [["case", f"k{n}"]], **event} for n in range(800)]
    batch = story.sign("process.record", {"source": "live", "sequence": 1, "items": items}, "enterprise-a")
    last = story.sign("supervision.acknowledge", {"finding": "F800"}, "regulator")
    story.chain.extend([batch, last])
    receipt = Receipt.decode(story.chain.blocks[-1].receipts[1])
    assert len(receipt.data["findings"]) < 800, "so many do not fit"
    story.wait(1)
    index = opened(tmp_path / "index.sqlite", story.chain)
    index.start(len(story.chain.blocks))
    assert index.wait(len(story.chain.blocks), 20)
    rows = listed(index, "findings").items
    assert [row["id"] for row in rows] == [f"F{n}" for n in range(1, 801)]
    for row in (rows[0], rows[-1]):
        record = story.state(f"supervision/finding/{row['id']}")
        assert [row["status"], row["deadline_ms"], row["supervisor"] or "", [row["step"], row["side"]]] == [
            record["status"],
            record["deadline_ms"],
            record["supervisor"],
            record["due"],
        ]
    assert rows[-1]["index"] is None, "it was shown at the start of the next block"
    assert [step["step"] for step in ask(index, queries.trail, 800)] == ["acknowledge", "raised"]
    index.stop()


def test_figures_are_counted_as_by_hand(index: Index, story: Story) -> None:
    found = ask(index, queries.figures, {}, 53)
    week_ms, monday_ms = 604_800_000, 3 * 86_400_000
    records = [
        story.state(f"supervision/finding/F{number}")
        for number in range(1, story.state("supervision/counter/finding") + 1)
    ]
    by_week = Counter(
        (one["time_ms"] - (one["time_ms"] + monday_ms) % week_ms, one["rule"], one["subject"] or None)
        for one in records
    )
    assert {(row["week_ms"], row["rule"], row["subject"] or None): row["count"] for row in found["weeks"]} == by_week
    assert len({row["week_ms"] for row in found["weeks"]}) > 1
    now_ms = story.chain.executor.time_ms
    open_ages = [
        now_ms - one["time_ms"] for one in records if one["status"] not in ("closed", "notified", "superseded")
    ]
    assert found["now_ms"] == now_ms
    assert [row["count"] for row in found["ages"]] == [
        sum(row["from_ms"] <= age < (row["to_ms"] or 10**15) for age in open_ages) for row in found["ages"]
    ]
    assert sum(row["count"] for row in found["ages"]) == len(open_ages) > 0
    taken = {(row["step"], row["member"]): (row["taken"], row["in_time"]) for row in found["taken"]}
    assert taken["acknowledge", "regulator"] == (3, 2)  # F6 was late
    assert taken["respond", "enterprise-a"] == (2, 2)
    of_one = ask(index, queries.figures, {"rule": "R-ONCE"}, 1)
    assert {row["rule"] for row in of_one["weeks"]} <= {"R-ONCE"}
    assert sum(row["taken"] for row in of_one["taken"]) < sum(taken for taken, _ in taken.values())
