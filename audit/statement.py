"""The statement of a wallet as a document: all its movements over a range of months, proven to be all.

Law: nothing in the file is believed that a quorum did not certify. The state fixes how many movements a wallet had by
a month and by a block, and the chain of their hashes, so a line that is missing, altered or in another place is seen.

docs/spec/audit.md, section Statement of a wallet.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from coseal.audit import certified
from coseal.audit.certified import Judged, block_text
from coseal.audit.steps import Trace
from coseal.contracts.currency.ledger import ISSUANCE, Balance, Movement, Wallet, next_month, verify_statement, yuan
from coseal.contracts.currency.post import issuance_of
from coseal.contracts.currency.state import month_key
from coseal.contracts.currency.statement import (
    KIND,
    MAX_MONTHS,
    MAX_MOVEMENTS,
    Period,
    month_text,
    movement_from_json,
    require_month,
    state_key,
)
from coseal.ledger import codec
from coseal.ledger.block import Header
from coseal.ledger.certificates import Certificate
from coseal.ledger.errors import BadProof, Malformed
from coseal.ledger.genesis import Genesis
from coseal.ledger.proof import CertifiedValue
from coseal.ledger.render import certified_header_from_json, document_fields, proven_value_from_json

RULE: Final = "audit.md, Statement of a wallet"
STEP_NAMES: Final = ("form", "chain", "header", "validators", "certificate", "balances", "movements")
_NAMES: Final = frozenset(
    {"coseal", "version", "wallet", "first", "last", "block", "record", "opening", "closing", "movements"}
)


@dataclass(frozen=True, slots=True)
class Shown:
    """What a document shows; nothing of it is proven yet."""

    wallet: str
    period: Period
    header: Header
    certificate: Certificate
    record: CertifiedValue
    opening: Sequence[CertifiedValue]
    closing: Sequence[CertifiedValue]
    movements: Sequence[Movement]


def read(value: Any) -> Shown:
    """Return what a document shows; raise ``Malformed``. Proves nothing yet."""
    fields = document_fields(value, KIND, _NAMES)
    wallet = codec.text(fields["wallet"], f"{KIND}.wallet", limit=64)
    first, last = (
        None if fields[name] is None else require_month(fields[name], f"{KIND}.{name}") for name in ("first", "last")
    )
    if first is not None and last is not None and last < first:
        raise Malformed(f"{KIND}.last: expected no month before {month_text(first)}")
    if wallet == ISSUANCE and (first, last) != (None, None):
        raise Malformed(f"{KIND}: the issuance has no months; its statement is of all it ever did")
    header, certificate = certified_header_from_json(fields["block"])

    def proven(name: str) -> list[CertifiedValue]:
        entries = codec.sequence(fields[name], f"{KIND}.{name}", limit=MAX_MONTHS)
        return [proven_value_from_json(entry, header, certificate) for entry in entries]

    rows = codec.sequence(fields["movements"], f"{KIND}.movements", limit=MAX_MOVEMENTS)
    record = proven_value_from_json(fields["record"], header, certificate)
    movements = [movement_from_json(row) for row in rows]
    period = Period(first, last)
    return Shown(wallet, period, header, certificate, record, proven("opening"), proven("closing"), movements)


def verify_wallet_statement(document: Any, genesis: Genesis, trace: Trace) -> tuple[str, dict[str, Any], Judged]:
    """Return in words and as facts what a document proves; raise a ``LedgerError`` unless it does."""
    shown, handovers = certified.read(document, trace, read)
    judged = certified.judge(shown.header, shown.certificate, handovers, genesis, trace)
    with trace.step("balances", RULE) as seen:
        now, moved, about = _record(shown)
        first, last = shown.period
        opening = Balance() if first is None else _end(shown.wallet, shown.opening, first, moved, now)
        closing = now if last is None else _end(shown.wallet, shown.closing, next_month(last), moved, now)
        if (first is None and shown.opening) or (last is None and shown.closing):
            raise BadProof("months are shown where the statement has no such end")
        seen.values = {"opening": _totals(opening), "closing": _totals(closing)}
        seen.detail = f"{yuan(opening.posted)} after {opening.count} movements, {yuan(closing.posted)} after "
        seen.detail += str(closing.count)
    with trace.step("movements", "contracts/currency/README.md C12, C13") as seen:
        seen.values = {"shown": len(shown.movements), "made": closing.count - opening.count}
        verify_statement(shown.wallet, shown.movements, opening, closing, first, last)  # A24
        seen.detail = f"{len(shown.movements)} movements lead from the one head to the other, and to its totals"
    facts = {"wallet": shown.wallet, **about, **_facts(shown, opening, closing)}
    words = f"these {len(shown.movements)} movements are all of {shown.wallet}, {_span(shown.period)}, up to "
    return words + block_text(shown.header), facts, judged


def _record(shown: Shown) -> tuple[Balance, int, dict[str, Any]]:
    """Return the proven balance of a wallet as of the block, the month of its last movement, and whose it is."""
    value = certified.value_of(shown.record, state_key(shown.wallet))
    if shown.wallet == ISSUANCE:
        return issuance_of(value), 0, {}
    if value is None:
        raise BadProof(f"there is no wallet {shown.wallet}")
    wallet = Wallet.decoded(value)
    about = {"holder": wallet.holder, "authority": wallet.authority, "class": wallet.class_id, "status": wallet.status}
    return wallet.balance, wallet.month, about


def _end(name: str, values: Sequence[CertifiedValue], month: int, moved: int, now: Balance) -> Balance:
    """Return what a wallet had when a month began: its totals before its first movement since."""
    held = None
    for value in values:
        if held is not None:
            raise BadProof("months are shown beyond the one that has the wallet's totals")
        held = certified.value_of(value, month_key(name, month))  # A23
        month = next_month(month)
    if held is None and month <= moved:
        raise BadProof(f"the totals of {name} before {month_text(month)} are neither shown nor proven absent")
    return now if held is None else Balance.decoded(held)


# Facts


def _totals(balance: Balance) -> dict[str, Any]:
    names = ("debits_posted", "credits_posted", "debits_pending", "credits_pending")
    return {**dict(zip(names, balance.texts(), strict=True)), "count": balance.count, "head": balance.head.hex()}


def _facts(shown: Shown, opening: Balance, closing: Balance) -> dict[str, Any]:
    months = {name: month_text(month) for name, month in shown.period._asdict().items() if month is not None}
    return {
        **months,
        "movements": len(shown.movements),
        "opening": yuan(opening.posted),
        "credited": yuan(closing.credits_posted - opening.credits_posted),
        "debited": yuan(closing.debits_posted - opening.debits_posted),
        "closing": yuan(closing.posted),
        "reserved": yuan(closing.debits_pending),
        "incoming": yuan(closing.credits_pending),
    }


def _span(period: Period) -> str:
    first, last = period
    begin = "from the beginning" if first is None else f"from {month_text(first)}"
    return begin if last is None else f"{begin} to {month_text(last)}"
