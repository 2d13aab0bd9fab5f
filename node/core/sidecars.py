"""Sidecars of a running node: what it keeps, asks for, serves and lets go of.

Law: nothing here decides a block, and deciding waits for nothing here (N47). What is kept follows from the state, from
the height in progress and from what waits for a block, never from a receipt (N48).

docs/spec/sidecars.md; ``held_sidecars`` is what is here, ``live_sidecars`` what the state lists, ``sidecar_requests``
whom to ask, ``apart`` the transactions that wait for theirs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Final

from coseal.contracts.execution import Outcome
from coseal.contracts.kernel.sidecars import Named
from coseal.ledger.block import Block
from coseal.ledger.errors import LedgerError
from coseal.ledger.transaction import node_sender
from coseal.node.core import events, wire
from coseal.node.core.apart import Apart
from coseal.node.core.context import MachineContext
from coseal.node.core.events import Tick, TickKind
from coseal.node.core.held_sidecars import HeldSidecars
from coseal.node.core.live_sidecars import LiveSidecars, SidecarCounts
from coseal.node.core.mempool import Mempool
from coseal.node.core.registry import Registry
from coseal.node.core.sidecar_requests import URGENT_MS, SidecarRequests

SERVED_BYTES_A_SECOND: Final = 16 * 1024 * 1024


class Sidecars:
    """Joins the parts. ``undecided`` gives the bodies of the height in progress and those in the journal.

    ``is_behind``: this node is catching up, so its state may list what is erased by now. ``may_erase``: nobody relies
    on what this node may have forgotten that it prepared.
    """

    def __init__(
        self,
        context: MachineContext,
        held: HeldSidecars,
        apart: Apart,
        mempool: Mempool,
        registry: Registry,
        *,
        undecided: Callable[[], Iterable[Block]],
        is_behind: Callable[[], bool],
        may_erase: Callable[[], bool],
    ) -> None:
        self.held, self.apart = held, apart
        self._context, self._executor, self._emit = context, context.executor, context.emit
        self._mempool, self._registry = mempool, registry
        self._undecided, self._is_behind, self._may_erase = undecided, is_behind, may_erase
        self._live = LiveSidecars(context.executor)
        self._requests = SidecarRequests()
        self._awaited: tuple[bytes, tuple[Named, ...]] | None = None
        self._named: dict[bytes, tuple[Named, ...]] = {}  # by undecided block

    # What others ask about it

    @property
    def counts(self) -> SidecarCounts:
        """What the node's status says (N49)."""
        live = self._live.sizes
        held = sum(1 for name, size in live.items() if self.held.size(name) == size)
        return SidecarCounts(len(live), held, len(live) - held)

    @property
    def settled(self) -> bool:
        """Whether each missing sidecar was refused by all peers, so that this node lacks nothing it could get (N31)."""
        return all(self._requests.refused_by(named.name, self._connected()) for named in self._missing())

    @property
    def awaited(self) -> bytes | None:
        """The hash of the block whose sidecars a vote waits for, or None."""
        return None if self._awaited is None else self._awaited[0]

    # Consensus

    def await_block(self, block: Block, holders: Sequence[str]) -> None:
        """Ask for what the proposal of this round names and is not here (N46)."""
        named = self._executor.names_in(block)
        self._awaited = (block.hash, named)
        for one in named:
            if not self.held.has(one):
                self._requests.want(one, holders, urgent=True, again=True)
        self.ask()

    def decided(self, outcome: Outcome) -> None:
        """Follow a block that is decided: keep what became live, let go of what nobody needs any more."""
        self._awaited = None
        for transaction in outcome.transactions:
            self.apart.remove(transaction)
        self.held.write(self._live.decided(outcome))
        if (
            outcome.height == self._executor.height
        ):  # one step may decide several: what the next ones list is not read yet
            self.sweep()

    def take_arrived(self) -> bytes | None:
        """Return, once, the hash of the block that was awaited and whose sidecars are all here."""
        if self._awaited is None or not self.held.has_all(self._awaited[1]):
            return None
        block_hash, self._awaited = self._awaited[0], None
        return block_hash

    # Transactions that wait apart

    def lack(self, sidecars: Sequence[Named], giver: str) -> None:
        """A peer gave transactions that wait apart: ask it for what they name (N43)."""
        for named in sidecars:
            self._requests.want(named, (giver,))
        if sidecars:
            self.ask()

    # Peers

    def received(self, peer: str, pairs: Iterable[tuple[bytes, bytes | None]]) -> None:
        """Take what a peer sent: only what it was asked for, and only if it is that (N41)."""
        for name, data in pairs:
            named = self._requests.answered(peer, name)
            if named is None:
                self._context.count("unasked_sidecar")
            elif data is not None:
                self._take(named, data)
        self.ask()

    def _take(self, named: Named, data: bytes) -> None:
        try:
            self.held.take(named, data)
        except LedgerError as error:
            self._context.count(f"refused_sidecar_{type(error).__name__}")
            return
        self._requests.forget(named.name)
        if self._live.sizes.get(named.name) == named.size:
            self.held.write((named,))

    def serve(self, peer: str, names: Sequence[bytes]) -> None:
        """Give a peer what it may have of these (N50); what is not here, or not for it, it is told is not here."""
        if not self._registry.allow(peer, "get-sidecars"):
            return
        used, pending = self._registry.peers[peer].used, self._pending_names()
        from_disk: list[bytes] = []
        for name in names:
            size = self.held.size(name) if self._is_for(peer, name, pending) else None
            if size is not None and used.get("sidecar-bytes", 0) + size > SERVED_BYTES_A_SECOND:
                self._context.count("too_many_sidecar-bytes")
                return
            data = self.held.data(name)
            if size is not None and data is None:
                from_disk.append(name)
            else:
                answer = data if size is not None else None
                self._emit(events.SendFrame(peer, wire.Sidecars(((name, answer),))))
            used["sidecar-bytes"] = used.get("sidecar-bytes", 0) + (size or 0)
        if from_disk:
            self._emit(events.LoadSidecars(peer, tuple(from_disk)))

    def _is_for(self, peer: str, name: bytes, pending: Mapping[bytes, int]) -> bool:
        validates = self._executor.validators.index(peer) is not None
        if name in pending and validates:
            return True
        if validates:
            return name in self._live.sizes and not self._is_behind()
        return self.may_read(name, self._executor.member_of(node_sender(peer)))

    def may_read(self, name: bytes, member: str) -> bool:
        """Say whether a member may read a live sidecar; nobody may while this node is catching up."""
        return name in self._live.sizes and not self._is_behind() and self._live.may_read(name, member)

    def disconnected(self, peer: str) -> None:
        """A link is gone."""
        self._requests.disconnected(peer)

    def lost(self, name: bytes) -> None:
        """The disk does not have, or damaged, what it should have."""
        self.held.lost(name)
        self._context.count("lost_sidecar")

    # Time

    def ask(self, holders: Sequence[str] = ()) -> None:
        """Send the questions that are due; ``holders`` should have what a vote waits for."""
        if holders and self._awaited is not None:
            for named in self._awaited[1]:
                if named.name in self._requests:
                    self._requests.want(named, holders, urgent=True)
        for peer, names in self._requests.due(self._connected(), self._context.now_ms).items():
            for start in range(0, len(names), wire.MAX_SIDECARS):
                question = wire.GetSidecars(tuple(names[start : start + wire.MAX_SIDECARS]))
                self._emit(events.SendFrame(peer, question))
        if self._requests.is_urgent:
            self._emit(events.StartTimer(Tick(TickKind.SIDECARS), URGENT_MS))

    def tick(self) -> None:
        """Once a second: compare what is here with what is needed, and ask for what is missing (N49)."""
        for named in self._missing():
            self._requests.want(named, self._connected())
        self.sweep()
        self.ask()

    def sweep(self) -> None:
        """Let go of what neither the state lists nor anything undecided or pending names (N48)."""
        others = [name for name in self.held if name not in self._live.sizes]
        if not others and not len(self.apart) and not self._requests.is_urgent:
            self._requests.keep_only(frozenset(named.name for named in self._missing()))
            return
        pending = self._pending_names()
        for name in others:
            if name not in pending and (not self.held.is_on_disk(name) or self._may_erase()):
                self.held.let_go(name)
        self._requests.keep_only(frozenset((*pending, *(named.name for named in self._missing()))))

    def _missing(self) -> list[Named]:
        """Return the live ones that are not here, the newest first."""
        live = self._live.sizes
        return [Named(name, live[name]) for name in reversed(live) if self.held.size(name) != live[name]]

    def _pending_names(self) -> dict[bytes, int]:
        """Return what is named by bodies of the height in progress or of the journal, by the pool, and apart."""
        bodies = {block.hash: block for block in self._undecided()}
        self._named = {
            block_hash: self._named[block_hash] if block_hash in self._named else self._executor.names_in(block)
            for block_hash, block in bodies.items()
        }
        found = [named for sidecars in self._named.values() for named in sidecars]
        waiting = (self._executor.names(transaction) for transaction in self._mempool)
        found += [named for named in waiting if named is not None]
        found += [waits.named for waits in self.apart if waits.named is not None]
        return {named.name: named.size for named in found}

    def _connected(self) -> list[str]:
        return [peer for peer, state in self._registry.peers.items() if state.connected]
