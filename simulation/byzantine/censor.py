"""Never puts one member's transactions into a block."""

from __future__ import annotations

from ledger.transaction import Transaction
from node.wire import Transactions, WireMessage
from simulation.byzantine.behaviour import Behaviour


class Censor(Behaviour):
    """Its mempool never sees them."""

    name = "censor"

    def inbound(self, message: WireMessage) -> WireMessage | None:
        """Leave them out of gossip."""
        if not isinstance(message, Transactions):
            return message
        victim = self.world.genesis.members[0].id
        return Transactions(tuple(raw for raw in message.raws if Transaction.decode(raw).member != victim))
