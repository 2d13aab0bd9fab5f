"""Machines of one network under faults: crashes, partitions, lost power, damaged journals, skewed clocks."""

from __future__ import annotations

from dataclasses import replace

import pytest

from coseal.contracts.kernel.action import Args, Context, Rejected, Result, View
from coseal.contracts.registry import CONTRACTS, RULES, Contracts
from coseal.ledger.genesis import PROTOCOL_VERSION
from coseal.node.core import events, journal, packing, wire
from coseal.node.core.machine import Machine
from tests.support.cluster import Cluster, Host, commit, machine_of, settled
from tests.support.transactions import signed


@pytest.fixture
def cluster() -> Cluster:
    return settled(Cluster())


def own_signatures(host: Host) -> list[bytes]:
    return [record.signature for record in machine_of(host)._journal.persisted.signs or ()]


def test_the_leader_dies_and_the_others_go_on(cluster: Cluster) -> None:
    leader = machine_of(cluster["bank-b" if "bank-b" in cluster.hosts else "bank-a"]).status(cluster.now_ms).leader
    cluster.kill(leader)
    others = [host.name for host in cluster.running()]
    commit(cluster, 3, at=others[0])
    assert cluster.agrees(4)
    before = cluster.now_ms
    cluster.start(leader)
    assert cluster.run_until(lambda: cluster.agrees(4))
    assert cluster.now_ms - before < 3_000


@pytest.mark.parametrize("name", ["bank-a", "central-bank", "enterprise-a", "regulator"])
def test_any_node_is_killed_at_any_moment_and_comes_back(name: str) -> None:
    cluster = settled(Cluster(seed=3, sync_ms=3))
    expected = []
    for moment in range(12):  # in the middle of a block, a few milliseconds later each time
        tx = signed(cluster.genesis, moment)
        cluster.submit("regulator" if name != "regulator" else "bank-a", tx)
        cluster.run(moment)
        cluster.kill(name)
        cluster.run(700)
        cluster.start(name)
        expected.append(tx)
    assert cluster.run_until(lambda: all(cluster.has(tx) for tx in expected) and cluster.agrees())
    assert not any(host.accused for host in cluster.running())


def test_all_nodes_lose_power_and_the_chain_goes_on() -> None:
    cluster = settled(Cluster(sync_ms=3))
    for moment in range(10):
        tx = signed(cluster.genesis, moment)
        cluster.submit("bank-a", tx)
        cluster.run(moment)
        cluster.kill(*cluster.hosts)
        cluster.start()
        again = signed(cluster.genesis, 100 + moment)
        cluster.submit("regulator", again)
        assert cluster.run_until(lambda again=again: cluster.has(again))
    assert cluster.agrees(10)
    assert not any(host.accused for host in cluster.running())


def test_without_a_quorum_nothing_commits_and_health_says_why(cluster: Cluster) -> None:
    cluster.kill("bank-a", "enterprise-a")
    tx = signed(cluster.genesis, 1)
    cluster.submit("regulator", tx)
    cluster.run(10_000)
    assert cluster.agrees()
    assert cluster["regulator"].height == 1
    status = machine_of(cluster["regulator"]).status(cluster.now_ms)
    assert not status.healthy
    assert status.why_stalled is not None
    assert status.why_stalled.startswith(
        "waiting for 1 more of 3 validators: bank-a and enterprise-a unreachable since "
    )
    cluster.start("bank-a")
    assert cluster.run_until(lambda: cluster.has(tx))
    cluster.run(2_000)
    assert machine_of(cluster["regulator"]).status(cluster.now_ms).healthy


def test_a_partition_heals_and_both_sides_agree(cluster: Cluster) -> None:
    cluster.partition(["bank-a", "central-bank"], ["enterprise-a", "regulator"])
    left, right = signed(cluster.genesis, 1), signed(cluster.genesis, 2)
    cluster.submit("bank-a", left)
    cluster.submit("regulator", right)
    cluster.run(20_000)
    assert [host.height for host in cluster.running()] == [1, 1, 1, 1]
    cluster.heal()
    assert cluster.run_until(lambda: cluster.has(left) and cluster.has(right) and cluster.agrees(), 60_000)


def test_a_minority_behind_a_partition_catches_up(cluster: Cluster) -> None:
    cluster.partition(["bank-a"], ["central-bank", "enterprise-a", "regulator"])
    for number in range(40):
        tx = signed(cluster.genesis, number)
        cluster.submit("regulator", tx)
        assert cluster.run_until(lambda tx=tx: cluster.has(tx, "regulator", "enterprise-a", "central-bank"))
    cluster.heal()
    assert cluster.run_until(lambda: cluster.agrees(41), 5_000)


def test_a_transaction_known_to_one_node_alone_commits(cluster: Cluster) -> None:
    """Fabric #4438: only a follower knows it, the gossip of the submission was lost."""
    tx = signed(cluster.genesis, 1)
    cluster.tamper = lambda source, target, data: [] if isinstance(wire.decode(data), wire.Transactions) else [data]
    cluster.submit("regulator", tx)
    cluster.run(3)
    cluster.tamper = lambda source, target, data: [data]
    assert cluster.run_until(lambda: cluster.has(tx), 60_000)


def asking_for_blocks(cluster: Cluster) -> tuple[Machine, str]:
    """Let bank-a miss five blocks and wait for an answer; return its machine, and which peer it asked."""
    cluster.kill("bank-a")
    commit(cluster, 5)
    cluster.tamper = lambda source, target, data: [] if isinstance(wire.decode(data), wire.GetBlocks) else [data]
    cluster.start("bank-a")
    machine = machine_of(cluster["bank-a"])
    machine._catch_up.sync._chunk_blocks = 5  # it knows how large blocks are
    cluster.run(20)
    (asked,) = [name for name, peer in machine._catch_up.sync._peers.items() if peer.asked]
    return machine, asked


def test_what_a_peer_that_is_gone_was_asked_for_is_asked_of_another_at_once(cluster: Cluster) -> None:
    machine, gone = asking_for_blocks(cluster)
    effects = machine.step(events.PeerDisconnected(gone), cluster.now_ms)
    (frame,) = [effect for effect in effects if isinstance(effect, events.SendFrame)]
    assert frame.peer != gone
    assert frame.message == wire.GetBlocks(2, 5)


def test_what_is_missing_is_asked_for_before_what_came_is_executed(cluster: Cluster) -> None:
    machine, asked = asking_for_blocks(cluster)
    given = packing.pack_blocks(2, cluster["regulator"].disk.blocks[1:3])
    effects = machine.step(events.FrameReceived(asked, given), cluster.now_ms)
    (frame,) = [effect for effect in effects if isinstance(effect, events.SendFrame)]
    assert frame.message == wire.GetBlocks(4, 3)
    assert machine.executor.height == 1
    machine.step(events.TimerFired(events.Tick(events.TickKind.CATCH_UP)), cluster.now_ms)
    assert machine.executor.height == 3


def test_a_wiped_node_only_follows_until_it_cannot_contradict_itself(cluster: Cluster) -> None:
    commit(cluster, 3)
    cluster.kill("bank-a")
    cluster["bank-a"].disk = type(cluster["bank-a"].disk)(None)
    cluster.start("bank-a")
    assert [notice.code for notice in cluster["bank-a"].noticed] == ["journal_missing"]
    assert cluster.run_until(lambda: cluster.agrees(4))
    cluster.run(1_500)
    status = machine_of(cluster["bank-a"]).status(cluster.now_ms)
    assert not status.voting
    assert status.silence is not None
    assert own_signatures(cluster["bank-a"]) == []
    assert cluster["bank-a"].disk.journal is None
    commit(cluster, 6, first=10)
    cluster.run(2_000)
    assert machine_of(cluster["bank-a"]).status(cluster.now_ms).voting
    assert own_signatures(cluster["bank-a"]) != []
    cluster.kill("regulator")  # now its vote is needed, and it survives a restart
    commit(cluster, 2, at="bank-a", first=20)
    cluster.kill("bank-a")
    cluster.start("bank-a")
    commit(cluster, 2, at="bank-a", first=30)


def test_a_damaged_journal_is_left_alone_until_the_node_may_vote_again(cluster: Cluster) -> None:
    """W1: the middle of the file is flipped."""
    commit(cluster, 3)
    cluster.run(10)
    cluster.kill("bank-a")
    disk = cluster["bank-a"].disk
    assert disk.journal is not None
    damaged = disk.journal[:100] + bytes([disk.journal[100] ^ 1]) + disk.journal[101:]
    disk.journal = damaged
    cluster.start("bank-a")
    assert [notice.code for notice in cluster["bank-a"].noticed] == ["journal_damaged"]
    cluster.run(2_000)
    assert not machine_of(cluster["bank-a"]).status(cluster.now_ms).voting
    assert disk.journal == damaged
    commit(cluster, 6, first=10)
    cluster.run(2_000)
    assert machine_of(cluster["bank-a"]).status(cluster.now_ms).voting
    loaded = journal.load(disk.journal, cluster.genesis.chain_id, "bank-a")
    assert loaded.verdict is journal.Verdict.INTACT
    assert not any(host.accused for host in cluster.running())


@pytest.mark.parametrize("cut", [1, 10, 100])
def test_a_torn_journal_is_mended_and_the_node_votes_on(cluster: Cluster, cut: int) -> None:
    """W1: the last record is cut short."""
    commit(cluster, 2)
    cluster.run(10)
    cluster.kill("bank-a", "regulator")
    disk = cluster["bank-a"].disk
    assert disk.journal is not None
    disk.journal = disk.journal[:-cut]
    cluster.start("bank-a")
    cluster.run(10)
    assert [notice.code for notice in cluster["bank-a"].noticed] == ["journal_torn"]
    loaded = journal.load(disk.journal, cluster.genesis.chain_id, "bank-a")
    assert loaded.verdict is journal.Verdict.INTACT
    commit(cluster, 2, at="bank-a", first=10)


def test_an_operator_may_let_a_node_without_journal_vote(cluster: Cluster) -> None:
    commit(cluster, 2)
    cluster.kill("bank-a", "regulator")
    cluster["bank-a"].disk.journal = None
    cluster.start("bank-a")
    tx = signed(cluster.genesis, 50)
    cluster.submit("bank-a", tx)
    cluster.run(5_000)
    assert not cluster.has(tx)
    reason = machine_of(cluster["bank-a"]).status(cluster.now_ms).why_stalled
    assert reason is not None
    assert "this node does not vote" in reason
    cluster["bank-a"].step(events.OperatorAllowsVoting())
    assert cluster.run_until(lambda: cluster.has(tx))
    cluster.kill("bank-a")
    cluster.start("bank-a")
    assert machine_of(cluster["bank-a"]).status(cluster.now_ms).voting


def test_an_old_copy_of_the_disk_stops_signing_when_it_sees_its_own_votes(cluster: Cluster) -> None:
    old = type(cluster["bank-a"].disk)(cluster["bank-a"].disk.journal, list(cluster["bank-a"].disk.blocks))
    commit(cluster, 5)
    cluster.kill("bank-a")
    cluster["bank-a"].disk = old
    cluster.start("bank-a")
    assert cluster.run_until(lambda: cluster.agrees(6))
    cluster.run(1_500)
    signed = own_signatures(cluster["bank-a"])
    commit(cluster, 2, first=10)
    assert own_signatures(cluster["bank-a"]) == signed
    assert not machine_of(cluster["bank-a"]).status(cluster.now_ms).voting
    assert not any(host.accused for host in cluster.running())


def test_frames_replayed_reordered_and_duplicated_change_nothing() -> None:
    """P2."""
    cluster = Cluster(seed=5)
    past: list[tuple[str, str, bytes]] = []

    def tamper(source: str, target: str, data: bytes) -> list[bytes]:
        past.append((source, target, data))
        frames = [data, data]
        replayed = cluster.random.choice(past)
        if replayed[1] == target:
            frames.insert(cluster.random.randint(0, 2), replayed[2])
        if cluster.random.random() < 0.2:
            frames.reverse()
        return frames

    cluster.tamper = tamper
    settled(cluster)
    commit(cluster, 10)
    assert cluster.agrees(11)
    assert not any(host.accused for host in cluster.running())


def test_lost_frames_delay_and_do_not_stop(cluster: Cluster) -> None:
    cluster.tamper = lambda source, target, data: [] if cluster.random.random() < 0.2 else [data]
    txs = [signed(cluster.genesis, number) for number in range(5)]
    for tx in txs:
        cluster.submit("regulator", tx)
        cluster.run(2_000)
    cluster.tamper = lambda source, target, data: [data]
    assert cluster.run_until(lambda: all(cluster.has(tx) for tx in txs) and cluster.agrees(), 120_000)


def test_skewed_clocks_do_not_stop_the_chain() -> None:
    cluster = Cluster()
    cluster.skew_ms = {"bank-a": -400, "regulator": 400}
    settled(cluster)
    commit(cluster, 5)


@pytest.mark.parametrize("seed", range(6))
def test_after_any_faults_the_chain_heals_and_every_pending_transaction_commits(seed: int) -> None:
    """Crashes, partitions, lost and repeated frames, slow disks; then calm."""
    cluster = Cluster(4 + seed % 2 * 3, seed=seed, sync_ms=1 + seed % 4)
    settled(cluster)
    dice, names, txs = cluster.random, list(cluster.hosts), []
    cluster.tamper = lambda source, target, data: [data] * dice.choice((0, 1, 1, 1, 1, 1, 1, 2))
    for number in range(25):
        down = [name for name in names if cluster[name].machine is None]
        match dice.randrange(5):
            case 0 if not down:
                cluster.kill(dice.choice(names))
            case 1:
                cluster.start()
            case 2:
                cut = dice.randrange(1, len(names))
                cluster.partition(names[:cut], names[cut:])
            case _:
                cluster.heal()
        txs.append(signed(cluster.genesis, number, member=dice.choice(names)))
        for host in cluster.running()[:2]:  # a client that retries elsewhere, for a node may die with what it took
            cluster.submit(host.name, txs[-1])
        cluster.run(dice.randrange(1, 1_500))
    cluster.tamper = lambda source, target, data: [data]
    cluster.start()
    cluster.heal()
    for tx in txs:
        cluster.submit(names[0], tx)
    assert cluster.run_until(lambda: all(cluster.has(tx) for tx in txs) and cluster.agrees(), 120_000)
    assert not any(host.accused or host.halted for host in cluster.running())


def test_a_block_whose_execution_differs_from_its_certificate_halts_the_node(cluster: Cluster) -> None:
    """A determinism fault is never skipped."""
    cluster.kill("bank-a")
    commit(cluster, 1)
    host = cluster["bank-a"]
    host.rules = {version: writing_more(contracts) for version, contracts in RULES.items()}
    cluster.start("bank-a")
    assert cluster.run_until(lambda: host.halted is not None)
    assert host.halted is not None
    assert "a quorum certified block" in host.halted
    assert "receipts_root" in host.halted
    height = host.height
    commit_elsewhere = signed(cluster.genesis, 99)
    cluster.submit("regulator", commit_elsewhere)
    assert cluster.run_until(lambda: cluster.has(commit_elsewhere, "regulator", "central-bank", "enterprise-a"))
    assert host.height == height


def writing_more(contracts: Contracts) -> Contracts:
    """These contracts with an action that also writes what it must not."""
    contract = contracts["membership"]
    action = contract.actions["set_profile"]

    def apply(view: View, context: Context, args: Args) -> Result | Rejected:
        view.put("more", True)
        return action.apply(view, context, args)

    actions = {**contract.actions, "set_profile": replace(action, apply=apply)}
    return {**contracts, "membership": replace(contract, actions=actions)}


def test_rules_of_a_later_protocol_halt_the_node_before_they_apply(cluster: Cluster) -> None:
    host = cluster["bank-a"]
    rules = host.rules = {**RULES, 9: CONTRACTS}
    cluster.kill("bank-a")
    cluster.start("bank-a")
    cluster.run(10)
    del rules[PROTOCOL_VERSION]  # as if the state asked for rules that this software never had
    machine_of(host).executor._composed = None  # nor put together for the block before
    cluster.submit("regulator", signed(cluster.genesis, 1))
    assert cluster.run_until(lambda: host.halted is not None)
    assert host.halted is not None
    assert host.halted.startswith("block 2 needs protocol version 1, this software knows 9")
