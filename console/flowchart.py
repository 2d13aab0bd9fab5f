"""A directed graph laid out in layers, top to bottom, and drawn as SVG: the process map.

Law: the same graph gives the same picture; no two boxes overlap; every edge that was given is drawn. Edges against
the direction of the layers (a case that goes back) are drawn as such, beside the boxes.

Layers are those of Sugiyama, Tagawa and Toda, "Methods for visual understanding of hierarchical system structures"
(1981): cycles are broken at their weakest edges, long edges get a bend in every layer, crossings are lessened by
sorting each layer by the middle of its neighbours.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

BOX: Final = (204, 62)
_BEND: Final = 14
_GAP: Final = 30
_LAYER: Final = 130
_SWEEPS: Final = 8
_MARGIN: Final = 14
_LOOP: Final = 110


@dataclass(frozen=True, slots=True)
class Edge:
    """From one node to another, by their names; ``weight`` (above 0) says which edges give the direction."""

    before: str
    after: str
    weight: int


@dataclass(slots=True)
class Layout:
    """Where everything stands: centres of boxes, and for each edge the points it goes through, in px.

    ``back`` are the edges that go up, or to their own node.
    """

    width: int
    height: int
    boxes: dict[str, tuple[float, float]]
    lines: dict[tuple[str, str], list[tuple[float, float]]]
    back: set[tuple[str, str]] = field(default_factory=set)


def lay_out(nodes: Sequence[str], edges: Sequence[Edge]) -> Layout:
    """Return a layout; of what is alike, the nodes named first come first."""
    forward = _acyclic(nodes, edges)
    layer_of = _layers(nodes, forward)
    rows, chains = _with_bends(nodes, forward, layer_of)
    links = [pair for chain in chains.values() for pair in itertools.pairwise(chain)]
    up = _neighbours([(after, before) for before, after in links])
    down = _neighbours(links)
    _sort(rows, up, down)
    x = _place(rows, up, down)
    y = {name: number * _LAYER + BOX[1] / 2 + _MARGIN for number, row in enumerate(rows) for name in row}
    back = [edge for edge in edges if (edge.before, edge.after) not in chains]
    left = min((x[name] - _half(name) for row in rows for name in row), default=0.0)
    aside = 52 + 0.03 * _LAYER * len(rows) if any(edge.before != edge.after for edge in back) else 0
    shift = _MARGIN - left + aside
    boxes = {name: (x[name] + shift, y[name]) for name in nodes}
    lines = {pair: [(x[name] + shift, y[name]) for name in chain] for pair, chain in chains.items()}
    for edge in back:
        lines[edge.before, edge.after] = [boxes[edge.before], boxes[edge.after]]
    right = max((px for line in lines.values() for px, _ in line), default=0.0)
    widest = max((centre + BOX[0] / 2 for centre, _ in boxes.values()), default=0.0)
    width = max(right + _BEND, widest + (_LOOP if back else 0)) + _MARGIN
    height = len(rows) * _LAYER - (_LAYER - BOX[1]) + 2 * _MARGIN
    return Layout(round(width), round(height), boxes, lines, {(edge.before, edge.after) for edge in back})


def _acyclic(nodes: Sequence[str], edges: Sequence[Edge]) -> list[tuple[str, str]]:
    """Return the edges, heaviest first, that close no cycle with those before them."""
    after: dict[str, set[str]] = {name: set() for name in nodes}

    def leads(start: str, goal: str) -> bool:
        pending, seen = [start], {start}
        while pending:
            name = pending.pop()
            if name == goal:
                return True
            fresh = after[name] - seen
            seen |= fresh
            pending += fresh
        return False

    taken = []
    place = {name: number for number, name in enumerate(nodes)}
    for edge in sorted(edges, key=lambda one: (-one.weight, place[one.before], place[one.after])):
        if not leads(edge.after, edge.before):
            after[edge.before].add(edge.after)
            taken.append((edge.before, edge.after))
    return taken


def _layers(nodes: Sequence[str], forward: Sequence[tuple[str, str]]) -> dict[str, int]:
    """Return the layer of every node: the longest way to it."""
    before: dict[str, list[str]] = {name: [] for name in nodes}
    for start, end in forward:
        before[end].append(start)
    layer: dict[str, int] = {}

    def of(name: str) -> int:
        if name not in layer:
            layer[name] = 1 + max((of(one) for one in before[name]), default=-1)
        return layer[name]

    for name in nodes:
        of(name)
    return layer


def _with_bends(
    nodes: Sequence[str], forward: Sequence[tuple[str, str]], layer_of: Mapping[str, int]
) -> tuple[list[list[str]], dict[tuple[str, str], list[str]]]:
    """Return the layers, with a bend for every layer an edge passes, and the way of each edge through them."""
    rows: list[list[str]] = [[] for _ in range(1 + max(layer_of.values(), default=-1))]
    for name in nodes:
        rows[layer_of[name]].append(name)
    chains = {}
    for number, (start, end) in enumerate(forward):
        bends = []
        for layer in range(layer_of[start] + 1, layer_of[end]):
            bends.append(f"\0{number}.{layer}")
            rows[layer].append(bends[-1])
        chains[start, end] = [start, *bends, end]
    return rows, chains


def _neighbours(links: Sequence[tuple[str, str]]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for start, end in links:
        found.setdefault(start, []).append(end)
    return found


def _sort(rows: list[list[str]], up: Mapping[str, list[str]], down: Mapping[str, list[str]]) -> None:
    """Sort every layer by the middle of its neighbours above, then below, a few times."""
    for sweep in range(_SWEEPS):
        downwards = sweep % 2 == 0
        order = range(1, len(rows)) if downwards else range(len(rows) - 2, -1, -1)
        for number in order:
            other = rows[number - 1 if downwards else number + 1]
            place = {name: where for where, name in enumerate(other)}
            beside = up if downwards else down
            middle = {
                name: _middle([place[one] for one in beside.get(name, ())], where * len(other) / len(rows[number]))
                for where, name in enumerate(rows[number])
            }
            rows[number].sort(key=middle.__getitem__)


def _middle(values: Sequence[float], otherwise: float) -> float:
    return sum(values) / len(values) if values else otherwise


def _half(name: str) -> float:
    return _BEND / 2 if name.startswith("\0") else BOX[0] / 2


def _place(rows: list[list[str]], up: Mapping[str, list[str]], down: Mapping[str, list[str]]) -> dict[str, float]:
    """Return the x of every node and bend: near its neighbours, in the order of its layer, without overlap."""
    x: dict[str, float] = {}
    for row in rows:
        at = 0.0
        for name in row:
            x[name] = at + _half(name)
            at += 2 * _half(name) + _GAP
    for sweep in range(2 * _SWEEPS):
        for row in rows if sweep % 2 == 0 else rows[::-1]:
            wanted = [_middle([x[one] for one in (*up.get(name, ()), *down.get(name, ()))], x[name]) for name in row]
            for name, where in zip(row, _apart(row, wanted), strict=True):
                x[name] = where
    return x


def _apart(row: Sequence[str], wanted: Sequence[float]) -> list[float]:
    """Return places near the wanted ones that keep the order and a gap: the mean of pushing right and pushing left."""
    right: list[float] = []
    for number, where in enumerate(wanted):
        least = right[-1] + _space(row[number - 1], row[number]) if number else where
        right.append(max(where, least))
    left: list[float] = []
    for number in range(len(row) - 1, -1, -1):
        most = left[-1] - _space(row[number], row[number + 1]) if left else wanted[number]
        left.append(min(wanted[number], most))
    return [(one + other) / 2 for one, other in zip(right, left[::-1], strict=True)]


def _space(one: str, other: str) -> float:
    return _half(one) + _half(other) + _GAP
