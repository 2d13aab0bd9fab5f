"""A process map as SVG: boxes with whole names, arrows whose width and colour say the chosen figure, labels apart.

Law: every box and arrow given is drawn, and is a link to its cases; a label stands on its arrow, over no other label
and over no box where there is room.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Iterator, Sequence, Set
from dataclasses import dataclass
from typing import Final

from coseal.console.flowchart import BOX, Layout
from coseal.console.html import Html, el

HEATS: Final = 5
_HEAD: Final = 10
_PILL: Final = 14
_KEYS: Final = 28
_LINE_UNITS: Final = 31
_LINES_MAX: Final = 3
_BETWEEN: Final = 9
_APART: Final = 1.9
"""Loops of several types at one box stand so much further apart than other arrows: a label each."""
_PLACES: Final = (0.5, 0.36, 0.64, 0.24, 0.76, 0.16, 0.86)
_FIXED: Final = {  # of a drawing that stands alone; on a page the style sheet gives them, for both themes
    "--sheet": "#ffffff",
    "--well": "#eff2f2",
    "--ink": "#16211f",
    "--ink-2": "#4a5856",
    "--line-2": "#b9c4c2",
    "--accent": "#0e5a6b",
    "--accent-2": "#e3eff1",
    "--bar": "#3b8193",
    "--sans": "sans-serif",
}

Point = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Box:
    """An activity: its name in the layout, what is written, its title, its link, and its share of the most events.

    Of several types each count has the colour of its own. Without a link it is the start or the end.
    """

    name: str
    words: str
    counts: Sequence[tuple[str, int | None]]
    title: str
    href: str | None
    share: float


@dataclass(frozen=True, slots=True)
class Arrow:
    """A flow: between which boxes, the figure (None: none), how it is written, title, link, and its colour if types
    have one.
    """

    before: str
    after: str
    value: int | None
    words: str
    title: str
    href: str
    colour: int | None


@dataclass(frozen=True, slots=True)
class Drawing:
    """A finished map."""

    layout: Layout
    label: str
    shapes: Html
    types: Sequence[str]
    measure: str
    range: tuple[str, str] | None

    def svg(self, style: str | None = None) -> Html:
        """Return the map as an element of a page, or with a ``style`` as a document that stands alone."""
        wide, high = self.layout.width, self.layout.height + (_KEYS if style and self.types else 0)
        frame: dict[str, str | int | bool | None] = {"xmlns": "http://www.w3.org/2000/svg"} if style else {}
        frame |= {"viewBox": f"0 0 {wide} {high}", "width": wide, "height": high}
        frame |= {"role": "group", "aria-label": self.label, "class": "flowchart"}
        return el(
            "svg", frame, el("style", None, style) if style else None, self.shapes, self._keys() if style else None
        )

    def _keys(self) -> list[Html]:
        """Return what the colours mean, below the map, for a drawing that stands alone."""
        made, x, y = [], 14, self.layout.height + _KEYS // 2
        for number, name in enumerate(self.types):
            line = {"d": f"M{x} {y}h22", "class": f"arc colour-{number}", "stroke-width": "5"}
            made.append(el("path", line))
            made.append(el("text", {"x": x + 28, "y": y + 4, "class": "flow-label"}, name))
            x += 52 + 7 * _units(name)
        return made

    def file(self, style_sheet: str) -> str:
        """Return the map as a file, with those rules of the console's style sheet that are about maps."""
        fixed = "".join(f"{name}: {value};" for name, value in _FIXED.items())
        rules = [line for line in style_sheet.splitlines() if line.startswith(".flowchart")]
        colours = [line.strip() for line in style_sheet.splitlines() if line.strip().startswith(("--heat", "--colour"))]
        light = "".join(_light(line) for line in colours)
        style = "\n".join([f".flowchart {{ {fixed}{light} background: #ffffff; }}", *rules])
        return f'<?xml version="1.0" encoding="UTF-8"?>\n{self.svg(style)}\n'

    def legend(self) -> Html | None:
        """Return what the colours mean: object types, or the range of the figure."""
        if self.types:
            keys = [el("li", None, _key(f"colour-{number}"), name) for number, name in enumerate(self.types)]
            return el("ul", {"class": "legend"}, keys)
        if self.range is None:
            return None
        keys = [_key(f"heat-{heat}") for heat in range(1, HEATS + 1)]
        return el("p", {"class": "legend"}, f"{self.measure}: {self.range[0]}", el("span", None, keys), self.range[1])


def _light(line: str) -> str:
    """Return a declaration with the first of its two colours."""
    name, _, value = line.rstrip(";").partition(":")
    return f"{name}: {value.strip().removeprefix('light-dark(').split(',')[0]};"


def _key(kind: str) -> Html:
    bar = el("path", {"d": "M1 6H25", "class": f"arc {kind}", "stroke-width": "5"})
    return el("svg", {"viewBox": "0 0 26 12", "width": "26", "height": "12", "aria-hidden": "true"}, bar)


def drawing(
    layout: Layout, boxes: Sequence[Box], arrows: Sequence[Arrow], *, label: str, types: Sequence[str], measure: str
) -> Drawing:
    """Return the drawing of a layout."""
    valued = [arrow for arrow in arrows if arrow.value is not None]
    low = min((max(0, arrow.value or 0) for arrow in valued), default=0)
    high = max((max(0, arrow.value or 0) for arrow in valued), default=0)
    taken = [_around(layout.boxes[box.name], *BOX) for box in boxes]
    beside = _beside(arrows)
    pills = frozenset(box.name for box in boxes if box.href is None)
    lines: list[Html] = []
    labels: list[Html] = []
    ordered = sorted(arrows, key=lambda arrow: -1 if arrow.value is None else arrow.value)
    for arrow in ordered:  # the strongest last: they lie on top, and
        share = 0.0 if arrow.value is None else _share(arrow.value, low, high)
        curves = _curves(layout, arrow, beside[arrow], pills)
        lines.append(_line(arrow, _path(curves), share, is_back=(arrow.before, arrow.after) in layout.back))
    for arrow in reversed(ordered):  # choose first where their labels stand
        if arrow.words:
            labels.append(_label(arrow, _curves(layout, arrow, beside[arrow], pills), taken))
    shapes = [*(_box(box, layout) for box in boxes)]
    inside = el("g", None, _heads(), lines, shapes, labels)
    extremes = None
    if len({arrow.value for arrow in valued}) > 1:
        by_value = sorted(valued, key=lambda arrow: arrow.value or 0)
        extremes = (by_value[0].words, by_value[-1].words)
    return Drawing(layout, label, inside, types, measure, extremes)


def _share(value: int, low: int, high: int) -> float:
    """Return where a figure lies between the lowest and the highest, by its logarithm."""
    if high <= low:
        return 1.0
    return math.log1p(max(0, value) - low) / math.log1p(high - low)


def _beside(arrows: Sequence[Arrow]) -> dict[Arrow, float]:
    """Return how far each arrow stands beside the middle: arrows of several types between the same boxes."""
    same: dict[tuple[str, str], list[Arrow]] = {}
    for arrow in arrows:
        same.setdefault((arrow.before, arrow.after), []).append(arrow)
    return {
        arrow: (number - (len(some) - 1) / 2) * _BETWEEN for some in same.values() for number, arrow in enumerate(some)
    }


def _heads() -> Html:
    """Return the heads of arrows, one for each colour."""
    kinds = [*(f"heat-{heat}" for heat in range(1, HEATS + 1)), *(f"colour-{number}" for number in range(8))]
    frame = {"viewBox": "0 0 10 12", "refX": "0.5", "refY": "6", "markerWidth": str(_HEAD), "markerHeight": "12"}
    shape = {"orient": "auto", "markerUnits": "userSpaceOnUse"}
    return el(
        "defs",
        None,
        [
            el(
                "marker",
                {"id": f"head-{kind}", **frame, **shape},
                el("path", {"d": "M0 0.5 10 6 0 11.5z", "class": f"head {kind}"}),
            )
            for kind in kinds
        ],
    )


def _line(arrow: Arrow, path: str, share: float, *, is_back: bool) -> Html:
    kind = f"heat-{1 + round((HEATS - 1) * share)}" if arrow.colour is None else f"colour-{arrow.colour}"
    shape = {"d": path, "class": f"arc {kind}{' back' if is_back else ''}", "stroke-width": f"{1.2 + 4.8 * share:.1f}"}
    wide = el("path", {"d": path, "class": "reach"})  # easier to hit than the line
    drawn = el("path", {**shape, "marker-end": f"url(#head-{kind})"})
    return el("a", {"href": arrow.href, "aria-label": arrow.title}, el("title", None, arrow.title), wide, drawn)


def _box(box: Box, layout: Layout) -> Html:
    x, y = layout.boxes[box.name]
    if box.href is None:
        pill = {"x": f"{x - 34:.0f}", "y": f"{y - 14:.0f}", "width": "68", "height": "28", "rx": "14", "class": "pill"}
        text = el("text", {"x": f"{x:.0f}", "y": f"{y + 4:.0f}", "class": "middle edge-name"}, box.words)
        return el("g", None, el("rect", pill), text)
    frame = {"x": f"{x - BOX[0] / 2:.0f}", "y": f"{y - BOX[1] / 2:.0f}", "width": str(BOX[0]), "height": str(BOX[1])}
    lines = wrapped(box.words)
    top = y - 7.5 * len(lines) + 3
    names = [
        el("text", {"x": f"{x:.0f}", "y": f"{top + 15 * number:.0f}", "class": "middle box-name"}, line)
        for number, line in enumerate(lines)
    ]
    below = {"x": f"{x:.0f}", "y": f"{top + 15 * len(lines):.0f}", "class": "middle box-count"}
    return el(
        "a",
        {"href": box.href, "aria-label": box.title},
        el("title", None, box.title),
        el("rect", {**frame, "rx": "5", "class": f"box depth-{1 + round(3 * box.share)}"}),
        names,
        el(
            "text",
            below,
            [_count(count, colour, first=number == 0) for number, (count, colour) in enumerate(box.counts)],
        ),
    )


def _count(count: str, colour: int | None, *, first: bool) -> Html:
    """Return a count, behind a dot of the colour of its type if there are several."""
    dot = None if colour is None else el("tspan", {"class": f"dot colour-{colour}"}, "● " if first else "\u2002● ")
    return el("tspan", None, dot, count)


def wrapped(name: str) -> list[str]:
    """Return a name as the lines of its box, broken between words; what does not fit ends with an ellipsis."""
    lines, line, room = [], "", _LINE_UNITS
    for word in _words(name):
        if _units(word) > room and line.strip():
            lines.append(line.strip())
            line, room = "", _LINE_UNITS
        line, room = line + word, room - _units(word)
    lines.append(line.strip())
    if len(lines) <= _LINES_MAX:
        return lines
    return [*lines[: _LINES_MAX - 1], lines[_LINES_MAX - 1][: _LINE_UNITS // 2] + "…"]


def _words(name: str) -> Iterator[str]:
    """Yield pieces of a name, none longer than a line: words with what is between, single Chinese signs."""
    word = ""
    for letter in name:
        if ord(letter) > 0x2E7F or _units(word) >= _LINE_UNITS - 1:
            yield from filter(None, (word,))
            word = ""
        word += letter
        if letter in " -_/." or ord(letter) > 0x2E7F:
            yield word
            word = ""
    if word:
        yield word


def _units(text: str) -> int:
    """Return the room of a text; a Chinese sign takes that of two letters."""
    return sum(2 if ord(letter) > 0x2E7F else 1 for letter in text)


# Ways of arrows


def _curves(layout: Layout, arrow: Arrow, beside: float, pills: Set[str]) -> list[Sequence[Point]]:
    """Return the cubic curves of an arrow, each of four points; ``pills`` are the boxes that are lower."""
    pair = (arrow.before, arrow.after)
    points = layout.lines[pair]
    if arrow.before == arrow.after:
        return _loop(points[0], beside)
    if pair in layout.back:
        return _up(points, beside)
    above, below = (_PILL if name in pills else BOX[1] / 2 for name in pair)
    return _down(points, beside, above, below)


def _path(curves: Sequence[Sequence[Point]]) -> str:
    (x, y) = curves[0][0]
    parts = [f"M{x:.0f} {y:.0f}"]
    parts += ["C" + " ".join(f"{x:.0f} {y:.0f}" for x, y in curve[1:]) for curve in curves]
    return "".join(parts)


def _down(points: Sequence[Point], beside: float, above: float, below: float) -> list[Sequence[Point]]:
    """Return the curves of an arrow that goes down through its bends, between boxes of these half heights."""
    (x, y), (end_x, end_y) = points[0], points[-1]
    way = [(x, y + above), *points[1:-1], (end_x, end_y - below - _HEAD)]
    curves: list[Sequence[Point]] = []
    for (from_x, from_y), (to_x, to_y) in itertools.pairwise(way):
        bend = (to_y - from_y) / 2
        a, b = from_x + beside, to_x + beside
        curves.append(((a, from_y), (a, from_y + bend), (b, to_y - bend), (b, to_y)))
    return curves


def _up(points: Sequence[Point], beside: float) -> list[Sequence[Point]]:
    """Return the curve of an arrow that goes back up, to the left of its boxes."""
    (x, y), (end_x, end_y) = points
    left, end_left = x - BOX[0] / 2, end_x - BOX[0] / 2
    out = min(left, end_left) - 26 - 0.03 * abs(y - end_y) - abs(beside)
    y, end_y = y + beside, end_y + beside
    return [((left, y), (out, y), (out, end_y), (end_left - _HEAD, end_y))]


def _loop(point: Point, beside: float) -> list[Sequence[Point]]:
    """Return the curve of an arrow from a box to itself, at its right."""
    x, y = point[0], point[1] + _APART * beside
    right = x + BOX[0] / 2
    out = right + 36 + abs(beside)
    return [((right, y - 14), (out, y - 30), (out, y + 30), (right + _HEAD, y + 14))]


# Labels

_Frame = tuple[float, float, float, float]


def _around(centre: Point, width: float, height: float) -> _Frame:
    return centre[0] - width / 2, centre[1] - height / 2, centre[0] + width / 2, centre[1] + height / 2


def _covered(frame: _Frame, taken: Sequence[_Frame]) -> float:
    """Return the area of other frames that a frame would cover."""
    left, top, right, bottom = frame
    return sum(
        (min(right, other[2]) - max(left, other[0])) * (min(bottom, other[3]) - max(top, other[1]))
        for other in taken
        if other[0] < right and other[2] > left and other[1] < bottom and other[3] > top
    )


def _label(arrow: Arrow, curves: Sequence[Sequence[Point]], taken: list[_Frame]) -> Html:
    """Return the label of an arrow, at the place on it that covers least, and take that place."""
    width = 7.0 * _units(arrow.words) + 8
    middle = len(curves) // 2
    order = sorted(range(len(curves)), key=lambda number: abs(number - middle))
    places: Iterable[Point] = (_on(curves[number], t) for number in order for t in _PLACES)
    if arrow.before == arrow.after:
        x, y = _on(curves[middle], _PLACES[0])
        places = [(x + width / 2 + 4, y)]
    best, least = (0.0, 0.0), math.inf
    for place in places:
        cost = _covered(_around(place, width, 17), taken)
        if cost < least:
            best, least = place, cost
        if not cost:
            break
    x, y = best
    left, top, _, _ = frame = _around(best, width, 17)
    taken.append(frame)
    ground = {"x": f"{left:.0f}", "y": f"{top:.0f}", "width": f"{width:.0f}", "height": "17", "rx": "3"}
    text = el("text", {"x": f"{x:.0f}", "y": f"{y + 4:.0f}", "class": "middle flow-label"}, arrow.words)
    return el("g", {"class": "flow-words"}, el("rect", {**ground, "class": "ground"}), text)


def _on(curve: Sequence[Point], t: float) -> Point:
    """Return the point of a cubic curve at ``t`` from 0 to 1."""
    weights = ((1 - t) ** 3, 3 * t * (1 - t) ** 2, 3 * t * t * (1 - t), t**3)
    x, y = (sum(weight * point[axis] for weight, point in zip(weights, curve, strict=True)) for axis in (0, 1))
    return x, y
