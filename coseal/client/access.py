"""All accesses to what a member sealed, asked of a node as a list and proven to be all.

Law: what is returned was verified as its receiver will; a node that leaves an access out, or alters one, is found out.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from coseal.audit.access import Access, Shown, access_json, recorded_head, require_whole, verify_access
from coseal.audit.steps import Trace
from coseal.client import pages, reads
from coseal.client.exchange import Exchange, asking_for, document_of, false_answer
from coseal.client.reads import Verifier, require_reached
from coseal.client.session import Session
from coseal.contracts.disclosure.lists import LOG
from coseal.contracts.disclosure.state import log_key
from coseal.ledger.errors import LedgerError
from coseal.ledger.handover import Handover, with_handovers


class ProvenAccesses(NamedTuple):
    """Every step that concerned what a member sealed, in words and as facts, and the document that proves it.

    ``recorded`` is how many steps the certified state says there are, and the head of their list, as of ``height``.
    """

    reason: str
    facts: Mapping[str, Any]
    entries: Sequence[Access]
    document: dict[str, Any]
    recorded: tuple[int, bytes]
    height: int


def access_history_of(session: Session, owner: str, min_height: int = 0) -> Exchange[ProvenAccesses]:
    """Return the accesses to what a member sealed, verified; see ``Client.access_history``."""
    floor, epochs = max(min_height, session.height), session.epochs
    return (yield from session.believed(lambda: asked(session, owner, floor, epochs.up_to)))


def asked(
    verifier: Verifier, owner: str, floor: int, leading: Callable[[int], Iterable[Handover]]
) -> Exchange[ProvenAccesses]:
    """Return the accesses that a node lists, verified; ``leading`` gives what leads to an epoch."""
    record = yield from reads.state(verifier, log_key(owner), floor)
    height = record.header.height
    try:
        recorded = recorded_head(record)
    except LedgerError as error:
        raise false_answer("a node", f"proves no log of {owner}: {error.reason}") from error
    entries = yield from _entries(verifier, owner, recorded, height)
    document = access_json(Shown(owner, entries, record))
    document = with_handovers(document, leading(record.header.epoch))
    reason, facts, _ = verify_access(document, verifier.genesis, Trace())
    return ProvenAccesses(reason, facts, entries, document, recorded, height)


def _entries(verifier: Verifier, owner: str, recorded: tuple[int, bytes], height: int) -> Exchange[tuple[Access, ...]]:
    """Return the first entries of a log, as many as are recorded, once they lead to its head."""
    found: list[Access] = []
    cursor, node = None, ""
    while len(found) < recorded[0]:
        size = min(recorded[0] - len(found), pages.PAGE_ITEMS)
        given = {"owner": owner, "limit": size, **({"cursor": cursor} if cursor else {}), **asking_for(height)}
        reply = yield from verifier.ask("GET", LOG.path, params=given)
        node, document = reply.node, document_of(reply)
        rows, cursor = document.get(LOG.entries), document.get("next")
        if type(rows) is not list or len(rows) > size or not (cursor is None or type(cursor) is str):
            raise false_answer(node, "gave no list of accesses")
        try:
            found += [Access(*(row[name] for name in Access._fields)) for row in rows]
        except (KeyError, TypeError) as error:
            raise false_answer(node, f"gave an entry of the log without {error}") from None
        if type(document.get("height")) is int:
            require_reached(node, "the list of accesses", document["height"], height)
        if not rows or cursor is None:
            break
    try:
        require_whole(owner, found, recorded)
    except (LedgerError, TypeError, ValueError, OverflowError) as error:
        what = f"does not list all accesses to what {owner} sealed, as of block {height}: {error}"
        raise false_answer(node, what) from (error if isinstance(error, LedgerError) else None)
    return tuple(found)
