"""The SQL index: what people query, written behind the commits from committed blocks and nothing else.

Law: the index after block h is a function of the blocks 1..h, whether they were fed live or read back; each block's
rows and the height marker are one SQL transaction. It may lag, says how far, and is deleted and rebuilt whenever it
is of another version or another chain. Nothing that is certified depends on it.
"""

from __future__ import annotations

import asyncio
import sqlite3
import threading
import time
import traceback
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Concatenate, Final, ParamSpec, TypeAlias, TypeVar

import structlog

from coseal.contracts.kernel.rows.buffer import Rows
from coseal.contracts.registry import NO_OTHERS, Others
from coseal.contracts.rows.blocks import BlockRows, LeftOut
from coseal.contracts.rows.contained import write_contained
from coseal.contracts.rows.tables import CORE
from coseal.ledger.block import CommittedBlock, Receipt
from coseal.ledger.genesis import Sources
from coseal.ledger.transaction import Transaction
from coseal.node.index import database

_log = structlog.get_logger("node.index")
_P = ParamSpec("_P")
_T = TypeVar("_T")

ReadBlock = Callable[[int], bytes | None]
"""``read_block(height)`` returns an encoded ``CommittedBlock``, or None beyond the tip; called from a thread."""

_Fed: TypeAlias = tuple[CommittedBlock, tuple[Transaction, ...]]
_QUEUE_BLOCKS: Final = 16
_QUEUE_TRANSACTIONS: Final = 2_000  # decoded, a transaction takes ten times its bytes
_READERS: Final = 4
_POLL_S: Final = 0.005
# One SQL transaction holds several blocks while there are many: a commit costs more than a small block's rows.
_BATCH_ROWS: Final = 20_000
_BATCH_S: Final = 1.0
# A query waits for what is being gathered, unless the index is far behind anyway.
_NEAR_BLOCKS: Final = 64
_NEAR_S: Final = 0.25
# While the node catches up its blocks wait, so that executing them has the processor to itself, but not for ever.
_HELD_S: Final = 2.0
_HELD_MOST_S: Final = 30.0
# An index that is written on demand follows the tip for a while after each query, and a query waits for more of it.
_DEMAND_S: Final = 30.0
_DEMANDED_S: Final = 5.0


class Index:
    """An index file, the thread that writes it, and the threads that read it.

    ``start`` and ``feed`` are called from the node's loop and never wait. A transaction whose rows cannot be made is
    left out by name, and the rest goes on. What else fails the writer stops the index, not the node: ``error`` says
    what happened, and a restart tries again.

    One that is written ``on_demand`` rests until somebody asks, and then reads back what it lacks.
    """

    def __init__(
        self,
        path: Path,
        chain_id: bytes,
        read_block: ReadBlock,
        others: Others = NO_OTHERS,
        in_genesis: Sequence[Sources] = (),
        *,
        on_demand: bool = False,
    ) -> None:
        """Open the index of this chain at ``path``, emptying it if it is of another version or chain.

        ``others`` are the contracts of others that the node has, ``in_genesis`` those that the chain began with.
        """
        self.path = path
        self.error: str | None = None
        self._read_block = read_block
        self._others, self._in_genesis = others, in_genesis
        self._fed: deque[_Fed] = deque(maxlen=_QUEUE_BLOCKS)
        self._changed = threading.Condition()
        self._tip = 0
        self._on_demand = on_demand
        self._asked = 0  # who waits for a height, now
        self._wanted_until_s = 0.0
        self._committed_s = 0.0
        self._held_since_s: float | None = None
        self._held_until_s = 0.0
        self._stopping = False
        self._thread: threading.Thread | None = None
        self._local = threading.local()
        self._connections: list[sqlite3.Connection] = []
        self._readers = ThreadPoolExecutor(_READERS, thread_name_prefix="index-reader")
        existed = path.exists()
        self._height = database.prepare(path, chain_id)
        self._reached = self._height
        self.left_out = database.left_out(path)
        """Of how many transactions the rows could not be made."""
        if existed and self._height == 0:
            _log.warning("index_rebuilt", reason="it was empty, damaged, of another version or of another chain")

    @property
    def height(self) -> int:
        """Height up to which the index is complete; 0 when it is empty."""
        return self._height

    @property
    def resting(self) -> bool:
        """Whether it lags because nobody asks."""
        return self._on_demand and self.error is None and not self._is_wanted()

    def start(self, tip: int, first_height: int = 1) -> None:
        """Start the writer thread, which reads back what is missing up to height ``tip``.

        ``first_height`` is the lowest block there is to read: with a gap below it the index stays where it is.
        """
        self._tip = tip
        if self._height + 1 < first_height <= tip:
            self.error = (
                f"blocks {self._height + 1} to {first_height - 1} are pruned here and the index lacks them, so it ends "
                f"at height {self._height}; ask a node that keeps all blocks, or restore an archive of them"
            )
            _log.warning("index_lacks_blocks", height=self._height, first_height=first_height)
            return
        self._thread = threading.Thread(target=self._run, name="index-writer", daemon=True)
        self._thread.start()

    def feed(
        self, committed: CommittedBlock, transactions: Sequence[Transaction] = (), *, catching_up: bool = False
    ) -> None:
        """Take the next committed block; when the writer lags far behind, it will read the block back.

        ``transactions`` are the block's, if the caller has them parsed (``Outcome.transactions``): spares the work.
        ``catching_up``: more blocks come as fast as they can, and the index follows behind.
        """
        if self._thread is None:
            return
        with self._changed:
            self._hold(catching_up)
            if self._is_wanted():
                self._fed.append((committed, tuple(transactions)))
            while len(self._fed) > 1 and sum([len(parsed) for _, parsed in self._fed]) > _QUEUE_TRANSACTIONS:
                self._fed.popleft()
            self._tip = max(self._tip, committed.block.header.height)
            self._changed.notify_all()

    def _is_wanted(self) -> bool:
        """Say whether blocks are to be written now."""
        return not self._on_demand or self._asked > 0 or time.monotonic() < self._wanted_until_s

    def _hold(self, catching_up: bool) -> None:
        """Let the writer wait for a while, or no longer."""
        if not catching_up:
            self._held_since_s = None
            self._held_until_s = 0.0
            return
        now_s = time.monotonic()
        if self._held_since_s is None:
            self._held_since_s = now_s
        self._held_until_s = min(now_s + _HELD_S, self._held_since_s + _HELD_MOST_S)

    def stop(self) -> None:
        """Finish the block being written and close everything."""
        with self._changed:
            self._stopping = True
            self._changed.notify_all()
        if self._thread is not None:
            self._thread.join()
        self._readers.shutdown()
        for connection in self._connections:
            connection.close()
        self._connections.clear()

    def wait(self, height: int, timeout_s: float) -> bool:
        """Block until the index covers ``height``; False after ``timeout_s`` or a failure. Not for the loop."""
        with self._asking(), self._changed:
            done = self._changed.wait_for(lambda: self._height >= height or self.error is not None, timeout_s)
        return done and self._height >= height

    async def reached(self, height: int, timeout_s: float) -> bool:
        """Wait until the index covers ``height``; False after ``timeout_s`` or a failure."""
        if self._height >= height:
            return True
        end = time.monotonic() + timeout_s
        with self._asking():
            while self._height < height:
                if self.error is not None or time.monotonic() >= end:
                    return False
                await asyncio.sleep(_POLL_S)
        return True

    @contextmanager
    def _asking(self) -> Iterator[None]:
        """Let the writer know that somebody waits for it: it gathers no more blocks then."""
        with self._changed:
            self._asked += 1
            self._wanted_until_s = time.monotonic() + _DEMAND_S
            self._changed.notify_all()
        try:
            yield
        finally:
            with self._changed:
                self._asked -= 1

    async def query(
        self, function: Callable[Concatenate[sqlite3.Connection, _P], _T], *args: _P.args, **kwargs: _P.kwargs
    ) -> _T:
        """Run ``function(connection, ...)`` in a reader thread, all of it on one snapshot of the index.

        What the writer gathers is written first. Nothing waits for an index that is far behind, only for one that
        rested.
        """

        def read() -> _T:
            connection = self._reader()
            connection.execute("BEGIN")
            try:
                return function(connection, *args, **kwargs)
            finally:
                connection.execute("ROLLBACK")

        if self._on_demand:
            with self._asking():
                await self.reached(self._tip, _DEMANDED_S)
        elif 0 < self._tip - self._height <= _NEAR_BLOCKS:
            await self.reached(self._tip, _NEAR_S)
        return await asyncio.get_running_loop().run_in_executor(self._readers, read)

    def _reader(self) -> sqlite3.Connection:
        connection: sqlite3.Connection | None = getattr(self._local, "connection", None)
        if connection is None:
            connection = database.open_reader(self.path)
            self._local.connection = connection
            self._connections.append(connection)
        return connection

    def _run(self) -> None:
        try:
            connection = database.connect(self.path)
            try:
                self._write_all(connection, database.Writer(connection))
            finally:
                connection.close()
        except Exception as error:  # whatever it is, the node goes on without its index and says so
            if isinstance(error, sqlite3.OperationalError):  # the disk's fault or the file's, not ours: no trace
                _log.error("index_failed", height=self._height, reason=str(error))
            else:
                trace = "".join(traceback.format_exception(error))
                _log.error("index_failed", height=self._height, exception=trace)
            with self._changed:
                self.error = f"{type(error).__name__}: {error}"
                self._changed.notify_all()

    def _wait_for_work(self) -> bool:
        with self._changed:
            self._changed.wait_for(lambda: self._stopping or (self._tip > self._height and self._is_wanted()))
            while not self._stopping and not self._asked:
                left_s = self._held_until_s - time.monotonic()
                if left_s <= 0:
                    break
                self._changed.wait(left_s)
            return not self._stopping

    def _write_all(self, connection: sqlite3.Connection, writer: database.Writer) -> None:
        """Write blocks until the index is stopped."""
        rows, blocks = self._blank(writer)
        while self._wait_for_work():
            try:
                self._write_some(connection, rows, blocks)
            except Exception as error:
                if not writer.blames_row(error):
                    raise
                self._write_contained(connection, writer)
                rows, blocks = self._blank(writer)  # what they held is of an SQL transaction that was undone

    def _blank(self, writer: database.Writer) -> tuple[Rows, BlockRows]:
        rows = Rows(writer, CORE)
        return rows, BlockRows(rows, self._others, self._in_genesis)

    def _write_some(self, connection: sqlite3.Connection, rows: Rows, blocks: BlockRows) -> None:
        """Write the next blocks in one SQL transaction and move the marker with them."""
        with self._written(connection):
            while rows.pending < _BATCH_ROWS and self._gathers(self._reached):
                self._reached += 1
                blocks.write(*self._next(self._reached), Receipt.decode_own)
            rows.flush()
        for left in blocks.take_left():
            self._note(left)

    def _write_contained(self, connection: sqlite3.Connection, writer: database.Writer) -> None:
        """Write the blocks among which there is one whose rows failed, each by itself; leave out what is at fault."""
        last = self._reached
        for height in range(self._height + 1, last + 1):
            with self._written(connection):
                self._reached = height
                blank = partial(self._blank, writer)
                for left in write_contained(writer, blank, *self._next(height), Receipt.decode_own):
                    self._note(left)

    def _note(self, left: LeftOut) -> None:
        """Count and log what has no rows."""
        self.left_out += 1
        _log.error(
            "index_left_out",
            height=left.height,
            position=left.position,
            what=left.name,
            contract=left.contract,
            exception="".join(traceback.format_exception(left.error)),
        )

    @contextmanager
    def _written(self, connection: sqlite3.Connection) -> Iterator[None]:
        """Have the blocks up to the height that is reached inside written in one SQL transaction, with the marker."""
        self._reached = self._height
        connection.execute("BEGIN IMMEDIATE")
        try:
            yield
            database.set_height(connection, self._reached)
            connection.execute("COMMIT")
        except BaseException:
            if connection.in_transaction:  # SQLite itself rolls back when the disk is full
                connection.execute("ROLLBACK")
            raise
        with self._changed:
            self._height, self._committed_s = self._reached, time.monotonic()
            self._changed.notify_all()

    def _gathers(self, height: int) -> bool:
        """Say whether a block after ``height`` comes into the same SQL transaction; wait for one unless somebody waits
        for us, or the last transaction is ``_BATCH_S`` ago: so a node that is not busy has its index at once.
        """
        with self._changed:
            left_s = self._committed_s + _BATCH_S - time.monotonic()
            self._changed.wait_for(lambda: self._stopping or self._asked or self._tip > height, max(0.0, left_s))
            return self._tip > height and not self._stopping

    def _next(self, height: int) -> _Fed:
        """Return a block: one that was fed, else read back."""
        with self._changed:
            while self._fed and self._fed[0][0].block.header.height < height:
                self._fed.popleft()
            if self._fed and self._fed[0][0].block.header.height == height:
                return self._fed.popleft()
        raw = self._read_block(height)
        if raw is None:
            raise LookupError(f"block {height} is not in the log")
        committed = CommittedBlock.decode(raw, check_roots=False)  # the log has verified its record
        return committed, tuple(map(Transaction.decode_own, committed.block.transactions))
