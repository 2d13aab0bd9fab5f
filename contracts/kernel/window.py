"""The seen window: the ids of all transactions that have not expired, so that none takes effect twice.

Law: what is in memory is what is in the state: the same entries come from executing blocks and from loading.

There is an entry for each block with transactions, ``[latest valid_until_ms of them, their ids joined]``. It goes when
its latest transaction has expired in block time, for then a replay of any is refused as expired.
docs/spec/contracts.md, rules X1 to X4.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from typing import Any, Final

from coseal.contracts.kernel.action import Reader, View
from coseal.contracts.kernel.state import WINDOW_KEY, seen_key
from coseal.ledger.signing import HASH_BYTES
from coseal.ledger.transaction import Transaction

MAX_DROPPED: Final = 64
"""Entries dropped at the start of one block; at most one is added, so the window always catches up."""


class SeenWindow:
    """The window in memory: entries ``(height, latest valid_until_ms, ids joined)``, oldest first."""

    def __init__(self) -> None:
        self._entries: deque[tuple[int, int, bytes]] = deque()
        self._ids: set[bytes] = set()

    @staticmethod
    def load(reader: Reader) -> SeenWindow:
        """Read the window of a state."""
        window = SeenWindow()
        bounds: Any = reader.get(WINDOW_KEY)
        for height in range(bounds[0], bounds[1] + 1) if bounds else ():
            entry: Any = reader.get(seen_key(height))
            if entry is not None:
                window._add(height, *entry)
        return window

    def __contains__(self, tx_id: bytes) -> bool:
        return tx_id in self._ids

    def __len__(self) -> int:
        return len(self._ids)

    def write(self, view: View, height: int, time_ms: int, transactions: Sequence[Transaction]) -> None:
        """Write to the state what a block at ``height`` changes; the window in memory stays until ``commit``."""
        expired = self._expired(time_ms)
        for entry_height, _, _ in expired:
            view.delete(seen_key(entry_height))
        if transactions:  # X3
            view.put(seen_key(height), [_latest(transactions), _joined(transactions)])
        if expired or transactions:
            view.put(WINDOW_KEY, self._bounds(len(expired), [height] if transactions else []))

    def commit(self, height: int, time_ms: int, transactions: Sequence[Transaction]) -> None:
        """Do in memory what ``write`` wrote."""
        for _ in self._expired(time_ms):
            _, _, joined = self._entries.popleft()
            self._ids.difference_update(_split(joined))
        if transactions:
            self._add(height, _latest(transactions), _joined(transactions))

    def _expired(self, time_ms: int) -> list[tuple[int, int, bytes]]:
        """Return the oldest entries that a block at ``time_ms`` drops."""
        found: list[tuple[int, int, bytes]] = []
        for entry in self._entries:
            if entry[1] > time_ms or len(found) == MAX_DROPPED:  # X2, X4
                break
            found.append(entry)
        return found

    def _bounds(self, dropped: int, added: list[int]) -> list[int]:
        """Return the first and last height of the entries without the oldest ``dropped`` and with those ``added``."""
        ends = [self._entries[dropped][0], self._entries[-1][0]] if dropped < len(self._entries) else []
        heights = ends + added
        return [heights[0], heights[-1]] if heights else []

    def _add(self, height: int, latest_ms: int, joined: bytes) -> None:
        self._entries.append((height, latest_ms, joined))
        self._ids.update(_split(joined))


def install(view: View) -> None:
    """Write the empty window of genesis."""
    view.put(WINDOW_KEY, [])


def _latest(transactions: Sequence[Transaction]) -> int:
    return max(tx.valid_until_ms for tx in transactions)


def _joined(transactions: Sequence[Transaction]) -> bytes:
    return b"".join([tx.id for tx in transactions])


def _split(joined: bytes) -> list[bytes]:
    return [joined[i : i + HASH_BYTES] for i in range(0, len(joined), HASH_BYTES)]
