"""Documents that say what is not there: a receivable that no bank finances, an invoice that stands behind none.

Law: both are one value of the state, whose absence is provable as its presence is; a fingerprint is made again from
what the document says of the invoice, so it cannot be of another.

docs/spec/audit.md, section Proof of trade.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from coseal.contracts.trade.ledger import fingerprint, is_invoice_number, number_of
from coseal.contracts.trade.state import invoice_key, receivable_key
from coseal.ledger import codec
from coseal.ledger.errors import Malformed
from coseal.ledger.proof import CertifiedValue
from coseal.ledger.render import certified_header_json, proven_value_json

KIND: Final = "trade-proof"
_INVOICE: Final = frozenset({"creditor", "number", "date", "total"})
_MAX_TOTAL: Final = 2**62


class Invoice(NamedTuple):
    """An invoice as it is registered: by whom, its number, its day, its total in fen."""

    creditor: str
    number: str
    date: str
    total: int


class Question(NamedTuple):
    """What a document answers: whether a receivable is unpledged, or whether an invoice is unregistered."""

    receivable: str = ""
    invoice: Invoice | None = None

    @property
    def key(self) -> str:
        """The key of the state that answers it."""
        if self.invoice is None:
            return receivable_key(number_of(self.receivable, "R"))
        return invoice_key(self.invoice.creditor, fingerprint(*self.invoice))

    def __str__(self) -> str:
        """Say it in a few words."""
        if self.invoice is None:
            return f"{self.receivable} is unpledged"
        return f"invoice {self.invoice.number} of {self.invoice.creditor} is unregistered"


def question_from_json(receivable: Any, invoice: Any) -> Question:
    """Read a question: one of the two is None; raise ``Malformed``."""
    if (receivable is None) == (invoice is None):
        raise Malformed(f"{KIND}: expected either a receivable or an invoice")
    if invoice is None:
        name = codec.text(receivable, f"{KIND}.receivable", limit=20)
        if not number_of(name, "R"):
            raise Malformed(f"{KIND}.receivable: expected R and a number")
        return Question(name)
    given = codec.mapping(invoice, f"{KIND}.invoice")
    if given.keys() != _INVOICE:
        raise Malformed(f"{KIND}.invoice: expected the fields {', '.join(sorted(_INVOICE))}")
    creditor, number, date = (codec.text(given[name], f"{KIND}.{name}", limit=64) for name in Invoice._fields[:3])
    total = codec.integer(given["total"], f"{KIND}.total", low=1, high=_MAX_TOTAL)
    if not is_invoice_number(number) or "/" in creditor:
        raise Malformed(f"{KIND}.invoice: no invoice is registered under such a name")
    return Question("", Invoice(creditor, number, date, total))


def document(question: Question, proven: CertifiedValue) -> dict[str, Any]:
    """Return the document that answers a question by the value of its key."""
    invoice: Mapping[str, Any] | None = None if question.invoice is None else question.invoice._asdict()
    return {
        "coseal": KIND,
        "version": 1,
        "receivable": question.receivable or None,
        "invoice": invoice,
        "block": certified_header_json(proven.header, proven.certificate),
        "value": proven_value_json(proven),
    }
