"""One simulated node: a real ``Machine``, and a shell that carries out its effects on a virtual disk and network.

Law: the shell decides nothing. Effects keep the order of ``node/core/events.py``: what follows a write waits until the
batch that holds the write is durable; batches are formed as ``node/storage/writer.py`` forms them.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Final

from coseal.consensus.events import TimerKind
from coseal.contracts.execution import Executor, Outcome
from coseal.contracts.genesis_state import genesis_updates
from coseal.contracts.registry import RULES
from coseal.ledger import codec
from coseal.ledger.block import CommittedBlock
from coseal.ledger.head import Head
from coseal.ledger.signing import Signer
from coseal.ledger.snapshot import Manifest
from coseal.ledger.state import MemoryStore, State
from coseal.node.core import events, packing, wire
from coseal.node.core.context import MachineConfig
from coseal.node.core.events import NodeEffect, NodeEvent, NodeTimer, TickKind
from coseal.node.core.joining import Kept
from coseal.node.core.machine import Machine
from coseal.node.core.verified_cache import VerifiedCache
from simulation.checked import Checked
from simulation.clock import Clock
from simulation.contract_faults import with_faults
from simulation.disk import Disk, Refused, Snapshot, Write
from simulation.lockers import with_lockers

if TYPE_CHECKING:
    from simulation.byzantine.behaviour import Behaviour
    from simulation.world import World


WITH_FAULTS: Final = with_lockers(with_faults(RULES))
NEWER_RULES: Final = {**WITH_FAULTS, 2: WITH_FAULTS[1]}
"""What a newer release has: a second version, of the same rules."""


@dataclass(slots=True)
class Batch:
    """Writes that one sync makes durable, and what waits for it."""

    writes: list[Write] = field(default_factory=list)
    releases: deque[Callable[[], None]] = field(default_factory=deque)


class SimulatedNode:
    """Endpoint ``index`` of the world, speaking as node ``id``. ``machine`` is None while the process is down."""

    def __init__(self, world: World, index: int, id: str, disk: Disk, signer: Signer) -> None:
        self.world = world
        self.index, self.id, self.disk, self.signer = index, id, disk, signer
        self.owner = ""  # the member that runs it
        self.started = True  # False: it will join later
        self.next_signer: Signer | None = None
        self.outdated = False  # its software lacks the rules to come
        self.warned = False  # it said so
        self.clock = Clock()
        self.machine: Machine | None = None
        self.behaviours: list[Behaviour] = []
        self.life = 0
        self.sync_ms = 1
        self.step_ms = 0  # a slow node: how long each event waits
        self.paused_until_ms = 0
        self.why_down = ""
        self.timers: dict[TimerKind | TickKind, tuple[int, NodeTimer]] = {}
        self._gathering: Batch | None = None
        self._in_flight: Batch | None = None
        self._before_send: Callable[[], None] | None = None

    @property
    def honest(self) -> bool:
        """Whether it runs unmodified code on a disk that keeps its promises."""
        return self.index in self.world.honest

    @property
    def height(self) -> int:
        """The height executed."""
        return 0 if self.machine is None else self.machine.executor.height

    def signer_of(self, height: int) -> Signer:
        """Return the key of its seat at a height, its first if it has none."""
        era = self.world.epochs.at(height)
        index = era.index(self.id)
        key = None if index is None else era.seats[index].key
        return self.next_signer if self.next_signer is not None and self.next_signer.public_key == key else self.signer

    def knows(self, name: str) -> bool:
        """Whether it runs, and lets that node link to it."""
        return self.machine is not None and any(pin.node == name for pin in self.machine.pins)

    # Life

    def boot(self) -> None:
        """Start the process on what the disk holds; raise ``Refused`` if the shell would not."""
        disk = self.disk
        disk.open_log()
        verified = VerifiedCache(self.world.scheme.verify)
        executor, tip = self._open(verified)
        limits = self.world.options.limits
        config = MachineConfig(
            self.world.genesis,
            self.id,
            self.signer,
            "simulated",
            limits,
            self.world.scheme.verify,
            join_gap_blocks=self.world.options.join_gap_blocks,
            next_signer=self.next_signer,
        )
        kept = None
        if disk.joining is not None:
            heads = [Head.decode(raw) for raw in disk.joining_heads]
            kept = Kept(disk.joining.manifest, heads, frozenset(disk.joining.items))
        self.machine = Machine(
            config,
            executor,
            tip=tip,
            journal_data=disk.copy_of_journal(),
            verified=verified,
            first_height=disk.first_height,
            kept=kept,
            sidecars={name: len(data) for name, data in disk.sidecars.items()},
        )
        self.life += 1
        self.timers.clear()
        self._gathering = self._in_flight = None
        if self.honest:
            self.world.invariants.booted(self)
        self.step(events.Start())

    def _open(self, verified: VerifiedCache) -> tuple[Executor, CommittedBlock | None]:
        """Bring the state to the tip of the block log, as ``node/storage/data_folder.py`` does."""
        genesis, disk = self.world.genesis, self.disk
        if disk.store is None or not disk.first_height <= disk.store_height <= disk.tip_height:
            self._rebuild_store()
        state, height = State(disk.store or MemoryStore(disk.bits), disk.bits), disk.store_height
        tip = self._block(height) if height else None
        time_ms = None if tip is None else tip.block.header.time_ms
        verify, rules = self.world.scheme.verify, WITH_FAULTS if self.outdated else NEWER_RULES
        executor = Executor(
            genesis,
            state,
            verified.admit,
            height=height,
            time_ms=time_ms,
            rules=rules,
            verify=verify,
            watcher=Checked,
        )
        for later in range(height + 1, disk.tip_height + 1):
            tip = self._block(later)
            outcome = executor.execute_block(tip.block)
            if not isinstance(outcome, Outcome):
                raise Refused(f"replaying block {later}: {outcome.code} {outcome.detail}")
            executor.commit(outcome)
            if disk.store is not None:
                disk.store.write(outcome.change.entries)
            disk.store_height = outcome.height
            executor.state.flushed(outcome.change)
        return executor, tip

    def _rebuild_store(self) -> None:
        """Write the state of genesis, or of the newest snapshot where the blocks before it are gone."""
        disk = self.disk
        disk.store, disk.store_height = MemoryStore(disk.bits), 0
        if disk.first_height == 1:
            state = State(disk.store, disk.bits)
            change = state.derive(genesis_updates(self.world.genesis))
            disk.store.write(change.entries)
            return
        snapshot = disk.snapshots[max(disk.snapshots)]
        for index in range(snapshot.manifest.chunks):
            disk.store.write(dict(snapshot.manifest.entries(index, snapshot.items[index])))
        disk.store_height = snapshot.manifest.height

    def _block(self, height: int) -> CommittedBlock:
        raw = self.disk.block(height)
        if raw is None:
            raise Refused(f"block {height} is not in the log")
        return CommittedBlock.decode(raw)

    def unsynced(self) -> list[Write]:
        """Return the writes that a crash now may lose, oldest first."""
        batches = [batch for batch in (self._in_flight, self._gathering) if batch is not None]
        return [write for batch in batches for write in batch.writes]

    def writing(self) -> list[Write]:
        """Return the writes that are on their way to the disk."""
        return [] if self._in_flight is None else list(self._in_flight.writes)

    def stop(self, why: str) -> None:
        """End the process; what was not written is gone (the disk has been told what was)."""
        self.machine = None
        self.why_down = why
        self.timers.clear()
        self._gathering = self._in_flight = None

    # Events

    def step(self, event: NodeEvent) -> None:
        """Hand one event to the machine and carry out what it says."""
        machine = self.machine
        if machine is None:
            return
        before = (machine.replica.height, machine.replica.round)
        effects = machine.step(event, self.clock.wall_ms(self.world.now_ms))
        self.world.invariants.stepped(self, event, before)
        for effect in effects:
            if self.machine is not machine:
                return
            self._perform(effect)
        self._submit()

    def fire(self, timer: NodeTimer, number: int) -> None:
        """Take a timer that ran out, unless another took its place."""
        current = self.timers.get(timer.kind)
        if current is not None and current[0] == number:
            del self.timers[timer.kind]
            self.step(events.TimerFired(timer))

    def _perform(self, effect: NodeEffect) -> None:
        world = self.world
        match effect:
            case events.Append() | events.ReplaceJournal() | events.AppendBlock() | events.KeepSidecar():
                if self._gathering is None:
                    self._gathering = Batch()
                self._gathering.writes.append(effect)
                world.witness.wrote(self, effect)
            case events.SendFrame(peer, message):
                self._send(peer, message)
            case events.BroadcastFrame(message):
                self._send(None, message)
            case events.LoadBlocks(peer, from_height, limit):
                self._after(lambda: self._load(peer, from_height, limit))
            case events.EraseSidecar(name):
                self._after(partial(self.disk.erase, name))
            case events.LoadSidecars(peer, names):
                self._after(partial(self._load_sidecars, peer, names))
            case events.LoadHeads() | events.LoadSnapshot() | events.LoadItem():
                self._after(lambda: self._load_snapshot(effect))
            case events.BeginJoin() | events.KeepHeads() | events.KeepItem():
                self._after(lambda: self._keep(effect))
            case events.AdoptSnapshot():
                self._after(lambda: world.act(1, f"adopt {self.index}", lambda: world.adopted(self)))
            case events.ApplyState(height, _, change):
                self._after(lambda: world.schedule(1, self, ("apply", self.life, height, change)))
            case events.Published(committed, outcome):
                self._after(lambda: world.witness.published(self, committed, outcome))
            case events.StartTimer(timer, delay_ms):
                self.timers[timer.kind] = (world.later(delay_ms, self, ("timer", self.life, timer)), timer)
            case events.StopTimer(kind):
                self.timers.pop(kind, None)
            case _:
                world.witness.noticed(self, effect)

    def _send(self, peer: str | None, message: wire.WireMessage) -> None:
        data = wire.encode(message)
        if wire.promises_nothing(message):
            self.world.send(self, peer, message, data)
        else:
            self._after(lambda: self.world.send(self, peer, message, data))

    def _load(self, peer: str, from_height: int, limit: int) -> None:
        heights = range(from_height, from_height + limit)
        records = [raw for height in heights if (raw := self.disk.block(height)) is not None]
        self._tell(peer, packing.pack_blocks(from_height, records))

    def _load_sidecars(self, peer: str, names: tuple[bytes, ...]) -> None:
        for name in names:
            self._tell(peer, wire.Sidecars(((name, self.disk.sidecars.get(name)),)))

    def _load_snapshot(self, effect: events.LoadHeads | events.LoadSnapshot | events.LoadItem) -> None:
        disk = self.disk
        match effect:
            case events.LoadHeads(peer, from_height, limit):
                heights = range(from_height, from_height + limit)
                raws = [raw for height in heights if (raw := disk.head(height)) is not None]
                self._tell(peer, packing.pack_heads(from_height, raws))
            case events.LoadSnapshot(peer):
                newest = disk.snapshots.get(max(disk.snapshots, default=0))
                self._tell(peer, wire.Snapshot(None if newest is None else newest.manifest.encode()))
            case events.LoadItem(peer, height, item):
                held = disk.snapshots.get(height)
                self._tell(peer, wire.Item(height, item, None if held is None else held.items.get(item)))

    def _tell(self, peer: str, message: wire.WireMessage) -> None:
        self.world.send(self, peer, message, wire.encode(message))

    def _keep(self, effect: events.BeginJoin | events.KeepHeads | events.KeepItem) -> None:
        disk = self.disk
        match effect:
            case events.BeginJoin(raw):
                if disk.joining is None or disk.joining.manifest.encode() != raw:
                    disk.joining = Snapshot(Manifest.decode(raw), {})
            case events.KeepHeads(heads):
                disk.joining_heads += heads
            case events.KeepItem(item, data):
                if disk.joining is not None:
                    disk.joining.items[item] = data

    def apply(self, height: int, entries: dict[bytes, bytes | None]) -> None:
        """The state store writes one block's change; now and then a snapshot is taken, and older blocks go."""
        disk, every = self.disk, self.world.options.snapshot_blocks
        if disk.store is None or disk.store_height != height - 1:
            return
        disk.store.write(entries)
        disk.store_height = height
        if every and height % every == 0:
            disk.take_snapshot(height)
        self.step(events.Applied(height))
        if every and height % every == 0 and self.machine is not None:
            first_height = min(disk.snapshots, default=1)
            if first_height > disk.first_height:
                disk.prune(first_height)
                self.step(events.BlocksPruned(first_height))

    # Batches

    def _after(self, release: Callable[[], None]) -> None:
        batch = self._gathering or self._in_flight
        if batch is None:
            release()
        else:
            batch.releases.append(release)

    def _submit(self) -> None:
        if self._gathering is not None and self._in_flight is None:
            self._in_flight, self._gathering = self._gathering, None
            self.world.later(self.sync_ms, self, ("synced", self.life))

    def synced(self) -> None:
        """The batch on its way is durable, unless the disk fails: then the process ends."""
        batch = self._in_flight
        if batch is None:
            return
        try:
            self.disk.perform(batch.writes)
        except Refused:
            self.world.disk_failed(self)
            return
        life = self.life
        while batch.releases:
            batch.releases.popleft()()
            if self.life != life or self.machine is None:
                return
        self._in_flight = None
        self._submit()

    def decision(self) -> str:
        """Say where it stands, for the trace."""
        if self.machine is None:
            return f"{self.id} is down ({self.why_down})"
        standing = self.machine.replica.standing()
        return f"{self.id} works on height {standing.height} round {standing.round}, {standing.silence or 'votes'}"


def text_of(value: object) -> str:
    """Return what a state record's profile says, for clients that read it back."""
    record = codec.mapping(value, "member")
    return str(record["profile"].get("description", ""))
