"""A supervisor requests an opening, or an owner that of its own data; the owner objects, and is answered.

Law: a request names cells of live sidecars, its purpose and its legal basis, before anything is released.

contracts/disclosure/README.md, V15 to V17.
"""

from __future__ import annotations

from typing import Any, Final

from coseal.contracts.disclosure import requests
from coseal.contracts.disclosure.log import LOG
from coseal.contracts.disclosure.policy import APPROVE, BASES, OBJECT, ORDER, OWN, policy_of
from coseal.contracts.disclosure.requests import (
    ASKED,
    EXPIRE,
    WHICH,
    Request,
    found_request,
    logged,
    request_of,
    said,
)
from coseal.contracts.disclosure.state import sidecar_key
from coseal.contracts.disclosure.vaults import Vault, found
from coseal.contracts.kernel.action import Action, Args, Arguments, Context, Reader, Rejected, Result, View
from coseal.contracts.kernel.budget import ENTRY_STEPS, ITEM_STEPS
from coseal.contracts.kernel.dates import DAY_MS
from coseal.contracts.kernel.fields import Hexadecimal, Integer, Many, Name, OneOf, Record, Text
from coseal.contracts.supervision.findings import finding
from coseal.ledger.custody import RELEASED_MAX
from coseal.ledger.sealed import SEALING_KEY_BYTES

REQUEST_MS_MAX: Final = 30 * DAY_MS
SCOPE_MAX: Final = 64
"""Sidecars of one request."""
LABELS_MAX: Final = 16
_SIDECAR_STEPS: Final = ITEM_STEPS
"""What each sidecar of a scope counts for: it is read, compared, and names the request then."""
_CLOSED: Final = frozenset(("closed", "notified", "superseded"))


def asked(view: View, context: Context, args: Args) -> Request | Rejected:
    """Return the request of these arguments, which the sidecars of its scope name, or why it cannot be."""
    vault = found(view, args["owner"], args["vault"])
    if isinstance(vault, Rejected):
        return vault
    if request_of(view, context.member, args["request"]) is not None:
        return Rejected("exists", f"{context.member} has a request {args['request']}; choose another id")
    if not context.time_ms < args["expires_ms"] <= context.time_ms + REQUEST_MS_MAX:  # V15
        return Rejected("wrong_end", f"a request ends after this block, within {REQUEST_MS_MAX // DAY_MS} days")
    refusal = _unfounded(view, context, args) or _outside(view, context, vault, args)
    if refusal is not None:
        return refusal
    view.charge(
        sum(_SIDECAR_STEPS + ENTRY_STEPS * (len(one["sequences"]) + len(one["labels"])) for one in args["scope"])
    )
    request = Request(
        by=context.member,
        id=args["request"],
        sender=context.sender,
        basis=args["basis"],
        reference=args["reference"],
        owner=vault.owner,
        vault=vault.id,
        scope=[[one["number"], list(one["sequences"]), list(one["labels"])] for one in args["scope"]],
        key=bytes.fromhex(args["key"]),
        status=ASKED,
        height=context.height,
        object_ms=context.time_ms,
        due_ms=0,
        expires_ms=args["expires_ms"],
        objected=False,
        answered=False,
        answers=[],
        released=[],
        declined=[],
    )
    refusal = requests.register(view, request)
    if refusal is not None:
        return refusal
    requests.until(view, request, EXPIRE, request.expires_ms)
    return request


def _request(view: View, context: Context, args: Args) -> Result | Rejected:
    request = asked(view, context, args)
    if isinstance(request, Rejected):
        return request
    terms = policy_of(view)["terms"]
    request.object_ms += 0 if request.basis == OWN else terms[OBJECT]  # V17
    requests.until(view, request, APPROVE, request.object_ms + terms[APPROVE])
    requests.write(view, request)
    entry = logged(view, context.height, request, "requested", request.basis)
    return {**said(request), "object_ms": request.object_ms, LOG: [entry]}


def _unfounded(reader: Reader, context: Context, args: Args) -> Rejected | None:
    """Refuse a request whose sender has no right to it on the basis that it names."""
    basis, own = args["basis"], args["owner"] == context.member
    if basis == OWN:
        if own and "operate" in context.capabilities:
            return None
        return Rejected("forbidden", "an owner requests its own data, by an operator that may operate")  # V15
    if "supervise" not in context.capabilities:
        return Rejected("forbidden", f"who supervises requests by {basis}; {context.sender} does not")  # V15
    if own:
        return Rejected("conflict", f"{context.member} is the owner; request it as {OWN}")
    if basis == ORDER:
        return None
    record = finding(reader, args["reference"])
    if record is None or record["status"] in _CLOSED or record["supervisor"] != context.member:  # V15
        return Rejected("wrong_basis", f"{args['reference']} is no open finding that {context.member} handles")
    return None


def _outside(reader: Reader, context: Context, vault: Vault, args: Args) -> Rejected | None:
    """Refuse a scope that is too large, or not of live sidecars of the vault."""
    scope = args["scope"]
    cells = sum(len(one["sequences"]) * len(one["labels"]) for one in scope)
    if cells > RELEASED_MAX:  # V16
        return Rejected("wrong_scope", f"{cells} cells, at most {RELEASED_MAX} of one request")
    numbers = [one["number"] for one in scope]
    if len(set(numbers)) != len(numbers):
        return Rejected("wrong_scope", "a sidecar is named once")
    for one in scope:
        number = one["number"]
        record: Any = reader.get(sidecar_key(vault.owner, vault.id, number))
        if record is None and number > vault.sealed:
            return Rejected("wrong_scope", f"{vault.owner}/{vault.id} has {vault.sealed} sidecars, not {number}")
        if record is None or record["erase_ms"] <= context.time_ms:  # V16
            return Rejected("erased", f"the sidecar {number} is erased, or its retention ended")
        if min(one["sequences"]) < record["first"] or max(one["sequences"]) > record["last"]:  # V16
            detail = f"the sidecar {number} has cells of the items {record['first']} to {record['last']}"
            return Rejected("wrong_scope", detail)
    return None


def _object(view: View, context: Context, args: Args) -> Result | Rejected:
    request = found_request(view, args)
    if isinstance(request, Rejected):
        return request
    if request.owner != context.member:  # V17
        return Rejected("forbidden", f"{request.owner} objects, for it is the owner")
    if request.status != ASKED or request.objected:
        return Rejected("wrong_step", f"the request is {request.status}, and objected to at most once")
    if context.time_ms >= request.object_ms:  # V17
        return Rejected("too_late", "the term to object ended")
    request.objected = True
    requests.write(view, request)
    return {**said(request), LOG: [logged(view, context.height, request, "objected")]}


def _answer(view: View, context: Context, args: Args) -> Result | Rejected:
    request = found_request(view, {**args, "by": context.member})
    if isinstance(request, Rejected):
        return request
    if request.status != ASKED or not request.objected or request.answered:  # V17
        return Rejected("wrong_step", f"the request is {request.status}; an objection is answered once")
    request.answered = True
    requests.write(view, request)
    return {**said(request), LOG: [logged(view, context.height, request, "answered")]}


REASON: Final = Text(high=1_000)
FIELDS: Final = {
    "request": Name(),
    "basis": OneOf(*BASES),
    "reference": Text(high=256),
    "owner": Name(),
    "vault": Name(),
    "scope": Many(
        Record(
            {
                "number": Integer(1),
                "sequences": Many(Integer(1), low=1, high=RELEASED_MAX, unique=True),
                "labels": Many(Name(), low=1, high=LABELS_MAX, unique=True),
            }
        ),
        low=1,
        high=SCOPE_MAX,
    ),
    "purpose": REASON,
    "legal_basis": REASON,
    "key": Hexadecimal(SEALING_KEY_BYTES),
    "expires_ms": Integer(1),
}
"""What a request says."""
ACTIONS: Final[dict[str, Action]] = {
    "request": Action(
        arguments=Arguments(FIELDS),
        apply=_request,
        title="Request an opening of sealed cells",
        example={
            "request": "r1",
            "basis": ORDER,
            "reference": "Order 12 of 2026",
            "owner": "bank-a",
            "vault": "loans",
            "scope": [{"number": 1, "sequences": [1], "labels": ["price"]}],
            "purpose": "Compare the rates with the cap",
            "legal_basis": "Article 38",
            "key": "5c" * SEALING_KEY_BYTES,
            "expires_ms": 1_800_000_000_000,
        },
        capability="",
    ),
    "object": Action(
        arguments=Arguments({**WHICH, "reason": REASON}),
        apply=_object,
        title="Object to a request for an opening of the own data",
        example={"by": "regulator", "request": "r1", "reason": "Ten loans would be enough"},
        capability="operate",
    ),
    "answer": Action(
        arguments=Arguments({"request": Name(), "reason": REASON}),
        apply=_answer,
        title="Answer the objection to a request of the own member",
        example={"request": "r1", "reason": "The finding is about all of them"},
        capability="supervise",
    ),
}
