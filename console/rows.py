"""Transactions as rows of a table, the same on every page that lists some.

Law: a row says who did what and its outcome, from the verified block itself.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from coseal.console.html import Child, Html
from coseal.console.page import Page
from coseal.console.parts import height_link, member_link, moment, outcome, table, transaction_link
from coseal.ledger.block import CommittedBlock, Receipt
from coseal.ledger.transaction import Transaction


@dataclass(frozen=True, slots=True)
class TransactionRow:
    """A committed transaction in a list."""

    height: int
    index: int
    time_ms: int
    transaction: Transaction
    receipt: Receipt


def transaction_rows(blocks: Iterable[CommittedBlock], limit: int) -> list[TransactionRow]:
    """Return the last transactions of blocks given newest first, newest first, at most ``limit``."""
    rows: list[TransactionRow] = []
    for committed in blocks:
        header = committed.block.header
        for index in range(header.tx_count - 1, -1, -1):
            if len(rows) == limit:
                return rows
            transaction = Transaction.decode(committed.block.transactions[index])
            receipt = Receipt.decode(committed.receipts[index + 1])
            rows.append(TransactionRow(header.height, index, header.time_ms, transaction, receipt))
    return rows


def action_words(page: Page, contract: str, action: str) -> str:
    """Return what an action does, in words; its name where the catalogue has none."""
    return page.t_or(f"action.{contract}.{action}", f"{contract}.{action}")


def transaction_table(page: Page, rows: Iterable[TransactionRow], *, of_one_block: bool = False) -> Html:
    """Return transactions as a table; those of one block with their place in it instead of block and time."""
    cells: list[list[Child]] = []
    for row in rows:
        place: list[Child] = [height_link(page, row.height), moment(page, row.time_ms, ago=True)]
        cells.append(
            [
                *([page.number(row.index)] if of_one_block else place),
                member_link(row.transaction.sender),
                action_words(page, row.transaction.contract, row.transaction.action),
                outcome(page, ok=row.receipt.ok, code=row.receipt.code),
                transaction_link(page, row.transaction.id.hex()),
            ]
        )
    first = ("row.place",) if of_one_block else ("row.block", "row.when")
    columns = (*first, "row.sender", "row.action", "row.outcome", "row.id")
    return table(page, "row.transactions", columns, cells)
