"""The invariants I1 to I25 of a run, judged from the bytes that left nodes and reached disks.

Law: nothing here calls what it judges. Frames and records are read by ``simulation.reading``; quorums, hashes and
preimages are computed anew. Bounds and timers (I11, I12) are looked up in the machine, for they are not on any wire.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from coseal.consensus.events import Timer, TimerKind
from coseal.node.core import events
from coseal.node.core.wire import Blocks
from simulation import reading
from simulation.decisions import Wrong
from simulation.epochs import Era
from simulation.evidence import Evidence
from simulation.payments import Book
from simulation.reading import COMMIT, NAMES, PREPARE, PROPOSAL, ROUND_CHANGE, Said, Seen
from simulation.sidecars import SidecarLedger
from simulation.traces import Traces

if TYPE_CHECKING:
    from simulation.node import SimulatedNode
    from simulation.world import World

JOURNAL_BYTES_MAX = 80 * 1024 * 1024
BODIES_MAX = 10
AHEAD_MS = {"clock skew": 90_000, "clock jump": 10 * 60_000, "clock drift": 5_000}


class Violation(Exception):
    """An invariant does not hold; the text begins with its number."""


class Invariants:
    """Watches one world. ``chain`` is the one block of each height, as the first honest node published it."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.chain_id = world.genesis.chain_id
        # The widest window of T7, and how far any clock may be ahead
        self.ahead_ms = 62_000 + sum(ms for kind, ms in AHEAD_MS.items() if kind in world.options.faults)
        self.chain: dict[int, Seen] = {}
        self.raws: dict[int, bytes] = {}
        self.heights: dict[int, int] = {}  # endpoint -> the highest block it published
        self.signed: dict[tuple[int, int, int, int], bytes] = {}
        self.prepared: dict[tuple[int, int], bytes] = {}
        self.asked: dict[int, int] = {}  # height -> the highest round an honest node asked for
        self.left: dict[tuple[int, int], int] = {}  # (endpoint, height) -> the round it asked for
        self.made: dict[bytes, None] = {}  # hashes of the blocks that honest leaders proposed
        self.committed_ids: dict[bytes, int] = {}
        self.evidence = Evidence(world)
        self.book = Book()
        self.proven: dict[bytes, None] = {}
        self.traces = Traces(world)
        self.sidecars = SidecarLedger(world)

    # What leaves a node

    def sent(self, node: SimulatedNode, data: bytes) -> None:
        """Judge a frame as an honest node puts it on the wire."""
        message = reading.said(data)
        if message is None:
            served = self.sidecars.served(node, data)
            if served is not None:
                raise Violation(f"I24 {node.id} gives away the sidecar {served}, which was erased")
            return
        era = self.world.epochs.at(message.height)
        self._right(node, message, era)
        if message.sender != era.index(node.id):
            return
        preimage = message.preimage(self.chain_id)
        place = (node.index, message.height, message.round, message.phase)
        asked = self.left.get((node.index, message.height), 0)
        if message.round < asked and place not in self.signed and message.phase in (PREPARE, COMMIT):
            raise Violation(f"I3 {node.id} voted in round {message.round} after it had asked for {asked} (R5)")
        again = place in self.signed
        before = self.signed.setdefault(place, preimage)
        if before != preimage:
            raise Violation(f"I3 {node.id} signed two {NAMES[message.phase]} at {place[1:3]}")
        if not self.world.scheme.verify(era.seats[message.sender].key, preimage, message.signature):
            raise Violation(f"I3 {node.id} said a {NAMES[message.phase]} that does not verify")
        if not again:
            self._durable(node, message)
        self._follow(self.traces.said(node, message, self.chain, self.heights.get(node.index, 0)))
        if message.phase == ROUND_CHANGE:
            self.left[node.index, message.height] = max(message.round, asked)
            self.asked[message.height] = max(message.round, self.asked.get(message.height, 0))
            if message.certificate is not None:
                self._prepared(message.certificate, node.id)
        elif message.phase == PROPOSAL:
            self.made[message.subject] = None
        elif message.phase == COMMIT:
            self._one_value(message.height, message.round, message.subject, node.id)
        self.world.witness.heard_honest(node, message)

    def _right(self, node: SimulatedNode, message: Said, era: Era) -> None:
        """I4, I20: what is said at a height is of the epoch that decides it, by rules that the node has."""
        if message.epoch != era.number:
            raise Violation(f"I4 {node.id} speaks for epoch {message.epoch} at a height of epoch {era.number}")
        upgrade = self.world.epochs.upgrade
        if node.outdated and upgrade is not None and message.height >= upgrade[1]:
            raise Violation(f"I20 {node.id} speaks at height {message.height}, whose rules it lacks")

    def _durable(self, node: SimulatedNode, message: Said) -> None:
        """I5: what a vote rests on is on the disk before the vote leaves (P1 to P4)."""
        journal, phase = bytes(node.disk.journal or b""), message.phase
        what = f"{node.id} said {NAMES[phase]} {message.height}/{message.round}"
        if message.signature not in journal:
            raise Violation(f"I5 {what} before its signature was durable")
        if phase == ROUND_CHANGE:
            held = [
                record for record in _records(journal, "round", 4) if record[2:4] == [message.height, message.round]
            ]
            if not any(record[5] is not None and record[5][-1] == message.signature for record in held):
                raise Violation(f"I5 {what} before its round was durable")
            return
        bodies = (reading.unpack(record[3]) for record in _records(journal, "body", 2))
        body = next((body for body in bodies if reading.block_hash(body[2]) == message.subject), None)
        if body is None:
            raise Violation(f"I5 {what} before its block was durable")
        lacking = self.sidecars.lacking(node, body) if phase == PREPARE else None
        if lacking is not None:
            raise Violation(f"I22 {what} before the sidecar {lacking} was durable")
        if phase == COMMIT:
            proven = (record[2] for record in _records(journal, "prepared", 1))
            if not any(c[4:7] == [message.height, message.round, message.subject] for c in proven):
                raise Violation(f"I5 {what} before its prepared certificate was durable")

    def _follow(self, fault: str | None) -> None:
        """I19: what an honest node says and decides is a step of the abstract model."""
        if fault is not None:
            raise Violation(f"I19 {fault}")

    def _prepared(self, certificate: list[Any], who: str) -> None:
        """I4, I6: a certificate that an honest node shows."""
        self._certificate(certificate, PREPARE, who)
        self._one_value(certificate[4], certificate[5], certificate[6], who)

    def _one_value(self, height: int, round: int, block_hash: bytes, who: str) -> None:
        if self.prepared.setdefault((height, round), block_hash) != block_hash:
            raise Violation(f"I6 {who} holds a second prepared block at height {height} round {round}")

    def _certificate(self, certificate: list[Any], phase: int, who: str) -> None:
        """I4: more than two thirds, each once, every signature valid."""
        packed = reading.pack(certificate)
        if packed in self.proven:
            return
        _, _, kind, epoch, height, round, block_hash, bitmap, signatures = certificate
        signers, era = reading.signers(bitmap), self.world.epochs.at(height)
        preimage = reading.vote(self.chain_id, epoch, height, round, phase, block_hash)
        if (kind, epoch) != (phase, era.number):
            raise Violation(
                f"I4 {who} relies on a certificate of another phase, or of epoch {epoch} at height {height}"
            )
        if len(signers) != len(signatures) or 3 * len(signers) <= 2 * era.n:
            raise Violation(f"I4 {who} relies on a certificate of {len(signers)} signers of {era.n}")
        for index, signature in zip(signers, signatures, strict=True):
            if index >= era.n or not self.world.scheme.verify(era.seats[index].key, preimage, signature):
                raise Violation(f"I4 {who} relies on a certificate with a wrong signature")
        self.proven[packed] = None

    # What a node decides

    def published(self, node: SimulatedNode, raw: bytes) -> Seen:
        """Judge a block that an honest node made public, in its order."""
        seen = reading.record(raw)
        height, known = seen.height, self.heights.get(node.index, 0)
        again = height <= known and (node.index in self.world.rebuilt or height == node.disk.first_height > 1)
        if height != known + 1 and not again:
            raise Violation(f"I7 {node.id} published height {height} after {known}")
        self.heights[node.index] = max(height, known)
        first = self.chain.get(height)
        if first is None:
            self._first(node, seen, raw)
        elif first.hash != seen.hash:
            raise Violation(f"I1 {node.id} decided another block at height {height} than was decided before")
        elif first.receipts != seen.receipts:
            raise Violation(f"I8 {node.id} has other receipts at height {height}")
        self._certificate(seen.certificate, COMMIT, node.id)
        if seen.certificate[4] != height or seen.certificate[6] != seen.hash:
            raise Violation(f"I4 {node.id} holds a certificate of another block at height {height}")
        self._follow(self.traces.decided(node, seen, self.chain))
        return seen

    def _first(self, node: SimulatedNode, seen: Seen, raw: bytes) -> None:
        parent = self.chain.get(seen.height - 1)
        expected = self.chain_id if parent is None else parent.hash
        if seen.parent != expected or seen.chain_id != self.chain_id:
            raise Violation(f"I7 height {seen.height} does not follow height {seen.height - 1}")
        if parent is not None and seen.time_ms <= parent.time_ms:
            raise Violation(f"I7 time does not rise at height {seen.height}")
        if seen.time_ms > self.world.now_ms + self.ahead_ms:
            raise Violation(f"I7 the time of height {seen.height} is one that no honest clock showed (T7)")
        if reading.tree(seen.receipts) != seen.receipts_root or reading.tree(seen.transactions) != seen.tx_root:
            raise Violation(f"I8 height {seen.height} holds other transactions or receipts than its roots say")
        for transaction in seen.transactions:
            if transaction not in self.world.clients.sent and not self.evidence.signed_by_node(transaction):
                raise Violation(f"I9 height {seen.height} holds a transaction that nobody signed")
            tx_id = reading.transaction_id(transaction)
            if (
                self.committed_ids.setdefault(tx_id, seen.height) != seen.height
                or seen.transactions.count(transaction) != 1
            ):
                raise Violation(f"I9 a transaction is at heights {self.committed_ids[tx_id]} and {seen.height}")
        try:
            self.world.epochs.follow(seen)
            self.book.follow(seen)
        except Wrong as error:
            raise Violation(f"{error.rule} height {seen.height} {error}") from None
        if seen.proposer not in self.world.faulty_names() and seen.hash not in self.made:
            raise Violation(f"I9 height {seen.height} is a block in the name of {seen.proposer}, who did not make it")
        fault = self.evidence.committed(seen)
        if fault is not None:
            raise Violation(f"I14 {fault}")
        self.world.goals["paid"] = self.book.payments
        self.chain[seen.height], self.raws[seen.height] = seen, raw
        self.sidecars.published(seen.height, seen.transactions, seen.receipts)
        if self.world.epochs.coming is not None:
            self.world.changes.decided(self.world.epochs.coming)

    def booted(self, node: SimulatedNode) -> None:
        """I2, I8: what was published before a restart is still there, and its state is the certified one."""
        machine, known = node.machine, self.heights.get(node.index, 0)
        if machine is None:
            return
        height = machine.executor.height
        if height < known and node.index not in self.world.rebuilt:
            raise Violation(f"I2 {node.id} restarted at height {height} after it had published {known}")
        if height < known:
            self.traces.began_again(node, height, known)
        for later in range(known + 1, height + 1):  # durable before the crash, and not yet told
            raw = node.disk.block(later)
            if raw is None or later == node.disk.first_height > 1:  # before a snapshot
                self.heights[node.index] = later
            if raw is not None:
                self.published(node, raw)
        self._state(node)

    def _state(self, node: SimulatedNode) -> None:
        machine = node.machine
        if machine is None:
            return
        height = machine.executor.height
        block = self.chain.get(height)
        if block is not None and machine.tip is not None:
            if reading.block_hash(machine.tip.block.header.raw) != block.hash:
                raise Violation(f"I2 {node.id} stands on another block at height {height}")
            if machine.executor.state.root != block.state_root:
                raise Violation(f"I8 {node.id} has another state at height {height}")

    # What a node does

    def stepped(self, node: SimulatedNode, event: events.NodeEvent, before: tuple[int, int]) -> None:
        """I10: judge how one event moved an honest node."""
        machine = node.machine
        if machine is None or not node.honest:
            return
        height, round = machine.replica.height, machine.replica.round
        if height > before[0] and machine.tip is not None:
            self.world.goals["old_round_commit"] += (
                height == before[0] + 1 and machine.tip.certificate.round < before[1]
            )
            self.world.goals["caught_up"] += isinstance(event, events.FrameReceived) and isinstance(
                event.message, Blocks
            )
        if height == before[0] and round > before[1]:
            timeout = (
                isinstance(event, events.TimerFired)
                and isinstance(event.timer, Timer)
                and event.timer.kind is TimerKind.ROUND
            )
            if timeout and round == before[1] + 1:
                return
            if round > self.asked.get(height, 0):
                raise Violation(f"I10 {node.id} moved from round {before[1]} to {round}, where no honest node is")
            self.world.goals["weak_quorum_join"] += 1

    def accused(self, node: SimulatedNode, accused: events.Accused) -> None:
        """I14: evidence is against Byzantine nodes only, and proves something."""
        fault = self.evidence.accused(node, accused)
        if fault is not None:
            raise Violation(f"I14 {fault}")

    def look(self, node: SimulatedNode) -> None:
        """I8, I11, I12: look into a running honest node."""
        machine = node.machine
        if machine is None or machine.halted is not None or machine._catch_up.joining.complete:  # about to start again
            return
        self._state(node)
        self._bounds(node)
        standing = machine.replica.standing()
        votes = standing.votes and standing.silence is None
        height = machine.replica._height
        elsewhere = height._ahead or height._commit_certificate() is not None
        if votes and len(machine.mempool) and not elsewhere:
            waits = standing.round > 0 and standing.round_changes < standing.quorum
            rounds, repeats = (kind in node.timers for kind in (TimerKind.ROUND, TimerKind.REBROADCAST))
            if not (rounds or waits) or not repeats:
                raise Violation(f"I12 {node.id} has work and no timer runs: {node.decision()}")
        for kind in (TimerKind.ROUND, TimerKind.REBROADCAST):
            if (kind in node.timers) != height.pacing.runs(kind):
                raise Violation(f"I12 {node.id} thinks wrongly of its {kind.value} timer")

    def _bounds(self, node: SimulatedNode) -> None:
        machine, n = node.machine, self.world.epochs.most
        if machine is None:
            return
        limits, votes, height = machine.mempool.limits, machine.replica._height.votes, machine.replica._height
        early = machine.replica._next
        sizes = {
            "mempool": (len(machine.mempool), limits.transactions_max),
            "mempool bytes": (machine.mempool.size_bytes, limits.bytes_max),
            "journal": (len(node.disk.journal or b""), JOURNAL_BYTES_MAX),
            "round changes": (len(votes.changes), n),
            "proposals": (len(votes._proposals), 3 * n),
            "prepares": (len(votes._prepares), 3 * n),
            "commits": (len(votes._commits), 4 * n),
            "early messages": (len(early.messages()), 12 * (n + 1)),
            "bodies": (len(height.bodies.all()), BODIES_MAX + 3),
            "claims": (len(machine.replica._claims), n),
            "sync buffer": (machine._catch_up.sync.buffer_bytes, 34 * 1024 * 1024),
            "questions": (len(machine._reads._open), 1_000),
            "reports": (len(machine._pending.reporter), 64),
        }
        for what, (size, limit) in sizes.items():
            if size > limit:
                raise Violation(f"I11 {node.id} holds {size} of {what}, at most {limit}")

    def idle(self, node: SimulatedNode) -> None:
        """I12: nothing is pending, so no round is timed."""
        if TimerKind.ROUND in node.timers:
            raise Violation(f"I12 {node.id} times a round with nothing to do: {node.decision()}")
        self.world.goals["idle"] += 1


def _records(journal: bytes, name: str, fields: int) -> Iterator[list[Any]]:
    """Yield the records of one kind in a journal file, newest first, found by how their bytes begin."""
    pattern = bytes([0x90 | (fields + 2), 0xA0 | len(name)]) + name.encode() + b"\x01"
    at = journal.rfind(pattern)
    while at >= 0:
        yield reading.item(journal, at)[0]
        at = journal.rfind(pattern, 0, at)
