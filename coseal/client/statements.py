"""The statement of a wallet, asked of a node as one document that anyone verifies offline.

Law: what is returned was verified as its receiver will; a node that leaves a movement out, or alters one, is found out.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final, NamedTuple
from urllib.parse import quote

from coseal.audit.statement import Shown, read, verify_wallet_statement
from coseal.client.documents import Kind, Wanted, proven
from coseal.client.exchange import Exchange
from coseal.client.reads import Verifier
from coseal.client.session import Session
from coseal.contracts.currency.ledger import ISSUANCE, Movement
from coseal.contracts.currency.statement import Period, month_from, month_text
from coseal.errors import CosealError
from coseal.ledger.errors import Malformed
from coseal.ledger.handover import Handover

_KIND: Final = Kind("statement", read, verify_wallet_statement)


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
    wanted = Wanted[Shown](
        path,
        months,
        f"the statement of {wallet}",
        lambda shown: (shown.wallet, shown.period) == (wallet, period),
        "gave another statement",
    )
    found = yield from proven(verifier, _KIND, wanted, floor, leading)
    return Statement(found.reason, found.facts, found.shown.movements, found.height, found.document)
