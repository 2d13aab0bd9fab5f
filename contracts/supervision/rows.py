"""How supervision becomes rows: rules and ballots, findings with their trail, holds, questions.

Law: the rows follow from receipts in ledger order; what they say of status, step and deadline equals what the state
says at the same height. A row made by ``begin_block`` has position -1; one that changes keeps the place where it
began. contracts/supervision/README.md.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, Final, TypeAlias

from coseal.contracts.kernel.rows.buffer import Rows
from coseal.contracts.kernel.rows.place import Act
from coseal.contracts.kernel.rows.writer import Writer
from coseal.contracts.supervision.findings import CASE_ACTS, DUE, RAISING_ACTS, SUPERSEDED
from coseal.contracts.supervision.tables import BALLOTS, FINDING_STEPS, FINDINGS, GUIDANCE, HOLDS, QUESTIONS, RULES
from coseal.contracts.supervision.terms import MAX_ESCALATION, SIDES
from coseal.ledger.transaction import Transaction

_VIEW_COLUMNS: Final = (
    *("rule", "version", "process_type", "object_type", "object", "source", "subject", "opened_by"),
    *("severity", "effect", "verdict", "status", "deadline_ms"),
)
_STEPS: Final = ("acknowledge", "inquire", "respond", "decide", "appeal", "decide_appeal")
_HOLDS: Final = ("hold", "lift_hold", "contest_hold", "confirm_hold")
_TEXTS: Final = (
    "note",
    "question",
    "response",
    "reason",
    "measure",
    "outcome",
    "evidence",
    "within_ms",
    "hold_ms",
    "amount",
)


def writer(rows: Rows) -> Writer:
    """Return what writes the rows of this contract, of the acts of process too that it observes."""
    return Writer(
        {f"supervision.{action}": partial(_write, rows, put) for action, put in _WRITE.items()}
        | dict.fromkeys(CASE_ACTS, partial(_write, rows, _open_case))
        | dict.fromkeys(
            ("process.record", "process.attest", *RAISING_ACTS), lambda tx, data, act: _observed(rows, data, act)
        ),
        due=partial(_due, rows),
        appended=partial(_observed, rows),
    )


def _write(rows: Rows, put: _Write, tx: Transaction, data: Mapping[str, Any], act: Act) -> None:
    put(rows, tx.action, tx.args, data, act)


def _observed(rows: Rows, data: Mapping[str, Any], act: Act) -> None:
    """Put the findings and holds that recorded or disputed items led to, or that were due at the start of a block."""
    for view in data.get("findings", ()):
        _raise(rows, view, act)
    for ended in data.get("superseded", ()):
        _supersede(rows, ended, act)
    for view in data.get("holds", ()):
        _put_hold(rows, view, act)


def _due(rows: Rows, data: Mapping[str, Any], act: Act) -> None:
    """Put what was due of this contract at the start of a block."""
    _observed(rows, data, act)
    for late in data.get("overdue", ()):
        _overdue(rows, late, act)
    for closed in data.get("closed", ()):
        _close(rows, closed, act)
    for decided in data.get("ballots", ()):
        _decide_ballot(rows, decided, act)


# Rules and ballots


def _propose_rules(rows: Rows, action: str, args: Mapping[str, Any], data: Mapping[str, Any], act: Act) -> None:
    for rule in args["rules"]:
        row = {
            "id": rule["id"],
            "version": rule.get("version", 1),
            "process_type": data["process_type"],
            "kind": rule["kind"],
            "status": "proposed",
            "severity": rule.get("severity") or "",  # what is null in a rule is absent
            "effect": rule.get("effect") or "flag",
            "proposer": act.member,
            "ballot": data["ballot"],
            **act.place,
            "document": rule,
        }
        rows.of(RULES).put(row)
    _open_ballot(rows, "rules", data, args, act)


def _propose_other(rows: Rows, action: str, args: Mapping[str, Any], data: Mapping[str, Any], act: Act) -> None:
    _open_ballot(rows, {"propose_retirement": "retire", "propose_terms": "terms"}[action], data, args, act)


def _open_ballot(rows: Rows, kind: str, data: Mapping[str, Any], args: Mapping[str, Any], act: Act) -> None:
    names = ("process_type", "rules", "terms", "cost", "needed", "of", "set")
    document = {name: data[name] for name in names if name in data}
    document |= {name: args[name] for name in ("title", "reason", "trial_ms") if name in args}
    _put_ballot(rows, data["ballot"], kind, data["status"], act.member, data["closes_ms"], document, act)


def _put_ballot(
    rows: Rows,
    ballot: str,
    kind: str,
    status: str,
    proposer: str,
    closes_ms: int,
    document: Mapping[str, Any],
    act: Act,
) -> None:
    row = {"number": _number(ballot), "id": ballot, "kind": kind, "status": status, "proposer": proposer}
    row |= {"yes": 0, "no": 0, "abstain": 0, "closes_ms": closes_ms, "document": document}
    rows.of(BALLOTS).put(row | act.place)


def _vote(rows: Rows, action: str, args: Mapping[str, Any], data: Mapping[str, Any], act: Act) -> None:
    ballot = rows.of(BALLOTS).find(_number(data["ballot"]))
    if ballot is not None:
        rows.of(BALLOTS).put(ballot | {name: data[name] for name in ("yes", "no", "abstain")})
    if data["status"] != "open":
        _decide_ballot(rows, data, act)


def _decide_ballot(rows: Rows, data: Mapping[str, Any], act: Act) -> None:
    """Close a ballot and apply its effects: new statuses of rules, and perhaps a second ballot."""
    ballot = rows.of(BALLOTS).find(_number(data["ballot"]))
    if ballot is None:
        return
    rows.of(BALLOTS).put(ballot | {"status": data["status"]})
    for effect in data.get("effects", ()):
        for rule, version in effect.get("rules", ()):
            changed = rows.of(RULES).find(rule, version)
            if changed is not None:
                rows.of(RULES).put(changed | {"status": effect["status"]})
        if "ballot" in effect:
            more = {name: effect[name] for name in ("needed", "of", "not_before_ms") if name in effect}
            closes_ms = effect.get("closes_ms", ballot["closes_ms"])
            document = {**ballot["document"], **more}
            _put_ballot(rows, effect["ballot"], "adopt", "open", ballot["proposer"], closes_ms, document, act)


# Findings


def _open_case(rows: Rows, action: str, args: Mapping[str, Any], data: Mapping[str, Any], act: Act) -> None:
    for view in data["findings"]:
        _raise(rows, view, act, _texts(args))


def _raise(rows: Rows, view: Mapping[str, Any], act: Act, said: Mapping[str, Any] | None = None) -> None:
    """Put a new finding; one without room in its batch's receipt is shown later, perhaps after its first steps."""
    number = _number(view["id"])
    step = DUE.get(view["status"])
    taken = rows.of(FINDING_STEPS).last(number)
    sender, since_ms = (taken["sender"], taken["time_ms"]) if taken is not None else ("", act.time_ms)
    row = {
        "number": number,
        "id": view["id"],
        **{name: view.get(name) for name in _VIEW_COLUMNS},
        "step": step,
        "side": SIDES.get(step or ""),
        "supervisor": sender.partition("/")[0] or None,
        "outcome": None,
        "overdue": 0,
        "escalation": 0,
        "term_ms": None if view["deadline_ms"] is None else view["deadline_ms"] - since_ms,
        "time_ms": act.time_ms,
        **act.place,
        "document": view,
    }
    rows.of(FINDINGS).put(row)
    _add_step(rows, number, "raised", act, said or {})


def _step(rows: Rows, action: str, args: Mapping[str, Any], data: Mapping[str, Any], act: Act) -> None:
    number = _number(data["id"])
    finding = rows.of(FINDINGS).find(number)
    if finding is not None:
        now = {"status": data["status"], "overdue": 0, "term_ms": _term_ms(data, act)}
        now |= {name: data.get(name) for name in ("step", "side", "deadline_ms", "supervisor")}
        now["outcome"] = _or(data.get("outcome"), finding["outcome"])
        rows.of(FINDINGS).put(finding | now)
    _add_step(rows, number, action, act, {**_texts(args), "took_ms": data.get("took_ms")})
    _observed(rows, data, act)


def _term_ms(data: Mapping[str, Any], act: Act) -> int | None:
    """Return how long the step that is due now may take; the same time runs again when it is over."""
    deadline_ms = data.get("deadline_ms")
    return None if deadline_ms is None else deadline_ms - act.time_ms


def _overdue(rows: Rows, late: Mapping[str, Any], act: Act) -> None:
    """Note that the time of a step passed without it."""
    if late["what"] not in ("question", "finding"):
        return
    table = QUESTIONS if late["what"] == "question" else FINDINGS
    number = _number(late["id"])
    row = rows.of(table).find(number)
    if row is not None:
        again = row["term_ms"] is not None and row["overdue"] + 1 < MAX_ESCALATION
        now = {"deadline_ms": act.time_ms + row["term_ms"] if again else None, "overdue": row["overdue"] + 1}
        if table is FINDINGS:
            now["escalation"] = late["escalation"]
        rows.of(table).put(row | now)
    if table is FINDINGS:
        _add_step(rows, number, "overdue", act, {name: late[name] for name in ("step", "side", "deadline_ms")})


def _close(rows: Rows, closed: Mapping[str, Any], act: Act) -> None:
    number = _number(closed["id"])
    finding = rows.of(FINDINGS).find(number)
    if finding is not None:
        now = {"status": "closed", **dict.fromkeys(("step", "side", "deadline_ms")), "overdue": 0}
        now["outcome"] = _or(closed.get("outcome"), finding["outcome"])
        rows.of(FINDINGS).put(finding | now)
    _add_step(rows, number, "closed", act, {"outcome": closed.get("outcome")})


def _supersede(rows: Rows, ended: Mapping[str, Any], act: Act) -> None:
    """Put that a finding no longer holds; one that has no row yet is shown later, with this status."""
    number = _number(ended["id"])
    finding = rows.of(FINDINGS).find(number)
    if finding is not None:
        now = {"status": SUPERSEDED, **dict.fromkeys(("step", "side", "deadline_ms")), "overdue": 0}
        rows.of(FINDINGS).put(finding | now)
        _add_step(rows, number, SUPERSEDED, act, {})


def _add_step(rows: Rows, finding: int, step: str, act: Act, document: Mapping[str, Any]) -> None:
    before = rows.of(FINDING_STEPS).last(finding)
    number = 0 if before is None else before["number"] + 1
    shown = {name: value for name, value in document.items() if value is not None}
    rows.of(FINDING_STEPS).add(finding, number, step, act.sender, act.time_ms, act.tx_id or None, *act.where, shown)


# Holds


def _hold(rows: Rows, action: str, args: Mapping[str, Any], data: Mapping[str, Any], act: Act) -> None:
    _put_hold(rows, data, act)
    _add_step(rows, _number(args["finding"]), action, act, _texts(args))


def _put_hold(rows: Rows, view: Mapping[str, Any], act: Act) -> None:
    names = ("process_type", "object_type", "object", "finding", "status", "amount", "until_ms")
    rows.of(HOLDS).put({name: view[name] for name in names} | act.place)


# Questions and guidance


def _ask(rows: Rows, action: str, args: Mapping[str, Any], data: Mapping[str, Any], act: Act) -> None:
    row = {
        "number": _number(data["id"]),
        "id": data["id"],
        "topic": args["topic"],
        "member": act.member,
        "status": data["status"],
        "deadline_ms": data["deadline_ms"],
        "overdue": 0,
        "term_ms": _term_ms(data, act),
        "time_ms": act.time_ms,
        "answered_by": None,
        "took_ms": None,
        **act.place,
        "document": {name: args[name] for name in ("question", "about") if name in args},
    }
    rows.of(QUESTIONS).put(row)


def _answer(rows: Rows, action: str, args: Mapping[str, Any], data: Mapping[str, Any], act: Act) -> None:
    question = rows.of(QUESTIONS).find(_number(data["id"]))
    if question is None:
        return
    about = {"answer_about": args["about"]} if "about" in args else {}
    now = {"status": data["status"], "deadline_ms": None, "answered_by": act.sender, "took_ms": data["took_ms"]}
    now["document"] = {**question["document"], "answer": args["answer"], **about}
    rows.of(QUESTIONS).put(question | now)


def _guide(rows: Rows, action: str, args: Mapping[str, Any], data: Mapping[str, Any], act: Act) -> None:
    replaced = rows.of(GUIDANCE).find(_number(args["replaces"])) if "replaces" in args else None
    if replaced is not None:
        rows.of(GUIDANCE).put(replaced | {"replaced_by": data["id"]})
    row = {"number": _number(data["id"]), "id": data["id"], "title": args["title"], "member": act.member}
    row |= {"replaced_by": None, "time_ms": act.time_ms}
    row["document"] = {name: args[name] for name in ("text", "about", "replaces") if name in args}
    rows.of(GUIDANCE).put(row | act.place)


_Write: TypeAlias = Callable[[Rows, str, Mapping[str, Any], Mapping[str, Any], Act], None]
_WRITE: Final[Mapping[str, _Write]] = {
    "propose_rules": _propose_rules,
    "propose_retirement": _propose_other,
    "propose_terms": _propose_other,
    "vote": _vote,
    **dict.fromkeys(_STEPS, _step),
    **dict.fromkeys(_HOLDS, _hold),
    "ask": _ask,
    "answer": _answer,
    "guide": _guide,
}


def _texts(args: Mapping[str, Any]) -> dict[str, Any]:
    return {name: args[name] for name in _TEXTS if name in args}


def _number(identifier: str) -> int:
    """Return the number in an id such as ``F12``."""
    return int(identifier[1:])


def _or(value: Any, otherwise: Any) -> Any:
    return otherwise if value is None else value
