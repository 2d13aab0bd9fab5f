"""Worlds that change while they run, and blocks that say of the validators what nobody decided."""

import random
from dataclasses import replace

import pytest

from simulation import reading
from simulation.decisions import Wrong
from simulation.epochs import Epochs, Seat, is_safe
from simulation.phases import Course
from simulation.run import last_checks, run_options
from simulation.swarm import Options
from simulation.world import World


def options(*groups, **changed):
    """A small world of these changes, with faults."""
    values = {"faults_ms": 6_000, "faults": ("kill", "link reset", "pause"), "write_every_ms": 150}
    values |= {"round_timeout_ms": 200, "round_timeout_ms_max": 2_000, "heights_min": 12, "joiners": 2}
    return Options(**{**values, "changes": groups, **changed})


@pytest.mark.parametrize(
    ("goals", "world"),
    [
        (("validator_added",), options(("add",))),
        (("snapshot_over_epochs",), options(("rotate",), ("add",), snapshot_blocks=4, faults_ms=8_000)),
        (("validator_removed", "leader_removed"), options(("remove",), n=6)),
        (("validator_removed",), options(("remove",), n=7, behaviours={3: ("equivocator",)})),
        (("key_rotated",), options(("rotate",))),
        (("key_rotated",), options(("rotate",), ("rotate",), behaviours={2: ("twins",)})),
        (("change_void",), options(("rotate", "rotate"), n=6)),
        (("release_lacking",), options(("rules",))),
        (("version_waits",), options(("rules",), n=6, faults_ms=10_000)),
        (("validator_removed",), options(("rules",), ("add", "remove"), n=6, faults_ms=15_000)),
        (("validator_removed",), options(("rules", "remove"), n=6)),
        (("validator_added",), options(("rules", "add"), n=5, faults_ms=10_000)),
        (("validator_added", "validator_removed"), options(("add",), ("add", "remove"), ("remove",))),
        (("amended", "suspended", "reinstated"), options(("amend",), ("suspend", "reinstate"), n=5)),
        (("amended_again", "overridden"), options(("amend", "amend"), ("amend",), n=5, faults_ms=8_000)),
        (("member_added", "measure_paused"), options(("amend",), ("admit", "measure"), n=6, faults_ms=10_000)),
        (("suspended", "decided_by_time"), options(("amend",), ("suspend", "suspend"), n=7, faults_ms=9_000)),
        (("suspended", "stepped_down"), options(("suspend",), ("suspend",), ("suspend",), n=7)),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)
def test_a_network_changes_while_faults_strike(goals, world):
    """What is asked for comes about within three seeds, and nothing breaks meanwhile."""
    reached = set()
    for seed in range(3):
        verdict = run_options("random", 0, world, random.Random(seed))
        assert verdict.failure is None, verdict.failure
        reached |= set(verdict.goals)
        if set(goals) <= reached:
            return
    assert set(goals) <= reached


@pytest.fixture(scope="module")
def run() -> World:
    """A calm world that gained a validator and exchanged a key."""
    calm = options(("add",), ("rotate",), fault_every_ms=60_000)
    world = World(replace(calm, joiners=1), random.Random(1))
    course = Course(world)
    course.start()
    assert world.run(lambda: world.changes.over, 20_000)
    course.heal()
    assert world.run(course.settled, 20_000)
    last_checks(world)
    return world


@pytest.fixture(scope="module")
def upgraded() -> World:
    """A calm world that runs under other rules."""
    world = World(options(("rules",), fault_every_ms=60_000), random.Random(2))
    course = Course(world)
    course.start()
    assert world.run(lambda: world.changes.over, 20_000)
    course.heal()
    assert world.run(course.settled, 20_000)
    last_checks(world)
    assert world.epochs.begun
    return world


def judged(world, changed=None):
    """Follow the chain once more, with the blocks of some heights changed."""
    epochs = Epochs(world)
    for height, seen in sorted(world.invariants.chain.items()):
        epochs.follow((changed or {}).get(height, seen))
    return epochs


def announcing(world, at=1):
    """Return the block that announces an epoch, and the one before it, which decided it."""
    chain, height = world.invariants.chain, world.epochs.eras[at].first_height - 1
    return chain[height], chain[height - 1]


def test_the_chain_is_followed_over_its_epochs(run):
    epochs = judged(run)
    assert [era.n for era in epochs.eras] == [4, 5, 5]
    assert epochs.eras == run.epochs.eras
    assert [era.hash for era in epochs.eras] == [
        run.validators_at(era.first_height).hash for era in epochs.eras
    ]  # and the product says the same
    assert epochs.at(epochs.eras[1].first_height - 1) is epochs.eras[0]
    assert epochs.at(epochs.eras[1].first_height) is epochs.eras[1]


@pytest.mark.parametrize("field", ["epoch", "validators_hash", "next_validators_hash"])
def test_i20_a_header_of_another_epoch_is_seen(run, field):
    seen, _ = announcing(run)
    wrong = 7 if field == "epoch" else bytes(32)
    with pytest.raises(Wrong, match=r"epoch|successors"):
        judged(run, {seen.height: replace(seen, **{field: wrong})})


def test_i20_a_set_that_signs_a_block_early_is_seen(run):
    seen, before = announcing(run)
    with pytest.raises(Wrong, match="other successors"):
        judged(run, {before.height: replace(before, next_validators_hash=seen.next_validators_hash)})


def test_i20_a_change_kept_back_or_made_up_is_seen(run):
    seen, before = announcing(run)
    nothing = run.invariants.chain[1].receipts[0]
    with pytest.raises(Wrong, match="keeps a decided"):
        judged(run, {seen.height: replace(seen, receipts=(nothing, *seen.receipts[1:]))})
    with pytest.raises(Wrong, match="nobody decided"):
        judged(run, {before.height: replace(before, receipts=(seen.receipts[0], *before.receipts[1:]))})


def test_i20_votes_that_were_not_there_are_missed(run):
    """The first yes is the proposer's; a block without the votes after it accepts nothing."""
    decided = announcing(run)[1]
    votes = {
        height: replace(seen, transactions=(), receipts=seen.receipts[:1])
        for height, seen in run.invariants.chain.items()
        if height < decided.height and any(b"vote" in raw for raw in seen.transactions)
    }
    kept = tuple(
        (raw, receipt)
        for raw, receipt in zip(decided.transactions, decided.receipts[1:], strict=True)
        if b"vote" not in raw or reading.receipt(receipt)[1].get("status") == "accepted"
    )
    rest = replace(
        decided, transactions=tuple(raw for raw, _ in kept), receipts=(decided.receipts[0], *(r for _, r in kept))
    )
    with pytest.raises(Wrong, match=r"is accepted by .*; it is open by {'yes': [12], .*'of': 4"):
        judged(run, {**votes, decided.height: rest})


def test_i20_a_node_that_never_said_that_it_is_ready_is_missed(run):
    with pytest.raises(Wrong, match="never said"):
        judged(run, without(run, "membership.ready"))


def without(world, action):
    """Return the blocks of a chain without the transactions of an action."""
    changed = {}
    for height, seen in world.invariants.chain.items():
        pairs = list(zip(seen.transactions, seen.receipts[1:], strict=True))
        kept = [pair for pair in pairs if reading.claim(pair[0]).name != action]
        receipts = (seen.receipts[0], *(receipt for _, receipt in kept))
        changed[height] = replace(seen, transactions=tuple(raw for raw, _ in kept), receipts=receipts)
    return changed


def test_i20_a_version_that_too_few_have_or_nobody_decided_is_seen(upgraded):
    assert judged(upgraded).begun == upgraded.epochs.begun
    for action in ("membership.declare_software", "governance.vote"):
        with pytest.raises(Wrong, match="brings a version into force"):
            judged(upgraded, without(upgraded, action))


def test_i20_a_version_kept_back_is_seen(upgraded):
    seen = upgraded.invariants.chain[upgraded.epochs.begun - 1]
    nothing = upgraded.invariants.chain[1].receipts[0]
    with pytest.raises(Wrong, match="keeps a version back"):
        judged(upgraded, {seen.height: replace(seen, receipts=(nothing, *seen.receipts[1:]))})


def test_a_set_is_safe_if_nobody_holds_too_much_of_it():
    roles = ("bank", "bank", "enterprise", "government")
    seats = tuple(Seat(f"n{i}", f"m{i}", role, bytes([i]) * 32) for i, role in enumerate(roles))
    assert is_safe(seats)
    assert not is_safe((*seats[:3], seats[3]._replace(role="bank")))
    assert not is_safe((*seats[:3], seats[3]._replace(member="m0")))
    assert not is_safe((*seats[:3], seats[3]._replace(key=bytes(32))))
