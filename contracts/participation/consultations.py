"""Consultations: opened about what is proposed, closed by time, concluded when every entry is accounted for.

Law: who opens a consultation answers for it by a clock; nothing that was received is left out of its conclusion.

contracts/participation/README.md, N1 to N8.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from coseal.contracts.kernel import deadlines
from coseal.contracts.kernel.action import Action, Args, Arguments, Context, Reader, Rejected, Result, View
from coseal.contracts.kernel.contract import Moment
from coseal.contracts.kernel.dates import DAY_MS
from coseal.contracts.kernel.deadlines import BLOCK_CLOCK
from coseal.contracts.kernel.fields import Identifier, Integer, Many, Name, OneOf, Text, Translatable
from coseal.contracts.kernel.wording import moment_text
from coseal.contracts.membership.state import member_key
from coseal.contracts.participation.entry import text_digest
from coseal.contracts.participation.offices import MAX_GATEWAYS, MAX_INCLUDE_MS, office
from coseal.contracts.participation.state import COUNT_KEY, NAME, consultation_key, number_key, open_key
from coseal.contracts.participation.subjects import ABOUT, LEAST_MS, checked, opened

OPEN: Final = "open"
CLOSED: Final = "closed"
CONCLUDED: Final = "concluded"
STATUSES: Final = (OPEN, CLOSED, CONCLUDED)
CLOSE: Final = "close"
"""The kind of due thing that closes a consultation."""
ANSWER: Final = "answer"
"""The kind of due thing that says that a consultation is not concluded in time."""
MAX_OPEN: Final = 16
MAX_QUESTIONS: Final = 32
MAX_OPEN_MS: Final = 366 * DAY_MS
ANSWER_MS: Final = 56 * DAY_MS
MIN_ANSWER_MS: Final = 14 * DAY_MS
REST_MS: Final = 7 * DAY_MS
"""How long the assignments stand before a consultation is concluded."""
MAX_ESCALATION: Final = 3
_LEFT: Final = ("received", "withheld", "set_aside", "assigned")

Record = dict[str, Any]


def _open(view: View, context: Context, args: Args) -> Result | Rejected:
    name, about, closes_ms = args["consultation"], args["about"], args["closes_ms"]
    if view.get(consultation_key(name)) is not None:
        return Rejected("exists", f"there is a consultation {name}; choose another id")
    wrong = (
        checked(view, context, about, args["subject"])  # N1
        or _times(about, context.time_ms, closes_ms)
        or _gateways(view, args.get("gateways"))
    )
    if wrong is not None:
        return wrong
    pending: Any = view.get(open_key(context.member)) or 0
    if pending >= MAX_OPEN:  # N4
        return Rejected("limit", f"{context.member} has {MAX_OPEN} consultations to conclude first")
    count: Any = view.get(COUNT_KEY) or 0
    due_ms = closes_ms + args.get("answer_ms", ANSWER_MS)
    record: Record = {"number": count + 1, "member": context.member, "about": about, "subject": args["subject"]}
    record |= {"title": args["title"], "questions": [text_digest(text) for text in args["questions"]]}
    record |= {"height": context.height, "time_ms": context.time_ms, "closes_ms": closes_ms}
    record |= {"answer_ms": due_ms - closes_ms, "due_ms": due_ms, "status": OPEN, "recorded": [], "classes": {}}
    record |= {"received": 0, "withheld": 0, "set_aside": 0, "assigned": 0, "themes": 0, "answered": 0}
    record |= {"assigned_ms": 0, "overdue": []}
    if "gateways" in args:
        record["gateways"] = list(args["gateways"])
    view.put(COUNT_KEY, count + 1)
    view.put(number_key(count + 1), name)
    view.put(consultation_key(name), record)
    view.put(open_key(context.member), pending + 1)
    deadlines.add(view, NAME, BLOCK_CLOCK, closes_ms, [CLOSE, name])
    deadlines.add(view, NAME, BLOCK_CLOCK, due_ms, [ANSWER, name])
    said = {"consultation": name, "number": count + 1, "status": OPEN, "closes_ms": closes_ms, "due_ms": due_ms}
    return {**said, **opened(view, context, about, args["subject"], name)}  # N2


def _times(about: str, time_ms: int, closes_ms: int) -> Rejected | None:
    least = LEAST_MS[about]
    if closes_ms < time_ms + least:  # N3
        return Rejected(
            "too_short", f"args.closes_ms: a {about} is open for comment until {_at(time_ms + least)} or later"
        )
    if closes_ms > time_ms + MAX_OPEN_MS:  # N3
        return Rejected("too_long", f"args.closes_ms: {_at(time_ms + MAX_OPEN_MS)} or earlier")
    return None


def _at(time_ms: int) -> str:
    return f"{moment_text(time_ms)} ({time_ms})"


def _gateways(view: View, named: Sequence[str] | None) -> Rejected | None:
    if named is None:
        return None
    roles = []
    for member in named:
        found = office(view, member)
        if isinstance(found, Rejected):
            return found
        record: Any = view.get(member_key(member))
        roles.append(record["role"])
    if len(named) < 2 or all(role == roles[0] for role in roles):  # N4
        return Rejected("too_few_gateways", "name two gateways at least, of two constituencies, or none for any")
    return None


def consultation(reader: Reader, name: str) -> Record | Rejected:
    """Return a consultation, or the refusal of one that there is not; the caller may change it."""
    found: Any = reader.get(consultation_key(name))
    return Rejected("unknown_consultation", f"there is no consultation {name}") if found is None else dict(found)


def opened_by(view: View, context: Context, name: str) -> Record | Rejected:
    """Return a consultation that the sender opened and did not conclude, or the refusal."""
    record = consultation(view, name)
    if isinstance(record, Rejected):
        return record
    if record["member"] != context.member:  # N6
        return Rejected("not_opener", f"{record['member']} opened {name}, and deals with its comments")
    if record["status"] == CONCLUDED:
        return Rejected("concluded", f"{name} is concluded")
    return record


def put(view: View, name: str, record: Record) -> None:
    """Write a consultation."""
    view.put(consultation_key(name), record)


# By time


def close(view: View, name: str) -> Result:
    """Close a consultation: no comment is acknowledged any more."""  # N5
    found: Any = view.get(consultation_key(name))
    record = {**found, "status": CLOSED}
    view.put(consultation_key(name), record)
    return {"consultations": [shown(name, record)]}


def answer_due(view: View, moment: Moment, name: str) -> Result:
    """Note that a consultation was not concluded in time."""  # N8
    found: Any = view.get(consultation_key(name))
    if found["status"] == CONCLUDED:
        return {}
    missed_ms = found["due_ms"]
    record = {**found, "overdue": [*found["overdue"], [missed_ms, moment.height]]}
    escalation = len(record["overdue"])
    if escalation < MAX_ESCALATION:
        record["due_ms"] = moment.time_ms + found["answer_ms"]
        deadlines.add(view, NAME, BLOCK_CLOCK, record["due_ms"], [ANSWER, name])
    view.put(consultation_key(name), record)
    late = {"what": "consultation", "id": name, "step": "conclude", "side": "opener", "member": record["member"]}
    overdue = [{**late, "deadline_ms": missed_ms, "escalation": escalation}]
    return {"consultations": [shown(name, record)], "overdue": overdue}


def shown(name: str, record: Record) -> Result:
    """Return what receipts say of how a consultation stands."""
    said = {"consultation": name, "status": record["status"], "due_ms": record["due_ms"]}
    return {**said, "overdue": len(record["overdue"])}


# Concluding


def _conclude(view: View, context: Context, args: Args) -> Result | Rejected:
    name = args["consultation"]
    record = opened_by(view, context, name)
    if isinstance(record, Rejected):
        return record
    ready_ms = max(record["closes_ms"] + MAX_INCLUDE_MS, record["assigned_ms"] + REST_MS)
    if context.time_ms < ready_ms:  # N7
        return Rejected("too_early", f"{name} may be concluded from {_at(ready_ms)}")
    left = record["received"] - record["withheld"] - record["set_aside"] - record["assigned"]
    unanswered = record["themes"] - record["answered"]
    if left or unanswered:  # N7
        return Rejected(
            "incomplete", f"{left} of {record['received']} entries have no theme, {unanswered} themes no answer"
        )
    record |= {"status": CONCLUDED, "concluded": [context.height, context.time_ms]}
    put(view, name, record)
    pending: Any = view.get(open_key(context.member))
    if pending > 1:
        view.put(open_key(context.member), pending - 1)
    else:
        view.delete(open_key(context.member))
    return {**shown(name, record), **{part: record[part] for part in _LEFT}}


consultation_id: Final = Identifier(slash=False)
ACTIONS: Final[dict[str, Action]] = {
    "open": Action(
        arguments=Arguments(
            {
                "consultation": consultation_id,
                "title": Translatable(),
                "about": OneOf(*ABOUT),
                "subject": Identifier(),
                "questions": Many(Text(high=1_000), low=1, high=MAX_QUESTIONS),
                "closes_ms": Integer(0, 2**53),
            },
            {
                "answer_ms": Integer(MIN_ANSWER_MS, MAX_OPEN_MS),
                "gateways": Many(Name(), low=1, high=MAX_GATEWAYS, unique=True),
            },
        ),
        apply=_open,
        title="Open what is proposed for comment",
        example={
            "consultation": "aml-2021",
            "title": "Anti-Money Laundering Law, revised draft",
            "about": "policy",
            "subject": "cn/2021/237",
            "questions": ["Which duties of those that are no banks are too heavy?"],
            "closes_ms": 1_702_678_400_000,
        },
        capability="operate",
    ),
    "conclude": Action(
        arguments=Arguments({"consultation": consultation_id}),
        apply=_conclude,
        title="Conclude a consultation whose comments are all dealt with",
        example={"consultation": "aml-2021"},
        capability="operate",
    ),
}
