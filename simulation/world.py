"""One world: nodes, network, disks and clients on one virtual clock, driven by one source of chance.

Law: the same options and the same seed give the same run, byte for byte (``digest``). Events happen in the order of
(time, order of scheduling); nothing iterates over a set, reads a clock, or hashes an address.
"""

from __future__ import annotations

import heapq
import random
import traceback
from collections import Counter
from collections.abc import Callable
from functools import lru_cache
from hashlib import sha256
from typing import Any, TypeAlias

from coseal.consensus.events import ExecutionTook
from coseal.consensus.messages import Proposal
from coseal.contracts.execution import UnknownProtocol
from coseal.ledger.errors import LedgerError
from coseal.ledger.signing import Signer
from coseal.ledger.validators import Validator, ValidatorSet
from coseal.node.core import events, journal, wire
from simulation.byzantine.behaviour import Ears
from simulation.byzantine.catalogue import BEHAVIOURS
from simulation.changes import Changes
from simulation.clients import Clients
from simulation.disk import Disk, Refused
from simulation.epochs import Epochs, Era
from simulation.founding import START_MS, STATE_BITS, make_genesis
from simulation.invariants import Invariants, Violation
from simulation.keys import Scheme
from simulation.network import Network
from simulation.node import SimulatedNode
from simulation.reading import PREPARE
from simulation.swarm import Options
from simulation.witness import Witness

EVENTS_MAX = 400_000
LINGER_MS = 15  # less than any process needs to come back
Event: TypeAlias = tuple[Any, ...]


class Crash(Exception):
    """The code under test raised; the text is the traceback (I16)."""


class World:
    """A running simulation of ``options``; ``run`` lets time pass, ``say`` prints when ``loud``."""

    def __init__(self, options: Options, rng: random.Random, *, loud: Callable[[str], None] | None = None) -> None:
        self.options, self.rng = options, rng
        self.loud = loud
        self.scheme = Scheme(options.real_signatures)
        self.genesis = make_genesis(options, self.scheme)
        self.epochs = Epochs(self)
        self.rotated: dict[str, Signer] = {}  # the second key of a node, once there is one
        self.start_ms = self.now_ms = START_MS
        self.goals: Counter[str] = Counter()
        self.faults: Counter[str] = Counter()
        self.rounds: Counter[int] = Counter()
        self.honest: dict[int, None] = {}
        self.fragile: dict[int, None] = {}  # endpoints that may be silent for long, or forget
        self.rebuilt: dict[int, None] = {}  # endpoints that lost their block log
        self.twin_pairs: list[tuple[int, int]] = []
        self.backups: dict[int, bytes] = {}
        self.squatted: dict[bytes, None] = {}  # names of sidecars that Byzantine nodes named
        self.ambushes: dict[int, tuple[int, Callable[[], None]]] = {}
        self.events = 0
        self.highest = 0
        self.healed = False
        self._heap: list[tuple[int, int, int, SimulatedNode | None, Event]] = []
        self._order = 0
        self._trace = sha256()
        self._busy: dict[int, int] = {}
        self._decode = lru_cache(256)(wire.decode)
        self.nodes = self._make_nodes()
        self.network = Network(len(self.nodes), rng)
        self.witness = Witness(self)
        self.invariants = Invariants(self)
        self.clients = Clients(self)
        self.changes = Changes(self)

    def _make_nodes(self) -> list[SimulatedNode]:
        nodes: list[SimulatedNode] = []
        owners = {node.id: node.member for node in self.genesis.nodes}
        later = [member.id for member in self.genesis.members[self.options.n :]]
        names = [*self.validator_names, *(node.id for node in self.genesis.nodes if node.kind == "observer"), *later]
        twins = [index for index, kinds in self.options.behaviours.items() if "twins" in kinds]
        for index, name in enumerate([*names, *(names[twin] for twin in twins)]):
            disk = Disk(STATE_BITS, bytearray(journal.initial(self.genesis.chain_id, name)))
            node = SimulatedNode(self, index, name, disk, self.scheme.signer("node", name))
            node.sync_ms, node.owner, node.started = self.options.sync_ms, owners.get(name, name), name in owners
            nodes.append(node)
        for position, twin in enumerate(twins):
            self.twin_pairs.append((twin, len(names) + position))
        for node in nodes:
            kinds = self.options.behaviours.get(names.index(node.id), ())
            ears = Ears()
            node.behaviours = [BEHAVIOURS[kind](self, node, ears) for kind in kinds]
            if not kinds and node.started:
                self.honest[node.index] = None
        return nodes

    # Who

    @property
    def validators(self) -> ValidatorSet:
        """The validators of the newest epoch that a block announced."""
        return self.validators_at(1 << 62)

    @property
    def validator_names(self) -> list[str]:
        """Their ids, ascending."""
        return [seat.id for seat in self.epochs.newest.seats]

    def validators_at(self, height: int) -> ValidatorSet:
        """Return who decides a height, as far as it is known."""
        return _set_of(self.epochs.at(height))

    def seat(self, node: SimulatedNode) -> int | None:
        """Return the node's index among the validators of the newest epoch."""
        return self.epochs.newest.index(node.id)

    def named(self, name: str) -> list[SimulatedNode]:
        """Return the endpoints of a node: one, or two twins."""
        return [node for node in self.nodes if node.id == name]

    def leading(self) -> str:
        """Return who leads round 0 of the next height."""
        height, last = self.highest + 1, self.invariants.chain.get(self.highest)
        era = self.epochs.at(height)
        return era.seats[era.base(None if last is None else last.proposer, height, self.options.tenure)].id

    def faulty_names(self) -> list[str]:
        """Return the ids of nodes that may contradict themselves."""
        return [node.id for node in self.nodes if node.index not in self.honest]

    def running_honest(self) -> list[SimulatedNode]:
        """Return the honest nodes that run."""
        return [node for node in self.nodes if node.index in self.honest and node.machine is not None]

    def serving(self) -> list[SimulatedNode]:
        """Return the honest nodes that run and that the chain knows: those that clients turn to."""
        return [node for node in self.running_honest() if node.id in self.epochs.nodes]

    def any_running(self, *, voter: bool = False) -> SimulatedNode | None:
        """Return some running node."""
        found = [n for n in self.nodes if n.machine is not None and (not voter or self.seat(n) is not None)]
        return found[self.rng.randrange(len(found))] if found else None

    def has_room(self) -> bool:
        """Say whether one more node may become fragile: it, and the Byzantine ones, are at most f."""
        return len(self.options.behaviours) + len(self.fragile) < self.changes.f

    # Keys, newcomers and releases

    def key(self, name: str) -> bytes:
        """Return the key that is, or will be, registered for a node."""
        return self.epochs.nodes[name][1] if name in self.epochs.nodes else self.keys(name)[0]

    def keys(self, name: str) -> list[bytes]:
        """Return the public keys that a node ever had."""
        first = self.scheme.signer("node", name)
        return [signer.public_key for signer in (first, self.rotated.get(name)) if signer is not None]

    def next_signer(self, name: str) -> Signer:
        """Return the key that follows a node's first."""
        return self.rotated.setdefault(name, self.scheme.signer("node", f"{name} again"))

    def give_key(self, nodes: list[SimulatedNode]) -> None:
        """Put the second key where the node is."""
        for node in nodes:
            if node.next_signer is None:
                signer = node.next_signer = self.next_signer(node.id)
                self._guarded(node, events.KeyGiven(signer))

    def join(self, node: SimulatedNode) -> None:
        """Start a node that was not there at genesis."""
        if not node.started:
            node.started = True
            self.honest[node.index] = None
            self.boot(node)

    def outdate(self, node: SimulatedNode) -> None:
        """Run a node with software that lacks the rules to come."""
        node.outdated = True
        if node.machine is not None:
            self.crash(node, "kill")
        self.boot(node)

    def upgrade(self, node: SimulatedNode) -> None:
        """Install the newer software."""
        if node.outdated:
            node.outdated = False
            self.crash(node, "kill")
            self.boot(node)

    @property
    def height_min(self) -> int:
        """The height that the run must reach: far enough, and decided by the newest epoch under the newest rules."""
        epochs = self.epochs
        waits = 0 if epochs.waiting is None else self.highest + 1
        return max(self.options.heights_min, epochs.newest.first_height, epochs.begun, waits)

    # Time

    def later(self, delay_ms: int, node: SimulatedNode | None, event: Event) -> int:
        """Schedule an event and return its number."""
        self._order += 1
        heapq.heappush(self._heap, (self.now_ms + max(0, delay_ms), self._order, self._order, node, event))
        return self._order

    def schedule(self, delay_ms: int, node: SimulatedNode, event: Event) -> None:
        """Schedule an event that nobody will stop."""
        self.later(delay_ms, node, event)

    def act(self, delay_ms: int, what: str, action: Callable[[], None]) -> None:
        """Schedule something that is not an event of a node."""
        self.later(delay_ms, None, ("act", what, action))

    def run(self, done: Callable[[], bool], limit_ms: int) -> bool:
        """Let time pass until ``done``, asked every 50 ms; say whether it came within ``limit_ms``."""
        end_ms, ask_ms, heap, trace = self.now_ms + limit_ms, self.now_ms, self._heap, self._trace
        while heap and heap[0][0] <= end_ms:
            now_ms, _, number, node, event = heapq.heappop(heap)
            if now_ms >= ask_ms:
                if done():
                    heapq.heappush(heap, (now_ms, number, number, node, event))
                    return True
                ask_ms = now_ms + 50
            self.now_ms = now_ms
            self.events += 1
            if self.events > EVENTS_MAX:
                raise Violation(f"I17 more than {EVENTS_MAX} events")
            if node is None:
                trace.update(b"%d %d %s" % (now_ms, number, str(event[1]).encode()))
                event[2]()
                continue
            if self._waits(node, now_ms, number, event):
                continue
            trace.update(b"%d %d %d %s" % (now_ms, number, node.index, event[0].encode()))
            try:
                self._handle(node, number, event)
            except (Violation, KeyboardInterrupt):
                raise
            except Exception:
                raise Crash(f"I16 {node.id}: {traceback.format_exc()}") from None
        self.now_ms = end_ms
        return done()

    def over(self) -> bool:
        """Say whether the first phase may end before its time."""
        return False

    def _waits(self, node: SimulatedNode, now_ms: int, number: int, event: Event) -> bool:
        """Put an event of a paused or slow node off."""
        ready_ms = node.paused_until_ms
        if node.step_ms and event[0] == "frame":
            ready_ms = max(ready_ms, self._busy.get(node.index, 0))
            if ready_ms <= now_ms:
                self._busy[node.index] = now_ms + node.step_ms
        if ready_ms <= now_ms:
            return False
        self._order += 1
        heapq.heappush(self._heap, (ready_ms, self._order, number, node, event))
        return True

    def _handle(self, node: SimulatedNode, number: int, event: Event) -> None:
        match event:
            case ("frame", generation, source, data):
                if self.network.generation(node.index, source) == generation and node.machine is not None:
                    self._trace.update(data)
                    self._deliver(node, self.nodes[source], data)
            case ("timer", life, timer):
                if life == node.life:
                    node.fire(timer, number)
            case ("synced", life):
                if life == node.life and node.machine is not None:
                    node.synced()
            case ("apply", life, height, change):
                if life == node.life and node.machine is not None:
                    node.apply(height, change.entries)

    # Frames

    def send(self, node: SimulatedNode, peer: str | None, message: wire.WireMessage, data: bytes) -> None:
        """Put a node's frame on the links to ``peer``, or to everyone."""
        if node.honest:
            self.invariants.sent(node, data)
        consensus = isinstance(message, wire.ConsensusMessage)
        if node.behaviours and consensus and isinstance(message, wire.ConsensusMessage):
            node.behaviours[0].ears.messages.append(message.message)
        for other in self.nodes:
            if other.id == node.id or (peer is not None and other.id != peer):
                continue
            if not self.network.is_up(node.index, other.index):
                continue
            if not node.behaviours:
                self.transmit(node, other.index, data, consensus=consensus)
                continue
            for frame in self._misbehaved(node, other.index, message, data):
                self.transmit(node, other.index, frame, consensus=consensus)

    def _misbehaved(self, node: SimulatedNode, target: int, message: wire.WireMessage, data: bytes) -> list[bytes]:
        frames = [data]
        for behaviour in node.behaviours:
            changed: list[bytes] = []
            for frame in frames:
                try:
                    current = message if frame is data else self._decode(frame)
                except LedgerError:
                    changed.append(frame)
                    continue
                changed += behaviour.outbound(target, current, frame)
            frames = changed
        return frames

    def transmit(self, node: SimulatedNode, target: int, data: bytes, *, consensus: bool) -> None:
        """Let a frame travel over the link to an endpoint, if it is up."""
        generation = self.network.generation(node.index, target)
        if generation < 0:
            return
        for arrival_ms in self.network.arrivals(node.index, target, self.now_ms, consensus=consensus):
            self.later(arrival_ms - self.now_ms, self.nodes[target], ("frame", generation, node.index, data))

    def _deliver(self, node: SimulatedNode, source: SimulatedNode, data: bytes) -> None:
        try:
            message: wire.WireMessage | None = self._decode(data)
        except LedgerError:
            self.goals["malformed_frame"] += 1
            self.break_link(node.index, source.index)
            self.connect_soon(node.index, source.index, 300)
            return
        if node.behaviours:
            if isinstance(message, wire.ConsensusMessage):
                node.behaviours[0].ears.messages.append(message.message)
            for behaviour in node.behaviours:
                message = None if message is None else behaviour.inbound(message)
        elif isinstance(message, wire.Body):
            self.goals["body_fetched"] += 1
        if message is not None:
            node.step(events.FrameReceived(source.id, message))
            if isinstance(message, wire.ConsensusMessage) and isinstance(message.message, Proposal):
                node.step(ExecutionTook(self.rng.randrange(8)))

    # Links

    def connect_soon(self, a: int, b: int, delay_ms: int) -> None:
        """Bring a link up after a moment, if both ends run and nothing keeps it down then."""
        self.act(delay_ms, f"connect {a} {b}", lambda: self._connect(a, b))

    def _connect(self, a: int, b: int) -> None:
        one, other = self.nodes[a], self.nodes[b]
        if one.id == other.id or not (one.knows(other.id) and other.knows(one.id)) or not self.network.connect(a, b):
            return
        for node, peer in ((one, other), (other, one)):
            self._guarded(node, events.PeerConnected(peer.id))

    def break_link(self, a: int, b: int) -> None:
        """Break a link; whoever has no other link to that node notices."""
        if not self.network.disconnect(a, b):
            return
        for node, peer in ((self.nodes[a], self.nodes[b]), (self.nodes[b], self.nodes[a])):
            linked = any(
                o.id == peer.id and self.network.is_up(node.index, o.index) for o in self.nodes if o is not node
            )
            if not linked:
                self._guarded(node, events.PeerDisconnected(peer.id))

    def _guarded(self, node: SimulatedNode, event: events.NodeEvent) -> None:
        self.guarded(lambda: node.step(event))

    def guarded(self, action: Callable[[], None]) -> None:
        """Let something happen to nodes outside of ``run``'s own events; what they raise is a ``Crash``."""
        try:
            action()
        except (Violation, KeyboardInterrupt):
            raise
        except Exception:
            raise Crash(f"I16 {traceback.format_exc()}") from None

    # Life and death

    def boot(self, node: SimulatedNode) -> None:
        """Start a node's process, if it is down; an operator helps with a damaged block log."""
        if node.machine is not None or not node.started:
            return
        records = len(node.disk.log)
        try:
            node.boot()
        except Refused:
            self.goals["damaged_log"] += 1
            self.rebuilt[node.index] = None
            node.disk.lose_blocks()
            node.boot()
        except UnknownProtocol:
            self.witness.lacks_rules(node)
            return
        except Violation:
            raise
        except Exception:
            raise Crash(f"I16 {node.id} cannot start: {traceback.format_exc()}") from None
        if len(node.disk.log) < records:
            self.goals["torn_log"] += 1
        self.say(f"boot: {node.decision()}")
        for other in self.nodes:
            if other.id != node.id:
                self.connect_soon(node.index, other.index, self.rng.randint(1, 30))

    def boot_later(self, node: SimulatedNode, delay_ms: int) -> None:
        """Start a node after a while."""
        self.act(delay_ms, f"boot {node.index}", lambda: self.boot(node))

    def crash(self, node: SimulatedNode, how: str) -> None:
        """End a node's process at once: by kill, or by a power failure (``holes``: sectors out of order)."""
        phase, height = self.witness.last_phase.get(node.index, (0, 0))
        if node.machine is not None and phase == PREPARE and node.height + 1 == height:
            self.witness.half_voted[node.index] = height
        if how == "kill":
            node.disk.kill(node.writing(), self.rng)
        else:
            node.disk.power_off(node.unsynced() if how == "holes" else node.writing(), self.rng, holes=how == "holes")
        self._down(node, how, linger_ms=self.rng.choice((0, LINGER_MS)))

    def _down(self, node: SimulatedNode, why: str, *, linger_ms: int = 0) -> None:
        """Stop a process; what it sent in its last moments arrives before the others notice, if they take a while."""
        node.stop(why)

        def close() -> None:
            for other in self.nodes:
                if other is not node:
                    self.break_link(node.index, other.index)

        if linger_ms:
            self.act(linger_ms, f"close {node.index}", close)
        else:
            close()

    def ambush(self, node: SimulatedNode, crash: Callable[[], None], phase: int) -> None:
        """Crash a node a moment after it next puts a vote of this phase on the wire."""
        self.ambushes[node.index] = (phase, crash)

    def spring(self, node: SimulatedNode) -> None:
        """Carry an ambush out."""
        _, crash = self.ambushes.pop(node.index, (0, None))
        if crash is not None and node.machine is not None and not self.healed:
            crash()

    def disk_failed(self, node: SimulatedNode) -> None:
        """The disk refused a batch: the process ends; what the batch wrote may be there or not."""
        node.disk.failing = None
        self.goals["disk_error"] += 1
        self.say(f"disk error ends {node.id}")
        self.crash(node, "power")
        self.boot_later(node, self.rng.randint(50, 1_500))

    def reboot_afresh(self, node: SimulatedNode, initial: Callable[[bytes, str], bytes]) -> None:
        """Restart a Byzantine node with a new journal."""
        if node.machine is not None:
            node.disk.kill(node.writing(), self.rng)
            self._down(node, "amnesia")
            node.disk.journal = bytearray(initial(self.genesis.chain_id, node.id))
            self.boot(node)

    def adopted(self, node: SimulatedNode) -> None:
        """A node has all of a snapshot: make it its own and start again on it."""
        if node.machine is None:
            return
        node.disk.kill(node.writing(), self.rng)
        before = self.epochs.at(node.height + 1).number
        self._down(node, "joins by a snapshot")
        node.disk.adopt()
        self.goals["snapshot"] += 1
        self.goals["snapshot_over_epochs"] += self.epochs.at(node.disk.first_height).number > before
        self.boot(node)

    # What people see

    def say(self, text: str) -> None:
        """Tell one line, and make it part of the trace."""
        self._trace.update(text.encode())
        if self.loud is not None:
            self.loud(f"{(self.now_ms - self.start_ms) / 1000:8.3f} {text}")

    @property
    def digest(self) -> str:
        """A hash of everything that happened so far."""
        return self._trace.hexdigest()


@lru_cache(64)
def _set_of(era: Era) -> ValidatorSet:
    return ValidatorSet(era.number, tuple(Validator(*seat) for seat in era.seats))
