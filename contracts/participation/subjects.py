"""What a consultation may be about: something that is proposed, and that its proposer may open for comment.

Law: nobody opens for comment what another proposed.

contracts/participation/README.md, N1 and N2.
"""

from __future__ import annotations

from typing import Any, Final

from coseal.contracts.certification.schemes import ADOPTED
from coseal.contracts.certification.state import scheme_key
from coseal.contracts.governance.state import proposal_key
from coseal.contracts.kernel.action import Context, Rejected, Result, View
from coseal.contracts.kernel.dates import DAY_MS
from coseal.contracts.policy.acts import authority, consulted
from coseal.contracts.policy.instrument import MAX_EVENTS, instrument
from coseal.contracts.standards.records import OVER
from coseal.contracts.standards.state import head_key, standard_key

POLICY: Final = "policy"
STANDARD: Final = "standard"
SCHEME: Final = "scheme"
ABOUT: Final = (POLICY, STANDARD, SCHEME)
LEAST_MS: Final[dict[str, int]] = {POLICY: 30 * DAY_MS, STANDARD: 7 * DAY_MS, SCHEME: 7 * DAY_MS}
"""How long a consultation is open at least, by what it is about."""


def checked(view: View, context: Context, about: str, subject: str) -> Rejected | None:
    """Return why the sender does not open a subject for comment, or None."""
    match about:
        case "policy":
            return _policy(view, context, subject)
        case "standard":
            return _standard(view, context, subject)
        case _:
            return _scheme(view, context, subject)


def _policy(view: View, context: Context, subject: str) -> Rejected | None:
    found = instrument(view, subject)
    if found is None:
        return Rejected("unknown_subject", f"the register has no policy {subject}; publish it with stage proposed")
    if found["origin"] != "live" or found["status"] != "proposed":
        return Rejected("not_proposed", f"{subject} is {found['status']}; comments come before it is passed")
    if authority(view, context) is None or context.member not in found["passed_by"]:
        return _not_proposer(subject, ", ".join(found["passed_by"]))
    if len(found["events"]) >= MAX_EVENTS - 1:  # one stays free for its passing
        return Rejected("limit", f"{subject} has {len(found['events'])} events")
    return None


def _standard(view: View, context: Context, subject: str) -> Rejected | None:
    head: Any = view.get(head_key(subject))
    if head is None:
        return Rejected("unknown_subject", f"there is no standard {subject}")
    record: Any = view.get(standard_key(subject, head["latest"]))
    if record["status"] in OVER:
        return Rejected("not_proposed", f"{subject} {head['latest']} is {record['status']}")
    return None if head["member"] == context.member else _not_proposer(subject, head["member"])


def _scheme(view: View, context: Context, subject: str) -> Rejected | None:
    found: Any = view.get(scheme_key(subject))
    if found is None:
        return Rejected("unknown_subject", f"there is no scheme {subject}")
    if found["status"] != ADOPTED:
        return Rejected("not_proposed", f"{subject} is {found['status']}")
    proposal: Any = view.get(proposal_key(found["ballot"]))
    return None if proposal["proposer"] == context.member else _not_proposer(subject, proposal["proposer"])


def _not_proposer(subject: str, who: str) -> Rejected:
    return Rejected("not_proposer", f"{subject} is opened for comment by who proposed it: {who}")


def opened(view: View, context: Context, about: str, subject: str, name: str) -> Result:
    """Say of a subject that it was opened for comment, as far as its own contract keeps that."""  # N2
    found = instrument(view, subject) if about == POLICY else None
    return {} if found is None else {"event": consulted(view, context, found, name)}
