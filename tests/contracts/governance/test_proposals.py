from __future__ import annotations

import json

import pytest

from coseal.contracts.governance import actions as governance
from coseal.contracts.membership import actions as membership
from coseal.contracts.registry import CONTRACTS, KINDS
from tests.support.genesis import PRESENCE_MS
from tests.support.governance import World

DAY_MS = 86_400_000
DER = "3003020100"
SMALL_ORDER = "00" * 32


@pytest.fixture
def world(chain, signer_of):
    return World(chain, signer_of)


def ids(validators):
    return [seat.id for seat in validators.validators]


# Proposals and votes


def test_a_quorum_of_the_validators_members_accepts(world):
    world.node("institute-a")
    assert world.propose("more", "add_validator", {"node": "institute-a"}).data["status"] == "open"
    assert world.vote("more", "bank-a", "regulator").data["status"] == "open"
    decided = world.vote("more", "central-bank")
    assert (decided.data["status"], decided.data["yes"], decided.data["needed"]) == ("accepted", 3, 3)
    assert decided.data["outcome"] == {"first_height": world.chain.executor.height + 2}


def test_proposing_is_the_proposers_yes_if_it_has_a_vote(world):
    world.node("institute-a")
    assert world.propose("more", "add_validator", {"node": "institute-a"}, "bank-a").data["yes"] == 1
    assert world.vote("more", "bank-a").code == "already_voted"
    assert world.vote("more", "central-bank", "regulator").data["status"] == "accepted"


def test_two_of_four_reject(world):
    world.node("institute-a")
    world.propose("more", "add_validator", {"node": "institute-a"})
    assert world.vote("more", "bank-a", "regulator", choice="no").data["status"] == "rejected"
    assert world.vote("more", "central-bank").code == "ballot_closed"
    assert governance.proposals(world.reader, KINDS, "open") == []


def test_who_runs_no_validator_has_no_vote(world):
    world.node("institute-a")
    world.propose("more", "add_validator", {"node": "institute-a"})
    assert world.vote("more", "institute-a").code == "not_elector"


def test_only_who_may_operate_proposes_and_votes(world, signer_of):
    key = world.key("bank-a/clerk")
    args = {"user": "clerk", "key": key, "capabilities": ["submit"]}
    assert world.chain.submit("bank-a/admin", "membership.add_operator", **args).ok
    example = dict(CONTRACTS["governance"].actions["propose"].example)
    assert world.chain.submit("bank-a/clerk", "governance.propose", **example).code == "forbidden"
    assert world.chain.submit("bank-a/clerk", "governance.vote", ballot="x", choice="yes").code == "forbidden"


def test_a_proposal_shows_votes_with_their_reasons_and_how_it_stands(world):
    world.node("institute-a")
    world.propose("more", "add_validator", {"node": "institute-a"}, reason="We want to help")
    args = {"ballot": "more", "choice": "no", "reason": "Not yet"}
    world.chain.submit("bank-a/admin", "governance.vote", **args)
    shown = world.proposal("more")
    assert (shown["status"], shown["reason"], shown["number"]) == ("open", "We want to help", 1)
    assert (shown["yes"], shown["no"], shown["needed"]) == (0, 1, 3)
    assert shown["electorate"] == ["bank-a", "central-bank", "enterprise-a", "regulator"]
    assert [(vote["member"], vote["choice"], vote["reason"]) for vote in shown["votes"]] == [
        ("bank-a", "no", "Not yet")
    ]
    assert (shown["decided"], shown["outcome"]) == (None, {})
    assert governance.proposal(world.reader, "other", KINDS) is None
    assert world.chain.submit("bank-a/admin", "governance.vote", ballot="other", choice="no").code == "unknown_ballot"


def test_an_id_is_used_once_for_ever(world):
    world.node("institute-a")
    world.propose("more", "add_validator", {"node": "institute-a"})
    assert world.propose("more", "add_validator", {"node": "institute-a"}).code == "exists"
    world.vote("more", "bank-a", "regulator", choice="no")
    assert world.propose("more", "add_validator", {"node": "institute-a"}).code == "exists"


def test_a_proposal_expires_by_block_time_and_an_idle_chain_wakes_for_it(world):
    chain = world.chain
    world.node("institute-a")
    closes_ms = chain.now_ms + 5_000
    world.propose("more", "add_validator", {"node": "institute-a"}, closes_ms=closes_ms)
    assert chain.executor.next_deadline_ms() == closes_ms
    chain.block(time_ms=closes_ms - 1)
    assert world.proposal("more")["status"] == "open"
    chain.block(time_ms=closes_ms)
    assert world.proposal("more")["status"] == "expired"
    assert chain.begun["governance"]["closed"][0]["status"] == "expired"
    assert chain.executor.next_deadline_ms() == PRESENCE_MS


@pytest.mark.parametrize("offset_ms", [0, -1, 90 * DAY_MS + 1])
def test_a_proposal_closes_within_90_days(world, offset_ms):
    world.node("institute-a")
    closes_ms = world.chain.now_ms + offset_ms
    receipt = world.propose("more", "add_validator", {"node": "institute-a"}, closes_ms=closes_ms)
    assert receipt.code == "bad_time"


def test_a_member_has_at_most_four_open_proposals(world):
    world.node("institute-a")
    for number in range(governance.MAX_OPEN_OF_MEMBER):
        assert world.propose(f"p{number}", "add_validator", {"node": "institute-a"}).ok
    assert world.propose("p9", "add_validator", {"node": "institute-a"}).code == "too_many_proposals"
    world.vote("p0", "bank-a", "regulator", choice="no")
    assert world.propose("p9", "add_validator", {"node": "institute-a"}).ok


def test_who_has_no_vote_waits_while_too_many_are_open(world, monkeypatch):
    monkeypatch.setattr(governance, "MAX_OPEN", 1)
    world.node("institute-a")
    assert world.propose("p0", "add_validator", {"node": "institute-a"}).ok
    assert world.propose("p1", "add_validator", {"node": "institute-a"}).code == "too_many_proposals"
    assert world.propose("p1", "add_validator", {"node": "institute-a"}, by="bank-a").ok


def test_proposals_are_listed_newest_first_in_pages(world):
    world.node("institute-a")
    for number in range(3):
        world.propose(f"p{number}", "add_validator", {"node": "institute-a"})
    world.vote("p1", "bank-a", "regulator", choice="no")

    def names(*args, **more):
        return [item["id"] for item in governance.proposals(world.reader, KINDS, *args, **more)]

    assert names() == ["p2", "p1", "p0"]
    assert names("open") == ["p2", "p0"]
    assert names("rejected") == ["p1"]
    assert names(limit=2) == ["p2", "p1"]
    assert names(limit=2, before=2) == ["p0"]
    assert names("open", before=3, limit=1) == ["p0"]


# The set of validators


def test_a_new_set_is_named_by_the_next_block_and_signs_from_the_one_after(world):
    chain = world.chain
    world.node("institute-a")
    old = world.validators
    world.accept("more", "add_validator", {"node": "institute-a"})
    accepted = chain.executor.height
    assert chain.blocks[-1].block.header.next_validators_hash == old.hash
    assert (world.validators, membership.pending(world.reader)) == (old, "more")
    assert chain.executor.next_deadline_ms() == 0  # an idle chain makes the next block at once
    chain.block()
    header = chain.blocks[-1].block.header
    assert (header.height, header.validators_hash) == (accepted + 1, old.hash)
    assert header.next_validators_hash == world.validators.hash != old.hash
    assert (world.validators.epoch, world.validators.n) == (1, 5)
    assert membership.node(world.reader, "institute-a")["kind"] == "validator"
    begun = dict(chain.begun["membership"]["validators"])
    rows = begun.pop("rows")
    assert rows == world.reader.get("membership/validators")[1]
    assert begun == {
        "proposal": "more",
        "epoch": 1,
        "first_height": accepted + 2,
        "n": 5,
        "added": ["institute-a"],
        "removed": [],
    }
    chain.block()
    header = chain.blocks[-1].block.header
    assert (header.epoch, header.validators_hash) == (1, world.validators.hash)
    assert membership.pending(world.reader) is None
    assert chain.executor.next_deadline_ms() > chain.executor.time_ms  # only the time of the decided ballot is left


def test_every_epoch_stays_known(world):
    chain = world.chain
    first = world.validators
    world.add("institute-a")
    second, begins = world.validators, chain.executor.height + 1
    world.add("public-a", "public-a")
    third, next_begins = world.validators, chain.executor.height + 1
    assert membership.validators_at(world.reader, 0) is None
    for height, expected in (
        (1, first),
        (begins - 1, first),
        (begins, second),
        (next_begins - 1, second),
        (next_begins, third),
        (next_begins + 100, third),
    ):
        assert membership.validators_at(world.reader, height) == expected
    epochs = membership.epochs(world.reader)
    assert json.loads(json.dumps(epochs)) == epochs
    assert [(item["epoch"], item["first_height"], item["n"]) for item in epochs] == [
        (0, 1, 4),
        (1, begins, 5),
        (2, next_begins, 6),
    ]
    assert membership.epoch(world.reader, 1).validators == second
    assert membership.epoch(world.reader, 3) is None


def test_a_removed_validator_becomes_an_observer_and_may_come_back(world):
    world.add("institute-a")
    decided = world.accept("less", "remove_validator", {"node": "enterprise-a"}, "bank-a", ids(world.validators))
    assert decided.data["status"] == "accepted"
    world.chain.block()
    assert ids(world.validators) == ["bank-a", "central-bank", "institute-a", "regulator"]
    assert membership.node(world.reader, "enterprise-a")["kind"] == "observer"
    assert world.propose("back", "add_validator", {"node": "enterprise-a"}, "bank-a").code == "not_ready"
    assert world.ready("enterprise-a").ok
    assert world.propose("back", "add_validator", {"node": "enterprise-a"}, "bank-a").ok


def test_votes_of_a_member_whose_last_validator_was_removed_count_no_more(world):
    world.add("institute-a")
    world.node("public-a", "public-a")
    world.propose("later", "add_validator", {"node": "public-a"}, "enterprise-a")
    world.accept("less", "remove_validator", {"node": "enterprise-a"}, "bank-a", ids(world.validators))
    world.chain.block()
    assert world.proposal("later")["yes"] == 0
    assert world.vote("later", "enterprise-a").code == "not_elector"


def test_a_removal_to_three_validators_is_refused(world):
    receipt = world.propose("less", "remove_validator", {"node": "bank-a"}, "bank-a")
    assert (receipt.code, "3 validators" in receipt.detail) == ("too_few_validators", True)


def test_only_a_validator_is_removed(world):
    world.node("institute-a")
    assert world.propose("less", "remove_validator", {"node": "institute-a"}).code == "not_validator"
    assert world.propose("less", "remove_validator", {"node": "nobody"}).code == "not_validator"


def test_only_a_registered_observer_is_added(world):
    assert world.propose("more", "add_validator", {"node": "nobody"}).code == "unknown_node"
    assert world.propose("more", "add_validator", {"node": "bank-a"}).code == "is_validator"
    world.node("institute-a")
    assert world.chain.submit("institute-a/admin", "membership.remove_node", node="institute-a").ok
    assert world.propose("more", "add_validator", {"node": "institute-a"}).code == "unknown_node"


def test_a_node_that_did_not_say_it_is_ready_is_refused(world, monkeypatch):
    world.node("institute-a", ready=False)
    assert world.propose("more", "add_validator", {"node": "institute-a"}).code == "not_ready"
    world.ready("institute-a")
    assert world.propose("more", "add_validator", {"node": "institute-a"}).ok
    ready = membership.node(world.reader, "institute-a")["ready"]
    monkeypatch.setattr("coseal.contracts.membership.nodes.READY_BLOCKS", world.chain.executor.height - ready)
    assert world.propose("late", "add_validator", {"node": "institute-a"}).code == "not_ready"


def test_a_member_with_more_than_f_seats_is_refused(world):
    world.node("bank-a-2", "bank-a")
    receipt = world.propose("more", "add_validator", {"node": "bank-a-2"}, "bank-a")
    assert (receipt.code, "member bank-a holds more than f" in receipt.detail) == ("unsafe_validators", True)


def test_a_removal_that_leaves_a_member_more_than_f_seats_is_refused(world):
    for member in ("institute-a", "public-a", "city"):
        world.add(member, member)
    world.add("bank-a-2", "bank-a")  # 2 of 8, f = 2
    chain = world.chain
    voters = sorted({seat.member for seat in world.validators.validators})
    accepted = world.accept("less", "remove_validator", {"node": "city"}, "bank-a", voters)  # 2 of 7, f = 2
    assert accepted.data["status"] == "accepted"
    chain.block()
    receipt = world.propose("again", "remove_validator", {"node": "public-a"}, "bank-a")  # 2 of 6, f = 1
    assert receipt.code == "unsafe_validators"


def test_a_role_with_a_quorum_is_refused(world):
    world.add("institute-a")
    bank = {"member": "bank-b", "name": "Bank B", "role": "bank", "level": "", "sector": ""}
    for name in ("bank-b", "bank-c"):
        operators = [{"user": "admin", "key": world.key(f"{name}/admin"), "capabilities": ["operate"]}]
        world.accept(
            f"member-{name}",
            "add_member",
            {**bank, "member": name, "operators": operators},
            "bank-a",
            ids(world.validators),
        )
    world.add("bank-b", "bank-b")
    world.node("bank-c", "bank-c")
    world.accept("less", "remove_validator", {"node": "enterprise-a"}, "bank-a", ids(world.validators))
    world.chain.block()  # bank-a, bank-b, central-bank, institute-a, regulator: three banks of five, q = 4
    assert ids(world.validators) == ["bank-a", "bank-b", "central-bank", "institute-a", "regulator"]
    assert world.propose("less-2", "remove_validator", {"node": "institute-a"}, "bank-a").code == "unsafe_validators"


def test_of_two_changes_accepted_in_one_block_the_second_is_void(world):
    chain = world.chain
    world.node("institute-a")
    world.node("public-a", "public-a")
    world.propose("one", "add_validator", {"node": "institute-a"}, "bank-a")
    world.propose("two", "add_validator", {"node": "public-a"}, "bank-a")
    for proposal_id in ("one", "two"):
        world.vote(proposal_id, "central-bank")
    first, second = chain.block(
        *(
            chain.sign("regulator/admin", "governance.vote", {"ballot": name, "choice": "yes"})
            for name in ("one", "two")
        )
    )
    assert (first.data["status"], second.data["status"]) == ("accepted", "void")
    assert second.data["outcome"]["code"] == "change_pending"
    chain.block()
    assert ids(world.validators) == ["bank-a", "central-bank", "enterprise-a", "institute-a", "regulator"]
    assert world.proposal("two")["outcome"]["code"] == "change_pending"


def test_a_proposal_that_the_world_overtook_is_void_when_it_is_accepted(world):
    world.add("institute-a")
    world.propose("one", "remove_validator", {"node": "enterprise-a"}, "bank-a")
    world.propose("two", "remove_validator", {"node": "institute-a"}, "bank-a")
    world.vote("one", "central-bank", "regulator", "institute-a")
    world.chain.block()
    before = world.validators
    decided = world.vote("two", "central-bank", "regulator")
    assert (decided.data["status"], decided.data["outcome"]["code"]) == ("void", "too_few_validators")
    world.chain.block()
    assert world.validators == before


def test_while_a_change_waits_for_its_block_another_is_refused(world):
    chain = world.chain
    world.node("institute-a")
    world.node("public-a", "public-a")
    world.propose("one", "add_validator", {"node": "institute-a"}, "bank-a")
    world.vote("one", "central-bank")
    receipts = chain.block(
        chain.sign("regulator/admin", "governance.vote", {"ballot": "one", "choice": "yes"}),
        chain.sign(
            "bank-a/admin",
            "governance.propose",
            {"id": "two", "kind": "add_validator", "subject": {"node": "public-a"}},
        ),
        chain.sign("institute-a/admin", "membership.remove_node", {"node": "institute-a"}),
    )
    assert [receipt.code for receipt in receipts] == ["ok", "change_pending", "is_validator"]


def test_a_lone_validators_network_grows_and_never_shrinks(make_chain, genesis_with, signer_of):
    genesis = genesis_with(validators=("regulator",))
    world = World(make_chain(genesis), signer_of)
    world.node("bank-a", "bank-a")
    receipt = world.propose("more", "add_validator", {"node": "bank-a"}, "regulator")
    assert receipt.data["status"] == "accepted"
    world.chain.block()
    assert ids(world.validators) == ["bank-a", "regulator"]
    assert world.propose("less", "remove_validator", {"node": "bank-a"}, "regulator").code == "too_few_validators"


# Keys of validators


def test_a_validators_key_is_replaced_with_the_next_epoch(world):
    subject = world.rotation("bank-a", "node bank-a, new")
    assert world.accept("key", "rotate_validator_key", subject, "bank-a").data["status"] == "accepted"
    old = world.validators
    late = world.chain.sign("bank-a/admin", "membership.rotate_operator_key", {"key": subject["key"]})
    assert world.chain.block(late)[0].code == "key_in_use"
    assert (world.validators.epoch, ids(world.validators)) == (1, ids(old))
    assert world.validators[0].key.hex() == subject["key"]
    assert membership.node(world.reader, "bank-a")["consensus_key"] == subject["key"]
    assert world.chain.begun["membership"]["validators"]["added"] == []
    assert membership.validators_at(world.reader, 1) == old


@pytest.mark.parametrize("wrong", [{"chain_id": b"\x01" * 32}, {"node": "regulator"}])
def test_the_new_key_consents_to_this_node_of_this_chain(world, wrong):
    subject = world.rotation("bank-a", "node bank-a, new", **wrong)
    assert world.propose("key", "rotate_validator_key", subject, "bank-a").code == "bad_proof"


def test_a_key_is_replaced_by_its_own_member_alone(world):
    subject = world.rotation("bank-a", "node bank-a, new")
    assert world.propose("key", "rotate_validator_key", subject, "regulator").code == "forbidden"


@pytest.mark.parametrize("owner", ["node bank-a", "node regulator", "enterprise-a/admin"])
def test_a_key_that_is_in_use_cannot_become_a_validators(world, owner):
    assert world.propose("key", "rotate_validator_key", world.rotation("bank-a", owner), "bank-a").code == "key_in_use"


def test_a_weak_key_cannot_become_a_validators(world):
    subject = {"node": "bank-a", "key": SMALL_ORDER, "proof": "00" * 64}
    receipt = world.propose("key", "rotate_validator_key", subject, "bank-a")
    assert (receipt.code, receipt.detail.startswith("args.subject.key:")) == ("invalid_argument", True)


def test_only_a_validators_key_is_replaced_by_governance(world):
    world.node("institute-a")
    subject = world.rotation("institute-a", "new")
    assert world.propose("key", "rotate_validator_key", subject).code == "not_validator"


# Members

BANK = {"member": "bank-b", "name": "Bank B", "role": "bank", "level": "", "sector": ""}


def with_operators(world, *rights, **changes):
    keys = [world.key(f"bank-b/{number}") for number in range(len(rights))]
    operators = [
        {"user": f"user-{number}", "key": key, "capabilities": list(capabilities)}
        for number, (key, capabilities) in enumerate(zip(keys, rights, strict=True))
    ]
    return {**BANK, "operators": operators, **changes}


def test_an_accepted_member_can_act_at_once(world):
    subject = with_operators(world, ["operate", "submit"], ["submit"])
    assert world.accept("bank", "add_member", subject, "bank-a").data["outcome"] == {"member": "bank-b"}
    found = membership.member(world.reader, "bank-b")
    assert (found["role"], found["since"], found["nodes"]) == ("bank", world.chain.executor.height, [])
    assert [operator["user"] for operator in found["operators"]] == ["user-0", "user-1"]
    world.chain.keys["bank-b/user-0"] = world.signer_of("bank-b/0")
    assert world.chain.submit("bank-b/user-0", "membership.set_profile", name="B").ok


@pytest.mark.parametrize(
    ("rights", "changes", "code"),
    [
        ([["operate"]], {"member": "bank-a"}, "member_exists"),
        ([["submit"]], {}, "bad_member"),
        ([["operate", "supervise"]], {}, "bad_member"),
        ([["operate"]], {"level": "central"}, "bad_member"),
        ([["operate"]], {"role": "government"}, "bad_member"),
        ([["operate"]], {"member": "Bank"}, "invalid_argument"),
        ([], {}, "invalid_argument"),
        ([["operate", "root"]], {}, "invalid_argument"),
    ],
)
def test_a_member_that_does_not_fit_is_refused(world, rights, changes, code):
    assert world.propose("bank", "add_member", with_operators(world, *rights, **changes), "bank-a").code == code


def test_operators_of_a_new_member_have_keys_and_names_of_their_own(world):
    subject = with_operators(world, ["operate"], ["submit"])
    same_key = [{**operator, "key": world.key("bank-b/0")} for operator in subject["operators"]]
    same_name = [{**operator, "user": "one"} for operator in subject["operators"]]
    taken = [{**subject["operators"][0], "key": world.key("bank-a/admin")}]
    for operators, code in ((same_key, "bad_member"), (same_name, "bad_member"), (taken, "key_in_use")):
        assert world.propose("bank", "add_member", {**subject, "operators": operators}, "bank-a").code == code


def test_a_new_government_member_may_supervise(world):
    subject = with_operators(world, ["operate", "supervise"], role="government", level="municipal", sector="trade")
    assert world.accept("city", "add_member", subject, "bank-a").data["status"] == "accepted"


# Rules


@pytest.mark.parametrize(
    ("version", "ahead", "code"), [(1, 10, "bad_version"), (3, 10, "bad_version"), (2, 1, "too_soon"), (2, 2, "ok")]
)
def test_the_version_rises_by_one_and_not_at_once(world, version, ahead, code):
    height = world.chain.executor.height + 1 + ahead
    assert world.propose("rules", "protocol_version", {"version": version, "height": height}, "bank-a").code == code


def test_a_version_accepted_too_late_for_its_height_is_void(world):
    height = world.chain.executor.height + 3
    world.propose("rules", "protocol_version", {"version": 2, "height": height}, "bank-a")
    decided = world.vote("rules", "central-bank", "regulator")
    assert (decided.data["status"], decided.data["outcome"]["code"]) == ("void", "too_soon")


def test_the_subject_of_a_proposal_is_checked_field_by_field(world):
    for kind, wrong in (
        ("add_validator", {"node": "Upper"}),
        ("add_validator", {}),
        ("remove_validator", {"node": "a", "more": 1}),
        ("protocol_version", {"version": "2", "height": 9}),
        ("rotate_validator_key", {"node": "bank-a", "key": world.key("x"), "proof": "00"}),
    ):
        receipt = world.propose("p", kind, wrong, "bank-a")
        assert (receipt.code, receipt.detail.startswith("args.subject")) == ("invalid_argument", True)
    assert world.propose("p", "nothing", {}, "bank-a").code == "invalid_argument"
    assert sorted(KINDS) == [
        "add_contract",
        "add_member",
        "add_validator",
        "adopt_scheme",
        "amend_constitution",
        "credit_formula",
        "currency_class",
        "currency_correction",
        "currency_regime",
        "custody_plan",
        "disclosure_policy",
        "emergency_measure",
        "end_measure",
        "measure",
        "open_mission",
        "protocol_version",
        "recognise_standard",
        "reinstate_member",
        "remove_member",
        "remove_validator",
        "retire_scheme",
        "retry_due",
        "revoke_certificate",
        "rotate_validator_key",
        "settle_dispute",
        "suspend_member",
        "withdraw_contract",
        "withdraw_version",
    ]
