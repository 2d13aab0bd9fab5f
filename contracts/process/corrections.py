"""Corrections: which items belong to the objects of what they correct, and what an object's trace is with them.

Law: what is recorded stays; an item that corrects another stands in its place in every object that both belong to, and
the newest correction counts. What this makes of items follows from the items of the object alone, in ledger order.

contracts/process/README.md, section Corrections.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final, NamedTuple

from coseal.contracts.kernel.fields import Later, Many, Special
from coseal.contracts.kernel.names import is_identifier
from coseal.contracts.process.chain import Item, ObjectName, item_hash

MAX_SHOWN: Final = 1_000
"""The most items that a transaction shows of what was recorded before, and as many that it corrects."""
MAX_SHOWN_OBJECTS: Final = 256


class Place(NamedTuple):
    """A place in the trace of an object: the index of the item that made it, and of the one that stands there now.

    ``lost`` says that the first one corrects an item that is not among those of the object.
    """

    first: int
    now: int
    lost: bool = False


def named_objects(item: Any, definition: Mapping[str, Any]) -> tuple[ObjectName, ...]:
    """Return the objects that an item names, as far as the process type knows their types; the item may be anything."""
    if type(item) is not dict:
        return ()
    if "event" in item:
        entries = item.get("objects")
    elif "relation" in item:
        entries = [item["relation"], item.get("to")]
    else:
        entries = [[item.get("type"), item.get("object", item.get("change"))]]
    known = definition["object_types"]
    names: dict[ObjectName, None] = {}
    for entry in entries if type(entries) is list else ():
        if type(entry) is not list or not 2 <= len(entry) <= 3:
            continue
        if type(entry[0]) is str and entry[0] in known and is_identifier(entry[1]):
            names[entry[0], entry[1]] = None
    return tuple(names)


def places(items: Sequence[tuple[str, int, Item]], hashes: Sequence[bytes] | None = None) -> list[Place]:
    """Return the corrected trace of an object whose items, ``(source, sequence, item)``, are given in ledger order.

    Without ``hashes`` of the items those that are needed are computed.
    """
    found: dict[int, Place] = {}
    roots: list[int] = []
    at = {(source, sequence): index for index, (source, sequence, _) in enumerate(items)}
    for index, (source, _, item) in enumerate(items):
        root, corrects = index, item.get("corrects")
        lost = corrects is not None
        if corrects is not None:
            target = at.get((source, corrects[0]), index)
            if target < index:
                hashed = hashes[target] if hashes is not None else item_hash(source, corrects[0], items[target][2])
                if hashed.hex() == corrects[1]:  # T12
                    root, lost = roots[target], False
        roots.append(root)
        found[root] = Place(root, index, lost if root == index else found[root].lost)
    return [found[root] for root in sorted(found)]


def corrected(
    items: Iterable[tuple[str, int, Item, Iterable[ObjectName]]],
) -> Iterator[tuple[int, int, tuple[ObjectName, ...]]]:
    """Yield the corrected form of a whole log: ``(first, now, objects)`` by places, in the order of ``first``.

    ``items`` are ``(source, sequence, item, objects that it names)``; ``now`` stands there in the trace of ``objects``,
    none for an item of no object.
    """
    log = list(items)
    at = {(source, sequence): index for index, (source, sequence, _, _) in enumerate(log)}
    belongs: list[dict[ObjectName, None]] = []
    of_object: dict[ObjectName, list[int]] = {}
    alone: dict[int, int | None] = {}  # by the first item of no object in a place: what stands there
    places_alone: dict[int, int] = {}
    for index, (source, _, item, names) in enumerate(log):
        mine = dict.fromkeys(names)
        target = at.get((source, item["corrects"][0]), index) if "corrects" in item else index
        if target < index and item_hash(source, item["corrects"][0], log[target][2]).hex() == item["corrects"][1]:
            mine |= dict.fromkeys(log[target][3])
            if target in places_alone:
                alone[places_alone[target]] = None if mine else index
        else:
            target = index
        if not mine:
            places_alone[index] = root = places_alone.get(target, index)
            alone[root] = index
        belongs.append(mine)
        for name in mine:
            of_object.setdefault(name, []).append(index)
    standing: dict[int, dict[int, list[ObjectName]]] = {}
    for name, indexes in of_object.items():
        if not any("corrects" in log[index][2] for index in indexes):
            for index in indexes:
                standing.setdefault(index, {}).setdefault(index, []).append(name)
            continue
        for place in places([log[index][:3] for index in indexes]):
            first, now = indexes[place.first], indexes[place.now]
            if name in log[now][3]:
                standing.setdefault(first, {}).setdefault(now, []).append(name)
    for first in range(len(log)):
        for now, objects in sorted(standing.get(first, {}).items()):
            known = set(objects)
            yield first, now, tuple(name for name in dict.fromkeys(log[now][3]) if name in known)
        only = alone.get(first)
        if only is not None:
            yield first, only, ()


def shown_history(histories: Mapping[ObjectName, Sequence[tuple[str, int, int, int, Item]]]) -> dict[str, Any]:
    """Return the ``history`` of ``process.record``, of ``(source, sequence, height, time in ms, item)`` by object."""
    numbers: dict[tuple[str, int], int] = {}
    items: list[Any] = []
    objects = []
    for (object_type, object_id), recorded in histories.items():
        shown = []
        for source, sequence, height, time_ms, item in recorded:
            number = numbers.setdefault((source, sequence), len(items))
            if number == len(items):
                items.append([source, sequence, height, time_ms, dict(item)])
            shown.append(number)
        objects.append([object_type, object_id, shown])
    return {"items": items, "objects": objects}


def _history_faults(value: Any) -> Iterator[str]:
    if type(value) is not dict or set(value) != {"items", "objects"}:
        yield ": expected a map of items and objects"
        return
    items, objects = value["items"], value["objects"]
    if type(items) is not list or not 0 < len(items) <= MAX_SHOWN:
        yield f".items: expected a list of 1 to {MAX_SHOWN} items"
        return
    for index, entry in enumerate(items):
        if type(entry) is not list or [type(part) for part in entry] != [str, int, int, int, dict]:
            yield f".items[{index}]: expected [source, sequence, height, time in ms, item]"
        elif not all(0 <= number < 2**63 for number in entry[1:4]):
            yield f".items[{index}]: expected numbers of 0 to {2**63 - 1}"
    if type(objects) is not list or not 0 < len(objects) <= MAX_SHOWN_OBJECTS:
        yield f".objects: expected a list of 1 to {MAX_SHOWN_OBJECTS} objects"
        return
    for index, entry in enumerate(objects):
        if type(entry) is not list or [type(part) for part in entry] != [str, str, list]:
            yield f".objects[{index}]: expected [object type, id, places among the items]"
        elif not all(type(place) is int and 0 <= place < len(items) for place in entry[2]):
            yield f".objects[{index}][2]: expected places among the items, counted from 0"


ITEM_EXAMPLE: Final = {"event": "1", "type": "Create Fine", "time": "2006-07-24T00:00:00Z"}
_SHOWN: Final = ["bank-a/log", 1, 1, 1_000, ITEM_EXAMPLE]
_OF: Final = ["case", "A1", [0]]
CORRECTED: Final = Many(
    Later(
        "the item that an item of the batch corrects, of an earlier batch, in their order",
        refused=(None, 1, {}, ITEM_EXAMPLE),
        passed=(ITEM_EXAMPLE,),
    ),
    high=MAX_SHOWN,
)
"""What ``process.record`` shows of each earlier item that one of its batch corrects."""
HISTORY: Final = Special(
    _history_faults,
    "items [source, sequence, height, time in ms, item], and of objects [object type, id, which of these items]",
    {
        "type": "object",
        "required": ["items", "objects"],
        "properties": {
            "items": {"type": "array", "minItems": 1, "maxItems": MAX_SHOWN, "items": {"type": "array"}},
            "objects": {"type": "array", "minItems": 1, "maxItems": MAX_SHOWN_OBJECTS, "items": {"type": "array"}},
        },
        "additionalProperties": False,
    },
    refused=(
        None,
        {},
        {"items": [_SHOWN]},
        {"items": [], "objects": [_OF]},
        {"items": [_SHOWN[:4]], "objects": [_OF]},
        {"items": [["bank-a/log", -1, 1, 1, ITEM_EXAMPLE]], "objects": [_OF]},
        {"items": [_SHOWN], "objects": []},
        {"items": [_SHOWN], "objects": [["case", "A1", [1]]]},
        {"items": [_SHOWN], "objects": [["case", "A1", [-1]]]},
        {"items": [_SHOWN], "objects": [["case", "A1"]]},
        {"items": [_SHOWN], "objects": [_OF], "more": 1},
    ),
    passed=({"items": [_SHOWN], "objects": [_OF]},),
)
"""What a transaction shows of the objects that it corrects or disputes something of, so that they are judged again."""
