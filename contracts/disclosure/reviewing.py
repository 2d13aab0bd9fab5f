"""Emergency requests: seats release to them without an approval, and members of other roles judge them afterwards.

Law: what nobody approved beforehand is reviewed; a member whose emergency request was found unjustified makes no other
until a ballot lets it.

contracts/disclosure/README.md, V24 to V26.
"""

from __future__ import annotations

from typing import Any, Final

from coseal.contracts.disclosure import requests
from coseal.contracts.disclosure.approving import APPROVER
from coseal.contracts.disclosure.log import LOG
from coseal.contracts.disclosure.policy import BASES, ORDER, OWN, REVIEW, term_ms
from coseal.contracts.disclosure.requesting import ACTIONS as REQUESTING
from coseal.contracts.disclosure.requesting import FIELDS, REASON, asked
from coseal.contracts.disclosure.requests import LAPSED, WHICH, Request, found_request, logged, request_of, said
from coseal.contracts.disclosure.state import NAME, barred_key, review_key
from coseal.contracts.kernel import deadlines
from coseal.contracts.kernel.action import Action, Args, Arguments, Context, Reader, Rejected, Result, View
from coseal.contracts.kernel.budget import FINDING_STEPS
from coseal.contracts.kernel.contract import Moment
from coseal.contracts.kernel.deadlines import BLOCK_CLOCK
from coseal.contracts.kernel.fields import OneOf
from coseal.contracts.membership.state import member_key
from coseal.contracts.rules.reasons import reason
from coseal.contracts.rules.verdict import Verdict
from coseal.contracts.supervision.findings import raise_finding, view_of

JUSTIFIED: Final = "justified"
UNJUSTIFIED: Final = "unjustified"
VERDICTS: Final = (JUSTIFIED, UNJUSTIFIED)
WAITING: Final = "waiting"
"""Of a review: not as many as decide say the same yet."""
REVIEWS: Final = (WAITING, *VERDICTS)
REVIEWERS: Final = 2
"""How many members must say the same to decide a review."""
EMERGENCY: Final = "emergency"
EMERGENCY_RULE: Final = "system:emergency"
"""What stands in place of a rule in the finding on who made an unjustified emergency request."""


def _emergency(view: View, context: Context, args: Args) -> Result | Rejected:
    barred: Any = view.get(barred_key(context.member))
    if barred is not None:  # V26
        return Rejected("barred", f"{barred} was found unjustified; a ballot on the policy lets {context.member} again")
    request = asked(view, context, args)
    if isinstance(request, Rejected):
        return request
    requests.approve(view, request, context.time_ms)  # V24
    requests.write(view, request)
    review_ms = context.time_ms + term_ms(view, REVIEW)
    view.put(review_key(request.by, request.id), {"due_ms": review_ms, "status": WAITING, "verdicts": []})
    deadlines.add(view, NAME, BLOCK_CLOCK, review_ms, [REVIEW, request.by, request.id])
    entry = logged(view, context.height, request, EMERGENCY, request.basis)
    return {**said(request), "object_ms": request.object_ms, "review_ms": review_ms, LOG: [entry]}


def _review(view: View, context: Context, args: Args) -> Result | Rejected:
    request = found_request(view, args)
    if isinstance(request, Rejected):
        return request
    key = review_key(request.by, request.id)
    review: Any = view.get(key)
    refusal = _unfit(view, context, request, review)
    if refusal is not None:
        return refusal
    verdict = args["verdict"]
    verdicts = [*review["verdicts"], [context.member, context.sender, verdict]]
    decided = sum(one[2] == verdict for one in verdicts) == REVIEWERS  # V25
    review = {**review, "verdicts": verdicts, "status": verdict if decided else WAITING}
    view.put(key, review)
    entries = [logged(view, context.height, request, "reviewed", f"{context.sender} {verdict}")]
    result: Result = {}
    if decided and verdict == UNJUSTIFIED:
        result = _unjustified(view, context, request, entries, args["reason"])
    return {**said(request), "review": review["status"], **result, LOG: entries}


def _unfit(reader: Reader, context: Context, request: Request, review: Any) -> Rejected | None:
    """Refuse who does not judge a request, and what is not judged any more."""
    if review is None:
        return Rejected("wrong_step", f"{request.name} is no emergency request; others approve it beforehand")
    if review["status"] != WAITING:
        return Rejected("wrong_step", f"{request.name} was found {review['status']}")
    if context.member in (request.owner, request.by):  # V25
        return Rejected("conflict", f"{context.member} is the owner or the requester")
    requester: Any = reader.get(member_key(request.by))
    if context.role == requester["role"]:  # V25
        return Rejected("forbidden", f"a member of another role than {requester['role']} reviews")
    if any(member == context.member for member, _, _ in review["verdicts"]):
        return Rejected("already_answered", f"{context.member} reviewed {request.name} already")
    return None


def _unjustified(view: View, context: Context, request: Request, entries: list[Any], text: str) -> Result:
    """Raise a finding on the requester, bar it, and end the request if seats may still release to it."""
    view.put(barred_key(request.by), request.name)  # V26
    view.charge(FINDING_STEPS)
    why = reason("unjustified", request=request.name, text=text)
    facts = {
        "rule": EMERGENCY_RULE,
        "version": 1,
        "process_type": NAME,
        "object_type": "request",
        "object": request.name,
        **dict.fromkeys(("source", "sequence", "event", "item")),
        "subject": request.by,
        "verdict": Verdict.VIOLATED.value,
        "severity": "violation",
        "effect": "flag",
        "reason": [why.code, why.values],
        "detail": str(why),
    }
    finding = raise_finding(view, height=context.height, time_ms=context.time_ms, facts=facts)
    result: Result = {"findings": [view_of(finding)]}
    if request.is_open:
        erased = requests.end(view, request, LAPSED, context.time_ms)
        entries.append(logged(view, context.height, request, LAPSED))
        result |= {**said(request), "erased": erased}
    return result


def fall_due(view: View, moment: Moment, by: str, name: str) -> Result:
    """Record that a request was not reviewed in time; it is still."""
    request = request_of(view, by, name)
    review: Any = view.get(review_key(by, name))
    if request is None or review["status"] != WAITING:
        return {}
    return requests.late(view, moment.height, request, [(REVIEW, "")])  # V25


ACTIONS: Final[dict[str, Action]] = {
    EMERGENCY: Action(
        arguments=Arguments({**FIELDS, "basis": OneOf(*(basis for basis in BASES if basis != OWN)), "reason": REASON}),
        apply=_emergency,
        title="Request an opening in an emergency, which others review afterwards",
        example={**REQUESTING["request"].example, "basis": ORDER, "reason": "The bank closes its books tonight"},
        capability="supervise",
    ),
    REVIEW: Action(
        arguments=Arguments({**WHICH, "verdict": OneOf(*VERDICTS), "reason": REASON}),
        apply=_review,
        title="Say whether an emergency request was justified",
        example={"by": "regulator", "request": "r1", "verdict": JUSTIFIED, "reason": "It could not wait"},
        capability=APPROVER,
    ),
}
