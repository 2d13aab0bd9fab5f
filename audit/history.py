"""The history of one object as a document: all its items, and the proof from the certified state that they are all.

Law: a history is returned only if its items hash to the head, and are as many, as the certified record of the object
says; so whoever made the document could leave nothing out. Source: docs/spec/contracts-process.md, section Hashes.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from audit.epochs import Epochs
from contracts.process_chain import item_hash, object_key, verify_object_history
from ledger import codec
from ledger.errors import Malformed
from ledger.genesis import Genesis
from ledger.handover import split_handovers
from ledger.proof import CertifiedValue
from ledger.render import state_proof_from_json
from ledger.validators import ValidatorSet

MAX_ITEMS = 1_000_000


@dataclass(frozen=True, slots=True)
class ObjectHistory:
    """Every item of an object in ledger order, each (source, sequence, item), and the certified record of it."""

    process_type: str
    object_type: str
    object_id: str
    items: tuple[tuple[str, int, dict[str, Any]], ...]
    record: CertifiedValue


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
    fields = codec.mapping(rest, "object-history")
    version = fields.get("version")
    if fields.get("coseal") != "object-history" or type(version) is not int or version != 1:
        raise Malformed('expected a document with "coseal": "object-history" and "version": 1')
    process_type, object_type, object_id = (
        codec.text(fields.get(name), f"object-history.{name}", limit=128) for name in ("process_type", "type", "id")
    )
    record = state_proof_from_json(fields.get("record"))
    record.verify(genesis.chain_id, validators or known.of(record.header, record.certificate))
    if record.key != object_key(process_type, object_type, object_id).encode():
        raise Malformed("the record is of another object")
    items = tuple(_item(row) for row in codec.sequence(fields.get("items"), "items", limit=MAX_ITEMS))
    for name, found in (("count", len(items)), ("height", record.header.height)):
        if name in fields and (type(fields[name]) is not int or fields[name] != found):
            raise Malformed(f"{name} is not {found}")
    value = None if record.value is None else codec.decode(record.value)
    verify_object_history(items, value, name=(object_type, object_id))
    return ObjectHistory(process_type, object_type, object_id, items, record)


def _item(value: Any) -> tuple[str, int, dict[str, Any]]:
    row = codec.mapping(value, "item")
    source = codec.text(row.get("source"), "item.source")
    sequence = codec.integer(row.get("sequence"), "item.sequence", low=1)
    item = codec.mapping(row.get("item"), "item.item")
    if "hash" in row and row["hash"] != _hash_text(source, sequence, item):
        raise Malformed(f"the hash shown beside item {sequence} of {source} is not its hash")
    return source, sequence, item


def _hash_text(source: str, sequence: int, item: dict[str, Any]) -> str:
    try:
        return item_hash(source, sequence, item).hex()
    except (TypeError, ValueError) as error:
        raise Malformed(f"item {sequence} of {source} has no encoding: {error}") from None
