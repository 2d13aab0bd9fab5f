"""Validators that contradict themselves are reported to the chain by the nodes, once (attack rows C3 and V2)."""

from __future__ import annotations

from dataclasses import replace

import pytest

from coseal.consensus.messages import Commit, Message, Prepare, Proposal, RoundChange, preimage
from coseal.contracts.evidence import actions as evidence
from coseal.contracts.execution import Executor
from coseal.contracts.genesis_state import new_state
from coseal.contracts.kernel.action import Rejected
from coseal.ledger import transaction
from coseal.ledger.block import Block, CommittedBlock, Receipt
from coseal.ledger.certificate import Phase
from coseal.ledger.transaction import Transaction
from coseal.node.core import events, wire
from coseal.node.core.events import Admission, Answer
from coseal.node.core.evidence import PENDING_MAX, SENDS_MAX, TURN_TICKS, Reporter, proof_of
from coseal.node.core.keyring import Keyring
from coseal.node.core.mempool import Mempool, MempoolLimits
from tests.support.cluster import Cluster, genesis_of, settled
from tests.support.genesis import START_MS
from tests.support.keys import validator
from tests.support.transactions import signed

TICK_MS = 1_000


@pytest.fixture
def cluster() -> Cluster:
    return settled(Cluster())


def consensus(data: bytes) -> Message | None:
    message = wire.decode(data)
    return message.message if isinstance(message, wire.ConsensusMessage) else None


def resigned(cluster: Cluster, name: str, message: Message, **fields: object) -> bytes:
    """The frame of another message in the same place, as good as the first."""
    other = replace(message, **fields)  # type: ignore[arg-type]
    signature = validator(name).sign(preimage(cluster.genesis.chain_id, other))
    return wire.encode(wire.ConsensusMessage(replace(other, signature=signature)))


def contradicts(cluster: Cluster, name: str, kind: type[Prepare] | type[Commit]) -> None:
    """From now on a node says a second vote after each of the first round of a height."""

    def tamper(source: str, target: str, data: bytes) -> list[bytes]:
        message = consensus(data)
        if source != name or not isinstance(message, kind) or message.round:
            return [data]
        return [data, resigned(cluster, name, message, block_hash=b"\x01" * 32)]

    cluster.tamper = tamper


def reports(cluster: Cluster, name: str) -> list[tuple[Transaction, Receipt]]:
    """The evidence transactions in a node's blocks, with what they came to."""
    found = []
    for raw in cluster[name].disk.blocks:
        committed = CommittedBlock.decode(raw)
        for tx, receipt in zip(committed.block.transactions, committed.receipts[1:], strict=True):
            if (decoded := Transaction.decode(tx)).contract == "evidence":
                found.append((decoded, Receipt.decode(receipt)))
    return found


def proven(cluster: Cluster) -> dict[str, dict[str, int]]:
    """What each running node's state has on record."""
    machines = {host.name: host.machine for host in cluster.running()}
    return {name: evidence.counts(machine.executor.reader) for name, machine in machines.items() if machine}


def committed_everywhere(cluster: Cluster, count: int = 1) -> bool:
    return cluster.agrees() and all(found == {"regulator": count} for found in proven(cluster).values())


def stop_lying(cluster: Cluster) -> None:
    cluster.tamper = lambda source, target, data: [data]


@pytest.mark.parametrize("kind", [Prepare, Commit])
def test_c3_a_validator_that_votes_twice_is_reported_once_and_the_same_is_on_record_everywhere(
    cluster: Cluster, kind: type[Prepare] | type[Commit]
) -> None:
    contradicts(cluster, "regulator", kind)
    tx = signed(cluster.genesis, 1)
    cluster.submit("bank-a", tx)
    assert cluster.run_until(lambda: cluster.has(tx))
    stop_lying(cluster)
    assert cluster.run_until(lambda: committed_everywhere(cluster))
    cluster.run(12_000)  # every other node has its turn, and sees that it is done
    ((report, receipt),) = reports(cluster, "enterprise-a")
    assert all(reports(cluster, name) == [(report, receipt)] for name in cluster.hosts)
    assert receipt.ok
    assert report.sender == "node:bank-a"  # the one after the regulator
    assert report.args["phase"] == ("prepare" if kind is Prepare else "commit")
    assert "regulator" in {seat.id for seat in cluster["bank-a"].machine.validators.validators}  # type: ignore[union-attr]
    accusers = {host.name for host in cluster.running() if host.accused}
    assert len(accusers) > 1  # several could have reported it


def test_c3_a_leader_that_proposes_two_blocks_is_reported_and_at_most_one_is_decided(cluster: Cluster) -> None:
    leader = cluster["bank-a"].machine.status(cluster.now_ms).leader  # type: ignore[union-attr]

    def tamper(source: str, target: str, data: bytes) -> list[bytes]:
        message = consensus(data)
        if source != leader or not isinstance(message, Proposal) or message.round:
            return [data]
        block = message.block
        other = Block(replace(block.header, time_ms=block.header.time_ms + 1), block.transactions, block.last_commit)
        second = resigned(cluster, leader, message, block=other)
        return [data, second] if sorted(cluster.hosts).index(target) % 2 else [second, data]

    cluster.tamper = tamper
    tx = signed(cluster.genesis, 1)
    cluster.submit("regulator", tx)
    assert cluster.run_until(lambda: cluster.has(tx), 60_000)
    stop_lying(cluster)
    assert cluster.run_until(lambda: cluster.agrees() and all(leader in found for found in proven(cluster).values()))
    places = [report.args["phase"] for report, _ in reports(cluster, "regulator")]
    assert "proposal" in places


def test_when_it_is_the_turn_of_a_node_that_is_gone_the_next_one_reports(cluster: Cluster) -> None:
    contradicts(cluster, "regulator", Prepare)
    tx = signed(cluster.genesis, 1)
    cluster.submit("bank-a", tx)
    assert cluster.run_until(lambda: cluster.has(tx))
    stop_lying(cluster)
    cluster.kill("bank-a")
    assert cluster.run_until(lambda: committed_everywhere(cluster))
    assert [report.sender for report, _ in reports(cluster, "enterprise-a")] == ["node:central-bank"]


def test_a_restart_reports_nothing_twice(cluster: Cluster) -> None:
    contradicts(cluster, "regulator", Prepare)
    cluster.submit("bank-a", signed(cluster.genesis, 1))
    assert cluster.run_until(lambda: committed_everywhere(cluster))
    stop_lying(cluster)
    cluster.run(100)
    cluster.kill(*cluster.hosts)
    cluster.start()
    cluster.run(12_000)
    tx = signed(cluster.genesis, 2)
    cluster.submit("enterprise-a", tx)
    assert cluster.run_until(lambda: cluster.has(tx))
    cluster.run(12_000)
    assert len(reports(cluster, "bank-a")) == 1


def test_v2_forged_evidence_of_a_node_is_a_refusal_on_every_node_and_stops_no_true_report(cluster: Cluster) -> None:
    contradicts(cluster, "regulator", Prepare)
    tx = signed(cluster.genesis, 1)
    cluster.submit("bank-a", tx)
    assert cluster.run_until(lambda: cluster.has(tx))
    stop_lying(cluster)
    halves = {"hash": "11" * 32, "signature": "22" * 64}, {"hash": "33" * 32, "signature": "22" * 64}
    place = {"validator": "regulator", "height": 2, "round": 0, "phase": "prepare"}
    forged = transaction.sign(
        validator("regulator"),
        chain_id=cluster.genesis.chain_id,
        sender="node:regulator",
        contract="evidence",
        action="report",
        args={**place, "first": halves[0], "second": halves[1]},
        valid_until_ms=cluster.now_ms + 60_000,
        salt=bytes(16),
    )
    cluster.submit("regulator", forged)
    assert cluster.run_until(lambda: committed_everywhere(cluster))
    cluster.run(100)
    outcomes = [[(tx.sender, receipt.code) for tx, receipt in reports(cluster, name)] for name in cluster.hosts]
    assert outcomes == [[("node:regulator", "forged_evidence"), ("node:bank-a", "ok")]] * 4


# The reporter by itself


class Scene:
    """A reporter over a chain at genesis, and an offender."""

    def __init__(self, node: str = "bank-a", *, signer: object = ..., offender: str = "regulator") -> None:
        self.genesis = genesis_of(4, ("watcher",))
        self.executor = Executor(self.genesis, new_state(self.genesis))
        self.mempool = Mempool(MempoolLimits())
        self.offender = offender
        used = validator(node) if signer is ... else signer
        self.reporter = Reporter(self.executor, self.mempool, node, used)  # type: ignore[arg-type]

    def accuse(self, round: int = 0, height: int = 1) -> None:
        index = self.genesis.validators.index(self.offender)
        assert index is not None
        one, other = (Prepare(0, height, round, index, bytes([n]) * 32, bytes([n]) * 64) for n in (2, 1))
        self.reporter.accuse(self.offender, proof_of(one, other))

    def tick(self) -> list[Transaction]:
        return self.reporter.tick(START_MS + 1)

    def hold(self, report: Transaction) -> None:
        """The pool takes the report."""
        self.mempool.add(report, START_MS)
        self.reporter.answered(report, Answer(report.id, Admission.ACCEPTED))

    def ticks_until_report(self) -> int:
        return next(number for number in range(100) if self.tick())


def test_a_report_is_signed_by_the_node_itself_and_would_be_accepted() -> None:
    scene = Scene()
    scene.accuse()
    (report,) = scene.tick()
    assert (report.sender, report.public_key) == ("node:bank-a", validator("bank-a").public_key)
    assert scene.executor.check(report, START_MS + 1) is None
    report.verify_signature()
    assert report.args["first"]["hash"] < report.args["second"]["hash"]


def test_while_a_report_is_on_its_way_there_is_no_second_whoever_sent_it() -> None:
    scene = Scene()
    scene.accuse()
    scene.accuse()
    (report,) = scene.tick()
    theirs = transaction.sign(
        validator("central-bank"),
        chain_id=scene.genesis.chain_id,
        sender="node:central-bank",
        contract="evidence",
        action="report",
        args=report.args,
        valid_until_ms=START_MS + 9_000,
        salt=bytes(16),
    )
    scene.mempool.add(theirs, START_MS)
    assert scene.tick() == []
    scene.mempool.remove(theirs.id)
    assert len(scene.tick()) == 1


def test_what_the_chain_would_refuse_is_forgotten() -> None:
    scene = Scene()
    scene.accuse(height=7)  # far beyond the tip
    assert scene.tick() == []
    assert len(scene.reporter) == 0


def test_a_report_that_never_gets_anywhere_is_given_up() -> None:
    scene = Scene()
    scene.accuse()
    for _ in range(SENDS_MAX):
        (report,) = scene.tick()
        scene.hold(report)
        scene.mempool.remove(report.id)  # it expired
    assert scene.tick() == []
    assert len(scene.reporter) == 0


def test_a_report_without_a_place_in_the_pool_is_made_again() -> None:
    scene = Scene()
    scene.accuse()
    for _ in range(10 * SENDS_MAX):
        (report,) = scene.tick()
        scene.reporter.answered(report, Answer(report.id, Admission.REJECTED, Rejected("mempool_full", "")))
    scene.hold(report)
    assert scene.tick() == []
    assert len(scene.reporter) == 1


@pytest.mark.parametrize(("signer", "kept"), [(None, 0), (validator("mallory"), 1)])
def test_a_node_without_the_registered_key_reports_nothing(signer: object, kept: int) -> None:
    scene = Scene(signer=signer)
    scene.accuse()
    assert scene.tick() == []
    assert len(scene.reporter) == kept


def test_what_a_node_saw_while_its_key_was_exchanged_is_reported_with_the_new_one() -> None:
    scene = Scene()
    keyring = Keyring(scene.executor, "bank-a", validator("the key before"))
    scene.reporter = Reporter(scene.executor, scene.mempool, "bank-a", keyring)
    scene.accuse()
    assert scene.tick() == []
    keyring.take(validator("bank-a"))
    (report,) = scene.tick()
    assert scene.executor.check(report, START_MS + 1) is None


def test_what_waits_is_bounded() -> None:
    scene = Scene("watcher")
    for round in range(PENDING_MAX + 1):
        scene.accuse(round)
    assert len(scene.reporter) == PENDING_MAX


@pytest.mark.parametrize(
    ("node", "turn"), [("bank-a", 0), ("central-bank", 1), ("enterprise-a", 2), ("regulator", 3), ("watcher", 4)]
)
def test_the_nodes_take_turns_from_the_one_after_the_accused(node: str, turn: int) -> None:
    scene = Scene(node)
    scene.accuse()
    assert scene.ticks_until_report() == turn * TURN_TICKS


def test_the_proof_of_two_messages_is_what_their_signatures_cover() -> None:
    chain_id, signer = genesis_of().chain_id, validator("regulator")

    def signed(message: Message) -> Message:
        return replace(message, signature=signer.sign(preimage(chain_id, message)))

    for one, other, phase in (
        (Commit(0, 5, 2, 3, b"\x01" * 32, b""), Commit(0, 5, 2, 3, b"\x02" * 32, b""), Phase.COMMIT),
        (RoundChange(0, 5, 2, 3, None, b""), RoundChange(0, 5, 2, 3, certificate(), b""), Phase.ROUND_CHANGE),
    ):
        proof = proof_of(signed(other), signed(one))
        assert (proof.epoch, proof.height, proof.round, proof.phase) == (0, 5, 2, phase)
        proof.verify(chain_id, signer.public_key)


def certificate():
    cluster = settled(Cluster())
    return CommittedBlock.decode(cluster["bank-a"].disk.blocks[0]).certificate


def test_evidence_is_kept_as_a_file_before_it_is_reported(cluster: Cluster) -> None:
    machine, signer = cluster["bank-a"].machine, validator("regulator")
    assert machine is not None
    index = cluster.genesis.validators.index("regulator")
    assert index is not None
    kinds = []
    for last in (bytes(32), b"\x01" * 32):
        vote = Prepare(0, 2, 0, index, last, b"")
        vote = replace(vote, signature=signer.sign(preimage(cluster.genesis.chain_id, vote)))
        effects = machine.step(events.FrameReceived("regulator", wire.ConsensusMessage(vote)), cluster.now_ms)
        kinds += [type(effect) for effect in effects]
    assert kinds == [events.Accused]
    tick = machine.step(events.TimerFired(events.Tick(events.TickKind.STATUS)), cluster.now_ms + TICK_MS)
    sent = [effect.message for effect in tick if isinstance(effect, events.BroadcastFrame)]
    assert any(isinstance(message, wire.Transactions) for message in sent)
