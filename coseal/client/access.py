"""All accesses to what a member sealed, asked of a node as a list and proven to be all.

Law: what is returned was verified as its receiver will; a node that leaves an access out, or alters one, is found out.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from coseal.audit.access import Access, Shown, access_json, recorded_head, require_whole, verify_access
from coseal.audit.steps import Trace
from coseal.client.exchange import Exchange, false_answer
from coseal.client.pages import Pages
from coseal.client.session import Session
from coseal.contracts.disclosure.lists import LOG
from coseal.contracts.disclosure.state import log_key
from coseal.ledger.errors import LedgerError
from coseal.ledger.handover import with_handovers
from coseal.ledger.proof import CertifiedValue


class ProvenAccesses(NamedTuple):
    """Every step that concerned what a member sealed, in words and as facts, and the document that proves it."""

    reason: str
    facts: Mapping[str, Any]
    entries: Sequence[Access]
    document: dict[str, Any]


def access_history_of(session: Session, owner: str, min_height: int = 0) -> Exchange[ProvenAccesses]:
    """Return the accesses to what a member sealed, verified; see ``Client.access_history``."""
    record = yield from session.state(log_key(owner), max(min_height, session.height))
    try:
        count, head = recorded_head(record)
    except LedgerError as error:
        raise false_answer(session.url, f"proves no log of {owner}: {error.reason}") from None
    entries = yield from session.believed(lambda: _entries(session, owner, record, (count, head)))
    document = access_json(Shown(owner, entries, record))
    document = with_handovers(document, session.epochs.up_to(record.header.epoch))
    reason, facts, _ = verify_access(document, session.genesis, Trace())
    return ProvenAccesses(reason, facts, entries, document)


def _entries(
    session: Session, owner: str, record: CertifiedValue, recorded: tuple[int, bytes]
) -> Exchange[tuple[Access, ...]]:
    """Return the first entries of a log, as many as are recorded, once they lead to its head."""
    pages = Pages(session, LOG.path, LOG.entries, {"owner": owner}, recorded[0])
    found: list[Access] = []
    while not pages.done:
        for row in (yield from pages.more()):
            try:
                found.append(Access(*(row[name] for name in Access._fields)))
            except KeyError as error:
                raise false_answer(session.url, f"gave an entry of the log without {error}") from None
    try:
        require_whole(owner, found, recorded)
    except (LedgerError, TypeError, ValueError, OverflowError) as error:
        where = f"block {record.header.height}"
        raise false_answer(
            session.url, f"does not list all accesses to what {owner} sealed, as of {where}: {error}"
        ) from None
    return tuple(found)
