"""Live acts on policies: members publish, endorse, approve, promulgate, amend, repeal and evaluate.

Law: passed <= promulgated <= effective; a municipal instrument is approved above before it is promulgated; only an
issuer or a higher level changes or ends an instrument; nothing follows the end but an evaluation.

A body acts under its member id: names may be changed by their members, so they give no authority.
contracts/policy/README.md, sections Actions and Refusals.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from coseal.contracts.kernel.action import (
    INVALID,
    Action,
    Args,
    Arguments,
    Context,
    Reader,
    Rejected,
    Result,
    View,
    refused,
)
from coseal.contracts.kernel.budget import ENTRY_STEPS
from coseal.contracts.kernel.evidence import EVIDENCE
from coseal.contracts.kernel.fields import Date, Hexadecimal, OneOf, Text
from coseal.contracts.kernel.wording import moment_text
from coseal.contracts.membership.state import member_key
from coseal.contracts.policy.instrument import (
    DESCRIPTION,
    MAX_EVENTS,
    Event,
    Instrument,
    events_of,
    first_date,
    instrument,
    instrument_name,
    is_before,
    starts_ms,
    status_of,
    with_defaults,
    zone_missing,
)
from coseal.contracts.policy.state import instrument_key
from coseal.contracts.policy.statistics import recount
from coseal.ledger.genesis import LEVELS
from coseal.ledger.render import time_text


def authority(reader: Reader, context: Context) -> str | None:
    """Return the level at which the sender's member issues policies, or None if it does not."""
    if context.role == "government":
        return context.level
    member: Any = reader.get(member_key(context.member))
    return LEVELS[0] if member["central_bank"] else None  # L3


def is_above(level: str, entry: Mapping[str, Any]) -> bool:
    """Say whether ``level`` is higher than the instrument's; nothing is above an unstated level."""
    return "level" in entry and LEVELS.index(level) < LEVELS.index(entry["level"])


def save(view: View, before: Instrument | None, after: Instrument) -> None:
    """Store an instrument with its status, and bring the counters up to date."""
    view.charge(ENTRY_STEPS * len(after["events"]))
    after["status"] = status_of(after)
    view.put(instrument_key(after["id"]), after)
    recount(view, before, after)


# Publishing and endorsing


def _publish(view: View, context: Context, args: Args) -> Result | Rejected:
    level = authority(view, context)
    if level is None:
        return _forbidden("only a government member or the central bank publishes policies")
    before = instrument(view, args["id"])
    fields = {name: value for name, value in args.items() if name != "stage"}
    fields["passed_by"] = args.get("passed_by", [context.member])
    if context.member not in fields["passed_by"]:  # L4
        return Rejected(INVALID, f"args.passed_by: must contain {context.member}, who publishes it")
    stage = args.get("stage", "passed")
    refusal = _may_publish(before, context, stage, args["date_document"])
    if refusal is not None:
        return refusal
    after = with_defaults(fields)
    after |= {"level": level, "origin": "live", "member": context.member, "height": context.height}
    after["awaiting"] = [body for body in after["passed_by"] if body != context.member and _is_member(view, body)]
    event = _event(context, stage, after["date_document"], after.get("number"))
    after["events"] = [*(before["events"] if before else ()), event]
    after["findings"] = []
    refusal = _not_in_future(after, after["date_document"], context)
    if refusal is not None:
        return refusal
    save(view, before, after)
    return {**_outcome(after, [event]), "level": level, "passed_by": after["passed_by"], "awaiting": after["awaiting"]}


def _may_publish(before: Instrument | None, context: Context, stage: str, date: str) -> Rejected | None:
    """Refuse an id that is taken, but let the issuer pass what it has proposed."""
    if before is None:
        return None
    if before["origin"] != "live" or before["status"] != "proposed" or stage != "passed":
        return Rejected("exists", f"{before['id']} is {before['status']}; choose another id, or amend it")
    if before["member"] != context.member:  # L4
        return _forbidden(f"{before['member']} has proposed it and passes it")
    return _in_order(("passed", date), ("proposed", first_date(before, "proposed")))


def _endorse(view: View, context: Context, args: Args) -> Result | Rejected:
    before = instrument(view, args["id"])
    if before is None:
        return _unknown(args["id"])
    refusal = _open(before)
    if refusal is not None:
        return refusal
    if context.member not in before.get("awaiting", ()):  # L5
        if any(event.get("issuer") == context.member for event in events_of(before, "endorsed")):
            return Rejected("already_done", f"{context.member} has endorsed it")
        return Rejected("not_awaited", f"{context.member} is no co-issuer whose endorsement is awaited")
    if "text_sha256" in args and args["text_sha256"] != before.get("text_sha256"):
        return Rejected("text_differs", f"the published text has the hash {before.get('text_sha256', '(none)')}")
    event = {"action": "endorsed", "issuer": context.member, "time_ms": context.time_ms, "height": context.height}
    awaiting = [member for member in before["awaiting"] if member != context.member]
    after = {**before, "awaiting": awaiting, "events": [*before["events"], event]}
    if not awaiting:
        after["endorsed_ms"] = context.time_ms
    save(view, before, after)
    return {**_outcome(after, [event]), "awaiting": awaiting}


# From approval to repeal


def _approve(view: View, context: Context, args: Args) -> Result | Rejected:
    before = instrument(view, args["id"])
    if before is None:
        return _unknown(args["id"])
    level = authority(view, context)
    if level is None or not is_above(level, before):  # L6
        return _forbidden(
            f"a {before.get('level', 'level that is not stated')} instrument is approved by a higher level"
        )
    refusal = (
        _open(before)
        or _not_yet(before, "approved")
        or _in_order(("approved", args["date"]), ("passed", _passed_on(before)))
        or _not_in_future(before, args["date"], context)
    )
    if refusal is not None:
        return refusal
    return _append(view, before, {}, _event(context, "approved", args["date"], args.get("number")))


def _promulgate(view: View, context: Context, args: Args) -> Result | Rejected:
    before = instrument(view, args["id"])
    if before is None:
        return _unknown(args["id"])
    if authority(view, context) is None or context.member not in before.get("passed_by", ()):  # L7
        return _forbidden("an issuer promulgates it")
    published, effective = args["date_publication"], args["first_date_entry_in_force"]
    refusal = (
        _open(before)
        or _not_yet(before, "promulgated")
        or _approved_if_municipal(before)
        or _in_order(("promulgated", published), ("passed", _passed_on(before)))
        or _in_order(("promulgated", published), ("approved", first_date(before, "approved")))
        or _in_order(("effective", effective), ("promulgated", published))  # L7
        or _not_in_future(before, published, context)
    )
    if refusal is not None:
        return refusal
    dates = {"date_publication": published, "first_date_entry_in_force": effective}
    number = args.get("number")
    changes = dates if number is None else {**dates, "number": number}
    events = [_event(context, "promulgated", published, number), _event(context, "effective", effective)]
    return _append(view, before, changes, *events)


def _amend(view: View, context: Context, args: Args) -> Result | Rejected:
    before = instrument(view, args["id"])
    if before is None:
        return _unknown(args["id"])
    refusal = (
        _may_change(view, context, before)
        or _open(before)
        or _promulgated_if_live(before)
        or _in_order(("amended", args["date"]), ("promulgated", before.get("date_publication")))
        or _in_order(("amended", args["date"]), ("passed", _passed_on(before)))
        or _not_in_future(before, args["date"], context)
    )
    if refusal is not None:
        return refusal
    changes = {name: args[name] for name in ("text_sha256", "text_ref") if name in args}
    event = _event(context, args.get("kind", "amended"), args["date"], args.get("number"), args.get("by"))
    return _append(view, before, changes, event)


def _repeal(view: View, context: Context, args: Args) -> Result | Rejected:
    before = instrument(view, args["id"])
    if before is None:
        return _unknown(args["id"])
    date = args["date_no_longer_in_force"]
    refusal = (
        _may_change(view, context, before)
        or _open(before)
        or _in_order(("ended", date), ("passed", _passed_on(before)))
        or _in_order(("ended", date), ("promulgated", before.get("date_publication")))
    )
    if refusal is not None:
        return refusal
    event = _event(context, "repealed", date, args.get("number"), args.get("by"))
    return _append(view, before, {"date_no_longer_in_force": date}, event)


def _evaluate(view: View, context: Context, args: Args) -> Result | Rejected:
    before = instrument(view, args["id"])
    if before is None:
        return _unknown(args["id"])
    if context.role != "institute" and authority(view, context) is None:
        return _forbidden("a government or institute member or the central bank evaluates policies")
    refusal = _passed(before) or _not_in_future(before, args["date"], context)
    if refusal is not None:
        return refusal
    count = before.get("evaluations", {"count": 0})["count"] + 1
    evaluations = {"count": count, "verdict": args["verdict"], "date": args["date"]}
    after = {**before, "evaluations": evaluations}  # the history is in the blocks: it may be longer than a state value
    save(view, before, after)
    return {**_outcome(after, [_event(context, "evaluated", args["date"])]), "evaluations": evaluations}


# What other contracts do


def consulted(view: View, context: Context, before: Instrument, consultation: str) -> Event:
    """Add to a proposed instrument that it was opened for comment today, by which consultation, and return the event.

    The caller has seen that it is a proposal with room for an event (``MAX_EVENTS``).
    """
    date = time_text(context.time_ms + before["zone_minutes"] * 60_000)[:10]
    event = {**_event(context, "consulted", date), "consultation": consultation}
    save(view, before, {**before, "events": [*before["events"], event]})
    return event


# Guards


def _open(entry: Mapping[str, Any]) -> Rejected | None:
    """Refuse what is only proposed, and what has ended."""
    if entry["status"] == "ended":  # L9
        return Rejected("ended", f"{entry['id']} was repealed or has expired; publish a new instrument")
    return _passed(entry)


def _passed(entry: Mapping[str, Any]) -> Rejected | None:
    if entry["status"] == "proposed":
        return Rejected("not_passed", f"{entry['id']} is a proposal; publish it with stage passed first")
    return None


def _not_yet(entry: Mapping[str, Any], action: str) -> Rejected | None:
    done = events_of(entry, action)
    return Rejected("already_done", f"{entry['id']} was {action} before") if done else None


def _promulgated_if_live(entry: Mapping[str, Any]) -> Rejected | None:
    if entry["origin"] == "live" and entry["status"] != "promulgated":  # L8
        return Rejected("not_promulgated", f"{entry['id']} is {entry['status']}; only what is promulgated is amended")
    return None


def _approved_if_municipal(entry: Mapping[str, Any]) -> Rejected | None:
    if entry.get("level") == "municipal" and not events_of(entry, "approved"):  # L6
        return Rejected("approval_missing", f"{entry['id']} is municipal; a higher level approves it first")
    return None


def _may_change(view: View, context: Context, entry: Mapping[str, Any]) -> Rejected | None:
    level = authority(view, context)
    if level is not None and (context.member in entry.get("passed_by", ()) or is_above(level, entry)):  # L8
        return None
    return _forbidden(f"{entry['id']} is changed by its issuers or a higher level")


def _in_order(later: tuple[str, str], earlier: tuple[str, str | None]) -> Rejected | None:
    if is_before(later[1], earlier[1]):
        return Rejected("date_order", f"{later[0]} on {later[1]}, before it was {earlier[0]} on {earlier[1]}")
    return None


def _not_in_future(entry: Mapping[str, Any], date: str, context: Context) -> Rejected | None:
    if starts_ms(date, entry["zone_minutes"]) > context.time_ms:  # L10
        return Rejected("future_date", f"{date} has not come at block time {moment_text(context.time_ms)}")
    return None


def _passed_on(entry: Mapping[str, Any]) -> str | None:
    date: str | None = entry.get("date_document")
    return first_date(entry, "passed") if date is None else date


def _is_member(reader: Reader, body: str) -> bool:
    return reader.get(member_key(body)) is not None


def _forbidden(detail: str) -> Rejected:
    return Rejected("forbidden", detail)


def _unknown(instrument_id: str) -> Rejected:
    return Rejected("unknown_instrument", f"there is no instrument {instrument_id}")


# What every act leaves behind


def _event(context: Context, action: str, date: str, number: str | None = None, by: str | None = None) -> Event:
    event = {"action": action, "date": date, "issuer": context.member, "height": context.height}
    if number is not None:
        event["number"] = number
    return event if by is None else {**event, "by": by}


def _append(view: View, before: Instrument, changes: Mapping[str, Any], *events: Event) -> Result | Rejected:
    if len(before["events"]) + len(events) > MAX_EVENTS and events[0]["action"] != "repealed":  # L11
        return Rejected("limit", f"{before['id']} has {len(before['events'])} events, at most {MAX_EVENTS}")
    after = {**before, **changes, "events": [*before["events"], *events]}
    save(view, before, after)
    return _outcome(after, list(events))


def _outcome(entry: Instrument, events: list[Event]) -> Result:
    return {"id": entry["id"], "status": entry["status"], "events": events}


_id = instrument_name
_date = Date()
_number = DESCRIPTION["number"]
_publish_arguments = Arguments(
    {
        "id": _id,
        "title": Text(high=512),
        "type_document": DESCRIPTION["type_document"],
        "date_document": _date,
    },
    {
        **{name: check for name, check in DESCRIPTION.items() if name not in ("type_document", "date_document")},
        "stage": OneOf("proposed", "passed"),
    },
    lambda args: refused(zone_missing(args)),
)

ACTIONS: Final[Mapping[str, Action]] = {
    "publish": Action(
        arguments=_publish_arguments,
        apply=_publish,
        title="Publish a policy that was proposed or passed, alone or with co-issuers",
        example={
            "id": "cn/2021/237",
            "title": "关于进一步防范和处置虚拟货币交易炒作风险的通知",
            "type_document": "notice",
            "date_document": "2021-09-15",
        },
    ),
    "endorse": Action(
        arguments=Arguments({"id": _id}, {"text_sha256": Hexadecimal()}),
        apply=_endorse,
        title="Endorse a joint policy as one of its issuers",
        example={"id": "cn/2021/237"},
    ),
    "approve": Action(
        arguments=Arguments({"id": _id, "date": _date}, {"number": _number}),
        apply=_approve,
        title="Approve the instrument of a lower level",
        example={"id": "cn/2021/237", "date": "2021-09-20"},
    ),
    "promulgate": Action(
        arguments=Arguments(
            {"id": _id, "date_publication": _date, "first_date_entry_in_force": _date}, {"number": _number}
        ),
        apply=_promulgate,
        title="Promulgate a passed policy with the date it enters into force",
        example={"id": "cn/2021/237", "date_publication": "2021-09-24", "first_date_entry_in_force": "2021-09-24"},
    ),
    "amend": Action(
        arguments=Arguments(
            {"id": _id, "date": _date},
            {
                "kind": OneOf("amended", "revised", "corrected"),
                "by": _id,
                "number": _number,
                "text_sha256": DESCRIPTION["text_sha256"],
                "text_ref": DESCRIPTION["text_ref"],
            },
        ),
        apply=_amend,
        title="Amend, revise or correct a policy",
        example={"id": "cn/2021/237", "date": "2022-01-10", "kind": "corrected"},
    ),
    "repeal": Action(
        arguments=Arguments({"id": _id, "date_no_longer_in_force": _date}, {"by": _id, "number": _number}),
        apply=_repeal,
        title="Repeal a policy from a date on",
        example={"id": "cn/2021/237", "date_no_longer_in_force": "2030-01-01"},
    ),
    "evaluate": Action(
        arguments=Arguments(
            {
                "id": _id,
                "date": _date,
                "verdict": OneOf("met", "partly_met", "not_met"),
                "summary": Text(high=2_000),
            },
            {"evidence": EVIDENCE},
        ),
        apply=_evaluate,
        title="Evaluate what a policy has achieved",
        example={"id": "cn/2021/237", "date": "2022-09-24", "verdict": "partly_met", "summary": "Trading moved abroad"},
    ),
}
