from __future__ import annotations

from dataclasses import replace

import pytest

from coseal.consensus.events import BodyRecord, TimerKind
from coseal.consensus.messages import Commit, Message, Prepare, Proposal, RoundChange, preimage
from coseal.contracts.execution import Executor, new_state
from coseal.contracts.kernel.action import Args, Context, Rejected, Result, View
from coseal.contracts.registry import CONTRACTS, RULES, Contracts
from coseal.ledger.block import CommittedBlock
from coseal.ledger.certificate import Certificate, Phase, assemble, vote_preimage
from coseal.ledger.genesis import PROTOCOL_VERSION
from coseal.node.core import events, journal, packing, wire
from coseal.node.core.events import Admission
from coseal.node.core.machine import Machine
from coseal.node.core.mempool import MempoolLimits
from coseal.node.core.restart import tip_of
from tests.support.cluster import Cluster, Host
from tests.support.genesis import START_MS
from tests.support.keys import validator
from tests.support.transactions import signed


@pytest.fixture
def cluster() -> Cluster:
    return settled(Cluster())


def settled(cluster: Cluster) -> Cluster:
    """Started, with block 1 everywhere, durable."""
    cluster.start()
    assert cluster.run_until(lambda: cluster.agrees(1))
    cluster.run(10)  # until it is durable, too
    return cluster


def commit(cluster: Cluster, count: int, *, at: str = "regulator", first: int = 1) -> None:
    """Commit ``count`` transactions in as many blocks, on every running node."""
    for number in range(first, first + count):
        tx = signed(cluster.genesis, number)
        cluster.submit(at, tx)
        assert cluster.run_until(lambda tx=tx: cluster.has(tx)), cluster.now_ms


def machine_of(host: Host):
    assert host.machine is not None
    return host.machine


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


# Faults


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
    cluster.submit("regulator", signed(cluster.genesis, 1))
    assert cluster.run_until(lambda: host.halted is not None)
    assert host.halted is not None
    assert host.halted.startswith("block 2 needs protocol version 1, this software knows 9")


# Frames that are wrong


def certificate_of(cluster: Cluster, height: int, block_hash: bytes, *, signers: int, epoch: int = 0) -> Certificate:
    validators = cluster.genesis.validators
    preimage = vote_preimage(cluster.genesis.chain_id, epoch, height, 0, Phase.COMMIT, block_hash)
    votes = {i: validator(validators[i].id).sign(preimage) for i in range(signers)}
    made = assemble(Phase.COMMIT, validators, height, 0, block_hash, votes)
    return Certificate(made.phase, epoch, height, 0, block_hash, made.bitmap, made.signatures)


def test_a_peer_whose_frames_are_damaged_at_random_stops_nobody() -> None:
    cluster = settled(Cluster(seed=2))

    def tamper(source: str, target: str, data: bytes) -> list[bytes]:
        if source != "regulator":
            return [data]
        position = cluster.random.randrange(len(data))
        return [data[:position] + cluster.random.randbytes(1) + data[position + 1 :]]

    cluster.tamper = tamper
    for number in range(20):
        tx = signed(cluster.genesis, number)
        cluster.submit("bank-a", tx)
        assert cluster.run_until(lambda tx=tx: cluster.has(tx, "bank-a", "central-bank", "enterprise-a"))
    cluster.tamper = lambda source, target, data: [data]
    assert cluster.run_until(cluster.agrees)
    assert not any(host.halted for host in cluster.running())


def byzantine(cluster: Cluster, valid: CommittedBlock) -> wire.WireMessage:
    """Anything that parses, signed by the regulator where a signature belongs."""
    dice, me, signer = cluster.random, 3, validator("regulator")
    height, round = dice.choice((1, 2, 3, 9, 2**63 - 1)), dice.choice((0, 0, 1, 2, 7, 2**32 - 1))
    block_hash = dice.choice((bytes(32), valid.block.hash, dice.randbytes(32)))
    phase = dice.choice((Phase.PREPARE, Phase.COMMIT))
    certificate = Certificate(phase, dice.choice((0, 0, 5)), height, round, block_hash, b"\x0e", (bytes(64),) * 3)
    certificate = dice.choice((valid.certificate, certificate))

    def signed(made: Message) -> wire.WireMessage:
        return wire.ConsensusMessage(replace(made, signature=signer.sign(preimage(cluster.genesis.chain_id, made))))

    change = RoundChange(0, height, round, me, dice.choice((None, certificate)), bytes(64))
    return dice.choice(
        (
            lambda: signed(Prepare(0, height, round, me, block_hash, b"")),
            lambda: signed(Commit(0, height, round, me, block_hash, b"")),
            lambda: signed(change),
            lambda: signed(Proposal(0, height, round, me, valid.block, dice.choice(((), (change,) * 3)), b"")),
            lambda: wire.Status(certificate.height, certificate.block_hash, certificate),
            lambda: wire.Blocks(dice.choice((1, 2, height)), ((valid.block.raw, certificate.encode()),)),
            lambda: wire.GetBlocks(height, dice.choice((1, 2**40))),
            lambda: wire.GetBody(height, block_hash),
            lambda: wire.Body(valid.block),
            lambda: wire.TipRequest(dice.randrange(10)),
            lambda: wire.TipReply(dice.randrange(10), certificate, dice.choice((None, certificate))),
            lambda: wire.Transactions((dice.randbytes(20),) * dice.randrange(3)),
        )
    )()


@pytest.mark.parametrize("seed", range(4))
def test_whatever_one_validator_says_no_exception_escapes_and_the_others_commit(seed: int) -> None:
    """I16, C6: one Byzantine node of four."""
    cluster = settled(Cluster(seed=seed))
    cluster.kill("regulator")
    valid = CommittedBlock.decode(cluster["bank-a"].disk.blocks[0])
    for number in range(10):
        tx = signed(cluster.genesis, number)
        cluster.submit("bank-a", tx)
        for _ in range(60):
            for host in cluster.running():
                host.step(events.FrameReceived("regulator", byzantine(cluster, valid)))
            cluster.run(1)
        assert cluster.run_until(lambda tx=tx: cluster.has(tx), 60_000)
    assert not any(host.halted for host in cluster.running())
    assert {name for host in cluster.running() for name in host.accused} <= {"regulator"}


def test_a_height_claimed_without_a_quorum_is_not_believed(cluster: Cluster) -> None:
    """CVE-2025-24371."""
    machine = machine_of(cluster["bank-a"])
    forged = certificate_of(cluster, 900, bytes(32), signers=2)
    machine.step(events.FrameReceived("regulator", wire.Status(900, bytes(32), forged)), cluster.now_ms)
    status = machine.status(cluster.now_ms)
    assert not status.syncing
    assert status.healthy
    assert status.counters["refused_BadCertificate"] == 1
    assert [peer.height for peer in status.peers if peer.node == "regulator"] == [0]


def test_a_tip_of_an_unknown_epoch_is_a_hint_for_its_peer_alone(cluster: Cluster) -> None:
    machine = machine_of(cluster["bank-a"])
    unknown = certificate_of(cluster, 900, bytes(32), signers=3, epoch=5)
    effects = machine.step(events.FrameReceived("regulator", wire.Status(900, bytes(32), unknown)), cluster.now_ms)
    asked = [effect for effect in effects if isinstance(effect, events.SendFrame)]
    assert [(effect.peer, effect.message) for effect in asked] == [("regulator", wire.GetBlocks(2, 1))]
    assert not machine.status(cluster.now_ms).syncing
    commit(cluster, 2)


def test_an_unsigned_vote_is_refused_and_changes_nothing(cluster: Cluster) -> None:
    machine = machine_of(cluster["bank-a"])
    before = machine.replica.standing()
    vote = wire.ConsensusMessage(Prepare(0, 2, 0, 1, bytes(32), bytes(64)))
    assert machine.step(events.FrameReceived("central-bank", vote), cluster.now_ms) == []
    assert machine.replica.standing() == before
    assert machine.counters["refused_BadSignature"] == 1


def test_bad_transactions_of_a_peer_are_counted_and_cost_no_place(cluster: Cluster) -> None:
    """T1: an invalid signature, another chain, bytes that are no transaction."""
    machine = machine_of(cluster["bank-a"])
    good = signed(cluster.genesis, 1)
    foreign = signed(Cluster(5).genesis, 1)
    forged = good.raw[:-1] + bytes([good.raw[-1] ^ 1])
    frame = wire.Transactions((b"\xc0", forged, foreign.raw, good.raw))
    machine.step(events.FrameReceived("regulator", frame), cluster.now_ms)
    assert [tx.id for tx in machine.mempool] == [good.id]
    assert machine.counters["refused_transaction_Malformed"] == 1
    assert machine.counters["refused_transaction_BadSignature"] == 1


def test_one_transaction_a_hundred_thousand_times_is_held_once(cluster: Cluster) -> None:
    """T1."""
    cluster.partition(["bank-a"], ["central-bank", "enterprise-a", "regulator"])
    machine = machine_of(cluster["bank-a"])
    tx = signed(cluster.genesis, 1)
    frame = wire.Transactions((tx.raw,) * 5_000)
    for _ in range(20):
        machine.step(events.FrameReceived("regulator", frame), cluster.now_ms)
    assert len(machine.mempool) == 1
    assert machine.mempool.size_bytes == len(tx.raw)


def test_a_full_mempool_says_so_and_takes_more_once_blocks_commit() -> None:
    """T1."""
    cluster = settled(Cluster(limits=MempoolLimits(transactions_max=8, shares=1)))
    cluster.kill("central-bank", "enterprise-a")
    senders = ["bank-a"] * 4 + ["regulator"] * 2 + ["central-bank", "enterprise-a", "bank-a"]
    txs = [signed(cluster.genesis, number, member=sender) for number, sender in enumerate(senders)]
    cluster.submit("bank-a", *txs)
    codes = [answer.rejected.code if answer.rejected else None for answer in cluster["bank-a"].answers]
    assert codes == [None] * 8 + ["mempool_full"]
    cluster.start("central-bank")
    assert cluster.run_until(lambda: cluster.has(txs[7], "bank-a"))
    cluster.submit("bank-a", txs[8])
    assert cluster["bank-a"].answers[-1].admission is Admission.ACCEPTED


def test_what_comes_behind_one_without_room_has_none_however_small() -> None:
    """N10: it would come before it, and a source's sequence would have a hole."""
    cluster = settled(Cluster(limits=MempoolLimits(bytes_max=4_000, shares=1)))
    sizes = [("bank-a", 0), ("bank-a", 3_400), ("bank-a", 0), ("regulator", 0)]
    txs = [
        signed(cluster.genesis, number, member=member, padding=padding)
        for number, (member, padding) in enumerate(sizes)
    ]
    cluster.submit("bank-a", *txs)
    codes = [answer.rejected.code if answer.rejected else None for answer in cluster["bank-a"].answers]
    assert codes == [None, "member_share_full", "member_share_full", None]
    refused = cluster["bank-a"].machine.refused_for_room(txs, cluster.now_ms)
    assert [tx.raw in refused for tx in txs] == [False, True, True, False]
    assert cluster.run_until(lambda: cluster.has(txs[0], "bank-a"))
    cluster.submit("bank-a", txs[2])
    assert cluster["bank-a"].answers[-1].admission is Admission.ACCEPTED


def test_a_transaction_takes_effect_once_over_replay_and_restart(cluster: Cluster) -> None:
    """T2."""
    tx = signed(cluster.genesis, 1)
    cluster.submit("bank-a", tx, tx)
    assert [answer.admission for answer in cluster["bank-a"].answers] == [Admission.ACCEPTED, Admission.PENDING]
    assert cluster.run_until(lambda: cluster.has(tx))
    cluster.run(10)
    cluster.kill(*cluster.hosts)
    cluster.start()
    cluster.submit("regulator", tx)
    assert cluster["regulator"].answers[-1].admission is Admission.COMMITTED
    commit(cluster, 3, first=10)
    again = wire.Transactions((tx.raw,))
    machine_of(cluster["bank-a"]).step(events.FrameReceived("regulator", again), cluster.now_ms)
    assert len(machine_of(cluster["bank-a"]).mempool) == 0
    count = sum(tx.raw in CommittedBlock.decode(raw).block.transactions for raw in cluster["enterprise-a"].disk.blocks)
    assert count == 1


def test_a_transaction_that_expires_while_it_waits_is_dropped_and_its_client_told(cluster: Cluster) -> None:
    """T2."""
    cluster.kill("central-bank", "enterprise-a")
    cluster.submit("bank-a", *(signed(cluster.genesis, number) for number in range(100, 400)))
    tx = signed(cluster.genesis, 1, valid_until_ms=cluster.now_ms + 3_000)
    cluster.submit("bank-a", tx)
    cluster.run(5_000)
    dropped = cluster["bank-a"].dropped
    assert [(answer.tx_id, answer.rejected.code if answer.rejected else "") for answer in dropped] == [
        (tx.id, "expired")
    ]
    assert len(machine_of(cluster["bank-a"]).mempool) == 300
    late = signed(cluster.genesis, 2, valid_until_ms=START_MS)
    cluster.submit("bank-a", late)
    assert cluster["bank-a"].answers[-1].rejected is not None
    assert cluster["bank-a"].answers[-1].rejected.code == "expired"


def test_equivocation_is_counted_and_reported(cluster: Cluster) -> None:
    machine = machine_of(cluster["bank-a"])
    signer, index = validator("regulator"), cluster.genesis.validators.index("regulator")
    assert index is not None
    for last in (bytes(32), b"\x01" * 32):
        preimage = vote_preimage(cluster.genesis.chain_id, 0, 2, 0, Phase.PREPARE, last)
        vote = Prepare(0, 2, 0, index, last, signer.sign(preimage))
        effects = machine.step(events.FrameReceived("regulator", wire.ConsensusMessage(vote)), cluster.now_ms)
    assert [effect.node for effect in effects if isinstance(effect, events.Accused)] == ["regulator"]
    assert machine.status(cluster.now_ms).counters["accused_regulator"] == 1


def test_requests_of_one_peer_are_bounded(cluster: Cluster) -> None:
    machine = machine_of(cluster["bank-a"])
    served = [
        effect
        for _ in range(500)
        for effect in machine.step(events.FrameReceived("regulator", wire.GetBlocks(1, 128)), cluster.now_ms)
    ]
    assert served == [events.LoadBlocks("regulator", 1, 1)] * 64
    assert machine.counters["too_many_get-blocks"] == 436


def test_stale_timers_are_no_ops(cluster: Cluster) -> None:
    machine = machine_of(cluster["bank-a"])
    for kind in TimerKind:
        timer = events.Timer(kind, 1, 0)
        assert machine.step(events.TimerFired(timer), cluster.now_ms) == []


def test_a_body_is_served_from_the_height_in_progress_and_from_the_tip(cluster: Cluster) -> None:
    cluster.kill("central-bank", "enterprise-a")
    cluster.submit("bank-a", signed(cluster.genesis, 1))
    cluster.run(10)
    machine = machine_of(cluster["bank-a"])
    (held,) = [record for record in machine._journal._journal._records if isinstance(record, BodyRecord)]
    for block in (held.block, machine.tip.block if machine.tip else held.block):
        asked = events.FrameReceived("regulator", wire.GetBody(2, block.hash))
        assert machine.step(asked, cluster.now_ms) == [events.SendFrame("regulator", wire.Body(block))]
    assert machine.step(events.FrameReceived("regulator", wire.GetBody(2, bytes(32))), cluster.now_ms) == []


def test_a_node_that_missed_only_the_commits_decides_by_the_certificate_of_a_status(cluster: Cluster) -> None:
    cluster.tamper = lambda source, target, data: (
        [] if target == "bank-a" and isinstance(wire.decode(data), wire.ConsensusMessage) else [data]
    )
    tx = signed(cluster.genesis, 1)
    cluster.submit("regulator", tx)
    assert cluster.run_until(lambda: cluster.has(tx), 1_500)


def test_two_certified_blocks_at_one_height_stop_the_node_and_name_who_signed_both(cluster: Cluster) -> None:
    forged = certificate_of(cluster, 1, bytes(32), signers=3)
    machine = machine_of(cluster["bank-a"])
    effects = machine.step(events.FrameReceived("regulator", wire.Status(1, bytes(32), forged)), cluster.now_ms)
    (halt,) = [effect for effect in effects if isinstance(effect, events.Halt)]
    assert "two blocks are certified at height 1" in halt.reason
    own = machine.tip.certificate if machine.tip else forged
    names = [cluster.genesis.validators[index].id for index in own.signers() if index < 3]
    assert len(names) >= 2
    assert halt.reason.endswith(": " + ", ".join(names))


def test_a_conflicting_certificate_without_a_quorum_stops_nobody(cluster: Cluster) -> None:
    forged = certificate_of(cluster, 1, bytes(32), signers=2)
    machine = machine_of(cluster["bank-a"])
    machine.step(events.FrameReceived("regulator", wire.Status(1, bytes(32), forged)), cluster.now_ms)
    assert machine.halted is None
    assert machine.counters["refused_BadCertificate"] == 1


def test_an_operators_word_changes_nothing_for_a_node_that_may_vote(cluster: Cluster) -> None:
    before = cluster["bank-a"].disk.journal
    effects = machine_of(cluster["bank-a"]).step(events.OperatorAllowsVoting(), cluster.now_ms)
    assert [type(effect) for effect in effects] == [events.Noticed]
    assert cluster["bank-a"].disk.journal == before


# Consistent reads


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
