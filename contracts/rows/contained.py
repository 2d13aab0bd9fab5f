"""Rows of blocks whose making failed: put again part by part, so that a fault costs the transaction it is of.

Law: an index never stops for what one transaction says. What cannot be put is left out by name (``LEFT_OUT``), all
else is as it would be, and a contract of others costs its own rows alone; what the database or the machine is to blame
for is raised as it is.

This is the slow way: it flushes after each transaction, so that a value the database cannot take is found with it. Who
writes an index tries ``BlockRows.write`` for many blocks first, and comes here with those that failed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any, Protocol

from coseal.contracts.kernel.rows.buffer import Database, Rows
from coseal.contracts.rows.blocks import BlockRows, LeftOut, Part, parts_of
from coseal.ledger.block import CommittedBlock, Receipt
from coseal.ledger.transaction import Transaction


class Undoing(Database, Protocol):
    """A database with savepoints, which can tell its own troubles from those of a row."""

    def blames_row(self, error: Exception) -> bool:
        """Say whether an error is of what was to be written, and not of the disk, the connection or the file."""
        ...


def write_contained(
    database: Undoing,
    blank: Callable[[], tuple[Rows, BlockRows]],
    committed: CommittedBlock,
    transactions: Sequence[Transaction] = (),
    decode_receipt: Callable[[bytes], Receipt] = Receipt.decode,
) -> Iterator[LeftOut]:
    """Write the rows of a block inside the caller's transaction; yield what is left out.

    ``blank`` makes rows over the database, and what puts those of blocks into them.
    """
    rows, blocks = blank()
    blocks.begin(committed)
    rows.flush()
    for part in parts_of(committed, transactions, decode_receipt):
        fault = _tried(database, rows, partial(_put, blocks, rows, part))
        if fault is not None:
            rows, blocks = blank()  # what they hold belongs to what was undone
            yield blocks.leave_out(part, fault)
            rows.flush()
            continue
        for name in blocks.concerned(part):
            fault = _tried(database, rows, partial(blocks.put_of, name, part))
            if fault is not None:
                rows, blocks = blank()
                yield blocks.leave_out(part, fault, name)
                rows.flush()


def _tried(database: Undoing, rows: Rows, put: Callable[[], None]) -> Any:
    """Put and flush something, or nothing of it; return the exception that it is to blame for, or None."""
    database.execute("SAVEPOINT part")
    fault: Any = None
    try:
        put()
        rows.flush()
    except Exception as error:
        if not database.blames_row(error):
            raise
        fault = error
        database.execute("ROLLBACK TO SAVEPOINT part")
    database.execute("RELEASE SAVEPOINT part")
    return fault


def _put(blocks: BlockRows, rows: Rows, part: Part) -> None:
    blocks.put(part)
    blocks.finish()
    rows.flush()
