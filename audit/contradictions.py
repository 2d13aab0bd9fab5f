"""Validators that contradicted themselves: what the blocks have on record, verified here once more.

Law: a record counts only if both of its signatures verify under the key that the audit itself knows for that validator
and epoch; the contract that let it in is not asked.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from coseal.audit.epochs import Epochs
from coseal.audit.light import UnknownValidators
from coseal.contracts.evidence import actions as evidence
from coseal.ledger.block import CommittedBlock, Receipt
from coseal.ledger.errors import BadProof, LedgerError
from coseal.ledger.transaction import Transaction

_REPORT: Final = ("evidence", "report")


@dataclass(frozen=True, slots=True)
class Contradiction:
    """A validator, who ran it, where it signed two different things, and the height at which that went on record."""

    validator: str
    member: str
    epoch: int
    height: int
    round: int
    phase: str
    reported_height: int


def in_block(committed: CommittedBlock, epochs: Epochs, chain_id: bytes) -> list[Contradiction]:
    """Return what a block, whose roots were checked, puts on record; raise ``BadProof`` for what proves nothing.

    ``UnknownValidators`` if the audit does not know who voted then.
    """
    found = []
    for raw, receipt_raw in zip(committed.block.transactions, committed.receipts[1:], strict=True):
        if b"evidence" not in raw:
            continue
        transaction, receipt = Transaction.decode(raw), Receipt.decode(receipt_raw)
        if (transaction.contract, transaction.action) == _REPORT and receipt.ok:
            found.append(_verified(transaction.args, receipt.data, committed.block.header.height, epochs, chain_id))
    return found


def _verified(
    args: dict[str, Any], data: dict[str, Any], reported: int, epochs: Epochs, chain_id: bytes
) -> Contradiction:
    name, epoch = args["validator"], data["epoch"]
    validators = epochs.known(epoch)
    if validators is None:
        raise UnknownValidators(f"evidence against {name} is of epoch {epoch}, whose validators are not known here")
    index = validators.index(name)
    if index is None:
        raise BadProof(f"evidence is on record against {name}, which did not vote in epoch {epoch}")
    seat, place = validators[index], {field: args[field] for field in ("height", "round", "phase")}
    try:
        evidence.proof_of({**args, "epoch": epoch}).verify(chain_id, seat.key)  # A15
    except LedgerError as error:
        raise BadProof(f"evidence on record against {name} proves nothing: {error.reason}") from None
    return Contradiction(name, seat.member, epoch, **place, reported_height=reported)
