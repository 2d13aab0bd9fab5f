"""What the items of a batch commit to, as cells: the sealed attributes of one item under one label.

Law: it follows from the items and their definition alone, so owner, node and auditor find the same cells.

B2 and B3 of docs/spec/disclosure.md; contracts/process/README.md, T30.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final, NamedTuple

from coseal.contracts.process.batch import BatchItem

LABEL: Final = "sealed"
"""The label of a sealed attribute whose definition gives it none."""


class Line(NamedTuple):
    """A cell: its item's number in the source, its label, and the commitments by name, ascending."""

    sequence: int
    label: str
    named: list[tuple[str, bytes]]


def cells_of(items: Iterable[BatchItem], definition: Mapping[str, Any]) -> list[Line]:
    """Return the cells of items that fit their definition, ascending by sequence and label."""
    return [line for each in items for line in lines_of(each.sequence, each.item, definition)]


def lines_of(sequence: int, item: Mapping[str, Any], definition: Mapping[str, Any]) -> list[Line]:
    """Return the cells of one item that fits its definition, ascending by label."""
    by_label: dict[str, list[tuple[str, bytes]]] = {}
    for name, spec, value in attributes_of(item, definition):
        if spec["class"] == "sealed":
            by_label.setdefault(spec.get("label", LABEL), []).append((name, bytes.fromhex(value)))
    return [Line(sequence, label, sorted(by_label[label])) for label in sorted(by_label)]  # T30


def in_the_clear(definition: Mapping[str, Any]) -> dict[str, Any]:
    """Return a definition by which sealed attributes have their values, not commitments; its hash is its own."""
    changed: dict[str, Any] = {**definition, "definition": f"{definition['definition']} in the clear"}
    for kind in ("event_types", "object_types"):
        changed[kind] = {
            name: {**one, "attributes": {key: {**spec, "class": "public"} for key, spec in one["attributes"].items()}}
            for name, one in definition[kind].items()
        }
    return changed


def seals(definition: Mapping[str, Any]) -> bool:
    """Say whether a definition has sealed attributes."""
    types = [*definition["event_types"].values(), *definition["object_types"].values()]
    return any(spec["class"] == "sealed" for one in types for spec in one["attributes"].values())


def attributes_of(
    item: Mapping[str, Any], definition: Mapping[str, Any]
) -> Iterator[tuple[str, Mapping[str, Any], Any]]:
    """Yield the attributes of an item: name, what the definition says of it, and what the item has."""
    if "event" in item:
        declared = definition["event_types"][item["type"]]["attributes"]
        for name, value in item.get("attributes", {}).items():
            yield name, declared[name], value
    elif "object" in item or "change" in item:
        declared = definition["object_types"][item["type"]]["attributes"]
        for name, _, value in item.get("attributes", ()):
            yield name, declared[name], value
