"""Payments as ISO 20022 says them: pain.001 of a company, pacs.008 of a bank for a customer.

Law: a file is taken whole or refused whole, by path; amounts are yuan with at most two decimals; counts and control
sums have to add up; no payment is kept for later. A payment that has no id of its payer's gets one from its place.
"""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

from coseal.contracts.currency.ledger import CODES
from coseal.contracts.currency.payments import MAX_ITEMS
from coseal.formats.documents.xml_tree import Form, Node, read_tree
from coseal.formats.importers.log import Findings
from coseal.formats.iso20022.reading import SPACE, TEXT_MAX, Reading

FORMATS: Final = ("pain.001", "pacs.008")
NOT_PROVIDED: Final = "NOTPROVIDED"
_HEADER: Final = ("MsgId", "CreDtTm", "NbOfTxs", "CtrlSum", "InitgPty", "FwdgAgt", "BtchBookg")
_BANKS_HEADER: Final = (*_HEADER, "TtlIntrBkSttlmAmt", "IntrBkSttlmDt", "SttlmInf", "PmtTpInf", "InstgAgt", "InstdAgt")
_GROUP: Final = (
    *("PmtInfId", "PmtMtd", "BtchBookg", "NbOfTxs", "CtrlSum", "PmtTpInf", "ReqdExctnDt", "Dbtr", "DbtrAcct"),
    *("DbtrAgt", "ChrgBr", "CdtTrfTxInf"),
)
_TRANSFER: Final = ("PmtId", "PmtTpInf", "ChrgBr", "CdtrAgt", "Cdtr", "CdtrAcct", "Purp", "RmtInf")
_BANKS_TRANSFER: Final = (*_TRANSFER, "IntrBkSttlmAmt", "IntrBkSttlmDt", "Dbtr", "DbtrAcct", "DbtrAgt")
"""What is read, or names a party: here the wallets say who is meant."""


@dataclass(frozen=True, slots=True)
class Group:
    """Payments under one id of the payer's; ``items`` are those of ``currency.pay_batch``, ``ids`` what a report names.

    An id is (instruction, end to end), as the message has them.
    """

    id: str
    items: tuple[dict[str, Any], ...]
    ids: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Orders:
    """A message: its name such as ``pain.001.001.10``, its id, and its payments."""

    name: str
    id: str
    groups: tuple[Group, ...]

    @property
    def count(self) -> int:
        """How many payments it has."""
        return sum(len(group.items) for group in self.groups)


def read_orders(path: Path, format: str, today: str) -> Orders:
    """Return the payments of a file; raise ``BadLog`` naming all that is wrong. ``today`` is a date: ``2026-03-31``."""
    findings = Findings()
    root = read_tree(path, findings)
    orders = _Reader(findings, today).orders(root, format)
    findings.require_none(path)
    return orders


class _Reader(Reading):
    def __init__(self, findings: Findings, today: str) -> None:
        super().__init__(findings)
        self._today, self._message = today, ""

    def orders(self, root: Node, format: str) -> Orders:
        name = root.space.removeprefix(SPACE)
        of_company = format == "pain.001"
        found = self.message(root, format, "CstmrCdtTrfInitn" if of_company else "FIToFICstmrCdtTrf")
        if found is None:
            return Orders(name, "", ())
        message, header = found
        self._message = self.short(header, "MsgId")
        self.only(message, ("GrpHdr", "PmtInf" if of_company else "CdtTrfTxInf"))
        self.only(header, _HEADER if of_company else _BANKS_HEADER)
        groups = tuple(map(self._group, message.all("PmtInf"))) if of_company else (self._of_bank(message),)
        self.sums(header, [item["amount"] for group in groups for item in group.items])
        return Orders(name, self._message, groups)

    def _group(self, node: Node) -> Group:
        self.only(node, _GROUP)
        group_id, payer = self.short(node, "PmtInfId"), self.wallet(node, "DbtrAcct")
        if self.text(node, "PmtMtd", needed=True) not in ("TRF", ""):
            self.findings.add("not_a_transfer", f"{node.path}/PmtMtd", "expected TRF")
        self._not_later(node, "ReqdExctnDt")
        transfers, items = node.all("CdtTrfTxInf"), []
        for number, each in enumerate(transfers, 1):
            self.only(each, (*_TRANSFER, "Amt"))
            self.only(self.one(each, "Amt"), ("InstdAmt",))
            items.append(self._transfer(each, payer, self.amount(each, "Amt", "InstdAmt"), f"{group_id}/{number}"))
        self.sums(node, [item["amount"] for item in items], needed=False)
        return self._closed(Group(group_id, tuple(items), tuple(map(_ids, transfers))), node)

    def _of_bank(self, message: Node) -> Group:
        dated = bool(message.all("GrpHdr", "IntrBkSttlmDt"))
        if dated:
            self._not_later(message, "GrpHdr", "IntrBkSttlmDt")
        transfers, items = message.all("CdtTrfTxInf"), []
        for number, each in enumerate(transfers, 1):
            self.only(each, _BANKS_TRANSFER)
            if not dated or each.all("IntrBkSttlmDt"):
                self._not_later(each, "IntrBkSttlmDt")
            amount = self.amount(each, "IntrBkSttlmAmt")
            items.append(self._transfer(each, self.wallet(each, "DbtrAcct"), amount, str(number)))
        return self._closed(Group("", tuple(items), tuple(map(_ids, transfers))), message)

    def _closed(self, group: Group, node: Node) -> Group:
        if not 0 < len(group.items) <= MAX_ITEMS:
            self.findings.add("bad_count", node.path, f"{len(group.items)} payments, expected 1 to {MAX_ITEMS}")
        return group

    def _transfer(self, node: Node, payer: str, amount: int, place: str) -> dict[str, Any]:
        self.only(self.one(node, "PmtId"), ("InstrId", "EndToEndId", "TxId", "UETR"))
        self.only(self.one(node, "RmtInf"), ("Ustrd",))
        end_to_end = self.short(node, "PmtId", "EndToEndId")
        if end_to_end == NOT_PROVIDED:
            end_to_end = sha256(f"{self._message}/{place}".encode()).hexdigest()[:TEXT_MAX]
        item = {"from": payer, "to": self.wallet(node, "CdtrAcct"), "amount": amount, "code": self._purpose(node)}
        item["end_to_end"] = end_to_end
        return item if self.one(node, "RmtInf") is None else {**item, "reference": self.short(node, "RmtInf", "Ustrd")}

    def _purpose(self, node: Node) -> str:
        if self.one(node, "Purp") is None:
            return "OTHR"
        code = self.text(node, "Purp", "Cd", needed=True)
        if code and code not in CODES:
            self.findings.add("unknown_purpose", f"{node.path}/Purp/Cd", f"{code[:8]} is none of {', '.join(CODES)}")
        return code

    def _not_later(self, node: Node, *names: str) -> None:
        found = self.one(node, *names, needed=True)
        if found is None:
            return
        chosen = self.one(found, "Dt") or self.one(found, "DtTm") or found
        date = " ".join(chosen.text.split())[:10]
        if not date or date > self._today:
            self.findings.add("for_later", chosen.path, f"{date or 'no date'}: no payment is kept for a later day")


def _ids(node: Node) -> tuple[str, str]:
    form = Form(Findings())  # what is wrong with them was found before
    return form.text(node, "PmtId", "InstrId"), form.text(node, "PmtId", "EndToEndId")
