"""Filling an index from blocks, each verified before its rows are written.

Law: a row is written only from a block that an audit from the genesis on has accepted: its header follows, a quorum
certified it, transactions and receipts are those of its roots, with ``replay`` also all outcomes. A run of blocks is
written whole or not at all, so whatever ends a sync, the next one continues.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from coseal.audit.audit import Progress, audit
from coseal.audit.replay import Replay
from coseal.audit.report import AuditReport, Level, Verdict
from coseal.audit.sources import Damaged, Source, Unreachable
from coseal.contracts.installed import installed
from coseal.contracts.kernel.rows.buffer import Rows
from coseal.contracts.rows.blocks import BlockRows, LeftOut, reason_of
from coseal.contracts.rows.contained import write_contained
from coseal.contracts.rows.tables import TABLES
from coseal.errors import CosealError
from coseal.ledger.block import CommittedBlock
from coseal.ledger.genesis import Genesis, Sources
from coseal.sql.store import Standing, Store

CACHED_ROWS: Final = 200_000
"""How many rows a sync keeps in memory, some 100 MB: a row that is there need not be asked for."""


@dataclass(frozen=True, slots=True)
class Synced:
    """The result of a sync: where the index stood and stands, the highest tip any source claims (None if none could be
    asked), and what was found; ``report`` is None if there was nothing to do.
    """

    before: Standing
    after: Standing
    tip: int | None
    report: AuditReport | None
    left_out: tuple[LeftOut, ...] = ()
    """Transactions of these blocks whose rows could not be made, by a fault of the software."""

    def to_json(self) -> dict[str, Any]:
        """Return it as JSON values."""
        return {
            "ok": self.report is None or self.report.verdict is Verdict.OK,
            "height": self.after.height,
            "blocks": self.after.height - self.before.height,
            "hash": self.after.hash.hex(),
            "replayed": self.after.replayed,
            "tip": self.tip,
            "lag": None if self.tip is None else max(0, self.tip - self.after.height),
            "left_out": [
                [one.height, one.position, one.name, reason_of(one.error), one.contract] for one in self.left_out
            ],
            "audit": None if self.report is None else self.report.to_json(),
        }


def sync(
    store: Store,
    sources: Sequence[Source],
    genesis: Genesis,
    *,
    last: int | None = None,
    replay: bool = False,
    progress: Progress | None = None,
    state: Replay | None = None,
) -> Synced:
    """Take into the index what is missing up to height ``last`` (None: the highest tip any source claims).

    ``replay`` computes every outcome again, from the genesis on, also of blocks that are in the index already, and
    leaves the state in ``state``, if given. Raises ``CosealError`` for an index that is not of this chain or version,
    and for what the database cannot do.
    """
    before = store.prepare(genesis)
    tip = highest_tip(sources)
    goal = tip if last is None else last
    if goal is not None and goal <= (before.replayed if replay else before.height):
        return Synced(before, before, tip, None)
    filling = _Filling(store, before, genesis.contracts, replay=replay)
    report = audit(
        sources,
        genesis,
        Level.REPLAY if replay else Level.MERKLE,
        first=1 if replay else before.height + 1,
        last=goal,
        pin=(before.height, before.hash) if before.height else None,
        progress=progress,
        take=filling.take,
        replay=state,
    )
    after = store.standing()
    if after is None:
        raise CosealError(f"{store.name} was removed meanwhile", "run it again")
    return Synced(before, after, tip, report, tuple(filling.left_out))


def highest_tip(sources: Sequence[Source]) -> int | None:
    """Return the highest tip any source claims, None if none of them answers."""
    tips = []
    for source in sources:
        try:
            tips.append(source.tip())
        except (Unreachable, Damaged):
            continue
    return max(tips, default=None)


class _Filling:
    """Writes verified blocks, run by run."""

    def __init__(self, store: Store, standing: Standing, in_genesis: Sequence[Sources], *, replay: bool) -> None:
        self._in_genesis = in_genesis
        self._store, self._replay = store, replay
        self._height, self._replayed = standing.height, standing.replayed
        self.left_out: list[LeftOut] = []
        self._fresh()

    def _fresh(self) -> None:
        self._rows, self._blocks = self._blank()

    def _blank(self) -> tuple[Rows, BlockRows]:
        rows = Rows(self._store, TABLES, CACHED_ROWS)
        return rows, BlockRows(rows, installed().contracts, self._in_genesis)

    def take(self, blocks: Sequence[CommittedBlock]) -> None:
        """Write the rows of those blocks that are new, and how far the index goes now."""
        last = blocks[-1].block.header
        replayed = max(self._replayed, last.height) if self._replay else self._replayed
        notes = {"replayed": str(replayed)}
        if last.height > self._height:
            notes |= {"height": str(last.height), "hash": last.hash.hex(), "time_ms": str(last.time_ms)}
        with self._store.transaction():
            self._store.require_height(self._height)
            self._write([committed for committed in blocks if committed.block.header.height > self._height])
            self._store.note(notes)
        self._height, self._replayed = max(self._height, last.height), replayed

    def _write(self, blocks: Sequence[CommittedBlock]) -> None:
        """Write the rows of blocks; if that fails for what one of them says, again and without that."""
        store = self._store
        store.execute("SAVEPOINT run")
        try:
            for committed in blocks:
                self._blocks.write(committed)
            self._rows.flush()
            self.left_out += self._blocks.take_left()
        except Exception as error:
            if not store.blames_row(error):
                raise
            store.execute("ROLLBACK TO SAVEPOINT run")
            for committed in blocks:
                self.left_out += list(write_contained(store, self._blank, committed))
            self._fresh()
        store.execute("RELEASE SAVEPOINT run")
