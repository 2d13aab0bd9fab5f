"""The contract's own process type, and the events that its acts leave on receivables, loans, exposures and runs.

Law: every act that changes something is one event on all that it changes, so the history of a receivable is its whole
life; a netting run has an event a page of ``PAGE`` receivables, and each change of an exposure one of its own.

contracts/trade/README.md, section History.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from coseal.contracts.kernel.dates import DAY_MS
from coseal.contracts.process.append import own_definition
from coseal.contracts.trade.state import NAME

PAGE: Final = 64
"""Receivables that one event names."""
RECEIVABLE: Final = "receivable"
LOAN: Final = "loan"
PARTY: Final = "party"
EXPOSURE: Final = "exposure"
RUN: Final = "run"

ISSUED: Final = "Receivable issued"
ACCEPTED: Final = "Receivable accepted"
REJECTED: Final = "Receivable rejected"
LAPSED: Final = "Receivable lapsed"
SPLIT: Final = "Receivable split"
PAID: Final = "Receivable paid"
OVERDUE: Final = "Receivable overdue"
FINANCED: Final = "Receivable financed"
TRANSFERRED: Final = "Receivable transferred"
WRITTEN_OFF: Final = "Receivable written off"
WALLET_NAMED: Final = "Wallet named"
TRANSFER_OFFERED: Final = "Transfer offered"
FINANCE_OFFERED: Final = "Finance offered"
OFFER_WITHDRAWN: Final = "Offer withdrawn"
LOAN_REPAID: Final = "Loan repaid"
LIMIT_SET: Final = "Limit set"
EXPOSURE_CHANGED: Final = "Exposure changed"
RECOURSE_CLAIMED: Final = "Recourse claimed"
RECOURSE_PAID: Final = "Recourse paid"
DISPUTED: Final = "Receivable disputed"
ANSWERED: Final = "Dispute answered"
RESOLVED: Final = "Dispute resolved"
GIVEN_UP: Final = "Dispute given up"
RUN_OPENED: Final = "Run opened"
ENTERED: Final = "Receivables entered"
WITHDRAWN: Final = "Receivables withdrawn"
RUN_CLEARED: Final = "Run cleared"
RUN_LAPSED: Final = "Run lapsed"

_TEXT, _FEN, _TIME, _FLAG = "string", "integer", "time", "boolean"
_SIDES: Final[dict[str, str]] = {"by": _TEXT, "debtor": _TEXT, "holder": _TEXT, "outstanding": _FEN, "status": _TEXT}
"""What every event of a receivable says: the operator that acted, who owes it to whom, and how it is after it."""
_OFFERED: Final[dict[str, str]] = {
    "bank": _TEXT,
    "kind": _TEXT,
    "advance": _FEN,
    "fee": _FEN,
    "days": _FEN,
    "recourse": _FLAG,
}
_NETTED: Final[dict[str, str]] = {"by": _TEXT, "receivables": _FEN, "amount": _FEN}

DEFINITION: Final[Mapping[str, Any]] = own_definition(
    NAME,
    {"en": "Trade", "zh": "贸易"},
    (RECEIVABLE, LOAN, PARTY, EXPOSURE, RUN),
    {
        ISSUED: {**_SIDES, "amount": _FEN, "tax": _FEN, "due": _TIME, "lines": _FEN, "days": _FEN},
        ACCEPTED: _SIDES,
        REJECTED: _SIDES,
        LAPSED: _SIDES,
        SPLIT: {**_SIDES, "parts": _FEN},
        PAID: {**_SIDES, "amount": _FEN},
        OVERDUE: _SIDES,
        TRANSFER_OFFERED: {**_SIDES, "to": _TEXT, "recourse": _FLAG},
        TRANSFERRED: {**_SIDES, "amount": _FEN, "recourse": _FLAG},
        FINANCE_OFFERED: {**_SIDES, **_OFFERED},
        FINANCED: {**_SIDES, **_OFFERED},
        OFFER_WITHDRAWN: {**_SIDES, "kind": _TEXT},
        LOAN_REPAID: {**_SIDES, "amount": _FEN},
        WALLET_NAMED: _SIDES,
        RECOURSE_CLAIMED: _SIDES,
        RECOURSE_PAID: {**_SIDES, "amount": _FEN},
        WRITTEN_OFF: _SIDES,
        DISPUTED: _SIDES,
        ANSWERED: _SIDES,
        RESOLVED: {**_SIDES, "amount": _FEN},
        GIVEN_UP: _SIDES,
        LIMIT_SET: {"by": _TEXT, "bank": _TEXT, "debtor": _TEXT, "amount": _FEN, "capital": _FEN},
        EXPOSURE_CHANGED: {
            "by": _TEXT,
            "bank": _TEXT,
            "debtor": _TEXT,
            "exposure": _FEN,
            "book": _FEN,
            "capital": _FEN,
        },
        RUN_OPENED: {"by": _TEXT, "closes": _TIME},
        ENTERED: _NETTED,
        WITHDRAWN: _NETTED,
        RUN_CLEARED: _NETTED,
        RUN_LAPSED: {"by": _TEXT},
    },
)
"""The process type ``trade``. Amounts are fen, ``days`` those until it is due, each begun one whole."""


def days_until(due_ms: int, time_ms: int) -> int:
    """Return how many days there are until a time, a begun one whole."""
    return (due_ms - time_ms + DAY_MS - 1) // DAY_MS


def event(kind: str, objects: Sequence[Sequence[str]], /, **attributes: Any) -> dict[str, Any]:
    """Return an event to append."""
    said = {name: value for name, value in attributes.items() if value != ""}
    return {"type": kind, "objects": [list(name) for name in objects], "attributes": said}


def exposure_event(by: str, bank: str, debtor: str, exposure: int, book: int, capital: int | None) -> dict[str, Any]:
    """Return the event of a change of what a bank is exposed to; ``capital`` is what it last reported."""
    said = {"by": by, "bank": bank, "debtor": debtor, "exposure": exposure, "book": book}
    reported = {} if capital is None else {"capital": capital}
    return event(EXPOSURE_CHANGED, [[EXPOSURE, f"{bank}/{debtor}"]], **said, **reported)


def run_events(kind: str, run: int, by: str, named: Sequence[tuple[int, int]]) -> Iterator[dict[str, Any]]:
    """Yield the events of what became of receivables in a netting run: ``named`` are (number, fen)."""
    for first in range(0, max(len(named), 1), PAGE):  # what clears nothing is an event as well
        page = named[first : first + PAGE]
        objects = [[RUN, f"N{run}"], *([RECEIVABLE, f"R{number}"] for number, _ in page)]
        yield event(kind, objects, by=by, receivables=len(page), amount=sum(amount for _, amount in page))
