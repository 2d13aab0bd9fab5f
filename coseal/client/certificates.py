"""A certificate of a project, asked of a node as one document that anyone verifies offline.

Law: what is returned was verified as its receiver will; a node that leaves a review out, or changes one, is found out.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple
from urllib.parse import quote

from coseal.audit.certificate import read, verify_certificate
from coseal.audit.steps import Trace
from coseal.client.exchange import Exchange, asking_for, document_of, false_answer
from coseal.client.session import Session
from coseal.ledger.errors import LedgerError
from coseal.ledger.handover import with_handovers
from coseal.ledger.render import MAX_DOCUMENT_DEPTH
from coseal.ledger.strict_json import strict_json


class ProvenCertificate(NamedTuple):
    """A certificate in force: in words, as facts, and the document that proves it."""

    reason: str
    facts: Mapping[str, Any]
    document: dict[str, Any]


def certificate_of(session: Session, name: str, min_height: int = 0) -> Exchange[ProvenCertificate]:
    """Return a certificate in force, verified; see ``Client.certificate``."""
    floor = max(min_height, session.height)
    return (yield from session.believed(lambda: _asked(session, name, floor)))


def _asked(session: Session, name: str, floor: int) -> Exchange[ProvenCertificate]:
    params = {"handovers": "false", **asking_for(floor)}
    reply = yield from session.ask("GET", f"/v1/certificates/{quote(name, safe='')}", params=params)
    if reply.status != 200:
        document_of(reply)
    try:
        shown = read(bare := strict_json(reply.content, "certificate", depth=MAX_DOCUMENT_DEPTH))
        yield from session.validators_of(shown.header, shown.certificate)
        document = with_handovers(bare, session.epochs.up_to(shown.header.epoch))
        reason, facts, judged = verify_certificate(document, session.genesis, Trace())
    except LedgerError as error:
        raise false_answer(reply.node, f"does not prove certificate {name}: {error.reason}") from error
    if shown.name != name:
        raise false_answer(reply.node, "gave another certificate")
    session.saw(reply.node, f"certificate {name}", judged.header.height, floor)
    return ProvenCertificate(reason, facts, document)
