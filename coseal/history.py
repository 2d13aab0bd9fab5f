"""All items of one object, proven to be all: what a node says, checked against the certified record of the object.

Law: a history is returned only if its items hash to the head, and are as many, as the certified state says.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import quote

from contracts.process_chain import object_key, verify_object_history
from coseal.client import Client
from coseal.errors import BadAnswer, CosealError
from ledger import codec
from ledger.errors import LedgerError
from ledger.proof import CertifiedValue
from ledger.render import plain, state_proof_json

_PAGE: Final = 1_000


@dataclass(frozen=True, slots=True)
class History:
    """Every item of an object in ledger order, each (source, sequence, item), with the proof of its record."""

    process_type: str
    object_type: str
    object_id: str
    items: tuple[tuple[str, int, dict[str, Any]], ...]
    certified: CertifiedValue

    def to_json(self) -> dict[str, Any]:
        """Return the history and its state proof as one JSON document."""
        return {
            "height": self.certified.header.height,
            "process_type": self.process_type,
            "object_type": self.object_type,
            "id": self.object_id,
            "complete": True,
            "items": [{"source": s, "sequence": n, "item": plain(item)} for s, n, item in self.items],
            "proof": state_proof_json(self.certified),
        }


def parse_object(name: str) -> tuple[str, str, str]:
    """Return (process type, object type, id) of PROCESSTYPE/OBJECTTYPE/ID; only the id may hold a slash."""
    parts = name.split("/", 2)
    if len(parts) != 3 or not all(parts):
        raise CosealError(f"{name!r}: expected PROCESSTYPE/OBJECTTYPE/ID", "for example traffic-fines/fine/A100")
    return parts[0], parts[1], parts[2]


def check_history(
    process_type: str,
    object_type: str,
    object_id: str,
    items: list[tuple[str, int, dict[str, Any]]],
    certified: CertifiedValue,
) -> History:
    """Return the history if ``items`` are all of the object and only those; else raise ``BadAnswer``.

    ``certified`` is verified already; its key must be the object's.
    """
    if certified.key != object_key(process_type, object_type, object_id).encode():
        raise BadAnswer("the proof is of another object")
    record = None if certified.value is None else codec.decode(certified.value)
    try:
        verify_object_history(items, record, name=(object_type, object_id))
    except LedgerError as error:
        raise BadAnswer(f"these are not all items of {object_type} {object_id}: {error.reason}") from None
    return History(process_type, object_type, object_id, tuple(items), certified)


def object_history(client: Client, process_type: str, object_type: str, object_id: str) -> History:
    """Ask a node for all items of an object and return them, verified to be all.

    Raises ``CosealError`` if the certified state knows no such object, ``BadAnswer`` if the node leaves something out.
    """
    path = f"/v1/objects/{quote(object_id, safe='')}/events"
    items: list[tuple[str, int, dict[str, Any]]] = []
    cursor: str | None = None
    while True:
        page = client.get(path, process_type=process_type, object_type=object_type, limit=_PAGE, cursor=cursor)
        items += [_row(row) for row in page.get("items", [])]
        cursor = page.get("next")
        if cursor is None:
            break
    certified = client.state(object_key(process_type, object_type, object_id))
    if certified.value is None:
        raise CosealError(f"no {object_type} {object_id} in {process_type}, as of height {certified.header.height}")
    return check_history(process_type, object_type, object_id, items, certified)


def _row(row: Any) -> tuple[str, int, dict[str, Any]]:
    try:
        return str(row["source"]), int(row["sequence"]), dict(row["item"])
    except (KeyError, TypeError, ValueError):
        raise BadAnswer("the node's list of items makes no sense") from None
