"""The proof of trade as a document: that no bank finances a receivable, or that an invoice stands behind none.

Law: nothing in the file is believed that a quorum did not certify; it is of one block, and says nothing of later ones.

docs/spec/audit.md, section Proof of trade.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from coseal.audit import certified
from coseal.audit.certified import Judged, block_text
from coseal.audit.steps import Trace
from coseal.contracts.currency.ledger import yuan
from coseal.contracts.trade.ledger import OWED, Receivable
from coseal.contracts.trade.proofs import KIND, Question, question_from_json
from coseal.ledger.block import Header
from coseal.ledger.certificates import Certificate
from coseal.ledger.errors import BadProof
from coseal.ledger.genesis import Genesis
from coseal.ledger.proof import CertifiedValue
from coseal.ledger.render import certified_header_from_json, document_fields, proven_value_from_json, time_text

RULE: Final = "audit.md, Proof of trade"
STEP_NAMES: Final = ("form", "chain", "header", "validators", "certificate", "value", "unclaimed")
_NAMES: Final = frozenset({"coseal", "version", "receivable", "invoice", "block", "value"})


@dataclass(frozen=True, slots=True)
class Shown:
    """What a document shows; nothing of it is proven yet."""

    question: Question
    header: Header
    certificate: Certificate
    value: CertifiedValue


def read(value: Any) -> Shown:
    """Return what a document shows; raise ``Malformed``. Proves nothing yet."""
    fields = document_fields(value, KIND, _NAMES)
    question = question_from_json(fields["receivable"], fields["invoice"])
    header, certificate = certified_header_from_json(fields["block"])
    return Shown(question, header, certificate, proven_value_from_json(fields["value"], header, certificate))


def verify_trade_proof(document: Any, genesis: Genesis, trace: Trace) -> tuple[str, dict[str, Any], Judged]:
    """Return in words and as facts what a document proves; raise a ``LedgerError`` unless it does."""
    shown, handovers = certified.read(document, trace, read)
    judged = certified.judge(shown.header, shown.certificate, handovers, genesis, trace)
    question = shown.question
    with trace.step("value", RULE) as seen:
        value = certified.value_of(shown.value, question.key)  # A26
        seen.values = {"key": question.key, "present": value is not None}
        seen.detail = f"{question.key} is proven {'absent' if value is None else 'present'}"
    with trace.step("unclaimed", RULE) as seen:
        facts = _unpledged(question, value) if question.invoice is None else _unregistered(question, value)  # A27
        seen.values = facts
        seen.detail = str(question)
    return f"{question} as of {block_text(shown.header)}", facts, judged


def _unpledged(question: Question, value: Any) -> dict[str, Any]:
    if value is None:
        raise BadProof(f"there is no receivable {question.receivable}")
    found = Receivable.decoded(value)
    if found.pledgee or found.financier:
        how = "is pledged to" if found.pledgee else "was sold to"
        raise BadProof(f"{question.receivable} {how} {found.financier}")
    if found.status not in OWED:
        raise BadProof(f"{question.receivable} is {found.status}: nothing is owed on it")
    names = {name: getattr(found, name) for name in ("debtor", "creditor", "holder", "status")}
    disputed = found.dispute is not None
    return {
        "receivable": question.receivable,
        **names,
        "outstanding": yuan(found.outstanding),
        "due": time_text(found.due_ms),
        "disputed": disputed,
    }


def _unregistered(question: Question, value: Any) -> dict[str, Any]:
    invoice = question.invoice
    if invoice is None or value is not None:
        raise BadProof(f"the invoice stands behind R{value}")
    return {**invoice._asdict(), "total": yuan(invoice.total)}
