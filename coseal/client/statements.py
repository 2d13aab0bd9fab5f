"""The statement of a wallet, asked of a node as one document that anyone verifies offline.

Law: what is returned was verified as its receiver will; a node that leaves a movement out, or alters one, is found out.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple
from urllib.parse import quote

from coseal.audit.statement import read, verify_wallet_statement
from coseal.audit.steps import Trace
from coseal.client.exchange import Exchange, asking_for, document_of, false_answer
from coseal.client.reads import Verifier
from coseal.client.session import Session
from coseal.contracts.currency.ledger import ISSUANCE, Movement
from coseal.contracts.currency.statement import Period, month_from, month_text
from coseal.errors import CosealError
from coseal.ledger.errors import LedgerError, Malformed
from coseal.ledger.handover import Handover, with_handovers
from coseal.ledger.render import MAX_DOCUMENT_DEPTH
from coseal.ledger.strict_json import strict_json


class Statement(NamedTuple):
    """All movements of a wallet up to a block: in words, as facts, one by one, and the document that proves it."""

    reason: str
    facts: Mapping[str, Any]
    movements: Sequence[Movement]
    height: int
    document: dict[str, Any]


def statement_of(
    session: Session, wallet: str, first: str | None = None, last: str | None = None, min_height: int = 0
) -> Exchange[Statement]:
    """Return the statement of a wallet, verified; see ``Client.statement``."""
    floor, period = max(min_height, session.height), period_of(first, last)
    epochs = session.epochs
    return (yield from session.believed(lambda: asked(session, wallet, period, floor, epochs.up_to)))


def period_of(first: str | None, last: str | None) -> Period:
    """Return the months from ``first`` to ``last``, each as ``2026-03`` or open; raise ``CosealError``."""
    period = Period(_month(first), _month(last))
    if period.first is not None and period.last is not None and period.last < period.first:
        raise CosealError(f"{last} is before {first}")
    return period


def _month(text: str | None) -> int | None:
    try:
        return None if text is None else month_from(text)
    except Malformed as error:
        raise CosealError(f"{text}: {error.reason}") from None


def asked(
    verifier: Verifier, wallet: str, period: Period, floor: int, leading: Callable[[int], Iterable[Handover]]
) -> Exchange[Statement]:
    """Return the statement that a node gives, verified; ``leading`` gives what leads to an epoch."""
    path = "/v1/supply/statement" if wallet == ISSUANCE else f"/v1/wallets/{quote(wallet)}/statement"
    months = {name: month_text(month) for name, month in period._asdict().items() if month is not None}
    reply = yield from verifier.ask("GET", path, params={"handovers": "false", **months, **asking_for(floor)})
    if reply.status != 200:
        document_of(reply)
    try:
        shown = read(bare := strict_json(reply.content, "statement", depth=MAX_DOCUMENT_DEPTH))
        yield from verifier.validators_of(shown.header, shown.certificate)
        document = with_handovers(bare, leading(shown.header.epoch))
        reason, facts, judged = verify_wallet_statement(document, verifier.genesis, Trace())
    except LedgerError as error:
        raise false_answer(reply.node, f"does not prove the statement of {wallet}: {error.reason}") from error
    if (shown.wallet, shown.period) != (wallet, period):
        raise false_answer(reply.node, "gave another statement")
    verifier.saw(reply.node, f"the statement of {wallet}", judged.header.height, floor)
    return Statement(reason, facts, shown.movements, judged.header.height, document)
