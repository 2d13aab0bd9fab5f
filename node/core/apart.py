"""Transactions whose sidecar is not here yet: they wait apart from the pool, for a time (N43).

Law: what waits here is no work and in no block. Later transactions of a sender wait behind its first one, so their
order is kept; a transaction that was dropped from here once holds up nobody when it comes again.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterator
from typing import Final, NamedTuple

from coseal.contracts.kernel.action import Rejected
from coseal.contracts.kernel.sidecars import Named
from coseal.ledger.transaction import Transaction

PATIENCE_MS: Final = 30_000
TRANSACTIONS_MAX: Final = 1_000
BYTES_MAX: Final = 64 * 1024 * 1024
SHARES: Final = 2
_DROPPED_MAX: Final = 10_000


class Waiting(NamedTuple):
    """A transaction, what it names beside it (None: it waits behind another), its member, since when, and its size."""

    transaction: Transaction
    named: Named | None
    member: str
    since_ms: int
    size: int


class Apart:
    """What waits apart, by sender, in order of arrival; the caller has verified what it adds."""

    def __init__(self) -> None:
        self._queues: dict[str, dict[bytes, Waiting]] = {}  # none is empty
        self._dropped: OrderedDict[bytes, None] = OrderedDict()

    def __len__(self) -> int:
        return sum(map(len, self._queues.values()))

    def __iter__(self) -> Iterator[Waiting]:
        """Iterate over all; what waits must not change meanwhile."""
        return (waiting for queue in self._queues.values() for waiting in queue.values())

    def find(self, transaction: Transaction) -> Waiting | None:
        """Return how a transaction waits, None if it does not wait here."""
        return self._queues.get(transaction.sender, {}).get(transaction.id)

    def holds_up(self, sender: str) -> bool:
        """Say whether a sender's next transaction has to wait behind one here."""
        return any(self._blocks(waiting) for waiting in self._queues.get(sender, {}).values())

    def add(self, transaction: Transaction, named: Named | None, member: str, now_ms: int) -> Rejected | None:
        """Let a transaction wait, or say why it has no place: all, and each member, have their bounds."""
        size = len(transaction.raw) + (0 if named is None else named.size)
        held = [(waiting.size, waiting.member == member) for waiting in self]
        own = [held_size for held_size, is_own in held if is_own]
        if len(held) >= TRANSACTIONS_MAX or sum(held_size for held_size, _ in held) + size > BYTES_MAX:
            return Rejected("mempool_full", "too many transactions wait for their sidecars; send it again later")
        if own and (len(own) >= TRANSACTIONS_MAX // SHARES or sum(own) + size > BYTES_MAX // SHARES):
            return Rejected("member_share_full", f"{member} has its share waiting for sidecars; send it again later")
        queue = self._queues.setdefault(transaction.sender, {})
        queue[transaction.id] = Waiting(transaction, named, member, now_ms, size)
        return None

    def take_ready(self, has: Callable[[Named], bool]) -> list[Transaction]:
        """Take out what waits for nothing any more, in order within each sender."""
        ready: list[Transaction] = []
        for sender in list(self._queues):
            for waiting in list(self._queues[sender].values()):
                if waiting.named is None or has(waiting.named):
                    ready.append(waiting.transaction)
                    self._remove(waiting.transaction)
                elif self._blocks(waiting):
                    break
        return ready

    def take_late(self, has: Callable[[Named], bool], now_ms: int) -> list[Waiting]:
        """Take out what waited for its sidecar in vain."""
        old = [waiting for waiting in self if now_ms - waiting.since_ms >= PATIENCE_MS]
        late = [waiting for waiting in old if waiting.named is not None and not has(waiting.named)]
        for waiting in late:
            self._remove(waiting.transaction)
            self._dropped[waiting.transaction.id] = None
            if len(self._dropped) > _DROPPED_MAX:
                self._dropped.popitem(last=False)
        return late

    def remove(self, transaction: Transaction) -> None:
        """Let go of one that a block holds."""
        if self.find(transaction) is not None:
            self._remove(transaction)

    def _blocks(self, waiting: Waiting) -> bool:
        """Say whether others of its sender wait behind it: not behind one that was dropped before."""
        return waiting.named is not None and waiting.transaction.id not in self._dropped

    def _remove(self, transaction: Transaction) -> None:
        queue = self._queues[transaction.sender]
        del queue[transaction.id]
        if not queue:
            del self._queues[transaction.sender]
