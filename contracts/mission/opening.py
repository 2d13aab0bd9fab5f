"""Opening missions: by a member that issues policies, or by a ballot that another member proposes.

Law: a mission is opened once and has one owner; what it said at its opening is its first version.

contracts/mission/README.md, M1 to M6.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, TypeAlias

from coseal.contracts.kernel import deadlines
from coseal.contracts.kernel.action import Action, Args, Arguments, Context, Reader, Rejected, Result, View
from coseal.contracts.kernel.budget import ENTRY_STEPS
from coseal.contracts.kernel.deadlines import BLOCK_CLOCK
from coseal.contracts.kernel.fields import Special
from coseal.contracts.kernel.proposals import Case, ProposalKind, Subject
from coseal.contracts.membership.state import member_key
from coseal.contracts.mission.clocks import await_evaluation, await_report, next_report_ms
from coseal.contracts.mission.fields import EXAMPLE, OPTIONAL, REQUIRED, begins_ms, mission_faults
from coseal.contracts.mission.sources import value_of
from coseal.contracts.mission.state import (
    COUNT_KEY,
    NAME,
    indicator_key,
    mission_key,
    number_key,
    version_key,
)
from coseal.contracts.policy import acts
from coseal.contracts.policy.state import instrument_key as policy_key

OPENED: Final = "opened"
OPENED_INDICATOR: Final = "opened_indicator"
"""Kinds of due things: to say what a ballot opened."""
MISSIONS: Final = "missions"
INDICATORS: Final = "indicators"
"""Where a block's first receipt says it."""
VALUE_STEPS: Final = 8 * ENTRY_STEPS
"""What reading a source takes, beside the reading itself."""
INDICATOR_STEPS: Final = 15 * ENTRY_STEPS
POINT_STEPS: Final = 5 * ENTRY_STEPS
"""What checking and keeping an indicator takes, beside what is written, and each of its targets."""
Mission: TypeAlias = dict[str, Any]


def mission_of(reader: Reader, name: str) -> Mission | Rejected:
    """Return a mission, or the refusal of one that there is not."""
    found: Any = reader.get(mission_key(name))
    return Rejected("unknown_mission", f"there is no mission {name}") if found is None else found


def owned(view: View, context: Context, name: str) -> Mission | Rejected:
    """Return a mission of the sender's member, or the refusal of another's."""
    found = mission_of(view, name)
    if not isinstance(found, Rejected) and found["member"] != context.member:
        return Rejected("not_owner", f"{found['member']} owns {name}")
    return found


def _open(view: View, context: Context, args: Args) -> Result | Rejected:
    if acts.authority(view, context) is None:  # M1
        return Rejected("forbidden", "a government member or the central bank opens missions; others by ballot")
    wrong = _wrong(view, args, context.time_ms)
    if wrong is not None:
        return wrong
    number = _put(view, args, context.member, context.height, context.time_ms)
    return {"mission": args["mission"], "number": number, "version": 1}


def _wrong(reader: Reader, args: Mapping[str, Any], time_ms: int) -> Rejected | None:
    """Return why a mission cannot be opened, or None."""
    name = args["mission"]
    if reader.get(mission_key(name)) is not None:  # M2
        return Rejected("exists", f"there is a mission {name}; choose another id")
    if "basis" in args and reader.get(policy_key(args["basis"])) is None:  # M3
        return Rejected("unknown_policy", f"there is no policy {args['basis']}")
    if args["evaluations"] and begins_ms(args["evaluations"][0]) < time_ms:  # M5
        return Rejected("past_date", f"args.evaluations: {args['evaluations'][0]} has begun")
    return wrong_reporters(reader, args["indicators"])


def wrong_reporters(reader: Reader, indicators: Sequence[Mapping[str, Any]]) -> Rejected | None:
    """Return the refusal of a reporter that is no member, or None."""
    for member in dict.fromkeys(member for one in indicators for member in one.get("reporters", ())):
        if reader.get(member_key(member)) is None:  # I1
            return Rejected("unknown_member", f"{member} is no member")
    return None


def _put(view: View, args: Mapping[str, Any], owner: str, height: int, time_ms: int, ballot: str = "") -> int:
    """Put a new mission with its first version and indicators; return its number."""
    name = args["mission"]
    count: Any = view.get(COUNT_KEY) or 0
    record: Mission = {"number": count + 1, "member": owner, **{field: args[field] for field in _SAID}}
    record |= {"basis": args["basis"]} if "basis" in args else {}
    record |= {"ballot": ballot} if ballot else {}
    record |= {"indicators": [indicator["name"] for indicator in args["indicators"]], "version": 1}
    record |= {"height": height, "time_ms": time_ms, "revised_ms": time_ms, **dict.fromkeys(_COUNTS, 0)}
    put_version(view, name, record, {one["name"]: one["targets"] for one in args["indicators"] if "targets" in one})
    for indicator in args["indicators"]:
        put_indicator(view, name, record, indicator, time_ms)
    view.put(mission_key(name), record)
    view.put(COUNT_KEY, count + 1)
    view.put(number_key(count + 1), name)
    for date in args["evaluations"]:
        await_evaluation(view, name, date)
    number: int = record["number"]
    return number


_SAID: Final = ("title", "orientation", "type", "from", "to", "goals", "evaluations")
_COUNTS: Final = ("instruments", "others", "actors", "evaluated", "overdue")
"""Instruments in all, those that owners of policies linked, members that ever took part, evaluations, late things."""


def put_version(view: View, name: str, record: Mapping[str, Any], targets: Mapping[str, Any], **why: Any) -> None:
    """Put a version of a mission, which stays: all of its goals and dates, and the targets that it set."""  # M6
    said = {"goals": record["goals"], "evaluations": record["evaluations"], "targets": dict(targets)}
    stamp = {"height": record["height"], "time_ms": record["revised_ms"]}
    view.put(version_key(name, record["version"]), {**said, **stamp, **why})


def put_indicator(view: View, name: str, record: Mapping[str, Any], indicator: Mapping[str, Any], time_ms: int) -> None:
    """Put a new indicator of a mission: with its value of now if it is computed, else with its first report due."""
    view.charge(INDICATOR_STEPS + POINT_STEPS * len(indicator.get("targets", ())))
    kept = {**indicator, "scale": indicator.get("scale", 0), "since_ms": time_ms}
    if "source" in indicator:
        view.charge(VALUE_STEPS)
        kept["first"] = value_of(view, indicator["source"])  # I3
    else:
        due_ms = next_report_ms(indicator, max(time_ms, begins_ms(record["from"])), record["to"])
        kept |= {"values": 0, "missed": 0, "due_ms": due_ms}
        await_report(view, name, indicator["name"], due_ms)
    view.put(indicator_key(name, indicator["name"]), kept)


# By ballot


def _check(view: View, case: Case, subject: Subject) -> Rejected | None:
    return _wrong(view, subject, case.time_ms)


def _enact(view: View, case: Case, subject: Subject) -> Result:
    name = subject["mission"]
    number = _put(view, subject, case.proposer, case.height, case.time_ms, case.id)
    deadlines.add(view, NAME, BLOCK_CLOCK, case.time_ms, [OPENED, name])
    for indicator in subject["indicators"]:
        deadlines.add(view, NAME, BLOCK_CLOCK, case.time_ms, [OPENED_INDICATOR, name, indicator["name"]])
    return {"mission": name, "number": number}


def opened(view: View, name: str) -> Result:
    """Say in a block's first receipt what mission a ballot opened."""
    record: Any = view.get(mission_key(name))
    return {MISSIONS: [{"mission": name, **{field: record[field] for field in (*_SHOWN, *_SAID)}}]}


_SHOWN: Final = ("number", "member", "ballot")


def opened_indicator(view: View, name: str, indicator: str) -> Result:
    """Say in a block's first receipt what indicator a ballot opened with its mission."""
    record: Any = view.get(indicator_key(name, indicator))
    said = {field: record[field] for field in _DEFINED if field in record}
    return {INDICATORS: [{"mission": name, **said}]}


_DEFINED: Final = (
    "name",
    "title",
    "unit",
    "scale",
    "direction",
    "every_ms",
    "baseline",
    "targets",
    "source",
    "reporters",
)
_ARGUMENTS: Final = Arguments(REQUIRED, OPTIONAL, mission_faults)


def _subject_faults(value: Any) -> Iterator[str]:
    wrong = list(_ARGUMENTS.record.faults(value))
    yield from wrong or (refusal.detail.removeprefix("args") for refusal in mission_faults(value))


_subject: Final = Special(
    _subject_faults,
    "a mission as mission.open takes it",
    _ARGUMENTS.json_schema(),
    refused=(None, {}, {**EXAMPLE, "more": 1}, {**EXAMPLE, "to": "2013-12-31"}, {**EXAMPLE, "goals": []}),
    passed=(EXAMPLE,),
)
PROPOSALS: Final[dict[str, ProposalKind]] = {"open_mission": ProposalKind(_subject, _check, _enact, EXAMPLE)}
ACTIONS: Final[dict[str, Action]] = {
    "open": Action(
        arguments=_ARGUMENTS,
        apply=_open,
        title="Open a mission: its goals, indicators, targets and the dates of its evaluations",
        example=EXAMPLE,
        capability="operate",
    ),
}
