"""Lines over periods as SVG: how shares or figures of several things grew, with thresholds drawn across.

Law: as ``charts``: the figures that are drawn are in the table below; a line breaks where there is no figure.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from coseal.console.html import Child, Html, el
from coseal.console.page import Page

COLOURS: Final = 8
"""How many lines have a colour of their own."""
_WIDTH: Final = 720
_HEIGHT: Final = 240
_LEFT: Final = 44
_RIGHT: Final = 40
_BASE: Final = _HEIGHT - 24
_TOP: Final = 10
_TICKS: Final = 4
_LABEL: Final = 84


@dataclass(frozen=True, slots=True)
class Line:
    """A named line: a figure for each label, or None, and its place on the axis from 0 to 1; ``full`` marks points."""

    name: str
    places: Sequence[float | None]
    written: Sequence[str]
    full: Sequence[bool]
    href: str | None = None


@dataclass(frozen=True, slots=True)
class Threshold:
    """A line across at a place from 0 to 1, with what it means, and how it is marked at its end."""

    place: float
    name: str
    mark: str


def line_chart(
    page: Page,
    key: str,
    labels: Sequence[str],
    lines: Sequence[Line],
    axis: Sequence[str],
    thresholds: Sequence[Threshold] = (),
) -> Html:
    """Return the chart with its legend and its table. ``axis`` are the words of the ticks, from 0 up."""
    step = (_WIDTH - _LEFT - _RIGHT) / max(1, len(labels) - 1)
    across = [_LEFT + number * step if len(labels) > 1 else (_WIDTH + _LEFT) / 2 for number in range(len(labels))]
    shapes = [*_grid(axis), *(shape for one in thresholds for shape in _threshold(one)), *_below(labels, across)]
    for number, one in enumerate(lines):
        shapes += _drawn(one, number % COLOURS, across, labels)
    frame = {"viewBox": f"0 0 {_WIDTH} {_HEIGHT}", "role": "img", "aria-label": page.t(key), "class": "chart lines"}
    legend = [el("li", None, _key(number % COLOURS), " ", _name(one)) for number, one in enumerate(lines)]
    legend += [el("li", None, _dashed(), " ", one.name) for one in thresholds]
    return el(
        "figure",
        {"class": "chart"},
        el("ul", {"class": "legend"}, legend),
        el("svg", frame, *shapes),
        _table(page, key, labels, lines),
    )


def _height(place: float) -> float:
    return _BASE - (_BASE - _TOP) * min(1.0, max(0.0, place))


def _grid(axis: Sequence[str]) -> list[Html]:
    found = []
    for tick, words in enumerate(axis):
        y = _height(tick / max(1, len(axis) - 1))
        found.append(el("line", {"x1": _LEFT, "x2": _WIDTH, "y1": f"{y:.1f}", "y2": f"{y:.1f}", "class": "grid"}))
        found.append(el("text", {"x": _LEFT - 6, "y": f"{y + 4:.1f}", "class": "axis end"}, words))
    return found


def _threshold(one: Threshold) -> list[Html]:
    y = _height(one.place)
    place: dict[str, str | int | bool | None] = {
        "x1": _LEFT,
        "x2": _WIDTH - 26,
        "y1": f"{y:.1f}",
        "y2": f"{y:.1f}",
        "class": "threshold",
    }
    mark = el("text", {"x": _WIDTH, "y": f"{y + 4:.1f}", "class": "axis end"}, one.mark)
    return [el("line", place, el("title", None, one.name)), mark]


def _below(labels: Sequence[str], across: Sequence[float]) -> list[Html]:
    """Return the labels, as many as do not touch, the last one always."""
    every = max(1, -(-len(labels) * _LABEL // (_WIDTH - _LEFT)))
    last = len(labels) - 1
    found = []
    for number, words in enumerate(labels):
        if (last - number) % every:
            continue
        kind = "end" if number == last and last else "middle" if number else ""
        found.append(el("text", {"x": f"{across[number]:.1f}", "y": _HEIGHT - 6, "class": f"axis {kind}"}, words))
    return found


def _drawn(one: Line, colour: int, across: Sequence[float], labels: Sequence[str]) -> list[Html]:
    path, points, pen = [], [], "M"
    for number, place in enumerate(one.places):
        if place is None:
            pen = "M"
            continue
        at = f"{across[number]:.1f} {_height(place):.1f}"
        path.append(f"{pen}{at}")
        pen = "L"
        x, y = at.split()
        kind = f"point colour-{colour}{' full' if one.full[number] else ''}"
        title = el("title", None, f"{one.name}, {labels[number]}: {one.written[number]}")
        points.append(el("circle", {"cx": x, "cy": y, "r": "4", "class": kind}, title))
    return [el("path", {"d": "".join(path), "class": f"stroke colour-{colour}"}), *points]


def _key(colour: int) -> Html:
    line = el("path", {"d": "M1 6h20", "class": f"stroke colour-{colour}"})
    dot = el("circle", {"cx": "11", "cy": "6", "r": "4", "class": f"point colour-{colour} full"})
    return el("svg", {"width": "22", "height": "12", "aria-hidden": "true", "class": "lines"}, line, dot)


def _dashed() -> Html:
    line = el("path", {"d": "M1 6h20", "class": "threshold"})
    return el("svg", {"width": "22", "height": "12", "aria-hidden": "true", "class": "lines"}, line)


def _name(one: Line) -> Child:
    return el("a", {"href": one.href}, one.name) if one.href else one.name


def _table(page: Page, key: str, labels: Sequence[str], lines: Sequence[Line]) -> Html:
    head = [el("th", {"scope": "col"}, page.t("standards.period")), *(el("th", None, one.name) for one in lines)]
    rows = [
        el(
            "tr",
            None,
            el("th", {"scope": "row"}, label),
            *(el("td", {"class": "num"}, one.written[number] or "–") for one in lines),
        )
        for number, label in enumerate(labels)
    ]
    made = el("table", None, el("thead", None, el("tr", None, head)), el("tbody", None, rows))
    scroll = el("div", {"class": "scroll low", "tabindex": "0", "role": "group", "aria-label": page.t(key)}, made)
    return el("details", {"class": "raw"}, el("summary", None, page.t("part.table")), scroll)
