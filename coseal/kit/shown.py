"""What an index, a stream and lists show of a contract on trial, made as nodes make it, in memory.

Law: what a node would contain is collected in ``faults``, and all else is shown as a node shows it.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

from coseal.contracts.block_events import CANNOT_BE_SHOWN, raised_by
from coseal.contracts.kernel.contract import Contract
from coseal.contracts.kernel.lists import List
from coseal.contracts.kernel.rows.buffer import Rows
from coseal.contracts.kernel.rows.place import BEGIN, Act
from coseal.contracts.kernel.rows.schema import SQLITE, definitions
from coseal.contracts.rows.blocks import BlockRows, Part
from coseal.contracts.rows.tables import TABLES
from coseal.ledger.block import Receipt
from coseal.ledger.genesis import Sources
from coseal.ledger.transaction import Transaction
from coseal.sql.sqlite import SqliteStore

_LIMIT = 1_000


class Shown:
    """``rows`` and ``entries`` are what is there by now, ``events`` and ``faults`` all that came so far."""

    def __init__(self, contract: Contract, sources: Sources) -> None:
        self._contract, self._sources = contract, sources
        self._store = SqliteStore(Path(":memory:"))
        for statement in definitions(TABLES, (), SQLITE):
            self._store.execute(statement)
        self.events: list[tuple[str, dict[str, Any]]] = []
        self.faults: list[str] = []
        self._blank()

    def _blank(self) -> None:
        self._rows = Rows(self._store, TABLES)
        self._blocks = BlockRows(self._rows, {self._sources: self._contract}, (self._sources,))

    def take(self, height: int, time_ms: int, begun: Receipt, done: list[tuple[Transaction, Receipt]]) -> None:
        """Take a block, by its first receipt and its transactions with theirs."""
        self._part(Part(None, begun, Act("", b"", time_ms, height, BEGIN)))
        for position, (tx, receipt) in enumerate(done):
            self._part(Part(tx, receipt, Act(tx.sender, tx.id, time_ms, height, position)))

    def _part(self, part: Part) -> None:
        self._blocks.put(part)
        for name in self._blocks.concerned(part):
            self._tried(f"the rows of {part.name}", partial(self._put, name, part))
        data = part.receipt.data.get(self._contract.name) if part.tx is None else part.receipt.data
        own = part.tx is None or part.tx.contract == self._contract.name
        for kind, view in raised_by(self._contract, part.name, data) if part.receipt.ok and own and data else ():
            self.events.append((kind, view))
            if CANNOT_BE_SHOWN in view:
                self.faults.append(f"the events {kind} of {part.name}: {view[CANNOT_BE_SHOWN]}")

    def _put(self, name: str, part: Part) -> None:
        self._blocks.put_of(name, part)
        self._rows.flush()

    def _tried(self, what: str, put: Any) -> None:
        self._store.execute("SAVEPOINT part")
        try:
            put()
        except Exception as error:
            self.faults.append(f"{what}: {type(error).__name__}: {error}")
            self._store.execute("ROLLBACK TO SAVEPOINT part")
            self._blank()
        self._store.execute("RELEASE SAVEPOINT part")

    def rows(self, table: str) -> list[dict[str, Any]]:
        """Return the rows of one of its tables."""
        found = next(one for one in self._contract.tables if one.name == table)
        self._rows.flush()
        return list(self._rows.each(found))

    def entries(self, name: str, order: str = "", **filters: str) -> list[dict[str, Any]]:
        """Return what a list shows, as far as one page of a node holds it."""
        listed = next(one for one in self._contract.lists if one.name == name)
        self._rows.flush()
        query = listed.select(filters, listed.order(order), after=False)
        found = self._store.mappings(query, {**filters, "limit": _LIMIT})
        return [listed.entry(listed.row(row)) for row in found]

    def try_lists(self) -> None:
        """Ask each list with each filter and order, as long as nothing is wrong."""
        if not self.faults:
            self.faults += self._list_faults()

    def _list_faults(self) -> Iterator[str]:
        for listed in self._contract.lists:
            tries: list[tuple[dict[str, str], str]] = [({}, order.name) for order in listed.orders]
            tries += [({one.name: one.values[0] if one.values else "1"}, "") for one in listed.filters]
            for filters, order in tries:
                try:
                    _require_shown(listed, self.entries(listed.name, order, **filters))
                except Exception as error:
                    asked = ", ".join([*filters, *([order] if order else [])]) or "no filter"
                    yield f"{listed.name} with {asked}: {type(error).__name__}: {error}"


def _require_shown(listed: List, entries: list[dict[str, Any]]) -> None:
    json.dumps(entries)
    for entry in entries:
        listed.state_key(entry)
        missing = [name for name in listed.columns if name not in entry]
        if missing:
            raise LookupError(f"an entry lacks {', '.join(missing)}, which its columns name")
