"""Rule sets: proposed, voted on, tried, adopted, superseded, retired."""

from __future__ import annotations

import pytest

from coseal.contracts.governance import ballot
from coseal.contracts.kernel.action import Rejected
from coseal.contracts.kernel.dates import DAY_MS
from coseal.contracts.supervision import actions as supervision
from coseal.contracts.supervision import checks as supervision_checks

RESPONSE = {"template": "response", "a": "apply", "b": "decide", "within_ms": 10_000}


def statuses(court, rule_id="R-1"):
    versions = range(1, court.get(f"rule/{rule_id}")["latest"] + 1)
    return [court.get(f"rule/{rule_id}/{version}")["status"] for version in versions]


# Proposing


def test_a_set_is_proposed_as_one_ballot(court):
    receipt = court.propose(court.rule("R-1", **RESPONSE), court.rule("R-2", **court.ONCE), title="Loans")
    assert receipt.data | {"closes_ms": 0} == {
        "ballot": "B1",
        "set": "B1",
        "process_type": "loans",
        "rules": [["R-1", 1], ["R-2", 1]],
        "cost": receipt.data["cost"],
        "status": "open",
        "needed": 3,
        "of": 4,
        "closes_ms": 0,
    }
    assert receipt.data["closes_ms"] == court.chain.executor.time_ms + 7 * DAY_MS
    assert statuses(court) == ["proposed"]
    document = court.get("rule/R-1/1")
    assert (document["rule"]["b"], document["proposer"], document["set"]) == ("decide", "bank-a", "B1")


@pytest.mark.parametrize(
    ("change", "code", "word"),
    [
        ({"a": "unknown"}, "invalid_rule", "args.rules[0].a"),
        ({"template": "perhaps"}, "invalid_rule", "template"),
        ({"activation": "e.attributes.amount >"}, "invalid_rule", "character"),
        ({"activation": "e.attributes.colour == 1"}, "invalid_rule", "colour"),
        ({"effect": "reject"}, "invalid_rule", "effect"),
        ({"surprise": 1}, "invalid_rule", "surprise"),
        ({"version": 2}, "version", "expected 1"),
        ({"version": "1"}, "invalid_argument", "version"),
        ({"legal_basis": ["cn/unknown"]}, "unknown_policy", "cn/unknown"),
        ({"legal_basis": []}, "unknown_policy", "rests on nothing"),
        ({"scope": {"process_type": "shipping"}}, "unknown_type", "shipping"),
        ({"scope": {"object_type": "case"}}, "invalid_argument", "process_type"),
        ({"scope": {"process_type": "loans", "object_type": "ship"}}, "invalid_rule", "ship"),
        (
            {"tests": [{"events": [{"type": "apply"}], "verdict": "violated"}]},
            "rule_test_failed",
            "args.rules[0].tests[0]",
        ),
    ],
)
def test_a_rule_that_is_not_good_is_refused_with_place_and_reason(court, change, code, word):
    receipt = court.propose({**court.rule("R-1", **RESPONSE), **change})
    assert (receipt.code, word in receipt.detail) == (code, True), receipt
    assert court.get("rule/R-1") is None
    assert court.get("counter/ballot") is None


def test_a_set_is_about_one_process_type(court):
    other = court.rule("R-2", **court.ONCE) | {"scope": {"process_type": "ships"}}
    receipt = court.propose(court.rule("R-1", **RESPONSE), other)
    assert (receipt.code, "rules[1].scope" in receipt.detail) == ("invalid_argument", True)


def test_a_policy_of_the_register_is_a_legal_basis(court):
    published = court.chain.submit(
        "regulator/admin",
        "policy.publish",
        id="cn/lending",
        title="Lending",
        type_document="act",
        date_document="2020-01-01",
    )
    assert published.ok, published
    assert court.propose(court.rule("R-1", **RESPONSE) | {"legal_basis": ["cn/lending"]}).ok


def test_a_good_test_of_a_rule_is_run_and_passes(court):
    tests = [{"events": [{"type": "apply"}, {"type": "decide"}], "verdict": "pending"}]
    assert court.propose(court.rule("R-1", **RESPONSE, tests=tests)).ok


def test_tests_that_would_take_too_long_are_refused(court):
    tests = [{"events": [{"type": "apply"}] * 256, "verdict": "pending_violating"}] * 40
    assert court.propose(court.rule("R-1", **RESPONSE, tests=tests)).code == "too_costly"


def test_one_member_has_eight_open_ballots_at_most(court):
    for number in range(supervision.MAX_OPEN_BALLOTS):
        assert court.propose(court.rule(f"R-{number}", **RESPONSE), open_ms=60_000).ok
    assert court.propose(court.rule("R-9", **RESPONSE)).code == "limit"
    assert court.propose(court.rule("R-9", **RESPONSE), sender="public-a/admin").ok
    court.wait(60_000)
    assert court.propose(court.rule("R-10", **RESPONSE)).ok


def test_the_cost_of_all_rules_of_a_type_is_bounded(court, monkeypatch):
    monkeypatch.setattr(supervision_checks, "MAX_TOTAL_COST", 2)
    court.adopt(court.rule("R-1", **court.ONCE), court.rule("R-2", **court.ONCE))
    assert court.propose(court.rule("R-3", **court.ONCE)).code == "limit"
    assert court.propose(court.rule("R-2", **court.ONCE) | {"version": 2}).ok  # the version before gives way


# Voting


def test_three_of_four_adopt_and_the_rules_judge_at_once(court):
    court.propose(court.rule("R-1", **court.ONCE))
    court.record(court.event("pay", "early"), court.event("pay", "early", event="again"))
    assert court.vote("B1", "regulator", "bank-a").data["status"] == "open"
    decided = court.vote("B1", "enterprise-a")
    assert decided.data["effects"] == [
        {"rules": [["R-1", 1]], "status": "adopted", "set": "B1", "process_type": "loans"}
    ]
    assert statuses(court) == ["adopted"]
    assert court.get("rule/R-1") == {"latest": 1, "active": 1}
    assert court.finding() == "F1"


def test_who_runs_no_validator_or_may_not_operate_has_no_vote(court, signer_of):
    court.propose(court.rule("R-1", **court.ONCE))
    assert court.act("institute-a", "vote", ballot="B1", choice="yes").code == "not_elector"
    key = signer_of("bank-a/clerk").public_key.hex()
    court.chain.submit("bank-a/admin", "membership.add_operator", user="clerk", key=key, capabilities=["submit"])
    assert court.act("bank-a/clerk", "vote", ballot="B1", choice="yes").code == "forbidden"
    assert court.act("bank-a", "vote", ballot="B9", choice="yes").code == "unknown_ballot"


def test_a_vote_is_final_and_a_decided_ballot_closed(court):
    court.propose(court.rule("R-1", **court.ONCE))
    court.vote("B1", "bank-a")
    assert court.act("bank-a", "vote", ballot="B1", choice="no").code == "already_voted"
    court.vote("B1", "regulator", "central-bank")
    assert court.act("enterprise-a", "vote", ballot="B1", choice="no").code == "ballot_closed"


def test_a_set_that_was_voted_down_may_be_proposed_again(court):
    court.propose(court.rule("R-1", **court.ONCE))
    decided = court.vote("B1", "bank-a", "regulator", choice="no")
    assert (decided.data["status"], decided.data["effects"][0]["status"]) == ("rejected", "rejected")
    assert court.get("rule/R-1") == {"latest": 0, "active": 0}
    again = court.propose(court.rule("R-1", **court.ONCE))
    assert (again.ok, again.data["ballot"]) == (True, "B2")
    assert [entry[0] for entry in court.get("rule/R-1/1")["history"]] == ["proposed", "rejected", "proposed"]


def test_a_ballot_that_nobody_decides_expires_by_block_time(court):
    court.propose(court.rule("R-1", **court.ONCE), open_ms=5_000)
    court.vote("B1", "bank-a")
    assert court.wait(3_999) == {}
    begun = court.wait(1)
    assert [(entry["ballot"], entry["status"]) for entry in begun["ballots"]] == [("B1", "expired")]
    assert statuses(court) == []
    assert court.get("rule/R-1/1")["status"] == "rejected"


def test_two_proposals_of_one_version_do_not_stand_side_by_side(court):
    court.propose(court.rule("R-1", **court.ONCE))
    assert court.propose(court.rule("R-1", **RESPONSE)).code == "exists"


def test_tests_run_again_at_adoption(court, monkeypatch):
    court.propose(court.rule("R-1", **court.ONCE))
    monkeypatch.setattr(supervision_checks, "check_tests", lambda *_: Rejected("rule_test_failed", ""))
    decided = court.vote("B1")
    assert (decided.data["status"], decided.data["effects"][0]["status"]) == ("accepted", "rejected")
    assert court.get("active/loans") is None


def test_what_would_take_too_much_when_it_is_adopted_is_set_aside(court, monkeypatch):
    court.propose(court.rule("R-1", **court.ONCE))
    court.propose(court.rule("R-2", **court.ONCE))
    monkeypatch.setattr(supervision_checks, "MAX_IN_FORCE", 1)
    assert court.vote("B1").data["effects"][0]["status"] == "adopted"
    assert court.vote("B2").data["effects"][0]["status"] == "rejected"
    assert court.get("rule/R-2") == {"latest": 0, "active": 0}


# Trial


def trial(court, *rules, trial_ms=20_000, **args):
    court.propose(*(rules or [court.rule("R-1", **court.ONCE)]), trial_ms=trial_ms, **args)
    return court.vote("B1")


def test_a_ballot_keeps_the_reasons_of_its_votes_and_how_it_stood_when_it_was_decided(court):
    proposed = court.propose(court.rule("R-1", **court.ONCE), title={"en": "Once", "zh": "一次"})
    for member, choice, more in (
        ("regulator", "yes", {"reason": "It says what the act says"}),
        ("bank-a", "no", {"reason": "Too wide"}),
        ("central-bank", "yes", {}),
    ):
        assert court.act(member, "vote", ballot="B1", choice=choice, **more).ok
    record = court.get("ballot/B1")
    reader = court.chain.executor.reader
    votes = {vote["member"]: vote["reason"] for vote in ballot.votes(reader, "supervision", "B1", record)}
    assert votes == {"regulator": "It says what the act says", "bank-a": "Too wide", "central-bank": None}
    assert (record["tx"], record["title"]) == (proposed.tx_id.hex(), {"en": "Once", "zh": "一次"})
    assert "sizes" not in record
    court.act("enterprise-a", "vote", ballot="B1", choice="yes")
    stands = ballot.stands(reader, "supervision", "B1", court.get("ballot/B1"))
    assert {name: stands[name] for name in ("yes", "no", "needed", "of", "track")} == {
        "yes": 3,
        "no": 1,
        "needed": 3,
        "of": 4,
        "track": "ordinary",
    }


def test_the_ballot_after_a_trial_leads_to_what_was_proposed(court):
    trial(court)
    assert court.get("ballot/B2")["tx"] == court.get("ballot/B1")["tx"]


def test_a_trial_opens_a_second_ballot_that_is_decided_at_its_end(court):
    decided = trial(court)
    began, second = decided.data["effects"]
    ends_ms = court.chain.executor.time_ms + 20_000
    assert (began["status"], second["ballot"], second["not_before_ms"]) == ("trial", "B2", ends_ms)
    assert second["closes_ms"] == ends_ms + 7 * DAY_MS
    assert court.vote("B2").data["status"] == "open"
    assert statuses(court) == ["trial"]
    begun = court.wait(ends_ms - court.chain.executor.time_ms)
    assert [effect["status"] for effect in begun["ballots"][0]["effects"]] == ["adopted"]
    assert statuses(court) == ["adopted"]


def test_a_trial_finds_without_effect(court):
    guard = court.rule("R-2", "guard", on=["pay"], effect="reject", **{"assert": "e.attributes.amount < 10"})
    hold = court.rule("R-3", **court.ONCE, effect="hold", hold_ms=60_000)
    trial(court, court.rule("R-1", **court.ONCE), guard, hold, court.rule("R-4", **RESPONSE))
    receipt = court.record(
        court.event("apply"),
        court.event("pay", attributes={"amount": 11}),
        court.event("pay", event="again", attributes={"amount": 1}),
    )
    assert receipt.ok, receipt
    assert "findings" not in receipt.data
    assert "holds" not in receipt.data
    assert [(entry["rule"], entry["verdict"], entry["sequence"]) for entry in receipt.data["shadow"]] == [
        ("R-2", "violated", 2),
        ("R-1", "violated", 3),
        ("R-3", "violated", 3),
    ]
    begun = court.wait(12_000)
    assert [entry["rule"] for entry in begun["shadow"]] == ["R-4"]
    assert court.get("trial/B1") == {
        "R-1": {"violated": 1, "undetermined": 0, "rejected": 0},
        "R-2": {"violated": 0, "undetermined": 0, "rejected": 1},
        "R-3": {"violated": 1, "undetermined": 0, "rejected": 0},
        "R-4": {"violated": 1, "undetermined": 0, "rejected": 0},
    }
    assert court.get("counter/finding") is None
    assert court.get("hold/loans/case/c1") is None


def test_adoption_begins_afresh_after_a_trial(court):
    trial(court, trial_ms=10_000)
    court.vote("B2")
    court.record(court.event("pay"))
    court.wait(10_000)
    assert statuses(court) == ["adopted"]
    assert "findings" not in court.record(court.event("pay", event="second")).data
    assert court.record(court.event("pay", event="third")).data["findings"][0]["rule"] == "R-1"


def test_a_trial_without_enough_votes_ends_and_judges_no_more(court):
    trial(court, trial_ms=10_000, open_ms=30_000)
    begun = court.wait(10_000)
    assert begun["ballots"][0]["effects"][0]["status"] == "tried"
    assert begun["ballots"][0]["status"] == "open"
    court.record(court.event("pay"))
    assert "shadow" not in court.record(court.event("pay", event="again")).data
    assert court.wait(30_000)["ballots"][0]["status"] == "expired"
    assert court.get("rule/R-1/1")["status"] == "rejected"


def test_a_tried_set_is_adopted_by_a_late_vote(court):
    trial(court, trial_ms=10_000)
    court.wait(10_000)
    assert court.vote("B2").data["effects"][0]["status"] == "adopted"
    assert court.finding() == "F1"


# Superseding and retiring


def test_a_new_version_supersedes_the_one_before(court):
    court.adopt(court.rule("R-1", **court.ONCE))
    assert court.propose(court.rule("R-1", **court.ONCE)).code == "version"
    decided = court.adopt(court.rule("R-1", **court.ONCE, severity="notice") | {"version": 2, "n": 3})
    assert [effect["status"] for effect in decided.data["effects"]] == ["superseded", "adopted"]
    assert statuses(court) == ["superseded", "adopted"]
    assert court.get("rule/R-1") == {"latest": 2, "active": 2}
    assert [entry["set"] for entry in court.get("active/loans")] == ["B2"]
    assert court.get("set/B1")["status"] == "superseded"
    receipt = court.record(*(court.event("pay", event=f"e{number}") for number in range(3)))
    assert [(entry["version"], entry["event"]) for entry in receipt.data["findings"]] == [(2, "e2")]
    assert supervision.rule(court.chain.executor.reader, "R-1")["rule"]["n"] == 3
    assert supervision.rule(court.chain.executor.reader, "R-1", 1)["rule"]["n"] == 2
    assert supervision.rule(court.chain.executor.reader, "R-2") is None


def test_a_rule_of_a_set_is_superseded_and_the_others_stay(court):
    court.adopt(court.rule("R-1", **court.ONCE), court.rule("R-2", **RESPONSE))
    court.record(court.event("apply"))
    court.adopt(court.rule("R-1", **court.ONCE) | {"version": 2})
    assert [(entry["set"], entry["off"]) for entry in court.get("active/loans")] == [("B1", ["R-1"]), ("B2", [])]
    receipt = court.record(court.event("pay", "new"), court.event("pay", "new", event="again"))
    assert [(entry["rule"], entry["version"]) for entry in receipt.data["findings"]] == [("R-1", 2)]
    assert [entry["rule"] for entry in court.wait(10_000)["findings"]] == ["R-2"]


def test_a_retired_rule_judges_nothing_more_open_windows_included(court):
    court.adopt(court.rule("R-1", **RESPONSE))
    court.record(court.event("apply"))
    proposed = court.act("regulator", "propose_retirement", process_type="loans", rules=["R-1"], reason="Repealed")
    decided = court.vote(proposed.data["ballot"])
    assert decided.data["effects"] == [{"rules": [["R-1", 1]], "status": "retired", "process_type": "loans"}]
    assert statuses(court) == ["retired"]
    assert court.wait(DAY_MS) == {}
    again = court.act("regulator", "propose_retirement", process_type="loans", rules=["R-1"], reason="Repealed")
    assert again.code == "unknown_rule"


def test_a_retired_rule_comes_back_as_its_next_version(court):
    court.adopt(court.rule("R-1", **court.ONCE))
    court.vote(
        court.act("bank-a", "propose_retirement", process_type="loans", rules=["R-1"], reason="No").data["ballot"]
    )
    court.adopt(court.rule("R-1", **court.ONCE) | {"version": 2})
    assert statuses(court) == ["retired", "adopted"]
    assert court.finding() == "F1"


def test_a_rule_id_stays_with_its_process_type(court, make_court):
    court.adopt(court.rule("R-1", **court.ONCE))
    defined = court.chain.submit(
        "bank-a/admin",
        "process.define_type",
        id="other",
        version=1,
        title="Other",
        object_types={"case": {}},
        event_types={"pay": {}},
    )
    assert defined.ok
    moved = court.rule("R-1", **court.ONCE) | {"version": 2, "scope": {"process_type": "other"}}
    assert (court.propose(moved).code, court.get("rule/R-1")["latest"]) == ("version", 1)


def test_a_type_keeps_what_rules_in_force_name(court):
    court.adopt(court.rule("R-1", "guard", on=["pay"], **{"assert": "e.attributes.amount < 10"}))
    define = {
        "id": "loans",
        "version": 2,
        "title": "Loans",
        "object_types": {"case": {}},
        "event_types": {"pay": {"attributes": {"sum": "integer"}}},
    }
    refused = court.chain.submit("bank-a/admin", "process.define_type", **define)
    assert (refused.code, "R-1 version 1" in refused.detail) == ("rule_broken", True)
    define["event_types"] = {"pay": {"attributes": {"sum": "integer", "amount": "integer"}}}
    assert court.chain.submit("bank-a/admin", "process.define_type", **define).ok
    assert court.record(court.event("pay", attributes={"amount": 11})).data["findings"][0]["rule"] == "R-1"
