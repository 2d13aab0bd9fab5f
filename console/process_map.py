"""The directly-follows map as SVG, with all its figures in a table beside it."""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping, Sequence
from typing import Any, Final

from coseal.console.flowchart import BOX, Edge, Layout, lay_out
from coseal.console.html import Html, el
from coseal.console.page import Page
from coseal.console.parts import table
from coseal.console.shown import Shown

START: Final = "\x02"
END: Final = "\x03"
LEAST: Final = {"0": 0, "": 1, "5": 5, "10": 10, "25": 25}
"""Query parameter -> what share of cases, in percent, a flow has to have to be drawn; 1 unless chosen."""
MEASURES: Final = ("count", "median", "mean")
_ACTIVITIES_MAX: Final = 60
_NAME_UNITS: Final = 23


def drawn_edges(found: Mapping[str, Any], least_percent: int) -> tuple[list[str], list[Edge]]:
    """Return the nodes and edges to draw: flows of at least a given percentage of the cases.

    Whatever the threshold, each activity keeps its strongest way in and its strongest way out, so nothing stands alone.
    """
    activities = [one["activity"] for one in found["activities"][:_ACTIVITIES_MAX]]
    known = set(activities)
    edges = [Edge(START, one["activity"], one["starts"]) for one in found["activities"] if one["starts"]]
    edges += [Edge(one["activity"], END, one["ends"]) for one in found["activities"] if one["ends"]]
    edges += [Edge(one["from"], one["to"], one["count"]) for one in found["flows"]]
    edges = [edge for edge in edges if {edge.before, edge.after} <= known | {START, END}]
    kept = {edge for edge in edges if edge.weight * 100 >= least_percent * found["cases"]}
    for name in activities:
        for beside in (
            [edge for edge in edges if edge.after == name != edge.before],
            [edge for edge in edges if edge.before == name != edge.after],
        ):
            if beside:
                kept.add(max(beside, key=lambda edge: edge.weight))
    return [START, *activities, END], [edge for edge in edges if edge in kept]


def process_map(page: Page, shown: Shown[dict[str, Any]], *, least: int, measure: str) -> Html:
    """Return the map of the document of ``/v1/process-types/{id}/map``, and its table."""
    found = shown.value
    nodes, edges = drawn_edges(found, least)
    layout = lay_out(nodes, edges)
    flows = {(one["from"], one["to"]): one for one in found["flows"]}
    heaviest = max((edge.weight for edge in edges), default=1)
    shapes = [_edge(page, edge, layout, flows.get((edge.before, edge.after)), heaviest, measure) for edge in edges]
    boxes = [_box(page, name, layout, found) for name in nodes]
    marker = {"id": "arrow", "viewBox": "0 0 8 8", "refX": "7", "refY": "4", "markerWidth": "7", "markerHeight": "7"}
    head = el("marker", {**marker, "orient": "auto", "markerUnits": "userSpaceOnUse"}, _arrow())
    size: dict[str, str | int | bool | None] = {
        "viewBox": f"0 0 {layout.width} {layout.height}",
        "width": layout.width,
        "height": layout.height,
    }
    named: dict[str, str | int | bool | None] = {
        "role": "img",
        "aria-label": page.t("processes.map.label", count=len(edges)),
        "class": "flowchart",
    }
    drawing = el("svg", {**size, **named}, el("defs", None, head), shapes, boxes)
    scroll = {"class": "scroll map", "tabindex": "0", "role": "group", "aria-label": page.t("processes.map")}
    folded = el("summary", None, page.t("part.table"))
    return el(
        "figure",
        {"class": "chart"},
        el("div", scroll, drawing),
        el("details", {"class": "raw"}, folded, _activities(page, found), _flows(page, found)),
    )


def _arrow() -> Html:
    return el("path", {"d": "M0 0.8 7.4 4 0 7.2z", "class": "arrow"})


def _box(page: Page, name: str, layout: Layout, found: Mapping[str, Any]) -> Html:
    x, y = layout.boxes[name]
    if name in (START, END):
        words = page.t("processes.start" if name == START else "processes.end")
        text = el("text", {"x": f"{x:.0f}", "y": f"{y + 4:.0f}", "class": "middle edge-name"}, words)
        pill = {"x": f"{x - 34:.0f}", "y": f"{y - 14:.0f}", "width": "68", "height": "28", "rx": "14", "class": "pill"}
        return el("g", None, el("rect", pill), text)
    events = next(one["events"] for one in found["activities"] if one["activity"] == name)
    most = max(one["events"] for one in found["activities"])
    depth = 1 + round(3 * events / most)
    left, top = x - BOX[0] / 2, y - BOX[1] / 2
    frame = {"x": f"{left:.0f}", "y": f"{top:.0f}", "width": str(BOX[0]), "height": str(BOX[1]), "rx": "5"}
    return el(
        "g",
        None,
        el("title", None, f"{name}: {page.number(events)}"),
        el("rect", {**frame, "class": f"box depth-{depth}"}),
        el("text", {"x": f"{x:.0f}", "y": f"{y - 2:.0f}", "class": "middle box-name"}, shortened(name)),
        el("text", {"x": f"{x:.0f}", "y": f"{y + 13:.0f}", "class": "middle box-count"}, page.number(events)),
    )


def shortened(name: str) -> str:
    """Return a name that fits its box; a Chinese sign takes the room of two letters."""
    room = _NAME_UNITS
    kept: list[str] = []
    for letter in name:
        room -= 2 if ord(letter) > 0x2E7F else 1
        if room < 0:
            return "".join(kept[:-1]) + "…"
        kept.append(letter)
    return name


def _edge(page: Page, edge: Edge, layout: Layout, flow: Mapping[str, Any] | None, heaviest: int, measure: str) -> Html:
    pair = (edge.before, edge.after)
    points = layout.lines[pair]
    path, middle = _loop(points) if edge.before == edge.after else _up(points) if pair in layout.back else _down(points)
    width = 1.0 + 4.0 * math.log1p(edge.weight) / math.log1p(heaviest)
    label = page.number(edge.weight)
    if measure != "count":
        took = None if flow is None else flow[f"{measure}_ms"]
        label = "" if took is None else span(page, took)
    kinds = "arc back" if pair in layout.back else "arc"
    shape = {"d": path, "class": kinds, "stroke-width": f"{width:.1f}", "marker-end": "url(#arrow)"}
    text = el("text", {"x": f"{middle[0]:.0f}", "y": f"{middle[1]:.0f}", "class": "middle flow-label"}, label)
    return el("g", None, el("path", shape), text if label else None)


def span(page: Page, ms: int) -> str:
    """Return a length of time that may be negative: events may be recorded out of their order."""
    return f"−{page.duration(ms)}" if ms < 0 else page.duration(ms)


def _down(points: Sequence[tuple[float, float]]) -> tuple[str, tuple[float, float]]:
    """Return the path of an edge that goes down through its bends, and where its label stands."""
    half = BOX[1] / 2
    (x, y), (end_x, end_y) = points[0], points[-1]
    way = [(x, y + half), *points[1:-1], (end_x, end_y - half - 1)]
    parts = [f"M{way[0][0]:.0f} {way[0][1]:.0f}"]
    for (from_x, from_y), (to_x, to_y) in itertools.pairwise(way):
        bend = (to_y - from_y) / 2
        parts.append(f"C{from_x:.0f} {from_y + bend:.0f} {to_x:.0f} {to_y - bend:.0f} {to_x:.0f} {to_y:.0f}")
    if len(way) == 2:
        return " ".join(parts), ((x + end_x) / 2, (way[0][1] + way[1][1]) / 2 + 4)
    return " ".join(parts), (way[len(way) // 2][0], way[len(way) // 2][1] + 4)


def _up(points: Sequence[tuple[float, float]]) -> tuple[str, tuple[float, float]]:
    """Return the path of an edge that goes back up, to the left of its boxes."""
    (x, y), (end_x, end_y) = points
    left, end_left = x - BOX[0] / 2, end_x - BOX[0] / 2
    out = min(left, end_left) - 26 - 0.03 * abs(y - end_y)
    path = f"M{left:.0f} {y:.0f}C{out:.0f} {y:.0f} {out:.0f} {end_y:.0f} {end_left - 1:.0f} {end_y:.0f}"
    return path, (0.25 * (left + end_left) / 2 + 0.75 * out, (y + end_y) / 2 + 4)


def _loop(points: Sequence[tuple[float, float]]) -> tuple[str, tuple[float, float]]:
    """Return the path of an edge from a box to itself, at its right."""
    x, y = points[0]
    right = x + BOX[0] / 2
    out = right + 34
    path = f"M{right:.0f} {y - 9:.0f}C{out:.0f} {y - 26:.0f} {out:.0f} {y + 26:.0f} {right + 1:.0f} {y + 9:.0f}"
    return path, (right + 26, y + 30)


def _activities(page: Page, found: Mapping[str, Any]) -> Html:
    rows = [
        [one["activity"], page.number(one["events"]), page.number(one["starts"]), page.number(one["ends"])]
        for one in found["activities"]
    ]
    columns = ("processes.activity", "processes.events", "processes.starts", "processes.ends")
    return table(page, "processes.activities", columns, rows, numeric="1 2 3")


def _flows(page: Page, found: Mapping[str, Any]) -> Html:
    rows = [
        [
            f"{one['from']} → {one['to']}",
            page.number(one["count"]),
            *("–" if one[name] is None else span(page, one[name]) for name in ("median_ms", "mean_ms")),
        ]
        for one in found["flows"]
    ]
    columns = ("processes.flow", "processes.count", "processes.measure.median", "processes.measure.mean")
    return table(page, "processes.flows", columns, rows, numeric="1 2 3")
