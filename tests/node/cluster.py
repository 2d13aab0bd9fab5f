"""Real machines in one process: a virtual clock, a network and disks that obey and fail on command, one seed.

Law: the same seed and the same commands give the same run. Frames travel as bytes; what waits for a write is
released only when the write is durable; a crash loses what was not yet synced.
"""

from __future__ import annotations

import heapq
import itertools
import random
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from hashlib import sha256

from contracts.execution import Executor, Outcome, new_state
from ledger import framing, transaction
from ledger.block import CommittedBlock
from ledger.errors import LedgerError
from ledger.genesis import Genesis, Member, Node, Operator, Parameters, encode_genesis
from ledger.signing import Ed25519Signer
from ledger.state import MemoryStore
from ledger.transaction import Transaction
from node import events, journal, wire
from node.admission import VerifiedTransactions
from node.events import Answer, NodeEffect, NodeEvent
from node.machine import Machine, MachineConfig
from node.mempool import MempoolLimits

START_MS = 1_700_000_000_000
MEMBERS = {
    "bank-a": "bank",
    "central-bank": "bank",
    "enterprise-a": "enterprise",
    "regulator": "government",
    "bank-b": "bank",
    "enterprise-b": "enterprise",
    "institute-a": "institute",
}
DEFAULTS = {"state_bits": 4, "round_timeout_ms": 500, "heartbeat_ms": 0}


def key(role: str, name: str) -> Ed25519Signer:
    return Ed25519Signer(sha256(f"{role} {name}".encode()).digest())


def make_genesis(n: int = 4, observers: Iterable[str] = (), **parameters: int) -> Genesis:
    names = list(MEMBERS)[: max(n, 1)]
    members = tuple(
        Member(
            id=name,
            name=name,
            role=MEMBERS[name],
            level="central" if MEMBERS[name] == "government" else "",
            sector="",
            central_bank=name == "central-bank",
            operators=(Operator("admin", key("operator", name).public_key, ("operate", "submit")),),
        )
        for name in names
    )
    nodes = [Node(name, name, "validator", key("node", name).public_key, b"\x01") for name in names]
    nodes += [Node(name, names[0], "observer", key("node", name).public_key, b"\x01") for name in observers]
    chosen = Parameters(**{**DEFAULTS, **parameters})  # type: ignore[arg-type]
    raw = encode_genesis(name="test", time_ms=START_MS, parameters=chosen, members=members, nodes=tuple(nodes))
    return Genesis.decode(raw)


def sign_transaction(
    genesis: Genesis, number: int, *, member: str = "bank-a", valid_until_ms: int = START_MS + 300_000, padding: int = 0
) -> Transaction:
    """A transaction that commits: the member's operator sets its profile."""
    return transaction.sign(
        key("operator", member),
        chain_id=genesis.chain_id,
        sender=f"{member}/admin",
        contract="membership",
        action="set_profile",
        args={"description": f"{number} " + "x" * padding},
        valid_until_ms=valid_until_ms,
        salt=number.to_bytes(16, "big"),
    )


@dataclass
class Disk:
    """What survives a crash: the block log's records and the journal file (None: there is none)."""

    journal: bytes | None
    blocks: list[bytes] = field(default_factory=list)


class Host:
    """The shell of one node: carries out effects, syncs its disk a moment after it was written."""

    def __init__(self, cluster: Cluster, name: str, disk: Disk) -> None:
        self.cluster = cluster
        self.name = name
        self.disk = disk
        self.machine: Machine | None = None
        self.halted: str | None = None
        self.answers: list[Answer] = []
        self.dropped: list[Answer] = []
        self.noticed: list[events.Noticed] = []
        self.accused: list[str] = []
        self.published: list[tuple[CommittedBlock, Outcome]] = []
        self.life = 0
        self._store = MemoryStore(4)
        self._queue: deque[NodeEffect] = deque()
        self._syncing = False
        self._timers: dict[object, int] = {}

    @property
    def height(self) -> int:
        return 0 if self.machine is None else self.machine.executor.height

    def boot(self) -> None:
        """Start the process on what the disk holds."""
        genesis, verified = self.cluster.genesis, VerifiedTransactions()
        self._store = MemoryStore(genesis.parameters.state_bits)
        executor = Executor(genesis, new_state(genesis, self._store), verified.admit)
        tip = None
        voters = executor.validators
        for raw in self.disk.blocks:
            tip, voters = CommittedBlock.decode(raw), executor.validators
            outcome = executor.execute_block(tip.block)
            assert isinstance(outcome, Outcome)
            executor.commit(outcome)
            self._store.write(outcome.change.entries)
            executor.state.flushed(outcome.change)
        config = MachineConfig(genesis, self.name, key("node", self.name), "test", self.cluster.limits)
        self.machine = Machine(
            config, executor, tip=tip, tip_validators=voters, journal_data=self.disk.journal, verified=verified
        )
        self.life += 1
        self.halted = None
        self._queue.clear()
        self._timers.clear()
        self._syncing = False
        self.step(events.Start())

    def crash(self) -> None:
        """Lose everything that is not on disk."""
        self.machine = None

    def step(self, event: NodeEvent) -> None:
        if self.machine is None:
            return
        effects = self.machine.step(event, self.cluster.now_ms + self.cluster.skew_ms.get(self.name, 0))
        for effect in effects:
            self._at_once(effect)
        self._queue.extend(effects)
        self._release()

    def _at_once(self, effect: NodeEffect) -> None:
        """What needs no durability happens in the step itself."""
        match effect:
            case events.StartTimer(timer, delay_ms):
                number = self.cluster.later(delay_ms, self._fire(timer, self.life))
                self._timers[timer.kind] = number
            case events.StopTimer(kind):
                self._timers.pop(kind, None)
            case events.Answered(answers):
                self.answers += answers
            case events.Dropped(answers):
                self.dropped += answers
            case events.Noticed():
                self.noticed.append(effect)
            case events.Accused(node):
                self.accused.append(node)
            case events.Halt(reason):
                self.halted = reason

    def _fire(self, timer: events.NodeTimer, life: int) -> Callable[[int], None]:
        def fire(number: int) -> None:
            if self.life == life and self._timers.get(timer.kind) == number:
                del self._timers[timer.kind]
                self.step(events.TimerFired(timer))

        return fire

    def _release(self) -> None:
        """Carry out queued effects up to the first write, and have that one synced soon."""
        while self._queue and not isinstance(
            self._queue[0], events.Append | events.AppendBlock | events.ReplaceJournal
        ):
            self._carry_out(self._queue.popleft())
        if self._queue and not self._syncing:
            self._syncing = True
            life = self.life
            self.cluster.later(self.cluster.sync_ms, lambda _: self._synced(life))

    def _synced(self, life: int) -> None:
        if self.life != life or self.machine is None:
            return
        self._syncing = False
        for effect in list(self._queue):
            match effect:
                case events.Append(data):
                    assert self.disk.journal is not None
                    self.disk.journal += data
                case events.ReplaceJournal(data):
                    self.disk.journal = data
                case events.AppendBlock(committed):
                    assert committed.block.header.height == len(self.disk.blocks) + 1
                    self.disk.blocks.append(committed.encode())
        queue, self._queue = self._queue, deque()
        for effect in queue:
            self._carry_out(effect)
        self._release()

    def _carry_out(self, effect: NodeEffect) -> None:
        match effect:
            case events.SendFrame(peer, message):
                self.cluster.send(self.name, peer, wire.encode(message))
            case events.BroadcastFrame(message):
                data = wire.encode(message)
                for peer in self.cluster.hosts:
                    if peer != self.name:
                        self.cluster.send(self.name, peer, data)
            case events.LoadBlocks(peer, from_height, limit):
                records = self.disk.blocks[from_height - 1 : from_height - 1 + limit]
                self.cluster.send(self.name, peer, wire.encode(wire.pack_blocks(from_height, records)))
            case events.ApplyState(height, _, change):
                self._store.write(change.entries)
                self.step(events.Applied(height))
            case events.Published(committed, outcome):
                self.published.append((committed, outcome))
                self.cluster.committed(self.name, committed)


class Cluster:
    """n validators, perhaps observers, on one virtual clock."""

    def __init__(
        self,
        n: int = 4,
        *,
        seed: int = 0,
        observers: tuple[str, ...] = (),
        limits: MempoolLimits | None = None,
        sync_ms: int = 1,
        **parameters: int,
    ) -> None:
        self.genesis = make_genesis(n, observers, **parameters)
        self.limits = limits
        self.sync_ms = sync_ms
        self.now_ms = START_MS
        self.random = random.Random(seed)
        self.skew_ms: dict[str, int] = {}
        self.chain: dict[int, bytes] = {}
        self.tamper: Callable[[str, str, bytes], list[bytes]] = lambda source, target, data: [data]
        self._heap: list[tuple[int, int, Callable[[int], None]]] = []
        self._numbers = itertools.count(1)
        self._links: set[tuple[str, str]] = set()
        self._arrival: dict[tuple[str, str], int] = {}
        names = [node.id for node in self.genesis.nodes]
        self.hosts = {name: Host(self, name, self.new_disk(name)) for name in names}

    def new_disk(self, name: str) -> Disk:
        """The disk of a node after ``init``."""
        return Disk(journal.initial(self.genesis.chain_id, name))

    def __getitem__(self, name: str) -> Host:
        return self.hosts[name]

    # Commands

    def start(self, *names: str) -> Cluster:
        """Boot those of the named nodes (all if none is named) that do not run, and link them to all that do."""
        for name in names or self.hosts:
            if self.hosts[name].machine is not None:
                continue
            self.hosts[name].boot()
            for other, host in self.hosts.items():
                if other != name and host.machine is not None:
                    self.link(name, other)
        return self

    def kill(self, *names: str) -> None:
        """Crash nodes: what they had not synced is lost, their links break."""
        for name in names:
            self.hosts[name].crash()
            for other in self.hosts:
                self.unlink(name, other)

    def partition(self, *groups: Iterable[str]) -> None:
        """Break every link between nodes of different groups."""
        for left, right in itertools.combinations([list(group) for group in groups], 2):
            for one, other in itertools.product(left, right):
                self.unlink(one, other)

    def heal(self) -> None:
        """Link all running nodes again."""
        for one, other in itertools.combinations(self.hosts, 2):
            if self.hosts[one].machine is not None and self.hosts[other].machine is not None:
                self.link(one, other)

    def link(self, one: str, other: str) -> None:
        if (one, other) not in self._links:
            self._links |= {(one, other), (other, one)}
            self.hosts[one].step(events.PeerConnected(other))
            self.hosts[other].step(events.PeerConnected(one))

    def unlink(self, one: str, other: str) -> None:
        if (one, other) in self._links:
            self._links -= {(one, other), (other, one)}
            self.hosts[one].step(events.PeerDisconnected(other))
            self.hosts[other].step(events.PeerDisconnected(one))

    def submit(self, name: str, *transactions: Transaction) -> None:
        self.hosts[name].step(events.Submitted(transactions))

    # Time and network

    def later(self, delay_ms: int, action: Callable[[int], None]) -> int:
        number = next(self._numbers)
        heapq.heappush(self._heap, (self.now_ms + delay_ms, number, action))
        return number

    def send(self, source: str, target: str, data: bytes) -> None:
        """Carry a frame over a link: in order, after a few milliseconds; lost if the link breaks before."""
        if (source, target) not in self._links:
            return
        for frame in self.tamper(source, target, data):
            arrival = max(self._arrival.get((source, target), 0), self.now_ms + self.random.randint(1, 4))
            self._arrival[source, target] = arrival
            self.later(arrival - self.now_ms, self._deliver(source, target, frame))

    def _deliver(self, source: str, target: str, frame: bytes) -> Callable[[int], None]:
        def deliver(_: int) -> None:
            if (source, target) in self._links:
                try:
                    message = wire.decode(frame)
                except LedgerError:
                    return  # a real link closes
                self.hosts[target].step(events.FrameReceived(source, message))

        return deliver

    def run(self, duration_ms: int) -> None:
        """Let virtual time pass."""
        self.run_until(lambda: False, duration_ms)

    def run_until(self, done: Callable[[], bool], limit_ms: int = 30_000) -> bool:
        """Let time pass until ``done``; say whether it was within ``limit_ms``."""
        end_ms = self.now_ms + limit_ms
        while not done():
            if not self._heap or self._heap[0][0] > end_ms:
                self.now_ms = end_ms
                return False
            self.now_ms, number, action = heapq.heappop(self._heap)
            action(number)
        return True

    # What must hold

    def committed(self, name: str, committed: CommittedBlock) -> None:
        """I1: one block a height, for ever, on every node."""
        height = committed.block.header.height
        assert self.chain.setdefault(height, committed.block.hash) == committed.block.hash, f"fork at {height}"

    def running(self) -> list[Host]:
        return [host for host in self.hosts.values() if host.machine is not None]

    def agrees(self, height: int = 0) -> bool:
        """Whether all running nodes have one tip, at ``height`` or above, and one state."""
        machines = [host.machine for host in self.running() if host.machine is not None]
        tips = {(machine.executor.height, machine.executor.state.root) for machine in machines}
        return len(tips) == 1 and min(tip[0] for tip in tips) >= height

    def has(self, tx: Transaction, *names: str) -> bool:
        """Whether the transaction is committed on the named nodes (all running ones by default)."""
        hosts = [self.hosts[name] for name in names] or self.running()
        return all(
            host.machine is not None and host.machine.executor.check(tx, tx.valid_until_ms - 1) is not None
            for host in hosts
        )


def records(data: bytes) -> list[framing.Record]:
    """The records of a journal file."""
    return list(framing.scan(data).records)
