"""Clients: one of each member writes its member's description, reads any by consistent reads, and votes.

Law: a client believes what it is told by the node it asked, and asks another when that one is gone; its history is
what it saw, when it saw it.
"""

from __future__ import annotations

import random
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from coseal.contracts.membership.state import member_key
from coseal.ledger import transaction
from coseal.ledger.errors import LedgerError
from coseal.ledger.transaction import Transaction
from coseal.node.core import events
from coseal.node.core.events import Admission, Answer
from simulation import lockers
from simulation.contract_faults import NAME, arguments_of
from simulation.history import History, Read, Write
from simulation.node import text_of
from simulation.payments import Payer
from simulation.walk.episode import WALK
from simulation.walk.walker import Keyring, Walker

if TYPE_CHECKING:
    from simulation.node import SimulatedNode
    from simulation.world import World

VALID_MS = 550_000
FAULT_EVERY = 8
"""Writes to one transaction whose contract fails."""
READS_OPEN_MAX = 20


class Clients:
    """All clients of one world. ``sent`` holds the raw bytes of everything that was ever signed."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.history = History()
        self.sent: dict[bytes, None] = {}
        self.sidecars: dict[bytes, bytes] = {}  # what goes with a transaction, by its id
        self._put: list[tuple[str, str]] = []  # names of sidecars that were put, each with its member
        self.open: dict[bytes, tuple[Transaction, Write | None]] = {}  # not yet seen committed, by id
        self._at: dict[bytes, tuple[int, int]] = {}  # id -> (endpoint, life) of the node that was asked last
        self._number = 0
        self._walker: Walker | None = None
        self._payer = Payer(random.Random(f"money {world.options!r}"))
        self._reads: dict[int, tuple[int, int, str, int, int | None]] = {}

    def write(self, node: SimulatedNode) -> None:
        """Send a new transaction to a node."""
        world = self.world
        self._number += 1
        member = world.genesis.members[world.rng.randrange(len(world.genesis.members))].id
        value = f"{self._number}"
        write = Write(member, value, world.now_ms)
        self.history.writes.append(write)
        self._begin(node, member, "membership", "set_profile", {"description": value}, write)
        if self._number % FAULT_EVERY == 0:
            self.send(node, member, NAME, "fail", arguments_of(self._number // FAULT_EVERY))

    def send(self, node: SimulatedNode, member: str, contract: str, action: str, args: dict[str, Any]) -> None:
        """Send an action of a member's operator."""
        self._number += 1
        self._begin(node, member, contract, action, args, None)

    def seal(self, node: SimulatedNode) -> None:
        """Put a sidecar, or now and then erase one that was put."""
        world = self.world
        if self._put and world.rng.randrange(4) == 0:
            name, member = self._put.pop(world.rng.randrange(len(self._put)))
            self.send(node, member, lockers.NAME, "erase", {"name": name})
            return
        member = world.genesis.members[world.rng.randrange(len(world.genesis.members))].id
        found, data = lockers.made((1 << 40) + self._number)
        self._put.append((found.hex(), member))
        self._number += 1
        args = {"sidecar": {"name": found.hex(), "bytes": len(data)}}
        self._begin(node, member, lockers.NAME, "put", args, None, data)

    def stroll(self, node: SimulatedNode) -> None:
        """Send the next move of a random walk: processes, rules and policies, as the node's state has them."""
        if self._walker is None:
            self._walker = self._made_walker()
        machine = node.machine
        if machine is None:
            return
        executor = machine.executor
        move = self._walker.move(executor.reader, executor.height + 1, executor.time_ms)
        member, _, _ = move.sender.partition("/")
        contract, _, action = move.action.partition(".")
        self._number += 1
        with suppress(LedgerError, ValueError, TypeError, OverflowError):  # what nobody can sign is not sent
            self._begin(node, member, contract, action, move.args, None)

    def pay(self, node: SimulatedNode) -> None:
        """Send the next act about money, as the node's state has it."""
        if node.machine is not None:
            executor = node.machine.executor
            sender, name, args = self._payer.move(executor.reader, executor.time_ms)
            member, _, user = sender.partition("/")
            contract, _, action = name.partition(".")
            self._number += 1
            self._begin(node, member, contract, action, args, None, user=user)

    def _made_walker(self) -> Walker:
        world = self.world
        keys = Keyring(world.scheme)
        return Walker(world.genesis, random.Random(repr(world.options)), keys, WALK)

    def _begin(
        self,
        node: SimulatedNode,
        member: str,
        contract: str,
        action: str,
        args: dict[str, Any],
        write: Write | None,
        sidecar: bytes | None = None,
        user: str = "admin",
    ) -> None:
        signed = transaction.sign(
            self.world.scheme.signer("operator", member if user == "admin" else f"{member}/{user}"),
            chain_id=self.world.genesis.chain_id,
            sender=f"{member}/{user}",
            contract=contract,
            action=action,
            args=args,
            valid_until_ms=self.world.now_ms + VALID_MS,
            salt=self._number.to_bytes(16, "big"),
        )
        self.sent[signed.raw] = None
        self.open[signed.id] = (signed, write)
        if sidecar is not None:
            self.sidecars[signed.id] = sidecar
        self._submit(node, signed)

    def again(self, *, every: bool = True) -> None:
        """Ask for what nobody may know any more, its node is gone or had no place for it: all, or all but writes."""
        world = self.world
        running = world.serving()
        for tx_id, (signed, write) in list(self.open.items()):
            known = any(node.machine is not None and tx_id in node.machine.mempool for node in running)
            if not known and (every or write is None):
                self._submit(running[world.rng.randrange(len(running))], signed)

    def _submit(self, node: SimulatedNode, signed: Transaction) -> None:
        self._at[signed.id] = (node.index, node.life)
        sidecar = self.sidecars.get(signed.id)
        node.step(events.Submitted((signed,), () if sidecar is None else (sidecar,)))

    def answered(self, node: SimulatedNode, answers: tuple[Answer, ...]) -> None:
        """Take a node's word on what became of a transaction."""
        for answer in answers:
            if answer.admission is Admission.COMMITTED:
                self._done(answer.tx_id)
            elif answer.rejected is not None and answer.rejected.code in ("mempool_full", "member_share_full"):
                self.world.goals["mempool_full"] += 1

    def committed(self, node: SimulatedNode, tx_ids: tuple[bytes, ...]) -> None:
        """A node tells the clients that wait at it of a block."""
        for tx_id in tx_ids:
            if self._at.get(tx_id) == (node.index, node.life):
                self._done(tx_id)
        self._look(node)

    def _done(self, tx_id: bytes) -> None:
        _, write = self.open.pop(tx_id, (None, None))
        if write is not None:
            write.acknowledged_ms = self.world.now_ms

    # Reads

    def read(self, node: SimulatedNode) -> None:
        """Begin a consistent read at a node."""
        world = self.world
        self._number += 1
        if len(self._reads) >= READS_OPEN_MAX:
            del self._reads[next(iter(self._reads))]
        member = world.genesis.members[world.rng.randrange(len(world.genesis.members))].id
        self._reads[self._number] = (node.index, node.life, member, world.now_ms, None)
        node.step(events.ReadRequested(self._number))

    def heard(self, node: SimulatedNode, heard: events.ReadHeightKnown) -> None:
        """Take the height that covers the read."""
        asked = self._reads.get(heard.token)
        if asked is not None:
            self._reads[heard.token] = (*asked[:4], heard.height)
            self._look(node)

    def _look(self, node: SimulatedNode) -> None:
        machine = node.machine
        for token, (index, life, member, invoked_ms, height) in list(self._reads.items()):
            if (index, life) != (node.index, node.life) or height is None or machine is None:
                continue
            if machine.executor.height >= height:
                del self._reads[token]
                value = text_of(machine.executor.get(member_key(member)))
                self.history.reads.append(Read(member, value, invoked_ms, self.world.now_ms))
                self.world.goals["consistent_read"] += 1
