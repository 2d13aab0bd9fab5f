"""Rows of blocks whose making failed: put again part by part, so that a fault costs the transaction it is of.

Law: an index never stops for what one transaction says. What cannot be put is left out by name (``LEFT_OUT``), all
else is as it would be; what the database or the machine is to blame for is raised as it is.

This is the slow way: it flushes after each transaction, so that a value the database cannot take is found with it. Who
writes an index tries ``BlockRows.write`` for many blocks first, and comes here with those that failed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final, Protocol

from coseal.contracts.kernel.rows.buffer import Database, Rows
from coseal.contracts.kernel.rows.schema import Table
from coseal.contracts.rows.blocks import BlockRows, Part, parts_of
from coseal.ledger.block import CommittedBlock, Receipt
from coseal.ledger.transaction import Transaction

REASON_MAX: Final = 400


class Undoing(Database, Protocol):
    """A database with savepoints, which can tell its own troubles from those of a row."""

    def execute(self, statement: str) -> None:
        """Carry out a statement without parameters."""
        ...

    def blames_row(self, error: Exception) -> bool:
        """Say whether an error is of what was to be written, and not of the disk, the connection or the file."""
        ...


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A transaction without rows: its place (position -1: what was due), ``contract.action``, and the fault."""

    height: int
    position: int
    name: str
    error: Any  # an exception; see contracts.kernel.overlay.Fault


def write_contained(
    database: Undoing,
    tables: Sequence[Table],
    committed: CommittedBlock,
    transactions: Sequence[Transaction] = (),
    decode_receipt: Callable[[bytes], Receipt] = Receipt.decode,
) -> Iterator[LeftOut]:
    """Write the rows of a block inside the caller's transaction; yield what is left out."""
    rows = Rows(database, tables)
    blocks = BlockRows(rows)
    blocks.begin(committed)
    rows.flush()
    for part in parts_of(committed, transactions, decode_receipt):
        database.execute("SAVEPOINT part")
        try:
            _put(blocks, rows, part)
        except Exception as error:
            if not database.blames_row(error):
                raise
            database.execute("ROLLBACK TO SAVEPOINT part")
            rows = Rows(database, tables)  # what it holds belongs to what was undone
            blocks = BlockRows(rows)
            blocks.leave_out(part, reason_of(error))
            rows.flush()
            yield LeftOut(*part.act.where, part.name, error)
        database.execute("RELEASE SAVEPOINT part")


def reason_of(error: Exception) -> str:
    """Return a fault as a text that every database can hold."""
    said = f"{type(error).__name__}: {error}".encode("utf-8", "replace").decode()
    return said.replace("\x00", "")[:REASON_MAX]


def _put(blocks: BlockRows, rows: Rows, part: Part) -> None:
    blocks.put(part)
    blocks.finish()
    rows.flush()
