"""Corrections: rules judge the corrected trace, and findings that no longer hold are superseded."""

from __future__ import annotations

import pytest

from coseal.contracts.kernel.dates import DAY_MS
from coseal.contracts.process.chain import item_hash
from coseal.contracts.supervision import corrections
from coseal.ledger.render import time_text

PRECEDENCE = {"template": "precedence", "a": "check", "b": "decide"}
RESPONSE = {"template": "response", "a": "apply", "b": "decide", "within_ms": 10_000}
EXACTLY = {"template": "exactly_one", "a": "apply"}
UNTIL = {"on": ["pay"], "assert": "e.attributes.amount <= 100"}


def found(receipt):
    return [(entry["rule"], entry["verdict"], entry["sequence"]) for entry in receipt.data.get("findings", [])]


def superseded(receipt):
    return [entry["id"] for entry in receipt.data.get("superseded", [])]


def amended(court, sequence, **fields):
    item = {**court.item(sequence), "event": f"again {sequence}", "late": "a mistake"}
    return {**item, "corrects": court.corrects(sequence), **fields}


def verdict(court, case="c1"):
    """Return the code of the first rule of the first set on a case: 254 violated, 255 undetermined."""
    codes = court.get(f"object/loans/case/{case}")[4][0][5][0]
    return codes[0] if codes else 0


def test_amending_an_event_is_no_second_one(court):
    court.adopt(court.rule("R-1", **EXACTLY))
    court.record(court.event("apply"))
    receipt = court.correct(amended(court, 1, attributes={"amount": 5}))
    assert receipt.ok, receipt
    assert (found(receipt), superseded(receipt)) == ([], [])
    assert found(court.record(court.event("apply", event="second"))) == [("R-1", "violated", 3)]


def test_an_event_that_is_corrected_away_owes_nothing(court):
    court.adopt(court.rule("R-1", **RESPONSE))
    court.record(court.event("apply"))
    assert court.correct(amended(court, 1, type="pay")).ok
    assert court.wait(DAY_MS) == {}


def test_an_event_that_is_corrected_away_satisfies_nothing(court):
    court.adopt(court.rule("R-1", **PRECEDENCE))
    court.record(court.event("check"))
    court.record(court.event("decide"))
    receipt = court.correct(amended(court, 1, type="pay"))
    assert found(receipt) == [("R-1", "violated", 2)]
    assert receipt.data["findings"][0]["item"] == court.corrects(2)[1]


@pytest.mark.parametrize("shown", [True, False])
def test_an_event_that_leaves_an_object_satisfies_nothing_there(court, shown):
    court.adopt(court.rule("R-1", **PRECEDENCE))
    court.record(court.event("check"))
    court.record(court.event("decide"))
    receipt = court.correct(amended(court, 1, objects=[["case", "other"]]), shown=shown)
    assert found(receipt) == [("R-1", "violated", 2) if shown else ("R-1", "undetermined", 3)]
    assert receipt.data["corrections"] == [[3, 1, [["case", "c1"]]]]


def test_without_the_history_what_a_correction_concerns_is_undetermined_by_it(court):
    court.adopt(court.rule("R-1", **PRECEDENCE), court.rule("R-2", template="absence", a="report", n=2))
    court.record(court.event("check"))
    court.record(court.event("decide"))
    receipt = court.correct(amended(court, 1, type="pay"), shown=False)
    (entry,) = receipt.data["findings"]
    assert (entry["rule"], entry["verdict"], entry["reason"][0]) == ("R-1", "undetermined", "history_missing")
    assert entry["detail"].startswith("item 1 of bank-a/log is corrected, and the history")
    later = court.correct(amended(court, 3))
    assert (found(later), superseded(later)) == ([("R-1", "violated", 2)], [entry["id"]])


def test_what_is_violated_stays_so_until_the_history_is_shown(court):
    court.adopt(court.rule("R-1", **PRECEDENCE))
    (entry,) = court.record(court.event("decide")).data["findings"]
    kept = court.correct(amended(court, 1, type="pay"), shown=False)
    assert (found(kept), superseded(kept), verdict(court)) == ([], [], 254)
    cured = court.correct(amended(court, 2, type="pay"))
    assert (found(cured), superseded(cured), verdict(court)) == ([], [entry["id"]], 0)
    record = court.get(f"finding/{entry['id']}")
    assert (record["status"], record["due"], record["deadline_ms"]) == ("superseded", None, None)
    assert record["steps"][-1][:2] == ["superseded", "bank-a/admin"]
    assert court.get("findings/loans/case/c1") == {"raised": 1, "open": {}, "last": entry["id"]}
    assert court.get("statistics/loans/R-1")["superseded"] == 1
    assert court.act("regulator", "acknowledge", finding=entry["id"]).code == "wrong_step"
    assert court.wait(10 * DAY_MS) == {}


def test_a_finding_that_holds_all_the_same_is_not_raised_again(court):
    court.adopt(court.rule("R-1", **PRECEDENCE))
    (entry,) = court.record(court.event("decide"), court.event("pay")).data["findings"]
    receipt = court.correct(amended(court, 2, attributes={"amount": 1}))
    assert (found(receipt), superseded(receipt)) == ([], [])
    assert court.get(f"finding/{entry['id']}")["status"] == "raised"


def test_a_guard_judges_what_stands_in_the_place(court):
    court.adopt(court.rule("R-1", "guard", **UNTIL))
    (entry,) = court.record(court.event("pay", attributes={"amount": 101})).data["findings"]
    better = court.correct(amended(court, 1, attributes={"amount": 100}), shown=False)
    assert (found(better), superseded(better)) == ([], [entry["id"]])
    worse = court.correct(amended(court, 2, attributes={"amount": 200}))
    assert found(worse) == [("R-1", "violated", 3)]


def test_a_correction_that_a_rule_rejects_is_refused(court):
    court.adopt(court.rule("R-1", "guard", effect="reject", **UNTIL))
    court.record(court.event("pay", attributes={"amount": 1}))
    for shown in (True, False):
        receipt = court.correct(amended(court, 1, attributes={"amount": 200}), shown=shown)
        assert (receipt.code, receipt.detail[:9]) == ("rule_violated", "items[0]:")


def test_a_rule_that_keeps_judges_what_was_recorded(court):
    court.adopt(court.rule("R-1", corrections="keep", **EXACTLY), court.rule("R-2", **EXACTLY))
    court.record(court.event("apply"))
    assert found(court.correct(amended(court, 1))) == [("R-1", "violated", 2)]


def test_a_decided_finding_stays(court):
    court.adopt(court.rule("R-1", **PRECEDENCE))
    (entry,) = court.record(court.event("decide")).data["findings"]
    assert court.act("regulator", "acknowledge", finding=entry["id"]).ok
    assert court.act("regulator", "decide", finding=entry["id"], outcome="dismissed", reason="A test").ok
    receipt = court.correct(amended(court, 1, type="pay"))
    assert superseded(receipt) == []
    assert court.get(f"finding/{entry['id']}")["status"] == "closed"


def test_the_hold_of_a_superseded_finding_ends(court):
    court.adopt(court.rule("R-1", effect="hold", hold_ms=DAY_MS, **PRECEDENCE))
    court.record(court.event("decide"))
    assert court.get("hold/loans/case/c1")["status"] == "held"
    receipt = court.correct(amended(court, 1, type="pay"))
    assert [(hold["object"], hold["status"]) for hold in receipt.data["holds"]] == [("c1", "lifted")]


def test_a_history_that_leaves_something_out_is_refused(court):
    court.adopt(court.rule("R-1", **PRECEDENCE))
    court.record(court.event("check"))
    court.record(court.event("decide"))
    whole = court.history(("case", "c1"))
    item = amended(court, 1, type="pay")
    for wrong in (
        {**whole, "objects": [["case", "c1", [0]]]},
        {**whole, "objects": [["case", "c1", [1, 0]]]},
        {**whole, "items": [[*whole["items"][0][:3], 1, whole["items"][0][4]], whole["items"][1]]},
    ):
        receipt = court.record(item, corrected=[court.item(1)], history=wrong)
        assert receipt.code == "history_incomplete"
        assert "the 2 items recorded" in receipt.detail


def test_the_item_that_is_corrected_is_shown(court):
    court.record(court.event("check"))
    item = amended(court, 1)
    receipt = court.record(item)
    assert (receipt.code, "has to show item 1" in receipt.detail) == ("corrected_missing", True)
    assert court.record(item, corrected=[{**court.item(1), "event": "another"}]).code == "invalid_item"
    assert court.record(item, corrected=[court.item(1)] * 2).code == "invalid_argument"
    assert court.record(item, corrected=[court.item(1)]).ok


def test_what_a_correction_says_was_there_and_was_not_corrects_nothing(court):
    court.adopt(court.rule("R-1", **PRECEDENCE), court.rule("R-2", template="absence", a="pay"))
    court.record(court.event("check"))
    court.record(court.event("decide"))
    made_up = {**court.event("check", "c1"), "event": "made up"}
    item = {**made_up, "type": "pay", "corrects": [1, item_hash("bank-a/log", 1, made_up).hex()]}
    receipt = court.record(item, corrected=[made_up], history=court.history(("case", "c1")))
    assert found(receipt) == [("R-2", "violated", 3)]


def test_what_takes_too_long_is_undetermined(court, monkeypatch):
    monkeypatch.setattr(corrections, "AGAIN_STEPS", 100)
    court.adopt(court.rule("R-1", **PRECEDENCE))
    court.record(court.event("check"))
    court.record(*(court.event("decide", event=f"e{number}") for number in range(5)))
    (entry,) = court.correct(amended(court, 1, type="pay")).data["findings"]
    assert (entry["verdict"], entry["reason"][0]) == ("undetermined", "history_long")


def test_what_was_recorded_before_the_rule_is_not_judged_by_a_correction(court):
    court.adopt(court.rule("R-0", template="absence", a="report"))
    court.record(court.event("apply"))
    court.adopt(court.rule("R-1", **RESPONSE))
    court.record(court.event("pay"))
    (entry,) = court.correct(amended(court, 1)).data["findings"]
    assert (entry["rule"], entry["verdict"], entry["reason"][0]) == ("R-1", "undetermined", "history_unseen")


def test_a_deadline_that_was_missed_stays_missed(court):
    court.adopt(court.rule("R-1", **RESPONSE))
    court.record(court.event("apply"))
    at_ms = court.chain.executor.time_ms
    (entry,) = court.wait(DAY_MS)["findings"]
    court.record(court.event("decide", at_ms=at_ms + 1_000, late="a strike"))
    receipt = court.correct(amended(court, 1, attributes={"amount": 1}))
    assert (found(receipt), superseded(receipt), verdict(court)) == ([], [], 254)
    gone = court.correct(amended(court, 3, type="pay"))
    assert superseded(gone) == [entry["id"]]


def test_a_historical_deadline_that_was_missed_is_not_met_by_a_clock_that_nothing_proves(make_court):
    court = make_court("historical")
    court.adopt(court.rule("R-1", **RESPONSE))
    then = 1_000_000_000_000
    court.record(court.event("apply", at_ms=then))
    court.record(court.event("check", "c2", at_ms=then + DAY_MS))
    (entry,) = court.wait(1)["findings"]
    court.record(court.event("decide", at_ms=then + 1_000))
    receipt = court.correct(amended(court, 1, attributes={"amount": 1}))
    assert (found(receipt), superseded(receipt)) == ([("R-1", "undetermined", 4)], [entry["id"]])
    assert receipt.data["findings"][0]["reason"][0] == "recording_unproven"
    gone = court.correct(amended(court, 4, type="pay"))
    assert (found(gone), verdict(court)) == ([], 0)


def test_a_new_correction_takes_the_place_of_an_old_one(court):
    court.adopt(court.rule("R-1", **PRECEDENCE))
    court.record(court.event("check"), court.event("decide"))
    court.correct(amended(court, 1, type="pay"))
    receipt = court.correct(amended(court, 1, event="third"))
    assert (len(superseded(receipt)), verdict(court)) == (1, 1)


def test_corrections_within_a_batch(court):
    court.adopt(court.rule("R-1", **EXACTLY))
    first = court.event("apply")
    second = {**first, "event": "second", "corrects": [1, item_hash("bank-a/log", 1, first).hex()]}
    assert found(court.record(first, second)) == []


def test_dated_changes_are_corrected_too(court):
    guard = {"on": ["pay"], "assert": "e.attributes.amount <= o.attributes.limit"}
    court.adopt(court.rule("R-1", "guard", **guard))
    court.record({"object": "c1", "type": "case", "attributes": [["limit", "0", 10]]})
    court.record(court.event("pay", attributes={"amount": 11}))
    item = {"object": "c1", "type": "case", "attributes": [["limit", "0", 20]], "corrects": court.corrects(1)}
    receipt = court.correct(item)
    assert (found(receipt), superseded(receipt)) == ([], ["F1"])


def test_an_obligation_is_not_met_by_an_event_that_is_corrected_away(court):
    rule = court.rule("R-1", "periodic", source="bank-a/log", on=["report"], every={"days": 1})
    court.adopt(rule)
    record = court.get("obligation/R-1/bank-a/log")
    court.wait(record["from_ms"] - court.chain.executor.time_ms)
    court.record(court.event("report"))
    court.correct(amended(court, 1, type="pay"))
    (entry,) = court.wait(record["due_ms"] - court.chain.executor.time_ms)["findings"]
    assert (entry["rule"], entry["verdict"]) == ("R-1", "violated")
    court.record(court.event("report"))
    court.wait(DAY_MS)
    receipt = court.correct(amended(court, 3, type="pay"))
    assert found(receipt) == [("R-1", "undetermined", 4)]
    assert receipt.data["findings"][0]["reason"][0] == "period_corrected"


def test_a_trial_counts_the_corrected_trace(court):
    proposed = court.propose(court.rule("R-1", **PRECEDENCE), trial_ms=DAY_MS)
    court.vote(proposed.data["ballot"])
    court.record(court.event("decide"))
    assert court.get(f"trial/{proposed.data['ballot']}")["R-1"]["violated"] == 1
    court.correct(amended(court, 1, type="pay"))
    assert court.get(f"trial/{proposed.data['ballot']}")["R-1"]["violated"] == 0


def test_a_lag_is_of_the_recording_and_no_correction_has_one(make_court):
    court = make_court(late_ms=DAY_MS)
    court.adopt(court.rule("R-1", "lag", within_ms=60_000))
    court.record(court.event("apply"))
    court.wait(3_600_000)
    assert found(court.correct(amended(court, 1))) == []
    refused = court.propose(court.rule("R-2", "lag", within_ms=60_000, corrections="keep"))
    assert (refused.code, "corrections: leave it out" in refused.detail) == ("invalid_rule", True)


def test_rules_that_look_again_after_a_pause_start_with_what_comes_then(court):
    court.adopt(court.rule("R-1", **PRECEDENCE))
    court.record(court.event("check"))
    retired = court.act("bank-a", "propose_retirement", process_type="loans", rules=["R-1"], reason="A test")
    court.vote(retired.data["ballot"])
    court.record(court.event("pay"))
    court.adopt(court.rule("R-2", template="absence", a="report"))
    court.record(court.event("report", at_ms=court.chain.now_ms))
    assert court.get("object/loans/case/c1")[5:7] == [2, 1]
    receipt = court.correct(amended(court, 3, type="pay"))
    assert len(superseded(receipt)) == 1


def test_times_are_those_of_the_place(court):
    court.adopt(court.rule("R-1", "guard", on=["pay"], **{"assert": "block.time - e.time <= duration('1m')"}))
    court.record(court.event("pay"))
    item = amended(court, 1, time=time_text(court.chain.executor.time_ms))
    court.wait(3_600_000)
    assert found(court.correct(item)) == []
