"""What a rule set must fit at each of its steps, and what a new version of a process type must keep."""

from __future__ import annotations

import pytest

from coseal.contracts.kernel.dates import DAY_MS
from coseal.contracts.supervision import checks as supervision_checks
from coseal.contracts.supervision import sets_in_force as supervision_sets

RESPONSE = {"template": "response", "a": "apply", "b": "decide", "within_ms": 10_000}
ALL = ("apply", "check", "decide", "pay", "report")


def define(court, version, *events, sender="bank-a/admin", objects=("case", "party"), **attributes):
    """Define a version of the type with some of its events; ``attributes`` are added to those of every event."""
    types = {name: {"attributes": court.ATTRIBUTES | attributes} for name in events}
    return court.chain.submit(
        sender,
        "process.define_type",
        id=court.TYPE,
        version=version,
        title="Loans",
        object_types={name: {} for name in objects},
        event_types=types,
        late_ms=0,
        gaps="record",
    )


def retire(court, *rules):
    args = {"process_type": court.TYPE, "rules": list(rules), "reason": "Repealed"}
    return court.vote(court.act("regulator", "propose_retirement", **args).data["ballot"])


def long_guard(court, rule_id, characters, **fields):
    text = f"e.attributes.by != '{'x' * characters}'"
    return court.rule(rule_id, "guard", on=["pay"], **{"assert": text}, **fields)


@pytest.fixture
def compiled(monkeypatch):
    """The ids of the rules that are compiled, in their order."""
    parsed, names = supervision_sets.parse_rule, []
    monkeypatch.setattr(supervision_sets, "parse_rule", lambda *args: names.append(args[0]["id"]) or parsed(*args))
    return names


# What is off


@pytest.mark.parametrize("how", ["retired", "superseded"])
def test_what_only_a_rule_that_is_off_names_may_leave_the_type(court, how):
    court.adopt(court.rule("R-1", **RESPONSE), court.rule("R-2", template="response", a="pay", b="apply", within_ms=9))
    court.record(court.event("pay"), court.event("apply"))
    if how == "retired":
        retire(court, "R-1")
    else:
        court.adopt(court.rule("R-1", template="absence", a="pay", n=3) | {"version": 2})
    assert define(court, 2, "apply", "pay").ok
    assert court.record(court.event("pay", "c2"), court.event("pay", "c2", event="again")).ok
    assert [(entry["rule"], entry["object"]) for entry in court.wait(DAY_MS)["findings"]] == [("R-2", "c2")]


def test_the_states_of_the_others_stay_theirs_when_one_is_off(court):
    waits = [court.rule(f"R-{n}", template="response", a="apply", b="decide", within_ms=n * 10_000) for n in (1, 2, 3)]
    court.adopt(*waits, court.rule("R-4", template="absence", a="pay", n=2))
    court.record(court.event("apply"), court.event("pay"))
    retire(court, "R-1", "R-2")
    court.chain.restart()
    assert [entry["rule"] for entry in court.wait(DAY_MS)["findings"]] == ["R-3"]
    assert [entry["rule"] for entry in court.record(court.event("pay", event="2nd")).data["findings"]] == ["R-4"]


def test_a_rule_that_has_ended_costs_nothing_any_more(court):
    court.adopt(court.rule("R-1", **RESPONSE), long_guard(court, "R-2", 10))
    (before,) = court.get("active/loans")
    retire(court, "R-2")
    (after,) = court.get("active/loans")
    assert after["cost"] == 1 < before["cost"]
    assert after["source_bytes"] == court.get("source_bytes") < before["source_bytes"]
    retire(court, "R-1")
    assert (court.get("active/loans"), court.get("source_bytes")) == (None, 0)


# A new version of the type


@pytest.mark.parametrize("phase", ["adopted", "trial"])
def test_a_type_keeps_what_judges_it_names_on_trial_too(court, phase):
    proposed = court.propose(court.rule("R-1", **RESPONSE), **({"trial_ms": DAY_MS} if phase == "trial" else {}))
    court.vote(proposed.data["ballot"])
    refused = define(court, 2, "pay", "apply")
    assert (refused.code, "R-1 version 1" in refused.detail) == ("rule_broken", True)
    assert define(court, 2, "apply", "decide").ok


def test_only_rules_that_name_what_changed_are_compiled(court, compiled):
    assert define(court, 2, *ALL).ok
    court.adopt(long_guard(court, "R-1", 10), court.rule("R-2", **RESPONSE))
    court.record(court.event("pay"))
    del compiled[:]
    assert define(court, 3, *ALL, "more").ok
    court.record(court.event("pay"))
    assert compiled == []
    assert define(court, 4, "apply", "decide", "pay", "more", more="integer").ok
    assert sorted(set(compiled)) == ["R-1", "R-2"]
    del compiled[:]
    court.record(court.event("pay"))
    assert compiled == []


def test_who_may_not_define_a_type_compiles_nothing(court, compiled):
    court.adopt(long_guard(court, "R-1", 10))
    del compiled[:]
    assert define(court, 2, "apply", sender="enterprise-a/admin").code == "forbidden"
    assert define(court, 7, "apply").code == "version"
    assert compiled == []


def test_rules_may_not_grow_dear_under_a_new_version(court, monkeypatch):
    same = "e.attributes.amount == e.attributes.by || e.attributes.amount != e.attributes.by"
    assert define(court, 2, *ALL, amount="string").ok
    court.adopt(court.rule("R-1", "guard", on=["pay"], **{"assert": same}))
    (entry,) = court.get("active/loans")
    assert define(court, 3, *ALL, amount="string", by={"type": "string", "class": "sealed"}).ok
    assert court.get("active/loans") == [entry]
    text = court.rule("R-2", "guard", on=["pay"], **{"assert": "e.attributes.amount in ['a', 'b']"})
    court.adopt(text)
    cost = sum(entry["cost"] for entry in court.get("active/loans"))
    monkeypatch.setattr(supervision_checks, "MAX_TOTAL_COST", cost - 1)
    refused = define(court, 4, *ALL, amount={"type": "string", "class": "restricted"})
    assert (refused.code, f"would cost {cost} steps" in refused.detail) == ("rule_broken", True)
    monkeypatch.setattr(supervision_checks, "MAX_TOTAL_COST", cost)
    assert define(court, 4, *ALL, amount={"type": "string", "class": "restricted"}).ok


# The same checks at each step


@pytest.mark.parametrize("step", ["trial", "adoption", "adoption after a trial"])
def test_a_set_that_its_type_left_behind_is_rejected_at_its_next_step(court, step):
    first = court.propose(court.rule("R-1", **RESPONSE), **({} if step == "adoption" else {"trial_ms": 10_000}))
    ballot = first.data["ballot"]
    if step == "adoption after a trial":
        ballot = court.vote(ballot).data["effects"][1]["ballot"]
        court.wait(20_000)
    assert define(court, 2, "pay", "apply").ok
    decided = court.vote(ballot)
    assert decided.data["status"] == "accepted"
    (effect,) = decided.data["effects"]
    assert (effect["status"], effect["code"], "'decide'" in effect["detail"]) == ("rejected", "invalid_rule", True)
    assert (court.get("set/B1")["status"], court.get("active/loans")) == ("rejected", None)
    assert court.get("rule/R-1") == {"latest": 0, "active": 0}
    assert court.propose(court.rule("R-1", template="absence", a="pay")).data["set"] == (
        "B3" if "after" in step else "B2"
    )


def test_what_is_on_trial_counts_and_nothing_gives_way_to_it(court, monkeypatch):
    court.adopt(court.rule("R-1", **RESPONSE))
    monkeypatch.setattr(supervision_checks, "MAX_TOTAL_COST", 2)
    next_version = court.rule("R-1", **RESPONSE) | {"version": 2}
    assert court.propose(next_version, court.rule("R-2", **court.ONCE)).ok
    court.vote("B2", choice="no")
    refused = court.propose(next_version, court.rule("R-2", **court.ONCE), trial_ms=10_000)
    assert (refused.code, "3 steps" in refused.detail, "at most 2" in refused.detail) == ("limit", True, True)
    court.propose(next_version, trial_ms=10_000)
    court.propose(court.rule("R-3", **court.ONCE), trial_ms=10_000)
    assert court.vote("B3").data["effects"][0]["status"] == "trial"
    assert court.vote("B4").data["effects"][0]["code"] == "limit"
    assert court.wait(10_000)["ballots"][0]["effects"][0]["status"] == "tried"
    assert court.propose(court.rule("R-3", **court.ONCE), trial_ms=10_000).ok


def test_all_rules_that_judge_a_type_cost_at_most_a_quarter_of_a_million(court):
    dear = "e.objects.all(x, x.id != x.type && x.id != x.qualifier && size(x.id) < 200)"
    rules = [court.rule(f"R-{n}", "guard", on=["pay"], **{"assert": dear}) for n in range(40)]
    refused = court.propose(*rules)
    assert (refused.code, "at most 250000" in refused.detail) == ("limit", True)
    assert 200_000 < court.propose(*rules[:39]).data["cost"] <= 250_000


def test_the_source_text_of_a_type_is_bounded(court):
    for part in range(4):
        court.adopt(*(long_guard(court, f"R-{n}", 4_000) for n in range(4 * part, 4 * part + 4)))
    assert 60_000 < court.get("source_bytes") < supervision_checks.MAX_SOURCE_BYTES
    refused = court.propose(long_guard(court, "R-20", 1_000))
    assert (refused.code, "at most 65536" in refused.detail) == ("limit", True)
    assert court.propose(long_guard(court, "R-1", 3_000) | {"version": 2}).ok


def test_the_source_text_of_all_types_is_bounded(court, monkeypatch):
    court.chain.submit(
        "bank-a/admin", "process.define_type", id="other", version=1, title="Other",
        object_types={"case": {}}, event_types={"pay": {"attributes": court.ATTRIBUTES}},
    )  # fmt: skip
    court.adopt(long_guard(court, "R-1", 500))
    monkeypatch.setattr(supervision_checks, "MAX_ALL_SOURCE_BYTES", 1_000)
    other = {"scope": {"process_type": "other"}}
    refused = court.propose(long_guard(court, "R-2", 500) | other)
    assert (refused.code, "at most 1000" in refused.detail) == ("limit", True)
    assert court.propose(long_guard(court, "R-2", 100) | other).ok


# Sources


@pytest.mark.parametrize("when", ["proposed", "on trial", "tried", "adopted"])
def test_no_object_type_takes_the_name_of_sources_from_rules_about_them(court, when):
    court.propose(court.rule("P-1", "periodic", source="bank-a/log", on=["report"], every={"days": 1}), trial_ms=9_000)
    objects = ("case", "party", "source")
    if when != "proposed":
        court.vote("B1")
    if when in ("tried", "adopted"):
        court.wait(9_000)
    if when == "adopted":
        court.vote("B2")
    refused = define(court, 2, *ALL, objects=objects)
    assert (refused.code, "named source" in refused.detail) == ("rule_broken", True)
    if when == "adopted":
        retire(court, "P-1")
    else:
        court.wait(30 * DAY_MS)
    assert define(court, 2, *ALL, objects=objects).ok
    assert court.get("waiting/loans") is None


def test_a_lag_of_objects_may_stand_beside_objects_named_as_sources_are(court):
    assert define(court, 2, *ALL, objects=("case", "source")).ok
    lag = court.rule("L-1", "lag", within_ms=1_000)
    assert court.propose(lag).code == "invalid_rule"
    assert court.propose(lag | {"scope": {"process_type": "loans", "object_type": "case"}}).ok


def test_an_object_named_as_a_source_has_the_events_that_name_it(court):
    assert define(court, 2, *ALL, objects=("case", "source")).ok
    scope = {"process_type": "loans", "object_type": "source"}
    court.adopt(court.rule("R-1", template="absence", a="pay", n=2) | {"scope": scope})
    named = {"objects": [["source", "bank-a/log"]]}
    assert "findings" not in court.record(court.event("pay", **named)).data
    assert "findings" not in court.record(court.event("pay", event="of a case")).data
    assert court.record(court.event("pay", event="second", **named)).data["findings"][0]["rule"] == "R-1"


@pytest.mark.parametrize("mode", ["live", "historical"])
def test_an_obligation_of_any_source_goes_by_block_time(court, mode):
    court.register("bank-a", "reports", mode)
    court.adopt(court.rule("P-1", "periodic", source="bank-a/reports", on=["report"], every={"days": 1}))
    due_ms = court.get("obligation/P-1/bank-a/reports")["due_ms"]
    assert court.record(court.event("report", at_ms=due_ms - DAY_MS), source="bank-a/reports").code == (
        "event_in_future" if due_ms - DAY_MS > court.chain.now_ms + 300_000 else "ok"
    )
    court.wait(due_ms - DAY_MS - court.chain.executor.time_ms)
    assert court.record(court.event("report"), source="bank-a/reports").ok
    assert "findings" not in court.wait(DAY_MS)
    assert [entry["rule"] for entry in court.wait(DAY_MS)["findings"]] == ["P-1"]
    assert [court.get("obligation/P-1/bank-a/reports")[name] for name in ("met", "missed")] == [1, 1]


def test_an_obligation_names_a_source_of_its_process_type(court):
    court.chain.submit(
        "enterprise-a/admin", "process.define_type", id="other", version=1, title="Other",
        object_types={"case": {}}, event_types={"report": {}},
    )  # fmt: skip
    register = {"id": "feed", "process_type": "other", "mode": "historical"}
    owes = court.rule("P-1", "periodic", source="enterprise-a/feed", on=["report"], every={"days": 1})
    court.propose(owes)
    assert court.chain.submit("enterprise-a/admin", "process.register_source", **register).ok
    assert court.vote("B1").data["effects"][0]["code"] == "invalid_rule"
    refused = court.propose(owes)
    assert (refused.code, "records other" in refused.detail) == ("invalid_rule", True)


def test_a_source_that_records_another_type_later_misses_what_it_owes(court):
    court.chain.submit(
        "enterprise-a/admin", "process.define_type", id="other", version=1, title="Other",
        object_types={"case": {}}, event_types={"report": {}},
    )  # fmt: skip
    court.adopt(court.rule("P-1", "periodic", source="enterprise-a/feed", on=["report"], every={"days": 1}))
    register = {"id": "feed", "process_type": "other", "mode": "historical"}
    assert court.chain.submit("enterprise-a/admin", "process.register_source", **register).ok
    assert [entry["subject"] for entry in court.wait(2 * DAY_MS)["findings"]] == ["enterprise-a"]
    assert court.get("obligation/P-1/enterprise-a/feed")["missed"] == 1
