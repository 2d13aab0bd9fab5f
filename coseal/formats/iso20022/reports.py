"""Reports as ISO 20022 says them: camt.053 and camt.054 of a wallet's statement, pain.002 of what came of payments.

Law: the same statement gives the same bytes; its figures are those that were proven, and it names the digest of the
document that proves them. What is only reserved is no entry: nothing was booked.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, NamedTuple

from coseal.contracts.currency.ledger import ISSUANCE, POST, POSTED, Movement, month_start_ms, next_month, yuan
from coseal.contracts.currency.statement import month_from
from coseal.errors import CosealError
from coseal.formats.exporters.xml_text import HEAD, escaped
from coseal.formats.iso20022.orders import Group, Orders
from coseal.formats.iso20022.reading import SPACE
from coseal.ledger.render import time_text

CAMT_053: Final = "camt.053.001.08"
CAMT_054: Final = "camt.054.001.08"
PAIN_002: Final = "pain.002.001.10"
_LINE: Final = 105


class Outcome(NamedTuple):
    """What came of a payment: accepted, or refused by a code, with its detail where there is one."""

    ok: bool
    code: str = ""
    detail: str = ""


class Account(NamedTuple):
    """What a report is of: a wallet's proven facts and movements, the block they are of, and the proof's SHA-256."""

    facts: Mapping[str, Any]
    movements: Sequence[Movement]
    height: int
    time_ms: int
    digest: str


def camt_053(account: Account) -> bytes:
    """Return the statement of a wallet as XML: opening, closing and available balance, and what was booked."""
    facts = account.facts
    opening, closing = _fen(facts["opening"]), _fen(facts["closing"])
    begin, end = _span(account)
    balances = (("OPBD", opening, begin), ("CLBD", closing, end), ("CLAV", closing - _fen(facts["reserved"]), end))
    body = "".join(_balance(kind, fen, time_ms) for kind, fen, time_ms in balances)
    body += "".join(_entries(account))
    return _report(account, CAMT_053, "BkToCstmrStmt", "Stmt", body, "AddtlStmtInf")


def camt_054(account: Account) -> bytes:
    """Return the movements of a statement that were booked as a notification, without balances."""
    return _report(account, CAMT_054, "BkToCstmrDbtCdtNtfctn", "Ntfctn", "".join(_entries(account)), "AddtlNtfctnInf")


def pain_002(orders: Orders, outcomes: Sequence[Sequence[Outcome]], time_ms: int) -> bytes:
    """Return what came of a message's payments, by group: ACSC for what is settled, RJCT with the ledger's code."""
    every = [outcome.ok for group in outcomes for outcome in group]
    status = "ACSC" if all(every) else "PART" if any(every) else "RJCT"
    head = _el("MsgId", f"R-{orders.id}"[:35]) + _el("CreDtTm", time_text(time_ms))
    original = _el("OrgnlMsgId", orders.id) + _el("OrgnlMsgNmId", orders.name)
    original += _el("OrgnlNbOfTxs", str(orders.count)) + _el("GrpSts", status)
    body = _in("GrpHdr", head) + _in("OrgnlGrpInfAndSts", original)
    groups = zip(orders.groups, outcomes, strict=True)
    body += "".join(_in("OrgnlPmtInfAndSts", "".join(_group(group, own))) for group, own in groups)
    return _document(PAIN_002, _in("CstmrPmtStsRpt", body))


def _group(group: Group, outcomes: Sequence[Outcome]) -> Iterator[str]:
    yield _el("OrgnlPmtInfId", group.id or "NOTPROVIDED")
    for (instruction, end_to_end), outcome in zip(group.ids, outcomes, strict=True):
        said = (_el("OrgnlInstrId", instruction) if instruction else "") + _el("OrgnlEndToEndId", end_to_end)
        said += _el("TxSts", "ACSC" if outcome.ok else "RJCT")
        if not outcome.ok:
            lines = [outcome.detail[at : at + _LINE] for at in range(0, len(outcome.detail), _LINE)]
            why = _in("Rsn", _el("Prtry", outcome.code[:35])) + "".join(_el("AddtlInf", line) for line in lines)
            said += _in("StsRsnInf", why)
        yield _in("TxInfAndSts", said)


# Accounts


def _report(account: Account, name: str, message: str, part: str, body: str, last: str) -> bytes:
    wallet = account.facts["wallet"]
    if wallet == ISSUANCE:
        raise CosealError("the issuance is no account of anybody's", "export the statement of a wallet")
    made = time_text(account.time_ms)
    head = _el("MsgId", account.digest[:35]) + _el("CreDtTm", made)
    begin, end = _span(account)
    span = _el("FrDtTm", time_text(begin)) + _el("ToDtTm", time_text(end))
    servicer = _in("FinInstnId", _in("Othr", _el("Id", wallet.partition("/")[0])))
    owner = _in("Id", _in("OrgId", _in("Othr", _el("Id", account.facts["holder"][:35]))))
    where = _in("Id", _in("Othr", _el("Id", wallet))) + _el("Ccy", "CNY") + _in("Ownr", owner) + _in("Svcr", servicer)
    about = _el("Id", f"{account.digest[:24]}-{account.height}"[:35]) + _el("CreDtTm", made) + _in("FrToDt", span)
    proof = _el(last, f"Proven complete as of block {account.height} by the document with SHA-256 {account.digest}")
    return _document(name, _in(message, _in("GrpHdr", head) + _in(part, about + _in("Acct", where) + body + proof)))


def _span(account: Account) -> tuple[int, int]:
    """Return the times in ms at which a statement begins and ends; it ends with its block at the latest."""
    first, last = (account.facts.get(name) for name in ("first", "last"))
    begin = month_start_ms(month_from(first)) if first else min((one.time_ms for one in account.movements), default=0)
    end = account.time_ms if last is None else min(month_start_ms(next_month(month_from(last))) - 1, account.time_ms)
    return begin or account.time_ms, end


def _balance(kind: str, fen: int, time_ms: int) -> str:
    said = _in("Tp", _in("CdOrPrtry", _el("Cd", kind))) + _amount(fen)
    return _in("Bal", said + _in("Dt", _el("DtTm", time_text(time_ms))))


def _entries(account: Account) -> Iterator[str]:
    for one in account.movements:
        if one.kind in (POSTED, POST) and one.amount:
            yield _entry(account.facts["wallet"], one)


def _entry(wallet: str, one: Movement) -> str:
    when = _el("DtTm", time_text(one.time_ms))
    said = _amount(-one.amount if one.debit == wallet else one.amount) + _in("Sts", _el("Cd", "BOOK"))
    said += _in("BookgDt", when) + _in("ValDt", when) + _el("AcctSvcrRef", str(one.number))
    said += _in("BkTxCd", _in("Prtry", _el("Cd", one.code)))
    refs = _el("AcctSvcrRef", str(one.number)) + (_el("EndToEndId", one.end_to_end) if one.end_to_end else "")
    parties = "".join(
        _in(name, _in("Id", _in("Othr", _el("Id", account))))
        for name, account in (("DbtrAcct", one.debit), ("CdtrAcct", one.credit))
    )
    details = _in("Refs", refs) + _in("RltdPties", parties) + _in("Purp", _el("Cd", one.code))
    details += _in("RmtInf", _el("Ustrd", one.reference)) if one.reference else ""
    return _in("Ntry", said + _in("NtryDtls", _in("TxDtls", details)))


def _amount(fen: int) -> str:
    return f'<Amt Ccy="CNY">{yuan(abs(fen))}</Amt>' + _el("CdtDbtInd", "DBIT" if fen < 0 else "CRDT")


def _fen(text: str) -> int:
    return int(text.replace(".", ""))


# XML


def _el(name: str, text: str) -> str:
    return f"<{name}>{escaped(text)}</{name}>"


def _in(name: str, inner: str) -> str:
    return f"<{name}>{inner}</{name}>"


def _document(name: str, inner: str) -> bytes:
    return f'{HEAD}<Document xmlns="{SPACE}{name}">{inner}</Document>\n'.encode()
