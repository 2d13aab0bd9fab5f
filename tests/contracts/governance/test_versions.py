"""A protocol version waits until a quorum of validators has it, and no ballot stops the chain (A8, A10, A11, M11)."""

from __future__ import annotations

import pytest

from coseal.contracts.execution import UnknownProtocol
from coseal.contracts.governance import actions as governance
from coseal.contracts.governance import versions as governance_versions
from coseal.contracts.membership import actions as membership
from coseal.contracts.registry import CONTRACTS, KINDS
from tests.support.governance import World

VALIDATORS = ("bank-a", "central-bank", "enterprise-a", "regulator")
NEWER = {1: CONTRACTS, 2: {**CONTRACTS, "policy": CONTRACTS["membership"]}}


class Upgrading(World):
    """A world whose software has version 2, and whose nodes say so one by one."""

    @property
    def height(self):
        return self.chain.executor.height

    @property
    def version(self):
        return self.chain.executor.protocol_version

    @property
    def upgrade(self):
        return governance_versions.upgrade(self.reader, self.height)

    def accept(self, proposal_id, kind, subject, by="bank-a", voters=None):
        """Propose and have the members of validators vote yes, until it is decided."""
        voters = [seat.member for seat in self.validators.validators] if voters is None else voters
        return super().accept(proposal_id, kind, subject, by, voters)

    def declare(self, *nodes, versions=(2,)):
        for node in nodes:
            if f"node:{node}" not in self.chain.keys:
                self.chain.keys[f"node:{node}"] = self.signer_of(f"node {node}")
            receipt = self.chain.submit(f"node:{node}", "membership.declare_software", protocol_versions=list(versions))
            assert receipt.ok, receipt

    def schedule(self, ahead, name="rules"):
        """Have version 2 accepted for the height that is ``ahead`` of the tip; return that height."""
        height = self.height + ahead
        decided = self.accept(name, "protocol_version", {"version": 2, "height": height})
        assert decided.data["status"] == "accepted", decided
        return height

    def grow_to(self, height):
        while self.height < height:
            self.chain.block()


@pytest.fixture
def world(make_chain, signer_of):
    return Upgrading(make_chain(rules=NEWER), signer_of)


@pytest.fixture
def of_seven(make_chain, genesis_with, signer_of):
    validators = ("bank-a", "central-bank", "city", "enterprise-a", "institute-a", "public-a", "regulator")
    return Upgrading(make_chain(genesis_with(validators=validators), rules=NEWER), signer_of)


# When it takes effect


def test_a_version_that_a_quorum_has_takes_effect_at_its_height(world):
    world.declare("bank-a", "central-bank", "regulator")
    height = world.schedule(6)
    assert world.upgrade == {
        "version": 2,
        "height": height,
        "proposal": "rules",
        "first_height": height,
        "having": ["bank-a", "central-bank", "regulator"],
        "lacking": ["enterprise-a"],
        "needed": 3,
    }
    again = world.propose("more", "protocol_version", {"version": 2, "height": height}, "bank-a")
    assert again.code == "change_pending"
    world.grow_to(height - 2)
    assert world.version == 1
    world.chain.block()
    announced = world.chain.begun["governance"]["protocol_version"]
    assert announced == {"version": 2, "first_height": height, "proposal": "rules"}
    assert (world.version, world.upgrade) == (2, None)
    world.chain.restart()
    world.chain.block()
    assert world.height == height


def test_a_version_that_no_software_has_waits_for_ever_and_the_chain_goes_on(chain, signer_of):
    world = Upgrading(chain, signer_of)
    height = world.schedule(5)
    world.grow_to(height + 50)
    assert world.version == 1
    assert (world.upgrade["first_height"], world.upgrade["lacking"]) == (None, list(VALIDATORS))
    chain.restart()
    assert chain.submit("bank-a/admin", "membership.set_profile", description="Still here").ok
    assert world.accept("stay", "withdraw_version", {"proposal": "rules"}).data["status"] == "accepted"
    assert world.upgrade is None


def test_one_less_than_a_quorum_is_not_enough_and_the_last_one_brings_it_two_blocks_later(world):
    world.declare("bank-a", "central-bank")
    height = world.schedule(5)
    world.grow_to(height + 3)
    assert (world.version, world.upgrade["first_height"]) == (1, None)
    world.declare("enterprise-a")
    first = world.height + governance_versions.MIN_NOTICE_BLOCKS
    assert (world.version, world.upgrade["first_height"]) == (1, first)
    world.chain.block()
    assert world.chain.begun["governance"]["protocol_version"]["first_height"] == first
    assert (world.version, world.height) == (2, first - 1)


def test_a_node_that_takes_its_word_back_counts_no_more(world):
    world.declare("bank-a", "central-bank", "regulator")
    height = world.schedule(8)
    world.declare("regulator", versions=())
    world.grow_to(height + 2)
    assert (world.version, world.upgrade["having"]) == (1, ["bank-a", "central-bank"])


def test_a_word_about_another_version_does_not_count(world):
    world.declare(*VALIDATORS, versions=(3, 4))
    height = world.schedule(6)
    world.grow_to(height + 2)
    assert (world.version, world.upgrade["having"]) == (1, [])


def test_a_word_outlasts_the_version_before(make_chain, signer_of):
    world = Upgrading(make_chain(rules={**NEWER, 3: CONTRACTS}), signer_of)
    world.declare(*VALIDATORS, versions=(3, 2))
    world.grow_to(world.schedule(6))
    assert world.version == 2
    later = world.height + 6
    assert world.accept("third", "protocol_version", {"version": 3, "height": later}, "bank-a").ok
    world.grow_to(later)
    assert world.version == 3


def test_a_node_without_the_version_cannot_go_on_and_says_what_it_needs(world):
    world.declare("bank-a", "central-bank", "regulator")
    height = world.schedule(5)
    world.chain.rules = world.chain.executor._rules = {1: CONTRACTS}  # this node is the fourth
    world.grow_to(height - 1)
    with pytest.raises(UnknownProtocol, match=f"block {height} needs protocol version 2, this software knows 1"):
        world.chain.draft([])
    with pytest.raises(UnknownProtocol):
        world.chain.restart()


# While the validators change


def test_only_present_validators_count(world):
    world.add("institute-a")
    world.declare("bank-a", "central-bank", "institute-a")
    height = world.schedule(6)
    assert (world.upgrade["needed"], world.upgrade["first_height"]) == (4, None)
    world.grow_to(height)
    assert world.accept("leave", "remove_validator", {"node": "enterprise-a"}).data["status"] == "accepted"
    assert world.upgrade["first_height"] == world.height + 2  # three of the four that are left have it
    world.chain.block()
    assert (world.version, world.chain.begun["governance"]["protocol_version"]["first_height"]) == (2, world.height + 1)


def test_a_validator_that_leaves_takes_its_word_with_it(world):
    world.add("institute-a")
    world.declare("bank-a", "central-bank", "institute-a", "regulator")
    height = world.schedule(20)
    assert world.upgrade["first_height"] == height
    world.add("public-a", "public-a")
    assert (world.upgrade["first_height"], world.upgrade["needed"]) == (None, 5)
    world.accept("leave", "remove_validator", {"node": "regulator"})
    world.grow_to(height + 3)
    assert (world.version, world.upgrade["having"]) == (1, ["bank-a", "central-bank", "institute-a"])


def test_a_seat_accepted_in_the_last_block_before_is_counted_where_it_votes(world):
    world.declare("bank-a", "central-bank", "regulator")
    world.node("institute-a")
    world.add("public-a", "public-a")
    world.declare("public-a")
    height = world.schedule(12)
    assert world.upgrade["first_height"] == height  # four of five
    world.propose("more", "add_validator", {"node": "institute-a"})
    world.vote("more", "bank-a", "central-bank", "public-a")
    world.grow_to(height - 3)
    decided = world.vote("more", "regulator")
    assert (decided.data["outcome"], world.height) == ({"first_height": height}, height - 2)
    assert (world.upgrade["needed"], world.upgrade["first_height"]) == (5, None)
    world.chain.block()
    assert (world.version, ids(world)) == (1, sorted((*VALIDATORS, "institute-a", "public-a")))


def ids(world):
    return [seat.id for seat in world.validators.validators]


def test_no_validator_is_added_that_lacks_the_version_in_force(world):
    world.declare(*VALIDATORS)
    world.node("institute-a")
    height = world.schedule(5)
    world.grow_to(height - 2)
    assert world.propose("more", "add_validator", {"node": "institute-a"}, "bank-a").code == "lacks_version"
    assert (world.height, world.version) == (height - 1, 2)  # already in the last block under the former one
    world.chain.block()
    refused = world.propose("more", "add_validator", {"node": "institute-a"}, "bank-a")
    assert (refused.code, "protocol version 2" in refused.detail) == ("lacks_version", True)
    world.declare("institute-a")
    assert world.accept("more", "add_validator", {"node": "institute-a"}).data["status"] == "accepted"


def test_no_removal_leaves_too_few_that_have_the_version_in_force(of_seven):
    world = of_seven
    world.declare("bank-a", "central-bank", "city", "enterprise-a", "institute-a")
    height = world.height + 8
    world.accept("rules", "protocol_version", {"version": 2, "height": height})
    world.grow_to(height)
    assert world.version == 2
    refused = world.propose("one", "remove_validator", {"node": "city"}, "bank-a")
    assert refused.code == "lacks_version"
    assert "4 of the 6 validators left have protocol version 2" in refused.detail
    assert "remove or upgrade public-a, regulator first" in refused.detail
    gone = world.accept("two", "remove_validator", {"node": "regulator"})
    assert gone.data["status"] == "accepted"
    world.chain.block()
    world.declare("public-a")
    left = world.accept("three", "remove_validator", {"node": "city"})
    assert left.data["status"] == "accepted", left


# What voters, operators and nodes see


def test_proposal_and_votes_say_who_has_the_version(world):
    world.declare("bank-a")
    lacking = ["central-bank", "enterprise-a", "regulator"]
    software = {"having": ["bank-a"], "lacking": lacking, "needed": 3}
    proposed = world.propose("rules", "protocol_version", {"version": 2, "height": 100}, "bank-a")
    assert proposed.data["software"] == software
    assert world.vote("rules", "central-bank").data["software"] == software
    assert world.proposal("rules")["software"] == software
    decided = world.vote("rules", "regulator")
    assert (decided.data["status"], decided.data["software"]) == ("accepted", software)
    assert decided.data["outcome"] == {"version": 2, "height": 100}
    assert world.proposal("rules")["software"] == software
    world.accept("stay", "withdraw_version", {"proposal": "rules"})
    assert "software" not in world.proposal("rules")
    assert "software" not in world.proposal("stay")


def test_a_proposal_of_something_else_says_nothing_of_software(world):
    world.node("institute-a")
    assert "software" not in world.propose("more", "add_validator", {"node": "institute-a"}, "bank-a").data


def test_a_node_says_what_its_software_has_and_says_it_once(world):
    chain = world.chain
    said = chain.submit("node:bank-a", "membership.declare_software", protocol_versions=[3, 2])
    assert said.data == {"member": "bank-a", "node": "bank-a", "protocol_versions": [2, 3]}
    assert membership.node(world.reader, "bank-a")["software"] == {"protocol_versions": [2, 3], "since": world.height}
    again = chain.submit("node:bank-a", "membership.declare_software", protocol_versions=[2, 3])
    assert again.code == "declared_already"
    nothing = chain.submit("node:regulator", "membership.declare_software", protocol_versions=[])
    assert nothing.code == "declared_already"


@pytest.mark.parametrize("versions", [[0], ["2"], [2, 2], [True], list(range(2, 19)), None, 2])
def test_versions_are_a_short_list_of_numbers(world, versions):
    receipt = world.chain.submit("node:bank-a", "membership.declare_software", protocol_versions=versions)
    assert receipt.code == "invalid_argument"


def test_only_a_node_says_what_its_software_has(world):
    receipt = world.chain.submit("bank-a/admin", "membership.declare_software", protocol_versions=[2])
    assert receipt.code == "only_for_nodes"


def test_an_observers_word_counts_once_it_validates_and_none_of_a_node_that_left(world):
    world.node("institute-a")
    world.declare("institute-a", "bank-a", "central-bank", "regulator")
    world.schedule(50)
    assert "institute-a" not in world.upgrade["having"]
    world.accept("more", "add_validator", {"node": "institute-a"})
    assert "institute-a" in world.upgrade["having"]
    world.node("institute-b")
    world.declare("institute-b")
    assert world.chain.submit("institute-a/admin", "membership.remove_node", node="institute-b").ok
    assert not governance_versions.has(world.reader, "institute-b", 2)


def test_a_node_has_to_say_what_the_state_does_not(world):
    to_declare = governance_versions.to_declare
    assert to_declare(world.reader, "bank-a", {1: CONTRACTS}) is None  # every node has the version of genesis
    assert to_declare(world.reader, "bank-a", (3, 1, 2)) == [2, 3]
    world.declare("bank-a", versions=(2, 3))
    assert to_declare(world.reader, "bank-a", (1, 2, 3)) is None
    assert to_declare(world.reader, "bank-a", (1, 2)) == [2]
    assert to_declare(world.reader, "bank-a", (1,)) == []
    world.declare("central-bank", "regulator")
    world.grow_to(world.schedule(6))
    assert to_declare(world.reader, "regulator", (1, 2)) is None
    assert to_declare(world.reader, "enterprise-a", (1, 2)) == [2]  # upgraded late: it has the version in force
    assert to_declare(world.reader, "bank-a", range(1, 100)) == list(range(2, 18))


# Withdrawal


def test_an_accepted_version_is_withdrawn_and_another_takes_its_place(world):
    world.declare(*VALIDATORS)
    height = world.schedule(10)
    assert world.propose("none", "withdraw_version", {"proposal": "other"}, "bank-a").code == "not_pending"
    decided = world.accept("stay", "withdraw_version", {"proposal": "rules"})
    assert decided.data["outcome"] == {"version": 2, "height": height}
    assert world.upgrade is None
    assert world.propose("again", "withdraw_version", {"proposal": "rules"}, "bank-a").code == "not_pending"
    world.grow_to(height + 1)
    assert world.version == 1
    later = world.schedule(20, "later")
    assert world.upgrade["first_height"] == later


def test_a_withdrawal_accepted_when_the_version_comes_into_force_is_void(world):
    world.declare(*VALIDATORS)
    height = world.schedule(7)
    assert world.propose("stay", "withdraw_version", {"proposal": "rules"}, "bank-a").ok
    world.grow_to(height - 2)
    decided = world.vote("stay", "central-bank", "regulator")
    assert (decided.data["status"], decided.data["outcome"]["code"]) == ("void", "not_pending")
    assert world.version == 2


def test_the_ballots_of_a_version_are_read_as_any_other(world):
    world.schedule(5)
    assert [item["id"] for item in governance.proposals(world.reader, KINDS)] == ["rules"]
