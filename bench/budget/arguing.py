"""Cases of certification: the greatest argument argued, sealed and lapsing; the greatest register, and a verdict."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from bench.budget.scene import Result, Scene, time_case
from bench.standards import kept, view_of
from coseal.contracts.certification.argument import MAX_NODES
from coseal.contracts.certification.form import nodes_of
from coseal.contracts.certification.kept import PAGE_IDS, root_of_written
from coseal.contracts.certification.panel import ROLE_SECTORS
from coseal.contracts.certification.proceedings import REVEAL, Proceeding
from coseal.contracts.certification.projects import LAPSE_MS, MAX_ARGUED
from coseal.contracts.certification.reviewers import MAX_OFFICES, MAX_REVIEWERS
from coseal.contracts.certification.reviewing import leaves_of
from coseal.contracts.certification.schemes import PROPOSALS
from coseal.contracts.certification.state import (
    REVIEWERS_KEY,
    project_key,
    register_key,
    review_key,
    reviewer_key,
)
from coseal.contracts.kernel.dates import DAY_MS
from coseal.contracts.kernel.proposals import Case

TOPS = 16


def greatest() -> list[dict[str, Any]]:
    """Return an argument of as many nodes as there may be, whose texts are of a usual length."""
    tops = [{"id": f"t{n}", "kind": "claim", "statement": "A claim " * 20 + "!"} for n in range(TOPS)]
    tops[0]["criterion"] = "credit-system"
    below = [
        {
            "id": f"e{n}".ljust(120, "e"),
            "kind": "evidence",
            "parent": f"t{n % TOPS}",
            "statement": "Evidence " * 20 + "!",
            "sha256": "ab" * 32,
        }
        for n in range(MAX_NODES - TOPS)
    ]
    return [*tops, *below]


def adopted(scene: Scene) -> None:
    """Have the scheme of the example in force in a scene."""
    kind = PROPOSALS["adopt_scheme"]
    subject = {**kind.example, "bodies": ["regulator", "central-bank"]}
    executor = scene.chain.executor
    view = view_of(executor)
    kind.enact(view, Case("b", "bank-a", executor.height, executor.time_ms), subject)
    kept(executor, view)


def _applied(scene: Scene) -> list[dict[str, Any]]:
    """Have a project in a scene under the scheme of the example, argued but for its first 500 nodes; return all."""
    adopted(scene)
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


def certifying() -> Iterator[Result]:
    """Panels: a draw out of the greatest register, a verdict of nine on 1,024 nodes when its time is over."""
    scene = Scene()
    nodes = _applied(scene)
    scene.must("bank-a", "certification.argue", {"project": "p", "nodes": nodes[:MAX_ARGUED], "drop": []})
    scene.must("bank-a", "certification.seal", {"project": "p", "count": len(nodes), "root": root_of_written(nodes)})
    _filled(scene)
    yield time_case("admission from 1,024 reviewers", scene, scene.chain.signed("regulator", "certification.admit", P))
    scene.must("regulator", "certification.admit", P)
    _reviewing(scene, nodes)
    yield time_case("a verdict of nine on 1,024 nodes", scene, after_ms=REVEAL_MS)


P = {"project": "p"}
REVEAL_MS = 6 * DAY_MS


def _filled(scene: Scene) -> None:
    """Have the register full, as old as the genesis, of members of every sector."""
    executor = scene.chain.executor
    view = view_of(executor)
    names = [f"m{number // MAX_OFFICES}/u{number % MAX_OFFICES}" for number in range(MAX_REVIEWERS)]
    for number, name in enumerate(names):
        sector = ROLE_SECTORS[(number // MAX_OFFICES) % len(ROLE_SECTORS)]
        office = {"sector": sector, "fields": ["6.3"], "statement_sha256": "ee" * 32, "height": 0, "barred_ms": 0}
        view.put(reviewer_key(name), {**office, "until_ms": executor.time_ms + 1_000 * DAY_MS})
    for page in range(0, MAX_REVIEWERS, PAGE_IDS):
        view.put(register_key(page // PAGE_IDS), names[page : page + PAGE_IDS])
    view.put(REVIEWERS_KEY, MAX_REVIEWERS)
    kept(executor, view)


def _reviewing(scene: Scene, nodes: list[dict[str, Any]]) -> None:
    """Have nine reviews revealed, and a tenth outstanding, so that the end of the term judges."""
    executor = scene.chain.executor
    view = view_of(executor)
    found: Any = view.get(project_key("p"))
    proceeding = Proceeding(view, "p", found, executor.height, executor.time_ms)
    leaves = leaves_of(nodes_of(nodes))
    panel = proceeding.reviewers()[::MAX_OFFICES][:10]
    for reviewer in panel[:9]:
        review = {"commitment": "00" * 32, "height": 1, "revealed": 1, "opinions": []}
        view.put(review_key("p", 1, reviewer.name), {**review, "scores": {"credit-system": 4}, "digest": "00" * 32})
    names = [reviewer.name for reviewer in panel]
    proceeding.round |= {"panel": [list(each) for each in panel], "committed": names, "revealed": names[:9]}
    proceeding.round |= {"accepted": [4] * len(leaves), "scores": [36]}
    proceeding.enter(REVEAL)
    proceeding.write()
    kept(executor, view)
