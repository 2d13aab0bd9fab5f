"""Reserve instructions as ISO 20022 says them: pacs.009, by which an institution has money issued against reserves.

Law: each transfer becomes one item of the process type ``reserves``, in a source that the message's id names, so that a
message is recorded once. Debtor and creditor are members, named by the other id of their institution.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

from coseal.contracts.currency.ledger import yuan
from coseal.contracts.currency.supply import INSTRUCTION, RESERVES, RESERVES_TYPE
from coseal.contracts.kernel.names import is_reference
from coseal.formats.documents.xml_tree import Node, read_tree
from coseal.formats.importers.log import Findings, Log
from coseal.formats.importers.mapping import Mapping
from coseal.formats.importers.times import BadTime
from coseal.formats.iso20022.reading import Reading

FORMAT: Final = "pacs.009"
_HEADER: Final = (
    *("MsgId", "CreDtTm", "NbOfTxs", "CtrlSum", "TtlIntrBkSttlmAmt", "IntrBkSttlmDt", "SttlmInf", "PmtTpInf"),
    *("InstgAgt", "InstdAgt", "BtchBookg"),
)
_TRANSFER: Final = ("PmtId", "PmtTpInf", "IntrBkSttlmAmt", "IntrBkSttlmDt", "Dbtr", "DbtrAcct", "Cdtr", "CdtrAcct")


def read_reserves(path: Path, mapping: Mapping) -> Log:
    """Read a pacs.009 as a log; raises ``BadLog`` naming all that is wrong."""
    findings = Findings()
    reading, root = Reading(findings), read_tree(path, findings)
    found = reading.message(root, FORMAT, "FICdtTrf")
    source, items = f"{RESERVES}/none", list[dict[str, Any]]()
    if found is not None:
        message, header = found
        reading.only(message, ("GrpHdr", "CdtTrfTxInf"))
        reading.only(header, _HEADER)
        source = f"{RESERVES}/{reading.short(header, 'MsgId')}"
        if not is_reference(source):
            findings.add("bad_id", f"{header.path}/MsgId", f"{source[:64]!r} cannot name a source")
        time = _time(reading, header, mapping)
        transfers = message.all("CdtTrfTxInf")
        amounts = [reading.amount(each, "IntrBkSttlmAmt") for each in transfers]
        reading.sums(header, amounts)
        items = [_item(reading, each, fen, time) for each, fen in zip(transfers, amounts, strict=True)]
    findings.require_none(path)
    zone = {} if mapping.zone_minutes is None else {"zone_minutes": mapping.zone_minutes}
    args = {"id": source, "process_type": RESERVES, "mode": "live", **zone}
    return Log(RESERVES_TYPE, args, tuple(items))


def _time(reading: Reading, header: Node, mapping: Mapping) -> str:
    text = reading.text(header, "CreDtTm", needed=True)
    try:
        return mapping.zone.read(text) if text else ""
    except BadTime as error:
        reading.findings.add(error.code, f"{header.path}/CreDtTm", str(error))
        return ""


def _item(reading: Reading, node: Node, fen: int, time: str) -> dict[str, Any]:
    reading.only(node, _TRANSFER)
    instruction = reading.short(node, "PmtId", "InstrId")
    payer, payee = (reading.short(node, side, "FinInstnId", "Othr", "Id") for side in ("Dbtr", "Cdtr"))
    said = {"direction": "issue", "amount": yuan(fen), "currency": "CNY", "instruction": instruction}
    what = {"event": instruction, "type": INSTRUCTION, "time": time, "objects": [["account", payer]]}
    return {**what, "attributes": said, "counterparty": payee}
