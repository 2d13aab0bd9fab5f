"""How a member leaves: it gives notice, and is a former one when that is over, unless it stays.

Law: nobody leaves at once, with a validator, or as the last government; until the notice is over everything is as it
was. Rule S8 of docs/spec/standing.md.
"""

from __future__ import annotations

from typing import Any, Final

from coseal.contracts.governance.standing import check_departure, depart
from coseal.contracts.governance.state import NAME, leaving_key
from coseal.contracts.kernel import deadlines
from coseal.contracts.kernel.action import SUSPENDED, Action, Args, Arguments, Context, Rejected, Result, View
from coseal.contracts.kernel.contract import Entry, Moment
from coseal.contracts.kernel.dates import DAY_MS
from coseal.contracts.kernel.deadlines import BLOCK_CLOCK
from coseal.contracts.kernel.fields import Name, Text
from coseal.contracts.kernel.wording import moment_text

NOTICE_MS: Final = 14 * DAY_MS  # S8
NOTICE: Final = "notice"
"""The kind of due thing that ends a notice."""
MAX_REASON_CHARACTERS: Final = 1_000


def _leave(view: View, context: Context, args: Args) -> Result | Rejected:
    if args["member"] != context.member:
        return Rejected("forbidden", f"a member leaves for itself; this is sent for {context.member}")
    given: Any = view.get(leaving_key(context.member))
    if given is not None:
        detail = f"{context.member} leaves at {moment_text(given[0])}; governance.stay takes that back"
        return Rejected("already_leaving", detail)
    refusal = check_departure(view, context.member)
    if refusal is not None:
        return refusal
    leaves_ms = context.time_ms + NOTICE_MS
    view.put(leaving_key(context.member), [leaves_ms, context.height])
    deadlines.add(view, NAME, BLOCK_CLOCK, leaves_ms, [NOTICE, context.member, leaves_ms])
    return {"member": context.member, "leaves_ms": leaves_ms}


def _stay(view: View, context: Context, args: Args) -> Result | Rejected:
    if view.get(leaving_key(context.member)) is None:
        return Rejected("not_leaving", f"{context.member} has given no notice")
    view.delete(leaving_key(context.member))
    return {"member": context.member}


def end_notice(view: View, moment: Moment, entry: Entry) -> Result:
    """Let a member go whose notice is over, unless it took that back or may not go now."""
    _, member_id, leaves_ms = entry
    given: Any = view.get(leaving_key(member_id))
    if given is None or given[0] != leaves_ms:
        return {}
    refusal = check_departure(view, member_id)
    if refusal is not None:
        view.delete(leaving_key(member_id))
        return {"left": [{"member": member_id, "code": refusal.code, "detail": refusal.detail}]}
    return {"left": [depart(view, member_id, moment.height, moment.time_ms, "")]}


_reason: Final = {"reason": Text(high=MAX_REASON_CHARACTERS)}
ACTIONS: Final[dict[str, Action]] = {
    "leave": Action(
        arguments=Arguments({"member": Name()}, _reason),
        apply=_leave,
        title="Give notice that the own member leaves in 14 days",
        example={"member": "bank-a", "reason": "We merge with bank-b"},
        capability="operate",
        standing=SUSPENDED,
        pausable=False,
    ),
    "stay": Action(
        arguments=Arguments({}, _reason),
        apply=_stay,
        title="Take back the notice that the own member leaves",
        example={"reason": "The merger was called off"},
        capability="operate",
        standing=SUSPENDED,
        pausable=False,
    ),
}
