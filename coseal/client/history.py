"""All items of one object, asked of a node and proven to be all.

Law: what is returned was verified; a node that leaves an item out is found out.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from coseal.audit.history import ObjectHistory, history_json, record_of, verify_history
from coseal.client.session import Exchange, Session, asking_for, document_of, false_answer
from coseal.errors import CosealError
from coseal.ledger.errors import LedgerError
from coseal.ledger.handover import with_handovers
from coseal.ledger.render import MAX_DOCUMENT_DEPTH
from coseal.ledger.strict_json import strict_json

if TYPE_CHECKING:
    from coseal.client.blocking import Client


def parse_object(name: str) -> tuple[str, str, str]:
    """Return (process type, object type, id) of PROCESSTYPE/OBJECTTYPE/ID; only the id may hold a slash."""
    parts = name.split("/", 2)
    if len(parts) != 3 or not all(parts):
        raise CosealError(f"{name!r}: expected PROCESSTYPE/OBJECTTYPE/ID", "for example traffic-fines/fine/A100")
    return parts[0], parts[1], parts[2]


def object_history(
    client: Client, process_type: str, object_type: str, object_id: str, *, min_height: int = 0
) -> tuple[dict[str, Any], ObjectHistory]:
    """Return the document with all items of an object, and the history in it, verified to be complete.

    The document holds what is proven and nothing else, and verifies offline with ``coseal verify``. Raises ``Refused``
    for an unknown object, ``FalseAnswer`` if no node proves all of it: one leaves something out or proves another
    object.
    """
    return client.run(object_history_of(client.session, process_type, object_type, object_id, min_height))


def object_history_of(
    session: Session, process_type: str, object_type: str, object_id: str, min_height: int = 0
) -> Exchange[tuple[dict[str, Any], ObjectHistory]]:
    """The same as a session."""
    name, floor = (process_type, object_type, object_id), max(min_height, session.height)
    return (yield from session.believed(lambda: _ask(session, name, floor)))


def _ask(session: Session, name: tuple[str, str, str], floor: int) -> Exchange[tuple[dict[str, Any], ObjectHistory]]:
    process_type, object_type, object_id = name
    path = f"/v1/objects/{quote(object_id, safe='')}/events"
    filters = {"process_type": process_type, "type": object_type, "proof": "true", "handovers": "false"}
    filters |= asking_for(floor)
    reply = yield from session.ask("GET", path, params=filters)
    if reply.status != 200:
        document_of(reply)
    try:
        document = strict_json(reply.content, "history", depth=MAX_DOCUMENT_DEPTH)
        record = record_of(document)
        yield from session.validators_of(record.header, record.certificate)
        history = verify_history(document, session.genesis, session.epochs)
    except LedgerError as error:
        raise false_answer(reply.node, f"does not prove all items of {object_id}: {error.reason}") from None
    if (history.process_type, history.object_type, history.object_id) != (process_type, object_type, object_id):
        raise false_answer(reply.node, "gave the history of another object")
    session.saw(reply.node, f"the history of {object_id}", history.height, floor)
    return with_handovers(history_json(history), session.epochs.up_to(record.header.epoch)), history
