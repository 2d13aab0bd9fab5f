"""Consistent reads of machines of one network: answered by a quorum or not at all."""

from __future__ import annotations

import pytest

from coseal.consensus.messages import Commit
from coseal.contracts.execution import Executor
from coseal.contracts.genesis_state import new_state
from coseal.ledger.block import CommittedBlock
from coseal.node.core import events, wire
from coseal.node.core.restart import tip_of
from tests.support.cluster import Cluster, Host, certificate_of, machine_of, settled
from tests.support.transactions import signed


@pytest.fixture
def cluster() -> Cluster:
    return settled(Cluster())


def heard(host: Host, token: int) -> list[int]:
    found: list[int] = []
    host.watch = lambda effects: found.extend(one.height for one in effects if isinstance(one, events.ReadHeightKnown))
    host.step(events.ReadRequested(token))
    return found


def test_a_consistent_read_learns_a_height_that_covers_what_was_acknowledged(cluster: Cluster) -> None:
    cluster.partition(["bank-a"], ["central-bank", "enterprise-a", "regulator"])
    tx = signed(cluster.genesis, 1)
    cluster.submit("regulator", tx)
    assert cluster.run_until(lambda: cluster.has(tx, "regulator"))
    cluster.tamper = lambda source, target, data: [] if isinstance(wire.decode(data), wire.Status) else [data]
    cluster.heal()
    found = heard(cluster["bank-a"], 1)
    assert cluster.run_until(lambda: bool(found), 1_000)
    assert found == [2]


def test_a_consistent_read_without_a_quorum_is_never_answered(cluster: Cluster) -> None:
    cluster.kill("central-bank", "enterprise-a")
    found = heard(cluster["bank-a"], 1)
    cluster.run(5_000)
    assert found == []


def test_a_consistent_read_counts_no_answer_that_proves_nothing(cluster: Cluster) -> None:
    cluster.kill("central-bank", "enterprise-a", "regulator")
    found = heard(cluster["bank-a"], 1)
    forged = certificate_of(cluster, 900, bytes(32), signers=2)
    for peer in ("central-bank", "enterprise-a", "regulator"):
        cluster["bank-a"].step(events.FrameReceived(peer, wire.TipReply(1, forged, None)))
    assert found == []
    for peer in ("central-bank", "central-bank", "regulator"):
        cluster["bank-a"].step(events.FrameReceived(peer, wire.TipReply(1, None, None)))
    assert found == [1]


def test_open_questions_are_bounded_and_forgotten(cluster: Cluster) -> None:
    cluster.kill("central-bank", "enterprise-a", "regulator")
    machine = machine_of(cluster["bank-a"])
    for token in range(2_000):
        machine.step(events.ReadRequested(token), cluster.now_ms)
    assert len(machine._reads._open) == 1_000
    cluster.run(12_000)
    assert len(machine._reads._open) == 0


def test_a_prepared_certificate_in_an_answer_raises_the_height_to_wait_for(cluster: Cluster) -> None:
    """What was acknowledged by a node we cannot reach is prepared by those we can."""
    cluster.tamper = lambda source, target, data: (
        [] if source != "regulator" and isinstance(decoded(data), Commit) and target != "regulator" else [data]
    )
    tx = signed(cluster.genesis, 1)
    cluster.submit("regulator", tx)
    assert cluster.run_until(lambda: cluster.has(tx, "regulator"))
    cluster.kill("regulator")
    assert cluster["bank-a"].height == 1
    found = heard(cluster["bank-a"], 1)
    assert cluster.run_until(lambda: bool(found), 100)
    assert found == [2]


def decoded(data: bytes) -> object:
    message = wire.decode(data)
    return message.message if isinstance(message, wire.ConsensusMessage) else message


def test_a_tip_is_never_paired_with_validators_that_did_not_sign_it(cluster: Cluster) -> None:
    block = CommittedBlock.decode(cluster["bank-a"].disk.blocks[0])
    other = Cluster(5)
    with pytest.raises(ValueError, match="which signed the tip"):
        tip_of(cluster.genesis, block, Executor(other.genesis, new_state(other.genesis)).reader)
