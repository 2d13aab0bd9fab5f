"""Holds: an object is under a finding's hold, for a time that ends.

Law: every hold has an end that comes by itself; who is held may contest it, and silence on the supervisor's side
ends it; facts are recorded under a hold all the same. A hold with an amount holds so much of what its object is
about, one without holds the whole object; the contract that the object belongs to keeps to it.

contracts/supervision/README.md, section Holds.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from coseal.contracts.kernel.action import (
    FORMER,
    GOOD,
    Action,
    Args,
    Arguments,
    Context,
    Reader,
    Rejected,
    Result,
    View,
)
from coseal.contracts.kernel.dates import DAY_MS
from coseal.contracts.kernel.evidence import EVIDENCE
from coseal.contracts.kernel.fields import Identifier, Integer
from coseal.contracts.membership.standing import standing
from coseal.contracts.supervision.state import finding_key, hold_key, holds_key
from coseal.contracts.supervision.terms import (
    count_done,
    count_overdue,
    long_text,
    not_supervisor,
    schedule,
    term_ms,
)

MIN_HOLD_MS: Final = 1_000
MAX_HOLD_MS: Final = 30 * DAY_MS
DEFAULT_HOLD_MS: Final = 7 * DAY_MS
MAX_AMOUNT: Final = 2**62
"""In the smallest unit, such as fen."""
_VIEW_FIELDS: Final = ("process_type", "object_type", "object", "finding", "amount", "until_ms", "status")


def held(reader: Reader, process_type: str, object_type: str, object_id: str) -> dict[str, Any] | None:
    """Return the hold an object is under, or None."""
    value: Any = reader.get(hold_key(process_type, object_type, object_id))
    return value if value is not None and value["status"] == "held" else None


def view_of(hold: Mapping[str, Any]) -> dict[str, Any]:
    """Return a hold as receipts show it."""
    return {field: hold[field] for field in _VIEW_FIELDS}


def begin(
    view: View, finding: Mapping[str, Any], *, time_ms: int, hold_ms: int, amount: int | None = None
) -> dict[str, Any] | None:
    """Put the object of ``finding`` on hold, or only ``amount`` of it; None if it is held already."""
    place = (finding["process_type"], finding["object_type"], finding["object"])
    if held(view, *place) is not None:
        return None
    hold = {
        "process_type": place[0],
        "object_type": place[1],
        "object": place[2],
        "finding": finding["id"],
        "subject": finding["subject"],
        "amount": amount,  # J29
        "since_ms": time_ms,
        "until_ms": time_ms + hold_ms,
        "status": "held",
        "contested": 0,
        "contested_ms": 0,
        "confirmed": False,
    }
    view.put(hold_key(*place), hold)
    _count(view, place[0], 1)
    schedule(view, hold["until_ms"], ["hold", *place])
    return hold


def end(view: View, hold: Mapping[str, Any], status: str) -> dict[str, Any]:
    """End a hold: ``expired``, ``lifted`` or ``unanswered``; return its view."""
    ended = {**hold, "status": status}
    view.put(hold_key(hold["process_type"], hold["object_type"], hold["object"]), ended)
    _count(view, hold["process_type"], -1)
    return view_of(ended)


def _count(view: View, process_type: str, change: int) -> None:
    before: Any = view.get(holds_key(process_type))
    count = (before or 0) + change
    if count:
        view.put(holds_key(process_type), count)
    else:
        view.delete(holds_key(process_type))


def end_of_finding(view: View, finding: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Lift the hold that ``finding`` put its object under, if it is still on."""
    hold = held(view, finding["process_type"], finding["object_type"], finding["object"])
    return [] if hold is None or hold["finding"] != finding["id"] else [end(view, hold, "lifted")]  # J20


def fall_due(view: View, place: tuple[str, str, str], time_ms: int, due: dict[str, list[Any]]) -> None:
    """End the hold at ``place`` if its time, or that to answer its subject, is over."""
    hold = held(view, *place)
    if hold is None:
        return
    if hold["until_ms"] <= time_ms:  # J20
        due["holds"].append(end(view, hold, "expired"))
    elif hold["contested"] and not hold["confirmed"] and hold["contested"] <= time_ms:  # J21
        finding: Any = view.get(finding_key(hold["finding"]))
        count_overdue(view, "contest", finding["supervisor"])
        due["holds"].append(end(view, hold, "unanswered"))
        due["overdue"].append(
            {
                "what": "contest",
                "id": hold["finding"],
                "step": "contest",
                "side": "supervisor",
                "member": finding["supervisor"],
                "deadline_ms": hold["contested"],
                "escalation": 0,
            }
        )


# Actions


def _hold(view: View, context: Context, args: Args) -> Result | Rejected:
    finding = _finding(view, args)
    refusal = finding if isinstance(finding, Rejected) else may_act(view, context, finding)
    if refusal is not None:
        return refusal
    if finding["due"] is None:
        return Rejected("wrong_step", f"finding {finding['id']} is {finding['status']}; an open finding carries a hold")
    hold = begin(view, finding, time_ms=context.time_ms, hold_ms=args["hold_ms"], amount=args.get("amount"))
    if hold is None:
        return Rejected("exists_hold", f"{finding['object_type']} {finding['object']} is on hold; lift that hold first")
    return view_of(hold)


def _lift(view: View, context: Context, args: Args) -> Result | Rejected:
    hold = _hold_of(view, args)
    if isinstance(hold, Rejected):
        return hold
    finding: Any = view.get(finding_key(args["finding"]))
    refusal = may_act(view, context, finding)
    if refusal is not None:
        return refusal
    _count_answer(view, context, hold)
    return end(view, hold, "lifted")


def _contest(view: View, context: Context, args: Args) -> Result | Rejected:
    hold = _hold_of(view, args)
    if isinstance(hold, Rejected):
        return hold
    if context.member != hold["subject"]:
        return Rejected("forbidden", f"only {hold['subject']}, whose object is held, can contest the hold")
    if hold["contested"]:
        return Rejected("wrong_step", "the hold was contested; it ends by itself if no answer comes in time")
    deadline_ms = context.time_ms + term_ms(view, "contest")
    contested = {**hold, "contested": deadline_ms, "contested_ms": context.time_ms}
    place = (hold["process_type"], hold["object_type"], hold["object"])
    view.put(hold_key(*place), contested)
    schedule(view, deadline_ms, ["hold", *place])
    return {**view_of(contested), "deadline_ms": min(deadline_ms, hold["until_ms"])}


def _confirm(view: View, context: Context, args: Args) -> Result | Rejected:
    hold = _hold_of(view, args)
    refusal = hold if isinstance(hold, Rejected) else not_supervisor(context, hold["subject"])
    if refusal is not None:
        return refusal
    if not hold["contested"] or hold["confirmed"]:
        return Rejected("wrong_step", "the hold is not contested, or was confirmed before")
    _count_answer(view, context, hold)
    confirmed = {**hold, "confirmed": True}
    view.put(hold_key(hold["process_type"], hold["object_type"], hold["object"]), confirmed)
    return view_of(confirmed)


def may_act(view: View, context: Context, finding: Mapping[str, Any]) -> Rejected | None:
    """Refuse who is not the supervisor of ``finding``; one who is overdue, or may not act now, may be replaced."""
    refusal = not_supervisor(context, finding["subject"])
    if refusal is not None:
        return refusal
    if finding["supervisor"] in ("", context.member):
        return None
    if any(side == "supervisor" for _, side, *_ in finding["overdue"]):  # J18
        return None
    if standing(view, finding["supervisor"]).status != GOOD:  # J18
        return None
    return Rejected("other_supervisor", f"{finding['supervisor']} handles finding {finding['id']} and is not overdue")


def _count_answer(view: View, context: Context, hold: Mapping[str, Any]) -> None:
    if hold["contested"] and not hold["confirmed"]:
        count_done(view, "contest", context.member, context.time_ms - hold["contested_ms"])


def _finding(view: View, args: Args) -> Any:
    found: Any = view.get(finding_key(args["finding"]))
    return Rejected("unknown_finding", f"there is no finding {args['finding']}") if found is None else found


def _hold_of(view: View, args: Args) -> Any:
    finding = _finding(view, args)
    if isinstance(finding, Rejected):
        return finding
    hold = held(view, finding["process_type"], finding["object_type"], finding["object"])
    if hold is None or hold["finding"] != finding["id"]:
        return Rejected("unknown_hold", f"finding {finding['id']} holds nothing now")
    return hold


_reasoned = {"finding": Identifier(), "reason": long_text}

ACTIONS: Final[dict[str, Action]] = {
    "hold": Action(
        arguments=Arguments(
            {**_reasoned, "hold_ms": Integer(MIN_HOLD_MS, MAX_HOLD_MS)}, {"amount": Integer(1, MAX_AMOUNT)}
        ),
        apply=_hold,
        title="Put the object of a finding on hold for a time",
        example={"finding": "F1", "reason": "The receivable may have been financed twice", "hold_ms": DAY_MS},
        capability="supervise",
    ),
    "lift_hold": Action(
        arguments=Arguments(_reasoned),
        apply=_lift,
        title="Lift the hold of a finding before it ends",
        example={"finding": "F1", "reason": "The second financing was cancelled"},
        capability="supervise",
    ),
    "contest_hold": Action(
        arguments=Arguments(_reasoned, {"evidence": EVIDENCE}),
        apply=_contest,
        title="Contest a hold on the own object; it ends if no answer comes in time",
        example={"finding": "F1", "reason": "The goods perish"},
        standing=FORMER,
        pausable=False,
    ),
    "confirm_hold": Action(
        arguments=Arguments(_reasoned),
        apply=_confirm,
        title="Confirm a contested hold",
        example={"finding": "F1", "reason": "The risk stands"},
        capability="supervise",
    ),
}
