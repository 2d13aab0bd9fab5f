"""The simple ballot: a quorum of the validators' members decides, each with one vote.

Law: the result follows from the votes, the present electorate and block time alone; a vote is final; only members
of the present electorate count; a ballot that is decided or whose time is over takes no vote.

A ballot is a map in state under a key its contract chooses; what it decides is the contract's matter. It is open from
``opened_ms`` to ``closes_ms`` and decided no earlier than ``not_before_ms`` (0: as soon as it can be).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from coseal.contracts.kernel.action import Context, Reader, Rejected
from coseal.contracts.kernel.fields import Identifier, OneOf, Text
from coseal.contracts.membership import actions as membership
from coseal.ledger.validators import quorum

OPEN: Final = "open"
ACCEPTED: Final = "accepted"
REJECTED: Final = "rejected"
EXPIRED: Final = "expired"
FAILED: Final = "failed"
"""Status of a ballot that was accepted, and whose effect could not be carried out (B11 of docs/spec/budget.md)."""
YES: Final = "yes"
NO: Final = "no"
MAX_REASON_CHARACTERS: Final = 1_000

VOTE_FIELDS: Final = {"ballot": Identifier(), "choice": OneOf(YES, NO)}
"""Required arguments of an action that votes; ``reason`` is optional."""
VOTE_OPTIONS: Final = {"reason": Text(high=MAX_REASON_CHARACTERS)}


def electorate(reader: Reader) -> tuple[str, ...]:
    """Return the members that have a vote: those that run a validator, each once, ascending."""
    return tuple(sorted({seat.member for seat in membership.validators(reader).validators}))


def needed(members: Sequence[str]) -> int:
    """Return how many of an electorate must say yes: q = 2n//3 + 1."""
    return quorum(len(members))


def new(
    kind: str, subject: Any, proposer: str, *, height: int, opened_ms: int, closes_ms: int, **more: Any
) -> dict[str, Any]:
    """Return an open ballot without votes; ``more`` are further fields, such as ``not_before_ms``."""
    return {
        "kind": kind,
        "subject": subject,
        "proposer": proposer,
        "height": height,
        "opened_ms": opened_ms,
        "not_before_ms": 0,
        "closes_ms": closes_ms,
        "votes": {},
        "reasons": {},
        "status": OPEN,
        **more,
    }


def vote(
    ballot: Mapping[str, Any], context: Context, choice: str, members: Sequence[str], reason: str | None = None
) -> dict[str, Any] | Rejected:
    """Return the ballot with the vote of ``context.member`` and its reason added, or a refusal."""
    if context.member not in members:
        return Rejected("not_elector", f"{context.member} runs no validator; {', '.join(members)} vote")
    if ballot["status"] != OPEN or context.time_ms >= ballot["closes_ms"]:
        status = EXPIRED if ballot["status"] == OPEN else ballot["status"]
        return Rejected("ballot_closed", f"the ballot is {status}; propose again to vote again")
    if context.member in ballot["votes"]:  # J7
        before = ballot["votes"][context.member]
        return Rejected("already_voted", f"{context.member} voted {before[0]} at height {before[1]}; a vote is final")
    votes = {**ballot["votes"], context.member: [choice, context.height, context.tx_id.hex()]}
    reasons = ballot["reasons"] if reason is None else {**ballot["reasons"], context.member: reason}
    return {**ballot, "votes": votes, "reasons": reasons}


def count(ballot: Mapping[str, Any], members: Sequence[str]) -> tuple[int, int]:
    """Return how many of the present electorate said yes, and no."""
    choices = [ballot["votes"][member][0] for member in members if member in ballot["votes"]]
    return choices.count(YES), choices.count(NO)


def resolve(ballot: Mapping[str, Any], members: Sequence[str], time_ms: int) -> str:
    """Return what the ballot comes to at ``time_ms``: open, accepted, rejected or expired."""
    if ballot["status"] != OPEN:
        return str(ballot["status"])
    if time_ms >= ballot["not_before_ms"]:
        yes, no = count(ballot, members)
        if yes >= needed(members):  # J7
            return ACCEPTED
        if len(members) - no < needed(members):
            return REJECTED
    return EXPIRED if time_ms >= ballot["closes_ms"] else OPEN


def tally(ballot: Mapping[str, Any], members: Sequence[str]) -> dict[str, Any]:
    """Return how a ballot stands by the present electorate, or how it stood when it was decided."""
    if "tally" in ballot:
        return dict(ballot["tally"])
    yes, no = count(ballot, members)
    return {"yes": yes, "no": no, "needed": needed(members), "electorate": list(members)}


def view_of(ballot: Mapping[str, Any], members: Sequence[str]) -> dict[str, Any]:
    """Return the figures of a ballot for a receipt."""
    yes, no = count(ballot, members)
    return {"yes": yes, "no": no, "needed": needed(members), "status": ballot["status"]}
