"""``python -m docs.site.diagrams``: draw ``docs/figures/*.toml`` as SVG, which GitHub and the offline site both show.

Law: a drawing follows from its file alone, byte for byte, so a change of it can be read in a diff and a test sees a
drawing that was not made again. Each has a title and a description, and is readable on a light and a dark page.

Two kinds of drawings. A *sequence* has lanes and, from top to bottom, messages between them (``from``, ``to``), notes
on them (``at``) and parts. A *graph* has boxes on a grid (``at``: column and row of its middle), frames around several
of them, and arrows between boxes or frames.
"""

from __future__ import annotations

import sys
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final, NamedTuple
from xml.sax.saxutils import escape

FIGURES: Final = Path(__file__).resolve().parents[1] / "figures"
_LINE: Final = 17
_MARGIN: Final = 16
_STYLE: Final = """\
  text { font: 13px system-ui, sans-serif; fill: #1c2733; text-anchor: middle; dominant-baseline: central; }
  .page { fill: #ffffff; stroke: #d5dce2; } .box { fill: #e8f0f5; stroke: #51606e; }
  .end { fill: #d3ebe7; stroke: #00695c; } .note { fill: #fdf4dc; stroke: #b79b4a; }
  .frame { fill: none; stroke: #8493a0; stroke-dasharray: 5 4; } .behind { fill: #ffffff; }
  .arrow, .lane { fill: none; stroke: #51606e; } .lane { stroke-dasharray: 2 4; } .head { fill: #51606e; }
  .strong { font-weight: 600; }
  @media (prefers-color-scheme: dark) {
    text { fill: #e6e9ec; } .page { fill: #1e2227; stroke: #3a424a; } .box { fill: #2b3640; stroke: #9aa7b3; }
    .end { fill: #1f3f3b; stroke: #4db6ac; } .note { fill: #3b3521; stroke: #c9ac5a; } .frame { stroke: #7c8994; }
    .behind { fill: #1e2227; } .arrow, .lane { stroke: #9aa7b3; } .head { fill: #9aa7b3; }
  }"""


class Area(NamedTuple):
    """A rectangle in pixels: its middle, and half of its width and height."""

    x: float
    y: float
    half_width: float
    half_height: float

    def border(self, x: float, y: float) -> tuple[float, float]:
        """Return where the line from the middle to a point leaves the rectangle."""
        across, down = x - self.x, y - self.y
        shrink = max(abs(across) / self.half_width, abs(down) / self.half_height, 1e-9)
        return self.x + across / shrink, self.y + down / shrink

    def nearest(self, x: float, y: float) -> tuple[float, float]:
        """Return the point of the rectangle that is nearest to another point."""
        left, top = self.x - self.half_width, self.y - self.half_height
        return min(max(x, left), left + 2 * self.half_width), min(max(y, top), top + 2 * self.half_height)


def draw(document: Mapping[str, Any]) -> str:
    """Return the drawing of a document."""
    width, height, parts = _sequence(document) if document["kind"] == "sequence" else _graph(document)
    return "\n".join(
        (
            f'<svg xmlns="http://www.w3.org/2000/svg" role="img" aria-labelledby="title description" '
            f'width="{_number(width)}" height="{_number(height)}" viewBox="0 0 {_number(width)} {_number(height)}">',
            f'<title id="title">{escape(document["title"])}</title>',
            f'<desc id="description">{escape(document["description"])}</desc>',
            f"<style>\n{_STYLE}\n</style>",
            '<marker id="head" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="8" markerHeight="8" '
            'orient="auto-start-reverse"><path class="head" d="M0 0 8 4 0 8z"/></marker>',
            f'<rect class="page" x=".5" y=".5" width="{_number(width - 1)}" height="{_number(height - 1)}" rx="6"/>',
            *parts,
            "</svg>\n",
        )
    )


# Sequences


def _sequence(document: Mapping[str, Any]) -> tuple[float, float, list[str]]:
    step = document.get("lane_width", 190)
    lanes: dict[str, float] = {name: _MARGIN + step * (index + 0.5) for index, name in enumerate(document["lanes"])}
    width, y = 2 * _MARGIN + step * len(lanes), 2.0 * _MARGIN
    head = 0.5 * _LINE * max(text.count("\n") + 1 for text in document["lanes"].values()) + 8
    y = _MARGIN + head
    parts: list[str] = []
    for name, text in document["lanes"].items():
        parts += _box(Area(lanes[name], y, step / 2 - 8, head), text, "box", strong=True)
    top, y = y + head, y + head + 14
    for entry in document["steps"]:
        lines = entry["text"].count("\n") + 1
        if "at" in entry:
            names = entry["at"] if isinstance(entry["at"], list) else [entry["at"]]
            xs = [lanes[name] for name in names]
            half = 0.5 * _LINE * lines + 5
            middle = (min(xs) + max(xs)) / 2
            parts += _box(Area(middle, y + half, (max(xs) - min(xs) + step) / 2 - 8, half), entry["text"], "note")
            y += 2 * half + 10
        elif "from" in entry:
            start, ends = lanes[entry["from"]], entry["to"] if isinstance(entry["to"], list) else [entry["to"]]
            below = y + _LINE * lines + 3
            far = max((lanes[end] for end in ends), key=lambda x: abs(x - start))
            parts += _words((start + far) / 2, y + 0.5 * _LINE * lines, entry["text"], behind=True)
            parts += [_path([(start, below), (lanes[end], below)]) for end in ends]
            y = below + 14
        else:
            parts += _words(width / 2, y + 0.5 * _LINE, entry["text"], strong=True, behind=True)
            y += _LINE + 10
    lines_of_lanes = [f'<path class="lane" d="M{_number(x)} {_number(top)}V{_number(y)}"/>' for x in lanes.values()]
    return width, y + _MARGIN / 2, [*lines_of_lanes, *parts]


# Graphs


def _graph(document: Mapping[str, Any]) -> tuple[float, float, list[str]]:
    across, down = document["cell"]
    areas: dict[str, Area] = {}
    parts: list[str] = []

    def place(column: float, row: float) -> tuple[float, float]:
        return _MARGIN + across * (column + 0.5), _MARGIN + down * (row + 0.5)

    for name, box in document["boxes"].items():
        size = box.get("size", document["box"])
        areas[name] = Area(*place(*box["at"]), size[0] / 2, size[1] / 2)
    for name, frame in document.get("frames", {}).items():
        areas[name] = _around([areas[one] for one in frame["holds"]], frame.get("text", ""))
        area = areas[name]
        parts.append(_rectangle(area, "frame"))
        parts += _words(area.x, area.y - area.half_height + 0.5 * _LINE + 3, frame.get("text", ""), strong=True)
    words: list[str] = []
    for arrow in document.get("arrows", ()):
        line, label = _arrow(arrow, areas, place)
        parts.append(line)
        words += label
    for name, box in document["boxes"].items():
        parts += _box(areas[name], box.get("text", name), box.get("class", "box"), strong="class" in box)
    for note in document.get("notes", ()):
        words += _words(*place(*note["at"]), note["text"])
    right = max(area.x + area.half_width for area in areas.values())
    bottom = max(area.y + area.half_height for area in areas.values())
    return right + _MARGIN, document.get("height", bottom + _MARGIN), [*parts, *words]


def _around(areas: list[Area], text: str) -> Area:
    """Return the area of a frame around others, with room for its text at the top."""
    left = min(area.x - area.half_width for area in areas) - 14
    right = max(area.x + area.half_width for area in areas) + 14
    top = min(area.y - area.half_height for area in areas) - 14 - (_LINE if text else 0)
    bottom = max(area.y + area.half_height for area in areas) + 14
    return Area((left + right) / 2, (top + bottom) / 2, (right - left) / 2, (bottom - top) / 2)


def _arrow(arrow: Mapping[str, Any], areas: Mapping[str, Area], place: Any) -> tuple[str, list[str]]:
    """Return the line of an arrow, and its words, which stand in the middle or where ``label`` says."""
    source, target, shift = areas[arrow["from"]], areas[arrow["to"]], arrow.get("shift", 0)
    via = [place(*point) for point in arrow.get("via", ())]
    if via:
        line = [source.nearest(*via[0]), *via, target.nearest(*via[-1])]
    else:
        line = [source.border(target.x, target.y), target.border(source.x, source.y)]
    line = [(x, y + shift) for x, y in line]
    middle = ((line[0][0] + line[1][0]) / 2, (line[0][1] + line[1][1]) / 2)
    x, y = place(*arrow["label"]) if "label" in arrow else middle
    words = list(_words(x, y, arrow.get("text", ""), behind=True))
    return _path(line, both=arrow.get("both", False)), words


# Pieces


def _box(area: Area, text: str, kind: str, *, strong: bool = False) -> Iterator[str]:
    yield _rectangle(area, kind)
    yield from _words(area.x, area.y, text, strong=strong)


def _rectangle(area: Area, kind: str) -> str:
    left, top = _number(area.x - area.half_width), _number(area.y - area.half_height)
    width, height = _number(2 * area.half_width), _number(2 * area.half_height)
    return f'<rect class="{kind}" x="{left}" y="{top}" width="{width}" height="{height}" rx="5"/>'


def _words(x: float, y: float, text: str, *, strong: bool = False, behind: bool = False) -> Iterator[str]:
    """Yield lines of text around a middle; ``behind``: with the page's colour under them."""
    lines = text.split("\n") if text else []
    if behind and lines:
        half = 3.6 * max(map(len, lines)) + 3
        yield _rectangle(Area(x, y, half, 0.5 * _LINE * len(lines)), "behind")
    kind = ' class="strong"' if strong else ""
    for index, line in enumerate(lines):
        middle = y + (index - (len(lines) - 1) / 2) * _LINE
        yield f'<text{kind} x="{_number(x)}" y="{_number(middle)}">{escape(line)}</text>'


def _path(points: list[tuple[float, float]], *, both: bool = False) -> str:
    line = " ".join(f"{_number(x)} {_number(y)}" for x, y in points)
    start = ' marker-start="url(#head)"' if both else ""
    return f'<path class="arrow" marker-end="url(#head)"{start} d="M{line}"/>'


def _number(value: float) -> str:
    return f"{value:.1f}".removesuffix(".0")


def main() -> int:
    """Draw every figure that has a description."""
    for path in sorted(FIGURES.glob("*.toml")):
        path.with_suffix(".svg").write_text(draw(tomllib.loads(path.read_text("utf-8"))), "utf-8")
        print(path.with_suffix(".svg").relative_to(FIGURES.parents[1]))
    return 0


if __name__ == "__main__":
    sys.exit(main())
