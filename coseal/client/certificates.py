"""A certificate of a project, asked of a node as one document that anyone verifies offline.

Law: what is returned was verified as its receiver will; a node that leaves a review out, or changes one, is found out.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, NamedTuple
from urllib.parse import quote

from coseal.audit.certificate import Shown, read, verify_certificate
from coseal.client.documents import Kind, Wanted, proven
from coseal.client.exchange import Exchange
from coseal.client.session import Session

_KIND: Final = Kind("certificate", read, verify_certificate)


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
    path, what = f"/v1/certificates/{quote(name, safe='')}", f"certificate {name}"
    wanted = Wanted[Shown](path, {}, what, lambda shown: shown.name == name, "gave another certificate")
    found = yield from proven(session, _KIND, wanted, floor, session.epochs.up_to)
    return ProvenCertificate(found.reason, found.facts, found.document)
