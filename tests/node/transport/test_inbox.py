from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from coseal.consensus.messages import Proposal
from coseal.ledger.transaction import Transaction
from coseal.node.core import wire
from coseal.node.core.verified_cache import VerifiedCache
from coseal.node.core.wire import Blocks, ConsensusMessage, GetBlocks, Transactions, WireMessage
from coseal.node.transport import inbox as module
from coseal.node.transport.inbox import Inbox
from coseal.node.verifier.verifier import Verifier
from tests.node.verifier.test_verifier import bad
from tests.support.chain import Chain
from tests.support.genesis import genesis
from tests.support.transactions import signed


class Machine:
    """Where frames go, remembered."""

    def __init__(self) -> None:
        self.frames: list[tuple[str, WireMessage]] = []
        self.malformed: list[str] = []
        self.paused: list[str] = []
        self.faults: list[Exception] = []

    def frame_ready(self, peer: str, message: WireMessage) -> None:
        self.frames.append((peer, message))

    def frame_malformed(self, peer: str, reason: str) -> None:
        self.malformed.append(peer)

    def fault(self, error: Exception) -> None:
        self.faults.append(error)

    def pause(self, peer: str) -> None:
        self.paused.append(f"pause {peer}")

    def resume(self, peer: str) -> None:
        self.paused.append(f"resume {peer}")


Scenario = Callable[[Inbox, Machine, VerifiedCache], Awaitable[None]]


def run(scenario: Scenario, wanted: Callable[[Transaction], bool] = lambda tx: True) -> None:
    async def whole() -> None:
        verified = VerifiedCache()
        machine = Machine()
        verifier = Verifier(verified, 1, machine.fault)
        await verifier.start()
        inbox = Inbox(verifier, verified, wanted, machine)
        await scenario(inbox, machine, verified)
        inbox.close()
        await verifier.close()

    asyncio.run(whole())


async def until(condition: Callable[[], object]) -> None:
    async with asyncio.timeout(5):
        while not condition():
            await asyncio.sleep(0.001)


def gossip(first: int, count: int) -> Transactions:
    return Transactions(tuple(signed(genesis(), number).raw for number in range(first, first + count)))


def test_a_small_frame_passes_at_once() -> None:
    async def scenario(inbox: Inbox, machine: Machine, verified: VerifiedCache) -> None:
        inbox.receive("a", wire.encode(GetBlocks(1, 1)))
        assert machine.frames == [("a", GetBlocks(1, 1))]

    run(scenario)


def test_frames_of_a_peer_keep_their_order_and_do_not_hold_up_another() -> None:
    async def scenario(inbox: Inbox, machine: Machine, verified: VerifiedCache) -> None:
        sent = [gossip(0, 80), GetBlocks(1, 1), gossip(100, 80), GetBlocks(2, 1), GetBlocks(3, 1)]
        for message in sent:
            inbox.receive("a", wire.encode(message))
        inbox.receive("b", wire.encode(GetBlocks(9, 1)))
        assert machine.frames == [("b", GetBlocks(9, 1))]
        await until(lambda: len(machine.frames) == 6)
        assert [message for peer, message in machine.frames if peer == "a"] == sent
        assert all(raw in verified for raw in gossip(0, 80).raws + gossip(100, 80).raws)
        inbox.receive("a", wire.encode(GetBlocks(4, 1)))
        assert machine.frames[-1] == ("a", GetBlocks(4, 1))

    run(scenario)


def test_gossip_arrives_without_what_does_not_verify() -> None:
    async def scenario(inbox: Inbox, machine: Machine, verified: VerifiedCache) -> None:
        fine = gossip(0, 5)
        inbox.receive("a", wire.encode(Transactions((bad(50).raw, *fine.raws, b"no transaction"))))
        await until(lambda: machine.frames)
        assert machine.frames == [("a", Transactions((*fine.raws, b"no transaction")))]

    run(scenario)


def test_gossip_that_nobody_wants_is_not_verified() -> None:
    async def scenario(inbox: Inbox, machine: Machine, verified: VerifiedCache) -> None:
        inbox.receive("a", wire.encode(gossip(0, 50)))
        assert machine.frames == [("a", gossip(0, 50))]
        assert len(verified) == 0

    run(scenario, wanted=lambda tx: False)


def test_the_transactions_of_proposals_and_blocks_are_verified_whether_wanted_or_not() -> None:
    chain = Chain(genesis())
    chain.grow(2, transactions=10)
    first, second = chain.blocks
    proposal = ConsensusMessage(Proposal(0, 1, 0, 0, first.block, (), bytes(64)))
    blocks = Blocks(2, ((second.block.raw, second.certificate.encode()), (b"no block", b"no certificate")))

    async def scenario(inbox: Inbox, machine: Machine, verified: VerifiedCache) -> None:
        inbox.receive("a", wire.encode(proposal))
        inbox.receive("b", wire.encode(blocks))
        await until(lambda: len(machine.frames) == 2)
        assert dict(machine.frames) == {"a": proposal, "b": blocks}
        assert all(raw in verified for block in chain.blocks for raw in block.block.transactions)

    run(scenario, wanted=lambda tx: False)


def test_what_waits_is_checked_while_what_came_before_it_is_passed_on(monkeypatch: pytest.MonkeyPatch) -> None:
    chain = Chain(genesis())
    chain.grow(6, transactions=20)
    pairs = [(committed.block.raw, committed.certificate.encode()) for committed in chain.blocks]
    frames = [Blocks(first, tuple(pairs[first - 1 : first + 1])) for first in (1, 3, 5)]
    begun: list[set[bytes]] = []
    monkeypatch.setattr(Verifier, "begin", lambda self, ahead: begun.append({tx.raw for tx in ahead}))
    known: list[int] = []

    async def scenario(inbox: Inbox, machine: Machine, verified: VerifiedCache) -> None:
        monkeypatch.setattr(machine, "frame_ready", lambda peer, message: known.append(len(begun)))
        for frame in frames:
            inbox.receive("a", wire.encode(frame))
        await until(lambda: len(known) == 3)

    run(scenario)
    assert known == [2, 2, 2]
    assert begun == [{raw for block in chain.blocks[at : at + 2] for raw in block.block.transactions} for at in (2, 4)]


def test_no_more_is_decoded_ahead_than_the_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "AHEAD", 100)
    pending: list[int] = []

    async def scenario(inbox: Inbox, machine: Machine, verified: VerifiedCache) -> None:
        for number in range(6):
            inbox.receive("a", wire.encode(gossip(100 * number, 40)))
            pending.append(inbox._verifier.pending)
        await until(lambda: len(machine.frames) == 6)
        assert all(raw in verified for number in range(6) for raw in gossip(100 * number, 40).raws)

    run(scenario)
    assert max(pending) == 120


def test_a_malformed_frame_behind_others_is_told_when_it_is_its_turn() -> None:
    async def scenario(inbox: Inbox, machine: Machine, verified: VerifiedCache) -> None:
        for payload in (wire.encode(gossip(0, 80)), b"\xff", wire.encode(gossip(100, 80))):
            inbox.receive("a", payload)
        assert not machine.malformed
        await until(lambda: len(machine.frames) == 2)
        assert machine.malformed == ["a"]

    run(scenario)


def test_a_malformed_frame_is_told_and_the_next_one_passes() -> None:
    async def scenario(inbox: Inbox, machine: Machine, verified: VerifiedCache) -> None:
        inbox.receive("a", b"\xff")
        inbox.receive("a", wire.encode(GetBlocks(1, 1)))
        assert (machine.malformed, len(machine.frames)) == (["a"], 1)

    run(scenario)


def test_a_peer_with_too_much_waiting_is_not_read_until_half_is_done(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "BACKLOG_BYTES", 20_000)

    async def scenario(inbox: Inbox, machine: Machine, verified: VerifiedCache) -> None:
        for number in range(6):
            inbox.receive("a", wire.encode(gossip(100 * number, 30)))
        assert machine.paused == ["pause a"]
        await until(lambda: len(machine.frames) == 6)
        assert machine.paused == ["pause a", "resume a"]

    run(scenario)


def test_a_lost_peer_is_forgotten() -> None:
    async def scenario(inbox: Inbox, machine: Machine, verified: VerifiedCache) -> None:
        inbox.receive("a", wire.encode(gossip(0, 80)))
        inbox.receive("a", wire.encode(GetBlocks(1, 1)))
        inbox.forget("a")
        inbox.receive("a", wire.encode(GetBlocks(2, 1)))
        await asyncio.sleep(0.05)
        assert machine.frames == [("a", GetBlocks(2, 1))]

    run(scenario)


def test_a_fault_while_a_frame_is_worked_on_is_told() -> None:
    async def scenario(inbox: Inbox, machine: Machine, verified: VerifiedCache) -> None:
        machine.frame_ready = lambda peer, message: {}["nobody thought of it"]  # type: ignore[method-assign]
        inbox.receive("a", wire.encode(gossip(0, 80)))
        await until(lambda: machine.faults)
        assert isinstance(machine.faults[0], KeyError)

    run(scenario)
