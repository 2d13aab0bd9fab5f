"""Transactions that wait for a block: bounded, each once, in the order they came.

Law: count and bytes never exceed the limits, nor one sender its share of them; whatever is refused or dropped
comes with a reason. Arrival order is block order, so it is also kept for each sender.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

from contracts.framework import Rejected
from ledger.transaction import Transaction


@dataclass(frozen=True, slots=True)
class MempoolLimits:
    """How much may wait; a sender may hold ``1 / shares`` of both."""

    transactions_max: int = 10_000
    bytes_max: int = 64 * 1024 * 1024
    shares: int = 4


@dataclass(slots=True)
class _Held:
    """What one sender has waiting."""

    transactions: int = 0
    bytes: int = 0


class Mempool:
    """Pending transactions by id; the caller has verified what it adds."""

    def __init__(self, limits: MempoolLimits | None = None) -> None:
        self.limits = limits or MempoolLimits()
        self.size_bytes = 0
        self._pending: dict[bytes, Transaction] = {}
        self._arrived_ms: dict[bytes, int] = {}
        self._held: dict[str, _Held] = {}

    def __len__(self) -> int:
        return len(self._pending)

    def __contains__(self, tx_id: bytes) -> bool:
        return tx_id in self._pending

    def __iter__(self) -> Iterator[Transaction]:
        """Iterate in order of arrival; the pool must not change meanwhile."""
        return iter(self._pending.values())

    def refusal(self, transaction: Transaction) -> Rejected | None:
        """Say why a transaction that is not held yet has no place now, or None. Cheap: looks at sizes only."""
        limits, size = self.limits, len(transaction.raw)
        if len(self._pending) >= limits.transactions_max or self.size_bytes + size > limits.bytes_max:
            return Rejected("mempool_full", "too many transactions are waiting; send it again later")
        held = self._held.get(transaction.sender)
        if held is not None and (
            held.transactions >= max(1, limits.transactions_max // limits.shares)
            or held.bytes + size > max(size, limits.bytes_max // limits.shares)
        ):
            return Rejected(
                "sender_share_full", f"{transaction.sender} has its share of transactions waiting; send it again later"
            )
        return None

    def add(self, transaction: Transaction, now_ms: int) -> Rejected | None:
        """Hold a verified transaction; None also when it is held already (nothing changes then)."""
        if transaction.id in self._pending:
            return None
        refused = self.refusal(transaction)
        if refused is not None:
            return refused
        self._pending[transaction.id] = transaction
        self._arrived_ms[transaction.id] = now_ms
        self.size_bytes += len(transaction.raw)
        held = self._held.setdefault(transaction.sender, _Held())
        held.transactions += 1
        held.bytes += len(transaction.raw)
        return None

    def remove(self, tx_id: bytes) -> Transaction | None:
        """Let go of a transaction, because it is committed or will never be; return it if it was held."""
        transaction = self._pending.pop(tx_id, None)
        if transaction is None:
            return None
        del self._arrived_ms[tx_id]
        self.size_bytes -= len(transaction.raw)
        held = self._held[transaction.sender]
        held.transactions -= 1
        held.bytes -= len(transaction.raw)
        if held.transactions == 0:
            del self._held[transaction.sender]
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
