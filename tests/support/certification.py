"""A chain with a scheme of certification, and members that argue for projects."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from coseal.contracts.certification.kept import root_of_written
from coseal.formats import arguments, ltac
from coseal.ledger.block import Receipt
from tests.support.chain import Chain
from tests.support.deciding import Deciding
from tests.support.genesis import make_genesis

DAY_MS: Final = 86_400_000
EXAMPLES: Final = Path(__file__).parents[2] / "examples" / "certification"
BODIES: Final = ("regulator", "institute-a")
CONTENT: Final[dict[str, Any]] = json.loads((EXAMPLES / "rationality.json").read_text(encoding="utf-8"))
Data = dict[str, Any]


def clearing() -> list[Data]:
    """Return the shipped argument of a public chain, its evidence with digests."""
    nodes, _ = arguments.nodes_of(ltac.read((EXAMPLES / "clearing.ltac").read_text(encoding="utf-8")))
    return [{**node, "sha256": "ab" * 32} if node["kind"] == "evidence" else node for node in nodes]


def changed(nodes: Sequence[Mapping[str, Any]], name: str, **fields: Any) -> list[Data]:
    """Return nodes with fields of one of them changed; None takes a field out."""
    merged = [{**node, **fields} if node["id"] == name else dict(node) for node in nodes]
    return [{field: value for field, value in node.items() if value is not None} for node in merged]


class Certified(Deciding):
    """What members do about projects; each call is a block."""

    contract = "certification"

    def __init__(self, chain: Chain | None = None, *, scheme: bool = True) -> None:
        self.chain = Chain(make_genesis(name="certification")) if chain is None else chain
        if scheme:
            self.decide("adopt_scheme", scheme="rationality", content=CONTENT, bodies=list(BODIES))
            self.chain.extend([])

    def apply(self, project: str = "clearing", member: str = "enterprise-a", /, **more: Any) -> Data:
        args = {"title": "Clearing", "scheme": "rationality", "kind": "public_chain", "framework_sha256": "cd" * 32}
        return self.ok(member, "apply", **{"project": project, "parties": ["bank-a"], **args, **more})

    def argue(self, nodes: Sequence[Mapping[str, Any]], project: str = "clearing", **more: Any) -> Data:
        return self.ok("enterprise-a", "argue", **{"project": project, "nodes": list(nodes), "drop": [], **more})

    def seal(self, nodes: Sequence[Mapping[str, Any]], project: str = "clearing") -> Receipt:
        args = {"project": project, "count": len(nodes), "root": root_of_written(nodes)}
        return self.submit("enterprise-a", "seal", **args)

    def wait(self, later_ms: int) -> Data:
        """Commit an empty block so much later; return what certification began it with."""
        self.chain.extend([], later_ms=later_ms)
        return dict(self.chain.begun.get("certification", {}))
