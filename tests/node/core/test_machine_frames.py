"""Machines of one network that peers and clients send wrong, repeated or too many things."""

from __future__ import annotations

from dataclasses import replace

import pytest

from coseal.consensus.events import BodyRecord, TimerKind
from coseal.consensus.messages import Commit, Message, Prepare, Proposal, RoundChange, preimage
from coseal.ledger.block import CommittedBlock
from coseal.ledger.certificate import PbftCertificate, Phase, vote_preimage
from coseal.node.core import events, wire
from coseal.node.core.events import Admission
from coseal.node.core.mempool import MempoolLimits
from tests.support.cluster import Cluster, certificate_of, commit, machine_of, settled
from tests.support.genesis import START_MS
from tests.support.keys import validator
from tests.support.transactions import signed


@pytest.fixture
def cluster() -> Cluster:
    return settled(Cluster())


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
    certificate = PbftCertificate(phase, dice.choice((0, 0, 5)), height, round, block_hash, b"\x0e", (bytes(64),) * 3)
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
    *_, held = (record for record in machine._journal._journal._records if isinstance(record, BodyRecord))
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
