"""The life of a finding: raised or opened, acknowledged, inquired into, answered, decided, perhaps appealed, closed.

Law: every step is one side's, within its time; what does not come in time is recorded as a fact, on either side; only
a dismissal comes without the subject having been heard; nobody supervises itself or judges its own decision.

contracts/supervision/README.md, section Actions: findings.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from coseal.contracts.kernel.action import (
    FORMER,
    INVALID,
    Action,
    Args,
    Arguments,
    Context,
    Reader,
    Rejected,
    Result,
    View,
)
from coseal.contracts.kernel.evidence import EVIDENCE
from coseal.contracts.kernel.fields import Identifier, OneOf
from coseal.contracts.kernel.wording import duration_text, moment_text
from coseal.contracts.rules.rule import SEVERITIES
from coseal.contracts.supervision import holds as supervision_holds
from coseal.contracts.supervision.holds import may_act
from coseal.contracts.supervision.state import NAME, cases_key, finding_key, findings_key, rule_statistics_key
from coseal.contracts.supervision.terms import (
    MAX_ESCALATION,
    SIDES,
    SUPERVISOR,
    count_done,
    count_overdue,
    duration,
    long_text,
    next_id,
    not_supervisor,
    schedule,
    term_ms,
)

OUTCOMES: Final = ("rectified", "dismissed", "sanctioned")
MAX_STEPS: Final = 64
MAX_ABOUT: Final = 1_000
"""How many of the newest findings about an object a correction is compared with."""
SUPERSEDED: Final = "superseded"
_UNDECIDED: Final = frozenset(("notified", "raised", "acknowledged", "inquiry", "response"))
"""What a correction may supersede: once something is decided, it is for an appeal."""
CASE_RULE: Final = "system:case"
"""What stands in place of a rule in a finding that a person opened."""
OPEN_CASE: Final = "open_case"
"""The action that opened it, and its first step."""
CASE_ACTS: Final = (f"{NAME}.{OPEN_CASE}", f"currency.{OPEN_CASE}", f"trade.{OPEN_CASE}")
"""The acts by which a person opens a finding: about what is recorded, a wallet, a receivable or a party."""
RAISING_ACTS: Final = ("disclosure.review",)
"""The acts of other contracts that raise a finding themselves."""
VIEW_FIELDS: Final = (
    *("id", "rule", "version", "process_type", "object_type", "object", "source", "subject", "sequence", "event"),
    *("item", "verdict", "severity", "effect", "reason", "detail", "status", "deadline_ms"),
)
"""What receipts show of a finding."""
CASE_FIELDS: Final = ("opened_by", "legal_basis")
"""And of one that a person opened."""

DUE: Final[Mapping[str, str]] = {
    "raised": "acknowledge",
    "acknowledged": "inquire",
    "inquiry": "respond",
    "response": "decide",
    "rectified": "appeal",
    "sanctioned": "appeal",
    "appeal": "decide_appeal",
}
"""Status -> the step that is due next."""

STATISTICS: Final = ("raised", "notified", "rectified", "dismissed", "sanctioned", "overturned", SUPERSEDED)
"""What is counted of the findings of a rule."""


def finding(reader: Reader, finding_id: str) -> dict[str, Any] | None:
    """Return a finding as it stands, or None."""
    value: Any = reader.get(finding_key(finding_id))
    return None if value is None else dict(value)


def raised_of(count: Any) -> int:
    """Return how many findings there ever were; ``count`` is the value of ``findings_key``, perhaps None."""
    return 0 if count is None else int(count["raised"])


def open_of(count: Any) -> dict[str, int]:
    """Return how many findings are open, by severity; ``count`` is the value of ``findings_key``, perhaps None."""
    return {severity: 0 if count is None else count["open"].get(severity, 0) for severity in SEVERITIES}


def last_of(count: Any) -> str:
    """Return the newest finding, empty for none; ``count`` is the value of ``findings_key``, perhaps None."""
    return "" if count is None else str(count["last"])


def about(reader: Reader, process_type: str, object_type: str, object_id: str) -> list[dict[str, Any]]:
    """Return the newest ``MAX_ABOUT`` findings about an object that were not superseded, newest first."""
    found = []
    name = last_of(reader.get(findings_key(process_type, object_type, object_id)))
    for _ in range(MAX_ABOUT):
        if not name:
            break
        record: Any = reader.get(finding_key(name))
        name = record["earlier"]
        if record["status"] != SUPERSEDED:
            found.append(record)
    return found


def supersede(view: View, record: Mapping[str, Any], step: list[Any]) -> list[dict[str, Any]] | None:
    """End a finding that no longer holds; return the views of holds that end with it, None if it was decided."""
    if record["status"] not in _UNDECIDED:  # J37
        return None
    ended = {**record, "status": SUPERSEDED, "due": None, "deadline_ms": None, "steps": [*record["steps"], step]}
    view.put(finding_key(record["id"]), ended)
    _count(view, record, SUPERSEDED)
    return [] if record["status"] == "notified" else _count_closed(view, record)


def open_findings(reader: Reader, process_type: str, object_type: str, object_id: str) -> dict[str, int]:
    """Return how many findings about an object are open, by severity. One read."""
    return open_of(reader.get(findings_key(process_type, object_type, object_id)))


def view_of(record: Mapping[str, Any]) -> dict[str, Any]:
    """Return a finding as receipts show it."""
    return {field: record[field] for field in (*VIEW_FIELDS, *CASE_FIELDS) if field in record}


def statistics(reader: Reader, process_type: str, rule: str) -> dict[str, int]:
    """Return how many findings a rule raised, and what became of them."""
    value: Any = reader.get(rule_statistics_key(process_type, rule))
    return {**dict.fromkeys(STATISTICS, 0), **(value or {})}


def raise_finding(
    view: View, *, height: int, time_ms: int, facts: Mapping[str, Any], steps: Sequence[list[Any]] = ()
) -> dict[str, Any]:
    """Record a finding and begin its life; ``facts`` are the view's fields up to ``detail``, without the id.

    ``steps`` are those that it has already. Returns the record. A finding that only notifies has no life.
    """
    notify = facts["effect"] == "notify"
    place = (facts["process_type"], facts["object_type"], facts["object"])
    record: dict[str, Any] = {
        "id": next_id(view, "finding"),
        **facts,
        "earlier": last_of(view.get(findings_key(*place))),
        "status": "notified" if notify else "raised",
        "deadline_ms": None,
        "height": height,
        "time_ms": time_ms,
        "since_ms": time_ms,
        "due": None,
        "supervisor": "",
        "decider": "",
        "outcome": "",
        "escalation": 0,
        "overdue": [],
        "steps": list(steps),
    }
    if not notify:
        _arm(view, record, time_ms, term_ms(view, "acknowledge"))
    view.put(finding_key(record["id"]), record)
    _count_about(view, record, raised=1, opened=0 if notify else 1)
    _count(view, record, "notified" if notify else "raised")
    return record


def _count_about(view: View, record: Mapping[str, Any], *, raised: int, opened: int) -> None:
    """Change how many findings about an object there ever were, and how many of this severity are open."""
    key = findings_key(record["process_type"], record["object_type"], record["object"])
    before: Any = view.get(key)
    count = open_of(before)
    count[record["severity"]] += opened
    still = {severity: number for severity, number in count.items() if number}
    last = record["id"] if raised else last_of(before)
    view.put(key, {"raised": raised_of(before) + raised, "open": still, "last": last})  # J33


def _count_closed(view: View, record: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Count a finding as open no longer, and end its hold; return the view of that."""
    _count_about(view, record, raised=0, opened=-1)
    if "opened_by" in record:
        key = cases_key(record["opened_by"].partition("/")[0])
        left: Any = view.get(key)
        if left > 1:
            view.put(key, left - 1)
        else:
            view.delete(key)
    return supervision_holds.end_of_finding(view, record)


def _arm(view: View, record: dict[str, Any], now_ms: int, within_ms: int) -> None:
    """Have the step after ``record["status"]`` due within ``within_ms``."""
    step = DUE[record["status"]]
    record |= {"due": [step, SIDES[step]], "term_ms": within_ms, "deadline_ms": now_ms + within_ms}
    schedule(view, now_ms + within_ms, ["finding", record["id"]])


def fall_due(view: View, finding_id: str, height: int, time_ms: int, due: dict[str, list[Any]]) -> None:
    """Record that a step did not come in time, or close the finding if the step was the subject's right."""
    found: Any = view.get(finding_key(finding_id))
    if found["due"] is None or found["deadline_ms"] is None or found["deadline_ms"] > time_ms:
        return
    record = dict(found)
    step, side = record["due"]
    if step == "appeal":
        record |= {"status": "closed", "due": None, "deadline_ms": None}
        due["holds"] += _count_closed(view, record)
        due["closed"].append({"id": finding_id, "outcome": record["outcome"]})
    else:
        missed_ms, member = record["deadline_ms"], record["supervisor" if side == SUPERVISOR else "subject"]
        record["overdue"] = [*record["overdue"], [step, side, missed_ms, height]]  # J17
        record["escalation"] += 1
        record["rounds"] = record.get("rounds", 0) + 1
        count_overdue(view, step, member)
        due["overdue"].append(
            {
                "what": "finding",
                "id": finding_id,
                "step": step,
                "side": side,
                "member": member,
                "deadline_ms": missed_ms,
                "escalation": record["escalation"],
            }
        )
        record["deadline_ms"] = None
        if record["rounds"] < MAX_ESCALATION:
            _arm(view, record, time_ms, record["term_ms"])
    view.put(finding_key(finding_id), record)


# Steps


def _acknowledge(view: View, context: Context, args: Args) -> Result | Rejected:
    found = _open(view, args, "raised")
    refusal = found if isinstance(found, Rejected) else not_supervisor(context, found["subject"])
    if refusal is not None:
        return refusal
    return _step(view, context, args, found, "acknowledge", "acknowledged", supervisor=context.member)


def _inquire(view: View, context: Context, args: Args) -> Result | Rejected:
    found = _open(view, args, "acknowledged", "response")
    refusal = found if isinstance(found, Rejected) else may_act(view, context, found)
    if refusal is not None:
        return refusal
    usual_ms = term_ms(view, "respond")
    within_ms = args.get("within_ms", usual_ms)
    if within_ms < usual_ms:  # J16
        return Rejected(INVALID, f"args.within_ms: the subject has at least {duration_text(usual_ms)} to respond")
    done = "inquire" if found["status"] == "acknowledged" else "decide"
    return _step(view, context, args, found, done, "inquiry", within_ms=within_ms, supervisor=context.member)


def _respond(view: View, context: Context, args: Args) -> Result | Rejected:
    found = _open(view, args, "inquiry")
    refusal = found if isinstance(found, Rejected) else _not_subject(context, found)
    if refusal is not None:
        return refusal
    return _step(view, context, args, found, "respond", "response")


def _decide(view: View, context: Context, args: Args) -> Result | Rejected:
    found = _open(view, args, "response", "inquiry", "acknowledged")
    refusal = found if isinstance(found, Rejected) else may_act(view, context, found)
    if refusal is not None:
        return refusal
    status, outcome = found["status"], args["outcome"]
    silent = status == "inquiry" and any(step == "respond" for step, *_ in found["overdue"])
    if outcome != "dismissed" and status != "response" and not silent:  # J16
        detail = f"finding {found['id']} is at {status}; inquire, and hear {found['subject']} or let its time pass"
        return Rejected("hearing_first", detail)
    done = "decide" if status == "response" else "inquire" if status == "acknowledged" else ""
    changes = {"outcome": outcome, "decider": context.sender, "supervisor": context.member}
    _count(view, found, outcome)
    if outcome != "dismissed":
        return _step(view, context, args, found, done, outcome, **changes)
    return _close(view, context, args, found, done, **changes)


def _appeal(view: View, context: Context, args: Args) -> Result | Rejected:
    found = _open(view, args, "rectified", "sanctioned")
    refusal = found if isinstance(found, Rejected) else _not_subject(context, found)
    if refusal is not None:
        return refusal
    if context.time_ms >= found["deadline_ms"]:  # J19
        return Rejected("too_late", f"the time to appeal was over at {moment_text(found['deadline_ms'])}")
    return _step(view, context, args, found, "appeal", "appeal")


def _decide_appeal(view: View, context: Context, args: Args) -> Result | Rejected:
    found = _open(view, args, "appeal")
    refusal = found if isinstance(found, Rejected) else not_supervisor(context, found["subject"])
    if refusal is not None:
        return refusal
    if context.sender == found["decider"]:  # J19
        return Rejected("same_person", f"{context.sender} made the decision; another operator decides the appeal")
    if args["outcome"] == "upheld":
        return _close(view, context, args, found, "decide_appeal")
    _count(view, found, "overturned")
    return _close(view, context, args, found, "decide_appeal", outcome="overturned")


def _open(view: View, args: Args, *expected: str) -> Any:
    found: Any = view.get(finding_key(args["finding"]))
    if found is None:
        return Rejected("unknown_finding", f"there is no finding {args['finding']}")
    if found["status"] not in expected:  # J15
        due = f", {found['due'][0]} is due" if found["due"] else ""
        detail = f"finding {found['id']} is {found['status']}{due}; this step follows {' or '.join(expected)}"
        return Rejected("wrong_step", detail)
    if len(found["steps"]) >= MAX_STEPS:
        return Rejected("limit", f"finding {found['id']} had {MAX_STEPS} steps; decide it")
    return found


def _not_subject(context: Context, found: Mapping[str, Any]) -> Rejected | None:
    if context.member == found["subject"]:
        return None
    return Rejected("forbidden", f"only {found['subject']}, whom finding {found['id']} concerns, can do this")


def _step(
    view: View,
    context: Context,
    args: Args,
    found: Mapping[str, Any],
    done: str,
    status: str,
    *,
    within_ms: int | None = None,
    **changes: Any,
) -> Result:
    """Take a step, and have the next one due."""
    record = _taken(view, context, args, found, done) | {"status": status, **changes}
    _arm(view, record, context.time_ms, term_ms(view, DUE[status]) if within_ms is None else within_ms)
    view.put(finding_key(record["id"]), record)
    return _result(context, found, record)


def _close(view: View, context: Context, args: Args, found: Mapping[str, Any], done: str, **changes: Any) -> Result:
    """Take the last step; a hold of the finding ends with it."""
    record = _taken(view, context, args, found, done) | {"status": "closed", "due": None, "deadline_ms": None}
    record |= changes
    view.put(finding_key(record["id"]), record)
    ended = _count_closed(view, record)
    result = _result(context, found, record)
    return {**result, "holds": ended} if ended else result


def _taken(view: View, context: Context, args: Args, found: Mapping[str, Any], done: str) -> dict[str, Any]:
    """Return the finding with the step added, counted for who took it."""
    if done:
        count_done(view, done, context.member, context.time_ms - found["since_ms"])
    name = args.get("outcome", done)
    step = [name, context.sender, context.height, context.time_ms, context.tx_id.hex(), args.get("evidence", [])]
    return {**found, "since_ms": context.time_ms, "rounds": 0, "steps": [*found["steps"], step]}


def _result(context: Context, before: Mapping[str, Any], record: Mapping[str, Any]) -> Result:
    step, side = record["due"] or (None, None)
    return {
        "id": record["id"],
        "status": record["status"],
        "step": step,
        "side": side,
        "outcome": record["outcome"] or None,
        "supervisor": record["supervisor"],
        "subject": record["subject"],
        "deadline_ms": record["deadline_ms"],
        "took_ms": context.time_ms - before["since_ms"],
    }


def _count(view: View, record: Mapping[str, Any], what: str) -> None:
    key = rule_statistics_key(record["process_type"], record["rule"])
    counters: Any = view.get(key)
    view.put(key, {**(counters or {}), what: (counters or {}).get(what, 0) + 1})


def _check_measure(args: Args) -> Iterator[Rejected]:
    if args["outcome"] == "sanctioned" and "measure" not in args:
        yield Rejected(INVALID, "args.measure: missing; a sanction says what it is")


_finding = {"finding": Identifier()}
_decision = Arguments(
    {**_finding, "outcome": OneOf(*OUTCOMES), "reason": long_text},
    {"evidence": EVIDENCE, "measure": long_text},
    _check_measure,
)

ACTIONS: Final[dict[str, Action]] = {
    "acknowledge": Action(
        arguments=Arguments(_finding, {"note": long_text}),
        apply=_acknowledge,
        title="Take up a finding",
        example={"finding": "F1"},
        capability="supervise",
    ),
    "inquire": Action(
        arguments=Arguments({**_finding, "question": long_text}, {"evidence": EVIDENCE, "within_ms": duration}),
        apply=_inquire,
        title="Ask the subject of a finding to respond",
        example={"finding": "F1", "question": "Why was no decision made within 24 hours?"},
        capability="supervise",
    ),
    "respond": Action(
        arguments=Arguments({**_finding, "response": long_text}, {"evidence": EVIDENCE}),
        apply=_respond,
        title="Respond to an inquiry into the own member",
        example={"finding": "F1", "response": "The decision was recorded late", "evidence": ["00" * 32]},
        standing=FORMER,
        pausable=False,
    ),
    "decide": Action(
        arguments=_decision,
        apply=_decide,
        title="Decide a finding: rectified, dismissed or sanctioned",
        example={"finding": "F1", "outcome": "rectified", "reason": "The missing decision was recorded"},
        capability="supervise",
    ),
    "appeal": Action(
        arguments=Arguments({**_finding, "reason": long_text}, {"evidence": EVIDENCE}),
        apply=_appeal,
        title="Appeal against a decision that concerns the own member",
        example={"finding": "F1", "reason": "The window was counted from the wrong event"},
        standing=FORMER,
        pausable=False,
    ),
    "decide_appeal": Action(
        arguments=Arguments(
            {**_finding, "outcome": OneOf("upheld", "overturned"), "reason": long_text},
            {"evidence": EVIDENCE},
        ),
        apply=_decide_appeal,
        title="Decide an appeal, as another operator than the one who decided",
        example={"finding": "F1", "outcome": "upheld", "reason": "The window was counted rightly"},
        capability="supervise",
    ),
}
