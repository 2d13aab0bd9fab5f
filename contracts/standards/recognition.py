"""Recognition: government says of what is de facto that it recommends it, or refers to it.

Law: recognition follows use, or a ballot of the members; it never changes what anybody adopted, nor what is computed.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from coseal.contracts.kernel.action import Action, Args, Arguments, Context, Reader, Rejected, Result, View
from coseal.contracts.kernel.fields import Identifier, OneOf, Record, Text
from coseal.contracts.kernel.proposals import Case, ProposalKind
from coseal.contracts.membership.state import member_key
from coseal.contracts.policy.instrument import instrument
from coseal.contracts.standards.records import DE_FACTO, NAMED, OVER, found, in_force
from coseal.contracts.standards.state import standard_key

LEVELS: Final = ("recommended", "reference")


def _recognise(view: View, context: Context, args: Args) -> Result | Rejected:
    member: Any = view.get(member_key(context.member))
    if context.role != "government" and not member["central_bank"]:  # E19
        detail = "a government member or the central bank recognises a standard"
        return Rejected("forbidden", detail)
    record = in_force(view, args)
    if isinstance(record, Rejected):
        return record
    if "recognition" in record:
        return Rejected("already_recognised", f"{record['recognition']['member']} has recognised it")
    if not may_be(record):
        detail = f"{args['standard']} {args['version']} is {record['status']}; propose recognise_standard, or wait"
        return Rejected("not_de_facto", detail)
    if instrument(view, args["instrument"]) is None:
        return Rejected("unknown_policy", f"{args['instrument']} is not in the register; publish or record it")
    recognition = {"member": context.member, "level": args["level"], "instrument": args["instrument"]}
    recognition |= {"height": context.height, "time_ms": context.time_ms}
    view.put(standard_key(args["standard"], args["version"]), {**record, "recognition": recognition})
    return {**args, "status": record["status"], "member": context.member}


def may_be(record: Mapping[str, Any]) -> bool:
    """Say whether a version that is in force may be recognised."""
    return record["status"] == DE_FACTO or (record["status"] not in OVER and "approved" in record)


def _withdraw(view: View, context: Context, args: Args) -> Result | Rejected:
    record = found(view, args)
    if isinstance(record, Rejected):
        return record
    recognition = record.get("recognition")
    if recognition is None or recognition["member"] != context.member:  # E20
        return Rejected("not_recognised", f"{context.member} has not recognised {args['standard']} {args['version']}")
    left = {name: value for name, value in record.items() if name not in ("recognition", "approved")}
    view.put(standard_key(args["standard"], args["version"]), left)
    return {"standard": args["standard"], "version": args["version"], "status": record["status"]}


def _check(view: View, case: Case, subject: Mapping[str, Any]) -> Rejected | None:
    record = in_force(view, subject)
    if isinstance(record, Rejected):
        return record
    if "recognition" in record or "approved" in record:
        return Rejected("already_recognised", f"{subject['standard']} {subject['version']} may be recognised already")
    return None


def _approve(view: View, case: Case, subject: Mapping[str, Any]) -> Result:
    key = standard_key(subject["standard"], subject["version"])
    record: Any = view.get(key)
    view.put(key, {**record, "approved": case.id})
    return {"standard": subject["standard"], "version": subject["version"]}


def _note(reader: Reader, subject: Mapping[str, Any]) -> Result:
    """Show voters what is computed."""
    record = found(reader, subject)
    return {} if isinstance(record, Rejected) else {"standard": {"status": record["status"]}}


_EXAMPLE: Final = {"standard": "lending-events", "version": 1}

RECOGNISE_STANDARD: Final = ProposalKind(Record(NAMED), _check, _approve, _EXAMPLE, note=_note)

ACTIONS: Final[dict[str, Action]] = {
    "recognise": Action(
        arguments=Arguments({**NAMED, "level": OneOf(*LEVELS), "instrument": Identifier()}),
        apply=_recognise,
        title="Recognise a standard that is de facto, or that a ballot approved",
        example={**_EXAMPLE, "level": "recommended", "instrument": "cn/2017/8"},
        capability="operate",
    ),
    "withdraw_recognition": Action(
        arguments=Arguments({**NAMED, "reason": Text(high=1_000)}),
        apply=_withdraw,
        title="Withdraw the own recognition of a standard",
        example={**_EXAMPLE, "reason": "The instrument was repealed"},
        capability="operate",
    ),
}
