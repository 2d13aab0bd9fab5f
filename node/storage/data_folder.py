"""A node's data folder: the block log, the journal and the state database, opened so that they agree.

Law: the block log is what the node knows. The state database is brought to the log's tip before anything else runs,
by replay from the genesis or the newest snapshot, and is thrown away when it is not the state after one of the log's
blocks. A body is pruned only when its head is durable and a snapshot above it is there. Two processes never share a
folder.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypeAlias

from coseal.contracts.execution import Admit, Executor, UnknownProtocol
from coseal.contracts.genesis_state import genesis_updates
from coseal.contracts.installed import installed
from coseal.contracts.kernel.action import Rejected
from coseal.ledger.block import CommittedBlock
from coseal.ledger.errors import LedgerError
from coseal.ledger.genesis import Genesis
from coseal.ledger.head import Head
from coseal.ledger.state import Change, State
from coseal.ledger.transaction import Transaction
from coseal.node.storage.block_log import HEAD, SEGMENT_BYTES, BlockLog
from coseal.node.storage.files import Damaged, NeedsRelease, StorageError, how_to_repair, lock_folder
from coseal.node.storage.join_folder import HEADS_FOLDER, JOINING_FOLDER, SNAPSHOTS_FOLDER, JoinFolder, finish_adoption
from coseal.node.storage.journal_file import JournalFile
from coseal.node.storage.sidecars import SIDECARS_FOLDER, SidecarFiles
from coseal.node.storage.snapshots import SnapshotFile, Snapshots
from coseal.node.storage.state_store import MAP_BYTES, LmdbStore, Marker, Pinned, UnreadableState

Progress: TypeAlias = Callable[[int, int], None]
"""``progress(height, tip)``: a block was replayed."""

BLOCKS_FOLDER: Final = "blocks"
JOURNAL_FOLDER: Final = "journal"
STATE_FOLDER: Final = "state"
HEADS_A_BLOCK: Final = 4
"""Heads written behind each block while pruning, so that pruning keeps up and never holds a vote up for long."""


@dataclass(frozen=True, slots=True)
class Policy:
    """``snapshot_blocks``: a snapshot at every multiple of this height, 0 for none. ``prune_keep_blocks``: the bodies
    to keep, None for all.
    """

    snapshot_blocks: int = 0
    prune_keep_blocks: int | None = None


@dataclass(frozen=True, slots=True)
class PinnedState:
    """The state after block ``height``, held still for a snapshot."""

    height: int
    entries: Pinned


class Storage:
    """The open data folder. ``notices`` says in words what opening it repaired.

    ``append_block``, the journal's methods, ``sync``, ``apply`` and ``prune_some`` belong to one thread; reads of
    ``executor.state`` to another; ``read_block`` and ``read_head`` to any.
    """

    def __init__(
        self,
        folder: Path,
        genesis: Genesis,
        *,
        admit: Admit = Transaction.decode,
        progress: Progress | None = None,
        policy: Policy | None = None,
        segment_bytes: int = SEGMENT_BYTES,
        map_bytes: int = MAP_BYTES,
    ) -> None:
        """Open ``folder`` and bring its state to the tip of its block log; raise ``StorageError``.

        ``admit`` is what the executor uses afterwards; the replay here trusts the signatures of its own log, not
        its results: every root is compared.
        """
        self.folder, self.genesis, self.policy = folder, genesis, policy or Policy()
        self.notices: list[str] = []
        self.pinned: PinnedState | None = None
        with ExitStack() as undo:
            undo.callback(os.close, lock_folder(folder))
            adopted = finish_adoption(folder, keep_bodies=self.policy.prune_keep_blocks is None)
            if adopted is not None:
                self.notices.append(f"joined the chain by the snapshot of height {adopted}")
            self.joining = JoinFolder(folder / JOINING_FOLDER)
            undo.callback(self.joining.close)
            self.heads = BlockLog(folder / HEADS_FOLDER, kind=HEAD, segment_bytes=segment_bytes)
            undo.callback(self.heads.close)
            pruned = self.heads.tip_height > 0
            self.blocks = BlockLog(folder / BLOCKS_FOLDER, segment_bytes=segment_bytes, begins_anywhere=pruned)
            undo.callback(self.blocks.close)
            self.snapshots = Snapshots(folder / SNAPSHOTS_FOLDER)
            undo.callback(self.snapshots.close)
            self.notices += self.blocks.notices + self.heads.notices + self.snapshots.notices
            self._require_whole()
            self._require_own_chain()
            self.sidecars = SidecarFiles(folder / SIDECARS_FOLDER)
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

    @property
    def first_height(self) -> int:
        """The height of the first block in the log: 1, or more on a node that pruned or joined by a snapshot."""
        return self.blocks.first_height

    def read_block(self, height: int) -> bytes | None:
        """Return the encoded ``CommittedBlock`` of a height, None beyond the log; raise ``Damaged``."""
        return self.blocks.read(height)

    def read_head(self, height: int) -> bytes | None:
        """Return the encoded ``Head`` of a height from 1 to the tip; raise ``Damaged``."""
        kept = self.heads.read(height)
        if kept is not None:
            return kept
        committed = self.committed(height)
        return None if committed is None else Head.of(committed).encode()

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
        self._write(height, block_hash, change)
        every = self.policy.snapshot_blocks
        if every and height % every == 0 and self.pinned is None:  # Z13
            self.pinned = PinnedState(height, self.store.pin())

    def make_snapshot(self) -> SnapshotFile:
        """Write the snapshot of the pinned state; for a thread of its own. Raises ``StorageError``."""
        pinned = self.pinned
        if pinned is None:
            raise ValueError("no state is pinned")
        try:
            return self.snapshots.make(
                pinned.entries.items, self._required(pinned.height), self.genesis.parameters.state_bits
            )
        finally:
            pinned.entries.close()
            self.pinned = None

    def pin(self) -> None:
        """Pin the state as it is on disk, for a snapshot that is asked for."""
        marker = self.store.marker
        if marker is None or marker.height < 1:
            raise StorageError(f"{self.folder} holds no committed block yet, so there is nothing to take a snapshot of")
        if self.pinned is None:
            self.pinned = PinnedState(marker.height, self.store.pin())

    def prune_some(self) -> None:
        """Prune a little, as the policy says; raise ``StorageError``."""
        keep = self.policy.prune_keep_blocks
        if keep is None:
            return
        goal = min(self.tip_height - keep, self.snapshots.newest_height - 1)  # Z14
        self.write_heads(min(goal, self.heads.tip_height + HEADS_A_BLOCK))
        following = self.blocks.second_file_height
        if following is not None and following <= self.heads.tip_height + 1:
            self.heads.sync()
            self.blocks.prune(self.heads.tip_height + 1)

    def write_heads(self, goal: int) -> None:
        """Write the heads of the blocks up to ``goal`` that are not written yet."""
        for height in range(self.heads.tip_height + 1, goal + 1):
            self.heads.append(height, Head.of(self._required(height)).encode())

    def close(self) -> None:
        """Sync and close everything, then free the folder."""
        if self.pinned is not None:
            self.pinned.entries.close()
            self.pinned = None
        self._open_files.close()

    def _marker(self, height: int, block_hash: bytes) -> Marker:
        return Marker(self.genesis.chain_id, self.genesis.parameters.state_bits, height, block_hash)

    def _require_whole(self) -> None:
        """Heads and blocks must leave no gap between them (an empty block log may start the chain again)."""
        if self.blocks.tip_height and self.blocks.first_height > self.heads.tip_height + 1:
            raise Damaged(
                f"{self.folder}: the blocks begin at height {self.blocks.first_height}, and the heads of pruned "
                f"blocks end at {self.heads.tip_height}: restore what is missing, or {how_to_repair(self.folder)}"
            )

    def _require_own_chain(self) -> None:
        first = self.committed(self.first_height)
        if first is not None and first.block.header.chain_id != self.genesis.chain_id:
            raise StorageError(
                f"{self.folder} holds blocks of the chain {first.block.header.chain_id.hex()}, "
                f"but the genesis file is of {self.genesis.chain_id.hex()}: use the right genesis, or an empty folder"
            )

    def _open_executor(self, admit: Admit, progress: Progress) -> Executor:
        """Return the executor at the log's tip, after replaying what the database lacks."""
        usable = self._usable_state()
        if usable is None:
            usable = self._snapshot_state() or (self._genesis_state(), 0)
        state, height = usable
        if height + 1 < self.first_height:
            raise Damaged(
                f"{self.folder}: the blocks begin at height {self.first_height}, and no snapshot from there on is "
                f"usable: restore snapshots/, or {how_to_repair(self.folder)}"
            )
        if height < self.tip_height:
            self._replay(self._executor(state, Transaction.decode, height), progress)
        return self._executor(state, admit, self.tip_height)

    def _executor(self, state: State, admit: Admit, height: int) -> Executor:
        time_ms = self._required(height).block.header.time_ms if height else None
        try:
            return Executor(self.genesis, state, admit, height=height, time_ms=time_ms, others=installed().contracts)
        except UnknownProtocol as error:
            raise NeedsRelease(str(error)) from None

    def _usable_state(self) -> tuple[State, int] | None:
        """Return the database's state and height if it is the state after some block of the log, else None."""
        marker = self.store.marker
        if marker is None or marker.height == 0:
            return None
        committed = self.committed(marker.height)
        if committed is None or marker != self._marker(marker.height, committed.block.hash):
            self.notices.append("the state database is not of this block log; it is rebuilt")
            return None
        try:
            state = State(self.store, marker.bits)
        except UnreadableState as error:
            self.notices.append(f"the state database is damaged ({error.reason}); it is rebuilt")
            return None
        if state.root != committed.block.header.state_root:
            self.notices.append(f"the state database is damaged (its root at height {marker.height}); it is rebuilt")
            return None
        return state, marker.height

    def _snapshot_state(self) -> tuple[State, int] | None:
        """Rebuild the database from the newest snapshot of a block of the log; None if there is none."""
        for snapshot in reversed(self.snapshots.all):
            committed = self.committed(snapshot.height)
            if committed is None or committed.block.hash != snapshot.manifest.header.hash:
                continue
            self.store.clear()
            nowhere = self._marker(0, self.genesis.chain_id)
            try:
                for entries in snapshot.entries():
                    self.store.write(entries, nowhere)
            except Damaged as error:
                self.notices.append(f"{error.reason}; an older one is used")
                continue
            self.store.renew()
            state = State(self.store, self.genesis.parameters.state_bits)
            if state.root != committed.block.header.state_root:  # Z9
                self.notices.append(
                    f"the snapshot of height {snapshot.height} gives another state root; it is not used"
                )
                continue
            self.store.write({}, self._marker(snapshot.height, committed.block.hash))
            self.notices.append(f"the state database is rebuilt from the snapshot of height {snapshot.height}")
            return state, snapshot.height
        return None

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

    def _write(self, height: int, block_hash: bytes, change: Change) -> None:
        self.store.write(change.entries, self._marker(height, block_hash))

    def _flush(self, state: State, change: Change, height: int, block_hash: bytes) -> None:
        self._write(height, block_hash, change)
        self.store.renew()
        state.flushed(change)


def _silent(height: int, tip: int) -> None:
    """Say nothing of the progress."""
