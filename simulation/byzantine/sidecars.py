"""What a Byzantine node does about sidecars: withholds its own, sends other bytes, names those of others."""

from __future__ import annotations

from typing import Final

from coseal.ledger import transaction
from coseal.node.core import events, wire
from coseal.node.core.wire import Transactions, WireMessage
from simulation.byzantine.behaviour import Behaviour
from simulation.lockers import LIVE, NAME, made

SENT_MAX: Final = 8


class _WithTransactions(Behaviour):
    """Signs transactions with the key of its member's operator."""

    _sent = 0

    def due(self) -> bool:
        """Say whether to send one more now."""
        if self.node.machine is None or self._sent >= SENT_MAX or self.rng.randrange(6):
            return False
        self._sent += 1
        return True

    def put(self, name: str, size: int) -> transaction.Transaction:
        """Return a transaction that names a sidecar."""
        world = self.world
        signed = transaction.sign(
            world.scheme.signer("operator", self.node.owner),
            chain_id=world.genesis.chain_id,
            sender=f"{self.node.owner}/admin",
            contract=NAME,
            action="put",
            args={"sidecar": {"name": name, "bytes": size}},
            valid_until_ms=world.now_ms + 60_000,
            salt=self.rng.randbytes(transaction.SALT_BYTES),
        )
        world.clients.sent[signed.raw] = None
        return signed


class SidecarWithholder(_WithTransactions):
    """Has a transaction with a sidecar in its own pool, gossips it and proposes it, and gives the sidecar to nobody."""

    name = "sidecar withholder"

    def tick(self) -> None:
        """Now and then make such a transaction."""
        if self.due():
            name, data = made(self.rng.randrange(1 << 30))
            signed = self.put(name.hex(), len(data))
            self.node.step(events.Submitted((signed,), (data,)))

    def outbound(self, target: int, message: WireMessage, data: bytes) -> list[bytes]:
        """Withhold, or say that nothing is here."""
        if not isinstance(message, wire.Sidecars):
            return [data]
        nothing = wire.Sidecars(tuple((name, None) for name, _ in message.pairs))
        return [wire.encode(nothing)] if self.rng.randrange(2) else []


class SidecarForger(Behaviour):
    """Answers with other bytes, of the right size or not, under other names, and sends what nobody asked for."""

    name = "sidecar forger"

    def outbound(self, target: int, message: WireMessage, data: bytes) -> list[bytes]:
        """Forge."""
        if not isinstance(message, wire.Sidecars):
            return [data]
        match self.rng.randrange(4):
            case 0:
                pairs = [(name, None if raw is None else self.rng.randbytes(len(raw))) for name, raw in message.pairs]
            case 1:
                pairs = [(name, made(self.rng.randrange(1 << 30))[1]) for name, _ in message.pairs]
            case 2:
                pairs = [(self.rng.randbytes(32), raw) for _, raw in message.pairs]
            case _:
                pairs = [*message.pairs, made(self.rng.randrange(1 << 30))]
        return [wire.encode(wire.Sidecars(tuple(pairs)))]


class SidecarSquatter(_WithTransactions):
    """Sends transactions that name sidecars of others: live ones, and some that nobody has."""

    name = "sidecar squatter"

    def tick(self) -> None:
        """Now and then name one."""
        machine = self.node.machine
        if machine is None or not self.due():
            return
        live = machine.executor.get(LIVE)
        name, size = self.rng.randbytes(32).hex(), 100
        if isinstance(live, list) and live and self.rng.randrange(3):
            name, size, _ = live[self.rng.randrange(len(live))]
        self.world.squatted[bytes.fromhex(name)] = None
        frame = Transactions((self.put(name, size).raw,))
        for target in self.others():
            self.tell(target, frame)
