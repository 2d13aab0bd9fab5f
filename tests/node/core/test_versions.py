"""Protocol versions with real machines: who has one, when it takes effect, what a node says of its software."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pytest

from coseal.contracts.governance import actions as governance
from coseal.contracts.membership import actions as membership
from coseal.contracts.registry import CONTRACTS, KINDS, RULES
from coseal.ledger.block import Receipt
from coseal.node.core.health import Upgrade
from tests.support.acting import NEW, ActingNetwork, executor_of


@pytest.fixture
def network() -> Iterator[ActingNetwork]:
    made = ActingNetwork()
    yield made
    assert not [host.halted for host in made.cluster.hosts.values() if host.halted]


NEWER = {**RULES, 2: CONTRACTS}


def give(network: ActingNetwork, *names: str, rules: Mapping[int, Any] = NEWER) -> None:
    """Install other software on nodes and start them again, one after another, as operators do."""
    for name in names:
        network.cluster.kill(name)
        network.cluster[name].rules = rules
        network.cluster.start(name)
        assert network.cluster.run_until(lambda: network.cluster.agrees(0), 60_000)


def declared(network: ActingNetwork, *names: str) -> bool:
    return all("software" in (membership.node(network.state, name) or {}) for name in names)


def noticed(network: ActingNetwork, name: str) -> list[str]:
    codes = [notice.code for notice in network.cluster[name].noticed]
    return [code for code in codes if code in ("needs_release", "lacks_version")]


def words(network: ActingNetwork, action: str) -> list[str]:
    """The nodes that said something of themselves, in the order of the chain."""
    return [tx.sender for _, outcome in network.front.published for tx in outcome.transactions if tx.action == action]


def began_under(network: ActingNetwork) -> list[tuple[int, int]]:
    """The first height of each version that a block brought into force, and the version."""
    begun = (Receipt.decode(committed.receipts[0]).data for committed, _ in network.front.published)
    versions = (data.get("governance", {}).get("protocol_version") for data in begun)
    return [(found["first_height"], found["version"]) for found in versions if found is not None]


def upgrade_at(network: ActingNetwork, name: str) -> Upgrade | None:
    machine = network.cluster[name].machine
    assert machine is not None
    found = machine.status(network.cluster.now_ms).upgrade
    assert found is None or isinstance(found, Upgrade)
    return found


def test_a_quorum_that_has_a_version_goes_on_under_it_and_the_node_that_lacks_it_stops_before(
    network: ActingNetwork,
) -> None:
    cluster, having = network.cluster, ("central-bank", "enterprise-a", "regulator")
    give(network, *having)
    assert cluster.run_until(lambda: declared(network, *having), 60_000)
    cluster.run(5_000)
    assert sorted(words(network, "declare_software")) == [f"node:{name}" for name in having]
    assert noticed(network, "bank-a") == ["lacks_version"]  # before anybody proposed it
    height = network.front.height + 8
    network.vote(network.propose("protocol_version", "regulator", version=2, height=height))
    network.grow(1)
    network.settle(network.front.height)
    assert noticed(network, "bank-a") == ["lacks_version", "needs_release"]
    assert noticed(network, "regulator") == []
    proposal = governance.proposals(network.state, KINDS)[0]["id"]
    assert upgrade_at(network, "bank-a") == Upgrade(2, height, proposal, height, having, ("bank-a",), 3, known=False)
    network.grow(height + 3 - network.front.height)
    cluster.run(1_000)
    host = cluster["bank-a"]
    assert host.needs_release, host.halted
    assert f"block {height} needs protocol version 2" in str(host.halted)
    assert host.disk.tip_height == height - 1  # the last block under the old rules is on its disk
    assert executor_of(cluster["regulator"]).protocol_version == 2
    assert network.front.height >= height + 3  # three of four go on
    give(network, "bank-a")
    assert cluster.run_until(lambda: declared(network, "bank-a"), 60_000)
    network.grow(2)
    network.settle(network.front.height)
    assert upgrade_at(network, "bank-a") is None
    assert network.votes("bank-a")


def test_a_version_that_no_node_has_stops_nobody_and_is_withdrawn(network: ActingNetwork) -> None:
    height = network.front.height + 6
    name = network.propose("protocol_version", version=2, height=height)
    network.vote(name)
    network.grow(20)
    network.settle(height + 10)
    for node in network.validators:
        assert noticed(network, node) == ["lacks_version"]
        found = upgrade_at(network, node)
        assert found is not None
        assert (found.first_height, found.lacking, found.known) == (None, tuple(network.validators), False)
    give(network, *network.validators, rules=RULES)  # a restart changes nothing of it
    network.vote(network.propose("withdraw_version", proposal=name))
    network.grow(3)
    network.settle(network.front.height)
    assert upgrade_at(network, "bank-a") is None
    assert executor_of(network.front).protocol_version == 1
    assert words(network, "declare_software") == []


def test_a_version_waits_for_the_last_of_a_quorum_and_takes_effect_two_blocks_later(network: ActingNetwork) -> None:
    cluster = network.cluster
    give(network, "bank-a", "regulator")
    assert cluster.run_until(lambda: declared(network, "bank-a", "regulator"), 60_000)
    height = network.front.height + 6
    network.vote(network.propose("protocol_version", version=2, height=height))
    network.grow(10)
    network.settle(height + 2)
    assert executor_of(network.front).protocol_version == 1
    give(network, "central-bank")
    assert cluster.run_until(lambda: declared(network, "central-bank"), 60_000)
    network.grow(3)
    assert cluster["enterprise-a"].needs_release
    give(network, "enterprise-a")
    network.settle(network.front.height)
    said = (membership.node(network.state, "central-bank") or {})["software"]["since"]
    began = next(height for height, version in began_under(network) if version == 2)
    assert (began, executor_of(network.front).protocol_version) == (said + 2, 2)
    assert noticed(network, "enterprise-a") == ["lacks_version", "needs_release"]


def test_a_validator_that_is_removed_before_the_height_counts_no_more() -> None:
    network = ActingNetwork()
    host = network.register()
    network.change("add_validator", node=NEW)
    network.grow(2)
    having = ("bank-a", "central-bank", "enterprise-a", NEW)
    give(network, *having)
    assert network.cluster.run_until(lambda: declared(network, *having), 60_000)
    height = network.front.height + 25
    network.vote(network.propose("protocol_version", version=2, height=height))
    network.settle(network.front.height)
    found = upgrade_at(network, "bank-a")
    assert found is not None
    assert (found.needed, found.first_height) == (4, height)
    network.change("remove_validator", node=NEW)
    network.settle(network.front.height)
    found = upgrade_at(network, "bank-a")
    assert found is not None
    assert (found.needed, found.first_height, found.having) == (3, height, ("bank-a", "central-bank", "enterprise-a"))
    give(network, "bank-a", rules=RULES)  # one takes its word back: two of four are left
    assert network.cluster.run_until(
        lambda: membership.node(network.state, "bank-a")["software"]["protocol_versions"] == []
    )
    network.grow(height + 4 - network.front.height)
    network.settle(height + 2)
    assert executor_of(host).protocol_version == 1
    found = upgrade_at(network, "regulator")
    assert found is not None
    assert (found.having, found.first_height) == (("central-bank", "enterprise-a"), None)


def test_an_observer_says_what_its_software_has_and_counts_once_it_validates(network: ActingNetwork) -> None:
    host = network.register()
    give(network, NEW)
    assert network.cluster.run_until(lambda: declared(network, NEW), 60_000)
    assert host.height
    network.vote(network.propose("protocol_version", version=2, height=network.front.height + 50))
    network.change("add_validator", node=NEW)
    network.grow(1)
    found = upgrade_at(network, "bank-a")
    assert found is not None
    assert (found.having, found.needed) == ((NEW,), 4)


def test_a_node_says_once_that_it_is_ready_and_again_before_its_word_is_too_old(
    network: ActingNetwork, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("coseal.node.core.readiness.AGAIN_BLOCKS", 110)
    network.register()
    said = membership.node(network.state, NEW)["ready"]
    network.cluster.run(5_000)
    network.grow(3)
    assert membership.node(network.state, NEW)["ready"] == said
    words = [
        tx
        for host in (network.front,)
        for _, outcome in host.published
        for tx in outcome.transactions
        if tx.action == "ready"
    ]
    assert len(words) == 1
    network.grow(said + 110 - network.front.height)
    again: Callable[[], bool] = lambda: membership.node(network.state, NEW)["ready"] > said  # noqa: E731
    assert network.cluster.run_until(again, 60_000)
