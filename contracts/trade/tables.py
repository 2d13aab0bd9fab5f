"""The tables of trade: receivables, offers, loans, what banks are exposed to."""

from __future__ import annotations

from typing import Final

from coseal.contracts.kernel.rows.schema import MADE, WRITTEN, Table, View, document, integer, text

RECEIVABLES: Final = Table(
    "receivables",
    "one row a receivable, in its present state",
    ("number",),
    (
        integer("number", "its number"),
        text("id", "`R` and its number"),
        text("debtor", "who owes it"),
        text("creditor", "who issued it"),
        text("holder", "to whom it is owed"),
        text("wallet", "where it is paid"),
        integer("amount", "fen when it began"),
        integer("outstanding", "fen that are left to pay"),
        integer("due_ms", "when it is due"),
        text("status", "`proposed`, `accepted`, `overdue`, `recourse`, `written_off`, `split`, `settled`, ..."),
        text("parent", "the receivable that it is a part of, or empty"),
        integer("hands", "how many held it before"),
        text("financier", "the bank that finances it, or empty"),
        text("pledgee", "the bank that has it in pledge, or empty"),
        text("loan", "the loan that it is the pledge of, or empty"),
        integer("disputed", "1 while it is disputed"),
        integer("nettable", "1 if its debtor agreed to netting"),
        text("run", "the netting run that it entered last, or empty"),
        *WRITTEN,
        document("of one that was issued: `invoice`, `lines`, `tax`"),
    ),
    indexes=(
        ("receivables_by_holder", "(holder, number)"),
        ("receivables_by_debtor", "(debtor, number)"),
    ),
)
OFFERS: Final = Table(
    "offers",
    "one row a receivable and receiver, or bank: the last offer",
    ("receivable", "member"),
    (
        text("receivable", "for which receivable"),
        text("member", "its receiver, or the bank that made it"),
        text("kind", "`transfer`, `assignment` or `pledge`"),
        text("maker", "who made it"),
        text("status", "`open`, `accepted` or `withdrawn`; an open one may be over"),
        integer("advance", "fen that a bank pays; 0 for a transfer"),
        integer("fee", "fen that a bank takes; 0 for a transfer"),
        integer("expires_ms", "when it is over"),
        *MADE,
    ),
)
LOANS: Final = Table(
    "loans",
    "one row a loan on a receivable, in its present state",
    ("number",),
    (
        integer("number", "its number"),
        text("id", "`L` and its number"),
        text("bank", "who lends"),
        text("borrower", "who repays"),
        text("receivable", "its pledge"),
        integer("advance", "fen that were lent"),
        integer("charge", "fen of the fee"),
        integer("principal", "fen of the advance that are left"),
        integer("fee", "fen of the fee that are left"),
        text("status", "`open` or `repaid`"),
        *WRITTEN,
    ),
)
EXPOSURES: Final = Table(
    "exposures",
    "one row a bank and debtor",
    ("bank", "debtor"),
    (
        text("bank", "who finances"),
        text("debtor", "who owes"),
        integer("exposure", "fen that are outstanding of what the bank finances"),
        integer("allowed", "the bank's limit on the debtor in fen"),
        *WRITTEN,
    ),
)
NETTING_RUNS: Final = Table(
    "netting_runs",
    "one row a netting run, in its present state",
    ("number",),
    (
        integer("number", "its number"),
        text("id", "`N` and its number"),
        text("opener", "who opened it"),
        integer("closes_ms", "until when receivables enter it; it clears in the hour after that"),
        text("status", "`open`, `cleared` or `lapsed`"),
        integer("total", "fen that cleared"),
        *WRITTEN,
    ),
)
NETTING_OBLIGATIONS: Final = Table(
    "netting_obligations",
    "one row a run and receivable that entered it",
    ("run", "number"),
    (
        text("run", "the run"),
        integer("number", "the receivable's number"),
        text("receivable", "`R` and its number"),
        text("debtor", "who owes it"),
        text("holder", "to whom"),
        integer("amount", "fen outstanding when it entered, or before it cleared"),
        integer("cleared", "fen that cleared"),
        text("status", "`entered`, `withdrawn` or `cleared`"),
        *WRITTEN,
    ),
)
TABLES: Final = (RECEIVABLES, OFFERS, LOANS, EXPOSURES, NETTING_RUNS, NETTING_OBLIGATIONS)

VIEWS: Final = (
    View(
        "open_receivables",
        "one row a receivable that is owed, in yuan",
        (
            ("id", "`R` and its number"),
            ("debtor", "who owes it"),
            ("holder", "to whom"),
            ("yuan", "what is outstanding, with two decimals"),
            ("due_ms", "when it is due"),
            ("status", "its status"),
        ),
        "SELECT id, debtor, holder, outstanding / 100.0 AS yuan, due_ms, status FROM receivables"
        " WHERE status IN ('accepted', 'overdue', 'recourse', 'written_off')",
    ),
)
