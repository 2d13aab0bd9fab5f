"""The dotted chart as SVG: one line a case, one dot an event, by time.

Law: as ``charts``. Dots of one activity are one path, so a page of some thousand events stays small.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, Final

from coseal.console.case_filters import length_text
from coseal.console.html import Html, el
from coseal.console.page import Page
from coseal.console.supervision_parts import case_link

_WIDTH: Final = 960
_TOP: Final = 22
_TICKS: Final = 6
COLOURS: Final = 7
"""How many activities have a colour of their own, the most frequent; the others share one."""

_Line = tuple[str, Sequence[Sequence[int]]]


def dotted_chart(page: Page, process_type: str, found: Mapping[str, Any], *, relative: bool) -> Html:
    """Return the chart of the document of ``/v1/process-types/{id}/dots``, and what its colours mean.

    A line leads to its case in ``process_type``.
    """
    names, lines = found["activities"], _lines(found, relative=relative)
    dots = [(place, number, ms) for number, (_, line) in enumerate(lines) for place, ms in line]
    low = min((ms for _, _, ms in dots), default=0)
    wide = max(1, max((ms for _, _, ms in dots), default=0) - low)
    step = max(3.0, min(14.0, 420 / max(1, len(lines))))
    height = round(_TOP + step * len(lines) + 6)
    ranks = {place: rank for rank, (place, _) in enumerate(Counter(place for place, _, _ in dots).most_common())}
    paths: dict[int, list[str]] = {}
    for place, number, ms in dots:
        x, y = 6 + (_WIDTH - 12) * (ms - low) / wide, _TOP + step * (number + 0.5)
        paths.setdefault(min(ranks[place], COLOURS), []).append(f"M{x:.1f} {y:.1f}h0")
    size = f"{max(3.0, min(7.0, step)):.1f}"
    shapes = [
        el("path", {"d": "".join(paths[rank]), "class": f"dots colour-{rank}", "stroke-width": size})
        for rank in sorted(paths, reverse=True)
    ]
    label = page.t("dots.label", cases=page.number(len(lines)), events=page.number(len(dots)))
    frame = {"viewBox": f"0 0 {_WIDTH} {height}", "role": "group", "aria-label": label, "class": "chart dotted"}
    links = [
        _link(case_link(process_type, found["type"] or "", name), name, _TOP + step * number, step)
        for number, (name, _) in enumerate(lines)
    ]
    legend = [
        el("li", None, _key(rank), names[place] if rank < COLOURS else page.t("dots.others"))
        for place, rank in ranks.items()
        if rank <= COLOURS
    ]
    drawing = el("svg", frame, _axis(page, low, wide, height, relative=relative), shapes, links)
    shown = page.t("dots.shown", shown=page.number(len(lines)), cases=page.number(found["total"]))
    part = el("p", {"class": "note"}, shown) if found["total"] > len(lines) else None
    scroll = {"class": "scroll", "tabindex": "0", "role": "group", "aria-label": page.t("dots.title")}
    return el("figure", {"class": "chart"}, part, el("div", scroll, drawing), el("ul", {"class": "legend"}, legend))


def _link(href: str, name: str, y: float, step: float) -> Html:
    """Return what is pointed at to open a case: its line. It is no stop of the keyboard, the list of cases has them."""
    place = {"x": "0", "y": f"{y:.1f}", "width": str(_WIDTH), "height": f"{step:.1f}", "class": "line"}
    marks: dict[str, str | int | bool | None] = {"href": href, "tabindex": "-1"}
    return el("a", marks, el("title", None, name), el("rect", place))


def _lines(found: Mapping[str, Any], *, relative: bool) -> list[_Line]:
    lines: list[_Line] = []
    known = range(len(found["activities"]))
    for case in found["cases"]:
        dots = [dot for dot in case["dots"] if dot[0] in known]
        first_ms = min((ms for _, ms in dots), default=0) if relative else 0
        lines.append((case["id"], [(place, ms - first_ms) for place, ms in dots]))
    return lines


def _key(rank: int) -> Html:
    dot = el("path", {"d": "M6 6h0", "class": f"dots colour-{rank}", "stroke-width": "9"})
    return el("svg", {"viewBox": "0 0 12 12", "width": "12", "height": "12", "aria-hidden": "true"}, dot)


def _axis(page: Page, low: int, wide: int, height: int, *, relative: bool) -> list[Html]:
    made = []
    for tick in range(_TICKS + 1):
        ms, x = low + wide * tick // _TICKS, 6 + (_WIDTH - 12) * tick / _TICKS
        anchor = "start" if tick == 0 else "end" if tick == _TICKS else "middle"
        unit = next(size for size in (86_400_000, 3_600_000, 60_000, 1_000, 1) if wide >= 12 * size or size == 1)
        words = length_text(ms // unit * unit) if relative else page.time(ms)[: 10 if wide > 5 * 86_400_000 else 16]
        made.append(el("line", {"x1": f"{x:.1f}", "x2": f"{x:.1f}", "y1": _TOP - 4, "y2": height, "class": "grid"}))
        made.append(el("text", {"x": f"{x:.1f}", "y": "12", "class": f"axis {anchor}"}, words))
    return made
