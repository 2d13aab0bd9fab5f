"""Findings that a person opens: a supervisor names an object, a member and a legal basis where no rule found anything.

Law: the record says who opened a case, and nobody opens one about the own member; from then on it has the life of any
finding. A member has at most ``MAX_OPEN_CASES`` of them open.

contracts/supervision/README.md, section Cases.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple

from coseal.contracts.kernel.action import Action, Args, Arguments, Context, Rejected, Result, View
from coseal.contracts.kernel.budget import FINDING_STEPS
from coseal.contracts.kernel.evidence import EVIDENCE
from coseal.contracts.kernel.fields import Identifier, Many, Name, OneOf, Text
from coseal.contracts.membership.state import member_key
from coseal.contracts.process.state import object_key, source, type_key
from coseal.contracts.rules.reasons import reason
from coseal.contracts.rules.rule import SEVERITIES, SOURCE
from coseal.contracts.rules.verdict import Verdict
from coseal.contracts.supervision.checks import unknown_basis
from coseal.contracts.supervision.findings import CASE_RULE, OPEN_CASE, raise_finding, view_of
from coseal.contracts.supervision.state import cases_key
from coseal.contracts.supervision.terms import long_text, not_supervisor

MAX_OPEN_CASES: Final = 100
"""Of one supervising member."""


class Case(NamedTuple):
    """What a case is about: an object, by its place, and the member that has to answer; why, and by what law."""

    process_type: str
    object_type: str
    object_id: str
    subject: str
    severity: str
    reason: str
    legal_basis: Sequence[str]
    evidence: Sequence[str] = ()


def open_case(view: View, context: Context, case: Case) -> dict[str, Any] | Rejected:
    """Open a case in the name of ``context.sender``; return the finding's record.

    Whether there is such an object is for the caller to say, whose object it is.
    """
    refusal = not_supervisor(context, case.subject)  # J6
    if refusal is not None:
        return refusal
    if view.get(member_key(case.subject)) is None:
        return Rejected("unknown_member", f"args.subject: {case.subject} is no member of this chain")
    unknown = unknown_basis(view, case.legal_basis)
    if unknown is not None:  # J31
        return Rejected("unknown_policy", f"args.legal_basis: {unknown}")
    count: Any = view.get(cases_key(context.member)) or 0
    if count >= MAX_OPEN_CASES:  # J32
        detail = f"{context.member} has {count} open cases, at most {MAX_OPEN_CASES}; decide some first"
        return Rejected("limit", detail)
    view.put(cases_key(context.member), count + 1)
    view.charge(FINDING_STEPS)
    why = reason("opened", by=context.sender, text=case.reason)
    facts = {
        "rule": CASE_RULE,
        "version": 1,
        "process_type": case.process_type,
        "object_type": case.object_type,
        "object": case.object_id,
        **dict.fromkeys(("source", "sequence", "event", "item")),
        "subject": case.subject,
        "verdict": Verdict.UNDETERMINED.value,
        "severity": case.severity,
        "effect": "flag",
        "reason": [why.code, why.values],
        "detail": str(why),
        "opened_by": context.sender,
        "legal_basis": list(case.legal_basis),
    }
    step = [OPEN_CASE, context.sender, context.height, context.time_ms, context.tx_id.hex(), list(case.evidence)]
    return raise_finding(view, height=context.height, time_ms=context.time_ms, facts=facts, steps=[step])


def _open_case(view: View, context: Context, args: Args) -> Result | Rejected:
    case = Case(
        args["process_type"],
        args["object_type"],
        args["object"],
        args["subject"],
        args["severity"],
        args["reason"],
        args["legal_basis"],
        args.get("evidence", ()),
    )
    record = _unknown_object(view, case) or open_case(view, context, case)
    return record if isinstance(record, Rejected) else opened(record)


def opened(record: Mapping[str, Any]) -> Result:
    """Return a finding that was opened by hand as the receipt shows it."""
    shown = {name: record[name] for name in ("id", "status", "supervisor", "subject", "deadline_ms")}
    return {**shown, "step": record["due"][0], "side": record["due"][1], "findings": [view_of(record)]}


def _unknown_object(view: View, case: Case) -> Rejected | None:
    """Refuse a case about what nobody recorded; the object type ``source`` stands for sources of data (J4)."""
    definition: Any = view.get(type_key(case.process_type))
    if definition is None:
        return Rejected("unknown_type", f"there is no process type {case.process_type}; define it first")
    if case.object_type == SOURCE and SOURCE not in definition["object_types"]:
        record = source(view, case.object_id)
        known = record is not None and record["process_type"] == case.process_type
    else:
        known = view.get(object_key(case.process_type, case.object_type, case.object_id)) is not None
    if known:  # J30
        return None
    detail = f"nothing is recorded of {case.object_type} {case.object_id} of {case.process_type}"
    return Rejected("unknown_object", detail)


ACTIONS: Final[dict[str, Action]] = {
    OPEN_CASE: Action(
        arguments=Arguments(
            {
                "process_type": Identifier(slash=False),
                "object_type": Identifier(slash=False),
                "object": Identifier(),
                "subject": Name(),
                "severity": OneOf(*SEVERITIES),
                "reason": long_text,
                "legal_basis": Many(Text(), low=1, high=16, unique=True),
            },
            {"evidence": EVIDENCE},
        ),
        apply=_open_case,
        title="Open a finding by hand, about an object and a member",
        example={
            "process_type": "fines",
            "object_type": "case",
            "object": "A1",
            "subject": "enterprise-a",
            "severity": "warning",
            "reason": "The register names another amount",
            "legal_basis": ["external: court order 17/2026"],
        },
        capability="supervise",
    ),
}
