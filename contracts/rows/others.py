"""Rows of contracts of others: of each block by the version that it ran with, in tables of their own.

Law: which version that is follows from the genesis and the blocks before; what such a contract does wrong here costs
its own rows and is named, with the reason, in ``contracts`` or ``left_out``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, NamedTuple

from coseal.contracts.kernel.admitted import Admitted, in_force
from coseal.contracts.kernel.contract import Contract
from coseal.contracts.kernel.rows.buffer import Rows
from coseal.contracts.kernel.rows.place import BEGIN, Act
from coseal.contracts.kernel.rows.schema import Table
from coseal.contracts.kernel.rows.writer import Writer
from coseal.contracts.registry import Others
from coseal.contracts.rows.tables import ACTS, OTHERS
from coseal.ledger.block import Receipt
from coseal.ledger.genesis import Sources
from coseal.ledger.transaction import Transaction

COMING: Final = "it is not in force yet"
NOT_INSTALLED: Final = "not installed where this index was written: install it, then rebuild the index"


class Unwritten(Exception):
    """The rows of a contract are not made here; the text says why."""


class _Version(NamedTuple):
    """One version: ``reason`` is why its tables are not here, empty if they are."""

    admitted: Admitted
    reason: str


class OthersRows:
    """What contracts of others write. ``at`` moves it to a block, ``admit`` takes what comes into force."""

    def __init__(self, rows: Rows, known: Others, genesis: Sequence[Sources]) -> None:
        self._rows, self._known, self._genesis = rows, known, genesis
        self._versions = [
            _Version(Admitted(Sources(row["name"], row["version"], row["sha256"]), row["first_height"]), row["reason"])
            for row in rows.each(OTHERS)
        ]
        self._writers: dict[str, Writer] | None = None
        self._in_force: dict[str, _Version] = {}
        self._changes = 0
        for version in self._versions:
            contract = known.get(version.admitted.sources)
            if not version.reason and contract is not None:
                rows.take(self._kept(contract), create=False)

    @property
    def idle(self) -> bool:
        """Whether no contract of others ever came into force or will, as far as the blocks say."""
        return not self._versions and not self._genesis

    def at(self, height: int) -> None:
        """Have what is put from now on be of the block ``height``."""
        if height == 1 and self._genesis and not self._versions:
            self.admit([Admitted(sources, 1) for sources in self._genesis])
        if self._writers is None or height >= self._changes > 0:
            self._compose(height)

    def _compose(self, height: int) -> None:
        for number, version in enumerate(self._versions):
            if version.reason == COMING and version.admitted.first_height <= height:
                self._versions[number] = self._noted(version.admitted, self._make(version.admitted.sources))
        entries = {version.admitted: version for version in self._versions}
        self._in_force = {entry.sources.name: entries[entry] for entry in in_force(sorted(entries), height)}
        later = [entry.first_height for entry in entries if entry.first_height > height]
        self._changes = min(later, default=0)
        self._writers = {}

    def admit(self, entries: Sequence[Admitted]) -> None:
        """Note what comes into force; the tables that it adds are made in the block ``first_height``."""
        for entry in entries:
            self._versions.append(self._noted(entry, COMING))
            self._changes = min(self._changes or entry.first_height, entry.first_height)

    def _noted(self, entry: Admitted, reason: str) -> _Version:
        """Put the row of a version, with why its tables are not there."""
        place = {"height": max(entry.first_height - 1, 1), "position": BEGIN}
        row = {**entry.sources._asdict(), "first_height": entry.first_height, "reason": reason, **place}
        self._rows.of(OTHERS).put(row)
        return _Version(entry, reason)

    def _make(self, sources: Sources) -> str:
        """Make the tables that a version adds to those of the versions before; say why not, or nothing."""
        contract = self._known.get(sources)
        if contract is None:
            return NOT_INSTALLED
        present: dict[str, Table] = {}
        for version in self._versions:
            if version.admitted.sources.name == sources.name and not version.reason:
                before = self._known.get(version.admitted.sources)
                if before is None:
                    return f"version {version.admitted.sources.version}, whose tables are here, is not installed"
                present |= {table.name: table for table in self._kept(before)}
        added = []
        for table in self._kept(contract):
            if table.name not in present:
                added.append(table)
            elif table.structure != present[table.name].structure:  # W13
                return f"its table {table.name} is not that of the version before: it needs another name"
        self._rows.take(added, create=True)
        return ""

    def _kept(self, contract: Contract) -> list[Table]:
        return [table for table in contract.tables if self._rows.holds(ACTS) or not table.detail]

    def concerned(self, tx: Transaction | None, receipt: Receipt) -> Iterator[str]:
        """Yield the names of the contracts in force that have rows of a transaction, or of a block's start."""
        if tx is None:
            yield from (name for name in self._in_force if receipt.data.get(name) and self._has_rows(name))
        elif receipt.ok and tx.contract in self._in_force and self._has_rows(tx.contract):
            yield tx.contract

    def _has_rows(self, name: str) -> bool:
        version = self._in_force[name]
        contract = self._known.get(version.admitted.sources)
        return contract is None or contract.rows is not None

    def put(self, name: str, tx: Transaction | None, receipt: Receipt, act: Act) -> None:
        """Put the rows of a contract; raise ``Unwritten``, or whatever the contract does."""
        version = self._in_force[name]
        if version.reason:
            raise Unwritten(f"contract {name} version {version.admitted.sources.version}: {version.reason}")
        writer = self._writer(name, version)
        if tx is None:
            if writer.due is not None:
                writer.due(receipt.data[name], act)
            return
        put = writer.accepted.get(f"{name}.{tx.action}")
        if put is not None:
            put(tx, receipt.data, act)

    def finish(self, name: str = "") -> None:
        """Have contracts put what rows count up to: one, or all that put something since the block began."""
        writers: Mapping[str, Writer] = self._writers or {}
        for each in [name] if name else writers:
            writer = writers.get(each)
            if writer is not None and writer.finish is not None:
                writer.finish()

    def _writer(self, name: str, version: _Version) -> Writer:
        made = self._writers
        if made is None:
            raise Unwritten(f"no block was begun for the rows of {name}")
        if name not in made:
            contract = self._known[version.admitted.sources]
            rows: Any = contract.rows
            made[name] = rows(self._rows.only(contract.tables))
        return made[name]
