"""The policy of disclosure: terms of steps and the quota of members, by ballot, with defaults.

contracts/disclosure/README.md, V2.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from coseal.contracts.disclosure.state import NAME, POLICY_KEY
from coseal.contracts.kernel import deadlines
from coseal.contracts.kernel.action import Reader, Rejected, Result, View
from coseal.contracts.kernel.dates import DAY_MS
from coseal.contracts.kernel.deadlines import BLOCK_CLOCK
from coseal.contracts.kernel.fields import Integer, Record
from coseal.contracts.kernel.proposals import Case, ProposalKind

ACCEPT: Final = "accept"
"""The step, and the kind of due thing, of the seats of a vault that was dealt."""
TERMS: Final[Mapping[str, int]] = {ACCEPT: 10 * DAY_MS}
"""Step -> ms within which it is due, unless a ballot decided otherwise."""
QUOTA_BYTES: Final = 10 * 1024**3
"""Live bytes of a member, unless a ballot decided otherwise."""
QUOTA_BYTES_MAX: Final = 2**50
DECIDED: Final = "policy"
"""The kind of due thing that says what a ballot decided."""
_TERM: Final = Integer(1_000, 366 * DAY_MS)


def policy_of(reader: Reader) -> dict[str, Any]:
    """Return the policy in force: ``{terms: {step: ms}, quota_bytes}``."""
    decided: Any = reader.get(POLICY_KEY) or {}
    return {"terms": {**TERMS, **decided.get("terms", {})}, "quota_bytes": decided.get("quota_bytes", QUOTA_BYTES)}


def term_ms(reader: Reader, step: str) -> int:
    """Return the ms within which a step is due if it begins now."""
    return int(policy_of(reader)["terms"][step])


def _check(view: View, case: Case, subject: Mapping[str, Any]) -> Rejected | None:
    policy = policy_of(view)
    changed = {"terms": {**policy["terms"], **subject["terms"]}, "quota_bytes": subject["quota_bytes"]}
    return Rejected("exists", "these terms and this quota are in force") if changed == policy else None  # V2


def _enact(view: View, case: Case, subject: Mapping[str, Any]) -> Result:
    terms = {**policy_of(view)["terms"], **subject["terms"]}
    policy = {"terms": terms, "quota_bytes": subject["quota_bytes"]}
    view.put(POLICY_KEY, {**policy, "ballot": case.id, "height": case.height})
    deadlines.add(view, NAME, BLOCK_CLOCK, case.time_ms, [DECIDED])
    return policy


def decided(view: View) -> Result:
    """Say in a block's first receipt which policy is in force."""
    found: Any = view.get(POLICY_KEY)
    return {"policies": [found]}


POLICY: Final[ProposalKind] = ProposalKind(
    Record({"terms": Record({}, dict.fromkeys(TERMS, _TERM)), "quota_bytes": Integer(0, QUOTA_BYTES_MAX)}),
    _check,
    _enact,
    {"terms": {ACCEPT: 5 * DAY_MS}, "quota_bytes": QUOTA_BYTES},
)
