"""A checker that never complains checks nothing: planted violations, one for each that can be planted."""

import random
from dataclasses import replace

import pytest

from coseal.consensus.messages import Commit, Prepare, RoundChange, encode_message, preimage
from coseal.ledger import transaction
from coseal.ledger.block import CommittedBlock, Receipt
from coseal.ledger.certificate import PbftCertificate, Phase, assemble
from coseal.node.core import events, wire
from coseal.node.core.wire import ConsensusMessage
from simulation import history, reading
from simulation.history import History, Read, Write
from simulation.invariants import Violation
from simulation.phases import Course
from simulation.swarm import Options
from simulation.world import World


@pytest.fixture(scope="module")
def run() -> World:
    """A calm world at height 3."""
    world = World(Options(write_every_ms=50, tenure=1), random.Random(1))
    Course(world).start()
    assert world.run(lambda: world.highest >= 3, 20_000)
    world.run(lambda: False, 40)
    return world


def vote(world, kind, sender, *fields, round=0, height=9):
    signer = world.scheme.signer("node", world.validator_names[sender])
    message = kind(0, height, round, sender, *fields, bytes(64))
    return replace(message, signature=signer.sign(preimage(world.genesis.chain_id, message)))


def say(world, message, *, durable=True):
    """Let the checker see a message leave its sender, whose disk holds the signature if ``durable``."""
    node = world.nodes[message.sender]
    if durable:
        node.disk.journal += message.signature
    world.invariants.sent(node, wire.encode(ConsensusMessage(message)))


def refused(number):
    return pytest.raises(Violation, match=f"^{number} ")


def test_i3_two_votes_in_one_step_are_seen(run):
    place = (1, 9, 0, reading.PREPARE)
    run.invariants.signed[place] = b"another preimage"
    with refused("I3"):
        say(run, vote(run, Prepare, 1, bytes(32)))
    del run.invariants.signed[place]


def test_i3_a_vote_below_the_round_asked_for_is_seen(run):
    run.invariants.left[2, 9] = 3
    with refused("I3"):
        say(run, vote(run, Commit, 2, bytes(32), round=1))
    del run.invariants.left[2, 9]


def test_i3_a_signature_that_does_not_verify_is_seen(run):
    with refused("I3"):
        say(run, replace(vote(run, Prepare, 1, bytes(32), height=10), signature=bytes(64)))


@pytest.mark.parametrize("durable", [False, True])
@pytest.mark.parametrize(
    ("kind", "fields", "round"), [(Prepare, (bytes(32),), 0), (Commit, (bytes(32),), 0), (RoundChange, (None,), 1)]
)
def test_i5_a_message_before_its_records_is_seen(run, kind, fields, round, durable):
    """Without its signature on the disk, or with it alone: body, certificate and round are missing."""
    run.invariants.signed.clear()
    run.invariants.left.clear()
    with refused("I5"):
        say(run, vote(run, kind, 3, *fields, round=round, height=11), durable=durable)


def test_i6_a_second_prepared_block_is_seen(run):
    run.invariants._one_value(20, 0, b"a" * 32, "x")
    with refused("I6"):
        run.invariants._one_value(20, 0, b"b" * 32, "y")


def certificate(world, signers, *, phase=Phase.COMMIT, height=9):
    votes = {s: vote(world, Commit, s, bytes(32), height=height).signature for s in signers}
    return assemble(phase, world.validators, height, 0, bytes(32), votes)


@pytest.mark.parametrize(
    "spoil",
    [
        lambda world: certificate(world, (0, 1)),
        lambda world: certificate(world, (0, 1, 2), phase=Phase.PREPARE),
        lambda world: replace(certificate(world, (0, 1, 2)), signatures=(bytes(64),) * 3),
        lambda world: replace(certificate(world, (0, 1, 2)), bitmap=b"\x17"),
        lambda world: replace(certificate(world, (0, 1, 2)), epoch=1),
        lambda world: replace(certificate(world, (0, 1, 2)), round=1),
    ],
    ids=["too few", "phase", "signatures", "bitmap", "epoch", "round"],
)
def test_i4_a_certificate_that_proves_nothing_is_seen(run, spoil):
    with refused("I4"):
        run.invariants._certificate(reading.unpack(spoil(run).encode()), reading.COMMIT, "x")
    run.invariants._certificate(reading.unpack(certificate(run, (0, 1, 3)).encode()), reading.COMMIT, "x")


def committed(world, height=3, **header):
    held = CommittedBlock.decode(world.invariants.raws[height])
    if not header:
        return held
    block = replace(held.block, header=replace(held.block.header, **header))
    return replace(held, block=block)


def test_i1_a_second_block_at_a_height_is_seen(run):
    node = run.nodes[0]
    run.invariants.heights[0] = 2
    with refused("I1"):
        run.invariants.published(node, committed(run, time_ms=5).encode())


def test_i7_a_gap_is_seen(run):
    run.invariants.heights[0] = 1
    with refused("I7"):
        run.invariants.published(run.nodes[0], committed(run).encode())


def test_i8_other_receipts_are_seen(run):
    run.invariants.heights[0] = 2
    with refused("I8"):
        run.invariants.published(run.nodes[0], replace(committed(run), receipts=(b"x",)).encode())


@pytest.mark.parametrize(
    ("number", "header"),
    [
        ("I7", {"parent_hash": bytes(32)}),
        ("I20", {"epoch": 1}),
        ("I7", {"time_ms": 1}),
        ("I7", {"time_ms": 2**50}),
        ("I8", {"receipts_root": bytes(32)}),
    ],
)
def test_a_block_that_does_not_follow_is_seen(run, number, header):
    kept = run.invariants.chain.pop(3)
    try:
        with refused(number):
            run.invariants._first(run.nodes[0], reading.record(committed(run, **header).encode()), b"")
    finally:
        run.invariants.chain[3] = kept


def test_i9_an_unsigned_and_a_repeated_transaction_are_seen(run):
    kept = run.invariants.chain.pop(3)
    seen = reading.record(run.invariants.raws[3])
    try:
        with refused("I9"):
            stranger = (b"nobody signed this",)
            run.invariants._first(
                run.nodes[0], replace(seen, transactions=stranger, tx_root=reading.tree(stranger)), b""
            )
        earlier = run.invariants.chain[2].transactions or run.invariants.chain[1].transactions
        with refused("I9"):
            run.invariants._first(run.nodes[0], replace(seen, transactions=earlier, tx_root=reading.tree(earlier)), b"")
    finally:
        run.invariants.chain[3] = kept


def test_i2_a_lost_block_is_seen(run):
    run.invariants.heights[0] = 1_000
    with refused("I2"):
        run.invariants.booted(run.nodes[0])
    run.invariants.heights[0] = 0


def test_i10_a_round_that_no_honest_node_asked_for_is_seen(run):
    node = run.nodes[0]
    height = node.machine.replica._height
    height.round, before = 5, height.round
    try:
        with refused("I10"):
            run.invariants.stepped(node, events.PeerConnected("bank-b"), (height.number, 4))
    finally:
        height.round = before


def test_i11_i12_what_a_machine_holds_beyond_its_bounds_is_seen(run):
    node = run.nodes[0]
    node.machine.replica._claims = dict.fromkeys(range(9), 1)
    with refused("I11"):
        run.invariants.look(node)
    node.machine.replica._claims = {}
    run.invariants.look(node)
    timers, node.timers = node.timers, {}
    running = node.machine.replica._height.pacing._running
    kept = dict(running)
    running.update(dict.fromkeys(list(events.TimerKind), 0))
    with refused("I12"):
        run.invariants.look(node)
    running.clear()
    running.update(kept)
    node.timers = timers


def test_i14_evidence_against_the_honest_or_of_nothing_is_seen(run):
    first, second = (encode_message(vote(run, Prepare, 1, bytes([i]) * 32)) for i in (1, 2))
    name = run.validator_names[1]
    with refused("I14"):
        run.invariants.accused(run.nodes[0], events.Accused(name, first, second, {}))
    with refused("I14"):
        run.invariants.accused(run.nodes[0], events.Accused(name, first, first, {}))
    del run.honest[1]
    run.invariants.accused(run.nodes[0], events.Accused(name, first, second, {}))
    run.honest[1] = None
    run.invariants.evidence.accusations.clear()


def reported(world, *votes, code="ok", reporter=0, **changed):
    """A block that holds a node's report of validator 1, and what the chain made of it."""
    name = world.validator_names[reporter]
    halves = sorted(({"hash": v.block_hash.hex(), "signature": v.signature.hex()} for v in votes), key=str)
    args = {"validator": world.validator_names[1], "height": 2, "round": 0, "phase": "prepare"}
    tx = transaction.sign(
        world.scheme.signer("node", name),
        chain_id=world.genesis.chain_id,
        sender=f"node:{name}",
        contract="evidence",
        action="report",
        args={**args, "first": halves[0], "second": halves[-1], **changed},
        valid_until_ms=world.now_ms,
        salt=bytes(16),
    )
    receipts = (Receipt(bytes(32), "ok", "", {}, 0).encode(), Receipt(tx.id, code, "", {}, 400).encode())
    return replace(reading.record(world.invariants.raws[3]), transactions=(tx.raw,), receipts=receipts)


def test_i14_a_record_on_the_chain_is_judged_anew(run):
    judge = run.invariants.evidence
    one, other, elsewhere = (vote(run, Prepare, 1, bytes([i]) * 32, height=h) for i, h in ((1, 2), (2, 2), (3, 3)))
    assert "honest" in judge.committed(reported(run, one, other))
    del run.honest[1]
    try:
        assert "never made" in judge.committed(reported(run, one, elsewhere))
        assert "never made" in judge.committed(reported(run, one, other, round=1))
        assert "said twice" in judge.committed(reported(run, one))
        assert "was refused: forged" in judge.committed(reported(run, one, other, code="forged_evidence"))
        assert judge.committed(reported(run, one, other)) is None
        assert judge.committed(replace(reported(run, one, other), height=4)) == (
            f"the report of node:{run.validator_names[0]} at height 4 is a second one, or before its time: "
            f"('{run.validator_names[1]}', 2, 0, 2)"
        )
        assert judge.committed(reported(run, one, other, code="already_reported")) is None
        assert judge.committed(reported(run, one, elsewhere, code="forged_evidence", reporter=1)) is None
    finally:
        run.honest[1] = None
        judge.recorded.clear()


def test_i17_evidence_that_is_held_and_not_on_the_chain_is_seen(run):
    judge, node = run.invariants.evidence, run.nodes[0]
    assert judge.missing(node) is None
    place = (run.validator_names[1], 2, 0, reading.PREPARE)
    judge.accusations[node.index, node.life] = {place: None}
    assert judge.missing(node) == place
    judge.recorded[place] = 3
    assert judge.missing(node) is None
    judge.accusations.clear()
    judge.recorded.clear()


def test_i9_a_transaction_in_a_nodes_name_is_signed_with_its_key(run):
    judge, one = run.invariants.evidence, vote(run, Prepare, 1, bytes(32))
    (raw,) = reported(run, one).transactions
    assert judge.signed_by_node(raw)
    assert not judge.signed_by_node(raw[:-1] + bytes([raw[-1] ^ 1]))
    assert not judge.signed_by_node(next(iter(run.clients.sent)))
    assert not judge.signed_by_node(b"nobody signed this")


@pytest.mark.parametrize(
    ("reads", "order", "fault"),
    [
        ([("2", 30, 40)], ["1", "2"], None),
        ([("1", 11, 19)], ["1", "2"], None),
        ([("1", 30, 40)], ["1", "2"], "older"),
        ([("", 30, 40)], ["1", "2"], "older"),
        ([("2", 15, 19), ("1", 19, 40)], ["1", "2"], None),
        ([("2", 15, 18), ("1", 19, 40)], ["1", "2"], "older"),
        ([("3", 30, 40)], ["1", "2"], "does not hold"),
        ([("2", 1, 5)], ["1", "2"], "before it was written"),
        ([], ["2", "1"], "older"),
        ([], ["1"], "acknowledged"),
    ],
)
def test_i18_histories_are_judged(reads, order, fault):
    """Write 1 lasts from 0 to 8, write 2 from 10 to 20."""
    writes = [Write("bank", "1", 0, 8), Write("bank", "2", 10, 20)]
    found = history.fault(History(writes, [Read("bank", *read) for read in reads]), order)
    assert (found is None) if fault is None else fault in found


def test_the_checker_reads_what_the_product_writes(run):
    seen = reading.record(run.invariants.raws[2])
    held = committed(run, 2)
    header = held.block.header
    assert (seen.hash, seen.height, seen.parent, seen.state_root) == (
        held.block.hash,
        2,
        header.parent_hash,
        header.state_root,
    )
    assert reading.tree(held.block.transactions) == header.tx_root
    assert reading.certificate_hash(seen.certificate) == held.certificate.hash
    assert reading.pack(seen.certificate) == held.certificate.encode()
    message = vote(run, RoundChange, 1, certificate(run, (0, 1, 2), phase=Phase.PREPARE), round=2)
    said = reading.said(wire.encode(ConsensusMessage(message)))
    assert said is not None
    assert said.preimage(run.genesis.chain_id) == preimage(run.genesis.chain_id, message)
    assert PbftCertificate.from_value(said.certificate) == message.prepared


def test_other_frames_are_no_consensus_messages(run):
    assert reading.said(wire.encode(wire.GetBlocks(1, 2))) is None
    with pytest.raises(ValueError, match="trailing"):
        reading.unpack(b"\x01\x01")
