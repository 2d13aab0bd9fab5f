"""How a ballot was decided, asked of a node as one document that anyone verifies offline.

Law: what is returned was verified as its receiver will; a node that leaves a vote out, or changes one, is found out.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple
from urllib.parse import quote

from coseal.audit.decision import read, verify_decision
from coseal.audit.steps import Trace
from coseal.client.exchange import Exchange, asking_for, document_of, false_answer
from coseal.client.session import Session
from coseal.contracts.governance.state import NAME
from coseal.contracts.supervision.state import NAME as RULES
from coseal.ledger.errors import LedgerError
from coseal.ledger.handover import with_handovers
from coseal.ledger.render import MAX_DOCUMENT_DEPTH
from coseal.ledger.strict_json import strict_json


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
    path = f"{path}/{quote(ballot_id, safe='')}/decision"
    reply = yield from session.ask("GET", path, params={"handovers": "false", **asking_for(floor)})
    if reply.status != 200:
        document_of(reply)
    try:
        shown = read(bare := strict_json(reply.content, "decision", depth=MAX_DOCUMENT_DEPTH))
        yield from session.validators_of(shown.header, shown.certificate)
        document = with_handovers(bare, session.epochs.up_to(shown.header.epoch))
        reason, facts, judged = verify_decision(document, session.genesis, Trace())
    except LedgerError as error:
        raise false_answer(reply.node, f"does not prove the decision on {ballot_id}: {error.reason}") from error
    if (shown.contract, shown.id) != (contract, ballot_id):
        raise false_answer(reply.node, "gave the decision on another ballot")
    session.saw(reply.node, f"the decision on {ballot_id}", judged.header.height, floor)
    return Decision(reason, facts, document)
