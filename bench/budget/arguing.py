"""Cases of certification: the greatest argument argued, sealed and lapsing."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from bench.budget.scene import Result, Scene, time_case
from bench.standards import kept, view_of
from coseal.contracts.certification.argument import MAX_NODES
from coseal.contracts.certification.kept import root_of_written
from coseal.contracts.certification.projects import LAPSE_MS, MAX_ARGUED
from coseal.contracts.certification.schemes import PROPOSALS
from coseal.contracts.kernel.proposals import Case

TOPS = 16


def greatest() -> list[dict[str, Any]]:
    """Return an argument of as many nodes as there may be, whose texts are of a usual length."""
    tops = [{"id": f"t{n}", "kind": "claim", "statement": "A claim " * 20 + "!"} for n in range(TOPS)]
    tops[0]["criterion"] = "credit-system"
    below = [
        {
            "id": f"e{n}",
            "kind": "evidence",
            "parent": f"t{n % TOPS}",
            "statement": "Evidence " * 20 + "!",
            "sha256": "ab" * 32,
        }
        for n in range(MAX_NODES - TOPS)
    ]
    return [*tops, *below]


def _applied(scene: Scene) -> list[dict[str, Any]]:
    """Have a project in a scene under the scheme of the example, argued but for its first 500 nodes; return all."""
    kind = PROPOSALS["adopt_scheme"]
    subject = {**kind.example, "bodies": ["regulator", "central-bank"]}
    executor = scene.chain.executor
    view = view_of(executor)
    kind.enact(view, Case("b", "bank-a", executor.height, executor.time_ms), subject)
    kept(executor, view)
    args = {"project": "p", "title": "P", "scheme": "rationality", "kind": "chain", "framework_sha256": "00" * 32}
    scene.must("bank-a", "certification.apply", args)
    nodes = greatest()
    for start in range(MAX_ARGUED, len(nodes), MAX_ARGUED):
        some = nodes[start : start + MAX_ARGUED]
        scene.must("bank-a", "certification.argue", {"project": "p", "nodes": some, "drop": []})
    return nodes


def arguing() -> Iterator[Result]:
    """Arguments: 500 nodes argued, 1,024 sealed, 1,024 that lapse."""
    scene = Scene()
    nodes = _applied(scene)
    first = {"project": "p", "nodes": nodes[:MAX_ARGUED], "drop": []}
    yield time_case("500 nodes of an argument", scene, scene.chain.signed("bank-a", "certification.argue", first))
    scene.must("bank-a", "certification.argue", first)
    seal = {"project": "p", "count": len(nodes), "root": root_of_written(nodes)}
    yield time_case("1,024 nodes are sealed", scene, scene.chain.signed("bank-a", "certification.seal", seal))
    yield time_case("a draft of 1,024 nodes lapses", scene, after_ms=LAPSE_MS + 1)
