"""The supervision contract: rules that judge process data, findings with a life, holds, questions and guidance.

Law: every act needs its role and its turn; what is not done in time becomes a fact by block time alone, a bounded
amount in one block.

Ballots are here, the rest in the modules of this contract. contracts/supervision/README.md.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from coseal.contracts.governance import ballot, electorate
from coseal.contracts.governance.announced import decisions
from coseal.contracts.governance.document import VALIDATORS
from coseal.contracts.governance.resolution import Track
from coseal.contracts.kernel import deadlines
from coseal.contracts.kernel.action import APPENDED, Action, Args, Arguments, Context, Reader, Rejected, Result, View
from coseal.contracts.kernel.budget import DECISION_STEPS, DUE_EFFECT_STEPS
from coseal.contracts.kernel.contract import Contract, Entry, Moment, Observed
from coseal.contracts.kernel.dates import DAY_MS
from coseal.contracts.kernel.deadlines import BLOCK_CLOCK
from coseal.contracts.kernel.fields import Identifier, Integer, Many, OneOf, Table, Text, Translatable
from coseal.contracts.process import state as process_state
from coseal.contracts.process.attestation import Contested
from coseal.contracts.process.batch import RecordedBatch
from coseal.contracts.process.types import Defined
from coseal.contracts.supervision import cases as supervision_cases
from coseal.contracts.supervision import checks as supervision_checks
from coseal.contracts.supervision import findings as supervision_findings
from coseal.contracts.supervision import holds as supervision_holds
from coseal.contracts.supervision import questions as supervision_service
from coseal.contracts.supervision import rule_sets as supervision_rules
from coseal.contracts.supervision.disputes import observe_dispute
from coseal.contracts.supervision.effects import Outcome
from coseal.contracts.supervision.fields import RULES
from coseal.contracts.supervision.findings import CASE_ACTS, RAISING_ACTS
from coseal.contracts.supervision.lists import LISTS
from coseal.contracts.supervision.observer import call, observe, passed
from coseal.contracts.supervision.rows import writer
from coseal.contracts.supervision.rule_sets import Effect, Now
from coseal.contracts.supervision.sets_in_force import TRIAL, definition_of
from coseal.contracts.supervision.state import (
    KEYS,
    NAME,
    OPEN_KEYS,
    ballot_key,
    finding_key,
    head_key,
    hold_key,
    open_key,
    rule_key,
    set_key,
    subject_key,
)
from coseal.contracts.supervision.tables import TABLES
from coseal.contracts.supervision.terms import TERMS, duration, next_id, set_terms

_RAISING: Final = ("process.record", "process.attest", "begin", *CASE_ACTS, *RAISING_ACTS)
MAX_OPEN_BALLOTS: Final = 8
MAX_OPEN: Final = 256
"""Open ballots of all contracts beyond which only members that run a validator make more."""


# Proposals


def _propose_rules(view: View, context: Context, args: Args) -> Result | Rejected:
    refusal = _check_room(view, context)
    if refusal is not None:
        return refusal
    ballot_id = next_id(view, "ballot")
    record = supervision_rules.propose(view, context, args, ballot_id)
    if isinstance(record, Rejected):
        return record
    result = _open(view, context, args, ballot_id, "rules", {"set": ballot_id})
    if isinstance(result, Rejected):
        return result
    return {
        **result,
        "set": ballot_id,
        "process_type": record["process_type"],
        "rules": record["rules"],
        "cost": record["cost"],
    }


def _propose_retirement(view: View, context: Context, args: Args) -> Result | Rejected:
    refusal = _check_room(view, context)
    if refusal is not None:
        return refusal
    for rule_id in args["rules"]:
        head: Any = view.get(head_key(rule_id))
        document: Any = view.get(rule_key(rule_id, head["active"])) if head is not None and head["active"] else None
        if document is None or document["process_type"] != args["process_type"]:
            return Rejected("unknown_rule", f"no rule {rule_id} of {args['process_type']} is in force")
    subject = {"process_type": args["process_type"], "rules": args["rules"]}
    opened = _open(view, context, args, next_id(view, "ballot"), "retire", subject)
    return opened if isinstance(opened, Rejected) else {**opened, **subject}


def _propose_terms(view: View, context: Context, args: Args) -> Result | Rejected:
    refusal = _check_room(view, context)
    if refusal is not None:
        return refusal
    subject = {"terms": dict(args["terms"])}
    opened = _open(view, context, args, next_id(view, "ballot"), "terms", subject)
    return opened if isinstance(opened, Rejected) else {**opened, **subject}


def _check_room(view: View, context: Context) -> Rejected | None:
    count: Any = view.get(open_key(context.member)) or 0
    seat = electorate.seat(view, context.member)
    if ballot.count_open(view) >= MAX_OPEN and (seat is None or not seat.counts_in(VALIDATORS)):
        return Rejected("limit", f"{MAX_OPEN} ballots or more are open; wait until some are decided")
    if count < MAX_OPEN_BALLOTS:  # J8
        return None
    detail = f"{context.member} has {count} open ballots, at most {MAX_OPEN_BALLOTS}; wait until one is decided"
    return Rejected("limit", detail)


def _open(
    view: View, context: Context, args: Args, ballot_id: str, kind: str, subject: Mapping[str, Any]
) -> Result | Rejected:
    track = ballot.track_of(view, NAME, kind)
    closes_ms = context.time_ms + args["open_ms"] if "open_ms" in args else None
    closes_ms = ballot.closing(track, context.time_ms, closes_ms)
    if isinstance(closes_ms, Rejected):
        return closes_ms
    missing = ballot.reason_missing(track, ballot.YES, args.get("reason"), proposing=True)
    if missing is not None:
        return missing
    more = {name: args[name] for name in ("title", "reason") if name in args}
    record = ballot.new(
        view,
        NAME,
        ballot_id,
        kind,
        context.member,
        track,
        height=context.height,
        opened_ms=context.time_ms,
        closes_ms=closes_ms,
        tx=context.tx_id.hex(),
        **more,
    )
    view.put(subject_key(ballot_id), dict(subject))
    return {"ballot": ballot_id, **_put_open(view, ballot_id, record, track)}


def _put_open(view: View, ballot_id: str, record: dict[str, Any], track: Track) -> Result:
    """Write an open ballot; return its figures."""
    view.put(ballot_key(ballot_id), record)
    before: Any = view.get(open_key(record["proposer"])) or 0
    view.put(open_key(record["proposer"]), before + 1)
    figures = ballot.figures(record, ballot.poll_on(view, track, record))
    return {**{name: figures[name] for name in ("status", "needed", "of")}, "closes_ms": record["closes_ms"]}


def ballot_of(reader: Reader, ballot_id: str) -> dict[str, Any] | None:
    """Return a ballot with its ``subject``, or None; for queries."""
    record: Any = reader.get(ballot_key(ballot_id))
    return None if record is None else {**record, "subject": reader.get(subject_key(ballot_id))}


# Votes


def _vote(view: View, context: Context, args: Args) -> Result | Rejected:
    record: Any = view.get(ballot_key(args["ballot"]))
    if record is None:
        return Rejected("unknown_ballot", f"there is no ballot {args['ballot']}")
    track = ballot.track_of(view, NAME, record["kind"])
    voted = ballot.vote(view, NAME, args["ballot"], record, track, context, args["choice"], args.get("reason"))
    if isinstance(voted, Rejected):
        return voted
    now, poll = Now(context.height, context.time_ms), ballot.poll_on(view, track, voted)
    decided, effects = _advance(view, args["ballot"], voted, poll, now, DECISION_STEPS)
    figures = ballot.figures(decided, poll)
    result = {"ballot": args["ballot"], "kind": record["kind"], "choice": args["choice"], **figures}
    return result if decided["status"] in ballot.UNDECIDED else {**result, "effects": effects}


def _advance(
    view: View, ballot_id: str, record: dict[str, Any], poll: ballot.Poll, now: Now, steps: int
) -> tuple[dict[str, Any], list[Effect]]:
    """Write the present ballot; return it and what its effect did in at most ``steps`` steps."""
    decided = ballot.advance(view, NAME, ballot_id, record, poll, now.height, now.time_ms)
    view.put(ballot_key(ballot_id), decided)
    if decided["status"] in ballot.UNDECIDED:
        return decided, []
    left: Any = view.get(open_key(record["proposer"]))
    view.put(open_key(record["proposer"]), left - 1)
    subject: Any = view.get(subject_key(ballot_id))
    if decided["status"] != ballot.ACCEPTED:
        return decided, _take_effect(view, decided, subject, False, now)
    taken = view.attempt(
        f"{NAME}: {record['kind']}", steps, lambda: {"effects": _take_effect(view, decided, subject, True, now)}
    )
    if not isinstance(taken, Rejected):
        return decided, taken["effects"]
    failed = {**decided, "status": ballot.FAILED, "failure": [taken.code, taken.detail]}  # B11
    view.put(ballot_key(ballot_id), failed)
    return failed, _take_effect(view, failed, subject, False, now, taken)


def _take_effect(
    view: View,
    record: Mapping[str, Any],
    subject: Mapping[str, Any],
    accepted: bool,
    now: Now,
    why: Rejected | None = None,
) -> list[Effect]:
    """Carry out what a ballot decided; ``why`` if it was accepted and its effect failed."""
    match record["kind"]:
        case "rules" | "adopt" if not accepted:
            return supervision_rules.reject(view, subject["set"], now, why)
        case "rules":
            rule_set: Any = view.get(set_key(subject["set"]))
            if "trial_ms" in rule_set:  # J9
                return _begin_trial(view, subject["set"], record, now, rule_set["trial_ms"])
            return supervision_rules.adopt(view, subject["set"], now)
        case "adopt":
            return supervision_rules.adopt(view, subject["set"], now)
        case "retire" if accepted:
            return supervision_rules.retire(view, subject["process_type"], subject["rules"], now)
        case "terms" if accepted:
            set_terms(view, subject["terms"])
            return [{"terms": subject["terms"]}]
        case _:
            return []


def _begin_trial(view: View, set_id: str, first: Mapping[str, Any], now: Now, trial_ms: int) -> list[Effect]:
    """Have a set tried, if it still may be, and open the ballot that decides about it when the trial has ended."""
    rules = supervision_rules.check_again(view, set_id, TRIAL)
    if isinstance(rules, Rejected):
        return supervision_rules.reject(view, set_id, now, rules)
    ends_ms, ballot_id = now.time_ms + trial_ms, next_id(view, "ballot")
    effects = supervision_rules.begin_trial(view, set_id, rules, now, ends_ms, ballot_id)
    open_ms, track = first["closes_ms"] - first["opened_ms"], ballot.track_of(view, NAME, "adopt")
    record = ballot.new(
        view,
        NAME,
        ballot_id,
        "adopt",
        first["proposer"],
        track,
        height=now.height,
        opened_ms=now.time_ms,
        not_before_ms=ends_ms,
        closes_ms=ends_ms + open_ms,
        tx=first["tx"],
    )
    view.put(subject_key(ballot_id), {"set": set_id})
    figures = _put_open(view, ballot_id, record, track)
    return [*effects, {"ballot": ballot_id, "kind": "adopt", **figures, "not_before_ms": ends_ms}]


def _ballot_due(view: View, ballot_id: str, now: Now, due: dict[str, list[Any]]) -> None:
    """See what became of a ballot whose trial, hearing, opening or delay is over."""
    record: Any = view.get(ballot_key(ballot_id))
    if record["status"] not in ballot.UNDECIDED:
        return
    decided, effects = _advance(view, ballot_id, record, ballot.poll_of(view, NAME, record), now, DUE_EFFECT_STEPS)
    if decided["status"] in ballot.UNDECIDED and record["kind"] == "adopt" and now.time_ms >= record["not_before_ms"]:
        subject: Any = view.get(subject_key(ballot_id))
        effects = supervision_rules.end_trial(view, subject["set"], now)
    if decided["status"] != record["status"] or effects:
        shown = {"ballot": ballot_id, "kind": record["kind"], "status": decided["status"], "effects": effects}
        due["ballots"].append(shown)


# What is observed of process data


def _observe(view: View, context: Context, seen: Observed) -> Result | Rejected:
    """Judge what is recorded or disputed; refuse the version of a type that what judges it does not fit."""
    facts = seen.facts
    if isinstance(facts, RecordedBatch):
        return observe(view, context, facts)
    if isinstance(facts, Contested):
        return observe_dispute(view, context, facts)
    if isinstance(facts, Defined) and facts.before is not None:
        error = supervision_checks.fit_type(view, facts.before, facts.definition)  # T2
        if error is not None:
            return Rejected("rule_broken", f"{error}; have the rule retired first, or keep what it names")
    return {}


def _findings(name: str, data: Mapping[str, Any]) -> Iterable[Mapping[str, Any]]:
    """Return the findings that a batch, a dispute or a contract's own items raised, or a person opened."""
    return data.get("findings", ()) if name in _RAISING or (name != "begin" and APPENDED in data) else ()


# The start of a block


def _due(view: View, time_ms: int) -> Entry | None:
    """Take what falls due next; of a historical source whose clock moved, the deadline that it passed."""
    entry = deadlines.take(view, NAME, BLOCK_CLOCK, time_ms)
    if entry is None or entry[0] != "clock":
        return entry
    return passed(view, entry[1], time_ms) or entry


def _fire(view: View, moment: Moment, entry: Entry) -> Result:
    """Do one due thing."""
    due: dict[str, list[Any]] = {name: [] for name in ("overdue", "closed", "ballots", "holds")}
    outcome = Outcome(view, moment.height, moment.time_ms)
    _do(view, entry, Now(moment.height, moment.time_ms), due, outcome)
    outcome.holds += due.pop("holds")
    data: Result = {name: entries for name, entries in due.items() if entries}
    return {**data, **outcome.result(moment.room_bytes)}


def _do(view: View, entry: Entry, now: Now, due: dict[str, list[Any]], outcome: Outcome) -> None:
    match entry:
        case ["finding", finding_id]:
            supervision_findings.fall_due(view, finding_id, now.height, now.time_ms, due)
        case ["question", question_id]:
            supervision_service.fall_due(view, question_id, now.height, now.time_ms, due)
        case ["hold", *place]:
            supervision_holds.fall_due(view, (place[0], place[1], place[2]), now.time_ms, due)
        case ["ballot", ballot_id]:
            _ballot_due(view, ballot_id, now, due)
        case ["object", *place]:
            definition = definition_of(view, place[0])
            call(view, definition, (place[0], place[1], place[2]), BLOCK_CLOCK, now.time_ms, outcome)
        case ["passed", source, *place]:
            record: Any = process_state.source(view, source)
            definition = definition_of(view, place[0])
            call(view, definition, (place[0], place[1], place[2]), source, record["latest_ms"], outcome)
        case ["clock", _]:  # nothing more is due by this clock
            pass
        case ["show", "finding", finding_id]:
            found: Any = view.get(finding_key(finding_id))
            outcome.findings.append(supervision_findings.view_of(found))
        case ["show", "superseded", finding_id, sender]:
            outcome.superseded.append({"id": finding_id, "by": sender})
        case ["show", "hold", *place]:
            hold: Any = view.get(hold_key(place[0], place[1], place[2]))
            outcome.holds.append(supervision_holds.view_of(hold))
        case _:
            raise ValueError(f"the deadline index holds {entry}")


# Queries


def rule(reader: Reader, rule_id: str, version: int | None = None) -> dict[str, Any] | None:
    """Return a version of a rule with its status, by default the one in force, else the latest; or None."""
    head: Any = reader.get(head_key(rule_id))
    if version is None and head is not None:
        version = head["active"] or head["latest"]
    value: Any = reader.get(rule_key(rule_id, version or 0))
    return None if value is None else dict(value)


# The table

_open_ms = {"open_ms": Integer(1_000, 90 * DAY_MS)}
_reason = Text(high=1_000)
_rule_id = Identifier(slash=False)
_terms = Table(duration, high=len(TERMS), key=OneOf(*TERMS))


_EXAMPLE_RULE: Final = {
    "id": "R-PAID",
    "version": 1,
    "title": "Every fine that was created is sent",
    "legal_basis": [f"{supervision_checks.EXTERNAL} Road Traffic Act, section 4"],
    "severity": "violation",
    "effect": "flag",
    "scope": {"process_type": "fines", "object_type": "case"},
    "kind": "declare",
    "template": "absence",
    "a": "Create Fine",
    "n": 2,
}

CONTRACT: Final[Contract] = Contract(
    name=NAME,
    actions={
        "propose_rules": Action(
            arguments=Arguments(
                {"rules": RULES},
                {"title": Translatable(), "reason": _reason, "trial_ms": duration, **_open_ms},
            ),
            apply=_propose_rules,
            title="Propose a set of rules, to be tried or adopted by ballot",
            example={"rules": [_EXAMPLE_RULE], "title": "Fines", "trial_ms": DAY_MS},
        ),
        "propose_retirement": Action(
            arguments=Arguments(
                {
                    "process_type": _rule_id,
                    "rules": Many(_rule_id, high=supervision_checks.MAX_PROPOSED, low=1, unique=True),
                    "reason": _reason,
                },
                _open_ms,
            ),
            apply=_propose_retirement,
            title="Propose to end rules that are in force",
            example={"process_type": "fines", "rules": ["R-PAID"], "reason": "The act was repealed"},
        ),
        "propose_terms": Action(
            arguments=Arguments({"terms": _terms, "reason": _reason}, _open_ms),
            apply=_propose_terms,
            title="Propose other times within which steps are due",
            example={"terms": {"respond": 10 * DAY_MS}, "reason": "Two weeks are too long"},
        ),
        "vote": Action(
            arguments=Arguments(ballot.VOTE_FIELDS, ballot.VOTE_OPTIONS),
            apply=_vote,
            title="Vote on a ballot for the own member",
            example={"ballot": "B1", "choice": "yes", "reason": "The rule says what the act says"},
            capability="operate",
        ),
        **supervision_cases.ACTIONS,
        **supervision_findings.ACTIONS,
        **supervision_holds.ACTIONS,
        **supervision_service.ACTIONS,
    },
    capabilities=("supervise",),
    due=_due,
    fire=_fire,
    observe=_observe,
    lists=LISTS,
    tables=TABLES,
    rows=writer,
    events={"finding": _findings, "decision": decisions(NAME, "ballots")},
    keys=KEYS,
    open_keys=OPEN_KEYS,
    decisions=("ballot",),
)
