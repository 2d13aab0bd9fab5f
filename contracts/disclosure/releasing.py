"""Seats release parts of the cells that a request was approved for, and the requester reports what it opened.

Law: nothing is released before the approval, in block order; the requester's own seat does not count; what is not done
in its term is recorded of those who should have done it.

contracts/disclosure/README.md, V20 to V23.
"""

from __future__ import annotations

from typing import Final

from coseal.contracts.disclosure import live, requests
from coseal.contracts.disclosure.dealing import CUSTODIAN
from coseal.contracts.disclosure.log import LOG
from coseal.contracts.disclosure.policy import APPROVE, OPEN, RELEASE, term_ms
from coseal.contracts.disclosure.requests import (
    APPROVED,
    ASKED,
    EXPIRE,
    EXPIRED,
    LAPSED,
    OPENED,
    RELEASED,
    WHICH,
    Request,
    found_request,
    logged,
    request_of,
    said,
)
from coseal.contracts.disclosure.vaults import ACCEPTED, Vault, vault_of
from coseal.contracts.kernel.action import Action, Args, Arguments, Context, Rejected, Result, View
from coseal.contracts.kernel.contract import Moment
from coseal.contracts.kernel.fields import Hexadecimal, Integer, Many, Name, OneOf, Record, Text
from coseal.contracts.kernel.sidecars import Sidecar, named
from coseal.ledger.custody import RELEASED_MAX, SEATS_MAX

REASONS: Final = ("scope", "basis", "conflict", "technical")
"""Why a custodian declines."""
PART: Final = "part"
"""A fault of a seat: a part that is not that of its keys."""
FAULTS: Final = (PART, "check", "commitment")
"""What is found wrong: a part of a seat; of the owner, no key that fits a cell, or values not committed to."""


def _held(view: View, context: Context, args: Args) -> tuple[Request, Vault, int] | Rejected:
    """Return the request, the vault and the seat for which the sender releases or declines."""
    request = found_request(view, args)
    if isinstance(request, Rejected):
        return request
    vault = vault_of(view, request.owner, request.vault)
    seat = None if vault is None else vault.seat_of(context.member)
    if vault is None or seat is None or vault.seats[seat][1] != ACCEPTED:
        return Rejected("no_seat", f"{context.member} has no accepted seat at {request.owner}/{request.vault}")
    if context.member == request.by:  # V20
        return Rejected("conflict", f"{context.member} is the requester; other seats release to it")
    if request.status not in (APPROVED, RELEASED):  # V20
        return Rejected("not_approved", f"the request is {request.status}; seats release what is approved")
    if seat in request.seats() or seat in request.declined:
        return Rejected("already_answered", f"{context.member} answered {request.name} already")
    return request, vault, seat


def _release(view: View, context: Context, args: Args) -> Result | Rejected:
    held = _held(view, context, args)
    if isinstance(held, Rejected):
        return held
    request, vault, seat = held
    envelopes = named(args["envelopes"])
    refusal = live.refusal(view, context.member, envelopes)
    if refusal is not None:
        return refusal
    live.add(view, envelopes, context.member, request.name, live.RELEASE)
    request.released = [*request.released, [seat, context.member, envelopes.name]]
    if request.status == APPROVED and len(request.released) == vault.threshold:  # V20
        request.status = RELEASED
        requests.until(view, request, OPEN, context.time_ms + term_ms(view, OPEN))
    requests.write(view, request)
    entry = logged(view, context.height, request, "released", context.member)
    return {**said(request), "seat": seat, "envelopes": args["envelopes"]["name"], LOG: [entry]}


def _decline(view: View, context: Context, args: Args) -> Result | Rejected:
    held = _held(view, context, args)
    if isinstance(held, Rejected):
        return held
    request, _, seat = held
    request.declined = [*request.declined, seat]
    requests.write(view, request)
    entry = logged(view, context.height, request, "declined", f"{context.member} {args['reason']}")
    return {**said(request), "seat": seat, LOG: [entry]}


def _opened(view: View, context: Context, args: Args) -> Result | Rejected:
    request = found_request(view, {**args, "by": context.member})
    if isinstance(request, Rejected):
        return request
    if request.status != RELEASED:
        return Rejected("wrong_step", f"the request is {request.status}; it is opened once enough seats released")
    members = [member for _, member, _ in request.released]
    for fault in args["faults"]:
        if fault["member"] not in (members if fault["kind"] == PART else [request.owner]):  # V22
            detail = f"{fault['member']}: a wrong part is of a seat that released, another fault of {request.owner}"
            return Rejected("wrong_fault", detail)
    counts = f"{args['opened']} opened, {args['failed']} failed"
    entries = [logged(view, context.height, request, OPENED, counts)]
    entries += [
        logged(view, context.height, request, "fault", f"{fault['member']} {fault['kind']}") for fault in args["faults"]
    ]
    erased = requests.end(view, request, OPENED, context.time_ms)
    return {**said(request), "erased": erased, LOG: entries}


def fall_due(view: View, moment: Moment, by: str, name: str, step: str) -> Result:
    """Record who did not do a step of a request in time, or end it."""
    request = request_of(view, by, name)
    if request is None or not request.is_open:
        return {}
    if step == EXPIRE:
        return _ended(view, moment, request, EXPIRED, [])
    if step == APPROVE and request.status == ASKED:  # V19
        waits = request.objected and not request.answered
        late = [("answer", request.by)] if waits else [("approve", "")]
        return _ended(view, moment, request, LAPSED, late)
    if step == RELEASE and request.status == APPROVED:  # V20
        return requests.late(view, moment.height, request, [(RELEASE, member) for member in _silent(view, request)])
    if step == OPEN and request.status == RELEASED:  # V22
        return requests.late(view, moment.height, request, [(OPEN, request.by)])
    return {}


def _silent(view: View, request: Request) -> list[str]:
    """Return the custodians that neither released nor declined, without the requester."""
    vault = vault_of(view, request.owner, request.vault)
    answered = {*request.seats(), *request.declined}
    seats = [] if vault is None else vault.seats
    return [
        member
        for seat, (member, status) in enumerate(seats)
        if status == ACCEPTED and seat not in answered and member != request.by
    ]


def _ended(view: View, moment: Moment, request: Request, status: str, late: list[tuple[str, str]]) -> Result:
    result = requests.late(view, moment.height, request, late)
    erased = requests.end(view, request, status, moment.time_ms)
    entry = logged(view, moment.height, request, status)
    return {**result, "ended": [said(request)], "erased": erased, LOG: [*result.get(LOG, []), entry]}


_COUNT: Final = Integer(0, RELEASED_MAX)
ACTIONS: Final[dict[str, Action]] = {
    RELEASE: Action(
        arguments=Arguments({**WHICH, "envelopes": Sidecar()}),
        apply=_release,
        title="Release the parts of the own seat for an approved request",
        example={"by": "regulator", "request": "r1", "envelopes": {"name": "e2" * 32, "bytes": 2_000}},
        capability=CUSTODIAN,
    ),
    "decline": Action(
        arguments=Arguments({**WHICH, "reason": OneOf(*REASONS), "text": Text(high=1_000)}),
        apply=_decline,
        title="Decline to release for an approved request",
        example={"by": "regulator", "request": "r1", "reason": "technical", "text": "The keys are lost"},
        capability=CUSTODIAN,
    ),
    "opened": Action(
        arguments=Arguments(
            {
                "request": Name(),
                "opened": _COUNT,
                "failed": _COUNT,
                "faults": Many(
                    Record({"kind": OneOf(*FAULTS), "member": Name(), "evidence": Hexadecimal()}), high=SEATS_MAX
                ),
            }
        ),
        apply=_opened,
        title="Say what was opened by a request of the own member, and end it",
        example={"request": "r1", "opened": 1, "failed": 0, "faults": []},
        capability="",
    ),
}
