"""Charts as SVG made here: nothing runs in the browser, colours follow the theme, each has a table beside it.

Law: a chart shows figures it was given and no others; the same figures are in its table for those who cannot see it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from coseal.console.html import Html, el
from coseal.console.page import Page

_WIDTH: Final = 720
_LEFT: Final = 44
_TICKS: Final = 4
_CLOSE: Final = 60


def bars(
    page: Page,
    key: str,
    values: Sequence[tuple[str, int]],
    *,
    columns: tuple[str, str],
    height: int = 180,
    links: Sequence[str | None] = (),
    ticks: Sequence[str] = (),
) -> Html:
    """Return vertical bars of (label, figure), for years and other ordered things.

    ``key`` names the chart, ``columns`` are the keys of its table's head; ``links`` make bars links; ``ticks`` stand
    below bars whose labels are too long for that.
    """
    top = _round_up(max((value for _, value in values), default=0))
    inner, base = _WIDTH - _LEFT, height - 22
    step = inner / max(1, len(values))
    every = max(1, -(-len(values) * 34 // inner))  # labels that would touch are left out
    shapes = []
    for tick in range(_TICKS + 1):
        y = base - (base - 8) * tick / _TICKS
        shapes.append(el("line", {"x1": _LEFT, "x2": _WIDTH, "y1": f"{y:.1f}", "y2": f"{y:.1f}", "class": "grid"}))
        written = page.number(top * tick / _TICKS)
        shapes.append(el("text", {"x": _LEFT - 6, "y": f"{y + 4:.1f}", "class": "axis end"}, written))
    for number, (label, value) in enumerate(values):
        x, tall = _LEFT + number * step, (base - 8) * value / top
        place = {"x": f"{x + step * 0.14:.1f}", "width": f"{step * 0.72:.1f}", "rx": "1"}
        shape = {"y": f"{base - tall:.1f}", "height": f"{tall:.1f}", "class": "bar"}
        bar = el("rect", {**place, **shape}, el("title", None, f"{label}: {page.number(value)}"))
        link = links[number] if number < len(links) else None
        shapes.append(el("a", {"href": link, "aria-label": f"{label}: {value}"}, bar) if link else bar)
        if number % every == 0:
            middle = f"{x + step / 2:.1f}"
            between = step * every < _CLOSE and number // every % 2  # left out where the chart is narrow
            kind = "axis middle minor" if between else "axis middle"
            below = ticks[number] if ticks else label
            shapes.append(el("text", {"x": middle, "y": height - 6, "class": kind}, below))
    return _figure(page, key, height, shapes, values, columns)


def ranked(page: Page, key: str, values: Sequence[tuple[str, int]], *, links: Sequence[str | None] = ()) -> Html:
    """Return horizontal bars of (label, figure), one a line, for things without an order of their own."""
    top = max((value for _, value in values), default=0) or 1
    lines = []
    for number, (label, value) in enumerate(values):
        link = links[number] if number < len(links) else None
        width = f"{100 * value / top:.1f}%"
        bar = el("rect", {"x": "0", "y": "0", "height": "8", "width": width, "rx": "1", "class": "bar"})
        track = el("svg", {"class": "track", "height": "8", "aria-hidden": "true"}, bar)
        name = el("a", {"href": link}, label) if link else label
        figure = el("span", {"class": "num"}, page.number(value))
        lines.append(el("li", None, el("span", {"class": "name", "title": label}, name), track, figure))
    return el("ol", {"class": "ranked", "aria-label": page.t(key)}, lines)


def spark(values: Sequence[float], *, width: int = 160, height: int = 36) -> Html:
    """Return a small line without axes, hidden from screen readers: the figure beside it says the same."""
    if len(values) < 2:
        return el("svg", {"class": "spark", "viewBox": f"0 0 {width} {height}", "aria-hidden": "true"})
    top = max(values) or 1
    step = width / (len(values) - 1)
    points = [f"{n * step:.1f},{height - 2 - (height - 4) * value / top:.1f}" for n, value in enumerate(values)]
    area = el("polygon", {"points": f"0,{height} {' '.join(points)} {width},{height}", "class": "area"})
    line = el("polyline", {"points": " ".join(points), "class": "line"})
    frame = {"class": "spark", "viewBox": f"0 0 {width} {height}", "preserveAspectRatio": "none", "aria-hidden": "true"}
    return el("svg", frame, area, line)


def _figure(
    page: Page,
    key: str,
    height: int,
    shapes: Sequence[Html],
    values: Sequence[tuple[str, int]],
    columns: tuple[str, str],
) -> Html:
    frame = {"viewBox": f"0 0 {_WIDTH} {height}", "role": "group", "aria-label": page.t(key), "class": "chart"}
    rows = [
        el("tr", None, el("th", {"scope": "row"}, label), el("td", {"class": "num"}, page.number(value)))
        for label, value in values
    ]
    head = el("tr", None, [el("th", {"scope": "col"}, page.t(column)) for column in columns])
    table = el("table", None, el("thead", None, head), el("tbody", None, rows))
    scroll = {"class": "scroll low", "tabindex": "0", "role": "group", "aria-label": page.t(key)}
    folded = el("details", {"class": "raw"}, el("summary", None, page.t("part.table")), el("div", scroll, table))
    return el("figure", {"class": "chart"}, el("svg", frame, *shapes), folded)


def _round_up(value: int) -> int:
    """Return the next figure that four ticks divide well."""
    step = 4
    while step < value:
        for factor in (4, 8, 20, 40):
            if step // 4 * factor >= value:
                return step // 4 * factor
        step *= 10
    return step
