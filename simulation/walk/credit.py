"""Moves about credit: facts contested by whose they are, answered and corrected by an authority, dossiers read.

Law: after every block each figure is what its whole list says, and what an open contest leaves out does not count.
"""

from __future__ import annotations

from typing import Any, Final

from coseal.contracts.credit.contests import UPHELD
from coseal.contracts.credit.facts import OPEN, OVERDUE, UNANSWERED, Kept, entries_of
from coseal.contracts.credit.figures import (
    KINDS,
    REFUSED,
    Place,
    figure_from,
    figure_of,
    month_after,
    month_of,
)
from coseal.contracts.credit.formula import EXAMPLE
from coseal.contracts.credit.formulas import newest_version
from coseal.contracts.credit.state import fact_key, month_key
from coseal.contracts.kernel.action import Reader
from simulation.invariants import Violation
from simulation.walk.trade import CREDITOR, DEBTOR
from simulation.walk.walker import Make, Move, Walker

LOOKS_BACK: Final = 24
FORMULAS: Final = ("payment", "answers")


def _places(walk: Walker, member: str) -> list[Place]:
    """Return where a member has facts, the latest month first, as far back as one looks."""
    now = month_of(walk.sight.time_ms)
    months = [month_after(now, -back) for back in range(LOOKS_BACK)]
    return [Place(member, month, kind) for month in months for kind in walk.get(month_key(member, month)) or ()]


def _some(walk: Walker, statuses: tuple[str, ...]) -> tuple[Place, Kept] | None:
    """Return a fact of somebody that is in one of these statuses, or None."""
    members = [*(walk.pick((DEBTOR, CREDITOR)) for _ in range(2)), walk.member()]
    for member in members:
        places = _places(walk, member)
        if not places:
            continue
        place = walk.pick(places[:6])
        fitting = [
            kept for kept in entries_of(walk.sight.reader, place) if kept.status in statuses and kept.entry.sign == 1
        ]
        if fitting:
            return place, walk.pick(fitting[-8:])
    return None


def _args(place: Place, kept: Kept) -> dict[str, Any]:
    return {"month": place.month, "kind": place.kind, "entry": kept.entry.number}


def _contest(walk: Walker) -> Move | None:
    found = _some(walk, ("", REFUSED) if walk.chance(6) else ("",))
    sender = None if found is None else walk.operator(found[0].member)
    if found is None or sender is None:
        return None
    return Move(sender, "credit.contest", {**_args(*found), "reason": "It was another"})


def _answer(walk: Walker) -> Move | None:
    """Answer a contest, or put right what was upheld."""
    found = _some(walk, (*UNANSWERED, UPHELD))
    governments = walk.members("government")
    sender = walk.operator(walk.pick(governments), "supervise") if governments else None
    if found is None or sender is None:
        return None
    place, kept = found
    args = {"member": place.member, **_args(place, kept), "reason": "So it is"}
    if kept.status in (OPEN, OVERDUE):
        return Move(sender, "credit.answer", {**args, "outcome": walk.pick((UPHELD, UPHELD, REFUSED))})
    becomes = {"kind": walk.pick((place.kind, *KINDS[:2])), "amount": kept.entry.amount, "days": 0}
    return Move(sender, "credit.correct", {**args, "becomes": becomes})


def _consult(walk: Walker) -> Move | None:
    sender = walk.operator(walk.member())
    args = {"member": walk.member(), "purpose": "A loan", "legal_basis": "external: consent"}
    return None if sender is None else Move(sender, "credit.consult", args)


MOVES: Final[dict[str, tuple[int, Make]]] = {
    "contest a fact": (2, _contest),
    "answer a contested fact": (3, _answer),
    "consult a dossier": (1, _consult),
}


def formula_adopted(walk: Walker, member: str) -> dict[str, Any] | None:
    """Return what a ballot on a formula says: mostly the next version."""
    name = walk.pick(FORMULAS)
    version = newest_version(walk.sight.reader, name) + walk.pick((1, 1, 2))
    return {"formula": {**EXAMPLE, "id": name, "version": version}}


def figures(reader: Reader, time_ms: int) -> None:
    """Raise ``Violation`` unless the figures of this month and the one before are what their lists say."""
    now = month_of(time_ms)
    for member in (DEBTOR, CREDITOR):
        for month in (now, month_after(now, -1)):
            kinds: Any = reader.get(month_key(member, month)) or ()
            for place in (Place(member, month, kind) for kind in kinds):
                entries = entries_of(reader, place)
                said = figure_from(reader.get(fact_key(*place)))
                if figure_of(place, [kept.entry for kept in entries]) != said:
                    raise Violation(f"{place}: the figure {said} is not that of its list")
                if said.facts < 0 or said.total < 0:
                    raise Violation(f"{place}: the figure is {said}")
