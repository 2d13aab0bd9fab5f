"""Disputes about standards, their answers, and what a ballot settles: a dispute, or where a process type counts.

Law: only those who use a standard dispute it, one at a time each; an open dispute is shown and stops nothing; no single
member settles one.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from coseal.contracts.kernel import deadlines
from coseal.contracts.kernel.action import INVALID, SUSPENDED, Action, Args, Arguments, Context, Rejected, Result, View
from coseal.contracts.kernel.contract import Moment
from coseal.contracts.kernel.dates import DAY_MS
from coseal.contracts.kernel.deadlines import BLOCK_CLOCK
from coseal.contracts.kernel.evidence import EVIDENCE
from coseal.contracts.kernel.fields import Identifier, Name, OneOf, Record, Text
from coseal.contracts.kernel.proposals import Case, ProposalKind
from coseal.contracts.process.state import type_key
from coseal.contracts.standards import domains, life
from coseal.contracts.standards.adoptions import in_force_at
from coseal.contracts.standards.domains import NEXT_BLOCK_MS
from coseal.contracts.standards.life import NOTICE
from coseal.contracts.standards.records import NAMED, in_force, owned
from coseal.contracts.standards.state import NAME, adoption_key, dispute_key

ANSWER_MS: Final = 30 * DAY_MS
GROUNDS: Final = ("ambiguity", "defect", "patent", "capture", "domain")
OUTCOMES: Final = ("upheld", "dismissed")
OPEN: Final = "open"
OVERDUE: Final = "overdue"
WAITING: Final = (OPEN, "answered", OVERDUE)
"""How a dispute is until it is settled."""
SETTLED: Final = ("standard", "version", "member", "number", "outcome", "ballot", "sunset_ms")
"""What the block after the decision says of it; ``sunset_ms`` is 0 if nothing ends."""


def _dispute(view: View, context: Context, args: Args) -> Result | Rejected:
    record = in_force(view, args)
    if isinstance(record, Rejected):
        return record
    standard, version, member = args["standard"], args["version"], context.member
    adoption: Any = view.get(adoption_key(standard, version, member))
    if not in_force_at(adoption, context.time_ms):  # E21
        return Rejected("not_party", f"{member} neither tries nor has adopted {standard} {version}")
    key = dispute_key(standard, version, member)
    before: Any = view.get(key)
    if before is not None and before["status"] in WAITING:
        return Rejected("limit", f"{member} has a dispute about {standard} {version} that is not settled")
    number = 1 if before is None else before["number"] + 1
    due_ms = context.time_ms + ANSWER_MS
    dispute = {"number": number, "ground": args["ground"], "status": OPEN, "due_ms": due_ms}
    dispute |= {"height": context.height, "time_ms": context.time_ms, "tx": context.tx_id.hex()}
    view.put(key, dispute)
    deadlines.add(view, NAME, BLOCK_CLOCK, due_ms, ["answer", standard, version, member, number])
    named = {"standard": standard, "version": version, "member": member}
    return {**named, "number": number, "ground": args["ground"], "due_ms": due_ms}


def _answer(view: View, context: Context, args: Args) -> Result | Rejected:
    record = owned(view, args, context.member)
    if isinstance(record, Rejected):
        return record
    key = dispute_key(args["standard"], args["version"], args["member"])
    before: Any = view.get(key)
    if before is None or before["status"] not in (OPEN, OVERDUE):
        return Rejected("unknown_dispute", f"no dispute of {args['member']} waits for an answer")
    view.put(key, {**before, "status": "answered", "answered": [context.height, context.time_ms]})
    named = {name: args[name] for name in ("standard", "version", "member")}
    return {**named, "number": before["number"], "late": before["status"] == OVERDUE}


def answer_due(view: View, moment: Moment, standard: str, version: int, member: str, number: int) -> Result:
    """Note that a dispute was not answered in time."""
    key = dispute_key(standard, version, member)
    dispute: Any = view.get(key)
    if dispute["number"] != number or dispute["status"] != OPEN:
        return {}
    view.put(key, {**dispute, "status": OVERDUE})  # E22
    return {"overdue": [{"standard": standard, "version": version, "member": member, "number": number}]}


# By ballot


def _admit(context: Context, subject: Mapping[str, Any]) -> Rejected | None:
    if not subject:
        return Rejected(INVALID, "args.subject: expected dispute, classify or both")
    dispute = subject.get("dispute", {})
    if "notice_ms" in dispute and dispute["outcome"] != "upheld":
        return Rejected(INVALID, "args.subject.dispute.notice_ms: only a dispute that is upheld ends a standard")
    return None


def _check(view: View, case: Case, subject: Mapping[str, Any]) -> Rejected | None:
    if "dispute" in subject:
        named = subject["dispute"]
        dispute: Any = view.get(dispute_key(named["standard"], named["version"], named["member"]))
        if dispute is None or dispute["status"] not in WAITING:  # E23
            what = f"{named['member']} about {named['standard']} {named['version']}"
            return Rejected("unknown_dispute", f"there is no dispute of {what} that is not settled")
    if "classify" in subject:
        process_type = subject["classify"]["process_type"]
        if view.get(type_key(process_type)) is None:
            return Rejected("unknown_type", f"there is no process type {process_type}; define it first")
        return domains.check_move(view, process_type, subject["classify"]["domain"])
    return None


def _settle(view: View, case: Case, subject: Mapping[str, Any]) -> Result:
    if "dispute" in subject:
        named = subject["dispute"]
        standard, version = named["standard"], named["version"]
        key = dispute_key(standard, version, named["member"])
        dispute: Any = view.get(key)
        view.put(key, {**dispute, "status": named["outcome"], "settled": [case.id, case.height]})
        sunset_ms = case.time_ms + named["notice_ms"] if "notice_ms" in named else 0
        if sunset_ms:
            life.deprecate_by_ballot(view, standard, version, sunset_ms, case.id)  # E18
        shown = ["settled", standard, version, named["member"], dispute["number"], named["outcome"], case.id, sunset_ms]
        deadlines.add(view, NAME, BLOCK_CLOCK, NEXT_BLOCK_MS, shown)
    if "classify" in subject:
        process_type, domain = subject["classify"]["process_type"], subject["classify"]["domain"]
        names = domains.move(view, process_type, domain)
        deadlines.add(view, NAME, BLOCK_CLOCK, NEXT_BLOCK_MS, ["moved", process_type, domain, names])
    return {name: dict(value) for name, value in subject.items()}


# Process types


def _classify(view: View, context: Context, args: Args) -> Result | Rejected:
    process_type, domain = args["process_type"], args["domain"]
    definition: Any = view.get(type_key(process_type))
    if definition is None:
        return Rejected("unknown_type", f"there is no process type {process_type}; define it first")
    if definition["member"] != context.member:  # E9
        return Rejected("not_owner", f"process type {process_type} belongs to {definition['member']}")
    before = domains.entry_of(view, process_type)["domain"]
    if before:
        detail = f"{process_type} counts in the domain {before}; a ballot of settle_dispute can move it"
        return Rejected("classified", detail)
    domains.classify(view, process_type, domain)
    return {"process_type": process_type, "domain": domain}


_domain: Final = Identifier(slash=False)
_type: Final = Identifier(slash=False)
_EXAMPLE: Final = {"standard": "lending-events", "version": 1}

SETTLE_DISPUTE: Final = ProposalKind(
    Record(
        {},
        {
            "dispute": Record({**NAMED, "member": Name(), "outcome": OneOf(*OUTCOMES)}, {"notice_ms": NOTICE}),
            "classify": Record({"process_type": _type, "domain": _domain}),
        },
    ),
    _check,
    _settle,
    {
        "dispute": {**_EXAMPLE, "member": "bank-a", "outcome": "dismissed"},
        "classify": {"process_type": "fines", "domain": "permits"},
    },
    _admit,
)

ACTIONS: Final[dict[str, Action]] = {
    "classify": Action(
        arguments=Arguments({"process_type": _type, "domain": _domain}),
        apply=_classify,
        title="Have an own process type count in a domain, once",
        example={"process_type": "fines", "domain": "permits"},
    ),
    "dispute": Action(
        arguments=Arguments({**NAMED, "ground": OneOf(*GROUNDS), "text": Text(high=4_000)}, {"evidence": EVIDENCE}),
        apply=_dispute,
        title="Dispute a standard that the own member tries or has adopted",
        example={**_EXAMPLE, "ground": "ambiguity", "text": "Is a renewal a loan?", "evidence": ["0a" * 32]},
    ),
    "answer": Action(
        arguments=Arguments({**NAMED, "member": Name(), "text": Text(high=4_000)}),
        apply=_answer,
        title="Answer a dispute about an own standard",
        example={**_EXAMPLE, "member": "bank-a", "text": "It is; version 2 will say so"},
        standing=SUSPENDED,
        pausable=False,
    ),
}
