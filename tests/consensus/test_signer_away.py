"""A key that is in another process may be out of reach: the node says less, nothing worse, and takes up again."""

import pytest
from consensus_harness import NAMES, Bench, ToySigner, World, said

from coseal.consensus.events import Persist, SignRecord, TimerKind
from coseal.consensus.guard import SignGuard
from coseal.consensus.messages import Commit, Prepare, Proposal, RoundChange
from coseal.consensus.persisted import EMPTY_GUARD
from coseal.ledger.certificate import Phase
from coseal.ledger.signing import CannotSign


class DistantSigner(ToySigner):
    """Signs while ``here``; ``asked`` counts."""

    def __init__(self, name):
        super().__init__(name)
        self.here, self.asked = True, 0

    def sign(self, message):
        self.asked += 1
        if not self.here:
            raise CannotSign("its signer is away")
        return super().sign(message)


def distant(world, *names):
    """Give nodes distant signers and return them."""
    signers = []
    for name in names:
        signers.append(DistantSigner(name))
        world[name].signer = signers[-1]
        world.crash(name)
        world.restart(name)
    world.run()
    return signers


def test_what_cannot_be_signed_leaves_the_guard_as_it_was():
    signer = DistantSigner("ann")
    guard = SignGuard(signer, (EMPTY_GUARD,))
    assert guard.sign(4, 0, Phase.PREPARE, b"a" * 80)
    signer.here = False
    assert guard.sign(5, 0, Phase.PREPARE, b"b" * 80) is None
    assert guard.place == (4, 0)
    signer.here = True
    assert guard.sign(4, 0, Phase.COMMIT, b"c" * 80)
    assert guard.sign(5, 0, Phase.PREPARE, b"d" * 80)


@pytest.mark.parametrize("away_ms", [200, 1_500, 4_000, 30_000])
@pytest.mark.parametrize("names", [NAMES[:1], NAMES[1:2], NAMES[:2], NAMES[:4]])
def test_the_network_goes_on_when_the_signers_are_back(names, away_ms):
    world = World(4)
    world.run_for(5_000)
    signers = distant(world, *names)
    for signer in signers:
        signer.here = False
    world.crash("dia") if "dia" not in names else None  # so that each of the others is needed
    before = len(world["ann"].decided())
    world.submit(b"work", *[name for name in NAMES[:4] if world[name].up])
    world.run_for(away_ms)
    assert len(world["ann"].decided()) == before
    for signer in signers:
        signer.here = True
    world.run_for(60_000, until=lambda: len(world["ann"].decided()) > before)
    assert len(world["ann"].decided()) > before
    assert not any(node.halts for node in world.nodes.values())


def test_a_leader_without_its_signer_makes_one_block_a_round_and_proposes_that_when_it_can():
    bench = Bench(me="ann", signer=DistantSigner("ann"), start=False)
    bench.signer.here = False
    built, build = [], bench.application.build
    bench.application.build = lambda draft: built.append(draft) or build(draft)
    bench.watch(bench.collect(bench.replica.start(bench.now_ms)))
    bench.feed(*[bench.commit(sender, bench.block()) for sender in (1, 2)])  # each message is a chance to propose
    assert bench.signer.asked == 3
    assert len(built) == 1
    bench.signer.here = True
    (proposal,) = said(bench.expire(TimerKind.REBROADCAST), Proposal)
    assert proposal.block.header.time_ms == built[0].time_ms
    assert len(built) == 1


def test_a_round_change_that_could_not_be_signed_is_said_with_the_next_rebroadcast():
    bench = Bench(me="bob", signer=DistantSigner("bob"))
    bench.signer.here = False
    effects = bench.expire(TimerKind.ROUND)
    assert said(effects, RoundChange) == []
    assert not [e for e in effects if isinstance(e, Persist) and isinstance(e.record, SignRecord)]
    bench.signer.here = True
    (change,) = said(bench.expire(TimerKind.REBROADCAST), RoundChange)
    assert change.round == 1
    assert bench.replica.round == 1


def test_without_its_signer_a_node_says_nothing_new():
    bench = Bench(me="bob", signer=DistantSigner("bob"))
    bench.signer.here = False
    block = bench.block()
    effects = bench.feed(
        bench.proposal(block), bench.prepare(0, block), bench.prepare(2, block), bench.prepare(3, block)
    )
    assert not [said(effects, kind) for kind in (Proposal, Prepare, Commit) if said(effects, kind)]
