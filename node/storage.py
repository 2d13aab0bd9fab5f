"""A node's data folder: the block log, the journal and the state database, opened so that they agree.

Law: the block log is what the node knows. The state database is brought to the log's tip before anything else runs,
by replay, and is thrown away when it is not the state after one of the log's blocks. Two processes never share a
folder.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Final, TypeAlias

from contracts.execution import Admit, Executor, UnknownProtocol, genesis_updates
from contracts.framework import Rejected
from ledger.block import CommittedBlock
from ledger.errors import LedgerError
from ledger.genesis import Genesis
from ledger.state import Change, State
from ledger.transaction import Transaction
from node.block_log import SEGMENT_BYTES, BlockLog
from node.files import Damaged, StorageError, lock_folder
from node.journal_file import JournalFile
from node.state_store import MAP_BYTES, LmdbStore, Marker

Progress: TypeAlias = Callable[[int, int], None]
"""``progress(height, tip)``: a block was replayed."""

BLOCKS_FOLDER: Final = "blocks"
JOURNAL_FOLDER: Final = "journal"
STATE_FOLDER: Final = "state"


class Storage:
    """The open data folder. ``notices`` says in words what opening it repaired.

    ``append_block``, the journal's methods, ``sync`` and ``apply`` belong to one thread; reads of ``executor.state``
    to another; ``read_block`` to any.
    """

    def __init__(
        self,
        folder: Path,
        genesis: Genesis,
        *,
        admit: Admit = Transaction.decode,
        progress: Progress | None = None,
        segment_bytes: int = SEGMENT_BYTES,
        map_bytes: int = MAP_BYTES,
    ) -> None:
        """Open ``folder`` and bring its state to the tip of its block log; raise ``StorageError``.

        ``admit`` is what the executor uses afterwards; the replay here trusts the signatures of its own log, not
        its results: every root is compared.
        """
        self.folder, self.genesis = folder, genesis
        self.notices: list[str] = []
        with ExitStack() as undo:
            undo.callback(os.close, lock_folder(folder))
            self.blocks = BlockLog(folder / BLOCKS_FOLDER, segment_bytes=segment_bytes)
            undo.callback(self.blocks.close)
            self.notices += self.blocks.notices
            self._require_own_chain()
            self.journal = JournalFile(folder / JOURNAL_FOLDER)
            undo.callback(self.journal.close)
            self.store = LmdbStore(folder / STATE_FOLDER, genesis.parameters.state_bits, map_bytes=map_bytes)
            undo.callback(self.store.close)
            self.notices += self.store.notices
            self.executor = self._open_executor(admit, progress or _silent)
            self._open_files = undo.pop_all()

    @property
    def tip_height(self) -> int:
        """The height of the last block in the log."""
        return self.blocks.tip_height

    def read_block(self, height: int) -> bytes | None:
        """Return the encoded ``CommittedBlock`` of a height, None beyond the tip; raise ``Damaged``."""
        return self.blocks.read(height)

    def committed(self, height: int) -> CommittedBlock | None:
        """Return the parsed block of a height, None beyond the tip; raise ``Damaged``."""
        raw = self.read_block(height)
        if raw is None:
            return None
        try:
            return CommittedBlock.decode(raw)
        except LedgerError as error:
            raise Damaged(f"block {height} of {self.folder / BLOCKS_FOLDER} is not a block: {error.reason}") from None

    def apply(self, height: int, block_hash: bytes, change: Change) -> None:
        """Write one block's change to the state database; raise ``StorageError``."""
        self.store.write(change.entries, self._marker(height, block_hash))

    def close(self) -> None:
        """Sync and close everything, then free the folder."""
        self._open_files.close()

    def _marker(self, height: int, block_hash: bytes) -> Marker:
        return Marker(self.genesis.chain_id, self.genesis.parameters.state_bits, height, block_hash)

    def _require_own_chain(self) -> None:
        first = self.committed(1)
        if first is not None and first.block.header.chain_id != self.genesis.chain_id:
            raise StorageError(
                f"{self.folder} holds blocks of the chain {first.block.header.chain_id.hex()}, "
                f"but the genesis file is of {self.genesis.chain_id.hex()}: use the right genesis, or an empty folder"
            )

    def _open_executor(self, admit: Admit, progress: Progress) -> Executor:
        """Return the executor at the log's tip, after replaying what the database lacks."""
        usable = self._usable_state()
        state, height = (self._genesis_state(), 0) if usable is None else usable
        if height < self.tip_height:
            self._replay(self._executor(state, Transaction.decode, height), progress)
        return self._executor(state, admit, self.tip_height)

    def _executor(self, state: State, admit: Admit, height: int) -> Executor:
        time_ms = self._required(height).block.header.time_ms if height else None
        try:
            return Executor(self.genesis, state, admit, height=height, time_ms=time_ms)
        except UnknownProtocol as error:
            raise StorageError(str(error)) from None

    def _usable_state(self) -> tuple[State, int] | None:
        """Return the database's state and height if it is the state after some block of the log, else None."""
        marker = self.store.marker
        if marker is None or marker.height == 0:
            return None
        committed = self.committed(marker.height)
        if committed is None or marker != self._marker(marker.height, committed.block.hash):
            self.notices.append("the state database is not of this block log; it is rebuilt")
            return None
        state = State(self.store, marker.bits)
        if state.root != committed.block.header.state_root:
            self.notices.append(f"the state database is damaged (its root at height {marker.height}); it is rebuilt")
            return None
        return state, marker.height

    def _genesis_state(self) -> State:
        """Empty the database and write the state before the first block."""
        self.store.clear()
        state = State(self.store, self.genesis.parameters.state_bits)
        change = state.derive(genesis_updates(self.genesis))
        state.commit(change)
        self._flush(state, change, 0, self.genesis.chain_id)
        return state

    def _replay(self, executor: Executor, progress: Progress) -> None:
        """Execute the log's blocks above the executor's height; their signatures were checked before they came here."""
        for height in range(executor.height + 1, self.tip_height + 1):
            committed = self._required(height)
            outcome = executor.execute_block(committed.block)
            if isinstance(outcome, Rejected):
                raise StorageError(
                    f"replaying block {height} gives another result than its certificate ({outcome.code}: "
                    f"{outcome.detail}); this software cannot continue this chain"
                )
            executor.commit(outcome)
            self._flush(executor.state, outcome.change, height, committed.block.hash)
            progress(height, self.tip_height)

    def _required(self, height: int) -> CommittedBlock:
        committed = self.committed(height)
        if committed is None:
            raise Damaged(f"block {height} is not in {self.folder / BLOCKS_FOLDER}")
        return committed

    def _flush(self, state: State, change: Change, height: int, block_hash: bytes) -> None:
        self.apply(height, block_hash, change)
        self.store.renew()
        state.flushed(change)


def _silent(height: int, tip: int) -> None:
    """Say nothing of the progress."""
