"""The two layers of the currency as SVG: what the central bank issued above, and below it where that is.

Law: as ``charts``: widths follow the figures that are given, and the same figures are in a table beside.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

from coseal.console.html import Html, el

_WIDTH: Final = 720
_BAR: Final = 34
_GAP: Final = 30
_LEAST: Final = 70
"""A part narrower than this has no words in it."""


class Holding(NamedTuple):
    """What an institution has: its name, the money in its vault and that of its customers, and both as written."""

    name: str
    vault: int
    customers: int
    written: str
    href: str


def two_layers(label: str, above: str, holdings: Sequence[Holding], words: tuple[str, str]) -> Html:
    """Return the picture. ``above`` is what stands in the upper layer, ``words`` name vaults and customers."""
    total = sum(one.vault + one.customers for one in holdings) or 1
    shapes = [
        el("rect", {"x": "0", "y": "0", "width": _WIDTH, "height": _BAR, "rx": "3", "class": "issued"}),
        el("text", {"x": _WIDTH // 2, "y": _BAR // 2 + 4, "class": "axis middle on"}, above),
    ]
    left = 0.0
    for one in holdings:
        wide = _WIDTH * (one.vault + one.customers) / total
        shapes += _institution(one, left, wide, words)
        left += wide
    height = _BAR * 2 + _GAP + 22
    picture = {"viewBox": f"0 0 {_WIDTH} {height}", "class": "chart layers", "role": "img", "aria-label": label}
    return el("figure", {"class": "chart"}, el("svg", picture, shapes), _legend(words))


def _institution(one: Holding, left: float, wide: float, words: tuple[str, str]) -> list[Html]:
    """Return an institution's part of the lower layer: a line from above, its vault, its customers, its name."""
    held = one.vault + one.customers
    if not held:
        return []
    top, middle = _BAR + _GAP, left + wide / 2
    line = {"x1": f"{middle:.1f}", "x2": f"{middle:.1f}", "y1": f"{_BAR}", "y2": f"{top}", "class": "down"}
    shapes = [el("line", line)]
    at = left + 1
    for amount, word, kind in ((one.vault, words[0], "vault"), (one.customers, words[1], "customers")):
        part = max(wide - 2, 0.5) * amount / held
        box = {"x": f"{at:.1f}", "y": f"{top}", "width": f"{part:.1f}", "height": f"{_BAR}", "class": kind}
        shapes.append(el("rect", box, el("title", None, f"{one.name}, {word}")))
        at += part
    if wide >= _LEAST:
        below = f"{one.name} {one.written}"
        name = el("text", {"x": f"{middle:.1f}", "y": f"{top + _BAR + 16}", "class": "axis middle"}, below)
        shapes.append(el("a", {"href": one.href}, name))
    return shapes


def _legend(words: tuple[str, str]) -> Html:
    return el("ul", {"class": "legend"}, [_key("vault", words[0]), _key("customers", words[1])])


def _key(kind: str, word: str) -> Html:
    box = el("rect", {"x": "0", "y": "0", "width": "12", "height": "12", "class": kind})
    return el(
        "li", None, el("svg", {"width": "12", "height": "12", "class": "layers", "aria-hidden": "true"}, box), word
    )
