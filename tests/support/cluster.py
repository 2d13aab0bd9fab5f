"""Real machines in one process: a virtual clock, a network and disks that obey and fail on command, one seed.

Law: the same seed and the same commands give the same run. Frames travel as bytes; what waits for a write is
released only when the write is durable; a crash loses what was not yet synced.
"""

from __future__ import annotations

import heapq
import itertools
import random
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from coseal.contracts.execution import Executor, Outcome
from coseal.contracts.genesis_state import new_state
from coseal.contracts.registry import RULES, Contracts
from coseal.ledger import framing, signing
from coseal.ledger.block import CommittedBlock
from coseal.ledger.certificate import PbftCertificate, Phase, assemble, vote_preimage
from coseal.ledger.errors import LedgerError
from coseal.ledger.genesis import Genesis
from coseal.ledger.head import Head
from coseal.ledger.signing import Verify
from coseal.ledger.snapshot import Manifest, cut, depth_for
from coseal.ledger.state import MemoryStore, State
from coseal.ledger.transaction import Transaction
from coseal.node.core import events, journal, packing, wire
from coseal.node.core.context import MachineConfig
from coseal.node.core.events import Answer, NodeEffect, NodeEvent
from coseal.node.core.joining import Kept
from coseal.node.core.machine import Machine
from coseal.node.core.mempool import MempoolLimits
from coseal.node.core.verified_cache import VerifiedCache
from tests.support.genesis import START_MS, make_genesis
from tests.support.keys import validator
from tests.support.transactions import signed

NAMES = ("bank-a", "central-bank", "enterprise-a", "regulator", "bank-b", "enterprise-b", "institute-a")
DEFAULTS = {"state_bits": 4, "round_timeout_ms": 500, "heartbeat_ms": 0}


def genesis_of(n: int = 4, observers: Sequence[str] = (), *, bystanders: int = 0, **parameters: int) -> Genesis:
    """Return a genesis of n members, each with a validator; ``bystanders``: so many members more, without a node."""
    names = NAMES[: max(n, 1) + bystanders]
    return make_genesis(members=names, validators=names[: max(n, 1)], observers=observers, **{**DEFAULTS, **parameters})


@dataclass
class Disk:
    """What survives a crash: the block log's records and the journal file (None: there is none)."""

    journal: bytes | None
    blocks: list[bytes] = field(default_factory=list)
    first_height: int = 1
    heads: list[bytes] = field(default_factory=list)
    snapshots: dict[int, tuple[Manifest, list[bytes]]] = field(default_factory=dict)
    joining: tuple[Manifest, dict[int, bytes]] | None = None
    joining_heads: list[bytes] = field(default_factory=list)
    sidecars: dict[bytes, bytes] = field(default_factory=dict)

    @property
    def tip_height(self) -> int:
        return self.first_height + len(self.blocks) - 1

    def block(self, height: int) -> bytes | None:
        offset = height - self.first_height
        return self.blocks[offset] if 0 <= offset < len(self.blocks) else None

    def head(self, height: int) -> bytes | None:
        raw = self.block(height)
        if raw is not None:
            return Head.of(CommittedBlock.decode(raw)).encode()
        return self.heads[height - 1] if 1 <= height <= len(self.heads) else None

    def prune(self, first_height: int) -> None:
        """Keep heads instead of the blocks below ``first_height``, for which there must be a snapshot."""
        assert any(height >= first_height for height in self.snapshots)
        self.heads += [self.head(height) for height in range(len(self.heads) + 1, first_height)]  # type: ignore[misc]
        del self.blocks[: first_height - self.first_height]
        self.first_height = first_height

    def adopt(self) -> None:
        """Make the snapshot that was joined the node's own."""
        assert self.joining is not None
        manifest, items = self.joining
        heads = {Head.decode(raw).header.height: raw for raw in self.joining_heads}
        self.heads = [self.head(height) or heads[height] for height in range(1, manifest.height)]
        chunks = [items[number] for number in range(manifest.chunks + 1)]
        self.snapshots = {manifest.height: (manifest, chunks)}
        self.blocks, self.first_height = [chunks[-1]], manifest.height
        self.joining, self.joining_heads = None, []


class Host:
    """The shell of one node: carries out effects, syncs its disk a moment after it was written."""

    def __init__(self, cluster: Cluster, name: str, disk: Disk) -> None:
        self.cluster = cluster
        self.name = name
        self.disk = disk
        self.machine: Machine | None = None
        self.halted: str | None = None
        self.needs_release = False
        self.answers: list[Answer] = []
        self.dropped: list[Answer] = []
        self.noticed: list[events.Noticed] = []
        self.accused: list[str] = []
        self.published: list[tuple[CommittedBlock, Outcome]] = []
        self.life = 0
        self.adopted = 0
        self.keys = [validator(name)]
        self.rules: Mapping[int, Contracts] = RULES
        self.watch: Callable[[list[NodeEffect]], None] = lambda effects: None
        self._store = MemoryStore(4)
        self._queue: deque[NodeEffect] = deque()
        self._syncing = False
        self._timers: dict[object, int] = {}

    @property
    def height(self) -> int:
        return 0 if self.machine is None else self.machine.executor.height

    def boot(self) -> None:
        """Start the process on what the disk holds."""
        genesis, verified = self.cluster.genesis, VerifiedCache(self.cluster.verify)
        self._store = MemoryStore(genesis.parameters.state_bits)
        executor, tip = self._restored(genesis, verified)
        for height in range(executor.height + 1, self.disk.tip_height + 1):
            raw = self.disk.block(height)
            assert raw is not None
            tip = CommittedBlock.decode(raw)
            outcome = executor.execute_block(tip.block)
            assert isinstance(outcome, Outcome)
            executor.commit(outcome)
            self._store.write(outcome.change.entries)
            executor.state.flushed(outcome.change)
        config = MachineConfig(
            genesis,
            self.name,
            self.keys[0],
            "test",
            self.cluster.limits,
            verify=self.cluster.verify,
            join_gap_blocks=self.cluster.join_gap_blocks,
            next_signer=self.keys[1] if len(self.keys) > 1 else None,
        )
        kept = None
        if self.disk.joining is not None:
            heads = [Head.decode(raw) for raw in self.disk.joining_heads]
            kept = Kept(self.disk.joining[0], heads, frozenset(self.disk.joining[1]))
        self.machine = Machine(
            config,
            executor,
            tip=tip,
            journal_data=self.disk.journal,
            verified=verified,
            first_height=self.disk.first_height,
            kept=kept,
            sidecars={name: len(data) for name, data in self.disk.sidecars.items()},
        )
        self.life += 1
        self.halted = None
        self._queue.clear()
        self._timers.clear()
        self._syncing = False
        self.step(events.Start())

    def _restored(self, genesis: Genesis, verified: VerifiedCache) -> tuple[Executor, CommittedBlock | None]:
        """The executor at genesis, or at the newest snapshot where the blocks before it are gone."""
        if self.disk.first_height == 1:
            return Executor(genesis, new_state(genesis, self._store), verified.admit, rules=self.rules), None
        manifest, items = self.disk.snapshots[max(self.disk.snapshots)]
        for index, chunk in enumerate(items[:-1]):
            self._store.write(dict(manifest.entries(index, chunk)))
        state = State(self._store, manifest.bits)
        assert state.root == manifest.header.state_root
        tip = manifest.block(items[-1])
        times = {"height": manifest.height, "time_ms": manifest.header.time_ms}
        return Executor(genesis, state, verified.admit, rules=self.rules, **times), tip

    def _take_snapshot(self, height: int) -> None:
        """What the shell does at every so many blocks: the state as of now, of which it keeps the latest two."""
        bits = self.cluster.genesis.parameters.state_bits
        entries = sorted(entry for index in range(1 << bits) for entry in self._store.bucket(index))
        depth = depth_for(entries, bits)
        chunks = list(cut(entries, bits, depth))
        raw = self.disk.block(height)
        assert raw is not None
        tip = CommittedBlock.decode(raw)
        hashes = b"".join(value for _, value in chunks)
        manifest = Manifest.decode(Manifest(tip.block.header, tip.certificate, bits, depth, hashes).encode())
        self.disk.snapshots[height] = (manifest, [*(chunk for chunk, _ in chunks), raw])
        for old in sorted(self.disk.snapshots)[:-2]:
            del self.disk.snapshots[old]

    def crash(self) -> None:
        """Lose everything that is not on disk."""
        self.machine = None

    def step(self, event: NodeEvent) -> None:
        if self.machine is None:
            return
        effects = self.machine.step(event, self.cluster.now_ms + self.cluster.skew_ms.get(self.name, 0))
        self.watch(effects)
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
            case events.Halt(reason, needs_release):
                self.halted, self.needs_release = reason, needs_release
            case events.Pin(node):
                self.cluster.later(1, lambda _: self.cluster.repin(self.name, node))
            case events.Unpin(node):
                self.cluster.later(self.cluster.unpin_ms, lambda _: self.cluster.unlink(self.name, node))
            case events.BeginJoin(raw):
                if self.disk.joining is None or self.disk.joining[0].encode() != raw:
                    self.disk.joining = (Manifest.decode(raw), {})
            case events.KeepHeads(heads):
                self.disk.joining_heads += heads
            case events.KeepItem(item, data):
                assert self.disk.joining is not None
                self.disk.joining[1].setdefault(item, data)
            case events.AdoptSnapshot(height):
                self.cluster.later(1, lambda _: self._adopt(height))

    def _adopt(self, height: int) -> None:
        self.disk.adopt()
        assert self.disk.first_height == height
        self.adopted += 1
        self.cluster.kill(self.name)
        self.cluster.start(self.name)

    def _fire(self, timer: events.NodeTimer, life: int) -> Callable[[int], None]:
        def fire(number: int) -> None:
            if self.life == life and self._timers.get(timer.kind) == number:
                del self._timers[timer.kind]
                self.step(events.TimerFired(timer))

        return fire

    def _release(self) -> None:
        """Carry out queued effects up to the first write, and have that one synced soon."""
        while self._queue and not isinstance(
            self._queue[0], events.Append | events.AppendBlock | events.ReplaceJournal | events.KeepSidecar
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
                case events.KeepSidecar(name, data):
                    self.disk.sidecars[name] = data
                case events.AppendBlock(committed):
                    assert committed.block.header.height == self.disk.tip_height + 1
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
                heights = range(from_height, from_height + limit)
                records = [raw for height in heights if (raw := self.disk.block(height)) is not None]
                self.cluster.send(self.name, peer, wire.encode(packing.pack_blocks(from_height, records)))
            case events.EraseSidecar(name):
                del self.disk.sidecars[name]
            case events.LoadSidecars(peer, names):
                for name in names:
                    found = self.disk.sidecars.get(name)
                    if found is None:
                        self.step(events.SidecarLost(name))
                    self.cluster.send(self.name, peer, wire.encode(wire.Sidecars(((name, found),))))
            case events.LoadHeads(peer, from_height, limit):
                heights = range(from_height, from_height + limit)
                raws = [raw for height in heights if (raw := self.disk.head(height)) is not None]
                self.cluster.send(self.name, peer, wire.encode(packing.pack_heads(from_height, raws)))
            case events.LoadSnapshot(peer):
                newest = self.disk.snapshots.get(max(self.disk.snapshots, default=0))
                offer = None if newest is None else newest[0].encode()
                self.cluster.send(self.name, peer, wire.encode(wire.Snapshot(offer)))
            case events.LoadItem(peer, height, item):
                held = self.disk.snapshots.get(height)
                data = None if held is None or item >= len(held[1]) else held[1][item]
                self.cluster.send(self.name, peer, wire.encode(wire.Item(height, item, data)))
            case events.ApplyState(height, _, change):
                self._store.write(change.entries)
                if self.cluster.snapshot_blocks and height % self.cluster.snapshot_blocks == 0:
                    self._take_snapshot(height)
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
        snapshot_blocks: int = 0,
        join_gap_blocks: int = 0,
        bystanders: int = 0,
        verify: Verify = signing.verify,
        **parameters: int,
    ) -> None:
        self.genesis = genesis_of(n, observers, bystanders=bystanders, **parameters)
        self.limits = limits
        self.verify = verify
        self.sync_ms = sync_ms
        self.snapshot_blocks, self.join_gap_blocks = snapshot_blocks, join_gap_blocks
        self.now_ms = START_MS
        self.random = random.Random(seed)
        self.skew_ms: dict[str, int] = {}
        self.unpin_ms = 1
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

    def add_host(self, name: str) -> Host:
        """A machine for a node that is not in the genesis; it runs once it is started."""
        self.hosts[name] = Host(self, name, self.new_disk(name))
        return self.hosts[name]

    def repin(self, one: str, other: str) -> None:
        """A node lets another one in, perhaps with another certificate: the old link breaks, a new one is tried."""
        self.unlink(one, other)
        if other in self.hosts and self.hosts[other].machine is not None and self.hosts[one].machine is not None:
            self.link(one, other)

    def lets_in(self, one: str, other: str) -> bool:
        """Whether a node has the certificate of another in its registry."""
        machine = self.hosts[one].machine
        return machine is not None and any(pin.node == other for pin in machine.pins)

    def link(self, one: str, other: str) -> None:
        if (one, other) not in self._links and self.lets_in(one, other) and self.lets_in(other, one):
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


def settled(cluster: Cluster) -> Cluster:
    """Start a cluster and wait until block 1 is everywhere, and durable."""
    cluster.start()
    assert cluster.run_until(lambda: cluster.agrees(1))
    cluster.run(10)
    return cluster


def commit(cluster: Cluster, count: int, *, at: str = "regulator", first: int = 1) -> None:
    """Commit ``count`` transactions in as many blocks, on every running node."""
    for number in range(first, first + count):
        tx = signed(cluster.genesis, number)
        cluster.submit(at, tx)
        assert cluster.run_until(lambda tx=tx: cluster.has(tx)), cluster.now_ms  # type: ignore[misc]


def machine_of(host: Host) -> Machine:
    """Return the machine of a host that runs."""
    assert host.machine is not None
    return host.machine


def certificate_of(
    cluster: Cluster, height: int, block_hash: bytes, *, signers: int, epoch: int = 0
) -> PbftCertificate:
    """Return the certificate of a block by the first ``signers`` of the validators."""
    validators = cluster.genesis.validators
    preimage = vote_preimage(cluster.genesis.chain_id, epoch, height, 0, Phase.COMMIT, block_hash)
    votes = {i: validator(validators[i].id).sign(preimage) for i in range(signers)}
    made = assemble(Phase.COMMIT, validators, height, 0, block_hash, votes)
    return PbftCertificate(made.phase, epoch, height, 0, block_hash, made.bitmap, made.signatures)
