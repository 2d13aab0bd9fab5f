"""How certification becomes rows: schemes, projects, nodes of arguments with their texts, reviewers, reviews,
certificates, tranches.

Law: the rows follow from receipts and arguments in ledger order; texts are in transactions alone, so rows have them.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any, Final, TypeAlias

from coseal.contracts.certification.argument import ASSERTED
from coseal.contracts.certification.certificates import REVOKED
from coseal.contracts.certification.panel import is_humanities
from coseal.contracts.certification.proceedings import DRAWN, REVEAL, REVIEW
from coseal.contracts.certification.projects import DRAFT, LAPSED
from coseal.contracts.certification.tables import (
    ARGUMENT_NODES,
    CERTIFICATES,
    PROJECTS,
    REVIEWERS,
    REVIEWS,
    SCHEMES,
    TRANCHES,
)
from coseal.contracts.certification.tranches import PLANNED, PLEDGED, RELEASED
from coseal.contracts.certification.verdict import ACCEPTED, OUTCOMES
from coseal.contracts.kernel.rows.buffer import Rows
from coseal.contracts.kernel.rows.place import Act
from coseal.contracts.kernel.rows.writer import PutArguments, Writer, by_action
from coseal.contracts.kernel.wording import in_language

Given: TypeAlias = Mapping[str, Any]


def writer(rows: Rows) -> Writer:
    """Return what writes the rows of this contract."""
    accepted = by_action("certification", rows, _WRITE)
    return Writer(accepted, due=partial(_due, rows))


def _apply(rows: Rows, args: Given, data: Given, act: Act) -> None:
    row = {name: args[name] for name in ("project", "scheme", "kind")}
    row |= {"number": data["number"], "title": in_language(args["title"]), "member": act.member}
    row |= {"status": DRAFT, "round": 0, "due_ms": 0, "nodes": 0, "root": "", "planned": 0, "released": 0, **act.place}
    said = {"parties": args.get("parties", []), "framework_sha256": args["framework_sha256"]}
    said |= {"titles": args["title"]} if isinstance(args["title"], dict) else {}
    rows.of(PROJECTS).put({**row, "document": said})
    for number, tranche in enumerate(args.get("tranches", ()), 1):
        row = {"project": args["project"], "tranche": number, "amount": tranche["amount"], "funder": tranche["funder"]}
        row |= {"status": PLANNED, "pending": "", **act.place, "document": {"milestone": tranche["milestone"]}}
        rows.of(TRANCHES).put(row)


def _argue(rows: Rows, args: Given, data: Given, act: Act) -> None:
    for name in args.get("drop", ()):
        row = rows.of(ARGUMENT_NODES).find(args["project"], name)
        if row is not None:
            rows.of(ARGUMENT_NODES).put({**row, "dropped": 1, **act.place})
    for node in args["nodes"]:
        row = {"project": args["project"], "node": node["id"], "kind": node["kind"], "parent": node.get("parent", "")}
        row |= {"declared": node.get("declared", ASSERTED), "statement": node.get("statement", ""), "dropped": 0}
        rows.of(ARGUMENT_NODES).put({**row, **act.place, "document": dict(node)})
    _change(rows, args["project"], nodes=data["nodes"])


def _seal(rows: Rows, args: Given, data: Given, act: Act) -> None:
    _change(rows, args["project"], root=data["root"])
    _move(rows, data, act)


def _change(rows: Rows, project: str, **columns: Any) -> None:
    row = rows.of(PROJECTS).find(project)
    if row is not None:
        rows.of(PROJECTS).put({**row, **columns})


def _register(rows: Rows, args: Given, data: Given, act: Act) -> None:
    row = {name: data[name] for name in ("reviewer", "sector", "until_ms")} | {"member": act.member}
    row["humanities"] = 1 if is_humanities(args["fields"]) else 0
    said = {"fields": args["fields"], "statement_sha256": args["statement_sha256"]}
    rows.of(REVIEWERS).put({**row, **act.place, "document": said})


def _step(rows: Rows, args: Given, data: Given, act: Act) -> None:
    _move(rows, data, act)


def _declare(rows: Rows, args: Given, data: Given, act: Act) -> None:
    _move(rows, data, act)
    _seat(rows, (data["project"], data["round"], act.sender), act, status="conflict" if args["conflict"] else "seated")


def _commit(rows: Rows, args: Given, data: Given, act: Act) -> None:
    _move(rows, data, act)
    _seat(rows, (data["project"], data["round"], act.sender), act, status="committed")


def _reveal(rows: Rows, args: Given, data: Given, act: Act) -> None:
    _move(rows, data, act)
    opinions = [leaf["opinion"] for leaf in args["review"]["leaves"].values()]
    counts = {"accepted": opinions.count(ACCEPTED), "rejected": len(opinions) - opinions.count(ACCEPTED)}
    said = {**counts, "document": dict(args["review"])}
    _seat(rows, (data["project"], data["round"], act.sender), act, status="revealed", **said)


def _decide(rows: Rows, args: Given, data: Given, act: Act) -> None:
    _move(rows, data, act)
    said = {name: args[name] for name in ("outcome", "reason", "conditions") if name in args}
    _say(rows, data["project"], decision={**said, "body": act.member, "computed": data["computed"]})


def _appeal(rows: Rows, args: Given, data: Given, act: Act) -> None:
    _move(rows, data, act)
    _say(rows, data["project"], appeal={name: args[name] for name in ("reason", "evidence") if name in args})


def _move(rows: Rows, data: Given, act: Act) -> None:
    """Put what became of a project: its step, its panel, who was late, the verdict."""
    project = data["project"]
    _change(rows, project, **{name: data[name] for name in ("status", "round", "due_ms")})
    for name in data.get("panel", ()):
        if rows.of(REVIEWS).find(project, data["round"], name) is None:
            _seat(rows, (project, data["round"], name), act, status="drawn")
    for number, step, name in data.get("late", ()):
        if step in _OF_REVIEWERS:
            _seat(rows, (project, number, name), act, status="silent")
    _certificates(rows, data, act)
    if "criteria" in data:
        _say(rows, project, verdict={name: data[name] for name in _VERDICT})


def _certificates(rows: Rows, data: Given, act: Act) -> None:
    for certificate in data.get("certificates", ()):
        row = {name: certificate[name] for name in _CERTIFICATE}
        row["suspended_ms"] = certificate["suspended"][1] if "suspended" in certificate else 0
        said = {name: certificate[name] for name in ("ballot", "reason") if name in certificate}
        rows.of(CERTIFICATES).put({**row, **act.place, "document": said})


_CERTIFICATE: Final = ("certificate", "project", "scheme", "status", "from_ms", "until_ms")
_OF_REVIEWERS: Final = (DRAWN, REVIEW, REVEAL)
_VERDICT: Final = ("outcome", "criteria", "score", "reviews", "failed", "fallen")


def _seat(rows: Rows, seat: tuple[str, int, str], act: Act, **columns: Any) -> None:
    row = rows.of(REVIEWS).find(*seat) or {
        **_NEW_SEAT,
        **dict(zip(("project", "round", "reviewer"), seat, strict=True)),
    }
    rows.of(REVIEWS).put({**row, **act.place, **columns})


_NEW_SEAT: Final[Mapping[str, Any]] = {"accepted": 0, "rejected": 0, "document": {}}


def _say(rows: Rows, project: str, **said: Any) -> None:
    row = rows.of(PROJECTS).find(project)
    if row is not None:
        rows.of(PROJECTS).put({**row, "document": {**row["document"], **said}})


def _certificate(rows: Rows, args: Given, data: Given, act: Act) -> None:
    _certificates(rows, data, act)


def _tranche(rows: Rows, args: Given, data: Given, act: Act) -> None:
    """Put how far a tranche is, and what of its project is planned and released."""
    row = rows.of(TRANCHES).find(data["project"], data["tranche"])
    project = rows.of(PROJECTS).find(data["project"])
    if row is None or project is None:
        return
    counted = {PLEDGED: "planned", RELEASED: "released"}.get(data["status"])
    if counted is not None and row["status"] != data["status"]:
        _change(rows, data["project"], **{counted: project[counted] + data["amount"]})
    said = {"items": data["items"]} if data.get("items") else {}
    changed = {"status": data["status"], "pending": data.get("pending", ""), **act.place}
    rows.of(TRANCHES).put({**row, **changed, "document": {**row["document"], **said}})


def _due(rows: Rows, data: Given, act: Act) -> None:
    """Put what was due of this contract at the start of a block."""
    for step in data.get("steps", ()):
        _move(rows, step, act)
    _certificates(rows, data, act)
    for certificate in data.get("certificates", ()):
        row = rows.of(PROJECTS).find(certificate["project"])
        if row is not None and (certificate["status"] == REVOKED or row["status"] in OUTCOMES):
            _change(rows, certificate["project"], status=certificate["status"], due_ms=0)
    for lapsed in data.get("lapsed", ()):
        _change(rows, lapsed["project"], status=LAPSED)
    for scheme in data.get("schemes", ()):
        row = {name: scheme[name] for name in ("scheme", "status", "ballot")}
        said = {"criteria": scheme["criteria"], "bodies": scheme["bodies"]}
        said |= {"titles": scheme["title"]} if isinstance(scheme["title"], dict) else {}
        rows.of(SCHEMES).put({**row, "title": in_language(scheme["title"]), **act.place, "document": said})


_WRITE: Final[Mapping[str, PutArguments]] = {
    "apply": _apply,
    "argue": _argue,
    "seal": _seal,
    "register_reviewer": _register,
    **dict.fromkeys(("admit", "commit_seed", "reveal_seed"), _step),
    "declare": _declare,
    "commit": _commit,
    "reveal": _reveal,
    "decide": _decide,
    "appeal": _appeal,
    **dict.fromkeys(("suspend", "reinstate"), _certificate),
    **dict.fromkeys(("pledge", "claim_milestone", "release"), _tranche),
}
