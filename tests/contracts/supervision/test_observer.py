"""What the rules in force make of recorded items: refusals, findings, deadlines, gaps, obligations."""

from __future__ import annotations

import gc

import pytest

from coseal.contracts.kernel import due
from coseal.contracts.kernel.budget import MAX_DUE
from coseal.contracts.kernel.dates import DAY_MS
from coseal.contracts.process.batch import RecordedBatch
from coseal.contracts.supervision import observer as supervision_watch
from coseal.contracts.supervision import sets_in_force as supervision_sets
from coseal.contracts.supervision.observer import Watch
from coseal.contracts.supervision.state import obligation_key
from coseal.ledger.render import time_text

RESPONSE = {"template": "response", "a": "apply", "b": "decide", "within_ms": 10_000}
PRECEDENCE = {"template": "precedence", "a": "check", "b": "decide"}


def limit(court, **fields):
    return court.rule("R-MAX", "guard", on=["pay"], **{"assert": "e.attributes.amount <= 100", **fields})


def rules_of(receipt):
    return [entry["rule"] for entry in receipt.data.get("findings", [])]


def contents(chain):
    entries = [entry for i in range(1 << chain.state.bits) for _, entry in chain.state._store.bucket(i)]
    return {entry for entry in entries if b"system/seen/" not in entry and b"system/window" not in entry}


def test_without_rules_nothing_is_observed(court):
    receipt = court.record(court.event("pay"))
    assert set(receipt.data) == {
        *("source", "process_type", "version", "definition", "first", "last", "items", "events", "new_objects", "head"),
    }
    assert court.get("object/loans/case/c1") is None


def test_a_finding_is_raised_in_the_transaction_that_records_it(court):
    court.adopt(limit(court, severity="warning"))
    receipt = court.record(
        court.event("pay", attributes={"amount": 1}), court.event("pay", "c2", attributes={"amount": 101})
    )
    (found,) = receipt.data["findings"]
    assert (found["rule"], found["version"], found["object"], found["sequence"]) == ("R-MAX", 1, "c2", 2)
    assert (found["source"], found["subject"], found["severity"]) == ("bank-a/log", "bank-a", "warning")
    assert (found["verdict"], found["status"], len(found["item"])) == ("violated", "raised", 64)
    record = court.get(f"finding/{found['id']}")
    assert {name: record[name] for name in found} == found
    assert (record["height"], record["time_ms"]) == (court.chain.executor.height, court.chain.executor.time_ms)


def test_a_batch_is_gone_once_it_is_judged_without_the_garbage_collector(court):
    court.adopt(limit(court, severity="warning"))
    gc.collect()
    gc.disable()
    try:
        assert court.record(court.event("pay", attributes={"amount": 101})).data["findings"]
        left = [type(each) for each in gc.get_objects() if isinstance(each, Watch | RecordedBatch)]
    finally:
        gc.enable()
    assert left == []


def test_a_batch_that_a_rule_rejects_names_event_and_rule_and_leaves_nothing(court):
    court.adopt(
        limit(court, effect="reject", title={"zh": "贷款不超过 100", "en": "No loan above 100"}),
        court.rule("R-ONCE", **court.ONCE),
    )
    court.record(court.event("pay", attributes={"amount": 1}))
    before = contents(court.chain)
    receipt = court.record(
        court.event("pay", attributes={"amount": 2}, event="fine but second"),
        court.event("apply", "new"),
        court.event("pay", "c2", event="too much", attributes={"amount": 101}),
    )
    assert receipt.code == "rule_violated"
    assert receipt.detail.startswith("items[2]: event too much violates R-MAX version 1")
    assert "No loan above 100" in receipt.detail
    assert contents(court.chain) == before
    assert court.record(court.event("pay", "c2", attributes={"amount": 100})).data["first"] == 2


def test_a_shape_rejects(court):
    schema = {"type": "object", "properties": {"amount": {"type": "integer", "minimum": 1}}, "required": ["amount"]}
    court.adopt(court.rule("R-SHAPE", "shape", on=["pay"], schema=schema, effect="reject"))
    assert court.record(court.event("pay", attributes={"amount": 0})).code == "rule_violated"
    assert court.record(court.event("pay")).code == "rule_violated"
    assert court.record(court.event("pay", attributes={"amount": 1})).ok


def test_what_a_guard_cannot_tell_is_a_finding_and_no_refusal(court):
    court.adopt(limit(court, effect="reject"))
    receipt = court.record(court.event("pay"))
    assert [entry["verdict"] for entry in receipt.data["findings"]] == ["undetermined"]


def test_the_clock_of_a_live_source_is_block_time_and_its_lag(make_court):
    court = make_court(late_ms=5_000)
    court.adopt(court.rule("R-1", **RESPONSE))
    receipt = court.record(court.event("apply"))
    occurred_ms = court.chain.executor.time_ms
    assert "findings" not in receipt.data
    due_ms = occurred_ms + 10_000 + 5_000 + 1
    assert court.chain.executor.next_deadline_ms() == due_ms
    assert court.wait(due_ms - 1 - court.chain.executor.time_ms) == {}
    begun = court.wait(1)
    (found,) = begun["findings"]
    assert (found["rule"], found["object"], found["subject"]) == ("R-1", "c1", "bank-a")
    assert (found["sequence"], found["event"], found["item"]) == (None, None, None)
    assert court.chain.executor.next_deadline_ms() == found["deadline_ms"]


def test_what_comes_in_time_is_no_finding_and_leaves_nothing_due(court):
    court.adopt(court.rule("R-1", **RESPONSE))
    court.record(court.event("apply"))
    court.record(court.event("decide"))
    assert court.wait(DAY_MS) == {}
    assert court.chain.executor.next_deadline_ms() > court.chain.executor.time_ms + DAY_MS  # the ballot's


def test_an_object_is_called_once_and_waits_for_its_next_deadline(court):
    court.adopt(court.rule("R-1", **RESPONSE))
    court.record(court.event("apply"))
    first_ms = court.chain.executor.next_deadline_ms()
    court.record(court.event("decide"))
    court.record(court.event("apply", event="second"))
    assert court.chain.executor.next_deadline_ms() == first_ms
    assert court.wait(first_ms - court.chain.executor.time_ms) == {}
    second_ms = court.chain.executor.next_deadline_ms()
    assert second_ms == first_ms + 2_000
    assert [entry["rule"] for entry in court.wait(second_ms - court.chain.executor.time_ms)["findings"]] == ["R-1"]


def test_the_clock_of_a_historical_source_is_its_highest_event_time(make_court):
    court = make_court("historical")
    court.adopt(court.rule("R-1", **RESPONSE))
    then = 1_000_000_000_000
    court.record(court.event("apply", "c1", at_ms=then))
    assert court.wait(DAY_MS) == {}
    assert rules_of(court.record(court.event("apply", "c2", at_ms=then + 10_000))) == []
    assert "findings" not in court.record(court.event("apply", "c3", at_ms=then + 10_001)).data
    assert court.chain.executor.next_deadline_ms() <= court.chain.executor.time_ms
    assert [(entry["rule"], entry["object"], entry["event"]) for entry in court.wait(1)["findings"]] == [
        ("R-1", "c1", None)
    ]
    assert court.wait(1) == {}


def test_dates_before_1970_are_judged_like_any(make_court):
    court = make_court("historical", late_ms=0)
    court.adopt(court.rule("R-1", **RESPONSE))
    times = ["1948-01-01T00:00:00Z", "1948-01-01T00:00:10.001Z"]
    items = [{**court.event("apply", f"c{i}"), "time": time} for i, time in enumerate(times)]
    assert court.record(*items).ok
    assert [entry["object"] for entry in court.wait(1)["findings"]] == ["c0"]


def test_what_a_historical_clock_passed_is_done_in_the_next_blocks(make_court):
    court = make_court("historical")
    court.adopt(court.rule("R-1", **RESPONSE))
    then = 1_000_000_000_000
    for part in range(3):
        court.record(*(court.event("apply", f"c{part} {i}", at_ms=then) for i in range(400)))
    assert "findings" not in court.record(court.event("check", at_ms=then + 366 * DAY_MS)).data
    found = []
    while court.chain.executor.next_deadline_ms() <= court.chain.executor.time_ms:
        more = court.wait(1)["findings"]
        assert 0 < len(more) <= MAX_DUE
        found += more
    assert len({entry["object"] for entry in found}) == len(found) == 1_200


def test_what_is_due_beyond_a_share_is_done_in_the_next_block(court):
    court.adopt(court.rule("R-1", **RESPONSE))
    for part in range(3):
        court.record(*(court.event("apply", f"c{part} {i}") for i in range(400)))
    court.wait(8_000)
    found = court.wait(DAY_MS)["findings"]
    assert 0 < len(found) < 1_200
    while court.chain.executor.next_deadline_ms() <= court.chain.executor.time_ms:
        found += court.wait(1)["findings"]
    assert len({entry["object"] for entry in found}) == len(found) == 1_200
    assert [entry["id"] for entry in found] == [f"F{number}" for number in range(1, 1_201)]


def test_findings_that_a_receipt_has_no_room_for_stand_in_the_next(court, monkeypatch):
    monkeypatch.setattr(supervision_watch, "MAX_SHOWN_BYTES", 1_200)
    court.adopt(limit(court))
    receipt = court.record(*(court.event("pay", f"c{i}", attributes={"amount": 101}) for i in range(5)))
    shown = [entry["id"] for entry in receipt.data["findings"]]
    begun = [entry["id"] for entry in court.wait(1)["findings"]]
    assert (len(shown) < 5, sorted(shown + begun)) == (True, ["F1", "F2", "F3", "F4", "F5"])
    assert begun
    assert court.wait(1) == {}


def test_the_first_receipt_of_a_block_is_bounded_too(court, monkeypatch):
    monkeypatch.setattr(due, "MAX_SHOWN_BYTES", 1_200)
    monkeypatch.setattr(due, "_LEAST_ROOM_BYTES", 400)
    court.adopt(court.rule("R-1", **RESPONSE))
    court.record(*(court.event("apply", f"c{i}") for i in range(5)))
    found = court.wait(20_000)["findings"]
    assert len(found) < 5
    while court.chain.executor.next_deadline_ms() <= court.chain.executor.time_ms:
        found += court.wait(1)["findings"]
    assert sorted(entry["id"] for entry in found) == ["F1", "F2", "F3", "F4", "F5"]


def test_too_many_findings_in_a_batch_are_refused(court, monkeypatch):
    monkeypatch.setattr(supervision_watch, "MAX_FINDINGS", 3)
    court.adopt(limit(court))
    now_ms = court.chain.now_ms + 2_000
    items = [court.event("pay", f"c{i}", attributes={"amount": 101}, at_ms=now_ms) for i in range(4)]
    assert court.record(*items).code == "limit"
    assert court.record(*items[:3]).ok


# Not retroactive


def test_what_was_recorded_before_a_rule_is_not_judged_by_it(court):
    court.record(court.event("apply", "old"), court.event("pay", "old"))
    court.adopt(court.rule("R-1", **RESPONSE), court.rule("R-ONCE", **court.ONCE))
    assert rules_of(court.record(court.event("pay", "old", event="counted as first"))) == []
    assert court.wait(DAY_MS) == {}


def test_rules_that_look_back_leave_older_objects_alone(court):
    court.record(court.event("check", "old"))
    court.adopt(court.rule("R-PRE", **PRECEDENCE), court.rule("R-1", **RESPONSE))
    assert rules_of(court.record(court.event("decide", "old"))) == []
    assert rules_of(court.record(court.event("decide", "new"))) == ["R-PRE"]
    court.record(court.event("apply", "old"))
    assert [entry["rule"] for entry in court.wait(DAY_MS)["findings"]] == ["R-1"]  # looks forward


def test_an_object_declared_under_a_rule_is_judged_as_a_whole(court):
    court.adopt(court.rule("R-PRE", **PRECEDENCE))
    court.record({"object": "declared", "type": "case"})
    court.wait(1)
    assert rules_of(court.record(court.event("decide", "declared"))) == ["R-PRE"]


def test_validity_is_compared_with_the_block_of_recording(court):
    soon_ms = court.chain.executor.time_ms + 60_000
    court.adopt(limit(court, valid_from=time_text(soon_ms), valid_to=time_text(soon_ms + 60_000)))
    event = {"attributes": {"amount": 101}}
    assert rules_of(court.record(court.event("pay", "c1", **event))) == []
    court.wait(soon_ms - court.chain.executor.time_ms)
    assert rules_of(court.record(court.event("pay", "c2", **event))) == ["R-MAX"]
    court.wait(60_000)
    assert rules_of(court.record(court.event("pay", "c3", **event))) == []


# Sources


def test_a_recorded_gap_is_found(court):
    court.adopt(court.rule("R-GAP", "gap"))
    court.record(court.event("apply"))
    receipt = court.record(court.event("check"), sequence=5, gap="a lost file")
    (found,) = receipt.data["findings"]
    assert (found["rule"], found["object_type"], found["object"]) == ("R-GAP", "source", "bank-a/log")


def test_an_event_that_is_recorded_too_late_is_found(make_court):
    court = make_court(late_ms=DAY_MS)
    court.adopt(court.rule("R-LAG", "lag", within_ms=3_600_000))
    assert rules_of(court.record(court.event("apply", at_ms=court.chain.now_ms - 3_600_000))) == []
    assert rules_of(court.record(court.event("apply", at_ms=court.chain.now_ms - 3_600_001))) == ["R-LAG"]


def periodic(court, source="bank-a/log"):
    return court.rule("R-DAILY", "periodic", source=source, on=["report"], every={"days": 1})


def test_a_periodic_report_is_owed_and_its_absence_found_though_nothing_happens(court):
    court.adopt(periodic(court))
    record = court.get("obligation/R-DAILY/bank-a/log")
    assert (record["status"], record["met"], record["missed"], record["event_types"]) == ("running", 0, 0, ["report"])
    assert record["due_ms"] - record["from_ms"] == DAY_MS
    assert obligation_key("R-DAILY", "bank-a/log") == "supervision/obligation/R-DAILY/bank-a/log"
    assert court.wait(record["from_ms"] - court.chain.executor.time_ms) == {}
    assert court.record(court.event("report")).ok
    assert court.wait(record["due_ms"] - court.chain.executor.time_ms) == {}
    after = court.get("obligation/R-DAILY/bank-a/log")
    assert (after["met"], after["missed"], after["from_ms"]) == (1, 0, record["due_ms"])
    (found,) = court.wait(DAY_MS)["findings"]
    assert (found["rule"], found["object_type"], found["object"], found["subject"]) == (
        "R-DAILY",
        "source",
        "bank-a/log",
        "bank-a",
    )
    assert court.get("obligation/R-DAILY/bank-a/log")["missed"] == 1


def test_a_source_that_was_never_registered_owes_all_the_same(court):
    court.adopt(periodic(court, source="enterprise-a/never"))
    begun = court.wait(2 * DAY_MS)
    assert [(entry["subject"], entry["object"]) for entry in begun["findings"]] == [
        ("enterprise-a", "enterprise-a/never")
    ]


def test_an_obligation_on_trial_is_counted_and_owed_by_nobody(court):
    court.propose(periodic(court), trial_ms=4 * DAY_MS)
    court.vote("B1")
    begun = court.wait(2 * DAY_MS + 1)
    assert [(entry["rule"], entry["object_type"]) for entry in begun["shadow"]] == [("R-DAILY", "source")]
    assert "findings" not in begun
    assert court.get("obligation/R-DAILY/bank-a/log") is None


def test_a_source_of_no_member_can_owe_nothing(court):
    refused = court.propose(periodic(court, source="ghost/log"))
    assert (refused.code, "ghost" in refused.detail) == ("unknown_member", True)


def test_a_retired_obligation_ends(court):
    court.adopt(periodic(court))
    proposed = court.act("regulator", "propose_retirement", process_type="loans", rules=["R-DAILY"], reason="Enough")
    court.vote(proposed.data["ballot"])
    assert court.get("obligation/R-DAILY/bank-a/log")["status"] == "ended"
    assert court.wait(5 * DAY_MS) == {}


def test_duties_are_segregated(court):
    court.adopt(court.rule("R-4EYES", "segregation", a="check", b="decide", by="attributes.by"))
    court.record(court.event("check", attributes={"by": "p1"}))
    assert rules_of(court.record(court.event("decide", attributes={"by": "p1"}))) == ["R-4EYES"]
    court.record(court.event("check", "c2", attributes={"by": "p1"}))
    assert rules_of(court.record(court.event("decide", "c2", attributes={"by": "p2"}))) == []


def test_a_guard_sees_the_object_and_its_attributes(court):
    court.adopt(court.rule("R-LIM", "guard", on=["pay"], **{"assert": "e.attributes.amount <= o.attributes.limit"}))
    court.record({"object": "c1", "type": "case", "attributes": [["limit", "2020-01-01T00:00:00Z", 50]]})
    assert rules_of(court.record(court.event("pay", attributes={"amount": 50}))) == []
    court.record({"change": "c1", "type": "case", "attributes": [["limit", "2021-01-01T00:00:00Z", 10]]})
    assert rules_of(court.record(court.event("pay", event="second", attributes={"amount": 50}))) == ["R-LIM"]


# The same everywhere


def test_a_replay_elsewhere_and_a_restart_give_the_same(court, make_chain):
    court.adopt(limit(court), court.rule("R-1", **RESPONSE), court.rule("R-GAP", "gap"), periodic(court))
    court.record(court.event("apply"), court.event("pay", attributes={"amount": 101}))
    court.chain.restart()
    court.record(court.event("apply", "c2"), sequence=7, gap="lost")
    court.wait(12_000)
    court.act("regulator", "acknowledge", finding="F1")
    court.wait(3 * DAY_MS)
    other = make_chain()
    supervision_sets._rules.clear()
    supervision_sets._compiled.clear()
    for committed in court.chain.blocks:
        outcome = other.executor.execute_block(committed.block)
        other.commit(outcome)
    assert other.root == court.chain.root


@pytest.mark.parametrize("history", [10, 300])
def test_what_an_event_writes_does_not_depend_on_history(court, history):
    court.adopt(limit(court), court.rule("R-1", **RESPONSE), court.rule("R-ONCE", **court.ONCE))
    for start in range(0, history, 100):
        court.record(*(court.event("check", f"c{start + i}") for i in range(min(100, history))))
    transaction = court.chain.sign(
        "bank-a/admin",
        "process.record",
        {"source": "log", "sequence": court.sequence["bank-a/log"] + 1, "items": [court.event("check", "c1")]},
    )
    outcome = court.chain.executor.run(court.chain.executor.height + 1, court.chain.now_ms, [transaction])
    assert len(outcome.change.entries) == 6  # source, object, statistics, monitors, and two of the window
