"""How supervision becomes rows of the SQL index: rules and ballots, findings with their trail, holds, questions.

Law: the rows follow from receipts in ledger order; what they say of status, step and deadline equals what the state
says at the same height. A row made by ``begin_block`` has position -1. docs/spec/contracts-supervision.md.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

from contracts.supervision_findings import DUE
from contracts.supervision_terms import MAX_ESCALATION, SIDES

BEGIN: Final = -1
"""The position of what ``begin_block`` did: before the first transaction."""

_VIEW_COLUMNS: Final = (
    *("rule", "version", "process_type", "object_type", "object", "source", "subject"),
    *("severity", "effect", "verdict", "status", "deadline_ms"),
)
_STEPS: Final = ("acknowledge", "inquire", "respond", "decide", "appeal", "decide_appeal")
_HOLDS: Final = ("hold", "lift_hold", "contest_hold", "confirm_hold")
_TEXTS: Final = ("note", "question", "response", "reason", "measure", "outcome", "evidence", "within_ms", "hold_ms")


@dataclass(frozen=True, slots=True)
class Act:
    """One accepted transaction, or ``begin_block`` (without sender and id): who, when (ms), and where it stands."""

    sender: str
    tx_id: bytes
    time_ms: int
    height: int
    position: int

    @property
    def member(self) -> str:
        """The member that acted."""
        return self.sender.partition("/")[0]

    @property
    def where(self) -> tuple[int, int]:
        """Height and position."""
        return self.height, self.position


def write(
    connection: sqlite3.Connection, action: str, args: Mapping[str, Any], data: Mapping[str, Any], act: Act
) -> int:
    """Write what one accepted transaction of the contract says; return about how many rows that took."""
    return _WRITE[action](connection, action, args, data, act)


def observed(connection: sqlite3.Connection, data: Mapping[str, Any], act: Act) -> int:
    """Write the findings and holds that recorded items led to, or that were due at the start of a block."""
    for view in data.get("findings", ()):
        _raise(connection, view, act)
    for view in data.get("holds", ()):
        _put_hold(connection, view, act)
    return 2 * len(data.get("findings", ())) + len(data.get("holds", ()))


def begun(connection: sqlite3.Connection, data: Mapping[str, Any], act: Act) -> int:
    """Write what ``begin_block`` did for this contract."""
    written = observed(connection, data, act)
    for late in data.get("overdue", ()):
        _overdue(connection, late, act)
    for closed in data.get("closed", ()):
        _close(connection, closed, act)
    for decided in data.get("ballots", ()):
        _decide_ballot(connection, decided, act)
    return written + sum(len(data.get(name, ())) for name in ("overdue", "closed", "ballots"))


# Rules and ballots


def _propose_rules(
    connection: sqlite3.Connection, action: str, args: Mapping[str, Any], data: Mapping[str, Any], act: Act
) -> int:
    for rule in args["rules"]:
        connection.execute(
            "INSERT OR REPLACE INTO rules VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                rule["id"],
                rule.get("version", 1),
                data["process_type"],
                rule["kind"],
                "proposed",
                rule.get("severity", ""),
                rule.get("effect", "flag"),
                act.member,
                data["ballot"],
                *act.where,
                _json(rule),
            ),
        )
    _open_ballot(connection, "rules", data, args, act)
    return len(args["rules"]) + 1


def _propose_other(
    connection: sqlite3.Connection, action: str, args: Mapping[str, Any], data: Mapping[str, Any], act: Act
) -> int:
    _open_ballot(connection, {"propose_retirement": "retire", "propose_terms": "terms"}[action], data, args, act)
    return 1


def _open_ballot(
    connection: sqlite3.Connection, kind: str, data: Mapping[str, Any], args: Mapping[str, Any], act: Act
) -> None:
    names = ("process_type", "rules", "terms", "cost", "electorate", "needed", "set")
    document = {name: data[name] for name in names if name in data}
    document |= {name: args[name] for name in ("title", "reason", "trial_ms") if name in args}
    row = (_number(data["ballot"]), data["ballot"], kind, data["status"], act.member, 0, 0, data["closes_ms"])
    connection.execute(
        "INSERT OR REPLACE INTO ballots VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", (*row, *act.where, _json(document))
    )


def _vote(
    connection: sqlite3.Connection, action: str, args: Mapping[str, Any], data: Mapping[str, Any], act: Act
) -> int:
    connection.execute("UPDATE ballots SET yes = ?, no = ? WHERE id = ?", (data["yes"], data["no"], data["ballot"]))
    if data["status"] != "open":
        _decide_ballot(connection, data, act)
    return 1 + len(data.get("effects", ()))


def _decide_ballot(connection: sqlite3.Connection, data: Mapping[str, Any], act: Act) -> None:
    """Close a ballot and apply its effects: new statuses of rules, and perhaps a second ballot."""
    connection.execute("UPDATE ballots SET status = ? WHERE id = ?", (data["status"], data["ballot"]))
    for effect in data.get("effects", ()):
        for rule, version in effect.get("rules", ()):
            connection.execute(
                "UPDATE rules SET status = ? WHERE id = ? AND version = ?", (effect["status"], rule, version)
            )
        if "ballot" in effect:
            _second_ballot(connection, data["ballot"], effect, act)


def _second_ballot(connection: sqlite3.Connection, first: str, effect: Mapping[str, Any], act: Act) -> None:
    row = connection.execute("SELECT proposer, closes_ms, document FROM ballots WHERE id = ?", (first,)).fetchone()
    proposer, closes_ms, document = row
    more = {name: effect[name] for name in ("electorate", "needed", "not_before_ms") if name in effect}
    new = (_number(effect["ballot"]), effect["ballot"], "adopt", "open", proposer, 0, 0)
    closes_ms = effect.get("closes_ms", closes_ms)
    connection.execute(
        "INSERT OR REPLACE INTO ballots VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (*new, closes_ms, *act.where, _json({**json.loads(document), **more})),
    )


# Findings


def _raise(connection: sqlite3.Connection, view: Mapping[str, Any], act: Act) -> None:
    """Write a new finding; one without room in its batch's receipt is shown later, perhaps after its first steps."""
    number = _number(view["id"])
    first = (number, view["id"], *(view.get(name) for name in _VIEW_COLUMNS))
    step = DUE.get(view["status"])
    taken = connection.execute(
        "SELECT sender, time_ms FROM finding_steps WHERE finding = ? ORDER BY number DESC LIMIT 1", (number,)
    ).fetchone()
    sender, since_ms = taken or ("", act.time_ms)
    supervisor = sender.partition("/")[0] or None
    term_ms = None if view["deadline_ms"] is None else view["deadline_ms"] - since_ms
    row = (*first, step, SIDES.get(step or ""), supervisor, None, 0, 0, term_ms, act.time_ms, *act.where, _json(view))
    connection.execute(f"INSERT OR REPLACE INTO findings VALUES ({', '.join('?' * len(row))})", row)
    _add_step(connection, number, "raised", act, {})


def _step(
    connection: sqlite3.Connection, action: str, args: Mapping[str, Any], data: Mapping[str, Any], act: Act
) -> int:
    number = _number(data["id"])
    connection.execute(
        "UPDATE findings SET status = ?, step = ?, side = ?, deadline_ms = ?, supervisor = ?, overdue = 0,"
        " term_ms = ?, outcome = coalesce(?, outcome) WHERE number = ?",
        (
            data["status"],
            data.get("step"),
            data.get("side"),
            data.get("deadline_ms"),
            data.get("supervisor"),
            _term_ms(data, act),
            data.get("outcome"),
            number,
        ),
    )
    _add_step(connection, number, action, act, {**_texts(args), "took_ms": data.get("took_ms")})
    return 2 + observed(connection, data, act)


def _term_ms(data: Mapping[str, Any], act: Act) -> int | None:
    """Return how long the step that is due now may take; the same time runs again when it is over."""
    deadline_ms = data.get("deadline_ms")
    return None if deadline_ms is None else deadline_ms - act.time_ms


def _overdue(connection: sqlite3.Connection, late: Mapping[str, Any], act: Act) -> None:
    """Note that the time of a step passed without it."""
    again = "CASE WHEN overdue + 1 < :rounds THEN :now_ms + term_ms END"
    values = {"rounds": MAX_ESCALATION, "now_ms": act.time_ms, "escalation": late["escalation"], "id": late["id"]}
    if late["what"] == "question":
        connection.execute(f"UPDATE questions SET deadline_ms = {again}, overdue = overdue + 1 WHERE id = :id", values)
    if late["what"] != "finding":
        return
    number = _number(late["id"])
    connection.execute(
        f"UPDATE findings SET deadline_ms = {again}, overdue = overdue + 1, escalation = :escalation WHERE id = :id",
        values,
    )
    _add_step(connection, number, "overdue", act, {name: late[name] for name in ("step", "side", "deadline_ms")})


def _close(connection: sqlite3.Connection, closed: Mapping[str, Any], act: Act) -> None:
    number = _number(closed["id"])
    connection.execute(
        "UPDATE findings SET status = 'closed', step = NULL, side = NULL, deadline_ms = NULL, overdue = 0,"
        " outcome = coalesce(?, outcome) WHERE number = ?",
        (closed.get("outcome"), number),
    )
    _add_step(connection, number, "closed", act, {"outcome": closed.get("outcome")})


def _add_step(connection: sqlite3.Connection, finding: int, step: str, act: Act, document: Mapping[str, Any]) -> None:
    query = "SELECT count(*) FROM finding_steps WHERE finding = ?"
    place = connection.execute(query, (finding,)).fetchone()[0]
    tx_id = act.tx_id or None
    shown = {name: value for name, value in document.items() if value is not None}
    connection.execute(
        "INSERT INTO finding_steps VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (finding, place, step, act.sender, act.time_ms, tx_id, *act.where, _json(shown)),
    )


# Holds


def _hold(
    connection: sqlite3.Connection, action: str, args: Mapping[str, Any], data: Mapping[str, Any], act: Act
) -> int:
    _put_hold(connection, data, act)
    _add_step(connection, _number(args["finding"]), action, act, _texts(args))
    return 2


def _put_hold(connection: sqlite3.Connection, view: Mapping[str, Any], act: Act) -> None:
    key = (view["process_type"], view["object_type"], view["object"])
    row = (*key, view["finding"], view["status"], view["until_ms"], *act.where)
    connection.execute("INSERT OR REPLACE INTO holds VALUES (?, ?, ?, ?, ?, ?, ?, ?)", row)


# Questions and guidance


def _ask(
    connection: sqlite3.Connection, action: str, args: Mapping[str, Any], data: Mapping[str, Any], act: Act
) -> int:
    document = {name: args[name] for name in ("question", "about") if name in args}
    row = (_number(data["id"]), data["id"], args["topic"], act.member, data["status"], data["deadline_ms"])
    connection.execute(
        "INSERT INTO questions VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (*row, 0, _term_ms(data, act), act.time_ms, None, None, *act.where, _json(document)),
    )
    return 1


def _answer(
    connection: sqlite3.Connection, action: str, args: Mapping[str, Any], data: Mapping[str, Any], act: Act
) -> int:
    row = connection.execute("SELECT document FROM questions WHERE id = ?", (data["id"],)).fetchone()
    about = {"answer_about": args["about"]} if "about" in args else {}
    document = {**json.loads(row[0]), "answer": args["answer"], **about}
    connection.execute(
        "UPDATE questions SET status = ?, deadline_ms = NULL, answered_by = ?, took_ms = ?, document = ? WHERE id = ?",
        (data["status"], act.sender, data["took_ms"], _json(document), data["id"]),
    )
    return 1


def _guide(
    connection: sqlite3.Connection, action: str, args: Mapping[str, Any], data: Mapping[str, Any], act: Act
) -> int:
    if "replaces" in args:
        connection.execute("UPDATE guidance SET replaced_by = ? WHERE id = ?", (data["id"], args["replaces"]))
    document = {name: args[name] for name in ("text", "about", "replaces") if name in args}
    row = (_number(data["id"]), data["id"], args["title"], act.member, None, act.time_ms)
    connection.execute("INSERT INTO guidance VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", (*row, *act.where, _json(document)))
    return 1


_Write: TypeAlias = Callable[[sqlite3.Connection, str, Mapping[str, Any], Mapping[str, Any], Act], int]
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
ACTIONS: Final = tuple(f"supervision.{action}" for action in _WRITE)


def _texts(args: Mapping[str, Any]) -> dict[str, Any]:
    return {name: args[name] for name in _TEXTS if name in args}


def _number(identifier: str) -> int:
    """Return the number in an id such as ``F12``."""
    return int(identifier[1:])


def _json(value: Mapping[str, Any] | Iterable[Any]) -> str:
    return json.dumps(value, ensure_ascii=False)
