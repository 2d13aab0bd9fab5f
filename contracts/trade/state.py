"""Where the trade contract keeps what in the state: the only place where its keys are spelt."""

from __future__ import annotations

from typing import Final

from coseal.contracts.kernel import deadlines

NAME: Final = "trade"
OPEN_KEY: Final = "trade/open"
COUNT_KEY: Final = "trade/count"
FELL_DUE: Final = "fell_due"
"""What the first receipt of a block lists that fell due, each as an act's."""

KEYS: Final = {
    OPEN_KEY: "how long a netting run is open at least in ms, if less than an hour",
    COUNT_KEY: "how many receivables, loans and netting runs there ever were",
    "trade/receivable/<n>": "a receivable: who owes it to whom, what of it is left, whether it is pledged",
    "trade/claimed/<n>": "the lines on which a receivable was issued, until it is accepted or ends",
    "trade/invoice/<creditor>/<fingerprint>": "the receivable that took an invoice; absent: it was never registered",
    "trade/line/<debtor>/<type>/<kind>/<object>": "what of a line is owed already, over all creditors",
    "trade/offer/<n>/<member>": "what is offered to a receiver, or by a bank, for a receivable",
    "trade/loan/<n>": "a loan with a receivable as its pledge",
    "trade/limit/<bank>/<debtor>": "how much of what a debtor owes a bank finances at most",
    "trade/exposure/<bank>/<debtor>": "what a debtor owes on receivables that a bank finances; absent: nothing",
    "trade/book/<bank>": "what all debtors owe on receivables that a bank finances; absent: nothing",
    "trade/capital/<bank>": "the capital that a bank last reported; absent: it reported none",
    "trade/run/<n>": "a netting run: who opened it, when it closes, what it cleared",
    "trade/entered/<n>": "the receivables that are in a netting run, and how often each party is named",
    "trade/running/<member>": "the netting run that a member opened last",
    **deadlines.keys(NAME),
}
OPEN_KEYS: Final = ("trade/claimed/", "trade/offer/", "trade/entered/", *deadlines.open_keys(NAME))


def receivable_key(number: int) -> str:
    """Return the state key of a receivable."""
    return f"trade/receivable/{number}"


def claimed_key(number: int) -> str:
    """Return the state key of the lines on which a receivable was issued."""
    return f"trade/claimed/{number}"


def invoice_key(creditor: str, fingerprint: str) -> str:
    """Return the state key of an invoice by its fingerprint (``ledger.fingerprint``)."""
    return f"trade/invoice/{creditor}/{fingerprint}"


def line_key(debtor: str, process_type: str, object_type: str, object_id: str) -> str:
    """Return the state key of what a debtor owes on a line."""
    return f"trade/line/{debtor}/{process_type}/{object_type}/{object_id}"


def offer_key(number: int, member: str) -> str:
    """Return the state key of an offer for a receivable, by its receiver or the bank that made it."""
    return f"trade/offer/{number}/{member}"


def loan_key(number: int) -> str:
    """Return the state key of a loan."""
    return f"trade/loan/{number}"


def limit_key(bank: str, debtor: str) -> str:
    """Return the state key of a bank's limit on a debtor."""
    return f"trade/limit/{bank}/{debtor}"


def exposure_key(bank: str, debtor: str) -> str:
    """Return the state key of what a debtor owes on receivables that a bank finances."""
    return f"trade/exposure/{bank}/{debtor}"


def book_key(bank: str) -> str:
    """Return the state key of what all debtors owe on receivables that a bank finances."""
    return f"trade/book/{bank}"


def capital_key(bank: str) -> str:
    """Return the state key of the capital that a bank last reported."""
    return f"trade/capital/{bank}"


def run_key(number: int) -> str:
    """Return the state key of a netting run."""
    return f"trade/run/{number}"


def entered_key(number: int) -> str:
    """Return the state key of what is in a netting run."""
    return f"trade/entered/{number}"


def running_key(member: str) -> str:
    """Return the state key of the netting run that a member opened last."""
    return f"trade/running/{member}"
