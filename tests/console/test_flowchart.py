"""The layout of the process map: nothing overlaps, nothing is left out, the same graph gives the same picture."""

from __future__ import annotations

import re
from itertools import combinations
from typing import Any
from xml.etree import ElementTree

from hypothesis import given, settings
from hypothesis import strategies as st

from coseal.console.flowchart import BOX, Edge, lay_out
from coseal.console.map_drawing import Arrow, Box, drawing, wrapped
from coseal.console.process_map import END, START, drawn_edges

GROUND = re.compile(r'<rect x="(-?\d+)" y="(-?\d+)" width="(\d+)" height="17" rx="3" class="ground">')
NAMES = [f"n{number}" for number in range(9)]
GRAPHS = st.dictionaries(st.tuples(st.sampled_from(NAMES), st.sampled_from(NAMES)), st.integers(1, 1_000), max_size=30)


@settings(deadline=None, max_examples=60)
@given(GRAPHS)
def test_boxes_keep_apart_and_every_edge_is_drawn_inside_the_picture(graph: dict[tuple[str, str], int]) -> None:
    edges = [Edge(before, after, weight) for (before, after), weight in graph.items()]
    layout = lay_out(NAMES, edges)
    assert set(layout.boxes) == set(NAMES)
    assert set(layout.lines) == set(graph)
    for (_, one), (_, other) in combinations(layout.boxes.items(), 2):
        assert abs(one[0] - other[0]) >= BOX[0] or abs(one[1] - other[1]) >= BOX[1]
    for x, y in [*layout.boxes.values(), *(point for line in layout.lines.values() for point in line)]:
        assert 0 <= x <= layout.width
        assert 0 <= y <= layout.height
    forward = [pair for pair in graph if pair not in layout.back]
    assert all(layout.boxes[before][1] < layout.boxes[after][1] for before, after in forward)
    assert lay_out(NAMES, edges) == layout


def found(**more: Any) -> dict[str, Any]:
    activities = [
        {"activity": "a", "events": 100, "starts": 100, "ends": 2},
        {"activity": "b", "events": 98, "starts": 0, "ends": 97},
        {"activity": "c", "events": 1, "starts": 0, "ends": 1},
    ]
    flows = [{"from": "a", "to": "b", "count": 98}, {"from": "b", "to": "c", "count": 1}]
    return {"cases": 100, "activities": activities, "flows": flows, **more}


def test_a_threshold_leaves_out_what_is_rare_but_leaves_nothing_alone() -> None:
    _, edges = drawn_edges(found(), 0)
    assert len(edges) == 6
    nodes, edges = drawn_edges(found(), 10)
    assert nodes == [START, "a", "b", "c", END]
    assert {(edge.before, edge.after) for edge in edges} == {
        (START, "a"),
        ("a", "b"),
        ("b", END),
        ("b", "c"),  # the only way to c
        ("c", END),  # the only way from it
    }


def test_a_name_stands_whole_in_its_box() -> None:
    long = "T15 Print document X request unlicensed construction, second copy"
    for name in ("Send Fine", long, "确认收到许可申请并作出受理决定通知申请人"):
        lines = wrapped(name)
        assert "".join(lines).replace(" ", "") == name.replace(" ", "")
        assert all(len(line) <= 31 for line in lines)
    assert wrapped("x" * 128)[-1].endswith("…")


def test_a_label_stands_apart_and_arrows_are_drawn_by_the_chosen_figure() -> None:
    names = ["a", "b", "c", "d"]
    pairs = [("a", "b"), ("a", "c"), ("a", "d"), ("b", "d"), ("c", "d"), ("d", "a"), ("b", "b")]
    layout = lay_out(names, [Edge(*pair, 5) for pair in pairs])
    boxes = [Box(name, name, [("9", None)], name, f"/{name}", 1.0) for name in names]
    arrows = [Arrow(*pair, 10**number, f"1e{number}", "to", f"/{number}", None) for number, pair in enumerate(pairs)]
    made = drawing(layout, boxes, arrows, label="map", types=[], measure="How often")
    svg = str(made.svg())
    grounds = [tuple(map(int, one)) for one in GROUND.findall(svg)]
    assert len(grounds) == len(arrows)
    for (x, y, wide), (other_x, other_y, other_wide) in combinations(grounds, 2):
        assert abs(y - other_y) >= 17 or x + wide <= other_x or other_x + other_wide <= x
    widths = [float(one) for one in re.findall(r'stroke-width="([\d.]+)"', svg)]
    assert widths == sorted(widths)
    assert widths[-1] > 3 * widths[0]
    assert svg.count("head-heat-1)") == 1
    assert svg.count("head-heat-5)") >= 1
    assert svg.count('class="arc heat-5 back"') == 1  # from b to itself
    assert made.range == ("1e0", "1e6")
    alone = made.file(".flowchart .arc { fill: none; }\n  --heat-1: light-dark(#aaaaaa, #bbbbbb);\n.other { }")
    assert "--heat-1: #aaaaaa;" in alone
    assert ".other" not in alone
    ElementTree.fromstring(alone)
