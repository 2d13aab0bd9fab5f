"""Changes of the validators and the registry with real machines: contracts/governance/README.md and node.md."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from coseal.consensus.messages import Commit
from coseal.contracts.governance import actions as governance
from coseal.contracts.membership import actions as membership
from coseal.contracts.registry import KINDS
from coseal.ledger.signing import key_preimage
from coseal.node.core import events, journal, wire
from tests.support.acting import NEW, OWNER, ActingNetwork, executor_of
from tests.support.keys import validator


@pytest.fixture
def network() -> Iterator[ActingNetwork]:
    made = ActingNetwork()
    yield made
    assert not [host.halted for host in made.cluster.hosts.values() if host.halted]


def test_a_fifth_validator_is_added_and_signs_from_two_blocks_later(network: ActingNetwork) -> None:
    network.register()
    height = network.change("add_validator", node=NEW)
    network.grow(3)
    network.settle()
    assert [network.header(height + ahead).epoch for ahead in (0, 1, 2)] == [0, 0, 1]
    assert len(network.validators) == 5
    assert NEW not in network.signers(height + 1)
    network.cluster.kill("bank-a")  # four of five are a quorum of four, the new one among them
    network.grow(2)
    assert NEW in network.signers(network.front.height)
    network.cluster.start("bank-a")
    network.settle(network.front.height)


def late_at_the_boundary(network: ActingNetwork, target: str) -> Callable[[str, str, bytes], list[bytes]]:
    """What loses the COMMITs to ``target`` at the last height of an epoch, so that it hears of the next one early."""

    def tamper(source: str, to: str, data: bytes) -> list[bytes]:
        message = wire.decode(data)
        commit = isinstance(message, wire.ConsensusMessage) and isinstance(message.message, Commit)
        waiting = membership.coming(executor_of(network.cluster[target]).reader) is not None
        return [] if commit and to == target and waiting else [data]

    return tamper


@pytest.mark.parametrize("late", [False, True])
def test_a_change_costs_no_round_and_what_is_said_early_of_the_next_epoch_is_kept(late: bool) -> None:
    network = ActingNetwork(block_transactions_max=1)
    network.register()
    if late:
        network.cluster.tamper = late_at_the_boundary(network, "enterprise-a")
    for kind, node in (("add_validator", NEW), ("remove_validator", "bank-a")):
        proposal = network.propose(kind, node=node)
        members = [seat.member for seat in membership.validators(network.state).validators if seat.member != "bank-a"]
        busy = [network.sign("bank-b", "membership.set_profile", description=str(turn)) for turn in range(12)]
        votes = [network.sign(member, "governance.vote", ballot=proposal, choice="yes") for member in members]
        network.cluster.submit("regulator", *votes, *busy)  # block after block, without a pause
        network.receipt(busy[-1])
        assert (node in network.validators) == (kind == "add_validator")
        network.settle()
    rounds = [committed.certificate.round for committed, _ in network.front.published]
    assert late or rounds == [0] * len(rounds)  # whoever is late may be due to lead
    for host in network.cluster.hosts.values():
        assert host.machine is not None
        assert host.machine.counters["refused_BadSignature"] == 0


def test_a_removed_validator_stops_signing_and_follows(network: ActingNetwork) -> None:
    network.register()
    network.change("add_validator", node=NEW)
    height = network.change("remove_validator", node="enterprise-a")
    network.grow(3)
    network.settle()
    assert "enterprise-a" not in network.validators
    assert not network.votes("enterprise-a")
    signs = network.cluster["enterprise-a"].machine._journal.persisted.signs
    assert max(sign.height for sign in signs) <= height + 1
    status = network.cluster["enterprise-a"].machine.status(network.cluster.now_ms)
    assert (status.kind, status.healthy) == ("observer", True)
    network.cluster.kill("enterprise-a")
    network.cluster.start("enterprise-a")  # and after a restart
    network.grow(2)
    network.settle(network.front.height)
    assert not network.votes("enterprise-a")


@pytest.mark.parametrize("by", ["bank-b", "self"])
def test_the_leader_is_removed(network: ActingNetwork, by: str) -> None:
    """Also by its own member's proposal, through its own node."""
    network.register()
    network.change("add_validator", node=NEW)
    network.grow(1)
    leader = network.cluster["regulator"].machine.replica.standing().leader
    proposer = leader if by == "self" else next(m for m in ("bank-a", "regulator") if m != leader)
    network.change("remove_validator", proposer, node=leader)
    network.grow(4)
    network.settle()
    assert leader not in network.validators
    assert network.header(network.front.height).proposer in network.validators


def test_a_new_validator_that_crashes_at_once_holds_nobody_up(network: ActingNetwork) -> None:
    network.register()
    proposal = network.propose("add_validator", node=NEW)
    height = network.vote(proposal)
    network.cluster.kill(NEW)
    network.grow(4)
    assert network.front.height > height + 2
    network.cluster.start(NEW)
    network.settle(network.front.height)
    network.grow(2)
    assert network.votes(NEW)


def test_of_two_changes_accepted_in_one_block_one_takes_effect_and_the_other_is_void(network: ActingNetwork) -> None:
    network.register(NEW, OWNER)
    network.register("bank-b", "bank-b")
    names = [network.propose("add_validator", node=node) for node in (NEW, "bank-b")]
    for name in names:
        network.do("central-bank", "governance.vote", ballot=name, choice="yes")
    network.settle()
    last = [network.sign("regulator", "governance.vote", ballot=name, choice="yes") for name in names]
    network.cluster.submit(network.front.machine.replica.standing().leader, *last)
    assert [network.receipt(tx).data["status"] for tx in last] == ["accepted", "void"]
    network.grow(2)
    network.settle()
    assert network.validators == ["bank-a", "central-bank", "enterprise-a", NEW, "regulator"]
    assert len({governance.proposal(network.state, name, KINDS)["decided"]["height"] for name in names}) == 1


def test_a_validator_goes_on_with_its_new_key_from_the_epoch_that_names_it(network: ActingNetwork) -> None:
    host, new = network.cluster["regulator"], validator("regulator, second")
    host.step(events.KeyGiven(new))
    host.keys.append(new)
    proof = new.sign(key_preimage(network.cluster.genesis.chain_id, "regulator", new.public_key)).hex()
    network.grow(1)
    assert network.votes("regulator")
    subject = {"node": "regulator", "key": new.public_key.hex(), "proof": proof}
    height = network.change("rotate_validator_key", "regulator", **subject)
    network.cluster.kill("bank-a")  # now all three others are needed
    network.grow(3)
    assert "regulator" in network.signers(height + 2)
    network.cluster.kill("regulator")
    network.cluster.start("regulator")
    network.grow(1)
    assert network.votes("regulator")
    network.cluster.start("bank-a")
    network.settle(network.front.height)


def test_a_validator_without_its_new_key_is_silent_until_it_is_given(network: ActingNetwork) -> None:
    host, new = network.cluster["regulator"], validator("regulator, second")
    proof = new.sign(key_preimage(network.cluster.genesis.chain_id, "regulator", new.public_key)).hex()
    subject = {"node": "regulator", "key": new.public_key.hex(), "proof": proof}
    network.change("rotate_validator_key", "regulator", **subject)
    network.grow(2)
    network.settle()
    assert not network.votes("regulator")
    assert host.machine.missing_key == new.public_key
    host.step(events.KeyGiven(new))
    assert host.machine.missing_key is None
    network.cluster.kill("bank-a")
    network.grow(1)
    assert "regulator" in network.signers(network.front.height)


@pytest.mark.parametrize("ahead", [0, 1, 2])
def test_a_change_is_decided_through_a_round_change(network: ActingNetwork, ahead: int) -> None:
    """The leader dies at the height that accepts the change, that promotes it, or that it signs first."""
    network.register()
    proposal = network.propose("add_validator", node=NEW)
    cluster, start = network.cluster, network.front.height
    for member in ("central-bank", "regulator"):
        network.send(member, "governance.vote", ballot=proposal, choice="yes")
    assert cluster.run_until(lambda: network.front.height >= start + 1 + ahead, 30_000) or ahead
    leader = network.front.machine.replica.standing().leader
    cluster.kill(leader)
    network.grow(4)
    assert len(network.validators) == 5
    assert any(committed.certificate.round > 0 for committed, _ in network.front.published)
    cluster.start(leader)
    network.settle(network.front.height)


def boundary_cases() -> list[tuple[str, int]]:
    return [
        (name, ahead) for name in ("bank-a", "central-bank", "enterprise-a", "regulator", NEW) for ahead in (0, 1, 2)
    ]


@pytest.mark.parametrize(("name", "ahead"), boundary_cases())
@pytest.mark.parametrize("kind", ["add_validator", "remove_validator"])
def test_a_node_restarts_right_at_the_boundary(kind: str, name: str, ahead: int) -> None:
    """Crash when the node has decided H, H + 1 or H + 2, H the height that accepts the change; then all go on."""
    network = ActingNetwork()
    cluster = network.cluster
    network.register()
    if kind == "remove_validator":
        network.change("add_validator", node=NEW)
    node = NEW if kind == "add_validator" else "enterprise-a"
    proposal = network.propose(kind, node=node)
    accepted: list[int] = []

    def decided() -> bool:
        found = governance.proposal(executor_of(cluster[name]).reader, proposal, KINDS)
        if not accepted and found is not None and found["decided"] is not None:
            accepted.append(found["decided"]["height"])
        return bool(accepted) and cluster[name].height >= accepted[0] + ahead

    members = dict.fromkeys(seat.member for seat in membership.validators(network.state).validators)
    for member in members:
        if member != "bank-a":
            network.send(member, "governance.vote", ballot=proposal, choice="yes")
    extra = 0
    while not decided():
        extra += 1
        assert extra < 200
        if not cluster.run_until(decided, 200):
            network.send("bank-a", "membership.set_profile", description=str(extra))
    cluster.kill(name)
    cluster.run(50)
    cluster.start(name)
    network.grow(3)
    network.settle(accepted[0] + 2)
    assert (node in network.validators) == (kind == "add_validator")
    assert {name for name in cluster.hosts if network.votes(name)} == set(network.validators)
    assert not [host.halted for host in cluster.hosts.values() if host.halted]


@pytest.mark.parametrize("ahead", [0, 1])
def test_all_nodes_crash_between_a_change_and_its_effect(network: ActingNetwork, ahead: int) -> None:
    network.register()
    cluster = network.cluster
    height = network.vote(network.propose("add_validator", node=NEW))
    assert cluster.run_until(lambda: cluster.agrees(height + ahead), 10_000)
    names = list(cluster.hosts)
    cluster.kill(*names)
    cluster.run(100)
    cluster.start(*names)
    network.grow(3)
    network.settle(height + 2)
    assert len(network.validators) == 5
    assert all(network.votes(name) for name in names)


@pytest.mark.parametrize("pruned", [False, True])
def test_an_observer_joins_after_genesis_by_blocks_or_by_a_snapshot_across_epochs(pruned: bool) -> None:
    network = ActingNetwork(snapshot_blocks=5 if pruned else 0)
    cluster = network.cluster
    network.register()
    network.change("add_validator", node=NEW)
    network.grow(2)
    network.change("remove_validator", node="enterprise-a")
    network.grow(12)
    network.settle()
    if pruned:
        names = list(cluster.hosts)
        cluster.kill(*names)
        for host in cluster.hosts.values():
            host.disk.prune(max(host.disk.snapshots))
        cluster.start(*names)
    late = network.register("institute-a", "bank-b")
    network.grow(2)
    network.settle(network.front.height)
    assert (late.adopted, late.disk.first_height > 1) == ((1, True) if pruned else (0, False))
    assert executor_of(late).validators.epoch == 2
    assert membership.epochs(executor_of(late).reader) == membership.epochs(network.state)
    network.change("add_validator", node="institute-a")
    network.grow(2)
    network.settle(network.front.height)
    assert network.votes("institute-a")


def test_a_node_far_behind_follows_epoch_by_epoch(network: ActingNetwork) -> None:
    network.register()
    network.cluster.kill("enterprise-a")
    network.change("add_validator", node=NEW)
    network.grow(20)
    network.register("bank-b", "bank-b")
    network.change("add_validator", node="bank-b")
    network.grow(20)
    network.change("remove_validator", node="bank-a")
    network.grow(20)
    network.cluster.start("enterprise-a")
    host = network.cluster["enterprise-a"]
    assert network.cluster.run_until(lambda: host.machine.status(network.cluster.now_ms).syncing, 2_000)
    status = host.machine.status(network.cluster.now_ms)
    assert (status.epoch, status.healthy) == (0, False)  # although it can verify nobody's tip yet
    assert str(status.why_stalled).startswith("catching up: at height")
    network.settle(network.front.height)
    assert executor_of(host).validators.epoch == 3
    network.grow(1)
    assert network.votes("enterprise-a")


def test_a_new_node_that_no_state_knows_yet_waits_and_then_follows(network: ActingNetwork) -> None:
    cluster = network.cluster
    host = cluster.add_host(NEW)
    cluster.start(NEW)
    cluster.run(3_000)
    assert (host.height, host.machine.status(cluster.now_ms).kind) == (0, "unregistered")
    network.do(
        OWNER,
        "membership.add_node",
        node=NEW,
        consensus_key=validator(NEW).public_key.hex(),
        link_certificate="3003020100",
    )
    network.settle(network.front.height)
    assert host.machine.status(cluster.now_ms).kind == "observer"
    assert any(notice.code == "registered" for notice in host.noticed)


def test_a_node_that_is_removed_loses_its_links(network: ActingNetwork) -> None:
    host = network.register()
    assert NEW in {pin.node for pin in network.front.machine.pins}
    network.cluster.unpin_ms = 20  # it hears of the block that removes it
    network.do(OWNER, "membership.remove_node", node=NEW)
    network.settle(network.front.height)
    network.cluster.run(100)
    height = host.height
    network.grow(3)
    assert NEW not in {peer.node for peer in network.front.machine.status(network.cluster.now_ms).peers}
    assert (host.height, host.machine.status(network.cluster.now_ms).kind) == (height, "unregistered")


def test_frames_of_a_node_that_is_not_registered_are_ignored(network: ActingNetwork) -> None:
    host = network.cluster["bank-a"]
    host.step(events.PeerConnected("nobody"))
    host.step(events.FrameReceived("nobody", wire.GetBlocks(1, 1)))
    host.step(events.PeerDisconnected("nobody"))
    assert host.machine.counters["not_registered"] == 1
    assert "nobody" not in {peer.node for peer in host.machine.status(network.cluster.now_ms).peers}


def test_another_link_certificate_is_pinned_in_the_block_that_registers_it(network: ActingNetwork) -> None:
    pins: list[events.Pin] = []
    network.front.watch = lambda effects: pins.extend(one for one in effects if isinstance(one, events.Pin))
    network.do("regulator", "membership.rotate_link_certificate", node="regulator", certificate="3003020107")
    network.settle(network.front.height)
    assert pins == [events.Pin("regulator", bytes.fromhex("3003020107"))]


def test_the_clients_part_of_the_pool_follows_the_number_of_nodes(network: ActingNetwork) -> None:
    network.cluster.kill("bank-a")
    network.cluster.start("bank-a")
    assert network.cluster["bank-a"].machine.mempool.limits.entry_points == 4
    network.register()
    network.settle(network.front.height)
    assert network.cluster["bank-a"].machine.mempool.limits.entry_points == 5


def test_a_validator_whose_journal_was_lost_in_another_epoch_stays_silent_as_long_as_ever(
    network: ActingNetwork,
) -> None:
    network.register()
    network.change("add_validator", node=NEW)
    network.grow(2)
    network.settle()
    network.cluster.kill("regulator")
    network.cluster["regulator"].disk.journal = None
    network.cluster.start("regulator")
    assert not network.votes("regulator")
    network.grow(4)
    network.settle(network.front.height)
    network.grow(1)
    assert network.votes("regulator")
    assert journal.load(network.cluster["regulator"].disk.journal, network.cluster.genesis.chain_id, "regulator")
