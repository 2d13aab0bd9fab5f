"""Measures: what they pause, for whom and until when, and that an emergency is none that lasts."""

from __future__ import annotations

import pytest

from coseal.contracts.governance import measures as governance_measures
from coseal.contracts.governance.measures import MAX_EMERGENCY_MS, REST_MS, in_force, measure, measures
from coseal.contracts.registry import CONTRACTS
from tests.support.governance import World

DAY_MS = 86_400_000
EXTERNAL = [{"kind": "external", "id": "Judgment 7/2026"}]
VOTERS = ("bank-a", "central-bank", "regulator")
TYPE = CONTRACTS["process"].actions["define_type"].example
DEFINE = "process.define_type"


@pytest.fixture
def world(chain, signer_of):
    return World(chain, signer_of)


def subject(world, pause, *, days=3, **more):
    until_ms = world.chain.executor.time_ms + int(days * DAY_MS)
    about = {"title": "A measure", "text_sha256": "00" * 32, "until_ms": until_ms, "grounds": EXTERNAL}
    return {**about, "pause": pause, **more}


def take(world, name, pause, kind="measure", **more):
    receipt = world.accept(name, kind, subject(world, pause, **more), "public-a", VOTERS)
    assert receipt.data["status"] == "accepted", receipt
    return receipt.data["outcome"]


def define(world, member="bank-a", name="loans", version=1):
    return world.chain.submit(f"{member}/admin", DEFINE, **{**TYPE, "id": name, "version": version})


def refused(world, kind, pause, **more):
    return world.propose("refused", kind, subject(world, pause, **more), "bank-a").code


# What is paused


def test_an_action_is_paused_for_all_until_the_measure_ends_by_itself(world):
    chain = world.chain
    outcome = take(world, "audit", {DEFINE: "all"})
    until_ms = outcome["until_ms"]
    assert outcome == {
        "measure": "audit",
        "emergency": False,
        "title": "A measure",
        "text_sha256": "00" * 32,
        "pause": {DEFINE: "all"},
        "first_height": chain.executor.height + 1,
        "until_ms": until_ms,
    }
    refusal = define(world)
    assert (refusal.code, refusal.data) == ("paused", {})
    assert refusal.detail.startswith(f"the measure audit pauses {DEFINE} until 20")
    assert world.propose("p", "remove_validator", {"node": "bank-a"}).code == "too_few_validators"
    chain.block(time_ms=until_ms - 1)
    assert (define(world).code, in_force(world.reader)) == ("ok", [])


def test_an_idle_chain_wakes_for_the_end_of_a_measure(world):
    chain = world.chain
    until_ms = take(world, "audit", {DEFINE: "all"})["until_ms"]
    chain.block(time_ms=until_ms - 1)
    assert (in_force(world.reader), chain.executor.next_deadline_ms()) == (["audit"], until_ms)
    chain.block(time_ms=until_ms)
    assert chain.begun["governance"]["ended"] == [{"measure": "audit"}]
    assert measure(world.reader, "audit")["ended"] == {
        "height": chain.executor.height,
        "time_ms": until_ms,
        "proposal": "",
    }


def test_an_action_is_paused_for_some_members_alone(world):
    take(world, "audit", {DEFINE: ["bank-a", "public-a"]})
    assert define(world, "bank-a").code == "paused"
    assert define(world, "enterprise-a").ok


def test_a_measure_holds_from_the_block_after_the_deciding_vote(world):
    chain = world.chain
    world.propose("audit", "measure", subject(world, {DEFINE: "all"}), "public-a")
    world.vote("audit", "bank-a", "central-bank")
    vote = chain.sign("regulator/admin", "governance.vote", {"ballot": "audit", "choice": "yes"})
    acts = [chain.sign("bank-a/admin", DEFINE, {**TYPE, "id": name}) for name in ("before", "after")]
    assert [receipt.code for receipt in chain.block(acts[0], vote, acts[1])] == ["ok", "ok", "ok"]
    assert define(world).code == "paused"


def test_of_two_measures_the_later_end_counts(world):
    chain = world.chain
    take(world, "long", {DEFINE: "all"}, days=9)
    first = take(world, "short", {DEFINE: ["bank-a"]}, days=2)
    assert "the measure long" in define(world).detail
    chain.block(time_ms=first["until_ms"])
    assert define(world).code == "paused"


def test_a_measure_is_ended_by_ballot_from_the_next_block_on(world):
    chain = world.chain
    take(world, "audit", {DEFINE: "all"})
    assert refused_end(world, "none") == "not_in_force"
    outcome = world.accept("end", "end_measure", {"measure": "audit"}, "public-a", VOTERS).data["outcome"]
    assert outcome == {"measure": "audit"}
    assert measure(world.reader, "audit")["ended"]["proposal"] == "end"
    assert define(world).ok
    assert refused_end(world, "audit") == "not_in_force"
    assert measures(world.reader) == []
    assert measure(world.reader, "other") is None
    chain.block(time_ms=chain.now_ms + 3 * DAY_MS)
    assert "ended" not in chain.begun.get("governance", {})


def refused_end(world, measure_id):
    return world.propose("refused", "end_measure", {"measure": measure_id}, "bank-a").code


# What can be paused


@pytest.mark.parametrize(
    "action",
    [
        *("governance.vote", "governance.propose", "governance.anything", "membership.rotate_operator_key"),
        *("evidence.report", "process.record", "process.attest", "supervision.respond", "supervision.appeal"),
    ],
)
def test_what_members_need_to_record_answer_and_decide_is_never_paused(world, action):
    for kind in ("measure", "emergency_measure"):
        assert refused(world, kind, {action: ["bank-a"]}) == "not_pausable"


@pytest.mark.parametrize("action", ["process.nothing", "tally.add", "process", "process.", "define_type"])
def test_what_is_no_action_of_the_chain_is_not_paused(world, action):
    assert refused(world, "measure", {action: "all"}) == "unknown_action"


def test_only_members_are_named(world):
    assert refused(world, "measure", {DEFINE: ["bank-a", "nobody"]}) == "unknown_member"


@pytest.mark.parametrize(("kind", "most_ms"), [("measure", 366 * DAY_MS), ("emergency_measure", MAX_EMERGENCY_MS)])
def test_a_measure_ends_in_time(world, kind, most_ms):
    for offset_ms, code in ((0, "bad_time"), (most_ms + 1, "bad_time"), (most_ms, "ok")):
        about = {**subject(world, {DEFINE: "all"}), "until_ms": world.chain.now_ms + offset_ms}
        assert world.propose("m", kind, about, "bank-a").code == code


def test_a_bounded_number_of_measures_is_in_force(world, monkeypatch):
    monkeypatch.setattr(governance_measures, "MAX_MEASURES", 2)
    take(world, "first", {})
    take(world, "second", {DEFINE: "all"})
    assert refused(world, "measure", {}) == "too_many_measures"


# Emergencies


def test_what_an_emergency_measure_paused_is_not_paused_again_for_thirty_days_after_its_end(world):
    chain = world.chain
    until_ms = take(world, "fire", {DEFINE: ["bank-a"]}, "emergency_measure")["until_ms"]
    chain.block(time_ms=until_ms)
    chain.block(time_ms=until_ms + REST_MS - 5_000)
    for kind in ("emergency_measure", "measure"):  # for others, or by an ordinary measure, is a renewal as well
        assert refused(world, kind, {DEFINE: ["enterprise-a"]}) == "renewed"
    assert refused(world, "emergency_measure", {"process.register_source": "all"}) == "ok"
    chain.block(time_ms=until_ms + REST_MS)
    assert take(world, "again", {DEFINE: ["bank-a"]}, "emergency_measure")["measure"] == "again"


def test_an_emergency_measure_is_not_prolonged_while_it_is_in_force(world):
    take(world, "fire", {DEFINE: ["bank-a"]}, "emergency_measure")
    for kind in ("emergency_measure", "measure"):
        assert refused(world, kind, {DEFINE: "all"}) == "renewed"


def test_of_two_emergency_measures_that_are_voted_on_at_once_the_second_is_void(world):
    for name in ("a", "b"):
        world.propose(name, "emergency_measure", subject(world, {DEFINE: "all"}), "public-a")
    assert world.vote("a", *VOTERS).data["status"] == "accepted"
    decided = world.vote("b", *VOTERS).data
    assert (decided["status"], decided["outcome"]["code"]) == ("void", "renewed")


def test_an_emergency_measure_that_is_ended_early_rests_from_then_on(world):
    chain = world.chain
    take(world, "fire", {DEFINE: "all"}, "emergency_measure", days=7)
    world.accept("end", "end_measure", {"measure": "fire"}, "public-a", VOTERS)
    ended_ms = chain.executor.time_ms
    assert world.reader.get(f"governance/paused/{DEFINE}") == ended_ms
    chain.block(time_ms=ended_ms + REST_MS)
    assert take(world, "again", {DEFINE: "all"}, "emergency_measure")["measure"] == "again"


def test_an_ordinary_measure_rests_nothing(world):
    take(world, "audit", {DEFINE: "all"})
    assert take(world, "fire", {DEFINE: "all"}, "emergency_measure")["measure"] == "fire"
