"""The directly-follows map: what is drawn of the figures of one object type, or of several at once, and its table.

Law: whatever the threshold, each activity keeps its strongest way in and its strongest way out; the table beside the
drawing has every figure that was given.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from coseal.console.flowchart import Edge, lay_out
from coseal.console.html import Html, el
from coseal.console.map_drawing import Arrow, Box, Drawing, drawing
from coseal.console.page import Page
from coseal.console.parts import table
from coseal.console.process_parts import cases_link, span
from coseal.console.sorting import sized

START: Final = "\x02"
END: Final = "\x03"
LEAST: Final = {"0": 0, "": 1, "5": 5, "10": 10, "25": 25}
"""Query parameter -> what share of cases, in percent, a flow has to have to be drawn; 1 unless chosen."""
MEASURES: Final = ("count", "median", "mean")
TYPES_MAX: Final = 7
"""How many object types are drawn at once, each in a colour of its own."""
_ACTIVITIES_MAX: Final = 60

Found = Mapping[str, Any]
"""A document of ``/v1/process-types/{id}/map``."""


def drawn_edges(found: Found, least_percent: int) -> tuple[list[str], list[Edge]]:
    """Return the nodes and edges to draw: flows of at least a given percentage of the cases."""
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


def process_map(page: Page, process_type: str, several: Sequence[Found], *, least: int, measure: str) -> Html:
    """Return the map of one or several object types, what its colours mean, and its tables."""
    drawn = map_drawing(page, process_type, several, least=least, measure=measure)
    scroll = {"class": "scroll map", "tabindex": "0", "role": "group", "aria-label": page.t("processes.map")}
    folded = el("summary", None, page.t("part.table"))
    tables = [part for found in several for part in (_activities(page, found), _flows(page, found))]
    return el(
        "figure",
        {"class": "chart"},
        el("div", scroll, drawn.svg()),
        drawn.legend(),
        el("details", {"class": "raw"}, folded, tables),
    )


def map_drawing(page: Page, process_type: str, several: Sequence[Found], *, least: int, measure: str) -> Drawing:
    """Return the drawing of the map."""
    names: list[str] = []
    weights: dict[tuple[str, str], int] = {}
    arrows: list[Arrow] = []
    for number, found in enumerate(several):
        nodes, edges = drawn_edges(found, least)
        names += [name for name in nodes if name not in names]
        for edge in edges:
            pair = (edge.before, edge.after)
            weights[pair] = weights.get(pair, 0) + edge.weight
        arrows += _arrows(page, process_type, found, edges, measure, number if len(several) > 1 else None)
    names.sort(key=lambda name: (name == END, name != START))  # stable: the end comes last, whatever types there are
    layout = lay_out(names, [Edge(*pair, weight) for pair, weight in weights.items()])
    boxes = [_box(page, process_type, name, several) for name in names]
    meaning = [(found["type"] or "–") for found in several] if len(several) > 1 else []
    label = page.t("processes.map.label", count=len(arrows))
    return drawing(layout, boxes, arrows, label=label, types=meaning, measure=page.t(f"processes.measure.{measure}"))


def _arrows(
    page: Page, process_type: str, found: Found, edges: Sequence[Edge], measure: str, colour: int | None
) -> list[Arrow]:
    flows = {(one["from"], one["to"]): one for one in found["flows"]}
    made = []
    for edge in edges:
        flow = flows.get((edge.before, edge.after))
        took = None if flow is None or measure == "count" else flow[f"{measure}_ms"]
        value = edge.weight if measure == "count" else took
        words = page.number(edge.weight) if measure == "count" else "" if took is None else span(page, took)
        ends = {START: page.t("processes.start"), END: page.t("processes.end")}
        title = f"{ends.get(edge.before, edge.before)} → {ends.get(edge.after, edge.after)}: {page.number(edge.weight)}"
        if found["type"] and colour is not None:
            title = f"{found['type']}: {title}"
        if edge.before == START:
            asked = {"first": edge.after}
        elif edge.after == END:
            asked = {"last": edge.before}
        else:
            asked = {"before": edge.before, "after": edge.after}
        href = cases_link(page, process_type, found["type"], **asked)
        made.append(Arrow(edge.before, edge.after, value, words, title, href, colour))
    return made


def _box(page: Page, process_type: str, name: str, several: Sequence[Found]) -> Box:
    if name in (START, END):
        return Box(name, page.t("processes.start" if name == START else "processes.end"), (), "", None, 0.0)
    events = {
        found["type"]: one["events"] for found in several for one in found["activities"] if one["activity"] == name
    }
    most = max((one["events"] for found in several for one in found["activities"]), default=1)
    figures = {kind: page.number(count) for kind, count in events.items()}
    apart = len(several) > 1
    colours = {found["type"]: number if apart else None for number, found in enumerate(several)}
    counts = [(count, colours[kind]) for kind, count in figures.items()]
    title = " · ".join(f"{kind} {count}" if apart else count for kind, count in figures.items())
    href = cases_link(page, process_type, next(iter(events), None), activity=name)
    return Box(name, name, counts, f"{name}: {title}", href, max(events.values(), default=0) / max(1, most))


def _activities(page: Page, found: Found) -> Html:
    rows = [
        [one["activity"], page.number(one["events"]), page.number(one["starts"]), page.number(one["ends"])]
        for one in found["activities"]
    ]
    columns = ("processes.activity", "processes.events", "processes.starts", "processes.ends")
    return table(page, "processes.activities", columns, rows, numeric="1 2 3")


def _flows(page: Page, found: Found) -> Html:
    rows = [
        [
            f"{one['from']} → {one['to']}",
            page.number(one["count"]),
            *(
                "–" if one[name] is None else sized(span(page, one[name]), one[name])
                for name in ("median_ms", "mean_ms")
            ),
        ]
        for one in found["flows"]
    ]
    columns = ("processes.flow", "processes.count", "processes.measure.median", "processes.measure.mean")
    return table(page, "processes.flows", columns, rows, numeric="1 2 3")
