"""Signature checks in a pool of threads: each transaction once, many at a time, never on the loop.

Law: a transaction enters the cache of verified ones only after its signature was checked here; the same bytes that
arrive by gossip, from a client and in a proposal at once are checked once.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Iterable
from functools import partial
from typing import Final

from ledger.errors import BadSignature
from ledger.transaction import Transaction
from node.admission import VerifiedTransactions
from node.hand import Hand

CHUNK: Final = 64
"""Transactions that a thread takes at a time: few enough to share the work, many enough to make the hop cheap."""

AHEAD: Final = 16
"""Chunks that may wait at a thread for its turn while the loop is busy."""


class Closed(Exception):
    """The node stops: what was to be checked is not."""


class _Job:
    """What one thread checks in one go; ``done`` is set with the raw bytes of those that are bad."""

    __slots__ = ("done", "transactions")

    def __init__(self, transactions: list[Transaction], loop: asyncio.AbstractEventLoop) -> None:
        self.transactions = transactions
        self.done: asyncio.Future[frozenset[bytes]] = loop.create_future()


class Verifier:
    """Fills ``verified`` from ``threads`` threads; every method is called on the loop."""

    def __init__(self, verified: VerifiedTransactions, threads: int) -> None:
        self.checked = 0
        self._verified = verified
        self._hands = [Hand("verifier") for _ in range(threads)]
        self._given = dict.fromkeys(self._hands, 0)
        self._waiting: deque[_Job] = deque()
        self._jobs: dict[bytes, _Job] = {}
        self._dispatching = self._closed = False

    def begin(self, transactions: Iterable[Transaction]) -> None:
        """Give transactions that will be checked soon to the threads now, for the loop is busy until then."""
        self._enlisted(transactions)
        self._dispatch(AHEAD)

    async def check(self, transactions: Iterable[Transaction]) -> set[bytes]:
        """Verify what is not known to be good, remember what is, and return the raw bytes of the bad ones.

        Raises ``Closed`` if the node stops meanwhile.
        """
        jobs = self._enlisted(transactions)
        if jobs and not self._dispatching:
            self._dispatching = True
            asyncio.get_running_loop().call_soon(self._dispatch)  # with what else comes in this turn of the loop
        bad: set[bytes] = set()
        for job in jobs.values():
            bad |= await asyncio.shield(job.done)  # others wait for it, too, and may go on when this one is cancelled
        return bad

    def close(self) -> None:
        """Give up what waits and let the threads end; whoever waits is told."""
        self._closed = True
        self._waiting.clear()
        for job in self._jobs.values():
            if not job.done.done():
                job.done.set_exception(Closed())
        for hand in self._hands:
            hand.close(wait=False)

    def _enlisted(self, transactions: Iterable[Transaction]) -> dict[int, _Job]:
        """Return the jobs in which those are that are not known to be good."""
        if self._closed:
            raise Closed
        jobs: dict[int, _Job] = {}
        for transaction in transactions:
            if transaction.raw in self._verified:
                continue
            job = self._jobs.get(transaction.raw) or self._enlist(transaction)
            jobs[id(job)] = job
        return jobs

    def _enlist(self, transaction: Transaction) -> _Job:
        if not self._waiting or len(self._waiting[-1].transactions) >= CHUNK:
            self._waiting.append(_Job([], asyncio.get_running_loop()))
        job = self._waiting[-1]
        job.transactions.append(transaction)
        self._jobs[transaction.raw] = job
        return job

    def _dispatch(self, most: int = 1) -> None:
        """Give what waits to the threads, so many jobs at a time to each."""
        self._dispatching = False
        while self._waiting:
            hand = min(self._hands, key=self._given.__getitem__)
            if self._given[hand] >= most:
                return
            job = self._waiting.popleft()
            self._given[hand] += 1
            hand.give(partial(_bad_ones, job.transactions), partial(self._finished, job, hand), job.done.set_exception)

    def _finished(self, job: _Job, hand: Hand, bad: frozenset[bytes]) -> None:
        self._given[hand] -= 1
        self.checked += len(job.transactions)
        for transaction in job.transactions:
            del self._jobs[transaction.raw]
            if transaction.raw not in bad:
                self._verified.add(transaction)
        if not job.done.done():  # not given up
            job.done.set_result(bad)
        self._dispatch()


def _bad_ones(transactions: list[Transaction]) -> frozenset[bytes]:
    """Return the raw bytes of the transactions whose signature does not verify; runs in a thread."""
    bad = []
    for transaction in transactions:
        try:
            transaction.verify_signature()
        except BadSignature:
            bad.append(transaction.raw)
    return frozenset(bad)
