"""Transactions that wait for a block: bounded, each once, a queue a member.

Law: count and bytes never exceed the limits, nor one member its share of them; whatever is refused or dropped
comes with a reason. A member's transactions leave in the order in which they came, so order within a sender is kept.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from typing import Final, NamedTuple

from coseal.contracts.kernel.action import Rejected
from coseal.contracts.kernel.budget import least_steps
from coseal.ledger.transaction import Transaction
from coseal.node.core.block_sizing import Throughput
from coseal.node.core.turns import Line, Turns

NO_ROOM: Final = frozenset({"mempool_full", "member_share_full"})
"""The codes of refusals for lack of room."""


@dataclass(frozen=True, slots=True)
class MempoolLimits:
    """How much may wait; a member may hold ``1 / shares`` of both (N10).

    ``entry_points`` is how many nodes take transactions from clients. Each one's own clients get their part of every
    limit, so that what all of them let in fits into every pool: gossip that one pool refused would be missing there,
    and the sender's next transactions, which rely on it, would come before it. There a member may hold no more than
    is left free, so alone half of it, and there is room for the next one.
    """

    transactions_max: int = 10_000
    bytes_max: int = 64 * 1024 * 1024
    shares: int = 2
    entry_points: int = 1


class _Held(NamedTuple):
    """A transaction that waits, since when, in whose queue, and how many bytes it counts for."""

    transaction: Transaction
    arrived_ms: int
    member: str
    size: int


@dataclass(slots=True)
class _Use:
    """What is waiting, of everyone and of each member."""

    transactions: int = 0
    bytes: int = 0
    members: dict[str, list[int]] = field(default_factory=dict)

    def change(self, size: int, member: str, sign: int) -> None:
        size *= sign
        self.transactions += sign
        self.bytes += size
        held = self.members.setdefault(member, [0, 0])
        held[0] += sign
        held[1] += size
        if held[0] == 0:
            del self.members[member]

    def refusal(self, size: int, member: str, most: _Most, share: _Most) -> Rejected | None:
        """Say why this many bytes have no place within the bounds of all and of the member, who may always hold one."""
        if self.transactions >= most.transactions or (self.bytes and self.bytes + size > most.bytes):
            return Rejected("mempool_full", "too many transactions are waiting; send it again later")
        held = self.members.get(member)
        if held is not None and (held[0] >= share.transactions or held[1] + size > share.bytes):
            return Rejected("member_share_full", f"{member} has its share of transactions waiting; send it again later")
        return None


class _Most(NamedTuple):
    """Bounds of what waits."""

    transactions: int
    bytes: int


def _named(sender: str) -> str:
    return sender.partition("/")[0]


def _nothing(transaction: Transaction) -> int:
    return 0


class Mempool:
    """Pending transactions by id; the caller has verified what it adds, and counts in ``turns`` what blocks took."""

    def __init__(
        self,
        limits: MempoolLimits | None = None,
        member_of: Callable[[str], str] = _named,
        beside: Callable[[Transaction], int] = _nothing,
    ) -> None:
        """``member_of`` says of which member a sender is, ``beside`` how many bytes a transaction names beside it."""
        self.limits = limits or MempoolLimits()  # sets ``_most`` and ``_share`` as well
        self.turns = Turns()
        self._member_of, self._beside = member_of, beside
        self._pending: dict[bytes, _Held] = {}
        self._queues: dict[str, dict[bytes, Transaction]] = {}  # none is empty; the one that waits longest is first
        self._steps: dict[bytes, int] = {}
        self._next = b""  # the transaction that was next when the last block was decided, and since when it was
        self._next_ms = self._decided_ms = 0
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
        return (held.transaction for held in self._pending.values())

    @property
    def limits(self) -> MempoolLimits:
        """How much may wait; set it whenever the number of entry points changes."""
        return self._limits

    @limits.setter
    def limits(self, limits: MempoolLimits) -> None:
        self._limits = limits
        self._most = most = _Most(limits.transactions_max, limits.bytes_max)
        self._share = _Most(max(1, most.transactions // limits.shares), most.bytes // limits.shares)

    @property
    def size_bytes(self) -> int:
        """The bytes of everything that waits, sidecars included."""
        return self._all.bytes

    def refusal(self, transaction: Transaction, *, client: bool = False) -> Rejected | None:
        """Say why a transaction that is not held yet has no place now, or None. Cheap: looks at sizes only.

        ``client``: one of this node's own clients brings it.
        """
        return self._refusal(self.size_of(transaction), self._member_of(transaction.sender), client=client)

    def size_of(self, transaction: Transaction) -> int:
        """Return what a transaction counts for: its bytes, and those of its sidecar (N42)."""
        return len(transaction.raw) + self._beside(transaction)

    def _refusal(self, size: int, member: str, *, client: bool) -> Rejected | None:
        refused = self._all.refusal(size, member, self._most, self._share)
        if refused is None and client:
            most, use = self._client_limits(), self._clients
            free = _Most(most.transactions - use.transactions, most.bytes - use.bytes)
            refused = use.refusal(size, member, most, free)
        return refused

    @property
    def is_crowded(self) -> bool:
        """Say whether this node's clients use more than a quarter of the room they have."""
        most = self._client_limits()
        return 4 * self._clients.transactions > most.transactions or 4 * self._clients.bytes > most.bytes

    def committed(self, size_bytes: int, now_ms: int) -> None:
        """Note that a block of this many bytes is decided; what it holds was removed before."""
        self._throughput.committed(size_bytes, now_ms, waiting=bool(self._pending))
        first = self._first()
        tx_id = b"" if first is None else first.transaction.id
        if tx_id != self._next:
            self._next, self._next_ms = tx_id, now_ms
        self._decided_ms = now_ms

    def _client_limits(self) -> _Most:
        """Return how much of this node's own clients may wait (N10)."""
        limits = self.limits
        bytes_max = min(limits.bytes_max, self._throughput.room_bytes)
        return _Most(max(1, limits.transactions_max // limits.entry_points), bytes_max // limits.entry_points)

    def add(self, transaction: Transaction, now_ms: int, *, client: bool = False) -> Rejected | None:
        """Hold a verified transaction; None also when it is held already (nothing changes then)."""
        if transaction.id in self._pending:
            return None
        member = self._member_of(transaction.sender)
        size = self.size_of(transaction)
        refused = self._refusal(size, member, client=client)
        if refused is not None:
            return refused
        if not self._pending:
            self._throughput.began(now_ms)
        self._pending[transaction.id] = _Held(transaction, now_ms, member, size)
        self._queues.setdefault(member, {})[transaction.id] = transaction
        self._all.change(size, member, 1)
        if client:
            self._from_clients.add(transaction.id)
            self._clients.change(size, member, 1)
        return None

    def remove(self, tx_id: bytes) -> Transaction | None:
        """Let go of a transaction, because it is committed or will never be; return it if it was held."""
        held = self._pending.pop(tx_id, None)
        if held is None:
            return None
        transaction, _, member, size = held
        self._steps.pop(tx_id, None)
        queue = self._queues[member]
        del queue[tx_id]
        if not queue:
            del self._queues[member]
        self._all.change(size, member, -1)
        if tx_id in self._from_clients:
            self._from_clients.discard(tx_id)
            self._clients.change(size, member, -1)
        return transaction

    # Order

    def line(self) -> Line:
        """Return what waits in turn (N13); the pool must not change until it is taken."""
        return Line(self._queues, self.turns)

    def steps(self, transaction: Transaction) -> int:
        """Return what a transaction took when it was tried, or the least that one of its size takes."""
        return self._steps.get(transaction.id) or least_steps(len(transaction.raw))

    def tried(self, transaction: Transaction, steps: int) -> None:
        """Note what a transaction took for which a block had no room."""
        if transaction.id in self._pending:
            self._steps[transaction.id] = steps

    def expire(self, time_ms: int) -> list[Transaction]:
        """Remove and return what block time ``time_ms`` is too late for."""
        late = [transaction for transaction in self if transaction.valid_until_ms <= time_ms]
        for transaction in late:
            self.remove(transaction.id)
        return late

    def oldest(self, count: int) -> list[Transaction]:
        """Return up to ``count`` transactions that wait longest, of each member in rotation, its oldest first."""
        found: list[Transaction] = []
        waiting = [iter(queue.values()) for queue in self._queues.values()]
        while waiting and len(found) < count:
            heads = [(queue, next(queue, None)) for queue in islice(waiting, count - len(found))]
            found += [head for _, head in heads if head is not None]
            waiting = [queue for queue, head in heads if head is not None]
        return found

    def oldest_age_ms(self, now_ms: int) -> int | None:
        """Return how long the oldest transaction has been waiting here, or None if none waits."""
        first = next(iter(self._pending.values()), None)
        return None if first is None else max(0, now_ms - first.arrived_ms)

    def overdue_ms(self, now_ms: int) -> int | None:
        """Return how long a transaction has been waiting here as the next in turn, or None if none waits.

        Others wait longer where their members ask for more than their part; the next one should be in the next block.
        """
        first = self._first()
        if first is None:
            return None
        is_known = first.transaction.id == self._next
        since_ms = self._next_ms if is_known else max(first.arrived_ms, self._decided_ms)
        return max(0, now_ms - since_ms)

    def _first(self) -> _Held | None:
        """Return what is next in turn."""
        if not self._queues:
            return None
        member = min(self._queues, key=self.turns.taken)
        return self._pending[next(iter(self._queues[member]))]
