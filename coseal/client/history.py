"""All items of one object, asked of a node and proven to be all.

Law: what is returned was verified; a node that leaves an item out is found out.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from coseal.audit.history import ObjectHistory, history_json
from coseal.client import reads
from coseal.client.exchange import Exchange
from coseal.client.session import Session
from coseal.errors import CosealError
from coseal.ledger.handover import with_handovers

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
    """The same as an exchange."""
    place, floor = (process_type, object_type, object_id), max(min_height, session.height)
    history, _ = yield from session.believed(lambda: reads.history(session, place, floor))
    return with_handovers(history_json(history), session.epochs.up_to(history.record.header.epoch)), history
