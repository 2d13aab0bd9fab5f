"""Never puts one member's transactions into a block."""

from __future__ import annotations

from coseal.ledger.errors import LedgerError
from coseal.ledger.transaction import Transaction
from coseal.node.core.wire import Transactions, WireMessage
from simulation.byzantine.behaviour import Behaviour


class Censor(Behaviour):
    """Its mempool never sees them."""

    name = "censor"

    def inbound(self, message: WireMessage) -> WireMessage | None:
        """Leave them out of gossip."""
        if not isinstance(message, Transactions):
            return message
        victim = self.world.genesis.members[0].id
        return Transactions(tuple(raw for raw in message.raws if not _is_of(raw, victim)))


def _is_of(raw: bytes, member: str) -> bool:
    try:
        return Transaction.decode(raw).member == member
    except LedgerError:  # another Byzantine node's bytes: its own machine judges them
        return False
