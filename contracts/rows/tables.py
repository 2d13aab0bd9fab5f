"""All tables and views of the index, and the version they are of.

Law: every row says the (height, position) it is from, ``item_objects`` by its item; times are integer ms since the
epoch, hashes are bytes. Raise ``VERSION`` with any change here or in the rows written: an index of another version is
built anew from the blocks.
"""

from __future__ import annotations

from typing import Final

from coseal.contracts.kernel.rows.schema import MADE, Table, View, document, integer, octets, text
from coseal.contracts.registry import CONTRACTS

VERSION: Final = 36

BLOCKS: Final = Table(
    "blocks",
    "one row a block",
    ("height",),
    (
        integer("height", "its height; the first is 1"),
        octets("hash", "its hash"),
        integer("time_ms", "its time"),
        text("proposer", "node that proposed it"),
        integer("round", "round in which it was decided"),
        integer("transactions", "how many it has"),
    ),
)
TRANSACTIONS: Final = Table(
    "transactions",
    "one row a committed transaction, accepted or rejected",
    ("height", "position"),
    (
        octets("id", "its id, the hash of what was signed"),
        *MADE,
        text("sender", "`member/user` that signed it"),
        text("contract", "`membership`, `policy`, `process`, `supervision`, ..."),
        text("action", "what it does"),
        text("code", "`ok`, or why the contract rejected it"),
    ),
    indexes=(("transactions_by_id", "(id)"),),
)
ACTS: Final = Table(
    "acts",
    "each transaction and its outcome",
    ("height", "position"),
    (
        *MADE,
        text("member", "member that acted"),
        text("name", "`contract.action`"),
        integer("ok", "1 if it was accepted, 0 if not"),
        text("detail", "why it was rejected, in words"),
        document("its arguments; those of `process.record` without their items, which are in `items`", "arguments"),
        document("what the contract answered, as in the receipt", "data"),
    ),
    indexes=(("acts_by_name", "(name, height, position)"),),
    detail=True,
)

LEFT_OUT: Final = Table(
    "left_out",
    "transactions whose rows could not be made, by a fault of the software: they have a row in `transactions` only,"
    " or all but the rows of one contract of others",
    ("height", "position", "contract"),
    (
        *MADE,
        text("contract", "the contract of others whose rows are left out; empty: all rows"),
        text("name", "`contract.action`, or `begin`"),
        text("reason", "the fault, for those who fix it"),
    ),
)
OTHERS: Final = Table(
    "contracts",
    "contracts of others, a row for each version that came into force",
    ("name", "version"),
    (
        text("name", "its name"),
        integer("version", "its version"),
        text("sha256", "SHA-256 of its sources, hexadecimal"),
        integer("first_height", "first block that ran with it"),
        text("reason", "why its tables are not here; empty if they are"),
        *MADE,
    ),
)

TABLES: Final = (
    *(BLOCKS, TRANSACTIONS, ACTS, LEFT_OUT, OTHERS),
    *(table for contract in CONTRACTS.values() for table in contract.tables),
)
"""Every table."""
CORE: Final = tuple(table for table in TABLES if not table.detail)
"""The tables a node keeps: it finds an item's content in its blocks."""
VIEWS: Final[tuple[View, ...]] = tuple(view for contract in CONTRACTS.values() for view in contract.views)
"""Views over all tables, for people."""
