"""The policy of disclosure: terms of steps, who approves an opening, the quota of members; by ballot, with defaults.

contracts/disclosure/README.md, V2 and V26.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from coseal.contracts.disclosure.state import NAME, POLICY_KEY, barred_key
from coseal.contracts.kernel import deadlines
from coseal.contracts.kernel.action import Reader, Rejected, Result, View
from coseal.contracts.kernel.dates import DAY_MS
from coseal.contracts.kernel.deadlines import BLOCK_CLOCK
from coseal.contracts.kernel.fields import Integer, Many, Name, Record
from coseal.contracts.kernel.proposals import Case, ProposalKind

ACCEPT: Final = "accept"
"""The step, and the kind of due thing, of the seats of a vault that was dealt."""
OBJECT: Final = "object"
APPROVE: Final = "approve"
RELEASE: Final = "release"
OPEN: Final = "open"
"""The steps of a request for an opening: the owner may object, others approve, seats release, the requester opens."""
REVIEW: Final = "review"
"""The step, and the kind of due thing, of those who judge an emergency request afterwards."""
TERMS: Final[Mapping[str, int]] = {
    ACCEPT: 10 * DAY_MS,
    OBJECT: 2 * DAY_MS,
    APPROVE: 10 * DAY_MS,
    RELEASE: 5 * DAY_MS,
    OPEN: 10 * DAY_MS,
    REVIEW: 15 * DAY_MS,
}
"""Step -> ms within which it is due, unless a ballot decided otherwise."""
FINDING: Final = "finding"
ORDER: Final = "order"
OWN: Final = "own"
BASES: Final = (FINDING, ORDER, OWN)
"""On what a request for an opening rests: an open finding, an order of an authority, or that the data is one's own."""
SUPERVISORS: Final = "supervisors"
OTHERS: Final = "others"
APPROVALS: Final[Mapping[str, Mapping[str, int]]] = {
    FINDING: {SUPERVISORS: 1, OTHERS: 1},
    ORDER: {SUPERVISORS: 1, OTHERS: 1},
    OWN: {SUPERVISORS: 0, OTHERS: 1},
}
"""Basis -> how many other supervisors, and how many members of other roles, approve; unless a ballot decided."""
QUOTA_BYTES: Final = 10 * 1024**3
"""Live bytes of a member, unless a ballot decided otherwise."""
QUOTA_BYTES_MAX: Final = 2**50
DECIDED: Final = "policy"
"""The kind of due thing that says what a ballot decided."""
_TERM: Final = Integer(1_000, 366 * DAY_MS)
READMIT_MAX: Final = 16
"""Members that one ballot allows emergency requests again."""
_APPROVALS: Final = Record({SUPERVISORS: Integer(0, 3), OTHERS: Integer(1, 5)})


def policy_of(reader: Reader) -> dict[str, Any]:
    """Return the policy in force: ``{terms: {step: ms}, quota_bytes, approvals: {basis: {supervisors, others}}}``."""
    decided: Any = reader.get(POLICY_KEY) or {}
    return {
        "terms": {**TERMS, **decided.get("terms", {})},
        "quota_bytes": decided.get("quota_bytes", QUOTA_BYTES),
        "approvals": {**APPROVALS, **decided.get("approvals", {})},
    }


def term_ms(reader: Reader, step: str) -> int:
    """Return the ms within which a step is due if it begins now."""
    return int(policy_of(reader)["terms"][step])


def _changed(policy: Mapping[str, Any], subject: Mapping[str, Any]) -> dict[str, Any]:
    """Return the policy after a ballot: what it does not name stays."""
    terms = {**policy["terms"], **subject["terms"]}
    approvals = {**policy["approvals"], **subject.get("approvals", {})}
    return {"terms": terms, "quota_bytes": subject["quota_bytes"], "approvals": approvals}


def _check(view: View, case: Case, subject: Mapping[str, Any]) -> Rejected | None:
    policy = policy_of(view)
    readmitted = subject.get("readmit", ())
    for member in readmitted:
        if view.get(barred_key(member)) is None:  # V26
            return Rejected("exists", f"{member} may make emergency requests")
    same = _changed(policy, subject) == policy and not readmitted
    return Rejected("exists", "this policy is in force") if same else None  # V2


def _enact(view: View, case: Case, subject: Mapping[str, Any]) -> Result:
    policy = _changed(policy_of(view), subject)
    for member in subject.get("readmit", ()):
        view.delete(barred_key(member))  # V26
    view.put(POLICY_KEY, {**policy, "ballot": case.id, "height": case.height})
    deadlines.add(view, NAME, BLOCK_CLOCK, case.time_ms, [DECIDED])
    return policy


def decided(view: View) -> Result:
    """Say in a block's first receipt which policy is in force."""
    found: Any = view.get(POLICY_KEY)
    return {"policies": [found]}


POLICY: Final[ProposalKind] = ProposalKind(
    Record(
        {"terms": Record({}, dict.fromkeys(TERMS, _TERM)), "quota_bytes": Integer(0, QUOTA_BYTES_MAX)},
        {
            "approvals": Record({}, dict.fromkeys(BASES, _APPROVALS)),
            "readmit": Many(Name(), low=1, high=READMIT_MAX, unique=True),
        },
    ),
    _check,
    _enact,
    {"terms": {ACCEPT: 5 * DAY_MS}, "quota_bytes": QUOTA_BYTES},
)
