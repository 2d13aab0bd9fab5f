"""Changes of the validators and the registry with real machines: contracts/governance/README.md and node.md."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pytest

from coseal.consensus.messages import Commit
from coseal.contracts.governance import actions as governance
from coseal.contracts.membership import actions as membership
from coseal.contracts.registry import CONTRACTS, KINDS, RULES
from coseal.ledger.block import CommittedBlock, Receipt
from coseal.ledger.signing import key_preimage
from coseal.node.core import events, journal, wire
from coseal.node.core.health import Upgrade
from tests.support.cluster import Cluster, Host
from tests.support.keys import validator
from tests.support.transactions import acted, signed

NEW, OWNER = "enterprise-b", "enterprise-b"


class Town:
    """A cluster whose members act: each call commits what it says, or asserts."""

    def __init__(self, n: int = 4, **options: Any) -> None:
        self.cluster = Cluster(n, bystanders=6 - n if n < 6 else 1, **options)
        self.cluster.start()
        self.count = 1_000

    @property
    def front(self) -> Host:
        """A running node that is ahead of or level with all others."""
        return max((host for host in self.cluster.running() if host.halted is None), key=lambda host: host.height)

    @property
    def state(self) -> Any:
        return executor_of(self.front).reader

    @property
    def validators(self) -> list[str]:
        return [seat.id for seat in membership.validators(self.state).validators]

    def sign(self, member: str, name: str, /, **args: Any) -> Any:
        self.count += 1
        until = self.cluster.now_ms + 120_000
        return acted(self.cluster.genesis, self.count, member, name, args, valid_until_ms=until)

    def send(self, member: str, name: str, /, **args: Any) -> Any:
        """Give a transaction of a member to the node in front; return it."""
        tx = self.sign(member, name, **args)
        self.cluster.submit(self.front.name, tx)
        return tx

    def do(self, member: str, name: str, /, **args: Any) -> Mapping[str, Any]:
        """Commit a transaction that must be accepted; return its receipt's data."""
        receipt = self.receipt(self.send(member, name, **args))
        assert receipt.ok, receipt
        return receipt.data

    def receipt(self, tx: Any) -> Receipt:
        found: list[Receipt] = []

        def committed() -> bool:
            for committed, outcome in self.front.published[-20:]:
                for index, tx_id in enumerate(outcome.tx_ids):
                    if tx_id == tx.id:
                        found.append(Receipt.decode(committed.receipts[index + 1]))
            return bool(found)

        assert self.cluster.run_until(committed, 60_000), "not committed"
        return found[0]

    def grow(self, blocks: int = 1) -> None:
        """Commit so many transactions, one after another."""
        for _ in range(blocks):
            self.count += 1
            tx = signed(self.cluster.genesis, self.count, valid_until_ms=self.cluster.now_ms + 120_000)
            self.cluster.submit(self.front.name, tx)
            self.receipt(tx)

    def register(self, node: str = NEW, member: str = OWNER) -> Host:
        """Register a node, start it on an empty disk, and wait until it has said that it is ready."""
        self.do(
            member,
            "membership.add_node",
            node=node,
            consensus_key=validator(node).public_key.hex(),
            link_certificate=f"3004{self.count:08x}",
        )
        host = self.cluster.add_host(node)
        self.cluster.start(node)
        assert self.cluster.run_until(lambda: "ready" in (membership.node(self.state, node) or {}), 60_000)
        return host

    def propose(self, kind: str, by: str = "bank-a", /, **subject: Any) -> str:
        name = f"p{self.count}"
        self.do(by, "governance.propose", id=name, kind=kind, subject=subject)
        return name

    def vote(self, proposal: str) -> int:
        """Vote yes, one after another, until it is decided; return the height that decided it."""
        for member in dict.fromkeys(seat.member for seat in membership.validators(self.state).validators):
            found = governance.proposal(self.state, proposal, KINDS)
            if found["status"] == "open" and member not in [vote["member"] for vote in found["votes"]]:
                self.do(member, "governance.vote", ballot=proposal, choice="yes")
        found = governance.proposal(self.state, proposal, KINDS)
        assert found["status"] == "accepted", found
        return int(found["decided"]["height"])

    def change(self, kind: str, by: str = "bank-a", /, **subject: Any) -> int:
        """Have a change accepted and in force; return the height that accepted it."""
        epoch = membership.validators(self.state).epoch
        height = self.vote(self.propose(kind, by, **subject))
        assert self.cluster.run_until(lambda: membership.validators(self.state).epoch == epoch + 1)
        return height

    def settle(self, height: int = 0) -> None:
        """Wait until all running nodes agree."""
        assert self.cluster.run_until(lambda: self.cluster.agrees(height), 60_000)

    def signers(self, height: int) -> list[str]:
        """Who signed the commit certificate of a height, by the validators that the state has for it."""
        validators = membership.validators_at(self.state, height)
        (certificate,) = {
            committed.certificate.encode(): committed.certificate
            for committed, _ in self.front.published
            if committed.block.header.height == height
        }.values()
        return [validators[index].id for index in certificate.signers()]

    def header(self, height: int) -> Any:
        raw = self.front.disk.block(height)
        return CommittedBlock.decode(raw).block.header

    def votes(self, node: str) -> bool:
        """Whether a node would sign."""
        standing = self.cluster[node].machine.replica.standing()
        return standing.votes and standing.silence is None


def executor_of(host: Host) -> Any:
    assert host.machine is not None
    return host.machine.executor


@pytest.fixture
def town() -> Iterator[Town]:
    made = Town()
    yield made
    assert not [host.halted for host in made.cluster.hosts.values() if host.halted]


def test_a_fifth_validator_is_added_and_signs_from_two_blocks_later(town: Town) -> None:
    town.register()
    height = town.change("add_validator", node=NEW)
    town.grow(3)
    town.settle()
    assert [town.header(height + ahead).epoch for ahead in (0, 1, 2)] == [0, 0, 1]
    assert len(town.validators) == 5
    assert NEW not in town.signers(height + 1)
    town.cluster.kill("bank-a")  # four of five are a quorum of four, the new one among them
    town.grow(2)
    assert NEW in town.signers(town.front.height)
    town.cluster.start("bank-a")
    town.settle(town.front.height)


def late_at_the_boundary(town: Town, target: str) -> Callable[[str, str, bytes], list[bytes]]:
    """What loses the COMMITs to ``target`` at the last height of an epoch, so that it hears of the next one early."""

    def tamper(source: str, to: str, data: bytes) -> list[bytes]:
        message = wire.decode(data)
        commit = isinstance(message, wire.ConsensusMessage) and isinstance(message.message, Commit)
        waiting = membership.coming(executor_of(town.cluster[target]).reader) is not None
        return [] if commit and to == target and waiting else [data]

    return tamper


@pytest.mark.parametrize("late", [False, True])
def test_a_change_costs_no_round_and_what_is_said_early_of_the_next_epoch_is_kept(late: bool) -> None:
    town = Town(block_transactions_max=1)
    town.register()
    if late:
        town.cluster.tamper = late_at_the_boundary(town, "enterprise-a")
    for kind, node in (("add_validator", NEW), ("remove_validator", "bank-a")):
        proposal = town.propose(kind, node=node)
        members = [seat.member for seat in membership.validators(town.state).validators if seat.member != "bank-a"]
        busy = [town.sign("bank-b", "membership.set_profile", description=str(turn)) for turn in range(12)]
        votes = [town.sign(member, "governance.vote", ballot=proposal, choice="yes") for member in members]
        town.cluster.submit("regulator", *votes, *busy)  # block after block, without a pause
        town.receipt(busy[-1])
        assert (node in town.validators) == (kind == "add_validator")
        town.settle()
    rounds = [committed.certificate.round for committed, _ in town.front.published]
    assert late or rounds == [0] * len(rounds)  # whoever is late may be due to lead
    for host in town.cluster.hosts.values():
        assert host.machine is not None
        assert host.machine.counters["refused_BadSignature"] == 0


def test_a_removed_validator_stops_signing_and_follows(town: Town) -> None:
    town.register()
    town.change("add_validator", node=NEW)
    height = town.change("remove_validator", node="enterprise-a")
    town.grow(3)
    town.settle()
    assert "enterprise-a" not in town.validators
    assert not town.votes("enterprise-a")
    signs = town.cluster["enterprise-a"].machine._journal.persisted.signs
    assert max(sign.height for sign in signs) <= height + 1
    status = town.cluster["enterprise-a"].machine.status(town.cluster.now_ms)
    assert (status.kind, status.healthy) == ("observer", True)
    town.cluster.kill("enterprise-a")
    town.cluster.start("enterprise-a")  # and after a restart
    town.grow(2)
    town.settle(town.front.height)
    assert not town.votes("enterprise-a")


@pytest.mark.parametrize("by", ["bank-b", "self"])
def test_the_leader_is_removed(town: Town, by: str) -> None:
    """Also by its own member's proposal, through its own node."""
    town.register()
    town.change("add_validator", node=NEW)
    town.grow(1)
    leader = town.cluster["regulator"].machine.replica.standing().leader
    proposer = leader if by == "self" else next(m for m in ("bank-a", "regulator") if m != leader)
    town.change("remove_validator", proposer, node=leader)
    town.grow(4)
    town.settle()
    assert leader not in town.validators
    assert town.header(town.front.height).proposer in town.validators


def test_a_new_validator_that_crashes_at_once_holds_nobody_up(town: Town) -> None:
    town.register()
    proposal = town.propose("add_validator", node=NEW)
    height = town.vote(proposal)
    town.cluster.kill(NEW)
    town.grow(4)
    assert town.front.height > height + 2
    town.cluster.start(NEW)
    town.settle(town.front.height)
    town.grow(2)
    assert town.votes(NEW)


def test_of_two_changes_accepted_in_one_block_one_takes_effect_and_the_other_is_void(town: Town) -> None:
    town.register(NEW, OWNER)
    town.register("bank-b", "bank-b")
    names = [town.propose("add_validator", node=node) for node in (NEW, "bank-b")]
    for name in names:
        town.do("central-bank", "governance.vote", ballot=name, choice="yes")
    town.settle()
    last = [town.sign("regulator", "governance.vote", ballot=name, choice="yes") for name in names]
    town.cluster.submit(town.front.machine.replica.standing().leader, *last)
    assert [town.receipt(tx).data["status"] for tx in last] == ["accepted", "void"]
    town.grow(2)
    town.settle()
    assert town.validators == ["bank-a", "central-bank", "enterprise-a", NEW, "regulator"]
    assert len({governance.proposal(town.state, name, KINDS)["decided"]["height"] for name in names}) == 1


def test_a_validator_goes_on_with_its_new_key_from_the_epoch_that_names_it(town: Town) -> None:
    host, new = town.cluster["regulator"], validator("regulator, second")
    host.step(events.KeyGiven(new))
    host.keys.append(new)
    proof = new.sign(key_preimage(town.cluster.genesis.chain_id, "regulator", new.public_key)).hex()
    town.grow(1)
    assert town.votes("regulator")
    subject = {"node": "regulator", "key": new.public_key.hex(), "proof": proof}
    height = town.change("rotate_validator_key", "regulator", **subject)
    town.cluster.kill("bank-a")  # now all three others are needed
    town.grow(3)
    assert "regulator" in town.signers(height + 2)
    town.cluster.kill("regulator")
    town.cluster.start("regulator")
    town.grow(1)
    assert town.votes("regulator")
    town.cluster.start("bank-a")
    town.settle(town.front.height)


def test_a_validator_without_its_new_key_is_silent_until_it_is_given(town: Town) -> None:
    host, new = town.cluster["regulator"], validator("regulator, second")
    proof = new.sign(key_preimage(town.cluster.genesis.chain_id, "regulator", new.public_key)).hex()
    subject = {"node": "regulator", "key": new.public_key.hex(), "proof": proof}
    town.change("rotate_validator_key", "regulator", **subject)
    town.grow(2)
    town.settle()
    assert not town.votes("regulator")
    assert host.machine.missing_key == new.public_key
    host.step(events.KeyGiven(new))
    assert host.machine.missing_key is None
    town.cluster.kill("bank-a")
    town.grow(1)
    assert "regulator" in town.signers(town.front.height)


@pytest.mark.parametrize("ahead", [0, 1, 2])
def test_a_change_is_decided_through_a_round_change(town: Town, ahead: int) -> None:
    """The leader dies at the height that accepts the change, that promotes it, or that it signs first."""
    town.register()
    proposal = town.propose("add_validator", node=NEW)
    cluster, start = town.cluster, town.front.height
    for member in ("central-bank", "regulator"):
        town.send(member, "governance.vote", ballot=proposal, choice="yes")
    assert cluster.run_until(lambda: town.front.height >= start + 1 + ahead, 30_000) or ahead
    leader = town.front.machine.replica.standing().leader
    cluster.kill(leader)
    town.grow(4)
    assert len(town.validators) == 5
    assert any(committed.certificate.round > 0 for committed, _ in town.front.published)
    cluster.start(leader)
    town.settle(town.front.height)


def boundary_cases() -> list[tuple[str, int]]:
    return [
        (name, ahead) for name in ("bank-a", "central-bank", "enterprise-a", "regulator", NEW) for ahead in (0, 1, 2)
    ]


@pytest.mark.parametrize(("name", "ahead"), boundary_cases())
@pytest.mark.parametrize("kind", ["add_validator", "remove_validator"])
def test_a_node_restarts_right_at_the_boundary(kind: str, name: str, ahead: int) -> None:
    """Crash when the node has decided H, H + 1 or H + 2, H the height that accepts the change; then all go on."""
    town = Town()
    cluster = town.cluster
    town.register()
    if kind == "remove_validator":
        town.change("add_validator", node=NEW)
    node = NEW if kind == "add_validator" else "enterprise-a"
    proposal = town.propose(kind, node=node)
    accepted: list[int] = []

    def decided() -> bool:
        found = governance.proposal(executor_of(cluster[name]).reader, proposal, KINDS)
        if not accepted and found is not None and found["decided"] is not None:
            accepted.append(found["decided"]["height"])
        return bool(accepted) and cluster[name].height >= accepted[0] + ahead

    members = dict.fromkeys(seat.member for seat in membership.validators(town.state).validators)
    for member in members:
        if member != "bank-a":
            town.send(member, "governance.vote", ballot=proposal, choice="yes")
    extra = 0
    while not decided():
        extra += 1
        assert extra < 200
        if not cluster.run_until(decided, 200):
            town.send("bank-a", "membership.set_profile", description=str(extra))
    cluster.kill(name)
    cluster.run(50)
    cluster.start(name)
    town.grow(3)
    town.settle(accepted[0] + 2)
    assert (node in town.validators) == (kind == "add_validator")
    assert {name for name in cluster.hosts if town.votes(name)} == set(town.validators)
    assert not [host.halted for host in cluster.hosts.values() if host.halted]


@pytest.mark.parametrize("ahead", [0, 1])
def test_all_nodes_crash_between_a_change_and_its_effect(town: Town, ahead: int) -> None:
    town.register()
    cluster = town.cluster
    height = town.vote(town.propose("add_validator", node=NEW))
    assert cluster.run_until(lambda: cluster.agrees(height + ahead), 10_000)
    names = list(cluster.hosts)
    cluster.kill(*names)
    cluster.run(100)
    cluster.start(*names)
    town.grow(3)
    town.settle(height + 2)
    assert len(town.validators) == 5
    assert all(town.votes(name) for name in names)


@pytest.mark.parametrize("pruned", [False, True])
def test_an_observer_joins_after_genesis_by_blocks_or_by_a_snapshot_across_epochs(pruned: bool) -> None:
    town = Town(snapshot_blocks=5 if pruned else 0)
    cluster = town.cluster
    town.register()
    town.change("add_validator", node=NEW)
    town.grow(2)
    town.change("remove_validator", node="enterprise-a")
    town.grow(12)
    town.settle()
    if pruned:
        names = list(cluster.hosts)
        cluster.kill(*names)
        for host in cluster.hosts.values():
            host.disk.prune(max(host.disk.snapshots))
        cluster.start(*names)
    late = town.register("institute-a", "bank-b")
    town.grow(2)
    town.settle(town.front.height)
    assert (late.adopted, late.disk.first_height > 1) == ((1, True) if pruned else (0, False))
    assert executor_of(late).validators.epoch == 2
    assert membership.epochs(executor_of(late).reader) == membership.epochs(town.state)
    town.change("add_validator", node="institute-a")
    town.grow(2)
    town.settle(town.front.height)
    assert town.votes("institute-a")


def test_a_node_far_behind_follows_epoch_by_epoch(town: Town) -> None:
    town.register()
    town.cluster.kill("enterprise-a")
    town.change("add_validator", node=NEW)
    town.grow(20)
    town.register("bank-b", "bank-b")
    town.change("add_validator", node="bank-b")
    town.grow(20)
    town.change("remove_validator", node="bank-a")
    town.grow(20)
    town.cluster.start("enterprise-a")
    host = town.cluster["enterprise-a"]
    assert town.cluster.run_until(lambda: host.machine.status(town.cluster.now_ms).syncing, 2_000)
    status = host.machine.status(town.cluster.now_ms)
    assert (status.epoch, status.healthy) == (0, False)  # although it can verify nobody's tip yet
    assert str(status.why_stalled).startswith("catching up: at height")
    town.settle(town.front.height)
    assert executor_of(host).validators.epoch == 3
    town.grow(1)
    assert town.votes("enterprise-a")


def test_a_new_node_that_no_state_knows_yet_waits_and_then_follows(town: Town) -> None:
    cluster = town.cluster
    host = cluster.add_host(NEW)
    cluster.start(NEW)
    cluster.run(3_000)
    assert (host.height, host.machine.status(cluster.now_ms).kind) == (0, "unregistered")
    town.do(
        OWNER,
        "membership.add_node",
        node=NEW,
        consensus_key=validator(NEW).public_key.hex(),
        link_certificate="3003020100",
    )
    town.settle(town.front.height)
    assert host.machine.status(cluster.now_ms).kind == "observer"
    assert any(notice.code == "registered" for notice in host.noticed)


def test_a_node_that_is_removed_loses_its_links(town: Town) -> None:
    host = town.register()
    assert NEW in {pin.node for pin in town.front.machine.pins}
    town.cluster.unpin_ms = 20  # it hears of the block that removes it
    town.do(OWNER, "membership.remove_node", node=NEW)
    town.settle(town.front.height)
    town.cluster.run(100)
    height = host.height
    town.grow(3)
    assert NEW not in {peer.node for peer in town.front.machine.status(town.cluster.now_ms).peers}
    assert (host.height, host.machine.status(town.cluster.now_ms).kind) == (height, "unregistered")


def test_frames_of_a_node_that_is_not_registered_are_ignored(town: Town) -> None:
    host = town.cluster["bank-a"]
    host.step(events.PeerConnected("nobody"))
    host.step(events.FrameReceived("nobody", wire.GetBlocks(1, 1)))
    host.step(events.PeerDisconnected("nobody"))
    assert host.machine.counters["not_registered"] == 1
    assert "nobody" not in {peer.node for peer in host.machine.status(town.cluster.now_ms).peers}


def test_another_link_certificate_is_pinned_in_the_block_that_registers_it(town: Town) -> None:
    pins: list[events.Pin] = []
    town.front.watch = lambda effects: pins.extend(one for one in effects if isinstance(one, events.Pin))
    town.do("regulator", "membership.rotate_link_certificate", node="regulator", certificate="3003020107")
    town.settle(town.front.height)
    assert pins == [events.Pin("regulator", bytes.fromhex("3003020107"))]


def test_the_clients_part_of_the_pool_follows_the_number_of_nodes(town: Town) -> None:
    town.cluster.kill("bank-a")
    town.cluster.start("bank-a")
    assert town.cluster["bank-a"].machine.mempool.limits.entry_points == 4
    town.register()
    town.settle(town.front.height)
    assert town.cluster["bank-a"].machine.mempool.limits.entry_points == 5


NEWER = {**RULES, 2: CONTRACTS}


def give(town: Town, *names: str, rules: Mapping[int, Any] = NEWER) -> None:
    """Install other software on nodes and start them again, one after another, as operators do."""
    for name in names:
        town.cluster.kill(name)
        town.cluster[name].rules = rules
        town.cluster.start(name)
        assert town.cluster.run_until(lambda: town.cluster.agrees(0), 60_000)


def declared(town: Town, *names: str) -> bool:
    return all("software" in (membership.node(town.state, name) or {}) for name in names)


def noticed(town: Town, name: str) -> list[str]:
    codes = [notice.code for notice in town.cluster[name].noticed]
    return [code for code in codes if code in ("needs_release", "lacks_version")]


def words(town: Town, action: str) -> list[str]:
    """The nodes that said something of themselves, in the order of the chain."""
    return [tx.sender for _, outcome in town.front.published for tx in outcome.transactions if tx.action == action]


def began_under(town: Town) -> list[tuple[int, int]]:
    """The first height of each version that a block brought into force, and the version."""
    begun = (Receipt.decode(committed.receipts[0]).data for committed, _ in town.front.published)
    versions = (data.get("governance", {}).get("protocol_version") for data in begun)
    return [(found["first_height"], found["version"]) for found in versions if found is not None]


def upgrade_at(town: Town, name: str) -> Upgrade | None:
    machine = town.cluster[name].machine
    assert machine is not None
    found = machine.status(town.cluster.now_ms).upgrade
    assert found is None or isinstance(found, Upgrade)
    return found


def test_a_quorum_that_has_a_version_goes_on_under_it_and_the_node_that_lacks_it_stops_before(town: Town) -> None:
    cluster, having = town.cluster, ("central-bank", "enterprise-a", "regulator")
    give(town, *having)
    assert cluster.run_until(lambda: declared(town, *having), 60_000)
    cluster.run(5_000)
    assert sorted(words(town, "declare_software")) == [f"node:{name}" for name in having]
    assert noticed(town, "bank-a") == ["lacks_version"]  # before anybody proposed it
    height = town.front.height + 8
    town.vote(town.propose("protocol_version", "regulator", version=2, height=height))
    town.grow(1)
    town.settle(town.front.height)
    assert noticed(town, "bank-a") == ["lacks_version", "needs_release"]
    assert noticed(town, "regulator") == []
    proposal = governance.proposals(town.state, KINDS)[0]["id"]
    assert upgrade_at(town, "bank-a") == Upgrade(2, height, proposal, height, having, ("bank-a",), 3, known=False)
    town.grow(height + 3 - town.front.height)
    cluster.run(1_000)
    host = cluster["bank-a"]
    assert host.needs_release, host.halted
    assert f"block {height} needs protocol version 2" in str(host.halted)
    assert host.disk.tip_height == height - 1  # the last block under the old rules is on its disk
    assert executor_of(cluster["regulator"]).protocol_version == 2
    assert town.front.height >= height + 3  # three of four go on
    give(town, "bank-a")
    assert cluster.run_until(lambda: declared(town, "bank-a"), 60_000)
    town.grow(2)
    town.settle(town.front.height)
    assert upgrade_at(town, "bank-a") is None
    assert town.votes("bank-a")


def test_a_version_that_no_node_has_stops_nobody_and_is_withdrawn(town: Town) -> None:
    height = town.front.height + 6
    name = town.propose("protocol_version", version=2, height=height)
    town.vote(name)
    town.grow(20)
    town.settle(height + 10)
    for node in town.validators:
        assert noticed(town, node) == ["lacks_version"]
        found = upgrade_at(town, node)
        assert found is not None
        assert (found.first_height, found.lacking, found.known) == (None, tuple(town.validators), False)
    give(town, *town.validators, rules=RULES)  # a restart changes nothing of it
    town.vote(town.propose("withdraw_version", proposal=name))
    town.grow(3)
    town.settle(town.front.height)
    assert upgrade_at(town, "bank-a") is None
    assert executor_of(town.front).protocol_version == 1
    assert words(town, "declare_software") == []


def test_a_version_waits_for_the_last_of_a_quorum_and_takes_effect_two_blocks_later(town: Town) -> None:
    cluster = town.cluster
    give(town, "bank-a", "regulator")
    assert cluster.run_until(lambda: declared(town, "bank-a", "regulator"), 60_000)
    height = town.front.height + 6
    town.vote(town.propose("protocol_version", version=2, height=height))
    town.grow(10)
    town.settle(height + 2)
    assert executor_of(town.front).protocol_version == 1
    give(town, "central-bank")
    assert cluster.run_until(lambda: declared(town, "central-bank"), 60_000)
    town.grow(3)
    assert cluster["enterprise-a"].needs_release
    give(town, "enterprise-a")
    town.settle(town.front.height)
    said = (membership.node(town.state, "central-bank") or {})["software"]["since"]
    began = next(height for height, version in began_under(town) if version == 2)
    assert (began, executor_of(town.front).protocol_version) == (said + 2, 2)
    assert noticed(town, "enterprise-a") == ["lacks_version", "needs_release"]


def test_a_validator_that_is_removed_before_the_height_counts_no_more() -> None:
    town = Town()
    host = town.register()
    town.change("add_validator", node=NEW)
    town.grow(2)
    having = ("bank-a", "central-bank", "enterprise-a", NEW)
    give(town, *having)
    assert town.cluster.run_until(lambda: declared(town, *having), 60_000)
    height = town.front.height + 25
    town.vote(town.propose("protocol_version", version=2, height=height))
    town.settle(town.front.height)
    found = upgrade_at(town, "bank-a")
    assert found is not None
    assert (found.needed, found.first_height) == (4, height)
    town.change("remove_validator", node=NEW)
    town.settle(town.front.height)
    found = upgrade_at(town, "bank-a")
    assert found is not None
    assert (found.needed, found.first_height, found.having) == (3, height, ("bank-a", "central-bank", "enterprise-a"))
    give(town, "bank-a", rules=RULES)  # one takes its word back: two of four are left
    assert town.cluster.run_until(lambda: membership.node(town.state, "bank-a")["software"]["protocol_versions"] == [])
    town.grow(height + 4 - town.front.height)
    town.settle(height + 2)
    assert executor_of(host).protocol_version == 1
    found = upgrade_at(town, "regulator")
    assert found is not None
    assert (found.having, found.first_height) == (("central-bank", "enterprise-a"), None)


def test_an_observer_says_what_its_software_has_and_counts_once_it_validates(town: Town) -> None:
    host = town.register()
    give(town, NEW)
    assert town.cluster.run_until(lambda: declared(town, NEW), 60_000)
    assert host.height
    town.vote(town.propose("protocol_version", version=2, height=town.front.height + 50))
    town.change("add_validator", node=NEW)
    town.grow(1)
    found = upgrade_at(town, "bank-a")
    assert found is not None
    assert (found.having, found.needed) == ((NEW,), 4)


def test_a_node_says_once_that_it_is_ready_and_again_before_its_word_is_too_old(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("coseal.node.core.readiness.AGAIN_BLOCKS", 110)
    town.register()
    said = membership.node(town.state, NEW)["ready"]
    town.cluster.run(5_000)
    town.grow(3)
    assert membership.node(town.state, NEW)["ready"] == said
    words = [
        tx
        for host in (town.front,)
        for _, outcome in host.published
        for tx in outcome.transactions
        if tx.action == "ready"
    ]
    assert len(words) == 1
    town.grow(said + 110 - town.front.height)
    again: Callable[[], bool] = lambda: membership.node(town.state, NEW)["ready"] > said  # noqa: E731
    assert town.cluster.run_until(again, 60_000)


def test_a_validator_whose_journal_was_lost_in_another_epoch_stays_silent_as_long_as_ever(town: Town) -> None:
    town.register()
    town.change("add_validator", node=NEW)
    town.grow(2)
    town.settle()
    town.cluster.kill("regulator")
    town.cluster["regulator"].disk.journal = None
    town.cluster.start("regulator")
    assert not town.votes("regulator")
    town.grow(4)
    town.settle(town.front.height)
    town.grow(1)
    assert town.votes("regulator")
    assert journal.load(town.cluster["regulator"].disk.journal, town.cluster.genesis.chain_id, "regulator")
