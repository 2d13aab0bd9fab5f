"""The history of one object as a document: all its items, and the proof from the certified state that they are all.

Law: a history is returned only if its items hash to the head, and are as many, as the certified record of the object
says, so whoever made the document could leave nothing out; and only if the document shows nothing else as if it were
proven too. Source: contracts/process/README.md, section Hashes.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from coseal.audit.epochs import Epochs
from coseal.contracts.kernel.rows.place import BEGIN
from coseal.contracts.process.chain import item_hash, verify_object_history
from coseal.contracts.process.state import object_key
from coseal.ledger import codec
from coseal.ledger.errors import Malformed
from coseal.ledger.genesis import Genesis
from coseal.ledger.handover import split_handovers
from coseal.ledger.proof import CertifiedValue
from coseal.ledger.render import state_proof_from_json, state_proof_json
from coseal.ledger.signing import HASH_BYTES
from coseal.ledger.validators import ValidatorSet

MAX_ITEMS: Final = 1_000_000
UNPROVEN: Final = "unproven"
"""The field of an item that says where a node found it: ``height``, ``index`` and ``tx``; only the receipt of ``tx``
proves that. What fell due at the start of a block has the index -1 and no ``tx``."""
_FIELDS: Final = frozenset(
    {"coseal", "version", "height", "process_type", "type", "id", "count", "items", "record"},
)
_ITEM_FIELDS: Final = frozenset({"source", "sequence", "hash", "item", UNPROVEN})
_PLACE_FIELDS: Final = frozenset({"height", "index", "tx"})


@dataclass(frozen=True, slots=True)
class ObjectHistory:
    """Every item of an object in ledger order, each (source, sequence, item), and the certified record of it.

    ``claimed`` is the block and index in which a node says that each item was recorded, None where it says nothing:
    no part of what is proven.
    """

    process_type: str
    object_type: str
    object_id: str
    items: tuple[tuple[str, int, dict[str, Any]], ...]
    record: CertifiedValue
    claimed: tuple[tuple[int, int] | None, ...] = ()

    @property
    def height(self) -> int:
        """The height of the block as of which these items are all."""
        return self.record.header.height

    @property
    def time_ms(self) -> int:
        """The time of that block."""
        return self.record.header.time_ms


def verify_history(
    document: Any, genesis: Genesis, epochs: Epochs | None = None, *, validators: ValidatorSet | None = None
) -> ObjectHistory:
    """Read and verify an ``object-history`` document; raise a ``LedgerError`` saying what does not hold.

    ``epochs`` are known beside those that the document's own handovers lead to; ``validators``, if given, are those of
    its epoch.
    """
    rest, handovers = split_handovers(document)
    known = Epochs(genesis) if epochs is None else epochs
    known.take_all(handovers)
    fields = _fields(rest)
    process_type, object_type, object_id = (
        codec.text(fields.get(name), f"object-history.{name}", limit=128) for name in ("process_type", "type", "id")
    )
    record = state_proof_from_json(fields.get("record"))
    record.verify(genesis.chain_id, validators or known.of(record.header, record.certificate))
    if record.key != object_key(process_type, object_type, object_id).encode():
        raise Malformed("the record is of another object")
    rows = codec.sequence(fields.get("items"), "items", limit=MAX_ITEMS)
    items, claimed = tuple(map(_item, rows)), tuple(map(_claimed, rows))
    for name, found in (("count", len(items)), ("height", record.header.height)):
        if name in fields and (type(fields[name]) is not int or fields[name] != found):
            raise Malformed(f"{name} is not {found}")
    value = None if record.value is None else codec.decode(record.value)
    verify_object_history(items, value, name=(object_type, object_id))
    return ObjectHistory(process_type, object_type, object_id, items, record, claimed)


def record_of(document: Any) -> CertifiedValue:
    """Return the record of the object that a document without its handovers holds; nothing of it is verified."""
    return state_proof_from_json(_fields(document).get("record"))


def _fields(document: Any) -> dict[str, Any]:
    fields = codec.fields(document, "object-history", _FIELDS)
    version = fields.get("version")
    if fields.get("coseal") != "object-history" or type(version) is not int or version != 1:
        raise Malformed('expected a document with "coseal": "object-history" and "version": 1')
    return fields


def history_json(history: ObjectHistory) -> dict[str, Any]:
    """Return the document of a history: what is proven, whole, and nothing else."""
    rows = [
        {"source": source, "sequence": sequence, "hash": item_hash(source, sequence, item).hex(), "item": item}
        for source, sequence, item in history.items
    ]
    return {
        "coseal": "object-history",
        "version": 1,
        "height": history.height,
        "process_type": history.process_type,
        "type": history.object_type,
        "id": history.object_id,
        "count": len(rows),
        "items": rows,
        "record": state_proof_json(history.record),
    }


def _item(value: Any) -> tuple[str, int, dict[str, Any]]:
    row = codec.fields(value, "item", _ITEM_FIELDS)
    source = codec.text(row.get("source"), "item.source")
    sequence = codec.integer(row.get("sequence"), "item.sequence", low=1)
    item = codec.mapping(row.get("item"), "item.item")
    if "hash" in row and row["hash"] != _hash_text(source, sequence, item):
        raise Malformed(f"the hash shown beside item {sequence} of {source} is not its hash")
    return source, sequence, item


def _claimed(row: dict[str, Any]) -> tuple[int, int] | None:
    if UNPROVEN not in row:
        return None
    place = codec.fields(row[UNPROVEN], "item.unproven", _PLACE_FIELDS)  # A19
    if place.get("tx") is not None:  # what fell due has none
        codec.text(place["tx"], "item.unproven.tx", limit=2 * HASH_BYTES)
    return (
        codec.integer(place.get("height"), "item.unproven.height", low=1),
        codec.integer(place.get("index"), "item.unproven.index", low=BEGIN),
    )


def _hash_text(source: str, sequence: int, item: dict[str, Any]) -> str:
    try:
        return item_hash(source, sequence, item).hex()
    except (TypeError, ValueError) as error:
        raise Malformed(f"item {sequence} of {source} has no encoding: {error}") from None
