"""An argument: trees of claims, joined by citations, with the terms of GSN v3 and SACM 2.3; and what is wrong with one.

Law: what ``check`` finds nothing in has a bottom under every claim: evidence, an assumption, or an open place that says
that it is open; and the faults are the same whatever order the nodes are given in, but for their own order.

contracts/certification/README.md, A1 to A11.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

CLAIM: Final = "claim"
STRATEGY: Final = "strategy"
EVIDENCE: Final = "evidence"
CONTEXT: Final = "context"
ASSUMPTION: Final = "assumption"
JUSTIFICATION: Final = "justification"
DEFEATER: Final = "defeater"
CITE: Final = "cite"
KINDS: Final = (CLAIM, STRATEGY, EVIDENCE, CONTEXT, ASSUMPTION, JUSTIFICATION, DEFEATER, CITE)

ASSERTED: Final = "asserted"
NEEDS_SUPPORT: Final = "needsSupport"
ASSUMED: Final = "assumed"
AXIOMATIC: Final = "axiomatic"
DECLARED: Final = (ASSERTED, NEEDS_SUPPORT, ASSUMED, AXIOMATIC)
"""What an applicant says of a claim, in SACM's words; ``defeated`` is computed."""

MAX_NODES: Final = 1_024
MAX_DEPTH: Final = 16
MAX_BELOW: Final = 64
"""Nodes directly below one."""

_ARGUED: Final = (CLAIM, STRATEGY, EVIDENCE, ASSUMPTION)
"""The kinds by which the node above them stands or falls."""
_ASIDE: Final = (CONTEXT, JUSTIFICATION)
BELOW: Final = {
    CLAIM: (*_ARGUED, *_ASIDE, DEFEATER),
    STRATEGY: (CLAIM, ASSUMPTION, *_ASIDE, DEFEATER),
    DEFEATER: (*_ARGUED, *_ASIDE),
    EVIDENCE: (CONTEXT, DEFEATER),
    ASSUMPTION: (CONTEXT, DEFEATER),
}
"""The kinds that may stand directly below each; below the others stands nothing. A citation counts as what it cites."""


@dataclass(frozen=True, slots=True)
class Node:
    """A node as far as its place and kind matter; ``grounded``: evidence with a digest or a reference into the ledger.

    ``parent`` is the node that it stands below, None for the top of a tree; ``cites`` the node that a citation stands
    for; ``any`` marks a strategy that one of its claims carries; ``criterion`` is what a top claim argues for.
    """

    id: str
    kind: str
    parent: str | None = None
    declared: str = ASSERTED
    any: bool = False
    cites: str | None = None
    grounded: bool = False
    criterion: str | None = None


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong with a node; ``node`` is a criterion where that is what is missing, empty for the whole."""

    node: str
    code: str
    detail: str


class Argument:
    """Nodes by id, and what stands below each; of nodes with one id the first counts."""

    def __init__(self, nodes: Sequence[Node]) -> None:
        self.nodes: dict[str, Node] = {}
        self.below: dict[str, list[Node]] = {}
        self.tops: list[Node] = []
        for node in nodes:
            if node.id not in self.nodes:
                self.nodes[node.id] = node
                self.below[node.id] = []
        for node in self.nodes.values():
            if node.parent is None:
                self.tops.append(node)
            elif node.parent in self.nodes:
                self.below[node.parent].append(node)

    def kind_of(self, node: Node) -> str:
        """Return the kind of a node; of a citation that of what it cites, if there is such a node."""
        cited = None if node.cites is None else self.nodes.get(node.cites)
        return node.kind if node.kind != CITE or cited is None else cited.kind

    def argued(self, node: Node) -> list[Node]:
        """Return what directly below a node it stands or falls by, defeaters aside."""
        return [each for each in self.below[node.id] if self.kind_of(each) in _ARGUED]

    def leaves(self) -> list[Node]:
        """Return what reviewers judge: evidence, assumptions, and claims declared assumed or axiomatic."""  # A8
        return [node for node in self.nodes.values() if is_leaf(node)]

    def undeveloped(self) -> list[Node]:
        """Return the claims with nothing below them by which they would stand."""  # A6
        return [node for node in self.nodes.values() if node.kind == CLAIM and not self.argued(node)]

    def rests_on(self, node: Node) -> Iterator[Node]:
        """Yield what must be worked out before a node: all directly below it, and what it cites."""
        yield from self.below[node.id]
        if node.cites is not None and node.cites in self.nodes:
            yield self.nodes[node.cites]

    def bottom_up(self) -> list[Node]:
        """Return the nodes, each after all that it rests on; those of a circle, and above one, are not among them."""
        waits = {node.id: sum(1 for _ in self.rests_on(node)) for node in self.nodes.values()}
        above: dict[str, list[Node]] = {name: [] for name in self.nodes}
        for node in self.nodes.values():
            for each in self.rests_on(node):
                above[each.id].append(node)
        ready = [node for node in self.nodes.values() if waits[node.id] == 0]
        for node in ready:  # grows while it is walked
            for each in above[node.id]:
                waits[each.id] -= 1
                if waits[each.id] == 0:
                    ready.append(each)
        return ready


def is_leaf(node: Node) -> bool:
    """Say whether reviewers judge a node itself, and not by what is below it."""  # A8
    return node.kind in (EVIDENCE, ASSUMPTION) or (node.kind == CLAIM and node.declared in (ASSUMED, AXIOMATIC))


def check(nodes: Sequence[Node], criteria: Sequence[str] = ()) -> tuple[Fault, ...]:
    """Return what is wrong with an argument for a scheme's criteria; nothing is wrong with one that may be sealed."""
    if len(nodes) > MAX_NODES:  # A1
        return (Fault("", "too_many", f"{len(nodes)} nodes, at most {MAX_NODES}"),)
    argument = Argument(nodes)
    return (
        *_names(nodes, argument),
        *_shape(argument),
        *(fault for node in argument.nodes.values() for fault in _bottom(argument, node)),
        *_criteria(argument, criteria),
    )


def _names(nodes: Sequence[Node], argument: Argument) -> Iterator[Fault]:
    seen: dict[str, Node] = {}
    for node in nodes:
        if node.id in seen:  # A2
            yield Fault(node.id, "duplicate_id", "another node has this id")
            continue
        seen[node.id] = node
        if node.parent is not None and node.parent not in argument.nodes:  # A3
            yield Fault(node.id, "unknown_parent", f"there is no node {node.parent}")
        if node.cites is not None and node.cites not in argument.nodes:  # A3
            yield Fault(node.id, "unknown_reference", f"it cites {node.cites}, which is no node")


def _shape(argument: Argument) -> Iterator[Fault]:
    order = argument.bottom_up()
    if len(order) < len(argument.nodes):  # A4
        circle = _circle(argument, [node.id for node in order])
        yield Fault(circle[0], "cycle", f"it rests on itself: {' -> '.join(circle)}")
    depth: dict[str, int] = {}
    for node in reversed(order):
        depth[node.id] = 1 if node.parent is None else depth.get(node.parent, 0) + 1
        if depth[node.id] == MAX_DEPTH + 1:  # A1
            yield Fault(node.id, "too_deep", f"it is {MAX_DEPTH + 1} deep in its tree, at most {MAX_DEPTH}")
    for node in argument.nodes.values():
        if len(argument.below[node.id]) > MAX_BELOW:  # A1
            yield Fault(
                node.id, "too_wide", f"{len(argument.below[node.id])} nodes directly below, at most {MAX_BELOW}"
            )
        yield from _placed(argument, node)


def _circle(argument: Argument, fine: Sequence[str]) -> list[str]:
    """Return the ids of a circle, from its least id back to that; all that is not ``fine`` leads to one."""
    aside = frozenset(fine)
    path: list[str] = []
    name = min(name for name in argument.nodes if name not in aside)
    while name not in path:
        path.append(name)
        name = min(each.id for each in argument.rests_on(argument.nodes[name]) if each.id not in aside)
    circle = path[path.index(name) :]
    first = circle.index(min(circle))
    return [*circle[first:], *circle[: first + 1]]


def _placed(argument: Argument, node: Node) -> Iterator[Fault]:
    """Yield what is wrong with where a node stands."""  # A5
    kind = argument.kind_of(node)
    if kind == CITE and node.cites is not None and node.cites in argument.nodes:
        yield Fault(node.id, "wrong_kind_below", f"it cites the citation {node.cites}; cite what that cites")
    if node.parent is None:
        if node.kind != CLAIM:
            yield Fault(node.id, "wrong_kind_below", f"a tree begins with a claim, not with {_named(node.kind)}")
        return
    if node.kind == CITE and kind == DEFEATER:
        yield Fault(node.id, "wrong_kind_below", "a defeater is not cited; write one below each node that it attacks")
        return
    above = argument.nodes.get(node.parent)
    if kind != CITE and above is not None and kind not in BELOW.get(above.kind, ()):
        yield Fault(node.id, "wrong_kind_below", f"{_named(kind)} cannot stand below {_named(above.kind)} ({above.id})")


def _named(kind: str) -> str:
    return {EVIDENCE: "evidence", ASSUMPTION: "an assumption"}.get(kind, f"a {kind}")


def _bottom(argument: Argument, node: Node) -> Iterator[Fault]:
    """Yield what a node lacks below it, or of itself."""
    argued = argument.argued(node)
    match node.kind:
        case "claim" if node.declared == ASSERTED and not argued:  # A6
            detail = "nothing is below it; add evidence or claims, or declare it needsSupport, assumed or axiomatic"
            yield Fault(node.id, "undeveloped", detail)
        case "strategy" if not any(argument.kind_of(each) == CLAIM for each in argued):  # A6
            yield Fault(node.id, "empty_strategy", "no claim is below it")
        case "evidence" if not node.grounded:  # A7
            yield Fault(node.id, "evidence_without_digest", "it has neither a SHA-256 nor a reference into the ledger")
        case "defeater" if not argued:  # A10
            yield Fault(node.id, "unanswered_defeater", "nothing is below it that answers it")
        case _:
            return


def _criteria(argument: Argument, criteria: Sequence[str]) -> Iterator[Fault]:
    argued = {top.criterion for top in argument.tops if top.kind == CLAIM}
    for criterion in criteria:
        if criterion not in argued:  # A11
            yield Fault(criterion, "criterion_unaddressed", "no top claim argues for this criterion")
    for node in argument.nodes.values():
        if node.criterion is not None and (node.parent is not None or node.kind != CLAIM):  # A11
            yield Fault(node.id, "misplaced_criterion", "only a claim at the top of a tree argues for a criterion")
