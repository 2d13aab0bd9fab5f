"""Parts of the pages of missions: an indicator's values against the line between its targets.

Law: the line is the one by which the ledger's function judges (``contracts.mission.checks.expected``).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple

from coseal.console.html import Child, Html, el
from coseal.console.line_chart import Line, line_chart
from coseal.console.page import Page
from coseal.console.parts import empty
from coseal.contracts.kernel.wording import in_language
from coseal.contracts.mission.checks import expected, path
from coseal.ledger.render import time_text

_CHINA_MS: Final = 8 * 3_600_000
_TICKS: Final = 4


class Series(NamedTuple):
    """An indicator with its values at moments (ms); a value may be None, where none is exact."""

    name: str
    indicator: Mapping[str, Any]
    points: Sequence[tuple[int, int | None]]


def written(page: Page, indicator: Mapping[str, Any], value: float) -> str:
    """Return a value in the unit of its indicator."""
    return page.number(value / 10 ** indicator["scale"], indicator["scale"])


def path_chart(page: Page, series: Series) -> Html:
    """Return the chart of an indicator: its values, and the line that its targets make."""
    indicator = series.indicator
    line = path(indicator)
    values = dict(series.points)
    moments = sorted({at_ms for at_ms, _ in line} | values.keys())
    title = el("h3", None, in_language(indicator["title"], page.language), " ", el("code", None, series.name))
    if not moments:
        return el("div", None, title, empty(page, "missions.no_values"))
    wanted = [_at(line, at_ms) for at_ms in moments]
    had = [values.get(at_ms) for at_ms in moments]
    drawn = [value for value in (*wanted, *had) if value is not None]
    low, high = min(drawn, default=0), max(drawn, default=1)
    span = (high - low) or 1
    lines = [
        _line(page, indicator, words, found, low, span)
        for words, found in ((page.t("missions.path"), wanted), (page.t("missions.values"), had))
    ]
    axis = [written(page, indicator, low + span * tick / _TICKS) for tick in range(_TICKS + 1)]
    labels = [time_text(at_ms + _CHINA_MS)[:10] for at_ms in moments]
    unit: Child = el("p", None, page.t("missions.unit"), ": ", indicator["unit"])
    return el("div", None, title, unit, line_chart(page, "missions.paths", labels, lines, axis))


def _at(line: Sequence[tuple[int, int]], at_ms: int) -> float | None:
    found = expected(line, at_ms)
    return None if found is None else found[0] / found[1]


def _line(
    page: Page, indicator: Mapping[str, Any], name: str, found: Sequence[float | None], low: float, span: float
) -> Line:
    places = [None if value is None else (value - low) / span for value in found]
    words = ["" if value is None else written(page, indicator, value) for value in found]
    return Line(name, places, words, [False] * len(found))
