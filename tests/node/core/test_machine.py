"""Machines of one network: what commits in normal life, and in which order effects come."""

from __future__ import annotations

import pytest

from coseal.consensus.messages import Prepare
from coseal.node.core import events, journal, wire
from coseal.node.core.events import Admission
from tests.support.cluster import Cluster, Host, commit, machine_of, settled
from tests.support.transactions import signed


@pytest.fixture
def cluster() -> Cluster:
    return settled(Cluster())


def own_signatures(host: Host) -> list[bytes]:
    return [record.signature for record in machine_of(host)._journal.persisted.signs or ()]


# Normal life


def test_who_missed_a_proposal_fetches_the_body_that_the_others_prepared() -> None:
    """Its COMMIT is needed: those of another validator are lost. Without the body the round would have to fail."""
    cluster = settled(Cluster())
    leader = machine_of(cluster["bank-a"]).status(cluster.now_ms).leader
    missed, muted, *_ = [name for name in cluster.hosts if name != leader]

    def tamper(source: str, target: str, data: bytes) -> list[bytes]:
        lost = (target == missed and b"\xa8proposal" in data[:32]) or (source == muted and b"\xa6commit" in data[:32])
        return [] if lost else [data]

    cluster.tamper = tamper
    tx = signed(cluster.genesis, 1)
    cluster.submit("regulator", tx)
    assert cluster.run_until(lambda: cluster.has(tx, leader), 200)


@pytest.mark.parametrize("voiceless", ["observer-1", "bank-a"])
def test_a_transaction_that_only_a_node_without_a_vote_still_has_commits(voiceless: str) -> None:
    """Its gossip is lost, or the validators crashed after it: the client was told ``accepted`` and may be gone."""
    cluster = settled(Cluster(observers=("observer-1",)))
    if voiceless == "bank-a":  # a validator that lost its journal follows for a while
        cluster.kill("bank-a")
        cluster["bank-a"].disk.journal = None
        cluster.start("bank-a")
        cluster.run(100)
    everyone = list(cluster.hosts)
    cluster.partition([voiceless], [name for name in everyone if name != voiceless])
    tx = signed(cluster.genesis, 1)
    cluster.submit(voiceless, tx)
    cluster.run(50)
    cluster.heal()
    assert cluster.run_until(lambda: cluster.has(tx), 10_000)


def test_a_submitted_transaction_commits_on_every_node(cluster: Cluster) -> None:
    tx = signed(cluster.genesis, 1)
    cluster.submit("enterprise-a", tx)
    assert [answer.admission for answer in cluster["enterprise-a"].answers] == [Admission.ACCEPTED]
    assert cluster.run_until(lambda: cluster.has(tx) and cluster.agrees(2))
    assert all(len(machine_of(host).mempool) == 0 for host in cluster.running())


@pytest.mark.parametrize("n", [1, 4, 5, 6, 7])
def test_sets_of_every_size_commit(n: int) -> None:
    cluster = settled(Cluster(n))
    commit(cluster, 3, at="bank-a")
    assert cluster.agrees(4)


def test_an_idle_chain_makes_no_blocks_and_is_healthy(cluster: Cluster) -> None:
    cluster.run(30_000)
    assert [host.height for host in cluster.running()] == [1, 1, 1, 1]
    for host in cluster.running():
        status = machine_of(host).status(cluster.now_ms)
        assert status.healthy
        assert status.why_stalled is None
        assert status.voting


def test_the_heartbeat_makes_an_empty_block() -> None:
    cluster = settled(Cluster(heartbeat_ms=5_000))
    cluster.run(11_000)
    assert cluster.agrees(3)


def test_many_transactions_of_one_sender_keep_their_order(cluster: Cluster) -> None:
    txs = [signed(cluster.genesis, number) for number in range(300)]
    cluster.submit("bank-a", *txs)
    assert cluster.run_until(lambda: cluster.has(txs[-1]))
    cluster.run(10)
    ids = [tx_id for _, outcome in cluster["regulator"].published for tx_id in outcome.tx_ids]
    assert ids == [tx.id for tx in txs]


def test_an_observer_follows_and_never_signs() -> None:
    cluster = settled(Cluster(observers=("observer-1",)))
    commit(cluster, 3, at="observer-1")
    observer = cluster["observer-1"]
    assert cluster.agrees(4)
    assert own_signatures(observer) == [b""]
    status = machine_of(observer).status(cluster.now_ms)
    assert (status.kind, status.voting, status.healthy) == ("observer", False, True)


def test_the_same_seed_gives_the_same_run() -> None:
    def run() -> list[bytes]:
        cluster = settled(Cluster(seed=7))
        commit(cluster, 3)
        cluster.kill("bank-a")
        commit(cluster, 2, first=10)
        return [cluster.chain[height] for height in sorted(cluster.chain)]

    assert run() == run()


# Effects and their order


def test_a_vote_never_leaves_before_its_record_and_nothing_is_published_before_its_block() -> None:
    cluster = settled(Cluster())
    seen: list[str] = []
    for host in cluster.running():
        host.watch = lambda effects: seen.extend(check_order(effects))
    commit(cluster, 3)
    assert {"vote", "published", "applied"} <= set(seen)


def check_order(effects: list[events.NodeEffect]) -> list[str]:
    """Votes follow an append of the same step, a block's effects follow the block."""
    appended = block = False
    seen = []
    for effect in effects:
        match effect:
            case events.Append():
                appended = True
            case events.AppendBlock():
                block = True
            case events.BroadcastFrame(wire.ConsensusMessage(Prepare())):
                assert appended
                seen.append("vote")
            case events.Published():
                assert block
                seen.append("published")
            case events.ApplyState():
                assert block
                seen.append("applied")
    return seen


def test_the_state_is_flushed_in_order_and_out_of_order_is_our_bug(cluster: Cluster) -> None:
    machine = machine_of(cluster["bank-a"])
    with pytest.raises(ValueError, match="not to be written next"):
        machine.step(events.Applied(9), cluster.now_ms)


def test_a_halted_machine_does_nothing(cluster: Cluster) -> None:
    machine = machine_of(cluster["bank-a"])
    machine._context.halt("a test says so")
    assert machine.step(events.Submitted((signed(cluster.genesis, 1),)), cluster.now_ms) == []
    status = machine.status(cluster.now_ms)
    assert not status.healthy
    assert status.why_stalled == "stopped: a test says so"


def test_old_records_leave_the_journal_and_the_guard_stays(cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(journal, "FILE_BYTES_MAX", 20_000)
    commit(cluster, 30)
    cluster.run(2_000)
    for host in cluster.running():
        assert host.disk.journal is not None
        assert len(host.disk.journal) < 40_000
        loaded = journal.load(host.disk.journal, cluster.genesis.chain_id, host.name)
        assert loaded.verdict is journal.Verdict.INTACT
        assert loaded.journal.persisted.signs == machine_of(host)._journal.persisted.signs
        assert loaded.journal.persisted.signs[-1].height == 31
