"""Transactions that wait for a block: bounded, each once, in the order they came.

Law: count and bytes never exceed the limits, nor one sender its share of them; whatever is refused or dropped
comes with a reason. Arrival order is block order, so it is also kept for each sender.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice
from typing import Final, NamedTuple

from contracts.framework import Rejected
from ledger.transaction import Transaction
from node.pace import Throughput

NO_ROOM: Final = frozenset({"mempool_full", "sender_share_full"})
"""The codes of refusals for lack of room."""


@dataclass(frozen=True, slots=True)
class MempoolLimits:
    """How much may wait; a sender may hold ``1 / shares`` of both (N10).

    ``doors`` is how many nodes take transactions from clients. Each node's own clients get ``1 / doors`` of every
    limit, so that what all of them let in fits into every pool: gossip that one pool refused would be missing there,
    and the sender's next transactions, which rely on it, would come before it. There a sender may hold no more than
    is left free, so alone half of it, and there is room for whoever comes next.
    """

    transactions_max: int = 10_000
    bytes_max: int = 64 * 1024 * 1024
    shares: int = 2
    doors: int = 1


@dataclass(slots=True)
class _Use:
    """What is waiting, of everyone and of each sender."""

    transactions: int = 0
    bytes: int = 0
    senders: dict[str, list[int]] = field(default_factory=dict)

    def change(self, transaction: Transaction, sign: int) -> None:
        size = sign * len(transaction.raw)
        self.transactions += sign
        self.bytes += size
        held = self.senders.setdefault(transaction.sender, [0, 0])
        held[0] += sign
        held[1] += size
        if held[0] == 0:
            del self.senders[transaction.sender]

    def refusal(self, transaction: Transaction, most: _Most, share: _Most) -> Rejected | None:
        """Say why a transaction has no place within the bounds of all and of its sender, who may always hold one."""
        size = len(transaction.raw)
        if self.transactions >= most.transactions or (self.bytes and self.bytes + size > most.bytes):
            return Rejected("mempool_full", "too many transactions are waiting; send it again later")
        held = self.senders.get(transaction.sender)
        if held is not None and (held[0] >= share.transactions or held[1] + size > share.bytes):
            return Rejected(
                "sender_share_full", f"{transaction.sender} has its share of transactions waiting; send it again later"
            )
        return None


class _Most(NamedTuple):
    """Bounds of what waits."""

    transactions: int
    bytes: int


class Mempool:
    """Pending transactions by id; the caller has verified what it adds."""

    def __init__(self, limits: MempoolLimits | None = None) -> None:
        self.limits = limits or MempoolLimits()  # sets ``_most`` and ``_share`` as well
        self._pending: dict[bytes, Transaction] = {}
        self._arrived_ms: dict[bytes, int] = {}
        self._all = _Use()
        self._clients = _Use()
        self._from_clients: set[bytes] = set()
        self._throughput = Throughput()

    def __len__(self) -> int:
        return len(self._pending)

    def __contains__(self, tx_id: bytes) -> bool:
        return tx_id in self._pending

    def __iter__(self) -> Iterator[Transaction]:
        """Iterate in order of arrival; the pool must not change meanwhile."""
        return iter(self._pending.values())

    @property
    def limits(self) -> MempoolLimits:
        """How much may wait; set it whenever the number of doors changes."""
        return self._limits

    @limits.setter
    def limits(self, limits: MempoolLimits) -> None:
        self._limits = limits
        self._most = most = _Most(limits.transactions_max, limits.bytes_max)
        self._share = _Most(max(1, most.transactions // limits.shares), most.bytes // limits.shares)

    @property
    def size_bytes(self) -> int:
        """The raw bytes of everything that waits."""
        return self._all.bytes

    def refusal(self, transaction: Transaction, *, client: bool = False) -> Rejected | None:
        """Say why a transaction that is not held yet has no place now, or None. Cheap: looks at sizes only.

        ``client``: one of this node's own clients brings it.
        """
        refused = self._all.refusal(transaction, self._most, self._share)
        if refused is None and client:
            door, use = self._door(), self._clients
            free = _Most(door.transactions - use.transactions, door.bytes - use.bytes)
            refused = use.refusal(transaction, door, free)
        return refused

    @property
    def is_crowded(self) -> bool:
        """Say whether this node's clients use more than a quarter of the room they have."""
        most = self._door()
        return 4 * self._clients.transactions > most.transactions or 4 * self._clients.bytes > most.bytes

    def committed(self, size_bytes: int, now_ms: int) -> None:
        """Note that a block of so many bytes is decided; what it holds was removed before."""
        self._throughput.committed(size_bytes, now_ms, waiting=bool(self._pending))

    def _door(self) -> _Most:
        """Return how much of this node's own clients may wait (N10)."""
        limits = self.limits
        bytes_max = min(limits.bytes_max, self._throughput.room_bytes)
        return _Most(max(1, limits.transactions_max // limits.doors), bytes_max // limits.doors)

    def add(self, transaction: Transaction, now_ms: int, *, client: bool = False) -> Rejected | None:
        """Hold a verified transaction; None also when it is held already (nothing changes then)."""
        if transaction.id in self._pending:
            return None
        refused = self.refusal(transaction, client=client)
        if refused is not None:
            return refused
        if not self._pending:
            self._throughput.began(now_ms)
        self._pending[transaction.id] = transaction
        self._arrived_ms[transaction.id] = now_ms
        self._all.change(transaction, 1)
        if client:
            self._from_clients.add(transaction.id)
            self._clients.change(transaction, 1)
        return None

    def remove(self, tx_id: bytes) -> Transaction | None:
        """Let go of a transaction, because it is committed or will never be; return it if it was held."""
        transaction = self._pending.pop(tx_id, None)
        if transaction is None:
            return None
        del self._arrived_ms[tx_id]
        self._all.change(transaction, -1)
        if tx_id in self._from_clients:
            self._from_clients.discard(tx_id)
            self._clients.change(transaction, -1)
        return transaction

    def expire(self, time_ms: int) -> list[Transaction]:
        """Remove and return what block time ``time_ms`` is too late for."""
        late = [transaction for transaction in self if transaction.valid_until_ms <= time_ms]
        for transaction in late:
            self.remove(transaction.id)
        return late

    def oldest(self, count: int) -> list[Transaction]:
        """Return up to ``count`` transactions that wait longest, oldest first."""
        return list(islice(self, count))

    def oldest_age_ms(self, now_ms: int) -> int | None:
        """Return how long the oldest transaction has been waiting here, or None if none waits."""
        first = next(iter(self._arrived_ms.values()), None)
        return None if first is None else max(0, now_ms - first)
