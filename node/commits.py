"""The blocks just committed, in memory: for readers that come right after, and for clients that wait for one.

Law: a client learns of a commit only after the block is durable (``published``); what is kept is bounded.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Iterable
from contextlib import suppress
from typing import Final

from coseal.contracts.kernel.action import Rejected
from coseal.ledger.block import CommittedBlock
from coseal.ledger.transaction import Transaction
from coseal.node.http.services import Location
from coseal.node.storage.data_folder import Storage

BLOCKS_MIN: Final = 16
BLOCKS_MAX: Final = 1_024
TRANSACTIONS_MAX: Final = 8_000
PRELOADED_TRANSACTIONS: Final = 5_000
BYTES_MAX: Final = 3 * 1024 * 1024


class Commits:
    """Recent blocks by height, their transactions by id, and the futures of those who wait."""

    def __init__(self, height: int) -> None:
        """``height`` is that of the last durable block."""
        self.durable_height = height
        self._blocks: dict[int, CommittedBlock] = {}
        self._ids: deque[tuple[int, tuple[bytes, ...]]] = deque()
        self._places: dict[bytes, Location] = {}
        self._bytes = 0
        self._waiting: dict[bytes, set[asyncio.Future[Location | Rejected]]] = {}
        self._waiting_for_height: dict[asyncio.Future[None], int] = {}

    def decided(self, committed: CommittedBlock) -> None:
        """Keep a block that is on its way to the disk, so that a reader who sees its state can read it."""
        self._blocks[committed.block.header.height] = committed
        self._bytes += len(committed.block.raw)

    def published(self, committed: CommittedBlock, tx_ids: tuple[bytes, ...]) -> None:
        """The block is durable: tell those who wait for it."""
        height = committed.block.header.height
        self.durable_height = height
        self._ids.append((height, tx_ids))
        for index, tx_id in enumerate(tx_ids):
            place = self._places[tx_id] = Location(height, index)
            self._settle(tx_id, place)
        for future, wanted in list(self._waiting_for_height.items()):
            if wanted <= height and not future.done():
                future.set_result(None)
        self._forget()

    def dropped(self, tx_id: bytes, rejected: Rejected) -> None:
        """The transaction will not be committed here: tell those who wait for it."""
        self._settle(tx_id, rejected)

    def block(self, height: int) -> CommittedBlock | None:
        """Return a recent block, or None."""
        return self._blocks.get(height)

    def locate(self, tx_id: bytes) -> Location | None:
        """Return where a recent transaction was committed, or None."""
        return self._places.get(tx_id)

    async def wait(self, tx_id: bytes, timeout_s: float) -> Location | Rejected | None:
        """Wait for a transaction's commit or its refusal; None after ``timeout_s``."""
        place = self._places.get(tx_id)
        if place is not None:
            return place
        future: asyncio.Future[Location | Rejected] = asyncio.get_running_loop().create_future()
        waiting = self._waiting.setdefault(tx_id, set())
        waiting.add(future)
        try:
            with suppress(TimeoutError):
                async with asyncio.timeout(timeout_s):
                    return await future
            return None
        finally:
            waiting.discard(future)
            if not waiting and self._waiting.get(tx_id) is waiting:
                del self._waiting[tx_id]

    async def wait_height(self, height: int, timeout_s: float) -> bool:
        """Wait until a block of ``height`` is durable; False after ``timeout_s``."""
        if self.durable_height >= height:
            return True
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting_for_height[future] = height
        try:
            with suppress(TimeoutError):
                async with asyncio.timeout(timeout_s):
                    await future
                    return True
            return False
        finally:
            del self._waiting_for_height[future]

    def preload(self, blocks: Iterable[tuple[CommittedBlock, tuple[bytes, ...]]]) -> None:
        """Take blocks of the log, ascending, at the start of the node."""
        for committed, tx_ids in blocks:
            self.decided(committed)
            self.published(committed, tx_ids)

    def _settle(self, tx_id: bytes, result: Location | Rejected) -> None:
        for future in self._waiting.pop(tx_id, ()):
            if not future.done():
                future.set_result(result)

    def _forget(self) -> None:
        """Drop the oldest blocks beyond the bounds, but keep the last ``BLOCKS_MIN``."""
        while len(self._ids) > BLOCKS_MIN and (
            len(self._places) > TRANSACTIONS_MAX or self._bytes > BYTES_MAX or len(self._ids) > BLOCKS_MAX
        ):
            height, tx_ids = self._ids.popleft()
            self._bytes -= len(self._blocks.pop(height).block.raw)
            for tx_id in tx_ids:
                del self._places[tx_id]


def recent_blocks(storage: Storage) -> list[tuple[CommittedBlock, tuple[bytes, ...]]]:
    """Return the log's last blocks with their transactions' ids, ascending, no more than a start can afford."""
    found: list[tuple[CommittedBlock, tuple[bytes, ...]]] = []
    room = PRELOADED_TRANSACTIONS
    for height in range(storage.tip_height, max(0, storage.tip_height - BLOCKS_MIN), -1):
        committed = storage.committed(height)
        if committed is None or room < 0:
            break
        room -= committed.block.header.tx_count
        found.append((committed, tuple(Transaction.decode(raw).id for raw in committed.block.transactions)))
    return found[::-1]
