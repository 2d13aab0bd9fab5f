"""Members suspended, reinstated and removed: what each takes away, and what it never does."""

from __future__ import annotations

import pytest

from coseal.contracts.governance import seats as governance_seats
from coseal.contracts.membership import actions as membership
from coseal.contracts.membership.standing import former, standing, suspended
from coseal.contracts.registry import CONTRACTS, KINDS
from tests.support.chain import Chain
from tests.support.genesis import make_genesis
from tests.support.governance import World

DAY_MS = 86_400_000
EXTERNAL = [{"kind": "external", "id": "Judgment 7/2026"}]


@pytest.fixture
def world(chain, signer_of):
    return World(chain, signer_of)


def suspension(world, member, *, days=30, seats=False, grounds=EXTERNAL):
    until_ms = world.chain.executor.time_ms + days * DAY_MS
    return {"member": member, "until_ms": until_ms, "seats": seats, "grounds": grounds}


def suspend(world, member, proposal_id="suspend", voters=("bank-a", "central-bank", "regulator"), **more):
    receipt = world.accept(proposal_id, "suspend_member", suspension(world, member, **more), "public-a", voters)
    assert receipt.data["status"] == "accepted", receipt
    return receipt.data["outcome"]


def of(world, member):
    return standing(world.reader, member).status


# Suspension


def test_a_suspended_member_has_no_voice_and_still_records_and_replaces_its_keys(world, signer_of):
    chain = world.chain
    registered = {"id": "log", "process_type": "loans", "mode": "live"}
    outcome = suspend(world, "institute-a")
    assert outcome["member"] == "institute-a"
    shown = membership.member(world.reader, "institute-a")["standing"]
    until_ms = shown["until_ms"]
    assert shown == {
        "status": "suspended",
        "until_ms": until_ms,
        "since": chain.executor.height,
        "proposal": "suspend",
    }
    refused = chain.submit("institute-a/admin", "governance.vote", ballot="suspend", choice="yes")
    assert refused.code == "suspended"
    assert refused.detail.startswith("institute-a is suspended until 20")
    assert "until then it still records" in refused.detail
    assert world.propose("p", "remove_validator", {"node": "bank-a"}).code == "suspended"
    assert chain.submit("institute-a/admin", "process.register_source", **registered).code == "suspended"
    recorded = {**CONTRACTS["process"].actions["record"].example, "source": "log"}
    assert chain.submit("institute-a/admin", "process.record", **recorded).code == "unknown_source"
    assert chain.submit("institute-a/admin", "supervision.ask", topic="Terms", question="From when?").ok
    key = world.key("institute-a/next")
    assert chain.submit("institute-a/admin", "membership.rotate_operator_key", key=key).ok


def test_a_suspension_ends_by_itself_and_an_idle_chain_wakes_for_it(world):
    chain = world.chain
    outcome = suspend(world, "institute-a", days=3)
    assert suspended(world.reader) == ["institute-a"]
    assert chain.executor.next_deadline_ms() <= outcome["until_ms"]
    chain.block(time_ms=outcome["until_ms"] - 1)
    assert of(world, "institute-a") == "suspended"
    assert chain.executor.next_deadline_ms() == outcome["until_ms"]
    chain.block(time_ms=outcome["until_ms"])
    assert (of(world, "institute-a"), suspended(world.reader)) == ("good", [])
    assert chain.begun["governance"]["reinstated"] == [{"member": "institute-a", "proposal": "suspend"}]
    assert membership.member(world.reader, "institute-a")["standing"] == {"status": "good"}
    assert world.propose("p", "remove_validator", {"node": "bank-a"}).code == "too_few_validators"


def test_a_suspension_is_prolonged_and_ends_by_the_later_time(world):
    chain = world.chain
    first = suspend(world, "institute-a", days=3)
    shorter = suspension(world, "institute-a", days=2)
    assert world.propose("again", "suspend_member", shorter, "public-a").code == "already_suspended"
    second = suspend(world, "institute-a", "longer", days=9)
    chain.block(time_ms=first["until_ms"])
    assert (of(world, "institute-a"), "governance" in chain.begun) == ("suspended", False)
    chain.block(time_ms=second["until_ms"])
    assert of(world, "institute-a") == "good"


def test_what_was_reinstated_by_ballot_is_not_reinstated_again(world):
    chain = world.chain
    outcome = suspend(world, "institute-a", days=3)
    about = {"member": "institute-a", "grounds": EXTERNAL}
    assert world.accept("back", "reinstate_member", about, "bank-a").data["outcome"] == {"member": "institute-a"}
    assert of(world, "institute-a") == "good"
    assert world.propose("again", "reinstate_member", about, "bank-a").code == "not_suspended"
    chain.block(time_ms=outcome["until_ms"])
    assert "reinstated" not in chain.begun.get("governance", {})


@pytest.mark.parametrize("offset_ms", [0, -1, 366 * DAY_MS + 1])
def test_a_suspension_ends_within_366_days(world, offset_ms):
    subject = {**suspension(world, "institute-a"), "until_ms": world.chain.now_ms + offset_ms}
    assert world.propose("suspend", "suspend_member", subject, "public-a").code == "bad_time"


def test_a_suspension_whose_time_is_over_when_it_is_accepted_is_void(world):
    chain = world.chain
    subject = {**suspension(world, "institute-a"), "until_ms": chain.now_ms + DAY_MS}
    assert world.propose("suspend", "suspend_member", subject, "public-a").ok
    world.vote("suspend", "bank-a", "regulator")
    chain.block(time_ms=subject["until_ms"])
    decided = world.vote("suspend", "central-bank").data
    assert (decided["status"], decided["outcome"]["code"]) == ("void", "bad_time")
    assert of(world, "institute-a") == "good"


def test_at_most_a_third_of_the_members_is_suspended(world):
    suspend(world, "city", "first")  # of seven members two may be
    suspend(world, "institute-a")
    assert world.propose("p", "suspend_member", suspension(world, "bank-a"), "public-a").code == "too_many_suspended"
    world.accept("back", "reinstate_member", {"member": "institute-a", "grounds": EXTERNAL}, "bank-a")
    assert world.propose("p", "suspend_member", suspension(world, "bank-a"), "public-a").ok


def test_of_two_suspensions_that_are_voted_on_at_once_the_second_is_void(world):
    suspend(world, "city", "first")
    subjects = {"a": suspension(world, "institute-a"), "b": suspension(world, "public-a")}
    for name, subject in subjects.items():
        world.propose(name, "suspend_member", subject, "bank-a")
    assert world.vote("a", "central-bank", "regulator").data["status"] == "accepted"
    decided = world.vote("b", "central-bank", "regulator").data
    assert (decided["status"], decided["outcome"]["code"]) == ("void", "too_many_suspended")


@pytest.mark.parametrize("kind", ["suspend_member", "reinstate_member", "remove_member"])
def test_a_proposal_about_nobody_is_refused(world, kind):
    more = {"until_ms": world.chain.now_ms + DAY_MS, "seats": True} if kind == "suspend_member" else {}
    subject = {"member": "nobody", "grounds": EXTERNAL, **more}
    assert world.propose("p", kind, subject, "bank-a").code == "unknown_member"


@pytest.mark.parametrize("kind", ["finding", "evidence", "policy"])
def test_a_ground_on_the_ledger_has_to_be_there(world, kind):
    subject = suspension(world, "institute-a", grounds=[*EXTERNAL, {"kind": kind, "id": "F9"}])
    receipt = world.propose("p", "suspend_member", subject, "bank-a")
    assert (receipt.code, f"there is no {kind} F9" in receipt.detail) == ("unknown_ground", True)


def test_a_ballot_about_a_member_names_it(world):
    for name in ("suspend_member", "reinstate_member", "remove_member"):
        assert KINDS[name].concerned({"member": "bank-a"}) == "bank-a"
    assert KINDS["add_validator"].concerned({"node": "bank-a"}) is None


# Seats


def seat_twice(world):
    """Give institute-a two of seven seats, and return enough voters."""
    for node, member in (("institute-a", "institute-a"), ("public-a", "public-a"), ("institute-b", "institute-a")):
        world.add(node, member)
    return ("bank-a", "central-bank", "regulator", "enterprise-a", "public-a")


def test_validators_of_a_suspended_member_step_down_one_a_block(world):
    chain, voters = world.chain, seat_twice(world)
    outcome = suspend(world, "institute-a", seats=True, voters=voters)
    assert outcome["seats"] == {"leaving": ["institute-a", "institute-b"], "staying": []}
    assert chain.executor.next_deadline_ms() == 0
    for node in ("institute-a", "institute-b"):
        chain.block()
        said = chain.begun["governance"]["stepped_down"]
        height = chain.executor.height
        assert said == {"node": node, "member": "institute-a", "proposal": "suspend", "first_height": height + 2}
        assert node in [seat.id for seat in world.validators.validators]
    chain.block()
    assert world.validators.n == 5
    assert world.reader.get("governance/stepping_down") is None
    assert membership.node(world.reader, "institute-b")["kind"] == "observer"
    chain.block()
    assert chain.executor.next_deadline_ms() > chain.executor.time_ms


def test_the_last_four_validators_stay(world):
    outcome = suspend(world, "enterprise-a", seats=True)
    assert outcome["seats"] == {"leaving": [], "staying": ["enterprise-a"]}
    assert world.reader.get("governance/stepping_down") is None


def test_as_many_step_down_as_leave_four(world):
    world.add("institute-a")
    outcome = suspend(world, "bank-a", seats=True, voters=("bank-a", "central-bank", "regulator", "enterprise-a"))
    assert outcome["seats"] == {"leaving": ["bank-a"], "staying": []}


def test_a_seat_that_cannot_be_left_any_more_stays_and_the_block_says_why(world, monkeypatch):
    world.add("institute-a")
    voters = ("bank-a", "central-bank", "regulator", "enterprise-a")
    suspend(world, "institute-a", seats=True, voters=voters)
    monkeypatch.setattr(governance_seats, "MIN_VALIDATORS", 5)
    world.chain.block()
    assert world.chain.begun["governance"]["stepped_down"]["code"] == "too_few_validators"
    assert world.validators.n == 5


def test_reinstatement_keeps_the_seats_that_are_left_and_brings_none_back(world):
    chain, voters = world.chain, seat_twice(world)
    suspend(world, "institute-a", seats=True, voters=voters)
    about = {"member": "institute-a", "grounds": EXTERNAL}
    proposed = chain.sign(
        "public-a/admin", "governance.propose", {"id": "back", "kind": "reinstate_member", "subject": about}
    )
    votes = [chain.sign(f"{member}/admin", "governance.vote", {"ballot": "back", "choice": "yes"}) for member in voters]
    receipts = chain.block(proposed, *votes)  # in the block in which the first of the two steps down
    assert [receipt.code for receipt in receipts] == ["ok"] * 4 + ["ballot_closed"] * 2
    assert of(world, "institute-a") == "good"
    chain.block()
    assert "stepped_down" not in chain.begun.get("governance", {})
    chain.block()
    assert [seat.id for seat in world.validators.validators if seat.member == "institute-a"] == ["institute-b"]


def test_no_node_of_a_suspended_member_becomes_a_validator(world):
    world.node("institute-a")
    world.propose("seat", "add_validator", {"node": "institute-a"}, by="public-a")
    until_ms = suspend(world, "institute-a")["until_ms"]
    refused = world.propose("again", "add_validator", {"node": "institute-a"}, by="public-a")
    assert refused.code == "suspended"
    receipt = world.vote("seat", "bank-a", "central-bank", "regulator")
    assert (receipt.data["status"], receipt.data["outcome"]["code"]) == ("void", "suspended")
    world.chain.block(time_ms=until_ms)
    world.ready("institute-a")
    assert world.propose("then", "add_validator", {"node": "institute-a"}).ok


# Removal


def test_a_removed_member_is_former_and_keeps_only_its_keys_answers_and_appeals(world):
    chain = world.chain
    world.node("institute-a")
    world.node("institute-b")
    about = {"member": "institute-a", "grounds": EXTERNAL}
    outcome = world.accept("out", "remove_member", about, "bank-a").data["outcome"]
    assert outcome == {"member": "institute-a", "nodes": ["institute-a", "institute-b"]}
    shown = membership.member(world.reader, "institute-a")
    assert shown["standing"] == {"status": "former", "since": chain.executor.height, "proposal": "out"}
    assert (shown["nodes"], former(world.reader)) == ([], ["institute-a"])
    for node in ("institute-a", "institute-b"):
        assert membership.node(world.reader, node)["kind"] == "former"
        assert node not in world.reader.get("membership/nodes")
    refused = world.propose("p", "remove_validator", {"node": "bank-a"})
    assert (refused.code, "still responds" in refused.detail) == ("former_member", True)
    assert chain.submit("institute-a/admin", "supervision.ask", topic="T", question="When?").code == "former_member"
    assert chain.submit("institute-a/admin", "supervision.appeal", finding="F1", reason="No").code == "unknown_finding"
    assert chain.submit("institute-a/admin", "membership.rotate_operator_key", key=world.key("new")).ok
    assert world.propose("again", "remove_member", about, "bank-a").code == "former_member"
    assert world.propose("s", "suspend_member", suspension(world, "institute-a"), "bank-a").code == "former_member"
    assert world.propose("r", "reinstate_member", about, "bank-a").code == "former_member"


def test_the_name_of_a_former_member_is_not_given_again(world):
    world.accept("out", "remove_member", {"member": "institute-a", "grounds": EXTERNAL}, "bank-a")
    example = dict(KINDS["add_member"].example)
    assert world.propose("in", "add_member", {**example, "member": "institute-a"}, "bank-a").code == "member_exists"


def test_who_runs_a_validator_or_will_is_not_removed(world):
    about = {"member": "bank-a", "grounds": EXTERNAL}
    assert world.propose("out", "remove_member", about, "public-a").code == "runs_validator"
    world.node("institute-a")
    about = {"member": "institute-a", "grounds": EXTERNAL}
    assert world.propose("out", "remove_member", about, "public-a").ok
    world.vote("out", "bank-a", "central-bank")
    world.propose("seat", "add_validator", {"node": "institute-a"})
    world.vote("seat", "bank-a", "central-bank")
    votes = [
        world.chain.sign("regulator/admin", "governance.vote", {"ballot": ballot, "choice": "yes"})
        for ballot in ("seat", "out")
    ]
    _, decided = world.chain.block(*votes)  # the seat is taken with the next block
    assert (decided.data["status"], decided.data["outcome"]["code"]) == ("void", "runs_validator")


def test_the_last_government_member_stays(signer_of):
    seats = ("bank-a", "central-bank", "enterprise-a", "institute-a")
    world = World(Chain(make_genesis(members=(*seats, "city", "public-a"), validators=seats)), signer_of)
    about = {"member": "city", "grounds": EXTERNAL}
    assert world.propose("out", "remove_member", about, "public-a").code == "last_government"


def test_a_government_member_is_removed_while_another_one_is_left(signer_of):
    seats = ("bank-a", "central-bank", "enterprise-a", "institute-a")
    world = World(Chain(make_genesis(members=(*seats, "city", "public-a", "regulator"), validators=seats)), signer_of)
    voters = ("bank-a", "central-bank", "enterprise-a")
    removed = world.accept("out", "remove_member", {"member": "city", "grounds": EXTERNAL}, "public-a", voters)
    assert removed.data["status"] == "accepted"
    about = {"member": "regulator", "grounds": EXTERNAL}
    assert world.propose("last", "remove_member", about, "public-a").code == "last_government"


def test_a_removal_ends_a_suspension_for_good(world):
    chain = world.chain
    outcome = suspend(world, "institute-a", days=3)
    world.accept("out", "remove_member", {"member": "institute-a", "grounds": EXTERNAL}, "bank-a")
    assert (suspended(world.reader), former(world.reader)) == ([], ["institute-a"])
    chain.block(time_ms=outcome["until_ms"])
    assert of(world, "institute-a") == "former"


def test_of_a_suspension_and_the_vote_it_concerns_in_one_block_the_order_decides(world):
    chain = world.chain
    world.add("institute-a")
    subject = suspension(world, "institute-a")
    world.propose("suspend", "suspend_member", subject, "public-a")
    world.vote("suspend", "bank-a", "central-bank")
    world.propose("other", "suspend_member", suspension(world, "public-a"), "bank-a")
    deciding = chain.sign("regulator/admin", "governance.vote", {"ballot": "suspend", "choice": "yes"})
    vote = chain.sign("institute-a/admin", "governance.vote", {"ballot": "other", "choice": "yes"})
    assert [receipt.code for receipt in chain.block(deciding, vote)] == ["ok", "suspended"]
