"""How missions become rows: missions, goals, indicators and values, instruments, actors, evaluations, what was overdue.

Law: the rows follow from receipts and arguments in ledger order; texts are in transactions alone, so rows have them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any, Final, TypeAlias

from coseal.contracts.kernel.rows.buffer import Rows
from coseal.contracts.kernel.rows.place import Act
from coseal.contracts.kernel.rows.writer import PutArguments, Writer, by_action
from coseal.contracts.kernel.wording import in_language
from coseal.contracts.mission.joining import JOINED, LEFT
from coseal.contracts.mission.tables import (
    EVALUATIONS,
    GOALS,
    INDICATOR_VALUES,
    INDICATORS,
    MISSION_ACTORS,
    MISSION_INSTRUMENTS,
    MISSION_OVERDUE,
    MISSIONS,
)

Given: TypeAlias = Mapping[str, Any]
REPORTED: Final = "reported"


def writer(rows: Rows) -> Writer:
    """Return what writes the rows of this contract."""
    return Writer(by_action("mission", rows, _WRITE), due=partial(_due, rows))


def _open(rows: Rows, args: Given, data: Given, act: Act) -> None:
    _mission(rows, args, act.member, data["number"], "", act)
    for indicator in args["indicators"]:
        _indicator(rows, args["mission"], indicator, act)


def _mission(rows: Rows, said: Given, member: str, number: int, ballot: str, act: Act) -> None:
    row = {"mission": said["mission"], "number": number, "title": in_language(said["title"]), "member": member}
    row |= {"type": said["type"], "basis": said.get("basis", ""), "from_date": said["from"], "to_date": said["to"]}
    row |= {"version": 1, "ballot": ballot, "instruments": 0, "evaluated": 0, "overdue": 0, **act.place}
    document = {"orientation": said["orientation"], "evaluations": said["evaluations"], **_titles(said["title"])}
    rows.of(MISSIONS).put({**row, "document": document})
    _goals(rows, said["mission"], said["goals"], 1, act)


def _goals(rows: Rows, mission: str, goals: Sequence[Given], version: int, act: Act) -> None:
    for goal in goals:
        before = rows.of(GOALS).find(mission, goal["id"])
        row = {"mission": mission, "goal": goal["id"], "title": in_language(goal["title"]), "version": version}
        row |= {"verdict": before["verdict"] if before else "", **act.place}
        document = {"indicators": goal.get("indicators", {}), **_titles(goal["title"])}
        rows.of(GOALS).put({**row, "document": document})


def _indicator(rows: Rows, mission: str, said: Given, act: Act) -> None:
    row = {"mission": mission, "indicator": said["name"], "title": in_language(said["title"]), "unit": said["unit"]}
    row |= {"scale": said.get("scale", 0), "direction": said["direction"], "every_ms": said["every_ms"]}
    row |= {"kind": said["source"][0] if "source" in said else REPORTED, "value": None, "date": "", "number": 0}
    document = {name: said[name] for name in ("baseline", "targets", "source", "reporters") if name in said}
    rows.of(INDICATORS).put({**row, **act.place, "document": {**document, **_titles(said["title"])}})


def _titles(title: Any) -> dict[str, Any]:
    return {"titles": title} if isinstance(title, dict) else {}


def _change(rows: Rows, mission: str, **columns: Any) -> None:
    row = rows.of(MISSIONS).find(mission)
    if row is not None:
        rows.of(MISSIONS).put({**row, **columns})


def _revise(rows: Rows, args: Given, data: Given, act: Act) -> None:
    mission, version = args["mission"], data["version"]
    row = rows.of(MISSIONS).find(mission)
    if row is None:
        return
    document = {**row["document"], "reason": args["reason"]}
    document |= {"evaluations": args["evaluations"]} if "evaluations" in args else {}
    rows.of(MISSIONS).put({**row, "version": version, "document": document})
    _goals(rows, mission, args.get("goals", ()), version, act)
    for indicator in args.get("indicators", ()):
        _indicator(rows, mission, indicator, act)
    for name, targets in args.get("targets", {}).items():
        before = rows.of(INDICATORS).find(mission, name)
        if before is not None:
            document = {**before["document"], "targets": targets}
            rows.of(INDICATORS).put({**before, **act.place, "document": document})


def _link(rows: Rows, args: Given, data: Given, act: Act) -> None:
    row = {name: args[name] for name in ("mission", "policy", "goal", "role")}
    row |= {"number": data["number"], "member": act.member, **act.place}
    rows.of(MISSION_INSTRUMENTS).put(row)
    _change(rows, args["mission"], instruments=data["number"])


def _join(rows: Rows, args: Given, data: Given, act: Act) -> None:
    row = {"mission": args["mission"], "member": act.member, "status": JOINED, **act.place}
    rows.of(MISSION_ACTORS).put({**row, "document": {"goals": args["goals"], "part": args["part"]}})


def _leave(rows: Rows, args: Given, data: Given, act: Act) -> None:
    row = rows.of(MISSION_ACTORS).find(args["mission"], act.member)
    if row is not None:
        rows.of(MISSION_ACTORS).put({**row, **act.place, "status": LEFT})


def _report(rows: Rows, args: Given, data: Given, act: Act) -> None:
    row = {name: args[name] for name in ("mission", "indicator", "date", "value")}
    row |= {"number": data["number"], "member": act.member, "corrects": args.get("corrects", 0), **act.place}
    rows.of(INDICATOR_VALUES).put({**row, "document": {"evidence": args["evidence"]}})
    indicator = rows.of(INDICATORS).find(args["mission"], args["indicator"])
    if indicator is None:
        return
    after = {**indicator, **act.place, "number": data["number"]}
    if args["date"] > indicator["date"] or (args["date"] == indicator["date"] and "corrects" in args):
        after |= {"value": args["value"], "date": args["date"]}
    rows.of(INDICATORS).put(after)


def _evaluate(rows: Rows, args: Given, data: Given, act: Act) -> None:
    row = {"mission": args["mission"], "number": data["evaluation"], "date": args["date"], "member": act.member}
    row |= {"status": data["status"], "recommendations": len(args["recommendations"]), "due_ms": data["due_ms"]}
    document = {"goals": args["goals"], "recommendations": args["recommendations"]}
    rows.of(EVALUATIONS).put({**row, **act.place, "document": document})
    _change(rows, args["mission"], evaluated=data["evaluation"])
    for goal, said in args["goals"].items():
        before = rows.of(GOALS).find(args["mission"], goal)
        if before is not None:
            rows.of(GOALS).put({**before, "verdict": said["verdict"]})


def _answer(rows: Rows, args: Given, data: Given, act: Act) -> None:
    row = rows.of(EVALUATIONS).find(args["mission"], args["evaluation"])
    if row is not None:
        document = {**row["document"], "answers": args["answers"]}
        rows.of(EVALUATIONS).put({**row, **act.place, "status": data["status"], "document": document})


def _due(rows: Rows, data: Given, act: Act) -> None:
    """Put what was due of this contract at the start of a block."""
    for said in data.get("missions", ()):
        _mission(rows, said, said["member"], said["number"], said["ballot"], act)
    for said in data.get("indicators", ()):
        _indicator(rows, said["mission"], said, act)
    for fact in data.get("overdue", ()):
        rows.of(MISSION_OVERDUE).put({**{name: fact[name] for name in _FACT}, **act.place})
        _change(rows, fact["mission"], overdue=fact["number"])


_FACT: Final = ("mission", "number", "what", "name", "side", "member", "due_ms")
_WRITE: Final[Mapping[str, PutArguments]] = {
    "open": _open,
    "revise": _revise,
    "link": _link,
    "join": _join,
    "leave": _leave,
    "report": _report,
    "evaluate": _evaluate,
    "answer": _answer,
}
