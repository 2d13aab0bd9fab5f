"""The form of a node as it is written down, and of evidence that is on the ledger.

Law: a node says what its kind has a use for, and nothing else.

contracts/certification/README.md, section Form.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from coseal.contracts.certification.argument import (
    ASSERTED,
    CITE,
    CLAIM,
    DECLARED,
    EVIDENCE,
    KINDS,
    STRATEGY,
    Node,
)
from coseal.contracts.kernel.fields import Boolean, Hexadecimal, Identifier, Label, OneOf, Record, Special
from coseal.contracts.kernel.names import is_label

MAX_STATEMENT: Final = 2_048
MAX_PLACE: Final = 512
PARTS_OF: Final = {"object": 3, "item": 3, "finding": 1, "policy": 1, "standard": 2, "certificate": 1}
"""What of the ledger may be evidence, and how many parts name it."""


def _faults_of_reference(value: Any) -> Iterator[str]:
    if type(value) is not list or not value or type(value[0]) is not str or value[0] not in PARTS_OF:
        yield f": expected a list of {', '.join(PARTS_OF)} and what names it"
    elif len(value) != 1 + PARTS_OF[value[0]] or not all(is_label(part, 256) for part in value[1:]):
        yield f": expected {PARTS_OF[value[0]]} names of 1 to 256 characters after {value[0]}"


REFERENCE: Final = Special(
    _faults_of_reference,
    "what is on the ledger: a list of object, item, finding, policy, standard or certificate, and of what names it",
    {"type": "array", "minItems": 2, "maxItems": 4, "items": {"type": "string", "minLength": 1, "maxLength": 256}},
    refused=(None, [], ["policy"], ["policy", "a", "b"], ["policy", ""], ["nothing", "a"], [1, "a"]),
    passed=(["policy", "p"], ["standard", "s", "1"], ["object", "t", "o", "x"]),
)
NODE: Final = Record(
    {"id": Identifier(slash=False), "kind": OneOf(*KINDS)},
    {
        "parent": Identifier(slash=False),
        "statement": Label(high=MAX_STATEMENT),
        "declared": OneOf(*DECLARED),
        "any": Boolean(),
        "cites": Identifier(slash=False),
        "place": Label(high=MAX_PLACE),
        "sha256": Hexadecimal(),
        "reference": REFERENCE,
        "criterion": Identifier(slash=False),
    },
)
"""A node: its id and kind, the node that it stands below, and what its kind says."""
_ONLY: Final = {"declared": CLAIM, "criterion": CLAIM, "any": STRATEGY, "cites": CITE, "reference": EVIDENCE}
"""What only one kind says. ``sha256`` is of what ``place`` names, so any kind but a citation may have them."""


def faults_of(data: Any) -> Iterator[str]:
    """Yield what is wrong with the form of a node; each begins with the path of a field, empty for the whole."""
    found = list(NODE.faults(data))
    if found:
        yield from found
        return
    for name, kind in _ONLY.items():
        if name in data and data["kind"] != kind:
            yield f".{name}: only a node of kind {kind} has it"
    if data["kind"] == CITE:
        if "cites" not in data:
            yield ".cites: missing: the id of the node that this one stands for"
        for name in ("place", "sha256"):
            if name in data:
                yield f".{name}: a citation has none; the node that it cites may"
    elif "statement" not in data:
        yield ".statement: missing"


def node_of(data: Mapping[str, Any]) -> Node:
    """Return a node of which ``faults_of`` finds nothing."""
    return Node(
        data["id"],
        data["kind"],
        data.get("parent"),
        data.get("declared", ASSERTED),
        data.get("any", False),
        data.get("cites"),
        "sha256" in data or "reference" in data,
        data.get("criterion"),
    )


def nodes_of(data: Sequence[Mapping[str, Any]]) -> tuple[Node, ...]:
    """Return nodes of which ``faults_of`` finds nothing."""
    return tuple(node_of(each) for each in data)
