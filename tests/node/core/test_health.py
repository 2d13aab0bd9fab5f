from __future__ import annotations

import pytest

from coseal.node.core import events, wire
from coseal.node.core.health import NodeStatus
from coseal.node.core.peers import Peer
from tests.support.cluster import Cluster, Host
from tests.support.transactions import signed


@pytest.fixture
def cluster() -> Cluster:
    cluster = Cluster()
    cluster.start()
    assert cluster.run_until(lambda: cluster.agrees(1))
    cluster.run(10)  # until it is durable, too
    return cluster


def status(cluster: Cluster, name: str) -> NodeStatus:
    machine = cluster[name].machine
    assert machine is not None
    return machine.status(cluster.now_ms)


def unhealthy(cluster: Cluster, host: Host) -> bool:
    return not status(cluster, host.name).healthy


def test_a_node_is_unhealthy_until_it_has_heard_a_quorum() -> None:
    cluster = Cluster()
    cluster["bank-a"].boot()
    reason = status(cluster, "bank-a").why_stalled
    assert reason == (
        "waiting for 2 more of 3 validators: central-bank, enterprise-a and regulator unreachable since 0 s"
    )
    cluster.start()
    cluster.run(100)
    assert status(cluster, "bank-a").healthy


def test_stopping_more_than_f_nodes_turns_all_unhealthy_within_ten_seconds(cluster: Cluster) -> None:
    cluster.run(3_000)
    cluster.kill("bank-a")
    cluster.run(10_000)
    assert not any(unhealthy(cluster, host) for host in cluster.running())
    cluster.kill("regulator")
    cluster.run(10_000)
    assert all(unhealthy(cluster, host) for host in cluster.running())


def test_one_node_less_is_named_by_nobody_as_the_reason_because_there_is_none(cluster: Cluster) -> None:
    cluster.kill("enterprise-a")
    cluster.run(10_000)
    found = status(cluster, "bank-a")
    assert found.why_stalled is None
    peer = next(peer for peer in found.peers if peer.node == "enterprise-a")
    assert not peer.connected
    assert peer.age_ms is not None
    assert peer.age_ms > 9_000


def test_a_waiting_transaction_makes_unhealthy_and_the_round_is_described(cluster: Cluster) -> None:
    """Everybody is reachable, and nothing commits: the votes are lost."""
    cluster.tamper = lambda source, target, data: [] if isinstance(wire.decode(data), wire.ConsensusMessage) else [data]
    cluster.submit("bank-a", signed(cluster.genesis, 1))
    cluster.run(1_000)
    assert status(cluster, "bank-a").healthy
    cluster.run(1_000)
    reason = status(cluster, "bank-a").why_stalled
    assert reason is not None
    assert reason.startswith("a transaction has been waiting for 2 s: height 2, round 1, the leader ")
    assert "of 3" in reason


def test_a_node_that_is_behind_says_how_far(cluster: Cluster) -> None:
    cluster.kill("bank-a")
    for number in range(5):
        tx = signed(cluster.genesis, number)
        cluster.submit("regulator", tx)
        assert cluster.run_until(lambda tx=tx: cluster.has(tx))
    cluster.tamper = lambda source, target, data: [] if isinstance(wire.decode(data), wire.Blocks) else [data]
    cluster.start("bank-a")
    cluster.run(100)
    assert status(cluster, "bank-a").why_stalled == "catching up: at height 1 of 6"
    assert status(cluster, "bank-a").syncing


def test_a_node_that_may_not_vote_does_not_count_itself(cluster: Cluster) -> None:
    cluster.kill("bank-a", "regulator")
    cluster["bank-a"].disk.journal = None
    cluster.start("bank-a")
    cluster.run(6_000)
    reason = status(cluster, "bank-a").why_stalled
    assert reason is not None
    assert reason.startswith("waiting for 1 more of 3 validators: this node does not vote (the journal was lost")
    assert "; regulator unreachable since " in reason


def test_a_clock_set_back_does_not_hide_that_peers_are_silent(cluster: Cluster) -> None:
    machine = cluster["bank-a"].machine
    assert machine is not None
    assert not machine.status(cluster.now_ms - 3_600_000).healthy
    cluster.skew_ms["bank-a"] = -3_600_000
    cluster.run(2_000)
    assert machine.status(cluster.now_ms - 3_600_000).healthy


def test_counters_come_sorted_and_status_is_complete_at_height_zero() -> None:
    cluster = Cluster()
    cluster["bank-a"].boot()
    found = status(cluster, "bank-a")
    assert (found.height, found.block_hash, found.epoch, found.validators, found.quorum) == (
        0,
        cluster.genesis.chain_id,
        0,
        4,
        3,
    )
    assert found.protocol_version == 1
    for frame in (wire.Hello(bytes(32), "x", "y"), wire.Blocks(1, ())):
        cluster["bank-a"].step(events.FrameReceived("regulator", frame))
    assert list(status(cluster, "bank-a").counters) == ["unasked_blocks", "unexpected_hello"]


def test_a_peer_is_told_the_status_once_a_second() -> None:
    peer = Peer()
    told = [now for now in range(0, 5_000, 100) if peer.tell(now)]
    assert told == [0, 1_000, 2_000, 3_000, 4_000]
    assert peer.tell(10)  # the clock was set back


def test_a_validator_whose_signer_is_away_says_so_and_does_not_count_itself(cluster: Cluster) -> None:
    host = cluster["bank-a"]
    assert (status(cluster, "bank-a").voting, status(cluster, "bank-a").silence) == (True, None)
    host.step(events.SignerChanged("its signer is away: no such file"))
    found = status(cluster, "bank-a")
    assert (found.voting, found.silence) == (False, "its signer is away: no such file")
    assert found.why_stalled is None  # the others can commit
    cluster.kill("regulator")
    cluster.run(10_000)
    assert "this node does not vote (its signer is away: no such file)" in str(status(cluster, "bank-a").why_stalled)
    host.step(events.SignerChanged(None))
    assert status(cluster, "bank-a").voting
