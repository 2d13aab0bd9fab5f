"""What clears of a netting run, and the proof that no more can: pure, for the contract, solvers and auditors.

Law: what passes ``refusal`` clears the greatest possible weighted total of a run, by whatever method it was found.

The amounts and potentials satisfy complementary slackness: for every balanced clearing the sum of ``weight * cleared``
is the sum of ``-reduced * cleared``, which is greatest when what has a negative reduced weight is cleared whole and
what has a positive one not at all. contracts/trade/README.md, section Netting.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

from coseal.contracts.currency.ledger import yuan
from coseal.contracts.kernel.action import Rejected
from coseal.contracts.kernel.dates import DAY_MS

WEIGHT: Final = 1_000_000
"""What a fen counts for, beside the days for which it is overdue."""
MAX_DAYS: Final = 1_000
MAX_POTENTIAL: Final = 2**53


class Obligation(NamedTuple):
    """What a debtor owes a holder: at most ``amount`` of it clears, each fen of which counts ``weight``."""

    debtor: str
    holder: str
    amount: int
    weight: int = WEIGHT


def weight(due_ms: int, closes_ms: int) -> int:
    """Return what a fen counts for of what was due at one time when its run closed."""
    return WEIGHT + min(max((closes_ms - due_ms) // DAY_MS, 0), MAX_DAYS)


def refusal(
    obligations: Sequence[Obligation], cleared: Sequence[int], potentials: Mapping[str, int]
) -> Rejected | None:
    """Refuse a clearing that is not balanced or not the greatest possible; there is one amount an obligation."""
    gets = dict.fromkeys(potentials, 0)
    for index, (one, amount) in enumerate(zip(obligations, cleared, strict=True)):
        where = f"args.cleared[{index}]: {one.debtor} to {one.holder}"
        if not 0 <= amount <= one.amount:  # D20
            return Rejected("out_of_bounds", f"{where}: {yuan(amount)}, at most {yuan(one.amount)} clear")
        if one.debtor not in gets or one.holder not in gets:
            return Rejected("not_optimal", f"{where}: no potential of one of them is given")
        gets[one.debtor] -= amount
        gets[one.holder] += amount
        reduced = potentials[one.debtor] - potentials[one.holder] - one.weight
        if (reduced < 0 and amount < one.amount) or (reduced > 0 and amount):  # D21
            expected = yuan(one.amount) if reduced < 0 else "nothing"
            return Rejected("not_optimal", f"{where}: {yuan(amount)}; by the potentials {expected} would clear")
    for party in sorted(gets):
        if gets[party]:  # D20
            said = f"{yuan(abs(gets[party]))} {'more' if gets[party] > 0 else 'less'} than it gives"
            return Rejected("unbalanced", f"{party} gets {said}")
    return None
