"""What nobody claims, asked of a node as a document that anyone verifies offline: a receivable, an invoice.

Law: what is returned was verified as its receiver will; a node that hides a pledge or a registration is found out.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from coseal.audit.trade import Shown, read, verify_trade_proof
from coseal.client.documents import Kind, Wanted, proven
from coseal.client.exchange import Exchange
from coseal.client.session import Session
from coseal.contracts.trade.proofs import Invoice, Question, question_from_json
from coseal.errors import CosealError
from coseal.ledger.errors import Malformed

_KIND: Final = Kind("trade proof", read, verify_trade_proof)


class TradeProof(NamedTuple):
    """That nobody claims it: in words, as facts, and the document that proves it."""

    reason: str
    facts: Mapping[str, Any]
    document: dict[str, Any]


def unpledged(session: Session, receivable: str, min_height: int = 0) -> Exchange[TradeProof]:
    """Return the proof that no bank finances a receivable; see ``Client.unpledged``."""
    return (yield from _proof(session, _question(receivable, None), min_height))


def unregistered(
    session: Session, creditor: str, number: str, date: str, total: int, min_height: int = 0
) -> Exchange[TradeProof]:
    """Return the proof that an invoice stands behind no receivable; see ``Client.unregistered``."""
    invoice = Invoice(creditor, number, date, total)._asdict()
    return (yield from _proof(session, _question(None, invoice), min_height))


def _question(receivable: str | None, invoice: Mapping[str, Any] | None) -> Question:
    try:
        return question_from_json(receivable, invoice)
    except Malformed as error:
        raise CosealError(error.reason) from None


def _proof(session: Session, question: Question, min_height: int) -> Exchange[TradeProof]:
    floor = max(min_height, session.height)
    return (yield from session.believed(lambda: _asked(session, question, floor)))


def _asked(session: Session, question: Question, floor: int) -> Exchange[TradeProof]:
    path, params = f"/v1/receivables/{question.receivable}/unpledged", dict[str, str]()
    if question.invoice is not None:
        path, params = (
            "/v1/receivables/unregistered",
            {name: str(part) for name, part in question.invoice._asdict().items()},
        )
    what = f"that {question}"
    wanted = Wanted[Shown](path, params, what, lambda shown: shown.question == question, "answered another question")
    found = yield from proven(session, _KIND, wanted, floor, session.epochs.up_to)
    return TradeProof(found.reason, found.facts, found.document)
