"""Contracts of others come into force at the height of their ballot if a quorum has their sources, and never else."""

from __future__ import annotations

from dataclasses import replace

import pytest

from coseal.contracts.execution import UnknownProtocol
from coseal.contracts.governance import admissions
from coseal.contracts.kernel.admitted import history, shown
from coseal.contracts.kernel.deadlines import BLOCK_CLOCK, add
from coseal.contracts.membership import nodes as membership_nodes
from coseal.contracts.registry import RULES, compose, others_at
from coseal.ledger.errors import Malformed
from tests.support.chain import Chain
from tests.support.genesis import PRESENCE_MS, VALIDATORS, make_genesis
from tests.support.governance import World
from tests.support.others import TALLIES, TALLY_1, TALLY_2, genesis_with


class Admitting(World):
    """A world whose software has both versions of a contract, and whose nodes say so one by one."""

    @property
    def height(self):
        return self.chain.executor.height

    @property
    def in_force(self):
        return admissions.in_force(self.reader)

    def declare(self, *nodes, sources=(TALLY_1,)):
        for node in nodes:
            if f"node:{node}" not in self.chain.keys:
                self.chain.keys[f"node:{node}"] = self.signer_of(f"node {node}")
            said = {"protocol_versions": [], "contracts": [shown(each) for each in sources]}
            receipt = self.chain.submit(f"node:{node}", "membership.declare_software", **said)
            assert receipt.ok, receipt

    def schedule(self, ahead, sources=TALLY_1, name="tally-1"):
        height = self.height + ahead
        voters = [seat.member for seat in self.validators.validators]
        decided = self.accept(name, "add_contract", {**shown(sources), "height": height}, "bank-a", voters)
        assert decided.data["status"] == "accepted", decided
        return height

    def grow_to(self, height):
        while self.height < height:
            self.chain.block()

    def add(self, amount):
        return self.chain.submit("bank-a/admin", "tally.add", amount=amount)


@pytest.fixture
def world(signer_of):
    return Admitting(Chain(others=TALLIES), signer_of)


def test_a_contract_that_a_quorum_has_takes_effect_at_its_height(world):
    world.declare("bank-a", "central-bank", "regulator")
    height = world.schedule(6)
    (waiting,) = admissions.admissions(world.reader)
    assert (waiting["first_height"], waiting["lacking"], waiting["needed"]) == (height, ["enterprise-a"], 3)
    world.grow_to(height - 2)
    assert (world.in_force, world.add(1).code) == ([], "unknown_action")  # in the last block before it
    (announced,) = world.chain.begun["governance"]["contracts"]
    assert (announced["in_force"], announced["height"]) == (True, height)
    assert world.in_force == [{**shown(TALLY_1), "first_height": height}]
    assert admissions.admissions(world.reader) == []
    world.chain.restart()
    assert (world.add(2).data, world.height) == ({"total": 2}, height)


def test_a_contract_that_too_few_have_is_void_at_its_height_and_the_chain_continues(world):
    world.declare("bank-a", "central-bank")
    height = world.schedule(5)
    assert admissions.admissions(world.reader)[0]["first_height"] is None
    world.grow_to(height - 1)
    (announced,) = world.chain.begun["governance"]["contracts"]
    assert (announced["in_force"], announced["having"]) == (False, ["bank-a", "central-bank"])
    proposal = world.proposal("tally-1")
    assert (proposal["status"], proposal["outcome"]["code"]) == ("void", "lacks_contract")
    assert "2 of the 3 validators needed" in proposal["outcome"]["detail"]
    world.declare("regulator")
    world.grow_to(height + 5)
    assert (world.in_force, world.add(1).code) == ([], "unknown_action")


def test_a_later_version_replaces_the_code_and_reads_the_state(world):
    world.declare(*VALIDATORS, sources=(TALLY_1, TALLY_2))
    world.grow_to(world.schedule(6) - 1)
    assert world.add(3).data == {"total": 3}
    assert world.propose("same", "add_contract", {**shown(TALLY_1), "height": 100}, "bank-a").code == "bad_version"
    height = world.schedule(6, TALLY_2, "tally-2")
    again = world.propose("more", "add_contract", {**shown(TALLY_2), "height": 100}, "bank-a")
    assert again.code == "change_pending"
    world.grow_to(height - 2)
    assert world.add(1).data == {"total": 4}
    assert world.add(1).data == {"total": 6}
    assert world.in_force == [{**shown(TALLY_2), "first_height": height}]


def test_an_admission_that_waits_is_withdrawn(world):
    world.declare(*VALIDATORS)
    height = world.schedule(12)
    decided = world.accept("stay", "withdraw_contract", {"proposal": "tally-1"}, "bank-a", VALIDATORS)
    assert decided.data["outcome"] == {**shown(TALLY_1), "height": height}
    assert world.propose("again", "withdraw_contract", {"proposal": "tally-1"}, "bank-a").code == "not_pending"
    world.grow_to(height + 1)
    assert world.in_force == []


def test_proposal_and_votes_say_who_has_the_sources(world):
    world.declare("bank-a")
    software = {"having": ["bank-a"], "lacking": ["central-bank", "enterprise-a", "regulator"], "needed": 3}
    proposed = world.propose("tally-1", "add_contract", {**shown(TALLY_1), "height": 100}, "bank-a")
    assert proposed.data["software"] == software
    assert world.vote("tally-1", "central-bank").data["software"] == software
    world.vote("tally-1", "regulator")
    assert world.proposal("tally-1")["software"] == software
    world.grow_to(100)
    assert "software" not in world.proposal("tally-1")


def test_a_node_without_the_sources_stops_before_the_height_and_says_what_to_install(world):
    world.declare("bank-a", "central-bank", "regulator")
    height = world.schedule(5)
    world.chain.others = world.chain.executor._others = {TALLY_2: TALLIES[TALLY_2]}  # this node is the fourth
    world.grow_to(height - 1)
    said = f"block {height} needs contract tally version 1 with SHA-256 {TALLY_1.sha256}, which is not installed here"
    with pytest.raises(UnknownProtocol, match=said):
        world.chain.draft([])
    with pytest.raises(UnknownProtocol, match="install it and start again"):
        world.chain.restart()
    world.chain.others = {TALLY_1._replace(sha256="ff" * 32): TALLIES[TALLY_1]}
    with pytest.raises(UnknownProtocol, match="what is installed as that version has ffff"):
        world.chain.restart()
    world.chain.others = TALLIES
    world.chain.restart()
    assert world.add(1).ok


def test_no_change_of_the_validators_leaves_too_few_that_have_what_is_in_force(signer_of):
    seven = ("bank-a", "central-bank", "city", "enterprise-a", "institute-a", "public-a", "regulator")
    world = Admitting(Chain(make_genesis(validators=seven), others=TALLIES), signer_of)
    world.declare("bank-a", "central-bank", "city", "enterprise-a", "institute-a")
    world.grow_to(world.schedule(10))
    refused = world.propose("one", "remove_validator", {"node": "city"}, "bank-a")
    assert refused.code == "lacks_contract"
    assert "4 of the 6 validators left have contract tally version 1" in refused.detail
    assert "install it on public-a, regulator first" in refused.detail
    assert world.propose("two", "remove_validator", {"node": "regulator"}, "bank-a").ok


def test_no_validator_is_added_that_lacks_what_is_in_force(world):
    world.declare(*VALIDATORS)
    world.node("institute-a")
    world.grow_to(world.schedule(6))
    refused = world.propose("more", "add_validator", {"node": "institute-a"}, "bank-a")
    assert (refused.code, "tally version 1" in refused.detail) == ("lacks_contract", True)
    world.declare("institute-a")
    assert world.propose("more", "add_validator", {"node": "institute-a"}, "bank-a").ok


# What a contract of others may do


@pytest.fixture
def running(world):
    world.declare(*VALIDATORS)
    world.grow_to(world.schedule(6) - 1)
    world.add(1)
    return world


@pytest.mark.parametrize(("amount", "code"), [(13, "internal_error"), (14, "internal_error"), (15, "too_costly")])
def test_a_mistake_undoes_its_transaction_alone(running, amount, code):
    assert running.add(amount).code == code
    assert running.chain.get("process/stray") is None
    faults = [fault.name for _, fault in running.chain.executor.take_faults()]
    assert faults == ([] if code == "too_costly" else ["tally.add"] * 2)  # built and checked
    assert running.add(2).data == {"total": 3}


def test_what_shipped_contracts_write_is_not_confined_after_a_contract_of_others(running):
    chain = running.chain
    first = chain.sign("bank-a/admin", "tally.add", {"amount": 13})
    second = chain.sign("bank-a/admin", "membership.set_profile", {"description": "after it"})
    assert [receipt.code for receipt in chain.block(first, second)] == ["internal_error", "ok"]


def firing(fire):
    """A chain whose genesis admits a contract that has ``fire``, and whose action makes something due at once."""

    def later(view, context, args):
        add(view, "tally", BLOCK_CLOCK, context.time_ms, ["count", args["amount"]])
        if args["amount"] == 99:
            view.put("tally/deadline/0/0/block", "damage")
        return {}

    action = replace(TALLIES[TALLY_1].actions["add"], apply=later)
    contract = replace(TALLIES[TALLY_1], actions={"add": action}, fire=fire)
    return Chain(genesis_with(TALLY_1), others={TALLY_1: contract})


def test_its_due_things_are_taken_by_the_frame_under_its_prefix():
    def fire(view, moment, entry):
        view.put("tally/fired", entry[1])
        return {"counted": [entry[1]]}

    chain = firing(fire)
    assert chain.submit("bank-a/admin", "tally.add", amount=5).ok
    assert chain.executor.next_deadline_ms() == chain.executor.time_ms
    chain.block()
    assert (chain.begun["tally"], chain.get("tally/fired")) == ({"counted": [5]}, 5)
    assert chain.executor.next_deadline_ms() == PRESENCE_MS


def test_a_due_thing_that_writes_elsewhere_is_set_aside():
    def fire(view, moment, entry):
        view.put("process/stray", 1)
        return {}

    chain = firing(fire)
    chain.submit("bank-a/admin", "tally.add", amount=5)
    chain.block()
    (aside,) = chain.begun["system"]["aside"]
    assert (aside["contract"], aside["code"], chain.get("process/stray")) == ("tally", "internal_error", None)


def test_an_index_that_a_contract_damaged_stops_no_chain():
    chain = firing(lambda view, moment, entry: {})
    assert chain.submit("bank-a/admin", "tally.add", amount=99).ok
    chain.block()
    chain.block()
    assert chain.executor.next_deadline_ms() == PRESENCE_MS
    assert {fault.name for _, fault in chain.executor.take_faults()} == {"tally: due"}


# Genesis and what nodes say


def test_a_genesis_admits_contracts_and_without_them_it_is_what_it_was():
    plain = make_genesis()
    assert b'"contracts"' not in plain.raw
    chain = firing(lambda view, moment, entry: {})
    assert chain.genesis.contracts == (TALLY_1,)
    assert admissions.in_force(chain.executor.reader) == [{**shown(TALLY_1), "first_height": 1}]
    assert chain.submit("bank-a/admin", "tally.add", amount=1).ok
    assert admissions.has(chain.executor.reader, "regulator", TALLY_1)
    assert chain.genesis.chain_id != plain.chain_id
    with pytest.raises(UnknownProtocol, match="block 1 needs contract tally version 1"):
        Chain(chain.genesis)


def test_a_node_says_what_the_state_does_not(world):
    to_declare = admissions.to_declare
    assert to_declare(world.reader, "bank-a", ()) is None
    assert to_declare(world.reader, "bank-a", TALLIES) == [TALLY_1, TALLY_2]
    world.declare(*VALIDATORS, sources=(TALLY_1, TALLY_2))
    assert to_declare(world.reader, "bank-a", TALLIES) is None
    assert to_declare(world.reader, "bank-a", (TALLY_2,)) == [TALLY_2]
    world.grow_to(world.schedule(6, TALLY_2))
    assert to_declare(world.reader, "bank-a", (TALLY_2,)) is None  # the first version matters no more
    many = [TALLY_1._replace(name=f"a{number}") for number in range(100)]
    named = to_declare(world.reader, "bank-a", [*many, TALLY_2])
    assert (len(named), TALLY_2 in named) == (membership_nodes.MAX_SOURCES, True)


def test_a_shipped_contract_is_never_replaced():
    impostor = replace(TALLIES[TALLY_1], name="process")
    assert compose(RULES[1], [impostor])["process"] is RULES[1]["process"]


@pytest.mark.parametrize("name", ["process", "governance", "kernel", "rules", "system"])
def test_a_name_that_is_taken_is_refused_when_it_is_proposed(world, name):
    subject = {**shown(TALLY_1), "name": name, "height": 100}
    assert world.propose("taken", "add_contract", subject, "bank-a").code == "name_taken"


def test_a_genesis_admits_nothing_under_a_name_that_is_taken():
    for name in ("membership", "kernel"):
        with pytest.raises(Malformed, match=f"the name {name} is taken"):
            Chain(genesis_with(TALLY_1._replace(name=name)))


def test_what_was_in_force_before_stays_known(world):
    world.declare(*VALIDATORS, sources=(TALLY_1, TALLY_2))
    first = world.schedule(6)
    world.grow_to(first)
    second = world.schedule(6, TALLY_2, "tally-2")
    world.grow_to(second)
    entries = history(world.reader)
    assert entries == ((TALLY_1, first), (TALLY_2, second))
    known = [others_at(entries, height, TALLIES).get("tally") for height in (first - 1, first, second - 1, second)]
    assert [each and each.version for each in known] == [None, 1, 1, 2]


# What it promises of its state


def holding(limit):
    """A chain with a contract whose total stays at most ``limit``, and which adds once more when it is due."""

    def fire(view, moment, entry):
        view.put("tally/total", 1_000)
        return {"raised": [1]}

    def holds(reader):
        total = reader.get("tally/total") or 0
        return f"the total is {total}" if total > limit else None

    def add_later(view, context, args):
        add(view, "tally", BLOCK_CLOCK, context.time_ms + args["amount"] * 1_000, ["raise"])
        return {}

    plain = TALLIES[TALLY_1]
    later = replace(plain.actions["add"], apply=add_later)
    contract = replace(plain, actions={**plain.actions, "later": later}, fire=fire, holds=holds)
    return Chain(genesis_with(TALLY_1), others={TALLY_1: contract})


def test_a_transaction_after_which_its_promise_does_not_hold_is_refused_and_the_chain_continues():
    chain = holding(5)
    assert [chain.submit("bank-a/admin", "tally.add", amount=amount).code for amount in (5, 1)] == [
        "ok",
        "internal_error",
    ]
    assert chain.get("tally/total") == 5
    assert "tally: the total is 6" in {str(fault.error) for _, fault in chain.executor.take_faults()}


def test_a_due_thing_after_which_its_promise_does_not_hold_is_set_aside():
    chain = holding(5)
    assert chain.submit("bank-a/admin", "tally.later", amount=1).ok
    for _ in range(5):
        chain.block()
        if "system" in chain.begun:
            break
    assert chain.begun["system"]["aside"][0]["code"] == "internal_error"
    assert chain.get("tally/total") is None


def test_what_it_checks_of_its_state_is_charged_to_the_transaction():
    def holds(reader):
        while True:
            reader.get("tally/total")

    contract = replace(TALLIES[TALLY_1], holds=holds)
    chain = Chain(genesis_with(TALLY_1), others={TALLY_1: contract})
    assert chain.submit("bank-a/admin", "tally.add", amount=1).code == "too_costly"
