"""The storage thread: writes in the order of the effects, one sync for all that a turn of the loop brought.

Law: what was given to ``after`` runs only when every write before it is durable (rules of docs/spec/consensus.md,
"persist before send"); the first error ends everything, nothing is written after it.

While one batch is on its way to the disk the next one gathers, so a slow disk makes batches larger, not the queue
of syncs longer.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable
from functools import partial
from typing import Final, Protocol, TypeAlias

from coseal.node.core.events import Append, AppendBlock, ApplyState, KeepSidecar, ReplaceJournal
from coseal.node.fault_injection import NO_FAULTS, FaultInjection
from coseal.node.storage.data_folder import Storage
from coseal.node.storage.worker_thread import WorkerThread

UNAPPLIED_MAX: Final = 64
"""Durable blocks the state database may lag; beyond, nothing more is written, so votes wait, the node slows down."""

Write: TypeAlias = Append | ReplaceJournal | AppendBlock | KeepSidecar


class Observer(Protocol):
    """What the storage thread reports, on the loop."""

    def applied(self, height: int) -> None:
        """The state database has the block of ``height``."""
        ...

    def synced(self, writes: int, seconds: float) -> None:
        """A batch of ``writes`` became durable and took this long."""
        ...

    def write_failed(self, error: Exception) -> None:
        """The disk refused; the process must end."""
        ...

    def fault(self, error: Exception) -> None:
        """What was released failed: a fault of the software; the process must end."""
        ...


class _Batch:
    __slots__ = ("releases", "writes")

    def __init__(self) -> None:
        self.writes: list[Write] = []
        self.releases: deque[Callable[[], None]] = deque()


class Writer:
    """Every method is called on the loop."""

    def __init__(self, storage: Storage, observer: Observer, faults: FaultInjection = NO_FAULTS) -> None:
        self.unapplied = 0
        self._applying = 0
        self._running = 0
        self._storage, self._observer, self._faults = storage, observer, faults
        self._thread = WorkerThread("storage")
        self._gathering: _Batch | None = None
        self._in_flight: _Batch | None = None
        self._failed = False

    def write(self, effect: Write) -> None:
        """Queue a durable write."""
        if self._gathering is None:
            self._gathering = _Batch()
            if self._in_flight is None:
                asyncio.get_running_loop().call_soon(self._submit)
        self._gathering.writes.append(effect)

    def after(self, release: Callable[[], None]) -> None:
        """Call ``release`` when everything written so far is durable; at once if it is."""
        batch = self._gathering or self._in_flight
        if batch is None:
            release()
        else:
            batch.releases.append(release)

    def apply(self, effect: ApplyState) -> None:
        """Write a block's change to the state database, once the block itself is durable."""
        self.unapplied += 1
        self.after(lambda: self._start_apply(effect))

    def _start_apply(self, effect: ApplyState) -> None:
        self._applying += 1
        self._start(lambda: self._apply(effect), lambda _: self._applied(effect.height))

    def run(self, work: Callable[[], None], done: Callable[[], None] | None = None) -> None:
        """Do something on the disk in the thread, in the order of these calls; then ``done`` on the loop.

        An error ends the process like that of any other write.
        """
        self._running += 1

        def timed() -> float:
            work()
            return 0.0

        def finished(_: float) -> None:
            self._running -= 1
            if done is not None:
                done()

        self._start(timed, finished)

    async def close(self) -> None:
        """Wait until everything queued is written."""
        while not self._failed and (self._gathering or self._in_flight or self.unapplied or self._running):
            await asyncio.sleep(0.002)
        self._thread.close(wait=not self._failed)

    @property
    def behind(self) -> bool:
        """Whether too many blocks wait for the disk; making more should wait too."""
        return self.unapplied >= UNAPPLIED_MAX

    def _submit(self) -> None:
        if self._gathering is None or self._in_flight is not None or self._failed:
            return
        if self._applying >= UNAPPLIED_MAX:
            return
        batch, self._gathering = self._gathering, None
        self._in_flight = batch
        self._start(lambda: self._write(batch), lambda seconds: self._durable(batch, seconds))

    def _start(self, work: Callable[[], float], done: Callable[[float], None]) -> None:
        if not self._failed:
            self._thread.submit(work, partial(self._finished, done), self._broke)

    def _finished(self, done: Callable[[float], None], seconds: float) -> None:
        if not self._failed:
            done(seconds)

    def _broke(self, error: BaseException) -> None:
        if not self._failed:
            self._failed = True
            self._observer.write_failed(error if isinstance(error, Exception) else RuntimeError(str(error)))

    def _durable(self, batch: _Batch, seconds: float) -> None:
        # A release may write again; what follows it in this batch was promised the writes of this batch only.
        try:
            while batch.releases:
                batch.releases.popleft()()
        except Exception as error:
            self._failed = True
            self._observer.fault(error)
            return
        self._in_flight = None
        self._observer.synced(len(batch.writes), seconds)
        self._submit()

    def _applied(self, height: int) -> None:
        self.unapplied -= 1
        self._applying -= 1
        self._storage.store.renew()
        self._observer.applied(height)
        self._submit()

    # In the thread

    def _write(self, batch: _Batch) -> float:
        started = time.perf_counter()
        self._faults.delay_write()
        blocks, journal = self._storage.blocks, self._storage.journal
        unsynced_journal = unsynced_blocks = False
        for effect in batch.writes:
            if unsynced_blocks and not isinstance(effect, AppendBlock):
                blocks.sync()  # N2, N33: what the journal holds of the next height must not outlive the block
                unsynced_blocks = False
            match effect:
                case Append(data):
                    journal.append(data)
                    unsynced_journal = True
                case AppendBlock(committed):
                    blocks.append(committed.block.header.height, committed.encode())
                    unsynced_blocks = True
                case KeepSidecar(name, data):
                    self._storage.sidecars.write(name, data)  # N45: durable before the journal says what rests on it
                case ReplaceJournal(data):
                    journal.replace(data)
                    unsynced_journal = False
        if unsynced_blocks:
            blocks.sync()
        if unsynced_journal:
            journal.sync()
        return time.perf_counter() - started

    def _apply(self, effect: ApplyState) -> float:
        started = time.perf_counter()
        self._storage.apply(effect.height, effect.block_hash, effect.change)
        self._storage.prune_some()
        return time.perf_counter() - started
