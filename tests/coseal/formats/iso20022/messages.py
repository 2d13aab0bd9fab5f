"""Messages of ISO 20022 as tests write them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

SPACE: Final = "urn:iso:std:iso:20022:tech:xsd:"
EA, EB, SHOP = "bank-a/ea", "bank-b/eb", "bank-a/shop"


def account(name: str, wallet: str) -> str:
    return f"<{name}><Id><Othr><Id>{wallet}</Id></Othr></Id></{name}>"


def transfer(number: int, to: str, amount: str, end_to_end: str = "", more: str = "", currency: str = "CNY") -> str:
    named = end_to_end or f"E-{number}"
    identity = f"<PmtId><InstrId>I-{number}</InstrId><EndToEndId>{named}</EndToEndId></PmtId>"
    return (
        f'<CdtTrfTxInf>{identity}<Amt><InstdAmt Ccy="{currency}">{amount}</InstdAmt></Amt>'
        f"<Cdtr><Nm>Mill</Nm></Cdtr>{account('CdtrAcct', to)}{more}</CdtTrfTxInf>"
    )


def pain_001(transfers: Sequence[str], **changes: Any) -> str:
    """Return a pain.001 with one group; ``changes``: count, total, date, payer, method, version, group, more."""
    given = {"count": len(transfers), "total": "", "date": "<Dt>2026-03-02</Dt>", "payer": EA, "method": "TRF"}
    given |= {"version": "pain.001.001.10", "group": "G-1", "more": "", "message": "M-1"} | changes
    total = f"<CtrlSum>{given['total']}</CtrlSum>" if given["total"] else ""
    header = f"<GrpHdr><MsgId>{given['message']}</MsgId><CreDtTm>2026-03-02T09:00:00+08:00</CreDtTm>"
    header += f"<NbOfTxs>{given['count']}</NbOfTxs>{total}<InitgPty><Nm>Enterprise</Nm></InitgPty></GrpHdr>"
    body = f"<PmtInfId>{given['group']}</PmtInfId><PmtMtd>{given['method']}</PmtMtd>"
    body += f"<ReqdExctnDt>{given['date']}</ReqdExctnDt><Dbtr><Nm>Enterprise</Nm></Dbtr>"
    body += account("DbtrAcct", given["payer"]) + "<DbtrAgt><FinInstnId><Nm>Bank A</Nm></FinInstnId></DbtrAgt>"
    inner = f"<PmtInf>{body}{given['more']}{''.join(transfers)}</PmtInf>"
    document = f"<CstmrCdtTrfInitn>{header}{inner}</CstmrCdtTrfInitn>"
    return f'<Document xmlns="{SPACE}{given["version"]}">{document}</Document>'


def _bank(name: str, bank: str) -> str:
    return f"<{name}><FinInstnId><Othr><Id>{bank}</Id></Othr></FinInstnId></{name}>"


def _settled(count: int, date: str = "2026-03-02") -> str:
    header = f"<MsgId>M-8</MsgId><CreDtTm>2026-03-02T09:00:00+08:00</CreDtTm><NbOfTxs>{count}</NbOfTxs>"
    settled = f"<IntrBkSttlmDt>{date}</IntrBkSttlmDt><SttlmInf><SttlmMtd>CLRG</SttlmMtd></SttlmInf>"
    return f"<GrpHdr>{header}{settled}</GrpHdr>"


def pacs_008(payer: str, to: str, amount: str, date: str = "2026-03-02") -> str:
    """Return a pacs.008 of one transfer."""
    body = f'<PmtId><EndToEndId>E-8</EndToEndId></PmtId><IntrBkSttlmAmt Ccy="CNY">{amount}</IntrBkSttlmAmt>'
    body += f"<ChrgBr>SLEV</ChrgBr><Dbtr><Nm>A</Nm></Dbtr>{account('DbtrAcct', payer)}{_bank('DbtrAgt', 'bank-a')}"
    body += f"{_bank('CdtrAgt', 'bank-b')}<Cdtr><Nm>B</Nm></Cdtr>{account('CdtrAcct', to)}<Purp><Cd>TRAD</Cd></Purp>"
    inner = f"<FIToFICstmrCdtTrf>{_settled(1, date)}<CdtTrfTxInf>{body}</CdtTrfTxInf></FIToFICstmrCdtTrf>"
    return f'<Document xmlns="{SPACE}pacs.008.001.09">{inner}</Document>'


def pacs_009(bank: str, amount: str, instruction: str = "I-9", time: str = "2026-03-02T09:00:00+08:00") -> str:
    """Return a pacs.009 by which a bank asks the central bank for money."""
    body = f"<PmtId><InstrId>{instruction}</InstrId><EndToEndId>{instruction}</EndToEndId></PmtId>"
    body += f'<IntrBkSttlmAmt Ccy="CNY">{amount}</IntrBkSttlmAmt>{_bank("Dbtr", bank)}{_bank("Cdtr", "central-bank")}'
    header = _settled(1).replace("2026-03-02T09:00:00+08:00", time)
    inner = f"<FICdtTrf>{header}<CdtTrfTxInf>{body}</CdtTrfTxInf></FICdtTrf>"
    return f'<Document xmlns="{SPACE}pacs.009.001.09">{inner}</Document>'
