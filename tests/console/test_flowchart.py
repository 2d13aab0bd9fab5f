"""The layout of the process map: nothing overlaps, nothing is left out, the same graph gives the same picture."""

from __future__ import annotations

from itertools import combinations
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from coseal.console.flowchart import BOX, Edge, lay_out
from coseal.console.process_map import END, START, drawn_edges, shortened

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


def test_a_name_fits_its_box() -> None:
    assert shortened("Send Fine") == "Send Fine"
    assert len(shortened("Insert Date Appeal to Prefecture")) <= 24
    assert shortened("办理行政处罚决定书送达回证登记").endswith("…")
    assert shortened("送达回证登记") == "送达回证登记"
