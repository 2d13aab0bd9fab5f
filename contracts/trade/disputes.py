"""A debtor disputes what it accepted; its holder answers; who has a right in it agrees what is left of it.

Law: a dispute keeps a receivable from moving, not from being paid; silence of the holder keeps it so, silence of the
debtor ends it; nobody reduces a claim that another has a right in, but a supervisor by what
it decided.

contracts/trade/README.md, section Disputes.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace
from typing import Any, Final

from coseal.contracts.currency.ledger import yuan
from coseal.contracts.kernel import deadlines
from coseal.contracts.kernel.action import (
    FORMER,
    GOOD,
    Accepted,
    Action,
    Args,
    Arguments,
    Context,
    Rejected,
    Result,
    View,
)
from coseal.contracts.kernel.contract import Moment
from coseal.contracts.kernel.deadlines import BLOCK_CLOCK
from coseal.contracts.kernel.evidence import EVIDENCE
from coseal.contracts.kernel.fields import Identifier
from coseal.contracts.membership.standing import standing
from coseal.contracts.supervision.findings import OUTCOMES, open_findings
from coseal.contracts.supervision.state import finding_key
from coseal.contracts.supervision.terms import long_text, term_ms
from coseal.contracts.trade import fields, history
from coseal.contracts.trade.books import Books, on_hold, stayed
from coseal.contracts.trade.financing import released
from coseal.contracts.trade.ledger import SETTLED, Receivable
from coseal.contracts.trade.runs import being_cleared, clears_until
from coseal.contracts.trade.state import NAME

CLOSED: Final = "closed"
DISMISSED: Final = "dismissed"
SUPERVISE: Final = "supervise"
MAX_DISPUTES: Final = 4
"""Of one receivable, so that disputes that are given up do not keep it for ever."""


def _dispute(view: View, context: Context, args: Args) -> Accepted | Rejected:
    books = Books(view, context)
    found = books.found(args["receivable"], "dispute")
    if isinstance(found, Rejected):
        return found
    number, receivable = found
    if receivable.debtor != context.member:
        return Rejected("not_yours", f"{receivable.debtor} owes R{number}")
    if receivable.dispute is not None:
        return Rejected("exists", f"R{number} is disputed")
    if receivable.disputes >= MAX_DISPUTES:
        return Rejected("limit", f"R{number} was disputed {MAX_DISPUTES} times")
    wrong = stayed(view, context.member) or being_cleared(view, number, receivable, context.time_ms)
    if wrong is not None:
        return wrong
    dispute = {"height": context.height, "answered": False, "agreed": {}}
    books.put(number, receivable, replace(receivable, dispute=dispute, disputes=receivable.disputes + 1))
    return books.write(history.DISPUTED)


def _disputed(books: Books, context: Context, args: Args, action: str) -> tuple[int, Receivable] | Rejected:
    found = books.found(args["receivable"], action)
    if isinstance(found, Rejected):
        return found
    number, receivable = found
    if receivable.dispute is None:
        return Rejected("no_dispute", f"R{number} is not disputed")
    return stayed(books.view, context.member) or on_hold(books.view, number) or found


def _answer(view: View, context: Context, args: Args) -> Accepted | Rejected:
    books = Books(view, context)
    found = _disputed(books, context, args, "answer")
    if isinstance(found, Rejected):
        return found
    number, receivable = found
    if receivable.holder != context.member:
        return Rejected("not_yours", f"{receivable.holder} holds R{number}")
    dispute = {**(receivable.dispute or {}), "answered": True}
    respond_ms = context.time_ms + term_ms(view, "respond")
    if not (receivable.dispute or {})["answered"]:
        deadlines.add(view, NAME, BLOCK_CLOCK, respond_ms, ["dispute", number, receivable.disputes])
    books.put(number, receivable, replace(receivable, dispute=dispute))
    return books.write(history.ANSWERED)


def _resolve(view: View, context: Context, args: Args) -> Accepted | Rejected:
    books = Books(view, context)
    found = _disputed(books, context, args, "resolve")
    if isinstance(found, Rejected):
        return found
    (number, receivable), amount = found, args["amount"]
    wrong = being_cleared(view, number, receivable, context.time_ms)
    if wrong is None and amount > receivable.outstanding:
        wrong = Rejected("not_whole", f"{yuan(receivable.outstanding)} of R{number} are outstanding")
    if wrong is not None:
        return wrong
    parties = {receivable.debtor, receivable.holder} | ({receivable.pledgee} if receivable.pledgee else set())
    dispute = receivable.dispute or {}
    if "finding" in args:
        wrong = _undecided(view, context, number, dispute, args, parties)
        if wrong is not None:
            return wrong
        books.put(number, receivable, _credited(receivable, amount))  # D26
        return books.write(history.RESOLVED, amount=amount)
    if context.member not in parties:
        return Rejected("not_yours", f"{', '.join(sorted(parties))} resolve what is disputed of R{number}")
    agreed = {**dispute["agreed"], context.member: amount}
    withdrawn = amount == 0 and context.member == receivable.debtor
    if withdrawn or all(agreed.get(party) == amount for party in parties):  # D18
        books.put(number, receivable, _credited(receivable, amount))
    else:
        books.put(number, receivable, replace(receivable, dispute={**dispute, "agreed": agreed}))
    return books.write(history.RESOLVED, amount=amount)


def _undecided(
    view: View, context: Context, number: int, dispute: Mapping[str, Any], args: Args, parties: Collection[str]
) -> Rejected | None:
    """Refuse a finding that decides nothing of a dispute, and who did not decide it."""
    found: Any = view.get(finding_key(args["finding"]))
    if found is None:
        return Rejected("unknown_finding", f"there is no finding {args['finding']}")
    about = (found["process_type"], found["object_type"], found["object"])
    if about != (NAME, history.RECEIVABLE, f"R{number}") or found["height"] < dispute["height"]:
        return Rejected("not_decided", f"finding {found['id']} is not about what is disputed of R{number}")
    if found["status"] != CLOSED or found["outcome"] not in OUTCOMES:
        return Rejected("not_decided", f"finding {found['id']} is {found['outcome'] or found['status']}")
    if found["supervisor"] != context.member or SUPERVISE not in context.capabilities or context.member in parties:
        return Rejected(
            "not_yours", f"{found['supervisor']} decided finding {found['id']}, and no party resolves by it"
        )
    if standing(view, context.member).status != GOOD:
        return Rejected("not_yours", f"{context.member} is not in good standing")
    if found["outcome"] == DISMISSED and args["amount"]:
        return Rejected("not_whole", f"finding {found['id']} was dismissed: nothing less is owed by it")
    return None


def _credited(receivable: Receivable, amount: int) -> Receivable:
    """Return a receivable without its dispute, and less what its parties agreed."""
    after = replace(receivable, dispute=None, outstanding=receivable.outstanding - amount)
    if after.outstanding:
        return after
    return replace(released(after) if after.loan else after, status=SETTLED)


def gave_up(view: View, moment: Moment, number: int, disputes: int) -> Result | Accepted:
    """End a dispute that was answered, and that the debtor did not bring to an end in time."""
    books = Books(view, moment.context())
    receivable = books.receivable(number)
    if receivable.dispute is None or receivable.disputes != disputes:
        return {}
    until_ms = clears_until(view, receivable, moment.time_ms)
    if until_ms is None and any(open_findings(view, NAME, history.RECEIVABLE, f"R{number}").values()):
        until_ms = moment.time_ms + term_ms(view, "respond")  # D18: a supervisor is about to decide
    if until_ms is not None:  # D23
        deadlines.add(view, NAME, BLOCK_CLOCK, until_ms, ["dispute", number, disputes])
        return {}
    books.put(number, receivable, replace(receivable, dispute=None))  # D18
    written = books.fell_due(history.GIVEN_UP)
    if isinstance(written, Rejected):
        raise ValueError(f"a dispute of R{number} ends and is {written.code}")
    return written


ACTIONS: Final[dict[str, Action]] = {
    "dispute": Action(
        arguments=Arguments({"receivable": fields.receivable, "reason": long_text}, {"evidence": EVIDENCE}),
        apply=_dispute,
        title="Dispute a receivable that one owes",
        example={"receivable": "R1", "reason": "10 of 90 came back", "evidence": ["00" * 32]},
    ),
    "answer": Action(
        arguments=Arguments({"receivable": fields.receivable, "reason": long_text}, {"evidence": EVIDENCE}),
        apply=_answer,
        title="Answer what is disputed of a receivable that one holds",
        example={"receivable": "R1", "reason": "They came back after the term"},
        standing=FORMER,
        pausable=False,
    ),
    "resolve": Action(
        arguments=Arguments(
            {"receivable": fields.receivable, "amount": fields.fen}, {"finding": Identifier(slash=False)}
        ),
        apply=_resolve,
        title="Agree how much less a disputed receivable is; with nothing less its debtor gives the dispute up",
        example={"receivable": "R1", "amount": 100_000},
        standing=FORMER,
        pausable=False,
    ),
}
