"""Where the process contract keeps what in the state: the only place where its keys are spelt."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from coseal.contracts.kernel.action import Reader, View

KEYS: Final = {
    "process/type/<process type>": "the definition in force",
    "process/definition/<process type>/<version>": "the hash of each definition",
    "process/source/<member>/<source>": "a source: where its sequence is, its head, its gaps",
    "process/object/<process type>/<object type>/<object>": "an object: how many items, and the head of its chain",
    "process/tally/<process type>/<object type>/<object>": "the tallies of an object, by member",
    "process/tally_of/<member>/<process type>/<object type>/<object>": "the tallies of a member after the eighth",
    "process/statistics/<process type>": "counters",
    "process/attestation/<item hash>": "what a counterparty says of an event",
}
OPEN_KEYS: Final = ("process/type/", "process/tally/", "process/tally_of/")
_NO_STATISTICS: Final = {
    "items": 0, "events": 0, "objects": 0, "changes": 0, "relations": 0, "declarations": 0, "sources": 0
}  # fmt: skip


def type_key(type_id: str) -> str:
    """Return the state key of a process type."""
    return f"process/type/{type_id}"


def definition_key(type_id: str, version: int) -> str:
    """Return the state key of the hash of a definition."""
    return f"process/definition/{type_id}/{version}"


def source_key(name: str) -> str:
    """Return the state key of a source named ``member/source``."""
    return f"process/source/{name}"


def object_key(process_type: str, object_type: str, object_id: str) -> str:
    """Return the state key of an object: ``[items, head]``."""
    return f"process/object/{process_type}/{object_type}/{object_id}"


def tally_key(process_type: str, object_type: str, object_id: str) -> str:
    """Return the state key of an object's tallies: ``[rows by member, figures of others]`` (``process.tally``)."""
    return f"process/tally/{process_type}/{object_type}/{object_id}"


def further_tally_key(member: str, process_type: str, object_type: str, object_id: str) -> str:
    """Return the state key of the row of a member that has no room in an object's tallies."""
    return f"process/tally_of/{member}/{process_type}/{object_type}/{object_id}"


def statistics_key(process_type: str) -> str:
    """Return the state key of a process type's counters."""
    return f"process/statistics/{process_type}"


def attestation_key(item_hash: bytes) -> str:
    """Return the state key of what is said about an item."""
    return f"process/attestation/{item_hash.hex()}"


def source(reader: Reader, name: str) -> dict[str, Any] | None:
    """Return the record of a source named ``member/source``, or None."""
    value: Any = reader.get(source_key(name))
    return value  # type: ignore[no-any-return]


def statistics(reader: Reader, process_type: str) -> dict[str, int]:
    """Return how many items, events, distinct objects, ... were recorded of a process type; zeros if unknown."""
    value: Any = reader.get(statistics_key(process_type))
    return dict(_NO_STATISTICS) if value is None else dict(value)


def add_counts(view: View, process_type: str, changes: Mapping[str, int]) -> None:
    """Add to the counters of a process type."""
    counters = statistics(view, process_type)
    for name, change in changes.items():
        counters[name] += change
    view.put(statistics_key(process_type), counters)
