"""Others approve a request for an opening, or refuse it: other supervisors, and members of other roles.

Law: neither the requester nor the owner approves; what was not approved in its term lapses; a refusal is recorded with
its reason and ends nothing, for else any one friend of the owner could veto.

contracts/disclosure/README.md, V18 and V19.
"""

from __future__ import annotations

from typing import Any, Final

from coseal.contracts.disclosure import requests
from coseal.contracts.disclosure.log import LOG
from coseal.contracts.disclosure.policy import APPROVE, OTHERS, SUPERVISORS, policy_of
from coseal.contracts.disclosure.requests import (
    AGAINST,
    ASKED,
    MAX_ANSWERS,
    WHICH,
    Request,
    found_request,
    logged,
    said,
)
from coseal.contracts.kernel.action import Action, Args, Arguments, Context, Reader, Rejected, Result, View
from coseal.contracts.kernel.fields import Text
from coseal.contracts.membership.state import member_key

APPROVER: Final = "approve"
"""The capability to approve openings, of members of other roles than the requester's."""


def _kind(reader: Reader, context: Context, request: Request, needs: dict[str, int]) -> str | Rejected:
    """Return as what an operator approves, or why it cannot."""
    if context.member == request.owner or context.sender == request.sender:  # V18
        return Rejected("conflict", f"{context.sender} is the owner's or the requester")
    if any(user == context.sender for _, user, _ in request.answers):
        return Rejected("already_answered", f"{context.sender} answered {request.name} already")
    before = [member for member, _, _ in request.answers if member != request.by]
    if context.member in before:
        return Rejected("already_answered", f"{context.member} answered {request.name} already")
    requester: Any = reader.get(member_key(request.by))
    other = APPROVER in context.capabilities and context.role != requester["role"]
    supervisor = "supervise" in context.capabilities
    if other and not (supervisor and request.count(OTHERS) >= needs[OTHERS]):
        return OTHERS
    if supervisor:
        return SUPERVISORS
    detail = f"another supervisor approves, or an operator with {APPROVER} of another role than {requester['role']}"
    return Rejected("forbidden", detail)  # V18


def _answerable(view: View, context: Context, args: Args) -> tuple[Request, str, dict[str, int]] | Rejected:
    request = found_request(view, args)
    if isinstance(request, Rejected):
        return request
    if request.status != ASKED:
        return Rejected("wrong_step", f"the request is {request.status}")
    needs = dict(policy_of(view)["approvals"][request.basis])
    kind = _kind(view, context, request, needs)
    if isinstance(kind, Rejected):
        return kind
    if len(request.answers) == MAX_ANSWERS:
        return Rejected("limit", f"{MAX_ANSWERS} operators answered {request.name}")
    return request, kind, needs


def _approve(view: View, context: Context, args: Args) -> Result | Rejected:
    answerable = _answerable(view, context, args)
    if isinstance(answerable, Rejected):
        return answerable
    request, kind, needs = answerable
    if request.objected and not request.answered:  # V17
        return Rejected("too_early", f"{request.by} answers the objection first")
    if not request.objected and context.time_ms < request.object_ms:  # V17
        return Rejected("too_early", f"{request.owner} may object until {request.object_ms} ms")
    request.answers = [*request.answers, [context.member, context.sender, kind]]
    if all(request.count(one) >= count for one, count in needs.items()):  # V18
        requests.approve(view, request, context.time_ms)
    requests.write(view, request)
    entry = logged(view, context.height, request, "approved", context.sender)
    return {**said(request), "as": kind, LOG: [entry]}


def _refuse(view: View, context: Context, args: Args) -> Result | Rejected:
    answerable = _answerable(view, context, args)
    if isinstance(answerable, Rejected):
        return answerable
    request, _, _ = answerable
    request.answers = [*request.answers, [context.member, context.sender, AGAINST]]  # V19
    requests.write(view, request)
    entry = logged(view, context.height, request, "disapproved", context.sender)
    return {**said(request), "as": AGAINST, LOG: [entry]}


_REASON: Final = Text(high=1_000)
_EXAMPLE: Final = {"by": "regulator", "request": "r1", "reason": "The scope fits the purpose"}
ACTIONS: Final[dict[str, Action]] = {
    APPROVE: Action(
        arguments=Arguments({**WHICH, "reason": _REASON}),
        apply=_approve,
        title="Approve a request for an opening",
        example=_EXAMPLE,
        capability="",
    ),
    "refuse": Action(
        arguments=Arguments({**WHICH, "reason": _REASON}),
        apply=_refuse,
        title="Refuse to approve a request for an opening",
        example={**_EXAMPLE, "reason": "One loan would do"},
        capability="",
    ),
}
