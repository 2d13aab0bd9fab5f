"""How requests for openings become rows: the request with its status, and each step with its reason.

Law: the rows follow from receipts and arguments.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, TypeAlias

from coseal.contracts.disclosure.log import LOG
from coseal.contracts.disclosure.policy import REVIEW
from coseal.contracts.disclosure.requests import OVERDUE
from coseal.contracts.disclosure.reviewing import EMERGENCY, WAITING
from coseal.contracts.disclosure.tables import DISCLOSURE_REQUESTS, DISCLOSURE_STEPS
from coseal.contracts.kernel.rows.buffer import Rows
from coseal.contracts.kernel.rows.place import Act
from coseal.ledger.transaction import Transaction

Given: TypeAlias = Mapping[str, Any]
REQUESTS: Final = ("request", EMERGENCY)
ACTS: Final = (
    *REQUESTS,
    *("object", "answer", "approve", "refuse", "release", "decline", "opened", REVIEW),
)


def put(rows: Rows, tx: Transaction, data: Given, act: Act) -> None:
    """Put what an action did to a request."""
    if tx.action in REQUESTS:
        row = {name: tx.args[name] for name in ("request", "basis", "reference", "owner", "vault", "expires_ms")}
        row |= {"requester": data["by"], "status": data["status"]}
        row |= {"object_ms": data["object_ms"], "due_ms": data["due_ms"]}
        row |= {"review": WAITING if tx.action == EMERGENCY else "", "review_ms": data.get("review_ms", 0)}
        more = {name: tx.args[name] for name in ("scope", "purpose", "legal_basis", "key")}
        rows.of(DISCLOSURE_REQUESTS).put({**row, **act.place, "document": more})
    else:
        _mark(rows, data)
    reason = tx.args.get("text", tx.args.get("reason", tx.args.get("purpose", "")))
    for entry in data[LOG]:
        _step(rows, entry, act, data["by"], data["request"], act.member, reason)


def put_due(rows: Rows, data: Given, act: Act) -> None:
    """Put what was not done in time, and the ends of requests."""
    late = [(one["by"], one["request"], one["member"]) for one in data.get("late", ())]
    overdue = [entry for entry in data.get(LOG, ()) if entry[2] == OVERDUE]
    for entry, (by, request, member) in zip(overdue, late, strict=True):
        _step(rows, entry, act, by, request, member, "")
    for said in data.get("ended", ()):
        _mark(rows, said)


def _step(rows: Rows, entry: list[Any], act: Act, by: str, request: str, member: str, reason: str) -> None:
    owner, number, step, _, _ = entry
    row = {"owner": owner, "number": number, "requester": by, "request": request, "step": step}
    rows.of(DISCLOSURE_STEPS).put({**row, "member": member, "reason": reason, **act.place})


def _mark(rows: Rows, said: Given) -> None:
    row = rows.of(DISCLOSURE_REQUESTS).find(said["by"], said["request"])
    if row is not None:
        now = {name: said[name] for name in ("status", "due_ms", "review") if name in said}
        rows.of(DISCLOSURE_REQUESTS).put({**row, **now})
