"""Own rule sets: a member's rules judge what it records itself, and touch nobody else."""

from __future__ import annotations

import pytest

from coseal.contracts.kernel.budget import READ_STEPS
from coseal.contracts.process.chain import item_hash
from coseal.contracts.standards import content, judging
from coseal.contracts.standards.own import MAX_OWN
from coseal.contracts.supervision import sets_in_force
from coseal.ledger.render import time_text
from tests.support.own_rules import DECIDED, EVENTS, HOUR_MS, NAMED, SMALL, own_rules, rule
from tests.support.standards import DAY_MS

BAD, GOOD = ("apply", "c", 500), ("apply", "c", 5)


@pytest.fixture
def scene(chain):
    return own_rules(chain)


def adopt(scene, *members, rules=(SMALL,)):
    assert scene.propose_rules(*rules).ok
    for member in members:
        scene.ok(member, "adopt", **NAMED)


def test_what_an_adopter_records_is_judged_counted_and_shown(scene):
    adopt(scene, "bank-a")
    (judged,) = scene.batch("bank-a", GOOD, BAD, GOOD)["judged"]
    assert (judged["items"], judged["conforming"], judged["undetermined"], judged["counts"]) == (3, 2, 0, True)
    assert judged["found"] == [["SMALL", 1, "case", "c", 2, "violated"]]
    assert (judged["standard"], judged["version"], judged["mode"]) == ("r", 1, "adopted")
    scene.batch("bank-a", BAD)
    assert scene.figures("bank-a") == [4, 2, 0]


def test_nobody_else_is_judged_not_even_on_the_same_object(scene):
    adopt(scene, "bank-a")
    plain = scene.batch("central-bank", BAD)
    assert "judged" not in plain
    scene.batch("bank-a", GOOD)
    before = scene.monitors("bank-a")
    scene.batch("central-bank", BAD, BAD)
    assert scene.monitors("bank-a") == before
    assert scene.figures("central-bank") is None
    assert scene.monitors("central-bank") is None


def test_adopters_that_record_on_one_object_are_judged_apart(scene):
    adopt(scene, "bank-a", "central-bank", rules=(rule("ONCE", "declare", template="absence", a="apply", n=2),))
    found = [scene.batch(member, GOOD)["judged"][0] for member in ("bank-a", "central-bank", "bank-a")]
    assert [one["conforming"] for one in found] == [1, 1, 0]
    assert scene.figures("central-bank") == [1, 1, 0]


def test_a_rule_that_would_reject_hold_and_flag_does_none_of_it(scene):
    rejecting = {**SMALL, "id": "REJECTS", "effect": "reject"}
    holding = {**SMALL, "id": "HOLDS", "effect": "hold", "hold_ms": DAY_MS}
    adopt(scene, "bank-a", rules=(rejecting, holding, SMALL))
    data = scene.batch("bank-a", BAD)
    assert [row[0] for row in data["judged"][0]["found"]] == ["REJECTS", "HOLDS", "SMALL"]
    assert not {"findings", "holds", "shadow"} & set(data)
    for key in ("findings/loans/case/c", "hold/loans/case/c", "statistics/loans/SMALL", "counter/finding"):
        assert scene.chain.get(f"supervision/{key}") is None


def test_the_batch_of_another_member_costs_the_same_whoever_adopts_what(scene):
    scene.batch("central-bank", BAD)
    scene.batch("central-bank", BAD)
    before = scene.steps
    adopt(scene, "bank-a", rules=(SMALL, DECIDED))
    scene.batch("bank-a", GOOD)
    scene.batch("central-bank", BAD)
    assert scene.steps == before


def test_a_trial_judges_alike_and_makes_no_user(scene):
    assert scene.propose_rules(SMALL).ok
    scene.ok("bank-a", "try", **NAMED)
    (judged,) = scene.batch("bank-a", GOOD, BAD)["judged"]
    assert (judged["mode"], judged["conforming"]) == ("trial", 1)
    assert scene.figures("bank-a") == [2, 1, 0]
    scene.ok("bank-a", "adopt", **NAMED)
    assert [(entry["mode"], entry["standard"]) for entry in scene.own("bank-a")] == [("adopted", "r")]


def test_a_historical_source_is_not_judged(scene):
    adopt(scene, "bank-a")
    scene.source("bank-a", "loans", "historical", "old")
    assert "judged" not in scene.batch("bank-a", BAD, source="old")


def test_a_source_outside_of_the_scope_rests_and_its_monitors_stay(scene):
    assert scene.propose_rules(DECIDED).ok
    scene.source("bank-a", "loans", "live", "second")
    scene.ok("bank-a", "adopt", **NAMED, sources=["loans"])
    assert scene.propose_rules(SMALL, standard="q").ok
    scene.ok("bank-a", "adopt", standard="q", version=1, sources=["second"])
    scene.batch("bank-a", GOOD)
    open_window = scene.monitors("bank-a")[4]
    (judged,) = scene.batch("bank-a", GOOD, source="second")["judged"]
    assert judged["standard"] == "q"
    assert open_window[0] in scene.monitors("bank-a")[4]
    missed = scene.wait(2 * HOUR_MS)["missed"]
    assert [(one["standard"], one["counted"]) for one in missed] == [("r", 1)]


def test_a_deadline_that_is_missed_takes_a_conforming_item_away(scene):
    adopt(scene, "bank-a", rules=(DECIDED,))
    scene.batch("bank-a", GOOD, ("apply", "d", 1))
    scene.batch("bank-a", ("decide", "d", 0))
    assert scene.figures("bank-a") == [3, 3, 0]
    (missed,) = scene.wait(2 * HOUR_MS)["missed"]
    assert (missed["member"], missed["counted"]) == ("bank-a", 1)
    assert missed["found"] == [["DECIDED", 1, "case", "c", None, "violated"]]
    assert scene.figures("bank-a") == [3, 2, 0]
    assert "missed" not in scene.wait(DAY_MS)


def test_the_figures_of_a_period_do_not_fall_below_zero(scene):
    adopt(scene, "bank-a", rules=(DECIDED, {**DECIDED, "id": "AGAIN"}))
    scene.batch("bank-a", GOOD)
    (missed,) = scene.wait(2 * HOUR_MS)["missed"]
    assert (len(missed["found"]), missed["counted"]) == (2, 1)
    assert scene.figures("bank-a") == [1, 0, 0]


def test_a_set_that_is_superseded_while_windows_are_open_judges_them_no_more(scene):
    adopt(scene, "bank-a", rules=({**DECIDED, "within_ms": 300 * DAY_MS},))
    assert scene.propose_rules(SMALL, version=2).ok
    args = {"successor": "r", "successor_version": 2, "notice_ms": 30 * DAY_MS, "reason": "Shorter"}
    scene.ok("city", "supersede", **NAMED, **args)
    scene.batch("bank-a", GOOD)
    assert scene.wait(31 * DAY_MS)["ended"][0]["members"] == ["bank-a"]
    assert "judged" not in scene.batch("bank-a", BAD)
    assert "missed" not in scene.wait(300 * DAY_MS)
    assert scene.monitors("bank-a") is None
    assert scene.own("bank-a") is None


def test_an_adoption_that_ends_is_judged_until_its_notice_is_over(scene):
    adopt(scene, "bank-a")
    scene.ok("bank-a", "end_adoption", **NAMED, reason="No")
    scene.wait(29 * DAY_MS)
    assert scene.batch("bank-a", BAD)["judged"]
    scene.wait(2 * DAY_MS)
    assert "judged" not in scene.batch("bank-a", BAD)


def test_the_proposers_own_set_ends_when_the_version_lapses(scene):
    scene.source("city", "loans")
    adopt(scene, "city")
    assert scene.batch("city", BAD)["judged"]
    assert {"standard": "r", "version": 1} in scene.wait(181 * DAY_MS)["lapsed"]
    assert "judged" not in scene.batch("city", BAD)


def test_a_suspended_member_is_still_judged_by_its_own_rules(scene):
    adopt(scene, "enterprise-a")
    grounds = [{"kind": "external", "id": "the court's decision"}]
    until_ms = scene.chain.now_ms + 300 * DAY_MS
    scene.decide("suspend_member", member="enterprise-a", until_ms=until_ms, seats=False, grounds=grounds)
    assert scene.batch("enterprise-a", BAD)["judged"][0]["conforming"] == 0


# New versions of the process type


def test_a_new_version_of_the_type_is_never_refused_for_an_own_set_which_then_stands_still(scene):
    adopt(scene, "central-bank", rules=(SMALL, DECIDED))
    scene.batch("central-bank", GOOD)
    scene.define(
        "loans", version=2, event_types={"apply": {"attributes": {"amount": "string"}}, "decide": {}}, late_ms=0
    )
    assert scene.wait(2 * HOUR_MS).get("missed") is None
    (entry,) = scene.own("central-bank")
    assert (entry["fits"], entry["cost"]) == (False, 0)
    (judged,) = scene.batch("central-bank", ("decide", "c", 0))["judged"]
    assert (judged["items"], judged["conforming"], judged["undetermined"]) == (1, 0, 1)
    scene.define("loans", version=3, event_types=EVENTS, late_ms=0)
    assert scene.batch("central-bank", BAD)["judged"][0]["found"]
    assert scene.own("central-bank")[0]["fits"]


def test_a_set_that_still_fits_goes_on_with_its_windows(scene):
    adopt(scene, "central-bank", rules=(DECIDED,))
    scene.batch("central-bank", GOOD)
    scene.define("loans", version=2, event_types={**EVENTS, "extend": {}}, late_ms=0)
    (missed,) = scene.wait(2 * HOUR_MS)["missed"]
    assert missed["found"][0][0] == "DECIDED"


# What they may cost


def test_a_member_has_at_most_so_many_own_sets_for_a_process_type(scene):
    for number in range(MAX_OWN + 1):
        assert scene.propose_rules(SMALL, standard=f"r{number}").ok
    codes = [scene.code("bank-a", "adopt", standard=f"r{number}", version=1) for number in range(MAX_OWN + 1)]
    assert codes == ["ok"] * MAX_OWN + ["limit"]
    assert scene.code("central-bank", "adopt", standard=f"r{MAX_OWN}", version=1) == "ok"
    scene.ok("bank-a", "end_adoption", standard="r0", version=1, reason="No")
    scene.wait(31 * DAY_MS)
    assert scene.code("bank-a", "adopt", standard=f"r{MAX_OWN}", version=1) == "ok"


def test_two_sets_that_are_costly_together_do_not_both_fit(scene):
    text = " && ".join(["e.attributes.amount <= 100"] * 5)
    rules = [rule(f"LONG{number}", "guard", on=["apply"], **{"assert": text}) for number in range(2)]
    assert content.compile_steps({"rules": rules}) * 2 > content.MAX_COMPILE_STEPS
    for standard in ("r", "q"):
        receipt = scene.propose_rules(*rules, standard=standard)
        assert receipt.ok, receipt.detail
    scene.ok("bank-a", "adopt", **NAMED)
    assert scene.code("bank-a", "adopt", standard="q", version=1) == "limit"


def test_an_object_of_which_too_much_is_kept_is_forgotten_and_undetermined(scene, monkeypatch):
    monkeypatch.setattr(judging, "MAX_READ_STEPS", READ_STEPS + 40)
    adopt(scene, "bank-a", rules=({**DECIDED, "correlation": "a.attributes.amount > size(t.id)"},))
    kept = [("apply", "c", number) for number in range(20)]
    found = [scene.batch("bank-a", *items)["judged"][0] for items in (kept[:2], kept[2:], kept[:1])]
    assert [(one["conforming"], one["undetermined"], one["found"]) for one in found] == [
        (2, 0, []),
        (18, 0, []),
        (0, 1, []),
    ]
    assert len(scene.monitors("bank-a")[4][0][5][1]) == 1


def test_a_deadline_of_an_object_of_which_too_much_is_kept_is_passed_over(scene, monkeypatch):
    adopt(scene, "bank-a", rules=(DECIDED,))
    scene.batch("bank-a", GOOD)
    monkeypatch.setattr(judging, "MAX_READ_STEPS", READ_STEPS)
    begun = scene.wait(2 * HOUR_MS)
    assert "missed" not in begun
    assert scene.monitors("bank-a") is None
    assert scene.chain.begun.get("system") is None


def test_what_a_node_remembers_changes_nothing(scene):
    adopt(scene, "bank-a")
    scene.batch("bank-a", GOOD, BAD)
    first = scene.batch("bank-a", ("apply", "d", 5), ("apply", "d", 500))["judged"]
    steps = scene.steps
    sets_in_force.forget()
    second = scene.batch("bank-a", ("apply", "e", 5), ("apply", "e", 500))["judged"]
    assert scene.steps == steps
    assert [one["conforming"] for one in (*first, *second)] == [1, 1]


# What is in no standard


@pytest.mark.parametrize(
    ("code", "changed"),
    [
        ("invalid_content", {"assert": "e.attributes.nothing > 1"}),
        ("invalid_content", {"assert": "1 +"}),
        ("invalid_content", {"disputed": "leave_out"}),
        ("invalid_content", {"scope": {"process_type": "nothing"}}),
        (
            "invalid_content",
            {"tests": [{"events": [{"type": "apply", "attributes": {"amount": 5}}], "verdict": "violated"}]},
        ),
        ("limit", {"assert": " && ".join(["e.attributes.amount <= 100"] * 80)}),
    ],
)
def test_a_rule_set_that_cannot_judge_is_not_proposed(scene, code, changed):
    receipt = scene.propose_rules({**SMALL, **changed})
    assert receipt.code == code, receipt.detail


def test_a_rule_set_is_about_a_type_of_its_domain(scene):
    assert scene.propose_rules(SMALL, domain="elsewhere").code == "classified"


def test_use_counts_in_the_domain_of_the_standard_alone(scene):
    adopt(scene, "bank-a")
    scene.decide("settle_dispute", classify={"process_type": "loans", "domain": "credit"})
    (judged,) = scene.batch("bank-a", GOOD)["judged"]
    assert (judged["conforming"], judged["counts"]) == (1, False)
    assert scene.figures("bank-a") is None


def test_a_schema_judges_events_by_type(scene):
    schema = {"type": "object", "properties": {"amount": {"type": "integer", "maximum": 100}}}
    content_ = {"process_type": "loans", "object_type": "case", "schemas": {"apply": schema}}
    assert scene.propose_rules(kind="schema", content=content_).ok
    scene.ok("bank-a", "adopt", **NAMED)
    (judged,) = scene.batch("bank-a", GOOD, BAD)["judged"]
    assert (judged["conforming"], judged["found"][0][0]) == (1, "shape-1")


def test_a_correction_is_undetermined_and_others_keep_their_verdicts(scene):
    adopt(scene, "bank-a", rules=(DECIDED,))
    done = scene.batch("bank-a", GOOD)
    item = {"event": "e1", "type": "apply", "time": time_text(scene.chain.now_ms - 1_000), "objects": [["case", "c"]]}
    item |= {"attributes": {"amount": 5}}
    fixed = {
        **item,
        "late": "A slip",
        "attributes": {"amount": 6},
        "corrects": [1, item_hash("bank-a/loans", 1, item).hex()],
    }
    args = {"source": "loans", "sequence": 2, "items": [fixed], "corrected": [item]}
    (judged,) = scene.ok("bank-a", "process.record", **args)["judged"]
    assert done["judged"][0]["conforming"] == 1
    assert (judged["conforming"], judged["undetermined"]) == (0, 1)


def test_a_rule_set_becomes_de_facto_by_use_that_conforms(scene):
    members = ("bank-a", "central-bank", "enterprise-a")
    adopt(scene, *members)
    scene.close()
    for _ in range(3):
        for member in members:
            scene.batch(member, *[GOOD] * 10)
        scene.close()
    assert scene.status("r") == "de_facto"
    for member in members:
        scene.batch(member, *[GOOD] * 8, BAD, BAD)
    scene.close()
    assert scene.status("r") == "in_use"
