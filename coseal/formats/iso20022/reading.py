"""What the readers of all messages share: strict texts, amounts in yuan, accounts that are wallets, sums that add up.

Law: what is not read is refused by its path, so nothing of a message is lost without a word.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from decimal import Decimal
from typing import Final

from coseal.contracts.currency.fields import MAX_WALLET_CHARACTERS
from coseal.contracts.currency.ledger import MAX_AMOUNT
from coseal.formats.documents.xml_tree import Form, Node

SPACE: Final = "urn:iso:std:iso:20022:tech:xsd:"
TEXT_MAX: Final = 35
_CURRENCY: Final = "CNY"


class Reading(Form):
    """Reads the elements of a message; what is wrong goes to ``findings``."""

    def only(self, node: Node | None, known: Collection[str]) -> None:
        """Refuse the children of an element that are none of ``known``."""
        for child in () if node is None else node.children:
            if child.name not in known:
                self.findings.add("not_read", child.path, "nothing here stands for it; leave it out")

    def short(self, node: Node, *names: str) -> str:
        """Return a text that has to be there, and to fit where it is recorded."""
        text = self.text(node, *names, needed=True)
        if len(text) > TEXT_MAX:
            path = "/".join((node.path, *names))
            self.findings.add("too_long", path, f"{len(text)} characters, at most {TEXT_MAX} are recorded")
        return text

    def amount(self, node: Node, *names: str) -> int:
        """Return an amount in fen; 0 if it is none."""
        path = "/".join((node.path, *names))
        text, found = self.decimal(node, *names, needed=True), self.one(node, *names)
        if found is not None and found.attributes.get("Ccy") != _CURRENCY:
            self.findings.add("other_currency", path, f"{found.attributes.get('Ccy')}, expected {_CURRENCY}")
        exact = Decimal(text or 0) * 100
        if text and (exact != int(exact) or not 0 < exact <= MAX_AMOUNT):
            self.findings.add("bad_amount", path, f"{text[:40]}: expected at most two decimals, above zero")
            return 0
        return int(exact)

    def wallet(self, node: Node, name: str) -> str:
        """Return the wallet that an account is: ``institution/id`` as its other identification."""
        account = self.one(node, name, needed=True)
        if account is None:
            return ""
        self.only(account, ("Id", "Ccy", "Nm", "Tp"))
        self.only(self.one(account, "Id"), ("Othr",))
        text = self.text(account, "Id", "Othr", "Id", needed=True)
        if text and ("/" not in text or len(text) > MAX_WALLET_CHARACTERS):
            self.findings.add("bad_wallet", f"{account.path}/Id/Othr/Id", f"{text[:64]!r} is no institution/id")
        return text

    def sums(self, node: Node, amounts: Sequence[int], *, needed: bool = True) -> None:
        """Compare what an element says of how many transfers there are, and of their sum."""
        count = self.text(node, "NbOfTxs", needed=needed)
        if count and count != str(len(amounts)):
            self.findings.add("bad_count", f"{node.path}/NbOfTxs", f"{count[:16]}, but there are {len(amounts)}")
        for name in ("CtrlSum", "TtlIntrBkSttlmAmt"):
            total, exact = self.decimal(node, name), Decimal(sum(amounts)) / 100
            if total and Decimal(total) != exact:
                self.findings.add("bad_sum", f"{node.path}/{name}", f"{total[:40]}, but they sum to {exact}")

    def message(self, root: Node, kind: str, name: str) -> tuple[Node, Node] | None:
        """Return the message of a kind such as ``pacs.009`` and its header; None if it is another one."""
        if root.name != "Document" or not root.space.startswith(f"{SPACE}{kind}."):
            self.findings.add("unknown_message", root.path, f"expected {kind} of {SPACE}..")
            return None
        self.only(root, (name,))
        message = self.one(root, name, needed=True)
        header = None if message is None else self.one(message, "GrpHdr", needed=True)
        return None if message is None or header is None else (message, header)
