"""Disputes: a rule says how it judges an event while it is disputed, and what rested on the event is judged again."""

from __future__ import annotations

from coseal.contracts.kernel.dates import DAY_MS
from coseal.contracts.supervision import corrections
from coseal.ledger.render import time_text

PRECEDENCE = {"template": "precedence", "a": "check", "b": "decide"}
RESPONSE = {"template": "response", "a": "apply", "b": "decide", "within_ms": 10_000}
ABSENCE = {"template": "absence", "a": "pay"}
UNTIL = {"on": ["pay"], "assert": "e.attributes.amount <= 100"}


def found(receipt):
    return [(entry["rule"], entry["verdict"], entry["sequence"]) for entry in receipt.data.get("findings", [])]


def superseded(receipt):
    return [entry["id"] for entry in receipt.data.get("superseded", [])]


def event(court, kind, **fields):
    return court.event(kind, **{"counterparty": "central-bank", **fields})


def test_by_default_a_disputed_event_counts(court):
    court.adopt(court.rule("R-1", **ABSENCE), court.rule("R-2", disputed="count", **ABSENCE))
    court.record(event(court, "pay"))
    receipt = court.attest(1, "dispute")
    assert (receipt.ok, found(receipt), superseded(receipt)) == (True, [], [])


def test_a_finding_that_rested_on_a_disputed_event_is_superseded_and_comes_back(court):
    court.adopt(court.rule("R-1", disputed="leave_out", **ABSENCE))
    (entry,) = court.record(event(court, "pay")).data["findings"]
    disputed = court.attest(1, "dispute")
    assert (found(disputed), superseded(disputed)) == ([], [entry["id"]])
    record = court.get(f"finding/{entry['id']}")
    assert (record["status"], record["steps"][-1][:2]) == ("superseded", ["superseded", "central-bank/admin"])
    assert found(court.attest(1, "confirm")) == [("R-1", "violated", 1)]


def test_a_disputed_event_satisfies_nothing_where_it_is_left_out(court):
    court.adopt(court.rule("R-1", disputed="leave_out", **PRECEDENCE))
    court.record(event(court, "check"))
    court.record(event(court, "decide"))
    assert found(court.attest(1, "dispute")) == [("R-1", "violated", 2)]


def test_a_rule_may_be_undetermined_while_an_event_is_disputed(court):
    court.adopt(court.rule("R-1", disputed="undetermined", **PRECEDENCE))
    court.record(event(court, "check"))
    court.record(event(court, "decide"))
    (entry,) = court.attest(1, "dispute").data["findings"]
    assert (entry["verdict"], entry["reason"]) == ("undetermined", ["disputed", {"item": 1, "source": "bank-a/log"}])
    assert entry["detail"] == "item 1 of bank-a/log is disputed"
    settled = court.attest(1, "confirm")
    assert (found(settled), superseded(settled)) == ([], [entry["id"]])


def test_what_was_violated_before_the_disputed_event_stays_violated(court):
    court.adopt(court.rule("R-1", disputed="undetermined", **ABSENCE))
    court.record(event(court, "pay"))
    court.record(event(court, "pay"))
    receipt = court.attest(2, "dispute")
    assert (found(receipt), superseded(receipt)) == ([], [])


def test_a_guard_does_not_tell_of_a_disputed_event_and_stays_violated_by_others(court):
    court.adopt(court.rule("R-1", "guard", disputed="undetermined", **UNTIL))
    court.record(event(court, "pay", event="e1", attributes={"amount": 101}))
    court.record(event(court, "pay", event="e2", attributes={"amount": 102}))
    receipt = court.attest(2, "dispute")
    assert (found(receipt), superseded(receipt)) == ([("R-1", "undetermined", 2)], ["F2"])
    assert court.get("object/loans/case/c1")[4][0][5][0] == bytes([254])


def test_a_correction_of_a_disputed_event_counts(court):
    court.adopt(court.rule("R-1", disputed="leave_out", **PRECEDENCE))
    court.record(event(court, "check"), event(court, "decide"))
    (entry,) = court.attest(1, "dispute").data["findings"]
    item = {
        **court.item(1),
        "event": "better",
        "late": "a mistake",
        "corrects": court.corrects(1),
        "attributes": {"amount": 1},
    }
    corrected = court.correct(item)
    assert (found(corrected), superseded(corrected)) == ([], [entry["id"]])


def test_what_is_recorded_while_an_event_is_disputed_is_judged_without_it(court):
    court.adopt(court.rule("R-1", disputed="leave_out", **PRECEDENCE))
    court.record(event(court, "check"))
    court.attest(1, "dispute")
    assert found(court.record(event(court, "decide"))) == [("R-1", "violated", 2)]


def test_without_the_history_the_dispute_and_its_end_leave_rules_undetermined(court):
    court.adopt(court.rule("R-1", disputed="leave_out", **PRECEDENCE), court.rule("R-2", **PRECEDENCE))
    court.record(event(court, "check"))
    court.record(event(court, "decide"))
    (entry,) = court.attest(1, "dispute", shown=False).data["findings"]
    assert (entry["rule"], entry["verdict"], entry["reason"][0]) == ("R-1", "undetermined", "dispute_missing")
    assert entry["item"] == court.corrects(1)[1]
    settled = court.attest(1, "confirm")
    assert (found(settled), superseded(settled)) == ([], [entry["id"]])


def test_without_the_history_a_guard_cannot_tell_of_the_event(court):
    court.adopt(court.rule("R-1", "guard", disputed="leave_out", **UNTIL))
    court.record(event(court, "pay", attributes={"amount": 101}))
    receipt = court.attest(1, "dispute", shown=False)
    assert (found(receipt), superseded(receipt)) == ([("R-1", "undetermined", 1)], ["F1"])
    settled = court.attest(1, "confirm", shown=False)
    assert (found(settled), superseded(settled)) == ([("R-1", "undetermined", 1)], ["F2"])


def test_a_rule_whose_validity_is_over_is_not_left_satisfied_in_silence(court):
    until = court.chain.executor.time_ms + DAY_MS
    court.adopt(court.rule("R-1", disputed="leave_out", valid_to=time_text(until), **PRECEDENCE))
    court.record(event(court, "check"))
    court.record(event(court, "decide"))
    court.wait(2 * DAY_MS)
    assert found(court.attest(1, "dispute", shown=False)) == [("R-1", "undetermined", 1)]


def test_a_deadline_is_missed_by_an_event_that_is_disputed_in_time(court):
    court.adopt(court.rule("R-1", disputed="leave_out", **RESPONSE))
    court.record(event(court, "apply"))
    court.record(event(court, "decide"))
    court.attest(2, "dispute")
    (entry,) = court.wait(DAY_MS)["findings"]
    assert (entry["rule"], entry["verdict"]) == ("R-1", "violated")
    settled = court.attest(2, "confirm")
    assert (found(settled), superseded(settled)) == ([], [entry["id"]])


def test_a_rule_that_keeps_leaves_out_what_is_disputed_all_the_same(court):
    rule = {"template": "exactly_one", "a": "apply", "corrections": "keep", "disputed": "leave_out"}
    court.adopt(court.rule("R-1", **rule))
    court.record(event(court, "apply"))
    item = {
        **court.item(1),
        "event": "again",
        "late": "a mistake",
        "corrects": court.corrects(1),
        "attributes": {"amount": 1},
    }
    assert found(court.correct(item)) == [("R-1", "violated", 2)]
    assert superseded(court.attest(1, "dispute")) == ["F1"]


def test_a_dispute_shows_the_event(court):
    court.record(event(court, "check"))
    item = court.corrects(1)[1]
    given = {"item": item, "verdict": "dispute", "reason": "It was less"}
    receipt = court.chain.submit("central-bank/admin", "process.attest", **given)
    assert (receipt.code, "shows item 1 of bank-a/log;" in receipt.detail) == ("attested_missing", True)
    wrong = {**given, "attested": {**court.item(1), "event": "another"}}
    assert court.chain.submit("central-bank/admin", "process.attest", **wrong).code == "invalid_item"
    assert court.attest(1, "dispute").ok
    confirmed = {"item": item, "verdict": "confirm"}
    assert court.chain.submit("central-bank/admin", "process.attest", **confirmed).code == "attested_missing"
    assert court.attest(1, "confirm").ok


def test_a_history_that_leaves_something_out_is_refused(court):
    court.adopt(court.rule("R-1", disputed="leave_out", **PRECEDENCE))
    court.record(event(court, "check"))
    court.record(event(court, "decide"))
    whole = court.history(("case", "c1"))
    wrong = {**whole, "objects": [["case", "c1", [0]]]}
    assert court.attest(1, "dispute", history=wrong).code == "history_incomplete"
    assert court.attest(1, "dispute").ok


def test_what_takes_too_long_is_undetermined(court, monkeypatch):
    monkeypatch.setattr(corrections, "AGAIN_STEPS", 100)
    court.adopt(court.rule("R-1", disputed="leave_out", **PRECEDENCE))
    court.record(event(court, "check"))
    court.record(*(event(court, "decide", event=f"e{number}") for number in range(5)))
    (entry,) = court.attest(1, "dispute").data["findings"]
    assert (entry["verdict"], entry["reason"][0]) == ("undetermined", "dispute_long")


def test_rules_about_the_recording_do_not_say_how_they_judge_disputes(court):
    for kind, fields in (("lag", {"within_ms": 60_000}), ("gap", {})):
        refused = court.propose(court.rule("R-1", kind, disputed="leave_out", **fields))
        assert (refused.code, "disputed: leave it out" in refused.detail) == ("invalid_rule", True)
    assert court.propose(court.rule("R-1", disputed="perhaps", **PRECEDENCE)).code == "invalid_rule"
