"""How a ballot was decided, asked of a node as one document that anyone verifies offline.

Law: what is returned was verified as its receiver will; a node that leaves a vote out, or changes one, is found out.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, NamedTuple
from urllib.parse import quote

from coseal.audit.decision import Shown, read, verify_decision
from coseal.client.documents import Kind, Wanted, proven
from coseal.client.exchange import Exchange
from coseal.client.session import Session
from coseal.contracts.governance.state import NAME
from coseal.contracts.supervision.state import NAME as RULES

_KIND: Final = Kind("decision", read, verify_decision)


class Decision(NamedTuple):
    """How a ballot was decided: in words, as facts, and the document that proves it."""

    reason: str
    facts: Mapping[str, Any]
    document: dict[str, Any]


def decision_of(session: Session, ballot_id: str, min_height: int = 0) -> Exchange[Decision]:
    """Return how a ballot was decided, verified; see ``Client.decision``."""
    floor = max(min_height, session.height)
    return (yield from session.believed(lambda: _asked(session, ballot_id, floor)))


def _asked(session: Session, ballot_id: str, floor: int) -> Exchange[Decision]:
    contract, path = (RULES, "/v1/ballots") if ballot_id[:1].isupper() else (NAME, "/v1/governance/proposals")
    wanted = Wanted[Shown](
        f"{path}/{quote(ballot_id, safe='')}/decision",
        {},
        f"the decision on {ballot_id}",
        lambda shown: (shown.contract, shown.id) == (contract, ballot_id),
        "gave the decision on another ballot",
    )
    found = yield from proven(session, _KIND, wanted, floor, session.epochs.up_to)
    return Decision(found.reason, found.facts, found.document)
