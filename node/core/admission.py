"""How transactions get into the mempool, from clients and from peers.

Law: cheap checks come before a signature is verified, nothing unverified gets in, and a transaction is answered by
what has become of it, so that sending it again is never wrong.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from coseal.contracts.kernel.action import Rejected
from coseal.contracts.kernel.sidecars import Named
from coseal.ledger.errors import LedgerError
from coseal.ledger.transaction import Transaction
from coseal.node.core import packing, wire
from coseal.node.core.apart import Apart
from coseal.node.core.context import MachineContext
from coseal.node.core.events import Admission, Answer
from coseal.node.core.held_sidecars import HeldSidecars, none_held
from coseal.node.core.mempool import NO_ROOM, Mempool

GOSSIP_AGAIN: Final = 500
GOSSIP_AGAIN_BYTES: Final = 256 * 1024


class AdmissionControl:
    """Decides what enters ``mempool``, and counts what does not by its code."""

    def __init__(
        self,
        context: MachineContext,
        mempool: Mempool,
        sidecars: HeldSidecars | None = None,
        apart: Apart | None = None,
    ) -> None:
        """``sidecars`` are those that this node holds, and ``apart`` is what waits for others; None: there are none."""
        self._sidecars = none_held() if sidecars is None else sidecars
        self._apart = Apart() if apart is None else apart
        self._context, self._mempool = context, mempool
        self._executor, self._verified = context.executor, context.verified

    def submit(
        self, transactions: tuple[Transaction, ...], sidecars: Sequence[bytes | None] = ()
    ) -> tuple[tuple[Answer, ...], list[bytes]]:
        """Take clients' transactions, verified; return an answer to each, and the raw bytes of the new ones.

        ``sidecars``: none, or what came beside each.
        """
        full: dict[str, Rejected] = {}
        answers = []
        for transaction, beside in zip(transactions, sidecars or [None] * len(transactions), strict=True):
            answer = self.admit(transaction, client=True, full=full.get(transaction.sender), beside=beside)
            if answer.rejected is not None and answer.rejected.code in NO_ROOM:
                full[transaction.sender] = answer.rejected
            answers.append(answer)
        pairs = zip(transactions, answers, strict=True)
        return tuple(answers), [tx.raw for tx, answer in pairs if answer.admission is Admission.ACCEPTED]

    def refused_for_room(self, transactions: Sequence[Transaction], now_ms: int) -> dict[bytes, Rejected]:
        """Say, by raw bytes, which of clients' transactions have no place now, and why; looks at no signature (N9).

        Not those for which the check of the state has the better answer: they are known, or will never be valid.
        A sender's that come behind one without room have none either (N10).
        """
        full: dict[str, Rejected] = {}
        found: dict[bytes, Rejected] = {}
        for transaction in transactions:
            if transaction.id in self._mempool:
                continue
            refused = full.get(transaction.sender) or self._mempool.refusal(transaction, client=True)
            if refused is None or self._executor.check(transaction, self.block_time_ms(now_ms)) is not None:
                continue
            self._context.count(f"rejected_{refused.code}")
            full[transaction.sender] = found[transaction.raw] = refused
        return found

    def gossiped(self, raws: tuple[bytes, ...]) -> tuple[bool, list[Named]]:
        """Take a peer's transactions; say whether any was new in the pool, and return the sidecars that some lack.

        They are not passed on again (full mesh).
        """
        fresh = False
        lacking: list[Named] = []
        for raw in raws:
            try:
                transaction, accepted = self._gossiped_one(raw)
            except LedgerError as error:
                self._context.count(f"refused_transaction_{type(error).__name__}")
                continue
            waits = self._apart.find(transaction)
            if waits is None:
                fresh = fresh or accepted
            elif waits.named is not None and not self._sidecars.has(waits.named):
                lacking.append(waits.named)
        return fresh, lacking

    def release(self) -> bool:
        """Admit what waits apart for nothing any more; say whether any of it is in the pool now."""
        fresh = False
        for transaction in self._apart.take_ready(self._sidecars.has):
            fresh = self.admit(transaction).admission is Admission.ACCEPTED or fresh
        return fresh

    def admit(
        self,
        transaction: Transaction,
        *,
        client: bool = False,
        full: Rejected | None = None,
        beside: bytes | None = None,
    ) -> Answer:
        """Add a verified transaction to the mempool, or say what has become of it.

        ``full``: why its sender's one before it had no room; if it came in without that, it would come before it.
        ``beside``: the sidecar that a client gave with it. A peer's that lacks its own waits apart (N43).
        """
        if transaction.id in self._mempool or self._apart.find(transaction) is not None:
            return Answer(transaction.id, Admission.PENDING)  # N11
        rejected = self._executor.check(transaction, self.block_time_ms(self._context.now_ms))
        if rejected is not None:
            self._verified.forget((transaction.raw,))  # no block will hold it: what came late is not kept for one
        if rejected is not None and rejected.code == "duplicate":
            return Answer(transaction.id, Admission.COMMITTED)
        rejected = rejected or full or self._place(transaction, beside, client=client)
        if rejected is not None:
            self._context.count(f"rejected_{rejected.code}")
            return Answer(transaction.id, Admission.REJECTED, rejected)
        self._verified.add(transaction)
        return Answer(transaction.id, Admission.ACCEPTED)

    def _place(self, transaction: Transaction, beside: bytes | None, *, client: bool) -> Rejected | None:
        """Put a transaction into the pool, or apart from it; say why it has no place."""
        named, now_ms = self._executor.names(transaction), self._context.now_ms
        lacking = named is not None and not self._sidecars.has(named)
        if client and named is not None and lacking:
            refused = self._mempool.refusal(transaction, client=True) or self._take(named, beside)
            if refused is not None:
                return refused
            lacking = False
        if lacking or self._apart.holds_up(transaction.sender):
            member = self._executor.member_of(transaction.sender)
            return self._apart.add(transaction, named, member, now_ms)
        return self._mempool.add(transaction, now_ms, client=client)

    def _take(self, named: Named, beside: bytes | None) -> Rejected | None:
        """Hold what a client sent beside its transaction (N41)."""
        if beside is None:
            return Rejected("sidecar_missing", f"send the sidecar {named.name.hex()} with the transaction, in one body")
        try:
            self._sidecars.take(named, beside)
        except LedgerError as error:
            return Rejected("sidecar_malformed", error.reason)
        return None

    def gossip_again(self) -> list[wire.Transactions]:
        """Return the oldest pending transactions for everyone: perhaps this node alone knows them (N12)."""
        raws: list[bytes] = []
        room = GOSSIP_AGAIN_BYTES
        for transaction in self._mempool.oldest(GOSSIP_AGAIN):
            room -= len(transaction.raw)
            if raws and room < 0:
                break
            raws.append(transaction.raw)
        return packing.pack_transactions(raws)

    def block_time_ms(self, now_ms: int) -> int:
        """Return the least time that a block made now would have."""
        return max(now_ms, self._executor.time_ms + 1)

    def _gossiped_one(self, raw: bytes) -> tuple[Transaction, bool]:
        """Return a peer's transaction, and whether it was taken."""
        known = self._verified.get(raw)
        transaction = Transaction.decode(raw) if known is None else known
        if known is None:  # N9, T1: what needs no signature check is refused without one
            if (
                transaction.id in self._mempool
                or self._mempool.refusal(transaction) is not None
                or self._executor.check(transaction, self.block_time_ms(self._context.now_ms)) is not None
            ):
                return transaction, False
            self._verified.verify(transaction)
        return transaction, self.admit(transaction).admission is Admission.ACCEPTED
