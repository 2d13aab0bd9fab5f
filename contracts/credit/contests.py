"""A member contests a fact; a government member answers; what was upheld may be corrected.

Law: while nobody answered, the fact is left out of every figure; silence of the authority never counts against anybody.

contracts/credit/README.md, C7 to C9.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from coseal.contracts.credit import figures
from coseal.contracts.credit.facts import OPEN, OVERDUE, UNANSWERED, Fact, Facts, Kept, now
from coseal.contracts.credit.figures import CONTESTED, CORRECTED, FIRST_MONTH, KINDS, LAST_MONTH, REFUSED, Place
from coseal.contracts.credit.observed import CREDIT
from coseal.contracts.credit.state import NAME
from coseal.contracts.currency.ledger import MAX_AMOUNT
from coseal.contracts.kernel import deadlines
from coseal.contracts.kernel.action import FORMER, Action, Args, Arguments, Context, Rejected, Result, View
from coseal.contracts.kernel.contract import Moment
from coseal.contracts.kernel.dates import DAY_MS
from coseal.contracts.kernel.deadlines import BLOCK_CLOCK
from coseal.contracts.kernel.evidence import EVIDENCE
from coseal.contracts.kernel.fields import Integer, Name, OneOf, Record
from coseal.contracts.supervision.terms import long_text, not_supervisor, term_ms

UPHELD: Final = "upheld"
ANSWER: Final = "answer"
"""The kind of due thing, and the term, of an answer."""
MAX_DAYS: Final = 36_600


def _found(facts: Facts, member: str, args: Args) -> tuple[Place, Kept] | Rejected:
    place = Place(member, args["month"], args["kind"])
    kept = facts.find(place, args["entry"])
    if kept is None:
        detail = f"{member} has no entry {args['entry']} of {place.kind} in {place.month}"
        return Rejected("unknown_fact", detail)
    return place, kept


def _contest(view: View, context: Context, args: Args) -> Result | Rejected:
    facts = Facts(view, context.height, context.time_ms)
    found = _found(facts, context.member, args)
    if isinstance(found, Rejected):
        return found
    place, kept = found
    if kept.entry.sign != 1 or kept.entry.why not in ("", CORRECTED):
        return Rejected("not_a_fact", f"entry {kept.entry.number} changes entry {kept.entry.of}; contest that one")
    if kept.status:  # C7
        return Rejected("wrong_step", f"entry {kept.entry.number} is {kept.status}; a fact is contested once")
    deadline_ms = context.time_ms + term_ms(view, ANSWER)
    facts.change(place, kept.entry, -1, CONTESTED)  # C7
    facts.mark(place, kept.entry.number, OPEN, deadline_ms)
    deadlines.add(view, NAME, BLOCK_CLOCK, deadline_ms, [ANSWER, *place, kept.entry.number])
    return _said(facts, place, kept.entry.number, OPEN, deadline_ms)


def _answer(view: View, context: Context, args: Args) -> Result | Rejected:
    refusal = not_supervisor(context, args["member"])
    if refusal is not None:  # C8
        return refusal
    facts = Facts(view, context.height, context.time_ms)
    found = _found(facts, args["member"], args)
    if isinstance(found, Rejected):
        return found
    place, kept = found
    if kept.status not in UNANSWERED:
        return Rejected("wrong_step", f"entry {kept.entry.number} is {kept.status or 'not contested'}")
    outcome: str = args["outcome"]
    if outcome == REFUSED:
        facts.change(place, kept.entry, 1, REFUSED)
    facts.mark(place, kept.entry.number, outcome)
    late = kept.status == OVERDUE
    kind = figures.ANSWERED_LATE if late else figures.ANSWERED_IN_TIME
    took_ms = context.time_ms - kept.deadline_ms + term_ms(view, ANSWER)
    name = f"{place.month}/{place.kind}/{kept.entry.number}"
    facts.add(Fact(context.member, kind, name, place.member, 0, max(took_ms, 0) // DAY_MS))
    return _said(facts, place, kept.entry.number, outcome)


def _correct(view: View, context: Context, args: Args) -> Result | Rejected:
    refusal = not_supervisor(context, args["member"])
    if refusal is not None:
        return refusal
    facts, becomes = Facts(view, context.height, context.time_ms), args["becomes"]
    found = _found(facts, args["member"], args)
    if isinstance(found, Rejected):
        return found
    place, kept = found
    if kept.status != UPHELD:  # C9
        state = kept.status or "not contested"
        return Rejected("wrong_step", f"entry {kept.entry.number} is {state}; what was upheld is corrected, once")
    entry, right = kept.entry, Place(place.member, place.month, becomes["kind"])
    of = entry.number if right == place else 0
    fact = Fact(
        right.member, right.kind, entry.origin, entry.counterparty, becomes["amount"], becomes["days"], entry.held
    )
    facts.append(right, fact, of=of, why=CORRECTED)
    facts.mark(place, entry.number, CORRECTED)
    return _said(facts, place, entry.number, CORRECTED)


def _said(facts: Facts, place: Place, number: int, status: str, deadline_ms: int | None = None) -> Result:
    named = {"member": place.member, "month": place.month, "kind": place.kind, "entry": number}
    return {**named, "status": status, "deadline_ms": deadline_ms, CREDIT: facts.write()}


def fall_due(view: View, moment: Moment, entry: Sequence[Any]) -> Result:
    """Record that a contest was not answered in time; the fact stays left out."""  # C8
    member, month, kind, number = entry
    place, facts = Place(member, month, kind), now(view, moment)
    kept = facts.find(place, number)
    if kept is None or kept.status != OPEN:
        return {}
    facts.mark(place, number, OVERDUE, kept.deadline_ms)
    facts.write()
    named = {"member": member, "month": month, "kind": kind, "entry": number}
    return {"overdue": [{**named, "deadline_ms": kept.deadline_ms}]}


_where: Final = {
    "month": Integer(FIRST_MONTH, LAST_MONTH),
    "kind": OneOf(*KINDS),
    "entry": Integer(1, 2**31),
}
_whose: Final = {"member": Name(), **_where}
_EXAMPLE: Final = {"month": 2026_03, "kind": figures.SETTLED_LATE, "entry": 1}
ACTIONS: Final[dict[str, Action]] = {
    "contest": Action(
        arguments=Arguments({**_where, "reason": long_text}, {"evidence": EVIDENCE}),
        apply=_contest,
        title="Contest a fact in the own dossier; it is left out until the contest is answered",
        example={**_EXAMPLE, "reason": "The bank was closed on that day", "evidence": ["00" * 32]},
        standing=FORMER,
        pausable=False,
    ),
    "answer": Action(
        arguments=Arguments({**_whose, "outcome": OneOf(UPHELD, REFUSED), "reason": long_text}, {"evidence": EVIDENCE}),
        apply=_answer,
        title="Answer what a member contests of its dossier: upheld or refused",
        example={"member": "enterprise-a", **_EXAMPLE, "outcome": UPHELD, "reason": "It was", "evidence": ["00" * 32]},
        capability="supervise",
    ),
    "correct": Action(
        arguments=Arguments(
            {
                **_whose,
                "becomes": Record(
                    {"kind": OneOf(*KINDS), "amount": Integer(0, MAX_AMOUNT), "days": Integer(0, MAX_DAYS)}
                ),
                "reason": long_text,
            }
        ),
        apply=_correct,
        title="Put what is right in place of a fact that was contested rightly",
        example={
            "member": "enterprise-a",
            **_EXAMPLE,
            "becomes": {"kind": figures.SETTLED_ON_TIME, "amount": 1_017_000, "days": 0},
            "reason": "It was paid on the next working day",
        },
        capability="supervise",
    ),
}
