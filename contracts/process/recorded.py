"""The items that a transaction recorded, wherever they stand: in its arguments, or as appended in its receipt.

Law: everything that reads items of a block (rows, the HTTP interface, streams, exports, bundles) reads them here, so
all of them see the same items in the same order.

Contracts append items by ``process.append``; where receipts have them is rule T17 of contracts/process/README.md.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final, NamedTuple

from coseal.contracts.kernel.action import APPENDED
from coseal.contracts.process.chain import Item, item_hash
from coseal.ledger.block import Receipt
from coseal.ledger.transaction import Transaction

LEDGER: Final = "/ledger/"
RESERVED_SOURCES: Final = "ledger/"
"""Source ids that begin with this are those of contracts (``process.append``)."""


class RecordedItem(NamedTuple):
    """An item as it was recorded: its source (``member/source``), its number there, and its process type."""

    source: str
    sequence: int
    item: Item
    process_type: str

    @property
    def member(self) -> str:
        """The member whose source it is."""
        return self.source.partition("/")[0]

    @property
    def hash(self) -> bytes:
        """The hash by which it is chained; computed at each use."""
        return item_hash(self.source, self.sequence, self.item)


def recorded_items(transaction: Transaction | None, receipt: Receipt) -> Iterator[RecordedItem]:
    """Yield what a transaction recorded, in ledger order; nothing if it was refused.

    ``transaction`` is None for a block's first receipt, whose data are by contract.
    """
    if transaction is None:
        for contract in sorted(receipt.data):
            yield from appended_items(receipt.data[contract])
    elif receipt.ok:
        yield from accepted_items(transaction, receipt.data)


def accepted_items(transaction: Transaction, data: Mapping[str, Any]) -> Iterator[RecordedItem]:
    """Yield what an accepted transaction recorded; ``data`` are those of its receipt."""
    if (transaction.contract, transaction.action) == ("process", "record"):
        source, process_type = data["source"], data["process_type"]
        for sequence, item in enumerate(transaction.args["items"], data["first"]):
            yield RecordedItem(source, sequence, item, process_type)
    yield from appended_items(data)


def appended_items(data: Mapping[str, Any]) -> Iterator[RecordedItem]:
    """Yield what a contract appended; ``data`` are those of a receipt, or the contract's of a block's first one."""
    for source, sequence, item in data.get(APPENDED, ()):  # T17
        yield RecordedItem(source, sequence, item, source.partition(LEDGER)[2])
