"""The hashes that make process data provably complete, and the check of an object's history against them.

Law: a chain's head fixes the items, their order and their number; whoever holds an object's certified record can
tell whether the items shown to them are all the items of that object and only those.
Source: contracts/process/README.md, section Hashes.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from hashlib import sha256
from typing import Any, Final, TypeAlias

from coseal.ledger import codec
from coseal.ledger.errors import BadProof
from coseal.ledger.signing import HASH_BYTES, TAG_CHAIN, TAG_ITEM, ZERO_HASH

Item: TypeAlias = Mapping[str, Any]
ObjectName: TypeAlias = tuple[str, str]
"""(object type, object id)."""

EMPTY_RECORD: Final[tuple[int, bytes]] = (0, ZERO_HASH)
"""The record of an object without items: count and chain head. Such an object has no state key."""


def item_hash(source: str, sequence: int, item: Item) -> bytes:
    """Return the 32-byte hash of an item; ``source`` is ``member/source``."""
    return sha256(TAG_ITEM + codec.encode([source, sequence, dict(item)])).digest()


def decoded_item_hash(source: str, sequence: int, item: Item) -> bytes:
    """Return the ``item_hash`` of an item of a decoded transaction, whose maps are in order."""
    return sha256(TAG_ITEM + codec.encode_decoded([source, sequence, item])).digest()


def chain(head: bytes, item_hash: bytes) -> bytes:
    """Return the chain head after an item; a chain begins with ``ZERO_HASH``."""
    return sha256(TAG_CHAIN + head + item_hash).digest()  # T13


def objects_of(item: Item) -> tuple[ObjectName, ...]:
    """Return the objects a valid item belongs to, each once, in the order in which it names them."""
    if "event" in item:
        entries = item.get("objects", ())
        if len(entries) == 1:  # by far the commonest
            entry = entries[0]
            return ((entry[0], entry[1]),)
        names = [(entry[0], entry[1]) for entry in entries]
    elif "relation" in item:
        names = [(entry[0], entry[1]) for entry in (item["relation"], item["to"])]
    else:
        names = [(item["type"], item["object"] if "object" in item else item["change"])]
    return tuple(dict.fromkeys(names))


def verify_object_history(
    items: Iterable[tuple[str, int, Item]], object_record: Any, *, name: ObjectName | None = None
) -> None:
    """Raise ``BadProof`` unless ``items`` are all items of the object with this record, in ledger order.

    ``items`` are (source ``member/source``, sequence, item). ``object_record`` is the state value ``[count, head]``,
    or None for an object that has no key, which then has no items. With ``name`` each item must name that object, or
    correct another item, for then it belongs to what that names; a record is bound to its object by the state proof of
    its key, not by the chain.
    """
    count, head = count_and_head(object_record)
    found, current = 0, ZERO_HASH
    for source, sequence, item in items:
        if name is not None and "corrects" not in item and name not in _objects_or_none(item):
            raise BadProof(f"item {sequence} of {source} does not name {name[0]} {name[1]}")
        found += 1
        if found > count:
            raise BadProof(f"more items than the {count} that are recorded")
        try:
            current = chain(current, item_hash(source, sequence, item))
        except (TypeError, ValueError) as error:
            raise BadProof(f"item {sequence} of {source} has no encoding: {error}") from None
    if found != count:  # T14
        raise BadProof(f"{found} items are shown, {count} are recorded")
    if current != head:
        raise BadProof("the items are not those recorded, or not in that order")


def count_and_head(value: Any, what: str = "an object's record") -> tuple[int, bytes]:
    """Return what the state has of a chain, those of none for None; raise ``BadProof`` for anything else."""
    if value is None:
        return EMPTY_RECORD
    if not isinstance(value, list | tuple) or len(value) != 2:
        raise BadProof(f"{what} is [count, head]")
    count, head = value
    if type(count) is not int or type(head) is not bytes or len(head) != HASH_BYTES:
        raise BadProof(f"{what} is [count, head]")
    return count, head


def _objects_or_none(item: Item) -> tuple[ObjectName, ...]:
    try:
        return objects_of(item)
    except (KeyError, IndexError, TypeError):
        return ()
