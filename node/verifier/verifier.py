"""Signature checks in processes of their own: each transaction once, many at a time, never on the loop.

Law: a transaction enters the cache of verified ones only after its signature was checked here; the same bytes that
arrive by gossip, from a client and in a proposal at once are checked once. What waits at a process is bounded.
"""

from __future__ import annotations

import asyncio
import contextlib
import signal
import socket
import subprocess
import sys
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from typing import Final

from coseal.ledger.native import Core
from coseal.ledger.transaction import Transaction
from coseal.node.core.verified_cache import VerifiedCache
from coseal.node.verifier import worker

CHUNK: Final = 64
"""Transactions of one question: few enough to share the work, many enough to make the trip cheap."""

AHEAD: Final = 16
"""Questions that may wait at a process, so that it goes on while the loop is busy."""

_END_S: Final = 5.0


class Closed(Exception):
    """The node stops: what was to be checked is not."""


class WorkerLost(Exception):
    """A process that checks signatures ended by itself."""


class _Job:
    """What is asked in one question; ``done`` is set with the raw bytes of those that are bad."""

    __slots__ = ("done", "transactions")

    def __init__(self, transactions: list[Transaction], loop: asyncio.AbstractEventLoop) -> None:
        self.transactions = transactions
        self.done: asyncio.Future[frozenset[bytes]] = loop.create_future()


class _Worker(asyncio.Protocol):
    """One process: its jobs, in the order of their questions."""

    def __init__(
        self, core: Core, finished: Callable[[_Job, frozenset[bytes]], None], lost: Callable[[_Worker], None]
    ) -> None:
        self._core, self._finished, self._lost = core, finished, lost
        self._answers = bytearray()
        self._process: subprocess.Popen[bytes]
        self._transport: asyncio.Transport
        self.jobs: deque[_Job] = deque()

    async def start(self) -> None:
        """Begin the process; what it is asked before it is ready waits in its socket."""
        ours, theirs = socket.socketpair()
        with theirs, ignoring_interrupts():
            arguments = [sys.executable, "-m", worker.__name__, self._core.mode, self._core.version]
            self._process = subprocess.Popen(arguments, stdin=theirs.fileno())
        self._transport, _ = await asyncio.get_running_loop().create_unix_connection(lambda: self, sock=ours)

    def data_received(self, data: bytes) -> None:
        """Take what was answered; one read may hold part of an answer, or several."""
        self._answers += data
        while self.jobs and len(self._answers) >= len(self.jobs[0].transactions):
            job = self.jobs.popleft()
            verdicts = self._answers[: len(job.transactions)]
            del self._answers[: len(job.transactions)]
            if verdicts[0] & worker.NATIVE_STOPPED:
                self._core.stop_native("a fault in the process that checks signatures; its standard error says which")
            judged = zip(job.transactions, verdicts, strict=True)
            self._finished(job, frozenset([tx.raw for tx, verdict in judged if not verdict & worker.GOOD]))

    def connection_lost(self, exc: Exception | None) -> None:
        """Tell that the process is gone."""
        self._lost(self)

    def ending(self) -> str:
        """Say how a process ended that is gone."""
        try:
            status = self._process.wait(_END_S)  # its socket was closed a moment before it ended
        except subprocess.TimeoutExpired:
            return "it runs, but closed its socket"
        return f"by signal {-status}" if status < 0 else f"with status {status}"

    def ask(self, job: _Job) -> None:
        """Have a job done after those before it."""
        self.jobs.append(job)
        records = [(tx.public_key, tx.preimage, tx.signature) for tx in job.transactions]
        self._transport.write(worker.question(records, native=self._core.fault is None))

    async def close(self) -> None:
        """End the process; it ends by itself once its socket is closed."""
        self._transport.abort()
        try:
            await asyncio.to_thread(self._process.wait, _END_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            await asyncio.to_thread(self._process.wait)


@contextlib.contextmanager
def ignoring_interrupts() -> Iterator[None]:
    """Let a process that is started here ignore what ends a node: that often goes to all its processes at once.

    Signals that are blocked stay so in a new process, from its first instant; a handler comes too late.
    """
    before = signal.pthread_sigmask(signal.SIG_BLOCK, (signal.SIGINT, signal.SIGTERM))
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


class Verifier:
    """Fills ``verified`` from ``processes`` processes; every method is called on the loop."""

    def __init__(
        self, verified: VerifiedCache, processes: int, fault: Callable[[Exception], None], core: Core | None = None
    ) -> None:
        """``fault`` is called when a process ends by itself: nothing can be checked any more. ``core``: what the
        processes check with, by default the Python.
        """
        self.checked = 0
        self._verified, self._fault, self._core = verified, fault, core or Core()
        self._processes = processes
        self._workers: list[_Worker] = []
        self._waiting: deque[_Job] = deque()
        self._jobs: dict[bytes, _Job] = {}
        self._dispatching = self._closed = False

    async def start(self) -> None:
        """Begin the processes; what was to be checked before waits for them."""
        for _ in range(self._processes):
            worker = _Worker(self._core, self._finished, self._lost)
            await worker.start()
            self._workers.append(worker)
        self._dispatch()

    @property
    def pending(self) -> int:
        """Transactions that are being checked or wait for it."""
        return len(self._jobs)

    def begin(self, transactions: Iterable[Transaction]) -> None:
        """Give transactions that will be checked soon to the processes now, for the loop is busy until then."""
        if not self._closed:
            self._enlisted(transactions)
            self._dispatch()

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

    async def close(self) -> None:
        """Give up what waits and let the processes end; those who wait get an error."""
        self._give_up()
        await asyncio.gather(*[worker.close() for worker in self._workers])

    def _give_up(self) -> None:
        self._closed = True
        self._waiting.clear()
        for job in self._jobs.values():
            if not job.done.done():
                job.done.set_exception(Closed())
                job.done.exception()  # seen, also where nobody waits

    def _lost(self, worker: _Worker) -> None:
        if not self._closed:
            self._give_up()
            self._fault(WorkerLost(f"the process that checks signatures ended: {worker.ending()}"))

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

    def _dispatch(self) -> None:
        """Ask what waits; a question that is not full yet only when a process has nothing to do."""
        self._dispatching = False
        while self._waiting and self._workers:
            worker = min(self._workers, key=lambda worker: len(worker.jobs))
            is_full = len(self._waiting[0].transactions) >= CHUNK
            if len(worker.jobs) >= (AHEAD if is_full else 1):
                return
            worker.ask(self._waiting.popleft())

    def _finished(self, job: _Job, bad: frozenset[bytes]) -> None:
        self.checked += len(job.transactions)
        for transaction in job.transactions:
            del self._jobs[transaction.raw]
            if transaction.raw not in bad:
                self._verified.add(transaction)
        if not job.done.done():  # not given up
            job.done.set_result(bad)
        self._dispatch()
