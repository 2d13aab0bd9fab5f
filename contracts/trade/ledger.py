"""What a receivable and a loan are, and what follows from that alone: pure, for the contract, clients and auditors.

Law: a receivable is in one status; what may be done in which is the table ``MAY``; money that comes in is divided by
rank, to the fen.

contracts/trade/README.md, sections Life and Financing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from hashlib import sha256
from typing import Any, Final

from coseal.ledger import codec
from coseal.ledger.errors import BadProof

PROPOSED: Final = "proposed"
ACCEPTED: Final = "accepted"
OVERDUE: Final = "overdue"
RECOURSE: Final = "recourse"
WRITTEN_OFF: Final = "written_off"
SPLIT: Final = "split"
SETTLED: Final = "settled"
REJECTED: Final = "rejected"
LAPSED: Final = "lapsed"
STATUSES: Final = (PROPOSED, ACCEPTED, OVERDUE, RECOURSE, WRITTEN_OFF, SPLIT, SETTLED, REJECTED, LAPSED)
OWED: Final = frozenset((ACCEPTED, OVERDUE, RECOURSE, WRITTEN_OFF))
"""In these a debtor owes what is outstanding."""
_CONFIRMED: Final = frozenset((ACCEPTED, OVERDUE, RECOURSE))
MAY: Final[Mapping[str, frozenset[str]]] = {
    "accept": frozenset((PROPOSED,)),
    "reject": frozenset((PROPOSED,)),
    "settle": OWED,
    "set_wallet": OWED,
    "claim_recourse": frozenset((OVERDUE,)),
    "pay_recourse": frozenset((RECOURSE,)),
    "dispute": _CONFIRMED,
    "answer": _CONFIRMED,
    "resolve": _CONFIRMED,
    "write_off": frozenset((OVERDUE,)),
}
"""In which statuses an action is done; those that need a free receivable are for ``accepted`` alone."""

MAX_HANDS: Final = 6
MAX_DEPTH: Final = 6
"""Splits of splits."""
MIN_PART: Final = 100_000
"""Fen of a part of a split."""
MAX_TAX_DIVISOR: Final = 5
"""The tax is at most a fifth of the lines."""
REPAID: Final = "repaid"
OPEN: Final = "open"

_SIGNS: Final = frozenset("-/.")
_LETTERS: Final = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz")
_DIGITS: Final = frozenset("0123456789")
_NUMBER: Final = _LETTERS | _DIGITS | _SIGNS
_CAPITALS: Final = str.maketrans("abcdefghijklmnopqrstuvwxyz", "ABCDEFGHIJKLMNOPQRSTUVWXYZ", "-/.")


@dataclass(frozen=True, slots=True)
class Receivable:
    """A receivable as the state has it.

    ``outstanding`` is what is left to pay, in fen; ``hands`` are its former holders, each with whether it gave
    recourse; ``financier`` is the bank that bought it or has it in pledge, ``pledgee`` the latter alone. ``turn`` rises
    with each change of holder or pledge, so that what was offered before is over. ``invoice`` is a fingerprint.
    ``dispute`` is None, or what is disputed; ``disputes`` how many there ever were. ``nettable`` says that its debtor
    agreed to netting; ``run`` is the run that it entered last, 0 for none.
    """

    debtor: str
    creditor: str
    holder: str
    wallet: str
    amount: int
    outstanding: int
    due_ms: int
    status: str
    invoice: str
    height: int
    parent: int = 0
    depth: int = 0
    hands: Sequence[Sequence[Any]] = ()
    financier: str = ""
    pledgee: str = ""
    loan: int = 0
    turn: int = 0
    dispute: Mapping[str, Any] | None = None
    disputes: int = 0
    autopay: str = ""
    nettable: bool = False
    run: int = 0

    def encoded(self) -> dict[str, Any]:
        """Return it as the state has it."""
        return {**{name: getattr(self, name) for name in _FIELDS}, "hands": [list(hand) for hand in self.hands]}

    @classmethod
    def decoded(cls, value: Any) -> Receivable:
        """Return what the state has; raises ``BadProof`` for what it never has."""
        if not isinstance(value, Mapping) or set(value) != set(_FIELDS):
            raise BadProof("a receivable is a map of its fields")
        return cls(**value)

    @property
    def encumbrance(self) -> str:
        """Say what keeps it from being transferred, split or financed, or nothing."""
        if self.status != ACCEPTED:
            return f"it is {self.status}"
        if self.pledgee:
            return f"it is pledged to {self.pledgee}"
        return "it is disputed" if self.dispute is not None else ""


_FIELDS: Final = tuple(field.name for field in fields(Receivable))


@dataclass(frozen=True, slots=True)
class Loan:
    """A loan as the state has it: ``principal`` and ``fee`` are what is left of ``advance`` and ``charge``."""

    bank: str
    borrower: str
    receivable: int
    advance: int
    charge: int
    principal: int
    fee: int
    wallet: str
    status: str
    height: int

    def encoded(self) -> dict[str, Any]:
        """Return it as the state has it."""
        return {field.name: getattr(self, field.name) for field in fields(self)}

    @property
    def left(self) -> int:
        """What is left to repay."""
        return self.principal + self.fee


def waterfall(amount: int, owed: Sequence[int]) -> list[int]:
    """Divide an amount among those who are owed, in this order; the last gets no more than it is owed either."""
    shares = []
    for each in owed:
        share = min(amount, each)
        shares.append(share)
        amount -= share
    return shares


def is_invoice_number(text: str) -> bool:
    """Say whether a text is the number of an invoice: ASCII letters, digits, and ``-/.``, with a letter or digit."""
    return _NUMBER.issuperset(text) and not _SIGNS.issuperset(text)


def fingerprint(creditor: str, number: str, date: str, total: int) -> str:
    """Return what an invoice is registered under: one spelling of its number is as good as another.

    SHA-256 of the canonical encoding of ``[creditor, number in capitals without signs, date, total in fen]``, in hex.
    """
    return sha256(codec.encode([creditor, number.translate(_CAPITALS), date, total])).hexdigest()  # D3


def number_of(name: str, letter: str) -> int:
    """Return the number of what is named by a letter and a number, such as ``R3``; 0 for what is no such name."""
    digits = name[1:]
    known = name[:1] == letter and 0 < len(digits) <= 18 and _DIGITS.issuperset(digits) and digits[0] != "0"
    return int(digits) if known else 0
