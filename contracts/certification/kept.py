"""Nodes of an argument as the state keeps them: texts as a digest, ids in pages, and the root over all of them.

Law: who has the texts can show that they are those that were sealed; who has the root knows when nodes are missing.

contracts/certification/README.md, P4 and P6.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from hashlib import sha256
from typing import Any, Final

from coseal.contracts.certification.argument import Node
from coseal.contracts.certification.form import node_of
from coseal.contracts.certification.state import argument_node_key, nodes_key
from coseal.contracts.kernel.action import Reader, View
from coseal.contracts.kernel.budget import ENTRY_STEPS
from coseal.ledger import codec, merkle

PAGE_IDS: Final = 64
_TEXTS: Final = ("statement", "place")
_TAG: Final = b"coseal/argument/1".ljust(24, b"\0")

Data = Mapping[str, Any]


def kept(data: Data) -> dict[str, Any]:
    """Return what the state keeps of a node: all but its id, its texts as one digest."""
    texts = sha256(_TAG + codec.encode([data.get(name, "") for name in _TEXTS])).hexdigest()
    said = {name: value for name, value in data.items() if name != "id" and name not in _TEXTS}
    return {**said, "texts": texts}


def root_of(nodes: Mapping[str, Data]) -> str:
    """Return the Merkle root over nodes as they are kept, by id, hexadecimal."""  # P6
    return merkle.root([codec.encode([name, dict(nodes[name])]) for name in sorted(nodes)]).hex()


def root_of_written(nodes: Iterable[Data]) -> str:
    """Return the root of an argument as it is written down."""
    return root_of({data["id"]: kept(data) for data in nodes})


def taken(nodes: Mapping[str, Data]) -> tuple[Node, ...]:
    """Return kept nodes as ``check`` takes them."""
    return tuple(node_of({**data, "id": name}) for name, data in nodes.items())


def ids_of(reader: Reader, project: str, count: int) -> list[str]:
    """Return the ids of a project's nodes, in order."""
    return list(paged(reader, lambda page: nodes_key(project, page), count))


def paged(reader: Reader, key: Callable[[int], str], count: int) -> Iterator[Any]:
    """Yield what stands in pages of ``PAGE_IDS`` under ``key``, ``count`` in all."""
    for page in range(-(-count // PAGE_IDS)):
        held: Any = reader.get(key(page))
        yield from held


def put_ids(view: View, project: str, before: Sequence[str], after: Sequence[str]) -> None:
    """Write the pages of ids that changed."""
    view.charge(ENTRY_STEPS * (len(before) + len(after)))
    for page, start in enumerate(range(0, max(len(before), len(after)), PAGE_IDS)):
        ids = list(after[start : start + PAGE_IDS])
        if not ids:
            view.delete(nodes_key(project, page))
        elif ids != before[start : start + PAGE_IDS]:
            view.put(nodes_key(project, page), ids)


def nodes_in(reader: Reader, project: str, ids: Sequence[str]) -> dict[str, Data]:
    """Return nodes of a project by id."""
    found: dict[str, Data] = {}
    for name in ids:
        data: Any = reader.get(argument_node_key(project, name))
        found[name] = data
    return found
